"""Browsing shows what the commands say, of any store, and harms nothing."""

from __future__ import annotations

import os
import shutil
import stat
import sys
import unicodedata
from pathlib import Path
from typing import Any

import pytest
from browsing import VECTORS, Seen, browsing, entry, write_index
from calls import Call
from runforge_cli.browse.notice import Notice
from runforge_cli.browse.run_table import RunList
from textual.geometry import Offset
from textual.widgets import Input, Tabs

FOREST, LINEAR = "20260224-100000-3f2d1b26", "20260223-100000-e6dca325"


@pytest.fixture
def real(tmp_path: Path) -> Path:
    """Return a workspace with runs of every outcome."""
    shutil.copytree(VECTORS / "v0.4.0", tmp_path / "real")
    return tmp_path / "real"


@pytest.fixture
def many(tmp_path: Path) -> Path:
    """Return a workspace with 10,000 runs."""
    write_index(tmp_path / "many", [entry(number) for number in range(10_000)])
    return tmp_path / "many"


def ids(seen: Seen) -> list[str]:
    return [row.split()[0] for row in seen.rows]


def test_the_list_shows_every_run_newest_first(real: Path) -> None:
    async def steps(seen: Seen) -> None:
        assert seen.heading.split() == [
            "run",
            "▼",
            "status",
            "accuracy",
            "n_estimators",
            "max_depth",
        ]
        assert [row.split()[:2] for row in seen.rows] == [
            ["20260302-100000-0badcafe", "incomplete"],
            ["20260301-100000-5780f457", "cancelled"],
            ["20260225-100000-c1b80f5d", "failed"],
            [FOREST, "succeeded"],
            [LINEAR, "succeeded"],
        ]
        assert seen.said("state") == "5 runs"

    browsing(real, steps, size=(84, 24))


@pytest.mark.parametrize(
    "store",
    [
        "v0.2.2.1",
        *(
            pytest.param(store, marks=pytest.mark.slow)
            for store in ("v0.3.3", "v0.3.6", "legacy-root")
        ),
    ],
)
def test_runs_of_older_clients_are_opened(store: str) -> None:
    async def steps(seen: Seen) -> None:
        run_id = ids(seen)[0]
        await seen.press("enter")
        for page in ("Run ", "Metrics of run", "", "Diagnostics of run", "Data", "", "Run "):
            await seen.until(lambda page=page: seen.page.startswith(page) and seen.page[-1:] != "…")
            assert "error[INTERNAL]" not in seen.page
            await seen.press("right")
        await seen.until(lambda: seen.page.startswith(f"Run {run_id}: succeeded"))

    browsing(VECTORS / store, steps)


#: The commands that the pages of a run stand for, and their keys.
KEYS = {
    "show": "1",
    "metrics": "2",
    "importance": "3",
    "diagnostics": "4",
    "inspect-artifact": "6",
    "verify": "v",
}


@pytest.mark.parametrize("command", KEYS)
def test_the_pages_of_a_run_say_what_the_commands_say(
    command: str, runforge: Call, real: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "77")
    reported = runforge(command, FOREST, "--workspace", str(real)).out

    async def steps(seen: Seen) -> None:
        await seen.press("down", "down", "down", "enter", KEYS[command])
        await seen.until(
            lambda: [line.rstrip() for line in seen.page.splitlines()] == reported.splitlines()
        )

    browsing(real, steps)


def test_a_run_shows_its_origin(real: Path) -> None:
    async def steps(seen: Seen) -> None:
        await seen.press("end", "enter", "5")
        await seen.until(lambda: "How to reproduce" in seen.page)
        lines = seen.page.splitlines()
        assert lines[0] == "Data"
        assert f"    runforge reproduce {LINEAR}" in lines
        assert any(line.split()[:1] == ["scikit-learn"] for line in lines)

    browsing(real, steps)


def test_two_marked_runs_are_compared_as_diff_does(
    runforge: Call, real: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "77")
    reported = runforge("diff", LINEAR, FOREST, "--workspace", str(real)).out

    async def steps(seen: Seen) -> None:
        await seen.press("c")
        assert seen.notice == "Mark at least two runs with the space bar."
        await seen.press("end", "space")
        assert seen.rows[-1].startswith("A  ")
        assert seen.said("state") == "5 runs · 1 marked"
        await seen.press("up", "c")
        await seen.until(
            lambda: [line.rstrip() for line in seen.page.splitlines()] == reported.splitlines()
        )
        await seen.press("escape", "escape")
        assert seen.said("state") == "5 runs"

    browsing(real, steps)


def test_the_fingerprint_is_copied_through_the_terminal(real: Path) -> None:
    async def steps(seen: Seen) -> None:
        await seen.press("y")
        assert seen.notice == "The run does not record the SHA-256 of its dataset."
        await seen.press("end", "y")
        assert len(seen.app.clipboard) == 64
        assert seen.app.clipboard in seen.notice

    browsing(real, steps)


def test_a_large_store_is_read_as_far_as_it_is_looked_at(many: Path) -> None:
    async def steps(seen: Seen) -> None:
        table = seen.app.screen.query_one(RunList)
        assert (len(table.runs), seen.said("state")) == (200, "10,000 runs")
        assert ids(seen)[0] == entry(9999)["run_id"]
        await seen.press(*["pagedown"] * 12)
        await seen.until(lambda: 200 < len(table.runs) < 10_000)
        await seen.press("end")
        await seen.until(lambda: len(table.runs) == 10_000)
        await seen.press("end")
        assert ids(seen)[-1] == entry(0)["run_id"]

    browsing(many, steps)


def test_words_choose_runs_while_they_are_typed(many: Path) -> None:
    async def steps(seen: Seen) -> None:
        await seen.press("slash", *"status:failed", "space", *"MODEL:forest")
        await seen.until(lambda: seen.said("state") == "667 of 10,000 runs")
        assert all(row.split()[1] == "failed" for row in seen.rows)
        await seen.press("enter", "down")
        assert seen.app.screen.query_one(RunList).cursor == 1
        await seen.press("escape")
        await seen.until(lambda: seen.said("state") == "10,000 runs")
        await seen.press("slash", *"no such", "enter")
        await seen.until(lambda: seen.absence == "No runs match.")
        await seen.press("escape", "d")
        await seen.until(lambda: seen.said("state") == "2,500 of 10,000 runs")
        assert seen.app.screen.query_one(Input).value == f"dataset:{'3' * 12}"

    browsing(many, steps)


def test_a_dataset_is_named_by_its_file(real: Path) -> None:
    async def steps(seen: Seen) -> None:
        seen.app.screen.query_one(Input).value = "dataset:data/three-classes.csv"
        await seen.until(lambda: FOREST in ids(seen) and LINEAR not in ids(seen))

    browsing(real, steps)


def test_columns_sort_by_key_and_by_click(many: Path) -> None:
    async def steps(seen: Seen) -> None:
        def cells(column: int) -> list[str]:
            return [row.split()[column] for row in seen.rows]

        await seen.press("s", "s")
        await seen.until(lambda: "accuracy ▼" in seen.heading)
        await seen.until(
            lambda: cells(2) == sorted(cells(2), reverse=True) and cells(2)[0] > "0.99"
        )
        await seen.press("S")
        await seen.until(lambda: "accuracy ▲" in seen.heading and cells(2)[0] == "0.0000")
        await seen.press("m", "m")
        await seen.until(
            lambda: "log_loss" in seen.heading and "metric log_loss" in seen.said("state")
        )
        await seen.pilot.click("Heading", offset=Offset(seen.heading.index("duration"), 0))
        await seen.until(lambda: "duration▲" in seen.heading and ids(seen)[0] == entry(0)["run_id"])
        await seen.pilot.click("Heading", offset=Offset(4, 0))
        await seen.until(lambda: ids(seen)[0] == entry(9999)["run_id"])

    browsing(many, steps)


def test_the_mouse_goes_to_runs_opens_them_and_turns_pages(real: Path) -> None:
    async def steps(seen: Seen) -> None:
        await seen.pilot.click("RunList", offset=Offset(10, 3))
        assert seen.app.screen.query_one(RunList).cursor == 3
        await seen.pilot.click("RunList", offset=Offset(10, 3), times=2)
        await seen.until(lambda: seen.page.startswith(f"Run {FOREST}"))
        await seen.pilot.click("#metrics")
        await seen.until(lambda: seen.page.startswith("Metrics"))
        assert seen.app.screen.query_one(Tabs).active == "metrics"

    browsing(real, steps)


def test_a_new_run_appears_and_the_cursor_stays_at_its_run(tmp_path: Path) -> None:
    entries = [entry(number) for number in range(300)]
    write_index(tmp_path, entries)

    async def steps(seen: Seen) -> None:
        table = seen.app.screen.query_one(RunList)
        await seen.press("down", "down")
        before = table.current
        write_index(tmp_path, [*entries, entry(300)])
        await seen.until(lambda: ids(seen)[0] == entry(300)["run_id"])
        await seen.until(lambda: seen.said("state") == "301 runs")
        assert before is not None
        assert table.current is not None
        assert (table.current.key, table.cursor) == (before.key, 3)

    browsing(tmp_path, steps)


def test_an_empty_store_says_what_to_do_and_waits(tmp_path: Path) -> None:
    async def steps(seen: Seen) -> None:
        assert "Create one with `runforge train DATA --label COLUMN`" in seen.absence
        await seen.press("enter", "space", "c", "v", "o", "y", "d", "s", "S", "m", "end")
        write_index(tmp_path, [entry(1)])
        await seen.until(lambda: seen.absence == "" and ids(seen) == [entry(1)["run_id"]])

    browsing(tmp_path, steps)


def test_what_cannot_be_read_is_shown_as_such(real: Path) -> None:
    store = real / ".runforge"
    (store / "index.json").write_text("{", "utf-8")
    (store / "runs" / LINEAR / "run.json").write_text("[", "utf-8")
    (store / "runs/backup").mkdir()

    async def steps(seen: Seen) -> None:
        assert seen.said("problem").startswith("The index of the store cannot be read:")
        assert [row.split()[:2] for row in seen.rows][-2:] == [
            [LINEAR, "unreadable"],
            ["backup", "incomplete"],
        ]
        await seen.press("end", "up", "enter")
        await seen.until(lambda: seen.page.startswith("error[JSON_INVALID]"))
        await seen.press("v")
        await seen.until(lambda: "NOT VERIFIED" in seen.page)

    browsing(real, steps)


def test_an_index_that_leads_out_of_the_workspace_is_refused(tmp_path: Path) -> None:
    write_index(tmp_path, [entry(1, run_dir="../../etc")])

    async def steps(seen: Seen) -> None:
        await seen.press("enter")
        await seen.until(lambda: seen.page.startswith("error[PATH_OUTSIDE_ROOT]"))

    browsing(tmp_path, steps)


HOSTILE = "[red]a[/] [@click=app.quit]b[/] \x1b[2J\x1b]52;c;eA==\x07 \u202eevil\u202c \r\n\t$x"


def test_hostile_names_are_only_text(tmp_path: Path) -> None:
    strange = entry(1, name=HOSTILE, label_column=HOSTILE, preset_id=HOSTILE, model_family=HOSTILE)
    strange["summary"]["final_metrics"] = {HOSTILE: 0.5}
    strange["dataset_fingerprint_sha256"] = HOSTILE
    write_index(tmp_path, [strange])

    async def steps(seen: Seen) -> None:
        for key in ("m", "s", "space", "y", "d", "slash"):
            await seen.press(key)
        await seen.press(*"[red]", "enter")
        await seen.until(lambda: seen.said("state").startswith("1 of 1 run"))
        shown = "\n".join([*seen.rows, seen.heading, seen.said("state"), seen.notice])
        assert "[red]a[/]" in shown
        assert all(unicodedata.category(c)[0] != "C" for c in shown.replace("\n", ""))
        await seen.press("enter")
        await seen.until(lambda: seen.page.startswith("Run "))

    browsing(tmp_path, steps, size=(200, 24))


@pytest.mark.parametrize("size", [(60, 20), (40, 10), (20, 5), (200, 60)])
def test_every_screen_fits_every_terminal(size: tuple[int, int], real: Path) -> None:
    async def steps(seen: Seen) -> None:
        assert all(len(row) <= size[0] for row in [*seen.rows, seen.heading])
        await seen.press("space", "down", "c")
        await seen.until(lambda: "Environment" in seen.page)
        widest = max(len(line) for line in seen.page.splitlines())
        assert widest <= max(size[0] - 3, 40)
        await seen.pilot.resize_terminal(100, 30)
        await seen.pilot.resize_terminal(*size)
        await seen.press("escape", "question_mark")
        await seen.until(lambda: "status:failed" in seen.page)

    browsing(real, steps, size=size)


def test_the_keys_are_reported_once(real: Path) -> None:
    async def steps(seen: Seen) -> None:
        await seen.press("question_mark", "question_mark")
        await seen.until(lambda: "Check whether the run was changed" in seen.page)
        assert len(seen.app.screen_stack) == 2
        await seen.press("escape")
        assert len(seen.app.screen_stack) == 1

    browsing(real, steps)


def test_colours_can_be_chosen_unless_there_are_none(real: Path) -> None:
    themes = []

    async def steps(seen: Seen) -> None:
        themes.append(seen.app.theme)
        await seen.press("t")
        themes.append(seen.app.theme)

    browsing(real, steps)
    browsing(real, steps, no_color=True)
    assert themes == ["terminal", "textual-dark", "terminal", "terminal"]


@pytest.mark.skipif(os.name == "nt", reason="the browser of the test is a script")
def test_a_report_is_written_aside_and_opened(
    real: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = tmp_path / "opened"
    script = tmp_path / "show"
    script.write_text(
        f"#!{sys.executable}\nimport sys\nopen({str(opened)!r}, 'w').write(sys.argv[1])\n"
    )
    script.chmod(0o755)
    monkeypatch.setenv("BROWSER", f"{script} %s &")
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    monkeypatch.setattr("webbrowser._tryorder", None)
    before = sorted((real / ".runforge").rglob("*"))

    async def steps(seen: Seen) -> None:
        await seen.press("end", "o")
        await seen.until(lambda: "The report is\n" in seen.notice)
        await seen.until(opened.exists)

    browsing(real, steps)
    page = Path(opened.read_text().removeprefix("file://"))
    assert (page.parent.parent, page.name) == (tmp_path, f"{LINEAR}.html")
    assert stat.S_IMODE(page.parent.stat().st_mode) == 0o700
    assert LINEAR in page.read_text("utf-8")
    assert sorted((real / ".runforge").rglob("*")) == before


def test_a_report_that_cannot_be_written_is_reported(tmp_path: Path) -> None:
    write_index(tmp_path, [entry(1)])
    shutil.rmtree(tmp_path / ".runforge/runs")

    async def steps(seen: Seen) -> None:
        await seen.press("o")
        await seen.until(lambda: "is missing" in seen.notice)

    browsing(tmp_path, steps)


def test_a_message_covers_nothing(real: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("webbrowser._tryorder", [])

    async def steps(seen: Seen) -> None:
        await seen.until(lambda: len(seen.rows) == 5)
        await seen.press("end", "o")
        await seen.until(lambda: "No web browser was found." in seen.notice)
        screen = seen.app.screen
        parts = [screen.query_one(RunList).region, screen.query_one(Notice).region]
        assert not parts[0].overlaps(parts[1])
        assert seen.notice.splitlines()[1].endswith(f"{LINEAR}.html")
        assert len(seen.rows) == 5

    browsing(real, steps, size=(60, 20))


def test_equal_values_are_marked_as_in_lists(tmp_path: Path) -> None:
    def run(number: int, accuracy: float) -> dict[str, Any]:
        return entry(number, summary={"final_metrics": {"accuracy": accuracy}})

    write_index(tmp_path, [run(1, 0.5), run(3, 0.9), run(6, 0.9)])

    async def steps(seen: Seen) -> None:
        await seen.until(lambda: len(seen.rows) == 3)
        assert "=" not in "".join(seen.rows)
        await seen.press("s", "s")
        await seen.until(lambda: "= as good as another run" in seen.said("state"))
        assert [" = " in f"{row} " for row in seen.rows] == [True, True, False]

    browsing(tmp_path, steps, size=(100, 20))


def test_a_narrow_list_has_the_names(tmp_path: Path) -> None:
    write_index(tmp_path, [entry(3, seed=1), entry(6, seed=2)])

    async def steps(seen: Seen) -> None:
        await seen.until(lambda: len(seen.rows) == 2)
        assert seen.heading.split()[-1] == "name"
        assert [row.split()[-2:] for row in seen.rows] == [["sweep", "6"], ["sweep", "3"]]

    browsing(tmp_path, steps, size=(60, 20))


@pytest.mark.parametrize("options", [(), ("--json",)])
def test_without_a_terminal_there_is_a_hint(options: tuple[str, ...], runforge: Call) -> None:
    result = runforge("browse", *options)
    text = result.json["error"]["hint"] if options else result.err
    assert (result.code, "`runforge runs`" in text) == (2, True)
    assert "USAGE_INVALID" in (result.out + result.err)
