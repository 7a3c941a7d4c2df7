"""Choose the label and the feature columns of a dataset, and check their names.

Source: specification, sections 11.3 to 11.5.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from typing import NamedTuple

from runforge_contracts.display import quote
from runforge_contracts.errors import ErrorCode, Problem, RunForgeError

from runforge_engine.data.cells import BLANKS
from runforge_engine.data.column_table import ColumnTable, missing_mask
from runforge_engine.data.csv_header import DELIMITERS
from runforge_engine.data.dataset_source import DatasetSource
from runforge_engine.data.message_parts import did_you_mean, exclusion, name_list


class ColumnChoice(NamedTuple):
    """The columns of a table that are used, by position."""

    label: int
    #: Name of each feature, in order.
    features: dict[int, str]
    #: Columns without a name, which must be empty.
    nameless: list[int]


def choose_columns(
    names: Sequence[str], label_column: str, exclude_columns: Collection[str], source: DatasetSource
) -> ColumnChoice:
    """Return the label and feature columns; names of excluded columns may be repeated.

    Raises
    ------
    RunForgeError
        ``LABEL_NOT_FOUND``, ``COLUMN_NOT_FOUND``, ``COLUMN_DUPLICATE``, ``LABEL_ONLY_DATASET`` or
        ``ZERO_FEATURES``.
    """
    check_names(names, label_column, exclude_columns, source)
    excluded = set(exclude_columns)
    used = {position: name for position, name in enumerate(names) if name not in excluded}
    others = {position: name for position, name in used.items() if name != label_column}
    nameless = [position for position, name in others.items() if not name.strip(BLANKS)]
    features = {position: name for position, name in others.items() if name.strip(BLANKS)}
    labels = [name for name in used.values() if name == label_column]
    check_unique([*labels, *features.values()], source)
    if not features and not nameless:
        raise no_features(label_column, source, excluded=bool(excluded))
    return ColumnChoice(names.index(label_column), features, nameless)


def check_names(
    names: Sequence[str], label_column: str, exclude_columns: Collection[str], source: DatasetSource
) -> None:
    """Raise an error for a label or an excluded column that the dataset does not have.

    Raises
    ------
    RunForgeError
        ``LABEL_NOT_FOUND`` or ``COLUMN_NOT_FOUND``.
    """
    path = str(source.path)
    if label_column not in names:
        hint = "Name the label as the dataset's header does; case and blanks count."
        raise no_label(names, label_column, source, hint)
    for name in exclude_columns:
        if name not in names or name == label_column:
            what = "is the label" if name == label_column else "is not in the dataset"
            raise RunForgeError(
                ErrorCode.COLUMN_NOT_FOUND,
                f"The column {quote(name)} cannot be excluded: it {what}.",
                hint=_one_by_one(name, names, source)
                or did_you_mean(name, [item for item in names if item != label_column])
                or "Name columns as the dataset's header does; case and blanks count.",
                path=path,
                column=name,
            )


def no_label(
    names: Sequence[str], label_column: str, source: DatasetSource, hint: str
) -> RunForgeError:
    """Return the error for a label that a dataset does not have; ``hint`` if no name is alike."""
    other = other_delimiter(ErrorCode.LABEL_NOT_FOUND, names, label_column, source)
    return other or RunForgeError(
        ErrorCode.LABEL_NOT_FOUND,
        f"The dataset has no column {quote(label_column)} for the label; it has"
        f" {name_list(names)}.",
        hint=did_you_mean(label_column, names) or hint,
        path=str(source.path),
        column=label_column,
    )


def other_delimiter(
    code: ErrorCode, names: Sequence[str], lacking: str, source: DatasetSource
) -> RunForgeError | None:
    """Return the error for columns that are separated otherwise than a recipe says.

    Parameters
    ----------
    code
        The code of the error.
    names
        The column names, as they were read.
    lacking
        A column that is not among them.
    source
        The dataset.

    Returns
    -------
    RunForgeError or None
        None if the only name, separated otherwise, does not have the column, either.
    """
    if len(names) != 1 or source.delimiter not in DELIMITERS:
        return None
    expected, _ = DELIMITERS[source.delimiter]
    for delimiter, (found, option) in DELIMITERS.items():
        parts = [part.strip(BLANKS + '"') for part in names[0].split(delimiter)]
        if len(parts) > 1 and lacking in parts:
            return RunForgeError(
                code,
                f"{quote(source.path.name)} separates its columns by {found}; the recipe reads"
                f" {expected}.",
                hint=f"Save the file with {expected}, which a trained model asks for; `runforge"
                f" prepare FILE --label COLUMN{option}` proposes a recipe that reads {found}.",
                path=str(source.path),
                column=lacking,
            )
    return None


def _one_by_one(name: str, names: Sequence[str], source: DatasetSource) -> str | None:
    """Return a hint for several columns that are given as one, separated by commas."""
    several = [part.strip(BLANKS) for part in name.split(",")]
    if len(several) < 2 or not set(several) <= set(names):
        return None
    how = "Give a list" if source.in_python else "Repeat --exclude"
    return f"{how}, with each column by itself: {exclusion(several, source)}."


def no_features(label_column: str, source: DatasetSource, *, excluded: bool) -> RunForgeError:
    """Return the error for a dataset without features: all excluded, or none present."""
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


def check_features(names: Sequence[str], features: Sequence[str], source: DatasetSource) -> None:
    """Raise ``COLUMN_NOT_FOUND`` if columns that a model was trained on are not in a dataset."""
    present, wanted_names = set(names), set(features)
    lacking = [name for name in features if name not in present]
    if not lacking:
        return
    others = [name for name in names if name not in wanted_names]
    hint = did_you_mean(lacking[0], others) or "Add it to the dataset."
    raise missing_columns(
        "The dataset lacks {} that the model was trained on", lacking, source, hint
    )


def missing_columns(
    sentence: str, lacking: Sequence[str], source: DatasetSource, hint: str
) -> RunForgeError:
    """Return ``COLUMN_NOT_FOUND`` for columns that are not in a dataset.

    Parameters
    ----------
    sentence
        What is said before their names; ``{}`` stands for the column or the number of them.
    lacking
        Their names, at least one.
    source
        The dataset.
    hint
        What to do about it.
    """
    one = len(lacking) == 1
    return RunForgeError(
        ErrorCode.COLUMN_NOT_FOUND,
        sentence.format("the column" if one else f"{len(lacking)} columns")
        + f": {name_list(lacking)}.",
        hint=hint,
        path=str(source.path),
        column=lacking[0],
        problems=()
        if one
        else [Problem(f"The column {quote(name)} is missing.") for name in lacking[:20]],
    )


def check_unique(names: Iterable[str], source: DatasetSource) -> None:
    """Raise ``COLUMN_DUPLICATE`` for columns of the same name, which are ambiguous."""
    repeated = [name for name, count in Counter(names).items() if count > 1]
    if repeated:
        raise RunForgeError(
            ErrorCode.COLUMN_DUPLICATE,
            f"The dataset has several columns of the same name: {name_list(repeated)}.",
            hint="Rename them, so that each name says which column is meant.",
            path=str(source.path),
            column=repeated[0],
        )


def check_nameless(table: ColumnTable, positions: Sequence[int], source: DatasetSource) -> None:
    """Raise ``DATASET_MALFORMED`` for values in columns without a name.

    Spreadsheets write empty columns beside a table; these are accepted.
    """
    import numpy as np

    for position in positions:
        filled = np.flatnonzero(~missing_mask(table.columns[position]))
        if filled.size:
            row = int(filled[0])
            cell = table.columns[position][row].as_py()
            raise RunForgeError(
                ErrorCode.DATASET_MALFORMED,
                f"Column {position + 1} has no name and holds {quote(cell, 30)} in row {row + 1};"
                " it may be a row number, which must not be learned from.",
                hint=f"Name it, or leave it out with {exclusion([table.names[position]], source)}.",
                path=str(source.path),
                row=row + 1,
            )
