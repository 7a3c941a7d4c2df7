# Generated from schemas/ by scripts/generate.py; edit the schema, then run `make generate`.
#   filename:  serve.run.v1.json

from __future__ import annotations
from msgspec import Meta, Struct, UNSET, UnsetType
from typing import Annotated, Literal
from runforge_contracts import types
from . import serve_common_v1


class RunParams(
    Struct, kw_only=True, frozen=True, gc=False, forbid_unknown_fields=True
):
    """
    Parameters of `run`.
    """

    request: (
        Annotated[types.RequestV1, Meta(description="The request.")] | UnsetType
    ) = UNSET
    path: (
        Annotated[
            serve_common_v1.FilePath,
            Meta(description="File that contains the request."),
        ]
        | UnsetType
    ) = UNSET
    private: (
        Annotated[
            bool,
            Meta(
                description="Whether to omit from the record what identifies you or the machine."
            ),
        ]
        | UnsetType
    ) = UNSET
    dataset_sha256: (
        Annotated[
            types.Sha256,
            Meta(
                description="SHA-256 that the dataset must have: other bytes are not trained on."
            ),
        ]
        | UnsetType
    ) = UNSET


class RunMethod(Struct, kw_only=True, frozen=True, gc=False):
    """
    Executes a request document, given as an object or as a file.
    """

    method: Literal["run"]
    params: RunParams
    result: serve_common_v1.RunOutcome
