"""Stop a sweep from another process, by a lock on its plan.

Source: specification, sections 12.7 and 20.9.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from runforge_contracts.display import quote
from runforge_contracts.errors import ErrorCode, RunForgeError
from runforge_contracts.store import layout
from runforge_contracts.store.layout import StoreLayout
from runforge_contracts.sweeps.groups import Group, list_groups

from runforge_engine.pipeline.cancel import PATIENCE, ask_to_end
from runforge_engine.runtime.folder_lock import is_held


def running_sweeps(stores: Sequence[StoreLayout]) -> Iterator[Group]:
    """Yield the sweeps that are being executed, the newest first."""
    for group in sorted(
        (group for store in stores for group in list_groups(store)),
        key=lambda group: group.id,
        reverse=True,
    ):
        if is_held(group.path):
            yield group


def stop_sweep(group: Group, *, patience: float = PATIENCE) -> Group:
    """Ask the process that executes a sweep to end, wait until it has, and return the group.

    Raises
    ------
    RunForgeError
        ``RUN_NOT_RUNNING`` where no process of this machine executes it; the errors of
        :func:`~runforge_engine.pipeline.cancel.ask_to_end`.
    """
    if is_held(group.path) is not True:
        raise RunForgeError(
            ErrorCode.RUN_NOT_RUNNING,
            f"No process of this machine executes the sweep {quote(group.id)}.",
            hint="A sweep on another machine is cancelled there.",
            path=str(group.path),
        )

    def has_ended() -> bool:
        try:
            return Group(group.path).status != "running"
        except RunForgeError:
            return False

    ask_to_end(group.path, layout.PLAN, has_ended, patience)
    return Group(group.path)
