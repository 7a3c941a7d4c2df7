"""The values that a training produces, before anything is written."""

from __future__ import annotations

from dataclasses import dataclass

from runforge_contracts.types import MetricsPhase2, Provenance

from runforge_engine.modeling.evaluation import Evaluation
from runforge_engine.modeling.interpretability import Interpretation


@dataclass(frozen=True, slots=True)
class TrainingOutcome:
    """Everything that a training produced, in memory; nothing of it has been written yet."""

    label_column: str
    classes: tuple[int | str, ...]
    feature_names: tuple[str, ...]
    rows_dropped: int
    #: SHA-256 of the prepared table, if there was a recipe.
    prepared_sha256: str | None
    train_rows: int
    validation_rows: int
    evaluation: Evaluation
    interpretation: Interpretation
    #: The model file, the digest of the model that it describes, and the digest of its bytes.
    model: bytes
    model_content_sha256: str
    model_sha256: str
    provenance: Provenance

    @property
    def snapshot(self) -> MetricsPhase2:
        """The short metrics document."""
        return MetricsPhase2(
            accuracy=self.evaluation.metrics.accuracy,
            num_samples=self.train_rows + self.validation_rows,
            num_features=len(self.feature_names),
        )
