"""``runforge verify``: check whether a run, or the whole store, was changed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click
from runforge_contracts.errors import ErrorCode, ExitCode, RunForgeError

from runforge_cli.shell.settings import Settings, complete_run, global_options, pass_settings
from runforge_cli.terminal.output import write_json, write_lines
from runforge_cli.terminal.text_layout import plural

if TYPE_CHECKING:
    from runforge_engine.verification.verify_run import RunVerification
    from runforge_engine.verification.verify_store import StoreVerification

_EXIT_CODES = {
    "verified": ExitCode.OK,
    "unverifiable": ExitCode.UNVERIFIABLE,
    "not verified": ExitCode.FAILED,
}


@click.command("verify", short_help="Check whether a run or the store was changed.")
@click.argument("runs", nargs=-1, metavar="RUN...", shell_complete=complete_run)
@click.option("--all", "everything", is_flag=True, help="Every run, the index and the signatures.")
@click.option(
    "--public-key", metavar="FILE", help="Require signatures by the matching private key."
)
@click.option("--without-dataset", is_flag=True, help="Do not check the datasets.")
@global_options
@pass_settings
def command(
    settings: Settings,
    runs: tuple[str, ...],
    everything: bool,
    public_key: str | None,
    without_dataset: bool,
) -> int:
    """Check that runs are unchanged; exit with 0 if they are, and with 1 if a check fails.

    The exit code is 7 if no check fails, but a run cannot be verified: other clients record no
    digests of its files.

    All files are compared with the recorded digests, the documents with their schemas and each
    other, and the run with its provenance statement, the index, the signature and the dataset.
    --all also checks the whole index, that no signed run is missing, and the finished experiment
    runs. A folder that repeats a run for an editor is compared with that run. Nothing is written.
    """
    if everything == bool(runs):
        raise RunForgeError(
            ErrorCode.USAGE_INVALID,
            "Pass run ids or --all, not both." if runs else "No run is named.",
            hint="Name a run, such as `latest`, or pass --all.",
        )
    key = None if public_key is None else Path(public_key)
    if everything:
        stores, experiments = _everything(settings, key, with_dataset=not without_dataset)
        found = [*(run for store in stores for run in (*store.runs, *store.views)), *experiments]
    else:
        stores, experiments = [], []
        found = list(_runs(settings, runs, key, with_dataset=not without_dataset))
    from runforge_engine.verification.verify_store import verification_document

    document = verification_document(found, stores if everything else None)
    if settings.json:
        from msgspec import to_builtins

        write_json(to_builtins(document))
    else:
        from runforge_cli.render.verification_view import verification_lines

        # With --all, only runs with findings are shown.
        brief = everything and not settings.verbose
        shown = [run for run in found if not (brief and run.holds)]
        write_lines(verification_lines(stores, shown, verbose=settings.verbose))
        if experiments:
            verified = sum(run.verdict == "verified" for run in experiments)
            total = plural(len(experiments), "run")
            write_lines([f"Experiments: {verified:,} of {total} verified"])
    return _EXIT_CODES[document.verdict]


def _runs(
    settings: Settings, references: tuple[str, ...], public_key: Path | None, *, with_dataset: bool
) -> Iterator[RunVerification]:
    from runforge_contracts.store.experiment_runs import ExperimentRun
    from runforge_contracts.store.layout import EXPERIMENT_RUNS
    from runforge_contracts.store.lookup import has_ended
    from runforge_contracts.store.run import Run
    from runforge_engine.verification.context import surroundings_of
    from runforge_engine.verification.verify_run import verify_run
    from runforge_engine.verification.verify_view import verify_view

    # All runs are located before any is read, so that a mistyped name is reported at once.
    folders = [settings.find_any(reference, has_ended) for reference in references]
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
                demand_signature=public_key is not None,
            )
        else:
            around = surroundings_of(path, settings.stores(), public_key)
            yield verify_run(path, around, with_dataset=with_dataset)
    for folder in folders:
        if isinstance(folder, Run) and folder.view is not None:
            around = surroundings_of(folder.view, settings.stores())
            yield verify_view(folder.view, folder.path, around)


def _everything(
    settings: Settings, public_key: Path | None, *, with_dataset: bool
) -> tuple[list[StoreVerification], list[RunVerification]]:
    """Return the verification of all stores and experiment runs; having neither is an error."""
    from runforge_engine.provenance.keys import load_public_key
    from runforge_engine.verification.dataset_check import Datasets
    from runforge_engine.verification.verify_store import verify_store

    key = None if public_key is None else load_public_key(public_key)
    datasets = Datasets(settings.folder)
    experiments: list[RunVerification] = []
    for place in settings.experiments():
        from runforge_engine.experiment.record.experiment_verification import verify_experiments

        experiments += verify_experiments(
            place.workspace,
            datasets,
            with_dataset=with_dataset,
            demand_signature=key is not None,
        )
    stores = [
        verify_store(store, public_key=key, datasets=datasets, with_dataset=with_dataset)
        for store in settings.stores()
        if store.root.is_dir() or not experiments
    ]
    return stores, experiments
