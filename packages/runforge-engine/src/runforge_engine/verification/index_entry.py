"""Compare the index entry of a run with the run's documents.

Source: specification, sections 5.5 and 14.6.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import Any

from runforge_contracts.display import quote
from runforge_contracts.invariants.checked_folder import CheckedRun
from runforge_contracts.invariants.finding import ABSENT, Finding, same
from runforge_contracts.invariants.store_invariants import entry_findings, origin_finding
from runforge_contracts.store.index_form import ADDED, ADDED_SINCE
from runforge_contracts.store.layout import StoreLayout
from runforge_contracts.store.reading import StoreIndex

#: Fields that every version of the engine writes; those of ADDED are all there, or none is.
_FIELDS = (
    *("run_id", "created_at", "name", "preset_id", "status", "summary", "run_dir"),
    *("dataset_fingerprint_sha256", "label_column", "model_pkl", "model_family", "model_sha256"),
)
#: The package that is recorded in every run of the engine.
_ENGINE = "runforge-engine"


def index_findings(
    run: CheckedRun,
    run_id: str,
    store: StoreLayout,
    index: StoreIndex | None,
    positions: list[int],
) -> Iterator[Finding]:
    """Yield the differences between the index and a run.

    Parameters
    ----------
    run, run_id
        The run, and the id that the index lists it by.
    store
        Its store.
    index
        The store's index, if there is one.
    positions
        Which of its entries have the id of the run.
    """
    file = store.relative(store.index)
    if not positions:
        message = f"The index does not list the run {quote(run_id)}."
        pointer = None if index is None else index.pointer_at(0).rpartition("/")[0]
        yield Finding("index.complete", message, file, pointer, run_id)
        return
    assert index is not None  # noqa: S101 - there are positions in it
    for number in positions[1:]:
        message = f"The run {quote(run_id)} is listed more than once."
        yield Finding("index.once", message, file, f"{index.pointer(number)}/run_id", found=run_id)
    entry, pointer = index.entries[positions[0]], index.pointer(positions[0])
    if "origin" in entry and entry["origin"] == index.origin:
        yield origin_finding(index, positions[0], file, entry["run_id"])
    described = run.index_entry(store)
    lenient = entry_findings(
        entry, store, file, pointer, {run.path: described}, whole=not index.is_foreign
    )
    # Other clients may write fewer fields or other values; the engine writes exactly these.
    exact = list[Finding]()
    if described is not None and _is_of_engine(run) and not index.is_foreign:
        exact = list(_exact(entry, described, run, store, file, pointer))
    reported = tuple(f"{finding.pointer}/" for finding in exact)
    yield from exact
    yield from (one for one in lenient if not f"{one.pointer}/".startswith(reported))


def _is_of_engine(run: CheckedRun) -> bool:
    documents = (run.record, run.result)
    return any(
        _ENGINE in ((document or {}).get("provenance") or {}).get("packages", {})
        for document in documents
    )


def _exact(
    entry: dict[str, Any],
    expected: dict[str, Any],
    run: CheckedRun,
    store: StoreLayout,
    file: str,
    pointer: str,
) -> Iterator[Finding]:
    """Yield the fields of an entry that differ from what the engine writes."""
    added = () if entry.keys().isdisjoint(ADDED) else ADDED
    since = (name for name in ADDED_SINCE if name in entry)
    for name in (*_FIELDS, *added, *since):
        wanted, found = expected.get(name, ABSENT), entry.get(name, ABSENT)
        if same(wanted, found) or (name == "run_dir" and _is_path_of(run, store, found)):
            continue
        message = f"The entry's {name} differs from the run's documents."
        yield Finding("index.entry", message, file, f"{pointer}/{name}", wanted, found)


def _is_path_of(run: CheckedRun, store: StoreLayout, run_dir: str) -> bool:
    """Return whether an absolute path is that of the run, or was before the store was moved."""
    path = PurePosixPath(run_dir)
    if not path.is_absolute():
        return False
    if path.parts[-3:] == (store.name, "runs", run.path.name):
        return True
    try:
        return run.path.samefile(run_dir)
    except OSError:
        return False
