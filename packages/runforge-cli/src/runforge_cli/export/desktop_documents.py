"""The documents of a run in the forms that Desktop reads.

Desktop takes a document of which one member has another type for absent, so that nothing is written
here but what it knows: integers as integers, finite numbers, no null where it wants a string.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from runforge_contracts.store import layout

from runforge_cli.export.client_record import ClientRecord, iso_time

#: Desktop's words for the end of a run; it has none for an interruption, which it calls failed.
_ENDED = {"succeeded": "Completed", "unknown": "Completed", "cancelled": "Cancelled"}
#: The largest integer of a count in Desktop.
_LARGEST = 2**31 - 1
#: Metrics of the record that are no measure.
_OTHERS = ("schema_version", "metrics_profile", "num_classes", "confusion_matrix", "class_labels")


def run_manifest(record: ClientRecord, folder: str) -> dict[str, Any]:
    """Return ``run.json``, which Desktop lists runs by.

    Parameters
    ----------
    record
        The run.
    folder
        The path of the exported folder.
    """
    summary = record.summary
    manifest: dict[str, Any] = {
        "run_id": record.run.id,
        "name": record.name,
        "status": _ENDED.get(record.status, "Failed"),
        "device": "GPU" if summary.model.device == "gpu" else "CPU",
        "preset": record.preset,
        "dataset_path": record.dataset,
        "output_path": folder,
        "created_at": record.started_at // 1000,
        "started_at": record.started_at // 1000,
        "completed_at": record.finished_at // 1000,
        # Said as "none", because Desktop has defaults of its own, which would not be true.
        "total_epochs": _count(record.epochs()),
        "batch_size": 0,
        "learning_rate": 0,
        "num_samples": _count(summary.data.rows),
        "optimizer": _text(record.hyperparameters.get("solver")),
        "scheduler": "",
    }
    if record.error:
        manifest["error"] = record.error[0]
    return manifest


def request_document(record: ClientRecord) -> dict[str, Any]:
    """Return ``request.json``: what was asked for, with the members that Desktop requires."""
    asked, model = record.request, record.request.get("model") or {}
    device = asked.get("device") or {}
    request: dict[str, Any] = {
        "version": 1,
        "preset": record.preset,
        "dataset": {"path": record.dataset, "label_column": record.summary.data.label_column or ""},
        "model": {
            "family": _text(model.get("family")) or record.summary.model.family or "unknown",
            "hyperparameters": canonical(model.get("hyperparameters") or {}),
        },
        "device": {"type": _text(device.get("type")) or record.summary.model.device or "cpu"},
        "created_at": _text(asked.get("created_at")) or iso_time(record.started_at),
        "created_by": _text(asked.get("created_by")) or record.client,
    }
    if record.summary.outcome.rerun_from:
        request["rerun_from"] = record.summary.outcome.rerun_from
    if _text(asked.get("name")):
        request["name"] = asked["name"]
    if record.tags:
        request["tags"] = list(record.tags)
    if record.notes:
        request["notes"] = record.notes
    return request


def result_document(record: ClientRecord, files: Mapping[str, int]) -> dict[str, Any]:
    """Return ``result.json``.

    Desktop shows every status but two as a run that goes on, so that a cancelled run has failed
    here, and its error says what happened.

    Parameters
    ----------
    record
        The run.
    files
        Size of each exported artifact, by its path.
    """
    result: dict[str, Any] = {
        "version": 1,
        "status": "succeeded" if record.succeeded else "failed",
        "started_at": iso_time(record.started_at),
        "finished_at": iso_time(record.finished_at),
        "duration_ms": record.duration_ms,
        "summary": {"metrics": dict(record.metrics)},
        "artifacts": [
            {"path": path, "type": _type(path), "bytes": size} for path, size in files.items()
        ],
    }
    chosen = record.summary.outcome.primary_metric
    if chosen is not None and chosen.name in record.metrics:
        result["summary"]["primary_metric"] = {"name": chosen.name, "value": chosen.value}
    family, label = record.summary.model.family, record.summary.data.label_column
    if family and label:
        device = {"type": record.summary.model.device or "cpu"}
        if record.summary.model.gpu_reason:
            device["gpu_reason"] = record.summary.model.gpu_reason
        result["effective_config"] = {
            "model": {"family": family, "hyperparameters": canonical(record.hyperparameters)},
            "device": device,
            "preset": record.preset,
            "dataset": {"path": record.dataset, "label_column": label},
        }
    if record.error:
        result["error"] = {"message": record.error[0], "type": record.error[1]}
    return result


def phase2_metrics(record: ClientRecord) -> dict[str, Any] | None:
    """Return ``metrics.json``, or None if training did not complete."""
    document = record.document(layout.METRICS) or (record.run.record or {}).get("metrics")
    names = ("accuracy", "num_samples", "num_features")
    if not document or not all(name in document for name in names):
        return None
    accuracy, samples, features = (document[name] for name in names)
    return {
        "accuracy": accuracy,
        "num_samples": _count(samples),
        "num_features": _count(features),
    }


def interpretability(record: ClientRecord) -> dict[str, dict[str, Any]]:
    """Return Desktop's interpretability documents, by their path in the run folder."""
    family = record.summary.model.family or "unknown"
    time = iso_time(record.finished_at)
    made: dict[str, dict[str, Any]] = {}
    entries: list[dict[str, Any]] = []
    for name, (source, translate) in _TRANSLATIONS.items():
        entry = {"type": name, "schema_version": name, "path": f"artifacts/{name}.json"}
        document = record.document(source)
        if document is not None:
            made[entry["path"]] = {
                "schema_version": name,
                "model_family": family,
                **translate(document),
                "computed_at": time,
            }
            entries.append({**entry, "available": True})
        else:
            why = _reason(record, source)
            entries.append({**entry, "available": False, "unavailable_reason": why})
    made[layout.INTERPRETABILITY_INDEX] = {
        "schema_version": "interpretability.index.v1",
        "run_id": record.run.id,
        "model_family": family,
        "generated_at": time,
        "artifacts": entries,
    }
    return made


def index_entry(record: ClientRecord, name: str) -> dict[str, Any]:
    """Return the entry of Desktop's index for the run in the folder ``name``."""
    return {
        "run_id": name,
        "created_at": iso_time(record.started_at),
        "name": record.name,
        "preset_id": record.preset,
        "status": "succeeded" if record.succeeded else "failed",
        "run_dir": f".ml/runs/{name}",
        "summary": {
            "duration_ms": record.duration_ms,
            "final_metrics": dict(record.metrics),
            "device": "gpu" if record.summary.model.device == "gpu" else "cpu",
        },
    }


def canonical(value: Any) -> Any:
    """Return a value with sorted keys and integral numbers as integers.

    Desktop compares hyperparameters as text.
    """
    if isinstance(value, Mapping):
        return {str(key): canonical(value[key]) for key in sorted(value, key=str)}
    if isinstance(value, list | tuple):
        return [canonical(item) for item in value]
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        return int(value)
    return value


def _metrics(document: Mapping[str, Any]) -> dict[str, Any]:
    groups: dict[str, dict[str, float]] = {"overall": {}}
    for name, value in document.items():
        if name not in _OTHERS and _is_number(value):
            groups["overall"][name] = value
    labels = document.get("class_labels") or []
    for place, label in enumerate(labels):
        found = {
            name: values[place]
            for name in ("precision", "recall", "f1")
            if len(values := document.get(f"per_class_{name}") or []) == len(labels)
        }
        if found:
            groups[_free(f"class {label_text(label)}", groups)] = found
    return {"profile_id": document.get("metrics_profile", ""), "metrics": groups}


def _importance(document: Mapping[str, Any]) -> dict[str, Any]:
    values: dict[str, float] = {}
    for feature in document["features_by_importance"]:
        values[_free(feature["name"], values)] = feature["importance"]
    return {"importances": values, "method": document["importance_type"]}


def _coefficients(document: Mapping[str, Any]) -> dict[str, Any]:
    tables: dict[str, dict[str, float]] = {}
    for group in document["coefficients_by_class"]:
        table: dict[str, float] = {}
        for feature in group["features"]:
            table[_free(feature["name"], table)] = feature["coefficient"]
        tables[label_text(group["class"])] = table
    return {
        "coefficients": tables,
        "intercepts": {
            label_text(item["class"]): item["intercept"] for item in document["intercepts"]
        },
        "standardized": document["coefficient_space"] == "standardized",
    }


#: The record's document for each of Desktop's, and how it is translated.
_TRANSLATIONS: dict[str, tuple[str, Callable[[Mapping[str, Any]], dict[str, Any]]]] = {
    "metrics.v1": (layout.METRICS_V1, _metrics),
    "feature_importance.v1": (layout.FEATURE_IMPORTANCE, _importance),
    "linear_coefficients.v1": (layout.LINEAR_COEFFICIENTS, _coefficients),
}
_TYPES = {
    layout.MODEL: "model",
    layout.METRICS: "metrics",
    "artifacts/metrics.json": "metrics",
    "artifacts/metrics.v1.json": "metrics",
    layout.FEATURE_IMPORTANCE: "feature_importance",
    layout.LINEAR_COEFFICIENTS: "linear_coefficients",
}
_FAMILIES = {
    layout.FEATURE_IMPORTANCE: ("random_forest",),
    layout.LINEAR_COEFFICIENTS: ("logistic_regression", "linear_svc"),
}


def _reason(record: ClientRecord, source: str) -> str:
    """Return Desktop's word for why an artifact is missing."""
    family = record.summary.model.family
    if family and source in _FAMILIES and family not in _FAMILIES[source]:
        return "not_supported_for_model"
    return "invalid" if (record.run.path / source).is_file() else "not_generated"


def label_text(label: Any) -> str:
    """Return a class label as text; an integral float as an integer."""
    return str(canonical(label))


def _free(name: str, taken: Mapping[str, Any]) -> str:
    """Return ``name``, with a number if it is taken: other clients allow two columns of a name."""
    found, number = name, 1
    while found in taken:
        number += 1
        found = f"{name} ({number})"
    return found


def _type(path: str) -> str:
    """Return the type of an artifact; the types are those of ``result.json`` of the contract."""
    if path.endswith("encoder.pkl"):
        return "encoder"
    return _TYPES.get(path, "other")


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _count(value: Any) -> int:
    """Return a count as Desktop holds it, or 0 if there is none."""
    whole = int(value) if _is_number(value) else 0
    return whole if 0 <= whole <= _LARGEST else 0


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""
