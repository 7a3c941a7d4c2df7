"""Raw tables from Excel workbooks: their cells as CSV has them, and files that are refused."""

from __future__ import annotations

import sys
import zipfile
from pathlib import Path

import pytest
from runforge_contracts.errors import ErrorCode, RunForgeError
from runforge_engine.data.workbook_reader import sheet_csv
from runforge_engine.preparation.prepared_table import open_raw, prepare_table
from runforge_engine.preparation.recipe_proposal import propose_recipe
from runforge_engine.preparation.recipe_rules import check_recipe
from workbooks import DAY, DURATION, MOMENT, Cell, sheet_xml, workbook, workbook_of

pytestmark = pytest.mark.needs(package="python_calamine")

#: 2026-01-01 is day 46023.
ROWS = [
    ["number", "day", "moment", "duration", "text, as it is", "bool"],
    [
        1,
        Cell(46023, style=DAY),
        Cell(46023.5, style=MOMENT),
        Cell(1.5, style=DURATION),
        'a "b"',
        "",
    ],
    [0.1, "", Cell(46024, style=MOMENT), "", " x\ny", Cell(1, kind="b")],
    ["", "", "", "", "", ""],
    [2**60, Cell("#DIV/0!", kind="e"), "", "", "ü", Cell(0, kind="b")],
]
CSV = """\
number,day,moment,duration,"text, as it is",bool
1,2026-01-01,2026-01-01 12:00:00,129600,"a ""b\""",
0.1,,2026-01-02 00:00:00,," x
y",True
1.152921504606847e+18,,,,ü,False
"""


@pytest.fixture
def book(tmp_path: Path) -> Path:
    path = tmp_path / "book.xlsx"
    path.write_bytes(workbook({"Notes": [["a title"]], "Data": ROWS}))
    return path


def csv_of(path: Path, sheet: str) -> str:
    return sheet_csv(open_raw(path, {"sheet": sheet})).decode()


def refused(path: Path, sheet: str = "Data") -> RunForgeError:
    with pytest.raises(RunForgeError) as caught:
        csv_of(path, sheet)
    return caught.value


def test_the_cells_are_those_of_a_csv_file(book: Path) -> None:
    assert csv_of(book, "Data") == CSV


def test_a_sheet_gives_the_table_of_its_csv(tmp_path: Path, book: Path) -> None:
    rows = [["town", "size", "y"], ["Rome", 1, "a"], ["Oslo", 2.5, "b"], ["Rome", "", "b"]]
    book.write_bytes(workbook({"Data": rows}))
    plain = tmp_path / "plain.csv"
    plain.write_text("town,size,y\nRome,1,a\nOslo,2.5,b\nRome,,b\n", encoding="utf-8")
    made = []
    for path, source in ((book, {"sheet": "Data"}), (plain, {})):
        raw = open_raw(path, source)
        recipe, columns = propose_recipe(raw, "y", source, created_by="test@1")
        check_recipe(recipe)
        again = prepare_table(open_raw(path, recipe.get("source", {})), recipe)
        table = b"".join(prepare_table(raw, recipe, columns).pieces())
        assert b"".join(again.pieces()) == table
        made.append((recipe["columns"], table))
    assert made[0] == made[1]


def test_a_sheet_must_exist_and_have_cells(book: Path) -> None:
    error = refused(book, "data")
    assert error.code is ErrorCode.DATASET_NOT_FOUND
    assert error.hint == "Its sheets: `Notes`, `Data`."
    book.write_bytes(workbook({"Data": []}))
    with pytest.raises(RunForgeError) as caught:
        propose_recipe(open_raw(book, {"sheet": "Data"}), "y", {}, created_by="test@1")
    assert caught.value.code is ErrorCode.DATASET_EMPTY


@pytest.mark.parametrize("content", [b"a,y\n1,0\n", b"PAR1" + bytes(20), b"\xd0\xcf\x11\xe0", b""])
def test_other_files_have_no_sheets(book: Path, content: bytes) -> None:
    book.write_bytes(content)
    assert refused(book).code is ErrorCode.DATASET_FORMAT_UNSUPPORTED


def test_damaged_workbooks_are_refused(book: Path) -> None:
    whole = book.read_bytes()
    for size in (2, 30, len(whole) // 2, len(whole) - 1):
        book.write_bytes(whole[:size])
        assert refused(book).code is ErrorCode.DATASET_MALFORMED
    book.write_bytes(workbook_of({"Data": "<worksheet><sheetData><row"}))
    assert refused(book).code is ErrorCode.DATASET_MALFORMED
    with zipfile.ZipFile(book, "w") as archive:
        archive.writestr("note.txt", "no workbook")
    assert refused(book).code is ErrorCode.DATASET_MALFORMED


@pytest.mark.parametrize("last", ["XFD1048576", "A1048576", "XFD3000"])
def test_cells_far_apart_do_not_take_all_memory(book: Path, last: str) -> None:
    rows = f"<row><c r='A1'><v>1</v></c></row><row><c s='0' r = '{last}'><v>2</v></c></row>"
    book.write_bytes(workbook_of({"Data": sheet_xml(rows)}))
    if last == "A1048576":
        assert csv_of(book, "Data") == "1\n2\n"
        return
    error = refused(book)
    assert error.code is ErrorCode.DATASET_FORMAT_UNSUPPORTED
    assert "33,554,432 cells" in error.message


@pytest.mark.parametrize(
    "rows",
    [
        "<row><c r='a1'/></row><row><c r='xfd1048576'><v>2</v></c></row>",
        "<row><c r='A1'/></row><row><c r='XFD00001048576'><v>2</v></c></row>",
        "<row><c r='A1'/></row><row r='9'><c r='ZZZZZ9'><v>2</v></c></row>",
        f"<row>{'<c><v>1</v></c>' * 16384}</row><row r='1048576'><c><v>2</v></c></row>",
        f"<row>{'<c><v>1</v></c>' * 16384}</row><row><c r='A1048576'><v>2</v></c></row>",
        "<row><c r='XFC1'/><c><v>1</v></c></row><row r='1048576'><c><v>2</v></c></row>",
        "<row><c r='A1' t='str'><v>></v></c></row><row r='1048576'><c r='XFD1' x='>'/></row>",
    ],
)
def test_places_in_any_form_do_not_take_all_memory(book: Path, rows: str) -> None:
    book.write_bytes(workbook_of({"Data": sheet_xml(rows)}))
    assert refused(book).code is ErrorCode.DATASET_FORMAT_UNSUPPORTED


@pytest.mark.parametrize(
    "sheet",
    [
        # The end of a sheet that only a tolerant reader reaches.
        "<worksheet><sheetData></x><row r='1048576'><c r='XFD1048576'/></row></sheetData>",
        "<!DOCTYPE worksheet [<!ATTLIST c r CDATA 'A1'>]><worksheet><sheetData/></worksheet>",
        sheet_xml("<row><c r='A1B2'><v>2</v></c></row>"),
        sheet_xml("<row r='-1'><c><v>2</v></c></row>"),
    ],
)
def test_a_sheet_whose_cells_cannot_be_counted_is_refused(book: Path, sheet: str) -> None:
    book.write_bytes(workbook_of({"Data": sheet}))
    assert refused(book).code is ErrorCode.DATASET_MALFORMED


def test_rows_and_cells_without_places_are_read(book: Path) -> None:
    rows = "<row><c><v>1</v></c><c><v>2</v></c></row><row><c><v>3</v></c></row>"
    book.write_bytes(workbook_of({"Data": sheet_xml(rows)}))
    assert csv_of(book, "Data") == "1,2\n3,\n"


@pytest.mark.parametrize("name", ["xl/workbook.bin", "content.xml", "XL\\workbook.bin"])
def test_workbooks_of_other_formats_are_refused(book: Path, name: str) -> None:
    with zipfile.ZipFile(book, "a") as archive:
        archive.writestr(name, "")
    assert refused(book).code is ErrorCode.DATASET_FORMAT_UNSUPPORTED


def test_a_workbook_that_decompresses_too_far_is_refused(
    book: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("runforge_engine.data.workbook_reader._MAX_BYTES", 2**20)
    book.write_bytes(workbook_of({"Data": sheet_xml(" " * 2**21)}))
    assert refused(book).code is ErrorCode.DATASET_FORMAT_UNSUPPORTED


def test_without_the_extra_the_error_says_how_to_install_it(
    book: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "python_calamine", None)
    error = refused(book)
    assert error.code is ErrorCode.EXTRA_MISSING
    assert error.hint is not None
    assert "python-calamine" in error.hint


def test_a_recipe_has_no_marks_of_text_for_a_sheet() -> None:
    recipe = {
        "source": {"sheet": "Data", "decimal_mark": ","},
        "label": "y",
        "columns": [{"column": "a", "action": "keep"}],
    }
    with pytest.raises(RunForgeError, match="A sheet has no delimiter") as caught:
        check_recipe(recipe)
    assert caught.value.location.pointer == "/source/sheet"
