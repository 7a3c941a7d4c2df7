"""What the commands on sweeps print with ``--json``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from runforge_contracts.display import quote
from runforge_contracts.errors import RunForgeError

from runforge_cli.shell.settings import Settings
from runforge_cli.terminal.output import warn

if TYPE_CHECKING:
    from runforge_engine.store.sweep_table import SweepTable
    from runforge_engine.sweeps.resolved_plan import ResolvedPlan


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
    """Return the newest sweeps, and how many there are; report those that cannot be read."""
    from runforge_contracts.sweeps.groups import list_groups
    from runforge_engine.store.sweep_reading import read_sweep

    stores = settings.stores()
    groups = [group for store in stores for group in list_groups(store)]
    groups.sort(key=lambda group: group.id)
    sweeps = []
    for group in groups[: -limit - 1 : -1]:
        try:
            sweeps.append(read_sweep(group, stores))
        except RunForgeError as error:
            warn(f"The sweep {quote(group.id)} cannot be read: {error.message}")
    return sweeps, len(groups)


def groups_document(sweeps: list[SweepTable]) -> dict[str, Any]:
    """Return a list of sweeps."""
    return {"groups": [_entry(sweep) for sweep in sweeps]}


def _entry(sweep: SweepTable) -> dict[str, Any]:
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
