"""``runforge keygen``: a key to sign runs with."""

from __future__ import annotations

from pathlib import Path

import click

from runforge_cli.render.output import write_json, write_lines
from runforge_cli.render.text_layout import pairs, paragraph
from runforge_cli.shell.passphrase import choose_passphrase
from runforge_cli.shell.settings import Settings, global_options, pass_settings


@click.command("keygen", short_help="Make a key to sign runs with.")
@click.option(
    "--out", metavar="FILE", default="runforge.key", help="The private key [runforge.key]."
)
@global_options
@pass_settings
def command(settings: Settings, out: str) -> int:
    """Make a key pair: the private key in FILE, the public one beside it in FILE.pub.

    The private key is for its owner alone and is never overwritten. It is encrypted with the
    passphrase in RUNFORGE_KEY_PASSPHRASE, or with one that is asked for on a terminal.
    """
    from runforge_engine.provenance.keys import check_free, generate_key

    path = Path(out).absolute()
    check_free(path)  # Before somebody thinks of a passphrase.
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
                    ("private key", out),  # As it was named: shorter, and to be copied.
                    ("public key", f"{out}.pub"),
                    ("fingerprint", made.fingerprint),
                ],
                indent=0,
            ),
            "",
            *paragraph(
                "Keep the private key to yourself, outside the workspace; give the public one to"
                " everybody who verifies."
            ),
        ]
    )
    return 0
