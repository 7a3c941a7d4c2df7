// Train, rerun, sweep and cancel.

import { setTimeout } from "node:timers/promises";
import type {
  Json,
  ProgressParams,
  RequestV1,
  RunEntry,
  RunOutcome,
  ServeMethods,
} from "@runforge/client";
import type { RequestOptions } from "@runforge/client/serve";
import * as vscode from "vscode";
import type { App, RunArgument, Training } from "../app.ts";
import { failureOf, isCancelled, ofBody, printable } from "../failures.ts";
import { objectsOf, textOf, written } from "../forms.ts";
import { showInfo, showProgress } from "../notices.ts";
import type { Message } from "../pages/html.ts";
import {
  type Hyperparameter,
  progressText,
  type Remembered,
  rangeText,
  readSeeds,
  readValue,
  readValues,
} from "../training/choices.ts";
import { chooseColumns, chooseDataset, label, prepareDataset } from "./dataset-choice.ts";
import { askChoice, askFirst, askInput } from "./questions.ts";
import { chooseRun, runOf } from "./run-choice.ts";
import { openRun } from "./run-pages.ts";
import { openSweep } from "./sweep-page.ts";

type TrainParams = ServeMethods["train"]["params"];
type RerunParams = ServeMethods["rerun"]["params"];
type Preset = NonNullable<TrainParams["preset"]>;
type Family = NonNullable<TrainParams["model"]>;
/** What can be chosen for a training beside the data. */
type Options = Omit<TrainParams, keyof Data>;
/** The dataset, and what of it is used. */
type Data = Pick<TrainParams, "dataset" | "label" | "exclude" | "recipe">;
type Start = vscode.Uri | Message | undefined;

export function registerTraining(app: App): void {
  app.command("trainStandard", (start: Start) => train(app, start, { preset: "balanced" }));
  app.command("trainHighQuality", (start: Start) => train(app, start, { preset: "thorough" }));
  app.command("prepareDataset", (uri?: vscode.Uri) => prepareDataset(app, uri));
  app.command("train", (start: Start) => trainWithOptions(app, start));
  app.command("rerun", (run: RunArgument) => rerunWithChanges(app, run));
  app.command("rerunUnchanged", (run: RunArgument) => rerunUnchanged(app, run));
  app.command("sweep", (start: Start) => sweep(app, start));
  app.command("resumeSweep", ({ id }: { id: string }) =>
    sweepNow(app, { resume: id, retry_failed: true }),
  );
  app.command("cancel", (run: RunArgument) => cancel(app, run));
}

/** Choose data, then train with the settings of the user. */
async function train(app: App, start: Start, options: Options, ask = false): Promise<void> {
  const data = await chooseData(app, start, ask);
  if (data) await trainOn(app, { ...defaults(app), ...options, ...data });
}

async function trainWithOptions(app: App, start: Start): Promise<void> {
  const data = await chooseData(app, start, false);
  if (!data) return;
  const first: Options = { preset: "balanced", ...defaults(app) };
  const options = await chooseOptions(app, "Train", first);
  if (options) await trainOn(app, { ...options, ...data });
}

async function chooseData(app: App, start: Start, ask: boolean): Promise<Data | undefined> {
  const message = start instanceof vscode.Uri ? undefined : start;
  const given = start instanceof vscode.Uri ? start : textOf(message?.["dataset"]);
  const dataset = await chooseDataset(app, given, { title: "RunForge: Train on" });
  if (dataset === undefined) return undefined;
  const columns = await chooseColumns(app, dataset, { label: textOf(message?.["label"]), ask });
  return columns && dataOf(dataset, columns);
}

function dataOf(dataset: string, { label: column, exclude, recipe }: Remembered): Data {
  return { dataset, label: column, exclude: [...exclude], ...(recipe ? { recipe } : {}) };
}

/** The settings of the user; what they leave open is left to the engine. */
function defaults(app: App): Options {
  const profile = app.setting("profile", "");
  return {
    model: app.setting<Family>("modelFamily", "logistic_regression"),
    ...(profile ? { profile } : {}),
    seed: app.setting("seed", 42),
    ...privacy(app),
  };
}

/** What every request that trains says of the records that it makes. */
function privacy(app: App): { private?: true } {
  return app.setting("private", false) ? { private: true } : {};
}

async function trainOn(app: App, params: TrainParams): Promise<void> {
  const again = (ask: "columns" | "dataset") => async () => {
    const dataset =
      ask === "dataset" ? await chooseDataset(app, undefined, { ask: true }) : params.dataset;
    if (dataset === undefined) return;
    const columns = await chooseColumns(app, dataset, { ask: ask === "columns" });
    const { recipe: _, ...options } = params;
    if (columns) await trainOn(app, { ...options, ...dataOf(dataset, columns) });
  };
  await execute(app, `Training on ${params.dataset}`, again, (options) =>
    app.session().request("train", params, options),
  );
}

/** Train again with the same settings, after a look at whether the user meant it. */
async function rerunUnchanged(app: App, argument: RunArgument): Promise<void> {
  const run = await chooseRun(app, argument, "RunForge: Rerun");
  if (!run) return;
  const { run_dir, config } = await app.session().request("show", { run });
  // The configuration of an experiment is what repeats it.
  const file = vscode.Uri.joinPath(vscode.Uri.file(app.path(run_dir)), "config.yaml");
  await (config ? runExperiment(app, file) : rerunOf(app, { run }));
}

async function rerunWithChanges(app: App, argument: RunArgument): Promise<void> {
  const run = await chooseRun(app, argument, "RunForge: Rerun with Changes");
  if (!run) return;
  const { run: record, request } = await app.session().request("show", { run });
  const recorded = (record ?? request ?? {}) as Record<string, unknown>;
  const requested = (request ?? {}) as Record<string, unknown>;
  const requestedModel = (requested["model"] ?? {}) as Record<string, unknown>;
  const first: Options = {
    preset: (requested["preset"] ?? "balanced") as Preset,
    model: (recorded["model_family"] ?? requestedModel["family"]) as Family,
    ...(typeof requested["profile"] === "string" ? { profile: requested["profile"] } : {}),
    ...(typeof recorded["seed"] === "number" ? { seed: recorded["seed"] } : {}),
  };
  const own = (requestedModel["hyperparameters"] ?? {}) as Record<string, unknown>;
  const kept = new Map<string, Kept>();
  for (const { name, value } of objectsOf(recorded["hyperparameters"]))
    kept.set(written(name), { value, from: "from the preset or the model" });
  for (const [name, value] of Object.entries(own)) kept.set(name, { value, from: "as recorded" });
  const options = await chooseOptions(app, "Rerun", first, kept);
  if (options) await rerunOf(app, { run, ...changed(first, options) });
}

/** A hyperparameter of a run that is repeated: it stays unless another value is chosen. */
interface Kept {
  readonly value: unknown;
  readonly from: string;
}

/** Return the options that are not as they were: what is not named stays as recorded. */
function changed(first: Options, options: Options): Options {
  const same = (one: unknown, other: unknown) => JSON.stringify(one) === JSON.stringify(other);
  return Object.fromEntries(
    Object.entries(options).filter(([name, value]) => !same(value, first[name as keyof Options])),
  );
}

/** Let the user choose what to change in a request; returns values by JSON Pointer, undefined to remove one. */
export async function chooseChanges(
  app: App,
  request: RequestV1,
): Promise<Record<string, Json | undefined> | undefined> {
  const { preset, seed, profile, name, tags, notes, model } = request;
  const first = {
    preset,
    model: model.family,
    hyperparameters: { ...model.hyperparameters },
    ...definedOf({ seed, profile, name, tags, notes }),
  } as Options;
  const options = await chooseOptions(app, "Change", first);
  if (!options) return undefined;
  const after: Options = { hyperparameters: {}, ...options };
  const changes: Record<string, Json | undefined> = {};
  for (const option of Object.keys({ ...first, ...after })) {
    const [before, now] = [first, after].map((all) => all[option as keyof Options] as Json);
    if (JSON.stringify(before) !== JSON.stringify(now))
      changes[POINTERS[option] ?? `/${option}`] = now;
  }
  return changes;
}

/** Where a request has an option that it does not call by its name. */
const POINTERS: Readonly<Record<string, string>> = {
  model: "/model/family",
  hyperparameters: "/model/hyperparameters",
};

function definedOf(members: object): object {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined));
}

async function rerunOf(app: App, params: RerunParams): Promise<void> {
  const again = (ask: "columns" | "dataset") => async () => {
    if (ask === "dataset") {
      const dataset = await chooseDataset(app, undefined, { ask: true });
      if (dataset) await rerunOf(app, { ...params, dataset });
      return;
    }
    await train(app, undefined, {}, true);
  };
  await execute(app, `Training again: ${params.run}`, again, (options) =>
    app.session().request("rerun", { ...privacy(app), ...params }, options),
  );
}

/** Execute a document that the editor shows. */
export async function runRequest(app: App, uri: vscode.Uri): Promise<void> {
  const path = app.named(uri);
  const again = () => () => vscode.commands.executeCommand("runforge.validateDocument");
  await execute(app, `Training: ${path}`, again, (options) =>
    app.session().request("run", { ...privacy(app), path }, options),
  );
}

/** Execute an experiment in a terminal: its script prints what it likes, and may ask. */
export async function runExperiment(app: App, uri: vscode.Uri): Promise<void> {
  const session = app.session();
  app.output.info(`Experiment: ${app.named(uri)}`);
  await session.start();
  const python = session.interpreter?.path ?? "python";
  const asked = privacy(app).private ? ["--private"] : [];
  const args = ["-P", "-m", "runforge_cli", "experiment", "run", ...asked, uri.fsPath];
  const task = new vscode.Task(
    { type: "runforge" },
    app.folder ?? vscode.TaskScope.Workspace,
    `experiment ${uri.path.split("/").at(-1)}`,
    "RunForge",
    new vscode.ProcessExecution(python, args, { cwd: app.path("") }),
  );
  await vscode.tasks.executeTask(task);
}

/** Show the progress of a training, and open the run or say why it failed when it has ended. */
async function execute(
  app: App,
  title: string,
  again: (ask: "columns" | "dataset") => () => unknown,
  start: (options: RequestOptions) => Promise<RunOutcome>,
): Promise<void> {
  const remedies = {
    again: () => execute(app, title, again, start),
    exclude: again("columns"),
    label: again("columns"),
    dataset: again("dataset"),
  };
  let outcome: RunOutcome;
  try {
    outcome = await inProgress(app, title, start);
  } catch (error) {
    app.report(error, remedies);
    return;
  }
  const { run_id: run, status, result } = outcome;
  app.output.info(`Run ${run}: ${status}`);
  if (status === "failed") {
    const failure = ofBody(result.error ?? { message: `The run ${run} has failed.` });
    app.reportFailure(failure, remedies, { "Open Run": () => openRun(app, run) });
  } else if (status === "cancelled") {
    void showInfo(`The run ${run} was cancelled; it is recorded.`);
  } else {
    vscode.window.setStatusBarMessage(`$(pass) RunForge: run ${run} succeeded`, 10_000);
    if (app.setting("openRunWhenDone", true)) await openRun(app, run);
  }
}

/** Run a request with a notification that can cancel it, and with the text of the status bar. */
async function inProgress<Result>(
  app: App,
  title: string,
  start: (options: RequestOptions) => Promise<Result>,
): Promise<Result> {
  const training: Training = {
    title: label(title),
    stop: new AbortController(),
    runId: undefined,
    groupId: undefined,
    text: "Starting",
  };
  app.trainings.add(training);
  app.showTrainings();
  app.output.info(title);
  try {
    return await showProgress(training.title, training.stop, (report) => {
      let stage = "";
      let shown = 0;
      const onProgress = (progress: ProgressParams) => {
        training.groupId = progress.group_id ?? training.groupId;
        // A sweep is cancelled as a whole, and each of its runs alone.
        if (training.groupId === undefined) training.runId = progress.run_id ?? training.runId;
        training.text = progressText(progress);
        if (progress.stage !== stage) app.output.info(progress.message);
        // The bar of the notification is that of the stage.
        const done = Math.round((progress.fraction ?? 0) * 100);
        const increment = progress.stage === stage ? Math.max(0, done - shown) : done - shown;
        stage = progress.stage;
        shown = done;
        report(training.text, increment);
        app.showTrainings();
      };
      return start({
        signal: training.stop.signal,
        onProgress,
        onWarning: ({ message }) => app.output.warn(message),
      });
    });
  } finally {
    app.trainings.delete(training);
    app.showTrainings();
  }
}

/** Cancel a training of this window, or a run that another client has started. */
async function cancel(app: App, argument: RunArgument): Promise<void> {
  const named = runOf(argument);
  const own = [...app.trainings];
  const mine = named === undefined ? undefined : own.find((one) => one.runId === named);
  if (mine) return mine.stop.abort();
  if (named !== undefined) return cancelRun(app, named);
  const foreign = await foreignRuns(app, own);
  const items = [
    ...own.map((one) => ({
      label: one.title,
      description: one.text,
      stop: () => one.stop.abort(),
    })),
    ...foreign.map((one) => ({
      label: label(one.name ?? one.run_id),
      description: `${one.run_id}, started by another client`,
      stop: () => cancelRun(app, one.run_id),
    })),
  ];
  if (items.length === 0) {
    void showInfo("Nothing is in progress.");
    return;
  }
  const [only] = items;
  const chosen =
    items.length === 1 && own.length === 1
      ? only
      : await askChoice(items, { title: "RunForge: Cancel" });
  await chosen?.stop();
}

/** Return the runs in progress that this window has not started. */
async function foreignRuns(app: App, own: readonly Training[]): Promise<readonly RunEntry[]> {
  const sweeps = own.flatMap(({ groupId }) => groupId ?? []);
  for (let tries = 5; ; tries -= 1) {
    const { runs, experiments = [] } = await app
      .session()
      .request("list", { status: "running", limit: 100 });
    // The sweep of a run that begins at this moment is not known yet.
    const isUnclear = sweeps.length > 0 && runs.some(({ group_id }) => group_id === undefined);
    if (isUnclear && tries > 0) {
      await setTimeout(100);
      continue;
    }
    const isOwn = ({ run_id, group_id }: RunEntry) =>
      own.some(({ runId }) => runId === run_id) || sweeps.some((one) => one === group_id);
    return [...runs, ...experiments].filter((one) => !isOwn(one));
  }
}

async function cancelRun(app: App, run: string): Promise<void> {
  const ended = await app.session().request("cancel", { run });
  void showInfo(printable(`The run ${ended.run_id} has ended: ${ended.status}.`));
}

/** Sweep over values of hyperparameters and seeds: a grid, whose runs are counted before. */
async function sweep(app: App, start: Start): Promise<void> {
  const data = await chooseData(app, start, false);
  if (!data) return;
  const session = app.session();
  await session.start();
  const base = defaults(app);
  const family = base.model ?? "logistic_regression";
  const known = hyperparametersOf(app, family);
  const chosen = await askChoice(
    [
      ...known.map((one) => ({ label: one.name, description: rangeText(one), one })),
      { label: "seed", description: "seeds, such as 1..5", one: undefined },
    ],
    { title: "RunForge: Sweep", placeHolder: "What varies", canPickMany: true },
  );
  if (!chosen?.length) return;
  const parameters: { path: string; values: unknown[] }[] = [];
  for (const { label: name, one } of chosen) {
    const read = one ? (typed: string) => readValues(one, typed) : readSeeds;
    const typed = await askInput({
      title: `RunForge: values of ${name}`,
      prompt: one ? `Separated by commas; each ${rangeText(one)}` : "Such as 1..5 or 1, 2, 42",
      value: one?.kind === "float" ? "0.01, 0.1, 1, 10" : one ? "" : "1..3",
      validateInput: (input) => (read(input) ? undefined : "These are not all allowed values."),
    });
    const values = typed === undefined ? undefined : read(typed);
    if (!values) return;
    parameters.push({ path: one ? `/model/hyperparameters/${name}` : "/seed", values });
  }
  const name = await askInput({
    title: "RunForge: name of the sweep",
    value: parameters.map((one) => one.path.split("/").at(-1)).join(" and "),
  });
  if (name === undefined) return;
  const now = `${new Date().toISOString().slice(0, 19)}Z`;
  const plan: NonNullable<ServeMethods["sweep"]["params"]["plan"]> = {
    version: 1,
    kind: "sweep_plan",
    created_at: now,
    created_by: `runforge-vscode@${app.version}`,
    group: { name: name || "sweep" },
    base_request: {
      version: 1,
      preset: "balanced",
      dataset: {
        path: data.dataset,
        label_column: data.label,
        exclude_columns: data.exclude ?? [],
        ...(data.recipe ? { recipe: data.recipe } : {}),
      },
      model: { family, hyperparameters: {} },
      device: { type: "cpu" },
      ...(base.seed === undefined ? {} : { seed: base.seed }),
      ...(base.profile ? { profile: base.profile } : {}),
    },
    strategy: { type: "grid", parameters: parameters as never },
    execution: { max_parallel: 2, fail_fast: false, stop_on_cancel: true },
  };
  const { total } = await session.request("planSweep", { plan });
  const question = `Train ${total} ${total === 1 ? "model" : "models"} on ${data.dataset}?`;
  if ((await askFirst(question, ["Train"])) !== "Train") return;
  await sweepNow(app, { plan });
}

/** Execute a plan, then show the sweep. */
export async function sweepNow(app: App, params: ServeMethods["sweep"]["params"]): Promise<void> {
  try {
    const done = await inProgress(app, "Sweep", (options) =>
      app.session().request("sweep", { ...privacy(app), ...params }, options),
    );
    app.view.refresh();
    if (done.error && done.error.code !== "CANCELLED") app.reportFailure(ofBody(done.error));
    else if (done.status === "canceled") void showInfo(`The sweep ${done.group_id} was cancelled.`);
    await openSweep(app, done.group_id);
  } catch (error) {
    if (!isCancelled(error)) app.reportFailure(failureOf(error));
  }
}

interface Field extends vscode.QuickPickItem {
  readonly change?: () => Promise<void>;
}

/**
 * Let the user change options one by one, until `Train` or Escape. With `kept` they are changes of a
 * run: nothing that it has can be taken away.
 */
async function chooseOptions(
  app: App,
  verb: string,
  first: Options,
  kept?: ReadonlyMap<string, Kept>,
): Promise<Options | undefined> {
  const session = app.session();
  await session.start();
  const capabilities = session.server?.capabilities;
  let options: Options = { ...first, hyperparameters: { ...first.hyperparameters } };
  const set = (changes: Partial<Options>) => {
    options = { ...options, ...changes };
  };
  for (;;) {
    const family = options.model ?? "logistic_regression";
    const given = (options.hyperparameters ?? {}) as Record<string, unknown>;
    const fields: Field[] = [
      { label: `$(play) ${verb}`, description: "with what is shown below" },
      { label: "", kind: vscode.QuickPickItemKind.Separator },
      field("Model family", family, async () => {
        const model = await pick("Model family", capabilities?.model_families ?? []);
        // Each family has hyperparameters of its own.
        if (model) set({ model: model as Family, hyperparameters: model === family ? given : {} });
      }),
      field("Preset", options.preset ?? "", async () => {
        const preset = await pick("Preset", capabilities?.presets ?? []);
        if (preset) set({ preset: preset as Preset });
      }),
      field("Profile", options.profile ?? "none", async () => {
        const none = kept && first.profile !== undefined ? [] : ["none"];
        const profile = await pick("Profile", [...none, ...(capabilities?.profiles ?? [])]);
        if (profile === "none") delete options.profile;
        else if (profile) set({ profile });
      }),
      ...hyperparametersOf(app, family).map((one) => {
        const before = family === first.model ? kept?.get(one.name) : undefined;
        const otherwise = before ? `${before.value}, ${before.from}` : "not set";
        return field(
          one.name,
          one.name in given ? String(given[one.name]) : otherwise,
          async () => {
            const value = await askValue(one, given[one.name] ?? before?.value, otherwise);
            if (value === "unset") delete given[one.name];
            else if (value !== undefined) given[one.name] = value.value;
            set({ hyperparameters: given });
          },
          rangeText(one),
        );
      }),
      field("Seed", String(options.seed ?? 42), async () => {
        const typed = await askText("Seed", String(options.seed ?? 42), (input) =>
          readSeeds(input)?.length === 1 ? undefined : "An integer from 0 to 4294967295.",
        );
        const seed = typed === undefined ? undefined : readSeeds(typed)?.[0];
        if (seed !== undefined) set({ seed });
      }),
      field("Name", options.name ?? "none", async () => {
        const name = await askText("Name", options.name ?? "");
        if (name?.trim() === "") delete options.name;
        else if (name !== undefined) set({ name });
      }),
      field("Tags", options.tags?.join(", ") || "none", async () => {
        const typed = await askText("Tags, separated by commas", options.tags?.join(", ") ?? "");
        const tags = typed?.split(",").map((tag) => tag.trim()) ?? [];
        if (typed !== undefined) set({ tags: tags.filter(Boolean) });
      }),
      field("Notes", options.notes ?? "none", async () => {
        const notes = await askText("Notes", options.notes ?? "");
        if (notes?.trim() === "") delete options.notes;
        else if (notes !== undefined) set({ notes });
      }),
    ];
    const chosen = await askChoice(fields, {
      title: `RunForge: ${verb}`,
      placeHolder: `Choose what to change, then ${verb}`,
    });
    if (!chosen) return undefined;
    if (!chosen.change) return withoutEmpty(options);
    await chosen.change();
  }
}

function withoutEmpty(options: Options): Options {
  const { hyperparameters, ...others } = options;
  return Object.keys(hyperparameters ?? {}).length > 0 ? options : others;
}

function hyperparametersOf(app: App, family: string): readonly Hyperparameter[] {
  const { capabilities } = app.session().server ?? {};
  const all = (capabilities as { hyperparameters?: readonly Hyperparameter[] } | undefined)
    ?.hyperparameters;
  return (all ?? []).filter((one) => one.family === family);
}

function field(name: string, value: string, change: () => Promise<void>, detail?: string): Field {
  return { label: name, description: label(value), change, ...(detail ? { detail } : {}) };
}

async function pick(title: string, names: readonly string[]): Promise<string | undefined> {
  const items = names.map((name) => ({ label: name }));
  return (await askChoice(items, { title: `RunForge: ${title}` }))?.label;
}

async function askText(
  title: string,
  value: string,
  validateInput?: (input: string) => string | undefined,
): Promise<string | undefined> {
  return askInput({
    title: `RunForge: ${title}`,
    value,
    ...(validateInput ? { validateInput } : {}),
  });
}

/** Ask for a value; `otherwise` says what holds without one. */
async function askValue(
  one: Hyperparameter,
  before: unknown,
  otherwise: string,
): Promise<{ readonly value: unknown } | "unset" | undefined> {
  const choices = one.kind === "bool" ? ["true", "false"] : one.choices;
  const unset = otherwise === "not set" ? "Not set" : otherwise;
  if (choices) {
    const chosen = await pick(one.name, [...choices, unset]);
    if (chosen === undefined) return undefined;
    if (chosen === unset) return "unset";
    return { value: readValue(one, chosen) };
  }
  const typed = await askText(
    `${one.name}: ${rangeText(one)}; empty: ${otherwise}`,
    String(before ?? one.default ?? "none"),
    (input) =>
      input.trim() === "" || readValue(one, input) !== undefined
        ? undefined
        : `Allowed: ${rangeText(one)}.`,
  );
  if (typed === undefined) return undefined;
  return typed.trim() === "" ? "unset" : { value: readValue(one, typed) };
}
