"""What every request passes before a page is made, and every answer on its way out.

The gate checks access, bounds the size and the time of requests, and adds the headers that forbid a
browser everything that our pages do not need.

Source: W3C, "Content Security Policy Level 3".
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import HTMLResponse, PlainTextResponse

from runforge_web.web_access import WebAccess

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

#: Largest body of a request, in bytes, and how long it and each part of an answer may take.
MAX_BODY = 8 * 2**20
#: Largest bodies of all requests that are read at once, in bytes.
_MOST_HELD = 4 * MAX_BODY
PATIENCE = 20.0

_POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self';"
    " form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)
_HEADERS = {
    "content-security-policy": _POLICY,
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    # Not `no-referrer`, with which a browser sends `Origin: null` along with a form.
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
    "cache-control": "no-store",
}
#: A redirect would still count as the navigation of the site that the address was followed from,
#: and the cookie would not be sent; a page of ours starts a navigation of its own.
_WELCOME = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><meta http-equiv="refresh" content="0; url=/">
<link rel="icon" href="/static/icon.svg" type="image/svg+xml">
<title>RunForge</title></head><body><p><a href="/">Show the runs</a></p></body></html>
"""
_STRANGER = (
    "This page needs the address that `runforge ui` printed in its terminal, with its token.\n"
    "Open that address again; it is valid until the command ends.\n"
)


class _BodyError(Exception):
    """The body of a request is too large, or does not arrive."""


class WebGate:
    """The outermost ASGI application.

    Parameters
    ----------
    app
        Makes the pages.
    access
        Who may see them.
    """

    def __init__(self, app: ASGIApp, access: WebAccess) -> None:
        self._app, self._access = app, access
        #: Bytes of the bodies that are kept now.
        self._held = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["type"] != "http":
            return
        headers, query = Headers(scope=scope), scope.get("query_string", b"")
        target = scope.get("raw_path", b"").decode("latin-1") + query.decode("latin-1")
        refusal = self._access.refusal(scope["method"], target, headers)

        async def answer(message: Message) -> None:
            if message["type"] == "http.response.start":
                found = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    found.setdefault(name, value)
            # A reader that takes nothing more must not keep its answer for ever.
            await asyncio.wait_for(send(message), PATIENCE)

        if refusal is not None:
            response = PlainTextResponse(f"{refusal.reason}\n", refusal.status)
            await response(scope, receive, answer)
        elif self._access.brings_token(scope["path"], query):
            welcome = HTMLResponse(_WELCOME, headers={"set-cookie": self._access.cookie})
            await welcome(scope, receive, answer)
        elif not self._access.has_session(headers):
            await PlainTextResponse(_STRANGER, 401)(scope, receive, answer)
        else:
            await self._admitted(scope, receive, answer, headers)

    async def _admitted(self, scope: Scope, receive: Receive, send: Send, headers: Headers) -> None:
        if scope["method"] != "POST":
            await self._app(scope, receive, send)
            return
        parts = list[bytes]()
        try:
            try:
                await asyncio.wait_for(self._read_body(receive, headers, parts), PATIENCE)
            except (_BodyError, TimeoutError):
                text = (
                    f"A request may have {MAX_BODY:,} bytes, and {PATIENCE:g} seconds to arrive;"
                    f" all together may have {_MOST_HELD:,} bytes.\n"
                )
                # What has not been read would be taken for the next request.
                response = PlainTextResponse(text, 413, headers={"connection": "close"})
                await response(scope, receive, send)
            else:
                await self._replayed(scope, receive, send, b"".join(parts))
        finally:
            self._held -= sum(map(len, parts))

    async def _read_body(self, receive: Receive, headers: Headers, parts: list[bytes]) -> None:
        """Read the body of a request, which is bounded, into ``parts``."""
        length = headers.get("content-length", "0")
        if not length.isdecimal() or len(length) > 12 or int(length) > MAX_BODY:
            raise _BodyError
        size, more = 0, True
        while more:
            message = await receive()
            if message["type"] != "http.request":
                raise _BodyError  # the client has gone away
            parts.append(message.get("body", b""))
            size += len(parts[-1])
            self._held += len(parts[-1])
            more = message.get("more_body", False)
            if size > MAX_BODY or self._held > _MOST_HELD:
                raise _BodyError

    async def _replayed(self, scope: Scope, receive: Receive, send: Send, body: bytes) -> None:
        """Let a page answer a request whose body was read."""
        given = False

        async def replay() -> Message:
            nonlocal given
            if given:
                return await receive()
            given = True
            return {"type": "http.request", "body": body, "more_body": False}

        await self._app(scope, replay, send)
