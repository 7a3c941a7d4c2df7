"""The file of user code that an experiment starts: found, digested, and copied into the run.

With a commit, Git has the code; but a commit may be missing, and files may differ from it. So the
run has the digest of the file that was started, and a copy where it is small.

Source: specification, sections 17.1 and 17.5.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from importlib.machinery import PathFinder
from pathlib import Path
from typing import Any

from runforge_contracts.errors import RunForgeError
from runforge_contracts.fs.files import open_file

#: The name of the program among the references of a run.
PROGRAM = "program"
#: Largest file that is copied, in bytes.
MAX_COPY = 2**20


def program_of(run: Mapping[str, Any], root: Path) -> str | None:
    """Return the path of the program relative to the repository; None where it is not in there.

    Parameters
    ----------
    run
        The valid `run` section of the experiment. Of a command, the program is the first word that
        is the path of a file of the repository.
    root
        The repository, absolute and without symbolic links.
    """
    for path in _candidates(run, root):
        real = Path(os.path.realpath(path))
        if real.is_relative_to(root) and real.is_file():
            return os.path.relpath(path, root).replace(os.sep, "/")
    return None


def program_to_copy(path: Path) -> dict[str, bytes]:
    """Return the program by its name; nothing if it is large, or cannot be read any more."""
    try:
        with open_file(path) as file:
            data = file.read(MAX_COPY + 1)
    except RunForgeError:
        return {}
    return {path.name: data} if len(data) <= MAX_COPY else {}


def _candidates(run: Mapping[str, Any], root: Path) -> Iterator[Path]:
    if "script" in run:
        yield root / run["script"]
    elif "module" in run:
        yield from _files_of(run["module"].split("."), root)
    else:
        yield from (root / word for word in run["command"] if word and "\0" not in word)


def _files_of(parts: Sequence[str], root: Path) -> Iterator[Path]:
    """Yield what ``python -m`` runs, if it is in the repository; nothing is imported."""
    places = [str(root)]
    for number, part in enumerate(parts, start=1):
        try:
            spec = PathFinder.find_spec(part, places)
        except (ImportError, ValueError, OSError):
            return
        if spec is None:
            return
        places = list(spec.submodule_search_locations or ())
        if number == len(parts):
            if places:
                yield from (Path(place) / "__main__.py" for place in places)
            elif spec.origin:
                yield Path(spec.origin)
