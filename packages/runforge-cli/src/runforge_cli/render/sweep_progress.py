"""The progress of a sweep on standard error: a line for each run, and a bar on a terminal."""

from __future__ import annotations

import contextlib
import os
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from runforge_contracts.codec.strict_json import encode_json_line
from runforge_contracts.display import printable
from runforge_contracts.errors import RunForgeError
from runforge_engine.sweeps.sweep_observer import SweepObserver

from runforge_cli.render.progress import ERASE, clock, describe_event, say
from runforge_cli.render.sweep_lines import ended_line
from runforge_cli.shell.settings import Settings
from runforge_cli.terminal.text_layout import bar, fit, hanging, pad, plural, terminal_width

if TYPE_CHECKING:
    from runforge_contracts.diagnostics import Diagnostic
    from runforge_engine.sweeps.group_record import MemberState

#: How often the bar is drawn, in seconds.
_TICK = 0.25


@contextlib.contextmanager
def watching_sweep(settings: Settings) -> Iterator[SweepWatcher]:
    """Yield the observer for the options and the kind of standard error."""
    if settings.json:
        observer: SweepWatcher = SweepEvents() if settings.verbose else SweepWatcher()
    elif settings.quiet:
        observer = SweepWatcher()
    else:
        plain = os.environ.get("TERM") == "dumb" or not sys.stderr.isatty()
        observer = RunLines(everything=settings.verbose) if plain else SweepBar(settings.verbose)
    try:
        yield observer
    finally:
        observer.close()


class SweepWatcher(SweepObserver):
    """Remember the errors of runs; show nothing."""

    def __init__(self) -> None:
        #: The errors of the runs that failed.
        self.errors: list[RunForgeError] = []

    def on_run_ended(
        self, state: MemberState, result: dict[str, Any] | None, error: RunForgeError | None
    ) -> None:
        """Remember an error."""
        if state.status in ("failed", "pending") and error is not None:
            self.errors.append(error)

    def close(self) -> None:
        """Erase what is not to stay."""


class SweepEvents(SweepWatcher):
    """Write the events of all runs as JSON Lines, for another program."""

    def on_event(self, member: int, event: dict[str, Any]) -> None:
        """Write an event, which names its run."""
        say(encode_json_line(event).decode())


class RunLines(SweepWatcher):
    """Write a line for each run that ends, for a log."""

    def __init__(self, *, everything: bool = False) -> None:
        super().__init__()
        self._everything = everything
        self._done = self._total = 0
        self._jobs = 1

    def on_sweep(self, group_id: str, folder: Path, *, total: int, waiting: int, jobs: int) -> None:
        """Write the id of the group and how many runs there are."""
        self._total, self._done, self._jobs = total, total - waiting, jobs
        missing = "" if waiting == total else f", {waiting:,} to do"
        at_a_time = f", {jobs} at a time" if jobs > 1 else ""
        self.write(f"Sweep {group_id}: {plural(total, 'run')}{missing}{at_a_time}")

    def on_event(self, member: int, event: dict[str, Any]) -> None:
        """Write each stage, if everything is wanted."""
        text = describe_event(event)
        if self._everything and text and event["event"] != "train_progress":
            self.write(f"member {member}: {text}")

    def on_diagnostic(self, member: int, diagnostic: Diagnostic) -> None:
        """Write warnings, if everything is wanted: many runs have the same ones."""
        if self._everything and diagnostic.severity in ("warning", "info"):
            self.write(f"member {member}: {diagnostic.severity}: {printable(diagnostic.message)}")

    def on_run_ended(
        self, state: MemberState, result: dict[str, Any] | None, error: RunForgeError | None
    ) -> None:
        """Write the line of the run."""
        super().on_run_ended(state, result, error)
        self._done += 1
        self.write(ended_line(state, self._done, self._total, result, error))

    def on_notice(self, text: str) -> None:
        """Write a warning."""
        self.write(f"warning: {printable(text)}")

    def on_stopping(self, reason: str) -> None:
        """Write why the sweep ends."""
        self.write(printable(reason))

    def write(self, line: str) -> None:
        """Write one line."""
        say(f"{line}\n")


class SweepBar(RunLines):
    """Write a line for each run that ends, above a bar with the estimated remaining time."""

    def __init__(self, everything: bool = False) -> None:
        super().__init__(everything=everything)
        self._drawing = threading.Lock()
        self._closed = threading.Event()
        self._drawn, self._state = "", "Starting"
        self._began = time.monotonic()
        #: How many runs had ended before, and have ended since, with the time of the last.
        self._before, self._last = 0, self._began

    def on_sweep(self, group_id: str, folder: Path, *, total: int, waiting: int, jobs: int) -> None:
        """Write the first line, and begin to draw."""
        super().on_sweep(group_id, folder, total=total, waiting=waiting, jobs=jobs)
        self._before, self._began = total - waiting, time.monotonic()
        threading.Thread(target=self._tick, name="runforge-progress", daemon=True).start()

    def on_run_started(self, member: int, run_id: str) -> None:
        """Draw the bar once the first run has begun."""
        if self._state == "Starting":
            self._state, self._began = "Training", time.monotonic()

    def on_run_ended(
        self, state: MemberState, result: dict[str, Any] | None, error: RunForgeError | None
    ) -> None:
        """Write the line of the run, and draw the bar."""
        self._last = time.monotonic()
        super().on_run_ended(state, result, error)

    def on_stopping(self, reason: str) -> None:
        """Say so in the bar, too."""
        self._state = "Ending"
        super().on_stopping(reason)

    def write(self, line: str) -> None:
        """Write a line above the bar."""
        lines = hanging(line) if len(line) >= terminal_width() else [line]
        with self._drawing:
            self._drawn = self._text()
            say(ERASE + "".join(f"{part}\n" for part in lines) + self._drawn)

    def close(self) -> None:
        """Erase the bar."""
        self._closed.set()
        with self._drawing:
            say(ERASE)

    def _tick(self) -> None:
        while not self._closed.wait(_TICK):
            with self._drawing:
                text = self._text()
                if text != self._drawn and not self._closed.is_set():
                    self._drawn = text
                    say(ERASE + text)

    def _text(self) -> str:
        now = time.monotonic()
        done, total = self._done, self._total
        text = f"{self._state} {pad(bar(done, total, 20), 20)} {done:,} of {total:,}"
        text += f", {clock(now - self._began)}"
        ended = done - self._before
        if ended and done < total and self._state == "Training":
            left = (self._last - self._began) / ended * (total - done) - (now - self._last)
            if left >= 1:
                text += f", {clock(left)} left"
        return fit(text, terminal_width() - 1)
