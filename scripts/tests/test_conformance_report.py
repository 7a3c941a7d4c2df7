"""The page of our own clients has their verdicts, and every requirement with what came of it."""

from __future__ import annotations

from conformance_report import page
from outcomes import outcome_of, result
from runforge_conformance._generated.report_v1 import Finding, ReportV1, Result
from runforge_conformance.suite_report import headline, make_report
from runforge_conformance.vectors import all_cases, requirements
from runforge_conformance.xfail import ExpectedFailures


def report_of(roles: list[str], failing: dict[str, Result] | None = None) -> ReportV1:
    return make_report(outcome_of(roles, None, failing), ExpectedFailures())


def clients_of(text: str, requirement: str) -> str:
    """Return what the page says of the clients for one requirement."""
    section = text.split(f"`{requirement}`\n")[1].partition("\n### ")[0]
    return section.partition("*Clients:* ")[2].partition("\n")[0]


def test_the_page_says_what_came_of_each_requirement() -> None:
    case = "request.v1/edit/rename"
    lost = Finding(requirement="editor.edit", message="It is lost.")
    cancelled = [case.id for case in all_cases() if case.requirement == "executor.cancelled"]
    why = Finding(requirement="executor.cancelled", message="It declares no way to cancel.")
    reports = {
        "Editor": report_of(["editor"], {case: result(case, "failed", lost)}),
        "Executor": report_of(
            ["executor"], {case: result(case, "not-asked", why) for case in cancelled}
        ),
    }
    text = page(reports)
    assert clients_of(text, "editor.edit") == "Editor fails 1, Executor not asked."
    assert clients_of(text, "executor.cancelled") == "Editor not asked, Executor not asked."
    assert clients_of(text, "executor.deterministic") == "Editor not asked, Executor passes."
    for name, report in reports.items():
        row = f"| {name} | my-client 1.0 | {report.verdict}: {headline(report)} |"
        assert row in text.splitlines()
    for requirement in requirements():
        assert f'<a id="{requirement}"></a>' in text
