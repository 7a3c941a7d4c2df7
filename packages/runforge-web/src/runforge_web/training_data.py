"""The datasets of a workspace that can be chosen, and their columns; nothing outside of it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from runforge_contracts.display import quote
from runforge_contracts.errors import ErrorCode, RunForgeError
from runforge_contracts.fs.folders import walk_folder
from runforge_engine.data.dataset_source import dataset_path

if TYPE_CHECKING:
    from runforge_web.job_list import JobList

#: What is offered: files with these endings, so many of them, in folders that deep.
_ENDINGS = (".csv", ".csv.gz", ".tsv", ".parquet")
_MOST, _LOOKED_AT, _DEPTH = 100, 20_000, 3
#: Longest path, in characters: each of its folders is asked whether it is a link.
_LONGEST = 4_096


def datasets_in(workspace: Path) -> list[str]:
    """Return the paths of files in a workspace that can be datasets, without hidden ones."""
    found = list[str]()
    for count, item in enumerate(
        walk_folder(workspace, max_depth=_DEPTH, unreadable=lambda *_: None)
    ):
        if count == _LOOKED_AT or len(found) == _MOST:
            break
        is_hidden = any(part.startswith(".") for part in item.place.split("/"))
        is_text = item.place.isprintable()
        if item.kind == "file" and is_text and not is_hidden and item.place.endswith(_ENDINGS):
            found.append(item.place)
    return sorted(found)


def inspected(jobs: JobList, path: str, label: str, exclude: list[str]) -> dict[str, Any]:
    """Return the inspection of a dataset in the workspace; without a label that it does not have.

    Raises
    ------
    RunForgeError
        ``PATH_OUTSIDE_ROOT`` for a file that is not in the workspace; the errors of an inspection.
    """
    file = checked_dataset(jobs.session.settings.folder, path)
    given = {"dataset": str(file), "exclude": exclude}
    try:
        return jobs.ask("inspect", {**given, "label": label} if label else given)
    except RunForgeError as error:
        if error.code not in (ErrorCode.LABEL_NOT_FOUND, ErrorCode.COLUMN_NOT_FOUND):
            raise
        return jobs.ask("inspect", {"dataset": str(file)})


def checked_dataset(workspace: Path, path: str) -> Path:
    """Return the file of a dataset; raise ``PATH_OUTSIDE_ROOT`` if it is not in the workspace."""
    if "\0" in path or len(path) > _LONGEST:
        raise RunForgeError(ErrorCode.DATASET_NOT_FOUND, f"{quote(path, 200)} is not a path.")
    file = dataset_path(path, workspace)
    if not Path(os.path.realpath(file)).is_relative_to(os.path.realpath(workspace)):
        raise RunForgeError(
            ErrorCode.PATH_OUTSIDE_ROOT,
            f"The dataset {quote(path, 200)} is not in the workspace.",
            hint="Put the file into the workspace, or train with `runforge train`.",
            pointer="/dataset/path",
        )
    return file
