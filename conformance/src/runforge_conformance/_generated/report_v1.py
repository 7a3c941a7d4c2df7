# Generated from schemas/ by scripts/generate.py; edit the schema, then run `make generate`.
#   filename:  report.v1.json

from __future__ import annotations
from typing import Annotated, Any, Literal, TypeAlias
from msgspec import Meta, Struct, UNSET, UnsetType
from . import protocol_v1, requirements_v1


CountsAdditionalProperty: TypeAlias = Annotated[int, Meta(ge=0)]


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


class Result(Struct, kw_only=True, frozen=True, gc=False):
    """
    What came of one case.
    """

    case: Annotated[str, Meta(description="Id of the case.")]
    requirement: Annotated[str, Meta(description="Id of its requirement.")]
    level: requirements_v1.Level
    outcome: Literal[
        "passed",
        "failed",
        "crashed",
        "timed-out",
        "protocol-error",
        "errored",
        "skipped",
        "not-asked",
        "not-run",
    ]
    seconds: Annotated[float, Meta(ge=0.0)]
    problems: Annotated[list[Finding], Meta(description="What was wrong.")]
    expected_failure: (
        Annotated[str, Meta(description="Reason that the expected-failure list gives.")]
        | UnsetType
    ) = UNSET


class ReportV1(Struct, kw_only=True, frozen=True, gc=False):
    """
    Results of a run of the conformance suite: `report.json`.
    """

    schema_version: Literal["conformance_report.v1"]
    suite: Annotated[str, Meta(description="Version of the suite.")]
    contract: Literal[1]
    verdict: Literal["conformant", "not conformant", "protocol broken"]
    seconds: Annotated[float, Meta(ge=0.0)]
    counts: Annotated[
        dict[str, CountsAdditionalProperty], Meta(description="Cases by outcome.")
    ]
    unmatched_xfails: Annotated[
        list[str],
        Meta(
            description="Patterns of the expected-failure list that no failing case matches."
        ),
    ]
    results: list[Result]
    client: (
        Annotated[
            protocol_v1.Client,
            Meta(description="Absent if the client did not report it."),
        ]
        | UnsetType
    ) = UNSET
    roles: (
        Annotated[list[protocol_v1.Role], Meta(description="What the client declared.")]
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
