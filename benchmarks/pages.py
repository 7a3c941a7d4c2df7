"""What the pages of ``runforge ui`` cost: the first, a list of 100,000 runs, a comparison of 100.

    python benchmarks/pages.py [ROUNDS] [PYTHON_WITH_MLFLOW]

All is measured in turns and shown as ratios to a bare Python, so that a noisy machine disturbs all
alike; the processor time of the server stands beside it. With an interpreter that has MLflow, the
first page of ``mlflow server`` is measured in the same rounds.
"""

from __future__ import annotations

import http.client
import os
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

from pairing import cost, python, runforge
from store import make_store
from tables import LABEL, write_iris

RUNS, COMPARED = 100_000, 100
LISTS = {
    "list, first page": "/runs",
    "list, page 1,000": "/runs?page=1000",
    "list, filtered": "/runs?where=accuracy%3E%3D0.9",
    "list, filtered, page 300": "/runs?where=accuracy%3E%3D0.9&page=300",
    "list, sorted by a metric": "/runs?sort=accuracy",
    "list, sorted, page 1,500": "/runs?sort=accuracy&page=1500",
    "list, by name": "/runs?name=20240",
    "list, since a day": "/runs?since=2024-01-20",
}
#: Seconds in which the server finds out the values of the columns, after the first page.
_PREPARED = 20.0


class Page(NamedTuple):
    """What a page cost."""

    seconds: float
    #: Processor time of the server; zero where the system does not tell.
    processor: float


class Pages:
    """A running ``runforge ui`` with a session."""

    def __init__(self, process: subprocess.Popen[str], address: str) -> None:
        self.process = process
        parts = urlsplit(address)
        self._port = parts.port or 0
        self._cookie = ""
        _, headers = self._ask(f"{parts.path}?{parts.query}")
        self._cookie = headers["set-cookie"].partition(";")[0]

    def _ask(self, path: str) -> tuple[bytes, http.client.HTTPMessage]:
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=600)
        connection.request("GET", path, headers={"Cookie": self._cookie})
        answer = connection.getresponse()
        body = answer.read()
        connection.close()
        if answer.status != 200:
            raise RuntimeError(f"{path} was answered with {answer.status}")
        return body, answer.headers

    def page(self, path: str) -> Page:
        """Return what a page cost."""
        used, begun = self._processor(), time.perf_counter()
        self._ask(path)
        return Page(time.perf_counter() - begun, self._processor() - used)

    def _processor(self) -> float:
        stat = Path(f"/proc/{self.process.pid}/stat")
        if not stat.exists():
            return 0.0
        user, system = stat.read_text().rpartition(")")[2].split()[11:13]
        return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")

    def memory(self) -> float:
        """Return the memory of the server that is in use, in MiB; zero where nobody tells."""
        status = Path(f"/proc/{self.process.pid}/status")
        if not status.exists():
            return 0.0
        [line] = [line for line in status.read_text().splitlines() if line.startswith("VmRSS")]
        return int(line.split()[1]) / 1024


@contextmanager
def pages(workspace: Path) -> Iterator[Pages]:
    """Give the server of a workspace."""
    command = [sys.executable, "-m", "runforge_cli", "ui", "--no-open"]
    process = subprocess.Popen(
        command, cwd=workspace, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    try:
        assert process.stdout is not None
        yield Pages(process, process.stdout.readline().split()[-1])
    finally:
        process.send_signal(signal.SIGINT)
        process.wait()


def first_page(workspace: Path) -> float:
    """Return the seconds from the command to the first page."""
    begun = time.perf_counter()
    with pages(workspace) as server:
        server.page("/runs")
        return time.perf_counter() - begun


def first_page_of_mlflow(interpreter: str, folder: Path) -> float:
    """Return the seconds from the command to the first page of MLflow, its list of experiments."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    begun = time.perf_counter()
    process = subprocess.Popen(
        [interpreter, "-m", "mlflow", "server", "--port", str(port), "--workers", "1"],
        cwd=folder,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        while True:
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
            try:
                connection.request("GET", "/")
                if connection.getresponse().status == 200:
                    return time.perf_counter() - begun
            except OSError:
                if process.poll() is not None:
                    raise RuntimeError("MLflow has ended") from None
                time.sleep(0.01)
            finally:
                connection.close()
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait()


def compared(folder: Path) -> Path:
    """Return a workspace with as many runs of a sweep as are compared."""
    folder.mkdir()
    write_iris(folder / "iris.csv")
    values = ",".join(str(number / 10) for number in range(1, COMPARED // 2 + 1))
    grid = ("--grid", f"C={values}", "--grid", "seed=1,2")
    cost(runforge("sweep", "iris.csv", "--label", LABEL, *grid, folder=folder))
    return folder


def show(name: str, found: Sequence[Page], bare: float) -> None:
    """Print a line of the table."""
    seconds = statistics.median(page.seconds for page in found)
    processor = statistics.median(page.processor for page in found)
    print(f"{name:<34} {seconds:8.3f} s {seconds / bare:8.1f} x {processor:8.2f} s of processor")


def main() -> None:
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    rival = sys.argv[2] if len(sys.argv) > 2 else None
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        large = make_store(folder, RUNS).workspace
        few = compared(folder / "compared")
        bare = [cost(python("-c", "pass")).seconds for _ in range(rounds)]
        firsts, rivals = list[Page](), list[Page]()
        for _ in range(rounds):
            firsts.append(Page(first_page(few), 0.0))
            if rival is not None:
                rivals.append(Page(first_page_of_mlflow(rival, folder), 0.0))
        unit = statistics.median(bare)
        print(f"medians of {rounds} rounds; ratios to a bare Python, which takes {unit:.3f} s")
        show("first page, cold", firsts, unit)
        if rival is not None:
            version = subprocess.run(
                [rival, "-m", "mlflow", "--version"], capture_output=True, text=True, check=True
            ).stdout.split()[-1]
            show(f"first page of MLflow {version}", rivals, unit)
        with pages(large) as server:
            show("list, first page, cold", [server.page("/runs")], unit)
            time.sleep(_PREPARED)
            found = {name: list[Page]() for name in LISTS}
            for _ in range(rounds + 1):
                for name, path in LISTS.items():
                    found[name].append(server.page(path))
            for name, measured in found.items():
                show(name, measured[1:], unit)
            print(f"memory of the server, {RUNS:,} runs  {server.memory():8.0f} MiB")
        names = sorted(path.name for path in (few / ".runforge/runs").iterdir())
        address = "/compare?" + "&".join(f"run={name}" for name in names)
        with pages(few) as server:
            show(f"comparison of {len(names)}, first time", [server.page(address)], unit)
            again = [server.page(address) for _ in range(rounds)]
            show(f"comparison of {len(names)}, again", again, unit)
            print(f"memory of the server, comparison  {server.memory():8.0f} MiB")


if __name__ == "__main__":
    main()
