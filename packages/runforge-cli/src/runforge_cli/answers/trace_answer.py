"""What ``trace`` prints with ``--json``."""

from __future__ import annotations

from typing import Any

from runforge_contracts.display import quote
from runforge_contracts.errors import ErrorCode, RunForgeError
from runforge_contracts.store.lookup import AnyRun

from runforge_cli.listing.run_list import described, trained_in
from runforge_cli.shell.settings import Settings

#: Errors on an argument that may be a run.
_MAY_BE_RUN = (
    *(ErrorCode.FILE_NOT_FOUND, ErrorCode.FILE_UNSAFE, ErrorCode.FILE_UNREADABLE),
    *(ErrorCode.USAGE_INVALID, ErrorCode.RUN_NOT_FOUND),
)


def trace_answer(settings: Settings, what: str, limit: int | None = None) -> dict[str, Any]:
    """Return the runs that a file or a digest comes from, or the lineage of a run.

    A file goes before a digest, and a digest before a run. With a limit only that many runs that a
    file comes from are described.

    Raises
    ------
    RunForgeError
        The errors of :func:`~runforge_engine.store.lineage.wanted` and
        :func:`~runforge_engine.store.lineage.trace`; those of
        :func:`~runforge_contracts.store.lookup.find_any_run`, but ``FILE_NOT_FOUND`` where it is
        neither.
    """
    from msgspec import to_builtins
    from runforge_contracts.lineage.run_family import RunFamilies
    from runforge_contracts.shared_work import usable_cores
    from runforge_engine.store.lineage import (
        find_listed,
        lineage_document,
        trace,
        trace_document,
        wanted,
    )

    from runforge_cli.render.work_progress import watch_for

    try:
        sought = wanted(str(settings.located(what)) if what else what)
        stores = settings.stores()
        families = RunFamilies(stores)  # Read before there are many matches in memory.
        found = trace(sought, find_listed(sought, stores) or trained_in(stores, removed=True))
    except RunForgeError as error:
        if error.code not in _MAY_BE_RUN:
            raise
        run, places = _run(settings, what, error), settings.places()
        families = RunFamilies(places)
        family = families.family(run.id, described(run, places))
        document = lineage_document(family, families)
    else:
        document = trace_document(
            found,
            families,
            limit=limit,
            jobs=usable_cores(),
            watch=watch_for(settings),
        )
    answer: dict[str, Any] = to_builtins(document)
    return answer


def _run(settings: Settings, what: str, error: RunForgeError) -> AnyRun:
    """Return the run that an argument names; raise ``error`` if it names none."""
    try:
        return settings.find_any(what, quiet=True)
    except RunForgeError as other:
        if other.code is not ErrorCode.RUN_NOT_FOUND or other.problems or what == "latest":
            raise
        if error.code is not ErrorCode.FILE_NOT_FOUND:
            raise error from None
    raise RunForgeError(
        ErrorCode.FILE_NOT_FOUND,
        f"{quote(what, 200)} is neither a file nor a SHA-256, nor a run.",
        hint="Name a model, a dataset, the digits of a digest, or a run.",
        path=what,
    )
