// JSON values, and a strict parser and encoder for them.
import { type AnyNode, parse } from "@humanwhocodes/momoa";
import { RunForgeError } from "./errors.js";

export type Json = null | boolean | number | string | Json[] | JsonObject;
export interface JsonObject {
  [key: string]: Json;
}

/** How deeply a document may be nested. */
export const MAX_DEPTH = 64;

export function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Parse JSON and reject what parsers read differently: duplicate keys, lone surrogates, overflow. */
export function parseJson(text: string): Json {
  checkDepth(text);
  try {
    checkNode(parse(text, { mode: "json" }).body);
    return JSON.parse(text);
  } catch (error) {
    if (error instanceof RunForgeError) throw error;
    throw new RunForgeError(
      "JSON_INVALID",
      `The document is not JSON: ${(error as Error).message}`,
    );
  }
}

export function encodeJson(value: Json): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}

/** Count brackets, so that no recursive parser runs on a document that is nested too deeply. */
function checkDepth(text: string): void {
  let depth = 0;
  let quoted = false;
  // One pass: a regular expression overflows on a long string, and starts again at each quote of
  // one that does not end.
  for (let index = 0; index < text.length; index += 1) {
    const character = text[index];
    if (quoted) {
      if (character === "\\") index += 1;
      else if (character === '"') quoted = false;
    } else if (character === '"') quoted = true;
    else if (character === "[" || character === "{") depth += 1;
    else if (character === "]" || character === "}") depth -= 1;
    if (depth > MAX_DEPTH) throw tooDeep("JSON");
  }
}

/** Throw for a value that no reader accepts once it is written. */
export function checkValue(value: Json | undefined, form: "JSON" | "YAML", depth = 0): void {
  if (typeof value === "number" && !Number.isFinite(value))
    throw new RunForgeError(`${form}_NUMBER_INVALID`, "A number is not finite.");
  if (typeof value === "string") checkString(value, form);
  if (typeof value !== "object" || value === null) return;
  if (depth >= MAX_DEPTH) throw tooDeep(form);
  if (Array.isArray(value)) {
    for (const item of value) checkValue(item, form, depth + 1);
    return;
  }
  for (const [key, member] of Object.entries(value)) {
    checkString(key, form);
    checkValue(member, form, depth + 1);
  }
}

/** Return a copy that shares no object with the value. */
export function copy(value: Json): Json {
  if (Array.isArray(value)) return value.map(copy);
  if (!isObject(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, copy(member)]));
}

function checkString(value: string, form: "JSON" | "YAML"): void {
  if (/\p{Surrogate}/u.test(value))
    throw new RunForgeError(`${form}_STRING_INVALID`, "A string contains a lone surrogate.");
}

function tooDeep(form: "JSON" | "YAML"): RunForgeError {
  const message = `The document is nested more than ${MAX_DEPTH} levels deep.`;
  return new RunForgeError(`${form}_TOO_DEEP`, message);
}

function checkNode(node: AnyNode): void {
  switch (node.type) {
    case "Object": {
      const names = new Set<string>();
      for (const member of node.members) {
        const { value: name } = member.name as { value: string };
        if (names.has(name))
          throw new RunForgeError(
            "JSON_DUPLICATE_KEY",
            `The key ${JSON.stringify(name)} appears twice in one object.`,
          );
        names.add(name);
        checkNode(member.name as AnyNode);
        checkNode(member.value as AnyNode);
      }
      break;
    }
    case "Array":
      for (const element of node.elements) checkNode(element.value as AnyNode);
      break;
    case "Number":
      if (!Number.isFinite(node.value))
        throw new RunForgeError("JSON_NUMBER_INVALID", "A number is too large for a double.");
      break;
    case "String":
      checkString(node.value, "JSON");
  }
}
