# Generated from schemas/ by scripts/generate.py; edit the schema, then run `make generate`.
#   filename:  run.v0.2.2.1.json

from __future__ import annotations
from typing import Annotated, Literal
from msgspec import Meta, Struct, UNSET, UnsetType
from . import common_v1


class RunV0221(Struct, kw_only=True, frozen=True, gc=False):
    """
    Record of a completed training, as written by the observability release. Source: specification, section 8.1.
    """

    schema_version: Literal["run.v0.2.2.1"]
    run_id: common_v1.AnyRunId
    created_at: Annotated[
        common_v1.Timestamp, Meta(description="When training completed.")
    ]
    dataset: common_v1.DatasetReference
    label_column: Annotated[
        str, Meta(description="Name of the label column.", min_length=1)
    ]
    num_features: Annotated[common_v1.Count, Meta(description="Feature columns used.")]
    dropped_rows_missing_values: Annotated[
        common_v1.Count,
        Meta(description="Rows dropped because a used column had no value."),
    ]
    metrics: common_v1.MetricsSnapshot
    artifacts: common_v1.RunArtifacts
    runforge_version: (
        Annotated[
            str,
            Meta(
                description="Version of the client or engine that produced the run.",
                min_length=1,
            ),
        ]
        | UnsetType
    ) = UNSET
    num_samples: (
        Annotated[
            common_v1.Count,
            Meta(
                description="Rows used, after those with missing values were dropped."
            ),
        ]
        | UnsetType
    ) = UNSET
