import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { describe, test } from "node:test";
import { inVsCode } from "../support/suite.ts";

const REQUEST = {
  version: 1,
  preset: "balanced",
  dataset: {
    path: "penguins.csv",
    label_column: "species",
    exclude_columns: ["island", "sex", "year"],
  },
  model: { family: "random_forest", hyperparameters: {} },
  device: { type: "cpu" },
  created_at: "2026-02-01T12:00:00Z",
  created_by: "notebook@1.0",
  mine: { kept: [1, 2.5, "ß"] },
};

describe("documents", () => {
  const code = inVsCode();

  async function openRequest(changes: Record<string, unknown> = {}) {
    const workspace = await code.server.workspace("documents", ["examples/penguins.csv"]);
    const text = JSON.stringify({ ...REQUEST, ...changes }, null, 2);
    await writeFile(path.join(workspace, "request.json"), text);
    const window = await code.server.open(workspace);
    await window.openFile("request.json");
    return window;
  }

  test("a broken request has problems at their places, and its fields have meanings", async () => {
    const window = await openRequest({ preset: "balancd" });
    const line = window.page.locator(".view-line");
    await window.page.locator(".squiggly-warning, .squiggly-error").first().waitFor();
    await line.getByText('"preset"').hover();
    await window.page.getByText("A named set of hyperparameters").first().waitFor();
    await window.picture("hover");
    await line.getByText('"balancd"').dblclick();
    await window.page.keyboard.press("Delete");
    await window.page.keyboard.press("Control+Space");
    await window.page.locator(".suggest-widget").getByText("thorough").first().waitFor();
    await window.page.keyboard.press("Escape");
    await window.run("Problems: Focus on Problems View");
    await window.page.locator(".markers-panel").getByText("[Ln 3, Col 13]").first().waitFor();
    await window.picture("problems");
  });

  test("an unknown field has no problem, and stays", async () => {
    const window = await openRequest();
    const runs = path.join(window.workspace, ".runforge/runs");
    const training = window.notification("Training");
    await window.pressLens("Run", async () => existsSync(runs) || (await training.isVisible()));
    await window.tab(/Run|RunForge/).waitFor();
    const text = await readFile(path.join(window.workspace, "request.json"), "utf8");
    assert.deepEqual(JSON.parse(text), REQUEST);
  });
});
