// What the list shows of a run and of a sweep, and how runs are grouped. Nothing here knows the editor.
import type { GroupEntry, RunEntry } from "@runforge/client";
import { printable } from "../failures.ts";
import { jsonOf, type Members, membersOf, textsOf } from "../forms.ts";

/** A run as the list shows it. */
export interface RunRow {
  readonly kind: "run";
  readonly id: string;
  readonly folder: string;
  readonly label: string;
  readonly description: string;
  /** Status, or state of a run without one. */
  readonly status: string;
  readonly trained: boolean;
  readonly created: number;
  readonly entry: RunEntry;
}

/** A sweep as the list shows it: a folder of its runs. */
export interface SweepRow {
  readonly kind: "sweep";
  readonly id: string;
  readonly label: string;
  readonly description: string;
  readonly status: string;
  readonly created: number;
  readonly entry: GroupEntry;
}

/** Runs that have something in common. */
export interface GroupRow {
  readonly kind: "group";
  readonly id: string;
  readonly label: string;
  readonly description: string;
  readonly rows: readonly (RunRow | SweepRow)[];
}

/** The node that loads more runs. */
export interface MoreRow {
  readonly kind: "more";
  readonly id: "more";
  readonly label: string;
}

export type Row = RunRow | SweepRow | GroupRow | MoreRow;

export type Grouping = "sweep" | "day" | "model" | "status" | "dataset" | "none";

/** Icons of the editor by status. */
export const ICONS: Readonly<Record<string, { icon: string; color?: string }>> = {
  succeeded: { icon: "pass", color: "testing.iconPassed" },
  failed: { icon: "error", color: "testing.iconFailed" },
  cancelled: { icon: "circle-slash" },
  canceled: { icon: "circle-slash" },
  running: { icon: "sync~spin" },
  interrupted: { icon: "debug-disconnect", color: "list.warningForeground" },
  incomplete: { icon: "question" },
  unreadable: { icon: "warning", color: "list.warningForeground" },
};

/** Make the row of a run. `now` and the times are in milliseconds. */
export function runRow(entry: RunEntry, trained: boolean, now: number): RunRow {
  const status = entry.status ?? entry.state ?? "incomplete";
  const created = entry.created_at ? Date.parse(entry.created_at) : Number.NaN;
  const model = entry.model_family && modelText(entry.model_family);
  const own = entry.name && entry.name !== entry.run_id ? entry.name : undefined;
  const shown = [
    metricText(entry),
    own && model,
    Number.isNaN(created) ? "" : age(created, now),
    ...textsOf(entry.aliases).map((alias) => `@${alias}`),
    own || !model ? "" : entry.run_id.split("-").at(-1),
  ];
  if (status !== "succeeded") shown.unshift(status);
  return {
    kind: "run",
    id: entry.run_id,
    folder: entry.run_dir,
    label: short(own ?? model ?? entry.run_id),
    description: short(shown.filter(Boolean).join(" · ")),
    status,
    trained,
    created,
    entry,
  };
}

/** Make the row of a sweep. Of one that cannot be read, only the id is known. */
export function sweepRow(entry: GroupEntry, now: number): SweepRow {
  const status = entry.state;
  const readable = status !== "unreadable";
  const created = Date.parse(entry.created_at ?? timeIn(entry.group_id));
  const best = entry.best === undefined ? "" : `best ${entry.metric} ${number(entry.best)}`;
  const shown = [
    readable ? `${entry.members} ${entry.members === 1 ? "run" : "runs"}` : "",
    best,
    Number.isNaN(created) ? "" : age(created, now),
  ];
  if (status !== "succeeded") shown.unshift(status);
  return {
    kind: "sweep",
    id: entry.group_id,
    label: short(entry.name ?? (readable ? "sweep" : entry.group_id)),
    description: short(shown.filter(Boolean).join(" · ")),
    status,
    created,
    entry,
  };
}

/** Return the time that the id of a sweep begins with, as ISO 8601; an empty string without one. */
function timeIn(id: string): string {
  const found = /^grp_(\d{4})(\d\d)(\d\d)_(\d\d)(\d\d)(\d\d)/.exec(id);
  return found ? `${found.slice(1, 4).join("-")}T${found.slice(4).join(":")}Z` : "";
}

/** The metrics that the index has for a run. */
function metricsOf(entry: RunEntry): Members {
  return membersOf(membersOf(entry.summary)["final_metrics"]);
}

/** Return the metric that the index has for a run, which the client shows first. */
export function metricOf(entry: RunEntry): { name: string; value: number } | undefined {
  const metrics = metricsOf(entry);
  const names = ["accuracy", "f1_score", "loss", ...Object.keys(metrics).sort()];
  const name = names.find((one) => typeof metrics[one] === "number");
  return name === undefined ? undefined : { name, value: metrics[name] as number };
}

function metricText(entry: RunEntry): string {
  const metric = metricOf(entry);
  return metric ? `${metric.name} ${number(metric.value)}` : "";
}

/** Return what a hover shows of a run, as lines of a name and a value. */
export function runFacts({ entry, status }: RunRow): [string, string][] {
  const facts: [string, string][] = [
    ["run", entry.run_id],
    ["status", status],
  ];
  for (const [name, value] of Object.entries(metricsOf(entry)))
    if (typeof value === "number") facts.push([name, number(value)]);
  const read = entry as unknown as Record<string, unknown>;
  const add = (name: string, value: unknown) => {
    if (typeof value === "string" || typeof value === "number") facts.push([name, String(value)]);
  };
  add("model", entry.model_family);
  add("preset", entry.preset_id);
  for (const [name, value] of Object.entries(membersOf(read["hyperparameters"])))
    facts.push([name, jsonOf(value)]);
  add("seed", read["seed"]);
  add("label", entry.label_column);
  add("created", entry.created_at);
  add("folder", entry.run_dir);
  return facts.map(([name, value]) => [short(name, 60), short(value, 120)]);
}

/** Put rows under common headings; `sweep` and `none` have none. */
export function grouped(
  rows: readonly (RunRow | SweepRow)[],
  by: Grouping,
): (RunRow | SweepRow | GroupRow)[] {
  if (by === "none" || by === "sweep") return [...rows];
  const groups = new Map<string, (RunRow | SweepRow)[]>();
  for (const row of rows) {
    const key = keyOf(row, by);
    const members = groups.get(key);
    if (members) members.push(row);
    else groups.set(key, [row]);
  }
  return [...groups].map(([label, members]) => ({
    kind: "group",
    id: `${by}:${label}`,
    label: short(label),
    description: String(members.length),
    rows: members,
  }));
}

function keyOf(row: RunRow | SweepRow, by: Grouping): string {
  if (by === "day")
    return Number.isNaN(row.created) ? "no date" : new Date(row.created).toISOString().slice(0, 10);
  if (by === "status") return row.status;
  if (row.kind === "sweep") return "sweeps";
  if (by === "model") return row.entry.model_family ?? "no model";
  const digest = (row.entry as unknown as Record<string, unknown>)["dataset_fingerprint_sha256"];
  return typeof digest === "string" ? `dataset ${digest.slice(0, 12)}` : "no dataset";
}

/** Say how long ago something was. */
export function age(then: number, now: number): string {
  const seconds = Math.max(0, Math.round((now - then) / 1000));
  if (seconds < 60) return "now";
  const steps: [number, string][] = [
    [60, "min"],
    [60, "h"],
    [24, "d"],
    [7, "wk"],
    [52.18, "yr"],
  ];
  let value = seconds;
  let unit = "s";
  for (const [size, name] of steps) {
    if (value < size) break;
    value /= size;
    unit = name;
  }
  return `${Math.floor(value)} ${unit}`;
}

/** Write a metric as the other pages do, with four decimals. */
export function number(value: number): string {
  return Number.isInteger(value) && Math.abs(value) > 1 ? String(value) : value.toFixed(4);
}

function modelText(family: string): string {
  return family.replaceAll("_", " ");
}

/** Make a string of a document safe and short enough for one line. */
export function short(text: string, most = 80): string {
  const safe = printable(text);
  return safe.length > most ? `${[...safe].slice(0, most - 1).join("")}…` : safe;
}
