"""Places in a request as plans name them: JSON Pointers, or names separated by dots.

Source: specification, section 20.2.
"""

from __future__ import annotations

from difflib import get_close_matches
from functools import cache
from typing import Any

from runforge_contracts.codec.pointers import format_pointer, parse_pointer
from runforge_contracts.display import quote
from runforge_contracts.errors import ErrorCode, RunForgeError
from runforge_contracts.schemas import load_schema, resolve_reference

REQUEST = "request.v1"
#: Members that the client which executes a plan writes; a plan sets none of them.
WRITTEN = ("$schema", "version", "created_at", "created_by", "rerun_from")
#: Start of the names of the members that tell the group and the member of a run.
OF_SWEEP = "sweep_"

#: The member names that lead to a place.
Place = tuple[str, ...]


def parse_path(path: str) -> Place:
    """Return the member names of a path, which leads to a member that requests have.

    Raises
    ------
    RunForgeError
        ``POINTER_INVALID`` if it is no path, or leads to no member that a plan may set.
    """
    place = tuple(parse_pointer(path) if path.startswith("/") else path.split("."))
    if "" in place:
        raise _refused(f"The path {quote(path)} has an empty name.")
    if place[0] in WRITTEN or place[0].startswith(OF_SWEEP):
        raise _refused(
            f"The path {quote(path)} leads to {quote(place[0])}, which the client that executes"
            " the plan writes."
        )
    known: tuple[str, ...] | None = _members(())
    for depth, name in enumerate(place):
        if known is None:
            break
        if name not in known:
            near = get_close_matches(name, known, n=1)
            raise _refused(
                f"The path {quote(path)} leads to no member of a request: there is no"
                f" {quote(format_pointer(place[: depth + 1]))}.",
                f"Did you mean {quote(format_pointer((*place[:depth], near[0])))}?"
                if near
                else None,
            )
        known = _members(place[: depth + 1])
    return place


def set_place(request: dict[str, Any], place: Place, value: Any) -> None:
    """Set the member at ``place``, in place; None removes it. Objects on the way are made.

    Raises
    ------
    RunForgeError
        ``POINTER_INVALID`` with the place of what is on the way and is not an object.
    """
    parent = request
    for depth, name in enumerate(place[:-1]):
        member = parent.get(name)
        if member is None:
            if value is None:
                return  # There is nothing to remove.
            member = parent[name] = {}
        if not isinstance(member, dict):
            pointer = format_pointer(place[: depth + 1])
            raise RunForgeError(
                ErrorCode.POINTER_INVALID,
                f"{quote(pointer)} is not an object, so that {quote(format_pointer(place))} cannot"
                " be set.",
                pointer=pointer,
            )
        parent = member
    if value is None:
        parent.pop(place[-1], None)
    else:
        parent[place[-1]] = value


@cache
def _members(place: Place) -> tuple[str, ...] | None:
    """Return the names that the schema knows below a place.

    None if any name is possible there; empty if nothing can be below it.
    """
    schema, name = load_schema(REQUEST), REQUEST
    for part in place:
        schema = schema["properties"][part]
        while "$ref" in schema:
            schema, name = resolve_reference(schema["$ref"], name)
    if "properties" in schema:
        return tuple(schema["properties"])
    types = schema.get("type", ())
    return None if "object" in ([types] if isinstance(types, str) else types) else ()


def _refused(message: str, hint: str | None = None) -> RunForgeError:
    return RunForgeError(ErrorCode.POINTER_INVALID, message, hint=hint)
