"""A page of the list of runs: for ``runs``, and for programs that ask for it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from runforge_contracts.codec.strict_json import encode_json
from runforge_contracts.errors import ErrorCode, RunForgeError
from runforge_contracts.selection.run_bounds import RunBounds
from runforge_contracts.selection.run_condition import RunCondition, parse_conditions
from runforge_contracts.selection.run_query import RunOrder, RunQuery, with_digests, with_ids
from runforge_contracts.selection.run_values import MISSING, TRAINED
from runforge_contracts.store.aliases import with_aliases

from runforge_cli.answers.sweep_answers import warn_unreadable
from runforge_cli.listing.run_query_list import QueriedList, run_facts
from runforge_cli.listing.run_rows import add_states, kind_of
from runforge_cli.shell.settings import Settings

if TYPE_CHECKING:
    from datetime import datetime

#: The statuses of runs that have ended.
_ENDED = ("succeeded", "failed", "cancelled")
#: What is around the items of an array that is the only member of a document.
_BEFORE, _AFTER = b'{\n  "": [\n', b"\n  ]\n}\n"


class RunChoice(NamedTuple):
    """Which runs are listed, and in which order."""

    where: Sequence[str] = ()
    group: str | None = None
    model: str | None = None
    status: str | None = None
    tag: str | None = None
    dataset: str | None = None
    sort: str | None = None
    since: str | None = None
    before: str | None = None
    name: str | None = None
    #: Bounds of values by name.
    least: Mapping[str, float] = {}
    greatest: Mapping[str, float] = {}
    #: Whether only runs in no sweep are listed.
    ungrouped: bool = False

    def query(self, settings: Settings) -> RunQuery:
        """Return the choice as a query.

        Raises
        ------
        RunForgeError
            ``USAGE_INVALID`` for an invalid condition, time or bound, or for both ``group`` and
            ``ungrouped``; ``DATASET_NOT_FOUND``, ``GROUP_NOT_FOUND``, ``GROUP_AMBIGUOUS``.
        """
        conditions = with_ids(parse_conditions(self.where), settings.places())
        return RunQuery(
            (
                *self._options(settings),
                *with_digests(conditions, [Path.cwd(), settings.folder]),
            ),
            RunOrder() if self.sort is None else RunOrder.parse(self.sort),
        )

    def members(self, settings: Settings) -> dict[str, int] | None:
        """Return the numbers of the members of the sweep by run, if they give the order.

        The runs of a sweep whose ``group.json`` cannot be read have no numbers, which is reported.

        Raises
        ------
        RunForgeError
            ``GROUP_NOT_FOUND``, ``GROUP_AMBIGUOUS``.
        """
        if self.group is None or self.sort is not None:
            return None
        from runforge_contracts.sweeps.groups import find_group

        group = find_group(self.group, settings.stores())
        try:
            rows = group.members()
        except RunForgeError as error:
            warn_unreadable(group, error)
            return None
        return {row.run_id: row.member for row in rows if row.run_id is not None}

    def _options(self, settings: Settings) -> list[RunCondition]:
        """Return the conditions that have an option of their own."""
        found = []
        if self.ungrouped:
            found += self._outside(settings)
        if self.group is not None:
            from runforge_contracts.sweeps.groups import find_group

            found.append(_equal("group", find_group(self.group, settings.stores()).id))
        if self.model is not None:
            found.append(_equal("model", self.model))
        if self.status == "incomplete":
            ended = (*_ENDED, MISSING)
            found += [RunCondition("status", "!=", name, is_quoted=True) for name in ended]
        elif self.status is not None:
            found.append(_equal("status", self.status))
        if self.dataset:
            found.append(_equal("dataset", _digest(settings.located(self.dataset))))
        return found + self._bounds()

    def _outside(self, settings: Settings) -> list[RunCondition]:
        """Return the condition that a run is in no sweep; none if there are no sweeps."""
        if self.group is not None:
            raise RunForgeError(
                ErrorCode.USAGE_INVALID,
                "`ungrouped` lists the runs in no sweep, and `group` those of one.",
                hint="Give one of them.",
            )
        from runforge_contracts.sweeps.groups import groups_by_id

        ids = frozenset(group.id for store in settings.stores() for group in groups_by_id(store))
        if not ids:
            return []
        return [_equal("group", min(ids))._replace(operator="!=", others=ids)]

    def _bounds(self) -> list[RunCondition]:
        bounds = RunBounds(self.name, self.tag, self.since, self.before, self.least, self.greatest)
        return bounds.conditions(_present)


def _present() -> datetime:
    # Late: most lists need no clock.
    from runforge_engine.runtime.clock import read_clock

    return read_clock().instant()


def list_document(
    settings: Settings, choice: RunChoice, *, limit: int = 100, offset: int = 0
) -> dict[str, Any]:
    """Return the chosen runs from ``offset`` on, and how many there are."""
    listed = QueriedList(settings.places(), choice.query(settings), run_facts(settings.folder))
    rows, total = listed.first(limit, choice.members(settings), skip=offset)
    entries = with_aliases(listed.with_settings(rows), settings.stores())
    add_states(entries, settings.folder)
    return {**index_document(entries), "total": total}


def index_document(entries: list[dict[str, Any]]) -> dict[str, Any]:
    """Return an index document of the trained runs, plus the experiment runs if there are any."""
    experiments = [entry for entry in entries if kind_of(entry) != TRAINED]
    trained = [entry for entry in entries if kind_of(entry) == TRAINED]
    document: dict[str, Any] = {"schema_version": "index.v1", "runs": trained}
    return {**document, "experiments": experiments} if experiments else document


class IndexPart(NamedTuple):
    """Some runs of a list as the text of an index document has them."""

    #: How many they are.
    runs: int
    trained: bytes
    experiments: bytes

    @classmethod
    def of(cls, entries: list[dict[str, Any]]) -> IndexPart:
        """Return the part with the runs of some entries."""
        document = index_document(entries)
        return cls(len(entries), _items(document["runs"]), _items(document.get("experiments", [])))


def _items(entries: list[dict[str, Any]]) -> bytes:
    """Return the lines of the items of an array in a document."""
    return encode_json({"": entries})[len(_BEFORE) : -len(_AFTER)] if entries else b""


def index_text(parts: Iterable[IndexPart]) -> Iterator[bytes]:
    """Yield the text of the index document of all runs of some parts, as it is encoded at once."""
    parts = list(parts)
    yield b'{\n  "schema_version": "index.v1",\n  "runs": '
    yield from _array([part.trained for part in parts if part.trained])
    experiments = [part.experiments for part in parts if part.experiments]
    if experiments:
        yield b',\n  "experiments": '
        yield from _array(experiments)
    yield b"\n}\n"


def _array(texts: list[bytes]) -> Iterator[bytes]:
    yield b"[\n" if texts else b"["
    for number, text in enumerate(texts):
        yield b",\n" + text if number else text
    yield b"\n  ]" if texts else b"]"


def _equal(name: str, value: str) -> RunCondition:
    return RunCondition(name, "=", value, is_quoted=True)


def _digest(path: Path) -> str:
    """Return a prefix of a fingerprint, either given literally or computed from a file."""
    dataset = str(path)
    if path.is_file():
        import hashlib

        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    if set(dataset.lower()) <= set("0123456789abcdef"):
        return dataset.lower()
    raise RunForgeError(
        ErrorCode.DATASET_NOT_FOUND,
        "The dataset is neither a file nor a SHA-256.",
        path=dataset,
    )
