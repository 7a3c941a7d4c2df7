"""The run of an experiment as a value of a program, and how it shows itself in a notebook.

Source: TFC-0002, section 5.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from runforge_contracts.display import format_duration, printable
from runforge_contracts.metrics import primary_metric
from runforge_contracts.store.experiment_runs import ExperimentFolder, in_order
from runforge_contracts.store.layout import ARTIFACTS

from runforge_engine.api.run import html_table
from runforge_engine.experiment.record.experiment_state import state_of

if TYPE_CHECKING:
    import pandas as pd


class ExperimentRun:
    """A run of an experiment, read from its folder when something is asked.

    The documents are the raw objects of the contract, or None where the run has none.

    Parameters
    ----------
    path
        The run folder.
    """

    def __init__(self, path: str | Path) -> None:
        self._path = Path(path).absolute()

    @property
    def path(self) -> Path:
        """The run folder."""
        return self._path

    @property
    def run_id(self) -> str:
        """The id, which is the name of the folder."""
        return self._folder.run_id

    @property
    def status(self) -> str:
        """``succeeded``, ``failed`` or ``cancelled``; ``running`` or ``interrupted`` before that.

        ``unknown`` where another tool does not tell.
        """
        return state_of(self._folder)

    @property
    def name(self) -> str | None:
        """The name of the experiment."""
        name: str | None = (self.config or {}).get("experiment")
        return name

    @property
    def config(self) -> dict[str, Any] | None:
        """``config.yaml``: the configuration as it was used, and how the run went."""
        return self._folder.config

    @property
    def system(self) -> dict[str, Any] | None:
        """``system.json``: what the run was executed on."""
        return self._folder.system

    @property
    def metrics(self) -> dict[str, float]:
        """Final metrics by name, or those so far."""
        return dict((self._folder.metrics or {}).get("summary", {}))

    @property
    def parameters(self) -> dict[str, Any]:
        """What user code logged as parameters, by name."""
        return dict((self.config or {}).get("parameters") or {})

    @property
    def artifacts(self) -> list[Path]:
        """The files that user code left; no links."""
        found = (self._path / ARTIFACTS).rglob("*")
        return sorted(path for path in found if path.is_file() and not path.is_symlink())

    def history(self) -> pd.DataFrame:
        """Return the metrics over the steps: a row for each value, in the order of the steps.

        Its columns are ``metric``, ``step`` and ``value``; to draw one,
        ``run.history().query("metric == 'loss'").plot(x="step", y="value")``.
        """
        import pandas as pd

        history = (self._folder.metrics or {}).get("history", {})
        rows = [
            (name, point["step"], point["value"])
            for name, points in history.items()
            for point in in_order(points)
        ]
        frame = pd.DataFrame(rows, columns=["metric", "step", "value"])
        return frame.astype({"metric": "string", "step": "float64", "value": "float64"})

    @property
    def _folder(self) -> ExperimentFolder:
        # Read anew: a run at work changes.
        return ExperimentFolder(self._path)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ExperimentRun) and other.path == self.path

    def __hash__(self) -> int:
        return hash(self._path)

    def __repr__(self) -> str:
        chosen = primary_metric({"metrics": self.metrics})
        metric = f", {printable(chosen[0])}={chosen[1]:.4f}" if chosen else ""
        return f"<ExperimentRun {printable(self.run_id)}: {self.status}{metric}>"

    def _repr_html_(self) -> str:
        return html_table(("", ""), self._facts(), title=f"Run {self.run_id}: {self.status}")

    def _facts(self) -> list[tuple[str, str]]:
        """Return what a table says of the run."""
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
