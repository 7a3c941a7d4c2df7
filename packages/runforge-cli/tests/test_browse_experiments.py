"""Browsing in a repository with runs of both kinds."""

from __future__ import annotations

import unicodedata
from pathlib import Path

import pytest
from browsing import Seen, browsing
from calls import Call
from real_experiments import Repository, at_work


def ids(seen: Seen) -> list[str]:
    return [row.split()[0] for row in seen.rows]


async def go_to(seen: Seen, run_id: str) -> None:
    """Put the cursor on a run."""
    await seen.press("g", *["down"] * ids(seen).index(run_id))


def test_both_kinds_are_listed_and_filtered(runforge: Call, experiments: Repository) -> None:
    root = str(experiments.root)
    listed = runforge("runs", "--workspace", root, "--columns", "run").out.splitlines()[1:]

    async def steps(seen: Seen) -> None:
        assert ids(seen) == [line.split()[0] for line in listed]
        assert "kind" in seen.heading
        assert seen.said("state").startswith("9 runs")
        for words, names in (
            ("kind:trained", {"bridged", "trained"}),
            ("kind:exp status:failed", {"hostile", "broken"}),
            ("model:tiny", {"first", "faster", "broken", "killed"}),
            ("<script>", {"hostile"}),
        ):
            await seen.press("slash", *(("space" if c == " " else c) for c in words), "enter")
            expected = {experiments.ids[name] for name in names}
            await seen.until(lambda expected=expected: set(ids(seen)) == expected)
            await seen.press("escape")
            await seen.until(lambda: len(ids(seen)) == 9)

    browsing(experiments.root, steps, size=(100, 24))


@pytest.mark.parametrize(("key", "command"), [("1", "show"), ("v", "verify")])
def test_pages_say_what_the_commands_say(
    key: str,
    command: str,
    runforge: Call,
    experiments: Repository,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("COLUMNS", "77")
    run_id = experiments.ids["faster"]
    reported = runforge(command, run_id, "--workspace", str(experiments.root)).out

    async def steps(seen: Seen) -> None:
        await go_to(seen, run_id)
        await seen.press("enter", key)
        await seen.until(
            lambda: [line.rstrip() for line in seen.page.splitlines()] == reported.splitlines()
        )

    browsing(experiments.root, steps)


@pytest.mark.parametrize(
    "name",
    [
        "hostile",
        *(
            pytest.param(name, marks=pytest.mark.slow)
            for name in ("first", "broken", "killed", "other tool", "bridge")
        ),
    ],
)
def test_every_page_of_every_run_is_there(name: str, experiments: Repository) -> None:
    async def steps(seen: Seen) -> None:
        await go_to(seen, experiments.ids[name])
        await seen.press("enter")
        pages = []
        for number in range(6):
            await seen.until(lambda: seen.page.strip() not in ("", "…"))
            pages.append(seen.page)
            categories = {unicodedata.category(character) for character in seen.page}
            assert not (categories - {"Cc"}) & {"Cf", "Co", "Cs"}
            assert "\x1b" not in seen.page
            assert "error[INTERNAL]" not in seen.page
            assert max(map(len, seen.page.splitlines())) <= 80
            await seen.press("right")
            await seen.until(
                lambda number=number: number == 5 or not seen.page.startswith(pages[-1][:40])
            )
        assert pages[0].startswith(f"Run {experiments.ids[name]}")
        if name == "first":
            assert "loss, steps 1 to 40" in pages[1]
            assert pages[2] == "trained"
            assert "artifacts/model/weights.bin" in pages[3]
            assert "How to repeat" in pages[4]

    browsing(experiments.root, steps)


def test_marked_runs_of_both_kinds_are_compared(experiments: Repository) -> None:
    async def steps(seen: Seen) -> None:
        for name in ("bridge", "bridged"):
            await go_to(seen, experiments.ids[name])
            await seen.press("space")
        await seen.press("c")
        await seen.until(lambda: "The same model with the same metrics." in seen.page)

    browsing(experiments.root, steps)


def test_an_experiment_in_progress_appears_and_ends(repository: Repository) -> None:
    async def steps(seen: Seen) -> None:
        with at_work(repository.root) as (process, folder):
            await seen.until(lambda: ids(seen)[0] == folder.name)
            await seen.until(lambda: "0.5000" in seen.rows[0])
            process.terminate()
            process.wait()
        await seen.until(lambda: "cancelled" in seen.rows[0])

    browsing(repository.root, steps)


def test_a_repository_of_experiments_alone(repository: Repository) -> None:
    for path in sorted((repository.root / ".runforge").rglob("*"), reverse=True):
        path.unlink() if path.is_file() else path.rmdir()
    (repository.root / ".runforge").rmdir()

    async def steps(seen: Seen) -> None:
        assert len(ids(seen)) == 7
        assert "kind" not in seen.heading

    browsing(Path(repository.root), steps)
