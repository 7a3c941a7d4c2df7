// Reading and writing YAML as the contract has it: plain values of the core schema, and no more.
import { isAlias, isScalar, parseDocument, visit } from "yaml";
import { type Json, MAX_DEPTH, Refusal } from "./contract.js";

/** What no YAML may hold, whatever a parser lets pass. */
const CONTROL = /[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ufffe\uffff]/;
/** What JSON writes as it stands, and YAML does not allow or takes for the end of a line. */
const ESCAPED = /[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]/g;

/** Parse one document, refusing what another parser might read differently, or run. */
export function parseYaml(text: string): Json {
  if (CONTROL.test(text)) throw new Refusal("YAML_INVALID", "The document holds a control character.");
  try {
    const document = parseDocument(text, { schema: "core", merge: false, logLevel: "error" });
    visit(document, {
      Value(_, { tag }) {
        if (tag) throw new Refusal("YAML_TAG_REFUSED", `The tag ${tag} is not read.`);
      },
      Pair(_, pair) {
        const key = isAlias(pair.key) ? pair.key.resolve(document) : pair.key;
        if (!isScalar(key) || typeof key.value !== "string" || (key.value === "<<" && key.type === "PLAIN"))
          throw new Refusal("YAML_KEY_INVALID", "A key is not a text, or a merge key.");
      },
    });
    const [error] = [...document.errors, ...document.warnings];
    const code = error?.code === "DUPLICATE_KEY" ? "YAML_DUPLICATE_KEY" : "YAML_INVALID";
    if (error) throw new Refusal(code, `The document is not YAML: ${error.message}`);
    return checked(document.toJS({ maxAliasCount: 100 }), 0);
  } catch (error) {
    if (error instanceof Refusal) throw error;
    // The parser recurses, and counts aliases.
    const code = error instanceof ReferenceError ? "YAML_TOO_LARGE" : "YAML_TOO_DEEP";
    throw new Refusal(code, (error as Error).message);
  }
}

function checked(value: unknown, depth: number): Json {
  if (typeof value === "object" && value !== null) {
    if (depth >= MAX_DEPTH) throw new Refusal("YAML_TOO_DEEP", "The document is nested too deeply.");
    if (Array.isArray(value)) return value.map((item) => checked(item, depth + 1));
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, checked(item, depth + 1)]));
  }
  if (typeof value === "number" && !Number.isFinite(value))
    throw new Refusal("YAML_NUMBER_INVALID", "A number is not one that a double can hold.");
  if (typeof value === "string" && /\p{Surrogate}/u.test(value))
    throw new Refusal("YAML_STRING_INVALID", "A text holds half of a surrogate pair.");
  return value as Json;
}

/** Return a value as YAML that is JSON, with numbers and texts as readers of YAML 1.1 take them. */
export function encodeYaml(value: Json): string {
  const text = JSON.stringify(value, null, 2).replace(
    /"(?:[^"\\]|\\.)*"|(?<![\d.])\d+e/g,
    (token) => (token.endsWith("e") ? token.replace("e", ".0e") : token),
  );
  return `${text.replace(ESCAPED, (found) => `\\u${found.charCodeAt(0).toString(16).padStart(4, "0")}`)}\n`;
}
