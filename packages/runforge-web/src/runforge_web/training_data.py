"""The datasets and recipes of a workspace that can be chosen; nothing outside of it."""

from __future__ import annotations

import os
import re
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from runforge_contracts.display import quote
from runforge_contracts.errors import ErrorCode, RunForgeError
from runforge_contracts.fs.folders import walk_folder
from runforge_engine.data.column_request import raw_columns
from runforge_engine.data.dataset_source import dataset_path

from runforge_web.request_form import PATH, RECIPE

if TYPE_CHECKING:
    from runforge_web.job_list import JobList

#: What is offered: files with these endings, so many of them, in folders that deep.
_ENDINGS = (".csv", ".csv.gz", ".tsv", ".parquet", ".xlsx")
_RECIPES = ".recipe.json"
_MOST, _LOOKED_AT, _DEPTH = 100, 20_000, 3
#: How the name of a recipe ends that was edited here.
_NUMBERED = re.compile(r"\.[1-9][0-9]{0,3}$")
#: Longest path, in characters: each of its folders is asked whether it is a link.
_LONGEST = 4_096


def datasets_and_recipes(workspace: Path) -> tuple[list[str], list[str]]:
    """Return the paths of files in a workspace that can be datasets, and of those named as recipes.

    Hidden ones are left out.
    """
    datasets, recipes = list[str](), list[str]()
    for count, item in enumerate(
        # A store can have more folders than there is room for in a form.
        walk_folder(workspace, max_depth=_DEPTH, unreadable=lambda *_: None, hidden=False)
    ):
        if count == _LOOKED_AT or min(len(datasets), len(recipes)) == _MOST:
            break
        is_hidden = any(part.startswith(".") for part in item.place.split("/"))
        if item.kind != "file" or is_hidden or not item.place.isprintable():
            continue
        for endings, found in ((_ENDINGS, datasets), ((_RECIPES,), recipes)):
            if item.place.endswith(endings) and len(found) < _MOST:
                found.append(item.place)
    return sorted(datasets), sorted(recipes)


def inspected(jobs: JobList, path: str, label: str, exclude: list[str]) -> dict[str, Any]:
    """Return the inspection of a dataset in the workspace; without a label that it does not have.

    Raises
    ------
    RunForgeError
        ``PATH_OUTSIDE_ROOT`` for a file that is not in the workspace; the errors of an inspection.
    """
    file = checked_file(jobs.session.settings.folder, path)
    given = {"dataset": str(file), "exclude": exclude}
    try:
        return jobs.ask("inspect", {**given, "label": label} if label else given)
    except RunForgeError as error:
        if error.code not in (ErrorCode.LABEL_NOT_FOUND, ErrorCode.COLUMN_NOT_FOUND):
            raise
        return jobs.ask("inspect", {"dataset": str(file)})


def prepared(jobs: JobList, path: str, recipe: str) -> dict[str, Any]:
    """Return the recipe of a raw table, ``recipe``, and names and digest of the table.

    Raises
    ------
    RunForgeError
        ``PATH_OUTSIDE_ROOT`` for a file that is not in the workspace; the errors of reading one,
        with the place of the other in the request if it is the recipe.
    """
    workspace = jobs.session.settings.folder
    used = checked_file(workspace, recipe, RECIPE)
    given = {"dataset": str(checked_file(workspace, path)), "recipe": str(used)}
    try:
        return jobs.ask("recipe", given)
    except RunForgeError as error:
        if error.location.path != str(used):
            raise
        place = error.location.pointer
        message = error.message if place is None else f"{error.message.rstrip('.')}, at {place}."
        raise RunForgeError(error.code, message, hint=error.hint, pointer=RECIPE) from None


def raw_columns_of(workspace: Path, path: str, form: dict[str, str]) -> list[str]:
    """Return the columns of a raw file of text in a named form; none of a sheet, which is not read.

    Raises
    ------
    RunForgeError
        ``PATH_OUTSIDE_ROOT`` for a file that is not in the workspace; the errors of a header.
    """
    file = checked_file(workspace, path)
    # The start of a file with two bytes for each character may end within a line.
    is_text = "sheet" not in form and not form.get("encoding", "").startswith("utf-16")
    return list(raw_columns(file, form)) if is_text else []


def proposed(jobs: JobList, path: str, label: str, form: dict[str, str]) -> str:
    """Propose a recipe for a raw table, and return the path of the new file beside it.

    ``form``: that of the raw file, as the section ``source`` of a recipe has it.

    Raises
    ------
    RunForgeError
        ``DATASET_NOT_FOUND``; ``PATH_OUTSIDE_ROOT``; ``USAGE_INVALID`` if there is such a file; the
        errors of a proposal.
    """
    workspace, table = jobs.session.settings.folder, PurePosixPath(path)
    if not table.name:
        raise RunForgeError(ErrorCode.DATASET_NOT_FOUND, "No dataset is named.", pointer=PATH)
    ending = max((end for end in _ENDINGS if table.name.endswith(end)), key=len, default="")
    recipe = str(table.with_name(f"{table.name.removesuffix(ending)}{_RECIPES}"))
    given = {
        "dataset": str(checked_file(workspace, path)),
        "label": label,
        "output": str(checked_file(workspace, recipe, RECIPE)),
    }
    jobs.ask("recipe", given | ({"source": form} if form else {}))
    return recipe


def edited_recipe(jobs: JobList, path: str, recipe: str, actions: dict[str, str]) -> str:
    """Write a recipe with other actions beside the one that it comes from, and return its path.

    Raises
    ------
    RunForgeError
        ``PATH_OUTSIDE_ROOT``; the errors of reading a table and of its values.
    """
    workspace = jobs.session.settings.folder
    own = PurePosixPath(recipe)
    stem = own.name.removesuffix(_RECIPES) if own.name.endswith(_RECIPES) else own.stem
    stem, _, number = stem.rpartition(".") if _NUMBERED.search(stem) else (stem, "", "1")
    given = {
        "dataset": str(checked_file(workspace, path)),
        "recipe": str(checked_file(workspace, recipe, RECIPE)),
        "actions": actions,
    }
    for following in range(int(number) + 1, int(number) + _MOST):
        new = str(own.with_name(f"{stem}.{following}{_RECIPES}"))
        output = checked_file(workspace, new, RECIPE)
        if not os.path.lexists(output):
            break
    jobs.ask("recipe", given | {"output": str(output)})
    return new


def checked_file(workspace: Path, path: str, place: str = PATH) -> Path:
    """Return a dataset or a recipe; raise ``PATH_OUTSIDE_ROOT`` if it is not in the workspace.

    ``place`` is where the request names it.
    """
    if "\0" in path or len(path) > _LONGEST:
        code = ErrorCode.DATASET_NOT_FOUND if place == PATH else ErrorCode.FILE_NOT_FOUND
        raise RunForgeError(code, f"{quote(path, 200)} is not a path.", pointer=place)
    file = dataset_path(path, workspace)
    if not Path(os.path.realpath(file)).is_relative_to(os.path.realpath(workspace)):
        raise RunForgeError(
            ErrorCode.PATH_OUTSIDE_ROOT,
            f"The {'dataset' if place == PATH else 'recipe'} {quote(path, 200)} is not in the"
            " workspace.",
            hint="Put the file into the workspace, or train with `runforge train`.",
            pointer=place,
        )
    return file
