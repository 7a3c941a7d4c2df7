"""``ExperimentRun``: the run of an experiment, with its history as a data frame and a table.

Source: specification, section 17.1.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from runforge_contracts.display import format_duration
from runforge_contracts.documents import Document
from runforge_contracts.store.experiment_runs import ExperimentRun as RecordedRun
from runforge_contracts.store.experiment_runs import in_order
from runforge_contracts.store.layout import ARTIFACTS
from runforge_contracts.store.run import RunStatus

from runforge_engine.api.html_tables import html_table
from runforge_engine.api.python_errors import for_python
from runforge_engine.experiment.record.experiment_state import state_of

if TYPE_CHECKING:
    import pandas as pd


class ExperimentRun(RecordedRun):
    """A run of an experiment, with a notebook display; a run in progress is read again each time.

    Parameters
    ----------
    path
        The run folder.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        super().__init__(Path(path).absolute())

    def document(self, file: str) -> Document[Any] | None:
        """Return the document at ``file`` as it is now, or None."""
        self.reload()
        return super().document(file)

    @property
    def status(self) -> RunStatus:
        """``succeeded``, ``failed`` or ``cancelled``; ``running`` or ``interrupted`` before that.

        ``unknown`` where another tool recorded none.
        """
        return state_of(RecordedRun(self.path))

    @property
    def parameters(self) -> dict[str, Any]:
        """The parameters that user code logged, by name."""
        return dict((self.config or {}).get("parameters") or {})

    @property
    def artifacts(self) -> list[Path]:
        """The files that user code wrote, without symbolic links."""
        found = (self.path / ARTIFACTS).rglob("*")
        return sorted(path for path in found if path.is_file() and not path.is_symlink())

    def history(self) -> pd.DataFrame:
        """Return the metrics over the steps: a row for each value, in the order of the steps.

        Its columns are ``metric``, ``step`` and ``value``; to draw one,
        ``run.history().query("metric == 'loss'").plot(x="step", y="value")``.
        """
        import pandas as pd

        history = (self.metrics_document or {}).get("history", {})
        rows = [
            (name, point["step"], point["value"])
            for name, points in history.items()
            for point in in_order(points)
        ]
        frame = pd.DataFrame(rows, columns=["metric", "step", "value"])
        return frame.astype({"metric": "string", "step": "float64", "value": "float64"})

    @for_python
    def bundle(
        self,
        path: str | os.PathLike[str] | None = None,
        *,
        public_key: str | os.PathLike[str] | None = None,
        with_dataset: bool = False,
    ) -> Path:
        """Write the run, with its signature if it has one, into one file, and return its path.

        Parameters
        ----------
        path
            The file; by default the id of the run with ``.rfz``, in the current folder.
        public_key
            A PEM file to include; the run must have a signature of the matching private key.
        with_dataset
            Whether to include the dataset.

        Raises
        ------
        VerificationError
            Where the run does not verify or has not ended, or the dataset has changed.
        UsageError
            Where the file exists.
        NotFoundError
            Where the dataset is missing.
        """
        from runforge_engine.api.run_operations import bundle_recorded

        return bundle_recorded(self, path, public_key=public_key, with_dataset=with_dataset)

    def _repr_html_(self) -> str:
        return html_table(("", ""), self._facts(), title=f"Run {self.id}: {self.status}")

    def _facts(self) -> list[tuple[str, str]]:
        """Return the rows of the table that describes the run."""
        config = self.config or {}
        failure = config.get("failure") or {}
        facts = {
            "experiment": self.name or "",
            "error": failure.get("message", ""),
            **{name: f"{value:.4f}" for name, value in self.metrics.items()},
            "model": config.get("model", ""),
            "dataset": config.get("dataset", ""),
            "parameters": ", ".join(f"{name}={value}" for name, value in self.parameters.items()),
            "duration": format_duration(config["duration_ms"]) if "duration_ms" in config else "",
            "folder": str(self.path),
        }
        return [(name, text) for name, text in facts.items() if text]
