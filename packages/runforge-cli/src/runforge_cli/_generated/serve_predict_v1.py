# Generated from schemas/ by scripts/generate.py; edit the schema, then run `make generate`.
#   filename:  serve.predict.v1.json

from __future__ import annotations
from typing import Annotated, Literal
from msgspec import Meta, Struct, UNSET, UnsetType
from runforge_contracts import types
from . import serve_common_v1


class PredictParams(
    Struct, kw_only=True, frozen=True, gc=False, forbid_unknown_fields=True
):
    """
    Parameters of `predict`.
    """

    model: Annotated[
        serve_common_v1.RunReference,
        Meta(description="A run, or the path of a model file."),
    ]
    data: Annotated[
        serve_common_v1.FilePath,
        Meta(description="The rows: CSV (also `.csv.gz`) or Parquet."),
    ]
    probabilities: (
        Annotated[
            bool,
            Meta(
                description="Whether to return the probability of each class instead of the label."
            ),
        ]
        | UnsetType
    ) = UNSET
    unverified: (
        Annotated[
            bool,
            Meta(
                description="Whether to use a model whose digest no run recorded, once inspected."
            ),
        ]
        | UnsetType
    ) = UNSET


class PredictMethod(Struct, kw_only=True, frozen=True, gc=False):
    """
    Applies the model of a run to the rows of a dataset. The model runs in a process of its own.
    """

    method: Literal["predict"]
    params: PredictParams
    result: types.PredictionV1
