// Validation against the JSON Schemas.
import type { DocumentName, Documents } from "@runforge/contracts";
import { schemas } from "@runforge/contracts/schemas";
import { Ajv2020, type ErrorObject } from "ajv/dist/2020.js";
import { RunForgeError } from "./errors.js";
import { escapePart } from "./pointers.js";

let ajv: Ajv2020 | undefined;

/** Throw a `RunForgeError` unless the value is a valid document of that name. */
export function validate<Name extends DocumentName>(
  name: Name,
  value: unknown,
): asserts value is Documents[Name] {
  if (!Object.hasOwn(schemas, name))
    throw new RunForgeError("DOCUMENT_UNKNOWN", `There is no document ${JSON.stringify(name)}.`);
  // Schemas are compiled on first use.
  ajv ??= new Ajv2020({ strict: false, schemas: Object.values(schemas) });
  const check = ajv.getSchema(schemas[name].$id)!;
  if (check(value)) return;
  // Of alternatives, the deepest error belongs to the intended one.
  const errors = check.errors!.filter((error) => error.keyword !== "if");
  const deepest = errors.reduce((one, other) => (depth(other) > depth(one) ? other : one));
  const pointer = pointerOf(deepest);
  throw new RunForgeError(
    "DOCUMENT_INVALID",
    `The document is not a valid ${name}: ${pointer || "the document"} ${deepest.message}.`,
    pointer,
  );
}

function depth(error: ErrorObject): number {
  return error.instancePath.split("/").length;
}

function pointerOf(error: ErrorObject): string {
  const { missingProperty, additionalProperty, propertyName } = error.params;
  const member: string | undefined = missingProperty ?? additionalProperty ?? propertyName;
  if (member === undefined || error.keyword === "dependentRequired") return error.instancePath;
  return `${error.instancePath}/${escapePart(member)}`;
}
