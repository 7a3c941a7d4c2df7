// The TypeScript of the guide, compiled strictly and run as it stands on the page, with the package as
// it is installed.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

const HERE = fileURLToPath(new URL(".", import.meta.url));
const ROOT = join(HERE, "../../..");

test("the guide's TypeScript compiles, runs and changes one line", (t) => {
  const page = readFileSync(join(ROOT, "docs/guides/read-and-write-runs.md"), "utf8");
  const code = [...page.matchAll(/^```ts\n(.*?)^```/gms)].map((match) => match[1]).join("\n");
  const folder = mkdtempSync(join(tmpdir(), "runforge-guide-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const run = (program, ...args) => execFileSync(program, args, { cwd: folder, encoding: "utf8" });
  writeFileSync(join(folder, "guide.ts"), code);
  writeFileSync(join(folder, "package.json"), '{"type": "module"}');
  const modules = join(folder, "node_modules");
  mkdirSync(join(modules, "@runforge/contracts"), { recursive: true });
  for (const name of ["@types", "ajv"]) {
    symlinkSync(join(HERE, "node_modules", name), join(modules, name));
  }
  run("npm", "pack", HERE, "--silent");
  const archive = readdirSync(folder).find((name) => name.endsWith(".tgz"));
  run("tar", "-xzf", archive, "-C", "node_modules/@runforge/contracts", "--strip-components=1");

  const { compilerOptions } = JSON.parse(readFileSync(join(HERE, "tsconfig.json"), "utf8"));
  const config = { compilerOptions, files: ["guide.ts"] };
  writeFileSync(join(folder, "tsconfig.json"), JSON.stringify(config));
  run(process.execPath, join(HERE, "node_modules/typescript/bin/tsc"), "--project", ".");

  const vectors = join(ROOT, "docs/test-vectors");
  const before = readFileSync(join(vectors, "request.v1.full.json"), "utf8");
  writeFileSync(join(folder, "request.json"), `\uFEFF${before}`);
  cpSync(join(vectors, "run.v0.4.0.full.json"), join(folder, "run.json"));
  const output = run(process.execPath, "build/guide.js");
  assert.match(output, /^20260201-120000-abc12345 0\.95 /);
  const after = readFileSync(join(folder, "request.json"), "utf8");
  assert.equal(after, before.replace('"preset": "custom"', '"preset": "thorough"'));
});
