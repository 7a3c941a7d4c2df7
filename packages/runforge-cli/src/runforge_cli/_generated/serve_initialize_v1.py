# Generated from schemas/ by scripts/generate.py; edit the schema, then run `make generate`.
#   filename:  serve.initialize.v1.json

from __future__ import annotations
from typing import Annotated, Literal
from msgspec import Meta, Struct, UNSET, UnsetType
from runforge_contracts import types
from . import serve_common_v1


class ClientInfo(
    Struct, kw_only=True, frozen=True, gc=False, forbid_unknown_fields=True
):
    """
    The program that is the client; new runs record it in `created_by`.
    """

    name: Annotated[
        str, Meta(description="Name, without spaces.", pattern="^[!-?A-~]{1,100}\\Z")
    ]
    version: Annotated[
        str, Meta(description="Version, without spaces.", pattern="^[!-?A-~]{1,100}\\Z")
    ]


class ServerVersions(Struct, kw_only=True, frozen=True, gc=False):
    """
    Versions of the packages and of Python.
    """

    cli: str
    engine: str
    contracts: str
    python: str


class HyperparameterRange(Struct, kw_only=True, frozen=True, gc=False):
    """
    A hyperparameter that a user may set. Source: specification, section 12.3.
    """

    family: Annotated[
        types.ModelFamily, Meta(description="Model family that has it.")
    ]
    name: Annotated[str, Meta(description="Name in a request.")]
    kind: Annotated[
        Literal["float", "int", "int_or_none", "bool", "choice"],
        Meta(
            description="What it is: a number, an integer, an integer or null, true or false, or one of `choices`."
        ),
    ]
    default: Annotated[float | str | bool, Meta(description="Model default.")] | None
    minimum: (
        Annotated[float, Meta(description="Smallest allowed value of a number.")]
        | UnsetType
    ) = UNSET
    maximum: (
        Annotated[float, Meta(description="Largest allowed value of a number.")]
        | UnsetType
    ) = UNSET
    choices: (
        Annotated[list[str], Meta(description="The allowed values of a choice.")]
        | UnsetType
    ) = UNSET


class InitializeParams(
    Struct, kw_only=True, frozen=True, gc=False, forbid_unknown_fields=True
):
    """
    Parameters of `initialize`.
    """

    workspace: (
        Annotated[
            serve_common_v1.FilePath,
            Meta(
                description="Folder that contains the store [that of `--workspace`, else found from the current folder]."
            ),
        ]
        | UnsetType
    ) = UNSET
    store: (
        Annotated[str, Meta(description="Name of the store's folder [`.runforge`].")]
        | UnsetType
    ) = UNSET
    client: ClientInfo | UnsetType = UNSET
    jobs: (
        Annotated[
            int,
            Meta(
                description="How many trainings run at the same time [1]; the others wait.",
                ge=1,
                le=64,
            ),
        ]
        | UnsetType
    ) = UNSET
    warm: (
        Annotated[
            bool,
            Meta(
                description="Whether to load the numeric libraries now, so that the first training does not wait for them."
            ),
        ]
        | UnsetType
    ) = UNSET


class ServerCapabilities(Struct, kw_only=True, frozen=True, gc=False):
    """
    What the server understands.
    """

    methods: Annotated[list[str], Meta(description="Methods that a client may call.")]
    notifications: Annotated[
        list[str], Meta(description="Notifications that the server sends.")
    ]
    model_families: Annotated[
        list[types.ModelFamily], Meta(description="Model families.")
    ]
    presets: Annotated[list[types.Preset], Meta(description="Presets.")]
    profiles: Annotated[list[str], Meta(description="Profiles.")]
    hyperparameters: (
        Annotated[
            list[HyperparameterRange],
            Meta(
                description="The hyperparameters of every model family, with the values that they take."
            ),
        ]
        | UnsetType
    ) = UNSET


class InitializeResult(Struct, kw_only=True, frozen=True, gc=False):
    """
    What the server is and can do.
    """

    protocol_version: Annotated[
        Literal[1],
        Meta(
            description="Version of the messages; another number is another protocol."
        ),
    ]
    runforge: ServerVersions
    workspace: Annotated[str, Meta(description="Absolute path of the workspace.")]
    store: Annotated[
        str,
        Meta(description="Name of the store's folder that new runs are written to."),
    ]
    capabilities: ServerCapabilities


class InitializeMethod(Struct, kw_only=True, frozen=True, gc=False):
    """
    Begins a session; the first request of every client.
    """

    method: Literal["initialize"]
    params: InitializeParams
    result: InitializeResult
