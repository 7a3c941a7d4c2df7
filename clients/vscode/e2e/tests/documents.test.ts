import assert from "node:assert/strict";
import { readdir, readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { describe, test } from "node:test";
import { inVsCode } from "../support/suite.ts";
import { runforge, train } from "../support/workspaces.ts";

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
    const meaning = window.page.getByText("A named set of hyperparameters").first();
    await window.bring(async () => {
      await line.getByText('"label_column"').hover();
      await line.getByText('"preset"').hover();
    }, meaning);
    await window.picture("hover");
    const wrong = line.getByText('"balancd"');
    await window.bring(() => wrong.dblclick(), window.page.locator(".selected-text").first());
    await window.page.keyboard.press("Delete");
    const suggestion = window.page.locator(".suggest-widget").getByText("thorough").first();
    await window.bring(async () => {
      await window.page.keyboard.press("Escape");
      await window.page.keyboard.press("Control+Space");
    }, suggestion);
    await window.page.keyboard.press("Escape");
    await window.run("Problems: Focus on Problems View");
    await window.page.locator(".markers-panel").getByText("[Ln 3, Col 13]").first().waitFor();
    await window.picture("problems");
  });

  test("an unknown field has no problem, and stays", async () => {
    const window = await openRequest();
    await window.clickLens("Run", "Training: request.json");
    await window.tab(/^Run /).waitFor();
    const runs = await readdir(path.join(window.workspace, ".runforge/runs"));
    assert.equal(runs.length, 1);
    const text = await readFile(path.join(window.workspace, "request.json"), "utf8");
    assert.deepEqual(JSON.parse(text), REQUEST);
  });

  test("a request is changed by choosing, and keeps the unknown field", async () => {
    const window = await openRequest();
    const lens = window.page.locator(".codelens-decoration").getByText("Change", { exact: true });
    await window.click(lens, window.option("n_estimators"));
    await window.choose("n_estimators");
    await window.fill("n_estimators", "20");
    await window.choose("Change");
    await window.page.locator(".view-line").getByText('"n_estimators"').waitFor();
    await window.page.keyboard.press("Control+s");
    const file = path.join(window.workspace, "request.json");
    const { model, ...others } = REQUEST;
    await window.until(async () => (await readFile(file, "utf8")).includes("n_estimators"));
    assert.deepEqual(JSON.parse(await readFile(file, "utf8")), {
      ...others,
      model: { ...model, hyperparameters: { n_estimators: 20 } },
    });
  });
});

describe("the record of a run", () => {
  const code = inVsCode();

  test("has lenses that validate it, open its run and train again", async () => {
    const workspace = await code.server.workspace("record", ["examples/penguins.csv"]);
    const run = await train(workspace, "--name", "recorded");
    const window = await code.server.open(workspace);
    await window.openFile(`.runforge/runs/${run}/run.json`);
    const lens = (title: string) =>
      window.page.locator(".codelens-decoration").getByText(title, { exact: true });
    await window.click(lens("Validate"), window.notification("run.json is a valid run.v0.4.0."));
    await window.click(lens("Rerun"), window.option("Rerun"));
    await window.page.keyboard.press("Escape");
    await window.click(lens("Open Run"), window.webview.getByText("Confusion matrix").first());
  });
});

describe("experiments", () => {
  const code = inVsCode();

  test("are repeated from the list, in a terminal", async () => {
    const workspace = await code.server.workspace("experiments");
    await runforge(workspace, "experiment", "init");
    const window = await code.server.open(workspace);
    await window.openFile("experiments/exp-001.yaml");
    await window.clickLens("Run", "Experiment: experiments/exp-001.yaml");
    await window.run("RunForge: Open Runs");
    const runs = async () => (await readdir(path.join(workspace, "runs")).catch(() => [])).length;
    await window.until(async () => (await runs()) === 1);
    await window.row(/exp-001.*accuracy/).waitFor();
    await window.menu("exp-001", "Rerun");
    await window.until(async () => (await runs()) === 2);
  });
});
