"""The schema files: where they are, what each is called, and where a reference leads."""

from __future__ import annotations

from pathlib import Path
from typing import Any

SCHEMAS = Path(__file__).resolve().parent.parent / "schemas"

#: Folders below ``schemas/`` whose names begin the names of their schemas, and itself.
FOLDERS = ("", "tfc", "field")

#: Parsed schemas by name.
Schemas = dict[str, dict[str, Any]]


def schema_sources() -> dict[str, Path]:
    """Return the file of every schema by its name, sorted: ``tfc.config.v1`` is in ``tfc/``."""
    paths = [path for folder in FOLDERS for path in (SCHEMAS / folder).glob("*.json")]
    return dict(sorted((".".join(path.relative_to(SCHEMAS).parts)[:-5], path) for path in paths))


def split_reference(reference: str, name: str) -> tuple[str, str]:
    """Return the schema and the definition that a ``$ref`` in the schema ``name`` refers to."""
    file, _, definition = reference.partition("#/$defs/")
    return file.removesuffix(".json") or name, definition


def resolve(schemas: Schemas, reference: str, name: str) -> tuple[dict[str, Any], str]:
    """Return the subschema that a ``$ref`` refers to, and the name of the schema it is in."""
    target, definition = split_reference(reference, name)
    schema = schemas[target]
    return schema["$defs"][definition] if definition else schema, target
