// Writes types.d.ts from the JSON Schemas, or checks with --check that it still follows from them.
//
// All schemas are put into one, so that a shared definition becomes one type however many documents
// refer to it.
import { readFileSync, readdirSync, writeFileSync } from "node:fs";
import { compile } from "json-schema-to-typescript";

const SCHEMAS = new URL("../../../schemas/", import.meta.url);
const TARGET = new URL("types.d.ts", import.meta.url);
const BANNER =
  "// Generated from schemas/ by generate.mjs; edit the schema, then run `make generate`.";

// What no type can say: conditions between fields. The validator checks them.
const CONDITIONS = ["allOf", "dependentRequired", "propertyNames"];
const LEFT_OUT = new Set([...CONDITIONS, "examples", "$id", "x-runforge-file", "x-runforge-format"]);
// Keywords whose keys are names of the contract, not keywords.
const NAMED = new Set(["properties", "patternProperties"]);
// Keywords that say something of what a value may be; without any of them it may be anything, which
// the generator would take for an object.
const SAYS = ["type", "$ref", "const", "enum", "anyOf", "oneOf", "allOf", "not", "properties", "items"];
const saysNothing = (schema) => !SAYS.some((keyword) => keyword in schema);

function definitions() {
  const all = {};
  const files = ["", "tfc/"].flatMap((folder) =>
    readdirSync(new URL(folder, SCHEMAS)).map((name) => `${folder}${name}`),
  );
  for (const file of files.filter((name) => name.endsWith(".json")).sort()) {
    const schema = JSON.parse(readFileSync(new URL(file, SCHEMAS), "utf8"));
    const { $defs = {}, ...document } = schema;
    const found = document.type === "object" ? { ...$defs, [document.title]: document } : $defs;
    for (const [name, definition] of Object.entries(found)) {
      if (name in all) throw new Error(`${file}: ${name} is defined elsewhere, too`);
      all[name] = local(definition);
    }
  }
  return all;
}

function local(value) {
  if (Array.isArray(value)) return value.map(local);
  if (value === null || typeof value !== "object") return value;
  if (typeof value.$ref === "string") {
    const reference = { $ref: value.$ref.replace(/^[^#]*#/, "#") };
    // A description beside a reference would make a type of its own.
    return value.description ? { description: value.description, allOf: [reference] } : reference;
  }
  const composed = (value.allOf ?? []).find((part) => !("if" in part));
  if (composed) throw new Error(`allOf holds more than conditions: ${JSON.stringify(composed)}`);
  const schema = Object.fromEntries(
    Object.entries(value)
      .filter(([key]) => !LEFT_OUT.has(key))
      .map(([key, entry]) => [key, NAMED.has(key) ? localValues(entry) : local(entry)]),
  );
  return saysNothing(value) ? { ...schema, tsType: "unknown" } : schema;
}

function localValues(named) {
  return Object.fromEntries(Object.entries(named).map(([name, schema]) => [name, local(schema)]));
}

const text = await compile({ title: "Unused", $defs: definitions() }, "Unused", {
  bannerComment: BANNER,
  ignoreMinAndMaxItems: true,
  unreachableDefinitions: true,
  format: true,
  style: { printWidth: 100 },
});
const types = text
  .replace(/export interface Unused \{[^}]*\}\n/, "")
  .replace(/\n \*\n \* This interface was referenced by `Unused`'s JSON-Schema\n \* via the `definition` "\w+"\./g, "")
  .replace(/\/\*\*\n \*\/\n/g, "");

if (process.argv.includes("--check")) {
  if (readFileSync(TARGET, "utf8") !== types) {
    console.error("types.d.ts does not follow from schemas/: run `make generate` and commit both.");
    process.exitCode = 1;
  }
} else {
  writeFileSync(TARGET, types);
}
