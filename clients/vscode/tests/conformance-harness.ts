// The harness of the extension: the bundle that the editor loads, as reader and editor.
//
// Speaks the protocol of the conformance suite: one JSON object a line on standard input and output.
import { readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { DocumentName, Json, RunForgeError } from "@runforge/client";
import { HERE } from "./places.ts";

const { checkDocument, editDocument } = createRequire(import.meta.url)(
  join(HERE, "dist/documents.cjs"),
) as typeof import("../src/documents/check-document.ts");
const { version } = JSON.parse(readFileSync(join(HERE, "package.json"), "utf8"));

interface Message {
  readonly cmd: string;
  readonly seq?: number;
  readonly op: string;
  readonly document: DocumentName;
  readonly input: string;
  readonly output: string;
  readonly params: { readonly set?: Record<string, Json>; readonly remove?: readonly string[] };
}

const STARTED = {
  protocol: 1,
  client: { name: "runforge-vscode", version, language: "TypeScript" },
  roles: ["reader", "editor"],
};

const OPERATIONS: Readonly<Record<string, (message: Message) => object>> = {
  read: (message) => {
    const { error, warnings, summary } = checkDocument(
      readFileSync(message.input),
      kindOf(message),
    );
    if (error) throw error;
    return { warnings, ...summary };
  },
  roundtrip: (message) => {
    writeFileSync(message.output, editDocument(readFileSync(message.input), kindOf(message), {}));
    return {};
  },
  edit: (message) => {
    const { set, remove = [] } = message.params;
    const removed = Object.fromEntries(remove.map((pointer) => [pointer, undefined]));
    const changes = { ...set, ...removed };
    const text = editDocument(readFileSync(message.input), kindOf(message), changes);
    writeFileSync(message.output, text);
    return {};
  },
};

function kindOf({ document, input }: Message) {
  return { schema: document, format: /\.ya?ml$/.test(input) ? "yaml" : "json" } as const;
}

function answer(message: Message): object {
  try {
    return { outcome: "accepted", view: OPERATIONS[message.op]?.(message) };
  } catch (error) {
    if (!(error instanceof Error) || error.name !== "RunForgeError")
      return { outcome: "errored", context: { stack: String((error as Error).stack) } };
    const { code, message: text, pointer } = error as RunForgeError;
    const path = pointer === undefined ? {} : { path: pointer };
    return { outcome: "rejected", error: { code, message: text, ...path } };
  }
}

for await (const line of createInterface({ input: process.stdin })) {
  const message: Message = JSON.parse(line);
  if (message.cmd === "stop") break;
  const reply = message.cmd === "start" ? STARTED : { seq: message.seq, ...answer(message) };
  process.stdout.write(`${JSON.stringify(reply)}\n`);
}
