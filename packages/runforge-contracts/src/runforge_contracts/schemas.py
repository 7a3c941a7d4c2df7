"""The JSON Schemas of the package, their validators, and what they say of keys and nulls.

Schemas are read and validators compiled on first use: listing runs needs neither.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from runforge_contracts._generated.catalog import CATALOG as CATALOG
from runforge_contracts.display import quote
from runforge_contracts.errors import ErrorCode, RunForgeError

if TYPE_CHECKING:
    from jsonschema_rs import Draft202012Validator

#: Start of every schema's ``$id``.
BASE_URL = "https://runforge.dev/schemas/"

_FOLDER = Path(__file__).parent / "_generated" / "schemas"


#: Start of the names of the documents of other clients, which are read and never written.
FIELD = "field."


def schema_names() -> list[str]:
    """Return the names of all document schemas, sorted."""
    return sorted(CATALOG)


def contract_names() -> list[str]:
    """Return the names of the documents of the contract, without those of other clients."""
    return [name for name in schema_names() if not name.startswith(FIELD)]


def schema_files() -> list[str]:
    """Return the sorted names of all schemas, including those of shared definitions only."""
    return sorted(path.stem for path in _FOLDER.glob("*.json"))


def schema_bytes(name: str) -> bytes:
    """Return the bytes of the schema ``name`` as the contract publishes it.

    Raises
    ------
    RunForgeError
        ``DOCUMENT_UNKNOWN`` if there is no such schema; the hint names the nearest one.
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
    # The extension imports it, too, and ends the process where an interrupt comes meanwhile.
    import decimal  # noqa: F401

    from jsonschema_rs import Draft202012Validator

    # The library reads the text faster than an object that was made of it.
    text = (_FOLDER / f"{name}.json").read_text("utf-8")
    return Draft202012Validator(text, retriever=_retrieve)


def _retrieve(url: str) -> dict[str, Any]:
    # Only files of this package are read: a reference never causes a request over the network.
    return load_schema(url.removeprefix(BASE_URL).removesuffix(".json"))


def resolve_reference(reference: str, name: str) -> tuple[dict[str, Any], str]:
    """Return the subschema that a ``$ref`` in the schema ``name`` refers to, and its schema's name.

    Parameters
    ----------
    reference
        ``#/$defs/Name``, ``file.json#/$defs/Name`` for a definition of another schema, or
        ``file.json`` for the whole of it.
    name
        The schema that contains the reference.
    """
    file, _, definition = reference.partition("#/$defs/")
    target = file.removesuffix(".json") or name
    schema = load_schema(target)
    return schema["$defs"][definition] if definition else schema, target


def in_schema_order(value: Any, name: str) -> Any:
    """Return ``value`` with every object's keys in the order of the schema ``name``.

    Keys that the schema does not know follow in the order they had. Nothing else changes. What is
    in order already is not copied.

    Source: specification, section 2.7.
    """
    from runforge_contracts._generated.key_order import DOCUMENTS, SHAPES

    return _ordered(value, DOCUMENTS[name], SHAPES)


def is_in_schema_order(value: Any, name: str) -> bool:
    """Return whether every object's keys are in the order that :func:`in_schema_order` gives."""
    return in_schema_order(value, name) is value


def without_nulls(value: Any, name: str) -> Any:
    """Return ``value`` without the optional members that are null, which means absent.

    Only members that the schema ``name`` names, and only in requests, results, plans, groups and
    the documents of experiments: any other null is a value.

    Source: specification, section 2.4.
    """
    return _without_nulls(value, _nullable(name))


#: Members by key, None for every key and index: whether null is removed there,
#: and the members below.
_Nullable = dict[str | None, tuple[bool, "_Nullable"]]


@cache
def _nullable(name: str) -> _Nullable:
    from runforge_contracts._generated.optional_nulls import PATHS

    return _by_key(PATHS.get(name, ()))


def _by_key(paths: Iterable[tuple[str | None, ...]]) -> _Nullable:
    rests = dict[str | None, list[tuple[str | None, ...]]]()
    for path in paths:
        rests.setdefault(path[0], []).append(path[1:])
    return {key: (() in found, _by_key(filter(None, found))) for key, found in rests.items()}


def _without_nulls(value: Any, members: _Nullable) -> Any:
    if isinstance(value, list):
        below = members.get(None, (False, {}))[1]
        return [_without_nulls(item, below) for item in value] if below else value
    if not isinstance(value, dict):
        return value
    for key, (is_optional, below) in members.items():
        for name in list(value) if key is None else (key,):
            if name not in value:
                continue
            found = value[name]
            if found is None and is_optional:
                value = {other: item for other, item in value.items() if other != name}
            elif found and below:
                changed = _without_nulls(found, below)
                if changed is not found:  # Most documents have no null: they are not copied.
                    value = {**value, name: changed}
    return value


def _ordered(value: Any, index: int, shapes: _Shapes) -> Any:
    """Return a value in order: itself where it is, so that most documents are only looked at."""
    if type(value) not in _CONTAINERS:
        return value
    keys, others, items = shapes[index]
    changed: dict[Any, Any] = {}
    if type(value) is list:
        for at, item in enumerate(value):
            if type(item) in _CONTAINERS and (ordered := _ordered(item, items, shapes)) is not item:
                changed[at] = ordered
        return [changed.get(at, item) for at, item in enumerate(value)] if changed else value
    rest, is_in_order = iter(keys), True
    for key, item in value.items():
        member = keys.get(key)
        if member is None:
            member, rest = others, iter(())  # No known key may follow.
        elif key not in rest:  # Advances to the key.
            is_in_order = False
        if type(item) in _CONTAINERS and (ordered := _ordered(item, member, shapes)) is not item:
            changed[key] = ordered
    if is_in_order and not changed:
        return value
    names: Iterable[str] = value
    if not is_in_order:
        names = [*(key for key in keys if key in value), *(key for key in value if key not in keys)]
    return {key: changed.get(key, value[key]) for key in names}


_CONTAINERS = (dict, list)
_Shapes = tuple[tuple[dict[str, int], int, int], ...]
