"""The options of RunForge's own training in an experiment whose model is ``runforge/<family>``.

``training`` in the configuration has the options of ``runforge train``: ``label``,
``exclude``, ``preset``, ``profile``, ``hyperparameters`` and ``device``.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from runforge_contracts.errors import ErrorCode, RunForgeError
from runforge_contracts.store.layout import StoreLayout

from runforge_engine.experiment.config.model_references import OWN_MODELS

#: Options of training that the configuration may give under ``training``.
_OPTIONS = ("preset", "profile", "hyperparameters", "device")


def check_bridge(config: Mapping[str, Any]) -> None:
    """Check the training options of a configuration before RunForge trains.

    Raises
    ------
    RunForgeError
        ``LABEL_NOT_FOUND`` where no label is named; the errors of
        :func:`~runforge_engine.pipeline.request.new_request`.
    """
    from runforge_engine.pipeline.request import new_request

    options = training_options(config)
    try:
        new_request(
            dataset="dataset",
            label_column=options.pop("label"),
            exclude_columns=options.pop("exclude"),
            model_family=options.pop("model"),
            store=StoreLayout(Path.cwd()),
            created_by="runforge@1",
            **options,
        )
    except RunForgeError as error:
        # Its locations refer to the request, which the user has not seen.
        raise RunForgeError(
            error.code, error.message, hint=error.hint, pointer="/training"
        ) from error


def training_options(config: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options of :func:`runforge_engine.train` for a configuration.

    Raises
    ------
    RunForgeError
        ``LABEL_NOT_FOUND`` or ``EXPERIMENT_INVALID``.
    """
    training = config.get("training") or {}
    label, excluded = training.get("label"), training.get("exclude", [])
    if not isinstance(label, str):
        raise RunForgeError(
            ErrorCode.LABEL_NOT_FOUND,
            "The experiment does not name the label column.",
            hint="Add `label: COLUMN` under `training`.",
            pointer="/training",
        )
    lists = isinstance(excluded, list) and all(isinstance(item, str) for item in excluded)
    if not lists or not isinstance(training.get("hyperparameters", {}), dict):
        raise RunForgeError(
            ErrorCode.EXPERIMENT_INVALID,
            "`exclude` is a list of columns, and `hyperparameters` are names with values.",
            pointer="/training",
        )
    return {
        "label": label,
        "model": config["model"].removeprefix(OWN_MODELS),
        "exclude": excluded,
        "seed": config.get("seed"),
        "name": config["experiment"],
        "notes": config.get("notes"),
        **{name: training[name] for name in _OPTIONS if name in training},
    }
