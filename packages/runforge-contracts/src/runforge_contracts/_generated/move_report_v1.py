# Generated from schemas/ by scripts/generate.py; edit the schema, then run `make generate`.
#   filename:  move_report.v1.json

from __future__ import annotations
from typing import Annotated, Literal
from msgspec import Meta, Struct
from . import common_v1


class MoveReportV1(Struct, kw_only=True, frozen=True, gc=False):
    """
    Where a store went, as `runforge store move --json` prints it. Source: specification, section 5.12.
    """

    schema_version: Literal["move_report.v1"]
    dry_run: Annotated[
        bool,
        Meta(
            description="Whether nothing was written, because only the plan was asked for."
        ),
    ]
    outcome: Annotated[
        Literal["moved", "present"],
        Meta(
            description="`moved`: it was moved, or would be without `--dry-run`. `present`: it was there already."
        ),
    ]
    store: Annotated[str, Meta(description="The store, relative to the workspace.")]
    source: Annotated[
        str,
        Meta(
            description="The folder in which the store was: an absolute path.",
            min_length=1,
        ),
    ]
    target: Annotated[
        str,
        Meta(
            description="The folder in which it is now: an absolute path.", min_length=1
        ),
    ]
    files: Annotated[common_v1.Count, Meta(description="The number of its files.")]
    bytes: Annotated[common_v1.Count, Meta(description="The size of its files.")]
    kept: Annotated[
        list[str],
        Meta(
            description="Files of the earlier place that stay, because the store has no such file or another one: absolute paths."
        ),
    ]
