// Which file is which document, and what is found in it; with the bundle that the editor loads.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { test } from "node:test";
import { type DocumentKind, documentKind, locate } from "../src/documents/document-kinds.ts";
import { summaryText } from "../src/documents/document-summary.ts";
import { HERE, VECTORS } from "./places.ts";

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
