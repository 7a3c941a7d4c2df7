"""Compare the provenance statement of a run, byte for byte, with its documents."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Any

from runforge_contracts.codec.pointers import format_pointer
from runforge_contracts.codec.strict_json import parse_json
from runforge_contracts.display import quote
from runforge_contracts.errors import RunForgeError
from runforge_contracts.invariants.checked_folder import CheckedRun
from runforge_contracts.invariants.finding import ABSENT, Finding, same
from runforge_contracts.store import layout
from runforge_contracts.store.run import RUN_VERSIONS

from runforge_engine.provenance.slsa import statement_of
from runforge_engine.verification.check_result import Check, CheckVerdict

#: Most differences that are reported; a hostile statement could have millions.
_SHOWN = 20


def check_statement(run: CheckedRun) -> tuple[Check, bool]:
    """Compare the statement of a run with the one that its documents result in.

    Returns
    -------
    check
        The result.
    confirms_files
        Whether the statement is valid and has the digests of the files as they are, which the
        manifest may not have.
    """
    if layout.STATEMENT not in run.files:
        message = "the run was written without one"
        return Check.not_checked("statement", CheckVerdict.NONE, message), False
    for name in (layout.MANIFEST, layout.REQUEST, layout.RUN, layout.RESULT):
        needed = name in (layout.MANIFEST, layout.RESULT) or name in run.files
        if needed and name not in run.documents:
            message = f"there is no valid {name} to compare it with"
            return Check.not_checked("statement", CheckVerdict.NOT_CHECKED, message), False
    findings, confirms_files = list[Finding](), _confirms_files(run)
    # Where a file and the manifest differ, the statement may have the digest of either.
    if not confirms_files or _is_of_older_version(run):
        findings = list(_findings(run))
    if findings:
        message = "it differs from the run's documents"
        return Check.failed("statement", CheckVerdict.INVALID, message, findings), False
    message = "it matches the run's documents"
    return Check.passed("statement", CheckVerdict.VALID, message), confirms_files


def _confirms_files(run: CheckedRun) -> bool:
    """Return whether the statement is the one for the digests of the files as they are."""
    listed = run.documents[layout.MANIFEST].raw["files"]
    actual = {name: digest._asdict() for name, digest in run.files.items() if name in listed}
    return run.texts.get(layout.STATEMENT) == statement_of(run, {**listed, **actual})


def _is_of_older_version(run: CheckedRun) -> bool:
    return run.record is not None and run.record_version != RUN_VERSIONS[0]


def _findings(run: CheckedRun) -> Iterator[Finding]:
    """Yield where the statement differs from the one for the digests in the manifest."""
    rule, file = "statement.match", layout.STATEMENT
    if _is_of_older_version(run):
        message = "A record of an older version has no statement."
        yield Finding(rule, message, file, found=run.record_version)
        return
    try:
        written = run.text(file)
        derived = statement_of(run, run.documents[layout.MANIFEST].raw["files"])
        if written == derived:
            return
        expected, found = parse_json(derived), parse_json(written)
    except RunForgeError as error:
        yield Finding(rule, error.message, file, error.location.pointer)
        return
    differences = list(islice(_differences(expected, found, ()), _SHOWN))
    for parts, *values in differences:
        pointer = format_pointer(parts)
        message = f"The statement differs from the run's documents at {quote(pointer or '/')}."
        yield Finding(rule, message, file, pointer, *values)
    if not differences:
        yield Finding("statement.form", "The statement is not in the contract's form.", file)


def _differences(
    expected: Any, found: Any, parts: tuple[str | int, ...]
) -> Iterator[tuple[tuple[str | int, ...], Any, Any]]:
    """Yield the deepest locations where two JSON values differ, with both values."""
    if isinstance(expected, dict) and isinstance(found, dict):
        for key in [*expected, *(key for key in found if key not in expected)]:
            sides = expected.get(key, ABSENT), found.get(key, ABSENT)
            yield from _differences(*sides, (*parts, key))
    elif isinstance(expected, list) and isinstance(found, list) and len(expected) == len(found):
        for number, sides in enumerate(zip(expected, found, strict=True)):
            yield from _differences(*sides, (*parts, number))
    elif not same(expected, found):
        yield parts, expected, found
