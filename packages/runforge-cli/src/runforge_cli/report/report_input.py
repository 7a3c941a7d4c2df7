"""Collect the input of a report: the documents of a run, and its curves if possible."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
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
from runforge_cli.render.lineage_view import lineage_facts
from runforge_cli.report.history_blocks import History, Point

if TYPE_CHECKING:
    from runforge_engine.modeling.curves import Calibration, Curve

#: The reason for missing curves if the user did not want the model to be loaded.
LEFT_OUT = "They need the model to be loaded, which `--no-model` prevents."


@dataclass(frozen=True, slots=True)
class Curves:
    """The curves of the validation predictions of a run."""

    roc: tuple[Curve, ...]
    precision_recall: tuple[Curve, ...]
    calibration: Calibration | None
    #: Whether the model gives probabilities or values of a decision function.
    kind: str
    #: Number of validation rows.
    rows: int
    #: The point of the predicted labels on the ROC curve, if there are two classes.
    operating_point: tuple[float, float] | None


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
    folder: AnyRun,
    store: StoreLayout,
    listed: Sequence[tuple[dict[str, Any], StoreLayout]],
    *,
    letter: str = "",
    with_model: bool = True,
    related: Related = Related(),
) -> AnyMaterial:
    """Return the input of a report on a run.

    Parameters
    ----------
    folder
        The run.
    store
        A store of the workspace that the path of the dataset is relative to.
    listed
        Every run of the workspace, for the digest of the model.
    letter
        Its short name among several runs.
    with_model
        Whether model and dataset may be read to compute curves.
    related
        What is recorded of it outside of its folder.
    """
    run_dir = store.relative(folder.path)
    if isinstance(folder, ExperimentRun):
        return gather_experiment(folder, letter, run_dir, related)
    curves, missing = None, LEFT_OUT
    if with_model:
        try:
            curves, missing = _curves(folder, store, listed), ""
        except RunForgeError as error:
            missing = error.message
    return Material(folder, letter, run_dir, curves, missing, related)


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


def _curves(
    folder: Run, store: StoreLayout, listed: Sequence[tuple[dict[str, Any], StoreLayout]]
) -> Curves:
    if folder.status != "succeeded":
        # Checked first, so that the libraries are not imported in vain.
        from runforge_contracts.errors import ErrorCode

        raise RunForgeError(ErrorCode.ARTIFACT_NOT_FOUND, f"{folder.ending} It has no model.")
    from runforge_engine.modeling.curves import calibration, precision_recall_curves, roc_curves
    from runforge_engine.modeling.model_process import replay

    replayed = replay(folder, store.workspace, listed)
    point = None
    if len(replayed.classes) == 2:
        positive = replayed.truth == 1
        if positive.any() and not positive.all():
            predicted = replayed.predicted == 1
            point = float(predicted[~positive].mean()), float(predicted[positive].mean())
    return Curves(
        roc=roc_curves(replayed),
        precision_recall=precision_recall_curves(replayed),
        calibration=calibration(replayed),
        kind=replayed.kind,
        rows=len(replayed.truth),
        operating_point=point,
    )
