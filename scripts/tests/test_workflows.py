"""The hosted workflows: least permissions, pinned actions, and commands that are there."""

from __future__ import annotations

import configparser
import re
import shlex
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
WORKFLOWS = sorted((ROOT / ".github/workflows").glob("*.yml"))
#: Programs that a hosted machine has, or an action or a step before installs.
PROGRAMS = {"cp", "mkdir", "npm", "python", "tox"}
TARGETS = set(re.findall(r"^([a-z][a-z-]*):", (ROOT / "Makefile").read_text("utf-8"), re.M))


def workflow(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(path.read_text("utf-8"))
    return found


def steps(path: Path) -> list[dict[str, Any]]:
    return [step for job in workflow(path)["jobs"].values() for step in job["steps"]]


@pytest.fixture(params=WORKFLOWS, ids=lambda path: path.name)
def path(request: pytest.FixtureRequest) -> Path:
    found: Path = request.param
    return found


def test_actions_are_pinned_to_a_commit_with_its_release(path: Path) -> None:
    text = path.read_text("utf-8")
    used = [step["uses"] for step in steps(path) if "uses" in step]
    assert used
    for action in used:
        assert re.fullmatch(r"[\w.-]+/[\w./-]+@[0-9a-f]{40}", action)
        assert re.search(rf"uses: {re.escape(action)} # v\d+\.\d+\.\d+$", text, re.M)


def test_an_action_has_one_version_in_all_workflows() -> None:
    versions: dict[str, set[str]] = {}
    for file in WORKFLOWS:
        for step in steps(file):
            name, _, commit = step.get("uses", "").partition("@")
            versions.setdefault(name, set()).add(commit)
    assert {name: found for name, found in versions.items() if len(found) > 1} == {}


def test_workflows_read_and_no_job_writes_code(path: Path) -> None:
    found = workflow(path)
    assert found["permissions"] == {"contents": "read"}
    for job in found["jobs"].values():
        assert job.get("permissions", {}).keys() <= {"id-token", "pages"}
        assert 0 < job["timeout-minutes"] <= 120


def test_a_checkout_keeps_no_credentials(path: Path) -> None:
    for step in steps(path):
        if step.get("uses", "").startswith("actions/checkout@"):
            assert step["with"]["persist-credentials"] is False


def test_no_text_of_a_stranger_becomes_a_command(path: Path) -> None:
    for step in steps(path):
        assert "${{" not in step.get("run", "")


def test_commands_are_there(path: Path) -> None:
    for step in steps(path):
        for line in step.get("run", "").replace("&&", "\n").splitlines():
            program, *arguments = shlex.split(line)
            if program == "make":
                wanted = {name for name in arguments if not name.startswith(".venv/")}
                assert wanted <= TARGETS, line
            elif "/" in program and not program.startswith(".venv/"):
                assert (ROOT / program).stat().st_mode & 0o100, line
            else:
                assert program in PROGRAMS or program.startswith(".venv/bin/"), line


def test_linux_runs_what_a_submission_runs_and_the_other_systems_the_tests() -> None:
    jobs = workflow(ROOT / ".github/workflows/tests.yml")["jobs"]
    assert [step["run"] for step in jobs["linux"]["steps"] if "run" in step] == [".ci/run"]
    matrix = jobs["systems"]["strategy"]["matrix"]
    assert {name.partition("-")[0] for name in matrix["system"]} == {"macos", "windows"}
    assert matrix["python"] == ["3.11", "3.12", "3.13", "3.14"]
    assert jobs["systems"]["steps"][-1]["run"] == "tox run -e py"
    tox = configparser.ConfigParser(interpolation=None)
    tox.read(ROOT / "tox.ini", "utf-8")
    assert "pytest" in tox["testenv"]["commands"]  # of which `py` is an instance


def test_each_line_of_an_environment_sets_a_variable() -> None:
    tox = configparser.ConfigParser(interpolation=None)
    tox.read(ROOT / "tox.ini", "utf-8")
    lines = [line for name in tox.sections() for line in tox[name].get("set_env", "").split("\n")]
    assert len(lines) > 1
    # Tox refuses an environment with another line, and `-qq` leaves out why.
    assert [line for line in lines if line and not re.fullmatch(r"[A-Z_]+ ?= ?\S.*", line)] == []
