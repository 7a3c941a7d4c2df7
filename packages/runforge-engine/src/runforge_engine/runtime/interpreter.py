"""Start RunForge's own Python processes, so that they import no file of a workspace.

User code is started as its author wants it; see :mod:`runforge_engine.experiment.run.command`.

Source: Python, "Command line and environment", ``-P`` and ``PYTHONPATH``.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path


def own_command(module: str, *arguments: str) -> list[str]:
    """Return the command that runs a module, without the current folder on its path."""
    return [sys.executable, "-P", "-m", module, *arguments]


def own_environment(environment: Mapping[str, str], folder: Path) -> dict[str, str]:
    """Return the environment variables of a process that is started in ``folder``.

    The entries of ``PYTHONPATH`` become absolute, without the current folder and ``folder``: an
    empty entry means the current folder, which differs between processes.
    """
    variables = dict(environment)
    named = variables.pop("PYTHONPATH", "")
    if not named:
        return variables
    here = os.path.abspath(os.curdir)  # noqa: PTH100 - of a path that is not resolved, as Python has it
    entries = [os.path.abspath(entry) for entry in named.split(os.pathsep)]  # noqa: PTH100
    kept = [entry for entry in entries if entry not in (here, os.path.abspath(folder))]  # noqa: PTH100
    if kept:
        variables["PYTHONPATH"] = os.pathsep.join(kept)
    return variables
