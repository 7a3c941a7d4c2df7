"""Real shells complete files, runs, columns and settings, and offer nothing that they would run."""

from __future__ import annotations

import json
import os
import pty
import re
import select
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from runforge_cli.shell.app import COMMANDS, cli
from runforge_cli.shell.default_command import DefaultCommandGroup

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="needs shells of Unix")

ROOT = Path(__file__).parents[3]
#: Names that are commands, options, patterns or two words of a shell, unless they are quoted.
ODD = ["petal length", "$(touch ran)", "it's", "a*", "back\\slash", "`touch ran`", "; touch ran"]
#: Calls the completion function with the given words, as bash does, and prints what it offers.
ASK = """
eval "$(_RUNFORGE_COMPLETE=bash_source runforge)"
compopt() { echo "option $*"; }
COMP_WORDS=(runforge "$@")
COMP_CWORD=$#
_runforge_completion runforge
if ((${#COMPREPLY[@]})); then printf 'word %s\\n' "${COMPREPLY[@]}"; fi
"""
#: What is typed freely, in every command that has it.
FREE = {
    "since",
    "before",
    "name",
    "notes",
    "store",
    "run_id",
    "assignments",
    "seeds",
    "scheduler",
    "because",
    "inside",
    "older_than",
    "sheet",
    "license",
    "author",
    "experiments",
}


@pytest.fixture
def place(original: Path, tmp_path: Path) -> Path:
    """Return a workspace with a run, and a dataset with odd names."""
    shutil.copytree(original, tmp_path, dirs_exist_ok=True)
    header = ",".join(f'"{name}"' for name in [*ODD, "two\nlines", "label"])
    (tmp_path / "odd.csv").write_text(f"{header}\n", "utf-8")
    return tmp_path


def first_run(place: Path) -> str:
    """Return the id of the run that was recorded first; ids of one second have no order."""
    index = json.loads((place / ".runforge/index.json").read_text("utf-8"))
    return str(index["runs"][0]["run_id"])


def environment() -> dict[str, str]:
    """Return an environment in which a shell finds the command of this installation."""
    programs = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return {**os.environ, "PATH": programs, "TERM": "dumb", "LC_ALL": "C.UTF-8"}


def ask(place: Path, *words: str) -> list[str]:
    """Return what bash is offered for the last of the words."""
    done = subprocess.run(
        ["bash", "--norc", "-c", ASK, "bash", *words],
        cwd=place,
        env=environment(),
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stderr == ""
    return done.stdout.splitlines()


def offered(place: Path, *words: str) -> list[str]:
    """Return the words that bash is offered."""
    return [line.removeprefix("word ") for line in ask(place, *words) if line.startswith("word")]


def test_files_are_completed_by_the_shell(place: Path) -> None:
    for words in (("train", "pen"), ("report", "latest", "-o", "x"), ("sweep", "pl")):
        assert ask(place, *words) == ["option -o default"]
    assert ask(place, "export", "latest", "--output", "") == ["option -o default"]
    assert ask(place, "show", "./") == ["option -o default"]


def test_columns_are_those_of_the_dataset(place: Path) -> None:
    assert offered(place, "train", "penguins.csv", "--label", "s") == ["species", "sex"]
    assert offered(place, "train", "penguins.csv", "--label", "=", "s") == ["species", "sex"]
    assert offered(
        place, "train", "penguins.csv", "--label", "species", "--exclude", "sex", "--exclude", "s"
    ) == []  # fmt: skip
    assert offered(place, "train", "missing.csv", "--label", "") == []
    assert set(offered(place, "rerun", "latest", "--include", "")) == {"island", "sex", "year"}
    assert "bill_length_mm" in offered(place, "rerun", "latest", "--exclude", "b")


def test_nothing_that_is_offered_is_run(place: Path) -> None:
    words = offered(place, "train", "odd.csv", "--exclude", "")
    line = f"printf '%s\\n' {' '.join(words)}"
    printed = subprocess.run(["bash", "-c", line], cwd=place, capture_output=True, text=True)
    assert printed.stdout.splitlines() == [*ODD, "label"]
    assert not (place / "ran").exists()


def test_no_pipe_is_waited_for(place: Path) -> None:
    os.mkfifo(place / "pipe.csv")
    assert offered(place, "train", "pipe.csv", "--label", "") == []


def test_settings_are_offered(place: Path) -> None:
    assert offered(place, "train", "--model", "r") == ["random_forest"]
    forest = ("train", "--model", "random_forest", "--param")
    assert "option -o nospace" in ask(place, *forest, "n")
    assert offered(place, *forest, "n") == ["n_estimators="]
    assert offered(place, "train", "--param", "solver", "=", "li") == ["liblinear"]
    assert offered(place, "train", "--preset", "t") == ["thorough"]
    assert offered(place, "train", "--profile", "d") == ["default"]
    assert offered(place, "show", "--fail-under", "acc") == ["accuracy="]
    assert offered(place, "runs", "--columns", "C,acc") == ["C,accuracy"]
    assert offered(place, "schema", "show", "request.") == ["request.v1"]


def test_runs_are_offered(place: Path) -> None:
    run_id = first_run(place)
    assert offered(place, "show", "")[:2] == ["latest", "best"]
    assert run_id in offered(place, "show", run_id[:4])
    assert run_id in offered(place, "train", "penguins.csv", "--no-worse-than", run_id[:4])


def test_sweeps_and_tags_are_offered(place: Path) -> None:
    grid = ("penguins.csv", "--label", "species", "--grid", "C=0.1,1", "--name", "tuning")
    subprocess.run(
        [sys.executable, "-m", "runforge_cli", "sweep", *grid, "--exclude", "island"],
        cwd=place,
        capture_output=True,
    )
    assert offered(place, "sweep", "show", "tu") == ["tuning"]
    assert offered(place, "show", "best@tu") == ["best@tuning"]
    assert offered(place, "show", "best", ":", "accuracy@tu") == ["accuracy@tuning"]
    assert len(offered(place, "show", "best@")) == 2
    assert offered(place, "show", "tag", ":", "x") == []


def test_nothing_is_offered_in_a_store_that_cannot_be_read(place: Path) -> None:
    (place / ".runforge/index.json").write_text("{", "utf-8")
    assert offered(place, "show", "l") == ["latest"]


@pytest.mark.needs("fish")
def test_fish_shows_what_a_run_is(place: Path) -> None:
    script = """
    _RUNFORGE_COMPLETE=fish_source runforge | source
    complete -C "runforge show 2"
    complete -C "runforge train penguins.csv --label sp"
    complete -C "runforge train pen"
    """
    done = subprocess.run(
        ["fish", "--no-config", "-c", script],
        cwd=place,
        env={**environment(), "HOME": str(place)},
        capture_output=True,
        text=True,
        check=True,
    )
    run_id = first_run(place)
    lines = done.stdout.splitlines()
    (shown,) = [line for line in lines if line.startswith(run_id)]
    assert "logistic_regression" in shown
    assert "succeeded" in shown
    assert [line.split("\t")[0] for line in lines[-2:]] == ["species", "penguins.csv"]


@pytest.mark.needs("zsh")
@pytest.mark.parametrize("shell", ["bash", "zsh"])
def test_a_tab_completes_a_word(place: Path, shell: str) -> None:
    start = {
        "bash": ["bash", "--norc", "--noprofile", "-i"],
        "zsh": ["zsh", "-f", "-i"],
    }[shell]
    setup = {
        "bash": 'eval "$(_RUNFORGE_COMPLETE=bash_source runforge)"; echo re""ady\n',
        "zsh": "autoload -U compinit; compinit -u -D\n"
        'eval "$(_RUNFORGE_COMPLETE=zsh_source runforge)"; echo re""ady\n',
    }[shell]
    for text in typed(start, place, setup):
        if re.search(r"--label[= ]species", text):
            break
    else:
        pytest.fail(f"{shell} did not complete the column")


def typed(start: list[str], place: Path, setup: str) -> Iterator[str]:
    """Yield what a terminal shows, again and again, after a word and a tab were typed."""
    child, terminal = pty.fork()
    if child == 0:
        os.chdir(place)
        os.execvpe(start[0], start, {**environment(), "HOME": str(place)})
    try:
        os.write(terminal, setup.encode())
        shown, asked, deadline = "", False, time.monotonic() + 120
        while time.monotonic() < deadline:
            if select.select([terminal], [], [], 0.5)[0]:
                shown += os.read(terminal, 4096).decode(errors="replace")
            if not asked and "ready" in shown:
                os.write(terminal, b"runforge train penguins.csv --label spe\t")
                asked = True
            yield shown
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        os.close(terminal)


def parameters(command: click.Command, name: str) -> Iterator[tuple[str, click.Parameter]]:
    """Yield the parameters of a command and of its subcommands."""
    yield from ((name, one) for one in command.params)
    if isinstance(command, click.Group):
        context = click.Context(command)
        for below in command.list_commands(context):
            subcommand = command.get_command(context, below)
            assert subcommand is not None
            yield from parameters(subcommand, f"{name} {below}")


@pytest.mark.parametrize("name", COMMANDS)
def test_every_value_has_a_completion(name: str) -> None:
    command = cli.get_command(click.Context(cli), name)
    assert command is not None
    without = [
        f"{owner} {one.name}"
        for owner, one in parameters(command, name)
        if not getattr(one, "is_flag", False)
        and one._custom_shell_complete is None
        and not isinstance(one.type, click.Choice | click.Path | click.IntRange)
        and one.name not in FREE
    ]
    assert without == []


def groups(command: click.Command, *words: str) -> Iterator[tuple[tuple[str, ...], list[str]]]:
    """Yield every group, and the names of its commands.

    One with a default command completes the argument of that.
    """
    if isinstance(command, click.Group):
        context = click.Context(command)
        names = command.list_commands(context)
        if words and not isinstance(command, DefaultCommandGroup):
            yield words, names
        for name in names:
            found = command.get_command(context, name)
            assert found is not None
            yield from groups(found, *words, name)


@pytest.mark.parametrize("words", [words for words, _ in groups(cli)], ids=" ".join)
def test_the_commands_of_a_group_are_offered(place: Path, words: tuple[str, ...]) -> None:
    known = dict(groups(cli))[words]
    assert offered(place, *words, "") == known
    assert offered(place, *words, known[-1][:3]) != []


def test_after_a_mistake_nothing_is_offered_and_nothing_said(place: Path) -> None:
    assert ask(place, "stor", "") == []
    assert ask(place, "runs", "--csv", "--csv", "--limit", "1", "--limit", "2", "x") == []
