"""An interrupt that is obeyed where it can be: between two looks at what a client does.

Python raises ``KeyboardInterrupt`` between any two instructions of the main thread. In a finalizer
or in the callback of a weak reference it is printed and dropped; between the start of a process and
the line that remembers the process it leaves the client behind; and where the signal comes just
before a wait begins, the wait goes on to its end. So while clients run, a signal only sets a flag,
and code that waits looks at the flag again and again.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

#: How often a wait is left to look whether there was a signal, in seconds.
LOOK = 0.2


class Interrupt:
    """Whether a signal has asked for the end."""

    def __init__(self) -> None:
        self._asked = False

    def check(self) -> None:
        """Raise ``KeyboardInterrupt`` if the end was asked for; from any thread."""
        if self._asked:
            raise KeyboardInterrupt

    @contextmanager
    def awaited(self) -> Iterator[None]:
        """Let the signals that raise ``KeyboardInterrupt`` set the flag meanwhile.

        A second signal raises at once. Only the main thread can change what signals do; elsewhere,
        and where another handler is set, nothing is changed.
        """
        numbers = list[signal.Signals]()
        try:
            if threading.current_thread() is threading.main_thread():
                for number in (signal.SIGINT, signal.SIGTERM):
                    if signal.getsignal(number) is signal.default_int_handler:
                        numbers.append(number)
                        signal.signal(number, self._on_signal)
            yield
            self.check()
        finally:
            for number in numbers:
                signal.signal(number, signal.default_int_handler)

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        self.check()
        self._asked = True
