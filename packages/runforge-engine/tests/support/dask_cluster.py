"""A scheduler and workers of Dask as processes of their own, which cannot read a workspace."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

#: Refuses files of a folder by Python's own hooks, where the system has no mount namespaces.
_GUARD = """
import os, sys
_forbidden = os.environ["FORBIDDEN_FOLDER"]
def _refuse(event, arguments):
    if event in ("open", "os.listdir", "os.scandir", "os.mkdir", "os.rename", "os.remove"):
        for argument in arguments[:2]:
            if isinstance(argument, (str, bytes)) and os.fsdecode(argument).startswith(_forbidden):
                raise PermissionError(13, "The workspace of the client is not here", argument)
sys.addaudithook(_refuse)
"""
#: How long something may take on a busy machine, in seconds.
PATIENCE = 120.0


def wait_until(condition: object, what: str) -> None:
    """Wait until ``condition()`` is true."""
    deadline = time.monotonic() + PATIENCE
    while not condition():  # type: ignore[operator]
        assert time.monotonic() < deadline, what
        time.sleep(0.05)


def _unshare() -> list[str]:
    """Return the command that starts a program in a mount namespace of its own, if there is one."""
    program = shutil.which("unshare")
    for options in (["--mount"], ["--mount", "--map-root-user"]):
        command = [program or "", *options]
        test = "mount -t tmpfs none /mnt"
        if (
            program
            and not subprocess.run([*command, "sh", "-c", test], capture_output=True).returncode
        ):
            return command
    return []


@dataclass
class DaskCluster:
    """A running scheduler, and the workers that were started for it."""

    folder: Path
    #: The folder that the workers cannot read.
    forbidden: Path
    protocol: str = "tcp"
    #: Environment variables of all processes.
    variables: Mapping[str, str] = field(default_factory=dict)
    address: str = ""
    scheduler: subprocess.Popen[bytes] | None = None
    workers: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def start(self) -> None:
        """Start the scheduler on a port that the system chooses."""
        file = self.folder / "scheduler.json"
        self.scheduler = self._spawn(
            "scheduler",
            {"host": f"{self.protocol}://127.0.0.1", "port": 0, "scheduler-file": file},
            name="scheduler",
        )

        def address() -> bool:
            with suppress(OSError, ValueError, KeyError):
                self.address = json.loads(file.read_text("utf-8"))["address"]
            return bool(self.address)

        wait_until(address, "the scheduler does not start")

    def add_worker(
        self, *, threads: int = 1, variables: Mapping[str, str] | None = None
    ) -> subprocess.Popen[bytes]:
        """Start a worker in a folder of its own, and wait until the scheduler knows it."""
        name = f"worker-{len(self.workers)}"
        process = self._spawn(
            "worker",
            {"nthreads": threads, "name": name, "local-directory": self.folder / name},
            self.address,
            "--no-nanny",
            name=name,
            isolated=True,
            variables=variables or {},
        )
        self.workers.append(process)
        log = self.folder / f"{name}.log"
        wait_until(lambda: b"Registered to" in log.read_bytes(), f"{name} does not start")
        return process

    def log(self, number: int) -> str:
        """Return what a worker has logged."""
        return (self.folder / f"worker-{number}.log").read_text("utf-8", "replace")

    def sessions(self) -> list[Path]:
        """Return the temporary folders of sessions that the workers have."""
        return [*self.folder.glob("worker-*/dask-scratch-space/worker-*/runforge-*")]

    def stop(self) -> None:
        """Kill all processes."""
        for process in (*self.workers, self.scheduler):
            if process is not None:
                kill(process)

    def _spawn(
        self,
        program: str,
        options: Mapping[str, Any],
        *arguments: str,
        name: str,
        isolated: bool = False,
        variables: Mapping[str, str] | None = None,
    ) -> subprocess.Popen[bytes]:
        home = self.folder / name
        home.mkdir()
        command = [sys.executable, "-P", "-m", f"distributed.cli.dask_{program}", *arguments]
        for option, value in options.items():
            command += [f"--{option}", str(value)]
        command.append("--no-dashboard")
        environment = {
            **os.environ,
            "PYTHONPATH": "",
            **self.variables,
            **(variables or {}),
        }
        if isolated and (unshare := _unshare()):
            script = 'mount -t tmpfs none "$0" && exec "$@"'
            command = [*unshare, "sh", "-c", script, str(self.forbidden), *command]
        elif isolated:
            (home / "sitecustomize.py").write_text(_GUARD)
            environment["FORBIDDEN_FOLDER"] = str(self.forbidden)
            path = [str(home), *filter(None, [environment["PYTHONPATH"]])]
            environment["PYTHONPATH"] = os.pathsep.join(path)
        work = home / "cwd"
        work.mkdir()
        with (self.folder / f"{name}.log").open("wb") as log:
            return subprocess.Popen(
                command, cwd=work, env=environment, stdout=log, stderr=log, start_new_session=True
            )


def kill(process: subprocess.Popen[bytes]) -> None:
    """Kill a process that was started here, without those that it has started."""
    with suppress(ProcessLookupError):
        process.send_signal(signal.SIGKILL)
    process.wait()


@contextmanager
def dask_cluster(
    folder: Path,
    forbidden: Path,
    *,
    workers: int = 2,
    protocol: str = "tcp",
    variables: Mapping[str, str] | None = None,
) -> Iterator[DaskCluster]:
    """Start a scheduler and workers in ``folder``, which end with the context."""
    folder.mkdir(parents=True, exist_ok=True)
    cluster = DaskCluster(folder, forbidden, protocol, variables or {})
    try:
        cluster.start()
        for _ in range(workers):
            cluster.add_worker()
        yield cluster
    finally:
        cluster.stop()
