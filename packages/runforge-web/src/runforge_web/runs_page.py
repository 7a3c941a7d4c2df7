"""The list of runs: filtered, sorted and laid out as the address says."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from runforge_cli.answers.list_answer import RunChoice
from runforge_cli.listing.run_columns import (
    cell,
    every_column,
    field,
    holds_numbers,
    named_columns,
    title_of,
)
from runforge_cli.listing.run_query_list import QueriedList, run_facts
from runforge_cli.listing.run_rows import add_states, common_metric, status_of
from runforge_contracts.errors import RunForgeError
from runforge_contracts.index.kept_index import prepare_columns
from runforge_contracts.selection.run_values import (
    RunColumn,
    column_of,
    metric_names,
    varying,
)
from runforge_contracts.store.aliases import with_aliases

from runforge_web.page_query import changed, page_of, paging_of
from runforge_web.page_rendering import render

if TYPE_CHECKING:
    from runforge_cli.shell.settings import Settings
    from starlette.datastructures import QueryParams
    from starlette.requests import Request
    from starlette.responses import Response

#: Columns before and after the metric and the settings in which the runs differ.
_BEFORE = ("name", "status")
_AFTER = ("model", "label", "created", "duration")
#: Most settings that are shown without being asked for.
_SETTINGS = 4
#: From how many runs on the values of columns are found out before a user filters or sorts by
#: them, and those that the other pages and the order by the metric ask for.
_MANY = 5_000
_OF_RUN_PAGES = (field("repeats"), field("dataset"), field("metric"))
#: What another choice of columns leaves out of the address.
_RENEWED = ("column", "page")
STATUSES = ("succeeded", "failed", "cancelled", "running", "interrupted", "incomplete")


class ListHeading(NamedTuple):
    """A heading of the table."""

    title: str
    #: The address that sorts by the column, and how the runs are sorted now.
    address: str
    order: str
    is_numeric: bool


class ShownRun(NamedTuple):
    """A row of the table."""

    run_id: str
    status: str
    cells: list[str]


class RunPage(NamedTuple):
    """A page of the list."""

    headings: list[ListHeading]
    rows: list[ShownRun]
    total: int
    #: Columns that could be shown, by title, with whether they are.
    columns: dict[str, bool]
    #: The same, but for the tags.
    known: Sequence[RunColumn] = ()


def choice_of(query: QueryParams) -> RunChoice:
    """Return which runs an address asks for."""
    where = [text for text in query.getlist("where") if text.strip()]
    if query.get("name"):
        where.append(f"name~{json.dumps(query['name'])}")
    return RunChoice(
        where=where,
        group=query.get("group") or None,
        status=query.get("status") or None,
        tag=query.get("tag") or None,
        since=query.get("since") or None,
        before=query.get("before") or None,
        sort=query.get("sort") or None,
    )


def read_page(settings: Settings, query: QueryParams, choice: RunChoice) -> RunPage:
    """Return the page of the list that an address asks for.

    Raises
    ------
    RunForgeError
        ``USAGE_INVALID`` for an invalid condition, column or number, ``GROUP_NOT_FOUND``,
        ``GROUP_AMBIGUOUS``, ``FILE_UNREADABLE``.
    """
    limit, page = page_of(query)
    asked = choice.query(settings)
    listed = QueriedList(settings.places(), asked, run_facts(settings.folder))
    rows, total = listed.first(limit, choice.members(settings), skip=(page - 1) * limit)
    entries = with_aliases(listed.with_settings(rows), settings.stores())
    names = [name for name in query.getlist("column") if name]
    if "tags" in names:
        listed.with_tags(rows, entries)
    add_states(entries, settings.folder)
    known = every_column(entries)
    columns = named_columns(names, entries) if names else _default_columns(entries)
    metrics = metric_names(entries)
    order, sorted_by = asked.order, column_of(asked.order.name, metrics)
    headings = []
    for column in columns:
        title = column.title(metrics)
        is_sorted = column == sorted_by
        sort = f"-{title}" if is_sorted and not order.turned else title
        headings.append(
            ListHeading(
                title_of(column, metrics),
                changed(query, {"sort": sort, "page": None}),
                ("turned" if order.turned else "sorted") if is_sorted else "",
                holds_numbers(entries, column),
            )
        )
    shown = [
        ShownRun(entry["run_id"], status_of(entry), [cell(entry, column) for column in columns])
        for entry in entries
    ]
    chosen = {column.title(metrics) for column in columns}
    offered = {column.title(metrics): column.title(metrics) in chosen for column in known}
    offered.pop("run", None)
    return RunPage(headings, shown, total, offered | {"tags": "tags" in chosen}, known)


def _default_columns(entries: list[dict[str, Any]]) -> list[RunColumn]:
    """Return the columns of which the runs have values, with the settings that differ."""
    metric = common_metric(entries)
    measured = RunColumn("metric", metric) if metric else field("metric")
    columns = [
        *map(field, _BEFORE),
        measured,
        *varying(entries)[:_SETTINGS],
        *map(field, _AFTER),
    ]
    return [column for column in columns if any(cell(entry, column) for entry in entries)]


def runs_page(request: Request) -> Response:
    """Answer with the list of runs."""
    query, problem = request.query_params, None
    choice = choice_of(query)
    try:
        found = read_page(request.app.state.settings, query, choice)
    except RunForgeError as error:
        # The form stays, so that what was mistyped can be corrected.
        found, problem = RunPage([], [], 0, {}), error
    if found.total > _MANY:
        prepare_columns(request.app.state.settings.stores(), [*found.known, *_OF_RUN_PAGES])
    return render(
        request,
        "runs.html",
        200 if problem is None else 400,
        found=found,
        problem=problem,
        choice=choice,
        conditions=[text for text in query.getlist("where") if text.strip()],
        name=query.get("name", ""),
        statuses=STATUSES,
        chosen=query.getlist("column"),
        kept=[(name, value) for name, value in query.multi_items() if name not in _RENEWED],
        paging=None if problem else paging_of(query, found.total, len(found.rows)),
        is_filtered=any((*choice.where, *choice[1:6], *choice[7:10])),
    )
