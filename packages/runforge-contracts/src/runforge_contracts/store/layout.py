"""The paths of stores and runs: the one layout that every reader and writer uses.

Source: specification, sections 5.1, 5.2, 17.1, 20.6 and 21.1.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from functools import cached_property
from pathlib import Path
from typing import Any, Final, NamedTuple

from runforge_contracts._generated.catalog import CATALOG
from runforge_contracts.display import quote
from runforge_contracts.errors import ErrorCode, RunForgeError
from runforge_contracts.run_ids import ExperimentRunId, parse_experiment_run_id

#: The canonical store, and the one that older clients of ``result.json`` use.
DEFAULT_STORE = ".runforge"
LEGACY_STORE = ".ml"


def _place_of(schema: str) -> str:
    file = CATALOG[schema].file
    assert file is not None, schema  # noqa: S101 - every schema named below has a path
    return file


REQUEST = _place_of("request.v1")
RUN = _place_of("run.v0.4.0")
RESULT = _place_of("result.v1")
METRICS = _place_of("metrics.phase2")
METRICS_V1 = _place_of("metrics.v1")
DIAGNOSTICS = _place_of("diagnostics.v1")
MANIFEST = _place_of("manifest.v1")
FEATURE_IMPORTANCE = _place_of("feature_importance.v1")
LINEAR_COEFFICIENTS = _place_of("linear_coefficients.v1")
INTERPRETABILITY_INDEX = _place_of("interpretability.index.v1")
RECIPE = _place_of("recipe.v1")
EVENTS = _place_of("events.v1")
#: Files of a group of runs.
PLAN = _place_of("sweep_plan.v1")
GROUP = _place_of("group.v1")
#: The only file of an evaluation.
EVALUATION = _place_of("evaluation.v1")
#: The description of a bundle, in it.
BUNDLE = _place_of("bundle.v1")
MODEL = "artifacts/model.pkl"
TRAIN_LOG = "logs/train.log"
#: Files of an experiment run, whose folder is in this folder of the repository.
EXPERIMENT_RUNS = "runs"
CONFIG = _place_of("tfc.config.v1")
SYSTEM = _place_of("tfc.system.v1")
EXPERIMENT_METRICS = _place_of("tfc.metrics.v1")
JOURNAL = _place_of("tfc.metrics_entry.v1")
EXPERIMENT_MANIFEST = _place_of("tfc.manifest.v1")
LOGS = "logs.txt"
#: The name that other tools give it.
LOG_COPY = "log.txt"
ARTIFACTS = "artifacts"
#: An in-toto statement, whose format is defined elsewhere: it has no schema here.
STATEMENT = "provenance.intoto.json"
#: Markers that the editor extension looks for in the folder of a run: it was cancelled, or it is
#: complete but missing in the editor's index.
CANCELLED_MARKER = ".cancelled"
ORPHAN_MARKER = ".index-orphan"
#: Git attributes of a store, so that Git does not change any byte of its files.
GIT_ATTRIBUTES = ".gitattributes"
GIT_ATTRIBUTES_TEXT = b"* -text\n"
#: The history of the aliases of a store, in JSON Lines.
ALIASES = "aliases.jsonl"
#: The record of the merges of a store, in JSON Lines.
MERGES = "merges.jsonl"
#: The record of the runs of a store that were removed, in JSON Lines.
REMOVALS = "removals.jsonl"
#: Folder of a store for runs of experiments whose ids other runs of the workspace have.
OTHERS = "others"
#: Suffix of signatures.
SIGNATURE_SUFFIX = ".sig"


class StoreLayout:
    """The paths of one store; two are equal if they are those of the same folder.

    Parameters
    ----------
    workspace
        Folder that contains the store, absolute.
    name
        Name of the store's folder in the workspace.
    """

    # Not a data class, which takes a millisecond to make: every command imports this module.
    def __init__(self, workspace: Path, name: str = DEFAULT_STORE) -> None:
        self.workspace: Final = workspace
        self.name: Final = name

    def __eq__(self, other: object) -> bool:
        return isinstance(other, StoreLayout) and other.root == self.root

    def __hash__(self) -> int:
        return hash(self.root)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.workspace!r}, {self.name!r})"

    @cached_property
    def root(self) -> Path:
        """The store's folder."""
        return self.workspace / self.name

    @cached_property
    def runs(self) -> Path:
        """The folder with one folder for each run."""
        return self.root / "runs"

    @property
    def groups(self) -> Path:
        """The folder with one folder for each group of runs."""
        return self.root / "groups"

    @property
    def evaluations(self) -> Path:
        """The folder with one folder for each evaluation of a model."""
        return self.root / "evaluations"

    @property
    def signatures(self) -> Path:
        """The folder with the signatures of runs, which may be kept longer than the runs."""
        return self.root / "signatures"

    @property
    def git_attributes(self) -> Path:
        """The Git attributes of the store, which keep the line ends of its files."""
        return self.root / GIT_ATTRIBUTES

    @cached_property
    def index(self) -> Path:
        """The provenance index; older clients keep theirs in a separate folder."""
        folder = self.root / "outputs" if self.name == LEGACY_STORE else self.root
        return folder / _place_of("index.v1")

    @property
    def aliases(self) -> Path:
        """The history of the aliases."""
        return self.root / ALIASES

    @property
    def merges(self) -> Path:
        """The record of the merges."""
        return self.root / MERGES

    @property
    def removals(self) -> Path:
        """The record of the runs that were forgotten, archived and restored."""
        return self.root / REMOVALS

    @property
    def others(self) -> Path:
        """The folder with runs of experiments whose ids other runs of the workspace have."""
        return self.root / OTHERS

    def run_folder(self, run_id: str) -> Path:
        """Return the folder of the run ``run_id``."""
        return self.runs / run_id

    def group_folder(self, group_id: str) -> Path:
        """Return the folder of the group ``group_id``."""
        return self.groups / group_id

    def evaluation_folder(self, evaluation_id: str) -> Path:
        """Return the folder of the evaluation ``evaluation_id``."""
        return self.evaluations / evaluation_id

    def signature(self, run_id: str) -> Path:
        """Return the path of the signature of the run, or the evaluation, ``run_id``."""
        return self.signatures / f"{run_id}{SIGNATURE_SUFFIX}"

    def known_names(self, entries: Iterable[dict[str, Any]]) -> set[str]:
        """Return the run ids in index entries, and the names of the folders of these runs.

        The two differ if a client requested a folder with another name among the runs.
        """
        names, runs = set(), f"{self.relative(self.runs)}/"
        for entry in entries:
            run_id, run_dir = entry["run_id"], entry["run_dir"]
            names.add(run_id)
            if run_dir.startswith(runs) and not run_dir.endswith(run_id):
                names.add(run_dir.removeprefix(runs))
        return names

    def relative(self, folder: Path) -> str:
        """Return ``folder`` as documents name it: relative to the workspace if it is inside."""
        return _relative(folder, self.workspace)


class ExperimentLayout(NamedTuple):
    """The paths of the experiment runs in one repository."""

    #: Folder that contains the folder of runs, absolute.
    workspace: Path

    @property
    def name(self) -> str:
        """Name of the folder of runs in the repository."""
        return EXPERIMENT_RUNS

    @property
    def runs(self) -> Path:
        """The folder with one folder for each run, which may contain other files."""
        return self.workspace / EXPERIMENT_RUNS

    @property
    def root(self) -> Path:
        """The folder to which only runs are added."""
        return self.runs

    def run_folder(self, run_id: str) -> Path:
        """Return the folder of the run ``run_id``."""
        return self.runs / run_id

    def relative(self, folder: Path) -> str:
        """Return ``folder`` as documents name it: relative to the workspace if it is inside."""
        return _relative(folder, self.workspace)

    def ids(self) -> list[ExperimentRunId]:
        """Return the ids of the runs, oldest first, without links.

        Raises
        ------
        RunForgeError
            ``FILE_UNREADABLE`` if the folder of runs exists and cannot be read.
        """
        return sorted(self._found())

    def has_runs(self) -> bool:
        """Return whether there is a run; False if that cannot be determined."""
        try:
            return next(self._found(), None) is not None
        except RunForgeError:
            return False

    def _found(self) -> Iterator[ExperimentRunId]:
        try:
            if self.runs.is_symlink():
                return
            with os.scandir(self.runs) as entries:
                for entry in entries:
                    run_id = parse_experiment_run_id(entry.name)
                    if run_id is not None and entry.is_dir(follow_symlinks=False):
                        yield run_id
        except (FileNotFoundError, NotADirectoryError):
            return
        except OSError as error:
            raise RunForgeError(
                ErrorCode.FILE_UNREADABLE,
                f"The folder {quote(self.runs, 200)} cannot be read: {error.strerror}.",
                path=str(self.runs),
            ) from error


#: The layout of runs of one kind.
Place = StoreLayout | ExperimentLayout


def _relative(folder: Path, workspace: Path) -> str:
    depth = len(workspace.parts)
    if depth and folder.parts[:depth] == workspace.parts:
        # As `relative_to` does, in a tenth of the time: documents name many folders.
        return "/".join(folder.parts[depth:]) or "."
    try:
        return folder.relative_to(workspace).as_posix()
    except ValueError:
        return folder.as_posix()


def find_workspace(start: Path, store: str | None = None) -> Path:
    """Return the nearest folder at or above ``start`` that contains runs, else ``start``.

    Parameters
    ----------
    start
        The folder to start in.
    store
        Name of the store to find. None: any known one, and experiment runs.
    """
    start = start.absolute()
    names = (store,) if store else (DEFAULT_STORE, LEGACY_STORE)
    for folder in (start, *start.parents):
        if any(
            (folder / name / "runs").is_dir()
            or StoreLayout(folder, name).index.is_file()
            # A store on a disk that is missing at the moment.
            or (folder / name).is_symlink()
            for name in names
        ) or (store is None and ExperimentLayout(folder).has_runs()):
            return folder
    return start


def stores_in(workspace: Path, store: str | None = None) -> list[StoreLayout]:
    """Return the stores of ``workspace`` to read: the requested one, or all that exist."""
    if store:
        return [StoreLayout(workspace, store)]
    layouts = [StoreLayout(workspace, name) for name in (DEFAULT_STORE, LEGACY_STORE)]
    return [layout for layout in layouts if layout.root.is_dir()] or layouts[:1]
