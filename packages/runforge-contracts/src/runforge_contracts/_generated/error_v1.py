# Generated from schemas/ by scripts/generate.py; edit the schema, then run `make generate`.
#   filename:  error.v1.json

from __future__ import annotations
from typing import Annotated
from msgspec import Meta, Struct, UNSET, UnsetType


class ErrorProblem(Struct, kw_only=True, frozen=True, gc=False):
    """
    One mistake.
    """

    message: Annotated[str, Meta(min_length=1)]
    path: Annotated[str, Meta(description="File or folder.")] | UnsetType = UNSET
    pointer: (
        Annotated[str, Meta(description="JSON Pointer into the document (RFC 6901).")]
        | UnsetType
    ) = UNSET
    column: Annotated[str, Meta(description="Column of the dataset.")] | UnsetType = (
        UNSET
    )
    row: (
        Annotated[
            int,
            Meta(
                description="Row of the dataset; 1 is the first after the header.", ge=1
            ),
        ]
        | UnsetType
    ) = UNSET
    hint: str | UnsetType = UNSET


class ErrorBody(Struct, kw_only=True, frozen=True, gc=False):
    """
    What went wrong, where, and how to fix it.
    """

    code: Annotated[
        str, Meta(description="Stable code.", pattern="^[A-Z][A-Z0-9_]*\\Z")
    ]
    message: Annotated[str, Meta(description="One sentence.", min_length=1)]
    hint: Annotated[str, Meta(description="What to do about it.")] | UnsetType = UNSET
    path: Annotated[str, Meta(description="File or folder.")] | UnsetType = UNSET
    pointer: (
        Annotated[str, Meta(description="JSON Pointer into the document (RFC 6901).")]
        | UnsetType
    ) = UNSET
    column: Annotated[str, Meta(description="Column of the dataset.")] | UnsetType = (
        UNSET
    )
    row: (
        Annotated[
            int,
            Meta(
                description="Row of the dataset; 1 is the first after the header.", ge=1
            ),
        ]
        | UnsetType
    ) = UNSET
    problems: (
        Annotated[
            list[ErrorProblem],
            Meta(
                description="The individual errors, where several are reported together."
            ),
        ]
        | UnsetType
    ) = UNSET


class ErrorV1(Struct, kw_only=True, frozen=True, gc=False):
    """
    A failed command, as `--json` prints it. Source: specification, section 3.1.
    """

    error: ErrorBody
