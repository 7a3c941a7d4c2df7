"""Checks that documents are written in canonical form: equal content, equal bytes.

Source: specification, sections 2.7 and 2.9; YAML 1.1 and 1.2.2, on tags of plain scalars.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from runforge_contracts.codec.strict_json import in_form
from runforge_contracts.codec.strict_yaml import plain_scalars
from runforge_contracts.display import quote
from runforge_contracts.invariants.checked_folder import CheckedRun
from runforge_contracts.invariants.finding import Finding
from runforge_contracts.schemas import FIELD, is_in_schema_order
from runforge_contracts.store import layout

_BOM = b"\xef\xbb\xbf"


def form_findings(folder: CheckedRun) -> Iterator[Finding]:
    """Yield the documents of a run that are not written in the contract's form."""
    # Clients before the manifest wrote as their language does.
    if not folder.is_current:
        return
    for file, document in folder.documents.items():
        if file == layout.REQUEST or document.name.startswith(FIELD):
            continue  # Kept as its client wrote it: the executor copies a request unchanged.
        yield from written_form(folder.texts[file], file)
        yield from key_order(document.raw, document.name, file)
        if b'+00:00"' in folder.texts[file]:
            message = f"{file} has a time with `+00:00` instead of `Z`."
            yield Finding("json.timestamps", message, file)


def written_form(text: bytes, file: str) -> Iterator[Finding]:
    """Yield a finding if valid JSON is not written in the contract's form.

    Key order and the notation of numbers and characters are not checked.
    """
    if text.startswith(_BOM):
        yield Finding("json.form", f"{file} starts with a byte order mark.", file)
        return
    if text != in_form(text):
        message = f"{file} is not indented by two spaces with LF and one newline at its end."
        yield Finding("json.form", message, file)


def key_order(document: Any, name: str, file: str) -> Iterator[Finding]:
    """Yield a finding if keys are not in the order of the schema ``name``."""
    if not is_in_schema_order(document, name):
        yield Finding(
            "json.key-order", f"The keys of {file} are not in schema order ({name}).", file
        )


def portable_form(text: bytes, file: str) -> Iterator[Finding]:
    """Yield the plain scalars of valid YAML that YAML 1.1 resolves to another value.

    An example is a date, which is a string in YAML 1.2.
    """
    for line, scalar, value in plain_scalars(text):
        other = _in_yaml_1_1(scalar)
        if type(other) is not type(value) or other != value:
            message = f"{quote(scalar)} in line {line} differs between YAML 1.1 and YAML 1.2."
            yield Finding("yaml.portable", message, file, found=scalar)


def _in_yaml_1_1(scalar: str) -> Any:
    """Return the value of a plain scalar in YAML 1.1."""
    import yaml

    resolver: Any = yaml.resolver.Resolver()
    node = yaml.ScalarNode(resolver.resolve(yaml.ScalarNode, scalar, (True, False)), scalar)
    try:
        return yaml.constructor.SafeConstructor().construct_object(node)
    except (yaml.YAMLError, ValueError):
        return object()  # such as `=`, and the 31st of February: not a JSON value
