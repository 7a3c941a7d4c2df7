# Generated from schemas/ by scripts/generate.py; edit the schema, then run `make generate`.
#   filename:  serve.list.v1.json

from __future__ import annotations
from typing import Annotated, Literal, TypeAlias
from msgspec import Meta, Struct, UNSET, UnsetType
from . import serve_common_v1


WhereItem: TypeAlias = Annotated[str, Meta(min_length=1)]


class ListParams(
    Struct, kw_only=True, frozen=True, gc=False, forbid_unknown_fields=True
):
    """
    Parameters of `list`.
    """

    limit: (
        Annotated[
            int, Meta(description="Maximum number of runs [100].", ge=1, le=100000)
        ]
        | UnsetType
    ) = UNSET
    offset: (
        Annotated[
            int,
            Meta(
                description="How many runs to skip; with `limit`, a page of the list.",
                ge=0,
                le=9007199254740991,
            ),
        ]
        | UnsetType
    ) = UNSET
    model: (
        Annotated[str, Meta(description="Only runs of this model family.")] | UnsetType
    ) = UNSET
    status: (
        Annotated[
            Literal[
                "succeeded",
                "failed",
                "cancelled",
                "running",
                "interrupted",
                "incomplete",
            ],
            Meta(description="Only runs with this status or state."),
        ]
        | UnsetType
    ) = UNSET
    tag: Annotated[str, Meta(description="Only runs with this tag.")] | UnsetType = (
        UNSET
    )
    name: Annotated[str, Meta(description="Only runs with this name.")] | UnsetType = (
        UNSET
    )
    since: (
        Annotated[
            str,
            Meta(
                description="Only runs since then: a span before now (`90m`, `12h`, `7d`, `2w`), a day (`2026-11-01`), or a time in ISO 8601, in UTC unless it has an offset.",
                max_length=64,
                min_length=1,
            ),
        ]
        | UnsetType
    ) = UNSET
    before: (
        Annotated[
            str,
            Meta(
                description="Only runs before then; as `since`.",
                max_length=64,
                min_length=1,
            ),
        ]
        | UnsetType
    ) = UNSET
    min: (
        Annotated[
            dict[str, float],
            Meta(
                description="Only runs with at least these values, by the name of a metric or another value."
            ),
        ]
        | UnsetType
    ) = UNSET
    max: (
        Annotated[
            dict[str, float], Meta(description="Only runs with at most these values.")
        ]
        | UnsetType
    ) = UNSET
    dataset: (
        Annotated[
            str,
            Meta(
                description="Only runs on this dataset: a path, or the first digits of its SHA-256.",
                max_length=4096,
                min_length=1,
            ),
        ]
        | UnsetType
    ) = UNSET
    sort: (
        Annotated[
            str,
            Meta(
                description="`created` [default], a metric, a hyperparameter or a field; `-` before the name reverses the order.",
                min_length=1,
            ),
        ]
        | UnsetType
    ) = UNSET
    where: (
        Annotated[
            list[WhereItem],
            Meta(description="Only runs for which all of these hold, such as `C<0.1`."),
        ]
        | UnsetType
    ) = UNSET
    group: (
        Annotated[str, Meta(description="Only the runs of this sweep.", min_length=1)]
        | UnsetType
    ) = UNSET
    ungrouped: (
        Annotated[
            bool,
            Meta(
                description="Only runs that are in no sweep of the workspace [false]; `groups` lists the sweeps."
            ),
        ]
        | UnsetType
    ) = UNSET


class ListResult(Struct, kw_only=True, frozen=True, gc=False):
    """
    A page of the list, as `runforge runs --json` prints it.
    """

    schema_version: Literal["index.v1"]
    runs: Annotated[
        list[serve_common_v1.RunEntry],
        Meta(description="Runs that RunForge or another client trained."),
    ]
    total: Annotated[int, Meta(description="How many runs match, on all pages.", ge=0)]
    experiments: (
        Annotated[
            list[serve_common_v1.RunEntry],
            Meta(description="Runs of scripts; absent if the page has none."),
        ]
        | UnsetType
    ) = UNSET


class ListMethod(Struct, kw_only=True, frozen=True, gc=False):
    """
    Lists the runs of both kinds, newest first or best first.
    """

    method: Literal["list"]
    params: ListParams
    result: ListResult
