"""Hostile workspaces and killed processes: what editors call loses nothing and never hangs."""

from __future__ import annotations

import json
import os
import random
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import editor_rules as rules
import pytest
from calls import Call, Result
from field_data import table
from field_editor import FieldEditor

pytestmark = pytest.mark.skipif(os.name == "nt", reason="links, named pipes and signals of POSIX")
#: How long a call may take before it counts as one that hangs, in seconds.
PATIENCE = 120


def outside(tmp_path: Path) -> Path:
    """Return a folder outside the workspace, in which nothing may appear."""
    place = tmp_path / "outside"
    for name in ("runs", "outputs", "run/artifacts"):
        (place / name).mkdir(parents=True)
    (place / "index.json").write_text('{"schema_version": "1.0.0", "runs": []}')
    return place


def state(folder: Path) -> dict[str, bytes | None]:
    """Return everything in a folder."""
    return {
        str(path.relative_to(folder)): path.read_bytes() if path.is_file() else None
        for path in folder.rglob("*")
    }


def train(workspace: Path, out: Path) -> Result:
    """Train as the extension does, and return what came."""
    done = subprocess.run(
        [
            *(sys.executable, "-m", "ml_runner", "train", "--preset", "std-train"),
            *("--out", str(out), "--device", "cpu", "--model", "linear_svc"),
        ],
        cwd=workspace,
        env={**os.environ, "RUNFORGE_DATASET": str(workspace / "data.csv")},
        capture_output=True,
        timeout=PATIENCE,
        check=False,
    )
    return Result(done.returncode, done.stdout.decode(), done.stderr.decode())


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a workspace with a table, and the parts that clients make first."""
    for name in [key for key in os.environ if key.startswith("RUNFORGE")]:
        monkeypatch.delenv(name)
    workspace = tmp_path / "workspace"
    workspace.mkdir()
    table(workspace / "data.csv", rows=30)
    return workspace


def _link(name: str, target: str) -> Callable[[Path, Path], None]:
    def make(workspace: Path, away: Path) -> None:
        path = workspace / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.symlink_to(away / target)

    return make


REFUSED = {
    "ml": _link(".ml", "."),
    "runs": _link(".ml/runs", "runs"),
    "run": _link(".ml/runs/run", "run"),
    "artifacts": _link(".ml/runs/run/artifacts", "run/artifacts"),
    "model": _link(".ml/runs/run/artifacts/model.pkl", "model.pkl"),
    "document": _link(".ml/runs/run/run.json", "run.json"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_nothing_is_trained_through_a_link(place: Path, tmp_path: Path, name: str) -> None:
    away = outside(tmp_path)
    before = state(away)
    REFUSED[name](place, away)
    done = train(place, place / ".ml/runs/run")
    assert done.code == 2, done
    assert "Traceback" not in done.err
    assert state(away) == before
    assert not list((place / ".runforge").rglob("model.pkl"))


def _pipe(name: str) -> Callable[[Path, Path], None]:
    def make(workspace: Path, _: Path) -> None:
        (workspace / name).parent.mkdir(parents=True, exist_ok=True)
        os.mkfifo(workspace / name)

    return make


def _folder(name: str) -> Callable[[Path, Path], None]:
    def make(workspace: Path, _: Path) -> None:
        (workspace / name).mkdir(parents=True)

    return make


WARNED = {
    "outputs-link": _link(".ml/outputs", "outputs"),
    "index-link": _link(".ml/outputs/index.json", "index.json"),
    "index-pipe": _pipe(".ml/outputs/index.json"),
    "index-folder": _folder(".ml/outputs/index.json"),
    "lock-link": _link(".ml/outputs/index.lock", "index.lock"),
}


@pytest.mark.parametrize("name", WARNED)
def test_a_run_is_complete_where_the_index_cannot_be_written(
    place: Path, tmp_path: Path, process: Call, name: str
) -> None:
    away = outside(tmp_path)
    before = state(away)
    WARNED[name](place, away)
    folder = place / ".ml/runs/run"
    (folder / "artifacts").mkdir(parents=True)
    done = train(place, folder)
    assert done.code == 0, done
    assert "Traceback" not in done.err
    assert state(away) == before
    run_id = json.loads((folder / "run.json").read_text("utf-8"))["run_id"]
    assert rules.orphan(rules.read(folder / ".index-orphan")) == run_id
    assert process("runforge_cli", "verify", run_id, cwd=place).code == 0


def test_what_lies_in_the_folder_of_a_run_is_not_read(place: Path) -> None:
    folder = place / ".ml/runs/run"
    (folder / "artifacts").mkdir(parents=True)
    os.mkfifo(folder / "logs.txt")
    with (folder / "request.json").open("wb") as file:
        file.truncate(100 * 2**20)
    done = train(place, folder)
    assert done.code == 0, done
    assert rules.index(place)[-1]["run_dir"] == ".ml/runs/run"
    for arguments in (["runs"], ["verify", "--all"], ["show", str(folder)], ["index", "check"]):
        shown = subprocess.run(
            [sys.executable, "-m", "runforge_cli", *arguments],
            cwd=place,
            capture_output=True,
            timeout=PATIENCE,
            check=False,
        )
        assert b"Traceback" not in shown.stderr + shown.stdout
        assert shown.returncode in (0, 1)


@pytest.mark.parametrize("name", ["a\nb", "\x1b[31mred\x1b[0m", "\u202eevil", "-rf", "a b", "ü"])
def test_names_reach_the_terminal_escaped(place: Path, name: str) -> None:
    folder = place / ".ml/runs" / name
    (folder / "artifacts").mkdir(parents=True)
    done = train(place, folder)
    # Events are documents for a program, and carry names as they are.
    text = [line for line in done.err.splitlines() if rules.event(line) is None]
    for shown in (done.out, *text):
        assert "\x1b" not in shown
        assert "\u202e" not in shown
    if done.code == 0:
        assert rules.index(place)[-1]["run_dir"] == f".ml/runs/{name}"
    failed = train(place, folder)
    assert failed.code == 2
    assert "\x1b" not in failed.err
    assert "\u202e" not in failed.err


def _run_json(run_id: Any) -> bytes:
    return json.dumps({"schema_version": "run.v0.4.0", "run_id": run_id}).encode()


def test_other_folders_do_no_harm(place: Path, tmp_path: Path) -> None:
    runs = place / ".ml/runs"
    made = {
        "deep": b"[" * 200_000,
        "climbs": _run_json("../../outside"),
        "nobody": _run_json("20260101-000000-00000000"),
        "number": _run_json(7),
        "empty": b"",
    }
    for name, content in made.items():
        (runs / f"20260101-000000-{name}-0000").mkdir(parents=True)
        (runs / f"20260101-000000-{name}-0000/run.json").write_bytes(content)
    pipe = runs / "20260101-000000-pipe-0000"
    pipe.mkdir()
    os.mkfifo(pipe / "run.json")
    away = outside(tmp_path)
    (runs / "20260101-000000-link-0000").symlink_to(away / "run")
    before = {name: state(runs / f"20260101-000000-{name}-0000") for name in made}
    done = train(place, runs / "20260102-000000-run-0000")
    assert done.code == 0, done
    assert [entry["run_dir"] for entry in rules.index(place)] == [
        ".ml/runs/20260102-000000-run-0000"
    ]
    assert {name: state(runs / f"20260101-000000-{name}-0000") for name in made} == before


def test_an_entry_that_was_removed_is_added_by_the_next_run(place: Path) -> None:
    runs = place / ".ml/runs"
    for name in ("20260101-000000-one-0000", "20260101-000000-two-0000"):
        assert train(place, runs / name).code == 0
    document = json.loads((place / rules.INDEX).read_text("utf-8"))
    lost = document["runs"].pop(0)
    (place / rules.INDEX).write_text(json.dumps(document))
    assert train(place, runs / "20260101-000000-three-0000").code == 0
    entries = rules.index(place)
    assert entries[1] == lost
    names = [entry["run_dir"].split("-")[-2] for entry in entries]
    assert names == ["two", "one", "three"]


@pytest.mark.slow
@pytest.mark.storm
def test_killed_at_any_moment(place: Path, process: Call) -> None:
    editor = FieldEditor(place)
    dataset = place / "data.csv"
    began = time.monotonic()
    editor.train(dataset, model="linear_svc")
    takes = time.monotonic() - began
    moments = ["dataset_loaded", "train_finished", "artifacts_written", "artifacts_written"]
    chance = random.Random(17)
    for turn in range(8):
        training = editor.start(dataset, model="linear_svc", name=f"Kill {turn}")
        training.heard(moments[turn % len(moments)])
        time.sleep(chance.random() * takes / 8)
        training.process.kill()
        training.wait()
        # The index is whole at every moment, and lists nothing that is not there.
        assert rules.open_runs(place).holes == []
        rules.browse_runs(place).sound()
    assert editor.train(dataset, model="linear_svc").process.returncode == 0
    # What was killed after its files were copied is listed now, and nothing is left behind.
    assert rules.recover_index(place).recovered == []
    left = {path.name for path in (place / ".ml/outputs").iterdir()}
    assert left <= {"index.json", "index.lock"}
    shown = process("runforge_cli", "runs", "--json", "--limit", "1000", cwd=place).json["runs"]
    sealed = [run["run_id"] for run in shown if run.get("status") == "succeeded"]
    assert len(sealed) == len(set(sealed)) >= 2
    # A run that was killed between its seal and its entry is listed when the index is mended.
    process("runforge_cli", "index", "rebuild", cwd=place)
    done = process("runforge_cli", "verify", *sealed, cwd=place)
    assert done.code == 0, done.out


def test_copies_of_a_workspace_are_one_each(place: Path, tmp_path: Path) -> None:
    assert train(place, place / ".ml/runs/20260101-000000-one-0000").code == 0
    copy = shutil.copytree(place, tmp_path / "copy")
    assert train(copy, copy / ".ml/runs/20260101-000000-two-0000").code == 0
    assert len(rules.index(copy)) == 2
    assert len(rules.index(place)) == 1
