"""JSON Pointers (RFC 6901): format, parse, and read or change one location of a document."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from runforge_contracts.display import quote
from runforge_contracts.errors import ErrorCode, RunForgeError

#: A tilde that is not part of an escape.
_BARE_TILDE = re.compile("~(?![01])")


def format_pointer(parts: Iterable[str | int]) -> str:
    """Return the pointer with these reference tokens; no tokens is the whole document."""
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in parts)


def parse_pointer(pointer: str) -> list[str]:
    """Return the reference tokens of ``pointer``.

    Raises
    ------
    RunForgeError
        ``POINTER_INVALID`` if it is not empty and does not start with a slash, or has a ``~`` that
        neither 0 nor 1 follows.
    """
    if pointer == "":
        return []
    if not pointer.startswith("/"):
        raise _invalid(pointer, "A JSON Pointer is empty or starts with `/`.")
    if _BARE_TILDE.search(pointer):
        raise _invalid(pointer, "In a JSON Pointer, 0 or 1 follows every `~`.")
    return [part.replace("~1", "/").replace("~0", "~") for part in pointer[1:].split("/")]


def get_at(document: Any, pointer: str) -> Any:
    """Return the value at ``pointer``; raise ``POINTER_INVALID`` if there is none."""
    value = document
    for part in parse_pointer(pointer):
        value = _child(value, part, pointer)
    return value


def set_at(document: Any, pointer: str, value: Any) -> None:
    """Set the value at ``pointer``, in place; the last part may name a new member.

    In an array, ``-`` appends and an index replaces.
    """
    parent, part = _parent(document, pointer)
    if isinstance(parent, dict):
        parent[part] = value
    elif part == "-":
        parent.append(value)
    else:
        parent[_index(parent, part, pointer)] = value


def remove_at(document: Any, pointer: str) -> None:
    """Remove the value at ``pointer``, in place; raise ``POINTER_INVALID`` if there is none."""
    parent, part = _parent(document, pointer)
    _child(parent, part, pointer)
    if isinstance(parent, dict):
        del parent[part]
    else:
        del parent[_index(parent, part, pointer)]


def _parent(document: Any, pointer: str) -> tuple[Any, str]:
    tokens = parse_pointer(pointer)
    if not tokens:
        raise _invalid(pointer, "The whole document cannot be set or removed.")
    value = document
    for part in tokens[:-1]:
        value = _child(value, part, pointer)
    if not isinstance(value, dict | list):
        raise _invalid(pointer, f"Nothing can stand below {quote(value)}.")
    return value, tokens[-1]


def _child(value: Any, part: str, pointer: str) -> Any:
    if isinstance(value, dict) and part in value:
        return value[part]
    if isinstance(value, list):
        return value[_index(value, part, pointer)]
    raise _invalid(pointer, f"There is nothing at {quote(part)}.")


def _index(array: list[Any], part: str, pointer: str) -> int:
    canonical = part == "0" or (part.isascii() and part.isdigit() and part[0] != "0")
    if not canonical or len(part) > 10 or int(part) >= len(array):
        raise _invalid(pointer, f"The array has no item {quote(part)}.")
    return int(part)


def _invalid(pointer: str, message: str) -> RunForgeError:
    return RunForgeError(ErrorCode.POINTER_INVALID, message, pointer=pointer)
