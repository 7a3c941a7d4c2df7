"""What a bundle contains, under which names, and what of it comes from the record of the run.

Source: specification, sections 22.1 and 22.2.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path, PurePosixPath

from msgspec import UNSET, UnsetType
from runforge_contracts.display import quote
from runforge_contracts.errors import ErrorCode, Location, Problem, RunForgeError
from runforge_contracts.store.experiment_runs import ExperimentRun
from runforge_contracts.store.run import Run
from runforge_contracts.validation import MAX_PROBLEMS

from runforge_engine.verification.verify_run import RunVerification, recorded_dataset

#: Suffix of bundles.
SUFFIX = ".rfz"
#: Names in a bundle. The files of the run and the dataset are in folders.
SIGNATURE, PUBLIC_KEY = "run.sig", "public.pem"
RUN_FOLDER, DATASET_FOLDER = "run/", "dataset/"

AnyRun = Run | ExperimentRun


def dataset_of(run: AnyRun) -> tuple[str | None, str | None]:
    """Return the path and the SHA-256 that a run of either kind recorded of its dataset."""
    if isinstance(run, Run):
        return recorded_dataset(run)
    used = (run.config or {}).get("references", {}).get("dataset", {})
    return used.get("path"), used.get("sha256")


def dataset_name(recorded: str) -> str:
    """Return the name in a bundle of the dataset with a recorded path."""
    return DATASET_FOLDER + PurePosixPath(recorded.replace("\\", "/")).name


def named_key(key: str) -> str | UnsetType:
    """Return the fingerprint that a signature names; UNSET if it names none."""
    return key if re.fullmatch("[0-9a-f]{64}", key) else UNSET


def refuse_unverified(found: RunVerification, what: str, path: Path) -> None:
    """Raise ``VERIFICATION_FAILED`` with every finding, unless no check of a run failed.

    ``what`` is the end of the sentence, such as ``it is not bundled``.
    """
    if found.holds:
        return
    findings = [finding for check in found.checks for finding in check.findings]
    raise RunForgeError(
        ErrorCode.VERIFICATION_FAILED,
        f"The run {quote(found.run_id)} does not verify, so {what}.",
        hint=f"`runforge verify {path.name}` shows the details.",
        path=str(path),
        problems=problems_of(
            (finding.message, Location(path=finding.file, pointer=finding.pointer))
            for finding in findings
        ),
    )


def problems_of(found: Iterable[tuple[str, Location]]) -> list[Problem]:
    """Return the first problems of many, as they are reported with an error."""
    return [Problem(message, location) for message, location in list(found)[:MAX_PROBLEMS]]
