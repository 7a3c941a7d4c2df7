"""The list of expected failures: strict, and every entry with its reason.

One entry a line: a pattern of case ids and, after ``#``, why they fail today. An entry that no
failing case matches fails the run, so that the list never outlives the fault.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path

from runforge_contracts.errors import ErrorCode, RunForgeError
from runforge_contracts.files import read_file

_MAX_BYTES = 2**20


@dataclass(slots=True)
class ExpectedFailures:
    """Patterns of case ids with their reasons, and which of them were met."""

    reasons: dict[str, str] = field(default_factory=dict)
    _met: set[str] = field(default_factory=set)

    @classmethod
    def read(cls, path: Path) -> ExpectedFailures:
        """Read a list.

        Raises
        ------
        RunForgeError
            ``USAGE_INVALID`` for an entry without a reason, or a pattern that stands there twice.
        """
        reasons: dict[str, str] = {}
        text = read_file(path, max_bytes=_MAX_BYTES).decode("utf-8", "replace")
        for number, line in enumerate(text.splitlines(), start=1):
            pattern, _, reason = (part.strip() for part in line.partition("#"))
            if not pattern:
                continue
            if not reason or pattern in reasons:
                why = "stands there twice" if reason else "has no reason"
                raise RunForgeError(
                    ErrorCode.USAGE_INVALID,
                    f"Line {number} of the expected failures {why}: {pattern}",
                    hint="Write `PATTERN  # why it fails`, one a line.",
                    path=str(path),
                )
            reasons[pattern] = reason
        return cls(reasons)

    def reason(self, case: str) -> str | None:
        """Return why a case is expected to fail, or None."""
        return next(
            (reason for pattern, reason in self.reasons.items() if fnmatchcase(case, pattern)),
            None,
        )

    def failed(self, case: str) -> None:
        """Note that a case failed."""
        self._met.update(pattern for pattern in self.reasons if fnmatchcase(case, pattern))

    def unmatched(self, cases: Iterable[str]) -> list[str]:
        """Return the patterns that none of the failing cases met.

        Where only some cases were run, patterns of the others are left alone.
        """
        run = list(cases)
        return [
            pattern
            for pattern in self.reasons
            if pattern not in self._met and any(fnmatchcase(case, pattern) for case in run)
        ]
