"""Repositories of experiments for tests: small scripts as user code, most of them for a shell."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from runforge_contracts.codec.strict_yaml import encode_yaml, load_yaml

#: The day of runs where the clock stands still, as in all tests of commands.
DAY = "run-2026-02-01"


def experiment(root: Path, script: str, *, name: str = "exp.yaml", **values: Any) -> str:
    """Write an experiment that runs a script for a shell, and return the name of its file."""
    (root / f"{name}.sh").write_text(script, "utf-8")
    document = {
        "experiment": "exp-001",
        "model": "shell",
        "dataset": "none",
        "run": {"command": ["sh", f"{name}.sh"]},
        **values,
    }
    (root / name).write_bytes(encode_yaml(document))
    return name


def config_of(root: Path, number: int = 1) -> Any:
    """Return the configuration of a run by its number on the day."""
    return load_yaml(folder_of(root, number) / "config.yaml")


def folder_of(root: Path, number: int = 1) -> Path:
    """Return the folder of a run by its number on the day."""
    return root / f"runs/{DAY}-{number:03}"


def metrics_of(root: Path, number: int = 1) -> Any:
    """Return the metrics of a run by its number on the day."""
    return json.loads((folder_of(root, number) / "metrics.json").read_bytes())


def log_of(root: Path, number: int = 1) -> str:
    """Return the log of a run by its number on the day."""
    return (folder_of(root, number) / "logs.txt").read_text("utf-8")


@contextmanager
def started(root: Path, *arguments: str, **streams: Any) -> Iterator[subprocess.Popen[str]]:
    """Start the command in a separate process."""
    streams = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **streams}
    with subprocess.Popen(
        [sys.executable, "-m", "runforge_cli", "experiment", "run", *arguments],
        cwd=root,
        text=True,
        **streams,
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def until(holds: Callable[[], object], process: subprocess.Popen[str] | None = None) -> None:
    """Wait until something is so, or the process has ended."""
    for _ in range(6000):
        if holds():
            return
        assert process is None or process.poll() is None, process.communicate()
        time.sleep(0.01)
    raise AssertionError("it did not come to be")


def is_alive(pid: int) -> bool:
    """Return whether a process is running; a zombie is not."""
    try:
        os.kill(pid, 0)
        state = Path(f"/proc/{pid}/stat").read_text("ascii").rpartition(")")[2].split()[0]
    except (ProcessLookupError, FileNotFoundError):
        return False
    return state != "Z"


def run_on_full_disk(workspace: Path, file: str, limit: int) -> tuple[int, str]:
    """Run an experiment in a process whose files can have so many bytes.

    Returns the exit code and the code of the error.
    """
    program = (
        "import resource; from runforge_cli.__main__ import main\n"
        f"resource.setrlimit(resource.RLIMIT_FSIZE, ({limit}, {limit}))\nmain()"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, "experiment", "run", "--experiment", file, "--json"],
        cwd=workspace,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        check=False,
    )
    return done.returncode, json.loads(done.stdout)["error"]["code"]
