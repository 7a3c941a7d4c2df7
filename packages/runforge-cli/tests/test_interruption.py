"""An interrupt at whatever moment ends a command with one line and exit code 5."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from calls import TRAIN
from runforge_cli.process import interruption
from runforge_cli.terminal.output import write_error
from runforge_contracts.codec.strict_json import encode_json
from runforge_contracts.errors import ErrorCode, ExitCode, RunForgeError

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")

#: Calls a command, and splits at each file that is opened and each module that is imported: the
#: copy of the process gets the signal there, and its end is noted; the process itself goes on.
#: It stops when there are threads, which copies lack.
SPLITTING = """
import json, os, signal, sys, tempfile, threading
number, log = int(sys.argv.pop(1)), sys.argv.pop(1)
every, times = int(sys.argv.pop(1)), int(sys.argv.pop(1))
seen, ends, busy = [0], [], [False]

def split(event, arguments):
    global times
    if busy[0] == "copy" and times > 1:
        times -= 1
        os.kill(os.getpid(), number)
    if event not in ("import", "open") or busy[0] or threading.active_count() > 1:
        return
    if getattr(signal.getsignal(number), "__module__", "") != "runforge_cli.process.interruption":
        return  # Our first line is still to come, or a run has signals of its own.
    seen[0] += 1
    if seen[0] % every:
        return
    busy[0] = True
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        copy = os.fork()
        if copy == 0:
            os.dup2(out.fileno(), 1)
            os.dup2(err.fileno(), 2)
            busy[0] = "copy"
            os.kill(os.getpid(), number)
            return
        code = os.waitstatus_to_exitcode(os.waitpid(copy, 0)[1])
        texts = []
        for stream in (out, err):
            stream.seek(0)
            texts.append(stream.read().decode())
    ends.append([event, str(arguments[0]), code, *texts])
    with open(log, "w") as file:
        json.dump(ends, file)
    busy[0] = False

module = sys.argv[1]
sys.argv[:2] = ["-m"]
import runpy
sys.addaudithook(split)
runpy.run_module(module, run_name="__main__", alter_sys=True)
"""


def ends(
    folder: Path, number: int, *command: str, every: int = 1, times: int = 1, **more: str
) -> list[list[str]]:
    """Return for each moment of a command what it was, the code and the output of its end.

    Every so manieth moment is taken, and the signal comes so many times.
    """
    log = folder / "ends.json"
    done = subprocess.run(
        [sys.executable, "-c", SPLITTING, str(number), str(log), str(every), str(times), *command],
        cwd=folder,
        env={**os.environ, **more},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found: list[list[str]] = json.loads(log.read_bytes())
    return found


LINE = ["", "error[CANCELLED]: Interrupted.\n"]
DOCUMENT = [encode_json({"error": {"code": "CANCELLED", "message": "Interrupted."}}).decode(), ""]
SIGNALS = [signal.SIGINT, signal.SIGTERM]


@pytest.mark.parametrize("number", SIGNALS)
def test_a_command_that_reads_ends_at_every_moment(number: int, filled: Path) -> None:
    found = ends(filled, number, "runforge_cli", "runs", "--json", every=3)
    assert len(found) > 30
    assert [end for end in found if end[2:] != [5, *DOCUMENT]] == []


@pytest.mark.parametrize("number", SIGNALS)
def test_a_training_ends_at_every_moment_until_it_has_signals_of_its_own(
    number: int, workspace: Path
) -> None:
    found = ends(workspace, number, "runforge_cli", *TRAIN, every=7)
    assert len(found) > 30
    assert [end for end in found if end[2:] != [5, *LINE]] == []
    assert len(list((workspace / ".runforge/runs").iterdir())) == 1


def test_the_editor_entry_point_ends_at_every_moment(workspace: Path) -> None:
    (workspace / "labelled.csv").write_text("x,label\n" + "1,a\n2,b\n" * 20)
    train = ("ml_runner", "train", "--preset", "std-train", "--out", "out")
    found = ends(workspace, signal.SIGINT, *train, every=7, RUNFORGE_DATASET="labelled.csv")
    assert len(found) > 30
    assert [end for end in found if end[2:] != [5, *LINE]] == []


@pytest.mark.parametrize("number", SIGNALS)
@pytest.mark.parametrize("times", [1, 2])
def test_a_command_that_writes_is_unwound_at_every_moment(
    times: int, number: int, filled: Path
) -> None:
    export = ("runforge_cli", "export", "--to", "csv", "-o", "exported")
    found = ends(filled, number, *export, every=5, times=times)
    assert len(found) > 30
    # The command's parser begins a new line.
    endings = [[code, out, err.lstrip()] for _, _, code, out, err in found]
    assert [end for end in endings if end != [5, *LINE]] == []


def test_an_interruption_is_reported_like_other_errors(
    capfdbinary: pytest.CaptureFixture[bytes],
) -> None:
    error = RunForgeError(ErrorCode.CANCELLED, "Interrupted.")
    for json_wanted in (False, True):
        assert write_error(error, json=json_wanted) == ExitCode.CANCELLED
        sys.stderr.flush()
        expected = capfdbinary.readouterr()
        assert interruption.report(json=json_wanted) == ExitCode.CANCELLED
        assert capfdbinary.readouterr() == expected


def test_an_interrupt_that_became_another_error_is_reported_as_one(workspace: Path) -> None:
    program = (
        "import os, signal, sys\n"
        "from runforge_cli.process import interruption\n"
        "from runforge_cli.__main__ import conclude\n"
        "def call():\n"
        "    interruption.unwind()\n"
        "    try:\n"
        "        os.kill(os.getpid(), signal.SIGINT)\n"
        "    except KeyboardInterrupt:\n"
        "        raise ImportError('numpy could not be loaded') from None\n"
        "interruption.end_at_once(json=False)\n"
        "conclude(call, json=False)\n"
    )
    callback = program.replace(
        "    try:\n        os.kill(os.getpid(), signal.SIGINT)\n    except KeyboardInterrupt:\n"
        "        raise ImportError('numpy could not be loaded') from None\n",
        "    class Last:\n"
        "        def __del__(self):\n            os.kill(os.getpid(), signal.SIGINT)\n"
        "    Last()\n    import time; time.sleep(60)\n",
    )
    assert callback != program
    for text in (program, callback):
        done = subprocess.run(
            [sys.executable, "-c", text], capture_output=True, text=True, check=False
        )
        assert [done.returncode, done.stdout, done.stderr] == [5, *LINE]


def test_an_interrupt_that_is_to_be_ignored_is_ignored(workspace: Path) -> None:
    program = (
        "import os, signal, sys\n"
        "from runforge_cli.process import interruption\n"
        "interruption.end_at_once(json=False)\n"
        "os.kill(os.getpid(), signal.SIGINT)\n"
        "interruption.unwind()\n"
        "os.kill(os.getpid(), signal.SIGINT)\n"
        "print('still here')\n"
    )
    shell = f"trap '' INT; exec {sys.executable} -c \"$0\""
    done = subprocess.run(["sh", "-c", shell, program], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "still here\n"), done.stderr
