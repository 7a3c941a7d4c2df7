# Generated from schemas/ by scripts/generate.py; edit the schema, then run `make generate`.
#   filename:  serve.common.v1.json

from __future__ import annotations
from typing import Annotated, Any, TypeAlias
from msgspec import Meta, Struct, UNSET, UnsetType
from runforge_contracts import types


ServeCommon: TypeAlias = Annotated[
    Any,
    Meta(
        description="Definitions that the messages of `runforge serve` share.",
        title="ServeCommon",
    ),
]


RequestIdInteger: TypeAlias = Annotated[
    int, Meta(ge=-9007199254740991, le=9007199254740991)
]


RequestIdString: TypeAlias = Annotated[str, Meta(max_length=1024)]


RequestId: TypeAlias = Annotated[
    RequestIdInteger | RequestIdString,
    Meta(
        description="Id of a request: an integer or a string, which no other open request of the client has.",
        title="RequestId",
    ),
]


RunReference: TypeAlias = Annotated[
    str,
    Meta(
        description="A run: its id, a unique prefix of it, `latest`, or the path of its folder.",
        max_length=4096,
        min_length=1,
        title="RunReference",
    ),
]


FilePath: TypeAlias = Annotated[
    str,
    Meta(
        description="Path of a file or folder; a relative one starts at the workspace.",
        max_length=4096,
        min_length=1,
        title="FilePath",
    ),
]


class RunEntry(Struct, kw_only=True, frozen=True, gc=False):
    """
    A run of a list: an entry of the index, or one made from the documents of the run.
    """

    run_id: Annotated[str, Meta(description="Id of the run.")]
    run_dir: Annotated[
        str,
        Meta(
            description="The run folder, relative to the workspace if it is inside it."
        ),
    ]
    created_at: (
        Annotated[str, Meta(description="When the run was made.")] | UnsetType
    ) = UNSET
    status: (
        Annotated[str, Meta(description="How the run ended; absent while it has not.")]
        | UnsetType
    ) = UNSET
    state: (
        Annotated[
            str,
            Meta(
                description="What became of a run without a status: `running`, `interrupted` or `incomplete`; `missing` of every run whose folder is missing."
            ),
        ]
        | UnsetType
    ) = UNSET
    kind: (
        Annotated[
            str,
            Meta(
                description="`experiment` for a run of a script; absent for a run that RunForge trained."
            ),
        ]
        | UnsetType
    ) = UNSET
    aliases: (
        Annotated[
            list[str],
            Meta(
                description="Aliases that point at the run; absent if there are none. Source: specification, section 5.11."
            ),
        ]
        | UnsetType
    ) = UNSET
    name: Annotated[str, Meta(description="Display name.")] | UnsetType = UNSET
    preset_id: (
        Annotated[str, Meta(description="Preset of the request.")] | UnsetType
    ) = UNSET
    model_family: (
        Annotated[
            str,
            Meta(description="Model family, or the model that an experiment names."),
        ]
        | UnsetType
    ) = UNSET
    label_column: (
        Annotated[str, Meta(description="Name of the label column.")] | UnsetType
    ) = UNSET
    summary: (
        Annotated[
            dict[str, Any], Meta(description="Duration, device and final metrics.")
        ]
        | UnsetType
    ) = UNSET


class RunOutcome(Struct, kw_only=True, frozen=True, gc=False):
    """
    How a run ended, as the `--json` of `train` prints it. A run that failed or was cancelled has one, too.
    """

    run_id: types.AnyRunId
    run_dir: Annotated[
        str,
        Meta(
            description="The run folder, relative to the workspace if it is inside it."
        ),
    ]
    status: types.Status
    result: Annotated[
        types.ResultV1, Meta(description="The `result.json` of the run.")
    ]
    dataset_changed: (
        Annotated[
            dict[str, Any],
            Meta(
                description="Of `rerun`: the SHA-256 of the dataset `before` and `after`, if its bytes have changed."
            ),
        ]
        | UnsetType
    ) = UNSET
    recipe_changed: (
        Annotated[
            dict[str, Any],
            Meta(
                description="Of `rerun`: the SHA-256 of the recipe `before` and `after`, if both runs have one and its bytes have changed."
            ),
        ]
        | UnsetType
    ) = UNSET
