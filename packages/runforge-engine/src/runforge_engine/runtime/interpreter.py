"""Python processes of our own: what they start with, so that no file of a workspace is imported.

User code is started as its author wants it; see :mod:`runforge_engine.experiment.run.command`.

Source: Python, "Command line and environment", ``-P`` and ``PYTHONPATH``.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path


def own_command(module: str, *arguments: str) -> list[str]:
    """Return what starts one of our modules; the folder it is started in is not on its path."""
    return [sys.executable, "-P", "-m", module, *arguments]


def own_environment(environment: Mapping[str, str], folder: Path) -> dict[str, str]:
    """Return the variables of a process of our own that is started in ``folder``.

    ``PYTHONPATH`` keeps what somebody has put there, absolute, and loses the current folder and
    ``folder``: an empty entry means the current folder, which is another one for each process.
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
