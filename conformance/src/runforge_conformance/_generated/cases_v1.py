# Generated from schemas/ by scripts/generate.py; edit the schema, then run `make generate`.
#   filename:  cases.v1.json

from __future__ import annotations
from typing import Annotated, Any, Literal, TypeAlias
from msgspec import Meta, Struct, UNSET, UnsetType
from . import protocol_v1


RequirementId: TypeAlias = Annotated[
    str,
    Meta(
        pattern="^[a-z0-9]+(-[a-z0-9]+)*([.][a-z0-9]+(-[a-z0-9]+)*)+$(?!\\n)",
        title="RequirementId",
    ),
]


class Input(Struct, kw_only=True, frozen=True, gc=False, forbid_unknown_fields=True):
    """
    The document that the client is given: a vector as it stands, or one with places changed.
    """

    file: Annotated[str, Meta(description="File of the vectors.")] | UnsetType = UNSET
    set: (
        Annotated[dict[str, Any], Meta(description="Values by JSON Pointer.")]
        | UnsetType
    ) = UNSET
    remove: (
        Annotated[list[str], Meta(description="JSON Pointers of fields to take away.")]
        | UnsetType
    ) = UNSET
    json: (
        Annotated[Any, Meta(description="The document itself, in place of a file.")]
        | UnsetType
    ) = UNSET


class Expect(Struct, kw_only=True, frozen=True, gc=False, forbid_unknown_fields=True):
    """
    What must come of it.
    """

    outcome: Annotated[
        Literal["accepted", "rejected", "either"],
        Meta(
            description="`either`: the contract leaves it open; what is written must hold all the same."
        ),
    ]
    view: (
        Annotated[
            dict[str, Any],
            Meta(description="Fields that the view must have, with these values."),
        ]
        | UnsetType
    ) = UNSET
    warns: (
        Annotated[bool, Meta(description="Whether the view must carry a warning.")]
        | UnsetType
    ) = UNSET
    codes: (
        Annotated[
            list[str], Meta(description="Error codes of which one must be given.")
        ]
        | UnsetType
    ) = UNSET
    places: (
        Annotated[
            list[str], Meta(description="JSON Pointers of which one must be named.")
        ]
        | UnsetType
    ) = UNSET
    documents: (
        Annotated[
            dict[str, dict[str, Any]],
            Meta(description="Of `execute`: what files of the run folder must hold."),
        ]
        | UnsetType
    ) = UNSET
    absent: (
        Annotated[
            list[str],
            Meta(description="Of `execute`: files that the run folder must not hold."),
        ]
        | UnsetType
    ) = UNSET
    index: (
        Annotated[
            str,
            Meta(
                description="Of `rebuild-index`: the vector with the index that must come of it."
            ),
        ]
        | UnsetType
    ) = UNSET
    format: (
        Annotated[
            bool,
            Meta(
                description="Whether what is written must have the contract's form, too."
            ),
        ]
        | UnsetType
    ) = UNSET
    key_order: (
        Annotated[
            bool, Meta(description="Whether keys must be in the schema's order, too.")
        ]
        | UnsetType
    ) = UNSET
    exact: (
        Annotated[
            bool,
            Meta(
                description="Whether what is written must hold the given fields and no others."
            ),
        ]
        | UnsetType
    ) = UNSET


class Case(Struct, kw_only=True, frozen=True, gc=False, forbid_unknown_fields=True):
    """
    One thing that a client is asked to do, and what must come of it.
    """

    id: Annotated[
        str,
        Meta(
            description="`<document or store>/<topic>/<name>`.",
            pattern="^[a-z0-9_.-]+(/[a-z0-9_.-]+)+$(?!\\n)",
        ),
    ]
    description: Annotated[str, Meta(description="One sentence.", min_length=1)]
    requirement: Annotated[
        RequirementId, Meta(description="Id of the requirement that the case checks.")
    ]
    since: Annotated[
        str, Meta(description="Version of the suite that brought the case.")
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
                description="`in-place`: the output is the input. `twice`: executed in two workspaces that must be equal. `concurrent`: several clients at once. The others: a capability that it needs."
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
                description="Files of the workspace, and the vectors that they are copies of."
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
            description="Why it matters: what goes wrong for people where a client does otherwise.",
            min_length=1,
        ),
    ]
    cases: Annotated[list[Case], Meta(min_length=1)]
