"""Runs of experiments, as text."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from runforge_contracts.text import format_duration

from runforge_cli.columns import number, pairs

if TYPE_CHECKING:
    from runforge_engine.experiment.running import ExperimentOutcome

#: Values shown of a summary of metrics; `--json` has them all.
_SHOWN = 20


def outcome_lines(outcome: ExperimentOutcome, where: str) -> Iterator[str]:
    """Give the lines on a run that has just succeeded.

    Parameters
    ----------
    outcome
        How it ended.
    where
        Its folder, for a person.
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
