"""The summary of a trained run: its outcome, data, model and origin, from its documents.

Each fact is taken from the most reliable document, by the same code for every view: `show`,
reports, notebooks, `trace` and `diff`. The run may be of any client and version, so the documents
are contents of documents, and values that none of them has are None or empty.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from runforge_contracts.metrics import Metric, primary_metric

if TYPE_CHECKING:
    from runforge_contracts.store.run import Run


class RunOutcome(NamedTuple):
    """How the run finished, and its id and name."""

    name: str | None
    finished_at: str | None
    duration_ms: int | None
    tags: Sequence[str]
    notes: str | None
    #: The run that this run repeats.
    rerun_from: str | None
    primary_metric: Metric | None
    #: ``error`` of ``result.json``.
    error: Mapping[str, Any] | None


class RunData(NamedTuple):
    """The dataset, and the parts of it that were used."""

    path: str | None
    fingerprint_sha256: str | None
    label_column: str | None
    #: None if no document records which columns were excluded.
    exclude_columns: Sequence[str] | None
    rows: int | None
    dropped_rows: int | None
    train_rows: int | None
    validation_rows: int | None
    split_method: str | None
    validation_fraction: float | None
    classes: Sequence[str | int] | None
    num_features: int | None
    feature_names: Sequence[str] | None
    #: Path and digest of the recipe that was applied, and the digest of the table that it made.
    recipe: str | None
    recipe_sha256: str | None
    prepared_sha256: str | None


class RunModel(NamedTuple):
    """The configuration of the model."""

    family: str | None
    preset: str | None
    #: Name and version.
    profile: str | None
    seed: int | None
    device: str | None
    #: Why a requested GPU was not used.
    gpu_reason: str | None
    #: Name to value, and to the source of the value if it is recorded.
    hyperparameters: Mapping[str, tuple[Any, str | None]]
    #: Path of the model file below the run folder.
    file: str | None


class RunOrigin(NamedTuple):
    """Who made the run, and with which software."""

    client: str | None
    runforge_version: str | None
    #: ``provenance`` of ``run.json`` or ``result.json``; empty if there is none.
    provenance: Mapping[str, Any]


class RunSummary(NamedTuple):
    """All parts of the summary."""

    outcome: RunOutcome
    data: RunData
    model: RunModel
    origin: RunOrigin


def can_be_repeated(request: Mapping[str, Any] | None) -> bool:
    """Return whether a request says what to train on what; those of some clients do not."""
    asked = request or {}
    label = (asked.get("dataset") or {}).get("label_column")
    return bool(label and (asked.get("model") or {}).get("family"))


def class_labels(run: Run) -> Sequence[str | int] | None:
    """Return the classes of a run in order, as far as its documents name them.

    Older clients name the classes of a binary model only with its coefficients.
    """
    from runforge_contracts.store import layout

    recorded: Sequence[str | int] | None = (run.record or {}).get("classes")
    return recorded or (run.content(layout.LINEAR_COEFFICIENTS) or {}).get("classes")


def model_file(record: Mapping[str, Any] | None, result: Mapping[str, Any] | None) -> str | None:
    """Return the path of a run's model: that of ``run.json``, else of a result that succeeded."""
    recorded: str | None = ((record or {}).get("artifacts") or {}).get("model_pkl")
    ended = result or {}
    listed = (ended.get("artifacts") if ended.get("status") == "succeeded" else None) or ()
    return recorded or next((item["path"] for item in listed if item["type"] == "model"), None)


def summary_of(run: Run) -> RunSummary:
    """Return the summary of a run.

    Raises
    ------
    RunForgeError
        If a document cannot be read.
    """
    return summarize(run.request, run.record, run.result)


def summarize(
    request: Mapping[str, Any] | None,
    record: Mapping[str, Any] | None,
    result: Mapping[str, Any] | None,
) -> RunSummary:
    """Return the summary from raw ``request.json``, ``run.json`` and ``result.json``."""
    request, record, result = request or {}, record or {}, result or {}
    return RunSummary(
        _outcome(request, record, result),
        _data(request, record, result),
        _model(request, record, result),
        RunOrigin(
            client=(_provenance(record, result)).get("client") or request.get("created_by"),
            runforge_version=record.get("runforge_version"),
            provenance=_provenance(record, result),
        ),
    )


def _provenance(record: Mapping[str, Any], result: Mapping[str, Any]) -> Mapping[str, Any]:
    return record.get("provenance") or result.get("provenance") or {}


def _outcome(
    request: Mapping[str, Any], record: Mapping[str, Any], result: Mapping[str, Any]
) -> RunOutcome:
    recorded = {
        name: value
        for name, value in (record.get("metrics") or {}).items()
        if not name.startswith("num_")
    }
    return RunOutcome(
        name=request.get("name"),
        finished_at=record.get("created_at") or result.get("finished_at"),
        duration_ms=result.get("duration_ms"),
        tags=request.get("tags") or (),
        notes=request.get("notes"),
        rerun_from=request.get("rerun_from"),
        primary_metric=primary_metric(result.get("summary") or {"metrics": recorded}),
        error=result.get("error"),
    )


def _data(
    request: Mapping[str, Any], record: Mapping[str, Any], result: Mapping[str, Any]
) -> RunData:
    config = result.get("effective_config") or {}
    asked, used = request.get("dataset") or {}, config.get("dataset") or {}
    dataset = {**asked, **used, **(record.get("dataset") or {})}
    split = record.get("split") or {}
    return RunData(
        path=dataset.get("path"),
        fingerprint_sha256=dataset.get("fingerprint_sha256"),
        label_column=record.get("label_column") or dataset.get("label_column"),
        exclude_columns=dataset.get("exclude_columns", () if asked or used else None),
        rows=record.get("num_samples", (record.get("metrics") or {}).get("num_samples")),
        dropped_rows=record.get("dropped_rows_missing_values"),
        train_rows=split.get("train_rows"),
        validation_rows=split.get("validation_rows"),
        split_method=split.get("method"),
        validation_fraction=split.get("validation_fraction"),
        classes=record.get("classes"),
        num_features=record.get("num_features"),
        feature_names=record.get("feature_names"),
        recipe=dataset.get("recipe"),
        recipe_sha256=dataset.get("recipe_sha256"),
        prepared_sha256=dataset.get("prepared_sha256"),
    )


def _model(
    request: Mapping[str, Any], record: Mapping[str, Any], result: Mapping[str, Any]
) -> RunModel:
    config = result.get("effective_config") or {}
    used = config.get("model") or {}
    device = record.get("device") or config.get("device") or {}
    profile = config.get("profile")
    if "profile_name" in record:
        profile = f"{record['profile_name']} {record['profile_version']}"
    if "hyperparameters" in record:
        values = {
            item["name"]: (item["value"], item["source"]) for item in record["hyperparameters"]
        }
    else:
        # Only the record of a finished run has the source of each value.
        values = {
            name: (value, None) for name, value in (used.get("hyperparameters") or {}).items()
        }
    return RunModel(
        family=record.get("model_family")
        or used.get("family")
        or (request.get("model") or {}).get("family"),
        preset=record.get("preset") or config.get("preset") or request.get("preset"),
        profile=profile,
        seed=record.get("seed", config.get("seed")),
        device=device.get("type"),
        gpu_reason=device.get("gpu_reason"),
        hyperparameters=values,
        file=model_file(record, result),
    )
