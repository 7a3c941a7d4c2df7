# Generated from schemas/ by scripts/generate.py; edit the schema, then run `make generate`.
#   filename:  tfc.common.v1.json

from __future__ import annotations
from typing import Annotated, Any, TypeAlias
from msgspec import Meta, Struct, UNSET, UnsetType
from . import common_v1


ExperimentCommon: TypeAlias = Annotated[
    Any,
    Meta(
        description="Definitions shared by the documents of experiments. Source: specification, chapter 17.",
        title="ExperimentCommon",
    ),
]


ExperimentRunId: TypeAlias = Annotated[
    str,
    Meta(
        description="Id of an experiment's run and name of its folder: the UTC day and the number of the run on that day. Source: specification, section 17.4.",
        pattern="^run-[0-9]{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12][0-9]|3[01])-(?:[0-9]{3}|[1-9][0-9]{3,8})\\Z",
        title="ExperimentRunId",
    ),
]


Instant: TypeAlias = Annotated[
    str,
    Meta(
        description="An instant in ISO 8601 with its offset from UTC; RunForge writes `Z`. Source: specification, sections 2.5 and 17.3.",
        pattern="^[0-9]{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12][0-9]|3[01])T(?:[01][0-9]|2[0-3]):[0-5][0-9]:(?:[0-5][0-9]|60)(?:\\.[0-9]{1,9})?(?:Z|[+-](?:[01][0-9]|2[0-3]):?[0-5][0-9])\\Z",
        title="Instant",
    ),
]


class Training(Struct, kw_only=True, frozen=True, gc=False):
    """
    Configuration of the training, including any other values that the user's code needs. Source: specification, section 17.3.
    """

    epochs: (
        Annotated[common_v1.Count, Meta(description="Passes over the data.")]
        | None
        | UnsetType
    ) = UNSET
    batch_size: (
        Annotated[common_v1.Count, Meta(description="Examples of one step.")]
        | None
        | UnsetType
    ) = UNSET
    optimizer: (
        Annotated[str, Meta(description="Name of the optimizer.")] | None | UnsetType
    ) = UNSET


class RunCommand(Struct, kw_only=True, frozen=True, gc=False):
    """
    How user code starts: exactly one of a script, a module and a command. Source: specification, sections 17.2 and 17.6.
    """

    script: (
        Annotated[
            str,
            Meta(
                description="Python program, relative to the root of the repository; `--config PATH` follows its arguments, unless `config_argument` is false.",
                min_length=1,
            ),
        ]
        | None
        | UnsetType
    ) = UNSET
    module: (
        Annotated[
            str,
            Meta(
                description="Python module, as after `python -m`; `--config PATH` follows its arguments, unless `config_argument` is false.",
                min_length=1,
            ),
        ]
        | None
        | UnsetType
    ) = UNSET
    command: (
        Annotated[
            list[str],
            Meta(
                description="Program and arguments of any kind, no shell in between.",
                min_length=1,
            ),
        ]
        | None
        | UnsetType
    ) = UNSET
    args: (
        Annotated[
            list[str],
            Meta(
                description="Arguments of the script, module or command. In these and in `command`, `{training.lr}` is replaced by the value of the configuration with this dotted name, `{config}` by the path of the configuration, `{run_id}` by the id of the run and `{{name}}` by the string `{name}`."
            ),
        ]
        | None
        | UnsetType
    ) = UNSET
    config_argument: (
        Annotated[
            bool,
            Meta(
                description="Whether `--config PATH` follows the arguments of a script or module; true where it is absent. A command uses `{config}` instead."
            ),
        ]
        | None
        | UnsetType
    ) = UNSET


Seed: TypeAlias = Annotated[
    int,
    Meta(
        description="Random seed.",
        ge=-9007199254740991,
        le=9007199254740991,
        title="Seed",
    ),
]
