"""Every rule of every schema, at every place of a document that it holds for.

Schemas share definitions; a wrong client is wrong in one place. So each schema is written out in
full, without references, before anything in it is changed.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from functools import cache
from typing import Any, NamedTuple

from runforge_conformance.vectors import requirements
from runforge_contracts.invariants.checked_folder import schema_rule
from runforge_contracts.schemas import contract_names, load_schema, resolve_reference

#: Steps of a location that stand for every item, and for every member without a name of its own.
ITEM, OTHER = "[]", "{}"
_SILENT = {"title", "description", "examples", "$schema", "$id", "$defs", "$comment", "default"}
_MAPS = ("properties", "dependentSchemas")
_ONE = ("items", "additionalProperties", "then", "else", "if", "not", "propertyNames", "contains")
_MANY = ("allOf", "anyOf", "oneOf", "prefixItems")


class Place(NamedTuple):
    """A subschema."""

    #: Steps from the schema's root to it.
    path: tuple[str | int, ...]
    #: Steps from the document's root to the value that it is about.
    location: tuple[str, ...]
    schema: Any
    #: Whether it holds only if a condition does, or beside alternatives.
    conditional: bool


def documents() -> list[str]:
    """Return the names of the documents that a client may be asked to read."""
    return [name for name in contract_names() if schema_rule(name) in requirements()]


@cache
def expanded(name: str) -> dict[str, Any]:
    """Return a schema without references and without descriptions; do not change it."""
    return _expand(load_schema(name), name)  # type: ignore[no-any-return] # the root is an object


def _expand(schema: Any, name: str) -> Any:
    if not isinstance(schema, dict):
        return schema
    found: dict[str, Any] = {}
    for key, value in schema.items():
        if key in _SILENT or key.startswith("x-") or key == "$ref":
            continue
        if key in _MAPS:
            found[key] = {member: _expand(child, name) for member, child in value.items()}
        elif key in _ONE:
            found[key] = _expand(value, name)
        elif key in _MANY:
            found[key] = [_expand(child, name) for child in value]
        else:
            found[key] = value
    if "$ref" in schema:
        target = _expand(*resolve_reference(schema["$ref"], name))
        if found.keys() & target.keys():
            return {"allOf": [target, found]}
        found = {**target, **found}
    return found


def places(schema: Any) -> Iterator[Place]:
    """Yield every subschema but those of conditions, which are one thing with what follows."""
    yield from _places(schema, (), (), conditional=False)


def _places(
    schema: Any, path: tuple[str | int, ...], location: tuple[str, ...], *, conditional: bool
) -> Iterator[Place]:
    yield Place(path, location, schema, conditional)
    if not isinstance(schema, dict):
        return
    for key, child in schema.get("properties", {}).items():
        yield from _places(
            child, (*path, "properties", key), (*location, key), conditional=conditional
        )
    for keyword, step in (("items", ITEM), ("additionalProperties", OTHER)):
        if isinstance(schema.get(keyword), dict):
            yield from _places(
                schema[keyword], (*path, keyword), (*location, step), conditional=conditional
            )
    for keyword in _MANY:
        for index, child in enumerate(schema.get(keyword, ())):
            below = conditional or keyword != "allOf"
            yield from _places(child, (*path, keyword, index), location, conditional=below)
    for keyword in ("then", "else"):
        if keyword in schema:
            yield from _places(schema[keyword], (*path, keyword), location, conditional=True)


def changed(schema: Any, path: tuple[str | int, ...], value: Any) -> Any:
    """Return a copy of a schema with another subschema at ``path``."""
    if not path:
        return value
    result = copy.copy(schema)
    result[path[0]] = changed(schema[path[0]], path[1:], value)
    return result


def without(schema: Any, path: tuple[str | int, ...]) -> Any:
    """Return a copy of a schema without the keyword, member or item at ``path``."""
    result = copy.copy(schema)
    if len(path) == 1:
        del result[path[0]]
    else:
        result[path[0]] = without(schema[path[0]], path[1:])
    return result


def values_at(document: Any, location: tuple[str, ...], named: frozenset[str]) -> Iterator[Any]:
    """Yield the values of a document at a location.

    ``named`` are the members that have a place of their own, where a step stands for the others.
    """
    if not location:
        yield document
        return
    step, rest = location[0], location[1:]
    if step == ITEM:
        children = document if isinstance(document, list) else []
    elif not isinstance(document, dict):
        children = []
    elif step == OTHER:
        children = [child for key, child in document.items() if key not in named]
    else:
        children = [document[step]] if step in document else []
    for child in children:
        yield from values_at(child, rest, named)


def named_beside(schema: Any, location: tuple[str, ...]) -> frozenset[str]:
    """Return the members with places of their own beside the ``{}`` of a location."""
    prefix = location[: location.index(OTHER)] if OTHER in location else location
    length = len(prefix) + 1
    return frozenset(
        place.location[len(prefix)]
        for place in places(schema)
        if len(place.location) == length and place.location[: len(prefix)] == prefix
    ) - {OTHER, ITEM}
