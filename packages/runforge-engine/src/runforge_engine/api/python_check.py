"""The checks of a verification, whose hints are in Python's terms."""

from __future__ import annotations

from typing import Self

from runforge_engine.api.python_errors import hint_in_python
from runforge_engine.verification.check_result import Check


class PythonCheck(Check):
    """A check whose hint names arguments and functions instead of options and commands."""

    @classmethod
    def of(cls, check: Check) -> Self:
        """Return a check for a user of the library."""
        return cls(
            check.name,
            check.outcome,
            check.verdict,
            check.message,
            check.findings,
            check.particulars,
        )

    @property
    def hint(self) -> str | None:
        """A hint on how to resolve the failure; None if the check did not fail."""
        hint = super().hint
        return None if hint is None else hint_in_python(hint)
