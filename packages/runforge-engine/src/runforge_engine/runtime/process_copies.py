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
from collections.abc import Callable
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
    """Do each task that comes on standard input in a copy of this process, until that is closed.

    Parameters
    ----------
    load
        Loads what all tasks need. It starts no thread, which would be lost in the copies.
    finish
        Does a task, writes what it answers to a descriptor, and ends its process.
    answering
        Where the answers go: one line each, an object with the ``output`` and the ``code`` that
        the copy ended with.
    """
    if sys.platform == "linux":
        # A signal and no thread, which would be lost in the copy: loading takes seconds.
        signal.signal(signal.SIGALRM, _end_without_the_caller)
        signal.setitimer(signal.ITIMER_REAL, _LOOK, _LOOK)
        load()
        signal.setitimer(signal.ITIMER_REAL, 0)
        while line := sys.stdin.buffer.readline():
            receiving, sending = os.pipe()
            copy = os.fork()
            if copy == 0:
                os.close(answering)
                os.close(receiving)
                # The tasks and the answers of others are out of its reach.
                os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
                finish(json.loads(line), sending)
            os.close(sending)
            output = _output_of(copy, receiving)
            code = os.waitstatus_to_exitcode(os.waitpid(copy, 0)[1])
            reply = {"output": output.decode("utf-8", "replace"), "code": code}
            write_whole(answering, json.dumps(reply).encode() + b"\n")
    os._exit(0)


if sys.platform == "linux":

    def _end_without_the_caller(number: int, frame: object) -> None:
        """End this process if nobody can give it a task any more."""
        looking = select.poll()
        looking.register(0, 0)
        if looking.poll(0):
            os._exit(1)

    def _output_of(copy: int, receiving: int) -> bytes:
        """Return what a copy of this process writes until it ends; end with the caller."""
        output = b""
        while True:
            ready, _, _ = select.select([receiving, 0], [], [])
            if receiving not in ready:
                # Only the end of the input: the caller sends no task before it has an answer.
                os.kill(copy, signal.SIGKILL)
                os._exit(1)
            piece = os.read(receiving, 2**16)
            if not piece:
                os.close(receiving)
                return output
            output += piece
