"""Boundary cases are refused by two validators, and every rule of every schema has one."""

from __future__ import annotations

import contextlib
import copy
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from jsonschema_rs import Draft202012Validator
from referencing import Registry, Resource
from runforge_conformance.boundaries import boundaries
from runforge_conformance.vectors import (
    all_cases,
    input_bytes,
    parse_file,
    requirements,
    suffix_of,
)
from runforge_contracts.errors import RunForgeError
from runforge_contracts.invariants.checked_folder import schema_rule
from runforge_contracts.schemas import BASE_URL, contract_names, validator

ROOT = Path(__file__).parents[2]
VECTORS = ROOT / "docs/test-vectors"
FOLDER = ROOT / "schemas"


def schemas_in(*patterns: str) -> dict[str, Any]:
    """Return the schemas of some files, by name."""
    return {
        ".".join(path.relative_to(FOLDER).with_suffix("").parts): json.loads(
            path.read_text("utf-8")
        )
        for pattern in patterns
        for path in FOLDER.glob(pattern)
    }


SCHEMAS: dict[str, Any] = schemas_in("*.json", "tfc/*.json")
#: Those of other clients, which some of ours refer to.
FIELD: dict[str, Any] = schemas_in("field/*.json")
REGISTRY: Registry[Any] = Registry().with_resources(
    (schema["$id"], Resource.from_contents(schema))
    for schema in [*SCHEMAS.values(), *FIELD.values()]
)
#: What describes, names or refers, and refuses nothing by itself.
SILENT = {"title", "description", "examples", "$schema", "$id", "$ref"}
SILENT |= {"x-runforge-file", "x-runforge-format"}
#: Beside a pattern, for the languages whose `$` also matches before a last line break.
NO_LINE_BREAK = {"type": "string", "pattern": r"\n"}
#: Rules that follow from those between the fields of the same object, where null is as good as
#: absent; the types of the languages are still made from them.
IMPLIED = [
    "tfc.common.v1/$defs/RunCommand/properties/command/type",
    "tfc.metrics_entry.v1/properties/parameter/type",
]
#: Where to find subschemas.
MAPS, ONE, MANY = ("properties", "$defs"), ("items", "additionalProperties"), ("anyOf",)


def valid_documents(name: str) -> list[Any]:
    """Return every valid vector and example of a document."""
    files = [*VECTORS.glob(f"{name}.*"), *(VECTORS / "runs").glob("[vl]*/**/*.json")]
    found = [parse_file(path.read_bytes(), path.name) for path in files]
    found += SCHEMAS[name]["examples"]
    return [document for document in found if validator(name).is_valid(document)]


def given_documents(name: str) -> list[Any]:
    """Return what readers are given by the cases of a document, as far as it can be parsed."""
    found = []
    for case in all_cases():
        if case.op == "read" and case.document == name and case.input:
            with contextlib.suppress(RunForgeError):
                found.append(parse_file(input_bytes(case.input), f"input{suffix_of(name)}"))
    return found


@pytest.mark.parametrize("name", contract_names())
def test_boundary_cases_are_refused_by_both_validators(name: str) -> None:
    independent = jsonschema.Draft202012Validator(SCHEMAS[name], registry=REGISTRY)
    file = f"{name}.full{suffix_of(name)}"
    document = parse_file((VECTORS / file).read_bytes(), file)
    cases = list(boundaries(name, document))
    assert len(cases) >= 10
    for case in cases:
        broken = case.document(document)
        assert not validator(name).is_valid(broken), case
        assert not independent.is_valid(broken), case


def rules(schema: Any, place: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """Give the place of every rule in a schema: each keyword, and each required field."""
    for keyword, value in schema.items():
        here = (*place, keyword)
        if keyword in MAPS:
            for key, child in value.items():
                if isinstance(child, dict):
                    yield from rules(child, (*here, key))
        elif keyword in ONE and isinstance(value, dict):
            yield from rules(value, here)
        elif keyword in MANY:
            for index, child in enumerate(value):
                yield from rules(child, (*here, index))
        elif keyword == "required":
            yield from ((*here, index) for index in range(len(value)))
        elif keyword == "not" and value == NO_LINE_BREAK:
            continue
        elif keyword not in SILENT and not (keyword == "additionalProperties" and value is True):
            yield here


def weakened(schema: Any, place: tuple[str | int, ...]) -> Any:
    """Return a schema without one of its rules."""
    weak = copy.deepcopy(schema)
    parent = weak
    for part in place[:-1]:
        parent = parent[part]
    del parent[place[-1]]
    return weak


@pytest.mark.slow
def test_every_rule_of_every_schema_is_held_by_a_case() -> None:
    """Take any rule away, and a document that must be refused is accepted.

    Conditions (`allOf`) are taken away as a whole; their cases are the mutations of the vectors,
    and those that are written by hand.
    """
    # What a command prints is nobody's to read by contract, and has no cases.
    names = [name for name in contract_names() if schema_rule(name) in requirements()]
    printed = set(contract_names()) - set(names)
    refused: dict[str, list[Any]] = {}
    for name in names:
        cases = given_documents(name)
        for document in valid_documents(name):
            cases += [case.document(document) for case in boundaries(name, document)]
            for key in document if isinstance(document, dict) else ():
                cases.append({**document, key: None})
                for other in valid_documents(name):
                    if key in other:
                        cases.append({**document, key: other[key]})
        refused[name] = [case for case in cases if not validator(name).is_valid(case)]
    unheld = []
    for changed, schema in SCHEMAS.items():
        if changed in printed:
            continue
        for place in rules(schema):
            weak = {**FIELD, **SCHEMAS, changed: weakened(schema, place)}
            users = [
                name
                for name in refused
                if name == changed or f'"{changed}.json#' in json.dumps(reachable(name))
            ]
            if not any(accepts_one(weak, name, refused[name]) for name in users):
                unheld.append("/".join([changed, *map(str, place)]))
    assert sorted(unheld) == IMPLIED


def reachable(name: str) -> list[Any]:
    """Return the schema and those that it refers to, at any distance."""
    found, waiting = [], [name]
    seen = {name}
    while waiting:
        schema = SCHEMAS[waiting.pop()]
        found.append(schema)
        text = json.dumps(schema)
        for other in SCHEMAS:
            if other not in seen and f'"{other}.json#' in text:
                seen.add(other)
                waiting.append(other)
    return found


def accepts_one(schemas: dict[str, Any], name: str, documents: list[Any]) -> bool:
    compiled = Draft202012Validator(
        schemas[name],
        retriever=lambda url: schemas[url.removeprefix(BASE_URL).removesuffix(".json")],
    )
    return any(compiled.is_valid(document) for document in documents)
