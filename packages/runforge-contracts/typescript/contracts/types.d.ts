// Generated from schemas/ by generate.mjs; edit the schema, then run `make generate`.

/**
 * The name of an alias.
 */
export type AliasName = string;
/**
 * Id of a run written by any client, including older ones; safe as a folder name.
 */
export type AnyRunId = string;
/**
 * A UTC instant in ISO 8601. Writers end it with `Z`; readers also accept `+00:00`.
 */
export type Timestamp = string;
/**
 * A SHA-256 digest as 64 lowercase hexadecimal digits.
 */
export type Sha256 = string;
/**
 * A count, within the 53 bits that every client represents exactly.
 */
export type Count = number;
/**
 * A path below the run folder with forward slashes. It has no empty, `.` or `..` segment, no backslash, no control character and no drive letter, so it cannot leave its root. Source: specification, section 2.11.
 */
export type RelativePath = string;
/**
 * A class label: an integer within 53 bits or a string, never a fraction. Source: specification, section 11.4.
 */
export type ClassLabel = number | string;
/**
 * A number between zero and one.
 */
export type Fraction = number;
/**
 * A path relative to the workspace with forward slashes, or an absolute path where the target is outside the workspace. Source: specification, section 2.11.
 */
export type WorkspacePath = string;
/**
 * Id of a run and name of its folder: UTC date, UTC time and eight hexadecimal digits. Source: specification, section 5.3.
 */
export type RunId = string;
/**
 * Id of a group of runs and name of its folder; safe as a folder name. Source: specification, section 20.6.
 */
export type GroupId = string;
/**
 * Id of an evaluation and name of its folder: UTC date, UTC time and eight hexadecimal digits. Source: specification, section 21.1.
 */
export type EvaluationId = string;
/**
 * A supported model family. Source: specification, section 12.3.
 */
export type ModelFamily = "logistic_regression" | "random_forest" | "linear_svc";
/**
 * A named set of hyperparameters. Source: specification, section 12.4.
 */
export type Preset = "fast" | "balanced" | "thorough" | "custom";
/**
 * Where a run is computed.
 */
export type DeviceType = "cpu" | "gpu";
/**
 * Status of a finished run. Source: specification, section 7.2.
 */
export type Status = "succeeded" | "failed" | "cancelled";
/**
 * Which metrics were computed, depending on the model's capabilities. Source: specification, section 9.3.
 */
export type MetricsProfile =
  "classification.base.v1" | "classification.proba.v1" | "classification.multiclass.v1";
/**
 * `equal`: all runs record the same. `different`: two runs record different things. `incomplete`: the runs that record it agree, but not all runs record it.
 */
export type Agreement = "equal" | "different" | "incomplete";
/**
 * Something that can change results. `code`: the state of the repository around the workspace; reported only where nothing else differs, because training uses no code of the workspace. `unrecorded`: the results differ, and nothing that both runs record differs.
 */
export type ComparisonReason = "data" | "configuration" | "environment" | "code" | "unrecorded";
/**
 * Why rows are not evaluated; of several reasons, the first of this list. Source: specification, section 21.3.
 */
export type LeftOutReason = "missing_value" | "not_a_number" | "out_of_range" | "unknown_label";
/**
 * A time as other clients write it: ISO 8601 with `Z`, with an offset from UTC, or without one. Source: specification, section 19.2.
 */
export type FieldTime = string;
/**
 * A time in whole seconds since 1970-01-01T00:00:00Z, not after the year 9999.
 */
export type UnixTime = number;
/**
 * Number of a member in the plan, from 1. Source: specification, section 20.4.
 */
export type MemberNumber = number;
/**
 * State of a group. A group that is `running` while no process executes it was interrupted. Source: specification, section 20.7.
 */
export type GroupStatus = "running" | "succeeded" | "failed" | "canceled";
/**
 * State of a member. Source: specification, section 20.7.
 */
export type MemberStatus = "pending" | "running" | "succeeded" | "failed" | "canceled";
/**
 * From best to worst; the last value means that nothing could be compared.
 */
export type ReproductionVerdict =
  | "identical bytes"
  | "identical content"
  | "identical predictions, coefficients within 1e-9"
  | "different"
  | "not reproducible here";
/**
 * A run: its id, a unique prefix of it, `latest`, or the path of its folder.
 */
export type RunReference = string;
/**
 * Id of a request: an integer or a string, which no other open request of the client has.
 */
export type RequestId = number | string;
/**
 * Path of a file or folder; a relative one starts at the workspace.
 */
export type FilePath = string;
/**
 * A place in the request: a JSON Pointer, which begins with `/`, or names separated by dots. Source: specification, section 20.2.
 */
export type RequestPath = string;
/**
 * What is being done. `waiting`: other trainings come first.
 */
export type Stage =
  | "waiting"
  | "reading"
  | "preparing"
  | "training"
  | "evaluating"
  | "writing"
  | "finishing"
  | "cancelling";
/**
 * `not verified`: a check failed. `unverifiable`: none failed, but nothing vouches for the files, because the client that wrote the run recorded no digests. Of several runs, the worst of theirs.
 */
export type Verdict = "verified" | "unverifiable" | "not verified";
/**
 * Id of an experiment's run and name of its folder: the UTC day and the number of the run on that day. Source: specification, section 17.4.
 */
export type ExperimentRunId = string;
/**
 * An instant in ISO 8601 with its offset from UTC; RunForge writes `Z`. Source: specification, sections 2.5 and 17.3.
 */
export type Instant = string;
/**
 * Random seed.
 */
export type Seed = number;

/**
 * One line of `aliases.jsonl`, the append-only history of the aliases of a store (JSON Lines). Source: specification, section 5.11.
 */
export interface AliasV1 {
  schema_version: "alias.v1";
  alias: AliasName;
  /**
   * The run that the alias points at from now on; absent if the alias was removed.
   */
  run_id?: AnyRunId;
  recorded_at: Timestamp;
  /**
   * Why, as the user put it.
   */
  because?: string;
  /**
   * The client that wrote the line, such as `runforge-cli@0.4.0`.
   */
  created_by?: string;
  /**
   * The digest of the chain over all lines before this one; 64 zeros in the first line.
   */
  previous: Sha256;
  [k: string]: unknown;
}
/**
 * The aliases of a workspace, as `runforge alias --json` prints them. Source: specification, section 16.2.
 */
export interface AliasReportV1 {
  schema_version: "alias_report.v1";
  /**
   * The line that decides about each alias, in the order of their names; of one alias if it was named, and none if it was removed.
   */
  aliases: AliasV1[];
  /**
   * Every line about the alias that was named, oldest first; absent if none was named.
   */
  history?: AliasV1[];
  [k: string]: unknown;
}
/**
 * A run that was archived or restored.
 */
export interface ArchivedRun {
  run_id: AnyRunId;
  /**
   * Whether RunForge trained the model or an experiment ran.
   */
  kind: "trained" | "experiment";
  /**
   * `archived` and `restored`: it was done, or would be without `--dry-run`. `present`: the run was here already. `kept`: it was chosen by its age or status, and stays because something needs it.
   */
  outcome: "archived" | "restored" | "present" | "kept";
  /**
   * The number of its files; absent if it is kept.
   */
  files?: Count;
  /**
   * The size of its files; absent if it is kept.
   */
  bytes?: Count;
  /**
   * Why it is kept.
   */
  reason?: string;
  /**
   * Path of the archive that it was restored from, if there were several.
   */
  archive?: string;
  [k: string]: unknown;
}
/**
 * The copy of a dataset or a recipe that a store keeps for runs.
 */
export interface ArchivedCopy {
  /**
   * What it is a copy of.
   */
  what: "dataset" | "recipe";
  /**
   * Its path in this store, relative to the workspace.
   */
  path: string;
  /**
   * `archived`: it went into the archive. `copied`: the archive has it, and it stays here, too, because something else uses it. `restored`: it is here again. `present`: it was here already. `missing`: the archive that should have it does not.
   */
  outcome: "archived" | "copied" | "restored" | "present" | "missing";
  /**
   * Its size.
   */
  bytes: Count;
  /**
   * The runs, evaluations and sweeps that use it, and what cannot be read and may use it.
   *
   * @minItems 1
   */
  used_by?: string[];
  [k: string]: unknown;
}
/**
 * Which runs were put into an archive or brought back, as `runforge store archive --json` and `runforge store restore --json` print it. Source: specification, section 26.5.
 */
export interface ArchiveReportV1 {
  schema_version: "archive_report.v1";
  /**
   * What was asked for.
   */
  action: "archived" | "restored";
  /**
   * Whether nothing was written, because only the plan was asked for.
   */
  dry_run: boolean;
  /**
   * The store, relative to the workspace.
   */
  store: string;
  /**
   * Path of the archive: relative to the workspace, or absolute if it was given so; of several, the first.
   */
  archive: string;
  /**
   * Digest of the archive, if it is one file that exists.
   */
  sha256?: Sha256;
  /**
   * The other archives, if runs of several were restored.
   *
   * @minItems 1
   */
  more_archives?: RunArchive[];
  /**
   * The runs that were chosen.
   */
  runs: ArchivedRun[];
  /**
   * The copies of datasets and recipes that went with the runs; absent if none was asked for, or the archive has none.
   */
  copies?: ArchivedCopy[];
  [k: string]: unknown;
}
/**
 * The archive that has the run.
 */
export interface RunArchive {
  /**
   * The path of the archive as it was given; archives may have been moved since.
   */
  name: string;
  /**
   * Digest of the archive, if it is one file.
   */
  sha256?: Sha256;
  [k: string]: unknown;
}
/**
 * A step of the pipeline.
 */
export interface PipelineStep {
  name: string;
  /**
   * Class; `passthrough` for a step that does nothing.
   */
  type: string;
  /**
   * Module of the class; empty for a step that does nothing.
   */
  module: string;
  /**
   * Parameters of the estimator by name; a value that JSON cannot represent is `{"text": ...}`.
   */
  hyperparameters?: {
    [k: string]: unknown;
  };
  [k: string]: unknown;
}
/**
 * An array of the model.
 */
export interface ModelArray {
  /**
   * Path in the model, such as `clf.coef_`.
   */
  path: string;
  /**
   * NumPy data type of its elements.
   */
  dtype: string;
  shape: Count[];
  [k: string]: unknown;
}
/**
 * The decision trees of a forest; all are consistent.
 */
export interface TreeSummary {
  /**
   * Number of trees.
   */
  count: Count;
  /**
   * Nodes of all trees.
   */
  node_count: Count;
  /**
   * Depth of the deepest one.
   */
  max_depth: Count;
  [k: string]: unknown;
}
/**
 * A name that loading the file would import.
 */
export interface GlobalUse {
  module: string;
  name: string;
  /**
   * Whether a model needs it; other names are refused.
   */
  allowed: boolean;
  /**
   * How often the file refers to it.
   */
  count: Count;
  /**
   * Offset of the first reference, in bytes of the decompressed stream.
   */
  offset: Count;
  [k: string]: unknown;
}
/**
 * One finding about the file.
 */
export interface ModelFinding {
  code: string;
  severity: "info" | "warning" | "error";
  message: string;
  /**
   * Offset of the finding, in bytes of the decompressed stream.
   */
  offset?: Count;
  [k: string]: unknown;
}
/**
 * Contents of a model file, read without executing it. Source: specification, section 14.8.
 */
export interface ArtifactInspectionV0222 {
  schema_version: "0.2.2.2";
  /**
   * Path of the file, as it was given.
   */
  artifact_path: string;
  /**
   * Steps in order.
   */
  pipeline_steps: PipelineStep[];
  /**
   * Whether any step before the last one transforms the data.
   */
  has_preprocessing: boolean;
  /**
   * Number of steps, including those that are not shown.
   */
  step_count: Count;
  /**
   * Size of the file.
   */
  bytes?: Count;
  /**
   * SHA-256 of the file's bytes; absent where the file is too large to be read.
   */
  sha256?: Sha256;
  /**
   * Digest of the model's content, independent of its encoding; present only if no finding has severity `error`.
   */
  content_sha256?: Sha256;
  /**
   * How the file is compressed, such as `zlib`; `none` for a plain one.
   */
  compression?: string;
  /**
   * Version of scikit-learn that wrote the model.
   */
  library_version?: string;
  /**
   * Number of columns that the model was fitted on.
   */
  n_features?: Count;
  /**
   * Their names, in order, where the model stores them.
   */
  feature_names?: string[];
  /**
   * Labels in the order of the classes: those of a run are integers or strings, other models store other values.
   */
  classes?: unknown[];
  /**
   * Number of arrays in the model.
   */
  array_count?: Count;
  /**
   * The arrays that are shown, in the order of the model.
   */
  arrays?: ModelArray[];
  trees?: TreeSummary;
  /**
   * Every name that loading the file would import, and whether it is accepted.
   */
  globals?: GlobalUse[];
  /**
   * Whether there is no finding of severity `error`.
   */
  clean?: boolean;
  /**
   * Findings about the file, in the order in which they were made.
   */
  findings?: ModelFinding[];
  [k: string]: unknown;
}
/**
 * What a bundle contains: one run with the digest of every file, and where it comes from. Source: specification, section 22.2.
 */
export interface BundleV1 {
  schema_version: "bundle.v1";
  /**
   * A trained run of a store, or the run of an experiment.
   */
  run_kind: "run" | "experiment";
  run_id: AnyRunId;
  /**
   * The client that wrote the bundle, such as `runforge-cli@0.4.0`.
   */
  created_by: string;
  /**
   * The origin of the index that the run comes from; absent if the run is in no index. Source: specification, section 14.3.
   */
  origin?: Sha256;
  /**
   * Whether the bundle has the signature of the run, `run.sig`.
   */
  signed: boolean;
  /**
   * Fingerprint of the public key that the signature names; absent if it names none.
   */
  key?: Sha256;
  /**
   * The file of the bundle that has the dataset of the run; absent if it is not included.
   */
  dataset?: RelativePath;
  /**
   * Digest and size of every other file of the bundle, by its name there.
   */
  files: FileDigests;
  [k: string]: unknown;
}
/**
 * Digest and size of files, by their path below the run folder.
 */
export interface FileDigests {
  [k: string]: FileDigest;
}
/**
 * Digest and size of one file.
 */
export interface FileDigest {
  sha256: Sha256;
  bytes: Count;
  [k: string]: unknown;
}
/**
 * A bundle that was written or unpacked, as `runforge bundle --json` and `runforge unbundle --json` print it. Source: specification, section 22.4.
 */
export interface BundleReportV1 {
  schema_version: "bundle_report.v1";
  /**
   * `bundled`: the bundle was written. `unbundled`: the run was written. `completed`: the run was there, and its signature, its entry or its dataset was added. `present`: all of it was there.
   */
  outcome: "bundled" | "unbundled" | "completed" | "present";
  /**
   * Path of the bundle.
   */
  bundle: string;
  run_kind: "run" | "experiment";
  run_id: AnyRunId;
  /**
   * The run folder, relative to the workspace if it is in it.
   */
  run_dir: string;
  /**
   * Number of the files of the run.
   */
  files: Count;
  /**
   * Size of the bundle.
   */
  bytes: Count;
  /**
   * SHA-256 of the bundle.
   */
  sha256: Sha256;
  /**
   * The origin of the index that the run comes from.
   */
  origin?: Sha256;
  /**
   * `valid`: made with the public key that was given. `not checked`: it matches the run; no key was given.
   */
  signature: "valid" | "not checked" | "none";
  /**
   * Fingerprint of the public key that the signature names.
   */
  key?: Sha256;
  /**
   * The dataset: in the bundle if one was written; else where it is now, relative to the workspace if it is in it.
   */
  dataset?: string;
  /**
   * How many evaluations of the run the store has; they are not in the bundle that was written. Absent if there are none, and of a bundle that was unpacked.
   */
  evaluations?: Count;
  [k: string]: unknown;
}
/**
 * The dataset of a run, by path and by content.
 */
export interface DatasetReference {
  path: WorkspacePath;
  /**
   * SHA-256 of the file's bytes.
   */
  fingerprint_sha256: Sha256;
  [k: string]: unknown;
}
/**
 * The three metrics of phase 2, as in `metrics.json`.
 */
export interface MetricsSnapshot {
  /**
   * Fraction of validation rows that were predicted correctly.
   */
  accuracy: Fraction;
  /**
   * Rows used, after those with missing values were dropped.
   */
  num_samples: Count;
  /**
   * Feature columns used.
   */
  num_features: Count;
  [k: string]: unknown;
}
/**
 * Pointer to the detailed metrics of a run.
 */
export interface MetricsReference {
  schema_version: "metrics.v1";
  metrics_profile: MetricsProfile;
  artifact_path: RelativePath;
  [k: string]: unknown;
}
/**
 * Paths of a run's artifacts below its folder; absent where an artifact was not made.
 */
export interface RunArtifacts {
  model_pkl: RelativePath;
  metrics_v1_json?: RelativePath;
  feature_importance_json?: RelativePath;
  linear_coefficients_json?: RelativePath;
  interpretability_index_json?: RelativePath;
  [k: string]: unknown;
}
/**
 * A hyperparameter as it was used, and where its value came from.
 */
export interface RecordedHyperparameter {
  name: string;
  /**
   * The value as it was used, with its type.
   */
  value: boolean | number | string | null;
  /**
   * Where the value came from: `cli`, `request`, `profile`, `preset` or `model_default`; older versions know `cli` and `profile`.
   */
  source: string;
  [k: string]: unknown;
}
/**
 * One structured statement that explains the behaviour of a run. Source: specification, section 15.3.
 */
export interface Diagnostic {
  code: string;
  severity: "info" | "warning" | "error";
  /**
   * One sentence for display.
   */
  message: string;
  /**
   * Machine-readable details, which depend on the code.
   */
  details: {
    [k: string]: unknown;
  };
  [k: string]: unknown;
}
/**
 * A run that was compared.
 */
export interface ComparedRun {
  run_id: AnyRunId;
  /**
   * The run folder; relative to the workspace if it is inside it.
   */
  run_dir: string;
  status: "succeeded" | "failed" | "cancelled" | "incomplete";
  /**
   * Version of its run record; absent where it has none.
   */
  schema_version?: string;
  /**
   * Whether RunForge trained the model (the default) or an experiment ran.
   */
  kind?: "trained" | "experiment";
  created_at?: Timestamp;
  name?: string;
  /**
   * The run that it repeats.
   */
  rerun_from?: string;
  error?: ComparedError;
  [k: string]: unknown;
}
/**
 * Why a run failed or was cancelled.
 */
export interface ComparedError {
  message: string;
  code?: string;
  [k: string]: unknown;
}
/**
 * Whether a run has the same results as the first one, and if not, why.
 */
export interface Conclusion {
  run_id: AnyRunId;
  /**
   * Metrics, weights and model together; `unknown` where a run has none.
   */
  results: "equal" | "different" | "unknown";
  /**
   * Compared by the digest of the content, or of the file if there is none.
   */
  model: "equal" | "different" | "unknown";
  /**
   * Whether the metrics were measured on the same rows; absent where the records do not show it.
   */
  same_validation_rows?: boolean;
  /**
   * Differences that can change results, whether or not they did.
   */
  reasons: ComparisonReason[];
  /**
   * The same in words.
   */
  text: string;
  [k: string]: unknown;
}
/**
 * One recorded value.
 */
export interface ComparedField {
  name: string;
  agreement: Agreement;
  /**
   * @minItems 2
   */
  values: RecordedValue[];
  [k: string]: unknown;
}
/**
 * The value that a run records; without `value` if it does not record one.
 */
export interface RecordedValue {
  /**
   * As it was recorded, with its type.
   */
  value?: unknown;
  /**
   * Where the value of a hyperparameter came from.
   */
  source?: string;
  [k: string]: unknown;
}
/**
 * A metric in all runs.
 */
export interface ComparedMetric {
  name: string;
  /**
   * The class, for metrics of single classes.
   */
  class?: ClassLabel;
  lower_is_better: boolean;
  agreement: Agreement;
  /**
   * @minItems 2
   */
  values: MetricValue[];
  [k: string]: unknown;
}
/**
 * A metric of a run; without `value` if the run does not have it.
 */
export interface MetricValue {
  value?: number;
  /**
   * Difference to the first run.
   */
  delta?: number;
  verdict?: "better" | "worse" | "equal";
  [k: string]: unknown;
}
/**
 * Coefficients in standardized space or importances, of runs of one model family.
 */
export interface ComparedWeights {
  kind: "linear_coefficients" | "feature_importance";
  model_family: ModelFamily;
  /**
   * The first run of this family.
   */
  against: AnyRunId;
  /**
   * Number of weights that are bit-identical in all runs of the family.
   */
  unmoved: Count;
  /**
   * The weights that differ, largest change first.
   */
  moved: MovedWeight[];
  [k: string]: unknown;
}
/**
 * A weight that is not the same in all runs.
 */
export interface MovedWeight {
  feature: string;
  class?: ClassLabel;
  /**
   * Largest difference to the first run of the family; a missing weight counts as zero.
   */
  movement: number;
  /**
   * @minItems 2
   */
  values: WeightValue[];
  [k: string]: unknown;
}
/**
 * A weight of a run; without `value` if the run does not have it.
 */
export interface WeightValue {
  value?: number;
  /**
   * Difference to the first run of the family.
   */
  delta?: number;
  [k: string]: unknown;
}
/**
 * Differences between the records of runs. The other runs are compared with the first one. Every `values` has one entry per run, in the order of `runs`; an entry without `value` means that the run does not record it. Source: specification, section 16.2.
 */
export interface ComparisonV1 {
  schema_version: "comparison.v1";
  /**
   * @minItems 2
   */
  runs: ComparedRun[];
  /**
   * One entry for each run except the first.
   *
   * @minItems 1
   */
  conclusions: Conclusion[];
  /**
   * Family, preset, profile, seed, device and split.
   */
  configuration: ComparedField[];
  /**
   * Every hyperparameter used, with the source of its value.
   */
  hyperparameters: ComparedField[];
  /**
   * Dataset, rows, label and features.
   */
  data: ComparedField[];
  /**
   * RunForge, Python, packages, machine, numeric libraries and code; nested names have dots between them.
   */
  environment: ComparedField[];
  /**
   * Metrics on the validation rows.
   */
  metrics: ComparedMetric[];
  /**
   * Coefficients and importances, by model family; only families that two runs share.
   */
  weights: ComparedWeights[];
  /**
   * SHA-256 of every artifact by its path, as recorded; artifacts that contain the run's id are left out.
   */
  artifacts: ComparedField[];
  /**
   * SHA-256 of the models' content, independent of the encoding; absent where no run records it.
   */
  model_content?: ComparedField;
  [k: string]: unknown;
}
/**
 * A column of the dataset.
 */
export interface InspectedColumn {
  name: string;
  role: "feature" | "label" | "excluded";
  /**
   * What its values are.
   */
  kind: "integer" | "number" | "text" | "empty";
  /**
   * Cells without a value.
   */
  missing: Count;
  /**
   * Distinct values.
   */
  unique: Count;
  [k: string]: unknown;
}
/**
 * The label column.
 */
export interface InspectedLabel {
  column: string;
  valid: boolean;
  type?: "integer" | "text";
  /**
   * In sorted order; absent if training would fail before the classes are known.
   */
  classes?: ClassCount[];
  [k: string]: unknown;
}
/**
 * A class and its number of rows.
 */
export interface ClassCount {
  class: ClassLabel;
  rows: Count;
  [k: string]: unknown;
}
/**
 * Contents of a dataset, and whether a model can be trained on it. Source: specification, section 11.8.
 */
export interface DatasetInspectionV1 {
  schema_version: "dataset_inspection.v1";
  /**
   * Path of the dataset, as it was given.
   */
  path: string;
  /**
   * SHA-256 of the file's bytes.
   */
  fingerprint_sha256: Sha256;
  num_rows: Count;
  num_columns: Count;
  num_features: Count;
  /**
   * In the order of the file.
   */
  columns: InspectedColumn[];
  label?: InspectedLabel;
  /**
   * Whether the data passes the checks that training makes.
   */
  trainable: boolean;
  diagnostics: Diagnostic[];
  [k: string]: unknown;
}
/**
 * Explanations of the behaviour of a run; always present, possibly empty. Source: specification, section 15.3.
 */
export interface DiagnosticsV1 {
  schema_version: "diagnostics.v1";
  run_id: RunId;
  diagnostics: Diagnostic[];
}
/**
 * What went wrong, where, and how to fix it.
 */
export interface ErrorBody {
  /**
   * Stable code.
   */
  code: string;
  /**
   * One sentence.
   */
  message: string;
  /**
   * What to do about it.
   */
  hint?: string;
  /**
   * File or folder.
   */
  path?: string;
  /**
   * JSON Pointer into the document (RFC 6901).
   */
  pointer?: string;
  /**
   * Column of the dataset.
   */
  column?: string;
  /**
   * Row of the dataset; 1 is the first after the header.
   */
  row?: number;
  /**
   * The individual errors, where several are reported together.
   */
  problems?: ErrorProblem[];
  [k: string]: unknown;
}
/**
 * One mistake.
 */
export interface ErrorProblem {
  message: string;
  /**
   * File or folder.
   */
  path?: string;
  /**
   * JSON Pointer into the document (RFC 6901).
   */
  pointer?: string;
  /**
   * Column of the dataset.
   */
  column?: string;
  /**
   * Row of the dataset; 1 is the first after the header.
   */
  row?: number;
  hint?: string;
  [k: string]: unknown;
}
/**
 * A failed command, as `--json` prints it. Source: specification, section 3.1.
 */
export interface ErrorV1 {
  error: ErrorBody;
  [k: string]: unknown;
}
/**
 * The model file.
 */
export interface EvaluatedModel {
  /**
   * Path of the model file.
   */
  path: WorkspacePath;
  /**
   * SHA-256 of the file's bytes.
   */
  sha256: Sha256;
  [k: string]: unknown;
}
/**
 * The dataset, and how it was read.
 */
export interface EvaluationDataset {
  /**
   * Path of the dataset.
   */
  path: WorkspacePath;
  /**
   * SHA-256 of the file's bytes.
   */
  sha256: Sha256;
  /**
   * Rows of the dataset.
   */
  rows: number;
  /**
   * The column with the true labels.
   */
  label_column: string;
  /**
   * The features of the model, in its order.
   *
   * @minItems 1
   */
  columns: string[];
  [k: string]: unknown;
}
/**
 * The rows that are left out for one reason.
 */
export interface LeftOutRows {
  reason: LeftOutReason;
  /**
   * How many rows are left out for it.
   */
  rows: number;
  /**
   * The first of these rows.
   *
   * @maxItems 5
   */
  examples: LeftOutExample[];
  [k: string]: unknown;
}
/**
 * A row that is left out, and a cell that is the reason.
 */
export interface LeftOutExample {
  /**
   * Its number in the dataset; 1 is the first row after the header.
   */
  row: number;
  /**
   * The column of the cell.
   */
  column: string;
  /**
   * The beginning of the cell; absent if the cell is empty, or was left out on request.
   */
  value?: string;
  [k: string]: unknown;
}
/**
 * The metrics of a recorded model on labelled rows that it was not trained on, with the digests of model and dataset. Source: specification, section 21.2.
 */
export interface EvaluationV1 {
  /**
   * Major version of the evaluation schema.
   */
  version: 1;
  /**
   * Tells an evaluation from other documents.
   */
  kind: "evaluation";
  evaluation_id: EvaluationId;
  /**
   * The run that trained the model.
   */
  run_id: AnyRunId;
  /**
   * When the evaluation was made.
   */
  created_at: Timestamp;
  /**
   * Client that made the evaluation, as `<client>@<version>`.
   */
  created_by: string;
  model: EvaluatedModel;
  dataset: EvaluationDataset;
  /**
   * Rows that the metrics are computed on.
   */
  rows_evaluated: number;
  /**
   * The other rows, by reason; empty if there are none.
   */
  left_out: LeftOutRows[];
  /**
   * The metrics, with the profile of the run.
   */
  metrics: MetricsV1;
  /**
   * Statements about the rows and the metrics; absent if there are none.
   */
  diagnostics?: Diagnostic[];
  /**
   * SHA-256 of the canonical JSON of all other members. Source: specification, section 21.2.
   */
  content_sha256: Sha256;
  [k: string]: unknown;
}
/**
 * Detailed metrics on the validation rows, by profile. A metric that cannot be computed is absent. Source: specification, sections 9.2 and 9.3.
 */
export interface MetricsV1 {
  schema_version: "metrics.v1";
  metrics_profile: MetricsProfile;
  num_classes: number;
  /**
   * Labels of the matrix's rows and columns, sorted.
   *
   * @minItems 2
   */
  class_labels?: ClassLabel[];
  accuracy: Fraction;
  /**
   * Unweighted mean of the classes' precision.
   */
  precision_macro: Fraction;
  /**
   * Unweighted mean of the classes' recall.
   */
  recall_macro: Fraction;
  /**
   * Unweighted mean of the classes' F1 score.
   */
  f1_macro: Fraction;
  /**
   * Rows are true classes, columns predicted ones, both in sorted order.
   *
   * @minItems 2
   */
  confusion_matrix: Count[][];
  /**
   * Area under the ROC curve for the second class in sorted order.
   */
  roc_auc?: Fraction;
  /**
   * Cross-entropy in nats; lower is better.
   */
  log_loss?: number;
  /**
   * Precision of each class against the rest, in the order of `class_labels`.
   *
   * @minItems 3
   */
  per_class_precision?: Fraction[];
  /**
   * Recall of each class against the rest, in the order of `class_labels`.
   *
   * @minItems 3
   */
  per_class_recall?: Fraction[];
  /**
   * F1 score of each class against the rest, in the order of `class_labels`.
   *
   * @minItems 3
   */
  per_class_f1?: Fraction[];
}
/**
 * A bound for a metric, and whether it is met.
 */
export interface JudgedGate {
  metric: string;
  /**
   * The lowest value that is accepted.
   */
  at_least?: number;
  /**
   * The greatest value that is accepted.
   */
  at_most?: number;
  /**
   * The run that the bound was taken from.
   */
  baseline?: AnyRunId;
  /**
   * The value on the new rows; absent if there is none.
   */
  value?: number;
  met: boolean;
  [k: string]: unknown;
}
/**
 * An evaluation beside the validation of its run, as `runforge evaluate --json` prints it. Source: specification, section 16.2.
 */
export interface EvaluationReportV1 {
  schema_version: "evaluation_report.v1";
  evaluation_id: EvaluationId;
  /**
   * The folder of the evaluation; relative to the workspace if it is inside it.
   */
  evaluation_dir: string;
  evaluation: EvaluationV1;
  /**
   * The metrics of the run on its validation rows; absent if the run has none.
   */
  validation?: MetricsV1;
  /**
   * For each metric that both have, the value on the new rows minus that on the validation rows.
   */
  differences: {
    [k: string]: number;
  };
  /**
   * Warnings about the model and the dataset; absent if the evaluation was read from the store.
   */
  warnings?: string[];
  /**
   * The gates that were given; absent if there are none. Source: specification, section 16.7.
   */
  gates?: JudgedGate[];
  [k: string]: unknown;
}
/**
 * One line of a run's event stream (JSON Lines). Source: specification, section 15.1.
 */
export interface EventV1 {
  event:
    | "run_start"
    | "dataset_loaded"
    | "train_started"
    | "train_progress"
    | "train_finished"
    | "metrics_computed"
    | "artifacts_written"
    | "cancelling"
    | "run_cancelled"
    | "run_failed";
  timestamp: Timestamp;
  run_id: RunId;
  preset_id?: string;
  model_family?: ModelFamily;
  num_samples?: Count;
  num_features?: Count;
  rows_dropped?: Count;
  epoch?: Count;
  total_epochs?: Count;
  duration_seconds?: number;
  metrics_profile?: MetricsProfile;
  accuracy?: Fraction;
  artifact_count?: Count;
  seconds_remaining?: number;
  /**
   * The step that was cancelled.
   */
  step?: string;
  /**
   * Error code of a failed run.
   */
  code?: string;
  /**
   * Why the run failed.
   */
  message?: string;
  [k: string]: unknown;
}
/**
 * A feature at its rank.
 */
export interface RankedImportance {
  name: string;
  importance: Fraction;
  rank: number;
}
/**
 * A feature at its column.
 */
export interface IndexedImportance {
  name: string;
  importance: Fraction;
  index: Count;
}
/**
 * Native feature importances of a forest. Source: specification, section 9.4.
 */
export interface FeatureImportanceV1 {
  schema_version: "feature_importance.v1";
  model_family: "random_forest";
  importance_type: "gini_importance";
  num_features: Count;
  /**
   * Most important first; ties in column order.
   */
  features_by_importance: RankedImportance[];
  /**
   * In column order.
   */
  features_by_original_order: IndexedImportance[];
  /**
   * Names of the most important features.
   */
  top_k: string[];
}
/**
 * `.cancelled`: the engine of the editor extension was cancelled. Source: specification, section 19.7.
 */
export interface CancelledMarkerV100 {
  schema_version: "cancelled.v1.0.0";
  run_id: string;
  run_dir?: string;
  cancelled_at?: FieldTime;
  /**
   * `dataset_loading`, `training`, `metrics_computation`, `artifact_writing` or `shutdown`.
   */
  step?: string;
  reason?: string;
  partial_artifacts?: string[];
  [k: string]: unknown;
}
/**
 * `linear_coefficients.v1.json` as Desktop reads it. Source: specification, section 19.10.
 */
export interface DesktopCoefficientsV1 {
  schema_version: "linear_coefficients.v1";
  model_family?: string;
  /**
   * Class to feature to coefficient.
   */
  coefficients: {
    [k: string]: {
      [k: string]: number;
    };
  };
  /**
   * Class to intercept.
   */
  intercepts?: {
    [k: string]: number;
  };
  standardized?: boolean;
  computed_at?: FieldTime;
  [k: string]: unknown;
}
/**
 * How the plan is executed, and when.
 */
export interface DesktopGroupExecution {
  max_parallel?: number | null;
  started_at?: FieldTime | null;
  finished_at?: FieldTime | null;
  cancelled?: boolean | null;
  [k: string]: unknown;
}
/**
 * One run of the group.
 */
export interface DesktopGroupRun {
  run_id: AnyRunId;
  /**
   * `pending`, `queued`, `running`, `succeeded`, `failed` or `canceled`.
   */
  status: string;
  request_overrides?: {
    [k: string]: unknown;
  } | null;
  result_ref?: string | null;
  primary_metric?: DesktopGroupMetric | null;
  [k: string]: unknown;
}
/**
 * A metric by name.
 */
export interface DesktopGroupMetric {
  name?: string;
  value?: number | null;
  [k: string]: unknown;
}
/**
 * The group at a glance.
 */
export interface DesktopGroupSummary {
  total?: Count;
  succeeded?: Count;
  failed?: Count;
  canceled?: Count;
  best_run_id?: string | null;
  best_primary_metric?: DesktopGroupMetric | null;
  [k: string]: unknown;
}
/**
 * `group.json` that the command line of Desktop writes for a sweep: times without an offset, more statuses, and no datasets and duplicates. Source: specification, section 20.10.
 */
export interface DesktopGroupV1 {
  /**
   * Major version of the group schema.
   */
  version: 1;
  kind: "run_group";
  group_id: GroupId;
  /**
   * Local time without an offset.
   */
  created_at: FieldTime;
  created_by?: string;
  name?: string | null;
  notes?: string | null;
  plan_ref?: string | null;
  /**
   * `pending`, `queued`, `running`, `paused`, `succeeded`, `failed` or `canceled`.
   */
  status: string;
  execution?: DesktopGroupExecution | null;
  runs: DesktopGroupRun[];
  summary?: DesktopGroupSummary | null;
  [k: string]: unknown;
}
/**
 * `feature_importance.v1.json` as Desktop reads it. Source: specification, section 19.10.
 */
export interface DesktopImportanceV1 {
  schema_version: "feature_importance.v1";
  model_family?: string;
  /**
   * Feature to importance.
   */
  importances: {
    [k: string]: number;
  };
  method?: string;
  computed_at?: FieldTime;
  [k: string]: unknown;
}
/**
 * One artifact, available or not.
 */
export interface DesktopInterpretabilityArtifact {
  /**
   * `metrics.v1`, `feature_importance.v1` or `linear_coefficients.v1`.
   */
  type: string;
  schema_version?: string;
  path?: RelativePath;
  available: boolean;
  unavailable_reason?: string;
  [k: string]: unknown;
}
/**
 * `interpretability.index.v1.json` as Desktop reads it. Source: specification, section 19.10.
 */
export interface DesktopInterpretabilityV1 {
  schema_version: "interpretability.index.v1";
  run_id?: string;
  model_family?: string;
  generated_at?: FieldTime;
  artifacts: DesktopInterpretabilityArtifact[];
  [k: string]: unknown;
}
/**
 * `metrics.v1.json` as Desktop reads it. Source: specification, section 19.10.
 */
export interface DesktopMetricsV1 {
  schema_version: "metrics.v1";
  profile_id?: string;
  model_family?: string;
  /**
   * Category to name to value.
   */
  metrics: {
    [k: string]: {
      [k: string]: number;
    };
  };
  computed_at?: FieldTime;
  [k: string]: unknown;
}
/**
 * One line of `metrics.jsonl` of Desktop. Source: specification, section 19.8.
 */
export interface DesktopMetricsLineV1 {
  step: Count;
  epoch: Count;
  loss: number;
  /**
   * Learning rate.
   */
  lr?: number;
  time?: UnixTime;
  [k: string]: unknown;
}
/**
 * `request.json` that the command line of Desktop writes for a run of a sweep: a `request.v1` whose time has no offset, without the number of the member. Source: specification, section 19.9.
 */
export interface DesktopRequestV1 {
  /**
   * URL of this schema.
   */
  $schema?: string;
  /**
   * Major version of the request schema.
   */
  version: 1;
  preset: Preset;
  /**
   * Name of a training profile; a profile of another model family is an error.
   */
  profile?: string;
  dataset: RequestDataset;
  model: RequestModel;
  device: RequestDevice;
  /**
   * Seed of the split and of the estimator; 42 when absent.
   */
  seed?: number;
  /**
   * Local time without an offset.
   */
  created_at: FieldTime;
  /**
   * Client that wrote the request, as `<client>@<version>`.
   */
  created_by: string;
  /**
   * Run id of the parent if this is a rerun.
   */
  rerun_from?: string | null;
  /**
   * Display name.
   */
  name?: string | null;
  /**
   * Tags for organising runs.
   */
  tags?: string[];
  /**
   * Free text.
   */
  notes?: string | null;
  /**
   * The group of runs that the run belongs to.
   */
  sweep_group_id: string;
  [k: string]: unknown;
}
/**
 * The dataset to train on.
 */
export interface RequestDataset {
  /**
   * Path of the dataset, relative to the workspace.
   */
  path: WorkspacePath;
  /**
   * Name of the label column.
   */
  label_column: string;
  /**
   * Columns that are neither label nor feature.
   */
  exclude_columns?: string[] | null;
  /**
   * Path of the recipe that is applied to the dataset, relative to the workspace; label and excluded columns are then those of the raw table. Source: specification, section 24.6.
   */
  recipe?: WorkspacePath | null;
  [k: string]: unknown;
}
/**
 * Which model to train.
 */
export interface RequestModel {
  family: ModelFamily;
  /**
   * Hyperparameters by name; they take precedence over preset and profile.
   */
  hyperparameters?: {
    [k: string]: unknown;
  } | null;
  [k: string]: unknown;
}
/**
 * Where to train.
 */
export interface RequestDevice {
  type: DeviceType;
  /**
   * Why a GPU is blocked or unavailable.
   */
  gpu_reason?: string | null;
  [k: string]: unknown;
}
/**
 * `run.json` of Desktop, which shares its name with the run record and nothing else. Source: specification, section 19.8.
 */
export interface DesktopRunV1 {
  run_id: WorkspacePath;
  name?: string;
  status: "Pending" | "Running" | "Failed" | "Completed" | "Cancelled";
  device?: "CPU" | "GPU";
  preset?: string;
  dataset_path?: string;
  /**
   * The folder of the run.
   */
  output_path?: string;
  created_at: UnixTime;
  started_at?: UnixTime | null;
  completed_at?: UnixTime | null;
  error?: string | null;
  total_epochs?: Count;
  batch_size?: Count;
  learning_rate?: number;
  num_samples?: Count;
  optimizer?: string;
  scheduler?: string;
  pid?: number | null;
  [k: string]: unknown;
}
/**
 * One run.
 */
export interface EditorIndexEntry0221 {
  run_id: AnyRunId;
  created_at: FieldTime;
  dataset_fingerprint_sha256?: Sha256;
  label_column?: string;
  /**
   * The file `run.json`, relative to the store.
   */
  run_dir: WorkspacePath;
  /**
   * The model, relative to the store.
   */
  model_pkl?: WorkspacePath;
  [k: string]: unknown;
}
/**
 * Index of the engine of the editor extension 0.4.3. Source: specification, section 19.6.
 */
export interface EditorIndexV0221 {
  schema_version: "0.2.2.1";
  runs: EditorIndexEntry0221[];
  [k: string]: unknown;
}
/**
 * One run.
 */
export interface EditorIndexEntry {
  /**
   * The id in `run.json`, which is not the name of the run folder.
   */
  run_id: AnyRunId;
  created_at: FieldTime;
  /**
   * Display name; the run id if there is none.
   */
  name?: string;
  /**
   * `std-train` or `hq-train`.
   */
  preset_id?: string;
  status?: "succeeded" | "failed" | "cancelled";
  summary?: EditorIndexSummary;
  /**
   * The run folder, relative to the workspace.
   */
  run_dir: WorkspacePath;
  dataset_fingerprint_sha256?: Sha256;
  label_column?: string;
  /**
   * The model, relative to the workspace.
   */
  model_pkl?: WorkspacePath;
  [k: string]: unknown;
}
/**
 * A run at a glance.
 */
export interface EditorIndexSummary {
  duration_ms?: Count;
  final_metrics?: {
    [k: string]: number;
  };
  /**
   * `cpu` or `cuda`.
   */
  device?: string;
  [k: string]: unknown;
}
/**
 * Index of the editor extension, newest run last; it has no failed or cancelled runs. Source: specification, section 19.6.
 */
export interface EditorIndexV100 {
  schema_version: "1.0.0";
  runs: EditorIndexEntry[];
  [k: string]: unknown;
}
/**
 * `request.json` of the editor extension. Source: specification, section 19.3.
 */
export interface EditorRequestV1 {
  /**
   * Name of the run folder, which is not the id in `run.json`.
   */
  run_id: AnyRunId;
  /**
   * Display name.
   */
  name?: string;
  /**
   * `std-train` or `hq-train`.
   */
  preset_id: string;
  seed?: number | null;
  created_at?: FieldTime;
  /**
   * `cpu`, `cuda` or `auto`.
   */
  requested_device?: string;
  /**
   * `cpu` or `cuda`, as the extension chose.
   */
  actual_device?: string;
  /**
   * `sufficient_vram`, `insufficient_vram`, `gpu_unknown` or `no_cuda`.
   */
  gpu_reason?: string | null;
  [k: string]: unknown;
}
/**
 * `result.json` of the editor extension. Source: specification, section 19.4.
 */
export interface EditorResultV1 {
  /**
   * Name of the run folder, which is not the id in `run.json`.
   */
  run_id?: AnyRunId;
  /**
   * A cancelled run is `failed`; its error says that it was cancelled.
   */
  status: "succeeded" | "failed";
  /**
   * Exit status of the engine; null if a signal ended it.
   */
  exit_code: number | null;
  duration_ms: Count;
  /**
   * The reason as one string.
   */
  error?: string | null;
  [k: string]: unknown;
}
/**
 * `run.json` of the first editor extensions: a `run.v0.2.2.1` without `schema_version`. Source: specification, section 19.5.
 */
export interface EditorRunV0221 {
  run_id: AnyRunId;
  runforge_version: string;
  created_at: FieldTime;
  dataset: DatasetReference;
  label_column: string;
  num_samples: Count;
  num_features: Count;
  dropped_rows_missing_values: Count;
  metrics: MetricsSnapshot;
  artifacts: RunArtifacts;
  [k: string]: unknown;
}
/**
 * One run, with the members that its client knew.
 */
export interface IndexArrayEntry {
  run_id: AnyRunId;
  created_at?: FieldTime;
  name?: string;
  preset_id?: string;
  status?: string;
  summary?: IndexArraySummary;
  run_dir: WorkspacePath;
  dataset_fingerprint_sha256?: Sha256;
  label_column?: string;
  model_pkl?: WorkspacePath;
  [k: string]: unknown;
}
/**
 * A run at a glance.
 */
export interface IndexArraySummary {
  duration_ms?: Count;
  final_metrics?: {
    [k: string]: number;
  };
  device?: string;
  [k: string]: unknown;
}
/**
 * Why the index was not written.
 */
export interface IndexOrphanError {
  message?: string;
  type?: string;
  traceback?: string;
  [k: string]: unknown;
}
/**
 * `.index-orphan`: the engine of the editor extension could not add the run to its index. Source: specification, section 19.7.
 */
export interface IndexOrphanMarkerV100 {
  schema_version: "index-orphan.v1.0.0";
  run_id: string;
  run_dir?: string;
  written_at?: FieldTime;
  error?: IndexOrphanError;
  index_path?: string;
  [k: string]: unknown;
}
/**
 * How the plan is executed, and when.
 */
export interface GroupExecution {
  /**
   * How many runs are executed at the same time.
   */
  max_parallel: number;
  /**
   * Whether the first failed run ends the sweep.
   */
  fail_fast?: boolean;
  /**
   * Whether the cancellation of one run ends the sweep.
   */
  stop_on_cancel?: boolean;
  /**
   * When the execution began for the first time.
   */
  started_at: Timestamp;
  /**
   * When the last execution ended; absent while the group is running.
   */
  finished_at?: Timestamp | null;
  /**
   * Whether a person or a program cancelled the last execution.
   */
  cancelled: boolean;
  /**
   * Address of the scheduler that distributed the runs to other machines; absent if there was none.
   */
  scheduler?: string | null;
  [k: string]: unknown;
}
/**
 * A dataset of the group.
 */
export interface GroupDataset {
  /**
   * Path of the dataset, as the requests name it.
   */
  path: WorkspacePath;
  /**
   * SHA-256 of the file's bytes.
   */
  sha256: Sha256;
  [k: string]: unknown;
}
/**
 * One member of the group.
 */
export interface GroupRun {
  member: MemberNumber;
  /**
   * The run; absent if it was not begun.
   */
  run_id?: AnyRunId | null;
  status: MemberStatus;
  /**
   * What the member sets in the request, with the paths of the plan.
   */
  request_overrides: RequestOverrides;
  /**
   * Path of `result.json` relative to the workspace; absent if the run did not end.
   */
  result_ref?: WorkspacePath | null;
  /**
   * Primary metric of the run; absent without one. Source: specification, section 10.4.
   */
  primary_metric?: GroupMetric | null;
  /**
   * Runs of this member that did not end, or were cancelled, and that `run_id` replaces; oldest first.
   */
  earlier_run_ids?: AnyRunId[] | null;
  [k: string]: unknown;
}
/**
 * Values by their place in the request. `null` REMOVES the member. Source: specification, sections 20.2 and 20.3.
 */
export interface RequestOverrides {
  [k: string]: unknown;
}
/**
 * A metric by name.
 */
export interface GroupMetric {
  name: string;
  value: number;
  [k: string]: unknown;
}
/**
 * A member with the configuration of an earlier one. Source: specification, section 20.4.
 */
export interface GroupDuplicate {
  member: MemberNumber;
  /**
   * The earlier member, which is executed.
   */
  same_as: MemberNumber;
  [k: string]: unknown;
}
/**
 * The group at a glance.
 */
export interface GroupSummary {
  /**
   * How many members are executed: the length of `runs`.
   */
  total: Count;
  succeeded: Count;
  failed: Count;
  canceled: Count;
  /**
   * The run with the best primary metric; the lowest member number among equals. Source: specification, section 20.8.
   */
  best_run_id?: AnyRunId | null;
  best_primary_metric?: GroupMetric | null;
  [k: string]: unknown;
}
/**
 * A group of runs that were made of one plan: its state and that of every member; it can be made again from the plan and the run folders. Source: specification, section 20.7.
 */
export interface GroupV1 {
  /**
   * Major version of the group schema.
   */
  version: 1;
  /**
   * Tells a group from other documents.
   */
  kind: "run_group";
  group_id: GroupId;
  /**
   * When the group was made.
   */
  created_at: Timestamp;
  /**
   * Client that made the group, as `<client>@<version>`.
   */
  created_by: string;
  /**
   * Display name of the group, from the plan.
   */
  name?: string | null;
  /**
   * Free text, from the plan.
   */
  notes?: string | null;
  /**
   * The plan as it was executed, in the folder of the group.
   */
  plan_ref: "plan.json";
  status: GroupStatus;
  execution: GroupExecution;
  /**
   * The datasets that the plan names, as they were when the group was made.
   */
  datasets: GroupDataset[];
  /**
   * The members that are executed, in the order of their numbers.
   */
  runs: GroupRun[];
  /**
   * The members that are not executed, because an earlier one has the same configuration.
   */
  duplicates: GroupDuplicate[];
  summary: GroupSummary;
  [k: string]: unknown;
}
/**
 * A run of the tracking store, and what happened to it.
 */
export interface ImportedItem {
  /**
   * Its id in the other tool.
   */
  source_id: string;
  /**
   * Name of its experiment.
   */
  experiment: string;
  /**
   * Its name; absent if it has none.
   */
  name?: string;
  /**
   * `added`: it is a run now. `present`: it was before. `changed`: it was imported before, and is another one there now; the run here stays as it is. `unfinished`: it has not ended. `deleted`: it was deleted in the other tool. `removed`: it was imported and forgotten or archived here; it is not brought back. `refused`: it cannot be read or recorded.
   */
  outcome: "added" | "present" | "changed" | "unfinished" | "deleted" | "removed" | "refused";
  /**
   * Its id here; absent where it has none.
   */
  run_id?: string;
  /**
   * The folder of the run, relative to the workspace.
   */
  path?: string;
  /**
   * What changed in the other tool.
   */
  differences?: ("record" | "values" | "artifacts")[];
  /**
   * Why it was refused.
   */
  reason?: string;
  /**
   * What is not in the run, or has another form there.
   */
  left_out?: LeftOut[];
  [k: string]: unknown;
}
/**
 * Something that was left out or changed when a run was imported.
 */
export interface LeftOut {
  /**
   * What it concerns.
   */
  what: "metrics" | "parameters" | "tags" | "artifacts" | "times" | "names" | "datasets" | "models";
  /**
   * How many: points of metrics, files, names.
   */
  count: Count;
  /**
   * One sentence for display.
   */
  message: string;
  [k: string]: unknown;
}
/**
 * What was left out or changed, over all runs that were added.
 */
export interface LeftOutSum {
  /**
   * What it concerns.
   */
  what: "metrics" | "parameters" | "tags" | "artifacts" | "times" | "names" | "datasets" | "models";
  count: Count;
  /**
   * The number of runs that it concerns.
   */
  runs: Count;
  [k: string]: unknown;
}
/**
 * What was imported from another tool, as `runforge import --json` prints it. Source: specification, section 17.15.
 */
export interface ImportReportV1 {
  schema_version: "import_report.v1";
  /**
   * The other tool.
   */
  tool: "mlflow";
  /**
   * The tracking store, as an absolute path.
   */
  source: string;
  /**
   * `imported`: runs were added, or would be without `--dry-run`. `present`: there was nothing to add.
   */
  outcome: "imported" | "present";
  /**
   * Whether nothing was written, because only the plan was asked for.
   */
  dry_run: boolean;
  /**
   * The runs of the tracking store, in the order in which they started.
   */
  items: ImportedItem[];
  /**
   * The sum of what is not in the added runs, or has another form there.
   */
  left_out: LeftOutSum[];
  /**
   * What was noticed about the tracking store itself, one sentence each.
   */
  notes: string[];
  [k: string]: unknown;
}
/**
 * One run; appended once and never changed.
 */
export interface IndexEntry {
  run_id: AnyRunId;
  created_at: Timestamp;
  /**
   * Display name; the run id if the request has none.
   */
  name?: string;
  /**
   * Preset of the request.
   */
  preset_id?: string;
  status?: Status;
  summary?: IndexSummary;
  /**
   * The run folder, relative to the workspace.
   */
  run_dir: WorkspacePath;
  dataset_fingerprint_sha256?: Sha256;
  label_column?: string;
  /**
   * The model, relative to the run folder.
   */
  model_pkl?: RelativePath;
  model_family?: ModelFamily;
  /**
   * SHA-256 of the model file.
   */
  model_sha256?: Sha256;
  /**
   * Seed of the split and of the estimator.
   */
  seed?: number;
  /**
   * Values of the hyperparameters by name: those that the run used; those of the request if the run recorded none.
   */
  hyperparameters?: {
    [k: string]: boolean | number | string | null;
  };
  /**
   * Group of runs that the run belongs to. Source: specification, section 20.6.
   */
  group_id?: GroupId;
  /**
   * Run that this one repeats.
   */
  rerun_from?: AnyRunId;
  /**
   * Tags of the request; empty if it has none. Entries of older versions lack it.
   */
  tags?: string[];
  /**
   * Of a run that came from another store: the digest of the chain after the first entry of that store's index. Source: specification, section 14.3.
   */
  origin?: Sha256;
  [k: string]: unknown;
}
/**
 * A run at a glance.
 */
export interface IndexSummary {
  duration_ms?: Count;
  final_metrics?: {
    [k: string]: number;
  };
  device?: string;
  [k: string]: unknown;
}
/**
 * Append-only provenance index of a store, oldest run first; it can be rebuilt from the run folders. Source: specification, section 5.5.
 */
export interface IndexV1 {
  schema_version: "index.v1";
  runs: IndexEntry[];
  [k: string]: unknown;
}
/**
 * The result for one store. Runs are listed by id, or by folder name if the id cannot be read.
 */
export interface StoreReport {
  /**
   * Name of the store's folder.
   */
  store: string;
  /**
   * The index, relative to the workspace.
   */
  index: string;
  /**
   * Whether there is no finding.
   */
  fits: boolean;
  counts: IndexCounts;
  /**
   * Runs that were already in the index and have a folder.
   */
  already_indexed: string[];
  /**
   * Finished runs that were added to the index.
   */
  recovered: string[];
  /**
   * Finished runs that are missing from the index.
   */
  unlisted: string[];
  /**
   * Entries among the run folders that are not runs or cannot be read.
   */
  skipped: SkippedFolder[];
  /**
   * Runs that stopped without a result; they are not indexed.
   */
  interrupted: string[];
  /**
   * Running runs.
   */
  running: string[];
  /**
   * Runs that have not started, or for which it is unknown whether they are running.
   */
  incomplete: string[];
  /**
   * Finished runs that were cancelled.
   */
  cancelled: string[];
  /**
   * Runs in the index whose folder is missing.
   */
  missing_folders: string[];
  /**
   * Runs that were archived: their folders are in an archive, and that is no finding.
   */
  archived?: string[];
  /**
   * Runs that were forgotten: their folders are gone, and that is no finding.
   */
  forgotten?: string[];
  /**
   * Differences between the index and the run folders.
   */
  findings: IndexFinding[];
  /**
   * Schema that the index follows: `index.v1`, or that of another client; absent if there is no index that can be read.
   */
  form?: string;
  /**
   * Path to which an unreadable index was moved, relative to the workspace.
   */
  kept_aside?: string;
  [k: string]: unknown;
}
/**
 * Number of entries among the run folders, and number of entries in each list of the report.
 */
export interface IndexCounts {
  scanned: Count;
  already_indexed: Count;
  recovered: Count;
  unlisted: Count;
  skipped: Count;
  interrupted: Count;
  running: Count;
  incomplete: Count;
  cancelled: Count;
  missing_folders: Count;
  archived?: Count;
  forgotten?: Count;
  findings: Count;
  [k: string]: unknown;
}
/**
 * An entry among the run folders, and why it is ignored.
 */
export interface SkippedFolder {
  /**
   * Its name; bytes that are not UTF-8 are escaped.
   */
  name: string;
  reason: string;
  [k: string]: unknown;
}
/**
 * One difference between the index and the run folders.
 */
export interface IndexFinding {
  /**
   * `index_unreadable`, `entry_unreadable`, `entry_missing`, `entry_duplicate`, `entry_disagrees`, `folder_missing` or `folder_unreadable`.
   */
  kind: string;
  /**
   * One sentence.
   */
  message: string;
  /**
   * File or folder, relative to the workspace.
   */
  path: string;
  /**
   * JSON Pointer into the file, if there is one.
   */
  pointer?: string;
  /**
   * The affected run, if there is one.
   */
  run_id?: string;
  [k: string]: unknown;
}
/**
 * The indexes of a workspace compared with the run folders, as `runforge index check --json` and `runforge index rebuild --json` print it. Source: specification, section 5.7.
 */
export interface IndexReportV1 {
  schema_version: "index_report.v1";
  stores: StoreReport[];
  [k: string]: unknown;
}
/**
 * Artifacts that exist; others are absent.
 */
export interface AvailableArtifacts {
  metrics_v1?: MetricsEntry;
  feature_importance_v1?: FeatureImportanceEntry;
  linear_coefficients_v1?: LinearCoefficientsEntry;
}
/**
 * Detailed metrics.
 */
export interface MetricsEntry {
  schema_version: "metrics.v1";
  path: RelativePath;
  summary: MetricsSummary;
}
/**
 * Profile and accuracy.
 */
export interface MetricsSummary {
  metrics_profile: MetricsProfile;
  accuracy: Fraction;
}
/**
 * Feature importances.
 */
export interface FeatureImportanceEntry {
  schema_version: "feature_importance.v1";
  path: RelativePath;
  summary: FeatureImportanceSummary;
}
/**
 * Family and strongest names.
 */
export interface FeatureImportanceSummary {
  model_family: "random_forest";
  /**
   * @maxItems 5
   */
  top_k: string[];
}
/**
 * Linear coefficients.
 */
export interface LinearCoefficientsEntry {
  schema_version: "linear_coefficients.v1";
  path: RelativePath;
  summary: LinearCoefficientsSummary;
}
/**
 * Family, classes and strongest names.
 */
export interface LinearCoefficientsSummary {
  model_family: "logistic_regression" | "linear_svc";
  num_classes: number;
  top_k_by_class: TopFeatures[];
}
/**
 * Names of a class's strongest features.
 */
export interface TopFeatures {
  class: ClassLabel;
  top_features: string[];
}
/**
 * The interpretability artifacts of a run, with their versions and paths. Source: specification, section 9.7.
 */
export interface InterpretabilityIndexV1 {
  schema_version: "interpretability.index.v1";
  run_id: AnyRunId;
  /**
   * Version of RunForge that wrote the index.
   */
  runforge_version: string;
  created_at: Timestamp;
  available_artifacts: AvailableArtifacts;
}
/**
 * Intercept of a class.
 */
export interface Intercept {
  class: ClassLabel;
  intercept: number;
}
/**
 * Coefficients of a class, strongest first.
 */
export interface ClassCoefficients {
  class: ClassLabel;
  features: RankedCoefficient[];
}
/**
 * Change of the score per standard deviation of a feature.
 */
export interface RankedCoefficient {
  name: string;
  coefficient: number;
  abs_coefficient: number;
  rank: number;
}
/**
 * Coefficients of a linear model in standardized feature space. Source: specification, section 9.5.
 */
export interface LinearCoefficientsV1 {
  schema_version: "linear_coefficients.v1";
  model_family: "logistic_regression" | "linear_svc";
  coefficient_space: "standardized";
  num_features: Count;
  num_classes: number;
  /**
   * Class labels in sorted order.
   *
   * @minItems 2
   */
  classes: ClassLabel[];
  /**
   * @minItems 1
   */
  intercepts: Intercept[];
  /**
   * With two classes, one entry for the second in sorted order; otherwise one entry per class in sorted order.
   *
   * @minItems 1
   */
  coefficients_by_class: ClassCoefficients[];
  /**
   * @minItems 1
   */
  top_k_by_class: TopFeatures[];
}
/**
 * Digest and size of every other file of the run. Source: specification, section 5.4.
 */
export interface ManifestV1 {
  schema_version: "manifest.v1";
  run_id: RunId;
  files: FileDigests;
}
/**
 * The contents of an index without regard to order and origin. Source: specification, section 23.3.
 */
export interface StoreContents {
  count: Count;
  sha256: Sha256;
  [k: string]: unknown;
}
/**
 * Something of the other store.
 */
export interface MergedItem {
  kind:
    | "run"
    | "experiment"
    | "group"
    | "evaluation"
    | "dataset"
    | "recipe"
    | "signature"
    | "alias"
    | "removal";
  /**
   * Its id; of a signature, that of what it is of; of a dataset or a recipe, its file; of an alias, its name.
   */
  id: string;
  /**
   * `added`: it was brought in. `present`: this store has the same. `apart`: this workspace has another run of an experiment with the id, so it was put into a folder of its own. `differs`: this store has another one, which stays. `unfinished`: it has not ended, so it stays where it is. `removed`: this store forgot or archived the run, which is not brought back.
   */
  outcome: "added" | "present" | "apart" | "differs" | "unfinished" | "removed";
  /**
   * Where it is now, relative to the workspace.
   */
  path?: string;
  /**
   * What differs, if this store has another one.
   */
  differences?: string[];
  [k: string]: unknown;
}
/**
 * What was brought from another store, as `runforge store merge --json` prints it. Source: specification, section 23.5.
 */
export interface MergeReportV1 {
  schema_version: "merge_report.v1";
  /**
   * `present`: this store had all of the other one, and nothing was written.
   */
  outcome: "merged" | "present";
  /**
   * Whether nothing was written, because only the plan was asked for.
   */
  dry_run: boolean;
  /**
   * The store, relative to the workspace.
   */
  store: string;
  /**
   * Path of the other store.
   */
  other: string;
  /**
   * The origin of the other index; absent if it has no entry.
   */
  origin?: Sha256;
  /**
   * The runs that the index lists, whatever their order. Two stores that were merged both ways have the same.
   */
  contents: StoreContents;
  /**
   * Everything in the other store.
   */
  items: MergedItem[];
  [k: string]: unknown;
}
/**
 * Exactly three metrics; frozen. Source: specification, section 9.1.
 */
export interface MetricsPhase2 {
  /**
   * Fraction of validation rows that were predicted correctly.
   */
  accuracy: Fraction;
  /**
   * Rows used, after those with missing values were dropped.
   */
  num_samples: Count;
  /**
   * Feature columns used.
   */
  num_features: Count;
}
/**
 * Where a store went, as `runforge store move --json` prints it. Source: specification, section 5.12.
 */
export interface MoveReportV1 {
  schema_version: "move_report.v1";
  /**
   * Whether nothing was written, because only the plan was asked for.
   */
  dry_run: boolean;
  /**
   * `moved`: it was moved, or would be without `--dry-run`. `present`: it was there already.
   */
  outcome: "moved" | "present";
  /**
   * The store, relative to the workspace.
   */
  store: string;
  /**
   * The folder in which the store was: an absolute path.
   */
  source: string;
  /**
   * The folder in which it is now: an absolute path.
   */
  target: string;
  /**
   * The number of its files.
   */
  files: Count;
  /**
   * The size of its files.
   */
  bytes: Count;
  /**
   * Files of the earlier place that stay, because the store has no such file or another one: absolute paths.
   */
  kept: string[];
  [k: string]: unknown;
}
/**
 * A row; one without a prediction has only its number.
 */
export interface PredictedRow {
  /**
   * Its number in the dataset; 1 is the first row after the header.
   */
  row: number;
  prediction?: ClassLabel;
  /**
   * The probability of each of `classes`.
   */
  probabilities?: number[];
  [k: string]: unknown;
}
/**
 * Predictions of a run's model for the rows of a dataset, as `runforge predict --json` prints it. Source: specification, section 16.2.
 */
export interface PredictionV1 {
  schema_version: "prediction.v1";
  /**
   * The run that trained the model.
   */
  run_id: AnyRunId;
  /**
   * Rows of the dataset.
   */
  rows: Count;
  /**
   * Rows with a prediction.
   */
  predicted: Count;
  /**
   * Rows without a prediction because a value is missing.
   */
  missing: Count;
  /**
   * Missing values of each feature that has any; with a recipe, of each raw column.
   */
  missing_by_column: {
    [k: string]: Count;
  };
  /**
   * Columns of the dataset that are not features of the model.
   */
  ignored_columns: string[];
  /**
   * Warnings about the model.
   */
  warnings: string[];
  /**
   * Warnings about the rows; absent if there are none.
   */
  diagnostics?: Diagnostic[];
  /**
   * Classes of the probabilities, in order; present if probabilities were requested.
   */
  classes?: ClassLabel[];
  /**
   * One entry for each row, in the order of the dataset; absent if they were written to a file.
   */
  predictions?: PredictedRow[];
  /**
   * The file that the predictions were written to.
   */
  output?: string;
  [k: string]: unknown;
}
/**
 * State of the repository that holds the workspace.
 */
export interface GitState {
  /**
   * Commit checked out, in full.
   */
  commit: string;
  /**
   * Whether any file differs from the commit, including untracked files but not the store.
   */
  dirty: boolean;
  /**
   * Digest of all differences from the commit; present only if the state is dirty.
   */
  diff_sha256?: Sha256;
  /**
   * Changed files of which only the size is part of the digest, because they are too large or unreadable.
   */
  diff_unread_files?: number;
  [k: string]: unknown;
}
/**
 * The interpreter.
 */
export interface PythonRuntime {
  version: string;
  implementation: string;
  executable?: string;
  [k: string]: unknown;
}
/**
 * Properties of the machine that can change the bytes of the model.
 */
export interface Platform {
  os: string;
  machine: string;
  libc?: string;
  cpu?: string;
  /**
   * Name of the machine, if the run was made by a worker on another machine than the store's; absent otherwise.
   */
  host?: string;
  [k: string]: unknown;
}
/**
 * A linear algebra or threading library as loaded.
 */
export interface BlasLibrary {
  /**
   * Name of the library's file, whose suffix identifies the build.
   */
  library: string;
  /**
   * Programming interface, such as `openblas` or `openmp`.
   */
  api?: string;
  version?: string;
  /**
   * Kernel in use.
   */
  architecture?: string;
  threads?: Count;
  [k: string]: unknown;
}
/**
 * The numeric environment.
 */
export interface Numerics {
  blas: BlasLibrary[];
  /**
   * Number of threads that the libraries use, if they report it.
   */
  threads?: Count;
  /**
   * Processor features that numpy uses.
   */
  simd?: string[];
  /**
   * Whether the kernels and threads in use are the portable ones.
   */
  pinned: boolean;
  /**
   * Environment variables that configure the numeric libraries.
   */
  environment: {
    [k: string]: string;
  };
  [k: string]: unknown;
}
/**
 * Code, interpreter, packages and machine of a run.
 */
export interface Provenance {
  git?: GitState;
  python: PythonRuntime;
  /**
   * Client that wrote the request, as `<client>@<version>`.
   */
  client: string;
  /**
   * Versions of every package that can change the bytes of the model.
   */
  packages: {
    [k: string]: string;
  };
  platform: Platform;
  numerics: Numerics;
  /**
   * Values left out of the run's documents on request, because they identify a person or a machine: `dataset.path` (the folder of the dataset), `dataset.recipe` (that of the recipe), `python.executable`, `paths` (folders in messages and tracebacks). Absent if nothing was left out.
   *
   * @minItems 1
   */
  left_out?: string[];
  [k: string]: unknown;
}
/**
 * The form of the raw file. What is absent is as in the CSV of section 11.1; nothing is guessed.
 */
export interface RecipeSource {
  /**
   * What separates the fields of a CSV file; a comma when absent.
   */
  delimiter?: "," | ";" | "\t" | "|";
  /**
   * The decimal mark of columns that are kept; a point when absent.
   */
  decimal_mark?: "." | ",";
  /**
   * The encoding of a CSV file; UTF-8 when absent.
   */
  encoding?: "utf-8" | "utf-16le" | "utf-16be" | "iso-8859-1" | "iso-8859-15" | "windows-1252";
  /**
   * The sheet of an Excel workbook (.xlsx); then there is no other member.
   */
  sheet?: string;
  [k: string]: unknown;
}
/**
 * What happens to a raw column. Source: specification, section 24.3.
 */
export interface RecipeColumn {
  /**
   * Its name in the header, exactly.
   */
  column: string;
  action: "keep" | "drop" | "boolean" | "one_hot" | "ordinal" | "date" | "number";
  /**
   * Why, for a reader. Informative.
   */
  because?: string;
  /**
   * Of a boolean: the values that become 1; `true` in any case when absent.
   *
   * @minItems 1
   */
  true?: string[];
  /**
   * Of a boolean: the values that become 0; `false` in any case when absent.
   *
   * @minItems 1
   */
  false?: string[];
  /**
   * Of one-hot columns: the values that have a column, sorted by code point; of an ordinal: the values in their order, the first of which is 0.
   *
   * @minItems 1
   * @maxItems 10000
   */
  categories?: string[];
  /**
   * Of one-hot columns: what another value does. An error when absent; 0 in all columns; or 1 in a column for unknown values.
   */
  unknown?: "error" | "zeros" | "column";
  /**
   * Of a date: its form, with %Y, %m, %d, %H, %M and %S.
   */
  format?: string;
  /**
   * Of a date: the parts that become columns.
   *
   * @minItems 1
   * @maxItems 8
   */
  parts?: ("year" | "month" | "day" | "weekday" | "days" | "hour" | "minute" | "second")[];
  /**
   * Of a number: its decimal mark; a point when absent.
   */
  decimal_mark?: "." | ",";
  /**
   * Of a number: the mark between groups of three digits; none when absent.
   */
  thousands_mark?: "." | "," | " " | "'" | " " | "’" | " ";
  /**
   * Further cells that are missing values, beside those of section 11.2, such as `?` or `-999`; compared as text.
   *
   * @minItems 1
   * @maxItems 100
   */
  missing_values?: string[];
  /**
   * What a missing value does: the row is left without values, so that training drops it (when absent); a column of its own is 1 and the others are 0; or it is read as `constant`.
   */
  missing?: "drop_row" | "indicator" | "constant";
  /**
   * The cell that a missing one is read as.
   */
  constant?: string;
  [k: string]: unknown;
}
/**
 * How the columns of a raw table become a table of numbers. Source: specification, section 24.2.
 */
export interface RecipeV1 {
  schema_version: "recipe.v1";
  source?: RecipeSource;
  /**
   * The label column of the raw table; its cells are copied as they are.
   */
  label: string;
  /**
   * What happens to each raw column, in the order of the prepared columns; a raw column that is not listed is not used.
   *
   * @minItems 1
   */
  columns: RecipeColumn[];
  /**
   * The client that proposed the recipe, such as `runforge-cli@0.4.0`. Informative.
   */
  created_by?: string;
  [k: string]: unknown;
}
/**
 * A run, what was left of something, or what a forgotten run leaves in the store.
 */
export interface RemovalItem {
  /**
   * A run; the run of an experiment; a run that was interrupted before it had a result; a folder that is left of a removed run; a temporary file or folder of a process that has ended; the copy of a dataset or a recipe that the store keeps; an evaluation of a forgotten run.
   */
  what:
    | "run"
    | "experiment"
    | "interrupted"
    | "unfinished"
    | "temporary"
    | "dataset"
    | "recipe"
    | "evaluation";
  /**
   * Its path, relative to the workspace.
   */
  path: string;
  /**
   * `gone`: it was removed before; `kept`: it stays, for the reason in `message`.
   */
  outcome: "removed" | "gone" | "kept";
  /**
   * The run; of the copy of a dataset or a recipe, the first of the forgotten runs that used it.
   */
  id?: AnyRunId;
  /**
   * The evaluation.
   */
  evaluation_id?: EvaluationId;
  /**
   * How many files there are.
   */
  files?: Count;
  /**
   * How large they are together.
   */
  bytes?: Count;
  /**
   * What speaks against it, as in `despite` of the record.
   */
  objections?: ("alias" | "sweep" | "view" | "unverified")[];
  /**
   * Of a copy that stays: the runs, evaluations and sweeps that use it, and what cannot be read and may use it.
   *
   * @minItems 1
   */
  used_by?: string[];
  /**
   * Why it stays.
   */
  message?: string;
  [k: string]: unknown;
}
/**
 * What was removed from a store, as `runforge store forget --json` and `runforge store tidy --json` print it. Source: specification, section 25.6.
 */
export interface RemovalReportV1 {
  schema_version: "removal_report.v1";
  /**
   * Whether nothing was written, because only the plan was asked for.
   */
  dry_run: boolean;
  /**
   * The store, relative to the workspace.
   */
  store: string;
  /**
   * Everything that was, or would be, removed, and what forgotten runs leave in the store.
   */
  items: RemovalItem[];
  [k: string]: unknown;
}
/**
 * The dataset that was used, or not found.
 */
export interface ReproductionDataset {
  /**
   * Its path, or the path where it was expected.
   */
  path: string;
  /**
   * Fingerprint in the record.
   */
  expected_sha256?: Sha256;
  /**
   * Fingerprint of the file; absent if there is no file.
   */
  found_sha256?: Sha256;
  [k: string]: unknown;
}
/**
 * One file of the run compared with the new one.
 */
export interface ArtifactCheck {
  path: RelativePath;
  /**
   * Digest in the run record.
   */
  recorded_sha256?: Sha256;
  /**
   * Digest of the file in the run folder.
   */
  found_sha256?: Sha256;
  /**
   * Digest of the new file.
   */
  rebuilt_sha256?: Sha256;
  /**
   * Whether the new file is identical to the recorded one and to the one in the run folder.
   */
  identical: boolean;
  [k: string]: unknown;
}
/**
 * Digests of the models' content, independent of the encoding.
 */
export interface ContentCheck {
  /**
   * In the run record.
   */
  recorded_sha256?: Sha256;
  /**
   * Of the model in the run folder.
   */
  found_sha256?: Sha256;
  /**
   * Of the new model.
   */
  rebuilt_sha256?: Sha256;
  identical: boolean;
  [k: string]: unknown;
}
/**
 * Predictions of both models on every row of the dataset.
 */
export interface PredictionCheck {
  rows: Count;
  /**
   * Rows with different predicted labels.
   */
  differing_rows: Count;
  /**
   * Largest difference between probabilities or, if the model has none, distances from the decision boundary.
   */
  largest_score_difference?: number;
  [k: string]: unknown;
}
/**
 * Learned parameters of both models. A difference is relative to the value if that is greater than one.
 */
export interface ParameterCheck {
  /**
   * Attributes, such as `clf.coef_`.
   */
  compared: string[];
  tolerance: number;
  largest_difference: number;
  /**
   * Where the largest difference is, such as `clf.coef_[Adelie, bill_length_mm]`; absent if there is none.
   */
  place?: string;
  [k: string]: unknown;
}
/**
 * A reason for a verdict.
 */
export interface ReproductionReason {
  /**
   * A field of the recorded environment by its name, or of a document by file and JSON Pointer.
   */
  field: string;
  /**
   * An explanation, if the values need one.
   */
  message?: string;
  /**
   * The value that the run recorded; absent if there is none.
   */
  recorded?: boolean | number | string | null;
  /**
   * The value here; absent if there is none.
   */
  here?: boolean | number | string | null;
  [k: string]: unknown;
}
/**
 * A recorded value and the value here.
 */
export interface FieldDifference {
  /**
   * As in a reason.
   */
  field: string;
  /**
   * The value that the run recorded; absent if there is none.
   */
  recorded?: boolean | number | string | null;
  /**
   * The value here; absent if there is none.
   */
  here?: boolean | number | string | null;
  /**
   * Absolute difference of the two numbers.
   */
  difference?: number;
  [k: string]: unknown;
}
/**
 * A value that differs between the request and the run record.
 */
export interface RecordContradiction {
  /**
   * JSON Pointer into the request.
   */
  field: string;
  request?: boolean | number | string | null;
  run?: boolean | number | string | null;
  [k: string]: unknown;
}
/**
 * An item that could not be compared.
 */
export interface NotChecked {
  what: string;
  why: string;
  [k: string]: unknown;
}
/**
 * Result of training a run again from its record alone: a verdict, the evidence, and the reasons if the bytes differ. Source: specification, section 14.7.
 */
export interface ReproductionV1 {
  schema_version: "reproduction.v1";
  /**
   * The run that was trained again.
   */
  run_id: string;
  verdict: ReproductionVerdict;
  /**
   * When the verdict was given.
   */
  created_at: Timestamp;
  /**
   * Version of RunForge that trained again.
   */
  runforge_version: string;
  dataset?: ReproductionDataset;
  /**
   * Every file that was compared byte by byte.
   */
  artifacts: ArtifactCheck[];
  content?: ContentCheck;
  predictions?: PredictionCheck;
  parameters?: ParameterCheck;
  /**
   * Why the result is not byte-identical: fields of the recorded environment that differ, and missing records. Empty if the bytes are identical.
   */
  reasons: ReproductionReason[];
  /**
   * Every field of the recorded environment that differs here, for any verdict.
   */
  environment: FieldDifference[];
  /**
   * Differences in the results: documents by file and JSON Pointer, the model by its attributes.
   */
  differences: FieldDifference[];
  /**
   * Number of differences that are not listed; absent if all are.
   */
  differences_omitted?: Count;
  /**
   * Contradictions between the request and the run record; the training used the values of the run record.
   */
  contradictions: RecordContradiction[];
  /**
   * What could not be compared.
   */
  not_checked: NotChecked[];
  /**
   * Folder in which the new run was kept.
   */
  kept?: string;
  [k: string]: unknown;
}
/**
 * Configuration of a run; written before training starts. Unknown fields are ignored when reading and kept when saving, at every depth. Source: specification, section 6.2.
 */
export interface RequestV1 {
  /**
   * URL of this schema.
   */
  $schema?: string | null;
  /**
   * Major version of the request schema.
   */
  version: 1;
  preset: Preset;
  /**
   * Name of a training profile; a profile of another model family is an error.
   */
  profile?: string | null;
  dataset: RequestDataset;
  model: RequestModel;
  device: RequestDevice;
  /**
   * Seed of the split and of the estimator; 42 when absent.
   */
  seed?: number | null;
  created_at: Timestamp;
  /**
   * Client that wrote the request, as `<client>@<version>`.
   */
  created_by: string;
  /**
   * Run id of the parent if this is a rerun.
   */
  rerun_from?: string | null;
  /**
   * Group of runs that the run belongs to, if it is a member of a sweep. Source: specification, section 20.6.
   */
  sweep_group_id?: string | null;
  /**
   * Number of the run in the plan of its group, from 1. Source: specification, section 20.4.
   */
  sweep_member?: number | null;
  /**
   * Display name.
   */
  name?: string | null;
  /**
   * Tags for organising runs.
   */
  tags?: string[] | null;
  /**
   * Free text.
   */
  notes?: string | null;
  [k: string]: unknown;
}
/**
 * The configuration actually used: preset, profile and overrides merged, device resolved.
 */
export interface EffectiveConfig {
  /**
   * Name of the preset.
   */
  preset?: string | null;
  /**
   * Name of the profile.
   */
  profile?: string | null;
  model?: EffectiveModel | null;
  device?: EffectiveDevice | null;
  dataset?: EffectiveDataset | null;
  /**
   * Seed used.
   */
  seed?: number | null;
  [k: string]: unknown;
}
/**
 * The model as trained.
 */
export interface EffectiveModel {
  /**
   * Model family.
   */
  family?: string | null;
  /**
   * Every hyperparameter with the value used.
   */
  hyperparameters?: {
    [k: string]: unknown;
  } | null;
  [k: string]: unknown;
}
/**
 * The device used.
 */
export interface EffectiveDevice {
  /**
   * `cpu` or `gpu`.
   */
  type?: string | null;
  gpu_id?: number | string | null;
  /**
   * Why the run did not use the requested GPU.
   */
  gpu_reason?: string | null;
  [k: string]: unknown;
}
/**
 * The dataset used.
 */
export interface EffectiveDataset {
  path?: string | null;
  label_column?: string | null;
  exclude_columns?: string[] | null;
  /**
   * SHA-256 of the file's bytes, where it could be read.
   */
  fingerprint_sha256?: Sha256 | null;
  /**
   * Path of the recipe that was applied to the dataset.
   */
  recipe?: string | null;
  /**
   * SHA-256 of the recipe's bytes.
   */
  recipe_sha256?: Sha256 | null;
  [k: string]: unknown;
}
/**
 * The primary metric of the run.
 */
export interface PrimaryMetric {
  name: string;
  value: number;
  [k: string]: unknown;
}
/**
 * Summary of the run's metrics.
 */
export interface ResultSummary {
  primary_metric?: PrimaryMetric | null;
  /**
   * Metric name to value.
   */
  metrics?: {
    [k: string]: number;
  } | null;
  [k: string]: unknown;
}
/**
 * A file that the run produced.
 */
export interface ResultArtifact {
  path: RelativePath;
  type:
    | "model"
    | "metrics"
    | "feature_importance"
    | "linear_coefficients"
    | "encoder"
    | "log"
    | "checkpoint"
    | "other";
  bytes: Count;
  [k: string]: unknown;
}
/**
 * Why the run failed or was cancelled.
 */
export interface ResultError {
  /**
   * One sentence for display.
   */
  message: string;
  /**
   * Name of the exception.
   */
  type: string;
  /**
   * Stable error code, where RunForge knows the cause.
   */
  code?: string | null;
  /**
   * What to do about it.
   */
  hint?: string | null;
  /**
   * Full stack trace.
   */
  traceback?: string | null;
  [k: string]: unknown;
}
/**
 * Result of a run; written for every run that has a folder. Source: specification, section 7.1.
 */
export interface ResultV1 {
  /**
   * Schema version.
   */
  version: 1;
  run_id?: AnyRunId | null;
  status: Status;
  started_at?: Timestamp | null;
  finished_at?: Timestamp | null;
  /**
   * Total execution time in milliseconds.
   */
  duration_ms: Count;
  summary?: ResultSummary | null;
  effective_config?: EffectiveConfig | null;
  /**
   * Files that the run produced.
   */
  artifacts?: ResultArtifact[] | null;
  /**
   * Provenance of the run, if it finished before `run.json` was written.
   */
  provenance?: Provenance | null;
  /**
   * Present for failed runs, `null` for succeeded ones.
   */
  error?: ResultError | null;
  [k: string]: unknown;
}
/**
 * Record of a completed training, as written by the observability release. Source: specification, section 8.1.
 */
export interface RunV0221 {
  schema_version: "run.v0.2.2.1";
  run_id: AnyRunId;
  /**
   * Version of the client or engine that produced the run.
   */
  runforge_version?: string;
  /**
   * When training completed.
   */
  created_at: Timestamp;
  dataset: DatasetReference;
  /**
   * Name of the label column.
   */
  label_column: string;
  /**
   * Rows used, after those with missing values were dropped.
   */
  num_samples?: Count;
  /**
   * Feature columns used.
   */
  num_features: Count;
  /**
   * Rows dropped because a used column had no value.
   */
  dropped_rows_missing_values: Count;
  metrics: MetricsSnapshot;
  artifacts: RunArtifacts;
  [k: string]: unknown;
}
/**
 * Record of a completed training, with model family, hyperparameters and detailed metrics. Source: specification, section 8.1.
 */
export interface RunV033 {
  schema_version: "run.v0.3.3";
  run_id: AnyRunId;
  /**
   * Version of the client or engine that produced the run.
   */
  runforge_version: string;
  /**
   * When training completed.
   */
  created_at: Timestamp;
  dataset: DatasetReference;
  /**
   * Name of the label column.
   */
  label_column: string;
  /**
   * Rows used, after those with missing values were dropped.
   */
  num_samples?: Count;
  /**
   * Feature columns used.
   */
  num_features: Count;
  /**
   * Rows dropped because a used column had no value.
   */
  dropped_rows_missing_values: Count;
  model_family: ModelFamily;
  /**
   * Name of the training profile; absent when none was used.
   */
  profile_name?: string;
  /**
   * Version of the training profile.
   */
  profile_version?: string;
  /**
   * Digest of the profile's expanded parameters.
   */
  expanded_parameters_hash?: string;
  /**
   * Hyperparameters used, with their source.
   */
  hyperparameters?: RecordedHyperparameter[];
  metrics_v1: MetricsReference;
  metrics: MetricsSnapshot;
  artifacts: RunArtifacts;
  [k: string]: unknown;
}
/**
 * Record of a completed training, with pointers to the interpretability artifacts. Source: specification, section 8.1.
 */
export interface RunV036 {
  schema_version: "run.v0.3.6";
  run_id: AnyRunId;
  /**
   * Version of the client or engine that produced the run.
   */
  runforge_version: string;
  /**
   * When training completed.
   */
  created_at: Timestamp;
  dataset: DatasetReference;
  /**
   * Name of the label column.
   */
  label_column: string;
  /**
   * Rows used, after those with missing values were dropped.
   */
  num_samples?: Count;
  /**
   * Feature columns used.
   */
  num_features: Count;
  /**
   * Rows dropped because a used column had no value.
   */
  dropped_rows_missing_values: Count;
  model_family: ModelFamily;
  /**
   * Name of the training profile; absent when none was used.
   */
  profile_name?: string;
  /**
   * Version of the training profile.
   */
  profile_version?: string;
  /**
   * Digest of the profile's expanded parameters.
   */
  expanded_parameters_hash?: string;
  /**
   * Hyperparameters used, with their source.
   */
  hyperparameters?: RecordedHyperparameter[];
  metrics_v1: MetricsReference;
  feature_importance_schema_version?: "feature_importance.v1";
  /**
   * Path of the feature importance; absent when there is none.
   */
  feature_importance_artifact?: RelativePath;
  linear_coefficients_schema_version?: "linear_coefficients.v1";
  /**
   * Path of the linear coefficients; absent when there is none.
   */
  linear_coefficients_artifact?: RelativePath;
  interpretability_index_schema_version?: "interpretability.index.v1";
  /**
   * Path of the interpretability index; absent when there is none.
   */
  interpretability_index_artifact?: RelativePath;
  metrics: MetricsSnapshot;
  artifacts: RunArtifacts;
  [k: string]: unknown;
}
/**
 * The dataset of a run, by path and by content, and the recipe that was applied to it. All three members of the recipe are present or none.
 */
export interface RunDataset {
  path: WorkspacePath;
  /**
   * SHA-256 of the file's bytes.
   */
  fingerprint_sha256: Sha256;
  /**
   * Path of the recipe that was applied to the dataset; absent if there was none. The run has a copy. Source: specification, section 24.6.
   */
  recipe?: WorkspacePath;
  /**
   * SHA-256 of the recipe's bytes.
   */
  recipe_sha256?: Sha256;
  /**
   * SHA-256 of the prepared table that the model was trained on.
   */
  prepared_sha256?: Sha256;
  [k: string]: unknown;
}
/**
 * The device that the run used.
 */
export interface UsedDevice {
  type: DeviceType;
  /**
   * Why the run did not use the requested GPU.
   */
  gpu_reason?: string;
  [k: string]: unknown;
}
/**
 * How the rows were divided.
 */
export interface Split {
  method: "stratified";
  validation_fraction: Fraction;
  train_rows: Count;
  validation_rows: Count;
  [k: string]: unknown;
}
/**
 * Record of a completed training, with everything needed to verify and reproduce it. Extends `run.v0.3.6` without changing it. Source: specification, sections 8.1 and 8.2.
 */
export interface RunV040 {
  schema_version: "run.v0.4.0";
  run_id: RunId;
  /**
   * Version of the client or engine that produced the run.
   */
  runforge_version: string;
  /**
   * When training completed.
   */
  created_at: Timestamp;
  dataset: RunDataset;
  /**
   * Name of the label column.
   */
  label_column: string;
  /**
   * Rows used, after those with missing values were dropped.
   */
  num_samples: Count;
  /**
   * Feature columns used.
   */
  num_features: Count;
  /**
   * Rows dropped because a used column had no value.
   */
  dropped_rows_missing_values: Count;
  /**
   * A run record is written when training has completed; `result.json` records every other outcome.
   */
  status: "succeeded";
  preset: Preset;
  model_family: ModelFamily;
  /**
   * Name of the training profile; absent when none was used.
   */
  profile_name?: string;
  /**
   * Version of the training profile.
   */
  profile_version?: string;
  /**
   * Digest of the profile's expanded parameters.
   */
  expanded_parameters_hash?: string;
  /**
   * Every hyperparameter used, with its source.
   */
  hyperparameters: RecordedHyperparameter[];
  /**
   * Seed of the split and of the estimator.
   */
  seed: number;
  device: UsedDevice;
  /**
   * Class labels in sorted order.
   *
   * @minItems 2
   */
  classes: ClassLabel[];
  /**
   * Feature columns in the order of the model's input.
   *
   * @minItems 1
   */
  feature_names: string[];
  split: Split;
  metrics: MetricsSnapshot;
  metrics_v1: MetricsReference;
  feature_importance_schema_version?: "feature_importance.v1";
  /**
   * Path of the feature importance; absent when there is none.
   */
  feature_importance_artifact?: RelativePath;
  linear_coefficients_schema_version?: "linear_coefficients.v1";
  /**
   * Path of the linear coefficients; absent when there is none.
   */
  linear_coefficients_artifact?: RelativePath;
  interpretability_index_schema_version?: "interpretability.index.v1";
  /**
   * Path of the interpretability index; absent when there is none.
   */
  interpretability_index_artifact?: RelativePath;
  artifacts: RunArtifacts;
  /**
   * Digest and size of every artifact.
   */
  artifact_digests: FileDigests;
  /**
   * Digest of the model's content, independent of its encoding.
   */
  model_content_sha256?: Sha256;
  provenance: Provenance;
  [k: string]: unknown;
}
/**
 * What lists showed of a run that the index does not list.
 */
export interface RemovedRun {
  /**
   * Display name; of an experiment's run, the experiment.
   */
  name?: string;
  created_at?: Timestamp;
  status?: Status;
  dataset_fingerprint_sha256?: Sha256;
  [k: string]: unknown;
}
/**
 * Digest and size of files outside the folder that were removed with it, by their path in the store: documents of evaluations, and copies of datasets and recipes. Of an archived run, the archive has the copies.
 */
export interface AlsoRemoved {
  [k: string]: FileDigest;
}
/**
 * One line of `removals.jsonl`, the append-only record of the runs that were forgotten, archived and restored (JSON Lines). Source: specification, section 25.1.
 */
export interface RunRemovalV1 {
  schema_version: "run_removal.v1";
  /**
   * What was decided. The last line about a run decides: `restored` says that its folder is here again.
   */
  action: "forgotten" | "archived" | "restored";
  run_id: AnyRunId;
  /**
   * Whether RunForge trained the model or an experiment ran.
   */
  kind: "trained" | "experiment";
  recorded_at: Timestamp;
  /**
   * Why, as the user put it.
   */
  because?: string;
  /**
   * The client that wrote the line, such as `runforge-cli@0.4.0`.
   */
  created_by?: string;
  /**
   * Digest and size of every file of the folder when the line was written.
   */
  files: FileDigests;
  /**
   * Digest of the run's entry in the index, without `origin` and `run_dir`, as canonical JSON; absent if the index did not list it.
   */
  entry_sha256?: Sha256;
  /**
   * Digest of the file with the run's signature; absent if it had none.
   */
  signature_sha256?: Sha256;
  listed?: RemovedRun;
  archive?: RunArchive;
  /**
   * What spoke against it and was set aside: an alias pointed at the run, its sweep was not finished, an editor had a view of it, or it did not verify.
   *
   * @minItems 1
   */
  despite?: ("alias" | "sweep" | "view" | "unverified")[];
  also?: AlsoRemoved;
  /**
   * The digest of the chain over all lines before this one; 64 zeros in the first line.
   */
  previous: Sha256;
  [k: string]: unknown;
}
/**
 * Parameters of `cancel`.
 */
export interface CancelParams {
  /**
   * The run [the newest one in progress].
   */
  run?: RunReference;
}
/**
 * How the run ended.
 */
export interface CancelResult {
  run_id: string;
  run_dir: string;
  status: string | null;
  /**
   * The `result.json` of a trained run.
   */
  result?: {
    [k: string]: unknown;
  } | null;
  /**
   * The configuration of an experiment run.
   */
  config?: {
    [k: string]: unknown;
  } | null;
  [k: string]: unknown;
}
/**
 * Cancels a run that is in progress in any process, and waits until it has ended.
 */
export interface CancelMethod {
  method: "cancel";
  params: CancelParams;
  result: CancelResult;
  [k: string]: unknown;
}
/**
 * Parameters of `$/cancelRequest`.
 */
export interface CancelRequestParams {
  id: RequestId;
}
/**
 * Cancels a request: one that waits is answered with the error `RequestCancelled`, a training ends and is recorded as cancelled.
 */
export interface CancelRequestNotification {
  method: "$/cancelRequest";
  params: CancelRequestParams;
  [k: string]: unknown;
}
/**
 * Parameters of `coefficients`.
 */
export interface CoefficientsParams {
  /**
   * The run [`latest`].
   */
  run?: RunReference;
}
/**
 * Returns the coefficients of a linear model for standardized features.
 */
export interface CoefficientsMethod {
  method: "coefficients";
  params: CoefficientsParams;
  result: LinearCoefficientsV1;
  [k: string]: unknown;
}
/**
 * How a run ended, as the `--json` of `train` prints it. A run that failed or was cancelled has one, too.
 */
export interface RunOutcome {
  run_id: AnyRunId;
  /**
   * The run folder, relative to the workspace if it is inside it.
   */
  run_dir: string;
  status: Status;
  /**
   * The `result.json` of the run.
   */
  result: ResultV1;
  /**
   * Of `rerun`: the SHA-256 of the dataset `before` and `after`, if its bytes have changed.
   */
  dataset_changed?: {
    [k: string]: unknown;
  };
  /**
   * Of `rerun`: the SHA-256 of the recipe `before` and `after`, if both runs have one and its bytes have changed.
   */
  recipe_changed?: {
    [k: string]: unknown;
  };
  [k: string]: unknown;
}
/**
 * A run of a list: an entry of the index, or one made from the documents of the run.
 */
export interface RunEntry {
  /**
   * Id of the run.
   */
  run_id: string;
  /**
   * The run folder, relative to the workspace if it is inside it.
   */
  run_dir: string;
  /**
   * When the run was made.
   */
  created_at?: string;
  /**
   * How the run ended; absent while it has not.
   */
  status?: string;
  /**
   * What became of a run without a status: `running`, `interrupted` or `incomplete`; `missing` of every run whose folder is missing.
   */
  state?: string;
  /**
   * `experiment` for a run of a script; absent for a run that RunForge trained.
   */
  kind?: string;
  /**
   * Aliases that point at the run; absent if there are none. Source: specification, section 5.11.
   */
  aliases?: string[];
  /**
   * Display name.
   */
  name?: string;
  /**
   * Preset of the request.
   */
  preset_id?: string;
  /**
   * Model family, or the model that an experiment names.
   */
  model_family?: string;
  /**
   * Name of the label column.
   */
  label_column?: string;
  /**
   * Duration, device and final metrics.
   */
  summary?: {
    [k: string]: unknown;
  };
  [k: string]: unknown;
}
/**
 * Parameters of `diagnostics`.
 */
export interface DiagnosticsParams {
  /**
   * The run [`latest`].
   */
  run?: RunReference;
}
/**
 * Returns the warnings, notes and errors of a run.
 */
export interface DiagnosticsMethod {
  method: "diagnostics";
  params: DiagnosticsParams;
  result: DiagnosticsV1;
  [k: string]: unknown;
}
/**
 * Parameters of `diff`.
 */
export interface DiffParams {
  /**
   * Two or more runs.
   *
   * @minItems 2
   * @maxItems 100
   */
  runs: RunReference[];
}
/**
 * Compares runs and explains why their results differ; the first one is the baseline.
 */
export interface DiffMethod {
  method: "diff";
  params: DiffParams;
  result: ComparisonV1;
  [k: string]: unknown;
}
/**
 * Parameters of `evaluate`.
 */
export interface EvaluateParams {
  /**
   * The run whose model is evaluated.
   */
  run: RunReference;
  /**
   * The labelled rows: CSV (also `.csv.gz`) or Parquet.
   */
  data: FilePath;
  /**
   * The column of the labels [that of the run].
   */
  label?: string;
  /**
   * Whether to use a model whose digest no run recorded, once inspected.
   */
  unverified?: boolean;
  /**
   * Whether to omit the folder of a dataset outside the workspace, and the content of cells.
   */
  private?: boolean;
}
/**
 * Evaluates the model of a run on labelled rows, and records the evaluation in the store. The model runs in a process of its own.
 */
export interface EvaluateMethod {
  method: "evaluate";
  params: EvaluateParams;
  result: EvaluationReportV1;
  [k: string]: unknown;
}
/**
 * Parameters of `exit`.
 */
export interface ExitParams {}
/**
 * Ends the process, with the exit code 0 after `shutdown`, else 1.
 */
export interface ExitNotification {
  method: "exit";
  params: ExitParams;
  [k: string]: unknown;
}
/**
 * Parameters of `group`.
 */
export interface GroupParams {
  /**
   * The sweep: its id, a unique prefix, its name, or `latest`.
   */
  group?: string;
  /**
   * A metric, a parameter, `member`, `duration` or `status` [the primary metric].
   */
  sort?: string;
}
/**
 * The `group.json` of the sweep and what its runs say, as `runforge sweep show --json` prints it.
 */
export interface GroupResult {
  group_id: string;
  /**
   * Display name.
   */
  name?: string | null;
  /**
   * How it ended; `running`, or `interrupted`.
   */
  state: string;
  /**
   * The primary metric.
   */
  metric?: string | null;
  /**
   * What varies, with the value of each member.
   */
  parameters: {
    [k: string]: unknown;
  }[];
  /**
   * Numbers of the members with the best value.
   */
  best_members: number[];
  /**
   * Members that differ in their seeds only, with mean and interval.
   */
  settings: {
    [k: string]: unknown;
  }[];
  /**
   * The members.
   */
  runs: {
    [k: string]: unknown;
  }[];
  [k: string]: unknown;
}
/**
 * Returns a sweep with the settings and metrics of its members, the best first.
 */
export interface GroupMethod {
  method: "group";
  params: GroupParams;
  result: GroupResult;
  [k: string]: unknown;
}
/**
 * Parameters of `groups`.
 */
export interface GroupsParams {
  /**
   * Maximum number of sweeps [100].
   */
  limit?: number;
  /**
   * How many sweeps to skip; with `limit`, a page of the list.
   */
  offset?: number;
}
/**
 * A page of the sweeps, as `runforge sweep list --json` prints them.
 */
export interface GroupsResult {
  /**
   * The sweeps.
   */
  groups: GroupEntry[];
  /**
   * How many sweeps there are, on all pages.
   */
  total: number;
  [k: string]: unknown;
}
/**
 * A sweep of the list.
 */
export interface GroupEntry {
  group_id: string;
  /**
   * Display name.
   */
  name?: string;
  created_at?: string;
  /**
   * How it ended; `running`, `interrupted`, or `unreadable` if its documents cannot be read.
   */
  state: string;
  /**
   * Number of runs.
   */
  members: number;
  /**
   * How many runs there are of each status.
   */
  counts?: {
    [k: string]: unknown;
  };
  /**
   * The primary metric.
   */
  metric?: string;
  /**
   * Best value of the metric.
   */
  best?: number;
  /**
   * The run with the best value.
   */
  best_run_id?: string;
  /**
   * Numbers of the runs with the best value.
   */
  best_members?: number[];
  [k: string]: unknown;
}
/**
 * Lists the sweeps of the workspace, newest first.
 */
export interface GroupsMethod {
  method: "groups";
  params: GroupsParams;
  result: GroupsResult;
  [k: string]: unknown;
}
/**
 * Parameters of `importance`.
 */
export interface ImportanceParams {
  /**
   * The run [`latest`].
   */
  run?: RunReference;
}
/**
 * Returns the feature importances of a forest.
 */
export interface ImportanceMethod {
  method: "importance";
  params: ImportanceParams;
  result: FeatureImportanceV1;
  [k: string]: unknown;
}
/**
 * Parameters of `initialize`.
 */
export interface InitializeParams {
  /**
   * Folder that contains the store [that of `--workspace`, else found from the current folder].
   */
  workspace?: FilePath;
  /**
   * Name of the store's folder [`.runforge`].
   */
  store?: string;
  client?: ClientInfo;
  /**
   * How many trainings run at the same time [1]; the others wait.
   */
  jobs?: number;
  /**
   * Whether to load the numeric libraries now, so that the first training does not wait for them.
   */
  warm?: boolean;
}
/**
 * The program that is the client; new runs record it in `created_by`.
 */
export interface ClientInfo {
  /**
   * Name, without spaces.
   */
  name: string;
  /**
   * Version, without spaces.
   */
  version: string;
}
/**
 * What the server is and can do.
 */
export interface InitializeResult {
  /**
   * Version of the messages; another number is another protocol.
   */
  protocol_version: 1;
  runforge: ServerVersions;
  /**
   * Absolute path of the workspace.
   */
  workspace: string;
  /**
   * Name of the store's folder that new runs are written to.
   */
  store: string;
  capabilities: ServerCapabilities;
  [k: string]: unknown;
}
/**
 * Versions of the packages and of Python.
 */
export interface ServerVersions {
  cli: string;
  engine: string;
  contracts: string;
  python: string;
  [k: string]: unknown;
}
/**
 * What the server understands.
 */
export interface ServerCapabilities {
  /**
   * Methods that a client may call.
   */
  methods: string[];
  /**
   * Notifications that the server sends.
   */
  notifications: string[];
  /**
   * Model families.
   */
  model_families: ModelFamily[];
  /**
   * Presets.
   */
  presets: Preset[];
  /**
   * Profiles.
   */
  profiles: string[];
  /**
   * The hyperparameters of every model family, with the values that they take.
   */
  hyperparameters?: HyperparameterRange[];
  [k: string]: unknown;
}
/**
 * A hyperparameter that a user may set. Source: specification, section 12.3.
 */
export interface HyperparameterRange {
  /**
   * Model family that has it.
   */
  family: ModelFamily;
  /**
   * Name in a request.
   */
  name: string;
  /**
   * What it is: a number, an integer, an integer or null, true or false, or one of `choices`.
   */
  kind: "float" | "int" | "int_or_none" | "bool" | "choice";
  /**
   * Model default.
   */
  default: number | string | boolean | null;
  /**
   * Smallest allowed value of a number.
   */
  minimum?: number;
  /**
   * Largest allowed value of a number.
   */
  maximum?: number;
  /**
   * The allowed values of a choice.
   */
  choices?: string[];
  [k: string]: unknown;
}
/**
 * Begins a session; the first request of every client.
 */
export interface InitializeMethod {
  method: "initialize";
  params: InitializeParams;
  result: InitializeResult;
  [k: string]: unknown;
}
/**
 * Parameters of `inspect`.
 */
export interface InspectParams {
  /**
   * The dataset.
   */
  dataset: FilePath;
  /**
   * Name of the label column.
   */
  label?: string;
  /**
   * Columns that are neither label nor feature.
   */
  exclude?: string[];
}
/**
 * Inspects a dataset before training.
 */
export interface InspectMethod {
  method: "inspect";
  params: InspectParams;
  result: DatasetInspectionV1;
  [k: string]: unknown;
}
/**
 * Parameters of `inspectArtifact`.
 */
export interface InspectArtifactParams {
  /**
   * A run, or the path of a model file.
   */
  model: RunReference;
}
/**
 * Inspects a model file without running any of its code.
 */
export interface InspectArtifactMethod {
  method: "inspectArtifact";
  params: InspectArtifactParams;
  result: ArtifactInspectionV0222;
  [k: string]: unknown;
}
/**
 * Parameters of `interpretability`.
 */
export interface InterpretabilityParams {
  /**
   * The run [`latest`].
   */
  run?: RunReference;
}
/**
 * Lists the interpretability outputs of a run.
 */
export interface InterpretabilityMethod {
  method: "interpretability";
  params: InterpretabilityParams;
  result: InterpretabilityIndexV1;
  [k: string]: unknown;
}
/**
 * Parameters of `list`.
 */
export interface ListParams {
  /**
   * Maximum number of runs [100].
   */
  limit?: number;
  /**
   * How many runs to skip; with `limit`, a page of the list.
   */
  offset?: number;
  /**
   * Only runs of this model family.
   */
  model?: string;
  /**
   * Only runs with this status or state.
   */
  status?: "succeeded" | "failed" | "cancelled" | "running" | "interrupted" | "incomplete";
  /**
   * Only runs with this tag.
   */
  tag?: string;
  /**
   * Only runs with this name.
   */
  name?: string;
  /**
   * Only runs since then: a span before now (`90m`, `12h`, `7d`, `2w`), a day (`2026-11-01`), or a time in ISO 8601, in UTC unless it has an offset.
   */
  since?: string;
  /**
   * Only runs before then; as `since`.
   */
  before?: string;
  /**
   * Only runs with at least these values, by the name of a metric or another value.
   */
  min?: {
    [k: string]: number;
  };
  /**
   * Only runs with at most these values.
   */
  max?: {
    [k: string]: number;
  };
  /**
   * Only runs on this dataset: a path, or the first digits of its SHA-256.
   */
  dataset?: string;
  /**
   * `created` [default], a metric, a hyperparameter or a field; `-` before the name reverses the order.
   */
  sort?: string;
  /**
   * Only runs for which all of these hold, such as `C<0.1`.
   */
  where?: string[];
  /**
   * Only the runs of this sweep.
   */
  group?: string;
  /**
   * Only runs that are in no sweep of the workspace [false]; `groups` lists the sweeps.
   */
  ungrouped?: boolean;
}
/**
 * A page of the list, as `runforge runs --json` prints it.
 */
export interface ListResult {
  schema_version: "index.v1";
  /**
   * Runs that RunForge or another client trained.
   */
  runs: RunEntry[];
  /**
   * Runs of scripts; absent if the page has none.
   */
  experiments?: RunEntry[];
  /**
   * How many runs match, on all pages.
   */
  total: number;
  [k: string]: unknown;
}
/**
 * Lists the runs of both kinds, newest first or best first.
 */
export interface ListMethod {
  method: "list";
  params: ListParams;
  result: ListResult;
  [k: string]: unknown;
}
/**
 * A call of a method.
 */
export interface RpcRequest {
  jsonrpc: "2.0";
  id: RequestId;
  /**
   * Name of the method.
   */
  method: string;
  /**
   * Parameters of the method; absent is empty.
   */
  params?: {
    [k: string]: unknown;
  };
  [k: string]: unknown;
}
/**
 * A message that is not answered.
 */
export interface RpcNotification {
  jsonrpc: "2.0";
  /**
   * Name of the notification.
   */
  method: string;
  /**
   * Parameters of the notification; absent is empty.
   */
  params?: {
    [k: string]: unknown;
  };
  [k: string]: unknown;
}
/**
 * The answer to a request.
 */
export interface RpcSuccess {
  jsonrpc: "2.0";
  id: RequestId;
  /**
   * The result of the method.
   */
  result: unknown;
  [k: string]: unknown;
}
/**
 * The answer to a request that failed.
 */
export interface RpcFailure {
  jsonrpc: "2.0";
  /**
   * Id of the request; null if it could not be read.
   */
  id: RequestId | null;
  error: RpcError;
  [k: string]: unknown;
}
/**
 * Why a request failed.
 */
export interface RpcError {
  /**
   * -32700: the message is not JSON. -32600: it is no request. -32601: there is no such method. -32602: the parameters are invalid. -32603: a bug in RunForge. -32002: `initialize` comes first. -32800: the request was cancelled. -32000: another error of RunForge, whose code is in `data`.
   */
  code: number;
  /**
   * One sentence.
   */
  message: string;
  /**
   * The error as `--json` prints it.
   */
  data: ErrorV1;
  [k: string]: unknown;
}
/**
 * Parameters of `metrics`.
 */
export interface MetricsParams {
  /**
   * The run [`latest`].
   */
  run?: RunReference;
}
/**
 * A `metrics.v1`, or the few metrics by name of an older or another client.
 */
export interface MetricsResult {
  /**
   * `metrics.v1`; absent for few metrics.
   */
  schema_version?: string;
  /**
   * Fraction of validation rows that were predicted correctly.
   */
  accuracy?: number;
  [k: string]: unknown;
}
/**
 * Returns the metrics of a run.
 */
export interface MetricsMethod {
  method: "metrics";
  params: MetricsParams;
  result: MetricsResult;
  [k: string]: unknown;
}
/**
 * Parameters of `planSweep`.
 */
export interface PlanSweepParams {
  /**
   * The plan.
   */
  plan?: SweepPlanV1;
  /**
   * File that contains the plan.
   */
  path?: FilePath;
}
/**
 * Plan of a sweep: a request and the values to try in it, which make one run each. Unknown fields are ignored when reading and kept when saving, at every depth. Source: specification, section 20.1.
 */
export interface SweepPlanV1 {
  /**
   * URL of this schema.
   */
  $schema?: string | null;
  /**
   * Major version of the plan schema.
   */
  version: 1;
  /**
   * Tells a plan from other documents.
   */
  kind: "sweep_plan";
  /**
   * When the plan was written; RunForge writes UTC with `Z`. Informative.
   */
  created_at?: FieldTime | null;
  /**
   * Client that wrote the plan, as `<client>@<version>`. Informative.
   */
  created_by?: string | null;
  /**
   * Workspace that the plan was written for. Informative: paths are relative to the workspace in which the plan is executed.
   */
  workspace?: string | null;
  group?: PlanGroup | null;
  /**
   * The request that every run starts from: a `request.v1`, in which `created_at`, `created_by` and everything that the strategy sets may be absent.
   */
  base_request: {
    [k: string]: unknown;
  };
  strategy: SweepStrategy;
  execution?: PlanExecution | null;
  [k: string]: unknown;
}
/**
 * What the group of runs is called.
 */
export interface PlanGroup {
  /**
   * Display name of the group.
   */
  name?: string | null;
  /**
   * Free text.
   */
  notes?: string | null;
  [k: string]: unknown;
}
/**
 * Which runs to make of the request. Source: specification, section 20.4.
 */
export interface SweepStrategy {
  /**
   * `grid`: every combination of the values of `parameters`, of which the last varies fastest; `list`: the `runs` one by one.
   */
  type: "grid" | "list";
  /**
   * @minItems 1
   * @maxItems 64
   */
  parameters?: GridParameter[];
  /**
   * @minItems 1
   * @maxItems 10000
   */
  runs?: RequestOverrides[];
  [k: string]: unknown;
}
/**
 * One place in the request and the values to try there.
 */
export interface GridParameter {
  path: RequestPath;
  /**
   * The values. `null` REMOVES the member from the request, so that what the profile, the preset or the model's default says applies. Source: specification, section 20.3.
   *
   * @minItems 1
   * @maxItems 10000
   */
  values: unknown[];
  [k: string]: unknown;
}
/**
 * How to execute the plan.
 */
export interface PlanExecution {
  /**
   * How many runs are executed at the same time; the executing client decides if absent.
   */
  max_parallel?: number | null;
  /**
   * Whether the first failed run ends the sweep; false if absent.
   */
  fail_fast?: boolean | null;
  /**
   * Whether the cancellation of one run ends the sweep; true if absent.
   */
  stop_on_cancel?: boolean | null;
  [k: string]: unknown;
}
/**
 * The runs of a plan, as `runforge sweep --dry-run --json` prints them.
 */
export interface PlannedSweep {
  dry_run: true;
  /**
   * Number of runs.
   */
  total: number;
  /**
   * The number of each run in the plan, and the settings that it changes.
   */
  runs: {
    [k: string]: unknown;
  }[];
  /**
   * Runs that are equal to another one, which are executed once.
   */
  duplicates: {
    [k: string]: unknown;
  }[];
  [k: string]: unknown;
}
/**
 * Checks a plan and returns the runs that it makes; writes nothing.
 */
export interface PlanSweepMethod {
  method: "planSweep";
  params: PlanSweepParams;
  result: PlannedSweep;
  [k: string]: unknown;
}
/**
 * Parameters of `predict`.
 */
export interface PredictParams {
  /**
   * A run, or the path of a model file.
   */
  model: RunReference;
  /**
   * The rows: CSV (also `.csv.gz`) or Parquet.
   */
  data: FilePath;
  /**
   * Whether to return the probability of each class instead of the label.
   */
  probabilities?: boolean;
  /**
   * Whether to use a model whose digest no run recorded, once inspected.
   */
  unverified?: boolean;
}
/**
 * Applies the model of a run to the rows of a dataset. The model runs in a process of its own.
 */
export interface PredictMethod {
  method: "predict";
  params: PredictParams;
  result: PredictionV1;
  [k: string]: unknown;
}
/**
 * Parameters of `progress`.
 */
export interface ProgressParams {
  /**
   * The request that is in progress.
   */
  id: RequestId;
  /**
   * Id of the run, once it has one.
   */
  run_id?: string;
  /**
   * Id of the sweep, if it is one.
   */
  group_id?: string;
  stage: Stage;
  /**
   * The stage for display.
   */
  message: string;
  /**
   * How much of the stage is done; absent where it is not known.
   */
  fraction?: Fraction;
  /**
   * Estimated remaining time of the stage.
   */
  seconds_left?: number;
  /**
   * The event of the run that caused the message.
   */
  event?: EventV1;
  [k: string]: unknown;
}
/**
 * A step of a training, a sweep or a reproduction.
 */
export interface ProgressNotification {
  method: "progress";
  params: ProgressParams;
  [k: string]: unknown;
}
/**
 * Parameters of `rebuildIndex`.
 */
export interface RebuildIndexParams {}
/**
 * Adds every finished run that is missing from the index, and reports on the run folders. Existing entries are not changed.
 */
export interface RebuildIndexMethod {
  method: "rebuildIndex";
  params: RebuildIndexParams;
  result: IndexReportV1;
  [k: string]: unknown;
}
/**
 * Parameters of `recipe`.
 */
export interface RecipeParams {
  /**
   * The raw table.
   */
  dataset: FilePath;
  /**
   * Name of the label column, to propose a recipe.
   */
  label?: string;
  /**
   * Instead of a label, the recipe to read.
   */
  recipe?: FilePath;
  /**
   * The form of the raw table, for a proposal.
   */
  source?: RecipeSource;
  /**
   * What is done with columns instead of what the recipe that is read says, by their names.
   */
  actions?: {
    [k: string]: "keep" | "boolean" | "one_hot" | "drop";
  };
  /**
   * Where to write a recipe that is proposed or changed; a file that exists is not replaced.
   */
  output?: FilePath;
}
/**
 * The recipe.
 */
export interface RecipeResult {
  recipe: RecipeV1;
  /**
   * Names of the columns of the raw table.
   */
  columns: string[];
  /**
   * SHA-256 of the raw table.
   */
  fingerprint_sha256: Sha256;
  [k: string]: unknown;
}
/**
 * Proposes a recipe for a raw table, or reads or changes one, and returns it with the columns of the table.
 */
export interface RecipeMethod {
  method: "recipe";
  params: RecipeParams;
  result: RecipeResult;
  [k: string]: unknown;
}
/**
 * Parameters of `report`.
 */
export interface ReportParams {
  /**
   * The runs [`latest`].
   *
   * @minItems 1
   * @maxItems 100
   */
  runs?: RunReference[];
  /**
   * Whether to load the model for the curves [true].
   */
  model?: boolean;
  /**
   * Instead of runs, the sweep: its id, a unique prefix, its name, or `latest`.
   */
  group?: string;
  /**
   * Whether to return the report as Markdown, too [false].
   */
  markdown?: boolean;
}
/**
 * The page.
 */
export interface ReportResult {
  /**
   * The page, without scripts and without references to other files.
   */
  html: string;
  /**
   * The report as Markdown, where that was asked for.
   */
  markdown?: string;
  /**
   * Ids of the runs; of a sweep, the best one first.
   */
  runs: string[];
  /**
   * Why a run has no curves, by its id.
   */
  without_curves: {
    [k: string]: string;
  };
  [k: string]: unknown;
}
/**
 * Returns a report on a run, a comparison of several, or a report on a sweep, as one self-contained HTML page.
 */
export interface ReportMethod {
  method: "report";
  params: ReportParams;
  result: ReportResult;
  [k: string]: unknown;
}
/**
 * Parameters of `reproduce`.
 */
export interface ReproduceParams {
  /**
   * The run [`latest`].
   */
  run?: RunReference;
  /**
   * Current path of the dataset.
   */
  dataset?: FilePath;
  /**
   * Use the recorded kernels and threads [default], or those of this machine.
   */
  numerics?: "recorded" | "here";
  /**
   * Keep the new run in this folder.
   */
  keep?: FilePath;
}
/**
 * Trains a run again from its record, in a process of its own and outside the store, and compares.
 */
export interface ReproduceMethod {
  method: "reproduce";
  params: ReproduceParams;
  result: ReproductionV1;
  [k: string]: unknown;
}
/**
 * Parameters of `rerun`.
 */
export interface RerunParams {
  /**
   * The run to repeat.
   */
  run: RunReference;
  /**
   * Current path of the dataset.
   */
  dataset?: FilePath;
  /**
   * Path of a recipe to apply instead of the one of the run.
   */
  recipe?: FilePath;
  /**
   * Whether to train on the dataset without the recipe of the run.
   */
  without_recipe?: boolean;
  preset?: Preset;
  /**
   * `default`, `fast` or `thorough`.
   */
  profile?: string;
  model?: ModelFamily;
  /**
   * Hyperparameters by name; they take precedence over preset and profile.
   */
  hyperparameters?: {
    [k: string]: unknown;
  };
  /**
   * Random seed.
   */
  seed?: number;
  device?: DeviceType;
  /**
   * Columns to exclude beside those that the run excluded.
   */
  exclude?: string[];
  /**
   * Columns to use that the run excluded.
   */
  include?: string[];
  /**
   * Display name.
   */
  name?: string;
  /**
   * Tags.
   */
  tags?: string[];
  /**
   * Free text.
   */
  notes?: string;
  /**
   * Whether to omit from the record what identifies you or the machine.
   */
  private?: boolean;
}
/**
 * Repeats a run, with or without changes.
 */
export interface RerunMethod {
  method: "rerun";
  params: RerunParams;
  result: RunOutcome;
  [k: string]: unknown;
}
/**
 * Parameters of `run`.
 */
export interface RunParams {
  /**
   * The request.
   */
  request?: RequestV1;
  /**
   * File that contains the request.
   */
  path?: FilePath;
  /**
   * Whether to omit from the record what identifies you or the machine.
   */
  private?: boolean;
  /**
   * SHA-256 that the dataset must have: other bytes are not trained on.
   */
  dataset_sha256?: Sha256;
}
/**
 * Executes a request document, given as an object or as a file.
 */
export interface RunMethod {
  method: "run";
  params: RunParams;
  result: RunOutcome;
  [k: string]: unknown;
}
/**
 * Parameters of `runBegan`.
 */
export interface RunBeganParams {
  run: RunEntry;
  [k: string]: unknown;
}
/**
 * A run has begun, in this process or by another client.
 */
export interface RunBeganNotification {
  method: "runBegan";
  params: RunBeganParams;
  [k: string]: unknown;
}
/**
 * Parameters of `runEnded`.
 */
export interface RunEndedParams {
  run: RunEntry;
  [k: string]: unknown;
}
/**
 * A run has ended.
 */
export interface RunEndedNotification {
  method: "runEnded";
  params: RunEndedParams;
  [k: string]: unknown;
}
/**
 * Parameters of `runsChanged`.
 */
export interface RunsChangedParams {
  /**
   * Names of the new run folders, at most 100.
   */
  added: string[];
  /**
   * Names of the run folders that are gone, at most 100.
   */
  removed: string[];
  [k: string]: unknown;
}
/**
 * The list of runs has changed: `list` returns the new one.
 */
export interface RunsChangedNotification {
  method: "runsChanged";
  params: RunsChangedParams;
  [k: string]: unknown;
}
/**
 * Parameters of `show`.
 */
export interface ShowParams {
  /**
   * The run [`latest`].
   */
  run?: RunReference;
}
/**
 * The documents of a run, each as its file has it; absent where there is none.
 */
export interface ShowResult {
  run_id: string;
  /**
   * The run folder, relative to the workspace if it is inside it.
   */
  run_dir: string;
  /**
   * How the run ended, or its state.
   */
  status: string | null;
  /**
   * `experiment` for a run of a script.
   */
  kind?: string;
  /**
   * Which other client wrote the run.
   */
  client?: string;
  /**
   * The schema of each document that another client wrote.
   */
  forms?: {
    [k: string]: unknown;
  };
  /**
   * `request.json`.
   */
  request?: {
    [k: string]: unknown;
  };
  /**
   * `run.json`.
   */
  run?: {
    [k: string]: unknown;
  };
  /**
   * `result.json`.
   */
  result?: {
    [k: string]: unknown;
  };
  /**
   * `metrics.json`; of an experiment the lines of its metrics.
   */
  metrics?: unknown;
  /**
   * `metrics.v1.json`.
   */
  metrics_v1?: {
    [k: string]: unknown;
  };
  /**
   * Feature importances.
   */
  feature_importance?: {
    [k: string]: unknown;
  };
  /**
   * Linear coefficients.
   */
  linear_coefficients?: {
    [k: string]: unknown;
  };
  /**
   * Index of the interpretability outputs.
   */
  interpretability?: {
    [k: string]: unknown;
  };
  /**
   * Digests of the files.
   */
  manifest?: {
    [k: string]: unknown;
  };
  /**
   * `config.yaml` of an experiment.
   */
  config?: {
    [k: string]: unknown;
  };
  /**
   * `system.json` of an experiment.
   */
  system?: {
    [k: string]: unknown;
  };
  /**
   * What explains the behaviour of the run.
   */
  diagnostics?: {
    [k: string]: unknown;
  }[];
  /**
   * Evaluations of the model, each an `evaluation.v1`, oldest first; absent if there are none.
   */
  evaluations?: {
    [k: string]: unknown;
  }[];
  /**
   * The run that this one repeats; it may be in another store.
   */
  repeats?: string;
  /**
   * The runs that repeat this one, oldest first; absent if there are none.
   */
  repeated_by?: string[];
  /**
   * Group of runs that the run belongs to.
   */
  group_id?: string;
  /**
   * Errors of the documents that cannot be read.
   */
  problems?: {
    [k: string]: unknown;
  }[];
  [k: string]: unknown;
}
/**
 * Returns all documents of a run.
 */
export interface ShowMethod {
  method: "show";
  params: ShowParams;
  result: ShowResult;
  [k: string]: unknown;
}
/**
 * Parameters of `shutdown`.
 */
export interface ShutdownParams {}
/**
 * Ends the session: what was started is cancelled, and only `exit` may follow.
 */
export interface ShutdownMethod {
  method: "shutdown";
  params: ShutdownParams;
  /**
   * Nothing.
   */
  result: null;
  [k: string]: unknown;
}
/**
 * Parameters of `sweep`.
 */
export interface SweepParams {
  /**
   * The plan.
   */
  plan?: SweepPlanV1;
  /**
   * File that contains the plan.
   */
  path?: FilePath;
  /**
   * The earlier sweep: its id, a unique prefix, its name, or `latest`.
   */
  resume?: string;
  /**
   * With `resume`, whether to run again what failed.
   */
  retry_failed?: boolean;
  /**
   * Display name, in place of that of the plan.
   */
  name?: string;
  /**
   * How many runs are executed at the same time [as the plan says, else all cores].
   */
  jobs?: number;
  /**
   * Whether to stop at the first failed run.
   */
  fail_fast?: boolean;
  /**
   * Whether to omit from the record what identifies you or the machine.
   */
  private?: boolean;
}
/**
 * The `group.json` of the sweep, with its folder.
 */
export interface SweepOutcome {
  /**
   * Id of the sweep.
   */
  group_id: string;
  /**
   * Its folder, relative to the workspace.
   */
  group_dir: string;
  /**
   * `succeeded`, `failed` or `canceled`.
   */
  status: string;
  /**
   * The members of the sweep, as `group.v1` has them.
   */
  runs: {
    [k: string]: unknown;
  }[];
  /**
   * How many members ended in which way, and the best one.
   */
  summary?: {
    [k: string]: unknown;
  };
  /**
   * Why the sweep ended before all members were run.
   */
  error?: ErrorBody;
  [k: string]: unknown;
}
/**
 * Executes every run of a plan, or what is missing of an earlier sweep. Sends `progress`; a sweep that failed or was cancelled has a result, too.
 */
export interface SweepMethod {
  method: "sweep";
  params: SweepParams;
  result: SweepOutcome;
  [k: string]: unknown;
}
/**
 * Parameters of `trace`.
 */
export interface TraceParams {
  /**
   * Path of a model, another artifact or a dataset; a SHA-256 of which at least 8 digits are given; or a run.
   */
  what: string;
}
/**
 * Finds the runs that a file or a digest comes from, or the runs that a run descends from and its descendants.
 */
export interface TraceMethod {
  method: "trace";
  params: TraceParams;
  result: TraceV1;
  [k: string]: unknown;
}
/**
 * The runs that created or used a file or model with a given SHA-256, newest first, or a run with those that it descends from and those that descend from it, each after the one that it repeats; as `runforge trace --json` prints them. Source: specification, section 5.8.
 */
export interface TraceV1 {
  schema_version: "trace.v1";
  /**
   * The full digest that was searched for; absent if a run was named.
   */
  sha256?: Sha256;
  /**
   * The run that was named; absent if a digest was searched for.
   */
  run_id?: AnyRunId;
  /**
   * How many descendants of the named run are left out because there are too many, or how many older runs because fewer were asked for; absent if none.
   */
  left_out?: Count;
  /**
   * @minItems 1
   */
  runs: TracedRun[];
  [k: string]: unknown;
}
/**
 * A run and its provenance, from its entry in the index and its documents.
 */
export interface TracedRun {
  run_id: AnyRunId;
  /**
   * The run folder; relative to the workspace if it is inside it.
   */
  run_dir: string;
  /**
   * Which part of the run has the digest: its model, its dataset, the model's content independent of its encoding, or another file; absent if a run was named.
   */
  matched?: "model_sha256" | "dataset_fingerprint_sha256" | "model_content_sha256" | "artifact";
  /**
   * The file of the run, relative to its folder, or the dataset's path as recorded.
   */
  path?: string;
  /**
   * Status of the run; `incomplete` if it has no result.
   */
  status: "succeeded" | "failed" | "cancelled" | "incomplete";
  /**
   * How the run was removed from its store, where its folder is no longer; absent if it was not.
   */
  removed?: "forgotten" | "archived";
  /**
   * Display name.
   */
  name?: string;
  created_at: Timestamp;
  dataset: TracedDataset;
  git?: GitState;
  /**
   * Version of the client or engine that produced the run.
   */
  runforge_version?: string;
  /**
   * The client that requested the run.
   */
  created_by?: string;
  /**
   * The run that this one repeats; it may be in another store.
   */
  rerun_from?: string;
  /**
   * The runs that repeat this one, oldest first; absent if there are none.
   */
  repeated_by?: AnyRunId[];
  /**
   * What differs from the run that it repeats, in one line; absent if a digest was searched for, or one of the two cannot be read.
   */
  changes?: string;
  /**
   * Group of runs that the run belongs to.
   */
  group_id?: string;
  /**
   * Number of the run in the plan of its group.
   */
  sweep_member?: number;
  [k: string]: unknown;
}
/**
 * The dataset of a run, as far as it is recorded.
 */
export interface TracedDataset {
  /**
   * As the run names it.
   */
  path?: string;
  fingerprint_sha256?: Sha256;
  [k: string]: unknown;
}
/**
 * Parameters of `train`.
 */
export interface TrainParams {
  /**
   * The dataset: CSV (also `.csv.gz`) or Parquet.
   */
  dataset: FilePath;
  /**
   * Name of the label column.
   */
  label: string;
  preset?: Preset;
  /**
   * `default`, `fast` or `thorough`.
   */
  profile?: string;
  model?: ModelFamily;
  /**
   * Hyperparameters by name; they take precedence over preset and profile.
   */
  hyperparameters?: {
    [k: string]: unknown;
  };
  /**
   * Random seed.
   */
  seed?: number;
  device?: DeviceType;
  /**
   * Columns that are neither label nor feature.
   */
  exclude?: string[];
  /**
   * Display name.
   */
  name?: string;
  /**
   * Tags.
   */
  tags?: string[];
  /**
   * Free text.
   */
  notes?: string;
  /**
   * Whether to omit from the record what identifies you or the machine.
   */
  private?: boolean;
  /**
   * Path of the recipe that is applied to the dataset, as `runforge prepare` writes it.
   */
  recipe?: FilePath;
}
/**
 * Trains on a dataset and records the run. Sends `progress`; a failed or cancelled run has a result, too.
 */
export interface TrainMethod {
  method: "train";
  params: TrainParams;
  result: RunOutcome;
  [k: string]: unknown;
}
/**
 * Parameters of `unwatch`.
 */
export interface UnwatchParams {}
/**
 * Ends `watch`.
 */
export interface UnwatchMethod {
  method: "unwatch";
  params: UnwatchParams;
  /**
   * Nothing.
   */
  result: null;
  [k: string]: unknown;
}
/**
 * Parameters of `verify`.
 */
export interface VerifyParams {
  /**
   * The runs; absent for every run, the index and the signatures.
   *
   * @minItems 1
   * @maxItems 10000
   */
  runs?: RunReference[];
  /**
   * Require signatures by the matching private key.
   */
  public_key?: FilePath;
  /**
   * Whether to check the datasets [true].
   */
  dataset?: boolean;
}
/**
 * Checks whether runs, or everything in the workspace, are unchanged.
 */
export interface VerifyMethod {
  method: "verify";
  params: VerifyParams;
  result: VerificationV1;
  [k: string]: unknown;
}
/**
 * Whether runs or stores are unchanged, as `runforge verify --json` prints it. Source: specification, section 14.6.
 */
export interface VerificationV1 {
  schema_version: "verification.v1";
  verdict: Verdict;
  /**
   * Present if whole stores were verified; absent if runs were named.
   */
  stores?: VerifiedStore[];
  runs: VerifiedRun[];
  /**
   * The evaluations that were verified, those of the runs too; absent if there are none.
   */
  evaluations?: VerifiedEvaluation[];
  [k: string]: unknown;
}
/**
 * Every check of a store as a whole; its runs are listed separately.
 */
export interface VerifiedStore {
  /**
   * Name of the store's folder.
   */
  store: string;
  /**
   * The index, relative to the workspace.
   */
  index: string;
  /**
   * For the store and all of its runs.
   */
  verdict: Verdict;
  checks: VerificationCheck[];
  findings: VerificationFinding[];
  /**
   * Runs that stopped without a result; there is nothing to compare them with.
   */
  interrupted: string[];
  /**
   * Running runs.
   */
  running: string[];
  /**
   * Runs that have not started, or for which it is unknown whether they are running.
   */
  incomplete: string[];
  [k: string]: unknown;
}
/**
 * What one look gave.
 */
export interface VerificationCheck {
  /**
   * For a run: `files`, `documents`, `statement`, `index`, `dataset`, with a recipe `recipe`, `signature`; for a view: `view`, `index`; for an evaluation: `files`, `documents`, `model`, `dataset`, `predictions`, `signature`; for a store: `runs`, `evaluations`, `index`, `signatures`, `aliases`, `merges`; `aliases` also for a run that was signed with a history of aliases.
   */
  check: string;
  /**
   * `not checked` is not a failure: there was nothing to check, or nothing to check it with.
   */
  outcome: "passed" | "failed" | "not checked";
  /**
   * Outcome of the check. Files: `unchanged`, `changed`, `no result`, `at work` (the run is running). Documents and statement: `valid`, `invalid`, `none`. Index: the same, `not listed`, `unreadable`. Dataset: `same`, `changed`, `moved`, `gone`, `unreadable`. View, predictions and recipe: `same`, `changed`. Model: the same, `gone`, `unreadable`. Signature: `valid`, `invalid`, `unsafe` (its folder is a link), `none`. Runs and evaluations of a store: `verified`, `unverifiable`, `not verified`, `incomplete`, `none`. Signatures of a store: `complete`, `contradicted`, `unsafe`, `none`. Any of these: `not checked`.
   */
  verdict: string;
  /**
   * The outcome as a sentence, for display.
   */
  message?: string;
  /**
   * Digest of a dataset that has changed, as it is now.
   */
  sha256?: Sha256;
  /**
   * Current path of a dataset that was moved, relative to the workspace.
   */
  path?: string;
  /**
   * Fingerprint of the key that made a valid signature.
   */
  key?: Sha256;
  /**
   * The key that a signature names, if the signature was not checked.
   */
  claimed_key?: string;
  /**
   * What to do about it.
   */
  hint?: string;
  [k: string]: unknown;
}
/**
 * One difference between the actual and the expected value.
 */
export interface VerificationFinding {
  /**
   * The check that made it.
   */
  check: string;
  /**
   * Stable name of the rule that is violated, such as `manifest.digests`.
   */
  rule: string;
  /**
   * One sentence.
   */
  message: string;
  /**
   * Path below the run folder, or relative to the workspace for index, dataset and signature.
   */
  file?: string;
  /**
   * JSON Pointer into the file (RFC 6901).
   */
  pointer?: string;
  /**
   * The expected value; any JSON value.
   */
  expected?: unknown;
  /**
   * The actual value; any JSON value.
   */
  found?: unknown;
  [k: string]: unknown;
}
/**
 * Every check of one run.
 */
export interface VerifiedRun {
  /**
   * The id in the run's documents, or the name of its folder if there is none.
   */
  run_id: string;
  /**
   * The run folder; relative to the workspace if it is inside it.
   */
  run_dir: string;
  verdict: Verdict;
  checks: VerificationCheck[];
  findings: VerificationFinding[];
  /**
   * Present if the folder is a view of a run: `checks` then compares it with that run.
   */
  view?: VerifiedView;
  /**
   * When the files were last read and verified, if this time they were not read, because their sizes and times are the same. `checks` then has `files` as `not checked`, and dataset and signature.
   */
  trusted_since?: Timestamp;
  [k: string]: unknown;
}
/**
 * A folder that repeats files of a run, and in which another client keeps its own.
 */
export interface VerifiedView {
  /**
   * The folder of the run, relative to the workspace.
   */
  record: string;
  /**
   * Files that the view has besides those of the run, by their path below the folder.
   */
  added: string[];
  /**
   * Files of the run that a view repeats, and this one lacks.
   */
  missing: string[];
  [k: string]: unknown;
}
/**
 * Every check of one evaluation.
 */
export interface VerifiedEvaluation {
  /**
   * The name of the folder.
   */
  evaluation_id: string;
  /**
   * The folder; relative to the workspace if it is inside it.
   */
  evaluation_dir: string;
  verdict: Verdict;
  checks: VerificationCheck[];
  findings: VerificationFinding[];
  /**
   * The run that trained the model; absent if the evaluation cannot be read.
   */
  run_id?: string;
  [k: string]: unknown;
}
/**
 * Parameters of `warm`.
 */
export interface WarmParams {}
/**
 * Loads the numeric libraries in the process that trains, so that the next training does not wait for them.
 */
export interface WarmMethod {
  method: "warm";
  params: WarmParams;
  /**
   * Nothing.
   */
  result: null;
  [k: string]: unknown;
}
/**
 * Parameters of `warning`.
 */
export interface WarningParams {
  /**
   * The request that it is about.
   */
  id?: RequestId;
  severity: "info" | "warning";
  /**
   * One sentence.
   */
  message: string;
  /**
   * Code of the diagnostic, if it is one.
   */
  code?: string;
  [k: string]: unknown;
}
/**
 * Something that the user should know, and that ends nothing.
 */
export interface WarningNotification {
  method: "warning";
  params: WarningParams;
  [k: string]: unknown;
}
/**
 * Parameters of `watch`.
 */
export interface WatchParams {
  /**
   * Seconds between two looks [1].
   */
  interval?: number;
}
/**
 * What is in progress.
 */
export interface WatchResult {
  /**
   * Runs in progress.
   */
  running: RunEntry[];
  [k: string]: unknown;
}
/**
 * Sends `runBegan`, `runEnded` and `runsChanged` from now on, whichever client made the runs.
 */
export interface WatchMethod {
  method: "watch";
  params: WatchParams;
  result: WatchResult;
  [k: string]: unknown;
}
/**
 * The number of entries of an index, and the digest of the chain over them. Source: specification, section 14.3.
 */
export interface MergedHead {
  count: number;
  sha256: Sha256;
  [k: string]: unknown;
}
/**
 * Entries that follow one another both in this index and in the other one.
 */
export interface MergedEntries {
  /**
   * Position of the first of them in the `runs` of this index, from 0.
   */
  first: Count;
  /**
   * How many there are.
   */
  count: number;
  /**
   * Their `origin` in the other index; absent if they have none there.
   */
  origin?: Sha256;
  /**
   * Their `run_dir` in the other index; absent if it is the same.
   */
  run_dir?: string;
  [k: string]: unknown;
}
/**
 * One line of `merges.jsonl`, the append-only record of the indexes of other stores that were merged into one (JSON Lines). Source: specification, section 23.4.
 */
export interface StoreMergeV1 {
  schema_version: "store_merge.v1";
  recorded_at: Timestamp;
  /**
   * The client that wrote the line, such as `runforge-cli@0.4.0`.
   */
  created_by?: string;
  /**
   * The origin of the other index. Source: specification, section 14.3.
   */
  origin: Sha256;
  /**
   * The head of the other index.
   */
  index_head: MergedHead;
  /**
   * Where the entries of the other index are in this one, in the order of the other index.
   *
   * @minItems 1
   */
  entries: MergedEntries[];
  /**
   * How many entries were appended to this index.
   */
  added: Count;
  /**
   * The digest of the chain over all lines before this one; 64 zeros in the first line.
   */
  previous: Sha256;
  [k: string]: unknown;
}
/**
 * `place.json` of a store that lies elsewhere than in its workspace: it names the workspace whose link leads to it. Source: specification, section 5.12.
 */
export interface StorePlaceV1 {
  schema_version: "store_place.v1";
  /**
   * The workspace whose store this is: an absolute path without symbolic links.
   */
  workspace: string;
  recorded_at: Timestamp;
  /**
   * The client that moved the store, such as `runforge-cli@0.4.0`.
   */
  created_by?: string;
  [k: string]: unknown;
}
/**
 * Configuration of the training, including any other values that the user's code needs. Source: specification, section 17.3.
 */
export interface Training {
  /**
   * Passes over the data.
   */
  epochs?: Count | null;
  /**
   * Examples of one step.
   */
  batch_size?: Count | null;
  /**
   * Name of the optimizer.
   */
  optimizer?: string | null;
  [k: string]: unknown;
}
/**
 * How user code starts: exactly one of a script, a module and a command. Source: specification, sections 17.2 and 17.6.
 */
export interface RunCommand {
  /**
   * Python program, relative to the root of the repository; `--config PATH` follows its arguments, unless `config_argument` is false.
   */
  script?: string | null;
  /**
   * Python module, as after `python -m`; `--config PATH` follows its arguments, unless `config_argument` is false.
   */
  module?: string | null;
  /**
   * Program and arguments of any kind, no shell in between.
   *
   * @minItems 1
   */
  command?: string[] | null;
  /**
   * Arguments of the script, module or command. In these and in `command`, `{training.lr}` is replaced by the value of the configuration with this dotted name, `{config}` by the path of the configuration, `{run_id}` by the id of the run and `{{name}}` by the string `{name}`.
   */
  args?: string[] | null;
  /**
   * Whether `--config PATH` follows the arguments of a script or module; true where it is absent. A command uses `{config}` instead.
   */
  config_argument?: boolean | null;
  [k: string]: unknown;
}
/**
 * State of the repository when the run started. Source: specification, section 17.3.
 */
export interface CodeState {
  /**
   * Where the code comes from; `local` without a remote.
   */
  repo?: string | null;
  /**
   * Commit that was checked out.
   */
  commit?: string | null;
  /**
   * Whether files differed from the commit.
   */
  dirty?: boolean | null;
  /**
   * SHA-256 of the difference from the commit.
   */
  diff_sha256?: Sha256 | null;
  [k: string]: unknown;
}
/**
 * Why a run did not succeed. Source: specification, section 17.12.
 */
export interface RunFailure {
  /**
   * One sentence for display.
   */
  message: string;
  [k: string]: unknown;
}
/**
 * The file or folder that a reference resolved to.
 */
export interface ResolvedReference {
  path: WorkspacePath;
  /**
   * SHA-256 of the file's bytes; absent for folders.
   */
  sha256?: Sha256 | null;
  /**
   * Size of the file.
   */
  bytes?: Count | null;
  /**
   * What user code left at the path, if it was changed.
   */
  after?: ChangedFile | null;
  [k: string]: unknown;
}
/**
 * A file that was changed while the run used it, as user code left it.
 */
export interface ChangedFile {
  /**
   * SHA-256 of the file's bytes; absent where there was no such file.
   */
  sha256?: Sha256 | null;
  /**
   * Size of the file.
   */
  bytes?: Count | null;
  [k: string]: unknown;
}
/**
 * An artifact that was copied to the models of the repository.
 */
export interface CopiedModel {
  /**
   * Its path in the run folder.
   */
  from: RelativePath;
  /**
   * Where it was copied to.
   */
  to: WorkspacePath;
  sha256?: Sha256 | null;
  [k: string]: unknown;
}
/**
 * The run of another tool, what else it recorded, and what is not here. Source: specification, section 17.15.
 */
export interface ImportedFrom {
  /**
   * The other tool, such as `mlflow`.
   */
  tool: string;
  /**
   * Id of the run in the other tool.
   */
  run_id: string;
  /**
   * Id of its experiment in the other tool.
   */
  experiment_id?: string | null;
  /**
   * Name of the run in the other tool.
   */
  name?: string | null;
  /**
   * Id of the run in the other tool that this one is nested in.
   */
  parent_run_id?: string | null;
  /**
   * User who made the run.
   */
  user?: string | null;
  /**
   * The program that made the run, as the other tool names it.
   */
  program?: string | null;
  imported_at?: Instant | null;
  /**
   * All tags of the run in the other tool, by name.
   */
  tags?: {
    [k: string]: string;
  } | null;
  /**
   * Datasets that the other tool recorded.
   */
  datasets?: ImportedDataset[] | null;
  digests: ImportedDigests;
  /**
   * What the other tool recorded and this run does not have, or has in another form.
   */
  left_out?: LeftOut[] | null;
  [k: string]: unknown;
}
/**
 * A dataset as another tool recorded it.
 */
export interface ImportedDataset {
  /**
   * Its name.
   */
  name: string;
  /**
   * Its digest, in the form of the other tool.
   */
  digest?: string | null;
  /**
   * Where it came from, as the other tool says it.
   */
  source?: string | null;
  /**
   * What it was used for, such as `training`.
   */
  context?: string | null;
  [k: string]: unknown;
}
/**
 * SHA-256 of what the other tool had recorded when the run was imported, to notice changes. Source: specification, section 17.15.
 */
export interface ImportedDigests {
  /**
   * Of names, times, status, tags and datasets.
   */
  record: Sha256;
  /**
   * Of parameters and metrics.
   */
  values: Sha256;
  /**
   * Of the paths and sizes of the artifacts.
   */
  artifacts: Sha256;
  [k: string]: unknown;
}
/**
 * The configuration that a run used, and the record of the run. It is itself an experiment that reproduces the run. Source: specification, section 17.3.
 */
export interface ExperimentConfigV1 {
  run_id: ExperimentRunId;
  /**
   * Name of the experiment.
   */
  experiment: string;
  /**
   * The model by name and version, or by its path.
   */
  model: string;
  /**
   * The dataset by name and version, or by its path.
   */
  dataset: string;
  code?: CodeState | null;
  training?: Training | null;
  seed?: Seed | null;
  /**
   * Client that wrote the run, as `<client>@<version>`.
   */
  created_by?: string | null;
  started_at?: Instant | null;
  /**
   * Status of the run; `running` until it finishes. Source: specification, section 17.12.
   */
  status?: ("running" | "succeeded" | "failed" | "cancelled") | null;
  finished_at?: Instant | null;
  /**
   * Duration of the user code, in milliseconds.
   */
  duration_ms?: Count | null;
  /**
   * Exit status of user code.
   */
  exit_code?: number | null;
  /**
   * Signal that ended user code, such as `SIGKILL`.
   */
  signal?: string | null;
  failure?: RunFailure | null;
  /**
   * Free text.
   */
  notes?: string | null;
  /**
   * Whether the finished log of the run is also written as `log.txt`, which other tools look for.
   */
  log_txt?: boolean | null;
  run?: RunCommand | null;
  /**
   * Declared environment variables with the values that were used, except those that look like secrets.
   */
  environment?: {
    [k: string]: string;
  } | null;
  /**
   * Declared environment variables whose values are not recorded.
   */
  secret_environment?: string[] | null;
  /**
   * Files or folders that `dataset` and `model` resolved to, by their names.
   */
  references?: {
    [k: string]: ResolvedReference;
  } | null;
  /**
   * Values given for this run only, by their dotted paths.
   */
  overrides?: {
    [k: string]: unknown;
  } | null;
  /**
   * Parameters that user code logged, by name.
   */
  parameters?: {
    [k: string]: unknown;
  } | null;
  /**
   * The file that the run was started from.
   */
  experiment_file?: ResolvedReference | null;
  /**
   * The run whose configuration the run was started from.
   */
  rerun_from?: ExperimentRunId | null;
  /**
   * Artifacts that were copied out of the run. Source: specification, section 17.9.
   */
  copied_models?: CopiedModel[] | null;
  /**
   * The run of another tool that this run was imported from. Source: specification, section 17.15.
   */
  imported_from?: ImportedFrom | null;
  [k: string]: unknown;
}
/**
 * An experiment: the code to run and its configuration. All other fields are passed to user code. Source: specification, section 17.2.
 */
export interface ExperimentV1 {
  /**
   * Name of the experiment.
   */
  experiment: string;
  /**
   * The model by name and version, such as `resnet50:v1`; `runforge/<family>` is trained by RunForge itself.
   */
  model?: string | null;
  /**
   * The dataset by name and version, or its path in the repository.
   */
  dataset?: string | null;
  run?: RunCommand | null;
  /**
   * Files of configuration that are merged in this order, below the values of the experiment itself.
   */
  configs?: string[] | null;
  /**
   * Paths in the repository by the names that `dataset` may have, such as `penguins:v1`.
   */
  datasets?: {
    [k: string]: string;
  } | null;
  /**
   * Paths in the repository by the names that `model` may have.
   */
  models?: {
    [k: string]: string;
  } | null;
  /**
   * Environment variables that the run depends on, with their values where none is set; null: it must be set. A value that looks like a secret is not recorded.
   */
  environment?: {
    [k: string]: string | null;
  } | null;
  /**
   * Environment variables that must be set and whose values are never recorded.
   */
  secret_environment?: string[] | null;
  /**
   * Declared environment variables whose values are recorded although they look like secrets.
   */
  recorded_environment?: string[] | null;
  training?: Training | null;
  seed?: Seed | null;
  /**
   * Free text.
   */
  notes?: string | null;
  /**
   * Whether the finished log of the run is also written as `log.txt`, which other tools look for.
   */
  log_txt?: boolean | null;
  /**
   * Where artifacts of a run that succeeded are copied to, by their paths in the run folder.
   */
  copy_models?: {
    [k: string]: string;
  } | null;
  [k: string]: unknown;
}
/**
 * Digest and size of every other file of an experiment's run, that of its final configuration included. Source: specification, section 17.10.
 */
export interface ExperimentManifestV1 {
  schema_version: "tfc.manifest.v1";
  run_id: ExperimentRunId;
  files: FileDigests;
}
/**
 * One value of a time series.
 */
export interface MetricPoint {
  /**
   * Step at which the value was logged: an epoch, a batch or any other count.
   */
  step: number;
  /**
   * The value.
   */
  value: number;
  [k: string]: unknown;
}
/**
 * Final values and time series of the metrics of a run. Source: specification, section 17.7.
 */
export interface ExperimentMetricsV1 {
  /**
   * Final values by name: those that were logged as final, otherwise the value at the highest step; of several at that step the one with the highest revision, then the largest.
   */
  summary: {
    [k: string]: number;
  };
  /**
   * Values by name; RunForge writes them in the order of their steps.
   */
  history?: {
    [k: string]: MetricPoint[];
  } | null;
  [k: string]: unknown;
}
/**
 * One line of the journal that user code appends to (JSON Lines): a value of a metric, a final value, or a parameter. Source: specification, section 17.7.
 */
export interface ExperimentMetricsEntryV1 {
  /**
   * Name of the metric that has the value at a step.
   */
  metric?: string | null;
  /**
   * Name of the metric that has this final value.
   */
  summary?: string | null;
  /**
   * Name of the parameter that has the value.
   */
  parameter?: string | null;
  /**
   * Step at which the value was logged. If absent, it is one more than the highest earlier step of the metric, starting at 1. Processes that log concurrently must give steps.
   */
  step?: number | null;
  /**
   * How often the writer had logged the value before (for a metric: at the same step). The highest revision is used, and of equal ones the larger value. If absent, it is 0 for a point, and a final value or a parameter replaces the earlier one.
   */
  revision?: Count | null;
  /**
   * The value; that of a metric is a number.
   */
  value: unknown;
  [k: string]: unknown;
}
/**
 * The machine, as far as it could be determined.
 */
export interface Hardware {
  /**
   * Name of the processor.
   */
  cpu?: string | null;
  /**
   * Names of the graphics processors.
   */
  gpus?: string[] | null;
  /**
   * Memory in gigabytes.
   */
  ram_gb?: number | null;
  [k: string]: unknown;
}
/**
 * The environment that a run was executed in. Source: specification, section 17.8.
 */
export interface ExperimentSystemV1 {
  /**
   * Operating system and version.
   */
  os: string;
  /**
   * Version of Python.
   */
  python: string;
  /**
   * Versions of the installed machine learning frameworks by name.
   */
  frameworks: {
    [k: string]: string;
  };
  hardware?: Hardware | null;
  [k: string]: unknown;
}

/**
 * The type of every document by its name.
 */
export interface Documents {
  "alias.v1": AliasV1;
  "alias_report.v1": AliasReportV1;
  "archive_report.v1": ArchiveReportV1;
  "artifact_inspection.v0.2.2.2": ArtifactInspectionV0222;
  "bundle.v1": BundleV1;
  "bundle_report.v1": BundleReportV1;
  "comparison.v1": ComparisonV1;
  "dataset_inspection.v1": DatasetInspectionV1;
  "diagnostics.v1": DiagnosticsV1;
  "error.v1": ErrorV1;
  "evaluation.v1": EvaluationV1;
  "evaluation_report.v1": EvaluationReportV1;
  "events.v1": EventV1;
  "feature_importance.v1": FeatureImportanceV1;
  "field.cancelled_marker.v1.0.0": CancelledMarkerV100;
  "field.desktop_coefficients.v1": DesktopCoefficientsV1;
  "field.desktop_group.v1": DesktopGroupV1;
  "field.desktop_importance.v1": DesktopImportanceV1;
  "field.desktop_interpretability.v1": DesktopInterpretabilityV1;
  "field.desktop_metrics.v1": DesktopMetricsV1;
  "field.desktop_metrics_line.v1": DesktopMetricsLineV1;
  "field.desktop_request.v1": DesktopRequestV1;
  "field.desktop_run.v1": DesktopRunV1;
  "field.editor_index.v0.2.2.1": EditorIndexV0221;
  "field.editor_index.v1.0.0": EditorIndexV100;
  "field.editor_request.v1": EditorRequestV1;
  "field.editor_result.v1": EditorResultV1;
  "field.editor_run.v0.2.2.1": EditorRunV0221;
  "field.index_orphan_marker.v1.0.0": IndexOrphanMarkerV100;
  "group.v1": GroupV1;
  "import_report.v1": ImportReportV1;
  "index.v1": IndexV1;
  "index_report.v1": IndexReportV1;
  "interpretability.index.v1": InterpretabilityIndexV1;
  "linear_coefficients.v1": LinearCoefficientsV1;
  "manifest.v1": ManifestV1;
  "merge_report.v1": MergeReportV1;
  "metrics.phase2": MetricsPhase2;
  "metrics.v1": MetricsV1;
  "move_report.v1": MoveReportV1;
  "prediction.v1": PredictionV1;
  "recipe.v1": RecipeV1;
  "removal_report.v1": RemovalReportV1;
  "reproduction.v1": ReproductionV1;
  "request.v1": RequestV1;
  "result.v1": ResultV1;
  "run.v0.2.2.1": RunV0221;
  "run.v0.3.3": RunV033;
  "run.v0.3.6": RunV036;
  "run.v0.4.0": RunV040;
  "run_removal.v1": RunRemovalV1;
  "store_merge.v1": StoreMergeV1;
  "store_place.v1": StorePlaceV1;
  "sweep_plan.v1": SweepPlanV1;
  "tfc.config.v1": ExperimentConfigV1;
  "tfc.experiment.v1": ExperimentV1;
  "tfc.manifest.v1": ExperimentManifestV1;
  "tfc.metrics.v1": ExperimentMetricsV1;
  "tfc.metrics_entry.v1": ExperimentMetricsEntryV1;
  "tfc.system.v1": ExperimentSystemV1;
  "trace.v1": TraceV1;
  "verification.v1": VerificationV1;
}

/**
 * Name of a document, which is the name of its schema.
 */
export type DocumentName = keyof Documents;

/**
 * Name of a document, or of a schema of definitions that documents share.
 */
export type SchemaName = DocumentName | "common.v1" | "field.common.v1" | "field.index_array.v1" | "provenance.v1" | "tfc.common.v1";

/**
 * Every method of `runforge serve`, with its parameters and its result.
 */
export interface ServeMethods {
  cancel: CancelMethod;
  coefficients: CoefficientsMethod;
  diagnostics: DiagnosticsMethod;
  diff: DiffMethod;
  evaluate: EvaluateMethod;
  group: GroupMethod;
  groups: GroupsMethod;
  importance: ImportanceMethod;
  initialize: InitializeMethod;
  inspect: InspectMethod;
  inspectArtifact: InspectArtifactMethod;
  interpretability: InterpretabilityMethod;
  list: ListMethod;
  metrics: MetricsMethod;
  planSweep: PlanSweepMethod;
  predict: PredictMethod;
  rebuildIndex: RebuildIndexMethod;
  recipe: RecipeMethod;
  report: ReportMethod;
  reproduce: ReproduceMethod;
  rerun: RerunMethod;
  run: RunMethod;
  show: ShowMethod;
  shutdown: ShutdownMethod;
  sweep: SweepMethod;
  trace: TraceMethod;
  train: TrainMethod;
  unwatch: UnwatchMethod;
  verify: VerifyMethod;
  warm: WarmMethod;
  watch: WatchMethod;
}

/**
 * Every notification of `runforge serve` and of its clients.
 */
export interface ServeNotifications {
  "$/cancelRequest": CancelRequestNotification;
  exit: ExitNotification;
  progress: ProgressNotification;
  runBegan: RunBeganNotification;
  runEnded: RunEndedNotification;
  runsChanged: RunsChangedNotification;
  warning: WarningNotification;
}
