// What the list shows, from entries as clients write them.
import assert from "node:assert/strict";
import { mkdirSync, readFileSync, rmSync, symlinkSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import type { GroupEntry, RunEntry } from "@runforge/client";
import { RunFiles } from "../src/runs/run-files.ts";
import { type Choice, EVERYTHING, loadRows, type Source } from "../src/runs/run-listing.ts";
import { age, grouped, runFacts, runRow } from "../src/runs/run-rows.ts";
import { folder, VECTORS } from "./places.ts";

const NOW = Date.parse("2026-03-01T12:00:00Z");

interface Asked {
  limit: number;
  offset?: number;
  ungrouped?: boolean;
}

function entry(run_id: string, more: Partial<RunEntry> & Record<string, unknown> = {}): RunEntry {
  return {
    run_id,
    run_dir: `.runforge/runs/${run_id}`,
    created_at: "2026-03-01T11:00:00Z",
    status: "succeeded",
    model_family: "random_forest",
    summary: { final_metrics: { f1_score: 0.5, accuracy: 0.75 } },
    ...more,
  };
}

/** A server with runs, the newest first; those with a `group_id` of `groups` are in that sweep. */
function source(runs: RunEntry[], groups: GroupEntry[] = []): Source & { asked: Asked[] } {
  const asked: Asked[] = [];
  const known = new Set(groups.map(({ group_id }) => group_id));
  const inSweep = (run: RunEntry) => known.has((run as { group_id?: string }).group_id ?? "");
  const request = async (method: string, params: Asked) => {
    asked.push(params);
    const { offset = 0, limit, ungrouped } = params;
    const page = [offset, offset + limit] as const;
    if (method === "groups") return { groups: groups.slice(...page), total: groups.length };
    const listed = ungrouped ? runs.filter((run) => !inSweep(run)) : runs;
    return { schema_version: "index.v1", runs: listed.slice(...page), total: listed.length };
  };
  return { asked, request } as never;
}

test("a row has the metric, the model and the age", () => {
  const row = runRow(entry("a", { name: "first" }), true, NOW);
  assert.equal(row.label, "first");
  assert.equal(row.description, "accuracy 0.7500 · random forest · 1 h");
});

test("a run without a name is shown by its model and the end of its id", () => {
  const row = runRow(entry("20260301-110000-abc12345", { status: "failed" }), true, NOW);
  assert.equal(row.label, "random forest");
  assert.match(row.description, /^failed · .* · abc12345$/);
});

test("names with markup, escapes and marks of direction are text", () => {
  const name = "<img src=x onerror=alert(1)>\u001b[31m\u202eevil $(bug)\n";
  const row = runRow(entry("a", { name }), true, NOW);
  assert.doesNotMatch(row.label, /[\u001b\u202e\n]/);
  for (const [, value] of runFacts(row)) assert.doesNotMatch(value, /[\u001b\u202e\n]/);
});

test("ages", () => {
  const ages = [30, 90, 7200, 86_400 * 3, 86_400 * 20, 86_400 * 800];
  assert.deepEqual(
    ages.map((seconds) => age(NOW - seconds * 1000, NOW)),
    ["now", "1 min", "2 h", "3 d", "2 wk", "2 yr"],
  );
});

test("sweeps stand where their dates belong, and their members are in them", async () => {
  const runs = [
    entry("r3", { created_at: "2026-03-01T11:30:00Z" }),
    entry("m1", { created_at: "2026-03-01T11:00:01Z", group_id: "g" }),
    entry("lost", { created_at: "2026-03-01T10:29:00Z", group_id: "gone" }),
    entry("r1", { created_at: "2026-03-01T09:00:00Z" }),
  ];
  const groups = [
    { group_id: "g", created_at: "2026-03-01T11:00:00Z", state: "succeeded", members: 2 },
    { group_id: "grp_20260301_093000_cut", state: "unreadable", members: 0 },
  ];
  const { rows, total } = await loadRows(source(runs, groups), EVERYTHING, 10, NOW);
  assert.deepEqual(
    rows.map((row) => row.id),
    ["r3", "g", "lost", "grp_20260301_093000_cut", "r1"],
  );
  assert.equal(total, 5);
  assert.deepEqual([rows[1]?.label, rows[1]?.description], ["sweep", "2 runs · 1 h"]);
  assert.deepEqual(
    [rows[3]?.label, rows[3]?.description],
    ["grp_20260301_093000_cut", "unreadable · 2 h"],
  );
});

test("a thousand sweeps among runs are folders, of which only as many are loaded as shown", async () => {
  const time = (minutes: number) => new Date(NOW - minutes * 60_000).toISOString();
  // Two runs, then a sweep, and so on.
  const runs = Array.from({ length: 2000 }, (_, at) =>
    entry(`run-${at}`, { created_at: time(3 * (at >> 1) + (at & 1)) }),
  );
  const groups = Array.from({ length: 1000 }, (_, at) => {
    return { group_id: `g-${at}`, created_at: time(3 * at + 2), state: "succeeded", members: 8 };
  });
  const from = source(runs, groups);
  const expected = Array.from({ length: 3000 }, (_, at) =>
    at % 3 === 2 ? `g-${(at / 3) | 0}` : `run-${2 * ((at / 3) | 0) + (at % 3)}`,
  );
  for (const count of [1, 200, 2999, 3000, 5000]) {
    from.asked.length = 0;
    const { rows, total } = await loadRows(from, EVERYTHING, count, NOW);
    assert.deepEqual(
      rows.map((row) => row.id),
      expected.slice(0, count),
    );
    assert.equal(total, 3000);
    const sweeps = from.asked.slice(1).reduce((sum, { limit }) => sum + limit, 0);
    assert.ok(sweeps <= count / 3 + 51, `${sweeps} sweeps for ${count} rows`);
  }
});

test("in a workspace of sweeps alone they are loaded page by page", async () => {
  const groups = Array.from({ length: 300 }, (_, at) => {
    const created_at = new Date(NOW - at * 60_000).toISOString();
    return { group_id: `g-${at}`, created_at, state: "succeeded", members: 1 };
  });
  const { rows, total } = await loadRows(source([], groups), EVERYTHING, 200, NOW);
  assert.deepEqual(
    rows.map((row) => row.id),
    groups.slice(0, 200).map(({ group_id }) => group_id),
  );
  assert.equal(total, 300);
});

test("filtered runs stand for themselves", async () => {
  const from = source([entry("m1", { group_id: "g" })]);
  const choice: Choice = { ...EVERYTHING, filter: { status: "succeeded" } };
  const { rows } = await loadRows(from, choice, 10, NOW);
  assert.equal(rows[0]?.id, "m1");
  assert.equal(from.asked.length, 1);
});

test("a page of 10,000 runs says that there are more", async () => {
  const runs = Array.from({ length: 10_000 }, (_, at) => entry(`run-${at}`));
  const { rows, total } = await loadRows(source(runs), EVERYTHING, 200, NOW);
  assert.deepEqual([rows.length, total], [200, 10_000]);
});

test("runs are grouped in the order in which they come", () => {
  const rows = [
    runRow(entry("a"), true, NOW),
    runRow(entry("b", { model_family: "linear_svc" }), true, NOW),
    runRow(entry("c"), true, NOW),
  ];
  const groups = grouped(rows, "model");
  assert.deepEqual(
    groups.map(({ label, description }) => [label, description]),
    [
      ["random_forest", "2"],
      ["linear_svc", "1"],
    ],
  );
});

test("in Restricted Mode runs are read from their files", async () => {
  const files = new RunFiles(join(VECTORS, "runs/v0.4.0"));
  const { runs, total } = await files.request("list", {});
  assert.equal(runs.length, total);
  const index = JSON.parse(readFileSync(join(VECTORS, "runs/v0.4.0/.runforge/index.json"), "utf8"));
  assert.equal(runs[0]?.run_id, index.runs.at(-1).run_id);
  const succeeded = runs.find((run) => run.status === "succeeded") as RunEntry;
  const shown = await files.request("show", { run: succeeded.run_id });
  assert.equal(shown.status, "succeeded");
  assert.ok(shown.request && shown.result);
  await assert.rejects(files.request("train", {} as never), /Restricted Mode/);
});

test("an index cannot lead out of the workspace in Restricted Mode", async () => {
  const outside = folder();
  writeFileSync(join(outside, "run.json"), '{"secret": true}');
  const workspace = folder();
  mkdirSync(join(workspace, ".runforge/runs"), { recursive: true });
  symlinkSync(outside, join(workspace, ".runforge/runs/linked"));
  const runs = [
    { run_id: "up", run_dir: `../${outside.split("/").at(-1)}` },
    { run_id: "absolute", run_dir: outside },
    { run_id: "linked", run_dir: ".runforge/runs/linked" },
    { run_id: 5, run_dir: "x" },
    { run_id: "strange", run_dir: "x", name: { toString: "x" } },
    null,
  ];
  writeFileSync(join(workspace, ".runforge/index.json"), JSON.stringify({ runs }));
  const files = new RunFiles(workspace);
  assert.equal((await files.request("list", {})).total, 3);
  for (const run of ["up", "absolute", "linked"])
    assert.equal((await files.request("show", { run })).run, undefined, run);
});

test("an index that cannot be read is not an empty list in Restricted Mode", async () => {
  const workspace = folder();
  const files = new RunFiles(workspace);
  assert.equal((await files.request("list", {})).total, 0);
  mkdirSync(join(workspace, ".runforge"));
  assert.equal((await files.request("list", {})).total, 0);
  const index = join(workspace, ".runforge/index.json");
  const refusal = { name: "Refusal", message: /^\.runforge\/index\.json cannot be read\. Trust/ };
  for (const text of ["", "[]", '{"runs": 5}', "{".repeat(100_000)]) {
    writeFileSync(index, text);
    await assert.rejects(files.request("list", {}), refusal);
  }
  writeFileSync(index, '{"runs": [[]]}');
  assert.equal((await files.request("list", {})).total, 0);
  rmSync(index);
  symlinkSync(join(VECTORS, "runs/v0.4.0/.runforge/index.json"), index);
  await assert.rejects(files.request("list", {}), refusal);
});

test("an index of hundreds of megabytes is not read in Restricted Mode, which is said", async () => {
  const workspace = folder();
  mkdirSync(join(workspace, ".runforge"));
  const index = join(workspace, ".runforge/index.json");
  writeFileSync(index, "");
  truncateSync(index, 300_000_000);
  const before = process.memoryUsage.rss();
  await assert.rejects(new RunFiles(workspace).request("list", {}), {
    name: "Refusal",
    message: /has 300 MB; in Restricted Mode up to 16 MB are read/,
  });
  assert.ok(process.memoryUsage.rss() - before < 100_000_000);
});
