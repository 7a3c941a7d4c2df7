"""Convert the journal that user code appends to into ``metrics.json``.

The journal has one JSON object per line, so that any language and several processes can write it,
and everything written before a crash counts. Its summary is replaced atomically about twice a
second, so that readers always find valid JSON.

The lines of several processes arrive in random order, so the order is not used where the lines
define one: points are sorted by step, and of two with the same step the one with the higher
``revision`` counts, then the larger value. The revision is the number of times that the same
process had logged that value before.

Source: specification, section 17.7.
"""

from __future__ import annotations

import contextlib
import re
import time
from pathlib import Path
from typing import Any

import msgspec
from runforge_contracts.codec.strict_json import encode_json_line
from runforge_contracts.codec.strict_yaml import encode_yaml
from runforge_contracts.display import quote
from runforge_contracts.errors import NotFoundError, RunForgeError
from runforge_contracts.fs.files import open_file, writing
from runforge_contracts.store.experiment_runs import MAX_LINE_BYTES, journal_line
from runforge_contracts.system.system_files import replace_file

from runforge_engine.experiment.record.artifact_list import publish

#: Interval at which the document is written, in seconds; longer where writing is slow.
INTERVAL = 0.5
#: Maximum fraction of the time that is spent writing it.
_SHARE = 0.1
#: Maximum numbers of points and names in the document that clients read; the journal has all.
MAX_POINTS = 500_000
MAX_NAMES = 10_000
#: Maximum total size of all parameters, in bytes.
MAX_PARAMETERS = 2**18
#: Maximum number of bytes read from the journal at once while the run is in progress.
_PIECE = 2**18
#: Maximum number of errors that are reported one by one.
_TOLD = 5

_NUMBER = r"-?(?:0|[1-9][0-9]{0,14})(?:\.[0-9]{1,25})?(?:[eE][-+]?[0-9]{1,2})?"
#: The most frequent form of a line; the strict reader takes ten times as long for it.
_USUAL = re.compile(
    rf'\{{"metric": ?"([ !#-\[\]-~]+)", ?"value": ?({_NUMBER})(?:, ?"step": ?({_NUMBER}))?\}}'
)


#: Step, revision and value of a metric: the greater of two points is the later one.
_Point = tuple[int | float, int, int | float]


class Journal:
    """The metrics and parameters that user code has logged so far."""

    def __init__(self) -> None:
        self.parameters: dict[str, Any] = {}
        self._parameter_ranks: dict[str, tuple[int, bytes] | None] = {}
        self._summary: dict[str, int | float] = {}
        self._summary_ranks: dict[str, tuple[int, int | float] | None] = {}
        self._history: dict[str, list[_Point]] = {}
        #: The metrics whose history is not sorted yet.
        self._unordered: set[str] = set()
        self._greatest: dict[str, _Point] = {}
        self._points = 0
        self._parameter_bytes = 0
        self._lines = 0
        self._mistakes: list[str] = []
        self._mistaken = 0
        #: How many values are in the journal only, by what they are.
        self.left_out: dict[str, int] = {}

    def __bool__(self) -> bool:
        """Whether there is a metric."""
        return bool(self._summary or self._greatest)

    @property
    def document(self) -> dict[str, Any]:
        """The contents of ``metrics.json``; a summary defaults to the value of the highest step."""
        for name in self._unordered & self._history.keys():
            self._history[name].sort()
        self._unordered.clear()
        final = {name: value for name, (_, _, value) in self._greatest.items()}
        return {
            "summary": {**final, **self._summary},
            "history": {
                name: [{"step": step, "value": value} for step, _, value in points]
                for name, points in self._history.items()
            },
        }

    @property
    def warnings(self) -> list[str]:
        """The problems of the journal, one sentence each."""
        more = self._mistaken - len(self._mistakes)
        return [
            *self._mistakes,
            *([f"There are {more:,} more such lines."] if more else []),
            *(f"{what}: {number:,}." for what, number in self.left_out.items()),
        ]

    def read(self, line: bytes) -> None:
        """Add one line; problems become warnings."""
        self._lines += 1
        usual = _USUAL.fullmatch(line.decode("utf-8", "replace"))
        if usual is not None:
            name, value, step = usual.groups()
            self._take_point(name, _number(value), None if step is None else _number(step))
            return
        entry, error = journal_line(self._lines, line)[1:]
        if entry is None:
            reason = "" if error is None else f": {error.message}"
            self._complain(f"Line {self._lines:,} of the journal is left out{reason}")
        elif "metric" in entry:
            revision = entry.get("revision", 0)
            self._take_point(entry["metric"], entry["value"], entry.get("step"), revision)
        elif "summary" in entry:
            self._take_summary(entry["summary"], entry["value"], entry.get("revision"))
        else:
            self._take_parameter(entry["parameter"], entry["value"], entry.get("revision"))

    def _take_point(
        self, name: str, value: int | float, step: int | float | None, revision: int = 0
    ) -> None:
        greatest = self._greatest.get(name)
        if greatest is None and not self._has_room(self._greatest, name):
            return
        if step is None:
            step = 1 if greatest is None else greatest[0] + 1
        point = (step, revision, value)
        if greatest is None or point > greatest:
            self._greatest[name] = point
        else:
            self._unordered.add(name)
        if self._points < MAX_POINTS:
            self._points += 1
            self._history.setdefault(name, []).append(point)
        else:
            self._leave_out("Points that are in the journal only, for want of room")

    def _take_summary(self, name: str, value: int | float, revision: int | None) -> None:
        rank = None if revision is None else (revision, value)
        if self._has_room(self._summary, name) and _replaces(rank, self._summary_ranks.get(name)):
            self._summary[name] = value
            self._summary_ranks[name] = rank

    def _take_parameter(self, name: str, value: Any, revision: int | None) -> None:
        try:
            text = encode_yaml({"": {name: value}})
        except RunForgeError as error:
            self._complain(f"The parameter {quote(name)} cannot be kept: {error.message}")
            return
        rank = None if revision is None else (revision, text)
        if not _replaces(rank, self._parameter_ranks.get(name)):
            return
        if self._parameter_bytes + len(text) > MAX_PARAMETERS:
            self._leave_out("Parameters that are in the journal only, for want of room")
        elif self._has_room(self.parameters, name):
            self._parameter_bytes += len(text)
            self.parameters[name] = value
            self._parameter_ranks[name] = rank

    def _has_room(self, names: dict[str, Any], name: str) -> bool:
        if name in names or len(names) < MAX_NAMES:
            return True
        self._leave_out("Values that are in the journal only, because there are too many names")
        return False

    def _complain(self, mistake: str) -> None:
        self._mistaken += 1
        if self._mistaken <= _TOLD:
            self._mistakes.append(mistake)

    def _leave_out(self, what: str) -> None:
        self.left_out[what] = self.left_out.get(what, 0) + 1


def _replaces(rank: tuple[int, Any] | None, known: tuple[int, Any] | None) -> bool:
    """Return whether a value replaces the previous one; without a revision it does."""
    return rank is None or known is None or rank > known


def _number(text: str) -> int | float:
    return float(text) if set(text) & set(".eE") else int(text)


class Metrics:
    """Keep ``metrics.json`` up to date with the journal.

    A ``metrics.json`` that user code writes itself is never touched.
    """

    def __init__(self, journal: Path, document: Path) -> None:
        self._path = journal
        self._document = document
        self._offset = 0
        self._rest = b""
        self._skipping = False
        self._owned: tuple[int, int, int] | None = None
        self._foreign = False
        self._unsaid = False
        self._due = 0.0
        self.journal = Journal()
        #: Problems, one sentence each.
        self.warnings: list[str] = []

    def follow(self) -> None:
        """Read some new lines and, if it is due, write the document."""
        # Errors may be temporary, so they are ignored here; `finish` raises them.
        with contextlib.suppress(RunForgeError, OSError):
            self._read(at_once=False)
            began = time.monotonic()
            if began >= self._due:
                self._due = began + INTERVAL
                self._write()
                self._due = max(self._due, began + (time.monotonic() - began) / _SHARE)

    def finish(self) -> None:
        """Read the rest and write the document for the last time.

        Raises
        ------
        RunForgeError
            ``STORE_NOT_WRITABLE``.
        """
        try:
            self._read()
        except RunForgeError as error:
            self.warnings.append(f"The journal of the metrics cannot be read: {error.message}")
        if journal_line(0, self._rest).entry is not None:
            self._take(self._rest)  # otherwise the writer was stopped
        self._rest = b""
        with writing(self._document):
            self._write()
        self.warnings += self.journal.warnings
        if self._foreign and self.journal:
            self.warnings.append(
                f"User code wrote {self._document.name} itself; what it logged is in"
                f" {self._path.name} only."
            )

    def _read(self, *, at_once: bool = True) -> None:
        """Read the new part of the journal: all of it, or one piece."""
        try:
            file = open_file(self._path)
        except NotFoundError:
            return
        with file:
            file.seek(self._offset)
            while piece := file.read(_PIECE):
                self._offset += len(piece)
                *lines, self._rest = (self._rest + piece).split(b"\n")
                for line in lines:
                    self._take(line)
                if len(self._rest) > MAX_LINE_BYTES:
                    self._rest, self._skipping = self._rest[:1], True
                if not at_once:
                    break

    def _take(self, line: bytes) -> None:
        # Only the start of a line that is too long is kept; report it by its length.
        self.journal.read(b"\0" * (MAX_LINE_BYTES + 1) if self._skipping else line)
        self._skipping = False
        self._unsaid = True

    def _write(self) -> None:
        if self._foreign or not (self._unsaid and self.journal):
            return
        data = msgspec.json.format(encode_json_line(self.journal.document), indent=2) + b"\n"
        unfinished = self._document.with_name(f".{self._document.name}.tmp")
        unfinished.unlink(missing_ok=True)  # it may have become a link to another file
        try:
            with unfinished.open("xb") as file:
                file.write(data)
            if self._owned is None:
                publish(unfinished, self._document)
            elif self._owned == _identity(self._document):
                replace_file(unfinished, self._document)
            else:
                raise FileExistsError
            self._owned = _identity(self._document)
            self._unsaid = False
        except FileExistsError:
            self._foreign = True
        finally:
            unfinished.unlink(missing_ok=True)


def _identity(path: Path) -> tuple[int, int, int]:
    try:
        status = path.lstat()
    except FileNotFoundError:
        return (0, 0, 0)
    return status.st_ino, status.st_mtime_ns, status.st_size
