"""The request that ``rerun`` executes: that of an earlier run, with changes."""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from runforge_contracts.display import quote
from runforge_contracts.documents import REMOVE
from runforge_contracts.errors import ErrorCode, RunForgeError
from runforge_contracts.store.layout import REQUEST
from runforge_contracts.store.lookup import made
from runforge_contracts.store.run import Run
from runforge_contracts.store.summary import summary_of

from runforge_cli import CLIENT
from runforge_cli.shell.settings import Settings

if TYPE_CHECKING:
    from runforge_engine.pipeline.request import PreparedRequest

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


class Repetition(NamedTuple):
    """What is executed to repeat a run."""

    #: The run that is repeated.
    parent: Run
    request: PreparedRequest
    #: Whether the run that is repeated is private, and so the repetition.
    private: bool


def repetition_of(
    settings: Settings,
    run: str,
    options: Mapping[str, Any],
    *,
    parameters: Mapping[str, Any],
    cli_parameters: Collection[str] = (),
    exclude: Sequence[str] = (),
    include: Sequence[str] = (),
    tags: Sequence[str] = (),
    dataset: str | None = None,
    created_by: str = CLIENT,
) -> Repetition:
    """Return the request to repeat a run.

    Its name and its tags are not taken over: they describe the run that had them.

    Parameters
    ----------
    run
        The reference to the run.
    options
        The values that replace those of the run: ``model``, ``preset``, ``profile``, ``seed``,
        ``device``, ``name`` and ``notes``; None keeps a value.
    parameters
        Hyperparameters by name; with the family of the run, its others are kept.
    cli_parameters
        Names of the hyperparameters given on the command line, to be recorded as such.
    exclude, include
        Columns that are excluded beside those of the run, and columns that no longer are.
    tags
        The tags of the new run.
    dataset
        The current path of the dataset, from the current folder.
    created_by
        The client, as ``<client>@<version>``.

    Raises
    ------
    RunForgeError
        ``USAGE_INVALID`` for an included column that the run does not exclude;
        ``DATASET_NOT_FOUND`` where a private run does not record the folder of its dataset; the
        errors of :func:`~runforge_engine.pipeline.request.rerun_request` and of finding the run.
    """
    from runforge_engine.data.dataset_source import dataset_path
    from runforge_engine.modeling.configuration import PROFILES
    from runforge_engine.pipeline.request import rerun_request
    from runforge_engine.provenance.privacy import is_left_out, is_private

    parent = settings.find_run(
        run,
        "Repeat it with `runforge experiment run --experiment runs/{run}/config.yaml`.",
        made(REQUEST),
    )
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
    excluded = request.get("dataset", {}).get("exclude_columns") or []
    if exclude or include:
        changes["/dataset/exclude_columns"] = _excluded(parent, excluded, exclude, include)
    if tags:
        changes["/tags"] = list(tags)
    changes = {**{f"/{name}": REMOVE for name in ("name", "tags") if name in request}, **changes}
    store = settings.target()
    path = request.get("dataset", {}).get("path")
    home = _workspace_of(parent)
    if dataset is not None:
        changes["/dataset/path"] = store.relative(Path(os.path.abspath(dataset)))  # noqa: PTH100
    elif path is not None and is_left_out(path):
        raise RunForgeError(
            ErrorCode.DATASET_NOT_FOUND,
            f"The run {quote(parent.id)} does not record the folder of its dataset.",
            hint="It was omitted from the record on request; name the file with --dataset.",
        )
    elif path is not None and home is not None and home != store.workspace:
        # A relative path starts at the workspace that contains the run.
        changes["/dataset/path"] = store.relative(dataset_path(path, home))
    again = rerun_request(parent, changes, created_by=created_by, cli_parameters=cli_parameters)
    return Repetition(parent, again, is_private(parent))


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


def changed_dataset(parent: Run, run: Run) -> dict[str, Any]:
    """Return that the dataset of a repetition has other bytes than before; empty if it has not."""
    before, after = (summary_of(one).data.fingerprint_sha256 for one in (parent, run))
    if before is None or after is None or before == after:
        return {}
    return {"dataset_changed": {"before": before, "after": after}}


def changed_features(parent: Run, run: Run) -> tuple[list[str], list[str]]:
    """Return the features that a dataset lost and gained; not those that were excluded by name."""
    before, after = (summary_of(one).data for one in (parent, run))
    excluded = {*(before.exclude_columns or ()), *(after.exclude_columns or ())}
    old, new = before.feature_names or (), after.feature_names or ()
    lost = [name for name in old if name not in {*new, *excluded}]
    return lost, [name for name in new if name not in {*old, *excluded}]
