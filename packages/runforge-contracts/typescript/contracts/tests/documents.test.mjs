// Documents of every kind, compiled as values of their types: types must allow all valid documents.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import {
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

const HERE = fileURLToPath(new URL("..", import.meta.url));
const WORKSPACE = join(HERE, "..");
const ROOT = join(WORKSPACE, "../../..");
const VECTORS = join(ROOT, "docs/test-vectors");

// Name of the type of each schema, and the schema of each file of a run.
const types = new Map();
const byFile = new Map();
for (const folder of ["", "tfc/"]) {
  for (const file of readdirSync(join(ROOT, "schemas", folder)).filter((name) =>
    name.endsWith(".json"),
  )) {
    const schema = JSON.parse(readFileSync(join(ROOT, "schemas", folder, file), "utf8"));
    if (schema.type !== "object") continue;
    const name = `${folder.replace("/", ".")}${basename(file, ".json")}`;
    types.set(name, schema.title);
    // Documents with a version need no file name; files of both kinds of run can have the same name.
    if (schema["x-runforge-file"]) byFile.set(`${folder}${schema["x-runforge-file"]}`, name);
  }
}

/** Yield each JSON document of the valid vectors with the name of its schema. */
function* documents() {
  for (const path of readdirSync(VECTORS, { recursive: true, encoding: "utf8" })) {
    const sound =
      /^[^/]+\.json$/.test(path) || /^runs\/[lv]/.test(path) || /^experiments\/sound\//.test(path);
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
  return (
    named ?? (types.has(document.schema_version) ? document.schema_version : byFile.get(within))
  );
}

test("the type of every document allows its vectors", (t) => {
  const folder = mkdtempSync(join(tmpdir(), "runforge-documents-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const all = [...documents()];
  const found = new Set(all.map(([, name]) => name));
  // The other two are YAML.
  const missing = [...types.keys()].filter(
    (name) => !found.has(name) && !/^tfc\.(config|experiment)\./.test(name),
  );
  assert.deepEqual(missing, []);
  const lines = all.map(
    ([path, name, text], number) =>
      `// ${path}\nexport const d${number}: types.${types.get(name)} = ${text};`,
  );
  // Values of every type, where the schema allows any value.
  const values = ["1", "1.5", '"string"', "true", "null", "[1, null]", '{"a": 1}'];
  for (const value of values) {
    lines.push(
      `export const f${lines.length}: types.VerificationFinding = { check: "files", rule: "a.b", message: "m", expected: ${value}, found: ${value} };`,
      `export const r${lines.length}: types.RecordedValue = { value: ${value} };`,
      `export const m${lines.length}: types.ExperimentMetricsEntryV1 = { parameter: "p", value: ${value} };`,
    );
  }
  writeFileSync(
    join(folder, "documents.ts"),
    `import type * as types from "@runforge/contracts";\n${lines.join("\n")}\n`,
  );
  symlinkSync(join(WORKSPACE, "node_modules"), join(folder, "node_modules"));
  const { compilerOptions } = JSON.parse(
    readFileSync(join(WORKSPACE, "tsconfig.base.json"), "utf8"),
  );
  const config = { compilerOptions: { ...compilerOptions, noEmit: true }, files: ["documents.ts"] };
  writeFileSync(join(folder, "tsconfig.json"), JSON.stringify(config));
  writeFileSync(join(folder, "package.json"), '{"type": "module"}');
  const tsc = join(WORKSPACE, "node_modules/typescript/bin/tsc");
  const done = spawnSync(process.execPath, [tsc, "--project", "."], {
    cwd: folder,
    encoding: "utf8",
  });
  assert.equal(done.status, 0, done.stdout.slice(0, 4000));
});
