"""Read the time, and format it as documents and events do.

With ``SOURCE_DATE_EPOCH`` in the environment the clock always shows that instant and durations are
zero, so that two runs of one request are byte-identical.

Source: specification, sections 2.5 and 13.3; reproducible-builds.org, "SOURCE_DATE_EPOCH
specification".
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Self

from runforge_contracts.display import quote
from runforge_contracts.errors import ErrorCode, RunForgeError

_VARIABLE = "SOURCE_DATE_EPOCH"

#: 9999-12-31T23:59:59Z, the last second that has a four-digit year.
_LAST_SECOND = 253_402_300_799


def document_time(instant: datetime) -> str:
    """Return an instant as documents carry it, in whole seconds: ``2026-02-01T12:00:00Z``.

    Parameters
    ----------
    instant
        A point in time that knows its time zone; the fraction of the second is cut off.
    """
    return _utc(instant).isoformat(timespec="seconds") + "Z"


def event_time(instant: datetime) -> str:
    """Return an instant as events carry it, in milliseconds: ``2026-02-01T12:00:00.250Z``."""
    return _utc(instant).isoformat(timespec="milliseconds") + "Z"


def _utc(instant: datetime) -> datetime:
    return instant.astimezone(UTC).replace(tzinfo=None)


@dataclass(frozen=True, slots=True)
class Clock:
    """The system's clock or, with ``stopped_at``, one that always shows the same instant."""

    #: The instant that the clock shows; None follows the system's clock.
    stopped_at: datetime | None = None
    #: An instant and the reading of the counter at it; the time since is counted, so changes of
    #: the system's clock have no effect.
    began: tuple[datetime, int] | None = None

    def steady(self) -> Self:
        """Return a clock that starts at the present instant and then only goes forward."""
        if self.stopped_at is not None:
            return self
        return replace(self, began=(self.instant(), _counter_ns()))

    def instant(self) -> datetime:
        """Return the present instant, in UTC."""
        if self.stopped_at is not None:
            return self.stopped_at
        if self.began is not None:
            instant, reading = self.began
            return instant + timedelta(microseconds=(_counter_ns() - reading) // 1000)
        return datetime.now(UTC)

    def now(self) -> str:
        """Return the present as :func:`document_time` writes it."""
        return document_time(self.instant())

    def now_for_event(self) -> str:
        """Return the present as :func:`event_time` writes it."""
        return event_time(self.instant())

    def monotonic_ms(self) -> int:
        """Return milliseconds since some fixed moment, never going back; 0 on a stopped clock.

        The difference of two readings is a duration.
        """
        return _counter_ns() // 1_000_000 if self.stopped_at is None else 0


def _counter_ns() -> int:
    """Return nanoseconds since some fixed moment; where the system supports it, including sleep."""
    if sys.platform == "linux":
        return time.clock_gettime_ns(time.CLOCK_BOOTTIME)
    else:  # noqa: RET505 - for type checkers
        return time.monotonic_ns()


def read_clock(environment: Mapping[str, str] = os.environ) -> Clock:
    """Return the clock that the environment selects.

    Parameters
    ----------
    environment
        Where ``SOURCE_DATE_EPOCH`` may be: whole seconds since 1970-01-01T00:00:00Z, in decimal
        digits.

    Raises
    ------
    RunForgeError
        ``USAGE_INVALID`` when the variable is set to anything else, or beyond the year 9999.
    """
    text = environment.get(_VARIABLE)
    if text is None:
        return Clock()
    # int() also takes signs, spaces, underscores and other alphabets' digits.
    digits = text.isascii() and text.isdigit() and len(text.lstrip("0")) <= len(str(_LAST_SECOND))
    if not digits or int(text) > _LAST_SECOND:
        raise RunForgeError(
            ErrorCode.USAGE_INVALID,
            f"{_VARIABLE} is {quote(text)}, which is not a number of seconds since 1970"
            " up to the year 9999.",
            hint=f"Set it to whole seconds, for example `{_VARIABLE}=$(git log -1 --format=%ct)`,"
            " or unset it.",
        )
    return Clock(datetime.fromtimestamp(int(text), UTC))
