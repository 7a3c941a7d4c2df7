"""A statement of origin follows from the documents of its run, to the byte."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Any

from runforge_contracts import layout
from runforge_contracts.errors import RunForgeError
from runforge_contracts.facts.finding import ABSENT, Finding, same
from runforge_contracts.facts.folder import Folder
from runforge_contracts.files import read_file
from runforge_contracts.jsontext import MAX_BYTES, parse_json
from runforge_contracts.pointers import format_pointer
from runforge_contracts.reading import RUN_VERSIONS

from runforge_engine.statement import statement_of

#: Differences that are named; a hostile statement could differ in millions of places.
_SHOWN = 20


def statement_findings(folder: Folder) -> Iterator[Finding]:
    """Give where the statement of a run says something else than its documents.

    Parameters
    ----------
    folder
        A run folder with a statement, a valid manifest and a valid result.
    """
    rule, file = "statement.match", layout.STATEMENT
    if folder.run is not None and folder.schemas[layout.RUN] != RUN_VERSIONS[0]:
        message = "A record of an older version has no statement."
        yield Finding(rule, message, file, found=folder.schemas[layout.RUN])
        return
    try:
        listed = folder.documents[layout.MANIFEST]["files"]
        # By the files as they are, so that a changed manifest is not laid to the statement.
        actual = {name: fact._asdict() for name, fact in folder.files.items() if name in listed}
        expected = statement_of(folder.path, {**listed, **actual})
        written = read_file(folder.path / file, max_bytes=MAX_BYTES)
        if written == expected:
            return
        stated = parse_json(written)
    except RunForgeError as error:
        yield Finding(rule, error.message, file, error.place.pointer)
        return
    differences = _differences(parse_json(expected), stated, ())
    message, any_found = "The statement says what the run's documents say.", False
    for parts, wanted, found in islice(differences, _SHOWN):
        any_found = True
        yield Finding(rule, message, file, format_pointer(parts), wanted, found)
    if not any_found:
        yield Finding("statement.form", "The statement is written in the contract's form.", file)


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
