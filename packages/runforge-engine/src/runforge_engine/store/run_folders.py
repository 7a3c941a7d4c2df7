"""Write to a store: claim a run folder, and commit a run to the index.

Source: specification, sections 5.3 and 5.5.
"""

from __future__ import annotations

import contextlib
import errno
import json
import mmap
import os
import threading
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

from runforge_contracts.codec.strict_json import encode_json
from runforge_contracts.display import quote
from runforge_contracts.errors import ErrorCode, RunForgeError
from runforge_contracts.fs.files import open_file, reading, rename_new, write_file, writing
from runforge_contracts.schemas import in_schema_order
from runforge_contracts.store import layout
from runforge_contracts.store.foreign_index import OWN_FORM, write_entry
from runforge_contracts.store.index_form import BETWEEN, HEAD, TAIL
from runforge_contracts.store.layout import GIT_ATTRIBUTES_TEXT, StoreLayout
from runforge_contracts.store.reading import StoreIndex, read_store_index
from runforge_contracts.system.system_files import open_without_link, sync_file, sync_folder
from runforge_contracts.validation import validate

from runforge_engine.runtime.background import Check, run_stoppable
from runforge_engine.store.editor_index import append_foreign_entries
from runforge_engine.store.index_append import append_as_text, append_to_checked, append_to_large
from runforge_engine.store.index_lock import index_lock, refuse_linked_folders

#: How many entries of an index are written together.
_AT_ONCE = 500


def claim_folder(store: StoreLayout, candidates: Iterator[str]) -> Path:
    """Create the run folder of the first free candidate, and return it.

    Creating the folder is the claim: of several processes only one succeeds. An id in the index is
    taken, even if the folder of its run is elsewhere or missing.

    Raises
    ------
    RunForgeError
        ``STORE_NOT_WRITABLE``, or ``FILE_UNSAFE`` if the store is a symbolic link.
    """
    prepare_store(store)
    for run_id in candidates:
        folder = _claim(store, run_id)
        if folder is not None:
            return folder
    raise AssertionError("candidates never end")


def claim_id(store: StoreLayout, run_id: str) -> Path:
    """Create a placeholder folder for a run whose own folder is elsewhere, and return it.

    The placeholder reserves the id until the run is listed; :func:`release` then removes it.

    Raises
    ------
    RunForgeError
        ``RUN_ID_TAKEN``, and the errors of :func:`claim_folder`.
    """
    prepare_store(store)
    folder = _claim(store, run_id)
    if folder is None:
        raise _taken(store, run_id)
    return folder


def release(claim: Path) -> None:
    """Remove the placeholder folder of a run that is stored elsewhere, unless it has content."""
    with contextlib.suppress(OSError):
        claim.rmdir()


def release_unstarted(folder: Path) -> bool:
    """Remove the folder of a run that has not started: one that has nothing but its request.

    Returns
    -------
    bool
        Whether it was removed; False, with nothing changed, for every other folder.
    """
    try:
        if [path.name for path in folder.iterdir()] != [layout.REQUEST]:
            return False
        (folder / layout.REQUEST).unlink()
        folder.rmdir()
    except OSError:
        return False
    return True


def accept_id(store: StoreLayout, run_id: str) -> None:
    """Accept the id that a client chose by naming a folder among the runs.

    Raises
    ------
    RunForgeError
        ``RUN_ID_TAKEN`` if the index has a run with this id, and the errors of
        :func:`claim_folder`.
    """
    prepare_store(store)
    if _is_listed(store, run_id):
        raise _taken(store, run_id)


def take_folder(folder: Path, store: StoreLayout) -> None:
    """Create ``folder``, or use it if it is empty.

    Raises
    ------
    RunForgeError
        ``USAGE_INVALID`` if it contains the store, or is in the store but not among its runs;
        ``RUN_ALREADY_COMPLETE`` if it is not empty; ``STORE_NOT_WRITABLE``.
    """
    real, root = (Path(os.path.realpath(path)) for path in (folder, store.root))
    if root.is_relative_to(real) or (real.is_relative_to(root) and real.parent != root / "runs"):
        raise RunForgeError(
            ErrorCode.USAGE_INVALID,
            f"{quote(folder, 200)} cannot be a run folder of the store {quote(store.root, 200)}.",
            hint="Name a folder among its runs, or one that has nothing to do with it.",
            path=str(folder),
        )
    with writing(folder):
        folder.mkdir(parents=True, exist_ok=True)
        if any(folder.iterdir()):
            raise RunForgeError(
                ErrorCode.RUN_ALREADY_COMPLETE,
                f"The folder {quote(folder, 200)} is not empty.",
                hint="Nothing is overwritten: name a folder that does not exist yet.",
                path=str(folder),
            )


def prepare_store(store: StoreLayout) -> None:
    """Create the store if it does not exist, and configure Git to leave its bytes unchanged.

    Raises
    ------
    RunForgeError
        ``STORE_NOT_WRITABLE``, or ``FILE_UNSAFE`` if the store is a symbolic link.
    """
    refuse_linked_folders(store)
    with writing(store.runs):
        store.runs.mkdir(parents=True, exist_ok=True)
    with contextlib.suppress(OSError):  # A failure here loses no run.
        write_once(store.git_attributes, GIT_ATTRIBUTES_TEXT)


def _claim(store: StoreLayout, run_id: str) -> Path | None:
    """Create the folder of a run; return None if the id is taken."""
    folder = store.run_folder(run_id)
    with writing(store.runs):
        try:
            folder.mkdir()
        except FileExistsError:
            return None
        # In this order: a run stored elsewhere removes its placeholder once it is listed.
        if _is_listed(store, run_id):
            release(folder)
            return None
        sync_folder(store.runs)
        return folder


def _is_listed(store: StoreLayout, run_id: str) -> bool:
    """Return whether the index names a run; False if it is unreadable, which is reported later."""
    try:
        with open_file(store.index) as file, reading(store.index):
            if not os.fstat(file.fileno()).st_size:
                return False
            with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as text:
                return text.find(json.dumps(run_id).encode()) >= 0
    except RunForgeError:
        return False


def _taken(store: StoreLayout, run_id: str) -> RunForgeError:
    return RunForgeError(
        ErrorCode.RUN_ID_TAKEN,
        f"The store {quote(store.root, 200)} has a run {quote(run_id)} already.",
        hint="An id is used once, also where the folder of its run is gone; choose another one.",
        path=str(store.run_folder(run_id)),
    )


def append_entry(store: StoreLayout, entry: dict[str, Any]) -> None:
    """Append ``entry`` to the index exactly once, after all existing entries.

    An index in the form of another client gets the entry in that form, and everything else in it
    stays as it is, byte for byte; a run that has no entry in that form is not listed.

    Processes take turns with a lock of the kernel, which is released when its process ends. If the
    index already has an entry with this run id, that entry is kept unchanged.

    Raises
    ------
    RunForgeError
        ``STORE_BUSY``, ``STORE_NOT_WRITABLE``, or ``INDEX_INVALID`` if the index cannot be
        read; the index is then unchanged.
    """
    validate({"schema_version": "index.v1", "runs": [entry]}, "index.v1")
    with index_lock(store):
        if store.index.exists() and (
            append_to_large(store.index, entry) or append_to_checked(store.index, entry)
        ):
            return
        index = read_store_index(store)
        if index is not None and append_as_text(store.index, index.text, entry):
            return
        if index is None or not index.is_foreign:
            entries = [] if index is None else index.raw_entries
            if all(known["run_id"] != entry["run_id"] for known in entries):
                write_index(store, index, [*entries, entry])
            return
    append_foreign(store, index, [entry])


def append_foreign(
    store: StoreLayout, index: StoreIndex, entries: Iterable[dict[str, Any]]
) -> None:
    """Append entries of ``index.v1`` to an index in the form of another client, in that form.

    The caller does not hold the index's lock. Raises the errors of
    :func:`~runforge_engine.store.editor_index.append_foreign_entries`.
    """
    written = [write_entry(entry, index.form, store) for entry in entries]
    listed = {entry["run_id"] for entry in index.entries}
    new = [entry for entry in written if entry is not None and entry["run_id"] not in listed]
    if new:
        append_foreign_entries(store, new)


def write_index(
    store: StoreLayout, index: StoreIndex | None, entries: Iterable[dict[str, Any]]
) -> None:
    """Write an index in our form with some entries; a reader sees the old file or the new one.

    Only some hundred entries are in memory beside the text, unless they are given all at once.

    Parameters
    ----------
    store
        The store.
    index
        The index as it was read, whose other members are kept; None if there is none.
    entries
        All entries, in their order.

    Raises
    ------
    RunForgeError
        ``DOCUMENT_INVALID`` for invalid entries; ``STORE_NOT_WRITABLE``.
    """
    members = {"schema_version": OWN_FORM, "runs": ()} if index is None else index.members or {}
    # An index with other members cannot be put together from several.
    at_once = _AT_ONCE if members.keys() == {"schema_version", "runs"} else None
    texts = [_index_text({**members, "runs": part}) for part in _portions(entries, at_once)]
    if len(texts) > 1:
        texts = [HEAD + BETWEEN.join(text[len(HEAD) : -len(TAIL)] for text in texts) + TAIL]
    write_file(store.index, texts[0])


def _index_text(index: dict[str, Any]) -> bytes:
    validate(index, OWN_FORM)
    return encode_json(in_schema_order(index, OWN_FORM))


def _portions(
    entries: Iterable[dict[str, Any]], size: int | None
) -> Iterator[list[dict[str, Any]]]:
    """Yield entries, so many at a time or all at once; one empty list if there are none."""
    left = iter(entries)
    yield list(islice(left, size))
    while portion := list(islice(left, size)):
        yield portion


def write_new(path: Path, data: bytes, check: Check | None = None, *, sync: bool = True) -> None:
    """Write a file of a run; fail if it exists, and never expose a partial file to readers.

    With ``sync`` the bytes are on the disk when this returns; the name becomes durable with
    :func:`sync_run`. If ``check`` is given, an exception that it raises stops the write. Raises
    ``STORE_NOT_WRITABLE``.
    """

    def write(_: threading.Event | None = None) -> None:
        with file:
            file.write(data)
            file.flush()
            if sync:
                sync_file(file.fileno())

    unfinished = path.with_name(f".{path.name}.tmp")
    with writing(path):
        # Only the process that claimed the folder writes to it, so there is no race here.
        if os.path.lexists(path):
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(path))
        file = unfinished.open("xb")
        try:
            if check is None:
                write()
            else:
                run_stoppable(write, check, on_end=file.close)
            unfinished.rename(path)
        except BaseException:
            with contextlib.suppress(OSError):
                unfinished.unlink()
            raise


def write_once(path: Path, data: bytes) -> None:
    """Write a small file unless the name exists; a reader sees the complete file or none.

    Raises ``OSError``.
    """
    if os.path.lexists(path):
        return
    unfinished = path.with_name(f".{path.name}.{os.urandom(8).hex()}.tmp")
    try:
        unfinished.write_bytes(data)
        with contextlib.suppress(FileExistsError):
            rename_new(unfinished, path)
    finally:
        unfinished.unlink(missing_ok=True)


def sync_run(folder: Path, files: Iterable[str] = ()) -> None:
    """Make some files of a run durable, and the names of all of them.

    Together this takes a fraction of the time that it takes for each file when it is written: the
    first call lets the disk write what the others wait for.
    """
    with writing(folder):
        for file in files:
            descriptor = open_without_link(folder / file, os.O_RDWR)
            try:
                sync_file(descriptor)
            finally:
                os.close(descriptor)
        for child in (*folder.iterdir(), folder):
            if child.is_dir():
                sync_folder(child)
