# Generated from schemas/ by scripts/generate.py; edit the schema, then run `make generate`.
#   filename:  serve.metrics.v1.json

from __future__ import annotations
from msgspec import Meta, Struct, UNSET, UnsetType
from typing import Annotated, Literal
from . import serve_common_v1


class MetricsParams(
    Struct, kw_only=True, frozen=True, gc=False, forbid_unknown_fields=True
):
    """
    Parameters of `metrics`.
    """

    run: (
        Annotated[serve_common_v1.RunReference, Meta(description="The run [`latest`].")]
        | UnsetType
    ) = UNSET


class MetricsResult(Struct, kw_only=True, frozen=True, gc=False):
    """
    A `metrics.v1`, or the few metrics by name of an older or another client.
    """

    schema_version: (
        Annotated[str, Meta(description="`metrics.v1`; absent for few metrics.")]
        | UnsetType
    ) = UNSET
    accuracy: (
        Annotated[
            float,
            Meta(
                description="Fraction of validation rows that were predicted correctly."
            ),
        ]
        | UnsetType
    ) = UNSET


class MetricsMethod(Struct, kw_only=True, frozen=True, gc=False):
    """
    Returns the metrics of a run.
    """

    method: Literal["metrics"]
    params: MetricsParams
    result: MetricsResult
