"""``RunComparison``: what differs between runs, with a table for notebooks.

Source: specification, section 16.2.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from runforge_contracts.comparison import compare_runs
from runforge_contracts.display import quote
from runforge_contracts.errors import ErrorCode, RunForgeError
from runforge_contracts.selection.run_condition import value_text
from runforge_contracts.store.layout import StoreLayout, find_workspace
from runforge_contracts.store.lookup import AnyRun

from runforge_engine.api.html_tables import html_table

if TYPE_CHECKING:
    import pandas as pd

#: Parts of the document with fields that are shown, the most telling ones first.
_SECTIONS = ("configuration", "hyperparameters", "data", "metrics", "environment")


class RunComparison:
    """Two or more runs, compared by their records; the first is the baseline.

    Parameters
    ----------
    document
        The raw ``comparison.v1``, as ``runforge diff --json`` prints it.
    """

    def __init__(self, document: Mapping[str, Any]) -> None:
        #: The raw ``comparison.v1``.
        self.document = document

    @property
    def conclusions(self) -> dict[str, str]:
        """Why the results of each run differ from those of the baseline, by the id of the run."""
        return {item["run_id"]: item["text"] for item in self.document["conclusions"]}

    def frame(self) -> pd.DataFrame:
        """Return what differs: a row for each value, a column for each run.

        The index has the kind of the value, such as ``hyperparameters``, and its name. A value that
        a run does not record is missing.
        """
        import pandas as pd

        rows = list(self._differing())
        index = pd.MultiIndex.from_tuples([row[:2] for row in rows], names=["kind", "name"])
        ids = [run["run_id"] for run in self.document["runs"]]
        return pd.DataFrame([row[2] for row in rows], index=index, columns=ids, dtype=object)

    def _differing(self) -> Iterator[tuple[str, str, list[Any]]]:
        """Yield kind, name and values of each field that differs."""
        for section in _SECTIONS:
            for field in self.document[section]:
                if field["agreement"] != "equal":
                    of_class = f" of {field['class']}" if "class" in field else ""
                    values = [entry.get("value") for entry in field["values"]]
                    yield section, f"{field['name']}{of_class}", values

    def __repr__(self) -> str:
        runs = self.document["runs"]
        lines = [f"{run_id}: {text}" for run_id, text in self.conclusions.items()]
        return "\n  ".join([f"<RunComparison with {runs[0]['run_id']}", *lines]) + ">"

    def _repr_html_(self) -> str:
        runs = self.document["runs"]
        header = ("", *(run.get("name") or run["run_id"] for run in runs))
        rows = [
            (name, *("" if value is None else value_text(value) for value in values))
            for _, name, values in self._differing()
        ]
        texts = [(run_id, text) for run_id, text in self.conclusions.items()]
        return html_table(("", ""), texts) + html_table(header, rows)


def compare(runs: Sequence[AnyRun]) -> RunComparison:
    """Compare runs by their records; the first is the baseline.

    Raises
    ------
    RunForgeError
        ``USAGE_INVALID`` if there are fewer than two, or one is given twice; the errors of
        :func:`~runforge_contracts.comparison.compare_runs`.
    """
    if len(runs) < 2:
        raise RunForgeError(ErrorCode.USAGE_INVALID, "Give at least two runs to compare.")
    seen = set()
    for run in runs:
        path = run.path.resolve()
        if path in seen:
            raise RunForgeError(ErrorCode.USAGE_INVALID, f"The run {quote(run.id)} is given twice.")
        seen.add(path)
    return RunComparison(compare_runs(runs, StoreLayout(find_workspace(runs[0].path))))
