/**
 * All of `@runforge/client`, and `load` and `save` for files.
 *
 * @module
 */
import { randomUUID } from "node:crypto";
import { chmodSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import type { DocumentName, Documents, Strict } from "@runforge/contracts";
import { encode, type Format, type Loaded, parse } from "./documents.js";

export * from "./index.js";

/**
 * Read and validate a file; `.yaml` and `.yml` are YAML, any other name is JSON.
 *
 * @throws {RunForgeError} If the file cannot be read without loss, or the document is invalid.
 */
export function load<Name extends DocumentName>(name: Name, path: string): Loaded<Name> {
  return parse(name, readFileSync(path), formatOf(path));
}

/**
 * Validate and write a document. Readers see the old file or the complete new one, which keeps the
 * permissions of the old one.
 *
 * @throws {RunForgeError} If the document is invalid; then nothing is written.
 */
export function save<Name extends DocumentName>(
  name: Name,
  path: string,
  document: Strict<Documents[Name]>,
): void {
  const text = encode(name, document, formatOf(path));
  const temporary = `${path}.${randomUUID()}.tmp`;
  try {
    const old = statSync(path, { throwIfNoEntry: false });
    writeFileSync(temporary, text, { flag: "wx" });
    if (old) chmodSync(temporary, old.mode & 0o7777);
    renameSync(temporary, path);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
}

function formatOf(path: string): Format {
  return /\.ya?ml$/i.test(path) ? "yaml" : "json";
}
