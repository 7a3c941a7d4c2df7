import assert from "node:assert/strict";
import { copyFile, readFile } from "node:fs/promises";
import path from "node:path";
import { describe, test } from "node:test";
import { packed } from "../support/code-server.ts";
import { inVsCode } from "../support/suite.ts";
import type { Window } from "../support/window.ts";

/** Train on the penguins from the palette, for the first time. */
async function trainPenguins(window: Window): Promise<void> {
  await window.run("RunForge: Train (Standard)");
  await window.choose("penguins.csv");
  await window.choose("species");
  // The text columns are not chosen; the year is no measurement.
  await window.picture("3 features");
  await window.tick(window.option("year"), false);
  await window.accept();
}

describe("a newcomer", () => {
  const code = inVsCode({ install: false });

  test("installs, trains, changes, compares and proves, without a terminal", async () => {
    const workspace = await code.server.workspace("penguins");
    const file = path.join(code.server.folder, "home/runforge.vsix");
    await copyFile(await packed(), file);
    const window = await code.server.open(workspace);
    await window.run("Extensions: Install from VSIX...");
    await window.chooseFile(file);
    await window.notified("Completed installing");

    await window.run("RunForge: First Steps");
    await window.page.getByText("First steps with RunForge").first().waitFor();
    await window.picture("1 first steps");
    await window.run("RunForge: Create the Example Dataset");
    await window.tab("penguins.csv").waitFor();

    await trainPenguins(window);
    await window.tab(/^Run /).waitFor();
    await window.webview.getByText("Confusion matrix").first().waitFor();
    await window.picture("4 run");
    const index = path.join(workspace, ".runforge/index.json");
    const { runs } = JSON.parse(await readFile(index, "utf8"));
    assert.equal(runs.length, 1);
    assert.equal(runs[0].status, "succeeded");
    assert.equal(runs[0].label_column, "species");
    const { created_by } = JSON.parse(
      await readFile(path.join(workspace, runs[0].run_dir, "request.json"), "utf8"),
    );
    assert.match(created_by, /^runforge-vscode@/);

    await window.run("RunForge: Open Runs");
    await window.row(/accuracy/).waitFor();
    await window.picture("5 runs view");

    const rerun = window.webview.getByRole("button", { name: "Rerun with Changes" });
    await window.click(rerun, window.option("C"));
    await window.choose("C");
    await window.fill("C:", "0.01");
    await window.choose("Rerun");
    await window.page.locator(".sidebar .monaco-list-row").nth(1).waitFor();
    await window.webview.getByText("Repeats").waitFor();

    await window.run("RunForge: Compare");
    await window.accept({ all: true });
    await window.tab(/^Compare 2 runs/).waitFor();
    const changed = window.webview.getByText("0.01", { exact: true });
    await changed.filter({ visible: true }).first().waitFor();
    await window.picture("6 compare");

    // A click on a row of a list that is just drawn again does nothing, so it is made again.
    const ask = (command: string) => async () => {
      await window.run(`RunForge: ${command}`);
      await window.choose(/accuracy/);
    };
    await window.bring(ask("Verify"), window.tab("Verification"));
    await window.webview
      .getByText(/verified/i)
      .first()
      .waitFor();
    await window.picture("7 verify");
    await window.bring(ask("Reproduce"), window.tab("Reproduction"));
    await window.webview
      .getByText(/identical|bit by bit/i)
      .first()
      .waitFor();
    await window.picture("8 reproduce");
    assert.deepEqual(code.server.foreign, []);
    assert.deepEqual(window.refused, []);
  });
});
