"""From the digest of a model, a dataset or another file to the runs that made or used it.

The index answers for the runs that it knows; the run folders answer for the rest. A run of an older
client has no digest of its model on record: then the file itself is hashed, and never loaded.

Source: RunForge guarantees, "Provenance Tracking"; RunForge contract, "Documents and versions".
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import Any, Literal

from runforge_contracts.display import quote
from runforge_contracts.errors import ErrorCode, NotFoundError, RunForgeError
from runforge_contracts.fs.files import digest_file
from runforge_contracts.store import layout
from runforge_contracts.store.layout import StoreLayout
from runforge_contracts.store.reading import locate_run
from runforge_contracts.store.run import Run
from runforge_contracts.store.run_ids import started

#: Fewest hexadecimal digits that a digest can be looked up by.
MIN_PREFIX = 8

Kind = Literal["model_sha256", "dataset_fingerprint_sha256", "model_content_sha256", "artifact"]


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is looked for."""

    #: A SHA-256 in lowercase hexadecimal digits, or the start of one.
    digest: str
    #: Size of the file that was hashed, where there was one.
    size: int | None = None

    def fits(self, digest: object) -> bool:
        """Tell whether ``digest``, of a document, is the one."""
        return isinstance(digest, str) and digest.startswith(self.digest)


class Listed:
    """A run as the index, or else its folder, describes it; its documents are read when asked."""

    def __init__(self, entry: dict[str, Any], store: StoreLayout) -> None:
        self.entry = entry
        self.store = store

    @cached_property
    def folder(self) -> Run | None:
        """The run's folder; None where it is gone."""
        try:
            path = locate_run(self.entry, self.store)
        except RunForgeError:
            return None
        return Run(path) if path.is_dir() and not path.is_symlink() else None

    def document(self, file: str) -> dict[str, Any]:
        """Return a document of the run; empty where there is none that can be read."""
        try:
            return (self.folder and self.folder.raw(file)) or {}
        except RunForgeError:
            return {}

    def dataset(self) -> dict[str, Any]:
        """Return path and fingerprint of the run's dataset, as far as its documents tell them."""
        config = self.document(layout.RESULT).get("effective_config") or {}
        told = {
            **self.document(layout.REQUEST).get("dataset", {}),
            **(config.get("dataset") or {}),
            **self.document(layout.RUN).get("dataset", {}),
        }
        return {name: told[name] for name in ("path", "fingerprint_sha256") if name in told}


@dataclass(frozen=True, slots=True)
class Trace:
    """A run that made or used what is looked for."""

    run: Listed
    matched: Kind
    #: The whole digest.
    sha256: str
    #: What has it: a file of the run, relative to its folder, or the dataset as it was named.
    path: str | None


def wanted(argument: str) -> Wanted:
    """Return what ``argument`` stands for: a file by its bytes, else the digits of a digest.

    Raises
    ------
    RunForgeError
        ``FILE_NOT_FOUND`` where it is neither, ``FILE_UNSAFE`` for a symbolic link or a device,
        ``FILE_UNREADABLE``, ``USAGE_INVALID`` where the digits are too few.
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
    """Return the runs that made or used what is sought, newest first.

    Models and datasets are looked for first. Only where neither fits are the records of all runs
    read, for the digests of what a model is and of the other artifacts.

    Parameters
    ----------
    sought
        What :func:`wanted` returned.
    listed
        Every run as :func:`~runforge_contracts.store.reading.list_runs` describes it, with its
        store.

    Raises
    ------
    RunForgeError
        ``RUN_NOT_FOUND``, or ``RUN_AMBIGUOUS`` where the start of a digest fits several.
    """
    # A copy of a run folder tells nothing that the run does not tell.
    unique = {(store, entry["run_id"]): entry for entry, store in reversed(list(listed))}
    runs = [Listed(entry, store) for (store, _), entry in reversed(unique.items())]
    runs = sorted(runs, key=lambda run: started(run.entry))[::-1]
    found: list[Trace] = []
    for look in (_by_entry, _by_record):
        found = [match for run in runs for match in look(sought, run)]
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
            f"{quote(sought.digest)} fits {len(digests)} digests: {shown}"
            + (", …." if len(digests) > 5 else "."),
            hint="Give more digits.",
        )
    return found


def _by_entry(sought: Wanted, run: Listed) -> Iterator[Trace]:
    """Look at what an index entry tells of model and dataset."""
    entry = run.entry
    model, digest = entry.get("model_pkl"), entry.get("model_sha256")
    if model is not None and digest is None:
        # An entry of an older client: its run's record, and else the model itself, tell.
        recorded = run.document(layout.RUN).get("artifact_digests", {}).get(model)
        digest = recorded["sha256"] if recorded else _hash_model(sought, run, model)
    if sought.fits(digest):
        yield Trace(run, "model_sha256", str(digest), model)
    fingerprint = entry.get("dataset_fingerprint_sha256")
    if sought.fits(fingerprint):
        path = run.dataset().get("path")
        yield Trace(run, "dataset_fingerprint_sha256", str(fingerprint), path)


def _hash_model(sought: Wanted, run: Listed, model: str) -> str | None:
    """Return the SHA-256 of a run's model file; None where it cannot be the one sought."""
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
    """Look at the digests that a run's own documents record."""
    record, manifest = run.document(layout.RUN), run.document(layout.MANIFEST)
    model, content = run.entry.get("model_pkl"), record.get("model_content_sha256")
    if sought.fits(content):
        yield Trace(run, "model_content_sha256", str(content), model)
    for path, item in {**manifest.get("files", {}), **record.get("artifact_digests", {})}.items():
        if sought.fits(item["sha256"]):
            kind: Kind = "model_sha256" if path == model else "artifact"
            yield Trace(run, kind, item["sha256"], path)


def origin(match: Trace) -> dict[str, Any]:
    """Return where a run comes from, as far as its entry and its documents tell; else absent."""
    run, entry, folder = match.run, match.run.entry, match.run.folder
    record, request = run.document(layout.RUN), run.document(layout.REQUEST)
    result = run.document(layout.RESULT)
    provenance = record.get("provenance") or result.get("provenance") or {}
    version = record.get("runforge_version") or provenance.get("packages", {}).get(
        "runforge-engine"
    )
    fingerprint = entry.get("dataset_fingerprint_sha256")
    known = {} if fingerprint is None else {"fingerprint_sha256": fingerprint}
    told = {
        "run_id": entry["run_id"],
        "run_dir": entry["run_dir"] if folder is None else run.store.relative(folder.path),
        "matched": match.matched,
        "path": match.path,
        "status": entry.get("status", "incomplete"),
        "name": request.get("name") or entry.get("name"),
        "created_at": entry["created_at"],
        "dataset": {**run.dataset(), **known},
        "git": provenance.get("git"),
        "runforge_version": version,
        "created_by": request.get("created_by") or provenance.get("client"),
        "rerun_from": request.get("rerun_from"),
    }
    return {name: value for name, value in told.items() if value is not None}
