# Generated from schemas/ by scripts/generate.py; edit the schema, then run `make generate`.
#   filename:  verification.v1.json

from __future__ import annotations
from typing import Annotated, Any, Literal, TypeAlias
from msgspec import Meta, Struct, UNSET, UnsetType
from . import common_v1


Verdict: TypeAlias = Annotated[
    Literal["verified", "unverifiable", "not verified"],
    Meta(
        description="`not verified`: a check failed. `unverifiable`: none failed, but nothing vouches for the files, because the client that wrote the run recorded no digests. Of several runs, the worst of theirs.",
        title="Verdict",
    ),
]


class VerifiedView(Struct, kw_only=True, frozen=True, gc=False):
    """
    A folder that repeats files of a run, and in which another client keeps its own.
    """

    record: Annotated[
        str, Meta(description="The folder of the run, relative to the workspace.")
    ]
    added: Annotated[
        list[str],
        Meta(
            description="Files that the view has besides those of the run, by their path below the folder."
        ),
    ]
    missing: Annotated[
        list[str],
        Meta(description="Files of the run that a view repeats, and this one lacks."),
    ]


class VerificationCheck(Struct, kw_only=True, frozen=True, gc=False):
    """
    What one look gave.
    """

    check: Annotated[
        str,
        Meta(
            description="For a run: `files`, `documents`, `statement`, `index`, `dataset`, with a recipe `recipe`, `signature`; for a view: `view`, `index`; for an evaluation: `files`, `documents`, `model`, `dataset`, `predictions`, `signature`; for a store: `runs`, `evaluations`, `index`, `signatures`, `aliases`, `merges`; `aliases` also for a run that was signed with a history of aliases.",
            min_length=1,
        ),
    ]
    outcome: Annotated[
        Literal["passed", "failed", "not checked"],
        Meta(
            description="`not checked` is not a failure: there was nothing to check, or nothing to check it with."
        ),
    ]
    verdict: Annotated[
        str,
        Meta(
            description="Outcome of the check. Files: `unchanged`, `changed`, `no result`, `at work` (the run is running). Documents and statement: `valid`, `invalid`, `none`. Index: the same, `not listed`, `unreadable`. Dataset: `same`, `changed`, `moved`, `gone`, `unreadable`. View, predictions and recipe: `same`, `changed`. Model: the same, `gone`, `unreadable`. Signature: `valid`, `invalid`, `unsafe` (its folder is a link), `none`. Runs and evaluations of a store: `verified`, `unverifiable`, `not verified`, `incomplete`, `none`. Signatures of a store: `complete`, `contradicted`, `unsafe`, `none`. Any of these: `not checked`.",
            min_length=1,
        ),
    ]
    message: (
        Annotated[str, Meta(description="The outcome as a sentence, for display.")]
        | UnsetType
    ) = UNSET
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
                description="Current path of a dataset that was moved, relative to the workspace."
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
                description="The key that a signature names, if the signature was not checked."
            ),
        ]
        | UnsetType
    ) = UNSET
    hint: Annotated[str, Meta(description="What to do about it.")] | UnsetType = UNSET


class VerificationFinding(Struct, kw_only=True, frozen=True, gc=False):
    """
    One difference between the actual and the expected value.
    """

    check: Annotated[str, Meta(description="The check that made it.", min_length=1)]
    rule: Annotated[
        str,
        Meta(
            description="Stable name of the rule that is violated, such as `manifest.digests`.",
            min_length=1,
        ),
    ]
    message: Annotated[str, Meta(description="One sentence.", min_length=1)]
    file: (
        Annotated[
            str,
            Meta(
                description="Path below the run folder, or relative to the workspace for index, dataset and signature."
            ),
        ]
        | UnsetType
    ) = UNSET
    pointer: (
        Annotated[str, Meta(description="JSON Pointer into the file (RFC 6901).")]
        | UnsetType
    ) = UNSET
    expected: (
        Annotated[Any, Meta(description="The expected value; any JSON value.")]
        | UnsetType
    ) = UNSET
    found: (
        Annotated[Any, Meta(description="The actual value; any JSON value.")]
        | UnsetType
    ) = UNSET


class VerifiedRun(Struct, kw_only=True, frozen=True, gc=False):
    """
    Every check of one run.
    """

    run_id: Annotated[
        str,
        Meta(
            description="The id in the run's documents, or the name of its folder if there is none."
        ),
    ]
    run_dir: Annotated[
        str,
        Meta(
            description="The run folder; relative to the workspace if it is inside it."
        ),
    ]
    verdict: Verdict
    checks: list[VerificationCheck]
    findings: list[VerificationFinding]
    view: (
        Annotated[
            VerifiedView,
            Meta(
                description="Present if the folder is a view of a run: `checks` then compares it with that run."
            ),
        ]
        | UnsetType
    ) = UNSET
    trusted_since: (
        Annotated[
            common_v1.Timestamp,
            Meta(
                description="When the files were last read and verified, if this time they were not read, because their sizes and times are the same. `checks` then has `files` as `not checked`, and dataset and signature."
            ),
        ]
        | UnsetType
    ) = UNSET


class VerifiedEvaluation(Struct, kw_only=True, frozen=True, gc=False):
    """
    Every check of one evaluation.
    """

    evaluation_id: Annotated[str, Meta(description="The name of the folder.")]
    evaluation_dir: Annotated[
        str,
        Meta(description="The folder; relative to the workspace if it is inside it."),
    ]
    verdict: Verdict
    checks: list[VerificationCheck]
    findings: list[VerificationFinding]
    run_id: (
        Annotated[
            str,
            Meta(
                description="The run that trained the model; absent if the evaluation cannot be read."
            ),
        ]
        | UnsetType
    ) = UNSET


class VerifiedStore(Struct, kw_only=True, frozen=True, gc=False):
    """
    Every check of a store as a whole; its runs are listed separately.
    """

    store: Annotated[str, Meta(description="Name of the store's folder.")]
    index: Annotated[str, Meta(description="The index, relative to the workspace.")]
    verdict: Annotated[Verdict, Meta(description="For the store and all of its runs.")]
    checks: list[VerificationCheck]
    findings: list[VerificationFinding]
    interrupted: Annotated[
        list[str],
        Meta(
            description="Runs that stopped without a result; there is nothing to compare them with."
        ),
    ]
    running: Annotated[list[str], Meta(description="Running runs.")]
    incomplete: Annotated[
        list[str],
        Meta(
            description="Runs that have not started, or for which it is unknown whether they are running."
        ),
    ]


class VerificationV1(Struct, kw_only=True, frozen=True, gc=False):
    """
    Whether runs or stores are unchanged, as `runforge verify --json` prints it. Source: specification, section 14.6.
    """

    schema_version: Literal["verification.v1"]
    verdict: Verdict
    runs: list[VerifiedRun]
    stores: (
        Annotated[
            list[VerifiedStore],
            Meta(
                description="Present if whole stores were verified; absent if runs were named."
            ),
        ]
        | UnsetType
    ) = UNSET
    evaluations: (
        Annotated[
            list[VerifiedEvaluation],
            Meta(
                description="The evaluations that were verified, those of the runs too; absent if there are none."
            ),
        ]
        | UnsetType
    ) = UNSET
