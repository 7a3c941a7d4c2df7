# Generated from schemas/ by scripts/generate.py; edit the schema, then run `make generate`.
#   filename:  store_merge.v1.json

from __future__ import annotations
from typing import Annotated, Literal
from msgspec import Meta, Struct, UNSET, UnsetType
from . import common_v1


class MergedHead(Struct, kw_only=True, frozen=True, gc=False):
    """
    The number of entries of an index, and the digest of the chain over them. Source: specification, section 14.3.
    """

    count: Annotated[int, Meta(ge=1, le=9007199254740991)]
    sha256: common_v1.Sha256


class MergedEntries(Struct, kw_only=True, frozen=True, gc=False):
    """
    Entries that follow one another both in this index and in the other one.
    """

    first: Annotated[
        common_v1.Count,
        Meta(
            description="Position of the first of them in the `runs` of this index, from 0."
        ),
    ]
    count: Annotated[
        int, Meta(description="How many there are.", ge=1, le=9007199254740991)
    ]
    origin: (
        Annotated[
            common_v1.Sha256,
            Meta(
                description="Their `origin` in the other index; absent if they have none there."
            ),
        ]
        | UnsetType
    ) = UNSET
    run_dir: (
        Annotated[
            str,
            Meta(
                description="Their `run_dir` in the other index; absent if it is the same.",
                min_length=1,
            ),
        ]
        | UnsetType
    ) = UNSET


class StoreMergeV1(Struct, kw_only=True, frozen=True, gc=False):
    """
    One line of `merges.jsonl`, the append-only record of the indexes of other stores that were merged into one (JSON Lines). Source: specification, section 23.4.
    """

    schema_version: Literal["store_merge.v1"]
    recorded_at: common_v1.Timestamp
    origin: Annotated[
        common_v1.Sha256,
        Meta(
            description="The origin of the other index. Source: specification, section 14.3."
        ),
    ]
    index_head: Annotated[MergedHead, Meta(description="The head of the other index.")]
    entries: Annotated[
        list[MergedEntries],
        Meta(
            description="Where the entries of the other index are in this one, in the order of the other index.",
            min_length=1,
        ),
    ]
    added: Annotated[
        common_v1.Count,
        Meta(description="How many entries were appended to this index."),
    ]
    previous: Annotated[
        common_v1.Sha256,
        Meta(
            description="The digest of the chain over all lines before this one; 64 zeros in the first line."
        ),
    ]
    created_by: (
        Annotated[
            str,
            Meta(
                description="The client that wrote the line, such as `runforge-cli@0.4.0`."
            ),
        ]
        | UnsetType
    ) = UNSET
