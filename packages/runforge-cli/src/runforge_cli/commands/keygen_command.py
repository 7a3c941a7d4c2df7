"""``runforge keygen``: create a key to sign runs with."""

from __future__ import annotations

from pathlib import Path

import click

from runforge_cli.shell.completion import complete_file
from runforge_cli.shell.help_page import Command
from runforge_cli.shell.passphrase import choose_passphrase
from runforge_cli.shell.settings import Settings, global_options, pass_settings
from runforge_cli.terminal.output import write_json, write_lines
from runforge_cli.terminal.text_layout import pairs, paragraph


@click.command(
    "keygen",
    cls=Command,
    short_help="Create a key to sign runs with.",
    examples=("runforge keygen --out team.key",),
)
@click.option(
    "--out",
    metavar="FILE",
    default="runforge.key",
    help="Private key file; must not exist.",
    shell_complete=complete_file,
)
@global_options
@pass_settings
def command(settings: Settings, out: str) -> int:
    """Create a key pair: the private key in FILE, the public key beside it in FILE.pub.

    Only the owner can read the private key, and it is never overwritten. It is encrypted with the
    passphrase in RUNFORGE_KEY_PASSPHRASE, or with one from a prompt on the terminal; leave that
    empty for no passphrase.
    """
    from runforge_engine.provenance.keys import check_free, generate_key

    path = Path(out).absolute()
    check_free(path)  # before the prompt for a passphrase
    passphrase = choose_passphrase()
    made = generate_key(path, passphrase=passphrase)
    if settings.json:
        write_json(
            {
                "private_key": str(made.private_key),
                "public_key": str(made.public_key),
                "fingerprint": made.fingerprint,
                "encrypted": passphrase is not None,
            }
        )
        return 0
    write_lines(
        [
            *pairs(
                [
                    ("private key", out),  # as given, which is shorter and can be copied
                    ("public key", f"{out}.pub"),
                    ("fingerprint", made.fingerprint),
                ],
                indent=0,
            ),
            "",
            *paragraph(
                "Keep the private key secret and outside the workspace; give the public key to"
                " everyone who verifies your runs."
            ),
        ]
    )
    return 0
