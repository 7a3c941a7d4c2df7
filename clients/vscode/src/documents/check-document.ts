// Checks the text of a document as `@runforge/client` does. Loaded when a document is opened.
import { type DocumentName, parse, parseJson, RunForgeError } from "@runforge/client";
import type { DocumentKind } from "./document-kinds.ts";

export interface Checked {
  /** The schema that it was compared with. */
  readonly schema: string;
  readonly error?: RunForgeError;
  readonly warnings: readonly string[];
}

/** Check a document; what is invalid is returned, not thrown. */
export function checkDocument(text: string, kind: DocumentKind): Checked {
  let schema: DocumentName | undefined = kind.schema;
  try {
    schema ??= named(text);
    const { warnings } = parse(schema, text, kind.format);
    return { schema, warnings };
  } catch (error) {
    if (!(error instanceof RunForgeError)) throw error;
    return { schema: schema ?? "document", error, warnings: [] };
  }
}

/** Return the name that a document gives itself. */
function named(text: string): DocumentName {
  const value = parseJson(text) as { schema_version?: unknown };
  const name = value?.schema_version;
  // Of a name that is none, the client says so.
  return String(name) as DocumentName;
}
