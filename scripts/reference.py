"""The reference of every document and field, as Markdown, from the schemas.

Every keyword of every schema is shown. One that this module does not know is an error, so that no
rule of a schema can be missing from its page.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import cache
from typing import Any

import yaml
from sources import FOLDERS, Schemas, resolve, split_reference
from specification import read_pages, read_specification

NOTE = (
    "<!-- Generated from schemas/ by scripts/generate.py;"
    " edit the schema, then run `make generate`. -->\n"
)

#: Keywords that are shown for a whole document or definition.
_OF_DOCUMENTS = {"$schema", "$id", "$defs", "title", "x-runforge-file", "x-runforge-format"}
_OF_DOCUMENTS |= {"x-runforge-known-by", "description", "examples", "properties", "required"}
#: Keywords that are shown below a table of fields, as rules.
_CONDITIONS = {"dependentRequired", "allOf", "if", "then", "else"}
#: Keywords that say what a value is, and are complete by themselves.
_KINDS = {"$ref", "const", "enum", "anyOf", "oneOf", "type"}
#: Keywords that restrict values of a type; they are ignored for values of other types.
_LIMITS = {
    "number": {"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"},
    "string": {"minLength", "maxLength", "pattern", "format"},
    "array": {"items", "minItems", "maxItems", "uniqueItems"},
    "object": {"additionalProperties", "propertyNames", "minProperties", "maxProperties"},
}
_KNOWN = _OF_DOCUMENTS | _CONDITIONS | _KINDS | {"not", "default"} | set().union(*_LIMITS.values())

_WITH_ARTICLE = {
    "object": "an object",
    "array": "an array",
    "string": "a string",
    "integer": "an integer",
    "number": "a number",
}

_CITED = re.compile(r"specification, (?:section|chapter)s? [0-9., toand]*[0-9]")
_NUMBER = re.compile(r"[0-9]+(?:\.[0-9]+)?")


def reference_pages(schemas: Schemas) -> dict[str, str]:
    """Return the text of each page by its file name: one a schema, and an index of them."""
    pages = {f"{name}.md": reference_page(name, schemas) for name, schema in schemas.items()}
    pages["README.md"] = _index(schemas)
    return pages


def _index(schemas: Schemas) -> str:
    lines = [
        NOTE,
        "# The documents of the contract\n",
        "Every document that RunForge reads or writes, generated from the JSON Schemas in",
        "`schemas/` with every rule of them. A closed document refuses fields that its schema does",
        "not know; an open one keeps them. Lengths count Unicode code points. A string that does",
        "not match `\\n` has no line break. What the documents mean is in the",
        "[specification](../specification/README.md).\n",
        "| document | where | unknown fields | what it is |",
        "|---|---|---|---|",
    ]
    for name, schema in schemas.items():
        if "type" not in schema:
            continue
        file = schema.get("x-runforge-file")
        where = f"`{file}`" if file else ""
        closed = "refused" if schema.get("additionalProperties") is False else "kept"
        summary = schema["description"].split(". ")[0].removesuffix(".")
        lines.append(f"| [`{name}`]({name}.md) | {where} | {closed} | {summary} |")
    shared = [name for name, schema in schemas.items() if "type" not in schema]
    links = ", ".join(f"[`{name}`]({name}.md)" for name in shared)
    lines.append(f"\nDefinitions that several documents share: {links}.\n")
    return "\n".join(lines)


def reference_page(name: str, schemas: Schemas) -> str:
    """Return the page of one schema."""
    schema = schemas[name]
    folder, _, rest = name.partition(".")
    file = f"schemas/{folder}/{rest}.json" if folder in FOLDERS else f"schemas/{name}.json"
    lines = [NOTE, f"# `{name}`\n", _with_links(schema["description"]) + "\n"]
    if "x-runforge-file" in schema:
        form = schema.get("x-runforge-format")
        written = f", as {form.upper()}" if form else ""
        lines.append(f"Lives at `{schema['x-runforge-file']}`{written}.\n")
    lines.append(f"Schema: [`{file}`](../../{file}), `{schema['$id']}`.")
    if "x-runforge-known-by" in schema:
        lines.append(f"Known by its members: {_known_by(schema['x-runforge-known-by'])}.")
    if "type" in schema:
        lines.append(f"Type in the packages for Python and TypeScript: `{schema['title']}`.")
    lines.append("")
    if "properties" in schema:
        lines += _object(schema, name, schemas)
    elif "type" in schema:
        described = {key: schema[key] for key in schema if key != "description"}
        lines.append(f"{_capitalise(_kind(described))}.\n")
    for title, definition in schema.get("$defs", {}).items():
        lines.append(f'## <a id="{title.lower()}"></a>{title}\n')
        lines += definition_lines(definition, name, schemas)
    lines += _examples(schema)
    return "\n".join(lines)


def definition_lines(definition: dict[str, Any], page: str, schemas: Schemas) -> Iterator[str]:
    """Yield what a definition of the schema ``page`` is, and its fields if it is an object."""
    if "description" in definition:
        yield _with_links(definition["description"]) + "\n"
    if "properties" in definition:
        yield from _object(definition, page, schemas)
    else:
        yield f"{_capitalise(_kind(definition))}.\n"


def _known_by(members: dict[str, list[str]]) -> str:
    """Return which members tell a document of another client, in words."""
    present = " and ".join(f"`{name}`" for name in members.get("present", ()))
    absent = " or ".join(f"`{name}`" for name in members.get("absent", ()))
    return f"it has {present}" + (f", and no {absent}" if absent else "")


def _examples(schema: dict[str, Any]) -> Iterator[str]:
    examples = schema.get("examples", ())
    if examples:
        yield "## Examples\n" if len(examples) > 1 else "## Example\n"
    for example in examples:
        language, text = "json", json.dumps(example, indent=2, ensure_ascii=False)
        if schema.get("x-runforge-format") == "yaml":
            language, text = "yaml", yaml.safe_dump(example, sort_keys=False).rstrip()
        yield from (f"```{language}", text, "```\n")


def _object(schema: dict[str, Any], page: str, schemas: Schemas) -> list[str]:
    """Return the table of an object's fields, what other fields it may have, and its rules."""
    if schema.get("type") != "object":
        raise ValueError(f"an object's fields without its type: {schema}")
    lines = ["| field | type | required | meaning |", "|---|---|---|---|"]
    lines += _rows(schema, "", page, schemas)
    others = schema.get("additionalProperties", True)
    if others is False:
        lines.append("\nNo other fields.")
    elif others is True:
        lines.append("\nOther fields are kept.")
    else:
        lines.append(f"\nEvery other field: {_kind(others)}.")
    rules = [f"* {_capitalise(rule)}." for rule in _conditions(schema)]
    return [*lines, "", *(["Rules between fields:\n", *rules, ""] if rules else [])]


def _rows(schema: dict[str, Any], prefix: str, page: str, schemas: Schemas) -> Iterator[str]:
    """Yield a row for each field, those of objects inside it included."""
    _refuse_unknown(schema)
    required = set(schema.get("required", ()))
    for name, field in schema["properties"].items():
        mark = "yes" if name in required else ""
        cells = [f"`{prefix}{name}`", _kind(field), mark, _meaning(field, page, schemas)]
        yield f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"
        if isinstance(field, dict) and "properties" in field:
            yield from _rows(field, f"{prefix}{name}.", page, schemas)


def _meaning(field: Any, page: str, schemas: Schemas) -> str:
    """Return the description of a field, or that of the definition that it refers to."""
    if not isinstance(field, dict):
        return ""
    if "description" in field:
        return _with_links(str(field["description"]))
    match field:
        case {"$ref": reference} | {"anyOf": [{"$ref": reference}, {"type": "null"}]}:
            definition, _ = resolve(schemas, reference, page)
            return str(definition["description"].split(" Source: ")[0])
    return ""


def _kind(field: Any) -> str:
    """Return what values a subschema allows, in words."""
    if field is False:
        return "absent"
    if field is True or not field.keys() - {"description", "title"}:
        return "anything"
    _refuse_unknown(field)
    parts = list(_kinds(field))
    if "not" in field and "pattern" not in field:
        parts.append(f"not {_kind(field['not'])}")
    if "default" in field:
        parts.append(f"default {_code(field['default'])}")
    # Conditions of a value that has no table of fields.
    if "properties" not in field:
        parts += _conditions(field)
    return ", ".join(parts)


def _kinds(field: dict[str, Any]) -> Iterator[str]:
    """Yield what each keyword says that decides by itself, then the limits of each type."""
    if "$ref" in field:
        schema, definition = split_reference(field["$ref"], "")
        page = f"{schema}.md" if schema else ""
        if definition:
            page += f"#{definition.lower()}"
        # A reference without a definition is to a whole document.
        yield f"[{definition or schema}]({page})"
    if "const" in field:
        yield _code(field["const"])
    if "enum" in field:
        yield " or ".join(_code(value) for value in field["enum"])
    for keyword in ("anyOf", "oneOf"):
        if keyword in field:
            yield " or ".join(_kind(branch) for branch in field[keyword])
    if "type" in field:
        types = [field["type"]] if isinstance(field["type"], str) else field["type"]
        yield " or ".join(_bounded(kind, field) for kind in types)
    else:
        yield from (limit for kind in _LIMITS for limit in _limits(kind, field))


def _bounded(kind: str, field: dict[str, Any]) -> str:
    limits = list(_limits("number" if kind == "integer" else kind, field))
    # The contents of an array or an object come last, since they may have limits of their own.
    contents = [limit for limit in limits if limit.startswith("of ")]
    limits = [limit for limit in limits if limit not in contents]
    return " ".join([kind, *([f"({'; '.join(limits)})"] if limits else []), *contents])


def _limits(kind: str, field: dict[str, Any]) -> Iterator[str]:
    """Yield what the keywords of a type say of a value of that type."""
    if kind == "number":
        yield from _between(field, "minimum", "maximum", "")
        if "exclusiveMinimum" in field:
            yield f"above {field['exclusiveMinimum']}"
        if "exclusiveMaximum" in field:
            yield f"below {field['exclusiveMaximum']}"
        if "multipleOf" in field:
            yield f"a multiple of {field['multipleOf']}"
    elif kind == "string":
        yield from _between(field, "minLength", "maxLength", "character")
        if "pattern" in field:
            yield f"matches `{field['pattern']}`"
            if "not" in field:
                if field["not"].keys() != {"type", "pattern"}:
                    raise ValueError(f"more than a pattern beside a pattern: {field}")
                yield f"does not match `{field['not']['pattern']}`"
        if "format" in field:
            yield f"format {field['format']}"
    elif kind == "array":
        if "items" in field:
            yield f"of {_kind(field['items'])}"
        yield from _between(field, "minItems", "maxItems", "item")
        if field.get("uniqueItems"):
            yield "no two alike"
    elif kind == "object" and "properties" not in field:
        others = field.get("additionalProperties")
        if isinstance(others, dict):
            yield f"of {_kind(others)}"
        elif others is not None:
            yield "any fields" if others else "no fields"
        if "propertyNames" in field:
            yield f"each key is {_kind(field['propertyNames'])}"
        yield from _between(field, "minProperties", "maxProperties", "field")


def _between(field: dict[str, Any], lowest: str, highest: str, unit: str) -> Iterator[str]:
    least, most = field.get(lowest), field.get(highest)
    if least is None and most is None:
        return
    count = most if most is not None else least
    words = f" {unit}" if count == 1 else f" {unit}s"
    if least is not None and most is not None:
        bound = f"exactly {least}" if least == most else f"{least} to {most}"
    else:
        bound = f"at least {least}" if least is not None else f"at most {most}"
    yield bound + (words if unit else "")


def _conditions(schema: dict[str, Any]) -> Iterator[str]:
    """Yield the rules between fields, which no table shows."""
    required = set(schema.get("required", ()))
    for name, others in schema.get("dependentRequired", {}).items():
        yield f"`{name}` comes together with {', '.join(f'`{other}`' for other in others)}"
    for rule in [schema, *schema.get("allOf", ())]:
        _refuse_unknown(rule)
        if "if" in rule:
            given = " and ".join(_premises(rule["if"]))
            then = "; ".join(_demands(rule.get("then", {}), required))
            otherwise = "; ".join(_demands(rule.get("else", {}), required))
            yield f"where {given}: {then}" + (f"; otherwise: {otherwise}" if otherwise else "")
        elif rule is not schema:
            yield f"always: {'; '.join(_demands(rule, required))}"


def _premises(rule: dict[str, Any]) -> Iterator[str]:
    fields = rule.get("properties", {})
    required = set(rule.get("required", ()))
    yield from (f"`{name}` is present" for name in rule.get("required", ()) if name not in fields)
    yield from _statements(rule, required)


def _demands(rule: dict[str, Any], required: set[str]) -> Iterator[str]:
    """Yield what a rule asks of an object whose ``required`` fields are there in any case."""
    yield from (f"`{name}` is required" for name in rule.get("required", ()))
    yield from _statements(rule, required | set(rule.get("required", ())))


def _statements(rule: dict[str, Any], present: set[str]) -> Iterator[str]:
    _refuse_unknown(rule)
    for name, field in rule.get("properties", {}).items():
        # A rule of a field says nothing where the field is absent.
        only = "" if name in present or field is False else " where present"
        yield f"`{name}` is {_WITH_ARTICLE.get(_kind(field), _kind(field))}{only}"
    if rest := {key: rule[key] for key in rule if key not in ("properties", "required")}:
        yield f"the whole is {_kind(rest)}"


def _refuse_unknown(schema: dict[str, Any]) -> None:
    """Raise for a keyword that no page would show."""
    unknown = schema.keys() - _KNOWN
    if unknown:
        raise ValueError(f"the reference shows no {', '.join(sorted(unknown))}: {schema}")


def _code(value: Any) -> str:
    # With escapes: some characters of an enumeration are blanks that look alike.
    return f"`{json.dumps(value)}`"


def _with_links(text: str) -> str:
    """Return a description in which each cited section of the specification is a link."""
    return _CITED.sub(lambda cited: _NUMBER.sub(_section_link, cited[0]), text)


def _section_link(number: re.Match[str]) -> str:
    return f"[{number[0]}](../specification/{section_addresses()[number[0]]})"


@cache
def section_addresses() -> dict[str, str]:
    """Return the page and the anchor of each numbered heading of the specification."""
    return {
        section.number: f"{section.page}.md#{heading_anchor(_heading(*section[:2]))}"
        for section in read_specification(read_pages()).sections
    }


def _heading(number: str, title: str) -> str:
    return f"{number} {title}" if "." in number else f"{number}. {title}"


def heading_anchor(heading: str) -> str:
    """Return the anchor that GitHub gives a heading."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def _capitalise(text: str) -> str:
    return text[:1].upper() + text[1:]
