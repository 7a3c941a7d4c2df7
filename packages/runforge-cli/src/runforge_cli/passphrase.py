"""The passphrase of a key: from the environment, or from whoever sits at the terminal."""

from __future__ import annotations

import sys

import click


def ask_passphrase() -> str | None:
    """Return the passphrase of an existing key; None where nobody can be asked."""
    from runforge_engine.keys import passphrase_from_environment

    given = passphrase_from_environment()
    if given is None and sys.stdin.isatty():
        given = click.prompt("Passphrase of the key", hide_input=True, err=True)
    return given


def choose_passphrase() -> str | None:
    """Return the passphrase of a new key; None for a key without one."""
    from runforge_engine.keys import passphrase_from_environment

    given = passphrase_from_environment()
    if given is None and sys.stdin.isatty():
        given = click.prompt(
            "Passphrase for the new key (empty for none)",
            hide_input=True,
            confirmation_prompt="The same again",
            default="",
            show_default=False,
            err=True,
        )
        return given or None
    return given
