"""The one-screen summary of a trained run."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from runforge_contracts.display import format_duration, printable, shorten, time_text
from runforge_contracts.metrics import primary_metric
from runforge_contracts.store import layout
from runforge_contracts.store.run import Run

from runforge_cli.render.differences import source_text
from runforge_cli.render.tables import (
    coefficient_lines,
    confusion_section,
    diagnostic_lines,
    importance_lines,
    metric_lines,
)
from runforge_cli.shell.settings import Settings
from runforge_cli.terminal.text_layout import number, pairs, paragraph, plural

_COLORS = {"succeeded": "32", "failed": "31", "running": "36"}
_OTHER_COLOR = "33"
#: Explanations of the states of a run without a result.
_STATES = {
    "running": "The run is in progress.",
    "interrupted": "The process ended before it could write a result.",
    "incomplete": "The run has not started, or its state is unknown.",
}
_OF_THE_FAMILY = "_UNSUPPORTED_MODEL"
#: Maximum number of features for each class.
_TOP = 4
#: Maximum length of free text, and of one name in a list.
_LONG, _SHORT = 500, 60


def summary_lines(folder: Run, settings: Settings, *, brief: bool = False) -> Iterator[str]:
    """Yield the lines of the summary.

    Parameters
    ----------
    folder
        The run, in any supported version.
    settings
        For the colours, and for the workspace that paths are relative to.
    brief
        Whether to show only the results, for a user who has just started the run.
    """
    yield run_title(folder.id, _status(folder), settings)
    yield from pairs([*_outcome(folder, settings), *_failure(folder)])
    if not brief:
        yield from section("Data", pairs(_data(folder, settings)))
        yield from section("Model", pairs(_model(folder)))
    yield from _metrics(folder)
    yield from _features(folder)
    if not brief:
        yield from section("Origin", pairs(_origin(folder)))
        files = _files(folder)
        yield from section("Files", paragraph(files, indent=2) if files else [])
    # Diagnostics that only describe the model family are shown by `runforge diagnostics`.
    worth_knowing = [
        item
        for item in folder.diagnostics
        if item["severity"] != "error" and not item["code"].endswith(_OF_THE_FAMILY)
    ]
    yield from section("Diagnostics", diagnostic_lines(worth_knowing))
    yield from section("Next", pairs(_next(folder, settings)))


def section(title: str, lines: list[str]) -> Iterator[str]:
    """Yield a title and the lines below it, or nothing if there are no lines."""
    if lines:
        yield ""
        yield from paragraph(title)
        yield from lines


def run_title(run_id: str, status: str, settings: Settings) -> str:
    """Return the first line of a summary, with the status in colour if colours are enabled."""
    shown = (
        f"\x1b[{_COLORS.get(status, _OTHER_COLOR)}m{status}\x1b[0m"
        if settings.colored()
        else status
    )
    return f"Run {printable(run_id)}: {shown}"


def _status(folder: Run) -> str:
    """Return the status of a finished run, or the state of another one."""
    if folder.status != "incomplete":
        return folder.status
    from runforge_engine.runtime.folder_lock import state_of

    return state_of(folder.path)


def _outcome(folder: Run, settings: Settings) -> Iterator[tuple[str, str]]:
    run, result, request = folder.record or {}, folder.result or {}, folder.request or {}
    if request.get("name"):
        yield "name", shorten(request["name"], _LONG)
    summary = result.get("summary") or ({"metrics": _ratios(run)} if run else None)
    chosen = primary_metric(summary)
    if chosen:
        rows = run.get("split", {}).get("validation_rows")
        where = f" on {plural(rows, 'validation row')}" if rows else ""
        yield chosen[0], number(chosen[1]) + where
    if "duration_ms" in result:
        yield "duration", format_duration(result["duration_ms"])
    when = run.get("created_at") or result.get("finished_at")
    if when:
        yield "finished", time_text(when)
    if request.get("tags"):
        yield "tags", some(request["tags"])
    if request.get("notes"):
        yield "notes", shorten(request["notes"], _LONG)
    yield "folder", settings.shown(folder.path)
    model = (run.get("artifacts") or {}).get("model_pkl")
    if model:
        yield "model", model + ("" if (folder.path / model).is_file() else " (missing)")


def _ratios(run: dict[str, Any]) -> dict[str, float]:
    metrics: dict[str, float] = run.get("metrics", {})
    return {name: value for name, value in metrics.items() if not name.startswith("num_")}


def _failure(folder: Run) -> Iterator[tuple[str, str]]:
    error = (folder.result or {}).get("error")
    if error:
        yield "error", f"{error['message']} [{error.get('code', error['type'])}]"
        if error.get("hint"):
            yield "hint", error["hint"]
    elif folder.status == "incomplete":
        yield "state", _STATES[_status(folder)]


def _data(folder: Run, settings: Settings) -> Iterator[tuple[str, str]]:
    run, request = folder.record or {}, folder.request or {}
    config = (folder.result or {}).get("effective_config") or {}
    dataset = {**request.get("dataset", {}), **config.get("dataset", {}), **run.get("dataset", {})}
    if "path" in dataset:
        fingerprint = dataset.get("fingerprint_sha256", "")[:12]
        path = settings.shown(dataset["path"])
        yield "dataset", path + (f" (sha256 {fingerprint}…)" if fingerprint else "")
    if "num_samples" in run or "dropped_rows_missing_values" in run:
        dropped = run.get("dropped_rows_missing_values", 0)
        used = run.get("num_samples", run.get("metrics", {}).get("num_samples", 0))
        rows = f"{used:,} used" + (f", {dropped:,} dropped for missing values" if dropped else "")
        split = run.get("split")
        if split:
            rows += f"; {split['train_rows']:,} training, {split['validation_rows']:,} validation"
        yield "rows", rows
    label = run.get("label_column") or dataset.get("label_column")
    if label:
        classes = run.get("classes", [])
        yield "label", label + (": " + some([str(item) for item in classes]) if classes else "")
    if "num_features" in run:
        names = run.get("feature_names", [])
        yield "features", f"{run['num_features']}" + (": " + some(names) if names else "")
    excluded = dataset.get("exclude_columns")
    if excluded:
        yield "excluded", some(excluded)


def _model(folder: Run) -> Iterator[tuple[str, str]]:
    run, request = folder.record or {}, folder.request or {}
    config = (folder.result or {}).get("effective_config") or {}
    family = run.get("model_family") or request.get("model", {}).get("family")
    if family:
        yield "family", family
    preset = run.get("preset") or request.get("preset")
    if preset:
        yield "preset", preset
    if "profile_name" in run:
        yield "profile", f"{run['profile_name']} {run['profile_version']}"
    for item in run.get("hyperparameters", ()):
        value = "none" if item["value"] is None else str(item["value"])
        yield item["name"], f"{value} ({source_text(item['source'])})"
    if not run:
        # Only the record of a finished run has the source of each value.
        for name, value in (config.get("model", {}).get("hyperparameters") or {}).items():
            yield name, "none" if value is None else str(value)
    seed = run.get("seed", config.get("seed"))
    if seed is not None:
        yield "seed", str(seed)
    device = run.get("device")
    if device:
        reason = device.get("gpu_reason")
        yield "device", device["type"] + (f": {reason}" if reason else "")


def _metrics(folder: Run) -> Iterator[str]:
    metrics = folder.raw(layout.METRICS_V1)
    if metrics:
        yield from section("Metrics", metric_lines(metrics))
        classes = (folder.record or {}).get("classes")
        yield from section(*confusion_section(metrics, classes))


def _features(folder: Run) -> Iterator[str]:
    importance = folder.raw(layout.FEATURE_IMPORTANCE)
    if importance:
        yield from section("Most important features", importance_lines(importance, _TOP))
    coefficients = folder.raw(layout.LINEAR_COEFFICIENTS)
    if coefficients:
        yield from section(
            "Strongest coefficients (per standard deviation of the feature)",
            coefficient_lines(coefficients, _TOP, max_classes=3),
        )


def _origin(folder: Run) -> Iterator[tuple[str, str]]:
    run, request = folder.record or {}, folder.request or {}
    provenance = run.get("provenance") or (folder.result or {}).get("provenance") or {}
    client = provenance.get("client") or request.get("created_by")
    if client:
        yield "client", client
    if "runforge_version" in run:
        yield "RunForge", run["runforge_version"]
    if request.get("rerun_from"):
        yield "repeats", request["rerun_from"]
    git = provenance.get("git")
    if git:
        yield "commit", git["commit"][:12] + (" with uncommitted changes" if git["dirty"] else "")
    python = provenance.get("python")
    if python:
        yield "python", f"{python['implementation']} {python['version']}"
        packages = provenance["packages"]
        yield (
            "packages",
            ", ".join(
                f"{name} {packages[name]}"
                for name in ("scikit-learn", "numpy", "scipy", "joblib")
                if name in packages
            ),
        )
        machine = provenance["platform"]
        yield "machine", ", ".join(machine[key] for key in ("cpu", "os", "libc") if key in machine)
        pinned = provenance["numerics"]["pinned"]
        yield "numerics", "pinned" if pinned else "not pinned: results may differ elsewhere"


def _files(folder: Run) -> str:
    """Return the names of the files of the run, without links and files in other folders."""
    found = [
        path.relative_to(folder.path).as_posix()
        for pattern in ("*", "artifacts/*", "logs/*")
        for path in sorted(folder.path.glob(pattern))
        if path.is_file() and not path.is_symlink()
    ]
    return some(found, 30)


def _next(folder: Run, settings: Settings) -> Iterator[tuple[str, str]]:
    run_id = folder.id + settings.repeated()
    if folder.status == "succeeded":
        yield "every metric", f"runforge metrics {run_id}"
        for file, command in (
            (layout.FEATURE_IMPORTANCE, "importance"),
            (layout.LINEAR_COEFFICIENTS, "coefficients"),
        ):
            if (folder.path / file).is_file():
                yield "every feature", f"runforge {command} {run_id}"
        if folder.request is not None:
            yield "more effort", f"runforge rerun {run_id} --preset thorough"
    elif _status(folder) == "running":
        yield "cancel it", f"runforge cancel {run_id}"
    elif folder.request is not None:
        yield "try again", f"runforge rerun {run_id}"


def some(names: list[str], most: int = 8) -> str:
    """Return the first names and the number of the others."""
    shown = ", ".join(shorten(name, _SHORT) for name in names[:most])
    return shown + (f" and {len(names) - most} more" if len(names) > most else "")
