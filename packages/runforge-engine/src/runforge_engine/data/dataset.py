"""Load the dataset of a run: a matrix of features and a vector of labels.

Used columns are read, rows with a missing value are dropped and counted, and the rest must be
finite numbers and valid labels. No value is imputed or guessed. Diagnostics report booleans, labels
that look alike and numbers that no double represents.

Source: specification, sections 11.2 to 11.6.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from runforge_contracts.diagnostics import Diagnostic, DiagnosticCode, diagnostic
from runforge_contracts.display import quote
from runforge_contracts.errors import ErrorCode, Location, Problem, RunForgeError
from runforge_contracts.prepared_names import raw_name

from runforge_engine.data.column_choice import check_nameless, choose_columns, no_features
from runforge_engine.data.column_table import (
    ColumnTable,
    may_lack_values,
    missing_mask,
    release_unused,
)
from runforge_engine.data.dataset_source import DatasetSource
from runforge_engine.data.feature_matrix import feature_matrix
from runforge_engine.data.label_encoding import (
    check_classes,
    check_label_text,
    distinct_labels,
    encode_labels,
)
from runforge_engine.data.labels import label_warnings
from runforge_engine.data.message_parts import SHOWN, exclusion
from runforge_engine.data.split import RowSplit, split_rows
from runforge_engine.data.suspicious_features import suspicious_features
from runforge_engine.data.table_reader import read_names, read_table


@dataclass(slots=True, eq=False)
class Dataset:
    """The samples and labels of a training."""

    #: Names of the columns of ``X``.
    feature_names: tuple[str, ...]
    label_column: str
    #: ndarray of shape (n_samples, n_features), C-contiguous float64, finite. Its rows are those of
    #: the other arrays, or those of ``split``: the rows to train with, then the others.
    X: Any
    #: ndarray of shape (n_samples,), int64 or strings.
    y: Any
    #: ndarray of int of shape (n_samples,): the index of each label in ``classes``.
    positions: Any
    #: The labels that occur, sorted.
    classes: tuple[int | str, ...]
    #: Number of rows in the file.
    rows_total: int
    #: Number of rows dropped because a used column had no value.
    rows_dropped: int
    #: Number of missing values of each used column that has any.
    missing_by_column: dict[str, int]
    #: ndarray of shape (n_samples,): the row of each sample in the file, counted from 1.
    row_numbers: Any
    #: Diagnostics about the data.
    diagnostics: tuple[Diagnostic, ...]
    #: SHA-256 of the prepared table, if a recipe made it of the dataset.
    prepared_sha256: str | None = None
    #: How the rows of ``X`` are divided, if they are.
    split: RowSplit | None = None

    def release(self) -> None:
        """Release the matrix, once its rows have been copied."""
        self.X = None


def load_dataset(
    source: DatasetSource,
    label_column: str,
    exclude_columns: Sequence[str] = (),
    seed: int | None = None,
) -> Dataset:
    """Read a dataset and check all requirements of training.

    Parameters
    ----------
    source
        The bytes, which are released once the table has been read.
    label_column
        Name of the label column; never inferred.
    exclude_columns
        Columns that are neither label nor feature.
    seed
        Divide the rows by this seed, if they can be divided: that takes less time and memory than
        to copy them from the matrix.

    Raises
    ------
    RunForgeError
        Any of the dataset codes; see :mod:`runforge_contracts.errors`.
    """
    import numpy as np

    columns = choose_columns(read_names(source), label_column, exclude_columns, source)
    column_positions = {name: position for position, name in columns.features.items()}
    table = read_table(source, [*columns.features], [columns.label, *columns.nameless])
    source.release()
    release_unused()
    check_nameless(table, columns.nameless, source)
    if not column_positions:
        raise no_features(label_column, source, excluded=bool(exclude_columns))
    if table.num_rows == 0:
        raise _zero_rows("The dataset has a header but no rows.", source)
    check_label_text(table, columns.label, source)
    dropped, codes, texts = encode_labels(table.columns[columns.label])
    named = _as_user_knows(source)
    missing = {named(label_column): int(dropped.sum())} if dropped.any() else {}
    for name, position in column_positions.items():
        if may_lack_values(table.columns[position]):
            mask = missing_mask(table.columns[position])
            if mask.any():
                # What a recipe makes of a missing cell is missing in all of its columns.
                missing[named(name)] = int(mask.sum())
                dropped |= mask
    keep = np.flatnonzero(~dropped)
    if keep.size == 0:
        known = {named(name): position for name, position in column_positions.items()}
        label = (named(label_column), columns.label)
        raise _all_dropped(table, missing, label, known, source)
    split = None if seed is None else _split(codes[keep], texts, label_column, seed)
    places = None if split is None else split.places()
    X, notes = feature_matrix(table, column_positions, keep, source, places=places)
    positions, labels, present = distinct_labels(codes[keep], texts, label_column)
    classes = tuple(labels.tolist())
    alike = label_warnings(present, label_column)
    check_classes(positions, classes, label_column, alike)
    rows_lost = int(dropped.sum())
    ordered = positions if split is None else positions[split.order]
    diagnostics = [
        *([rows_dropped(rows_lost, table.num_rows, missing)] if rows_lost else ()),
        *([nameless_dropped(columns.nameless)] if columns.nameless else ()),
        *notes,
        *alike,
        *suspicious_features(X, ordered, [*column_positions], source, places),
    ]
    return Dataset(
        feature_names=tuple(column_positions),
        label_column=label_column,
        X=X,
        y=labels[positions],
        positions=positions,
        classes=classes,
        rows_total=table.num_rows,
        rows_dropped=rows_lost,
        missing_by_column=missing,
        row_numbers=keep + 1,
        diagnostics=tuple(diagnostics),
        split=split,
    )


def _split(codes: Any, texts: list[str], label_column: str, seed: int) -> RowSplit | None:
    """Return how the rows are divided; None if they cannot be, which is reported in its turn."""
    try:
        return split_rows(distinct_labels(codes, texts, label_column)[0], seed)
    except RunForgeError:
        return None


def _as_user_knows(source: DatasetSource) -> Callable[[str], str]:
    """Return what names a column as the table that the user has."""
    return raw_name if source.is_prepared else str


def rows_dropped(dropped: int, total: int, missing_by_column: dict[str, int]) -> Diagnostic:
    """Return the diagnostic for the rows that were dropped."""
    return diagnostic(
        DiagnosticCode.MISSING_VALUES_DROPPED,
        f"{dropped} of {total} rows were dropped because a value was missing.",
        rows_dropped=dropped,
        rows_total=total,
        missing_by_column=missing_by_column,
    )


def nameless_dropped(column_positions: Sequence[int]) -> Diagnostic:
    """Return the diagnostic for columns that have neither a name nor a value."""
    several = len(column_positions) > 1
    return diagnostic(
        DiagnosticCode.EMPTY_COLUMNS_DROPPED,
        f"{len(column_positions)} column{'s' if several else ''} without a name and without a value"
        f" {'were' if several else 'was'} left out.",
        columns=[position + 1 for position in column_positions[:SHOWN]],
        count=len(column_positions),
    )


def _all_dropped(
    table: ColumnTable,
    missing: dict[str, int],
    label: tuple[str, int],
    column_positions: Mapping[str, int],
    source: DatasetSource,
) -> RunForgeError:
    """Return the error for a table without a complete row; the hint names what to leave out."""
    import numpy as np

    worst = max(missing, key=lambda name: missing[name])
    error = _zero_rows(
        f"All {table.num_rows} rows were dropped because a value was missing; the column"
        f" {quote(worst)} lacks {missing[worst]}.",
        source,
    )
    # Columns with the most missing values go first, until a row is complete.
    left_out: list[str] = []
    label_column, position = label
    remaining = sorted({*missing} - {label_column}, key=lambda name: missing[name])
    counts = missing_mask(table.columns[position]).astype(np.intp)
    for name in remaining:
        counts += missing_mask(table.columns[column_positions[name]])
    while remaining and counts.all():
        left_out.append(remaining.pop())
        counts -= missing_mask(table.columns[column_positions[left_out[-1]]])
    if not counts.all() and len(left_out) < len(column_positions):
        what = "the column that lacks" if len(left_out) == 1 else "the columns that lack"
        error.hint = f"Leave out {what} values: {exclusion(left_out, source)}."
        error.location = error.location._replace(column=left_out[0])
        error.problems = tuple(
            Problem(
                f"The column {quote(name)} lacks {missing[name]} values.", Location(column=name)
            )
            for name in (left_out if len(left_out) > 1 else ())[:SHOWN]
        )
    return error


def _zero_rows(message: str, source: DatasetSource) -> RunForgeError:
    return RunForgeError(ErrorCode.ZERO_ROWS, message, path=str(source.path))
