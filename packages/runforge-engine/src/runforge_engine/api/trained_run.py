"""``Run``: a recorded run that can load its model, with a table for notebooks.

Source: specification, sections 8.2 and 12.2.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from html import escape
from pathlib import Path
from typing import Any

from runforge_contracts.display import format_duration, printable, shorten
from runforge_contracts.store import layout
from runforge_contracts.store import run as recorded_run
from runforge_contracts.store.run import RunStatus
from runforge_contracts.store.summary import summary_of

from runforge_engine.runtime.folder_lock import state_of

#: Maximum number of characters of a string in a table.
_LONG = 80


class Run(recorded_run.Run):
    """A run of the contract that can also load its model, with a notebook display.

    Parameters
    ----------
    path
        The run folder.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        super().__init__(Path(path).absolute())

    @property
    def status(self) -> RunStatus:
        """``succeeded``, ``failed`` or ``cancelled``.

        Without a result it is ``running``, ``interrupted``, or ``incomplete`` where it has not
        started or its state is unknown; ``missing`` where the folder was deleted.
        """
        if not self.path.is_dir():
            return "missing"
        recorded = super().status
        if recorded != "incomplete":
            return recorded
        self.reload()  # a running run is read again next time
        return state_of(self.path)

    @property
    def hyperparameters(self) -> dict[str, Any]:
        """Every hyperparameter that was used, by name."""
        return {
            item["name"]: item["value"] for item in (self.record or {}).get("hyperparameters", ())
        }

    @property
    def detailed_metrics(self) -> dict[str, Any] | None:
        """``metrics.v1.json``: metrics by class, and the confusion matrix."""
        return self.content(layout.METRICS_V1)

    @property
    def importance(self) -> dict[str, Any] | None:
        """``feature_importance.v1.json``, of a forest."""
        return self.content(layout.FEATURE_IMPORTANCE)

    @property
    def coefficients(self) -> dict[str, Any] | None:
        """``linear_coefficients.v1.json``, of a linear model."""
        return self.content(layout.LINEAR_COEFFICIENTS)

    def load_model(self) -> Any:
        """Return the fitted pipeline, after inspecting the file without running it.

        Raises
        ------
        RunForgeError
            As :func:`~runforge_engine.modeling.predict.model_of_run` and
            :func:`~runforge_engine.model_file.loading.load_model`.
        """
        from runforge_engine.model_file.loading import load_model
        from runforge_engine.modeling.predict import model_of_run

        model = model_of_run(self, ())
        return load_model(model.path, model.sha256)

    def _repr_html_(self) -> str:
        return html_table(("", ""), self._facts(), title=f"Run {self.id}: {self.status}")

    def _facts(self) -> list[tuple[str, str]]:
        """Return the rows of the table that describes the run."""
        summary = summary_of(self)
        outcome, data = summary.outcome, summary.data
        facts = {
            "name": outcome.name,
            "error": (outcome.error or {}).get("message"),
            **{name: f"{value:.4f}" for name, value in self.metrics.items()},
            "model": summary.model.family,
            "hyperparameters": ", ".join(
                f"{name}={value}" for name, value in self.hyperparameters.items()
            ),
            "dataset": data.path,
            "label": data.label_column,
            "rows": None if data.rows is None else str(data.rows),
            "features": None if data.num_features is None else str(data.num_features),
            "duration": None
            if outcome.duration_ms is None
            else format_duration(outcome.duration_ms),
            "folder": str(self.path),
        }
        return [(name, text) for name, text in facts.items() if text]


def html_table(header: tuple[str, ...], rows: Iterable[tuple[str, ...]], *, title: str = "") -> str:
    """Return a table for a notebook; the content of the cells is escaped."""

    def cells(kind: str, row: tuple[str, ...]) -> str:
        texts = (escape(printable(shorten(cell, _LONG))) for cell in row)
        return "".join(f'<{kind} style="text-align: left">{text}</{kind}>' for text in texts)

    head = f"<thead><tr>{cells('th', header)}</tr></thead>" if any(header) else ""
    caption = f"<caption>{escape(printable(title))}</caption>" if title else ""
    body = "".join(f"<tr>{cells('td', row)}</tr>" for row in rows)
    return f"<table>{caption}{head}<tbody>{body}</tbody></table>"
