"""Bounds of a list of runs that are given as options: a time, a name, a tag, values of metrics.

Each becomes a condition, so that lists filter by them as by every other condition.

Source: specification, section 16.8.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from runforge_contracts.display import quote
from runforge_contracts.errors import ErrorCode, RunForgeError
from runforge_contracts.selection.run_condition import RunCondition, number_in

_SPAN = re.compile(r"([0-9]{1,6})([mhdw])")
_UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
#: An hour and a minute must follow the day, so that `2026-11-01T09` is not taken for nine minutes.
_TIME = re.compile(rf"{_DAY.pattern}[T ][0-9]{{2}}:[0-9]{{2}}.*")


class RunBounds(NamedTuple):
    """Which runs of a list are wanted, by the most frequent bounds."""

    name: str | None = None
    tag: str | None = None
    #: Times, as :func:`parse_time` reads them.
    since: str | None = None
    before: str | None = None
    #: Least and greatest values, by the name of a metric or of another value.
    least: Mapping[str, float] = {}
    greatest: Mapping[str, float] = {}

    def conditions(self, now: Callable[[], datetime]) -> list[RunCondition]:
        """Return the bounds as conditions.

        Parameters
        ----------
        now
            Returns the present, to which ``7d`` is relative.

        Raises
        ------
        RunForgeError
            ``USAGE_INVALID`` for a time or a number that is none.
        """
        found = [
            RunCondition(name, "=", value, is_quoted=True)
            for name, value in (("name", self.name), ("tags", self.tag))
            if value is not None
        ]
        for operator, time in ((">=", self.since), ("<", self.before)):
            if time is not None:
                moment = parse_time(time, now())
                found.append(RunCondition("created", operator, moment, is_quoted=True))
        for operator, bounds in ((">=", self.least), ("<=", self.greatest)):
            for name, bound in bounds.items():
                found.append(RunCondition(name, operator, _number_text(name, bound)))
        return found


def _number_text(name: str, bound: float) -> str:
    """Return a bound as a condition has it; raise ``USAGE_INVALID`` if it is no number."""
    is_number = isinstance(bound, (int, float)) and not isinstance(bound, bool)
    if not is_number or not math.isfinite(bound):
        raise RunForgeError(
            ErrorCode.USAGE_INVALID,
            f"The bound of {quote(name)} is not a number: {quote(bound)}.",
        )
    return repr(bound)


def parse_time(text: str, now: datetime) -> str:
    """Return a time as timestamps of documents begin: a day, or a second, in UTC.

    Parameters
    ----------
    text
        A span before the present (``90m``, ``12h``, ``7d``, ``2w``), a day (``2026-11-01``), or a
        time in ISO 8601 (``2026-11-01T09:00``), in UTC unless it has an offset.
    now
        The present, with its time zone.

    Raises
    ------
    RunForgeError
        ``USAGE_INVALID`` for anything else, and for a day that does not exist.
    """
    span = _SPAN.fullmatch(text)
    try:
        if span is not None:
            moment = now - timedelta(**{_UNITS[span[2]]: int(span[1])})
        elif _DAY.fullmatch(text):
            return datetime.fromisoformat(text).date().isoformat()
        elif _TIME.fullmatch(text):
            moment = datetime.fromisoformat(text)
            if moment.tzinfo is None:
                moment = moment.replace(tzinfo=UTC)
        else:
            raise ValueError("another form")
        return moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="seconds")
    except (ValueError, OverflowError):
        raise RunForgeError(
            ErrorCode.USAGE_INVALID,
            f"{quote(text)} is not a time.",
            hint="Give a span before now, such as `90m`, `12h`, `7d` or `2w`, a day such as"
            " `2026-11-01`, or a time such as `2026-11-01T09:00`, in UTC unless it has an offset.",
        ) from None


def parse_bounds(texts: Sequence[str], option: str) -> dict[str, float]:
    """Return the bounds of ``NAME=NUMBER`` by name.

    Parameters
    ----------
    texts
        The bounds; of one name only one.
    option
        The option that they were given with, for the error.

    Raises
    ------
    RunForgeError
        ``USAGE_INVALID`` for another form, and for a name that is given twice.
    """
    found = dict[str, float]()
    for text in texts:
        name, separator, number = text.partition("=")
        bound = number_in(number.strip())
        name = name.strip()
        if not name or not separator or bound is None or not math.isfinite(bound):
            raise RunForgeError(
                ErrorCode.USAGE_INVALID,
                f"{quote(text)} is not a name and a number.",
                hint=f"Such as `{option} accuracy=0.8`.",
            )
        if name in found:
            raise RunForgeError(
                ErrorCode.USAGE_INVALID, f"`{option}` has {quote(name)} more than once."
            )
        found[name] = bound
    return found
