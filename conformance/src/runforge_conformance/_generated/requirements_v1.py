# Generated from schemas/ by scripts/generate.py; edit the schema, then run `make generate`.
#   filename:  requirements.v1.json

from __future__ import annotations
from typing import Annotated, Literal, TypeAlias
from msgspec import Meta, Struct, UNSET, UnsetType
from . import protocol_v1


Level: TypeAlias = Annotated[
    Literal["core", "recommended", "strict"],
    Meta(
        description="How a requirement counts: clients need the core to understand one another, the recommended ones are advice, the strict ones are RunForge's own form.",
        title="Level",
    ),
]


class Requirement(
    Struct, kw_only=True, frozen=True, gc=False, forbid_unknown_fields=True
):
    """
    One requirement for clients.
    """

    id: Annotated[
        str, Meta(pattern="^[a-z0-9]+(-[a-z0-9]+)*([.][a-z0-9]+(-[a-z0-9]+)*)+\\Z")
    ]
    level: Level
    roles: Annotated[
        list[protocol_v1.Role],
        Meta(description="Which clients it binds.", min_length=1),
    ]
    statement: Annotated[
        str,
        Meta(description="What the specification says, without links.", min_length=1),
    ]
    page: Annotated[
        str,
        Meta(
            description="Page of the specification that states it, without `.md`.",
            pattern="^[A-Za-z-]+\\Z",
        ),
    ]
    section: Annotated[
        str, Meta(description="Number of its section.", pattern="^[0-9]+[.][0-9]+\\Z")
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
