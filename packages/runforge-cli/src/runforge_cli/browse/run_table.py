"""The list of runs: draws the visible lines and requests runs that were not read yet."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

from rich.segment import Segment
from rich.style import Style
from runforge_contracts.display import printable
from runforge_contracts.selection.run_values import RunColumn
from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Region, Size
from textual.message import Message
from textual.reactive import reactive
from textual.scroll_view import ScrollView
from textual.strip import Strip
from textual.widget import Widget

from runforge_cli.browse.filtering import RIGHT, layout_of, numbers_in, shown, widths_of
from runforge_cli.listing.run_list import ListedRun
from runforge_cli.listing.run_rows import METRIC, kind_of
from runforge_cli.listing.run_table_text import TIE
from runforge_cli.render.differences import letters_of
from runforge_cli.terminal.text_layout import fit, pad, width, wrap

_GAP = "  "
#: Width of the mark before a run.
_MARK = 3
_STATUSES = ("succeeded", "failed", "cancelled", "incomplete", "unreadable")


class Heading(Widget):
    """The names of the columns; a click on one sorts by it."""

    DEFAULT_CSS = """
    Heading { height: 1; text-style: bold; color: $text-primary; background: $panel; }
    Heading:ansi { color: ansi_default; text-style: bold underline; }
    """

    class Sorted(Message):
        """A column was clicked."""

        def __init__(self, column: str) -> None:
            super().__init__()
            self.column = column

    def __init__(self) -> None:
        super().__init__()
        self._columns: dict[str, int] = {}
        self._names: dict[str, str] = {}

    def show(
        self,
        columns: dict[str, int],
        metric: str,
        column: str,
        right: Sequence[str],
        *,
        falling: bool,
    ) -> None:
        """Show the names of the columns, and an arrow at the sorted one.

        Parameters
        ----------
        columns
            The columns with their widths.
        metric
            The name of the metric that is shown.
        column
            The column that the list is sorted by.
        right
            The columns that are right-aligned.
        falling
            Whether the greatest value, or the newest run, comes first.
        """
        arrow = "▼" if falling else "▲"
        self._columns = columns
        self._names = {}
        for name, room in columns.items():
            text = printable(metric if name == METRIC else name)
            if name == column:
                space = " " if width(text) + 2 <= room else ""
                text = fit(text, room - 1 - len(space)) + space + arrow
            self._names[name] = pad(fit(text, room), room, right=name in right)
        self.refresh()

    def render_line(self, y: int) -> Strip:
        """Return the line."""
        text = " " * _MARK + _GAP.join(self._names.values())
        return Strip([Segment(text, self.rich_style)]).adjust_cell_length(
            self.size.width, self.rich_style
        )

    def on_click(self, event: events.Click) -> None:
        """Sort by the column under the pointer."""
        at = _MARK
        for name, room in self._columns.items():
            if at <= event.x < at + room + len(_GAP):
                self.post_message(self.Sorted(name))
                return
            at += room + len(_GAP)


class RunList(ScrollView, can_focus=True, inherit_bindings=False):
    """The runs, one per line, with a cursor."""

    ALLOW_SELECT = False
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "open", "Open"),
        Binding("up,k", "move(-1)", "Up", show=False),
        Binding("down,j", "move(1)", "Down", show=False),
        Binding("pageup", "turn(-1)", "Page up", show=False),
        Binding("pagedown", "turn(1)", "Page down", show=False),
        Binding("home,g", "first", "Newest", show=False),
        Binding("end,G", "last", "Oldest", show=False),
    ]
    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "runs--cursor",
        *(f"runs--{status}" for status in _STATUSES),
        "runs--mark",
        "runs--missing",
    }
    DEFAULT_CSS = """
    RunList { height: 1fr; overflow-x: hidden; scrollbar-size-vertical: 1; }
    RunList .runs--cursor { background: $primary; color: $text; text-style: bold; }
    RunList:ansi .runs--cursor { background: ansi_blue; color: ansi_bright_white; }
    RunList:nocolor .runs--cursor { text-style: reverse; }
    RunList .runs--succeeded { color: $text-success; }
    RunList .runs--failed { color: $text-error; }
    RunList .runs--unreadable { color: $text-error; text-style: bold; }
    RunList .runs--cancelled { color: $text-warning; }
    RunList .runs--incomplete { color: $text-warning; }
    RunList:ansi .runs--succeeded { color: ansi_green; }
    RunList:ansi .runs--failed { color: ansi_red; }
    RunList:ansi .runs--unreadable { color: ansi_red; }
    RunList:ansi .runs--cancelled { color: ansi_yellow; }
    RunList:ansi .runs--incomplete { color: ansi_yellow; }
    RunList .runs--mark { text-style: bold; }
    RunList .runs--missing { text-style: dim; }
    """

    #: The position of the cursor.
    cursor = reactive(0, repaint=False)
    #: The message shown if there are no runs.
    absence = reactive("")

    class Opened(Message):
        """The user opens a run."""

    class Wanted(Message):
        """Runs are visible that were not read yet."""

        def __init__(self, count: int) -> None:
            super().__init__()
            self.count = count

    class Laid(Message):
        """The columns have changed."""

    def __init__(self) -> None:
        super().__init__()
        self.runs: Sequence[ListedRun] = ()
        self.marked: list[tuple[str, str, str]] = []
        self.columns: dict[str, int] = {}
        self._total = 0
        self._metric: str | None = None
        self._named = self._mixed = False
        self._ties: frozenset[tuple[str, str, str]] = frozenset()
        self._settings: Mapping[str, RunColumn] = {}
        self._widths: Mapping[str, int] = {}
        #: The columns that are right-aligned.
        self.right: tuple[str, ...] = RIGHT

    @property
    def has_ties(self) -> bool:
        """Whether any run is marked as equal to another one."""
        return bool(self._ties)

    @property
    def current(self) -> ListedRun | None:
        """The run under the cursor."""
        return self.runs[self.cursor] if self.cursor < len(self.runs) else None

    def show(
        self,
        runs: Sequence[ListedRun],
        total: int,
        metric: str | None,
        settings: Mapping[str, RunColumn],
        ties: frozenset[tuple[str, str, str]] = frozenset(),
    ) -> None:
        """Show runs; the cursor stays at its run, or at the top if it was there.

        Parameters
        ----------
        runs
            The runs that were read.
        total
            The number of all runs.
        metric
            The metric that is shown; None for the primary metric of each run.
        settings
            The settings in which the runs differ, by their headings.
        ties
            The runs whose value of the metric is marked, because another one has the same.
        """
        before, offset = self.current, self.cursor - self.scroll_offset.y
        at_top = self.cursor == 0 and self.scroll_offset.y == 0
        self.runs, self._total, self._metric = runs, max(total, len(runs)), metric
        self._ties = ties
        self._named = any(
            run.entry.get("name", run.entry["run_id"]) != run.entry["run_id"]
            or "aliases" in run.entry
            for run in runs[:2000]
        )
        self._mixed = len({kind_of(run.entry) for run in runs[:2000]}) > 1
        self._settings = settings
        self._widths = widths_of(settings, runs[:200])
        self.right = (*RIGHT, *numbers_in(settings, runs[:200]))
        place = 0
        if before is not None and not at_top:
            keys = (index for index, run in enumerate(runs) if run.key == before.key)
            place = next(keys, min(self.cursor, max(len(runs) - 1, 0)))
        self.lay_out()
        self.set_reactive(RunList.cursor, place)
        if self.scroll_offset.y > 0:
            self.scroll_to(y=max(place - offset, 0), animate=False, force=True)
        self.call_after_refresh(self._follow)
        self.refresh()

    def lay_out(self) -> None:
        """Fit the columns to the available width."""
        bar = 1 if self._total > self.outer_size.height else 0
        room = max(self.outer_size.width - bar, 1)
        self.virtual_size = Size(room, self._total)
        self.columns = layout_of(
            room - _MARK,
            self._metric or METRIC,
            self._widths,
            named=self._named,
            mixed=self._mixed,
        )
        self.post_message(self.Laid())

    def on_resize(self) -> None:
        """Lay out the columns again, and keep the cursor visible."""
        self.lay_out()
        self.call_after_refresh(self._follow)
        self.refresh()

    def render_line(self, y: int) -> Strip:
        """Return a visible line."""
        number, room = self.scroll_offset.y + y, self.size.width
        base = self.rich_style
        if number >= self._total:
            lines = wrap(self.absence, max(room - 2 * _MARK, 1)) if self.absence else []
            text = " " * _MARK + lines[y - 1] if 0 < y <= len(lines) else ""
            return Strip([Segment(text, base)]).adjust_cell_length(room, base)
        if number >= len(self.runs):
            self.post_message(self.Wanted(number + self.size.height + 1))
            style = self.get_component_rich_style("runs--missing")
            return Strip([Segment(" " * _MARK + "…", style)]).adjust_cell_length(room, base)
        run = self.runs[number]
        at_cursor = number == self.cursor
        plain = self.get_component_rich_style("runs--cursor") if at_cursor else base
        segments = self._segments(run, plain, at_cursor=at_cursor)
        return Strip(segments).adjust_cell_length(room, plain)

    def _segments(self, run: ListedRun, plain: Style, *, at_cursor: bool) -> list[Segment]:
        mark = ""
        if run.key in self.marked:
            mark = letters_of(len(self.marked))[self.marked.index(run.key)]
        bold = self.get_component_rich_style("runs--mark", partial=True)
        segments = [Segment(pad(mark[:_MARK], _MARK), plain + bold)]
        cells = shown(run, self._metric, self._settings)
        if self._ties:
            cells[METRIC] += f" {TIE}" if run.key in self._ties else "  "
        for number, (column, room) in enumerate(self.columns.items()):
            text = pad(fit(printable(cells[column]), room), room, right=column in self.right)
            style = plain
            if column == "status" and run.status in _STATUSES and not at_cursor:
                style = plain + self.get_component_rich_style(f"runs--{run.status}", partial=True)
            segments.append(Segment((_GAP if number else "") + text, style))
        return segments

    def watch_cursor(self, before: int, after: int) -> None:
        """Redraw the lines that the cursor has left and entered."""
        for number in (before, after):
            self.refresh_lines(number - self.scroll_offset.y, 1)
        self._follow()

    def _follow(self) -> None:
        if self.runs:
            region = Region(0, self.cursor, 1, 1)
            self.scroll_to_region(region, animate=False, force=True, x_axis=False)

    def _go(self, place: int) -> None:
        if place >= len(self.runs) and self._total > len(self.runs):
            self.post_message(self.Wanted(min(place, self._total - 1) + 1))
        self.cursor = max(0, min(place, len(self.runs) - 1))

    def action_move(self, lines: int) -> None:
        """Move the cursor by some lines."""
        self._go(self.cursor + lines)

    def action_turn(self, pages: int) -> None:
        """Move the cursor by some pages."""
        self._go(self.cursor + pages * max(self.size.height - 1, 1))

    def action_first(self) -> None:
        """Go to the first run."""
        self._go(0)

    def action_last(self) -> None:
        """Go to the last run that was read."""
        self._go(self._total - 1)

    def action_open(self) -> None:
        """Open the run under the cursor."""
        if self.current is not None:
            self.post_message(self.Opened())

    def on_click(self, event: events.Click) -> None:
        """Select the run under the pointer; open it on a double click."""
        number = self.scroll_offset.y + event.y
        if number < len(self.runs):
            self.cursor = number
            if event.chain == 2:
                self.action_open()
