"""Resolve an experiment file to the configuration of a run, without writing anything.

Values come from the files that the experiment extends, the experiment itself and the command line;
later ones override earlier ones. Declared environment variables are filled in, and the references
to dataset and model are resolved.

Source: specification, sections 17.2 and 17.5.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from runforge_contracts.codec.pointers import format_pointer
from runforge_contracts.codec.strict_yaml import MAX_YAML_BYTES, encode_yaml
from runforge_contracts.display import printable, quote
from runforge_contracts.errors import ErrorCode, RunForgeError
from runforge_contracts.fs.files import digest_file
from runforge_contracts.run_ids import ExperimentRunId, parse_experiment_run_id
from runforge_contracts.schemas import without_nulls
from runforge_contracts.validation import validate

from runforge_engine.experiment.config.config_paths import ConfigPath
from runforge_engine.experiment.config.config_reader import read_yaml_object
from runforge_engine.experiment.config.environment_variables import (
    ENVIRONMENT,
    SECRET_ENVIRONMENT,
    declared_values,
    fill_in,
    placeholders,
)
from runforge_engine.experiment.config.field_names import check_words, quoted
from runforge_engine.experiment.config.hints import (
    NO_DATASET,
    hint_for,
    known_names,
    not_heeded,
    typos,
    unfilled,
    words_on_secrets,
)
from runforge_engine.experiment.config.model_references import (
    COPY_MODELS,
    FIELDS,
    OWN_MODELS,
    resolve_reference,
)
from runforge_engine.experiment.config.overlay import Configs
from runforge_engine.experiment.config.overrides import (
    Setting,
    override,
    parse_overrides,
    unknown_names,
)
from runforge_engine.experiment.config.problem_list import Problems
from runforge_engine.experiment.run.allocate import check_place, check_run_id
from runforge_engine.experiment.run.command import check_start
from runforge_engine.experiment.run.copy_files import Copy, copies_of
from runforge_engine.experiment.run.input_files import Inputs
from runforge_engine.experiment.run.program_file import PROGRAM, program_of

#: Fields of a configuration that a run sets; those of a former run are dropped.
MADE_BY_RUNS = frozenset(
    {
        *("run_id", "code", "started_at", "status", "finished_at", "duration_ms", "exit_code"),
        *("signal", "failure", "references", "overrides", "parameters", "experiment_file"),
        *("rerun_from", "copied_models", "created_by", "imported_from"),
    }
)
#: Schema of the merged experiment, and of an experiment file.
_SCHEMA = "tfc.experiment.v1"
#: Fields that the merged experiment must have.
_REQUIRED = ("model", "dataset")
_OTHERWISE = {"dataset": f", or `dataset: {NO_DATASET}` where there is none"}
#: Fraction of the maximum size of a configuration that may be used before user code adds to it.
_MAX_BYTES = MAX_YAML_BYTES // 2


@dataclass(frozen=True, slots=True)
class Materialised:
    """An experiment with all values resolved."""

    #: The repository, absolute and without symbolic links.
    root: Path
    #: The run id that the user has chosen.
    run_id: ExperimentRunId | None
    #: The configuration, without values that are only known once the run exists.
    config: dict[str, Any]
    #: The `run` section; None where RunForge trains the model.
    run: dict[str, Any] | None
    #: The declared variables with their values, and those of them that are not to be recorded.
    environment: dict[str, str]
    secrets: dict[str, str]
    #: The file of the dataset, if it is one.
    dataset: Path | None
    #: The files that the run refers to.
    inputs: Inputs
    copies: tuple[Copy, ...]
    #: Warnings, one sentence each.
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
    """Return the configuration of an experiment file.

    Parameters
    ----------
    experiment
        The experiment file, or the ``config.yaml`` of a run, which is one.
    root
        The repository, to which all paths in the file are relative.
    settings
        Values from the command line, ``NAME=VALUE``.
    notes
        Replaces the notes in the file.
    run_id
        The id of the run, if the user has chosen one.
    surroundings
        The environment variables that are set.

    Raises
    ------
    RunForgeError
        For all errors in it, reported together.
    """
    root = Path(os.path.realpath(root))
    path = Path(os.path.realpath(experiment.parent), experiment.name)
    overrides = parse_overrides(settings, MADE_BY_RUNS)
    digest = digest_file(path)
    raw = _read(path, experiment)
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
    config = configs.merge(raw, (ConfigPath(str(experiment), Path(os.path.realpath(path))),))
    warnings = [] if former else list(typos(config))
    warnings += unknown_names(overrides, config, known_names(config))
    if notes is not None and "notes" in overrides:
        problems.add(_set_twice())
    for name, setting in overrides.items():
        with problems.collecting():
            config = override(config, name, setting.value)
    # A null that replaced the value of a file below is as good as no value.
    config = without_nulls(config, _SCHEMA)
    if not former:
        for name in sorted(MADE_BY_RUNS & config.keys()):
            problems.add(_made_by_runs(name))
    config = {name: value for name, value in config.items() if name not in MADE_BY_RUNS}
    if notes is not None:
        config["notes"] = notes

    # A repeated run keeps its former values, also inside strings.
    declared = declared_values(config, surroundings, problems, repeated=bool(former))
    if not former:
        warnings += not_heeded(overrides, declared)
        named = set(placeholders(config))
        warnings += unfilled(named - declared.recorded.keys(), declared, config)
        config = {
            name: value if name == ENVIRONMENT else _filled(name, value, declared.recorded)
            for name, value in config.items()
        }

    with problems.collecting():
        _check(config)
    references: dict[str, Any] = {}
    inputs = Inputs(root)
    for field in FIELDS:
        with problems.collecting():
            known = field in before and config.get(field) == former.get(field)
            found = resolve_reference(
                root, config, field, must_exist=known, before_reading=inputs.watch
            )
            if found is not None:
                references[field] = found
    environment = {**surroundings, **declared.values}
    run = _run(config, references, root, environment, problems)
    if run is not None and _is_valid({"experiment": "-", "run": run}):
        values = {**config, "references": references, ENVIRONMENT: declared.recorded}
        warnings += check_words(run, values, problems)
        program = program_of(run, root)
        if program is not None:
            with problems.collecting():
                inputs.watch(program)
                references[PROGRAM] = {"path": program, **digest_file(root / program)._asdict()}
    copies = _copies(config, root, problems)
    problems.tell()

    warnings += words_on_secrets(declared, config)
    if "dataset" not in references and config["dataset"].lower() != NO_DATASET:
        warnings.append(
            f"The dataset {quote(config['dataset'], 200)} is only a name: no file of the repository"
            f" is recorded. Write `dataset: {NO_DATASET}` where there is none."
        )
    warnings += _changes(before, references, _former_id(former))
    place = path.relative_to(root).as_posix() if path.is_relative_to(root) else str(path)
    made = {
        "references": {**configs.files, **references},
        "overrides": _recorded_settings(overrides, declared.withheld),
        "experiment_file": {"path": place, **digest._asdict()},
        "rerun_from": _former_id(former),
        ENVIRONMENT: declared.recorded,
        SECRET_ENVIRONMENT: sorted(declared.withheld),
    }
    config = {name: value for name, value in config.items() if name not in made}
    config |= {name: value for name, value in made.items() if value}
    dataset = references.get("dataset")
    return Materialised(
        root=root,
        run_id=chosen,
        config=config,
        run=run,
        environment=declared.values,
        secrets=declared.secret,
        dataset=None if dataset is None else root / dataset["path"],
        inputs=inputs,
        copies=copies,
        warnings=tuple(warnings),
    )


def _read(path: Path, name: Path) -> dict[str, Any]:
    try:
        raw = read_yaml_object(path)
    except RunForgeError as error:
        if path.suffix in (".yaml", ".yml", ".json"):
            raise
        hint = (
            f"An experiment file says what is started: `run: {{script: {printable(str(name))}}}`."
        )
        raise RunForgeError(
            error.code, error.message, hint=hint, **error.location._asdict()
        ) from error
    content: dict[str, Any] = without_nulls(raw, "tfc.config.v1" if "run_id" in raw else _SCHEMA)
    return content


def _set_twice() -> RunForgeError:
    return RunForgeError(
        ErrorCode.USAGE_INVALID, "`--notes` and `--set notes=...` set the same value."
    )


def _filled(name: str, value: Any, variables: Mapping[str, str]) -> Any:
    """Return a part of the configuration with variables filled in."""
    if name == "run":  # braces in a value are not placeholders there
        variables = {name: quoted(text) for name, text in variables.items()}
    return fill_in(value, variables)


def _recorded_settings(
    overrides: Mapping[str, Setting], secret: Mapping[str, str]
) -> dict[str, Any]:
    """Return the command-line settings for the record, without secrets."""
    values: dict[str, Any] = {}
    for name, setting in overrides.items():
        value = setting.value
        if name == ENVIRONMENT and isinstance(value, dict):
            value = {key: item for key, item in value.items() if key not in secret}
        if name.removeprefix(f"{ENVIRONMENT}.") not in secret:
            values[name] = value
    return values


def _made_by_runs(name: str) -> RunForgeError:
    return RunForgeError(
        ErrorCode.EXPERIMENT_INVALID,
        f"{quote(name)} is what a run itself writes.",
        hint="Give it another name, or put it under `training`.",
        pointer=format_pointer((name,)),
    )


def _check(config: dict[str, Any]) -> None:
    """Check the form of a configuration; required fields may be missing in a single file."""
    try:
        validate(config, _SCHEMA)
    except RunForgeError as error:
        # A single error would only show the name of the schema, which does not help.
        message = error.message if error.problems else error.message.partition(": ")[2]
        pointer = error.location.pointer
        raise RunForgeError(
            error.code,
            message,
            hint=error.hint or hint_for(pointer, config),
            pointer=pointer,
            problems=[
                item._replace(hint=item.hint or hint_for(item.location.pointer, config))
                for item in error.problems
            ],
        ) from None
    for field in _REQUIRED:
        if field not in config:
            raise RunForgeError(
                ErrorCode.DOCUMENT_INVALID,
                f"The experiment names no {field}.",
                hint=f"Add a line `{field}: NAME`{_OTHERWISE.get(field, '')}.",
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
    """Check and return the `run` section; None where RunForge trains the model."""
    run = config.get("run")
    if run is not None:
        if _is_valid({"experiment": "-", "run": run}):  # otherwise the whole is invalid, too
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
    from runforge_engine.experiment.config.native_model import check_bridge

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
        validate(config, _SCHEMA)
    except RunForgeError:
        return False
    return True


def _copies(config: dict[str, Any], root: Path, problems: Problems) -> tuple[Copy, ...]:
    if not _is_valid({"experiment": "-", COPY_MODELS: config.get(COPY_MODELS, {})}):
        return ()  # the whole is invalid, too
    copies = []
    for found in copies_of(config, root):
        if isinstance(found, RunForgeError):
            problems.add(found)
        else:
            copies.append(found)
    return tuple(copies)


def _changes(
    known: Mapping[str, Any], references: Mapping[str, Any], former_id: str | None
) -> list[str]:
    """Return a sentence for each input that differs from that of the repeated run."""
    return [
        f"The {field} is not the one of the run that is repeated: {quote(now['path'], 200)} has"
        f" other bytes{_kept(former_id, field, now)}."
        for field, now in references.items()
        if isinstance(known.get(field), dict)
        and known[field].get("sha256", now.get("sha256")) != now.get("sha256")
    ]


def _kept(former_id: str | None, field: str, now: Mapping[str, Any]) -> str:
    """Return where the copy of a program is that the repeated run has."""
    if field != PROGRAM or former_id is None:
        return ""
    name = PurePosixPath(str(now["path"])).name
    return f"; the one that ran is in {quote(f'runs/{former_id}/code/{name}', 200)}"


def _former_id(former: Mapping[str, Any]) -> str | None:
    run_id = former.get("run_id")
    known = isinstance(run_id, str) and parse_experiment_run_id(run_id) is not None
    return run_id if known else None
