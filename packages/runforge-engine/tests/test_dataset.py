"""From a file to a matrix: every rule of the data, on real files."""

from __future__ import annotations

import csv
import gzip
import io
import os
import re
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from real_data import DATASETS, ROOT, write_dataset
from runforge_contracts.errors import ErrorCode, RunForgeError
from runforge_engine.data import csv_reader
from runforge_engine.data.dataset import Dataset, load_dataset
from runforge_engine.data.dataset_source import read_source
from runforge_engine.data.feature_range import MAX_FEATURE
from runforge_engine.data.split import split_rows

MISSING = ("", "NA", "N/A", "NaN", "nan", "null", "NULL", "None")


def load(path: Path, text: str | bytes, label: str = "y", exclude: tuple[str, ...] = ()) -> Dataset:
    """Load a table twice, in its order and divided, which must be alike."""
    path.write_bytes(text.encode() if isinstance(text, str) else text)

    def outcome(seed: int | None) -> Dataset | RunForgeError:
        try:
            return load_dataset(read_source(path), label, exclude, seed)
        except RunForgeError as error:
            return error

    dataset, divided = outcome(None), outcome(7)
    if isinstance(dataset, RunForgeError):
        assert isinstance(divided, RunForgeError)
        assert divided.to_dict() == dataset.to_dict()
        raise dataset
    assert isinstance(divided, Dataset)
    check_divided(dataset, divided)
    return dataset


def check_divided(dataset: Dataset, divided: Dataset) -> None:
    """Assert that a divided dataset has the parts that the other one is split into."""
    for field in fields(Dataset):
        if field.name not in ("X", "split"):
            np.testing.assert_equal(getattr(divided, field.name), getattr(dataset, field.name))
    if divided.split is None:
        with pytest.raises(RunForgeError):
            split_rows(dataset.positions, 7)
        assert divided.X.tobytes() == dataset.X.tobytes()
        return
    rows = split_rows(dataset.positions, 7)
    train, validation = np.split(divided.X, [len(rows.train)])
    assert train.tobytes() == dataset.X[rows.train].tobytes()
    assert validation.tobytes() == dataset.X[rows.validation].tobytes()
    assert train.flags.c_contiguous


def refused(path: Path, text: str | bytes, label: str = "y", **options: Any) -> RunForgeError:
    with pytest.raises(RunForgeError) as caught:
        load(path, text, label, **options)
    assert str(caught.value).isprintable()
    return caught.value


@pytest.mark.parametrize("size", ["1e15", "1e17", "1e152", "1e200", "inf"])
def test_a_divided_table_of_mixed_columns_is_that_of_the_file(path: Path, size: str) -> None:
    random = np.random.default_rng(3)
    lines = ["id,number,spaced,truth,large,y"]
    for row in range(9_000):
        number = random.choice(["", f"{random.normal()}"], p=[0.1, 0.9])
        spaced = f" {random.normal()} " if row else "+.5"
        large = size if row in (70, 8_500) else f"{random.normal()}"
        lines.append(f"{row},{number},{spaced},{row % 7 > 3},{large},{'ab'[row % 2]}")
    text = "\n".join(lines)
    if size in ("1e200", "inf"):
        error = refused(path, text)
        assert error.location.row == 71
    else:
        dataset = load(path, text)
        assert dataset.rows_dropped > 500
        codes = [item.code for item in dataset.diagnostics]
        assert "ID_LIKE_FEATURE" in codes
        assert ("FEATURE_OUTLIER" in codes) is (size != "1e15")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "data.csv"


def test_the_penguins_lose_two_rows_and_keep_their_names() -> None:
    source = read_source(ROOT / "examples/penguins.csv")
    dataset = load_dataset(source, "species", ["island", "sex"])
    assert dataset.feature_names == (
        "bill_length_mm",
        "bill_depth_mm",
        "flipper_length_mm",
        "body_mass_g",
        "year",
    )
    assert (dataset.rows_total, dataset.rows_dropped, dataset.X.shape) == (344, 2, (342, 5))
    assert dataset.classes == ("Adelie", "Chinstrap", "Gentoo")
    assert dataset.missing_by_column == {
        "bill_length_mm": 2,
        "bill_depth_mm": 2,
        "flipper_length_mm": 2,
        "body_mass_g": 2,
    }
    assert 4 not in dataset.row_numbers


@pytest.mark.parametrize("name", DATASETS[1:])
def test_sample_datasets_are_read_bit_by_bit(name: str, tmp_path: Path) -> None:
    from sklearn import datasets

    file, label, _ = write_dataset(name, tmp_path)
    dataset = load_dataset(read_source(file), label)
    table = getattr(datasets, f"load_{name}")()
    assert np.array_equal(dataset.X, table.data)
    assert np.array_equal(dataset.y, table.target)
    assert dataset.X.flags.c_contiguous
    assert dataset.X.dtype == np.float64
    assert dataset.y.dtype == np.int64


ROWS = "a,b,y\n1,2,0\n3,4,0\n5,6,1\n7,8,1\n"

REFUSED: dict[str, tuple[str | bytes, ErrorCode, str]] = {
    "empty": ("", ErrorCode.DATASET_EMPTY, "empty"),
    "blank": ("\n\n  \n", ErrorCode.DATASET_EMPTY, "empty"),
    "bom only": (b"\xef\xbb\xbf", ErrorCode.DATASET_EMPTY, "empty"),
    "header only": ("a,y\n", ErrorCode.ZERO_ROWS, "no rows"),
    "header without newline": ("a,y", ErrorCode.ZERO_ROWS, "no rows"),
    "label missing": ("a,b\n1,2\n", ErrorCode.LABEL_NOT_FOUND, "`a`, `b`"),
    "label only": ("y\n1\n2\n", ErrorCode.LABEL_ONLY_DATASET, "`y`"),
    "semicolons": ("a;b;y\n1;2;3\n", ErrorCode.DATASET_DELIMITER_UNSUPPORTED, "semicolons"),
    "tabs": ("a\tb\ty\n1\t2\t3\n", ErrorCode.DATASET_DELIMITER_UNSUPPORTED, "tabs"),
    "latin-1": ("a,y\n1,é\n".encode("latin-1"), ErrorCode.DATASET_ENCODING_INVALID, "UTF-8"),
    "utf-16": (ROWS.encode("utf-16"), ErrorCode.DATASET_ENCODING_INVALID, "UTF-16"),
    "utf-16 without bom": (ROWS.encode("utf-16-le"), ErrorCode.DATASET_ENCODING_INVALID, "UTF-16"),
    "nul": (b"a,y\n1,x\x00\n", ErrorCode.DATASET_ENCODING_INVALID, "NUL"),
    "short row": ("a,b,y\n1,2,0\n3,4\n", ErrorCode.DATASET_ROW_RAGGED, "Row 2 has 2 fields"),
    "long row": ("a,b,y\n1,2,0\n3,4,5,6\n", ErrorCode.DATASET_ROW_RAGGED, "Row 2 has 4 fields"),
    "open quote": ('a,b,y\n1,"2,0\n3,4,1\n', ErrorCode.DATASET_MALFORMED, "row"),
    "open quote at the end": ('a,y\n1,"x\n3,z\n', ErrorCode.DATASET_MALFORMED, "row"),
    "duplicate column": ("a,a,y\n1,2,0\n", ErrorCode.COLUMN_DUPLICATE, "`a`"),
    "duplicate after bom": (b"\xef\xbb\xbfa,a,y\n1,2,0\n", ErrorCode.COLUMN_DUPLICATE, "`a`"),
    "nameless column": (",y\n1,0\n", ErrorCode.DATASET_MALFORMED, "no name"),
    "text feature": (
        "a,b,y\n1,2,0\n1,x,0\n1,2,1\n1,2,1\n",
        ErrorCode.FEATURE_NOT_NUMERIC,
        "`b` holds `x`",
    ),
    "two text features": (
        "a,b,y\nu,v,0\n1,x,0\n1,2,1\n1,2,1\n",
        ErrorCode.FEATURE_NOT_NUMERIC,
        "`a`, `b`",
    ),
    "hexadecimal": (ROWS.replace("5", "0x5"), ErrorCode.FEATURE_NOT_NUMERIC, "`0x5`"),
    "underscore": (ROWS.replace("5", "1_0"), ErrorCode.FEATURE_NOT_NUMERIC, "`1_0`"),
    "thousands": (ROWS.replace("5", '"1,000"'), ErrorCode.FEATURE_NOT_NUMERIC, "`1,000`"),
    "a spelling of nan": (ROWS.replace("5", "NAN"), ErrorCode.FEATURE_NOT_NUMERIC, "`NAN`"),
    "infinity by name": (ROWS.replace("5", "inf"), ErrorCode.FEATURE_NOT_FINITE, "row 3"),
    "infinity by size": (ROWS.replace("5", "1e999"), ErrorCode.FEATURE_NOT_FINITE, "row 3"),
    "infinity beside a trimmed cell": (
        "a,b,y\n1,\x0b1,0\n-Inf,2,0\n2,3,1\n3,4,1\n",
        ErrorCode.FEATURE_NOT_FINITE,
        "row 2",
    ),
    "one class": ("a,y\n1,x\n2,x\n3,x\n", ErrorCode.TOO_FEW_CLASSES, "`x`"),
    "a class of one": ("a,y\n1,x\n2,x\n3,z\n", ErrorCode.CLASS_TOO_SMALL, "`z`"),
    "an identifier": ("a,y\n1,u\n2,v\n3,w\n", ErrorCode.LABEL_TYPE_INVALID, "label of its own"),
    "fractions": ("a,y\n1,0.5\n2,1\n3,1\n", ErrorCode.LABEL_TYPE_INVALID, "`0.5`"),
    "a huge label": ("a,y\n1,9007199254740993\n2,1\n3,1\n", ErrorCode.LABEL_TYPE_INVALID, "53"),
    "all rows dropped": ("a,y\n,0\nNA,1\n", ErrorCode.ZERO_ROWS, "`a` lacks 2"),
    "workbook": (b"PK\x03\x04rest", ErrorCode.DATASET_FORMAT_UNSUPPORTED, "Excel"),
    "broken gzip": (b"\x1f\x8b\x08rest", ErrorCode.DATASET_MALFORMED, "decompress"),
    "broken parquet": (b"PAR1 and nothing", ErrorCode.DATASET_MALFORMED, "Parquet"),
}


@pytest.mark.parametrize(("text", "code", "named"), REFUSED.values(), ids=REFUSED)
def test_bad_data_is_refused_by_name(
    path: Path, text: str | bytes, code: ErrorCode, named: str
) -> None:
    error = refused(path, text)
    assert error.code is code
    assert named in error.message


def test_the_error_of_a_string_feature_says_how_to_exclude_it(path: Path) -> None:
    error = refused(path, "a,the island,y\n1,x,0\n2,x,0\n1,x,1\n2,x,1\n")
    assert error.hint is not None
    assert "--exclude 'the island'" in error.hint
    assert "dataset.exclude_columns" in error.hint
    assert error.location.row == 1


def test_a_near_label_is_offered(path: Path) -> None:
    assert refused(path, ROWS, label="Y").hint == "Did you mean `y`?"


def test_hostile_names_do_not_reach_a_terminal(path: Path) -> None:
    refused(path, '"a\x1b[31m\nb",y\n1,0\n', label="\x1b]0;x\x07")
    refused(path, 'a,"b\x1b[2J",y\n1,x\x1b,0\n1,2,0\n1,2,1\n1,2,1\n')


def test_excluded_columns_may_hold_anything(path: Path) -> None:
    dataset = load(path, "a,t,y\n1,x,0\n2,,0\n3,inf,1\n4,NA,1\n", exclude=("t",))
    assert (dataset.feature_names, dataset.rows_dropped) == (("a",), 0)


def test_excluding_the_label_or_an_absent_column_is_refused(path: Path) -> None:
    assert refused(path, ROWS, exclude=("y",)).code is ErrorCode.COLUMN_NOT_FOUND
    error = refused(path, ROWS, exclude=("A",))
    assert (error.code, error.hint) == (ErrorCode.COLUMN_NOT_FOUND, "Did you mean `a`?")


def test_excluding_every_feature_is_refused(path: Path) -> None:
    assert refused(path, ROWS, exclude=("a", "b")).code is ErrorCode.ZERO_FEATURES


@pytest.mark.parametrize("token", MISSING)
@pytest.mark.parametrize("padding", ["", " ", "\t"])
def test_missing_values_drop_their_row(path: Path, token: str, padding: str) -> None:
    cell = padding + token + padding
    dataset = load(path, f"a,b,y\n1,2,0\n3,{cell},0\n5,6,1\n7,8,{cell}\n5,6,1\n5,6,0\n")
    assert dataset.row_numbers.tolist() == [1, 3, 5, 6]
    assert (dataset.rows_total, dataset.rows_dropped) == (6, 2)
    assert dataset.missing_by_column == {"y": 1, "b": 1}


LABELS: dict[str, tuple[list[str], list[Any]]] = {
    "integers": (["1", "0", "1", "0"], [1, 0, 1, 0]),
    "integral floats": (["1.0", "2.00", "1.", "2"], [1, 2, 1, 2]),
    "signs and spaces": (["-3", " 7 ", "+7", "-3"], [-3, 7, 7, -3]),
    "text": (["b", "a", "b", "a"], ["b", "a", "b", "a"]),
    "text and numbers": (["1", "a", "1", "a"], ["1", "a", "1", "a"]),
    "text is kept as it is": ([" a", "a", " a", "a"], [" a", "a", " a", "a"]),
    "unusual text": (["é\u2028", "😀", "é\u2028", "😀"], ["é\u2028", "😀", "é\u2028", "😀"]),
}


@pytest.mark.parametrize(("cells", "values"), LABELS.values(), ids=LABELS)
def test_labels_are_integers_or_text(path: Path, cells: list[str], values: list[Any]) -> None:
    dataset = load(path, "a,y\n" + "".join(f"{i},{cell}\n" for i, cell in enumerate(cells)))
    assert dataset.y.tolist() == values
    assert list(dataset.classes) == sorted(set(values))


def test_line_ends_byte_order_mark_and_blank_lines_make_no_difference(path: Path) -> None:
    expected = load(path, ROWS)
    for text in (
        ROWS.replace("\n", "\r\n"),
        ROWS.replace("\n", "\r"),
        "\ufeff" + ROWS,
        ROWS.rstrip("\n"),
        ROWS.replace("\n", "\n\n"),
        re.sub(r"(\d)", r'"\1"', ROWS),
    ):
        dataset = load(path, text)
        assert np.array_equal(dataset.X, expected.X)
        assert np.array_equal(dataset.y, expected.y)


def test_quoted_fields_may_hold_commas_quotes_and_line_breaks(path: Path) -> None:
    text = 'a,"the ""label"", y"\n1,"x,\n""1"""\n2,"x,\n""1"""\n3,z\n4,z\n'
    dataset = load(path, text, label='the "label", y')
    assert dataset.classes == ('x,\n"1"', "z")


def test_a_row_larger_than_a_block_is_read(path: Path) -> None:
    long = "x" * 20_000_000
    dataset = load(path, f"a,y\n1,{long}\n2,{long}\n3,z\n4,z\n")
    assert len(dataset.classes[0]) == 20_000_000  # type: ignore[arg-type]


def test_rows_larger_than_a_small_block_are_read_as_numbers(path: Path) -> None:
    zeros = "0" * 600_000
    dataset = load(path, f"a,b,y\n1.5,{zeros},u\n2.5,1,u\n3.5,2,v\n4.5,{zeros}7,v\n")
    assert dataset.X.tolist() == [[1.5, 0], [2.5, 1], [3.5, 2], [4.5, 7]]


def test_a_wide_table_of_many_blocks_is_read_exactly(path: Path) -> None:
    rows, width = 1_500, 400
    numbers = np.random.default_rng(1).normal(size=(rows, width))
    cells = [[repr(number) for number in row] for row in numbers.tolist()]
    cells[700][3] = ""
    lines = [",".join([*row, str(number % 2)]) for number, row in enumerate(cells)]
    names = [f"x{number}" for number in range(width)]
    dataset = load(path, "\n".join([",".join([*names, "y"]), *lines]))
    assert (np.delete(numbers, 700, axis=0) == dataset.X).all()
    assert dataset.missing_by_column == {"x3": 1}
    assert 701 not in dataset.row_numbers


@pytest.mark.parametrize("text", ["a", '"a"', '"a ""1"""', '"a\nb"'], ids=repr)
def test_a_table_of_many_blocks_is_read_in_order_however_its_header_is_quoted(
    path: Path, text: str
) -> None:
    rows = 60_000
    cells = "".join(f"{row}.25,{'' if row % 7 == 0 else -row},{row % 3}\n" for row in range(rows))
    dataset = load(path, f"{text},b,y\n{cells}")
    kept = np.array([row for row in range(rows) if row % 7])
    assert np.array_equal(dataset.row_numbers, kept + 1)
    assert np.array_equal(dataset.X, np.column_stack([kept + 0.25, -kept]))
    assert np.array_equal(dataset.y, kept % 3)
    assert dataset.missing_by_column == {"b": rows - len(kept)}


@pytest.mark.parametrize("end", ["\n", "\r\n", "\n\n"])
def test_a_table_is_read_exactly_in_portions(
    path: Path, monkeypatch: pytest.MonkeyPatch, end: str
) -> None:
    monkeypatch.setattr(csv_reader, "_BLOCK_SIZES", (2**10, 2**23))
    monkeypatch.setattr(csv_reader, "_BYTES_PER_COLUMN", 2**8)
    monkeypatch.setattr(csv_reader, "_BLOCKS_AT_ONCE", 1)
    expected = np.random.default_rng(0).normal(size=(20_000, 3))
    rows = [",".join([*map(repr, row), "ab"[at % 2]]) for at, row in enumerate(expected.tolist())]
    path.write_text(end.join(["x,y,z,label", *rows]) + 3 * end, newline="")
    dataset = load_dataset(read_source(path), "label")
    assert np.array_equal(dataset.X, expected)
    assert dataset.y.tolist() == ["a", "b"] * 10_000


def test_a_byte_order_mark_is_part_of_a_cell_wherever_the_table_is_divided(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(csv_reader, "usable_cores", lambda: 2)
    monkeypatch.setattr(csv_reader, "_BLOCK_SIZES", (2**10, 2**23))
    monkeypatch.setattr(csv_reader, "_BYTES_PER_COLUMN", 2**8)
    monkeypatch.setattr(csv_reader, "_BLOCKS_AT_ONCE", 1)
    rows = ["1,a\n", "2,b\n"] * 1000
    # Two blocks of rows, and the one that begins in the second one, are a portion.
    first = 2 * 2**10 // len(rows[0]) + 1
    rows[first] = "\ufeff" + rows[first]
    path.write_text("".join(["x,label\n", *rows]), "utf-8", newline="")
    with pytest.raises(RunForgeError) as caught:
        load_dataset(read_source(path), "label")
    assert caught.value.code == ErrorCode.FEATURE_NOT_NUMERIC
    assert caught.value.location.row == first + 1


def test_line_breaks_in_quotes_are_found_in_a_table_of_many_blocks(path: Path) -> None:
    lines = "".join(f'{row},"{"x" * (row % 40)}\n,{row % 2}"\n' for row in range(50_000))
    dataset = load(path, f"a,y\n{lines}")
    assert np.array_equal(dataset.X[:, 0], np.arange(50_000))
    assert len(dataset.classes) == 40


def test_arrow_keeps_the_threads_that_it_had(path: Path) -> None:
    import pyarrow as pa

    before = pa.cpu_count()
    load(path, ROWS)
    assert pa.cpu_count() == before


def test_an_infinite_value_is_named_with_the_row_of_the_file(path: Path) -> None:
    error = refused(path, "a,b,y\n,1,0\n1,2,0\n3,-inf,0\n5,6,1\ninf,8,1\n")
    assert error.code is ErrorCode.FEATURE_NOT_FINITE
    assert (error.location.column, error.location.row) == ("a", 5)
    assert [(item.location.column, item.location.row) for item in error.problems] == [
        ("a", 5),
        ("b", 3),
    ]


def test_compressed_files_and_parquet_are_read_alike(tmp_path: Path) -> None:
    import pyarrow as pa
    from pyarrow import parquet

    expected = load(tmp_path / "data.csv", ROWS)
    packed = load(tmp_path / "data.csv.gz", gzip.compress(ROWS.encode()))
    table = pa.table({"a": [1, 3, 5, 7], "b": [2.0, 4.0, 6.0, 8.0], "y": [0, 0, 1, 1]})
    parquet.write_table(table, tmp_path / "data.parquet")
    columns = load_dataset(read_source(tmp_path / "data.parquet"), "y")
    for dataset in (packed, columns):
        assert np.array_equal(dataset.X, expected.X)
        assert np.array_equal(dataset.y, expected.y)
    assert read_source(tmp_path / "data.csv.gz").sha256 != read_source(tmp_path / "data.csv").sha256


def test_parquet_columns_that_are_no_numbers_are_refused(tmp_path: Path) -> None:
    import pyarrow as pa
    from pyarrow import parquet

    for column in ([[1]] * 4, ["x"] * 4):
        parquet.write_table(pa.table({"a": column, "y": [0, 0, 1, 1]}), tmp_path / "data.parquet")
        with pytest.raises(RunForgeError) as caught:
            load_dataset(read_source(tmp_path / "data.parquet"), "y")
        assert caught.value.code is ErrorCode.FEATURE_NOT_NUMERIC


def test_a_few_cells_that_are_not_numbers_are_named_with_their_rows(tmp_path: Path) -> None:
    def refused(cells: dict[str, dict[int, str]]) -> RunForgeError:
        lines = [
            ",".join([*(wrong.get(row, str(row)) for wrong in cells.values()), str(row % 2)])
            for row in range(1, 101)
        ]
        with pytest.raises(RunForgeError) as caught:
            load(tmp_path / "data.csv", "\n".join([",".join([*cells, "y"]), *lines, ""]))
        assert caught.value.code is ErrorCode.FEATURE_NOT_NUMERIC
        return caught.value

    age = {9: "abt 30", 10: "", 11: "inf"}
    out = "out with --exclude age"
    error = refused({"age": age})
    assert (error.location.row, error.message) == (
        9,
        "The column `age` holds `abt 30`, which is not a number.",
    )
    one = "Correct or empty the cell of row 9: the other 98 values are numbers."
    request = "(dataset.exclude_columns in a request)"
    assert error.hint == f"{one} Or leave the column {out} {request}."
    few = {3: "?", 50: "1,000".replace(",", " ")}
    error = refused({"age": age, "few": few})
    assert [problem.hint for problem in error.problems] == [
        one,
        "Correct or empty the cells of rows 3, 50: the other 98 values are numbers.",
    ]
    assert error.hint == (
        "Correct or empty the few cells of `age`, `few` that are not numbers."
        f" Or leave the columns {out} --exclude few {request}."
    )
    error = refused({"age": age, "text": dict.fromkeys(range(2, 8), "x")})
    assert [problem.hint for problem in error.problems] == [one, None]
    assert error.hint is not None
    assert error.hint.startswith("Correct or empty the few cells of `age` that are not numbers.")
    assert error.hint.endswith("`runforge prepare FILE --label COLUMN` proposes how.")


def test_missing_numbers_of_parquet_drop_their_row(tmp_path: Path) -> None:
    import pyarrow as pa
    from pyarrow import parquet

    column = [1.0, None, float("nan"), 4.0, 5.0, 6.0]
    parquet.write_table(pa.table({"a": column, "y": [0, 0, 1, 1, 1, 0]}), tmp_path / "d.parquet")
    dataset = load_dataset(read_source(tmp_path / "d.parquet"), "y")
    assert dataset.row_numbers.tolist() == [1, 4, 5, 6]


@pytest.mark.parametrize("kind", ["absent", "folder", "below a file", "nul"])
def test_a_dataset_that_is_not_there_is_not_found(tmp_path: Path, kind: str) -> None:
    (tmp_path / "file").touch()
    target = {
        "absent": tmp_path / "absent.csv",
        "folder": tmp_path,
        "below a file": tmp_path / "file/data.csv",
        "nul": tmp_path / "a\x00b",
    }[kind]
    with pytest.raises(RunForgeError) as caught:
        read_source(target)
    assert caught.value.code is ErrorCode.DATASET_NOT_FOUND


def test_a_pipe_is_refused_without_waiting(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(RunForgeError) as caught:
        read_source(tmp_path / "pipe")
    assert caught.value.code is ErrorCode.FILE_UNSAFE


def reference(cell: str) -> float | str | None:
    """Return what a cell means, in the words of the contract."""
    text = cell.strip(" \t\r\n\v\f")
    if text in MISSING:
        return None
    number = re.fullmatch(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?", text, re.ASCII)
    return float(text) if number else "text"


cells = st.one_of(
    st.floats(allow_nan=False, allow_infinity=False).map(repr),
    st.integers(-(10**20), 10**20).map(str),
    st.sampled_from([*MISSING, " NA ", "+1.5", "1.", ".5", "1e5", "-0", "1E-320", " 7", "00012"]),
    st.from_regex(r"[+-]?[0-9]{1,25}\.[0-9]{0,25}(e[+-]?[0-9]{1,3})?", fullmatch=True),
)
odd_cells = st.one_of(cells, st.sampled_from(["inf", "Nan", "0x1", "x", "1_0", "１", "--1", "1e"]))


@settings(
    max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(rows=st.lists(st.tuples(odd_cells, cells), min_size=4, max_size=12))
@example(rows=[("1", "2"), (" ", "2"), ("1", "+2"), ("9007199254740993", "0.1")])
def test_the_fast_route_means_what_the_rule_says(path: Path, rows: list[tuple[str, str]]) -> None:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["a", "b", "y"])
    for index, row in enumerate(rows):
        writer.writerow([*row, "even" if index % 2 else "odd"])
    meant = [[reference(cell) for cell in row] for row in rows]
    kept = [row for row in meant if None not in row]
    try:
        dataset = load(path, text.getvalue())
    except RunForgeError as error:
        labels = [index % 2 for index, row in enumerate(meant) if None not in row]
        if any("text" in row for row in kept):
            assert error.code in (ErrorCode.FEATURE_NOT_NUMERIC, ErrorCode.FEATURE_NOT_FINITE)  # noqa: PT017
        elif any(np.isinf(row).any() for row in kept):
            assert error.code is ErrorCode.FEATURE_NOT_FINITE  # noqa: PT017
        elif error.code is ErrorCode.FEATURE_TOO_LARGE:
            assert np.abs(kept).max() > MAX_FEATURE / (2 * np.sqrt(len(kept)))
        else:
            assert len(labels) < 4 or min(labels.count(0), labels.count(1)) < 2
        return
    assert dataset.X.tobytes() == np.array(kept, dtype=float).tobytes()
