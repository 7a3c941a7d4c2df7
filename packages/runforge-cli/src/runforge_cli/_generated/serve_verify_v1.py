# Generated from schemas/ by scripts/generate.py; edit the schema, then run `make generate`.
#   filename:  serve.verify.v1.json

from __future__ import annotations
from msgspec import Meta, Struct, UNSET, UnsetType
from typing import Annotated, Literal
from runforge_contracts import types
from . import serve_common_v1


class VerifyParams(
    Struct, kw_only=True, frozen=True, gc=False, forbid_unknown_fields=True
):
    """
    Parameters of `verify`.
    """

    runs: (
        Annotated[
            list[serve_common_v1.RunReference],
            Meta(
                description="The runs; absent for every run, the index and the signatures.",
                max_length=10000,
                min_length=1,
            ),
        ]
        | UnsetType
    ) = UNSET
    public_key: (
        Annotated[
            serve_common_v1.FilePath,
            Meta(description="Require signatures by the matching private key."),
        ]
        | UnsetType
    ) = UNSET
    dataset: (
        Annotated[bool, Meta(description="Whether to check the datasets [true].")]
        | UnsetType
    ) = UNSET


class VerifyMethod(Struct, kw_only=True, frozen=True, gc=False):
    """
    Checks whether runs, or everything in the workspace, are unchanged.
    """

    method: Literal["verify"]
    params: VerifyParams
    result: types.VerificationV1
