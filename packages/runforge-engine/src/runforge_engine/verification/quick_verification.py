"""Verify a store again without reading the runs whose files were not touched since the last time.

What was verified is noted in the user's cache folder, never in the store. A note has a digest of
the names, sizes, times and inode numbers of everything in the folder of a run, and of its entry in
the index. While that digest is the same, the files are taken for those that were read; dataset and
signature are checked as always. Setting a time back changes the time of the last change of the
inode, which only the system sets. A user who can write to the raw disk, set the clock or write the
notes can deceive a quick verification, and only reading finds what a disk has lost.

Source: specification, section 14.6.
"""

from __future__ import annotations

import hashlib
import os
import stat
import time
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Annotated

import msgspec
from runforge_contracts.errors import RunForgeError
from runforge_contracts.fs.files import open_file, read_all, reading
from runforge_contracts.shared_work import ahead, in_processes
from runforge_contracts.store.layout import StoreLayout
from runforge_contracts.system.system_files import KEEPS_CHANGE_TIMES, is_private

import runforge_engine
from runforge_engine.provenance.folder_digest import FolderDigests
from runforge_engine.runtime.clock import document_time, read_clock
from runforge_engine.runtime.user_cache import cache_file, write_cached
from runforge_engine.verification.check_result import Check, CheckVerdict
from runforge_engine.verification.context import Surroundings
from runforge_engine.verification.signature_check import Signature, check_signature
from runforge_engine.verification.verify_run import RunVerification, dataset_check

#: Larger notes are not read: those of a million runs have this size.
_MAX_BYTES = 512 * 2**20
#: Folders with more files are always read.
_MAX_FILES = 1_000
#: Nanoseconds. What changed less long ago could change again without another time: file systems
#: count time in steps of up to two seconds.
_YOUNG = 3 * 10**9

#: What the check of the signature finds of a run that has none and needs none.
_NO_SIGNATURE = Check.not_checked("signature", CheckVerdict.NONE)

Sha256 = Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{64}\Z")]


class KeptRun(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is noted of a verified run."""

    #: Of :func:`folder_state`, from before the files were read.
    state: Sha256
    verified_at: datetime
    #: Path and fingerprint of its dataset.
    dataset: str | None
    fingerprint: Sha256 | None
    #: Digests of its files by path, if it was signed.
    files: dict[str, Sha256] | None


class _Notes(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The file with the notes on a store."""

    #: Other versions make other checks.
    version: str
    store: str
    #: By the name of the folder.
    runs: dict[str, KeptRun]


class KeptVerifications:
    """The notes on the runs of a store; none where they are missing, damaged or of another user.

    Parameters
    ----------
    store
        The store.
    """

    def __init__(self, store: StoreLayout) -> None:
        self._store = os.path.realpath(store.root)
        name = hashlib.sha256(os.fsencode(self._store)).hexdigest()
        path = cache_file(f"verified-{name[:32]}.json")
        self._path = None if path is None else Path(path)
        #: By the name of the folder.
        self.runs: Mapping[str, KeptRun] = self._read()

    def _read(self) -> dict[str, KeptRun]:
        if self._path is None:
            return {}
        try:
            with open_file(self._path) as file, reading(self._path):
                found = os.fstat(file.fileno())
                if found.st_size > _MAX_BYTES or not is_private(found):
                    return {}
                notes = msgspec.json.decode(read_all(file, found.st_size), type=_Notes)
        except (RunForgeError, msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return {}
        if (notes.version, notes.store) != (runforge_engine.__version__, _printed(self._store)):
            return {}
        return notes.runs

    def keep(self, runs: Mapping[str, KeptRun]) -> None:
        """Replace the notes, where the user has a cache folder that can be written."""
        if self._path is not None:
            notes = _Notes(runforge_engine.__version__, _printed(self._store), dict(runs))
            write_cached(str(self._path), msgspec.json.encode(notes))


def _printed(path: str) -> str:
    return os.fsencode(path).decode("utf-8", "backslashreplace")


class FileStates:
    """The states of the files of many folders, which other processes find from now on.

    Parameters
    ----------
    folders
        The folders, in about the order in which they are asked for.
    jobs
        How many processes look at them, see :func:`~runforge_contracts.shared_work.in_processes`.
    """

    def __init__(self, folders: Sequence[Path], jobs: int) -> None:
        found = ahead(in_processes(_files_state, [str(folder) for folder in folders], jobs))
        self._coming = zip(folders, found, strict=True)
        #: States that came before they were asked for.
        self._waiting = dict[Path, str | None]()

    def of(self, folder: Path) -> str | None:
        """Return the state of the files of a folder, which is asked for once.

        None if they have to be read: one changed a moment ago or in the future, there are too many,
        or the system does not keep the time of the last change of an inode.
        """
        if folder not in self._waiting:
            for another, state in self._coming:
                if another == folder:
                    return state
                self._waiting[another] = state
            return _files_state(str(folder))
        return self._waiting.pop(folder)


def _files_state(folder: str) -> str | None:
    if not KEEPS_CHANGE_TIMES:
        return None
    try:
        found = _walk(folder)
    except OSError:
        return None
    newest = max(max(item[3], item[4]) for item in found)
    if len(found) > _MAX_FILES or newest > time.time_ns() - _YOUNG:
        return None
    # Names that are no text have surrogates, which the representation escapes.
    return hashlib.sha256(repr(sorted(found)).encode()).hexdigest()


def folder_state(folder: Path, files: str | None, around: Surroundings) -> str | None:
    """Return a digest of what must be the same for a run not to be read again.

    Parameters
    ----------
    folder
        The run folder, absolute.
    files
        The state of its files, of :class:`FileStates`.
    around
        Its store.

    Returns
    -------
    str or None
        None if the run has to be read: for its files, or because it is not listed.
    """
    positions = around.positions_of(folder.name, folder)
    if files is None or around.index is None or around.index.is_foreign or not positions:
        return None
    entries = [around.index.entries[position] for position in positions]
    state = files, entries, around.names_by_id(folder)
    return hashlib.sha256(repr(state).encode()).hexdigest()


def _walk(folder: str) -> list[tuple[str, int, int, int, int, int]]:
    """Return path, mode, size, times in nanoseconds and inode of a folder and all that is in it."""
    found = [_described("", os.lstat(folder))]
    waiting = [("", folder)]
    while waiting and len(found) <= _MAX_FILES:
        prefix, current = waiting.pop()
        with os.scandir(current) as entries:
            for entry in entries:
                item = _described(prefix + entry.name, entry.stat(follow_symlinks=False))
                found.append(item)
                if stat.S_ISDIR(item[1]):
                    waiting.append((f"{item[0]}/", entry.path))
    return found


def _described(path: str, found: os.stat_result) -> tuple[str, int, int, int, int, int]:
    times = found.st_mtime_ns, found.st_ctime_ns
    return path, found.st_mode, found.st_size, *times, found.st_ino


def noted(found: RunVerification, folder: Path, state: str | None) -> KeptRun | None:
    """Return what to note of a run that was read; None if a check of it failed.

    Parameters
    ----------
    found
        Its verification. Dataset and signature need not hold: they are always checked.
    folder
        Its folder.
    state
        Of :func:`folder_state`, from before it was read.
    """
    by_name = {check.name: check for check in found.checks}
    read = [check for name, check in by_name.items() if name not in ("dataset", "signature")]
    if (
        state is None
        or found.digests is None
        or found.run_id != folder.name
        or by_name["files"].outcome != "passed"
        or any(check.outcome == "failed" for check in read)
    ):
        return None
    files = None if found.signature is None else found.digests.files
    return KeptRun(state, read_clock().instant(), *found.dataset, files)


def verify_untouched(
    folder: Path, around: Surroundings, kept: KeptRun, *, is_signed: bool, with_dataset: bool
) -> RunVerification | None:
    """Verify a run whose folder is as it was noted, without reading its files.

    Parameters
    ----------
    folder
        The run folder, absolute.
    around
        The store, the datasets and the key that the run is compared with.
    kept
        What was noted of the run.
    is_signed
        Whether there may be a signature of it.
    with_dataset
        Whether to check the dataset.

    Returns
    -------
    RunVerification or None
        None if the run has to be read: it was signed since.
    """
    if is_signed and kept.files is None:
        return None
    since = document_time(kept.verified_at)
    message = f"not read: sizes and times are those of {since}, when the run was verified"
    checks = [Check.not_checked("files", CheckVerdict.NOT_CHECKED, message)]
    dataset = kept.dataset, kept.fingerprint
    if with_dataset:
        received = around.is_received(folder.name, folder)
        checks.append(dataset_check(*dataset, around.datasets, received=received))
    check = _NO_SIGNATURE
    signature: Signature | None = None
    if is_signed or around.public_keys:
        digests = FolderDigests(kept.files or {}, {})
        check, signature = check_signature(folder, around, digests)
    return RunVerification(
        folder.name,
        around.relative(folder),
        (*checks, check),
        signature,
        dataset=dataset,
        trusted_since=kept.verified_at,
    )
