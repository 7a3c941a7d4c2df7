# Generated from schemas/ by scripts/generate.py; edit the schema, then run `make generate`.
#   filename:  run_removal.v1.json

from __future__ import annotations
from msgspec import Meta, Struct, UNSET, UnsetType
from typing import Annotated, Literal, TypeAlias
from . import common_v1


class RemovedRun(Struct, kw_only=True, frozen=True, gc=False):
    """
    What lists showed of a run that the index does not list.
    """

    name: (
        Annotated[
            str,
            Meta(description="Display name; of an experiment's run, the experiment."),
        ]
        | UnsetType
    ) = UNSET
    created_at: common_v1.Timestamp | UnsetType = UNSET
    status: common_v1.Status | UnsetType = UNSET
    dataset_fingerprint_sha256: common_v1.Sha256 | UnsetType = UNSET


class RunArchive(Struct, kw_only=True, frozen=True, gc=False):
    """
    The archive that has the run.
    """

    name: Annotated[
        str,
        Meta(
            description="The path of the archive as it was given; archives may have been moved since.",
            max_length=4096,
            min_length=1,
        ),
    ]
    sha256: (
        Annotated[
            common_v1.Sha256,
            Meta(description="Digest of the archive, if it is one file."),
        ]
        | UnsetType
    ) = UNSET


AlsoRemoved: TypeAlias = Annotated[
    dict[str, common_v1.FileDigest],
    Meta(
        description="Digest and size of files outside the folder that were removed with it, by their path in the store: documents of evaluations, and copies of datasets and recipes. Of an archived run, the archive has the copies.",
        min_length=1,
        title="AlsoRemoved",
    ),
]


class RunRemovalV1(Struct, kw_only=True, frozen=True, gc=False):
    """
    One line of `removals.jsonl`, the append-only record of the runs that were forgotten, archived and restored (JSON Lines). Source: specification, section 25.1.
    """

    schema_version: Literal["run_removal.v1"]
    action: Annotated[
        Literal["forgotten", "archived", "restored"],
        Meta(
            description="What was decided. The last line about a run decides: `restored` says that its folder is here again."
        ),
    ]
    run_id: common_v1.AnyRunId
    kind: Annotated[
        Literal["trained", "experiment"],
        Meta(description="Whether RunForge trained the model or an experiment ran."),
    ]
    recorded_at: common_v1.Timestamp
    files: Annotated[
        common_v1.FileDigests,
        Meta(
            description="Digest and size of every file of the folder when the line was written."
        ),
    ]
    previous: Annotated[
        common_v1.Sha256,
        Meta(
            description="The digest of the chain over all lines before this one; 64 zeros in the first line."
        ),
    ]
    because: (
        Annotated[
            str,
            Meta(description="Why, as the user put it.", max_length=1000, min_length=1),
        ]
        | UnsetType
    ) = UNSET
    created_by: (
        Annotated[
            str,
            Meta(
                description="The client that wrote the line, such as `runforge-cli@0.4.0`."
            ),
        ]
        | UnsetType
    ) = UNSET
    entry_sha256: (
        Annotated[
            common_v1.Sha256,
            Meta(
                description="Digest of the run's entry in the index, without `origin` and `run_dir`, as canonical JSON; absent if the index did not list it."
            ),
        ]
        | UnsetType
    ) = UNSET
    signature_sha256: (
        Annotated[
            common_v1.Sha256,
            Meta(
                description="Digest of the file with the run's signature; absent if it had none."
            ),
        ]
        | UnsetType
    ) = UNSET
    listed: RemovedRun | UnsetType = UNSET
    archive: RunArchive | UnsetType = UNSET
    despite: (
        Annotated[
            list[Literal["alias", "sweep", "view", "unverified"]],
            Meta(
                description="What spoke against it and was set aside: an alias pointed at the run, its sweep was not finished, an editor had a view of it, or it did not verify.",
                min_length=1,
            ),
        ]
        | UnsetType
    ) = UNSET
    also: AlsoRemoved | UnsetType = UNSET
