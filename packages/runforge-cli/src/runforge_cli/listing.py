"""Every run that there is, also where the index of a store cannot be read."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

from runforge_contracts.errors import ErrorCode, RunForgeError
from runforge_contracts.layout import StoreLayout
from runforge_contracts.reading import RunFolder, describe, list_runs, locate_run

from runforge_cli.output import warn


class Run(NamedTuple):
    """A run as the list knows it, and the store that it is in."""

    entry: dict[str, Any]
    store: StoreLayout

    @property
    def key(self) -> tuple[str, str, str]:
        """What tells the run from every other one."""
        return self.store.name, self.entry["run_id"], self.entry["run_dir"]

    @property
    def status(self) -> str:
        """How the run ended, as far as the list knows."""
        return str(self.entry.get("status", "incomplete"))

    @property
    def fingerprint(self) -> str | None:
        """SHA-256 of the dataset's bytes, if it is one."""
        text = str(self.entry.get("dataset_fingerprint_sha256", ""))
        return text if len(text) == 64 and set(text) <= set("0123456789abcdef") else None

    def folder(self) -> RunFolder:
        """Return the run's folder.

        Raises
        ------
        RunForgeError
            ``PATH_OUTSIDE_ROOT`` where the list leads out of the workspace.
        """
        return RunFolder(locate_run(self.entry, self.store))


def entries_of(store: StoreLayout, tell: Callable[[str], None] = warn) -> list[dict[str, Any]]:
    """Return an index entry for every run, oldest first; tell where the index is no help."""
    try:
        return list_runs(store)
    except RunForgeError as error:
        if error.code is not ErrorCode.INDEX_INVALID:
            raise
        tell(f"{error.message} Showing what the run folders say.")
        return list_runs(store, trust_index=False)


def described(folder: RunFolder, store: StoreLayout) -> Run:
    """Return a run that was found by its name as the list would have it."""
    return Run(describe(folder, store), store)


def runs_in(stores: Iterable[StoreLayout]) -> list[Run]:
    """Return every run of the stores, the oldest of each first."""
    return [Run(entry, store) for store in stores for entry in entries_of(store)]
