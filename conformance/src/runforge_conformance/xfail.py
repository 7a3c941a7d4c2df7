"""The list of expected failures: strict, with a reason for every entry.

Each line has one entry: a pattern of case ids, or a requirement in brackets, and after ``#`` why
the cases fail. An entry that no failing case matches fails the run, so that entries are
removed once the bug is fixed. ``--write-xfail`` makes a list of the failures of a run, which is
accepted once a reason is written for each.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path

from runforge_contracts.errors import ErrorCode, RunForgeError
from runforge_contracts.fs.files import read_file, write_file

from runforge_conformance._generated.report_v1 import Result

_MAX_BYTES = 2**20
#: Start of a reason that is still to be written.
TODO = "TODO"


@dataclass(slots=True)
class ExpectedFailures:
    """Patterns of case ids with their reasons, and which of them matched."""

    reasons: dict[str, str] = field(default_factory=dict)
    _met: set[str] = field(default_factory=set)

    @classmethod
    def read(cls, path: Path) -> ExpectedFailures:
        """Read a list.

        Raises
        ------
        RunForgeError
            ``USAGE_INVALID`` for an entry without a reason or with one that is still to be written,
            or for a pattern that is listed twice.
        """
        reasons: dict[str, str] = {}
        text = read_file(path, max_bytes=_MAX_BYTES).decode("utf-8", "replace")
        for number, line in enumerate(text.splitlines(), start=1):
            pattern, _, reason = (part.strip() for part in line.partition("#"))
            if not pattern:
                continue
            unwritten = reason.upper().startswith(TODO)
            if not reason or unwritten or pattern in reasons:
                why = "is listed twice" if reason else "has no reason"
                if unwritten:
                    why = "has no reason but TODO"
                raise RunForgeError(
                    ErrorCode.USAGE_INVALID,
                    f"Line {number} of the expected failures {why}: {pattern}",
                    hint="Review each entry and write `PATTERN  # why it fails`, one a line.",
                    path=str(path),
                )
            reasons[pattern] = reason
        return cls(reasons)

    def reason(self, result: Result) -> str | None:
        """Return why a case is expected to fail, or was expected to; None if it is not."""
        for pattern, reason in self.reasons.items():
            if fnmatchcase(result.case, pattern):
                return reason
        broken = {f"[{problem.requirement}]" for problem in result.problems}
        if broken and broken <= self.reasons.keys() and result.outcome == "failed":
            return self.reasons[min(broken)]
        return None

    def failed(self, result: Result) -> None:
        """Record that a case failed."""
        broken = {f"[{problem.requirement}]" for problem in result.problems}
        self._met.update(
            pattern
            for pattern in self.reasons
            if fnmatchcase(result.case, pattern) or pattern in broken
        )

    def unmatched(self, run: Iterable[str], known: Iterable[str]) -> list[str]:
        """Return the entries that no failing case matched.

        If only some of the known cases were run, entries for the others are ignored; an entry that
        matches no case at all is a typo.
        """
        run, known = list(run), list(known)
        everything = len(run) == len(known)
        unmatched = []
        for pattern in self.reasons.keys() - self._met:
            fits_run = any(fnmatchcase(case, pattern) for case in run)
            fits_any = any(fnmatchcase(case, pattern) for case in known)
            if everything or fits_run or not (fits_any or pattern.startswith("[")):
                unmatched.append(pattern)
        return sorted(unmatched)


def write_expected_failures(path: Path, failing: Iterable[Result]) -> int:
    """Write a list that expects these failures into a new file; return the number of entries.

    A requirement that several cases break has one entry; any other case has its own. The reasons
    are left to the reader, and the list is refused until each is written.
    """
    failing = list(failing)
    counts = Counter(name for result in failing for name in _broken(result))
    common = {name for name, count in counts.items() if count > 1}
    entries: dict[str, list[str]] = {}
    for result in failing:
        broken = _broken(result)
        covered = broken and broken <= common
        for name in (f"[{name}]" for name in broken) if covered else (result.case,):
            entries.setdefault(name, []).append(result.case)
    lines = ["# Expected failures: review each entry, and write why it fails in place of TODO."]
    for entry, cases in sorted(entries.items()):
        example = f" ({len(cases)} cases, such as {cases[0]})" if entry.startswith("[") else ""
        lines.append(f"{entry}  # {TODO}: why{example}")
    write_file(path, ("\n".join(lines) + "\n").encode("utf-8"))
    return len(entries)


def _broken(result: Result) -> set[str]:
    """Return the requirements that a case broke; none where the client gave no answer."""
    return {item.requirement for item in result.problems} if result.outcome == "failed" else set()
