"""Fitting the pipeline, and the bytes of the fitted model.

The pipeline has exactly two steps, ``scaler`` and ``clf``. The fit runs in a thread of its own
while the caller's thread stays awake for signals, because liblinear and the forest stay in native
code for minutes.

Source: RunForge contract, "Training" and "Determinism"; RunForge guarantees, "Model Artifacts".
"""

from __future__ import annotations

import importlib
import io
import os
import queue
import threading
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from runforge_contracts.diagnostics import Diagnostic, DiagnosticCode, diagnostic
from runforge_contracts.errors import ErrorCode, RunForgeError
from runforge_contracts.text import printable, shorten

from runforge_engine.cancellation import Cancellation
from runforge_engine.configuration import Configuration, family_table

#: Trees that are grown between two looks at the cancellation.
TREES_PER_CHUNK = 10
#: Pickle protocol of the model file: the newest that every supported Python writes alike.
PICKLE_PROTOCOL = 4
#: How often a waiting thread looks at the cancellation, in seconds.
_POLL = 0.05

#: liblinear draws from one generator for the whole process: two fits at once would disturb each
#: other. Held until a fit has really ended, also where nobody waits for it any more.
_LIBLINEAR = threading.Lock()
_stragglers: set[threading.Thread] = set()

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True, eq=False)
class Fitted:
    """A fitted pipeline, and what there is to say about the fit."""

    pipeline: Any
    diagnostics: tuple[Diagnostic, ...]


def stragglers_running() -> bool:
    """Tell whether a cancelled fit is still in native code; it cannot be stopped from outside."""
    return any(thread.is_alive() for thread in _stragglers)


def build_pipeline(configuration: Configuration) -> Any:
    """Return the unfitted pipeline, with every parameter of the estimator set."""
    from sklearn.pipeline import Pipeline
    from sklearn.preprocessing import StandardScaler

    table = family_table(configuration.family)
    estimator = getattr(importlib.import_module(table.module), table.estimator)
    classifier = estimator(**configuration.estimator_parameters())
    return Pipeline([("scaler", StandardScaler()), ("clf", classifier)])


def fit(
    configuration: Configuration,
    X: Any,
    y: Any,
    *,
    progress: Progress,
    cancellation: Cancellation,
    n_jobs: int | None = None,
) -> Fitted:
    """Fit the pipeline.

    Parameters
    ----------
    configuration : Configuration
        What to fit.
    X : ndarray of shape (n_samples, n_features)
        Features as C-contiguous float64; scaled in place, so the caller's array is used up.
    y : ndarray of shape (n_samples,)
        Class labels.
    progress : callable
        Called in this thread with the number of trees grown and of all trees, for forests.
    cancellation : Cancellation
        Ends the wait for the fit.
    n_jobs : int, optional
        Threads for a forest; all usable cores by default. It does not change the model.

    Raises
    ------
    RunForgeError
        ``TRAINING_FAILED`` where the estimator raises, ``CANCELLED``.
    """
    pipeline = build_pipeline(configuration)
    diagnostics: list[Diagnostic] = []
    grown: queue.SimpleQueue[tuple[int, int]] = queue.SimpleQueue()

    def work(stop: threading.Event) -> None:
        from threadpoolctl import threadpool_limits

        with threadpool_limits(limits=1), warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            _fit_pipeline(pipeline, X, y, n_jobs or _usable_cores(), grown, stop)
        diagnostics.extend(_explain(caught, pipeline))

    def tell() -> None:
        while not grown.empty():
            progress(*grown.get())

    _run_in_thread(work, tell, cancellation, exclusive=_uses_liblinear(pipeline))
    return Fitted(pipeline, tuple(diagnostics))


def dump_model(pipeline: Any, feature_names: Sequence[str]) -> bytes:
    """Return the fitted pipeline as a joblib file, uncompressed; equal models give equal bytes.

    The model is given its column names, as a fit on a data frame would leave them; from then on
    scikit-learn expects named columns of it.
    """
    import joblib
    import numpy as np

    names = np.array([str(name) for name in feature_names], dtype=object)
    pipeline.named_steps["scaler"].feature_names_in_ = names
    buffer = io.BytesIO()
    joblib.dump(pipeline, buffer, compress=0, protocol=PICKLE_PROTOCOL)
    return buffer.getvalue()


def _fit_pipeline(
    pipeline: Any,
    X: Any,
    y: Any,
    n_jobs: int,
    grown: queue.SimpleQueue[tuple[int, int]],
    stop: threading.Event,
) -> None:
    scaler, classifier = pipeline.named_steps["scaler"], pipeline.named_steps["clf"]
    scaler.copy = False  # One table in memory instead of two; the bits are the same.
    scaled = scaler.fit_transform(X)
    scaler.copy = True
    if hasattr(classifier, "n_estimators"):
        _grow(classifier, scaled, y, n_jobs, grown, stop)
    else:
        classifier.fit(scaled, y)


def _grow(
    forest: Any,
    X: Any,
    y: Any,
    n_jobs: int,
    grown: queue.SimpleQueue[tuple[int, int]],
    stop: threading.Event,
) -> None:
    """Grow a forest in chunks; the trees are those of a single fit with one thread."""
    total, kept = forest.n_estimators, {"n_jobs": forest.n_jobs, "warm_start": forest.warm_start}
    forest.set_params(warm_start=True, n_jobs=n_jobs)
    for trees in [*range(TREES_PER_CHUNK, total, TREES_PER_CHUNK), total]:
        if stop.is_set():
            return
        forest.set_params(n_estimators=trees)
        forest.fit(X, y)
        grown.put((trees, total))
    # The number of threads is stored in the file, and more than one makes predict_proba sum in a
    # random order.
    forest.set_params(**kept)


def _uses_liblinear(pipeline: Any) -> bool:
    classifier = pipeline.named_steps["clf"]
    return type(classifier).__name__ == "LinearSVC" or (
        getattr(classifier, "solver", None) == "liblinear"
    )


def _run_in_thread(
    work: Callable[[threading.Event], None],
    tell: Callable[[], None],
    cancellation: Cancellation,
    *,
    exclusive: bool,
) -> None:
    """Run ``work`` in a daemon thread and wait for it, or until the run is cancelled."""
    stop, failures = threading.Event(), list[BaseException]()

    def target() -> None:
        try:
            work(stop)
        except BaseException as error:  # noqa: BLE001 - it is raised again where it is awaited
            failures.append(error)
        finally:
            if exclusive:
                _LIBLINEAR.release()

    while exclusive and not _LIBLINEAR.acquire(timeout=_POLL):
        cancellation.check()
    thread = threading.Thread(target=target, name="runforge-fit", daemon=True)
    thread.start()
    try:
        while thread.is_alive():
            cancellation.check()
            thread.join(_POLL)
            tell()
    except BaseException:
        stop.set()
        _stragglers.add(thread)
        raise
    for error in failures:
        if isinstance(error, RunForgeError):
            raise error
        raise RunForgeError(
            ErrorCode.TRAINING_FAILED,
            f"The estimator failed: {printable(shorten(str(error), 500))}",
            hint="Check the hyperparameters against the data.",
        ) from error


def _explain(caught: Sequence[warnings.WarningMessage], pipeline: Any) -> list[Diagnostic]:
    """Return the warnings of the fit as diagnostics, each text once."""
    from sklearn.exceptions import ConvergenceWarning

    classifier = pipeline.named_steps["clf"]
    found: dict[str, Diagnostic] = {}
    for warning in caught:
        text = shorten(str(warning.message), 500)
        if issubclass(warning.category, ConvergenceWarning):
            limit = int(classifier.max_iter)
            found["convergence"] = diagnostic(
                DiagnosticCode.CONVERGENCE_NOT_REACHED,
                f"The fit stopped at max_iter = {limit} before it converged.",
                max_iter=limit,
                n_iter=[int(count) for count in _iterations(classifier)],
            )
        else:
            found[text] = diagnostic(
                DiagnosticCode.TRAINING_WARNING, text, category=warning.category.__name__
            )
    return list(found.values())


def _iterations(classifier: Any) -> list[int]:
    import numpy as np

    return list(np.atleast_1d(classifier.n_iter_).tolist())


def _usable_cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
