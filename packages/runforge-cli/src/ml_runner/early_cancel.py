"""A cancellation while the entry point of editors starts, before a run can be cancelled.

The process ends at once then. The editor extension takes a run without a marker for one that it
had to kill, so the marker is left and the events are written first, with what is loaded already.
"""

from __future__ import annotations

import contextlib
import json
import os
import time

from runforge_cli.process import interruption

#: Python's names of the signals that an editor sends.
_NAMES = {2: "SIGINT", 15: "SIGTERM"}


def mark_early_cancellation(out: str) -> None:
    """Leave the marker in the folder ``out`` if the process is interrupted from now on.

    Only a folder in ``.ml/runs`` that the editor has made is marked.
    """
    folder = os.path.abspath(out)
    runs, name = os.path.split(folder)
    root = os.path.dirname(runs)
    if (os.path.basename(root), os.path.basename(runs)) != (".ml", "runs"):
        return
    if any(map(os.path.islink, (root, runs, folder))) or not os.path.isdir(folder):
        return
    if os.path.lexists(os.path.join(folder, "run.json")):
        return

    def mark(number: int) -> None:
        _mark(folder, name, f"The run was cancelled by {_NAMES.get(number, number)}.")

    interruption.before_end(mark)


def _mark(folder: str, run_id: str, reason: str) -> None:
    now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    step = "dataset_loading"
    common = {"timestamp": now, "run_id": run_id}
    events = (
        {"event": "cancelling", **common, "seconds_remaining": 0, "step": step},
        {"event": "run_cancelled", **common, "step": step, "reason": reason, "graceful": True},
    )
    with contextlib.suppress(OSError):
        os.write(2, "".join(json.dumps(event) + "\n" for event in events).encode())
    marker = {
        "schema_version": "cancelled.v1.0.0",
        "run_id": run_id,
        "run_dir": f".ml/runs/{run_id}",
        "cancelled_at": now,
        "step": step,
        "reason": reason,
    }
    unfinished = os.path.join(folder, f".cancelled.{os.urandom(8).hex()}.tmp")
    path = os.path.join(folder, ".cancelled")
    if not os.path.lexists(path):
        with open(unfinished, "x", encoding="utf-8") as file:
            file.write(json.dumps(marker, indent=2, ensure_ascii=False) + "\n")
        os.rename(unfinished, path)
