"""A message above the last lines of a screen, where it covers nothing."""

from __future__ import annotations

from typing import ClassVar

from runforge_contracts.display import printable
from textual.timer import Timer
from textual.widgets import Static

#: Seconds for which a message is shown.
_SECONDS = 10.0


class Notice(Static):
    """The last message, for some seconds; a path in it has a line of its own to be copied from."""

    DEFAULT_CSS = """
    Notice { display: none; height: auto; max-height: 4; padding: 0 1; }
    Notice.-shown { display: block; }
    Notice.-warning { color: $text-warning; }
    Notice.-warning:ansi { color: ansi_yellow; }
    Notice.-error { color: $text-error; }
    Notice.-error:ansi { color: ansi_red; }
    """
    _SEVERITIES: ClassVar[tuple[str, ...]] = ("warning", "error")

    def __init__(self) -> None:
        super().__init__(markup=False, id="notice")
        self._timer: Timer | None = None

    def say(self, message: str, severity: str) -> None:
        """Show a message instead of the last one."""
        self.update("\n".join(map(printable, message.split("\n"))))
        for name in self._SEVERITIES:
            self.set_class(name == severity, f"-{name}")
        self.add_class("-shown")
        if self._timer is not None:
            self._timer.stop()
        self._timer = self.set_timer(_SECONDS, self._hide)

    def _hide(self) -> None:
        self.remove_class("-shown")
