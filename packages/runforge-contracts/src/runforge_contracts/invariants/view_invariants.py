"""The comparison of a view with the run that it repeats.

Source: specification, section 5.10.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from runforge_contracts.display import quote
from runforge_contracts.errors import RunForgeError
from runforge_contracts.fs.files import digest_file
from runforge_contracts.fs.folders import as_text, walk_folder
from runforge_contracts.invariants.finding import Finding
from runforge_contracts.store.layout import ARTIFACTS
from runforge_contracts.store.view_folders import VIEW_FILES, VIEW_MARKER

#: Most files of a view that are looked at; a run has some twenty.
_MAX_FILES = 10_000


@dataclass(frozen=True, slots=True)
class ViewComparison:
    """What a view has in common with its record; paths are below both folders."""

    #: Files with the bytes of the record.
    same: tuple[str, ...]
    #: What the client that works in the folder added.
    added: tuple[str, ...]
    #: Files of the record that a view has, and this one lacks.
    missing: tuple[str, ...]
    #: Files that should have the bytes of the record, and do not.
    findings: tuple[Finding, ...]


def compare_view(view: Path, record: Path) -> ViewComparison:
    """Compare the files of a view with those of the run in the folder ``record``.

    Links are not followed. Files that a view does not repeat, such as ``request.json``, belong to
    the client that works in the folder.
    """
    repeated = {file: path for file, path in _files(record) if _is_repeated(file)}
    same, added, findings, seen = list[str](), list[str](), list[Finding](), set[str]()
    for file, path in _files(view):
        if file not in repeated:
            if file != VIEW_MARKER:
                added.append(file)
            continue
        seen.add(file)
        finding = _difference(file, path, repeated[file])
        if finding is None:
            same.append(file)
        else:
            findings.append(finding)
    missing = [file for file in repeated if file not in seen]
    return ViewComparison(tuple(same), tuple(added), tuple(missing), tuple(findings))


def _is_repeated(file: str) -> bool:
    return file in VIEW_FILES or file.startswith(f"{ARTIFACTS}/")


def _files(folder: Path) -> Iterator[tuple[str, Path]]:
    """Yield everything in a folder but folders, at every depth, by its path."""
    found = walk_folder(folder, unreadable=lambda *_: None)
    for number, item in enumerate(found):
        if number >= _MAX_FILES:
            return
        if item.kind != "folder":
            yield as_text(item.place), item.path


def _difference(file: str, path: Path, original: Path) -> Finding | None:
    """Return the finding for a file that is not the one of the record."""
    try:
        expected = digest_file(original)
    except RunForgeError:
        return None  # The verification of the record reports it.
    try:
        found = digest_file(path)
    except RunForgeError as error:
        return Finding("view.same", f"It cannot be compared: {error.message}", file)
    if found == expected:
        return None
    message = f"{quote(file)} is not the file of the run that the folder repeats."
    return Finding("view.same", message, file, None, expected.sha256, found.sha256)
