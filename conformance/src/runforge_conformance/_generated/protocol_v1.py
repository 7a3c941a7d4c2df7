# Generated from schemas/ by scripts/generate.py; edit the schema, then run `make generate`.
#   filename:  protocol.v1.json

from __future__ import annotations
from typing import Annotated, Any, Literal, TypeAlias
from msgspec import Meta, Struct, UNSET, UnsetType


ProtocolV1: TypeAlias = Annotated[
    Any,
    Meta(
        description="Messages between the conformance runner and a client's harness: one JSON object a line, UTF-8, on standard input and output.",
        title="ProtocolV1",
    ),
]


Operation: TypeAlias = Annotated[
    Literal[
        "read",
        "roundtrip",
        "edit",
        "write",
        "execute",
        "list",
        "rebuild-index",
        "trace",
    ],
    Meta(description="What the client is asked to do.", title="Operation"),
]


Role: TypeAlias = Annotated[
    Literal["reader", "editor", "writer", "executor", "store"],
    Meta(description="What a client can be.", title="Role"),
]


class Start(Struct, kw_only=True, frozen=True, gc=False):
    """
    First message to the client.
    """

    cmd: Literal["start"]
    protocol: Annotated[Literal[1], Meta(description="Version of this protocol.")]


class Client(Struct, kw_only=True, frozen=True, gc=False):
    """
    Which program is tested.
    """

    name: Annotated[str, Meta(description="Name of the client.", min_length=1)]
    version: Annotated[str, Meta(description="Its version.", min_length=1)]
    language: Annotated[str, Meta(description="What it is written in.", min_length=1)]


class Started(Struct, kw_only=True, frozen=True, gc=False):
    """
    The client's answer to `start`.
    """

    protocol: Literal[1]
    client: Client
    roles: Annotated[
        list[Role],
        Meta(
            description="What the client can be; cases of other roles are skipped.",
            min_length=1,
        ),
    ]
    documents: (
        Annotated[
            list[str],
            Meta(
                description="Documents that the client knows, such as `request.v1`; cases of others are skipped. Absent: all."
            ),
        ]
        | UnsetType
    ) = UNSET
    capabilities: (
        Annotated[
            list[Literal["cancel", "source-date-epoch"]],
            Meta(description="What an executor can do beyond executing."),
        ]
        | UnsetType
    ) = UNSET


class Params(Struct, kw_only=True, frozen=True, gc=False):
    """
    What the operation needs beyond paths.
    """

    set: (
        Annotated[
            dict[str, Any], Meta(description="Of an edit: values by JSON Pointer.")
        ]
        | UnsetType
    ) = UNSET
    remove: (
        Annotated[
            list[str],
            Meta(description="Of an edit: JSON Pointers of fields to take away."),
        ]
        | UnsetType
    ) = UNSET
    fields: (
        Annotated[
            dict[str, Any],
            Meta(description="Of a document to make: its fields, in any order."),
        ]
        | UnsetType
    ) = UNSET
    not_computable: (
        Annotated[
            list[str],
            Meta(
                description="JSON Pointers of fields of a document to make whose value turned out to be NaN."
            ),
        ]
        | UnsetType
    ) = UNSET
    cancel: (
        Annotated[
            bool, Meta(description="The executor is to be interrupted once it trains.")
        ]
        | UnsetType
    ) = UNSET
    source_date_epoch: (
        Annotated[
            int,
            Meta(description="The instant that stands for every clock, in seconds."),
        ]
        | UnsetType
    ) = UNSET
    sha256: (
        Annotated[
            str, Meta(description="Digest of the model, dataset or artifact to trace.")
        ]
        | UnsetType
    ) = UNSET


class NamedValue(Struct, kw_only=True, frozen=True, gc=False):
    """
    A metric.
    """

    name: str
    value: float


class ShownError(Struct, kw_only=True, frozen=True, gc=False):
    """
    The error of a run.
    """

    message: str
    type: str


class ShownRun(Struct, kw_only=True, frozen=True, gc=False):
    """
    A run in a list.
    """

    run_id: str
    status: (
        Annotated[str, Meta(description="How it ended; `incomplete` where it did not.")]
        | UnsetType
    ) = UNSET
    run_dir: (
        Annotated[str, Meta(description="Its folder, relative to the workspace.")]
        | UnsetType
    ) = UNSET
    dataset_fingerprint_sha256: str | UnsetType = UNSET


class Refusal(Struct, kw_only=True, frozen=True, gc=False):
    """
    Why a document was rejected.
    """

    code: (
        Annotated[
            str,
            Meta(
                description="Stable code of the contract, such as `DOCUMENT_INVALID`."
            ),
        ]
        | UnsetType
    ) = UNSET
    path: Annotated[str, Meta(description="JSON Pointer of the place.")] | UnsetType = (
        UNSET
    )
    message: Annotated[str, Meta(description="One sentence.")] | UnsetType = UNSET


class Stop(Struct, kw_only=True, frozen=True, gc=False):
    """
    Last message to the client, which then ends.
    """

    cmd: Literal["stop"]


class Run(Struct, kw_only=True, frozen=True, gc=False):
    """
    A case for the client. Every path is absolute.
    """

    cmd: Literal["run"]
    seq: Annotated[
        int, Meta(description="Number of the message; the answer carries it.", ge=1)
    ]
    case: Annotated[str, Meta(description="Id of the case.")]
    op: Operation
    document: (
        Annotated[
            str, Meta(description="Document that the input is, or that is to be made.")
        ]
        | UnsetType
    ) = UNSET
    input: (
        Annotated[
            str,
            Meta(description="File to read: a document, or the request to execute."),
        ]
        | UnsetType
    ) = UNSET
    output: Annotated[str, Meta(description="File to write.")] | UnsetType = UNSET
    workspace: (
        Annotated[
            str, Meta(description="Folder in which an executor or a store works.")
        ]
        | UnsetType
    ) = UNSET
    params: Params | UnsetType = UNSET


class Answer(Struct, kw_only=True, frozen=True, gc=False):
    """
    The client's answer to `run`.
    """

    seq: Annotated[int, Meta(ge=1)]
    outcome: Annotated[
        Literal["accepted", "rejected", "skipped", "errored"],
        Meta(
            description="`rejected`: the input breaks the contract and nothing was done. `skipped`: the role or document was not declared. `errored`: something else went wrong, which is a failure."
        ),
    ]
    view: (
        Annotated[
            dict[str, Any],
            Meta(
                description="What the client would show; its members are those of `View`."
            ),
        ]
        | UnsetType
    ) = UNSET
    error: Refusal | UnsetType = UNSET
    message: Annotated[str, Meta(description="Why a case was skipped.")] | UnsetType = (
        UNSET
    )
    context: (
        Annotated[
            dict[str, Any], Meta(description="Particulars of an `errored` outcome.")
        ]
        | UnsetType
    ) = UNSET


class View(Struct, kw_only=True, frozen=True, gc=False):
    """
    What the client would show a person. Which fields a case asks for depends on the document and the operation.
    """

    warnings: (
        Annotated[list[str], Meta(description="Warnings, in words.")] | UnsetType
    ) = UNSET
    primary_metric: (
        Annotated[
            NamedValue,
            Meta(description="Of a result: the metric that stands for it, or null."),
        ]
        | None
        | UnsetType
    ) = UNSET
    duration: (
        Annotated[str, Meta(description="Of a result: its duration as it is shown.")]
        | UnsetType
    ) = UNSET
    status: (
        Annotated[
            str, Meta(description="Of a result or an executed request: how it ended.")
        ]
        | UnsetType
    ) = UNSET
    error: (
        Annotated[ShownError, Meta(description="Of a result: its error, or null.")]
        | None
        | UnsetType
    ) = UNSET
    name: (
        Annotated[str, Meta(description="Of a request: its name, or the empty text.")]
        | UnsetType
    ) = UNSET
    tags: (
        Annotated[list[str], Meta(description="Of a request: its tags.")] | UnsetType
    ) = UNSET
    hyperparameters: (
        Annotated[dict[str, Any], Meta(description="Of a request: what it sets.")]
        | UnsetType
    ) = UNSET
    model_family: (
        Annotated[
            str,
            Meta(
                description="Of a request or a run record: its model family, or the empty text."
            ),
        ]
        | UnsetType
    ) = UNSET
    run_id: Annotated[str, Meta(description="Of a run record.")] | UnsetType = UNSET
    accuracy: (
        Annotated[float, Meta(description="Of a run record or of metrics.")] | UnsetType
    ) = UNSET
    diagnostics: (
        Annotated[
            list[str],
            Meta(
                description="Codes of the diagnostics of a run record without a list of its own."
            ),
        ]
        | UnsetType
    ) = UNSET
    runs: (
        Annotated[
            list[ShownRun],
            Meta(description="Of `list` and `trace`: the runs, newest first."),
        ]
        | UnsetType
    ) = UNSET
    run_dir: (
        Annotated[
            str,
            Meta(
                description="Of `execute`: the run folder, absolute or relative to the workspace."
            ),
        ]
        | UnsetType
    ) = UNSET
