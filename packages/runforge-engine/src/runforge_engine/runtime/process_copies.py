"""Answer tasks in copies of a process, which has loaded once what all of them need.

On Linux only: elsewhere a process cannot be copied, or, as on macOS, not safely once the libraries
of the system have been used.

Source: fork(2), setitimer(2); Python, "multiprocessing", "Contexts and start methods".
"""

from __future__ import annotations

import json
import os
import select
import signal
import sys
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from functools import partial
from typing import Any, NoReturn

#: Whether this system lets a process go on as a copy of another one.
COPIES_PROCESSES = sys.platform == "linux"

#: Seconds between two looks at whether the caller is there, while the libraries are loaded.
_LOOK = 0.5


def write_whole(descriptor: int, content: bytes) -> None:
    """Write all of ``content``, however much a pipe takes at once. Raises ``OSError``."""
    rest = memoryview(content)
    while rest:
        rest = rest[os.write(descriptor, rest) :]


def answer_in_copies(
    load: Callable[[], None], finish: Callable[[dict[str, Any], int], NoReturn], answering: int
) -> NoReturn:
    """Do tasks in copies of this process, until standard input is closed.

    Each line of it is an object with some ``tasks``, and how many of them to do ``at_once``. The
    caller sends no other before it has the answers.

    Parameters
    ----------
    load
        Loads what all tasks need. It starts no thread, which would be lost in the copies.
    finish
        Does a task, writes what it answers to a descriptor, and ends its process.
    answering
        Where the answers go as they come: one line each, an object with the ``number`` of the task
        in its line, from 0, the ``output`` and the ``code`` that the copy ended with.
    """
    if sys.platform == "linux":
        # A signal and no thread, which would be lost in the copy: loading takes seconds.
        signal.signal(signal.SIGALRM, _end_without_the_caller)
        signal.setitimer(signal.ITIMER_REAL, _LOOK, _LOOK)
        load()
        signal.setitimer(signal.ITIMER_REAL, 0)
        while line := sys.stdin.buffer.readline():
            asked, copies = json.loads(line), dict[int, tuple[int, _Copy]]()
            waiting = deque(enumerate(asked["tasks"]))
            while waiting or copies:
                while waiting and len(copies) < asked["at_once"]:
                    number, task = waiting.popleft()
                    copy = _Copy(partial(_lead, finish, task), [answering, *copies])
                    copies[copy.receiving] = number, copy
                ready, _, _ = select.select([0, *copies], [], [])
                if 0 in ready:  # Only the end of the input.
                    for _, copy in copies.values():
                        copy.kill()
                    os._exit(1)
                for descriptor in ready:
                    number, copy = copies[descriptor]
                    if copy.has_ended():
                        del copies[descriptor]
                        reply = {"number": number, **copy.reply()}
                        write_whole(answering, json.dumps(reply).encode() + b"\n")
    os._exit(0)


def reply_of_copy(work: Callable[[int], NoReturn], inherited: Sequence[int]) -> dict[str, Any]:
    """Do something in a copy of this process, which :func:`answer_in_copies` made.

    Parameters
    ----------
    work
        Writes to a descriptor, and ends its process.
    inherited
        Descriptors that the copy must not have.

    Returns
    -------
    dict
        What the copy wrote, ``output``, and the ``code`` that it ended with.
    """
    if sys.platform == "linux":
        copy = _Copy(work, inherited)
        while not copy.has_ended():
            pass
        return copy.reply()
    raise RuntimeError("This system does not copy processes.")


if sys.platform == "linux":

    def _end_without_the_caller(number: int, frame: object) -> None:
        """End this process if nobody can give it a task any more."""
        looking = select.poll()
        looking.register(0, 0)
        if looking.poll(0):
            os._exit(1)

    def _lead(
        finish: Callable[[dict[str, Any], int], NoReturn], task: dict[str, Any], sending: int
    ) -> NoReturn:
        os.setpgid(0, 0)  # All copies that it makes end with it.
        finish(task, sending)

    class _Copy:
        """A copy of this process."""

        def __init__(self, work: Callable[[int], NoReturn], inherited: Iterable[int]) -> None:
            """Start ``work`` with a descriptor to write to, and without the inherited ones."""
            self.receiving, sending = os.pipe()
            self._process = os.fork()
            if self._process == 0:
                # The tasks and the answers of others are out of its reach.
                for descriptor in (self.receiving, *inherited):
                    os.close(descriptor)
                os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
                work(sending)
            os.close(sending)
            self._output = b""

        def kill(self) -> None:
            """End it, and the copies that it has made."""
            os.kill(self._process, signal.SIGKILL)
            with suppress(ProcessLookupError):
                os.killpg(self._process, signal.SIGKILL)

        def has_ended(self) -> bool:
            """Read what it writes, and report whether that was all."""
            piece = os.read(self.receiving, 2**16)
            self._output += piece
            return not piece

        def reply(self) -> dict[str, Any]:
            """Return what it wrote until it ended, and the code that it ended with."""
            os.close(self.receiving)
            code = os.waitstatus_to_exitcode(os.waitpid(self._process, 0)[1])
            return {"output": self._output.decode("utf-8", "replace"), "code": code}
