"""From an experiment file to the configuration of a run: everything resolved, nothing written.

Values come, the later ones over the former, from the files that the experiment builds on, the
experiment itself and the command line. Declared variables of the environment are filled in, and
what dataset and model refer to is looked at.

Source: TFC-0002, section 6; TFC-0003, sections 6 and 9.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from runforge_contracts.errors import ErrorCode, RunForgeError
from runforge_contracts.files import digest_file
from runforge_contracts.pointers import format_pointer
from runforge_contracts.run_ids import ExperimentRunId, parse_experiment_run_id
from runforge_contracts.text import quote
from runforge_contracts.validation import validate
from runforge_contracts.yamltext import MAX_YAML_BYTES, encode_yaml

from runforge_engine.experiment.claiming import check_place, check_run_id
from runforge_engine.experiment.copying import COPY_MODELS, Copy, copies_of
from runforge_engine.experiment.environment import (
    ENVIRONMENT,
    declared_values,
    fill_in,
    placeholders,
)
from runforge_engine.experiment.merging import Configs
from runforge_engine.experiment.overrides import override, parse_overrides
from runforge_engine.experiment.places import Place
from runforge_engine.experiment.problems import Problems
from runforge_engine.experiment.reading import read_yaml_object
from runforge_engine.experiment.references import FIELDS, OWN_MODELS, resolve_reference
from runforge_engine.experiment.starting import check_start

#: Fields of a configuration that a run makes itself; those of a former run are left behind.
MADE_BY_RUNS = frozenset(
    {
        *("run_id", "code", "started_at", "status", "finished_at", "duration_ms", "exit_code"),
        *("signal", "failure", "references", "overrides", "parameters", "experiment_file"),
        *("rerun_from", "copied_models", "created_by"),
    }
)
#: What an experiment must say in the end, wherever it says it.
_REQUIRED = ("model", "dataset")
#: Part of the largest configuration that may be taken before user code adds to it.
_MAX_BYTES = MAX_YAML_BYTES // 2


@dataclass(frozen=True, slots=True)
class Materialised:
    """An experiment with everything resolved."""

    #: The repository, absolute and without symbolic links.
    root: Path
    #: The id that a person has chosen for the run.
    run_id: ExperimentRunId | None
    #: The configuration, but for what only the run itself knows.
    config: dict[str, Any]
    #: How user code starts; None: RunForge trains itself.
    run: dict[str, Any] | None
    #: The declared variables with their values.
    environment: dict[str, str]
    #: The file of the dataset, if it is one.
    dataset: Path | None
    copies: tuple[Copy, ...]
    #: What a person should know, a sentence each.
    warnings: tuple[str, ...]


def materialise(
    experiment: Path,
    root: Path,
    *,
    settings: Iterable[str] = (),
    notes: str | None = None,
    run_id: str | None = None,
    surroundings: Mapping[str, str] = os.environ,
) -> Materialised:
    """Return the configuration that an experiment file amounts to.

    Parameters
    ----------
    experiment
        The experiment file, or the ``config.yaml`` of a run, which is one.
    root
        The repository, to which all paths in the file are relative.
    settings
        Values of the command line, ``NAME=VALUE``.
    notes
        Takes the place of the notes in the file.
    run_id
        The id that the run is to have, if a person has chosen one.
    surroundings
        The variables of the environment that are set.

    Raises
    ------
    RunForgeError
        For everything that is wrong with it, told together.
    """
    root = Path(os.path.realpath(root))
    path = Path(os.path.realpath(experiment.parent), experiment.name)
    overrides = parse_overrides(settings, MADE_BY_RUNS)
    digest = digest_file(path)
    raw = read_yaml_object(path)
    former = raw if "run_id" in raw else {}
    before = former.get("references")
    before = before if isinstance(before, dict) else {}
    problems = Problems(str(experiment))
    chosen = None
    with problems.collecting():
        check_place(root)
        if run_id is not None:
            chosen = check_run_id(run_id, root)

    configs = Configs(root, problems)
    config = configs.merge(raw, (Place(str(experiment), Path(os.path.realpath(path))),))
    for name, value in overrides.items():
        with problems.collecting():
            config = override(config, name, value)
    if not former:
        for name in sorted(MADE_BY_RUNS & config.keys()):
            problems.add(_made_by_runs(name))
    config = {name: value for name, value in config.items() if name not in MADE_BY_RUNS}
    if notes is not None:
        config["notes"] = notes

    # A run that is repeated has the values that it had.
    declared = config.get(ENVIRONMENT)
    environment = declared_values(declared, {} if former else surroundings, problems)
    undeclared = [] if former else sorted(set(placeholders(config)) - environment.keys())
    if not former:
        config = {
            name: value if name == ENVIRONMENT else fill_in(value, environment)
            for name, value in config.items()
        }

    with problems.collecting():
        _check(config)
    references: dict[str, Any] = {}
    for field in FIELDS:
        with problems.collecting():
            known = field in before and config.get(field) == former.get(field)
            found = resolve_reference(root, config, field, must_exist=known)
            if found is not None:
                references[field] = found
    run = _run(config, references, root, {**surroundings, **environment}, problems)
    copies = _copies(config, root, problems)
    problems.tell()

    warnings = [
        f"{quote('${' + name + '}')} stays as it is: the variable is not declared under"
        " `environment`."
        for name in undeclared
    ]
    if "dataset" not in references:
        warnings.append(
            f"The dataset {quote(config['dataset'], 200)} is only a name: no file of the repository"
            " is on record."
        )
    warnings += _changes(before, references)
    place = path.relative_to(root).as_posix() if path.is_relative_to(root) else str(path)
    made = {
        "references": {**configs.files, **references},
        "overrides": overrides,
        "experiment_file": {"path": place, **digest._asdict()},
        "rerun_from": _former_id(former),
        ENVIRONMENT: environment,
    }
    config |= {name: value for name, value in made.items() if value}
    dataset = references.get("dataset")
    return Materialised(
        root=root,
        run_id=chosen,
        config=config,
        run=run,
        environment=environment,
        dataset=None if dataset is None else root / dataset["path"],
        copies=copies,
        warnings=tuple(warnings),
    )


def _made_by_runs(name: str) -> RunForgeError:
    return RunForgeError(
        ErrorCode.EXPERIMENT_INVALID,
        f"{quote(name)} is what a run itself writes.",
        hint="Give it another name, or put it under `training`.",
        pointer=format_pointer((name,)),
    )


def _check(config: dict[str, Any]) -> None:
    """Check the form of a configuration; what it must say is not demanded of each file."""
    try:
        validate(config, "tfc.experiment.v1")
    except RunForgeError as error:
        # Of one mistake alone the name of the schema would be told, which nobody has asked for.
        message = error.message if error.problems else error.message.partition(": ")[2]
        raise RunForgeError(
            error.code,
            message,
            hint=error.hint,
            pointer=error.place.pointer,
            problems=error.problems,
        ) from None
    for field in _REQUIRED:
        if field not in config:
            raise RunForgeError(
                ErrorCode.DOCUMENT_INVALID,
                f"The experiment names no {field}.",
                hint=f"Add a line `{field}: NAME`.",
                pointer="",
            )
    if len(encode_yaml(config)) > _MAX_BYTES:
        raise RunForgeError(
            ErrorCode.EXPERIMENT_INVALID,
            f"The configuration has more than {_MAX_BYTES:,} bytes.",
            hint="Keep data in files of their own.",
        )


def _run(
    config: dict[str, Any],
    references: Mapping[str, Any],
    root: Path,
    environment: Mapping[str, str],
    problems: Problems,
) -> dict[str, Any] | None:
    """Return how user code starts, checked; None where RunForge trains itself."""
    run = config.get("run")
    if run is not None:
        if _is_valid({"experiment": "-", "run": run}):  # else the whole is not valid either
            with problems.collecting():
                check_start(run, root, environment)
        return dict(run) if isinstance(run, dict) else None
    if not str(config.get("model")).startswith(OWN_MODELS):
        problems.add(
            RunForgeError(
                ErrorCode.EXPERIMENT_INVALID,
                "The experiment does not say how user code starts.",
                hint="Add `run:` with a `script`, a `module` or a `command`.",
                pointer="/run",
            )
        )
    elif "dataset" in config and _is_valid(config):
        _check_own_training(config, references, problems)
    return None


def _check_own_training(
    config: dict[str, Any], references: Mapping[str, Any], problems: Problems
) -> None:
    from runforge_engine.experiment.bridge import check_bridge

    with problems.collecting():
        check_bridge(config)
    if "sha256" not in references.get("dataset", {}):
        problems.add(
            RunForgeError(
                ErrorCode.DATASET_NOT_FOUND,
                f"RunForge trains on a file, and the dataset {quote(config['dataset'])} is none.",
                hint="Name a file of the repository.",
                pointer="/dataset",
            )
        )


def _is_valid(config: dict[str, Any]) -> bool:
    try:
        validate(config, "tfc.experiment.v1")
    except RunForgeError:
        return False
    return True


def _copies(config: dict[str, Any], root: Path, problems: Problems) -> tuple[Copy, ...]:
    if not _is_valid({"experiment": "-", COPY_MODELS: config.get(COPY_MODELS, {})}):
        return ()  # the whole is not valid either
    copies = []
    for found in copies_of(config, root):
        if isinstance(found, RunForgeError):
            problems.add(found)
        else:
            copies.append(found)
    return tuple(copies)


def _changes(known: Mapping[str, Any], references: Mapping[str, Any]) -> list[str]:
    """Return what a run that is repeated finds otherwise than it was."""
    return [
        f"The {field} is not the one of the run that is repeated: {quote(now['path'], 200)} has"
        " other bytes."
        for field, now in references.items()
        if isinstance(known.get(field), dict)
        and known[field].get("sha256", now.get("sha256")) != now.get("sha256")
    ]


def _former_id(former: Mapping[str, Any]) -> str | None:
    run_id = former.get("run_id")
    known = isinstance(run_id, str) and parse_experiment_run_id(run_id) is not None
    return run_id if known else None
