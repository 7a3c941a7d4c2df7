// Reading and writing documents of the contract: strict text, Ajv, and the schema's key order.
import { readFileSync, readdirSync, renameSync, writeFileSync } from "node:fs";
import { pathToFileURL } from "node:url";
import { type AnyNode, parse } from "@humanwhocodes/momoa";
import { Ajv2020, type ErrorObject } from "ajv/dist/2020.js";
import { encodeYaml, parseYaml } from "./yaml.js";

const FOLDER = process.env["RUNFORGE_SCHEMAS"];
const SCHEMAS = FOLDER ? pathToFileURL(`${FOLDER}/`) : new URL("../../../../schemas/", import.meta.url);
const BASE = "https://runforge.dev/schemas/";
export const MAX_DEPTH = 64;

export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };
export type JsonObject = { [key: string]: Json };
type Schema = Record<string, any>;

/** What is refused: a code of the contract, a sentence, and a JSON Pointer where there is one. */
export class Refusal extends Error {
  constructor(
    readonly code: string,
    message: string,
    readonly path?: string,
  ) {
    super(message);
  }
}

const ajv = new Ajv2020({ strict: false });
const schemas = new Map<string, Schema>();
// In the repository those of experiments have a folder of their own; their names tell it.
for (const file of readdirSync(SCHEMAS, { recursive: true, encoding: "utf8" })) {
  const name = file.replaceAll("\\", "/").replace("/", ".").replace(/\.json$/, "");
  if (name === file || name.startsWith("conformance.")) continue;
  const schema = JSON.parse(readFileSync(new URL(file, SCHEMAS), "utf8"));
  ajv.addSchema(schema);
  schemas.set(name, schema);
}

/** Read and validate a document; `warnings` tells of a version that is newer than this client. */
export function load(path: string, name: string): { document: JsonObject; warnings: string[] } {
  const text = decode(readFileSync(path), isYaml(path) ? "YAML" : "JSON");
  const value = isYaml(path) ? parseYaml(text) : parseStrictly(text);
  const warnings: string[] = [];
  if (isObject(value)) {
    const version = schemas.get(name)!.properties.schema_version?.const;
    if (version !== undefined && typeof value.schema_version === "string") {
      if (value.schema_version !== version)
        throw new Refusal("DOCUMENT_VERSION_UNSUPPORTED", "The version is unknown.", "/schema_version");
    } else if (Number.isInteger(value.version) && value.version !== 1 && "version" in schemas.get(name)!.properties) {
      if (name !== "result.v1" || (value.version as number) < 1)
        throw new Refusal("DOCUMENT_VERSION_UNSUPPORTED", "The version is unknown.", "/version");
      warnings.push(`This is version ${value.version}; version 1 is known here.`);
    }
  }
  validate(warnings.length ? { ...(value as JsonObject), version: 1 } : value, name);
  return { document: value as JsonObject, warnings };
}

/** Validate and write a document; a reader sees the old file or the new one. */
export function save(document: JsonObject, path: string, name: string): void {
  validate(document, name);
  const temporary = `${path}.${process.pid}.tmp`;
  const ordered = inOrder(document, name);
  writeFileSync(temporary, isYaml(path) ? encodeYaml(ordered) : `${JSON.stringify(ordered, null, 2)}\n`);
  renameSync(temporary, path);
}

export function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Set one place of a document, or take it away. */
export function change(document: JsonObject, pointer: string, value: Json | undefined): void {
  const wrong = new Refusal("POINTER_INVALID", `There is no place ${pointer}.`, pointer);
  if (!pointer.startsWith("/")) throw wrong;
  const parts = pointer.slice(1).split("/").map((part) => part.replaceAll("~1", "/").replaceAll("~0", "~"));
  const last = parts.pop()!;
  let parent: Json | undefined = document;
  for (const part of parts) {
    if (Array.isArray(parent)) parent = parent[Number(part)];
    else parent = isObject(parent) && Object.hasOwn(parent, part) ? parent[part] : undefined;
  }
  if (Array.isArray(parent)) {
    const index = last === "-" ? parent.length : Number(last);
    if (!Number.isInteger(index) || index > parent.length || (value === undefined && index === parent.length)) throw wrong;
    parent.splice(index, 1, ...(value === undefined ? [] : [value]));
  } else if (isObject(parent) && value !== undefined) {
    Object.defineProperty(parent, last, { value, enumerable: true, configurable: true, writable: true });
  } else if (isObject(parent) && Object.hasOwn(parent, last)) {
    delete parent[last];
  } else throw wrong;
}

function validate(value: Json, name: string): void {
  const check = ajv.getSchema(`${BASE}${name}.json`);
  if (!check) throw new Refusal("DOCUMENT_UNKNOWN", `There is no document ${name}.`);
  if (check(value)) return;
  // Of alternatives, the error that is deepest belongs to the one that was meant.
  const errors = check.errors!.filter((error) => error.keyword !== "if");
  const deepest = errors.reduce((one, other) => (depth(other) > depth(one) ? other : one), errors[0]!);
  throw new Refusal("DOCUMENT_INVALID", `${place(deepest)}: ${deepest.message}`, place(deepest));
}

function depth(error: ErrorObject): number {
  return error.instancePath.split("/").length;
}

function place(error: ErrorObject): string {
  const { missingProperty, additionalProperty, propertyName } = error.params;
  const member = missingProperty ?? additionalProperty ?? propertyName;
  if (member === undefined || error.keyword === "dependentRequired") return error.instancePath;
  return `${error.instancePath}/${escape(member)}`;
}

function escape(part: string): string {
  return part.replaceAll("~", "~0").replaceAll("/", "~1");
}

// --- text

function isYaml(path: string): boolean {
  return /\.ya?ml$/i.test(path);
}

function decode(bytes: Buffer, language: string): string {
  try {
    // Takes a byte order mark away, too.
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw new Refusal(`${language}_ENCODING_INVALID`, "The document is not UTF-8.");
  }
}

/** Parse JSON, refusing what another parser might read differently. */
function parseStrictly(text: string): Json {
  checkDepth(text);
  try {
    checkTree(parse(text, { mode: "json" }).body);
    return JSON.parse(text);
  } catch (error) {
    if (error instanceof Refusal) throw error;
    throw new Refusal("JSON_INVALID", `The document is not JSON: ${(error as Error).message}`);
  }
}

/** Count brackets before anything recurses. */
function checkDepth(text: string): void {
  let depth = 0;
  for (const [token] of text.matchAll(/"(?:[^"\\]|\\.)*"|[[\]{}]/g)) {
    if (token === "[" || token === "{") depth += 1;
    else if (token === "]" || token === "}") depth -= 1;
    if (depth > MAX_DEPTH) throw new Refusal("JSON_TOO_DEEP", "The document is nested too deeply.");
  }
}

function checkTree(node: AnyNode): void {
  switch (node.type) {
    case "Object": {
      const names = node.members.map((member) => (member.name as { value: string }).value);
      const twice = names.find((name, index) => names.indexOf(name) !== index);
      if (twice !== undefined)
        throw new Refusal("JSON_DUPLICATE_KEY", `The key ${JSON.stringify(twice)} appears twice.`);
      for (const member of node.members) {
        checkTree(member.name as AnyNode);
        checkTree(member.value as AnyNode);
      }
      break;
    }
    case "Array":
      for (const element of node.elements) checkTree(element.value as AnyNode);
      break;
    case "Number":
      if (!Number.isFinite(node.value))
        throw new Refusal("JSON_NUMBER_INVALID", "A number is too large for a double.");
      break;
    case "String":
      if (/\p{Surrogate}/u.test(node.value))
        throw new Refusal("JSON_STRING_INVALID", "A text holds half of a surrogate pair.");
  }
}

// --- order

/** Return a value with keys in the schema's order, and unknown ones after them. */
function inOrder(value: Json, name: string): Json {
  return order(value, schemas.get(name)!, schemas.get(name)!);
}

function order(value: Json, schema: Schema | undefined, root: Schema): Json {
  if (typeof value !== "object" || value === null || schema === undefined) return value;
  const parts = flatten(schema, root);
  if (Array.isArray(value)) {
    const [items, from] = parts.map(([part, file]) => [part.items, file]).find(([found]) => found) ?? [];
    return value.map((item) => order(item, items, from ?? root));
  }
  const members = new Map<string, [Schema, Schema]>();
  let others: [Schema, Schema] | undefined;
  for (const [part, file] of parts) {
    for (const [key, member] of Object.entries(part.properties ?? {})) members.set(key, [member as Schema, file]);
    if (typeof part.additionalProperties === "object") others = [part.additionalProperties, file];
  }
  const known = [...members.keys()].filter((key) => Object.hasOwn(value, key));
  const unknown = Object.keys(value).filter((key) => !members.has(key));
  return Object.fromEntries(
    [...known, ...unknown].map((key) => {
      const [member, file] = members.get(key) ?? others ?? [undefined, root];
      return [key, order(value[key]!, member, file)];
    }),
  );
}

/** Give a subschema and those that it refers to or offers, each with the file it stands in. */
function flatten(schema: Schema, root: Schema): [Schema, Schema][] {
  const found: [Schema, Schema][] = [[schema, root]];
  if (typeof schema.$ref === "string") {
    const [file, fragment] = schema.$ref.split("#/$defs/");
    const target = file ? schemas.get(file.replace(/\.json$/, ""))! : root;
    found.push(...flatten(target.$defs[fragment!], target));
  }
  for (const branch of schema.anyOf ?? []) found.push(...flatten(branch, root));
  return found;
}
