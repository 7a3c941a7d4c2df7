"""A workspace of another client, to which exported runs are added.

Nothing in it is changed or deleted: each run gets a new folder in ``.ml/runs``, which appears
complete, and a new entry in ``.ml/outputs/index.json``. A file ``origin.json``, which the clients
ignore, says in each folder which record it comes from, so that the run is exported once, and what
the client changed since is noticed.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from runforge_contracts.codec.strict_json import MAX_BYTES, encode_json, parse_json
from runforge_contracts.display import quote
from runforge_contracts.errors import ErrorCode, RunForgeError
from runforge_contracts.fs.files import digest_file, read_file, write_file, writing
from runforge_contracts.fs.folders import list_folder, walk_folder
from runforge_contracts.store import layout
from runforge_contracts.store.foreign_index import ARRAY_FORM, OWN_FORM
from runforge_contracts.store.layout import DEFAULT_STORE, LEGACY_STORE, StoreLayout
from runforge_contracts.store.run import Run
from runforge_contracts.system.file_names import is_alias
from runforge_contracts.system.system_files import sync_folder
from runforge_engine.store.editor_index import append_foreign_entries, read_editor_index
from runforge_engine.store.run_folders import write_once

from runforge_cli import CLIENT

#: The file that names the record of an exported run.
ORIGIN = "origin.json"
#: Times of files that differ by less may be equal for a client, in nanoseconds.
_MOMENT = 5_000_000
#: Characters that Windows refuses.
_FORBIDDEN = frozenset('<>:"/\\|?*')


class Added(NamedTuple):
    """A run of the workspace."""

    folder: Path
    #: Whether it was added now.
    new: bool
    #: Files that differ from what was exported before.
    changed: Sequence[str] = ()


class ClientWorkspace:
    """The workspace in a folder, which exists.

    Parameters
    ----------
    folder
        The workspace.
    as_list
        Whether the index is a bare list, as Desktop has it, or an object, as the editor has it.

    Raises
    ------
    RunForgeError
        ``USAGE_INVALID`` for a workspace of RunForge, for links, and for an index in the form of
        another client; ``INDEX_INVALID`` for one that is not understood.
    """

    def __init__(self, folder: Path, *, as_list: bool) -> None:
        self.folder = Path(os.path.realpath(folder))
        self.store = StoreLayout(self.folder, LEGACY_STORE)
        self._as_list = as_list
        self._check_links()
        self._check_records()
        self._check_index()
        #: Whether runs are listed. Desktop lists the folders where there is no index, so that one
        #: that is begun now would hide its runs.
        self.lists = not as_list or self.store.index.exists() or not list_folder(self.store.runs)

    def prepare(self) -> None:
        """Create the folders, and Desktop's index, which has a form of its own."""
        for folder in (self.store.runs, self.store.index.parent):
            with writing(folder):
                folder.mkdir(parents=True, exist_ok=True)
        if self.lists and self._as_list:
            with writing(self.store.index):
                write_once(self.store.index, b"[\n]\n")

    def add(
        self, run: Run, name: str, run_dir: str, write: Callable[[Path, Path], None]
    ) -> Added | None:
        """Add a run, unless it was added before.

        Parameters
        ----------
        run
            The run.
        name
            The name that its folder should have.
        run_dir
            What the origin says of where the run is.
        write
            Called with an empty folder to write into, and with the path that it will have.

        Returns
        -------
        Added | None
            None if the names are taken by other runs.
        """
        identity = _identity(run)
        name = name if _is_name(name) else "run"
        for candidate in (name, f"{name}-{identity[:8]}"):
            target = self.store.run_folder(candidate)
            if not os.path.lexists(target) and self._write(run, identity, target, run_dir, write):
                return Added(target, new=True)
            origin = _origin(target)
            if origin is not None and origin.get("identity") == identity:
                return Added(target, new=False, changed=_changed(target, origin))
        return None

    def list(self, entries: Iterable[dict[str, Any]]) -> None:
        """Append entries to the index, except those that it has."""
        if self.lists:
            append_foreign_entries(self.store, list(entries))

    def _write(
        self,
        run: Run,
        identity: str,
        target: Path,
        run_dir: str,
        write: Callable[[Path, Path], None],
    ) -> bool:
        """Write the folder of a run; return False if another process has made it meanwhile."""
        # Not among the runs: a client shows every folder that it finds there.
        with writing(self.store.root):
            unfinished = Path(tempfile.mkdtemp(prefix=".export-", dir=self.store.root))
        try:
            write(unfinished, target)
            files = {
                item.place: digest_file(item.path).sha256
                for item in walk_folder(unfinished)
                if item.kind == "file" and item.place != ORIGIN
            }
            origin = {
                "exported_by": CLIENT,
                "run_id": run.id,
                "record": run_dir,
                "identity": identity,
                "files": dict(sorted(files.items())),
            }
            write_file(unfinished / ORIGIN, encode_json(origin))
            with writing(target):
                unfinished.chmod(self.store.runs.stat().st_mode & 0o777)
                try:
                    unfinished.rename(target)
                except OSError:
                    if not os.path.lexists(target):
                        raise
                    return False
                self._make_newest(target)
                sync_folder(target.parent)
        finally:
            shutil.rmtree(unfinished, ignore_errors=True)
        return True

    def _make_newest(self, folder: Path) -> None:
        """Make a run folder the one changed last, which the editor shows, on a coarse clock too."""
        others = [
            entry.stat(follow_symlinks=False).st_mtime_ns
            for entry in list_folder(self.store.runs)
            if entry.name != folder.name
        ]
        own = folder.stat()
        time = max([own.st_mtime_ns, *(other + _MOMENT for other in others)])
        os.utime(folder, ns=(own.st_atime_ns, time))

    def _check_links(self) -> None:
        index = self.store.index
        for path in (self.store.root, self.store.runs, index.parent, index):
            if path.is_symlink():
                raise _refused(path, "is a symbolic link; nothing is written through one")

    def _check_records(self) -> None:
        if os.path.lexists(self.folder / DEFAULT_STORE):
            raise _refused(self.folder, "has a store of RunForge, whose runs would be there twice")
        for entry in list_folder(self.store.runs):
            if (Path(entry.path) / layout.MANIFEST).is_file():
                raise _refused(self.store.root, "is a store of RunForge, where no files are added")

    def _check_index(self) -> None:
        index = read_editor_index(self.store.index)
        if index is None:
            return
        if index.form == OWN_FORM:
            raise _refused(self.store.root, "is a store of RunForge, where no files are added")
        if (index.form == ARRAY_FORM) is not self._as_list:
            other = "the editor extension" if self._as_list else "Desktop"
            raise _refused(self.store.index, f"is in the form of another client, {other}")


def _is_name(name: str) -> bool:
    """Return whether every system can have a folder of this name."""
    return (
        0 < len(name) <= 100
        and name.isprintable()
        and not set(name) & _FORBIDDEN
        and name[0] != "."
        and name[0] != " "
        and not is_alias(name)
    )


def _refused(path: Path, why: str) -> RunForgeError:
    return RunForgeError(
        ErrorCode.USAGE_INVALID,
        f"{quote(path, 200)} {why}.",
        hint="Choose another folder with -o.",
        path=str(path),
    )


def _identity(run: Run) -> str:
    """Return a digest that tells a run from others with its id, wherever it lies.

    It is made of the first document that the run has, which no client changes later.
    """
    for file in (layout.RUN, layout.REQUEST, layout.RESULT):
        if os.path.lexists(run.path / file):
            digest = digest_file(run.path / file).sha256
            return hashlib.sha256(f"{run.id}\n{file}\n{digest}".encode()).hexdigest()
    return hashlib.sha256(f"{run.id}\n".encode()).hexdigest()


def _origin(folder: Path) -> dict[str, Any] | None:
    try:
        origin = parse_json(read_file(folder / ORIGIN, max_bytes=MAX_BYTES))
    except RunForgeError:
        return None
    return origin if isinstance(origin, dict) else None


def _changed(folder: Path, origin: dict[str, Any]) -> list[str]:
    """Return the exported files that differ now, or are gone."""
    files, changed = origin.get("files"), []
    for name, digest in files.items() if isinstance(files, dict) else ():
        if ".." in Path(name).parts or Path(name).is_absolute():
            continue
        try:
            if digest_file(folder / name).sha256 != digest:
                changed.append(name)
        except RunForgeError:
            changed.append(name)
    return changed
