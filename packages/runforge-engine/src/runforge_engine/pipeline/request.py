"""Requests to train, prepared: made from parts or from an earlier run, and resolved once.

Source: specification, sections 6.1 to 6.3.
"""

from __future__ import annotations

import copy
import os
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from runforge_contracts.display import quote
from runforge_contracts.documents import REMOVE, Document
from runforge_contracts.errors import ErrorCode, RunForgeError
from runforge_contracts.schemas import BASE_URL
from runforge_contracts.store import layout
from runforge_contracts.store.layout import StoreLayout
from runforge_contracts.store.run import Run
from runforge_contracts.store.summary import can_be_repeated
from runforge_contracts.types import RequestV1
from runforge_contracts.validation import validate

from runforge_engine.modeling.configuration import (
    DEFAULT_SEED,
    Configuration,
    family_of,
    resolve,
)
from runforge_engine.runtime.clock import read_clock
from runforge_engine.runtime.plain_values import listed, plain

_REQUEST = "request.v1"
#: Members of the request of a run that a sweep made.
_OF_SWEEP = ("sweep_group_id", "sweep_member")


@dataclass(frozen=True, slots=True)
class PreparedRequest:
    """A valid request, and the configuration that it resolves to."""

    document: Document[RequestV1]
    configuration: Configuration


def prepare(document: Document[RequestV1], cli_parameters: Collection[str] = ()) -> PreparedRequest:
    """Resolve the configuration of a valid request.

    Parameters
    ----------
    document
        The request.
    cli_parameters
        Names of the hyperparameters given on the command line, to be recorded as such.

    Raises
    ------
    RunForgeError
        The codes of :func:`~runforge_engine.modeling.configuration.resolve`.
    """
    content = document.content
    configuration = resolve(
        family=content["model"]["family"],
        preset=content["preset"],
        profile=content.get("profile"),
        hyperparameters=content["model"].get("hyperparameters", {}),
        cli_names=cli_parameters,
        seed=int(content.get("seed", DEFAULT_SEED)),
    )
    return PreparedRequest(document, configuration)


def new_request(
    *,
    dataset: str | Path,
    label_column: str,
    store: StoreLayout,
    created_by: str,
    model_family: str | None = None,
    preset: str = "balanced",
    profile: str | None = None,
    hyperparameters: Mapping[str, Any] | None = None,
    cli_parameters: Collection[str] = (),
    seed: int | None = None,
    device: str = "cpu",
    exclude_columns: Iterable[str] = (),
    recipe: str | Path | None = None,
    name: str | None = None,
    tags: Iterable[str] = (),
    notes: str | None = None,
) -> PreparedRequest:
    """Return the request to train on a dataset.

    Parameters
    ----------
    dataset
        Path of the dataset, from the current folder; recorded relative to the workspace that
        contains it.
    recipe
        Path of the recipe that is applied to the dataset; recorded in the same way.
    created_by
        The client, as ``<client>@<version>``.
    model_family
        By default the one that the profile is made for, else ``logistic_regression``.
    cli_parameters
        Names of the hyperparameters given on the command line, to be recorded as such.

    Raises
    ------
    RunForgeError
        The codes of :func:`~runforge_engine.modeling.configuration.resolve`, and
        ``DOCUMENT_INVALID`` where another part is not what the schema allows.
    """
    excluded = listed(exclude_columns)
    hyperparameters = plain(hyperparameters or {})
    family = family_of(profile) if model_family is None else model_family
    # Before the validation, whose errors would not list the names that exist.
    configuration = resolve(
        family=family,
        preset=preset,
        profile=profile,
        hyperparameters=hyperparameters,
        cli_names=cli_parameters,
        seed=DEFAULT_SEED,
    )

    def recorded(path: str | Path) -> str:
        return store.relative(Path(os.path.abspath(path)))  # noqa: PTH100 - keeps links

    members = {
        "$schema": f"{BASE_URL}request.v1.json",
        "version": 1,
        "preset": configuration.preset,
        **({} if profile is None else {"profile": profile}),
        "dataset": {
            "path": recorded(dataset),
            "label_column": label_column,
            **({"exclude_columns": excluded} if excluded else {}),
            **({} if recipe is None else {"recipe": recorded(recipe)}),
        },
        "model": {"family": family, "hyperparameters": hyperparameters},
        "device": {"type": device, "gpu_reason": None},
        **({} if seed is None else {"seed": seed}),
        "created_at": read_clock().now(),
        "created_by": created_by,
        "rerun_from": None,
        "name": name,
        "tags": listed(tags),
        "notes": notes,
    }
    raw: dict[str, Any] = plain(members)
    validate(raw, "request.v1")
    if seed is not None:
        configuration = replace(configuration, seed=int(seed))
    return PreparedRequest(Document(raw, "request.v1"), configuration)


def rerun_request(
    parent: Run,
    changes: Mapping[str, Any],
    *,
    created_by: str,
    cli_parameters: Collection[str] = (),
) -> PreparedRequest:
    """Return the request of an earlier run with changes on top.

    Fields that this version does not know are kept. The repetition of the member of a sweep is no
    member of it.

    Parameters
    ----------
    parent
        The run to repeat.
    changes
        JSON Pointer to new value; ``REMOVE`` takes a field away.
    created_by
        The client, as ``<client>@<version>``.
    cli_parameters
        Names of the hyperparameters given on the command line, to be recorded as such.

    Raises
    ------
    RunForgeError
        ``ARTIFACT_NOT_FOUND`` where the run has no request, or one of another client that does not
        tell what to train; ``DOCUMENT_INVALID``; the codes of
        :func:`~runforge_engine.modeling.configuration.resolve`.
    """
    document = parent.document(layout.REQUEST)
    if document is None:
        raise RunForgeError(
            ErrorCode.ARTIFACT_NOT_FOUND,
            f"The run {quote(parent.id)} has no request to repeat.",
            hint="An older or another client wrote it; train with the same options instead.",
            path=str(parent.path / layout.REQUEST),
        )
    own = document.name == _REQUEST
    asked = document.raw if own else parent.request or {}
    if not own and not can_be_repeated(asked):
        raise RunForgeError(
            ErrorCode.ARTIFACT_NOT_FOUND,
            f"The request of the run {quote(parent.id)} does not say what to train:"
            f" {parent.client_form} records neither label column nor model family in it.",
            hint="`runforge show` tells what is known of the run; train with the same data and"
            " options instead.",
            path=str(parent.path / layout.REQUEST),
        )
    again: Document[RequestV1] = Document(copy.deepcopy(asked), _REQUEST)
    again.edit(
        {
            "/rerun_from": parent.id,
            "/created_at": read_clock().now(),
            "/created_by": created_by,
            **{f"/{name}": REMOVE for name in _OF_SWEEP if name in again.raw},
            **changes,
        }
    )
    return prepare(again, cli_parameters)
