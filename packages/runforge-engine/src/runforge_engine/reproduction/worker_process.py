"""Start the process that trains again, receive its messages, and stop it."""

from __future__ import annotations

import json
import os
import queue
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any

from runforge_contracts.errors import ErrorCode, RunForgeError
from runforge_contracts.system.system_processes import apart, signal_name

from runforge_engine.pipeline.observer import Observer
from runforge_engine.runtime.cancellation import Cancellation
from runforge_engine.runtime.interpreter import own_command, own_environment

#: How often the waiting process checks for cancellation, in seconds.
_POLL = 0.05
#: Maximum length of the error output shown for a process that died, in bytes.
_LAST_WORDS = 2000


class WorkerDiedError(Exception):
    """The process exited without an answer; the message gives the reason."""


def train_in_new_process(
    task: dict[str, Any],
    variables: Mapping[str, str],
    folder: Path,
    observer: Observer,
    cancellation: Cancellation,
) -> dict[str, Any]:
    """Run :mod:`runforge_engine.reproduction.worker` and return its answer.

    Parameters
    ----------
    task
        The task of the process.
    variables
        The environment variables of the process.
    folder
        The working directory of the process; no module is imported from it.
    observer
        Called with the events of the training.
    cancellation
        Stops the process, and then this call.

    Raises
    ------
    WorkerDiedError
        If the process exits without an answer.
    RunForgeError
        ``CANCELLED``, or ``INTERNAL`` if no process can be started.
    """
    if not sys.executable:
        raise RunForgeError(ErrorCode.INTERNAL, "The interpreter does not know its own program.")
    command = own_command("runforge_engine.reproduction.worker")
    with tempfile.TemporaryFile() as errors:
        process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            cwd=folder,
            env=own_environment(variables, folder),
            # A Ctrl-C on the terminal is handled by the waiting process only.
            **apart(),
        )
        assert process.stdin is not None  # noqa: S101 - both are pipes
        assert process.stdout is not None  # noqa: S101
        try:
            process.stdin.write(json.dumps(task).encode() + b"\n")
            process.stdin.flush()
            answer = _listen(process.stdout, observer, cancellation)
        except BrokenPipeError:
            answer = None
        finally:
            process.kill()
            code = process.wait()
            process.stdout.close()
            _close(process.stdin)
        if answer is None:
            raise WorkerDiedError(_cause(code, errors))
        return answer


def _listen(
    stream: IO[bytes], observer: Observer, cancellation: Cancellation
) -> dict[str, Any] | None:
    """Forward events until the answer arrives; return None if the stream ends without one."""
    lines: queue.SimpleQueue[bytes] = queue.SimpleQueue()

    def read() -> None:
        for line in stream:
            lines.put(line)
        lines.put(b"")

    reader = threading.Thread(target=read, name="runforge-reproduce", daemon=True)
    reader.start()
    while True:
        cancellation.check()
        try:
            line = lines.get(timeout=_POLL)
        except queue.Empty:
            continue
        message: dict[str, Any] = json.loads(line) if line else {"answer": None}
        if "answer" in message:
            answer: dict[str, Any] | None = message["answer"]
            return answer
        observer.on_event(message["event"])


def _close(stream: IO[bytes]) -> None:
    try:
        stream.close()
    except BrokenPipeError:
        return


def _cause(code: int, errors: IO[bytes]) -> str:
    errors.seek(0, os.SEEK_END)
    errors.seek(max(errors.tell() - _LAST_WORDS, 0))
    lines = errors.read().decode("utf-8", "replace").split("\n")
    last = next((line.strip() for line in reversed(lines) if line.strip()), "")
    if name := signal_name(code):
        return f"it was ended by {name}"
    return f"it ended with code {code}" + (f": {last}" if last else "")
