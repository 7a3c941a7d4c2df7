"""``runforge runs``: the runs of the store."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import click
from runforge_contracts import layout
from runforge_contracts.errors import ErrorCode, RunForgeError
from runforge_contracts.layout import StoreLayout
from runforge_contracts.reading import RunFolder, locate_run, started
from runforge_contracts.rules import LOWER_IS_BETTER, primary_metric
from runforge_contracts.text import format_duration, printable, quote

from runforge_cli.columns import GAP, number, table, terminal_width, width
from runforge_cli.listing import entries_of
from runforge_cli.output import write_json, write_lines
from runforge_cli.settings import Settings, global_options, pass_settings


@click.command("runs", short_help="List the runs of the store.")
@click.option("--limit", type=click.IntRange(1), default=20, help="How many, newest first [20].")
@click.option("--model", metavar="F", help="Only runs of this model family.")
@click.option(
    "--status",
    metavar="S",
    type=click.Choice(["succeeded", "failed", "cancelled", "incomplete"]),
    help="succeeded, failed, cancelled or incomplete.",
)
@click.option("--tag", metavar="T", help="Only runs with this tag.")
@click.option("--dataset", metavar="PATH|SHA", help="Only runs of this dataset.")
@click.option("--sort", metavar="METRIC", default="created", help="created, or a metric.")
@global_options
@pass_settings
def command(
    settings: Settings,
    limit: int,
    model: str | None,
    status: str | None,
    tag: str | None,
    dataset: str | None,
    sort: str,
) -> int:
    """List the runs of the store, newest first, or best first by a metric."""
    found = [(entry, store) for store in settings.stores() for entry in entries_of(store)]
    digest = _digest(dataset) if dataset else None
    chosen = [
        (entry, store)
        for entry, store in found
        if (model is None or entry.get("model_family") == model)
        and (status is None or entry.get("status", "incomplete") == status)
        and (digest is None or entry.get("dataset_fingerprint_sha256", "").startswith(digest))
        and (tag is None or tag in _tags(entry, store))
    ]
    entries = _sorted([entry for entry, _ in chosen], sort)
    shown = entries[:limit]
    if settings.json:
        write_json({"schema_version": "index.v1", "runs": shown})
        return 0
    if not shown:
        folder = printable(str(settings.folder))
        write_lines([f"No runs {'match' if found else 'yet'} in {folder}."])
        return 0
    write_lines(_table(shown, None if sort == "created" else sort))
    if len(entries) > limit:
        write_lines([f"{len(entries) - limit:,} more; --limit {len(entries)} shows all."])
    return 0


def _digest(dataset: str) -> str:
    """Return the start of a fingerprint: the one given, or that of a file."""
    path = Path(dataset)
    if path.is_file():
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    if set(dataset.lower()) <= set("0123456789abcdef"):
        return dataset.lower()
    raise RunForgeError(
        ErrorCode.DATASET_NOT_FOUND,
        "The dataset to look for is neither a file nor a fingerprint.",
        path=dataset,
    )


def _tags(entry: dict[str, Any], store: StoreLayout) -> list[str]:
    """Return the tags of a run, which only its request knows."""
    try:
        document = RunFolder(locate_run(entry, store)).raw(layout.REQUEST)
    except RunForgeError:
        return []
    return list((document or {}).get("tags", ()))


def _sorted(entries: list[dict[str, Any]], sort: str) -> list[dict[str, Any]]:
    newest = sorted(entries, key=started)[::-1]
    if sort == "created":
        return newest
    measured = [entry for entry in newest if sort in _metrics(entry)]
    if entries and not measured:
        known = sorted({name for entry in entries for name in _metrics(entry)})
        raise RunForgeError(
            ErrorCode.USAGE_INVALID,
            f"No run has a metric named {quote(sort)}.",
            hint=f"There are {', '.join(known)}." if known else None,
        )
    sign = 1 if sort in LOWER_IS_BETTER else -1
    rest = [entry for entry in newest if sort not in _metrics(entry)]
    return sorted(measured, key=lambda entry: sign * _metrics(entry)[sort]) + rest


def _metrics(entry: dict[str, Any]) -> dict[str, float]:
    metrics: dict[str, float] = entry.get("summary", {}).get("final_metrics", {})
    return metrics


def _table(entries: list[dict[str, Any]], metric: str | None) -> list[str]:
    """Return the table of runs, with as many columns as the terminal has room for."""
    measured = [primary_metric({"metrics": _metrics(entry)}) for entry in entries]
    names = {chosen[0] for chosen in measured if chosen}
    shown = metric or (names.pop() if len(names) == 1 else None)
    values = [
        _metrics(entry).get(shown) if shown else chosen and chosen[1]
        for entry, chosen in zip(entries, measured, strict=True)
    ]
    durations = [entry.get("summary", {}).get("duration_ms") for entry in entries]
    columns = {
        "run": [entry["run_id"] for entry in entries],
        "status": [entry.get("status", "incomplete") for entry in entries],
        shown or "metric": ["" if value is None else number(value) for value in values],
        "duration": ["" if span is None else format_duration(span) for span in durations],
        "model": [entry.get("model_family", "") for entry in entries],
        "preset": [entry.get("preset_id", "") for entry in entries],
        "label": [entry.get("label_column", "") for entry in entries],
        "name": ["" if _is_unnamed(entry) else entry["name"] for entry in entries],
    }
    columns = {name: cells for name, cells in columns.items() if any(cells)}
    for least in ("label", "preset", "duration", "model", "name", shown or "metric"):
        if _needed(columns) <= terminal_width():
            break
        columns.pop(least, None)
    right = [
        list(columns).index(name) for name in (shown or "metric", "duration") if name in columns
    ]
    rows = [list(row) for row in zip(*columns.values(), strict=True)]
    return table(list(columns), rows, right=right, flexible=len(columns) - 1)


def _is_unnamed(entry: dict[str, Any]) -> bool:
    return bool(entry.get("name", entry["run_id"]) == entry["run_id"])


def _needed(columns: dict[str, list[str]]) -> int:
    """Return the terminal columns that a table takes, where names are cut to a dozen of them."""
    widths = {
        name: max(width(printable(cell)) for cell in (name, *cells))
        for name, cells in columns.items()
    }
    if "name" in widths:
        widths["name"] = min(widths["name"], 12)
    return sum(widths.values()) + len(GAP) * (len(widths) - 1)
