"""The evaluations of a run as a table."""

from __future__ import annotations

from collections.abc import Sequence

from runforge_contracts.display import time_text
from runforge_contracts.store.evaluations import RecordedEvaluation, is_of_training_data
from runforge_contracts.store.run import Run

from runforge_cli.shell.settings import Settings
from runforge_cli.terminal.text_layout import number, table


def evaluation_rows(
    evaluations: Sequence[RecordedEvaluation], run: Run, settings: Settings
) -> list[str]:
    """Return a table of the evaluations of a run, the newest first.

    Parameters
    ----------
    evaluations
        The evaluations, oldest first.
    run
        The run; an evaluation of the dataset that it was trained on is marked.
    settings
        For the paths that are shown.
    """
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
    if not rows:
        return []
    # Below the table: its last column is cut where the terminal is narrow.
    marks = [
        f"  {evaluation.id}: the model was trained on this dataset"
        for evaluation in reversed(evaluations)
        if is_of_training_data(evaluation, run)
    ]
    return [*table(header, rows, right=(2, 3), flexible=4, cut=True, indent=2), *marks]
