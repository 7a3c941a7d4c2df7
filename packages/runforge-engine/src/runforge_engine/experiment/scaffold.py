"""Create the files of a repository for experiments.

Source: specification, sections 17.1 and 17.2.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from runforge_contracts.display import quote
from runforge_contracts.errors import ErrorCode, RunForgeError
from runforge_contracts.fs.files import writing

from runforge_engine.experiment.config.config_paths import place_in
from runforge_engine.store.run_folders import write_new

_ATTRIBUTES = ".gitattributes"
#: The files of a new repository, and their paths in the package.
_FILES = {
    "README.md": "README.md",
    _ATTRIBUTES: "gitattributes",
    ".gitignore": "gitignore",
    "configs/base.yaml": "configs/base.yaml",
    "data/penguins.csv": "data/penguins.csv",
    "experiments/exp-001.yaml": "experiments/exp-001.yaml",
    "experiments/exp-002.yaml": "experiments/exp-002.yaml",
    "src/penguins.py": "src/penguins.py",
    "src/train.py": "src/train.py",
    "src/train_epochs.py": "src/train_epochs.py",
    "tools/run.py": "tools/run.py",
}


@dataclass(frozen=True, slots=True)
class Initialised:
    """The changes made to a repository."""

    root: Path
    #: Files that were written, relative to the root.
    written: tuple[str, ...]
    #: Existing files with the same contents as would have been written.
    same: tuple[str, ...]
    #: Existing files with other contents; they were not changed.
    kept: tuple[str, ...]
    #: Lines that are missing from an existing `.gitattributes`.
    missing_attributes: tuple[str, ...]


def initialise(folder: Path) -> Initialised:
    """Set up a repository for experiments in ``folder``, which is created if it does not exist.

    Existing files are not changed.

    Raises
    ------
    RunForgeError
        ``PATH_OUTSIDE_ROOT`` where a symbolic link points outside; ``STORE_NOT_WRITABLE``.
    """
    with writing(folder):
        folder.mkdir(parents=True, exist_ok=True)
    root = Path(os.path.realpath(folder))
    contents = {name: _content(source) for name, source in _FILES.items()}
    for name in contents:
        _check(root, name)
    written, same, kept = list[str](), list[str](), list[str]()
    for name, content in contents.items():
        path = root / name
        if os.path.lexists(path):
            (same if _has(path, content) else kept).append(name)
            continue
        with writing(path):
            path.parent.mkdir(parents=True, exist_ok=True)
        write_new(path, content)
        written.append(name)
    lines = contents[_ATTRIBUTES].decode("utf-8").splitlines()
    own = _lines(root / _ATTRIBUTES)
    missing = [line for line in lines if not line.startswith("#") and line not in own]
    return Initialised(root, tuple(written), tuple(same), tuple(kept), tuple(missing))


def _content(source: str) -> bytes:
    place = files("runforge_engine.experiment").joinpath("template")
    for part in source.split("/"):
        place = place.joinpath(part)
    return place.read_bytes()


def _check(root: Path, name: str) -> None:
    """Raise if the path goes through a link, or if a file is where a folder is needed."""
    place_in(root, name, "")
    for parent in Path(name).parents:
        if (root / parent).exists() and not (root / parent).is_dir():
            raise RunForgeError(
                ErrorCode.STORE_NOT_WRITABLE,
                f"{quote(parent)} is a file, and there must be a folder for {quote(name)}.",
                hint="Move the file; nothing was written.",
                path=str(root / parent),
            )


def _has(path: Path, content: bytes) -> bool:
    try:
        return path.stat().st_size == len(content) and path.read_bytes() == content
    except OSError:
        return False


def _lines(path: Path) -> list[str]:
    try:
        return [line.strip() for line in path.read_text("utf-8", "replace").splitlines()]
    except OSError:
        return []
