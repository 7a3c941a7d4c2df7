"""Verify that runs of experiments were not changed: files, documents and dataset.

Nothing is written, symbolic links in a run folder are not followed, and a file that cannot be read
is a finding.

Source: specification, sections 14.6 and 17.10.
"""

from __future__ import annotations

import os
from pathlib import Path

from runforge_contracts.display import quote
from runforge_contracts.invariants.experiment_invariants import (
    CheckedExperimentRun,
    experiment_findings,
    open_experiment_run,
)
from runforge_contracts.invariants.finding import Finding
from runforge_contracts.store import layout
from runforge_contracts.store.experiment_runs import ExperimentRun, experiment_runs
from runforge_contracts.store.layout import StoreLayout

from runforge_engine.experiment.record.experiment_state import state_of
from runforge_engine.runtime.folder_lock import is_held, wait_until_free
from runforge_engine.verification.check_result import Check, CheckVerdict, count
from runforge_engine.verification.dataset_check import Datasets
from runforge_engine.verification.verify_run import RunVerification, dataset_check

#: Rules about the files themselves; the others are about the contents of documents.
_FILE_RULES = frozenset(
    {
        *("run.no-links", "run.readable", "run.files", "experiment.files", "experiment.manifest"),
        *("manifest.complete", "manifest.digests"),
    }
)


def verify_experiment_run(
    path: Path,
    root: Path,
    datasets: Datasets | None = None,
    *,
    with_dataset: bool = True,
    demand_signature: bool = False,
) -> RunVerification:
    """Verify the experiment run in the folder ``path``.

    Parameters
    ----------
    path
        The run folder, absolute.
    root
        The repository, which the path of the dataset is relative to.
    datasets
        The datasets of the repository, if several runs are verified.
    with_dataset
        Whether to check the dataset, which may have changed without damage to the run.
    demand_signature
        Whether a run without a signature fails; runs of experiments have none.

    Raises
    ------
    RunForgeError
        ``RUN_NOT_FOUND`` where there is no folder.
    """
    # In this order: a run that is no longer locked has written its final status.
    held = is_held(path)
    folder = open_experiment_run(path)
    found = experiment_findings(folder)
    checks = [
        _files(folder, [item for item in found if _is_of_files(item)], held),
        _documents([item for item in found if not _is_of_files(item)]),
    ]
    if with_dataset:
        checks.append(_dataset(folder, datasets or Datasets(root)))
    if demand_signature:
        message = "Runs of experiments are not signed, so no key can verify them."
        finding = Finding("signature.exists", message, layout.EXPERIMENT_MANIFEST)
        checks.append(Check.failed("signature", CheckVerdict.NONE, "", (finding,)))
    return RunVerification(path.name, StoreLayout(root).relative(path), tuple(checks))


def verify_experiments(
    root: Path,
    datasets: Datasets | None = None,
    *,
    with_dataset: bool = True,
    demand_signature: bool = False,
) -> list[RunVerification]:
    """Verify the finished runs of experiments in a repository.

    Parameters
    ----------
    root
        The repository.
    datasets, with_dataset, demand_signature
        As for :func:`verify_experiment_run`.

    Raises
    ------
    RunForgeError
        ``FILE_UNREADABLE`` where the folder of the runs cannot be read.
    """
    datasets = datasets or Datasets(root)
    return [
        verify_experiment_run(
            path,
            root,
            datasets,
            with_dataset=with_dataset,
            demand_signature=demand_signature,
        )
        for path in experiment_runs(root)
        if _is_final(path)
    ]


def _is_final(path: Path) -> bool:
    """Return whether a run has a final status, or a manifest, which is written at the end.

    A status is easily edited and a lock easily taken, so neither keeps a manifest from being
    compared with the files.
    """
    if not os.path.lexists(path / layout.EXPERIMENT_MANIFEST):
        return state_of(ExperimentRun(path)) not in ("running", "interrupted")
    wait_until_free([path])
    return True


def _is_of_files(finding: Finding) -> bool:
    return finding.rule in _FILE_RULES or finding.file == layout.EXPERIMENT_MANIFEST


def _files(folder: CheckedExperimentRun, found: list[Finding], held: bool | None) -> Check:
    if _is_unfinished(folder):
        running = held is not False
        message = "it is still running" if running else "it was interrupted"
        finding = Finding("run.files", f"The run has no result: {message}.", layout.CONFIG)
        verdict = CheckVerdict.RUNNING if running else CheckVerdict.NO_RESULT
        return Check.failed("files", verdict, message, (finding,))
    if found:
        message = f"{count(len(found), 'difference')} from the recorded digests and files"
        return Check.failed("files", CheckVerdict.CHANGED, message, found)
    manifest = folder.manifest
    if manifest is None:
        message = "another tool wrote the run, which has no manifest"
        return Check.not_checked("files", CheckVerdict.NOT_CHECKED, message)
    message = f"{count(len(manifest['files']), 'file')}, byte for byte as the manifest has them"
    return Check.passed("files", CheckVerdict.UNCHANGED, message)


def _is_unfinished(folder: CheckedExperimentRun) -> bool:
    """Return whether the run has neither a manifest nor a final status.

    The manifest is written at the end, so the status is not needed if there is one.
    """
    if layout.EXPERIMENT_MANIFEST in folder.files:
        return False
    if layout.CONFIG not in folder.files:
        return True
    return (folder.config or {}).get("status") == "running"


def _documents(found: list[Finding]) -> Check:
    if found:
        message = f"{count(len(found), 'mistake')} in form or content"
        return Check.failed("documents", CheckVerdict.INVALID, message, tuple(found))
    return Check.passed("documents", CheckVerdict.VALID, "they are consistent")


def _dataset(folder: CheckedExperimentRun, datasets: Datasets) -> Check:
    config = folder.config or {}
    used = config.get("references", {}).get("dataset", {})
    if "after" in used:
        shown, after = quote(used["path"], 200), used["after"].get("sha256")
        change = f"{shown} was {'changed' if after else 'removed'} while the run used it"
        sentence = f"The dataset {change}."
        finding = Finding("dataset.same", sentence, used["path"], None, used.get("sha256"), after)
        return Check.failed("dataset", CheckVerdict.CHANGED_BY_RUN, change, (finding,))
    return dataset_check(used.get("path"), used.get("sha256"), datasets)
