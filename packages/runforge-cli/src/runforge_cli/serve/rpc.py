"""The envelope of messages, and errors in the form of JSON-RPC.

Source: JSON-RPC 2.0 Specification, "Request object" and "Response object"; Language Server
Protocol 3.17, "Base Protocol".
"""

from __future__ import annotations

from enum import IntEnum
from typing import Any

from runforge_contracts.codec.strict_json import parse_json
from runforge_contracts.errors import ErrorCode, RunForgeError

from runforge_cli.serve.message_schemas import find_problem

#: The id of a request.
RequestId = int | str


class RpcCode(IntEnum):
    """Numbers of errors; those of RunForge share one, and have their code in ``data``."""

    PARSE_ERROR = -32700
    INVALID_REQUEST = -32600
    METHOD_NOT_FOUND = -32601
    INVALID_PARAMS = -32602
    INTERNAL_ERROR = -32603
    NOT_INITIALIZED = -32002
    REQUEST_CANCELLED = -32800
    RUNFORGE_ERROR = -32000


class RpcProblem(Exception):  # noqa: N818 - an error is the part of a message
    """A request that cannot be answered.

    Parameters
    ----------
    code
        The number of the error.
    error
        The error as documents have it.
    request_id
        The request, if its id could be read.
    """

    def __init__(
        self, code: RpcCode, error: RunForgeError, request_id: RequestId | None = None
    ) -> None:
        super().__init__(error.message)
        self.code, self.error, self.request_id = code, error, request_id


def usage_problem(
    code: RpcCode, message: str, *, hint: str | None = None, request_id: RequestId | None = None
) -> RpcProblem:
    """Return a problem with the way in which the server is used."""
    return RpcProblem(code, RunForgeError(ErrorCode.USAGE_INVALID, message, hint=hint), request_id)


def code_of(error: RunForgeError) -> RpcCode:
    """Return the number for an error of RunForge."""
    if error.code is ErrorCode.CANCELLED:
        return RpcCode.REQUEST_CANCELLED
    if error.code is ErrorCode.INTERNAL:
        return RpcCode.INTERNAL_ERROR
    return RpcCode.RUNFORGE_ERROR


def success(request_id: RequestId, result: Any) -> dict[str, Any]:
    """Return the answer to a request."""
    return {"jsonrpc": "2.0", "id": request_id, "result": result}


def failure(request_id: RequestId | None, code: RpcCode, error: RunForgeError) -> dict[str, Any]:
    """Return the answer to a request that failed; without an id, to something unreadable."""
    return {
        "jsonrpc": "2.0",
        "id": request_id,
        "error": {
            "code": int(code),
            "message": error.message,
            "data": {"error": error.to_dict()},
        },
    }


def notification(method: str, params: dict[str, Any]) -> dict[str, Any]:
    """Return a message that is not answered."""
    return {"jsonrpc": "2.0", "method": method, "params": params}


def parse_message(data: bytes) -> dict[str, Any]:
    """Return a request or a notification of the client.

    Raises
    ------
    RpcProblem
        ``PARSE_ERROR`` or ``INVALID_REQUEST``.
    """
    try:
        raw = parse_json(data)
    except RunForgeError as error:
        raise RpcProblem(RpcCode.PARSE_ERROR, error) from None
    if isinstance(raw, list):
        raise usage_problem(
            RpcCode.INVALID_REQUEST,
            "A batch of messages is not supported.",
            hint="Send each message by itself; requests may overlap.",
        )
    if not isinstance(raw, dict):
        raise usage_problem(RpcCode.INVALID_REQUEST, "A message is an object.")
    if "method" not in raw and ("result" in raw or "error" in raw):
        raise usage_problem(
            RpcCode.INVALID_REQUEST, "The server has sent no request that could be answered."
        )
    definition = "RpcRequest" if "id" in raw else "RpcNotification"
    problem = find_problem(raw, "serve.message.v1", definition)
    if problem is not None:
        raise usage_problem(
            RpcCode.INVALID_REQUEST,
            f"The message is not a valid request: {problem.message}",
            hint=problem.hint,
            request_id=_readable_id(raw),
        )
    return raw


def _readable_id(raw: dict[str, Any]) -> RequestId | None:
    found = raw.get("id")
    if find_problem(found, "serve.common.v1", "RequestId") is None:
        return found
    return None
