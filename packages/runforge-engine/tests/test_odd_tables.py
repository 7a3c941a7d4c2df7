"""Tables as people have them: what looks like a table and is none, and what is read otherwise.

Real files through the real reader: CSV, Parquet, and data frames.
"""

from __future__ import annotations

import bz2
import datetime
import io
import lzma
import tarfile
import zipfile
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from pyarrow import parquet
from runforge_contracts.errors import ErrorCode, RunForgeError
from runforge_contracts.store.layout import StoreLayout
from runforge_contracts.store.reading import list_runs
from runforge_contracts.store.run import Run
from runforge_engine import train
from runforge_engine.data.dataframe import write_frame
from runforge_engine.data.dataset import Dataset, load_dataset
from runforge_engine.data.dataset_inspection import inspect_dataset
from runforge_engine.data.dataset_source import read_source
from runforge_engine.data.split import split_rows
from runforge_engine.modeling.fit import build_pipeline, within_range
from runforge_engine.modeling.predict import model_of_run, predict
from runforge_engine.modeling.revalidate import replay

ROWS = "a,b,y\n" + "".join(f"{row}.5,{-row},{row % 2}\n" for row in range(8))
LABELS = [row % 2 for row in range(8)]
BEYOND = 2**53 + 1


def load(path: Path, data: str | bytes, *exclude: str) -> Dataset:
    path.write_bytes(data.encode() if isinstance(data, str) else data)
    return load_dataset(read_source(path), "y", exclude)


def refused(path: Path, data: str | bytes) -> RunForgeError:
    with pytest.raises(RunForgeError) as caught:
        load(path, data)
    return caught.value


def codes(dataset: Dataset) -> list[str]:
    return [item.code for item in dataset.diagnostics]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "data.csv"


def carried(carrier: str, columns: dict[str, Any], folder: Path) -> Path:
    """Return a file with the columns, as a program, a database or a data frame would write it."""
    frame = pd.DataFrame(columns)
    if carrier == "frame":
        return write_frame(frame, StoreLayout(folder))
    file = folder / f"data.{carrier}"
    if carrier == "csv":
        frame.to_csv(file, index=False)
    else:
        frame.to_parquet(file, index=False)
    return file


CARRIERS = ("csv", "parquet", "frame")


# Files that are no table


def zipped(*names: str) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:
        for name in names:
            file.writestr(name, "content")
    return buffer.getvalue()


def tarred() -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as file:
        file.addfile(tarfile.TarInfo("data.csv"), io.BytesIO())
    return buffer.getvalue()


def saved() -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, np.zeros(3))
    return buffer.getvalue()


FOREIGN: dict[str, tuple[str | bytes, str, str]] = {
    "bzip2": (bz2.compress(ROWS.encode()), "bzip2", "bunzip2"),
    "xz": (lzma.compress(ROWS.encode()), "xz", "unxz"),
    "zstd": (b"\x28\xb5\x2f\xfd rest", "Zstandard", "unzstd"),
    "zip": (zipped("data.csv"), "ZIP archive", "unzip"),
    "xlsx": (zipped("[Content_Types].xml", "xl/workbook.xml"), "Excel workbook", "CSV"),
    "empty zip": (zipped(), "ZIP archive", "unzip"),
    "tar.gz": (tarred(), "tar archive", "tar -xf"),
    "npy": (saved(), "NumPy array", "CSV"),
    "pickle": (b"\x80\x04\x95rest", "pickle", "CSV"),
    "pdf": ("%PDF-1.7\n", "PDF", "where the document"),
    "Git LFS": (
        "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n",
        "Git LFS pointer",
        "git lfs pull",
    ),
    "web page": ("\n<!DOCTYPE html>\n<html>", "web page", "Download"),
    "xml": ('<?xml version="1.0"?>', "XML", "CSV"),
    "json": ('[{"a": 1}]', "JSON", "CSV"),
    "json lines": ('{"a": 1, "y": 2}\n{"a": 2, "y": 1}\n', "JSON", "CSV"),
}


@pytest.mark.parametrize(("data", "what", "remedy"), FOREIGN.values(), ids=FOREIGN)
def test_a_file_that_is_no_table_is_called_what_it_is(
    path: Path, data: str | bytes, what: str, remedy: str
) -> None:
    error = refused(path, data)
    assert error.code is ErrorCode.DATASET_FORMAT_UNSUPPORTED
    assert what in error.message
    assert remedy in (error.hint or "")


MISPLACED: dict[str, tuple[str, str, int | None]] = {
    "sep": ("sep=,\n" + ROWS, "`sep=,`", None),
    "sep;": ("sep=;\n" + ROWS.replace(",", ";"), "`sep=;`", None),
    "comment": ("# made by a program\n" + ROWS, "comment", None),
    "comments": ("# made by\n# a program, on Monday\n" + ROWS, "comment", None),
    "comment between": (ROWS + "# the end\n1,2,0\n", "comment", 9),
    "title": ("Sales 2024\n" + ROWS, "title", None),
    "titles": ("Sales\n\nFirst quarter\n" + ROWS, "title", None),
    "title of a spreadsheet": ("Sales,,\n,,\n" + ROWS, "title", None),
    "commas": (",,\n" + ROWS, "no names", None),
    "conflict": ("<<<<<<< HEAD\n" + ROWS, "merge conflict", None),
    "conflict between": (ROWS + "<<<<<<< HEAD\n1,2,0\n=======\n", "merge conflict", 9),
    "end of a conflict": (ROWS + ">>>>>>> other\n", "merge conflict", 9),
}


@pytest.mark.parametrize(("data", "named", "row"), MISPLACED.values(), ids=MISPLACED)
def test_a_line_that_belongs_to_no_table_is_called_what_it_is(
    path: Path, data: str, named: str, row: int | None
) -> None:
    error = refused(path, data)
    assert error.code in (ErrorCode.DATASET_MALFORMED, ErrorCode.DATASET_ROW_RAGGED)
    assert named in error.message
    assert error.location.row == row
    assert error.hint


def test_names_that_only_look_like_a_comment_or_a_title_are_names(path: Path) -> None:
    assert load(path, ROWS.replace("a,b", "#id,b")).feature_names == ("#id", "b")
    assert load(path, ROWS.replace("a,b", "sep=,b")).feature_names == ("sep=", "b")


@pytest.mark.parametrize(
    ("data", "row"),
    [
        ('a,t,y\n1,u,0\n2,5" pipe,1\n3,u,0\n4,u,1\n', 2),
        ('a,t,y\n1,5" pipe,0\n2,6" pipe,1\n3,7" pipe,0\n4,u,1\n', 1),
        ('a,t,y\n1,"5"" pipe",0\n2,6" pipe,1\n3,u,0\n4,u,1\n', 2),
        ('a,t,y\n1,u,0\n2,"5 pipe,1\n3,u,0\n4,u,1\n', 2),
        ('a,t,y\n1,u,0\n2,"5 pipe,1\n3,"u",0\n4,u,1\n', 2),
        ('a,t,y\n1,u,0\n2,"5 pipe,1\n' + "3,u,0\n" * 30_000, 2),
        ('a,t,y\n1,"x\ny",0\n2,"5 pipe,1\n3,u,0\n', 2),
        ('a,t,y\n1,"5 pipe,0\n2,u,1\n3,"6 pipe,0\n4,u,1\n', 1),
        ('a,t,y\n1,u,0\n2,"5" pipe",1\n3,"5""",0\n4,"u"x,1\n', 2),
    ],
    ids=[
        "one",
        "three",
        "beside a right one",
        "open",
        "then another",
        "far",
        "after a break",
        "two that open",
        "within quotes",
    ],
)
def test_a_stray_quote_is_named_with_the_row_in_which_it_stands(
    path: Path, data: str, row: int
) -> None:
    error = refused(path, data)
    assert (error.code, error.location.row) == (ErrorCode.DATASET_MALFORMED, row)
    assert f"row {row} " in error.message.replace(",", "")
    assert "twice" in (error.hint or "")


def test_quotes_that_open_nothing_are_read_as_they_are(path: Path) -> None:
    rows = "".join(f'{row},5" pipe, "u",{row % 2}\n' for row in range(200_000))
    dataset = load(path, "a,t,u,y\n" + rows, "t", "u")
    assert np.array_equal(dataset.X[:, 0], np.arange(200_000))
    rows = "".join(f'{row},"5"" pipe, ""u""",{row % 2}\r\n' for row in range(200_000))
    assert len(load(path, 'a,"t",y\r\n' + rows, "t").X) == 200_000


@pytest.mark.parametrize(
    ("data", "named", "remedy"),
    [
        (ROWS.replace("3.5", "3.5\0").encode(), "NUL character, in line 5", "tr -d"),
        (ROWS.encode("utf-16"), "UTF-16", "-f UTF-16 "),
        (ROWS.encode("utf-16-le"), "UTF-16LE", "-f UTF-16LE "),
        (ROWS.encode("utf-16-be"), "UTF-16BE", "-f UTF-16BE "),
        (ROWS.encode("utf-32"), "UTF-32", "-f UTF-32 "),
        ((ROWS + "1,2,é\n").encode("latin-1"), "line 10", "-f LATIN1 "),
    ],
    ids=["stray NUL", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "latin-1"],
)
def test_another_encoding_is_named_with_how_to_convert_it(
    path: Path, data: bytes, named: str, remedy: str
) -> None:
    error = refused(path, data)
    assert error.code is ErrorCode.DATASET_ENCODING_INVALID
    assert named in error.message
    assert remedy in (error.hint or "")


# Values that cannot be scaled

COLUMN = [0.5, -1.0, 2.0, 3.5, -2.5, 1.0, 0.0, 4.0]


@pytest.mark.parametrize("carrier", CARRIERS)
@pytest.mark.parametrize("value", [1e160, -1e160, 1.7976931348623157e308, 1.35e154])
def test_a_value_whose_square_overflows_is_refused_with_its_place(
    carrier: str, value: float, tmp_path: Path
) -> None:
    columns = {"a": COLUMN, "b": [*COLUMN[:5], value, *COLUMN[6:]], "y": LABELS}
    file = carried(carrier, columns, tmp_path)
    with pytest.raises(RunForgeError) as caught:
        load_dataset(read_source(file), "y")
    error = caught.value
    assert error.code is ErrorCode.FEATURE_TOO_LARGE
    assert (error.location.column, error.location.row) == ("b", 6)
    assert repr(value) in error.message
    report, code = inspect_dataset(str(file), "y")
    assert (report["trainable"], code) == (False, 1)
    assert report["diagnostics"][0]["code"] == "FEATURE_TOO_LARGE"


def test_values_whose_squares_together_overflow_are_refused(path: Path) -> None:
    lines = [f"{row},{(-1) ** row * 1.3e154!r},{row % 3}\n" for row in range(8)]
    error = refused(path, "a,b,y\n" + "".join(lines))
    assert (error.code, error.location.column) == (ErrorCode.FEATURE_TOO_LARGE, "b")


def test_large_values_that_can_be_scaled_are_taken(path: Path) -> None:
    text = "a,b,y\n" + "".join(f"{row},{row}e152,{row % 2}\n" for row in range(8))
    assert load(path, text).X[7, 1] == 7e152
    # In a row that is dropped, a value does no harm.
    dropped = load(path, ROWS + ",1e300,1\n")
    assert codes(dropped) == ["MISSING_VALUES_DROPPED"]


def test_a_value_that_hides_all_others_is_reported(path: Path) -> None:
    dataset = load(path, ROWS + "1e100,1,1\n")
    [told] = dataset.diagnostics
    assert (told.code, told.severity) == ("FEATURE_OUTLIER", "warning")
    assert (told.details["column"], told.details["row"]) == ("a", 9)
    assert "1e+100" in told.message


ABSURD = {
    "constant and huge": np.full(40, 1.1e153),
    "constant and large": np.full(40, 1.7000000000000001e18),
    "nearly constant": 1e20 + 16384.0 * (np.arange(40) % 3),
    "tiny": np.linspace(-3e-200, 7e-200, 40),
    "denormal": 5e-324 * (np.arange(40) % 5),
    "huge": np.linspace(-1e152, 1e152, 40),
}


@pytest.mark.parametrize("family", ["logistic_regression", "random_forest", "linear_svc"])
@pytest.mark.parametrize("column", ABSURD.values(), ids=ABSURD)
def test_whatever_can_be_squared_is_scaled_and_fitted(family: str, column: Any) -> None:
    from runforge_engine.modeling.configuration import resolve
    from runforge_engine.modeling.fit import fit
    from runforge_engine.runtime.cancellation import Cancellation

    configuration = resolve(
        family=family,
        preset="fast",
        profile=None,
        hyperparameters={"n_estimators": 3} if family == "random_forest" else {},
        seed=42,
    )
    random = np.random.RandomState(0)
    X = np.column_stack([random.normal(size=40), column])
    y = (X[:, 0] > 0).astype(np.int64)
    fitted = fit(
        configuration, X.copy(), y, progress=lambda *_: None, cancellation=Cancellation(), n_jobs=1
    )
    scaler = fitted.pipeline.named_steps["scaler"]
    scaled = scaler.transform(X)
    assert np.isfinite(scaled).all()
    assert np.abs(scaled).max() <= np.sqrt(40)
    if len({*column.tolist()}) > 1:
        assert np.ptp(scaled[:, 1]) > 1
    # What cannot be: rows to predict, far beyond all that were learned from.
    rows = np.array([[0.5, 1.3e154], [-0.5, -1.3e154], [1.3e154, column[0]], X[0]])
    predicted = fitted.pipeline.predict(within_range(fitted.pipeline, rows))
    assert predicted[3] == fitted.pipeline.predict(X[:1])[0]
    if hasattr(fitted.pipeline, "predict_proba"):
        assert np.isfinite(fitted.pipeline.predict_proba(within_range(fitted.pipeline, rows))).all()


@pytest.mark.parametrize("family", ["random_forest", "linear_svc"])
def test_a_value_of_the_validation_rows_may_be_beyond_all_others(
    family: str, tmp_path: Path
) -> None:
    labels = np.arange(40) % 2
    numbers = [repr(value) for value in np.random.RandomState(0).normal(size=40).tolist()]
    numbers[int(split_rows(labels, 42).validation[0])] = "1e100"
    rows = zip(numbers, labels.tolist(), strict=True)
    (tmp_path / "data.csv").write_text("a,y\n" + "".join(f"{a},{y}\n" for a, y in rows))
    parameters = {"n_estimators": 2} if family == "random_forest" else None
    file = tmp_path / "data.csv"
    run = train(file, label="y", model=family, hyperparameters=parameters, workspace=tmp_path)
    store = StoreLayout(tmp_path)
    listed = [(entry, store) for entry in list_runs(store)]
    again = replay(Run(run.path), tmp_path, listed)
    assert np.isfinite(again.scores).all()
    predicted = predict(model_of_run(Run(run.path), listed), read_source(file))
    assert predicted.predicted == 40


def test_ordinary_columns_keep_their_bits_and_rows_in_range_are_not_copied() -> None:
    from runforge_engine.modeling.configuration import resolve
    from runforge_engine.modeling.fit import fit
    from runforge_engine.runtime.cancellation import Cancellation
    from sklearn.preprocessing import StandardScaler

    configuration = resolve(
        family="logistic_regression", preset="fast", profile=None, hyperparameters={}, seed=1
    )
    random = np.random.RandomState(1)
    X = np.column_stack([random.normal(size=(50, 3)), np.full(50, 0.1), np.zeros(50)])
    plain = StandardScaler().fit(X)
    y = np.arange(50) % 2
    pipeline = fit(
        configuration, X.copy(), y, progress=lambda *_: None, cancellation=Cancellation()
    ).pipeline
    scaler = pipeline.named_steps["scaler"]
    assert scaler.scale_.tobytes() == plain.scale_.tobytes()
    assert scaler.mean_.tobytes() == plain.mean_.tobytes()
    assert within_range(pipeline, X) is X
    assert type(build_pipeline(configuration).named_steps["scaler"]) is StandardScaler


# Integers that no double holds


@pytest.mark.parametrize("carrier", CARRIERS)
@pytest.mark.parametrize("kind", ["int64", "uint64", "Int64", "object", "nanoseconds"])
def test_integers_beyond_two_to_the_53_are_taken_alike(
    carrier: str, kind: str, tmp_path: Path
) -> None:
    begin = {"uint64": 2**63 + 1, "nanoseconds": 1_700_000_000_000_000_001}.get(kind, BEYOND)
    numbers: Any = [begin + 4 * row for row in range(8)]
    if kind == "Int64":
        numbers = pd.array([*numbers[:7], None], dtype="Int64")
    elif kind == "object":
        numbers = pd.Series([str(number) for number in numbers], dtype=object)
    elif kind == "uint64":
        numbers = np.array(numbers, dtype=np.uint64)
    file = carried(carrier, {"a": numbers, "b": COLUMN, "y": LABELS}, tmp_path)
    dataset = load_dataset(read_source(file), "y")
    assert dataset.X[0, 0] == float(begin)
    told = dataset.diagnostics[-1]
    assert (told.code, told.severity) == ("FEATURE_NOT_EXACT", "warning")
    assert (told.details["columns"], told.details["row"]) == (["a"], 1)
    assert f"`{begin}`" in told.message
    assert f"`{int(float(begin))}`" in told.message
    report, code = inspect_dataset(str(file), "y")
    assert code == 0
    assert report["diagnostics"][-1]["code"] == "FEATURE_NOT_EXACT"


@pytest.mark.parametrize("carrier", CARRIERS)
def test_large_numbers_that_fit_a_double_are_not_reported(carrier: str, tmp_path: Path) -> None:
    columns = {
        "whole": [2**53 + 2 * row for row in range(8)],
        "float": [1.2345678901234567e17 * (row + 1) for row in range(8)],
        "shift": [2**60 * (row + 1) % 2**62 for row in range(8)],
        "y": LABELS,
    }
    dataset = load_dataset(read_source(carried(carrier, columns, tmp_path)), "y")
    assert dataset.diagnostics == ()
    assert dataset.X[:, 1].tolist() == columns["float"]


def test_integers_longer_than_any_type_are_compared_too(path: Path) -> None:
    long = "0" * 5000 + "123456789012345678901234567890"
    dataset = load(path, ROWS + f"1,{long},0\n1,100000000000000000000000,1\n")
    told = dataset.diagnostics[0]
    assert (told.code, told.details["row"]) == ("FEATURE_NOT_EXACT", 9)
    assert "(2 of 10 values)" in told.message


# Booleans


@pytest.mark.parametrize("carrier", CARRIERS)
def test_dummies_are_zeros_and_ones(carrier: str, tmp_path: Path) -> None:
    frame = pd.DataFrame({"a": COLUMN, "colour": ["red", "green"] * 4, "y": LABELS})
    dummies = pd.get_dummies(frame, columns=["colour"])
    file = carried(carrier, {name: dummies[name] for name in dummies}, tmp_path)
    dataset = load_dataset(read_source(file), "y")
    assert dataset.feature_names == ("a", "colour_green", "colour_red")
    assert dataset.X[:, 1].tolist() == [0.0, 1.0] * 4
    assert dataset.X[:, 0].tolist() == COLUMN
    [told] = dataset.diagnostics
    assert (told.code, told.severity) == ("FEATURE_BOOLEAN", "info")
    assert told.details["columns"] == ["colour_green", "colour_red"]


@pytest.mark.parametrize("carrier", CARRIERS)
def test_missing_booleans_drop_their_row(carrier: str, tmp_path: Path) -> None:
    flags = pd.array([True, None, False, True, True, False, None, True], dtype="boolean")
    file = carried(carrier, {"flag": flags, "y": [0, 1, 0, 1, 1, 0, 0, 1]}, tmp_path)
    dataset = load_dataset(read_source(file), "y")
    assert dataset.X[:, 0].tolist() == [1, 0, 1, 1, 0, 1]
    assert codes(dataset) == ["MISSING_VALUES_DROPPED", "FEATURE_BOOLEAN"]


@pytest.mark.parametrize("cells", [["TRUE", "FALSE"], ["true", " False "], ["tRuE", "fAlSe\t"]])
def test_booleans_are_written_in_any_case(path: Path, cells: list[str]) -> None:
    rows = "".join(f"{row},{cells[row // 2 % 2]},{row % 2}\n" for row in range(8))
    dataset = load(path, "a,b,y\n" + rows)
    assert dataset.X[:, 1].tolist() == [1, 1, 0, 0] * 2
    assert codes(dataset) == ["FEATURE_BOOLEAN"]


def test_booleans_that_begin_late_are_found(path: Path) -> None:
    rows = "".join(f"{row},{'' if row < 50 else row % 3 == 0},{row % 2}\n" for row in range(60))
    dataset = load(path, "a,b,y\n" + rows)
    assert dataset.X[:, 1].tolist() == [row % 3 == 0 for row in range(50, 60)]


@pytest.mark.parametrize("other", ["1", "yes", "t"])
def test_a_column_with_other_cells_is_no_boolean(path: Path, other: str) -> None:
    rows = "".join(f"{row},{other if row == 30 else True},{row % 2}\n" for row in range(40))
    error = refused(path, "a,b,y\n" + rows)
    assert (error.code, error.location.column) == (ErrorCode.FEATURE_NOT_NUMERIC, "b")


# Labels


@pytest.mark.parametrize("carrier", CARRIERS)
def test_typed_booleans_are_the_same_labels(carrier: str, tmp_path: Path) -> None:
    file = carried(carrier, {"a": COLUMN, "y": [True, False] * 4}, tmp_path)
    assert load_dataset(read_source(file), "y").classes == ("False", "True")


@pytest.mark.parametrize("carrier", ["parquet", "frame"])
@pytest.mark.parametrize("kind", ["object", "category", "arrow"])
def test_bytes_are_the_labels_that_they_spell(carrier: str, kind: str, tmp_path: Path) -> None:
    labels: Any = [b"a", "é".encode()] * 4
    if kind == "category":
        labels = pd.Categorical(labels)
    elif kind == "arrow":
        labels = pd.array(labels, dtype=pd.ArrowDtype(pa.binary()))
    file = carried(carrier, {"a": COLUMN, "y": labels}, tmp_path)
    assert load_dataset(read_source(file), "y").classes == ("a", "é")


@pytest.mark.parametrize("carrier", ["parquet", "frame"])
def test_bytes_that_are_no_text_are_refused(carrier: str, tmp_path: Path) -> None:
    columns = {"a": COLUMN, "y": [b"a", b"b", b"\xff", b"a"] * 2}
    with pytest.raises(RunForgeError) as caught:
        load_dataset(read_source(carried(carrier, columns, tmp_path)), "y")
    assert caught.value.code is ErrorCode.DATASET_ENCODING_INVALID
    assert caught.value.location.column == "y"


ALIKE: dict[str, tuple[list[str], list[list[str]], str]] = {
    "blanks": (["a", "a ", "b"], [["a", "a "]], "`a` and `a `"),
    "case": (["Yes", "yes", "no"], [["Yes", "yes"]], "`Yes` and `yes`"),
    "Unicode form": (["caf\u00e9", "cafe\u0301"], [["cafe\u0301", "caf\u00e9"]], "`cafe\\u0301`"),
    "invisible": (["a", "a\u200b", "b"], [["a", "a\u200b"]], "`a\\u200b`"),
    "no-break space": (["a", "\u00a0a", "b"], [["a", "\u00a0a"]], "`\\xa0a`"),
    "number": (["01", "1", "1.0", "x"], [["01", "1", "1.0"]], "`01`, `1` and `1.0`"),
    "several": (["A", "a", "B", "b "], [["A", "a"], ["B", "b "]], "; "),
}


@pytest.mark.parametrize(("labels", "groups", "quoted"), ALIKE.values(), ids=ALIKE)
def test_labels_that_look_alike_are_kept_apart_and_reported(
    path: Path, labels: list[str], groups: list[list[str]], quoted: str
) -> None:
    rows = "".join(f'{row},"{labels[row % len(labels)]}"\n' for row in range(4 * len(labels)))
    dataset = load(path, "a,y\n" + rows)
    assert dataset.classes == tuple(sorted(labels))
    [told] = dataset.diagnostics
    assert (told.code, told.severity) == ("LABELS_ALIKE", "warning")
    assert told.details["labels"] == groups
    assert quoted in told.message


def test_numbers_that_are_written_differently_are_one_label_and_reported(path: Path) -> None:
    labels = ["01", "1", "+1", "1.0", " 2", "2", "3"]
    rows = "".join(f"{row},{labels[row % 7]}\n" for row in range(28))
    dataset = load(path, "a,y\n" + rows)
    assert dataset.classes == (1, 2, 3)
    [told] = dataset.diagnostics
    assert (told.code, told.severity) == ("LABELS_MERGED", "warning")
    assert told.details["labels"] == [[" 2", "2"], ["+1", "01", "1", "1.0"]]
    assert "`+1`, `01`, `1` and `1.0`" in told.message
    report, _ = inspect_dataset(str(path), "y")
    assert [item["code"] for item in report["diagnostics"]] == ["LABELS_MERGED"]


@pytest.mark.parametrize(
    ("labels", "code", "quoted"),
    [
        (["1", "01", "1", "+1"], ErrorCode.TOO_FEW_CLASSES, "`+1`, `01` and `1`"),
        (["a", "b", "a", "b", "a "], ErrorCode.CLASS_TOO_SMALL, "`a` and `a `"),
    ],
)
def test_where_labels_that_look_alike_are_the_reason_the_error_quotes_them(
    path: Path, labels: list[str], code: ErrorCode, quoted: str
) -> None:
    error = refused(path, "a,y\n" + "".join(f"{row},{label}\n" for row, label in enumerate(labels)))
    assert error.code is code
    assert quoted in error.message
    assert (error.hint or "").startswith("Write them alike")


def test_labels_of_thousands_of_digits_are_integers_or_refused(path: Path) -> None:
    zeros = "0" * 5000
    rows = "".join(f"{row},{(zeros + '1', '-2')[row % 2]}\n" for row in range(8))
    assert load(path, "a,y\n" + rows).classes == (-2, 1)
    error = refused(path, "a,y\n" + rows.replace(zeros, "9" + zeros))
    assert error.code is ErrorCode.LABEL_TYPE_INVALID
    spellings = ["0" * row + "1" for row in range(9)]
    rows = "".join(f"{row},{spellings[row % 9]}\n{row},2\n" for row in range(18))
    [told] = load(path, "a,y\n" + rows).diagnostics
    assert "and 4 more" in told.message


def test_labels_of_one_spelling_each_are_not_reported(path: Path) -> None:
    for labels in (["1.0", "2.0", "3.0"], ["01", "02", "03"], ["a", "b", "ab"], ["é", "e", "ë"]):
        rows = "".join(f"{row},{labels[row % 3]}\n" for row in range(12))
        assert load(path, "a,y\n" + rows).diagnostics == ()


# Names


def test_columns_without_a_name_and_a_value_are_left_out(path: Path) -> None:
    rows = "".join(f"{row},,{-row}, ,{row % 2},,NA\n" for row in range(8))
    dataset = load(path, "a,,b, ,y,,\n" + rows)
    assert dataset.feature_names == ("a", "b")
    assert dataset.rows_dropped == 0
    [told] = dataset.diagnostics
    assert (told.code, told.severity) == ("EMPTY_COLUMNS_DROPPED", "info")
    assert told.details == {"columns": [2, 4, 6, 7], "count": 4}
    report, code = inspect_dataset(str(path), "y")
    assert (report["num_features"], code) == (2, 0)
    assert [column["role"] for column in report["columns"]].count("excluded") == 4
    report, code = inspect_dataset(str(path), None)
    assert [item["code"] for item in report["diagnostics"]] == ["EMPTY_COLUMNS_DROPPED"]
    assert code == 0


def test_a_column_without_a_name_that_holds_something_is_named_by_its_place(path: Path) -> None:
    text = ROWS.replace("a,b,y", "a,,y")
    error = refused(path, text)
    assert (error.code, error.location.row) == (ErrorCode.DATASET_MALFORMED, 1)
    assert "Column 2 " in error.message
    assert "--exclude ''" in (error.hint or "")
    assert load(path, text, "").feature_names == ("a",)


def test_excluded_columns_may_be_called_anything(path: Path) -> None:
    text = "a,,n,n,,y\n" + "".join(f"{row},x,u,v,w,{row % 2}\n" for row in range(8))
    assert load(path, text, "", "n").feature_names == ("a",)
    error = refused(path, text.replace("a,,n,n,,y", "a,p,n,n,q,y"))
    assert (error.code, error.location.column) == (ErrorCode.COLUMN_DUPLICATE, "n")
    report, code = inspect_dataset(str(path), None)
    assert ([column["name"] for column in report["columns"]], code) == (list("apnnqy"), 1)


def test_parquet_columns_of_any_name_are_distinguished(tmp_path: Path) -> None:
    numbers, labels, file = pa.array(COLUMN), pa.array(LABELS), tmp_path / "data.parquet"
    columns = [numbers, numbers, pa.nulls(8), pa.nulls(8), numbers, labels]
    parquet.write_table(pa.table(columns, names=["a.b", "n", "", "", "n", "y"]), file)
    dataset = load_dataset(read_source(file), "y", ["n"])
    assert dataset.feature_names == ("a.b",)
    assert codes(dataset) == ["EMPTY_COLUMNS_DROPPED"]
    with pytest.raises(RunForgeError) as caught:
        load_dataset(read_source(file), "y")
    assert caught.value.code is ErrorCode.COLUMN_DUPLICATE


# Types of Parquet

TYPES: dict[str, tuple[pa.Array, list[float] | ErrorCode]] = {
    "float16": (pa.array(np.arange(8, dtype=np.float16)), list(range(8))),
    "large_string": (pa.array(["1.5"] * 8, pa.large_string()), [1.5] * 8),
    "dictionary": (pa.array(["1", "2"] * 4).dictionary_encode(), [1, 2] * 4),
    "dictionary of integers": (
        pa.array([2**60 + 1, 2] * 4).dictionary_encode(),
        [float(2**60), 2] * 4,
    ),
    "dictionary of booleans": (pa.array([True, False] * 4).dictionary_encode(), [1, 0] * 4),
    "decimal": (pa.array([Decimal("1.10")] * 8, pa.decimal128(30, 2)), [1.1] * 8),
    "large decimal": (
        pa.array([Decimal(BEYOND)] * 8, pa.decimal128(38, 0)),
        [float(BEYOND)] * 8,
    ),
    "bytes": (pa.array([b"2"] * 8), [2] * 8),
    "timestamp": (pa.array([datetime.datetime(2020, 1, 1)] * 8), ErrorCode.FEATURE_NOT_NUMERIC),
    "date": (pa.array([datetime.date(2020, 1, 1)] * 8), ErrorCode.FEATURE_NOT_NUMERIC),
    "duration": (pa.array([datetime.timedelta(1)] * 8), ErrorCode.FEATURE_NOT_NUMERIC),
    "list": (pa.array([[1]] * 8), ErrorCode.FEATURE_NOT_NUMERIC),
    "struct": (pa.array([{"b": 1}] * 8), ErrorCode.FEATURE_NOT_NUMERIC),
    "bytes that are no text": (pa.array([b"\xff"] * 8), ErrorCode.FEATURE_NOT_NUMERIC),
    "null": (pa.nulls(8), ErrorCode.ZERO_ROWS),
}


@pytest.mark.parametrize(("column", "expected"), TYPES.values(), ids=TYPES)
def test_every_type_of_parquet_is_read_or_refused(
    column: pa.Array, expected: list[float] | ErrorCode, tmp_path: Path
) -> None:
    file = tmp_path / "data.parquet"
    parquet.write_table(pa.table({"a": column, "b": COLUMN, "y": LABELS}), file)
    _, code = inspect_dataset(str(file), "y")
    if isinstance(expected, list):
        assert load_dataset(read_source(file), "y").X[:, 0].tolist() == expected
        assert code == 0
        return
    with pytest.raises(RunForgeError) as caught:
        load_dataset(read_source(file), "y")
    assert caught.value.code is expected
    assert code == 1


def test_labels_of_parquet_are_integers_where_they_are_whole(tmp_path: Path) -> None:
    file = tmp_path / "data.parquet"
    for labels in ([2e15, 1e7, float("nan"), 2e15] * 2, np.array([1, 2] * 4, dtype=np.float32)):
        parquet.write_table(pa.table({"a": COLUMN, "y": labels}), file)
        dataset = load_dataset(read_source(file), "y")
        assert all(isinstance(label, int) for label in dataset.classes)
    parquet.write_table(pa.table({"a": COLUMN, "y": [[1], [2]] * 4}), file)
    with pytest.raises(RunForgeError) as caught:
        load_dataset(read_source(file), "y")
    assert caught.value.code is ErrorCode.LABEL_TYPE_INVALID


def test_frames_of_narrow_and_nullable_floats_keep_their_bits(tmp_path: Path) -> None:
    narrow = np.array(COLUMN, dtype=np.float32) / np.float32(3)
    frame = {
        "numpy": narrow,
        "nullable": pd.array(narrow, dtype="Float32"),
        "arrow": pd.array(narrow, dtype=pd.ArrowDtype(pa.float32())),
        "category": pd.Categorical(narrow),
        "y": LABELS,
    }
    dataset = load_dataset(read_source(carried("frame", frame, tmp_path)), "y")
    assert dataset.X.tobytes() == np.column_stack([narrow.astype(float)] * 4).tobytes()


def test_the_first_row_with_text_is_named_and_identifiers_are_found_beside_it(
    tmp_path: Path,
) -> None:
    path = tmp_path / "data.csv"
    rows = [f"{row + 1},n{row % 3},{'' if row < 2 else row % 5},{row % 2}" for row in range(80)]
    path.write_text("\n".join(["id,name,age,y", *rows]) + "\n")
    report, code = inspect_dataset(str(path), "y")
    warning, error = report["diagnostics"]
    assert (code, error["code"], error["details"]["row"]) == (1, "FEATURE_NOT_NUMERIC", 1)
    assert "runforge prepare" in error["details"]["hint"]
    assert (warning["code"], warning["details"]["columns"]) == ("ID_LIKE_FEATURE", ["id"])
    report, _ = inspect_dataset(str(path), None)
    assert [item["code"] for item in report["diagnostics"]] == ["ID_LIKE_FEATURE"]
