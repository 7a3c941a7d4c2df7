"""A page of the list of runs, in the form that ``runs --json`` prints."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from runforge_contracts.display import quote
from runforge_contracts.errors import ErrorCode, RunForgeError

from runforge_cli.listing.run_list import ListedRun, newest_in, runs_in, tags_of
from runforge_cli.listing.run_rows import (
    TRAINED,
    add_states,
    kind_of,
    metric_of,
    metrics_of,
    models_of,
    newest_first,
    rank,
    status_of,
)
from runforge_cli.shell.settings import Settings


def list_document(
    settings: Settings,
    *,
    limit: int = 100,
    offset: int = 0,
    model: str | None = None,
    status: str | None = None,
    tag: str | None = None,
    dataset: str | None = None,
    sort: str = "created",
) -> dict[str, Any]:
    """Return the runs from ``offset`` on, newest first or best first, and how many there are."""
    places = settings.places()
    digest = _digest(settings.located(dataset)) if dataset else None
    wanted = _wanted(model, status, tag, digest)
    if not wanted and sort == "created":
        pages = [newest_in(place, offset + limit) for place in places]
        entries = [entry for page in pages for entry in page.entries]
        total = sum(page.total for page in pages)
    else:
        entries = [run.entry for run in runs_in(places) if all(fits(run) for fits in wanted)]
        total = len(entries)
    shown = _sorted(entries, sort)[offset : offset + limit]
    add_states(shown, settings.folder)
    experiments = [entry for entry in shown if kind_of(entry) != TRAINED]
    return {
        "schema_version": "index.v1",
        "runs": [entry for entry in shown if kind_of(entry) == TRAINED],
        **({"experiments": experiments} if experiments else {}),
        "total": total,
    }


def _wanted(
    model: str | None, status: str | None, tag: str | None, digest: str | None
) -> list[Callable[[ListedRun], bool]]:
    """Return the conditions of the options, the cheap ones first."""
    wanted: list[Callable[[ListedRun], bool]] = []
    if model is not None:
        wanted.append(lambda run: model in models_of(run.entry))
    if status is not None:
        wanted.append(lambda run: _has_status(run, status))
    if digest is not None:
        key = "dataset_fingerprint_sha256"
        wanted.append(lambda run: run.entry.get(key, "").startswith(digest))
    if tag is not None:
        wanted.append(lambda run: tag in _tags(run))
    return wanted


def _has_status(run: ListedRun, status: str) -> bool:
    if status not in ("running", "interrupted"):
        return bool(run.entry.get("status", "incomplete") == status)
    add_states([run.entry], run.store.workspace)
    return status_of(run.entry) == status


def _digest(path: Path) -> str:
    """Return a prefix of a fingerprint, either given literally or computed from a file."""
    dataset = str(path)
    if path.is_file():
        import hashlib

        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    if set(dataset.lower()) <= set("0123456789abcdef"):
        return dataset.lower()
    raise RunForgeError(
        ErrorCode.DATASET_NOT_FOUND,
        "The dataset is neither a file nor a SHA-256.",
        path=dataset,
    )


def _tags(run: ListedRun) -> list[str]:
    """Return the tags of a run, which are read from its folder."""
    try:
        return tags_of(run.folder())
    except RunForgeError:
        return []


def _sorted(entries: list[dict[str, Any]], sort: str) -> list[dict[str, Any]]:
    newest = newest_first(entries)
    if sort == "created":
        return newest
    measured = {id(entry): metric_of(entry, sort) for entry in newest}
    if entries and not any(measured.values()):
        known = sorted({name for entry in entries for name in metrics_of(entry)})
        raise RunForgeError(
            ErrorCode.USAGE_INVALID,
            f"No run has a metric named {quote(sort)}.",
            hint=f"Known metrics: {', '.join(known)}." if known else None,
        )

    def place(entry: dict[str, Any]) -> tuple[bool, float]:
        found = measured[id(entry)]
        return (True, 0.0) if found is None else (False, rank(found[1], sort))

    return sorted(newest, key=place)
