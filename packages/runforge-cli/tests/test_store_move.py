"""Moving a real store: what works at its new place, and which links and folders are refused."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import sys
from pathlib import Path
from typing import Any

import pytest
from calls import ROOT, TRAIN, Call
from real_store import start
from runforge_contracts.validation import validate
from runforge_engine.moving import move_store as module

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="stores are not moved there")


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a workspace with two runs, of which the last is signed."""
    folder = tmp_path_factory.mktemp("trained")
    shutil.copyfile(ROOT / "examples/penguins.csv", folder / "penguins.csv")
    assert start(folder, "keygen", "--out", "key").wait() == 0
    for seed in ("1", "2"):
        assert start(folder, *TRAIN, "--seed", seed, "--quiet").wait() == 0
    assert start(folder, "sign", "latest", "--key", "key").wait() == 0
    return folder


@pytest.fixture
def workspace(trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Go to a copy of that workspace."""
    folder = shutil.copytree(trained, tmp_path / "workspace")
    monkeypatch.chdir(folder)
    return folder


def tree(folder: Path) -> dict[str, tuple[bytes, int]]:
    """Return the bytes and the time of every file, but for the name of the workspace."""
    return {
        path.relative_to(folder).as_posix(): (path.read_bytes(), path.stat().st_mtime_ns)
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name not in ("place.json", "index.lock")
    }


def everything(folder: Path) -> dict[str, bytes]:
    """Return all files and links in a folder."""
    found = sorted(path for path in folder.rglob("*") if path.is_symlink() or path.is_file())
    return {
        str(path): bytes(path.readlink()) if path.is_symlink() else path.read_bytes()
        for path in found
    }


def moved(runforge: Call, *arguments: str) -> dict[str, Any]:
    result = runforge("store", "move", *arguments, "--json")
    assert (result.code, result.err) == (0, ""), result.out
    validate(result.json, "move_report.v1")
    document: dict[str, Any] = result.json
    return document


def refusal(runforge: Call, *arguments: str) -> dict[str, Any]:
    before = everything(Path().resolve().parent)
    result = runforge("store", "move", *arguments, "--json")
    assert result.code != 0
    assert everything(Path().resolve().parent) == before
    error: dict[str, Any] = result.json["error"]
    return error


def test_a_store_is_used_where_it_lies_and_comes_back(runforge: Call, workspace: Path) -> None:
    before = tree(Path(".runforge"))
    planned = moved(runforge, "../disk", "--dry-run")
    assert (planned["outcome"], planned["dry_run"]) == ("moved", True)
    assert not Path("../disk").exists()
    report = moved(runforge, "../disk")
    assert report["target"] == str(workspace.parent / "disk/.runforge")
    assert (report["files"], report["kept"]) == (len(before) + 1, [])  # and the lock
    assert Path(".runforge").is_symlink()
    assert tree(Path(".runforge").resolve()) == before
    assert moved(runforge, "../disk")["outcome"] == "present"
    # Everything is as it would be in the workspace: reading, writing, removing, checking.
    assert runforge("verify", "--all", "--public-key", "key.pub").code == 1  # one is not signed
    assert runforge(*TRAIN, "--seed", "3", "--name", "third", "--quiet").code == 0
    assert runforge("sign", "latest", "--key", "key").code == 0
    assert runforge("alias", "production", "latest").code == 0
    first = runforge("runs", "--json").json["runs"][-1]["run_id"]
    assert runforge("store", "archive", first, "--to", "../old").code == 0
    assert runforge("store", "restore", "../old").code == 0
    assert runforge("store", "forget", first, "--because", "a test", "--yes").code == 0
    assert runforge("store", "tidy").code == 0
    assert runforge("index", "rebuild").code == 0
    checked = runforge("verify", "--all")
    assert checked.code == 0, checked.out
    listed = {run["run_id"] for run in runforge("runs", "--json").json["runs"]}
    assert listed == {path.name for path in Path("../disk/.runforge/runs").iterdir()}
    entries = json.loads(Path(".runforge/index.json").read_bytes())["runs"]
    assert all(entry["run_dir"].startswith(".runforge/runs/") for entry in entries)
    # The folder is a workspace of its own for readers, and a third place takes it.
    shown = runforge("runs", "--json", "--workspace", "../disk").json["runs"]
    assert {run["run_id"] for run in shown} == listed
    after = tree(Path(".runforge"))
    assert moved(runforge, "../disk-2")["kept"] == []
    assert not list(Path("../disk").iterdir())
    assert moved(runforge, ".")["kept"] == []
    assert not Path(".runforge").is_symlink()
    assert not Path(".runforge/place.json").exists()
    assert tree(Path(".runforge")) == after
    assert not list(Path("../disk-2").iterdir())
    assert runforge("verify", "--all").code == 0


def test_two_renames_do_where_the_system_cannot_exchange_files(
    runforge: Call, workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "exchange_files", lambda *_: False)
    before = tree(Path(".runforge"))
    for place in ("../disk", "../disk-2", "."):
        assert moved(runforge, place)["kept"] == []
        assert tree(Path(".runforge").resolve()) == before
    # Killed between the two: the workspace has no store, until the command is called again.
    hidden = ".runforge.moved-0123456789abcdef"
    Path(".runforge").rename(f"{hidden}.old")
    Path(hidden).symlink_to(workspace.parent / "disk/.runforge")
    assert moved(runforge, "../disk")["kept"] == []
    assert tree(Path(".runforge").resolve()) == before
    assert not [path for path in workspace.iterdir() if "moved-" in path.name]


def test_a_link_that_the_store_does_not_name_is_refused(runforge: Call, workspace: Path) -> None:
    moved(runforge, "../disk")
    copy = shutil.copytree(workspace, workspace.parent / "copy", symlinks=True)
    os.chdir(copy)
    before = everything(workspace.parent / "disk")
    result = runforge(*TRAIN, "--json")
    assert result.json["error"]["code"] == "FILE_UNSAFE"
    assert "runforge store move" in result.json["error"]["hint"]
    assert runforge("store", "tidy").code != 0
    error = refusal(runforge, "../disk")
    assert error["code"] == "FILE_UNSAFE"
    assert str(workspace) in error["message"]
    assert refusal(runforge, "../elsewhere")["code"] == "FILE_UNSAFE"
    assert everything(workspace.parent / "disk") == before


def test_a_renamed_workspace_takes_its_store_over(
    runforge: Call, workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    moved(runforge, "../disk")
    renamed = workspace.rename(workspace.parent / "renamed")
    monkeypatch.chdir(renamed)
    assert runforge(*TRAIN, "--json").json["error"]["code"] == "FILE_UNSAFE"
    assert moved(runforge, "../disk")["outcome"] == "present"
    assert runforge(*TRAIN, "--quiet").code == 0
    assert runforge("verify", "--all").code == 0


def test_with_a_missing_disk_no_second_store_is_made(runforge: Call, workspace: Path) -> None:
    moved(runforge, "../disk")
    Path("../disk").rename("../unmounted")
    inner = workspace / "inner"
    inner.mkdir()
    os.chdir(inner)
    result = runforge("train", "../penguins.csv", *TRAIN[2:], "--json")
    assert result.json["error"]["code"] == "FILE_UNSAFE"
    assert "disk" in result.json["error"]["hint"]
    assert not list(inner.iterdir())
    os.chdir(workspace)
    assert refusal(runforge, "../disk-2")["code"] == "STORE_NOT_FOUND"


def test_folders_that_cannot_have_the_store(runforge: Call, workspace: Path) -> None:
    other = shutil.copytree(workspace, workspace.parent / "other")
    for folder, reason in (
        (str(other), "has something of the name"),
        (".runforge/runs", "in the store itself"),
        ("../none/here", "does not exist"),
        ("penguins.csv", "not a folder"),
    ):
        error = refusal(runforge, folder)
        assert (error["code"], reason in error["message"]) == ("USAGE_INVALID", True), error
    Path(".runforge/runs/link").symlink_to(workspace)
    assert refusal(runforge, "../disk")["code"] == "FILE_UNSAFE"


def test_a_run_in_progress_or_a_file_written_meanwhile_stops_it(
    runforge: Call, workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    [run, *_] = Path(".runforge/runs").iterdir()
    held = os.open(run, os.O_RDONLY)
    fcntl.flock(held, fcntl.LOCK_EX)
    assert refusal(runforge, "../disk")["code"] == "STORE_BUSY"
    os.close(held)
    copy_one = module._copy_one

    def disturbed(source: Path, *rest: Any) -> Any:
        (source / "runs/late").mkdir(exist_ok=True)
        (source / "runs/late/request.json").write_text("{}")
        return copy_one(source, *rest)

    monkeypatch.setattr(module, "_copy_one", disturbed)
    result = runforge("store", "move", "../disk", "--json")
    assert result.json["error"]["code"] == "STORE_BUSY"
    assert not Path(".runforge").is_symlink()
    assert not list(Path("../disk").iterdir())


def test_what_differs_at_the_earlier_place_stays(runforge: Call, workspace: Path) -> None:
    moved(runforge, "../disk")
    # A killed process left the earlier folder, and in it is something that nobody has.
    left = workspace / ".runforge.moved-0123456789abcdef"
    shutil.copytree(".runforge", left)
    (left / "runs/notes.txt").write_text("mine")
    report = moved(runforge, "../disk")
    assert report["kept"] == [str(left / "runs/notes.txt")]
    assert everything(left).keys() == {str(left / "place.json"), str(left / "runs/notes.txt")}
    # A link of that name to a folder that is not ours is left alone.
    link = workspace / ".runforge.moved-fedcba9876543210"
    precious = workspace.parent / "precious"
    shutil.copytree(".runforge", precious, ignore=shutil.ignore_patterns("place.json"))
    link.symlink_to(precious)
    before = everything(precious)
    moved(runforge, "../disk")
    assert everything(precious) == before
