"""Read a tracking store in an SQLite database: ``mlflow.db``, the default of MLflow 3.

The database is opened for reading only, by the standard library. What it contains is not trusted:
a view or a virtual table in the place of a table is refused, no function of its schema is called,
and values of another type than MLflow writes are counted and left out.

The tables are those of MLflow 1.0 to 3.

Source: SQLite documentation, "Defense Against The Dark Arts".
"""

from __future__ import annotations

import contextlib
import math
import sqlite3
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from runforge_contracts.display import printable, quote, shorten
from runforge_contracts.errors import ErrorCode, RunForgeError
from runforge_contracts.fs.files import open_file, reading

from runforge_engine.importing.left_out import Losses, What
from runforge_engine.importing.tracked_run import (
    MAX_VALUE,
    Details,
    TrackedDataset,
    TrackedModel,
    TrackedRun,
    TrackedValue,
    is_id,
    keeps,
    numbered,
    plain,
    status_of,
)

#: How each file of SQLite begins.
_MAGIC = b"SQLite format 3\0"
#: Tables that every version has, and those that a version may have.
_NEEDED = ("experiments", "runs", "metrics", "params", "tags")
_OPTIONAL = ("datasets", "inputs", "input_tags", "logged_models")
#: Largest value and longest SQL text that SQLite may handle for this connection, in bytes.
_MAX_BYTES = 2**22
#: How long to wait for a process that writes, in seconds.
_PATIENCE = 5.0
#: Steps of SQLite's machine between two looks at a signal.
_STEPS = 10_000


class DatabaseTrackingStore:
    """A tracking store in a database file. Close it after use."""

    def __init__(self, path: Path, notes: Iterable[str] = ()) -> None:
        """Open the database.

        Raises
        ------
        RunForgeError
            ``DOCUMENT_INVALID`` if it is not a database of MLflow; ``FILE_NOT_FOUND``;
            ``FILE_UNSAFE`` for a symbolic link or a device; ``FILE_UNREADABLE``.
        """
        self.path = path
        self.folder = path.parent
        self.notes = list(notes)
        if not is_database(path):
            raise self._invalid("it is not an SQLite database")
        with self._coded():
            self._connection = sqlite3.connect(
                f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=_PATIENCE
            )
        try:
            self._restrict()
            self._tables = self._known_tables()
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Close the database."""
        self._connection.close()

    def _restrict(self) -> None:
        connection = self._connection
        connection.text_factory = lambda data: data.decode("utf-8", "surrogateescape")
        connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, _MAX_BYTES)
        # Between these calls Python handles signals, so that an endless query can be interrupted.
        connection.set_progress_handler(lambda: 0, _STEPS)
        with self._coded():
            for pragma in ("trusted_schema=OFF", "query_only=ON", "cell_size_check=ON"):
                connection.execute(f"PRAGMA {pragma}")

    def _known_tables(self) -> set[str]:
        """Return the tables of MLflow that there are; refuse what only looks like one."""
        rows = self._rows("SELECT name, type, sql FROM sqlite_schema")
        found: set[str] = set()
        for name, kind, sql in rows:
            if name not in (*_NEEDED, *_OPTIONAL):
                continue
            if kind != "table" or "virtual" in str(sql).lower().split("(")[0]:
                raise self._invalid(f"{quote(name)} is not a plain table")
            found.add(name)
        missing = [name for name in _NEEDED if name not in found]
        if missing:
            raise self._invalid(f"it has no table {quote(missing[0])}")
        return found

    def runs(self) -> Iterator[TrackedRun]:
        """Yield every run; those of deleted experiments count as deleted."""
        experiments = {
            experiment_id: (plain(name) or str(experiment_id), stage == "deleted")
            for experiment_id, name, stage in self._rows(
                "SELECT experiment_id, name, lifecycle_stage FROM experiments"
            )
        }
        for row in self._rows(
            "SELECT run_uuid, experiment_id, name, status, lifecycle_stage, start_time, end_time,"
            " user_id, source_name, artifact_uri FROM runs"
        ):
            run_id, experiment_id, name, status, stage, began, ended, user, program, place = row
            experiment, deleted = experiments.get(experiment_id, (str(experiment_id), False))
            valid = is_id(run_id)
            yield TrackedRun(
                run_id=run_id if valid else shorten(printable(repr(run_id)), 100),
                experiment_id=_text(experiment_id) or "",
                experiment=_whole(experiment),
                name=_text(name) or None,
                status=status_of(status),
                deleted=deleted or stage == "deleted",
                started_at=began,
                finished_at=ended,
                user=_text(user) or None,
                program=_text(program) or None,
                artifacts=_text(place) or "",
                problem=None if valid else "Its id is not the id of a run.",
            )

    def details(self, run: TrackedRun, losses: Losses) -> Details:
        """Return parameters, tags, datasets and logged models of a run."""
        return Details(
            parameters=self._values("params", "parameters", run, losses),
            tags=self._values("tags", "tags", run, losses),
            datasets=list(self._datasets(run, losses)),
            models=list(self._models(run, losses)),
        )

    def points(self, run: TrackedRun, losses: Losses) -> Iterator[TrackedValue]:
        """Yield the metrics of a run, in the order in which SQLite sorts them."""
        rows = self._rows(
            'SELECT "key", step, value, is_nan FROM metrics WHERE run_uuid = ?'
            ' ORDER BY "key", step, timestamp, value',
            run.run_id,
        )
        yield from numbered(_finite(rows, losses), losses)

    def _values(self, table: str, what: What, run: TrackedRun, losses: Losses) -> dict[str, str]:
        found: dict[str, str] = {}
        sql = f'SELECT "key", value FROM {table} WHERE run_uuid = ? ORDER BY "key"'  # noqa: S608
        for key, value in self._rows(sql, run.run_id):
            name, text = (plain(item) for item in (key, "" if value is None else value))
            if name is None or text is None:
                losses.add(what, f"{what.capitalize()} that are not text are left out", key)
            elif keeps(what.capitalize(), name, losses):
                if len(text) > MAX_VALUE or text != _whole(text):
                    reason = f"of more than {MAX_VALUE:,} characters, or not UTF-8, are left out"
                    losses.add(what, f"{what.capitalize()} {reason}", name)
                else:
                    found[name] = text
        return found

    def _datasets(self, run: TrackedRun, losses: Losses) -> Iterator[TrackedDataset]:
        if not {"datasets", "inputs", "input_tags"} <= self._tables:
            return
        rows = self._rows(
            "SELECT d.name, d.digest, d.dataset_source, t.value FROM inputs AS i"
            " JOIN datasets AS d ON d.dataset_uuid = i.source_id"
            " LEFT JOIN input_tags AS t"
            " ON t.input_uuid = i.input_uuid AND t.name = 'mlflow.data.context'"
            " WHERE i.source_type = 'DATASET' AND i.destination_type = 'RUN'"
            " AND i.destination_id = ? ORDER BY d.name, d.digest",
            run.run_id,
        )
        for name, digest, source, context in rows:
            if _text(name) is None:
                losses.add("datasets", "Datasets without a name are left out")
            else:
                yield TrackedDataset(_whole(name), _text(digest), _text(source), _text(context))

    def _models(self, run: TrackedRun, losses: Losses) -> Iterator[TrackedModel]:
        if "logged_models" not in self._tables:
            return
        rows = self._rows(
            "SELECT model_id, name, artifact_location FROM logged_models"
            " WHERE source_run_id = ? AND lifecycle_stage IS NOT 'deleted' ORDER BY model_id",
            run.run_id,
        )
        for model_id, name, place in rows:
            if is_id(model_id):
                yield TrackedModel(model_id, _text(name) or model_id, _text(place) or "")
            else:
                losses.add("models", "Models without an id are left out", name)

    def _rows(self, sql: str, *values: str) -> Iterator[tuple[Any, ...]]:
        with self._coded():
            # Not `yield from`: it would close a cursor whose database has been closed.
            for row in self._connection.execute(sql, values):  # noqa: UP028
                yield row

    @contextlib.contextmanager
    def _coded(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.OperationalError as error:
            reason = printable(str(error))
            if "no such column" in reason:
                raise self._invalid(f"its tables are not those of MLflow ({reason})") from None
            raise RunForgeError(
                ErrorCode.FILE_UNREADABLE,
                f"The database {quote(self.path, 200)} cannot be read: {reason}.",
                hint="If a server of MLflow uses it, try again; if one was killed, start it once.",
                path=str(self.path),
            ) from None
        except (sqlite3.Error, UnicodeError) as error:
            raise self._invalid(printable(str(error))) from None

    def _invalid(self, reason: str) -> RunForgeError:
        return RunForgeError(
            ErrorCode.DOCUMENT_INVALID,
            f"{quote(self.path, 200)} is not a tracking database of MLflow: {reason}.",
            hint="Name the folder or the database that `mlflow ui` shows.",
            path=str(self.path),
        )


def is_database(path: Path) -> bool:
    """Return whether a file begins like an SQLite database.

    Raises ``FILE_NOT_FOUND``, ``FILE_UNSAFE``, ``FILE_UNREADABLE``.
    """
    with open_file(path) as file, reading(path):
        return file.read(len(_MAGIC)) == _MAGIC


def _finite(rows: Iterator[tuple[Any, ...]], losses: Losses) -> Iterator[tuple[Any, Any, Any]]:
    for key, step, value, is_nan in rows:
        name = plain(key)
        if name is None or not isinstance(step, int) or not isinstance(value, int | float):
            losses.add("metrics", "Values of metrics that are no numbers are left out", key)
        # MLflow keeps an infinite value as the largest number.
        elif is_nan or not math.isfinite(value) or abs(value) >= sys.float_info.max:
            losses.add("metrics", "NaN and infinite values are left out", name)
        else:
            yield name, step, float(value)


def _whole(text: str) -> str:
    """Return a string of the database with what is not UTF-8 replaced."""
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def _text(value: object) -> str | None:
    found = plain(value)
    return None if found is None else _whole(found)
