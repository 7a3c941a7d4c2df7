"""A statement of origin follows from the documents of its run, to the byte."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Any

from runforge_contracts.codec.pointers import format_pointer
from runforge_contracts.codec.strict_json import parse_json
from runforge_contracts.errors import RunForgeError
from runforge_contracts.invariants.checked_folder import CheckedRun
from runforge_contracts.invariants.finding import ABSENT, Finding, same
from runforge_contracts.store import layout
from runforge_contracts.store.run import RUN_VERSIONS

from runforge_engine.provenance.slsa import statement_of

#: Differences that are named; a hostile statement could differ in millions of places.
_SHOWN = 20


def statement_findings(folder: CheckedRun, *, bears_out_files: bool) -> Iterator[Finding]:
    """Give where the statement of a run says something else than its documents.

    Parameters
    ----------
    folder
        A run folder with a statement, a valid manifest and a valid result.
    bears_out_files
        What :func:`bears_out_files` tells of it.
    """
    rule, file = "statement.match", layout.STATEMENT
    if folder.record is not None and folder.record_version != RUN_VERSIONS[0]:
        message = "A record of an older version has no statement."
        yield Finding(rule, message, file, found=folder.record_version)
        return
    listed = folder.documents[layout.MANIFEST].raw["files"]
    try:
        # Where a file and the manifest differ, the statement is right if it sides with either.
        if bears_out_files:
            return
        written, due = folder.text(file), statement_of(folder, listed)
        if written == due:
            return
        expected, stated = parse_json(due), parse_json(written)
    except RunForgeError as error:
        yield Finding(rule, error.message, file, error.location.pointer)
        return
    message, same_content = "The statement is not what the run's documents amount to.", True
    for parts, wanted, found in islice(_differences(expected, stated, ()), _SHOWN):
        same_content = False
        yield Finding(rule, message, file, format_pointer(parts), wanted, found)
    if same_content:
        yield Finding("statement.form", "The statement is not in the contract's form.", file)


def bears_out_files(folder: CheckedRun) -> bool:
    """Tell whether the statement has the digests of the files as they are.

    Parameters
    ----------
    folder
        As for :func:`statement_findings`.
    """
    listed = folder.documents[layout.MANIFEST].raw["files"]
    actual = {name: fact._asdict() for name, fact in folder.files.items() if name in listed}
    written = folder.texts.get(layout.STATEMENT)
    return written == statement_of(folder, {**listed, **actual})


def _differences(
    expected: Any, found: Any, parts: tuple[str | int, ...]
) -> Iterator[tuple[tuple[str | int, ...], Any, Any]]:
    """Give the deepest places where two JSON values differ, with both sides."""
    if isinstance(expected, dict) and isinstance(found, dict):
        for key in [*expected, *(key for key in found if key not in expected)]:
            sides = expected.get(key, ABSENT), found.get(key, ABSENT)
            yield from _differences(*sides, (*parts, key))
    elif isinstance(expected, list) and isinstance(found, list) and len(expected) == len(found):
        for number, sides in enumerate(zip(expected, found, strict=True)):
            yield from _differences(*sides, (*parts, number))
    elif not same(expected, found):
        yield parts, expected, found
