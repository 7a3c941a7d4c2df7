"""The progress of work on many runs: a bar on a terminal, a line elsewhere, or nothing."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from calls import Call
from runforge_cli.process import interruption
from runforge_cli.render import work_progress
from runforge_cli.render.work_progress import watch_for
from runforge_cli.shell.settings import Settings


def settings(**chosen: bool) -> Settings:
    found: Any = SimpleNamespace(**{"json": False, "quiet": False, **chosen})
    return found


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let half a second pass between two looks at the time."""
    times = iter(range(10**6))
    monkeypatch.setattr(work_progress, "time", SimpleNamespace(monotonic=lambda: next(times) / 2))


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    stderr = SimpleNamespace(isatty=lambda: True)
    monkeypatch.setattr(work_progress, "sys", SimpleNamespace(stderr=stderr))


def test_elsewhere_there_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert list(watch_for(settings())("Verifying runs", range(500), 500)) == list(range(500))
    assert capsys.readouterr().err == "Verifying runs: 500\n"


def test_little_work_has_no_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert list(watch_for(settings())("Verifying runs", range(499), 499)) == list(range(499))
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("chosen", [{"json": True}, {"quiet": True}])
@pytest.mark.usefixtures("terminal")
def test_nothing_is_shown_on_request(
    chosen: dict[str, bool], capsys: pytest.CaptureFixture[str]
) -> None:
    assert list(watch_for(settings(**chosen))("Reading runs", range(900), 900)) == list(range(900))
    assert capsys.readouterr().err == ""


@pytest.mark.usefixtures("terminal")
def test_a_bar_shows_how_far_it_is_and_goes(capsys: pytest.CaptureFixture[str]) -> None:
    assert list(watch_for(settings())("Verifying runs", range(4), 4)) == [0, 1, 2, 3]
    _, *drawn = capsys.readouterr().err.split(work_progress.ERASE)
    assert "2 of 4, 0:01, 0:01 left" in drawn[0]
    assert "4 of 4, 0:02" in drawn[-2]
    assert drawn[-1] == ""


@pytest.mark.usefixtures("terminal")
def test_the_bar_goes_where_the_work_fails(capsys: pytest.CaptureFixture[str]) -> None:
    def work() -> Iterator[int]:
        yield from (1, 2)
        raise RuntimeError("it broke")

    with pytest.raises(RuntimeError, match="it broke"):
        list(watch_for(settings())("Verifying runs", work(), 4))
    assert capsys.readouterr().err.endswith(work_progress.ERASE)


def test_an_interrupt_tells_what_is_known(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(interruption, "_last", None)
    runs = [SimpleNamespace(run_id=f"run\x1b{n}", holds=n != 1) for n in range(4)]
    with closing(watch_for(settings())("Verifying runs", iter(runs), 4)) as results:  # type: ignore[type-var]
        for _ in range(3):
            next(results)
        assert interruption._last is not None
        interruption._last(2)
    told = capsys.readouterr().err
    assert "Verifying runs: ended after 3 of 4.\nNot verified: 1: " in told
    assert "\x1b" not in told


def test_a_name_that_no_run_has_is_set_without_the_index(
    runforge: Call, filled: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from runforge_cli.commands import alias_command

    def refuse(_: Settings) -> list[dict[str, Any]]:
        raise AssertionError("the index is parsed")

    monkeypatch.setattr(alias_command, "_rows", refuse)
    assert runforge("alias", "production", "latest").code == 0
