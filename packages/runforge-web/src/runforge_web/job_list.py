"""The work that pages began: trainings, sweeps and reproductions, executed as by `runforge serve`.

Every training is a process of its own. What is in progress when the server ends is cancelled, and
recorded as such.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from runforge_cli.serve.call import Call
from runforge_cli.serve.open_calls import OpenCalls
from runforge_cli.serve.serve_session import Session
from runforge_contracts.display import quote
from runforge_contracts.errors import ErrorCode, RunForgeError

if TYPE_CHECKING:
    from runforge_cli.shell.settings import Settings

#: Most jobs that wait or run at once, most that are remembered, and most warnings of one.
MOST_OPEN, _REMEMBERED, _WARNINGS = 20, 200, 100


class Job:
    """One piece of work: what it is, how far it is, and what came of it."""

    def __init__(self, number: int, title: str, method: str) -> None:
        self.id, self.title, self.method = str(number), title, method
        #: The parameters of the last `progress` notification.
        self.progress: dict[str, Any] = {"stage": "waiting", "message": "Waiting"}
        self.warnings: list[str] = []
        self.result: dict[str, Any] | None = None
        self.error: RunForgeError | None = None
        #: The run or the sweep that it makes, once that has a folder.
        self.run_id: str | None = None
        self.group_id: str | None = None

    @property
    def is_open(self) -> bool:
        """Whether it has not ended."""
        return self.result is None and self.error is None

    @property
    def state(self) -> str:
        """The status of what came of it, or what it does."""
        if self.error is not None:
            return "cancelled" if self.error.code is ErrorCode.CANCELLED else "failed"
        if self.result is not None:
            return str(self.result.get("status") or self.result.get("verdict") or "ended")
        stage = self.progress["stage"]
        return stage if stage in ("waiting", "cancelling") else "running"


class JobList:
    """The jobs of one server; the methods may be called by any thread.

    Parameters
    ----------
    settings
        Where the runs are.
    changed
        Called with the id of a job whenever it changes.
    """

    def __init__(self, settings: Settings, changed: Callable[[str], None]) -> None:
        self.session = Session(settings, lambda *_: None)
        self.session.begin({})
        self._calls = OpenCalls(self.session)
        self._changed, self._lock = changed, threading.Lock()
        self._jobs: dict[str, Job] = {}
        self._last, self._asked, self._closed = 0, 0, False

    def begin(self, title: str, method: str, params: dict[str, Any]) -> Job:
        """Begin a job, or let it wait for another training.

        Parameters
        ----------
        title
            What the pages call it.
        method, params
            A method of `runforge serve`, with its parameters.

        Raises
        ------
        RunForgeError
            ``USAGE_INVALID`` if too many jobs wait, or the server ends.
        """
        with self._lock:
            is_open = sum(job.is_open for job in self._jobs.values())
            if self._closed or is_open >= MOST_OPEN:
                raise RunForgeError(
                    ErrorCode.USAGE_INVALID,
                    "The server ends." if self._closed else f"{is_open} jobs wait or run.",
                    hint="Cancel one, or wait for its end.",
                )
            self._last += 1
            job = Job(self._last, title, method)
            self._jobs[job.id] = job
            for old in [*self._jobs.values()][:-_REMEMBERED]:
                if not old.is_open:
                    del self._jobs[old.id]
            call = Call(
                job.id,
                method,
                params,
                lambda message, _: self._take(job, message),
                self._calls.closed,
            )
            self._calls.begin(call)
        return job

    def ask(self, method: str, params: dict[str, Any]) -> dict[str, Any]:
        """Return the answer of a method that is answered soon; raises its error."""
        ended, found = threading.Event(), dict[str, Any]()

        def take(message: dict[str, Any], _: bool) -> None:
            if "id" in message:
                found.update(message)
                ended.set()

        with self._lock:
            self._asked += 1
            self._calls.begin(Call(f"ask {self._asked}", method, params, take, self._calls.closed))
        ended.wait()
        if "error" in found:
            raise RunForgeError.from_dict(found["error"]["data"]["error"])
        result: dict[str, Any] = found["result"]
        return result

    def get(self, job_id: str) -> Job:
        """Return a job; raise ``FILE_NOT_FOUND`` if there is none of that id."""
        with self._lock:
            found = self._jobs.get(job_id)
        if found is None:
            raise RunForgeError(
                ErrorCode.FILE_NOT_FOUND,
                f"There is no job {quote(job_id)}.",
                hint="Jobs are listed until `runforge ui` ends; what they made is in the runs.",
            )
        return found

    def newest(self) -> list[Job]:
        """Return all jobs, the newest first."""
        with self._lock:
            return [*self._jobs.values()][::-1]

    def cancel(self, job: Job) -> None:
        """End a job early; one that has ended is left alone."""
        if job.is_open:
            self._calls.cancel(job.id)

    def close(self) -> None:
        """Cancel everything, and wait until that is recorded, for two seconds at most."""
        with self._lock:
            self._closed = True
        self._calls.cancel_all()

    def _take(self, job: Job, message: dict[str, Any]) -> None:
        """Take a message about a job, in the thread that sends it."""
        params = message.get("params", {})
        if message.get("method") == "progress":
            job.progress = params
            job.run_id = params.get("run_id", job.run_id)
            job.group_id = params.get("group_id", job.group_id)
        elif message.get("method") == "warning":
            if len(job.warnings) < _WARNINGS:
                job.warnings.append(params["message"])
        elif "error" in message:
            job.error = RunForgeError.from_dict(message["error"]["data"]["error"])
        else:
            result = message["result"]
            job.run_id = job.run_id if job.method == "reproduce" else result.get("run_id")
            job.group_id = result.get("group_id", job.group_id)
            job.result = result
        self._changed(job.id)
