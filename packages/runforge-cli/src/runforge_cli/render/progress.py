"""The progress of a run on standard error: a live line, a log, or events as JSON Lines."""

from __future__ import annotations

import contextlib
import os
import sys
import threading
import time
from collections.abc import Iterator
from typing import Any

from runforge_contracts.codec.strict_json import encode_json_line
from runforge_contracts.diagnostics import Diagnostic
from runforge_contracts.display import format_duration, printable
from runforge_engine.pipeline.observer import Observer

from runforge_cli.shell.settings import Settings
from runforge_cli.terminal.text_layout import bar, fit, hanging, pad, plural, terminal_width

#: Moves to the start of the line and erases it.
ERASE = "\r\x1b[2K"


def say(text: str) -> None:
    """Write to standard error; a closed stream does not stop the work."""
    with contextlib.suppress(OSError):
        sys.stderr.write(text)
        sys.stderr.flush()


@contextlib.contextmanager
def watching(settings: Settings) -> Iterator[Observer]:
    """Yield the observer for the options and the kind of standard error."""
    observer = _choose(settings)
    try:
        yield observer
    finally:
        if isinstance(observer, TerminalProgress):
            observer.close()


def _choose(settings: Settings) -> Observer:
    if settings.json:
        return EventStream() if settings.verbose else Observer()
    if settings.quiet:
        return Observer()
    plain = settings.verbose or os.environ.get("TERM") == "dumb" or not sys.stderr.isatty()
    return StageLines(everything=settings.verbose) if plain else TerminalProgress()


class EventStream(Observer):
    """Write events as JSON Lines, for another program."""

    def on_event(self, event: dict[str, Any]) -> None:
        """Write the event as one line."""
        say(encode_json_line(event).decode())


class StageLines(Observer):
    """Write one line for each stage, for a log."""

    def __init__(self, *, everything: bool = False) -> None:
        self._everything = everything

    def on_event(self, event: dict[str, Any]) -> None:
        """Write a line if a stage has started or finished."""
        text = describe_event(event)
        if text and event["event"] != "train_progress":
            say(f"{text}\n")

    def on_diagnostic(self, diagnostic: Diagnostic) -> None:
        """Write warnings, and with ``everything`` also notes; errors are reported at the end."""
        if diagnostic.severity in (("warning", "info") if self._everything else ("warning",)):
            say(f"{diagnostic.severity}: {printable(diagnostic.message)}\n")


class TerminalProgress(Observer):
    """Show the current stage and its elapsed time in one line that is updated.

    If the progress is known, a bar and the estimated remaining time are shown.
    """

    def __init__(self) -> None:
        self._drawing = threading.Lock()
        self._closed = threading.Event()
        self._stage, self._began = "Reading the dataset", time.monotonic()
        #: The completed and total numbers of steps, and the time of that event.
        self._done: tuple[int, int, float] | None = None
        self._drawn = ""
        self._draw()
        threading.Thread(target=self._tick, name="runforge-progress", daemon=True).start()

    def on_event(self, event: dict[str, Any]) -> None:
        """Show the current stage."""
        if event["event"] == "train_progress":
            self._done = event["epoch"], event["total_epochs"], time.monotonic()
        elif stage := _stage_after(event):
            self._stage, self._began, self._done = stage, time.monotonic(), None
        self._draw()

    def on_diagnostic(self, diagnostic: Diagnostic) -> None:
        """Print a warning above the line."""
        if diagnostic.severity == "warning":
            lines = hanging(f"warning: {printable(diagnostic.message)}")
            with self._drawing:
                say(ERASE + "".join(f"{line}\n" for line in lines) + ERASE + self._drawn)

    def close(self) -> None:
        """Erase the line."""
        self._closed.set()
        with self._drawing:
            say(ERASE)

    def _tick(self) -> None:
        while not self._closed.wait(0.25):
            self._draw()

    def _draw(self) -> None:
        with self._drawing:
            line = fit(self._text(), terminal_width() - 1)
            if line != self._drawn and not self._closed.is_set():
                self._drawn = line
                say(ERASE + line)

    def _text(self) -> str:
        now = time.monotonic()
        if self._done is None:
            return self._stage + _since(now - self._began)
        done, total, then = self._done
        left = (then - self._began) * (total - done) / done - (now - then)
        elapsed = _since(now - self._began)
        return (
            f"Growing trees {pad(bar(done, total, 20), 20)} {done:,} of {total:,}{elapsed}"
            # The first trees are not enough for an estimate.
            + (f", {clock(left)} left" if elapsed and left >= 1 else "")
        )


def _stage_after(event: dict[str, Any]) -> str:
    """Return the stage that follows an event, or an empty string if the stage continues."""
    match event["event"]:
        case "dataset_loaded":
            rows, features = event["num_samples"], event["num_features"]
            return f"Preparing {plural(rows, 'row')} with {plural(features, 'feature')}"
        case "train_started":
            return "Training"
        case "train_finished":
            return "Evaluating"
        case "metrics_computed":
            return "Writing the artifacts"
        case "artifacts_written":
            return "Finishing"
        case "cancelling":
            return "Cancelling"
    return ""


def _since(seconds: float) -> str:
    return f", {clock(seconds)}" if seconds >= 1 else ""


def clock(seconds: float) -> str:
    """Return a duration as ``0:12`` or ``1:02:03``."""
    minutes, rest = divmod(int(seconds), 60)
    if minutes < 60:
        return f"{minutes}:{rest:02}"
    return f"{minutes // 60}:{minutes % 60:02}:{rest:02}"


def describe_event(event: dict[str, Any]) -> str:
    """Return the description of an event, or an empty string."""
    match event["event"]:
        case "run_start":
            return f"Run {event['run_id']}: {event['model_family']}, preset {event['preset_id']}"
        case "dataset_loaded":
            dropped = event["rows_dropped"]
            return (
                f"Read {plural(event['num_samples'], 'row')} with"
                f" {plural(event['num_features'], 'feature')}"
                + (f", dropped {dropped:,}" if dropped else "")
            )
        case "train_started":
            return "Training"
        case "train_finished":
            return f"Trained in {format_duration(round(event['duration_seconds'] * 1000))}"
        case "metrics_computed":
            return f"Accuracy {event['accuracy']:.4f} on the validation rows"
        case "artifacts_written":
            return f"Wrote {plural(event['artifact_count'], 'artifact')}"
        case "cancelling":
            return "Cancelling"
    return ""
