// Commands that show, check and use runs.

import { relative } from "node:path";
import * as vscode from "vscode";
import type { App, RunArgument } from "../app.ts";
import { failureOf, Refusal } from "../failures.ts";
import { membersOf, textOf } from "../forms.ts";
import { showProgress, showWarning } from "../notices.ts";
import {
  artifactPage,
  coefficientsPage,
  datasetPage,
  diagnosticsPage,
  importancePage,
  interpretabilityPage,
  metricsPage,
  predictionPage,
  predictionsCsv,
  reproductionPage,
  tracePage,
  verificationPage,
} from "../pages/document-pages.ts";
import type { Message } from "../pages/html.ts";
import type { RunRow, SweepRow } from "../runs/run-rows.ts";
import { chooseDataset, inspect, recall } from "./dataset-choice.ts";
import { askChoice, askInput } from "./questions.ts";
import { chooseRun, chooseRuns, inOrder, runItems, runOf } from "./run-choice.ts";
import { act, openComparison, openRun } from "./run-pages.ts";
import { openSweep } from "./sweep-page.ts";

export function registerRuns(app: App): void {
  app.command("openSweep", ({ id }: Pick<SweepRow, "id">) => openSweep(app, id));
  app.command("openRun", async (argument: RunArgument) => {
    const run = await chooseRun(app, argument, "RunForge: Open Run");
    if (run) await openRun(app, run);
  });
  app.command("openRuns", () => vscode.commands.executeCommand("runforge.runs.focus"));
  app.command("browseRuns", () => browse(app));
  app.command("openLatestRunMetadata", () => openMetadata(app, "latest"));
  app.command("openMetadata", async (argument: RunArgument) => {
    const run = await chooseRun(app, argument, "RunForge: Open Metadata");
    if (run) await openMetadata(app, run);
  });
  app.command("viewLatestMetrics", () => viewMetrics(app));
  app.command("viewLatestFeatureImportance", () => viewImportance(app));
  app.command("viewLatestLinearCoefficients", () => viewCoefficients(app));
  app.command("viewLatestInterpretabilityIndex", () => viewInterpretability(app));
  app.command("viewMetrics", (run: RunArgument) => viewMetrics(app, runOf(run)));
  app.command("viewImportance", (run: RunArgument) => viewImportance(app, runOf(run)));
  app.command("viewCoefficients", (run: RunArgument) => viewCoefficients(app, runOf(run)));
  app.command("viewDiagnostics", async (argument: RunArgument) => {
    const run = await chooseRun(app, argument, "RunForge: Diagnostics");
    if (!run) return;
    const document = await app.session().request("diagnostics", { run });
    app.panels.show(`diagnostics:${run}`, diagnosticsPage(document), act);
  });
  app.command("inspectDataset", (start: vscode.Uri | undefined) => inspectDataset(app, start));
  app.command("inspectModelArtifact", (given: vscode.Uri | RunArgument) =>
    inspectModel(app, given),
  );
  app.command("verify", async (argument: RunArgument, all: unknown) => {
    const selected = selectedRuns(all).map(({ id }) => id);
    if (selected.length > 1) return verify(app, selected);
    const run = await chooseRun(app, argument, "RunForge: Verify");
    if (run) await verify(app, [run]);
  });
  app.command("verifyAll", () => verify(app));
  app.command("reproduce", (argument: RunArgument) => reproduce(app, argument));
  app.command("compare", (first: RunArgument, all: unknown) => compare(app, first, all));
  app.command("predict", (argument: RunArgument) => predict(app, argument));
  app.command("report", async (argument: RunArgument) => {
    const run = await chooseRun(app, argument, "RunForge: Report");
    if (run) await saveReport(app, run, "html");
  });
  app.command("exportLatestRunMarkdown", () => saveReport(app, "latest", "md"));
  app.command("trace", (given: vscode.Uri | undefined) => trace(app, given));
  app.command("copyRunId", async (argument: RunArgument) => {
    const run = await chooseRun(app, argument, "RunForge: Copy Run Id");
    if (run) await vscode.env.clipboard.writeText(run);
  });
  app.command("copyFingerprint", async (argument: RunArgument) => {
    const run = await chooseRun(app, argument, "RunForge: Copy Dataset Fingerprint");
    if (run) await copyFingerprint(app, run);
  });
  app.command("revealFolder", async (argument: RunArgument) => {
    const run = await chooseRun(app, argument, "RunForge: Reveal Run Folder");
    if (!run) return;
    const { run_dir } = await app.needSource().request("show", { run });
    await vscode.commands.executeCommand("revealInExplorer", vscode.Uri.file(app.path(run_dir)));
  });
  app.command("openFile", async ({ run, file }: Message) => {
    const { run_dir } = await app.needSource().request("show", { run: String(run) });
    const folder = app.path(run_dir);
    const uri = vscode.Uri.joinPath(vscode.Uri.file(folder), String(file));
    // A document names the file, and it may name any.
    if (relative(folder, uri.fsPath).startsWith(".."))
      throw new Refusal("It is no file of the run.");
    await vscode.window.showTextDocument(uri);
  });
}

/** Choose a run, then what to do with it. */
async function browse(app: App): Promise<void> {
  const { items, note } = await runItems(app);
  const chosen = await askChoice(items, {
    title: "RunForge: Browse Runs",
    placeHolder: `Newest first${note}`,
    matchOnDescription: true,
    matchOnDetail: true,
  });
  if (!chosen) return;
  const actions: readonly (readonly [string, string])[] = [
    ["Open Run Summary", "openRun"],
    ["View Diagnostics", "viewDiagnostics"],
    ["Inspect Model Artifact", "inspectModelArtifact"],
    ["Copy Dataset Fingerprint", "copyFingerprint"],
    ["Open Metadata", "openMetadata"],
    ["Rerun with Changes", "rerun"],
    ["Verify", "verify"],
    ["Reproduce", "reproduce"],
  ];
  const action = await askChoice(
    actions.map(([title, command]) => ({ label: title, command })),
    { title: `RunForge: ${chosen.label}` },
  );
  if (action) await vscode.commands.executeCommand(`runforge.${action.command}`, chosen.row);
}

/** Open `run.json`, else the first document that there is. */
async function openMetadata(app: App, run: string): Promise<void> {
  const shown = await app.needSource().request("show", { run });
  const file = shown.run ? "run.json" : shown.config ? "config.yaml" : "request.json";
  const uri = vscode.Uri.joinPath(vscode.Uri.file(app.path(shown.run_dir)), file);
  await vscode.window.showTextDocument(uri, { preview: true });
}

async function viewMetrics(app: App, run?: string): Promise<void> {
  const { document, lead } = await latest(app, "metrics", run);
  app.panels.show(`metrics:${lead}`, metricsPage(document, lead), act);
}

async function viewImportance(app: App, run?: string): Promise<void> {
  const { document, lead } = await latest(app, "importance", run);
  app.panels.show(`importance:${lead}`, importancePage(document, lead), act);
}

async function viewCoefficients(app: App, run?: string): Promise<void> {
  const { document, lead } = await latest(app, "coefficients", run);
  app.panels.show(`coefficients:${lead}`, coefficientsPage(document, lead), act);
}

async function viewInterpretability(app: App): Promise<void> {
  const { document, lead } = await latest(app, "interpretability", undefined);
  app.panels.show(`interpretability:${lead}`, interpretabilityPage(document), act);
}

/** How many runs are asked for a document before the server says that there is none. */
const MOST_ASKED = 200;

/** Ask for a document of a run, or of the latest run that has one. */
async function latest<
  Method extends "metrics" | "importance" | "coefficients" | "interpretability",
>(app: App, method: Method, run: string | undefined) {
  const source = app.needSource();
  const runs =
    run === undefined
      ? (await source.request("list", { limit: MOST_ASKED })).runs.map(({ run_id }) => run_id)
      : [];
  for (const id of runs)
    try {
      return { document: await source.request(method, { run: id }), lead: `Run ${id}` };
    } catch (error) {
      if (!isLacking(error)) throw error;
    }
  const document = await source.request(method, run === undefined ? {} : { run });
  return { document, lead: run === undefined ? "The latest run" : `Run ${run}` };
}

/** Whether a run simply does not have what was asked for. */
function isLacking(error: unknown): boolean {
  return error instanceof Refusal || failureOf(error).code === "ARTIFACT_NOT_FOUND";
}

async function inspectDataset(app: App, start: vscode.Uri | undefined): Promise<void> {
  const dataset = await chooseDataset(app, start, { title: "RunForge: Inspect Dataset" });
  if (dataset === undefined) return;
  const { columns } = await inspect(app, dataset);
  const before = recall(app, dataset);
  const setting = before?.label ?? app.setting("label", "");
  const label = columns.some((one) => one.name === setting) ? setting : undefined;
  const document = await app.session().request("inspect", {
    dataset,
    ...(label ? { label } : {}),
    ...(before && label ? { exclude: [...before.exclude] } : {}),
  });
  app.panels.show(`dataset:${dataset}`, datasetPage(document), act);
}

async function inspectModel(app: App, given: vscode.Uri | RunArgument): Promise<void> {
  const model =
    given instanceof vscode.Uri
      ? given.fsPath
      : await chooseRun(app, given, "RunForge: Inspect Model Artifact");
  if (model === undefined) return;
  const document = await app.session().request("inspectArtifact", { model });
  app.panels.show(`model:${document.artifact_path}`, artifactPage(document), act);
}

async function verify(app: App, runs?: string[]): Promise<void> {
  const document = await busy(app, "Verifying", (signal) =>
    app.session().request("verify", runs ? { runs } : {}, { signal }),
  );
  app.panels.show(`verify:${runs?.join() ?? "all"}`, verificationPage(document), act);
}

async function reproduce(app: App, argument: RunArgument): Promise<void> {
  const run = await chooseRun(app, argument, "RunForge: Reproduce");
  if (!run) return;
  const document = await busy(app, `Training ${run} again from its record`, (signal, report) =>
    app
      .session()
      .request("reproduce", { run }, { signal, onProgress: ({ message }) => report(message) }),
  );
  app.panels.show(`reproduce:${run}`, reproductionPage(document), act);
}

/** Return the runs among the rows that are selected in the list, which a menu passes on. */
function selectedRuns(all: unknown): RunRow[] {
  return Array.isArray(all) ? (all as RunRow[]).filter(({ kind }) => kind === "run") : [];
}

/** How many runs a report compares. */
const MOST_COMPARED = 100;

/** Compare the selected runs; with fewer than two, ask for the others. The oldest is the baseline. */
async function compare(app: App, first: RunArgument, all: unknown): Promise<void> {
  let runs: string[] | undefined = inOrder(selectedRuns(all));
  const given = runOf(first);
  if (runs.length < 2 && given !== undefined) {
    const { items, note } = await runItems(app);
    const others = await askChoice(
      items.filter(({ row }) => row.id !== given),
      {
        title: `RunForge: Compare ${given} with`,
        placeHolder: `One or more runs${note}`,
        canPickMany: true,
        matchOnDescription: true,
        matchOnDetail: true,
      },
    );
    const own = items.find(({ row }) => row.id === given)?.row;
    const rows = others?.map(({ row }) => row);
    // A run that the list does not reach is older than those that it has.
    runs = rows && (own ? inOrder([own, ...rows]) : [given, ...inOrder(rows)]);
  } else if (runs.length < 2) runs = await chooseRuns(app, "RunForge: Compare");
  if (!runs) return;
  if (runs.length < 2) throw new Refusal("Choose two or more runs to compare.");
  if (runs.length > MOST_COMPARED)
    void showWarning(
      `${runs.length} runs were chosen; the first ${MOST_COMPARED} of them are compared, the oldest ones.`,
    );
  await openComparison(app, runs.slice(0, MOST_COMPARED));
}

async function predict(app: App, argument: RunArgument): Promise<void> {
  const run = await chooseRun(app, argument, "RunForge: Predict with");
  if (!run) return;
  const data = await chooseDataset(app, undefined, { title: "RunForge: Predict for", ask: true });
  if (!data) return;
  const document = await busy(app, "Predicting", (signal) =>
    app.session().request("predict", { model: run, data }, { signal }),
  );
  app.panels.show(`predict:${run}:${data}`, predictionPage(document, data), (message) => {
    if (message.action === "savePredictions")
      void app.attempt(() =>
        save(app, `${run}-predictions.csv`, predictionsCsv(document), { CSV: ["csv"] }),
      );
    else act(message);
  });
}

async function saveReport(app: App, run: string, form: "html" | "md"): Promise<void> {
  const report = await busy(app, "Writing the report", (signal) =>
    app
      .session()
      .request(
        "report",
        { runs: [run], markdown: form === "md", model: app.setting("reportCurves", true) },
        { signal },
      ),
  );
  const text = form === "md" ? (report.markdown ?? "") : report.html;
  const filters = form === "md" ? { Markdown: ["md"] } : { HTML: ["html"] };
  const saved = await save(app, `${report.runs[0] ?? run}.${form}`, text, filters);
  if (saved && form === "md") await vscode.window.showTextDocument(saved);
}

/** Ask where to save a file, and write it there. */
async function save(
  app: App,
  name: string,
  text: string,
  filters: Record<string, string[]>,
): Promise<vscode.Uri | undefined> {
  const { folder } = app;
  const uri = await vscode.window.showSaveDialog({
    ...(folder ? { defaultUri: vscode.Uri.joinPath(folder.uri, name) } : {}),
    filters,
  });
  if (uri) await vscode.workspace.fs.writeFile(uri, new TextEncoder().encode(text));
  return uri;
}

async function trace(app: App, given: vscode.Uri | undefined): Promise<void> {
  const what =
    given instanceof vscode.Uri
      ? given.fsPath
      : await askInput({
          title: "RunForge: Trace",
          prompt:
            "A run, the path of a model, another artifact or a dataset, or eight or more digits of its SHA-256",
        });
  if (!what) return;
  const document = await app.session().request("trace", { what });
  app.panels.show(`trace:${what}`, tracePage(document, what), act);
}

async function copyFingerprint(app: App, run: string): Promise<void> {
  const { run: record } = await app.needSource().request("show", { run });
  const fingerprint = textOf(membersOf(record?.["dataset"])["fingerprint_sha256"]);
  if (!fingerprint) throw new Refusal(`The run ${run} has no dataset fingerprint.`);
  await vscode.env.clipboard.writeText(fingerprint);
  vscode.window.setStatusBarMessage("RunForge: fingerprint copied", 5000);
}

/** Run a request that takes a while, with a notification that can cancel it. */
async function busy<Result>(
  app: App,
  title: string,
  work: (signal: AbortSignal, report: (text: string) => void) => Promise<Result>,
): Promise<Result> {
  const stop = new AbortController();
  app.others += 1;
  try {
    return await showProgress(`RunForge: ${title}`, stop, (report) => work(stop.signal, report));
  } finally {
    app.others -= 1;
  }
}
