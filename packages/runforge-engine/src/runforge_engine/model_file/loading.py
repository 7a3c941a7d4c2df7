"""Load a model: only the recorded file, only if it reads clean, only known names.

The static reader judges every call before anything is called; the loader, as a second line, knows
no other names than the allowed ones. Neither makes numpy or scikit-learn safe against every wrong
number in a file, so the digest comes first: it must be that of the run's own record.
"""

from __future__ import annotations

import hashlib
import hmac
import importlib
import io
import os
from pathlib import Path
from typing import Any

from runforge_contracts.display import quote
from runforge_contracts.errors import ErrorCode, Problem, RunForgeError
from runforge_contracts.fs.files import open_file, read_all, reading

from runforge_engine.model_file.allowlist import ALLOWED, RENAMED
from runforge_engine.model_file.byte_source import BytesSource
from runforge_engine.model_file.compression import unfolded
from runforge_engine.model_file.inspection_result import ModelInspection
from runforge_engine.model_file.limits import InspectionLimits, Watch
from runforge_engine.model_file.model_inspection import inspect_model_bytes
from runforge_engine.runtime.resource_limits import allow, is_lack_of_memory

#: Seconds of processor time for loading anything, and bytes for which there is another.
_SECONDS, _BYTES_PER_SECOND = 60.0, 2**20

#: What is held in memory at once is bounded closer than what is only looked at.
LOADING_LIMITS = InspectionLimits(file_bytes=1024**3)


def load_model(
    path: Path,
    expected_sha256: str,
    *,
    limits: InspectionLimits = LOADING_LIMITS,
) -> Any:
    """Return the fitted pipeline in the file at ``path``.

    The bytes that are checked are the bytes that are loaded: the file is read once.

    Parameters
    ----------
    path
        Model file, such as ``artifacts/model.pkl`` of a run.
    expected_sha256
        Digest of the file according to the run's record, in hexadecimal digits.
    limits
        Bounds of the inspection.

    Returns
    -------
    pipeline : sklearn.pipeline.Pipeline

    Raises
    ------
    RunForgeError
        ``FILE_NOT_FOUND``; ``FILE_UNREADABLE``; ``FILE_UNSAFE`` where it is no regular file, has
        another digest, or anything in it is not what a RunForge model holds.
    """
    allow(limits.seconds + _SECONDS)
    data = _read(path, limits)
    found = hashlib.sha256(data).hexdigest()
    if not hmac.compare_digest(found.encode(), expected_sha256.lower().encode()):
        raise RunForgeError(
            ErrorCode.FILE_UNSAFE,
            f"{quote(path, 200)} is not the model of the record: its digest is another.",
            hint="Restore the file, or train again.",
            path=str(path),
        )
    inspection = inspect_model_bytes(data, str(path), limits=limits)
    if not inspection.is_clean or not _is_ours(inspection):
        raise _unsafe(path, inspection)
    allow(_SECONDS + len(data) / _BYTES_PER_SECOND)
    if inspection.compression:
        with unfolded(BytesSource(data), inspection.compression, Watch(limits)) as (source, _):
            data = source.read(0, source.size)
    try:
        pipeline = unpickle(data)
        if (inspection.library_version or "").startswith("1.3."):
            _as_since_1_4(pipeline)
        allow(None)
        return pipeline
    except RunForgeError:
        raise
    except Exception as error:
        if is_lack_of_memory(error):
            raise MemoryError(str(error)) from error
        # Other versions of the libraries may refuse the same file.
        raise RunForgeError(
            ErrorCode.FILE_UNREADABLE,
            f"{quote(path, 200)} cannot be loaded: {quote(error, 200)}.",
            hint="Install the versions that the run recorded.",
            path=str(path),
        ) from error


def _as_since_1_4(pipeline: Any) -> None:
    """Bring a forest of scikit-learn 1.3 to what every later release stores.

    Leaves hold shares, not counts: each tree divided at every prediction, and today's would take
    the counts for probabilities. And trees know that they have no monotonic constraints.
    """
    trees = getattr(pipeline[-1], "estimators_", ())
    for estimator in (pipeline[-1], *trees) if len(trees) else ():
        if not hasattr(estimator, "monotonic_cst"):
            estimator.monotonic_cst = None
    for tree in trees:
        values = tree.tree_.value  # A view of the tree's own memory.
        sums = values.sum(axis=2, keepdims=True)
        sums[sums == 0.0] = 1.0
        values /= sums


def _is_ours(inspection: ModelInspection) -> bool:
    """Tell whether a model has the steps that every model of RunForge has."""
    first, *rest = [(step.name, step.type) for step in inspection.steps] or [("", "")]
    return first == ("scaler", "StandardScaler") and [name for name, _ in rest] == ["clf"]


def _read(path: Path, limits: InspectionLimits) -> bytes:
    with open_file(path) as file, reading(path):
        size = os.fstat(file.fileno()).st_size
        if size <= limits.file_bytes:
            return read_all(file, size)
    raise RunForgeError(
        ErrorCode.FILE_UNSAFE,
        f"{quote(path, 200)} has more than the {limits.file_bytes:,} bytes that are loaded.",
        path=str(path),
    )


def _unsafe(path: Path, inspection: ModelInspection) -> RunForgeError:
    errors = [finding for finding in inspection.findings if finding.severity == "error"]
    reason = (
        f": {errors[0].message}"
        if errors
        else (", because it is no pipeline of `scaler` and `clf`.")
    )
    return RunForgeError(
        ErrorCode.FILE_UNSAFE,
        f"{quote(path, 200)} is not loaded{reason}",
        hint="`runforge inspect-artifact` tells what is in the file.",
        path=str(path),
        problems=[Problem(f"{finding.code.value}: {finding.message}") for finding in errors],
    )


def find_allowed(module: str, name: str) -> Any:
    """Return the object of an allowed name.

    Raises
    ------
    RunForgeError
        ``FILE_UNSAFE`` for any other name.
    """
    if (module, name) not in ALLOWED:
        raise RunForgeError(
            ErrorCode.FILE_UNSAFE,
            f"The model asks for {quote(f'{module}.{name}', 120)}, which no model needs.",
        )
    return getattr(importlib.import_module(RENAMED.get(module, module)), name)


def unpickle(data: bytes) -> Any:
    """Unpickle a stream that was found clean, with arrays as joblib writes them."""
    from joblib.numpy_pickle import NumpyArrayWrapper, NumpyUnpickler

    class ModelUnpickler(NumpyUnpickler):  # type: ignore[misc]
        """joblib's reader, with no other names than the allowed ones."""

        def find_class(self, module: str, name: str) -> Any:
            found = find_allowed(module, name)
            return ModelArrayWrapper if found is NumpyArrayWrapper else found

    class ModelArrayWrapper(NumpyArrayWrapper):  # type: ignore[misc]
        """joblib's stand-in for an array, whose inner stream has the same reader.

        Before 1.6, joblib reads an array of objects with a plain unpickler, which imports anything.
        """

        def read_array(self, unpickler: Any, *options: Any) -> Any:
            if self.dtype.hasobject:
                return ObjectsUnpickler(unpickler.file_handle).load()
            return super().read_array(unpickler, *options)

    class ObjectsUnpickler(_python_unpickler()):  # type: ignore[misc]
        """Python's own reader, which leaves the file behind the end of its stream."""

        def find_class(self, module: str, name: str) -> Any:
            return find_allowed(module, name)

    return ModelUnpickler("", io.BytesIO(data), ensure_native_byte_order=True).load()


def _python_unpickler() -> Any:
    import pickle

    return pickle._Unpickler
