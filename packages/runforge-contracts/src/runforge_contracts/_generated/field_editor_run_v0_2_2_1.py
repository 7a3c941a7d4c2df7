# Generated from schemas/ by scripts/generate.py; edit the schema, then run `make generate`.
#   filename:  field.editor_run.v0.2.2.1.json

from __future__ import annotations
from msgspec import Struct
from . import common_v1, field_common_v1


class EditorRunV0221(Struct, kw_only=True, frozen=True, gc=False):
    """
    `run.json` of the first editor extensions: a `run.v0.2.2.1` without `schema_version`. Source: specification, section 19.5.
    """

    run_id: common_v1.AnyRunId
    runforge_version: str
    created_at: field_common_v1.FieldTime
    dataset: common_v1.DatasetReference
    label_column: str
    num_samples: common_v1.Count
    num_features: common_v1.Count
    dropped_rows_missing_values: common_v1.Count
    metrics: common_v1.MetricsSnapshot
    artifacts: common_v1.RunArtifacts
