"""``runforge runs``: list the runs of the store."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
from runforge_contracts.display import printable, quote
from runforge_contracts.errors import ErrorCode, RunForgeError
from runforge_contracts.store.index_form import Newest
from runforge_contracts.store.layout import Place, StoreLayout

from runforge_cli.listing.run_list import ListedRun, newest_in, runs_in, tags_of
from runforge_cli.listing.run_rows import (
    METRIC,
    TRAINED,
    add_states,
    cells_of,
    common_metric,
    csv_header,
    csv_row,
    heading,
    kind_of,
    metric_of,
    metrics_of,
    models_of,
    newest_first,
    rank,
    status_of,
)
from runforge_cli.render.formula_quoting import REMEDY, guard_formulas, quoting_option
from runforge_cli.shell.settings import Settings, global_options, pass_settings
from runforge_cli.terminal.output import write_csv, write_json, write_lines
from runforge_cli.terminal.text_layout import GAP, fit, table, terminal_width, width

#: Hexadecimal digits of a complete SHA-256.
_DIGITS = 64
#: Maximum width of the name of a metric or a model.
_LONGEST = 20


@click.command("runs", short_help="List the runs of the store.")
@click.option("--limit", type=click.IntRange(1), default=20, help="Maximum number of runs [20].")
@click.option("--model", metavar="F", help="Only runs of this model family.")
@click.option(
    "--status",
    metavar="S",
    type=click.Choice(["succeeded", "failed", "cancelled", "running", "interrupted", "incomplete"]),
    help="succeeded, failed, cancelled, running, interrupted, or incomplete (no result).",
)
@click.option("--tag", metavar="T", help="Only runs with this tag.")
@click.option("--dataset", metavar="PATH|SHA", help="Only runs on this dataset.")
@click.option(
    "--sort", metavar="METRIC", default="created", help="`created` [default] or a metric."
)
@click.option("--csv", "as_csv", is_flag=True, help="Print the runs as CSV (RFC 4180).")
@quoting_option
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
    as_csv: bool,
    quote_formulas: bool,
) -> int:
    """List the runs of the store, newest first, or best first by a metric."""
    if as_csv and settings.json:
        raise RunForgeError(ErrorCode.USAGE_INVALID, "Give either `--csv` or `--json`, not both.")
    digest = _digest(settings.located(dataset)) if dataset else None
    wanted = _wanted(model, status, tag, digest)
    places = settings.places()
    if not wanted and sort == "created":
        pages = [newest_in(place, limit) for place in places]
    else:
        literal = _literal(model, status, tag, digest)
        pages = [_chosen(place, limit, wanted, literal, sort) for place in places]
    total = sum(page.total for page in pages)
    shown = _sorted([entry for page in pages for entry in page.entries], sort)[:limit]
    add_states(shown, settings.folder)
    if as_csv:
        columns = csv_header(shown)
        rows = [csv_row(entry, columns) for entry in shown]
        write_csv(*guard_formulas(columns, rows, quoted=quote_formulas, remedy=REMEDY))
        return 0
    if settings.json:
        write_json(_document(shown))
        return 0
    if not shown:
        folder = printable(str(settings.folder))
        found = any(newest_in(place, 1).total for place in places)
        write_lines([f"No runs {'match' if found else 'yet'} in {folder}."])
        return 0
    write_lines(_table(shown, None if sort == "created" else sort))
    if total > limit:
        write_lines([f"{total - limit:,} more; use --limit {total} to show all."])
    return 0


def _document(entries: list[dict[str, Any]]) -> dict[str, Any]:
    """Return an index document of the trained runs, plus the experiment runs if there are any."""
    experiments = [entry for entry in entries if kind_of(entry) != TRAINED]
    trained = [entry for entry in entries if kind_of(entry) == TRAINED]
    document: dict[str, Any] = {"schema_version": "index.v1", "runs": trained}
    return {**document, "experiments": experiments} if experiments else document


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


def _literal(
    model: str | None, status: str | None, tag: str | None, digest: str | None
) -> dict[str, str] | None:
    """Return the index fields that matching runs have literally, or None if they do not suffice."""
    if tag is not None or status in ("running", "interrupted", "incomplete"):
        return None
    if digest is not None and len(digest) < _DIGITS:
        return None
    fields = {"model_family": model, "status": status, "dataset_fingerprint_sha256": digest}
    return {name: text for name, text in fields.items() if text is not None}


def _chosen(
    place: Place,
    limit: int,
    wanted: list[Callable[[ListedRun], bool]],
    literal: dict[str, str] | None,
    sort: str,
) -> Newest:
    """Return the matching runs of a location, at least the first ``limit``."""
    if literal is not None and isinstance(place, StoreLayout):
        from runforge_contracts.index.index_filter import skim_runs

        page = skim_runs(place, limit, literal, None if sort == "created" else sort)
        if page is not None:
            return page
    entries = [run.entry for run in runs_in([place]) if all(fits(run) for fits in wanted)]
    return Newest(entries, len(entries))


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


def _table(entries: list[dict[str, Any]], metric: str | None) -> list[str]:
    """Return the table of runs, with as many columns as fit the terminal."""
    shown = metric or common_metric(entries)
    cells = [cells_of(entry, shown) for entry in entries]
    for row in cells:
        row["model"] = fit(printable(row["model"]), _LONGEST)
    columns = {name: [row[name] for row in cells] for name in cells[0]}
    if len(set(columns["kind"])) == 1:
        del columns["kind"]
    columns = {name: column for name, column in columns.items() if any(column)}
    for least in ("label", "preset", "duration", "kind", "model", "name", METRIC):
        if _needed(columns, shown) <= terminal_width():
            break
        columns.pop(least, None)
    right = [list(columns).index(name) for name in (METRIC, "duration") if name in columns]
    rows = [list(row) for row in zip(*columns.values(), strict=True)]
    header = [_heading(name, shown) for name in columns]
    return table(header, rows, right=right, flexible=len(columns) - 1, cut=True)


def _heading(column: str, metric: str | None) -> str:
    return fit(printable(heading(column, metric)), _LONGEST)


def _needed(columns: dict[str, list[str]], metric: str | None) -> int:
    """Return the width of a table, in which names are cut to 12 columns."""
    widths = {
        name: max(width(printable(cell)) for cell in (_heading(name, metric), *cells))
        for name, cells in columns.items()
    }
    if "name" in widths:
        widths["name"] = min(widths["name"], 12)
    return sum(widths.values()) + len(GAP) * (len(widths) - 1)
