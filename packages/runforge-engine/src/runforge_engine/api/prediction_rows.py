"""Rows to predict as a file: a frame or a list of dictionaries is written to a temporary one."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from runforge_contracts.display import quote
from runforge_contracts.errors import ErrorCode, RunForgeError

from runforge_engine.data.dataframe import frame_csv, is_frame

if TYPE_CHECKING:
    import pandas as pd

    Rows = str | os.PathLike[str] | pd.DataFrame | Iterable[Mapping[str, Any]]


@contextmanager
def rows_file(
    rows: Rows, change: Callable[[pd.DataFrame], pd.DataFrame] | None = None
) -> Iterator[Path]:
    """Give the path of a file with the rows; one that was made for them is deleted afterwards.

    Parameters
    ----------
    rows
        A path, a frame, or dictionaries.
    change
        Returns the frame to write instead of a frame.

    Raises
    ------
    RunForgeError
        ``USAGE_INVALID`` if it is neither of these, ``DATASET_EMPTY`` for a list without rows, and
        the errors of :func:`~runforge_engine.data.dataframe.frame_csv`.
    """
    if isinstance(rows, (str, os.PathLike)):
        yield Path(rows)
        return
    frame = cast("pd.DataFrame", rows) if is_frame(rows) else _frame(rows)
    data = frame_csv(frame if change is None else change(frame))
    with tempfile.TemporaryDirectory(prefix="runforge-rows-") as folder:
        path = Path(folder) / "rows.csv"
        path.write_bytes(data)
        try:
            yield path
        except RunForgeError as error:
            # The file is gone when the error is read.
            if error.location.path == str(path):
                error.location = error.location._replace(path=None)
            raise


def _frame(rows: Any) -> pd.DataFrame:
    import pandas as pd

    given = (
        None if isinstance(rows, (Mapping, bytes)) or not isinstance(rows, Iterable) else [*rows]
    )
    if given is None or not all(isinstance(row, Mapping) for row in given):
        raise RunForgeError(
            ErrorCode.USAGE_INVALID,
            "The rows are neither a path nor a data frame nor a list of dictionaries, but"
            f" {quote(type(rows).__name__)}.",
            hint="Give one row as `[row]`, a list with its dictionary."
            if isinstance(rows, Mapping)
            else "Make a data frame with the names of the features as columns.",
        )
    if not given:
        raise RunForgeError(ErrorCode.DATASET_EMPTY, "There are no rows to predict.")
    names = dict.fromkeys(name for row in given for name in row)
    return pd.DataFrame([{name: row.get(name) for name in names} for row in given])
