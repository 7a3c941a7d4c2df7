"""Which sweep a run belongs to, in words."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from runforge_contracts.errors import RunForgeError
from runforge_contracts.store.layout import DEFAULT_STORE, StoreLayout
from runforge_contracts.store.reading import group_of
from runforge_contracts.store.run import Run

from runforge_cli.terminal.text_layout import plural


class SweepMembership(NamedTuple):
    """The sweep of a run, and its place there."""

    group_id: str
    #: What follows the id in a sentence.
    detail: str

    @property
    def text(self) -> str:
        """The id and the details."""
        return f"{self.group_id}{self.detail}"


def membership_of(run: Run) -> SweepMembership | None:
    """Return the sweep that a run belongs to according to its request, or None."""
    request = run.request or {}
    group_id = group_of(request)
    if group_id is None:
        return None
    member = request.get("sweep_member")
    detail = f", member {member}" if type(member) is int else ""
    others = _others(run, group_id)
    if others is None:
        return SweepMembership(group_id, f"{detail}; the sweep itself is not in this workspace")
    return SweepMembership(group_id, f"{detail}, with {plural(others, 'other member')}")


def _others(run: Run, group_id: str) -> int | None:
    """Return the number of other members, or None if the group is not there or not readable."""
    from runforge_contracts.sweeps.groups import Group  # late: most runs are of no sweep

    store = _store_of(run.path)
    if store is None:
        return None
    # The command line of Desktop keeps runs and groups in different stores.
    for name in dict.fromkeys((store.name, DEFAULT_STORE)):
        path = StoreLayout(store.workspace, name).group_folder(group_id)
        if path.is_symlink() or not path.is_dir():
            continue
        try:
            return max(len(Group(path).members()) - 1, 0)
        except RunForgeError:
            return None
    return None


def _store_of(path: Path) -> StoreLayout | None:
    """Return the store that contains a run folder; None for a folder elsewhere."""
    if path.parent.name != "runs":
        return None
    root = path.parent.parent
    return StoreLayout(root.parent, root.name)
