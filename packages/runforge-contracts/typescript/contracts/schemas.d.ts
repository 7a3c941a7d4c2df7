import type { DocumentName } from "./types.js";

/** A JSON Schema, draft 2020-12. */
export interface JsonSchema {
  readonly $id: string;
  readonly title?: string;
  readonly description?: string;
  readonly properties?: { readonly [name: string]: { readonly [keyword: string]: unknown } };
  readonly [keyword: string]: unknown;
}

/** The name of a document, or of a schema of definitions that documents share. */
export type SchemaName = DocumentName | "common.v1" | "tfc.common.v1";

/** Every schema by its name. */
export declare const schemas: { readonly [Name in SchemaName]: JsonSchema };
