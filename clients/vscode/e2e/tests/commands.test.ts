import assert from "node:assert/strict";
import { readdir, readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { before, describe, test } from "node:test";
import { inVsCode } from "../support/suite.ts";
import type { Window } from "../support/window.ts";
import { train } from "../support/workspaces.ts";

const MANIFEST = path.resolve(import.meta.dirname, "../../package.json");

interface Manifest {
  contributes: {
    commands: { command: string; title: string; category: string }[];
    menus: { commandPalette: { command: string; when: string }[] };
  };
}

/** What each command of the palette shows, in a workspace with a forest and then a linear model. */
const SHOWS: Record<string, (window: Window) => Promise<void>> = {
  "Browse Runs": async (window) => {
    await window.choose(/linear/);
    await window.choose("View Diagnostics");
    await window.webview.getByText("MISSING_VALUES_DROPPED").first().waitFor();
  },
  "Cancel a Run": (window) => window.notified("Nothing is in progress."),
  "Clear the Filter": (window) => window.row(/forest/).waitFor(),
  Compare: async (window) => {
    await window.accept({ all: true });
    await window.tab("Compare 2 runs").waitFor();
    await window.webview.getByText("random_forest").first().waitFor();
  },
  "Create the Example Dataset": (window) => window.tab("penguins.csv").waitFor(),
  "Export Latest Run as Markdown": async (window) => {
    await window.saveAs("linear.md");
    await window.tab("linear.md").waitFor();
    const text = await readFile(path.join(window.workspace, "linear.md"), "utf8");
    assert.match(text, /^# /);
  },
  "Filter Runs": async (window) => {
    await window.choose("Conditions…");
    await window.fill("Conditions", "model=random_forest");
    await window.row(/forest/).waitFor();
    await window.row(/linear/).waitFor({ state: "detached" });
  },
  "First Steps": (window) => window.page.getByText("First steps with RunForge").first().waitFor(),
  "Group Runs": async (window) => {
    await window.choose("By model family");
    await window.row(/random_forest/).waitFor();
  },
  "Inspect Dataset": async (window) => {
    await window.choose("penguins.csv");
    await window.webview.getByText("bill_length_mm").first().waitFor();
  },
  "Inspect Model Artifact": async (window) => {
    await window.choose(/linear/);
    await window.webview.getByText("StandardScaler").first().waitFor();
  },
  "Install RunForge for Python": (window) => window.notified(/is installed in/),
  "Open Latest Run Metadata": (window) => window.tab("run.json").waitFor(),
  "Open Run": async (window) => {
    await window.choose(/forest/);
    await window.webview.getByText("Confusion matrix").first().waitFor();
  },
  "Open Runs": (window) => window.row(/forest/).waitFor(),
  Predict: async (window) => {
    await window.choose(/linear/);
    await window.choose("penguins.csv");
    await window.webview.getByText("Gentoo").first().waitFor();
  },
  Refresh: (window) => window.row(/forest/).waitFor(),
  "Recover Index": (window) => window.webview.getByText(/index/i).first().waitFor(),
  Report: async (window) => {
    await window.choose(/linear/);
    await window.saveAs("linear.html");
    await window.until(async () => (await readdir(window.workspace)).includes("linear.html"));
  },
  Reproduce: async (window) => {
    await window.choose(/linear/);
    await window.webview
      .getByText(/identical/i)
      .first()
      .waitFor();
  },
  "Rerun with Changes": async (window) => {
    await window.choose(/linear/);
    await window.choose("Seed");
    await window.fill("Seed", "7");
    await window.choose("Rerun");
    await window.webview.getByText("Repeats").waitFor();
  },
  "Restart the Server": (window) =>
    window.until(async () => (await window.server.runforge()).length > 0),
  "Show the Log": (window) => window.page.locator(".panel .output-view, .panel").first().waitFor(),
  "Sort Runs": async (window) => {
    await window.choose("accuracy");
    await window.row(/forest/).waitFor();
  },
  Sweep: async (window) => {
    await chooseData(window);
    await window.tick(window.option("C"));
    await window.accept();
    await window.fill("values of C", "0.1, 1");
    await window.fill("name of the sweep", "two values");
    const dialog = window.page.getByRole("dialog");
    await window.clickAway(dialog.getByRole("button", { name: "Train" }));
    await window.tab(/^Sweep/).waitFor();
    await window.webview.getByText("two values").first().waitFor();
  },
  Trace: async (window) => {
    await window.fill("Trace", "penguins.csv");
    await window.webview
      .getByText(/linear/)
      .first()
      .waitFor();
  },
  "Train (High Quality)": async (window) => {
    await chooseDataAgain(window);
    await window.webview.getByText("thorough").first().waitFor();
  },
  "Train (Standard)": async (window) => {
    await chooseDataAgain(window);
    await window.webview.getByText("balanced").first().waitFor();
  },
  "Train with Options": async (window) => {
    await chooseDataAgain(window);
    await window.choose("Model family");
    await window.choose("random_forest");
    await window.choose("n_estimators");
    await window.fill("n_estimators", "20");
    await window.choose("Train");
    await window.webview.getByText("Feature importances").first().waitFor();
  },
  Verify: async (window) => {
    await window.choose(/linear/);
    await window.webview
      .getByText(/verified/i)
      .first()
      .waitFor();
  },
  "Verify Everything": (window) =>
    window.webview
      .getByText(/verified/i)
      .first()
      .waitFor(),
  "View Latest Feature Importance": (window) =>
    window.webview.getByText("flipper_length_mm").first().waitFor(),
  "View Latest Interpretability Index": (window) =>
    window.webview.getByText("metrics.v1.json").first().waitFor(),
  "View Latest Linear Coefficients": (window) =>
    window.webview.getByText("flipper_length_mm").first().waitFor(),
  "View Latest Metrics": (window) =>
    window.webview
      .getByText(/precision/i)
      .first()
      .waitFor(),
  // The last one: from now on the dataset has a recipe.
  "Prepare Dataset": async (window) => {
    await window.choose("penguins.csv");
    await window.choose("species");
    await window.tab("penguins.recipe.json").waitFor();
    const recipe = path.join(window.workspace, "penguins.recipe.json");
    assert.match(await readFile(recipe, "utf8"), /"categories": \[\s*"Biscoe"/);
    await window.closeEditors();
    await window.run("RunForge: Train (Standard)");
    await chooseDataAgain(window);
    await window.webview.getByText("penguins.recipe.json").first().waitFor();
    await window.closeEditors();
    // It is asked for anew, and refused.
    await window.run("RunForge: Train (Standard)");
    await window.choose("penguins.csv");
    await window.choose("Choose the columns again…");
    await window.choose("Without a recipe");
    await window.choose("species");
    await window.accept();
    await window.webview.getByText("Confusion matrix").first().waitFor();
    await window.closeEditors();
    // What is there is opened, and not replaced; its mistakes are marked.
    const changed = (await readFile(recipe, "utf8")).replace('"one_hot"', '"one_hut"');
    await writeFile(recipe, changed);
    await window.run("RunForge: Prepare Dataset");
    await window.choose("penguins.csv");
    await window.notified(/was there already/);
    await window.page.locator(".squiggly-warning, .squiggly-error").first().waitFor();
    assert.equal(await readFile(recipe, "utf8"), changed);
  },
};

async function chooseData(window: Window): Promise<void> {
  await window.choose("penguins.csv");
  await window.choose("species");
  await window.accept();
}

/** The columns of a dataset are remembered. */
async function chooseDataAgain(window: Window): Promise<void> {
  await window.choose("penguins.csv");
  await window.choose("Label species");
}

describe("commands", async () => {
  const code = inVsCode({}, { share: true });
  const { contributes } = JSON.parse(await readFile(MANIFEST, "utf8")) as Manifest;
  const hidden = contributes.menus.commandPalette.filter(({ when }) => when === "false");
  const titles = contributes.commands
    .filter(({ command }) => !hidden.some((one) => one.command === command))
    .map(({ title }) => title);
  let window: Window;

  before(async () => {
    const workspace = await code.server.workspace("commands", ["examples/penguins.csv"]);
    await train(workspace, "--name", "forest", "--model", "random_forest");
    await train(workspace, "--name", "linear");
    window = await code.server.open(workspace);
    await window.run("RunForge: Open Runs");
    await window.row(/forest/).waitFor();
  });

  test("every command of the palette is tried", () => {
    assert.deepEqual(Object.keys(SHOWS).sort(), titles.sort());
  });

  for (const title of Object.keys(SHOWS)) {
    test(`RunForge: ${title}`, async () => {
      await window.closeEditors();
      await window.run(`RunForge: ${title}`);
      await SHOWS[title]!(window);
      await window.picture(`command ${title}`);
      assert.deepEqual(window.refused, []);
      assert.deepEqual(code.server.foreign, []);
    });
  }
});
