// The TypeScript of the guide, compiled strictly and tested by the suite, step by step.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

const HERE = fileURLToPath(new URL(".", import.meta.url));
const PAGE = readFileSync(join(HERE, "../../../docs/guides/conformance.md"), "utf8");

/** Return a folder as a reader of the guide has it: settings and packages, no code yet. */
function makeFolder(t) {
  const folder = mkdtempSync(join(tmpdir(), "runforge-guide-"));
  t.after(() => rmSync(folder, { recursive: true }));
  for (const file of ["package.json", "tsconfig.json"]) {
    cpSync(join(HERE, file), join(folder, file));
  }
  symlinkSync(join(HERE, "node_modules"), join(folder, "node_modules"));
  return folder;
}

function run(folder, commands) {
  const PATH = [join(HERE, "node_modules/.bin"), process.env.PATH].join(delimiter);
  return execFileSync("sh", ["-euc", commands], {
    cwd: folder,
    encoding: "utf8",
    env: { ...process.env, PATH },
  });
}

test("each TypeScript step of the guide compiles and passes", (t) => {
  const folder = makeFolder(t);
  const sections = PAGE.split("\n### ").filter((part) => part.startsWith("TypeScript\n"));
  const steps = sections.map((part) => [...part.matchAll(/^```(\w+) (\S+)\n(.*?)^```$/gms)]);
  const taken = steps.filter((blocks) => blocks.length > 0);
  assert.equal(taken.length, 2);
  for (const blocks of taken) {
    let output = "";
    for (const [, kind, mark, text] of blocks) {
      if (kind === "sh") output = run(folder, text);
      else writeFileSync(join(folder, mark), text);
    }
    assert.match(output, /\bpassed\b/);
  }
  assert.match(run(folder, "runforge-conformance run -- node build/harness.js"), /^conformant\b/m);
});

test("the guide's harness for our own client compiles and is conformant", (t) => {
  const folder = makeFolder(t);
  const [, code] = PAGE.match(/^```ts\n(.*?)^```/ms);
  writeFileSync(join(folder, "harness.ts"), code);
  const suite = "runforge-conformance run --validate-protocol -- node build/harness.js";
  assert.match(run(folder, `tsc --project . && ${suite}`), /^conformant\b/m);
});
