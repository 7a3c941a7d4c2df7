"""Everything that must be true of an experiment's run, whatever tool or script wrote it.

A run needs a configuration and nothing else; what else it has must be right. A run that says which
client wrote it, or that has a manifest, is held to what clients of RunForge promise besides. Runs
that are wrong are told of, never changed.

Source: TFC-0002, sections 5 to 11; TFC-0003, sections 7 to 15.
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
from runforge_contracts.invariants.checked_folder import Folder, refusals
from runforge_contracts.invariants.document_form import portable_form
from runforge_contracts.invariants.file_invariants import manifest_findings
from runforge_contracts.invariants.finding import Finding, unequal
from runforge_contracts.invariants.timestamps import moment
from runforge_contracts.store import layout
from runforge_contracts.store.experiment_runs import (
    EXPERIMENT_SCHEMAS,
    JournalLine,
    claims_to_be_run,
    is_experiment_folder,
    journal_lines,
)
from runforge_contracts.store.run_ids import parse_experiment_run_id

#: Runs of experiments may keep what they like, such as an image for each example.
MAX_FILES = 100_000
#: Invalid lines of a journal that are told of.
MAX_LINES = 20

_ENDED = ("succeeded", "failed", "cancelled")
_UTC = ("Z", "+00:00")
_STORES = (layout.DEFAULT_STORE, layout.LEGACY_STORE)


class CheckedExperimentRun(Folder):
    """The run of an experiment as it lies on disk."""

    def __init__(self, path: Path) -> None:
        #: The first lines of the journal that are no entries.
        self.invalid_lines: list[JournalLine] = []
        parents = path.absolute().parents
        in_repository = parents[0].name == layout.EXPERIMENT_RUNS and parents[1].name not in _STORES
        super().__init__(
            path, in_store=in_repository, schemas=EXPERIMENT_SCHEMAS, max_files=MAX_FILES
        )

    def _digest(self, place: str, path: Path) -> FileDigest:
        if place != layout.JOURNAL:
            return super()._digest(place, path)
        # It may be too large to be kept: the lines are looked at as they are hashed.
        with open_file(path) as file, reading(path):
            digesting = DigestingReader(file)
            lines = journal_lines(io.BufferedReader(digesting))
            self.invalid_lines = list(islice((line for line in lines if line.error), MAX_LINES))
            return digesting.finish()


def check_experiment_run(path: Path) -> list[Finding]:
    """Return what is wrong with the run of an experiment at ``path``; nothing, if all facts hold.

    Raises
    ------
    RunForgeError
        ``RUN_NOT_FOUND`` where there is no folder.
    """
    return experiment_findings(open_experiment_run(path))


def open_experiment_run(path: Path) -> CheckedExperimentRun:
    """Read the run of an experiment at ``path``; ``RUN_NOT_FOUND`` where there is no folder."""
    if path.is_symlink() or not path.is_dir():
        raise RunForgeError(
            ErrorCode.RUN_NOT_FOUND,
            f"There is no run folder {quote(path, 200)}.",
            hint="Name a folder that holds config.yaml.",
            path=str(path),
        )
    return CheckedExperimentRun(path)


def experiment_findings(folder: CheckedExperimentRun) -> list[Finding]:
    """Return what is wrong with the run of an experiment that has been read."""
    return [*folder.findings, *_findings(folder)]


def check_experiments(repository: Path) -> list[Finding]:
    """Return what is wrong with the runs of experiments in ``repository``, each with its place.

    Raises
    ------
    RunForgeError
        ``STORE_NOT_FOUND`` where there is no folder of runs.
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
            continue  # whatever another tool keeps there
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
    config = folder.documents.get(layout.CONFIG)
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


def _identity(folder: Folder) -> Iterator[Finding]:
    rule, name = "experiment.id", folder.run_id
    told = any("run_id" in document for document in folder.documents.values())
    if (told or folder.in_store) and parse_experiment_run_id(name) is None:
        message = f"{quote(name)} is no id of a run: run-YYYY-MM-DD-NNN, on a day that exists."
        yield Finding(rule, message, layout.CONFIG, "/run_id", found=name)
    for file, document in folder.documents.items():
        if "run_id" in document:
            message = "Every document carries the id that the folder is named by."
            yield from unequal(rule, message, file, "/run_id", name, document["run_id"])


def _outcome(folder: Folder, config: dict[str, Any]) -> Iterator[Finding]:
    """Give where a run does not say how it ended, or says two things."""
    status = config.get("status")
    if layout.EXPERIMENT_MANIFEST in folder.files and status not in _ENDED:
        message = "A run whose files are final says how it ended."
        yield Finding("experiment.status", message, layout.CONFIG, "/status", list(_ENDED), status)
    if status == "succeeded":
        for name in ("failure", "signal"):
            if name in config:
                message = f"A run that succeeded has no {name}."
                yield Finding(
                    "experiment.status", message, layout.CONFIG, f"/{name}", found=config[name]
                )
        message = "User code of a run that succeeded ended with 0."
        code = config.get("exit_code", 0)
        yield from unequal("experiment.status", message, layout.CONFIG, "/exit_code", 0, code)
        yield from _summary(folder)


def _promises(folder: Folder, config: dict[str, Any]) -> Iterator[Finding]:
    """Give where a run lacks what only clients of RunForge promise."""
    status, manifest = config.get("status"), layout.EXPERIMENT_MANIFEST
    yield from portable_form(folder.texts[layout.CONFIG], layout.CONFIG)
    if status in _ENDED and manifest not in folder.files:
        message = "A run that ended has the digests of its files."
        yield Finding("experiment.manifest", message, manifest)
    if status == "failed" and "failure" not in config:
        message = "A run that failed says why."
        yield Finding("experiment.failure", message, layout.CONFIG, "/failure")
    for name in ("started_at", "finished_at"):
        if not config.get(name, "Z").endswith(_UTC):
            pointer, found = f"/{name}", config[name]
            yield Finding(
                "experiment.utc", "Times are in UTC.", layout.CONFIG, pointer, found=found
            )


def _summary(folder: Folder) -> Iterator[Finding]:
    """Give the metrics of a run that succeeded whose final value is missing."""
    metrics = folder.documents.get(layout.EXPERIMENT_METRICS, {})
    for name, points in metrics.get("history", {}).items():
        if points and name not in metrics["summary"]:
            message = f"The summary has the final value of every metric; {quote(name)} is missing."
            yield Finding("experiment.summary", message, layout.EXPERIMENT_METRICS, "/summary")


def _times(config: dict[str, Any]) -> Iterator[Finding]:
    rule, named = "experiment.times", ("started_at", "finished_at")
    moments = {name: moment(config[name]) for name in named if name in config}
    for name, found in moments.items():
        if found is None:
            message = "A time is one that exists."
            yield Finding(rule, message, layout.CONFIG, f"/{name}", found=config[name])
    began, ended = (moments.get(name) for name in named)
    if began and ended and ended < began:
        message, found_end = "A run ends after it began.", config["finished_at"]
        yield Finding(rule, message, layout.CONFIG, "/finished_at", found=found_end)


def _copies(folder: Folder, config: dict[str, Any]) -> Iterator[Finding]:
    """Give the models that were copied from no artifact of the run, or not as it is now."""
    for number, copy in enumerate(config.get("copied_models", ())):
        rule, pointer = "experiment.copied-models", f"/copied_models/{number}"
        artifact = folder.files.get(copy["from"])
        if artifact is None:
            message = f"The model was copied from {quote(copy['from'])}, which is missing."
            yield Finding(rule, message, layout.CONFIG, f"{pointer}/from", found=copy["from"])
        elif "sha256" in copy:
            message = "The copy of a model is the artifact."
            expected, found = artifact.sha256, copy["sha256"]
            yield from unequal(rule, message, layout.CONFIG, f"{pointer}/sha256", expected, found)


def _journal(folder: CheckedExperimentRun) -> Iterator[Finding]:
    for line in folder.invalid_lines:
        assert line.error is not None  # noqa: S101 - chosen as it was read
        for finding in refusals(line.error, layout.JOURNAL, "tfc.metrics_entry.v1"):
            yield replace(finding, message=f"Line {line.number}: {finding.message}")
