# Generated from schemas/ by scripts/generate.py; edit the schema, then run `make generate`.
#   filename:  merge_report.v1.json

from __future__ import annotations
from msgspec import Meta, Struct, UNSET, UnsetType
from . import common_v1
from typing import Annotated, Literal


class StoreContents(Struct, kw_only=True, frozen=True, gc=False):
    """
    The contents of an index without regard to order and origin. Source: specification, section 23.3.
    """

    count: common_v1.Count
    sha256: common_v1.Sha256


class MergedItem(Struct, kw_only=True, frozen=True, gc=False):
    """
    Something of the other store.
    """

    kind: Literal[
        "run",
        "experiment",
        "group",
        "evaluation",
        "dataset",
        "recipe",
        "signature",
        "alias",
        "removal",
    ]
    id: Annotated[
        str,
        Meta(
            description="Its id; of a signature, that of what it is of; of a dataset or a recipe, its file; of an alias, its name.",
            min_length=1,
        ),
    ]
    outcome: Annotated[
        Literal["added", "present", "apart", "differs", "unfinished", "removed"],
        Meta(
            description="`added`: it was brought in. `present`: this store has the same. `apart`: this workspace has another run of an experiment with the id, so it was put into a folder of its own. `differs`: this store has another one, which stays. `unfinished`: it has not ended, so it stays where it is. `removed`: this store forgot or archived the run, which is not brought back."
        ),
    ]
    path: (
        Annotated[
            str,
            Meta(
                description="Where it is now, relative to the workspace.", min_length=1
            ),
        ]
        | UnsetType
    ) = UNSET
    differences: (
        Annotated[
            list[str], Meta(description="What differs, if this store has another one.")
        ]
        | UnsetType
    ) = UNSET


class MergeReportV1(Struct, kw_only=True, frozen=True, gc=False):
    """
    What was brought from another store, as `runforge store merge --json` prints it. Source: specification, section 23.5.
    """

    schema_version: Literal["merge_report.v1"]
    outcome: Annotated[
        Literal["merged", "present"],
        Meta(
            description="`present`: this store had all of the other one, and nothing was written."
        ),
    ]
    dry_run: Annotated[
        bool,
        Meta(
            description="Whether nothing was written, because only the plan was asked for."
        ),
    ]
    store: Annotated[str, Meta(description="The store, relative to the workspace.")]
    other: Annotated[str, Meta(description="Path of the other store.")]
    contents: Annotated[
        StoreContents,
        Meta(
            description="The runs that the index lists, whatever their order. Two stores that were merged both ways have the same."
        ),
    ]
    items: Annotated[
        list[MergedItem], Meta(description="Everything in the other store.")
    ]
    origin: (
        Annotated[
            common_v1.Sha256,
            Meta(
                description="The origin of the other index; absent if it has no entry."
            ),
        ]
        | UnsetType
    ) = UNSET
