"""Every way of starting a run claims an id of its own, and guards the bytes of the store."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from calls import TRAIN, Call, Result
from runforge_contracts.errors import ErrorCode, RunForgeError
from runforge_contracts.invariants.store_invariants import check_store
from runforge_contracts.store.layout import StoreLayout
from runforge_contracts.store.reading import read_index
from runforge_engine import train
from runforge_engine.pipeline.execute import execute_folder

EDITOR = ("train", "--preset", "std-train", "--out")
REQUEST = {
    "version": 1,
    "preset": "fast",
    "dataset": {"path": "small.csv", "label_column": "label"},
    "model": {"family": "logistic_regression"},
    "device": {"type": "cpu"},
    "created_at": "2026-02-01T12:00:00Z",
    "created_by": "tests@1",
}


@pytest.fixture
def small(workspace: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a workspace with a dataset as editors name it, and a request."""
    rows = [f"{number},{number % 7},{'ab'[number % 2]}\n" for number in range(20)]
    (workspace / "small.csv").write_text("x,y,label\n" + "".join(rows), "utf-8")
    (workspace / "request.json").write_text(json.dumps(REQUEST, indent=2) + "\n", "utf-8")
    monkeypatch.setenv("RUNFORGE_DATASET", "small.csv")
    return workspace


@pytest.fixture
def editor(small: Path, capfdbinary: pytest.CaptureFixture[bytes]) -> Call:
    """Return a function that calls the entry point of editors in this process."""
    from ml_runner.__main__ import cli
    from runforge_cli.__main__ import guard

    def call(*arguments: str) -> Result:
        capfdbinary.readouterr()
        code = guard(lambda: cli.main(list(arguments), standalone_mode=False) or 0, json=True)
        out, err = capfdbinary.readouterr()
        return Result(int(code), out.decode(), err.decode())

    return call


def prepared(folder: Path) -> Path:
    folder.mkdir(parents=True)
    shutil.copyfile("request.json", folder / "request.json")
    return folder


@pytest.mark.parametrize(
    "written",
    [
        json.dumps(REQUEST).encode(),
        json.dumps(dict(reversed(REQUEST.items())), indent=4).encode(),
        b"\xef\xbb\xbf" + json.dumps(REQUEST, indent=2).replace("\n", "\r\n").encode(),
        json.dumps({**REQUEST, "created_at": "2026-02-01T12:00:00+00:00"}).encode(),
    ],
    ids=["one line", "another order", "of Windows", "another zone"],
)
def test_a_request_is_as_its_client_wrote_it(written: bytes, small: Path, runforge: Call) -> None:
    folder = small / ".runforge/runs/20260201-120000-00000001"
    folder.mkdir(parents=True)
    (folder / "request.json").write_bytes(written)
    assert runforge("run", "--run-dir", str(folder)).code == 0
    assert (folder / "request.json").read_bytes() == written
    assert runforge("verify", folder.name).code == 0
    assert not check_store(StoreLayout(small))


def test_every_way_of_starting_in_one_second_has_an_id_of_its_own(
    small: Path, editor: Call, runforge: Call, tmp_path_factory: pytest.TempPathFactory
) -> None:
    outside = tmp_path_factory.mktemp("outside")
    store = StoreLayout(small)
    for out in ("out1", "a/out2", "out3/../out4", str(outside / "run"), ".runforge/runs/mine"):
        done = editor(*EDITOR, out)
        assert done.code == 0, done.out + done.err
    assert editor(*EDITOR, ".runforge/runs/20260201-120000-00000000").code == 0
    assert runforge("train", "small.csv", "--label", "label").code == 0
    assert runforge("run", "request.json").code == 0
    assert runforge("run", "request.json").code == 0
    assert runforge("rerun", read_index(store)[0]["run_id"]).code == 0
    prepared(store.runs / "20260201-120000-00000001")
    prepared(small / "there/20260201-120000-00000002")
    assert runforge("run", "--run-dir", ".runforge/runs/20260201-120000-00000001").code == 0
    assert (
        runforge(
            "run", "--run-dir", "there/20260201-120000-00000002", "--workspace", str(small)
        ).code
        == 0
    )
    assert train("small.csv", label="label").status == "succeeded"
    entries = read_index(store)
    ids = [entry["run_id"] for entry in entries]
    assert len(set(ids)) == len(ids) == 13
    for entry in entries:
        run = json.loads((small / entry["run_dir"] / "run.json").read_text("utf-8"))
        assert run["run_id"] == entry["run_id"]
        assert ".." not in entry["run_dir"]
    # What only kept an id is gone once the run is listed.
    assert all(any(folder.iterdir()) for folder in store.runs.iterdir())
    found = runforge("verify", "--all")
    assert found.code == 0, found.out


def test_processes_that_start_together_have_ids_of_their_own(small: Path) -> None:
    command = [sys.executable, "-m", "ml_runner", *EDITOR]
    outs = ["out1", "out2", ".runforge/runs/mine"]
    processes = [
        subprocess.Popen([*command, out], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        for out in outs
    ]
    assert [process.wait() for process in processes] == [0] * len(outs)
    entries = read_index(StoreLayout(small))
    assert len({entry["run_id"] for entry in entries}) == len(outs)
    assert [entry["run_dir"] for entry in entries if entry["run_dir"] in outs] == outs[2:]
    ids = {json.loads(Path(out, "run.json").read_text("utf-8"))["run_id"] for out in outs}
    assert ids == {entry["run_id"] for entry in entries}


@pytest.mark.storm
def test_a_storm_of_processes_has_ids_of_its_own(small: Path) -> None:
    processes = [
        subprocess.Popen(
            [sys.executable, "-m", *call],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        for number in range(6)
        for call in (
            ("ml_runner", *EDITOR, f"out{number}"),
            ("runforge_cli", "run", "request.json"),
        )
    ]
    assert [process.wait() for process in processes] == [0] * 12
    ids = [entry["run_id"] for entry in read_index(StoreLayout(small))]
    assert len(set(ids)) == len(ids) == 12


def test_the_id_of_a_run_whose_folder_is_gone_stays_taken(small: Path, runforge: Call) -> None:
    first = train("small.csv", label="label")
    shutil.rmtree(first.path)
    second = train("small.csv", label="label")
    assert second.id != first.id
    assert [entry["run_id"] for entry in read_index(StoreLayout(small))] == [
        first.id,
        second.id,
    ]
    for folder in (first.path, small / "elsewhere" / first.id):
        prepared(folder)
        before = sorted(small.rglob("*"))
        refused = runforge("run", "--run-dir", str(folder), "--workspace", str(small), "--json")
        assert (refused.code, refused.json["error"]["code"]) == (2, "RUN_ID_TAKEN")
        assert sorted(small.rglob("*")) == before


def test_an_id_that_another_folder_claims_is_refused(small: Path) -> None:
    store = StoreLayout(small)
    elsewhere = prepared(small / "elsewhere/20260201-120000-00000000")
    store.run_folder(elsewhere.name).mkdir(parents=True)
    with pytest.raises(RunForgeError) as caught:
        execute_folder(elsewhere, store)
    assert caught.value.code is ErrorCode.RUN_ID_TAKEN


@pytest.mark.parametrize("out", [".", ".runforge", ".runforge/runs", ".runforge/runs/a/b"])
def test_a_run_folder_around_or_within_the_store_is_refused(
    out: str, small: Path, editor: Call
) -> None:
    assert editor(*EDITOR, "first").code == 0
    before = sorted(small.rglob("*"))
    refused = editor(*EDITOR, out)
    assert (refused.code, json.loads(refused.out)["error"]["code"]) == (2, "USAGE_INVALID")
    assert sorted(small.rglob("*")) == before


def test_a_refused_folder_leaves_no_claim(small: Path, editor: Call) -> None:
    (small / "full").mkdir()
    (small / "full/run.json").write_text("mine", "utf-8")
    assert editor(*EDITOR, "full").code == 2
    assert not (small / ".runforge").exists()


def test_one_request_has_the_same_bytes_in_two_stores(small: Path, editor: Call) -> None:
    for name in ("one", "two"):
        (small / name).mkdir()
        shutil.copyfile("small.csv", small / name / "small.csv")
        os.chdir(small / name)
        assert editor(*EDITOR, "out").code == 0
        assert train("small.csv", label="label").status == "succeeded"
    os.chdir(small)
    files = [path.relative_to("one") for path in Path("one").rglob("*") if path.is_file()]
    assert Path(".runforge/.gitattributes") in files
    for file in files:
        assert (Path("one") / file).read_bytes() == (Path("two") / file).read_bytes(), file


def by_editor(small: Path, name: str) -> None:
    from ml_runner.__main__ import cli

    cli.main([*EDITOR, "out"], standalone_mode=False)


def by_request(small: Path, name: str) -> None:
    from runforge_cli.shell.app import cli

    cli.main(["run", "request.json", "--store", name], standalone_mode=False)


def by_folder(small: Path, name: str) -> None:
    execute_folder(
        prepared(small / name / "runs/20260201-120000-00000000"), StoreLayout(small, name)
    )


def by_library(small: Path, name: str) -> None:
    train("small.csv", label="label")


@pytest.mark.parametrize(
    ("start", "name"),
    [
        (by_editor, ".runforge"),
        (by_request, ".runforge"),
        (by_request, ".ml"),
        (by_folder, ".ml"),
        (by_library, ".runforge"),
    ],
)
def test_a_store_guards_its_bytes_whichever_client_starts_it(
    start: Callable[[Path, str], Any], name: str, small: Path
) -> None:
    start(small, name)
    attributes = small / name / ".gitattributes"
    assert attributes.read_bytes() == b"* -text\n"
    attributes.write_text("* -text\n*.pkl filter=lfs\n", "utf-8")
    train("small.csv", label="label")
    assert "lfs" in attributes.read_text("utf-8")


def git(folder: Path, *arguments: str) -> None:
    subprocess.run(
        ["git", "-c", "user.name=t", "-c", "user.email=t@example.org", *arguments],
        cwd=folder,
        check=True,
        capture_output=True,
    )


@pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")
def test_a_clone_that_changes_line_ends_still_verifies(workspace: Path, runforge: Call) -> None:
    from runforge_contracts.invariants.store_invariants import check_store

    # Git reads no settings but those of the repository.
    for name, value in {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}.items():
        os.environ[name] = value
    try:
        assert runforge(*TRAIN).code == 0
        git(workspace, "init", "-q", ".")
        git(workspace, "config", "core.autocrlf", "true")
        (workspace / ".gitattributes").write_text("* text=auto\n*.json eol=crlf\n", "utf-8")
        (workspace / "penguins.csv").rename(workspace / ".runforge/penguins.csv")
        git(workspace, "add", "-A")
        git(workspace, "commit", "-qm", "A run")
        git(workspace, "clone", "-q", "-c", "core.autocrlf=true", ".", "clone")
    finally:
        del os.environ["GIT_CONFIG_GLOBAL"], os.environ["GIT_CONFIG_NOSYSTEM"]
    clone = workspace / "clone"
    (clone / ".runforge/penguins.csv").rename(clone / "penguins.csv")
    os.chdir(clone)
    verified = runforge("verify", "--all")
    assert verified.code == 0, verified.out
    assert check_store(StoreLayout(clone)) == []
    checked = runforge("index", "check", "--json")
    assert (checked.code, checked.json["stores"][0]["skipped"]) == (0, [])
    assert ".gitattributes" not in runforge("runs").out
