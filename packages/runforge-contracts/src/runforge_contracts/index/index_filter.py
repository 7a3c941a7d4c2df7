"""Choose runs by the lines of their index entries, and parse only the entries that are shown.

The values are found in the bytes of the index by :mod:`runforge_contracts.index.entry_lines`. If
the file has another form, the whole file is read.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from runforge_contracts.codec.strict_json import MAX_BYTES
from runforge_contracts.errors import ErrorCode, RunForgeError
from runforge_contracts.index.entry_lines import (
    OF_STATE,
    OF_TAGS,
    Choice,
    EntryLines,
    PieceLines,
    ids_in,
    may_fit,
    places_of_all,
    read_pieces,
    values_at,
)
from runforge_contracts.index.keeping import keeps_indexes
from runforge_contracts.index.newest import described_runs
from runforge_contracts.run_ids import started
from runforge_contracts.schemas import validator
from runforge_contracts.selection.run_query import (
    RunFacts,
    RunQuery,
    by_metric,
    is_measured,
    order_key,
)
from runforge_contracts.selection.run_values import (
    FIELDS,
    MISSING,
    RunColumn,
    column_of,
    is_field,
    status_in,
    values_of,
)
from runforge_contracts.store.aliases import aliases_by_run
from runforge_contracts.store.foreign_index import OWN_FORM
from runforge_contracts.store.index_form import Newest
from runforge_contracts.store.layout import StoreLayout, stores_in
from runforge_contracts.store.reading import MAX_INDEX_BYTES, own_entries
from runforge_contracts.store.removals import removed_runs
from runforge_contracts.store.view_folders import may_have_views
from runforge_contracts.validation import validate

if TYPE_CHECKING:
    from runforge_contracts.index.kept_index import KeptLines

Read = TypeVar("Read")

#: The other field of which a run may have several values.
_ALIASES = RunColumn("field", "alias")
#: The usual order, which entries have by their ids.
_CREATED = RunColumn("field", "created")
#: How the lines begin that name a model, and its digest.
_MODEL, _MODEL_DIGEST = b'\n      "model_pkl": ', b'\n      "model_sha256": '
#: How many entries are parsed together.
_AT_ONCE = 500


def skim_runs(
    store: StoreLayout, count: int, query: RunQuery, facts: RunFacts, *, skip: int = 0
) -> Newest | None:
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
    skip
        How many of the first runs need not be returned.

    Returns
    -------
    Newest or None
        None if the whole index is needed.

    Raises
    ------
    RunForgeError
        ``USAGE_INVALID`` if a number is compared with something else.
    """
    if keeps_indexes():
        return _skim_kept(store, count, query, facts, skip)
    if may_have_views(store):
        return None
    read = _read_lines(store, _first_choice(query))
    if read is None:
        return None
    lines, known, names = read
    known |= removed_runs(store).keys()
    others = described_runs(store, [name for name in names if name not in known], known)
    try:
        return _chosen(lines, others, store, count, query, facts, skip)
    except ValueError:
        return None


def runs_in_parts(
    store: StoreLayout, count: int, query: RunQuery, facts: RunFacts
) -> Iterator[list[dict[str, Any]]]:
    """Yield the first ``count`` runs of a query in the order of time, some hundred at a time.

    The entries of no more runs are parsed at once, and the bytes of those before are not held.

    Parameters
    ----------
    store, count, query, facts
        As for :func:`skim_runs`.

    Raises
    ------
    ValueError
        If the whole index is needed, also after some of the runs.
    RunForgeError
        As :func:`skim_runs`.
    """
    # All runs of an index that is larger than other documents are validated, as where they are read
    # at once.
    size = 0 if query.conditions else _size_of(store.index)
    is_checked = size > MAX_BYTES
    if is_checked:
        validator(OWN_FORM)  # Loaded after the entries, it would keep the memory that they leave.
    is_in_time = column_of(query.order.name, ()) == _CREATED
    is_possible = is_in_time and size <= MAX_INDEX_BYTES and not may_have_views(store)
    read = _read_lines(store, _first_choice(query)) if is_possible else None
    if read is None:
        raise ValueError("the whole index is needed")
    lines, known, names = read
    known |= removed_runs(store).keys()
    names = [name for name in names if name not in known]
    others = described_runs(store, names, known)
    if names and not (
        lines.have_folders_in(store.relative(store.runs))
        and {entry["run_id"] for entry in others} <= {*names}
    ):
        raise ValueError("a run has another id than its folder")
    places, others, _ = _fitting(lines, others, store, query, facts)

    def begin(run: int | dict[str, Any]) -> str:
        return started(run) if isinstance(run, dict) else lines.run_id(run)[:15]

    runs: list[int | dict[str, Any]] = [*places, *others]
    runs.sort(key=begin)
    runs = runs[:count] if query.order.turned else runs[: -count - 1 : -1]
    for at in range(0, len(runs), _AT_ONCE):
        part = runs[at : at + _AT_ONCE]
        try:
            entries = lines.take([run for run in part if isinstance(run, int)])
            if is_checked:
                validate({"schema_version": OWN_FORM, "runs": entries}, OWN_FORM)
                entries = own_entries(entries, store)
        except RunForgeError as error:
            raise ValueError("an entry is invalid") from error
        taken = iter(entries)
        yield [run if isinstance(run, dict) else next(taken) for run in part]


def _size_of(index: Path) -> int:
    try:
        return index.stat().st_size
    except OSError:
        return 0  # It is reported where the index is read.


def entries_with(store: StoreLayout, digits: str) -> list[dict[str, Any]] | None:
    """Return the entries of an index that have a string which begins with some digits.

    They are followed by those of all runs that are not in the index.

    Parameters
    ----------
    store
        The store to search.
    digits
        The first hexadecimal digits of a digest.

    Returns
    -------
    list of dict or None
        None if the whole index is needed: it has another form, or entries without the digest of
        their model.
    """
    begin = b'": "' + digits.encode()

    def lacks_digest(piece: bytes) -> bool:
        return _MODEL in piece and _MODEL_DIGEST not in piece

    def choose(pieces: Sequence[bytes]) -> Iterable[int]:
        return [at for at, piece in enumerate(pieces) if begin in piece or lacks_digest(piece)]

    read = None if may_have_views(store) else _read_lines(store, choose)
    if read is None:
        return None
    lines, known, names = read
    if any(map(lacks_digest, map(lines.piece, range(len(lines))))):
        return None
    found = list[dict[str, Any]]()
    try:
        for at in range(0, len(lines), _AT_ONCE):
            found += lines.take(range(at, min(at + _AT_ONCE, len(lines))))
    except (RunForgeError, ValueError):
        return None
    return [*found, *described_runs(store, [name for name in names if name not in known], known)]


def _first_choice(query: RunQuery) -> Choice:
    """Return a choice of the entries for which the first condition of a query may hold.

    It leaves out none if it depends on the entries what a name means, or whether it means anything.
    """
    if query.conditions and all(is_field(name) for name in _names_in(query)):
        with suppress(RunForgeError):  # What is wrong with the query is said later.
            return may_fit(*query.columns(())[0])
    return places_of_all


def _names_in(query: RunQuery) -> set[str]:
    return {condition.name for condition in query.conditions} | {query.order.name}


def _read_lines(
    store: StoreLayout, choose: Choice
) -> tuple[PieceLines, set[str], list[str]] | None:
    """Return those entries of an index that matter, the ids of all, and the names of all folders.

    Only a part of the file is in memory, apart from what is returned. None if the index is not in
    the form of the contract, or lists a run twice.
    """
    kept, kept_ids = list[bytes](), list[str]()
    known, count = set[str](), 0
    try:
        for pieces in read_pieces(store.index):
            ids = ids_in(pieces)
            if ids is None:
                return None
            known.update(ids)
            count += len(pieces)
            if len(known) < count:
                return None
            for at in choose(pieces):
                kept.append(pieces[at])
                kept_ids.append(ids[at])
        names = os.listdir(store.runs)  # noqa: PTH208 - names are enough, and ten times as fast
    except (OSError, RunForgeError, ValueError):
        return None
    return PieceLines(kept, kept_ids), known, names


def _skim_kept(
    store: StoreLayout, count: int, query: RunQuery, facts: RunFacts, skip: int
) -> Newest | None:
    """Return the result of :func:`skim_runs` from the index that this process keeps."""

    def read(lines: KeptLines) -> Newest:
        others = _not_listed(lines, store)
        return _chosen(lines, others, store, count, query, facts, skip)

    return _of_kept(store, read)


def _of_kept(store: StoreLayout, read: Callable[[KeptLines], Read]) -> Read | None:
    """Return what is read from the index that this process keeps; None if it is not enough."""
    if may_have_views(store) or not keeps_indexes():
        return None
    from runforge_contracts.index.kept_index import kept_lines  # late: only servers keep indexes

    try:
        with kept_lines(store) as lines:
            return None if lines is None else read(lines)
    except (OSError, ValueError):
        return None
    except RunForgeError as error:
        if error.code is ErrorCode.USAGE_INVALID:
            raise
        return None


def _not_listed(lines: KeptLines, store: StoreLayout) -> list[dict[str, Any]]:
    """Return entries for the runs that are not in the index."""
    unlisted = lines.unlisted()
    known = {*lines.known_ids(), *removed_runs(store)} if unlisted else set[str]()
    return described_runs(store, [name for name in unlisted if name not in known], known)


class RunGroup(NamedTuple):
    """The runs of a store that have one value."""

    value: str
    #: The id of the newest one, and when it began.
    newest: str
    began: str
    runs: int


class _Groups(Sequence[RunGroup]):
    """The runs of an index by a field; what stands in it is decoded where it is asked for."""

    def __init__(self, lines: EntryLines, places: Sequence[int], column: RunColumn) -> None:
        from array import array  # late: only servers group runs

        numbers, known = lines.groups(column)
        counts, newest = (array("Q", bytes(8 * len(known))) for _ in range(2))
        for rank, at in enumerate(places):  # the oldest first
            counts[numbers[at]] += 1
            newest[numbers[at]] = rank
        # Entries with different numbers may have the same value.
        first = dict[bytes, int]()
        for number, found in enumerate(known):
            if found is not None and counts[number]:
                same = first.setdefault(found[1], number)
                if same != number:
                    counts[same] += counts[number]
                    newest[same] = max(newest[same], newest[number])
        shown = sorted(first.items(), key=lambda item: newest[item[1]], reverse=True)
        self._column = column
        self._tokens = [token for token, _ in shown]
        self._counts = [counts[number] for _, number in shown]
        self._ids = [lines.run_id(places[newest[number]]) for _, number in shown]

    def __len__(self) -> int:
        return len(self._tokens)

    def __getitem__(self, at: Any) -> Any:
        if isinstance(at, slice):
            return [self[one] for one in range(*at.indices(len(self)))]
        found, value = (FIELDS[self._column.name], self._tokens[at]), ""
        with suppress(ValueError):  # It is no value, or goes on in the next line.
            value = str(next(iter(values_at(found, self._column)), ""))
        return RunGroup(value, self._ids[at], self._ids[at][:15], self._counts[at])


def grouped_runs(store: StoreLayout, column: RunColumn) -> Sequence[RunGroup] | None:
    """Return the runs of a store by a field that has a string, those with the newest run first.

    Runs without a value are left out. Returns None if the whole index is needed, as it is where
    this process keeps no indexes.
    """

    def read(lines: KeptLines) -> tuple[_Groups, list[dict[str, Any]]]:
        others, removed = _not_listed(lines, store), removed_runs(store)
        places = lines.ordered()
        if removed:
            places = [at for at in places if lines.run_id(at) not in removed]
        return _Groups(lines, places, column), others

    found = _of_kept(store, read)
    if found is None:
        return None
    groups, others = found
    added = [
        RunGroup(str(value), entry["run_id"], started(entry), 1)
        for entry in others
        for value in values_of(entry, column)
    ]
    return merged_groups([*groups, *added]) if added else groups


def merged_groups(groups: Iterable[RunGroup]) -> list[RunGroup]:
    """Return one group for each value, those with the newest run first."""
    found = dict[str, RunGroup]()
    for group in groups:
        before = found.get(group.value)
        if before is not None:
            newest = max(before, group, key=lambda item: item.began)
            group = newest._replace(runs=before.runs + group.runs)
        found[group.value] = group
    return sorted(found.values(), key=lambda group: group.began, reverse=True)


def entries_of(store: StoreLayout, run_ids: Collection[str]) -> dict[str, dict[str, Any]] | None:
    """Return the entries of some runs of a store by their ids; None as :func:`grouped_runs`."""

    def read(lines: KeptLines) -> dict[str, dict[str, Any]]:
        places = [at for at in range(len(lines)) if lines.run_id(at) in run_ids]
        listed = [*map(lines.entry, places), *_not_listed(lines, store)]
        return {entry["run_id"]: entry for entry in listed if entry["run_id"] in run_ids}

    return _of_kept(store, read)


def _chosen(
    lines: EntryLines,
    others: list[dict[str, Any]],
    store: StoreLayout,
    count: int,
    query: RunQuery,
    facts: RunFacts,
    skip: int,
) -> Newest:
    """Return the result of :func:`skim_runs`; raise ``ValueError`` if the index is needed."""
    unlisted = others
    places, others, metrics = _fitting(lines, unlisted, store, query, facts)
    order = column_of(query.order.name, metrics)
    total = len(places) + len(others)
    # Those that are not in the index may come before those that are skipped.
    left = max(skip - len(others), 0)
    if order in (OF_TAGS, _ALIASES):
        values = _SeveralValues(order, lines, store, facts)
        keyed = [(values.key(at), at) for at in places[::-1]]
        places = _sorted(lines, keyed, order, left, count, turned=query.order.turned)
        others = [values.completed(entry, values.of(entry)) for entry in others]
        chosen = [values.completed(_entry(lines, at), values.at(at)) for at in sorted(places)]
        return Newest([*chosen, *others], total, min(left, total - len(others)))
    if order != _CREATED:
        _complete(lines, places, others, order, store, facts)
        _check_known(lines, unlisted, order)
        keys = lines.keys(places[::-1], order)
        places = _sorted(lines, keys, order, left, count, turned=query.order.turned)
    elif query.order.turned:
        places = places[left:count]
    else:
        places = places[::-1][left:count] if count < len(places) else places[::-1][left:]
    chosen = [_entry(lines, at) for at in sorted(places)]
    return Newest([*chosen, *others], total, min(left, total - len(others)))


def _fitting(
    lines: EntryLines,
    others: list[dict[str, Any]],
    store: StoreLayout,
    query: RunQuery,
    facts: RunFacts,
) -> tuple[Sequence[int], list[dict[str, Any]], set[str]]:
    """Return the runs for which the conditions of a query hold, and the names that are metrics.

    Those in the index are given by their positions, the oldest first. Raises ``ValueError`` if the
    index is needed.
    """
    names = {name for name in _names_in(query) if not is_field(name)}
    with suppress(RunForgeError):  # What is wrong with the query is said below.
        likely = set(filter(lines.may_have_metric, names))
        asked = {column for column, _ in query.columns(likely)}
        asked |= {column_of(query.order.name, likely)} - {_CREATED}
        lines.find_out(asked)
    metrics = _known_metrics(names, lines, others)
    wanted = query.columns(metrics)
    places, unlisted = lines.ordered(), others
    if removed := removed_runs(store):
        places = [at for at in places if lines.run_id(at) not in removed]
    for column, condition in wanted:
        if column in (OF_TAGS, _ALIASES):
            values = _SeveralValues(column, lines, store, facts)
            places = [at for at in places if condition.holds(values.at(at))]
            others = [entry for entry in others if condition.holds(values.of(entry))]
            continue
        _complete(lines, places, others, column, store, facts)
        places = list(lines.fitting(places, column, condition))
        others = [
            entry
            for entry in others
            if condition.holds(values_of(entry, column), prefix=column.prefix)
        ]
        _check_known(lines, unlisted, column)
    return places, others, metrics


class _SeveralValues:
    """The tags or the aliases of runs."""

    def __init__(
        self, column: RunColumn, lines: EntryLines, store: StoreLayout, facts: RunFacts
    ) -> None:
        self._column, self._lines, self._store, self._facts = column, lines, store, facts
        stores = stores_in(store.workspace) if column == _ALIASES else ()
        self._aliases = aliases_by_run(stores)

    def at(self, at: int) -> Sequence[str]:
        """Return those of the run of an entry in the index."""
        if self._column == OF_TAGS:
            return self._lines.tags(at, self._read)
        return self._aliases.get(self._lines.run_id(at), ())

    def of(self, entry: dict[str, Any]) -> Sequence[str]:
        """Return those of a run that is not in the index."""
        if self._column == OF_TAGS:
            return self._facts.tags_of(entry, self._store)
        return self._aliases.get(entry["run_id"], ())

    def key(self, at: int) -> Any:
        """Return what an entry in the index is sorted by; None without a value."""
        return order_key(self.completed({}, self.at(at)), self._column)

    def completed(self, entry: dict[str, Any], values: Sequence[str]) -> dict[str, Any]:
        """Return an entry with the values that its run has."""
        return {**entry, FIELDS[self._column.name]: [*values]} if values else entry

    def _read(self, at: int) -> list[str]:
        return self._facts.tags_of(_entry(self._lines, at), self._store)


def _entry(lines: EntryLines, at: int) -> dict[str, Any]:
    try:
        return lines.entry(at)
    except RunForgeError as error:
        raise ValueError("an entry is invalid") from error


def _complete(
    lines: EntryLines,
    places: Iterable[int],
    others: list[dict[str, Any]],
    column: RunColumn,
    store: StoreLayout,
    facts: RunFacts,
) -> None:
    """Complete those of some entries that lack what a column needs.

    Those are older entries where it is a setting, and where it is the status, those of runs whose
    folder is missing, and ``others``, which are not in the index.
    """
    if column.needs_settings:
        for at in lines.older(places):
            lines.completed[at] = facts.settings.entry(_entry(lines, at), store)
    elif column == OF_STATE:
        facts.add_states(others)
        there = os.listdir(store.runs)  # noqa: PTH208 - names are enough
        if absent := lines.known_ids() - {*there}:
            for at in places:
                if lines.run_id(at) in absent:
                    entry = _entry(lines, at)
                    facts.add_states([entry])
                    # The folder may have another name than the run.
                    if status_in(entry) == MISSING:
                        lines.completed[at] = entry


def _sorted(
    lines: EntryLines,
    keyed: Iterable[tuple[Any, int]],
    column: RunColumn,
    skip: int,
    count: int,
    *,
    turned: bool,
) -> list[int]:
    """Return positions sorted by a column, then those without a value; those from skip to count.

    Parameters
    ----------
    lines
        The entries.
    keyed
        What each entry is sorted by, or None, with its position, the newest first.
    column
        The column.
    skip, count
        How many are left out at the beginning, and where the result ends.
    turned
        Whether the order is the other way round.
    """
    groups: dict[Any, list[int]] = {}
    for key, at in keyed:
        groups.setdefault(key, []).append(at)
    last = groups.pop(None, [])
    found, passed = list[int](), 0
    for key in [*sorted(groups, reverse=turned), None]:
        group = last if key is None else groups[key]
        if passed >= count:
            break
        if passed + len(group) > skip:
            if key is not None and is_measured(column):
                pairs = [(key, at) for at in group[::-1]]
                group = by_metric(pairs, lines.metrics, turned=turned)
            found += group[max(skip - passed, 0) : count - passed]
        passed += len(group)
    return found


def _check_known(lines: EntryLines, others: list[dict[str, Any]], column: RunColumn) -> None:
    """Raise ``ValueError`` if no run has a column: what it could be is for the whole index."""
    if column.source == "field" or not (len(lines) or others):
        return
    if not any(values_of(entry, column) for entry in others) and not lines.has(column):
        raise ValueError("no run has the value")


def _known_metrics(names: set[str], lines: EntryLines, others: list[dict[str, Any]]) -> set[str]:
    """Return which of some names are those of metrics."""
    return {
        name
        for name in names
        if any(values_of(entry, RunColumn("metric", name)) for entry in others)
        or lines.has_metric(name)
    }
