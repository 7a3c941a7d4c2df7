"""All checks of an experiment run, written by any tool or script.

Only the configuration is required; other files must be valid if present. Runs that name the client
that wrote them, or that have a manifest, must also meet the requirements for clients of RunForge.
Invalid runs are reported, never changed.

Source: specification, chapter 17.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any

from runforge_contracts.display import quote
from runforge_contracts.errors import ErrorCode, RunForgeError
from runforge_contracts.fs.files import DigestingReader, FileDigest, open_file, reading
from runforge_contracts.invariants.checked_folder import CheckedFolder, refusals
from runforge_contracts.invariants.document_form import portable_form
from runforge_contracts.invariants.file_invariants import manifest_findings
from runforge_contracts.invariants.finding import Finding, show_value, unequal
from runforge_contracts.invariants.timestamps import moment
from runforge_contracts.run_ids import parse_experiment_run_id
from runforge_contracts.store import layout
from runforge_contracts.store.experiment_runs import (
    ExperimentRun,
    JournalLine,
    claims_to_be_run,
    is_experiment_folder,
    journal_lines,
)

#: Most invalid lines of a journal that are reported.
MAX_LINES = 20

_ENDED = ("succeeded", "failed", "cancelled")
_UTC = ("Z", "+00:00")
_STORES = (layout.DEFAULT_STORE, layout.LEGACY_STORE)


class CheckedExperimentRun(CheckedFolder, ExperimentRun):
    """An experiment run whose files were all read."""

    #: An experiment run may have any files, such as an image for each example.
    max_files = 100_000

    def __init__(self, path: Path) -> None:
        #: The first lines of the journal that are not valid entries.
        self.invalid_lines: list[JournalLine] = []
        parents = path.absolute().parents
        in_repository = parents[0].name == layout.EXPERIMENT_RUNS and parents[1].name not in _STORES
        super().__init__(path, in_store=in_repository)

    def _digest(self, place: str, path: Path) -> FileDigest:
        if place != layout.JOURNAL:
            return super()._digest(place, path)
        # It may be too large for memory: the lines are checked while they are hashed.
        with open_file(path) as file, reading(path):
            digesting = DigestingReader(file)
            lines = journal_lines(io.BufferedReader(digesting))
            self.invalid_lines = list(islice((line for line in lines if line.error), MAX_LINES))
            return digesting.finish()


def check_experiment_run(path: Path) -> list[Finding]:
    """Return the violations in the experiment run at ``path``.

    Raises
    ------
    RunForgeError
        ``RUN_NOT_FOUND`` if there is no folder.
    """
    return experiment_findings(open_experiment_run(path))


def open_experiment_run(path: Path) -> CheckedExperimentRun:
    """Read the experiment run at ``path``; ``RUN_NOT_FOUND`` if there is no folder."""
    if path.is_symlink() or not path.is_dir():
        raise RunForgeError(
            ErrorCode.RUN_NOT_FOUND,
            f"There is no run folder {quote(path, 200)}.",
            hint="Name a folder that holds config.yaml.",
            path=str(path),
        )
    return CheckedExperimentRun(path)


def experiment_findings(folder: CheckedExperimentRun) -> list[Finding]:
    """Return the violations in an experiment run that has been read."""
    return [*folder.findings, *_findings(folder)]


def check_experiments(repository: Path) -> list[Finding]:
    """Return the violations in the experiment runs of ``repository``, each with its path.

    Raises
    ------
    RunForgeError
        ``STORE_NOT_FOUND`` if there is no folder of runs.
    """
    runs = repository / layout.EXPERIMENT_RUNS
    if runs.is_symlink() or not runs.is_dir():
        raise RunForgeError(
            ErrorCode.STORE_NOT_FOUND,
            f"There are no runs of experiments in {quote(repository, 200)}.",
            hint="Name the root of a repository that has a folder `runs`.",
            path=str(runs),
        )
    findings: list[Finding] = []
    for child in sorted(runs.iterdir()):
        place = f"{layout.EXPERIMENT_RUNS}/{child.name}"
        if not claims_to_be_run(child):
            continue  # a file or folder of another tool
        if child.is_symlink():
            message = f"{quote(child.name)} is a symbolic link, which could lead anywhere."
            findings.append(Finding("run.no-links", message, place))
        elif child.is_dir() and is_experiment_folder(child):
            findings += [
                replace(item, file=f"{place}/{item.file}" if item.file else place)
                for item in check_experiment_run(child)
            ]
    return findings


def _findings(folder: CheckedExperimentRun) -> Iterator[Finding]:
    config = folder.config
    if layout.CONFIG not in folder.files:
        yield Finding("experiment.files", f"The run lacks {layout.CONFIG}.", layout.CONFIG)
    yield from _identity(folder)
    if config is not None:
        yield from _outcome(folder, config)
        yield from _times(config)
        yield from _copies(folder, config)
        if "created_by" in config or layout.EXPERIMENT_MANIFEST in folder.files:
            yield from _promises(folder, config)
    yield from manifest_findings(folder)
    yield from _journal(folder)


def _identity(folder: CheckedExperimentRun) -> Iterator[Finding]:
    rule, name = "experiment.id", folder.expected_id
    has_id = any("run_id" in document.content for document in folder.documents.values())
    if (has_id or folder.in_store) and parse_experiment_run_id(name) is None:
        message = f"{quote(name)} is not a run id (run-YYYY-MM-DD-NNN with a valid date)."
        yield Finding(rule, message, layout.CONFIG, "/run_id", found=name)
    for file, document in folder.documents.items():
        if "run_id" in document.content:
            message, found = "{file} has the run id {found}; expected {expected}.", document.content
            yield from unequal(rule, message, file, "/run_id", name, found["run_id"], file=file)


def _outcome(folder: CheckedExperimentRun, config: dict[str, Any]) -> Iterator[Finding]:
    """Yield a missing final status, and contradictions to it."""
    status = config.get("status")
    if layout.EXPERIMENT_MANIFEST in folder.files and status not in _ENDED:
        message = f"The run has a manifest, but its status is {show_value(status)}."
        yield Finding("experiment.status", message, layout.CONFIG, "/status", list(_ENDED), status)
    if status == "succeeded":
        for name in ("failure", "signal"):
            if name in config:
                message = f"The run succeeded but /{name} is {show_value(config[name])}."
                yield Finding(
                    "experiment.status", message, layout.CONFIG, f"/{name}", found=config[name]
                )
        message = "The run succeeded but its exit code is {found}."
        code = config.get("exit_code", 0)
        yield from unequal("experiment.status", message, layout.CONFIG, "/exit_code", 0, code)
        yield from _summary(folder)


def _promises(folder: CheckedExperimentRun, config: dict[str, Any]) -> Iterator[Finding]:
    """Yield violations of the requirements for clients of RunForge alone."""
    status, manifest = config.get("status"), layout.EXPERIMENT_MANIFEST
    yield from portable_form(folder.texts[layout.CONFIG], layout.CONFIG)
    if status in _ENDED and manifest not in folder.files:
        message = f"The run has the status {status} but no {manifest}."
        yield Finding("experiment.manifest", message, manifest)
    if status == "failed" and "failure" not in config:
        message = "The run failed but /failure is missing."
        yield Finding("experiment.failure", message, layout.CONFIG, "/failure")
    for name in ("started_at", "finished_at"):
        if not config.get(name, "Z").endswith(_UTC):
            pointer, found = f"/{name}", config[name]
            message = f"{name} ({found}) is not in UTC."
            yield Finding("experiment.utc", message, layout.CONFIG, pointer, found=found)


def _summary(folder: CheckedExperimentRun) -> Iterator[Finding]:
    """Yield the metrics of a run that succeeded whose final value is missing."""
    metrics = folder.metrics_document or {}
    for name, points in metrics.get("history", {}).items():
        if points and name not in metrics["summary"]:
            message = f"The final value of {quote(name)} is missing from the summary."
            yield Finding("experiment.summary", message, layout.EXPERIMENT_METRICS, "/summary")


def _times(config: dict[str, Any]) -> Iterator[Finding]:
    rule, named = "experiment.times", ("started_at", "finished_at")
    moments = {name: moment(config[name]) for name in named if name in config}
    for name, found in moments.items():
        if found is None:
            message = f"{show_value(config[name])} is not a valid time."
            yield Finding(rule, message, layout.CONFIG, f"/{name}", found=config[name])
    began, ended = (moments.get(name) for name in named)
    if began and ended and ended < began:
        finish, start = config["finished_at"], config["started_at"]
        message = f"finished_at ({finish}) is before started_at ({start})."
        yield Finding(rule, message, layout.CONFIG, "/finished_at", found=finish)


def _copies(folder: CheckedExperimentRun, config: dict[str, Any]) -> Iterator[Finding]:
    """Yield the copied models whose artifact is missing or has another digest."""
    for number, copy in enumerate(config.get("copied_models", ())):
        rule, pointer = "experiment.copied-models", f"/copied_models/{number}"
        artifact = folder.files.get(copy["from"])
        if artifact is None:
            message = f"The model was copied from {quote(copy['from'])}, which is missing."
            yield Finding(rule, message, layout.CONFIG, f"{pointer}/from", found=copy["from"])
        elif "sha256" in copy:
            message = "The copied model has the SHA-256 {found}; the artifact has {expected}."
            expected, found = artifact.sha256, copy["sha256"]
            yield from unequal(rule, message, layout.CONFIG, f"{pointer}/sha256", expected, found)


def _journal(folder: CheckedExperimentRun) -> Iterator[Finding]:
    for line in folder.invalid_lines:
        assert line.error is not None  # noqa: S101 - chosen as it was read
        for finding in refusals(line.error, layout.JOURNAL, "tfc.metrics_entry.v1"):
            yield replace(finding, message=f"Line {line.number}: {finding.message}")
