"""A report as JUnit XML, for the pages of continuous integration: ``junit.xml``.

Cases of roles and documents that the client does not declare are not listed, only counted in the
properties of the first suite.
"""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET

from runforge_contracts.display import printable

from runforge_conformance._generated.report_v1 import Finding, ReportV1, Result
from runforge_conformance.failure_groups import place, repeat_command, sides, stderr_lines
from runforge_conformance.suite_report import (
    FINE,
    UNASKED,
    filter_options,
    headline,
    not_asked,
)


def junit(report: ReportV1) -> bytes:
    """Return the report as JUnit XML: the run as a whole, then a suite per document."""
    root = ET.Element("testsuites", name="runforge-conformance", time=f"{report.seconds:.3f}")
    _run_suite(root, report)
    suites: dict[str, list[Result]] = {}
    for result in report.results:
        if result.outcome not in UNASKED:
            suites.setdefault(result.case.partition("/")[0], []).append(result)
    for name, results in suites.items():
        time = f"{sum(result.seconds for result in results):.3f}"
        suite = ET.SubElement(root, "testsuite", name=name, time=time)
        for result in results:
            _case(suite, report, result)
    # Counted from what is there, so that the counts agree with it.
    for suite in root:
        _count(suite, suite)
    _count(root, root)
    ET.indent(root)
    text: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return text + b"\n"


def _count(element: ET.Element, content: ET.Element) -> None:
    cases = list(content.iter("testcase"))
    element.set("tests", str(len(cases)))
    for name, kind in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
        element.set(name, str(sum(case.find(kind) is not None for case in cases)))


def _run_suite(root: ET.Element, report: ReportV1) -> None:
    """Add what is true of the run as a whole: the handshake, and the list of failures."""
    suite = ET.SubElement(root, "testsuite", name="run", time="0.000")
    properties = ET.SubElement(suite, "properties")
    for name, value in _properties(report).items():
        ET.SubElement(properties, "property", name=name, value=_xml_text(value))
    start = ET.SubElement(suite, "testcase", classname="run", name="start", time="0.000")
    if report.problem:
        error = ET.SubElement(start, "error", message=_xml_text(printable(report.problem)))
        error.text = _xml_text("\n".join(stderr_lines(report.stderr or "")))
    for reason, count in not_asked(report).items():
        name = f"not asked ({count})"
        case = ET.SubElement(suite, "testcase", classname="run", name=name, time="0.000")
        ET.SubElement(case, "skipped", message=_xml_text(printable(reason)))
    for pattern in report.unmatched_xfails:
        name = f"expected failure {printable(pattern)}"
        case = ET.SubElement(suite, "testcase", classname="run", name=name, time="0.000")
        ET.SubElement(case, "failure", message="no failing case matches this entry")


def _properties(report: ReportV1) -> dict[str, str]:
    properties = {
        "verdict": f"{report.verdict}: {headline(report)}",
        "suite": report.suite,
        "contract": str(report.contract),
        "protocol": str(report.protocol),
        "seed": str(report.seed),
        "cases of other roles and documents": str(report.counts.get("skipped", 0)),
    }
    if report.filters:
        properties["filters"] = filter_options(report.filters)
    if report.without_cases:
        properties["documents without cases"] = ", ".join(report.without_cases)
    return {name: printable(value) for name, value in properties.items()}


def _is_failure(result: Result) -> bool:
    """Return whether continuous integration shows a case as failed."""
    if result.expected_failure:
        return result.outcome == "passed"
    return result.outcome not in FINE and result.level == "core"


def _case(suite: ET.Element, report: ReportV1, result: Result) -> None:
    case = ET.SubElement(
        suite,
        "testcase",
        classname=result.requirement,
        name=result.case,
        time=f"{result.seconds:.3f}",
    )
    first = result.problems[0].message if result.problems else "no reason is given"
    if _is_failure(result):
        message = f"passed, though expected to fail: {result.expected_failure}"
        lines = [_line(problem) for problem in result.problems]
        if result.outcome != "passed":
            message = f"{result.outcome}: {first}"
            lines.append(f"Repeat: {repeat_command(report, result.case)}")
        failure = ET.SubElement(case, "failure", message=_xml_text(printable(message)))
        failure.text = _xml_text("\n".join([*lines, *stderr_lines(result.stderr or "")]))
    elif result.outcome != "passed":
        # Neither an expected failure nor a recommendation fails a run.
        reason = result.expected_failure or f"{result.level}: {first}"
        message = _xml_text(printable(f"{result.outcome}: {reason}"))
        ET.SubElement(case, "skipped", message=message)


def _line(problem: Finding) -> str:
    """Return a finding on one line of plain text."""
    where = place(problem)
    parts = [f"{problem.requirement}: {problem.message}", *([f"At {where}."] if where else [])]
    parts += [f"{side.capitalize()}: {value}." for side, value in sides(problem)]
    return printable(" ".join(parts))


def _xml_text(text: str) -> str:
    """Return ``text`` without the characters that XML does not allow."""
    return re.sub("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]", "\ufffd", text)
