"""A report as text for a terminal of 80 columns."""

from __future__ import annotations

import textwrap
from collections import Counter
from collections.abc import Iterable, Iterator

from runforge_contracts.display import printable

from runforge_conformance._generated.report_v1 import Finding, ReportV1
from runforge_conformance._generated.requirements_v1 import Requirement
from runforge_conformance.case_display import specification_page
from runforge_conformance.failure_groups import (
    Example,
    FailureGroup,
    groups,
    place,
    repeat_command,
    sides,
    stderr_lines,
)
from runforge_conformance.runner import LEVELS
from runforge_conformance.suite_report import (
    UNASKED,
    filter_options,
    headline,
    is_partial,
    no_badge,
    not_asked,
    unexpected_passes,
)
from runforge_conformance.vectors import requirements

WIDTH = 80
#: Columns for a label and its colon.
_LABEL = 10
#: Groups of failures that are shown with an example; the others are listed.
_SHOWN = 6
#: Cases that passed unexpectedly and are listed.
_PASSES = 10


def wrapped(text: str, indent: str = "", hanging: str | None = None, width: int = WIDTH) -> str:
    """Return ``text`` wrapped to the terminal, with every line indented."""
    return textwrap.fill(
        printable(text),
        width,
        initial_indent=indent,
        subsequent_indent=indent if hanging is None else hanging,
        break_on_hyphens=False,
    )


def labelled(label: str, lines: Iterable[str], *, wrap: bool = True) -> Iterator[str]:
    """Yield lines with a label before the first; each is printable, and may be wrapped."""
    before = f"    {label + ':':<{_LABEL}}"
    for line in lines:
        inner = " " * (len(line) - len(line.lstrip()))
        if wrap:
            yield wrapped(line.strip(), before + inner, " " * (len(before) + 2))
        else:
            yield (before + line).rstrip()
        before = " " * len(before)


def terminal_report(report: ReportV1, *, smoke: bool = False) -> str:
    """Return the failures with an example each, and the verdict with its counts.

    A few cases are no verdict: of a ``smoke`` run it is said how many passed.
    """
    lines = list(_client(report))
    found = groups(report)
    for group in found[:_SHOWN]:
        lines += ["", *_group(report, group)]
    if len(found) > _SHOWN:
        lines += ["", "Also broken:"]
        lines += [wrapped(group.title, "  ") for group in found[_SHOWN:]]
    stale = [*_stale(report)]
    if stale:
        lines += ["", "The list of expected failures is out of date:", *stale]
    if len(lines) > 1 or report.problem:
        lines.append("")
    return "\n".join([*lines, *(_smoke(report) if smoke else _verdict(report))])


def _client(report: ReportV1) -> Iterator[str]:
    if report.client:
        client = report.client
        yield wrapped(f"{client.name} {client.version} ({client.language})")
    if report.problem:
        yield wrapped(report.problem, "  ")
        if not report.client and report.stderr:
            yield from _stderr(report.stderr)


def _stderr(text: str) -> Iterator[str]:
    yield "    standard error:"
    # As it came: a traceback is copied from here.
    yield from (f"    | {line}" for line in stderr_lines(text))


def _group(report: ReportV1, group: FailureGroup) -> Iterator[str]:
    yield wrapped(group.title)
    if group.requirement is not None:
        yield from _statement(group.requirement)
    (example,) = group.chosen(1)
    yield f"  {example.result.case}"
    yield from _example(example)
    yield from _repeat(repeat_command(report, example.result.case))


def _example(example: Example) -> Iterator[str]:
    if example.description:
        yield wrapped(example.description, "    ")
    for part in example.parts():
        yield from labelled(part.name, part.lines)
    for problem in example.findings[:2]:
        yield from _finding(problem, example.sides(problem))
    if len(example.findings) > 2:
        yield f"    ... and {len(example.findings) - 2} more differences"
    if example.result.stderr:
        yield from _stderr(example.result.stderr)


def _finding(problem: Finding, shown: Iterable[tuple[str, str]]) -> Iterator[str]:
    where = place(problem)
    told = where in problem.message or (problem.pointer and problem.pointer in problem.message)
    note = "" if told else f" ({where})"
    yield wrapped(problem.message + note, "    - ", " " * 6)
    for side, value in shown:
        yield from labelled(side, [value])


def findings_report(name: str, findings: Iterable[Finding], client: str | None = None) -> str:
    """Return what was found in one run folder or store, by requirement, and how it counts.

    Parameters
    ----------
    name
        The path of the run folder or store.
    findings
        What was found.
    client
        The other client whose form the run has, or None.
    """
    known, by_requirement = requirements(), dict[str, list[Finding]]()
    for problem in findings:
        by_requirement.setdefault(problem.requirement, []).append(problem)
    counts = Counter[str]()
    lines: list[str] = []
    for rule in sorted(by_requirement, key=lambda rule: LEVELS.index(known[rule].level)):
        entry, found = known[rule], by_requirement[rule]
        counts[entry.level] += len(found)
        lines += [f"{rule} ({entry.level})", *_statement(entry)]
        for problem in found:
            lines += _finding(problem, sides(problem))
    told = ", ".join(
        f"{counts[level]} {level} finding{'s' if counts[level] > 1 else ''}"
        for level in LEVELS
        if counts[level]
    )
    verdict = "not conformant" if counts["core"] else "conformant"
    form = f", in the form of {client}" if client else ""
    return "\n".join(
        [*lines, printable(f"{name}: {verdict}{form}") + (f", {told}" if told else "")]
    )


def _statement(entry: Requirement) -> Iterator[str]:
    yield wrapped(entry.statement, "  ")
    yield f"  {specification_page(entry)} (section {entry.section})"


def _repeat(command: str) -> Iterator[str]:
    """Yield a command that can be copied as a whole: its lines are joined by backslashes."""
    lines = [command]
    # A backslash within a word, quoted or long, would be part of it.
    if "'" not in command:
        lines = textwrap.wrap(
            command,
            WIDTH - 8,
            subsequent_indent="  ",
            break_long_words=False,
            break_on_hyphens=False,
        )
    yield "    repeat:"
    yield from (f"      {line} \\" for line in lines[:-1])
    yield f"      {lines[-1]}"


def _stale(report: ReportV1) -> Iterator[str]:
    passes = unexpected_passes(report)
    for result in passes[:_PASSES]:
        yield wrapped(f"passed, though expected to fail: {result.case}", "  ")
    if len(passes) > _PASSES:
        yield f"  ... and {len(passes) - _PASSES} more"
    for pattern in report.unmatched_xfails:
        yield wrapped(f"no failing case matches {pattern}", "  ")


def _smoke(report: ReportV1) -> Iterator[str]:
    asked = [result for result in report.results if result.outcome not in UNASKED]
    passed = sum(result.outcome == "passed" for result in asked)
    yield f"smoke: {passed} of {len(asked)} cases passed"


def _verdict(report: ReportV1) -> Iterator[str]:
    yield wrapped(f"{report.verdict}: {headline(report)}", "", "  ")
    if report.filters:
        yield wrapped(f"partial run: {filter_options(report.filters)}", "  ", "    ")
    elif is_partial(report) and report.verdict == "partial":
        yield "  partial run: not all cases of the suite"
    for reason, count in not_asked(report).items():
        yield wrapped(f"not asked ({count}): {reason}", "  ", "    ")
    if report.without_cases:
        yield wrapped(f"no case for: {', '.join(report.without_cases)}", "  ", "    ")
    unearned = no_badge(report)
    if unearned:
        yield wrapped(f"no badge: {unearned}", "  ", "    ")
    counts = ", ".join(f"{count} {outcome}" for outcome, count in report.counts.items())
    if counts:
        yield wrapped(f"cases: {counts}; {report.seconds:.1f} s", "  ", "    ")
    yield (
        f"  contract {report.contract}, suite {report.suite}, protocol {report.protocol},"
        f" seed {report.seed}"
    )
