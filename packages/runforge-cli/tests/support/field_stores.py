"""Stores as the released clients write them: real models, and the documents in the clients' forms.

Nothing here uses RunForge: what is written is what the editor extension (0.4.3 and 1.2.1), Desktop,
and the command line 0.3.0 of Desktop write, told again. Clocks and random parts of ids are given
by the caller, so that a store is the same every time.
"""

from __future__ import annotations

import csv
import hashlib
import json
import os
import pickle
import warnings
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

FAMILIES = ("logistic_regression", "random_forest", "linear_svc")
VERSION = "1.2.1"
#: The first run of each store starts here; the others follow a minute apart.
START = datetime(2026, 1, 20, 9, 0, 0, tzinfo=UTC)
#: The clock of the clients' machine, which is what the extension's names of folders show.
LOCAL = timezone(timedelta(hours=1))
GRACEFUL = "Cancelled (graceful) — partial cleanup completed"
FORCED = "Cancelled (forced) — SIGKILL fired before cleanup completed"

_PRESETS = {"std-train": (50, 1.0, 200), "hq-train": (200, 2.0, 500)}
_PROFILES: dict[str, tuple[str, dict[str, Any], str]] = {
    "default": (
        "logistic_regression",
        {},
        "f94bd6c3291cdae2bd8dd245aecfabdddd5f590efbddd9a7f675181423a1be98",
    ),
    "fast": (
        "logistic_regression",
        {"max_iter": 50},
        "37d112739489c3b651901cdc803a9fb69316a1f1c4dff38c8a0e99b5fc46f0bc",
    ),
    "thorough": (
        "random_forest",
        {"n_estimators": 200, "max_depth": 10},
        "70a3c877b20c28837c5bc5a9d0f9bf5b9fd7aebc495f805d073118104ceb1531",
    ),
}


# Datasets


def write_dataset(
    path: Path, classes: int = 3, labels: tuple[str, ...] = ("0", "1", "2"), dropped: int = 0
) -> Path:
    """Write a table of flowers with the column ``label``, some rows of which lack a value."""
    from sklearn.datasets import load_iris

    flowers = load_iris()
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file, lineterminator="\n")
        rows.writerow(["sepal_length", "sepal_width", "petal_length", "petal_width", "label"])
        for values, kind in zip(flowers.data, flowers.target, strict=True):
            if kind < classes:
                rows.writerow([*(f"{value:.1f}" for value in values), labels[kind]])
        for number in range(dropped):
            rows.writerow(["5.1", "", "1.4", "0.2", labels[number % classes]])
    return path


def _read(dataset: Path, *, numbers: bool) -> tuple[Any, Any, list[str], int]:
    """Return features, labels, the features' names, and how many rows lacked a value."""
    import numpy as np

    lines = dataset.read_text("utf-8-sig").splitlines()
    header, *rows = [line.split(",") for line in lines if line.strip()]
    kept = [row for row in rows if all(cell.strip() for cell in row)]
    place = header.index("label")
    names = [name for name in header if name != "label"]
    features = [[float(cell) for number, cell in enumerate(row) if number != place] for row in kept]
    column = [row[place] for row in kept]
    labels = np.array([float(label) for label in column]) if numbers else np.array(column, object)
    return np.array(features), labels, names, len(rows) - len(kept)


# The editor extension


@dataclass(frozen=True)
class Training:
    """What one call of the extension's engine is asked for."""

    family: str = "logistic_regression"
    preset: str = "std-train"
    seed: int | None = None
    profile: str | None = None
    #: As given on its command line: the values stay text.
    parameters: dict[str, str] = field(default_factory=dict)
    name: str = ""
    device: str = "cpu"
    #: Which form ``run.json`` has.
    schema: str = "run.v0.3.6"


def engine_run_id(dataset: Path, started: datetime) -> str:
    """Return the id that the engine gives a run, which is never the name of the folder."""
    digest = hashlib.sha256(f"{_fingerprint(dataset)}:label".encode()).hexdigest()[:8]
    return f"{started.astimezone(UTC):%Y%m%d-%H%M%S}-{digest}"


def editor_folder(name: str, started: datetime, random: str) -> str:
    """Return the name that the extension gives a run folder."""
    kept = "".join(letter if letter.isascii() and letter.isalnum() else "-" for letter in name)
    slug = "-".join(filter(None, kept.lower().split("-")))[:32] or "run"
    return f"{started.astimezone(LOCAL):%Y%m%d-%H%M%S}-{slug}-{random}"


def engine_train(
    dataset: Path, out: Path, asked: Training = Training(), started: datetime = START
) -> dict[str, Any]:
    """Train as the engine of the extension does, write its files into ``out``; return run.json."""
    from sklearn.model_selection import train_test_split

    family = asked.family
    overrides: dict[str, Any] = {}
    if asked.profile is not None:
        family, overrides, _ = _PROFILES[asked.profile]
    features, labels, names, dropped = _read(dataset, numbers=True)
    seed = 42 if asked.seed is None else asked.seed
    train_x, test_x, train_y, test_y = train_test_split(
        features, labels, test_size=0.2, random_state=seed, stratify=labels
    )
    given = {name: json.loads(value) for name, value in asked.parameters.items()}
    model = _fit(family, asked.preset, {**overrides, **given}, seed, train_x, train_y)
    artifacts = out / "artifacts"
    artifacts.mkdir(parents=True, exist_ok=True)
    with (artifacts / "model.pkl").open("wb") as file:
        pickle.dump(model, file)
    metrics = _metrics_v1(model, family, test_x, test_y)
    phase2 = {
        "accuracy": round(metrics["accuracy"], 4),
        "num_samples": len(labels),
        "num_features": len(names),
    }
    (out / "metrics.json").write_text(json.dumps(phase2, indent=2), "utf-8")
    record: dict[str, Any] = {
        "run_id": engine_run_id(dataset, started),
        "runforge_version": "0.2.2.1",
        "created_at": (started + timedelta(seconds=2, microseconds=345678)).isoformat(),
        "dataset": {"path": str(dataset.resolve()), "fingerprint_sha256": _fingerprint(dataset)},
        "label_column": "label",
        "num_samples": len(labels),
        "num_features": len(names),
        "dropped_rows_missing_values": dropped,
        "metrics": phase2,
        "artifacts": {"model_pkl": "artifacts/model.pkl"},
    }
    if asked.schema != "run.v0.2.2.1":
        _write_sorted(out / "metrics.v1.json", metrics)
        record["schema_version"] = asked.schema
        record["model_family"] = family
        record["artifacts"]["metrics_v1_json"] = "metrics.v1.json"
        record["metrics_v1"] = {
            "schema_version": "metrics.v1",
            "metrics_profile": metrics["metrics_profile"],
            "artifact_path": "metrics.v1.json",
        }
        if asked.profile is not None:
            record["profile_name"], record["profile_version"] = asked.profile, "1.0"
            record["expanded_parameters_hash"] = _PROFILES[asked.profile][2]
        listed = {name: (value, "profile") for name, value in overrides.items()}
        listed |= {name: (value, "cli") for name, value in asked.parameters.items()}
        if listed:
            record["hyperparameters"] = [
                {"name": name, "value": value, "source": source}
                for name, (value, source) in sorted(listed.items())
            ]
    if asked.schema == "run.v0.3.6":
        kind = "feature_importance" if family == "random_forest" else "linear_coefficients"
        document = _importance(model, names) if family == "random_forest" else None
        document = document or _coefficients(model, family, names)
        _write_sorted(artifacts / f"{kind}.v1.json", document)
        record[f"{kind}_schema_version"] = f"{kind}.v1"
        record[f"{kind}_artifact"] = f"artifacts/{kind}.v1.json"
        record["artifacts"][f"{kind}_json"] = f"artifacts/{kind}.v1.json"
        index = _interpretability(record, metrics, kind, document)
        _write_sorted(artifacts / "interpretability.index.v1.json", index)
    _write_sorted(out / "run.json", record)
    return record


def _fit(
    family: str, preset: str, given: dict[str, Any], seed: int, features: Any, labels: Any
) -> Any:
    from sklearn.ensemble import RandomForestClassifier
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import Pipeline
    from sklearn.preprocessing import StandardScaler
    from sklearn.svm import LinearSVC

    epochs, strength, iterations = _PRESETS[preset]
    # These two are taken and recorded by the engine, and never reach the forest.
    used = {name: value for name, value in given.items() if not name.startswith("min_samples")}
    limits = {"C": strength, "max_iter": iterations} | used
    if family == "logistic_regression":
        step = LogisticRegression(
            **{"solver": "lbfgs", "warm_start": True, **limits}, random_state=seed
        )
    elif family == "random_forest":
        step = RandomForestClassifier(**{"n_estimators": 100, **used}, random_state=seed, n_jobs=1)
    else:
        step = LinearSVC(**limits, random_state=seed, dual="auto")
    model = Pipeline([("scaler", StandardScaler()), ("clf", step)])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if family == "logistic_regression":
            step.max_iter = max(1, limits["max_iter"] // epochs)
            for _ in range(epochs - 1):
                model.fit(features, labels)
            step.max_iter = limits["max_iter"]
        model.fit(features, labels)
    return model


def _metrics_v1(model: Any, family: str, features: Any, labels: Any) -> dict[str, Any]:
    from sklearn import metrics as judge

    classes = [float(label) for label in model.classes_]
    found = model.predict(features)
    macro = {"average": "macro", "zero_division": 0}
    document: dict[str, Any] = {
        "schema_version": "metrics.v1",
        "metrics_profile": "classification.base.v1",
        "num_classes": len(classes),
        "accuracy": float(judge.accuracy_score(labels, found)),
        "precision_macro": float(judge.precision_score(labels, found, **macro)),
        "recall_macro": float(judge.recall_score(labels, found, **macro)),
        "f1_macro": float(judge.f1_score(labels, found, **macro)),
        "confusion_matrix": judge.confusion_matrix(labels, found, labels=classes).tolist(),
    }
    if len(classes) > 2:
        document["metrics_profile"] = "classification.multiclass.v1"
        each = judge.precision_recall_fscore_support(labels, found, labels=classes, zero_division=0)
        for name, values in zip(("precision", "recall", "f1"), each, strict=False):
            document[f"per_class_{name}"] = [float(value) for value in values]
        document["class_labels"] = classes
    elif family == "linear_svc":
        document["roc_auc"] = float(judge.roc_auc_score(labels, model.decision_function(features)))
    else:
        document["metrics_profile"] = "classification.proba.v1"
        chances = model.predict_proba(features)
        document["roc_auc"] = float(judge.roc_auc_score(labels, chances[:, 1]))
        document["log_loss"] = float(judge.log_loss(labels, chances, labels=classes))
    return document


def _importance(model: Any, names: list[str]) -> dict[str, Any]:
    values = [float(value) for value in model.named_steps["clf"].feature_importances_]
    pairs = sorted(zip(names, values, strict=True), key=lambda pair: (-pair[1], pair[0]))
    ranked = [
        {"name": name, "importance": value, "rank": rank}
        for rank, (name, value) in enumerate(pairs, 1)
    ]
    return {
        "schema_version": "feature_importance.v1",
        "model_family": "random_forest",
        "importance_type": "gini_importance",
        "num_features": len(names),
        "features_by_importance": ranked,
        "features_by_original_order": [
            {"name": name, "importance": value, "index": index}
            for index, (name, value) in enumerate(zip(names, values, strict=True))
        ],
        "top_k": [row["name"] for row in ranked[:10]],
    }


def _coefficients(model: Any, family: str, names: list[str]) -> dict[str, Any]:
    step = model.named_steps["clf"]
    classes = [float(label) for label in step.classes_]
    of = classes if len(classes) > 2 else classes[1:]
    tables: list[dict[str, Any]] = []
    for label, weights in zip(of, step.coef_, strict=True):
        pairs = [(name, float(value)) for name, value in zip(names, weights, strict=True)]
        pairs.sort(key=lambda pair: (-abs(pair[1]), pair[0]))
        rows = [
            {"name": name, "coefficient": value, "abs_coefficient": abs(value), "rank": rank}
            for rank, (name, value) in enumerate(pairs, 1)
        ]
        tables.append({"class": label, "features": rows})
    return {
        "schema_version": "linear_coefficients.v1",
        "model_family": family,
        "coefficient_space": "standardized",
        "num_features": len(names),
        "num_classes": len(classes),
        "classes": classes,
        "intercepts": [
            {"class": label, "intercept": float(value)}
            for label, value in zip(of, step.intercept_, strict=True)
        ],
        "coefficients_by_class": tables,
        "top_k_by_class": [
            {
                "class": table["class"],
                "top_features": [row["name"] for row in table["features"][:10]],
            }
            for table in tables
        ],
    }


def _interpretability(
    record: dict[str, Any], metrics: dict[str, Any], kind: str, document: dict[str, Any]
) -> dict[str, Any]:
    summary: dict[str, Any] = {"model_family": record["model_family"]}
    if kind == "feature_importance":
        summary["top_k"] = document["top_k"][:5]
    else:
        summary["num_classes"] = document["num_classes"]
        summary["top_k_by_class"] = [
            {"class": top["class"], "top_features": top["top_features"][:5]}
            for top in document["top_k_by_class"]
        ]
    return {
        "schema_version": "interpretability.index.v1",
        "run_id": record["run_id"],
        "runforge_version": record["runforge_version"],
        "created_at": record["created_at"],
        "available_artifacts": {
            "metrics_v1": {
                "schema_version": "metrics.v1",
                "path": "metrics.v1.json",
                "summary": {
                    "metrics_profile": metrics["metrics_profile"],
                    "accuracy": record["metrics"]["accuracy"],
                },
            },
            f"{kind}_v1": {
                "schema_version": f"{kind}.v1",
                "path": f"artifacts/{kind}.v1.json",
                "summary": summary,
            },
        },
    }


def engine_entry(
    workspace: Path, folder: Path, record: dict[str, Any], asked: Training = Training()
) -> dict[str, Any]:
    """Return the entry of ten fields that the engine appends to the extension's index."""
    place = folder.relative_to(workspace).as_posix()
    return {
        "run_id": record["run_id"],
        "created_at": record["created_at"],
        "name": asked.name or record["run_id"],
        "preset_id": asked.preset,
        "status": "succeeded",
        "summary": {
            "duration_ms": 2345,
            "final_metrics": {"accuracy": record["metrics"]["accuracy"]},
            "device": asked.device,
        },
        "run_dir": place,
        "dataset_fingerprint_sha256": record["dataset"]["fingerprint_sha256"],
        "label_column": "label",
        "model_pkl": f"{place}/artifacts/model.pkl",
    }


def append_entry(workspace: Path, entry: dict[str, Any]) -> None:
    """Append to the extension's index as its engine does, which sets its own schema version."""
    path = workspace / ".ml/outputs/index.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    index = json.loads(path.read_text("utf-8")) if path.exists() else {"runs": []}
    entries = index if isinstance(index, list) else index["runs"]
    index = {"schema_version": "1.0.0", "runs": [*entries, entry]}
    temporary = path.with_name(f"index.json.{os.getpid()}.tmp")
    temporary.write_text(json.dumps(index, indent=2, ensure_ascii=False) + "\n", "utf-8")
    temporary.replace(path)


def prepare_editor_folder(
    workspace: Path, asked: Training = Training(), started: datetime = START, random: str = "a1b2"
) -> Path:
    """Make a run folder as the extension does before it calls its engine; return it."""
    folder = workspace / ".ml/runs" / editor_folder(asked.name, started, random)
    (folder / "artifacts").mkdir(parents=True)
    request = {
        "run_id": folder.name,
        "name": asked.name,
        "preset_id": asked.preset,
        **({} if asked.seed is None else {"seed": asked.seed}),
        "created_at": started.astimezone(LOCAL).isoformat(timespec="milliseconds"),
        "requested_device": "auto",
        "actual_device": asked.device,
        "gpu_reason": "sufficient_vram" if asked.device == "cuda" else "no_cuda",
    }
    _write(folder / "request.json", request)
    (folder / "logs.txt").write_text("Training...\n", "utf-8")
    return folder


def finish_editor_folder(folder: Path, error: str | None = None, exit_code: int = 0) -> None:
    """Write ``result.json`` in the extension's form, and the last lines of the log."""
    result: dict[str, Any] = {
        "run_id": folder.name,
        "status": "succeeded" if error is None else "failed",
        "exit_code": exit_code,
        "duration_ms": 3456,
    }
    if error is not None:
        result["error"] = error
    _write(folder / "result.json", result)
    with (folder / "logs.txt").open("a", encoding="utf-8") as log:
        log.write("Training complete.\n" if error is None else f"[stderr] ERROR: {error}\n")


def editor_run(
    workspace: Path,
    dataset: Path,
    asked: Training = Training(),
    started: datetime = START,
    random: str = "a1b2",
) -> Path:
    """Train as the extension 1.2.1 does with its own engine; return the run folder."""
    folder = prepare_editor_folder(workspace, asked, started, random)
    record = engine_train(dataset, folder, asked, started)
    append_entry(workspace, engine_entry(workspace, folder, record, asked))
    finish_editor_folder(folder)
    return folder


def write_cancelled(folder: Path, run_id: str, workspace: Path) -> None:
    """Write the marker of a run that was cancelled and had time to say so."""
    marker = {
        "schema_version": "cancelled.v1.0.0",
        "run_id": run_id,
        "run_dir": folder.relative_to(workspace).as_posix(),
        "cancelled_at": (START + timedelta(seconds=1)).isoformat(),
        "step": "training",
        "reason": "user cancelled via SIGTERM",
        "partial_artifacts": [],
    }
    _write(folder / ".cancelled", marker)


def write_orphan(folder: Path, run_id: str, workspace: Path) -> None:
    """Write the marker of a run whose entry could not be appended."""
    marker = {
        "schema_version": "index-orphan.v1.0.0",
        "run_id": run_id,
        "run_dir": folder.relative_to(workspace).as_posix(),
        "written_at": START.isoformat(),
        "error": {"type": "PermissionError", "message": "index.json is read-only"},
        "index_path": ".ml/outputs/index.json",
    }
    _write(folder / ".index-orphan", marker)


def editor_store(workspace: Path) -> dict[str, Path]:
    """Fill a workspace as the extension 1.2.1 does; return the run folders by what they are.

    Three families, two and three classes, whole and fractional spellings of labels, dropped rows, a
    profile, parameters, and runs that failed, were cancelled, and miss their entry.
    """
    three = write_dataset(workspace / "data/three.csv")
    two = write_dataset(workspace / "data/two.csv", 2, ("-1", "1"))
    floats = write_dataset(workspace / "data/floats.csv", 3, ("1.0", "2.0", "3.0"))
    gaps = write_dataset(workspace / "data/gaps.csv", 3, dropped=4)
    asked = {
        **{f"{family} on three": (three, Training(family, seed=7)) for family in FAMILIES},
        **{f"{family} on two": (two, Training(family)) for family in FAMILIES},
        "float labels": (floats, Training(preset="hq-train")),
        "dropped rows": (gaps, Training("random_forest", parameters={"max_depth": "5"})),
        "profile": (three, Training(profile="thorough")),
        "cuda": (three, Training("linear_svc", device="cuda", parameters={"C": "0.5"})),
    }
    found = {}
    for number, (what, (dataset, training)) in enumerate(asked.items()):
        training = Training(**{**vars(training), "name": what})
        started = START + timedelta(minutes=number)
        found[what] = editor_run(workspace, dataset, training, started, f"{number:04x}")
    started = START + timedelta(minutes=len(found))
    for what, error in {
        "failed": "Label column 'label' contains non-numeric values (row 2: 'setosa').",
        "cancelled": GRACEFUL,
        "forced": FORCED,
    }.items():
        folder = prepare_editor_folder(workspace, Training(name=what), started, "00ff")
        found[what] = folder
        if what == "cancelled":
            write_cancelled(folder, engine_run_id(three, started), workspace)
        finish_editor_folder(folder, error, exit_code=1)
        started += timedelta(minutes=1)
    orphan = prepare_editor_folder(workspace, Training(name="orphan"), started, "00aa")
    record = engine_train(three, orphan, Training(name="orphan"), started)
    write_orphan(orphan, record["run_id"], workspace)
    finish_editor_folder(orphan)
    return {**found, "orphan": orphan}


def old_editor_store(workspace: Path) -> dict[str, Path]:
    """Fill a workspace as the extension 0.4.3 does; return the run folders by what they are.

    The engine's folders and index are in ``.runforge``, the extension's own in ``.ml``: the two
    never meet, and neither says which of the other's it belongs to.
    """
    dataset = write_dataset(workspace / "data/three.csv")
    found, engine, editor = {}, [], []
    for number, schema in enumerate(("run.v0.2.2.1", "run.v0.3.3", "run.v0.3.6")):
        started = START + timedelta(minutes=number)
        asked = Training(name=schema, schema=schema, seed=number)
        visible = prepare_editor_folder(workspace, asked, started, f"{number:04x}")
        run_id = engine_run_id(dataset, started)
        folder = workspace / ".runforge/runs" / run_id
        record = engine_train(dataset, folder, asked, started)
        finish_editor_folder(visible)
        entry = engine_entry(workspace, visible, record, asked)
        engine.append(
            {
                **{key: entry[key] for key in ("run_id", "created_at")},
                "dataset_fingerprint_sha256": entry["dataset_fingerprint_sha256"],
                "label_column": "label",
                "run_dir": f"runs/{run_id}/run.json",
                "model_pkl": f"runs/{run_id}/artifacts/model.pkl",
            }
        )
        kept = ("created_at", "name", "preset_id", "status", "run_dir", "summary")
        editor.append({"run_id": visible.name, **{key: entry[key] for key in kept}})
        found[schema] = folder
    _write(workspace / ".runforge/index.json", {"schema_version": "0.2.2.1", "runs": engine})
    (workspace / ".ml/outputs").mkdir()
    _write(workspace / ".ml/outputs/index.json", editor)
    return found


# Desktop


def desktop_store(workspace: Path) -> dict[str, Path]:
    """Fill a workspace as Desktop does: a folder with its own ``run.json`` for each state."""
    found = {}
    for number, status in enumerate(("Completed", "Failed", "Cancelled", "Running", "Pending")):
        started = int((START + timedelta(minutes=number)).timestamp())
        local = datetime.fromtimestamp(started, LOCAL)
        folder = workspace / ".ml/runs" / f"{local:%Y%m%d-%H%M%S}-My run {number}-{number:04x}"
        folder.mkdir(parents=True)
        manifest: dict[str, Any] = {
            "run_id": folder.name,
            "name": f"My run {number}",
            "status": status,
            "device": "GPU" if number == 0 else "CPU",
            "preset": "Quick Test (10 epochs)",
            "dataset_path": str(workspace / "data/three.csv"),
            "output_path": str(folder),
            "created_at": started,
        }
        if status != "Pending":
            manifest["started_at"] = started + 1
        if status in ("Completed", "Failed", "Cancelled"):
            manifest["completed_at"] = started + 31
        if status == "Failed":
            manifest["error"] = "Process terminated unexpectedly"
        manifest |= {
            "total_epochs": 10,
            "batch_size": 32,
            "learning_rate": 0.001,
            "num_samples": 150,
            "optimizer": "Adam",
            "scheduler": "StepLR",
        }
        if status == "Running":
            manifest["pid"] = 2**22 + 1  # no process has such a number
        _write(folder / "run.json", manifest)
        if status != "Pending":
            lines = [
                {
                    "step": step,
                    "epoch": step,
                    "loss": round(1 / step, 4),
                    "lr": 0.001,
                    "time": started + 3 * step,
                }
                for step in range(1, 11 if status == "Completed" else 4)
            ]
            text = "".join(json.dumps(line) + "\n" for line in lines)
            (folder / "metrics.jsonl").write_text(text, "utf-8")
            (folder / "stdout.log").write_text("Starting training\nEpoch 1/10\n", "utf-8")
        found[status] = folder
    return found


# The command line 0.3.0 of Desktop

_DEFAULTS: dict[str, dict[str, Any]] = {
    "logistic_regression": {"max_iter": 1000, "random_state": 42},
    "random_forest": {"n_estimators": 100, "max_depth": 10, "random_state": 42},
    "linear_svc": {"max_iter": 1000, "random_state": 42},
}


def write_command_line_request(
    folder: Path, family: str, dataset: str, started: datetime = START, **changed: Any
) -> dict[str, Any]:
    """Make a run folder with the ``request.json`` that Desktop writes for its command line."""
    folder.mkdir(parents=True)
    request = {
        "version": 1,
        "preset": "balanced",
        "dataset": {"path": dataset, "label_column": "label"},
        "model": {"family": family},
        "device": {"type": "cpu"},
        "created_at": f"{started:%Y-%m-%dT%H:%M:%SZ}",
        "created_by": "runforge-desktop@0.3.0",
        **changed,
    }
    _write(folder / "request.json", request)
    return request


def command_line_run(
    workspace: Path, folder: Path, started: datetime = START, *, frame: bool = False
) -> None:
    """Execute the request of a run folder as the command line 0.3.0 does: without a run.json.

    ``frame`` fits on a data frame, so that the model has the names of its features.
    """
    import joblib
    from sklearn import metrics as judge
    from sklearn.ensemble import RandomForestClassifier
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import train_test_split
    from sklearn.pipeline import Pipeline
    from sklearn.preprocessing import LabelEncoder, StandardScaler
    from sklearn.svm import LinearSVC

    request = json.loads((folder / "request.json").read_text("utf-8-sig"))
    family = request["model"]["family"]
    used = {**_DEFAULTS[family], **(request["model"].get("hyperparameters") or {})}
    dataset = workspace / request["dataset"]["path"]
    column = [line.rpartition(",")[2] for line in dataset.read_text("utf-8").splitlines()[1:]]
    text = not all(label.lstrip("-").replace(".", "", 1).isdigit() for label in column)
    features, labels, names, _ = _read(dataset, numbers=not text)
    if frame:
        import pandas as pd

        features = pd.DataFrame(features, columns=names)
    encoder = LabelEncoder() if text else None
    codes = labels.astype(int) if encoder is None else encoder.fit_transform(labels)
    train_x, test_x, train_y, test_y = train_test_split(
        features, codes, test_size=0.2, random_state=42, stratify=codes
    )
    kind = {
        "logistic_regression": LogisticRegression,
        "random_forest": RandomForestClassifier,
        "linear_svc": LinearSVC,
    }[family]
    model = Pipeline([("scaler", StandardScaler()), ("model", kind(**used))])
    model.fit(train_x, train_y)
    predicted = model.predict(test_x)
    average = {"average": "weighted", "zero_division": 0}
    metrics = {
        "accuracy": round(float(judge.accuracy_score(test_y, predicted)), 4),
        "precision": round(float(judge.precision_score(test_y, predicted, **average)), 4),
        "recall": round(float(judge.recall_score(test_y, predicted, **average)), 4),
        "f1_score": round(float(judge.f1_score(test_y, predicted, **average)), 4),
    }
    artifacts = folder / "artifacts"
    artifacts.mkdir()
    joblib.dump(model, artifacts / "model.pkl")
    _write(artifacts / "metrics.json", metrics)
    types = {"model.pkl": "model", "metrics.json": "metrics"}
    if encoder is not None:
        joblib.dump(encoder, artifacts / "label_encoder.pkl")
        types["label_encoder.pkl"] = "encoder"
    result = {
        "version": 1,
        "status": "succeeded",
        "started_at": f"{started:%Y-%m-%dT%H:%M:%SZ}",
        "finished_at": f"{started + timedelta(seconds=3):%Y-%m-%dT%H:%M:%SZ}",
        "duration_ms": 3021,
        "summary": {
            "metrics": metrics,
            "primary_metric": {"name": "accuracy", "value": metrics["accuracy"]},
        },
        "artifacts": [
            {"path": f"artifacts/{name}", "type": type_, "bytes": (artifacts / name).stat().st_size}
            for name, type_ in types.items()
        ],
        "effective_config": _effective(request, used),
    }
    _write(folder / "result.json", result)
    (folder / "result.json").chmod(0o600)
    stages = ("STARTING", "LOADING_DATASET", "TRAINING", "EVALUATING", "WRITING_ARTIFACTS")
    lines = "".join(f"[RF:STAGE={stage}]\n" for stage in (*stages, "COMPLETED"))
    (folder / "logs.txt").write_text(lines, "utf-8")


def _effective(request: dict[str, Any], used: dict[str, Any]) -> dict[str, Any]:
    return {
        "model": {"family": request["model"]["family"], "hyperparameters": used},
        "device": {"type": "cpu"},
        "preset": request["preset"],
        "dataset": request["dataset"],
    }


def fail_command_line_run(folder: Path, message: str, started: datetime = START) -> None:
    """Write what the command line 0.3.0 writes for a run that failed."""
    result = {
        "version": 1,
        "status": "failed",
        "started_at": f"{started:%Y-%m-%dT%H:%M:%SZ}",
        "finished_at": f"{started + timedelta(seconds=1):%Y-%m-%dT%H:%M:%SZ}",
        "duration_ms": 1004,
        "summary": {"metrics": {}},
        "artifacts": [],
        "error": {"message": message, "type": "ValueError"},
    }
    _write(folder / "result.json", result)
    (folder / "logs.txt").write_text("[RF:STAGE=STARTING]\n[RF:STAGE=FAILED]\n", "utf-8")


def command_line_store(workspace: Path) -> dict[str, Path]:
    """Fill a workspace as the command line 0.3.0 does; return the run folders by what they are."""
    write_dataset(workspace / "data/three.csv")
    write_dataset(workspace / "data/words.csv", 3, ("setosa", "versicolor", "virginica"))
    found = {}
    words = {
        "model": {
            "family": "random_forest",
            "hyperparameters": {"n_estimators": 20, "max_depth": None},
        },
        "rerun_from": None,
        "tags": ["flowers"],
    }
    asked: list[tuple[str, str, str, dict[str, Any]]] = [
        ("logistic_regression", "logistic_regression", "data/three.csv", {}),
        ("linear_svc", "linear_svc", "data/three.csv", {"name": "margins"}),
        ("text labels", "random_forest", "data/words.csv", words),
    ]
    for number, (what, family, dataset, changed) in enumerate(asked):
        started = START + timedelta(minutes=number)
        folder = workspace / ".ml/runs" / f"{started:%Y%m%d-%H%M%S}-flowers-{number:04x}"
        write_command_line_request(folder, family, dataset, started, **changed)
        command_line_run(workspace, folder, started, frame=what == "logistic_regression")
        found[what] = folder
    started = START + timedelta(minutes=len(found))
    failed = workspace / ".ml/runs" / f"{started:%Y%m%d-%H%M%S}-flowers-00ff"
    write_command_line_request(failed, "random_forest", "data/three.csv", started)
    fail_command_line_run(failed, "The label column has one class.", started)
    started += timedelta(minutes=1)
    killed = workspace / ".ml/runs" / f"{started:%Y%m%d-%H%M%S}-flowers-00fe"
    write_command_line_request(killed, "random_forest", "data/three.csv", started)
    (killed / "logs.txt").write_text("[RF:STAGE=STARTING]\n[RF:STAGE=TRAINING]\n", "utf-8")
    return {**found, "failed": failed, "killed": killed}


# Common parts


def _fingerprint(dataset: Path) -> str:
    return hashlib.sha256(dataset.read_bytes()).hexdigest()


def _write_sorted(path: Path, document: Any) -> None:
    """Write JSON as the extension's engine does."""
    text = json.dumps(document, indent=2, sort_keys=True, ensure_ascii=False)
    path.write_text(f"{text}\n", "utf-8")


def _write(path: Path, document: Any) -> None:
    """Write JSON as the extension and Desktop do."""
    path.write_text(json.dumps(document, indent=2, ensure_ascii=False), "utf-8")
