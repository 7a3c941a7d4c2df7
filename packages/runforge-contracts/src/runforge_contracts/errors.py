"""The errors of RunForge: a closed list of codes, and one exception for each category of codes.

Every failure that a user can meet is a :class:`RunForgeError` with a stable code, one sentence, the
location where it happened and a hint. Catch a category where the code does not matter:

* :class:`RunForgeError`

  * :class:`UsageError`: an argument, a setting or a configuration is wrong.
  * :class:`NotFoundError`: a file, dataset, store, run, group, artifact or signature is missing.
  * :class:`DocumentError`: a document cannot be parsed, is invalid, or has an unknown version.
  * :class:`DatasetError`: a dataset cannot be used for training or prediction.
  * :class:`StoreError`: the store or a file in it cannot be read or written safely.
  * :class:`ResourceError`: memory, an optional dependency or a worker is missing.
  * :class:`RunFailedError`: training or the code of an experiment failed.
  * :class:`CancelledError`: the user cancelled the operation.
  * :class:`VerificationError`: a check of recorded runs failed.
  * :class:`SignatureError`: a key or a signature is invalid.
  * :class:`InternalError`: a bug in RunForge.

``RunForgeError(code, ...)`` constructs the category of the code. Nothing here prints; a client
decides how to show an error.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import IntEnum, StrEnum
from typing import Any, ClassVar, NamedTuple, Self


class ExitCode(IntEnum):
    """Exit status of every RunForge command."""

    OK = 0
    FAILED = 1
    INVALID = 2
    NOT_FOUND = 3
    INTERNAL = 4
    CANCELLED = 5
    PLAN_INVALID = 6
    #: Only of ``verify``: no check failed, and nothing vouches for the files of a run.
    UNVERIFIABLE = 7
    #: A run succeeded, and its metrics do not keep to a bound that was given.
    GATE_NOT_MET = 8


class ErrorCode(StrEnum):
    """Stable error codes, each with the exit status of a command that ends with it.

    A code is never renamed or given another meaning.
    """

    exit_code: ExitCode

    def __new__(cls, value: str, exit_code: ExitCode = ExitCode.FAILED) -> Self:
        """Create a member whose value is only the code."""
        member = str.__new__(cls, value)
        member._value_ = value
        member.exit_code = exit_code
        return member

    # Usage and configuration
    USAGE_INVALID = "USAGE_INVALID", ExitCode.INVALID
    PRESET_UNKNOWN = "PRESET_UNKNOWN", ExitCode.INVALID
    PROFILE_UNKNOWN = "PROFILE_UNKNOWN", ExitCode.INVALID
    PROFILE_FAMILY_MISMATCH = "PROFILE_FAMILY_MISMATCH", ExitCode.INVALID
    MODEL_FAMILY_UNKNOWN = "MODEL_FAMILY_UNKNOWN", ExitCode.INVALID
    HYPERPARAMETER_UNKNOWN = "HYPERPARAMETER_UNKNOWN", ExitCode.INVALID
    HYPERPARAMETER_INVALID = "HYPERPARAMETER_INVALID", ExitCode.INVALID
    RUN_ID_INVALID = "RUN_ID_INVALID", ExitCode.INVALID
    RUN_ID_TAKEN = "RUN_ID_TAKEN", ExitCode.INVALID
    RUN_AMBIGUOUS = "RUN_AMBIGUOUS", ExitCode.INVALID
    RUN_ALREADY_COMPLETE = "RUN_ALREADY_COMPLETE", ExitCode.INVALID
    RUN_NOT_RUNNING = "RUN_NOT_RUNNING", ExitCode.INVALID
    GROUP_AMBIGUOUS = "GROUP_AMBIGUOUS", ExitCode.INVALID
    EVALUATION_AMBIGUOUS = "EVALUATION_AMBIGUOUS", ExitCode.INVALID
    PATH_OUTSIDE_ROOT = "PATH_OUTSIDE_ROOT", ExitCode.INVALID
    PLAN_INVALID = "PLAN_INVALID", ExitCode.PLAN_INVALID
    EXPERIMENT_INVALID = "EXPERIMENT_INVALID", ExitCode.INVALID

    # Documents
    JSON_INVALID = "JSON_INVALID", ExitCode.INVALID
    JSON_ENCODING_INVALID = "JSON_ENCODING_INVALID", ExitCode.INVALID
    JSON_DUPLICATE_KEY = "JSON_DUPLICATE_KEY", ExitCode.INVALID
    JSON_NUMBER_INVALID = "JSON_NUMBER_INVALID", ExitCode.INVALID
    JSON_STRING_INVALID = "JSON_STRING_INVALID", ExitCode.INVALID
    JSON_TOO_DEEP = "JSON_TOO_DEEP", ExitCode.INVALID
    JSON_TOO_LARGE = "JSON_TOO_LARGE", ExitCode.INVALID
    YAML_INVALID = "YAML_INVALID", ExitCode.INVALID
    YAML_ENCODING_INVALID = "YAML_ENCODING_INVALID", ExitCode.INVALID
    YAML_DUPLICATE_KEY = "YAML_DUPLICATE_KEY", ExitCode.INVALID
    YAML_KEY_INVALID = "YAML_KEY_INVALID", ExitCode.INVALID
    YAML_NUMBER_INVALID = "YAML_NUMBER_INVALID", ExitCode.INVALID
    YAML_STRING_INVALID = "YAML_STRING_INVALID", ExitCode.INVALID
    YAML_TAG_REFUSED = "YAML_TAG_REFUSED", ExitCode.INVALID
    YAML_TOO_DEEP = "YAML_TOO_DEEP", ExitCode.INVALID
    YAML_TOO_LARGE = "YAML_TOO_LARGE", ExitCode.INVALID
    DOCUMENT_INVALID = "DOCUMENT_INVALID", ExitCode.INVALID
    DOCUMENT_UNKNOWN = "DOCUMENT_UNKNOWN", ExitCode.INVALID
    DOCUMENT_VERSION_UNSUPPORTED = "DOCUMENT_VERSION_UNSUPPORTED", ExitCode.INVALID
    POINTER_INVALID = "POINTER_INVALID", ExitCode.INVALID

    # Missing files, runs and artifacts
    FILE_NOT_FOUND = "FILE_NOT_FOUND", ExitCode.NOT_FOUND
    DATASET_NOT_FOUND = "DATASET_NOT_FOUND", ExitCode.NOT_FOUND
    STORE_NOT_FOUND = "STORE_NOT_FOUND", ExitCode.NOT_FOUND
    RUN_NOT_FOUND = "RUN_NOT_FOUND", ExitCode.NOT_FOUND
    GROUP_NOT_FOUND = "GROUP_NOT_FOUND", ExitCode.NOT_FOUND
    EVALUATION_NOT_FOUND = "EVALUATION_NOT_FOUND", ExitCode.NOT_FOUND
    ARTIFACT_NOT_FOUND = "ARTIFACT_NOT_FOUND", ExitCode.NOT_FOUND
    EXTRA_MISSING = "EXTRA_MISSING", ExitCode.NOT_FOUND
    SCHEDULER_UNREACHABLE = "SCHEDULER_UNREACHABLE", ExitCode.NOT_FOUND

    # Datasets
    DATASET_EMPTY = "DATASET_EMPTY", ExitCode.FAILED
    DATASET_ENCODING_INVALID = "DATASET_ENCODING_INVALID", ExitCode.FAILED
    DATASET_FORMAT_UNSUPPORTED = "DATASET_FORMAT_UNSUPPORTED", ExitCode.INVALID
    DATASET_DELIMITER_UNSUPPORTED = "DATASET_DELIMITER_UNSUPPORTED", ExitCode.FAILED
    DATASET_MALFORMED = "DATASET_MALFORMED", ExitCode.FAILED
    DATASET_ROW_RAGGED = "DATASET_ROW_RAGGED", ExitCode.FAILED
    COLUMN_DUPLICATE = "COLUMN_DUPLICATE", ExitCode.FAILED
    COLUMN_NOT_FOUND = "COLUMN_NOT_FOUND", ExitCode.INVALID
    LABEL_NOT_FOUND = "LABEL_NOT_FOUND", ExitCode.INVALID
    LABEL_TYPE_INVALID = "LABEL_TYPE_INVALID", ExitCode.FAILED
    LABEL_ONLY_DATASET = "LABEL_ONLY_DATASET", ExitCode.FAILED
    ZERO_ROWS = "ZERO_ROWS", ExitCode.FAILED
    ZERO_FEATURES = "ZERO_FEATURES", ExitCode.FAILED
    FEATURE_NOT_NUMERIC = "FEATURE_NOT_NUMERIC", ExitCode.FAILED
    FEATURE_NOT_FINITE = "FEATURE_NOT_FINITE", ExitCode.FAILED
    FEATURE_TOO_LARGE = "FEATURE_TOO_LARGE", ExitCode.FAILED
    VALUE_UNEXPECTED = "VALUE_UNEXPECTED", ExitCode.FAILED
    TOO_FEW_CLASSES = "TOO_FEW_CLASSES", ExitCode.FAILED
    CLASS_TOO_SMALL = "CLASS_TOO_SMALL", ExitCode.FAILED
    SPLIT_IMPOSSIBLE = "SPLIT_IMPOSSIBLE", ExitCode.FAILED
    DATASET_CHANGED = "DATASET_CHANGED", ExitCode.FAILED

    # Running and storing
    TRAINING_FAILED = "TRAINING_FAILED", ExitCode.FAILED
    EXPERIMENT_FAILED = "EXPERIMENT_FAILED", ExitCode.FAILED
    WORKER_LOST = "WORKER_LOST", ExitCode.FAILED
    WORKER_MISMATCH = "WORKER_MISMATCH", ExitCode.FAILED
    MEMORY_INSUFFICIENT = "MEMORY_INSUFFICIENT", ExitCode.FAILED
    CANCELLED = "CANCELLED", ExitCode.CANCELLED
    FILE_UNREADABLE = "FILE_UNREADABLE", ExitCode.FAILED
    STORE_NOT_WRITABLE = "STORE_NOT_WRITABLE", ExitCode.FAILED
    FILE_UNSAFE = "FILE_UNSAFE", ExitCode.INVALID
    STORE_BUSY = "STORE_BUSY", ExitCode.FAILED
    GROUP_BUSY = "GROUP_BUSY", ExitCode.FAILED
    INDEX_INVALID = "INDEX_INVALID", ExitCode.INVALID

    # Verification and signatures
    VERIFICATION_FAILED = "VERIFICATION_FAILED", ExitCode.FAILED
    GATE_NOT_MET = "GATE_NOT_MET", ExitCode.GATE_NOT_MET
    KEY_INVALID = "KEY_INVALID", ExitCode.INVALID
    SIGNATURE_INVALID = "SIGNATURE_INVALID", ExitCode.FAILED
    SIGNATURE_NOT_FOUND = "SIGNATURE_NOT_FOUND", ExitCode.NOT_FOUND

    INTERNAL = "INTERNAL", ExitCode.INTERNAL


class Location(NamedTuple):
    """Where an error happened; only the parts that are known are set."""

    #: File or folder, as the user named it.
    path: str | None = None
    #: JSON Pointer into the document (RFC 6901); the empty string is its root.
    pointer: str | None = None
    #: Column name of a dataset.
    column: str | None = None
    #: Row of a dataset: 1 is the first row after the header.
    row: int | None = None

    @property
    def text(self) -> str:
        """The known parts for display, not yet printable; empty if there are none."""
        parts = [self.path or ""]
        if self.pointer:
            parts.append(f"pointer {self.pointer}")
        if self.column is not None:
            parts.append(f"column {self.column}")
        if self.row is not None:
            parts.append(f"row {self.row}")
        return ", ".join(part for part in parts if part)

    def to_dict(self) -> dict[str, Any]:
        """Return the known parts, in the order of the error schema."""
        parts = {name: getattr(self, name) for name in ("path", "pointer", "column", "row")}
        return {name: value for name, value in parts.items() if value is not None}


class Problem(NamedTuple):
    """One of several problems that are reported together."""

    message: str
    location: Location = Location()
    hint: str | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return the problem in the form of the error schema."""
        result: dict[str, Any] = {"message": self.message, **self.location.to_dict()}
        if self.hint is not None:
            result["hint"] = self.hint
        return result


#: Category of each code, filled by the subclasses.
_CATEGORIES: dict[ErrorCode, type[RunForgeError]] = {}


class RunForgeError(Exception):
    """A failure with a stable code, one sentence, a location and a hint.

    Constructing one gives an instance of the category that the code belongs to.

    Parameters
    ----------
    code
        A member of the closed list.
    message
        One sentence for display, ending with a full stop.
    hint
        What to do about it, in one sentence.
    path, pointer, column, row
        The parts of :class:`Location` that are known.
    problems
        The single problems, if several are reported together.
    """

    #: Codes of the category; empty for the base class.
    codes: ClassVar[frozenset[ErrorCode]] = frozenset()

    def __init_subclass__(cls, *, codes: Iterable[ErrorCode] = (), **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        cls.codes = frozenset(codes) or cls.codes
        _CATEGORIES.update(dict.fromkeys(cls.codes, cls))

    def __new__(cls, code: ErrorCode, *_: Any, **__: Any) -> Self:
        """Create an instance of the code's category, which is a subclass of ``cls``."""
        category = _CATEGORIES.get(code, cls)
        if not issubclass(category, cls):
            raise TypeError(f"{code!r} is not a code of {cls.__name__}")
        return super().__new__(category)

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
        self.location = Location(path=path, pointer=pointer, column=column, row=row)
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
        result.update(self.location.to_dict())
        if self.problems:
            result["problems"] = [problem.to_dict() for problem in self.problems]
        return result

    @classmethod
    def from_dict(cls, document: Mapping[str, Any]) -> RunForgeError:
        """Return the error that the body of an ``error.v1`` document describes."""
        problems = [
            Problem(item["message"], Location(**_place(item)), item.get("hint"))
            for item in document.get("problems", ())
        ]
        return RunForgeError(
            ErrorCode(document["code"]),
            document["message"],
            hint=document.get("hint"),
            problems=problems,
            **_place(document),
        )

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.code.value}, {self.message!r})"


def _place(document: Mapping[str, Any]) -> dict[str, Any]:
    return {name: document[name] for name in Location._fields if name in document}


class UsageError(
    RunForgeError,
    codes=(
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
        ErrorCode.GROUP_AMBIGUOUS,
        ErrorCode.EVALUATION_AMBIGUOUS,
        ErrorCode.PATH_OUTSIDE_ROOT,
        ErrorCode.PLAN_INVALID,
        ErrorCode.EXPERIMENT_INVALID,
    ),
):
    """An argument, a setting or a configuration is wrong."""


class NotFoundError(
    RunForgeError,
    codes=(
        ErrorCode.FILE_NOT_FOUND,
        ErrorCode.DATASET_NOT_FOUND,
        ErrorCode.STORE_NOT_FOUND,
        ErrorCode.RUN_NOT_FOUND,
        ErrorCode.GROUP_NOT_FOUND,
        ErrorCode.EVALUATION_NOT_FOUND,
        ErrorCode.ARTIFACT_NOT_FOUND,
        ErrorCode.SIGNATURE_NOT_FOUND,
    ),
):
    """A file, dataset, store, run, group, evaluation, artifact or signature is missing."""


class DocumentError(
    RunForgeError,
    codes=(
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
    ),
):
    """A document cannot be parsed, is invalid, or has an unknown version."""


class DatasetError(
    RunForgeError,
    codes=(
        ErrorCode.DATASET_EMPTY,
        ErrorCode.DATASET_ENCODING_INVALID,
        ErrorCode.DATASET_FORMAT_UNSUPPORTED,
        ErrorCode.DATASET_DELIMITER_UNSUPPORTED,
        ErrorCode.DATASET_MALFORMED,
        ErrorCode.DATASET_ROW_RAGGED,
        ErrorCode.COLUMN_DUPLICATE,
        ErrorCode.COLUMN_NOT_FOUND,
        ErrorCode.LABEL_NOT_FOUND,
        ErrorCode.LABEL_TYPE_INVALID,
        ErrorCode.LABEL_ONLY_DATASET,
        ErrorCode.ZERO_ROWS,
        ErrorCode.ZERO_FEATURES,
        ErrorCode.FEATURE_NOT_NUMERIC,
        ErrorCode.FEATURE_NOT_FINITE,
        ErrorCode.FEATURE_TOO_LARGE,
        ErrorCode.VALUE_UNEXPECTED,
        ErrorCode.TOO_FEW_CLASSES,
        ErrorCode.CLASS_TOO_SMALL,
        ErrorCode.SPLIT_IMPOSSIBLE,
    ),
):
    """A dataset cannot be used for training or prediction."""


class StoreError(
    RunForgeError,
    codes=(
        ErrorCode.FILE_UNREADABLE,
        ErrorCode.FILE_UNSAFE,
        ErrorCode.STORE_NOT_WRITABLE,
        ErrorCode.STORE_BUSY,
        ErrorCode.GROUP_BUSY,
        ErrorCode.INDEX_INVALID,
    ),
):
    """The store or a file in it cannot be read or written safely."""


class ResourceError(
    RunForgeError,
    codes=(
        ErrorCode.EXTRA_MISSING,
        ErrorCode.MEMORY_INSUFFICIENT,
        ErrorCode.SCHEDULER_UNREACHABLE,
        ErrorCode.WORKER_LOST,
        ErrorCode.WORKER_MISMATCH,
    ),
):
    """Memory, an optional dependency or a worker is missing."""


class RunFailedError(
    RunForgeError,
    codes=(
        ErrorCode.TRAINING_FAILED,
        ErrorCode.EXPERIMENT_FAILED,
    ),
):
    """Training or the code of an experiment failed."""


class CancelledError(
    RunForgeError,
    codes=(ErrorCode.CANCELLED,),
):
    """The user cancelled the operation."""


class VerificationError(
    RunForgeError,
    codes=(
        ErrorCode.DATASET_CHANGED,
        ErrorCode.VERIFICATION_FAILED,
        ErrorCode.GATE_NOT_MET,
    ),
):
    """A check of recorded runs failed, or a bound for their metrics is not kept."""


class SignatureError(
    RunForgeError,
    codes=(
        ErrorCode.KEY_INVALID,
        ErrorCode.SIGNATURE_INVALID,
    ),
):
    """A key or a signature is invalid."""


class InternalError(
    RunForgeError,
    codes=(ErrorCode.INTERNAL,),
):
    """A bug in RunForge."""
