// One page for each document that a command returns. Nothing here knows the editor.
import type {
  ArtifactInspectionV0222,
  DatasetInspectionV1,
  DiagnosticsV1,
  IndexReportV1,
  PredictionV1,
  ReproductionV1,
  TraceV1,
  VerificationV1,
} from "@runforge/client";
import {
  isMembers,
  jsonOf,
  type Members,
  membersOf,
  objectsOf,
  textOf,
  written,
} from "../forms.ts";
import type { Block, Cell, Message, Page, Section } from "./html.ts";

type Scalar = boolean | number | string | null | undefined;

/** The metrics of a run: a `metrics.v1`, or the few metrics of an older or another client. */
export function metricsPage(metrics: Members, lead: string): Page {
  const facts = Object.entries(metrics)
    .filter((entry): entry is [string, number] => typeof entry[1] === "number")
    .map(([name, value]): [string, Cell] => [name, value]);
  const sections: Section[] = [{ blocks: [{ kind: "facts", facts }] }];
  if (metrics["schema_version"] === "metrics.v1") {
    const labels = metrics["class_labels"];
    const classes = Array.isArray(labels) ? labels.map(written) : [];
    const columns = ["per_class_precision", "per_class_recall", "per_class_f1"];
    const values = columns.map((name) => metrics[name]).filter(Array.isArray);
    if (values.length === columns.length)
      sections.push({
        title: "By class",
        blocks: [
          {
            kind: "table",
            columns: ["class", "precision", "recall", "f1"],
            rows: classes.map((name, at) => [name, ...values.map((column) => cellOf(column[at]))]),
          },
        ],
      });
    const matrix = metrics["confusion_matrix"];
    if (Array.isArray(matrix) && matrix.every(Array.isArray)) {
      const names = classes.length === matrix.length ? classes : matrix.map((_, at) => String(at));
      sections.push({
        title: "Confusion matrix",
        blocks: [
          {
            kind: "table",
            caption: "Rows: true class; columns: predicted class",
            columns: ["true class", ...names],
            // The cells that the head of the table has.
            rows: matrix.map((row, at) => [
              names[at] ?? "",
              ...names.map((_, to) => cellOf(row[to])),
            ]),
          },
        ],
      });
    }
  }
  return { title: "Metrics", lead, sections };
}

/** The feature importances of a forest. */
export function importancePage(document: object, lead: string): Page {
  const blocks = barsOf(membersOf(document)["features_by_importance"], "importance");
  return { title: "Feature importance", lead, sections: [{ blocks }] };
}

/** The coefficients of a linear model, by class. */
export function coefficientsPage(document: object, lead: string): Page {
  const read = membersOf(document);
  const intercepts = new Map(
    objectsOf(read["intercepts"]).map((one) => [written(one["class"]), one["intercept"]]),
  );
  const classes = objectsOf(read["coefficients_by_class"]);
  const sections = classes.map((one): Section => {
    const title = written(one["class"]);
    const intercept = cellOf(intercepts.get(title));
    return {
      title,
      blocks: [
        ...barsOf(one["features"], "coefficient"),
        { kind: "facts", facts: [["intercept", intercept]] },
      ],
    };
  });
  return {
    title: "Linear coefficients",
    lead: `${lead}; per standard deviation of the feature`,
    sections: classes.length > 0 ? sections : [{ blocks: [UNREADABLE] }],
  };
}

/** Which interpretability outputs a run has, each with the command that shows it. */
export function interpretabilityPage(document: object): Page {
  const commands: Record<string, string> = {
    metrics_v1: "viewMetrics",
    feature_importance_v1: "viewImportance",
    linear_coefficients_v1: "viewCoefficients",
  };
  const { run_id, available_artifacts } = membersOf(document);
  const run = textOf(run_id);
  const linked = (text: string, link: Message): Cell => (run === undefined ? text : { text, link });
  const rows = Object.entries(membersOf(available_artifacts)).map(([name, entry]): Cell[] => {
    const { schema_version, path } = membersOf(entry);
    const version = written(schema_version);
    const file = textOf(path);
    const action = Object.hasOwn(commands, name) ? commands[name] : undefined;
    return [
      action ? linked(version, { action, run: run ?? "" }) : version,
      file === undefined ? "" : linked(file, { action: "openFile", run: run ?? "", file }),
    ];
  });
  return {
    title: "Interpretability",
    lead: `Run ${run ?? ""}`,
    sections: [{ blocks: [{ kind: "table", columns: ["output", "file"], rows }] }],
  };
}

/** Said of a document that nobody has checked, where a part of it has another form. */
const UNREADABLE: Block = {
  kind: "text",
  text: "The document has values here that cannot be shown.",
  tone: "bad",
};

/** Make bars of a list of names with a number each. */
function barsOf(list: unknown, member: string): Block[] {
  const bars = objectsOf(list).flatMap((one): [string, number][] => {
    const value = one[member];
    return typeof value === "number" ? [[written(one["name"]), value]] : [];
  });
  const isWhole = Array.isArray(list) && bars.length === list.length;
  return [...(isWhole ? [] : [UNREADABLE]), { kind: "bars", bars }];
}

function cellOf(value: unknown): Cell {
  return typeof value === "number" ? value : written(value);
}

/** The warnings, notes and errors of a run. */
export function diagnosticsPage(document: DiagnosticsV1): Page {
  const blocks: Block[] =
    document.diagnostics.length === 0
      ? [{ kind: "text", text: "There are no warnings, notes or errors.", tone: "good" }]
      : [diagnosticsTable(document.diagnostics)];
  return { title: "Diagnostics", lead: `Run ${document.run_id}`, sections: [{ blocks }] };
}

/** A dataset, before training. */
export function datasetPage(document: DatasetInspectionV1): Page {
  const { label } = document;
  const sections: Section[] = [
    {
      blocks: [
        label === undefined
          ? { kind: "text", text: "Choose a label column to see whether a model can be trained." }
          : document.trainable
            ? { kind: "text", text: "A model can be trained on this dataset.", tone: "good" }
            : {
                kind: "text",
                text: "No model can be trained on this dataset as it is.",
                tone: "bad",
              },
        {
          kind: "facts",
          facts: [
            ["rows", document.num_rows],
            ["columns", document.num_columns],
            ["features", document.num_features],
            ["label", label?.column ?? "none chosen"],
            ["sha256", document.fingerprint_sha256],
          ],
        },
      ],
    },
    {
      title: "Columns",
      blocks: [
        {
          kind: "table",
          columns: ["column", "role", "kind", "missing", "different values"],
          rows: document.columns.map((one) => [
            one.name,
            one.role,
            one.kind,
            one.missing,
            one.unique,
          ]),
        },
      ],
    },
  ];
  if (label?.classes)
    sections.push({
      title: "Classes",
      blocks: [
        {
          kind: "table",
          columns: ["class", "rows"],
          rows: label.classes.map((one) => [String(one.class), one.rows]),
        },
      ],
    });
  if (document.diagnostics.length > 0)
    sections.push({ title: "Diagnostics", blocks: [diagnosticsTable(document.diagnostics)] });
  const chosen: Message = {
    action: "trainStandard",
    dataset: document.path,
    ...(label ? { label: label.column } : {}),
  };
  return {
    title: `Dataset ${document.path}`,
    actions: [{ label: "Train", message: chosen }],
    sections,
  };
}

/** A model file, read without running it. */
export function artifactPage(document: ArtifactInspectionV0222): Page {
  const findings = document.findings ?? [];
  const sections: Section[] = [
    {
      blocks: [
        document.clean === false
          ? { kind: "text", text: "The file is not clean: do not load it.", tone: "bad" }
          : {
              kind: "text",
              text: "Clean. The file was read; nothing in it was run.",
              tone: "good",
            },
        ...findings.map((one): Block => ({ kind: "text", text: one.message, tone: "bad" })),
        {
          kind: "facts",
          facts: factsOf({
            file: document.artifact_path,
            bytes: document.bytes,
            sha256: document.sha256,
            "content sha256": document.content_sha256,
            compression: document.compression,
            "scikit-learn": document.library_version,
            features: document.feature_names?.join(", ") ?? document.n_features,
            classes: document.classes?.map(String).join(", "),
          }),
        },
      ],
    },
    ...document.pipeline_steps.map(
      (step): Section => ({
        title: `${step.name}: ${step.type}`,
        blocks: [
          {
            kind: "facts",
            facts: [
              ["module", step.module],
              ...Object.entries(step.hyperparameters ?? {}).map(([name, value]): [string, Cell] => [
                name,
                JSON.stringify(value) ?? "",
              ]),
            ],
          },
        ],
      }),
    ),
  ];
  if (document.globals?.length)
    sections.push({
      title: "Names in the file",
      blocks: [
        {
          kind: "table",
          columns: ["module", "name", "allowed", "count"],
          rows: document.globals.map((one) => [
            one.module,
            one.name,
            one.allowed ? "yes" : "no",
            one.count,
          ]),
        },
      ],
    });
  return { title: "Model file", lead: document.artifact_path, sections };
}

/** Whether runs, the index and signatures are unchanged. */
export function verificationPage(document: VerificationV1): Page {
  const good = document.verdict === "verified";
  const sections: Section[] = [
    {
      blocks: [{ kind: "text", text: verdictText(document.verdict), tone: good ? "good" : "bad" }],
    },
  ];
  for (const store of document.stores ?? [])
    sections.push(checked(`Store ${store.store}: ${store.verdict}`, store));
  // Runs with findings first; of many verified ones only the number is of interest.
  const [bad, fine] = parted(document.runs, (run) => run.verdict !== "verified");
  for (const run of [...bad, ...fine.slice(0, 20)])
    sections.push(checked(`Run ${run.run_id}: ${run.verdict}`, run));
  if (fine.length > 20)
    sections.push({
      blocks: [{ kind: "text", text: `${fine.length - 20} more runs are verified.`, tone: "good" }],
    });
  for (const one of document.evaluations ?? []) {
    const { evaluation_id, verdict } = one as unknown as Record<string, string>;
    sections.push(checked(`Evaluation ${evaluation_id ?? ""}: ${verdict ?? ""}`, one));
  }
  return { title: "Verification", sections };
}

function verdictText(verdict: string): string {
  return verdict === "verified"
    ? "Verified: nothing was changed."
    : `${verdict.charAt(0).toUpperCase()}${verdict.slice(1)}. What was found is named below.`;
}

function checked(
  title: string,
  one: Pick<VerificationV1["runs"][number], "checks" | "findings">,
): Section {
  const hinted = one.checks.some((check) => check.hint);
  const blocks: Block[] = [
    {
      kind: "table",
      columns: ["check", "outcome", "verdict", "message", ...(hinted ? ["hint"] : [])],
      rows: one.checks.map((check) => [
        check.check,
        check.outcome,
        check.verdict,
        check.message ?? "",
        ...(hinted ? [check.hint ?? ""] : []),
      ]),
    },
  ];
  for (const finding of one.findings) {
    const place = [finding.file, finding.pointer].filter(Boolean).join("#");
    const values = [
      finding.expected === undefined ? "" : ` Expected ${JSON.stringify(finding.expected)}.`,
      finding.found === undefined ? "" : ` Found ${JSON.stringify(finding.found)}.`,
    ].join("");
    blocks.push({
      kind: "text",
      text: `${finding.message}${place ? ` (${place})` : ""}${values} [${finding.rule}]`,
      tone: "bad",
    });
  }
  return { title, blocks };
}

/** Whether training again from the record has given the same. */
export function reproductionPage(document: ReproductionV1): Page {
  const same = document.verdict.startsWith("identical");
  const sections: Section[] = [
    {
      blocks: [
        { kind: "text", text: `Verdict: ${document.verdict}.`, tone: same ? "good" : "bad" },
        {
          kind: "facts",
          facts: factsOf({
            dataset: document.dataset?.path,
            RunForge: document.runforge_version,
            "rows predicted otherwise": document.predictions?.differing_rows,
            "of rows": document.predictions?.rows,
          }),
        },
      ],
    },
    {
      title: "Files",
      blocks: [
        {
          kind: "table",
          columns: ["file", "result", "recorded", "trained again"],
          rows: document.artifacts.map((one) => [
            one.path,
            one.identical ? "identical" : "differs",
            one.recorded_sha256?.slice(0, 12) ?? "",
            one.rebuilt_sha256?.slice(0, 12) ?? "",
          ]),
        },
      ],
    },
  ];
  const table = (title: string, columns: string[], rows: Cell[][]) => {
    if (rows.length > 0) sections.push({ title, blocks: [{ kind: "table", columns, rows }] });
  };
  table(
    "Why",
    ["field", "recorded", "here", "message"],
    document.reasons.map((one) => [
      one.field,
      shown(one.recorded),
      shown(one.here),
      one.message ?? "",
    ]),
  );
  table(
    "Another environment",
    ["field", "recorded", "here"],
    document.environment.map((one) => [one.field, shown(one.recorded), shown(one.here)]),
  );
  table(
    "Differences",
    ["field", "recorded", "here"],
    document.differences.map((one) => [one.field, shown(one.recorded), shown(one.here)]),
  );
  table(
    "Contradictions of the record",
    ["field", "request.json", "run.json"],
    document.contradictions.map((one) => [one.field, shown(one.request), shown(one.run)]),
  );
  table(
    "Not checked",
    ["what", "why"],
    document.not_checked.map((one) => [one.what, one.why]),
  );
  return {
    title: "Reproduction",
    lead: `Run ${document.run_id}`,
    actions: [{ label: "Open Run", message: { action: "openRun", run: document.run_id } }],
    sections,
  };
}

/** The runs that a file or a digest comes from, or those that a run repeats and that repeat it. */
export function tracePage(document: TraceV1, what: string): Page {
  const rows = document.runs.map((one): Cell[] => [
    { text: one.name ?? one.run_id, link: { action: "openRun", run: one.run_id } },
    one.matched ?? one.changes ?? "",
    one.status,
    one.created_at,
    one.dataset.path ?? "",
    one.created_by ?? "",
  ]);
  const by = document.run_id === undefined ? "matched by" : "changes";
  const columns = ["run", by, "status", "created", "dataset", "client"];
  return {
    title: "Trace",
    lead: what,
    sections: [
      {
        blocks: [
          { kind: "facts", facts: factsOf({ run: document.run_id, sha256: document.sha256 }) },
          rows.length > 0
            ? { kind: "table", columns, rows }
            : { kind: "text", text: "No run of this workspace has it.", tone: "bad" },
        ],
      },
    ],
  };
}

/** How many predictions a page shows. */
const MOST_PREDICTIONS = 1000;

/** The predictions of a model for the rows of a dataset. */
export function predictionPage(document: PredictionV1, data: string): Page {
  const all = document.predictions ?? [];
  const rows = all
    .slice(0, MOST_PREDICTIONS)
    .map((one): Cell[] => [
      one.row,
      one.prediction === undefined ? "missing value" : String(one.prediction),
    ]);
  const counts = new Map<string, number>();
  for (const { prediction } of all)
    if (prediction !== undefined)
      counts.set(String(prediction), (counts.get(String(prediction)) ?? 0) + 1);
  return {
    title: `Predictions for ${data}`,
    lead: `By the model of run ${document.run_id}`,
    actions: [
      { label: "Save as CSV", message: { action: "savePredictions" } },
      { label: "Open Run", message: { action: "openRun", run: document.run_id } },
    ],
    sections: [
      {
        blocks: [
          ...document.warnings.map((text): Block => ({ kind: "text", text, tone: "bad" })),
          {
            kind: "facts",
            facts: factsOf({
              rows: document.rows,
              predicted: document.predicted,
              "with missing values": document.missing,
              "columns not used": document.ignored_columns.join(", ") || "none",
            }),
          },
          {
            kind: "table",
            columns: ["class", "predicted rows"],
            rows: [...counts].sort(([one], [other]) => (one < other ? -1 : 1)),
          },
        ],
      },
      {
        title: "Rows",
        blocks: [
          ...(all.length > rows.length
            ? [
                {
                  kind: "text",
                  text: `The first ${rows.length} of ${all.length} rows; the CSV file has all.`,
                } as const,
              ]
            : []),
          { kind: "table", columns: ["row", "prediction"], rows },
        ],
      },
    ],
  };
}

/** Write predictions as CSV (RFC 4180). */
export function predictionsCsv(document: PredictionV1): string {
  const lines = (document.predictions ?? []).map(
    (one) => `${one.row},${one.prediction === undefined ? "" : csvField(String(one.prediction))}`,
  );
  return ["row,prediction", ...lines, ""].join("\r\n");
}

function csvField(text: string): string {
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** What a repair of the index has done. */
export function indexPage(document: IndexReportV1): Page {
  return {
    title: "Index",
    sections: document.stores.map((store): Section => {
      const blocks: Block[] = [
        store.fits
          ? { kind: "text", text: "The index is consistent with the run folders.", tone: "good" }
          : { kind: "text", text: "The index and the run folders disagree.", tone: "bad" },
        { kind: "facts", facts: factsOf(store.counts as unknown as Record<string, Scalar>) },
      ];
      if (store.recovered?.length)
        blocks.push({
          kind: "table",
          columns: ["added to the index"],
          rows: store.recovered.map((run) => [
            { text: String(run), link: { action: "openRun", run: String(run) } },
          ]),
        });
      if (store.kept_aside)
        blocks.push({
          kind: "text",
          text: `The previous index could not be read; it is kept as ${store.kept_aside}.`,
        });
      for (const finding of store.findings)
        blocks.push({ kind: "text", text: `${finding.message} (${finding.path})`, tone: "bad" });
      return { title: store.index, blocks };
    }),
  };
}

function diagnosticsTable(
  diagnostics: readonly { severity: string; message: string; code: string }[],
): Block {
  return {
    kind: "table",
    columns: ["severity", "message", "code"],
    rows: diagnostics.map((one) => [one.severity, one.message, one.code]),
  };
}

function factsOf(values: { readonly [name: string]: Scalar }): [string, Cell][] {
  return Object.entries(values)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => [name, typeof value === "number" ? value : String(value)]);
}

function shown(value: Scalar): string {
  return value === undefined ? "" : String(value);
}

function parted<Item>(items: readonly Item[], test: (item: Item) => boolean): [Item[], Item[]] {
  return [items.filter(test), items.filter((item) => !test(item))];
}

/** A run as its documents have it, for Restricted Mode: the report needs the server. */
export function runPage(shown: Members): Page {
  const [run, request] = [membersOf(shown["run"]), membersOf(shown["request"])];
  const dataset = membersOf(run["dataset"] ?? request["dataset"]);
  const error = membersOf(shown["result"])["error"];
  const sections: Section[] = [
    {
      blocks: [
        ...(isMembers(error)
          ? [{ kind: "text", text: written(error["message"]), tone: "bad" } as const]
          : []),
        {
          kind: "facts",
          facts: factsOf({
            status: scalar(shown["status"]),
            created: scalar(run["created_at"] ?? request["created_at"]),
            client: scalar(request["created_by"]),
            model: scalar(run["model_family"]),
            preset: scalar(request["preset"]),
            seed: scalar(run["seed"]),
            dataset: scalar(dataset["path"]),
            "dataset sha256": scalar(dataset["fingerprint_sha256"]),
            label: scalar(run["label_column"]),
            "RunForge version": scalar(run["runforge_version"]),
          }),
        },
      ],
    },
  ];
  const metrics = shown["metrics_v1"] ?? shown["metrics"];
  if (metrics) {
    const page = metricsPage(membersOf(metrics), "");
    sections.push({ title: "Metrics", blocks: page.sections[0]?.blocks ?? [] });
    sections.push(...page.sections.slice(1));
  }
  const hyperparameters = run["hyperparameters"];
  if (Array.isArray(hyperparameters))
    sections.push({
      title: "Hyperparameters",
      blocks: [
        {
          kind: "table",
          columns: ["name", "value", "source"],
          rows: objectsOf(hyperparameters).map((one) => [
            written(one["name"]),
            jsonOf(one["value"]),
            written(one["source"]),
          ]),
        },
      ],
    });
  return {
    title: `Run ${written(shown["run_id"])}`,
    lead: "As its files have it: this folder is in Restricted Mode, and nothing was checked.",
    sections,
  };
}

function scalar(value: unknown): Scalar {
  return typeof value === "string" || typeof value === "number" || typeof value === "boolean"
    ? value
    : undefined;
}
