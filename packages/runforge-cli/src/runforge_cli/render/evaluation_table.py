"""The evaluations of a run as a table."""

from __future__ import annotations

from collections.abc import Sequence

from runforge_contracts.display import time_text
from runforge_contracts.store.evaluations import RecordedEvaluation

from runforge_cli.shell.settings import Settings
from runforge_cli.terminal.text_layout import number, table


def evaluation_rows(evaluations: Sequence[RecordedEvaluation], settings: Settings) -> list[str]:
    """Return a table of the evaluations of a run, the newest first."""
    rows = [
        [
            evaluation.id,
            time_text(evaluation.record["created_at"])[:16],
            number(evaluation.metrics["accuracy"]),
            f"{evaluation.record['rows_evaluated']:,}",
            settings.shown(evaluation.record["dataset"]["path"]),
        ]
        for evaluation in reversed(evaluations)
    ]
    header = ("evaluation", "made", "accuracy", "rows", "dataset")
    return table(header, rows, right=(2, 3), flexible=4, cut=True, indent=2) if rows else []
