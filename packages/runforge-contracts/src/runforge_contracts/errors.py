"""The one error type of RunForge and its closed list of codes.

Every failure that a user can meet is a :class:`RunForgeError`: a stable code, one sentence, the
place where it happened and a hint. A client decides how to show it; nothing here prints.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import IntEnum, StrEnum
from typing import Any, NamedTuple


class ExitCode(IntEnum):
    """Exit status of every RunForge command."""

    OK = 0
    FAILED = 1
    INVALID = 2
    NOT_FOUND = 3
    INTERNAL = 4
    CANCELLED = 5
    PLAN_INVALID = 6


class ErrorCode(StrEnum):
    """Stable error codes; a code is never renamed or given another meaning."""

    # Usage and configuration
    USAGE_INVALID = "USAGE_INVALID"
    PRESET_UNKNOWN = "PRESET_UNKNOWN"
    PROFILE_UNKNOWN = "PROFILE_UNKNOWN"
    PROFILE_FAMILY_MISMATCH = "PROFILE_FAMILY_MISMATCH"
    MODEL_FAMILY_UNKNOWN = "MODEL_FAMILY_UNKNOWN"
    HYPERPARAMETER_UNKNOWN = "HYPERPARAMETER_UNKNOWN"
    HYPERPARAMETER_INVALID = "HYPERPARAMETER_INVALID"
    RUN_ID_INVALID = "RUN_ID_INVALID"
    RUN_ID_TAKEN = "RUN_ID_TAKEN"
    RUN_AMBIGUOUS = "RUN_AMBIGUOUS"
    RUN_ALREADY_COMPLETE = "RUN_ALREADY_COMPLETE"
    RUN_NOT_RUNNING = "RUN_NOT_RUNNING"
    PATH_OUTSIDE_ROOT = "PATH_OUTSIDE_ROOT"
    PLAN_INVALID = "PLAN_INVALID"
    EXPERIMENT_INVALID = "EXPERIMENT_INVALID"

    # Documents
    JSON_INVALID = "JSON_INVALID"
    JSON_ENCODING_INVALID = "JSON_ENCODING_INVALID"
    JSON_DUPLICATE_KEY = "JSON_DUPLICATE_KEY"
    JSON_NUMBER_INVALID = "JSON_NUMBER_INVALID"
    JSON_STRING_INVALID = "JSON_STRING_INVALID"
    JSON_TOO_DEEP = "JSON_TOO_DEEP"
    JSON_TOO_LARGE = "JSON_TOO_LARGE"
    YAML_INVALID = "YAML_INVALID"
    YAML_ENCODING_INVALID = "YAML_ENCODING_INVALID"
    YAML_DUPLICATE_KEY = "YAML_DUPLICATE_KEY"
    YAML_KEY_INVALID = "YAML_KEY_INVALID"
    YAML_NUMBER_INVALID = "YAML_NUMBER_INVALID"
    YAML_STRING_INVALID = "YAML_STRING_INVALID"
    YAML_TAG_REFUSED = "YAML_TAG_REFUSED"
    YAML_TOO_DEEP = "YAML_TOO_DEEP"
    YAML_TOO_LARGE = "YAML_TOO_LARGE"
    DOCUMENT_INVALID = "DOCUMENT_INVALID"
    DOCUMENT_UNKNOWN = "DOCUMENT_UNKNOWN"
    DOCUMENT_VERSION_UNSUPPORTED = "DOCUMENT_VERSION_UNSUPPORTED"
    POINTER_INVALID = "POINTER_INVALID"

    # Missing things
    FILE_NOT_FOUND = "FILE_NOT_FOUND"
    DATASET_NOT_FOUND = "DATASET_NOT_FOUND"
    STORE_NOT_FOUND = "STORE_NOT_FOUND"
    RUN_NOT_FOUND = "RUN_NOT_FOUND"
    ARTIFACT_NOT_FOUND = "ARTIFACT_NOT_FOUND"
    EXTRA_MISSING = "EXTRA_MISSING"

    # Datasets
    DATASET_EMPTY = "DATASET_EMPTY"
    DATASET_ENCODING_INVALID = "DATASET_ENCODING_INVALID"
    DATASET_FORMAT_UNSUPPORTED = "DATASET_FORMAT_UNSUPPORTED"
    DATASET_DELIMITER_UNSUPPORTED = "DATASET_DELIMITER_UNSUPPORTED"
    DATASET_MALFORMED = "DATASET_MALFORMED"
    DATASET_ROW_RAGGED = "DATASET_ROW_RAGGED"
    COLUMN_DUPLICATE = "COLUMN_DUPLICATE"
    COLUMN_NOT_FOUND = "COLUMN_NOT_FOUND"
    LABEL_NOT_FOUND = "LABEL_NOT_FOUND"
    LABEL_TYPE_INVALID = "LABEL_TYPE_INVALID"
    LABEL_ONLY_DATASET = "LABEL_ONLY_DATASET"
    ZERO_ROWS = "ZERO_ROWS"
    ZERO_FEATURES = "ZERO_FEATURES"
    FEATURE_NOT_NUMERIC = "FEATURE_NOT_NUMERIC"
    FEATURE_NOT_FINITE = "FEATURE_NOT_FINITE"
    FEATURE_TOO_LARGE = "FEATURE_TOO_LARGE"
    TOO_FEW_CLASSES = "TOO_FEW_CLASSES"
    CLASS_TOO_SMALL = "CLASS_TOO_SMALL"
    SPLIT_IMPOSSIBLE = "SPLIT_IMPOSSIBLE"

    # Running and storing
    TRAINING_FAILED = "TRAINING_FAILED"
    EXPERIMENT_FAILED = "EXPERIMENT_FAILED"
    MEMORY_INSUFFICIENT = "MEMORY_INSUFFICIENT"
    CANCELLED = "CANCELLED"
    FILE_UNREADABLE = "FILE_UNREADABLE"
    STORE_NOT_WRITABLE = "STORE_NOT_WRITABLE"
    FILE_UNSAFE = "FILE_UNSAFE"
    STORE_BUSY = "STORE_BUSY"
    INDEX_INVALID = "INDEX_INVALID"

    # Verification and signatures
    VERIFICATION_FAILED = "VERIFICATION_FAILED"
    KEY_INVALID = "KEY_INVALID"
    SIGNATURE_INVALID = "SIGNATURE_INVALID"
    SIGNATURE_NOT_FOUND = "SIGNATURE_NOT_FOUND"

    INTERNAL = "INTERNAL"

    @property
    def exit_code(self) -> ExitCode:
        """Exit status of a command that ends with this error."""
        return _EXIT_CODES.get(self, ExitCode.FAILED)


_EXIT_CODES: Mapping[ErrorCode, ExitCode] = {
    **dict.fromkeys(
        (
            ErrorCode.USAGE_INVALID,
            ErrorCode.PRESET_UNKNOWN,
            ErrorCode.PROFILE_UNKNOWN,
            ErrorCode.PROFILE_FAMILY_MISMATCH,
            ErrorCode.MODEL_FAMILY_UNKNOWN,
            ErrorCode.HYPERPARAMETER_UNKNOWN,
            ErrorCode.HYPERPARAMETER_INVALID,
            ErrorCode.RUN_ID_INVALID,
            ErrorCode.RUN_ID_TAKEN,
            ErrorCode.RUN_AMBIGUOUS,
            ErrorCode.RUN_ALREADY_COMPLETE,
            ErrorCode.RUN_NOT_RUNNING,
            ErrorCode.PATH_OUTSIDE_ROOT,
            ErrorCode.EXPERIMENT_INVALID,
            ErrorCode.JSON_INVALID,
            ErrorCode.JSON_ENCODING_INVALID,
            ErrorCode.JSON_DUPLICATE_KEY,
            ErrorCode.JSON_NUMBER_INVALID,
            ErrorCode.JSON_STRING_INVALID,
            ErrorCode.JSON_TOO_DEEP,
            ErrorCode.JSON_TOO_LARGE,
            ErrorCode.YAML_INVALID,
            ErrorCode.YAML_ENCODING_INVALID,
            ErrorCode.YAML_DUPLICATE_KEY,
            ErrorCode.YAML_KEY_INVALID,
            ErrorCode.YAML_NUMBER_INVALID,
            ErrorCode.YAML_STRING_INVALID,
            ErrorCode.YAML_TAG_REFUSED,
            ErrorCode.YAML_TOO_DEEP,
            ErrorCode.YAML_TOO_LARGE,
            ErrorCode.DOCUMENT_INVALID,
            ErrorCode.DOCUMENT_UNKNOWN,
            ErrorCode.DOCUMENT_VERSION_UNSUPPORTED,
            ErrorCode.POINTER_INVALID,
            ErrorCode.DATASET_FORMAT_UNSUPPORTED,
            ErrorCode.FILE_UNSAFE,
            ErrorCode.INDEX_INVALID,
            ErrorCode.KEY_INVALID,
        ),
        ExitCode.INVALID,
    ),
    **dict.fromkeys(
        (
            ErrorCode.FILE_NOT_FOUND,
            ErrorCode.DATASET_NOT_FOUND,
            ErrorCode.STORE_NOT_FOUND,
            ErrorCode.RUN_NOT_FOUND,
            ErrorCode.ARTIFACT_NOT_FOUND,
            ErrorCode.EXTRA_MISSING,
            ErrorCode.SIGNATURE_NOT_FOUND,
        ),
        ExitCode.NOT_FOUND,
    ),
    ErrorCode.INTERNAL: ExitCode.INTERNAL,
    ErrorCode.CANCELLED: ExitCode.CANCELLED,
    ErrorCode.PLAN_INVALID: ExitCode.PLAN_INVALID,
}


class Place(NamedTuple):
    """Where an error happened; only the parts that are known are set."""

    #: File or folder, as the user named it.
    path: str | None = None
    #: JSON Pointer into the document (RFC 6901); the empty string is its root.
    pointer: str | None = None
    #: Column name of a dataset.
    column: str | None = None
    #: Row of a dataset: 1 is the first row after the header.
    row: int | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return the known parts, in the order of the error schema."""
        parts = {name: getattr(self, name) for name in ("path", "pointer", "column", "row")}
        return {name: value for name, value in parts.items() if value is not None}


class Problem(NamedTuple):
    """One of several mistakes that are reported together."""

    message: str
    place: Place = Place()
    hint: str | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return the problem as the error schema has it."""
        result: dict[str, Any] = {"message": self.message, **self.place.to_dict()}
        if self.hint is not None:
            result["hint"] = self.hint
        return result


class RunForgeError(Exception):
    """A failure with a stable code, one sentence, a place and a hint.

    Parameters
    ----------
    code
        One of the closed list.
    message
        One sentence for a person, ending with a full stop.
    hint
        What to do about it, in one sentence.
    path, pointer, column, row
        The parts of :class:`Place` that are known.
    problems
        The single mistakes, where several are reported together.
    """

    def __init__(
        self,
        code: ErrorCode,
        message: str,
        *,
        hint: str | None = None,
        path: str | None = None,
        pointer: str | None = None,
        column: str | None = None,
        row: int | None = None,
        problems: Iterable[Problem] = (),
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.hint = hint
        self.place = Place(path=path, pointer=pointer, column=column, row=row)
        self.problems = tuple(problems)

    @property
    def exit_code(self) -> ExitCode:
        """Exit status of a command that ends with this error."""
        return self.code.exit_code

    def to_dict(self) -> dict[str, Any]:
        """Return the body of an ``error.v1`` document."""
        result: dict[str, Any] = {"code": self.code.value, "message": self.message}
        if self.hint is not None:
            result["hint"] = self.hint
        result.update(self.place.to_dict())
        if self.problems:
            result["problems"] = [problem.to_dict() for problem in self.problems]
        return result

    def __repr__(self) -> str:
        return f"RunForgeError({self.code.value}, {self.message!r})"
