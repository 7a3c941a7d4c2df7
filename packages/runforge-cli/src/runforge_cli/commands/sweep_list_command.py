"""``runforge sweep list``: list the sweeps of the workspace."""

from __future__ import annotations

from typing import Any

import click
from runforge_contracts.display import printable, quote
from runforge_contracts.errors import RunForgeError

from runforge_cli.shell.settings import Settings, global_options, pass_settings
from runforge_cli.terminal.output import warn, write_json, write_lines


@click.command("list", short_help="List the sweeps of the workspace.")
@click.option("--limit", type=click.IntRange(1), default=20, help="Maximum number of sweeps [20].")
@global_options
@pass_settings
def command(settings: Settings, limit: int) -> int:
    """List the sweeps of the workspace, newest first."""
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
    if settings.json:
        write_json({"groups": [_entry(sweep) for sweep in sweeps]})
        return 0
    if not sweeps:
        write_lines([f"No sweeps yet in {printable(str(settings.folder))}."])
        return 0
    from runforge_cli.render.sweep_view import list_lines

    write_lines(list_lines(sweeps))
    if len(groups) > limit:
        write_lines([f"{len(groups) - limit:,} more; use --limit {len(groups)} to show all."])
    return 0


def _entry(sweep: Any) -> dict[str, Any]:
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
