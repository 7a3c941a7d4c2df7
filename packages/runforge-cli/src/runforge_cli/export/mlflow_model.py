"""The model of a run as an MLflow model, whose file is copied and not loaded.

Source: MLflow documentation, "MLflow Models", "Storage Format" and "Model Signatures".
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from runforge_contracts.codec.strict_json import encode_json
from runforge_contracts.codec.strict_yaml import encode_yaml
from runforge_contracts.errors import RunForgeError
from runforge_contracts.fs.files import read_file
from runforge_contracts.store.run import Run
from runforge_contracts.store.summary import RunSummary, summary_of

#: The name that the model is logged under, as in ``runs:/ID/model``.
MODEL = "model"
_FILE = "model.pkl"
_EXAMPLE, _SERVED = "input_example.json", "serving_input_example.json"
_EXAMPLE_INFO = {
    "artifact_path": _EXAMPLE,
    "pandas_orient": "split",
    "serving_input_path": _SERVED,
    "type": "dataframe",
}
#: Largest model file that is copied, in bytes.
_LARGEST = 1024**3
#: Longest schema of a dataset that MLflow keeps.
_LONGEST_SCHEMA = 65_535


def model_files(run: Run, mlflow_run_id: str, mlflow_version: str) -> dict[str, bytes]:
    """Return the content of the files of the MLflow model, by name.

    None where the run has no model, or its file is not the one of the record, or has contents that
    are not part of a RunForge model.

    Parameters
    ----------
    run
        The run.
    mlflow_run_id
        The identifier that MLflow has given to it.
    mlflow_version
        The version whose format it is.
    """
    from runforge_engine.model_file.model_inspection import inspect_model_bytes

    summary, record = summary_of(run), run.record or {}
    path, data = summary.model.file, summary.data
    if run.status != "succeeded" or path is None or not data.feature_names or not data.classes:
        return {}
    try:
        content = read_file(run.path / path, max_bytes=_LARGEST)
    except RunForgeError:
        return {}
    digest = hashlib.sha256(content).hexdigest()
    if digest != ((record.get("artifact_digests") or {}).get(path) or {}).get("sha256"):
        return {}
    inspection = inspect_model_bytes(content, str(run.path / path))
    if not inspection.is_clean:
        return {}
    example = _example_files(data.feature_names, inspection.means)
    packages = summary.origin.provenance.get("packages") or {}
    required = sorted(
        f"{name}=={version}"
        for name, version in packages.items()
        if not name.startswith("runforge-")
    )
    python = (summary.origin.provenance.get("python") or {}).get("version")
    return {
        "MLmodel": encode_yaml(
            {
                **_description(summary, digest, packages, python, mlflow_version),
                "run_id": mlflow_run_id,
                **({"saved_input_example_info": _EXAMPLE_INFO} if example else {}),
            }
        ),
        _FILE: content,
        "requirements.txt": "".join(f"{line}\n" for line in required).encode(),
        "python_env.yaml": encode_yaml(
            {
                **({} if python is None else {"python": python}),
                "dependencies": ["-r requirements.txt"],
            }
        ),
        **example,
    }


def _example_files(names: Sequence[str], means: Sequence[float] | None) -> dict[str, bytes]:
    """Return the files of an input example: one row with the means of the training rows.

    They are in the model, so that no row of the dataset is read, or shown. None where the model
    does not have one for each column.
    """
    if means is None or len(means) != len(names):
        return {}
    table = {"columns": [*names], "data": [[*means]]}
    return {_EXAMPLE: encode_json(table), _SERVED: encode_json({"dataframe_split": table})}


def dataset_schema(run: Run) -> str | None:
    """Return the columns of a run's dataset that were used, in MLflow's form.

    None where they are not recorded, or are more than MLflow keeps.
    """
    summary = summary_of(run)
    if not summary.data.feature_names or not summary.data.label_column:
        return None
    signature = signature_of(summary)
    [label] = json.loads(signature["outputs"])
    columns = [*json.loads(signature["inputs"]), {**label, "name": summary.data.label_column}]
    schema = json.dumps({"mlflow_colspec": columns})
    return schema if len(schema) <= _LONGEST_SCHEMA else None


def signature_of(summary: RunSummary) -> dict[str, str]:
    """Return the names and types of the columns that a model takes, and the type of its labels."""
    whole = all(isinstance(label, int) for label in summary.data.classes or ())
    inputs = [
        {"type": "double", "name": name, "required": True}
        for name in summary.data.feature_names or ()
    ]
    outputs = [{"type": "long" if whole else "string", "required": True}]
    return {"inputs": json.dumps(inputs), "outputs": json.dumps(outputs)}


def _description(
    summary: RunSummary,
    digest: str,
    packages: dict[str, str],
    python: str | None,
    mlflow_version: str,
) -> dict[str, Any]:
    moment = datetime.fromisoformat(summary.outcome.finished_at or "1970-01-01T00:00:00Z")
    pyfunc = {
        "env": {"virtualenv": "python_env.yaml"},
        "loader_module": "mlflow.sklearn",
        "model_path": _FILE,
        "predict_fn": "predict",
        **({} if python is None else {"python_version": python}),
    }
    sklearn = {
        "code": None,
        "pickled_model": _FILE,
        "serialization_format": "pickle",
        "sklearn_version": packages.get("scikit-learn", ""),
    }
    return {
        "artifact_path": MODEL,
        "flavors": {"python_function": pyfunc, "sklearn": sklearn},
        "mlflow_version": mlflow_version,
        # The same model has the same identifier.
        "model_uuid": digest[:32],
        "signature": signature_of(summary),
        "utc_time_created": moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S.%f"),
    }
