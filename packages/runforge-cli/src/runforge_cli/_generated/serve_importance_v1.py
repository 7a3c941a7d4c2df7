# Generated from schemas/ by scripts/generate.py; edit the schema, then run `make generate`.
#   filename:  serve.importance.v1.json

from __future__ import annotations
from msgspec import Meta, Struct, UNSET, UnsetType
from typing import Annotated, Literal
from runforge_contracts import types
from . import serve_common_v1


class ImportanceParams(
    Struct, kw_only=True, frozen=True, gc=False, forbid_unknown_fields=True
):
    """
    Parameters of `importance`.
    """

    run: (
        Annotated[serve_common_v1.RunReference, Meta(description="The run [`latest`].")]
        | UnsetType
    ) = UNSET


class ImportanceMethod(Struct, kw_only=True, frozen=True, gc=False):
    """
    Returns the feature importances of a forest.
    """

    method: Literal["importance"]
    params: ImportanceParams
    result: types.FeatureImportanceV1
