"""Compared runs as a table with a row for each: their metrics, and what differs between them.

The runs are the rows of a :class:`~runforge_engine.store.sweep_table.SweepTable`, so that they are
ranked and drawn like the members of a sweep.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from runforge_contracts.comparison.agreement import same
from runforge_contracts.comparison.facets import SAME_AS
from runforge_contracts.display import shorten, time_text
from runforge_contracts.metrics import Metric, by_preference, primary_metric, rank_of
from runforge_engine.store.sweep_table import (
    SEED,
    SweepCell,
    SweepColumn,
    SweepRow,
    SweepTable,
    primary_of,
)

from runforge_cli.render.differences import field_texts, value_text
from runforge_cli.render.sweep_words import numbers_text
from runforge_cli.report.report_blocks import Block, Cell, Link, Name, Paragraph, TableBlock, Text
from runforge_cli.report.report_input import AnyMaterial, Material
from runforge_cli.terminal.text_layout import number, plural

#: Maximum numbers of columns for metrics and for differences.
MAX_METRICS, MAX_DIFFERENCES = 8, 12
#: Maximum length of a name, of a value and of a heading.
_LONG, _SHORT = 80, 60
_NONE = "–"
#: Fields of the data that identify it; the others follow from these.
_DATA = ("path", "dataset", "fingerprint_sha256", "label_column", "exclude_columns", "model.sha256")
#: Fields of the environment that identify the code.
_CODE = ("git.commit", "git.dirty", "code.program_sha256", "code.diff_sha256")
#: Fields that differ without influence on the result, or that act through others.
_NO_PARAMETERS = frozenset({"preset", "profile", "path", "dataset", "git.dirty"})


@dataclass(frozen=True)
class RunTable:
    """Several runs with what they share and what differs.

    Parameters
    ----------
    comparison
        The raw ``comparison.v1`` of the runs.
    materials
        The runs, with their letters; the first is the baseline.
    is_detailed
        Whether each run has a section, to which its row leads.
    """

    comparison: Mapping[str, Any]
    materials: Sequence[AnyMaterial]
    is_detailed: bool = False

    @property
    def letters(self) -> list[str]:
        """The short names of the runs."""
        return [material.letter for material in self.materials]

    def letters_text(self, positions: Sequence[int]) -> str:
        """Return the letters at some positions as text, such as `B–L and N`."""
        letters = self.letters
        return numbers_text(positions, letters.__getitem__)

    @cached_property
    def differing(self) -> list[dict[str, Any]]:
        """The fields whose recorded values differ and that have a column, the first ones only."""
        groups = self.comparison
        data = [field for field in groups["data"] if field["name"] in _DATA]
        code = [field for field in groups["environment"] if field["name"] in _CODE]
        fields = [*groups["hyperparameters"], *groups["configuration"], *data, *code]
        found = [field for field in fields if field["agreement"] == "different"]
        found.sort(key=lambda field: field["name"] != "model_family")
        return found[:MAX_DIFFERENCES]

    @cached_property
    def values(self) -> list[dict[str, float]]:
        """The metrics of each run by name, without those of single classes."""
        found: list[dict[str, float]] = [{} for _ in self.materials]
        for metric in self.comparison["metrics"]:
            if "class" not in metric:
                for values, entry in zip(found, metric["values"], strict=True):
                    if "value" in entry:
                        values[metric["name"]] = entry["value"]
        return found

    @cached_property
    def table(self) -> SweepTable:
        """The runs by what differs between them."""
        columns, cells = [], []
        for field in self.differing:
            if field["name"] not in _NO_PARAMETERS:
                made = [_parameter(entry) for entry in field["values"]]
                measured = {cell.key for cell, run in zip(made, self.values, strict=True) if run}
                if len(measured) < 2:
                    # It differs in runs without results only.
                    continue
                path = SEED if field["name"] == "seed" else f"/{field['name']}"
                distinct = {cell.key: cell for cell in reversed(made)}
                order = dict.fromkeys(cell.key for cell in made)
                choices = [distinct[key] for key in order]
                if all(cell.number is not None for cell in choices if cell.applies):
                    choices.sort(key=lambda cell: (not cell.applies, cell.number or 0.0))
                columns.append(SweepColumn(path, field["name"], tuple(choices)))
                cells.append(made)
        rows = [
            SweepRow(
                at + 1,
                tuple(made[at] for made in cells),
                run["status"],
                run["run_id"],
                metrics=self.values[at],
                primary=_primary(material, self.values[at]),
            )
            for at, (run, material) in enumerate(
                zip(self.comparison["runs"], self.materials, strict=True)
            )
        ]
        return SweepTable({"group_id": ""}, columns, rows)

    @cached_property
    def order(self) -> list[int]:
        """The positions of the runs: the best by the primary metric first, then those without."""
        return [row.number - 1 for row in self.table.ranked()]

    @cached_property
    def metrics(self) -> list[str]:
        """The names of all metrics that are not of a single class, the primary one first."""
        names = by_preference(name for values in self.values for name in values)
        return sorted(names, key=lambda name: name != self.table.metric)

    def outcome_text(self) -> str:
        """Return how many runs there are, how they ended, and which is the best."""
        count, statuses = len(self.materials), Counter(row.status for row in self.table.rows)
        (first, _), *others = statuses.most_common()
        if others:
            ends = ", ".join(f"{many:,} {status}" for status, many in statuses.most_common())
            text = f"{count:,} runs: {ends}; {self.letters[0]} is the baseline."
        else:
            text = f"{count:,} runs, all {first}; {self.letters[0]} is the baseline."
        best, metric = self.table.best(), self.table.metric
        if best and metric is not None:
            value = number(float(self.table.value(best[0]) or 0.0))
            who = self.letters_text([row.number - 1 for row in best])
            text += f" The best {shorten(metric, _SHORT)} is {value}, of {who}."
        return text

    def blocks(self) -> Iterator[Block]:
        """Yield the table of the runs, and what it leaves out."""
        metrics, runs = self.metrics[:MAX_METRICS], self.comparison["runs"]
        measured = [self._measures(name) for name in metrics]
        differing = [_differences(field) for field in self.differing]
        several = len({run["status"] for run in runs}) > 1
        header = [
            "Run",
            *(shorten(name, _SHORT) for name in metrics),
            *(shorten(field["name"], _SHORT) for field in self.differing),
            *(["Status"] if several else []),
            "Finished",
            "Id",
        ]
        rows: list[list[Text | Cell]] = [
            [
                self._named(at),
                *(column[at] for column in measured),
                *(column[at] for column in differing),
                *([runs[at]["status"]] if several else []),
                time_text(runs[at]["created_at"]) if "created_at" in runs[at] else _NONE,
                [Name(runs[at]["run_id"])],
            ]
            for at in self.order
        ]
        numeric = {*range(1, 1 + len(metrics))}
        numeric |= {
            at
            for at, field in enumerate(self.differing, 1 + len(metrics))
            if all(_is_number(entry.get("value", 0)) for entry in field["values"])
        }
        baseline = self.letters[0]
        by = f"by {shorten(metrics[0], _SHORT)}, the best first; " if metrics else ""
        marked = "the best value of each metric is bold, " if metrics else ""
        caption = f"Runs {by}{marked}values other than those of {baseline} are marked"
        yield TableBlock(caption, header, rows, frozenset(numeric))
        left = len(self.metrics) - len(metrics)
        if left > 0:
            yield Paragraph(f"{plural(left, 'more metric is', 'more metrics are')} listed below.")

    def _named(self, at: int) -> Text:
        """Return the letter and the name of a run, which lead to its section."""
        letter, name = self.letters[at], self.comparison["runs"][at].get("name")
        text = f"{letter}  {shorten(name, _LONG)}" if name else letter
        return [Link(text, key_of(letter))] if self.is_detailed else text

    def metric_table(self, caption: str, names: Sequence[str]) -> TableBlock:
        """Return a table of some metrics with a row for each run."""
        columns = [self._measures(name) for name in names]
        rows: list[list[Text | Cell]] = [
            [self.letters[at], *(column[at] for column in columns)] for at in self.order
        ]
        header = ("Run", *(shorten(name, _SHORT) for name in names))
        return TableBlock(caption, header, rows, frozenset(range(1, len(header))))

    def _measures(self, name: str) -> list[Text | Cell]:
        """Return the values of a metric, the best ones marked unless all are equal."""
        found = [values.get(name) for values in self.values]
        ranked = [self.table.value(row, name) for row in self.table.rows]
        best = best_value(self.table, name)
        cells: list[Text | Cell] = []
        for row, value, rank in zip(self.table.rows, found, ranked, strict=True):
            if value is None:
                # The reason stands where the first metric would.
                is_reason = name == self.metrics[0] and row.status != "succeeded"
                cells.append(row.status if is_reason else _NONE)
            else:
                text = number(float(value))
                cells.append(Cell(text, "best") if best is not None and rank == best else text)
        return cells


def best_value(table: SweepTable, metric: str) -> float | None:
    """Return the best value of a metric, or None if all rows that have it have the same."""
    known = {value for row in table.rows if (value := table.value(row, metric)) is not None}
    return min(known, key=lambda value: rank_of(value, metric)) if len(known) > 1 else None


def key_of(letter: str) -> str:
    """Return the key of the section on a run."""
    return f"run-{letter}"


def _differences(field: Mapping[str, Any]) -> list[Text | Cell]:
    """Return the values of a field, those marked that differ from the value of the baseline."""
    # The source of a hyperparameter is not the difference.
    values = [
        {name: value for name, value in entry.items() if name == "value"}
        for entry in field["values"]
    ]
    cells: list[Text | Cell] = []
    for entry, text in zip(values, field_texts({**field, "values": values}), strict=True):
        is_name = isinstance(entry.get("value"), (str, list, dict))
        shown: Text = [Name(shorten(text, _SHORT))] if is_name else text
        base = values[0]
        is_changed = "value" in entry and not (
            "value" in base and same(base["value"], entry["value"])
        )
        cells.append(Cell(shown, "changed") if is_changed else shown)
    return cells


def _parameter(entry: Mapping[str, Any]) -> SweepCell:
    if "value" not in entry:
        return SweepCell(known=False, is_named=False, applies=False)
    value = entry["value"]
    # Lists and digests are long; one shortened text stands for one value.
    return SweepCell(value_text(value) if isinstance(value, (list, dict, str)) else value)


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _primary(material: AnyMaterial, values: Mapping[str, float]) -> Metric | None:
    """Return the primary metric of a run by its name in the comparison."""
    if isinstance(material, Material):
        chosen = primary_of((material.folder.result or {}).get("summary"))
    else:
        chosen = primary_of({"metrics": material.folder.metrics})
    if chosen is None:
        return primary_metric({"metrics": values})
    name = chosen.name if chosen.name in values else SAME_AS.get(chosen.name, chosen.name)
    return Metric(name, chosen.value)
