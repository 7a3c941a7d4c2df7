# Generated from schemas/ by scripts/generate.py; edit the schema, then run `make generate`.
#   filename:  serve.message.v1.json

from __future__ import annotations
from typing import Annotated, Any, Literal, TypeAlias
from msgspec import Meta, Struct, UNSET, UnsetType
from runforge_contracts import types
from . import serve_common_v1


ServeMessage: TypeAlias = Annotated[
    Any,
    Meta(
        description="The envelope of every message: JSON-RPC 2.0.", title="ServeMessage"
    ),
]


class RpcRequest(Struct, kw_only=True, frozen=True, gc=False):
    """
    A call of a method.
    """

    jsonrpc: Literal["2.0"]
    id: serve_common_v1.RequestId
    method: Annotated[str, Meta(description="Name of the method.", max_length=256)]
    params: (
        Annotated[
            dict[str, Any],
            Meta(description="Parameters of the method; absent is empty."),
        ]
        | UnsetType
    ) = UNSET


class RpcNotification(Struct, kw_only=True, frozen=True, gc=False):
    """
    A message that is not answered.
    """

    jsonrpc: Literal["2.0"]
    method: Annotated[
        str, Meta(description="Name of the notification.", max_length=256)
    ]
    params: (
        Annotated[
            dict[str, Any],
            Meta(description="Parameters of the notification; absent is empty."),
        ]
        | UnsetType
    ) = UNSET


class RpcSuccess(Struct, kw_only=True, frozen=True, gc=False):
    """
    The answer to a request.
    """

    jsonrpc: Literal["2.0"]
    id: serve_common_v1.RequestId
    result: Annotated[Any, Meta(description="The result of the method.")]


class RpcError(Struct, kw_only=True, frozen=True, gc=False):
    """
    Why a request failed.
    """

    code: Annotated[
        int,
        Meta(
            description="-32700: the message is not JSON. -32600: it is no request. -32601: there is no such method. -32602: the parameters are invalid. -32603: a bug in RunForge. -32002: `initialize` comes first. -32800: the request was cancelled. -32000: another error of RunForge, whose code is in `data`."
        ),
    ]
    message: Annotated[str, Meta(description="One sentence.")]
    data: Annotated[
        types.ErrorV1, Meta(description="The error as `--json` prints it.")
    ]


class RpcFailure(Struct, kw_only=True, frozen=True, gc=False):
    """
    The answer to a request that failed.
    """

    jsonrpc: Literal["2.0"]
    id: (
        Annotated[
            serve_common_v1.RequestId,
            Meta(description="Id of the request; null if it could not be read."),
        ]
        | None
    )
    error: RpcError
