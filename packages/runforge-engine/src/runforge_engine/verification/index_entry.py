"""The entry of a run in the index repeats what the run's documents say.

Source: RunForge guarantees, "Provenance Tracking"; RunForge contract, "Documents and versions".
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import Any

from runforge_contracts.display import quote
from runforge_contracts.invariants.checked_folder import CheckedRun
from runforge_contracts.invariants.finding import ABSENT, Finding, same
from runforge_contracts.invariants.store_invariants import entry_findings
from runforge_contracts.store.layout import StoreLayout

#: What the engine has written into entries since there is an index; later names are not looked at.
_FIELDS = (
    *("run_id", "created_at", "name", "preset_id", "status", "summary", "run_dir"),
    *("dataset_fingerprint_sha256", "label_column", "model_pkl", "model_family", "model_sha256"),
)
#: The package that names itself in every run of the engine.
_ENGINE = "runforge-engine"
_MESSAGE = "The entry is not what the run's documents say."


def listing_findings(
    folder: CheckedRun,
    run_id: str,
    store: StoreLayout,
    entries: list[dict[str, Any]] | None,
    places: list[int],
) -> Iterator[Finding]:
    """Give what is wrong with the listing of a run.

    Parameters
    ----------
    folder
        The run.
    entries
        The index of the store, if there is one.
    places
        Where in it the run stands.
    """
    file = store.relative(store.index)
    if not places:
        message = f"The index does not list the run {quote(run_id)}."
        yield Finding("index.complete", message, file, None if entries is None else "/runs", run_id)
        return
    for number in places[1:]:
        message = "The run is listed again."
        yield Finding("index.once", message, file, f"/runs/{number}/run_id", found=run_id)
    assert entries is not None  # noqa: S101 - there are places in it
    entry, pointer = entries[places[0]], f"/runs/{places[0]}"
    described = folder.index_entry(store)
    told = list(entry_findings(entry, store, file, pointer, {folder.path: described}))
    # Other clients may say less, or say it in their own way; the engine says it in one.
    exact = []
    if described is not None and _is_of_engine(folder):
        exact = list(_exact(entry, described, folder, store, file, pointer))
    named = {finding.pointer for finding in exact}
    yield from exact
    yield from (finding for finding in told if finding.pointer not in named)


def _is_of_engine(folder: CheckedRun) -> bool:
    documents = (folder.record, folder.result)
    return any(
        _ENGINE in ((document or {}).get("provenance") or {}).get("packages", {})
        for document in documents
    )


def _exact(
    entry: dict[str, Any],
    expected: dict[str, Any],
    folder: CheckedRun,
    store: StoreLayout,
    file: str,
    pointer: str,
) -> Iterator[Finding]:
    """Give the fields of an entry that are not what the engine wrote."""
    for name in _FIELDS:
        wanted, found = expected.get(name, ABSENT), entry.get(name, ABSENT)
        if same(wanted, found) or (name == "run_dir" and _same_place(folder, store, found)):
            continue
        yield Finding("index.entry", _MESSAGE, file, f"{pointer}/{name}", wanted, found)


def _same_place(folder: CheckedRun, store: StoreLayout, run_dir: str) -> bool:
    """Tell whether an absolute path leads to the folder, or did before the store was moved."""
    path = PurePosixPath(run_dir)
    if not path.is_absolute():
        return False
    if path.parts[-3:] == (store.name, "runs", folder.path.name):
        return True
    try:
        return folder.path.samefile(run_dir)
    except OSError:
        return False
