"""The process of ``runforge ui``: it listens on this machine alone and ends with its terminal."""

from __future__ import annotations

import logging
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import webbrowser
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import uvicorn
from runforge_cli.terminal.output import print_errors, write_json, write_lines
from runforge_contracts.errors import ErrorCode, RunForgeError
from runforge_contracts.index.kept_index import keep_indexes
from runforge_contracts.system.system_processes import apart
from runforge_engine.runtime.interpreter import own_command, own_environment
from uvicorn.protocols.http.h11_impl import H11Protocol

from runforge_web.web_access import MAX_ADDRESS, MAX_HEADERS, WebAccess
from runforge_web.web_application import make_application

if TYPE_CHECKING:
    import asyncio

    from runforge_cli.shell.settings import Settings
    from uvicorn.protocols.http.h11_impl import RequestResponseCycle

#: Seconds that the head of a request may take, and that an idle connection is kept.
_HEAD, _IDLE = 10.0, 5
#: Most connections at once; further ones are answered with 503. Of those that have not shown the
#: cookie yet, the oldest is closed where there are more than so many.
_CONNECTIONS, _STRANGERS = 250, 100
#: Seconds between two looks at whether the parent process is there, and to end in.
_LOOK, _LAST = 0.5, 2.0


class _PromptProtocol(H11Protocol):
    """Closes a connection on which a request does not arrive, or an answer is not taken.

    Another process of this machine can open connections, too; they must not take the place of those
    of the user's browser.
    """

    #: Who has the cookie, and the connections that have not shown it, the oldest first.
    access: WebAccess
    strangers: dict[_PromptProtocol, None]

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self.strangers[self] = None
        if len(self.strangers) > _STRANGERS:
            oldest = next(iter(self.strangers))
            del self.strangers[oldest]
            oldest.transport.abort()
        self._answered: RequestResponseCycle | None = None
        self._was_closing = False
        self._waiting = self.loop.call_later(_HEAD, self._look)

    def connection_lost(self, exc: Exception | None) -> None:
        self._waiting.cancel()
        self.strangers.pop(self, None)
        super().connection_lost(exc)

    def handle_events(self) -> None:
        super().handle_events()
        if self in self.strangers and self.headers:
            found = {
                name.decode("latin-1"): value.decode("latin-1") for name, value in self.headers
            }
            if self.access.has_session(found):
                del self.strangers[self]

    def _look(self) -> None:
        if self._was_closing:  # It waits for the reader to take what was written before.
            self.transport.abort()
            return
        # None before the first request, whatever the annotation says.
        last = cast("RequestResponseCycle | None", self.cycle)
        if (last is None or last.response_complete) and last is self._answered:
            self.transport.close()
        self._answered, self._was_closing = last, self.transport.is_closing()
        self._waiting = self.loop.call_later(_HEAD, self._look)


def serve_pages(settings: Settings, *, port: int, opens: bool, trains: bool = False) -> int:
    """Serve the pages until the terminal, a signal or the parent process ends it.

    Parameters
    ----------
    settings
        The global options of the command.
    port
        The port; 0 for one that is free.
    opens
        Whether to open the address in the default browser.
    trains
        Whether the pages can train.

    Raises
    ------
    RunForgeError
        ``USAGE_INVALID`` if the port is taken.
    """
    # Before the address is known: from then on the parent may end.
    parent = os.getppid()
    listening = _listen(port)
    is_quiet, settings.quiet = settings.quiet, True  # notes are for a terminal
    keep_indexes()
    access = WebAccess(listening.getsockname()[1])
    app, source, jobs = make_application(settings, access, trains=trains)
    config = uvicorn.Config(
        app,
        http=type("Protocol", (_PromptProtocol,), {"access": access, "strangers": {}}),
        loop="asyncio",
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=_IDLE,
        timeout_graceful_shutdown=1,
        limit_concurrency=_CONNECTIONS,
        # Twice what is allowed: a head that is somewhat too long still gets its answer, in however
        # many pieces it arrives.
        h11_max_incomplete_event_size=2 * (MAX_ADDRESS + MAX_HEADERS),
    )
    logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL)
    server = uvicorn.Server(config)
    thread = threading.Thread(
        target=server.run, kwargs={"sockets": [listening]}, name="runforge-web", daemon=True
    )
    ended = _on_signals()
    thread.start()
    _announce(access.address, json=settings.json, quiet=is_quiet)
    with tempfile.TemporaryDirectory(prefix="runforge-ui-") as folder:
        if opens:
            _open(access.address, Path(folder))
        while thread.is_alive() and not ended.wait(_LOOK) and os.getppid() == parent:
            pass
    server.should_exit = True
    if jobs is not None:
        jobs.close()
    source.close()
    thread.join(_LAST)
    return 0


def _listen(port: int) -> socket.socket:
    found = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    if os.name != "nt":  # There, another program could take the port that is in use.
        found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        found.bind(("127.0.0.1", port))
        found.listen(128)
    except OSError as error:
        found.close()
        reason = (error.strerror or str(error)).lower()
        raise RunForgeError(
            ErrorCode.USAGE_INVALID,
            f"The port {port} cannot be used: {reason}.",
            hint="Choose another `--port`, or leave it out to take a free one.",
        ) from None
    return found


def _on_signals() -> threading.Event:
    """Return an event that is set by the signals that end a process."""
    ended = threading.Event()
    for name in ("SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK"):
        number = getattr(signal, name, None)
        # Those that the parent process set to be ignored, as `nohup` does, stay ignored.
        if number is not None and signal.getsignal(number) != signal.SIG_IGN:
            signal.signal(number, lambda *_: ended.set())
    return ended


def _announce(address: str, *, json: bool, quiet: bool) -> None:
    if json:
        write_json({"address": address})
    else:
        write_lines([f"RunForge UI: {address}"])
        if not quiet:
            print_errors(["Press Ctrl-C to stop."])
    sys.stdout.flush()


def _open(address: str, folder: Path) -> None:
    """Open the address in a graphical browser, if there is one.

    The browser is given a file: its command line, which other users can see, must not have the
    token.
    """
    from runforge_cli.browse.report_opener import needs_the_terminal

    try:
        if needs_the_terminal():
            return
    except webbrowser.Error:
        return
    target = folder / "open.html"
    link = escape(address)
    target.write_text(
        f'<!DOCTYPE html><meta charset="utf-8"><meta http-equiv="refresh" content="0; url={link}">'
        f'<title>RunForge</title><a href="{link}">RunForge</a>\n',
        "utf-8",
    )
    options: dict[str, Any] = {
        "env": own_environment(os.environ, Path.cwd()),
        "stdin": subprocess.DEVNULL,
        "stdout": subprocess.DEVNULL,
        "stderr": subprocess.DEVNULL,
        **apart(),
    }
    # Some browsers stay the parent of their windows, so their end is not waited for here.
    command = own_command("webbrowser", target.as_uri())
    waiting = threading.Thread(
        target=lambda: subprocess.run(command, check=False, **options), daemon=True
    )
    waiting.start()
