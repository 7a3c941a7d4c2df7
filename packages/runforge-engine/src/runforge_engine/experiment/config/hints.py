"""Give hints on likely typos and mistakes in an experiment, one sentence each."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from runforge_contracts.codec.pointers import get_at, parse_pointer
from runforge_contracts.display import quote
from runforge_contracts.errors import RunForgeError
from runforge_contracts.schemas import load_schema
from runforge_contracts.store.configured_values import flattened

from runforge_engine.experiment.config.dotted_names import did_you_mean, nearest
from runforge_engine.experiment.config.environment_variables import (
    ENVIRONMENT,
    RECORDED_ENVIRONMENT,
    SECRET_ENVIRONMENT,
    Declared,
    placeholders,
)
from runforge_engine.experiment.config.field_names import STARTS
from runforge_engine.experiment.config.model_references import COPY_MODELS, OWN_MODELS
from runforge_engine.experiment.config.overrides import Setting
from runforge_engine.experiment.config.secret_detection import secret_form

#: The dataset name that means that there is no dataset.
NO_DATASET = "none"
#: Keys that `training` may have where RunForge trains the model.
OPTIONS = ("label", "exclude", "preset", "profile", "hyperparameters", "device")
#: Examples of values by field.
_FORMS = {
    "run": "{script: src/train.py}",
    ENVIRONMENT: '{OMP_NUM_THREADS: "1", HOME: null}',
    SECRET_ENVIRONMENT: "[API_TOKEN]",
    RECORDED_ENVIRONMENT: "[SORT_KEY]",
    "datasets": "{'penguins:v1': data/penguins.csv}",
    "models": "{'tiny:v1': models/tiny.pt}",
    COPY_MODELS: "{artifacts/model.pkl: 'models/penguins-{run_id}.pkl'}",
}


def known_names(config: Mapping[str, Any]) -> Iterator[str]:
    """Yield the names that RunForge knows in an experiment; ``x.*`` matches any name in ``x``."""
    schema = load_schema("tfc.experiment.v1")["properties"]
    maps = {
        name
        for name, value in schema.items()
        if any(branch.get("type") == "object" for branch in value.get("anyOf", ()))
    }
    yield from (f"{name}.*" if name in maps else name for name in schema)
    shared = load_schema("tfc.common.v1")["$defs"]
    yield from (f"run.{name}" for name in shared["RunCommand"]["properties"])
    yield from (f"training.{name}" for name in shared["Training"]["properties"])
    if str(config.get("model")).startswith(OWN_MODELS):
        yield from (f"training.{name}" for name in OPTIONS)
        yield "training.hyperparameters.*"


def typos(config: Mapping[str, Any]) -> Iterator[str]:
    """Yield a sentence for each name that is probably a typo of a known name."""
    schema = load_schema("tfc.experiment.v1")["properties"]
    start = load_schema("tfc.common.v1")["$defs"]["RunCommand"]["properties"]
    places: list[tuple[str, Iterable[str], Any]] = [
        ("", schema, config),
        ("run.", start, config.get("run")),
    ]
    if str(config.get("model")).startswith(OWN_MODELS):
        places.append(("training.", OPTIONS, config.get("training")))
    for prefix, known, values in places:
        for name in values if isinstance(values, dict) else ():
            near = None if name in known else nearest(name, known, cutoff=0.8)
            if near is not None and not name.startswith(near):  # such as `model2`
                yield (
                    f"{quote(prefix + name)} means nothing to RunForge."
                    f" {did_you_mean(prefix + near)}"
                )


def unfilled(names: Iterable[str], declared: Declared, config: Mapping[str, Any]) -> Iterator[str]:
    """Yield a sentence for each placeholder that is not replaced."""
    of_others = set(placeholders({key: config[key] for key in config if key != "run"}))
    for name in sorted(names):
        shown = quote(f"${{{name}}}")
        if name not in declared.withheld:
            yield f"{shown} stays as it is: the variable is not declared under `environment`."
        elif name in of_others:
            yield f"{shown} stays as it is but in `run`: the value is not recorded."


def words_on_secrets(declared: Declared, config: Mapping[str, Any]) -> Iterator[str]:
    """Yield sentences on values not recorded, and on recorded ones that look like secrets."""
    for name, reason in declared.withheld.items():
        if reason:
            yield (
                f"The value of {quote(name)} is not recorded: {reason}. List the name under"
                f" `{SECRET_ENVIRONMENT}` to say so, or under `{RECORDED_ENVIRONMENT}` to have the"
                " value recorded."
            )
    for name, value in flattened({key: config[key] for key in config if key != ENVIRONMENT}):
        texts = [item for item in (value if isinstance(value, list) else (value,)) if item]
        forms = [secret_form(text) for text in texts if isinstance(text, str)]
        if any(forms):
            yield (
                f"{quote(name)} looks like {next(filter(None, forms))} and is recorded as it"
                f" stands. Take it from a variable that is listed under `{SECRET_ENVIRONMENT}`."
            )


def not_heeded(overrides: Mapping[str, Setting], declared: Declared) -> Iterator[str]:
    """Yield the settings of variables that the environment overrides with another value."""
    for name, setting in overrides.items():
        field, _, variable = name.partition(".")
        if field == ENVIRONMENT and declared.values.get(variable) not in (None, setting.value):
            yield (
                f"{quote(variable)} is set in the environment, and that counts: `--set {name}=...`"
                " gives the value for where it is not."
            )


def hint_for(pointer: str | None, config: dict[str, Any]) -> str | None:
    """Return a hint on how to write a value of the expected form."""
    parts = parse_pointer(pointer or "")
    if not parts:
        return None
    if parts[0] == "run" and parts != ["run"]:
        starts = [name for name in STARTS if name in config["run"]]
        if not starts:
            return "One of `script`, `module` and `command` says how user code starts."
        if len(starts) > 1 and parts[1] in STARTS:
            return "User code starts in one way: leave out all but one of them."
        if len(parts) == 2 and parts[1] in ("command", "args"):
            return f"Write a list, an item for each word: `{parts[1]}: [...]`. There is no shell."
    if len(parts) == 1 and parts[0] in _FORMS:
        return f"For example `{parts[0]}: {_FORMS[parts[0]]}`."
    try:
        value = get_at(config, pointer or "")
    except RunForgeError:  # the missing name
        return None
    if isinstance(value, bool | int | float) and not _is_numeric(parts):
        return f"Write a string in quotes: `{json.dumps(json.dumps(value))}`."
    return None


def _is_numeric(parts: list[str]) -> bool:
    """Return whether a number is a valid value at this location."""
    return parts in (["seed"], ["training", "epochs"], ["training", "batch_size"])
