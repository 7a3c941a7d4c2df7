"""What a run of an experiment has of a run of MLflow.

Source: specification, section 17.15.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from runforge_contracts.codec.strict_json import canonical_json, encode_json_line, parse_json
from runforge_contracts.display import shorten
from runforge_contracts.errors import ErrorCode, RunForgeError

from runforge_engine.experiment.run.code_state import without_password
from runforge_engine.importing.artifact_folders import Artifact
from runforge_engine.importing.left_out import Losses
from runforge_engine.importing.tracked_run import Details, TrackedRun, TrackedValue, instant_of
from runforge_engine.runtime.clock import event_time

TOOL = "mlflow"
#: Where there is no dataset or no model.
_NONE = "none"
_STATUSES = {"FINISHED": "succeeded", "FAILED": "failed", "KILLED": "cancelled"}
_CODES = {"failed": ErrorCode.EXPERIMENT_FAILED, "cancelled": ErrorCode.CANCELLED}
_NOTE, _PARENT = "mlflow.note.content", "mlflow.parentRunId"
_COMMIT, _REPOSITORY = "mlflow.source.git.commit", "mlflow.source.git.repoURL"
_MODELS = "mlflow.log-model.history"
_USER, _PROGRAM, _ESTIMATOR = "mlflow.user", "mlflow.source.name", "estimator_name"
_SHA = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
#: Prefixes of tags that are not those of users, and that of our tags in an export.
_OTHERS, _OURS = ("mlflow.", "runforge."), "tag."
#: Longest tag of a run, and longest name, in characters; MLflow allows names of 500.
_LONG, _NAME = 200, 500
#: Most tags, in characters, and most datasets, whose sources may be as long: a configuration has
#: at most a mebibyte.
_TAGS, _DATASETS, _SOURCE = 2**17, 50, 2**12
#: The tag in which an export has the identity of a run.
EXPORTED = "runforge.identity"


def config_of(run: TrackedRun, details: Details, losses: Losses) -> dict[str, Any]:
    """Return the configuration of a run without what only its import knows."""
    began, ended = times_of(run, losses)
    status = _STATUSES[run.status or ""]
    tags = details.tags
    for name in (run.experiment, *(model.name for model in details.models)):
        if len(name) > _NAME:
            losses.add("names", f"Names of more than {_NAME} characters are shortened", name)
    commit, repository = tags.get(_COMMIT, ""), tags.get(_REPOSITORY)
    code = {
        "repo": without_password(repository) if repository else None,
        "commit": commit if _SHA.fullmatch(commit) else None,
    }
    names = [*(model.name for model in details.models), *_models_before(tags.get(_MODELS))]
    config: dict[str, Any] = {
        "experiment": shorten(run.experiment, _NAME),
        "model": shorten(tags.get(_ESTIMATOR) or next(iter(names), _NONE), _NAME),
        "dataset": shorten(next((data.name for data in details.datasets), _NONE), _NAME),
        "tags": _tags(tags, losses),
        "notes": tags.get(_NOTE),
        "code": {name: value for name, value in code.items() if value} or None,
        "started_at": None if began is None else _time(began),
        "finished_at": None if ended is None else _time(ended),
        "duration_ms": None if began is None or ended is None else ended - began,
        "status": status,
    }
    if status in _CODES:
        message = f"MLflow has the status {run.status}, and no reason."
        config["failure"] = {"message": message, "code": _CODES[status].value}
    return {name: value for name, value in config.items() if value not in (None, [])}


def within_bounds(details: Details, losses: Losses) -> Details:
    """Return what a run has logged without what a configuration has no room for."""
    tags, room = dict[str, str](), _TAGS
    for name, value in details.tags.items():
        room -= len(name) + len(value)
        if room >= 0:
            tags[name] = value
        else:
            losses.add("tags", "Tags are left out for want of room", name)
    if len(details.datasets) > _DATASETS:
        more = len(details.datasets) - _DATASETS
        losses.add("datasets", f"Datasets after the first {_DATASETS} are left out", count=more)
    return replace(details, tags=tags, datasets=details.datasets[:_DATASETS])


def origin_of(run: TrackedRun, details: Details, digests: Mapping[str, str]) -> dict[str, Any]:
    """Return the ``imported_from`` of a run without what was left out."""
    tags = details.tags
    origin: dict[str, Any] = {
        "tool": TOOL,
        "run_id": run.run_id,
        "experiment_id": run.experiment_id,
        "name": run.name or tags.get("mlflow.runName"),
        "parent_run_id": tags.get(_PARENT),
        "user": tags.get(_USER) or run.user,
        "program": tags.get(_PROGRAM) or run.program,
        "tags": tags,
        "datasets": [
            {name: shorten(value, _SOURCE) for name, value in dataset._asdict().items() if value}
            for dataset in details.datasets
        ],
        "digests": dict(digests),
    }
    return {name: value for name, value in origin.items() if value not in (None, "", {}, [])}


def digests_of(
    run: TrackedRun, details: Details, values: str, artifacts: Iterable[Artifact]
) -> dict[str, str]:
    """Return the digests of what MLflow has, by which a later change is noticed.

    Parameters
    ----------
    run, details
        What MLflow has of the run.
    values
        SHA-256 of the lines of its journal.
    artifacts
        Its files.
    """
    record = {
        "experiment": run.experiment,
        "name": run.name,
        "status": run.status,
        "times": [instant_of(run.started_at), instant_of(run.finished_at)],
        "tags": details.tags,
        "datasets": details.datasets,
        "models": [[model.model_id, model.name] for model in details.models],
    }
    listed = [[artifact.place, artifact.bytes] for artifact in artifacts]
    return {
        "record": hashlib.sha256(canonical_json(_plain(record))).hexdigest(),
        "values": values,
        "artifacts": hashlib.sha256(canonical_json(_plain(listed))).hexdigest(),
    }


def journal_lines_of(details: Details, points: Iterable[TrackedValue]) -> Iterator[bytes]:
    """Yield the lines of the journal: the parameters, and the points of the metrics."""
    for name, text in details.parameters.items():
        yield encode_json_line({"parameter": name, "value": typed(text)})
    for point in points:
        revision = {"revision": point.revision} if point.revision else {}
        yield encode_json_line(
            {"metric": point.name, "value": point.value, "step": point.step, **revision}
        )


def typed(text: str) -> str | int | float | bool:
    """Return the value of a parameter, which MLflow keeps as what Python's ``str`` makes of it."""
    if text in ("True", "False"):
        return text == "True"
    for read in (int, float):
        try:
            value = read(text)
        except ValueError:
            continue
        if str(value) == text and math.isfinite(value) and abs(value) <= 2**53:
            return value
    return text


def times_of(run: TrackedRun, losses: Losses) -> tuple[int | None, int | None]:
    """Return start and end of a run in milliseconds since 1970, as far as they can be."""
    began, ended = instant_of(run.started_at), instant_of(run.finished_at)
    for given, found, name in ((run.started_at, began, "start"), (run.finished_at, ended, "end")):
        if found is None and given is not None:
            losses.add("times", f"The {name} is not a time, and is left out", given)
    if began is not None and ended is not None and ended < began:
        losses.add("times", "The end is before the start, and is left out", run.finished_at)
        ended = None
    return began, ended


def day_of(run: TrackedRun, today: str) -> str:
    """Return the UTC day on which a run started, else ended, else ``today``."""
    for given in (run.started_at, run.finished_at):
        found = instant_of(given)
        if found is not None:
            return _time(found)[:10]
    return today


def _models_before(text: str | None) -> Iterator[str]:
    """Yield the names of logged models, which a tag has before MLflow 3."""
    try:
        logged = parse_json((text or "[]").encode())
    except RunForgeError:
        return
    for model in logged if isinstance(logged, list) else ():
        name = model.get("artifact_path") if isinstance(model, dict) else None
        if isinstance(name, str) and name:
            yield name


def _tags(tags: Mapping[str, str], losses: Losses) -> list[str]:
    """Return the tags of users as those of a run, which are words."""
    found: list[str] = []
    for name, value in tags.items():
        if name.startswith(_OTHERS) or name == _ESTIMATOR:
            continue
        is_ours = name.startswith(_OURS) and value == "true" and name != _OURS
        word = name.removeprefix(_OURS) if is_ours else f"{name}={value}"
        if len(word) <= _LONG and word.isprintable():
            found.append(word)
        else:
            reason = f"Tags of more than {_LONG} characters or lines are in `imported_from` only"
            losses.add("tags", reason, name)
    return found


def _time(milliseconds: int) -> str:
    seconds, rest = divmod(milliseconds, 1000)
    return event_time(datetime.fromtimestamp(seconds, UTC).replace(microsecond=rest * 1000))


def _plain(value: Any) -> Any:
    return json.loads(json.dumps(value))
