"""Find the run that was forgotten or archived which a reference names: by its id or its name."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from runforge_contracts.display import quote, quote_some
from runforge_contracts.errors import ErrorCode, RunForgeError
from runforge_contracts.store.layout import Place, StoreLayout
from runforge_contracts.store.reading import read_index
from runforge_contracts.store.reference_text import without_line_end
from runforge_contracts.store.removals import (
    find_removals,
    read_removals,
    removed_run,
    stores_of,
)


def find_removed(
    reference: str, places: Iterable[Place]
) -> list[tuple[dict[str, Any], StoreLayout]]:
    """Return the lines that removed the runs that a reference names, by an id or the start of one.

    If there is none, by their display name.

    Raises
    ------
    RunForgeError
        As :func:`~runforge_contracts.store.removals.read_removals`.
    """
    reference = without_line_end(reference)
    stores = stores_of(places)
    found = find_removals(reference, stores)
    name = reference.removeprefix("name:")
    for store in () if found else stores:
        known = read_removals(store).removals if store.removals.exists() else {}
        removed = {run_id: lines[0] for run_id, lines in known.items()}
        names = {run_id: line.get("listed", {}).get("name") for run_id, line in removed.items()}
        try:
            entries = read_index(store) if removed else []
        except RunForgeError:
            entries = []
        names |= {entry["run_id"]: entry.get("name") for entry in reversed(entries)}
        found += [(line, store) for run_id, line in removed.items() if names[run_id] == name]
    return found


def refuse_removed(reference: str, places: Iterable[Place]) -> None:
    """Raise ``RUN_NOT_FOUND`` with what is known if a reference names removed runs.

    Raises
    ------
    RunForgeError
        As :func:`find_removed`, too.
    """
    removed = find_removed(reference, places)
    if len(removed) == 1:
        raise removed_run(removed[0][0])
    if removed:
        raise RunForgeError(
            ErrorCode.RUN_NOT_FOUND,
            f"{quote(reference)} matches {len(removed):,} runs that were forgotten or archived:"
            f" {quote_some([line['run_id'] for line, _ in removed])}.",
            hint="`runforge show ID` prints what is known of one.",
        )
