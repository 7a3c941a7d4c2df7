# Generated from schemas/ by scripts/generate.py; edit the schema, then run `make generate`.
#   filename:  bundle.v1.json

from __future__ import annotations
from typing import Annotated, Literal
from msgspec import Meta, Struct, UNSET, UnsetType
from . import common_v1


class BundleV1(Struct, kw_only=True, frozen=True, gc=False):
    """
    What a bundle contains: one run with the digest of every file, and where it comes from. Source: specification, section 22.2.
    """

    schema_version: Literal["bundle.v1"]
    run_kind: Annotated[
        Literal["run", "experiment"],
        Meta(description="A trained run of a store, or the run of an experiment."),
    ]
    run_id: common_v1.AnyRunId
    created_by: Annotated[
        str,
        Meta(
            description="The client that wrote the bundle, such as `runforge-cli@0.4.0`."
        ),
    ]
    signed: Annotated[
        bool,
        Meta(description="Whether the bundle has the signature of the run, `run.sig`."),
    ]
    files: Annotated[
        common_v1.FileDigests,
        Meta(
            description="Digest and size of every other file of the bundle, by its name there."
        ),
    ]
    origin: (
        Annotated[
            common_v1.Sha256,
            Meta(
                description="The origin of the index that the run comes from; absent if the run is in no index. Source: specification, section 14.3."
            ),
        ]
        | UnsetType
    ) = UNSET
    key: (
        Annotated[
            common_v1.Sha256,
            Meta(
                description="Fingerprint of the public key that the signature names; absent if it names none."
            ),
        ]
        | UnsetType
    ) = UNSET
    dataset: (
        Annotated[
            common_v1.RelativePath,
            Meta(
                description="The file of the bundle that has the dataset of the run; absent if it is not included."
            ),
        ]
        | UnsetType
    ) = UNSET
