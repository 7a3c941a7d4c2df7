"""The real command, in this process where that is enough and in one of its own where it is not."""

from __future__ import annotations

# Tests compute in the same numeric environment as the command does.
from runforge_engine.runtime.numeric_environment import pin_environment

pin_environment()

import os  # noqa: E402
import shutil  # noqa: E402
import subprocess  # noqa: E402
import sys  # noqa: E402
from collections.abc import Mapping  # noqa: E402
from pathlib import Path  # noqa: E402

import pytest  # noqa: E402
from calls import ROOT, Call, Result  # noqa: E402
from real_experiments import Repository, make_repository  # noqa: E402
from real_store import make_store  # noqa: E402
from runforge_cli.__main__ import guard  # noqa: E402
from runforge_cli.shell.app import cli  # noqa: E402

#: 2026-02-01T12:00:00Z, so that what is shown does not change from day to day.
FROZEN = {"SOURCE_DATE_EPOCH": "1769947200"}


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a workspace with the penguins, set as the current folder."""
    for name in [key for key in os.environ if key.startswith("RUNFORGE")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("COLUMNS", "80")
    for key, value in FROZEN.items():
        monkeypatch.setenv(key, value)
    shutil.copyfile(ROOT / "examples/penguins.csv", tmp_path / "penguins.csv")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def runforge(workspace: Path, capfdbinary: pytest.CaptureFixture[bytes]) -> Call:
    """Return a function that calls the command in this process, through its own last resort."""

    def call(*arguments: str) -> Result:
        capfdbinary.readouterr()
        code = guard(
            lambda: cli.main(list(arguments), prog_name="runforge", standalone_mode=False) or 0,
            json="--json" in arguments,
        )
        out, err = capfdbinary.readouterr()
        return Result(int(code), out.decode(), err.decode())

    return call


@pytest.fixture
def process(workspace: Path) -> Call:
    """Return a function that runs a Python module in a separate process."""

    def call(
        module: str, *arguments: str, environment: Mapping[str, str] = {}, cwd: Path = workspace
    ) -> Result:
        done = subprocess.run(
            [sys.executable, "-m", module, *arguments],
            capture_output=True,
            cwd=cwd,
            env={**os.environ, **environment},
            check=False,
        )
        return Result(done.returncode, done.stdout.decode(), done.stderr.decode())

    return call


@pytest.fixture(scope="session")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a workspace with runs of every end; nobody changes it."""
    workspace = tmp_path_factory.mktemp("original")
    make_store(workspace)
    return workspace


@pytest.fixture
def filled(original: Path, workspace: Path) -> Path:
    """Return a copy of that workspace, set as the current folder."""
    shutil.copytree(original, workspace, dirs_exist_ok=True)
    return workspace


@pytest.fixture(scope="session")
def experiments(tmp_path_factory: pytest.TempPathFactory) -> Repository:
    """Return a repository with runs of both kinds; nobody changes it."""
    return make_repository(tmp_path_factory.mktemp("experiments"))


@pytest.fixture
def repository(experiments: Repository, workspace: Path) -> Repository:
    """Return a copy of that repository, which is the current folder."""
    shutil.copytree(experiments.root, workspace, dirs_exist_ok=True)
    return Repository(workspace, experiments.ids)
