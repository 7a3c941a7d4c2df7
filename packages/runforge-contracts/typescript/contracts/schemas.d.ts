import type { SchemaName } from "./types.js";

/** A JSON Schema, draft 2020-12. */
export interface JsonSchema {
  readonly $id: string;
  readonly title?: string;
  readonly description?: string;
  readonly properties?: { readonly [name: string]: { readonly [keyword: string]: unknown } };
  readonly [keyword: string]: unknown;
}

/** Every schema by its name. */
export declare const schemas: { readonly [Name in SchemaName]: JsonSchema };
