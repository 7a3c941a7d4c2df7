"""Tell the pages that are open which runs begin and end, as server-sent events.

One watch looks at the store while at least one page listens, however many there are.

Source: WHATWG, "HTML Living Standard", section "Server-sent events".
"""

from __future__ import annotations

import asyncio
import json
import threading
from typing import TYPE_CHECKING, Any

from runforge_cli.serve.store_watch import StoreWatch
from starlette.responses import Response, StreamingResponse

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from runforge_cli.shell.settings import Settings
    from starlette.requests import Request

#: Seconds between two looks at the store, and between two signs of life.
_INTERVAL, _SIGN = 1.0, 15.0
#: Most pages that listen at once, and most events that wait for one; a page reads the present state
#: after any event, so that none is lost with those that are dropped.
MOST_LISTENERS, _WAITING = 100, 20


class EventSource:
    """The events of a workspace, for the pages that listen.

    Parameters
    ----------
    settings
        Where the runs are.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._lock = threading.Lock()
        self._watch: StoreWatch | None = None
        self._listeners = set[asyncio.Queue[bytes | None]]()
        self._loop: asyncio.AbstractEventLoop | None = None

    @property
    def is_full(self) -> bool:
        """Whether no further page can listen."""
        return len(self._listeners) >= MOST_LISTENERS

    async def listen(self) -> AsyncIterator[bytes]:
        """Yield events until the page or the server goes away."""
        queue = asyncio.Queue[bytes | None](_WAITING)
        self._loop = asyncio.get_running_loop()
        self._listeners.add(queue)
        try:
            await asyncio.to_thread(self._begin)
            yield b"retry: 2000\n: connected\n\n"
            while True:
                try:
                    event = await asyncio.wait_for(queue.get(), _SIGN)
                except TimeoutError:
                    event = b": still here\n\n"
                if event is None:
                    return
                yield event
        finally:
            self._listeners.discard(queue)
            if not self._listeners:
                threading.Thread(target=self._end, daemon=True).start()

    def close(self) -> None:
        """Send every page away, because the server ends."""
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._spread, None)

    def _begin(self) -> None:
        with self._lock:
            if self._watch is None:
                watch = StoreWatch(self._settings, self._notify, _INTERVAL)
                watch.start()
                self._watch = watch

    def _end(self) -> None:
        with self._lock:
            if self._watch is not None and not self._listeners:
                self._watch.stop()
                self._watch = None

    def _notify(self, method: str, params: dict[str, Any]) -> None:
        """Take a notification of the watch, in its thread."""
        run = params.get("run", {}).get("run_id")
        self.tell(method, {"run": run} if isinstance(run, str) else {})

    def tell(self, name: str, data: dict[str, str]) -> None:
        """Send an event to every page that listens; called by any thread."""
        event = f"event: {name}\ndata: {json.dumps(data)}\n\n".encode()
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._spread, event)

    def _spread(self, event: bytes | None) -> None:
        for queue in self._listeners:
            if queue.full():
                queue.get_nowait()
            queue.put_nowait(event)


async def events(request: Request) -> Response:
    """Answer with events until the page goes away."""
    source: EventSource = request.app.state.events
    if request.method == "HEAD":
        return Response(media_type="text/event-stream")
    if source.is_full:
        return StreamingResponse(iter(()), 503, headers={"retry-after": "60"})
    return StreamingResponse(source.listen(), media_type="text/event-stream")
