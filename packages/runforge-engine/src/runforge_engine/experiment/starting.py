"""How user code starts: a script, a module or a command, never a line for a shell.

Source: TFC-0003, sections 6 and 10.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Mapping
from importlib.machinery import PathFinder
from pathlib import Path
from typing import Any

from runforge_contracts.errors import ErrorCode, RunForgeError
from runforge_contracts.files import reading
from runforge_contracts.text import quote

from runforge_engine.experiment.places import place_in
from runforge_engine.interpreter import own_command

#: Stands for the path of the configuration among the words of a command.
CONFIG_WORD = "{config}"
_BRIDGE = "runforge_engine.experiment.bridge"


def command_of(run: Mapping[str, Any] | None, config: Path) -> list[str]:
    """Return program and arguments.

    Parameters
    ----------
    run
        How the experiment says that user code starts, valid; None: RunForge trains itself.
    config
        The configuration, absolute.
    """
    if run is None:
        return own_command(_BRIDGE, "--config", str(config))
    args = list(run.get("args", ()))
    if "command" in run:
        return [word.replace(CONFIG_WORD, str(config)) for word in (*run["command"], *args)]
    program = ["-m", run["module"]] if "module" in run else [run["script"]]
    return [sys.executable, *program, *args, "--config", str(config)]


def check_start(run: Mapping[str, Any], root: Path, environment: Mapping[str, str]) -> None:
    """Check that there is something to start; nothing of it is run or imported.

    Parameters
    ----------
    run
        How the experiment says that user code starts, valid.
    root
        The repository, which is the working directory.
    environment
        The variables that user code gets.

    Raises
    ------
    RunForgeError
        ``FILE_NOT_FOUND``, or ``PATH_OUTSIDE_ROOT`` for a script.
    """
    if "script" in run:
        place = place_in(root, run["script"], "/run/script")
        with reading(place.path):
            exists = place.path.is_file()
        if not exists:
            raise _missing(f"There is no script {quote(place.name, 200)}.", "/run/script")
    elif "module" in run:
        if not _has_module(run["module"], root, environment):
            message = f"There is no module {quote(run['module'], 200)}."
            raise _missing(message, "/run/module", "It is looked for as `python -m` does.")
    elif not _has_program(run["command"][0], root, environment):
        message = f"There is no program {quote(run['command'][0], 200)}."
        raise _missing(message, "/run/command/0")


def _missing(message: str, pointer: str, hint: str = "Check the path.") -> RunForgeError:
    return RunForgeError(ErrorCode.FILE_NOT_FOUND, message, hint=hint, pointer=pointer)


def _has_module(name: str, root: Path, environment: Mapping[str, str]) -> bool:
    more = [entry for entry in environment.get("PYTHONPATH", "").split(os.pathsep) if entry]
    places = [str(root), *(str(root / entry) for entry in more), *sys.path]
    parts = name.split(".")
    for number in range(1, len(parts) + 1):
        try:
            spec = PathFinder.find_spec(".".join(parts[:number]), places)
        except (ImportError, ValueError, OSError):
            return False
        if spec is None:
            return False
        places = list(spec.submodule_search_locations or ())
    return True


def _has_program(name: str, root: Path, environment: Mapping[str, str]) -> bool:
    if "\0" in name:
        return False
    if os.path.dirname(name):  # noqa: PTH120 - of the name as it stands
        name = str(root / name)
    return shutil.which(name, path=environment.get("PATH", os.defpath)) is not None
