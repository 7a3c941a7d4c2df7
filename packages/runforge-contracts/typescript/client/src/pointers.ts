// Changes of values by JSON Pointer (RFC 6901).
import { RunForgeError } from "./errors.js";
import { isObject, type Json, type JsonObject } from "./json.js";

/** Set a value in place; in an array, an index replaces an item and `-` appends one. */
export function setAt(document: JsonObject, pointer: string, value: Json): void {
  const [parent, last] = locate(document, pointer);
  if (Array.isArray(parent)) {
    parent[last === "-" ? parent.length : indexOf(parent, last, pointer)] = value;
  } else {
    // Assignment would set the prototype for the key `__proto__`.
    Object.defineProperty(parent, last, {
      value,
      enumerable: true,
      configurable: true,
      writable: true,
    });
  }
}

/** Remove a value in place. */
export function removeAt(document: JsonObject, pointer: string): void {
  const [parent, last] = locate(document, pointer);
  if (Array.isArray(parent)) {
    parent.splice(indexOf(parent, last, pointer), 1);
  } else {
    if (!Object.hasOwn(parent, last)) throw invalid(pointer);
    delete parent[last];
  }
}

export function escapePart(part: string): string {
  return part.replaceAll("~", "~0").replaceAll("/", "~1");
}

/** Return the container that a pointer ends in, and the last part of the pointer. */
function locate(document: JsonObject, pointer: string): [Json[] | JsonObject, string] {
  if (!pointer.startsWith("/") || /~(?![01])/.test(pointer)) throw invalid(pointer);
  const parts = pointer
    .slice(1)
    .split("/")
    .map((part) => part.replaceAll("~1", "/").replaceAll("~0", "~"));
  const last = parts.pop()!;
  let parent: Json | undefined = document;
  for (const part of parts) {
    if (Array.isArray(parent)) parent = parent[toIndex(part)];
    else parent = isObject(parent) && Object.hasOwn(parent, part) ? parent[part] : undefined;
  }
  if (!Array.isArray(parent) && !isObject(parent)) throw invalid(pointer);
  return [parent, last];
}

function indexOf(array: Json[], part: string, pointer: string): number {
  const index = toIndex(part);
  if (index < 0 || index >= array.length) throw invalid(pointer);
  return index;
}

function toIndex(part: string): number {
  return /^(?:0|[1-9]\d*)$/.test(part) ? Number(part) : -1;
}

function invalid(pointer: string): RunForgeError {
  return new RunForgeError(
    "POINTER_INVALID",
    `The document has no value at ${JSON.stringify(pointer)}.`,
    pointer,
  );
}
