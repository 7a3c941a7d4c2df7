"""The data of a run for export, in the same form for both kinds of runs."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from runforge_contracts.comparison import facets_of
from runforge_contracts.comparison.experiment_facets import TRAINED_RUN
from runforge_contracts.display import quote
from runforge_contracts.fs.files import digest_file
from runforge_contracts.store.experiment_runs import ExperimentRun, in_order
from runforge_contracts.store.layout import CONFIG, MODEL, Place
from runforge_contracts.store.lookup import AnyRun
from runforge_contracts.store.run import Run

from runforge_cli.listing.experiment_rows import TolerantRun
from runforge_cli.listing.run_list import tags_of
from runforge_cli.terminal.text_layout import paragraph, plural

if TYPE_CHECKING:
    from runforge_engine.modeling.model_conversion import Comparison
    from runforge_engine.store.sweep_table import SweepTable

#: States of runs that are exported; other clients may not record how a run ended.
_FINISHED = ("succeeded", "failed", "cancelled", "interrupted", "unknown")
#: The statuses of sweeps in the words of runs.
_STATUSES_OF_SWEEPS = {
    "succeeded": "succeeded",
    "failed": "failed",
    "canceled": "cancelled",
    "interrupted": "interrupted",
    "running": "running",
}
_LEAP = re.compile(r"(T[0-9]{2}:[0-9]{2}):60")


@dataclass(frozen=True, slots=True)
class ExportedDataset:
    """The dataset of a run."""

    path: str
    sha256: str


@dataclass(frozen=True, slots=True)
class Record:
    """A finished run."""

    run_id: str
    #: A globally unique identifier.
    identity: str
    #: The experiment that the run belongs to.
    experiment: str
    name: str
    status: str
    #: Milliseconds since 1970, where they are known.
    started_at: int | None
    finished_at: int | None
    #: Configuration and hyperparameters, by name.
    params: Mapping[str, Any]
    #: The sources of hyperparameters, by name.
    sources: Mapping[str, str]
    #: Final metrics.
    metrics: Mapping[str, float]
    #: Steps and values of the metrics.
    history: Mapping[str, Sequence[tuple[float, float]]]
    #: The notes of the user.
    notes: str
    tags: Sequence[str]
    #: Other recorded values, by name.
    facts: Mapping[str, str]
    dataset: ExportedDataset | None
    commit: str | None
    #: The run folder.
    folder: Path


@dataclass(slots=True)
class ExportOutcome:
    """The result of an export, with the ids of the runs."""

    #: A hint on how to view the runs, or empty.
    look: str = ""
    exported: list[str] = field(default_factory=list)
    #: Runs that had been exported before.
    present: list[str] = field(default_factory=list)
    #: The reasons for skipped runs.
    left_out: dict[str, str] = field(default_factory=dict)
    #: Files of runs exported before that were changed since; None where that is not looked at.
    changed: dict[str, list[str]] | None = None
    #: How a model that was written predicts, compared with that of the run.
    comparison: Comparison | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return the result as JSON data."""
        told = {name: getattr(self, name) for name in ("exported", "present", "left_out")}
        if self.changed is not None:
            told["changed"] = self.changed
        if self.comparison is not None:
            told["comparison"] = self.comparison.to_dict()
        return told

    def lines(self, folder: Path) -> Iterator[str]:
        """Yield the lines on the result."""
        text = f"Exported {plural(len(self.exported), 'run')} to {quote(folder, 200)}"
        if self.present:
            text += f"; {plural(len(self.present), 'run was', 'runs were')} exported before"
        yield from paragraph(f"{text}.")
        if self.comparison is not None:
            yield from paragraph(_compared(self.comparison))
        if self.look:
            yield from paragraph(self.look)


def _compared(comparison: Comparison) -> str:
    name = "probability" if comparison.scores == "probability" else "decision value"
    return (
        f"It was compared with the model of the run on {plural(comparison.rows, 'validation row')}:"
        f" every label is the same, and the greatest difference of a {name} is"
        f" {comparison.greatest_difference:.2g}."
    )


def record_of(folder: AnyRun, place: Place) -> Record | None:
    """Return the record of a run, or None if the run has not finished.

    Invalid documents of an experiment run, other than its configuration, are skipped.

    Parameters
    ----------
    folder
        The run.
    place
        The location of the run; trained runs are exported to the experiment named after its
        workspace.
    """
    if isinstance(folder, Run):
        own = _of_training(folder, place)
    else:
        own = _of_experiment(folder)
        folder = TolerantRun(folder.path)
    if own.status not in _FINISHED:
        return None
    facets = facets_of(folder)
    header, data, environment = facets.header(), facets.data, facets.environment
    sha256 = _value(data, "fingerprint_sha256")
    error = header.get("error") or {}
    facts = {
        "run_dir": place.relative(folder.path),
        "status": own.status,
        "error": error.get("message"),
        "error_code": error.get("code"),
        "repeats": header.get("rerun_from"),
        "dataset_path": _value(data, "path"),
        "dataset_sha256": sha256,
        "model_sha256": _value(facets.artifacts, MODEL) or _value(data, "model.sha256"),
        "model_content_sha256": _value(facets.model_content, "model_content_sha256"),
        "uncommitted_changes": _value(environment, "git.dirty"),
        "client": _value(environment, "client"),
        "version": _value(environment, "runforge_version"),
        "python": _value(environment, "python.version"),
        **own.facts,
    }
    return Record(
        run_id=folder.id,
        identity=own.identity,
        experiment=own.experiment,
        name=own.name or folder.id,
        status=own.status,
        started_at=own.started_at,
        finished_at=own.finished_at,
        params={
            **{name: entry["value"] for name, entry in facets.configuration.items()},
            **{name: data[name]["value"] for name in ("dataset", "label_column") if name in data},
            **{name: entry["value"] for name, entry in facets.hyperparameters.items()},
        },
        sources={
            name: entry["source"]
            for name, entry in facets.hyperparameters.items()
            if "source" in entry
        },
        metrics={name: value for (name, label), value in facets.metrics.items() if label is None},
        history=history_of(folder),
        notes=own.notes,
        tags=tags_of(folder),
        facts={name: str(value) for name, value in facts.items() if value is not None},
        dataset=ExportedDataset(_value(data, "path") or "", sha256) if sha256 else None,
        commit=_value(environment, "git.commit"),
        folder=folder.path,
    )


def history_of(folder: AnyRun) -> dict[str, Sequence[tuple[float, float]]]:
    """Return the steps and values of the metrics of a run, sorted by step.

    Trained runs have none.
    """
    if isinstance(folder, Run):
        return {}
    history = (TolerantRun(folder.path).metrics_document or {}).get("history", {})
    return {
        name: [(point["step"], point["value"]) for point in in_order(points)]
        for name, points in history.items()
    }


class _Own(NamedTuple):
    """The values that are read differently for the two kinds of runs."""

    identity: str
    experiment: str
    name: str | None
    status: str
    started_at: int | None
    finished_at: int | None
    notes: str
    facts: Mapping[str, Any]


def _of_training(folder: Run, place: Place) -> _Own:
    run, request, result = folder.record or {}, folder.request or {}, folder.result or {}
    status: str = folder.status
    if status == "incomplete":
        from runforge_engine.runtime.folder_lock import state_of

        status = state_of(folder.path)
    finished_at = milliseconds(result.get("finished_at") or run.get("created_at"))
    started_at = milliseconds(result.get("started_at") or request.get("created_at"))
    if finished_at is not None and "duration_ms" in result:
        started_at = finished_at - result["duration_ms"]
    return _Own(
        identity=folder.id,
        experiment=place.workspace.name or "runforge",
        name=request.get("name"),
        status=status,
        started_at=started_at,
        finished_at=finished_at,
        notes=request.get("notes") or "",
        facts={
            "sweep_group_id": request.get("sweep_group_id"),
            "sweep_member": request.get("sweep_member"),
        },
    )


def sweep_record(sweep: SweepTable, place: Place) -> Record:
    """Return the record of a sweep, as the parent of its runs.

    Its metric is that of the best member.

    Parameters
    ----------
    sweep
        The sweep.
    place
        The location of its runs, whose experiment it belongs to.
    """
    execution = sweep.facts.get("execution") or {}
    best = sweep.best()
    value = sweep.value(best[0]) if best else None
    facts = {
        "sweep_group_id": sweep.group_id,
        "status": sweep.status,
        "members": len(sweep.rows),
        "client": sweep.facts.get("created_by"),
        "best_run_id": best[0].run_id if best else None,
    }
    return Record(
        run_id=sweep.group_id,
        identity=f"group {sweep.group_id}",
        experiment=place.workspace.name or "runforge",
        name=sweep.name or sweep.group_id,
        status=_STATUSES_OF_SWEEPS.get(sweep.status, "unknown"),
        started_at=milliseconds(execution.get("started_at") or sweep.facts.get("created_at")),
        finished_at=milliseconds(execution.get("finished_at")),
        params={
            column.name: ", ".join(cell.text for cell in column.cells) for column in sweep.columns
        },
        sources={},
        metrics={} if value is None or sweep.metric is None else {sweep.metric: value},
        history={},
        notes=str(sweep.facts.get("notes") or ""),
        tags=(),
        facts={name: str(fact) for name, fact in facts.items() if fact is not None},
        dataset=None,
        commit=None,
        folder=place.workspace,
    )


def _of_experiment(folder: ExperimentRun) -> _Own:
    from runforge_engine.experiment.record.experiment_state import state_of

    config = folder.config or {}
    begun = folder.path / CONFIG
    # Run ids are unique only within a repository, so the digest of the configuration is added.
    digest = digest_file(begun).sha256 if config else ""
    named = ("exit_code", "signal", "duration_ms")
    return _Own(
        identity=f"{folder.id} {digest}",
        experiment=config.get("experiment") or "runforge",
        name=None,
        status=state_of(folder),
        started_at=milliseconds(config.get("started_at")),
        finished_at=milliseconds(config.get("finished_at")),
        notes=config.get("notes", ""),
        facts={
            **{name: config.get(name) for name in named},
            "experiment_file": config.get("experiment_file", {}).get("path"),
            "experiment_file_sha256": config.get("experiment_file", {}).get("sha256"),
            "trained_run": config.get("parameters", {}).get(TRAINED_RUN),
        },
    )


def _value(recorded: Mapping[str, Mapping[str, Any]], name: str) -> Any:
    return recorded.get(name, {}).get("value")


def milliseconds(timestamp: str | None) -> int | None:
    """Return a timestamp as milliseconds since 1970; a leap second as the second before it.

    None if it is none: other clients write times as they like.

    Source: RFC 3339, section 5.7.
    """
    if timestamp is None:
        return None
    try:
        moment = datetime.fromisoformat(_LEAP.sub(r"\1:59", timestamp)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return round(moment.timestamp() * 1000)
