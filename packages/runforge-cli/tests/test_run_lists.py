"""Lists that answer which setting won: conditions, columns, orders and older entries."""

from __future__ import annotations

import csv
import io
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from browsing import browsing, entry, write_index
from calls import TRAIN, Call
from runforge_cli.listing import run_query_list
from runforge_contracts.codec.strict_json import encode_json
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


@pytest.mark.parametrize("length", [0, 1_000])
def test_a_list_loads_no_library_for_documents(length: int, workspace: Path) -> None:
    # The newest runs are read from the end of a large index.
    write_index(workspace, [grid(number, note="x" * length) for number in range(200)])
    program = (
        "import sys\n"
        "from runforge_cli.shell.app import cli\n"
        "assert cli.main(sys.argv[1:], standalone_mode=False) == 0\n"
        "late = {'dataclasses', 'jsonschema_rs', 'msgspec', 'hashlib'}\n"
        "late |= {'runforge_contracts.documents', 'runforge_contracts.index.index_filter'}\n"
        "assert not late & set(sys.modules), late & set(sys.modules)\n"
    )
    command = [sys.executable, "-c", program, "--workspace", str(workspace), "runs"]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


@pytest.mark.parametrize("limit", [500, 501, 1_200, 5_000])
def test_a_long_list_is_printed_as_a_short_one_is(
    limit: int, runforge: Call, workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run_query_list, "_LONG", 500)
    # Some began before those that were listed before them, and some have no folder.
    entries = [grid(number ^ 3, tags=["odd"] if number % 2 else []) for number in range(1_200)]
    write_index(workspace, entries)
    for item in entries[::400]:
        (workspace / item["run_dir"]).rmdir()
        item["state"] = "missing"
    newest = sorted(entries, key=lambda item: item["run_id"][:15])[::-1]
    for options, runs in (
        ([], newest),
        (["--tag", "odd"], [item for item in newest if item["tags"]]),
        (["--tag", "even"], []),
        (["--sort", "-created"], newest[::-1]),
    ):
        result = runforge("runs", "--json", "--limit", str(limit), *options)
        document = {"schema_version": "index.v1", "runs": runs[:limit]}
        assert result.out == encode_json(document).decode()


def test_an_invalid_entry_in_a_long_list_is_reported(
    runforge: Call, workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run_query_list, "_LONG", 500)
    write_index(workspace, [*map(grid, range(1_200))])
    index = workspace / ".runforge/index.json"
    index.write_text(index.read_text("utf-8").replace('"seed": 0', '"seed": NaN', 1), "utf-8")
    result = runforge("runs", "--json", "--limit", "5000")
    assert result.code == 0
    assert "The index of the store cannot be read" in result.err
    assert len(result.json["runs"]) == 1_200  # those found in the folders


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


def timed(number: int, day: int, **metrics: float) -> dict[str, Any]:
    """Return the entry of a run of November 2026."""
    run_id = f"202611{day:02}-120000-{number:08x}"
    return entry(
        number,
        run_id=run_id,
        run_dir=f".runforge/runs/{run_id}",
        created_at=f"2026-11-{day:02}T12:00:00Z",
        name=f"try {number}",
        status="succeeded",
        summary={"duration_ms": 10, "final_metrics": metrics, "device": "cpu"},
    )


@pytest.fixture
def november(workspace: Path) -> list[str]:
    """Return the ids of runs of which three have the best accuracy, the oldest first."""
    entries = [
        timed(0, 1, accuracy=0.9, f1_score=0.5, log_loss=0.1),
        timed(1, 10, accuracy=0.9, f1_score=0.8, log_loss=0.3),
        timed(2, 20, accuracy=0.9, f1_score=0.8, log_loss=0.3),
        timed(3, 27, accuracy=0.7, f1_score=0.9, log_loss=0.2),
        timed(4, 28, log_loss=0.9),
    ]
    write_index(workspace, entries)
    return [item["run_id"] for item in entries]


def test_runs_are_listed_by_time_name_and_bounds(
    runforge: Call, november: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1795867200")  # 2026-11-28T12:00:00Z
    newest = november[::-1]
    assert ids(runforge, "--since", "7d") == newest[:2]
    assert ids(runforge, "--since", "8d") == newest[:3]
    assert ids(runforge, "--since", "2026-11-20") == newest[:3]
    assert ids(runforge, "--since", "2026-11-20T14:01+02:00") == newest[:2]
    assert ids(runforge, "--before", "2026-11-20") == newest[3:]
    assert ids(runforge, "--since", "3w", "--before", "2026-11-28T12:00") == newest[1:4]
    assert ids(runforge, "--name", "try 3") == [november[3]]
    assert ids(runforge, "--name", "try") == []
    assert ids(runforge, "--min", "accuracy=0.9", "--max", "log_loss=0.2") == [november[0]]
    assert ids(runforge, "--min", "f1_macro=0.8") == newest[1:4]
    for option, value in (("--since", "soon"), ("--min", "accuracy"), ("--max", "beauty=1")):
        refused = runforge("runs", option, value)
        assert (refused.code, "USAGE_INVALID" in refused.err) == (2, True)


def test_equal_values_are_marked_and_decided_by_the_other_metrics(
    runforge: Call, november: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    # The two that are equal in all metrics: the first one is the best, as for `best`.
    best = [november[1], november[2], november[0], november[3], november[4]]
    assert ids(runforge, "--sort", "accuracy") == best
    assert ids(runforge, "--sort", "metric", "--min", "accuracy=0") == best[:4]
    assert ids(runforge, "--sort", "accuracy", "--where", "status=succeeded") == best
    assert ids(runforge, "--sort", "-accuracy") == [*[november[n] for n in (3, 0, 1, 2)], best[4]]
    table = runforge("runs", "--sort", "accuracy").out.splitlines()
    marked = [line.split()[3] == "=" for line in table[1:6]]
    assert marked == [True, True, True, False, False]
    assert table[6] == "= tied with another run by `accuracy`; the other metrics decide the order."
    chosen = runforge("runs", "--sort", "accuracy", "--columns", "run,accuracy,name").out
    assert [" = " in line for line in chosen.splitlines()[1:]] == marked
    assert " = " not in runforge("runs").out
    found = runforge("diff", "best:accuracy", "latest")
    assert f"best:accuracy is {november[1]}" in found.err
    equal = (
        "; 2 other runs have the same value, 1 of them in every metric: the first of these counts"
    )
    assert equal in found.err
    assert "other run" not in runforge("show", "best:f1_macro").err


def test_the_day_is_shown_where_there_is_room(
    runforge: Call, november: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    wide = runforge("runs").out.splitlines()
    assert "created" in wide[0].split()
    assert "2026-11-28" in wide[1]
    monkeypatch.setenv("COLUMNS", "60")
    narrow = runforge("runs", "--since", "2026-11-01").out.splitlines()
    assert "created" in narrow[0].split()
    assert max(map(len, narrow)) <= 60


def test_bounds_and_ties_are_the_same_in_a_large_index(
    runforge: Call, workspace: Path, november: list[str]
) -> None:
    """The lines of an index are filtered without parsing it, as long as it has its own form."""
    options = ("--sort", "accuracy", "--since", "2026-11-02", "--max", "log_loss=0.9")
    quick = ids(runforge, *options)
    index = workspace / ".runforge/index.json"
    index.write_text(json.dumps(json.loads(index.read_text("utf-8"))), "utf-8")
    assert ids(runforge, *options) == quick == [november[n] for n in (1, 2, 3, 4)]
