"""Reading of experiment runs, written by any tool in any language.

An experiment run is in ``runs/run-YYYY-MM-DD-NNN/`` of a repository. Nothing here writes, follows
a symbolic link, or trusts a path that it finds in a document.

Source: specification, chapter 17.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterable, Iterator, Mapping
from itertools import count
from operator import itemgetter
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

from runforge_contracts.codec.strict_json import parse_json
from runforge_contracts.errors import NotFoundError, RunForgeError
from runforge_contracts.fs.files import open_file, reading
from runforge_contracts.run_ids import parse_experiment_run_id
from runforge_contracts.schemas import without_nulls
from runforge_contracts.store import layout
from runforge_contracts.store.run import BaseRun, Run, RunStatus
from runforge_contracts.validation import validate

#: Schemas of the documents of an experiment run, by their path in its folder.
EXPERIMENT_SCHEMAS = {
    layout.CONFIG: ("tfc.config.v1",),
    layout.SYSTEM: ("tfc.system.v1",),
    layout.EXPERIMENT_METRICS: ("tfc.metrics.v1",),
    layout.EXPERIMENT_MANIFEST: ("tfc.manifest.v1",),
}
#: Longest line of a journal that is read, in bytes.
MAX_LINE_BYTES = 2**20
#: Prefix of run names, including invalid ones, and the section for the run in a configuration.
_LIKE_AN_ID = re.compile(r"run-[0-9]{4}-")
_ID_OF_ITS_OWN = re.compile(rb"^run_id: *[\"']?run-[0-9]{4}-", re.MULTILINE)
_HEAD = 4096


class JournalLine(NamedTuple):
    """One line of a journal: the entry, or the error if it is invalid."""

    #: 1 for the first line.
    number: int
    entry: dict[str, Any] | None
    error: RunForgeError | None


class ExperimentRun(BaseRun):
    """One experiment run, read from its folder.

    :attr:`config`, :attr:`system` and :attr:`manifest` are the contents of the documents, or
    None if the run has none.
    """

    schemas = EXPERIMENT_SCHEMAS

    @property
    def config(self) -> dict[str, Any] | None:
        """``config.yaml``: the configuration that was used, and the outcome of the run."""
        return self.content(layout.CONFIG)

    @property
    def system(self) -> dict[str, Any] | None:
        """``system.json``: the environment that the run was executed in."""
        return self.content(layout.SYSTEM)

    @property
    def manifest(self) -> dict[str, Any] | None:
        """Digests of all other files, once the run has ended."""
        return self.content(layout.EXPERIMENT_MANIFEST)

    @property
    def metrics_document(self) -> dict[str, Any] | None:
        """``metrics.json``: final values and time series."""
        return self.content(layout.EXPERIMENT_METRICS)

    @property
    def status(self) -> RunStatus | None:
        """The recorded status; None if another tool recorded none."""
        status: RunStatus | None = (self.config or {}).get("status")
        return status

    @property
    def name(self) -> str | None:
        """The name of the experiment."""
        return self._config_string("experiment")

    @property
    def created_at(self) -> str | None:
        """The start time of the run, in UTC, as ISO 8601."""
        return self._config_string("started_at")

    @property
    def model_family(self) -> str | None:
        """The model as the experiment names it."""
        return self._config_string("model")

    @property
    def dataset(self) -> str | None:
        """The dataset as the experiment names it."""
        return self._config_string("dataset")

    @property
    def imported_from(self) -> dict[str, Any] | None:
        """The run of another tool that this one was imported from, if it was."""
        origin: dict[str, Any] | None = (self.config or {}).get("imported_from")
        return origin

    @property
    def metrics(self) -> dict[str, float]:
        """Final metrics by name, or the latest of a run that has not finished."""
        return dict((self.metrics_document or {}).get("summary", {}))

    def _config_string(self, key: str) -> str | None:
        value: str | None = (self.config or {}).get(key)
        return value

    def journal(self) -> Iterator[JournalLine]:
        """Yield the lines of the journal in order; none if there is no journal.

        An invalid last line without a newline is skipped: its writer was killed, or is still
        writing.
        """
        path = self.path / layout.JOURNAL
        try:
            file = open_file(path)
        except NotFoundError:
            return
        with io.BufferedReader(file) as lines, reading(path):
            yield from journal_lines(lines)


#: A run of either kind.
AnyRun = Run | ExperimentRun


def journal_lines(lines: BinaryIO) -> Iterator[JournalLine]:
    """Yield the lines of a journal, in the same way as :meth:`ExperimentRun.journal`.

    Parameters
    ----------
    lines
        The bytes of the journal, from the start.
    """
    for number in count(1):
        line = lines.readline(MAX_LINE_BYTES + 1)
        found = journal_line(number, line)
        if not line.endswith(b"\n"):
            if len(line) <= MAX_LINE_BYTES:  # the last one
                if found.entry is not None:
                    yield found
                return
            while line and not line.endswith(b"\n"):
                line = lines.readline(MAX_LINE_BYTES)
        yield found


def journal_line(number: int, line: bytes) -> JournalLine:
    """Parse the line ``number`` of a journal."""
    try:
        entry = parse_json(line, max_bytes=MAX_LINE_BYTES)
        validate(entry, "tfc.metrics_entry.v1")
    except RunForgeError as error:
        return JournalLine(number, None, error)
    return JournalLine(number, without_nulls(entry, "tfc.metrics_entry.v1"), None)


def in_order(points: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Return the points of a history by their steps; those of one step in recorded order.

    The last point is the value of the highest step. A client may record them in any order.
    """
    return sorted(points, key=itemgetter("step"))


def experiment_runs(repository: Path) -> list[Path]:
    """Return the folders of the experiment runs in ``repository``, oldest first.

    Links and folders whose name is not a run id are skipped; the list is empty if there is no
    folder of runs. Raises ``FILE_UNREADABLE`` if it cannot be read.
    """
    place = layout.ExperimentLayout(repository)
    return [place.run_folder(str(run_id)) for run_id in place.ids()]


def claims_to_be_run(path: Path) -> bool:
    """Return whether an entry among the runs claims to be one, by its name or its documents.

    Other tools keep folders there, too, such as those of TensorBoard, which are not errors. For
    a link, the name of its target counts as well.
    """
    if _LIKE_AN_ID.match(path.name):
        return True
    try:
        if path.is_symlink():
            return _LIKE_AN_ID.match(path.readlink().name) is not None
        with open_file(path / layout.CONFIG) as file:
            return _ID_OF_ITS_OWN.search(file.read(_HEAD)) is not None
    except (RunForgeError, OSError):
        return False


def is_experiment_folder(path: Path) -> bool:
    """Return whether ``path`` is the folder of an experiment run, by its name or its files.

    A folder with another name counts if it contains a ``config.yaml`` and no document of a
    trained run, so that a copy is recognised, too.
    """
    if parse_experiment_run_id(path.absolute().name) is not None:
        return True
    trained = (layout.REQUEST, layout.RUN, layout.RESULT)
    return (path / layout.CONFIG).is_file() and not any((path / name).exists() for name in trained)
