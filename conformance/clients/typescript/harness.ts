// The harness of the TypeScript client: Ajv and the generated types as reader, editor and writer.
//
// Speaks the protocol of the conformance suite: one JSON object a line, in and out.
import { createInterface } from "node:readline";
import type {
  MetricsPhase2,
  RequestV1,
  ResultV1,
  RunV040,
} from "../../../packages/runforge-contracts/typescript/types.js";
import { type Json, type JsonObject, Refusal, change, isObject, load, save } from "./contract.js";

type Message = { cmd: string; seq?: number; op: string; document: string; input: string; output: string; params: Params };
type Params = { set?: JsonObject; remove?: string[]; fields?: JsonObject; not_computable?: string[] };

const started = {
  protocol: 1,
  client: { name: "runforge-typescript", version: "0.4.0", language: "TypeScript" },
  roles: ["reader", "editor", "writer"],
};

const operations: Record<string, (message: Message) => object> = {
  read: ({ input, document: name }) => {
    const { document, warnings } = load(input, name);
    return { warnings, ...view(document, name) };
  },
  roundtrip: ({ input, output, document: name }) => {
    const { document } = load(input, name);
    save(document, output, name);
    return {};
  },
  edit: ({ input, output, document: name, params }) => {
    const { document } = load(input, name);
    for (const [pointer, value] of Object.entries(params.set ?? {})) change(document, pointer, value);
    for (const pointer of params.remove ?? []) change(document, pointer, undefined);
    save(document, output, name);
    return {};
  },
  write: ({ output, document: name, params }) => {
    const fields = params.fields!;
    // A number that is NaN is left out; where it is required, the document is not valid without.
    for (const pointer of params.not_computable ?? []) change(fields, pointer, Number.NaN);
    save(withoutNaN(fields) as JsonObject, output, name);
    return {};
  },
};

/** What this client would show of a document that has been validated. */
function view(document: JsonObject, name: string): object {
  if (name === "request.v1") {
    const request = document as unknown as RequestV1;
    return {
      name: request.name ?? "",
      tags: request.tags ?? [],
      hyperparameters: request.model.hyperparameters ?? {},
      model_family: request.model.family,
    };
  }
  if (name === "result.v1") {
    const result = document as unknown as ResultV1;
    const { error } = result;
    return {
      status: result.status,
      duration: duration(result.duration_ms),
      primary_metric: primaryMetric(result),
      error: error ? { message: error.message, type: error.type } : null,
    };
  }
  if (name.startsWith("run.")) {
    const run = document as unknown as RunV040;
    const dropped = run.dropped_rows_missing_values > 0;
    return {
      run_id: run.run_id,
      model_family: run.model_family ?? "",
      accuracy: run.metrics.accuracy,
      diagnostics: dropped ? ["MISSING_VALUES_DROPPED"] : [],
    };
  }
  return name.startsWith("metrics.") ? { accuracy: (document as unknown as MetricsPhase2).accuracy } : {};
}

function primaryMetric({ summary }: ResultV1): { name: string; value: number } | null {
  if (summary?.primary_metric) return summary.primary_metric;
  const metrics = summary?.metrics ?? {};
  const name = ["accuracy", "f1_score", "loss"].find((known) => known in metrics) ?? Object.keys(metrics).sort(byCodePoint)[0];
  return name === undefined ? null : { name, value: metrics[name]! };
}

/** `sort` alone goes by UTF-16, in which an emoji comes before some letters; UTF-8 has the order of code points. */
function byCodePoint(left: string, right: string): number {
  return Buffer.compare(Buffer.from(left), Buffer.from(right));
}

function duration(milliseconds: number): string {
  if (milliseconds < 1000) return `${milliseconds}ms`;
  if (milliseconds < 60_000) return `${tenths(milliseconds, 1000)}s`;
  if (milliseconds < 3_600_000) return `${tenths(milliseconds, 60_000)}m`;
  return `${tenths(milliseconds, 3_600_000)}h`;
}

/** Divide to one decimal in integers, halves up: `toFixed` rounds the double that is nearest. */
function tenths(milliseconds: number, unit: number): string {
  const count = (20n * BigInt(milliseconds) + BigInt(unit)) / BigInt(2 * unit);
  return `${count / 10n}.${count % 10n}`;
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
    if (!(error instanceof Refusal)) return { outcome: "errored", context: { stack: (error as Error).stack } };
    const { code, message: text, path } = error;
    return { outcome: "rejected", error: { code, message: text, ...(path === undefined ? {} : { path }) } };
  }
}

for await (const line of createInterface({ input: process.stdin })) {
  const message: Message = JSON.parse(line);
  if (message.cmd === "stop") break;
  const reply = message.cmd === "start" ? started : { seq: message.seq, ...answer(message) };
  process.stdout.write(`${JSON.stringify(reply)}\n`);
}
