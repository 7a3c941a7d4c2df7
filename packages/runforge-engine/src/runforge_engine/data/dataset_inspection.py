"""Inspect a dataset before training: its columns, missing values, and whether it is valid.

Source: specification, sections 11.8 and 15.3.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from runforge_contracts.diagnostics import Diagnostic, error_diagnostic, raw_diagnostic
from runforge_contracts.errors import ExitCode, RunForgeError

from runforge_engine.data.cells import BLANKS, are_booleans, is_missing, parse_number
from runforge_engine.data.column_choice import check_nameless, check_unique
from runforge_engine.data.column_table import ColumnTable, missing_mask
from runforge_engine.data.dataset import Dataset, load_dataset, nameless_dropped
from runforge_engine.data.dataset_source import DatasetSource, read_source
from runforge_engine.data.suspicious_features import identifiers, like_identifiers
from runforge_engine.data.table_reader import read_names, read_table

if TYPE_CHECKING:
    import pyarrow as pa


def inspect_dataset(
    path: str, label_column: str | None, exclude_columns: Sequence[str] = ()
) -> tuple[dict[str, Any], int]:
    """Return a report on the dataset at ``path``, and its exit code.

    Parameters
    ----------
    path
        The dataset, relative to the current folder.
    label_column
        Name of the label column; without one, only the columns are checked.
    exclude_columns
        Columns that are neither label nor feature.

    Returns
    -------
    tuple
        A raw ``dataset_inspection.v1`` document, and 0 if the dataset can be trained on.

    Raises
    ------
    RunForgeError
        If the file cannot be read as a table at all.
    """
    source = read_source(Path(path))
    names = read_names(source)
    table = read_table(source, (), range(len(names)))
    columns = [
        _describe(name, table.columns[position], label_column, exclude_columns)
        for position, name in enumerate(names)
    ]
    report: dict[str, Any] = {
        "schema_version": "dataset_inspection.v1",
        "path": path,
        "fingerprint_sha256": source.sha256,
        "num_rows": table.num_rows,
        "num_columns": len(names),
        "num_features": sum(column["role"] == "feature" for column in columns),
        "columns": columns,
    }
    error = None
    diagnostics: list[Diagnostic] = []
    try:
        if label_column is None:
            diagnostics += _check_columns(table, exclude_columns, source)
            diagnostics += _like_identifiers(table, columns, source)
        else:
            dataset = load_dataset(source, label_column, exclude_columns)
            diagnostics += dataset.diagnostics
            report["label"] = {"column": label_column, "valid": True, **_describe_label(dataset)}
    except RunForgeError as raised:
        error = raised
        diagnostics += _like_identifiers(table, columns, source)
        diagnostics.append(error_diagnostic(error))
        if label_column is not None:
            report["label"] = {"column": label_column, "valid": False}
    report["trainable"] = label_column is not None and error is None
    report["diagnostics"] = [raw_diagnostic(item) for item in diagnostics]
    return report, ExitCode.OK if error is None else error.exit_code


def _check_columns(
    table: ColumnTable, exclude_columns: Sequence[str], source: DatasetSource
) -> list[Diagnostic]:
    """Check without a label: every column that is not excluded has a unique name."""
    used = [position for position, name in enumerate(table.names) if name not in exclude_columns]
    check_unique(
        [table.names[position] for position in used if table.names[position].strip(BLANKS)], source
    )
    nameless = [position for position in used if not table.names[position].strip(BLANKS)]
    check_nameless(table, nameless, source)
    return [nameless_dropped(nameless)] if nameless else []


def _like_identifiers(
    table: ColumnTable, columns: Sequence[dict[str, Any]], source: DatasetSource
) -> list[Diagnostic]:
    """Return the warning for features that look like identifiers, where no model can be trained.

    A dataset that is complete has it from :func:`~runforge_engine.data.dataset.load_dataset`.
    """
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    found = list[str]()
    for position, column in enumerate(columns):
        cells = table.columns[position]
        is_id = column["role"] == "feature" and column["kind"] == "integer"
        if not is_id or column["missing"] or column["unique"] != table.num_rows:
            continue
        if pa.types.is_string(cells.type):
            cells = pc.utf8_trim(cells, BLANKS)
        values = np.asarray(cells.cast(pa.float64()).to_numpy(zero_copy_only=False))
        if list(identifiers(values.reshape(-1, 1), [column["name"]])):
            found.append(column["name"])
    return [like_identifiers(found, table.num_rows, source)] if found else []


def _describe_label(dataset: Dataset) -> dict[str, Any]:
    import numpy as np

    counts = np.unique(dataset.y, return_counts=True)[1].tolist()
    return {
        "type": "integer" if isinstance(dataset.classes[0], int) else "text",
        "classes": [
            {"class": label, "rows": rows}
            for label, rows in zip(dataset.classes, counts, strict=True)
        ],
    }


def _describe(
    name: str, column: pa.ChunkedArray, label_column: str | None, exclude_columns: Sequence[str]
) -> dict[str, Any]:
    """Return the role of a column and the kind of its values: number, integer, text or empty."""
    missing = int(missing_mask(column).sum())
    cells = [cell for cell in column.unique().to_pylist() if cell and not is_missing(cell)]
    numbers = [parse_number(cell) for cell in cells]
    if name == label_column:
        role = "label"
    elif name in exclude_columns or not (cells or name.strip(BLANKS)):
        role = "excluded"
    else:
        role = "feature"
    if not cells:
        kind = "empty"
    elif role == "feature" and are_booleans([cell.strip(BLANKS) for cell in cells]):
        kind = "integer"  # They are read as 0 and 1.
    elif any(value is None for value in numbers):
        kind = "text"
    elif all(value is not None and value.is_integer() for value in numbers):
        kind = "integer"
    else:
        kind = "number"
    return {"name": name, "role": role, "kind": kind, "missing": missing, "unique": len(cells)}
