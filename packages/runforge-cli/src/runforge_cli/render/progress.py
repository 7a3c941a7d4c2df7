"""How a run is watched from a terminal, a pipe or another program; all of it on standard error."""

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

from runforge_cli.render.text_layout import bar, fit, hanging, pad, plural, terminal_width
from runforge_cli.shell.settings import Settings

#: Goes to the begin of the line and erases it.
_ERASE = "\r\x1b[2K"


def _say(text: str) -> None:
    """Write to standard error; a reader who has gone away does not stop a run."""
    with contextlib.suppress(OSError):
        sys.stderr.write(text)
        sys.stderr.flush()


@contextlib.contextmanager
def watching(settings: Settings) -> Iterator[Observer]:
    """Give the observer that suits the options and where standard error goes."""
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
    """Events as JSON Lines, for another program."""

    def on_event(self, event: dict[str, Any]) -> None:
        """Write the event as one line."""
        _say(encode_json_line(event).decode())


class StageLines(Observer):
    """One line for each stage, for a log."""

    def __init__(self, *, everything: bool = False) -> None:
        self._everything = everything

    def on_event(self, event: dict[str, Any]) -> None:
        """Write a line if a stage has begun or ended."""
        text = describe_event(event)
        if text and event["event"] != "train_progress":
            _say(f"{text}\n")

    def on_diagnostic(self, diagnostic: Diagnostic) -> None:
        """Write what deserves attention, or all there is to say; an error is told at the end."""
        if diagnostic.severity in (("warning", "info") if self._everything else ("warning",)):
            _say(f"{diagnostic.severity}: {printable(diagnostic.message)}\n")


class TerminalProgress(Observer):
    """One line that tells what the run is at, and for how long.

    Where the fraction is known there is a bar, with the time that is left at the pace so far.
    """

    def __init__(self) -> None:
        self._drawing = threading.Lock()
        self._closed = threading.Event()
        self._stage, self._began = "Reading the dataset", time.monotonic()
        #: What is done and what there is to do, and when that was so.
        self._done: tuple[int, int, float] | None = None
        self._drawn = ""
        self._draw()
        threading.Thread(target=self._tick, name="runforge-progress", daemon=True).start()

    def on_event(self, event: dict[str, Any]) -> None:
        """Show what the run does now."""
        if event["event"] == "train_progress":
            self._done = event["epoch"], event["total_epochs"], time.monotonic()
        elif stage := _stage_after(event):
            self._stage, self._began, self._done = stage, time.monotonic(), None
        self._draw()

    def on_diagnostic(self, diagnostic: Diagnostic) -> None:
        """Leave what deserves attention standing above the line."""
        if diagnostic.severity == "warning":
            lines = hanging(f"warning: {printable(diagnostic.message)}")
            with self._drawing:
                _say(_ERASE + "".join(f"{line}\n" for line in lines) + _ERASE + self._drawn)

    def close(self) -> None:
        """Take the line away."""
        self._closed.set()
        with self._drawing:
            _say(_ERASE)

    def _tick(self) -> None:
        while not self._closed.wait(0.25):
            self._draw()

    def _draw(self) -> None:
        with self._drawing:
            line = fit(self._text(), terminal_width() - 1)
            if line != self._drawn and not self._closed.is_set():
                self._drawn = line
                _say(_ERASE + line)

    def _text(self) -> str:
        now = time.monotonic()
        if self._done is None:
            return self._stage + _since(now - self._began)
        done, total, then = self._done
        left = (then - self._began) * (total - done) / done - (now - then)
        elapsed = _since(now - self._began)
        return (
            f"Growing trees {pad(bar(done, total, 20), 20)} {done:,} of {total:,}{elapsed}"
            # The first trees alone tell little.
            + (f", {_clock(left)} left" if elapsed and left >= 1 else "")
        )


def _stage_after(event: dict[str, Any]) -> str:
    """Return what a run does after an event, or nothing where it goes on with the same."""
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
    return f", {_clock(seconds)}" if seconds >= 1 else ""


def _clock(seconds: float) -> str:
    """Return a duration as ``0:12`` or ``1:02:03``."""
    minutes, rest = divmod(int(seconds), 60)
    if minutes < 60:
        return f"{minutes}:{rest:02}"
    return f"{minutes // 60}:{minutes % 60:02}:{rest:02}"


def describe_event(event: dict[str, Any]) -> str:
    """Return what an event says to a person, or nothing."""
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
