# Generated from schemas/ by scripts/generate.py; edit the schema, then run `make generate`.
#   filename:  import_report.v1.json

from __future__ import annotations
from typing import Annotated, Literal
from msgspec import Meta, Struct, UNSET, UnsetType
from . import common_v1, tfc_config_v1


class LeftOutSum(Struct, kw_only=True, frozen=True, gc=False):
    """
    What was left out or changed, over all runs that were added.
    """

    what: Annotated[
        Literal[
            "metrics",
            "parameters",
            "tags",
            "artifacts",
            "times",
            "names",
            "datasets",
            "models",
        ],
        Meta(description="What it concerns."),
    ]
    count: common_v1.Count
    runs: Annotated[
        common_v1.Count, Meta(description="The number of runs that it concerns.")
    ]


class ImportedItem(Struct, kw_only=True, frozen=True, gc=False):
    """
    A run of the tracking store, and what happened to it.
    """

    source_id: Annotated[
        str, Meta(description="Its id in the other tool.", min_length=1)
    ]
    experiment: Annotated[str, Meta(description="Name of its experiment.")]
    outcome: Annotated[
        Literal[
            "added", "present", "changed", "unfinished", "deleted", "removed", "refused"
        ],
        Meta(
            description="`added`: it is a run now. `present`: it was before. `changed`: it was imported before, and is another one there now; the run here stays as it is. `unfinished`: it has not ended. `deleted`: it was deleted in the other tool. `removed`: it was imported and forgotten or archived here; it is not brought back. `refused`: it cannot be read or recorded."
        ),
    ]
    name: (
        Annotated[str, Meta(description="Its name; absent if it has none.")] | UnsetType
    ) = UNSET
    run_id: (
        Annotated[
            str,
            Meta(description="Its id here; absent where it has none.", min_length=1),
        ]
        | UnsetType
    ) = UNSET
    path: (
        Annotated[
            str,
            Meta(
                description="The folder of the run, relative to the workspace.",
                min_length=1,
            ),
        ]
        | UnsetType
    ) = UNSET
    differences: (
        Annotated[
            list[Literal["record", "values", "artifacts"]],
            Meta(description="What changed in the other tool."),
        ]
        | UnsetType
    ) = UNSET
    reason: (
        Annotated[str, Meta(description="Why it was refused.", min_length=1)]
        | UnsetType
    ) = UNSET
    left_out: (
        Annotated[
            list[tfc_config_v1.LeftOut],
            Meta(description="What is not in the run, or has another form there."),
        ]
        | UnsetType
    ) = UNSET


class ImportReportV1(Struct, kw_only=True, frozen=True, gc=False):
    """
    What was imported from another tool, as `runforge import --json` prints it. Source: specification, section 17.15.
    """

    schema_version: Literal["import_report.v1"]
    tool: Annotated[Literal["mlflow"], Meta(description="The other tool.")]
    source: Annotated[
        str, Meta(description="The tracking store, as an absolute path.", min_length=1)
    ]
    outcome: Annotated[
        Literal["imported", "present"],
        Meta(
            description="`imported`: runs were added, or would be without `--dry-run`. `present`: there was nothing to add."
        ),
    ]
    dry_run: Annotated[
        bool,
        Meta(
            description="Whether nothing was written, because only the plan was asked for."
        ),
    ]
    items: Annotated[
        list[ImportedItem],
        Meta(
            description="The runs of the tracking store, in the order in which they started."
        ),
    ]
    left_out: Annotated[
        list[LeftOutSum],
        Meta(
            description="The sum of what is not in the added runs, or has another form there."
        ),
    ]
    notes: Annotated[
        list[str],
        Meta(
            description="What was noticed about the tracking store itself, one sentence each."
        ),
    ]
