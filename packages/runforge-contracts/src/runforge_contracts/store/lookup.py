"""Find a run of any kind by its id, its name, ``latest``, ``best`` or its path."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from runforge_contracts.display import quote, quote_some
from runforge_contracts.errors import ErrorCode, NotFoundError, RunForgeError
from runforge_contracts.fs.files import line_blocks
from runforge_contracts.run_ids import as_run_id, is_run_id
from runforge_contracts.store import layout
from runforge_contracts.store.aliases import ambiguous
from runforge_contracts.store.evaluations import refuse_evaluation
from runforge_contracts.store.experiment_runs import AnyRun as AnyRun
from runforge_contracts.store.experiment_runs import ExperimentRun, is_experiment_folder
from runforge_contracts.store.layout import LEGACY_STORE, ExperimentLayout, Place, StoreLayout
from runforge_contracts.store.missing_folder import folder_of, is_missing_folder
from runforge_contracts.store.reading import MAX_INDEX_BYTES, read_index, run_names
from runforge_contracts.store.reference_text import without_line_end
from runforge_contracts.store.removals import removed_runs
from runforge_contracts.store.removed_lookup import refuse_removed
from runforge_contracts.store.run import Run
from runforge_contracts.store.run_queries import (
    find_aliased,
    find_named,
    find_queried,
    is_taken,
    may_be_named,
    parse_query,
    refuse_experiment,
)
from runforge_contracts.store.view_folders import (
    may_have_views,
    record_of,
    record_of_path,
    repeated_id,
)

#: How the name of a run's folder begins.
_ID_BEGINS = re.compile(r"[0-9]{4,8}(-[0-9]{0,6}(-[0-9a-f]{0,8})?)?")
#: Predicate for runs that a command accepts.
Takes = Callable[[AnyRun], bool]


def is_trained(run: AnyRun) -> bool:
    """Return whether the run is one that RunForge trained."""
    return isinstance(run, Run)


def has_ended(run: AnyRun) -> bool:
    """Return whether the run has finished."""
    if isinstance(run, Run):
        return run.status != "incomplete"
    return run.status not in (None, "running")


def made(file: str) -> Takes:
    """Return a predicate for trained runs that have a file, or recorded it and lost it."""

    def takes(run: AnyRun) -> bool:
        if not isinstance(run, Run):
            return False
        return (run.path / file).is_file() or file in (run.record or {}).get("artifact_digests", ())

    return takes


def find_any_run(reference: str, places: Sequence[Place], takes: Takes | None = None) -> AnyRun:
    """Return the run that ``reference`` names.

    Parameters
    ----------
    reference
        A run id, a unique prefix of one, ``latest``, an alias, the display name of one trained run
        or of only one that succeeded, ``best``, ``best:METRIC``, ``latest:STATUS``, ``alias:NAME``,
        ``name:TEXT`` or ``tag:TEXT``, or the path of a run folder, relative to the current folder
        or to the workspace. Other clients name a folder otherwise than its run: either name is
        taken. A view stands for the run that it repeats, whose
        :attr:`~runforge_contracts.store.run.Run.view` it then is. A line end after it does not
        count.
    places
        The stores and repositories to search; at least one.
    takes
        Which runs ``latest`` may refer to: the last recorded one that is accepted. If none is,
        ``latest`` is the last one of all, so that the error is about that one.

    Raises
    ------
    RunForgeError
        ``RUN_NOT_FOUND``, also if the folder of the run is missing, or ``RUN_AMBIGUOUS`` with
        the runs that a prefix matches or that have the name.
    """
    reference = without_line_end(reference)
    stores = [place for place in places if isinstance(place, StoreLayout)]
    query = parse_query(reference)
    if query is not None:
        return find_queried(query, places, takes)
    if Path(reference).name != reference:
        return _at(Path(reference), places)
    if reference == "latest":
        return _latest(places, takes)
    named = _folder_named(reference, stores)
    if named is not None:
        return named
    aliased = find_aliased(reference, places)
    if aliased is not None and not any(may_be_named(reference, place) for place in places):
        return aliased  # The usual case, without parsing the index.
    begun = _only_folder(reference, places) if aliased is None else None
    if begun is not None:
        return begun
    trained = _known(stores)
    if reference and not any(name.startswith(reference) for name in trained):
        trained |= _by_documents(stores)
    experiments = {
        str(run_id): ExperimentRun(place.run_folder(str(run_id)))
        for place in places
        if isinstance(place, ExperimentLayout)
        for removed in [removed_runs(place)]
        for run_id in place.ids()
        if str(run_id) not in removed
    }
    known = {**trained, **experiments}
    if aliased is not None and reference not in known:
        return _unambiguous(reference, aliased, known, places)
    if reference and not any(name.startswith(reference) for name in known):
        run = find_named(reference, places)
        if run is not None:
            return run
    return _opened(_match(reference, known, places))


def _unambiguous(
    name: str, aliased: AnyRun, known: Mapping[str, _Known], places: Sequence[Place]
) -> AnyRun:
    """Return the run of an alias; raise ``RUN_AMBIGUOUS`` if another run could be meant."""
    others = {run.path: run_id for run_id, run in known.items() if run_id.startswith(name)}
    try:
        named = find_named(name, places)
        if named is not None:
            others.setdefault(named.path, named.id)
    except RunForgeError as error:
        if not is_missing_folder(error):
            raise ambiguous(name, [f"name:{name}"]) from None
    others.pop(aliased.path, None)
    if others:
        raise ambiguous(name, list(others.values()))
    return aliased


def find_run(reference: str, stores: Sequence[StoreLayout], takes: Takes | None = None) -> Run:
    """Return the trained run that ``reference`` names; as :func:`find_any_run` otherwise."""
    found = find_any_run(reference, stores, takes)
    return found if isinstance(found, Run) else Run(found.path)


def open_run(path: Path) -> AnyRun:
    """Return the run in the folder ``path``, of either kind."""
    return ExperimentRun(path) if is_experiment_folder(path) else Run(path)


def no_runs(place: Place) -> RunForgeError:
    """Return the error for a workspace without runs."""
    return RunForgeError(
        ErrorCode.RUN_NOT_FOUND,
        f"There are no runs in {quote(place.workspace, 200)}.",
        hint="`runforge train DATA --label COLUMN` makes the first one.",
        path=str(place.root),
    )


def no_store(store: StoreLayout) -> RunForgeError:
    """Return the error for a missing store."""
    return RunForgeError(
        ErrorCode.STORE_NOT_FOUND,
        f"There is no store {quote(store.root, 200)}.",
        hint="`runforge train DATA --label COLUMN` makes one with its first run.",
        path=str(store.root),
    )


class _Listed(NamedTuple):
    """A trained run from the index, whose folder may be missing."""

    store: StoreLayout
    entry: dict[str, Any]

    @property
    def path(self) -> Path:
        """The folder that the run should have."""
        # Made only when it is asked for: most of the runs of an index are not.
        run_dir: str = self.entry["run_dir"]
        return self.store.workspace / run_dir


_Known = _Listed | AnyRun


def _opened(known: _Known) -> AnyRun:
    """Return a run; raise ``RUN_NOT_FOUND`` if its folder is missing."""
    return folder_of(known.entry, known.store) if isinstance(known, _Listed) else known


def _run_at(path: Path, view: Path) -> Run:
    """Return the run in a folder, known by a view of it."""
    run = Run(path)
    run.view = view
    return run


def _at(reference: Path, places: Sequence[Place]) -> AnyRun:
    """Return the run in a folder that was given by its path."""
    bases = [Path.cwd(), *dict.fromkeys(place.workspace for place in places)]
    # Normalized: later uses of the path must refer to the same folder.
    paths = [Path(os.path.abspath(base / reference)) for base in bases]  # noqa: PTH100
    for path in paths:
        if path.is_dir():
            record = record_of_path(path)
            return open_run(path) if record is None else _run_at(record, path)
    stores = [place for place in places if isinstance(place, StoreLayout)]
    for known in _known(stores).values():
        if isinstance(known, _Listed) and known.path in paths:
            return folder_of(known.entry, known.store)
    raise RunForgeError(
        ErrorCode.RUN_NOT_FOUND,
        f"There is no run folder {quote(reference, 200)}, here or in"
        f" {quote(places[0].workspace, 200)}.",
        hint="`runforge runs` lists the runs; `latest` is the newest one.",
    )


def _latest(places: Sequence[Place], takes: Takes | None) -> AnyRun:
    from runforge_contracts.store.latest import latest_runs  # late: most runs are named otherwise

    last = None
    for run in latest_runs(places):
        if takes is None or is_taken(run, takes):
            return run
        last = last or run
    if last is not None:
        return last
    stores = [place for place in places if isinstance(place, StoreLayout)]
    for known in _known(stores).values():
        return _opened(known)  # It is missing, like all of them.
    raise no_runs(places[0])


def _folder_named(run_id: str, stores: Sequence[StoreLayout]) -> Run | None:
    """Return the run in the folder whose name is a complete run id, or None; no index is read.

    An empty folder is skipped: it may only reserve the id of a run in another folder.
    """
    if is_run_id(run_id):
        for store in reversed(stores):
            if run_id in removed_runs(store):
                continue
            path = store.run_folder(run_id)
            if path.is_dir() and not path.is_symlink() and os.listdir(path):  # noqa: PTH208
                record = record_of(path, store)
                return Run(path) if record is None else _run_at(record, path)
    return None


def _only_folder(digits: str, places: Sequence[Place]) -> Run | None:
    """Return the run of the only folder whose name begins so, or None if others could be meant.

    Nothing in the bytes of an index may begin so but the id and the folder of that run: then the
    index need not be parsed.
    """
    if not _ID_BEGINS.fullmatch(digits):
        return None
    stores = [place for place in places if isinstance(place, StoreLayout)]
    if any(place.name == LEGACY_STORE or may_have_views(place) for place in stores):
        return None
    found = [name for store in stores for name in _beginning(digits, store)]
    found += [
        str(run_id)
        for place in places
        if isinstance(place, ExperimentLayout)
        for run_id in place.ids()
        if str(run_id).startswith(digits)
    ]
    if len(found) != 1:
        return None
    for store in stores:
        try:
            for lines in line_blocks(store.index, max_bytes=MAX_INDEX_BYTES):
                if _may_name_another(lines, digits.encode(), found[0].encode()):
                    return None
        except NotFoundError:
            continue
        except RunForgeError:
            return None
    return _folder_named(found[0], stores)


def _may_name_another(lines: bytes, digits: bytes, name: bytes) -> bool:
    """Return whether lines of an index may have something else that begins so than a run."""
    if b"\\" in lines:
        return True  # Anything could be written with escapes.
    return digits in lines and any(
        lines.count(before + digits) != lines.count(before + name + b'"') for before in (b'"', b"/")
    )


def _beginning(digits: str, store: StoreLayout) -> list[str]:
    """Return what begins so in the folder of the runs; nothing if it cannot be read."""
    try:
        names = os.listdir(store.runs)  # noqa: PTH208 - names are enough, and ten times as fast
    except OSError:
        return []
    return [name for name in names if name.startswith(digits)]


def _known(stores: Iterable[StoreLayout]) -> dict[str, _Known]:
    """Return every trained run by its id and by the name of its folder."""
    return {name: known for store in stores for name, known in _known_in(store)}


def _known_in(store: StoreLayout) -> Iterator[tuple[str, _Known]]:
    """Yield the runs of a store by name, from the index and from the folders; the last counts."""
    try:
        entries = read_index(store)
    except RunForgeError:
        entries = []
    removed = removed_runs(store)
    entries = [entry for entry in entries if entry["run_id"] not in removed]
    listed = {entry["run_id"] for entry in entries} | removed.keys()
    has_views, runs = may_have_views(store), f"{store.relative(store.runs)}/"
    ids, aliases = list[tuple[str, _Known]](), list[tuple[str, _Known]]()
    for entry in reversed(entries):  # The first of two entries of a run counts.
        known: _Known = _Listed(store, entry)
        if has_views or entry["run_dir"] != runs + entry["run_id"]:
            path = known.path
            record = record_of(path, store) if has_views else None
            if record is not None:
                known = _run_at(record, path)
            if path.parent == store.runs and path.name not in listed:
                listed.add(path.name)
                aliases.append((path.name, known))
        if isinstance(known, _Listed):
            ids.append((entry["run_id"], known))
    yield from aliases
    yield from ids
    for name in run_names(store):
        if name not in listed:
            path = store.run_folder(name)
            record = record_of(path, store)
            yield name, Run(path) if record is None else _run_at(record, path)


def _by_documents(stores: Iterable[StoreLayout]) -> dict[str, Run]:
    """Return the runs whose documents have another id than the name of their folder, by that id.

    Such runs are those of older clients in ``.ml``, and they may be in no index.
    """
    found = {}
    for store in stores:
        for name in run_names(store) if store.name == LEGACY_STORE else ():
            path = store.run_folder(name)
            run_id = repeated_id(path) or as_run_id(name)
            if run_id != name and record_of(path, store) is None:
                found[run_id] = Run(path)
    return found


def _match(reference: str, ids: Mapping[str, _Known], places: Sequence[Place]) -> _Known:
    """Return the run whose name is ``reference``, or the only one with a name that starts so.

    Parameters
    ----------
    reference
        A name, or the start of one.
    ids
        Every run, by each of its names.
    places
        Where they were searched, for the error.
    """
    place = places[0]
    named = {run.path: run_id for run_id, run in ids.items() if run_id.startswith(reference)}
    matches = list(named.values()) if reference else []
    if reference in ids:
        matches = [reference]
    if len(matches) == 1:
        return ids[matches[0]]
    if matches:
        raise RunForgeError(
            ErrorCode.RUN_AMBIGUOUS,
            f"{quote(reference)} matches {len(matches)} runs: {quote_some(matches)}.",
            hint="Give more of the id.",
        )
    if reference:
        refuse_removed(reference, places)
        refuse_experiment(reference, places)
        stores = [place for place in places if isinstance(place, StoreLayout)]
        refuse_evaluation(reference, stores)
    beside = _folder_beside(reference)
    if not ids and beside is None:
        raise no_runs(place)
    raise RunForgeError(
        ErrorCode.RUN_NOT_FOUND,
        f"There is no run {quote(reference)} in {quote(place.workspace, 200)}.",
        hint=beside or "`runforge runs` lists them; `latest` is the newest one.",
    )


def _folder_beside(name: str) -> str | None:
    """Return a hint if the current folder has a run folder with a name."""
    try:
        files = set(os.listdir(name)) if name else set()  # noqa: PTH208 - only names
    except (OSError, ValueError):
        return None
    if files.isdisjoint((layout.REQUEST, layout.RUN, layout.RESULT, layout.CONFIG)):
        return None
    path = quote(f"./{name}", 200)
    return f"{path} is a run folder outside of a store; name it by that path."
