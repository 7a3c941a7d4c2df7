"""Failures grouped by what was broken, each with a few examples in place of all cases."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from typing import Any, NamedTuple

import msgspec
from runforge_contracts.codec.pointers import get_at
from runforge_contracts.display import printable
from runforge_contracts.errors import RunForgeError

from runforge_conformance._generated.cases_v1 import Case
from runforge_conformance._generated.protocol_v1 import Params
from runforge_conformance._generated.report_v1 import Finding, ReportV1, Result
from runforge_conformance._generated.requirements_v1 import Requirement
from runforge_conformance.case_display import Part, description, given, json_text
from runforge_conformance.runner import LEVELS, OF_TWIN
from runforge_conformance.suite_report import failures
from runforge_conformance.variation import varied
from runforge_conformance.vectors import all_cases, expected_document, requirements

#: Longest value that is shown of a finding, in characters.
_LONGEST = 200
#: Failures that say something about the client as a whole, more than about a requirement.
UNANSWERED = {
    "crashed": "The client crashed",
    "timed-out": "The client did not answer in time",
    "protocol-error": "The client broke the protocol",
    "errored": "The client reported an error of its own",
    "not-run": "The run ended before",
}


class Example(NamedTuple):
    """One failed case, with the findings that put it into its group."""

    result: Result
    findings: list[Finding]
    #: Absent in a report by a suite with other cases.
    case: Case | None
    seed: int

    @property
    def description(self) -> str:
        """What the case asks, in a sentence; nothing where another document was asked about."""
        return description(self.case) if self.case and not self.is_of_twin else ""

    def parts(self) -> Iterator[Part]:
        """Yield what the client was given, as an excerpt near the findings."""
        if self.case is not None:
            params = self.case.params or Params()
            edited = [*(params.set or ()), *(params.remove or ())]
            pointers = [item.pointer for item in self.findings if item.pointer]
            yield from given(
                self.case, [*pointers, *edited], seed=self.seed, of_twin=self.is_of_twin
            )

    def sides(self, problem: Finding) -> Iterator[tuple[str, str]]:
        """Yield what was expected and what was found, in words or as JSON."""
        if self._is_surplus(problem):
            yield "expected", "nothing"
        yield from sides(problem)

    @property
    def is_of_twin(self) -> bool:
        """Whether the findings are about another document under the id of the case."""
        return bool(self.findings) and self.findings[0].message.startswith(OF_TWIN)

    def _is_surplus(self, problem: Finding) -> bool:
        """Return whether a saved document has something that must not be there."""
        if self.case is None or self.case.op not in ("roundtrip", "edit", "write"):
            return False
        if not problem.file or not problem.pointer or problem.expected is not msgspec.UNSET:
            return False
        try:
            get_at(expected_document(varied(self.case, self.seed)), problem.pointer)
        except RunForgeError:
            return True
        return False


class FailureGroup(NamedTuple):
    """All failures of one requirement, or all cases without an answer of one kind."""

    #: Id of the requirement, or the outcome.
    name: str
    level: str
    #: Absent for cases without an answer.
    requirement: Requirement | None
    examples: list[Example]

    @property
    def title(self) -> str:
        """The name, the level and the number of cases."""
        count = f"{len(self.examples)} case{'s' if len(self.examples) > 1 else ''}"
        if self.requirement is None:
            return f"{UNANSWERED.get(self.name, self.name)}: {count}"
        return f"{self.name} ({self.level}): {count}"

    def chosen(self, count: int) -> list[Example]:
        """Return the first examples, of different topics as far as there are any.

        Those that the description of their case is about come first.
        """
        by_topic: dict[str, Example] = {}
        for example in sorted(self.examples, key=lambda example: example.is_of_twin):
            by_topic.setdefault(example.result.case.rpartition("/")[0], example)
        first = list(by_topic.values())[:count]
        others = [example for example in self.examples if example not in first]
        return [*first, *others[: count - len(first)]]


def groups(report: ReportV1) -> list[FailureGroup]:
    """Return the unexpected failures: without an answer first, then by level and number."""
    known, by_id = requirements(), {case.id: case for case in all_cases()}
    found: dict[str, FailureGroup] = {}
    for result in failures(report):
        case = by_id.get(result.case)
        for name, findings in _by_group(result).items():
            requirement = known.get(name)
            level = requirement.level if requirement else result.level
            group = found.setdefault(name, FailureGroup(name, level, requirement, []))
            group.examples.append(Example(result, findings, case, report.seed))
    return sorted(found.values(), key=_rank)


def _by_group(result: Result) -> dict[str, list[Finding]]:
    if result.outcome in UNANSWERED:
        return {result.outcome: list(result.problems)}
    by_requirement: dict[str, list[Finding]] = {}
    for problem in result.problems:
        by_requirement.setdefault(problem.requirement, []).append(problem)
    return by_requirement


def _rank(group: FailureGroup) -> tuple[bool, int, int, str]:
    # Cases that were not run come last: they say nothing about the client.
    unanswered = group.requirement is None and group.name != "not-run"
    level = LEVELS.index(group.level) if group.name != "not-run" else len(LEVELS)
    return not unanswered, level, -len(group.examples), group.name


def repeat_command(report: ReportV1, case: str) -> str:
    """Return the command that asks the client this one case again, with the same input."""
    words = ["runforge-conformance", "run", "--seed", str(report.seed), "--only", case, "--"]
    client = shlex.join(report.command) if report.command else "COMMAND"
    return f"{shlex.join(words)} {printable(client)}"


def place(problem: Finding) -> str:
    """Return where a finding is: a file, a JSON Pointer, or both."""
    return "#".join(part for part in (problem.file, problem.pointer) if part)


def sides(problem: Finding) -> Iterator[tuple[str, str]]:
    """Yield the expected and the found value, as far as a finding has them, as JSON."""
    values: dict[str, Any] = msgspec.to_builtins(problem)
    for side in ("expected", "found"):
        if side in values:
            yield side, json_text(values[side], _LONGEST)
    if "found" not in values and "expected" in values:
        yield "found", "nothing"


def stderr_lines(text: str) -> list[str]:
    """Return what a client wrote to standard error as lines that are safe to print."""
    return [printable(line.expandtabs()) for line in text.splitlines()]
