# Generated from schemas/ by scripts/generate.py; edit the schema, then run `make generate`.
#   filename:  serve.reproduce.v1.json

from __future__ import annotations
from msgspec import Meta, Struct, UNSET, UnsetType
from typing import Annotated, Literal
from runforge_contracts import types
from . import serve_common_v1


class ReproduceParams(
    Struct, kw_only=True, frozen=True, gc=False, forbid_unknown_fields=True
):
    """
    Parameters of `reproduce`.
    """

    run: (
        Annotated[serve_common_v1.RunReference, Meta(description="The run [`latest`].")]
        | UnsetType
    ) = UNSET
    dataset: (
        Annotated[
            serve_common_v1.FilePath, Meta(description="Current path of the dataset.")
        ]
        | UnsetType
    ) = UNSET
    numerics: (
        Annotated[
            Literal["recorded", "here"],
            Meta(
                description="Use the recorded kernels and threads [default], or those of this machine."
            ),
        ]
        | UnsetType
    ) = UNSET
    keep: (
        Annotated[
            serve_common_v1.FilePath,
            Meta(description="Keep the new run in this folder."),
        ]
        | UnsetType
    ) = UNSET


class ReproduceMethod(Struct, kw_only=True, frozen=True, gc=False):
    """
    Trains a run again from its record, in a process of its own and outside the store, and compares.
    """

    method: Literal["reproduce"]
    params: ReproduceParams
    result: types.ReproductionV1
