# Generated from schemas/ by scripts/generate.py; edit the schema, then run `make generate`.
#   filename:  field.index_array.v1.json

from __future__ import annotations
from msgspec import Meta, Struct, UNSET, UnsetType
from . import common_v1, field_common_v1
from typing import Annotated, TypeAlias


class IndexArraySummary(Struct, kw_only=True, frozen=True, gc=False):
    """
    A run at a glance.
    """

    duration_ms: common_v1.Count | UnsetType = UNSET
    final_metrics: dict[str, float] | UnsetType = UNSET
    device: str | UnsetType = UNSET


class IndexArrayEntry(Struct, kw_only=True, frozen=True, gc=False):
    """
    One run, with the members that its client knew.
    """

    run_id: common_v1.AnyRunId
    run_dir: common_v1.WorkspacePath
    created_at: field_common_v1.FieldTime | UnsetType = UNSET
    name: str | UnsetType = UNSET
    preset_id: str | UnsetType = UNSET
    status: str | UnsetType = UNSET
    summary: IndexArraySummary | UnsetType = UNSET
    dataset_fingerprint_sha256: common_v1.Sha256 | UnsetType = UNSET
    label_column: str | UnsetType = UNSET
    model_pkl: common_v1.WorkspacePath | UnsetType = UNSET


IndexArrayV1: TypeAlias = Annotated[
    list[IndexArrayEntry],
    Meta(
        description="Index without a version: an array of entries, of the editor extension 0.4.3 or as Desktop reads it. Source: specification, section 19.6.",
        examples=[
            [
                {
                    "run_id": "20260116-111500-5e6f7a8b",
                    "created_at": "2026-01-16T11:15:02.417093+00:00",
                    "name": "Baseline",
                    "preset_id": "std-train",
                    "status": "succeeded",
                    "summary": {
                        "duration_ms": 2417,
                        "final_metrics": {"accuracy": 0.92},
                        "device": "cpu",
                    },
                    "run_dir": ".ml/runs/20260116-121500-baseline-3f2a",
                }
            ]
        ],
        title="IndexArrayV1",
    ),
]
"""
Index without a version: an array of entries, of the editor extension 0.4.3 or as Desktop reads it. Source: specification, section 19.6.
"""
