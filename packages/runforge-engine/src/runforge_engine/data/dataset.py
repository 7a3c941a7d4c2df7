"""The dataset of a run: from the bytes of a file to a matrix of features and a vector of labels.

There is one route: used columns are read, rows with a missing value are dropped and counted, and
what is left must be finite numbers and valid labels. Nothing is imputed or guessed, and what is not
quite as it looks - booleans, labels that look alike, numbers that no double holds - is reported by
a diagnostic.

Source: RunForge contract, "Data"; RunForge guarantees, "Label Handling" and "Missing Data".
"""

from __future__ import annotations

import math
import re
import shlex
import sys
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, NamedTuple

from runforge_contracts.diagnostics import Diagnostic, DiagnosticCode, diagnostic
from runforge_contracts.display import printable, quote
from runforge_contracts.errors import ErrorCode, Location, Problem, RunForgeError

from runforge_engine.data.dataset_source import Source
from runforge_engine.data.labels import label_warnings, parse_labels
from runforge_engine.data.table_reader import (
    BLANKS,
    BOOLEANS,
    EXACT,
    MISSING,
    Table,
    are_booleans,
    is_missing,
    magnitude,
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
#: Largest value of a feature: the scaler squares it.
MAX_FEATURE = math.sqrt(sys.float_info.max)
#: Columns or values that a diagnostic names.
_SHOWN = 20

_INTEGER = re.compile(r"[+-]?[0-9]+(?:\.0*)?", re.ASCII)


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
    #: What there is to say about the data.
    diagnostics: tuple[Diagnostic, ...]

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

    columns = choose_columns(read_names(source), label_column, exclude_columns, source)
    places = {name: place for place, name in columns.features.items()}
    table = read_table(source, [*columns.features], [columns.label, *columns.nameless])
    source.release()
    release_unused()
    check_nameless(table, columns.nameless, source)
    if not places:
        raise _no_features(label_column, source, excluded=bool(exclude_columns))
    if table.num_rows == 0:
        raise _zero_rows("The dataset has a header but no rows.", source)
    _check_text(table, columns.label, source)
    dropped, codes, texts = _encode_labels(table.columns[columns.label])
    missing = {label_column: int(dropped.sum())} if dropped.any() else {}
    for name, place in places.items():
        if may_lack_values(table.columns[place]):
            mask = missing_mask(table.columns[place])
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
    X, notes = feature_matrix(table, places, keep, source)
    positions, labels, present = _labels(codes[keep], texts, label_column)
    classes = tuple(labels.tolist())
    alike = label_warnings(present, label_column)
    _check_classes(positions, classes, label_column, alike)
    rows_lost = int(dropped.sum())
    diagnostics = [
        *([rows_dropped(rows_lost, table.num_rows, missing)] if rows_lost else ()),
        *([nameless_dropped(columns.nameless)] if columns.nameless else ()),
        *notes,
        *alike,
    ]
    return Dataset(
        feature_names=tuple(places),
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
    )


def rows_dropped(dropped: int, total: int, missing_by_column: dict[str, int]) -> Diagnostic:
    """Return the diagnostic on the rows that were left out."""
    return diagnostic(
        DiagnosticCode.MISSING_VALUES_DROPPED,
        f"{dropped} of {total} rows were dropped because a value was missing.",
        rows_dropped=dropped,
        rows_total=total,
        missing_by_column=missing_by_column,
    )


def nameless_dropped(places: Sequence[int]) -> Diagnostic:
    """Return the diagnostic on columns that have neither a name nor a value."""
    several = len(places) > 1
    return diagnostic(
        DiagnosticCode.EMPTY_COLUMNS_DROPPED,
        f"{len(places)} column{'s' if several else ''} without a name and without a value"
        f" {'were' if several else 'was'} left out.",
        columns=[place + 1 for place in places[:_SHOWN]],
        count=len(places),
    )


class Columns(NamedTuple):
    """Which columns of a table are used, by their places."""

    label: int
    #: Name of each feature, in order.
    features: dict[int, str]
    #: Columns without a name, in which nothing may stand.
    nameless: list[int]


def choose_columns(
    names: Sequence[str], label_column: str, exclude_columns: Collection[str], source: Source
) -> Columns:
    """Return which columns are label and features; what is excluded may be called anything.

    Raises
    ------
    RunForgeError
        ``LABEL_NOT_FOUND``, ``COLUMN_NOT_FOUND``, ``COLUMN_DUPLICATE``, ``LABEL_ONLY_DATASET`` or
        ``ZERO_FEATURES``.
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
    excluded = set(exclude_columns)
    used = {place: name for place, name in enumerate(names) if name not in excluded}
    others = {place: name for place, name in used.items() if name != label_column}
    nameless = [place for place, name in others.items() if not name.strip(BLANKS)]
    features = {place: name for place, name in others.items() if name.strip(BLANKS)}
    labels = [name for name in used.values() if name == label_column]
    check_unique([*labels, *features.values()], source)
    if not features and not nameless:
        raise _no_features(label_column, source, excluded=bool(excluded))
    return Columns(names.index(label_column), features, nameless)


def _no_features(label_column: str, source: Source, *, excluded: bool) -> RunForgeError:
    if excluded:
        return RunForgeError(
            ErrorCode.ZERO_FEATURES,
            "No feature columns are left: all are excluded.",
            hint="Exclude fewer columns.",
            path=str(source.path),
        )
    return RunForgeError(
        ErrorCode.LABEL_ONLY_DATASET,
        f"The dataset has only its label column {quote(label_column)}.",
        hint="Add the columns to learn from.",
        path=str(source.path),
    )


def check_unique(names: Iterable[str], source: Source) -> None:
    """Refuse columns of the same name, of which none could be meant; ``COLUMN_DUPLICATE``."""
    repeated = [name for name, count in Counter(names).items() if count > 1]
    if repeated:
        raise RunForgeError(
            ErrorCode.COLUMN_DUPLICATE,
            f"The dataset has several columns of the same name: {name_list(repeated)}.",
            hint="Rename them, so that each name says which column is meant.",
            path=str(source.path),
            column=repeated[0],
        )


def check_nameless(table: Table, places: Sequence[int], source: Source) -> None:
    """Refuse values in columns without a name; ``DATASET_MALFORMED``.

    A spreadsheet writes empty columns beside its table, which are no loss.
    """
    import numpy as np

    for place in places:
        filled = np.flatnonzero(~missing_mask(table.columns[place]))
        if filled.size:
            row = int(filled[0])
            cell = table.columns[place][row].as_py()
            raise RunForgeError(
                ErrorCode.DATASET_MALFORMED,
                f"Column {place + 1} has no name and holds {quote(cell, 30)} in row {row + 1}; it"
                " may be a row number, which must not be learned from.",
                hint=f"Name it, or leave it out with {_exclusion([table.names[place]], source)}.",
                path=str(source.path),
                row=row + 1,
            )


def _check_text(table: Table, label: int, source: Source) -> None:
    """Refuse a label column whose values are no text, as Parquet can have."""
    if label not in table.textless:
        return
    row, what = table.textless[label]
    name = table.names[label]
    if what == "bytes":
        code = ErrorCode.DATASET_ENCODING_INVALID
        message = f"The label column {quote(name)} holds bytes that are not UTF-8, in row {row}."
    else:
        code = ErrorCode.LABEL_TYPE_INVALID
        message = f"The label column {quote(name)} holds values of the type {quote(what, 60)}."
    raise RunForgeError(
        code,
        message,
        hint="Labels are integers or text.",
        path=str(source.path),
        column=name,
        row=row,
    )


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
    table: Table, places: Mapping[str, int], keep: Any, source: Source, *, excludable: bool = True
) -> tuple[Any, list[Diagnostic]]:
    """Return the features of some rows as one matrix, and what there is to say about them.

    Parameters
    ----------
    table
        Its feature columns are used up.
    places
        Names of the feature columns, in order, with their places in the table.
    keep : ndarray of shape (n_samples,)
        The rows that are wanted, from 0; no feature is missing in them.
    source
        Where the table comes from, for errors.
    excludable
        Whether a column may be left out; it may not where a model asks for it.

    Returns
    -------
    X : ndarray of shape (n_samples, n_features)
        C-contiguous float64, finite; its squares are finite, too.
    diagnostics : list of Diagnostic
        Booleans that became numbers, integers that no double holds, values that hide all others.

    Raises
    ------
    RunForgeError
        ``FEATURE_NOT_NUMERIC``, ``FEATURE_NOT_FINITE`` or ``FEATURE_TOO_LARGE``.
    """
    import numpy as np
    import pyarrow as pa

    X = np.empty((keep.size, len(places)))
    problems: list[Problem] = []
    booleans: list[str] = []
    inexact: list[Problem] = []
    numbers: dict[int, pa.ChunkedArray] = {}
    # Largest value, wherever it stands: maybe in a row that was dropped.
    bound = 0.0
    for index, (name, place) in enumerate(places.items()):
        column = table.columns.pop(place)
        if pa.types.is_string(column.type):
            parsed = _parse_cells(column, keep, X[:, index], name)
            if parsed.problem is not None:
                problems.append(parsed.problem)
                continue
            if parsed.boolean:
                booleans.append(name)
            if parsed.inexact is not None:
                inexact.append(parsed.inexact)
            bound = max(bound, float(np.abs(X[:, index]).max(initial=0)))
        else:
            numbers[index] = column
            if pa.types.is_boolean(column.type):
                booleans.append(name)
            else:
                bound = max(bound, magnitude(column))
        del column
    if problems:
        raise _not_numeric(problems, source, excludable=excludable)
    _copy_numbers(numbers, keep, X)
    if bound > MAX_FEATURE:
        _check_range(X, [*places], keep, source, excludable=excludable)
    if excludable and bound > _summable(keep.size):
        _check_spread(X, [*places], keep, source)
    diagnostics = [_booleans_taken(booleans)] if booleans else []
    if inexact:
        diagnostics.append(_not_exact(inexact))
    if excludable and bound > EXACT:
        diagnostics += _outliers(X, [*places], keep)
    return X, diagnostics


def _booleans_taken(names: Sequence[str]) -> Diagnostic:
    one = len(names) == 1
    return diagnostic(
        DiagnosticCode.FEATURE_BOOLEAN,
        f"The column{'' if one else 's'} {name_list(names)} hold{'s' if one else ''} booleans,"
        " which were read as 0 (false) and 1 (true).",
        columns=[*names],
    )


def _not_exact(problems: Sequence[Problem]) -> Diagnostic:
    others = [str(problem.location.column) for problem in problems[1:]]
    return diagnostic(
        DiagnosticCode.FEATURE_NOT_EXACT,
        problems[0].message + (f" So it is in {name_list(others)}." if others else ""),
        columns=[problem.location.column for problem in problems],
        row=problems[0].location.row,
        hint="Leave an identifier out; give a time in larger units.",
    )


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


def _check_range(
    X: Any, features: Sequence[str], keep: Any, source: Source, *, excludable: bool
) -> None:
    """Refuse values that are not finite, or whose squares are not."""
    import numpy as np

    infinite, large = [], []
    for index, name in enumerate(features):
        sizes = np.abs(X[:, index])
        bad = np.flatnonzero(~(sizes <= MAX_FEATURE))
        if not bad.size:
            continue
        unending = bad[~np.isfinite(sizes[bad])]
        at = unending[0] if unending.size else bad[0]
        place = Location(column=name, row=int(keep[at]) + 1)
        if unending.size:
            infinite.append(Problem(f"The column {quote(name)} holds an infinite value.", place))
        else:
            value = float(X[at, index])
            large.append(Problem(f"The column {quote(name)} holds {value!r}.", place))
    if infinite:
        first = infinite[0].location
        raise RunForgeError(
            ErrorCode.FEATURE_NOT_FINITE,
            f"The column {quote(first.column)} holds a value that is not finite, in row"
            f" {first.row}.",
            hint="Remove the row, or leave the cell empty if the value is unknown.",
            path=str(source.path),
            column=first.column,
            row=first.row,
            problems=infinite if len(infinite) > 1 else (),
        )
    if large:
        raise _too_large(large, source, excludable=excludable)


def _outliers(X: Any, features: Sequence[str], keep: Any) -> list[Diagnostic]:
    """Return warnings of values so large that beside them most others are one and the same."""
    import numpy as np

    found = []
    for index, name in enumerate(features):
        sizes = np.abs(X[:, index])
        at = int(np.argmax(sizes))
        small = X[sizes < sizes[at] / EXACT, index]
        if 2 * small.size >= len(X) and small.min() < small.max():
            row = int(keep[at]) + 1
            found.append(
                diagnostic(
                    DiagnosticCode.FEATURE_OUTLIER,
                    f"The column {quote(name)} holds {float(X[at, index])!r} in row {row}, beside"
                    f" which {small.size:,} of {len(X):,} values are equal once scaled.",
                    column=name,
                    row=row,
                    hint="Leave the cell empty if the value stands for an unknown one.",
                )
            )
    return found[:_SHOWN]


def _summable(rows: int) -> float:
    """Return up to which size so many values have a finite variance, whatever they are."""
    return MAX_FEATURE / (2 * math.sqrt(rows))


def _check_spread(X: Any, features: Sequence[str], keep: Any, source: Source) -> None:
    """Refuse columns whose variance is not finite, because so many values are so large."""
    import numpy as np

    problems = []
    for index, name in enumerate(features):
        column = X[:, index]
        at = int(np.argmax(np.abs(column)))
        if abs(column[at]) <= _summable(len(X)):
            continue
        with np.errstate(over="ignore"):
            spread = float(np.square(column - column.mean()).sum())
        if not math.isfinite(spread):
            place = Location(column=name, row=int(keep[at]) + 1)
            value = float(column[at])
            problems.append(Problem(f"The column {quote(name)} holds {value!r}.", place))
    if problems:
        raise _too_large(problems, source, excludable=True)


def _too_large(problems: list[Problem], source: Source, *, excludable: bool) -> RunForgeError:
    names = [str(problem.location.column) for problem in problems]
    first, one = problems[0], len(problems) == 1
    return RunForgeError(
        ErrorCode.FEATURE_TOO_LARGE,
        f"{first.message.removesuffix('.')} in row {first.location.row}, which is too large to be"
        " scaled: its square, or the sum of such squares, is no finite number.",
        hint="Leave the cell empty if the value stands for an unknown one, divide the column, or"
        f" leave it out with {_exclusion(names, source)}."
        if excludable
        else "Leave the cell empty if the value stands for an unknown one.",
        path=str(source.path),
        column=first.location.column,
        row=first.location.row,
        problems=() if one else problems[:_SHOWN],
    )


class _Parsed(NamedTuple):
    """What became of the cells of a column of text."""

    #: The first cell that is no number.
    problem: Problem | None = None
    #: Whether all cells are true and false.
    boolean: bool = False
    #: How many cells hold an integer that no double holds, and the first of them.
    inexact: Problem | None = None


def _parse_cells(column: pa.ChunkedArray, keep: Any, target: Any, name: str) -> _Parsed:
    """Parse text cells into ``target``: numbers, or true and false in any case."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    cells = pc.utf8_trim(column.take(keep), BLANKS).combine_chunks()
    try:
        values = cells.cast(pa.float64()).to_numpy(zero_copy_only=False)
    except pa.ArrowInvalid:
        values = None
    # Arrow has words for what is not finite, which are no numbers here.
    if values is not None and np.isfinite(values).all():
        target[:] = values
    else:
        words = pc.utf8_lower(cells)
        if are_booleans(words.unique().to_pylist()):
            target[:] = pc.equal(words, BOOLEANS[1]).to_numpy(zero_copy_only=False)
            return _Parsed(boolean=True)
        for position, cell in enumerate(cells.to_pylist()):
            value = parse_number(cell)
            if value is None:
                return _Parsed(
                    Problem(
                        f"The column {quote(name)} holds {quote(cell, 30)}, which is not a number.",
                        Location(column=name, row=int(keep[position]) + 1),
                    )
                )
            target[position] = value
    return _Parsed(inexact=_inexact(cells, keep, target, name))


def _inexact(cells: pa.Array, keep: Any, values: Any, name: str) -> Problem | None:
    """Return the first integer that no double holds, with how many there are."""
    import numpy as np

    large = np.flatnonzero(np.abs(values) >= EXACT)
    if not large.size:
        return None
    written, held = cells.take(large).to_pylist(), values[large].tolist()
    found = [
        (at, cell, value)
        for at, cell, value in zip(large.tolist(), written, held, strict=True)
        if _INTEGER.fullmatch(cell) and math.isfinite(value) and Decimal(cell) != Decimal(value)
    ]
    if not found:
        return None
    at, cell, value = found[0]
    row = int(keep[at]) + 1
    return Problem(
        f"The column {quote(name)} holds {quote(cell, 40)} in row {row}, which is read as"
        f" {quote(int(value), 40)}: beyond 2^53 a double cannot hold every integer"
        f" ({len(found):,} of {len(cells):,} values).",
        Location(column=name, row=row),
    )


def _not_numeric(problems: list[Problem], source: Source, *, excludable: bool) -> RunForgeError:
    names = [str(problem.location.column) for problem in problems]
    first = problems[0]
    one = len(names) == 1
    return RunForgeError(
        ErrorCode.FEATURE_NOT_NUMERIC,
        first.message if one else f"{len(names)} columns are not numeric: {name_list(names)}.",
        hint=f"Leave {'it' if one else 'them'} out with {_exclusion(names, source)}, or encode as"
        " numbers."
        if excludable
        else "The model asks for numbers; leave a cell empty where its value is unknown.",
        path=str(source.path),
        column=first.location.column,
        row=first.location.row,
        problems=() if one else problems[:_SHOWN],
    )


def _exclusion(names: Sequence[str], source: Source) -> str:
    """Return how to leave columns out, in the words of the caller's interface."""
    shown = names[:_SHOWN]
    if source.in_python:
        return f"`exclude=[{', '.join(repr(printable(name)) for name in shown)}]`"
    options = " ".join(f"--exclude {_shell_quote(name)}" for name in shown)
    return f"{options} (dataset.exclude_columns in a request)"


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


def _labels(codes: Any, texts: list[str], column: str) -> tuple[Any, Any, list[str]]:
    """Return where in the sorted labels that of each kept row is, the labels, and their texts."""
    import numpy as np

    present = np.flatnonzero(np.bincount(codes, minlength=len(texts)))
    written = [texts[code] for code in present.tolist()]
    values = parse_labels(written, column)
    # Texts that are written differently can be the same number.
    labels, places = np.unique(np.array(values), return_inverse=True)
    place_of_code = np.zeros(len(texts), dtype=np.intp)
    place_of_code[present] = places
    return place_of_code[codes], labels, written


def _check_classes(
    positions: Any, classes: tuple[int | str, ...], column: str, alike: list[Diagnostic]
) -> None:
    """Raise an error where no classifier can learn these classes.

    ``alike`` are the warnings of labels that look alike, which may be why: the error tells them.
    """
    import numpy as np

    reasons = "".join(f" {item.message}" for item in alike)
    advice = "".join(f"{item.details['hint']} " for item in alike)
    if len(classes) == 1:
        raise RunForgeError(
            ErrorCode.TOO_FEW_CLASSES,
            f"All rows have the label {quote(classes[0])}; a classifier needs two at least."
            + reasons,
            hint=advice.strip() or "Name the column that tells the rows apart.",
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
            f" {name_list(small)}.{reasons}",
            hint=f"{advice}Every class needs a row to learn from and one to validate with.",
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
