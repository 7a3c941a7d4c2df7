// A strict reader of YAML 1.2 (core schema, plain values only) and a writer.
import { isAlias, isScalar, parseDocument, visit } from "yaml";
import { RunForgeError } from "./errors.js";
import { checkValue, copy, type Json } from "./json.js";

/** Characters that YAML forbids; some parsers accept them. */
const CONTROL = /[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ufffe\uffff]/;
/** Characters that JSON leaves as they are, and that YAML forbids or reads as a line break. */
const ESCAPED = /[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]/g;

/** Parse one YAML document; reject tags, merge keys, duplicate keys and keys that are no strings. */
export function parseYaml(text: string): Json {
  if (CONTROL.test(text))
    throw new RunForgeError("YAML_INVALID", "The document contains a control character.");
  if (/^%TAG/m.test(text))
    throw new RunForgeError("YAML_TAG_REFUSED", "Declarations of tags are not supported.");
  try {
    // The parser knows no line break but LF and CRLF; YAML has CR, too, and turns all into LF.
    const lines = text.replace(/\r\n?/g, "\n");
    const document = parseDocument(lines, { schema: "core", merge: false, logLevel: "error" });
    visit(document, {
      Value: (_, { tag }) => refuseTag(tag),
      Alias(_, alias) {
        if (!alias.resolve(document))
          throw new RunForgeError("YAML_INVALID", `The alias ${alias.source} stands for nothing.`);
      },
      Map(_, map) {
        refuseTag(map.tag);
        // The parser compares keys as they are written, and an alias is another spelling.
        const names = new Set<unknown>();
        for (const { key: written } of map.items) {
          const key = isAlias(written) ? written.resolve(document) : written;
          if (!isScalar(key)) continue;
          if (names.has(key.value))
            throw new RunForgeError("YAML_DUPLICATE_KEY", `The key ${key.value} appears twice.`);
          names.add(key.value);
        }
      },
      Pair(_, pair) {
        const key = isAlias(pair.key) ? pair.key.resolve(document) : pair.key;
        if (
          !isScalar(key) ||
          typeof key.value !== "string" ||
          (key.value === "<<" && key.type === "PLAIN")
        )
          throw new RunForgeError("YAML_KEY_INVALID", "A key is not a string, or is a merge key.");
      },
    });
    const [error] = [...document.errors, ...document.warnings];
    const code = error?.code === "DUPLICATE_KEY" ? "YAML_DUPLICATE_KEY" : "YAML_INVALID";
    if (error) throw new RunForgeError(code, `The document is not YAML: ${error.message}`);
    const value: Json = document.toJS({ maxAliasCount: 100 });
    checkValue(value, "YAML");
    return copy(value); // An alias is another value than that of its anchor.
  } catch (error) {
    if (error instanceof RunForgeError) throw error;
    throw new RunForgeError(codeOf(error as Error), (error as Error).message);
  }
}

function refuseTag(tag: string | undefined): void {
  if (tag) throw new RunForgeError("YAML_TAG_REFUSED", `The tag ${tag} is not supported.`);
}

/** The parser throws a ReferenceError for aliases; otherwise its recursion overflowed. */
function codeOf(error: Error): string {
  if (!(error instanceof ReferenceError)) return "YAML_TOO_DEEP";
  return error.message.startsWith("Excessive alias count") ? "YAML_TOO_LARGE" : "YAML_INVALID";
}

/** Encode a value as YAML that is also JSON, with numbers and strings that YAML 1.1 reads alike. */
export function encodeYaml(value: Json): string {
  const text = JSON.stringify(value, null, 2).replace(
    /"[^"\\]*(?:\\.[^"\\]*)*"|(?<![\d.])\d+e/g,
    (token) => (token.endsWith("e") ? token.replace("e", ".0e") : token),
  );
  const escaped = text.replace(
    ESCAPED,
    (found) => `\\u${found.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
  return `${escaped}\n`;
}
