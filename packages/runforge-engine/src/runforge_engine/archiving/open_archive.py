"""Open an archive: a folder is read where it is, a file is unpacked into a temporary folder.

It may come from anybody: nothing in it is trusted, followed or run, and nothing in it is written.

Source: specification, sections 26.1 and 26.3.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from runforge_contracts.display import quote
from runforge_contracts.errors import ErrorCode, RunForgeError
from runforge_contracts.shared_work import WorkWatch, unwatched
from runforge_contracts.store.layout import DEFAULT_STORE, ExperimentLayout, StoreLayout
from runforge_contracts.store.reading import run_names

from runforge_engine.archiving.packed_store import SUFFIX, unpack
from runforge_engine.runtime.temporary_folder import temporary_folder
from runforge_engine.store.scan import refuse_links


@dataclass(frozen=True, slots=True)
class OpenArchive:
    """The store of an archive."""

    #: The archive, as it was named.
    path: Path
    layout: StoreLayout
    #: SHA-256 of an archive in one file.
    sha256: str | None = None

    def folders(self) -> dict[str, Path]:
        """Return the folders of the runs in it, by run id.

        Raises
        ------
        RunForgeError
            ``FILE_UNREADABLE``.
        """
        experiments = ExperimentLayout(self.layout.workspace)
        found = {name: self.layout.run_folder(name) for name in run_names(self.layout)}
        return found | {str(run): experiments.run_folder(str(run)) for run in experiments.ids()}


def is_packed(path: Path | str) -> bool:
    """Return whether an archive with this name is one file."""
    return Path(path).name.endswith(SUFFIX)


@contextmanager
def opened_archive(
    path: Path, store: str = DEFAULT_STORE, watch: WorkWatch = unwatched
) -> Iterator[OpenArchive]:
    """Open an archive for as long as the context lasts.

    Parameters
    ----------
    path
        The folder, or the file.
    store
        Name of the store in it.
    watch
        Shows how far it is with a file.

    Raises
    ------
    RunForgeError
        ``FILE_NOT_FOUND`` if there is nothing; ``DOCUMENT_INVALID`` for what is no archive;
        ``FILE_UNSAFE`` where a folder of the store is a symbolic link, and as
        :func:`~runforge_engine.archiving.packed_store.unpack`.
    """
    if not is_packed(path):
        if not os.path.lexists(path):
            raise RunForgeError(
                ErrorCode.FILE_NOT_FOUND,
                f"There is no archive {quote(path, 200)}.",
                hint="Name the folder or the file that `runforge store archive` wrote.",
                path=str(path),
            )
        folder = Path(os.path.abspath(path))  # noqa: PTH100 - keeps links
        yield OpenArchive(path, _layout(path, folder, store))
        return
    with temporary_folder() as temporary:
        sha256 = unpack(path, temporary, watch).sha256
        yield OpenArchive(path, _layout(path, temporary, store), sha256)


def _layout(path: Path, folder: Path, store: str) -> StoreLayout:
    layout = StoreLayout(folder, store)
    refuse_links(layout.root)
    if not layout.root.is_dir():
        raise RunForgeError(
            ErrorCode.DOCUMENT_INVALID,
            f"{quote(path, 200)} is not an archive of runs: it has no {quote(store)}.",
            hint="`runforge store archive` writes one.",
            path=str(path),
        )
    refuse_links(layout.runs, layout.signatures, ExperimentLayout(folder).runs)
    return layout
