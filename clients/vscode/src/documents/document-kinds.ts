// Which document of the contract a file is, by its path, and what can be done with it.
import type { DocumentName } from "@runforge/client";

/** A file that the editor shows, as a document. */
export interface DocumentKind {
  /** Name of its schema; undefined where the document says it itself. */
  readonly schema: DocumentName | undefined;
  readonly format: "json" | "yaml";
  /** What can be executed of it. */
  readonly runs: "request" | "plan" | "experiment" | undefined;
  /** The run that it is the record of. */
  readonly run: string | undefined;
  /** The sweep that it is the record of. */
  readonly sweep: string | undefined;
}

const RUN_DOCUMENTS: Readonly<Record<string, DocumentName | undefined>> = {
  "request.json": "request.v1",
  "result.json": "result.v1",
  "run.json": undefined,
  "metrics.v1.json": "metrics.v1",
  "diagnostics.json": "diagnostics.v1",
  "manifest.json": "manifest.v1",
  "artifacts/recipe.v1.json": "recipe.v1",
  "artifacts/feature_importance.v1.json": "feature_importance.v1",
  "artifacts/linear_coefficients.v1.json": "linear_coefficients.v1",
  "artifacts/interpretability.index.v1.json": "interpretability.index.v1",
};

/** Return what a file is, or undefined if it is no document. */
export function documentKind(path: string): DocumentKind | undefined {
  const at = path.replaceAll("\\", "/");
  const kind = (
    schema: DocumentName | undefined,
    more: Partial<DocumentKind> = {},
  ): DocumentKind => ({
    schema,
    format: "json",
    runs: undefined,
    run: undefined,
    sweep: undefined,
    ...more,
  });
  const inRun = /\/\.(?:runforge|ml)\/runs\/([^/]+)\/(.+)$/.exec(at);
  if (inRun) {
    const [, run, file = ""] = inRun;
    return Object.hasOwn(RUN_DOCUMENTS, file) ? kind(RUN_DOCUMENTS[file], { run }) : undefined;
  }
  const inSweep = /\/\.runforge\/groups\/([^/]+)\/(group|plan)\.json$/.exec(at);
  if (inSweep)
    return kind(inSweep[2] === "plan" ? "sweep_plan.v1" : "group.v1", { sweep: inSweep[1] });
  if (at.endsWith("/.runforge/index.json")) return kind(undefined);
  const config = /\/runs\/(run-[^/]+)\/config\.yaml$/.exec(at);
  if (config) return kind("tfc.config.v1", { format: "yaml", run: config[1] });
  if (/\/experiments\/[^/]+\.ya?ml$/.test(at))
    return kind("tfc.experiment.v1", { format: "yaml", runs: "experiment" });
  const name = at.split("/").at(-1) ?? "";
  if (/^(?:.+\.)?request\.json$/.test(name)) return kind("request.v1", { runs: "request" });
  if (/.\.recipe\.json$/.test(name)) return kind("recipe.v1");
  if (/^(?:.+\.)?sweep_plan\.json$/.test(name)) return kind("sweep_plan.v1", { runs: "plan" });
  return undefined;
}

/**
 * Return where in a string an error is: the offsets of the member that its pointer names, or the
 * position that its message ends with.
 */
export function locate(
  text: string,
  error: { readonly message: string; readonly pointer?: string | undefined },
  format: "json" | "yaml",
): { readonly from: number; readonly to: number } {
  const position = /\((\d+):(\d+)\)|line (\d+), column (\d+)/.exec(error.message);
  if (position) {
    const line = Number(position[1] ?? position[3]);
    const column = Number(position[2] ?? position[4]);
    const before = text.split("\n").slice(0, line - 1);
    const from = before.reduce((sum, one) => sum + one.length + 1, 0) + column - 1;
    return { from, to: from + 1 };
  }
  const names = (error.pointer ?? "")
    .split("/")
    .slice(1)
    .map((part) => part.replaceAll("~1", "/").replaceAll("~0", "~"))
    .filter((part) => !/^\d+$/.test(part));
  let found: { from: number; to: number } | undefined;
  for (const name of names) {
    const key = format === "json" ? JSON.stringify(name) : name;
    const from = text.indexOf(key, found?.to ?? 0);
    // A member that is missing is reported at the object that lacks it.
    if (from < 0) break;
    found = { from, to: from + key.length };
  }
  return found ?? { from: 0, to: Math.min(1, text.length) };
}
