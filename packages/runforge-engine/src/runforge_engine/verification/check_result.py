"""The result of one check of a run or a store: a verdict, findings and a hint."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import PurePosixPath
from typing import Any, Literal, Self

from runforge_contracts.display import quote
from runforge_contracts.fs.folders import as_text
from runforge_contracts.invariants.finding import ABSENT, Finding
from runforge_contracts.types import VerificationCheck, VerificationFinding

#: ``not checked`` is not a failure: there was nothing to check, or nothing to compare with.
CheckOutcome = Literal["passed", "failed", "not checked"]
#: The verdict on a run or a store. ``unverifiable``: no check failed, but nothing vouches for the
#: files.
Verdict = Literal["verified", "unverifiable", "not verified"]


class CheckVerdict(StrEnum):
    """What a check found; each check uses some of them."""

    # Of any check.
    NONE = "none"
    NOT_CHECKED = "not checked"
    # Of the files of a run.
    UNCHANGED = "unchanged"
    CHANGED = "changed"
    NO_RESULT = "no result"
    RUNNING = "at work"
    # Of documents, statement, index and signature.
    VALID = "valid"
    INVALID = "invalid"
    NOT_LISTED = "not listed"
    UNREADABLE = "unreadable"
    UNSAFE = "unsafe"
    # Of the dataset and of a view, besides ``changed`` and ``unreadable``.
    SAME = "same"
    MOVED = "moved"
    MISSING = "gone"
    CHANGED_BY_RUN = "changed by the run"
    # Of the runs and the signatures of a store.
    VERIFIED = "verified"
    UNVERIFIABLE = "unverifiable"
    NOT_VERIFIED = "not verified"
    INCOMPLETE = "incomplete"
    COMPLETE = "complete"
    CONTRADICTED = "contradicted"


#: The verdicts on runs and stores, the worst last.
_VERDICTS: tuple[Verdict, ...] = ("verified", "unverifiable", "not verified")
#: Hints by check, or by check and verdict where the hint depends on the verdict.
_HINTS: dict[str | tuple[str, CheckVerdict], str | None] = {
    "files": "Restore the files from a copy of the run that verifies.",
    ("files", CheckVerdict.NO_RESULT): "`runforge rerun` repeats the run in a new folder; so does"
    " `runforge experiment run --experiment` with the config.yaml of an experiment's run.",
    ("files", CheckVerdict.RUNNING): "Wait until it has finished.",
    "documents": "Restore the documents from a copy; if they were not edited, the client that"
    " wrote the run has a bug.",
    "statement": "Restore the files from a copy: the statement was edited, or the documents that"
    " it is derived from.",
    "index": "`runforge index check` compares the whole index with the run folders.",
    "dataset": "Restore the dataset, or skip this check with --without-dataset.",
    ("dataset", CheckVerdict.CHANGED_BY_RUN): "Run it again with a script that does not change its"
    " dataset.",
    ("dataset", CheckVerdict.MOVED): "Move it back, or skip this check with --without-dataset.",
    "recipe": "Restore run and dataset from a copy; another version of RunForge may have made the"
    " table.",
    "model": "Restore the model, or the run that it belongs to, from a copy.",
    "predictions": "Evaluate the model again; if the libraries are others than those that the"
    " evaluation was made with, they may predict otherwise.",
    "signature": "Get folder and signature from their source again; to trust another signer too,"
    " give their --public-key as well.",
    ("signature", CheckVerdict.NONE): "Get the signature from who made the run:"
    " `runforge sign RUN --key FILE` signs it, and a bundle carries it.",
    ("signature", CheckVerdict.UNSAFE): "Replace the link with a folder.",
    "view": "Use the run itself: its folder has the files as they were recorded.",
    "runs": "Restore missing runs from a copy; remove what is not a run.",
    ("runs", CheckVerdict.NOT_VERIFIED): None,
    "evaluations": "Remove what is not an evaluation; restore the others from a copy.",
    ("evaluations", CheckVerdict.NOT_VERIFIED): None,
    "aliases": "Restore the history of the aliases from a copy; runs are not affected.",
    "merges": "Restore the index and the record of the merges from a copy; the runs are not"
    " affected.",
    "removals": "Restore the record of removed runs, the index and the signatures from a copy.",
    "signatures": "Restore the runs and the entries that were signed from a copy.",
    ("signatures", CheckVerdict.UNSAFE): "Replace the link with a folder.",
    (
        "signatures",
        CheckVerdict.NONE,
    ): "Restore the store from a copy; `--store NAME` names the one to verify.",
}
#: The rule that is violated where a signature names another index than the one at hand.
_ORIGIN = "index.origin"
_ORIGIN_HINT = (
    "Either the start of the index is lost or changed: restore it from a copy. Or the run was"
    " copied from another store: `runforge unbundle` records that in the entry of a run, and so"
    " does `runforge index rebuild` while the run is not listed."
)
#: The rule that a file violates if it does not belong to the run.
_ADDED = "manifest.complete"
#: Files that the file managers of macOS and Windows create in folders.
_OF_SYSTEMS = (".DS_Store", "Thumbs.db", "desktop.ini")


@dataclass(frozen=True, slots=True)
class Check:
    """The result of one check."""

    #: ``files``, ``documents``, ``statement``, ``index``, ``dataset`` or ``signature`` of a run;
    #: ``view`` or ``index`` of a view; ``model`` or ``predictions`` of an evaluation; ``runs``,
    #: ``evaluations``, ``index``, ``signatures``, ``aliases``, ``merges`` or ``removals`` of a
    #: store; ``aliases`` and ``removals`` also of what was signed with such a record.
    name: str
    outcome: CheckOutcome
    verdict: CheckVerdict
    #: Details for display: a phrase without a full stop; empty where the verdict is enough.
    message: str
    findings: tuple[Finding, ...] = ()
    #: Further values by name: the digest or the path of a dataset, the key of a signature.
    particulars: dict[str, str] = field(default_factory=dict)

    @classmethod
    def passed(
        cls, name: str, verdict: CheckVerdict, message: str = "", **particulars: str
    ) -> Self:
        """Return a check that passed."""
        return cls(name, "passed", verdict, message, (), particulars)

    @classmethod
    def failed(
        cls,
        name: str,
        verdict: CheckVerdict,
        message: str = "",
        findings: Iterable[Finding] = (),
        **particulars: str,
    ) -> Self:
        """Return a check that failed, with its findings."""
        return cls(name, "failed", verdict, message, tuple(findings), particulars)

    @classmethod
    def not_checked(
        cls, name: str, verdict: CheckVerdict, message: str = "", **particulars: str
    ) -> Self:
        """Return a check that could not be made."""
        return cls(name, "not checked", verdict, message, (), particulars)

    @property
    def hint(self) -> str | None:
        """A hint on how to resolve the failure; None if the check did not fail."""
        if self.outcome != "failed":
            return None
        added = [PurePosixPath(item.file or "") for item in self.findings if item.rule == _ADDED]
        strays = [path for path in added if path.name in _OF_SYSTEMS or path.name[:2] == "._"]
        if self.name == "files" and strays and len(strays) == len(self.findings):
            names = ", ".join(quote(path) for path in strays)
            return f"Remove {names}, which a file manager created: it does not belong to the run."
        if any(item.rule == _ORIGIN for item in self.findings):
            return _ORIGIN_HINT
        return _HINTS.get((self.name, self.verdict), _HINTS[self.name])

    def to_struct(self) -> VerificationCheck:
        """Return the check as it is in ``verification.v1``."""
        optional = {"message": self.message, **self.particulars, "hint": self.hint}
        return VerificationCheck(
            check=self.name,
            outcome=self.outcome,
            verdict=self.verdict.value,
            **{name: as_text(value) for name, value in optional.items() if value},
        )


def worst(verdicts: Iterable[Verdict]) -> Verdict:
    """Return the worst of the verdicts on runs and stores; ``verified`` if there are none."""
    return max(verdicts, key=_VERDICTS.index, default="verified")


def finding_structs(checks: Iterable[Check]) -> list[VerificationFinding]:
    """Return the findings of ``checks`` as they are in ``verification.v1``."""
    return [
        VerificationFinding(check=check.name, **_encodable(finding.to_dict()))
        for check in checks
        for finding in check.findings
    ]


def _encodable(value: Any) -> Any:
    """Return a value with strings that can be encoded in UTF-8; some file names cannot."""
    if isinstance(value, str):
        return as_text(value)
    if isinstance(value, dict):
        return {
            _encodable(key): _encodable(item) for key, item in value.items() if item is not ABSENT
        }
    if isinstance(value, list | tuple):
        return [_encodable(item) for item in value]
    return value


def count(number: int, noun: str, many: str | None = None) -> str:
    """Return a number with its noun; ``many`` is the noun's plural where it is not regular."""
    return f"{number:,} " + (noun if number == 1 else many or f"{noun}s")
