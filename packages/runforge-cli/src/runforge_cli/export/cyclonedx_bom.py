"""Write the bill of materials of a run's model: a CycloneDX 1.6 ML-BOM.

The model is a component with a model card; its dataset and the packages that can change it are the
components that it depends on. Nothing is in it that the record does not have: the time is that of
the run, and the serial number follows from the content.

Source: CycloneDX 1.6, JSON reference, "modelCard", "data" and "compositions"; package-url
specification, type ``pypi``; RFC 9562, section 5.5.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import Any

from runforge_contracts.codec.strict_json import encode_json
from runforge_contracts.store.run import Run
from runforge_contracts.store.summary import RunSummary, summary_of
from runforge_engine.provenance.slsa import package_url

from runforge_cli import __version__
from runforge_cli.export.shared_run import SharedRun, validation_metrics
from runforge_cli.report.report_input import file_name

#: Serial numbers are made in this namespace.
_NAMESPACE = uuid.uuid5(uuid.NAMESPACE_URL, "https://runforge.dev/exports/cyclonedx")
_MODEL, _DATASET, _RECIPE = "model", "dataset", "recipe"
_FAMILIES = {
    "logistic_regression": "linear model",
    "linear_svc": "linear model",
    "random_forest": "decision trees",
}


def bill_of_materials(shared: SharedRun) -> bytes:
    """Return the bill of materials of a run's model as JSON.

    Raises
    ------
    RunForgeError
        ``ARTIFACT_NOT_FOUND`` if the run has no model; what reading its documents raises.
    """
    run = shared.trained()
    summary = summary_of(run)
    inputs, packages = list(_inputs(summary)), list(_packages(summary))
    components = [*inputs, *packages]
    document = {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {
            **({"timestamp": moment} if (moment := summary.outcome.finished_at) else {}),
            "tools": {
                "components": [
                    {"type": "application", "name": "runforge-cli", "version": __version__}
                ]
            },
            "component": _model(shared, run, summary, [item["bom-ref"] for item in inputs]),
        },
        "components": components,
        "dependencies": [
            {"ref": _MODEL, "dependsOn": sorted(item["bom-ref"] for item in components)},
            *({"ref": item["bom-ref"]} for item in components),
        ],
        # Recorded are the packages that can change a bit of the model, and no others.
        "compositions": [{"aggregate": "incomplete", "dependencies": [_MODEL]}],
    }
    serial = uuid.uuid5(_NAMESPACE, encode_json(document).decode())
    return encode_json({"serialNumber": serial.urn, **document})


def _model(shared: SharedRun, run: Run, summary: RunSummary, datasets: list[str]) -> dict[str, Any]:
    sha256 = shared.digests.get(summary.model.file or "")
    component: dict[str, Any] = {
        "type": "machine-learning-model",
        "bom-ref": _MODEL,
        "name": summary.outcome.name or f"model of {run.id}",
        "version": run.id,
    }
    if sha256 is not None:
        component["hashes"] = _hashes(sha256)
    if shared.license is not None:
        component["licenses"] = [{"expression": shared.license}]
    if shared.author is not None:
        component["authors"] = [{"name": shared.author}]
    properties = list(_properties(run, summary))
    return {
        **component,
        "modelCard": _card(run, summary, datasets),
        **({"properties": properties} if properties else {}),
    }


def _card(run: Run, summary: RunSummary, datasets: list[str]) -> dict[str, Any]:
    parameters: dict[str, Any] = {
        "approach": {"type": "supervised"},
        "task": "classification",
        "inputs": [{"format": "table of numbers"}],
        "outputs": [{"format": "class"}],
    }
    if summary.model.family:
        parameters["modelArchitecture"] = summary.model.family
    if summary.model.family in _FAMILIES:
        parameters["architectureFamily"] = _FAMILIES[summary.model.family]
    if _DATASET in datasets:
        parameters["datasets"] = [{"ref": _DATASET}]
    metrics = validation_metrics(run)
    card: dict[str, Any] = {"modelParameters": parameters}
    if metrics:
        card["quantitativeAnalysis"] = {
            "performanceMetrics": [
                {"type": name, "value": str(value), "slice": "validation rows"}
                for name, value in metrics.items()
            ]
        }
    return card


def _properties(run: Run, summary: RunSummary) -> Iterator[dict[str, str]]:
    """Yield the recorded values that CycloneDX has no place for, as named strings."""
    data, origin = summary.data, summary.origin
    content = (run.record or {}).get("model_content_sha256")
    commit = (origin.provenance.get("git") or {}).get("commit")
    values = {
        "run_id": run.id,
        "client": origin.client,
        "runforge_version": origin.runforge_version,
        "git_commit": commit,
        "model_content_sha256": content,
        "seed": summary.model.seed,
        "label_column": data.label_column,
        "train_rows": data.train_rows,
        "validation_rows": data.validation_rows,
    }
    for name, value in values.items():
        if value is not None:
            yield {"name": f"runforge:{name}", "value": str(value)}
    for name, (value, _) in summary.model.hyperparameters.items():
        yield {"name": f"runforge:hyperparameter:{name}", "value": str(value)}


def _inputs(summary: RunSummary) -> Iterator[dict[str, Any]]:
    data = summary.data
    for reference, path, sha256, kind in (
        (_DATASET, data.path, data.fingerprint_sha256, "dataset"),
        (_RECIPE, data.recipe, data.recipe_sha256, "configuration"),
    ):
        if path is not None:
            name = file_name(path) or reference
            yield {
                "type": "data",
                "bom-ref": reference,
                "name": name,
                **({"hashes": _hashes(sha256)} if sha256 is not None else {}),
                "data": [{"type": kind, "name": name}],
            }


def _packages(summary: RunSummary) -> Iterator[dict[str, Any]]:
    for name, version in sorted((summary.origin.provenance.get("packages") or {}).items()):
        url = package_url(name, version)
        yield {
            "type": "library",
            "bom-ref": url,
            "name": name,
            "version": version,
            "purl": url,
        }


def _hashes(sha256: str) -> list[dict[str, str]]:
    return [{"alg": "SHA-256", "content": sha256}]
