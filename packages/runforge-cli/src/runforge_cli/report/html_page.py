"""Write a report as one HTML file without scripts or external resources.

Every string is escaped with :func:`_escaped`; every tag and attribute is written here. The content
security policy of the page forbids scripts, frames, forms, network access and other styles.

Source: W3C, "Content Security Policy Level 3"; W3C, "Web Content Accessibility Guidelines 2.2".
"""

from __future__ import annotations

import base64
import hashlib
import html
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

from runforge_contracts.display import printable

from runforge_cli.report.parallel_plots import parallel_svg
from runforge_cli.report.plots import bar_svg, key_svg, plot_svg, small_svg, strip_svg
from runforge_cli.report.report_blocks import (
    Bars,
    Block,
    Cell,
    Commands,
    Facts,
    HeatCell,
    HeatMap,
    Intervals,
    Link,
    Matrix,
    Multiples,
    Name,
    Paragraph,
    Parallel,
    Plot,
    Report,
    Section,
    TableBlock,
    Text,
    mean_text,
    text_of,
)
from runforge_cli.report.styles import CSS, HEAT, heat_of
from runforge_cli.terminal.text_layout import number

#: Classes of the elements around blocks that stand side by side.
_AROUND: dict[type, str] = {Plot: "plots", HeatMap: "maps"}
#: Parts of a name, such as a path or a digest, between which a line may be broken.
_PIECES = re.compile(r"[^\s/_.-]{1,16}[\s/_.-]*|[\s/_.-]+")
#: Number of columns from which the first one stays in sight while a table is scrolled.
_WIDE = 5
#: Maximum number of rows of a table that does not scroll in its own box.
_TALL = 30
#: Maximum number of classes for which the share of each count is shown.
_WITH_SHARES = 6
_DIGEST = base64.b64encode(hashlib.sha256(CSS.encode()).digest()).decode()
_POLICY = f"default-src 'none'; style-src 'sha256-{_DIGEST}'; base-uri 'none'; form-action 'none'"


def html_page(report: Report) -> str:
    """Return a report as an HTML document."""
    return "\n".join(_Page(report).lines()) + "\n"


def sections_html(sections: Sequence[Section], others: Mapping[str, str] = {}) -> tuple[str, str]:
    """Return the contents and the sections of a report, for a page with its own head.

    That page must have the style sheet :data:`~runforge_cli.report.styles.CSS`.

    Parameters
    ----------
    sections
        The sections.
    others
        Titles of sections that the page has after these, by their ids.
    """
    contents, parts = separate_sections_html(sections, others)
    return contents, "\n".join(parts)


def separate_sections_html(
    sections: Sequence[Section], others: Mapping[str, str] = {}
) -> tuple[str, list[str]]:
    """Return the same with each section of its own, for a page that has something between them."""
    page = _Page(Report("", "", sections, ""))
    contents = "\n".join(page.contents(others))
    return contents, ["\n".join(page.section(section, 2)) for section in sections]


class _Page:
    """The state of a page that is being written: numbers of sections and plots, and names taken."""

    def __init__(self, report: Report) -> None:
        self._report = report
        self._sections = 0
        self._plots = 0
        #: The title of the section whose parts are being written, such as a run, and its id.
        self._outer: tuple[str, str] | None = None
        #: The names of the landmarks, which a screen reader lists: none is there twice.
        self._landmarks = set[str]()

    def lines(self) -> Iterator[str]:
        title = _escaped(self._report.title)
        yield "<!DOCTYPE html>"
        yield '<html lang="en">'
        yield "<head>"
        yield '<meta charset="utf-8">'
        yield f'<meta http-equiv="Content-Security-Policy" content="{html.escape(_POLICY)}">'
        yield '<meta name="viewport" content="width=device-width, initial-scale=1">'
        yield '<meta name="referrer" content="no-referrer">'
        yield f"<title>{title}</title>"
        yield f"<style>{CSS}</style>"
        yield "</head>"
        yield '<body class="broad">' if self._report.is_broad else "<body>"
        yield "<header>"
        yield f"<h1>{title}</h1>"
        yield f'<p class="lead">{_text(self._report.lead)}</p>'
        yield "</header>"
        yield from self.contents()
        yield "<main>"
        for section in self._report.sections:
            yield from self.section(section, 2)
        yield "</main>"
        yield f"<footer><p>{_escaped(self._report.footer)}</p></footer>"
        yield "</body>"
        yield "</html>"

    def contents(self, others: Mapping[str, str] = {}) -> Iterator[str]:
        yield '<nav aria-label="Contents">'
        yield "<ul>"
        at = 0
        for section in self._report.sections:
            yield f'<li><a href="#s{at + 1}">{_escaped(section.title)}</a></li>'
            at += 1 + len(section.parts)
        for place, title in others.items():
            yield f'<li><a href="#{_escaped(place)}">{_escaped(title)}</a></li>'
        yield "</ul>"
        yield "</nav>"

    def section(self, section: Section, level: int) -> Iterator[str]:
        self._sections += 1
        identity = f"s{self._sections}"
        heading = f'<h{level} id="{identity}">{_escaped(section.title)}</h{level}>'
        place = f' id="{_escaped(section.key)}"' if section.key else ""
        self._landmark(section.title)
        labels = identity if self._outer is None else f"{self._outer[1]} {identity}"
        if section.folded:
            # A link to what is folded unfolds it; one to the summary would not.
            yield f'<section aria-labelledby="{labels}">'
            yield f"<details><summary>{heading}</summary><div{place}>"
        else:
            yield f'<section{place} aria-labelledby="{labels}">'
            yield heading
        before = self._outer
        if section.parts:
            self._outer = section.title, identity
        yield from self._blocks(section.blocks)
        for part in section.parts:
            yield from self.section(part, level + 1)
        self._outer = before
        if section.folded:
            yield "</div></details>"
        yield "</section>"

    def _landmark(self, name: str) -> str:
        """Return a name for a landmark: with the title around it, and a number if it is taken."""
        whole = name if self._outer is None else f"{self._outer[0]}: {name}"
        found, number = whole, 1
        while found.casefold() in self._landmarks:
            number += 1
            found = f"{whole} ({number})"
        self._landmarks.add(found.casefold())
        return found

    def _blocks(self, blocks: Sequence[Block]) -> Iterator[str]:
        around: str | None = None
        for block in blocks:
            style = _AROUND.get(type(block))
            if style != around:
                if around is not None:
                    yield "</div>"
                if style is not None:
                    yield f'<div class="{style}">'
                around = style
            yield from self._block(block)
        if around is not None:
            yield "</div>"

    def _block(self, block: Block) -> Iterator[str]:
        match block:
            case Paragraph(text, kind):
                style = "" if kind == "plain" else f' class="{_escaped(kind)}"'
                yield f"<p{style}>{_text(text)}</p>"
            case Facts(items):
                yield "<dl>"
                for name, text in items:
                    yield f"<dt>{_escaped(name)}</dt><dd>{_text(text)}</dd>"
                yield "</dl>"
            case TableBlock():
                yield from self._table(block)
            case Bars():
                yield from self._bars(block)
            case Intervals():
                yield from self._intervals(block)
            case HeatMap():
                yield from self._heat_map(block)
            case Matrix():
                yield from self._matrix(block)
            case Plot():
                yield from self._plot(block)
            case Multiples():
                yield from self._multiples(block)
            case Parallel():
                yield from self._parallel(block)
            case Commands(lines):
                shown = "\n".join(map(_escaped, lines))
                yield f'<pre tabindex="0"><code>{shown}</code></pre>'

    def _plot(self, plot: Plot) -> Iterator[str]:
        self._plots += 1
        yield "<figure>"
        yield from _caption(plot)
        yield plot_svg(plot, f"p{self._plots}")
        yield '<ul class="legend">'
        for index, series in enumerate(plot.series):
            if series.pale:
                continue
            remark = f" <span>{_escaped(series.remark)}</span>" if series.remark else ""
            yield f"<li>{key_svg(index, series)}{_text(series.label)}{remark}</li>"
        yield "</ul>"
        yield from self._as_table(plot.table)
        yield "</figure>"

    def _multiples(self, block: Multiples) -> Iterator[str]:
        yield '<figure class="multiples">'
        yield from _caption(block)
        yield '<ul class="smalls">'
        for item in block.items:
            remark = f" <span>{_escaped(item.remark)}</span>" if item.remark else ""
            yield f"<li><div>{_text(item.label)}{remark}</div>{small_svg(block, item)}</li>"
        yield "</ul>"
        yield from self._as_table(block.table)
        yield "</figure>"

    def _parallel(self, block: Parallel) -> Iterator[str]:
        yield '<figure class="multiples">'
        yield from _caption(block)
        # The text must stay as large as that of the page, so a narrow window scrolls the picture.
        label = _escaped(self._landmark(block.title))
        yield f'<div class="scroll" role="region" aria-label="{label}" tabindex="0">'
        yield parallel_svg(block)
        yield "</div>"
        yield '<ul class="legend">'
        for style, text in enumerate(block.legend):
            yield f"<li>{key_svg(style)}{_text(text)}</li>"
        yield "</ul>"
        yield from self._as_table(block.table)
        yield "</figure>"

    def _as_table(self, table: TableBlock) -> Iterator[str]:
        yield "<details>"
        yield "<summary>As a table</summary>"
        yield from self._table(table)
        yield "</details>"

    def _table(self, table: TableBlock) -> Iterator[str]:
        style = "wide" if len(table.header) >= _WIDE else ""
        yield from self._opened(table.caption, style, is_tall=len(table.rows) > _TALL)
        yield "<thead><tr>"
        for index, text in enumerate(table.header):
            # A column of names without a heading, which a screen reader would announce.
            yield (
                f'<th scope="col"{_numeric(index, table)}>{_escaped(text)}</th>'
                if text
                else "<td></td>"
            )
        yield "</tr></thead>"
        yield "<tbody>"
        for first, *rest in table.rows:
            cells = [f'<th scope="row"{_numeric(0, table)}>{_text(text_of(first))}</th>']
            cells += [_cell(cell, numeric=at in table.numeric) for at, cell in enumerate(rest, 1)]
            yield f"<tr>{''.join(cells)}</tr>"
        yield from _closed()

    def _bars(self, bars: Bars) -> Iterator[str]:
        signed = any(value < 0 for _, value in bars.rows)
        greatest = max((abs(value) for _, value in bars.rows), default=0.0)

        def text(value: float) -> str:
            return f"{value:+.4f}".replace("-", "−") if signed else number(value)

        rows = (
            (_text([Name(label)]), text(value), bar_svg(value, greatest, signed=signed))
            for label, value in bars.rows
        )
        yield from self._drawn(bars.caption, bars.header, rows)

    def _intervals(self, block: Intervals) -> Iterator[str]:
        rows = (
            (_text(row.label), _escaped(mean_text(row)), strip_svg(row, block.scale))
            for row in block.rows
        )
        yield from self._drawn(block.caption, block.header, rows)

    def _drawn(
        self, caption: str, header: tuple[str, str], rows: Iterable[tuple[str, str, str]]
    ) -> Iterator[str]:
        """Yield a table whose rows have a name, a number and a drawing, as HTML."""
        name, measure = map(_escaped, header)
        yield from self._opened(caption, "bars")
        yield f'<thead><tr><th scope="col">{name}</th><th scope="col" class="n">{measure}</th>'
        yield "<td></td></tr></thead>"
        yield "<tbody>"
        for label, value, svg in rows:
            yield f'<tr><th scope="row">{label}</th><td class="n">{value}</td><td>{svg}</td></tr>'
        yield from _closed()

    def _heat_map(self, block: HeatMap) -> Iterator[str]:
        rows, columns = map(_escaped, block.names)
        yield from self._opened(block.caption, "heat")
        span = len(block.columns)
        yield f'<thead><tr><td></td><th scope="colgroup" colspan="{span}">{columns}</th></tr>'
        heads = "".join(f'<th scope="col">{_text([Name(label)])}</th>' for label in block.columns)
        yield f'<tr><th scope="col">{rows}</th>{heads}</tr></thead>'
        yield "<tbody>"
        for label, cells in zip(block.rows, block.cells, strict=True):
            shown = "".join(map(_heat_cell, cells))
            yield f'<tr><th scope="row">{_text([Name(label)])}</th>{shown}</tr>'
        yield from _closed()

    def _matrix(self, matrix: Matrix) -> Iterator[str]:
        labels = [_text([Name(label)]) for label in matrix.labels]
        yield from self._opened(
            "Confusion matrix (rows: true class, columns: predicted class)", "matrix"
        )
        heads = "".join(f'<th scope="col">{label}</th>' for label in labels)
        yield f'<thead><tr><th scope="col">true \\ predicted</th>{heads}</tr></thead>'
        yield "<tbody>"
        for true, (label, counts) in enumerate(zip(labels, matrix.counts, strict=True)):
            total = max(sum(counts), 1)
            cells = []
            for predicted, count in enumerate(counts):
                style = heat_of(count, total, is_right=predicted == true)
                share = (
                    f" <small>{count / total:.0%}</small>" if len(labels) <= _WITH_SHARES else ""
                )
                cells.append(f'<td class="{style}">{count:,}{share}</td>')
            yield f'<tr><th scope="row">{label}</th>{"".join(cells)}</tr>'
        yield from _closed()

    def _opened(self, caption: str, style: str = "", *, is_tall: bool = False) -> Iterator[str]:
        shown, label = _escaped(caption), _escaped(self._landmark(caption))
        box = "scroll tall" if is_tall else "scroll"
        # A wide table scrolls separately, also with the keyboard.
        yield f'<div class="{box}" role="region" aria-label="{label}" tabindex="0">'
        yield f'<table class="{style}">' if style else "<table>"
        # The caption stays in sight while the table is scrolled.
        yield f"<caption><span>{shown}</span></caption>"


def _caption(block: Plot | Multiples | Parallel) -> Iterator[str]:
    yield "<figcaption>"
    yield f"<strong>{_escaped(block.title)}</strong>"
    yield f"<p>{_escaped(block.description)}</p>"
    yield "</figcaption>"


def _cell(cell: Text | Cell, *, numeric: bool) -> str:
    style, text = ["n"] if numeric else [], _text(text_of(cell))
    if isinstance(cell, Cell):
        style.append(cell.mark)
        text = f"<strong>{text}</strong>" if cell.mark == "best" else text
    return f'<td class="{" ".join(style)}">{text}</td>' if style else f"<td>{text}</td>"


def _numeric(column: int, table: TableBlock) -> str:
    return ' class="n"' if column in table.numeric else ""


def _heat_cell(cell: HeatCell) -> str:
    if cell.share is None:
        return f"<td>{_escaped(cell.text)}</td>"
    style = f"h{round(HEAT * cell.share)}" + (" best" if cell.is_best else "")
    text = _escaped(cell.text)
    return f'<td class="{style}">{f"<strong>{text}</strong>" if cell.is_best else text}</td>'


def _closed() -> Iterator[str]:
    yield "</tbody>"
    yield "</table>"
    yield "</div>"


def _text(text: Text) -> str:
    """Return prose and names as HTML; names become code elements with isolated text direction."""
    return "".join(map(_part, [text] if isinstance(text, str) else text))


def _part(part: str) -> str:
    if isinstance(part, Name):
        return f"<code>{_breakable(part)}</code>"
    if isinstance(part, Link):
        return f'<a href="#{_escaped(part.key)}">{_escaped(part)}</a>'
    return _escaped(part)


def _breakable(name: str) -> str:
    """Return a name as HTML that may be wrapped after characters such as slashes."""
    return "<wbr>".join(map(html.escape, _PIECES.findall(printable(name))))


def _escaped(text: str) -> str:
    """Return a string that is safe within an element and within a quoted attribute."""
    return html.escape(printable(text))
