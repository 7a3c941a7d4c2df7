"""The entries of an index as lines of bytes, in which the values of columns are found.

In the form in which an index is written, every member of an entry is on a separate line, and no
string can contain such a line. So values are found in a tenth of the time needed to parse all.
"""

from __future__ import annotations

import json
import math
import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Sequence, Set
from functools import lru_cache
from pathlib import Path
from typing import Any

from runforge_contracts.codec.strict_json import parse_json
from runforge_contracts.errors import RunForgeError
from runforge_contracts.fs.files import blocks, open_file, read_all, reading
from runforge_contracts.metrics import SUMMARY_NAMES
from runforge_contracts.selection.run_condition import RunCondition
from runforge_contracts.selection.run_query import order_key
from runforge_contracts.selection.run_values import FIELDS, RunColumn, metrics_in, values_of
from runforge_contracts.store.index_form import ADDED, BETWEEN, HEAD, TAIL, can_be_shown

#: How an entry begins, with a run id in the form of this version, and the length of that.
_ID = re.compile(r'\n {6}"run_id": "([0-9]{8}-[0-9]{6}-[0-9a-f]{8})"')
_ID_LENGTH = len('\n      "run_id": "20260201-120000-abc12345"')
_TAGS, _TAGS_END = b'\n      "tags": ', b"\n      ]"
_NO_TAGS = b"[]"
_STATUS = b'\n      "status": "'
#: What is between two entries; the line break that follows belongs to the second one.
_BETWEEN = BETWEEN[:-1]
#: Where an object within an entry begins and ends.
_METRICS, _METRICS_END = b'\n        "final_metrics": {\n', b"\n        }"
_PARAMS, _PARAMS_END = b'\n      "hyperparameters": {\n', b"\n      }"
_SUMMARY, _SUMMARY_END = b'\n      "summary": {\n', b"\n      }"
#: Indents of the members of an entry, of its objects, and of the metrics.
_MEMBER, _INNER, _METRIC = 6, 8, 10
#: Fields of the summary.
_OF_SUMMARY = frozenset({"duration", "device"})
_SHA256_DIGITS = 64
_NUMBER = re.compile(rb"-?(?:0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?")

#: Fields whose only value is that of the line.
_SINGLE = frozenset({"run", "created", "name", "preset", "label", "group", "repeats", "run_dir"})
#: Those, and the digests, whose values are strings and are compared as such.
TEXT_FIELDS = _SINGLE | {"dataset", "model_sha256"}
#: The field whose value is that of the metric that matters most, so of all of them.
_PRIMARY = RunColumn("field", "metric")
#: The field of which a run may have several values, on lines of their own.
OF_TAGS = RunColumn("field", "tags")
#: The field that the state of a run replaces.
OF_STATE = RunColumn("field", "status")
#: A string without escapes and control characters.
_PLAIN = re.compile(rb'"[^"\\\x00-\x1f]*"')

#: The name of a value in an entry, and its bytes.
Found = tuple[str, bytes]
#: Returns the positions of those of some entries that matter.
Choice = Callable[[Sequence[bytes]], Iterable[int]]


class EntryLines(ABC):
    """The entries of an index during one query.

    Entries that were completed from the documents of their runs, or by the state of runs whose
    folder is missing, belong to the query alone.
    """

    def __init__(self) -> None:
        self.completed: dict[int, dict[str, Any]] = {}

    @abstractmethod
    def __len__(self) -> int:
        """Return the number of entries."""

    @abstractmethod
    def ordered(self) -> Sequence[int]:
        """Return the positions of the entries by start time, the oldest first."""

    @abstractmethod
    def known_ids(self) -> Set[str]:
        """Return the ids of all runs in the index."""

    @abstractmethod
    def piece(self, at: int) -> bytes:
        """Return the bytes of an entry, without its braces."""

    @abstractmethod
    def run_id(self, at: int) -> str:
        """Return the id of the run of an entry."""

    def tags(self, at: int, read: Callable[[int], list[str]]) -> Sequence[str]:
        """Return the tags of a run; ``read`` finds out those that its entry lacks.

        Raises ``ValueError`` if the entry has them in another form.
        """
        found = tags_at(self.piece(at))
        return read(at) if found is None else found

    @abstractmethod
    def is_older(self, at: int) -> bool:
        """Return whether an entry lacks the settings of its run."""

    def older(self, places: Iterable[int]) -> list[int]:
        """Return the positions of those entries that lack the settings of their runs."""
        return [at for at in places if self.is_older(at)]

    def may_have_metric(self, name: str) -> bool:
        """Return whether an entry may have a metric, without looking for its values."""
        return False

    def find_out(self, columns: Iterable[RunColumn]) -> None:
        """Find out what the entries have of columns, before each is asked for."""
        for column in columns:
            self.groups(column)

    @abstractmethod
    def has_metric(self, name: str) -> bool:
        """Return whether an entry has a metric with a name, or with its other name."""

    @abstractmethod
    def groups(self, column: RunColumn) -> tuple[Sequence[int], Sequence[Found | None]]:
        """Return a number for each entry, and what the entries with each number have.

        Entries with different numbers may have the same.
        """

    def is_completed(self, column: RunColumn) -> bool:
        """Return whether completed entries may have another value of a column than their lines."""
        return bool(self.completed) and (column.needs_settings or column == OF_STATE)

    def has(self, column: RunColumn) -> bool:
        """Return whether an entry has a value; raise ``ValueError`` if one is not on one line."""
        if any(values_of(entry, column) for entry in self.completed.values()):
            return True
        _, known = self.groups(column)
        return any(found and values_at(found, column) for found in known)

    def fitting(
        self, places: Iterable[int], column: RunColumn, condition: RunCondition
    ) -> Iterator[int]:
        """Yield the positions of the entries for which a condition holds.

        Raises ``ValueError`` if a value is not on one line.
        """
        numbers, known = self.groups(column)
        results: dict[int, bool] = {}
        completed = self.completed
        for at in places:
            if at in completed:
                values = values_of(completed[at], column)
                holds: bool | None = condition.holds(values, prefix=column.prefix)
            else:
                number = numbers[at]
                holds = results.get(number)
                if holds is None:
                    values = values_at(known[number], column)
                    holds = results[number] = condition.holds(values, prefix=column.prefix)
            if holds:
                yield at

    def keys(self, places: Iterable[int], column: RunColumn) -> Iterator[tuple[Any, int]]:
        """Yield what entries are sorted by, or None, with their positions.

        Raises ``ValueError`` if a value is not on one line.
        """
        numbers, known = self.groups(column)
        keys: dict[int, Any] = {}
        for at in places:
            if at in self.completed:
                yield order_key(self.completed[at], column), at
                continue
            each = numbers[at]
            if each not in keys:
                found = known[each]
                keys[each] = None if found is None else order_key(part(found, column), column)
            yield keys[each], at

    def entry(self, at: int) -> dict[str, Any]:
        """Return a whole entry; raise :class:`RunForgeError` or ``ValueError`` if it is invalid."""
        if at in self.completed:
            return self.completed[at]
        entry: dict[str, Any] = parse_json(b"{%s}" % self.piece(at))
        if not can_be_shown(entry):
            raise ValueError("the entry has another form")
        return entry

    def metrics(self, at: int) -> dict[str, float]:
        """Return the metrics of an entry; raise ``ValueError`` if they have another form."""
        if at in self.completed:
            return metrics_in(self.completed[at])
        found = metrics_section(self.piece(at))
        return {} if found is None else _metrics(found)


class PieceLines(EntryLines):
    """The entries of an index that was just read, or those of them that matter.

    Parameters
    ----------
    pieces
        The bytes of the entries, without their braces.
    ids
        The ids of their runs.
    """

    def __init__(self, pieces: list[bytes], ids: list[str]) -> None:
        super().__init__()
        self._pieces, self._ids = pieces, ids

    def __len__(self) -> int:
        return len(self._pieces)

    def ordered(self) -> Sequence[int]:
        """Return the positions of the entries by start time, the oldest first."""
        return sorted(range(len(self._ids)), key=lambda at: self._ids[at][:15])

    def known_ids(self) -> Set[str]:
        """Return the ids of all runs in the index."""
        return {*self._ids}

    def piece(self, at: int) -> bytes:
        """Return the bytes of an entry, without its braces."""
        return self._pieces[at]

    def run_id(self, at: int) -> str:
        """Return the id of the run of an entry."""
        return self._ids[at]

    def take(self, places: Sequence[int]) -> list[dict[str, Any]]:
        """Return whole entries, whose bytes are no longer held then.

        Raises :class:`RunForgeError` or ``ValueError`` if one is invalid.
        """
        # Many at once: that takes half the time of parsing one after the other.
        text = b"},{".join([self._pieces[at] for at in places])
        found = parse_json(b"[{%s}]" % text) if places else []
        if not all(map(can_be_shown, found)) or [entry["run_id"] for entry in found] != [
            self._ids[at] for at in places
        ]:
            raise ValueError("an entry has another form")
        for at in places:
            self._pieces[at] = b""
        return [self.completed.get(at, entry) for at, entry in zip(places, found, strict=True)]

    def have_folders_in(self, folder: str) -> bool:
        """Return whether the folder of each run is in a folder, and its name is the run id."""
        line = _line(_MEMBER, FIELDS["run_dir"])
        return all(
            line + _string(f"{folder}/{run_id}") in piece
            for run_id, piece in zip(self._ids, self._pieces, strict=True)
        )

    def is_older(self, at: int) -> bool:
        """Return whether an entry lacks the settings of its run."""
        return at not in self.completed and lacks_settings(self._pieces[at])

    def older(self, places: Iterable[int]) -> list[int]:
        """Return the positions of those entries that lack the settings of their runs."""
        pieces, completed = self._pieces, self.completed
        return [at for at in places if at not in completed and lacks_settings(pieces[at])]

    def has_metric(self, name: str) -> bool:
        """Return whether an entry has a metric with a name, or with its other name."""
        column = RunColumn("metric", name)
        lines = [_line(_METRIC, known) for known in metric_lines_of(name)]
        return any(
            any(line in piece for line in lines) and find(piece, column) is not None
            for piece in self._pieces
        )

    def groups(self, column: RunColumn) -> tuple[Sequence[int], Sequence[Found | None]]:
        """Return a number for each entry, and what the entries with each number have."""
        return range(len(self._pieces)), _Finds(self._pieces, column)

    def fitting(
        self, places: Iterable[int], column: RunColumn, condition: RunCondition
    ) -> Iterator[int]:
        """Yield the positions of the entries for which a condition holds."""
        line = literal_line(column, condition)
        if line is None:
            yield from self._with_shared(places, column, condition)
            return
        completed = self.completed
        for at in places:
            if (
                condition.holds(values_of(completed[at], column), prefix=column.prefix)
                if at in completed
                else line in self._pieces[at]
            ):
                yield at

    def _with_shared(
        self, places: Iterable[int], column: RunColumn, condition: RunCondition
    ) -> Iterator[int]:
        # Many runs have the same value.
        results: dict[Found | None, bool] = {}
        for at in places:
            if at in self.completed:
                values = values_of(self.completed[at], column)
                holds: bool | None = condition.holds(values, prefix=column.prefix)
            else:
                found = find(self._pieces[at], column)
                holds = results.get(found)
                if holds is None:
                    values = values_at(found, column)
                    holds = results[found] = condition.holds(values, prefix=column.prefix)
            if holds:
                yield at


class _Finds(Sequence[Found | None]):
    """What entries have of a column, found out where it is needed."""

    def __init__(self, pieces: list[bytes], column: RunColumn) -> None:
        self._pieces, self._column = pieces, column

    def __len__(self) -> int:
        return len(self._pieces)

    def __getitem__(self, at: Any) -> Any:
        return find(self._pieces[at], self._column)


def read_pieces(path: Path) -> Iterator[list[bytes]]:
    """Yield the entries of an index without their braces, those of one part of the file together.

    Parameters
    ----------
    path
        The index.

    Raises
    ------
    RunForgeError
        As :func:`~runforge_contracts.fs.files.open_file`.
    ValueError
        If it is not in the form in which values can be found.
    """
    with open_file(path) as file, reading(path):
        is_usual, rest = read_all(file, len(HEAD)) == HEAD, HEAD[-1:]
        for block in blocks(file, _BETWEEN) if is_usual else ():
            if is_escaped(block):
                is_usual = False
                break
            *pieces, rest = (rest + block).split(_BETWEEN)
            yield pieces
    if not is_usual or not rest.endswith(TAIL):
        raise ValueError("the index has another form")
    yield [rest[: -len(TAIL)]]


def ids_in(pieces: Sequence[bytes]) -> list[str] | None:
    """Return the run ids of entries; None if one has another form.

    Entries of the first version lack the status, which is in the documents of their runs.
    """
    # All together: that takes half the time of looking at one after the other. The beginnings have
    # room for as many ids as there are entries only if each is that of an id.
    text = b"".join([piece[:_ID_LENGTH] for piece in pieces]).decode("latin-1")
    ids = _ID.findall(text)
    # `find` takes half the time of `in` in texts as short as an entry.
    if len(ids) < len(pieces) or any(piece.find(_STATUS) < 0 for piece in pieces):
        return None
    return ids


def is_escaped(data: bytes) -> bool:
    """Return whether a letter may be written as its code point, or a slash in another way."""
    # One byte is looked for ten times as fast as two, and most indexes do not have it.
    return b"\\" in data and (b"\\u" in data or b"\\/" in data)


def lacks_settings(piece: bytes) -> bool:
    """Return whether an entry lacks the settings of its run."""
    # Most entries have the first of them, near their end.
    return piece.rfind(_SETTINGS[0]) < 0 and not any(line in piece for line in _SETTINGS)


def metrics_section(piece: bytes) -> bytes | None:
    """Return the lines of the metrics of an entry, or None."""
    start = piece.find(_METRICS)
    if start < 0:
        return None
    return piece[start + len(_METRICS) : piece.find(_METRICS_END, start)]


def find(piece: bytes, column: RunColumn) -> Found | None:
    """Return where the value of a column is in an entry; None if the entry lacks it."""
    if column.source == "param":
        token = _within(piece, _PARAMS, _PARAMS_END, _line(_INNER, column.name))
        return None if token is None else (column.name, token)
    if column.source == "metric":
        for name in metric_lines_of(column.name):
            token = _within(piece, _METRICS, _METRICS_END, _line(_METRIC, name))
            if token is not None:
                return name, token
        return None
    if column == _PRIMARY:
        section = metrics_section(piece)
        return None if section is None else (column.name, section)
    key = FIELDS[column.name]
    if column.name in _OF_SUMMARY:
        token = _within(piece, _SUMMARY, _SUMMARY_END, _line(_INNER, key))
    else:
        line = _line(_MEMBER, key)
        token = _token(piece, piece.find(line), len(line))
    return None if token is None else (key, token)


def values_at(found: Found | None, column: RunColumn) -> Sequence[Any]:
    """Return the values that an entry has; ``ValueError`` if one goes on.

    Parameters
    ----------
    found
        What is on the line of the column.
    column
        The column.
    """
    if found is None:
        return values_of({}, column)
    if column.source == "field" and column.name in _SINGLE:
        value = _value(found[1])
        return () if value is None else (value,)
    return values_of(part(found, column), column)


def part(found: Found, column: RunColumn) -> dict[str, Any]:
    """Return the part of an entry that has a column; ``ValueError`` if it goes on."""
    name, token = found
    if column.source == "param":
        return {"hyperparameters": {name: _value(token)}}
    if column.source == "metric":
        return {"summary": {"final_metrics": {name: _number(token)}}}
    if column == _PRIMARY:
        return {"summary": {"final_metrics": _metrics(token)}}
    if column.name in _OF_SUMMARY:
        return {"summary": {name: _value(token)}}
    return {name: _value(token)}


def literal_line(column: RunColumn, condition: RunCondition) -> bytes | None:
    """Return the line that those entries have for which a condition holds; None if it may differ.

    Comparing bytes is ten times as fast as finding out the value.
    """
    if column.source != "field" or condition.operator != "=":
        return None
    is_whole = column.name == "dataset" and len(condition.value) == _SHA256_DIGITS
    if not is_whole and column.name not in _LITERAL:
        return None
    return _line(_MEMBER, FIELDS[column.name]) + _string(condition.value)


def places_of_all(pieces: Sequence[bytes]) -> Iterable[int]:
    """Return the positions of all entries."""
    return range(len(pieces))


def may_fit(column: RunColumn, condition: RunCondition) -> Choice:
    """Return a choice of entries; a condition holds for none that it leaves out."""
    if column == OF_TAGS and condition.operator != "!=":
        return lambda pieces: [at for at, piece in enumerate(pieces) if _may_have_tags(piece)]
    line = literal_line(column, condition)
    if line is None or column == OF_STATE:
        return places_of_all
    # Searched from the end, which takes half the time in texts as short as an entry.
    if column.needs_settings:
        # Most entries have the first setting: no function is called for them.
        first = _SETTINGS[0]
        return lambda pieces: [
            at
            for at, piece in enumerate(pieces)
            if piece.rfind(line) >= 0 or (piece.rfind(first) < 0 and lacks_settings(piece))
        ]
    return lambda pieces: [at for at, piece in enumerate(pieces) if piece.rfind(line) >= 0]


def metric_lines_of(name: str) -> tuple[str, ...]:
    """Return the names by which an entry may have a metric."""
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


def _value(token: bytes) -> Any:
    """Return the value on a line; raise ``ValueError`` if it is none, or goes on."""
    if _PLAIN.fullmatch(token):
        # Without the parser, which would take most of the time.
        return token[1:-1].decode()
    return _parsed(token)


@lru_cache(maxsize=2**16)
def _parsed(token: bytes) -> Any:
    found = _NUMBER.fullmatch(token)
    if found is not None:
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


def tags_at(piece: bytes) -> tuple[str, ...] | None:
    """Return the tags in an entry, None if it lacks them; ``ValueError`` if they are no strings."""
    at = piece.find(_TAGS)
    if at < 0:
        return None
    at += len(_TAGS)
    if piece.startswith(_NO_TAGS, at):
        return ()
    return _tags(piece[at : piece.find(_TAGS_END, at) + len(_TAGS_END)])


def _may_have_tags(piece: bytes) -> bool:
    """Return whether an entry has tags, or lacks those that its run may have."""
    at = piece.find(_TAGS)
    return at < 0 or not piece.startswith(_NO_TAGS, at + len(_TAGS))


@lru_cache(maxsize=2**10)
def _tags(token: bytes) -> tuple[str, ...]:
    try:
        found = parse_json(token)
    except RunForgeError as error:
        raise ValueError("the tags have another form") from error
    if not isinstance(found, list) or not all(isinstance(tag, str) for tag in found):
        raise ValueError("a tag is no string")
    return tuple(found)


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
