"""Train a run again from its record alone, outside the store, and compare the results."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path, PurePosixPath
from typing import Any, Literal

from runforge_contracts.display import quote
from runforge_contracts.documents import Document
from runforge_contracts.errors import ErrorCode, RunForgeError
from runforge_contracts.fs.files import writing
from runforge_contracts.fs.folders import as_text
from runforge_contracts.store import layout
from runforge_contracts.store.layout import StoreLayout
from runforge_contracts.store.run import Run
from runforge_contracts.types import RequestV1
from runforge_contracts.validation import validate

from runforge_engine import __version__
from runforge_engine.data.dataset_source import dataset_path, read_source
from runforge_engine.data.kept_datasets import read_recorded
from runforge_engine.pipeline.observer import Observer
from runforge_engine.provenance.privacy import is_left_out
from runforge_engine.reproduction.artifact_comparison import compare_folders
from runforge_engine.reproduction.environment_check import child_variables, environment_differences
from runforge_engine.reproduction.recipe import Recipe, contradictions, read_recipe
from runforge_engine.reproduction.reproduction_findings import Reason, UncheckedPart
from runforge_engine.reproduction.reproduction_report import Reproduction
from runforge_engine.reproduction.worker_process import WorkerDiedError, train_in_new_process
from runforge_engine.runtime.cancellation import Cancellation
from runforge_engine.runtime.clock import read_clock
from runforge_engine.verification.dataset_check import Datasets

#: The dataset's name in the workspace of the new training; its format is detected from its bytes.
_DATASET = "dataset"
#: The name of the recipe there, if the run had one.
_RECIPE = "recipe.json"


def reproduce(
    run: Run,
    workspace: Path,
    *,
    dataset: Path | None = None,
    numerics: Literal["recorded", "here"] = "recorded",
    keep: Path | None = None,
    observer: Observer | None = None,
    cancellation: Cancellation | None = None,
) -> Reproduction:
    """Train ``run`` again in a new process and return the report with the verdict.

    No file of the run, its store or its workspace is changed. The new process has the run's
    numeric environment, set before its libraries load, and a clock fixed to the time of the run.

    Parameters
    ----------
    run
        The run to reproduce.
    workspace
        The folder to which a relative dataset path refers.
    dataset
        Current path of the dataset, if it is not the recorded one.
    numerics
        ``here``: keep the numeric environment of this process, and pin nothing.
    keep
        A new folder, which becomes the workspace of the new training and is kept; without one, the
        new training is deleted.
    observer
        Called with the events of the new training.
    cancellation
        Cancels the new training.

    Raises
    ------
    RunForgeError
        ``USAGE_INVALID`` if ``keep`` exists or is in the store, ``STORE_NOT_WRITABLE``,
        ``CANCELLED``. All problems of the run itself are in the report.
    """
    report = Reproduction(_run_id(run), read_clock().now(), __version__)
    recipe = read_recipe(run)
    if isinstance(recipe, list):
        report.obstacles += recipe
        recorded = _recorded_dataset(run)
    else:
        recorded = (recipe.dataset_path, recipe.dataset_sha256)
        report.contradictions += contradictions(run.request or {}, run.record or {})
    path = None if recorded is None else _find_dataset(recorded, run, workspace, dataset, report)
    if report.obstacles or isinstance(recipe, list) or path is None:
        return report
    with _place(keep, run) as place:
        _train(run, recipe, path, numerics, place, report, observer, cancellation)
        if keep is not None:
            report.kept = as_text(keep)
    return report


def _run_id(run: Run) -> str:
    try:
        return run.id
    except RunForgeError:
        return run.path.name


def _recorded_dataset(run: Run) -> tuple[str, str] | None:
    try:
        reference = (run.record or {}).get("dataset")
    except RunForgeError:
        return None
    return reference and (reference["path"], reference["fingerprint_sha256"])


def _find_dataset(
    recorded: tuple[str, str], run: Run, workspace: Path, given: Path | None, report: Reproduction
) -> Path | None:
    """Return the path of the dataset if its bytes are those of the run; else report the problem.

    That is the given path, or the recorded one, or that of the copy that a store keeps.
    """
    name, expected = recorded
    place = name if given is None else as_text(given)
    report.dataset, shown = {"path": place, "expected_sha256": expected}, quote(place, 200)
    try:
        source = (
            read_recorded(name, expected, run.path, workspace)
            if given is None
            else read_source(given)
        )
    except RunForgeError as error:
        gone = error.code is ErrorCode.DATASET_NOT_FOUND
        message = f"The dataset {shown} is gone." if gone else error.message
        if gone and given is None:
            if is_left_out(name):
                message = (
                    f"The folder of the dataset {quote(PurePosixPath(name).name)} was left out of"
                    " the record on request."
                )
            message += _now_at(workspace, name, expected)
        message += f" The run used one with the SHA-256 {expected}."
        report.obstacles.append(
            Reason("run.json#/dataset/path", message, recorded=name, missing=gone)
        )
        return None
    report.dataset["found_sha256"] = source.sha256
    if source.sha256 != expected:
        message = (
            f"The dataset {shown} has changed since the run; name a copy from then with --dataset."
        )
        if given is not None:
            message = f"{shown} is not the dataset of the run."
        report.obstacles.append(
            Reason(
                "run.json#/dataset/fingerprint_sha256",
                message,
                recorded=expected,
                here=source.sha256,
            )
        )
        return None
    path = source.path.absolute()
    if given is None and path != dataset_path(name, workspace).absolute():
        report.dataset["path"] = as_text(os.path.relpath(path, workspace))
    return path


def _now_at(workspace: Path, name: str, digest: str) -> str:
    """Return how to name the dataset, and where it is now if it was moved in the workspace."""
    state = Datasets(workspace).state(name, digest)
    place = f" It lies at {quote(state.path, 200)} now:" if state.path else " If you have it,"
    return f"{place} name it with --dataset."


@contextmanager
def _place(keep: Path | None, run: Run) -> Iterator[Path]:
    """Provide a folder for the new training, and delete it at the end unless it is to be kept."""
    if keep is None:
        with tempfile.TemporaryDirectory(
            prefix="runforge-reproduce-", ignore_cleanup_errors=True
        ) as folder:
            yield Path(folder)
        return
    place = keep.absolute()
    store = run.path.resolve().parent.parent
    if run.path.parent.name == "runs" and place.resolve().is_relative_to(store):
        raise RunForgeError(
            ErrorCode.USAGE_INVALID,
            f"{quote(keep, 200)} lies in the store, which holds nothing but its runs.",
            hint="Name a folder elsewhere.",
            path=str(keep),
        )
    with writing(place):
        try:
            place.mkdir()
        except FileExistsError:
            raise RunForgeError(
                ErrorCode.USAGE_INVALID,
                f"{quote(keep, 200)} exists already.",
                hint="Nothing is overwritten: name a folder that does not exist yet.",
                path=str(keep),
            ) from None
    try:
        yield place
    except BaseException:
        shutil.rmtree(place, ignore_errors=True)
        raise


def _train(
    run: Run,
    recipe: Recipe,
    dataset: Path,
    numerics: Literal["recorded", "here"],
    place: Path,
    report: Reproduction,
    observer: Observer | None,
    cancellation: Cancellation | None,
) -> None:
    """Train in ``place`` and add the results to the report."""
    folder = StoreLayout(place).run_folder(recipe.run_id)
    raw = recipe.request(_DATASET, _RECIPE)
    try:
        validate(raw, "request.v1")
    except RunForgeError as error:
        report.obstacles.append(
            Reason("run.json", f"The record asks for what no run can do: {error.message}")
        )
        return
    with writing(folder):
        folder.mkdir(parents=True)
        _lend(dataset, place / _DATASET)
        if recipe.preparation is not None:
            (place / _RECIPE).write_bytes(recipe.preparation.data)
    request: Document[RequestV1] = Document(raw, "request.v1")
    request.save(folder / layout.REQUEST)
    pinned = recipe.pinned and numerics == "recorded"
    variables = dict(os.environ)
    if numerics == "recorded":
        variables, refused = child_variables(variables, recipe.variables, pinned=pinned)
        report.not_checked += refused
    task = {
        "workspace": str(place),
        "folder": str(folder),
        "pin": pinned,
        "preset": recipe.preset,
        "dataset": {
            "path": str(place / _DATASET),
            "label_column": recipe.label_column,
            "exclude_columns": list(recipe.exclude_columns),
            "recipe": None if recipe.preparation is None else str(place / _RECIPE),
        },
        **_recorded_model(run, report),
    }
    try:
        answer = train_in_new_process(
            task,
            {**variables, **_clock(recipe.created_at)},
            place,
            observer or Observer(),
            cancellation or Cancellation(),
        )
    except WorkerDiedError as cause:
        report.obstacles.append(
            Reason("training", f"The process that trained again did not finish: {cause}.")
        )
        return
    if "error" in answer:
        reason = f"{answer['error']['message']} [{answer['error']['code']}]"
        report.obstacles.append(Reason("training", reason))
        return
    _compare(run, Run(folder), recipe, answer, report)


def _lend(dataset: Path, name: Path) -> None:
    """Make the dataset available under another name; its own may not be valid Unicode."""
    try:
        name.symlink_to(dataset)
    except (OSError, NotImplementedError):
        shutil.copyfile(dataset, name)


def _recorded_model(run: Run, report: Reproduction) -> dict[str, Any]:
    """Return the model to compare with, by its file and expected digest."""
    digest = (run.record or {})["artifact_digests"].get(layout.MODEL, {}).get("sha256")
    if digest is None:
        why = "The record has no digest of the model, so the file is not loaded."
        report.not_checked.append(UncheckedPart("predictions and coefficients", why))
        return {}
    return {"model": {"path": str(run.path.absolute() / layout.MODEL), "sha256": digest}}


def _clock(created_at: str) -> dict[str, str]:
    """Return the variable that fixes the new training's clock to the time the old one completed."""
    try:
        seconds = int(datetime.fromisoformat(created_at).timestamp())
    except (ValueError, OverflowError):
        return {}
    return {"SOURCE_DATE_EPOCH": str(seconds)} if seconds >= 0 else {}


def _compare(
    run: Run, rebuilt: Run, recipe: Recipe, answer: dict[str, Any], report: Reproduction
) -> None:
    recorded, here = run.record or {}, rebuilt.record or {}
    report.environment += environment_differences(recorded["provenance"], here["provenance"])
    used = here["dataset"]["fingerprint_sha256"]
    if used != recipe.dataset_sha256:
        report.dataset["found_sha256"] = used
        report.obstacles.append(
            Reason(
                "run.json#/dataset/fingerprint_sha256",
                "The dataset changed while it was trained on.",
                recorded=recipe.dataset_sha256,
                here=used,
            )
        )
        return
    report.comparison = compare_folders(run, rebuilt)
    report.models = answer.get("models", {})
