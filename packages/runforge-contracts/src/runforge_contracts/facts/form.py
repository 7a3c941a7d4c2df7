"""Documents are written in one form, so that equal content is equal bytes.

Source: RunForge contract, "How JSON is written".
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from runforge_contracts.facts.finding import Finding
from runforge_contracts.facts.folder import Folder
from runforge_contracts.schemas import in_schema_order

_BOM = b"\xef\xbb\xbf"
#: A string, a bracket, colon or comma, or anything else up to one of these.
_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[][{}:,]|[^][{}:,"\s]+')


def form_findings(folder: Folder) -> Iterator[Finding]:
    """Give the documents of a run that are not written in the contract's form."""
    # Clients before the manifest wrote as their language does.
    if not folder.is_current:
        return
    for file, name in folder.schemas.items():
        yield from written_form(folder.texts[file], file)
        yield from key_order(folder.documents[file], name, file)
        if b'+00:00"' in folder.texts[file]:
            yield Finding("json.timestamps", "A time is written with `Z`.", file)


def written_form(text: bytes, file: str) -> Iterator[Finding]:
    """Give a finding where a valid JSON text is not in the contract's form.

    The order of the keys and the spelling of numbers and of characters are not looked at.
    """
    if text.startswith(_BOM):
        yield Finding("json.form", "The file has no byte order mark.", file)
        return
    if text != _written(text):
        message = "The file has two spaces a level, LF, and one newline at its end."
        yield Finding("json.form", message, file)


def _written(text: bytes) -> bytes:
    """Return a valid JSON text with the contract's white space, every token as it was."""
    parts: list[str] = []
    depth, opened = 0, False
    for piece in _TOKEN.findall(text.decode("utf-8")):
        closing = piece in ("}", "]")
        depth -= closing
        # A line ends after an opening bracket and before a closing one, but not inside `{}`.
        if opened != closing:
            parts.append("\n" + "  " * depth)
        parts.append(": " if piece == ":" else piece)
        opened = piece in ("{", "[")
        depth += opened
        if piece == ",":
            parts.append("\n" + "  " * depth)
    return ("".join(parts) + "\n").encode("utf-8")


def key_order(document: Any, name: str, file: str) -> Iterator[Finding]:
    """Give a finding where keys are not in the order of the schema ``name``."""
    if json.dumps(document) != json.dumps(in_schema_order(document, name)):
        yield Finding("json.key-order", "Keys stand in the schema's order.", file)
