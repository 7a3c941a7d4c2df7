"""Write the report on runs from Python; the command line makes it, in a process of its own.

A report computes the curves again, so it needs the pinned numeric environment, which a program that
has loaded numpy can no longer have. The engine imports nothing of the command line for it.
"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

from runforge_contracts.errors import ErrorCode, RunForgeError
from runforge_contracts.store.layout import find_workspace
from runforge_contracts.store.lookup import AnyRun

from runforge_engine.runtime.interpreter import own_command, own_environment

#: The package that writes reports.
_COMMANDS = "runforge_cli"


def write_report(runs: Sequence[AnyRun], target: Path, *, curves: bool, replace: bool) -> Path:
    """Write the report on one or more runs to ``target``, and return its path.

    Raises
    ------
    RunForgeError
        ``USAGE_INVALID`` without a run, ``EXTRA_MISSING`` where the command line is not installed,
        and the errors of ``runforge report``.
    """
    if not runs:
        raise RunForgeError(ErrorCode.USAGE_INVALID, "Give at least one run to report on.")
    if find_spec(_COMMANDS) is None:
        raise RunForgeError(
            ErrorCode.EXTRA_MISSING,
            "Reports are written by the package runforge-cli, which is not installed.",
            hint="Install it beside runforge-engine, in the same version.",
        )
    target = Path(os.path.abspath(target))  # noqa: PTH100 - keeps links
    options = [*([] if curves else ["--no-model"]), *(["--force"] if replace else [])]
    done = subprocess.run(
        own_command(
            *(_COMMANDS, "report", f"--output={target}", *options),
            *("--workspace", str(find_workspace(runs[0].path)), "--json", "--quiet"),
            *("--", *(str(run.path.absolute()) for run in runs)),
        ),
        env=own_environment(os.environ, Path()),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
    )
    try:
        answer = json.loads(done.stdout)
    except ValueError:
        raise RunForgeError(
            ErrorCode.INTERNAL,
            f"The process that writes reports ended with code {done.returncode} and without an"
            " answer.",
            hint="`runforge report` in a terminal shows why.",
        ) from None
    if "error" in answer:
        raise RunForgeError.from_dict(answer["error"])
    return target
