"""Documents are written in one form, so that equal content is equal bytes.

Source: RunForge contract, "How JSON is written"; YAML 1.1 and 1.2.2, on tags of plain scalars.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from runforge_contracts.codec.strict_json import in_form
from runforge_contracts.codec.strict_yaml import plain_scalars
from runforge_contracts.display import quote
from runforge_contracts.invariants.checked_folder import Folder
from runforge_contracts.invariants.finding import Finding
from runforge_contracts.schemas import is_in_schema_order
from runforge_contracts.store import layout

_BOM = b"\xef\xbb\xbf"


def form_findings(folder: Folder) -> Iterator[Finding]:
    """Give the documents of a run that are not written in the contract's form."""
    # Clients before the manifest wrote as their language does.
    if not folder.is_current:
        return
    for file, name in folder.schemas.items():
        if file == layout.REQUEST:
            continue  # It is as its client wrote it; whoever executes it changes nothing in it.
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
    if text != in_form(text):
        message = "The file has two spaces a level, LF, and one newline at its end."
        yield Finding("json.form", message, file)


def key_order(document: Any, name: str, file: str) -> Iterator[Finding]:
    """Give a finding where keys are not in the order of the schema ``name``."""
    if not is_in_schema_order(document, name):
        yield Finding("json.key-order", "Keys stand in the schema's order.", file)


def portable_form(text: bytes, file: str) -> Iterator[Finding]:
    """Give the plain scalars of a valid YAML text that readers of YAML 1.1 take for another value.

    Such as a date, which is a text to readers of YAML 1.2.
    """
    for line, scalar, value in plain_scalars(text):
        other = _in_yaml_1_1(scalar)
        if type(other) is not type(value) or other != value:
            message = f"{quote(scalar)} in line {line} is not the same to every reader of YAML."
            yield Finding("yaml.portable", message, file, found=scalar)


def _in_yaml_1_1(scalar: str) -> Any:
    """Return what a plain scalar is to readers of YAML 1.1."""
    import yaml

    resolver: Any = yaml.resolver.Resolver()
    node = yaml.ScalarNode(resolver.resolve(yaml.ScalarNode, scalar, (True, False)), scalar)
    try:
        return yaml.constructor.SafeConstructor().construct_object(node)
    except (yaml.YAMLError, ValueError):
        return object()  # such as `=`, and the 31st of February: nothing that JSON can hold
