// Which file is which document, and what is found in it; with the bundle that the editor loads.
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { test } from "node:test";
import { type DocumentKind, documentKind, locate } from "../src/documents/document-kinds.ts";
import { summaryText } from "../src/documents/document-summary.ts";
import { HERE, ROOT, VECTORS } from "./places.ts";

const { Ajv2020 } = createRequire(
  join(ROOT, "packages/runforge-contracts/typescript/package.json"),
)("ajv/dist/2020.js");

const { checkDocument, editDocument } = createRequire(import.meta.url)(
  join(HERE, "dist/documents.cjs"),
) as typeof import("../src/documents/check-document.ts");

const read = (name: string) => readFileSync(join(VECTORS, name), "utf8");
const kindOf = (path: string) => documentKind(path) as DocumentKind;

test("documents are known by their paths", () => {
  assert.equal(kindOf("/w/request.json").runs, "request");
  assert.equal(kindOf("/w/first.request.json").runs, "request");
  assert.equal(kindOf("/w/sweep_plan.json").runs, "plan");
  assert.equal(kindOf("/w/.runforge/runs/r1/request.json").run, "r1");
  assert.equal(kindOf("/w/.runforge/runs/r1/request.json").runs, undefined);
  assert.equal(kindOf("C:\\w\\.runforge\\runs\\r1\\run.json").run, "r1");
  assert.equal(kindOf("/w/.runforge/groups/g/group.json").sweep, "g");
  assert.equal(kindOf("/w/experiments/mlp.yaml").runs, "experiment");
  assert.equal(kindOf("/w/penguins.recipe.json").schema, "recipe.v1");
  assert.equal(kindOf("/w/.runforge/runs/r1/artifacts/recipe.v1.json").schema, "recipe.v1");
  for (const path of [
    "/w/run.json",
    "/w/.recipe.json",
    "/w/package.json",
    "/w/.runforge/runs/r/constructor",
  ])
    assert.equal(documentKind(path), undefined, path);
});

test("every vector of a request is valid, with fields from the future, too", () => {
  for (const form of ["min", "full", "unknown-fields"]) {
    const text = read(`request.v1.${form}.json`);
    const { error, schema } = checkDocument(text, kindOf("/w/request.json"));
    assert.equal(error, undefined);
    assert.equal(schema, "request.v1");
  }
});

test("a document that names its schema is compared with that one", () => {
  const kind = kindOf("/w/.runforge/runs/r/run.json");
  const checked = checkDocument(read("run.v0.4.0.full.json"), kind);
  assert.equal(checked.schema, "run.v0.4.0");
  assert.equal(checked.error, undefined);
  assert.equal(checkDocument('{"schema_version": "run.v9"}', kind).error?.code, "DOCUMENT_UNKNOWN");
});

test("the records of early clients are valid as what they are", () => {
  const checked = (path: string) => {
    const file = `/w/${path.slice(path.indexOf("/.") + 1)}`;
    const { error, schema } = checkDocument(read(path), kindOf(file));
    return [schema, error?.message];
  };
  const store = "field/editor-extension-0.4.3/.runforge";
  assert.deepEqual(
    [
      `${store}/runs/20260120-090000-94bb4314/run.json`,
      `${store}/runs/20260120-090200-94bb4314/run.json`,
      `${store}/index.json`,
      "field/desktop-1.0/.ml/runs/20260120-100100-My run 1-0001/run.json",
    ].map(checked),
    [
      ["field.editor_run.v0.2.2.1", undefined],
      ["run.v0.3.6", undefined],
      ["field.editor_index.v0.2.2.1", undefined],
      ["field.desktop_run.v1", undefined],
    ],
  );
});

test("a document that does not say what it is, or says it in no text, is refused", () => {
  const kind = kindOf("/w/.runforge/runs/r/run.json");
  for (const text of [
    "{}",
    "5",
    "[]",
    '{"schema_version": {"toString": 1}}',
    '{"schema_version": 5}',
  ]) {
    const { error } = checkDocument(text, kind);
    assert.equal(error?.code, "DOCUMENT_UNKNOWN", text);
    assert.match(error?.message ?? "", /"schema_version"/);
  }
});

test("the editor compares each version of a record with the schema of that version", () => {
  const ajv = new Ajv2020({ strict: false, validateFormats: false });
  const add = (name: string) =>
    ajv.addSchema(JSON.parse(readFileSync(join(HERE, "schemas", name), "utf8")), `s:///${name}`);
  for (const name of readdirSync(join(HERE, "schemas"), { recursive: true, encoding: "utf8" }))
    if (name.endsWith(".json")) add(name);
  const isValid = (schema: string, text: string) =>
    ajv.getSchema(`s:///any/${schema}.json`)?.(JSON.parse(text));
  for (const version of ["0.2.2.1", "0.3.3", "0.3.6", "0.4.0"]) {
    const text = read(`run.v${version}.full.json`);
    assert.equal(isValid("run", text), true, version);
    assert.equal(isValid("run", text.replace('"run_id"', '"other"')), false, version);
  }
  const store = "field/editor-extension-0.4.3/.runforge";
  const run = read(`${store}/runs/20260120-090000-94bb4314/run.json`);
  assert.equal(isValid("run", run), true);
  assert.equal(isValid("index", read(`${store}/index.json`)), true);
  assert.equal(isValid("index", read("index.v1.full.json")), true);
  assert.equal(isValid("index", "{}"), false);
});

test("an invalid document has a code and a place", () => {
  const text = read("request.v1.min.json").replace("balanced", "balancedd");
  const { error } = checkDocument(text, kindOf("/w/request.json"));
  assert.equal(error?.code, "DOCUMENT_INVALID");
  const { from, to } = locate(text, error as never, "json");
  assert.equal(text.slice(from, to), '"preset"');
});

test("what other programs read differently is found", () => {
  const twice = read("request.v1.min.json").replace("{", '{"preset": "fast",');
  const { error } = checkDocument(twice, kindOf("/w/request.json"));
  assert.equal(error?.code, "JSON_DUPLICATE_KEY");
});

test("experiments are checked as YAML", () => {
  const kind = kindOf("/w/experiments/e.yaml");
  assert.equal(checkDocument(read("tfc.experiment.v1.full.yaml"), kind).error, undefined);
  assert.ok(checkDocument("name: [", kind).error);
  assert.ok(checkDocument("{}", kind).error);
});

test("the summary of a document has its main values", () => {
  const { summary } = checkDocument(
    read("result.v1.full.json"),
    kindOf("/w/.runforge/runs/r/result.json"),
  );
  assert.equal(summary["status"], "succeeded");
  assert.match(summaryText(summary), /^status: succeeded, duration: .+\.$/);
  assert.equal(summaryText({ name: "", tags: [], error: null }), "");
});

test("an edited document keeps what its schema does not know", () => {
  const kind = kindOf("/w/request.json");
  const text = read("request.v1.unknown-fields.json");
  const changed = editDocument(text, kind, { "/preset": "thorough" });
  const { preset: _, ...before } = JSON.parse(text);
  const { preset, ...after } = JSON.parse(changed);
  assert.equal(preset, "thorough");
  assert.deepEqual(after, before);
  assert.throws(() => editDocument(text, kind, { "/preset": "none" }), {
    code: "DOCUMENT_INVALID",
  });
});
