"""Find the artifacts of tracked runs on this machine, and list what can be copied of them.

A tracking store may come from anybody, and what it names as the folder of artifacts may be any
folder of this machine. So artifacts are read only below folders that the user has named.

Source: MLflow documentation, "Artifact Stores".
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit
from urllib.request import url2pathname

from runforge_contracts.fs.folders import as_text, walk_folder

from runforge_engine.experiment.record.artifact_list import place_of
from runforge_engine.experiment.run.code_state import without_password
from runforge_engine.importing.left_out import Losses
from runforge_engine.importing.tracked_run import TrackedModel, TrackedRun

#: Folders in which MLflow keeps the artifacts of all experiments by default.
_DEFAULTS = ("", "mlruns", "mlartifacts", "artifacts")
_ARTIFACTS = "artifacts"
#: Files of one run; a check of a run reads a few more.
MAX_FILES = 99_000
_MAX_DEPTH = 64


class Artifact(NamedTuple):
    """A file to be copied."""

    source: Path
    #: Its path among the artifacts of the run.
    place: str
    bytes: int


class ArtifactFolders:
    """The folders below which artifacts are read: that of the tracking store, and further ones."""

    def __init__(self, store: Path, others: Iterable[Path] = ()) -> None:
        self._store = store
        self._roots = list(dict.fromkeys(Path(os.path.realpath(root)) for root in (store, *others)))

    def of(self, run: TrackedRun, models: Iterable[TrackedModel], losses: Losses) -> list[Artifact]:
        """Return the artifacts of a run and of its models, with their paths in the new run.

        A model is below its name, as in ``runs:/ID/NAME`` of MLflow.
        """
        found: dict[str, Artifact] = {}
        own = f"{run.experiment_id}/{run.run_id}/{_ARTIFACTS}"
        self._add(found, run.artifacts, (own, f"{run.run_id}/{_ARTIFACTS}"), "", losses)
        for model in models:
            name = model.name if _is_place(model.name) else model.model_id
            if any(f"{place}/".startswith(f"{name}/") for place in found):
                name = model.model_id
            place = f"{run.experiment_id}/models/{model.model_id}/{_ARTIFACTS}"
            self._add(found, model.artifacts, (place,), f"{name}/", losses)
        return [found[place] for place in sorted(found)]

    def _add(
        self,
        found: dict[str, Artifact],
        address: str,
        places: Iterable[str],
        prefix: str,
        losses: Losses,
    ) -> None:
        folder = self._find(address, places, losses)
        if folder is None:
            return
        for artifact in _listed(folder, prefix, losses):
            if len(found) >= MAX_FILES:
                losses.add("artifacts", f"Artifacts after the first {MAX_FILES:,} are left out")
            else:
                found[artifact.place] = artifact

    def _find(self, address: str, places: Iterable[str], losses: Losses) -> Path | None:
        """Return the folder of some artifacts, without links; None if it is not here."""
        local = _local_path(address)
        candidates = [] if local is None else [self._store / local]
        candidates += [
            root / default / place
            for root in self._roots
            for default in _DEFAULTS
            for place in places
        ]
        for candidate in candidates:
            found = self._below(candidate)
            if found is not None and _has_content(found):
                return found
        shown = without_password(address)
        if local is None:
            losses.add("artifacts", "Artifacts that are not in a local folder are left out", shown)
        elif self._below(self._store / local) is None:
            losses.add(
                "artifacts",
                "Artifacts outside the folder of the tracking store are left out",
                shown,
            )
        return None  # A run without artifacts has no folder.

    def _below(self, path: Path) -> Path | None:
        """Return a path without links; None if it is not below one of the folders."""
        real = Path(os.path.realpath(path))
        return real if any(real.is_relative_to(root) for root in self._roots) else None


def _has_content(folder: Path) -> bool:
    """Return whether there is something in a folder, or it cannot be read: that is reported."""
    try:
        return bool(os.listdir(folder))  # noqa: PTH208 - also of what has no valid name
    except PermissionError:
        return True
    except OSError:
        return False


def _local_path(address: str) -> Path | None:
    """Return the path that an address of artifacts names; None if it is no path."""
    try:
        parts = urlsplit(address)
        if parts.scheme == "file":
            path = url2pathname(parts.path) if parts.netloc in ("", "localhost") else None
        # A scheme of one letter is a drive.
        elif not parts.scheme or len(parts.scheme) == 1:
            path = address
        else:
            path = None
    except ValueError:
        return None
    return None if not path or "\0" in path else Path(path)


def _listed(folder: Path, prefix: str, losses: Losses) -> Iterator[Artifact]:
    def complain(place: str, error: OSError) -> None:
        losses.add(
            "artifacts", "Folders of artifacts that cannot be read are left out", place or folder
        )

    for item in walk_folder(folder, max_depth=_MAX_DEPTH, unreadable=complain):
        if item.kind == "folder":
            if item.place.count("/") >= _MAX_DEPTH:
                losses.add("artifacts", "Folders that are too deep are left out", item.place)
        elif item.kind != "file":
            losses.add("artifacts", "Artifacts that are links or no files are left out", item.place)
        elif not _is_place(f"{prefix}{item.place}"):
            losses.add(
                "artifacts",
                "Artifacts with names that not every system accepts are left out",
                as_text(item.place),
            )
        else:
            try:
                size = item.path.lstat().st_size
            except OSError:
                losses.add("artifacts", "Artifacts that cannot be read are left out", item.place)
            else:
                yield Artifact(item.path, f"{prefix}{item.place}", size)


def _is_place(name: str) -> bool:
    try:
        place_of(name)
    except ValueError:
        return False
    return True
