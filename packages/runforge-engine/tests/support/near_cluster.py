"""A cluster in this process, without Dask: its sessions are real, its answers may be changed."""

from __future__ import annotations

import asyncio
import copy
import functools
import inspect
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace
from typing import Any, ClassVar

from runforge_contracts.errors import ErrorCode, RunForgeError
from runforge_engine.distributed import remote_session
from runforge_engine.distributed.cluster import ClusterWorker
from runforge_engine.distributed.environment_report import report_environment

#: Returns what the client receives in place of an answer of a worker.
Change = Callable[[str, dict[str, Any]], dict[str, Any]]


_environment = functools.cache(report_environment)


class NearCluster:
    """Stands in for :class:`~runforge_engine.distributed.cluster.Cluster`."""

    #: Where the workers have their folders, and how many there are.
    folder: ClassVar[Path]
    names: ClassVar[tuple[str, ...]] = ("one",)
    #: Changes the answers of workers.
    change: ClassVar[Change] = staticmethod(lambda _, answer: answer)
    #: Called before a function is called on a worker, with its name and the worker's.
    before_call: ClassVar[Callable[[str, str], None]] = staticmethod(lambda *_: None)

    def __init__(
        self,
        address: str,
        settings: Mapping[str, Any],
        *,
        on_worker: Any,
        on_gone: Any,
        on_lost: Any,
    ) -> None:
        self.settings, self.handlers = settings, dict[str, Any]()
        self.client = SimpleNamespace(subscribe_topic=self.handlers.__setitem__)
        self.is_connected = True
        self.threads = ThreadPoolExecutor(8)

    def connect(self) -> list[ClusterWorker]:
        environment = copy.deepcopy(_environment())
        workers = []
        for name in self.names:
            (self.folder / name).mkdir()
            worker = SimpleNamespace(
                local_directory=str(self.folder / name),
                state=SimpleNamespace(nthreads=1),
                log_event=lambda topic, message: self.handlers[topic]((0.0, message)),
            )
            session = remote_session.RemoteSession(
                worker, self.settings, environment["platform"]["host"]
            )
            remote_session._sessions[self._name(name)] = session
            workers.append(ClusterWorker(name, name, 1, environment))
        return workers

    def watch(self) -> None:
        """Nothing joins or leaves."""

    def call(self, worker: str, function: Callable[..., Any], /, *args: Any, **named: Any) -> Any:
        self.before_call(function.__name__, worker)
        answer = function(self._name(worker), *args, **named)
        return asyncio.run(answer) if inspect.isawaitable(answer) else answer

    def call_later(self, *args: Any) -> None:
        self.threads.submit(self.call, *args)

    def in_background(self, work: Callable[[], None]) -> None:
        self.threads.submit(work)

    def submit(self, worker: str, task: Mapping[str, Any], key: str) -> Any:
        def execute() -> dict[str, Any]:
            answer = remote_session.execute_run(self._name(worker), dict(task))
            return self.change(worker, answer)

        return self.threads.submit(execute)

    def lost_error(self, reason: str) -> RunForgeError:
        return RunForgeError(ErrorCode.SCHEDULER_UNREACHABLE, reason)

    def close(self, within: float) -> None:
        for name in self.names:
            asyncio.run(remote_session.close_session(self._name(name)))
        self.threads.shutdown(wait=False)

    def _name(self, worker: str) -> str:
        return f"{self.settings['session']}-{worker}"
