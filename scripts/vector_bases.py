"""More valid documents that cases are derived from: members that the full vectors cannot hold.

Each is the full vector with values set and removed.
"""

from __future__ import annotations

from typing import Any, NamedTuple


class Base(NamedTuple):
    """What differs from the full vector."""

    set: dict[str, Any]
    remove: tuple[str, ...] = ()


_SHA256 = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
_DIAGNOSTIC = {
    "code": "MISSING_VALUES_DROPPED",
    "severity": "warning",
    "message": "2 rows with missing values were dropped.",
    "details": {"rows_dropped": 2},
}
#: The members that each event must have, beside those of all events.
_EVENTS: dict[str, dict[str, Any]] = {
    "dataset_loaded": {"num_samples": 150, "num_features": 4, "rows_dropped": 0},
    "train_progress": {"epoch": 1, "total_epochs": 50},
    "train_finished": {"duration_seconds": 0.25},
    "metrics_computed": {"metrics_profile": "classification.base.v1", "accuracy": 0.5},
    "artifacts_written": {"artifact_count": 6},
    "cancelling": {"seconds_remaining": 10},
    "run_cancelled": {"step": "training"},
}
_OF_ALL = ("preset_id", "model_family", "code", "message", "step", "artifact_count")
_OF_ALL += tuple(key for members in _EVENTS.values() for key in members)

BASES: dict[str, list[Base]] = {
    "dataset_inspection.v1": [Base({"/diagnostics": [_DIAGNOSTIC]})],
    "diagnostics.v1": [Base({"/diagnostics": [_DIAGNOSTIC]})],
    "events.v1": [
        Base(
            {"/event": event, **{f"/{key}": value for key, value in members.items()}},
            tuple(f"/{key}" for key in dict.fromkeys(_OF_ALL) if key not in members),
        )
        for event, members in _EVENTS.items()
    ],
    "recipe.v1": [
        Base({"/columns": [{"column": "a", **members}], "/source": source})
        for members, source in (
            (
                {"action": "one_hot", "because": "few values", "categories": ["b", "c"]}
                | {"unknown": "column", "missing": "constant", "constant": "b"},
                {"sheet": "Sheet 1"},
            ),
            ({"action": "boolean", "true": ["yes", "y"], "false": ["no", "n"]}, {}),
            ({"action": "date", "format": "%Y-%m-%d", "parts": ["year", "month"]}, {}),
            (
                {"action": "number", "decimal_mark": ",", "thousands_mark": "."}
                | {"missing_values": ["?", "-"]},
                {},
            ),
        )
    ],
    "request.v1": [
        Base(
            {
                "/dataset/recipe": None,
                "/sweep_group_id": "grp_20260201_120000_trees",
                "/sweep_member": 1,
            },
            ("/rerun_from",),
        ),
    ],
    "store_merge.v1": [Base({"/entries/0/origin": _SHA256, "/entries/0/run_dir": "models/first"})],
    "sweep_plan.v1": [
        Base(
            {"/strategy/type": "list", "/strategy/runs": [{"seed": 1}, {"/seed": 2}]},
            ("/strategy/parameters",),
        ),
    ],
    "result.v1": [
        Base(
            {
                "/effective_config/dataset/recipe": None,
                "/effective_config/dataset/recipe_sha256": None,
                "/effective_config/device/gpu_id": 0,
                "/provenance/left_out": ["paths"],
                "/provenance/platform/host": "node-1",
            }
        ),
    ],
    "run.v0.3.3": [
        Base({"/hyperparameters": [{"name": "C", "value": 1.5, "source": "cli"}]}),
    ],
    "run.v0.4.0": [Base({"/provenance/platform/host": "node-1"})],
    "evaluation.v1": [
        Base(
            {
                "/left_out/0/examples/0/value": "n/a",
                "/metrics": {
                    "schema_version": "metrics.v1",
                    "metrics_profile": "classification.proba.v1",
                    "num_classes": 2,
                    "class_labels": [0, 1],
                    "accuracy": 0.75,
                    "precision_macro": 0.75,
                    "recall_macro": 0.75,
                    "f1_macro": 0.75,
                    "roc_auc": 0.875,
                    "log_loss": 0.5,
                    "confusion_matrix": [[5, 1], [2, 4]],
                },
            }
        ),
        Base(
            {
                "/metrics": {
                    "schema_version": "metrics.v1",
                    "metrics_profile": "classification.base.v1",
                    "num_classes": 2,
                    "accuracy": 0.75,
                    "precision_macro": 0.75,
                    "recall_macro": 0.75,
                    "f1_macro": 0.75,
                    "confusion_matrix": [[5, 1], [2, 4]],
                },
            }
        ),
    ],
    "group.v1": [Base({"/runs/0/earlier_run_ids": ["20260201-115959-abc12340"]})],
    "tfc.config.v1": [
        Base(
            {
                "/run": {"command": ["python", "train.py"], "args": ["--verbose"]},
                "/experiment_file/after": {"sha256": _SHA256, "bytes": 512},
            }
        ),
        Base({"/run": {"script": "train.py", "config_argument": False}}),
    ],
    "tfc.experiment.v1": [
        Base({"/run": {"command": ["python", "train.py"], "args": ["--verbose"]}}),
        Base({"/run": {"module": "pkg.train", "config_argument": False}}),
    ],
    "metrics.v1": [
        Base(
            {
                "/metrics_profile": "classification.multiclass.v1",
                "/num_classes": 3,
                "/class_labels": [0, 1, 2],
                "/confusion_matrix": [[3, 1, 0], [0, 3, 1], [1, 0, 3]],
                "/per_class_precision": [0.75, 0.75, 0.75],
                "/per_class_recall": [0.75, 0.75, 0.75],
                "/per_class_f1": [0.75, 0.75, 0.75],
            },
            ("/roc_auc", "/log_loss"),
        )
    ],
}
