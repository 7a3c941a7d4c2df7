// The order of keys in which documents are written.
import { DOCUMENTS, SHAPES } from "./generated/key-order.js";
import type { Json } from "./json.js";

/** Return a value with its keys in the order of the schema; unknown keys follow the known ones. */
export function inSchemaOrder(value: Json, name: string): Json {
  return order(value, DOCUMENTS[name]!);
}

function order(value: Json, index: number): Json {
  if (typeof value !== "object" || value === null) return value;
  const [keys, others, items] = SHAPES[index]!;
  if (Array.isArray(value)) return value.map((item) => order(item, items));
  const known = Object.keys(keys).filter((key) => Object.hasOwn(value, key));
  const unknown = Object.keys(value).filter((key) => !Object.hasOwn(keys, key));
  return Object.fromEntries([
    ...known.map((key) => [key, order(value[key]!, keys[key]!)] as const),
    ...unknown.map((key) => [key, order(value[key]!, others)] as const),
  ]);
}
