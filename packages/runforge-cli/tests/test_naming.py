"""Runs are found by printed names and by `latest`, and missing folders are reported."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import time
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from calls import TRAIN, Call
from runforge_contracts.errors import ErrorCode, RunForgeError
from runforge_contracts.store.layout import StoreLayout
from runforge_contracts.store.reading import read_index
from runforge_engine import Store


def ids(workspace: Path) -> list[str]:
    """Return the ids of the index, in its order."""
    return [entry["run_id"] for entry in read_index(StoreLayout(workspace))]


def put_ahead(workspace: Path, run_id: str, *, listed: bool = True) -> str:
    """Give a run of the store the id that a clock far ahead would have given it."""
    ahead = f"2099{run_id[4:]}"
    folder = workspace / ".runforge/runs" / run_id
    for path in folder.rglob("*.json"):
        path.write_text(path.read_text("utf-8").replace(run_id, ahead), "utf-8")
    folder.rename(folder.with_name(ahead))
    index = json.loads((workspace / ".runforge/index.json").read_text("utf-8"))
    for entry in index["runs"]:
        if entry["run_id"] == run_id:
            entry |= {"run_id": ahead, "run_dir": entry["run_dir"].replace(run_id, ahead)}
    index["runs"] = [entry for entry in index["runs"] if listed or entry["run_id"] != ahead]
    (workspace / ".runforge/index.json").write_text(json.dumps(index, indent=2) + "\n", "utf-8")
    return ahead


def interrupt(workspace: Path, run_id: str) -> None:
    """Leave of a run what one leaves that was killed."""
    folder = workspace / ".runforge/runs" / run_id
    folder.mkdir()
    source = next(path for path in folder.parent.iterdir() if (path / "request.json").exists())
    (folder / "logs").mkdir()
    for file in ("request.json", "logs/events.jsonl"):
        shutil.copyfile(source / file, folder / file)


@pytest.fixture
def ticking(filled: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a workspace with runs of every end, where time goes on."""
    monkeypatch.delenv("SOURCE_DATE_EPOCH")
    return filled


def test_the_latest_is_the_run_that_was_listed_last(runforge: Call, ticking: Path) -> None:
    ahead = put_ahead(ticking, ids(ticking)[0])
    run_id = runforge(*TRAIN, "--json").json["run_id"]
    assert run_id < ahead
    for command in ("show", "diagnostics"):
        assert runforge(command, "latest", "--json").json["run_id"] == run_id
    assert Store(ticking).run().id == run_id
    reported = runforge("metrics")
    assert reported.err == f"note: latest is {run_id} in .runforge/runs\n"
    assert runforge("metrics", "--quiet").err == ""


@pytest.mark.parametrize("listed", [True, False])
def test_a_run_of_a_clock_ahead_is_not_the_latest(
    listed: bool, runforge: Call, ticking: Path
) -> None:
    put_ahead(ticking, ids(ticking)[1], listed=listed)
    interrupt(ticking, "20990101-000000-0badcafe")
    run_id = runforge(*TRAIN, "--json").json["run_id"]
    assert runforge("show", "latest", "--json").json["run_id"] == run_id


def test_what_began_after_the_last_listed_run_is_the_latest(runforge: Call, ticking: Path) -> None:
    put_ahead(ticking, ids(ticking)[0])
    runforge(*TRAIN)
    now = time.strftime("%Y%m%d-%H%M%S", time.gmtime())
    interrupt(ticking, f"{now}-0badcafe")
    assert runforge("show", "latest", "--json").json["run_id"] == f"{now}-0badcafe"


def test_the_latest_is_one_that_the_command_can_take(runforge: Call, ticking: Path) -> None:
    run_id = ids(ticking)[-1]
    assert runforge("train", "penguins.csv", "--label", "species", "--json").code == 1
    failed = ids(ticking)[-1]
    now = time.strftime("%Y%m%d-%H%M%S", time.gmtime())
    interrupt(ticking, f"{now}-ffffffff")
    assert runforge("show", "--json").json["run_id"] == f"{now}-ffffffff"
    (ticking / "runs/run-2099-01-01-001").mkdir(parents=True)
    config = "run_id: run-2099-01-01-001\nexperiment: e\nmodel: m\ndataset: d\n"
    (ticking / "runs/run-2099-01-01-001/config.yaml").write_text(config, "utf-8")
    os.utime(ticking / "runs/run-2099-01-01-001/config.yaml", (10**9, 10**9))
    assert runforge("show", "--json").json["run_id"] == f"{now}-ffffffff"
    (ticking / ".runforge/runs" / f"{now}-ffffffff" / "request.json").unlink()
    assert runforge("keygen", "--out", "key").code == 0
    taken = {
        ("metrics",): run_id,
        ("coefficients",): run_id,
        ("reproduce", "--requirements"): run_id,
        ("inspect-artifact", "latest"): run_id,
        ("verify", "latest"): failed,
        ("sign", "--key", "key"): failed,
        ("rerun", "latest"): failed,
    }
    for command, expected in taken.items():
        result = runforge(*command)
        assert f"note: latest is {expected} in " in result.err, command


def test_where_no_run_can_be_taken_its_own_shortcoming_is_reported(
    runforge: Call, filled: Path
) -> None:
    error = runforge("importance", "--json").json["error"]
    assert (error["code"], ids(filled)[-1] in error["message"]) == ("ARTIFACT_NOT_FOUND", True)


TAKES_A_RUN: tuple[tuple[str, ...], ...] = (
    *(("show",), ("metrics",), ("importance",), ("coefficients",), ("interpretability",)),
    *(("diagnostics",), ("rerun",), ("reproduce",), ("report",), ("verify",), ("cancel",)),
    *(("sign", "--key", "key.pem"), ("inspect-artifact",)),
    ("export", "--to", "csv", "-o", "tables"),
)


def test_a_run_whose_folder_is_gone_is_not_found(runforge: Call, filled: Path) -> None:
    entry = read_index(StoreLayout(filled))[0]
    shutil.rmtree(filled / entry["run_dir"])
    before = sorted(filled.rglob("*"))
    references = (entry["run_id"], entry["run_dir"])
    for command, reference in product(TAKES_A_RUN, references):
        result = runforge(*command, reference, "--json")
        error = result.json["error"]
        assert (result.code, error["code"]) == (3, "RUN_NOT_FOUND"), (command, reference)
        assert "is missing" in error["message"]
        reported = [problem["message"] for problem in error["problems"]]
        assert "status: succeeded" in reported
        assert f"model_sha256: {entry['model_sha256']}" in reported
        assert f"accuracy: {entry['summary']['final_metrics']['accuracy']}" in reported
    assert sorted(filled.rglob("*")) == before


def test_programs_and_lists_know_that_a_folder_is_gone(runforge: Call, filled: Path) -> None:
    entries = read_index(StoreLayout(filled))
    first, last = entries[0], entries[-1]
    for entry in (first, last):
        shutil.rmtree(filled / entry["run_dir"])
    for command in (("predict", first["run_id"], "penguins.csv"), ("diff", first["run_id"], "2")):
        assert runforge(*command, "--json").json["error"]["code"] == "RUN_NOT_FOUND"
    with pytest.raises(RunForgeError) as caught:
        Store(filled).run(first["run_id"])
    assert caught.value.code is ErrorCode.RUN_NOT_FOUND
    gone = [run.path.name for run in Store(filled).runs() if run.status == "missing"]
    assert sorted(gone) == sorted([first["run_id"], last["run_id"]])
    # It can only be looked for by what is left of it; and the last run is one that is there.
    assert runforge("trace", first["model_sha256"]).code == 0
    assert runforge("show", "latest", "--json").json["run_id"] not in gone
    shutil.rmtree(filled / ".runforge/runs")
    assert runforge("show", "latest", "--json").json["error"]["code"] == "RUN_NOT_FOUND"


def folder_in(text: str) -> str:
    """Return the folder that a summary names."""
    [line] = [line for line in text.splitlines() if line.split()[:1] == ["folder"]]
    return line.split()[1]


@pytest.mark.parametrize("where", ["sub/deeper", ".runforge"])
def test_what_is_printed_in_a_subfolder_can_be_pasted_there(
    where: str, runforge: Call, filled: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (filled / where).mkdir(parents=True, exist_ok=True)
    monkeypatch.chdir(filled / where)
    data = Path(os.path.relpath(filled / "penguins.csv"))
    arguments: tuple[Any, ...] = ("train", str(data), *TRAIN[2:])
    trained = runforge(*arguments)
    folder = folder_in(trained.out)
    assert (Path(folder) / "result.json").is_file()
    run_id = Path(folder).name
    for reference in (folder, f".runforge/runs/{run_id}", f"{folder}/"):
        for command in ("show", "metrics", "verify", "diagnostics"):
            assert runforge(command, reference).code == 0, (command, reference)
    reported = runforge("show", run_id).out
    assert folder_in(reported) == folder
    assert f"dataset       {data}" in reported or f" {data} (sha256" in reported
    model = f".runforge/runs/{run_id}/artifacts/model.pkl"
    for command in (
        *(("trace", model), ("inspect-artifact", model), ("predict", model, str(data))),
        *(("trace", f"{folder}/artifacts/model.pkl"), ("runs", "--dataset", model)),
    ):
        assert runforge(*command).code == 0, command
    assert runforge("show", folder, "--json").json["run_dir"] == f".runforge/runs/{run_id}"
    failed = runforge("train", str(data), "--label", "species")
    recorded = failed.err.split("The run is recorded as failed in ")[1].strip()
    assert Path(recorded).is_dir()


def test_a_run_folder_is_executed_by_its_path_from_the_workspace(
    runforge: Call, filled: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = ".runforge/runs/20260201-120009-0badcafe"
    source = filled / read_index(StoreLayout(filled))[0]["run_dir"]
    (filled / folder).mkdir()
    shutil.copyfile(source / "request.json", filled / folder / "request.json")
    (filled / "sub").mkdir()
    monkeypatch.chdir(filled / "sub")
    done = runforge("run", "--run-dir", folder)
    assert (done.code, folder_in(done.out)) == (0, f"../{folder}"), done.err


def test_another_workspace_is_named_by_its_whole_path(
    runforge: Call, filled: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: Any
) -> None:
    monkeypatch.chdir(tmp_path_factory.mktemp("elsewhere"))
    monkeypatch.setenv("COLUMNS", "400")
    folder = folder_in(runforge("show", "--workspace", str(filled)).out)
    assert Path(folder).is_absolute()
    assert runforge("show", folder).code == 0
    assert runforge("show", f".runforge/runs/{Path(folder).name}").code == 3


@pytest.mark.parametrize("where", [".", "sub", "../elsewhere"])
@pytest.mark.parametrize("store", [(), ("--store", ".ml")])
def test_what_to_do_next_can_be_pasted(
    store: tuple[str, ...], where: str, runforge: Call, filled: Path, monkeypatch: Any
) -> None:
    if store:
        (filled / ".runforge").rename(filled / ".ml")
    (filled / where).mkdir(exist_ok=True)
    monkeypatch.chdir(filled / where)
    monkeypatch.setenv("COLUMNS", "400")
    named = (*store, "--workspace", str(filled))
    reported = runforge("show", *named).out.split("\nNext\n")[1].strip().splitlines()
    assert ("--workspace" in reported[0]) == where.startswith("..")
    assert ("--store" in reported[0]) == bool(store)
    for line in reported:
        typed = shlex.split(line.partition(" runforge ")[2])
        if typed[0] != "rerun":
            assert runforge(*typed).code == 0, line


def test_runs_are_sorted_by_the_names_that_show_prints(runforge: Call, filled: Path) -> None:
    printed = runforge("metrics").out.split("\n\n")[1].splitlines()
    names = [line.split()[0] for line in printed]
    assert "f1_macro" in names
    for name in [*names, "f1_score"]:
        result = runforge("runs", "--sort", name)
        assert (result.code, name in result.out.splitlines()[0]) == (0, True), result.err
        assert len(result.out.splitlines()) == 5


def test_a_file_that_a_file_manager_leaves_is_reported_as_one(runforge: Call, filled: Path) -> None:
    folder = filled / read_index(StoreLayout(filled))[0]["run_dir"]
    (folder / ".DS_Store").write_bytes(b"\0")
    result = runforge("verify", folder.name)
    assert result.code == 1
    assert "Remove `.DS_Store`" in result.out
    assert "Restore the files from a copy" not in result.out
    (folder / "metrics.json").unlink()
    assert "Restore the files from a copy" in runforge("verify", folder.name).out


def test_the_list_marks_runs_whose_folder_is_gone(runforge: Call, filled: Path) -> None:
    listed = runforge("runs", "--columns", "run,status", "--csv").out.splitlines()[1:]
    gone = listed[0].partition(",")[0]
    assert runforge("alias", "production", gone).code == 0
    shutil.rmtree(filled / ".runforge/runs" / gone)
    rows = {line.split()[0]: line.split()[1] for line in runforge("runs").out.splitlines()[1:]}
    assert rows[gone] == "missing"
    assert {state for run, state in rows.items() if run != gone}.isdisjoint({"missing"})
    assert "its folder is gone" in runforge("alias").out


def test_a_missing_run_is_the_same_by_id_and_by_name(runforge: Call, filled: Path) -> None:
    assert runforge(*TRAIN, "--name", "oops").code == 0
    [entry] = [one for one in read_index(StoreLayout(filled)) if one.get("name") == "oops"]
    run_id = entry["run_id"]
    assert runforge("alias", "production", "oops").code == 0
    shutil.rmtree(filled / entry["run_dir"])
    by_id = runforge("show", run_id, "--json").json["error"]
    for reference in ("oops", "name:oops"):
        for command in (["show", reference], ["predict", reference, "penguins.csv"]):
            found = runforge(*command, "--json")
            assert (found.code, found.json["error"]) == (3, by_id), command
    by_alias = runforge("show", "production", "--json").json["error"]
    assert by_alias["problems"] == by_id["problems"]
    # Another run of that name is the one that is meant.
    assert runforge(*TRAIN, "--seed", "5", "--name", "oops").code == 0
    assert runforge("show", "oops", "--json").json["run_id"] != run_id


@pytest.mark.parametrize("kept", [False, True])
def test_missing_is_a_status_that_lists_choose_by(
    runforge: Call, filled: Path, monkeypatch: pytest.MonkeyPatch, *, kept: bool
) -> None:
    gone = ids(filled)[0]
    shutil.rmtree(filled / ".runforge/runs" / gone)
    if kept:
        monkeypatch.setattr("runforge_contracts.index.keeping.keeps_indexes", lambda: True)
    for arguments in (("--status", "missing"), ("--where", "status=missing")):
        listed = runforge("runs", *arguments, "--json").json["runs"]
        assert [(entry["run_id"], entry["state"]) for entry in listed] == [(gone, "missing")]
    for arguments in (("--status", "succeeded"), ("--where", "status=succeeded")):
        listed = runforge("runs", *arguments, "--json").json["runs"]
        assert gone not in {entry["run_id"] for entry in listed}
    assert runforge("runs", "--status", "incomplete", "--json").json["runs"] == []
    assert [run.id for run in Store(filled).runs(where="status=missing")] == [gone]


def test_a_report_of_many_leaves_out_a_run_whose_folder_is_missing(
    runforge: Call, filled: Path
) -> None:
    some = ids(filled)[:3]
    shutil.rmtree(filled / ".runforge/runs" / some[1])
    result = runforge("report", *some, "--no-model", "-o", "one.html")
    assert result.code == 0
    assert f"Left out: The folder of the run `{some[1]}` is missing" in " ".join(result.err.split())
    found = runforge("report", *some, "--no-model", "-o", "two.html", "--json")
    assert (found.code, found.err) == (0, "")
    assert found.json["runs"] == [some[0], some[2]]
    [message] = found.json["left_out"]
    assert some[1] in message
    alone = runforge("report", some[1], "--no-model", "-o", "three.html")
    assert (alone.code, (filled / "three.html").exists()) == (3, False)


def test_the_best_of_several_datasets_is_noted(runforge: Call, workspace: Path) -> None:
    options = ("--label", "species", "--exclude", "island", "--exclude", "sex", "-q")
    assert runforge("train", "penguins.csv", *options).code == 0
    assert "datasets" not in runforge("show", "best").err
    first = ids(workspace)[0]
    lines = (workspace / "penguins.csv").read_text().splitlines(keepends=True)
    (workspace / "fewer.csv").write_text("".join(lines[:250]))
    assert runforge("train", "fewer.csv", *options).code == 0
    # --quiet does not hide that the choice compares what cannot be compared.
    for command in (("show", "best"), ("alias", "production", "best"), ("show", "best", "-q")):
        assert "the best of runs on 2 datasets" in " ".join(runforge(*command).err.split())
    for scope in ("best@penguins.csv", "best:accuracy@penguins.csv"):
        shown = runforge("show", scope, "--json")
        assert (shown.json["run_id"], "2 datasets" in shown.err) == (first, False)
    assert runforge("show", "best@fewer.csv", "--json").json["run_id"] == ids(workspace)[1]
    (workspace / "other.csv").write_text("a\n")
    assert runforge("show", "best@other.csv", "--json").json["error"]["code"] == "RUN_NOT_FOUND"
    refused = runforge("show", "best@nothing", "--json")
    assert (refused.code, refused.json["error"]["code"]) == (3, "GROUP_NOT_FOUND")


def test_the_run_that_is_repeated_is_named_as_any_run(runforge: Call, workspace: Path) -> None:
    assert runforge(*TRAIN, "--name", "first").code == 0
    assert runforge("alias", "production", "first").code == 0
    assert runforge("rerun", "first", "--seed", "3").code == 0
    first, again = ids(workspace)
    for named in (first, first[:17], "first", "production"):
        listed = runforge("runs", "--where", f"repeats={named}", "--json")
        assert [entry["run_id"] for entry in listed.json["runs"]] == [again], named
    assert [run.id for run in Store(workspace).runs(where="repeats=first")] == [again]
    listed = runforge("runs", "--where", "repeats!=first", "--json").json["runs"]
    assert [entry["run_id"] for entry in listed] == [first]
    refused = runforge("runs", "--where", "repeats=2026", "--json")
    assert (refused.code, refused.json["error"]["code"]) == (2, "RUN_AMBIGUOUS")


def test_a_name_of_a_sweep_is_not_taken_for_that_of_a_run(runforge: Call, workspace: Path) -> None:
    options = ("--label", "species", "--exclude", "island", "--exclude", "sex", "-q")
    grid = ("--grid", "C=1,10", "--name", "find C")
    assert runforge("sweep", "penguins.csv", *options, *grid).code == 0
    listed = runforge("runs", "--name", "find C")
    assert "No runs match" in listed.out
    assert "`find C` is a sweep, whose runs are listed by `runforge runs --group grp_" in listed.err
    assert "sweep" not in runforge("runs", "--name", "other").err


def test_a_change_in_a_store_of_a_folder_above_is_said(
    runforge: Call, filled: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "of a folder above" not in runforge("alias", "production", "latest").err
    (filled / "sub").mkdir()
    monkeypatch.chdir(filled / "sub")
    said = runforge("alias", "production", ids(filled)[0])
    assert "note: the store is ../.runforge, of a folder above this one" in said.err


def test_the_best_of_a_sweep_is_the_one_that_the_sweep_shows(
    runforge: Call, workspace: Path
) -> None:
    options = ("--label", "species", "--exclude", "island", "--exclude", "sex", "-q")
    assert runforge("train", "penguins.csv", *options, "--model", "random_forest").code == 0
    grid = ("--grid", "C=0.03,0.1,1,10", "--name", "find C")
    swept = runforge("sweep", "penguins.csv", *options, *grid)
    assert swept.code == 0
    shown = runforge("sweep", "show", "latest", "--json").json
    # More than one has the best accuracy, and the other metrics decide.
    assert len(shown["best_members"]) > 1
    by_member = {row["member"]: row for row in shown["runs"]}
    found = {
        runforge("show", f"best@{name}", "--json").json["run_id"]
        for name in ("latest", "find C", shown["group_id"], shown["group_id"][:19])
    }
    best = by_member[shown["best_members"][0]]["run_id"]
    assert found == {best}
    assert f"the best run  runforge show {best}" in runforge("sweep", "show", "latest").out
    [line] = [line for line in swept.out.splitlines() if line.split()[:2] == ["best", "run"]]
    assert best in line
    store = Store(workspace)
    assert store.best(within="find C").id == store.run("best@latest").id == best
    won = store.sweeps()[0].best()
    assert won is not None
    assert won.id == best


def test_columns_that_a_new_dataset_lacks_are_named(runforge: Call, workspace: Path) -> None:
    options = ("--label", "species", "--exclude", "island", "--exclude", "sex", "-q")
    assert runforge("train", "penguins.csv", *options).code == 0
    lines = (workspace / "penguins.csv").read_text().splitlines()
    header = lines[0].split(",")
    at = header.index("bill_depth_mm")
    fewer = [",".join([*row[:at], *row[at + 1 :]]) for row in (line.split(",") for line in lines)]
    (workspace / "fewer.csv").write_text("\n".join(fewer))
    done = runforge("rerun", "latest", "--data", "fewer.csv")
    assert done.code == 0
    assert "which the dataset does not have any more: `bill_depth_mm`" in done.err
    back = runforge("rerun", "latest", "--data", "penguins.csv")
    assert "did not have: `bill_depth_mm`" in back.err
    asked = runforge("rerun", "latest", "--exclude", "year")
    assert "which the dataset" not in asked.err


@pytest.mark.parametrize("command", ["predict", "evaluate"])
def test_an_alias_whose_run_is_gone_is_named_as_one(
    command: str, runforge: Call, filled: Path
) -> None:
    gone = runforge("runs", "--columns", "run", "--csv", "--status", "succeeded").out.splitlines()[
        1
    ]
    assert runforge("alias", "production", gone).code == 0
    shutil.rmtree(filled / ".runforge/runs" / gone)
    done = runforge(command, "production", "penguins.csv")
    assert done.code == 3
    assert "which the alias `production` points at since" in done.err
