"""The progress of work on many items on standard error: a bar, or one line for each stage."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, TypeVar

from runforge_contracts.display import printable

from runforge_cli.process.interruption import before_end
from runforge_cli.render.progress import ERASE, clock, say
from runforge_cli.shell.settings import Settings
from runforge_cli.terminal.text_layout import bar, fit, pad, terminal_width

if TYPE_CHECKING:
    from runforge_contracts.shared_work import WorkWatch

Result = TypeVar("Result")

#: How often the bar is drawn, in seconds.
_TICK = 0.25
#: Work that takes less, in seconds, shows no bar.
_PATIENCE = 1.0
#: Where no bar is drawn, only work on so many items has a line.
_MANY = 500
#: Most names of runs that failed before an interrupt.
_SHOWN = 20


def watch_for(settings: Settings) -> WorkWatch:
    """Return what shows the progress for the options and the kind of standard error."""
    if settings.json or settings.quiet:
        from runforge_contracts.shared_work import unwatched

        return unwatched
    return _line if os.environ.get("TERM") == "dumb" or not sys.stderr.isatty() else _bar


def _line(stage: str, results: Iterable[Result], total: int, unit: str = "") -> Iterator[Result]:
    """Write one line if there is much to do, and after an interrupt how far it came."""
    if total >= _MANY:
        say(f"{stage}: {_of(total, unit)}\n")
    yield from _told(stage, results, total, unit)


def _bar(stage: str, results: Iterable[Result], total: int, unit: str = "") -> Iterator[Result]:
    """Draw a bar with the estimated remaining time, while it takes more than a second."""
    began, drawn = time.monotonic(), 0.0
    try:
        for done, result in enumerate(_told(stage, results, total, unit), 1):
            now = time.monotonic()
            if now - began >= _PATIENCE and now - drawn >= _TICK:
                drawn = now
                say(ERASE + _text(stage, done, total, unit, now - began))
            yield result
    finally:
        if drawn:
            say(ERASE)


def _text(stage: str, done: int, total: int, unit: str, elapsed: float) -> str:
    left = elapsed / done * (total - done)
    text = (
        f"{stage} {pad(bar(done, total, 20), 20)} {done:,} of {_of(total, unit)}, {clock(elapsed)}"
    )
    return fit(text + (f", {clock(left)} left" if left >= 1 else ""), terminal_width() - 1)


def _of(total: int, unit: str) -> str:
    return f"{total:,} {unit}" if unit else f"{total:,}"


def _told(stage: str, results: Iterable[Result], total: int, unit: str) -> Iterator[Result]:
    """Yield the results; an interrupt says how many there were, and which of them failed."""
    done, failed = 0, list[str]()

    def tell(_: int) -> None:
        say(f"{stage}: ended after {done:,} of {_of(total, unit)}.\n")
        if failed:
            more = ", …" if len(failed) > _SHOWN else ""
            say(f"Not verified: {len(failed):,}: {', '.join(failed[:_SHOWN])}{more}\n")

    before_end(tell)
    try:
        for result in results:
            done += 1
            if not getattr(result, "holds", True):
                failed.append(printable(str(getattr(result, "run_id", ""))))
            yield result
    finally:
        before_end(lambda _: None)
