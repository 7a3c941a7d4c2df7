"""Point aliases at runs, and remove them: lines that are appended to the history of a store.

Source: specification, section 5.11.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from runforge_contracts.display import quote
from runforge_contracts.errors import ErrorCode, RunForgeError
from runforge_contracts.store.aliases import AliasHistory, name_problem, read_aliases
from runforge_contracts.store.layout import StoreLayout

from runforge_engine.runtime.clock import read_clock
from runforge_engine.store.chained_writer import append_chained, chained
from runforge_engine.store.index_lock import index_lock


def set_alias(
    store: StoreLayout,
    name: str,
    run_id: str,
    *,
    because: str | None = None,
    created_by: str | None = None,
    ids: Sequence[str] = (),
) -> tuple[dict[str, Any], AliasHistory]:
    """Point an alias at a run, and return the line and the history before it.

    An alias that points at the run already gets no line.

    Parameters
    ----------
    store
        The store that has the alias.
    name
        The alias.
    run_id
        The id of the run.
    because
        Why, for the history.
    created_by
        The client.
    ids
        The ids of all runs: an alias cannot be the start of one.

    Raises
    ------
    RunForgeError
        ``USAGE_INVALID`` for a name that an alias cannot have; the errors of
        :func:`~runforge_contracts.store.aliases.read_aliases`; ``STORE_BUSY``,
        ``STORE_NOT_WRITABLE``, ``FILE_UNSAFE``.
    """
    problem = name_problem(name)
    begun = next((known for known in ids if known.startswith(name)), None)
    if problem is None and begun is not None:
        problem = f"the id of the run {quote(begun)} begins so"
    if problem is not None:
        raise RunForgeError(
            ErrorCode.USAGE_INVALID,
            f"{quote(name)} cannot be an alias: {problem}.",
            hint="Such as `production` or `candidate-2`.",
        )
    with index_lock(store):
        history = read_aliases(store)
        known = history.current.get(name)
        if known is not None and known["run_id"] == run_id:
            return known, history
        return _append(store, history, name, run_id, because, created_by), history


def remove_alias(
    store: StoreLayout, name: str, *, because: str | None = None, created_by: str | None = None
) -> tuple[dict[str, Any], AliasHistory]:
    """End an alias by a line without a run, and return the line and the history before it.

    Raises
    ------
    RunForgeError
        ``RUN_NOT_FOUND`` if there is no such alias; otherwise as :func:`set_alias`.
    """
    with index_lock(store):
        history = read_aliases(store)
        if name not in history.current:
            raise RunForgeError(
                ErrorCode.RUN_NOT_FOUND,
                f"There is no alias {quote(name)} in {quote(store.root, 200)}.",
                hint="`runforge alias` lists the aliases.",
            )
        return _append(store, history, name, None, because, created_by), history


def _append(
    store: StoreLayout,
    history: AliasHistory,
    name: str,
    run_id: str | None,
    because: str | None,
    created_by: str | None,
) -> dict[str, Any]:
    entry = {
        "schema_version": "alias.v1",
        "alias": name,
        "run_id": run_id,
        "recorded_at": read_clock().now(),
        "because": because,
        "created_by": created_by,
    }
    entry = {key: value for key, value in entry.items() if value is not None}
    lines = chained(history, [entry], "alias.v1", "The alias")
    append_chained(store.aliases, history, lines)
    return lines[0]
