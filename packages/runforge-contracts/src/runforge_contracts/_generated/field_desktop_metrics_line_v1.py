# Generated from schemas/ by scripts/generate.py; edit the schema, then run `make generate`.
#   filename:  field.desktop_metrics_line.v1.json

from __future__ import annotations
from msgspec import Meta, Struct, UNSET, UnsetType
from typing import Annotated
from . import common_v1, field_common_v1


class DesktopMetricsLineV1(Struct, kw_only=True, frozen=True, gc=False):
    """
    One line of `metrics.jsonl` of Desktop. Source: specification, section 19.8.
    """

    step: common_v1.Count
    epoch: common_v1.Count
    loss: float
    lr: Annotated[float, Meta(description="Learning rate.")] | UnsetType = UNSET
    time: field_common_v1.UnixTime | UnsetType = UNSET
