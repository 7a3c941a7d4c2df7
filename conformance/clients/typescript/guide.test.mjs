// The TypeScript harness of the guide, compiled strictly and tested by the suite.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

const HERE = fileURLToPath(new URL(".", import.meta.url));

test("the guide's TypeScript harness compiles and is conformant", (t) => {
  const page = readFileSync(join(HERE, "../../../docs/guides/conformance.md"), "utf8");
  const [, code] = page.match(/^```ts\n(.*?)^```/ms);
  const folder = mkdtempSync(join(tmpdir(), "runforge-guide-"));
  t.after(() => rmSync(folder, { recursive: true }));
  writeFileSync(join(folder, "harness.ts"), code);
  for (const file of ["package.json", "tsconfig.json"]) {
    cpSync(join(HERE, file), join(folder, file));
  }
  symlinkSync(join(HERE, "node_modules"), join(folder, "node_modules"));
  const run = (program, ...args) => execFileSync(program, args, { cwd: folder, encoding: "utf8" });
  run(process.execPath, "node_modules/typescript/bin/tsc", "--project", ".");
  const suite = ["-m", "runforge_conformance", "run", "--validate-protocol", "--"];
  const output = run("python", ...suite, process.execPath, "build/harness.js");
  assert.match(output, /^conformant: \d{3,} passed/m);
});
