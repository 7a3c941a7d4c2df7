// Loads the list of runs page by page, with sweeps as folders.
import type { GroupEntry, ListParams, ListResult, RunEntry } from "@runforge/client";
import type { Session } from "../server/session.ts";
import { type Grouping, type RunRow, runRow, type SweepRow, sweepRow } from "./run-rows.ts";

/** What the user has chosen to see. */
export interface Choice {
  readonly filter: Pick<ListParams, "where" | "status" | "model" | "name" | "tag" | "since">;
  readonly sort: string | undefined;
  readonly grouping: Grouping;
}

export const EVERYTHING: Choice = { filter: {}, sort: undefined, grouping: "sweep" };

/** How many sweeps are folders from the start; members of older ones find theirs when they come. */
const MOST_SWEEPS = 100;

/** Whatever answers `list` and `groups`: the server, or the files in Restricted Mode. */
export type Source = Pick<Session, "request">;

export interface Loaded {
  readonly rows: readonly (RunRow | SweepRow)[];
  /** Whether there are more runs than were loaded. */
  readonly more: boolean;
  readonly total: number;
}

/** Load at least `count` rows, if there are as many. */
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
  const sweeps = folding ? (await source.request("groups", { limit: MOST_SWEEPS })).groups : [];
  const outside = sweeps.map(({ group_id }) => `group!=${JSON.stringify(group_id)}`);
  const where = [...(choice.filter.where ?? []), ...outside];
  const params: ListParams = {
    ...choice.filter,
    ...sort,
    ...(where.length > 0 ? { where } : {}),
    limit: count,
  };
  const page = await source.request("list", params, {
    onWarning: ({ message }) => onWarning(message),
  });
  const rows: (RunRow | SweepRow)[] = runsOf(page, now);
  const folded = folding ? fold(rows, sweeps, now) : rows;
  return { rows: folded, more: page.total > rows.length, total: page.total };
}

/** Load the runs of a sweep, in its order. */
export async function loadMembers(source: Source, group: string, now: number): Promise<RunRow[]> {
  return runsOf(await source.request("list", { group, limit: 10_000 }), now);
}

/** Return the rows of a page: trained runs and experiments in one order, newest first. */
function runsOf(page: ListResult, now: number): RunRow[] {
  const trained = page.runs.map((entry: RunEntry) => runRow(entry, true, now));
  const scripts = (page.experiments ?? []).map((entry: RunEntry) => runRow(entry, false, now));
  if (scripts.length === 0) return trained;
  return [...trained, ...scripts].sort((one, other) => newer(one.created, other.created));
}

/** Put sweeps where their dates belong, and the members of others into folders. */
function fold(
  rows: readonly (RunRow | SweepRow)[],
  sweeps: readonly GroupEntry[],
  now: number,
): (RunRow | SweepRow)[] {
  const folders = new Map(sweeps.map((one) => [one.group_id, sweepRow(one.group_id, one, now)]));
  const result: (RunRow | SweepRow)[] = [];
  const waiting = [...folders.values()];
  for (const row of rows) {
    const group = (row.entry as unknown as Record<string, unknown> | undefined)?.["group_id"];
    if (typeof group === "string" && folders.has(group)) continue;
    while (waiting[0] && !(waiting[0].created < row.created)) result.push(waiting.shift()!);
    if (typeof group === "string") {
      const older = { ...sweepRow(group, undefined, now), created: row.created };
      folders.set(group, older);
      result.push(older);
    } else {
      result.push(row);
    }
  }
  return [...result, ...waiting];
}

/** Order by time, the newest first; what has no time comes last. */
function newer(one: number, other: number): number {
  return (Number.isNaN(other) ? 0 : other) - (Number.isNaN(one) ? 0 : one);
}

export function isEmpty(filter: Choice["filter"]): boolean {
  return Object.keys(filter).length === 0;
}
