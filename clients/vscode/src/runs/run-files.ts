// Reads the runs of a workspace from their files, for Restricted Mode: nothing is started.

import { lstat, open, realpath } from "node:fs/promises";
import { isAbsolute, join, sep } from "node:path";
import type { GroupEntry, ListParams, ListResult, RunEntry, ServeMethods } from "@runforge/client";
import type { ServeMethod } from "@runforge/client/serve";
import { Refusal } from "../failures.ts";
import { isMembers, membersOf } from "../forms.ts";
import type { Source } from "./run-listing.ts";

/** The largest document that is read, in megabytes: the editor waits for its parser. */
const MOST_MEGABYTES = 16;

/** The documents of a run, by the member of the answer to `show`. */
const DOCUMENTS: Readonly<Record<string, string>> = {
  request: "request.json",
  run: "run.json",
  result: "result.json",
  metrics: "metrics.json",
  metrics_v1: "metrics.v1.json",
  feature_importance: "artifacts/feature_importance.v1.json",
  linear_coefficients: "artifacts/linear_coefficients.v1.json",
  interpretability: "artifacts/interpretability.index.v1.json",
};

const INDEX = ".runforge/index.json";

type JsonObject = { [name: string]: unknown };

/** Answers the requests that only read, from `.runforge/index.json` and the run folders. */
export class RunFiles implements Source {
  readonly #root: string;

  constructor(workspace: string) {
    this.#root = workspace;
  }

  async request<Method extends ServeMethod>(
    method: Method,
    params: ServeMethods[Method]["params"],
  ): Promise<ServeMethods[Method]["result"]> {
    return (await this.#answer(method, params as JsonObject)) as ServeMethods[Method]["result"];
  }

  async #answer(method: ServeMethod, params: JsonObject): Promise<unknown> {
    switch (method) {
      case "list":
        return this.#list(params as ListParams);
      case "groups":
        return { groups: [] as GroupEntry[], total: 0 };
      case "show":
        return this.#show(params["run"] as string | undefined);
      case "metrics":
        return this.#document(params, "metrics_v1", "metrics");
      case "importance":
        return this.#document(params, "feature_importance");
      case "coefficients":
        return this.#document(params, "linear_coefficients");
      case "interpretability":
        return this.#document(params, "interpretability");
      default:
        throw new Refusal("This folder is in Restricted Mode: nothing is started. Trust it first.");
    }
  }

  /** List the entries of the index, newest first. Filters need the server. */
  async #list({ limit = 100, offset = 0 }: ListParams): Promise<ListResult> {
    const runs = await this.#entries();
    return {
      schema_version: "index.v1",
      runs: runs.slice(offset, offset + limit),
      total: runs.length,
    };
  }

  async #entries(): Promise<RunEntry[]> {
    const listed = (await this.#read(INDEX))?.["runs"];
    if (Array.isArray(listed)) {
      // A run that is listed twice is one run, as its newest entry has it.
      const seen = new Set<string>();
      const entries = (listed as unknown[]).filter(isEntry).reverse();
      return entries.filter(({ run_id }) => !seen.has(run_id) && seen.add(run_id));
    }
    if (await isMissing(join(this.#root, INDEX))) return [];
    throw new Refusal(
      `${INDEX} cannot be read. Trust this folder to list the runs of its folders.`,
    );
  }

  async #show(run: string | undefined): Promise<JsonObject> {
    const entries = await this.#entries();
    const entry =
      run === undefined || run === "latest"
        ? entries[0]
        : entries.find(({ run_id }) => run_id === run);
    if (!entry) throw new Refusal(run ? `The index has no run ${run}.` : "There are no runs.");
    const found: JsonObject = {
      run_id: entry.run_id,
      run_dir: entry.run_dir,
      status: entry.status ?? null,
    };
    for (const [name, file] of Object.entries(DOCUMENTS)) {
      const document = await this.#read(`${entry.run_dir}/${file}`);
      if (document) found[name] = document;
    }
    return found;
  }

  async #document(params: JsonObject, ...names: string[]): Promise<unknown> {
    const shown = await this.#show(params["run"] as string | undefined);
    const name = names.find((one) => shown[one] !== undefined);
    if (name) return shown[name];
    throw new Refusal(`The run ${shown["run_id"]} has no ${names[0]?.replaceAll("_", " ")}.`);
  }

  /**
   * Read a JSON file inside the workspace; undefined if there is none that can be read.
   *
   * @throws {Refusal} If it is an index that is too large.
   */
  async #read(file: string): Promise<JsonObject | undefined> {
    if (isAbsolute(file)) return undefined;
    try {
      const root = await realpath(this.#root);
      const path = await realpath(join(root, file));
      // A link or `..` in an index must not lead out of the workspace.
      if (!path.startsWith(root + sep) || !(await lstat(path)).isFile()) return undefined;
      const handle = await open(path, "r");
      try {
        const megabytes = (await handle.stat()).size / 1e6;
        if (megabytes > MOST_MEGABYTES && file === INDEX) throw tooLarge(megabytes);
        if (megabytes > MOST_MEGABYTES) return undefined;
        const value: unknown = JSON.parse(await handle.readFile("utf8"));
        return isMembers(value) ? value : undefined;
      } finally {
        await handle.close();
      }
    } catch (error) {
      if (error instanceof Refusal) throw error;
      return undefined;
    }
  }
}

/** Whether there is no file; what cannot be looked at is there. */
async function isMissing(path: string): Promise<boolean> {
  return lstat(path).then(
    () => false,
    (error: NodeJS.ErrnoException) => error.code === "ENOENT" || error.code === "ENOTDIR",
  );
}

function tooLarge(megabytes: number): Refusal {
  return new Refusal(
    `${INDEX} has ${Math.round(megabytes)} MB; in Restricted Mode up to ${MOST_MEGABYTES} MB are read. Trust this folder to list its runs.`,
  );
}

/** Whether an entry of an index has the members that a list needs. */
function isEntry(value: unknown): value is RunEntry {
  const { run_id, run_dir, ...rest } = membersOf(value);
  const own = ["created_at", "status", "state", "name"];
  const texts = [...own, "model_family", "label_column", "preset_id"];
  return (
    typeof run_id === "string" &&
    typeof run_dir === "string" &&
    texts.every((name) => rest[name] === undefined || typeof rest[name] === "string")
  );
}
