"""Derive boundary cases from a schema: documents that break exactly one of its rules.

Each location of a valid document gives one case per rule: a required field missing, a wrong type, a
bound exceeded, a pattern not matched, an unknown field in a closed object. A client must refuse
every case.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any, NamedTuple

from runforge_contracts.codec.pointers import format_pointer, remove_at, set_at
from runforge_contracts.schemas import load_schema, resolve_reference

#: A value of each JSON type.
_OF_TYPE: dict[str, Any] = {
    "null": None,
    "boolean": True,
    "integer": 7,
    "number": 0.5,
    "string": "text",
    "array": [],
    "object": {},
}
#: JSON types that include another one: every integer is a number.
_ALSO = {"number": {"integer"}}


class Boundary(NamedTuple):
    """A valid document with one change that breaks one rule of its schema."""

    #: Keyword of the rule, with details, such as ``maximum`` or ``required-path``.
    rule: str
    #: JSON Pointer of the value that the rule applies to.
    pointer: str
    #: New values by JSON Pointer; the empty pointer is the whole document.
    set: dict[str, Any]
    #: JSON Pointers of the values to remove.
    remove: tuple[str, ...] = ()

    def document(self, valid: Any) -> Any:
        """Return a copy of a valid document with the change applied."""
        document = copy.deepcopy(valid)
        for pointer, value in self.set.items():
            if not pointer:
                return value
            set_at(document, pointer, value)
        for pointer in self.remove:
            remove_at(document, pointer)
        return document


def boundaries(name: str, valid: Any) -> Iterator[Boundary]:
    """Yield the boundary cases of the schema ``name``, derived from a valid document.

    Parameters
    ----------
    name
        A document of the contract, such as ``request.v1``.
    valid
        A valid document; only values that it contains are varied.
    """
    for location, schemas in _locations(valid, load_schema(name), name):
        pointer, value = format_pointer(location), _at(valid, location)
        for schema, _ in schemas:
            for rule, wrong in _wrong(schema, value):
                yield Boundary(rule, pointer, {pointer: wrong})
            if isinstance(value, dict):
                yield from _of_members(schema, value, pointer)


def _locations(
    value: Any, schema: Any, name: str, location: tuple[str | int, ...] = ()
) -> Iterator[tuple[tuple[str | int, ...], list[tuple[Any, str]]]]:
    """Yield every location in ``value`` with the subschemas that apply there."""
    schemas = list(_flatten(schema, name, value))
    yield location, schemas
    for part, schema_name in schemas:
        if isinstance(value, dict):
            for key, child in value.items():
                below = part.get("properties", {}).get(key, part.get("additionalProperties"))
                if isinstance(below, dict):
                    yield from _locations(child, below, schema_name, (*location, key))
        elif isinstance(value, list) and isinstance(part.get("items"), dict):
            for index, child in enumerate(value[:1]):
                yield from _locations(child, part["items"], schema_name, (*location, index))


def _flatten(schema: Any, name: str, value: Any) -> Iterator[tuple[dict[str, Any], str]]:
    """Yield a subschema, those it refers to, and the alternative of ``anyOf`` that applies."""
    if "$ref" in schema:
        yield from _flatten(*resolve_reference(schema["$ref"], name), value)
    for branch in schema.get("anyOf", ()):
        parts = list(_flatten(branch, name, value))
        if isinstance(value, dict) and any(part.get("type") == "object" for part, _ in parts):
            yield from parts
    yield schema, name


def _at(value: Any, location: tuple[str | int, ...]) -> Any:
    for part in location:
        value = value[part]
    return value


def _wrong(schema: dict[str, Any], value: Any) -> Iterator[tuple[str, Any]]:
    """Yield values that break one rule of ``schema`` and, where possible, no other."""
    if "type" in schema:
        allowed = {schema["type"]} if isinstance(schema["type"], str) else set(schema["type"])
        for kind in set().union(allowed, *(_ALSO.get(kind, set()) for kind in allowed)):
            allowed.add(kind)
        for kind in sorted(_OF_TYPE.keys() - allowed):
            yield f"type-{kind}", _OF_TYPE[kind]
        if "number" not in allowed and type(value) is int:
            yield "type-fraction", value + 0.5
    if "anyOf" in schema:
        yield "anyOf", 7
    if "const" in schema:
        yield "const", f"not {schema['const']}"
    if "enum" in schema:
        yield "enum", "none of these"
        yield "enum-case", str(schema["enum"][0]).upper()
    if "minimum" in schema:
        yield "minimum", schema["minimum"] - 1
    if "maximum" in schema:
        yield "maximum", schema["maximum"] + 1
    if "minLength" in schema:
        yield "minLength", ""
    if "maxLength" in schema:
        yield "maxLength", "x" * (schema["maxLength"] + 1)
    if "pattern" in schema:
        yield "pattern", "\x00"
        yield "pattern-newline", f"{value}\n"
    if "minItems" in schema:
        yield "minItems", value[: schema["minItems"] - 1]
    if "maxItems" in schema and value:
        yield "maxItems", value[:1] * (schema["maxItems"] + 1)


def _of_members(schema: dict[str, Any], value: dict[str, Any], pointer: str) -> Iterator[Boundary]:
    """Yield the cases for the rules about which members an object has."""
    for key in schema.get("required", ()):
        yield Boundary(f"required-{key}", pointer, {}, (_below(pointer, key),))
    if schema.get("additionalProperties") is False:
        yield Boundary("additionalProperties", pointer, {_below(pointer, "unknown"): 1})
    if "propertyNames" in schema and value:
        first = next(iter(value.values()))
        yield Boundary("propertyNames", pointer, {_below(pointer, "../up"): first})
    for key, others in schema.get("dependentRequired", {}).items():
        if key in value:
            lacking = tuple(_below(pointer, other) for other in others if other in value)
            yield Boundary(f"dependentRequired-{key}", pointer, {}, lacking)


def _below(pointer: str, key: str) -> str:
    return pointer + format_pointer([key])
