import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { mkdir, readFile, symlink, writeFile } from "node:fs/promises";
import path from "node:path";
import { describe, test } from "node:test";
import { inVsCode } from "../support/suite.ts";
import type { Window } from "../support/window.ts";
import {
  HOSTILE,
  plantInterpreter,
  plantPrograms,
  poisonModel,
  runforge,
  train,
} from "../support/workspaces.ts";

describe("Restricted Mode", () => {
  const code = inVsCode({
    settings: {
      "security.workspace.trust.enabled": true,
      "security.workspace.trust.startupPrompt": "never",
    },
  });

  test("runs are read, and nothing is started", async () => {
    const workspace = await code.server.workspace("untrusted", ["examples/penguins.csv"]);
    await train(workspace, "--name", "linear");
    const trace = await plantInterpreter(workspace);
    await mkdir(path.join(workspace, ".vscode"));
    const settings = { "runforge.pythonPath": path.join(workspace, ".venv/bin/python") };
    await writeFile(path.join(workspace, ".vscode/settings.json"), JSON.stringify(settings));
    const window = await code.server.open(workspace);
    await window.run("RunForge: Open Runs");
    await window.click(window.row("linear"), window.webview.getByText("accuracy").first());
    await window.picture("restricted");
    await window.run("RunForge: View Latest Metrics");
    await window.webview
      .getByText(/precision/i)
      .first()
      .waitFor();
    assert.deepEqual(await code.server.runforge(), []);
    assert.ok(!existsSync(trace));
  });
});

describe("documents in Restricted Mode", () => {
  const code = inVsCode({
    settings: {
      "security.workspace.trust.enabled": true,
      "security.workspace.trust.startupPrompt": "never",
    },
  });

  test("are validated and not executed, and a damaged index is no empty list", async () => {
    const workspace = await code.server.workspace("restricted", ["examples/penguins.csv"]);
    const run = await train(workspace, "--name", HOSTILE.link);
    await writeFile(path.join(workspace, ".runforge/index.json"), "{");
    const window = await code.server.open(workspace);
    await window.run("RunForge: Open Runs");
    const sideBar = window.page.locator(".sidebar");
    await sideBar.getByText("its list of runs could not be read").waitFor();
    await window.notified(".runforge/index.json cannot be read");
    await window.openFile(`.runforge/runs/${run}/request.json`);
    const lenses = window.page.locator(".codelens-decoration");
    const valid = window.notification("request.json is a valid request.v1.");
    await window.click(lenses.getByText("Validate", { exact: true }), valid);
    await valid.getByText("[press]").waitFor();
    assert.equal(await valid.locator("a[href^=command]").count(), 0);
    assert.equal(await lenses.getByText(/^(Run|Change|Rerun)$/).count(), 0);
    assert.deepEqual(await code.server.runforge(), []);
  });
});

describe("a missing Python", () => {
  const code = inVsCode({ settings: { "runforge.pythonPath": "/nowhere/python" } });

  test("is named, and the offer to install says what it would do", async () => {
    const window = await code.server.open(
      await code.server.workspace("missing", ["examples/penguins.csv"]),
    );
    await window.run("RunForge: Train (Standard)");
    await window.choose("penguins.csv");
    await window.notified("PYTHON_NOT_FOUND");
    await window.picture("missing");
    await window.run("RunForge: Show the Log");
    await window.page.getByText("/nowhere/python").first().waitFor();
  });
});

describe("a hostile workspace", () => {
  const code = inVsCode();

  async function unharmed(window: Window, trace: string): Promise<void> {
    assert.ok(!existsSync(trace), "a program of the workspace was executed");
    assert.ok(!(await window.page.title()).includes("HARMED"));
    assert.deepEqual(code.server.foreign, []);
  }

  test("has names with markup and escapes, which are shown as they are", async () => {
    const workspace = await code.server.workspace("names");
    const { markup, script, icon, link, sequence, turn } = HOSTILE;
    const features = [markup, icon, link, sequence];
    const quoted = (cells: string[]) =>
      cells.map((cell) => `"${cell.replaceAll('"', '""')}"`).join(",");
    const rows = Array.from({ length: 60 }, (_, row) =>
      quoted([
        ...features.map((_, column) => String((row * 7 + column * 3) % 11)),
        [script, turn][row % 2]!,
      ]),
    );
    const dataset = `${icon} <b>data.csv`;
    await writeFile(
      path.join(workspace, dataset),
      [quoted([...features, "species"]), ...rows].join("\n"),
    );
    await runforge(workspace, "train", dataset, "--label", "species", "--name", markup);
    const trace = await plantPrograms(workspace);
    const window = await code.server.open(workspace);
    await window.run("RunForge: Open Runs");
    await window.click(window.row("<img"), window.webview.getByText("Confusion matrix").first());
    await window.webview.getByText("<script>").first().waitFor();
    assert.equal(await window.webview.locator("img[src=x], b").count(), 0);
    await window.picture("hostile run");
    await window.run("RunForge: Train (Standard)");
    await window.choose(/<b>data/);
    await window.choose("species");
    await window.option(/<img/).waitFor();
    await window.picture("hostile features");
    await window.accept();
    await window.page.locator(".sidebar .monaco-list-row").nth(1).waitFor();
    await unharmed(window, trace);
  });

  test("has a poisoned model, which is not loaded", async () => {
    const workspace = await code.server.workspace("poison", ["examples/penguins.csv"]);
    const trace = await poisonModel(workspace, await train(workspace, "--name", "poisoned"));
    const window = await code.server.open(workspace);
    await window.run("RunForge: Open Runs");
    await window.click(window.row("poisoned"), window.webview.getByText("accuracy").first());
    await window.run("RunForge: Predict");
    await window.choose("poisoned");
    await window.choose("penguins.csv");
    await window.notified(/\[[A-Z_]+\]/);
    await window.picture("poisoned");
    await window.run("RunForge: Verify");
    await window.choose("poisoned");
    await window.webview.getByText("model.pkl").first().waitFor();
    await window.picture("poisoned verified");
    await unharmed(window, trace);
  });

  test("has links out of it, which are not followed", async () => {
    const workspace = await code.server.workspace("links", ["examples/penguins.csv"]);
    const outside = await code.server.workspace("outside", ["examples/penguins.csv"]);
    const run = await train(outside, "--name", "outside");
    await train(workspace, "--name", "inside");
    const folder = path.join(workspace, ".runforge/runs", run);
    await symlink(path.join(outside, ".runforge/runs", run), folder);
    const index = path.join(workspace, ".runforge/index.json");
    const document = JSON.parse(await readFile(index, "utf8"));
    const [entry] = document.runs;
    document.runs.push({ ...entry, run_id: run, run_dir: `.runforge/runs/${run}`, name: "link" });
    await writeFile(index, JSON.stringify(document));
    const window = await code.server.open(workspace);
    await window.run("RunForge: Open Runs");
    await window.row("inside").waitFor();
    await window.run("RunForge: Verify Everything");
    await window.webview.getByText(run).first().waitFor();
    await window.picture("links");
    await unharmed(window, path.join(workspace, "HARMED"));
  });

  test("has an index that is none, which is recovered from the run folders", async () => {
    const workspace = await code.server.workspace("index", ["examples/penguins.csv"]);
    await train(workspace, "--name", "kept");
    const index = path.join(workspace, ".runforge/index.json");
    await writeFile(index, "[".repeat(200_000));
    const window = await code.server.open(workspace);
    await window.run("RunForge: Open Runs");
    await window.row("kept").waitFor();
    await window.run("RunForge: Recover Index");
    await window.webview.getByText(/index/i).first().waitFor();
    await window.picture("recovered index");
    const { runs } = JSON.parse(await readFile(index, "utf8"));
    assert.equal(runs.length, 1);
  });
});
