"""Running the suite against the clients of the repository."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from runforge_conformance._generated.report_v1 import ReportV1
from runforge_conformance.case_selection import select
from runforge_conformance.runner import Runner, TimeLimits
from runforge_conformance.suite_report import FINE, make_report
from runforge_conformance.vectors import all_cases
from runforge_conformance.xfail import ExpectedFailures

CLIENTS = Path(__file__).parents[2] / "clients"
PYTHON = CLIENTS / "python/harness.py"
COMMAND = CLIENTS / "cli/harness.py"
#: What inputs are varied from where a test needs the same ones every time.
SEED = 16
#: Broken executors and stores: the role in which they are tested.
ROLES_OF_BROKEN = {
    "always_the_same_run": ("executor",),
    "leaves_a_run_behind": ("executor",),
    "nowhere": ("executor",),
    "two_files": ("executor",),
    "index_only": ("store",),
    "lists_by_case_id": ("store",),
    "oldest_first": ("store",),
    "rebuilds_from_nothing": ("store",),
    "rebuilds_nothing": ("store",),
    "stops_at_damage": ("store",),
}


def report_on(
    *harness: object,
    roles: Sequence[str] | None = None,
    only: Sequence[str] | None = None,
    xfail: Path | None = None,
    limits: TimeLimits = TimeLimits(answer=60),  # noqa: B008 - frozen
    strict: bool = False,
    seed: int | None = SEED,
) -> ReportV1:
    """Return the report on a client written in Python."""
    command = [sys.executable, *map(str, harness)]
    runner = Runner(command, limits=limits, strict=strict, seed=seed)
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
        if result.outcome not in FINE
        for problem in result.problems
    }
