// Which Python is looked at, and which one is used.
import assert from "node:assert/strict";
import { chmodSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import {
  inspectInterpreter,
  interpreters,
  isOlder,
  safeEnvironment,
  whyNot,
} from "../src/server/interpreters.ts";
import { folder, PYTHON } from "./places.ts";

const everything = () => true;

test("interpreters are looked at in the documented order, each one once", () => {
  const found = interpreters(
    { extension: "/env/python", setting: "/set/python", folder: "/w", path: "/usr/bin:/bin" },
    everything,
  );
  assert.deepEqual(
    found.map(({ origin, path }) => [origin, path]),
    [
      ["extension", "/env/python"],
      ["setting", "/set/python"],
      ["workspace", "/w/.venv/bin/python"],
      ["path", "/usr/bin/python3"],
      ["path", "/usr/bin/python"],
    ],
  );
});

test("a folder of the workspace on the path is not searched", () => {
  const found = interpreters({ path: ":.:bin:/usr/bin" }, everything);
  assert.deepEqual(
    found.map(({ path }) => path),
    ["/usr/bin/python3", "/usr/bin/python"],
  );
});

test("a setting may be a name on the path or relative to the workspace", () => {
  const named = interpreters({ setting: "python3.12", path: "/usr/bin" }, everything);
  assert.equal(named[0]?.path, "/usr/bin/python3.12");
  const relative = interpreters({ setting: "env/bin/python", folder: "/w" }, everything);
  assert.equal(relative[0]?.path, "/w/env/bin/python");
});

test("a setting that is no name on the path is not used, and its reason is known", async () => {
  const [named] = interpreters({ setting: "python3.99", path: "/usr/bin" }, () => false);
  assert.equal(named?.path, "python3.99");
  const reason = whyNot(await inspectInterpreter(named as never, folder()));
  assert.equal(reason, "It could not be started: it is not on the path.");
});

test("Python starts without what leads to modules of the workspace", () => {
  const safe = safeEnvironment({ PATH: "/bin", PYTHONPATH: ".", PYTHONSTARTUP: "start.py" });
  assert.equal(safe["PYTHONPATH"], undefined);
  assert.equal(safe["PYTHONSTARTUP"], undefined);
  assert.equal(safe["PYTHONSAFEPATH"], "1");
  assert.equal(safe["PATH"], "/bin");
});

test("a Python with RunForge is used", async () => {
  const found = await inspectInterpreter({ path: PYTHON, origin: "path" }, folder());
  assert.equal(whyNot(found), undefined);
  assert.match(found.runforge ?? "", /^\d+\.\d+/);
});

test("a reason is given for each Python that is not used", async () => {
  const here = folder();
  const pretend = async (output: string) => {
    const path = join(here, `python${output.length}`);
    writeFileSync(path, `#!/bin/sh\necho '${output}'\n`);
    chmodSync(path, 0o755);
    return whyNot(await inspectInterpreter({ path, origin: "setting" }, here));
  };
  assert.match((await pretend('{"python": "3.9.2", "runforge": null}')) ?? "", /needs 3\.11/);
  assert.match((await pretend('{"python": "3.12.0", "runforge": null}')) ?? "", /no RunForge/);
  assert.match((await pretend('{"python": "3.12.0", "runforge": "0.3.9"}')) ?? "", /0\.3\.9/);
  assert.match((await pretend("hello")) ?? "", /could not be started/);
  const none = await inspectInterpreter({ path: join(here, "none"), origin: "setting" }, here);
  assert.match(whyNot(none) ?? "", /could not be started/);
});

test("versions are compared by their numbers", () => {
  assert.equal(isOlder("0.3.10", "0.4.0"), true);
  assert.equal(isOlder("0.10.0", "0.4.0"), false);
  assert.equal(isOlder("0.4.0", "0.4.0"), false);
  assert.equal(isOlder("0.4", "0.4.0"), false);
});
