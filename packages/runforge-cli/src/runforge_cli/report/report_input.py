"""What a report is written from: a run's documents, and its curves where they can be computed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from runforge_contracts.errors import RunForgeError
from runforge_contracts.store.experiment_runs import ExperimentRun, in_order
from runforge_contracts.store.layout import StoreLayout
from runforge_contracts.store.lookup import AnyRun
from runforge_contracts.store.run import Run

from runforge_cli.listing.experiment_rows import TolerantRun
from runforge_cli.report.history_blocks import History, Point

if TYPE_CHECKING:
    from runforge_engine.modeling.curves import Calibration, Curve

#: Why there are no curves where a person did not want the model to be loaded.
LEFT_OUT = "They were left out, because they need the model to be loaded (`--no-model`)."


@dataclass(frozen=True, slots=True)
class Curves:
    """What the validation predictions of a run show."""

    roc: tuple[Curve, ...]
    precision_recall: tuple[Curve, ...]
    calibration: Calibration | None
    #: Whether the model gives probabilities or values of a decision function.
    kind: str
    #: Validation rows.
    rows: int
    #: Where the model's own predictions of two classes lie on the ROC curve.
    operating_point: tuple[float, float] | None


@dataclass(frozen=True, slots=True)
class Material:
    """A run as a report sees it."""

    folder: Run
    #: A short name among several runs; empty for a single one.
    letter: str
    #: Its folder as documents name it.
    run_dir: str
    curves: Curves | None
    #: Why there are no curves.
    missing: str


@dataclass(frozen=True, slots=True)
class ExperimentMaterial:
    """The run of an experiment as a report sees it."""

    folder: TolerantRun
    #: A short name among several runs; empty for a single one.
    letter: str
    #: Its folder as documents name it.
    run_dir: str
    #: How it ended, or what it is at.
    state: str
    history: History


AnyMaterial = Material | ExperimentMaterial


def gather(
    folder: AnyRun,
    store: StoreLayout,
    listed: Sequence[tuple[dict[str, Any], StoreLayout]],
    *,
    letter: str = "",
    with_model: bool = True,
) -> AnyMaterial:
    """Return what there is on a run.

    Parameters
    ----------
    folder
        The run.
    store
        For the workspace that its dataset's path begins at.
    listed
        Every run of the workspace, for the digest of the model.
    letter
        Its short name among several.
    with_model
        Whether model and dataset may be read to compute curves.
    """
    run_dir = store.relative(folder.path)
    if isinstance(folder, ExperimentRun):
        return gather_experiment(folder, letter, run_dir)
    curves, missing = None, LEFT_OUT
    if with_model:
        try:
            curves, missing = _curves(folder, store, listed), ""
        except RunForgeError as error:
            missing = error.message
    return Material(folder, letter, run_dir, curves, missing)


def gather_experiment(folder: ExperimentRun, letter: str, run_dir: str) -> ExperimentMaterial:
    """Return what there is on the run of an experiment, as far as it can be read."""
    from runforge_engine.experiment.record.experiment_state import state_of

    run = TolerantRun(folder.path)
    recorded = (run.metrics_document or {}).get("history", {})
    history = {
        name: [Point(point["step"], point["value"]) for point in in_order(points)]
        for name, points in recorded.items()
    }
    return ExperimentMaterial(run, letter, run_dir, state_of(run), history)


def _curves(
    folder: Run, store: StoreLayout, listed: Sequence[tuple[dict[str, Any], StoreLayout]]
) -> Curves:
    if folder.status != "succeeded":
        # Nothing is imported to learn that there is nothing to compute.
        from runforge_contracts.errors import ErrorCode

        raise RunForgeError(ErrorCode.ARTIFACT_NOT_FOUND, f"{folder.ending} It has no model.")
    from runforge_engine.modeling.curves import calibration, precision_recall_curves, roc_curves
    from runforge_engine.modeling.model_process import replay

    replayed = replay(folder, store.workspace, listed)
    point = None
    if len(replayed.classes) == 2:
        positive = replayed.truth == 1
        if positive.any() and not positive.all():
            told = replayed.predicted == 1
            point = float(told[~positive].mean()), float(told[positive].mean())
    return Curves(
        roc=roc_curves(replayed),
        precision_recall=precision_recall_curves(replayed),
        calibration=calibration(replayed),
        kind=replayed.kind,
        rows=len(replayed.truth),
        operating_point=point,
    )
