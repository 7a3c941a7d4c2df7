// Loads the list of runs page by page, with sweeps as folders.
import type { ListParams, ListResult, RunEntry } from "@runforge/client";
import type { Session } from "../server/session.ts";
import { type Grouping, type RunRow, runRow, type SweepRow, sweepRow } from "./run-rows.ts";

/** What the user has chosen to see. */
export interface Choice {
  readonly filter: Pick<ListParams, "where" | "status" | "model" | "name" | "tag" | "since">;
  readonly sort: string | undefined;
  readonly grouping: Grouping;
}

export const EVERYTHING: Choice = { filter: {}, sort: undefined, grouping: "sweep" };

/** Whatever answers `list` and `groups`: the server, or the files in Restricted Mode. */
export type Source = Pick<Session, "request">;

export interface Loaded {
  /** The first rows, at most as many as were asked for. */
  readonly rows: readonly (RunRow | SweepRow)[];
  /** How many rows there are. */
  readonly total: number;
}

/** Load `count` rows, if there are as many. */
export async function loadRows(
  source: Source,
  choice: Choice,
  count: number,
  now: number,
  onWarning: (message: string) => void = () => {},
): Promise<Loaded> {
  const sort = choice.sort === undefined ? {} : { sort: choice.sort };
  // Sorted or filtered runs stand for themselves: a folder would have no place among them.
  const folding = choice.grouping !== "none" && choice.sort === undefined && isEmpty(choice.filter);
  const params: ListParams = { ...choice.filter, ...sort, limit: count };
  const options = { onWarning: ({ message }: { message: string }) => onWarning(message) };
  if (!folding) {
    const page = await source.request("list", params, options);
    return { rows: runsOf(page, now), total: page.total };
  }
  const page = await source.request("list", { ...params, ungrouped: true }, options);
  const runs = runsOf(page, now);
  const sweeps = await loadSweeps(source, runs, count, now, options);
  // What comes first in both together comes first in each of them.
  const rows = [...runs, ...sweeps.rows].sort((one, other) => newer(one.created, other.created));
  return { rows: rows.slice(0, count), total: page.total + sweeps.total };
}

/** How many sweeps are loaded at a time: the first time, the server reads each of their runs. */
const SWEEPS_AT_A_TIME = 50;

/** Load the newest sweeps, as many as come before the last of `count` rows. */
async function loadSweeps(
  source: Source,
  runs: readonly RunRow[],
  count: number,
  now: number,
  options: object,
): Promise<{ rows: SweepRow[]; total: number }> {
  const rows: SweepRow[] = [];
  while (true) {
    const page = { limit: SWEEPS_AT_A_TIME, offset: rows.length };
    const { groups, total } = await source.request("groups", page, options);
    rows.push(...groups.map((one) => sweepRow(one, now)));
    const last = rows.at(-1)?.created ?? Number.NaN;
    const before = rows.length + runs.filter(({ created }) => created > last).length;
    if (groups.length === 0 || rows.length >= total || before >= count) return { rows, total };
  }
}

/** Load the runs of a sweep, in its order. */
export async function loadMembers(
  source: Source,
  group: string,
  now: number,
  onWarning: (message: string) => void = () => {},
): Promise<RunRow[]> {
  const options = { onWarning: ({ message }: { message: string }) => onWarning(message) };
  return runsOf(await source.request("list", { group, limit: 10_000 }, options), now);
}

/** Return the rows of a page: trained runs and experiments in one order, newest first. */
function runsOf(page: ListResult, now: number): RunRow[] {
  const trained = page.runs.map((entry: RunEntry) => runRow(entry, true, now));
  const scripts = (page.experiments ?? []).map((entry: RunEntry) => runRow(entry, false, now));
  if (scripts.length === 0) return trained;
  return [...trained, ...scripts].sort((one, other) => newer(one.created, other.created));
}

/** Order by time, the newest first; what has no time comes last. */
function newer(one: number, other: number): number {
  return (Number.isNaN(other) ? 0 : other) - (Number.isNaN(one) ? 0 : one);
}

export function isEmpty(filter: Choice["filter"]): boolean {
  return Object.keys(filter).length === 0;
}
