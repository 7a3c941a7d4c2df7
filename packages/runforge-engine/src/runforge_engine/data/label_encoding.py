"""Convert the label column of a table to positions among sorted classes; check the classes.

Source: specification, section 11.4.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from runforge_contracts.diagnostics import Diagnostic
from runforge_contracts.display import quote
from runforge_contracts.errors import ErrorCode, RunForgeError

from runforge_engine.data.cells import is_missing
from runforge_engine.data.column_table import ColumnTable
from runforge_engine.data.dataset_source import DatasetSource
from runforge_engine.data.labels import parse_labels
from runforge_engine.data.message_parts import name_list

if TYPE_CHECKING:
    import pyarrow as pa


def check_label_text(table: ColumnTable, label: int, source: DatasetSource) -> None:
    """Raise an error for labels that are neither strings nor numbers, as in Parquet files."""
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


def encode_labels(column: pa.ChunkedArray) -> tuple[Any, Any, list[str]]:
    """Return which labels are missing, the code of each row, and the string of each code."""
    import numpy as np
    import pyarrow.compute as pc

    encoded = pc.fill_null(column, "").combine_chunks().dictionary_encode()
    texts = encoded.dictionary.to_pylist()
    codes = encoded.indices.to_numpy()
    missing = np.array([is_missing(text) for text in texts], dtype=bool)[codes]
    return missing, codes, texts


def distinct_labels(codes: Any, texts: list[str], column: str) -> tuple[Any, Any, list[str]]:
    """Return the position of each kept row's label, the sorted labels, and their strings."""
    import numpy as np

    present = np.flatnonzero(np.bincount(codes, minlength=len(texts)))
    written = [texts[code] for code in present.tolist()]
    values = parse_labels(written, column)
    # Different strings can represent the same number.
    labels, class_positions = np.unique(np.array(values), return_inverse=True)
    position_of_code = np.zeros(len(texts), dtype=np.intp)
    position_of_code[present] = class_positions
    return position_of_code[codes], labels, written


def check_classes(
    positions: Any, classes: tuple[int | str, ...], column: str, alike: list[Diagnostic]
) -> None:
    """Raise an error if no classifier can be trained on these classes.

    ``alike`` are the warnings about labels that look alike, which may be the cause; the error
    includes them.
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
