"""What the methods of one client share: its workspace, its name, and the processes that it uses."""

from __future__ import annotations

import os
import platform
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from runforge_cli import CLIENT, __version__
from runforge_cli._generated.methods import MESSAGES
from runforge_cli.serve.kept_sweeps import KeptSweeps
from runforge_cli.serve.side_processes import SideProcesses
from runforge_cli.serve.training_queue import TrainingQueue

if TYPE_CHECKING:
    from runforge_cli.serve.store_watch import StoreWatch
    from runforge_cli.shell.settings import Settings

#: Sends a notification with its parameters.
Notify = Callable[[str, dict[str, Any]], None]
#: Version of the messages.
PROTOCOL_VERSION = 1


class Session:
    """The state of a session, which `initialize` completes.

    Parameters
    ----------
    settings
        The global options of the command.
    notify
        Sends a notification to the client.
    """

    def __init__(self, settings: Settings, notify: Notify) -> None:
        self.settings = settings
        self.side, self.trainings = SideProcesses(), TrainingQueue()
        self.sweeps = KeptSweeps()
        #: The client, as the requests of new runs name it.
        self.created_by = CLIENT
        #: How many trainings run at the same time.
        self.jobs = 1
        self.initialized = False
        self._notify = notify
        self._watch: StoreWatch | None = None
        self._watching = threading.Lock()

    def begin(self, params: dict[str, Any]) -> dict[str, Any]:
        """Take over the parameters of `initialize`, and return its result.

        The workspace becomes the current folder, so that relative paths start there.

        Raises
        ------
        RunForgeError
            ``FILE_NOT_FOUND`` where the workspace is no folder, ``USAGE_INVALID`` for the name of a
            store.
        """
        settings = self.settings
        before = settings.workspace, settings.store
        settings.workspace = params.get("workspace", settings.workspace)
        settings.store = params.get("store", settings.store)
        try:
            folder, store = settings.folder, settings.target().name
            _ = settings.store_name  # raises the error for an invalid one
            os.chdir(folder)
        except BaseException:
            settings.workspace, settings.store = before
            raise
        settings.workspace = str(folder)
        client = params.get("client")
        if client is not None:
            self.created_by = f"{client['name']}@{client['version']}"
        self.jobs = params.get("jobs", self.jobs)
        self.initialized = True
        return {
            "protocol_version": PROTOCOL_VERSION,
            "runforge": _versions(),
            "workspace": str(folder),
            "store": store,
            "capabilities": _capabilities(),
        }

    def warm(self) -> None:
        """Load the numeric libraries in the process that trains, without waiting for it."""
        self.trainings.warm(self.settings.target(), self.jobs)

    def watch(self, params: dict[str, Any]) -> dict[str, Any]:
        """Begin to watch the runs, and return those in progress."""
        from runforge_cli.serve.store_watch import StoreWatch

        with self._watching:
            self.unwatch_now()
            self._watch = StoreWatch(self.settings, self._notify, params.get("interval", 1.0))
            return {"running": self._watch.start()}

    def unwatch(self) -> None:
        """End to watch the runs."""
        with self._watching:
            self.unwatch_now()

    def unwatch_now(self) -> None:
        """End to watch the runs; for callers that have the lock."""
        if self._watch is not None:
            self._watch.stop()
            self._watch = None

    def close(self, patience: float) -> None:
        """End all processes, within so many seconds."""
        self.unwatch()
        self.side.close()
        self.trainings.close(patience)


def _versions() -> dict[str, str]:
    import runforge_contracts
    import runforge_engine

    return {
        "cli": __version__,
        "engine": runforge_engine.__version__,
        "contracts": runforge_contracts.__version__,
        "python": platform.python_version(),
    }


def _capabilities() -> dict[str, Any]:
    from runforge_contracts.schemas import load_schema
    from runforge_engine.modeling.configuration import PROFILES
    from runforge_engine.modeling.families import FAMILIES

    shared = load_schema("common.v1")["$defs"]
    return {
        "methods": [name for name, message in MESSAGES.items() if message.request],
        "notifications": [name for name, message in MESSAGES.items() if message.of_server],
        "model_families": shared["ModelFamily"]["enum"],
        "presets": shared["Preset"]["enum"],
        "profiles": list(PROFILES),
        "hyperparameters": [
            {"family": family, "name": name, **parameter.range()}
            for family, known in FAMILIES.items()
            for name, parameter in known.hyperparameters.items()
        ],
    }
