"""Sentences on a sweep that `sweep show`, its report and `diff` share."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import groupby

from runforge_engine.store.sweep_settings import SweepSetting, within_reach
from runforge_engine.store.sweep_table import SweepCell, SweepColumn, SweepRow, SweepTable

from runforge_cli.terminal.text_layout import number, plural

#: Maximum number of member numbers in a sentence.
_LISTED = 8
_WORDS = {
    "succeeded": "succeeded",
    "failed": "failed",
    "cancelled": "were cancelled",
    "running": "are running",
    "interrupted": "were interrupted",
    "pending": "are pending",
}
_ONE = {
    "cancelled": "was cancelled",
    "running": "is running",
    "interrupted": "was interrupted",
    "pending": "is pending",
}


def numbers_text(numbers: Iterable[int], name: Callable[[int], str] = str) -> str:
    """Return numbers as text, with ranges for three and more in a row.

    Parameters
    ----------
    numbers
        The numbers of members or runs.
    name
        A function that returns what a number is shown as.
    """
    parts = []
    # Numbers in a row differ from their positions by the same amount.
    for _, run in groupby(enumerate(sorted(numbers)), lambda item: item[1] - item[0]):
        row = [number for _, number in run]
        parts += [f"{name(row[0])}–{name(row[-1])}"] if len(row) > 2 else list(map(name, row))
    if len(parts) > _LISTED:
        return f"{', '.join(parts[:_LISTED])} and others"
    return f"{', '.join(parts[:-1])} and {parts[-1]}" if len(parts) > 1 else "".join(parts)


def members_text(numbers: Sequence[int]) -> str:
    """Return `member 3`, or `members 3, 5 and 7–9`."""
    return ("member " if len(numbers) == 1 else "members ") + numbers_text(numbers)


def setting_text(columns: Sequence[SweepColumn], cells: Sequence[SweepCell]) -> str:
    """Return the parameters that the plan names for a member, with their values, in one line."""
    named = [
        f"{column.name}={cell.text}"
        for column, cell in zip(columns, cells, strict=True)
        if cell.is_named
    ]
    return ", ".join(named) or "the request of the plan"


def counts_text(table: SweepTable) -> str:
    """Return how many members there are, how they ended, and how many run folders are not there."""
    counts, total = table.counts, len(table.rows)
    if not total:
        return "no members"
    # Such a run ended as the record of the sweep has it; lists of runs call it missing.
    gone = sum(row.run_id is not None and row.run_dir is None for row in table.rows)
    without = f"; {gone:,} without {'its' if gone == 1 else 'their'} run folder" if gone else ""
    if len(counts) == 1:
        (status,) = counts
        verb = _ONE.get(status, status) if total == 1 else _WORDS.get(status, status)
        which = "which" if total == 1 else "all"
        return f"{plural(total, 'member')}, {which} {verb}{without}"
    parts = [
        f"{count:,} {(_ONE if count == 1 else {}).get(status, _WORDS.get(status, status))}"
        for status, count in counts.items()
    ]
    return f"{plural(total, 'member')}: {', '.join(parts)}{without}"


def best_text(table: SweepTable, metric: str | None = None) -> str | None:
    """Return the best value of a metric and the members that reach it, or None without one."""
    name, best = metric or table.metric, table.best(metric)
    if name is None or not best:
        return None
    value = table.value(best[0], name)
    text = f"{name} {number(value or 0.0)} of member {best[0].number}"
    if table.columns:
        text += f" ({setting_text(table.columns, best[0].cells)})"
    return text


def tie_text(best: Sequence[SweepRow]) -> str | None:
    """Return a sentence on a tie for the best value, or None if there is none."""
    if len(best) < 2:
        return None
    who = members_text([row.number for row in best])
    who = who[:1].upper() + who[1:]
    return f"{who} share the best value; the other metrics decide, then the number."


def best_setting_text(table: SweepTable, settings: Sequence[SweepSetting]) -> str | None:
    """Return the setting with the best mean, or None if no setting has several values."""
    if not repeats(settings) or settings[0].mean is None:
        return None
    best = settings[0]
    text = (
        f"{setting_text(table.setting_columns, best.cells)}: mean {table.metric}"
        f" {interval_text(best)} over {plural(len(best.values), 'run')}"
    )
    tied = [setting for setting in settings[1:] if setting.mean == best.mean]
    if tied:
        text += f"; {plural(len(tied), 'other setting')} {'has' if len(tied) == 1 else 'have'}"
        text += " the same mean"
    return text


def repeats(settings: Sequence[SweepSetting]) -> bool:
    """Return whether a setting has the values of several seeds."""
    return any(len(setting.values) > 1 for setting in settings)


def interval_text(setting: SweepSetting) -> str:
    """Return the mean of a setting with its interval."""
    mean, half = setting.mean, setting.half_width
    if mean is None:
        return "–"
    return number(mean) if half is None else f"{number(mean)} ± {number(half)}"


def spread_text(table: SweepTable, settings: Sequence[SweepSetting]) -> str | None:
    """Return a sentence on whether the seeds decide which setting is the best, or None."""
    if not settings or settings[0].half_width is None:
        return None
    near = within_reach(settings)
    several = [setting for setting in settings[1:] if setting.half_width is not None]
    who = setting_text(table.setting_columns, settings[0].cells) or "the setting"
    if not several:
        return None
    if not near:
        return f"The interval of the best setting ({who}) overlaps that of no other."
    return (
        f"The interval of the best setting ({who}) overlaps"
        f" {'that' if len(near) == 1 else 'those'} of {plural(len(near), 'other setting')}:"
        " these seeds do not decide between them."
    )


def error_text(message: str, code: str, numbers: Sequence[int]) -> str:
    """Return an error with its code and the members that it ended."""
    return f"{members_text(numbers)}: {message} [{code}]"


def duplicates_text(table: SweepTable) -> str | None:
    """Return a sentence on the members that were not run, or None if there are none."""
    if not table.duplicates:
        return None
    shown = [f"{number} as {same}" for number, same in sorted(table.duplicates.items())]
    more = f" and {len(shown) - _LISTED:,} more" if len(shown) > _LISTED else ""
    return (
        f"{plural(len(shown), 'member')} of the plan with the configuration of an earlier one"
        f" {'was' if len(shown) == 1 else 'were'} not run: {', '.join(shown[:_LISTED])}{more}."
    )
