"""Every run of a store, also where its index cannot be read."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from runforge_contracts.errors import ErrorCode, RunForgeError
from runforge_contracts.layout import StoreLayout
from runforge_contracts.reading import list_runs

from runforge_cli.output import warn


def entries_of(store: StoreLayout, tell: Callable[[str], None] = warn) -> list[dict[str, Any]]:
    """Return an index entry for every run, oldest first; tell where the index is no help."""
    try:
        return list_runs(store)
    except RunForgeError as error:
        if error.code is not ErrorCode.INDEX_INVALID:
            raise
        tell(f"{error.message} Showing what the run folders say.")
        return list_runs(store, trust_index=False)
