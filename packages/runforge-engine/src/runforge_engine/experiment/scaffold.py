"""Create the files of a repository for experiments.

Source: specification, sections 17.1, 17.2 and 17.14.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from runforge_contracts.display import quote
from runforge_contracts.errors import ErrorCode, RunForgeError
from runforge_contracts.fs.files import writing

from runforge_engine.experiment.config.config_paths import place_in
from runforge_engine.store.run_folders import write_new

_ATTRIBUTES = ".gitattributes"
_DATA = "data/penguins.csv"
#: The files of a new repository, and their paths in the package.
_FILES = {
    "README.md": "README.md",
    _ATTRIBUTES: "gitattributes",
    ".gitignore": "gitignore",
    "configs/base.yaml": "configs/base.yaml",
    _DATA: "data/penguins.csv",
    "experiments/exp-001.yaml": "experiments/exp-001.yaml",
    "experiments/exp-002.yaml": "experiments/exp-002.yaml",
    "src/penguins.py": "src/penguins.py",
    "src/train.py": "src/train.py",
    "src/train_epochs.py": "src/train_epochs.py",
    "tools/run.py": "tools/run.py",
}
#: Of a full layout: files with contents of their own, and folders that are empty at first.
_FULL_FILES = {
    **{name: f"full/{name}" for name in ("README.md", "configs/base.yaml", "docs/repository.md")},
    **{f"requirements{kind}.txt": f"full/requirements{kind}.txt" for kind in ("", "-dev", "-gpu")},
    _ATTRIBUTES: "full/gitattributes",
    ".lfsconfig": "full/lfsconfig",
    "environments/system.yaml": "full/environments/system.yaml",
    "experiments/exp-001.yaml": "full/experiments/exp-001.yaml",
}
_EMPTY_FOLDERS = ("data", "models", "runs", "scripts", "spaces")
#: Git keeps no empty folder, so each has this file.
_KEPT_FOLDER = ".gitkeep"
_DATASET = "datasets/penguins/v1"


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


def initialise(folder: Path, *, full: bool = False) -> Initialised:
    """Set up a repository for experiments in ``folder``, which is created if it does not exist.

    Existing files are not changed.

    Parameters
    ----------
    folder
        The root of the repository.
    full
        Create all folders and files of the TFC layout, with a versioned dataset.

    Raises
    ------
    RunForgeError
        ``PATH_OUTSIDE_ROOT`` where a symbolic link points outside; ``STORE_NOT_WRITABLE``.
    """
    with writing(folder):
        folder.mkdir(parents=True, exist_ok=True)
    root = Path(os.path.realpath(folder))
    contents = _full_contents() if full else _contents(_FILES)
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


def _contents(sources: dict[str, str]) -> dict[str, bytes]:
    return {name: _content(source) for name, source in sources.items()}


def _full_contents() -> dict[str, bytes]:
    """Return the files of a full layout, in which the data is a version of a dataset."""
    contents = _contents({**_FILES, **_FULL_FILES})
    table = contents.pop(_DATA)
    contents |= {f"{folder}/{_KEPT_FOLDER}": b"" for folder in _EMPTY_FOLDERS}
    return contents | {f"{_DATASET}/{name}": data for name, data in _dataset(table).items()}


def _dataset(table: bytes) -> dict[str, bytes]:
    """Divide a table into the parts of a versioned dataset, described by ``metadata.yaml``.

    Of ten rows eight are for training, one is for validation and one for the test. The rows are
    sorted by species, so each part has all of them.
    """
    header, *rows = table.splitlines(keepends=True)
    parts: dict[str, Callable[[int], bool]] = {
        "test": lambda number: number % 10 == 9,
        "train": lambda number: number % 10 < 8,
        "val": lambda number: number % 10 == 8,
    }
    files = {
        f"{part}/penguins.csv": header
        + b"".join(row for number, row in enumerate(rows) if belongs(number))
        for part, belongs in parts.items()
    }
    listing = "".join(
        f"{hashlib.sha256(data).hexdigest()}  {name}\n" for name, data in files.items()
    )
    digest = hashlib.sha256(listing.encode()).hexdigest()
    metadata = _content("full/datasets/metadata.yaml").replace(b"@HASH@", digest.encode())
    return {**files, "metadata.yaml": metadata}


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
