"""The dataset of a run: from the bytes of a file to a matrix of features and a vector of labels.

There is one route: used columns are read, rows with a missing value are dropped and counted, and
what is left must be finite numbers and valid labels. Nothing is imputed or guessed.

Source: RunForge contract, "Data"; RunForge guarantees, "Label Handling" and "Missing Data".
"""

from __future__ import annotations

import shlex
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

from runforge_contracts.diagnostics import Diagnostic, DiagnosticCode, diagnostic
from runforge_contracts.errors import ErrorCode, Place, Problem, RunForgeError
from runforge_contracts.text import printable, quote

from runforge_engine.labels import parse_labels
from runforge_engine.source import Source
from runforge_engine.table import (
    BLANKS,
    MISSING,
    Table,
    is_missing,
    parse_number,
    read_names,
    read_table,
    release_unused,
)

if TYPE_CHECKING:
    import pyarrow as pa

#: Values of the matrix that are worked on at once: a mebibyte of them.
_BLOCK = 2**17
#: Rows of a column that are worth to be copied by themselves.
_ROWS = 512


@dataclass(slots=True, eq=False)
class Dataset:
    """What is learned from."""

    #: Names of the columns of ``X``.
    feature_names: tuple[str, ...]
    label_column: str
    #: ndarray of shape (n_samples, n_features), C-contiguous float64, finite.
    X: Any
    #: ndarray of shape (n_samples,), int64 or text.
    y: Any
    #: ndarray of int of shape (n_samples,): where in ``classes`` each label is.
    positions: Any
    #: The labels that occur, sorted.
    classes: tuple[int | str, ...]
    #: Rows of the file.
    rows_total: int
    #: Rows left out because a used column had no value.
    rows_dropped: int
    #: Missing values of each used column that has any.
    missing_by_column: dict[str, int]
    #: ndarray of shape (n_samples,): the row of the file, from 1, that each sample was.
    row_numbers: Any

    def release(self) -> None:
        """Let go of the matrix, of whose rows there are copies by now."""
        self.X = None


def load_dataset(source: Source, label_column: str, exclude_columns: Sequence[str] = ()) -> Dataset:
    """Read a dataset and check everything that training relies on.

    Parameters
    ----------
    source
        The bytes; they are let go of when the table has been read.
    label_column
        Name of the label column; never inferred.
    exclude_columns
        Columns that are neither label nor feature.

    Raises
    ------
    RunForgeError
        Any of the dataset codes; see :mod:`runforge_contracts.errors`.
    """
    import numpy as np

    features = feature_columns(read_names(source), label_column, exclude_columns, source)
    table = read_table(source, features, [label_column])
    source.release()
    release_unused()
    if table.num_rows == 0:
        raise _zero_rows("The dataset has a header but no rows.", source)
    dropped, codes, texts = _encode_labels(table.columns[label_column])
    missing = {label_column: int(dropped.sum())} if dropped.any() else {}
    for name in features:
        if may_lack_values(table.columns[name]):
            mask = missing_mask(table.columns[name])
            if mask.any():
                missing[name] = int(mask.sum())
                dropped |= mask
    keep = np.flatnonzero(~dropped)
    if keep.size == 0:
        worst = max(missing, key=lambda name: missing[name])
        raise _zero_rows(
            f"All {table.num_rows} rows were dropped because a value was missing; the column"
            f" {quote(worst)} lacks {missing[worst]}.",
            source,
        )
    X = feature_matrix(table, features, keep, source)
    positions, labels = _labels(codes[keep], texts, label_column)
    classes = tuple(labels.tolist())
    _check_classes(positions, classes, label_column)
    return Dataset(
        feature_names=tuple(features),
        label_column=label_column,
        X=X,
        y=labels[positions],
        positions=positions,
        classes=classes,
        rows_total=table.num_rows,
        rows_dropped=int(dropped.sum()),
        missing_by_column=missing,
        row_numbers=keep + 1,
    )


def rows_dropped(dataset: Dataset) -> Diagnostic:
    """Return the diagnostic on the rows that were left out."""
    return diagnostic(
        DiagnosticCode.MISSING_VALUES_DROPPED,
        f"{dataset.rows_dropped} of {dataset.rows_total} rows were dropped because a value was"
        " missing.",
        rows_dropped=dataset.rows_dropped,
        rows_total=dataset.rows_total,
        missing_by_column=dataset.missing_by_column,
    )


def feature_columns(
    names: Sequence[str], label_column: str, exclude_columns: Collection[str], source: Source
) -> list[str]:
    """Return the names of the feature columns, in order.

    Raises
    ------
    RunForgeError
        ``LABEL_NOT_FOUND``, ``COLUMN_NOT_FOUND``, ``LABEL_ONLY_DATASET``, ``ZERO_FEATURES``, or
        ``DATASET_MALFORMED`` for a column without a name.
    """
    path = str(source.path)
    if label_column not in names:
        raise RunForgeError(
            ErrorCode.LABEL_NOT_FOUND,
            f"The dataset has no column {quote(label_column)} for the label; it has"
            f" {name_list(names)}.",
            hint=_did_you_mean(label_column, names),
            path=path,
            column=label_column,
        )
    for name in exclude_columns:
        if name not in names or name == label_column:
            what = "is the label" if name == label_column else "is not in the dataset"
            raise RunForgeError(
                ErrorCode.COLUMN_NOT_FOUND,
                f"The column {quote(name)} cannot be excluded: it {what}.",
                hint=_did_you_mean(name, [item for item in names if item != label_column]),
                path=path,
                column=name,
            )
    if len(names) == 1:
        raise RunForgeError(
            ErrorCode.LABEL_ONLY_DATASET,
            f"The dataset has only its label column {quote(label_column)}.",
            hint="Add the columns to learn from.",
            path=path,
        )
    features = [name for name in names if name != label_column and name not in exclude_columns]
    if not features:
        raise RunForgeError(
            ErrorCode.ZERO_FEATURES,
            "No feature columns are left: all are excluded.",
            hint="Exclude fewer columns.",
            path=path,
        )
    if "" in features:
        raise RunForgeError(
            ErrorCode.DATASET_MALFORMED,
            f"Column {names.index('') + 1} has no name; it may be a row number, which must not be"
            " learned from.",
            hint='Name it, or leave it out with `--exclude ""`.',
            path=path,
        )
    return features


def may_lack_values(column: pa.ChunkedArray) -> bool:
    """Tell whether a column could have missing values, as far as that is known at once."""
    import pyarrow as pa

    return bool(column.null_count) or bool(pa.types.is_string(column.type))


def missing_mask(column: pa.ChunkedArray) -> Any:
    """Return where a column has no value: a boolean ndarray of shape (n_rows,)."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if not pa.types.is_string(column.type):
        return column.is_null().to_numpy()
    trimmed = pc.utf8_trim(pc.fill_null(column, ""), BLANKS)
    return pc.is_in(trimmed, value_set=pa.array(sorted(MISSING))).to_numpy()


def feature_matrix(
    table: Table, features: Sequence[str], keep: Any, source: Source, *, excludable: bool = True
) -> Any:
    """Return the features of some rows as one matrix.

    Parameters
    ----------
    table
        Its feature columns are used up.
    features
        Names of the columns, in order.
    keep : ndarray of shape (n_samples,)
        The rows that are wanted, from 0; no feature is missing in them.
    source
        Where the table comes from, for errors.
    excludable
        Whether a column may be left out; it may not where a model asks for it.

    Returns
    -------
    X : ndarray of shape (n_samples, n_features)
        C-contiguous float64, finite.

    Raises
    ------
    RunForgeError
        ``FEATURE_NOT_NUMERIC`` or ``FEATURE_NOT_FINITE``.
    """
    import numpy as np
    import pyarrow as pa

    X = np.empty((keep.size, len(features)))
    problems: list[Problem] = []
    numbers: dict[int, pa.ChunkedArray] = {}
    for index, name in enumerate(features):
        column = table.columns.pop(name)
        if pa.types.is_string(column.type):
            problem = _parse_cells(column, keep, X[:, index], name)
            if problem is not None:
                problems.append(problem)
        else:
            numbers[index] = column
        del column
    if problems:
        raise _not_numeric(problems, source, excludable=excludable)
    _copy_numbers(numbers, keep, X)
    if not _all_finite(X):
        raise _not_finite(X, features, keep, source)
    return X


def _copy_numbers(columns: dict[int, pa.ChunkedArray], keep: Any, X: Any) -> None:
    """Copy the rows ``keep`` of some columns into the matrix, and use the columns up.

    A few rows of all columns at a time, which the processor's own memory holds: five times as fast
    as column by column. Each piece of the columns is freed when it is copied.
    """
    import numpy as np
    import pyarrow as pa

    positions = list(columns)
    if not X.size or not positions:
        return
    table = pa.Table.from_arrays(list(columns.values()), names=[str(at) for at in positions])
    columns.clear()
    whole = len(keep) == table.num_rows
    batches = table.to_batches(max_chunksize=max(_BLOCK // len(positions), _ROWS))[::-1]
    del table
    begin = 0
    while batches:
        batch = batches.pop()
        end = begin + batch.num_rows
        low, high = (begin, end) if whole else np.searchsorted(keep, (begin, end))
        block, rows = X[low:high], slice(None) if whole else keep[low:high] - begin
        for position, column in zip(positions, batch.columns, strict=True):
            block[:, position] = column.to_numpy(zero_copy_only=False)[rows]
        begin = end
    del batch, column
    release_unused()


def _all_finite(X: Any) -> bool:
    import numpy as np

    step = max(_BLOCK // X.shape[1], 1)
    return all(bool(np.isfinite(X[at : at + step]).all()) for at in range(0, len(X), step))


def _not_finite(X: Any, features: Sequence[str], keep: Any, source: Source) -> RunForgeError:
    import numpy as np

    problems = []
    for index, name in enumerate(features):
        bad = np.flatnonzero(~np.isfinite(X[:, index]))
        if bad.size:
            place = Place(column=name, row=int(keep[bad[0]]) + 1)
            problems.append(Problem(f"The column {quote(name)} holds an infinite value.", place))
    first = problems[0]
    return RunForgeError(
        ErrorCode.FEATURE_NOT_FINITE,
        f"The column {quote(first.place.column)} holds a value that is not finite, in row"
        f" {first.place.row}.",
        hint="Remove the row, or leave the cell empty if the value is unknown.",
        path=str(source.path),
        column=first.place.column,
        row=first.place.row,
        problems=problems if len(problems) > 1 else (),
    )


def _parse_cells(column: pa.ChunkedArray, keep: Any, target: Any, name: str) -> Problem | None:
    """Parse text cells into ``target``; the first that is no number is the problem."""
    cells = column.take(keep).to_pylist()
    for position, cell in enumerate(cells):
        value = parse_number(cell)
        if value is None:
            return Problem(
                f"The column {quote(name)} holds {quote(cell, 30)}, which is not a number.",
                Place(column=name, row=int(keep[position]) + 1),
            )
        target[position] = value
    return None


def _not_numeric(problems: list[Problem], source: Source, *, excludable: bool) -> RunForgeError:
    names = [str(problem.place.column) for problem in problems]
    first = problems[0]
    options = " ".join(f"--exclude {_shell_quote(name)}" for name in names[:20])
    one = len(names) == 1
    return RunForgeError(
        ErrorCode.FEATURE_NOT_NUMERIC,
        first.message if one else f"{len(names)} columns are not numeric: {name_list(names)}.",
        hint=f"Leave {'it' if one else 'them'} out with {options}"
        " (dataset.exclude_columns in a request), or encode as numbers."
        if excludable
        else "The model asks for numbers; leave a cell empty where its value is unknown.",
        path=str(source.path),
        column=first.place.column,
        row=first.place.row,
        problems=() if one else problems[:20],
    )


def _shell_quote(name: str) -> str:
    """Return a column name as one would type it in a shell."""
    return shlex.quote(printable(name))


def _encode_labels(column: pa.ChunkedArray) -> tuple[Any, Any, list[str]]:
    """Return where labels are missing, the code of each row, and the text of each code."""
    import numpy as np
    import pyarrow.compute as pc

    encoded = pc.fill_null(column, "").combine_chunks().dictionary_encode()
    texts = encoded.dictionary.to_pylist()
    codes = encoded.indices.to_numpy()
    missing = np.array([is_missing(text) for text in texts], dtype=bool)[codes]
    return missing, codes, texts


def _labels(codes: Any, texts: list[str], column: str) -> tuple[Any, Any]:
    """Return where in the sorted labels that of each kept row is, and the labels."""
    import numpy as np

    present = np.flatnonzero(np.bincount(codes, minlength=len(texts)))
    values = parse_labels([texts[code] for code in present.tolist()], column)
    # Texts that are written differently can be the same number.
    labels, places = np.unique(np.array(values), return_inverse=True)
    place_of_code = np.zeros(len(texts), dtype=np.intp)
    place_of_code[present] = places
    return place_of_code[codes], labels


def _check_classes(positions: Any, classes: tuple[int | str, ...], column: str) -> None:
    import numpy as np

    if len(classes) == 1:
        raise RunForgeError(
            ErrorCode.TOO_FEW_CLASSES,
            f"All rows have the label {quote(classes[0])}; a classifier needs two at least.",
            column=column,
        )
    if len(classes) == len(positions):
        raise RunForgeError(
            ErrorCode.LABEL_TYPE_INVALID,
            f"Every row has a label of its own in the column {quote(column)}.",
            hint="A label names a class that several rows share; this looks like an identifier.",
            column=column,
        )
    counts = np.bincount(positions).tolist()
    small = [label for label, count in zip(classes, counts, strict=True) if count < 2]
    if small:
        raise RunForgeError(
            ErrorCode.CLASS_TOO_SMALL,
            f"{'A class has' if len(small) == 1 else f'{len(small)} classes have'} only one row:"
            f" {name_list(small)}.",
            hint="Every class needs a row to learn from and one to validate with.",
            column=column,
        )


def _zero_rows(message: str, source: Source) -> RunForgeError:
    return RunForgeError(ErrorCode.ZERO_ROWS, message, path=str(source.path))


def name_list(names: Sequence[object]) -> str:
    """Return the first names of a list as a message has them."""
    shown = ", ".join(quote(name, 30) for name in names[:10])
    return shown + (f" and {len(names) - 10} more" if len(names) > 10 else "")


def _did_you_mean(name: str, names: Sequence[str]) -> str | None:
    folded = {item.strip().lower(): item for item in names}
    near = get_close_matches(name.strip().lower(), folded, n=1)
    return f"Did you mean {quote(folded[near[0]])}?" if near else None
