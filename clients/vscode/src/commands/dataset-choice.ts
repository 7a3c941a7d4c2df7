// Which dataset, which label and which columns a training has: asked once, then remembered.

import type { DatasetInspectionV1 } from "@runforge/client";
import * as vscode from "vscode";
import type { App } from "../app.ts";
import { printable } from "../failures.ts";
import { showInfo } from "../notices.ts";
import { short } from "../runs/run-rows.ts";
import {
  likelyLabels,
  notNumeric,
  type Remembered,
  recipeOf,
  stillValid,
} from "../training/choices.ts";
import { askChoice } from "./questions.ts";

const PATTERN = "**/*.{csv,csv.gz,parquet}";
const LEFT_OUT = "**/{.runforge,.ml,.venv,node_modules,.git,.tox}/**";
const MOST_FILES = 500;

/** Return the dataset that a command was called with, else the setting, else ask. */
export async function chooseDataset(
  app: App,
  given?: vscode.Uri | string,
  { title = "RunForge: Dataset", ask = false } = {},
): Promise<string | undefined> {
  if (given instanceof vscode.Uri) return app.named(given);
  if (given) return given;
  const setting = app.setting("datasetPath", "") || process.env["RUNFORGE_DATASET"];
  if (setting && !ask) return setting;
  const files = await vscode.workspace.findFiles(PATTERN, LEFT_OUT, MOST_FILES);
  const names = files.map((uri) => app.named(uri)).sort();
  const recent = app.context.workspaceState.get<string>("dataset");
  if (recent && names.includes(recent)) names.unshift(...names.splice(names.indexOf(recent), 1));
  const other = "Another file…";
  const items: (vscode.QuickPickItem & { readonly name?: string })[] = names.map((name) => ({
    label: label(name),
    name,
  }));
  const chosen = await askChoice([...items, { label: other }], {
    title,
    placeHolder: "CSV or Parquet file",
  });
  if (!chosen) return undefined;
  if (chosen.name !== undefined) return chosen.name;
  const [file] =
    (await vscode.window.showOpenDialog({
      title,
      filters: { Tables: ["csv", "gz", "parquet"] },
    })) ?? [];
  return file && app.named(file);
}

/**
 * Return the label and the columns to exclude, or the recipe beside the dataset: what is remembered,
 * or what the user chooses.
 */
export async function chooseColumns(
  app: App,
  dataset: string,
  { label: given, ask = false }: { label?: string | undefined; ask?: boolean } = {},
): Promise<Remembered | undefined> {
  const before = recall(app, dataset);
  const beside = await recipeBeside(app, dataset);
  if (beside !== undefined) {
    const use = await chooseRecipe(dataset, beside, ask ? undefined : before);
    if (use === undefined) return undefined;
    if (use) {
      const { recipe } = await app.session().request("recipe", { dataset, recipe: beside });
      return remember(app, dataset, { label: recipe.label, exclude: [], recipe: beside });
    }
  }
  const inspection = await inspect(app, dataset);
  const remembered = stillValid(before?.recipe ? undefined : before, inspection.columns);
  const setting = given ?? app.setting("label", "");
  if (!ask && remembered && (!setting || setting === remembered.label)) {
    const used = inspection.columns.length - 1 - remembered.exclude.length;
    const again = await asBefore(dataset, remembered.label, `${used} features`);
    if (again === undefined) return undefined;
    if (again) return remembered;
    if (beside !== undefined) return chooseColumns(app, dataset, { label: given, ask: true });
  }
  const named = inspection.columns.some((one) => one.name === setting) ? setting : undefined;
  const column = named && !ask ? named : await chooseLabel(inspection, remembered?.label);
  if (column === undefined) return undefined;
  const exclude = await chooseExcluded(inspection, column, remembered);
  if (exclude === undefined) return undefined;
  const without = beside === undefined ? {} : { recipe: null };
  return remember(app, dataset, { label: column, exclude, ...without });
}

/** Ask whether a dataset is trained on as before, with these features. */
async function asBefore(
  dataset: string,
  labelColumn: string,
  features: string,
): Promise<boolean | undefined> {
  const again = `Label ${label(labelColumn)}`;
  const chosen = await askChoice(
    [
      { label: again, description: `as before, with ${features}` },
      { label: "Choose the columns again…" },
    ],
    { title: `RunForge: ${label(dataset)}`, placeHolder: "Label and features" },
  );
  return chosen && chosen.label === again;
}

/** Return the recipe of a dataset, if it is there. */
async function recipeBeside(app: App, dataset: string): Promise<string | undefined> {
  const recipe = recipeOf(dataset);
  return (await exists(app, recipe)) ? recipe : undefined;
}

/** Return whether there is a file of a path as the server reads it. */
export async function exists(app: App, path: string): Promise<boolean> {
  try {
    await vscode.workspace.fs.stat(vscode.Uri.file(app.path(path)));
    return true;
  } catch {
    return false;
  }
}

/** Ask once whether the recipe beside a dataset is applied to it. */
async function chooseRecipe(
  dataset: string,
  beside: string,
  before: Remembered | undefined,
): Promise<boolean | undefined> {
  if (before?.recipe === null) return false;
  if (before?.recipe === beside) {
    const again = await asBefore(dataset, before.label, label(beside));
    if (again !== false) return again;
  }
  const items = [
    { label: label(beside), description: "makes numbers of the raw columns", use: true },
    { label: "Without a recipe", description: "the features are numbers already", use: false },
  ];
  const title = { title: `RunForge: ${label(dataset)}`, placeHolder: "Recipe" };
  return (await askChoice(items, title))?.use;
}

async function remember(app: App, dataset: string, choice: Remembered): Promise<Remembered> {
  await app.context.workspaceState.update(key(dataset), choice);
  await app.context.workspaceState.update("dataset", dataset);
  return choice;
}

/** Propose a recipe for a raw dataset, and open it; one that is there already is opened as it is. */
export async function prepareDataset(app: App, given?: vscode.Uri | string): Promise<void> {
  const dataset = await chooseDataset(app, given, { title: "RunForge: Prepare Dataset" });
  if (dataset === undefined) return;
  const output = recipeOf(dataset);
  const isThere = await exists(app, output);
  if (!isThere) {
    const column = await chooseLabel(await inspect(app, dataset), recall(app, dataset)?.label);
    if (column === undefined) return;
    const { recipe } = await app.session().request("recipe", { dataset, label: column, output });
    await remember(app, dataset, { label: recipe.label, exclude: [], recipe: output });
  }
  await vscode.window.showTextDocument(vscode.Uri.file(app.path(output)));
  const said = isThere
    ? `${output} was there already; it is opened as it is.`
    : `${output} says what happens to each column: look it over, then train on ${dataset}.`;
  void showInfo(printable(said));
}

/** Return what a dataset has, after its inspection in the server. */
export function inspect(app: App, dataset: string): Promise<DatasetInspectionV1> {
  const session = app.session();
  // The libraries of the training load while the user chooses.
  void session.request("warm", {}).catch(() => {});
  return Promise.resolve(
    vscode.window.withProgress(
      { location: vscode.ProgressLocation.Window, title: "RunForge: inspecting the dataset" },
      () => session.request("inspect", { dataset }),
    ),
  );
}

async function chooseLabel(
  { columns }: DatasetInspectionV1,
  before: string | undefined,
): Promise<string | undefined> {
  const items = likelyLabels(columns).map((one) => ({
    label: label(one.name),
    description: `${one.kind}, ${one.unique} different values${one.missing ? `, ${one.missing} missing` : ""}`,
    name: one.name,
  }));
  if (before)
    items.sort((one, other) => Number(other.name === before) - Number(one.name === before));
  const chosen = await askChoice(items, {
    title: "RunForge: Label",
    placeHolder: "The column that is to be predicted",
  });
  return chosen?.name;
}

/** Ask which columns are features, unless all can be and nothing else was chosen before. */
async function chooseExcluded(
  { columns }: DatasetInspectionV1,
  labelColumn: string,
  remembered: Remembered | undefined,
): Promise<string[] | undefined> {
  const unusable = new Set(notNumeric(columns, labelColumn));
  const before = remembered?.label === labelColumn ? new Set(remembered.exclude) : unusable;
  const others = columns.filter((one) => one.name !== labelColumn);
  const items = others.map((one) => ({
    label: label(one.name),
    description: unusable.has(one.name) ? `${one.kind}: cannot be a feature` : one.kind,
    picked: !before.has(one.name),
    name: one.name,
  }));
  const chosen = await askChoice(items, {
    title: "RunForge: Features",
    placeHolder: "The columns that the model may use; the others are recorded as excluded",
    canPickMany: true,
  });
  if (!chosen) return undefined;
  const used = new Set(chosen.map((item) => item.name));
  return others.map((one) => one.name).filter((name) => !used.has(name));
}

/** Return what is remembered of a dataset. */
export function recall(app: App, dataset: string): Remembered | undefined {
  return app.context.workspaceState.get<Remembered>(key(dataset));
}

function key(dataset: string): string {
  return `columns:${dataset}`;
}

/** Make a name safe for a label, in which `$(name)` would be an icon. */
export function label(text: string): string {
  return short(text).replaceAll("$(", "$\u200b(");
}
