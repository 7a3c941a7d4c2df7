"""Work that takes a while, beside the loop that draws and listens."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar, cast

from textual.dom import DOMNode

Value = TypeVar("Value")


async def elsewhere(work: Callable[[], Value]) -> Value:
    """Return what ``work`` returns, from a thread that nobody waits for when the program ends."""
    loop = asyncio.get_running_loop()
    future: asyncio.Future[Value] = loop.create_future()

    def settle(value: Value | None, problem: BaseException | None) -> None:
        if future.done():
            return  # nobody asks any more
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
        with contextlib.suppress(RuntimeError):  # the loop is closed: the program ends
            loop.call_soon_threadsafe(settle, value, problem)

    threading.Thread(target=run, name="runforge-browse", daemon=True).start()
    return await future


def begin(node: DOMNode, work: Callable[[], Coroutine[Any, Any, None]], *, group: str) -> None:
    """Begin some work of a widget; of each group only what was begun last goes on."""
    # As a function: a coroutine that is never begun, because other work replaces it, is complained
    # about.
    node.run_worker(cast("Any", work), group=group, exclusive=True)
