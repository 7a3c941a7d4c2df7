"""One request of a client: answered once, possibly cancelled, with messages about it meanwhile."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from runforge_contracts.errors import ErrorCode, RunForgeError
from runforge_engine.runtime.cancellation import Cancellation

from runforge_cli.serve.rpc import RequestId, RpcCode, code_of, failure, notification, success

#: Sends a message; a dispensable one may be left out.
Send = Callable[[dict[str, Any], bool], None]

CANCELLED = "The request was cancelled."


class Call:
    """A request in progress.

    Parameters
    ----------
    request_id, method, params
        The request; the parameters are valid.
    send
        Sends a message to the client.
    closed
        Called once the request is answered.
    """

    def __init__(
        self,
        request_id: RequestId,
        method: str,
        params: dict[str, Any],
        send: Send,
        closed: Callable[[Call], None],
    ) -> None:
        self.id, self.method, self.params = request_id, method, params
        self.cancellation = Cancellation()
        #: Called when the request is cancelled; returns whether the method itself will answer.
        self.on_cancel: Callable[[], bool] = lambda: False
        self._send, self._closed = send, closed
        self._lock = threading.Lock()
        self._answered = False

    @property
    def answered(self) -> bool:
        """Whether the client has its answer; what is computed yet is of no use."""
        return self._answered

    def answer(self, result: Any) -> None:
        """Send the result; ignored where the request is answered already."""
        self._end(success(self.id, result))

    def fail(self, error: RunForgeError, code: RpcCode | None = None) -> None:
        """Send an error; ignored where the request is answered already."""
        self._end(failure(self.id, code_of(error) if code is None else code, error))

    def cancel(self) -> None:
        """End the request early, with its own result or with the error ``REQUEST_CANCELLED``."""
        self.cancellation.cancel(CANCELLED)
        if not self.on_cancel():
            self.fail(RunForgeError(ErrorCode.CANCELLED, CANCELLED))

    def progress(self, params: dict[str, Any]) -> None:
        """Send what is being done; not once the request is answered."""
        if not self._answered:
            self._send(notification("progress", {"id": self.id, **params}), True)

    def warn(self, message: str, *, severity: str = "warning", code: str | None = None) -> None:
        """Send something that the user should know."""
        params = {"id": self.id, "severity": severity, "message": message}
        self._send(
            notification("warning", params if code is None else {**params, "code": code}), True
        )

    def _end(self, message: dict[str, Any]) -> None:
        with self._lock:
            if self._answered:
                return
            self._answered = True
        try:
            self._send(message, False)
        except ValueError:
            error = RunForgeError(
                ErrorCode.JSON_NUMBER_INVALID,
                "The result contains a number that JSON does not have.",
            )
            self._send(failure(self.id, code_of(error), error), False)
        self._closed(self)
