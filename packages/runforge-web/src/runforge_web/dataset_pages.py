"""The list of datasets, and the page of one: what is known of its file, and the runs on it."""

from __future__ import annotations

from itertools import chain
from pathlib import Path
from stat import S_ISREG
from typing import TYPE_CHECKING, Any, NamedTuple

from runforge_cli.answers.list_answer import RunChoice
from runforge_cli.listing.run_list import ListedRun, runs_in
from runforge_cli.listing.run_query_list import QueriedList, run_facts
from runforge_contracts.errors import ErrorCode, NotFoundError, RunForgeError
from runforge_contracts.fs.files import digest_file
from runforge_contracts.index.index_filter import (
    RunGroup,
    entries_of,
    grouped_runs,
    merged_groups,
)
from runforge_contracts.run_ids import started
from runforge_contracts.selection.run_values import RunColumn
from runforge_contracts.store.layout import StoreLayout
from runforge_contracts.store.run import Run
from runforge_contracts.store.summary import RunData, summary_of
from starlette.datastructures import QueryParams

from runforge_web.page_query import page_of, paging_of
from runforge_web.page_rendering import render
from runforge_web.runs_page import RunPage, read_page

if TYPE_CHECKING:
    from collections.abc import Sequence

    from runforge_cli.shell.settings import Settings
    from runforge_contracts.store.layout import Place
    from starlette.datastructures import FormData
    from starlette.requests import Request
    from starlette.responses import Response

#: The newest runs that are listed, those that are asked where the file lay, and those on the page
#: of a run.
_LISTED, _ASKED, _FEW = 100, 20, 10
_DATASET, _DIGITS = RunColumn("field", "dataset"), frozenset("0123456789abcdef")


class RecordedFile(NamedTuple):
    """Where a run read a dataset from."""

    path: str
    run_id: str
    label: str
    #: The commit that was checked out, and whether it had changes.
    commit: str
    #: Whether a file lies there now; its bytes may be others.
    state: str


class UsedDataset(NamedTuple):
    """A dataset that runs used."""

    digest: str
    #: The path that the newest run on it recorded; empty if it recorded none.
    path: str
    label: str
    newest: str
    #: How many runs used it.
    runs: int


def datasets_page(request: Request) -> Response:
    """Answer with a page of the datasets of all runs, those used last first."""
    settings, query = request.app.state.settings, request.query_params
    limit, page = page_of(query)
    places = settings.places()
    groups = _datasets(places)
    shown = groups[(page - 1) * limit : page * limit]
    return render(
        request,
        "datasets.html",
        datasets=_with_files(shown, places),
        total=len(groups),
        paging=paging_of(query, len(groups), len(shown)),
    )


def _datasets(places: Sequence[Place]) -> Sequence[RunGroup]:
    """Return the runs on each dataset, the one used last first."""
    found = [groups for place in places if (groups := _datasets_in(place))]
    return found[0] if len(found) == 1 else merged_groups(chain.from_iterable(found))


def _datasets_in(place: Place) -> Sequence[RunGroup]:
    groups = grouped_runs(place, _DATASET) if isinstance(place, StoreLayout) else None
    if groups is not None:
        return groups
    return merged_groups(
        RunGroup(row.fingerprint, row.entry["run_id"], started(row.entry), 1)
        for row in runs_in([place])
        if row.fingerprint is not None
    )


def _with_files(groups: Sequence[RunGroup], places: Sequence[Place]) -> list[UsedDataset]:
    """Return datasets with the file that the newest run on each recorded."""
    ids = {group.newest for group in groups}
    rows = dict[str, ListedRun]()
    for place in places if ids else ():
        known = entries_of(place, ids) if isinstance(place, StoreLayout) else None
        if known is None:
            known = {row.entry["run_id"]: row.entry for row in runs_in([place])}
        rows |= {run_id: ListedRun(known[run_id], place) for run_id in ids if run_id in known}
    # An index may have anything in the place of a digest.
    return [
        _used(group, rows[group.newest])
        for group in groups
        if group.newest in rows and _is_digest(group.value)
    ]


def _used(group: RunGroup, row: ListedRun) -> UsedDataset:
    try:
        folder = row.folder()
        path = summary_of(folder).data.path if isinstance(folder, Run) else None
    except RunForgeError:
        path = None  # The list shows the run; its documents cannot be read.
    label = str(row.entry.get("label_column") or "")
    return UsedDataset(group.value, path or "", label, group.newest, group.runs)


def dataset_page(request: Request) -> Response:
    """Answer with the runs on a dataset."""
    return _page(request, None)


def inspection_page(request: Request, form: FormData) -> Response:
    """Answer with the same, and the inspection of the dataset's file, if that has its bytes still.

    The place of the file is what a run recorded, and a run may come from elsewhere: so only a file
    whose digest is that of the address is looked into.
    """
    from runforge_engine.data.dataset_inspection import inspect_dataset

    digest, settings = _digest_of(request), request.app.state.settings
    for path, (_, use) in _recorded(settings, digest).items():
        try:
            if digest_file(path).sha256 == digest:
                report, _ = inspect_dataset(str(path), use.label_column, use.exclude_columns or ())
                return _page(request, report)
        except NotFoundError:
            continue
    raise RunForgeError(
        ErrorCode.DATASET_NOT_FOUND,
        "No file with the digest of this dataset is where the runs on it recorded one.",
        hint="It was moved, changed or removed; “Verify” on the page of a run says which.",
    )


def _page(request: Request, inspection: dict[str, Any] | None) -> Response:
    digest, settings = _digest_of(request), request.app.state.settings
    query = QueryParams([("limit", str(_LISTED))])
    found = read_page(settings, query, _runs_on(digest))
    recorded = _recorded(settings, digest).items()
    files = [_file(settings, path, run, use) for path, (run, use) in recorded]
    return render(
        request, "dataset.html", digest=digest, found=found, files=files, inspection=inspection
    )


def runs_beside(settings: Settings, run: Run, digest: str) -> RunPage:
    """Return the newest other runs on the dataset of a run, and how many there are."""
    query = QueryParams([("limit", str(_FEW))])
    choice = RunChoice(where=[f"dataset={digest}", f"run!={run.id}"])
    return read_page(settings, query, choice)


def _file(settings: Settings, path: Path, run: Run, use: RunData) -> RecordedFile:
    try:
        git = ((run.record or {}).get("provenance") or {}).get("git")
    except RunForgeError:
        git = None
    commit = f"{git['commit'][:12]}{' with changes' if git['dirty'] else ''}" if git else ""
    shown = path.relative_to(settings.folder) if path.is_relative_to(settings.folder) else path
    return RecordedFile(
        shown.as_posix(), run.id, use.label_column or "", commit, _state(path, settings)
    )


def _state(path: Path, settings: Settings) -> str:
    """Return whether a file of the workspace is there; other folders are not looked into."""
    if ".." in path.parts or not path.is_relative_to(settings.folder):
        return "outside of the workspace"
    try:
        found = path.lstat()
    except (OSError, ValueError):
        return "not there now"
    return f"{found.st_size:,} bytes now" if S_ISREG(found.st_mode) else "no file now"


def _is_digest(text: str) -> bool:
    return len(text) == 64 and set(text) <= _DIGITS


def _digest_of(request: Request) -> str:
    digest: str = request.path_params["digest"]
    if not _is_digest(digest):
        raise RunForgeError(
            ErrorCode.DATASET_NOT_FOUND, "The address of a dataset ends with its SHA-256."
        )
    return digest


def _runs_on(digest: str) -> RunChoice:
    return RunChoice(where=[f"dataset={digest}"])


def _recorded(settings: Settings, digest: str) -> dict[Path, tuple[Run, RunData]]:
    """Return where the newest runs on a dataset recorded its file, with how one used it."""
    query = _runs_on(digest).query(settings)
    listed = QueriedList(settings.places(), query, run_facts(settings.folder))
    found = dict[Path, tuple[Run, RunData]]()
    for row in listed.first(_ASKED)[0]:
        try:
            folder = row.folder()
            if not isinstance(folder, Run):
                continue
            data = summary_of(folder).data
        except RunForgeError:
            continue  # The list shows it; its documents cannot be read.
        if data.path is not None:
            found.setdefault(settings.folder / data.path, (folder, data))
    return found
