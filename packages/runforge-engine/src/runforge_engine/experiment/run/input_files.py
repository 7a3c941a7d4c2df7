"""Check whether the input files of a run changed since it started.

Source: specification, section 17.5.
"""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from runforge_contracts.display import quote
from runforge_contracts.errors import RunForgeError
from runforge_contracts.fs.files import digest_file

from runforge_engine.experiment.config.model_references import FIELDS
from runforge_engine.experiment.run.program_file import PROGRAM

#: Minimum age of the last change for the modification time to show the next one, in seconds.
_COARSE = 2.0


class _Stamp(NamedTuple):
    """Metadata of a file that changes with its content."""

    device: int
    inode: int
    size: int
    modified: int
    changed: int


class Inputs:
    """The dataset, the model and the program of a run, watched before their digests are taken.

    Parameters
    ----------
    root
        The repository.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self._stamps: dict[str, _Stamp | None] = {}

    def watch(self, path: str) -> None:
        """Record the current metadata of a file of the repository."""
        self._stamps[path] = _stamp(self._root / path)

    def changes(self, references: Mapping[str, Any]) -> tuple[dict[str, Any], list[str]]:
        """Return the current state of the files, and a sentence for each that has changed.

        Parameters
        ----------
        references
            Path, digest and size of every file that the run refers to.

        Returns
        -------
        tuple
            The references, with ``after`` where a file has changed, and the sentences.
        """
        updated, sentences = dict(references), []
        for field in (*FIELDS, PROGRAM):
            known = references.get(field, {})
            if "sha256" not in known or self._is_untouched(known["path"]):
                continue
            after = self._found(known["path"])
            if after == {name: known.get(name) for name in ("sha256", "bytes")}:
                continue
            updated[field] = {**known, "after": after}
            how = "changed" if after else "removed"
            what = "code" if field == PROGRAM else "data"
            sentences.append(
                f"The {field} {quote(known['path'], 200)} was {how} while the run used it: what the"
                f" run measured may come from other {what} than it records."
            )
        return updated, sentences

    def _is_untouched(self, path: str) -> bool:
        """Return whether a file is known to be unchanged; otherwise its digest must be compared."""
        before = self._stamps.get(path)
        return before is not None and _stamp(self._root / path) == before

    def _found(self, path: str) -> dict[str, Any]:
        try:
            return digest_file(self._root / path)._asdict()
        except RunForgeError:
            return {}


def _stamp(path: Path) -> _Stamp | None:
    """Return the stamp of a file; None if a later change might not change it."""
    try:
        found = os.stat(path)  # noqa: PTH116 - of the target of a link
    except OSError:
        return None
    if time.time() - max(found.st_mtime, found.st_ctime) < _COARSE:
        return None
    return _Stamp(found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns)
