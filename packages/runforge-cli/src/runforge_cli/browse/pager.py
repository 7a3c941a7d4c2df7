"""A scrollable view of lines of text."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from rich.segment import Segment
from rich.style import Style
from rich.text import Text
from textual.binding import Binding, BindingType
from textual.geometry import Size
from textual.scroll_view import ScrollView
from textual.strip import Strip

from runforge_cli.terminal.text_layout import width


class Pager(ScrollView, can_focus=True, inherit_bindings=False):
    """A view of printable lines that are already laid out; titles are bold."""

    ALLOW_SELECT = False
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "scroll_up", "Up", show=False),
        Binding("down,j", "scroll_down", "Down", show=False),
        Binding("pageup,b", "page_up", "Page up", show=False),
        Binding("pagedown,space", "page_down", "Page down", show=False),
        Binding("home,g", "scroll_home", "Top", show=False),
        Binding("end,G", "scroll_end", "Bottom", show=False),
    ]
    DEFAULT_CSS = """
    Pager { height: 1fr; padding: 0 1; scrollbar-size-vertical: 1; scrollbar-size-horizontal: 1; }
    """

    def __init__(self) -> None:
        super().__init__()
        self._lines: Sequence[str] = ()

    @property
    def room(self) -> int:
        """The available width of a line, with or without a scroll bar."""
        return max(self.outer_size.width - 3, 1)

    def show(self, lines: Sequence[str], *, top: bool) -> None:
        """Show lines, from the first line or from the current scroll position.

        Parameters
        ----------
        lines
            The lines, which may contain colours as escape sequences.
        top
            Whether to start at the first line.
        """
        self._lines = lines
        widest = max((width(Text.from_ansi(line).plain) for line in lines), default=0)
        self.virtual_size = Size(widest, len(lines))
        if top:
            self.scroll_to(x=0, y=0, animate=False, force=True)
        self.refresh()

    @property
    def text(self) -> str:
        """All lines as one string."""
        return "\n".join(Text.from_ansi(line).plain for line in self._lines)

    def render_line(self, y: int) -> Strip:
        """Return a visible line."""
        left, top = self.scroll_offset
        base, room = self.rich_style, self.size.width
        if top + y >= len(self._lines):
            return Strip.blank(room, base)
        line = self._lines[top + y]
        style = base + Style(bold=True) if self._is_title(top + y) else base
        text = Text.from_ansi(line, style=style, no_wrap=True, end="")
        segments = [
            Segment(segment.text, style + (segment.style or Style()))
            for segment in text.render(self.app.console)
            if segment.text
        ]
        return Strip(segments).crop_extend(left, left + room, base)

    def _is_title(self, number: int) -> bool:
        """Return whether a line is the first, or an unindented line above indented ones."""
        if number == 0:
            return True
        before, line, after = (*self._lines[number - 1 : number + 2], "", "")[:3]
        return not before and line[:1].strip() != "" and after.startswith(" ")
