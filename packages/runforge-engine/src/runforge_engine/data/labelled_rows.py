"""Choose the rows of a dataset on which a model can be judged, and say why others cannot be.

A row is left out if a value is missing or is not a number that the model can take, or if its label
is not among the classes of the model. Nothing is imputed or guessed.

Source: specification, section 21.3.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from runforge_contracts.diagnostics import Diagnostic
from runforge_contracts.display import quote
from runforge_contracts.errors import ErrorCode, RunForgeError
from runforge_contracts.store.evaluations import LEFT_OUT_TEXTS
from runforge_contracts.types import LeftOutExample, LeftOutReason, LeftOutRows

from runforge_engine.data.cells import BLANKS, are_booleans, parse_number
from runforge_engine.data.column_choice import check_features, check_unique, no_label
from runforge_engine.data.column_table import ColumnTable, missing_mask
from runforge_engine.data.dataset_source import DatasetSource
from runforge_engine.data.feature_matrix import feature_matrix
from runforge_engine.data.feature_range import MAX_FEATURE
from runforge_engine.data.label_encoding import check_label_text, encode_labels
from runforge_engine.data.labels import class_positions
from runforge_engine.data.message_parts import name_list
from runforge_engine.data.table_reader import read_names, read_table

if TYPE_CHECKING:
    import pyarrow as pa

_INFINITE = re.compile(r"[+-]?inf(?:inity)?", re.ASCII | re.IGNORECASE)
#: Most examples for each reason, and most characters of a cell, as in the schema.
_EXAMPLES, _CHARACTERS = 5, 60
#: The reasons, in the order in which they are looked for.
_REASONS: tuple[LeftOutReason, ...] = (
    "missing_value",
    "not_a_number",
    "out_of_range",
    "unknown_label",
)


@dataclass(frozen=True, slots=True, eq=False)
class LabelledRows:
    """The rows on which a model can be judged, and a summary of the others."""

    #: ndarray of shape (n_samples, n_features), C-contiguous float64, finite.
    X: Any
    #: ndarray of int of shape (n_samples,): positions of the true labels among the classes.
    truth: Any
    #: Number of rows of the dataset.
    total: int
    left_out: tuple[LeftOutRows, ...]
    #: Columns that are neither the label nor a feature.
    ignored_columns: tuple[str, ...]
    diagnostics: tuple[Diagnostic, ...]


def read_labelled_rows(
    source: DatasetSource,
    features: Sequence[str],
    label_column: str,
    classes: Sequence[int | str],
    *,
    with_values: bool = True,
) -> LabelledRows:
    """Read a dataset and return the rows that a model can be judged on.

    Parameters
    ----------
    source
        The dataset; other columns than the named ones may have any name and content.
    features
        The features of the model, in its order.
    label_column
        The column with the true labels.
    classes
        The classes of the model.
    with_values
        Whether examples of rows that are left out have the content of a cell.

    Raises
    ------
    RunForgeError
        ``LABEL_NOT_FOUND`` and ``COLUMN_NOT_FOUND`` for missing columns, ``ZERO_ROWS`` where no row
        is left, ``USAGE_INVALID`` where the label is a feature, and the dataset codes.
    """
    import numpy as np

    names = read_names(source)
    _check_label(names, features, label_column, source)
    check_features(names, features, source)
    used = {*features, label_column}
    check_unique([name for name in names if name in used], source)
    place_of = {name: place for place, name in enumerate(names)}
    places = {name: place_of[name] for name in features}
    table = read_table(source, [*places.values()], [place_of[label_column]])
    if table.num_rows == 0:
        raise RunForgeError(
            ErrorCode.ZERO_ROWS, "The dataset has a header but no rows.", path=str(source.path)
        )
    check_label_text(table, place_of[label_column], source)
    labels = table.columns.pop(place_of[label_column])
    without_label, codes, texts = encode_labels(labels)
    known = class_positions(texts, classes)
    truth = np.array([-1 if found is None else found for found in known], dtype=np.intp)[codes]
    faults = _Faults(table, with_values=with_values)
    faults.add("missing_value", label_column, without_label)
    for name, place in places.items():
        column = table.columns[place]
        missing = missing_mask(column)
        faults.add("missing_value", name, missing)
        for reason, mask in _unusable(column, missing).items():
            faults.add(reason, name, mask, column)
    faults.add("unknown_label", label_column, truth < 0, labels)
    keep = np.flatnonzero(~faults.left_out)
    summary = faults.summary()
    if not keep.size:
        raise _nothing_left(table.num_rows, summary, label_column, classes, source)
    X, found = feature_matrix(table, places, keep, source, excludable=False)
    return LabelledRows(
        X=X,
        truth=truth[keep],
        total=table.num_rows,
        left_out=summary,
        ignored_columns=tuple(name for name in names if name not in used),
        diagnostics=tuple(found),
    )


class _Faults:
    """The first reason of each row to leave it out, with examples."""

    def __init__(self, table: ColumnTable, *, with_values: bool) -> None:
        import numpy as np

        self._with_values = with_values
        #: Rows by reason, and the columns with the rows that each has faults in.
        self._rows = {reason: np.zeros(table.num_rows, dtype=bool) for reason in _REASONS}
        self._causes: dict[str, list[tuple[str, Any, pa.ChunkedArray | None]]] = {}

    def add(
        self, reason: LeftOutReason, name: str, mask: Any, column: pa.ChunkedArray | None = None
    ) -> None:
        """Note the rows that a column has faults in; ``column`` has the cells to quote."""
        if mask.any():
            self._rows[reason] |= mask
            self._causes.setdefault(reason, []).append((name, mask, column))

    @property
    def left_out(self) -> Any:
        """The rows with any fault, as a boolean ndarray."""
        import numpy as np

        return np.logical_or.reduce(list(self._rows.values()))

    def summary(self) -> tuple[LeftOutRows, ...]:
        """Return the rows that are left out, by their first reason."""
        import numpy as np

        found = []
        earlier = np.zeros(len(self._rows[_REASONS[0]]), dtype=bool)
        for reason in _REASONS:
            rows = np.flatnonzero(self._rows[reason] & ~earlier)
            earlier |= self._rows[reason]
            if rows.size:
                examples = [self._example(reason, row) for row in rows[:_EXAMPLES].tolist()]
                found.append(LeftOutRows(reason=reason, rows=int(rows.size), examples=examples))
        return tuple(found)

    def _example(self, reason: str, row: int) -> LeftOutExample:
        name, _, column = next(cause for cause in self._causes[reason] if cause[1][row])
        if column is None or not self._with_values:
            return LeftOutExample(row=row + 1, column=name)
        return LeftOutExample(
            row=row + 1, column=name, value=str(column[row].as_py())[:_CHARACTERS]
        )


def _unusable(column: pa.ChunkedArray, missing: Any) -> dict[LeftOutReason, Any]:
    """Return the rows of a column whose values are present and cannot be taken, by reason."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    if pa.types.is_boolean(column.type):
        return {}
    if not pa.types.is_string(column.type):
        values = column.to_numpy()
        strange = np.isnan(values) & ~missing
        return {"not_a_number": strange, "out_of_range": np.abs(values) > MAX_FEATURE}
    encoded = pc.utf8_trim(pc.fill_null(column, ""), BLANKS).combine_chunks().dictionary_encode()
    texts, codes = encoded.dictionary.to_pylist(), encoded.indices.to_numpy()
    present = np.bincount(codes[~missing], minlength=len(texts)) > 0
    if are_booleans([text for text, there in zip(texts, present.tolist(), strict=True) if there]):
        return {}
    infinite = np.array([_INFINITE.fullmatch(text) is not None for text in texts], dtype=bool)
    values = [parse_number(text) for text in texts]
    strange = np.array([value is None for value in values], dtype=bool) & ~infinite
    large = infinite | np.array([abs(value or 0.0) > MAX_FEATURE for value in values], dtype=bool)
    return {"not_a_number": strange[codes] & ~missing, "out_of_range": large[codes] & ~missing}


def _check_label(
    names: Sequence[str], features: Sequence[str], label_column: str, source: DatasetSource
) -> None:
    if label_column in features:
        raise RunForgeError(
            ErrorCode.USAGE_INVALID,
            f"The column {quote(label_column)} is a feature of the model, so it cannot be the"
            " label.",
            hint="Name the column that has the true labels.",
            column=label_column,
        )
    check_has_label(names, label_column, source)


def check_has_label(names: Sequence[str], label_column: str, source: DatasetSource) -> None:
    """Raise ``LABEL_NOT_FOUND`` if labelled rows lack the column with the labels."""
    if label_column not in names:
        hint = "--label (`label=` in Python) names the column of the labels; `predict` needs none."
        raise no_label(names, label_column, source, hint)


def _nothing_left(
    total: int,
    left_out: Sequence[LeftOutRows],
    label_column: str,
    classes: Sequence[int | str],
    source: DatasetSource,
) -> RunForgeError:
    worst = max(left_out, key=lambda item: item.rows)
    example = worst.examples[0]
    value = f" holds {quote(example.value, 30)}" if isinstance(example.value, str) else ""
    return RunForgeError(
        ErrorCode.ZERO_ROWS,
        f"None of the {total:,} rows can be evaluated; {worst.rows:,} have"
        f" {LEFT_OUT_TEXTS[worst.reason]}: row {example.row}, column"
        f" {quote(example.column, 30)}{value}.",
        hint=f"The model knows the labels {name_list(classes)}; the column"
        f" {quote(label_column, 30)} is compared with them."
        if worst.reason == "unknown_label"
        else "Prepare the dataset as the one that the model was trained on.",
        path=str(source.path),
        column=example.column,
        row=example.row,
    )
