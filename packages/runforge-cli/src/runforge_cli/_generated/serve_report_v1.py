# Generated from schemas/ by scripts/generate.py; edit the schema, then run `make generate`.
#   filename:  serve.report.v1.json

from __future__ import annotations
from msgspec import Meta, Struct, UNSET, UnsetType
from typing import Annotated, Literal
from . import serve_common_v1


class ReportParams(
    Struct, kw_only=True, frozen=True, gc=False, forbid_unknown_fields=True
):
    """
    Parameters of `report`.
    """

    runs: (
        Annotated[
            list[serve_common_v1.RunReference],
            Meta(description="The runs [`latest`].", max_length=100, min_length=1),
        ]
        | UnsetType
    ) = UNSET
    model: (
        Annotated[
            bool, Meta(description="Whether to load the model for the curves [true].")
        ]
        | UnsetType
    ) = UNSET
    group: (
        Annotated[
            str,
            Meta(
                description="Instead of runs, the sweep: its id, a unique prefix, its name, or `latest`.",
                max_length=4096,
                min_length=1,
            ),
        ]
        | UnsetType
    ) = UNSET
    markdown: (
        Annotated[
            bool,
            Meta(description="Whether to return the report as Markdown, too [false]."),
        ]
        | UnsetType
    ) = UNSET


class ReportResult(Struct, kw_only=True, frozen=True, gc=False):
    """
    The page.
    """

    html: Annotated[
        str,
        Meta(
            description="The page, without scripts and without references to other files."
        ),
    ]
    runs: Annotated[
        list[str], Meta(description="Ids of the runs; of a sweep, the best one first.")
    ]
    without_curves: Annotated[
        dict[str, str], Meta(description="Why a run has no curves, by its id.")
    ]
    markdown: (
        Annotated[
            str, Meta(description="The report as Markdown, where that was asked for.")
        ]
        | UnsetType
    ) = UNSET


class ReportMethod(Struct, kw_only=True, frozen=True, gc=False):
    """
    Returns a report on a run, a comparison of several, or a report on a sweep, as one self-contained HTML page.
    """

    method: Literal["report"]
    params: ReportParams
    result: ReportResult
