// The pages of runs: one run, a comparison, a sweep.
import * as vscode from "vscode";
import type { App } from "../app.ts";
import { runPage } from "../pages/document-pages.ts";
import type { Action, Message } from "../pages/html.ts";

const TITLES: Readonly<Record<string, string>> = {
  rerun: "Rerun with Changes",
  compare: "Compare",
  verify: "Verify",
  reproduce: "Reproduce",
  predict: "Predict",
  report: "Save as a File",
  openMetadata: "Metadata",
  inspectModelArtifact: "Model File",
};

/** What buttons and links of pages may do: these commands and no others. */
const ALLOWED = new Set([
  ...Object.keys(TITLES),
  "openRun",
  "openFile",
  "trainStandard",
  "viewMetrics",
  "viewImportance",
  "viewCoefficients",
]);

/** Do what a button or link of a page asks. */
export function act(message: Message): void {
  const { action } = message;
  if (ALLOWED.has(action)) void vscode.commands.executeCommand(`runforge.${action}`, message);
}

/** Show the page of a run, first without the curves, whose computation needs the model. */
export async function openRun(app: App, run: string): Promise<void> {
  if (!vscode.workspace.isTrusted) {
    const shown = await app.needSource().request("show", { run });
    app.panels.show(`run:${shown.run_id}`, runPage(shown), act);
    return;
  }
  const session = app.session();
  const loading = { location: vscode.ProgressLocation.Window, title: "RunForge: reading the run" };
  const quick = await vscode.window.withProgress(loading, () =>
    session.request("report", { runs: [run], model: false }),
  );
  const id = quick.runs[0] ?? run;
  const key = `run:${id}`;
  const withCurves = app.setting("reportCurves", true);
  const status = withCurves ? "Computing the curves…" : undefined;
  const seen = app.panels.showReport(key, `Run ${id}`, quick.html, actionsOf(id), act, status);
  // The computation would delay the page itself.
  if (!withCurves || !(await seen)) return;
  try {
    const whole = await session.request("report", { runs: [id] });
    app.panels.renew(key, whole.html, actionsOf(id));
  } catch (error) {
    // Without what it says is still going on.
    app.panels.renew(key, quick.html, actionsOf(id));
    throw error;
  }
}

/** Show what differs between runs; the first one is the baseline. */
export async function openComparison(app: App, runs: readonly string[]): Promise<void> {
  const { html } = await app.session().request("report", {
    runs: [...runs],
    model: app.setting("reportCurves", true),
  });
  const actions = runs.slice(0, 8).map(
    (run, at): Action => ({
      // The report has letters for the runs, in this order.
      label: `Open ${String.fromCharCode(65 + at)}`,
      message: { action: "openRun", run },
    }),
  );
  void app.panels.showReport(
    `compare:${runs.join()}`,
    `Compare ${runs.length} runs`,
    html,
    actions,
    act,
  );
}

function actionsOf(run: string): Action[] {
  return Object.entries(TITLES).map(([action, label]) => ({ label, message: { action, run } }));
}
