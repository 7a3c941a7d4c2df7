# Generated from schemas/ by scripts/generate.py; edit the schema, then run `make generate`.
#   filename:  serve.recipe.v1.json

from __future__ import annotations
from typing import Annotated, Literal
from msgspec import Meta, Struct, UNSET, UnsetType
from runforge_contracts import types
from . import serve_common_v1


class RecipeParams(
    Struct, kw_only=True, frozen=True, gc=False, forbid_unknown_fields=True
):
    """
    Parameters of `recipe`.
    """

    dataset: Annotated[serve_common_v1.FilePath, Meta(description="The raw table.")]
    label: (
        Annotated[
            str,
            Meta(
                description="Name of the label column, to propose a recipe.",
                min_length=1,
            ),
        ]
        | UnsetType
    ) = UNSET
    recipe: (
        Annotated[
            serve_common_v1.FilePath,
            Meta(description="Instead of a label, the recipe to read."),
        ]
        | UnsetType
    ) = UNSET
    source: (
        Annotated[
            types.RecipeSource,
            Meta(description="The form of the raw table, for a proposal."),
        ]
        | UnsetType
    ) = UNSET
    actions: (
        Annotated[
            dict[str, Literal["keep", "boolean", "one_hot", "drop"]],
            Meta(
                description="What is done with columns instead of what the recipe that is read says, by their names."
            ),
        ]
        | UnsetType
    ) = UNSET
    output: (
        Annotated[
            serve_common_v1.FilePath,
            Meta(
                description="Where to write a recipe that is proposed or changed; a file that exists is not replaced."
            ),
        ]
        | UnsetType
    ) = UNSET


class RecipeResult(Struct, kw_only=True, frozen=True, gc=False):
    """
    The recipe.
    """

    recipe: types.RecipeV1
    columns: Annotated[
        list[str], Meta(description="Names of the columns of the raw table.")
    ]
    fingerprint_sha256: Annotated[
        types.Sha256, Meta(description="SHA-256 of the raw table.")
    ]


class RecipeMethod(Struct, kw_only=True, frozen=True, gc=False):
    """
    Proposes a recipe for a raw table, or reads or changes one, and returns it with the columns of the table.
    """

    method: Literal["recipe"]
    params: RecipeParams
    result: RecipeResult
