"""An experiment's run knows the program that it started: its digest, and a copy."""

from __future__ import annotations

import hashlib
import json
import sys
from pathlib import Path
from typing import Any

import pytest
from calls import Call
from experiments import config_of, experiment, folder_of, run_on_full_disk

SCRIPT = "print('trained')\n"


def run(runforge: Call, file: str) -> Any:
    return runforge("experiment", "run", "--experiment", file, "--json")


@pytest.mark.parametrize(
    ("start", "path"),
    [
        ({"script": "src/train.py"}, "src/train.py"),
        ({"module": "src.train"}, "src/train.py"),
        ({"module": "package"}, "package/__main__.py"),
        ({"command": [sys.executable, "src/train.py"]}, "src/train.py"),
    ],
)
def test_the_program_is_recorded_and_copied(
    start: dict[str, Any], path: str, runforge: Call, workspace: Path
) -> None:
    (workspace / path).parent.mkdir()
    (workspace / path).write_text(SCRIPT, "utf-8")
    file = experiment(workspace, "", run={"config_argument": False, **start})
    done = run(runforge, file)
    assert done.code == 0, done.err
    data = SCRIPT.encode()
    assert config_of(workspace)["references"]["program"] == {
        "path": path,
        "sha256": hashlib.sha256(data).hexdigest(),
        "bytes": len(data),
    }
    copy = folder_of(workspace) / "code" / Path(path).name
    assert copy.read_bytes() == data
    manifest = json.loads((folder_of(workspace) / "manifest.json").read_text("utf-8"))
    assert f"code/{copy.name}" in manifest["files"]
    shown = runforge("show").out
    assert f"program          {path} (sha256 " in shown
    copy.write_text("other", "utf-8")
    assert runforge("verify", "latest").code == 1


def test_a_program_outside_the_repository_is_not_recorded(runforge: Call, workspace: Path) -> None:
    file = experiment(workspace, "", run={"command": [sys.executable, "-c", "pass"]})
    assert run(runforge, file).code == 0
    assert "program" not in config_of(workspace).get("references", {})
    assert not (folder_of(workspace) / "code").exists()


def test_a_large_program_is_recorded_and_not_copied(runforge: Call, workspace: Path) -> None:
    file = experiment(workspace, "true\n" + "#" * 2**20)
    assert run(runforge, file).code == 0
    assert config_of(workspace)["references"]["program"]["bytes"] > 2**20
    assert not (folder_of(workspace) / "code").exists()


def test_another_program_is_named(runforge: Call, workspace: Path) -> None:
    file = experiment(workspace, "echo one")
    assert run(runforge, file).code == 0
    (workspace / f"{file}.sh").write_text("echo two", "utf-8")
    again = run(runforge, str(folder_of(workspace) / "config.yaml"))
    assert again.code == 0
    [reported] = [text for text in again.json["warnings"] if "program" in text]
    assert reported.startswith("The program is not the one of the run that is repeated:")
    # The copy that it names is there.
    named = reported.partition("the one that ran is in `")[2].partition("`")[0]
    assert (workspace / named).read_text("utf-8") == "echo one"
    difference = runforge("diff", folder_of(workspace).name, folder_of(workspace, 2).name)
    assert "code.program_sha256" in difference.out


def test_a_program_that_changes_itself_is_reported(runforge: Call, workspace: Path) -> None:
    file = experiment(workspace, 'echo "# more" >> exp.yaml.sh')
    done = run(runforge, file)
    assert any("may come from other code" in text for text in done.json["warnings"])
    assert "after" in config_of(workspace)["references"]["program"]


def test_a_disk_that_is_full_at_the_copy_leaves_no_run(workspace: Path) -> None:
    file = experiment(workspace, "true\n" + "#" * 500_000)
    assert run_on_full_disk(workspace, file, 100_000) == (1, "STORE_NOT_WRITABLE")
    assert list((workspace / "runs").iterdir()) == []
