"""Find the sweep that an argument or the option ``--group`` names, and read it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from runforge_cli.shell.completion import complete_group
from runforge_cli.shell.settings import Function, Settings

if TYPE_CHECKING:
    from runforge_contracts.store.lookup import AnyRun
    from runforge_contracts.sweeps.groups import Group
    from runforge_engine.store.sweep_table import SweepTable


def find_sweep(settings: Settings, reference: str) -> tuple[Group, SweepTable]:
    """Return the group that ``reference`` names and its table.

    Parameters
    ----------
    settings
        The options of the call.
    reference
        An id, a unique prefix of one, a name, ``latest``, or the path of the group's folder.

    Raises
    ------
    RunForgeError
        ``GROUP_NOT_FOUND``, ``GROUP_AMBIGUOUS``, or the error of a document that cannot be read.
    """
    from runforge_contracts.sweeps.groups import find_group
    from runforge_engine.store.sweep_reading import read_sweep

    stores = settings.stores()
    group = find_group(reference, stores)
    return group, read_sweep(group, stores)


def runs_of(settings: Settings, group: Group, sweep: SweepTable) -> Iterator[AnyRun]:
    """Yield the runs of a sweep that have a folder, the best first."""
    from runforge_engine.store.sweep_reading import find_member

    stores = [group.store, *settings.stores()]
    for row in sweep.ranked():
        found = None if row.run_id is None else find_member(row.run_id, group.id, stores)
        if found is not None:
            yield found[0]


def runs_in_sweep(settings: Settings, reference: str) -> list[AnyRun]:
    """Return the runs of the sweep that ``reference`` names that have a folder, the oldest first.

    Raises
    ------
    RunForgeError
        As :func:`find_sweep`; ``RUN_NOT_FOUND`` if no run of it is here.
    """
    from runforge_contracts.display import quote
    from runforge_contracts.errors import ErrorCode, RunForgeError

    group, sweep = find_sweep(settings, reference)
    found = sorted(runs_of(settings, group, sweep), key=lambda run: run.path.name)
    if not found:
        raise RunForgeError(
            ErrorCode.RUN_NOT_FOUND,
            f"No run of the sweep {quote(group.id)} is here.",
            hint="`runforge runs --all` lists runs that were forgotten or archived, too.",
        )
    return found


def group_option(function: Function) -> Function:
    """Add the option that names a sweep instead of runs."""
    return click.option(
        "--group",
        metavar="GROUP",
        help="The runs of this sweep, instead of RUN.",
        shell_complete=complete_group,
    )(function)
