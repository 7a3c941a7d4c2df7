"""The one-screen summary of a trained run."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from pathlib import Path

from runforge_contracts.display import format_duration, printable, shorten, time_text
from runforge_contracts.errors import DatasetError, ErrorCode
from runforge_contracts.lineage.run_family import repeated_by
from runforge_contracts.recorded_diagnostics import columns_to_exclude, place_text, placed_message
from runforge_contracts.store import layout
from runforge_contracts.store.aliases import aliases_by_run
from runforge_contracts.store.evaluations import evaluations_of
from runforge_contracts.store.run import Run
from runforge_contracts.store.summary import (
    RunData,
    RunModel,
    RunOutcome,
    RunSummary,
    can_be_repeated,
    class_labels,
    summary_of,
)

from runforge_cli.render.evaluation_table import evaluation_rows
from runforge_cli.render.lineage_view import lineage_facts
from runforge_cli.render.sweep_membership import membership_of
from runforge_cli.render.tables import (
    coefficient_lines,
    confusion_section,
    diagnostic_lines,
    importance_lines,
    metric_lines,
    raw_coefficient_lines,
    raw_importance_lines,
    source_text,
)
from runforge_cli.shell.file_argument import is_archive
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
#: Names of the preset with the most iterations and trees.
_THOROUGH = ("thorough", "hq-train")
_OF_THE_FAMILY = "_UNSUPPORTED_MODEL"
#: Maximum number of features for each class.
_TOP = 4
#: Most further errors of a dataset that are shown.
_PROBLEMS = 5
#: Maximum length of free text, and of one name in a list.
_LONG, _SHORT = 500, 60


def summary_lines(
    folder: Run, settings: Settings, *, brief: bool = False, bundle: Path | None = None
) -> Iterator[str]:
    """Yield the lines of the summary.

    Parameters
    ----------
    folder
        The run, in any supported version.
    settings
        For the colours, and for the workspace that paths are relative to.
    brief
        Whether to show only the results, for a user who has just started the run.
    bundle
        The bundle that the run is unpacked from, if it is in no store.
    """
    yield run_title(folder.id, _status(folder), settings)
    summary = summary_of(folder)
    yield from pairs(
        [*_outcome(folder, summary, settings, bundle), *_failure(folder, summary.outcome, settings)]
    )
    if not brief:
        yield from section("Data", pairs(_data(summary.data, settings)))
        yield from section("Model", pairs(_model(summary.model)))
    yield from _metrics(folder)
    yield from _features(folder)
    if not brief:
        if bundle is None:
            yield from section("Evaluations", _evaluations(folder, settings))
        yield from section("Origin", pairs(_origin(folder, summary, settings)))
        files = _files(folder)
        yield from section("Files", paragraph(files, indent=2) if files else [])
    # Diagnostics that only describe the model family are shown by `runforge diagnostics`.
    worth_knowing = [
        item
        for item in folder.diagnostics
        if item["severity"] != "error" and not item["code"].endswith(_OF_THE_FAMILY)
    ]
    yield from section("Diagnostics", diagnostic_lines(worth_knowing))
    following = unpacking(folder.id, bundle, settings) if bundle else _next(folder, settings)
    yield from section("Next", pairs(following))


def place_of(folder: Path, settings: Settings, bundle: Path | None) -> tuple[str, str]:
    """Return the row with the place of a run: its folder, or the file that it is in."""
    if bundle is None:
        return "folder", settings.shown(folder)
    return "archive" if is_archive(str(bundle)) else "bundle", str(bundle)


def unpacking(run_id: str, bundle: Path, settings: Settings) -> Iterator[tuple[str, str]]:
    """Yield the commands that check a bundle or an archive, and bring its run into the store."""
    path, options = shlex.quote(str(bundle)), settings.repeated()
    yield "check it", f"runforge verify {path}{options}"
    if is_archive(str(bundle)):
        yield "bring it back", f"runforge store restore {path} {run_id}{options}"
    else:
        yield "add it here", f"runforge unbundle {path}{options}"


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


def _outcome(
    folder: Run, summary: RunSummary, settings: Settings, bundle: Path | None
) -> Iterator[tuple[str, str]]:
    outcome, model = summary.outcome, summary.model.file
    if outcome.name:
        yield "name", shorten(outcome.name, _LONG)
    if outcome.primary_metric:
        rows = summary.data.validation_rows
        where = f" on {plural(rows, 'validation row')}" if rows else ""
        yield outcome.primary_metric.name, number(outcome.primary_metric.value) + where
    if outcome.duration_ms is not None:
        yield "duration", format_duration(outcome.duration_ms)
    if outcome.finished_at:
        yield "finished", time_text(outcome.finished_at)
    if outcome.tags:
        yield "tags", some(outcome.tags)
    aliases = aliases_by_run(settings.stores()).get(folder.id)
    if aliases and bundle is None:
        yield "aliases", some(aliases)
    if outcome.notes:
        yield "notes", shorten(outcome.notes, _LONG)
    yield place_of(folder.path, settings, bundle)
    if model:
        yield "model", model + ("" if (folder.path / model).is_file() else " (missing)")


def _failure(folder: Run, outcome: RunOutcome, settings: Settings) -> Iterator[tuple[str, str]]:
    error = outcome.error
    if error:
        code = error.get("code") or error.get("type")
        yield "error", error["message"] + (f" [{code}]" if code else "")
        place = failure_place(folder)
        if place:
            yield "place", place
        others = [item for item in folder.diagnostics if item["severity"] == "error"][1:]
        for item in others[:_PROBLEMS]:
            yield "also", placed_message(item)
        if len(others) > _PROBLEMS:
            more = len(others) - _PROBLEMS
            yield "also", f"{more} more: runforge diagnostics {folder.id}{settings.repeated()}"
        if error.get("hint"):
            yield "hint", error["hint"]
    elif folder.status == "incomplete":
        yield "state", _STATES[_status(folder)]


def _data(data: RunData, settings: Settings) -> Iterator[tuple[str, str]]:
    if data.path is not None:
        fingerprint = (data.fingerprint_sha256 or "")[:12]
        yield (
            "dataset",
            settings.shown(data.path) + (f" (sha256 {fingerprint}…)" * bool(fingerprint)),
        )
    if data.recipe is not None:
        digest = (data.recipe_sha256 or "")[:12]
        yield "recipe", settings.shown(data.recipe) + (f" (sha256 {digest}…)" * bool(digest))
    if data.rows is not None or data.dropped_rows is not None:
        rows = f"{data.rows or 0:,} used"
        if data.dropped_rows:
            rows += f", {data.dropped_rows:,} dropped for missing values"
        if data.train_rows is not None:
            rows += f"; {data.train_rows:,} training, {data.validation_rows:,} validation"
        yield "rows", rows
    if data.label_column:
        classes = [str(item) for item in data.classes or ()]
        yield "label", data.label_column + (": " + some(classes) if classes else "")
    if data.num_features is not None:
        names = data.feature_names
        yield "features", f"{data.num_features}" + (": " + some(names) if names else "")
    if data.exclude_columns:
        yield "excluded", some(data.exclude_columns)


def _model(model: RunModel) -> Iterator[tuple[str, str]]:
    if model.family:
        yield "family", model.family
    if model.preset:
        yield "preset", model.preset
    if model.profile:
        yield "profile", model.profile
    for name, (value, source) in model.hyperparameters.items():
        shown = "none" if value is None else str(value)
        yield name, shown if source is None else f"{shown} ({source_text(source)})"
    if model.seed is not None:
        yield "seed", str(model.seed)
    if model.device:
        yield "device", model.device + (f": {model.gpu_reason}" if model.gpu_reason else "")


def _metrics(folder: Run) -> Iterator[str]:
    metrics = folder.content(layout.METRICS_V1)
    if not metrics and folder.record is None and len(folder.metrics) > 1:
        values = ((name, number(value)) for name, value in folder.metrics.items())
        yield from section("Metrics", pairs(values))
    if metrics:
        yield from section("Metrics", metric_lines(metrics))
        classes = class_labels(folder)
        yield from section(*confusion_section(metrics, classes))


def _evaluations(folder: Run, settings: Settings) -> list[str]:
    return evaluation_rows(evaluations_of(folder.id, settings.stores()), folder, settings)


def _features(folder: Run) -> Iterator[str]:
    importance = folder.content(layout.FEATURE_IMPORTANCE)
    prepared = "recipe" in ((folder.record or {}).get("dataset") or {})
    if importance:
        yield from section("Most important features", importance_lines(importance, _TOP))
        if prepared:
            title = "Most important raw columns (sum of their features)"
            yield from section(title, raw_importance_lines(importance, _TOP))
    coefficients = folder.content(layout.LINEAR_COEFFICIENTS)
    if coefficients:
        yield from section(
            "Strongest coefficients (per standard deviation of the feature)",
            coefficient_lines(coefficients, _TOP, max_classes=3),
        )
        if prepared:
            title = "Strongest raw columns (largest coefficient of their features)"
            yield from section(title, raw_coefficient_lines(coefficients, _TOP))


def _origin(folder: Run, summary: RunSummary, settings: Settings) -> Iterator[tuple[str, str]]:
    origin, provenance = summary.origin, summary.origin.provenance
    client = origin.client or folder.client_form
    if client:
        yield "client", client
    if origin.runforge_version:
        yield "RunForge", origin.runforge_version
    places = settings.places()
    children = repeated_by(folder.id, places)
    yield from lineage_facts(summary.outcome.rerun_from, children, places)
    membership = membership_of(folder)
    if membership:
        yield "sweep", membership.text
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
        if folder.metrics:
            yield "every metric", f"runforge metrics {run_id}"
        for file, command in (
            (layout.FEATURE_IMPORTANCE, "importance"),
            (layout.LINEAR_COEFFICIENTS, "coefficients"),
        ):
            if (folder.path / file).is_file():
                yield "every feature", f"runforge {command} {run_id}"
        if can_be_repeated(folder.request) and _has_more_to_give(folder):
            yield "more effort", f"runforge rerun {run_id} --preset thorough"
    elif _status(folder) == "running":
        yield "cancel it", f"runforge cancel {run_id}"
    elif can_be_repeated(folder.request):
        yield from _repair(folder, run_id, settings)


def failure_place(folder: Run) -> str:
    """Return the column and the row of a dataset at which a run failed, or an empty string."""
    return next((place for place in map(place_text, folder.diagnostics) if place), "")


def _has_more_to_give(folder: Run) -> bool:
    """Return whether the preset `thorough` would change the run, and could make it better."""
    model = summary_of(folder).model
    is_thorough = model.preset in _THOROUGH or (model.profile or "").partition(" ")[0] == "thorough"
    return not is_thorough and folder.metrics.get("accuracy") != 1.0


def _repair(folder: Run, run_id: str, settings: Settings) -> Iterator[tuple[str, str]]:
    """Yield what to do about a run that did not succeed: what repairs it, if that is known."""
    code = ((folder.result or {}).get("error") or {}).get("code")
    columns = dict.fromkeys(
        name for item in folder.diagnostics for name in columns_to_exclude(item)
    )
    if columns:
        options = " ".join(f"--exclude {shlex.quote(printable(name))}" for name in columns)
        yield "leave out", f"runforge rerun {run_id} {options}"
        if code == ErrorCode.FEATURE_NOT_NUMERIC:
            dataset = folder.request["dataset"] if folder.request else {}
            raw, label = dataset.get("path"), dataset.get("label_column")
            if isinstance(raw, str) and isinstance(label, str):
                words = [settings.shown(raw), "--label", label]
                command = " ".join(shlex.quote(printable(word)) for word in words)
                yield "or a recipe", f"runforge prepare {command}{settings.repeated()}"
                yield "and with it", f"runforge rerun {run_id} --recipe FILE"
        return
    of_the_data = code in {*DatasetError.codes, ErrorCode.DATASET_NOT_FOUND}
    yield "once mended" if of_the_data else "try again", f"runforge rerun {run_id}"


def some(names: Sequence[str], most: int = 8) -> str:
    """Return the first names and the number of the others."""
    shown = ", ".join(shorten(name, _SHORT) for name in names[:most])
    return shown + (f" and {len(names) - most} more" if len(names) > most else "")
