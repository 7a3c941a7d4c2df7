// Restricted Mode: whatever the files of a folder say, they are shown or refused, and nothing breaks.
import assert from "node:assert/strict";
import { cpSync, existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, test } from "node:test";
import { editor, pick } from "./editor.ts";
import { folder, ROOT, VECTORS } from "./places.ts";

const { activate } = await import("../src/extension.ts");

editor.folder = folder();
editor.trusted = false;
activate({
  subscriptions: [],
  extensionPath: ROOT,
  extension: { id: "runforge.runforge", packageJSON: { version: "9.9.9" } },
} as never);
cpSync(join(VECTORS, "runs/v0.4.0"), editor.folder, { recursive: true });

const STORE = join(editor.folder, ".runforge");
const INDEX = join(STORE, "index.json");
const ENTRIES: Record<string, unknown>[] = JSON.parse(readFileSync(INDEX, "utf8")).runs;

beforeEach(() => {
  writeFileSync(INDEX, JSON.stringify({ runs: ENTRIES }));
  editor.notifications.length = editor.answers.length = 0;
});

/** What stands for every value of another form; some have no text at all. */
const STRANGE: readonly unknown[] = [5, "x", [5], [[null]], {}, null, { toString: 1 }];

/** Yield a document with each of its members, at any depth, replaced by each strange value. */
function* strangers(document: unknown, inside = document): Generator<unknown> {
  if (typeof inside !== "object" || inside === null) return;
  for (const key of Object.keys(inside)) {
    const members = inside as Record<string, unknown>;
    const before = members[key];
    for (const value of STRANGE) {
      members[key] = value;
      yield document;
    }
    members[key] = before;
    yield* strangers(document, before);
  }
}

/** Return what the page with a title shows. */
const shown = (title: string) =>
  editor.pages.filter((page) => page.title.startsWith(title)).at(-1)?.webview.html ?? "";

/** Do what shows a document, and assert that nothing unforeseen has gone wrong. */
async function shows(work: () => unknown, about: unknown): Promise<void> {
  editor.notifications.length = 0;
  await work();
  // A refusal has a code of its own.
  for (const { text } of editor.notifications)
    assert.doesNotMatch(text, /\[INTERNAL\]/, JSON.stringify(about));
  for (const { webview } of editor.pages)
    assert.doesNotMatch(webview.html, /undefined|\[object Object\]/, JSON.stringify(about));
}

/** Return the rows of a folder of the list. */
async function inside(row: unknown): Promise<unknown[]> {
  const isFolder = (row as { kind: string }).kind === "group";
  return isFolder ? ((await editor.rows.getChildren(row)) ?? []) : [];
}

function look(...rows: unknown[]): void {
  for (const row of rows.flat())
    editor.rows.resolveTreeItem?.(editor.rows.getTreeItem(row) as never, row, undefined as never);
}

/** Load the list and its hovers, in every grouping. */
async function list(): Promise<void> {
  for (const label of [
    "Sweeps as folders",
    "By day",
    "By model family",
    "By dataset",
    "No groups",
  ]) {
    editor.answers.push(pick(label));
    await editor.call("group");
    for (const row of (await editor.rows.getChildren()) ?? []) look(row, await inside(row));
  }
}

test("an index with a value of another form anywhere is shown", async () => {
  const index = JSON.parse(readFileSync(INDEX, "utf8"));
  const more = { aliases: ["best"], hyperparameters: { C: 1 }, seed: 3, state: "succeeded" };
  Object.assign(index.runs[0], more);
  for (const one of strangers(index)) {
    writeFileSync(INDEX, JSON.stringify(one));
    await shows(list, one);
    editor.answers.push(() => undefined);
    await shows(() => editor.call("browseRuns"), one);
    editor.answers.length = 0;
  }
});

/** What shows a document of a run beside the page of the run. */
const VIEWS: Readonly<Record<string, string>> = {
  "request.json": "openRun",
  "run.json": "copyFingerprint",
  "result.json": "openRun",
  "metrics.json": "viewMetrics",
  "metrics.v1.json": "viewMetrics",
  "artifacts/feature_importance.v1.json": "viewImportance",
  "artifacts/linear_coefficients.v1.json": "viewCoefficients",
  "artifacts/interpretability.index.v1.json": "viewLatestInterpretabilityIndex",
};

for (const [name, view] of Object.entries(VIEWS))
  test(`a run with a value of another form anywhere in its ${name} is shown`, async () => {
    for (const { run_id, run_dir } of ENTRIES) {
      const file = join(editor.folder, String(run_dir), name);
      if (!existsSync(file)) continue;
      const text = readFileSync(file, "utf8");
      for (const one of [...STRANGE, ...strangers(JSON.parse(text))]) {
        writeFileSync(file, JSON.stringify(one));
        for (const command of new Set(["openRun", view]))
          await shows(() => editor.call(command, run_id), one);
      }
      writeFileSync(file, text);
    }
  });

test("values that are nested very deeply are cut short", async () => {
  const deep = "[".repeat(200_000) + "]".repeat(200_000);
  const { run_id, run_dir } = ENTRIES[0] as Record<string, string>;
  const file = join(editor.folder, run_dir ?? "", "run.json");
  const text = readFileSync(file, "utf8");
  writeFileSync(file, `{"hyperparameters": [{"name": "C", "value": ${deep}, "source": "x"}]}`);
  await editor.call("openRun", run_id);
  assert.deepEqual(editor.notifications, []);
  assert.match(shown(`Run ${run_id}`), />C<.*…</);
  writeFileSync(file, text);
});

test("a value that cannot be shown is said to be so, and does not hide the others", async () => {
  const run = ENTRIES.find(({ run_dir }) =>
    existsSync(join(editor.folder, String(run_dir), "artifacts/feature_importance.v1.json")),
  );
  const file = join(
    editor.folder,
    String(run?.["run_dir"]),
    "artifacts/feature_importance.v1.json",
  );
  const text = readFileSync(file, "utf8");
  const document = JSON.parse(text);
  const [first, second] = document.features_by_importance;
  first.importance = "much";
  writeFileSync(file, JSON.stringify(document));
  await editor.call("viewImportance", run?.["run_id"]);
  const html = shown("Feature");
  assert.match(html, /values here that cannot be shown/);
  assert.ok(html.includes(second.name) && !html.includes("much"));
  writeFileSync(file, text);
});

test("a run that is listed twice is shown once, as its newest entry has it", async () => {
  const runs = [...ENTRIES, { ...ENTRIES[0], name: "again" }];
  writeFileSync(INDEX, JSON.stringify({ runs }));
  const rows = (await editor.rows.getChildren()) ?? [];
  const ids = rows.map((row) => (editor.rows.getTreeItem(row) as { id?: string }).id);
  assert.equal(new Set(ids).size, ids.length);
  assert.equal((rows as { label: string }[])[0]?.label, "again");
});

test("what needs the server is refused before it is chosen", async () => {
  for (const name of ["filter", "sort"]) await editor.call(name);
  assert.deepEqual(
    editor.notifications.map(({ text }) => text),
    [
      "Filters need a trusted workspace. [USAGE_INVALID]",
      "Sorting needs a trusted workspace. [USAGE_INVALID]",
    ],
  );
});
