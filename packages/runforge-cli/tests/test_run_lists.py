"""Lists that answer which setting won: conditions, columns, orders and older entries."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest
from browsing import browsing, entry, write_index
from calls import TRAIN, Call
from syrupy.assertion import SnapshotAssertion

HOSTILE = "\x1b[2J,\nname=1"


def grid(number: int, **changes: Any) -> dict[str, Any]:
    """Return the entry of a run of a grid."""
    settings = {"C": (0.01, 0.1, 1.0)[number % 3], "max_iter": 100 + number % 2 * 100}
    settings |= {"solver": "lbfgs", "depth": None, HOSTILE: f"\x1b[31m{number % 2}\n"}
    return entry(
        number,
        model_family="logistic_regression",
        status="succeeded",
        summary={"duration_ms": 10, "final_metrics": {"accuracy": number / 100}, "device": "cpu"},
        seed=number % 4,
        hyperparameters=settings,
        group_id=f"grp_20260101_000000_{number // 10}",
        **changes,
    )


@pytest.fixture
def store(workspace: Path) -> Path:
    """Return a workspace with the runs of three sweeps, and one run of another model."""
    forest = entry(30, hyperparameters={"n_estimators": 10}, seed=1, status="succeeded")
    write_index(workspace, [*map(grid, range(30)), forest])
    return workspace


def ids(runforge: Call, *options: str) -> list[str]:
    result = runforge("runs", "--json", "--limit", "100", *options)
    assert result.code == 0, result.out
    return [item["run_id"] for item in result.json["runs"]]


def test_the_list_has_the_settings_in_which_runs_differ(
    runforge: Call, store: Path, snapshot: SnapshotAssertion
) -> None:
    result = runforge("runs", "--sort", "accuracy", "--limit", "8", "--where", "C<=0.1")
    assert result.out == snapshot
    assert "\x1b" not in result.out
    assert max(map(len, result.out.splitlines())) <= 80


def test_chosen_columns_fit_any_terminal(
    runforge: Call, store: Path, snapshot: SnapshotAssertion, monkeypatch: pytest.MonkeyPatch
) -> None:
    for columns in ("run,C,seed,accuracy,group", "all"):
        shown = runforge("runs", "--columns", columns, "--limit", "4").out
        assert shown == snapshot
        monkeypatch.setenv("COLUMNS", "40")
        narrow = runforge("runs", "--columns", columns, "--limit", "4").out
        assert max(map(len, narrow.splitlines())) <= 40
        monkeypatch.setenv("COLUMNS", "80")


def test_conditions_and_orders_take_any_value(runforge: Call, store: Path) -> None:
    everything = ids(runforge)
    grids = everything[1:]
    assert len(everything) == 31
    assert ids(runforge, "--where", "C=0.01") == grids[2::3]
    assert ids(runforge, "--where", "C!=0.01") == [x for x in everything if x not in grids[2::3]]
    assert ids(runforge, "--where", "C<1", "--where", "max_iter=200", "--where", "seed=1") == [
        run
        for number, run in zip(range(29, -1, -1), grids, strict=True)
        if number % 3 != 2 and number % 2 == 1 and number % 4 == 1
    ]
    assert ids(runforge, "--where", "depth=none", "--sort", "-accuracy") == grids[::-1]
    assert ids(runforge, "--where", "n_estimators>5") == everything[:1]
    assert ids(runforge, "--where", f"param.{'C'}>=1", "--sort", "C") == grids[0::3]
    assert ids(runforge, "--where", f"{json.dumps(HOSTILE)}~31m1") == grids[0::2]
    assert ids(runforge, "--where", "group=grp_20260101_000000_1") == grids[10:20]
    assert ids(runforge, "--sort", "-created") == everything[::-1]
    assert ids(runforge, "--where", "C<-1") == []


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        (("--where", "C<"), "the value is missing"),
        (("--where", "Cc<1"), "no run has a value named `Cc`"),
        (("--where", "accuracy>high"), "compares the number `accuracy` with `high`"),
        (("--sort", "max_iters"), "Did you mean `max_iter`?"),
        (("--sort", "-"), "is no name to sort by"),
        (("--columns", "run,,C"), "a name is empty"),
        (("--columns", "run,nothing"), "no run has a value named `nothing`"),
        (("--where", "\x1b[2J=1"), "no run has a value named `\\x1b[2J`"),
    ],
)
def test_wrong_options_are_refused(
    runforge: Call, store: Path, options: tuple[str, ...], problem: str
) -> None:
    result = runforge("runs", *options)
    assert (result.code, result.out) == (2, "")
    assert "error[USAGE_INVALID]" in result.err
    assert problem in result.err
    assert "\x1b" not in result.err


def test_csv_has_every_setting(runforge: Call, store: Path) -> None:
    out = runforge("runs", "--csv", "--limit", "100").out
    rows = list(csv.DictReader(io.StringIO(out, newline="")))
    assert (rows[0]["C"], rows[0]["n_estimators"], rows[0]["depth"]) == ("", "10", "")
    assert (rows[1]["C"], rows[1]["seed"], rows[1]["depth"]) == ("1.0", "1", "none")
    assert rows[1]["group_id"] == "grp_20260101_000000_2"
    assert rows[1][HOSTILE] == "\x1b[31m1\n"
    chosen = runforge("runs", "--csv", "--columns", "run,C", "--limit", "2").out
    assert chosen.splitlines()[0] == "run,C"


def test_older_entries_are_read_from_their_runs(runforge: Call, workspace: Path) -> None:
    older = []
    for number in range(120):
        item = {**entry(number), "status": "succeeded"}
        folder = workspace / ".runforge/runs" / item["run_id"]
        folder.mkdir(parents=True)
        record = {
            "schema_version": "run.v0.4.0",
            "seed": number % 4,
            "hyperparameters": [{"name": "C", "value": number % 3, "source": "cli"}],
        }
        (folder / "run.json").write_text(json.dumps(record), "utf-8")
        older.append(item)
    write_index(workspace, older)
    before = (workspace / ".runforge/index.json").read_bytes()
    plain = runforge("runs", "--limit", "5")
    assert plain.err == ""
    assert plain.out.splitlines()[0].split()[3:5] == ["C", "seed"]
    found = runforge("runs", "--where", "C=2", "--sort", "accuracy", "--json")
    assert {item["hyperparameters"]["C"] for item in found.json["runs"]} == {2}
    assert "The settings of 120 runs were read from their folders, which is slower" in found.err
    assert runforge("runs", "--where", "C=2", "--quiet").err == ""
    assert (workspace / ".runforge/index.json").read_bytes() == before


def test_the_runs_of_a_sweep_are_listed_in_its_order(runforge: Call, workspace: Path) -> None:
    made = runforge("sweep", *TRAIN[1:], "--grid", "C=1,0.1", "--name", "two", "--jobs", "1")
    assert made.code == 0, made.err
    runforge(*TRAIN, "--seed", "3")
    rows = runforge("runs", "--group", "two", "--columns", "C,accuracy").out.splitlines()
    assert [row.split()[0] for row in rows] == ["C", "1.0", "0.1"]
    assert len(ids(runforge, "--group", "latest", "--where", "C<1")) == 1
    missing = runforge("runs", "--group", "nothing")
    assert (missing.code, "GROUP_NOT_FOUND" in missing.err) == (3, True)


def test_the_browser_takes_conditions(store: Path) -> None:
    async def steps(seen: Any) -> None:
        # The settings that most runs have come first.
        assert "C" in seen.heading.split()
        await seen.press("slash", *"C", "less_than_sign", *"0.1", "space", *"logistic")
        await seen.until(lambda: seen.said("state").startswith("10 of 31"))
        await seen.press("escape", "down", "w")
        await seen.until(lambda: seen.said("state").startswith("10 of 31 runs"))
        await seen.press("escape", "slash", *"nothing", "equals_sign", *"1")
        await seen.until(lambda: "no run has a value named `nothing`" in seen.said("problem"))

    browsing(store, steps)
