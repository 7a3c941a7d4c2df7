"""Bounds of lists of runs: times, names, and least and greatest values."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st
from runforge_contracts.errors import UsageError
from runforge_contracts.selection.run_bounds import RunBounds, parse_bounds, parse_time

NOW = datetime(2026, 11, 28, 12, 30, 15, 999, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("7d", "2026-11-21T12:30:15"),
        ("2w", "2026-11-14T12:30:15"),
        ("12h", "2026-11-28T00:30:15"),
        ("90m", "2026-11-28T11:00:15"),
        ("0d", "2026-11-28T12:30:15"),
        ("2026-11-01", "2026-11-01"),
        ("2026-11-01T09:00", "2026-11-01T09:00:00"),
        ("2026-11-01 09:00:30.5", "2026-11-01T09:00:30"),
        ("2026-11-01T09:00:00Z", "2026-11-01T09:00:00"),
        ("2026-11-01T00:30+02:00", "2026-10-31T22:30:00"),
    ],
)
def test_a_time_is_a_span_a_day_or_an_instant(text: str, expected: str) -> None:
    assert parse_time(text, NOW) == expected
    elsewhere = NOW.astimezone(timezone(timedelta(hours=9)))
    assert parse_time(text, elsewhere) == expected


@pytest.mark.parametrize(
    "text",
    [
        *("", "x", "7", "7y", "-7d", "7 d", "d", "999999w", "2026-13-01", "2026-02-30", "2026-11"),
        *("2026-11-01T9", "2026-11-01T25:00", "2026-11-01T09:00+99:00", "9999-99-99", "٧d"),
        "2026-11-01T09:00 \x1b[2J",
    ],
)
def test_anything_else_is_refused_with_examples(text: str) -> None:
    with pytest.raises(UsageError, match="is not a time") as caught:
        parse_time(text, NOW)
    assert caught.value.hint is not None
    assert "`7d`" in caught.value.hint
    assert "\x1b" not in caught.value.message


@given(st.datetimes(datetime(1, 1, 3), datetime(9999, 12, 29)), st.integers(-12, 12))
def test_any_instant_is_converted_to_utc(moment: datetime, hours: int) -> None:
    local = moment.replace(tzinfo=timezone(timedelta(hours=hours)))
    expected = local.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S").rjust(19, "0")
    assert parse_time(local.isoformat(timespec="milliseconds"), NOW) == expected


def test_the_bounds_are_conditions() -> None:
    bounds = RunBounds("a=b", "t", "7d", "2026-11-28", {"accuracy": 0.8}, {"log_loss": 1e-7})
    assert list(map(str, bounds.conditions(lambda: NOW))) == [
        'name="a=b"',
        'tags="t"',
        'created>="2026-11-21T12:30:15"',
        'created<"2026-11-28"',
        "accuracy>=0.8",
        "log_loss<=1e-07",
    ]
    assert RunBounds().conditions(lambda: pytest.fail("the clock is not needed")) == []


@pytest.mark.parametrize("bound", [float("nan"), float("inf"), True, "0.8", None])
def test_a_bound_is_a_finite_number(bound: object) -> None:
    with pytest.raises(UsageError, match="`accuracy` is not a number"):
        RunBounds(least={"accuracy": bound}).conditions(lambda: NOW)  # type: ignore[dict-item]


def test_bounds_are_parsed_by_name() -> None:
    assert parse_bounds(["accuracy=0.8", " C = 1e3 "], "--min") == {"accuracy": 0.8, "C": 1000.0}
    for text in ("accuracy", "accuracy=", "=1", "accuracy=high", "accuracy=nan", "a=1e999", ""):
        with pytest.raises(UsageError, match="is not a name and a number"):
            parse_bounds([text], "--min")
    with pytest.raises(UsageError, match="`--max` has `a` more than once"):
        parse_bounds(["a=1", "a=2"], "--max")
