"""``runforge sign``: sign a run and the current index."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from runforge_contracts.diagnostics import raw_diagnostic
from runforge_contracts.display import quote
from runforge_contracts.errors import ErrorCode, Location, Problem, RunForgeError
from runforge_contracts.validation import MAX_PROBLEMS

from runforge_cli.shell.completion import (
    complete_file,
    run_argument,
)
from runforge_cli.shell.passphrase import ask_passphrase
from runforge_cli.shell.settings import (
    Settings,
    global_options,
    pass_settings,
)
from runforge_cli.terminal.output import warn, write_json, write_lines
from runforge_cli.terminal.text_layout import pairs, plural

if TYPE_CHECKING:
    from runforge_engine.verification.verify_run import RunVerification


@click.command("sign", short_help="Sign a run and the index.")
@run_argument
@click.option(
    "--key", metavar="FILE", required=True, help="Private key.", shell_complete=complete_file
)
@click.option("--replace", is_flag=True, help="Replace an existing signature.")
@global_options
@pass_settings
def command(settings: Settings, run: str, key: str, replace: bool) -> int:
    """Sign every file of RUN together with the current index.

    Only a run that verifies is signed. The signature is in the OpenSSF Model Signing format and is
    written to signatures/RUN.sig in the store. The passphrase of the key is taken from
    RUNFORGE_KEY_PASSPHRASE, or from a prompt on the terminal.
    """
    from runforge_contracts.store.layout import RESULT
    from runforge_contracts.store.lookup import made
    from runforge_engine.provenance.keys import exposure_of
    from runforge_engine.provenance.signatures import read_claim, sign_folder
    from runforge_engine.verification.context import surroundings_of
    from runforge_engine.verification.verify_run import verify_run

    folder = settings.find_run(
        run,
        "`runforge verify {run}` compares its files with the digests in its manifest.",
        made(RESULT),
    ).path
    around = surroundings_of(folder, settings.stores())
    # Neither an older signature nor the dataset is part of the run.
    found = verify_run(folder, around, with_dataset=False, with_signature=False)
    if not found.holds:
        raise _refusal(found)
    head = None if around.entries is None else around.chain.head
    path = sign_folder(
        folder,
        Path(key),
        index_head=head,
        passphrase=ask_passphrase,
        replace=replace,
        found=found.digests,
    )
    claim = read_claim(path)
    exposed = exposure_of(Path(key))
    if exposed is not None:
        warn(f"{exposed.message} hint: {exposed.details['hint']}")
    if settings.json:
        document: dict[str, Any] = {
            "run_id": found.run_id,
            "run_dir": found.run_dir,
            "signature": around.relative(path),
            "key": claim.key,
        }
        if head is not None:
            document["index_head"] = {"count": head.count, "sha256": head.sha256}
        if exposed is not None:
            document["diagnostics"] = [raw_diagnostic(exposed)]
        write_json(document)
        return 0
    covered = plural(len(claim.content.files), "file")
    if head is not None:
        covered += f", and the index with {plural(head.count, 'entry', 'entries')}"
    write_lines(
        pairs(
            [
                ("run", found.run_id),
                ("signed", covered),
                ("signature", settings.shown(path)),
                ("key", claim.key),
            ],
            indent=0,
        )
    )
    return 0


def _refusal(found: RunVerification) -> RunForgeError:
    findings = [finding for check in found.checks for finding in check.findings]
    return RunForgeError(
        ErrorCode.VERIFICATION_FAILED,
        f"The run {quote(found.run_id)} does not verify, so it is not signed.",
        hint=f"`runforge verify {found.run_id}` shows the details.",
        path=found.run_dir,
        problems=[
            Problem(finding.message, Location(path=finding.file, pointer=finding.pointer))
            for finding in findings[:MAX_PROBLEMS]
        ],
    )
