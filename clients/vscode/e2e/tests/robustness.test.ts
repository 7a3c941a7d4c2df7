import assert from "node:assert/strict";
import { readFile, truncate } from "node:fs/promises";
import path from "node:path";
import { describe, test } from "node:test";
import type { CodeServer } from "../support/code-server.ts";
import { inVsCode } from "../support/suite.ts";
import type { Window } from "../support/window.ts";
import { EXCLUDE, manyRuns, manySweeps, runforge, train } from "../support/workspaces.ts";

/** The module that trains, in a process of its own. */
const WORKER = "runforge_engine.workers.run_worker";

/** Trainings that end in hours are begun on machines of any size. */
const FORESTS = {
  settings: { "runforge.modelFamily": "random_forest" },
  env: { RUNFORGE_MEMORY_LIMIT: "0" },
};

/** Begin a training that ends in hours. */
async function endless(server: CodeServer): Promise<Window> {
  const workspace = await server.workspace("endless", ["examples/penguins.csv"]);
  const window = await server.open(workspace);
  await window.run("RunForge: Train with Options");
  await window.choose("penguins.csv");
  await window.choose("species");
  await window.accept();
  await window.choose("n_estimators");
  await window.fill("n_estimators", "1000000");
  await window.choose("Train");
  await window.page
    .locator(".statusbar")
    .getByText(/Training/)
    .first()
    .waitFor();
  await window.run("RunForge: Open Runs");
  await window.row(/running/).waitFor();
  await window.picture("training");
  return window;
}

async function statuses(workspace: string): Promise<string[]> {
  const printed = await runforge(workspace, "runs", "--json");
  const { runs } = JSON.parse(printed) as { runs: { status?: string; state?: string }[] };
  return runs.map(({ status, state }) => status ?? state ?? "none");
}

describe("a training", () => {
  const code = inVsCode(FORESTS);

  test("is cancelled, and recorded as cancelled", async () => {
    const window = await endless(code.server);
    await window.run("RunForge: Cancel a Run");
    await window.notified("was cancelled; it is recorded");
    await window.row(/cancelled/).waitFor();
    assert.deepEqual(await statuses(window.workspace), ["cancelled"]);
  });

  test("outlives nothing of a window that is closed, and is recorded", async () => {
    const window = await endless(code.server);
    const { workspace } = window;
    await window.close();
    const again = await code.server.open(workspace);
    await again.run("RunForge: Open Runs");
    await again.row(/running|cancelled/).waitFor();
    await again.run("RunForge: Cancel a Run");
    await again.until(async () => !(await statuses(workspace)).includes("running"));
    assert.equal((await statuses(workspace)).length, 1);
  });

  test("is recorded when its server is killed, and the next one is there", async () => {
    const window = await endless(code.server);
    for (const pid of await code.server.runforge()) process.kill(pid, "SIGKILL");
    await window.notified("The RunForge server has ended unexpectedly");
    await window.row(/interrupted|cancelled/).waitFor();
    await window.picture("killed");
    await window.run("RunForge: View Latest Metrics");
    await window.notified(/\[[A-Z_]+\]/);
    assert.equal((await statuses(window.workspace)).length, 1);
  });
});

describe("a machine without memory", () => {
  const code = inVsCode(FORESTS);

  test("ends the process that trains, which is said, and training goes on", async () => {
    const window = await endless(code.server);
    const all = await code.server.processes();
    const workers = all.filter(({ command }) => command.includes(WORKER)).map(({ pid }) => pid);
    assert.notEqual(workers.length, 0);
    // As the kernel does.
    for (const pid of workers) process.kill(pid, "SIGKILL");
    const lost = /was lost: it was ended by SIGKILL.*The system may lack memory/;
    await window.notified(lost);
    await window.row(/interrupted/).waitFor();
    await window.picture("without memory");
    await window.press(lost, "Train Again");
    await window.row(/running/).waitFor();
    await window.run("RunForge: Cancel a Run");
    await window.row(/cancelled/).waitFor();
    assert.deepEqual((await statuses(window.workspace)).sort(), ["cancelled", "interrupted"]);
  });
});

describe("a question", () => {
  const code = inVsCode({ settings: { "workbench.quickOpen.closeOnFocusLost": true } });

  test("stays when a page takes the focus, and goes with Escape", async () => {
    const workspace = await code.server.workspace("question", ["examples/penguins.csv"]);
    await train(workspace, "--name", "kept");
    const window = await code.server.open(workspace);
    await window.run("RunForge: Open Runs");
    const heading = window.webview.getByText("Confusion matrix").first();
    await window.click(window.row("kept"), heading);
    const focused = () => window.page.evaluate<boolean>('document.activeElement.matches("iframe")');
    const takeFocus = () => window.bring(() => heading.click(), focused);
    // The page may take the focus once more, which closes the palette of the editor.
    const ask = () => window.bring(() => window.run("RunForge: Predict"), window.option("kept"));
    await ask();
    await takeFocus();
    await window.input.press("Escape");
    await window.input.waitFor({ state: "hidden" });
    await ask();
    await takeFocus();
    await window.choose("kept");
    await window.option("penguins.csv").waitFor();
    await takeFocus();
    await window.choose("penguins.csv");
    await window.tab(/^Predict/).waitFor();
  });
});

describe("10,000 runs", () => {
  const code = inVsCode();

  test("are listed, page by page, and filtered", async () => {
    const workspace = await code.server.workspace("many", ["examples/penguins.csv"]);
    await manyRuns(workspace, 10_000);
    await train(workspace, "--name", "newest");
    const window = await code.server.open(workspace);
    await window.run("RunForge: Open Runs");
    await window.row("newest").waitFor();
    await window.picture("10000 runs");
    await window.run("RunForge: Filter Runs");
    await window.choose("Conditions…");
    await window.fill("Conditions", "accuracy>=0.999 and model=random_forest");
    await window.row("newest").waitFor({ state: "detached" });
    await window.row(/random forest/).waitFor();
    await window.picture("10000 runs filtered");
    const index = path.join(workspace, ".runforge/index.json");
    assert.equal(JSON.parse(await readFile(index, "utf8")).runs.length, 10_002);
  });
});

describe("1,000 sweeps", () => {
  const code = inVsCode({ settings: { "runforge.pageSize": 20 } });

  test("are folders among 10,000 runs, page by page, each with its runs", async () => {
    const workspace = await code.server.workspace("swept", ["examples/penguins.csv"]);
    const excluded = EXCLUDE.flatMap((column) => ["--exclude", column]);
    const data = ["penguins.csv", "--label", "species", ...excluded];
    const grid = ["--grid", "C=0.01,0.1,1,10", "--seeds", "1..2"];
    await runforge(workspace, "sweep", ...data, ...grid, "--name", "swept");
    await manySweeps(workspace, 999, 2000);
    await train(workspace, "--name", "after");
    const window = await code.server.open(workspace);
    await window.run("RunForge: Open Runs");
    await window.row("after").waitFor();
    await window.row("swept").waitFor();
    await window.row(/Show more: 20 of 3001/).waitFor();
    await window.picture("1000 sweeps");
    // A click on a folder that is open would close it.
    const sweep = window.row("swept");
    const open = async () => (await sweep.getAttribute("aria-expanded")) === "true";
    const member = window.row(/^\s*logistic regression/);
    await window.bring(async () => (await open()) || sweep.click({ timeout: 5_000 }), member);
    await window.picture("1000 sweeps opened");
    await window.bring(
      async () => (await open()) && sweep.click({ timeout: 5_000 }),
      async () => {
        return !(await open());
      },
    );
    const sweeps = window.page.locator(".sidebar .monaco-list-row").filter({ hasText: "swept" });
    await window.click(window.row(/Show more/), sweeps.nth(25));
  });
});

describe("an index of hundreds of megabytes", () => {
  const code = inVsCode({
    settings: {
      "security.workspace.trust.enabled": true,
      "security.workspace.trust.startupPrompt": "never",
    },
  });

  test("is not read, which is said, in Restricted Mode and in a trusted folder", async () => {
    const workspace = await code.server.workspace("huge", ["examples/penguins.csv"]);
    await train(workspace, "--name", "kept");
    await truncate(path.join(workspace, ".runforge/index.json"), 300_000_000);
    const window = await code.server.open(workspace);
    await window.run("RunForge: Open Runs");
    await window.notified("in Restricted Mode up to 16 MB are read");
    const sideBar = window.page.locator(".sidebar");
    await sideBar.getByText("its list of runs could not be read").waitFor();
    assert.equal(await sideBar.getByText(/lists none|no runs/).count(), 0);
    await window.picture("huge index restricted");
    await window.run("Workspaces: Manage Workspace Trust");
    const trust = window.page.getByRole("button", { name: "Trust", exact: true });
    await window.click(trust, window.notification("The index of the store cannot be read"));
    await window.run("RunForge: Open Runs");
    await window.row("kept").waitFor();
    await window.picture("huge index");
    const host = (await code.server.processes()).filter(({ command }) =>
      command.some((word) => word.includes("extensionHost")),
    );
    assert.notEqual(host.length, 0);
    for (const { pid } of host) {
      const status = await readFile(`/proc/${pid}/status`, "utf8");
      const peak = Number(/VmHWM:\s+(\d+) kB/.exec(status)?.[1]);
      assert.ok(peak < 600_000, `the extension host took ${peak} kB`);
    }
  });
});
