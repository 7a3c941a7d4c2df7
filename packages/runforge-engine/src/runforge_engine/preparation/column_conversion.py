"""Convert the cells of one raw column into the fields of its prepared columns.

A row's fields of one raw column are made as one string, with commas in between: a column of few
different values is converted once for each value, and numbers are checked and rewritten as text, so
that no digit depends on a number format.

Source: specification, section 24.3.
"""

from __future__ import annotations

import datetime
import re
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from runforge_contracts.display import quote
from runforge_contracts.prepared_names import escaped_name

from runforge_engine.data.cell_arrays import number_pattern, without
from runforge_engine.data.cells import BLANKS

if TYPE_CHECKING:
    import pyarrow as pa

#: Values that a message names.
_NAMED = 5
_WIDTHS = {"%Y": 4, "%m": 2, "%d": 2, "%H": 2, "%M": 2, "%S": 2}
_EPOCH = datetime.date(1970, 1, 1)


class UnexpectedValuesError(Exception):
    """Cells of a column are not what the recipe says."""

    def __init__(self, message: str, row: int) -> None:
        super().__init__(message)
        self.row = row


class Conversion(ABC):
    """What the recipe makes of one column."""

    def __init__(self, column: Mapping[str, Any], suffixes: list[str]) -> None:
        self.column: str = column["column"]
        self._missing: str = column.get("missing", "drop_row")
        self._constant: str | None = column.get("constant")
        self._missing_values: list[str] = column.get("missing_values", [])
        self._width = len(suffixes)
        if self._missing == "indicator":
            suffixes = [*suffixes, ":missing"]
        #: Names of the prepared columns.
        self.names = [escaped_name(self.column) + suffix for suffix in suffixes]

    @abstractmethod
    def accepts(self, cell: str) -> bool:
        """Return whether a trimmed cell is a value that the recipe provides for."""

    @abstractmethod
    def _convert(self, cells: pa.Array) -> tuple[pa.Array, pa.Array]:
        """Return the fields of trimmed cells, null where missing or unexpected, and whether."""

    def fields(self, cells: pa.Array) -> tuple[pa.Array, pa.Array | None]:
        """Return the fields of trimmed cells: strings, and indices into them if values repeat.

        Raises
        ------
        UnexpectedValuesError
            The first values, with their rows, that the recipe does not provide for.
        """
        import pyarrow as pa
        import pyarrow.compute as pc

        fields, indices = self._converted(without(cells, self._missing_values))
        if self._missing == "indicator":
            fields = pc.binary_join_element_wise(fields, "0", ",")
            absent = "0," * self._width + "1"
        elif self._constant is not None:
            absent = self._convert(pa.array([self._constant.strip(BLANKS)]))[0][0].as_py()
        else:
            absent = "," * (self._width - 1)
        fields = pc.fill_null(fields, absent)
        return fields, indices

    def _converted(self, cells: pa.Array) -> tuple[pa.Array, pa.Array | None]:
        import pyarrow as pa
        import pyarrow.compute as pc

        if not pa.types.is_dictionary(cells.type):
            fields, wrong = self._convert(cells)
            self._check(cells, wrong)
            return fields, None
        values, wrong = self._convert(cells.dictionary)
        if pc.any(wrong).as_py():
            self._check(cells, wrong.take(cells.indices).fill_null(False))
        # The last one is for missing values.
        fields = pa.concat_arrays([values, pa.array([None], pa.string())])
        return fields, pc.fill_null(cells.indices, len(values))

    def _check(self, cells: pa.Array, wrong: pa.Array) -> None:
        import numpy as np
        import pyarrow.compute as pc

        if not pc.any(wrong).as_py():
            return
        rows = np.flatnonzero(wrong.to_numpy(zero_copy_only=False))
        first: dict[str, int] = {}
        for row in rows.tolist():
            first.setdefault(cells[row].as_py(), row + 1)
            if len(first) > _NAMED:
                break
        named = [f"{quote(cell, 40)} (row {row})" for cell, row in first.items()][:_NAMED]
        more = " and others" if len(first) > _NAMED else ""
        raise UnexpectedValuesError(
            f"The column {quote(self.column)} holds {', '.join(named)}{more}, in"
            f" {len(rows):,} row{'' if len(rows) == 1 else 's'}: not {self.expected}.",
            int(rows[0]) + 1,
        )

    #: What values are expected, for messages.
    expected = "a value that the recipe lists"
    #: What else to do than to correct such cells, for hints.
    remedy = "add the value in the recipe"
    #: Whether times of a Parquet file are read as dates, of whole seconds.
    takes_dates = False


class _ByValue(Conversion):
    """A conversion that is made once for each different value."""

    def _converted(self, cells: pa.Array) -> tuple[pa.Array, pa.Array | None]:
        return super()._converted(cells.dictionary_encode())

    def _convert(self, cells: pa.Array) -> tuple[pa.Array, pa.Array]:
        import pyarrow as pa

        made = [None if cell is None else self._one(cell) for cell in cells.to_pylist()]
        return pa.array(made, pa.string()), pa.array([field is None for field in made], pa.bool_())

    def accepts(self, cell: str) -> bool:
        """Return whether the cell has fields."""
        return self._one(cell.strip(BLANKS)) is not None

    @abstractmethod
    def _one(self, cell: str) -> str | None:
        """Return the fields of a trimmed cell; None if it is unexpected."""


class _FromList(_ByValue):
    """One field, from a list of values."""

    def __init__(self, column: Mapping[str, Any], fields: Mapping[str, str]) -> None:
        super().__init__(column, [""])
        self._fields = fields

    def _one(self, cell: str) -> str | None:
        return self._fields.get(cell)


class _Words(_FromList):
    """The words for booleans, in any case."""

    def _one(self, cell: str) -> str | None:
        return super()._one(cell.lower())


class _OneHot(_ByValue):
    """A column for each category."""

    remedy = (
        "say in the recipe what other categories are: `unknown` is `zeros` or `column`, or list"
        " them in `categories`"
    )

    def __init__(self, column: Mapping[str, Any]) -> None:
        categories, unknown = column["categories"], column.get("unknown", "error")
        suffixes = [f"={category}" for category in categories]
        suffixes += [":unknown"] if unknown == "column" else []
        super().__init__(column, suffixes)
        self._position = {category: index for index, category in enumerate(categories)}
        self._unknown = {"error": None, "zeros": -1, "column": len(categories)}[unknown]

    def _one(self, cell: str) -> str | None:
        position = self._position.get(cell, self._unknown)
        if position is None:
            return None
        return ",".join("1" if index == position else "0" for index in range(self._width))


class _Date(_ByValue):
    """Parts of a date and time."""

    takes_dates = True
    remedy = (
        "change `format` in the recipe, or list them in `missing_values` where the date is unknown"
    )

    def __init__(self, column: Mapping[str, Any]) -> None:
        super().__init__(column, [f":{part}" for part in column["parts"]])
        self._parts: list[str] = column["parts"]
        self._form = re.compile(_date_pattern(column["format"]), re.ASCII)
        self.expected = f"a date of the form {quote(column['format'])}"

    def _one(self, cell: str) -> str | None:
        found = self._form.fullmatch(cell)
        if found is None:
            return None
        given = {name: int(digits) for name, digits in found.groupdict().items()}
        try:
            day = datetime.date(given.get("Y", 2000), given.get("m", 1), given.get("d", 1))
            datetime.time(given.get("H", 0), given.get("M", 0), given.get("S", 0))
        except ValueError:
            return None
        values = {
            "year": day.year,
            "month": day.month,
            "day": day.day,
            "weekday": day.weekday(),
            "days": (day - _EPOCH).days,
            "hour": given.get("H", 0),
            "minute": given.get("M", 0),
            "second": given.get("S", 0),
        }
        return ",".join(str(values[part]) for part in self._parts)


class _Number(Conversion):
    """A number, rewritten with a decimal point and without other marks."""

    remedy = (
        "list them in `missing_values` in the recipe where the number is unknown; the action"
        " `number` reads other marks than those of `source`"
    )

    def __init__(self, column: Mapping[str, Any], decimal: str, thousands: str | None) -> None:
        super().__init__(column, [""])
        self._decimal, self._thousands = decimal, thousands
        self.expected = "a number"
        if decimal != "." or thousands is not None:
            marks = f"the decimal mark {quote(decimal)}"
            marks += "" if thousands is None else f" and the thousands mark {quote(thousands)}"
            self.expected = f"a number with {marks}"

    def _convert(self, cells: pa.Array) -> tuple[pa.Array, pa.Array]:
        import pyarrow as pa
        import pyarrow.compute as pc

        right = pc.match_substring_regex(cells, number_pattern(self._decimal, self._thousands))
        cells = pc.if_else(right, cells, pa.scalar(None, pa.string()))
        if self._thousands is not None:
            cells = pc.replace_substring(cells, self._thousands, "")
        if self._decimal != ".":
            cells = pc.replace_substring(cells, self._decimal, ".")
        return cells, pc.fill_null(pc.invert(right), False)

    def accepts(self, cell: str) -> bool:
        """Return whether the cell is a number of this form."""
        pattern = number_pattern(self._decimal, self._thousands)
        return re.search(pattern.replace(r"\z", r"\Z"), cell.strip(BLANKS)) is not None


def _date_pattern(form: str) -> str:
    """Return the regular expression of a date: fewer digits only where no digit is beside."""
    tokens = re.findall("%.|.", form)

    def parts() -> Iterator[str]:
        for index, token in enumerate(tokens):
            width = _WIDTHS.get(token)
            if width is None:
                yield re.escape(token)
                continue
            beside = [*tokens[max(index - 1, 0) : index], *tokens[index + 1 : index + 2]]
            fixed = width == 4 or any(other in _WIDTHS for other in beside)
            yield f"(?P<{token[1]}>[0-9]{{{width if fixed else 1},{width}}})"

    return "".join(parts())


def conversion(column: Mapping[str, Any], source: Mapping[str, Any]) -> Conversion | None:
    """Return what a recipe makes of one column; None if it is dropped.

    Parameters
    ----------
    column
        An item of ``columns``, without contradictions.
    source
        The form of the raw file.
    """
    action = column["action"]
    if action == "drop":
        return None
    if action == "boolean":
        if "true" not in column:
            return _Words(column, {"true": "1", "false": "0"})
        words = dict.fromkeys(column["false"], "0") | dict.fromkeys(column["true"], "1")
        return _FromList(column, words)
    if action == "one_hot":
        return _OneHot(column)
    if action == "ordinal":
        order = column["categories"]
        return _FromList(column, {value: str(rank) for rank, value in enumerate(order)})
    if action == "date":
        return _Date(column)
    if action == "keep":
        return _Number(column, source.get("decimal_mark", "."), None)
    return _Number(column, column.get("decimal_mark", "."), column.get("thousands_mark"))
