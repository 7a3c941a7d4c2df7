"""Every entry point pins the numeric environment before numpy is loaded, also in its children."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from calls import ROOT
from runforge_engine.runtime.numeric_environment import NUMERIC_VARIABLES
from runforge_engine.runtime.platform_info import cpu_flags

pinnable = pytest.mark.skipif(
    not {"avx2", "fma"} <= cpu_flags(), reason="needs x86-64 with AVX2 and FMA under Linux"
)

#: Runs in every Python process that has its folder on the path, before anything else: it notes
#: whether the environment is pinned when numpy is looked for.
WATCH = """
import os, sys

class Watch:
    def find_spec(self, name, path=None, target=None):
        if name == "numpy":
            numerics = sys.modules.get("runforge_engine.runtime.numeric_environment")
            pinned = numerics is not None and numerics._applied is not None
            with open(os.environ["DOOR_LOG"], "a") as log:
                log.write(f"{'pinned' if pinned else 'unpinned'} {os.getpid()}\\n")
        return None

sys.meta_path.insert(0, Watch())
"""

ROWS = "a,b,label\n" + "".join(f"{i % 7},{i % 5 + i / 9},{'xyz'[i % 3]}\n" for i in range(60))


class EntryPoints:
    """A workspace in which commands run under watch, with a numeric environment of their own."""

    def __init__(self, folder: Path) -> None:
        self.workspace = folder / "workspace"
        self.workspace.mkdir()
        (self.workspace / "data.csv").write_text(ROWS, "utf-8")
        watch = folder / "watch"
        watch.mkdir()
        (watch / "sitecustomize.py").write_text(WATCH, "utf-8")
        self.log = folder / "log"
        foreign = ("RUNFORGE", *NUMERIC_VARIABLES)
        self.environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith(foreign)},
            "PYTHONPATH": str(watch),
            "DOOR_LOG": str(self.log),
            "RUNFORGE_DATASET": "data.csv",
            # What a user or a build machine may have set.
            "OPENBLAS_CORETYPE": "Prescott",
            "OPENBLAS_NUM_THREADS": "2",
        }

    def call(self, module: str, *arguments: str) -> tuple[str, list[str]]:
        """Return the output of a command, and of each process that loaded numpy how it did."""
        return self._run("-m", module, *arguments)

    def look(self, commands: list[tuple[str, ...]]) -> list[str]:
        """Call commands one after the other in one process; return what loaded numpy."""
        program = (
            "import json, sys; from runforge_cli.shell.app import cli\n"
            "for command in json.loads(sys.argv[1]):\n"
            "    assert not cli.main(command, standalone_mode=False), command\n"
        )
        return self._run("-c", program, json.dumps(commands))[1]

    def _run(self, *arguments: str) -> tuple[str, list[str]]:
        self.log.write_text("")
        done = subprocess.run(
            [sys.executable, *arguments],
            cwd=self.workspace,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        lines = dict(line.split()[::-1] for line in reversed(self.log.read_text().splitlines()))
        return done.stdout, list(lines.values())


@pytest.fixture
def entry_points(tmp_path: Path) -> EntryPoints:
    return EntryPoints(tmp_path)


TRAIN = ("train", "data.csv", "--label", "label", "--preset", "fast", "--json")


def test_every_command_pins_before_numpy_loads(entry_points: EntryPoints) -> None:
    out, loads = entry_points.call("runforge_cli", *TRAIN)
    assert loads == ["pinned"]
    trained = json.loads(out)
    request = entry_points.workspace / trained["run_dir"] / "request.json"
    shutil.copyfile(request, entry_points.workspace / "again.json")
    model = str(entry_points.workspace / trained["run_dir"] / "artifacts/model.pkl")
    computing = {
        ("rerun", "latest"): 1,
        ("run", "again.json"): 1,
        ("predict", "latest", "data.csv"): 1,
        # The training happens in a separate process; this one loads nothing.
        ("reproduce", "latest"): 1,
        ("inspect", "data.csv", "--label", "label"): 1,
    }
    for arguments, processes in computing.items():
        assert entry_points.call("runforge_cli", *arguments)[1] == ["pinned"] * processes, arguments
    looking = [
        ("runs",),
        ("show", "latest"),
        ("metrics", "latest"),
        ("diff", trained["run_id"], "latest"),
        ("verify", "latest"),
        ("inspect-artifact", model),
        ("trace", model),
        ("index", "check"),
        ("validate", str(request)),
        ("reproduce", "latest", "--requirements"),
    ]
    # Looking at a run needs no numpy at all.
    assert entry_points.look(looking) == []


def test_every_editor_command_pins_before_numpy_loads(entry_points: EntryPoints) -> None:
    train = ("train", "--preset", "std-train", "--out", "out", "--device", "cpu")
    assert entry_points.call("ml_runner", *train)[1] == ["pinned"]
    inspect = ("inspect", "--dataset", "data.csv")
    assert entry_points.call("ml_runner", *inspect)[1] == ["pinned"]
    model = str(entry_points.workspace / "out/artifacts/model.pkl")
    assert entry_points.call("ml_runner", "inspect-artifact", "--artifact", model)[1] == []


@pinnable
@pytest.mark.parametrize("entry_point", ["runforge_cli", "ml_runner"])
def test_an_entry_point_records_the_pinned_environment_in_full(
    entry_point: str, entry_points: EntryPoints
) -> None:
    editor = ("train", "--preset", "std-train", "--out", "out", "--json")
    out, _ = entry_points.call(entry_point, *(editor if entry_point == "ml_runner" else TRAIN))
    folder = entry_points.workspace / json.loads(out)["run_dir"]
    numerics = json.loads((folder / "run.json").read_text("utf-8"))["provenance"]["numerics"]
    assert numerics["pinned"] is True
    assert numerics["threads"] == 1
    assert {library["architecture"] for library in numerics["blas"]} == {"Haswell"}
    assert all(library["threads"] == 1 and library["version"] for library in numerics["blas"])
    assert numerics["environment"].items() >= {
        ("BLIS_NUM_THREADS", "1"),
        ("MKL_NUM_THREADS", "1"),
        ("OMP_NUM_THREADS", "1"),
        ("OPENBLAS_CORETYPE", "Haswell"),
        ("OPENBLAS_NUM_THREADS", "1"),
    }
    diagnostics = json.loads((folder / "diagnostics.json").read_text("utf-8"))["diagnostics"]
    assert "NUMERICS_NOT_PINNED" not in {item["code"] for item in diagnostics}


def test_the_tests_themselves_are_pinned() -> None:
    from runforge_engine.runtime.numeric_environment import describe_numerics

    described = describe_numerics()
    assert described["threads"] == 1
    if {"avx2", "fma"} <= cpu_flags():
        assert described["pinned"] is True
    for package in ("runforge-cli", "runforge-engine"):
        text = (ROOT / f"packages/{package}/tests/conftest.py").read_text("utf-8")
        # Only what must come before stands before the call.
        assert text.index("pin_environment()\n") < text.index("import pytest")
