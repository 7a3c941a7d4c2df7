import os
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st
from runforge_contracts.errors import ErrorCode, RunForgeError
from runforge_engine.runtime.clock import Clock, document_time, event_time, read_clock

LAST_SECOND = 253_402_300_799


def test_documents_carry_whole_seconds_and_events_milliseconds():
    instant = datetime(2026, 2, 1, 12, 0, 0, 999_999, tzinfo=UTC)
    assert document_time(instant) == "2026-02-01T12:00:00Z"
    assert event_time(instant) == "2026-02-01T12:00:00.999Z"


def test_times_are_utc_whatever_the_instant_carries():
    instant = datetime(2026, 1, 1, 0, 30, tzinfo=timezone(timedelta(hours=2)))
    assert document_time(instant) == "2025-12-31T22:30:00Z"
    assert event_time(instant) == "2025-12-31T22:30:00.000Z"


def test_without_the_variable_the_clock_runs():
    clock = read_clock({})
    before = datetime.now(UTC)
    instant = clock.instant()
    assert before <= instant <= datetime.now(UTC)
    assert instant.utcoffset() == timedelta(0)
    first = clock.monotonic_ms()
    assert first > 0
    assert clock.monotonic_ms() >= first
    assert datetime.fromisoformat(clock.now()) >= before.replace(microsecond=0)
    assert datetime.fromisoformat(clock.now_for_event()) >= before - timedelta(milliseconds=1)


def test_with_the_variable_the_clock_stands_still_and_nothing_takes_time():
    clock = read_clock({"SOURCE_DATE_EPOCH": "1769947200"})
    assert clock.now() == "2026-02-01T12:00:00Z"
    assert clock.now_for_event() == "2026-02-01T12:00:00.000Z"
    assert clock.instant() == clock.instant()
    assert clock.monotonic_ms() == 0


def test_the_process_environment_is_read_at_the_call(monkeypatch):
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "0")
    assert read_clock().now() == "1970-01-01T00:00:00Z"
    monkeypatch.delenv("SOURCE_DATE_EPOCH")
    assert read_clock() == Clock()


@given(st.integers(0, LAST_SECOND), st.integers(0, 30))
def test_every_second_up_to_the_year_9999_is_read_back_from_the_text(seconds, zeros):
    clock = read_clock({"SOURCE_DATE_EPOCH": "0" * zeros + str(seconds)})
    assert int(datetime.fromisoformat(clock.now()).timestamp()) == seconds
    assert len(clock.now()) == len("2026-02-01T12:00:00Z")


@pytest.mark.parametrize(
    "text",
    [
        *("", " ", "now", "1.5", "-1", "+1", " 1", "1\n", "1_000", "1e9", "0x10", "²", "١"),
        *(str(LAST_SECOND + 1), "9" * 5000, "2026-02-01T12:00:00Z", "\x1b[31m"),
        os.fsdecode(b"\xff"),
    ],
)
def test_anything_but_seconds_is_a_usage_error_that_says_what_to_set(text):
    with pytest.raises(RunForgeError) as caught:
        read_clock({"SOURCE_DATE_EPOCH": text})
    assert caught.value.code is ErrorCode.USAGE_INVALID
    assert "SOURCE_DATE_EPOCH" in caught.value.message
    assert caught.value.message.isprintable()
    assert len(caught.value.message) < 200
    assert caught.value.hint is not None
