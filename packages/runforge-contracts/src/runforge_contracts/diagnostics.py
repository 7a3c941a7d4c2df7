"""Diagnostics: structured messages that explain how a run behaved.

A run that fails carries its error code as a diagnostic too, so the codes of
:class:`~runforge_contracts.errors.ErrorCode` may appear beside the ones here.

Source: specification, sections 15.3 and 15.4.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import Any, Literal

from runforge_contracts._generated.common_v1 import Diagnostic
from runforge_contracts.errors import ErrorCode, Location, RunForgeError

__all__ = [
    "Diagnostic",
    "DiagnosticCode",
    "diagnostic",
    "error_diagnostic",
    "error_diagnostics",
    "raw_diagnostic",
]


class DiagnosticCode(StrEnum):
    """Codes of messages about a run, or about its use, that are not errors."""

    MISSING_VALUES_DROPPED = "MISSING_VALUES_DROPPED"
    CONVERGENCE_NOT_REACHED = "CONVERGENCE_NOT_REACHED"
    TRAINING_WARNING = "TRAINING_WARNING"
    EMPTY_COLUMNS_DROPPED = "EMPTY_COLUMNS_DROPPED"
    FEATURE_BOOLEAN = "FEATURE_BOOLEAN"
    FEATURE_CONSTANT = "FEATURE_CONSTANT"
    FEATURE_NOT_EXACT = "FEATURE_NOT_EXACT"
    FEATURE_OUTLIER = "FEATURE_OUTLIER"
    ID_LIKE_FEATURE = "ID_LIKE_FEATURE"
    LABEL_LEAK_SUSPECTED = "LABEL_LEAK_SUSPECTED"
    LABELS_ALIKE = "LABELS_ALIKE"
    LABELS_MERGED = "LABELS_MERGED"
    METRIC_UNDEFINED = "METRIC_UNDEFINED"
    FEATURE_IMPORTANCE_UNSUPPORTED_MODEL = "FEATURE_IMPORTANCE_UNSUPPORTED_MODEL"
    LINEAR_COEFFICIENTS_UNSUPPORTED_MODEL = "LINEAR_COEFFICIENTS_UNSUPPORTED_MODEL"
    COEFFICIENTS_MISSING_ON_ARTIFACT = "COEFFICIENTS_MISSING_ON_ARTIFACT"
    FEATURE_NAMES_UNAVAILABLE = "FEATURE_NAMES_UNAVAILABLE"
    GPU_UNAVAILABLE = "GPU_UNAVAILABLE"
    FAMILY_FROM_PROFILE = "FAMILY_FROM_PROFILE"
    NUMERICS_NOT_PINNED = "NUMERICS_NOT_PINNED"
    ENVIRONMENT_MIXED = "ENVIRONMENT_MIXED"
    PROVENANCE_INCOMPLETE = "PROVENANCE_INCOMPLETE"
    RUN_FOLDER_MOVED = "RUN_FOLDER_MOVED"
    LEFT_OUT_ON_REQUEST = "LEFT_OUT_ON_REQUEST"
    KEY_EXPOSED = "KEY_EXPOSED"

    @property
    def severity(self) -> Literal["info", "warning"]:
        """The severity: ``info`` if the diagnostic only describes the model."""
        return "info" if self in _INFORMATION else "warning"


_INFORMATION = frozenset(
    {
        DiagnosticCode.EMPTY_COLUMNS_DROPPED,
        DiagnosticCode.FEATURE_BOOLEAN,
        DiagnosticCode.FEATURE_CONSTANT,
        DiagnosticCode.FEATURE_IMPORTANCE_UNSUPPORTED_MODEL,
        DiagnosticCode.LEFT_OUT_ON_REQUEST,
        DiagnosticCode.LINEAR_COEFFICIENTS_UNSUPPORTED_MODEL,
    }
)


def diagnostic(code: DiagnosticCode, message: str, **details: Any) -> Diagnostic:
    """Return the diagnostic ``code`` with a message for display and details.

    ``details`` must be values that JSON can hold.
    """
    return Diagnostic(code=code.value, severity=code.severity, message=message, details=details)


def error_diagnostic(error: RunForgeError, workspace: Path | None = None) -> Diagnostic:
    """Return the diagnostic of an error: its code, message, location and hint.

    If several columns are refused, it has all of them. A path in the workspace is made relative to
    it, as in documents.
    """
    columns = [item.location.column for item in error.problems if item.location.column is not None]
    details = {"columns": columns} if len(columns) > 1 else {}
    return _error(error.code, error.message, error.location, error.hint, details, workspace)


def error_diagnostics(error: RunForgeError, workspace: Path | None = None) -> list[Diagnostic]:
    """Return :func:`error_diagnostic`, and one more for each column of which that does not tell.

    So the record of a run names everything that must be corrected, not only the first of it.
    """
    return [
        error_diagnostic(error, workspace),
        *(
            _error(error.code, *item, {}, workspace)
            for item in error.problems
            if item.location.column is not None and item.message != error.message
        ),
    ]


def _error(
    code: ErrorCode,
    message: str,
    location: Location,
    hint: str | None,
    details: Mapping[str, Any],
    workspace: Path | None,
) -> Diagnostic:
    details = {**location.to_dict(), **details, **({"hint": hint} if hint else {})}
    path = location.path
    if path and workspace and Path(path).is_relative_to(workspace):
        details["path"] = Path(path).relative_to(workspace).as_posix()
    return Diagnostic(code=code.value, severity="error", message=message, details=details)


def raw_diagnostic(item: Diagnostic) -> dict[str, Any]:
    """Return a diagnostic in the form of the documents."""
    return {
        "code": item.code,
        "severity": item.severity,
        "message": item.message,
        "details": item.details,
    }
