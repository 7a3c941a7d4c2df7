"""The reference of every document and field, as Markdown, from the schemas."""

from __future__ import annotations

import json
from typing import Any

import yaml
from sources import Schemas, resolve, split_reference

NOTE = (
    "<!-- Generated from schemas/ by scripts/generate.py;"
    " edit the schema, then run `make generate`. -->\n"
)


def reference_pages(schemas: Schemas) -> dict[str, str]:
    """Return the text of each page by its file name: one a schema, and an index of them."""
    pages = {f"{name}.md": _page(name, schemas) for name, schema in schemas.items()}
    pages["README.md"] = _index(schemas)
    return pages


def _index(schemas: Schemas) -> str:
    lines = [
        NOTE,
        "# The documents of the contract\n",
        "Every document that RunForge reads or writes, generated from the JSON Schemas in",
        "`schemas/`. A closed document refuses fields that its schema does not know; an open one",
        "keeps them.\n",
        "| document | where | unknown fields | what it is |",
        "|---|---|---|---|",
    ]
    for name, schema in schemas.items():
        if schema.get("type") != "object":
            continue
        file = schema.get("x-runforge-file")
        where = f"`{file}`" if file else ""
        closed = "refused" if schema.get("additionalProperties") is False else "kept"
        summary = schema["description"].split(". ")[0].removesuffix(".")
        lines.append(f"| [`{name}`]({name}.md) | {where} | {closed} | {summary} |")
    shared = [name for name, schema in schemas.items() if schema.get("type") != "object"]
    links = ", ".join(f"[`{name}`]({name}.md)" for name in shared)
    lines.append(f"\nDefinitions that several documents share: {links}.\n")
    return "\n".join(lines)


def _page(name: str, schemas: Schemas) -> str:
    schema = schemas[name]
    lines = [NOTE, f"# `{name}`\n", schema["description"] + "\n"]
    if "x-runforge-file" in schema:
        lines.append(f"Lives at `{schema['x-runforge-file']}`.\n")
    if "properties" in schema:
        lines += [*_fields(schema, name, schemas), ""]
        lines += _conditions(schema)
    for title, definition in schema.get("$defs", {}).items():
        lines += [
            f'## <a id="{title.lower()}"></a>{title}\n',
            definition.get("description", "") + "\n",
        ]
        if "properties" in definition:
            lines += [*_fields(definition, name, schemas), "", *_conditions(definition)]
        else:
            lines.append(f"{_capitalise(_kind(definition))}.\n")
    for example in schema.get("examples", ())[:1]:
        language, text = "json", json.dumps(example, indent=2, ensure_ascii=False)
        if schema.get("x-runforge-format") == "yaml":
            language, text = "yaml", yaml.safe_dump(example, sort_keys=False).rstrip()
        lines += ["## Example\n", f"```{language}", text, "```\n"]
    return "\n".join(lines)


def _fields(schema: dict[str, Any], page: str, schemas: Schemas) -> list[str]:
    required = set(schema.get("required", ()))
    rows = ["| field | type | required | meaning |", "|---|---|---|---|"]
    for name, field in schema["properties"].items():
        mark = "yes" if name in required else ""
        meaning = _meaning(field, page, schemas).replace("|", "\\|")
        rows.append(f"| `{name}` | {_kind(field)} | {mark} | {meaning} |")
    if schema.get("additionalProperties") is False:
        rows.append("\nNo other fields.")
    return rows


def _meaning(field: dict[str, Any], page: str, schemas: Schemas) -> str:
    """Return the description of a field, or that of the definition that it refers to."""
    if "description" in field or "$ref" not in field:
        return str(field.get("description", ""))
    definition, _ = resolve(schemas, field["$ref"], page)
    return str(definition["description"].split(" Source: ")[0])


def _kind(field: dict[str, Any]) -> str:
    """Return what values a subschema allows, in words."""
    if "$ref" in field:
        schema, definition = split_reference(field["$ref"], "")
        page = f"{schema}.md" if schema else ""
        return f"[{definition}]({page}#{definition.lower()})"
    if "const" in field:
        return f"`{json.dumps(field['const'])}`"
    if "enum" in field:
        return " or ".join(f"`{json.dumps(value)}`" for value in field["enum"])
    if "anyOf" in field:
        return " or ".join(_kind(branch) for branch in field["anyOf"])
    types = field.get("type", "anything")
    types = [types] if isinstance(types, str) else types
    return " or ".join(_bounded(kind, field) for kind in types)


def _bounded(kind: str, field: dict[str, Any]) -> str:
    if kind == "array" and "items" in field:
        return f"array of {_kind(field['items'])}"
    if kind == "object" and isinstance(field.get("additionalProperties"), dict):
        return f"object of {_kind(field['additionalProperties'])}"
    if kind in ("integer", "number") and ("minimum" in field or "maximum" in field):
        least, most = field.get("minimum", "…"), field.get("maximum", "…")
        return f"{kind} ({least} to {most})"
    if kind == "string" and "pattern" in field:
        return f"string like `{field['pattern'].replace('|', chr(92) + '|')}`"
    return kind


def _conditions(schema: dict[str, Any]) -> list[str]:
    """Return the rules between fields, which no table shows."""
    rules = [
        f"* `{name}` comes together with {', '.join(f'`{other}`' for other in others)}."
        for name, others in schema.get("dependentRequired", {}).items()
    ]
    for rule in schema.get("allOf", ()):
        if "if" in rule:
            given = ", ".join(_premises(rule["if"]))
            rules += [f"* Where {given}: {text}." for text in _consequences(rule["then"])]
    return ["Rules between fields:\n", *rules, ""] if rules else []


def _premises(given: dict[str, Any]) -> list[str]:
    fields = given.get("properties", {})
    texts = [f"`{name}` is present" for name in given.get("required", ()) if name not in fields]
    for name, field in fields.items():
        texts.append(
            f"`{name}` is absent"
            if field is False
            else f"`{name}` is `{json.dumps(field['const'])}`"
        )
    return texts


def _consequences(then: dict[str, Any]) -> list[str]:
    texts = [f"`{name}` is required" for name in then.get("required", ())]
    for name, field in then.get("properties", {}).items():
        texts.append(f"`{name}` is absent" if field is False else f"`{name}` is {_kind(field)}")
    return texts


def _capitalise(text: str) -> str:
    return text[:1].upper() + text[1:]
