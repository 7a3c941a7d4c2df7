"""Copies of datasets and recipes in the store: archived, restored, merged and tidied with runs."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from calls import Call
from runforge_contracts.errors import NotFoundError, RunForgeError, UsageError, VerificationError
from runforge_contracts.validation import validate
from runforge_engine import Run, Store, train
from runforge_engine.preparation.run_recipe import recipe_of_run

#: The two forms of an archive.
FORMS = ("old", "old.tar.zst")
RECIPE = {
    "schema_version": "recipe.v1",
    "label": "y",
    "columns": [{"column": "size", "action": "keep", "missing": "indicator"}],
}
FRAME = pd.DataFrame(
    {"weight": [1.0, 2.0, 3.0, 4.0] * 10, "size": [5.0, 2.0] * 20, "y": ["a", "b"] * 20}
)


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a workspace: runs one and two have the same frame, three another, and a recipe."""
    folder = tmp_path_factory.mktemp("trained")
    for name in ("one", "two"):
        train(FRAME, label="y", name=name, workspace=folder)
    other = FRAME.drop(columns="weight")
    train(other, label="y", name="three", workspace=folder, recipe=RECIPE)
    return folder


@pytest.fixture
def store(trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Go to a copy of that workspace, and return its store."""
    monkeypatch.chdir(shutil.copytree(trained, tmp_path / "workspace"))
    return Path(".runforge")


def tree(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def copies_in(store: Path) -> list[str]:
    return sorted(name for name in tree(store) if name.startswith(("datasets/", "recipes/")))


def report(runforge: Call, *arguments: str, kind: str = "archive_report.v1") -> dict[str, Any]:
    result = runforge("store", *arguments, "--json")
    assert result.code == 0, result.out
    validate(result.json, kind)
    document: dict[str, Any] = result.json
    return document


def outcomes(document: dict[str, Any]) -> dict[str, str]:
    return {copy["what"]: copy["outcome"] for copy in document["copies"]}


def removals(store: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (store / "removals.jsonl").read_bytes().splitlines()]


@pytest.mark.parametrize("form", FORMS)
def test_copies_go_into_the_archive_and_come_back(runforge: Call, store: Path, form: str) -> None:
    before, copies = tree(store), copies_in(store)
    planned = report(
        runforge, "archive", "three", "--to", f"../{form}", "--with-dataset", "--dry-run"
    )
    assert outcomes(planned) == {"dataset": "archived", "recipe": "archived"}
    assert tree(store) == before
    away = report(runforge, "archive", "three", "--to", f"../{form}", "--with-dataset")
    assert away["copies"] == planned["copies"]
    gone = {copy["path"].removeprefix(".runforge/") for copy in away["copies"]}
    assert set(copies_in(store)) == set(copies) - gone
    assert len(gone) == 2
    [line] = removals(store)
    assert set(line["also"]) == gone
    assert runforge("verify", "--all").code == 0
    # The archive needs nothing from here.
    if form == "old":
        assert runforge("verify", "--all", "--workspace", "../old").code == 0
    else:
        assert runforge("verify", "../old.tar.zst").code == 0
    # A copy that is here in spite of the line is what a killed process left.
    [dataset] = [name for name in gone if name.startswith("datasets/")]
    (store / dataset).write_bytes(before[dataset])
    tidied = report(runforge, "tidy", "--dry-run", kind="removal_report.v1")
    assert [item["what"] for item in tidied["items"]] == ["unfinished"]
    report(runforge, "archive", removals(store)[0]["run_id"], "--to", f"../{form}")
    assert not (store / dataset).exists()
    back = report(runforge, "restore", f"../{form}", "three")
    assert outcomes(back) == {"dataset": "restored", "recipe": "restored"}
    after = tree(store)
    del after["removals.jsonl"]
    assert after == before
    assert runforge("verify", "--all").code == 0


def test_a_copy_that_another_run_uses_stays_until_that_is_archived(
    runforge: Call, store: Path
) -> None:
    copies = copies_in(store)
    first = report(runforge, "archive", "one", "--to", "../old", "--with-dataset")
    [copy] = first["copies"]
    assert (copy["outcome"], len(copy["used_by"])) == ("copied", 1)
    assert copies_in(store) == copies
    assert copies_in(Path("../old/.runforge")) == [copy["path"].removeprefix(".runforge/")]
    shown = runforge("store", "archive", "two", "--to", "../old", "--with-dataset")
    assert shown.code == 0, shown.err
    assert "1 copy of datasets or recipes" in shown.out
    assert len(copies_in(store)) == len(copies) - 1
    # Both lines have it now: either run brings it back.
    lines = removals(store)
    assert [list(line.get("also", ())) for line in lines] == [
        [],
        *[copies_in(Path("../old/.runforge"))] * 2,
    ]
    assert (
        runforge("store", "forget", "three", "--because", "x", "--with-dataset", "--yes").code == 0
    )
    assert copies_in(store) == []
    assert outcomes(report(runforge, "restore", "../old", "name:one")) == {"dataset": "restored"}
    assert runforge("verify", "--all").code == 0


def test_a_copy_that_the_archive_lost_is_said_and_the_run_comes_back(
    runforge: Call, store: Path, tmp_path: Path
) -> None:
    report(runforge, "archive", "three", "--to", "../old", "--with-dataset")
    datasets = Path("../old/.runforge/datasets")
    datasets.rename(tmp_path / "elsewhere")
    datasets.symlink_to(tmp_path / "elsewhere")
    refused = runforge("store", "restore", "../old", "--json")
    assert refused.json["error"]["code"] == "FILE_UNSAFE"
    datasets.unlink()
    datasets.mkdir()
    [name] = [path.name for path in (tmp_path / "elsewhere").iterdir()]
    (datasets / name).write_text("other bytes")
    result = runforge("store", "restore", "../old")
    assert result.code == 0, result.err
    assert "went into the archive, which does not have it now" in result.err
    assert not (store / "datasets" / name).exists()
    assert [line["action"] for line in removals(store)] == ["archived", "restored"]


def test_several_archives_and_names_in_one_call(
    runforge: Call, store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = tree(store)
    report(runforge, "archive", "one", "--to", "../a")
    report(runforge, "archive", "two", "three", "--to", "../b.tar.zst")
    missing = runforge("store", "restore", "../a", "../b.tar.zst", "one", "four", "--json")
    assert missing.json["error"]["code"] == "RUN_NOT_FOUND"
    back = report(runforge, "restore", "../a", "../b.tar.zst", "one", "name:three")
    assert [run["archive"] for run in back["runs"]] == ["../a", "../b.tar.zst"]
    assert (back["archive"], [more["name"] for more in back["more_archives"]]) == (
        "../a",
        ["../b.tar.zst"],
    )
    changed = Path(f"../a/.runforge/runs/{back['runs'][0]['run_id']}/metrics.json")
    report(runforge, "archive", "one", "--to", "../a")
    kept = changed.read_bytes()
    changed.write_bytes(b"{}\n")
    unchanged = tree(store)
    refused = runforge("store", "restore", "../a", "../b.tar.zst", "--json")
    assert refused.json["error"]["code"] == "VERIFICATION_FAILED"
    assert tree(store) == unchanged
    changed.write_bytes(kept)
    whole = runforge("store", "restore", "../a", "../b.tar.zst")
    assert whole.code == 0, whole.err
    after = tree(store)
    del after["removals.jsonl"]
    assert after == before


def test_commands_say_where_an_archived_run_lies_by_its_name(runforge: Call, store: Path) -> None:
    report(runforge, "archive", "one", "--to", "../old")
    assert "restore         runforge store restore ../old " in runforge("show", "one").out
    for call in (("rerun", "one"), ("predict", "one", "x.csv"), ("verify", "name:one")):
        error = runforge(*call, "--json").json["error"]
        assert (error["code"], "was archived at" in error["message"]) == ("RUN_NOT_FOUND", True)
        assert "`runforge store restore ../old " in error["hint"]


def test_recipes_are_offered_to_tidy_and_go_with_forgotten_runs(
    runforge: Call, store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    [recipe] = [name for name in copies_in(store) if name.startswith("recipes/")]
    # Nothing is offered while a run refers to it.
    assert report(runforge, "tidy", "--dry-run", kind="removal_report.v1")["items"] == []
    shutil.copytree(Path(), "../kept")
    dry = runforge("store", "forget", "three", "--because", "x", "--dry-run")
    assert f"the copy of the recipe {'.runforge/' + recipe!r}".replace("'", "`") in dry.err
    assert runforge("store", "forget", "three", "--because", "x", "--yes").code == 0
    offered = report(runforge, "tidy", "--dry-run", kind="removal_report.v1")["items"]
    assert [(item["what"], item["outcome"]) for item in offered] == [
        ("dataset", "kept"),
        ("recipe", "kept"),
    ]
    assert runforge("store", "tidy", "--with-dataset", "--yes").code == 0
    assert len(copies_in(store)) == 1
    # A merge brings the recipe of another store along.
    Path("../new").mkdir()
    monkeypatch.chdir("../new")
    merged = report(runforge, "merge", "../kept", kind="merge_report.v1")
    assert [item["outcome"] for item in merged["items"] if item["kind"] == "recipe"] == ["added"]
    assert recipe in copies_in(store)
    assert (
        runforge("store", "forget", "three", "--because", "x", "--with-dataset", "--yes").code == 0
    )
    assert recipe in removals(store)[0]["also"]
    assert recipe not in copies_in(store)


def test_the_same_from_python(
    runforge: Call, store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, here = tree(store), Store()
    one = here.run("one")
    assert here.archive(one, to="../old") == [one.id]
    # Again, as after a process that was killed; and by a name, together with another one.
    assert here.archive(one.id, to="../old") == [one.id]
    others = here.archive(["two", "three"], to="../old.tar.zst", because="x", with_dataset=True)
    assert len(others) == 2
    assert here.runs() == []
    assert [run.name for run in Store("../old").runs()] == ["one"]
    with pytest.raises(NotFoundError, match="was archived at"):
        here.run("name:two")
    with pytest.raises(UsageError, match="No run is named"):
        here.archive([], to="../old")
    with pytest.raises(NotFoundError, match="matches 0 runs"):
        here.restore("../old", "two")
    [back] = here.restore(["../old", "../old.tar.zst"], "two")
    assert (back.name, isinstance(back, Run)) == ("two", True)
    assert {run.name for run in here.restore(["../old", Path("../old.tar.zst")])} == {
        "one",
        "three",
    }
    after = tree(store)
    del after["removals.jsonl"]
    assert after == before
    if sys.platform != "win32":
        assert here.move("../disk") == (tmp_path / "disk/.runforge").resolve()
        assert (store.is_symlink(), here.run("one").name) == (True, "one")
        here.move(".")
    (tmp_path / "new").mkdir()
    new = Store(tmp_path / "new")
    assert {run.name for run in new.merge(".")} == {"one", "two", "three"}
    assert new.merge(".") == []
    with pytest.raises(VerificationError):
        new.merge(".", public_key=_public_key(runforge))
    assert runforge("verify", "--all", "--workspace", "../new").code == 0


def _public_key(runforge: Call) -> Path:
    assert runforge("keygen", "--out", "key").code == 0
    return Path("key.pub")


@pytest.mark.skipif(sys.platform == "win32", reason="needs links")
@pytest.mark.parametrize("form", ["link", "folder", "huge", "text", "climbs"])
def test_a_hostile_recipe_in_a_run_is_refused_and_leads_nowhere(
    runforge: Call, store: Path, tmp_path: Path, form: str
) -> None:
    run = Store().run("three").path
    outside = tmp_path / "outside"
    shutil.copytree(run / "artifacts", outside)
    recipe = run / "artifacts/recipe.v1.json"
    if form == "link":
        recipe.unlink()
        recipe.symlink_to(outside / recipe.name)
    elif form == "folder":
        shutil.rmtree(run / "artifacts")
        (run / "artifacts").symlink_to(outside)
    elif form == "huge":
        with recipe.open("r+b") as file:
            file.truncate(2**28)
    elif form == "text":
        recipe.write_text("no JSON")
    else:
        request = json.loads((run / "request.json").read_bytes())
        request["dataset"]["recipe"] = f"../outside/../../{'0' * 64}/recipes/{'1' * 64}.json"
        (run / "request.json").write_text(json.dumps(request))
    before = tree(tmp_path)
    whole = ("store", "archive", "three", "--to", "../old", "--with-dataset")
    codes = {
        runforge(*call, "--json").json["error"]["code"]
        for call in (
            whole,
            ("store", "forget", "three", "--because", "x", "--yes"),
            ("rerun", "three", "--without-recipe", "--recipe", "gone.json"),
        )
    }
    assert codes <= {"FILE_UNSAFE", "VERIFICATION_FAILED", "USAGE_INVALID"}, codes
    with pytest.raises(RunForgeError):
        recipe_of_run(Run(run)) if form != "climbs" else Store().archive("three", to="../old")
    assert tree(tmp_path) == before
    # Whatever cannot be read may use the recipe in the store; the other request names another.
    offered = report(runforge, "tidy", "--dry-run", kind="removal_report.v1")["items"]
    assert [item["what"] for item in offered] == ["recipe"] * (form == "climbs")
    # `--force` removes the run, and nothing else, unless it has more than files.
    forced = runforge("store", "forget", "three", "--because", "x", "--force", "--yes", "--json")
    if form in ("link", "folder"):
        assert forced.json["error"]["code"] == "FILE_UNSAFE"
        assert tree(tmp_path) == before
    else:
        assert forced.code == 0, forced.out
    assert len(list(outside.iterdir())) > 1
