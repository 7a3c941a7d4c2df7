"""Documents of other clients, in the words of the contract.

Released clients write a ``request.json``, ``result.json`` and ``run.json`` of their own. The
functions here return what such a document says under the contract's names, without the members
that it lacks, so that every view works on it. Nothing of the documents themselves is changed.

Source: specification, chapter 19.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from runforge_contracts.documents import Document

_EDITOR = "the editor extension"
_DESKTOP = "Desktop"
DESKTOP_COMMANDS = "the command line of Desktop"
#: The client that writes a form, by the name of its schema.
CLIENTS = {
    "field.editor_request.v1": _EDITOR,
    "field.editor_result.v1": _EDITOR,
    "field.editor_run.v0.2.2.1": _EDITOR,
    "field.editor_index.v1.0.0": _EDITOR,
    "field.editor_index.v0.2.2.1": _EDITOR,
    "field.cancelled_marker.v1.0.0": _EDITOR,
    "field.index_orphan_marker.v1.0.0": _EDITOR,
    "field.desktop_run.v1": _DESKTOP,
    "field.desktop_metrics_line.v1": _DESKTOP,
    "field.desktop_metrics.v1": _DESKTOP,
    "field.desktop_importance.v1": _DESKTOP,
    "field.desktop_coefficients.v1": _DESKTOP,
    "field.desktop_interpretability.v1": _DESKTOP,
    "field.desktop_request.v1": DESKTOP_COMMANDS,
    "field.desktop_group.v1": DESKTOP_COMMANDS,
}
#: Forms of other clients that the documents of a run may have, by their path in the run folder.
FORMS_BY_FILE = {
    "request.json": ("field.editor_request.v1", "field.desktop_request.v1"),
    "result.json": ("field.editor_result.v1",),
    "run.json": ("field.editor_run.v0.2.2.1", "field.desktop_run.v1"),
}

_Raw = dict[str, Any]
_DEVICES = {"cuda": "gpu", "gpu": "gpu", "cpu": "cpu"}
_DESKTOP_STATUS = {"Completed": "succeeded", "Failed": "failed", "Cancelled": "cancelled"}
#: How the error of a cancelled run of the editor extension starts.
_CANCELLED = "Cancelled ("


def request_of(request: Document[Any] | None, run: Document[Any] | None) -> _Raw | None:
    """Return what was asked of a run: from ``request.json``, or from a ``run.json`` of Desktop."""
    if request is not None:
        translate = _REQUESTS.get(request.name)
        return request.content if translate is None else translate(request.content)
    if run is not None and run.name == "field.desktop_run.v1":
        return _desktop_request(run.content)
    return None


def record_of(run: Document[Any] | None) -> _Raw | None:
    """Return the run record: ``run.json``, unless it is the document of Desktop."""
    if run is None or run.name == "field.desktop_run.v1":
        return None
    if run.name == "field.editor_run.v0.2.2.1":
        return {"schema_version": "run.v0.2.2.1", **run.content, "created_at": _utc(run.content)}
    return run.content


def result_of(
    result: Document[Any] | None,
    request: Document[Any] | None,
    run: Document[Any] | None,
    cancelled: Callable[[], _Raw | None],
) -> _Raw | None:
    """Return how a run ended, from the documents that say it.

    Parameters
    ----------
    result, request, run
        The documents of the run.
    cancelled
        Returns the marker ``.cancelled`` of the run, which is empty if it cannot be read; called
        only if it matters.
    """
    if result is not None and result.name != "field.editor_result.v1":
        return result.content
    if result is not None:
        asked = request.content if request and request.name == "field.editor_request.v1" else {}
        return _editor_result(result.content, asked, cancelled())
    if run is not None and run.name == "field.desktop_run.v1":
        return _desktop_result(run.content)
    if (run is None or run.name != "run.v0.4.0") and (marker := cancelled()) is not None:
        return _without_none(
            {
                "status": "cancelled",
                "finished_at": _utc(marker, "cancelled_at"),
                "error": _error(marker.get("reason")),
            }
        )
    return None


def in_utc(text: str) -> str | None:
    """Return an ISO 8601 time in UTC with ``Z``; None if ``text`` is no time.

    The clients that write no offset write UTC.
    """
    try:
        time = datetime.fromisoformat(text)
        time = time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return _iso(time)


def utc_time(text: str) -> str:
    """Return a time as :func:`in_utc` does; what is no time is returned as it is."""
    return in_utc(text) or text


def unix_time(seconds: int) -> str:
    """Return a time in seconds since 1970 as ISO 8601 in UTC with ``Z``."""
    return _iso(datetime.fromtimestamp(seconds, UTC))


def _iso(time: datetime) -> str:
    return time.isoformat().removesuffix("+00:00") + "Z"


def _editor_request(raw: _Raw) -> _Raw:
    return _without_none(
        {
            "preset": raw["preset_id"],
            "device": _editor_device(raw),
            "seed": raw.get("seed"),
            "created_at": _utc(raw),
            "name": raw.get("name"),
        }
    )


def _editor_device(raw: _Raw) -> _Raw | None:
    device = raw.get("actual_device") or raw.get("requested_device")
    kind = _DEVICES.get(str(device))
    # The reason is recorded for every choice; it matters where a GPU was not used.
    reason = raw.get("gpu_reason") if kind == "cpu" else None
    return None if kind is None else _without_none({"type": kind, "gpu_reason": reason})


def _editor_result(raw: _Raw, request: _Raw, marker: _Raw | None) -> _Raw:
    text = raw.get("error")
    ended = "failed" if raw["status"] == "failed" else "succeeded"
    if ended == "failed" and (marker is not None or str(text).startswith(_CANCELLED)):
        ended = "cancelled"
    config = {"preset": request.get("preset_id"), "seed": request.get("seed")}
    config["device"] = _editor_device(request)
    return _without_none(
        {
            "run_id": raw.get("run_id"),
            "status": ended,
            "duration_ms": raw["duration_ms"],
            "effective_config": _without_none(config) or None,
            "error": _error(text),
        }
    )


def _desktop_request(raw: _Raw) -> _Raw:
    dataset = raw.get("dataset_path")
    return _without_none(
        {
            "preset": raw.get("preset") or None,
            "dataset": {"path": dataset} if dataset else None,
            "device": {"type": raw["device"].lower()} if "device" in raw else None,
            "created_at": unix_time(raw["created_at"]),
            "name": raw.get("name") or None,
        }
    )


def _desktop_result(raw: _Raw) -> _Raw | None:
    status = _DESKTOP_STATUS.get(raw["status"])
    if status is None:
        return None
    started, ended = raw.get("started_at"), raw.get("completed_at")
    asked = _desktop_request(raw)
    config = {key: asked[key] for key in ("dataset", "device", "preset") if key in asked}
    return _without_none(
        {
            # The id is the name of the folder, and may have blanks.
            "status": status,
            "started_at": None if started is None else unix_time(started),
            "finished_at": None if ended is None else unix_time(ended),
            "duration_ms": None
            if started is None or ended is None or ended < started
            else (ended - started) * 1000,
            "effective_config": config or None,
            "error": _error(raw.get("error")),
        }
    )


def _sweep_request(raw: _Raw) -> _Raw:
    return {**raw, "created_at": _utc(raw)}


_REQUESTS: dict[str, Callable[[_Raw], _Raw]] = {
    "field.editor_request.v1": _editor_request,
    "field.desktop_request.v1": _sweep_request,
}


def _error(text: str | None) -> _Raw | None:
    return {"message": text} if text else None


def _utc(raw: Mapping[str, Any], member: str = "created_at") -> str | None:
    text = raw.get(member)
    return None if text is None else utc_time(text)


def _without_none(values: _Raw) -> _Raw:
    return {key: value for key, value in values.items() if value is not None}
