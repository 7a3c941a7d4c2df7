"""The reference shows every keyword of every schema, at the place where it is."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from reference import heading_anchor, reference_page, reference_pages, section_addresses
from sources import schema_sources

ROOT = Path(__file__).parents[2]
SCHEMAS = {name: json.loads(path.read_text("utf-8")) for name, path in schema_sources().items()}
PAGES = reference_pages(SCHEMAS)
Place = tuple[str | int, ...]

#: Keywords whose values are subschemas by name, a subschema, and a list of subschemas.
MAPS = ("properties", "$defs")
ONE = ("items", "additionalProperties", "propertyNames", "if", "then", "else", "not")
MANY = ("anyOf", "oneOf", "allOf")
#: What restricts nothing and is the same in all schemas, or is the heading above.
UNSHOWN = {"$schema", "title"}


def keywords(schema: Any, place: Place = ()) -> Iterator[Place]:
    """Yield the place of every keyword, of every required field and of every example."""
    if not isinstance(schema, dict):
        return
    for keyword, value in schema.items():
        here = (*place, keyword)
        if keyword in MAPS:
            for name, child in value.items():
                if isinstance(child, bool):
                    yield (*here, name)
                yield from keywords(child, (*here, name))
        elif keyword in ONE and isinstance(value, dict):
            yield from keywords(value, here)
        elif keyword in MANY:
            for index, child in enumerate(value):
                yield from keywords(child, (*here, index))
        elif keyword in ("required", "enum", "examples"):
            yield from ((*here, index) for index in range(len(value)))
        elif keyword == "dependentRequired":
            for name, others in value.items():
                yield from ((*here, name, index) for index in range(len(others)))
        elif keyword == "type" and value == "object" and "properties" in schema:
            continue  # the table itself says so
        elif keyword == "type" and place[-1:] == ("not",):
            continue  # that of the text which must not match
        elif keyword not in UNSHOWN:
            yield here


def at(schema: Any, place: Place) -> Any:
    for part in place:
        schema = schema[part]
    return schema


def changed(name: str, place: Place) -> list[str]:
    """Return the lines of the page that are gone when the keyword has another value."""
    schema = copy.deepcopy(SCHEMAS[name])
    parent, value = at(schema, place[:-1]), at(schema, place)
    if place[-1] == "$ref":
        parent["$ref"] = "common.v1.json#/$defs/" + ("Count" if "Fraction" in value else "Fraction")
    elif place[-1] == "type":
        parent["type"] = "boolean" if value == "null" else "null"
    elif isinstance(value, bool):
        parent[place[-1]] = not value
    elif isinstance(value, int | float):
        parent[place[-1]] = value + 1
    elif isinstance(value, str):
        parent[place[-1]] = f"{value}x"
    elif isinstance(value, dict | list):
        parent[place[-1]] = type(value)()
    before = PAGES[f"{name}.md"].splitlines()
    after = reference_page(name, {**SCHEMAS, name: schema}).splitlines()
    if len(before) == len(after):
        return [line for line, other in zip(before, after, strict=True) if line != other]
    same = shared(before, after)
    return before[same : len(before) - shared(before[same:][::-1], after[same:][::-1])]


def shared(one: list[str], other: list[str]) -> int:
    """Return how many first lines are the same."""
    pairs = enumerate(zip(one, other, strict=False))
    return next(
        (index for index, (left, right) in pairs if left != right), min(len(one), len(other))
    )


def tokens(keyword: str | int, value: Any) -> list[str]:
    """Return what of a keyword's value has to be legible, as words of the page."""
    if keyword in ("const", "enum"):
        return [f"`{json.dumps(value)}`"]
    if keyword == "$ref":
        return [f"[{value.rpartition('/')[2].removesuffix('.json')}]"]
    if keyword == "description":
        return [value.split(" Source: ")[0]]
    if keyword in ("required", "examples", "additionalProperties", "properties") or (
        keyword == "x-runforge-known-by"
    ):
        return []  # their lines are compared as a whole
    return [str(item) for item in (value if isinstance(value, list) else [value])]


def block(name: str, place: Place) -> str:
    """Return the part of the page that a place belongs to: a definition's, or the document's."""
    page = PAGES[f"{name}.md"]
    if place[0] == "$defs":
        anchor = f'<a id="{str(place[1]).lower()}"></a>'
        return page.split(anchor)[1].split("\n## ")[0]
    return page


def row(name: str, place: Place) -> str | None:
    """Return the start of the table's row, if the place is within a field of a table."""
    inner = place[2:] if place[0] == "$defs" else place
    return f"| `{inner[1]}` |" if inner[0] == "properties" else None


@pytest.mark.parametrize("name", SCHEMAS)
def test_every_keyword_is_on_the_page_at_its_place(name: str) -> None:
    places = list(keywords(SCHEMAS[name]))
    assert len(places) > 5
    for place in places:
        lines = changed(name, place)
        assert lines, f"{place} is not on the page"
        keyword = place[-1] if isinstance(place[-1], str) else place[-2]
        if place[-2:-1] == ("properties",):
            keyword = "properties"
        shown = " ".join(lines).replace("\\|", "|")
        for token in tokens(keyword, at(SCHEMAS[name], place)):
            assert token.lower() in shown.lower(), (place, token)
        start = row(name, place) or ""
        here = [line for line in lines if line in block(name, place)]
        assert [line for line in here if line.startswith(start)], place


def test_the_text_of_a_source_is_legible() -> None:
    page = PAGES["run.v0.4.0.md"]
    source = "Source: specification, sections [8.1](../specification/run.md#81-"
    assert source in page


def schema_of(field: dict[str, Any]) -> dict[str, Any]:
    """Return schemas with one document that has one field."""
    document = {
        "$id": "https://example.org/a.json",
        "title": "A",
        "description": "A document.",
        "type": "object",
        "properties": {"field": field},
    }
    return {"a": document}


@pytest.mark.parametrize(
    ("field", "text"),
    [
        ({"type": "number", "exclusiveMinimum": 0}, "number (above 0)"),
        ({"type": "number", "exclusiveMaximum": 1}, "number (below 1)"),
        ({"type": "number", "multipleOf": 0.5}, "number (a multiple of 0.5)"),
        ({"type": "integer", "minimum": -1, "maximum": 3}, "integer (-1 to 3)"),
        ({"minimum": 3}, "at least 3"),
        ({"type": "string", "minLength": 2, "maxLength": 2}, "string (exactly 2 characters)"),
        ({"type": "string", "format": "uri"}, "string (format uri)"),
        ({"type": "array", "uniqueItems": True}, "array (no two alike)"),
        ({"type": "array", "items": {"type": "string", "minLength": 1}, "maxItems": 4},
         "array (at most 4 items) of string (at least 1 character)"),
        ({"type": "object", "propertyNames": {"minLength": 1}, "minProperties": 1},
         "object (each key is at least 1 character; at least 1 field)"),
        ({"type": "object", "additionalProperties": {"type": "array", "maxItems": 1}},
         "object of array (at most 1 item)"),
        ({"type": "object", "additionalProperties": False}, "object (no fields)"),
        ({"type": "integer", "default": 5}, "integer, default `5`"),
        ({"oneOf": [{"const": 1}, {"type": "null"}]}, "`1` or null"),
        ({"type": "string", "not": {"const": "x"}}, "string, not `\"x\"`"),
        ({"anyOf": [{"type": "array", "items": {"anyOf": [{"const": 1}, {"const": 2}]}}]},
         "array of `1` or `2`"),
        ({"type": "array", "items": {"type": "object", "allOf": [{
            "if": {"required": ["a"]}, "then": {"required": ["b"]}, "else": {"required": ["c"]},
         }]}},
         "array of object, where `a` is present: `b` is required; otherwise: `c` is required"),
    ],
)  # fmt: skip
def test_a_keyword_that_no_schema_has_yet_is_shown(field: dict[str, Any], text: str) -> None:
    assert f"| `field` | {text} |" in reference_pages(schema_of(field))["a.md"]


def test_the_fields_of_an_inner_object_have_rows_of_their_own() -> None:
    inner = {"type": "object", "properties": {"b": {"type": "string"}}, "required": ["b"]}
    page = reference_pages(schema_of(inner))["a.md"]
    assert "| `field.b` | string | yes |" in page


@pytest.mark.parametrize(
    "field",
    [
        {"contains": {"type": "string"}},
        {"type": "array", "items": {"type": "array", "prefixItems": []}},
        {"anyOf": [{"dependentSchemas": {}}]},
    ],
)
def test_a_keyword_that_the_reference_does_not_know_is_refused(field: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="the reference shows no"):
        reference_pages(schema_of(field))


@pytest.mark.parametrize("page", PAGES)
def test_each_page_leads_to_the_specification_and_each_link_leads_somewhere(page: str) -> None:
    folder = ROOT / "docs/contract"
    text = re.sub(r"(?<!\[)`[^`\n]*`", "", PAGES[page])
    links = re.findall(r"\]\(([^)#]*)(?:#([^)]*))?\)", text)
    assert any(target.startswith("../specification/") for target, _ in links)
    for target, anchor in links:
        path = (folder / (target or page)).resolve()
        assert path.is_file(), target
        if anchor:
            text = PAGES[path.name] if path.parent == folder else path.read_text("utf-8")
            anchors = re.findall(r'<a id="([^"]+)">', text)
            anchors += [heading_anchor(title) for title in re.findall(r"^#+ (.+)$", text, re.M)]
            assert anchor in anchors, (target, anchor)


def test_sections_are_found_by_their_numbers() -> None:
    assert section_addresses()["5.2"] == "store.md#52-run-folders"
    assert section_addresses()["9"].startswith("metrics.md#9-")
