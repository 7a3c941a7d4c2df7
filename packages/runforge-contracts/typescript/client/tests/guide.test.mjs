// The TypeScript of the guide, compiled strictly and run with the packages as they are installed.
import assert from "node:assert/strict";
import { cpSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { compile, project, ROOT } from "./packed.mjs";

test("the guide's TypeScript compiles, runs and changes one line", (t) => {
  const page = readFileSync(join(ROOT, "docs/guides/read-and-write-runs.md"), "utf8");
  const code = [...page.matchAll(/^```ts\n(.*?)^```/gms)].map((match) => match[1]).join("\n");
  const fresh = project(t);
  writeFileSync(join(fresh.folder, "guide.ts"), code);
  compile(fresh, ["guide.ts"]);

  const vectors = join(ROOT, "docs/test-vectors");
  const before = readFileSync(join(vectors, "request.v1.full.json"), "utf8");
  writeFileSync(join(fresh.folder, "request.json"), `\uFEFF${before}`);
  cpSync(join(vectors, "run.v0.4.0.full.json"), join(fresh.folder, "run.json"));
  assert.match(fresh.node("guide.js"), /^20260201-120000-abc12345 0\.95 /);
  const after = readFileSync(join(fresh.folder, "request.json"), "utf8");
  assert.equal(after, before.replace('"preset": "custom"', '"preset": "thorough"'));
});
