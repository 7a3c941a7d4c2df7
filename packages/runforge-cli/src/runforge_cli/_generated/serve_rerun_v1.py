# Generated from schemas/ by scripts/generate.py; edit the schema, then run `make generate`.
#   filename:  serve.rerun.v1.json

from __future__ import annotations
from typing import Annotated, Any, Literal
from msgspec import Meta, Struct, UNSET, UnsetType
from runforge_contracts import types
from . import serve_common_v1


class RerunParams(
    Struct, kw_only=True, frozen=True, gc=False, forbid_unknown_fields=True
):
    """
    Parameters of `rerun`.
    """

    run: Annotated[serve_common_v1.RunReference, Meta(description="The run to repeat.")]
    dataset: (
        Annotated[
            serve_common_v1.FilePath, Meta(description="Current path of the dataset.")
        ]
        | UnsetType
    ) = UNSET
    recipe: (
        Annotated[
            serve_common_v1.FilePath,
            Meta(
                description="Path of a recipe to apply instead of the one of the run."
            ),
        ]
        | UnsetType
    ) = UNSET
    without_recipe: (
        Annotated[
            bool,
            Meta(
                description="Whether to train on the dataset without the recipe of the run."
            ),
        ]
        | UnsetType
    ) = UNSET
    preset: types.Preset | UnsetType = UNSET
    profile: (
        Annotated[
            str, Meta(description="`default`, `fast` or `thorough`.", min_length=1)
        ]
        | UnsetType
    ) = UNSET
    model: types.ModelFamily | UnsetType = UNSET
    hyperparameters: (
        Annotated[
            dict[str, Any],
            Meta(
                description="Hyperparameters by name; they take precedence over preset and profile."
            ),
        ]
        | UnsetType
    ) = UNSET
    seed: (
        Annotated[int, Meta(description="Random seed.", ge=0, le=4294967295)]
        | UnsetType
    ) = UNSET
    device: types.DeviceType | UnsetType = UNSET
    exclude: (
        Annotated[
            list[str],
            Meta(description="Columns to exclude beside those that the run excluded."),
        ]
        | UnsetType
    ) = UNSET
    include: (
        Annotated[list[str], Meta(description="Columns to use that the run excluded.")]
        | UnsetType
    ) = UNSET
    name: Annotated[str, Meta(description="Display name.")] | UnsetType = UNSET
    tags: Annotated[list[str], Meta(description="Tags.")] | UnsetType = UNSET
    notes: Annotated[str, Meta(description="Free text.")] | UnsetType = UNSET
    private: (
        Annotated[
            bool,
            Meta(
                description="Whether to omit from the record what identifies you or the machine."
            ),
        ]
        | UnsetType
    ) = UNSET


class RerunMethod(Struct, kw_only=True, frozen=True, gc=False):
    """
    Repeats a run, with or without changes.
    """

    method: Literal["rerun"]
    params: RerunParams
    result: serve_common_v1.RunOutcome
