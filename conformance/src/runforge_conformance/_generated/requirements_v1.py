# Generated from schemas/ by scripts/generate.py; edit the schema, then run `make generate`.
#   filename:  requirements.v1.json

from __future__ import annotations
from typing import Annotated, Literal
from msgspec import Meta, Struct, UNSET, UnsetType
from . import protocol_v1


class Requirement(
    Struct, kw_only=True, frozen=True, gc=False, forbid_unknown_fields=True
):
    """
    One requirement for clients.
    """

    id: Annotated[
        str, Meta(pattern="^[a-z0-9]+(-[a-z0-9]+)*([.][a-z0-9]+(-[a-z0-9]+)*)+$(?!\\n)")
    ]
    level: Annotated[
        Literal["required", "recommended"], Meta(description="MUST or SHOULD.")
    ]
    roles: Annotated[
        list[protocol_v1.Role],
        Meta(description="Which clients it binds.", min_length=1),
    ]
    statement: Annotated[
        str,
        Meta(
            description="The required or recommended behaviour of the client.",
            min_length=1,
        ),
    ]
    source: Annotated[
        str,
        Meta(
            description="Section of the contract that the requirement is based on.",
            min_length=1,
        ),
    ]
    unchecked: (
        Annotated[str, Meta(description="Why no case can check it.", min_length=1)]
        | UnsetType
    ) = UNSET


class RequirementFile(
    Struct, kw_only=True, frozen=True, gc=False, forbid_unknown_fields=True
):
    """
    Requirements of the contract for clients, frozen for a contract version.
    """

    contract: Literal[1]
    requirements: Annotated[list[Requirement], Meta(min_length=1)]
