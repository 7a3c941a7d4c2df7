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
    Meta(
        description="The operation that the client is asked to perform.",
        title="Operation",
    ),
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
            description="Roles that the client supports; cases of other roles are skipped.",
            min_length=1,
        ),
    ]
    documents: (
        Annotated[
            list[str],
            Meta(
                description="Documents that the client supports, such as `request.v1`; cases of others are skipped. Absent: all. Empty: none."
            ),
        ]
        | UnsetType
    ) = UNSET
    capabilities: (
        Annotated[
            list[Literal["cancel", "source-date-epoch"]],
            Meta(
                description="Ways to ask an executor. Without `cancel`, its process group is interrupted once it has made a run; without `source-date-epoch`, it is started with this variable in upper case, and runs are compared without their times."
            ),
        ]
        | UnsetType
    ) = UNSET


class Params(Struct, kw_only=True, frozen=True, gc=False):
    """
    Arguments of the operation other than paths.
    """

    set: (
        Annotated[
            dict[str, Any], Meta(description="For an edit: values by JSON Pointer.")
        ]
        | UnsetType
    ) = UNSET
    remove: (
        Annotated[
            list[str],
            Meta(description="For an edit: JSON Pointers of fields to remove."),
        ]
        | UnsetType
    ) = UNSET
    fields: (
        Annotated[
            dict[str, Any],
            Meta(description="For a document to create: its fields, in any order."),
        ]
        | UnsetType
    ) = UNSET
    not_computable: (
        Annotated[
            list[str],
            Meta(
                description="For a document to create: JSON Pointers of fields whose computed value is NaN."
            ),
        ]
        | UnsetType
    ) = UNSET
    cancel: (
        Annotated[
            bool,
            Meta(
                description="Whether the executor is interrupted as soon as it trains."
            ),
        ]
        | UnsetType
    ) = UNSET
    source_date_epoch: (
        Annotated[int, Meta(description="Fixed time for every clock, in seconds.")]
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
        Annotated[
            str,
            Meta(description="Status of the run; `incomplete` if it has no result."),
        ]
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
    path: (
        Annotated[str, Meta(description="JSON Pointer to the location.")] | UnsetType
    ) = UNSET
    message: Annotated[str, Meta(description="One sentence.")] | UnsetType = UNSET


class Stop(Struct, kw_only=True, frozen=True, gc=False):
    """
    Last message to the client, which then exits.
    """

    cmd: Literal["stop"]


class Run(Struct, kw_only=True, frozen=True, gc=False):
    """
    A case for the client. Every path is absolute.
    """

    cmd: Literal["run"]
    seq: Annotated[
        int, Meta(description="Number of the message, repeated in the answer.", ge=1)
    ]
    case: Annotated[
        str,
        Meta(
            description="Id of the case. The document differs from run to run, and several documents may be sent under one id."
        ),
    ]
    op: Operation
    document: (
        Annotated[
            str,
            Meta(
                description="Type of the input document, or of the document to create."
            ),
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
            description="`rejected`: the input breaks the contract and nothing was done. `skipped`: the role or document was not declared. `errored`: any other problem, which counts as a failure."
        ),
    ]
    view: (
        Annotated[
            dict[str, Any],
            Meta(
                description="Values that the client would display; its members are those of `View`."
            ),
        ]
        | UnsetType
    ) = UNSET
    error: Refusal | UnsetType = UNSET
    message: Annotated[str, Meta(description="Why a case was skipped.")] | UnsetType = (
        UNSET
    )
    context: (
        Annotated[dict[str, Any], Meta(description="Details of an `errored` outcome.")]
        | UnsetType
    ) = UNSET


class View(Struct, kw_only=True, frozen=True, gc=False):
    """
    Values that the client would display. The required fields depend on the document and the operation.
    """

    warnings: (
        Annotated[list[str], Meta(description="Warnings, in words.")] | UnsetType
    ) = UNSET
    primary_metric: (
        Annotated[
            NamedValue, Meta(description="For a result: its primary metric, or null.")
        ]
        | None
        | UnsetType
    ) = UNSET
    duration: (
        Annotated[
            str, Meta(description="For a result: its duration, formatted for display.")
        ]
        | UnsetType
    ) = UNSET
    status: (
        Annotated[
            str, Meta(description="For a result or an executed request: its status.")
        ]
        | UnsetType
    ) = UNSET
    error: (
        Annotated[ShownError, Meta(description="For a result: its error, or null.")]
        | None
        | UnsetType
    ) = UNSET
    name: (
        Annotated[str, Meta(description="For a request: its name, or an empty string.")]
        | UnsetType
    ) = UNSET
    tags: (
        Annotated[list[str], Meta(description="Of a request: its tags.")] | UnsetType
    ) = UNSET
    hyperparameters: (
        Annotated[
            dict[str, Any], Meta(description="For a request: the values that it sets.")
        ]
        | UnsetType
    ) = UNSET
    model_family: (
        Annotated[
            str,
            Meta(
                description="For a request or a run record: its model family, or an empty string."
            ),
        ]
        | UnsetType
    ) = UNSET
    run_id: Annotated[str, Meta(description="Of a run record.")] | UnsetType = UNSET
    accuracy: (
        Annotated[float, Meta(description="For a run record or metrics.")] | UnsetType
    ) = UNSET
    diagnostics: (
        Annotated[
            list[str],
            Meta(
                description="Codes of the diagnostics derived from a run record that has no list of diagnostics."
            ),
        ]
        | UnsetType
    ) = UNSET
    runs: (
        Annotated[
            list[ShownRun],
            Meta(description="For `list` and `trace`: the runs, newest first."),
        ]
        | UnsetType
    ) = UNSET
    run_dir: (
        Annotated[
            str,
            Meta(
                description="For `execute`: the run folder, absolute or relative to the workspace."
            ),
        ]
        | UnsetType
    ) = UNSET
