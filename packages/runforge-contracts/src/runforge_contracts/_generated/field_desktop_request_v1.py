# Generated from schemas/ by scripts/generate.py; edit the schema, then run `make generate`.
#   filename:  field.desktop_request.v1.json

from __future__ import annotations
from typing import Annotated, Literal
from msgspec import Meta, Struct, UNSET, UnsetType, field
from . import common_v1, field_common_v1, request_v1


class DesktopRequestV1(Struct, kw_only=True, frozen=True, gc=False):
    """
    `request.json` that the command line of Desktop writes for a run of a sweep: a `request.v1` whose time has no offset, without the number of the member. Source: specification, section 19.9.
    """

    version: Annotated[
        Literal[1], Meta(description="Major version of the request schema.")
    ]
    preset: common_v1.Preset
    dataset: request_v1.RequestDataset
    model: request_v1.RequestModel
    device: request_v1.RequestDevice
    created_at: Annotated[
        field_common_v1.FieldTime, Meta(description="Local time without an offset.")
    ]
    created_by: Annotated[
        str,
        Meta(
            description="Client that wrote the request, as `<client>@<version>`.",
            pattern="^[!-?A-~]+@[!-?A-~]+\\Z",
        ),
    ]
    sweep_group_id: Annotated[
        str, Meta(description="The group of runs that the run belongs to.")
    ]
    field_schema: (
        Annotated[str, Meta(description="URL of this schema.")] | UnsetType
    ) = field(name="$schema", default=UNSET)
    profile: (
        Annotated[
            str,
            Meta(
                description="Name of a training profile; a profile of another model family is an error.",
                min_length=1,
            ),
        ]
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
    name: Annotated[str, Meta(description="Display name.")] | None | UnsetType = UNSET
    tags: (
        Annotated[list[str], Meta(description="Tags for organising runs.")] | UnsetType
    ) = UNSET
    notes: Annotated[str, Meta(description="Free text.")] | None | UnsetType = UNSET
