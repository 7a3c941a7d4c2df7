# Generated from schemas/ by scripts/generate.py; edit the schema, then run `make generate`.
#   filename:  artifact_inspection.v0.2.2.2.json

from __future__ import annotations
from msgspec import Meta, Struct
from typing import Annotated, Literal
from . import common_v1


class PipelineStep(Struct, kw_only=True, frozen=True, gc=False):
    """
    A step of the pipeline.
    """

    name: str
    type: str
    module: str


class ArtifactInspectionV0222(Struct, kw_only=True, frozen=True, gc=False):
    """
    What a model file holds, found without running it. Source: RunForge guarantees, Pipeline Inspection.
    """

    schema_version: Literal["0.2.2.2"]
    artifact_path: str
    pipeline_steps: Annotated[list[PipelineStep], Meta(description="Steps in order.")]
    has_preprocessing: bool
    step_count: common_v1.Count
