# Generated from schemas/ by scripts/generate.py; edit the schema, then run `make generate`.
#   filename:  report.v1.json

from __future__ import annotations
from typing import Annotated, Any, Literal, TypeAlias
from msgspec import Meta, Struct, UNSET, UnsetType
from . import protocol_v1, requirements_v1


CountsAdditionalProperty: TypeAlias = Annotated[int, Meta(ge=0)]


class LevelCount(Struct, kw_only=True, frozen=True, gc=False):
    """
    How many cases of one level were asked, and what came of them.
    """

    asked: Annotated[
        int,
        Meta(
            description="Cases that ask about requirements of this level, without those that were skipped or not asked.",
            ge=0,
        ),
    ]
    passed: Annotated[int, Meta(description="Those that passed.", ge=0)]
    expected_failures: Annotated[
        int,
        Meta(
            description="Those that failed as the list of expected failures says.", ge=0
        ),
    ]


class Finding(Struct, kw_only=True, frozen=True, gc=False):
    """
    One difference between the actual and the expected value.
    """

    requirement: Annotated[
        str, Meta(description="Id of the requirement that is violated.")
    ]
    message: Annotated[str, Meta(description="One sentence.")]
    file: (
        Annotated[
            str, Meta(description="File, relative to the run folder or workspace.")
        ]
        | UnsetType
    ) = UNSET
    pointer: Annotated[str, Meta(description="JSON Pointer into it.")] | UnsetType = (
        UNSET
    )
    expected: Annotated[Any, Meta(description="What should be there.")] | UnsetType = (
        UNSET
    )
    found: Annotated[Any, Meta(description="What is there.")] | UnsetType = UNSET


class Levels(Struct, kw_only=True, frozen=True, gc=False, forbid_unknown_fields=True):
    """
    Cases that were asked, by level. A case counts at each level that it asks about, and passes at a level if it breaks nothing of that level or of a more important one.
    """

    core: LevelCount
    recommended: LevelCount
    strict: LevelCount


class Filters(Struct, kw_only=True, frozen=True, gc=False):
    """
    What a partial run was limited to.
    """

    roles: (
        Annotated[
            list[protocol_v1.Role], Meta(description="Only cases of these roles.")
        ]
        | UnsetType
    ) = UNSET
    level: (
        Annotated[requirements_v1.Level, Meta(description="Only cases of this level.")]
        | UnsetType
    ) = UNSET
    only: (
        Annotated[
            list[str],
            Meta(description="Only cases whose ids match one of these patterns."),
        ]
        | UnsetType
    ) = UNSET


class Result(Struct, kw_only=True, frozen=True, gc=False):
    """
    What came of one case.
    """

    case: Annotated[str, Meta(description="Id of the case.")]
    requirement: Annotated[str, Meta(description="Id of its requirement.")]
    level: Annotated[
        requirements_v1.Level,
        Meta(
            description="Level that the outcome counts at: of a failure, the most important that was broken."
        ),
    ]
    outcome: Annotated[
        Literal[
            "passed",
            "failed",
            "crashed",
            "timed-out",
            "protocol-error",
            "errored",
            "skipped",
            "not-asked",
            "not-run",
        ],
        Meta(
            description="`skipped`: a role or document that the client does not declare. `not-asked`: the client declares no way to be asked. `not-run`: the run ended before."
        ),
    ]
    seconds: Annotated[float, Meta(ge=0.0)]
    problems: Annotated[list[Finding], Meta(description="What was wrong.")]
    expected_failure: (
        Annotated[str, Meta(description="Reason that the expected-failure list gives.")]
        | UnsetType
    ) = UNSET
    stderr: (
        Annotated[
            str,
            Meta(
                description="The last output on standard error of a client that gave no answer. Only the first few have it."
            ),
        ]
        | UnsetType
    ) = UNSET


class ReportV1(Struct, kw_only=True, frozen=True, gc=False):
    """
    Results of a run of the conformance suite: `report.json`.
    """

    schema_version: Literal["conformance_report.v1"]
    suite: Annotated[str, Meta(description="Version of the suite.")]
    protocol: Annotated[
        Literal[1],
        Meta(description="Version of the protocol between runner and harness."),
    ]
    contract: Annotated[Literal[1], Meta(description="Version of the contract.")]
    seed: Annotated[
        int,
        Meta(
            description="Seed that the inputs were varied from; the same seed gives the same inputs.",
            ge=0,
        ),
    ]
    verdict: Annotated[
        Literal["conformant", "not conformant", "partial", "protocol broken"],
        Meta(
            description="`conformant`: every core case of the declared roles and documents passed in a whole run. `partial`: no core case failed, but not all were run."
        ),
    ]
    seconds: Annotated[float, Meta(ge=0.0)]
    counts: Annotated[
        dict[str, CountsAdditionalProperty], Meta(description="Cases by outcome.")
    ]
    levels: Annotated[
        Levels,
        Meta(
            description="Cases that were asked, by level. A case counts at each level that it asks about, and passes at a level if it breaks nothing of that level or of a more important one.",
            title="Levels",
        ),
    ]
    without_cases: Annotated[
        list[str],
        Meta(
            description="Declared documents that the suite has no case for in the declared roles."
        ),
    ]
    unmatched_xfails: Annotated[
        list[str],
        Meta(
            description="Patterns of the expected-failure list that no failing case matches."
        ),
    ]
    results: list[Result]
    command: (
        Annotated[list[str], Meta(description="Command that starts the harness.")]
        | UnsetType
    ) = UNSET
    client: (
        Annotated[
            protocol_v1.Client,
            Meta(description="Absent if the client did not report it."),
        ]
        | UnsetType
    ) = UNSET
    roles: (
        Annotated[
            list[protocol_v1.Role], Meta(description="Roles that the client declared.")
        ]
        | UnsetType
    ) = UNSET
    documents: (
        Annotated[
            list[str],
            Meta(description="Documents that the client declared. Absent: all."),
        ]
        | UnsetType
    ) = UNSET
    capabilities: (
        Annotated[list[str], Meta(description="Capabilities that the client declared.")]
        | UnsetType
    ) = UNSET
    filters: (
        Annotated[Filters, Meta(description="Filters of a partial run. Absent: none.")]
        | UnsetType
    ) = UNSET
    problem: (
        Annotated[str, Meta(description="What kept the client from being tested.")]
        | UnsetType
    ) = UNSET
    stderr: (
        Annotated[
            str, Meta(description="The last output of the client on standard error.")
        ]
        | UnsetType
    ) = UNSET
