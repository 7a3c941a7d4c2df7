"""How a run is watched from a terminal, a pipe or another program; all of it on standard error."""

from __future__ import annotations

import contextlib
import os
import sys
import time
from typing import Any

from runforge_contracts.diagnostics import Diagnostic
from runforge_contracts.jsontext import encode_json_line
from runforge_contracts.text import format_duration, printable
from runforge_engine.observer import Observer

from runforge_cli.columns import bar, fit, hanging, pad, plural, terminal_width
from runforge_cli.settings import Settings


def _say(text: str) -> None:
    """Write to standard error; a reader who has gone away does not stop a run."""
    with contextlib.suppress(OSError):
        sys.stderr.write(text)
        sys.stderr.flush()


def choose_observer(settings: Settings) -> Observer:
    """Return the observer that suits the options and where standard error goes."""
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
    """One line that changes, with a bar and the time left where the fraction is known."""

    def __init__(self) -> None:
        self._began = time.monotonic()

    def on_event(self, event: dict[str, Any]) -> None:
        """Show the event in the place of the one before."""
        if event["event"] == "train_started":
            self._began = time.monotonic()
        text = describe_event(event)
        if event["event"] == "train_progress":
            text = self._bar(event["epoch"], event["total_epochs"])
        if text:
            self._show(text)
        if event["event"] in ("artifacts_written", "run_failed", "run_cancelled"):
            self._show("")

    def on_diagnostic(self, diagnostic: Diagnostic) -> None:
        """Leave what deserves attention standing above the line."""
        if diagnostic.severity == "warning":
            self._show("")
            lines = hanging(f"warning: {printable(diagnostic.message)}")
            _say("".join(f"{line}\n" for line in lines))

    def _bar(self, done: int, total: int) -> str:
        elapsed = time.monotonic() - self._began
        seconds = round(elapsed * (total - done) / done) if done else 0
        left = f", {format_duration(1000 * seconds)} left" if seconds else ""
        return f"Growing trees {pad(bar(done, total, 20), 20)} {done:,} of {total:,}{left}"

    def _show(self, text: str) -> None:
        line = fit(text, terminal_width() - 1)
        _say(f"\r\x1b[2K{line}")


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
