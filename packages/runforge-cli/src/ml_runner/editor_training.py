"""Train as the editor extension asks: the record in the store, a view of it in its folder.

Source: specification, section 16.4.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from runforge_cli.process.process_exit import prepare_training

if TYPE_CHECKING:
    from runforge_contracts.errors import RunForgeError
    from runforge_contracts.store.layout import StoreLayout
    from runforge_engine.pipeline.execute import ExecutionResult
    from runforge_engine.pipeline.observer import Observer
    from runforge_engine.runtime.cancellation import Cancellation

#: The label column of every dataset that an editor trains on without a recipe.
_LABEL = "label"


@dataclass(frozen=True, slots=True)
class TrainingArguments:
    """The command line of one training."""

    dataset: str | None
    recipe: str | None
    preset: str
    out: str
    device: str
    seed: int | None
    model: str
    profile: str | None
    params: tuple[str, ...]
    name: str | None


@dataclass(frozen=True, slots=True)
class EditorFolder:
    """The folder that an editor names for a run, and the store that the run belongs to."""

    path: Path
    store: StoreLayout

    @property
    def run_dir(self) -> str:
        """The folder as documents name it."""
        return self.store.relative(self.path)

    @property
    def is_record(self) -> bool:
        """Whether it is among the runs of the store, and so becomes the record itself."""
        return os.path.realpath(self.path.parent) == os.path.realpath(self.store.runs)


def train_for_editor(arguments: TrainingArguments, *, as_json: bool) -> int:
    """Train, print how the run finished, and return the exit code.

    Parameters
    ----------
    arguments
        The command line.
    as_json
        Whether to print one JSON document instead of text.
    """
    prepare_training()
    from runforge_cli.commands.training_session import cancelled_by_signals
    from runforge_contracts.errors import CancelledError, ExitCode
    from runforge_engine.pipeline.finish import CANCEL_WITHIN

    from ml_runner.editor_events import EditorEvents
    from ml_runner.editor_markers import mark_cancelled

    with cancelled_by_signals() as cancellation:
        place = find_place(arguments.out)
        events = EditorEvents(
            place.path,
            place.run_dir,
            cancellation,
            quiet=as_json,
            is_view=not place.is_record,
        )

        def mark(run_id: str) -> None:
            reason = cancellation.look()
            mark_cancelled(place.path, place.run_dir, run_id, step=events.step, reason=reason)

        try:
            outcome = _execute(arguments, place, events, cancellation)
        except CancelledError:
            if not place.is_record:
                events.cancelled_before(place.path.name, CANCEL_WITHIN)
                mark(place.path.name)
            raise
        problem = None
        if outcome.status == "cancelled" and not place.is_record:
            mark(outcome.run_id)
        elif outcome.status == "succeeded" and not place.is_record:
            problem = _show_in_editor(outcome, place)
    _report(outcome, place, problem, as_json=as_json)
    error = outcome.error or problem
    return ExitCode.OK if error is None else error.exit_code


def find_place(out: str) -> EditorFolder:
    """Return the folder that ``--out`` names, and the store of the nearest workspace above it.

    A workspace is a folder that contains a store; if there is none, the current folder is one.
    """
    from runforge_contracts.store.layout import DEFAULT_STORE, LEGACY_STORE, StoreLayout

    folder = Path(os.path.abspath(out))  # noqa: PTH100 - keeps links
    names = (LEGACY_STORE, DEFAULT_STORE)
    workspace = Path.cwd()
    for parent in folder.parents:
        if parent.name in names and folder.is_relative_to(parent / "runs"):
            workspace = parent.parent
            break
        if any((parent / name).is_dir() for name in names):
            workspace = parent
            break
    return EditorFolder(folder, StoreLayout(workspace, DEFAULT_STORE))


def _execute(
    arguments: TrainingArguments,
    place: EditorFolder,
    observer: Observer,
    cancellation: Cancellation,
) -> ExecutionResult:
    from runforge_cli import CLIENT
    from runforge_cli.commands.training_session import require
    from runforge_engine.modeling.configuration import family_for_editor, parse_parameters
    from runforge_engine.pipeline.execute import execute
    from runforge_engine.pipeline.request import new_request
    from runforge_engine.store.run_view import check_view_folder

    dataset = require(arguments.dataset, "RUNFORGE_DATASET", "Set it to the dataset's path.")
    if not place.is_record:
        check_view_folder(place.path, place.store)
    label, recipe = _LABEL, arguments.recipe or None
    if recipe is not None:
        from runforge_engine.preparation.recipe_rules import read_recipe

        label = read_recipe(Path(recipe))["label"]
    parameters = parse_parameters(arguments.params)
    family, notes = family_for_editor(arguments.model, arguments.profile)
    request = new_request(
        dataset=dataset,
        label_column=label,
        recipe=recipe,
        store=place.store,
        created_by=CLIENT,
        model_family=family,
        preset=arguments.preset,
        profile=arguments.profile,
        hyperparameters=parameters,
        cli_parameters=parameters.keys(),
        seed=arguments.seed,
        device=arguments.device,
        name=arguments.name,
    )
    return execute(
        request,
        place.store,
        folder=place.path if place.is_record else None,
        notes=notes,
        observer=observer,
        cancellation=cancellation,
    )


def _show_in_editor(outcome: ExecutionResult, place: EditorFolder) -> RunForgeError | None:
    """Write the view of a run that succeeded, and list it; return why there is no view."""
    from runforge_contracts.display import quote
    from runforge_contracts.errors import RunForgeError
    from runforge_contracts.store.run import Run
    from runforge_engine.store.editor_index import append_foreign_entries
    from runforge_engine.store.run_view import (
        editor_entry,
        editor_store,
        lost_entries,
        write_view,
    )

    from ml_runner.editor_markers import mark_orphan
    from ml_runner.editor_output import print_warning

    record = Run(outcome.run_dir)
    try:
        write_view(record, place.path)
    except RunForgeError as error:
        return RunForgeError(
            error.code,
            f"The run is complete in {quote(place.store.relative(outcome.run_dir), 200)}, but its"
            f" files could not be copied to {quote(place.path, 200)}: {error.message}",
            hint=error.hint,
            path=error.location.path,
        )
    editors = editor_store(place.path)
    if editors is None:
        return None
    try:
        entry = editor_entry(record, place.path)
        lost = [other for other in lost_entries(editors) if other["run_id"] != entry["run_id"]]
        append_foreign_entries(editors, [*lost, entry])
    except RunForgeError as error:
        print_warning(error)
        index = editors.relative(editors.index)
        mark_orphan(place.path, place.run_dir, outcome.run_id, index, error)
    return None


def _report(
    outcome: ExecutionResult,
    place: EditorFolder,
    problem: RunForgeError | None,
    *,
    as_json: bool,
) -> None:
    from runforge_cli.commands.training_session import outcome_document
    from runforge_cli.terminal.output import write_json

    from ml_runner.editor_output import print_error, say

    if as_json:
        document = outcome_document(outcome, place.store)
        write_json(document if problem is None else {**document, "error": problem.to_dict()})
        return
    for line in _lines(outcome, place):
        say(line)
    if problem is not None:
        print_error(problem)
    if outcome.error is not None:
        print_error(outcome.error)


def _lines(outcome: ExecutionResult, place: EditorFolder) -> Iterator[str]:
    from runforge_contracts.display import format_duration

    yield f"Run {outcome.run_id}: {outcome.status}"
    metrics = (outcome.result.get("summary") or {}).get("metrics", {})
    for name, value in metrics.items():
        yield f"  {name}: {value:.4f}"
    yield f"  duration: {format_duration(outcome.result['duration_ms'])}"
    yield f"  record: {place.store.relative(outcome.run_dir)}"
    if outcome.status == "succeeded" and not place.is_record:
        yield f"  copied to: {place.run_dir}"
