"""Archives in one file, in place of a run: what is in them, as if they were the workspace."""

from __future__ import annotations

import copy
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from runforge_cli.shell.settings import Settings


@contextmanager
def unpacked(settings: Settings, archive: str) -> Iterator[Settings]:
    """Unpack an archive for as long as the context lasts, and return settings that lead there."""
    from runforge_contracts.store.layout import DEFAULT_STORE
    from runforge_engine.archiving.open_archive import opened_archive

    from runforge_cli.process.interruption import unwind
    from runforge_cli.render.work_progress import watch_for

    unwind()  # An interrupt removes what was unpacked.
    name, watch = settings.store_name or DEFAULT_STORE, watch_for(settings)
    with opened_archive(Path(archive), name, watch) as opened:
        inside = copy.copy(settings)
        inside.workspace = str(opened.layout.workspace)
        yield inside


def entries_of(inside: Settings) -> list[dict[str, Any]]:
    """Return the entries of all runs of an unpacked archive, newest first."""
    from runforge_contracts.selection.run_query import RunQuery

    from runforge_cli.listing.run_query_list import QueriedList, run_facts
    from runforge_cli.listing.run_rows import add_states

    listed = QueriedList(inside.places(), RunQuery(), run_facts(inside.folder))
    rows, _ = listed.first(sys.maxsize)
    entries = listed.with_settings(rows)
    add_states(entries, inside.folder)
    return entries
