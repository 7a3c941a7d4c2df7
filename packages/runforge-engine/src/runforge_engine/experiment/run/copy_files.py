"""Copy models of a run that succeeded to the models of the repository.

An existing model is never replaced by another one: a user who wants to reuse a name removes the
old file, or gives each run a separate name with ``{run_id}``.

Source: specification, section 17.9.
"""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple

from runforge_contracts.codec.pointers import format_pointer
from runforge_contracts.display import quote
from runforge_contracts.errors import ErrorCode, NotFoundError, RunForgeError
from runforge_contracts.fs.files import digest_file, open_file, reading, writing
from runforge_contracts.store import layout
from runforge_contracts.system.system_files import sync_file

from runforge_engine.experiment.config.config_paths import ConfigPath, place_in
from runforge_engine.experiment.config.model_references import COPY_MODELS, MODELS
from runforge_engine.experiment.record.artifact_list import check_way, publish

#: Placeholder for the id of the run in the name of a copy.
_RUN_ID_WORD = "{run_id}"


class Copy(NamedTuple):
    """One model and its path among the models of the repository."""

    #: Path below the run folder.
    source: PurePosixPath
    #: Path among the models, as the experiment gives it.
    target: str
    pointer: str


def copies_of(config: Mapping[str, Any], root: Path) -> Iterator[Copy | RunForgeError]:
    """Yield the copies that a valid configuration requests, and their errors."""
    for source, target in config.get(COPY_MODELS, {}).items():
        pointer = format_pointer((COPY_MODELS, source))
        path = PurePosixPath(source)
        if path.parts[:1] != (layout.ARTIFACTS,) or len(path.parts) < 2 or ".." in path.parts:
            yield RunForgeError(
                ErrorCode.PATH_OUTSIDE_ROOT,
                f"{quote(source)} is not a path below `{layout.ARTIFACTS}/` of the run.",
                pointer=pointer,
            )
            continue
        try:
            _place(target.replace(_RUN_ID_WORD, "run"), root, pointer)
        except RunForgeError as error:
            yield error
        else:
            yield Copy(path, target, pointer)


def _place(target: str, root: Path, pointer: str) -> ConfigPath:
    place = place_in(root, target, pointer)
    if not place.name.startswith(f"{MODELS}/") or not place.path.is_relative_to(root / MODELS):
        raise RunForgeError(
            ErrorCode.PATH_OUTSIDE_ROOT,
            f"{quote(target)} is not a path below `{MODELS}/` of the repository.",
            hint=f"Models are copied to `{MODELS}/` and nowhere else.",
            pointer=pointer,
        )
    return place


def copy_model(copy: Copy, folder: Path, root: Path) -> dict[str, Any]:
    """Copy a model of the run in ``folder`` and return a record of the copy.

    Nothing happens where the same model exists.

    Raises
    ------
    RunForgeError
        ``ARTIFACT_NOT_FOUND`` where the run has no such artifact; ``EXPERIMENT_FAILED`` where
        another model exists; ``FILE_UNSAFE``, ``STORE_NOT_WRITABLE``.
    """
    place = _place(copy.target.replace(_RUN_ID_WORD, folder.name), root, copy.pointer)
    source = folder / copy.source
    try:
        with reading(source):
            check_way(folder, copy.source)
        digest = digest_file(source)
    except NotFoundError:
        raise RunForgeError(
            ErrorCode.ARTIFACT_NOT_FOUND,
            f"The run left no {quote(copy.source)} to copy to {quote(place.name)}.",
            path=str(copy.source),
        ) from None
    with writing(place.path):
        place.path.parent.mkdir(parents=True, exist_ok=True)
        unfinished = place.path.with_name(f".{os.urandom(8).hex()}.tmp")
        try:
            with open_file(source) as original, unfinished.open("xb") as file:
                shutil.copyfileobj(original, file, 2**20)
                file.flush()
                sync_file(file.fileno())
            with contextlib.suppress(FileExistsError):
                publish(unfinished, place.path)
        finally:
            unfinished.unlink(missing_ok=True)
    if digest_file(place.path) != digest:
        raise RunForgeError(
            ErrorCode.EXPERIMENT_FAILED,
            f"{quote(place.name)} is another model already, which is not replaced.",
            hint=f"Remove it, or have `{_RUN_ID_WORD}` in the name.",
            path=place.name,
        )
    return {"from": str(copy.source), "to": place.name, "sha256": digest.sha256}
