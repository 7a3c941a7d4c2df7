"""Reports of a run of the suite, for programs and for readers.

``report.json`` follows the schema ``report.v1``, ``junit.xml`` is for continuous integration,
``summary.md`` is for readers, and ``badge.json`` is an endpoint badge of shields.io.
"""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import msgspec
from runforge_contracts.codec.strict_json import encode_json
from runforge_contracts.display import printable
from runforge_contracts.fs.files import write_file
from runforge_contracts.markdown import code, prose

from runforge_conformance import __version__
from runforge_conformance._generated.report_v1 import Finding, ReportV1, Result
from runforge_conformance.runner import CaseOutcome
from runforge_conformance.vectors import CONTRACT, all_cases, requirements
from runforge_conformance.xfail import ExpectedFailures

#: Outcomes that are not failures.
FINE = ("passed", "skipped")
#: Failing cases that are shown in full.
_SHOWN = 50
_BADGE_COLOURS = {"conformant": "brightgreen", "not conformant": "red", "protocol broken": "grey"}


def make_report(outcome: CaseOutcome, xfails: ExpectedFailures) -> ReportV1:
    """Return the report of a run, with its verdict."""
    results = []
    for result in outcome.results:
        failed = result.outcome not in FINE
        if failed:
            xfails.failed(result)
        reason = xfails.reason(result)
        # The list may name cases of other roles of the client, which are skipped here.
        expected = reason is not None and result.outcome != "skipped"
        results.append(
            msgspec.structs.replace(result, expected_failure=reason) if expected else result
        )
    report = ReportV1(
        schema_version="conformance_report.v1",
        suite=__version__,
        contract=CONTRACT,
        client=outcome.started.client if outcome.started else msgspec.UNSET,
        roles=outcome.started.roles if outcome.started else msgspec.UNSET,
        verdict="conformant",
        seconds=outcome.seconds,
        counts=dict(sorted(Counter(result.outcome for result in results).items())),
        unmatched_xfails=xfails.unmatched(
            (result.case for result in results), (case.id for case in all_cases())
        ),
        problem=outcome.problem or msgspec.UNSET,
        stderr=outcome.stderr or msgspec.UNSET,
        results=results,
    )
    return msgspec.structs.replace(report, verdict=_verdict(report))


def _verdict(report: ReportV1) -> Any:
    unexpected = list(failures(report))
    if report.problem or any(item.outcome == "protocol-error" for item in unexpected):
        return "protocol broken"
    if report.unmatched_xfails or any(item.level == "core" for item in unexpected):
        return "not conformant"
    if any(item.outcome == "passed" and item.expected_failure for item in report.results):
        return "not conformant"
    if not any(item.outcome == "passed" for item in report.results):
        return "not conformant"  # no case passed
    return "conformant"


def failures(report: ReportV1) -> Iterable[Result]:
    """Yield the results that are unexpected failures."""
    for result in report.results:
        if result.outcome not in FINE and not result.expected_failure:
            yield result


def write_reports(report: ReportV1, folder: Path) -> None:
    """Write all report files into ``folder``."""
    folder.mkdir(parents=True, exist_ok=True)
    write_file(folder / "report.json", encode_json(msgspec.to_builtins(report)))
    write_file(folder / "junit.xml", junit(report))
    write_file(folder / "summary.md", markdown(report).encode("utf-8"))
    write_file(folder / "badge.json", encode_json(badge(report)))


def junit(report: ReportV1) -> bytes:
    """Return the report as JUnit XML, with one suite per document."""
    root = ET.Element("testsuites", name="runforge-conformance", time=f"{report.seconds:.3f}")
    suites: dict[str, list[Result]] = {}
    for result in report.results:
        suites.setdefault(result.case.partition("/")[0], []).append(result)
    for name, results in suites.items():
        failed = [result for result in results if _is_failure(result)]
        skipped = [result for result in results if result.outcome == "skipped"]
        suite = ET.SubElement(
            root,
            "testsuite",
            name=name,
            tests=str(len(results)),
            failures=str(len(failed)),
            skipped=str(len(skipped)),
            errors="0",
            time=f"{sum(result.seconds for result in results):.3f}",
        )
        for result in results:
            _junit_case(suite, result)
    if report.problem:
        suite = ET.SubElement(root, "testsuite", name="handshake", tests="1", errors="1")
        case = ET.SubElement(suite, "testcase", classname="handshake", name="start")
        ET.SubElement(case, "error", message=_xml_text(report.problem))
    ET.indent(root)
    text: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return text + b"\n"


def _is_failure(result: Result) -> bool:
    """Return whether continuous integration shows a case as failed."""
    if result.expected_failure:
        return result.outcome == "passed"
    return result.outcome not in FINE and result.level == "core"


def _junit_case(suite: ET.Element, result: Result) -> None:
    case = ET.SubElement(
        suite,
        "testcase",
        classname=result.requirement,
        name=result.case,
        time=f"{result.seconds:.3f}",
    )
    text = "\n".join(_plain_line(problem) for problem in result.problems)
    if _is_failure(result):
        message = f"passed, though expected to fail: {result.expected_failure}"
        if result.outcome != "passed":
            message = f"{result.outcome}: {result.problems[0].message}"
        ET.SubElement(case, "failure", message=_xml_text(message)).text = _xml_text(text)
    elif result.outcome != "passed":
        reason = result.expected_failure or (text if result.outcome == "skipped" else result.level)
        ET.SubElement(case, "skipped", message=_xml_text(f"{result.outcome}: {reason}"))


def _xml_text(text: str) -> str:
    """Return ``text`` without the characters that XML does not allow."""
    return re.sub("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]", "\ufffd", text)


def badge(report: ReportV1) -> dict[str, Any]:
    """Return the report as an endpoint badge of shields.io."""
    return {
        "schemaVersion": 1,
        "label": f"RunForge contract v{report.contract}",
        "message": report.verdict,
        "color": _BADGE_COLOURS[report.verdict],
    }


def markdown(report: ReportV1) -> str:
    """Return the report as a Markdown page."""
    client = report.client
    name = f"{client.name} {client.version} ({client.language})" if client else "The client"
    lines = [f"# Conformance: {prose(name)}", ""]
    lines += [f"**{report.verdict.capitalize()}** with RunForge contract v{report.contract}."]
    if report.problem:
        lines += ["", f"It could not be tested: {prose(report.problem)}"]
    counts = ", ".join(f"{count} {outcome}" for outcome, count in report.counts.items())
    if counts:
        lines += ["", f"{counts} in {report.seconds:.1f} s (suite {report.suite})."]
    if report.roles:
        lines += ["", f"Roles: {', '.join(report.roles)}."]
    lines += _broken(report)
    lines += _cases("Failing cases", failures(report))
    expected = [result for result in report.results if result.expected_failure]
    if expected:
        lines += ["", "## Expected failures", "", "| case | outcome | reason |", "|---|---|---|"]
        lines += [
            f"| `{result.case}` | {result.outcome} | {prose(str(result.expected_failure))} |"
            for result in expected
        ]
    if report.unmatched_xfails:
        lines += ["", "Entries of the expected-failure list that nothing matches any more:", ""]
        lines += [f"* {code(pattern)}" for pattern in report.unmatched_xfails]
    if report.stderr and not all(result.outcome in FINE for result in report.results):
        tail = [printable(line) for line in report.stderr.splitlines()[-20:]]
        lines += ["", "## Standard error, the last lines", "", *(f"    {line}" for line in tail)]
    return "\n".join(lines) + "\n"


def broken_requirements(report: ReportV1) -> dict[str, list[str]]:
    """Return the cases that broke each requirement."""
    broken: dict[str, list[str]] = {}
    for result in failures(report):
        for requirement in dict.fromkeys(problem.requirement for problem in result.problems):
            broken.setdefault(requirement, []).append(result.case)
    return broken


def _broken(report: ReportV1) -> list[str]:
    broken = broken_requirements(report)
    if not broken:
        return []
    known = requirements()
    lines = ["", "## Requirements that are not met", "", "| requirement | level | cases | |"]
    lines.append("|---|---|---|---|")
    for requirement, cases in sorted(broken.items()):
        entry = known.get(requirement)
        level, statement = (entry.level, entry.statement) if entry else ("", "")
        lines.append(f"| `{requirement}` | {level} | {len(cases)} | {statement} |")
    return lines


def _cases(title: str, results: Iterable[Result]) -> list[str]:
    shown = list(results)
    if not shown:
        return []
    lines = ["", f"## {title}"]
    for result in shown[:_SHOWN]:
        lines += ["", f"### `{result.case}`: {result.outcome}", ""]
        lines += [f"* {_line(problem)}" for problem in result.problems]
    if len(shown) > _SHOWN:
        lines += ["", f"... and {len(shown) - _SHOWN} more; `report.json` has all of them."]
    return lines


def _plain_line(problem: Finding) -> str:
    """Return a finding on one line of plain text."""
    place = "".join(part for part in (problem.file, problem.pointer) if part)
    parts = [f"{problem.requirement}: {problem.message}", *([f"At {place}."] if place else [])]
    parts += [f"{side.capitalize()}: {value}." for side, value in sides(problem)]
    return printable(" ".join(parts))


def _line(problem: Finding) -> str:
    """Return a finding on one line of Markdown."""
    place = "".join(part for part in (problem.file, problem.pointer) if part)
    text = f"{code(problem.requirement)}: {prose(problem.message)}"
    if place:
        text += f" At {code(place)}."
    for side, value in sides(problem):
        text += f" {side.capitalize()}: {code(value)}."
    return text


def sides(problem: Finding, limit: int = 200) -> Iterable[tuple[str, str]]:
    """Yield the expected and the found value, as far as a finding has them, as JSON."""
    values: Mapping[str, Any] = msgspec.to_builtins(problem)
    for side in ("expected", "found"):
        if side in values:
            yield side, msgspec.json.encode(values[side]).decode("utf-8", "replace")[:limit]
