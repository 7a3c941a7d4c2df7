"""Use a dictionary as a recipe: write it to the store as a file named by its digest.

A request names its recipe by a path, and the run keeps a copy of the file.

Source: specification, section 24.6.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from runforge_contracts.codec.strict_json import encode_json, parse_json
from runforge_contracts.display import quote
from runforge_contracts.errors import ErrorCode, RunForgeError
from runforge_contracts.fs.files import write_file, writing
from runforge_contracts.store.layout import StoreLayout
from runforge_contracts.validation import validate

from runforge_engine.preparation.recipe_rules import check_recipe, read_recipe

#: Folder of a store for these files.
RECIPES = "recipes"


def recipe_file(recipe: object, store: StoreLayout) -> Path:
    """Return the path of a recipe that is a path, or a dictionary, which is written into the store.

    Equal dictionaries give the same file, which is written once.

    Raises
    ------
    RunForgeError
        ``USAGE_INVALID`` if it is neither; ``DOCUMENT_INVALID``, ``JSON_NUMBER_INVALID`` or
        ``JSON_STRING_INVALID`` if a dictionary is no recipe; ``STORE_NOT_WRITABLE``.
    """
    if isinstance(recipe, (str, os.PathLike)):
        return Path(os.fsdecode(recipe))
    data, _ = _checked(recipe)
    path = store.root / RECIPES / f"{hashlib.sha256(data).hexdigest()}.json"
    if not path.is_file() or path.read_bytes() != data:
        with writing(path):
            path.parent.mkdir(parents=True, exist_ok=True)
        write_file(path, data)
    return path


def given_recipe(recipe: object) -> dict[str, Any]:
    """Return the content of a recipe that is a path or a dictionary.

    Raises
    ------
    RunForgeError
        As :func:`~runforge_engine.preparation.recipe_rules.read_recipe`; ``USAGE_INVALID`` if it is
        neither.
    """
    if isinstance(recipe, (str, os.PathLike)):
        return read_recipe(Path(os.fsdecode(recipe)))
    return _checked(recipe)[1]


def _checked(recipe: object) -> tuple[bytes, dict[str, Any]]:
    """Return the bytes and the content of a recipe that is a dictionary."""
    if not isinstance(recipe, Mapping):
        raise RunForgeError(
            ErrorCode.USAGE_INVALID,
            f"The recipe is neither a path nor a dictionary, but {quote(type(recipe).__name__)}.",
        )
    data = _encoded(recipe)
    content: dict[str, Any] = parse_json(data)
    validate(content, "recipe.v1")
    check_recipe(content)
    return data, content


def _encoded(recipe: Mapping[str, Any]) -> bytes:
    try:
        return encode_json(dict(recipe))
    except TypeError as error:
        raise RunForgeError(
            ErrorCode.DOCUMENT_INVALID, f"The recipe has a value that JSON does not: {error}."
        ) from None
