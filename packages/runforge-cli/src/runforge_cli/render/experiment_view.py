"""The output of the ``runforge experiment`` commands as text."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from runforge_contracts.display import format_duration, printable, shorten

from runforge_cli.render.tables import diagnostic_lines
from runforge_cli.render.verification_view import finding_lines
from runforge_cli.terminal.text_layout import number, pairs, paragraph, plural

if TYPE_CHECKING:
    from runforge_engine.experiment.record.experiment_check import RepositoryCheck
    from runforge_engine.experiment.run.run_experiment import ExperimentOutcome
    from runforge_engine.experiment.scaffold import Initialised

#: Maximum number of metrics shown; `--json` has all of them.
_SHOWN = 20


def outcome_lines(outcome: ExperimentOutcome, where: str) -> Iterator[str]:
    """Yield the lines on a run that has just succeeded.

    Parameters
    ----------
    outcome
        The result of the run.
    where
        The folder of the run, for display.
    """
    yield f"Run {outcome.run_id}: {outcome.status}"
    yield from pairs(
        [
            ("experiment", outcome.config["experiment"]),
            ("duration", format_duration(outcome.config["duration_ms"])),
            ("folder", where),
        ]
    )
    summary = (outcome.metrics or {}).get("summary", {})
    if summary:
        yield ""
        yield "Metrics"
        yield from pairs((name, number(value)) for name, value in list(summary.items())[:_SHOWN])
        if len(summary) > _SHOWN:
            yield from pairs([("…", f"and {len(summary) - _SHOWN:,} more")])


def experiment_diagnostics_page(run_id: str, diagnostics: Sequence[dict[str, Any]]) -> list[str]:
    """Return the diagnostics of an experiment run."""
    lines = diagnostic_lines(diagnostics) or ["  No diagnostics."]
    return [f"Diagnostics of {printable(run_id)}", "", *lines]


def initialised_lines(done: Initialised) -> Iterator[str]:
    """Yield the lines on a repository that was initialised."""
    yield from paragraph(f"Repository {done.root}")
    yield from pairs(("written", name) for name in done.written)
    yield from pairs(("up to date", name) for name in done.same)
    yield from pairs(("not changed", name) for name in done.kept)
    if done.missing_attributes:
        yield ""
        yield "Missing in .gitattributes"
        yield from (f"  {line}" for line in done.missing_attributes)
    yield ""
    yield "Next"
    yield "  python tools/run.py --experiment experiments/exp-001.yaml"


def check_lines(report: RepositoryCheck) -> Iterator[str]:
    """Yield the lines on the runs of a repository, each with its findings."""
    if not report.runs:
        yield from paragraph(f"No experiment runs in {report.repository}.")
        return
    wrong = sum(not run.conforms for run in report.runs)
    verdict = f"{wrong:,} with findings" if wrong else "no findings"
    yield from paragraph(f"Repository {report.repository}")
    yield f"{plural(len(report.runs), 'run')}, {verdict}"
    for run in report.runs:
        found = plural(len(run.findings), "finding") if run.findings else ""
        yield from pairs([(shorten(run.run_id, 40), ", ".join(filter(None, (run.state, found))))])
        yield from finding_lines(run.findings)
