// The connection and a real server, which is the `runforge` on the PATH.
import assert from "node:assert/strict";
import { copyFileSync, mkdtempSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";
import {
  type ServeClosedError,
  ServeConnection,
  ServeError,
  type ServeMethod,
  type ServeOptions,
} from "@runforge/client/serve";

const ROOT = fileURLToPath(new URL("../../../../../../", import.meta.url));
const DATA = {
  dataset: "penguins.csv",
  label: "species",
  exclude: ["island", "sex", "year"],
};
const ENDLESS = {
  ...DATA,
  model: "random_forest" as const,
  hyperparameters: { n_estimators: 1_000_000 },
};

const workspace = realpathSync(mkdtempSync(join(tmpdir(), "runforge-serve-")));
after(() => rmSync(workspace, { recursive: true }));
copyFileSync(join(ROOT, "examples/penguins.csv"), join(workspace, "penguins.csv"));

async function begin(
  t: { after(done: () => Promise<unknown>): void },
  options: ServeOptions = {},
): Promise<ServeConnection> {
  const connection = await ServeConnection.spawn({
    cwd: workspace,
    initialize: { client: { name: "test", version: "1" } },
    ...options,
  });
  t.after(() => connection.dispose());
  return connection;
}

test("a training has progress, warnings and a result", async (t) => {
  const connection = await begin(t);
  assert.equal(connection.server.workspace, workspace);
  assert.equal(connection.server.protocol_version, 1);
  const stages = new Set<string>();
  const outcome = await connection.request("train", DATA, {
    onProgress: ({ stage }) => stages.add(stage),
  });
  assert.equal(outcome.status, "succeeded");
  assert.equal(outcome.result.summary?.primary_metric?.name, "accuracy");
  assert.deepEqual(
    [...stages],
    ["reading", "preparing", "training", "evaluating", "writing", "finishing"],
  );
  const { runs, total } = await connection.request("list", { limit: 1 });
  assert.deepEqual([runs[0]?.run_id, total], [outcome.run_id, 1]);
  const { html } = await connection.request("report", { runs: ["latest"], model: false });
  assert.match(html, /^<!DOCTYPE html>/);
});

test("requests with equal parameters are kept apart", async (t) => {
  const connection = await begin(t);
  const seen = [new Set<unknown>(), new Set<unknown>()];
  await Promise.all(
    seen.map((ids) => connection.request("train", DATA, { onProgress: ({ id }) => ids.add(id) })),
  );
  assert.deepEqual(
    seen.map((ids) => ids.size),
    [1, 1],
  );
  assert.notDeepEqual(seen[0], seen[1]);
});

test("a training is cancelled by its signal, and reported to a client that watches", async (t) => {
  const connection = await begin(t);
  await connection.request("watch", { interval: 0.1 });
  const began = new Promise<string>((resolve) => {
    connection.on("runBegan", ({ run }) => resolve(run.run_id));
  });
  const ended = new Promise<string>((resolve) => {
    connection.on("runEnded", ({ run }) => resolve(`${run.run_id} ${run.status}`));
  });
  const stop = new AbortController();
  const training = connection.request("train", ENDLESS, { signal: stop.signal });
  const run = await began;
  stop.abort();
  assert.equal((await training).status, "cancelled");
  assert.equal(await ended, `${run} cancelled`);
});

test("errors have the code, the hint and the place of the command", async (t) => {
  const connection = await begin(t);
  await assert.rejects(connection.request("show", { run: "20990101" }), (error) => {
    assert(error instanceof ServeError);
    assert.deepEqual([error.code, error.number], ["RUN_NOT_FOUND", -32000]);
    assert.ok(error.error.hint);
    return true;
  });
  // @ts-expect-error `label` is required
  await assert.rejects(connection.request("train", { dataset: "penguins.csv" }), {
    code: "USAGE_INVALID",
    number: -32602,
  });
  // @ts-expect-error there is no such method
  const unknown: ServeMethod = "nothing";
  await assert.rejects(connection.request(unknown, {}), { number: -32601 });
});

test("a server that dies rejects what it has not answered", async (t) => {
  const connection = await begin(t, { onLog: () => {} });
  const training = connection.request("train", ENDLESS, {
    onProgress: ({ stage }) => {
      if (stage === "training") process.kill(connection.pid!, "SIGKILL");
    },
  });
  await assert.rejects(training, { name: "ServeClosedError" });
  assert.equal(await connection.ended, null);
});

test("a program that is missing or no server is refused", async () => {
  const refused = (error: unknown) => (error as ServeClosedError).name === "ServeClosedError";
  await assert.rejects(ServeConnection.spawn({ command: ["no-such-program"] }), refused);
  await assert.rejects(ServeConnection.spawn({ command: [process.execPath, "-e", "0"] }), refused);
  await assert.rejects(ServeConnection.spawn({ initialize: { workspace: "/none" } }), {
    code: "FILE_NOT_FOUND",
  });
});

test("the end of a session is the end of its process", async () => {
  const connection = await ServeConnection.spawn({ cwd: workspace });
  assert.equal(await connection.dispose(), 0);
  await assert.rejects(connection.request("list", {}), { name: "ServeClosedError" });
});
