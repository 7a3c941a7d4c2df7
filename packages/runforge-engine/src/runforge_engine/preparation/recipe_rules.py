"""Read a recipe, and check what its schema cannot say.

Source: specification, section 24.3.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from runforge_contracts.codec.strict_json import MAX_BYTES
from runforge_contracts.documents import Document
from runforge_contracts.errors import ErrorCode, Location, Problem, RunForgeError
from runforge_contracts.fs.files import read_file
from runforge_contracts.types import RecipeV1
from runforge_contracts.validation import MAX_PROBLEMS

from runforge_engine.data.cells import BLANKS, is_missing
from runforge_engine.preparation.column_conversion import conversion

#: The members that belong to one action each, or to few.
_MEMBERS = {
    "true": ("boolean",),
    "false": ("boolean",),
    "categories": ("one_hot", "ordinal"),
    "unknown": ("one_hot",),
    "format": ("date",),
    "parts": ("date",),
    "decimal_mark": ("number",),
    "thousands_mark": ("number",),
    "missing_values": ("keep", "boolean", "one_hot", "ordinal", "date", "number"),
    "missing": ("keep", "boolean", "one_hot", "ordinal", "date", "number"),
    "constant": ("keep", "boolean", "one_hot", "ordinal", "date", "number"),
}
#: Members of `source` that concern files of text.
_FOR_TEXT = {"delimiter", "decimal_mark", "encoding"}
_NEEDED = {"one_hot": ("categories",), "ordinal": ("categories",), "date": ("format", "parts")}
_FORMAT = re.compile(r"(?:%[YmdHMS]|[-/.:, TZ])+")
_DATE = ("%Y", "%m", "%d")
#: What the format of a date must have for each part.
_PART_NEEDS = {
    "year": ("%Y",),
    "month": ("%m",),
    "day": ("%d",),
    "weekday": _DATE,
    "days": _DATE,
    "hour": ("%H",),
    "minute": ("%M",),
    "second": ("%S",),
}


def read_recipe(path: Path) -> dict[str, Any]:
    """Read the recipe at ``path``.

    Raises
    ------
    RunForgeError
        ``FILE_NOT_FOUND`` or another code of reading; a code of JSON; ``DOCUMENT_INVALID``.
    """
    return parse_recipe(
        read_file(path, max_bytes=MAX_BYTES, too_large=ErrorCode.JSON_TOO_LARGE), path
    )


def parse_recipe(data: bytes, path: Path) -> dict[str, Any]:
    """Return the recipe that the file at ``path`` has; raises as :func:`read_recipe`."""
    raw = Document[RecipeV1].parse(data, RecipeV1, path=path).raw
    check_recipe(raw, path)
    return raw


def check_recipe(recipe: Mapping[str, Any], path: Path | None = None) -> None:
    """Raise ``DOCUMENT_INVALID`` for a recipe that is valid by its schema and contradicts itself.

    Parameters
    ----------
    recipe
        A document that is valid by the schema.
    path
        Its file, for errors.
    """
    where = None if path is None else str(path)
    problems = []
    for pointer, message in _mistakes(recipe):
        problems.append(Problem(message, Location(path=where, pointer=pointer)))
        if len(problems) == MAX_PROBLEMS:
            break
    if problems:
        raise RunForgeError(
            ErrorCode.DOCUMENT_INVALID,
            f"The recipe cannot be applied: {problems[0].message}",
            path=where,
            pointer=problems[0].location.pointer,
            problems=problems if len(problems) > 1 else (),
        )


def _mistakes(recipe: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield pointer and message of each mistake."""
    source = recipe.get("source", {})
    if "sheet" in source and source.keys() & _FOR_TEXT:
        yield "/source/sheet", "A sheet has no delimiter, decimal mark or encoding."
    seen = {recipe["label"]}
    used = False
    for index, column in enumerate(recipe["columns"]):
        at = f"/columns/{index}"
        if column["column"] in seen:
            yield f"{at}/column", "The column is listed before, or is the label."
        seen.add(column["column"])
        if column["action"] != "drop":
            used = True
            if not column["column"].strip(BLANKS):
                yield f"{at}/column", "A column without a name can only be dropped."
        found = list(_column_mistakes(column, at))
        yield from found
        if not found and column.get("missing") == "constant":
            made = conversion(column, source)
            listed = column["constant"].strip(BLANKS) in column.get("missing_values", ())
            if made is not None and (listed or not made.accepts(column["constant"])):
                yield f"{at}/constant", "The constant is not a value that the column may have."
    if not used:
        yield "/columns", "Every column is dropped."


def _column_mistakes(column: Mapping[str, Any], at: str) -> Iterator[tuple[str, str]]:
    action = column["action"]
    for member, actions in _MEMBERS.items():
        if member in column and action not in actions:
            yield f"{at}/{member}", f"The action `{action}` has no `{member}`."
    for member in _NEEDED.get(action, ()):
        if member not in column:
            yield at, f"The action `{action}` needs `{member}`."
    if (column.get("missing") == "constant") != ("constant" in column):
        yield at, "`constant` is given if, and only if, `missing` is `constant`."
    unknown = column.get("missing_values", [])
    values = [*column.get("true", ()), *column.get("false", ()), *column.get("categories", ())]
    listed = [*values, *unknown]
    if len(set(listed)) < len(listed):
        yield at, "A value is listed twice."
    if any(is_missing(value) for value in values):
        yield at, "A value is listed that is a missing one."
    if any(value != value.strip(BLANKS) for value in listed):
        yield at, "A value is listed that has blanks around it."
    categories = column.get("categories", [])
    if action == "one_hot" and categories != sorted(categories):
        yield f"{at}/categories", "Categories are sorted by code point."
    if action == "boolean" and ("true" in column) != ("false" in column):
        yield at, "`true` and `false` are given together, or not at all."
    if action == "number" and column.get("decimal_mark", ".") == column.get("thousands_mark"):
        yield f"{at}/thousands_mark", "It is the decimal mark."
    if action == "date" and not set(_NEEDED["date"]) - column.keys():
        yield from _date_mistakes(column, at)


def _date_mistakes(column: Mapping[str, Any], at: str) -> Iterator[tuple[str, str]]:
    form, parts = column["format"], column["parts"]
    directives = re.findall("%.", form)
    if not _FORMAT.fullmatch(form) or len(set(directives)) < len(directives):
        yield (
            f"{at}/format",
            "A format has each of %Y %m %d %H %M %S at most once, and any of `-/.:, TZ`.",
        )
    elif len(set(parts)) < len(parts):
        yield f"{at}/parts", "A part is listed twice."
    elif any(not set(_PART_NEEDS[part]) <= set(directives) for part in parts):
        yield f"{at}/parts", "The format lacks what a part is computed from."
