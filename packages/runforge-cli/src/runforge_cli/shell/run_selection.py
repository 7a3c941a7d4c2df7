"""Several runs that one command is about."""

from __future__ import annotations

from collections.abc import Sequence

from runforge_contracts.display import quote
from runforge_contracts.errors import ErrorCode, RunForgeError
from runforge_contracts.store.lookup import AnyRun

from runforge_cli.shell.settings import Settings


def find_runs(settings: Settings, references: Sequence[str], *, least: int) -> list[AnyRun]:
    """Return the runs that ``references`` name, in their order.

    Raises
    ------
    RunForgeError
        ``USAGE_INVALID`` where there are fewer than ``least``, or one is named twice; what
        :func:`~runforge_contracts.store.lookup.find_any_run` raises.
    """
    if len(references) < least:
        raise RunForgeError(
            ErrorCode.USAGE_INVALID,
            "Name two runs at least." if least == 2 else "Name a run.",
            hint="`runforge runs` lists them; `latest` names the last one.",
        )
    found: dict[str, AnyRun] = {}
    for reference in references:
        folder = settings.find_any(reference)
        place = str(folder.path.resolve())
        if place in found:
            raise RunForgeError(
                ErrorCode.USAGE_INVALID,
                f"The run {quote(folder.id)} is named twice.",
                hint="Name each run once.",
            )
        found[place] = folder
    return list(found.values())
