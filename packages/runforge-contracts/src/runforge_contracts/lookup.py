"""Finding a run of either kind: trained by RunForge, or of an experiment."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from runforge_contracts.experiment_list import describe_experiment
from runforge_contracts.experiments import ExperimentFolder, is_experiment_folder
from runforge_contracts.layout import ExperimentLayout, Place, StoreLayout
from runforge_contracts.reading import (
    RunFolder,
    match_run,
    newest_run,
    no_runs,
    run_named,
    run_paths,
)
from runforge_contracts.run_ids import started

AnyRun = RunFolder | ExperimentFolder


def find_any_run(reference: str, places: Sequence[Place]) -> AnyRun:
    """Return the run that ``reference`` names.

    Parameters
    ----------
    reference
        A run id, a unique prefix of one, ``latest`` for the newest of either kind, or the path of a
        run folder.
    places
        Where to look; at least one.

    Raises
    ------
    RunForgeError
        ``RUN_NOT_FOUND``, or ``RUN_AMBIGUOUS`` naming the runs that a prefix fits.
    """
    path = Path(reference)
    if path.name != reference and path.is_dir():
        return open_run(path.absolute())
    stores = [place for place in places if isinstance(place, StoreLayout)]
    experiments = [place for place in places if isinstance(place, ExperimentLayout)]
    if reference == "latest":
        newest = _latest(stores, experiments)
        if newest is None:
            raise no_runs(places[0])
        return newest
    named = run_named(reference, stores)
    if named is not None:
        return RunFolder(named)
    trained = dict(run_paths(stores))
    others = {
        str(run_id): place.run_folder(str(run_id))
        for place in experiments
        for run_id in place.ids()
    }
    run_id = match_run(reference, [*trained, *others], places[0])
    return ExperimentFolder(others[run_id]) if run_id in others else RunFolder(trained[run_id])


def open_run(path: Path) -> AnyRun:
    """Return the run in the folder ``path``, of whichever kind it is."""
    return ExperimentFolder(path) if is_experiment_folder(path) else RunFolder(path)


def _latest(
    stores: Sequence[StoreLayout], experiments: Sequence[ExperimentLayout]
) -> AnyRun | None:
    trained = newest_run(stores)
    for place in experiments:
        for run_id in place.ids()[-1:]:
            folder = ExperimentFolder(place.run_folder(str(run_id)))
            if trained is None or started(describe_experiment(folder, place)) >= started(
                trained[0]
            ):
                return folder
    return None if trained is None else RunFolder(trained[1])
