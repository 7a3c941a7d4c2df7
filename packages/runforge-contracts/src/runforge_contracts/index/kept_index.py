"""Indexes that a server keeps in compact form between two requests.

A process that answers many queries calls :func:`keep_indexes` once. Then the index of a store is
kept compressed, with the values of the columns that queries need, for as long as it is asked for
and the file is the same; if the file has grown, what was added is read alone. A hundred thousand
runs take about 50 MB.
"""

from __future__ import annotations

import json
import math
import os
import re
import threading
import time
import zlib
from array import array
from bisect import bisect_left, bisect_right, insort
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set
from contextlib import contextmanager, suppress
from itertools import accumulate
from typing import TYPE_CHECKING, Any

from runforge_contracts.errors import RunForgeError
from runforge_contracts.fs.files import open_file, read_all, reading
from runforge_contracts.index import keeping
from runforge_contracts.index.entry_lines import (
    TEXT_FIELDS,
    EntryLines,
    Found,
    find,
    ids_in,
    is_escaped,
    lacks_settings,
    metric_lines_of,
    metrics_section,
    part,
    tags_at,
    values_at,
)
from runforge_contracts.selection.run_condition import RunCondition, is_number
from runforge_contracts.selection.run_query import order_key
from runforge_contracts.selection.run_values import FIELDS, RunColumn
from runforge_contracts.store.index_form import BETWEEN, HEAD, TAIL

if TYPE_CHECKING:
    import hashlib
    import io

    from runforge_contracts.store.layout import StoreLayout

#: Columns that no line of an entry has, or that are known without looking for them.
_READ_ELSEWHERE = frozenset(
    RunColumn("field", name) for name in ("alias", "created", "run", "tags")
)
#: What is between two entries; the line break that follows belongs to the second one.
_BETWEEN = BETWEEN[:-1]
#: Entries of one compressed block, blocks that stay unpacked, and bytes that are read at a time.
_BLOCK, _UNPACKED, _PIECE = 64, 64, 2**20
#: Blocks whose entries are looked at before a query that waits has its turn.
_AT_ONCE = 32
#: Most stores, most columns of one that are kept, and most distinct values of all of them.
_STORES, _COLUMNS, _VALUES = 8, 32, 500_000
#: How many values of a column are looked for again, and how many new ones are compared one by one
#: before all are sorted again.
_REPEATED, _UNSORTED = 10_000, 1_000
#: What separates the values in a string in which parts of them are searched.
_SEPARATOR = "\0"
#: Seconds without a query after which an index is thrown away.
_IDLE = 600.0
#: A folder that changed less than so many nanoseconds ago may change again with the same time.
_YOUNG = 2 * 10**9
#: The name of a metric.
_NAME = re.compile(rb'(?:^|\n) {10}"((?:[^"\\]|\\.)*)": ')


class _Column(Sequence[Found | None]):
    """What the entries have of a column, by numbers, and the number of each entry."""

    def __init__(self, column: RunColumn) -> None:
        self._column = column
        self.numbers = array("I")
        self._tokens: list[bytes | None] = []
        #: The names of values that another name than the usual one has.
        self._names: dict[int, str] = {}
        self._usual = FIELDS[column.name] if column.source == "field" else column.name
        self._numbered: dict[Found | None, int] = {}
        #: Numbers in the order of the column, and what each is sorted by; NaN without a value.
        self._order, self._ranks = array("I"), array("d")
        #: Numbers of values that can be compared, sorted by them; those of the others; and how many
        #: numbers these are together.
        self._sorted, self._odd, self._known = array("I"), list[int](), 0
        #: The values in lower case, one after the other, and where each begins.
        self._text, self._begins = "", array("Q")

    def __len__(self) -> int:
        return len(self._tokens)

    def __getitem__(self, number: Any) -> Any:
        token = self._tokens[number]
        return None if token is None else (self._names.get(number, self._usual), token)

    def add(self, found: Found | None) -> None:
        """Add what an entry has."""
        number = self._numbered.get(found)
        if number is None:
            number = len(self._tokens)
            self._tokens.append(None if found is None else found[1])
            if found is not None and found[0] != self._usual:
                self._names[number] = found[0]
            if number < _REPEATED or found is None:
                # Where there are many values, few entries share one: not worth the memory.
                self._numbered[found] = number
        self.numbers.append(number)

    def ranks(self) -> array[float]:
        """Return for each number what it is sorted by; NaN without a value.

        Raises ``ValueError`` if a value is not on one line.
        """
        new = range(len(self._ranks), len(self))
        if len(new) > _UNSORTED or not all(map(self._insert, new)):
            keys = [*map(self._key, range(len(self)))]
            places = {key: at for at, key in enumerate(sorted({*keys} - {None}))}
            self._ranks = array("d", (places.get(key, math.nan) for key in keys))
            valued = (number for number, key in enumerate(keys) if key is not None)
            self._order = array("I", sorted(valued, key=self._ranks.__getitem__))
        return self._ranks

    def _key(self, number: int) -> Any:
        found = self[number]
        return None if found is None else order_key(part(found, self._column), self._column)

    def _insert(self, number: int) -> bool:
        """Put a new number between those that have a rank; return False if there is no room."""
        key = self._key(number)
        if key is None:
            self._ranks.append(math.nan)
            return True
        at = bisect_left(self._order, key, key=self._key)
        after = self._ranks[self._order[at]] if at < len(self._order) else None
        if after is None or self._key(self._order[at]) != key:
            before = self._ranks[self._order[at - 1]] if at else None
            if after is None:
                rank = 0.0 if before is None else before + 1
            else:
                rank = after - 1 if before is None else (before + after) / 2
            if rank in (before, after):
                return False
        else:
            rank = after
        self._ranks.append(rank)
        self._order.insert(at, number)
        return True

    def matching(self, condition: RunCondition) -> bytearray | None:
        """Return for each number whether a condition holds; None if all values must be looked at.

        Raises ``ValueError`` if a value is not on one line.
        """
        if condition.others:
            return None
        column, operator = self._column, condition.operator
        if len(self) < _UNSORTED:
            return None
        if operator == "~":
            is_wanted = column.source == "field" and column.name in TEXT_FIELDS
            needle = condition.value.casefold()
            if not is_wanted or not needle or _SEPARATOR in needle:
                return None
            self.sort()
            found = self._containing(needle)
        else:
            wanted: Any = condition.value
            if not (column.source == "field" and column.name in TEXT_FIELDS):
                wanted = condition.number
            elif condition.number is not None and not column.prefix and operator not in ("=", "!="):
                return None  # It compares numbers, which these are not.
            if wanted is None:
                return None
            self.sort()
            found = self._compared(operator, wanted)
        for number in (*self._odd, *range(self._known, len(self))):
            values = values_at(self[number], column)
            found[number] = condition.holds(values, prefix=column.prefix)
        return found

    def _value(self, number: int) -> Any:
        """Return the value with a number if it can be compared with the others, or None."""
        values = values_at(self[number], self._column)
        if len(values) != 1:
            return None
        is_text = self._column.source == "field" and self._column.name in TEXT_FIELDS
        fits = isinstance(values[0], str) if is_text else is_number(values[0])
        return values[0] if fits else None

    def sort(self) -> None:
        """Sort the values, unless only few are new."""
        if len(self) - self._known < _UNSORTED:
            return
        values = [*map(self._value, range(len(self)))]
        self._odd = [number for number, value in enumerate(values) if value is None]
        valued = (number for number, value in enumerate(values) if value is not None)
        self._sorted = array("I", sorted(valued, key=values.__getitem__))
        self._known = len(values)
        self._text, self._begins = "", array("Q")

    def _compared(self, operator: str, wanted: Any) -> bytearray:
        """Return which of the sorted values fulfil a comparison."""
        length = len(wanted) if self._column.prefix else None

        def key(number: int) -> Any:
            value = self._value(number)
            return value if length is None else value[:length]

        first = bisect_left(self._sorted, wanted, key=key)
        end = bisect_right(self._sorted, wanted, lo=first, key=key)
        parts = {
            "=": self._sorted[first:end],
            "<": self._sorted[:first],
            "<=": self._sorted[:end],
            ">": self._sorted[end:],
            ">=": self._sorted[first:],
        }
        found = bytearray([operator == "!="]) * len(self)
        for number in parts["=" if operator == "!=" else operator]:
            found[number] = operator != "!="
        return found

    def _containing(self, needle: str) -> bytearray:
        """Return which values contain a string in lower case."""
        if not self._begins:
            texts = [str(self._value(number)).casefold() for number in range(self._known)]
            self._begins = array("Q", accumulate((len(text) + 1 for text in texts), initial=0))
            self._text = _SEPARATOR.join(texts)
        found, at = bytearray(len(self)), self._text.find(needle)
        while at >= 0:
            number = bisect_right(self._begins, at) - 1
            found[number] = 1
            at = self._text.find(needle, self._begins[number + 1])
        return found


class _KeptIndex:
    """The index of a store in compact form."""

    def __init__(self, store: StoreLayout) -> None:
        self.lock = threading.RLock()
        self.used = time.monotonic()
        self._store = store
        self._forget()

    def _forget(self) -> None:
        self.is_prepared = False
        self._stamp: tuple[int, int, int] | None = None
        #: Whether every entry has the form in which values can be found.
        self._is_usual = True
        #: Length and digest of the file up to the end of the last entry.
        self._length, self._digest = 0, _new_digest()
        self._blocks: list[bytes] = []
        self._last: list[bytes] = []
        self.ids: list[str] = []
        self.known = set[str]()
        self.order = array("I")
        self.older = bytearray()
        #: Tags of runs by position, and of which runs it is known that they have no others: those
        #: whose entries have their tags, and those that a condition asked for.
        self.tags: dict[int, tuple[str, ...]] = {}
        self.tagged = bytearray()
        self._metrics = set[bytes]()
        self._columns: OrderedDict[RunColumn, _Column] = OrderedDict()
        #: Columns whose values are known of the first entries; None before anybody asked for them.
        self._prepared: dict[RunColumn, _Column] | None = None
        self._unpacked: OrderedDict[int, list[bytes]] = OrderedDict()
        self._unlisted: tuple[object, list[str]] | None = None

    def renew(self) -> bool:
        """Read what is new in the file; return False if the whole index is needed.

        Raises
        ------
        RunForgeError
            As :func:`~runforge_contracts.fs.files.open_file`.
        """
        self.used = time.monotonic()
        with open_file(self._store.index) as file, reading(self._store.index):
            found = os.fstat(file.fileno())
            stamp = (found.st_mtime_ns, found.st_size, found.st_ino)
            if stamp != self._stamp:
                self._is_usual = self._read(file, found.st_size)
                if not self._is_usual:
                    self._forget()
                    self._is_usual = False
                self._stamp = stamp
        return self._is_usual

    def _read(self, file: io.FileIO, size: int) -> bool:
        """Return whether the entries, of which only new ones are read, have the usual form."""
        end = size - len(TAIL)
        if not self._has_grown(file, end):
            self._forget()
            file.seek(0)
            if end < len(HEAD) or read_all(file, len(HEAD)) != HEAD:
                return False
            self._length = len(HEAD) - 1
            file.seek(0)
            self._digest.update(read_all(file, self._length))
        is_first = not self.ids
        text, begun = b"", self._length
        for piece in _pieces(file, end - begun):
            self._digest.update(piece)
            *entries, text = (text + piece).split(_BETWEEN)
            if entries and not is_first:
                # What was known ends where the first new entry is separated from it.
                if entries.pop(0):
                    return False
                is_first = True
            if not self._add_all(entries):
                return False
        if end > begun and not (is_first and self._add_all([text])):
            return False
        self._length = end
        escaped = bool(self._last) and is_escaped(_BETWEEN.join(self._last))
        return read_all(file, len(TAIL)) == TAIL and not escaped

    def _has_grown(self, file: io.FileIO, end: int) -> bool:
        """Return whether the file begins as before; its position is then where that ends."""
        if not self._is_usual or not self.ids or end < self._length:
            return False
        digest = _new_digest()
        for piece in _pieces(file, self._length):
            digest.update(piece)
        return digest.digest() == self._digest.digest()

    def _add_all(self, pieces: list[bytes]) -> bool:
        """Add entries; return False if one has another form."""
        ids = ids_in(pieces)
        return ids is not None and all(map(self._add, pieces, ids))

    def _add(self, piece: bytes, run_id: str) -> bool:
        if run_id in self.known:
            return False
        at = len(self.ids)
        try:
            tags = tags_at(piece)
        except ValueError:
            return False
        self.tagged.append(tags is not None)
        if tags:
            self.tags[at] = tags
        self.ids.append(run_id)
        self.known.add(run_id)
        if at == 0 or self.ids[self.order[-1]][:15] <= run_id[:15]:
            self.order.append(at)
        else:
            insort(self.order, at, key=lambda each: self.ids[each][:15])
        self.older.append(lacks_settings(piece))
        self._metrics.update(_NAME.findall(metrics_section(piece) or b""))
        for column, values in self._columns.items():
            values.add(find(piece, column))
        self._last.append(piece)
        if len(self._last) == _BLOCK:
            block = _BETWEEN.join(self._last)
            if is_escaped(block):
                return False
            self._blocks.append(zlib.compress(block, 1))
            self._last = []
        return True

    def piece(self, at: int) -> bytes:
        """Return the bytes of an entry, without its braces."""
        number, place = divmod(at, _BLOCK)
        if number == len(self._blocks):
            return self._last[place]
        found = self._unpacked.get(number)
        if found is None:
            found = self._unpacked[number] = self._block(number)
            if len(self._unpacked) > _UNPACKED:
                self._unpacked.popitem(last=False)
        return found[place]

    def _block(self, number: int) -> list[bytes]:
        return zlib.decompress(self._blocks[number]).split(_BETWEEN)

    def columns(self, columns: Iterable[RunColumn]) -> None:
        """Find out the values of columns that are not known yet, in one pass."""
        new = {column: _Column(column) for column in columns if column not in self._columns}
        if not new:
            return
        for number in range(len(self._blocks) + 1):
            self._find_in(number, new)
        self._keep(new)

    def prepare(self, columns: Iterable[RunColumn]) -> bool:
        """Find out a part of the values of columns; return whether there is more to do."""
        if self._prepared is None:
            known = self._columns
            self._prepared = {column: _Column(column) for column in columns if column not in known}
        begin = next((len(each.numbers) for each in self._prepared.values()), 0) // _BLOCK
        for number in range(begin, min(begin + _AT_ONCE, len(self._blocks) + 1)):
            self._find_in(number, self._prepared)
        if self._prepared and begin + _AT_ONCE <= len(self._blocks):
            return True
        self._keep(self._prepared)
        self._prepared = {}
        return False

    def _find_in(self, number: int, new: Mapping[RunColumn, _Column]) -> None:
        """Add what the entries of a block have to columns."""
        pieces = self._block(number) if number < len(self._blocks) else self._last
        for column, values in new.items():
            for piece in pieces:
                values.add(find(piece, column))

    def _keep(self, new: Mapping[RunColumn, _Column]) -> None:
        """Keep the values of columns, and those of others as long as there is room."""
        self._columns.update(new)
        while len(self._columns) > len(new) and (
            len(self._columns) > _COLUMNS or sum(map(len, self._columns.values())) > _VALUES
        ):
            self._columns.popitem(last=False)

    def column(self, column: RunColumn) -> _Column:
        """Return the values of a column."""
        self.columns([column])
        self._columns.move_to_end(column)
        return self._columns[column]

    def sort(self, column: RunColumn) -> None:
        """Find out the order of the values of a column that is kept.

        Raises ``ValueError`` if a value is not on one line.
        """
        if column in self._columns:
            self._columns[column].ranks()
            self._columns[column].sort()

    def may_have_metric(self, name: str) -> bool:
        """Return whether an entry may have a metric with a name, or with its other name."""
        return any(
            json.dumps(known, ensure_ascii=False).encode("utf-8", "surrogatepass")[1:-1]
            in self._metrics
            for known in metric_lines_of(name)
        )

    def unlisted(self) -> list[str]:
        """Return the names in the folder of the runs that are not in the index.

        Raises ``OSError`` if there is no such folder.
        """
        found = self._store.runs.stat()
        stamp = (self._stamp, found.st_mtime_ns, found.st_ino)
        is_young = abs(time.time_ns() - found.st_mtime_ns) < _YOUNG
        if self._unlisted is None or is_young or self._unlisted[0] != stamp:
            names = os.listdir(self._store.runs)  # noqa: PTH208 - names are enough
            self._unlisted = stamp, [name for name in names if name not in self.known]
        return self._unlisted[1]


class KeptLines(EntryLines):
    """The entries of a kept index during one query."""

    def __init__(self, kept: _KeptIndex) -> None:
        super().__init__()
        self._kept = kept

    def __len__(self) -> int:
        return len(self._kept.ids)

    def ordered(self) -> Sequence[int]:
        """Return the positions of the entries by start time, the oldest first."""
        return self._kept.order

    def piece(self, at: int) -> bytes:
        """Return the bytes of an entry, without its braces."""
        return self._kept.piece(at)

    def run_id(self, at: int) -> str:
        """Return the id of the run of an entry."""
        return self._kept.ids[at]

    def tags(self, at: int, read: Callable[[int], list[str]]) -> Sequence[str]:
        """Return the tags of a run, which are read once: the request of a run stays as it is."""
        kept = self._kept
        if not kept.tagged[at]:
            if found := read(at):
                kept.tags[at] = tuple(found)
            kept.tagged[at] = True
        return kept.tags.get(at, ())

    def is_older(self, at: int) -> bool:
        """Return whether an entry lacks the settings of its run."""
        return at not in self.completed and bool(self._kept.older[at])

    def may_have_metric(self, name: str) -> bool:
        """Return whether an entry may have a metric, without looking for its values."""
        return self._kept.may_have_metric(name)

    def find_out(self, columns: Iterable[RunColumn]) -> None:
        """Find out the values of columns in one pass; each would unpack the whole index."""
        self._kept.columns(column for column in columns if column not in _READ_ELSEWHERE)

    def has_metric(self, name: str) -> bool:
        """Return whether an entry has a metric with a name, or with its other name."""
        if not self._kept.may_have_metric(name):
            return False
        known = self._kept.column(RunColumn("metric", name))
        return any(found is not None for found in known)

    def groups(self, column: RunColumn) -> tuple[Sequence[int], Sequence[Found | None]]:
        """Return a number for each entry, and what the entries with each number have."""
        found = self._kept.column(column)
        return found.numbers, found

    def fitting(
        self, places: Iterable[int], column: RunColumn, condition: RunCondition
    ) -> Iterator[int]:
        """Yield the positions of the entries for which a condition holds."""
        if column == ("field", "run") and condition.operator == "=":
            ids = self._kept.ids
            yield from (at for at in places if ids[at] == condition.value)
            return
        known = self._kept.column(column)
        matching = None if self.is_completed(column) else known.matching(condition)
        if matching is None:
            yield from super().fitting(places, column, condition)
        else:
            numbers = known.numbers
            yield from [at for at in places if matching[numbers[at]]]

    def keys(self, places: Iterable[int], column: RunColumn) -> Iterator[tuple[Any, int]]:
        """Yield the places of entries in the order of a column."""
        if self.is_completed(column):
            yield from super().keys(places, column)
            return
        found = self._kept.column(column)
        ranks = found.ranks()
        for at in places:
            rank = ranks[found.numbers[at]]
            yield None if rank != rank else rank, at

    def known_ids(self) -> Set[str]:
        """Return the ids of all runs in the index."""
        return self._kept.known

    def unlisted(self) -> list[str]:
        """Return the names in the folder of the runs that are not in the index."""
        return self._kept.unlisted()


class Keeper:
    """The indexes that this process keeps."""

    def __init__(self, idle: float) -> None:
        self._idle, self._lock = idle, threading.Lock()
        self._kept: OrderedDict[StoreLayout, _KeptIndex] = OrderedDict()
        threading.Thread(target=self._watch, name="runforge-kept-index", daemon=True).start()

    def index_of(self, store: StoreLayout) -> _KeptIndex:
        """Return the index of a store, which may not have been read yet."""
        with self._lock:
            found = self._kept.pop(store, None) or _KeptIndex(store)
            self._kept[store] = found
            if len(self._kept) > _STORES:
                self._kept.popitem(last=False)
            return found

    def stores(self) -> list[StoreLayout]:
        """Return the stores whose indexes are kept now."""
        with self._lock:
            return list(self._kept)

    def _watch(self) -> None:
        while True:
            time.sleep(self._idle / 10)
            with self._lock:
                for store, kept in list(self._kept.items()):
                    if time.monotonic() - kept.used > self._idle:
                        del self._kept[store]


def keep_indexes(idle: float = _IDLE) -> None:
    """Let this process keep the indexes that it reads.

    Parameters
    ----------
    idle
        Seconds without a query after which an index is thrown away.
    """
    if keeping.keeper is None:
        keeping.keeper = Keeper(idle)
        if hasattr(os, "register_at_fork"):
            # A process that was divided from this one has none of its threads.
            os.register_at_fork(after_in_child=_keep_none)


def _keep_none() -> None:
    keeping.keeper = None


def kept_stores() -> list[StoreLayout]:
    """Return the stores whose indexes are kept now."""
    return [] if keeping.keeper is None else keeping.keeper.stores()


@contextmanager
def kept_lines(store: StoreLayout) -> Iterator[KeptLines | None]:
    """Give the entries of the index of a store as it is now; None if the whole index is needed.

    Only one thread has them at a time.

    Raises
    ------
    RunForgeError
        As :func:`~runforge_contracts.fs.files.open_file`.
    """
    if keeping.keeper is None:
        raise RuntimeError("this process keeps no indexes")
    kept = keeping.keeper.index_of(store)
    with kept.lock:
        yield KeptLines(kept) if kept.renew() else None


def prepare_columns(stores: Iterable[StoreLayout], columns: Iterable[RunColumn]) -> None:
    """Begin to find out the values of columns in another thread, before a query needs them.

    It does nothing for stores for which it was done, or where no indexes are kept.
    """
    keeper = keeping.keeper
    if keeper is None:
        return
    columns = list(columns)
    for store in stores:
        kept = keeper.index_of(store)
        if not kept.is_prepared:
            kept.is_prepared = True
            threading.Thread(target=_prepare, args=(kept, columns), daemon=True).start()


def _prepare(kept: _KeptIndex, columns: Sequence[RunColumn]) -> None:
    with suppress(RunForgeError, OSError, ValueError):  # A query for which it matters will say so.
        is_unfinished = True
        while is_unfinished:
            # In parts, so that no query waits for all of them.
            with kept.lock:
                if not kept.renew():
                    return
                is_unfinished = kept.prepare(columns)
            time.sleep(0)  # Else this thread might take the lock again at once.
        for column in columns:
            with kept.lock:
                if kept.renew():
                    kept.sort(column)


def _new_digest() -> hashlib._Hash:
    import hashlib  # late: a command that keeps no index needs no digest

    return hashlib.sha1(usedforsecurity=False)


def _pieces(file: io.FileIO, length: int) -> Iterator[bytes]:
    while length > 0:
        piece = read_all(file, min(length, _PIECE))
        if not piece:
            return
        length -= len(piece)
        yield piece
