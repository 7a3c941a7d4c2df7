// The life of the server, with a real one.
import assert from "node:assert/strict";
import { copyFileSync, existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { setTimeout as wait } from "node:timers/promises";
import { ServeConnection } from "@runforge/client/serve";
import { reportHtml } from "../src/pages/report-html.ts";
import { EVERYTHING, loadRows } from "../src/runs/run-listing.ts";
import { MissingError, Session, type SessionState } from "../src/server/session.ts";
import { folder, PYTHON, ROOT } from "./places.ts";

const DATA = { dataset: "penguins.csv", label: "species", exclude: ["island", "sex", "year"] };

function begin(
  t: { after(done: () => Promise<void>): void },
  interpreters = [{ path: PYTHON, origin: "setting" as const }],
) {
  const workspace = folder();
  copyFileSync(join(ROOT, "examples/penguins.csv"), join(workspace, "penguins.csv"));
  const shown: string[] = [];
  const noted: string[] = [];
  const states: SessionState[] = [];
  const session = new Session({
    folder: workspace,
    version: "9.9.9",
    neutralFolder: ROOT,
    interpreters: async () => interpreters,
    log: () => {},
    note: (text) => noted.push(text),
    show: (text) => shown.push(text),
    backoff: 10,
  });
  session.onState((state) => states.push(state));
  t.after(() => session.dispose());
  return { session, workspace, shown, noted, states };
}

test("the first request starts the server, which records the extension as the client", async (t) => {
  const { session, workspace, states } = begin(t);
  writeFileSync(
    join(workspace, "json.py"),
    `open(${JSON.stringify(join(workspace, "ran"))}, "w")\n`,
  );
  const { run_id, status } = await session.request("train", DATA);
  assert.equal(status, "succeeded");
  assert.deepEqual(states, ["starting", "ready"]);
  const { request } = await session.request("show", { run: run_id });
  assert.equal(request?.["created_by"], "runforge-vscode@9.9.9");
  assert.equal(existsSync(join(workspace, "ran")), false, "a module of the workspace was imported");

  const { rows, total } = await loadRows(session, EVERYTHING, 10, Date.now());
  assert.equal(total, 1);
  assert.equal(rows[0]?.id, run_id);

  const { html } = await session.request("report", { runs: [run_id], model: false });
  const page = reportHtml(
    html,
    [{ label: "Verify", message: { action: "verify", run: run_id } }],
    "N",
  );
  assert.equal(page.match(/Content-Security-Policy/g)?.length, 1);
  assert.match(page, /default-src 'none'; script-src 'nonce-N'; style-src 'nonce-N'/);
  assert.equal(page.match(/<style nonce="N">/g)?.length, page.match(/<style/g)?.length);
  assert.match(page, /data-message="\{&quot;action&quot;:&quot;verify&quot;/);
});

test("a server that is killed is started again, and the window says so", async (t) => {
  const { session, shown, states } = begin(t);
  const { pid } = await session.start();
  const ready = new Promise<void>((resolve) =>
    session.onState((state) => state === "ready" && resolve()),
  );
  process.kill(pid as number, "SIGKILL");
  await ready;
  assert.notEqual((await session.start()).pid, pid);
  assert.deepEqual(states, ["starting", "ready", "waiting", "starting", "ready"]);
  assert.equal(shown.length, 1);
  assert.deepEqual((await session.request("list", {})).runs, []);
});

test("a server that dies again and again is left alone until the user asks", async (t) => {
  const { session, shown, states } = begin(t);
  const stopped = new Promise<void>((resolve) =>
    session.onState((state) => state === "stopped" && resolve()),
  );
  session.onState((state) => {
    if (state === "ready") void session.start().then(({ pid }) => process.kill(pid as number, 9));
  });
  await session.start();
  await stopped;
  assert.equal(states.filter((state) => state === "ready").length, 6);
  assert.match(shown.at(-1) ?? "", /not started again/);
});

test("where no Python has RunForge, nothing is started and each reason is in the log", async (t) => {
  const { session, noted, states } = begin(t, [{ path: "/nowhere/python", origin: "setting" }]);
  await assert.rejects(session.request("list", {}), MissingError);
  assert.deepEqual(states, ["starting", "missing"]);
  assert.match(noted[0] ?? "", /\/nowhere\/python/);
});

test("an endless training is cancelled and recorded", async (t) => {
  const { session } = begin(t);
  const stop = new AbortController();
  const training = session.request(
    "train",
    { ...DATA, model: "random_forest", hyperparameters: { n_estimators: 1_000_000 } },
    { signal: stop.signal, onProgress: ({ stage }) => stage === "training" && stop.abort() },
  );
  assert.equal((await training).status, "cancelled");
});

test("closing the window in the middle of a start leaves no server", async (t) => {
  const { session } = begin(t);
  const starting = session.start();
  await wait(50);
  await session.dispose();
  const connection = await starting.catch(() => undefined);
  if (connection) assert.notEqual(await connection.ended, undefined);
  assert.throws(() => session.start(), /closing/);
});

test("a server that cannot watch the workspace is ended", async (t) => {
  const { session, states } = begin(t);
  const { request } = ServeConnection.prototype;
  let server: ServeConnection | undefined;
  t.mock.method(
    ServeConnection.prototype,
    "request",
    function (this: ServeConnection, ...args: Parameters<typeof request>) {
      if (args[0] !== "watch") return request.apply(this, args);
      server = this;
      return Promise.reject(new Error("It cannot be watched."));
    },
  );
  await assert.rejects(session.request("list", {}), /cannot be watched/);
  t.after(() => server?.dispose());
  const ended = server?.ended.then(() => "ended");
  assert.equal(await Promise.race([ended, wait(10_000)]), "ended");
  assert.deepEqual(states, ["starting", "stopped"]);
});
