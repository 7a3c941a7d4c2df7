"""The marker files that the editor extension looks for in the folder of a run.

Source: specification, section 16.4.
"""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any

from runforge_contracts.codec.strict_json import encode_json
from runforge_contracts.errors import RunForgeError
from runforge_contracts.fs.files import writing
from runforge_contracts.store import layout
from runforge_contracts.store.view_folders import VIEW_MARKER
from runforge_engine.runtime.clock import read_clock
from runforge_engine.store.run_folders import write_once


def mark_cancelled(
    folder: Path, run_dir: str, run_id: str, *, step: str, reason: str | None
) -> None:
    """Leave the marker of a run that was cancelled and has cleaned up."""
    marker = {
        "schema_version": "cancelled.v1.0.0",
        "run_id": run_id,
        "run_dir": run_dir,
        "cancelled_at": read_clock().now(),
        "step": step,
        "reason": reason,
    }
    known = {key: value for key, value in marker.items() if value is not None}
    _leave(folder / layout.CANCELLED_MARKER, known)


def mark_view(folder: Path, run_id: str) -> None:
    """Leave the id of the run that the folder is a view of, at the start of the run.

    A failure loses only that a run that fails is listed twice.
    """
    if folder.is_symlink():
        return
    with contextlib.suppress(OSError):
        folder.mkdir(parents=True, exist_ok=True)
        write_once(folder / VIEW_MARKER, f"{run_id}\n".encode())


def mark_orphan(
    folder: Path, run_dir: str, run_id: str, index_path: str, error: RunForgeError
) -> None:
    """Leave the marker of a run that is complete, but missing in the editor's index."""
    _leave(
        folder / layout.ORPHAN_MARKER,
        {
            "schema_version": "index-orphan.v1.0.0",
            "run_id": run_id,
            "run_dir": run_dir,
            "written_at": read_clock().now(),
            "error": {"type": error.code.value, "message": error.message},
            "index_path": index_path,
        },
    )


def _leave(path: Path, marker: dict[str, Any]) -> None:
    with writing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        write_once(path, encode_json(marker))
