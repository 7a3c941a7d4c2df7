# Generated from schemas/ by scripts/generate.py; edit the schema, then run `make generate`.
#   filename:  cases.v1.json

from __future__ import annotations
from typing import Annotated, Any, Literal, TypeAlias
from msgspec import Meta, Struct, UNSET, UnsetType
from . import protocol_v1


RequirementId: TypeAlias = Annotated[
    str,
    Meta(
        pattern="^[a-z0-9]+(-[a-z0-9]+)*([.][a-z0-9]+(-[a-z0-9]+)*)+\\Z",
        title="RequirementId",
    ),
]


class Input(Struct, kw_only=True, frozen=True, gc=False, forbid_unknown_fields=True):
    """
    The document that the client is given: a vector, unchanged or with changed fields.
    """

    file: Annotated[str, Meta(description="File of the vectors.")] | UnsetType = UNSET
    set: (
        Annotated[dict[str, Any], Meta(description="Values by JSON Pointer.")]
        | UnsetType
    ) = UNSET
    remove: (
        Annotated[list[str], Meta(description="JSON Pointers of fields to remove.")]
        | UnsetType
    ) = UNSET
    json: (
        Annotated[Any, Meta(description="The document itself, in place of a file.")]
        | UnsetType
    ) = UNSET
    text: (
        Annotated[
            str, Meta(description="The text of the document, in place of a file.")
        ]
        | UnsetType
    ) = UNSET


class Expect(Struct, kw_only=True, frozen=True, gc=False, forbid_unknown_fields=True):
    """
    What must come of it.
    """

    outcome: Annotated[
        Literal["accepted", "rejected", "either"],
        Meta(
            description="`either`: the contract allows both; anything that is written must still be valid."
        ),
    ]
    view: (
        Annotated[
            dict[str, Any],
            Meta(description="Fields and values that the view must have."),
        ]
        | UnsetType
    ) = UNSET
    warns: (
        Annotated[bool, Meta(description="Whether the view must carry a warning.")]
        | UnsetType
    ) = UNSET
    codes: (
        Annotated[
            list[str], Meta(description="Error codes, one of which must be reported.")
        ]
        | UnsetType
    ) = UNSET
    places: (
        Annotated[
            list[str], Meta(description="JSON Pointers, one of which must be reported.")
        ]
        | UnsetType
    ) = UNSET
    documents: (
        Annotated[
            dict[str, dict[str, Any]],
            Meta(
                description="For `execute`: required contents of files in the run folder."
            ),
        ]
        | UnsetType
    ) = UNSET
    absent: (
        Annotated[
            list[str],
            Meta(
                description="For `execute`: files that must not be in the run folder."
            ),
        ]
        | UnsetType
    ) = UNSET
    index: (
        Annotated[
            str,
            Meta(
                description="For `rebuild-index`: the vector with the expected index."
            ),
        ]
        | UnsetType
    ) = UNSET
    format: (
        Annotated[
            bool,
            Meta(
                description="Whether the output must also have the contract's formatting."
            ),
        ]
        | UnsetType
    ) = UNSET
    key_order: (
        Annotated[
            bool,
            Meta(description="Whether the keys must also be in the schema's order."),
        ]
        | UnsetType
    ) = UNSET
    exact: (
        Annotated[
            bool,
            Meta(
                description="Whether the output must have the given fields and no others."
            ),
        ]
        | UnsetType
    ) = UNSET


class Case(Struct, kw_only=True, frozen=True, gc=False, forbid_unknown_fields=True):
    """
    One operation that a client is asked to perform, and the expected outcome.
    """

    id: Annotated[
        str,
        Meta(
            description="`<document or store>/<topic>/<name>`.",
            pattern="^[a-z0-9_.-]+(/[a-z0-9_.-]+)+\\Z",
        ),
    ]
    description: Annotated[str, Meta(description="One sentence.", min_length=1)]
    requirement: Annotated[
        RequirementId, Meta(description="Id of the requirement that the case checks.")
    ]
    since: Annotated[
        str, Meta(description="Version of the suite that introduced the case.")
    ]
    op: protocol_v1.Operation
    expect: Expect
    flags: (
        Annotated[
            list[
                Literal[
                    "in-place", "twice", "concurrent", "cancel", "source-date-epoch"
                ]
            ],
            Meta(
                description="`in-place`: the output is the input. `twice`: executed in two workspaces that must be equal. `concurrent`: several clients at once. Any other value is a capability; a client without it is asked another way."
            ),
        ]
        | UnsetType
    ) = UNSET
    document: (
        Annotated[str, Meta(description="Document of the contract.")] | UnsetType
    ) = UNSET
    input: Input | UnsetType = UNSET
    workspace: (
        Annotated[
            str,
            Meta(description="Folder of the vectors that is copied as the workspace."),
        ]
        | UnsetType
    ) = UNSET
    files: (
        Annotated[
            dict[str, str],
            Meta(
                description="Files of the workspace, and the vectors that they are copied from."
            ),
        ]
        | UnsetType
    ) = UNSET
    ids: (
        Annotated[
            dict[str, str],
            Meta(
                description="Run ids of the workspace, and those that take their place in all its files."
            ),
        ]
        | UnsetType
    ) = UNSET
    params: protocol_v1.Params | UnsetType = UNSET


class CaseFile(Struct, kw_only=True, frozen=True, gc=False, forbid_unknown_fields=True):
    """
    Conformance cases of one topic: `cases/<document>/<topic>.json`.
    """

    title: Annotated[str, Meta(description="What the cases are about.", min_length=1)]
    why: Annotated[
        str,
        Meta(
            description="Why the case matters: what goes wrong for users of a client that fails it.",
            min_length=1,
        ),
    ]
    cases: Annotated[list[Case], Meta(min_length=1)]
