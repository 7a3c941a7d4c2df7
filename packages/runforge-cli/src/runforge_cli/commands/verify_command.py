"""``runforge verify``: check whether a run, or the whole store, was changed."""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

import click
from runforge_contracts.errors import ErrorCode, ExitCode, RunForgeError

from runforge_cli.answers.archive_answers import unpacked
from runforge_cli.answers.verification_answers import verified_stores, verify_named
from runforge_cli.shell.completion import complete_file, complete_recorded
from runforge_cli.shell.file_argument import is_archive
from runforge_cli.shell.help_page import Command
from runforge_cli.shell.settings import Settings, global_options, pass_settings
from runforge_cli.terminal.output import write_json, write_lines
from runforge_cli.terminal.text_layout import plural

if TYPE_CHECKING:
    from runforge_engine.verification.verify_evaluation import EvaluationVerification
    from runforge_engine.verification.verify_run import RunVerification

_EXIT_CODES = {
    "verified": ExitCode.OK,
    "unverifiable": ExitCode.UNVERIFIABLE,
    "not verified": ExitCode.FAILED,
}


@click.command(
    "verify",
    cls=Command,
    short_help="Check whether a run or the store was changed.",
    examples=(
        "runforge verify latest",
        "runforge verify production --public-key runforge.key.pub",
        "runforge verify --all --quick",
    ),
)
@click.argument("runs", nargs=-1, metavar="RUN...", shell_complete=complete_recorded)
@click.option("--all", "everything", is_flag=True, help="Every run, the index and the signatures.")
@click.option(
    "--quick",
    is_flag=True,
    help="With --all: do not read runs again whose files have the same sizes and times.",
)
@click.option(
    "--public-key",
    "public_keys",
    multiple=True,
    metavar="FILE",
    help="Require signatures by the matching private key, or by one of several.",
    shell_complete=complete_file,
)
@click.option("--without-dataset", is_flag=True, help="Do not check the datasets.")
@global_options
@pass_settings
def command(
    settings: Settings,
    runs: tuple[str, ...],
    everything: bool,
    quick: bool,
    public_keys: tuple[str, ...],
    without_dataset: bool,
) -> int:
    """Check that runs are unchanged; exit with 0 if they are, and with 1 if a check fails.

    The exit code is 7 if no check fails, but a run cannot be verified: other clients record no
    digests of its files.

    All files are compared with the recorded digests, the documents with their schemas and each
    other, and the run with its provenance statement, the index, the signature and the dataset.
    The evaluations of a run are verified with it; RUN may also be the id of an evaluation, a
    bundle, or an archive in one file, of which everything but the datasets is checked.
    --all also checks the whole index, that nothing signed is missing, and the finished experiment
    runs. A folder that repeats a run for an editor is compared with that run. Nothing is written.

    --quick notes in the user's cache folder which runs were verified. The next time it does not
    read a run again if no file of it was touched since, by size, times and inode, and says for how
    many it took that. Without --quick every byte is read.
    """
    if everything == bool(runs):
        raise RunForgeError(
            ErrorCode.USAGE_INVALID,
            "Pass run ids or --all, not both." if runs else "No run is named.",
            hint="Name a run, such as `latest`, or pass --all.",
        )
    if quick and not everything:
        raise RunForgeError(
            ErrorCode.USAGE_INVALID,
            "--quick is an option of --all.",
            hint="Runs that are named are always read.",
        )
    keys = [Path(key) for key in public_keys]
    archives = [run for run in runs if is_archive(run)]
    if archives and len(runs) > 1:
        raise RunForgeError(
            ErrorCode.USAGE_INVALID,
            "An archive is verified by itself.",
            hint="Name one archive, or runs.",
        )
    everything |= bool(archives)
    if everything:
        with unpacked(settings, archives[0]) if archives else nullcontext(settings) as place:
            stores, experiments = verified_stores(
                place, keys, with_dataset=not (without_dataset or archives), quick=quick
            )
        found = [*(run for store in stores for run in (*store.runs, *store.views)), *experiments]
        evaluations = [item for store in stores for item in store.evaluations]
    else:
        named = verify_named(settings, runs, keys, with_dataset=not without_dataset)
        stores, experiments = [], []
        found, evaluations = named.runs, named.evaluations
    from runforge_engine.verification.verify_store import verification_document, worst_verdict

    if settings.json:
        from msgspec import to_builtins

        document = verification_document(found, stores if everything else None, evaluations)
        write_json(to_builtins(document))
    else:
        from runforge_cli.render.verification_view import verification_lines

        # With --all, only runs with findings are shown.
        brief = everything and not settings.verbose
        shown: list[RunVerification | EvaluationVerification] = [
            *(run for run in found if not (brief and run.holds)),
            *(item for item in evaluations if not (brief and item.holds)),
        ]
        write_lines(verification_lines(stores, shown, verbose=settings.verbose))
        if experiments:
            verified = sum(run.verdict == "verified" for run in experiments)
            total = plural(len(experiments), "run")
            write_lines([f"Experiments: {verified:,} of {total} verified"])
    return _EXIT_CODES[worst_verdict(found, stores, evaluations)]
