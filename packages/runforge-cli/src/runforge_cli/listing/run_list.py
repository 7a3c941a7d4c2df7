"""List the runs of both kinds, even if the index of a store cannot be read."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from runforge_contracts.codec.strict_json import MAX_BYTES
from runforge_contracts.errors import ErrorCode, RunForgeError
from runforge_contracts.fs.files import read_file
from runforge_contracts.index.newest import newest_runs
from runforge_contracts.store.index_form import Newest
from runforge_contracts.store.layout import REQUEST, ExperimentLayout, Place, StoreLayout
from runforge_contracts.system.system_files import open_without_link

from runforge_cli.listing.run_rows import status_of
from runforge_cli.terminal.output import warn

#: Where JSON has a member of that name, unless it is an empty array.
_SOME_TAGS = re.compile(rb'"tags"\s*:(?!\s*\[\s*\])')
#: A request that is larger is read as a document.
_REQUEST_BYTES = 2**16

if TYPE_CHECKING:
    from pathlib import Path

    from runforge_contracts.store.lookup import AnyRun


class ListedRun(NamedTuple):
    """An entry of a list of runs, with the location of the run."""

    entry: dict[str, Any]
    store: Place

    @property
    def key(self) -> tuple[str, str, str]:
        """A unique key of the run."""
        return self.store.name, self.entry["run_id"], self.entry["run_dir"]

    @property
    def status(self) -> str:
        """The status of the run according to the list."""
        return status_of(self.entry)

    @property
    def fingerprint(self) -> str | None:
        """SHA-256 of the dataset's bytes, if the entry has a valid one."""
        text = str(self.entry.get("dataset_fingerprint_sha256", ""))
        return text if len(text) == 64 and set(text) <= set("0123456789abcdef") else None

    def folder(self) -> AnyRun:
        """Return the run's folder.

        Raises
        ------
        RunForgeError
            ``PATH_OUTSIDE_ROOT`` if the listed path is outside the workspace, ``RUN_NOT_FOUND`` if
            the folder is missing.
        """
        if isinstance(self.store, ExperimentLayout):
            from runforge_contracts.store.experiment_runs import ExperimentRun

            return ExperimentRun(self.store.workspace / self.entry["run_dir"])
        from runforge_contracts.store.missing_folder import folder_of

        return folder_of(self.entry, self.store)


def tags_of(folder: AnyRun) -> list[str]:
    """Return the tags of a run: from its request, or from the configuration of an experiment.

    Raises
    ------
    RunForgeError
        If that document cannot be read.
    """
    from runforge_contracts.store.reading import tags_in
    from runforge_contracts.store.run import Run as TrainedRun

    if isinstance(folder, TrainedRun) and _has_no_tags(folder.path):
        return []
    asked = folder.request if isinstance(folder, TrainedRun) else folder.config
    return tags_in(asked)


def listed_tags(entry: dict[str, Any], place: Place) -> list[str]:
    """Return the tags of a run in a list, of its entry or its folder; none if it cannot be read."""
    if isinstance(place, StoreLayout):
        if isinstance(entry.get("tags"), list):
            return [tag for tag in entry["tags"] if isinstance(tag, str)]
        if _lacks_tags(entry, place):
            return []
    try:
        return tags_of(ListedRun(entry, place).folder())
    except RunForgeError:
        return []


def _lacks_tags(entry: dict[str, Any], store: StoreLayout) -> bool:
    """Return whether the bytes of the request of a run show that it has no tags.

    That takes a tenth of the time of reading the document, and few of many runs have tags.
    """
    run_dir: str = entry["run_dir"]
    if ".." in run_dir:
        return False
    try:
        # No object for the path: there is one for each run of a store.
        descriptor = open_without_link(f"{store.workspace}/{run_dir}/{REQUEST}")
        try:
            found = os.fstat(descriptor)
            is_whole = stat.S_ISREG(found.st_mode) and found.st_size < _REQUEST_BYTES
            text = os.read(descriptor, _REQUEST_BYTES) if is_whole else b""
        finally:
            os.close(descriptor)
    except (OSError, ValueError):
        return False
    # A name may be written with escapes; a document without the usual line is read as a whole.
    return 0 < text.count(b'"tags"') == text.count(b'"tags": []') and b"\\u" not in text


def _has_no_tags(folder: Path) -> bool:
    """Return whether a request has no tags, without parsing it: a filter asks thousands of runs."""
    try:
        text = read_file(folder / REQUEST, max_bytes=MAX_BYTES)
    except RunForgeError:
        return False
    return b"\\u" not in text and _SOME_TAGS.search(text) is None


def described(folder: AnyRun, places: Iterable[Place]) -> ListedRun:
    """Return the list entry of a run folder."""
    from runforge_contracts.store.reading import describe
    from runforge_contracts.store.run import Run as TrainedRun

    places = list(places)
    if isinstance(folder, TrainedRun):
        store = next(place for place in places if isinstance(place, StoreLayout))
        return ListedRun(describe(folder, store), store)
    from runforge_contracts.store.experiment_list import describe_experiment

    experiments = ExperimentLayout(places[0].workspace)
    return ListedRun(describe_experiment(folder, experiments), experiments)


def entries_of(
    place: Place, report: Callable[[str], None] = warn, *, removed: bool = False
) -> list[dict[str, Any]]:
    """Return an entry for every run, oldest first; report an index that cannot be read.

    ``removed``: also for those that were forgotten or archived.
    """
    if isinstance(place, ExperimentLayout):
        from runforge_contracts.store.experiment_list import newest_experiments

        found = newest_experiments(place).entries
        if removed:
            from runforge_contracts.store.reading import unlisted_removals
            from runforge_contracts.store.removals import store_of

            found = [*found, *unlisted_removals(store_of(place), [], "experiment")]
        return found
    from runforge_contracts.store.reading import list_runs

    try:
        return list_runs(place, removed=removed)
    except RunForgeError as error:
        if error.code is not ErrorCode.INDEX_INVALID:
            raise
        report(f"{error.message} Showing the runs found in the run folders.")
        return list_runs(place, trust_index=False, removed=removed)


def newest_in(place: Place, count: int) -> Newest:
    """Return the newest runs of a location, oldest first, and the total number of runs.

    Runs that are missing from the index are described from their folders.
    """
    if isinstance(place, ExperimentLayout):
        from runforge_contracts.store.experiment_list import newest_experiments

        return newest_experiments(place, count)
    newest = newest_runs(place, count)
    if newest is not None:
        return newest
    entries = entries_of(place)
    return Newest(entries[-count:], len(entries))


def runs_in(places: Iterable[Place], *, removed: bool = False) -> list[ListedRun]:
    """Return every run of several locations, the oldest of each first.

    ``removed``: also those that were forgotten or archived.
    """
    return [
        ListedRun(entry, place) for place in places for entry in entries_of(place, removed=removed)
    ]


def trained_in(
    stores: Iterable[StoreLayout], *, removed: bool = False
) -> list[tuple[dict[str, Any], StoreLayout]]:
    """Return the entry of every run of the stores, as :func:`runs_in`."""
    found = runs_in(stores, removed=removed)
    return cast("list[tuple[dict[str, Any], StoreLayout]]", found)
