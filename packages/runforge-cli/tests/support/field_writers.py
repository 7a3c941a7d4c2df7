"""Three programs that train in one workspace at once, each in a process of its own.

``python field_writers.py KIND NUMBER DATASET TURNS`` trains so many times in the current folder, in
one process, so that the programs meet as often as they can: the start of Python and of
scikit-learn, which takes longer than a training, is passed once. The folder ``TURNS`` keeps the
three together: no one begins a turn before the others have begun the one before it.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import redirect_stderr, redirect_stdout
from io import StringIO
from pathlib import Path

#: The command of the terminal, what the editor calls, and the engine that the extension ships with.
KINDS = ("terminal", "editor", "field")


def start(
    kind: str,
    number: int,
    workspace: Path,
    dataset: Path,
    turns: Path,
    environment: Mapping[str, str] = {},
) -> subprocess.Popen[bytes]:
    """Start a process that trains so many times."""
    return subprocess.Popen(
        [sys.executable, str(Path(__file__)), kind, str(number), str(dataset), str(turns)],
        cwd=workspace,
        env={
            **{
                name: value
                for name, value in os.environ.items()
                if not name.startswith("RUNFORGE") and name != "SOURCE_DATE_EPOCH"
            },
            "RUNFORGE_DATASET": str(dataset),
            **environment,
        },
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )


def _terminal(number: int, dataset: str) -> int:
    from runforge_cli.shell.app import cli

    arguments = ["train", dataset, "--label", "label", "--seed", str(number), "--quiet"]
    return cli.main(arguments, prog_name="runforge", standalone_mode=False) or 0


def _editor(number: int, dataset: str) -> int:
    from field_editor import FieldEditor
    from ml_runner.__main__ import cli

    _, folder = FieldEditor(Path.cwd()).prepare(f"Run {number}", "std-train", number)
    arguments = ["train", "--preset", "std-train", "--out", str(folder), "--seed", str(number)]
    arguments += ["--device", "cpu", "--model", "linear_svc", "--name", f"Run {number}"]
    return cli.main(arguments, prog_name="ml_runner", standalone_mode=False) or 0


def _field(number: int, dataset: str) -> int:
    import field_engine
    from field_data import table
    from field_editor import FieldEditor

    # Its id is made of the second and the dataset, so two runs of one second need two of these.
    dataset = str(table(Path(f"{dataset}.{number}.csv"), classes=3, rows=45, seed=number))

    _, folder = FieldEditor(Path.cwd()).prepare(f"Run {number}", "std-train", number)
    arguments = ["train", "--preset", "std-train", "--out", str(folder), "--seed", str(number)]
    return field_engine.main([*arguments, "--model", "linear_svc"], dataset)


def _await(kind: str, turn: int, turns: Path) -> None:
    """Begin a turn when the others have begun the one before, or none is left that would."""
    (turns / f"{kind}-{turn}").touch()
    while not (turns / "ended").exists():
        if turn == 0 or all((turns / f"{other}-{turn - 1}").exists() for other in KINDS):
            return
        time.sleep(0.002)


def main(kind: str, number: int, dataset: str, turns: Path) -> None:
    """Train so many times; end with what a training said where it failed."""
    train: Callable[[int, str], int] = {
        "terminal": _terminal,
        "editor": _editor,
        "field": _field,
    }[kind]
    try:
        for turn in range(number):
            _await(kind, turn, turns)
            said = StringIO()
            with redirect_stdout(said), redirect_stderr(said):
                code = train(turn, dataset)
            if code:
                raise SystemExit(f"turn {turn} of {kind}: exit code {code}\n{said.getvalue()}")
    except BaseException:
        (turns / "ended").touch()
        raise


if __name__ == "__main__":
    if sys.argv[1] != "field":
        from runforge_engine.runtime.numeric_environment import pin_environment

        pin_environment()
    main(sys.argv[1], int(sys.argv[2]), sys.argv[3], Path(sys.argv[4]))
