"""``runforge sweep``: many runs from one plan, each a record of its own."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from calls import Call
from sweeping import PENGUINS, SIX, counts, folders, group, groups, listed

PLAN: dict[str, Any] = {
    "version": 1,
    "kind": "sweep_plan",
    "group": {"name": "Größe of C"},
    "base_request": {
        "version": 1,
        "preset": "balanced",
        "dataset": {
            "path": "penguins.csv",
            "label_column": "species",
            "exclude_columns": ["island", "sex", "year"],
        },
        "model": {"family": "logistic_regression", "hyperparameters": {}},
        "device": {"type": "cpu"},
    },
    "strategy": {
        "type": "grid",
        "parameters": [
            {"path": "model.hyperparameters.C", "values": [0.1, 1]},
            {"path": "/seed", "values": [1, 2]},
        ],
    },
    "unknown": {"kept": True},
}


def write_plan(folder: Path, **changes: Any) -> Path:
    path = folder / "plan.json"
    path.write_text(json.dumps({**PLAN, **changes}), "utf-8")
    return path


def test_a_grid_becomes_runs_that_are_sealed_and_listed(workspace: Path, runforge: Call) -> None:
    done = runforge("sweep", *SIX, "--name", "two names", "--jobs", "2", "--json", "--verbose")
    assert done.code == 0, done.err
    events = [json.loads(line) for line in done.err.splitlines()]
    assert {event["run_id"] for event in events} == set(folders(workspace))
    assert [event["event"] for event in events].count("metrics_computed") == 6
    document = done.json
    assert counts(document) == (6, 6, 0, 0)
    assert document["summary"]["best_run_id"] == document["runs"][2]["run_id"]
    assert document["group_id"].endswith("_two_names")
    assert document == {**group(workspace), "group_dir": document["group_dir"]}
    assert sorted(listed(workspace)) == folders(workspace)
    overrides = [tuple(run["request_overrides"].values()) for run in document["runs"]]
    assert overrides == [(0.01, 100), (0.01, 200), (0.1, 100), (0.1, 200), (1, 100), (1, 200)]
    for run in document["runs"]:
        request = json.loads(
            (workspace / ".runforge/runs" / run["run_id"] / "request.json").read_text("utf-8")
        )
        assert request["sweep_group_id"] == document["group_id"]
        assert request["sweep_member"] == run["member"]
        assert list(request["model"]["hyperparameters"].values()) == list(
            run["request_overrides"].values()
        )
    assert runforge("verify", "--all").code == 0
    # Nothing is missing, so nothing is done.
    again = runforge("sweep", "--resume", "latest", "--json")
    assert again.code == 0
    assert again.json["runs"] == document["runs"]
    assert len(folders(workspace)) == 6


def test_a_plan_is_kept_byte_for_byte(workspace: Path, runforge: Call) -> None:
    path = write_plan(workspace)
    done = runforge("sweep", "plan.json")
    assert done.code == 0, done.err
    [folder] = (workspace / ".runforge/groups").iterdir()
    assert folder.name.endswith("_Gr__e_of_C")
    assert (folder / "plan.json").read_bytes() == path.read_bytes()
    assert [run["request_overrides"] for run in group(workspace)["runs"]] == [
        {"model.hyperparameters.C": c, "/seed": seed} for c in (0.1, 1) for seed in (1, 2)
    ]
    lines = done.err.splitlines()
    assert lines[0] == f"Sweep {folder.name}: 4 runs, 2 at a time" or "at a time" not in lines[0]
    assert len(lines) == 5
    assert max(map(len, [*lines, *done.out.splitlines()])) <= 80
    assert f"runforge sweep show {folder.name}" in done.out


def test_null_removes_and_duplicates_run_once(workspace: Path, runforge: Call) -> None:
    grid = ("--grid", "C=1,null,1.0,2", "--param", "max_iter=50")
    dry = runforge("sweep", *PENGUINS, *grid, "--dry-run", "--json")
    assert dry.json["total"] == 2
    assert dry.json["duplicates"] == [{"member": 2, "same_as": 1}, {"member": 3, "same_as": 1}]
    assert not (workspace / ".runforge").exists()
    shown = runforge("sweep", *PENGUINS, *grid, "--dry-run")
    assert shown.out.startswith("2 runs, ")
    assert "2 is the same as 1" in shown.out
    done = runforge("sweep", *PENGUINS, *grid, "--json")
    assert [run["member"] for run in done.json["runs"]] == [1, 4]
    assert done.json["duplicates"] == dry.json["duplicates"]


def test_none_is_a_value_and_null_is_not(workspace: Path, runforge: Call) -> None:
    grid = ("--model", "random_forest", "--preset", "fast", "--grid", "max_depth=none,null,10")
    done = runforge("sweep", *PENGUINS, *grid, "--json")
    assert done.code == 0, done.err
    depths = [
        json.loads((workspace / ".runforge/runs" / run["run_id"] / "result.json").read_text())[
            "effective_config"
        ]["model"]["hyperparameters"]["max_depth"]
        for run in done.json["runs"]
    ]
    # The preset has a depth of 10, which the third value repeats.
    assert depths == [None, 10]
    # The plan sets all hyperparameters at once; what varies is shown by name.
    shown = runforge("sweep", "show").out
    assert "none, 10 (default)" in shown
    assert "hyperparameters" not in shown
    assert done.json["duplicates"] == [{"member": 3, "same_as": 2}]


def test_a_saved_plan_gives_the_same_runs(workspace: Path, runforge: Call) -> None:
    saved = runforge("sweep", *SIX, "--seeds", "1..2,7", "--save", "my plan.json")
    assert saved.code == 0, saved.err
    assert not (workspace / ".runforge").exists()
    assert runforge("validate", "my plan.json").code == 0
    dry = runforge("sweep", "my plan.json", "--dry-run", "--json").json
    assert (
        dry["runs"]
        == runforge("sweep", *SIX, "--seeds", "1..2,7", "--dry-run", "--json").json["runs"]
    )
    assert dry["total"] == 18
    assert list(dry["runs"][1]["request_overrides"].values()) == [0.01, 100, 2]


def test_one_and_four_jobs_write_the_same_bytes(
    workspace: Path, runforge: Call, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """The clock stands still, so even ids and times are the same."""
    made = []
    for jobs in (1, 4):
        place = tmp_path_factory.mktemp(f"jobs-{jobs}")
        shutil.copyfile(workspace / "penguins.csv", place / "penguins.csv")
        grid = ("--grid", "model=logistic_regression,random_forest,linear_svc", "--seeds", "1..2")
        options = ("--workspace", str(place), "--jobs", str(jobs), "--json")
        source = (str(place / "penguins.csv"), *PENGUINS[1:])
        done = runforge("sweep", *source, *grid, *options)
        assert done.code == 0, done.err
        runs = place / ".runforge/runs"
        made.append(
            {
                path.relative_to(runs).as_posix(): path.read_bytes()
                for path in runs.rglob("*")
                if path.is_file()
            }
        )
        assert sorted(listed(place)) == folders(place)
    assert len(made[0]) > 6 * 10
    assert made[0] == made[1]


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (("sweep",), 2, "`PLAN.json or DATA` is missing"),
        (("sweep", "penguins.csv", "--grid", "C=1"), 2, "`--label` is missing"),
        (("sweep", *PENGUINS), 2, "nothing to try"),
        (("sweep", *PENGUINS, "--grid", "C"), 2, "not a setting with its values"),
        (("sweep", *PENGUINS, "--grid", "C=1", "--grid", "C=2"), 2, "given twice"),
        (("sweep", *PENGUINS, "--grid", "C=1,,2"), 2, "empty value"),
        (("sweep", *PENGUINS, "--grid", "C=1", "--param", "C=2"), 2, "both fixed and in the grid"),
        (("sweep", *PENGUINS, "--seeds", "5..1"), 2, "not a range"),
        (("sweep", *PENGUINS, "--seeds", "x"), 2, "not a seed"),
        (("sweep", *PENGUINS, "--seeds", "1..20000"), 2, "more than"),
        (("sweep", *PENGUINS, "--seeds", "1,2", "--seed", "1"), 2, "given twice"),
        (("sweep", *PENGUINS, "--grid", "C=0,1"), 6, "expected a number from"),
        (("sweep", *PENGUINS, "--grid", "depth=1"), 6, "no hyperparameter `depth`"),
        (("sweep", "none.csv", "--label", "y", "--grid", "C=1"), 3, "no dataset"),
        (("sweep", "none.json"), 3, "none.json"),
        (("sweep", "plan.json", "--seeds", "1..3"), 2, "not for a plan"),
        (("sweep", "--resume", "grp_1"), 3, "no groups"),
        (("sweep", "plan.json", "--retry-failed"), 2, "for --resume"),
        (("sweep", "plan.json", "--resume", "latest"), 2, "resumed as it was planned"),
        (("cancel", "grp_1"), 3, "no groups"),
    ],
)
def test_mistakes_are_refused_before_anything_is_written(
    arguments: tuple[str, ...], code: int, message: str, workspace: Path, runforge: Call
) -> None:
    write_plan(workspace)
    done = runforge(*arguments)
    assert (done.code, message in done.err) == (code, True), done.err
    assert not (workspace / ".runforge").exists()


def test_all_mistakes_of_a_plan_are_reported_at_once(workspace: Path, runforge: Call) -> None:
    runs = [{"/model/hyperparameters/C": 0}, {"/model/family": "nothing"}, {"/seed": 1}]
    write_plan(workspace, strategy={"type": "list", "runs": runs})
    done = runforge("sweep", "plan.json", "--json")
    assert done.code == 6
    error = done.json["error"]
    assert error["code"] == "PLAN_INVALID"
    assert [problem["pointer"] for problem in error["problems"]] == [
        "/strategy/runs/0/~1model~1hyperparameters~1C",
        "/strategy/runs/1/~1model~1family",
    ]
    assert not (workspace / ".runforge").exists()


def test_failed_runs_are_reported_and_tried_again_on_request(
    workspace: Path, runforge: Call
) -> None:
    text = (workspace / "penguins.csv").read_text("utf-8")
    (workspace / "bad.csv").write_text("species,x\na,1\nb,oops\n" * 20, "utf-8")
    write_plan(
        workspace,
        strategy={
            "type": "list",
            "runs": [{}, {"dataset": {"path": "bad.csv", "label_column": "species"}}],
        },
    )
    done = runforge("sweep", "plan.json")
    assert done.code == 1
    assert "FEATURE_NOT_NUMERIC" in done.err
    assert group(workspace)["status"] == "failed"
    assert group(workspace)["summary"]["failed"] == 1
    assert "--retry-failed" in done.out
    failed = group(workspace)["runs"][1]["run_id"]
    assert runforge("sweep", "--resume", "latest").code == 1
    assert len(folders(workspace)) == 2
    assert runforge("sweep", "--resume", "latest", "--retry-failed").code == 1
    assert group(workspace)["runs"][1]["earlier_run_ids"] == [failed]
    assert len(folders(workspace)) == 3
    assert (workspace / "penguins.csv").read_text("utf-8") == text


def test_fail_fast_leaves_the_others_pending(workspace: Path, runforge: Call) -> None:
    (workspace / "bad.csv").write_text("species,x\na,1\nb,oops\n" * 20, "utf-8")
    bad = {"dataset": {"path": "bad.csv", "label_column": "species"}}
    runs = [{**bad, "/seed": 0}, *({"/seed": seed} for seed in range(1, 30))]
    write_plan(workspace, strategy={"type": "list", "runs": runs})
    done = runforge("sweep", "plan.json", "--fail-fast", "--jobs", "1", "--json")
    assert done.code == 5, done.err
    document = done.json
    assert document["status"] == "failed"
    assert document["runs"][0]["status"] == "failed"
    assert {run["status"] for run in document["runs"][1:]} == {"pending"}
    assert document["execution"]["fail_fast"] is True
    again = runforge("sweep", "--resume", "latest", "--json")
    assert again.code == 1  # the failed one stays failed, and what was pending is done
    assert counts(again.json) == (30, 29, 1, 0)


def test_a_private_sweep_records_no_path_outside_the_workspace(
    workspace: Path, runforge: Call, tmp_path_factory: pytest.TempPathFactory
) -> None:
    elsewhere = tmp_path_factory.mktemp("someone") / "penguins.csv"
    shutil.copyfile(workspace / "penguins.csv", elsewhere)
    refused = runforge("sweep", str(elsewhere), *SIX[1:], "--private")
    assert refused.code == 2
    assert "leads out of the workspace" in refused.err
    assert not (workspace / ".runforge").exists()
    assert runforge("sweep", *SIX, "--private").code == 0
    for path in (workspace / ".runforge/groups").rglob("*.json"):
        assert str(workspace) not in path.read_text("utf-8")


def test_a_changed_dataset_refuses_the_resume(workspace: Path, runforge: Call) -> None:
    assert runforge("sweep", *SIX, "--jobs", "1").code == 0
    record = next((workspace / ".runforge/groups").glob("*/group.json"))
    # As after a kill: the last runs are gone, and the record is of before them.
    lost = group(workspace)["runs"][-1]["run_id"]
    shutil.rmtree(workspace / ".runforge/runs" / lost)
    with (workspace / "penguins.csv").open("a") as file:
        file.write("Adelie,Dream,39,18,190,3700,male,2007\n")
    before = record.read_bytes()
    done = runforge("sweep", "--resume", "latest")
    assert done.code == 1
    assert "DATASET_CHANGED" in done.err
    assert record.read_bytes() == before
    assert len(groups(workspace)) == 1
