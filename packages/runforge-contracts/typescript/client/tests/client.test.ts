// The client's functions on the shared vectors and on invalid input.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import {
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import {
  type Documents,
  edit,
  encode,
  formatDuration,
  type Json,
  load,
  MAX_DEPTH,
  parse,
  parseJson,
  parseYaml,
  primaryMetric,
  type RequestV1,
  type ResultV1,
  RunForgeError,
  save,
  validate,
} from "@runforge/client/node";

const VECTORS = fileURLToPath(new URL("../../../../../../docs/test-vectors/", import.meta.url));
const FULL = join(VECTORS, "request.v1.full.json");

function rejected(code: string, pointer?: string): (error: unknown) => boolean {
  return (error) => {
    assert(error instanceof RunForgeError, String(error));
    assert.deepEqual([error.code, error.pointer], [code, pointer]);
    return true;
  };
}

function folder(t: { after(done: () => void): void }): string {
  const path = mkdtempSync(join(tmpdir(), "runforge-client-"));
  t.after(() => rmSync(path, { recursive: true }));
  return path;
}

test("an edit changes one line of a file", (t) => {
  const path = join(folder(t), "request.json");
  const before = readFileSync(FULL, "utf8");
  writeFileSync(path, `\ufeff${before}`);
  const { document, warnings } = load("request.v1", path);
  const family: RequestV1["model"]["family"] = document.model.family;
  assert.deepEqual([family, warnings], ["logistic_regression", []]);
  save("request.v1", path, edit("request.v1", document, { "/preset": "thorough" }));
  const after = readFileSync(path, "utf8");
  assert.equal(after, before.replace('"preset": "custom"', '"preset": "thorough"'));
  assert.equal(document.preset, "custom");
});

test("unknown members are kept, and encoding is stable", () => {
  const before = readFileSync(join(VECTORS, "request.v1.unknown-fields.json"), "utf8");
  const after = encode("request.v1", parse("request.v1", before).document);
  assert.deepEqual(JSON.parse(after), JSON.parse(before));
  assert.equal(encode("request.v1", parse("request.v1", after).document), after);
});

test("a document that is invalid is not written, and no file is left", (t) => {
  const path = folder(t);
  const { document } = load("request.v1", FULL);
  const invalid = { ...document, seed: 1.5 };
  assert.throws(
    () => save("request.v1", join(path, "request.json"), invalid),
    rejected("DOCUMENT_INVALID", "/seed"),
  );
  assert.deepEqual(readdirSync(path), []);
});

test("a file that cannot be replaced leaves no temporary file", (t) => {
  const path = folder(t);
  const { document } = load("request.v1", FULL);
  assert.throws(
    () => save("request.v1", join(path, "missing", "request.json"), document),
    rejected("STORE_NOT_WRITABLE"),
  );
  assert.deepEqual(readdirSync(path), []);
});

test("a file that is missing or not regular is an error of the contract", (t) => {
  const path = folder(t);
  assert.throws(() => load("request.v1", join(path, "none.json")), rejected("FILE_NOT_FOUND"));
  assert.throws(() => load("request.v1", path), rejected("FILE_UNSAFE"));
  if (process.platform === "win32") return;
  const [link, pipe] = [join(path, "link.json"), join(path, "pipe.json")];
  symlinkSync(FULL, link);
  assert.throws(() => load("request.v1", link), rejected("FILE_UNSAFE"));
  execFileSync("mkfifo", [pipe]);
  assert.throws(() => load("request.v1", pipe), rejected("FILE_UNSAFE"));
});

test("a document that no reader would accept is neither made nor written", (t) => {
  const path = join(folder(t), "request.json");
  const { document } = load("request.v1", FULL);
  let deep: Json = 1;
  for (let level = 0; level < MAX_DEPTH; level += 1) deep = [deep];
  const unreadable: [string, Json][] = [
    ["NUMBER_INVALID", Number.NaN],
    ["NUMBER_INVALID", [{ x: Number.POSITIVE_INFINITY }]],
    ["STRING_INVALID", "\ud83d"],
    ["STRING_INVALID", { "\ude00": 1 }],
    ["TOO_DEEP", deep],
  ];
  for (const [code, value] of unreadable) {
    const pointer = "/model/hyperparameters/C";
    assert.throws(
      () => edit("request.v1", document, { [pointer]: value }),
      rejected(`JSON_${code}`),
    );
    const changed: RequestV1 = { ...document, new: value };
    assert.throws(() => save("request.v1", path, changed), rejected(`JSON_${code}`));
    assert.throws(() => encode("request.v1", changed, "yaml"), rejected(`YAML_${code}`));
  }
  assert.throws(() => load("request.v1", path), rejected("FILE_NOT_FOUND"));
});

test("a newer version is neither made nor written", () => {
  const unsupported = rejected("DOCUMENT_VERSION_UNSUPPORTED", "/version");
  const newer = '{"version": 2, "status": "cancelled", "duration_ms": 1}';
  const { document } = parse("result.v1", newer);
  assert.throws(() => encode("result.v1", document), unsupported);
  assert.throws(() => edit("result.v1", document, { "/run_id": "a" }), unsupported);
  const request = load("request.v1", FULL).document;
  assert.throws(() => edit("request.v1", request, { "/version": 2 }), unsupported);
});

test("long strings are read, and a hostile one is refused at once", () => {
  const text = readFileSync(FULL, "utf8").trimEnd().slice(0, -1);
  const long = "x".repeat(2e7);
  assert.equal(parse("request.v1", `${text}, "new": "${long}"}`).document["new"], long);
  const quotes = '\\"'.repeat(500_000);
  assert.throws(() => parse("request.v1", `${text}, "new": "${quotes}`), rejected("JSON_INVALID"));
  const large = new Uint8Array(64 * 2 ** 20 + 1);
  assert.throws(() => parse("request.v1", large), rejected("JSON_TOO_LARGE"));
  const config = " ".repeat(2 ** 20 + 1);
  assert.throws(() => parse("tfc.config.v1", config, "yaml"), rejected("YAML_TOO_LARGE"));
  // As many bytes as are read, in a third as many characters.
  const wide = `# ${"名".repeat(2 ** 20 / 3)}`;
  assert.throws(() => parse("tfc.config.v1", wide, "yaml"), rejected("YAML_TOO_LARGE"));
});

test("a document that is larger than what is read is not written", (t) => {
  const { document } = load("request.v1", FULL);
  for (const [form, size] of [
    ["yaml", 2 ** 20],
    ["json", 64 * 2 ** 20],
  ] as const) {
    const path = join(folder(t), `request.${form}`);
    save("request.v1", path, document);
    const changed: RequestV1 = { ...document, new: "\n".repeat(size / 2) };
    const code = `${form.toUpperCase()}_TOO_LARGE`;
    assert.throws(() => save("request.v1", path, changed), rejected(code));
    assert.deepEqual(load("request.v1", path).document, document);
  }
});

test("an edit that would make the document invalid is rejected", () => {
  const { document } = load("request.v1", FULL);
  for (const [changes, code, pointer] of [
    [{ "/model/family": "forest" }, "DOCUMENT_INVALID", "/model/family"],
    [{ "/dataset": undefined }, "DOCUMENT_INVALID", "/dataset"],
    [{ "/absent": undefined }, "POINTER_INVALID", "/absent"],
    [{ "/tags/99": "x" }, "POINTER_INVALID", "/tags/99"],
    [{ "/tags/00": "x" }, "POINTER_INVALID", "/tags/00"],
    [{ "/tags/2": "x" }, "POINTER_INVALID", "/tags/2"],
    [{ "/a~b": "x" }, "POINTER_INVALID", "/a~b"],
    [{ preset: "fast" }, "POINTER_INVALID", "preset"],
  ] as const) {
    assert.throws(() => edit("request.v1", document, changes), rejected(code, pointer));
  }
});

test("edits append to arrays, remove from them, and treat __proto__ as any other key", () => {
  const { document } = parse("request.v1", readFileSync(FULL));
  const tags = document.tags ?? [];
  assert.deepEqual(edit("request.v1", document, { "/tags/-": "new" }).tags, [...tags, "new"]);
  assert.deepEqual(edit("request.v1", document, { "/tags/0": undefined }).tags, tags.slice(1));
  const edited = edit("request.v1", document, { "/__proto__": { x: 1 } });
  assert(Object.hasOwn(edited, "__proto__"));
  assert.match(encode("request.v1", edited), /"__proto__": \{\n {4}"x": 1/);
});

test("strict JSON", () => {
  assert.throws(() => parseJson('{"a": 1, "\\u0061": 2}'), rejected("JSON_DUPLICATE_KEY"));
  assert.throws(() => parseJson('"\\ud800"'), rejected("JSON_STRING_INVALID"));
  assert.throws(() => parseJson("1e999"), rejected("JSON_NUMBER_INVALID"));
  assert.throws(() => parseJson("[1,]"), rejected("JSON_INVALID"));
  assert.throws(() => parseJson("[".repeat(1e6)), rejected("JSON_TOO_DEEP"));
  assert.throws(
    () => parse("request.v1", new Uint8Array([0x22, 0xff, 0x22])),
    rejected("JSON_ENCODING_INVALID"),
  );
  const deepest = "[".repeat(MAX_DEPTH) + "]".repeat(MAX_DEPTH);
  assert.equal(JSON.stringify(parseJson(deepest)), deepest);
});

test("YAML is read and written as YAML", (t) => {
  const path = join(folder(t), "config.yaml");
  writeFileSync(path, readFileSync(join(VECTORS, "tfc.config.v1.full.yaml")));
  const { document } = load("tfc.config.v1", path);
  save("tfc.config.v1", path, document);
  assert.deepEqual(load("tfc.config.v1", path).document, document);
  assert.throws(() => parse("tfc.config.v1", "a: !!js x", "yaml"), rejected("YAML_TAG_REFUSED"));
  assert.throws(() => parse("tfc.config.v1", "a: 1\na: 2", "yaml"), rejected("YAML_DUPLICATE_KEY"));
  assert.throws(() => parse("tfc.config.v1", "a: 1\ra: 2", "yaml"), rejected("YAML_DUPLICATE_KEY"));
  assert.deepEqual(parseYaml('a: "b\r\n\r c"\rd: |\r\n e\r f\r'), { a: "b\nc", d: "e\nf\n" });
});

test("a newer result is read with a warning; other unknown versions are rejected", () => {
  const { warnings } = parse(
    "result.v1",
    '{"version": 2, "status": "cancelled", "duration_ms": 1}',
  );
  assert.deepEqual(warnings, ["The document has version 2; this client knows version 1."]);
  assert.throws(
    () => parse("request.v1", '{"version": 2}'),
    rejected("DOCUMENT_VERSION_UNSUPPORTED", "/version"),
  );
  assert.throws(
    () => parse("run.v0.4.0", '{"schema_version": "run.v9"}'),
    rejected("DOCUMENT_VERSION_UNSUPPORTED", "/schema_version"),
  );
});

test("a name that is no document is rejected", () => {
  for (const name of ["request.v9", "constructor"] as unknown as "request.v1"[]) {
    assert.throws(() => parse(name, "{}"), rejected("DOCUMENT_UNKNOWN"));
  }
});

test("a key that every JavaScript object inherits is an unknown key", () => {
  const text = encode("request.v1", {
    ...load("request.v1", FULL).document,
    ...{ constructor: { b: 1, a: 2 } },
  } as RequestV1);
  assert.match(text, /"constructor": \{\n {4}"b": 1,\n {4}"a": 2\n {2}\}\n\}\n$/);
});

test("the primary metric and durations", () => {
  const named = (metrics: Record<string, number>): unknown =>
    primaryMetric({ summary: { metrics } as NonNullable<ResultV1["summary"]> })?.name;
  assert.equal(named({ zeta: 1, loss: 2 }), "loss");
  assert.equal(named({ "\u{1f600}": 1, "\uff5e": 2 }), "\uff5e");
  assert.equal(named({}), undefined);
  const shown = [999, 1000, 1050, 1250, 59_950, 60_000, 3_600_000].map(formatDuration);
  assert.deepEqual(shown, ["999ms", "1.0s", "1.1s", "1.3s", "60.0s", "1.0m", "1.0h"]);
});

test("validate narrows a value to the type of the document", () => {
  const value: unknown = { version: 1, status: "cancelled", duration_ms: 1 };
  validate("result.v1", value);
  assert.equal(value.status satisfies Documents["result.v1"]["status"], "cancelled");
});

// The compiler checks what follows; each line must be an error, or the build fails.
export const wrong = [
  // @ts-expect-error There is no such document.
  () => load("request.v9", "request.json"),
  // @ts-expect-error The document is a request, not a result.
  () => load("request.v1", "request.json").document.status.length,
  // @ts-expect-error A typo in the name of a property.
  () => save("result.v1", "r", { version: 1, status: "cancelled", duration_ms: 1, eror: {} }),
];
