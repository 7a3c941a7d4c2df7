// The shared test vectors, validated by Ajv and then typed, as a TypeScript client reads them.
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { basename } from "node:path";
import { test } from "node:test";
import type {
  DocumentName,
  Documents,
  MetricsPhase2,
  RequestV1,
  ResultV1,
  RunV040,
  Strict,
} from "@runforge/contracts";
import { schemas } from "@runforge/contracts/schemas";
import { Ajv2020, type ValidateFunction } from "ajv/dist/2020.js";

const VECTORS = new URL("../../../../../../../docs/test-vectors/", import.meta.url);

// Strict, so that an unknown keyword or a pattern that is no ECMAScript is an error. The types that
// belong to `minimum` and the like are in the schema that a condition narrows.
const ajv = new Ajv2020({
  strict: true,
  strictTypes: false,
  strictRequired: false,
  allowUnionTypes: true,
  allErrors: true,
});
ajv.addKeyword("x-runforge-file");
ajv.addKeyword("x-runforge-format");
ajv.addKeyword("x-runforge-known-by");
for (const schema of Object.values(schemas)) ajv.addSchema(schema);
const names = Object.keys(schemas) as DocumentName[];

function validator<Name extends DocumentName>(name: Name): ValidateFunction<Documents[Name]> {
  const found = ajv.getSchema<Documents[Name]>(`https://runforge.dev/schemas/${name}.json`);
  assert(found, name);
  return found as ValidateFunction<Documents[Name]>;
}

function read(path: string): unknown {
  return JSON.parse(readFileSync(new URL(path, VECTORS), "utf8"));
}

// Valid documents only; the conformance suite has the invalid ones.
const vectors = readdirSync(VECTORS, { recursive: true, encoding: "utf8" }).filter((path) =>
  /^([^/]+\.[^/]+|runs\/[lv].*)\.json$/.test(path),
);

const byFile: Record<string, DocumentName> = {
  "request.json": "request.v1",
  "result.json": "result.v1",
  "metrics.json": "metrics.phase2",
};

function schemaOf(path: string, document: unknown): DocumentName {
  const version = (document as { schema_version?: DocumentName }).schema_version;
  const byName = names.find((name) => basename(path).startsWith(`${name}.`));
  const name = byName ?? version ?? byFile[basename(path)];
  assert(name, `${path}: the document type is unknown`);
  return name;
}

for (const path of vectors) {
  const document = read(path);
  const name = schemaOf(path, document);
  const closed = schemas[name]["additionalProperties"] === false;
  const refused = path.endsWith(".unknown-fields.json") && closed;
  test(`${path} is ${refused ? "refused" : "valid"}`, () => {
    const validate = validator(name);
    assert.equal(validate(document), !refused, JSON.stringify(validate.errors));
  });
}

for (const name of names) {
  test(`the examples of ${name} are valid`, () => {
    for (const example of (schemas[name]["examples"] ?? []) as unknown[]) {
      const validate = validator(name);
      assert(validate(example), JSON.stringify(validate.errors));
    }
  });
}

test("the schema of shared definitions has a typed name", () => {
  assert.equal(schemas["provenance.v1"].$id, "https://runforge.dev/schemas/provenance.v1.json");
});

test("a request is typed after validation and keeps unknown members", () => {
  const request = read("request.v1.unknown-fields.json");
  assert(validator("request.v1")(request));
  const changed: RequestV1 = { ...request, preset: "thorough" };
  assert.deepEqual(changed["future_object"], { b: 1, a: { deep: [{ er: [] }] } });
  assert.deepEqual(Object.keys(changed), Object.keys(request));
});

test("a result has an error or metrics", () => {
  const result = read("result.v1.failed.json");
  assert(validator("result.v1")(result));
  assert.equal(result.error?.type, "ZeroDivisionError");
  assert.equal(result.summary?.primary_metric?.value, undefined);
});

/** Canonical JSON (RFC 8785): the index's chain and run ids are digests of it. */
function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(",")}]`;
  if (value === null || typeof value !== "object") return JSON.stringify(value);
  const members = Object.entries(value).sort(([left], [right]) => (left < right ? -1 : 1));
  return `{${members.map(([key, item]) => `${JSON.stringify(key)}:${canonical(item)}`).join(",")}}`;
}

test("canonical JSON of every case is as expected", () => {
  const { cases } = read("canonical/cases.json") as {
    cases: { description: string; json: string; canonical: string }[];
  };
  assert(cases.length > 20);
  for (const { description, json, canonical: expected } of cases) {
    assert.equal(canonical(JSON.parse(json)), expected, description);
  }
});

test("wrong documents are refused", () => {
  const validate = validator("request.v1");
  const request = read("request.v1.min.json") as Record<string, unknown>;
  for (const change of [
    { preset: "quick" },
    { version: 2 },
    { seed: 1.5 },
    { created_at: "2026-02-01T12:00:00Z\n" },
    { dataset: null },
  ]) {
    assert(!validate({ ...request, ...change }), JSON.stringify(change));
  }
});

// The compiler checks what follows; each line must be an error, or the build fails.
export const wrong = {
  // @ts-expect-error A preset that does not exist.
  preset: { preset: "quick" } satisfies Pick<RequestV1, "preset">,
  // @ts-expect-error A required field is missing.
  missing: { accuracy: 0.5, num_samples: 1 } satisfies MetricsPhase2,
  // @ts-expect-error The document is closed.
  closed: { accuracy: 0.5, num_samples: 1, num_features: 1, f1: 1 } satisfies MetricsPhase2,
  // @ts-expect-error Absent is not undefined.
  absent: { name: undefined } satisfies Pick<RequestV1, "name">,
  // @ts-expect-error A label is an integer or a string.
  label: { classes: [true] } satisfies Pick<RunV040, "classes">,
  // @ts-expect-error A typo in the name of a property.
  typo: { version: 1, status: "cancelled", duration_ms: 1, duraton: 1 } satisfies Strict<ResultV1>,
  // @ts-expect-error A typo further down.
  nested: { model: { family: "linear_svc", familly: 1 } } satisfies Pick<
    Strict<RequestV1>,
    "model"
  >,
  // @ts-expect-error A typo in an item of an array.
  item: { pipeline_steps: [{ name: "a", type: "b", module: "c", modul: "" }] } satisfies Pick<
    Strict<Documents["artifact_inspection.v0.2.2.2"]>,
    "pipeline_steps"
  >,
  // @ts-expect-error There is no such document.
  name: "request.v9" satisfies DocumentName,
};

// These lines must compile: a strict value is a document, a document is good enough for a writer, and
// maps accept any key.
const result: Strict<ResultV1> = { version: 1, status: "cancelled", duration_ms: 1 };
const model: Strict<RequestV1>["model"] = { family: "linear_svc", hyperparameters: { C: 2 } };
export const right = {
  document: result satisfies ResultV1,
  written: ((read: RequestV1): Strict<RequestV1> => ({ ...read, model }))({} as RequestV1),
  read: ((read: Documents["run.v0.4.0"]): Strict<RunV040> => read)({} as RunV040),
};
