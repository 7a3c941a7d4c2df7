"""The measurements measure what they say, and judge by it; nobody is timed here."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from xml.etree import ElementTree

import processors
import pytest
from growth import Point, Study, picture
from large_store import (
    TASKS,
    Measurement,
    copy_run,
    cost_of,
    installed,
    make_store,
    train_originals,
)
from large_store import line as large_line
from large_store import table_of as large_table
from page import Report, page
from pairing import Cost, Spread, cost, in_turns, python, ratio, runforge
from prepare import Prepared, measure_prepared
from resident import Resident, by_stage, can_look, samples
from runforge_contracts.store.layout import StoreLayout
from runforge_contracts.store.run import Run
from stages import STAGES, Breakdown, table_of, train
from sweeps import Grids, Many, peak_memory, setting
from tables import LABEL, write_iris, write_table
from train import BARE, Bar, Measured, Workspace, lines, rows

HERE = Path(__file__).parents[1]
#: Of a table of 1,000 rows, 5 features and 3 classes.
DIGEST = "808f2ef01eb95aa2e7a784be888ca2e33ae3d1552ad1acda16132209af1190ed"


def costs(*seconds: float, memory: float = 2**20) -> list[Cost]:
    return [Cost(value, value, memory, 0.0) for value in seconds]


#: Ten times as fast as pandas that writes the same.
PREPARED = Prepared(costs(1.0), costs(0.9), costs(1.0, memory=2**21), costs(10.0, memory=2**21))


def measured(*ratios: float, most: float = 0.8) -> Measured:
    rival = costs(*(2.0 for _ in ratios))
    return Measured(
        "a row", (Bar("seconds", most),), costs(*(2.0 * one for one in ratios)), rival, {}
    )


def test_everybody_measures_the_same_bytes(tmp_path: Path) -> None:
    table = write_table(tmp_path / "table.csv", 1_000, 5, 3).read_bytes()
    assert hashlib.sha256(table).hexdigest() == DIGEST
    header, first, *others = table.decode().splitlines()
    assert header == "feature_0,feature_1,feature_2,feature_3,feature_4,label"
    assert len(others) == 999
    assert {line.rpartition(",")[2] for line in (first, *others)} == {"0", "1", "2"}
    iris = write_iris(tmp_path / "iris.csv").read_text().splitlines()
    assert len(iris) == 151
    assert iris[0].endswith(f",{LABEL}")


def test_a_large_table_begins_like_a_small_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = write_table(tmp_path / "whole.csv", 500, 4, 2).read_bytes()
    monkeypatch.setattr("tables._VALUES", 100)
    assert write_table(tmp_path / "pieces.csv", 500, 4, 2).read_bytes() == whole


@pytest.mark.slow
@pytest.mark.parametrize("family", ["logistic_regression", "random_forest"])
def test_the_rival_does_the_compared_work(family: str, tmp_path: Path) -> None:
    place = Workspace(tmp_path / "place")
    table = write_table(place.folder / "table.csv", 600, 4, 3)
    command = place.bare(table, family)
    subprocess.run(list(map(str, command.arguments)), cwd=command.folder, check=True)
    theirs = json.loads((place.folder / "out/metrics.json").read_text())
    assert theirs["data_sha256"] == hashlib.sha256(table.read_bytes()).hexdigest()
    train(place.ours(table, family))
    [run] = (place.folder / ".runforge/runs").iterdir()
    ours = json.loads((run / "metrics.v1.json").read_text())
    assert theirs["accuracy"] == pytest.approx(ours["accuracy"])
    assert theirs["confusion_matrix"] == ours["confusion_matrix"]
    assert (run / "artifacts/model.pkl").stat().st_size > 0
    assert (place.folder / "out/model.pkl").stat().st_size > 0


def test_the_stages_of_a_run_make_up_the_whole(tmp_path: Path) -> None:
    place = Workspace(tmp_path / "place")
    done, stages = train(place.ours(write_iris(place.folder / "iris.csv"), "logistic_regression"))
    assert list(stages) == list(STAGES)
    # Events carry milliseconds.
    assert all(seconds > -0.002 for seconds in stages.values())
    assert sum(stages.values()) == pytest.approx(done.seconds, abs=0.01)
    run = max((place.folder / ".runforge/runs").iterdir())
    record = json.loads((run / "run.json").read_text())
    # As a user has it: in a repository, in which nothing is changed by the measurement.
    assert record["provenance"]["git"]["dirty"] is False


def test_processes_take_turns_and_their_memory_is_their_own(tmp_path: Path) -> None:
    log = tmp_path / "log"
    note = "import sys; open(sys.argv[1], 'a').write(sys.argv[2]); x = bytearray(int(sys.argv[3]))"
    small, large = (
        python("-c", note, log, letter, size) for letter, size in (("a", 1), ("b", 200_000_000))
    )
    ours, theirs = in_turns([small, large], rounds=3)
    assert log.read_text() == "ba" + "ab" + "ba" + "ab"
    assert (len(ours), len(theirs)) == (3, 3)
    assert all(one.memory < 100_000_000 for one in ours)
    assert all(one.memory > 200_000_000 for one in theirs)
    assert ratio(theirs, ours, "memory").least > 2


def test_a_process_that_fails_is_not_measured() -> None:
    with pytest.raises(subprocess.CalledProcessError):
        cost(python("-c", "raise SystemExit(3)"))


def test_the_verdict_is_on_the_median_of_the_pairs() -> None:
    met, missed = measured(0.1, 0.8, 5.0), measured(0.1, 0.81, 0.9)
    assert met.verdicts() == [(Bar("seconds", 0.8), Spread(0.8, 0.1, 5.0))]
    assert "bar 0.8: met" in next(lines(met))
    assert "bar 0.8: NOT MET" in next(lines(missed))


def report(*rows: Measured, study: Study | None = None, others: float | None = 0.0) -> Report:
    breakdown = Breakdown("iris", dict.fromkeys(STAGES, 0.1), 0.7, 0.5, 0.02)
    resident = Resident("iris", dict.fromkeys(STAGES, 2**27), 2**28)
    return Report(
        rows, [breakdown], [resident], [study] if study else [], [], others, prepared=PREPARED
    )


def test_the_page_names_every_bar_that_is_not_met() -> None:
    assert "Every bar is met." in page(report(measured(0.5)))
    told = page(report(measured(0.5), measured(0.9), others=0.3))
    assert "* a row: 0.90 (0.90 to 0.90) against 0.8; the processors work 0.90" in told
    assert "others used 30% of them meanwhile" in told
    assert "**Provisional**" in told
    assert told.count("**not met**") == 1
    assert "**Provisional**" not in page(report(measured(0.5), others=None))


def test_the_page_shows_rivals_where_they_were_measured() -> None:
    row = measured(0.5)
    beside = Measured(row.name, row.bars, row.ours, row.rival, {"MLflow autolog": costs(10.0)[:1]})
    told = page(Report([beside], [], [], [], [], None, "9.9"))
    assert "| MLflow autolog |" in told
    assert "10.00 s (5.00)" in told
    assert "MLflow 9.9" in told


def grown(*added: float, fitting: float = 1.0) -> Study:
    points = [
        Point(10**number, 10**number, fitting + more, fitting, 0.5, 2**28, 2**28)
        for number, more in enumerate(added, start=1)
    ]
    return Study("rows", points, [])


def test_growth_is_compared_with_that_of_the_table() -> None:
    assert grown(1, 10, 100).too_steep() == []
    assert grown(1, 10, 200).too_steep() == [1000]
    told = page(report(measured(0.5), study=grown(1, 20)))
    assert "growth over rows: what we add grows faster than table and estimator up to 100" in told
    assert "![Time and memory over rows](benchmarks/rows.svg)" in told


def test_pictures_are_xml_and_hold_every_size() -> None:
    tree = ElementTree.fromstring(picture(grown(1, 10, 100)))
    texts = [element.text for element in tree.iter("{http://www.w3.org/2000/svg}text")]
    assert {"Time over rows", "Memory over rows", "whole process", "10", "100", "1k"} <= {*texts}


def test_stages_are_reported_beside_the_floor() -> None:
    table = table_of(report().breakdowns)
    assert table[0] == ["stage, in milliseconds", "iris"]
    assert table[-1] == ["above the floor", "80"]


def test_memory_is_reported_beside_the_script() -> None:
    assert "| the script, at most | 256 |" in page(report())


@pytest.mark.skipif(not can_look(), reason="the system does not tell of other processes")
def test_memory_is_looked_at_while_it_is_in_use() -> None:
    found = samples(
        python("-c", "import time; x = bytearray(2**28); time.sleep(0.5); del x; time.sleep(0.5)")
    )
    assert 2**28 < max(size for _, size in found) < 2**29
    assert found[-1][1] < 2**27


def test_memory_is_that_of_the_stage_it_was_used_in(tmp_path: Path) -> None:
    names = [*STAGES]
    ends = [datetime.fromtimestamp(second, UTC).isoformat() for second in range(1, len(names))]
    events = tmp_path / "events.jsonl"
    told = [{"event": name, "timestamp": at} for name, at in zip(names, ends, strict=False)]
    events.write_text("\n".join(map(json.dumps, told)))
    most = by_stage([(0.5, 10), (0.9, 30), (1.1, 20), (100.0, 5)], events)
    assert most == {**dict.fromkeys(names, 0), names[0]: 30, names[1]: 20, "end": 5}


@pytest.mark.slow
def test_a_raw_table_is_compared_with_the_same_work(tmp_path: Path) -> None:
    prepared = measure_prepared(tmp_path, rows=500, rounds=1)
    assert len(prepared.proposed) == len(prepared.in_file) == 1
    ours, applied, theirs = (
        (tmp_path / name).read_bytes() for name in ("prepared.csv", "again.csv", "dummies.csv")
    )
    assert ours == applied == theirs


def test_the_page_compares_raw_tables_with_pandas() -> None:
    told = page(report())
    row = "`read_csv`, `get_dummies`, `to_csv` | 10.00 s | 0.10 (0.10 to 0.10) | 10.00 s |"
    assert row in told
    assert "| 2 MiB |" in told
    assert "Every bar is met." in told
    slow = replace(report(), prepared=replace(PREPARED, proposed=costs(3.0)))
    assert "* `runforge prepare`, processor: 3.00 against 1" in page(slow)


def test_a_figure_of_many_runs_is_judged_by_its_bar() -> None:
    few = Many("few", "times", Spread(1.2, 1.0, 2.0), 1.25)
    ahead = Many("ahead", "times", Spread(1.7, 1.6, 1.9), 1.8, at_least=True)
    assert (few.is_met(), ahead.is_met()) == (True, False)
    told = page(Report([], [], [], [], [few, ahead], None))
    assert "* ahead: 1.70 (1.60 to 1.90) times against 1.8" in told
    assert "| few | 1.20 (1.00 to 2.00) times | at most 1.25 | met |" in told
    assert "## Many runs" not in page(report())


def test_a_grid_varies_what_its_family_has() -> None:
    assert setting("random_forest", 3) == ("min_samples_leaf", range(1, 4))
    name, values = setting("logistic_regression", 5)
    assert (name, values) == ("C", [0.01, 0.1, 1.0, 10.0, 100.0])


@pytest.mark.skipif(not can_look(), reason="the system does not tell of other processes")
def test_memory_of_a_command_is_that_of_all_its_processes() -> None:
    child = "import time; x = bytearray(2**27); time.sleep(1)"
    parent = (
        "import subprocess, sys\n"
        f"children = [subprocess.Popen([sys.executable, '-c', {child!r}]) for _ in range(2)]\n"
        "sys.exit(any(one.wait() for one in children))"
    )
    assert peak_memory(python("-c", parent)) > 2**28


@pytest.mark.slow
def test_the_grids_are_the_same_work(tmp_path: Path) -> None:
    grids = Grids(tmp_path)
    table = grids.iris()
    for make in (grids.rival, grids.ours):
        command = make(table, "logistic_regression", 4, 2)
        subprocess.run(list(map(str, command.arguments)), cwd=command.folder, check=True)
        if make == grids.rival:
            theirs = json.loads((table.parent / "out/scores.json").read_text())
    folders = sorted((table.parent / ".runforge/runs").iterdir())
    ours = {}
    for record in (Run(path).record for path in folders):
        assert record is not None
        ours[record["hyperparameters"][0]["value"]] = record["metrics"]["accuracy"]
    assert len(ours) == len(theirs) == 4
    assert [ours[value] for value in sorted(ours)] == pytest.approx(theirs)


def test_every_row_of_the_table_has_a_bar(tmp_path: Path) -> None:
    made = dict(rows(tmp_path))
    assert len(made) == 8
    assert made["`runforge --help`"]().rival == BARE
    assert made["iris, logistic regression"]().bars == (Bar("seconds", 0.80),)


@pytest.mark.slow
def test_a_large_store_verifies_and_every_command_works_in_it(tmp_path: Path) -> None:
    originals = train_originals(tmp_path / "trained")
    store = make_store(originals, tmp_path / "store", 7)
    again = make_store(originals, tmp_path / "again", 7)
    assert again.run_id == store.run_id
    cost(runforge("verify", "--all", folder=store.workspace))
    for task in TASKS:
        if "mlflow" not in task.name:
            task.before(store)
            cost(task.program(*task.arguments(store), folder=store.workspace))
    run = StoreLayout(store.workspace).run_folder(store.run_id)
    copy_run(run, run.with_name(f"20250101{run.name[8:]}"))
    metrics = run / "metrics.json"
    metrics.write_bytes(metrics.read_bytes().replace(b"0.", b"1.", 1))
    with pytest.raises(subprocess.CalledProcessError):
        cost(runforge("verify", "--all", folder=store.workspace))


def test_a_command_in_a_large_store_is_judged_at_the_size_of_its_bar() -> None:
    task = next(task for task in TASKS if task.name == "trace of the dataset")
    slow = Measurement(task, task.at, costs(1.0, memory=100 * 2**20), costs(0.01))
    assert [failure.split(":")[0] for failure in slow.failures()] == [
        "`trace of the dataset` with 10,000 runs"
    ] * 2
    small = Measurement(task, 1_000, costs(1.0), costs(0.01))
    assert not list(small.failures())
    quick = Measurement(task, task.at, costs(0.4), costs(0.01))
    assert not list(quick.failures())
    assert large_table([slow, small]) == [
        ["", "1,000 runs", "10,000 runs", "bar"],
        [
            "`trace of the dataset`",
            "1.00 s (x100.0), 1 MiB",
            "1.00 s (x100.0), 100 MiB",
            "0.5 s, 80 MiB at 10,000",
        ],
    ]
    assert "## A store over years" in page(Report([], [], [], [], [], None, large=[slow]))


def test_a_version_before_that_lacks_a_command_is_left_out(tmp_path: Path) -> None:
    before = tmp_path / "bin/python"
    before.parent.mkdir()
    for name, ends in (("python", 0), ("runforge", 2)):
        (before.parent / name).write_text(f"#!/bin/sh\nexit {ends}\n")
        (before.parent / name).chmod(0o755)
    folder = tmp_path / "stores"
    store = make_store(train_originals(folder / "trained"), folder / "some", 3)
    one = cost_of(TASKS[0], store, before)
    assert one is None
    assert cost(installed(python("-c", "raise SystemExit(1)"), before)).seconds > 0
    mine = cost_of(TASKS[0], store, None)
    assert mine is not None
    found = Measurement(TASKS[0], 3, [mine], costs(0.01), costs(99.0))
    assert large_line(found).endswith("; before 99.00 s, 1 MiB")


def test_the_bars_of_other_machines_are_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = tmp_path / "processors.json"
    kept.write_text("{}")
    monkeypatch.setattr(processors, "KEPT", kept)
    task = next(task for task in TASKS if task.name == "trace of the dataset")
    large = [
        Measurement(task, task.at, costs(1.0, memory=2**26), costs(0.01)),
        Measurement(task, 1_000, costs(1.0), costs(0.01)),
    ]
    for name, share in (("one", 0.5), ("another", 0.9), ("one", 0.7)):
        monkeypatch.setattr(processors, "machine", lambda name=name: f"a {name}")
        processors.record(processors.figures([measured(share)], large), tmp_path)
    written = (tmp_path / "benchmarks/processors.md").read_text()
    today = f"{datetime.now(UTC):%Y-%m-%d}"
    assert f"|  | bar | a one, {today} | a another, {today} |" in written
    assert "| a row | 0.8 | 0.70 | **0.90** |" in written
    assert "| `trace of the dataset`, 10,000 runs | 0.5 s | **1 s** | **1 s** |" in written
    assert "| `trace of the dataset`, 10,000 runs; memory | 80 MiB | 64 MiB | 64 MiB |" in written


def test_the_page_of_processors_is_that_of_what_is_kept() -> None:
    kept = json.loads(processors.KEPT.read_text())
    written = (HERE.parent / "docs/benchmarks/processors.md").read_text()
    assert written == processors.page_of(kept)


@pytest.mark.parametrize(
    "script",
    [
        "bench",
        *(
            pytest.param(script, marks=pytest.mark.slow)
            for script in (
                "train",
                "stages",
                "resident",
                "growth",
                "sweeps",
                "large_store",
                "processors",
            )
        ),
    ],
)
def test_every_script_describes_itself(script: str) -> None:
    done = subprocess.run(
        [sys.executable, HERE / f"{script}.py", "--help"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert "usage:" in done.stdout
