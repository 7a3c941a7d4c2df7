# Generated from schemas/ by scripts/generate.py; edit the schema, then run `make generate`.
#   filename:  request.v1.json

from __future__ import annotations
from typing import Annotated, Any, Literal
from msgspec import Meta, Struct, UNSET, UnsetType, field
from . import common_v1


class RequestDataset(Struct, kw_only=True, frozen=True, gc=False):
    """
    The dataset to train on.
    """

    path: Annotated[
        common_v1.WorkspacePath,
        Meta(description="Path of the dataset, relative to the workspace."),
    ]
    label_column: Annotated[
        str, Meta(description="Name of the label column.", min_length=1)
    ]
    exclude_columns: (
        Annotated[
            list[str], Meta(description="Columns that are neither label nor feature.")
        ]
        | None
        | UnsetType
    ) = UNSET
    recipe: (
        Annotated[
            common_v1.WorkspacePath,
            Meta(
                description="Path of the recipe that is applied to the dataset, relative to the workspace; label and excluded columns are then those of the raw table. Source: specification, section 24.6."
            ),
        ]
        | None
        | UnsetType
    ) = UNSET


class RequestModel(Struct, kw_only=True, frozen=True, gc=False):
    """
    Which model to train.
    """

    family: common_v1.ModelFamily
    hyperparameters: (
        Annotated[
            dict[str, Any],
            Meta(
                description="Hyperparameters by name; they take precedence over preset and profile."
            ),
        ]
        | None
        | UnsetType
    ) = UNSET


class RequestDevice(Struct, kw_only=True, frozen=True, gc=False):
    """
    Where to train.
    """

    type: common_v1.DeviceType
    gpu_reason: (
        Annotated[str, Meta(description="Why a GPU is blocked or unavailable.")]
        | None
        | UnsetType
    ) = UNSET


class RequestV1(Struct, kw_only=True, frozen=True, gc=False):
    """
    Configuration of a run; written before training starts. Unknown fields are ignored when reading and kept when saving, at every depth. Source: specification, section 6.2.
    """

    version: Annotated[
        Literal[1], Meta(description="Major version of the request schema.")
    ]
    preset: common_v1.Preset
    dataset: RequestDataset
    model: RequestModel
    device: RequestDevice
    created_at: common_v1.Timestamp
    created_by: Annotated[
        str,
        Meta(
            description="Client that wrote the request, as `<client>@<version>`.",
            pattern="^[!-?A-~]+@[!-?A-~]+\\Z",
        ),
    ]
    field_schema: (
        Annotated[str, Meta(description="URL of this schema.")] | None | UnsetType
    ) = field(name="$schema", default=UNSET)
    profile: (
        Annotated[
            str,
            Meta(
                description="Name of a training profile; a profile of another model family is an error.",
                min_length=1,
            ),
        ]
        | None
        | UnsetType
    ) = UNSET
    seed: (
        Annotated[
            int,
            Meta(
                description="Seed of the split and of the estimator; 42 when absent.",
                ge=0,
                le=4294967295,
            ),
        ]
        | None
        | UnsetType
    ) = UNSET
    rerun_from: (
        Annotated[
            str,
            Meta(description="Run id of the parent if this is a rerun.", min_length=1),
        ]
        | None
        | UnsetType
    ) = UNSET
    sweep_group_id: (
        Annotated[
            str,
            Meta(
                description="Group of runs that the run belongs to, if it is a member of a sweep. Source: specification, section 20.6.",
                max_length=128,
                min_length=1,
            ),
        ]
        | None
        | UnsetType
    ) = UNSET
    sweep_member: (
        Annotated[
            int,
            Meta(
                description="Number of the run in the plan of its group, from 1. Source: specification, section 20.4.",
                ge=1,
                le=9007199254740991,
            ),
        ]
        | None
        | UnsetType
    ) = UNSET
    name: Annotated[str, Meta(description="Display name.")] | None | UnsetType = UNSET
    tags: (
        Annotated[list[str], Meta(description="Tags for organising runs.")]
        | None
        | UnsetType
    ) = UNSET
    notes: Annotated[str, Meta(description="Free text.")] | None | UnsetType = UNSET
