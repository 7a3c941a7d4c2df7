"""The requests in progress of a client: each has its lane, and all of them end with the client."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterable, Mapping

from runforge_contracts.errors import ErrorCode, RunForgeError

from runforge_cli.serve.call import Call
from runforge_cli.serve.lanes import Lane
from runforge_cli.serve.reading_methods import LONG, QUICK
from runforge_cli.serve.rpc import RequestId, RpcCode, usage_problem
from runforge_cli.serve.serve_session import Session
from runforge_cli.serve.sweep_methods import run_sweep_of
from runforge_cli.serve.training_methods import TRAINING, start_training
from runforge_cli.shell.failures import as_error
from runforge_cli.terminal.output import reporting

#: How many quick and how many long requests are answered at the same time.
_QUICK_THREADS, _LONG_THREADS = 2, 4
#: How many sweeps are executed at the same time; each has processes of its own.
_SWEEPS = 2
#: How long the runs of a session have to end when it ends, in seconds.
_PATIENCE = 1.7
#: How many requests may be open at the same time.
_MOST_OPEN = 10_000

log = logging.getLogger(__name__)


class OpenCalls:
    """The requests of one session that are not answered.

    Parameters
    ----------
    session
        What the methods share.
    own
        Further methods by name, which answer their calls themselves.
    quick
        Those of them that have a lane; the others are answered in the thread that begins them.
    """

    def __init__(
        self,
        session: Session,
        own: Mapping[str, Callable[[Call], None]] | None = None,
        quick: Iterable[str] = (),
    ) -> None:
        self._session, self._own = session, own or {}
        self._open: dict[RequestId, Call] = {}
        self._lock = threading.Lock()
        quick_lane = Lane("runforge-quick", _QUICK_THREADS, self._answer)
        long_lane = Lane("runforge-long", _LONG_THREADS, self._answer)
        self._lanes = {
            "sweep": Lane("runforge-sweep", _SWEEPS, self._answer),
            **dict.fromkeys((*QUICK, *quick, *TRAINING), quick_lane),
            **dict.fromkeys(LONG, long_lane),
        }

    def begin(self, call: Call) -> None:
        """Start to answer a call; called by one thread only.

        Raises
        ------
        RpcProblem
            ``INVALID_REQUEST`` if its id is in use, or too many calls are open.
        """
        with self._lock:
            if call.id in self._open:
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
                    request_id=call.id,
                )
            self._open[call.id] = call
        lane = self._lanes.get(call.method)
        if lane is None:
            self._answer(call)
        else:
            lane.submit(call)

    def closed(self, call: Call) -> None:
        """Take note that a call is answered."""
        log.info("answered %r (id %r)", call.method, call.id)
        with self._lock:
            if self._open.get(call.id) is call:
                del self._open[call.id]

    def cancel(self, request_id: RequestId) -> None:
        """Cancel the call with an id; one that is answered is left alone."""
        with self._lock:
            call = self._open.get(request_id)
        if call is not None:
            call.cancel()

    def cancel_all(self, but: Call | None = None) -> None:
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
        if call.method in TRAINING:
            start_training(self._session, call)
        elif call.method == "sweep":
            call.answer(run_sweep_of(self._session, call))
        elif call.method in self._own:
            self._own[call.method](call)
        else:
            call.answer({**QUICK, **LONG}[call.method](self._session, call))
