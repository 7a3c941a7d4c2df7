// Real documents of every kind, assigned to their types and compiled strictly: what a document may
// hold, its type must be able to hold.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

const HERE = fileURLToPath(new URL(".", import.meta.url));
const ROOT = join(HERE, "../../..");
const VECTORS = join(ROOT, "docs/test-vectors");

// Name of the type of each schema, and the schema of each file of a run.
const types = new Map();
const byFile = new Map();
for (const folder of ["", "tfc/"]) {
  for (const file of readdirSync(join(ROOT, "schemas", folder)).filter((name) => name.endsWith(".json"))) {
    const schema = JSON.parse(readFileSync(join(ROOT, "schemas", folder, file), "utf8"));
    if (schema.type !== "object") continue;
    const name = `${folder.replace("/", ".")}${basename(file, ".json")}`;
    types.set(name, schema.title);
    // Documents that say their version need no file name, and a file is called alike in both kinds of run.
    if (schema["x-runforge-file"]) byFile.set(`${folder}${schema["x-runforge-file"]}`, name);
  }
}

/** Give each JSON document of the sound vectors with the name of its schema. */
function* documents() {
  for (const path of readdirSync(VECTORS, { recursive: true, encoding: "utf8" })) {
    const sound = /^[^/]+\.json$/.test(path) || /^runs\/[lv]/.test(path) || /^experiments\/sound\//.test(path);
    if (!sound || path === "manifest.json" || path.includes("unknown-fields")) continue;
    const texts = path.endsWith(".json")
      ? [readFileSync(join(VECTORS, path), "utf8")]
      : path.endsWith("metrics.jsonl") || path.endsWith("events.jsonl")
        ? readFileSync(join(VECTORS, path), "utf8").split("\n").slice(0, -1) // the last may be cut off
        : [];
    for (const text of texts) {
      const name = schemaOf(path, JSON.parse(text));
      if (name) yield [path, name, text];
    }
  }
}

function schemaOf(path, document) {
  const file = basename(path);
  if (file === "events.jsonl") return "events.v1";
  if (file === "metrics.jsonl") return "tfc.metrics_entry.v1";
  const named = [...types.keys()].find((name) => file.startsWith(`${name}.`));
  const within = path.startsWith("experiments/") ? `tfc/${file}` : file;
  return named ?? (types.has(document.schema_version) ? document.schema_version : byFile.get(within));
}

test("every document of every kind fits its type", (t) => {
  const folder = mkdtempSync(join(tmpdir(), "runforge-documents-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const all = [...documents()];
  const told = new Set(all.map(([, name]) => name));
  // The other two are YAML.
  const missing = [...types.keys()].filter((name) => !told.has(name) && !/^tfc\.(config|experiment)\./.test(name));
  assert.deepEqual(missing, []);
  const lines = all.map(
    ([path, name, text], number) => `// ${path}\nexport const d${number}: types.${types.get(name)} = ${text};`,
  );
  // Values of every kind, where any value may stand.
  const values = ["1", "1.5", '"text"', "true", "null", "[1, null]", '{"a": 1}'];
  for (const value of values) {
    lines.push(
      `export const f${lines.length}: types.VerificationFinding = { check: "files", rule: "a.b", message: "m", expected: ${value}, found: ${value} };`,
      `export const r${lines.length}: types.RecordedValue = { value: ${value} };`,
      `export const m${lines.length}: types.TfcMetricsEntryV1 = { parameter: "p", value: ${value} };`,
    );
  }
  writeFileSync(join(folder, "documents.ts"), `import type * as types from "./types.js";\n${lines.join("\n")}\n`);
  cpSync(join(HERE, "types.d.ts"), join(folder, "types.d.ts"));
  symlinkSync(join(HERE, "node_modules"), join(folder, "node_modules"));
  const { compilerOptions } = JSON.parse(readFileSync(join(HERE, "tsconfig.json"), "utf8"));
  const config = { compilerOptions: { ...compilerOptions, noEmit: true }, files: ["documents.ts"] };
  writeFileSync(join(folder, "tsconfig.json"), JSON.stringify(config));
  writeFileSync(join(folder, "package.json"), '{"type": "module"}');
  const tsc = join(HERE, "node_modules/typescript/bin/tsc");
  const done = spawnSync(process.execPath, [tsc, "--project", "."], { cwd: folder, encoding: "utf8" });
  assert.equal(done.status, 0, done.stdout.slice(0, 4000));
});
