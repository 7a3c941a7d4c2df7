# Generated from schemas/ by scripts/generate.py; edit the schema, then run `make generate`.
#   filename:  store_place.v1.json

from __future__ import annotations
from typing import Annotated, Literal
from msgspec import Meta, Struct, UNSET, UnsetType
from . import common_v1


class StorePlaceV1(Struct, kw_only=True, frozen=True, gc=False):
    """
    `place.json` of a store that lies elsewhere than in its workspace: it names the workspace whose link leads to it. Source: specification, section 5.12.
    """

    schema_version: Literal["store_place.v1"]
    workspace: Annotated[
        str,
        Meta(
            description="The workspace whose store this is: an absolute path without symbolic links.",
            max_length=4096,
            min_length=1,
        ),
    ]
    recorded_at: common_v1.Timestamp
    created_by: (
        Annotated[
            str,
            Meta(
                description="The client that moved the store, such as `runforge-cli@0.4.0`."
            ),
        ]
        | UnsetType
    ) = UNSET
