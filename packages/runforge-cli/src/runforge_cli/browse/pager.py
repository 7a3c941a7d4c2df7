"""Lines of text on the terminal, as many as there are."""

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

from runforge_cli.render.text_layout import width


class Pager(ScrollView, can_focus=True, inherit_bindings=False):
    """Lines that were laid out and made printable before; titles are bold."""

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
        """The terminal columns that a line may take, whether or not there is a scroll bar."""
        return max(self.outer_size.width - 3, 1)

    def show(self, lines: Sequence[str], *, top: bool) -> None:
        """Show lines; from the first on, or from where they were looked at.

        Parameters
        ----------
        lines
            The lines. Colours may be in them as escape sequences.
        top
            Whether to begin at the first.
        """
        self._lines = lines
        widest = max((width(Text.from_ansi(line).plain) for line in lines), default=0)
        self.virtual_size = Size(widest, len(lines))
        if top:
            self.scroll_to(x=0, y=0, animate=False, force=True)
        self.refresh()

    @property
    def text(self) -> str:
        """All of the lines."""
        return "\n".join(Text.from_ansi(line).plain for line in self._lines)

    def render_line(self, y: int) -> Strip:
        """Return a line of what is seen."""
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
        """Tell whether a line is the first, or stands at the margin above lines that do not."""
        if number == 0:
            return True
        before, line, after = (*self._lines[number - 1 : number + 2], "", "")[:3]
        return not before and line[:1].strip() != "" and after.startswith(" ")
