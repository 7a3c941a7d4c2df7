# Generated from schemas/ by scripts/generate.py; edit the schema, then run `make generate`.
#   filename:  tfc.system.v1.json

from __future__ import annotations
from msgspec import Meta, Struct, UNSET, UnsetType
from typing import Annotated


class Hardware(Struct, kw_only=True, frozen=True, gc=False):
    """
    The machine, as far as it could be determined.
    """

    cpu: (
        Annotated[str, Meta(description="Name of the processor.")] | None | UnsetType
    ) = UNSET
    gpus: (
        Annotated[list[str], Meta(description="Names of the graphics processors.")]
        | None
        | UnsetType
    ) = UNSET
    ram_gb: (
        Annotated[float, Meta(description="Memory in gigabytes.", ge=0.0)]
        | None
        | UnsetType
    ) = UNSET


class ExperimentSystemV1(Struct, kw_only=True, frozen=True, gc=False):
    """
    The environment that a run was executed in. Source: specification, section 17.8.
    """

    os: Annotated[str, Meta(description="Operating system and version.")]
    python: Annotated[str, Meta(description="Version of Python.")]
    frameworks: Annotated[
        dict[str, str],
        Meta(
            description="Versions of the installed machine learning frameworks by name."
        ),
    ]
    hardware: Hardware | None | UnsetType = UNSET
