// What a valid document says, in a line: the values to look for first.
import {
  type DocumentName,
  type Documents,
  formatDuration,
  type MetricsPhase2,
  primaryMetric,
  type RequestV1,
  type ResultV1,
  type RunV040,
} from "@runforge/client";

/** Values by their names; what a document may leave out has the value that this means. */
export type Summary = Readonly<Record<string, unknown>>;

/** Return what a valid document says. */
export function summaryOf(name: DocumentName, document: Documents[DocumentName]): Summary {
  if (name === "request.v1") {
    const { name: title, tags, model } = document as RequestV1;
    return {
      name: title ?? "",
      tags: tags ?? [],
      model_family: model.family,
      hyperparameters: model.hyperparameters ?? {},
    };
  }
  if (name === "result.v1") {
    const result = document as ResultV1;
    const { status, duration_ms, error } = result;
    return {
      status,
      duration: formatDuration(duration_ms),
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

/** Write a summary as one sentence, without what is empty; an empty one is no text. */
export function summaryText(summary: Summary): string {
  const parts = Object.entries(summary).flatMap(([name, value]) => {
    const text = typeof value === "string" ? value : JSON.stringify(value);
    const isEmpty = ["", "null", "[]", "{}"].includes(text);
    return isEmpty ? [] : [`${name.replaceAll("_", " ")}: ${text}`];
  });
  return parts.length > 0 ? `${parts.join(", ")}.` : "";
}
