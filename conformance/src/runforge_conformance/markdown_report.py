"""A report as a Markdown page: ``summary.md``."""

from __future__ import annotations

from collections.abc import Iterator

from runforge_contracts.markdown import code, prose

from runforge_conformance._generated.report_v1 import Finding, LevelCount, ReportV1
from runforge_conformance.case_display import specification_url
from runforge_conformance.failure_groups import (
    Example,
    FailureGroup,
    groups,
    place,
    repeat_command,
    stderr_lines,
)
from runforge_conformance.runner import LEVELS
from runforge_conformance.suite_report import (
    expected_failures,
    filter_options,
    headline,
    no_badge,
    not_asked,
    unexpected_passes,
)

#: Groups of failures that are shown with examples, and examples of each.
_SHOWN, _EXAMPLES = 40, 2
#: Rows of a list of cases; a page of a continuous integration holds a megabyte.
_ROWS = 100


def markdown(report: ReportV1) -> str:
    """Return the report as a Markdown page."""
    client = report.client
    name = f"{client.name} {client.version} ({client.language})" if client else "The client"
    lines = [f"# Conformance: {prose(name)}", ""]
    lines += [f"**{report.verdict.capitalize()}**: {prose(headline(report))}.", ""]
    lines += _facts(report)
    if report.problem:
        lines += ["", f"It could not be tested: {prose(report.problem)}"]
    lines += _level_table(report)
    found = groups(report)
    lines += _table(found)
    for group in found[:_SHOWN]:
        lines += _group(report, group)
    if len(found) > _SHOWN:
        lines += ["", f"{len(found) - _SHOWN} more are in `report.json`."]
    lines += _expected(report)
    shown = any(example.result.stderr for group in found for example in group.examples)
    if report.stderr and (report.problem or (found and not shown)):
        lines += ["", "## Standard error", "", *_indented(stderr_lines(report.stderr))]
    return "\n".join(lines) + "\n"


def _facts(report: ReportV1) -> Iterator[str]:
    """Yield the versions, and what the run did not ask, a bullet each."""
    yield (
        f"* Contract v{report.contract}, suite {report.suite}, protocol {report.protocol},"
        f" seed {report.seed}, {report.seconds:.1f} s"
    )
    if report.roles:
        yield f"* Roles: {', '.join(report.roles)}"
    if report.documents:
        yield f"* Documents: {', '.join(map(code, report.documents))}"
    if report.filters:
        yield f"* Partial run: {code(filter_options(report.filters))}"
    for reason, count in not_asked(report).items():
        yield f"* Not asked ({count}): {prose(reason)}"
    if report.without_cases:
        yield f"* No case for: {', '.join(map(code, report.without_cases))}"
    if report.counts.get("skipped"):
        yield f"* Skipped ({report.counts['skipped']}): of roles or documents not declared"
    unearned = no_badge(report)
    if unearned:
        yield f"* No badge: {unearned}"


def _level_table(report: ReportV1) -> Iterator[str]:
    rows = [(level, getattr(report.levels, level)) for level in LEVELS]
    if not any(count.asked for _, count in rows):
        return
    yield from ("", "| level | asked | passed | failed | expected failures |")
    yield "|---|---:|---:|---:|---:|"
    for level, count in rows:
        assert isinstance(count, LevelCount)  # noqa: S101 - members of `Levels`
        failed = count.asked - count.passed - count.expected_failures
        yield f"| {level} | {count.asked} | {count.passed} | {failed} | {count.expected_failures} |"


def _table(found: list[FailureGroup]) -> Iterator[str]:
    broken = [group for group in found if group.requirement is not None]
    if not broken:
        return
    yield from ("", "## Requirements that are not met", "", "| requirement | level | cases | |")
    yield "|---|---|---:|---|"
    for group in broken:
        entry = group.requirement
        assert entry is not None  # noqa: S101 - as chosen above
        name = f"[`{group.name}`]({specification_url(entry)})"
        statement = entry.statement.replace("|", "\\|")
        yield f"| {name} | {group.level} | {len(group.examples)} | {statement} |"


def _group(report: ReportV1, group: FailureGroup) -> Iterator[str]:
    yield from ("", f"## {prose(group.title)}")
    entry = group.requirement
    if entry is not None:
        section = f"[section {entry.section}]({specification_url(entry)})"
        yield from ("", f"{entry.statement} ({section})")
    for example in group.chosen(_EXAMPLES):
        yield from _example(report, example)
    if len(group.examples) > _EXAMPLES:
        yield from ("", f"{len(group.examples) - _EXAMPLES} more are in `report.json`.")


def _example(report: ReportV1, example: Example) -> Iterator[str]:
    yield from ("", f"### {code(example.result.case)}: {example.result.outcome}", "")
    if example.description:
        yield from (prose(example.description), "")
    for problem in example.findings[:3]:
        yield f"* {_finding(example, problem)}"
    if len(example.findings) > 3:
        yield f"* ... and {len(example.findings) - 3} more differences"
    for part in example.parts():
        yield from ("", f"{part.name.capitalize()}:", "", *_indented(part.lines))
    if example.result.stderr:
        yield from ("", "Standard error:", "", *_indented(stderr_lines(example.result.stderr)))
    yield from ("", "Repeat:", "", *_indented([repeat_command(report, example.result.case)]))


def _finding(example: Example, problem: Finding) -> str:
    """Return a finding on one line of Markdown."""
    text = prose(problem.message)
    where = place(problem)
    if where:
        text += f" At {code(where)}."
    for side, value in example.sides(problem):
        text += f" {side.capitalize()}: {code(value)}."
    return text


def _indented(lines: list[str]) -> Iterator[str]:
    """Yield lines as a block of code, which has no markup."""
    return (f"    {line}" for line in lines)


def _expected(report: ReportV1) -> Iterator[str]:
    expected = expected_failures(report)
    if expected:
        yield from ("", "## Expected failures", "", "| case | level | outcome | reason |")
        yield "|---|---|---|---|"
        for result in expected[:_ROWS]:
            reason = prose(str(result.expected_failure))
            yield f"| `{result.case}` | {result.level} | {result.outcome} | {reason} |"
        if len(expected) > _ROWS:
            yield from ("", f"{len(expected) - _ROWS} more are in `report.json`.")
    passes = [result.case for result in unexpected_passes(report)]
    if passes or report.unmatched_xfails:
        yield from ("", "The list of expected failures is out of date:", "")
        yield from (f"* {code(case)} passed, though expected to fail." for case in passes[:_ROWS])
        yield from (
            f"* No failing case matches {code(entry)}." for entry in report.unmatched_xfails
        )
