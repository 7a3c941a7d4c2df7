// Which run a command is about, and how runs are chosen from a list.

import type * as vscode from "vscode";
import type { App, RunArgument } from "../app.ts";
import { Refusal } from "../failures.ts";
import type { Message } from "../pages/html.ts";
import { type RunRow, runRow } from "../runs/run-rows.ts";
import { askChoice } from "./questions.ts";

/** How many runs a list to choose from has; it says so where there are more. */
const MOST = 500;

interface RunItem extends vscode.QuickPickItem {
  readonly row: RunRow;
}

/** Return the id that a command was called with. */
export function runOf(argument: RunArgument): string | undefined {
  if (typeof argument === "string") return argument;
  if (argument && "kind" in argument && argument.kind === "run") return (argument as RunRow).id;
  if (argument && "run" in argument) return String((argument as Message)["run"]);
  return undefined;
}

/** Return the run that a command was called with, else let the user choose one. */
export async function chooseRun(
  app: App,
  argument: RunArgument,
  title: string,
): Promise<string | undefined> {
  const given = runOf(argument);
  if (given !== undefined) return given;
  const { items, note } = await runItems(app);
  const chosen = await askChoice(items, {
    title,
    placeHolder: `Run${note}`,
    matchOnDescription: true,
    matchOnDetail: true,
  });
  return chosen?.row.id;
}

/** Let the user choose several runs. */
export async function chooseRuns(app: App, title: string): Promise<string[] | undefined> {
  const { items, note } = await runItems(app);
  const chosen = await askChoice(items, {
    title,
    placeHolder: `Two or more runs; the oldest is the baseline${note}`,
    canPickMany: true,
    matchOnDescription: true,
    matchOnDetail: true,
  });
  return chosen && inOrder(chosen.map((item) => item.row));
}

/** Return the ids of runs, the oldest first: what came later is compared with it. */
export function inOrder(rows: readonly RunRow[]): string[] {
  return [...rows].sort((one, other) => one.created - other.created).map((row) => row.id);
}

/** The runs as items to choose from, newest first. */
interface RunItems {
  readonly items: RunItem[];
  /** Said after the question where there are more runs; else empty. */
  readonly note: string;
}

export async function runItems(app: App): Promise<RunItems> {
  const page = await app.needSource().request("list", { limit: MOST });
  const now = Date.now();
  const rows = [
    ...page.runs.map((entry) => runRow(entry, true, now)),
    ...(page.experiments ?? []).map((entry) => runRow(entry, false, now)),
  ];
  if (rows.length === 0) throw new Refusal("There are no runs in this folder yet.");
  const items = rows.map((row) => ({
    row,
    // A `$(name)` in a label would be shown as an icon.
    label: row.label.replaceAll("$(", "$\u200b("),
    description: row.description.replaceAll("$(", "$\u200b("),
    ...(row.label === row.id ? {} : { detail: row.id }),
  }));
  const isWhole = rows.length >= page.total;
  const note = isWhole
    ? ""
    : ` (the newest ${rows.length} of ${page.total}; the list in the side bar has all)`;
  return { items, note };
}
