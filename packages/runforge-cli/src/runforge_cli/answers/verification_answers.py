"""The checks of ``verify``, for named runs and for everything in the workspace."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from runforge_contracts.errors import RunForgeError

from runforge_cli.shell.file_argument import is_bundle
from runforge_cli.shell.settings import Settings

if TYPE_CHECKING:
    from runforge_contracts.store.evaluations import RecordedEvaluation
    from runforge_contracts.store.layout import StoreLayout
    from runforge_engine.verification.verify_evaluation import EvaluationVerification
    from runforge_engine.verification.verify_run import RunVerification
    from runforge_engine.verification.verify_store import StoreVerification


@dataclass(frozen=True, slots=True)
class NamedVerification:
    """The verification of what was named: runs, with their evaluations, and evaluations."""

    runs: list[RunVerification]
    evaluations: list[EvaluationVerification]


def verify_named(
    settings: Settings,
    references: tuple[str, ...],
    public_keys: Sequence[Path],
    *,
    with_dataset: bool,
) -> NamedVerification:
    """Verify each run and evaluation that is named, and the evaluations of the runs."""
    from runforge_contracts.store.evaluations import (
        evaluations_of,
        find_evaluation,
        is_evaluation,
    )

    stores = settings.stores()
    of_runs, named = [], []
    for reference in references:
        if is_evaluation(reference, stores):
            named.append(find_evaluation(reference, stores))
        else:
            of_runs.append(reference)
    runs = list(verified_runs(settings, tuple(of_runs), public_keys, with_dataset=with_dataset))
    for run in runs:
        beside = run.view is None and not is_bundle(run.run_dir)
        named += evaluations_of(run.run_id, stores) if beside else []
    return NamedVerification(
        runs,
        verified_evaluations(
            dict.fromkeys(named), settings, public_keys=public_keys, with_dataset=with_dataset
        ),
    )


def verified_evaluations(
    evaluations: Iterable[RecordedEvaluation],
    settings: Settings,
    *,
    public_keys: Sequence[Path] = (),
    with_dataset: bool = True,
    with_signature: bool = True,
) -> list[EvaluationVerification]:
    """Verify evaluations, each with its run if that is there."""
    from runforge_engine.modeling.model_process import ModelProcess
    from runforge_engine.verification.context import evaluation_surroundings
    from runforge_engine.verification.verify_evaluation import verify_evaluation

    from runforge_cli.answers.evaluation_answer import run_of
    from runforge_cli.listing.run_list import trained_in

    verified = []
    listed: list[tuple[dict[str, Any], StoreLayout]] | None = None
    with ModelProcess() as process:
        for evaluation in evaluations:
            if listed is None:
                listed = trained_in(settings.stores())
            try:
                run = run_of(evaluation, settings)
            except RunForgeError:
                run = None  # The verification reports the document that cannot be read.
            path = evaluation.path.absolute()
            verified.append(
                verify_evaluation(
                    evaluation,
                    evaluation_surroundings(path, settings.folder, public_keys),
                    run,
                    listed,
                    with_dataset=with_dataset,
                    with_signature=with_signature,
                    process=process,
                )
            )
    return verified


def verified_runs(
    settings: Settings,
    references: tuple[str, ...],
    public_keys: Sequence[Path],
    *,
    with_dataset: bool,
) -> Iterator[RunVerification]:
    """Yield the verification of each run that is named; a mistyped name is reported first."""
    from runforge_contracts.store.experiment_runs import ExperimentRun
    from runforge_contracts.store.layout import EXPERIMENT_RUNS
    from runforge_contracts.store.lookup import has_ended
    from runforge_contracts.store.run import Run
    from runforge_engine.verification.context import surroundings_of
    from runforge_engine.verification.verify_run import verify_run
    from runforge_engine.verification.verify_view import verify_view

    # All runs are located before any is read, so that a mistyped name is reported at once.
    named = [reference for reference in references if not is_bundle(reference)]
    folders = [settings.find_any(reference, has_ended) for reference in named]
    unique = {folder.path: folder for folder in folders}
    for path, folder in unique.items():
        if isinstance(folder, ExperimentRun):
            from runforge_engine.experiment.record.experiment_verification import (
                verify_experiment_run,
            )

            in_repository = path.parent.name == EXPERIMENT_RUNS
            yield verify_experiment_run(
                path,
                path.parents[1] if in_repository else settings.folder,
                with_dataset=with_dataset,
                demand_signature=bool(public_keys),
            )
        else:
            around = surroundings_of(path, settings.stores(), public_keys)
            yield verify_run(path, around, with_dataset=with_dataset)
    for reference in references:
        if is_bundle(reference):
            yield _verified_bundle(
                settings, Path(reference), public_keys, with_dataset=with_dataset
            )
    for folder in folders:
        if isinstance(folder, Run) and folder.view is not None:
            around = surroundings_of(folder.view, settings.stores())
            yield verify_view(folder.view, folder.path, around)


def _verified_bundle(
    settings: Settings, path: Path, public_keys: Sequence[Path], *, with_dataset: bool
) -> RunVerification:
    """Return the verification of the run in a bundle, with the dataset that it includes."""
    from runforge_engine.bundles.bundle_reader import opened_bundle

    with opened_bundle(path, settings.folder, public_keys) as bundle:
        found = bundle.verification
    of_dataset = ("dataset", "recipe")
    checks = [check for check in found.checks if with_dataset or check.name not in of_dataset]
    return replace(found, checks=tuple(checks))


def verified_stores(
    settings: Settings,
    public_keys: Sequence[Path],
    *,
    with_dataset: bool,
    quick: bool = False,
) -> tuple[list[StoreVerification], list[RunVerification]]:
    """Return the verification of all stores and experiment runs; having neither is an error.

    Where it is ``quick``, trained runs that were verified before and not touched since are not
    read.
    """
    from runforge_contracts.shared_work import usable_cores
    from runforge_engine.provenance.keys import load_public_keys
    from runforge_engine.verification.dataset_check import Datasets
    from runforge_engine.verification.quick_verification import KeptVerifications
    from runforge_engine.verification.verify_store import verify_store

    from runforge_cli.render.work_progress import watch_for

    keys = load_public_keys(public_keys)
    datasets = Datasets(settings.folder)
    experiments: list[RunVerification] = []
    for place in settings.experiments():
        from runforge_engine.experiment.record.experiment_verification import verify_experiments

        experiments += verify_experiments(
            place.workspace,
            datasets,
            with_dataset=with_dataset,
            demand_signature=bool(keys),
        )
    stores = [
        verify_store(
            store,
            public_key=keys,
            datasets=datasets,
            with_dataset=with_dataset,
            kept=KeptVerifications(store) if quick else None,
            jobs=usable_cores(),
            watch=watch_for(settings),
        )
        for store in settings.stores()
        if store.root.is_dir() or not experiments
    ]
    return stores, experiments
