// What the commands do, with a stand-in for the editor and a real server.
import assert from "node:assert/strict";
import { copyFileSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, beforeEach, test } from "node:test";
import { setTimeout as wait } from "node:timers/promises";
import type * as vscode from "vscode";
import { Session } from "../src/server/session.ts";
import { editor, pick, Uri } from "./editor.ts";
import { folder, PYTHON, ROOT, VECTORS } from "./places.ts";

// A training that never ends is begun, on machines of any size.
process.env["RUNFORGE_MEMORY_LIMIT"] = "0";
const { activate, deactivate } = await import("../src/extension.ts");

const remembered = new Map<string, unknown>();
editor.folder = folder();
activate({
  subscriptions: [],
  extensionPath: ROOT,
  extension: { id: "runforge.runforge", packageJSON: { version: "9.9.9" } },
  workspaceState: {
    get: (name: string) => remembered.get(name),
    update: async (name: string, value: unknown) => remembered.set(name, value),
  },
} as never);
copyFileSync(join(ROOT, "examples/penguins.csv"), join(editor.folder, "penguins.csv"));
after(deactivate);

beforeEach(() => {
  editor.trusted = true;
  editor.settings = { pythonPath: PYTHON, reportCurves: false, openRunWhenDone: false };
  editor.notifications.length = editor.answers.length = editor.pages.length = 0;
  editor.press = () => undefined;
});

const RUNS = join(editor.folder, ".runforge/runs");
const DATA = { dataset: "penguins.csv", label: "species", exclude: ["island", "sex", "year"] };

/** Another client of the same workspace. */
const other = new Session({
  folder: editor.folder,
  version: "9.9.9",
  neutralFolder: ROOT,
  interpreters: async () => [{ path: PYTHON, origin: "setting" }],
  log: () => {},
  note: () => {},
  show: () => {},
});
after(() => other.dispose());

/** Do something, and return the documents with a name of the runs that it has made. */
async function made(name: string, work: () => unknown): Promise<Record<string, unknown>[]> {
  const listed = () => {
    try {
      return readdirSync(RUNS);
    } catch {
      return [];
    }
  };
  const before = new Set(listed());
  await work();
  return listed()
    .filter((run) => !before.has(run))
    .map((run) => JSON.parse(readFileSync(join(RUNS, run, name), "utf8")));
}

/** Return the description of an item of a question. */
const described = (items: unknown, label: string) =>
  (items as vscode.QuickPickItem[]).find((item) => item.label === label)?.description;

/** Wait for something that the extension does by itself. */
async function until<Value>(find: () => Value | undefined): Promise<Value> {
  for (const end = Date.now() + 120_000; Date.now() < end; await wait(10)) {
    const found = find();
    if (found !== undefined) return found;
  }
  throw new Error(`It has not come: ${find}`);
}

/** Wait for a notification. */
const notified = (text: RegExp) =>
  until(() => editor.notifications.find((shown) => text.test(shown.text)));

const MINIMUM = readFileSync(join(VECTORS, "request.v1.min.json"), "utf8");
/** What the editor makes a link of, in the notifications of VS Code 1.139. */
const LINK = /\[([^\]]+)\]\(((?:https?:\/\/|command:|file:)[^)\s]+)(?: (["'])(.+?)(\3))?\)/i;

test("a name of a document is no link in a notification, in Restricted Mode neither", async () => {
  editor.trusted = false;
  const path = join(editor.folder, "linked.request.json");
  const name = "[press](command:workbench.action.closeWindow)";
  for (const preset of ["fast", name]) {
    editor.documents[path] = JSON.stringify({ ...JSON.parse(MINIMUM), preset, name });
    await editor.call("validateDocument", Uri.file(path));
  }
  const texts = editor.notifications.map(({ text }) => text);
  assert.equal(texts.length, 2);
  assert.match(texts[0] ?? "", /valid request\.v1\..*press/);
  for (const text of texts) assert.doesNotMatch(text, LINK);
});

test("a request that is edited while its change is chosen keeps that edit", async () => {
  const path = join(editor.folder, "edited.request.json");
  editor.documents[path] = MINIMUM;
  editor.answers.push(
    pick("Preset"),
    (items) => {
      const typed = { ...JSON.parse(MINIMUM), notes: "typed meanwhile\n".repeat(3), mine: [1, 2] };
      editor.documents[path] = `${JSON.stringify(typed, null, 4)}\n\n`;
      return pick("thorough")(items);
    },
    pick("$(play) Change"),
  );
  await editor.call("changeRequest", Uri.file(path));
  const { preset, notes, mine } = JSON.parse(editor.documents[path] ?? "");
  assert.deepEqual([preset, notes, mine], ["thorough", "typed meanwhile\n".repeat(3), [1, 2]]);
});

test("a rerun shows what it takes over, and that is what it takes over", async () => {
  const { run_id } = await other.request("train", {
    ...DATA,
    profile: "default",
    hyperparameters: { C: 0.5, max_iter: 200 },
  });
  const seen: unknown[] = [];
  const look = (label: string) => (items: unknown) => {
    seen.push(["C", "max_iter", "Profile"].map((name) => described(items, name)));
    return pick(label)(items as never);
  };
  editor.answers.push(
    look("C"),
    () => "7",
    look("C"),
    () => "",
    look("Profile"),
    (items) => {
      seen.push((items as vscode.QuickPickItem[]).map(({ label }) => label).includes("none"));
      return undefined;
    },
    look("max_iter"),
    () => "300",
    look("$(play) Rerun"),
  );
  const [request] = await made("request.json", () => editor.call("rerun", run_id));
  const recorded = ["0.5, as recorded", "200, as recorded", "default"];
  assert.deepEqual(seen, [
    recorded,
    ["7", ...recorded.slice(1)],
    recorded,
    false,
    recorded,
    [recorded[0], "300", recorded[2]],
  ]);
  const { model, profile } = request as { model: object; profile: string };
  assert.deepEqual(model, {
    family: "logistic_regression",
    hyperparameters: { C: 0.5, max_iter: 300 },
  });
  assert.equal(profile, "default");
});

test("with the setting for private records, every training makes one", async () => {
  const { run_id } = await other.request("train", DATA);
  const path = join(editor.folder, "mine.request.json");
  const dataset = { path: DATA.dataset, label_column: DATA.label, exclude_columns: DATA.exclude };
  writeFileSync(path, JSON.stringify({ ...JSON.parse(MINIMUM), dataset }));
  editor.settings["private"] = true;
  const ways = {
    rerunUnchanged: () => editor.call("rerunUnchanged", run_id),
    runDocument: () => editor.call("runDocument", Uri.file(path)),
    sweep: () => {
      editor.press = ({ buttons }) => buttons.find((button) => button === "Train");
      const message = { dataset: DATA.dataset, label: DATA.label };
      const features = (items: unknown) =>
        (items as { name: string }[]).filter(({ name }) => !DATA.exclude.includes(name));
      const varied = (items: unknown) => [pick("seed")(items as never)];
      editor.answers.push(
        features,
        varied,
        () => "1..2",
        () => "private",
      );
      return editor.call("sweep", message);
    },
  };
  for (const [way, work] of Object.entries(ways)) {
    const records = await made("run.json", work);
    assert.equal(records.length, way === "sweep" ? 2 : 1, way);
    for (const { provenance } of records as { provenance: { left_out?: string[] } }[])
      assert.ok(provenance.left_out?.includes("python.executable"), way);
  }
});

test("a button of a notification that can do nothing says why", async () => {
  const dataset = join(editor.folder, "small.csv");
  writeFileSync(dataset, "number,label\n1,a\n2,a\n3,b\n");
  editor.press = ({ buttons }) => {
    if (!buttons.includes("Choose the Label")) return undefined;
    rmSync(dataset);
    return "Choose the Label";
  };
  editor.answers.push((items) => items);
  await editor.call("trainStandard", { dataset: "small.csv", label: "label" });
  await notified(/\[CLASS_TOO_SMALL\]/);
  await notified(/\[DATASET_NOT_FOUND\]/);
});

test("predictions that cannot be written are an error", async () => {
  const { run_id } = await other.request("train", DATA);
  editor.answers.push(pick("penguins.csv"));
  await editor.call("predict", run_id);
  editor.full = "No space left on device";
  editor.pages.at(-1)?.press({ action: "savePredictions" });
  await notified(/No space left on device/);
});

test("a page whose curves cannot be computed does not go on announcing them", async () => {
  editor.settings["reportCurves"] = true;
  const { run_id } = await other.request("train", DATA);
  const opened = editor.call("openRun", run_id);
  const page = await until(() => editor.pages.at(-1));
  assert.ok(page.webview.html.includes("Computing the curves"));
  rmSync(join(RUNS, run_id), { recursive: true });
  page.press({ action: "seen" });
  await opened;
  await notified(/\[RUN_NOT_FOUND\]/);
  assert.ok(page.webview.html.includes("Confusion matrix"));
  assert.ok(!page.webview.html.includes("Computing the curves"));
});

test("more runs are shown with the first click", async () => {
  const before = editor.folder;
  editor.folder = folder();
  editor.trusted = false;
  editor.settings["pageSize"] = 20;
  const runs = Array.from({ length: 70 }, (_, at) => ({ run_id: `run-${at}`, run_dir: "x" }));
  mkdirSync(join(editor.folder, ".runforge"));
  writeFileSync(join(editor.folder, ".runforge/index.json"), JSON.stringify({ runs }));
  const shown: number[] = [];
  for (let click = 0; click < 4; click += 1) {
    const rows = (await editor.rows.getChildren()) as { kind: string }[];
    shown.push(rows.filter(({ kind }) => kind === "run").length);
    await editor.call("showMore");
  }
  editor.folder = before;
  assert.deepEqual(shown, [20, 40, 60, 70]);
});

/** Return a plan of a sweep over seeds. */
const planOf = (dataset: string, seeds: number[], hyperparameters = {}) => ({
  version: 1 as const,
  kind: "sweep_plan" as const,
  created_at: "2026-01-01T00:00:00Z",
  created_by: "test@1",
  group: { name: "a sweep" },
  base_request: {
    ...JSON.parse(MINIMUM),
    dataset: { path: dataset, label_column: DATA.label, exclude_columns: DATA.exclude },
    model: { family: "random_forest", hyperparameters },
  },
  strategy: { type: "grid" as const, parameters: [{ path: "/seed", values: seeds }] },
  execution: { max_parallel: 2, fail_fast: false, stop_on_cancel: true },
});

test("with the setting for private records, a resumed sweep and an experiment make one", async () => {
  const stop = new AbortController();
  const { group_id } = await other.request(
    "sweep",
    { plan: planOf(DATA.dataset, [1, 2, 3]) as never },
    { signal: stop.signal, onProgress: ({ group_id: known }) => known && stop.abort() },
  );
  editor.settings["private"] = true;
  const records = await made("run.json", () => editor.call("resumeSweep", { id: group_id }));
  assert.ok(records.length > 0, JSON.stringify(editor.notifications));
  for (const { provenance } of records as { provenance: { left_out?: string[] } }[])
    assert.ok(provenance.left_out?.includes("python.executable"));

  mkdirSync(join(editor.folder, "experiments"), { recursive: true });
  const experiment = join(editor.folder, "experiments/e.yaml");
  await editor.call("runDocument", Uri.file(experiment));
  editor.settings["private"] = false;
  await editor.call("runDocument", Uri.file(experiment));
  assert.deepEqual(
    editor.started.map((command) => command.slice(4)),
    [
      ["experiment", "run", "--private", experiment],
      ["experiment", "run", experiment],
    ],
  );
});

test("one click cancels a sweep of this window, whose runs are no other client's", {
  timeout: 120_000,
}, async () => {
  const path = join(editor.folder, "long.sweep_plan.json");
  const plan = planOf(DATA.dataset, [1, 2], { n_estimators: 1_000_000 });
  // One after the other: the group of a run that begins at that very moment is not known yet.
  plan.execution.max_parallel = 1;
  writeFileSync(path, JSON.stringify(plan));
  const sweeping = editor.call("runDocument", Uri.file(path));
  for (const end = Date.now() + 60_000; Date.now() < end; await wait(50)) {
    const { runs } = await other.request("list", { status: "running", limit: 100 });
    if (runs.some(({ group_id }) => group_id)) break;
  }
  await notified(/of 2 runs/);
  // A question would have no answer.
  await editor.call("cancel");
  await sweeping;
  const texts = editor.notifications.map(({ text }) => text);
  assert.ok(
    texts.some((text) => /The sweep .* was cancelled/.test(text)),
    `${texts}`,
  );
});

test("what a request has can be emptied, and a range of one seed is that seed", async () => {
  const path = join(editor.folder, "emptied.request.json");
  const request = { ...JSON.parse(MINIMUM), name: "mine", notes: "some", seed: 1 };
  editor.documents[path] = JSON.stringify(request);
  editor.answers.push(
    pick("Name"),
    () => "",
    pick("Notes"),
    () => " ",
    pick("Seed"),
    () => "3..3",
    pick("$(play) Change"),
  );
  await editor.call("changeRequest", Uri.file(path));
  const { name, notes, seed } = JSON.parse(editor.documents[path] ?? "");
  assert.deepEqual([name, notes, seed], [undefined, undefined, 3]);
});

test("a list to choose from and a comparison say what they leave out", async () => {
  const before = editor.folder;
  editor.folder = folder();
  editor.trusted = false;
  const runs = Array.from({ length: 501 }, (_, at) => ({ run_id: `run-${at}`, run_dir: "x" }));
  mkdirSync(join(editor.folder, ".runforge"));
  writeFileSync(join(editor.folder, ".runforge/index.json"), JSON.stringify({ runs }));
  let asked = "";
  editor.answers.push((items, placeHolder) => {
    asked = `${placeHolder}`;
    return items;
  });
  await editor.call("compare");
  editor.folder = before;
  assert.match(asked, /the newest 500 of 501; the list in the side bar has all/);
  await notified(/^500 runs were chosen; the first 100 of them are compared/);
});

test("lenses are drawn again when trust is granted", () => {
  let drawn = 0;
  editor.lenses.onDidChangeCodeLenses?.(() => (drawn += 1));
  editor.trustGranted.fire();
  assert.equal(drawn, 1);
});

test("a document that is closed while it is checked has no problems afterwards", async () => {
  const open = (name: string, getText: () => string) => {
    const uri = Uri.file(join(editor.folder, name));
    const document = { uri, isClosed: false, getText, positionAt: () => undefined };
    editor.opened.fire(document);
    return document;
  };
  const closing = open("closing.request.json", () => {
    closing.isClosed = true;
    editor.closed.fire(closing);
    return '{"version": 1, "version": 1}';
  });
  const staying = open("staying.request.json", () => '{"version": 1, "version": 1}');
  await until(() => editor.problems.has(staying.uri.path) || undefined);
  assert.ok(!editor.problems.has(closing.uri.path));
});
