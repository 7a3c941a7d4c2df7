/**
 * All of `@runforge/client`, and `load` and `save` for files.
 *
 * @module
 */
import { randomUUID } from "node:crypto";
import {
  chmodSync,
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import type { DocumentName, Documents, Strict } from "@runforge/contracts";
import { checkSize, encode, type Format, type Loaded, parse } from "./documents.js";
import { RunForgeError } from "./errors.js";

export * from "./index.js";

/**
 * Read and validate a file; `.yaml` and `.yml` are YAML, any other name is JSON.
 *
 * @throws {RunForgeError} If there is no such file, it is a symbolic link, a pipe or a device, it
 *   cannot be read without loss, or the document is invalid.
 */
export function load<Name extends DocumentName>(name: Name, path: string): Loaded<Name> {
  const format = formatOf(path);
  return parse(
    name,
    readRegularFile(path, (size) => checkSize(name, size, format)),
    format,
  );
}

/**
 * Validate and write a document. Readers see the old file or the complete new one, which keeps the
 * permissions of the old one.
 *
 * @throws {RunForgeError} If the document is invalid, or the file cannot be written; then the old
 *   file stays.
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
    const reason = (error as Error).message;
    throw new RunForgeError("STORE_NOT_WRITABLE", `The file cannot be written: ${reason}`);
  }
}

/** Read a file that is no link, which could lead elsewhere, and no pipe, which might never end. */
function readRegularFile(path: string, checkBytes: (size: number) => void): Uint8Array {
  let file: number | undefined;
  try {
    // Windows has neither flag.
    const { O_RDONLY, O_NOFOLLOW = 0, O_NONBLOCK = 0 } = constants;
    if (!O_NOFOLLOW && lstatSync(path).isSymbolicLink()) throw unsafe(path);
    file = openSync(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
    const status = fstatSync(file);
    if (!status.isFile()) throw unsafe(path);
    checkBytes(status.size);
    return readFileSync(file);
  } catch (error) {
    if (error instanceof RunForgeError) throw error;
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === "ELOOP") throw unsafe(path);
    const missing = ["ENOENT", "ENOTDIR", "ENAMETOOLONG"].includes(code ?? "");
    throw new RunForgeError(
      missing ? "FILE_NOT_FOUND" : "FILE_UNREADABLE",
      missing ? `There is no file ${JSON.stringify(path)}.` : `The file cannot be read: ${message}`,
    );
  } finally {
    if (file !== undefined) closeSync(file);
  }
}

function unsafe(path: string): RunForgeError {
  return new RunForgeError("FILE_UNSAFE", `${JSON.stringify(path)} is not a regular file.`);
}

function formatOf(path: string): Format {
  return /\.ya?ml$/i.test(path) ? "yaml" : "json";
}
