import assert from "node:assert/strict";
import { before, describe, test } from "node:test";
import { violations } from "../support/accessibility.ts";
import { inVsCode } from "../support/suite.ts";
import type { Window } from "../support/window.ts";
import { runforge, train } from "../support/workspaces.ts";

const THEMES = {
  light: "Light 2026",
  dark: "Dark 2026",
  "high contrast": "Default High Contrast",
  "high contrast light": "Default High Contrast Light",
};

/** The command that opens each page, what is chosen then, and what the page has. */
const PAGES: Record<string, [string, string[], string | RegExp]> = {
  run: ["Open Run", ["forest"], "Confusion matrix"],
  metrics: ["View Latest Metrics", [], /precision/i],
  importance: ["View Latest Feature Importance", [], "flipper_length_mm"],
  coefficients: ["View Latest Linear Coefficients", [], "flipper_length_mm"],
  interpretability: ["View Latest Interpretability Index", [], /linear_coefficients/],
  verification: ["Verify", ["linear"], /verified/i],
  dataset: ["Inspect Dataset", ["penguins.csv"], "bill_length_mm"],
  model: ["Inspect Model Artifact", ["linear"], "StandardScaler"],
  prediction: ["Predict", ["linear", "penguins.csv"], "Gentoo"],
  comparison: ["Compare", [], "Metrics compared"],
  sweep: ["", [], /C=0.1|best/i],
};

describe("pages", () => {
  const code = inVsCode({}, { share: true });
  let window: Window;

  before(async () => {
    const workspace = await code.server.workspace("pages", ["examples/penguins.csv"]);
    await train(workspace, "--name", "forest", "--model", "random_forest");
    await train(workspace, "--name", "linear");
    const grid = ["--grid", "C=0.1,1", "--name", "sweep"];
    const excluded = ["island", "sex", "year"].flatMap((column) => ["--exclude", column]);
    await runforge(workspace, "sweep", "penguins.csv", "--label", "species", ...excluded, ...grid);
    window = await code.server.open(workspace);
    await window.run("RunForge: Open Runs");
    await window.row("linear").waitFor();
  });

  for (const [name, [command, choices, text]] of Object.entries(PAGES)) {
    test(`of ${name} are without barriers in every theme`, async () => {
      await window.closeEditors();
      // A sweep is opened in the list.
      if (command) await window.run(`RunForge: ${command}`);
      else await window.menu("sweep", "Open Sweep");
      for (const choice of choices) await window.choose(choice);
      if (command === "Compare") await window.accept({ all: true });
      await window.webview.getByText(text).first().waitFor();
      const found: Record<string, string[]> = {};
      for (const [theme, label] of Object.entries(THEMES)) {
        await code.server.set({ "workbench.colorTheme": label });
        const style = /contrast/.test(theme) ? theme.replaceAll(" ", "-") : theme;
        await window.webview.locator(`body.vscode-${style}`).waitFor();
        await window.picture(`page ${name} ${theme}`);
        const wrong = await violations(window);
        if (wrong.length > 0) found[theme] = wrong;
      }
      assert.deepEqual(found, {});
      assert.deepEqual(window.refused, []);
    });
  }

  test("have buttons that the keyboard reaches", async () => {
    await window.closeEditors();
    await window.run("RunForge: Open Run");
    await window.choose("linear");
    const verify = window.webview.getByRole("button", { name: "Verify" });
    await window.bring(async () => {
      await verify.focus();
      await window.page.keyboard.press("Enter");
    }, window.tab("Verification"));
    assert.deepEqual(window.refused, []);
  });
});
