"""Reading of the runs of one store: its index, its run folders, and the entry of a run.

Nothing here writes, follows a symbolic link, or trusts a path that it finds in a document.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple

from runforge_contracts.codec.hash_chain import chain_digests
from runforge_contracts.codec.strict_json import parse_json
from runforge_contracts.display import quote
from runforge_contracts.errors import ErrorCode, NotFoundError, RunForgeError
from runforge_contracts.fs.files import read_file
from runforge_contracts.run_ids import is_any_run_id, started
from runforge_contracts.store import layout
from runforge_contracts.store.foreign_index import (
    OWN_FORM,
    EntryProblem,
    IndexFormName,
    form_of,
    read_entry,
)
from runforge_contracts.store.index_entries import IndexedRun, IndexEntries, indexed_run
from runforge_contracts.store.index_form import once
from runforge_contracts.store.layout import LEGACY_STORE, StoreLayout
from runforge_contracts.store.moved_store import is_stray_link
from runforge_contracts.store.removals import place_of, read_removals, removed_runs
from runforge_contracts.store.run import Run
from runforge_contracts.store.summary import model_file
from runforge_contracts.store.view_folders import may_have_views, record_of
from runforge_contracts.validation import validate

#: Largest index that is read: some 400 bytes for each of half a million runs.
MAX_INDEX_BYTES = 256 * 2**20
#: What to do about an index with two versions.
CONFLICT_HINT = (
    "Git left two versions of it: `git checkout --ours` takes that of this branch, and `runforge"
    " store merge` brings the runs of the other one, from a worktree of its branch."
)


class StoreIndex(NamedTuple):
    """The index of a store, as its file has it and in the terms of ``index.v1``."""

    #: ``index.v1``, or the form of another client.
    form: IndexFormName
    #: The bytes that it was read from.
    text: bytes
    #: The document without its entries; None where it is an array of them.
    members: Mapping[str, Any] | None
    #: The entries as the document has them.
    raw_entries: Sequence[Any]
    #: Its entries, oldest first: those of ``index.v1`` as they are, others in its terms.
    entries: Sequence[dict[str, Any]]
    #: Position in the document of each of :attr:`entries`.
    positions: Sequence[int]
    #: Entries of another client that cannot be read.
    problems: tuple[EntryProblem, ...] = ()

    @property
    def document(self) -> Any:
        """The whole document; an array in one of the forms."""
        entries = [*self.raw_entries]
        return entries if self.members is None else {**self.members, "runs": entries}

    @property
    def origin(self) -> str | None:
        """The digest that tells this index from others; None if it has no entry.

        Source: specification, section 14.3.
        """
        entries = self.raw_entries[:1]
        return chain_digests(entries)[1] if entries else None

    @property
    def is_foreign(self) -> bool:
        """Whether it is in the form of another client."""
        return self.form != OWN_FORM

    @property
    def listed(self) -> list[IndexedRun]:
        """The run of each of :attr:`entries`."""
        known = self.entries
        return known.listed if isinstance(known, IndexEntries) else [*map(indexed_run, known)]

    def key(self, run: IndexedRun) -> tuple[str, ...]:
        """Return what no two entries of different runs have in common.

        Engines of other clients give two runs of one second the same id, in folders of their own.
        """
        return (run.run_id, run.run_dir) if self.is_foreign else (run.run_id,)

    def distinct(self) -> list[dict[str, Any]]:
        """Return the entries without repeated runs, of which the first one counts."""
        if not self.is_foreign:
            return once([*self.entries])
        known = zip(reversed(self.listed), reversed(self.entries), strict=True)
        return list({self.key(run): entry for run, entry in known}.values())[::-1]

    def pointer(self, number: int) -> str:
        """Return the JSON Pointer of the entry ``entries[number]``."""
        return self.pointer_at(self.positions[number])

    def pointer_at(self, position: int) -> str:
        """Return the JSON Pointer of the entry at a position in the document."""
        return f"/{position}" if self.members is None else f"/runs/{position}"

    @property
    def is_parsed_later(self) -> bool:
        """Whether its entries are parsed when they are read; it then has the written form."""
        return isinstance(self.raw_entries, IndexEntries)

    def in_parts(self) -> Iterator[dict[str, Any]]:
        """Yield documents that together have all entries; the whole one if it is not large."""
        if isinstance(self.raw_entries, IndexEntries):
            yield from self.raw_entries.in_parts()
        else:
            yield self.document


def read_store_index(store: StoreLayout, *, parse_later: bool = False) -> StoreIndex | None:
    """Return the index of the store, or None if it does not exist.

    Parameters
    ----------
    store
        The store.
    parse_later
        Whether to parse the entries of a large index again each time one is read, see
        :mod:`runforge_contracts.store.index_entries`.

    Raises
    ------
    RunForgeError
        ``INDEX_INVALID`` if it cannot be read.
    """
    data = b""
    try:
        _refuse_link(store.index.parent)
        data = read_file(store.index, max_bytes=MAX_INDEX_BYTES, too_large=ErrorCode.JSON_TOO_LARGE)
        if parse_later and (large := _large_index(data, store)) is not None:
            return large
        raw = parse_json(data, path=str(store.index), max_bytes=MAX_INDEX_BYTES)
        form = form_of(raw, store) or OWN_FORM
        if form == OWN_FORM:
            validate(raw, OWN_FORM, path=str(store.index))
    except NotFoundError:
        return None
    except RunForgeError as error:
        raise RunForgeError(
            ErrorCode.INDEX_INVALID,
            f"The index of the store cannot be read: {error.message}",
            hint=CONFLICT_HINT
            if has_conflict(data)
            else "The run folders are not affected; `runforge index rebuild` makes a new one.",
            path=str(store.index),
            pointer=error.location.pointer,
        ) from error
    found = raw if isinstance(raw, list) else raw["runs"]
    # The entries keep their place among the members.
    members = None if isinstance(raw, list) else {**raw, "runs": ()}
    if form == OWN_FORM:
        entries = own_entries(found, store)
        return StoreIndex(form, data, members, found, entries, range(len(entries)))
    entries, positions, problems = [], list[int](), list[EntryProblem]()
    for position, entry in enumerate(found):
        try:
            entries.append(read_entry(entry, store))
        except RunForgeError as error:
            member = (error.location.pointer or "").removeprefix("/") or None
            problems.append(EntryProblem(position, error.message, member))
        else:
            positions.append(position)
    return StoreIndex(form, data, members, found, entries, positions, tuple(problems))


def _large_index(data: bytes, store: StoreLayout) -> StoreIndex | None:
    """Return a large index in our form, whose entries are parsed later; None for any other."""
    runs = f"{store.relative(store.runs)}/"
    try:
        entries = IndexEntries(data, lambda entry: _is_of_editor(entry, runs))
    except ValueError:
        return None
    members = {"schema_version": OWN_FORM, "runs": ()}
    return StoreIndex(OWN_FORM, data, members, entries, entries, range(len(entries)))


def own_entries(entries: Iterable[dict[str, Any]], store: StoreLayout) -> list[dict[str, Any]]:
    """Return valid entries of an index in our form; those that an editor added, in its terms."""
    runs = f"{store.relative(store.runs)}/"
    return [read_entry(entry, store) if _is_of_editor(entry, runs) else entry for entry in entries]


def has_conflict(data: bytes) -> bool:
    """Return whether Git left two versions of a file in it, because it could not merge them."""
    return b"\n<<<<<<< " in data and b"\n>>>>>>> " in data


def _is_of_editor(entry: dict[str, Any], runs: str) -> bool:
    """Return whether an editor added the entry, whose path of the model starts at the workspace.

    ``runs`` is how such a path begins for every run of the store.
    """
    model, run_dir = entry.get("model_pkl", ""), entry["run_dir"]
    if not model.startswith(runs) or not run_dir.startswith(runs) or ".." in run_dir:
        return False
    found: bool = model.startswith(f"{run_dir}/")
    return found


def _refuse_link(folder: Path) -> None:
    """Raise ``FILE_UNSAFE`` if the folder of an index is a symbolic link."""
    if is_stray_link(folder):
        raise RunForgeError(
            ErrorCode.FILE_UNSAFE,
            f"{quote(folder, 200)} is a symbolic link, which could lead anywhere.",
            path=str(folder),
        )


def read_index(store: StoreLayout) -> list[dict[str, Any]]:
    """Return the entries of the store's index, oldest first; empty without an index.

    Entries of other clients are in the terms of ``index.v1``; those that cannot be read are left
    out. Raises ``INDEX_INVALID`` if the index cannot be read.
    """
    index = read_store_index(store)
    return [] if index is None else [*index.entries]


def run_folders(store: StoreLayout) -> list[Path]:
    """Return the run folders of the store, by name, without links and other folders."""
    return [store.runs / name for name in run_names(store)]


def run_names(store: StoreLayout) -> list[str]:
    """Return the names of the run folders of the store, sorted, without links."""
    runs = store.runs
    try:
        with os.scandir(runs) as found:
            # The type of an entry is returned with its name: no file is read.
            return sorted(
                entry.name
                for entry in found
                if entry.is_dir(follow_symlinks=False) and may_be_run(entry.name, store)
            )
    except FileNotFoundError:
        return []
    except OSError as error:
        raise RunForgeError(
            ErrorCode.FILE_UNREADABLE,
            f"The folder of the runs cannot be read: {error.strerror}.",
            path=str(runs),
        ) from error


def may_be_run(name: str, store: StoreLayout) -> bool:
    """Return whether the folder with this name among the runs of a store may be that of a run.

    Its name could be a run id, or it is a folder of Desktop, which may have any name.
    """
    if is_any_run_id(name):
        return True
    if store.name != LEGACY_STORE or name.startswith(".") or not name.isprintable():
        return False
    return (store.runs / name / layout.RUN).is_file()


def describe(folder: Run, store: StoreLayout) -> dict[str, Any]:
    """Return the index entry of a run, made from its documents.

    Fields for which the run has no value are absent; an incomplete run has no status.
    """
    request, run, result = folder.request or {}, folder.record or {}, folder.result or {}
    config = result.get("effective_config") or {}
    metrics = (result.get("summary") or {}).get("metrics") or run.get("metrics") or {}
    summary: dict[str, Any] = {}
    if "duration_ms" in result:
        summary["duration_ms"] = result["duration_ms"]
    summary["final_metrics"] = {
        name: value for name, value in metrics.items() if not name.startswith("num_")
    }
    device = (run.get("device") or config.get("device") or {}).get("type")
    if device:
        summary["device"] = device
    model_pkl = model_file(run, result)
    created_at = run.get("created_at") or result.get("finished_at") or request.get("created_at")
    entry = {
        "run_id": folder.id,
        "created_at": created_at,
        "name": request.get("name") or folder.id,
        "preset_id": request.get("preset"),
        "status": None if (status := folder.status) == "incomplete" else status,
        "summary": summary,
        "run_dir": store.relative(folder.path),
        "dataset_fingerprint_sha256": (run.get("dataset") or config.get("dataset") or {}).get(
            "fingerprint_sha256"
        ),
        "label_column": run.get("label_column")
        or (request.get("dataset") or {}).get("label_column"),
        "model_pkl": model_pkl,
        "model_family": run.get("model_family") or (request.get("model") or {}).get("family"),
        "model_sha256": run.get("artifact_digests", {}).get(model_pkl, {}).get("sha256"),
        "seed": _seed(run.get("seed", config.get("seed", request.get("seed")))),
        "hyperparameters": _hyperparameters(request, run, config),
        "group_id": group_of(request),
        "rerun_from": parent_of(request),
        "tags": None if folder.request is None else tags_in(request),
    }
    return {key: value for key, value in entry.items() if value is not None}


def group_of(request: dict[str, Any] | None) -> str | None:
    """Return the id of the group of runs that a request names; None if it names none."""
    return _id((request or {}).get("sweep_group_id"))


def parent_of(request: dict[str, Any] | None) -> str | None:
    """Return the id of the run that a request repeats; None if it names none."""
    return _id((request or {}).get("rerun_from"))


def tags_in(document: dict[str, Any] | None) -> list[str]:
    """Return the tags that a request, or the configuration of an experiment, names."""
    tags = (document or {}).get("tags")
    # Another client's document, and that of a failed run, may have anything.
    return [tag for tag in tags if isinstance(tag, str)] if isinstance(tags, list) else []


def _id(value: Any) -> str | None:
    # Another client's document may have any string.
    return value if isinstance(value, str) and is_any_run_id(value) else None


def _seed(value: Any) -> int | None:
    # Another client's document may have any number.
    return value if type(value) is int and 0 <= value < 2**32 else None


def _hyperparameters(
    request: dict[str, Any], run: dict[str, Any], config: dict[str, Any]
) -> dict[str, Any] | None:
    """Return the values that a run used; those of its request if it recorded none."""
    values: dict[str, Any] | None = None
    if "hyperparameters" in run:
        values = {item["name"]: item["value"] for item in run["hyperparameters"]}
    for model in (config.get("model"), request.get("model")):
        if values is None:
            values = (model or {}).get("hyperparameters")
    # What a failed run asked for may be anything.
    return values and {
        name: value for name, value in values.items() if not isinstance(value, dict | list)
    }


def runs_of(stores: Iterable[StoreLayout]) -> list[tuple[dict[str, Any], StoreLayout]]:
    """Return the entry of every run of some stores, with its store, as :func:`list_runs`."""
    return [(entry, store) for store in stores for entry in list_runs(store)]


def list_runs(
    store: StoreLayout, *, trust_index: bool = True, removed: bool = False
) -> list[dict[str, Any]]:
    """Return an index entry for every run of the store, oldest first.

    Runs that are not in the index (made by an older client, still training, or interrupted) are
    described from their documents. A folder whose documents cannot be read is skipped; reading it
    raises the error. A view of a run of another store is left out.

    Parameters
    ----------
    store
        The store to list.
    trust_index
        False: describe every run from its folder, for a store whose index cannot be read.
    removed
        Whether to list runs that were forgotten or archived, too; their entries then have the
        member ``removed``.
    """
    index = read_store_index(store) if trust_index else None
    entries = [] if index is None else index.distinct()
    gone = removed_runs(store)
    ids = {entry["run_id"] for entry in entries} | gone.keys()
    unlisted = [name for name in run_names(store) if name not in ids]
    known = store.known_names(entries) if unlisted else ids
    if gone and removed:
        entries = [*with_removed(entries, gone), *unlisted_removals(store, entries)]
    elif gone:
        entries = [entry for entry in entries if entry["run_id"] not in gone]
    entries = without_views(entries, store)
    # The first index had no status; read it from the run's documents.
    entries = [entry if "status" in entry else _completed(entry, store) for entry in entries]
    for name in unlisted:
        path = store.run_folder(name)
        if name not in known and record_of(path, store) is None:
            with contextlib.suppress(RunForgeError):
                entry = describe(Run(path), store)
                # Its documents may be a copy of those of another run in the list.
                if entry["run_id"] not in known:
                    known.add(entry["run_id"])
                    entries.append(entry)
    # A stable sort by second: runs of one second keep the order of the index.
    return sorted(entries, key=started)


def with_removed(entries: list[dict[str, Any]], gone: Mapping[str, str]) -> list[dict[str, Any]]:
    """Return entries of an index with the member ``removed`` where a run was removed.

    ``gone``: the removed runs, from :func:`~runforge_contracts.store.removals.removed_runs`.
    """
    return [
        {**entry, "removed": gone[entry["run_id"]]} if entry["run_id"] in gone else entry
        for entry in entries
    ]


def unlisted_removals(
    store: StoreLayout, entries: list[dict[str, Any]], kind: str = "trained"
) -> list[dict[str, Any]]:
    """Return entries of removed runs that some entries of an index do not list, from their lines.

    Raises
    ------
    RunForgeError
        As :func:`~runforge_contracts.store.removals.read_removals`.
    """
    listed = {entry["run_id"] for entry in entries}
    return [
        {
            "created_at": line["recorded_at"],
            "run_id": line["run_id"],
            "run_dir": store.relative(place_of(line, store).run_folder(line["run_id"])),
            "summary": {"final_metrics": {}},
            **line.get("listed", {}),
            **({} if kind == "trained" else {"kind": kind}),
            "removed": line["action"],
        }
        for line in read_removals(store).current.values()
        if line["kind"] == kind and line["run_id"] not in listed
    ]


def without_views(entries: list[dict[str, Any]], store: StoreLayout) -> list[dict[str, Any]]:
    """Return the entries of an index without those of views of runs of another store."""
    if not may_have_views(store):
        return entries
    kept = []
    for entry in entries:
        try:
            folder = locate_run(entry, store)
        except RunForgeError:
            folder = None
        if folder is None or record_of(folder, store) is None:
            kept.append(entry)
    return kept


def _completed(entry: dict[str, Any], store: StoreLayout) -> dict[str, Any]:
    """Return an entry of an older client, completed from the run's documents."""
    try:
        return {**describe(Run(locate_run(entry, store)), store), **entry}
    except RunForgeError:
        return entry


def locate_run(entry: dict[str, Any], store: StoreLayout) -> Path:
    """Return the path of the run folder of an index entry.

    Raises
    ------
    RunForgeError
        ``PATH_OUTSIDE_ROOT`` if the entry's path is outside the workspace.
    """
    run_dir = PurePosixPath(entry["run_dir"])
    if ".." in run_dir.parts:
        raise RunForgeError(
            ErrorCode.PATH_OUTSIDE_ROOT,
            f"The index says that a run lies at {quote(run_dir, 200)}, outside the workspace.",
            path=str(store.index),
        )
    path = store.workspace / run_dir
    # Runs of a copied store are still found, even if their paths were absolute.
    return path if path.is_dir() else store.run_folder(entry["run_id"])
