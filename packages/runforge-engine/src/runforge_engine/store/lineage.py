"""Find the runs that made or used a model, a dataset or another file, by its digest.

The index is searched first, then the documents of the runs. Older clients recorded no digest of the
model: for their runs the model file is hashed, but never loaded. The documents on runs also say
which ones they repeat, and by which they are repeated.

Source: specification, section 5.8.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import Any, Literal

import msgspec
from runforge_contracts.codec.strict_json import MAX_BYTES
from runforge_contracts.display import quote
from runforge_contracts.errors import ErrorCode, NotFoundError, RunForgeError
from runforge_contracts.fs.files import digest_file, read_file
from runforge_contracts.index.index_filter import entries_with
from runforge_contracts.lineage.rerun_step import step_between
from runforge_contracts.lineage.run_family import RunFamilies, RunFamily
from runforge_contracts.run_ids import started
from runforge_contracts.shared_work import WorkWatch, in_processes, unwatched
from runforge_contracts.store import layout
from runforge_contracts.store.experiment_runs import ExperimentRun
from runforge_contracts.store.layout import ExperimentLayout, Place, StoreLayout
from runforge_contracts.store.reading import group_of, locate_run, with_removed
from runforge_contracts.store.removals import removed_runs
from runforge_contracts.store.run import Run
from runforge_contracts.store.summary import summarize
from runforge_contracts.types import GitState, TracedDataset, TracedRun, TraceV1

#: Minimum number of hexadecimal digits for a lookup.
MIN_PREFIX = 8

#: Documents that other clients write in forms of their own, and how a run gives them.
_OF_ANY_CLIENT = {layout.REQUEST: "request", layout.RUN: "record", layout.RESULT: "result"}

Kind = Literal["model_sha256", "dataset_fingerprint_sha256", "model_content_sha256", "artifact"]


@dataclass(frozen=True, slots=True)
class Wanted:
    """The digest to search for."""

    #: A SHA-256 in lowercase hexadecimal digits, or the start of one.
    digest: str
    #: Size of the file that was hashed, if the argument was a file.
    size: int | None = None

    def fits(self, digest: object) -> bool:
        """Return whether ``digest``, taken from a document, matches."""
        return isinstance(digest, str) and digest.startswith(self.digest)


class Listed:
    """A run as described by its index entry or its folder; its documents are read on demand."""

    def __init__(self, entry: dict[str, Any], store: StoreLayout) -> None:
        self.entry = entry
        self.store = store

    @cached_property
    def folder(self) -> Run | None:
        """The run's folder; None if it is missing."""
        try:
            path = locate_run(self.entry, self.store)
        except RunForgeError:
            return None
        return Run(path) if path.is_dir() and not path.is_symlink() else None

    def forget(self) -> None:
        """Give up the documents that were read, of which many runs would have many."""
        self.__dict__.pop("folder", None)

    def may_mention(self, digits: str) -> bool:
        """Return whether the record or the manifest may have a digest that begins with ``digits``.

        The bytes of the files tell, in a tenth of the time needed to parse them.
        """
        if self.folder is None:
            return False
        try:
            texts = [
                read_file(self.folder.path / name, max_bytes=MAX_BYTES)
                for name in (layout.MANIFEST, layout.RUN)
            ]
        except RunForgeError:
            return True  # Another client's run, or one that did not end, has other documents.
        # An escape could stand for a digit.
        return any(digits.encode() in text or b"\\u" in text for text in texts)

    def document(self, file: str) -> dict[str, Any]:
        """Return a document of the run; empty if it is missing or unreadable."""
        try:
            if self.folder is None:
                return {}
            if file in _OF_ANY_CLIENT:
                found: dict[str, Any] | None = getattr(self.folder, _OF_ANY_CLIENT[file])
                return found or {}
            return self.folder.content(file) or {}
        except RunForgeError:
            return {}

    def dataset(self) -> dict[str, Any]:
        """Return the path and the fingerprint of the run's dataset, as far as they are recorded."""
        documents = (self.document(name) for name in (layout.REQUEST, layout.RUN, layout.RESULT))
        data = summarize(*documents).data
        known = {"path": data.path, "fingerprint_sha256": data.fingerprint_sha256}
        return {name: value for name, value in known.items() if value is not None}


class ListedExperiment:
    """An experiment run, with what is asked of a :class:`Listed`."""

    def __init__(self, entry: dict[str, Any], store: ExperimentLayout) -> None:
        self.entry = entry
        self.store = store
        self.folder = ExperimentRun(store.run_folder(entry["run_id"]))

    def document(self, file: str) -> dict[str, Any]:
        """Return the configuration instead of the request, and of other documents nothing."""
        try:
            return (self.folder.config or {}) if file == layout.REQUEST else {}
        except RunForgeError:
            return {}

    def dataset(self) -> dict[str, Any]:
        """Return the dataset as the configuration names it."""
        return {"path": self.entry["dataset"]} if "dataset" in self.entry else {}


@dataclass(frozen=True, slots=True)
class Trace:
    """A run that made or used the file with the digest."""

    run: Listed
    matched: Kind
    #: The full digest.
    sha256: str
    #: The file, relative to the run folder; None for a dataset, whose path the documents have.
    path: str | None


def wanted(argument: str) -> Wanted:
    """Return the digest for ``argument``: a file to hash, or the digits of a digest.

    Raises
    ------
    RunForgeError
        ``FILE_NOT_FOUND`` if it is neither, ``FILE_UNSAFE`` for a symbolic link or a device,
        ``FILE_UNREADABLE``, ``USAGE_INVALID`` if there are too few digits.
    """
    try:
        if argument:  # The empty path would be the current folder.
            return Wanted(*digest_file(Path(argument)))
    except NotFoundError:
        pass
    digits = argument.lower()
    is_hexadecimal = bool(digits) and set(digits) <= set("0123456789abcdef")
    if is_hexadecimal and MIN_PREFIX <= len(digits) <= 64:
        return Wanted(digits)
    if is_hexadecimal and len(digits) < MIN_PREFIX:
        raise RunForgeError(
            ErrorCode.USAGE_INVALID,
            f"{quote(argument)} is too short to be looked up.",
            hint=f"Give at least {MIN_PREFIX} digits of the SHA-256.",
        )
    raise RunForgeError(
        ErrorCode.FILE_NOT_FOUND,
        f"{quote(argument, 200)} is neither a file nor a SHA-256.",
        hint="Name a model, a dataset, or the digits of a digest.",
        path=argument,
    )


def trace(sought: Wanted, listed: Iterable[tuple[dict[str, Any], StoreLayout]]) -> list[Trace]:
    """Return the runs that made or used a file, newest first.

    Models and datasets are compared first. Only if none matches are the records of all runs read,
    which contain the digests of model contents and of other artifacts.

    Parameters
    ----------
    sought
        The digest, from :func:`wanted`.
    listed
        Every run as described by :func:`~runforge_contracts.store.reading.list_runs`, with its
        store.

    Raises
    ------
    RunForgeError
        ``RUN_NOT_FOUND``, or ``RUN_AMBIGUOUS`` if the start of a digest matches several.
    """
    # A copy of a run folder is the same run.
    unique = {(store, entry["run_id"]): entry for entry, store in reversed(list(listed))}
    runs = [Listed(entry, store) for (store, _), entry in reversed(unique.items())]
    runs = sorted(runs, key=lambda run: started(run.entry))[::-1]
    found: list[Trace] = []
    for look in (_by_entry, _by_record):
        found = [match for run in runs for match in _matches(look, sought, run)]
        if found:
            break
    digests = sorted({match.sha256 for match in found})
    if not digests:
        raise RunForgeError(
            ErrorCode.RUN_NOT_FOUND,
            f"No run has made or used what has the SHA-256 {quote(sought.digest, 64)}.",
            hint="The file may have changed, or the run may lie in another workspace.",
        )
    if len(digests) > 1:
        shown = ", ".join(quote(digest, 64) for digest in digests[:5])
        raise RunForgeError(
            ErrorCode.RUN_AMBIGUOUS,
            f"{quote(sought.digest)} matches {len(digests)} digests: {shown}"
            + (", …." if len(digests) > 5 else "."),
            hint="Give more digits.",
        )
    return found


def find_listed(
    sought: Wanted, stores: Sequence[StoreLayout]
) -> list[tuple[dict[str, Any], StoreLayout]]:
    """Return the runs whose index entries match a digest, and those in no index, for :func:`trace`.

    Only the entries that match are parsed. Empty if none matches, or if an index has to be read as
    a whole.
    """
    listed = list[tuple[dict[str, Any], StoreLayout]]()
    for store in stores:
        entries = entries_with(store, sought.digest) if store.index.exists() else None
        if entries is None:
            return []
        listed += [(entry, store) for entry in with_removed(entries, removed_runs(store))]
    return listed if any(_fits_entry(sought, entry) for entry, _ in listed) else []


def _fits_entry(sought: Wanted, entry: dict[str, Any]) -> bool:
    return any(
        sought.fits(entry.get(name)) for name in ("model_sha256", "dataset_fingerprint_sha256")
    )


def _matches(
    look: Callable[[Wanted, Listed], Iterator[Trace]], sought: Wanted, run: Listed
) -> list[Trace]:
    found = list(look(sought, run))
    run.forget()
    return found


def _by_entry(sought: Wanted, run: Listed) -> Iterator[Trace]:
    """Yield the matches of the model and the dataset in an index entry."""
    entry = run.entry
    model, digest = entry.get("model_pkl"), entry.get("model_sha256")
    if model is not None and digest is None:
        # An entry written by an older client: use the run's record, or hash the model.
        recorded = run.document(layout.RUN).get("artifact_digests", {}).get(model)
        digest = recorded["sha256"] if recorded else _hash_model(sought, run, model)
    if sought.fits(digest):
        yield Trace(run, "model_sha256", str(digest), model)
    fingerprint = entry.get("dataset_fingerprint_sha256")
    if sought.fits(fingerprint):
        yield Trace(run, "dataset_fingerprint_sha256", str(fingerprint), None)


def _hash_model(sought: Wanted, run: Listed, model: str) -> str | None:
    """Return the SHA-256 of a run's model file; None if it cannot match."""
    if run.folder is None:
        return None
    place = run.folder.path
    for part in PurePosixPath(model).parts:
        place = place / part
        if place.is_symlink():
            return None
    try:
        if sought.size is not None and place.stat(follow_symlinks=False).st_size != sought.size:
            return None
        return digest_file(place).sha256
    except (OSError, RunForgeError):
        return None


def _by_record(sought: Wanted, run: Listed) -> Iterator[Trace]:
    """Yield the matches of the digests in a run's documents."""
    if not run.may_mention(sought.digest):
        return
    record, manifest = run.document(layout.RUN), run.document(layout.MANIFEST)
    model, content = run.entry.get("model_pkl"), record.get("model_content_sha256")
    if sought.fits(content):
        yield Trace(run, "model_content_sha256", str(content), model)
    for path, item in {**manifest.get("files", {}), **record.get("artifact_digests", {})}.items():
        if sought.fits(item["sha256"]):
            kind: Kind = "model_sha256" if path == model else "artifact"
            yield Trace(run, kind, item["sha256"], path)


def trace_document(
    matches: Sequence[Trace],
    families: RunFamilies,
    *,
    limit: int | None = None,
    jobs: int = 1,
    watch: WorkWatch = unwatched,
) -> TraceV1:
    """Return the ``trace.v1`` document for the runs that :func:`trace` found.

    Parameters
    ----------
    matches
        What was found.
    families
        For the runs that repeat them.
    limit
        How many matches are described, the newest ones; all if they are not of one kind.
    jobs, watch
        How many processes read their documents, and what shows how far they are.
    """
    shown = matches
    if limit is not None and len({match.matched for match in matches}) == 1:
        shown = matches[:limit]

    def traced(match: Trace) -> TracedRun:
        is_dataset = match.matched == "dataset_fingerprint_sha256"
        path = match.run.dataset().get("path") if is_dataset else match.path
        found = _traced_run(match.run, families, {"matched": match.matched, "path": path})
        match.run.forget()
        return found

    return TraceV1(
        schema_version="trace.v1",
        sha256=matches[0].sha256,
        runs=list(watch("Reading runs", in_processes(traced, shown, jobs), len(shown))),
        left_out=len(matches) - len(shown) or msgspec.UNSET,
    )


def lineage_document(family: RunFamily, families: RunFamilies) -> TraceV1:
    """Return the ``trace.v1`` document for a run, its ancestors and its descendants."""
    found = {
        relative.run_id: _listed(*relative.listed)
        for relative in family.runs
        if relative.listed is not None
    }
    return TraceV1(
        schema_version="trace.v1",
        run_id=family.run_id,
        runs=[_traced_run(run, families, _changes(run, found)) for run in found.values()],
        left_out=family.left_out or msgspec.UNSET,
    )


def _listed(entry: dict[str, Any], store: Place) -> Listed | ListedExperiment:
    if isinstance(store, ExperimentLayout):
        return ListedExperiment(entry, store)
    return Listed(entry, store)


def _changes(
    run: Listed | ListedExperiment, found: Mapping[str, Listed | ListedExperiment]
) -> dict[str, Any]:
    """Return what changed since the run that a run repeats, if both can be read."""
    parent = found.get(run.entry.get("rerun_from", ""))
    if parent is None or parent.folder is None or run.folder is None:
        return {}
    try:
        return {"changes": step_between(parent.folder, run.folder)}
    except RunForgeError:
        return {}


def _traced_run(
    run: Listed | ListedExperiment, families: RunFamilies, found: dict[str, Any]
) -> TracedRun:
    """Return the origin of a run, as far as its index entry and its documents record it.

    Parameters
    ----------
    run
        The run.
    families
        For the runs that repeat it.
    found
        Further members, of which those that are None are left out.
    """
    entry, folder = run.entry, run.folder
    record, request = run.document(layout.RUN), run.document(layout.REQUEST)
    result = run.document(layout.RESULT)
    provenance = record.get("provenance") or result.get("provenance") or {}
    version = record.get("runforge_version") or provenance.get("packages", {}).get(
        "runforge-engine"
    )
    fingerprint = entry.get("dataset_fingerprint_sha256")
    known = {} if fingerprint is None else {"fingerprint_sha256": fingerprint}
    git = provenance.get("git")
    optional = {
        **found,
        "removed": entry.get("removed"),
        "name": request.get("name") or entry.get("name"),
        "git": msgspec.convert(git, GitState) if git else _git(request.get("code")),
        "runforge_version": version,
        "created_by": request.get("created_by") or provenance.get("client"),
        "rerun_from": request.get("rerun_from") or entry.get("rerun_from"),
        "repeated_by": families.repeated_by(entry["run_id"]) or None,
        "group_id": group_of(request) or entry.get("group_id"),
        "sweep_member": request.get("sweep_member"),
    }
    return TracedRun(
        run_id=entry["run_id"],
        run_dir=entry["run_dir"] if folder is None else run.store.relative(folder.path),
        status=entry.get("status", "incomplete"),
        created_at=entry["created_at"],
        dataset=TracedDataset(**{**run.dataset(), **known}),
        **{name: value for name, value in optional.items() if value is not None},
    )


def _git(code: dict[str, Any] | None) -> GitState | None:
    """Return the code of an experiment run as the state of a Git repository.

    None without a commit that is named in full; any text is allowed there.
    """
    if not code:
        return None
    state = {"commit": code.get("commit"), "dirty": bool(code.get("dirty"))}
    try:
        return msgspec.convert(state, GitState)
    except msgspec.ValidationError:
        return None
