"""Write a view of a record: the files that an editor reads, in a folder that the editor made.

The editor keeps writing to that folder, so it cannot be sealed: the record stays in the store, and
the folder gets copies of its files. Nothing that is there is replaced.

Source: specification, section 16.4.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from runforge_contracts.display import quote
from runforge_contracts.errors import ErrorCode, RunForgeError
from runforge_contracts.fs.files import open_file, rename_new, writing
from runforge_contracts.store import layout
from runforge_contracts.store.layout import LEGACY_STORE, StoreLayout
from runforge_contracts.store.reading import describe, run_folders
from runforge_contracts.store.run import Run
from runforge_contracts.store.view_folders import VIEW_FILES, VIEW_MARKER, record_of
from runforge_contracts.system.system_files import sync_file, sync_folder

from runforge_engine.store.editor_index import read_editor_index

#: The files of a view, in the order of writing: an editor takes ``run.json`` for a complete run.
_COPIED = (
    layout.MODEL,
    layout.FEATURE_IMPORTANCE,
    layout.LINEAR_COEFFICIENTS,
    layout.INTERPRETABILITY_INDEX,
    *reversed(VIEW_FILES),
)
#: Files that show that a folder belongs to a run that has ended.
_ENDED = (
    layout.RESULT,
    layout.MANIFEST,
    layout.STATEMENT,
    layout.DIAGNOSTICS,
    layout.CANCELLED_MARKER,
    VIEW_MARKER,
)
#: The names that the editor extension has for presets and devices.
_PRESETS = {"balanced": "std-train", "thorough": "hq-train"}
_DEVICES = {"gpu": "cuda"}


def editor_preset(preset: str) -> str:
    """Return the name that the editor extension has for a preset, if it has one."""
    return _PRESETS.get(preset, preset)


def check_view_folder(folder: Path, store: StoreLayout) -> None:
    """Refuse a folder that cannot become the view of a new run of ``store``; write nothing.

    It may be missing, or contain what an editor puts there before it trains.

    Raises
    ------
    RunForgeError
        ``FILE_UNSAFE`` if it, or a folder between it and the workspace, is a link or no folder;
        ``USAGE_INVALID`` if it contains a store or is in one, but not directly among its runs;
        ``RUN_ALREADY_COMPLETE`` if it contains a file that would be written.
    """
    editors = StoreLayout(store.workspace, LEGACY_STORE)
    for root in (store, editors):
        inside = _is_inside(folder, root.root)
        among = root is editors and os.path.realpath(folder.parent) == os.path.realpath(root.runs)
        if _is_inside(root.root, folder) or (inside and not among):
            raise RunForgeError(
                ErrorCode.USAGE_INVALID,
                f"{quote(folder, 200)} cannot be the folder of a run.",
                hint=f"Name a new folder in {quote(editors.relative(editors.runs))}, or one that"
                " has nothing to do with a store.",
                path=str(folder),
            )
    for path in (*_below(store.workspace, folder), folder / layout.ARTIFACTS):
        _require_folder(path)
    for file in (*_ENDED, *_COPIED):
        if os.path.lexists(folder / file):
            raise RunForgeError(
                ErrorCode.RUN_ALREADY_COMPLETE,
                f"The folder {quote(folder, 200)} contains {quote(file)} already.",
                hint="Nothing is overwritten: name a folder that no run has used.",
                path=str(folder / file),
            )


def write_view(record: Run, folder: Path) -> list[str]:
    """Copy the files that an editor reads from ``record`` to ``folder``; return their paths.

    A reader sees each file complete or not at all, ``run.json`` last. If that fails, the copies
    made so far are removed.

    Raises
    ------
    RunForgeError
        ``STORE_NOT_WRITABLE``, also if a file exists already; ``FILE_UNSAFE`` for links.
    """
    made: list[Path] = []
    files = [file for file in _COPIED if os.path.lexists(record.path / file)]
    try:
        with writing(folder):
            for path in (folder, folder / layout.ARTIFACTS):
                _require_folder(path)
                path.mkdir(parents=True, exist_ok=True)
            for file in files:
                _copy_new(record.path / file, folder / file)
                made.append(folder / file)
            for path in (folder / layout.ARTIFACTS, folder):
                sync_folder(path)
    except BaseException:
        for path in made:
            with contextlib.suppress(OSError):
                path.unlink()
        raise
    return files


def editor_entry(run: Run, view: Path) -> dict[str, Any]:
    """Return the entry of the editor's index for a view of ``run``: its ten fields.

    Parameters
    ----------
    run
        A run that succeeded.
    view
        Its folder in ``.ml/runs`` of the workspace.
    """
    editors = StoreLayout(view.parents[2], LEGACY_STORE)
    entry = describe(run, editors)
    place = editors.relative(view)
    summary = entry["summary"]
    device = summary.get("device", "cpu")
    return {
        "run_id": entry["run_id"],
        "created_at": entry["created_at"],
        "name": entry.get("name", entry["run_id"]),
        "preset_id": editor_preset(entry.get("preset_id", "custom")),
        "status": entry.get("status", "succeeded"),
        "summary": {
            "duration_ms": summary.get("duration_ms", 0),
            "final_metrics": summary["final_metrics"],
            "device": _DEVICES.get(device, device),
        },
        "run_dir": place,
        # The extension fails on an entry that lacks one of these.
        "dataset_fingerprint_sha256": entry.get("dataset_fingerprint_sha256", ""),
        "label_column": entry.get("label_column", ""),
        "model_pkl": f"{place}/{layout.MODEL}",
    }


def lost_entries(editors: StoreLayout) -> list[dict[str, Any]]:
    """Return entries for the views that the editor's index should list but does not, oldest first.

    An engine that takes no lock can write the index back without an entry, long after it was added.
    An index that cannot be read lists nothing that could be compared.
    """
    try:
        index = read_editor_index(editors.index)
    except RunForgeError:
        return []
    listed = set() if index is None else {str(entry.get("run_dir")) for entry in index.entries}
    found = []
    for folder in run_folders(editors):
        if editors.relative(folder) in listed or not (folder / layout.RUN).is_file():
            continue
        # Whether a view is in order is for `verify` to say.
        with contextlib.suppress(RunForgeError):
            record = record_of(folder, editors)
            if record is not None:
                found.append(editor_entry(Run(record), folder))
    return sorted(found, key=lambda entry: str(entry["created_at"]))


def editor_store(view: Path) -> StoreLayout | None:
    """Return the editor's store that the folder ``view`` is a run of, by its path, or None."""
    if view.parent.name != "runs" or view.parents[1].name != LEGACY_STORE:
        return None
    return StoreLayout(view.parents[2], LEGACY_STORE)


def _copy_new(source: Path, path: Path) -> None:
    unfinished = path.with_name(f".{path.name}.{os.urandom(8).hex()}.tmp")
    try:
        with open_file(source) as data, unfinished.open("xb") as file:
            shutil.copyfileobj(data, file, 2**20)
            file.flush()
            sync_file(file.fileno())
        rename_new(unfinished, path)
    finally:
        unfinished.unlink(missing_ok=True)


def _require_folder(path: Path) -> None:
    """Refuse a link or a file where a folder must be; it may be missing."""
    try:
        mode = path.lstat().st_mode
    except (FileNotFoundError, NotADirectoryError):
        return
    if not stat.S_ISDIR(mode):
        kind = "a symbolic link" if stat.S_ISLNK(mode) else "not a folder"
        raise RunForgeError(
            ErrorCode.FILE_UNSAFE,
            f"{quote(path, 200)} is {kind}; a run is never written through one.",
            hint="Name a folder that no run has used.",
            path=str(path),
        )


def _below(workspace: Path, folder: Path) -> Iterator[Path]:
    """Yield the folders from below ``workspace`` down to ``folder``."""
    if folder.is_relative_to(workspace):
        for parent in reversed(folder.relative_to(workspace).parents):
            if parent.parts:
                yield workspace / parent
    yield folder


def _is_inside(path: Path, folder: Path) -> bool:
    return Path(os.path.realpath(path)).is_relative_to(os.path.realpath(folder))
