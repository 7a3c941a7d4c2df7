"""Resolve the run arguments of commands that take several runs."""

from __future__ import annotations

from collections.abc import Sequence

from runforge_contracts.display import quote
from runforge_contracts.errors import ErrorCode, RunForgeError
from runforge_contracts.store.lookup import AnyRun
from runforge_contracts.store.missing_folder import is_missing_folder

from runforge_cli.shell.settings import Settings


def find_runs(
    settings: Settings,
    references: Sequence[str],
    *,
    least: int,
    lost: list[RunForgeError] | None = None,
    strict: bool = False,
) -> list[AnyRun]:
    """Return the runs that ``references`` name, in the same order.

    Parameters
    ----------
    settings
        The options of the call.
    references
        What names the runs.
    least
        How many there must be.
    lost
        Where the errors on runs whose folder is missing are added, if there are others; such a run
        is an error without it.
    strict
        Whether a name of several runs is refused also if only one of them succeeded.

    Raises
    ------
    RunForgeError
        ``USAGE_INVALID`` if there are fewer than ``least``, or a run is named twice; the errors of
        :func:`~runforge_contracts.store.lookup.find_any_run`.
    """
    if len(references) < least:
        raise RunForgeError(
            ErrorCode.USAGE_INVALID,
            "Name at least two runs." if least == 2 else "Name a run.",
            hint="`runforge runs` lists them; `latest` is the newest one.",
        )
    found: dict[str, AnyRun] = {}
    for reference in references:
        try:
            folder = settings.find_any(reference, strict=strict)
        except RunForgeError as error:
            if lost is None or not is_missing_folder(error):
                raise
            lost.append(error)
            continue
        path = str(folder.path.resolve())
        if path in found:
            raise RunForgeError(
                ErrorCode.USAGE_INVALID,
                f"The run {quote(folder.id)} is named twice.",
                hint="Name each run once.",
            )
        found[path] = folder
    if lost and not found:
        raise lost[0]
    return list(found.values())
