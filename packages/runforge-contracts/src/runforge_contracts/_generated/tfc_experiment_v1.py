# Generated from schemas/ by scripts/generate.py; edit the schema, then run `make generate`.
#   filename:  tfc.experiment.v1.json

from __future__ import annotations
from typing import Annotated
from msgspec import Meta, Struct, UNSET, UnsetType
from . import tfc_common_v1


class ExperimentV1(Struct, kw_only=True, frozen=True, gc=False):
    """
    An experiment: the code to run and its configuration. All other fields are passed to user code. Source: specification, section 17.2.
    """

    experiment: Annotated[
        str, Meta(description="Name of the experiment.", min_length=1)
    ]
    model: (
        Annotated[
            str,
            Meta(
                description="The model by name and version, such as `resnet50:v1`; `runforge/<family>` is trained by RunForge itself."
            ),
        ]
        | None
        | UnsetType
    ) = UNSET
    dataset: (
        Annotated[
            str,
            Meta(
                description="The dataset by name and version, or its path in the repository."
            ),
        ]
        | None
        | UnsetType
    ) = UNSET
    run: tfc_common_v1.RunCommand | None | UnsetType = UNSET
    configs: (
        Annotated[
            list[str],
            Meta(
                description="Files of configuration that are merged in this order, below the values of the experiment itself."
            ),
        ]
        | None
        | UnsetType
    ) = UNSET
    datasets: (
        Annotated[
            dict[str, str],
            Meta(
                description="Paths in the repository by the names that `dataset` may have, such as `penguins:v1`."
            ),
        ]
        | None
        | UnsetType
    ) = UNSET
    models: (
        Annotated[
            dict[str, str],
            Meta(
                description="Paths in the repository by the names that `model` may have."
            ),
        ]
        | None
        | UnsetType
    ) = UNSET
    environment: (
        Annotated[
            dict[str, str | None],
            Meta(
                description="Environment variables that the run depends on, with their values where none is set; null: it must be set. A value that looks like a secret is not recorded."
            ),
        ]
        | None
        | UnsetType
    ) = UNSET
    secret_environment: (
        Annotated[
            list[str],
            Meta(
                description="Environment variables that must be set and whose values are never recorded."
            ),
        ]
        | None
        | UnsetType
    ) = UNSET
    recorded_environment: (
        Annotated[
            list[str],
            Meta(
                description="Declared environment variables whose values are recorded although they look like secrets."
            ),
        ]
        | None
        | UnsetType
    ) = UNSET
    training: tfc_common_v1.Training | None | UnsetType = UNSET
    seed: tfc_common_v1.Seed | None | UnsetType = UNSET
    notes: Annotated[str, Meta(description="Free text.")] | None | UnsetType = UNSET
    log_txt: (
        Annotated[
            bool,
            Meta(
                description="Whether the finished log of the run is also written as `log.txt`, which other tools look for."
            ),
        ]
        | None
        | UnsetType
    ) = UNSET
    copy_models: (
        Annotated[
            dict[str, str],
            Meta(
                description="Where artifacts of a run that succeeded are copied to, by their paths in the run folder."
            ),
        ]
        | None
        | UnsetType
    ) = UNSET
