// Documents from and to strings.
import type { DocumentName, Documents, Strict } from "@runforge/contracts";
import { schemas } from "@runforge/contracts/schemas";
import { RunForgeError } from "./errors.js";
import {
  checkValue,
  copy,
  encodeJson,
  isObject,
  type Json,
  type JsonObject,
  parseJson,
} from "./json.js";
import { inSchemaOrder } from "./order.js";
import { removeAt, setAt } from "./pointers.js";
import { validate } from "./validation.js";
import { encodeYaml, parseYaml } from "./yaml.js";

export type Format = "json" | "yaml";

/** Largest documents that are read, in bytes; an index grows with its store. */
const MAX_BYTES = { json: 64 * 2 ** 20, yaml: 2 ** 20 };
const MAX_INDEX_BYTES = 256 * 2 ** 20;

export interface Loaded<Name extends DocumentName> {
  document: Documents[Name];
  /** A sentence if the document has a newer version than this client knows. */
  warnings: string[];
}

/**
 * Parse and validate a document. Members that the schema does not know are kept.
 *
 * @throws {RunForgeError} If the source cannot be read without loss, or the document is invalid.
 */
export function parse<Name extends DocumentName>(
  name: Name,
  source: string | Uint8Array,
  format: Format = "json",
): Loaded<Name> {
  checkSize(name, source, format);
  const text = decode(source, format);
  const value = format === "yaml" ? parseYaml(text) : parseJson(text);
  const newer = newerVersion(value, name);
  validate(name, newer === undefined ? value : { ...(value as JsonObject), version: 1 });
  return {
    document: value as unknown as Documents[Name],
    warnings:
      newer === undefined
        ? []
        : [`The document has version ${newer}; this client knows version 1.`],
  };
}

/**
 * Validate a document and encode it as files contain it: keys in the order of the schema, two
 * spaces of indentation, one newline at the end.
 *
 * @throws {RunForgeError} If no reader would accept it: it is invalid, has a newer version, a number
 *   that is not finite, half of a surrogate pair, more than 64 levels, or too many bytes.
 */
export function encode<Name extends DocumentName>(
  name: Name,
  document: Strict<Documents[Name]>,
  format: Format = "json",
): string {
  const form = format === "yaml" ? "YAML" : "JSON";
  checkWritable(name, document as unknown as Json, form);
  const ordered = inSchemaOrder(document as unknown as Json, name);
  const json = encodeJson(ordered);
  checkSize(name, json, format);
  if (format === "json") return json;
  const yaml = encodeYaml(ordered);
  checkSize(name, yaml, format);
  return yaml;
}

/**
 * Return a changed copy of a document.
 *
 * @param changes New values by JSON Pointer, applied in order; `undefined` removes a value.
 * @throws {RunForgeError} If a pointer leads nowhere, or `encode` would refuse the result for anything but its size.
 */
export function edit<Name extends DocumentName>(
  name: Name,
  document: Documents[Name],
  changes: Readonly<Record<string, Json | undefined>>,
): Documents[Name] {
  const edited = copy(document as unknown as Json) as JsonObject;
  for (const [pointer, value] of Object.entries(changes)) {
    if (value === undefined) removeAt(edited, pointer);
    else setAt(edited, pointer, copy(value));
  }
  checkWritable(name, edited, "JSON");
  return edited as unknown as Documents[Name];
}

/** Throw for a document that is larger than what is read; a number is its size in bytes. */
export function checkSize(
  name: DocumentName,
  source: string | Uint8Array | number,
  format: Format,
): void {
  const bytes = typeof source === "number" ? source : bytesOf(source);
  const most = name === "index.v1" ? MAX_INDEX_BYTES : MAX_BYTES[format];
  if (bytes > most)
    throw new RunForgeError(
      `${format.toUpperCase()}_TOO_LARGE`,
      `The document has ${bytes} bytes, more than the ${most} that are read.`,
    );
}

function bytesOf(source: string | Uint8Array): number {
  return typeof source === "string" ? new TextEncoder().encode(source).length : source.byteLength;
}

/** Throw unless readers of this version accept the document once it is written. */
function checkWritable(name: DocumentName, value: Json, form: "JSON" | "YAML"): void {
  checkValue(value, form);
  const newer = newerVersion(value, name);
  if (newer !== undefined) throw unsupported("version", newer, 1);
  validate(name, value);
}

function decode(source: string | Uint8Array, format: Format): string {
  if (typeof source === "string") return source.replace(/^\ufeff/, "");
  try {
    // The decoder removes a byte order mark.
    return new TextDecoder("utf-8", { fatal: true }).decode(source);
  } catch {
    throw new RunForgeError(
      `${format.toUpperCase()}_ENCODING_INVALID`,
      "The document is not UTF-8.",
    );
  }
}

/** Return the version of a document that is newer but readable; throw for an unknown version. */
function newerVersion(value: Json, name: DocumentName): number | undefined {
  const { properties } = Object.hasOwn(schemas, name) ? schemas[name] : {};
  if (!isObject(value) || properties === undefined) return undefined;
  const expected = properties["schema_version"]?.["const"];
  const { schema_version: found, version } = value;
  if (expected !== undefined && typeof found === "string") {
    if (found !== expected) throw unsupported("schema_version", found, expected);
  } else if (Number.isInteger(version) && version !== 1 && "version" in properties) {
    if (name !== "result.v1" || (version as number) < 1) throw unsupported("version", version, 1);
    return version as number;
  }
  return undefined;
}

function unsupported(member: string, found: unknown, expected: unknown): RunForgeError {
  return new RunForgeError(
    "DOCUMENT_VERSION_UNSUPPORTED",
    `/${member} is ${JSON.stringify(found)}; this client knows ${JSON.stringify(expected)}.`,
    `/${member}`,
  );
}
