"""Check the experiment runs of a repository, without changing them.

Source: specification, section 17.13.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from runforge_contracts.display import quote
from runforge_contracts.errors import ErrorCode, RunForgeError
from runforge_contracts.fs.files import reading
from runforge_contracts.invariants.experiment_invariants import check_experiment_run
from runforge_contracts.invariants.finding import Finding
from runforge_contracts.store import layout
from runforge_contracts.store.experiment_runs import ExperimentRun, claims_to_be_run
from runforge_contracts.store.layout import StoreLayout
from runforge_contracts.store.run import RunStatus

from runforge_engine.experiment.config.model_references import FIELDS, MODELS
from runforge_engine.experiment.record.experiment_state import state_of
from runforge_engine.provenance.git import Git, GitUnavailableError

#: Size from which files should be in Git LFS, in bytes.
LARGE = 10 * 2**20
_TIME_LIMIT = 30.0
#: Maximum number of names in a sentence.
_SHOWN = 5


@dataclass(frozen=True, slots=True)
class RunCheck:
    """The result of checking one run folder."""

    run_id: str
    #: The folder, relative to the repository if it is inside it.
    run_dir: str
    state: RunStatus
    findings: tuple[Finding, ...]

    @property
    def conforms(self) -> bool:
        """Whether the run has no findings; a failed run can conform."""
        return not self.findings

    def to_dict(self) -> dict[str, Any]:
        """Return the check in its document form."""
        return {
            "run_id": self.run_id,
            "run_dir": self.run_dir,
            "state": self.state,
            "conforms": self.conforms,
            "findings": [finding.to_dict() for finding in self.findings],
        }


@dataclass(frozen=True, slots=True)
class RepositoryCheck:
    """The result of checking the runs of a repository."""

    repository: Path
    runs: tuple[RunCheck, ...]
    #: Warnings that need attention, one sentence each.
    warnings: tuple[str, ...]

    @property
    def conforms(self) -> bool:
        """Whether no run has findings."""
        return all(run.conforms for run in self.runs)

    def to_dict(self) -> dict[str, Any]:
        """Return the check in its document form."""
        return {
            "repository": str(self.repository),
            "conforms": self.conforms,
            "runs": [run.to_dict() for run in self.runs],
            "warnings": list(self.warnings),
        }


def check_repository(root: Path, runs: Iterable[Path] | None = None) -> RepositoryCheck:
    """Check the runs of experiments in a repository.

    Parameters
    ----------
    root
        The repository.
    runs
        Folders of runs; by default all run folders of the repository, and its models.

    Raises
    ------
    RunForgeError
        ``FILE_UNSAFE`` where the folder of the runs is a symbolic link or not a folder,
        ``FILE_UNREADABLE``.
    """
    root = Path(os.path.realpath(root))
    others: list[Path] = []
    if runs is None:
        found = list(_children(root / layout.EXPERIMENT_RUNS))
        folders = [path for path in found if claims_to_be_run(path)]
        others = [path for path in found if path not in folders]
        places = [*folders, root / MODELS]
    else:
        folders = places = [Path(os.path.realpath(run.parent), run.name) for run in runs]
    return RepositoryCheck(
        root,
        tuple(_check(folder, root) for folder in folders),
        (*_word_on(others), *_warnings(root, places)),
    )


def word_on_others(root: Path) -> str | None:
    """Return a warning about files of other tools among the runs of a repository, if any.

    Also return one where the folder of the runs is invalid or cannot be read.
    """
    try:
        found = list(_children(Path(os.path.realpath(root)) / layout.EXPERIMENT_RUNS))
    except RunForgeError as error:
        return error.message
    return next(_word_on([path for path in found if not claims_to_be_run(path)]), None)


def _word_on(others: Sequence[Path]) -> Iterator[str]:
    if others:
        names = ", ".join(quote(path.name) for path in others[:_SHOWN])
        more = f" and {len(others) - _SHOWN:,} more" if len(others) > _SHOWN else ""
        yield (
            f"`{layout.EXPERIMENT_RUNS}/` holds what is no run of an experiment and is left alone:"
            f" {names}{more}."
        )


def _children(runs: Path) -> Iterator[Path]:
    """Yield all folders and links among the runs, with any name."""
    if not os.path.lexists(runs):
        return
    if runs.is_symlink() or not runs.is_dir():
        raise RunForgeError(
            ErrorCode.FILE_UNSAFE,
            f"{quote(runs, 200)} is a symbolic link or no folder; runs are never looked for there.",
            path=str(runs),
        )
    with reading(runs):
        paths = sorted(runs.iterdir())
    for path in paths:
        if path.is_symlink() or (path.is_dir() and not path.name.startswith(".")):
            yield path


def _check(path: Path, root: Path) -> RunCheck:
    where = StoreLayout(root).relative(path)
    if path.is_symlink():
        message = f"{quote(path.name)} is a symbolic link, which could lead anywhere."
        return RunCheck(path.name, where, "unknown", (Finding("run.no-links", message, where),))
    # Read before its files: a run that ends in between then has all of them.
    folder = ExperimentRun(path)
    state = state_of(folder)
    findings = (*check_experiment_run(path), *_changed_inputs(folder))
    return RunCheck(path.name, where, state, findings)


def _changed_inputs(folder: ExperimentRun) -> Iterator[Finding]:
    """Yield the input files that were changed during the run."""
    try:
        references = (folder.config or {}).get("references", {})
    except RunForgeError:
        return
    for field in FIELDS:
        known = references.get(field, {})
        if "after" in known:
            after = known["after"]
            how = "changed" if after else "removed"
            message = f"The {field} {quote(known['path'], 200)} was {how} while the run used it."
            yield Finding(
                "experiment.inputs",
                message,
                layout.CONFIG,
                f"/references/{field}",
                known.get("sha256"),
                after.get("sha256"),
            )


def _warnings(root: Path, places: Iterable[Path]) -> Iterator[str]:
    """Yield a warning for large files that would be committed to Git without LFS."""
    large = dict(sorted((path, size) for place in places for path, size in _large_files(place)))
    if not large:
        return
    try:
        git = Git(_TIME_LIMIT)
        top = git.root_of(root)
        if top is None:
            return
        unmanaged = git.without_lfs(top, [path for path in large if path.is_relative_to(top)])
    except GitUnavailableError as reason:
        yield f"Nobody knows whether Git LFS takes care of the large files: {reason}"
        return
    for path in unmanaged:
        place = quote(StoreLayout(root).relative(path), 200)
        yield (
            f"{place} has {large[path]:,} bytes and would go into Git itself: no line of"
            " `.gitattributes` hands it to Git LFS."
        )


def _large_files(place: Path) -> Iterator[tuple[Path, int]]:
    for parent, _, names in os.walk(place):
        for path in (Path(parent, name) for name in names):
            try:
                size = path.lstat().st_size
            except OSError:
                continue
            if size >= LARGE and not path.is_symlink():
                yield path, size
