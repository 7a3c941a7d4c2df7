"""The run of an index entry, or the error that says what the index has of a missing run."""

from __future__ import annotations

from typing import Any

from runforge_contracts.display import quote
from runforge_contracts.errors import ErrorCode, Problem, RunForgeError
from runforge_contracts.store.layout import StoreLayout
from runforge_contracts.store.reading import locate_run
from runforge_contracts.store.run import Run

#: Fields of an index entry that are shown for a run whose folder is missing.
_TOLD = (
    *("status", "created_at", "name", "model_family", "preset_id", "label_column"),
    *("model_sha256", "dataset_fingerprint_sha256"),
)


def folder_of(entry: dict[str, Any], store: StoreLayout) -> Run:
    """Return the folder of the run of an index entry.

    Raises
    ------
    RunForgeError
        ``RUN_NOT_FOUND``, with the details from the index, if the folder is missing;
        ``PATH_OUTSIDE_ROOT`` if the path of the entry is outside the workspace.
    """
    path = locate_run(entry, store)
    if path.is_dir():
        return Run(path)
    raise RunForgeError(
        ErrorCode.RUN_NOT_FOUND,
        f"The folder of the run {quote(entry['run_id'])} is missing"
        f" ({quote(entry['run_dir'], 200)}); the index says about it:",
        hint="Put the folder back from a copy. Without it, `latest` and `best` skip the run; its"
        " entry in the index stays as history.",
        path=str(path),
        problems=known_of(entry),
    )


def known_of(entry: dict[str, Any]) -> list[Problem]:
    """Return what an index entry says about a run whose folder is missing."""
    metrics = entry.get("summary", {}).get("final_metrics", {})
    known = {name: entry[name] for name in _TOLD if name in entry} | metrics
    return [Problem(f"{name}: {value}") for name, value in known.items()]


def is_missing_folder(error: RunForgeError) -> bool:
    """Return whether an error says that the index lists a run whose folder is missing."""
    return error.code is ErrorCode.RUN_NOT_FOUND and bool(error.problems)
