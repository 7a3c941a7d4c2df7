"""Views: run folders in ``.ml`` that repeat the files of a run of ``.runforge``.

A client that works in a run folder of its own, such as the editor extension, has the record of the
run in the store and a copy of its files in that folder, which it keeps writing to.

Source: specification, section 5.10.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from runforge_contracts.codec.strict_json import MAX_BYTES, parse_json
from runforge_contracts.errors import RunForgeError
from runforge_contracts.fs.files import read_file
from runforge_contracts.run_ids import is_any_run_id
from runforge_contracts.store import layout
from runforge_contracts.store.layout import (
    DEFAULT_STORE,
    LEGACY_STORE,
    StoreLayout,
    find_workspace,
)
from runforge_contracts.store.moved_store import is_stray_link

#: A file with the id of the run that a view repeats, on one line. It is there from the start of the
#: run, so that a run that fails, which has no ``run.json``, is known, too.
VIEW_MARKER = ".runforge-view"
#: Files of a record that a view repeats, besides everything in ``artifacts/``.
VIEW_FILES = (layout.RUN, layout.METRICS, layout.METRICS_V1)

_MAX_MARKER = 1024
_OF_A_RUN = (layout.REQUEST, layout.RESULT, layout.RUN)


def may_have_views(store: StoreLayout) -> bool:
    """Return whether the store can have views: it is ``.ml``, and beside it is ``.runforge``."""
    if store.name != LEGACY_STORE:
        return False
    records = StoreLayout(store.workspace, DEFAULT_STORE)
    return records.runs.is_dir() and not any(map(is_stray_link, (records.root, records.runs)))


def record_of(folder: Path, store: StoreLayout) -> Path | None:
    """Return the folder of the run that ``folder`` is a view of; None if it is not a view.

    A view is in the folder of the runs of ``.ml``, its documents have the id of another folder, and
    that is the id of a run of ``.runforge`` in the same workspace.
    """
    if not may_have_views(store) or folder.parent != store.runs or folder.is_symlink():
        return None
    run_id = repeated_id(folder)
    if run_id is None:
        return None
    return _with_run(StoreLayout(store.workspace, DEFAULT_STORE).run_folder(run_id))


def repeated_id(folder: Path) -> str | None:
    """Return the id of another run that the documents of a run folder have, or None."""
    run_id = _object(folder / layout.RUN).get("run_id")
    if not isinstance(run_id, str):
        run_id = _marked(folder / VIEW_MARKER)
    if not isinstance(run_id, str):
        # A cancelled run has no `run.json`.
        run_id = _object(folder / layout.CANCELLED_MARKER).get("run_id")
    is_other = isinstance(run_id, str) and run_id != folder.name and is_any_run_id(run_id)
    return run_id if is_other else None


def record_of_path(folder: Path) -> Path | None:
    """Return the folder of the run that the folder at a path is a view of, or None.

    A view outside of ``.ml`` is in the workspace of its run and has no manifest, as a copy of a
    whole run has.
    """
    folder = folder.absolute()
    if len(folder.parts) < 4:
        return None
    root = folder.parents[1]
    record = record_of(folder, StoreLayout(root.parent, root.name))
    if record is not None or folder.is_symlink() or (folder / layout.MANIFEST).exists():
        return record
    workspace = find_workspace(folder, DEFAULT_STORE)
    run_id = repeated_id(folder)
    if run_id is None or folder.is_relative_to(workspace / DEFAULT_STORE):
        return None
    return _with_run(StoreLayout(workspace, DEFAULT_STORE).run_folder(run_id))


def _with_run(record: Path) -> Path | None:
    """Return the folder of a run if it exists and has a document of the run."""
    if any(map(is_stray_link, (record, *record.parents[:2]))) or not record.is_dir():
        return None
    return record if any((record / file).is_file() for file in _OF_A_RUN) else None


def _marked(path: Path) -> str | None:
    try:
        return read_file(path, max_bytes=_MAX_MARKER).decode("ascii", "replace").rstrip("\r\n")
    except RunForgeError:
        return None


def _object(path: Path) -> dict[str, Any]:
    """Return the object in a file; empty if there is none."""
    try:
        raw = parse_json(read_file(path, max_bytes=MAX_BYTES))
    except RunForgeError:
        return {}
    return raw if isinstance(raw, dict) else {}
