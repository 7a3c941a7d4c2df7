"""What the runs of a store have in common, read once for all of them."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from runforge_contracts.errors import RunForgeError
from runforge_contracts.invariants.store_invariants import named_otherwise
from runforge_contracts.store.layout import StoreLayout
from runforge_contracts.store.reading import locate_run, read_index_text

from runforge_engine.provenance.keys import load_public_key
from runforge_engine.store.index_chain import Chain
from runforge_engine.verification.dataset_check import Datasets

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey


class Surroundings:
    """The index, the datasets and the signing key that runs are held against.

    Parameters
    ----------
    store
        The store that the runs belong to; None for a folder that lies in none.
    workspace
        What the paths of datasets begin at.
    public_key
        A PEM file, from a source that is trusted, or the key that was read from one; without a
        signature nothing then passes.
    datasets
        The datasets of the workspace, where those of other runs are looked at as well.

    Raises
    ------
    RunForgeError
        ``KEY_INVALID``, ``FILE_NOT_FOUND`` and ``FILE_UNREADABLE`` for the key.
    """

    def __init__(
        self,
        store: StoreLayout | None,
        workspace: Path,
        public_key: Path | EllipticCurvePublicKey | None = None,
        datasets: Datasets | None = None,
    ) -> None:
        # One that cannot be used is an error of its own.
        self.public_key = (
            load_public_key(public_key) if isinstance(public_key, Path) else public_key
        )
        self.store = store
        self.workspace = workspace
        self.datasets = datasets or Datasets(workspace)
        #: Why the index cannot be read.
        self.problem: RunForgeError | None = None
        #: The raw entries of the index; None where there is none, or none that can be read.
        self.entries: list[dict[str, Any]] | None = None
        #: The bytes that they were read from.
        self.index_text = b""
        if store is not None:
            try:
                index, self.index_text = read_index_text(store)
                self.entries = None if index is None else index["runs"]
            except RunForgeError as error:
                self.problem = error

    @cached_property
    def chain(self) -> Chain:
        """The chain over the index as it is."""
        return Chain(self.entries or ())

    @cached_property
    def places(self) -> dict[str, list[int]]:
        """Where in the index each run stands."""
        places: dict[str, list[int]] = {}
        for number, entry in enumerate(self.entries or ()):
            places.setdefault(entry["run_id"], []).append(number)
        return places

    @cached_property
    def _asked_for(self) -> set[Path]:
        return set() if self.store is None else named_otherwise(self.entries or (), self.store)

    def names_by_id(self, folder: Path) -> bool:
        """Tell whether the name of ``folder`` must be its run's id: in the store, if not asked."""
        in_store = self.store is not None and folder.parent == self.store.runs
        return in_store and folder not in self._asked_for

    def relative(self, folder: Path) -> str:
        """Return ``folder`` as documents name it."""
        return StoreLayout(self.workspace).relative(folder)


def surroundings_of(
    folder: Path,
    stores: Iterable[StoreLayout],
    public_key: Path | EllipticCurvePublicKey | None = None,
) -> Surroundings:
    """Return what belongs to a run folder: the store around it, or one that lists it.

    Parameters
    ----------
    folder
        The run folder, absolute.
    stores
        Where to look for a list that names the folder, if it does not lie in a store.
    public_key
        As for :class:`Surroundings`.
    """
    if isinstance(public_key, Path):
        public_key = load_public_key(public_key)
    if folder.parent.name == "runs":
        root = folder.parents[1]
        return Surroundings(StoreLayout(root.parent, root.name), root.parent, public_key)
    stores = list(stores)
    for store in stores:
        around = Surroundings(store, store.workspace, public_key)
        if any(_lies_at(entry, store, folder) for entry in around.entries or ()):
            return around
    return Surroundings(None, stores[0].workspace if stores else folder.parent, public_key)


def _lies_at(entry: dict[str, Any], store: StoreLayout, folder: Path) -> bool:
    try:
        return folder.samefile(locate_run(entry, store))
    except (OSError, RunForgeError):
        return False
