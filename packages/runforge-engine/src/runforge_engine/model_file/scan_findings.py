"""Findings about a model file: a closed list of codes, with offsets."""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum
from typing import Any, Literal, NamedTuple

Severity = Literal["error", "warning", "info"]


class FindingCode(StrEnum):
    """Stable codes of findings; a code is never renamed or given another meaning."""

    # Code that the file would run
    GLOBAL_NOT_ALLOWED = "GLOBAL_NOT_ALLOWED"
    CALL_NOT_ALLOWED = "CALL_NOT_ALLOWED"
    STATE_NOT_ALLOWED = "STATE_NOT_ALLOWED"
    OPERATION_NOT_ALLOWED = "OPERATION_NOT_ALLOWED"
    EXTENSION_CODE = "EXTENSION_CODE"
    PERSISTENT_ID = "PERSISTENT_ID"
    EXTERNAL_BUFFER = "EXTERNAL_BUFFER"
    AMBIGUOUS_STREAM = "AMBIGUOUS_STREAM"

    # Encoding of the file
    NOT_A_PICKLE = "NOT_A_PICKLE"
    MALFORMED = "MALFORMED"
    TRUNCATED = "TRUNCATED"
    FRAME_INVALID = "FRAME_INVALID"
    MEMO_OVERWRITTEN = "MEMO_OVERWRITTEN"
    TRAILING_DATA = "TRAILING_DATA"
    LEGACY_FORMAT = "LEGACY_FORMAT"
    COMPRESSION_UNSUPPORTED = "COMPRESSION_UNSUPPORTED"
    COMPRESSION_INVALID = "COMPRESSION_INVALID"
    FILE_CHANGED = "FILE_CHANGED"

    # Contents of the file
    ATTRIBUTE_INVALID = "ATTRIBUTE_INVALID"
    ARRAY_INVALID = "ARRAY_INVALID"
    DTYPE_NOT_ALLOWED = "DTYPE_NOT_ALLOWED"
    TREE_INVALID = "TREE_INVALID"
    CYCLE = "CYCLE"
    NOT_A_PIPELINE = "NOT_A_PIPELINE"

    # Limits
    FILE_LIMIT = "FILE_LIMIT"
    DECOMPRESSION_LIMIT = "DECOMPRESSION_LIMIT"
    OPERATION_LIMIT = "OPERATION_LIMIT"
    DEPTH_LIMIT = "DEPTH_LIMIT"
    NAME_LIMIT = "NAME_LIMIT"
    MEMO_LIMIT = "MEMO_LIMIT"
    TEXT_LIMIT = "TEXT_LIMIT"
    INTEGER_LIMIT = "INTEGER_LIMIT"
    ARRAY_LIMIT = "ARRAY_LIMIT"
    TREE_LIMIT = "TREE_LIMIT"
    TIME_LIMIT = "TIME_LIMIT"


class ScanFinding(NamedTuple):
    """A finding about the file."""

    code: FindingCode
    severity: Severity
    message: str
    #: Byte in the stream, after decompression, where it was found; absent if there is no position.
    offset: int | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return the finding in its document form."""
        result: dict[str, Any] = {
            "code": self.code.value,
            "severity": self.severity,
            "message": self.message,
        }
        if self.offset is not None:
            result["offset"] = self.offset
        return result


class ReadingStopped(Exception):  # noqa: N818 - it ends the reading; the inspection continues
    """The stream cannot or must not be read any further.

    Parameters
    ----------
    code, message
        Of the finding that states the reason.
    offset
        Position in the stream; by default the current position of the machine.
    """

    def __init__(self, code: FindingCode, message: str, offset: int | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.offset = offset


class Refused(Exception):  # noqa: N818 - a verdict, not a failure
    """A call or a state is unknown to the readers; reading continues without it."""

    def __init__(self, code: FindingCode, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


class Findings:
    """The findings of one inspection, in order."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._found: list[ScanFinding] = []
        self._seen: set[ScanFinding] = set()
        #: Number of findings beyond the limit.
        self.dropped = 0
        self.has_errors = False

    def add(
        self,
        code: FindingCode,
        message: str,
        offset: int | None = None,
        severity: Severity = "error",
    ) -> None:
        """Add a finding, unless it is a duplicate."""
        self.has_errors |= severity == "error"
        finding = ScanFinding(code, severity, message, offset)
        if finding in self._seen:
            return
        if len(self._found) >= self._limit:
            self.dropped += 1
            return
        self._seen.add(finding)
        self._found.append(finding)

    def __iter__(self) -> Iterator[ScanFinding]:
        return iter(self._found)
