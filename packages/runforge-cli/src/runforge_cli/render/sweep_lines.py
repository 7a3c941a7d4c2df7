"""The lines on a sweep: its plan, each run that ends, and what came out."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from runforge_contracts.display import format_duration, printable, shorten
from runforge_contracts.metrics import Metric, lower_is_better
from runforge_contracts.sweeps.request_paths import parse_path

from runforge_cli.render.run_summary import section
from runforge_cli.shell.settings import Settings
from runforge_cli.terminal.text_layout import (
    fit,
    number,
    pad,
    pairs,
    plural,
    table,
    terminal_width,
)

if TYPE_CHECKING:
    from runforge_contracts.errors import RunForgeError
    from runforge_engine.store.sweep_table import SweepRow
    from runforge_engine.sweeps.group_record import MemberState
    from runforge_engine.sweeps.resolved_plan import ResolvedPlan
    from runforge_engine.sweeps.run_sweep import SweepResult

_COLORS = {"succeeded": "32", "failed": "31"}
_OTHER_COLOR = "33"
#: The place of all hyperparameters of a request, which a plan may set at once.
_HYPERPARAMETERS = ("model", "hyperparameters")
_FAMILY = ("model", "family")
_SEED = ("seed",)
#: Maximum length of one value, and number of runs in a list.
_VALUE, _MOST = 24, 3


def settings_of(overrides: Mapping[str, Any]) -> dict[str, str]:
    """Return what a member sets, by the short names of the settings, for display."""
    shown: dict[str, str] = {}
    for path, value in overrides.items():
        place = tuple(map(str, parse_path(path)))
        if place == _HYPERPARAMETERS and isinstance(value, dict):
            shown |= {name: _value(item) for name, item in value.items()}
        else:
            name = "model" if place == _FAMILY else place[-1]
            shown[name] = "default" if value is None else _value(value)
    return shown


def settings_text(overrides: Mapping[str, Any]) -> str:
    """Return what a member sets in one line, such as ``C=0.1 max_iter=200``."""
    return " ".join(f"{name}={value}" for name, value in settings_of(overrides).items())


def _value(value: Any) -> str:
    if value is None:
        return "none"
    if isinstance(value, str):
        return shorten(printable(value), _VALUE)
    return shorten(printable(json.dumps(value)), _VALUE)


def plan_lines(plan: ResolvedPlan, jobs: int) -> Iterator[str]:
    """Yield the lines on a plan that is not executed: the count, the members, the duplicates."""
    yield count_text(plan, jobs) + "; nothing was run."
    rows = [(member.number, settings_of(member.overrides)) for member in plan.members]
    names = list(dict.fromkeys(name for _, settings in rows for name in settings))
    yield ""
    yield from table(
        ("member", *names),
        [(str(at), *(settings.get(name, "") for name in names)) for at, settings in rows],
        right=(0,),
        flexible=len(names),
        cut=True,
    )
    if plan.duplicates:
        yield ""
        yield "Left out, because an earlier member has the same configuration:"
        for item in plan.duplicates:
            yield f"  {item.number} is the same as {item.same_as}"


def count_text(plan: ResolvedPlan, jobs: int) -> str:
    """Return how many runs a plan makes, and how many at a time."""
    count = len(plan.members)
    text = plural(count, "run")
    if count > 1:
        text += f", {min(jobs, count)} at a time" if jobs > 1 else ", one at a time"
    if plan.duplicates:
        text += f" ({plural(len(plan.duplicates), 'duplicate')} left out)"
    return text


def ended_line(
    state: MemberState,
    done: int,
    total: int,
    result: dict[str, Any] | None,
    error: RunForgeError | None,
) -> str:
    """Return the line on a run that has ended, which fits the terminal."""
    place = pad(f"{done}/{total}", 2 * len(str(total)) + 1, right=True)
    parts = [place, state.run_id or f"member {state.number}"]
    if state.status == "succeeded":
        metric = state.metric
        parts.append("succeeded" if metric is None else f"{metric.name} {number(metric.value)}")
        if result is not None:
            parts.append(pad(format_duration(result["duration_ms"]), 6, right=True))
        parts.append(settings_text(state.overrides))
    else:
        reason = f": {printable(error.message)}" if error is not None else ""
        status = {"canceled": "cancelled", "pending": "not run"}.get(state.status, state.status)
        parts += [settings_text(state.overrides), status + reason]
        if len("  ".join(parts)) > terminal_width():  # the reason matters more
            del parts[2]
    return fit("  ".join(parts), terminal_width())


def result_lines(result: SweepResult, settings: Settings) -> Iterator[str]:
    """Yield the lines on a sweep that has ended."""
    status = {"canceled": "cancelled"}.get(result.status, result.status)
    color = _COLORS.get(status, _OTHER_COLOR)
    shown = f"\x1b[{color}m{status}\x1b[0m" if settings.colored() else status
    yield f"Sweep {printable(result.group_id)}: {shown}"
    yield from pairs(_facts(result, settings))
    yield from section("Next", pairs(_next(result, settings)))


def _facts(result: SweepResult, settings: Settings) -> Iterator[tuple[str, str]]:
    group = result.group
    if group.get("name"):
        yield "name", shorten(str(group["name"]), 200)
    counts = {
        **{name: group["summary"][name] for name in ("succeeded", "failed")},
        "cancelled": group["summary"]["canceled"],
        "not run": result.pending,
    }
    texts = [f"{count:,} {name}" for name, count in counts.items() if count]
    yield "runs", ", ".join(texts) or "none"
    if group["duplicates"]:
        yield "left out", plural(len(group["duplicates"]), "duplicate")
    best = [run for run in group["runs"] if run["member"] in result.best]
    if best[1:]:
        places = [row.number for row in _ranked(result, settings)]
        best.sort(key=lambda run: places.index(run["member"]))
    if best:
        metric = Metric(**best[0]["primary_metric"])
        setting = _best_setting(group["runs"], metric.name)
        if setting is not None:
            yield "best setting", setting
        yield "best run", f"{metric.name} {number(metric.value)}, {_run_text(best[0])}"
    if best[1:]:
        more = len(best) - 1 - _MOST
        yield (
            "as good",
            "; ".join(map(_run_text, best[1 : 1 + _MOST]))
            + (f"; and {more} more" if more > 0 else ""),
        )
    yield "folder", settings.shown(result.folder)


def _ranked(result: SweepResult, settings: Settings) -> list[SweepRow]:
    """Return the members of a sweep, the best first; their other metrics are in their runs."""
    from runforge_contracts.sweeps.groups import Group
    from runforge_engine.store.sweep_reading import read_sweep

    return read_sweep(Group(result.folder), settings.stores()).ranked()


def _best_setting(runs: Sequence[dict[str, Any]], metric: str) -> str | None:
    """Return the setting with the best mean over its seeds; None if no setting has several."""
    values: dict[str, list[float]] = {}
    for run in runs:
        found = run.get("primary_metric") or {}
        if run["status"] == "succeeded" and found.get("name") == metric:
            rest = {
                path: value
                for path, value in run["request_overrides"].items()
                if parse_path(path) != _SEED
            }
            values.setdefault(settings_text(rest), []).append(found["value"])
    if len(values) < 2 or max(map(len, values.values())) < 2:
        return None
    # Divided before it is added: the sum of very large numbers overflows.
    means = {text: sum(value / len(own) for value in own) for text, own in values.items()}
    best = (min if lower_is_better(metric) else max)(means, key=means.__getitem__)
    count = plural(len(values[best]), "seed")
    return f"{best}: mean {metric} {number(means[best])} over {count}"


def _run_text(run: dict[str, Any]) -> str:
    return f"{run['run_id']} ({settings_text(run['request_overrides'])})"


def _next(result: SweepResult, settings: Settings) -> Iterator[tuple[str, str]]:
    reference = result.group_id + settings.repeated()
    yield "every run", f"runforge sweep show {reference}"
    summary = result.group["summary"]
    if result.pending or summary["canceled"]:
        yield "what is missing", f"runforge sweep --resume {reference}"
    elif summary["failed"]:
        yield "try again", f"runforge sweep --resume {reference} --retry-failed"


def failed_lines(errors: Iterable[RunForgeError]) -> Iterator[str]:
    """Yield each reason of failed runs once, with how many runs have it."""
    counts: dict[str, int] = {}
    for error in errors:
        text = f"error[{error.code.value}]: {printable(error.message)}"
        counts[text] = counts.get(text, 0) + 1
    for text, count in counts.items():
        yield text + (f" ({plural(count, 'run')})" if count > 1 else "")
