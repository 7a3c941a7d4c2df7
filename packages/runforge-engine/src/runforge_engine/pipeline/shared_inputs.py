"""Inputs that runs share: a dataset is read, hashed, parsed, divided and scaled once.

The first process that needs a table writes it to files, and all map these into memory, where they
exist once for all processes. The files are complete from the moment at which they have their names.
Others wait for the first by a lock, which ends with its process. A table is known by its path, so
that runs are trained on the bytes that were hashed even where the file is changed meanwhile.

The matrix is scaled once for each seed, because it depends on nothing else. Every bit is that of a
run which does all of it by itself.

Source: specification, sections 11.1 to 11.7, 12.2 and 13.2.
"""

from __future__ import annotations

import errno
import hashlib
import json
import shutil
import tempfile
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
from runforge_contracts.diagnostics import Diagnostic, raw_diagnostic
from runforge_contracts.display import quote
from runforge_contracts.errors import ErrorCode, RunForgeError
from runforge_contracts.system.system_files import reserve

from runforge_engine.data.dataset import Dataset
from runforge_engine.data.dataset_source import DatasetSource
from runforge_engine.data.split import split_rows
from runforge_engine.modeling.configuration import Configuration
from runforge_engine.modeling.fit import FittedScaler, fit_scaler
from runforge_engine.pipeline.memory_estimate import Shape, has_room
from runforge_engine.pipeline.run_inputs import DataParts, RunInputs, TableChoice
from runforge_engine.provenance.collect import RemoteOrigin, describe_git, describe_process
from runforge_engine.runtime.available_memory import size_text
from runforge_engine.runtime.background import Check

if TYPE_CHECKING:
    from filelock import BaseFileLock

#: Folder of a complete table, and what describes it.
_TABLE = "table"
_DESCRIPTION = "table.json"
_SCALER = "scaler.json"
#: Largest array that is read instead of being mapped into memory, in bytes.
_SMALL = 2**20
#: How long to wait between two attempts to take a lock, in seconds.
_PAUSE = 0.005
#: How many divided tables a process keeps in memory.
_KEPT = 2


@dataclass(slots=True, eq=False)
class SharedSource(DatasetSource):
    """The source of a table that runs share."""

    #: Where the table's files are, or will be.
    folder: Path = Path()
    #: The lock under which this process makes the files; None where they exist.
    lock: BaseFileLock | None = None


@dataclass(slots=True, eq=False)
class SharedDataset(Dataset):
    """A table that runs share. Its matrix is in a file, for :meth:`SharedInputs.parts`."""

    folder: Path = field(default_factory=Path)
    #: The file that it was read from.
    path: Path = field(default_factory=Path)


class SharedInputs(RunInputs):
    """The inputs of runs that belong together, in several processes.

    Parameters
    ----------
    folder
        An existing folder that only these processes use.
    threads, origin
        As for :class:`RunInputs`.
    jobs
        How many runs there may be at the same time.
    """

    def __init__(
        self,
        folder: Path,
        threads: int | None = None,
        origin: RemoteOrigin | None = None,
        jobs: int = 1,
    ) -> None:
        super().__init__(threads, origin, warm=True)
        self._folder, self._jobs = folder, jobs
        self._turn: BaseFileLock | None = None
        self._tables: dict[TableChoice, tuple[str, SharedDataset]] = {}
        self._parts: OrderedDict[tuple[Path, int, str], DataParts] = OrderedDict()
        self._provenance: tuple[dict[str, Any], list[str]] | None = None

    def has(self, choice: TableChoice, seed: int | None = None) -> bool:
        """Return whether the table is known to this process, divided by ``seed`` if given."""
        if seed is None:
            return choice in self._tables
        folder = self._folder / _key(choice) / _TABLE
        return any((folder, seed) == known[:2] for known in self._parts)

    @property
    def knows_surroundings(self) -> bool:
        """Whether this process has collected the provenance before."""
        return self._provenance is not None

    def source(
        self, choice: TableChoice, configuration: Configuration, check: Check
    ) -> DatasetSource:
        """Return the source of a table; the bytes only where this process has to parse them."""
        folder = self._folder / _key(choice)
        if choice not in self._tables:
            try:
                folder.mkdir(exist_ok=True)
            except OSError as error:
                raise _unwritable(folder, error) from error
            lock: BaseFileLock | None = _lock(folder / "lock", check)
            try:
                if not (folder / _TABLE).exists():
                    read = super().source(choice, configuration, check)
                    source = SharedSource(
                        read.path,
                        read.data,
                        read.sha256,
                        in_python=read.in_python,
                        delimiter=read.delimiter,
                        encoding=read.encoding,
                        sheet=read.sheet,
                        folder=folder,
                        lock=lock,
                    )
                    lock = None
                    return source
            finally:
                if lock is not None:
                    lock.release()
            self._tables[choice] = _read_table(folder / _TABLE)
        return SharedSource(choice.path, b"", self._tables[choice][0], folder=folder)

    def dataset(
        self, source: DatasetSource, choice: TableChoice, seed: int | None = None
    ) -> Dataset:
        """Return the table, not divided; parse and write it where this process is the first."""
        assert isinstance(source, SharedSource)  # noqa: S101 - made by the method above
        if choice not in self._tables:
            dataset = super().dataset(source, choice)
            folder = source.folder / _TABLE
            _make(folder, lambda made: _write_table(made, source.sha256, dataset))
            dataset.release()
            self._tables[choice] = _read_table(folder)
            self.release(source)
        return replace(self._tables[choice][1], path=choice.path)

    def parts(self, dataset: Dataset, configuration: Configuration, check: Check) -> DataParts:
        """Return the divided and scaled table; divide and scale it where it is the first time."""
        assert isinstance(dataset, SharedDataset)  # noqa: S101 - made by the method above
        # Trees are grown from float32, so no forest needs the other matrix.
        kind = "float32" if configuration.family == "random_forest" else "float64"
        key = dataset.folder, configuration.seed, kind
        if key not in self._parts:
            self._parts[key] = _parts_of(dataset, configuration.seed, kind)
            while len(self._parts) > _KEPT:
                self._parts.popitem(last=False)
        self._parts.move_to_end(key)
        self._wait_for_room(dataset, configuration, check)
        return replace(self._parts[key])

    def provenance(
        self, workspace: Path, store_name: str, client: str
    ) -> tuple[dict[str, Any], Sequence[str]]:
        """Return the provenance, which is the same for all these runs but for the client."""
        if self._provenance is None:
            if self.origin is None:
                git, gaps = self._git(workspace, store_name)
                self._provenance = describe_process(client, git), gaps
            else:
                origin = self.origin
                described = describe_process(client, origin.git, origin.host)
                self._provenance = described, [*origin.gaps]
        collected, gaps = self._provenance
        return {**collected, "client": client}, gaps

    def _wait_for_room(
        self, dataset: SharedDataset, configuration: Configuration, check: Check
    ) -> None:
        """Fit one at a time, where there is not enough memory for all at once."""
        rows, features, classes = len(dataset.y), len(dataset.feature_names), len(dataset.classes)
        shape = Shape(rows, features, classes, size=0)
        if not has_room(dataset.path, shape, configuration, self._jobs):
            self._turn = _lock(self._folder / "turn.lock", check)
            has_room(dataset.path, shape, configuration, 1, only=True)

    def release(self, source: DatasetSource) -> None:
        """Let another process make the files, if this one has not, and let it have its turn."""
        if self._turn is not None:
            turn, self._turn = self._turn, None
            turn.release()
        if isinstance(source, SharedSource) and source.lock is not None:
            lock, source.lock = source.lock, None
            lock.release()

    def _git(self, workspace: Path, store_name: str) -> tuple[dict[str, Any] | None, list[str]]:
        path = self._folder / "git.json"
        lock = _lock(self._folder / "git.lock", lambda: None)
        try:
            if path.exists():
                known = json.loads(path.read_bytes())
                return known["git"], known["gaps"]
            gaps: list[str] = []
            git = describe_git(workspace, store_name, gaps.append)
            path.write_text(json.dumps({"git": git, "gaps": gaps}), "ascii")
            return git, gaps
        except OSError as error:
            raise _unwritable(path, error) from error
        finally:
            lock.release()


def _key(choice: TableChoice) -> str:
    parts = [
        str(choice.path),
        choice.label_column,
        [*choice.exclude_columns],
        choice.in_python,
        choice.recipe and choice.recipe.sha256,
    ]
    return hashlib.sha256(json.dumps(parts).encode("ascii")).hexdigest()[:32]


def _lock(path: Path, check: Check) -> BaseFileLock:
    """Take a lock, as soon as the process that has it has done its work or died."""
    from filelock import FileLock, Timeout

    lock = FileLock(path, thread_local=False)
    while True:
        check()
        try:
            lock.acquire(timeout=0)
        except Timeout:
            time.sleep(_PAUSE)
        except OSError as error:
            raise _unwritable(path, error) from error
        else:
            return lock


def _make(folder: Path, write: Callable[[Path], None]) -> None:
    """Let a function write the files of a folder that has its name only once they are complete.

    Raises
    ------
    RunForgeError
        ``STORE_NOT_WRITABLE``; nothing is left behind then.
    """
    made = None
    try:
        made = Path(tempfile.mkdtemp(dir=folder.parent, prefix=f".{folder.name}."))
        write(made)
        made.rename(folder)
    except OSError as error:
        if not folder.exists():  # Else another process has made it meanwhile.
            raise _unwritable(folder, error) from error
    finally:
        if made is not None:
            shutil.rmtree(made, ignore_errors=True)


def _unwritable(path: Path, error: OSError) -> RunForgeError:
    full = error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
    reason = (error.strerror or str(error)).lower()
    return RunForgeError(
        ErrorCode.STORE_NOT_WRITABLE,
        f"The data that the runs share cannot be written at {quote(path.parent, 200)}: {reason}"
        + (f"; {size_text(shutil.disk_usage(path.parent).free)} are free." if full else "."),
        hint="Free some space and try again: each dataset takes eight bytes a value twice, and once"
        " more for each further seed."
        if full
        else None,
        path=str(path.parent),
    )


def _write_table(folder: Path, sha256: str, dataset: Dataset) -> None:
    for name in ("X", "y", "positions", "row_numbers"):
        _save(folder / f"{name}.npy", getattr(dataset, name))
    described = {
        "sha256": sha256,
        "feature_names": dataset.feature_names,
        "label_column": dataset.label_column,
        "classes": dataset.classes,
        "rows_total": dataset.rows_total,
        "rows_dropped": dataset.rows_dropped,
        "missing_by_column": dataset.missing_by_column,
        "diagnostics": [raw_diagnostic(item) for item in dataset.diagnostics],
        "prepared_sha256": dataset.prepared_sha256,
    }
    (folder / _DESCRIPTION).write_text(json.dumps(described), "ascii")


def _read_table(folder: Path) -> tuple[str, SharedDataset]:
    known = json.loads((folder / _DESCRIPTION).read_bytes())
    return known["sha256"], SharedDataset(
        feature_names=tuple(known["feature_names"]),
        label_column=known["label_column"],
        X=None,
        y=_load(folder / "y.npy"),
        positions=_load(folder / "positions.npy"),
        classes=tuple(known["classes"]),
        rows_total=known["rows_total"],
        rows_dropped=known["rows_dropped"],
        missing_by_column=known["missing_by_column"],
        row_numbers=_load(folder / "row_numbers.npy"),
        diagnostics=tuple(msgspec.convert(known["diagnostics"], list[Diagnostic])),
        prepared_sha256=known["prepared_sha256"],
        folder=folder,
    )


def _parts_of(dataset: SharedDataset, seed: int, kind: str) -> DataParts:
    """Return a table divided by a seed, its training rows as numbers of a kind."""
    table = dataset.folder.parent
    folder = table / f"seed-{seed}"
    small = folder.with_name(f"{folder.name}-float32")
    lock = _lock(table / "lock", lambda: None)
    try:
        if not folder.exists():
            _make(folder, lambda made: _divide(dataset, seed, made))
        if kind == "float32" and not small.exists():
            _make(small, lambda made: _round(folder, made))
    finally:
        lock.release()
    train = (small if kind == "float32" else folder) / "train.npy"
    y_train, X_validation, y_validation = (
        _load(folder / f"{name}.npy") for name in ("y_train", "X_validation", "y_validation")
    )
    return DataParts(_load(train), y_train, X_validation, y_validation, _read_scaler(folder))


def _divide(dataset: SharedDataset, seed: int, folder: Path) -> None:
    """Divide a table, and scale its training rows; the bits are those of a single run."""
    import numpy as np

    split = split_rows(dataset.positions, seed)
    X = _load(dataset.folder / "X.npy")
    train = _allocate(folder / "train.npy", (len(split.train), X.shape[1]), X.dtype)
    # In this mode the rows are not copied twice; all of them exist.
    np.take(X, split.train, axis=0, out=train, mode="clip")
    _save(folder / "X_validation.npy", X.take(split.validation, axis=0))
    del X
    _save(folder / "y_train.npy", dataset.y[split.train])
    _save(folder / "y_validation.npy", dataset.y[split.validation])
    scaled = fit_scaler(train)
    del train
    _write_scaler(folder, scaled)


def _round(divided: Path, folder: Path) -> None:
    """Write the training rows of a divided table as float32."""
    import numpy as np

    scaled = _load(divided / "train.npy")
    _allocate(folder / "train.npy", scaled.shape, np.dtype(np.float32))[:] = scaled


def _write_scaler(folder: Path, fitted: FittedScaler) -> None:
    """Write the attributes of a scaler, in their order, which its pickle shows."""
    import numpy as np

    described: list[tuple[str, str, Any]] = []
    for name, value in vars(fitted.scaler).items():
        if isinstance(value, np.ndarray):
            _save(folder / f"{name}.npy", value)
            described.append((name, "array", None))
        elif isinstance(value, np.generic):
            described.append((name, str(value.dtype), value.item()))
        else:
            described.append((name, "plain", value))
    text = json.dumps({"attributes": described, "warnings": fitted.warnings})
    (folder / _SCALER).write_text(text, "ascii")


def _read_scaler(folder: Path) -> FittedScaler:
    import numpy as np
    from sklearn.preprocessing import StandardScaler

    known = json.loads((folder / _SCALER).read_bytes())
    scaler = StandardScaler()
    vars(scaler).clear()
    for name, kind, value in known["attributes"]:
        if kind == "array":
            vars(scaler)[name] = np.load(folder / f"{name}.npy", allow_pickle=False)
        else:
            vars(scaler)[name] = value if kind == "plain" else np.dtype(kind).type(value)
    return FittedScaler(scaler, tuple((kind, text) for kind, text in known["warnings"]))


def _save(path: Path, array: Any) -> None:
    """Write an array; raises ``OSError`` with its number where the disk is full."""
    import numpy as np

    array = np.ascontiguousarray(array)
    with path.open("xb") as file:
        np.lib.format.write_array_header_1_0(file, np.lib.format.header_data_from_array_1_0(array))
        file.write(array.reshape(-1).view(np.uint8))


def _allocate(path: Path, shape: tuple[int, ...], dtype: Any) -> Any:
    """Create an array in a file, and return it mapped into memory.

    The space on the disk is taken at once: there is no other way to learn that it is not there
    than the end of the process.
    """
    import numpy as np

    size = int(np.prod(shape)) * dtype.itemsize
    with path.open("x+b") as file:
        described = {"descr": np.lib.format.dtype_to_descr(dtype), "fortran_order": False}
        np.lib.format.write_array_header_1_0(file, {**described, "shape": shape})
        begin = file.tell()
        file.flush()
        reserve(file.fileno(), begin, size)
        mapped: Any = np.memmap(file, dtype=dtype, mode="r+", offset=begin, shape=shape)
        return np.asarray(mapped)


def _load(path: Path) -> Any:
    """Return an array that cannot be changed; a large one is mapped into memory."""
    import numpy as np

    if path.stat().st_size <= _SMALL:
        array = np.load(path, allow_pickle=False)
        array.flags.writeable = False
        return array
    return np.asarray(np.load(path, mmap_mode="r", allow_pickle=False))
