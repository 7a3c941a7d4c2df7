"""Load a model: only the recorded file, only if it reads clean, only known names.

The static reader checks every call before anything is called; the loader, as a second defence, only
resolves allowed names. Neither makes numpy or scikit-learn safe against every wrong number in a
file, so the digest is checked first: it must be the one in the record of the run.
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

#: Base limit of processor time for loading, in seconds, and bytes that add one second.
_SECONDS, _BYTES_PER_SECOND = 60.0, 2**20

#: Stricter limits than for an inspection, because the whole model is in memory at once.
LOADING_LIMITS = InspectionLimits(file_bytes=1024**3)


def load_model(
    path: Path,
    expected_sha256: str | None,
    *,
    limits: InspectionLimits = LOADING_LIMITS,
) -> Any:
    """Return the fitted pipeline in the file at ``path``.

    The file is read once, so the bytes that are checked are the bytes that are loaded.

    Parameters
    ----------
    path
        Model file, such as ``artifacts/model.pkl`` of a run.
    expected_sha256
        Digest of the file according to the run's record, in hexadecimal digits; None for a run of
        another client, which recorded none: only the inspection then decides, and the steps may
        have any names.
    limits
        Bounds of the inspection.

    Returns
    -------
    pipeline : sklearn.pipeline.Pipeline

    Raises
    ------
    RunForgeError
        ``FILE_NOT_FOUND``; ``FILE_UNREADABLE``; ``FILE_UNSAFE`` where it is not a regular file, has
        another digest, or has contents that are not part of a RunForge model.
    """
    allow(limits.seconds + _SECONDS)
    data = _read(path, limits)
    found = hashlib.sha256(data).hexdigest()
    expected = found if expected_sha256 is None else expected_sha256.lower()
    if not hmac.compare_digest(found.encode(), expected.encode()):
        raise RunForgeError(
            ErrorCode.FILE_UNSAFE,
            f"{quote(path, 200)} is not the model of the record: its digest is another.",
            hint="Restore the file, or train again.",
            path=str(path),
        )
    inspection = inspect_model_bytes(data, str(path), limits=limits)
    if not inspection.is_clean or not _has_steps(inspection, any_names=expected_sha256 is None):
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
    """Convert a forest of scikit-learn 1.3 to the form that later releases store.

    Later releases store shares in leaves, not counts: 1.3 divided at every prediction, and later
    releases would use the counts as probabilities. They also store an attribute for monotonic
    constraints.
    """
    trees = getattr(pipeline[-1], "estimators_", ())
    for estimator in (pipeline[-1], *trees) if len(trees) else ():
        if not hasattr(estimator, "monotonic_cst"):
            estimator.monotonic_cst = None
    for tree in trees:
        values = tree.tree_.value  # A view of the memory of the tree.
        sums = values.sum(axis=2, keepdims=True)
        sums[sums == 0.0] = 1.0
        values /= sums


def _has_steps(inspection: ModelInspection, *, any_names: bool) -> bool:
    """Return whether a model has the two steps of every model, and RunForge's names for them."""
    if len(inspection.steps) != 2 or inspection.steps[0].type != "StandardScaler":
        return False
    return any_names or [step.name for step in inspection.steps] == ["scaler", "clf"]


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
    """Unpickle a stream that passed the inspection, with arrays in joblib's format."""
    from joblib.numpy_pickle import NumpyArrayWrapper, NumpyUnpickler

    class ModelUnpickler(NumpyUnpickler):  # type: ignore[misc]
        """joblib's reader, restricted to the allowed names."""

        def find_class(self, module: str, name: str) -> Any:
            found = find_allowed(module, name)
            return ModelArrayWrapper if found is NumpyArrayWrapper else found

    class ModelArrayWrapper(NumpyArrayWrapper):  # type: ignore[misc]
        """joblib's array wrapper, with the restricted reader for its inner stream.

        Before 1.6, joblib reads an array of objects with a plain unpickler, which imports anything.
        """

        def read_array(self, unpickler: Any, *options: Any) -> Any:
            if self.dtype.hasobject:
                return ObjectsUnpickler(unpickler.file_handle).load()
            return super().read_array(unpickler, *options)

    class ObjectsUnpickler(_python_unpickler()):  # type: ignore[misc]
        """Python's reader, which leaves the file position at the end of its stream."""

        def find_class(self, module: str, name: str) -> Any:
            return find_allowed(module, name)

    return ModelUnpickler("", io.BytesIO(data), ensure_native_byte_order=True).load()


def _python_unpickler() -> Any:
    import pickle

    return pickle._Unpickler
