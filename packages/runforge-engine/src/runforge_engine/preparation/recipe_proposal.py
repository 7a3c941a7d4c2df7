"""Propose a recipe for a raw table, by rules alone: the same table gives the same recipe.

Source: specification, section 24.5.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from runforge_contracts.display import quote
from runforge_contracts.errors import ErrorCode, RunForgeError

from runforge_engine.data.cell_arrays import number_pattern, stray_cells, trimmed, without
from runforge_engine.data.cells import BLANKS, are_booleans
from runforge_engine.data.column_choice import check_unique, missing_columns, no_label
from runforge_engine.data.dataset_source import DatasetSource
from runforge_engine.data.suspicious_features import identifiers
from runforge_engine.data.table_reader import read_names, read_table
from runforge_engine.preparation.column_conversion import (
    UnexpectedValuesError,
    conversion,
)

if TYPE_CHECKING:
    import pyarrow as pa

    from runforge_engine.data.column_table import ColumnTable

#: Most categories of one column, unless another number is given.
MAX_CATEGORIES = 40
#: Most categories that a recipe can have for a column.
MOST_CATEGORIES = 10_000
#: Share of the rows above which missing numbers get an indicator.
_FEW_MISSING = 0.05
#: Pairs of words, in lower case, of which the first is false.
_PAIRS = (("no", "yes"), ("n", "y"), ("f", "t"), ("off", "on"))
_DAYS = ("%Y-%m-%d", "%Y/%m/%d", "%d.%m.%Y")
_TIMES = ("%H:%M:%S", "%H:%M")
_SLASHES = ("%d/%m/%Y", "%m/%d/%Y")
_DATE_PARTS = ("year", "month", "day", "weekday")
_TIME_PARTS = ("hour", "minute")
#: Decimal and thousands marks of numbers that no other marks fit.
_MARKS = ((".", ","), (",", "."), (".", " "), (",", " "), (".", "'"))
#: What people write, in any case, where a number is unknown; beside what is missing anyway.
_UNKNOWN = frozenset(
    ("?", "-", "--", ".", "*", "#n/a", "<na>", "n.a.", "na", "nil", "none", "missing", "unknown")
)
#: Most cells that a reason names.
_NAMED = 3


def propose_recipe(
    raw: DatasetSource,
    label: str,
    source: dict[str, Any],
    *,
    max_categories: int = MAX_CATEGORIES,
    created_by: str,
) -> tuple[dict[str, Any], ColumnTable]:
    """Return a ``recipe.v1`` for a raw table, and the columns of that, to be read once.

    Each column that is dropped says why. ``raw`` is released.

    Parameters
    ----------
    raw
        The raw file.
    label
        Its label column.
    source
        The form of the raw file, as named by the user.
    max_categories
        Most categories of a column that becomes one-hot columns.
    created_by
        The client, for the recipe.

    Raises
    ------
    RunForgeError
        ``LABEL_NOT_FOUND``, ``COLUMN_DUPLICATE``, ``ZERO_ROWS``, ``ZERO_FEATURES``; the errors of
        :func:`~runforge_engine.data.table_reader.read_table`.
    """
    names = read_names(raw)
    if label not in names:
        hint = "Name the label as the table's header does; case and blanks count."
        raise no_label(names, label, raw, hint)
    named = [name for name in names if name.strip(BLANKS)]
    check_unique(named, raw)
    features = [name for name in named if name != label]
    table = read_table(raw, [], [names.index(name) for name in named], encode=True)
    raw.release()
    if not table.num_rows:
        raise RunForgeError(ErrorCode.ZERO_ROWS, "The table has no rows.", path=str(raw.path))
    columns = [
        {
            "column": name,
            **_proposed(name, table, source, max_categories),
        }
        for name in features
    ]
    if all(column["action"] == "drop" for column in columns):
        raise RunForgeError(
            ErrorCode.ZERO_FEATURES,
            "The proposed recipe drops every column: "
            + "; ".join(f"{item['column']}: {item['because']}" for item in columns[:10])
            + ".",
            hint="Write a recipe; `runforge prepare RAW --recipe FILE` applies it.",
            path=str(raw.path),
        )
    recipe: dict[str, Any] = {"schema_version": "recipe.v1"}
    if source:
        recipe["source"] = source
    return recipe | {"label": label, "columns": columns, "created_by": created_by}, table


def with_actions(
    raw: DatasetSource, recipe: Mapping[str, Any], actions: Mapping[str, str], *, created_by: str
) -> dict[str, Any]:
    """Return a recipe that does something else with some columns; ``raw`` is released.

    Parameters
    ----------
    raw
        The raw file, in the form that the recipe names.
    recipe
        A recipe without contradictions.
    actions
        ``keep``, ``boolean``, ``one_hot`` or ``drop``, by the names of columns.
    created_by
        The client, for the recipe.

    Raises
    ------
    RunForgeError
        ``COLUMN_NOT_FOUND``, ``COLUMN_DUPLICATE``; ``VALUE_UNEXPECTED`` for values of which an
        action makes nothing; the errors of :func:`~runforge_engine.data.table_reader.read_table`.
    """
    listed, names = {item["column"] for item in recipe["columns"]}, read_names(raw)
    for known, sentence in ((listed, "The recipe lacks {}"), (names, "The table lacks {}")):
        lacking = [name for name in actions if name not in known]
        if lacking:
            hint = "Name columns as the recipe does, which are those of the table."
            raise missing_columns(sentence, lacking, raw, hint)
    check_unique([name for name in names if name in actions], raw)
    places = {name: names.index(name) for name in actions}
    table = read_table(raw, [], list(places.values()), encode=True)
    raw.release()
    source = recipe.get("source", {})
    columns = [
        _with_action(item, table.columns[places[item["column"]]], action, source, raw)
        if (action := actions.get(item["column"])) is not None
        else item
        for item in recipe["columns"]
    ]
    return {**recipe, "columns": columns, "created_by": created_by}


def _with_action(
    known: Mapping[str, Any],
    column: pa.ChunkedArray,
    action: str,
    source: Mapping[str, Any],
    raw: DatasetSource,
) -> dict[str, Any]:
    """Return a column of a recipe with an action that was chosen."""
    import pyarrow as pa
    import pyarrow.compute as pc

    name = known["column"]
    made: dict[str, Any] = {"column": name, "action": action}
    if action == "drop":
        return made | {"because": "chosen by hand"}
    unknown = known.get("missing_values", [])
    if unknown:
        made["missing_values"] = unknown
    cells = without(trimmed(column), unknown)
    if action == "one_hot":
        values = pc.unique(cells.cast(pa.string()).drop_null())
        if not 0 < len(values) <= MOST_CATEGORIES:
            raise _unexpected(
                f"The column {quote(name)} has {len(values):,} different values; one-hot columns"
                f" are made of 1 to {MOST_CATEGORIES:,}.",
                raw,
                name,
            )
        made["categories"] = sorted(values.to_pylist())
    if cells.null_count:
        made["missing"] = "indicator"
    found = conversion(made, source)
    assert found is not None  # noqa: S101 - it is not dropped
    try:
        found.fields(cells)
    except UnexpectedValuesError as error:
        raise _unexpected(str(error), raw, name, error.row) from None
    return made


def _unexpected(
    message: str, raw: DatasetSource, column: str, row: int | None = None
) -> RunForgeError:
    hint = "Choose another action for the column."
    return RunForgeError(
        ErrorCode.VALUE_UNEXPECTED, message, hint=hint, path=str(raw.path), column=column, row=row
    )


def _proposed(
    name: str, table: ColumnTable, source: dict[str, Any], max_categories: int
) -> dict[str, Any]:
    """Return the members of a column in the proposed recipe."""
    import pyarrow as pa
    import pyarrow.compute as pc

    position = table.names.index(name)
    cells = trimmed(table.columns[position])
    rows, lacking = len(cells), cells.null_count
    present = cells.drop_null()
    encoded = pa.types.is_dictionary(present.type)
    values = present.dictionary if encoded else pc.unique(present)
    distinct = len(values)
    if not len(present):
        return _dropped("no value in any row")
    if distinct == 1:
        return _dropped("the same value in all rows")
    if lacking * 2 > rows:
        return _dropped(f"no value in {lacking:,} of {rows:,} rows")
    found = _number(name, present, values, source)
    if found is None:
        found, lacking = _number_or_unknown(name, cells, values, source)
    if found is not None:
        if lacking > _FEW_MISSING * rows and found["action"] != "drop":
            found["missing"] = "indicator"
        return found
    if distinct == 2 or distinct <= max_categories:
        found = _boolean(values.to_pylist())
    if found is None:
        timed = position in table.times
        found = _date(pc.unique(trimmed(table.dates(position)).drop_null()) if timed else values)
    if found is None:
        found = _categories(values, len(present), max_categories)
        if found["action"] == "drop":
            found["because"] = _strays(cells, source) or found["because"]
    if lacking and found["action"] != "drop":
        found["missing"] = "indicator"
    return found


def _dropped(because: str) -> dict[str, Any]:
    return {"action": "drop", "because": because}


def _number(
    name: str, cells: pa.Array, values: pa.Array, source: dict[str, Any]
) -> dict[str, Any] | None:
    """Return what happens to numbers; None for other cells, of which ``values`` are different."""
    import pyarrow as pa
    import pyarrow.compute as pc

    decimal = source.get("decimal_mark", ".")
    if _all_match(values, number_pattern(decimal, None)):
        if len(values) == len(cells):
            column = pc.replace_substring(values, decimal, ".").cast(pa.float64()).to_numpy()
            if list(identifiers(column.reshape(-1, 1), [name])):
                return _dropped("another integer in each row: an identifier")
        return {"action": "keep"}
    fitting = [marks for marks in _MARKS if _all_match(values, number_pattern(*marks))]
    if "decimal_mark" in source:
        fitting = [marks for marks in fitting if marks[0] == decimal] or fitting
    if len(fitting) == 1:
        decimal, thousands = fitting[0]
        return {"action": "number", "decimal_mark": decimal, "thousands_mark": thousands}
    if fitting:
        return _dropped(_unclear(values, decimal, {mark for mark, _ in fitting}, source))
    return None


def _number_or_unknown(
    name: str, cells: pa.Array, values: pa.Array, source: dict[str, Any]
) -> tuple[dict[str, Any] | None, int]:
    """Return what happens to numbers some of which are unknown, and how many cells lack one.

    For other cells, of which ``values`` are different, it is None, and the cells without a value.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    listed = pc.is_in(pc.utf8_lower(values), pa.array(sorted(_UNKNOWN)))
    unknown = values.filter(listed).to_pylist()
    numbers = values.filter(pc.invert(listed))
    known = without(cells, unknown)
    found = None
    if unknown and len(numbers) > 1 and known.null_count * 2 <= len(cells):
        found = _number(name, known.drop_null(), numbers, source)
    if found is None:
        return None, cells.null_count
    if found["action"] != "drop":
        found["missing_values"] = sorted(unknown)
    return found, known.null_count


def _unclear(values: pa.Array, decimal: str, fitting: set[str], source: Mapping[str, Any]) -> str:
    """Return why numbers are dropped whose marks are not those that are expected.

    Parameters
    ----------
    values
        The different values.
    decimal
        The decimal mark that is expected.
    fitting
        The decimal marks that fit them all.
    source
        The form of the raw file, as named by the user.
    """
    import pyarrow.compute as pc

    # Not all of them are numbers with the expected mark.
    plain = pc.match_substring_regex(values, number_pattern(decimal, None))
    cell = quote(values[pc.index(plain, False).as_py()], 40)
    named = "name it, as in `runforge prepare RAW --label COLUMN --decimal-mark {}`{}, or with the"
    named += " action `number`"
    if len(fitting) > 1:
        unclear = f"numbers whose decimal mark is not clear, such as {cell}: "
        return unclear + named.format(",", " or `.`")
    (mark,) = fitting
    looks = f"looks like a number with a decimal {'comma' if mark == ',' else 'point'}: "
    if "decimal_mark" in source:
        looks = f"is not a number with the decimal mark {quote(decimal)}, and {looks}"
    return f"{cell} {looks}" + named.format(mark, "")


def _strays(cells: pa.Array, source: Mapping[str, Any]) -> str | None:
    """Return why a column is dropped that holds numbers but for a few cells; None for others."""
    marks = ((source.get("decimal_mark", "."), None), *_MARKS)
    found = [strays for pair in marks if (strays := stray_cells(cells, number_pattern(*pair)))]
    if not found:
        return None
    strays = min(found, key=len)
    named = ", ".join(f"{quote(cell, 40)} (row {row})" for row, cell in strays[:_NAMED])
    more = f" and {len(strays) - _NAMED} more" if len(strays) > _NAMED else ""
    many, them = (f"{len(strays)} cells", "them") if len(strays) > 1 else ("1 cell", "it")
    return (
        f"numbers, but for {many}: {named}{more}; correct {them}, or keep the column and list"
        f" {them} in `missing_values`"
    )


def _all_match(values: pa.Array, pattern: str) -> bool:
    import pyarrow.compute as pc

    # Most columns are ruled out by their first values.
    return all(
        pc.all(pc.match_substring_regex(part, pattern)).as_py() for part in (values[:100], values)
    )


def _boolean(values: list[str]) -> dict[str, Any] | None:
    if are_booleans(values):
        return {"action": "boolean"}
    lower = {value.lower() for value in values}
    for false, true in _PAIRS:
        if lower == {false, true}:
            return {
                "action": "boolean",
                "true": sorted(value for value in values if value.lower() == true),
                "false": sorted(value for value in values if value.lower() == false),
            }
    return None


def _date(different: pa.Array) -> dict[str, Any] | None:
    """Return what happens to dates; None for other values."""
    if not re.match(r"[0-9]", different[0].as_py()):
        return None
    values = different.to_pylist()
    days = (*_DAYS, *_SLASHES)
    forms = [
        *days,
        *(f"{day}{mark}{time}" for day in days for mark in "T " for time in _TIMES),
        *(f"{day}T{time}Z" for day in _DAYS[:1] for time in _TIMES),
    ]
    fitting = []
    for form in forms:
        parts = [*_DATE_PARTS, *(_TIME_PARTS if "%H" in form else ())]
        found = {"action": "date", "format": form, "parts": parts}
        made = conversion({"column": "", **found}, {})
        if made is not None and all(map(made.accepts, values)):
            fitting.append(found)
    if len(fitting) > 1:
        return _dropped("dates in which day and month are not clear: name the format with `date`")
    return _varying(fitting[0], different) if fitting else None


def _varying(column: dict[str, Any], different: pa.Array) -> dict[str, Any]:
    """Return a column of dates without the parts that are the same in all rows."""
    made = conversion({"column": "", **column}, {})
    assert made is not None  # noqa: S101 - dates have fields
    fields, indices = made.fields(different)
    rows = fields if indices is None else fields.take(indices)
    values = zip(*(row.split(",") for row in rows.to_pylist()), strict=True)
    parts = [
        part for part, found in zip(column["parts"], values, strict=True) if len(set(found)) > 1
    ]
    return {**column, "parts": parts} if parts else _dropped("dates that differ in seconds only")


def _categories(values: pa.Array, rows: int, max_categories: int) -> dict[str, Any]:
    distinct = len(values)
    if distinct == rows:
        return _dropped("another value in each row: free text or an identifier")
    if distinct > max_categories:
        return _dropped(f"{distinct:,} categories, more than {max_categories:,}")
    if distinct * 2 > rows:
        return _dropped(f"{distinct:,} categories in {rows:,} rows: free text or names")
    return {"action": "one_hot", "categories": sorted(values.to_pylist())}
