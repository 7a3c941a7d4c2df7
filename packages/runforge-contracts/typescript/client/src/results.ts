// Rules for display that all clients share.
import type { ResultV1 } from "@runforge/contracts";

/** Return the metric to show first: the recorded one, else a well-known one, else the first name. */
export function primaryMetric({
  summary,
}: Pick<ResultV1, "summary">): { name: string; value: number } | undefined {
  if (summary?.primary_metric) return summary.primary_metric;
  const metrics = summary?.metrics ?? {};
  const name =
    ["accuracy", "f1_score", "loss"].find((known) => Object.hasOwn(metrics, known)) ??
    Object.keys(metrics).sort(byCodePoint)[0];
  return name === undefined ? undefined : { name, value: metrics[name]! };
}

/** Format a duration in milliseconds for display, such as `1.2s`. */
export function formatDuration(milliseconds: number): string {
  if (milliseconds < 1000) return `${milliseconds}ms`;
  if (milliseconds < 60_000) return `${tenths(milliseconds, 1000)}s`;
  if (milliseconds < 3_600_000) return `${tenths(milliseconds, 60_000)}m`;
  return `${tenths(milliseconds, 3_600_000)}h`;
}

/** Divide to one decimal in integers, half up; `toFixed` would round the nearest double. */
function tenths(milliseconds: number, unit: number): string {
  const count = (20n * BigInt(milliseconds) + BigInt(unit)) / BigInt(2 * unit);
  return `${count / 10n}.${count % 10n}`;
}

/** Compare by code point, as UTF-8 sorts; `sort` alone compares UTF-16 units. */
function byCodePoint(left: string, right: string): number {
  const [one, other] = [[...left], [...right]];
  for (let index = 0; index < Math.min(one.length, other.length); index += 1) {
    const difference = one[index]!.codePointAt(0)! - other[index]!.codePointAt(0)!;
    if (difference !== 0) return difference;
  }
  return one.length - other.length;
}
