"""The page on gates does what it says: its commands, its Makefile and its pipelines are run."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from guide_pages import GUIDES, ROOT

PAGE = (GUIDES / "gates.md").read_text("utf-8")
#: A bound that no model of the penguins keeps to.
IMPOSSIBLE = ("accuracy=0.95", "accuracy=1.01")


def blocks(language: str) -> list[str]:
    """Return the blocks of the page in a language."""
    return [part.split("```")[0] for part in PAGE.split(f"```{language}\n")[1:]]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder that holds the penguins."""
    shutil.copyfile(ROOT / "examples/penguins.csv", tmp_path / "penguins.csv")
    return tmp_path


def shell(script: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run a script as the services do, with the installed command first on the path."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    kept = {name: os.environ[name] for name in os.environ if not name.startswith("RUNFORGE")}
    return subprocess.run(
        ["bash", "-eo", "pipefail", "-c", script],
        cwd=folder,
        env={**kept, "PATH": path},
        capture_output=True,
        text=True,
        check=False,
    )


def steps_of(pipeline: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the steps of the GitHub workflow that run a command, but the installation."""
    (job,) = pipeline["jobs"].values()
    return [step for step in job["steps"] if "run" in step and step["name"] != "Install"]


def test_the_commands_pass_and_fail_as_the_page_says(folder: Path) -> None:
    done = shell("\n".join(blocks("sh")), folder)
    assert done.returncode == 0, done.stderr
    shown = done.stdout + done.stderr
    for line in "\n".join(blocks("text")).splitlines():
        assert line in shown
    assert len(list((folder / ".runforge/evaluations").iterdir())) == 4
    assert len(list((folder / ".runforge/runs").iterdir())) == 3


def test_a_build_moves_the_alias_to_a_model_that_is_no_worse(folder: Path) -> None:
    build = blocks("sh")[2]
    assert build.count("production") == 4

    def production() -> str:
        return shell("runforge show production --json", folder).stdout

    for passes in (True, True, False):
        before = None if passes else production()
        script = build if passes else build.replace("candidate", "candidate --param C=0.0001")
        done = shell(script, folder)
        assert done.returncode == (0 if passes else 8), done.stderr
        if not passes:
            assert production() == before
    assert len(list((folder / ".runforge/runs").iterdir())) == 3


@pytest.mark.needs("make")
@pytest.mark.parametrize("passes", [True, False])
def test_make_stops_where_the_gate_is_not_met(passes: bool, folder: Path) -> None:
    text = blocks("make")[0]
    (folder / "Makefile").write_text(text if passes else text.replace(*IMPOSSIBLE), "utf-8")
    done = shell("make", folder)
    assert (done.returncode == 0) is passes, done.stderr
    assert ("GATE_NOT_MET" in done.stderr) is not passes
    assert (folder / "model.ok").exists() is passes
    assert (folder / "report.html").exists()


@pytest.mark.parametrize("passes", [True, False])
def test_the_github_workflow_trains_gates_verifies_and_publishes(
    passes: bool, folder: Path
) -> None:
    failed = False
    workflow, _ = map(yaml.safe_load, blocks("yaml"))
    for step in steps_of(workflow):
        if failed and step.get("if") != "always()":
            continue
        script = step["run"] if passes else step["run"].replace(*IMPOSSIBLE)
        done = shell(script, folder)
        failed |= done.returncode != 0
        assert done.returncode == (8 if step["name"] == "Train" and not passes else 0), done.stderr
    assert failed is not passes
    published = next(step for step in workflow["jobs"]["model"]["steps"] if "upload" in str(step))
    for name in published["with"]["path"].split():
        assert (folder / name).exists()


@pytest.mark.parametrize("passes", [True, False])
def test_the_gitlab_pipeline_trains_gates_verifies_and_publishes(
    passes: bool, folder: Path
) -> None:
    _, pipeline = map(yaml.safe_load, blocks("yaml"))
    job = pipeline["model"]
    script = "\n".join(job["script"])
    done = shell(script if passes else script.replace(*IMPOSSIBLE), folder)
    assert done.returncode == (0 if passes else 8), done.stderr
    after = shell("\n".join(job["after_script"]), folder)
    assert after.returncode == 0, after.stderr
    for name in job["artifacts"]["paths"]:
        assert (folder / name).exists()
