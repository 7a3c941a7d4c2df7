"""Watches the runs of a workspace, whichever client makes them.

A look costs a few calls of the system while nothing happens: the times of the index and of the
folder of the runs, and whether each run in progress has its result. The names of the run folders
are read only when the folder has changed.
"""

from __future__ import annotations

import logging
import os
import threading
from typing import TYPE_CHECKING, Any

from runforge_contracts.errors import RunForgeError
from runforge_contracts.store import layout
from runforge_contracts.store.layout import Place, StoreLayout
from runforge_contracts.store.reading import may_be_run
from runforge_contracts.store.run import Run

from runforge_cli.listing.run_list import described, newest_in
from runforge_cli.listing.run_rows import add_states, status_of
from runforge_cli.shell.settings import Settings
from runforge_cli.terminal.output import reporting

if TYPE_CHECKING:
    from pathlib import Path

    from runforge_cli.serve.serve_session import Notify

#: Most names that a notification has.
_SHOWN = 100
#: How many of the newest runs are looked at for some that are in progress when the watch begins.
_NEWEST = 200
#: How many looks a new folder may have no request before it is left alone: a run id is reserved by
#: an empty folder.
_PATIENCE = 10

log = logging.getLogger(__name__)


class StoreWatch:
    """Sends `runBegan`, `runEnded` and `runsChanged` from a thread of its own.

    Parameters
    ----------
    settings
        Where the runs are.
    notify
        Sends a notification.
    interval
        Seconds between two looks.
    """

    def __init__(self, settings: Settings, notify: Notify, interval: float) -> None:
        self._settings, self._notify, self._interval = settings, notify, interval
        self._stopped = threading.Event()
        self._places: dict[str, _PlaceWatch] = {}
        self._thread = threading.Thread(target=self._run, name="runforge-watch", daemon=True)

    def start(self) -> list[dict[str, Any]]:
        """Begin, and return the runs in progress."""
        running = self._look(first=True)
        self._thread.start()
        return running

    def stop(self) -> None:
        """End; nothing is sent once this has returned."""
        self._stopped.set()
        if self._thread.is_alive() and self._thread is not threading.current_thread():
            self._thread.join(2 * self._interval)

    def _run(self) -> None:
        with reporting(log.info):
            while not self._stopped.wait(self._interval):
                try:
                    self._look()
                except (RunForgeError, OSError) as error:
                    log.info("the runs cannot be watched at the moment: %s", error)

    def _look(self, *, first: bool = False) -> list[dict[str, Any]]:
        """Compare with the last look; return the runs in progress if it is the first."""
        running: list[dict[str, Any]] = []
        added, removed, changed = list[str](), list[str](), False
        for place in self._settings.places():
            key = f"{place.name}/{type(place).__name__}"
            watch = self._places.get(key)
            if watch is None:
                watch = self._places[key] = _PlaceWatch(place, everything=not first)
                if first:
                    running += watch.begin()
                    continue
            news = watch.look()
            added += news.added
            removed += news.removed
            changed = changed or news.changed
            for method, entry in news.entries:
                self._send(method, {"run": entry})
        if changed or added or removed:
            self._send("runsChanged", {"added": added[:_SHOWN], "removed": removed[:_SHOWN]})
        return running

    def _send(self, method: str, params: dict[str, Any]) -> None:
        if not self._stopped.is_set():
            self._notify(method, params)


class _News:
    def __init__(self) -> None:
        self.added: list[str] = []
        self.removed: list[str] = []
        self.changed = False
        self.entries: list[tuple[str, dict[str, Any]]] = []


class _PlaceWatch:
    """What is known of one store or one repository of experiments."""

    def __init__(self, place: Place, *, everything: bool) -> None:
        self._place = place
        self._folder = place.runs
        self._stamps: tuple[object, object] = (None, None)
        self._names: set[str] = set()
        #: Runs in progress by the name of their folder, and new folders that are no runs yet.
        self._running: set[str] = set()
        self._young: dict[str, int] = {}
        if not everything:
            self._stamps = self._stamp()
            self._names = _names(self._folder)

    def begin(self) -> list[dict[str, Any]]:
        """Return the runs in progress."""
        entries = newest_in(self._place, _NEWEST).entries
        unfinished = [dict(entry) for entry in entries if "status" not in entry]
        add_states(unfinished, self._place.workspace)
        running = [entry for entry in unfinished if status_of(entry) == "running"]
        self._running = {entry["run_dir"].rpartition("/")[2] for entry in running}
        return running

    def look(self) -> _News:
        """Return what has changed since the last look."""
        news, stamps = _News(), self._stamp()
        if stamps[1] != self._stamps[1]:
            names = _names(self._folder)
            news.added = sorted(names - self._names)
            news.removed = sorted(self._names - names)
            self._names = names
            self._young |= dict.fromkeys(news.added, 0)
            self._running -= {*news.removed}
        news.changed = stamps[0] != self._stamps[0]
        self._stamps = stamps
        self._look_at_young(news)
        for name in sorted(self._running):
            entry = self._entry(name)
            if entry is None:
                self._running.discard(name)
            elif entry.get("state") != "running":
                self._running.discard(name)
                news.entries.append(("runEnded", entry))
        return news

    def _look_at_young(self, news: _News) -> None:
        """See what the new folders are by now."""
        for name, looks in list(self._young.items()):
            entry = self._entry(name)
            state = None if entry is None else status_of(entry)
            if entry is not None and state == "running":
                self._running.add(name)
                news.entries.append(("runBegan", entry))
            elif entry is not None and "status" in entry:
                # Too short to be seen in progress, or put here as a whole.
                news.entries.append(("runEnded", entry))
            elif looks < _PATIENCE and name in self._names:
                self._young[name] = looks + 1
                continue
            del self._young[name]

    def _entry(self, name: str) -> dict[str, Any] | None:
        """Return the entry of a run as it is now, or None if it is none or cannot be read."""
        path = self._folder / name
        try:
            if isinstance(self._place, StoreLayout):
                if not may_be_run(name, self._place) or path.is_symlink():
                    return None
                if not (path / layout.REQUEST).exists() and not (path / layout.RUN).exists():
                    return None
                entry = described(Run(path), [self._place]).entry
            else:
                from runforge_contracts.store.experiment_runs import ExperimentRun

                entry = described(ExperimentRun(path), [self._place]).entry
            add_states([entry], self._place.workspace)
        except (RunForgeError, OSError):
            return None
        return entry

    def _stamp(self) -> tuple[object, object]:
        index = self._place.index if isinstance(self._place, StoreLayout) else None
        return (None if index is None else _stamp_of(index)), _stamp_of(self._folder)


def _stamp_of(path: Path) -> tuple[int, int, int] | None:
    """Return what changes with a file or with the names in a folder."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino


def _names(folder: Path) -> set[str]:
    try:
        return set(os.listdir(folder))  # noqa: PTH208 - names are enough, and ten times as fast
    except OSError:
        return set()
