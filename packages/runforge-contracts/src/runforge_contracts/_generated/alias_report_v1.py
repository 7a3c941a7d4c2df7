# Generated from schemas/ by scripts/generate.py; edit the schema, then run `make generate`.
#   filename:  alias_report.v1.json

from __future__ import annotations
from typing import Annotated, Literal
from msgspec import Meta, Struct, UNSET, UnsetType
from . import alias_v1


class AliasReportV1(Struct, kw_only=True, frozen=True, gc=False):
    """
    The aliases of a workspace, as `runforge alias --json` prints them. Source: specification, section 16.2.
    """

    schema_version: Literal["alias_report.v1"]
    aliases: Annotated[
        list[alias_v1.AliasV1],
        Meta(
            description="The line that decides about each alias, in the order of their names; of one alias if it was named, and none if it was removed."
        ),
    ]
    history: (
        Annotated[
            list[alias_v1.AliasV1],
            Meta(
                description="Every line about the alias that was named, oldest first; absent if none was named."
            ),
        ]
        | UnsetType
    ) = UNSET
