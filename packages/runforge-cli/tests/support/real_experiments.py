"""A repository with runs of both kinds, filled by the real command: good, bad and hostile ones."""

from __future__ import annotations

import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from calls import ROOT, TRAIN
from real_store import start
from runforge_contracts.codec.strict_yaml import encode_yaml

#: Names, notes and values that must stay texts wherever they are shown.
SCRIPT = "<script>document.title='owned'</script>"
ESCAPE = "\x1b]0;owned\x07\x1b[31m\u202egnp.exe"
LINES = "a|b`c\n# heading\n\n- item\n```\n<b>"
HOSTILE = (SCRIPT, ESCAPE, LINES)

_TRAIN = """
import math
from runforge_engine.experiment import current_run

run = current_run()
rate = run.config["training"]["rate"]
run.log_parameter("rate", rate)
for step in range(1, 41):
    run.log_metrics({"loss": math.exp(-rate * step), "val_loss": 0.1 + math.exp(-rate * step)})
run.log_summary("accuracy", 1 - math.exp(-40 * rate))
run.log_artifact(b"weights" * 100, "model/weights.bin")
print("trained")
"""
_HOSTILE = f"""
import sys
from runforge_engine.experiment import current_run

run = current_run()
for name in {HOSTILE!r}:
    for value in (3.0, 1.0, 2.0):
        run.log_metric(name, value)
    run.log_parameter(name, name)
run.log_artifact(b"x", "plots/<i> %20#?&.txt")
print({ESCAPE!r} + {SCRIPT!r})
sys.exit(3)
"""
_BROKEN = """
import os, pathlib
pathlib.Path(os.environ["RUNFORGE_RUN_DIR"], "metrics.json").write_text('{"summary": {"loss": NaN')
"""
_ENDLESS = """
import time
from runforge_engine.experiment import current_run

current_run().log_metric("loss", 0.5)
time.sleep(600)
"""


class Repository(NamedTuple):
    """A workspace, and the ids of its runs by what is special about them."""

    root: Path
    ids: dict[str, str]

    def folder(self, name: str) -> Path:
        """Return the folder of a run."""
        store = "runs" if self.ids[name].startswith("run-") else ".runforge/runs"
        return self.root / store / self.ids[name]


def make_repository(root: Path) -> Repository:
    """Fill a folder, which is a Git repository, with runs of both kinds."""
    shutil.copyfile(ROOT / "examples/penguins.csv", root / "penguins.csv")
    scripts = {"train": _TRAIN, "hostile": _HOSTILE, "broken": _BROKEN, "endless": _ENDLESS}
    for name, text in scripts.items():
        (root / f"{name}.py").write_text(text, "utf-8")
        write(root, name, run={"script": f"{name}.py"}, training={"rate": 0.1, "optimizer": "sgd"})
    write(root, "hostile", run={"script": "hostile.py"}, **hostile_values())
    write(
        root,
        "bridge",
        model="runforge/random_forest",
        training={"label": "species", "exclude": ["island", "sex", "year"], "preset": "fast"},
    )
    who = ("-c", "user.name=t", "-c", "user.email=t@example.org")
    for command in (("init", "-q"), ("add", "."), (*who, "commit", "-q", "-m", "all of it")):
        subprocess.run(["git", *command], cwd=root, check=True)
    other_tool(root)
    ids = {"other tool": "run-2026-01-01-001"}
    ids["trained"] = made(root, ".runforge/runs", *TRAIN, "--name", "tabular")
    ids["first"] = made(root, "runs", *run("train"))
    ids["faster"] = made(
        root, "runs", *run("train"), "--set", "training.rate=0.5", "--notes", "fast"
    )
    ids["hostile"] = made(root, "runs", *run("hostile"), code=1)
    ids["broken"] = made(root, "runs", *run("broken"), code=1)
    ids["killed"] = killed(root)
    before = set((root / ".runforge/runs").glob("*"))
    ids["bridge"] = made(root, "runs", *run("bridge"))
    [added] = set((root / ".runforge/runs").glob("*")) - before
    ids["bridged"] = added.name
    return Repository(root, ids)


def hostile_values() -> dict[str, Any]:
    """Return an experiment in which everything is a name that could do harm."""
    return {
        "experiment": SCRIPT,
        "model": LINES,
        "dataset": ESCAPE,
        "notes": "\n".join(HOSTILE),
        "tags": list(HOSTILE),
        "training": {name: name for name in HOSTILE},
    }


def write(root: Path, name: str, **values: Any) -> None:
    """Write an experiment file."""
    usual = {"experiment": f"exp {name}", "model": "tiny:v1", "dataset": "penguins.csv", "seed": 3}
    (root / f"{name}.yaml").write_bytes(encode_yaml({**usual, **values}))


def other_tool(root: Path) -> None:
    """Write a run with no more than a configuration must have."""
    folder = root / "runs/run-2026-01-01-001"
    folder.mkdir(parents=True)
    text = f"run_id: {folder.name}\nexperiment: older\nmodel: m\ndataset: d\n"
    (folder / "config.yaml").write_text(text, "utf-8")


def run(name: str) -> tuple[str, ...]:
    """Return the arguments that run an experiment."""
    return ("-q", "experiment", "run", "--experiment", f"{name}.yaml")


def made(root: Path, place: str, *arguments: str, code: int = 0) -> str:
    """Call the command and return the id of the run that it made."""
    before = set((root / place).glob("*"))
    assert start(root, *arguments).wait() == code, arguments
    [folder] = set((root / place).glob("*")) - before
    return folder.name


def killed(root: Path) -> str:
    """Return the id of a run whose runner was killed; user code ends with it."""
    with at_work(root) as (process, folder):
        process.kill()
        process.wait()
    return folder.name


@contextmanager
def at_work(root: Path) -> Iterator[tuple[subprocess.Popen[bytes], Path]]:
    """Give a process that runs an experiment for minutes, and its run folder."""
    before = set((root / "runs").glob("*"))
    process = start(root, *run("endless"))
    try:
        while process.poll() is None:
            for folder in set((root / "runs").glob("*")) - before:
                if (folder / "metrics.json").exists():
                    yield process, folder
                    return
            time.sleep(0.02)
        raise AssertionError("the experiment ended by itself")
    finally:
        process.kill()
        process.wait()
