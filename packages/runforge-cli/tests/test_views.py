"""Views: folders of an editor that repeat runs of the store, as every command knows them."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import NamedTuple

import pytest
from calls import Call
from field_stores import (
    Training,
    editor_run,
    finish_editor_folder,
    prepare_editor_folder,
    write_cancelled,
    write_dataset,
)
from runforge_contracts.invariants.store_invariants import check_store
from runforge_contracts.store.layout import LEGACY_STORE, StoreLayout
from runforge_contracts.store.reading import read_index
from runforge_contracts.store.run import Run
from runforge_contracts.store.view_folders import VIEW_MARKER, record_of, record_of_path
from runforge_engine.store.editor_index import append_foreign_entries
from runforge_engine.store.run_view import editor_entry, write_view

INDEX = ".ml/outputs/index.json"
TRAIN = ("train", "data/three.csv", "--label", "label", "--param", "max_iter=20", "--json")


class Pair(NamedTuple):
    """A run, and the folder of an editor that repeats it."""

    record: Path
    view: Path

    @property
    def run_id(self) -> str:
        return self.record.name


def make_pair(workspace: Path, runforge: Call, name: str = "good") -> Pair:
    view = prepare_editor_folder(workspace, Training(name=name), random="00c0")
    done = runforge(*TRAIN, "--name", name, "--store", ".runforge")
    assert done.code == 0
    record = Run(workspace / done.json["run_dir"])
    write_view(record, view)
    append_foreign_entries(StoreLayout(workspace, LEGACY_STORE), [editor_entry(record, view)])
    finish_editor_folder(view)
    return Pair(record.path, view)


@pytest.fixture
def pair(workspace: Path, runforge: Call) -> Pair:
    write_dataset(workspace / "data/three.csv")
    return make_pair(workspace, runforge)


def listed(runforge: Call, *options: str) -> list[str]:
    return [entry["run_dir"] for entry in runforge("runs", "--json", *options).json["runs"]]


def test_a_run_and_its_view_are_one_run(pair: Pair, workspace: Path, runforge: Call) -> None:
    run_dir = f".runforge/runs/{pair.run_id}"
    assert listed(runforge) == [run_dir]
    assert listed(runforge, "--status", "succeeded", "--sort", "accuracy") == [run_dir]
    assert listed(runforge, "--store", ".ml") == []
    latest = runforge("show", "latest", "--json")
    assert latest.json["run_dir"] == run_dir
    traced = runforge("trace", str(pair.view / "artifacts/model.pkl"), "--json").json["runs"]
    assert [run["run_dir"] for run in traced] == [run_dir]
    (workspace / INDEX).unlink()  # views are known by their folders
    assert listed(runforge) == [run_dir]
    assert "1 of 1 view" in runforge("verify", "--all").out


def test_a_view_stands_for_the_run_that_it_repeats(
    pair: Pair, workspace: Path, runforge: Call
) -> None:
    shown = runforge("show", pair.run_id).out
    path = pair.view.relative_to(workspace).as_posix()
    for reference in (path, str(pair.view), pair.view.name, pair.view.name[:-3]):
        done = runforge("show", reference)
        assert (done.code, done.out) == (0, shown)
        note = f"note: {path} is a view of the run {pair.run_id} in .runforge/runs\n"
        assert done.err == note
    assert runforge("metrics", path).out == runforge("metrics", pair.run_id).out
    assert runforge("show", path, "--quiet").err == ""
    # Both names begin with a date; the run has one folder all the same.
    assert runforge("show", pair.run_id[:10]).code == 0


def test_what_a_client_adds_is_named_and_is_no_warning(
    pair: Pair, workspace: Path, runforge: Call
) -> None:
    (pair.view / "run-summary.md").write_text("# A run\n", "utf-8")
    (pair.view / "artifacts/plot\x1b.png").write_bytes(b"png")
    (pair.view / "metrics.json").unlink()
    done = runforge("verify", str(pair.view))
    assert done.code == 0
    words = " ".join(done.out.split())
    assert "NOT VERIFIED" not in words
    assert "5 files, byte for byte as the run has them" in words
    assert "`artifacts/plot\\x1b.png`; it lacks" in words
    assert "it also has `logs.txt`, `request.json`" in words
    assert "it lacks `metrics.json`" in words
    run, view = runforge("verify", str(pair.view), "--json").json["runs"]
    assert (run["run_dir"], view["run_dir"]) == (
        f".runforge/runs/{pair.run_id}",
        pair.view.relative_to(workspace).as_posix(),
    )
    assert view["verdict"] == "verified"
    assert view["view"]["record"] == run["run_dir"]
    assert view["view"]["missing"] == ["metrics.json"]
    assert "run-summary.md" in view["view"]["added"]
    everything = runforge("verify", "--all")
    assert everything.code == 0
    assert "WARN" not in everything.out + everything.err
    assert check_store(StoreLayout(workspace, ".ml")) == []
    assert runforge("index", "check").code == 0


def test_a_changed_copy_is_a_finding_of_the_view_alone(
    pair: Pair, workspace: Path, runforge: Call
) -> None:
    model = pair.view / "artifacts/model.pkl"
    model.write_bytes(model.read_bytes() + b".")
    done = runforge("verify", str(pair.view), "--json")
    assert done.code == 1
    run, view = done.json["runs"]
    assert (run["verdict"], view["verdict"]) == ("verified", "not verified")
    [finding] = view["findings"]
    assert (finding["rule"], finding["file"]) == ("view.same", "artifacts/model.pkl")
    record = json.loads((pair.record / "run.json").read_bytes())
    assert finding["expected"] == record["artifact_digests"]["artifacts/model.pkl"]["sha256"]
    assert finding["found"] != finding["expected"]
    assert runforge("verify", pair.run_id).code == 0
    everything = runforge("verify", "--all", "--json")
    assert everything.code == 1
    records, views = everything.json["stores"]
    assert (records["verdict"], views["verdict"]) == ("verified", "not verified")
    [found] = check_store(StoreLayout(workspace, ".ml"))
    place = pair.view.relative_to(workspace).as_posix()
    assert (found.rule, found.file) == ("view.same", f"{place}/artifacts/model.pkl")
    assert check_store(StoreLayout(workspace)) == []


@pytest.mark.parametrize("kind", ["link", "folder"])
def test_something_else_in_the_place_of_a_copy_is_not_followed(
    kind: str, pair: Pair, runforge: Call
) -> None:
    model = pair.view / "artifacts/model.pkl"
    model.unlink()
    if kind == "link":
        model.symlink_to(pair.record / "artifacts/model.pkl")
    else:
        model.mkdir()
    done = runforge("verify", str(pair.view), "--json")
    assert done.code == (1 if kind == "link" else 0)
    view = done.json["runs"][1]
    assert view["view"]["missing"] == ([] if kind == "link" else ["artifacts/model.pkl"])


def test_an_entry_that_differs_is_a_finding(pair: Pair, workspace: Path, runforge: Call) -> None:
    index = json.loads((workspace / INDEX).read_bytes())
    index["runs"][0]["label_column"] = "other"
    (workspace / INDEX).write_text(json.dumps(index), "utf-8")
    done = runforge("verify", str(pair.view), "--json")
    assert done.code == 1
    [finding] = done.json["runs"][1]["findings"]
    assert (finding["rule"], finding["pointer"]) == ("index.entry", "/runs/0/label_column")
    assert runforge("index", "check").code == 1


def test_a_failed_and_a_cancelled_run_are_known_by_their_markers(
    workspace: Path, runforge: Call
) -> None:
    write_dataset(workspace / "data/three.csv", 1)
    view = prepare_editor_folder(workspace, Training(name="bad"))
    assert runforge(*TRAIN).code == 1
    [record] = (workspace / ".runforge/runs").iterdir()
    finish_editor_folder(view, "The dataset has one class.", exit_code=1)
    place = view.relative_to(workspace).as_posix()
    assert sorted(listed(runforge)) == sorted([place, f".runforge/runs/{record.name}"])
    write_cancelled(view, record.name, workspace)
    assert listed(runforge) == [f".runforge/runs/{record.name}"]
    (view / ".cancelled").unlink()
    (view / VIEW_MARKER).write_text(f"{record.name}\n", "ascii")
    assert listed(runforge) == [f".runforge/runs/{record.name}"]
    assert runforge("verify", place).code == 0
    assert runforge("verify", "--all").code == 0
    assert runforge("index", "rebuild").code == 0
    assert not (workspace / INDEX).exists()


def test_a_view_whose_record_is_gone_is_a_run_by_itself(
    pair: Pair, workspace: Path, runforge: Call
) -> None:
    shutil.rmtree(workspace / ".runforge")
    assert record_of(pair.view, StoreLayout(workspace, ".ml")) is None
    assert listed(runforge) == [pair.view.relative_to(workspace).as_posix()]
    done = runforge("show", pair.view.name)
    assert done.code == 0
    assert f"Run {pair.run_id}" in done.out


def test_runs_of_the_editors_own_engine_are_listed_beside_views(
    pair: Pair, workspace: Path, runforge: Call
) -> None:
    asked = Training(name="theirs")
    folder = editor_run(workspace, workspace / "data/three.csv", asked, random="00dd")
    places = {f".runforge/runs/{pair.run_id}", folder.relative_to(workspace).as_posix()}
    assert set(listed(runforge)) == places
    record = json.loads((folder / "run.json").read_bytes())
    for reference in (folder.name, record["run_id"]):
        assert runforge("show", reference, "--json").json["run_dir"] in places


@pytest.mark.parametrize("text", ["", "../x", "\x00", "x" * 5000, "[1", '{"run_id": 5}'])
def test_markers_of_others_make_no_view(text: str, pair: Pair, workspace: Path) -> None:
    for name in (VIEW_MARKER, ".cancelled", "run.json"):
        folder = workspace / ".ml/runs" / f"odd{name}"
        folder.mkdir()
        (folder / name).write_text(text, "utf-8")
        assert record_of_path(folder) is None


def test_other_folders_are_no_views(pair: Pair, workspace: Path) -> None:
    assert record_of_path(pair.view) == pair.record
    elsewhere = workspace / "copy"
    shutil.copytree(pair.record, elsewhere)
    assert record_of_path(elsewhere) is None  # a whole run
    outside = workspace.parent / f"{workspace.name}-outside"
    shutil.copytree(pair.view, outside)
    assert record_of_path(outside) is None
    linked = workspace / ".ml/runs/linked"
    linked.symlink_to(pair.view)
    assert record_of_path(linked) is None
    records = workspace / ".runforge/runs"
    records.rename(workspace / "moved")
    records.symlink_to(workspace / "moved")
    assert record_of_path(pair.view) is None


def test_a_listed_run_without_a_result_lacks_a_file(filled: Path) -> None:
    store = StoreLayout(filled)
    assert check_store(store) == []
    entry = next(entry for entry in read_index(store) if entry["status"] == "succeeded")
    (filled / entry["run_dir"] / "result.json").unlink()
    found = [item for item in check_store(store) if item.rule == "run.files"]
    assert [item.file for item in found] == [f"{entry['run_dir']}/result.json"]
