"""The suite's own schemas: messages, cases, requirements and reports."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

from jsonschema_rs import Draft202012Validator

_FOLDER = Path(__file__).parent / "_generated/schemas"
_BASE_URL = "https://runforge.dev/schemas/conformance/"


@cache
def load(name: str) -> dict[str, Any]:
    """Return the schema ``name``, such as ``protocol.v1``."""
    schema: dict[str, Any] = json.loads((_FOLDER / f"{name}.json").read_bytes())
    return schema


@cache
def validator(name: str, definition: str | None = None) -> Draft202012Validator:
    """Return the compiled validator of a schema or of one of its definitions."""
    schema = {"$ref": f"{_BASE_URL}{name}.json" + (f"#/$defs/{definition}" if definition else "")}
    return Draft202012Validator(
        schema, retriever=lambda url: load(url.removeprefix(_BASE_URL).removesuffix(".json"))
    )


def mistake(value: Any, name: str, definition: str | None = None) -> str | None:
    """Return what is invalid in ``value``, as a sentence, or None."""
    for error in validator(name, definition).iter_errors(value):
        place = "/".join(map(str, error.instance_path))
        return f"/{place}: {error.message[:300]}" if place else error.message[:300]
    return None
