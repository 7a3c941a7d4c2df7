"""Entries of the list of sweeps that a server keeps, so that thousands are not read each time."""

from __future__ import annotations

import os
from collections import OrderedDict
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from runforge_contracts.run_ids import is_any_run_id
from runforge_contracts.store.layout import GROUP, PLAN, REQUEST, RESULT, RUN

from runforge_cli.answers.sweep_answers import sweep_entry, tolerant_sweep

if TYPE_CHECKING:
    from pathlib import Path

    from runforge_contracts.store.layout import StoreLayout
    from runforge_contracts.sweeps.groups import Group

#: Most sweeps that are kept, and most members of one.
_SWEEPS, _MEMBERS = 2_000, 1_000
#: The statuses of members that follow from the files alone.
_ENDED = frozenset({"succeeded", "failed", "cancelled", "pending"})

#: What changes with a file: device, number, size and the times in nanoseconds; None without one.
_Stamp = tuple[int, int, int, int, int] | None


class KeptSweeps:
    """The entries of sweeps that have ended, each with the stamps of the files it follows from.

    A sweep of which a file has changed since is read again, and so is one that is running, was
    interrupted, or cannot be read.
    """

    def __init__(self) -> None:
        self._kept: OrderedDict[Path, tuple[dict[str, Any], list[str], list[_Stamp]]]
        self._kept = OrderedDict()

    def entry(self, group: Group, stores: Sequence[StoreLayout]) -> dict[str, Any]:
        """Return a sweep as lists have it; one that cannot be read is reported."""
        kept = self._kept.get(group.path)
        if kept is not None:
            entry, files, stamps = kept
            if _stamps(files) == stamps:
                return entry
        # Before the first read, so that what changes in between is seen the next time.
        own = [str(group.path / name) for name in (GROUP, PLAN)]
        before = _stamps(own)
        sweep = tolerant_sweep(group, stores)
        entry = sweep_entry(sweep)
        self._kept.pop(group.path, None)
        if len(sweep.rows) <= _MEMBERS and sweep.rows and sweep.counts.keys() <= _ENDED:
            files = [
                str(store.run_folder(row.run_id) / name)
                for row in sweep.rows
                if row.run_id is not None and is_any_run_id(row.run_id)
                for store in stores
                for name in (REQUEST, RUN, RESULT)
            ]
            self._kept[group.path] = entry, own + files, before + _stamps(files)
            if len(self._kept) > _SWEEPS:
                self._kept.popitem(last=False)
        return entry


def _stamps(files: Sequence[str]) -> list[_Stamp]:
    return [_stamp(file) for file in files]


def _stamp(file: str) -> _Stamp:
    try:
        found = os.lstat(file)
    except OSError:
        return None
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns
