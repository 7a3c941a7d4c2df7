"""The forms in which other clients keep an index, and their entries in the terms of ``index.v1``.

Entries are read one by one: one that cannot be read hides no other. Nothing here writes, or looks
at the file system.

Source: specification, section 5.10.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import PurePosixPath, PureWindowsPath
from typing import Any, Literal, NamedTuple

from runforge_contracts.display import quote
from runforge_contracts.errors import ErrorCode, RunForgeError
from runforge_contracts.run_ids import id_time, is_any_run_id
from runforge_contracts.store.field_documents import in_utc
from runforge_contracts.store.index_form import ADDED, ADDED_SINCE
from runforge_contracts.store.layout import LEGACY_STORE, RUN, StoreLayout
from runforge_contracts.validation import validate

#: ``index.v1``, or the form of another client.
IndexFormName = Literal[
    "index.v1", "field.editor_index.v1.0.0", "field.editor_index.v0.2.2.1", "field.index_array.v1"
]
OWN_FORM: IndexFormName = "index.v1"
EDITOR_FORM: IndexFormName = "field.editor_index.v1.0.0"
FIRST_FORM: IndexFormName = "field.editor_index.v0.2.2.1"
ARRAY_FORM: IndexFormName = "field.index_array.v1"

#: The form of an index by its ``schema_version``, if it has one.
FORM_BY_VERSION: dict[str, IndexFormName] = {
    "index.v1": OWN_FORM,
    "1.0.0": EDITOR_FORM,
    "0.2.2.1": FIRST_FORM,
}
#: Members without which the clients of a form cannot show an entry.
_NEEDED: dict[IndexFormName, frozenset[str]] = {
    EDITOR_FORM: frozenset(
        {
            *("run_id", "created_at", "name", "preset_id", "status", "summary", "run_dir"),
            *("dataset_fingerprint_sha256", "label_column", "model_pkl"),
        }
    ),
    FIRST_FORM: frozenset(
        {
            *("run_id", "created_at", "dataset_fingerprint_sha256", "label_column"),
            *("run_dir", "model_pkl"),
        }
    ),
    ARRAY_FORM: frozenset(
        {"run_id", "created_at", "name", "preset_id", "status", "run_dir", "summary"}
    ),
}
_STATUSES = {
    "succeeded": "succeeded",
    "completed": "succeeded",
    "failed": "failed",
    "cancelled": "cancelled",
    "canceled": "cancelled",
}
#: Strings that are kept if they are valid, and left out otherwise.
_OPTIONAL = ("name", "preset_id", "label_column")
_ADDED = (*ADDED, *ADDED_SINCE)
_CHECKED = ("dataset_fingerprint_sha256", "model_sha256", "model_family", "origin")


class EntryProblem(NamedTuple):
    """An entry of an index that cannot be read."""

    #: Its position in the index.
    position: int
    #: Why, in one sentence.
    message: str
    #: Name of the member that is wrong, or None.
    member: str | None = None


def form_of(raw: Any, store: StoreLayout) -> IndexFormName | None:
    """Return the form of a parsed index; None if it has none that is known in that store."""
    if isinstance(raw, list):
        return ARRAY_FORM if store.name == LEGACY_STORE else None
    if not isinstance(raw, dict) or not isinstance(raw.get("runs"), list):
        return None
    version = raw.get("schema_version")
    return FORM_BY_VERSION.get(version) if isinstance(version, str) else None


def read_entry(entry: Any, store: StoreLayout) -> dict[str, Any]:
    """Return an entry of another client in the terms of ``index.v1``.

    ``run_dir`` is the folder of the run, relative to the workspace, and ``model_pkl`` is relative
    to it. Members whose values ``index.v1`` does not allow are left out; unknown ones are kept.

    Raises
    ------
    RunForgeError
        ``DOCUMENT_INVALID`` with the member, if the entry has no valid id or time;
        ``PATH_OUTSIDE_ROOT`` if ``run_dir`` leads out of the workspace.
    """
    if not isinstance(entry, dict):
        raise _invalid("The entry is not an object.")
    run_id = entry.get("run_id")
    if not isinstance(run_id, str) or not is_any_run_id(run_id):
        raise _invalid(f"`run_id` is {_shown(entry, 'run_id')}, which no run can have.", "run_id")
    created_at = _time(entry.get("created_at"), run_id)
    if created_at is None:
        text = f"`created_at` is {_shown(entry, 'created_at')}, which is no time."
        raise _invalid(text, "created_at")
    run_dir = _run_dir(entry.get("run_dir"), store)
    known: dict[str, Any] = {"run_id": run_id, "created_at": created_at}
    known |= {name: entry[name] for name in _OPTIONAL if isinstance(entry.get(name), str)}
    status = entry.get("status")
    if isinstance(status, str) and status.lower() in _STATUSES:
        known["status"] = _STATUSES[status.lower()]
    if isinstance(entry.get("summary"), dict):
        known["summary"] = _summary(entry["summary"])
    known["run_dir"] = run_dir
    model = _model(entry.get("model_pkl"), run_dir, store)
    known |= {name: entry[name] for name in _CHECKED if isinstance(entry.get(name), str)}
    known |= {name: entry[name] for name in _ADDED if name in entry}
    if model is not None:
        known["model_pkl"] = model
    for name in (*_CHECKED, *_ADDED, "model_pkl", "run_dir"):
        if name in known and not _is_valid(name, known[name]):
            if name == "run_dir":
                raise _invalid("`run_dir` is not a path.", "run_dir")
            del known[name]
    recognised = {*known, *_OPTIONAL, *_CHECKED, *_ADDED, "status", "summary", "model_pkl"}
    return known | {name: value for name, value in entry.items() if name not in recognised}


def write_entry(
    entry: Mapping[str, Any], form: IndexFormName, store: StoreLayout
) -> dict[str, Any] | None:
    """Return an entry of ``index.v1`` as the clients of ``form`` read it.

    None if the run lacks a member without which they cannot show it; such a run is listed by its
    folder alone.
    """
    if form == OWN_FORM:
        return dict(entry)
    if not entry.keys() >= _NEEDED[form]:
        return None
    summary = entry.get("summary") or {}
    if "summary" in _NEEDED[form] and not summary.keys() >= {
        *("duration_ms", "final_metrics", "device"),
    }:
        return None
    written = {name: value for name, value in entry.items() if name not in _ADDED}
    if "device" in summary:
        device = {"gpu": "cuda"}.get(summary["device"], summary["device"])
        written["summary"] = {**summary, "device": device}
    if "model_pkl" in entry:
        written["model_pkl"] = f"{entry['run_dir']}/{entry['model_pkl']}"
    if form == FIRST_FORM:
        # Paths of that form are relative to the store, and the run's is that of its record.
        root = f"{store.name}/"
        written["run_dir"] = f"{entry['run_dir'].removeprefix(root)}/{RUN}"
        if "model_pkl" in written:
            written["model_pkl"] = written["model_pkl"].removeprefix(root)
    return written


def _invalid(message: str, member: str | None = None) -> RunForgeError:
    return RunForgeError(
        ErrorCode.DOCUMENT_INVALID, message, pointer=None if member is None else f"/{member}"
    )


def _shown(entry: Mapping[str, Any], name: str) -> str:
    return quote(entry[name]) if name in entry else "missing"


def _time(value: Any, run_id: str) -> str | None:
    """Return a time as UTC; the one of the run id if there is no valid one."""
    if isinstance(value, str):
        time = value if _is_valid("created_at", value) else in_utc(value)
        if time is not None:
            return time
    begun = id_time(run_id)
    return None if begun is None else in_utc(begun.isoformat())


def _run_dir(value: Any, store: StoreLayout) -> str:
    """Return the path of a run folder relative to the workspace."""
    if not isinstance(value, str) or not value:
        raise _invalid("`run_dir` is not a path.", "run_dir")
    parts = _parts(value, store)
    if parts is not None and parts[-1:] == (RUN,):
        parts = parts[:-1]
    if not parts or ".." in parts:
        raise RunForgeError(
            ErrorCode.PATH_OUTSIDE_ROOT,
            f"`run_dir` is {quote(value, 200)}, which is no folder of the workspace.",
            pointer="/run_dir",
        )
    if parts[0] == store.runs.name:
        parts = (store.name, *parts)
    return "/".join(parts)


def _model(value: Any, run_dir: str, store: StoreLayout) -> str | None:
    """Return the path of a model relative to its run folder; None if it is elsewhere."""
    if not isinstance(value, str):
        return None
    parts, folder = _parts(value, store), tuple(run_dir.split("/"))
    if not parts or ".." in parts:
        return None
    for path in (parts, (store.name, *parts)):
        if path[: len(folder)] == folder:
            return "/".join(path[len(folder) :]) or None
    # Another run's, or one that is relative to the run folder already.
    return None if parts[0] in (store.name, store.runs.name) else "/".join(parts)


def _parts(path: str, store: StoreLayout) -> tuple[str, ...] | None:
    """Return the parts of a path below the workspace; None if it is absolute and not below it."""
    if "\\" in path and "/" not in path:
        path = path.replace("\\", "/")
    if PurePosixPath(path).is_absolute() or PureWindowsPath(path).drive:
        try:
            path = PurePosixPath(path).relative_to(store.workspace.as_posix()).as_posix()
        except ValueError:
            return None
    return tuple(part for part in PurePosixPath(path).parts if part != ".")


def _summary(raw: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    duration = raw.get("duration_ms")
    if isinstance(duration, float) and duration.is_integer():
        duration = int(duration)
    if type(duration) is int and 0 <= duration < 2**53:
        found["duration_ms"] = duration
    metrics = raw.get("final_metrics")
    if isinstance(metrics, dict):
        found["final_metrics"] = {
            name: value
            for name, value in metrics.items()
            if type(value) in (int, float) and math.isfinite(value)
        }
    device = raw.get("device")
    if isinstance(device, str):
        found["device"] = {"cuda": "gpu"}.get(device, device)
    return found | {name: value for name, value in raw.items() if name not in _OF_SUMMARY}


_OF_SUMMARY = ("duration_ms", "final_metrics", "device")
#: An entry with which a single member is validated.
_SAMPLE = {"run_id": "a", "created_at": "2026-01-01T00:00:00Z", "run_dir": "a"}


def _is_valid(name: str, value: Any) -> bool:
    try:
        validate({"schema_version": "index.v1", "runs": [{**_SAMPLE, name: value}]}, "index.v1")
    except RunForgeError:
        return False
    return True
