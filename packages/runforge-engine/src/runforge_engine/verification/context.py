"""The context of a verification, read once for all runs: index, datasets and public key."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from runforge_contracts.errors import RunForgeError
from runforge_contracts.invariants.store_invariants import named_otherwise
from runforge_contracts.store.aliases import AliasHistory, read_aliases
from runforge_contracts.store.chained_lines import ChainedLines
from runforge_contracts.store.index_entries import IndexedRun
from runforge_contracts.store.layout import StoreLayout
from runforge_contracts.store.merges import read_merges
from runforge_contracts.store.reading import StoreIndex, locate_run, read_store_index
from runforge_contracts.store.removals import RemovalRecord, read_removals

from runforge_engine.provenance.keys import load_public_keys
from runforge_engine.store.index_chain import Chain, IndexHead
from runforge_engine.store.other_indexes import OtherIndexes
from runforge_engine.verification.dataset_check import Datasets

if TYPE_CHECKING:
    from runforge_engine.provenance.keys import TrustedKeys


class Surroundings:
    """The index, the datasets and the public key that runs are compared with.

    Parameters
    ----------
    store
        The store of the runs; None for a folder that is in none.
    workspace
        The folder that paths of datasets are relative to.
    public_key
        A PEM file from a trusted source, the key that was read from one, or several of these, any
        of which may have signed; runs without a signature then fail.
    datasets
        The datasets of the workspace, if several verifications share them.
    many
        Whether there may be very many runs, whose entries are then not all in memory.

    Raises
    ------
    RunForgeError
        ``KEY_INVALID``, ``FILE_NOT_FOUND`` and ``FILE_UNREADABLE`` for the key.
    """

    def __init__(
        self,
        store: StoreLayout | None,
        workspace: Path,
        public_key: TrustedKeys | None = None,
        datasets: Datasets | None = None,
        *,
        many: bool = False,
    ) -> None:
        #: The keys any of which may have signed; empty if any key may have.
        #: An unusable key is an error of the caller, not a finding.
        self.public_keys = load_public_keys(public_key)
        self.store = store
        self.workspace = workspace
        self.datasets = datasets or Datasets(workspace, None if store is None else [store])
        #: Why the index cannot be read.
        self.problem: RunForgeError | None = None
        #: The index; None if there is none, or if it cannot be read.
        self.index: StoreIndex | None = None
        #: The history of the aliases, and why it cannot be read.
        self.alias_history = AliasHistory()
        self.alias_problem: RunForgeError | None = None
        #: The record of merges, and why it cannot be read.
        self.merges = ChainedLines()
        self.merge_problem: RunForgeError | None = None
        #: The record of removed runs, and why it cannot be read.
        self.removals = RemovalRecord()
        self.removal_problem: RunForgeError | None = None
        if store is not None:
            try:
                self.removals = read_removals(store)
            except RunForgeError as error:
                self.removal_problem = error
            try:
                self.merges = read_merges(store)
            except RunForgeError as error:
                self.merge_problem = error
            try:
                self.index = read_store_index(store, parse_later=many)
            except RunForgeError as error:
                self.problem = error
            try:
                self.alias_history = read_aliases(store)
            except RunForgeError as error:
                self.alias_problem = error

    def prepare(self) -> None:
        """Find out now what all runs need, so that copies of this process have it."""
        _ = self.positions, self._listed_by_path, self._positions_by_path

    @property
    def entries(self) -> Sequence[dict[str, Any]] | None:
        """The entries of the index; None if there is none, or if it cannot be read."""
        return None if self.index is None else self.index.entries

    @cached_property
    def listed(self) -> list[IndexedRun]:
        """The run of each of :attr:`entries`."""
        return [] if self.index is None else self.index.listed

    @property
    def alias_head(self) -> IndexHead | None:
        """The head of the history of the aliases; None if there never was an alias."""
        entries = self.alias_history.entries
        return Chain(entries).head if entries else None

    @property
    def removal_head(self) -> IndexHead | None:
        """The head of the record of removed runs; None if none was ever removed."""
        entries = self.removals.entries
        return Chain(entries).head if entries else None

    @cached_property
    def chain(self) -> Chain:
        """The digest chain of the current index, whose entries are taken as they are written."""
        return Chain(() if self.index is None else self.index.raw_entries)

    @cached_property
    def other_indexes(self) -> OtherIndexes:
        """The indexes of other stores that can be made from this one."""
        entries = () if self.index is None else self.index.raw_entries
        return OtherIndexes(entries, self.merges.entries)

    @cached_property
    def positions(self) -> dict[str, list[int]]:
        """Positions in :attr:`entries` by run id."""
        return _positions(run.run_id for run in self.listed)

    @cached_property
    def _positions_by_path(self) -> dict[str, list[int]]:
        return _positions(run.run_dir for run in self.listed)

    def positions_of(self, run_id: str, folder: Path) -> list[int]:
        """Return the positions of the entries of a run: by its id, or else by its folder."""
        found = self.positions.get(run_id)
        return found or self._positions_by_path.get(self.relative(folder), [])

    @cached_property
    def _listed_by_path(self) -> set[Path]:
        return set() if self.store is None else named_otherwise(self.listed, self.store)

    def is_received(self, run_id: str, folder: Path) -> bool:
        """Return whether a run came from another store, by its entry in the index."""
        positions = self.positions_of(run_id, folder)
        return any(self.listed[number].origin is not None for number in positions)

    def names_by_id(self, folder: Path) -> bool:
        """Return whether the name of ``folder`` must be the id of its run."""
        in_store = self.store is not None and folder.parent == self.store.runs
        return in_store and folder not in self._listed_by_path

    def relative(self, folder: Path) -> str:
        """Return the path of ``folder`` as it is written in documents."""
        return StoreLayout(self.workspace).relative(folder)


def _positions(names: Iterable[str]) -> dict[str, list[int]]:
    positions: dict[str, list[int]] = {}
    for number, name in enumerate(names):
        positions.setdefault(name, []).append(number)
    return positions


def surroundings_of(
    folder: Path,
    stores: Iterable[StoreLayout],
    public_key: TrustedKeys | None = None,
) -> Surroundings:
    """Return the context for a run folder: the store that it is in, or one that lists it.

    Parameters
    ----------
    folder
        The run folder, absolute.
    stores
        Stores whose indexes are searched for the folder, if it is in none.
    public_key
        As for :class:`Surroundings`.
    """
    public_key = load_public_keys(public_key)
    if folder.parent.name == "runs":
        root = folder.parents[1]
        return Surroundings(StoreLayout(root.parent, root.name), root.parent, public_key)
    stores = list(stores)
    for store in stores:
        around = Surroundings(store, store.workspace, public_key)
        if any(_is_entry_of(entry, store, folder) for entry in around.entries or ()):
            return around
    return Surroundings(None, stores[0].workspace if stores else folder.parent, public_key)


def evaluation_surroundings(
    folder: Path, workspace: Path, public_key: TrustedKeys | None = None
) -> Surroundings:
    """Return the context for the folder of an evaluation: the store that it is in, if any.

    Parameters
    ----------
    folder
        The folder, absolute.
    workspace
        The folder that paths are relative to if it is in no store.
    public_key
        As for :class:`Surroundings`.
    """
    if folder.parent.name == "evaluations":
        root = folder.parents[1]
        return Surroundings(StoreLayout(root.parent, root.name), root.parent, public_key)
    return Surroundings(None, workspace, public_key)


def _is_entry_of(entry: dict[str, Any], store: StoreLayout, folder: Path) -> bool:
    try:
        return folder.samefile(locate_run(entry, store))
    except (OSError, RunForgeError):
        return False
