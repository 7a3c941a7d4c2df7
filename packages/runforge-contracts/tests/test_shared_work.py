"""Sharing work out to processes: order, errors, processes that are killed, and what they leave."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path
from select import select

import pytest
from runforge_contracts.errors import ErrorCode, RunForgeError
from runforge_contracts.shared_work import WORTH_SHARING, ahead, in_processes

ITEMS = list(range(3 * WORTH_SHARING))
pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="work is shared on Linux only")


def double(item: int) -> tuple[int, int]:
    return 2 * item, os.getpid()


def others(found: list[tuple[int, int]]) -> set[int]:
    return {pid for _, pid in found} - {os.getpid()}


def children() -> set[int]:
    """Return the children of this process; that which runs the tests may have others."""
    found = set()
    for path in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):  # It has ended meanwhile.
            if int(path.read_text().rpartition(")")[2].split()[1]) == os.getpid():
                found.add(int(path.parent.name))
    return found


@pytest.fixture
def alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Count no threads: those that run the tests on several cores wait, and hold nothing."""
    monkeypatch.setattr("runforge_contracts.shared_work.threading.active_count", lambda: 1)


@pytest.fixture
def before() -> set[int]:
    """Return the children that this process had before the test."""
    return children()


@pytest.mark.usefixtures("alone")
def test_the_results_are_in_order_and_of_several_processes(before: set[int]) -> None:
    found = list(in_processes(double, ITEMS, 2))
    assert [value for value, _ in found] == [2 * item for item in ITEMS]
    assert len(others(found)) == 2
    assert children() == before


@pytest.mark.usefixtures("alone")
def test_where_processes_are_not_copied_one_does_all(
    before: set[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "platform", "win32")
    found = list(in_processes(double, ITEMS, 2))
    assert found == [(2 * item, os.getpid()) for item in ITEMS]
    assert children() == before


@pytest.mark.usefixtures("alone")
def test_results_that_a_pipe_does_not_hold_do_not_block() -> None:
    found = list(in_processes(lambda item: str(item) * 20_000, ITEMS, 3))
    assert found == [str(item) * 20_000 for item in ITEMS]


@pytest.mark.parametrize("jobs", [0, 1])
def test_one_process_does_it_by_itself(jobs: int) -> None:
    assert others(list(in_processes(double, ITEMS, jobs))) == set()


def test_few_items_are_not_shared() -> None:
    assert others(list(in_processes(double, ITEMS[: WORTH_SHARING - 1], 2))) == set()


def test_a_process_with_other_threads_is_not_copied() -> None:
    done = threading.Event()
    thread = threading.Thread(target=done.wait)
    thread.start()
    try:
        assert others(list(in_processes(double, ITEMS, 2))) == set()
    finally:
        done.set()
        thread.join()


@pytest.mark.usefixtures("alone")
def test_an_error_is_raised_as_without_other_processes(before: set[int]) -> None:
    def work(item: int) -> int:
        if item == 70:
            raise RunForgeError(ErrorCode.RUN_NOT_FOUND, "It is gone.")
        return item

    found = []
    with pytest.raises(RunForgeError, match="It is gone"):
        found.extend(one for one in _kept(found, work))
    assert found[:70] == ITEMS[:70]
    assert children() == before


def _kept(found: list[int], work: Callable[[int], int]) -> list[int]:
    for one in in_processes(work, ITEMS, 2):
        found.append(one)
    return []


@pytest.mark.usefixtures("alone")
def test_the_work_of_a_process_that_is_killed_is_done(before: set[int]) -> None:
    own = os.getpid()

    def work(item: int) -> int:
        if item == 51 and os.getpid() != own:
            os.kill(os.getpid(), signal.SIGKILL)
        return item

    assert list(in_processes(work, ITEMS, 2)) == ITEMS
    assert children() == before


@pytest.mark.usefixtures("alone")
def test_nothing_stays_where_the_results_are_not_all_taken(before: set[int]) -> None:
    with closing(in_processes(double, ITEMS, 2)) as results:
        assert others([next(results), next(results)])
    assert children() == before


@pytest.mark.usefixtures("alone")
def test_work_that_is_begun_ahead_is_done_before_its_results_are_asked_for() -> None:
    reading, writing = os.pipe()

    def work(item: int) -> int:
        os.write(writing, b".")
        return item

    with closing(in_processes(work, ITEMS, 2)) as results:
        found = ahead(results)
        for _ in ITEMS:
            assert select([reading], [], [], 60)[0]
            os.read(reading, 1)
        assert list(found) == ITEMS
    os.close(reading)
    os.close(writing)


def test_work_on_nothing_may_be_begun_ahead() -> None:
    assert list(ahead(in_processes(double, [], 2))) == []
