// The TypeScript of the guide, compiled strictly and run as it stands on the page.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

const HERE = fileURLToPath(new URL(".", import.meta.url));
const ROOT = join(HERE, "../../..");

test("the guide's TypeScript compiles, runs and changes one line", () => {
  const page = readFileSync(join(ROOT, "docs/guides/read-and-write-runs.md"), "utf8");
  const code = [...page.matchAll(/^```ts\n(.*?)^```/gms)].map((match) => match[1]).join("\n");
  const folder = mkdtempSync(join(tmpdir(), "runforge-guide-"));
  writeFileSync(join(folder, "guide.ts"), code);
  writeFileSync(join(folder, "package.json"), '{"type": "module"}');
  symlinkSync(join(HERE, "node_modules"), join(folder, "node_modules"));
  mkdirSync(join(folder, "contracts"));
  cpSync(join(HERE, "types.d.ts"), join(folder, "contracts/index.d.ts"));
  const compilerOptions = {
    ...JSON.parse(readFileSync(join(HERE, "tsconfig.json"), "utf8")).compilerOptions,
    paths: { "@runforge/contracts": ["./contracts/index.d.ts"] },
    outDir: "build",
  };
  writeFileSync(join(folder, "tsconfig.json"), JSON.stringify({ compilerOptions, files: ["guide.ts"] }));
  const run = (program, args) => execFileSync(process.execPath, [program, ...args], { cwd: folder, encoding: "utf8" });
  run(join(HERE, "node_modules/typescript/bin/tsc"), ["--project", "."]);

  const vectors = join(ROOT, "docs/test-vectors");
  cpSync(join(ROOT, "schemas"), join(folder, "schemas"), { recursive: true });
  const before = readFileSync(join(vectors, "request.v1.full.json"), "utf8");
  writeFileSync(join(folder, "request.json"), `\uFEFF${before}`);
  cpSync(join(vectors, "run.v0.4.0.full.json"), join(folder, "run.json"));
  const output = run("build/guide.js", []);
  assert.match(output, /^20260201-120000-abc12345 0\.95 /);
  const after = readFileSync(join(folder, "request.json"), "utf8");
  assert.equal(after, before.replace('"preset": "custom"', '"preset": "thorough"'));
});
