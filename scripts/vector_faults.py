"""Faults of a run folder, one at a time, each with the requirement that it breaks.

Someone who tampers with a file may put the digests right again; so does every fault here that is
not about digests. What must find it is the fact that is broken.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from runforge_contracts.codec.hash_chain import chain_digests
from runforge_contracts.codec.strict_json import encode_json

LINEAR = "20260223-100000-e6dca325"
FOREST = "20260224-100000-3f2d1b26"
FAILED = "20260225-100000-c1b80f5d"
OTHER_ID = "20260223-100000-00000000"
INDEX_OF_ARTIFACTS = "artifacts/interpretability.index.v1.json"
RECIPE = "artifacts/recipe.v1.json"
_RECIPE = encode_json(
    {
        "schema_version": "recipe.v1",
        "label": "label",
        "columns": [{"column": "width", "action": "keep"}, {"column": "height", "action": "keep"}],
    }
)


@dataclass(frozen=True)
class Fault:
    """A run folder in which one thing is wrong."""

    name: str
    requirement: str
    description: str
    make: Callable[[Path], None]
    run: str = LINEAR


def put(file: str, pointer: str, value: Any) -> Callable[[Path], None]:
    """Return what sets one place of a document and puts the digests right."""

    def make(run: Path) -> None:
        with editing(run, file) as document:
            parent, last = _parent(document, pointer)
            parent[last] = value
        seal(run)

    return make


def _parent(document: Any, pointer: str) -> tuple[Any, Any]:
    *parts, last = pointer[1:].split("/")
    for part in parts:
        document = document[int(part) if isinstance(document, list) else part]
    return document, int(last) if isinstance(document, list) else last


@contextmanager
def editing(run: Path, file: str) -> Iterator[Any]:
    """Give a document to change; it is written back."""
    document = json.loads((run / file).read_bytes())
    yield document
    (run / file).write_bytes(encode_json(document))


def seal(run: Path) -> None:
    """Put sizes and digests right: of the result's list, the record, and the manifest."""
    if (run / "result.json").exists():
        with editing(run, "result.json") as result:
            for artifact in result["artifacts"]:
                if (run / artifact["path"]).exists():
                    artifact["bytes"] = (run / artifact["path"]).stat().st_size
    if (run / "run.json").exists():
        with editing(run, "run.json") as record:
            record["artifact_digests"] = digests(run, record["artifact_digests"])
    with editing(run, "manifest.json") as manifest:
        manifest["files"] = digests(run, manifest["files"])


def digests(run: Path, files: dict[str, Any]) -> dict[str, Any]:
    """Return the digests of those files that exist, and what was there of the others."""
    found = {}
    for file, before in files.items():
        data = (run / file).read_bytes() if (run / file).exists() else None
        found[file] = (
            before
            if data is None
            else {"sha256": hashlib.sha256(data).hexdigest(), "bytes": len(data)}
        )
    return found


def flip_a_byte(run: Path) -> None:
    """Change one bit of the model."""
    path = run / "artifacts/model.pkl"
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def wrong_digest_in_record(run: Path) -> None:
    """Let the record claim another digest, and the manifest agree with the record."""
    with editing(run, "run.json") as record:
        record["artifact_digests"]["artifacts/model.pkl"]["sha256"] = "0" * 64
    with editing(run, "manifest.json") as manifest:
        data = (run / "run.json").read_bytes()
        entry = {"sha256": hashlib.sha256(data).hexdigest(), "bytes": len(data)}
        manifest["files"]["run.json"] = entry


def remove_importance(run: Path) -> None:
    """Remove the importances wherever they are named, but from the index of artifacts."""
    file = "artifacts/feature_importance.v1.json"
    (run / file).unlink()
    with editing(run, "run.json") as record:
        del record["feature_importance_schema_version"], record["feature_importance_artifact"]
        del record["artifacts"]["feature_importance_json"], record["artifact_digests"][file]
    with editing(run, "result.json") as result:
        result["artifacts"] = [item for item in result["artifacts"] if item["path"] != file]
    with editing(run, "manifest.json") as manifest:
        del manifest["files"][file]
    seal(run)


def drop_file(file: str) -> Callable[[Path], None]:
    """Return what removes a file and every digest of it."""

    def make(run: Path) -> None:
        (run / file).unlink()
        with editing(run, "manifest.json") as manifest:
            manifest["files"].pop(file)
        with editing(run, "result.json") as result:
            result["artifacts"] = [item for item in result["artifacts"] if item["path"] != file]
        seal(run)

    return make


def extra_file(run: Path) -> None:
    """Put a file into the folder that no document names."""
    (run / "artifacts/notes.txt").write_text("who wrote this?\n", "utf-8")


def remove_manifest(run: Path) -> None:
    """Remove the manifest."""
    (run / "manifest.json").unlink()


def rewrite(file: str, change: Callable[[bytes], bytes]) -> Callable[[Path], None]:
    """Return what changes the text of a file and puts the digests right."""

    def make(run: Path) -> None:
        (run / file).write_bytes(change((run / file).read_bytes()))
        seal(run)

    return make


def compact(text: bytes) -> bytes:
    """Return a JSON text on one line."""
    return json.dumps(json.loads(text)).encode()


def backwards(text: bytes) -> bytes:
    """Return an object with its keys in the opposite order."""
    return encode_json(dict(reversed(json.loads(text).items())))


def without_first_line(text: bytes) -> bytes:
    """Return a string without its first line."""
    return text.split(b"\n", 1)[1]


def accuracy(run: Path) -> None:
    """Claim a better accuracy than the matrix gives, in every file alike."""
    for file, pointer in (
        ("metrics.json", "/accuracy"),
        ("metrics.v1.json", "/accuracy"),
        ("run.json", "/metrics/accuracy"),
        ("result.json", "/summary/metrics/accuracy"),
        ("result.json", "/summary/primary_metric/value"),
        (
            INDEX_OF_ARTIFACTS,
            "/available_artifacts/metrics_v1/summary/accuracy",
        ),
    ):
        with editing(run, file) as document:
            parent, last = _parent(document, pointer)
            parent[last] = 0.99
    with editing(run.parent.parent, "index.json") as index:
        index["runs"][0]["summary"]["final_metrics"]["accuracy"] = 0.99
    seal(run)


def put_recipe(digest: str, *, named: bool = True, there: bool = True) -> Callable[[Path], None]:
    """Return what gives a run a recipe, of which the record has ``digest``."""

    def make(run: Path) -> None:
        if there:
            (run / RECIPE).write_bytes(_RECIPE)
            with editing(run, "manifest.json") as manifest:
                manifest["files"][RECIPE] = {"sha256": "", "bytes": 0}  # sealed below
        if named:
            with editing(run, "run.json") as record:
                record["dataset"] |= {
                    "recipe": "recipe.json",
                    "recipe_sha256": digest,
                    "prepared_sha256": "0" * 64,
                }
        seal(run)

    return make


def count_twice(run: Path) -> None:
    """Count every validation row twice."""
    with editing(run, "metrics.v1.json") as metrics:
        metrics["confusion_matrix"] = [[2 * n for n in row] for row in metrics["confusion_matrix"]]
    seal(run)


def base_profile(run: Path) -> None:
    """Name the base profile, wherever the profile is named, though there were probabilities."""
    profile = "classification.base.v1"
    with editing(run, "metrics.v1.json") as metrics:
        metrics["metrics_profile"] = profile
        del metrics["log_loss"]
    with editing(run, "run.json") as record:
        record["metrics_v1"]["metrics_profile"] = profile
    with editing(run, INDEX_OF_ARTIFACTS) as index:
        index["available_artifacts"]["metrics_v1"]["summary"]["metrics_profile"] = profile
    seal(run)


def not_a_number(run: Path) -> None:
    """Write what is no JSON number."""
    (run / "metrics.json").write_bytes(
        b'{\n  "accuracy": NaN,\n  "num_samples": 40,\n  "num_features": 2\n}\n'
    )
    seal(run)


def artifact_size(run: Path) -> None:
    """Let the result list another size of a file, and the manifest know that result."""
    with editing(run, "result.json") as result:
        result["artifacts"][0]["bytes"] += 1
    data = (run / "result.json").read_bytes()
    with editing(run, "manifest.json") as manifest:
        entry = {"sha256": hashlib.sha256(data).hexdigest(), "bytes": len(data)}
        manifest["files"]["result.json"] = entry


def swap_ranks(run: Path) -> None:
    """Put the least important feature first."""
    with editing(run, "artifacts/feature_importance.v1.json") as document:
        document["features_by_importance"].reverse()
        for rank, item in enumerate(document["features_by_importance"], start=1):
            item["rank"] = rank
        document["top_k"] = [item["name"] for item in document["features_by_importance"]]
        top = document["top_k"]
    with editing(run, INDEX_OF_ARTIFACTS) as index:
        index["available_artifacts"]["feature_importance_v1"]["summary"]["top_k"] = top
    seal(run)


def tie(run: Path) -> None:
    """Give two features one importance, and rank the later column first."""
    values = {"width": 0.2, "height": 0.4, "depth": 0.4}
    with editing(run, "artifacts/feature_importance.v1.json") as document:
        for item in document["features_by_importance"] + document["features_by_original_order"]:
            item["importance"] = values[item["name"]]
    seal(run)


def classes_backwards(run: Path) -> None:
    """Turn the classes of the record and of the metrics around."""
    with editing(run, "run.json") as record:
        record["classes"].reverse()
    with editing(run, "metrics.v1.json") as metrics:
        metrics["class_labels"].reverse()
    seal(run)


def in_index(change: Callable[[list[Any]], None]) -> Callable[[Path], None]:
    """Return what changes the entries of the store's index."""

    def make(run: Path) -> None:
        with editing(run.parent.parent, "index.json") as index:
            change(index["runs"])

    return make


FAULTS = (
    Fault("digest-wrong", "manifest.digests", "One bit of the model differs.", flip_a_byte),
    Fault(
        "digest-wrong-in-record",
        "run.artifact-digests",
        "The record gives another digest of the model.",
        wrong_digest_in_record,
    ),
    Fault("file-extra", "manifest.complete", "A file that nothing lists.", extra_file),
    Fault(
        "file-missing",
        "manifest.digests",
        "A log that the manifest lists is gone.",
        lambda run: (run / "logs/train.log").unlink(),
    ),
    Fault(
        "recipe-unnamed",
        "recipe.run",
        "A copy of a recipe that the record does not name.",
        put_recipe("", named=False),
    ),
    Fault(
        "recipe-missing",
        "recipe.run",
        "The record names a recipe, of which there is no copy.",
        put_recipe(hashlib.sha256(_RECIPE).hexdigest(), there=False),
    ),
    Fault(
        "recipe-changed",
        "recipe.run",
        "The copy of the recipe has another digest than the record gives.",
        put_recipe("0" * 64),
    ),
    Fault("manifest-missing", "run.files", "There is no manifest.", remove_manifest),
    Fault(
        "diagnostics-missing",
        "run.files",
        "There are no diagnostics.",
        drop_file("diagnostics.json"),
    ),
    Fault(
        "pointer-dangling",
        "run.pointers",
        "The record names an artifact that does not exist.",
        put("run.json", "/artifacts/metrics_v1_json", "artifacts/metrics.v1.json"),
    ),
    Fault(
        "pointer-to-another-file",
        "run.pointers",
        "The record names the metrics as the model.",
        put("run.json", "/artifacts/model_pkl", "metrics.json"),
    ),
    Fault(
        "index-pointer-to-another-file",
        "interpretability-index.available",
        "The interpretability index names another file as the metrics.",
        put(INDEX_OF_ARTIFACTS, "/available_artifacts/metrics_v1/path", "metrics.json"),
    ),
    Fault(
        "classes-backwards",
        "run.classes",
        "The classes are not sorted.",
        classes_backwards,
    ),
    Fault(
        "labels-differ",
        "run.classes",
        "The coefficients are those of other classes than the record's.",
        put("artifacts/linear_coefficients.v1.json", "/classes/0", "maybe"),
    ),
    Fault(
        "index-pointer-dangling",
        "interpretability-index.available",
        "The interpretability index claims a file that does not exist.",
        put(
            INDEX_OF_ARTIFACTS,
            "/available_artifacts/linear_coefficients_v1/path",
            "artifacts/coefficients.json",
        ),
    ),
    Fault(
        "index-summary-wrong",
        "interpretability-index.summary",
        "The interpretability index names other top features.",
        put(
            INDEX_OF_ARTIFACTS,
            "/available_artifacts/linear_coefficients_v1/summary/top_k_by_class/0/top_features",
            ["colour"],
        ),
    ),
    Fault(
        "importance-missing",
        "interpretability.presence",
        "A forest without its importances.",
        remove_importance,
        FOREST,
    ),
    Fault(
        "ranks-swapped",
        "interpretability.ranks",
        "The least important feature is ranked first.",
        swap_ranks,
        FOREST,
    ),
    Fault(
        "coefficient-sign",
        "interpretability.ranks",
        "A coefficient whose size is another.",
        put(
            "artifacts/linear_coefficients.v1.json",
            "/coefficients_by_class/0/features/1/abs_coefficient",
            0.001,
        ),
    ),
    Fault(
        "run-id-not-the-folders",
        "run.id",
        "The record carries another id than its folder.",
        put("run.json", "/run_id", OTHER_ID),
    ),
    Fault(
        "own-parent",
        "run.id",
        "The run says that it repeats itself.",
        put("request.json", "/rerun_from", LINEAR),
    ),
    Fault(
        "accuracy-not-the-matrix",
        "metrics.confusion-matrix",
        "Every file agrees on an accuracy that the matrix does not give.",
        accuracy,
    ),
    Fault(
        "accuracies-differ",
        "metrics.agree",
        "metrics.json and metrics.v1.json give two accuracies.",
        put("metrics.json", "/accuracy", 0.5),
    ),
    Fault(
        "summary-differs",
        "metrics.agree",
        "The result has another recall than metrics.v1.json.",
        put("result.json", "/summary/metrics/recall", 0.5),
    ),
    Fault(
        "events-differ",
        "events.agree",
        "An event counts other rows than the record.",
        rewrite(
            "logs/events.jsonl",
            lambda text: text.replace(b'"num_samples": ', b'"num_samples": 1'),
        ),
    ),
    Fault(
        "failure-of-another-kind",
        "events.agree",
        "The last event gives another code than the result.",
        rewrite(
            "logs/events.jsonl",
            lambda text: text.replace(b"FEATURE_NOT_NUMERIC", b"FEATURE_NOT_FINITE"),
        ),
        FAILED,
    ),
    Fault(
        "completed-before-it-began",
        "result.times",
        "The record says that the training was completed before the run began.",
        put("run.json", "/created_at", "2026-02-23T09:00:00Z"),
    ),
    Fault(
        "index-of-another-time",
        "interpretability-index.origin",
        "The interpretability index has another time than the record.",
        put(INDEX_OF_ARTIFACTS, "/created_at", "2026-02-23T11:00:00Z"),
    ),
    Fault(
        "label-as-feature",
        "run.rows",
        "The label is among the features.",
        put("run.json", "/feature_names/1", "label"),
    ),
    Fault(
        "source-wrong",
        "run.hyperparameters",
        "A value of the request is recorded as the model's default.",
        put("run.json", "/hyperparameters/0/source", "model_default"),
        FOREST,
    ),
    Fault(
        "severity-wrong",
        "diagnostics.severity",
        "A diagnostic has another severity than its code.",
        put("diagnostics.json", "/diagnostics/0/severity", "error"),
    ),
    Fault(
        "tie-backwards",
        "interpretability.ties",
        "Of two features with one importance the later column is ranked first.",
        tie,
        FOREST,
    ),
    Fault(
        "matrix-too-small",
        "metrics.confusion-matrix",
        "The matrix lacks a class.",
        put("metrics.v1.json", "/confusion_matrix", [[3, 0], [0, 3]]),
        FOREST,
    ),
    Fault(
        "matrix-counts-other-rows",
        "metrics.confusion-matrix",
        "The matrix counts more rows than were held back.",
        count_twice,
    ),
    Fault(
        "profile-wrong",
        "metrics.profile",
        "Probabilities were at hand, and the base profile is named.",
        base_profile,
    ),
    Fault(
        "metrics-extra-key",
        "metrics-phase2.schema",
        "metrics.json has a fourth key.",
        put("metrics.json", "/f1", 0.9),
    ),
    Fault(
        "null-for-absent",
        "metrics.schema",
        "A metric that could not be computed is null.",
        put("metrics.v1.json", "/roc_auc", None),
    ),
    Fault(
        "profile-fields-alone",
        "run.schema",
        "A profile name without version and hash.",
        put("run.json", "/profile_name", "fast"),
    ),
    Fault(
        "duplicate-key",
        "json.duplicate-key",
        "result.json gives its status twice.",
        rewrite(
            "diagnostics.json",
            lambda text: text.replace(b"{", b'{\n  "schema_version": "diagnostics.v1",', 1),
        ),
    ),
    Fault(
        "not-a-number",
        "json.number-invalid",
        "metrics.json says NaN.",
        not_a_number,
    ),
    Fault(
        "status-differs",
        "run.status",
        "The result says that the run was cancelled, the record that it succeeded.",
        put("result.json", "/status", "cancelled"),
    ),
    Fault(
        "other-family",
        "run.configuration",
        "Trained with another model family than was asked for.",
        put("request.json", "/model/family", "linear_svc"),
    ),
    Fault(
        "other-hyperparameter",
        "run.hyperparameters",
        "The result gives another value than the record.",
        put("result.json", "/effective_config/model/hyperparameters/C", 2.0),
    ),
    Fault(
        "device-not-told",
        "run.device",
        "A GPU was asked for, the CPU was used, and nothing says why.",
        put("request.json", "/device/type", "gpu"),
    ),
    Fault(
        "ended-before-it-began",
        "result.times",
        "The run ended before it began.",
        put("result.json", "/finished_at", "2026-02-22T10:00:00Z"),
    ),
    Fault(
        "primary-metric-wrong",
        "result.primary-metric",
        "The primary metric has another value than among the metrics.",
        put("result.json", "/summary/primary_metric/value", 0.123),
    ),
    Fault(
        "sections-missing",
        "result.sections",
        "The result does not say what was used.",
        put("result.json", "/effective_config", {}),
    ),
    Fault(
        "time-without-z",
        "json.timestamps",
        "A time is written with +00:00.",
        put("result.json", "/started_at", "2026-02-23T10:00:00+00:00"),
    ),
    Fault(
        "unsupported-not-told",
        "diagnostics.unsupported",
        "A forest has no coefficients, and the diagnostics do not say so.",
        put("diagnostics.json", "/diagnostics", []),
        FOREST,
    ),
    Fault(
        "artifact-size-wrong",
        "result.artifacts",
        "The result lists a size that the file does not have.",
        artifact_size,
    ),
    Fault(
        "rows-lost",
        "run.rows",
        "The parts of the split do not make up the rows.",
        put("run.json", "/split/train_rows", 31),
    ),
    Fault(
        "split-uneven",
        "run.split",
        "A third of the rows was held back.",
        put("run.json", "/split/validation_fraction", 0.33),
    ),
    Fault(
        "drop-not-told",
        "diagnostics.dropped-rows",
        "Rows were dropped, and the diagnostics do not say so.",
        put("diagnostics.json", "/diagnostics", []),
    ),
    Fault(
        "failure-not-told",
        "diagnostics.failure",
        "The run failed, and the diagnostics do not say why.",
        put("diagnostics.json", "/diagnostics", []),
        FAILED,
    ),
    Fault(
        "events-out-of-order",
        "events.order",
        "The first event is missing.",
        rewrite("logs/events.jsonl", without_first_line),
    ),
    Fault("one-line", "json.form", "A document on one line.", rewrite("metrics.json", compact)),
    Fault(
        "keys-backwards",
        "json.key-order",
        "Keys stand in another order than the schema's.",
        rewrite("metrics.json", backwards),
    ),
    Fault(
        "listed-twice",
        "index.once",
        "The index lists the run twice.",
        in_index(lambda runs: runs.append(dict(runs[0]))),
    ),
    Fault(
        "comes-from-itself",
        "index.origin",
        "An entry names the index itself as the one that the run came from.",
        in_index(
            lambda runs: runs.append(
                {
                    **runs[0],
                    "run_id": FOREST,
                    "run_dir": f".runforge/runs/{FOREST}",
                    "origin": chain_digests(runs[:1])[1],
                }
            )
        ),
    ),
    Fault(
        "not-listed",
        "index.complete",
        "The index lacks the run.",
        in_index(lambda runs: runs.clear()),
    ),
    Fault(
        "entry-of-another-model",
        "index.entry",
        "The index gives another digest of the model.",
        in_index(lambda runs: runs[0].update(model_sha256="0" * 64)),
    ),
    Fault(
        "entry-climbs-out",
        "index.run-dir",
        "The index says that the run lies outside the workspace.",
        in_index(lambda runs: runs[0].update(run_dir="../../elsewhere")),
    ),
    Fault(
        "listed-backwards",
        "index.order",
        "A younger run is listed before an older one.",
        in_index(
            lambda runs: runs.insert(
                0, {**runs[0], "run_id": FOREST, "run_dir": f".runforge/runs/{FOREST}"}
            )
        ),
    ),
)
