"""Build the command that starts user code: a script, a module or a command, never a shell line.

Source: specification, sections 17.2 and 17.6.
"""

from __future__ import annotations

import os
import re
import shutil
import sys
from collections.abc import Mapping
from importlib.machinery import PathFinder
from pathlib import Path
from typing import Any

from runforge_contracts.display import quote
from runforge_contracts.errors import ErrorCode, RunForgeError
from runforge_contracts.fs.files import reading

from runforge_engine.experiment.config.config_paths import place_in
from runforge_engine.experiment.config.field_names import CONFIG, filled_in
from runforge_engine.runtime.interpreter import own_command

#: Whether a script or module gets the path of its configuration as an argument; true by default.
CONFIG_ARGUMENT = "config_argument"
#: Messages of argument parsers for an unknown argument: argparse, click, absl, fire and others.
_UNKNOWN = (
    r"(?:unrecogni[sz]ed|unknown|ambiguous|unexpected|extra|invalid|no such)"
    r" (?:command[- ]line )?(?:options?|arguments?|args?|flags?|parameters?)|not consume"
)
_BEHIND = r"not used|not recogni[sz]ed|not understood|unrecogni[sz]ed|unexpected"
_CONFIG_UNKNOWN = re.compile(
    rf"(?:{_UNKNOWN}|{_BEHIND})[^\n]*(?<![\w-])(?:--config|'config')(?![\w-])"
    rf"|--config(?![\w-])[^\n]*(?:{_BEHIND})",
    re.IGNORECASE,
)
_BRIDGE = "runforge_engine.api.train_experiment"


def command_of(
    run: Mapping[str, Any] | None,
    config: Path,
    values: Mapping[str, Any],
    variables: Mapping[str, str],
) -> list[str]:
    """Return the program and its arguments.

    Parameters
    ----------
    run
        The valid `run` section of the experiment; None where RunForge trains the model.
    config
        The configuration, absolute.
    values
        The configuration, whose values the words may refer to.
    variables
        Environment variables that are not in the configuration, by name.
    """
    if run is None:
        return own_command(_BRIDGE, "--config", str(config))
    values = {**values, CONFIG: str(config)}
    words = [
        filled_in(word, values, variables)
        for word in (*run.get("command", ()), *run.get("args", ()))
    ]
    if "command" in run:
        return words
    program = ["-m", run["module"]] if "module" in run else [run["script"]]
    last = ["--config", str(config)] if takes_config(run) else []
    return [sys.executable, *program, *words, *last]


def takes_config(run: Mapping[str, Any]) -> bool:
    """Return whether ``--config PATH`` follows the arguments."""
    return "command" not in run and run.get(CONFIG_ARGUMENT, True) is True


def says_config_is_unknown(output: str) -> bool:
    """Return whether the output of a failed script reports ``--config`` as unknown."""
    return _CONFIG_UNKNOWN.search(output) is not None


def check_start(run: Mapping[str, Any], root: Path, environment: Mapping[str, str]) -> None:
    """Check that the user code exists, without running or importing it.

    Parameters
    ----------
    run
        The valid `run` section of the experiment.
    root
        The repository, which is the working directory.
    environment
        The variables that user code gets.

    Raises
    ------
    RunForgeError
        ``FILE_NOT_FOUND``, or ``PATH_OUTSIDE_ROOT`` for a script; ``EXPERIMENT_INVALID`` where a
        command already has the argument that would be added.
    """
    if "command" in run and run.get(CONFIG_ARGUMENT):
        raise RunForgeError(
            ErrorCode.EXPERIMENT_INVALID,
            "A command has `config_argument`, which is for a script or a module.",
            hint="Write `{config}` where the command takes the path of its configuration.",
            pointer=f"/run/{CONFIG_ARGUMENT}",
        )
    if "script" in run:
        place = place_in(root, run["script"], "/run/script")
        with reading(place.path):
            exists = place.path.is_file()
        if not exists:
            message = f"There is no script {quote(place.name, 200)}."
            raise _missing(message, "/run/script", _of_words(run["script"], root))
    elif "module" in run:
        if not _has_module(run["module"], root, environment):
            message = f"There is no module {quote(run['module'], 200)}."
            hint = "It is looked for as `python -m` does."
            if run["module"].endswith(".py"):
                hint = f"Write `script: {run['module']}` for a file."
            raise _missing(message, "/run/module", hint)
    elif not _has_program(run["command"][0], root, environment):
        name = run["command"][0]
        hint = "It is looked for in PATH, or in the repository where it is a path."
        if (root / name).is_file():
            hint = "The file is there and cannot be executed: `chmod +x`, or name what runs it."
        elif name.split(maxsplit=1)[1:]:
            hint = "Write an item for each word, or `[sh, -c, ...]` to have a shell."
        raise _missing(f"There is no program {quote(name, 200)}.", "/run/command/0", hint)


def _of_words(script: str, root: Path) -> str:
    first = script.split(maxsplit=1)[:1]
    if first and first[0] != script and (root / first[0]).is_file():
        return f"Write the arguments of {quote(first[0])} under `args`, an item for each."
    return "Check the path."


def _missing(message: str, pointer: str, hint: str = "Check the path.") -> RunForgeError:
    return RunForgeError(ErrorCode.FILE_NOT_FOUND, message, hint=hint, pointer=pointer)


def _has_module(name: str, root: Path, environment: Mapping[str, str]) -> bool:
    more = [entry for entry in environment.get("PYTHONPATH", "").split(os.pathsep) if entry]
    places = [str(root), *(str(root / entry) for entry in more), *sys.path]
    for part in name.split("."):
        try:
            # Not by the dotted name: for a folder without `__init__.py` its parent is asked then,
            # which is not imported.
            spec = PathFinder.find_spec(part, places)
        except (ImportError, ValueError, OSError):
            return False
        if spec is None:
            return False
        places = list(spec.submodule_search_locations or ())
    return True


def _has_program(name: str, root: Path, environment: Mapping[str, str]) -> bool:
    if "\0" in name:
        return False
    if os.path.dirname(name):  # noqa: PTH120 - links in the name are not resolved
        name = str(root / name)
    return shutil.which(name, path=environment.get("PATH", os.defpath)) is not None
