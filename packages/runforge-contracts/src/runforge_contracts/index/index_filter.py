"""Choose runs by the lines of their index entries, and parse only the entries that are shown.

In the form in which an index is written, every member of an entry is on a separate line, and no
string can contain such a line. So entries are chosen by their lines, which takes a tenth of the
time needed to parse all of them. If the file has another form, the whole file is read.
"""

from __future__ import annotations

import json
import math
import os
import re
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from typing import Any

from runforge_contracts.codec.strict_json import parse_json
from runforge_contracts.errors import RunForgeError
from runforge_contracts.fs.files import open_file, read_all, reading
from runforge_contracts.index.newest import described_runs
from runforge_contracts.metrics import SUMMARY_NAMES
from runforge_contracts.run_ids import is_run_id
from runforge_contracts.selection.run_condition import RunCondition
from runforge_contracts.selection.run_query import (
    RunFacts,
    RunQuery,
    by_metric,
    is_measured,
    order_key,
)
from runforge_contracts.selection.run_values import (
    FIELDS,
    RunColumn,
    column_of,
    metrics_in,
    values_of,
)
from runforge_contracts.store.index_form import (
    ADDED,
    BETWEEN,
    HEAD,
    TAIL,
    Newest,
    can_be_shown,
)
from runforge_contracts.store.layout import StoreLayout
from runforge_contracts.store.view_folders import may_have_views

_ID = b'\n      "run_id": "'
_ID_END = len(_ID) + len("20260201-120000-abc12345")
#: Where an object within an entry begins and ends.
_METRICS, _METRICS_END = b'\n        "final_metrics": {\n', b"\n        }"
_PARAMS, _PARAMS_END = b'\n      "hyperparameters": {\n', b"\n      }"
_SUMMARY, _SUMMARY_END = b'\n      "summary": {\n', b"\n      }"
#: Indents of the members of an entry, of its objects, and of the metrics.
_MEMBER, _INNER, _METRIC = 6, 8, 10
#: Fields of the summary, and those that no single line has.
_OF_SUMMARY = frozenset({"duration", "device"})
_NOT_A_LINE = frozenset({"tags", "alias", "metric"})
_SHA256_DIGITS = 64
_NUMBER = re.compile(rb"-?(?:0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?")

#: The name of a value in an entry, and its bytes.
_Found = tuple[str, bytes]


class _EntryLines:
    """The entries of an index as bytes, in which the values of columns are found.

    Parameters
    ----------
    pieces
        The bytes of the entries, without their braces.
    """

    def __init__(self, pieces: list[bytes]) -> None:
        self.pieces = pieces
        #: Entries that were completed from the documents of their runs, by position.
        self.completed: dict[int, dict[str, Any]] = {}

    def part(self, at: int, column: RunColumn) -> dict[str, Any] | None:
        """Return the part of an entry that has a column, or None.

        Raises ``ValueError`` if the value is not on one line.
        """
        if at in self.completed:
            return self.completed[at]
        found = _find(self.pieces[at], column)
        return None if found is None else _part(found, column)

    def values(self, at: int, column: RunColumn) -> Sequence[Any]:
        """Return the values that an entry has, in the same way as :meth:`part`."""
        found = self.part(at, column)
        return values_of(found or {}, column)

    def fitting(
        self, places: Iterable[int], column: RunColumn, condition: RunCondition
    ) -> Iterator[int]:
        """Yield the positions of the entries for which a condition holds."""
        if condition.operator == "=" and _is_literal(column, condition.value):
            # Comparing bytes is ten times as fast as finding out the value.
            line = _line(_MEMBER, FIELDS[column.name]) + _string(condition.value)
            for at in places:
                if line in self.pieces[at] or (
                    at in self.completed and self._holds(at, column, condition)
                ):
                    yield at
            return
        # Many runs have the same value.
        known: dict[_Found | None, bool] = {}
        for at in places:
            if at in self.completed:
                holds = self._holds(at, column, condition)
            else:
                found = _find(self.pieces[at], column)
                if found not in known:
                    values = values_of({} if found is None else _part(found, column), column)
                    known[found] = condition.holds(values, prefix=column.prefix)
                holds = known[found]
            if holds:
                yield at

    def _holds(self, at: int, column: RunColumn, condition: RunCondition) -> bool:
        return condition.holds(self.values(at, column), prefix=column.prefix)

    def entry(self, at: int) -> dict[str, Any]:
        """Return a whole entry; raise :class:`RunForgeError` or ``ValueError`` if it is invalid."""
        if at in self.completed:
            return self.completed[at]
        entry: dict[str, Any] = parse_json(b"{%s}" % self.pieces[at])
        if not can_be_shown(entry):
            raise ValueError("the entry has another form")
        return entry

    def metrics(self, at: int) -> dict[str, float]:
        """Return the metrics of an entry; raise ``ValueError`` if they have another form."""
        if at in self.completed:
            return metrics_in(self.completed[at])
        piece = self.pieces[at]
        start = piece.find(_METRICS)
        end = piece.find(_METRICS_END, start)
        return {} if start < 0 else _metrics(piece[start + len(_METRICS) : end])

    def is_older(self, at: int) -> bool:
        """Return whether an entry lacks the settings of its run."""
        piece = self.pieces[at]
        return at not in self.completed and not any(line in piece for line in _SETTINGS)


def skim_runs(store: StoreLayout, count: int, query: RunQuery, facts: RunFacts) -> Newest | None:
    """Return the first ``count`` runs of a query, and the number of all that match.

    The runs are not ranked: those in the index come in its order, followed by all that are not
    in the index, which are described from their documents.

    Parameters
    ----------
    store
        The store to search.
    count
        How many runs to return.
    query
        The conditions, and the order of which the first runs are returned.
    facts
        How to find out what the entries lack: the settings of older entries are read where the
        query needs them.

    Returns
    -------
    Newest or None
        None if the whole index is needed.

    Raises
    ------
    RunForgeError
        ``USAGE_INVALID`` if a number is compared with something else.
    """
    if may_have_views(store):
        return None
    try:
        with open_file(store.index) as file, reading(store.index):
            data = read_all(file, os.fstat(file.fileno()).st_size)
        names = os.listdir(store.runs)  # noqa: PTH208 - names are enough, and ten times as fast
    except (OSError, RunForgeError):
        return None
    if not data.startswith(HEAD) or not data.endswith(TAIL):
        return None
    if b"\\u" in data or b"\\/" in data:
        return None  # A letter may be written as its code point, and a slash in two ways.
    pieces = data[len(HEAD) - 1 : -len(TAIL)].split(BETWEEN[:-1])
    ids = [piece[len(_ID) : _ID_END].decode("latin-1") for piece in pieces]
    if not all(piece.startswith(_ID) for piece in pieces) or not all(map(is_run_id, ids)):
        return None
    # Entries of the first version lack the status, which is in the documents of their runs.
    if not all(b'\n      "status": "' in piece for piece in pieces):
        return None
    known = set(ids)
    if len(known) < len(ids):
        return None
    others = described_runs(store, [name for name in names if name not in known], known)
    lines = _EntryLines(pieces)
    try:
        return _chosen(data, lines, ids, others, store, count, query, facts)
    except ValueError:
        return None


def _chosen(
    data: bytes,
    lines: _EntryLines,
    ids: list[str],
    others: list[dict[str, Any]],
    store: StoreLayout,
    count: int,
    query: RunQuery,
    facts: RunFacts,
) -> Newest:
    """Return the result of :func:`skim_runs`; raise ``ValueError`` if the index is needed."""
    names = {condition.name for condition in query.conditions} | {query.order.name}
    metrics = _known_metrics(names, data, lines, others)
    wanted = query.columns(metrics)
    order = column_of(query.order.name, metrics)
    for column in [*(column for column, _ in wanted), order]:
        if column.source == "field" and column.name in _NOT_A_LINE:
            raise ValueError("no line has the value")
    places, unlisted = list(range(len(lines.pieces))), others
    for column, condition in wanted:
        if column.needs_settings:
            _complete(lines, places, store, facts)
        elif column == ("field", "status"):
            facts.add_states(others)
        places = list(lines.fitting(places, column, condition))
        others = [
            entry
            for entry in others
            if condition.holds(values_of(entry, column), prefix=column.prefix)
        ]
        _check_known(lines, unlisted, column)
    places = sorted(places, key=lambda at: ids[at][:15])[::-1]
    if order != ("field", "created"):
        if order.needs_settings:
            _complete(lines, places, store, facts)
        _check_known(lines, unlisted, order)
        places = _sorted(lines, places, order, count, turned=query.order.turned)
    elif query.order.turned:
        places.reverse()
    try:
        chosen = [lines.entry(at) for at in sorted(places[:count])]
    except RunForgeError as error:
        raise ValueError("an entry is invalid") from error
    return Newest([*chosen, *others], len(places) + len(others))


def _complete(lines: _EntryLines, places: list[int], store: StoreLayout, facts: RunFacts) -> None:
    """Complete the older ones of some entries from the documents of their runs."""
    for at in places:
        if lines.is_older(at):
            try:
                entry = lines.entry(at)
            except RunForgeError as error:
                raise ValueError("an entry is invalid") from error
            lines.completed[at] = facts.settings.entry(entry, store)


def _sorted(
    lines: _EntryLines, order: list[int], column: RunColumn, count: int, *, turned: bool
) -> list[int]:
    """Return positions sorted by a column, followed by those without a value.

    The first ``count`` are in the order of a query, the others perhaps not where they are equal.
    """
    keys = {}
    for at in order:
        found = lines.part(at, column)
        key = None if found is None else order_key(found, column)
        if key is not None:
            keys[at] = key
    last = [at for at in order if at not in keys]
    if is_measured(column):
        keyed = [(key, at) for at, key in keys.items()][::-1]
        return [*by_metric(keyed, lines.metrics, turned=turned, count=count), *last]
    return [*sorted(keys, key=keys.__getitem__, reverse=turned), *last]


def _check_known(lines: _EntryLines, others: list[dict[str, Any]], column: RunColumn) -> None:
    """Raise ``ValueError`` if no run has a column: what it could be is for the whole index."""
    if column.source == "field" or not (lines.pieces or others):
        return
    if any(values_of(entry, column) for entry in others):
        return
    if not any(lines.values(at, column) for at in range(len(lines.pieces))):
        raise ValueError("no run has the value")


def _find(piece: bytes, column: RunColumn) -> _Found | None:
    """Return where the value of a column is in an entry; None if the entry lacks it."""
    if column.source == "param":
        token = _within(piece, _PARAMS, _PARAMS_END, _line(_INNER, column.name))
        return None if token is None else (column.name, token)
    if column.source == "metric":
        for name in _metric_names(column.name):
            token = _within(piece, _METRICS, _METRICS_END, _line(_METRIC, name))
            if token is not None:
                return name, token
        return None
    key = FIELDS[column.name]
    if column.name in _OF_SUMMARY:
        token = _within(piece, _SUMMARY, _SUMMARY_END, _line(_INNER, key))
    else:
        line = _line(_MEMBER, key)
        token = _token(piece, piece.find(line), len(line))
    return None if token is None else (key, token)


def _part(found: _Found, column: RunColumn) -> dict[str, Any]:
    """Return the part of an entry that has a column; ``ValueError`` if it goes on."""
    name, token = found
    if column.source == "param":
        return {"hyperparameters": {name: _value(token)}}
    if column.source == "metric":
        return {"summary": {"final_metrics": {name: _number(token)}}}
    if column.name in _OF_SUMMARY:
        return {"summary": {name: _value(token)}}
    return {name: _value(token)}


def _is_literal(column: RunColumn, value: str) -> bool:
    """Return whether runs with a value of a field are those that have its line."""
    if column.source != "field":
        return False
    whole = column.name == "dataset" and len(value) == _SHA256_DIGITS
    return whole or column.name in _LITERAL


def _known_metrics(
    names: set[str], data: bytes, lines: _EntryLines, others: list[dict[str, Any]]
) -> set[str]:
    """Return which of some names are those of metrics."""
    found = set()
    for name in names:
        column = RunColumn("metric", name)
        # One search of all bytes, because most names are not those of metrics.
        may_be = any(_line(_METRIC, known) in data for known in _metric_names(name))
        if any(values_of(entry, column) for entry in others) or (
            may_be and any(_find(piece, column) is not None for piece in lines.pieces)
        ):
            found.add(name)
    return found


def _metric_names(name: str) -> tuple[str, ...]:
    known = SUMMARY_NAMES.get(name)
    return (name,) if known is None else (name, known)


def _within(piece: bytes, begin: bytes, end: bytes, line: bytes) -> bytes | None:
    """Return the value of a line in an object of an entry, or None."""
    start = piece.find(begin)
    if start < 0:
        return None
    # The line before the first member ends with that of the object.
    at = piece.find(line, start + len(begin) - 1, piece.find(end, start + len(begin) - 1))
    return _token(piece, at, len(line))


def _token(piece: bytes, at: int, length: int) -> bytes | None:
    """Return the value on a line, or None if there is no such line."""
    if at < 0:
        return None
    end = piece.find(b"\n", at + length)
    return (piece[at + length :] if end < 0 else piece[at + length : end]).rstrip(b",")


@lru_cache(maxsize=2**16)
def _value(token: bytes) -> Any:
    """Return the value on a line; raise ``ValueError`` if it is none, or goes on."""
    found = _NUMBER.fullmatch(token)
    if found is not None:
        # Without the parser, which would take most of the time.
        value = float(token)
        if math.isinf(value):
            raise ValueError("the number is too large")
        return value if found[1] or found[2] else int(token)
    try:
        return parse_json(token)
    except RunForgeError as error:
        raise ValueError("the value is not on one line") from error


@lru_cache(maxsize=2**16)
def _metrics(lines: bytes) -> dict[str, float]:
    """Return the metrics on the lines of an object; raise ``ValueError`` if they have another form.

    Runs with equal metrics, of which there are many where one value decides nothing, share them.
    """
    try:
        found: dict[str, float] = parse_json(b"{%s}" % lines)
    except RunForgeError as error:
        raise ValueError("the metrics have another form") from error
    if not all(type(value) in (int, float) for value in found.values()):
        raise ValueError("the metric is no number")
    return found


def _number(token: bytes) -> Any:
    value = _value(token)
    if type(value) not in (int, float):
        raise ValueError("the metric is no number")
    return value


@lru_cache(maxsize=2**10)
def _line(indent: int, name: str) -> bytes:
    """Return the start of the line of a member."""
    return b"\n" + b" " * indent + _string(name) + b": "


def _string(text: str) -> bytes:
    """Return a string as an index has it."""
    return json.dumps(text, ensure_ascii=False).encode("utf-8", "surrogatepass")


#: Fields that are compared with whole strings.
_LITERAL = frozenset({"run", "status", "name", "model", "preset", "label", "group", "repeats"})
_SETTINGS = tuple(_line(_MEMBER, name) for name in ADDED)
