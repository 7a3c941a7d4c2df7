// Writes types.d.ts from the JSON Schemas; with --check, compares the file with them.
//
// All schemas are merged into one, so that a shared definition becomes one type.
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { compile } from "json-schema-to-typescript";

const SCHEMAS = new URL("../../../../schemas/", import.meta.url);
const TARGET = new URL("types.d.ts", import.meta.url);
const BANNER =
  "// Generated from schemas/ by generate.mjs; edit the schema, then run `make generate`.";

// Conditions between fields, which types cannot express. The validator checks them.
const CONDITIONS = ["allOf", "dependentRequired", "propertyNames"];
const LEFT_OUT = new Set([
  ...CONDITIONS,
  "examples",
  "$id",
  "x-runforge-file",
  "x-runforge-format",
  "x-runforge-known-by",
  "x-runforge-sender",
]);
// Keywords whose keys are names of the contract, not keywords.
const NAMED = new Set(["properties", "patternProperties"]);
// Keywords that restrict a value. The generator would make a subschema without any of them an object;
// it allows any value.
const RESTRICTING = [
  "type",
  "$ref",
  "const",
  "enum",
  "anyOf",
  "oneOf",
  "allOf",
  "not",
  "properties",
  "items",
];
const isUnrestricted = (schema) => !RESTRICTING.some((keyword) => keyword in schema);

// The folder of the messages of `runforge serve`, which are no documents.
const SERVE = "serve/";

function definitions() {
  const all = {};
  const documents = {};
  const shared = [];
  const methods = {};
  const notifications = {};
  const files = ["", "tfc/", "field/", SERVE].flatMap((folder) =>
    readdirSync(new URL(folder, SCHEMAS)).map((name) => `${folder}${name}`),
  );
  const schemas = files
    .filter((name) => name.endsWith(".json"))
    .sort()
    .map((file) => [file, JSON.parse(readFileSync(new URL(file, SCHEMAS), "utf8"))]);
  titles = Object.fromEntries(
    schemas.map(([, schema]) => [schema.$id.split("/").at(-1), schema.title]),
  );
  for (const [file, schema] of schemas) {
    const { $defs = {}, ...document } = schema;
    const name = file.replace("/", ".").replace(/\.json$/, "");
    if (file.startsWith(SERVE)) {
      const { method, result } = document.properties ?? {};
      if (method) (result ? methods : notifications)[method.const] = document.title;
    } else if (document.type === "object") documents[name] = document.title;
    else shared.push(name);
    const found = document.type === "object" ? { ...$defs, [document.title]: document } : $defs;
    for (const [title, definition] of Object.entries(found)) {
      if (title in all) throw new Error(`${file}: ${title} is also defined in another schema`);
      all[title] = local(definition);
    }
  }
  return { all, documents, shared, methods, notifications };
}

// The title of each schema by the last part of its URL.
let titles = {};

function local(value) {
  if (Array.isArray(value)) return value.map(local);
  if (value === null || typeof value !== "object") return value;
  if (typeof value.$ref === "string") {
    const whole = titles[value.$ref];
    const place = whole ? `#/$defs/${whole}` : value.$ref.replace(/^[^#]*#/, "#");
    const reference = { $ref: place };
    // A description beside a reference would make a separate type.
    return value.description ? { description: value.description, allOf: [reference] } : reference;
  }
  const composed = (value.allOf ?? []).find((part) => !("if" in part));
  if (composed) throw new Error(`allOf contains more than conditions: ${JSON.stringify(composed)}`);
  const schema = Object.fromEntries(
    Object.entries(value)
      .filter(([key]) => !LEFT_OUT.has(key))
      .map(([key, entry]) => [key, NAMED.has(key) ? localValues(entry) : local(entry)]),
  );
  return isUnrestricted(value) ? { ...schema, tsType: "unknown" } : schema;
}

function localValues(named) {
  return Object.fromEntries(Object.entries(named).map(([name, schema]) => [name, local(schema)]));
}

const member = (name) => (/^\w+$/.test(name) ? name : `"${name}"`);

const { all, documents, shared, methods, notifications } = definitions();
const text = await compile({ title: "Unused", $defs: all }, "Unused", {
  bannerComment: BANNER,
  ignoreMinAndMaxItems: true,
  unreachableDefinitions: true,
  format: true,
  style: { printWidth: 100 },
});
const types = text
  .replace(/export interface Unused \{[^}]*\}\n/, "")
  .replace(
    /\n \*\n \* This interface was referenced by `Unused`'s JSON-Schema\n \* via the `definition` "\w+"\./g,
    "",
  )
  .replace(/\/\*\*\n \*\/\n/g, "")
  .concat(
    "\n/**\n * The type of every document by its name.\n */\nexport interface Documents {\n",
    ...Object.entries(documents).map(([name, type]) => `  "${name}": ${type};\n`),
    "}\n\n/**\n * Name of a document, which is the name of its schema.\n */\n",
    "export type DocumentName = keyof Documents;\n",
    "\n/**\n * Name of a document, or of a schema of definitions that documents share.\n */\n",
    `export type SchemaName = DocumentName | ${shared.map((name) => `"${name}"`).join(" | ")};\n`,
    "\n/**\n * Every method of `runforge serve`, with its parameters and its result.\n */\n",
    "export interface ServeMethods {\n",
    ...Object.entries(methods).map(([name, type]) => `  ${member(name)}: ${type};\n`),
    "}\n\n/**\n * Every notification of `runforge serve` and of its clients.\n */\n",
    "export interface ServeNotifications {\n",
    ...Object.entries(notifications).map(([name, type]) => `  ${member(name)}: ${type};\n`),
    "}\n",
  );

if (process.argv.includes("--check")) {
  if (readFileSync(TARGET, "utf8") !== types) {
    console.error("types.d.ts does not follow from schemas/: run `make generate` and commit both.");
    process.exitCode = 1;
  }
} else {
  writeFileSync(TARGET, types);
}
