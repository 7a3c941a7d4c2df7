"""Collect the input of a report: the documents of a run, and its curves if possible."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import PureWindowsPath
from typing import TYPE_CHECKING, Any

from runforge_contracts.errors import RunForgeError
from runforge_contracts.lineage.run_family import RunFamilies
from runforge_contracts.store.evaluations import RecordedEvaluation, evaluations_by_run
from runforge_contracts.store.experiment_runs import ExperimentRun, in_order
from runforge_contracts.store.layout import Place, StoreLayout
from runforge_contracts.store.lookup import AnyRun
from runforge_contracts.store.reading import parent_of
from runforge_contracts.store.run import Run

from runforge_cli.listing.experiment_rows import TolerantRun
from runforge_cli.render.differences import letters_of
from runforge_cli.render.lineage_view import lineage_facts
from runforge_cli.report.history_blocks import History, Point

if TYPE_CHECKING:
    from runforge_engine.modeling.curves import Curves

#: The reason for missing curves if the user did not want the model to be loaded.
LEFT_OUT = "They need the model to be loaded, which `--no-model` prevents."


@dataclass(frozen=True, slots=True)
class Related:
    """What is recorded of a run outside of its folder."""

    #: The evaluations of its model, oldest first.
    evaluations: Sequence[RecordedEvaluation] = ()
    #: The run that it repeats, and those by which it was repeated.
    lineage: Sequence[tuple[str, str]] = ()


@dataclass(frozen=True, slots=True)
class Material:
    """The input of a report on a trained run."""

    folder: Run
    #: A short name among several runs; empty for a single one.
    letter: str
    #: Its folder, relative to the workspace.
    run_dir: str
    curves: Curves | None
    #: The reason why there are no curves.
    missing: str
    related: Related = Related()
    #: Whether the folders of the machine are named; else only the names of files in them are.
    with_folders: bool = True

    def path_text(self, path: str) -> str:
        """Return a recorded path as the report shows it."""
        return path if self.with_folders else file_name(path)


def file_name(path: str) -> str:
    """Return the name of the file at a recorded path of any system, without its folder."""
    return PureWindowsPath(path).name


@dataclass(frozen=True, slots=True)
class ExperimentMaterial:
    """The input of a report on an experiment run."""

    folder: TolerantRun
    #: A short name among several runs; empty for a single one.
    letter: str
    #: Its folder, relative to the workspace.
    run_dir: str
    #: The status of a finished run, or the state of another one.
    state: str
    history: History
    related: Related = Related()


AnyMaterial = Material | ExperimentMaterial


def related_to(folders: Sequence[AnyRun], places: Sequence[Place]) -> list[Related]:
    """Return for each of some runs what is recorded of it outside of its folder."""
    families = RunFamilies(places)
    stores = [place for place in places if isinstance(place, StoreLayout)]
    evaluations = evaluations_by_run(stores)
    found = []
    for folder in folders:
        asked = folder.request if isinstance(folder, Run) else TolerantRun(folder.path).config
        children = families.repeated_by(folder.id)
        facts = lineage_facts(parent_of(asked), children, places)
        found.append(Related(evaluations.get(folder.id, ()), list(facts)))
    return found


def gather(
    folders: Sequence[AnyRun],
    store: StoreLayout,
    listed: Sequence[tuple[dict[str, Any], StoreLayout]],
    related: Sequence[Related] = (),
    *,
    with_model: bool = True,
    left_out: str = LEFT_OUT,
) -> list[AnyMaterial]:
    """Return the input of a report on one or more runs, in their order.

    Parameters
    ----------
    folders
        The runs.
    store
        A store of the workspace that the paths of the datasets are relative to.
    listed
        Every run of the workspace, for the digests of the models.
    related
        What is recorded of each of them outside of its folder; empty for nothing.
    with_model
        Whether models and datasets may be read to compute curves.
    left_out
        Why there are no curves, if they may not.
    """
    letters = letters_of(len(folders)) if len(folders) > 1 else [""]
    trained = [folder for folder in folders if isinstance(folder, Run)]
    curves = _curves_of_each(trained, store, listed) if with_model else None
    materials: list[AnyMaterial] = []
    around = related or [Related() for _ in folders]
    for folder, letter, beside in zip(folders, letters, around, strict=True):
        run_dir = store.relative(folder.path)
        if isinstance(folder, ExperimentRun):
            materials.append(gather_experiment(folder, letter, run_dir, beside))
            continue
        found, missing = (None, left_out) if curves is None else next(curves)
        materials.append(Material(folder, letter, run_dir, found, missing, beside))
    return materials


def gather_experiment(
    folder: ExperimentRun, letter: str, run_dir: str, related: Related = Related()
) -> ExperimentMaterial:
    """Return the input of a report on an experiment run, without its invalid documents."""
    from runforge_engine.experiment.record.experiment_state import state_of

    run = TolerantRun(folder.path)
    recorded = (run.metrics_document or {}).get("history", {})
    history = {
        name: [Point(point["step"], point["value"]) for point in in_order(points)]
        for name, points in recorded.items()
    }
    return ExperimentMaterial(run, letter, run_dir, state_of(run), history, related)


def _curves_of_each(
    folders: Sequence[Run],
    store: StoreLayout,
    listed: Sequence[tuple[dict[str, Any], StoreLayout]],
) -> Iterator[tuple[Curves | None, str]]:
    """Yield the curves of each run, or the reason why it has none."""
    succeeded = [folder for folder in folders if folder.status == "succeeded"]
    answers: Iterator[Curves | RunForgeError] = iter(())
    if succeeded:
        # Late, because it imports libraries.
        from runforge_engine.modeling.model_process import curves_of_each

        answers = curves_of_each(succeeded, store.workspace, listed)
    for folder in folders:
        if folder.status != "succeeded":
            yield None, f"{folder.ending} It has no model."
            continue
        answer = next(answers)
        yield (None, answer.message) if isinstance(answer, RunForgeError) else (answer, "")
