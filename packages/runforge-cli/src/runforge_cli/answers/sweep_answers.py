"""What the commands on sweeps print with ``--json``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from runforge_contracts.display import quote
from runforge_contracts.errors import RunForgeError

from runforge_cli.shell.settings import Settings
from runforge_cli.terminal.output import warn

if TYPE_CHECKING:
    from collections.abc import Sequence

    from runforge_contracts.store.layout import StoreLayout
    from runforge_contracts.sweeps.groups import Group
    from runforge_engine.store.sweep_table import SweepTable
    from runforge_engine.sweeps.resolved_plan import ResolvedPlan

#: The status of a sweep whose documents cannot be read.
UNREADABLE = "unreadable"


def planned_document(plan: ResolvedPlan) -> dict[str, Any]:
    """Return the runs that a plan makes."""
    same_as = {item.number: item.same_as for item in plan.duplicates}
    return {
        "dry_run": True,
        "total": len(plan.members),
        "runs": [
            {"member": member.number, "request_overrides": member.overrides}
            for member in plan.members
        ],
        "duplicates": [{"member": number, "same_as": first} for number, first in same_as.items()],
    }


def newest_sweeps(settings: Settings, limit: int) -> tuple[list[SweepTable], int]:
    """Return the newest sweeps, and how many there are; see :func:`tolerant_sweep`."""
    stores, groups = settings.stores(), newest_groups(settings)
    return [tolerant_sweep(group, stores) for group in groups[:limit]], len(groups)


def newest_groups(settings: Settings) -> list[Group]:
    """Return the groups of the workspace by id, the newest first."""
    from runforge_contracts.sweeps.groups import groups_by_id

    groups = [group for store in settings.stores() for group in groups_by_id(store)]
    return sorted(groups, key=lambda group: group.id, reverse=True)


def tolerant_sweep(group: Group, stores: Sequence[StoreLayout]) -> SweepTable:
    """Return a sweep; one that cannot be read is reported, and has a status and nothing else."""
    from runforge_engine.store.sweep_reading import read_sweep
    from runforge_engine.store.sweep_table import SweepTable

    try:
        return read_sweep(group, stores)
    except RunForgeError as error:
        warn_unreadable(group, error)
        return SweepTable({"group_id": group.id, "status": UNREADABLE}, (), ())


def warn_unreadable(group: Group, error: RunForgeError) -> None:
    """Report a sweep that cannot be read."""
    warn(f"The sweep {quote(group.id)} cannot be read: {error.message}")


def groups_document(sweeps: list[SweepTable]) -> dict[str, Any]:
    """Return a list of sweeps."""
    return {"groups": [sweep_entry(sweep) for sweep in sweeps]}


def sweep_entry(sweep: SweepTable) -> dict[str, Any]:
    """Return a sweep as lists have it."""
    best = sweep.best()
    known = {
        "group_id": sweep.group_id,
        "name": sweep.name,
        "created_at": sweep.facts.get("created_at"),
        "state": sweep.status,
        "members": len(sweep.rows),
        "counts": sweep.counts,
        "metric": sweep.metric,
        "best": sweep.value(best[0]) if best else None,
        "best_run_id": best[0].run_id if best else None,
        "best_members": [row.number for row in best],
    }
    return {name: value for name, value in known.items() if value is not None}
