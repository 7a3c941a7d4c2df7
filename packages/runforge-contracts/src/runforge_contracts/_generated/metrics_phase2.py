# Generated from schemas/ by scripts/generate.py; edit the schema, then run `make generate`.
#   filename:  metrics.phase2.json

from __future__ import annotations
from typing import Annotated
from msgspec import Meta, Struct
from . import common_v1


class MetricsPhase2(
    Struct, kw_only=True, frozen=True, gc=False, forbid_unknown_fields=True
):
    """
    Exactly three metrics; frozen. Source: specification, section 9.1.
    """

    accuracy: Annotated[
        common_v1.Fraction,
        Meta(description="Fraction of validation rows that were predicted correctly."),
    ]
    num_samples: Annotated[
        common_v1.Count,
        Meta(description="Rows used, after those with missing values were dropped."),
    ]
    num_features: Annotated[common_v1.Count, Meta(description="Feature columns used.")]
