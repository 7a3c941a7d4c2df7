"""What other tools want to know of a run, whatever kind of run it is."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from runforge_contracts.difference.facets import Facets
from runforge_contracts.layout import MODEL, StoreLayout
from runforge_contracts.reading import RunFolder
from runforge_contracts.text import quote

from runforge_cli.columns import paragraph, plural

_LEAP = re.compile(r"(T[0-9]{2}:[0-9]{2}):60")


@dataclass(frozen=True, slots=True)
class Dataset:
    """The file that a run learned from."""

    path: str
    sha256: str


@dataclass(frozen=True, slots=True)
class Record:
    """A run that is over."""

    run_id: str
    #: What no other run in the world has.
    identity: str
    #: What the run belongs to.
    experiment: str
    name: str
    status: str
    #: Milliseconds since 1970, where they are known.
    started_at: int | None
    finished_at: int | None
    #: What was asked for and used, by name.
    params: Mapping[str, Any]
    #: Where the values of parameters came from, by name.
    sources: Mapping[str, str]
    #: Final metrics.
    metrics: Mapping[str, float]
    #: Steps and values that metrics had on the way.
    history: Mapping[str, Sequence[tuple[float, float]]]
    #: For people.
    notes: str
    tags: Sequence[str]
    #: Further things on record, by name; those without a value were left out.
    facts: Mapping[str, str]
    dataset: Dataset | None
    commit: str | None
    #: The run folder.
    folder: Path


@dataclass(slots=True)
class Outcome:
    """What became of the runs that were to be exported, by their ids."""

    #: How to look at them, and the command that does; empty where it needs no words.
    look: str = ""
    exported: list[str] = field(default_factory=list)
    #: Those that were there already.
    present: list[str] = field(default_factory=list)
    #: Why a run was left out.
    left_out: dict[str, str] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """Return it for programs."""
        return {name: getattr(self, name) for name in ("exported", "present", "left_out")}

    def lines(self, folder: Path) -> Iterator[str]:
        """Give the lines for a person."""
        told = f"Exported {plural(len(self.exported), 'run')} to {quote(folder, 200)}"
        if self.present:
            told += f"; {plural(len(self.present), 'run was', 'runs were')} there already"
        yield from paragraph(f"{told}.")
        if self.look:
            yield from paragraph(self.look)


def record_of(folder: RunFolder, store: StoreLayout) -> Record | None:
    """Return the record of a run, or None where the run is not over.

    Parameters
    ----------
    folder
        The run, in any version that is read.
    store
        For the workspace, whose name is that of the experiment.
    """
    status = _status(folder)
    if status not in ("succeeded", "failed", "cancelled", "interrupted"):
        return None
    facets = Facets(folder)
    header, data, environment = facets.header(), facets.data, facets.environment
    request, result = folder.request or {}, folder.result or {}
    finished_at = milliseconds(result.get("finished_at") or header.get("created_at"))
    started_at = milliseconds(result.get("started_at") or request.get("created_at"))
    if finished_at is not None and "duration_ms" in result:
        started_at = finished_at - result["duration_ms"]
    sha256 = _value(data, "fingerprint_sha256")
    error = header.get("error") or {}
    facts = {
        "run_dir": store.relative(folder.path),
        "status": status,
        "error": error.get("message"),
        "error_code": error.get("code"),
        "repeats": header.get("rerun_from"),
        "dataset_path": _value(data, "path"),
        "dataset_sha256": sha256,
        "model_sha256": _value(facets.artifacts, MODEL),
        "model_content_sha256": _value(facets.model_content, "model_content_sha256"),
        "uncommitted_changes": _value(environment, "git.dirty"),
        "client": _value(environment, "client"),
        "version": _value(environment, "runforge_version"),
        "python": _value(environment, "python.version"),
    }
    return Record(
        run_id=folder.run_id,
        identity=folder.run_id,
        experiment=store.workspace.name or "runforge",
        name=header.get("name") or folder.run_id,
        status=status,
        started_at=started_at,
        finished_at=finished_at,
        params={
            **{name: entry["value"] for name, entry in facets.configuration.items()},
            **{name: data[name]["value"] for name in ("label_column",) if name in data},
            **{name: entry["value"] for name, entry in facets.hyperparameters.items()},
        },
        sources={
            name: entry["source"]
            for name, entry in facets.hyperparameters.items()
            if "source" in entry
        },
        metrics={name: value for (name, label), value in facets.metrics.items() if label is None},
        history=history_of(folder),
        notes=request.get("notes") or "",
        tags=request.get("tags") or (),
        facts={name: str(value) for name, value in facts.items() if value is not None},
        dataset=Dataset(_value(data, "path") or "", sha256) if sha256 else None,
        commit=_value(environment, "git.commit"),
        folder=folder.path,
    )


def history_of(folder: RunFolder) -> Mapping[str, Sequence[tuple[float, float]]]:
    """Return steps and values that the metrics of a run had on the way; a trained run has none."""
    return {}


def _status(folder: RunFolder) -> str:
    if folder.status != "incomplete":
        return folder.status
    from runforge_engine.holding import state_of

    return state_of(folder.path)


def _value(recorded: Mapping[str, Mapping[str, Any]], name: str) -> Any:
    return recorded.get(name, {}).get("value")


def milliseconds(timestamp: str | None) -> int | None:
    """Return an instant of a document as milliseconds since 1970; a leap second as the one before.

    Source: RFC 3339, section 5.7.
    """
    if timestamp is None:
        return None
    moment = datetime.fromisoformat(_LEAP.sub(r"\1:59", timestamp)).astimezone(UTC)
    return round(moment.timestamp() * 1000)
