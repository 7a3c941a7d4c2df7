"""The reading rules of Desktop, as a reader that can be run.

It restates what Desktop's dashboard reads (:func:`dashboard`), what its older pages read
(:class:`Page`), how it follows a log (:func:`follow`), and how it compares two runs. A document of
which one member has another type than Desktop expects is absent for it, as a whole. Nothing here
knows RunForge, and nothing is ever written.
"""

from __future__ import annotations

import json
import math
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

INDEX, RUNS = ".ml/outputs/index.json", ".ml/runs"
STATUSES = ("pending", "running", "failed", "completed", "cancelled")
STAGES = ("STARTING", "LOADING_DATASET", "TRAINING", "EVALUATING", "WRITING_ARTIFACTS", "COMPLETED")
REASONS = (
    *("not_supported_for_model", "unsupported_model", "generation_failed"),
    *("corrupt", "invalid", "not_generated"),
)
INT32, INT64 = 2**31, 2**63
#: Members of ``run.json``, and how large their numbers may be.
_TEXTS = (
    *("run_id", "name", "status", "device", "preset", "dataset_path", "output_path", "error"),
    *("optimizer", "scheduler"),
)
_INTEGERS = {
    **dict.fromkeys(("created_at", "started_at", "completed_at"), INT64),
    **dict.fromkeys(("total_epochs", "batch_size", "num_samples", "pid"), INT32),
}
_NULLABLE = ("started_at", "completed_at", "error", "pid")


class UnreadableError(Exception):
    """The document is absent for Desktop."""


def parse(data: bytes) -> Any:
    """Parse as Desktop does: no mark before the text, no NaN, at most 64 levels."""

    def refuse(name: str) -> None:
        raise UnreadableError(name)

    try:
        value = json.loads(data.decode("utf-8"), parse_constant=refuse)
    except ValueError as error:
        raise UnreadableError(str(error)) from error
    if _depth(value) > 64:
        raise UnreadableError("too deep")
    return value


def _depth(value: Any) -> int:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return (isinstance(value, dict | list)) + max(map(_depth, inner), default=0)


def integer(value: Any, limit: int = INT32) -> int:
    """Return an integer; a number with a fraction, even of zero, is none."""
    if type(value) is not int or not -limit <= value < limit:
        raise UnreadableError(f"{value!r} is no integer")
    return value


def number(value: Any) -> float:
    """Return a finite number."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise UnreadableError(f"{value!r} is no number")
    return value


def text(value: Any) -> str:
    """Return a text."""
    if not isinstance(value, str):
        raise UnreadableError(f"{value!r} is no text")
    return value


def mapping(value: Any) -> dict[str, Any]:
    """Return an object, whose names differ in more than their case where Desktop knows them."""
    if not isinstance(value, dict):
        raise UnreadableError(f"{value!r} is no object")
    return value


def sequence(value: Any) -> list[Any]:
    """Return an array."""
    if not isinstance(value, list):
        raise UnreadableError(f"{value!r} is no array")
    return value


# The dashboard


def manifest(path: Path) -> dict[str, Any]:
    """Return ``run.json`` as the dashboard reads it; exact names, JSON types, no null."""
    try:
        document = mapping(parse(path.read_bytes()))
    except OSError as error:
        raise UnreadableError(str(error)) from error
    for name, value in document.items():
        if value is None and name in _NULLABLE:
            continue
        if name in _TEXTS:
            text(value)
        elif name in _INTEGERS:
            integer(value, _INTEGERS[name])
        elif name == "learning_rate":
            number(value)
    if document.get("status", "pending").lower() not in STATUSES:
        raise UnreadableError(f"the status {document['status']!r}")
    return document


def dashboard(workspace: Path) -> list[dict[str, Any]]:
    """Return the runs that the dashboard shows, newest first; what it cannot read is skipped."""
    found = []
    for path in (workspace / RUNS).glob("*/run.json"):
        try:
            found.append(manifest(path))
        except UnreadableError:
            continue
    return sorted(found, key=lambda run: -run.get("created_at", 0))


def index(workspace: Path) -> list[dict[str, Any]]:
    """Return the entries of the index, which is a bare array."""
    data = (workspace / INDEX).read_bytes()
    assert data[:1] in (b"[", b"{"), "the workspace is refused"
    entries = sequence(parse(data))
    for entry in entries:
        for name in ("run_id", "created_at", "name", "preset_id", "status", "run_dir"):
            text(mapping(entry)[name])
        summary = mapping(entry["summary"])
        integer(summary["duration_ms"])
        text(summary["device"])
        for value in mapping(summary["final_metrics"]).values():
            number(value)
    return entries


# The older pages


@dataclass
class Page:
    """What the page of one run shows; documents that are absent for it are None."""

    folder: Path
    request: dict[str, Any] | None = None
    result: dict[str, Any] | None = None
    metrics: dict[str, Any] | None = None
    #: Available documents of the model by type, and the reasons for the others.
    documents: dict[str, dict[str, Any]] = field(default_factory=dict)
    reasons: dict[str, str] = field(default_factory=dict)

    @property
    def in_progress(self) -> bool:
        """Whether the run is shown as one that goes on."""
        return self.result is None or self.result["status"] not in ("succeeded", "failed")


def page(folder: Path) -> Page:
    """Return the page of the run in a folder."""
    shown = Page(folder)
    for name, check in (("request", _request), ("result", _result), ("metrics", _metrics)):
        try:
            setattr(shown, name, check(_lowered(parse((folder / f"{name}.json").read_bytes()))))
        except (OSError, UnreadableError, KeyError):
            continue
    _read_documents(shown)
    return shown


def _lowered(value: Any) -> dict[str, Any]:
    """Return the members by lower-case name, as Desktop looks for them."""
    document = mapping(value)
    lowered = {name.lower(): member for name, member in document.items()}
    assert len(lowered) == len(document), "two names that differ in case alone"
    return lowered


def _request(document: dict[str, Any]) -> dict[str, Any]:
    integer(document["version"])
    for name in ("preset", "created_at", "created_by"):
        text(document[name])
    for parent, names in {
        "dataset": ("path", "label_column"),
        "model": ("family",),
        "device": ("type",),
    }.items():
        for name in names:
            text(mapping(document[parent])[name])
    if document["model"].get("hyperparameters") is not None:
        mapping(document["model"]["hyperparameters"])
    for tag in sequence(document.get("tags") or []):
        text(tag)
    for name in ("name", "notes", "rerun_from"):
        if document.get(name) is not None:
            text(document[name])
    return document


def _result(document: dict[str, Any]) -> dict[str, Any]:
    text(document["status"])
    integer(document["duration_ms"], INT64)
    if document.get("version") is not None:
        integer(document["version"])
    for artifact in sequence(document.get("artifacts") or []):
        text(artifact["path"])
        text(artifact["type"])
        if artifact.get("bytes") is not None:
            integer(artifact["bytes"], INT64)
    summary = mapping(document.get("summary") or {})
    for value in mapping(summary.get("metrics") or {}).values():
        number(value)
    if summary.get("primary_metric") is not None:
        text(summary["primary_metric"]["name"])
        number(summary["primary_metric"]["value"])
    if document.get("error") is not None:
        text(mapping(document["error"])["message"])
    return document


def _metrics(document: dict[str, Any]) -> dict[str, Any]:
    number(document["accuracy"])
    integer(document["num_samples"])
    integer(document["num_features"])
    return document


def _read_documents(shown: Page) -> None:
    path = shown.folder / "artifacts/interpretability.index.v1.json"
    if not path.exists():
        path = shown.folder / path.name
    if not path.exists():
        return
    document = mapping(parse(path.read_bytes()))
    for name in ("schema_version", "run_id", "model_family", "generated_at"):
        text(document[name])
    for entry in sequence(document["artifacts"]):
        kind = text(entry["type"])
        text(entry["schema_version"])
        assert isinstance(entry["available"], bool)
        if not entry["available"]:
            assert entry["unavailable_reason"] in REASONS, "no words for the reason"
            shown.reasons[kind] = entry["unavailable_reason"]
            continue
        made = mapping(parse((shown.folder / text(entry["path"])).read_bytes()))
        for name in ("schema_version", "model_family", "computed_at"):
            text(made[name])
        _MODELS[kind](made)
        shown.documents[kind] = made


def _metrics_model(document: dict[str, Any]) -> None:
    text(document["profile_id"])
    for group in mapping(document["metrics"]).values():
        for value in mapping(group).values():
            number(value)


def _importance_model(document: dict[str, Any]) -> None:
    text(document["method"])
    for value in mapping(document["importances"]).values():
        number(value)


def _coefficients_model(document: dict[str, Any]) -> None:
    assert isinstance(document["standardized"], bool)
    for value in mapping(document["intercepts"]).values():
        number(value)
    for table in mapping(document["coefficients"]).values():
        for value in mapping(table).values():
            number(value)


_MODELS = {
    "metrics.v1": _metrics_model,
    "feature_importance.v1": _importance_model,
    "linear_coefficients.v1": _coefficients_model,
}


def compare(one: Page, other: Page) -> set[str]:
    """Return what the comparison of two runs shows as different."""
    for shown in (one, other):
        paths = [artifact["path"].lower() for artifact in (shown.result or {}).get("artifacts", [])]
        assert len(paths) == len(set(paths)), "Comparison failed"
    differ = set()
    for name in ("preset", "name", "notes"):
        if (one.request or {}).get(name) != (other.request or {}).get(name):
            differ.add(name)
    for side, title in (("request", ""), ("effective_config", "effective ")):
        found = [
            (shown.request if side == "request" else (shown.result or {}).get(side)) or {}
            for shown in (one, other)
        ]
        for parent, name in (
            ("dataset", "path"),
            ("dataset", "label_column"),
            ("model", "family"),
            ("model", "hyperparameters"),
            ("device", "type"),
        ):
            # As text: the order of names and the spelling of numbers count.
            texts = [json.dumps((document.get(parent) or {}).get(name)) for document in found]
            if texts[0] != texts[1]:
                differ.add(f"{title}{parent}.{name}")
    return differ


# The log

_STAGE = re.compile(r"\[RF:STAGE=([A-Z_]+)\]")
_EPOCH = re.compile(r"\[RF:EPOCH=(\d+)/(\d+)\]")
#: What Desktop guesses from the words of a line without a known token, in this order.
_GUESSES = {
    "FAILED": r"fail(ed)?|error|exception|abort(ed)?|crash|fatal",
    "COMPLETED": r"complet(e|ed)|finished|done|success(ful)?",
    "WRITING_ARTIFACTS": r"saving|saved|wrote|writing|artifact|metrics\.json|result\.json",
    "EVALUATING": r"evaluat|validation|scor(e|ing)|predict(ing)?|confusion\s+matrix",
    "TRAINING": r"epoch\s+\d+|training\s+started|training\s+model|fit\(|fitting",
    "LOADING_DATASET": r"load(ing)?\s+(dataset|data)|dataset:",
    "STARTING": r"starting|initializ|begin|run\s+id",
}


@dataclass
class Followed:
    """What following a log shows."""

    lines: list[str] = field(default_factory=list)
    #: The milestones in the order in which they were reached first.
    stages: list[str] = field(default_factory=list)
    epoch: tuple[int, int] | None = None
    frozen: bool = False


def stage_of(line: str) -> str | None:
    """Return the milestone of a line: its token, or a guess."""
    token = _STAGE.search(line)
    if token and token[1] in (*STAGES, "FAILED"):
        return token[1]
    for stage, words in _GUESSES.items():
        if re.search(words, line, re.IGNORECASE):
            return stage
    return None


def follow(data: bytes) -> Followed:
    """Follow a log in readings of 64 KiB, of each of which the newest 500 lines are kept."""
    shown, offset = Followed(), 0
    while offset < len(data):
        piece = data[offset : offset + 2**16]
        end = piece.rfind(b"\n") + 1
        if not end:
            shown.frozen = len(piece) == 2**16
            break
        decoded = piece[:end].decode("utf-8", "replace")
        # It counts the characters of what it has read, not the bytes.
        offset += len(decoded) if len(piece) == 2**16 else end
        for line in decoded.splitlines()[-500:]:
            shown.lines.append(line)
            stage = stage_of(line)
            if stage and stage not in shown.stages:
                shown.stages.append(stage)
            epoch = _EPOCH.search(line)
            shown.epoch = (int(epoch[1]), int(epoch[2])) if epoch else shown.epoch
    return shown
