"""Log metrics, parameters and artifacts of a run from a training script.

The contract is the environment variables and file formats that this module uses. The module is
therefore small and uses only the standard library, and a script in another language can write the
same files directly.

Outside of a run all functions can be called and have no effect.

Source: specification, sections 17.6, 17.7 and 17.9.
"""

from __future__ import annotations

import errno
import os

TYPE_CHECKING = False  # like typing.TYPE_CHECKING, but importing typing costs more than this module
if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path
    from typing import Any, SupportsFloat, SupportsIndex

    #: Includes the scalars of numpy and torch; a boolean is 1 or 0.
    Number = SupportsFloat | SupportsIndex

#: Variables that describe the run to user code; all paths are absolute.
RUN_ID = "RUNFORGE_RUN_ID"
RUN_DIR = "RUNFORGE_RUN_DIR"
CONFIG = "RUNFORGE_CONFIG"
METRICS = "RUNFORGE_METRICS"
ARTIFACTS = "RUNFORGE_ARTIFACTS"

#: Maximum length of a journal line that readers accept, in bytes.
MAX_LINE = 2**20

_runs: dict[str | None, CurrentRun] = {}


def current_run() -> CurrentRun:
    """Return the run that this process belongs to, or one that records nothing.

    A script started by ``runforge experiment run`` belongs to its run, as do all processes that it
    starts.
    """
    folder = os.environ.get(RUN_DIR) or None
    if folder not in _runs:
        _runs[folder] = CurrentRun(folder)
    return _runs[folder]


def read_config(path: str | os.PathLike[str]) -> dict[str, Any]:
    """Return the configuration in a YAML file, such as the one that ``--config`` names.

    Raises
    ------
    RunForgeError
        For a file that is missing or is not such a configuration.
    """
    from pathlib import Path

    from runforge_engine.experiment.config.config_reader import read_yaml_object

    return read_yaml_object(Path(path))


class CurrentRun:
    """The run that a script is part of, as returned by :func:`current_run`.

    Several processes of one run may log at the same time.
    """

    def __init__(self, folder: str | None) -> None:
        self._folder = folder
        self._metrics: int | None = None
        self._torn = False
        self._warned: set[str] = set()
        #: Number of times that this process has logged a value; for a metric with its highest step.
        self._points: dict[str, tuple[int | float, int]] = {}
        self._given: dict[tuple[str, str], int] = {}
        self._config: dict[str, Any] | None = None
        self._discarded: Any = None

    @property
    def active(self) -> bool:
        """Whether there is a run that records logged values."""
        return self._folder is not None

    @property
    def run_id(self) -> str | None:
        """The id of the run, such as ``run-2026-02-01-001``."""
        if self._folder is None:
            return None
        return os.environ.get(RUN_ID) or os.path.basename(self._folder)  # noqa: PTH119

    @property
    def folder(self) -> Path | None:
        """The run folder."""
        from pathlib import Path

        return None if self._folder is None else Path(self._folder)

    @property
    def config(self) -> dict[str, Any]:
        """The materialised configuration; outside of a run it is empty.

        The reference to the dataset, for instance, is resolved in
        ``config["references"]["dataset"]["path"]``.
        """
        if self._config is None:
            self._config = {} if self._folder is None else read_config(self._place(CONFIG))
        return self._config

    @property
    def artifacts(self) -> Path:
        """The folder for the artifacts of the script; files in it are not changed afterwards.

        Outside of a run it is a folder that is removed when the process ends.
        """
        from pathlib import Path

        if self._folder is not None:
            folder = Path(self._place(ARTIFACTS))
            folder.mkdir(exist_ok=True)
            return folder
        if self._discarded is None:
            from tempfile import TemporaryDirectory

            self._discarded = TemporaryDirectory(prefix="runforge-", ignore_cleanup_errors=True)
        return Path(self._discarded.name)

    def log_metric(self, name: str, value: Number, step: Number | None = None) -> None:
        """Log the value of a metric at a step.

        Parameters
        ----------
        name
            Name of the metric, such as ``loss``.
        value
            A number, also one of numpy, torch, Decimal or Fraction; a boolean is 1 or 0. NaN and
            infinities cannot be recorded: they are omitted, with one warning.
        step
            A number, such as the epoch; by default, one more than the highest that this
            process has logged for the metric, starting at 1.

        Raises
        ------
        TypeError
            If the name or value is invalid, such as a string, None or several numbers as the
            value. No number raises it.
        OSError
            Where the disk is full.
        """
        self.log_metrics({name: value}, step)

    def log_metrics(self, values: Mapping[str, Number], step: Number | None = None) -> None:
        """Log the values of several metrics at one step, as :meth:`log_metric` does."""
        at = None if step is None else self._number("step", step)
        if step is not None and at is None:
            return
        numbers = [(_name(name), self._number(name, value)) for name, value in values.items()]
        self._append(
            [
                {"metric": name, "value": number, **self._at(name, at)}
                for name, number in numbers
                if number is not None
            ]
        )

    def log_summary(self, name: str, value: Number) -> None:
        """Log the final value of a metric; the default is the value of the highest step.

        A later value replaces the former. Raises the errors of :meth:`log_metric`.
        """
        number = self._number(_name(name), value)
        if number is not None:
            self._append([{"summary": name, "value": number, **self._revision("summary", name)}])

    def log_parameter(self, name: str, value: Any) -> None:
        """Log a parameter: any JSON value, which may contain numpy numbers and arrays.

        A later value for the same name replaces the former.

        Raises
        ------
        TypeError, ValueError
            For values that JSON cannot represent; NaN and infinities are omitted, with one warning.
        """
        self.log_parameters({name: value})

    def log_parameters(self, values: Mapping[str, Any]) -> None:
        """Log several parameters, as :meth:`log_parameter` does."""
        self._append(
            [
                {"parameter": _name(name), "value": value, **self._revision("parameter", name)}
                for name, value in values.items()
            ]
        )

    def log_artifact(self, source: str | os.PathLike[str] | bytes, name: str | None = None) -> None:
        """Save a file with the run; it cannot be changed afterwards.

        Parameters
        ----------
        source
            A file, which is copied, or the bytes of one.
        name
            Path in the artifacts folder, such as ``plots/loss.png``; by default the name of the
            file.

        Raises
        ------
        FileExistsError
            Where an artifact of that name exists: artifacts are written once.
        ValueError
            For a name outside the folder.
        OSError
            Where the file cannot be read or the disk is full.
        """
        from runforge_engine.experiment.record.artifact_list import keep_artifact, place_of

        if name is None and isinstance(source, bytes):
            raise TypeError("bytes need a name: log_artifact(data, 'folder/name')")
        place = place_of(name if name is not None else os.path.basename(os.fsdecode(source)))  # noqa: PTH119
        if self._folder is not None:
            keep_artifact(source, self.artifacts, place)

    def _place(self, variable: str) -> str:
        if self._folder is None:
            raise AssertionError(variable)
        names = {CONFIG: "config.yaml", METRICS: "metrics.jsonl", ARTIFACTS: "artifacts"}
        return os.environ.get(variable) or os.path.join(self._folder, names[variable])  # noqa: PTH118

    def _at(self, name: str, step: int | float | None) -> dict[str, int | float]:
        """Return the step of a point, and its revision unless it is the first at that step."""
        highest, revision = self._points.get(name, (0, 0))
        if step is None:
            step = highest + 1
        if name not in self._points or step > highest:
            highest, revision = step, 0
        elif step == highest:
            revision += 1
        else:  # no final value can result from it
            return {"step": step}
        self._points[name] = highest, revision
        return {"step": step, "revision": revision} if revision else {"step": step}

    def _revision(self, kind: str, name: str) -> dict[str, int]:
        """Return how often this process has logged the value before."""
        revision = self._given.get((kind, name), 0)
        self._given[kind, name] = revision + 1
        return {"revision": revision}

    def _number(self, name: str, value: Any) -> int | float | None:
        """Return a finite number, or warn and return None."""
        number = _plain_number(value)
        if number is None:
            raise TypeError(f"{name!r} is {_short(value)}, which is not a number")
        try:
            finite = float("-inf") < float(number) < float("inf")
        except OverflowError:  # an integer that is too large for a double
            finite = False
        if finite:
            return number
        self._warn_once(name)
        return None

    def _warn_once(self, name: str) -> None:
        if name in self._warned:
            return
        self._warned.add(name)
        import warnings

        text = f"{name!r} is not finite; such values are left out"
        warnings.warn(text, RuntimeWarning, stacklevel=_calls_from_here())

    def _append(self, lines: list[dict[str, Any]]) -> None:
        """Append all lines to the metrics journal at once, or none."""
        import json  # imported here because its import costs more than this module

        encoded = []
        for line in lines:
            try:
                text = json.dumps(line, ensure_ascii=False, allow_nan=False, default=_plain)
            except ValueError as error:
                if "float" not in str(error):  # a value that contains itself
                    raise
                self._warn_once(line["parameter"])
                continue
            data = text.encode("utf-8")
            if len(data) > MAX_LINE:
                raise ValueError(
                    f"it takes {len(data):,} bytes, and {MAX_LINE:,} are read of a line"
                )
            encoded.append(data + b"\n")
        if self._folder is None or not encoded:
            return
        if self._metrics is None:
            flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | getattr(os, "O_CLOEXEC", 0)
            self._metrics = os.open(self._place(METRICS), flags | getattr(os, "O_BINARY", 0), 0o644)
        data = b"".join(encoded)
        # One call writes everything, so that lines of several processes do not mix. After a write
        # that failed, a new line is started.
        if self._torn:
            data = b"\n" + data
        self._torn = os.write(self._metrics, data) != len(data)
        if self._torn:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), self._place(METRICS))


def _name(name: object) -> str:
    if not isinstance(name, str) or not name:
        raise TypeError(f"a name must be a non-empty string, not {name!r}")
    return name


def _plain_number(value: Any) -> int | float | None:
    """Return a value as a Python number, or None if it is not a number."""
    if type(value).__name__ == "MaskedConstant":  # numpy's, whose item() is 0.0
        return float("nan")
    try:
        if hasattr(value, "item"):  # numpy, torch, jax
            value = value.item()
        if isinstance(value, bool):
            return int(value)
        if not isinstance(value, int | float):
            value = float(value) if hasattr(value, "__float__") else value.__index__()
    except OverflowError:  # a fraction that is too large for a double
        return float("inf")
    except (AttributeError, TypeError, ValueError, RuntimeError):  # not a number, or several
        return float("nan") if hasattr(value, "is_nan") and value.is_nan() else None
    number: int | float = value
    return number


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:79]}…"


def _plain(value: Any) -> Any:
    """Return the JSON form of a value of Python, numpy or another library."""
    for method in ("tolist", "item", "isoformat", "__float__"):
        if hasattr(value, method):
            return getattr(value, method)()
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    if isinstance(value, set | frozenset):
        return sorted(value, key=repr)
    raise TypeError(f"a parameter cannot be a {type(value).__name__}")


def _calls_from_here() -> int:
    """Return the stack level of the line that called this module."""
    import sys

    depth, frame = 0, sys._getframe(0)
    while frame is not None and frame.f_code.co_filename == __file__:
        depth, frame = depth + 1, frame.f_back  # type: ignore[assignment]
    return depth
