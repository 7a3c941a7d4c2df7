"""The record of a run as named values that can be compared with those of another run.

A name that a run does not record is absent. Older, failed and cancelled runs record fewer.
"""

from __future__ import annotations

from functools import cached_property
from typing import Any, NamedTuple

from runforge_contracts.comparison.environment_difference import environment_fields
from runforge_contracts.metrics import class_metrics
from runforge_contracts.store import layout
from runforge_contracts.store.run import Run
from runforge_contracts.store.summary import summarize

#: A recorded value: ``value``, and ``source`` for hyperparameters.
Recorded = dict[str, Any]

_METRICS = ("accuracy", "precision_macro", "recall_macro", "f1_macro", "roc_auc", "log_loss")
_CLASS_METRICS = ("precision", "recall", "f1")
#: Names in ``result.json`` of metrics that are also in ``metrics.v1.json``.
SAME_AS = {"f1_score": "f1_macro", "precision": "precision_macro", "recall": "recall_macro"}


class Weights(NamedTuple):
    """Coefficients or importances of a model."""

    kind: str
    family: str
    #: By feature, and by class if there are coefficients for each class.
    values: dict[tuple[str, int | str | None], float]


class Facets:
    """A run as named values; every property reads the documents that it needs."""

    def __init__(self, folder: Run) -> None:
        self.folder = folder
        self._run = folder.record or {}
        self._request = folder.request or {}
        self._result = folder.result or {}
        self._summary = summarize(folder.request, folder.record, folder.result)

    def header(self) -> dict[str, Any]:
        """Return the values that identify the run."""
        error = self._result.get("error") or {}
        created_at = self._run.get("created_at") or self._result.get("finished_at")
        return {
            "run_id": self.folder.id,
            "run_dir": str(self.folder.path),
            "status": self.folder.status,
            **given(
                schema_version=self._run.get("schema_version"),
                created_at=created_at or self._request.get("created_at"),
                name=self._request.get("name"),
                rerun_from=self._request.get("rerun_from"),
                error=given(message=error.get("message"), code=error.get("code")) or None,
            ),
        }

    @cached_property
    def has_results(self) -> bool:
        """Whether training recorded any results."""
        return bool(self.metrics)

    @cached_property
    def configuration(self) -> dict[str, Recorded]:
        """Family, preset, profile, seed, device and split."""
        model, data = self._summary.model, self._summary.data
        return recorded(
            model_family=model.family,
            preset=model.preset,
            profile=model.profile,
            seed=model.seed,
            device=model.device,
            split=data.split_method,
            validation_fraction=data.validation_fraction,
        )

    @cached_property
    def hyperparameters(self) -> dict[str, Recorded]:
        """Every hyperparameter, with the source of its value if it is recorded."""
        return {
            name: {"value": value} if source is None else {"value": value, "source": source}
            for name, (value, source) in self._summary.model.hyperparameters.items()
        }

    @cached_property
    def data(self) -> dict[str, Recorded]:
        """Dataset, label, rows and features."""
        data = self._summary.data
        excluded = data.exclude_columns
        return recorded(
            path=data.path,
            fingerprint_sha256=data.fingerprint_sha256,
            label_column=data.label_column,
            classes=data.classes,
            num_samples=data.rows,
            dropped_rows_missing_values=data.dropped_rows,
            train_rows=data.train_rows,
            validation_rows=data.validation_rows,
            num_features=data.num_features,
            feature_names=data.feature_names,
            exclude_columns=None if excluded is None else list(excluded),
            recipe=data.recipe,
            recipe_sha256=data.recipe_sha256,
            prepared_sha256=data.prepared_sha256,
        )

    @cached_property
    def environment(self) -> dict[str, Recorded]:
        """Numeric libraries, Python, packages, machine and code, by dotted names."""
        origin = self._summary.origin
        provenance = origin.provenance
        git = {f"git.{name}": value for name, value in (provenance.get("git") or {}).items()}
        return recorded(
            runforge_version=origin.runforge_version,
            client=origin.client,
            **environment_fields(provenance),
            **git,
        )

    @cached_property
    def metrics(self) -> dict[tuple[str, int | str | None], float]:
        """Metrics by name, and by class for metrics of single classes."""
        detailed = self.folder.content(layout.METRICS_V1) or {}
        found: dict[tuple[str, int | str | None], float] = {
            (name, None): detailed[name] for name in _METRICS if name in detailed
        }
        summary = (self._result.get("summary") or {}).get("metrics") or {}
        for name, value in {**(self._run.get("metrics") or {}), **summary}.items():
            known = (SAME_AS.get(name, name), None) if detailed else (name, None)
            if not name.startswith("num_"):
                found.setdefault(known, value)
        for item in class_metrics(detailed) if detailed else ():
            found.update({(name, item.label): getattr(item, name) for name in _CLASS_METRICS})
        return found

    @cached_property
    def weights(self) -> Weights | None:
        """Coefficients or importances, or None if the run has neither."""
        importance = self.folder.content(layout.FEATURE_IMPORTANCE)
        if importance is not None:
            ranked = importance["features_by_importance"]
            return Weights(
                "feature_importance",
                importance["model_family"],
                {(item["name"], None): item["importance"] for item in ranked},
            )
        coefficients = self.folder.content(layout.LINEAR_COEFFICIENTS)
        if coefficients is None:
            return None
        return Weights(
            "linear_coefficients",
            coefficients["model_family"],
            {
                (item["name"], group["class"]): item["coefficient"]
                for group in coefficients["coefficients_by_class"]
                for item in group["features"]
            },
        )

    @cached_property
    def artifacts(self) -> dict[str, Recorded]:
        """Digest of every artifact, by path; files that contain the run id are left out."""
        digests = self._run.get("artifact_digests")
        if digests is None:
            digests = (self.folder.content(layout.MANIFEST) or {}).get("files") or {}
        return {
            path: {"value": digests[path]["sha256"]}
            for path in sorted(digests)
            if path.startswith("artifacts/") or path in (layout.METRICS, layout.METRICS_V1)
            if path != layout.INTERPRETABILITY_INDEX
        }

    @cached_property
    def model_content(self) -> dict[str, Recorded]:
        """Digest of the model's content, if it is recorded."""
        return recorded(model_content_sha256=self._run.get("model_content_sha256"))


def given(**values: Any) -> dict[str, Any]:
    """Return the values that are not None."""
    return {name: value for name, value in values.items() if value is not None}


def recorded(**values: Any) -> dict[str, Recorded]:
    """Return the values that are not None, as recorded values."""
    return {name: {"value": value} for name, value in given(**values).items()}
