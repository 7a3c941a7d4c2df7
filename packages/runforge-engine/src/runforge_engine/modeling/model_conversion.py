"""Write a recorded model in the format of another tool, and compare it with the recorded one.

The model is opened as for a prediction: only after the static reader found nothing in its file, and
only with the recorded digest. What was written is opened with the library of the format, and both
models predict all validation rows of the run. A file whose predictions differ is not written. Call
:func:`runforge_engine.modeling.model_process.convert`, which does this in a process of its own.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal, Protocol

from runforge_contracts.errors import ErrorCode, RunForgeError
from runforge_contracts.fs.files import writing
from runforge_contracts.store.run import Run
from runforge_contracts.system.system_files import sync_file

from runforge_engine.model_file.loading import load_model
from runforge_engine.modeling.onnx_model import OnnxModel
from runforge_engine.modeling.predict import RecordedModel
from runforge_engine.modeling.revalidate import (
    Replay,
    both_columns,
    replay_rows,
    validation_rows,
)
from runforge_engine.modeling.skops_file import SkopsModel
from runforge_engine.runtime.extras import install_extra
from runforge_engine.runtime.resource_limits import allow

#: The formats, each with the names of its libraries, which an extra of the same name brings.
FORMATS: Mapping[str, tuple[str, ...]] = {
    "skops": ("skops",),
    "onnx": ("onnx", "onnxruntime", "skl2onnx"),
}
#: Largest difference of a score, as a share of the greatest score if that is above 1: the
#: resolution of float32 is a tenth of it.
TOLERANCE = 1e-6
#: Seconds of processor time for any conversion, and for each byte of the model file.
_SECONDS, _SECONDS_PER_BYTE = 120.0, 1e-4


@dataclass(frozen=True, slots=True)
class Comparison:
    """How the predictions of two models differ on the same rows."""

    rows: int
    #: Number of rows with another label.
    labels_differ: int
    #: What the scores are: probabilities, or values of the decision function.
    scores: Literal["probability", "decision"]
    #: Greatest absolute difference of a score of any row and class; None if one is not finite.
    greatest_difference: float | None
    #: Greatest absolute score of the recorded model.
    greatest_score: float

    @property
    def is_close(self) -> bool:
        """Whether the labels are the same, and the scores but for the tolerance."""
        allowed = TOLERANCE * max(1.0, self.greatest_score)
        difference = self.greatest_difference
        return not self.labels_differ and difference is not None and difference <= allowed

    def to_dict(self) -> dict[str, Any]:
        """Return the comparison as JSON data."""
        return asdict(self)


def check_installed(form: str) -> None:
    """Check that the libraries of a format are installed.

    Raises
    ------
    RunForgeError
        ``EXTRA_MISSING``.
    """
    missing = [name for name in FORMATS[form] if find_spec(name) is None]
    if missing:
        verb = "are" if len(missing) > 1 else "is"
        raise RunForgeError(
            ErrorCode.EXTRA_MISSING,
            f"The format `{form}` needs {' and '.join(missing)}, which {verb} not installed.",
            hint=f"Install it with `{install_extra('runforge-engine', form)}`.",
        )


class _Converted(Protocol):
    """A model in another format."""

    def __init__(self, pipeline: Any) -> None: ...
    def predict(self, X: Any) -> tuple[Any, Any]: ...
    def to_bytes(self, stated: Mapping[str, Any]) -> bytes: ...


_MODELS: Mapping[str, type[_Converted]] = {"skops": SkopsModel, "onnx": OnnxModel}


def convert_model(
    form: str,
    folder: Run,
    workspace: Path,
    model: RecordedModel,
    target: Path,
    stated: Mapping[str, Any],
) -> Comparison:
    """Write the model of a run to a new file, if it predicts what the recorded model does.

    Parameters
    ----------
    form
        A key of :data:`FORMATS`.
    folder
        The run.
    workspace
        The folder that the dataset's path is relative to.
    model
        What :func:`~runforge_engine.modeling.revalidate.recorded_model` returned.
    target
        The file, which is new or empty.
    stated
        JSON data that the file gets as its metadata, beside the names of features and classes and
        the comparison.

    Raises
    ------
    RunForgeError
        ``VERIFICATION_FAILED`` where the predictions differ; ``STORE_NOT_WRITABLE``; the errors of
        :func:`~runforge_engine.modeling.revalidate.replay_model`.
    """
    rows = validation_rows(folder, workspace)
    with warnings.catch_warnings():
        # The predictions are compared, whichever scikit-learn made the model.
        warnings.simplefilter("ignore")
        pipeline = load_model(model.path, model.sha256)
        allow(_SECONDS + _SECONDS_PER_BYTE * model.path.stat().st_size)
        # Before it predicts, for which some attributes are changed.
        converted = _MODELS[form](pipeline)
        replayed = replay_rows(pipeline, rows, folder)
        comparison = compare(replayed, *converted.predict(rows.X))
    if not comparison.is_close:
        raise _differs(form, comparison)
    names = {"features": list(rows.feature_names), "classes": list(rows.classes)}
    data = converted.to_bytes({**stated, **names, "comparison": comparison.to_dict()})
    with writing(target), target.open("wb") as file:
        file.write(data)
        file.flush()
        sync_file(file.fileno())
    return comparison


def compare(replayed: Replay, labels: Any, scores: Any) -> Comparison:
    """Compare what a model predicts with the predictions of the recorded one.

    Parameters
    ----------
    replayed
        The predictions of the recorded model.
    labels : ndarray of shape (n_samples,)
        The other labels.
    scores : ndarray of shape (n_samples, n_classes)
        The other scores; of two classes, those of the greater one suffice.
    """
    import numpy as np

    expected = np.array(replayed.classes)[replayed.predicted]
    difference = float(np.abs(both_columns(scores) - replayed.scores).max())
    return Comparison(
        rows=len(expected),
        labels_differ=int((np.asarray(labels) != expected).sum()),
        scores=replayed.kind,
        greatest_difference=difference if math.isfinite(difference) else None,
        greatest_score=float(np.abs(replayed.scores).max()),
    )


def _differs(form: str, found: Comparison) -> RunForgeError:
    """Return the error for a converted model that predicts otherwise."""
    name = "probability" if found.scores == "probability" else "decision value"
    if found.labels_differ:
        what = f"another label on {found.labels_differ:,} of {found.rows:,} validation rows"
    elif found.greatest_difference is None:
        what = f"a {name} that is not finite on a validation row"
    else:
        what = f"a {name} on a validation row that differs by {found.greatest_difference:.2g}"
    return RunForgeError(
        ErrorCode.VERIFICATION_FAILED,
        f"The {form} model predicts {what}, so it is not written.",
        hint="Export the model to skops, which keeps every number of it."
        if form == "onnx"
        else "Install the version of scikit-learn that the run recorded.",
    )
