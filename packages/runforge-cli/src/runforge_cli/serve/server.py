"""The server: reads messages, starts what they ask for, and ends everything with its client."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import IO, Any

from runforge_contracts.errors import RunForgeError

from runforge_cli._generated.methods import MESSAGES
from runforge_cli.serve.call import Call
from runforge_cli.serve.framing import FramingError, MessageWriter, read_message
from runforge_cli.serve.message_schemas import check_params
from runforge_cli.serve.open_calls import OpenCalls
from runforge_cli.serve.reading_methods import LONG, QUICK
from runforge_cli.serve.rpc import (
    RequestId,
    RpcCode,
    RpcProblem,
    failure,
    notification,
    parse_message,
    usage_problem,
)
from runforge_cli.serve.serve_session import Session
from runforge_cli.serve.training_methods import TRAINING
from runforge_cli.shell.settings import Settings

#: How long what was answered last may take to reach the client, in seconds.
_LAST_WORDS = 0.5

#: Methods of the session itself; those of a thread's own are quick enough for the one that reads.
_SESSION = frozenset({"initialize", "shutdown"})
_QUICK_SESSION = frozenset({"watch", "unwatch", "warm"})
#: Every method.
METHODS = frozenset({*_SESSION, *_QUICK_SESSION, *TRAINING, "sweep", *QUICK, *LONG})

log = logging.getLogger(__name__)


class Server:
    """A session with one client.

    Parameters
    ----------
    settings
        The global options of the command; `initialize` may change workspace and store.
    reader, writer
        The streams to the client.
    """

    def __init__(self, settings: Settings, reader: IO[bytes], writer: IO[bytes]) -> None:
        self._reader, self._writer = reader, MessageWriter(writer)
        self._session = Session(settings, self._notify)
        own: dict[str, Callable[[Call], None]] = {
            "initialize": self._initialize,
            "shutdown": self._end_session,
            "warm": self._warm,
            "watch": lambda call: call.answer(self._session.watch(call.params)),
            "unwatch": self._unwatch,
        }
        self._calls = OpenCalls(self._session, own, _QUICK_SESSION)
        self._shut_down = False

    def serve(self) -> int:
        """Answer messages until the client says `exit` or goes away; return the exit code."""
        try:
            while (data := read_message(self._reader)) is not None:
                if self._receive(data) == "exit":
                    break
        except FramingError as broken:
            problem = usage_problem(
                RpcCode.PARSE_ERROR, str(broken), hint="The session ends, because the rest is lost."
            )
            self._fail(problem)
        except KeyboardInterrupt:
            log.info("interrupted")
        finally:
            self._end()
        return 0 if self._shut_down else 1

    def _receive(self, data: bytes) -> str | None:
        """Handle one message; return the notification, if it was one."""
        try:
            raw = parse_message(data)
            method, request_id = raw["method"], raw.get("id")
            log.info("received %r (id %r)", method, request_id)
            if request_id is None:
                return self._on_notification(method, raw.get("params", {}))
            self._on_request(request_id, method, raw.get("params", {}))
        except RpcProblem as problem:
            self._fail(problem)
        return None

    def _on_notification(self, method: str, params: dict[str, Any]) -> str | None:
        message = MESSAGES.get(method)
        if message is None or message.request or message.of_server:
            log.info("ignored the notification %r", method)
            return None
        try:
            check_params(method, params)
        except RunForgeError as error:
            raise RpcProblem(RpcCode.INVALID_PARAMS, error) from None
        if method == "$/cancelRequest":
            self._calls.cancel(params["id"])
        return method

    def _on_request(self, request_id: RequestId, method: str, params: dict[str, Any]) -> None:
        message = MESSAGES.get(method)
        if message is None or not message.request:
            raise usage_problem(
                RpcCode.METHOD_NOT_FOUND,
                "There is no such method.",
                hint="`initialize` returns the names of all methods.",
                request_id=request_id,
            )
        try:
            check_params(method, params)
        except RunForgeError as error:
            raise RpcProblem(RpcCode.INVALID_PARAMS, error, request_id) from None
        self._check_state(method, request_id)
        self._calls.begin(Call(request_id, method, params, self._send, self._calls.closed))

    def _check_state(self, method: str, request_id: RequestId) -> None:
        if self._shut_down:
            raise usage_problem(
                RpcCode.INVALID_REQUEST, "The session has ended.", request_id=request_id
            )
        if (method == "initialize") == self._session.initialized:
            raise usage_problem(
                RpcCode.INVALID_REQUEST if self._session.initialized else RpcCode.NOT_INITIALIZED,
                "The session has begun already."
                if self._session.initialized
                else "The session has not begun.",
                hint=None if self._session.initialized else "Call `initialize` first.",
                request_id=request_id,
            )

    def _initialize(self, call: Call) -> None:
        call.answer(self._session.begin(call.params))
        if call.params.get("warm"):
            self._session.warm()

    def _end_session(self, call: Call) -> None:
        self._shut_down = True
        self._calls.cancel_all(but=call)
        call.answer(None)

    def _warm(self, call: Call) -> None:
        self._session.warm()
        call.answer(None)

    def _unwatch(self, call: Call) -> None:
        self._session.unwatch()
        call.answer(None)

    def _send(self, message: dict[str, Any], dispensable: bool) -> None:
        self._writer.write(message, dispensable=dispensable)

    def _notify(self, method: str, params: dict[str, Any]) -> None:
        self._send(notification(method, params), True)

    def _fail(self, problem: RpcProblem) -> None:
        self._send(failure(problem.request_id, problem.code, problem.error), False)

    def _end(self) -> None:
        self._calls.cancel_all()
        self._writer.close(_LAST_WORDS)
