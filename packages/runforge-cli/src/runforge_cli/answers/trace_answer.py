"""What ``trace`` prints with ``--json``."""

from __future__ import annotations

from typing import Any

from runforge_cli.listing.run_list import trained_in
from runforge_cli.shell.settings import Settings


def trace_answer(settings: Settings, what: str) -> dict[str, Any]:
    """Return the runs that a file or a digest comes from.

    Raises
    ------
    RunForgeError
        The errors of :func:`~runforge_engine.store.lineage.wanted` and
        :func:`~runforge_engine.store.lineage.trace`.
    """
    from msgspec import to_builtins
    from runforge_engine.store.lineage import trace, trace_document, wanted

    sought = wanted(str(settings.located(what)) if what else what)
    document: dict[str, Any] = to_builtins(
        trace_document(trace(sought, trained_in(settings.stores())))
    )
    return document
