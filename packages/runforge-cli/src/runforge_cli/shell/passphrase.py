"""The passphrase of a key, from the environment or from a prompt on the terminal."""

from __future__ import annotations

import os
import sys

import click
from runforge_contracts.errors import ErrorCode, RunForgeError


def ask_passphrase() -> str | None:
    """Return the passphrase of an existing key, or None if there is no terminal to ask on."""
    from runforge_engine.provenance.keys import passphrase_from_environment

    given = passphrase_from_environment()
    if given is None and sys.stdin.isatty():
        given = click.prompt("Passphrase of the key", hide_input=True, err=True)
    return given


def choose_passphrase() -> str | None:
    """Return the passphrase of a new key; None for a key without one.

    Raises
    ------
    RunForgeError
        ``KEY_INVALID`` if the environment variable is empty and there is no terminal to ask on: a
        missing secret must not produce an unencrypted key.
    """
    from runforge_engine.provenance.keys import PASSPHRASE_VARIABLE, passphrase_from_environment

    given = passphrase_from_environment()
    if given is None and sys.stdin.isatty():
        given = click.prompt(
            "Passphrase for the new key (empty for none)",
            hide_input=True,
            confirmation_prompt="Repeat the passphrase",
            default="",
            show_default=False,
            err=True,
        )
        return given or None
    if given is None and PASSPHRASE_VARIABLE in os.environ:
        raise RunForgeError(
            ErrorCode.KEY_INVALID,
            f"{PASSPHRASE_VARIABLE} is empty, so the new key would not be encrypted.",
            hint="Set it to a passphrase, or unset it for a key without one.",
        )
    return given
