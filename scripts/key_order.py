"""Derive the key order of every document from the schemas, for the Python and TypeScript clients.

A *shape* is what the order of keys needs to know of a subschema: the known keys of an object, in
order, each with the shape of its value; the shape of other members; and the shape of array items.
Shapes refer to each other by index. Shape 0 knows nothing: a value of that shape stays as it is.
"""

from __future__ import annotations

import json
from typing import Any, NamedTuple

from sources import Schemas, resolve

PYTHON_DOC = '''"""The order of the keys of every document, as indexes into one table of shapes.

A shape is ``(keys, others, items)``: the known keys of an object in order, each with the index of
the shape of its value; the shape of members with other names; the shape of array items. Shape 0
knows nothing. Used by ``runforge_contracts.schemas``.
"""'''
TYPESCRIPT_DOC = """
/** Known keys with the shapes of their values; the shape of other members; the shape of items. */
export type Shape = readonly [
  keys: Readonly<Record<string, number>>,
  others: number,
  items: number,
];

/** Shapes refer to each other by index; shape 0 knows nothing. */
"""


class Shape(NamedTuple):
    """What the order of keys needs to know of a subschema."""

    keys: tuple[tuple[str, int], ...] = ()
    others: int = 0
    items: int = 0


class KeyOrder:
    """The table of shapes and, for each document, the index of its shape."""

    def __init__(self, schemas: Schemas) -> None:
        self._schemas = schemas
        self._indexes = {Shape(): 0}
        self._open: list[int] = []
        self.documents = {
            name: self._index([(schema, name)])
            for name, schema in schemas.items()
            if schema.get("type") == "object"
        }

    @property
    def shapes(self) -> list[Shape]:
        """The shapes by index."""
        return list(self._indexes)

    def _index(self, sites: list[tuple[Any, str]]) -> int:
        """Return the index of the shape of a value that all the subschemas describe."""
        keys: dict[str, tuple[Any, str]] = {}
        others: list[tuple[Any, str]] = []
        items: list[tuple[Any, str]] = []
        parts = [part for site in sites for part in self._parts(*site)]
        identities = [id(schema) for schema, _ in parts]
        if any(identity in self._open for identity in identities):
            raise ValueError("a schema that contains itself has no finite table of key orders")
        self._open += identities
        for schema, name in parts:
            for key, member in schema.get("properties", {}).items():
                keys.setdefault(key, (member, name))
            if "additionalProperties" in schema:
                others = [(schema["additionalProperties"], name)]
            if "items" in schema:
                items = [(schema["items"], name)]
        shape = Shape(
            tuple((key, self._index([site])) for key, site in keys.items()),
            self._index(others) if others else 0,
            self._index(items) if items else 0,
        )
        del self._open[len(self._open) - len(identities) :]
        return self._indexes.setdefault(shape, len(self._indexes))

    def _parts(self, schema: Any, name: str) -> list[tuple[dict[str, Any], str]]:
        """Return a subschema with those that it refers to, before it, and offers, after it."""
        if not isinstance(schema, dict):
            return []
        parts = [(schema, name)]
        if "$ref" in schema:
            parts = self._parts(*resolve(self._schemas, schema["$ref"], name)) + parts
        for branch in schema.get("anyOf", ()):
            parts += self._parts(branch, name)
        return parts


def python_source(order: KeyOrder, header: str) -> str:
    """Return the table as a Python module."""
    lines = [
        f"{header}\n{PYTHON_DOC}\n\nfrom __future__ import annotations\n",
        "SHAPES: tuple[tuple[dict[str, int], int, int], ...] = (",
        *(
            f"    ({json.dumps(dict(keys))}, {others}, {items}),"
            for keys, others, items in order.shapes
        ),
        ")\n",
        "DOCUMENTS: dict[str, int] = {",
        *(f"    {json.dumps(name)}: {index}," for name, index in order.documents.items()),
        "}\n",
    ]
    return "\n".join(lines)


def typescript_source(order: KeyOrder, header: str) -> str:
    """Return the table as a TypeScript module."""
    lines = [
        header.replace("# ", "// ", 1) + TYPESCRIPT_DOC.rstrip("\n"),
        "export const SHAPES: readonly Shape[] = [",
        *(
            f"  [{json.dumps(dict(keys))}, {others}, {items}],"
            for keys, others, items in order.shapes
        ),
        "];\n",
        "/** The shape of each document. */",
        "export const DOCUMENTS: Readonly<Record<string, number>> = {",
        *(f"  {json.dumps(name)}: {index}," for name, index in order.documents.items()),
        "};\n",
    ]
    return "\n".join(lines)
