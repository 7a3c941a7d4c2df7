"""A stand-in for the engine that ships with the editor extension 1.2.1, to run beside ours.

It writes what that engine writes, where and as that engine does: a plain joblib model,
``run.v0.3.6``, and the index read, changed and replaced without any lock. Two of them at once can
lose an entry of each other, and so can one of them and a program that does not expect it.

Started as a program it takes the same arguments. ``FIELD_ENGINE_PAUSE`` holds it, for so many
seconds, between reading the index and replacing it; ``FIELD_ENGINE_TRAINS`` makes training last.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import signal
import sys
import time
import warnings
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType
from typing import Any, NoReturn

PRESETS = {
    "std-train": {"epochs": 50, "C": 1.0, "max_iter": 200},
    "hq-train": {"epochs": 200, "C": 2.0, "max_iter": 500},
}
VERSION = "0.3.6.0"


class Cancelled(BaseException):
    """The process was asked to end; no library may catch that on the way."""


class Engine:
    """One training of the stand-in."""

    def __init__(self, options: argparse.Namespace, dataset: str) -> None:
        self.options, self.dataset = options, Path(dataset).resolve()
        self.out = Path(options.out).resolve()
        self.step = "dataset_loading"
        self.run_id = ""

    def tell(self, event: str, **members: Any) -> None:
        """Write an event to standard error."""
        at = datetime.now(UTC).isoformat()
        line = {"event": event, "timestamp": at, "run_id": self.run_id, **members}
        print(json.dumps(line, sort_keys=True), file=sys.stderr, flush=True)

    def train(self) -> None:
        """Train, write the run folder and append to the index."""
        import joblib
        import numpy as np
        from sklearn.model_selection import train_test_split

        began = time.monotonic()
        content = self.dataset.read_bytes()
        fingerprint = hashlib.sha256(content).hexdigest()
        digest = hashlib.sha256(f"{fingerprint}:label".encode()).hexdigest()[:8]
        self.run_id = f"{datetime.now(UTC):%Y%m%d-%H%M%S}-{digest}"
        family = self.options.model
        self.tell(
            "run_start",
            preset_id=self.options.preset,
            model_family=family,
            out_dir=str(self.out),
        )
        (self.out / "artifacts").mkdir(parents=True, exist_ok=True)
        names, X, y, dropped = table(content.decode("utf-8-sig"))
        self.tell(
            "dataset_loaded",
            num_samples=len(y),
            num_features=len(names),
            rows_dropped=dropped,
            label_column="label",
            dataset_fingerprint_sha256=fingerprint,
        )
        print(f"Loaded {len(y)} samples, {len(names)} features")
        try:
            parts = train_test_split(
                X, y, test_size=0.2, random_state=self.options.seed, stratify=y
            )
        except ValueError:
            parts = train_test_split(X, y, test_size=0.2, random_state=self.options.seed)
        X_train, X_val, y_train, y_val = parts
        self.step = "training"
        self.tell("train_started", model_family=family)
        time.sleep(float(os.environ.get("FIELD_ENGINE_TRAINS", "0")))
        pipeline = self.fit(X_train, y_train)
        self.tell("train_finished", duration_seconds=time.monotonic() - began)
        self.step = "metrics_computation"
        metrics = detailed(pipeline, X_val, y_val)
        accuracy = round(float(metrics["accuracy"]), 4)
        self.tell("metrics_computed", metrics_profile=metrics["metrics_profile"], accuracy=accuracy)
        self.step = "artifact_writing"
        model = self.out / "artifacts/model.pkl"
        joblib.dump(pipeline, model)
        plain = {"accuracy": accuracy, "num_samples": len(y), "num_features": len(names)}
        (self.out / "metrics.json").write_text(json.dumps(plain, indent=2), "utf-8")
        write(self.out / "metrics.v1.json", metrics)
        run: dict[str, Any] = {
            "schema_version": "run.v0.3.6",
            "run_id": self.run_id,
            "runforge_version": VERSION,
            "created_at": datetime.now(UTC).isoformat(),
            "dataset": {"path": str(self.dataset), "fingerprint_sha256": fingerprint},
            "label_column": "label",
            "num_samples": len(y),
            "num_features": len(names),
            "dropped_rows_missing_values": dropped,
            "metrics": plain,
            "model_family": family,
            "metrics_v1": {
                "schema_version": "metrics.v1",
                "metrics_profile": metrics["metrics_profile"],
                "artifact_path": "metrics.v1.json",
            },
            "artifacts": {
                "model_pkl": "artifacts/model.pkl",
                "metrics_v1_json": "metrics.v1.json",
            },
        }
        written = self.explain(pipeline, names, run, np)
        write(self.out / "run.json", run)
        self.interpret(run, metrics, written)
        self.tell("artifacts_written", artifact_count=5, run_dir=str(self.out))
        print(f"Accuracy: {accuracy}")
        self.append(run, int((time.monotonic() - began) * 1000))

    def fit(self, X: Any, y: Any) -> Any:
        """Return the fitted pipeline; a logistic regression is fitted once an epoch."""
        from sklearn.ensemble import RandomForestClassifier
        from sklearn.linear_model import LogisticRegression
        from sklearn.pipeline import Pipeline
        from sklearn.preprocessing import StandardScaler
        from sklearn.svm import LinearSVC

        preset, seed = PRESETS[self.options.preset], self.options.seed
        family, epochs = self.options.model, 1
        if family == "random_forest":
            estimator: Any = RandomForestClassifier(n_estimators=100, random_state=seed, n_jobs=1)
        elif family == "linear_svc":
            estimator = LinearSVC(
                C=preset["C"], max_iter=int(preset["max_iter"]), random_state=seed, dual="auto"
            )
        else:
            epochs = int(preset["epochs"])
            estimator = LogisticRegression(
                C=preset["C"], solver="lbfgs", random_state=seed, warm_start=True
            )
        pipeline = Pipeline([("scaler", StandardScaler()), ("clf", estimator)])
        for epoch in range(epochs):
            if family == "logistic_regression":
                last = epoch == epochs - 1
                estimator.max_iter = int(preset["max_iter"]) // (1 if last else epochs)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                pipeline.fit(X, y)
            self.tell("train_progress", epoch=epoch + 1 if epochs > 1 else 0, total_epochs=epochs)
        return pipeline

    def explain(self, pipeline: Any, names: list[str], run: dict[str, Any], np: Any) -> Any:
        """Write what explains the model, name it in the run and return it."""
        estimator = pipeline.named_steps["clf"]
        if self.options.model == "random_forest":
            kind = "feature_importance"
            values = [
                {"name": name, "importance": float(value)}
                for name, value in zip(names, estimator.feature_importances_, strict=True)
            ]
            ranked = sorted(values, key=lambda one: (-float(str(one["importance"])), one["name"]))
            document: dict[str, Any] = {
                "importance_type": "gini_importance",
                "features_by_importance": [
                    {**one, "rank": rank} for rank, one in enumerate(ranked, 1)
                ],
                "features_by_original_order": [
                    {**one, "index": place} for place, one in enumerate(values)
                ],
                "top_k": [one["name"] for one in ranked[:10]],
            }
        else:
            kind = "linear_coefficients"
            # Labels went through float(), and stay floats.
            classes = [float(label) for label in estimator.classes_]
            shown = classes if len(classes) > 2 else classes[1:]
            document = {
                "coefficient_space": "standardized",
                "num_classes": len(classes),
                "classes": classes,
                "intercepts": [
                    {"class": label, "intercept": float(value)}
                    for label, value in zip(shown, estimator.intercept_, strict=True)
                ],
                "coefficients_by_class": [
                    {"class": label, "features": ranked_features(names, row)}
                    for label, row in zip(shown, np.atleast_2d(estimator.coef_), strict=True)
                ],
            }
            document["top_k_by_class"] = [
                {
                    "class": one["class"],
                    "top_features": [feature["name"] for feature in one["features"][:10]],
                }
                for one in document["coefficients_by_class"]
            ]
        document |= {
            "schema_version": f"{kind}.v1",
            "model_family": self.options.model,
            "num_features": len(names),
        }
        path = f"artifacts/{kind}.v1.json"
        write(self.out / path, document)
        run[f"{kind}_schema_version"] = f"{kind}.v1"
        run[f"{kind}_artifact"] = path
        run["artifacts"][f"{kind}_json"] = path
        return document

    def interpret(self, run: dict[str, Any], metrics: dict[str, Any], document: Any) -> None:
        """Write the index of what explains the model."""
        kind = document["schema_version"].removesuffix(".v1")
        if kind == "feature_importance":
            about: dict[str, Any] = {"top_k": document["top_k"][:5]}
        else:
            about = {
                "num_classes": document["num_classes"],
                "top_k_by_class": [
                    {**one, "top_features": one["top_features"][:5]}
                    for one in document["top_k_by_class"]
                ],
            }
        entries = {
            "metrics_v1": {
                "schema_version": "metrics.v1",
                "path": "metrics.v1.json",
                "summary": {
                    "metrics_profile": metrics["metrics_profile"],
                    "accuracy": run["metrics"]["accuracy"],
                },
            },
            f"{kind}_v1": {
                "schema_version": f"{kind}.v1",
                "path": f"artifacts/{kind}.v1.json",
                "summary": {"model_family": self.options.model, **about},
            },
        }
        write(
            self.out / "artifacts/interpretability.index.v1.json",
            {
                "schema_version": "interpretability.index.v1",
                "run_id": self.run_id,
                "runforge_version": VERSION,
                "created_at": datetime.now(UTC).isoformat(),
                "available_artifacts": entries,
            },
        )

    def append(self, run: dict[str, Any], duration_ms: int) -> None:
        """Append to the index of the nearest ``.ml`` above, as that engine does: with no lock."""
        root = next(
            (
                above if above.name == ".ml" else above / ".ml"
                for above in self.out.parents
                if above.name == ".ml" or (above / ".ml").is_dir()
            ),
            None,
        )
        if root is None:
            print("Note: Not in a .ml workspace, skipping provenance index")
            return
        place = self.out.relative_to(root.parent).as_posix()
        append_entry(
            root / "outputs/index.json",
            {
                "run_id": self.run_id,
                "created_at": run["created_at"],
                "name": self.options.name or self.run_id,
                "preset_id": self.options.preset,
                "status": "succeeded",
                "summary": {
                    "duration_ms": duration_ms,
                    "final_metrics": {"accuracy": run["metrics"]["accuracy"]},
                    "device": self.options.device,
                },
                "run_dir": place,
                "dataset_fingerprint_sha256": run["dataset"]["fingerprint_sha256"],
                "label_column": "label",
                "model_pkl": f"{place}/artifacts/model.pkl",
            },
        )

    def cancelled(self) -> None:
        """Write the marker of a run that was cancelled, and the events."""
        self.tell("cancelling", seconds_remaining=2, step=self.step)
        reason = "user cancelled via SIGTERM"
        marker = self.out / ".cancelled"
        write(
            marker.with_suffix(".tmp"),
            {
                "schema_version": "cancelled.v1.0.0",
                "run_id": self.run_id,
                "run_dir": str(self.out),
                "cancelled_at": datetime.now(UTC).isoformat(),
                "step": self.step,
                "reason": reason,
            },
        )
        marker.with_suffix(".tmp").replace(marker)
        self.tell("run_cancelled", step=self.step, reason=reason, graceful=True)


def append_entry(path: Path, entry: dict[str, Any]) -> None:
    """Read the index, add an entry and replace the file: whatever came between is lost."""
    path.parent.mkdir(parents=True, exist_ok=True)
    document: Any = {"schema_version": "1.0.0", "runs": []}
    if path.exists():
        try:
            document = json.loads(path.read_text("utf-8"))
        except ValueError:
            path.rename(path.with_name(f"{path.name}.corrupt.{time.time_ns()}"))
        if isinstance(document, list):
            document = {"schema_version": "1.0.0", "runs": document}
    time.sleep(float(os.environ.get("FIELD_ENGINE_PAUSE", "0")))
    document["schema_version"] = "1.0.0"
    document["runs"].append(entry)
    temporary = path.with_name(f"{path.name}.{os.getpid()}.tmp")
    write(temporary, document)
    temporary.replace(path)


def write(path: Path, document: Any) -> None:
    """Write a document as that engine does: sorted, with a newline at the end."""
    text = json.dumps(document, indent=2, sort_keys=True, ensure_ascii=False)
    with path.open("w", encoding="utf-8", newline="\n") as file:
        file.write(text + "\n")


def table(text: str) -> tuple[list[str], Any, Any, int]:
    """Return the features' names, the rows, the labels and how many rows lacked a value."""
    import numpy as np

    lines = [line.split(",") for line in text.splitlines() if line.strip()]
    header = [cell.strip() for cell in lines[0]]
    if "label" not in header:
        raise ValueError("CSV must contain a 'label' column.")
    full = [row for row in lines[1:] if all(cell.strip() for cell in row)]
    place = header.index("label")
    labels = []
    for number, row in enumerate(full, 2):
        try:
            labels.append(float(row[place]))
        except ValueError:
            raise ValueError(
                f"Label column 'label' contains non-numeric values (row {number}: "
                f"'{row[place]}'). RunForge classification requires integer or float labels."
            ) from None
    rows = [[float(cell) for at, cell in enumerate(row) if at != place] for row in full]
    names = [name for at, name in enumerate(header) if at != place]
    return names, np.array(rows), np.array(labels), len(lines) - 1 - len(full)


def detailed(pipeline: Any, X: Any, y: Any) -> dict[str, Any]:
    """Return the detailed metrics of the validation part."""
    from sklearn import metrics as of

    labels, found = pipeline.classes_, pipeline.predict(X)
    document: dict[str, Any] = {
        "schema_version": "metrics.v1",
        "num_classes": len(labels),
        "accuracy": float(of.accuracy_score(y, found)),
        "confusion_matrix": of.confusion_matrix(y, found, labels=labels).tolist(),
    }
    for name in ("precision", "recall", "f1"):
        score = getattr(of, f"{name}_score")
        document[f"{name}_macro"] = float(score(y, found, average="macro", zero_division=0))
        if len(labels) > 2:
            each = score(y, found, average=None, labels=labels, zero_division=0)
            document[f"per_class_{name}"] = each.tolist()
    if len(labels) > 2:
        document |= {
            "metrics_profile": "classification.multiclass.v1",
            "class_labels": labels.tolist(),
        }
    elif hasattr(pipeline, "predict_proba"):
        chances = pipeline.predict_proba(X)
        document |= {
            "metrics_profile": "classification.proba.v1",
            "roc_auc": float(of.roc_auc_score(y, chances[:, 1])),
            "log_loss": float(of.log_loss(y, chances)),
        }
    else:
        document |= {
            "metrics_profile": "classification.base.v1",
            "roc_auc": float(of.roc_auc_score(y, pipeline.decision_function(X))),
        }
    return document


def ranked_features(names: list[str], row: Any) -> list[dict[str, Any]]:
    """Return a class's features, the strongest first."""
    ranked = sorted(zip(names, row, strict=True), key=lambda one: (-abs(one[1]), one[0]))
    return [
        {
            "name": name,
            "coefficient": float(value),
            "abs_coefficient": float(abs(value)),
            "rank": rank,
        }
        for rank, (name, value) in enumerate(ranked, 1)
    ]


def parser() -> argparse.ArgumentParser:
    """Return the parser of the arguments that the extension sends."""
    parsed = argparse.ArgumentParser()
    parsed.add_argument("command", choices=["train"])
    parsed.add_argument("--preset", choices=[*PRESETS], required=True)
    parsed.add_argument("--out", required=True)
    parsed.add_argument("--device", choices=["cuda", "cpu"], default="cpu")
    parsed.add_argument("--seed", type=int, default=42)
    parsed.add_argument("--model", default="logistic_regression")
    parsed.add_argument("--name")
    return parsed


def main(arguments: list[str], dataset: str) -> int:
    """Train, and return the exit code: 1 for every failure, and for a run that was cancelled."""
    engine = Engine(parser().parse_args(arguments), dataset)
    try:
        engine.train()
    except Cancelled:
        engine.cancelled()
        return 1
    except Exception as error:  # noqa: BLE001 - that engine says every failure so
        print(f"ERROR: {error}", file=sys.stderr)
        return 1
    return 0


def _end(_number: int, _frame: FrameType | None) -> NoReturn:
    raise Cancelled


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, _end)
    sys.exit(main(sys.argv[1:], os.environ["RUNFORGE_DATASET"]))
