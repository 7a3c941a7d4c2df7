# Generated from schemas/ by scripts/generate.py; edit the schema, then run `make generate`.
#   filename:  serve.evaluate.v1.json

from __future__ import annotations
from typing import Annotated, Literal
from msgspec import Meta, Struct, UNSET, UnsetType
from runforge_contracts import types
from . import serve_common_v1


class EvaluateParams(
    Struct, kw_only=True, frozen=True, gc=False, forbid_unknown_fields=True
):
    """
    Parameters of `evaluate`.
    """

    run: Annotated[
        serve_common_v1.RunReference,
        Meta(description="The run whose model is evaluated."),
    ]
    data: Annotated[
        serve_common_v1.FilePath,
        Meta(description="The labelled rows: CSV (also `.csv.gz`) or Parquet."),
    ]
    label: (
        Annotated[
            str,
            Meta(
                description="The column of the labels [that of the run].", min_length=1
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
    private: (
        Annotated[
            bool,
            Meta(
                description="Whether to omit the folder of a dataset outside the workspace, and the content of cells."
            ),
        ]
        | UnsetType
    ) = UNSET


class EvaluateMethod(Struct, kw_only=True, frozen=True, gc=False):
    """
    Evaluates the model of a run on labelled rows, and records the evaluation in the store. The model runs in a process of its own.
    """

    method: Literal["evaluate"]
    params: EvaluateParams
    result: types.EvaluationReportV1
