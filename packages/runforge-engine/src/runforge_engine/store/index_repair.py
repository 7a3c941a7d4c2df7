"""Check the index, and rebuild it from the run folders.

Rebuilding adds missing entries and changes no existing one: the index is append-only, and an entry
whose folder is missing is kept as history.

Source: specification, section 5.7.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from dataclasses import replace
from itertools import chain
from pathlib import Path
from typing import Any

from runforge_contracts.codec.strict_json import parse_json
from runforge_contracts.display import quote
from runforge_contracts.errors import ErrorCode, RunForgeError
from runforge_contracts.fs.files import read_file, writing
from runforge_contracts.shared_work import WorkWatch, unwatched
from runforge_contracts.store.foreign_index import FORM_BY_VERSION
from runforge_contracts.store.layout import StoreLayout
from runforge_contracts.store.reading import CONFLICT_HINT, MAX_INDEX_BYTES, StoreIndex
from runforge_contracts.system.system_files import hard_link, sync_folder

from runforge_engine.runtime.clock import read_clock
from runforge_engine.runtime.folder_lock import wait_until_free
from runforge_engine.store.index_diff import IndexDiff, IndexReport
from runforge_engine.store.index_lock import index_lock
from runforge_engine.store.run_folders import append_foreign, write_index
from runforge_engine.store.scan import Found, refuse_links

#: How often the index is read again if a run was appended while the folders were read.
_ATTEMPTS = 5
#: Versions of indexes, this client's and those of others.
_VERSIONS = re.compile(r"index\.v[0-9]+|[0-9]+(\.[0-9]+)+")


def check_index(store: StoreLayout, *, jobs: int = 1, watch: WorkWatch = unwatched) -> IndexReport:
    """Compare the index of ``store`` with its run folders; write nothing.

    Parameters
    ----------
    store
        The store.
    jobs, watch
        How many processes read the documents, and what shows how far they are.

    Raises
    ------
    RunForgeError
        ``FILE_UNSAFE`` if the store is a symbolic link; ``FILE_UNREADABLE``.
    """
    comparison = IndexDiff(store, thorough=True, jobs=jobs, watch=watch)
    report = comparison.report()
    for _ in range(_ATTEMPTS):
        # A run that ended meanwhile is listed now: it is appended before its lock is released.
        if report.unlisted:
            wait_until_free(found.path for found in comparison.unlisted)
        if not report.unlisted or not comparison.read_again():
            break
        report = comparison.report()
    return report


def rebuild_index(
    store: StoreLayout,
    origin_of: Callable[[Path], str | None] = lambda _: None,
    *,
    jobs: int = 1,
    watch: WorkWatch = unwatched,
) -> IndexReport:
    """Add every finished run missing from the index of ``store``, in the order in which they ended.

    An unreadable index is kept beside the new one. If no entry is missing, no file is written. The
    documents of indexed runs are not read; :func:`check_index` reads them.

    Parameters
    ----------
    store
        The store.
    origin_of
        Returns the origin of the index with which the run in a folder was signed. A run that was
        signed with another index than this one came from another store, and its entry says so. An
        index that was lost has no origin: all runs are then this store's own.
    jobs, watch
        As for :func:`check_index`.

    Raises
    ------
    RunForgeError
        ``FILE_UNSAFE`` if the store is a symbolic link, ``FILE_UNREADABLE``, ``STORE_BUSY``,
        ``STORE_NOT_WRITABLE``, or ``INDEX_INVALID`` and ``DOCUMENT_VERSION_UNSUPPORTED`` for an
        index that others may be able to read; the index is then unchanged.
    """
    refuse_links(store.index.parent)
    comparison = IndexDiff(store, thorough=False, jobs=jobs, watch=watch)
    # Read before locking, so that no process waits while many folders are read.
    report = comparison.report()
    if comparison.problem is None and not report.unlisted:
        return report
    with index_lock(store):
        comparison.read_again()
        report = comparison.report()
        kept = None
        if comparison.problem is not None:
            kept = store.relative(_keep_aside(store, comparison.problem))
        elif not report.unlisted:
            return report
        index = comparison.index
        missing = (_entry(found, index, origin_of) for found in comparison.unlisted)
        if index is None or not index.is_foreign:
            write_index(store, index, chain(index.raw_entries if index else (), missing))
    if index is not None and index.is_foreign:
        append_foreign(store, index, missing)
    comparison.read_again()
    return replace(
        comparison.report(),
        already_indexed=report.already_indexed,
        recovered=report.unlisted,
        kept_aside=kept,
    )


def _entry(
    found: Found, index: StoreIndex | None, origin_of: Callable[[Path], str | None]
) -> dict[str, Any]:
    """Return the entry of a run, with its origin if it came from another store."""
    own = None if index is None else index.origin
    origin = None if own is None else origin_of(found.path)
    return found.entry if origin in (None, own) else {**found.entry, "origin": origin}


def _keep_aside(store: StoreLayout, problem: RunForgeError) -> Path:
    """Give the unreadable index a second name, and return that path.

    Raises ``problem`` if the index may be valid but this process cannot read it.
    """
    cause = problem.__cause__
    if isinstance(cause, RunForgeError) and cause.code is ErrorCode.FILE_UNREADABLE:
        raise problem
    if problem.hint == CONFLICT_HINT:
        raise problem  # A new index would have neither of the two histories.
    version = _version(store)
    if version is not None and _VERSIONS.fullmatch(version) and version not in FORM_BY_VERSION:
        raise RunForgeError(
            ErrorCode.DOCUMENT_VERSION_UNSUPPORTED,
            f"The index says that it is {quote(version)}; `index.v1` is known here.",
            hint="A newer RunForge may be able to read it; it is left as it is.",
            path=str(store.index),
            pointer="/schema_version",
        ) from problem
    time = read_clock().instant().strftime("%Y%m%dT%H%M%SZ")
    name, number = f"{store.index.name}.corrupt-{time}", 1
    while os.path.lexists(store.index.with_name(name)):
        number += 1
        name = f"{store.index.name}.corrupt-{time}-{number}"
    aside = store.index.with_name(name)
    with writing(aside):
        try:
            # Add a second name rather than rename: readers always find the first one.
            hard_link(store.index, aside)
        except OSError:
            store.index.rename(aside)
        sync_folder(aside.parent)
    return aside


def _version(store: StoreLayout) -> str | None:
    """Return the version that an invalid index declares, if any."""
    try:
        data = read_file(store.index, max_bytes=MAX_INDEX_BYTES, too_large=ErrorCode.JSON_TOO_LARGE)
        raw = parse_json(data, max_bytes=MAX_INDEX_BYTES)
    except RunForgeError:
        return None
    version = raw.get("schema_version") if isinstance(raw, dict) else None
    return version if isinstance(version, str) else None
