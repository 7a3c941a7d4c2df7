"""Validation against the schemas, with errors that a user can act on.

Data from outside is always validated by the JSON Schemas; the generated types are only a view of
valid data.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from runforge_contracts.codec.pointers import format_pointer
from runforge_contracts.display import quote
from runforge_contracts.errors import ErrorCode, Location, Problem, RunForgeError
from runforge_contracts.schemas import validator

if TYPE_CHECKING:
    from jsonschema_rs import Draft202012Validator, ValidationError

#: How many problems are reported at once; a hostile document can contain millions.
MAX_PROBLEMS = 20

_TYPE_WORDS = {
    "object": "an object",
    "array": "an array",
    "string": "a string",
    "number": "a number",
    "integer": "an integer",
    "boolean": "true or false",
    "null": "null",
}

#: Descriptions of patterns, for messages in which the pattern alone is not clear.
_PATTERN_WORDS = {
    "Sha256": "64 lowercase hexadecimal digits",
    "RunId": "a run id such as 20260201-120000-abc12345",
    "AnyRunId": "a run id: letters, digits, dots, dashes and underscores",
    "ExperimentRunId": "a run id such as run-2026-02-01-001",
    "Instant": "a time with its offset from UTC, such as 2026-02-01T12:00:00Z",
    "Timestamp": "a UTC time such as 2026-02-01T12:00:00Z",
    "RelativePath": "a path below the run folder, with forward slashes and without `..`",
    "WorkspacePath": "a path without control characters",
    "created_by": "<client>@<version>, such as my-tool@1.0",
}


def validate(raw: Any, name: str, *, path: str | None = None) -> None:
    """Check ``raw`` against the schema ``name``.

    Raises
    ------
    RunForgeError
        ``DOCUMENT_INVALID`` with one problem for each violation, in document order.
    """
    problems = violations(raw, name, path=path)
    if not problems:
        return
    first = problems[0]
    more = f" ({len(problems)} mistakes)" if len(problems) > 1 else ""
    raise RunForgeError(
        ErrorCode.DOCUMENT_INVALID,
        f"The document is not a valid {name}{more}: {first.message}",
        hint=first.hint,
        path=path,
        pointer=first.location.pointer,
        problems=problems if len(problems) > 1 else (),
    )


def violations(raw: Any, name: str, *, path: str | None = None) -> list[Problem]:
    """Return what the schema ``name`` refuses in ``raw``, as :func:`problems_of`."""
    compiled = validator(name)
    return [] if compiled.is_valid(raw) else problems_of(compiled, raw, path)


def problems_of(compiled: Draft202012Validator, raw: Any, path: str | None = None) -> list[Problem]:
    """Return one problem for each violation of a schema, in document order; at most 20."""
    problems: dict[tuple[str | None, str], Problem] = {}
    for error in compiled.iter_errors(raw):
        for leaf in _leaves(error):
            problem = _explain(leaf, raw, path)
            # The `not` beside a pattern refuses again what the pattern has refused.
            if leaf.kind.name == "not" and _has_place(problems, problem):
                continue
            problems.setdefault((problem.location.pointer, problem.message), problem)
        if len(problems) >= MAX_PROBLEMS:
            break
    return list(problems.values())


def _has_place(problems: Mapping[tuple[str | None, str], Problem], problem: Problem) -> bool:
    return any(pointer == problem.location.pointer for pointer, _ in problems)


def _leaves(error: ValidationError) -> Iterable[ValidationError]:
    """Yield the specific errors; of alternatives, those of the intended one."""
    kind: Any = error.kind
    if kind.name != "anyOf":
        yield error
        return
    depth = len(error.instance_path)
    for branch in kind.context:
        if branch and not any(
            leaf.kind.name == "type" and len(leaf.instance_path) == depth for leaf in branch
        ):
            for nested in branch:
                yield from _leaves(nested)
            return
    yield error


def _explain(error: ValidationError, raw: Any, path: str | None) -> Problem:
    particulars: Any = error.kind
    kind, value = particulars.name, particulars.value
    parts = _place(raw, error.instance_path)
    found = _at(raw, parts)
    where = f"`{format_pointer(parts)}`" if parts else "the document"
    hint: str | None = None
    if kind == "required":
        missing = particulars.property
        message = f"{where} lacks the required field {quote(missing)}."
        near = _closest(missing, [key for key in found if isinstance(key, str)])
        hint = f"Did you mean {quote(missing)} where it says {quote(near)}?" if near else None
        parts = [*parts, missing]
    elif kind == "additionalProperties":
        extra = sorted(particulars.unexpected)
        names = ", ".join(quote(key) for key in extra[:5])
        message = f"{where} has fields that do not belong there: {names}."
        hint = "This document is closed: remove them."
        parts = [*parts, extra[0]]
    elif kind == "dependentRequired" or (kind == "falseSchema" and parts):
        message = f"{where} does not go with the rest of the document."
    elif kind in ("enum", "const"):
        allowed = list(value) if kind == "enum" else [value]
        shown = ", ".join(_show(item) for item in allowed)
        message = (
            f"{where} is {_show(found)}; expected {'one of ' if len(allowed) > 1 else ''}{shown}."
        )
        hint = _nearest(found, allowed)
    elif kind == "type" or (kind == "anyOf" and _types(error)):
        types = sorted(_types(error), key="null".__eq__)
        words = " or ".join(_TYPE_WORDS[item] for item in types)
        message = f"{where} is {_show(found)}; expected {words}."
    elif kind == "pattern" or (kind == "not" and _definition(error) in _PATTERN_WORDS):
        words = _PATTERN_WORDS.get(_definition(error)) or f"text that matches {value}"
        message = f"{where} is {_show(found)}; expected {words}."
    elif kind in ("minimum", "maximum"):
        least = "at least" if kind == "minimum" else "at most"
        message = f"{where} is {_show(found)}; expected {least} {_show(value)}."
    elif kind in ("minLength", "minItems"):
        message = f"{where} is too short; expected at least {value}."
    elif kind in ("maxLength", "maxItems"):
        message = f"{where} is too long; expected at most {value}."
    elif kind == "propertyNames":
        refused = particulars.error
        words = _PATTERN_WORDS.get(_definition(refused)) or "another key"
        message = f"{where} has the key {_show(refused.instance)}; expected {words}."
    else:
        message = f"{where} breaks the rule `{kind}` of its schema."
    return Problem(message, Location(path=path, pointer=format_pointer(parts)), hint)


def _types(error: ValidationError) -> list[str]:
    """Return the expected types; of alternatives, those of all if all have another type."""
    kind: Any = error.kind
    if kind.name == "type":
        return [kind.value] if isinstance(kind.value, str) else list(kind.value)
    leaves = [leaf for branch in kind.context for leaf in branch]
    if any(leaf.kind.name != "type" for leaf in leaves):
        return []
    return [item for leaf in leaves for item in _types(leaf)]


def _definition(error: ValidationError) -> str:
    """Return the name of the shared definition or of the property whose rule was violated."""
    parts = [part for part in error.schema_path if isinstance(part, str)]
    return parts[-2] if len(parts) > 1 else ""


def _place(raw: Any, path: Iterable[str | int]) -> list[str | int]:
    """Return the path to a part of ``raw``, in which the keys of objects are strings.

    The validator gives a key of digits as a number, without its leading zeros.
    """
    parts: list[str | int] = []
    for part in path:
        if isinstance(raw, dict) and isinstance(part, int):
            digits = str(part)
            part = next(
                key for key in (digits, *raw) if key in raw and (key.lstrip("0") or "0") == digits
            )
        parts.append(part)
        raw = raw[part]
    return parts


def _at(raw: Any, parts: Iterable[str | int]) -> Any:
    for part in parts:
        raw = raw[part]
    return raw


def _show(value: Any) -> str:
    if isinstance(value, dict | list):
        return "an object" if isinstance(value, dict) else "an array"
    if isinstance(value, str):
        return quote(value)
    return json.dumps(value)


def _nearest(found: Any, allowed: list[Any]) -> str | None:
    texts = [item for item in allowed if isinstance(item, str)]
    if not isinstance(found, str):
        return None
    folded = found.strip().lower().replace("-", "_").replace(" ", "_")
    near = _closest(folded, texts)
    return f"Did you mean {quote(near)}?" if near else None


def _closest(text: str, others: list[str]) -> str | None:
    from difflib import get_close_matches  # late: most documents are valid

    return next(iter(get_close_matches(text, others, n=1)), None)
