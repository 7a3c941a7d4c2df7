"""Copies of datasets and recipes that go into an archive with the runs that use them, and back.

Source: specification, section 26.6.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from msgspec import UNSET
from runforge_contracts.display import quote
from runforge_contracts.errors import ErrorCode, RunForgeError
from runforge_contracts.fs.files import writing
from runforge_contracts.store.layout import StoreLayout
from runforge_contracts.system.system_files import sync_folder
from runforge_contracts.types import ArchivedCopy

from runforge_engine.preparation.given_recipe import RECIPES
from runforge_engine.removing.dataset_users import (
    COPIES,
    DatasetUsers,
    digest_in,
    has_digest,
    kept_copies,
)
from runforge_engine.store.incoming import copy_new, remove_left
from runforge_engine.store.scan import refuse_links


@dataclass(frozen=True, slots=True)
class UsedCopy:
    """The copy of a dataset or a recipe that runs use which go into an archive."""

    #: Its path in the store.
    name: str
    sha256: str
    bytes: int
    #: The runs that are, or will be, in the archive, and use it.
    run_ids: tuple[str, ...]
    #: What else uses it: then it stays.
    used_by: tuple[str, ...]

    def to_struct(self, store: StoreLayout) -> ArchivedCopy:
        """Return what the report has of it."""
        return copy_struct(
            store, self.name, "copied" if self.used_by else "archived", self.bytes, self.used_by
        )


def used_copies(
    store: StoreLayout, chosen: Mapping[str, set[str]], there: Mapping[str, set[str]]
) -> list[UsedCopy]:
    """Return the copies in a store that runs use which go into an archive.

    Parameters
    ----------
    store
        The store.
    chosen
        The digests of the dataset and the recipe of each run that is put away.
    there
        Those of the runs that the archive has already.
    """
    copies = kept_copies(store, set().union(*chosen.values(), *there.values()))
    if not copies:
        return []
    users = DatasetUsers(store, frozenset({*chosen, *there}))
    return [
        UsedCopy(
            path.relative_to(store.root).as_posix(),
            digest,
            path.stat().st_size,
            tuple(run_id for run_id, used in {**there, **chosen}.items() if digest in used),
            tuple(users.of(digest)),
        )
        for path, digest in copies.items()
    ]


def also_of(run_id: str, copies: Iterable[UsedCopy]) -> dict[str, dict[str, Any]]:
    """Return what the line of a run records of the copies that go with it."""
    return {
        copy.name: {"sha256": copy.sha256, "bytes": copy.bytes}
        for copy in copies
        if run_id in copy.run_ids and not copy.used_by
    }


def put_copies(copies: Iterable[UsedCopy], store: StoreLayout, place: StoreLayout) -> None:
    """Copy copies into the store of an archive, where they are missing, and compare them there.

    Raises
    ------
    RunForgeError
        ``VERIFICATION_FAILED`` if the archive has another file of the name; ``FILE_UNSAFE``,
        ``FILE_UNREADABLE``, ``STORE_NOT_WRITABLE``.
    """
    for copy in copies:
        target = place.root / copy.name
        _put(store.root / copy.name, target, copy.sha256)
        if not has_digest(target, copy.sha256):
            raise RunForgeError(
                ErrorCode.VERIFICATION_FAILED,
                f"{quote(target, 200)} has other bytes than its name says.",
                hint="Nothing was removed here. Move that file away, or name another archive.",
                path=str(target),
            )


def has_copies(copies: Iterable[UsedCopy], place: StoreLayout) -> bool:
    """Return whether the store of an archive has copies."""
    return all(has_digest(place.root / copy.name, copy.sha256) for copy in copies)


@dataclass(frozen=True, slots=True)
class ReturningCopy:
    """A copy that belongs to runs which are restored."""

    name: str
    sha256: str
    #: The file in the archive; None if it has none.
    source: Path | None
    bytes: int
    outcome: Literal["restored", "present", "missing"]

    def to_struct(self, store: StoreLayout) -> ArchivedCopy:
        """Return what the report has of it."""
        return copy_struct(store, self.name, self.outcome, self.bytes)


def returning_copies(
    archive: StoreLayout,
    store: StoreLayout,
    digests: Collection[str],
    also: Mapping[str, Mapping[str, Any]],
) -> list[ReturningCopy]:
    """Return the copies that come back with runs, or are here, or should be in the archive.

    Nothing is read from an archive but files with a digest that this store knows.

    Parameters
    ----------
    archive
        The store of the archive.
    store
        This store.
    digests
        Those of the datasets of the runs, as this store has them.
    also
        The copies that went with the runs, by path.
    """
    refuse_links(*(archive.root / folder for folder in COPIES))
    wanted = {*digests, *(item["sha256"] for item in also.values())}
    there = {
        path.relative_to(archive.root).as_posix(): path for path in kept_copies(archive, wanted)
    }
    found = list[ReturningCopy]()
    for name in sorted({*there, *(name for name in also if digest_in(Path(name)) is not None)}):
        sha256, source = str(digest_in(Path(name))), there.get(name)
        is_here = has_digest(store.root / name, sha256)
        size = also[name]["bytes"] if source is None else source.stat().st_size
        outcome: Literal["restored", "present", "missing"] = (
            "present" if is_here else "missing" if source is None else "restored"
        )
        found.append(ReturningCopy(name, sha256, source, size, outcome))
    return found


def bring_copies(copies: Iterable[ReturningCopy], store: StoreLayout) -> None:
    """Copy what is missing from an archive into a store.

    Raises
    ------
    RunForgeError
        ``FILE_UNSAFE``, ``FILE_UNREADABLE``, ``STORE_NOT_WRITABLE``; ``VERIFICATION_FAILED`` if a
        file changes while it is copied.
    """
    for copy in copies:
        if copy.source is not None and copy.outcome == "restored":
            _put(copy.source, store.root / copy.name, copy.sha256)


def copy_struct(
    store: StoreLayout,
    name: str,
    outcome: Literal["archived", "copied", "restored", "present", "missing"],
    size: int,
    used_by: Collection[str] = (),
) -> ArchivedCopy:
    """Return what a report has of a copy."""
    return ArchivedCopy(
        what="recipe" if name.startswith(f"{RECIPES}/") else "dataset",
        path=store.relative(store.root / name),
        outcome=outcome,
        bytes=size,
        used_by=list(used_by) or UNSET,
    )


def _put(source: Path, target: Path, sha256: str) -> None:
    """Copy a file to its place, unless something is there."""
    refuse_links(target.parent)
    if os.path.lexists(target):
        return
    with writing(target.parent):
        target.parent.mkdir(exist_ok=True)
        sync_folder(target.parent.parent)
    remove_left(target.parent)
    copy_new(source, target, sha256)
