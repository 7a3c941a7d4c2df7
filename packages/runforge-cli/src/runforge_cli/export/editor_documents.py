"""What the editor extension keeps beside the files of a run: its own request, result and marker."""

from __future__ import annotations

import hashlib
import re
from typing import Any

from runforge_contracts.run_ids import is_run_id
from runforge_engine.store.run_view import editor_preset

from runforge_cli.export.client_record import ClientRecord, iso_time

#: The extension has no result for a cancelled run: it has failed, with this text.
CANCELLED = "Cancelled (graceful) — partial cleanup completed"
#: The last event in the log, and the step that follows it, in the extension's words.
_STEPS = {
    "artifacts_written": "shutdown",
    "metrics_computed": "artifact_writing",
    "train_finished": "metrics_computation",
    "train_progress": "training",
    "train_started": "training",
}
#: Presets whose names the extension does not have pass for the standard one.
_STANDARD = "std-train"
_SLUG = re.compile(r"[^a-z0-9]+")


def editor_folder(record: ClientRecord) -> str:
    """Return the name of a run folder as the extension forms it: time, name, four hex digits."""
    stamp = record.run.id[:15] if is_run_id(record.run.id) else _stamp(record.started_at)
    name = record.name if record.name != record.run.id else record.summary.model.family or ""
    slug = _SLUG.sub("-", name.lower()).strip("-")[:32].strip("-") or "run"
    digits = hashlib.sha256(record.run.id.encode()).hexdigest()[:4]
    return f"{stamp}-{slug}-{digits}"


def editor_preset_id(record: ClientRecord) -> str:
    """Return the one of the extension's two presets that is nearest to the run's."""
    preset = editor_preset(record.preset)
    return preset if preset in (_STANDARD, "hq-train") else _STANDARD


def editor_request(record: ClientRecord, folder: str) -> dict[str, Any]:
    """Return ``request.json`` as the extension writes it before it trains."""
    gpu = record.summary.model.device == "gpu"
    asked = (record.request.get("device") or {}).get("type")
    request = {
        "run_id": folder,
        "name": record.name,
        "preset_id": editor_preset_id(record),
        "seed": record.summary.model.seed,
        "created_at": iso_time(record.started_at).replace("Z", ".000+00:00"),
        "requested_device": "cuda" if asked == "gpu" else "cpu",
        "actual_device": "cuda" if gpu else "cpu",
        "gpu_reason": "sufficient_vram" if gpu else "no_cuda",
    }
    return {name: value for name, value in request.items() if value is not None}


def editor_result(record: ClientRecord, folder: str) -> dict[str, Any]:
    """Return ``result.json`` as the extension writes it after the training."""
    result: dict[str, Any] = {
        "run_id": folder,
        "status": "succeeded" if record.succeeded else "failed",
        "exit_code": 0 if record.succeeded else 1,
        "duration_ms": record.duration_ms,
    }
    if record.error:
        result["error"] = CANCELLED if record.status == "cancelled" else record.error[0]
    return result


def cancelled_marker(record: ClientRecord, folder: str) -> dict[str, Any]:
    """Return the marker that the extension's engine leaves in the folder of a cancelled run."""
    lines = record.lines()
    events = [name for name in _STEPS if any(f"Z {name}" in line for line in lines)]
    return {
        "schema_version": "cancelled.v1.0.0",
        "run_id": record.run.id,
        "run_dir": f".ml/runs/{folder}",
        "cancelled_at": iso_time(record.finished_at),
        "step": _STEPS[events[0]] if events else "dataset_loading",
    }


def _stamp(milliseconds: int) -> str:
    return iso_time(milliseconds).replace("-", "").replace(":", "").replace("T", "-")[:15]
