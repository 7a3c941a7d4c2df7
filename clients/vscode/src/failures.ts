// What a failure says, and what a button can do about it.
import type { ErrorBody, RunForgeError } from "@runforge/client";
import type { ServeError } from "@runforge/client/serve";
import { MissingError } from "./server/session.ts";

/** What a button beside a failure does. */
export type Remedy =
  | "again"
  | "exclude"
  | "label"
  | "dataset"
  | "recover"
  | "install"
  | "restart"
  | "log";

export interface Failure {
  readonly code: string;
  /** One sentence. */
  readonly message: string;
  readonly hint?: string;
  /** File, column, row or JSON Pointer that it is about. */
  readonly place?: string;
  readonly remedy: Remedy;
}

const REMEDIES: Readonly<Record<string, Remedy>> = {
  FEATURE_NOT_NUMERIC: "exclude",
  FEATURE_NOT_FINITE: "exclude",
  FEATURE_TOO_LARGE: "exclude",
  ZERO_ROWS: "exclude",
  COLUMN_NOT_FOUND: "exclude",
  LABEL_NOT_FOUND: "label",
  LABEL_TYPE_INVALID: "label",
  TOO_FEW_CLASSES: "label",
  CLASS_TOO_SMALL: "label",
  DATASET_NOT_FOUND: "dataset",
  DATASET_EMPTY: "dataset",
  DATASET_FORMAT_UNSUPPORTED: "dataset",
  INDEX_INVALID: "recover",
  WORKER_LOST: "again",
};

/** What a command asked for cannot be done: one sentence that says what is needed. */
export class Refusal extends Error {
  override readonly name = "Refusal";
}

/** Titles of the buttons. */
export const REMEDY_TITLES: Readonly<Record<Remedy, string>> = {
  again: "Train Again",
  exclude: "Choose Columns",
  label: "Choose the Label",
  dataset: "Choose a Dataset",
  recover: "Recover Index",
  install: "Install RunForge",
  restart: "Restart the Server",
  log: "Show the Log",
};

/** Whether a request was cancelled, so that there is nothing to report. */
export function isCancelled(error: unknown): boolean {
  return isServeError(error) && (error.number === -32800 || error.code === "CANCELLED");
}

/** Describe anything that was thrown. */
export function failureOf(error: unknown): Failure {
  if (isServeError(error)) return ofBody(error.error);
  if (isRunForgeError(error)) return ofBody({ ...error, message: error.message });
  if (error instanceof Refusal)
    return { code: "USAGE_INVALID", message: error.message, remedy: "log" };
  if (error instanceof MissingError)
    return { code: "PYTHON_NOT_FOUND", message: error.message, remedy: "install" };
  if (error instanceof Error && error.name === "ServeClosedError")
    return { code: "SERVER_ENDED", message: error.message, remedy: "restart" };
  return {
    code: "INTERNAL",
    message: error instanceof Error ? error.message : String(error),
    remedy: "log",
  };
}

/** Whether the server has answered with it; its module is loaded with the first request. */
function isServeError(error: unknown): error is ServeError {
  return error instanceof Error && error.name === "ServeError" && "error" in error;
}

/** Whether `@runforge/client` has thrown it; its module is loaded when a document is validated. */
function isRunForgeError(error: unknown): error is RunForgeError {
  return error instanceof Error && error.name === "RunForgeError" && "code" in error;
}

/** Describe an error of RunForge, such as that of a failed run. */
export function ofBody(body: ErrorBody | { message: string; [name: string]: unknown }): Failure {
  const read = body as unknown as Record<string, unknown>;
  const code = typeof read["code"] === "string" ? read["code"] : "TRAINING_FAILED";
  const message = String(read["message"]);
  const own = typeof read["hint"] === "string" ? read["hint"] : undefined;
  // Nobody else ends a process in this way unasked.
  const isKilled = code === "WORKER_LOST" && message.includes("SIGKILL");
  const hint = isKilled ? ["The system may lack memory.", own].filter(Boolean).join(" ") : own;
  const place = placeOf(read);
  return {
    code,
    message,
    ...(hint ? { hint } : {}),
    ...(place ? { place } : {}),
    remedy: REMEDIES[code] ?? "log",
  };
}

function placeOf(body: Record<string, unknown>): string | undefined {
  const parts: string[] = [];
  if (typeof body["path"] === "string") parts.push(body["path"]);
  if (typeof body["pointer"] === "string" && body["pointer"]) parts.push(body["pointer"]);
  if (typeof body["column"] === "string") parts.push(`column ${body["column"]}`);
  if (typeof body["row"] === "number") parts.push(`row ${body["row"]}`);
  return parts.length > 0 ? parts.join(", ") : undefined;
}

/** Write a failure as one message: code, sentence, place and hint; paths relative to a folder. */
export function failureText({ code, message, place, hint }: Failure, folder?: string): string {
  const near = (text: string) => (folder ? text.replaceAll(`${folder}/`, "") : text);
  const sentence = near(message);
  // Many a sentence has its place in it.
  const places = (place ? near(place).split(", ") : []).filter((one) => !sentence.includes(one));
  const parts = [
    sentence,
    places.length > 0 ? `(${places.join(", ")})` : "",
    hint ? near(hint) : "",
  ];
  return `${parts.filter(Boolean).map(printable).join(" ")} [${code}]`;
}

/** Keep what would be a link in a notification as text: the editor makes them of `[text](target)`. */
export function unlinked(text: string): string {
  return text.replaceAll("](", "]\u200b(");
}

/** Replace what would change how text around it is shown: controls and marks of direction. */
export function printable(text: string): string {
  return text.replace(
    /[\p{Cc}\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\p{Surrogate}]/gu,
    (character) => `\\u${(character.codePointAt(0) ?? 0).toString(16).padStart(4, "0")}`,
  );
}
