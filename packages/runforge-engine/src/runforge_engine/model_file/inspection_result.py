"""The result of an inspection, and its document.

Source: specification, section 14.8.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from runforge_engine.model_file.description import ArrayFacts, Step
from runforge_engine.model_file.limits import InspectionLimits
from runforge_engine.model_file.scan_findings import ScanFinding
from runforge_engine.model_file.trees import TreeFacts

SCHEMA_VERSION = "0.2.2.2"


class UsedGlobal:
    """A name that the file would import, and its verdict."""

    __slots__ = ("allowed", "count", "module", "name", "offset")

    def __init__(self, *, module: str, name: str, allowed: bool, count: int, offset: int) -> None:
        self.module = module
        self.name = name
        self.allowed = allowed
        #: Number of imports in the file, and offset of the first.
        self.count = count
        self.offset = offset

    def to_dict(self) -> dict[str, Any]:
        """Return the name in its document form."""
        return {
            "module": self.module,
            "name": self.name,
            "allowed": self.allowed,
            "count": self.count,
            "offset": self.offset,
        }


class ModelInspection(NamedTuple):
    """The contents of a model file, as far as it could be read."""

    path: str
    #: Size of the file in bytes, and its digest; no digest if the file is too large.
    bytes: int
    sha256: str | None
    compression: str | None
    steps: tuple[Step, ...]
    feature_names: tuple[str, ...] | None
    n_features: int | None
    #: Labels as JSON values.
    classes: tuple[Any, ...] | None
    #: Means of the columns on the training rows; not part of the document.
    means: tuple[float, ...] | None
    library_version: str | None
    arrays: tuple[ArrayFacts, ...]
    trees: tuple[TreeFacts, ...]
    globals: tuple[UsedGlobal, ...]
    findings: tuple[ScanFinding, ...]
    #: Number of findings beyond the limit.
    findings_dropped: int
    #: See :mod:`runforge_engine.model_file.content`; only for a file without errors.
    content_sha256: str | None
    limits: InspectionLimits

    @property
    def is_clean(self) -> bool:
        """Whether there is no finding of severity ``error``."""
        return not self.findings_dropped and all(
            finding.severity != "error" for finding in self.findings
        )

    @property
    def has_preprocessing(self) -> bool:
        """Whether a step before the last one does something."""
        return any(step.type != "passthrough" for step in self.steps[:-1])

    def to_dict(self) -> dict[str, Any]:
        """Return the document ``artifact_inspection.v0.2.2.2``; unknown values are absent."""
        shown = self.limits.shown_entries
        result: dict[str, Any] = {
            "schema_version": SCHEMA_VERSION,
            "artifact_path": self.path,
            "pipeline_steps": [step.to_dict() for step in self.steps[:shown]],
            "has_preprocessing": self.has_preprocessing,
            "step_count": len(self.steps),
            "bytes": self.bytes,
            "sha256": self.sha256,
            "content_sha256": self.content_sha256,
            "compression": self.compression or "none",
            "library_version": self.library_version,
            "n_features": self.n_features,
            "feature_names": None if self.feature_names is None else list(self.feature_names),
            "classes": None if self.classes is None else list(self.classes),
            "array_count": len(self.arrays),
            "arrays": [array.to_dict() for array in self.arrays[:shown]],
            "trees": self._trees_to_dict(),
            "globals": [use.to_dict() for use in self.globals[:shown]],
            "clean": self.is_clean,
            "findings": [finding.to_dict() for finding in self.findings],
        }
        return {name: value for name, value in result.items() if value is not None}

    def _trees_to_dict(self) -> dict[str, int] | None:
        if not self.trees:
            return None
        return {
            "count": len(self.trees),
            "node_count": sum(tree.node_count for tree in self.trees),
            "max_depth": max(tree.max_depth for tree in self.trees),
        }
