"""What ``runforge serve`` starts ends with its client, and what dies takes nothing with it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from calls import ROOT
from serve_client import ServeClient, ServeError

QUICK = {"dataset": "penguins.csv", "label": "species", "exclude": ["island", "sex", "year"]}
ENDLESS = {**QUICK, "model": "random_forest", "hyperparameters": {"n_estimators": 1_000_000}}
#: How long what a server started may take to end, in seconds, with some for a busy machine.
ENDS_WITHIN = 10.0

pytestmark = pytest.mark.skipif(os.name == "nt", reason="ends processes by signals")


@pytest.fixture
def client(workspace: Path) -> Iterator[ServeClient]:
    """Return a client whose session has begun, in a workspace with the penguins."""
    with ServeClient(workspace) as client:
        client.initialize()
        yield client


def children(pid: int) -> dict[int, str]:
    """Return the command lines of the children of a process."""
    found = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            fields = (folder / "stat").read_text().rpartition(")")[2].split()
            if int(fields[1]) == pid and fields[0] != "Z":
                found[int(folder.name)] = (folder / "cmdline").read_bytes().decode()
        except OSError:
            continue
    return found


def worker_of(client: ServeClient, program: str = "run_worker") -> int:
    """Return the process id of the child with a program."""
    [pid] = [pid for pid, line in children(client.process.pid).items() if program in line]
    return pid


def begin_endless(client: ServeClient) -> tuple[int, str]:
    """Start a training that takes for ever; return request and run."""
    number = client.start("train", ENDLESS)
    while True:
        params = client.next_notification("progress")
        if params["id"] == number and params["stage"] == "training":
            return number, params["run_id"]


def status_of(workspace: Path, run_id: str) -> str | None:
    """Return the recorded status of a run, waiting for it for a while."""
    path = workspace / ".runforge/runs" / run_id / "result.json"
    deadline = time.monotonic() + ENDS_WITHIN
    while not path.exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    status: str = json.loads(path.read_text("utf-8"))["status"]
    return status


def wait_for_end(pid: int) -> None:
    """Wait until a process has ended."""
    deadline = time.monotonic() + ENDS_WITHIN
    while Path(f"/proc/{pid}").exists():
        assert time.monotonic() < deadline, f"the process {pid} goes on"
        time.sleep(0.05)


def test_no_child_is_started_before_the_first_training(client: ServeClient) -> None:
    client.call("list")
    assert children(client.process.pid) == {}


def test_a_worker_that_dies_takes_only_its_run_with_it(
    client: ServeClient, workspace: Path
) -> None:
    number, run_id = begin_endless(client)
    os.kill(worker_of(client), signal.SIGKILL)
    with pytest.raises(ServeError, match=run_id) as raised:
        client.answer(number)
    assert raised.value.code == "WORKER_LOST"
    assert "SIGKILL" in raised.value.error["message"]
    assert client.call("list", {"status": "interrupted"})["runs"][0]["run_id"] == run_id
    assert client.call("train", QUICK)["status"] == "succeeded"


def test_a_side_process_that_dies_takes_nothing_with_it(client: ServeClient) -> None:
    client.call("inspect", {"dataset": "penguins.csv"})
    os.kill(worker_of(client, "side_work"), signal.SIGKILL)
    assert client.call("inspect", {"dataset": "penguins.csv"})["num_rows"] == 344


def test_a_training_is_cancelled_by_its_request(client: ServeClient, workspace: Path) -> None:
    number, run_id = begin_endless(client)
    assert client.call("list", {"status": "running"})["runs"][0]["run_id"] == run_id
    client.notify("$/cancelRequest", {"id": number})
    outcome = client.answer(number)
    assert outcome["status"] == "cancelled"
    assert outcome["run_id"] == run_id
    assert status_of(workspace, run_id) == "cancelled"


def test_a_training_is_cancelled_by_its_run(client: ServeClient) -> None:
    number, run_id = begin_endless(client)
    assert client.call("cancel", {"run": run_id})["status"] == "cancelled"
    assert client.answer(number)["status"] == "cancelled"


def test_trainings_wait_for_each_other_and_can_be_cancelled_while_they_wait(
    client: ServeClient,
) -> None:
    number, _ = begin_endless(client)
    waiting = client.start("train", QUICK)
    last = client.start("train", QUICK)
    while client.next_notification("progress")["id"] != last:
        pass
    client.notify("$/cancelRequest", {"id": waiting})
    with pytest.raises(ServeError) as raised:
        client.answer(waiting)
    assert raised.value.number == -32800
    client.notify("$/cancelRequest", {"id": number})
    assert client.answer(number)["status"] == "cancelled"
    assert client.answer(last)["status"] == "succeeded"


def test_reading_goes_on_during_a_training(client: ServeClient) -> None:
    number, run_id = begin_endless(client)
    assert client.call("show", {"run": run_id})["status"] == "incomplete"
    assert client.call("verify")["verdict"] == "verified"
    client.notify("$/cancelRequest", {"id": number})
    client.answer(number)


@pytest.mark.parametrize("end", ["stdin", "SIGKILL", "SIGTERM", "SIGINT", "shutdown", "exit"])
def test_what_a_client_started_ends_with_it(workspace: Path, end: str) -> None:
    with ServeClient(workspace) as client:
        client.initialize()
        _, run_id = begin_endless(client)
        worker = worker_of(client)
        if end == "stdin":
            client.process.stdin.close()
            assert client.process.wait(ENDS_WITHIN) == 1
        elif end == "shutdown":
            assert client.end() == 0
        elif end == "exit":
            client.notify("exit", {})
            assert client.process.wait(ENDS_WITHIN) == 1
        else:
            client.process.send_signal(getattr(signal, end))
            client.process.wait(ENDS_WITHIN)
        assert status_of(workspace, run_id) == "cancelled"
        wait_for_end(worker)


def test_a_client_that_is_killed_ends_everything(workspace: Path) -> None:
    import sys

    program = (
        "import sys, time; from pathlib import Path; sys.path[:0] = sys.argv[1:2];"
        " from serve_client import ServeClient; client = ServeClient(Path());"
        " client.initialize(); client.start('train', " + repr(ENDLESS) + ");"
        " print(client.next_notification('progress')['stage'], flush=True);"
        " params = {'stage': ''}\nwhile params['stage'] != 'training':"
        " params = client.next_notification('progress')\n"
        "print(params['run_id'], client.process.pid, flush=True); time.sleep(600)"
    )
    support = ROOT / "packages/runforge-cli/tests/support"
    editor = subprocess.Popen(
        [sys.executable, "-c", program, str(support)], cwd=workspace, stdout=subprocess.PIPE
    )
    with editor.stdout as output:
        output.readline()
        run_id, server = output.readline().decode().split()
        editor.kill()
        editor.wait()
    assert status_of(workspace, run_id) == "cancelled"
    wait_for_end(int(server))


def test_several_trainings_run_at_once_if_the_client_asks_for_it(workspace: Path) -> None:
    with ServeClient(workspace) as client:
        client.initialize(jobs=2, warm=True)
        first, second = client.start("train", ENDLESS), client.start("train", ENDLESS)
        training = set[int]()
        while training != {first, second}:
            params = client.next_notification("progress")
            if params["stage"] == "training":
                training.add(params["id"])


@pytest.mark.parametrize("method", ["inspect", "report"])
def test_what_takes_long_can_be_cancelled(client: ServeClient, method: str) -> None:
    client.call("train", QUICK)
    params: dict[str, Any] = {"dataset": "penguins.csv"} if method == "inspect" else {}
    number = client.start(method, params)
    client.notify("$/cancelRequest", {"id": number})
    try:
        client.answer(number)
    except ServeError as error:
        assert error.number == -32800  # noqa: PT017 - it may also have been quick enough
    assert client.call(method, params)


def test_what_libraries_print_does_not_reach_the_client(workspace: Path) -> None:
    noise, loud = workspace / "noise", workspace / "loud"
    noise.mkdir()
    # Each import prints, of the server and of its children, once the session has begun.
    (noise / "sitecustomize.py").write_text(
        "import os, sys\n"
        "class Loud:\n"
        "    def find_spec(self, name, *_):\n"
        f"        if os.path.exists({str(loud)!r}):\n"
        f"            os.close(os.open({str(workspace / 'printed')!r}, os.O_CREAT))\n"
        "            os.write(1, b'noise\\n'); os.write(2, b'noise\\n')\n"
        "        return None\n"
        "sys.meta_path.insert(0, Loud())\n",
        "utf-8",
    )
    with ServeClient(workspace, environment={"PYTHONPATH": str(noise)}) as client:
        client.initialize()
        loud.touch()
        assert client.call("list")["total"] == 0
        assert client.call("train", QUICK)["status"] == "succeeded"
    assert (workspace / "printed").exists()


def test_a_log_is_written_only_if_asked_for(workspace: Path) -> None:
    for options in ((), ("--verbose",)):
        with ServeClient(workspace, *options) as client:
            client.initialize()
            client.call("train", QUICK)
            assert client.end() == 0
        assert (b"received 'train'" in client.errors) == bool(options)
