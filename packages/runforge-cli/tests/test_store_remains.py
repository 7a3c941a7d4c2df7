"""What forgotten runs leave in the store: copies of their datasets, and evaluations of them."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from calls import ROOT, Call
from runforge_contracts.errors import RunForgeError
from runforge_contracts.store.layout import StoreLayout
from runforge_contracts.store.removals import read_removals
from runforge_contracts.validation import validate
from runforge_engine import Store, train
from runforge_engine.removing.removal_writer import append_removals, recorded_before

EXCLUDED = ["species", "island", "sex", "year"]


@pytest.fixture
def frame() -> pd.DataFrame:
    return pd.read_csv(ROOT / "examples/penguins.csv").rename(columns={"year": "secret"})


@pytest.fixture
def oops(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, frame: pd.DataFrame) -> str:
    """Train on a data frame, evaluate the run on it, go there, and return the id of the run."""
    monkeypatch.chdir(tmp_path)
    run = train(frame, label="species", exclude=["island", "sex"], name="oops", workspace=tmp_path)
    run.evaluate(frame)
    return run.id


def report(runforge: Call, *arguments: str, code: int = 0) -> list[dict[str, Any]]:
    result = runforge("store", *arguments, "--yes", "--json")
    assert result.code == code, result.out
    validate(result.json, "removal_report.v1")
    items: list[dict[str, Any]] = result.json["items"]
    return items


def forget(runforge: Call, *arguments: str) -> dict[str, str]:
    items = report(runforge, "forget", *arguments, "--because", "a test")
    return {item["what"]: item["outcome"] for item in items}


def secrets(store: Path) -> list[str]:
    """Return the files of a store that have the name of the secret column."""
    files = [path for path in store.rglob("*") if path.is_file()]
    return sorted(path.parent.name for path in files if b"secret" in path.read_bytes())


def test_what_a_forgotten_run_leaves_is_reported_and_goes_when_it_is_asked_for(
    runforge: Call, oops: str, tmp_path: Path
) -> None:
    store = tmp_path / ".runforge"
    [copy] = (store / "datasets").iterdir()
    [evaluation] = (store / "evaluations").iterdir()
    shown = runforge("store", "forget", "oops", "--because", "x", "--dry-run")
    assert (copy.name in shown.err, evaluation.name in shown.err) == (True, True)
    assert "`--with-dataset --with-evaluations` removes both" in shown.err
    dry = runforge("store", "forget", "oops", "--because", "x", "--dry-run", "--json").json
    kept = {item["what"]: item for item in dry["items"] if item["outcome"] == "kept"}
    assert kept["evaluation"]["evaluation_id"] == evaluation.name
    assert kept["dataset"]["used_by"] == [evaluation.name]
    assert forget(runforge, "oops") == {"run": "removed", "evaluation": "kept", "dataset": "kept"}
    # The same command takes them away later, and `store tidy` offers them until then.
    assert forget(runforge, oops) == {"evaluation": "kept", "dataset": "kept"}
    offered = runforge("store", "tidy")
    assert (offered.code, copy.exists(), evaluation.exists()) == (0, True, True)
    assert "--with-evaluations" in offered.err
    assert forget(runforge, evaluation.name) == {"evaluation": "removed", "dataset": "kept"}
    assert forget(runforge, oops, "--with-dataset") == {"dataset": "removed"}
    assert secrets(store) == []
    assert "nothing to tidy" in runforge("store", "tidy").out
    # What went is recorded.
    line = read_removals(StoreLayout(tmp_path)).current[oops]
    assert line["also"].keys() == {
        f"datasets/{copy.name}",
        f"evaluations/{evaluation.name}/evaluation.json",
    }
    assert runforge("show", oops).out.count("  later  ") == 2
    assert runforge("verify", "--all").code == 0
    again = runforge("store", "forget", oops, "--because", "x", "--with-dataset", "--yes")
    assert (again.code, "was forgotten" in again.err) == (3, True)


def test_the_first_reason_stays_the_reason_when_more_is_removed_later(
    runforge: Call, oops: str
) -> None:
    assert runforge("store", "forget", "oops", "--because", "a secret", "--yes").code == 0
    [first] = read_removals(StoreLayout(Path.cwd())).entries
    assert runforge("store", "tidy", "--with-evaluations", "--yes").code == 0
    again = ("store", "forget", oops, "--with-dataset", "--because", "the rest", "--yes")
    assert runforge(*again).code == 0
    shown = runforge("show", oops)
    said, first_later, second_later = " ".join(shown.out.split()).split(" later ")
    assert " because a secret " in said
    assert "left over from the forgotten run" in first_later
    assert second_later.endswith("removed: the rest")
    document = runforge("show", oops, "--json").json
    assert document["removal"] == first
    assert [line["because"] for line in document["later"]][1:] == ["the rest"]
    assert "a secret" in runforge("predict", oops, "penguins.csv").err


def test_a_copy_that_something_else_uses_stays_and_it_is_said_what(
    runforge: Call, oops: str, tmp_path: Path, frame: pd.DataFrame
) -> None:
    other = train(frame, label="island", exclude=["species", "sex"], workspace=tmp_path)
    [copy] = (tmp_path / ".runforge/datasets").iterdir()
    both = ("--with-dataset", "--with-evaluations")
    items = report(runforge, "forget", "oops", "--because", "x", *both)
    [kept] = [item for item in items if item["outcome"] == "kept"]
    assert (kept["what"], kept["used_by"]) == ("dataset", [other.id])
    assert report(runforge, "tidy", *both) == []
    # A run in an archive can come back, and uses it still.
    assert runforge("store", "archive", other.id, "--to", "../old").code == 0
    assert report(runforge, "tidy", *both) == []
    assert runforge("store", "restore", "../old").code == 0
    # A run that cannot be read may use anything.
    broken = tmp_path / ".runforge/runs/20260101-000000-abc12345"
    broken.mkdir()
    (broken / "request.json").write_text("{")
    items = report(runforge, "forget", other.id, "--because", "x", *both)
    assert [item["used_by"] for item in items if item["what"] == "dataset"] == [[broken.name]]
    shutil.rmtree(broken)
    assert copy.exists()
    assert [item["what"] for item in report(runforge, "tidy", *both)] == ["dataset"]
    assert not copy.exists()


def test_a_dataset_outside_the_store_is_never_touched(
    runforge: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    shutil.copyfile(ROOT / "examples/penguins.csv", tmp_path / "penguins.csv")
    train("penguins.csv", label="species", exclude=EXCLUDED[1:], name="mine", workspace=tmp_path)
    assert forget(runforge, "mine", "--with-dataset") == {"run": "removed"}
    assert (tmp_path / "penguins.csv").exists()


def test_an_evaluation_of_a_run_that_is_here_goes_only_with_it(
    runforge: Call, oops: str, tmp_path: Path
) -> None:
    [evaluation] = (tmp_path / ".runforge/evaluations").iterdir()
    refused = runforge("store", "forget", evaluation.name, "--because", "x", "--yes", "--json")
    assert (refused.code, refused.json["error"]["code"]) == (2, "USAGE_INVALID")
    assert f"forget {oops} --with-evaluations" in refused.json["error"]["hint"]
    # What a user put beside the document stays, and so does the document.
    (evaluation / "notes.txt").write_text("mine")
    assert forget(runforge, "oops", "--with-evaluations")["evaluation"] == "kept"
    assert {path.name for path in evaluation.iterdir()} == {"notes.txt", "evaluation.json"}


def test_a_removal_that_was_cut_off_is_finished_by_the_same_command_and_by_tidy(
    runforge: Call, oops: str, tmp_path: Path
) -> None:
    store = StoreLayout(tmp_path)
    before = tmp_path.with_name("before")
    shutil.copytree(tmp_path / ".runforge", before)
    both = ("--with-dataset", "--with-evaluations")
    whole = {"run": "removed", "evaluation": "removed", "dataset": "removed"}
    assert forget(runforge, "oops", *both) == whole
    # As if the process had been killed after its line.
    for name in ("runs", "evaluations", "datasets"):
        shutil.copytree(before / name, store.root / name, dirs_exist_ok=True)
    again = {"unfinished": "removed", "evaluation": "removed", "dataset": "removed"}
    assert forget(runforge, oops, *both) == again
    assert secrets(store.root) == []
    for name in ("evaluations", "datasets"):
        shutil.copytree(before / name, store.root / name, dirs_exist_ok=True)
    items = report(runforge, "tidy")
    assert [(item["what"], item["outcome"]) for item in items] == [("unfinished", "removed")] * 2
    assert secrets(store.root) == []
    assert runforge("verify", "--all").code == 0


def test_a_line_removes_nothing_but_evaluations_and_copies(
    runforge: Call, oops: str, tmp_path: Path
) -> None:
    store = StoreLayout(tmp_path)
    forget(runforge, "oops")
    line = recorded_before(read_removals(store).current[oops], store)
    digest = {"sha256": "0" * 64, "bytes": 1}
    for name in ("index.json", "datasets/../index.json", "evaluations/a/evaluation.json"):
        line.also.clear()
        line.also[name] = digest
        with pytest.raises(RunForgeError, match="expected another key"):
            append_removals(store, [line], "forgotten")
    assert len(read_removals(store).entries) == 1


def test_signed_and_unsigned_evaluations_of_a_forgotten_run(
    runforge: Call, oops: str, tmp_path: Path, frame: pd.DataFrame
) -> None:
    assert runforge("keygen", "--out", "key").code == 0
    keys = ("--public-key", "key.pub", "--json")
    [evaluation] = (tmp_path / ".runforge/evaluations").iterdir()
    assert runforge("sign", "oops", "--key", "key").code == 0
    assert runforge("verify", "--all", *keys).code == 1  # Nobody signed the evaluation.
    forget(runforge, "oops")
    verified = runforge("verify", "--all", *keys)
    assert verified.code == 0, verified.out
    [check] = [
        item for item in verified.json["stores"][0]["checks"] if item["check"] == "evaluations"
    ]
    assert "1 of them without a signature" in check["message"]
    # Who names it, and a key, asks whether it was signed.
    assert runforge("verify", evaluation.name, *keys).code == 1
    assert runforge("sign", evaluation.name, "--key", "key").code == 0
    # One that was signed may not be missing without a line.
    forget(runforge, oops, "--with-evaluations")
    verified = runforge("verify", "--all", *keys)
    assert verified.code == 0, verified.out
    assert "1 of removed evaluations" in verified.out
    record = tmp_path / ".runforge/removals.jsonl"
    first, _ = record.read_bytes().splitlines(keepends=True)
    record.write_bytes(first)
    assert "signature.evaluation" in runforge("verify", "--all", *keys).out


def test_a_merge_brings_nothing_back_that_was_removed(
    runforge: Call, oops: str, tmp_path: Path
) -> None:
    clone = tmp_path.with_name("clone")
    shutil.copytree(tmp_path, clone)
    forget(runforge, "oops", "--with-dataset", "--with-evaluations")
    merged = runforge("store", "merge", str(clone), "--json").json
    outcomes = {(item["kind"], item["outcome"]) for item in merged["items"]}
    assert outcomes >= {("run", "removed"), ("evaluation", "removed"), ("dataset", "removed")}
    assert secrets(tmp_path / ".runforge") == []


def test_a_run_is_forgotten_from_python_with_all_that_it_leaves(oops: str, tmp_path: Path) -> None:
    Store(tmp_path).forget("oops", because="a test", with_dataset=True, with_evaluations=True)
    assert secrets(tmp_path / ".runforge") == []
    assert json.loads((tmp_path / ".runforge/removals.jsonl").read_text())["run_id"] == oops


def test_a_removed_run_is_found_by_its_name(runforge: Call, oops: str, tmp_path: Path) -> None:
    forget(runforge, "oops")
    shown = runforge("show", "oops", "--json")
    assert (shown.code, shown.json["run_id"], shown.json["removed"]) == (0, oops, "forgotten")
    refused = runforge("predict", "oops", "x.csv", "--json")
    assert (refused.code, f"`{oops}` was forgotten" in refused.json["error"]["message"]) == (
        3,
        True,
    )
    shutil.copyfile(ROOT / "examples/penguins.csv", "penguins.csv")
    for name in ("naive", "naive", "other"):
        train("penguins.csv", label="species", exclude=EXCLUDED[1:], name=name, workspace=tmp_path)
    assert runforge("store", "archive", "other", "--to", "../old").code == 0
    assert "store restore" in runforge("predict", "other", "penguins.csv").err
    assert runforge("store", "restore", "../old", "other").code == 0
    assert runforge("show", "other").code == 0
    newest = runforge("runs", "--json", "--name", "naive").json["runs"]
    for entry in newest:
        forget(runforge, entry["run_id"])
    refused = runforge("show", "naive", "--json")
    assert (refused.code, "matches 2 runs" in refused.json["error"]["message"]) == (3, True)


def test_the_runs_of_a_sweep_are_archived_and_forgotten_together(
    runforge: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    shutil.copyfile(ROOT / "examples/penguins.csv", "penguins.csv")
    options = [word for name in EXCLUDED[1:] for word in ("--exclude", name)]
    sweep = ("sweep", "penguins.csv", "--label", "species", *options, "--grid", "C=0.1,1")
    assert runforge(*sweep, "--name", "two", "--quiet").code == 0
    assert runforge("store", "archive", "--group", "two", "--to", "../old").code == 0
    assert runforge("store", "archive", "--group", "two", "--to", "../old").code == 3
    assert runforge("store", "restore", "../old").code == 0
    both = runforge("store", "forget", "latest", "--group", "two", "--because", "x", "--yes")
    assert both.code == 2
    items = report(runforge, "forget", "--group", "two", "--because", "x")
    assert [item["what"] for item in items] == ["run", "run"]
