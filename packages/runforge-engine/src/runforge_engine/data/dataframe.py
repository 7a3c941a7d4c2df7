"""Use a data frame as a dataset: write it to the store as a CSV file named by its digest.

A run trains on a file that can be inspected, hashed and read again, so a data frame is written
before it is used. Equal data frames give the same file, which is written once.

Source: specification, section 11.1.
"""

from __future__ import annotations

import hashlib
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from runforge_contracts.display import quote
from runforge_contracts.errors import ErrorCode, RunForgeError
from runforge_contracts.fs.files import digest_file, write_file, writing
from runforge_contracts.store.layout import StoreLayout

from runforge_engine.data.kept_datasets import DATASETS

if TYPE_CHECKING:
    import pandas as pd


def is_frame(data: Any) -> bool:
    """Return whether ``data`` is a pandas data frame, without importing pandas."""
    pandas = sys.modules.get("pandas")
    return pandas is not None and isinstance(data, pandas.DataFrame)


def dataset_file(data: object, store: StoreLayout) -> Path:
    """Return the path of a dataset that is a path, or a frame, which is written into the store.

    Raises
    ------
    RunForgeError
        ``USAGE_INVALID`` if it is neither; the errors of :func:`write_frame`.
    """
    if is_frame(data):
        return write_frame(cast("pd.DataFrame", data), store)
    if isinstance(data, (str, os.PathLike)):
        return Path(os.fsdecode(data))
    raise RunForgeError(
        ErrorCode.USAGE_INVALID,
        f"The dataset is neither a path nor a pandas data frame, but {quote(type(data).__name__)}.",
        hint="Write it to a CSV or Parquet file and name that.",
    )


def write_frame(frame: pd.DataFrame, store: StoreLayout) -> Path:
    """Write ``frame`` into ``store`` and return the file's path.

    Columns keep their order; the index is left out. Numbers are written so that reading returns the
    same float64; narrower floats are widened first. Bytes are decoded as UTF-8. A missing value
    becomes an empty cell.

    Raises
    ------
    RunForgeError
        ``USAGE_INVALID`` if a column's name is not a string; ``DATASET_ENCODING_INVALID`` for bytes
        that are not UTF-8; ``STORE_NOT_WRITABLE``.
    """
    data = frame_csv(frame)
    path = store.root / DATASETS / f"{hashlib.sha256(data).hexdigest()}.csv"
    if not _holds(path, path.stem):
        with writing(path):
            path.parent.mkdir(parents=True, exist_ok=True)
        write_file(path, data)
    return path


def frame_csv(frame: pd.DataFrame) -> bytes:
    """Return ``frame`` as the bytes of a CSV file, as :func:`write_frame` describes.

    Raises
    ------
    RunForgeError
        As :func:`write_frame`, but for the store.
    """
    for name in frame.columns:
        if not isinstance(name, str):
            raise RunForgeError(
                ErrorCode.USAGE_INVALID,
                f"The name of a column is not text: {quote(name)}.",
                hint="Rename it: `frame.columns = [str(name) for name in frame.columns]`.",
            )
    # By position, not by name: repeated names are rejected when the file is read.
    columns = [frame.iloc[:, place] for place in range(frame.shape[1])]
    plain = [_plain(column) for column in columns]
    if any(new is not old for new, old in zip(plain, columns, strict=True)):
        import pandas as pd

        frame = pd.concat(plain, axis=1)
    text: str = frame.to_csv(index=False, lineterminator="\n")
    return text.encode("utf-8", "backslashreplace")


def _plain(column: pd.Series) -> pd.Series:
    """Return a column whose values can be written exactly: as float64, and without bytes."""
    import pandas as pd

    kind = column.dtype
    values = kind.categories.dtype if isinstance(kind, pd.CategoricalDtype) else kind
    if pd.api.types.is_float_dtype(values):
        # The shortest form of a narrower float would be read as another float64.
        return column if str(kind) == "float64" else column.astype("Float64").astype("float64")
    # A column of another type may contain bytes, as do the strings of Arrow and of HDF5.
    if pd.api.types.is_bool_dtype(values) or pd.api.types.is_numeric_dtype(values):
        return column
    if isinstance(kind, pd.StringDtype) or pd.api.types.is_datetime64_any_dtype(values):
        return column
    cells = column.astype(object)
    if not any(isinstance(cell, (bytes, bytearray)) for cell in cells):
        return column
    return cells.map(lambda cell: _decode(cell, column.name))


def _decode(cell: Any, name: object) -> Any:
    if not isinstance(cell, (bytes, bytearray)):
        return cell
    try:
        return cell.decode()
    except UnicodeDecodeError:
        raise RunForgeError(
            ErrorCode.DATASET_ENCODING_INVALID,
            f"The column {quote(name)} holds bytes that are not UTF-8: {quote(bytes(cell), 30)}.",
            hint="Decode them first: `frame[name].str.decode('latin-1')`.",
            column=str(name),
        ) from None


def _holds(path: Path, sha256: str) -> bool:
    try:
        return digest_file(path).sha256 == sha256
    except RunForgeError:
        return False
