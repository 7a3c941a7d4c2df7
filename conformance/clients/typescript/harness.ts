// The harness of the TypeScript client: `@runforge/client` as reader, editor and writer.
//
// Speaks the protocol of the conformance suite: one JSON object a line on standard input and output.
import { createInterface } from "node:readline";
import {
  type DocumentName,
  type Documents,
  edit,
  formatDuration,
  isObject,
  type Json,
  type JsonObject,
  load,
  type MetricsPhase2,
  primaryMetric,
  type RequestV1,
  type ResultV1,
  RunForgeError,
  type RunV040,
  save,
  setAt,
} from "@runforge/client/node";

type Message = {
  cmd: string;
  seq?: number;
  op: string;
  document: DocumentName;
  input: string;
  output: string;
  params: Params;
};
type Params = {
  set?: JsonObject;
  remove?: string[];
  fields?: JsonObject;
  not_computable?: string[];
};

const started = {
  protocol: 1,
  client: { name: "runforge-typescript", version: "0.4.0", language: "TypeScript" },
  roles: ["reader", "editor", "writer"],
};

const operations: Record<string, (message: Message) => object> = {
  read: ({ input, document: name }) => {
    const { document, warnings } = load(name, input);
    return { warnings, ...view(document, name) };
  },
  roundtrip: ({ input, output, document: name }) => {
    save(name, output, load(name, input).document);
    return {};
  },
  edit: ({ input, output, document: name, params }) => {
    const { document } = load(name, input);
    const removed = (params.remove ?? []).map((pointer) => [pointer, undefined] as const);
    save(name, output, edit(name, document, { ...params.set, ...Object.fromEntries(removed) }));
    return {};
  },
  write: ({ output, document: name, params }) => {
    const fields = params.fields!;
    // A number that is NaN is left out; if it is required, the document is invalid without it.
    for (const pointer of params.not_computable ?? []) setAt(fields, pointer, Number.NaN);
    save(name, output, withoutNaN(fields) as unknown as Documents[DocumentName]);
    return {};
  },
};

/** Return what this client shows of a valid document. */
function view(document: Documents[DocumentName], name: DocumentName): object {
  if (name === "request.v1") {
    const request = document as RequestV1;
    return {
      name: request.name ?? "",
      tags: request.tags ?? [],
      hyperparameters: request.model.hyperparameters ?? {},
      model_family: request.model.family,
    };
  }
  if (name === "result.v1") {
    const result = document as ResultV1;
    const { error } = result;
    return {
      status: result.status,
      duration: formatDuration(result.duration_ms),
      primary_metric: primaryMetric(result) ?? null,
      error: error ? { message: error.message, type: error.type } : null,
    };
  }
  if (name.startsWith("run.")) {
    const run = document as RunV040;
    const dropped = run.dropped_rows_missing_values > 0;
    return {
      run_id: run.run_id,
      model_family: run.model_family ?? "",
      accuracy: run.metrics.accuracy,
      diagnostics: dropped ? ["MISSING_VALUES_DROPPED"] : [],
    };
  }
  return name.startsWith("metrics.") ? { accuracy: (document as MetricsPhase2).accuracy } : {};
}

function withoutNaN(value: Json): Json {
  if (Array.isArray(value)) return value.map(withoutNaN);
  if (!isObject(value)) return value;
  const kept = Object.entries(value).filter(([, member]) => !Number.isNaN(member));
  return Object.fromEntries(kept.map(([key, member]) => [key, withoutNaN(member)]));
}

function answer(message: Message): object {
  try {
    return { outcome: "accepted", view: operations[message.op]!(message) };
  } catch (error) {
    if (!(error instanceof RunForgeError))
      return { outcome: "errored", context: { stack: (error as Error).stack } };
    const { code, message: text, pointer } = error;
    const path = pointer === undefined ? {} : { path: pointer };
    return { outcome: "rejected", error: { code, message: text, ...path } };
  }
}

for await (const line of createInterface({ input: process.stdin })) {
  const message: Message = JSON.parse(line);
  if (message.cmd === "stop") break;
  const reply = message.cmd === "start" ? started : { seq: message.seq, ...answer(message) };
  process.stdout.write(`${JSON.stringify(reply)}\n`);
}
