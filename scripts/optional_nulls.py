"""Derive from the schemas where null stands for an absent member.

Source: specification, section 2.4.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from sources import Schemas, resolve

DOC = '''"""The members of every document that may be null, which means that they are absent.

A member is the path of keys that leads to it; None stands for every key and every index. Used by
``runforge_contracts.schemas``.
"""'''

Path = tuple[str | None, ...]
#: Starts of the names of the documents in which null stands for an absent member.
WITH_NULLS = ("request.", "result.", "sweep_plan.", "group.", "tfc.")


def optional_nulls(schemas: Schemas) -> dict[str, list[Path]]:
    """Return the paths of the optional members that may be null, by document.

    Other documents than requests, results, plans, groups and those of experiments have none: what
    is null in a list of differences, for example, is one of the two values.
    """
    found = {
        name: list(dict.fromkeys(_paths(schemas, schema, name, ())))
        for name, schema in schemas.items()
        if schema.get("type") == "object" and name.startswith(WITH_NULLS)
    }
    return {name: paths for name, paths in found.items() if paths}


def python_source(paths: dict[str, list[Path]], header: str) -> str:
    """Return the paths as a Python module."""
    lines = [
        f"{header}\n{DOC}\n\nfrom __future__ import annotations\n",
        "PATHS: dict[str, tuple[tuple[str | None, ...], ...]] = {",
    ]
    for name, members in paths.items():
        lines += [
            f"    {json.dumps(name)}: (",
            *(f"        {_literal(path)}," for path in members),
            "    ),",
        ]
    return "\n".join([*lines, "}\n"])


def _literal(path: Path) -> str:
    keys = ", ".join("None" if key is None else json.dumps(key) for key in path)
    return f"({keys})" if len(path) > 1 else f"({keys},)"


def _paths(schemas: Schemas, schema: Any, name: str, place: Path) -> Iterator[Path]:
    """Yield the paths below a place, those of an object before those of its members."""
    for part, source in _parts(schemas, schema, name):
        for key, member in part.get("properties", {}).items():
            if key not in part.get("required", ()) and _may_be_null(schemas, member, source):
                yield (*place, key)
            yield from _paths(schemas, member, source, (*place, key))
        for keyword in ("additionalProperties", "items"):
            yield from _paths(schemas, part.get(keyword), source, (*place, None))


def _parts(schemas: Schemas, schema: Any, name: str) -> Iterator[tuple[dict[str, Any], str]]:
    """Yield a subschema, those that it refers to, and those that it offers."""
    if not isinstance(schema, dict):
        return
    yield schema, name
    if "$ref" in schema:
        yield from _parts(schemas, *resolve(schemas, schema["$ref"], name))
    for branch in schema.get("anyOf", ()):
        yield from _parts(schemas, branch, name)


def _may_be_null(schemas: Schemas, schema: Any, name: str) -> bool:
    return any(
        "null" in ([types] if isinstance(types, str) else types)
        for part, _ in _parts(schemas, schema, name)
        for types in [part.get("type", ())]
    )
