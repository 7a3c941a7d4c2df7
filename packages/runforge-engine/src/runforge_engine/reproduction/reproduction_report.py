"""Build the report of a reproduction, with its verdict and the reasons for it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from runforge_contracts.schemas import in_schema_order

from runforge_engine.reproduction.artifact_comparison import ArtifactComparison
from runforge_engine.reproduction.reproduction_findings import (
    TOLERANCE,
    Contradiction,
    Reason,
    UncheckedPart,
    ValueDifference,
    Verdict,
)

#: Maximum number of differences listed; with another dataset there would be thousands.
_LISTED = 100


@dataclass(slots=True)
class Reproduction:
    """The outcome of training a run again."""

    run_id: str
    created_at: str
    runforge_version: str
    #: ``path``, ``expected_sha256`` and ``found_sha256``, as far as they are known.
    dataset: dict[str, str] = field(default_factory=dict)
    #: Why the training or the comparison was not possible.
    obstacles: list[Reason] = field(default_factory=list)
    comparison: ArtifactComparison | None = None
    #: The comparison of the models, if their bytes differ: see
    #: :func:`~runforge_engine.reproduction.model_comparison.compare_models`.
    models: dict[str, Any] = field(default_factory=dict)
    environment: list[ValueDifference] = field(default_factory=list)
    contradictions: list[Contradiction] = field(default_factory=list)
    not_checked: list[UncheckedPart] = field(default_factory=list)
    #: Folder in which the new training is kept.
    kept: str | None = None

    @property
    def verdict(self) -> Verdict:
        """Return the verdict; a record that contradicts itself cannot count as reproduced."""
        found = self.comparison
        if found is None:
            return Verdict.NOT_REPRODUCIBLE
        if self.contradictions:
            return Verdict.DIFFERENT
        if found.agrees and all(check.identical for check in found.artifacts):
            return Verdict.IDENTICAL_BYTES
        if found.agrees and found.content.identical:
            return Verdict.IDENTICAL_CONTENT
        if found.agrees_by_name and self._models_agree():
            return Verdict.IDENTICAL_PREDICTIONS
        return Verdict.DIFFERENT

    @property
    def dataset_is_missing(self) -> bool:
        """Return whether only the dataset is missing."""
        return bool(self.obstacles) and all(reason.missing for reason in self.obstacles)

    def _models_agree(self) -> bool:
        if "predictions" not in self.models or self.models["settings"]:
            return False
        apart: float = self.models["parameters"]["largest_difference"]
        return apart <= TOLERANCE and self.models["predictions"]["differing_rows"] == 0

    @property
    def differences(self) -> list[ValueDifference]:
        """Return the differences between the results."""
        settings = [
            ValueDifference(f"artifacts/model.pkl: {item['field']}", item["recorded"], item["here"])
            for item in self.models.get("settings", ())
        ]
        return settings + (self.comparison.differences if self.comparison else [])

    @property
    def reasons(self) -> list[Reason]:
        """Return the reasons why the verdict is not the best one."""
        if self.verdict is Verdict.IDENTICAL_BYTES:
            return []
        contradictions = [
            Reason(
                f"request.json#{item.field}",
                "The request asks for something else than the run record says was done.",
                recorded=item.run,
                here=item.request,
            )
            for item in self.contradictions
        ]
        changed = [
            Reason(check.path, "The file is not the one that the run recorded.")
            for check in (self.comparison.artifacts if self.comparison else ())
            if check.recorded is not None and check.found not in (None, check.recorded)
        ]
        environment = [
            Reason(item.field, None, item.recorded, item.here) for item in self.environment
        ]
        return [*self.obstacles, *contradictions, *changed, *environment]

    def to_dict(self) -> dict[str, Any]:
        """Return the ``reproduction.v1`` document; unknown values are absent."""
        found, differences = self.comparison, self.differences
        unchecked = [*self.not_checked, *(found.not_checked if found else ())]
        if "reason" in self.models:
            unchecked.append(UncheckedPart("predictions and coefficients", self.models["reason"]))
        document: dict[str, Any] = {
            "schema_version": "reproduction.v1",
            "run_id": self.run_id,
            "verdict": self.verdict.value,
            "created_at": self.created_at,
            "runforge_version": self.runforge_version,
            "dataset": self.dataset or None,
            "artifacts": [check.to_dict() for check in (found.artifacts if found else ())],
            "content": found.content.to_dict() if found else None,
            "predictions": self.models.get("predictions"),
            "parameters": self.models.get("parameters"),
            "reasons": [reason.to_dict() for reason in self.reasons],
            "environment": [item.to_dict() for item in self.environment],
            "differences": [item.to_dict() for item in differences[:_LISTED]],
            "differences_omitted": max(len(differences) - _LISTED, 0) or None,
            "contradictions": [item.to_dict() for item in self.contradictions],
            "not_checked": [item.to_dict() for item in unchecked],
            "kept": self.kept,
        }
        present = {name: value for name, value in document.items() if value is not None}
        ordered: dict[str, Any] = in_schema_order(present, "reproduction.v1")
        return ordered
