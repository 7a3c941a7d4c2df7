# Generated from schemas/ by scripts/generate.py; edit the schema, then run `make generate`.
#   filename:  alias.v1.json

from __future__ import annotations
from typing import Annotated, Literal, TypeAlias
from msgspec import Meta, Struct, UNSET, UnsetType
from . import common_v1


AliasName: TypeAlias = Annotated[
    str,
    Meta(
        description="The name of an alias.",
        pattern="^[A-Za-z][0-9A-Za-z._-]{0,63}\\Z",
        title="AliasName",
    ),
]


class AliasV1(Struct, kw_only=True, frozen=True, gc=False):
    """
    One line of `aliases.jsonl`, the append-only history of the aliases of a store (JSON Lines). Source: specification, section 5.11.
    """

    schema_version: Literal["alias.v1"]
    alias: AliasName
    recorded_at: common_v1.Timestamp
    previous: Annotated[
        common_v1.Sha256,
        Meta(
            description="The digest of the chain over all lines before this one; 64 zeros in the first line."
        ),
    ]
    run_id: (
        Annotated[
            common_v1.AnyRunId,
            Meta(
                description="The run that the alias points at from now on; absent if the alias was removed."
            ),
        ]
        | UnsetType
    ) = UNSET
    because: (
        Annotated[
            str,
            Meta(description="Why, as the user put it.", max_length=1000, min_length=1),
        ]
        | UnsetType
    ) = UNSET
    created_by: (
        Annotated[
            str,
            Meta(
                description="The client that wrote the line, such as `runforge-cli@0.4.0`."
            ),
        ]
        | UnsetType
    ) = UNSET
