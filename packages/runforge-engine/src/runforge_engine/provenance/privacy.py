"""Remove from the documents of private runs the values that identify a user or a machine.

A record contains paths of folders: of a dataset outside the workspace, of the interpreter, and
those in messages and tracebacks. They contain names of people, machines and projects, and do not
affect the model. On request they are left out; ``provenance.left_out`` and a diagnostic list what
was removed. Everything that proves the run is kept: digests, versions, the commit, the processor.

Source: specification, sections 13.4 and 14.1.
"""

from __future__ import annotations

import copy
import os
import re
import sys
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any

import msgspec
from runforge_contracts.diagnostics import Diagnostic, DiagnosticCode, diagnostic
from runforge_contracts.documents import Document
from runforge_contracts.errors import RunForgeError
from runforge_contracts.store.layout import StoreLayout
from runforge_contracts.store.run import Run
from runforge_contracts.types import RequestV1

#: Environment variable that requests private runs if no option does; empty or ``0`` does not.
VARIABLE = "RUNFORGE_PRIVATE"
#: Placeholder for the folder of a dataset or a recipe if that folder was left out.
LEFT_OUT = "(left out)"

#: Values of ``left_out``: the member, or `paths` for folders in messages and tracebacks.
_DATASET, _RECIPE = "dataset.path", "dataset.recipe"
_EXECUTABLE, _PATHS = "python.executable", "paths"
_FRAME = re.compile(r'(?<=File ")(?:/|[A-Za-z]:[\\/])[^"\n]*(?=")')
#: Matches where the folder in a path ends or continues with a subfolder.
_END = r"(?![^/\\\s\"'`,;:)\]])"


def is_wanted(asked: bool | None = None) -> bool:
    """Return whether runs are to be private: as ``asked``, or as the environment specifies."""
    return os.environ.get(VARIABLE, "") not in ("", "0") if asked is None else asked


def is_private(run: Run) -> bool:
    """Return whether values were left out of the readable documents of a run."""
    try:
        record = run.record or run.result or {}
    except RunForgeError:
        return False
    return bool(record.get("provenance", {}).get("left_out"))


def is_left_out(path: str) -> bool:
    """Return whether the folder of a run's dataset was left out of its path."""
    return path.startswith(f"{LEFT_OUT}/")


class Shortening:
    """Remove identifying values from the documents of one run.

    Parameters
    ----------
    request
        The request of the run.
    store
        The store of the run.
    keeps_request
        Whether the request is kept unchanged, because its client has already written it.
    """

    def __init__(
        self, request: Document[RequestV1], store: StoreLayout, *, keeps_request: bool = False
    ) -> None:
        self._request = request
        dataset = request.raw["dataset"]
        recorded = {_DATASET: dataset["path"], _RECIPE: dataset.get("recipe")}
        #: What is recorded instead of each path that leads out of the workspace.
        self._shortened = {
            name: f"{LEFT_OUT}/{PureWindowsPath(path).name}"
            for name, path in recorded.items()
            if is_outside(path) and not keeps_request
        }
        #: Names of the values left out, as in ``provenance.left_out``.
        self.names = [*self._shortened, _EXECUTABLE, _PATHS]
        replaced: dict[str, str] = {}
        for name, word in self._shortened.items():
            replaced |= dict.fromkeys(_spellings(recorded[name]), word)
        replaced |= dict.fromkeys(_spellings(store.workspace), ".")
        places = [
            *((place, "(python)") for place in (sys.prefix, sys.base_prefix, sys.exec_prefix)),
            (str(Path(__file__).parents[2]), "(runforge)"),
            (os.path.expanduser("~"), "~"),  # noqa: PTH111 - Path.home() may raise
        ]
        for place, word in places:
            replaced |= {path: word for path in _spellings(place) if path not in replaced}
        # The longest first: one may contain another.
        self._replaced = [
            (re.compile(re.escape(path) + _END), word)
            for path, word in sorted(replaced.items(), key=lambda item: -len(item[0]))
        ]

    def request(self) -> Document[RequestV1]:
        """Return the request as it is recorded."""
        if not self._shortened:
            return self._request
        again: Document[RequestV1] = Document(copy.deepcopy(self._request.raw), self._request.name)
        pointers = {_DATASET: "/dataset/path", _RECIPE: "/dataset/recipe"}
        again.edit({pointers[name]: word for name, word in self._shortened.items()})
        return again

    def text(self, text: str) -> str:
        """Return a message or a traceback without the folders in it."""
        for path, word in self._replaced:
            text = path.sub(word, text)
        return _FRAME.sub(lambda frame: PureWindowsPath(frame[0]).name, text)

    def document(self, raw: dict[str, Any]) -> dict[str, Any]:
        """Return a ``run.json`` or ``result.json`` as it is recorded."""
        raw = dict(raw)
        if "provenance" in raw:
            provenance = dict(raw["provenance"])
            python = {k: value for k, value in provenance["python"].items() if k != "executable"}
            raw["provenance"] = {**provenance, "python": python, "left_out": self.names}
        if raw.get("error"):
            raw["error"] = self._value(raw["error"])
        return raw

    def diagnostic(self, item: Diagnostic) -> Diagnostic:
        """Return a diagnostic as it is recorded; information about the data is kept."""
        details = {
            name: self._value(value) if name in ("path", "hint") or is_outside(value) else value
            for name, value in item.details.items()
        }
        return msgspec.structs.replace(item, message=self.text(item.message), details=details)

    def notice(self) -> Diagnostic:
        """Return the diagnostic that lists what was left out."""
        words = {
            _DATASET: "the dataset's folder",
            _RECIPE: "the recipe's folder",
            _EXECUTABLE: "the interpreter's path",
            _PATHS: "folders in messages and tracebacks",
        }
        listed = ", ".join(words[name] for name in self.names)
        return diagnostic(
            DiagnosticCode.LEFT_OUT_ON_REQUEST,
            f"Left out of the record on request: {listed}.",
            left_out=self.names,
        )

    def _value(self, value: Any) -> Any:
        if isinstance(value, dict):
            return {name: self._value(item) for name, item in value.items()}
        if isinstance(value, list):
            return [self._value(item) for item in value]
        return self.text(value) if isinstance(value, str) else value


def is_outside(value: Any) -> bool:
    """Return whether a value is an absolute path, as documents have for what is elsewhere."""
    return isinstance(value, str) and (
        PurePosixPath(value).is_absolute() or PureWindowsPath(value).is_absolute()
    )


def _spellings(place: str | os.PathLike[str]) -> set[str]:
    """Return the spellings of a path in messages: as given and resolved, with either slash."""
    path = os.fspath(place)
    found = {path, os.path.realpath(path), Path(path).as_posix(), Path(path).resolve().as_posix()}
    # The root of a file system identifies no user.
    return {spelling for spelling in found if len(PureWindowsPath(spelling).parts) > 1}
