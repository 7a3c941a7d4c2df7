"""Report the environment in which runs train on this machine, by a process that is pinned for them.

A Dask worker has imported numpy before RunForge can pin its environment, so it cannot tell what a
run in a process of its own would find. That process is this module:

    python -P -m runforge_engine.distributed.environment_report

Source: specification, sections 13.2 and 14.1.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from importlib import import_module
from typing import Any

from runforge_contracts.display import printable
from runforge_contracts.errors import ErrorCode, RunForgeError

from runforge_engine.runtime.interpreter import own_command, own_environment

#: How long the process may take, in seconds: on a busy machine, importing takes many.
_PATIENCE = 120.0
#: Longest name of a machine (RFC 1035).
_LONGEST_NAME = 253


def report_environment() -> dict[str, Any]:
    """Return the environment of runs on this machine.

    Returns
    -------
    dict
        ``python``, ``packages``, ``platform`` and ``numerics`` as in ``provenance``; and
        ``platform.host``, the name of the machine.

    Raises
    ------
    RunForgeError
        ``INTERNAL`` if the process fails.
    """
    command = own_command("runforge_engine.distributed.environment_report")
    folder = os.path.abspath(os.curdir)  # noqa: PTH100 - as own_environment compares it
    try:
        answer = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_PATIENCE,
            check=True,
            env=own_environment(os.environ, folder),  # type: ignore[arg-type]
        )
        report: dict[str, Any] = json.loads(answer.stdout)
    except (OSError, subprocess.SubprocessError, ValueError) as error:
        said = getattr(error, "stderr", None) or b""
        last = said.decode("utf-8", "replace").strip().rpartition("\n")[2]
        raise RunForgeError(
            ErrorCode.INTERNAL,
            f"The environment of runs is unknown: {printable(last) or error}",
        ) from None
    report["platform"]["host"] = host_name()
    return report


def host_name() -> str:
    """Return the name of this machine."""
    return printable(socket.gethostname())[:_LONGEST_NAME] or "unknown"


def _describe() -> dict[str, Any]:
    from runforge_engine.runtime.numeric_environment import pin_environment

    pin_environment()
    from runforge_engine.provenance.collect import PACKAGES, describe_environment

    # As in a run: of what is loaded, the version that was loaded counts, not what is installed.
    for module in PACKAGES.values():
        import_module(module)
    return describe_environment()


if __name__ == "__main__":
    json.dump(_describe(), sys.stdout)
