# Generated from schemas/ by scripts/generate.py; edit the schema, then run `make generate`.
#   filename:  serve.train.v1.json

from __future__ import annotations
from typing import Annotated, Any, Literal
from msgspec import Meta, Struct, UNSET, UnsetType
from runforge_contracts import types
from . import serve_common_v1


class TrainParams(
    Struct, kw_only=True, frozen=True, gc=False, forbid_unknown_fields=True
):
    """
    Parameters of `train`.
    """

    dataset: Annotated[
        serve_common_v1.FilePath,
        Meta(description="The dataset: CSV (also `.csv.gz`) or Parquet."),
    ]
    label: Annotated[str, Meta(description="Name of the label column.", min_length=1)]
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
            list[str], Meta(description="Columns that are neither label nor feature.")
        ]
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
    recipe: (
        Annotated[
            serve_common_v1.FilePath,
            Meta(
                description="Path of the recipe that is applied to the dataset, as `runforge prepare` writes it."
            ),
        ]
        | UnsetType
    ) = UNSET


class TrainMethod(Struct, kw_only=True, frozen=True, gc=False):
    """
    Trains on a dataset and records the run. Sends `progress`; a failed or cancelled run has a result, too.
    """

    method: Literal["train"]
    params: TrainParams
    result: serve_common_v1.RunOutcome
