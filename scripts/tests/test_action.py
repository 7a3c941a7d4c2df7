"""The GitHub action does what the guide says: its steps, run by a shell as GitHub runs them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
ACTION = yaml.safe_load((ROOT / "conformance/action.yml").read_text("utf-8"))
PYTHON = ROOT / "conformance/clients/python/harness.py"
BROKEN = ROOT / "conformance/clients/broken/documents"


def test_the_guide_uses_the_action_as_it_is() -> None:
    page = (ROOT / "docs/guides/conformance.md").read_text("utf-8")
    (step,) = yaml.safe_load(page.split("```yaml\n")[1].split("```")[0])
    assert step["uses"].partition("@")[0].endswith("/conformance")
    assert step["with"].keys() <= ACTION["inputs"].keys()
    required = {name for name, item in ACTION["inputs"].items() if item.get("required")}
    assert required <= step["with"].keys()


def shadow(repository: Path) -> None:
    """Give a repository files that are called like modules of Python, of pip and of the suite."""
    for name in ("pip", "queue", "json", "argparse", "msgspec", "runforge_contracts"):
        text = f"open({str(repository / 'ran')!r}, 'a').write(__name__)\n"
        (repository / f"{name}.py").write_text(text, "utf-8")


@pytest.fixture(scope="module")
def runner(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a runner's folder, with what the first step installs."""
    folder = tmp_path_factory.mktemp("runner")
    _, install, _ = ACTION["runs"]["steps"]
    environment = {
        **os.environ,
        "PYTHON": sys.executable,
        "RUNNER_TEMP": str(folder),
        "GITHUB_ACTION_PATH": str(ROOT / "conformance"),
    }
    repository = tmp_path_factory.mktemp("repository")
    shadow(repository)
    # pip builds in a copy of its own, so that nothing is left in the repository.
    subprocess.run(
        ["bash", "-eo", "pipefail", "-c", install["run"]],
        cwd=repository,
        env=environment,
        check=True,
    )
    assert not (repository / "ran").exists()
    return folder


@pytest.mark.slow
@pytest.mark.parametrize(
    ("client", "arguments", "status", "verdict"),
    [
        (PYTHON, "--only request.v1/edit/*\n  --only result.v1/duration/*", 0, "partial"),
        (BROKEN / "edits_too_much.py", "--only request.v1/edit/rename", 1, "not conformant"),
        (BROKEN / "prints_garbage.py", "--only request.v1/edit/rename", 3, "protocol broken"),
    ],
)
def test_the_action_tests_a_client(
    client: Path, arguments: str, status: int, verdict: str, runner: Path, tmp_path: Path
) -> None:
    _, _, test = ACTION["runs"]["steps"]
    inputs = {
        "command": f"{sys.executable} {client}",
        "arguments": arguments,
        "report": "the report",
    }
    values = {
        name: inputs[value.removeprefix("${{ inputs.").removesuffix(" }}")]
        for name, value in test["env"].items()
        if "inputs." in value
    }
    summary, output = tmp_path / "summary.md", tmp_path / "output"
    environment = {**os.environ, **values, "PYTHON": sys.executable, "RUNNER_TEMP": str(runner)}
    shadow(tmp_path)
    done = subprocess.run(
        ["bash", "-eo", "pipefail", "-c", test["run"]],
        cwd=tmp_path,
        env={
            **environment,
            "GITHUB_STEP_SUMMARY": str(summary),
            "GITHUB_OUTPUT": str(output),
        },
        check=False,
    )
    assert done.returncode == status
    assert summary.read_text().startswith("# Conformance: runforge-contracts")
    assert (tmp_path / "the report/junit.xml").exists()
    # A part of the cases earns no badge.
    assert not (tmp_path / "the report/badge.json").exists()
    assert output.read_text() == f"verdict={verdict}\n"
    value = ACTION["outputs"]["verdict"]["value"]
    assert value == f"${{{{ steps.{ACTION['runs']['steps'][2]['id']}.outputs.verdict }}}}"
    # The client is a script elsewhere; the judge started where the repository's files are.
    assert not (tmp_path / "ran").exists()
