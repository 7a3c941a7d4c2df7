# Generated from schemas/ by scripts/generate.py; edit the schema, then run `make generate`.
#   filename:  bundle_report.v1.json

from __future__ import annotations
from typing import Annotated, Literal
from msgspec import Meta, Struct, UNSET, UnsetType
from . import common_v1


class BundleReportV1(Struct, kw_only=True, frozen=True, gc=False):
    """
    A bundle that was written or unpacked, as `runforge bundle --json` and `runforge unbundle --json` print it. Source: specification, section 22.4.
    """

    schema_version: Literal["bundle_report.v1"]
    outcome: Annotated[
        Literal["bundled", "unbundled", "completed", "present"],
        Meta(
            description="`bundled`: the bundle was written. `unbundled`: the run was written. `completed`: the run was there, and its signature, its entry or its dataset was added. `present`: all of it was there."
        ),
    ]
    bundle: Annotated[str, Meta(description="Path of the bundle.")]
    run_kind: Literal["run", "experiment"]
    run_id: common_v1.AnyRunId
    run_dir: Annotated[
        str,
        Meta(description="The run folder, relative to the workspace if it is in it."),
    ]
    files: Annotated[
        common_v1.Count, Meta(description="Number of the files of the run.")
    ]
    bytes: Annotated[common_v1.Count, Meta(description="Size of the bundle.")]
    sha256: Annotated[common_v1.Sha256, Meta(description="SHA-256 of the bundle.")]
    signature: Annotated[
        Literal["valid", "not checked", "none"],
        Meta(
            description="`valid`: made with the public key that was given. `not checked`: it matches the run; no key was given."
        ),
    ]
    origin: (
        Annotated[
            common_v1.Sha256,
            Meta(description="The origin of the index that the run comes from."),
        ]
        | UnsetType
    ) = UNSET
    key: (
        Annotated[
            common_v1.Sha256,
            Meta(description="Fingerprint of the public key that the signature names."),
        ]
        | UnsetType
    ) = UNSET
    dataset: (
        Annotated[
            str,
            Meta(
                description="The dataset: in the bundle if one was written; else where it is now, relative to the workspace if it is in it."
            ),
        ]
        | UnsetType
    ) = UNSET
    evaluations: (
        Annotated[
            common_v1.Count,
            Meta(
                description="How many evaluations of the run the store has; they are not in the bundle that was written. Absent if there are none, and of a bundle that was unpacked."
            ),
        ]
        | UnsetType
    ) = UNSET
