// What a user can choose for a training, and what is remembered of it. Nothing here knows the editor.
import type { DatasetInspectionV1, ProgressParams } from "@runforge/client";

/** What is remembered of a dataset: the label, the columns that are no features, and the recipe. */
export interface Remembered {
  readonly label: string;
  readonly exclude: readonly string[];
  /** The recipe that makes numbers of the columns; null if the one beside it is not wanted. */
  readonly recipe?: string | null;
}

/** Return where the recipe of a dataset is: beside it, under its name. */
export function recipeOf(dataset: string): string {
  return `${dataset.replace(/\.(csv|csv\.gz|parquet)$/i, "")}.recipe.json`;
}

/** A hyperparameter of a model family, as the server describes it. */
export interface Hyperparameter {
  readonly family: string;
  readonly name: string;
  readonly kind: "float" | "int" | "int_or_none" | "bool" | "choice";
  readonly default: unknown;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly choices?: readonly string[];
}

/** Return what is remembered if the dataset still has all of its columns. */
export function stillValid(
  remembered: Remembered | undefined,
  columns: readonly { readonly name: string }[],
): Remembered | undefined {
  if (!remembered) return undefined;
  const names = new Set(columns.map((one) => one.name));
  return [remembered.label, ...remembered.exclude].every((name) => names.has(name))
    ? remembered
    : undefined;
}

type Column = DatasetInspectionV1["columns"][number];

/** Order columns by how likely they are the label: text and few values first. */
export function likelyLabels(columns: readonly Column[]): Column[] {
  const weight = (one: Column) => {
    if (one.name.toLowerCase() === "label") return -1;
    if (one.unique < 2) return 3;
    if (one.kind === "text") return 0;
    return one.kind === "integer" && one.unique <= 20 ? 1 : 2;
  };
  return [...columns].sort(
    (one, other) => weight(one) - weight(other) || columns.indexOf(one) - columns.indexOf(other),
  );
}

/** Return the columns that cannot be features: those that hold no numbers. */
export function notNumeric(columns: readonly Column[], label: string): string[] {
  return columns
    .filter((one) => one.name !== label && (one.kind === "text" || one.kind === "empty"))
    .map((one) => one.name);
}

/** Say which values a hyperparameter takes. */
export function rangeText(one: Hyperparameter): string {
  switch (one.kind) {
    case "float":
      return `a number from ${one.minimum} to ${one.maximum}`;
    case "int":
      return `an integer of at least ${one.minimum}`;
    case "int_or_none":
      return `an integer of at least ${one.minimum}, or none`;
    case "bool":
      return "true or false";
    case "choice":
      return `one of ${(one.choices ?? []).join(", ")}`;
  }
}

/**
 * Read what was typed for a hyperparameter.
 *
 * @returns The value, or undefined if it is not one of the allowed ones.
 */
export function readValue(
  one: Hyperparameter,
  text: string,
): number | string | boolean | null | undefined {
  const typed = text.trim();
  if (one.kind === "bool") return { true: true, false: false }[typed.toLowerCase()];
  if (one.kind === "choice") return one.choices?.includes(typed) ? typed : undefined;
  if (one.kind === "int_or_none" && typed.toLowerCase() === "none") return null;
  if (typed === "") return undefined;
  const value = Number(typed);
  const { minimum = Number.NEGATIVE_INFINITY, maximum = Number.POSITIVE_INFINITY } = one;
  if (!Number.isFinite(value) || value < minimum || value > maximum) return undefined;
  return one.kind === "float" || Number.isInteger(value) ? value : undefined;
}

/** Read several values, separated by commas; undefined if one of them is not allowed. */
export function readValues(
  one: Hyperparameter,
  text: string,
): (number | string | boolean | null)[] | undefined {
  const values = text.split(",").map((part) => readValue(one, part));
  return values.every((value) => value !== undefined) ? values : undefined;
}

/** Read seeds: single ones and ranges, such as `1..5, 42`; undefined if they are none. */
export function readSeeds(text: string): number[] | undefined {
  const seeds: number[] = [];
  for (const part of text.split(",").map((one) => one.trim())) {
    const range = /^(\d{1,10})(?:\.\.(\d{1,10}))?$/.exec(part);
    const from = Number(range?.[1]);
    const to = Number(range?.[2] ?? range?.[1]);
    if (!(from <= to) || to > 4294967295 || to - from >= 10_000) return undefined;
    for (let seed = from; seed <= to; seed += 1) seeds.push(seed);
  }
  return seeds;
}

/** Say where a training is: the stage, how much of it is done, and the time left. */
export function progressText({ message, fraction, seconds_left }: ProgressParams): string {
  const done = fraction === undefined ? "" : ` ${Math.round(fraction * 100)} %`;
  const left = seconds_left === undefined ? "" : `, ${timeText(seconds_left)} left`;
  return `${message}${done}${left}`;
}

function timeText(seconds: number): string {
  if (seconds < 90) return `${Math.max(1, Math.round(seconds))} s`;
  if (seconds < 5400) return `${Math.round(seconds / 60)} min`;
  return `${(seconds / 3600).toFixed(1)} h`;
}
