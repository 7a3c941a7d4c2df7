/**
 * Read, check, edit and write RunForge documents. This entry point works on strings and bytes and
 * runs in browsers; `@runforge/client/node` adds `load` and `save` for files.
 *
 * @module
 */
export type * from "@runforge/contracts";
export { edit, encode, type Format, type Loaded, parse } from "./documents.js";
export { RunForgeError } from "./errors.js";
export { isObject, type Json, type JsonObject, MAX_DEPTH, parseJson } from "./json.js";
export { removeAt, setAt } from "./pointers.js";
export { formatDuration, primaryMetric } from "./results.js";
export { validate } from "./validation.js";
export { parseYaml } from "./yaml.js";
