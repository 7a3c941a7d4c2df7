// Where the tests find the checkout, a Python with RunForge, and folders for files of theirs.
import { existsSync, mkdtempSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { after } from "node:test";
import { fileURLToPath } from "node:url";

export const HERE = fileURLToPath(new URL("../", import.meta.url));
export const ROOT = fileURLToPath(new URL("../../../", import.meta.url));
export const VECTORS = join(ROOT, "docs/test-vectors");
/** The Python beside the `runforge` on the path, as the Makefile sets it. */
export const PYTHON = join(
  (process.env["PATH"] ?? "")
    .split(delimiter)
    .find((entry) => existsSync(join(entry, "runforge"))) ?? "",
  "python",
);

/** Make a folder that is removed after the tests of the file. */
export function folder(): string {
  const made = realpathSync(mkdtempSync(join(tmpdir(), "runforge-vscode-")));
  after(() => rmSync(made, { recursive: true, force: true }));
  return made;
}
