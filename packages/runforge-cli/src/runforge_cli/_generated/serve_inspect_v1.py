# Generated from schemas/ by scripts/generate.py; edit the schema, then run `make generate`.
#   filename:  serve.inspect.v1.json

from __future__ import annotations
from typing import Annotated, Literal
from msgspec import Meta, Struct, UNSET, UnsetType
from runforge_contracts import types
from . import serve_common_v1


class InspectParams(
    Struct, kw_only=True, frozen=True, gc=False, forbid_unknown_fields=True
):
    """
    Parameters of `inspect`.
    """

    dataset: Annotated[serve_common_v1.FilePath, Meta(description="The dataset.")]
    label: (
        Annotated[str, Meta(description="Name of the label column.", min_length=1)]
        | UnsetType
    ) = UNSET
    exclude: (
        Annotated[
            list[str], Meta(description="Columns that are neither label nor feature.")
        ]
        | UnsetType
    ) = UNSET


class InspectMethod(Struct, kw_only=True, frozen=True, gc=False):
    """
    Inspects a dataset before training.
    """

    method: Literal["inspect"]
    params: InspectParams
    result: types.DatasetInspectionV1
