"""The one-screen summary of an experiment run.

Documents other than the configuration may be missing, and any may be invalid: the rest is still
shown, and the invalid documents are listed as problems.
"""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from runforge_contracts.display import format_duration, printable, shorten, time_text
from runforge_contracts.errors import RunForgeError
from runforge_contracts.fs.files import open_file, reading
from runforge_contracts.lineage.run_family import repeated_by
from runforge_contracts.metrics import primary_metric
from runforge_contracts.store import layout
from runforge_contracts.store.configured_values import configured
from runforge_contracts.store.experiment_runs import ExperimentRun, in_order
from runforge_engine.experiment.record.experiment_state import state_of

from runforge_cli.listing.experiment_rows import TolerantRun, trained_run
from runforge_cli.listing.run_list import tags_of
from runforge_cli.render.differences import value_text
from runforge_cli.render.lineage_view import lineage_facts
from runforge_cli.render.run_summary import place_of, run_title, section, some, unpacking
from runforge_cli.shell.settings import Settings
from runforge_cli.terminal.text_layout import (
    chart,
    fit,
    number,
    pairs,
    paragraph,
    plural,
    sparkline,
    table,
    terminal_width,
)

#: Explanations of the states of a run whose end is not recorded.
_STATES = {
    "running": "The run is in progress.",
    "interrupted": "The process ended before it could record the result.",
    "unknown": "The run does not record how it ended.",
}
#: Maximum numbers of metrics, parameters, artifacts and log lines.
_METRICS, _PARAMETERS, _ARTIFACTS, _LINES = 20, 20, 10, 6
#: Height of a curve in lines.
_HEIGHT = 8
#: Maximum length of free text, and bytes read from the end of the log.
_LONG, _TAIL = 500, 2**20
#: The keys of the configuration that say how to start user code.
_STARTS = ("script", "module", "command")


def experiment_lines(
    folder: ExperimentRun, settings: Settings, *, bundle: Path | None = None
) -> Iterator[str]:
    """Yield the lines of the summary.

    Parameters
    ----------
    folder
        The run.
    settings
        For the colours, and for the workspace that paths are relative to.
    bundle
        The bundle that the run is unpacked from, if it is in no store.
    """
    run = TolerantRun(folder.path)
    state = state_of(run)
    yield run_title(run.id, state, settings)
    yield from pairs([*_outcome(run, state, settings, bundle), *_failure(run, state)])
    yield from section("Configuration", pairs(_configuration(run)))
    yield from section("Data and model", pairs(_data(run)))
    yield from section("Metrics", metric_lines(run, _METRICS))
    yield from section("Parameters", pairs(_parameters(run)))
    yield from section("Artifacts", artifact_lines(run, _ARTIFACTS))
    yield from section("Imported from", pairs(_origin(run)))
    yield from section("Code", pairs(_code(run)))
    yield from section("System", pairs(_system(run)))
    if state in ("failed", "cancelled", "interrupted"):
        log = [f"  {fit(line, terminal_width() - 2)}" for line in log_tail(run, _LINES)]
        yield from section("End of the log", log)
    yield from section("Problems", problem_lines(run))
    following = unpacking(run.id, bundle, settings) if bundle else _next(run, state, settings)
    yield from section("Next", pairs(following))


def _outcome(
    run: TolerantRun, state: str, settings: Settings, bundle: Path | None
) -> Iterator[tuple[str, str]]:
    config = run.config or {}
    if "experiment" in config:
        yield "experiment", shorten(config["experiment"], _LONG)
    chosen = primary_metric({"metrics": run.metrics})
    if chosen:
        yield shorten(chosen[0], 24), number(chosen[1]) + (" so far" if state == "running" else "")
    if "duration_ms" in config:
        yield "duration", format_duration(config["duration_ms"])
    if "started_at" in config:
        yield "started", time_text(config["started_at"])
    if tags_of(run):
        yield "tags", some(tags_of(run))
    if config.get("notes"):
        yield "notes", shorten(config["notes"], _LONG)
    places = settings.places()
    repeats = [] if bundle else repeated_by(run.id, places)
    yield from lineage_facts(config.get("rerun_from"), repeats, places)
    yield place_of(run.path, settings, bundle)


def _failure(run: TolerantRun, state: str) -> Iterator[tuple[str, str]]:
    config = run.config or {}
    failure = config.get("failure") or {}
    if failure:
        code = f" [{failure['code']}]" if isinstance(failure.get("code"), str) else ""
        yield "error", shorten(failure["message"], _LONG) + code
        if isinstance(failure.get("hint"), str):
            yield "hint", shorten(failure["hint"], _LONG)
    elif state in _STATES:
        yield "state", _STATES[state]


def _configuration(run: TolerantRun) -> Iterator[tuple[str, str]]:
    config = run.config or {}
    start = config.get("run") or {}
    for name in _STARTS:
        if name in start:
            words = start[name] if name == "command" else [start[name]]
            yield name, shorten(shlex.join([*words, *start.get("args", ())]), _LONG)
    overrides = config.get("overrides") or {}
    for name, value in configured(config):
        if name.partition(".")[0] != "run":
            remark = " (for this run only)" if name in overrides else ""
            yield shorten(name, 60), value_text(value) + remark


def _data(run: TolerantRun) -> Iterator[tuple[str, str]]:
    config = run.config or {}
    references = config.get("references") or {}
    for name in ("dataset", "model"):
        if name in config:
            found = references.get(name) or {}
            path = found.get("path", config[name])
            parts = [config[name], *([path] if path != config[name] else [])]
            yield name, shorten(": ".join(parts), _LONG) + _digest(found)


def _digest(reference: Mapping[str, Any]) -> str:
    """Return what is known of the bytes of a file, behind its path."""
    digest = f" (sha256 {reference['sha256'][:12]}…)" if "sha256" in reference else ""
    return digest + (", changed while the run used it" if "after" in reference else "")


def metric_lines(run: ExperimentRun, most: int | None = None) -> list[str]:
    """Return one line per final metric, with its history as a sparkline."""
    metrics = run.metrics_document or {}
    summary, history = metrics.get("summary", {}), metrics.get("history", {})
    names = list(dict.fromkeys([*summary, *history]))
    rows = [
        [
            name,
            number(summary[name]) if name in summary else "",
            *_history([point["value"] for point in in_order(history.get(name, ()))]),
        ]
        for name in names[:most]
    ]
    lines = table(("", "", "", ""), rows, right=(1,), flexible=0, indent=2) if rows else []
    left = len(names) - len(rows)
    return lines + ([f"  … and {plural(left, 'more metric')}"] if left else [])


def _history(values: Sequence[float]) -> tuple[str, str]:
    """Return the history of a metric as a sparkline and in words."""
    if len(values) < 2:
        return "", ""
    columns = 20 if terminal_width() >= 70 else 10
    count = plural(len(values), "value")
    return sparkline(values, columns), f"{count} from {number(values[0])}"


def history_lines(run: ExperimentRun) -> Iterator[str]:
    """Yield all metrics, followed by a curve for each one with a history."""
    yield from metric_lines(run) or ["  No metrics."]
    for name, recorded in (run.metrics_document or {}).get("history", {}).items():
        points = in_order(recorded)
        if len(points) > 1:
            values = [point["value"] for point in points]
            first, last = points[0]["step"], points[-1]["step"]
            yield ""
            yield from paragraph(f"{shorten(name, 80)}, steps {first:g} to {last:g}")
            yield from chart(values, min(terminal_width() - 15, 100), _HEIGHT)


def _parameters(run: TolerantRun) -> Iterator[tuple[str, str]]:
    parameters = (run.config or {}).get("parameters") or {}
    for name, value in list(parameters.items())[:_PARAMETERS]:
        yield shorten(name, 60), value_text(value)
    if len(parameters) > _PARAMETERS:
        yield "…", f"and {plural(len(parameters) - _PARAMETERS, 'more')}"


def artifact_lines(run: ExperimentRun, most: int | None = None) -> list[str]:
    """Return one line per artifact, with its size and the start of its digest."""
    files, recorded = artifacts_of(run), (run.manifest or {}).get("files") or {}
    rows = [
        [name, f"{size:,} bytes", f"{recorded[name]['sha256'][:12]}…" if name in recorded else ""]
        for name, size in list(files.items())[:most]
    ]
    lines = table(("", "", ""), rows, right=(1,), flexible=0, indent=2) if rows else []
    if len(files) > len(rows):
        lines.append(f"  … and {plural(len(files) - len(rows), 'more')}")
    copied = (run.config or {}).get("copied_models") or ()
    return lines + pairs(
        (shorten(item["from"], _LONG), f"copied to {item['to']}") for item in copied
    )


def artifacts_of(run: ExperimentRun) -> dict[str, int]:
    """Return the sizes of the artifacts in bytes, by path: as recorded, else as found."""
    manifest = (run.manifest or {}).get("files")
    if manifest is not None:
        prefix = f"{layout.ARTIFACTS}/"
        return {name: item["bytes"] for name, item in manifest.items() if name.startswith(prefix)}
    found: dict[str, int] = {}
    for parent, _, names in os.walk(run.path / layout.ARTIFACTS):
        for name in names:
            path = run.path.joinpath(parent, name)
            if path.is_file() and not path.is_symlink():
                found[path.relative_to(run.path).as_posix()] = path.stat().st_size
    return dict(sorted(found.items()))


def _origin(run: TolerantRun) -> Iterator[tuple[str, str]]:
    """Yield what is known of the run of another tool that this one was imported from."""
    return ((title.lower(), text) for title, text in origin_facts(run.imported_from))


def origin_facts(origin: Mapping[str, Any] | None) -> Iterator[tuple[str, str]]:
    """Yield what ``imported_from`` of a run says: titles and texts."""
    if origin is None:
        return
    yield "Tool", shorten(origin["tool"], _LONG)
    named = f"{origin['name']} " if "name" in origin else ""
    yield "Run there", shorten(f"{named}({origin['run_id']})", _LONG)
    for title, name in (("Nested in", "parent_run_id"), ("User", "user"), ("Program", "program")):
        if name in origin:
            yield title, shorten(origin[name], _LONG)
    if "imported_at" in origin:
        yield "Imported", time_text(origin["imported_at"])
    for part in origin.get("left_out", ()):
        yield "Left out", shorten(f"{part['message']} ({part['count']:,})", _LONG)


def _code(run: TolerantRun) -> Iterator[tuple[str, str]]:
    config = run.config or {}
    code, file = config.get("code") or {}, config.get("experiment_file") or {}
    if "path" in file:
        yield "experiment file", file["path"]
    program = (config.get("references") or {}).get("program") or {}
    if "path" in program:
        yield "program", shorten(program["path"], _LONG) + _digest(program)
    if "commit" in code:
        dirty = " with uncommitted changes" if code.get("dirty") else ""
        yield "commit", code["commit"][:12] + dirty
    elif "created_by" in config and run.imported_from is None:
        yield "commit", "none is recorded"
    if "repo" in code:
        yield "repository", shorten(code["repo"], _LONG)
    if "created_by" in config:
        yield "client", config["created_by"]


def _system(run: TolerantRun) -> Iterator[tuple[str, str]]:
    system = run.system or {}
    hardware = system.get("hardware") or {}
    if not system:
        return
    yield "os", shorten(system["os"], _LONG)
    yield "python", shorten(system["python"], _LONG)
    frameworks = [f"{name} {version}" for name, version in system["frameworks"].items()]
    if frameworks:
        yield "frameworks", some(frameworks, 12)
    machine = [hardware["cpu"]] if "cpu" in hardware else []
    machine += hardware.get("gpus", ())
    if "ram_gb" in hardware:
        machine.append(f"{hardware['ram_gb']:g} GB of memory")
    if machine:
        yield "machine", some(machine)


def log_tail(run: ExperimentRun, most: int) -> list[str]:
    """Return the last lines of the log, printable; empty if it cannot be read."""
    path = run.path / layout.LOGS
    try:
        with open_file(path) as file, reading(path):
            file.seek(max(os.fstat(file.fileno()).st_size - _TAIL, 0))
            text = file.read(_TAIL).decode("utf-8", "replace")
    except RunForgeError:
        return []
    lines = [printable(line.rstrip()) for line in text.splitlines() if line.strip()]
    return lines[-most:]


def problem_lines(run: TolerantRun) -> list[str]:
    """Return the lines on the documents that cannot be read."""
    return [
        line
        for error in run.problems.values()
        for line in paragraph(f"{error.message} [{error.code}]", indent=2)
    ]


def _next(run: TolerantRun, state: str, settings: Settings) -> Iterator[tuple[str, str]]:
    options = settings.repeated()
    run_id, trained = run.id + options, trained_run(run)
    if trained is not None:
        yield "trained run", f"runforge show {shlex.quote(trained)}{options}"
    if state == "running":
        yield "cancel it", f"runforge cancel {run_id}"
        return
    where = shlex.quote(settings.shown(run.path / layout.CONFIG))
    if (run.metrics_document or {}).get("history"):
        yield "curves", f"runforge report {run_id}"
    if run.config and run.imported_from is None:
        again = "repeat it" if state == "succeeded" else "try again"
        yield again, f"runforge experiment run --experiment {where}{options}"
    if run.problems:
        yield "check it", f"runforge experiment check {run_id}"
