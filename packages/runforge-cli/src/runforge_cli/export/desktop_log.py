"""The log of a run as Desktop follows it: every line names its stage.

Desktop guesses the stage of a line without a token from words in it, so that a column
``credit_score`` would pass for an evaluation. A line of more than 65,536 bytes stops it for good,
of one reading it keeps 500 lines, and it counts bytes as characters.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from runforge_contracts.display import printable, shorten

#: Longest text of a line, in characters.
MAX_TEXT = 2000
#: Most lines of a log, and how many of its first ones are kept.
MAX_LINES, _FIRST = 450, 50
#: What Desktop reads at once, in bytes; a longer log must be ASCII.
_PIECE = 2**16
#: The stage that an event begins.
_STAGES = {
    "run_start": "STARTING",
    "dataset_loaded": "LOADING_DATASET",
    "train_started": "TRAINING",
    "train_progress": "TRAINING",
    "train_finished": "TRAINING",
    "metrics_computed": "EVALUATING",
    "artifacts_written": "WRITING_ARTIFACTS",
    "run_failed": "FAILED",
    "run_cancelled": "FAILED",
}
_EVENT = re.compile(r"\d{4}-\d\d-\d\dT\S+Z ([a-z_]+)(?: |$)")
_EPOCH = re.compile(r"train_progress epoch=(\d+) total_epochs=(\d+)")
#: A line of Desktop's command line that is nothing but tokens.
_TOKENS = re.compile(r"(?:\[RF:[A-Z]+=[^\[\]\s]{1,40}(?: gpu_reason=[a-z_]{1,40})?\]\s*)+")
_STAGE_TOKEN = re.compile(
    r"\[RF:STAGE=(STARTING|LOADING_DATASET|TRAINING|EVALUATING|WRITING_ARTIFACTS|COMPLETED|FAILED)\]"
)


def desktop_log(lines: Sequence[str], ending: str, *, succeeded: bool) -> bytes:
    """Return a log for Desktop.

    Parameters
    ----------
    lines
        The lines of the run's own log.
    ending
        What the last line says.
    succeeded
        Whether the run completed.
    """
    told = _shortened(list(_told(lines)))
    last = "COMPLETED" if succeeded else "FAILED"
    told.append(_line(last, ending))
    data = "".join(told).encode("utf-8")
    if len(data) < _PIECE:
        return data
    return "".join(told).encode("ascii", "backslashreplace")


def _told(lines: Sequence[str]) -> Iterator[str]:
    stage = "STARTING"
    for line in lines:
        tokens = _TOKENS.fullmatch(line.strip())
        if tokens:
            named = _STAGE_TOKEN.search(line)
            stage = named[1] if named else stage
            rest = _STAGE_TOKEN.sub("", line).strip()
            yield f"[RF:STAGE={stage}]{' ' if rest else ''}{rest}\n"
            continue
        event = _EVENT.match(line)
        if event:
            stage = _STAGES.get(event[1], stage)
        epoch = _EPOCH.search(line) if event else None
        yield _line(stage, line, f" [RF:EPOCH={epoch[1]}/{epoch[2]}]" if epoch else "")


def _line(stage: str, text: str, more: str = "") -> str:
    # A token in the text, such as one in the name of a column, is made harmless.
    text = shorten(printable(text), MAX_TEXT).replace("[RF:", "(RF:")
    return f"[RF:STAGE={stage}]{more} {text}\n"


def _shortened(lines: list[str]) -> list[str]:
    """Leave out lines of the middle of a long log, but no first line of a stage."""
    if len(lines) <= MAX_LINES:
        return lines
    rest = len(lines) - (MAX_LINES - _FIRST)
    kept, seen = lines[:_FIRST], {_stage(line) for line in lines[:_FIRST]}
    for line in lines[_FIRST:rest]:
        if _stage(line) not in seen:
            seen.add(_stage(line))
            kept.append(line)
    count = len(lines) - (MAX_LINES - _FIRST) - len(kept)
    kept.append(_line(_stage(kept[-1]), f"... {count} lines are only in the log of the record"))
    return kept + lines[rest:]


def _stage(line: str) -> str:
    return line[len("[RF:STAGE=") : line.index("]")]
