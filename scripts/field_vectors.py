"""Vectors of the documents of other clients: valid ones, and ones with a single mistake.

The documents follow from the examples of the schemas in ``schemas/field``, the broken runs from the
stores in ``docs/test-vectors/field``. ``expected.json`` says what a reader finds in each.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from runforge_conformance.vectors import changed
from runforge_contracts.codec.strict_json import encode_json, parse_json
from runforge_contracts.schemas import FIELD, load_schema, schema_files

_INVALID = "DOCUMENT_INVALID"


class Mistake(NamedTuple):
    """One change of a valid document, and what a reader finds."""

    #: The document, without ``field.``.
    document: str
    name: str
    set: Mapping[str, Any]
    remove: tuple[str, ...] = ()
    pointer: str | None = None

    @property
    def found_at(self) -> str:
        """The pointer of the mistake."""
        return self.pointer or next(iter((*self.set, *self.remove)))


MISTAKES = (
    Mistake("editor_request.v1", "name-number", {"/name": 7}),
    Mistake("editor_request.v1", "no-run-id", {}, ("/run_id",)),
    Mistake("editor_request.v1", "run-id-path", {"/run_id": "../other"}),
    Mistake("editor_request.v1", "seed-text", {"/seed": "7"}),
    Mistake("editor_request.v1", "time-words", {"/created_at": "yesterday"}),
    Mistake("editor_result.v1", "status-unknown", {"/status": "done"}),
    Mistake("editor_result.v1", "duration-text", {"/duration_ms": "2417"}),
    Mistake("editor_result.v1", "duration-negative", {"/duration_ms": -1}),
    Mistake("editor_result.v1", "duration-fraction", {"/duration_ms": 2417.5}),
    Mistake("editor_result.v1", "error-object", {"/error": {"message": "no"}}),
    Mistake("editor_run.v0.2.2.1", "fingerprint-short", {"/dataset/fingerprint_sha256": "abc"}),
    Mistake("editor_run.v0.2.2.1", "accuracy-percent", {"/metrics/accuracy": 93.33}),
    Mistake("editor_run.v0.2.2.1", "model-outside", {"/artifacts/model_pkl": "../model.pkl"}),
    Mistake("editor_index.v1.0.0", "runs-object", {"/runs": {}}),
    Mistake("editor_index.v1.0.0", "entry-no-run-dir", {}, ("/runs/0/run_dir",)),
    Mistake("editor_index.v1.0.0", "metric-null", {"/runs/0/summary/final_metrics/accuracy": None}),
    Mistake("editor_index.v0.2.2.1", "entry-text", {"/runs/0": "20260105-090000-94bb4314"}),
    Mistake("index_array.v1", "entry-no-run-id", {}, ("/0/run_id",)),
    Mistake("cancelled_marker.v1.0.0", "run-id-blank", {"/run_id": "a run"}),
    Mistake("index_orphan_marker.v1.0.0", "error-text", {"/error": "no"}),
    Mistake("desktop_run.v1", "status-succeeded", {"/status": "Succeeded"}),
    Mistake("desktop_run.v1", "created-text", {"/created_at": "2026-02-01T12:00:00Z"}),
    Mistake("desktop_run.v1", "created-beyond", {"/created_at": 253402300800}),
    Mistake("desktop_run.v1", "epochs-text", {"/total_epochs": "10"}),
    Mistake("desktop_metrics_line.v1", "loss-text", {"/loss": "0.5"}),
    Mistake("desktop_request.v1", "time-words", {"/created_at": "yesterday"}),
    Mistake("desktop_request.v1", "no-model", {}, ("/model",)),
    Mistake("desktop_group.v1", "time-words", {"/created_at": "yesterday"}),
    Mistake("desktop_group.v1", "group-id-path", {"/group_id": "../runs"}),
    Mistake("desktop_group.v1", "runs-object", {"/runs": {}}),
    Mistake("desktop_group.v1", "run-id-blank", {"/runs/0/run_id": "a run"}),
    Mistake("desktop_group.v1", "count-negative", {"/summary/total": -1}),
    Mistake("desktop_metrics.v1", "value-text", {"/metrics/classification/accuracy": "0.92"}),
    Mistake("desktop_importance.v1", "value-null", {"/importances/petal_width": None}),
    Mistake("desktop_coefficients.v1", "class-number", {"/coefficients/1": 1.5}),
    Mistake("desktop_interpretability.v1", "no-type", {}, ("/artifacts/0/type",)),
)


class BrokenRun(NamedTuple):
    """A run of a store in which one file is wrong, and what a reader finds."""

    name: str
    #: The run that it is a copy of, below the vectors of the field.
    source: str
    file: str
    code: str
    pointer: str | None
    set: Mapping[str, Any] = {}
    remove: tuple[str, ...] = ()
    #: Replaces the whole file.
    text: bytes | None = None


_EDITOR = "editor-extension-1.2.1/.ml/runs"
_DESKTOP = "desktop-1.0/.ml/runs"
_COMMANDS = "desktop-command-line-0.3.0/.ml/runs"
_LINEAR = f"{_EDITOR}/20260120-100300-logistic-regression-on-two-0003"
_FAILED = f"{_EDITOR}/20260120-101000-failed-00ff"
BROKEN_RUNS = (
    BrokenRun(
        "editor-request-device-list",
        _LINEAR,
        "request.json",
        _INVALID,
        "/actual_device",
        {"/actual_device": ["cpu"]},
    ),
    BrokenRun("editor-request-empty", _LINEAR, "request.json", "JSON_INVALID", None, text=b""),
    BrokenRun(
        "editor-result-duration-text",
        _LINEAR,
        "result.json",
        _INVALID,
        "/duration_ms",
        {"/duration_ms": "3456"},
    ),
    BrokenRun(
        "editor-result-cut-off",
        _FAILED,
        "result.json",
        "JSON_INVALID",
        None,
        text=b'{\n  "run_id": "20260120-101000-failed-00ff",\n  "status": "fai',
    ),
    BrokenRun(
        "editor-run-no-dataset", _LINEAR, "run.json", _INVALID, "/dataset", remove=("/dataset",)
    ),
    BrokenRun(
        "editor-run-newer",
        _LINEAR,
        "run.json",
        "DOCUMENT_VERSION_UNSUPPORTED",
        "/schema_version",
        {"/schema_version": "run.v0.9.0"},
    ),
    BrokenRun(
        "editor-metrics-no-matrix",
        _LINEAR,
        "metrics.v1.json",
        _INVALID,
        "/confusion_matrix",
        remove=("/confusion_matrix",),
    ),
    BrokenRun(
        "editor-coefficients-half-class",
        _LINEAR,
        "artifacts/linear_coefficients.v1.json",
        _INVALID,
        "/classes/0",
        {"/classes/0": 0.5},
    ),
    BrokenRun(
        "desktop-run-status-succeeded",
        f"{_DESKTOP}/20260120-100000-My run 0-0000",
        "run.json",
        _INVALID,
        "/status",
        {"/status": "succeeded"},
    ),
    BrokenRun(
        "desktop-run-created-text",
        f"{_DESKTOP}/20260120-100100-My run 1-0001",
        "run.json",
        _INVALID,
        "/created_at",
        {"/created_at": "2026-01-20T09:01:00Z"},
    ),
    BrokenRun(
        "desktop-command-line-result-error-text",
        f"{_COMMANDS}/20260120-090300-flowers-00ff",
        "result.json",
        _INVALID,
        "/error",
        {"/error": "The label column has one class."},
    ),
    BrokenRun(
        "desktop-command-line-request-no-model",
        f"{_COMMANDS}/20260120-090000-flowers-0000",
        "request.json",
        _INVALID,
        "/model",
        remove=("/model",),
    ),
)


def make_field_documents(target: Path) -> None:
    """Write the documents of other clients, and ``expected.json``, into the folder ``target``."""
    target.mkdir()
    expected = []
    for name in schema_files():
        schema = load_schema(name)
        if not name.startswith(FIELD) or "type" not in schema:
            continue
        example = schema["examples"][0]
        made = {"full": example, "min": _least(schema, example), "unknown-fields": example}
        if isinstance(example, dict):
            made["unknown-fields"] = {**example, "future_field": {"deep": [None]}}
        for kind, document in made.items():
            file = f"{name}.{kind}.json"
            (target / file).write_bytes(encode_json(document))
            expected.append({"file": file, "document": name})
        for mistake in MISTAKES:
            if f"{FIELD}{mistake.document}" == name:
                file = f"{name}.broken-{mistake.name}.json"
                document = changed(example, mistake.set, mistake.remove)
                (target / file).write_bytes(encode_json(document))
                expected.append(
                    {"file": file, "document": name, "code": _INVALID, "pointer": mistake.found_at}
                )
    (target / "expected.json").write_bytes(encode_json(expected))


def make_broken_runs(vectors: Path, target: Path) -> None:
    """Write a workspace for each broken run, and ``faults.json``, into the folder ``target``."""
    target.mkdir()
    for fault in BROKEN_RUNS:
        source = vectors / fault.source
        run = target / fault.name / ".ml/runs" / source.name
        shutil.copytree(source, run)
        path = run / fault.file
        if fault.text is not None:
            path.write_bytes(fault.text)
            continue
        document = changed(parse_json(path.read_bytes()), fault.set, fault.remove)
        path.write_text(json.dumps(document, indent=2, ensure_ascii=False), "utf-8")
    listed = [
        {
            "folder": fault.name,
            "run": f".ml/runs/{Path(fault.source).name}",
            "file": fault.file,
            "code": fault.code,
            **({} if fault.pointer is None else {"pointer": fault.pointer}),
        }
        for fault in BROKEN_RUNS
    ]
    (target / "faults.json").write_bytes(encode_json(listed))


def _least(schema: dict[str, Any], example: Any) -> Any:
    if isinstance(example, list):
        return []
    return {name: value for name, value in example.items() if name in schema["required"]}
