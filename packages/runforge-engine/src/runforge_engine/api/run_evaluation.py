"""``RunEvaluation``: a recorded evaluation in a program or a notebook.

Source: specification, chapter 21.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from runforge_contracts.store.evaluations import (
    LEFT_OUT_TEXTS,
    RecordedEvaluation,
    evaluations_of,
    metric_differences,
    metric_numbers,
    validation_of,
)
from runforge_contracts.store.layout import find_workspace, stores_in
from runforge_contracts.store.run import Run as RecordedRun

from runforge_engine.api.html_tables import class_table, confusion_table, html_table

if TYPE_CHECKING:
    import pandas as pd


class RunEvaluation(RecordedEvaluation):
    """The metrics of a run's model on labelled rows, beside those of validation.

    Parameters
    ----------
    path
        The folder of the evaluation.
    run
        The run whose model was evaluated; None if it is gone.
    """

    def __init__(self, path: str | os.PathLike[str], run: RecordedRun | None = None) -> None:
        super().__init__(Path(path).absolute())
        self.run = run

    @property
    def validation(self) -> dict[str, Any] | None:
        """The ``metrics.v1`` of the run on its validation rows; None if it has none."""
        return validation_of(self.run)

    @property
    def differences(self) -> dict[str, float]:
        """The metrics that both have: the value on the new rows minus that of validation."""
        return metric_differences(self.metrics, self.validation)

    @property
    def confusion_matrix(self) -> pd.DataFrame:
        """The confusion matrix, with a row for each true and a column for each predicted class."""
        import pandas as pd

        labels = self._labels()
        return pd.DataFrame(
            self.metrics["confusion_matrix"],
            index=pd.Index(labels, name="true"),
            columns=pd.Index(labels, name="predicted"),
        )

    @property
    def left_out(self) -> list[dict[str, Any]]:
        """The rows that were not evaluated, by reason, with examples."""
        found: list[dict[str, Any]] = self.record["left_out"]
        return found

    def _labels(self) -> list[Any]:
        size = range(len(self.metrics["confusion_matrix"]))
        return list(self.metrics.get("class_labels") or size)

    def _repr_html_(self) -> str:
        return "".join(
            (
                html_table(("", ""), self._facts(), title=f"Evaluation {self.id}"),
                html_table(("", "new rows", "validation", "difference"), self._beside()),
                class_table(self.metrics),
                confusion_table(self.metrics["confusion_matrix"], list(map(str, self._labels()))),
            )
        )

    def _facts(self) -> list[tuple[str, str]]:
        record, data = self.record, self.record["dataset"]
        left_out = [
            (f"with {LEFT_OUT_TEXTS[item['reason']]}", str(item["rows"])) for item in self.left_out
        ]
        return [
            ("run", record["run_id"]),
            ("dataset", data["path"]),
            ("rows evaluated", f"{record['rows_evaluated']} of {data['rows']}"),
            *left_out,
            ("folder", str(self.path)),
        ]

    def _beside(self) -> list[tuple[str, ...]]:
        known, differences = metric_numbers(self.validation or {}), self.differences
        return [
            (
                name,
                f"{value:.4f}",
                f"{known[name]:.4f}" if name in known else "",
                f"{differences[name]:+.4f}" if name in differences else "",
            )
            for name, value in self.numbers.items()
        ]


def evaluations_in(run: RecordedRun) -> list[RunEvaluation]:
    """Return the evaluations of a run in its workspace, the newest first."""
    stores = stores_in(find_workspace(run.path))
    found = evaluations_of(run.id, stores)
    return [RunEvaluation(evaluation.path, run) for evaluation in reversed(found)]
