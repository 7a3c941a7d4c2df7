"""A run as a value of a program: its documents, its model, and how it shows itself in a notebook.

Source: RunForge contract, "Documents and versions".
"""

from __future__ import annotations

from collections.abc import Iterable
from html import escape
from pathlib import Path
from typing import Any

from runforge_contracts.display import format_duration, printable, shorten
from runforge_contracts.metrics import primary_metric
from runforge_contracts.store import layout
from runforge_contracts.store.reading import RunFolder

from runforge_engine.runtime.folder_lock import state_of

#: Characters of a text that a table shows.
_LONG = 80


class Run:
    """A run, read from its folder; a document is read when it is asked for.

    The documents are the raw objects of the contract, or None where the run has none.

    Parameters
    ----------
    path
        The run folder.
    """

    def __init__(self, path: str | Path) -> None:
        self._folder = RunFolder(Path(path).absolute())

    @property
    def path(self) -> Path:
        """The run folder."""
        return self._folder.path

    @property
    def run_id(self) -> str:
        """The id that the run's documents carry."""
        return self._folder.run_id

    @property
    def status(self) -> str:
        """``succeeded``, ``failed`` or ``cancelled``.

        Without a result it is ``running``, ``interrupted``, or ``incomplete`` where it has not
        begun or nobody can tell; ``missing`` where the folder is gone.
        """
        if not self.path.is_dir():
            return "missing"
        ended = self._folder.status
        # A run at work is asked again next time.
        self._folder = RunFolder(self.path) if ended == "incomplete" else self._folder
        return state_of(self.path) if ended == "incomplete" else ended

    @property
    def name(self) -> str | None:
        """The name that the run was given."""
        name: str | None = (self.request or {}).get("name")
        return name

    @property
    def metrics(self) -> dict[str, float]:
        """Metrics on the validation rows, by name; empty where training did not complete."""
        summary = (self.result or {}).get("summary") or {}
        found = summary.get("metrics") or (self.record or {}).get("metrics") or {}
        return {name: value for name, value in found.items() if not name.startswith("num_")}

    @property
    def hyperparameters(self) -> dict[str, Any]:
        """Every hyperparameter that was used, by name."""
        return {
            item["name"]: item["value"] for item in (self.record or {}).get("hyperparameters", ())
        }

    @property
    def request(self) -> dict[str, Any] | None:
        """``request.json``: what was asked for."""
        return self._folder.request

    @property
    def record(self) -> dict[str, Any] | None:
        """``run.json``: what happened, if training completed, and where it came from."""
        return self._folder.run

    @property
    def result(self) -> dict[str, Any] | None:
        """``result.json``: how the run ended."""
        return self._folder.result

    @property
    def detailed_metrics(self) -> dict[str, Any] | None:
        """``metrics.v1.json``: metrics by class, and the confusion matrix."""
        return self._folder.raw(layout.METRICS_V1)

    @property
    def importance(self) -> dict[str, Any] | None:
        """``feature_importance.v1.json``, of a forest."""
        return self._folder.raw(layout.FEATURE_IMPORTANCE)

    @property
    def coefficients(self) -> dict[str, Any] | None:
        """``linear_coefficients.v1.json``, of a linear model."""
        return self._folder.raw(layout.LINEAR_COEFFICIENTS)

    @property
    def diagnostics(self) -> list[dict[str, Any]]:
        """What there is to say about the run."""
        return self._folder.diagnostics

    def load_model(self) -> Any:
        """Return the fitted pipeline, after a look into the file that runs none of it.

        Raises
        ------
        RunForgeError
            As :func:`~runforge_engine.modeling.predict.model_of_run` and
            :func:`~runforge_engine.model_file.loading.load_model`.
        """
        from runforge_engine.model_file.loading import load_model
        from runforge_engine.modeling.predict import model_of_run

        model = model_of_run(self._folder, ())
        return load_model(model.path, model.sha256)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Run) and other.path == self.path

    def __hash__(self) -> int:
        return hash(self.path)

    def __repr__(self) -> str:
        chosen = primary_metric({"metrics": self.metrics})
        metric = f", {chosen[0]}={chosen[1]:.4f}" if chosen else ""
        return f"<Run {printable(self.run_id)}: {self.status}{metric}>"

    def _repr_html_(self) -> str:
        return html_table(("", ""), self._facts(), title=f"Run {self.run_id}: {self.status}")

    def _facts(self) -> list[tuple[str, str]]:
        """Return what a table says of the run."""
        request, result, record = self.request or {}, self.result or {}, self.record or {}
        dataset = request.get("dataset", {})
        error = result.get("error") or {}
        facts = {
            "name": self.name or "",
            "error": error.get("message", ""),
            **{name: f"{value:.4f}" for name, value in self.metrics.items()},
            "model": record.get("model_family") or request.get("model", {}).get("family", ""),
            "hyperparameters": ", ".join(
                f"{name}={value}" for name, value in self.hyperparameters.items()
            ),
            "dataset": dataset.get("path", ""),
            "label": dataset.get("label_column", ""),
            "rows": str(record.get("num_samples", "")),
            "features": str(record.get("num_features", "")),
            "duration": format_duration(result["duration_ms"]) if "duration_ms" in result else "",
            "folder": str(self.path),
        }
        return [(name, text) for name, text in facts.items() if text]


def html_table(header: tuple[str, ...], rows: Iterable[tuple[str, ...]], *, title: str = "") -> str:
    """Return a table for a notebook; whatever the cells hold, it is text there."""

    def cells(kind: str, row: tuple[str, ...]) -> str:
        texts = (escape(printable(shorten(cell, _LONG))) for cell in row)
        return "".join(f'<{kind} style="text-align: left">{text}</{kind}>' for text in texts)

    head = f"<thead><tr>{cells('th', header)}</tr></thead>" if any(header) else ""
    caption = f"<caption>{escape(printable(title))}</caption>" if title else ""
    body = "".join(f"<tr>{cells('td', row)}</tr>" for row in rows)
    return f"<table>{caption}{head}<tbody>{body}</tbody></table>"
