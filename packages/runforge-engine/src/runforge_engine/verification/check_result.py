"""The result of one check of a run or a store, with a hint on what to do."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any, Literal, Self

from runforge_contracts.display import quote
from runforge_contracts.fs.folders import as_text
from runforge_contracts.invariants.finding import ABSENT, Finding

#: ``not checked`` is no failure: there was nothing to check, or nothing to compare it with.
CheckOutcome = Literal["passed", "failed", "not checked"]

#: What to do, by check, or by check and verdict where that makes a difference.
_HINTS: dict[str | tuple[str, str], str | None] = {
    "files": "Put the files back from a copy of the run that verifies.",
    "documents": "Put the documents back from a copy; if they were not edited, the client that"
    " wrote the run broke the contract.",
    "statement": "Put the files back from a copy: the statement was edited, or the documents that"
    " it follows from.",
    "index": "`runforge index check` compares the whole list with the run folders.",
    "dataset": "Put the dataset back as it was, or pass it over with --without-dataset.",
    ("dataset", "changed by the run"): "Run it again with a script that leaves its dataset alone.",
    "signature": "Get folder and signature from their source again.",
    ("signature", "none"): "`runforge sign RUN --key FILE` signs a run.",
    ("dataset", "moved"): "Move it back, or pass the datasets over with --without-dataset.",
    ("files", "no result"): "`runforge rerun` repeats the run in a new folder; so does `runforge"
    " experiment run --experiment` with the config.yaml of an experiment's run.",
    ("files", "at work"): "Wait for it to end.",
    ("runs", "not verified"): None,
    "runs": "Remove what is not a run; get back from a copy what was lost.",
    ("signature", "unsafe"): "Put a folder in the place of the link.",
    ("signatures", "unsafe"): "Put a folder in the place of the link.",
    (
        "signatures",
        "none",
    ): "Get the store back from a copy; `--store NAME` names the one to verify.",
    "signatures": "Get back from a copy the runs and the entries that were signed.",
}
#: The rule that a file breaks that is no part of the run.
_ADDED = "manifest.complete"
#: What file managers of macOS and Windows leave in folders that they have shown.
_OF_SYSTEMS = (".DS_Store", "Thumbs.db", "desktop.ini")


@dataclass(frozen=True, slots=True)
class Check:
    """The result of one check."""

    #: ``files``, ``documents``, ``statement``, ``index``, ``dataset`` or ``signature`` of a run;
    #: ``runs``, ``index`` or ``signatures`` of a store.
    name: str
    outcome: CheckOutcome
    #: A stable word or two for what was found.
    verdict: str
    #: The same for display: a phrase without a full stop; empty where the verdict is enough.
    message: str
    findings: tuple[Finding, ...] = ()
    #: Further values by name: the digest or the path of a dataset, the key of a signature.
    particulars: dict[str, str] = field(default_factory=dict)

    @classmethod
    def passed(cls, name: str, verdict: str, message: str = "", **particulars: str) -> Self:
        """Return a check that passed."""
        return cls(name, "passed", verdict, message, (), particulars)

    @classmethod
    def failed(
        cls,
        name: str,
        verdict: str,
        message: str = "",
        findings: Iterable[Finding] = (),
        **particulars: str,
    ) -> Self:
        """Return a check that failed, with its findings."""
        return cls(name, "failed", verdict, message, tuple(findings), particulars)

    @classmethod
    def not_checked(cls, name: str, verdict: str, message: str = "", **particulars: str) -> Self:
        """Return a check that could not be made."""
        return cls(name, "not checked", verdict, message, (), particulars)

    @property
    def hint(self) -> str | None:
        """What to do about it, if it failed."""
        if self.outcome != "failed":
            return None
        added = [PurePosixPath(item.file or "") for item in self.findings if item.rule == _ADDED]
        strays = [path for path in added if path.name in _OF_SYSTEMS or path.name[:2] == "._"]
        if self.name == "files" and strays and len(strays) == len(self.findings):
            names = ", ".join(quote(path) for path in strays)
            return f"Remove {names}, which a file manager leaves behind: it is no part of the run."
        return _HINTS.get((self.name, self.verdict), _HINTS[self.name])

    def to_dict(self) -> dict[str, Any]:
        """Return the check as the schema of verifications has it."""
        raw: dict[str, Any] = {
            "check": self.name,
            "outcome": self.outcome,
            "verdict": self.verdict,
            **({"message": self.message} if self.message else {}),
            **self.particulars,
        }
        if self.hint is not None:
            raw["hint"] = self.hint
        return {name: _text(value) for name, value in raw.items()}


def findings_of(checks: Iterable[Check]) -> list[dict[str, Any]]:
    """Return the findings of ``checks`` as the schema of verifications has them."""
    return [
        {"check": check.name, **_text(finding.to_dict())}
        for check in checks
        for finding in check.findings
    ]


def _text(value: Any) -> Any:
    """Return a value in which every text can be part of a document; names of files may be none."""
    if isinstance(value, str):
        return as_text(value)
    if isinstance(value, dict):
        return {_text(key): _text(item) for key, item in value.items() if item is not ABSENT}
    if isinstance(value, list | tuple):
        return [_text(item) for item in value]
    return value


def count(number: int, noun: str, many: str | None = None) -> str:
    """Return a number with its noun; ``many`` is the noun's plural where it is not regular."""
    return f"{number:,} " + (noun if number == 1 else many or f"{noun}s")
