"""Write the output of user code to its log while it is shown.

Memory use is limited to a few pieces, however much is printed; where the log or the terminal is
slow, user code waits for it as it would without RunForge.

Source: specification, section 17.11.
"""

from __future__ import annotations

import contextlib
import os
import queue
import threading
import time
from collections.abc import Callable
from io import FileIO

#: Number of bytes read at once, and maximum number of such pieces that wait to be shown.
_PIECE = 2**16
_WAITING = 16
#: Size of the end of the output that is kept, in bytes.
_TAIL = 4096
#: Time for which a pipe without writers of the run is still read, in seconds.
_IDLE = 0.2
_PAUSE = 0.02

Show = Callable[[bytes], object]


class Tee:
    """Copy the output of a pipe to a log and an observer.

    Parameters
    ----------
    source
        The read end of the pipe; it is closed when done.
    log
        The file that all of it is written to.
    show
        Called with each piece, in a separate thread; an ``OSError`` ends only the display.
    """

    def __init__(self, source: int, log: FileIO, show: Show | None) -> None:
        self._source = source
        self._log = log
        self._show = show
        self._pieces: queue.Queue[bytes] = queue.Queue(_WAITING)
        self._pieces_end = threading.Event()
        self._seen = threading.Event()
        self._tail = b""
        self._closed = False
        self._turn = threading.Lock()
        self._listening = False
        self._hurried = False
        #: Why the log cannot be written, if it cannot.
        self.failure: OSError | None = None
        if show is None:
            self._seen.set()
        self._threads = [
            threading.Thread(target=target, name="runforge-output", daemon=True)
            for target in (self._copy, self._present)
        ]
        for thread in self._threads:
            thread.start()

    def hurry(self) -> None:
        """Stop waiting for the reader of the output, because the run is ending."""
        self._hurried = True

    def finish(self, in_a_hurry: Callable[[], bool]) -> bytes:
        """Read the rest of the pipe, stop writing, and return the end of the output.

        Called when user code has ended. A process that it started may still hold the pipe
        open; it is not waited for.

        Parameters
        ----------
        in_a_hurry
            Returns whether to stop waiting for the reader of the output.
        """
        copying, presenting = self._threads
        quiet_since = time.monotonic()
        while copying.is_alive() and time.monotonic() - quiet_since < _IDLE:
            copying.join(_PAUSE)
            self._hurried = self._hurried or in_a_hurry()
            if not self._listening:
                quiet_since = time.monotonic()
        with self._turn:
            self._closed = True
        self._pieces_end.set()
        deadline = time.monotonic() + _IDLE
        while presenting.is_alive() and not self._seen.is_set():
            presenting.join(_PAUSE)
            self._hurried = self._hurried or in_a_hurry()
            if self._hurried and time.monotonic() > deadline:
                self._seen.set()
        return self._tail

    def _copy(self) -> None:
        while piece := self._next():
            with self._turn:
                if self._closed:
                    return
                try:
                    self._write(piece)
                except OSError as error:
                    self.failure = error
                    return
            self._offer(piece)

    def _next(self) -> bytes:
        self._listening = True
        try:
            return os.read(self._source, _PIECE)
        except OSError:
            return b""
        finally:
            self._listening = False

    def _write(self, piece: bytes) -> None:
        self._tail = (self._tail + piece[-_TAIL:])[-_TAIL:]
        rest = memoryview(piece)
        while rest:
            rest = rest[self._log.write(rest) :]

    def _offer(self, piece: bytes) -> None:
        while not self._seen.is_set():
            with contextlib.suppress(queue.Full):
                self._pieces.put(piece, timeout=_PAUSE)
                return
            if self._hurried:
                self._seen.set()

    def _present(self) -> None:
        while not self._seen.is_set():
            try:
                piece = self._pieces.get(timeout=_PAUSE)
            except queue.Empty:
                if self._pieces_end.is_set():
                    return
                continue
            try:
                assert self._show is not None  # noqa: S101 - only called if there is an observer
                self._show(piece)
            except (OSError, ValueError):
                self._seen.set()
