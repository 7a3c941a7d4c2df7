"""Interrupts that are handled at safe points, while the suite waits for a client.

Python raises ``KeyboardInterrupt`` between any two instructions of the main thread. In a finalizer
or in the callback of a weak reference it is printed and dropped; between the start of a process and
the line that stores the process it leaves the client running; and where the signal arrives just
before a wait begins, the wait continues until it times out. So while clients run, a signal only
sets a flag, and code that waits checks the flag repeatedly.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

#: How often a wait is interrupted to check for a signal, in seconds.
LOOK = 0.2


class Interrupt:
    """A flag that a signal sets to request the end of the run."""

    def __init__(self) -> None:
        self._asked = False

    def check(self) -> None:
        """Raise ``KeyboardInterrupt`` if a signal was received; callable from any thread."""
        if self._asked:
            raise KeyboardInterrupt

    @contextmanager
    def awaited(self) -> Iterator[None]:
        """Set the flag on signals that would raise ``KeyboardInterrupt``, within the context.

        A second signal raises at once. Only the main thread can change signal handlers; in other
        threads, and where another handler is set, change nothing.
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
