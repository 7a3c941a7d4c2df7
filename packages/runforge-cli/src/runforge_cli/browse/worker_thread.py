"""Run slow work in threads, so that the event loop of the browser stays responsive."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar, cast

from textual.dom import DOMNode

Value = TypeVar("Value")


async def elsewhere(work: Callable[[], Value]) -> Value:
    """Return the result of ``work``, run in a thread that does not delay the exit."""
    loop = asyncio.get_running_loop()
    future: asyncio.Future[Value] = loop.create_future()

    def settle(value: Value | None, problem: BaseException | None) -> None:
        if future.done():
            return  # the caller was cancelled
        if problem is None:
            future.set_result(value)  # type: ignore[arg-type]
        else:
            future.set_exception(problem)

    def run() -> None:
        value, problem = None, None
        try:
            value = work()
        except BaseException as raised:  # noqa: BLE001 - it is raised again in the loop
            problem = raised
        with contextlib.suppress(RuntimeError):  # the loop is closed at exit
            loop.call_soon_threadsafe(settle, value, problem)

    threading.Thread(target=run, name="runforge-browse", daemon=True).start()
    return await future


def begin(node: DOMNode, work: Callable[[], Coroutine[Any, Any, None]], *, group: str) -> None:
    """Start work for a widget, cancelling earlier work of the same group."""
    # Pass the function, because Python warns about a coroutine that is replaced before it starts.
    node.run_worker(cast("Any", work), group=group, exclusive=True)
