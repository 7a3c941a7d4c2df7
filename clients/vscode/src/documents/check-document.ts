// Reads, checks and edits the text of a document as `@runforge/client` does. Loaded when a document
// is opened.
import {
  type DocumentName,
  edit,
  encode,
  type Json,
  parse,
  parseJson,
  RunForgeError,
} from "@runforge/client";
import { type Members, membersOf } from "../forms.ts";
import type { DocumentKind } from "./document-kinds.ts";
import { type Summary, summaryOf } from "./document-summary.ts";

/** What decides how a document is read. */
type Kind = Pick<DocumentKind, "schema" | "format">;

export interface Checked {
  /** The schema that it was compared with. */
  readonly schema: string;
  readonly error?: RunForgeError;
  readonly warnings: readonly string[];
  /** What it says; empty if it is invalid. */
  readonly summary: Summary;
}

/** Check a document; what is invalid is returned, not thrown. */
export function checkDocument(source: string | Uint8Array, kind: Kind): Checked {
  let { schema } = kind;
  try {
    schema ??= named(source);
    const { document, warnings } = parse(schema, source, kind.format);
    return { schema, warnings, summary: summaryOf(schema, document) };
  } catch (error) {
    if (!(error instanceof RunForgeError)) throw error;
    return { schema: schema ?? "document", error, warnings: [], summary: {} };
  }
}

/**
 * Return the text of a document with other values at JSON Pointers; `undefined` removes one. Members
 * that the schema does not know are kept.
 *
 * @throws {RunForgeError} If it is invalid, or would be.
 */
export function editDocument(
  source: string | Uint8Array,
  kind: Kind,
  changes: Readonly<Record<string, Json | undefined>>,
): string {
  const schema = kind.schema ?? named(source);
  const { document } = parse(schema, source, kind.format);
  return encode(schema, edit(schema, document, changes), kind.format);
}

/** Read a document that is read strictly afterwards. */
function quickly(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return parseJson(text); // Its errors have a code.
  }
}

/** Return the name that a document gives itself. */
function named(source: string | Uint8Array): DocumentName {
  const text = typeof source === "string" ? source : new TextDecoder().decode(source);
  const value = membersOf(quickly(text));
  const name = value["schema_version"];
  if (name === undefined) return unnamed(value);
  if (name === "0.2.2.1") return "field.editor_index.v0.2.2.1";
  // Of a name that is none, the client says so.
  if (typeof name === "string") return name as DocumentName;
  throw new RunForgeError(
    "DOCUMENT_UNKNOWN",
    'The "schema_version" of the document is no text.',
    "/schema_version",
  );
}

/** Return what a document is that does not say it: the records of the first clients do not. */
function unnamed(value: Members): DocumentName {
  const has = (...names: string[]) => names.every((name) => Object.hasOwn(value, name));
  if (has("runforge_version", "dataset")) return "field.editor_run.v0.2.2.1";
  if (has("status") && !has("runforge_version")) return "field.desktop_run.v1";
  throw new RunForgeError(
    "DOCUMENT_UNKNOWN",
    'The document has no "schema_version", which says what it is.',
  );
}
