// The shared vectors, read as a TypeScript client would: validated by Ajv, then typed.
import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { basename } from "node:path";
import { test } from "node:test";
import { Ajv2020, type ValidateFunction } from "ajv/dist/2020.js";
import type { MetricsPhase2, RequestV1, ResultV1, RunV040 } from "./types.js";

const ROOT = new URL("../../../../", import.meta.url);
const SCHEMAS = new URL("schemas/", ROOT);
const VECTORS = new URL("docs/test-vectors/", ROOT);

// Strict, so that a keyword nobody knows or a pattern that is no ECMAScript is an error. The types
// beside `minimum` and the like stand in the schema that a condition narrows.
const ajv = new Ajv2020({
  strict: true,
  strictTypes: false,
  strictRequired: false,
  allowUnionTypes: true,
  allErrors: true,
});
ajv.addKeyword("x-runforge-file");
ajv.addKeyword("x-runforge-format");
const schemas = new Map<string, { additionalProperties?: unknown; examples?: unknown[] }>();
for (const folder of ["", "tfc/"]) {
  for (const file of readdirSync(new URL(folder, SCHEMAS)).filter((name) => name.endsWith(".json"))) {
    const schema = JSON.parse(readFileSync(new URL(`${folder}${file}`, SCHEMAS), "utf8"));
    ajv.addSchema(schema);
    schemas.set(`${folder.replace("/", ".")}${basename(file, ".json")}`, schema);
  }
}
const names = [...schemas.keys()];

function validator<T>(name: string): ValidateFunction<T> {
  const found = ajv.getSchema<T>(`https://runforge.dev/schemas/${name}.json`);
  assert(found, name);
  return found as ValidateFunction<T>;
}

function read(path: string): unknown {
  return JSON.parse(readFileSync(new URL(path, VECTORS), "utf8"));
}

// Sound documents; what is broken on purpose is the conformance suite's.
const vectors = readdirSync(VECTORS, { recursive: true, encoding: "utf8" }).filter((path) =>
  /^([^/]+\.[^/]+|runs\/[lv].*)\.json$/.test(path),
);

const byFile: Record<string, string> = {
  "request.json": "request.v1",
  "result.json": "result.v1",
  "metrics.json": "metrics.phase2",
};

function schemaOf(path: string, document: unknown): string {
  const version = (document as { schema_version?: string }).schema_version;
  const byName = names.find((name) => basename(path).startsWith(`${name}.`));
  const name = byName ?? version ?? byFile[basename(path)];
  assert(name, `${path} does not say what it is`);
  return name;
}

for (const path of vectors) {
  const document = read(path);
  const name = schemaOf(path, document);
  const closed = schemas.get(name)!.additionalProperties === false;
  const refused = path.endsWith(".unknown-fields.json") && closed;
  test(`${path} is ${refused ? "refused" : "valid"}`, () => {
    const validate = validator(name);
    assert.equal(validate(document), !refused, JSON.stringify(validate.errors));
  });
}

for (const name of names) {
  test(`the examples of ${name} are valid`, () => {
    for (const example of schemas.get(name)!.examples ?? []) {
      const validate = validator(name);
      assert(validate(example), JSON.stringify(validate.errors));
    }
  });
}

test("a request is typed after validation and keeps what the types do not know", () => {
  const request = read("request.v1.unknown-fields.json");
  assert(validator<RequestV1>("request.v1")(request));
  const changed: RequestV1 = { ...request, preset: "thorough" };
  assert.deepEqual(changed["future_object"], { b: 1, a: { deep: [{ er: [] }] } });
  assert.deepEqual(Object.keys(changed), Object.keys(request));
});

test("a result tells its error or its metrics", () => {
  const result = read("result.v1.failed.json");
  assert(validator<ResultV1>("result.v1")(result));
  assert.equal(result.error?.type, "ZeroDivisionError");
  assert.equal(result.summary?.primary_metric?.value, undefined);
});

/** Canonical JSON (RFC 8785): what the index's chain and run ids are digests of. */
function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(",")}]`;
  if (value === null || typeof value !== "object") return JSON.stringify(value);
  const members = Object.entries(value).sort(([left], [right]) => (left < right ? -1 : 1));
  return `{${members.map(([key, item]) => `${JSON.stringify(key)}:${canonical(item)}`).join(",")}}`;
}

test("canonical JSON is what this language makes of it", () => {
  const { cases } = read("canonical/cases.json") as {
    cases: { description: string; json: string; canonical: string }[];
  };
  assert(cases.length > 20);
  for (const { description, json, canonical: expected } of cases) {
    assert.equal(canonical(JSON.parse(json)), expected, description);
  }
});

test("wrong documents are refused", () => {
  const validate = validator<RequestV1>("request.v1");
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

// What follows is checked by the compiler; each line must be an error, or the build fails.
export const wrong = {
  // @ts-expect-error A preset that does not exist.
  preset: { preset: "quick" } satisfies Pick<RequestV1, "preset">,
  // @ts-expect-error A required field is missing.
  missing: { accuracy: 0.5, num_samples: 1 } satisfies MetricsPhase2,
  // @ts-expect-error The document is closed.
  closed: { accuracy: 0.5, num_samples: 1, num_features: 1, f1: 1 } satisfies MetricsPhase2,
  // @ts-expect-error Absent is not undefined.
  absent: { name: undefined } satisfies Pick<RequestV1, "name">,
  // @ts-expect-error A label is an integer or a text.
  label: { classes: [true] } satisfies Pick<RunV040, "classes">,
};
