# Generated from schemas/ by scripts/generate.py; edit the schema, then run `make generate`.
#   filename:  field.desktop_run.v1.json

from __future__ import annotations
from typing import Annotated, Literal
from msgspec import Meta, Struct, UNSET, UnsetType
from . import common_v1, field_common_v1


class DesktopRunV1(Struct, kw_only=True, frozen=True, gc=False):
    """
    `run.json` of Desktop, which shares its name with the run record and nothing else. Source: specification, section 19.8.
    """

    run_id: common_v1.WorkspacePath
    status: Literal["Pending", "Running", "Failed", "Completed", "Cancelled"]
    created_at: field_common_v1.UnixTime
    name: str | UnsetType = UNSET
    device: Literal["CPU", "GPU"] | UnsetType = UNSET
    preset: str | UnsetType = UNSET
    dataset_path: str | UnsetType = UNSET
    output_path: (
        Annotated[str, Meta(description="The folder of the run.")] | UnsetType
    ) = UNSET
    started_at: field_common_v1.UnixTime | None | UnsetType = UNSET
    completed_at: field_common_v1.UnixTime | None | UnsetType = UNSET
    error: str | None | UnsetType = UNSET
    total_epochs: common_v1.Count | UnsetType = UNSET
    batch_size: common_v1.Count | UnsetType = UNSET
    learning_rate: float | UnsetType = UNSET
    num_samples: common_v1.Count | UnsetType = UNSET
    optimizer: str | UnsetType = UNSET
    scheduler: str | UnsetType = UNSET
    pid: Annotated[int, Meta(ge=0, le=9007199254740991)] | None | UnsetType = UNSET
