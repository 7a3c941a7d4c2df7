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
  for (const [token] of text.matchAll(/"(?:[^"\\]|\\.)*"|[[\]{}]/g)) {
    if (token === "[" || token === "{") depth += 1;
    else if (token === "]" || token === "}") depth -= 1;
    if (depth > MAX_DEPTH)
      throw new RunForgeError(
        "JSON_TOO_DEEP",
        `The document is nested more than ${MAX_DEPTH} levels deep.`,
      );
  }
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
      if (/\p{Surrogate}/u.test(node.value))
        throw new RunForgeError("JSON_STRING_INVALID", "A string contains a lone surrogate.");
  }
}
