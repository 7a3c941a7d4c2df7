# Generated from schemas/ by scripts/generate.py; edit the schema, then run `make generate`.
#   filename:  verification.v1.json

from __future__ import annotations
from typing import Annotated, Any, Literal, TypeAlias
from msgspec import Meta, Struct, UNSET, UnsetType
from . import common_v1


Verdict: TypeAlias = Annotated[
    Literal["verified", "not verified"],
    Meta(description="Whether nothing that was checked failed.", title="Verdict"),
]


class VerificationCheck(Struct, kw_only=True, frozen=True, gc=False):
    """
    What one look gave.
    """

    check: Annotated[
        str,
        Meta(
            description="Of a run: `files`, `documents`, `statement`, `index`, `dataset`, `signature`; of a store: `runs`, `index`, `signatures`.",
            min_length=1,
        ),
    ]
    outcome: Annotated[
        Literal["passed", "failed", "not checked"],
        Meta(
            description="`not checked` stands against nothing: there was nothing to check, or nothing to check it by."
        ),
    ]
    verdict: Annotated[
        str,
        Meta(
            description="What was found: of files `unchanged`, `changed`, `no result`, `at work`; of documents, statement and index `valid`, `invalid`, `none`, of the index also `not listed`, `unreadable`; of the dataset `same`, `changed`, `moved`, `gone`, `unreadable`; of the signature `valid`, `invalid`, `unsafe` (its folder is a link), `none`; of the runs of a store `verified`, `not verified`, `incomplete`, `none`; of its signatures `complete`, `contradicted`, `unsafe`, `none`; of all `not checked`.",
            min_length=1,
        ),
    ]
    message: Annotated[str, Meta(description="The same for a person.")] | UnsetType = (
        UNSET
    )
    sha256: (
        Annotated[
            common_v1.Sha256,
            Meta(description="Digest of a dataset that has changed, as it is now."),
        ]
        | UnsetType
    ) = UNSET
    path: (
        Annotated[
            str,
            Meta(
                description="Where a dataset lies that was moved, relative to the workspace."
            ),
        ]
        | UnsetType
    ) = UNSET
    key: (
        Annotated[
            common_v1.Sha256,
            Meta(description="Fingerprint of the key that made a valid signature."),
        ]
        | UnsetType
    ) = UNSET
    claimed_key: (
        Annotated[
            str,
            Meta(
                description="The key that a signature names, where it was not checked."
            ),
        ]
        | UnsetType
    ) = UNSET
    hint: Annotated[str, Meta(description="What to do about it.")] | UnsetType = UNSET


class VerificationFinding(Struct, kw_only=True, frozen=True, gc=False):
    """
    One difference between what is there and what must be.
    """

    check: Annotated[str, Meta(description="The check that made it.", min_length=1)]
    rule: Annotated[
        str,
        Meta(
            description="Stable name of the rule that is broken, such as `manifest.digests`.",
            min_length=1,
        ),
    ]
    message: Annotated[str, Meta(description="One sentence.", min_length=1)]
    file: (
        Annotated[
            str,
            Meta(
                description="Below the run folder, or relative to the workspace for index, dataset and signature."
            ),
        ]
        | UnsetType
    ) = UNSET
    pointer: (
        Annotated[str, Meta(description="JSON Pointer into the file (RFC 6901).")]
        | UnsetType
    ) = UNSET
    expected: (
        Annotated[Any, Meta(description="What should stand there; any JSON value.")]
        | UnsetType
    ) = UNSET
    found: (
        Annotated[Any, Meta(description="What stands there; any JSON value.")]
        | UnsetType
    ) = UNSET


class VerifiedRun(Struct, kw_only=True, frozen=True, gc=False):
    """
    Every check of one run.
    """

    run_id: Annotated[
        str,
        Meta(
            description="The id that the run's documents carry, or else the name of its folder."
        ),
    ]
    run_dir: Annotated[
        str,
        Meta(
            description="The run folder, relative to the workspace where it lies in it."
        ),
    ]
    verdict: Verdict
    checks: list[VerificationCheck]
    findings: list[VerificationFinding]


class VerifiedStore(Struct, kw_only=True, frozen=True, gc=False):
    """
    Every check of a store as a whole; its runs are beside it.
    """

    store: Annotated[str, Meta(description="Name of the store's folder.")]
    index: Annotated[str, Meta(description="The index, relative to the workspace.")]
    verdict: Annotated[Verdict, Meta(description="Of the store and all of its runs.")]
    checks: list[VerificationCheck]
    findings: list[VerificationFinding]
    interrupted: Annotated[
        list[str],
        Meta(
            description="Runs that were ended before they had a result; there is nothing to hold them to."
        ),
    ]
    running: Annotated[list[str], Meta(description="Runs at work.")]
    incomplete: Annotated[
        list[str],
        Meta(
            description="Runs that have not begun, or of which nobody can tell whether they are at work."
        ),
    ]


class VerificationV1(Struct, kw_only=True, frozen=True, gc=False):
    """
    Whether anything of runs or of a store was changed, as `runforge verify --json` prints it. Source: RunForge guarantees, Provenance Tracking.
    """

    schema_version: Literal["verification.v1"]
    verdict: Verdict
    runs: list[VerifiedRun]
    stores: (
        Annotated[
            list[VerifiedStore],
            Meta(
                description="Where whole stores were verified; absent where runs were named."
            ),
        ]
        | UnsetType
    ) = UNSET
