"""``prepare`` and what it returns: a recipe, and the table of numbers that it makes.

Source: specification, chapter 24.
"""

from __future__ import annotations

import io
import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from runforge_contracts.codec.strict_json import encode_json
from runforge_contracts.errors import ErrorCode, RunForgeError
from runforge_contracts.fs.files import write_file, write_pieces
from runforge_contracts.validation import validate

from runforge_engine.api.html_tables import html_table
from runforge_engine.api.library import CLIENT
from runforge_engine.api.prediction_rows import rows_file
from runforge_engine.api.python_errors import for_python
from runforge_engine.preparation.prepared_table import PreparedTable

if TYPE_CHECKING:
    import pandas as pd

    from runforge_engine.api.prediction_rows import Rows

AnyPath = str | os.PathLike[str]


class PreparedData:
    """A recipe, and the table of numbers that it made of raw data; nothing is written yet.

    Parameters
    ----------
    recipe
        The ``recipe.v1``, which :func:`~runforge_engine.api.library.train` takes.
    table
        The prepared table.
    """

    def __init__(self, recipe: dict[str, Any], table: PreparedTable) -> None:
        self.recipe = recipe
        self._table = table

    @property
    def columns(self) -> list[str]:
        """The names of the prepared columns; that of the label is the last."""
        return list(self._table.names)

    @property
    def unlisted(self) -> list[str]:
        """The raw columns that the recipe does not name, and that are therefore not used."""
        return list(self._table.unlisted)

    def frame(self) -> pd.DataFrame:
        """Return the prepared table, of shape (rows, columns), with the rows of the raw one.

        Numbers are the doubles that training uses; labels are integers, or strings.
        """
        import pyarrow as pa
        from pyarrow import csv

        *_, label = self._table.names
        labelled = self._table.has_label
        kinds = {label: pa.string()} if labelled else {}
        table = csv.read_csv(
            io.BytesIO(b"".join(self._table.pieces())),
            convert_options=csv.ConvertOptions(column_types=kinds, strings_can_be_null=True),
        )
        with suppress(pa.ArrowInvalid):
            if labelled:
                numbers = table.column(label).cast(pa.int64())
                table = table.set_column(table.num_columns - 1, label, numbers)
        frame: pd.DataFrame = table.to_pandas()
        return frame

    @for_python
    def write_recipe(self, path: AnyPath, *, replace: bool = False) -> Path:
        """Write the recipe as a file, as ``runforge prepare`` does, and return its path.

        Raises
        ------
        UsageError
            Where the file exists, unless ``replace`` is true.
        RunForgeError
            ``STORE_NOT_WRITABLE`` where it cannot be written.
        """
        target = _target(path, replace=replace)
        write_file(target, encode_json(self.recipe))
        return target

    @for_python
    def write_table(self, path: AnyPath, *, replace: bool = False) -> Path:
        """Write the prepared table as a CSV file, and return its path.

        Raises
        ------
        UsageError
            Where the file exists, unless ``replace`` is true.
        RunForgeError
            ``STORE_NOT_WRITABLE`` where it cannot be written.
        """
        target = _target(path, replace=replace)
        write_pieces(target, self._table.pieces())
        return target

    def __repr__(self) -> str:
        rows, columns = self._table.num_rows, len(self._table.names)
        return f"<PreparedData of {rows:,} rows and {columns:,} columns>"

    def _repr_html_(self) -> str:
        rows = [
            (item["column"], item["action"], item.get("missing", ""), item.get("because", ""))
            for item in self.recipe["columns"]
        ]
        return html_table(("column", "action", "missing", "because"), rows, title=repr(self))


def _target(path: AnyPath, *, replace: bool) -> Path:
    target = Path(path)
    if not replace and os.path.lexists(target):
        raise RunForgeError(
            ErrorCode.USAGE_INVALID,
            f"The file {str(target)!r} exists.",
            hint="Give another path, or `replace=True`.",
            path=str(target),
        )
    return target


@for_python
def prepare(
    data: Rows,
    *,
    label: str | None = None,
    recipe: AnyPath | Mapping[str, Any] | None = None,
    delimiter: str | None = None,
    decimal_mark: str | None = None,
    encoding: str | None = None,
    sheet: str | None = None,
    max_categories: int | None = None,
) -> PreparedData:
    """Propose a recipe that makes numbers of raw columns, or apply one; return it with the table.

    Parameters
    ----------
    data
        Path of a CSV (also .csv.gz), Parquet or Excel file, a data frame, or a list of
        dictionaries. What is not a path is written to a temporary file.
    label
        The label column, to propose a recipe.
    recipe
        The recipe to apply instead: the path of a file, or a dictionary.
    delimiter, decimal_mark, encoding, sheet
        The form of a raw file, for a proposal; nothing of it is guessed.
    max_categories
        Most categories of a column that becomes one column for each, for a proposal; 40 by default.

    Raises
    ------
    UsageError
        Where not exactly one of ``label`` and ``recipe`` is given, or the form of the file beside a
        recipe, which names it itself.
    DatasetError
        Where the data cannot be read, or has a value that the recipe does not provide for.
    DocumentError
        Where the recipe is invalid.
    """
    from runforge_engine.preparation.frame_dates import with_dates, with_times
    from runforge_engine.preparation.given_recipe import given_recipe
    from runforge_engine.preparation.prepared_table import open_raw, prepare_table
    from runforge_engine.preparation.recipe_proposal import (
        MAX_CATEGORIES,
        MOST_CATEGORIES,
        propose_recipe,
    )
    from runforge_engine.preparation.recipe_rules import check_recipe

    form = {
        "delimiter": delimiter,
        "decimal_mark": decimal_mark,
        "encoding": encoding,
        "sheet": sheet,
    }
    source = {name: value for name, value in form.items() if value is not None}
    if (label is None) == (recipe is None):
        raise RunForgeError(
            ErrorCode.USAGE_INVALID,
            "Give either `label`, to propose a recipe, or `recipe`, to apply one.",
            hint="A recipe names the label itself.",
        )
    if recipe is not None and (source or max_categories is not None):
        raise RunForgeError(
            ErrorCode.USAGE_INVALID,
            f"{', '.join(source) or 'max_categories'}: for a proposal only.",
            hint="The recipe names the form of the raw file in `source`.",
        )
    if label is not None:
        # The label and the form must be those of a recipe, before anything is read.
        outline = {"schema_version": "recipe.v1", "source": source, "label": label}
        column = {"column": f"not {label}", "action": "keep"}
        validate({**outline, "columns": [column]}, "recipe.v1")
        check_recipe({**outline, "columns": [column]})
    if max_categories is not None and not 2 <= max_categories <= MOST_CATEGORIES:
        raise RunForgeError(
            ErrorCode.USAGE_INVALID,
            f"`max_categories` is {max_categories}, and not from 2 to {MOST_CATEGORIES:,}.",
        )

    def changed(frame: pd.DataFrame) -> pd.DataFrame:
        return with_dates(frame, recipe) if label is None else with_times(frame, label)

    with rows_file(data, changed) as path:
        if label is not None:
            raw = open_raw(path, source, digest=False)
            content, columns = propose_recipe(
                raw,
                label,
                source,
                max_categories=MAX_CATEGORIES if max_categories is None else max_categories,
                created_by=CLIENT,
            )
            check_recipe(content)
            return PreparedData(content, prepare_table(raw, content, columns))
        content = given_recipe(recipe)
        raw = open_raw(path, content.get("source", {}), digest=False)
        return PreparedData(content, prepare_table(raw, content))
