// A difference between types and schemas is reported, with the command that repairs it.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

const HERE = fileURLToPath(new URL("..", import.meta.url));
const WORKSPACE = join(HERE, "..");
const ROOT = join(WORKSPACE, "../../..");

for (const [what, file, from, to] of [
  [
    "a type edited by hand",
    "packages/runforge-contracts/typescript/contracts/types.d.ts",
    "notes?:",
    "notes:",
  ],
  ["a renamed value", "schemas/common.v1.json", '"balanced"', '"even"'],
  [
    "a field made optional",
    "schemas/metrics.phase2.json",
    /"required": \[\s*"accuracy",/,
    '"required": [',
  ],
]) {
  test(`${what} is found`, (t) => {
    const root = mkdtempSync(join(tmpdir(), "runforge-types-"));
    t.after(() => rmSync(root, { recursive: true }));
    const here = join(root, "packages/runforge-contracts/typescript/contracts");
    cpSync(join(ROOT, "schemas"), join(root, "schemas"), { recursive: true });
    for (const name of ["generate.mjs", "types.d.ts"]) cpSync(join(HERE, name), join(here, name));
    symlinkSync(join(WORKSPACE, "node_modules"), join(here, "node_modules"));
    const check = () =>
      spawnSync(process.execPath, [join(here, "generate.mjs"), "--check"], { encoding: "utf8" });
    assert.equal(check().status, 0, check().stderr);

    const before = readFileSync(join(root, file), "utf8");
    const after = before.replace(from, to);
    assert.notEqual(after, before);
    writeFileSync(join(root, file), after);
    const found = check();
    assert.equal(found.status, 1);
    assert.match(found.stderr, /types\.d\.ts .* run `make generate`/);
  });
}
