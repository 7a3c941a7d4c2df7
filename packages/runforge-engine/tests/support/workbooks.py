"""Excel workbooks, written part by part: what a spreadsheet program writes, and what none does."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping, Sequence
from xml.sax.saxutils import escape, quoteattr

_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_RELATIONS = "http://schemas.openxmlformats.org/package/2006/relationships"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_TYPES = "http://schemas.openxmlformats.org/package/2006/content-types"
#: Formats of cells, as attributes ``s`` name them: none, a day, a day and time, a duration.
DAY, MOMENT, DURATION = 1, 2, 3


class Cell:
    """A cell of a type or format of its own."""

    def __init__(self, value: object, *, style: int = 0, kind: str = "n") -> None:
        self.value, self.style, self.kind = value, style, kind

    def xml(self, reference: str) -> str:
        """Return the element of the cell."""
        attributes = f'r="{reference}" s="{self.style}" t="{self.kind}"'
        return f"<c {attributes}><v>{escape(str(self.value))}</v></c>"


def workbook(sheets: Mapping[str, Sequence[Sequence[object]]]) -> bytes:
    """Return a workbook; an empty string is a cell that is not there."""
    written = {name: _sheet(rows) for name, rows in sheets.items()}
    return workbook_of(written)


def workbook_of(sheets: Mapping[str, str]) -> bytes:
    """Return a workbook of sheets that are written as XML."""
    entries, relations = [], []
    for number, name in enumerate(sheets, start=1):
        entries.append(f'<sheet name={quoteattr(name)} sheetId="{number}" r:id="s{number}"/>')
        relations.append(
            f'<Relationship Id="s{number}" Type="{_OFFICE}/worksheet"'
            f' Target="worksheets/sheet{number}.xml"/>'
        )
    styles = "".join(f'<xf numFmtId="{number}"/>' for number in (0, 14, 164, 165))
    parts = {
        "[Content_Types].xml": f'<Types xmlns="{_TYPES}"/>',
        "_rels/.rels": (
            f'<Relationships xmlns="{_RELATIONS}"><Relationship Id="book"'
            f' Type="{_OFFICE}/officeDocument" Target="xl/workbook.xml"/></Relationships>'
        ),
        "xl/_rels/workbook.xml.rels": (
            f'<Relationships xmlns="{_RELATIONS}">{"".join(relations)}<Relationship Id="styles"'
            f' Type="{_OFFICE}/styles" Target="styles.xml"/></Relationships>'
        ),
        "xl/styles.xml": (
            f'<styleSheet xmlns="{_MAIN}"><numFmts count="2">'
            '<numFmt numFmtId="164" formatCode="yyyy-mm-dd hh:mm"/>'
            '<numFmt numFmtId="165" formatCode="[h]:mm:ss"/></numFmts>'
            f"<cellXfs>{styles}</cellXfs></styleSheet>"
        ),
        "xl/workbook.xml": (
            f'<workbook xmlns="{_MAIN}" xmlns:r="{_OFFICE}">'
            f"<sheets>{''.join(entries)}</sheets></workbook>"
        ),
    }
    for number, sheet in enumerate(sheets.values(), start=1):
        parts[f"xl/worksheets/sheet{number}.xml"] = sheet
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(zipfile.ZipInfo(name, (2026, 1, 1, 0, 0, 0)), content)
    return out.getvalue()


def sheet_xml(rows: str) -> str:
    """Return a sheet with these rows."""
    return f'<worksheet xmlns="{_MAIN}"><sheetData>{rows}</sheetData></worksheet>'


def _sheet(rows: Sequence[Sequence[object]]) -> str:
    lines = []
    for number, row in enumerate(rows, start=1):
        cells = (
            _cell(value, f"{chr(ord('A') + column)}{number}")
            for column, value in enumerate(row)
            if value != ""
        )
        lines.append(f'<row r="{number}">{"".join(cells)}</row>')
    return sheet_xml("".join(lines))


def _cell(value: object, reference: str) -> str:
    if isinstance(value, Cell):
        return value.xml(reference)
    if isinstance(value, str):
        text = f'<is><t xml:space="preserve">{escape(value)}</t></is>'
        return f'<c r="{reference}" t="inlineStr">{text}</c>'
    return f'<c r="{reference}"><v>{value}</v></c>'
