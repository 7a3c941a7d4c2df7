"""The schemas as the package carries them, and the validators compiled from them.

Everything is loaded on first use: a client that only lists runs never compiles a validator.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from runforge_contracts._generated.catalog import CATALOG as CATALOG
from runforge_contracts.display import quote
from runforge_contracts.errors import ErrorCode, RunForgeError

if TYPE_CHECKING:
    from jsonschema_rs import Draft202012Validator

#: Where every schema's identifier starts.
BASE_URL = "https://runforge.dev/schemas/"

_FOLDER = Path(__file__).parent / "_generated" / "schemas"


def schema_names() -> list[str]:
    """Return the names of all document schemas, sorted."""
    return sorted(CATALOG)


def schema_files() -> list[str]:
    """Return the names of all schemas, those that documents share definitions from included."""
    return sorted(path.stem for path in _FOLDER.glob("*.json"))


def schema_bytes(name: str) -> bytes:
    """Return the text of the schema ``name`` as it stands in the contract.

    Raises
    ------
    RunForgeError
        ``DOCUMENT_UNKNOWN`` with the nearest name there is.
    """
    known = schema_files()
    if name not in known:
        from difflib import get_close_matches

        near = get_close_matches(name, known, n=1)
        raise RunForgeError(
            ErrorCode.DOCUMENT_UNKNOWN,
            f"There is no schema {quote(name)}.",
            hint=f"Did you mean `{near[0]}`?" if near else "`runforge schema list` shows them.",
        )
    return (_FOLDER / f"{name}.json").read_bytes()


@cache
def load_schema(name: str) -> dict[str, Any]:
    """Return the parsed schema file ``name``, shared definitions included (``common.v1``)."""
    schema: dict[str, Any] = json.loads((_FOLDER / f"{name}.json").read_bytes())
    return schema


@cache
def validator(name: str) -> Draft202012Validator:
    """Return the compiled validator of the schema ``name``."""
    from jsonschema_rs import Draft202012Validator

    return Draft202012Validator(load_schema(name), retriever=_retrieve)


def _retrieve(url: str) -> dict[str, Any]:
    # Only our own files are ever looked up; a schema cannot send us anywhere else.
    return load_schema(url.removeprefix(BASE_URL).removesuffix(".json"))


def in_schema_order(value: Any, name: str) -> Any:
    """Return ``value`` with every object's keys in the order of the schema ``name``.

    Keys that the schema does not know follow in the order they had. Nothing else changes.

    Source: RunForge contract, "How JSON is written".
    """
    return _order(value, _Site(load_schema(name), name))


def is_in_schema_order(value: Any, name: str) -> bool:
    """Tell whether every object's keys are in the order that :func:`in_schema_order` gives them."""
    return _is_ordered(value, _Site(load_schema(name), name))


class _Site(NamedTuple):
    """A subschema and the schema file it stands in, to which its references are relative."""

    schema: Any
    name: str


class _Shape:
    """What a schema says about the members of objects and the items of arrays."""

    __slots__ = ("additional", "items", "places", "properties")

    def __init__(self, site: _Site) -> None:
        self.properties: dict[str, _Site] = {}
        self.additional = self.items = _NOTHING
        self._collect(site)
        #: The place of each known key in the order.
        self.places = {key: place for place, key in enumerate(self.properties)}

    def _collect(self, site: _Site) -> None:
        schema, name = site
        if not isinstance(schema, dict):
            return
        if "$ref" in schema:
            self._collect(_resolve(schema["$ref"], name))
        for key, member in schema.get("properties", {}).items():
            self.properties.setdefault(key, _Site(member, name))
        if "additionalProperties" in schema:
            self.additional = _Site(schema["additionalProperties"], name)
        if "items" in schema:
            self.items = _Site(schema["items"], name)
        for branch in schema.get("anyOf", ()):
            self._collect(_Site(branch, name))


_CONTAINERS = (dict, list)
_NOTHING = _Site(None, "")
#: Shapes by the identity of their subschema; the schemas are kept for good by ``load_schema``.
_SHAPES: dict[int, _Shape] = {id(None): _Shape(_NOTHING)}


def _resolve(reference: str, name: str) -> _Site:
    file, _, fragment = reference.partition("#")
    name = file.removesuffix(".json") or name
    target: Any = load_schema(name)
    for part in fragment.split("/")[1:]:
        target = target[part]
    return _Site(target, name)


def _shape(site: _Site) -> _Shape:
    shape = _SHAPES.get(id(site.schema))
    if shape is None:
        shape = _SHAPES[id(site.schema)] = _Shape(site)
    return shape


def _is_ordered(value: Any, site: _Site) -> bool:
    if type(value) is list:
        items = _shape(site).items
        return all(_is_ordered(item, items) for item in value if type(item) in _CONTAINERS)
    if type(value) is not dict:
        return True
    shape = _shape(site)
    places, end, last = shape.places, len(shape.places), -1
    for key, item in value.items():
        # Unknown keys come after all others, in any order.
        place = places.get(key, end)
        if place < last:
            return False
        last = place
        if type(item) in _CONTAINERS and not _is_ordered(
            item, shape.properties.get(key, shape.additional)
        ):
            return False
    return True


def _order(value: Any, site: _Site) -> Any:
    if not isinstance(value, dict | list):
        return value
    shape = _shape(site)
    if isinstance(value, list):
        return [_order(item, shape.items) for item in value]
    known = [key for key in shape.properties if key in value]
    unknown = [key for key in value if key not in shape.properties]
    return {
        key: _order(value[key], shape.properties.get(key, shape.additional))
        for key in [*known, *unknown]
    }
