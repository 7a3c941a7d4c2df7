"""The connection to a Dask cluster: its workers, their environments, and calls to them.

Only the scheduler needs to be reachable from here; everything passes through it.

Source: Dask distributed, "Client", "Client.run" and "Scheduler.identity".
"""

from __future__ import annotations

import concurrent.futures
import contextlib
import re
import threading
import time
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from runforge_contracts.display import printable, quote, shorten
from runforge_contracts.errors import ErrorCode, RunForgeError

from runforge_engine.distributed import remote_session
from runforge_engine.distributed.dask_library import import_distributed, quiet_logs
from runforge_engine.distributed.environment_mismatch import EnvironmentDifference, differences
from runforge_engine.distributed.environment_report import report_environment

#: How long the scheduler may take to answer, in seconds.
CONNECT_WITHIN = 5.0
#: How often the list of workers is read, in seconds.
_LOOK = 0.5
#: After how many seconds without an answer the scheduler counts as lost.
_LOST_AFTER = 10.0
_ADDRESS = re.compile(r"[a-z]+://[^\s/]+")
#: The part of the environment that a worker without RunForge differs in.
_INSTALLED = "packages.runforge-engine"


@dataclass(slots=True)
class ClusterWorker:
    """A Dask worker, and what is known of it."""

    address: str
    #: The name that Dask shows.
    name: str
    #: How many runs it takes at a time.
    slots: int
    #: ``python``, ``packages``, ``platform`` and ``numerics`` of its runs.
    environment: Mapping[str, Any] = field(default_factory=dict)
    differences: list[EnvironmentDifference] = field(default_factory=list)
    #: Why it gets no runs; empty if it does.
    refusal: str = ""
    #: Digests of the datasets and recipes that it has, and of those that are on their way to it.
    files: set[str] = field(default_factory=set)
    arriving: set[str] = field(default_factory=set)
    #: The object that keeps the session open.
    lease: Any = None


class Cluster:
    """A connection to a scheduler.

    Parameters
    ----------
    address
        ``tcp://HOST:PORT`` or another address that Dask knows.
    settings
        What a session on a worker needs; see :mod:`~runforge_engine.distributed.remote_session`.
    on_worker
        Called in a thread of the cluster with each worker that has joined, or could not be asked.
    on_gone
        Called there with the address of each worker that has left.
    on_lost
        Called there with the reason once the scheduler is lost.
    """

    def __init__(
        self,
        address: str,
        settings: Mapping[str, Any],
        *,
        on_worker: Callable[[ClusterWorker], None],
        on_gone: Callable[[str], None],
        on_lost: Callable[[str], None],
    ) -> None:
        self.address = address
        self._settings = settings
        self._session = str(settings["session"])
        self._on_worker, self._on_gone, self._on_lost = on_worker, on_gone, on_lost
        self._known: set[str] = set()
        self._ending = threading.Event()
        self._cleanup = contextlib.ExitStack()
        self._calls = concurrent.futures.ThreadPoolExecutor(8, "runforge-cluster")
        self.client: Any = None
        self.environment: Mapping[str, Any] = {}

    def connect(self) -> list[ClusterWorker]:
        """Connect, and return the workers that are there.

        Raises
        ------
        RunForgeError
            ``EXTRA_MISSING``, ``USAGE_INVALID`` for what is no address, ``SCHEDULER_UNREACHABLE``.
        """
        if not _ADDRESS.fullmatch(self.address):
            raise RunForgeError(
                ErrorCode.USAGE_INVALID,
                f"{quote(self.address, 200)} is not the address of a scheduler.",
                hint="An address looks like tcp://HOST:8786; `dask scheduler` prints its own.",
            )
        own = self._calls.submit(report_environment)
        distributed = import_distributed()
        self._cleanup.enter_context(quiet_logs())
        try:
            with warnings.catch_warnings():
                # Versions are compared below, and the differences reported as errors.
                warnings.simplefilter("ignore")
                self.client = distributed.Client(
                    self.address, timeout=CONNECT_WITHIN, set_as_default=False
                )
        except (OSError, ValueError, RuntimeError, ImportError, TypeError) as error:
            reason = printable(shorten(str(error) or type(error).__name__, 300))
            raise RunForgeError(
                ErrorCode.SCHEDULER_UNREACHABLE,
                f"The scheduler {quote(self.address, 200)} cannot be reached: {reason}",
                hint="Start one with `dask scheduler`, and see that its port can be reached.",
            ) from None
        self._cleanup.callback(self._close_client)
        self.environment = own.result()
        try:
            return self._welcome(self._identities())
        except OSError as error:
            raise self.lost_error(str(error)) from None

    @property
    def is_connected(self) -> bool:
        """Whether the connection that was made stands."""
        return self.client is not None and self.client.status == "running"

    def watch(self) -> None:
        """Begin to report workers that join or leave."""
        threading.Thread(target=self._watch, name="runforge-watch", daemon=True).start()

    def lost_error(self, reason: str) -> RunForgeError:
        """Return the error for a scheduler that was there before."""
        return RunForgeError(
            ErrorCode.SCHEDULER_UNREACHABLE,
            f"The scheduler {quote(self.address, 200)} was lost: {printable(shorten(reason, 300))}",
            hint="What has ended is kept; resume when the scheduler is back.",
        )

    def call(self, worker: str, function: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
        """Call a function of :mod:`remote_session` for the session on a worker, and wait.

        Raises what the function raises, and ``OSError``.
        """
        # The sentence of Dask about large arguments is not for a user.
        answers = self.client.run(
            function, self._session, *args, workers=[worker], on_error="return", **kwargs
        )
        answer = answers[worker]
        if isinstance(answer, Exception):
            raise answer
        return answer

    def call_later(
        self,
        worker: str,
        function: Callable[..., Any],
        /,
        *args: Any,
        **kwargs: Any,
    ) -> None:
        """Call a function without waiting for it or its errors."""
        with contextlib.suppress(RuntimeError):  # It is closing.
            self._calls.submit(self.call, worker, function, *args, **kwargs)

    def in_background(self, work: Callable[[], None]) -> None:
        """Call ``work`` in one of a few threads."""
        with contextlib.suppress(RuntimeError):
            self._calls.submit(work)

    def submit(self, worker: str, task: Mapping[str, Any], key: str) -> Any:
        """Give a worker a run as a task, and return its future."""
        return self.client.submit(
            remote_session.execute_run,
            self._session,
            dict(task),
            key=key,
            workers=[worker],
            allow_other_workers=False,
            pure=False,
            retries=0,
        )

    def close(self, within: float) -> None:
        """End the sessions on the workers, and disconnect."""
        self._ending.set()
        if self.is_connected:
            addresses = [*self._known]
            ending = self._calls.submit(
                self.client.run,
                remote_session.close_session,
                self._session,
                workers=addresses,
                on_error="ignore",
            )
            with contextlib.suppress(concurrent.futures.TimeoutError, OSError):
                ending.result(within)
        self._cleanup.close()
        self._calls.shutdown(wait=False, cancel_futures=True)

    def _close_client(self) -> None:
        with contextlib.suppress(Exception):
            self.client.close(timeout=1)

    def _identities(self) -> dict[str, dict[str, Any]]:
        found = self.client.sync(self.client.scheduler.identity, callback_timeout=_LOST_AFTER)
        workers: dict[str, dict[str, Any]] = found["workers"]
        return workers

    def _welcome(self, identities: Mapping[str, Mapping[str, Any]]) -> list[ClusterWorker]:
        """Open a session on each worker, and return them all."""
        if not identities:
            return []
        answers = self.client.run(
            remote_session.open_session,
            dict(self._settings),
            workers=[*identities],
            on_error="return",
        )
        self._known |= identities.keys()
        return [
            self._worker(address, identity, answers.get(address))
            for address, identity in identities.items()
        ]

    def _worker(self, address: str, identity: Mapping[str, Any], answer: Any) -> ClusterWorker:
        name = printable(shorten(str(identity.get("name", address)), 100))
        worker = ClusterWorker(address, name, max(int(identity["nthreads"]), 1))
        if isinstance(answer, dict) and isinstance(answer.get("environment"), dict):
            worker.environment = answer["environment"]
            worker.differences = differences(self.environment, worker.environment)
            worker.lease = self.client.submit(
                remote_session.hold_session,
                self._session,
                key=f"runforge-session-{self._session}-{address}",
                workers=[address],
                allow_other_workers=False,
                pure=False,
            )
        else:
            reason = printable(shorten(str(answer), 300))
            worker.refusal = f"RunForge cannot be used on it: {reason}"
        return worker

    def _watch(self) -> None:
        silent_since: float | None = None
        while not self._ending.wait(_LOOK):
            if not self.is_connected:
                # Dask would connect again, but the sessions have ended with the connection.
                self._on_lost("the connection was closed")
                return
            try:
                identities = self._identities()
                gone = self._known - identities.keys()
                self._known -= gone
                for address in gone:
                    self._on_gone(address)
                new = {
                    address: identity
                    for address, identity in identities.items()
                    if address not in self._known
                }
                for worker in self._welcome(new):
                    self._on_worker(worker)
                silent_since = None
            except Exception as error:  # noqa: BLE001 - whatever it is, the scheduler does not answer
                if self._ending.is_set():
                    return
                now = time.monotonic()
                silent_since = silent_since or now
                if now - silent_since > _LOST_AFTER:
                    self._on_lost(str(error) or type(error).__name__)
                    return
