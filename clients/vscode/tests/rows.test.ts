// What the list shows, from entries as clients write them.
import assert from "node:assert/strict";
import { mkdirSync, readFileSync, symlinkSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import type { GroupEntry, RunEntry } from "@runforge/client";
import { RunFiles } from "../src/runs/run-files.ts";
import { type Choice, EVERYTHING, loadRows, type Source } from "../src/runs/run-listing.ts";
import { age, grouped, runFacts, runRow } from "../src/runs/run-rows.ts";
import { folder, VECTORS } from "./places.ts";

const NOW = Date.parse("2026-03-01T12:00:00Z");

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

function source(runs: RunEntry[], groups: GroupEntry[] = []): Source & { asked: unknown[] } {
  const asked: unknown[] = [];
  const request = async (method: string, params: { limit: number }) => {
    asked.push(params);
    if (method === "groups") return { groups };
    return { schema_version: "index.v1", runs: runs.slice(0, params.limit), total: runs.length };
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
    entry("m1", { created_at: "2026-03-01T10:30:00Z", group_id: "older" }),
    entry("m2", { created_at: "2026-03-01T10:29:00Z", group_id: "older" }),
    entry("r1", { created_at: "2026-03-01T09:00:00Z" }),
  ];
  const groups = [
    { group_id: "g", created_at: "2026-03-01T11:00:00Z", state: "succeeded", members: 2 },
  ];
  const from = source(runs, groups);
  const { rows } = await loadRows(from, EVERYTHING, 10, NOW);
  assert.deepEqual(
    rows.map((row) => row.id),
    ["r3", "g", "older", "r1"],
  );
  assert.deepEqual((from.asked[1] as { where: string[] }).where, ['group!="g"']);
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
  const { rows, more, total } = await loadRows(source(runs), EVERYTHING, 200, NOW);
  assert.deepEqual([rows.length, more, total], [200, true, 10_000]);
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

test("an index that cannot be read is an empty list", async () => {
  const workspace = folder();
  mkdirSync(join(workspace, ".runforge"));
  for (const text of ["", "[]", '{"runs": 5}', "{".repeat(100_000), '{"runs": [[]]}']) {
    writeFileSync(join(workspace, ".runforge/index.json"), text);
    assert.equal((await new RunFiles(workspace).request("list", {})).total, 0);
  }
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
