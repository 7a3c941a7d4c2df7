"""A terminal of its own for a command, and what stands on it."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType

import pyte


class Terminal:
    """The ``runforge`` command on a pseudo-terminal."""

    def __init__(
        self,
        arguments: tuple[str, ...],
        folder: Path,
        *,
        columns: int = 80,
        lines: int = 24,
        environment: Mapping[str, str] = {},
        errors: int | None = None,
    ) -> None:
        self.screen = pyte.Screen(columns, lines)
        self.written = bytearray()
        self._stream = pyte.ByteStream(self.screen)
        self._outer, self.inner = pty.openpty()
        self._size(columns, lines)
        #: How the terminal was set before.
        self.settings = termios.tcgetattr(self.inner)
        inherited = {
            name: value
            for name, value in os.environ.items()
            if name not in ("COLUMNS", "LINES", "NO_COLOR") and not name.startswith("RUNFORGE")
        }
        # The session's leader takes the terminal, so that keys become signals as they do for users.
        program = (
            "import fcntl, runpy, sys, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0);"
            "sys.argv[0] = 'runforge'; runpy.run_module('runforge_cli', run_name='__main__')"
        )
        self.process = subprocess.Popen(
            [sys.executable, "-c", program, *arguments],
            stdin=self.inner,
            stdout=self.inner,
            stderr=self.inner if errors is None else errors,
            cwd=folder,
            env={**inherited, "TERM": "xterm-256color", "COLORTERM": "truecolor", **environment},
            start_new_session=True,
        )

    def __enter__(self) -> Terminal:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self.process.kill()
        self.process.wait()
        os.close(self._outer)
        os.close(self.inner)

    def _size(self, columns: int, lines: int) -> None:
        fcntl.ioctl(self.inner, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))

    @property
    def text(self) -> str:
        """What stands on the terminal."""
        return "\n".join(line.rstrip() for line in self.screen.display)

    def send(self, keys: str) -> None:
        """Press keys."""
        os.write(self._outer, keys.encode())

    def resize(self, columns: int, lines: int) -> None:
        """Make the terminal larger or smaller, as its user does."""
        self._size(columns, lines)
        self.screen.resize(lines, columns)
        os.killpg(self.process.pid, signal.SIGWINCH)

    def read(self, seconds: float) -> None:
        """Draw what is written, for as long as more follows."""
        while select.select([self._outer], [], [], seconds)[0]:
            data = os.read(self._outer, 65536)
            self.written += data
            self._stream.feed(data)

    def until(self, holds: Callable[[], object], seconds: float = 60) -> None:
        """Wait until something stands on the terminal."""
        end = time.monotonic() + seconds
        while not holds():
            if time.monotonic() > end:
                raise AssertionError(self.text)
            self.read(0.05)

    def leave(self, keys: str = "") -> int:
        """Press keys that end the command, and return its exit code."""
        self.send(keys)
        self.until(lambda: self.process.poll() is not None)
        self.read(0.05)
        return self.process.returncode
