"""Running the suite against the clients of the repository."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from runforge_conformance._generated.report_v1 import ReportV1
from runforge_conformance.case_selection import select
from runforge_conformance.runner import Runner, TimeLimits
from runforge_conformance.suite_report import make_report
from runforge_conformance.vectors import all_cases
from runforge_conformance.xfail import ExpectedFailures

CLIENTS = Path(__file__).parents[2] / "clients"
PYTHON = CLIENTS / "python/harness.py"
COMMAND = CLIENTS / "cli/harness.py"


def report_on(
    *command: object,
    roles: Sequence[str] | None = None,
    only: Sequence[str] | None = None,
    xfail: Path | None = None,
    limits: TimeLimits = TimeLimits(answer=60),  # noqa: B008 - frozen
    strict: bool = False,
) -> ReportV1:
    """Return the report on a client written in Python."""
    runner = Runner([sys.executable, *map(str, command)], limits=limits, strict=strict)
    outcome = runner.run(select(all_cases(), roles, None, only))
    return make_report(outcome, ExpectedFailures.read(xfail) if xfail else ExpectedFailures())


def suite(*arguments: object, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Run the suite's command in a process of its own."""
    command = [sys.executable, "-m", "runforge_conformance", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=cwd)


def requirements_in(report: ReportV1) -> set[str]:
    """Return the requirements that a report says are broken, expected or not."""
    return {
        problem.requirement
        for result in report.results
        if result.outcome not in ("passed", "skipped")
        for problem in result.problems
    }
