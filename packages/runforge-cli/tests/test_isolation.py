"""No file of the folder that a command is called in runs, whatever its name is."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Collection
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
from calls import ROOT

#: What Python itself has imported when the first line of a module that it was given by `-m` runs.
LOADED = "import sys; print(*{name.partition('.')[0] for name in sys.modules})"
#: A file that leaves a trace where it is imported, and is not what was wanted.
SHADOW = "open({log!r}, 'a').write(__name__ + ' ')\nraise ImportError('a file of the workspace')\n"
#: Our own packages, a folder each.
OURS = (
    "ml_runner",
    "runforge_cli",
    "runforge_contracts",
    "runforge_engine",
    "runforge_conformance",
)
#: What nobody can help whose module is started with it.
CUSTOMISING = {"sitecustomize", "usercustomize"}
TRAIN = ("runforge_cli", "train", "penguins.csv", "--label", "species")
EXCLUDE = ("--exclude", "island", "--exclude", "sex")


class Workspace:
    """A folder with a shadow for everything that could be imported."""

    def __init__(self, folder: Path, without: Collection[str] = ()) -> None:
        self.folder = folder
        self.log = folder.parent / f"{folder.name}.log"
        self.log.touch()
        probe = folder / "probe.py"
        probe.write_text(LOADED)
        done = subprocess.run(
            [sys.executable, "-m", "probe"], cwd=folder, capture_output=True, text=True, check=True
        )
        probe.unlink()
        installed = {name for name in packages_distributions() if name.isidentifier()}
        names = {*sys.stdlib_module_names, *installed, *CUSTOMISING}
        for name in names - {*done.stdout.split(), *OURS, *without}:
            self.shadow(f"{name}.py")
        for name in {*OURS} - {*without}:
            self.shadow(f"{name}/__init__.py")
        table = (ROOT / "examples/penguins.csv").read_text("utf-8")
        (folder / "penguins.csv").write_text(table, "utf-8")
        (folder / "labelled.csv").write_text("x,label\n" + "1,a\n2,b\n" * 20, "utf-8")

    def shadow(self, name: str) -> None:
        path = self.folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(SHADOW.format(log=str(self.log)), "utf-8")

    def call(self, *command: str, **more: str) -> str:
        """Call a module by `-m`, or a script, and check that nothing of the folder has run."""
        program = Path(sys.executable).with_name(command[0])
        start = ["-m", command[0]] if "_" in command[0] else [str(program)]
        own = self.folder / command[0]
        aside = own.with_name(f"{own.name}.aside")
        if own.is_dir():
            # What is called by the very name that Python was given is Python's to import.
            own.rename(aside)
        environment = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("RUNFORGE", "PYTHON"))
        }
        done = subprocess.run(
            [sys.executable, *start, *command[1:]],
            cwd=self.folder,
            env={**environment, "RUNFORGE_DATASET": "labelled.csv", **more},
            capture_output=True,
            text=True,
            check=False,
        )
        if aside.is_dir():
            aside.rename(own)
        assert self.log.read_text() == "", command
        assert done.returncode == 0, (command, done.stderr)
        return done.stdout


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    return Workspace(tmp_path_factory.mktemp("hostile"))


def test_the_shadows_run_where_nothing_is_done_about_them(hostile: Workspace) -> None:
    done = subprocess.run(
        [sys.executable, "-c", "import json"], cwd=hostile.folder, capture_output=True, check=False
    )
    assert (done.returncode, hostile.log.read_text()) == (1, "json ")
    hostile.log.write_text("")


def test_no_file_of_the_workspace_runs_with_a_command(hostile: Workspace) -> None:
    trained = json.loads(hostile.call(*TRAIN, *EXCLUDE, "--json"))
    model = f"{trained['run_dir']}/artifacts/model.pkl"
    hostile.call("runforge", "show", "latest")
    hostile.call("ml_runner", "inspect-artifact", "--artifact", model)
    hostile.call("ml_runner", "inspect", "--dataset", "labelled.csv")


def test_an_empty_entry_of_the_path_is_no_way_in(tmp_path: Path) -> None:
    folder = tmp_path / "workspace"
    folder.mkdir()
    # The script of the command looks for its package before our first line, and pip's scripts have
    # imported `re` until some release.
    loaded = subprocess.run(
        [sys.executable, "-I", "-c", f"import re\n{LOADED}"],
        capture_output=True,
        text=True,
        check=True,
    )
    without = {*CUSTOMISING, "runforge_cli", *loaded.stdout.split()}
    hostile = Workspace(folder, without=without)
    for entry in (".", "", "./", str(hostile.folder)):
        path = os.pathsep.join((entry, str(tmp_path)))
        hostile.call("ml_runner", "inspect", "--dataset", "labelled.csv", PYTHONPATH=path)
        hostile.call("runforge", "schema", "list", PYTHONPATH=path)


def test_folders_that_the_user_put_on_the_path_stay(tmp_path: Path) -> None:
    wanted = tmp_path / "wanted"
    wanted.mkdir()
    program = (
        "import sys\n"
        "from runforge_cli.process.isolation import isolate\n"
        "isolate()\n"
        f"assert {str(wanted)!r} in sys.path and '' not in sys.path\n"
        f"assert {str(tmp_path)!r} not in sys.path\n"
        "import encodings.idna, numpy, runforge_engine\n"
    )
    (tmp_path / "numpy.py").write_text("raise SystemExit(9)")
    path = os.pathsep.join(("", str(wanted)))
    subprocess.run(
        [sys.executable, "-c", program],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": path},
        check=True,
    )


def test_a_folder_that_is_gone_is_no_obstacle(tmp_path: Path) -> None:
    script = (
        f"cd {tmp_path}/gone && rmdir {tmp_path}/gone && exec {sys.executable} -m ml_runner --help"
    )
    (tmp_path / "gone").mkdir()
    done = subprocess.run(["sh", "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.slow
def test_no_file_of_the_workspace_runs_with_any_command(tmp_path: Path) -> None:
    folder = tmp_path / "workspace"
    folder.mkdir()
    hostile = Workspace(folder)
    trained = json.loads(hostile.call(*TRAIN, *EXCLUDE, "--json"))
    run = trained["run_dir"]
    hostile.call("runforge_cli", "rerun", "latest", "--param", "C=0.5")
    hostile.call("ml_runner", "train", "--preset", "std-train", "--out", "out")
    hostile.call("runforge_cli", "reproduce", run)
    hostile.call("runforge_cli", "keygen", "--out", "key.pem")
    hostile.call("runforge_cli", "sign", run, "--key", "key.pem")
    for arguments in (
        ("--help",),
        ("runs", "--csv"),
        ("metrics", run),
        ("coefficients", run),
        ("interpretability", run),
        ("diagnostics", run),
        ("predict", run, "penguins.csv"),
        ("inspect-artifact", f"{run}/artifacts/model.pkl"),
        ("inspect", "labelled.csv", "--label", "label"),
        ("report", run, "--output", "report.html"),
        ("export", "--to", "csv", "--output", "exported"),
        ("trace", "penguins.csv"),
        ("verify", "--all"),
        ("index", "rebuild"),
        ("validate", f"{run}/run.json"),
        ("schema", "list"),
    ):
        hostile.call("runforge_cli", *arguments)


@pytest.mark.slow
def test_no_file_of_a_repository_runs_with_our_own_training(tmp_path: Path) -> None:
    folder = tmp_path / "workspace"
    folder.mkdir()
    hostile = Workspace(folder)
    experiment = {
        "experiment": "own",
        "model": "runforge/logistic_regression",
        "dataset": "labelled.csv",
        "training": {"label": "label"},
    }
    (folder / "own.yaml").write_text(json.dumps(experiment), "utf-8")
    hostile.call("runforge_cli", "experiment", "run", "--experiment", "own.yaml")


def test_no_file_beside_the_script_of_a_repository_runs(tmp_path: Path) -> None:
    call = [sys.executable, "-m", "runforge_cli", "experiment", "init", "repository", "--quiet"]
    subprocess.run(call, cwd=tmp_path, check=True, capture_output=True)
    tools, log = tmp_path / "repository/tools", tmp_path / "log"
    for name in ("json", "runpy", "pathlib", "click", "runforge_contracts"):
        (tools / f"{name}.py").write_text(SHADOW.format(log=str(log)), "utf-8")
    done = subprocess.run(
        [sys.executable, "tools/run.py", "--help"],
        cwd=tools.parent,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, log.exists()) == (0, False), done.stderr


def test_no_file_of_what_is_judged_runs_in_the_judge(hostile: Workspace) -> None:
    cases = ("--only", "request.v1/edit/rename", "--")
    harness = (sys.executable, "-P", str(ROOT / "conformance/clients/python/harness.py"))
    hostile.call("runforge_conformance", "run", *cases, *harness)
