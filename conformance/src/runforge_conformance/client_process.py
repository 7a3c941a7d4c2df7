"""A client's harness as a process: messages out, answers in, within a time limit.

Start the harness without a shell and in the caller's folder, so that ``python my_harness.py`` is
run as written, and in a separate process group. Threads read its output, so that a client that
hangs, floods or crashes never blocks the runner.

Source: ``docs/guides/conformance.md``.
"""

from __future__ import annotations

import contextlib
import json
import os
import queue
import signal
import subprocess
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import IO, Any, Literal

from runforge_contracts.codec.strict_json import parse_json
from runforge_contracts.errors import RunForgeError
from runforge_contracts.system.system_processes import GroupProcess

from runforge_conformance.interrupts import LOOK, Interrupt

#: Longest message that a client may write, in bytes.
MAX_MESSAGE = 8 * 2**20
#: Most bytes of a client's standard error that are kept.
STDERR_TAIL = 16 * 2**10
#: Messages that may wait to be read; after that a client that floods blocks on its pipe.
_WAITING = 64
#: How long a client may take to exit after ``stop``, in seconds.
_GRACE = 3.0

Failure = Literal["crashed", "timed-out", "protocol-error"]


class ClientError(Exception):
    """The client did not answer as the protocol requires."""

    def __init__(self, outcome: Failure, message: str) -> None:
        super().__init__(message)
        self.outcome = outcome
        self.message = message
        #: The client that failed, if it was started.
        self.client: ClientProcess | None = None


class ClientProcess:
    """A running harness; ``interrupt`` ends the wait for its answers.

    Parameters
    ----------
    command
        What starts it.
    interrupt
        Flag that ends the wait for its answers.
    environment
        Variables that it gets besides those of this process.
    """

    def __init__(
        self,
        command: Sequence[str],
        interrupt: Interrupt,
        environment: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        self._interrupt = interrupt
        try:
            self._process = GroupProcess(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                bufsize=0,
                env={**os.environ, **environment},
            )
        except OSError as error:
            reason = (error.strerror or str(error)).lower()
            raise ClientError("crashed", f"`{command[0]}` cannot be started: {reason}.") from error
        self._lines: queue.Queue[bytes] = queue.Queue(maxsize=_WAITING)
        self._stderr: deque[bytes] = deque()
        self._stopping = threading.Event()
        self._threads = [
            threading.Thread(target=self._read_answers, daemon=True),
            threading.Thread(target=self._read_stderr, daemon=True),
        ]
        for thread in self._threads:
            thread.start()

    def ask(
        self,
        message: dict[str, Any],
        timeout: float,
        meanwhile: Callable[[], None] = lambda: None,
    ) -> Any:
        """Send a message and return the answer, parsed.

        Parameters
        ----------
        message
            What to send.
        timeout
            How many seconds to wait for the answer.
        meanwhile
            What to do while the client works.

        Raises
        ------
        ClientError
            ``crashed``, ``timed-out`` or ``protocol-error``; the client must then be stopped.
        KeyboardInterrupt
            If a signal has requested the end of the run.
        """
        if not self._lines.empty() and self._lines.queue[0]:
            raise ClientError("protocol-error", "The client wrote a line that nobody asked for.")
        self.tell(message)
        meanwhile()
        line = self._next_line(timeout)
        if not line:
            raise ClientError("crashed", self._ending())
        if not line.endswith(b"\n"):
            what = "is longer than a message may be" if len(line) > MAX_MESSAGE else "has no end"
            raise ClientError("protocol-error", f"The answer {what}: {_shown(line)}")
        try:
            return parse_json(line)
        except RunForgeError as error:
            raise ClientError(
                "protocol-error", f"The answer is not JSON ({error.message}): {_shown(line)}"
            ) from None

    def _next_line(self, timeout: float) -> bytes:
        """Return the next line of the client's output, or the empty line at its end."""
        end = time.monotonic() + timeout
        while True:
            self._interrupt.check()
            left = end - time.monotonic()
            try:
                return self._lines.get(timeout=max(min(left, LOOK), 0))
            except queue.Empty:
                if left <= LOOK:
                    message = f"There was no answer in {timeout:g} s."
                    raise ClientError("timed-out", message) from None

    def tell(self, message: dict[str, Any]) -> None:
        """Send a message that has no answer; raise ``ClientError`` if the client has exited."""
        assert self._process.stdin is not None  # noqa: S101
        # ASCII only: line readers in some languages also end a line at U+2028 or U+0085.
        data = memoryview(json.dumps(message).encode("ascii") + b"\n")
        try:
            while data:
                data = data[self._process.stdin.write(data) :]
        except OSError:
            raise ClientError("crashed", self._ending()) from None

    def end(self) -> None:
        """Ask the client to stop, then kill it if it does not."""
        with contextlib.suppress(ClientError):
            self.tell({"cmd": "stop"})
        assert self._process.stdin is not None  # noqa: S101
        with contextlib.suppress(OSError):
            self._process.stdin.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(_GRACE)
        self.kill()

    def kill(self) -> None:
        """Kill the client and every process that it started."""
        self._stopping.set()
        self._process.kill_all()
        self._process.kill()
        self._process.wait()
        for thread in self._threads:
            thread.join(_GRACE)
        for pipe in (self._process.stdin, self._process.stdout, self._process.stderr):
            if pipe is not None:
                with contextlib.suppress(OSError):
                    pipe.close()

    @property
    def can_be_interrupted(self) -> bool:
        """Whether the system has a Ctrl+C that only the client and what it started get."""
        return self._process.gets_signals

    def interrupt_all(self) -> None:
        """Interrupt the client and every process that it started, as Ctrl+C does."""
        self._process.ask(signal.SIGINT)

    @property
    def is_alive(self) -> bool:
        """Whether the client or a process that it started still runs."""
        # The client itself is no longer counted once it has been waited for.
        if self._process.poll() is None:
            return True
        return self._process.is_any_alive()

    @property
    def stderr(self) -> str:
        """The last part of what the client wrote to standard error."""
        return b"".join(self._stderr).decode("utf-8", "replace")[-STDERR_TAIL:]

    def _ending(self) -> str:
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(_GRACE)
        code = self._process.poll()
        if code is None:
            return "The client closed its output."
        if code < 0:
            return f"The client was ended by signal {-code}."
        return f"The client ended with status {code}."

    def _read_answers(self) -> None:
        assert self._process.stdout is not None  # noqa: S101
        pipe = _LineReader(self._process.stdout)
        while True:
            line = pipe.read()
            while not self._stopping.is_set():
                with contextlib.suppress(queue.Full):
                    self._lines.put(line, timeout=0.1)
                    break
            if not line or self._stopping.is_set():
                return

    def _read_stderr(self) -> None:
        assert self._process.stderr is not None  # noqa: S101
        kept = 0
        while chunk := _read(self._process.stderr, STDERR_TAIL):
            self._stderr.append(chunk)
            kept += len(chunk)
            while kept - len(self._stderr[0]) >= STDERR_TAIL:
                kept -= len(self._stderr.popleft())


class _LineReader:
    """Lines of bounded length from an unbuffered pipe; the empty line marks the end."""

    def __init__(self, pipe: IO[bytes]) -> None:
        self._pipe = pipe
        self._rest = bytearray()

    def read(self) -> bytes:
        searched = 0
        while True:
            end = self._rest.find(b"\n", searched)
            if end >= 0 or len(self._rest) > MAX_MESSAGE:
                cut = end + 1 if end >= 0 else MAX_MESSAGE + 1
                line = bytes(self._rest[:cut])
                del self._rest[:cut]
                return line
            searched = len(self._rest)
            chunk = _read(self._pipe, 2**16)
            if not chunk:
                line = bytes(self._rest)
                self._rest.clear()
                return line
            self._rest += chunk


def _read(pipe: IO[bytes], size: int) -> bytes:
    try:
        return pipe.read(size)
    except (OSError, ValueError):  # closed while being read
        return b""


def _shown(line: bytes) -> str:
    return ascii(line[:120].decode("utf-8", "replace"))
