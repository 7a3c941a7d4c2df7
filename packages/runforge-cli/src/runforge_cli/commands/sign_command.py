"""``runforge sign``: sign a run or an evaluation, and the current index."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from runforge_contracts.diagnostics import raw_diagnostic
from runforge_contracts.display import quote
from runforge_contracts.errors import ErrorCode, Location, Problem, RunForgeError
from runforge_contracts.validation import MAX_PROBLEMS

from runforge_cli.shell.completion import complete_file, complete_recorded
from runforge_cli.shell.help_page import Command
from runforge_cli.shell.passphrase import ask_passphrase
from runforge_cli.shell.settings import Settings, global_options, pass_settings
from runforge_cli.terminal.output import warn, write_json, write_lines
from runforge_cli.terminal.text_layout import pairs, plural

if TYPE_CHECKING:
    from runforge_engine.provenance.folder_digest import FolderDigests
    from runforge_engine.verification.check_result import Check
    from runforge_engine.verification.context import Surroundings


@click.command(
    "sign",
    cls=Command,
    short_help="Sign a run, or an evaluation, and the index.",
    examples=("runforge sign latest --key runforge.key",),
)
@click.argument("run", default="latest", shell_complete=complete_recorded)
@click.option(
    "--key", metavar="FILE", required=True, help="Private key.", shell_complete=complete_file
)
@click.option("--replace", is_flag=True, help="Replace an existing signature.")
@global_options
@pass_settings
def command(settings: Settings, run: str, key: str, replace: bool) -> int:
    """Sign every file of RUN, a run or the id of an evaluation, together with the current index.

    Only what verifies is signed. The signature is in the OpenSSF Model Signing format and is
    written to signatures/RUN.sig in the store. The passphrase of the key is taken from
    RUNFORGE_KEY_PASSPHRASE, or from a prompt on the terminal.
    """
    from runforge_engine.provenance.keys import exposure_of
    from runforge_engine.provenance.signatures import read_claim, sign_folder

    target = _evaluation(settings, run) or _run(settings, run)
    index = target.around.index
    head = None if index is None else target.around.chain.head
    origin = None if index is None else index.origin
    if target.around.alias_problem is not None:
        raise target.around.alias_problem
    if target.around.removal_problem is not None:
        raise target.around.removal_problem
    aliases, removals = target.around.alias_head, target.around.removal_head
    path = sign_folder(
        target.folder,
        Path(key),
        index_head=head,
        alias_head=aliases,
        removal_head=removals,
        origin=origin,
        passphrase=ask_passphrase,
        replace=replace,
        found=target.digests,
    )
    claim = read_claim(path)
    exposed = exposure_of(Path(key))
    if exposed is not None:
        warn(f"{exposed.message} hint: {exposed.details['hint']}")
    if settings.json:
        document: dict[str, Any] = {
            **target.names,
            "signature": target.around.relative(path),
            "key": claim.key,
        }
        heads = {"index_head": head, "alias_head": aliases, "removal_head": removals}
        for name, known in heads.items():
            if known is not None:
                document[name] = {"count": known.count, "sha256": known.sha256}
        if origin is not None:
            document["origin"] = origin
        if exposed is not None:
            document["diagnostics"] = [raw_diagnostic(exposed)]
        write_json(document)
        return 0
    covered = plural(len(claim.content.files), "file")
    if head is not None:
        covered += f"; the index ({plural(head.count, 'entry', 'entries')})"
    if aliases is not None:
        covered += f"; the history of the aliases ({plural(aliases.count, 'line')})"
    if removals is not None:
        covered += f"; the record of removed runs ({plural(removals.count, 'line')})"
    write_lines(
        pairs(
            [
                (target.what, target.folder.name),
                ("signed", covered),
                ("signature", settings.shown(path)),
                ("key", claim.key),
            ],
            indent=0,
        )
    )
    return 0


@dataclass(frozen=True)
class _Target:
    """What is signed, once it is verified."""

    what: str
    folder: Path
    around: Surroundings
    digests: FolderDigests | None
    #: How it is named with ``--json``.
    names: dict[str, str]


def _run(settings: Settings, reference: str) -> _Target:
    """Return the run that a reference names, if it verifies."""
    from runforge_contracts.store.layout import RESULT
    from runforge_contracts.store.lookup import made
    from runforge_engine.verification.context import surroundings_of
    from runforge_engine.verification.verify_run import verify_run

    folder = settings.find_run(
        reference,
        "`runforge verify {run}` compares its files with the digests in its manifest.",
        made(RESULT),
    ).path
    around = surroundings_of(folder, settings.stores())
    # Neither an older signature nor the dataset is part of the run.
    found = verify_run(folder, around, with_dataset=False, with_signature=False)
    if not found.holds:
        raise _refusal("run", found.run_id, found.run_dir, found.checks)
    names = {"run_id": found.run_id, "run_dir": found.run_dir}
    return _Target("run", folder, around, found.digests, names)


def _evaluation(settings: Settings, reference: str) -> _Target | None:
    """Return the evaluation that a reference names, if it verifies; None if it names none.

    The dataset and the model are verified, too: the signature is of their digests.
    """
    from runforge_contracts.store.evaluations import find_evaluation, is_evaluation
    from runforge_engine.verification.context import evaluation_surroundings

    from runforge_cli.answers.verification_answers import verified_evaluations

    if not is_evaluation(reference, settings.stores()):
        return None
    evaluation = find_evaluation(reference, settings.stores())
    folder = evaluation.path.absolute()
    [found] = verified_evaluations([evaluation], settings, with_signature=False)
    if not found.holds:
        raise _refusal("evaluation", evaluation.id, found.evaluation_dir, found.checks)
    around = evaluation_surroundings(folder, settings.folder)
    names = {"evaluation_id": evaluation.id, "evaluation_dir": found.evaluation_dir}
    return _Target("evaluation", folder, around, found.digests, names)


def _refusal(what: str, name: str, place: str, checks: Iterable[Check]) -> RunForgeError:
    findings = [finding for check in checks for finding in check.findings]
    return RunForgeError(
        ErrorCode.VERIFICATION_FAILED,
        f"The {what} {quote(name)} does not verify, so it is not signed.",
        hint=f"`runforge verify {name}` shows the details.",
        path=place,
        problems=[
            Problem(finding.message, Location(path=finding.file, pointer=finding.pointer))
            for finding in findings[:MAX_PROBLEMS]
        ],
    )
