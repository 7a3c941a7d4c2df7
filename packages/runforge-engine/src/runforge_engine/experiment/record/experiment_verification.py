"""Whether anything of an experiment's run was changed: its files, what they say, its dataset.

Nothing is written, no symbolic link in a run folder is followed, and what cannot be read is a
finding.

Source: TFC-0003, sections 8 and 12.
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
from runforge_engine.verification.check_result import Check, count
from runforge_engine.verification.dataset_check import Datasets
from runforge_engine.verification.verify_run import RunVerification, dataset_check

#: Rules about the files themselves; the others are about what documents say.
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
    """Check everything that is known of the experiment's run in the folder ``path``.

    Parameters
    ----------
    path
        The run folder, absolute.
    root
        The repository, which the dataset's path is relative to.
    datasets
        The datasets of the repository, where several runs are checked.
    with_dataset
        Whether to look at the dataset, which may have changed without harm to the run.
    demand_signature
        Whether a run without a signature fails; that of an experiment has none.

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
        message = (
            "Runs of experiments are not signed, so there is nothing that the key vouches for."
        )
        finding = Finding("signature.exists", message, layout.EXPERIMENT_MANIFEST)
        checks.append(Check.failed("signature", "none", "", (finding,)))
    return RunVerification(path.name, StoreLayout(root).relative(path), tuple(checks))


def verify_experiments(
    root: Path,
    datasets: Datasets | None = None,
    *,
    with_dataset: bool = True,
    demand_signature: bool = False,
) -> list[RunVerification]:
    """Check all runs of experiments in a repository but unfinished ones.

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
        in_progress = held is not False
        message = "it is still in progress" if in_progress else "it was interrupted"
        finding = Finding("run.files", f"The run has no result: {message}.", layout.CONFIG)
        return Check.failed("files", "at work" if in_progress else "no result", message, (finding,))
    if found:
        message = f"{count(len(found), 'difference')} from what is recorded of the files"
        return Check.failed("files", "changed", message, tuple(found))
    manifest = folder.documents.get(layout.EXPERIMENT_MANIFEST)
    if manifest is None:
        message = "another tool wrote the run, which has no manifest"
        return Check.not_checked("files", "not checked", message)
    message = f"{count(len(manifest['files']), 'file')}, byte for byte as the manifest has them"
    return Check.passed("files", "unchanged", message)


def _is_unfinished(folder: CheckedExperimentRun) -> bool:
    """Tell whether the run says that it has not ended, or says nothing at all.

    What it says counts for nothing beside a manifest, which is written at the end.
    """
    if layout.EXPERIMENT_MANIFEST in folder.files:
        return False
    if layout.CONFIG not in folder.files:
        return True
    return folder.documents.get(layout.CONFIG, {}).get("status") == "running"


def _documents(found: list[Finding]) -> Check:
    if found:
        message = f"{count(len(found), 'mistake')} in form or content"
        return Check.failed("documents", "invalid", message, tuple(found))
    return Check.passed("documents", "valid", "they tell one story")


def _dataset(folder: CheckedExperimentRun, datasets: Datasets) -> Check:
    config = folder.documents.get(layout.CONFIG, {})
    used = config.get("references", {}).get("dataset", {})
    if "after" in used:
        shown, after = quote(used["path"], 200), used["after"].get("sha256")
        change = f"{shown} was {'changed' if after else 'removed'} while the run used it"
        sentence = f"The dataset {change}."
        finding = Finding("dataset.same", sentence, used["path"], None, used.get("sha256"), after)
        return Check.failed("dataset", "changed by the run", change, (finding,))
    return dataset_check(used.get("path"), used.get("sha256"), datasets)
