"""Requests: making one from parts, making one from an earlier run, finding the dataset it names.

Source: run store contract, sections 2 and 3.
"""

from __future__ import annotations

import copy
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from runforge_contracts._generated.request_v1 import RequestV1
from runforge_contracts.display import quote
from runforge_contracts.documents import Document
from runforge_contracts.errors import ErrorCode, RunForgeError
from runforge_contracts.schemas import BASE_URL
from runforge_contracts.store import layout
from runforge_contracts.store.layout import StoreLayout
from runforge_contracts.store.reading import RunFolder
from runforge_contracts.validation import validate

from runforge_engine.runtime.clock import read_clock


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
    seed: int | None = None,
    device: str = "cpu",
    exclude_columns: Iterable[str] = (),
    name: str | None = None,
    tags: Iterable[str] = (),
    notes: str | None = None,
) -> Document[RequestV1]:
    """Return the request to train on a dataset.

    Parameters
    ----------
    dataset
        Path of the dataset, from the current folder; recorded relative to the workspace where it
        lies in it.
    created_by
        The client, as ``<client>@<version>``.
    model_family
        By default the one that the profile is made for, else ``logistic_regression``.

    Raises
    ------
    RunForgeError
        The codes of :func:`~runforge_engine.modeling.configuration.resolve`, and
        ``DOCUMENT_INVALID`` where another part is not what the schema allows.
    """
    # Late: whoever looks for a dataset resolves no configuration.
    from runforge_engine.modeling.configuration import family_of, resolve

    excluded = list(exclude_columns)
    family = family_of(profile) if model_family is None else model_family
    # Names that do not exist are told apart from other mistakes, with what there is instead.
    configuration = resolve(
        family=family,
        preset=preset,
        profile=profile,
        hyperparameters=hyperparameters or {},
        seed=seed or 0,
    )
    raw: dict[str, Any] = {
        "$schema": f"{BASE_URL}request.v1.json",
        "version": 1,
        "preset": configuration.preset,
        **({} if profile is None else {"profile": profile}),
        "dataset": {
            "path": store.relative(Path(os.path.abspath(dataset))),  # noqa: PTH100 - keeps links
            "label_column": label_column,
            **({"exclude_columns": excluded} if excluded else {}),
        },
        "model": {"family": family, "hyperparameters": dict(hyperparameters or {})},
        "device": {"type": device, "gpu_reason": None},
        **({} if seed is None else {"seed": seed}),
        "created_at": read_clock().now(),
        "created_by": created_by,
        "rerun_from": None,
        "name": name,
        "tags": list(tags),
        "notes": notes,
    }
    validate(raw, "request.v1")
    return Document(raw, "request.v1")


def rerun_request(
    parent: RunFolder, changes: Mapping[str, Any], *, created_by: str
) -> Document[RequestV1]:
    """Return the request of an earlier run with changes on top.

    Fields that this version does not know are kept.

    Parameters
    ----------
    parent
        The run to repeat.
    changes
        JSON Pointer to new value; ``REMOVE`` takes a field away.
    created_by
        The client, as ``<client>@<version>``.

    Raises
    ------
    RunForgeError
        ``ARTIFACT_NOT_FOUND`` where the run has no request; ``DOCUMENT_INVALID``.
    """
    document = parent.document(layout.REQUEST)
    if document is None:
        raise RunForgeError(
            ErrorCode.ARTIFACT_NOT_FOUND,
            f"The run {quote(parent.run_id)} has no request to repeat.",
            hint="It was written by an older version; train with the same options instead.",
            path=str(parent.path / layout.REQUEST),
        )
    again: Document[RequestV1] = Document(copy.deepcopy(document.raw), document.name)
    again.edit(
        {
            "/rerun_from": parent.run_id,
            "/created_at": read_clock().now(),
            "/created_by": created_by,
            **changes,
        }
    )
    return again
