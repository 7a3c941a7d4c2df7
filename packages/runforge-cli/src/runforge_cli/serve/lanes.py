"""Threads that answer requests: a lane for quick ones, which no long one delays."""

from __future__ import annotations

import contextvars
import queue
import threading
from collections.abc import Callable

from runforge_cli.serve.call import Call


class Lane:
    """Some threads that take calls in the order in which they came.

    Parameters
    ----------
    name
        The name of the threads.
    threads
        How many calls are answered at the same time.
    execute
        Answers a call; raises nothing.
    """

    def __init__(self, name: str, threads: int, execute: Callable[[Call], None]) -> None:
        self._name, self._most, self._execute = name, threads, execute
        self._waiting: queue.SimpleQueue[Call] = queue.SimpleQueue()
        self._threads: list[threading.Thread] = []
        self._free = threading.Semaphore(0)

    def submit(self, call: Call) -> None:
        """Answer a call as soon as a thread is free; called by one thread only."""
        if not self._free.acquire(blocking=False) and len(self._threads) < self._most:
            # Daemons: a method that does not end must not keep the process.
            thread = threading.Thread(target=self._run, name=self._name, daemon=True)
            self._threads.append(thread)
            thread.start()
        self._waiting.put(call)

    def _run(self) -> None:
        while True:
            call = self._waiting.get()
            if not call.answered:
                # Its own context: what one request changes there is not seen by another.
                contextvars.copy_context().run(self._execute, call)
            self._free.release()
