"""``runforge alias``: names that point at runs, with a history."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import click
from runforge_contracts.display import printable, quote, time_text
from runforge_contracts.errors import ErrorCode, RunForgeError
from runforge_contracts.store.aliases import find_aliases, read_aliases

from runforge_cli.shell.completion import complete_alias, complete_run
from runforge_cli.shell.help_page import Command
from runforge_cli.shell.settings import Settings, global_options, pass_settings
from runforge_cli.terminal.output import note, warn, write_json, write_lines
from runforge_cli.terminal.text_layout import table

if TYPE_CHECKING:
    from runforge_contracts.store.layout import StoreLayout


@click.command(
    "alias",
    cls=Command,
    short_help="Point a name at a run, or list these names.",
    examples=(
        "runforge alias production best --because 'best on the data of March'",
        "runforge alias production",
        "runforge alias",
    ),
)
@click.argument("name", required=False, shell_complete=complete_alias)
@click.argument("run", required=False, shell_complete=complete_run)
@click.option("--because", metavar="TEXT", help="Why, for the history.")
@click.option("--remove", is_flag=True, help="End the alias; its history stays.")
@global_options
@pass_settings
def command(
    settings: Settings, name: str | None, run: str | None, because: str | None, remove: bool
) -> int:
    """Point the alias NAME at RUN, show the history of NAME, or list all aliases.

    Every command that takes a run takes an alias: `runforge predict production new.csv`. Pointing
    it at another run adds a line to its history in aliases.jsonl in the store, which signatures
    cover. An alias that is also the name of another run is ambiguous; alias:NAME never is.
    """
    if remove and (name is None or run is not None):
        raise RunForgeError(ErrorCode.USAGE_INVALID, "`--remove` takes the name of an alias alone.")
    if because is not None and run is None and not remove:
        raise RunForgeError(ErrorCode.USAGE_INVALID, "`--because` needs a RUN, or `--remove`.")
    if name is not None and (run is not None or remove):
        return _change(settings, name, run, because)
    if name is None:
        entries = [entry for store in settings.stores() for entry in _current(store).values()]
        if settings.json:
            write_json({"schema_version": "alias_report.v1", "aliases": entries})
        else:
            write_lines(_listed(settings, entries))
        return 0
    history = [entry for store in settings.stores() for entry in read_aliases(store).about(name)]
    if not history:
        raise RunForgeError(
            ErrorCode.RUN_NOT_FOUND,
            f"There is no alias {quote(name)} in {quote(settings.folder, 200)}.",
            hint="`runforge alias` lists the aliases; `runforge alias NAME RUN` makes one.",
        )
    if settings.json:
        current = [alias.entry for alias in find_aliases(name, settings.stores())]
        write_json(_report(current, history))
    else:
        write_lines(_history_lines(history))
    return 0


def _report(current: list[dict[str, Any]], history: list[dict[str, Any]]) -> dict[str, Any]:
    return {"schema_version": "alias_report.v1", "aliases": current, "history": history}


def _current(store: StoreLayout) -> Mapping[str, dict[str, Any]]:
    """Return the aliases of a store, and tell of a line that was not finished."""
    history = read_aliases(store)
    if history.torn:
        warn(
            f"The last line of {printable(str(store.aliases))} was not finished and is left out;"
            " the next change of an alias removes it."
        )
    return history.current


def _change(settings: Settings, name: str, run: str | None, because: str | None) -> int:
    """Point an alias at a run, or remove it where no run is given."""
    from runforge_contracts.store.layout import ExperimentLayout
    from runforge_contracts.store.run_queries import may_be_named
    from runforge_engine.store.alias_writer import remove_alias, set_alias

    from runforge_cli import __version__

    rows = list[dict[str, Any]]()
    store, client = settings.target(), f"runforge-cli@{__version__}"
    settings.note_parent()
    _current(store)
    if run is None:
        entry, before = remove_alias(store, name, because=because, created_by=client)
    else:
        run_id = settings.find_any(run, quiet=True).id
        # The bytes of an index tell in most cases that no run has the name.
        if any(
            isinstance(place, ExperimentLayout) or may_be_named(name, place)
            for place in settings.places()
        ):
            rows = _rows(settings)
        ids = [row["run_id"] for row in rows]
        entry, before = set_alias(store, name, run_id, because=because, created_by=client, ids=ids)
    known = before.current.get(name)
    if settings.json:
        write_json(_report([entry] if run is not None else [], [*before.about(name), entry]))
        return 0
    if run is None:
        write_lines([f"{name} is removed; its history stays."])
    elif known == entry:
        write_lines([f"{name} is {entry['run_id']} already; nothing was recorded."])
    else:
        was = "" if known is None else f" (was {known['run_id']})"
        write_lines([printable(f"{name} is {entry['run_id']}{was}")])
    named = [row["run_id"] for row in rows if row.get("name") == name]
    if run is not None and set(named) - {entry["run_id"]} and not settings.quiet:
        note(
            f"{name} is also the name of {named[0]}: say alias:{name} or name:{name}, because"
            f" {name} alone is ambiguous."
        )
    return 0


def _rows(settings: Settings) -> list[dict[str, Any]]:
    from runforge_cli.listing.run_list import runs_in

    return [row.entry for row in runs_in(settings.places())]


def _listed(settings: Settings, entries: list[dict[str, Any]]) -> Iterator[str]:
    """Yield the table of the aliases, with the name and the metric of each run."""
    if not entries:
        yield "No aliases yet; `runforge alias NAME RUN` makes one."
        return
    from runforge_cli.listing.run_rows import (
        METRIC,
        cells_of,
        common_metric,
        has_folder,
        heading,
    )

    wanted = {entry["run_id"] for entry in entries}
    runs = {row["run_id"]: row for row in _rows(settings) if row["run_id"] in wanted}
    metric = common_metric(runs.values())
    rows = []
    for entry in entries:
        found = runs.get(entry["run_id"])
        is_there = found is not None and has_folder(found, settings.folder)
        cells = cells_of(found, metric) if found is not None and is_there else {}
        since = entry["recorded_at"][:10]
        name = cells.get("name", "its folder is gone")
        rows.append([entry["alias"], entry["run_id"], since, cells.get(METRIC, ""), name])
    titles = ["alias", "run", "since", heading(METRIC, metric), "name"]
    yield from table(titles, rows, right=[3], flexible=4, cut=True)


def _history_lines(history: list[dict[str, Any]]) -> Iterator[str]:
    rows = [
        [
            time_text(entry["recorded_at"]),
            entry.get("run_id", "removed"),
            entry.get("because", ""),
        ]
        for entry in history
    ]
    yield from table(["time", "run", "because"], rows, flexible=2)
