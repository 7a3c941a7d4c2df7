"""Repeat a run: the request of an earlier run with changes, and what differs afterwards.

A file that the request names is used as it is now. A recipe that is gone is replaced by the copy
in the folder of the run.

Source: specification, sections 6.3 and 24.6.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from runforge_contracts.display import quote
from runforge_contracts.documents import REMOVE
from runforge_contracts.errors import ErrorCode, RunForgeError
from runforge_contracts.store.layout import RECIPE, StoreLayout
from runforge_contracts.store.run import Run
from runforge_contracts.store.summary import summary_of

from runforge_engine.data.dataset_source import dataset_path
from runforge_engine.modeling.configuration import PROFILES
from runforge_engine.pipeline.request import PreparedRequest, rerun_request
from runforge_engine.provenance.privacy import is_left_out, is_private

#: The JSON pointer of each option in a request.
_POINTERS = {
    "model": "/model/family",
    "preset": "/preset",
    "profile": "/profile",
    "seed": "/seed",
    "device": "/device/type",
    "name": "/name",
    "notes": "/notes",
}
_RECIPE = "/dataset/recipe"


class Repetition(NamedTuple):
    """What is executed to repeat a run."""

    #: The run that is repeated.
    parent: Run
    request: PreparedRequest
    #: Whether the run that is repeated is private, and so the repetition.
    private: bool
    #: Path of the parent's copy of its recipe, where the file that its request names is gone.
    recipe_copy: Path | None = None


def repetition(
    parent: Run,
    store: StoreLayout,
    options: Mapping[str, Any],
    *,
    created_by: str,
    parameters: Mapping[str, Any],
    cli_parameters: Collection[str] = (),
    exclude: Sequence[str] = (),
    include: Sequence[str] = (),
    tags: Sequence[str] = (),
    dataset: str | os.PathLike[str] | None = None,
    recipe: str | os.PathLike[str] | None = None,
    without_recipe: bool = False,
) -> Repetition:
    """Return the request to repeat a run.

    Name, tags and notes are not taken over: they describe the run that had them.

    Parameters
    ----------
    parent
        The run.
    store
        The store of the new run.
    options
        The values that replace those of the run: ``model``, ``preset``, ``profile``, ``seed``,
        ``device``, ``name`` and ``notes``; None keeps a value that is taken over.
    created_by
        The client, as ``<client>@<version>``.
    parameters
        Hyperparameters by name; with the family of the run, its others are kept.
    cli_parameters
        Names of the hyperparameters given on the command line, to be recorded as such.
    exclude, include
        Columns that are excluded beside those of the run, and columns that no longer are.
    tags
        The tags of the new run.
    dataset, recipe
        Paths of a dataset and a recipe instead of those of the run, from the current folder.
    without_recipe
        Whether the new run has no recipe.

    Raises
    ------
    RunForgeError
        ``USAGE_INVALID`` for an included column that the run does not exclude, and for a recipe
        together with ``without_recipe``; ``DATASET_NOT_FOUND`` where a private run does not record
        the folder of its dataset; ``FILE_NOT_FOUND`` where neither the recipe nor a copy of it is
        there; the errors of :func:`~runforge_engine.pipeline.request.rerun_request`.
    """
    request = parent.request or {}
    model = request.get("model", {})
    profile, kind = options.get("profile"), model.get("family", "")
    # A profile given as an option sets the family, as in `runforge train`.
    family = (
        options.get("model") or (PROFILES[profile].family if profile in PROFILES else None) or kind
    )
    kept = model.get("hyperparameters", {}) if family == kind else {}
    changes: dict[str, Any] = {
        _POINTERS[name]: value for name, value in options.items() if value is not None
    }
    if family != kind:
        changes["/model/family"] = family
    if parameters or kept != model.get("hyperparameters", {}):
        changes["/model/hyperparameters"] = {**kept, **parameters}
    asked = request.get("dataset", {})
    if exclude or include:
        excluded = asked.get("exclude_columns") or []
        changes["/dataset/exclude_columns"] = _excluded(parent, excluded, exclude, include)
    if tags:
        changes["/tags"] = list(tags)
    of_parent = [name for name in ("name", "tags", "notes") if name in request]
    changes = {**{f"/{name}": REMOVE for name in of_parent}, **changes}
    home = _workspace_of(parent) or store.workspace
    if dataset is not None:
        changes["/dataset/path"] = _recorded(dataset, store)
    elif asked.get("path") is not None:
        changes |= _dataset(parent, asked["path"], home, store)
    copy = None
    if recipe is not None and without_recipe:
        raise RunForgeError(
            ErrorCode.USAGE_INVALID, "A recipe is given, and also that there is to be none."
        )
    if recipe is not None:
        changes[_RECIPE] = _recorded(recipe, store)
    elif asked.get("recipe") is not None:
        path = None if without_recipe else _recipe_file(asked["recipe"], home)
        if path is None and not without_recipe:
            path = copy = _copied_recipe(parent, asked["recipe"])
        if path is None:
            changes[_RECIPE] = REMOVE
        elif copy is not None or home != store.workspace:
            changes[_RECIPE] = _recorded(path, store)
    again = rerun_request(parent, changes, created_by=created_by, cli_parameters=cli_parameters)
    return Repetition(parent, again, is_private(parent), copy)


def _recorded(path: str | os.PathLike[str], store: StoreLayout) -> str:
    """Return a path from the current folder as a request has it."""
    return store.relative(Path(os.path.abspath(path)))  # noqa: PTH100 - keeps links


def _dataset(parent: Run, recorded: str, home: Path, store: StoreLayout) -> dict[str, str]:
    """Return the change to the path of the dataset, which starts at the workspace of the parent."""
    if is_left_out(recorded):
        raise RunForgeError(
            ErrorCode.DATASET_NOT_FOUND,
            f"The run {quote(parent.id)} does not record the folder of its dataset.",
            hint="It was omitted from the record on request; `runforge rerun RUN --dataset FILE`"
            " names it.",
        )
    if home == store.workspace:
        return {}
    return {"/dataset/path": store.relative(dataset_path(recorded, home))}


def _recipe_file(recorded: str, home: Path) -> Path | None:
    """Return the file that a request names as its recipe; None if it is not known or not there."""
    if is_left_out(recorded):
        return None
    path = dataset_path(recorded, home)
    return path if os.path.exists(path) else None  # noqa: PTH110 - Path.exists may raise


def _copied_recipe(parent: Run, recorded: str) -> Path:
    """Return the path of a run's own copy of its recipe, which is the recorded one."""
    from runforge_engine.preparation.run_recipe import recipe_of_run

    found = recipe_of_run(parent) if (parent.path / RECIPE).is_file() else None
    if found is None:
        raise RunForgeError(
            ErrorCode.FILE_NOT_FOUND,
            f"The recipe {quote(recorded, 200)} of the run {quote(parent.id)} is not there, and the"
            " run has no copy of it.",
            hint="Name a recipe for the new run.",
            path=recorded,
        )
    return found.path


def _excluded(
    parent: Run, excluded: Sequence[str], more: Sequence[str], fewer: Sequence[str]
) -> list[str]:
    """Return the columns to exclude: those of the parent, with some added and some taken away."""
    for name in fewer:
        if name not in excluded:
            listed = ", ".join(quote(column) for column in excluded)
            raise RunForgeError(
                ErrorCode.USAGE_INVALID,
                f"The run {quote(parent.id)} does not exclude {quote(name)}.",
                hint=f"It excludes {listed}." if listed else "It excludes no column.",
                column=name,
            )
    return [
        *(name for name in excluded if name not in fewer),
        *(name for name in more if name not in excluded),
    ]


def _workspace_of(folder: Run) -> Path | None:
    """Return the workspace of a run in a store; a separate run folder has none."""
    return folder.path.parents[2] if folder.path.parent.name == "runs" else None


def changed_files(parent: Run, run: Run) -> dict[str, dict[str, str]]:
    """Return which files of a repetition have other bytes than before, as ``--json`` shows it.

    Returns
    -------
    dict
        ``dataset_changed`` and ``recipe_changed``, each with the SHA-256 ``before`` and ``after``;
        a file that one of the runs does not have is no change.
    """
    one, other = (summary_of(folder).data for folder in (parent, run))
    pairs = {
        "dataset_changed": (one.fingerprint_sha256, other.fingerprint_sha256),
        "recipe_changed": (one.recipe_sha256, other.recipe_sha256),
    }
    return {
        name: {"before": before, "after": after}
        for name, (before, after) in pairs.items()
        if before is not None and after is not None and before != after
    }


def changed_features(parent: Run, run: Run) -> tuple[list[str], list[str]]:
    """Return the features that a repetition lost and gained; not those that were excluded by name.

    Both are empty where one of the runs ended before its features were known.
    """
    before, after = (summary_of(one).data for one in (parent, run))
    old, new = before.feature_names, after.feature_names
    if old is None or new is None:
        return [], []
    excluded = {*(before.exclude_columns or ()), *(after.exclude_columns or ())}
    lost = [name for name in old if name not in {*new, *excluded}]
    return lost, [name for name in new if name not in {*old, *excluded}]
