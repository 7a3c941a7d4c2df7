"""Read experiment files and configurations as objects."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from runforge_contracts.codec.strict_yaml import load_yaml
from runforge_contracts.display import quote
from runforge_contracts.errors import ErrorCode, RunForgeError


def read_yaml_object(path: Path) -> dict[str, Any]:
    """Return the object in the YAML file at ``path``.

    Raises
    ------
    RunForgeError
        As :func:`~runforge_contracts.codec.strict_yaml.load_yaml`; ``DOCUMENT_INVALID`` for
        anything other than a mapping of names to values.
    """
    value = load_yaml(path)
    if not isinstance(value, dict):
        raise RunForgeError(
            ErrorCode.DOCUMENT_INVALID,
            f"{quote(path, 200)} is not an experiment file: it has no names with values.",
            hint="Write a line `name: value` for each; a script is named by `run: {script: FILE}`.",
            path=str(path),
        )
    return value
