"""The reading rules of the editor extension (0.4.3 and 1.2.1), as a reader that can be run.

It restates what each of the extension's fourteen commands reads, where a command dies
(:class:`CommandError`) and where it shows a hole: "undefined", "NaN" or "Invalid Date". Nothing is
validated beyond what the extension itself looks at, and nothing is ever written. A caller says
what it expects with :meth:`Shown.sound`.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

INDEX = ".ml/outputs/index.json"
RUNS = ".ml/runs"
PRESETS = ("std-train", "hq-train")
FAMILIES = ("logistic_regression", "random_forest", "linear_svc")
#: A folder name that the extension gives: local time, a slug of the name, four random digits.
FOLDER = re.compile(r"(\d{8})-(\d{6})-([a-z0-9-]+)-([a-f0-9]{4})")


class CommandError(Exception):
    """The command ends with an error instead of what it should show."""


class Undefined:
    """What a member has that is not there."""

    def __repr__(self) -> str:
        return "undefined"


UNDEFINED = Undefined()


@dataclass
class Shown:
    """What a command shows: lines, the holes among them, and a notice where there is nothing."""

    lines: list[str] = field(default_factory=list)
    holes: list[str] = field(default_factory=list)
    notice: str | None = None
    #: Documents that the command opens beside its lines.
    opened: list[Any] = field(default_factory=list)

    def put(self, label: str, value: Any) -> None:
        """Show a value as text."""
        if value is UNDEFINED or value is None or isinstance(value, dict):
            self.hole(label, "undefined")
        elif isinstance(value, float) and not math.isfinite(value):
            self.hole(label, "NaN")
        else:
            self.lines.append(f"{label}: {value}")

    def number(self, label: str, value: Any) -> None:
        """Show a value that is calculated with."""
        if isinstance(value, bool) or not isinstance(value, int | float):
            self.hole(label, "NaN")
        else:
            self.put(label, value)

    def time(self, label: str, value: Any) -> None:
        """Show a moment, which the extension writes in the user's own way."""
        try:
            self.put(label, datetime.fromisoformat(value).isoformat())
        except (TypeError, ValueError):
            self.hole(label, "Invalid Date")

    def hole(self, label: str, text: str) -> None:
        """Show what stands where a value lacks."""
        self.lines.append(f"{label}: {text}")
        self.holes.append(f"{label} is {text}")

    def sound(self) -> Shown:
        """Return this, where everything that the command looks for was there."""
        assert self.holes == []
        assert self.notice is None, self.notice
        return self

    @property
    def text(self) -> str:
        """Return the lines as one text."""
        return "\n".join(self.lines)


def member(value: Any, *path: str | int) -> Any:
    """Return a member of a member; one of nothing ends the command."""
    for name in path:
        if value is UNDEFINED or value is None:
            raise CommandError(f"Cannot read properties of undefined (reading '{name}')")
        if isinstance(value, dict):
            value = value.get(name, UNDEFINED)
        elif isinstance(value, list) and isinstance(name, int):
            value = value[name] if -1 < name < len(value) else UNDEFINED
        else:
            value = UNDEFINED
    return value


def needed(value: Any, *path: str | int) -> Any:
    """Return a member that the command works with, not only shows."""
    found = member(value, *path)
    if found is UNDEFINED or found is None:
        raise CommandError(f"Cannot read properties of undefined ({'.'.join(map(str, path))})")
    return found


def items(value: Any, *path: str | int) -> list[Any]:
    """Return an array that the command goes through."""
    found = needed(value, *path)
    if not isinstance(found, list):
        raise CommandError(f"{'.'.join(map(str, path))} is not iterable")
    return found


def text(value: Any, *path: str | int) -> str:
    """Return a text that the command takes apart."""
    found = needed(value, *path)
    if not isinstance(found, str):
        raise CommandError(f"{'.'.join(map(str, path))} is no text")
    return found


def parse(content: bytes) -> Any:
    """Return what the extension's parser makes of a file: no NaN, no mark before the text."""

    def refuse(name: str) -> None:
        raise CommandError(f"Unexpected token in JSON: {name}")

    try:
        return json.loads(content.decode("utf-8", "replace"), parse_constant=refuse)
    except ValueError as error:
        raise CommandError(str(error)) from error


def read(path: Path) -> Any:
    """Return a document; a file that is not there ends the command."""
    try:
        return parse(path.read_bytes())
    except OSError as error:
        raise CommandError(str(error)) from error


# --- the index ------------------------------------------------------------------------------------


def index(workspace: Path) -> list[Any]:
    """Return the entries of the index, oldest first, of an object or of a bare array.

    The extension renames a file that it cannot parse and begins an empty one. That is a loss,
    so here it ends the command.
    """
    path = workspace / INDEX
    if not path.exists():
        return []
    document = read(path)
    entries = document if isinstance(document, list) else member(document, "runs")
    if not isinstance(entries, list):
        raise CommandError("the index is renamed to index.json.corrupt and begun anew")
    return entries


def folder(workspace: Path, entry: Any) -> Path:
    """Return the run folder that an entry names, relative to the workspace."""
    return Path(f"{workspace}/{text(entry, 'run_dir')}")


def run_folders(workspace: Path) -> list[Path]:
    """Return the run folders: real ones only, links are passed over."""
    runs = workspace / RUNS
    if not runs.is_dir():
        return []
    return sorted(path for path in runs.iterdir() if path.is_dir() and not path.is_symlink())


def newest(workspace: Path) -> Path | None:
    """Return the run folder that was changed last, whatever the index says."""
    return max(run_folders(workspace), key=lambda path: path.stat().st_mtime_ns, default=None)


# --- the commands that read -----------------------------------------------------------------------


def open_runs(workspace: Path) -> Shown:
    """List the last fifty runs, newest first, for one whose folder is then revealed."""
    shown = Shown()
    for entry in reversed(index(workspace)[-50:]):
        where = folder(workspace, entry)
        summary = needed(entry, "summary")
        shown.lines.append("✓" if member(entry, "status") == "succeeded" else "✗")
        shown.put("run_id", member(entry, "run_id"))
        shown.put("preset_id", member(entry, "preset_id"))
        shown.number("duration_ms", member(summary, "duration_ms"))
        for name, value in needed(summary, "final_metrics").items():
            shown.number(name, value)
        if not where.is_dir():
            shown.hole("run_dir", f"a folder that is not there ({where})")
    if not shown.lines:
        shown.notice = "No runs found"
    return shown


def latest_metadata(workspace: Path) -> Shown:
    """Open the run.json of the last entry."""
    entries = index(workspace)
    if not entries:
        return Shown(notice="No runs found")
    return Shown(opened=[read(folder(workspace, entries[-1]) / "run.json")])


def summary(run: Any) -> Shown:
    """Show a run.json as a page."""
    shown = Shown()
    dataset = needed(run, "dataset")
    shown.put("run_id", member(run, "run_id"))
    shown.time("created_at", member(run, "created_at"))
    shown.put("dataset.path", member(dataset, "path"))
    shown.put("dataset.fingerprint_sha256", member(dataset, "fingerprint_sha256"))
    for name in ("label_column", "runforge_version"):
        shown.put(name, member(run, name))
    for name in ("num_samples", "num_features", "dropped_rows_missing_values"):
        shown.number(name, member(run, name))
    for name in ("accuracy", "num_samples", "num_features"):
        shown.number(f"metrics.{name}", member(run, "metrics", name))
    return shown


def diagnostics(run: Any) -> Shown:
    """Show what the extension itself concludes from a run.json: rows that were dropped."""
    shown = Shown()
    needed(run, "dataset")
    shown.put("run_id", member(run, "run_id"))
    dropped = member(run, "dropped_rows_missing_values")
    shown.number("dropped_rows_missing_values", dropped)
    if isinstance(dropped, int) and dropped > 0:
        shown.lines.append(f"MISSING_VALUES_DROPPED: {dropped}")
    return shown


def browse_runs(workspace: Path) -> Shown:
    """List the runs and the orphans, and open of each what the second list offers."""
    shown = Shown()
    for entry in reversed(index(workspace)):
        shown.put("run_id", member(entry, "run_id"))
        shown.time("created_at", member(entry, "created_at"))
        shown.put("label_column", member(entry, "label_column"))
        shown.put("fingerprint", text(entry, "dataset_fingerprint_sha256")[:12])
        run = read(folder(workspace, entry) / "run.json")
        for page in (summary(run), diagnostics(run)):
            shown.lines += page.lines
            shown.holes += page.holes
        model = member(entry, "model_pkl")
        if not isinstance(model, str) or not Path(f"{workspace}/{model}").is_file():
            shown.hole("model_pkl", f"a file that is not there ({model})")
    for path in run_folders(workspace):
        if (path / ".index-orphan").is_file():
            shown.lines.append(f"orphan: {orphan(read(path / '.index-orphan'))}")
    if not shown.lines:
        shown.notice = "No runs found"
    return shown


def view_metrics(workspace: Path) -> Shown:
    """Show metrics.v1.json of the folder that was changed last."""
    document, shown = _newest_document(workspace, "metrics.v1.json")
    if document is None:
        return shown
    for name in ("schema_version", "metrics_profile"):
        shown.put(name, member(document, name))
    for name in ("num_classes", "accuracy", "precision_macro", "recall_macro", "f1_macro"):
        shown.number(name, member(document, name))
    for name in ("roc_auc", "log_loss"):
        if name in document:
            shown.number(name, document[name])
    if "confusion_matrix" in document:
        for row in items(document, "confusion_matrix"):
            shown.lines.append(" ".join(str(cell) for cell in items(row)))
    per_class = [
        document.get(f"per_class_{name}", UNDEFINED) for name in ("precision", "recall", "f1")
    ]
    labels = document.get("class_labels", UNDEFINED)
    if all(isinstance(value, list) for value in [labels, *per_class]):
        for place, label in enumerate(labels):
            shown.put("class", label)
            for values in per_class:
                shown.number(f"class {label}", member(values, place))
    return shown


def view_importance(workspace: Path) -> Shown:
    """Show the importances of the folder that was changed last."""
    document, shown = _newest_document(workspace, "artifacts/feature_importance.v1.json")
    if document is None:
        return shown
    for name in ("schema_version", "model_family", "importance_type"):
        shown.put(name, member(document, name))
    shown.number("num_features", member(document, "num_features"))
    for order in ("features_by_importance", "features_by_original_order"):
        for one in items(document, order):
            shown.number(text(one, "name"), member(one, "importance"))
    return shown


def view_coefficients(workspace: Path) -> Shown:
    """Show the coefficients of the folder that was changed last."""
    document, shown = _newest_document(workspace, "artifacts/linear_coefficients.v1.json")
    if document is None:
        return shown
    for name in ("schema_version", "model_family", "coefficient_space"):
        shown.put(name, member(document, name))
    for name in ("num_features", "num_classes"):
        shown.number(name, member(document, name))
    for label in items(document, "classes"):
        shown.put("class", label)
    for one in items(document, "intercepts"):
        shown.put("class", member(one, "class"))
        shown.number("intercept", needed(one, "intercept"))
    for one in items(document, "coefficients_by_class"):
        shown.put("class", member(one, "class"))
        for feature in items(one, "features"):
            shown.number(text(feature, "name"), needed(feature, "coefficient"))
            shown.number("rank", needed(feature, "rank"))
    return shown


def view_interpretability(workspace: Path) -> Shown:
    """Show which artifacts the folder that was changed last has."""
    document, shown = _newest_document(workspace, "artifacts/interpretability.index.v1.json")
    if document is None:
        return shown
    for name in ("schema_version", "run_id", "runforge_version"):
        shown.put(name, member(document, name))
    shown.time("created_at", member(document, "created_at"))
    for name in ("metrics_v1", "feature_importance_v1", "linear_coefficients_v1"):
        entry = member(document, "available_artifacts", name)
        if entry is UNDEFINED:
            continue
        shown.put(name, text(entry, "path"))
        about = needed(entry, "summary")
        if name == "metrics_v1":
            shown.put("metrics_profile", member(about, "metrics_profile"))
            continue
        shown.put("model_family", member(about, "model_family"))
        if name == "feature_importance_v1":
            shown.lines += [str(one) for one in items(about, "top_k")]
            continue
        shown.number("num_classes", member(about, "num_classes"))
        for one in items(about, "top_k_by_class"):
            shown.put("class", member(one, "class"))
            shown.lines += [str(feature) for feature in items(one, "top_features")]
    return shown


def run_markdown(workspace: Path) -> Shown:
    """Make the page that the export writes as run-summary.md, and name its folder.

    What it tells of the run comes from the last entry, its files from the folder changed last.
    """
    entries, files = index(workspace), newest(workspace)
    if not entries or files is None:
        return Shown(notice="No runs found")
    run = read(folder(workspace, entries[-1]) / "run.json")
    shown = summary(run)
    text(run, "dataset", "fingerprint_sha256")
    for view in (view_metrics, view_importance, view_coefficients):
        page = view(workspace)
        shown.lines += page.lines
        shown.holes += page.holes
    return shown


@dataclass
class Recovery:
    """What the command that rebuilds the index finds, and the entries that it would add."""

    scanned_run_dirs: int = 0
    already_indexed: int = 0
    recovered: list[Any] = field(default_factory=list)
    skipped: list[tuple[str, str]] = field(default_factory=list)
    cancelled_excluded: list[str] = field(default_factory=list)


def recover_index(workspace: Path) -> Recovery:
    """Look which run folders the index lacks and would be given; nothing is written."""
    report = Recovery()
    known = index(workspace)
    ids = {member(entry, "run_id") for entry in known}
    places = {member(entry, "run_dir") for entry in known}
    for path in run_folders(workspace):
        report.scanned_run_dirs += 1
        place = f"{RUNS}/{path.name}"
        if (path / ".cancelled").is_file():
            report.cancelled_excluded.append(place)
            continue
        if not (path / "run.json").exists():
            report.skipped.append((place, "MISSING_RUN_JSON"))
            continue
        try:
            entry = recovered(path)
        except CommandError:
            report.skipped.append((place, "CORRUPT_RUN_JSON"))
            continue
        # Which of the two is compared is not known: both have to agree.
        assert (entry["run_id"] in ids) == (place in places)
        if place in places:
            report.already_indexed += 1
        else:
            report.recovered.append(entry)
    return report


def recovered(path: Path) -> dict[str, Any]:
    """Return the entry that a run folder is given by the command that rebuilds the index."""
    run = read(path / "run.json")
    wanted = {
        "run_id": member(run, "run_id"),
        "created_at": member(run, "created_at"),
        "dataset_fingerprint_sha256": member(run, "dataset", "fingerprint_sha256"),
        "label_column": member(run, "label_column"),
        "model_pkl": member(run, "artifacts", "model_pkl"),
    }
    for name, value in wanted.items():
        if not isinstance(value, str) or not value:
            raise CommandError(f"{name} is no text")
    place = f"{RUNS}/{path.name}"
    return {
        "run_id": wanted["run_id"],
        "created_at": wanted["created_at"],
        "name": wanted["run_id"],
        "preset_id": "std-train",
        "status": "succeeded",
        "summary": {"duration_ms": 0, "final_metrics": {}, "device": "cpu"},
        "run_dir": place,
        "dataset_fingerprint_sha256": wanted["dataset_fingerprint_sha256"],
        "label_column": wanted["label_column"],
        "model_pkl": f"{place}/{wanted['model_pkl']}",
    }


#: The commands that read a store alone, by their names in the editor.
READING: dict[str, Callable[[Path], Shown]] = {
    "openRuns": open_runs,
    "openLatestMetadata": latest_metadata,
    "browseRuns": browse_runs,
    "viewMetricsV1": view_metrics,
    "viewFeatureImportance": view_importance,
    "viewLinearCoefficients": view_coefficients,
    "viewInterpretabilityIndex": view_interpretability,
    "exportRunMarkdown": run_markdown,
}
#: The commands that start the engine or write, too: see :mod:`field_editor`.
ACTING = (
    "trainStandard",
    "trainHighQuality",
    "inspectDataset",
    "inspectArtifact",
    "cancelActiveRun",
    "recoverIndex",
)


def _newest_document(workspace: Path, name: str) -> tuple[dict[str, Any] | None, Shown]:
    where = newest(workspace)
    if where is None:
        return None, Shown(notice="No runs found")
    if not (where / name).is_file():
        return None, Shown(notice=f"{name} is not available for {where.name}")
    document = read(where / name)
    if not isinstance(document, dict):
        raise CommandError(f"{name} is no object")
    return document, Shown(opened=[document])


# --- markers --------------------------------------------------------------------------------------

_ID = re.compile(r"[A-Za-z0-9._-]+")
_STEPS = ("dataset_loading", "training", "metrics_computation", "artifact_writing", "shutdown")


def cancelled(marker: Any) -> dict[str, Any]:
    """Return a ``.cancelled`` marker that has the form the extension asks for."""
    _texts(marker, "run_id", "run_dir", "cancelled_at")
    assert marker["schema_version"] == "cancelled.v1.0.0"
    assert _ID.fullmatch(marker["run_id"])
    assert marker["step"] in _STEPS
    _allow(marker, "schema_version", "step", "reason", "partial_artifacts")
    assert all(isinstance(path, str) for path in marker.get("partial_artifacts", []))
    return dict(marker)


def orphan(marker: Any) -> str:
    """Return the run id of an ``.index-orphan`` marker of the form the extension asks for."""
    _texts(marker, "run_id", "run_dir", "written_at", "index_path")
    assert marker["schema_version"] == "index-orphan.v1.0.0"
    assert _ID.fullmatch(marker["run_id"])
    _texts(marker["error"], "type", "message")
    _allow(marker, "schema_version", "error")
    return str(marker["run_id"])


_TEXTS = {"run_id", "run_dir", "cancelled_at", "written_at", "index_path"}


def _texts(value: Any, *names: str) -> None:
    assert isinstance(value, dict)
    for name in names:
        assert isinstance(value.get(name), str), name
        assert value[name], name


def _allow(value: dict[str, Any], *names: str) -> None:
    assert value.keys() <= {*names, *_TEXTS}


# --- what the engine says -------------------------------------------------------------------------


def event(line: str) -> dict[str, Any] | None:
    """Return a line of the engine's standard error as an event, or nothing if it is none.

    A line that looks like an event but has not what its kind needs is no event for the extension:
    its progress then misses it. Unknown members are passed over.
    """
    try:
        found = json.loads(line)
    except ValueError:
        return None
    if not isinstance(found, dict):
        return None
    check = _EVENTS.get(str(found.get("event")))
    general = all(isinstance(found.get(name), str) for name in ("event", "timestamp", "run_id"))
    return found if check is not None and general and check(found) else None


def _is(found: dict[str, Any], kind: Any, *names: str) -> bool:
    return all(
        isinstance(found.get(name), kind) and not isinstance(found.get(name), bool)
        for name in names
    )


def _number_in(found: dict[str, Any], name: str, least: float, most: float = math.inf) -> bool:
    return _is(found, int | float, name) and least <= found[name] <= most


_EVENTS: dict[str, Callable[[dict[str, Any]], bool]] = {
    "run_start": lambda e: e.get("preset_id") in PRESETS and e.get("model_family") in FAMILIES,
    "dataset_loaded": lambda e: _is(e, int, "num_samples", "num_features", "rows_dropped"),
    "train_started": lambda e: e.get("model_family") in FAMILIES,
    "train_progress": lambda e: _number_in(e, "epoch", 0) and _number_in(e, "total_epochs", 1),
    "train_finished": lambda e: _number_in({"duration_seconds": 0, **e}, "duration_seconds", 0),
    "metrics_computed": lambda e: _is(e, str, "metrics_profile"),
    "artifacts_written": lambda e: _number_in(e, "artifact_count", 1),
    "cancelling": lambda e: _number_in(e, "seconds_remaining", 0, 60),
    "run_cancelled": lambda e: _is(e, str, "step") and e.get("graceful", True) is True,
}


@dataclass
class Progress:
    """What the extension makes of the engine's output as it comes."""

    events: list[dict[str, Any]] = field(default_factory=list)
    #: Lines of standard error that are no events, which the user is shown.
    errors: list[str] = field(default_factory=list)

    def hear(self, line: str) -> str | None:
        """Take a line of standard error; return the line of logs.txt that it becomes, if any."""
        heard = event(line)
        if heard is not None:
            self.events.append(heard)
            return None
        self.errors.append(line)
        return f"[stderr] {line}"

    def names(self) -> Iterator[str]:
        """Return the kinds of the events, in their order."""
        return (str(heard["event"]) for heard in self.events)

    def missed(self) -> list[str]:
        """Return the lines that are JSON objects but no events: what the user sees as an error."""
        return [line for line in self.errors if line.lstrip().startswith("{")]


# --- what inspections print -----------------------------------------------------------------------


def inspection(out: str) -> Shown:
    """Show what the inspection of a dataset printed: seven members."""
    document, shown = parse(out.encode()), Shown()
    shown.lines += [str(name) for name in items(document, "columns")]
    for name in ("dataset_path", "fingerprint_sha256", "label_column", "label_present"):
        shown.put(name, member(document, name))
    for name in ("num_features_excluding_label", "num_rows"):
        shown.number(name, member(document, name))
    return shown


def model_inspection(out: str) -> Shown:
    """Show what the inspection of a model printed: the steps of the pipeline."""
    document, shown = parse(out.encode()), Shown(opened=[parse(out.encode())])
    for name in ("schema_version", "artifact_path", "has_preprocessing"):
        shown.put(name, member(document, name))
    shown.number("step_count", member(document, "step_count"))
    for step in items(document, "pipeline_steps"):
        for name in ("name", "type", "module"):
            shown.put(name, member(step, name))
    return shown
