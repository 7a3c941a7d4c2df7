"""The members of a sweep as a table: what varies between them, and how each one ended.

Every view of a sweep is made from this table: `sweep show`, reports, `diff`, the notebook and the
exports. The values of a plan are of any JSON type, and those of another client's files are not
trusted, so nothing here is printable yet.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from typing import Any

import msgspec
from runforge_contracts.display import quote, shorten
from runforge_contracts.errors import ErrorCode, RunForgeError
from runforge_contracts.metrics import Metric, by_preference, primary_metric, rank_of, ranks_of

#: The path of the random seed, which does not count as part of a setting.
SEED = "/seed"
#: Statuses of members in the order of the table, after those with a metric.
STATUSES = (
    "succeeded",
    "running",
    "pending",
    "interrupted",
    "cancelled",
    "failed",
)
#: Maximum length of a value as text.
_LONG = 60


class SweepCell(msgspec.Struct, frozen=True):
    """The value of one parameter in one member."""

    #: The value that was used, as far as it is known.
    value: Any = None
    #: Whether the value is known: a default is known only from a finished run.
    known: bool = True
    #: Whether the plan gave no value, so that a preset, a profile or a default applied.
    is_default: bool = False
    #: Whether the plan names the parameter for this member.
    is_named: bool = True
    #: Whether the member uses the parameter at all, as far as that is known.
    applies: bool = True

    @property
    def key(self) -> str:
        """A string that equal choices share: a default is not the choice of the same value."""
        if not self.applies:
            return "does not apply"
        return f"default {self.value_key}" if self.is_default else self.value_key

    @property
    def value_key(self) -> str:
        """A string that equal values share, however a number is written; empty if unknown."""
        value = self.value
        if self.number is not None and float(value).is_integer():
            value = int(value)
        return json.dumps(value, sort_keys=True) if self.known else ""

    @property
    def number(self) -> float | None:
        """The value as a finite double, or None if it is no number."""
        if isinstance(self.value, bool) or not isinstance(self.value, (int, float)):
            return None
        try:
            number = float(self.value)
        except OverflowError:
            return None
        return number if self.known and abs(number) < float("inf") else None

    @property
    def text(self) -> str:
        """The value for display, not yet printable."""
        if not self.applies:
            return "–"
        text = value_label(self.value) if self.known else ""
        if not self.is_default:
            return text
        return f"{text} (default)" if text else "default"


def value_label(value: Any) -> str:
    """Return a JSON value as short text: numbers as they are written, strings as they are."""
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        short = f"{value:g}"
        return short if float(short) == value else repr(value)
    if isinstance(value, list) and all(isinstance(item, (str, int, float)) for item in value):
        return shorten(", ".join(map(value_label, value)), _LONG) or "none"
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return shorten(text, _LONG)


class SweepColumn(msgspec.Struct, frozen=True):
    """A parameter that the plan varies."""

    #: JSON Pointer into the request.
    path: str
    #: Short name: the last part of the path, longer where that is not unique.
    name: str
    #: The distinct values, in the order of the plan.
    cells: tuple[SweepCell, ...]

    @property
    def is_seed(self) -> bool:
        """Whether this is the random seed of the run."""
        return self.path == SEED

    @property
    def is_numeric(self) -> bool:
        """Whether every value is a number."""
        return all(cell.number is not None for cell in self.cells)


class SweepRow(msgspec.Struct, frozen=True):
    """One member."""

    #: Its number in the plan, from 1.
    number: int
    #: The value of each parameter, in the order of the columns.
    cells: tuple[SweepCell, ...]
    #: ``succeeded``, ``failed``, ``cancelled``, ``running``, ``interrupted`` or ``pending``.
    status: str
    run_id: str | None = None
    #: The folder of the run, relative to the workspace.
    run_dir: str | None = None
    metrics: Mapping[str, float] = {}
    #: The primary metric of the run.
    primary: Metric | None = None
    duration_ms: float | None = None
    #: Code and message of the error.
    error: tuple[str, str] | None = None
    #: Why the documents of the run cannot be read.
    problem: str | None = None
    #: Runs of this member that did not finish.
    earlier_run_ids: tuple[str, ...] = ()


class SweepTable:
    """A sweep: its facts, the parameters that vary, and its members.

    Parameters
    ----------
    facts
        The members of the group document other than its runs: ``group_id``, ``name``, ``status``,
        ``execution`` and so on.
    columns
        The parameters that vary.
    rows
        The members by number, without those that repeat the configuration of another.
    duplicates
        Numbers of members that were not run, and of the members whose configuration they repeat.
    constants
        Parameters with one value for all members.
    """

    def __init__(
        self,
        facts: Mapping[str, Any],
        columns: Sequence[SweepColumn],
        rows: Sequence[SweepRow],
        duplicates: Mapping[int, int] = {},
        constants: Sequence[SweepColumn] = (),
    ) -> None:
        self.facts = facts
        self.columns = tuple(columns)
        self.rows = tuple(rows)
        self.duplicates = dict(duplicates)
        self.constants = tuple(constants)

    @property
    def group_id(self) -> str:
        """The id of the group."""
        return str(self.facts["group_id"])

    @property
    def status(self) -> str:
        """The status of the group: as recorded, or ``interrupted``."""
        return str(self.facts.get("status", "pending"))

    @property
    def name(self) -> str | None:
        """The name of the group, if it has one."""
        return self.facts.get("name") or None

    @cached_property
    def metric(self) -> str | None:
        """The primary metric of most members; of equally many, the one of the first member."""
        counts = Counter(row.primary.name for row in self.rows if row.primary is not None)
        return next((name for name, _ in counts.most_common(1)), None)

    @cached_property
    def metrics(self) -> tuple[str, ...]:
        """The names of all metrics, the primary one first."""
        names = sorted({name for row in self.rows for name in row.metrics})
        return tuple(sorted(names, key=lambda name: name != self.metric))

    @property
    def setting_columns(self) -> tuple[SweepColumn, ...]:
        """The parameters without the seed."""
        return tuple(column for column in self.columns if not column.is_seed)

    @property
    def seeds(self) -> int:
        """The number of distinct seeds, or zero if the seed does not vary."""
        return next((len(column.cells) for column in self.columns if column.is_seed), 0)

    @cached_property
    def counts(self) -> dict[str, int]:
        """The number of members by status, without statuses that no member has."""
        found = Counter(row.status for row in self.rows)
        return {status: found[status] for status in (*STATUSES, *sorted(found)) if found[status]}

    @property
    def done(self) -> int:
        """The number of members that have ended and will not be run again by the same process."""
        return sum(self.counts.get(status, 0) for status in ("succeeded", "failed", "cancelled"))

    def value(self, row: SweepRow, metric: str | None = None) -> float | None:
        """Return the value of a metric in a member that succeeded, or None.

        Parameters
        ----------
        row
            The member.
        metric
            Name of the metric; the common primary metric by default.
        """
        name = self.metric if metric is None else metric
        return None if name is None or row.status != "succeeded" else row.metrics.get(name)

    def ranked(self, metric: str | None = None) -> list[SweepRow]:
        """Return the members sorted by a metric, the best first.

        The other metrics decide between members of equal value, then the number; those without the
        metric come last, by status.
        """
        name = self.metric if metric is None else metric
        names = by_preference({other for row in self.rows for other in row.metrics} - {name})

        def place(row: SweepRow) -> tuple[int, list[float], int]:
            value = self.value(row, name)
            if value is not None and name is not None:
                ranks = [rank_of(value, name), *ranks_of(row.metrics, names)]
                return -1, ranks, row.number
            known = row.status in STATUSES
            return STATUSES.index(row.status) if known else len(STATUSES), [], row.number

        return sorted(self.rows, key=place)

    def best(self, metric: str | None = None) -> list[SweepRow]:
        """Return the members with the best value of a metric, in the order of :meth:`ranked`."""
        ranked = self.ranked(metric)
        best = self.value(ranked[0], metric) if ranked else None
        return [] if best is None else [row for row in ranked if self.value(row, metric) == best]

    def sorted_by(self, name: str) -> list[SweepRow]:
        """Return the members sorted by a metric, a parameter, or another property.

        Parameters
        ----------
        name
            A metric (best first), a parameter, ``member``, ``duration`` or ``status``.

        Raises
        ------
        RunForgeError
            ``USAGE_INVALID`` for another name.
        """
        if name == "member":
            return list(self.rows)
        if name == "duration":
            return sorted(
                self.rows,
                key=lambda row: (row.duration_ms is None, row.duration_ms or 0, row.number),
            )
        if name == "status":
            return sorted(self.rows, key=lambda row: (_status_rank(row), row.number))
        for index, column in enumerate(self.columns):
            if name in (column.name, column.path):
                order = {cell.key: at for at, cell in enumerate(_by_value(column))}
                return sorted(self.rows, key=lambda row: (order[row.cells[index].key], row.number))
        if name in self.metrics:
            return self.ranked(name)
        known = [
            *("member", "duration", "status"),
            *(column.name for column in self.columns),
            *self.metrics,
        ]
        raise RunForgeError(
            ErrorCode.USAGE_INVALID,
            f"The sweep has nothing named {quote(name)} to sort by.",
            hint=f"Known: {', '.join(known)}.",
        )

    def errors(self) -> list[tuple[str, str, list[int]]]:
        """Return the errors of the members: code, message and member numbers, most frequent first.

        Errors of one code count as one, with the message of the first member.
        """
        found: dict[str, tuple[str, list[int]]] = {}
        for row in self.rows:
            if row.error is not None:
                code, message = row.error
                found.setdefault(code, (message, []))[1].append(row.number)
        listed = [(code, message, numbers) for code, (message, numbers) in found.items()]
        return sorted(listed, key=lambda item: -len(item[2]))


def _status_rank(row: SweepRow) -> int:
    return STATUSES.index(row.status) if row.status in STATUSES else len(STATUSES)


def _by_value(column: SweepColumn) -> list[SweepCell]:
    """Return the values of a parameter: numbers in order, others in the order of the plan."""
    if not column.is_numeric:
        return list(column.cells)
    return sorted(column.cells, key=lambda cell: cell.number or 0.0)


def ordered_cells(column: SweepColumn) -> tuple[SweepCell, ...]:
    """Return the values of a parameter in the order of an axis."""
    return tuple(_by_value(column))


def short_names(paths: Iterable[str]) -> dict[str, str]:
    """Return a name for each JSON Pointer: its last part, or more parts where that is not unique.

    Examples
    --------
    >>> short_names(["/model/hyperparameters/C", "/seed"])
    {'/model/hyperparameters/C': 'C', '/seed': 'seed'}
    """
    parts = {path: [part for part in path.split("/") if part] or [path] for path in paths}
    names = {}
    for path, own in parts.items():
        count = 1
        while count < len(own) and any(
            other != path and theirs[-count:] == own[-count:] for other, theirs in parts.items()
        ):
            count += 1
        names[path] = ".".join(part.replace("~1", "/").replace("~0", "~") for part in own[-count:])
    return names


def primary_of(summary: Mapping[str, Any] | None) -> Metric | None:
    """Return the primary metric of a result's summary, if its value is a finite number."""
    chosen = primary_metric(summary)
    if chosen is None or isinstance(chosen.value, bool):
        return None
    return chosen if abs(chosen.value) < float("inf") else None
