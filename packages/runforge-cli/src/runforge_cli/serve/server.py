"""The server: reads messages, starts what they ask for, and ends everything with its client."""

from __future__ import annotations

import logging
import threading
import time
from typing import IO, Any

from runforge_contracts.errors import ErrorCode, RunForgeError

from runforge_cli._generated.methods import MESSAGES
from runforge_cli.serve.call import Call
from runforge_cli.serve.framing import FramingError, MessageWriter, read_message
from runforge_cli.serve.lanes import Lane
from runforge_cli.serve.message_schemas import check_params
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
from runforge_cli.serve.sweep_methods import run_sweep_of
from runforge_cli.serve.training_methods import TRAINING, start_training
from runforge_cli.shell.failures import as_error
from runforge_cli.shell.settings import Settings
from runforge_cli.terminal.output import reporting

#: How many quick and how many long requests are answered at the same time.
_QUICK_THREADS, _LONG_THREADS = 2, 4
#: How many sweeps are executed at the same time; each has processes of its own.
_SWEEPS = 2
#: How long the runs of a session have to end when it ends, in seconds.
_PATIENCE = 1.7
#: How long what was answered last may take to reach the client, in seconds.
_LAST_WORDS = 0.5
#: How many requests may be open at the same time.
_MOST_OPEN = 10_000

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
        self._open: dict[RequestId, Call] = {}
        self._lock = threading.Lock()
        self._quick = Lane("runforge-quick", _QUICK_THREADS, self._answer)
        self._long = Lane("runforge-long", _LONG_THREADS, self._answer)
        sweeps = Lane("runforge-sweep", _SWEEPS, self._answer)
        self._lanes = {
            "sweep": sweeps,
            **dict.fromkeys(QUICK, self._quick),
            **dict.fromkeys((*_QUICK_SESSION, *TRAINING), self._quick),
            **dict.fromkeys(LONG, self._long),
        }
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
            with self._lock:
                call = self._open.get(params["id"])
            if call is not None:
                call.cancel()
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
        call = Call(request_id, method, params, self._send, self._close)
        with self._lock:
            if request_id in self._open:
                raise usage_problem(
                    RpcCode.INVALID_REQUEST,
                    "A request with this id is in progress.",
                    hint="Give every request an id of its own.",
                )
            if len(self._open) >= _MOST_OPEN:
                raise usage_problem(
                    RpcCode.INVALID_REQUEST,
                    f"{_MOST_OPEN:,} requests are in progress.",
                    hint="Wait for the answers.",
                    request_id=request_id,
                )
            self._open[request_id] = call
        lane = self._lanes.get(method)
        if lane is None:
            self._answer(call)
        else:
            lane.submit(call)

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

    def _answer(self, call: Call) -> None:
        """Do what a call asks; every failure becomes an error."""
        try:
            with reporting(call.warn):
                self._dispatch(call)
        except RunForgeError as error:
            call.fail(error)
        except MemoryError:
            call.fail(RunForgeError(ErrorCode.MEMORY_INSUFFICIENT, "There is not enough memory."))
        except Exception as failed:
            log.exception("the method %r failed", call.method)
            call.fail(as_error(failed))

    def _dispatch(self, call: Call) -> None:
        method, session = call.method, self._session
        if method in TRAINING:
            start_training(session, call)
        elif method == "initialize":
            call.answer(session.begin(call.params))
            if call.params.get("warm"):
                session.warm()
        elif method == "shutdown":
            self._shut_down = True
            self._cancel_all(but=call)
            call.answer(None)
        elif method == "sweep":
            call.answer(run_sweep_of(session, call))
        elif method == "warm":
            session.warm()
            call.answer(None)
        elif method == "watch":
            call.answer(session.watch(call.params))
        elif method == "unwatch":
            session.unwatch()
            call.answer(None)
        else:
            call.answer({**QUICK, **LONG}[method](session, call))

    def _send(self, message: dict[str, Any], dispensable: bool) -> None:
        self._writer.write(message, dispensable=dispensable)

    def _notify(self, method: str, params: dict[str, Any]) -> None:
        self._send(notification(method, params), True)

    def _fail(self, problem: RpcProblem) -> None:
        self._send(failure(problem.request_id, problem.code, problem.error), False)

    def _close(self, call: Call) -> None:
        log.info("answered %r (id %r)", call.method, call.id)
        with self._lock:
            if self._open.get(call.id) is call:
                del self._open[call.id]

    def _cancel_all(self, but: Call | None = None) -> None:
        """Cancel what is in progress and wait until it is recorded, within two seconds."""
        deadline = time.monotonic() + _PATIENCE
        for call in self._others(but):
            call.cancel()
        while self._others(but) and time.monotonic() < deadline:
            time.sleep(0.01)
        self._session.close(max(deadline - time.monotonic(), 0.1))

    def _others(self, but: Call | None) -> list[Call]:
        with self._lock:
            return [call for call in self._open.values() if call is not but]

    def _end(self) -> None:
        self._cancel_all()
        self._writer.close(_LAST_WORDS)
