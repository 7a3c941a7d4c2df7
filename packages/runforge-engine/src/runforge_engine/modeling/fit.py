"""Fit the pipeline, and encode the fitted model as a file.

The pipeline has exactly two steps, ``scaler`` and ``clf``. The fit runs in the background, because
liblinear and the forest stay in native code for minutes.

Source: specification, sections 12.2, 13.1 and 13.2.
"""

from __future__ import annotations

import copy
import importlib
import io
import pickle
import queue
import sys
import threading
import warnings
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Lock
from typing import Any

from runforge_contracts.diagnostics import Diagnostic, DiagnosticCode, diagnostic
from runforge_contracts.display import printable, shorten
from runforge_contracts.errors import ErrorCode, RunForgeError
from runforge_contracts.shared_work import usable_cores

from runforge_engine.modeling.configuration import Configuration, family_table
from runforge_engine.runtime.background import (
    POLL,
    in_threads,
    run_stoppable,
    start_in_background,
)
from runforge_engine.runtime.cancellation import Cancellation

#: Trees between two events of progress, and the number of rows up to which that holds: in a
#: large table each tree takes long enough to be reported. A thread grows no more at once.
TREES_AT_ONCE = 10
ROWS_AT_ONCE = 200_000
#: Pickle protocol of the model file, which every supported Python writes alike.
PICKLE_PROTOCOL = 5

#: Minimum number of columns that a thread scales; with few, two threads take as long as one.
_COLUMNS_AT_ONCE = 64
#: Below this a value has no weight in a model, and its square no value.
_NEGLIGIBLE = 1e-150

#: Two fits at once in one process would disturb each other: liblinear draws from one generator, and
#: the warnings that a fit gives and the threads that it may use are caught and set for the whole
#: process. Held until a fit has really ended, also where its result is no longer awaited.
_FITTING = threading.Lock()

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True, eq=False)
class Fitted:
    """A fitted pipeline, and diagnostics about the fit."""

    pipeline: Any
    diagnostics: tuple[Diagnostic, ...]


@dataclass(frozen=True, slots=True, eq=False)
class FittedScaler:
    """A scaler that was fitted to the rows to train with, which it has scaled."""

    scaler: Any
    #: The warnings that the fit gave: names of their categories, and texts.
    warnings: tuple[tuple[str, str], ...] = ()


def build_pipeline(configuration: Configuration, scaler: Any = None) -> Any:
    """Return the unfitted pipeline, with every parameter of the estimator set.

    ``scaler`` is one that was fitted before, if there is one.
    """
    from sklearn.pipeline import Pipeline
    from sklearn.preprocessing import StandardScaler

    table = family_table(configuration.family)
    estimator = getattr(importlib.import_module(table.module), table.estimator)
    classifier = estimator(**configuration.estimator_parameters())
    # A fitted scaler may be that of other pipelines, too.
    first = StandardScaler() if scaler is None else copy.copy(scaler)
    return Pipeline([("scaler", first), ("clf", classifier)])


def fit_scaler(X: Any) -> FittedScaler:
    """Fit a scaler to the rows to train with, and scale them in place.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features)
        C-contiguous float64.
    """
    from sklearn.preprocessing import StandardScaler

    scaler = StandardScaler()
    with _recording() as caught, _as_error_of_ours():
        _scale(scaler, X)
    texts = tuple((item.category.__name__, shorten(str(item.message), 500)) for item in caught)
    return FittedScaler(scaler, texts)


def fit(
    configuration: Configuration,
    X: Any,
    y: Any,
    *,
    progress: Progress,
    cancellation: Cancellation,
    n_jobs: int | None = None,
    scaled: FittedScaler | None = None,
) -> Fitted:
    """Fit the pipeline.

    Parameters
    ----------
    configuration : Configuration
        What to fit.
    X : ndarray of shape (n_samples, n_features)
        Features as C-contiguous float64; scaled in place, so the caller's array is used up. With
        ``scaled`` they are scaled already, may be float32 for a forest, and stay as they are.
    y : ndarray of shape (n_samples,)
        Class labels.
    progress : callable
        Called in this thread with the number of trees grown and of all trees, for forests; always
        with the same numbers, however many threads there are.
    cancellation : Cancellation
        Ends the wait for the fit.
    n_jobs : int, optional
        Threads for a forest; all usable cores by default. It does not change the model.
    scaled : FittedScaler, optional
        The scaler that has scaled ``X``, to become the first step of the pipeline.

    Raises
    ------
    RunForgeError
        ``TRAINING_FAILED`` where the estimator raises, ``CANCELLED``.
    """
    pipelines: list[Any] = []
    diagnostics: list[Diagnostic] = []
    grown: queue.SimpleQueue[int] = queue.SimpleQueue()
    steps, total = deque[int](), 0
    if configuration.family == "random_forest":
        total = configuration.estimator_parameters()["n_estimators"]
        at_once = trees_at_once(len(X))
        steps.extend([*range(at_once, total, at_once), total])

    def work(stop: threading.Event) -> None:
        pipeline = build_pipeline(configuration, None if scaled is None else scaled.scaler)
        pipelines.append(pipeline)
        with _recording() as caught, _as_error_of_ours():
            rows = X if scaled is not None else _scale(pipeline.named_steps["scaler"], X)
            classifier = pipeline.named_steps["clf"]
            if hasattr(classifier, "n_estimators"):
                _grow(classifier, rows, y, n_jobs or usable_cores(), grown, stop)
            else:
                classifier.fit(rows, y)
        diagnostics.extend(_explain(() if scaled is None else scaled.warnings, caught, pipeline))

    def tell() -> None:
        while not grown.empty():
            count = grown.get()
            while steps and steps[0] <= count:
                progress(steps.popleft(), total)

    def check() -> None:
        cancellation.check()
        tell()

    while not _FITTING.acquire(timeout=POLL):
        cancellation.check()
    run_stoppable(work, check, on_end=_FITTING.release)
    tell()
    return Fitted(pipelines[0], tuple(diagnostics))


def dump_model(pipeline: Any, feature_names: Sequence[str]) -> bytes:
    """Return the fitted pipeline as one plain pickle stream; equal models give equal bytes.

    Both ``pickle.load`` and ``joblib.load`` read it. The model in the file has its column names, as
    a fit on a data frame would leave them; scikit-learn expects named columns of it.
    """
    import numpy as np
    from sklearn.base import BaseEstimator

    class Pickler(pickle.Pickler):
        """Writes the name of an attribute once, however many estimators have it.

        Equal names are one object, but not in a process that has loaded a model before: all
        instances of a class have the names of the first one.
        """

        def reducer_override(self, obj: Any) -> Any:
            if not isinstance(obj, BaseEstimator):
                return NotImplemented
            make, arguments, state, *_ = obj.__reduce_ex__(PICKLE_PROTOCOL)
            return make, arguments, {sys.intern(name): value for name, value in state.items()}

    scaler, named = copy.copy(pipeline.named_steps["scaler"]), copy.copy(pipeline)
    scaler.feature_names_in_ = np.array([str(name) for name in feature_names], dtype=object)
    named.steps = [("scaler", scaler), ("clf", pipeline.named_steps["clf"])]
    buffer = io.BytesIO()
    Pickler(buffer, protocol=PICKLE_PROTOCOL).dump(named)
    return buffer.getvalue()


@contextmanager
def _recording() -> Iterator[list[warnings.WarningMessage]]:
    """Record warnings, and let the numeric libraries use one thread."""
    from threadpoolctl import threadpool_limits

    with threadpool_limits(limits=1), warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        yield caught


@contextmanager
def _as_error_of_ours() -> Iterator[None]:
    try:
        yield
    except MemoryError:
        raise
    except Exception as error:
        raise RunForgeError(
            ErrorCode.TRAINING_FAILED,
            f"The estimator failed: {printable(shorten(str(error), 500))}",
            hint="Check the hyperparameters against the data.",
        ) from error


def _scale(scaler: Any, X: Any) -> Any:
    """Fit a scaler to the rows ``X``, scale them in place, and return them; on all cores."""
    threads = min(usable_cores(), X.shape[1] // _COLUMNS_AT_ONCE)
    if threads > 1:
        _scale_columns(scaler, X, threads)
    else:
        scaler.copy = False  # One table in memory instead of two; the bits are the same.
        assert scaler.fit_transform(X) is X  # noqa: S101 - by what the parameter is
        scaler.copy = True
    _scale_the_rest(scaler, X)
    return X


def _scale_columns(scaler: Any, X: Any, threads: int) -> None:
    """Scale some columns in each thread, by a scaler of their own, and fit ``scaler`` of these.

    No column depends on another, so every bit is that of one scaler for all.
    """
    import numpy as np
    from sklearn.base import clone

    width = -(-X.shape[1] // threads)
    parts = [(begin, clone(scaler).set_params(copy=False)) for begin in range(0, X.shape[1], width)]

    def scale(part: tuple[int, Any]) -> None:
        begin, own = part
        own.fit_transform(X[:, begin : begin + width])

    in_threads(scale, parts)
    fitted = [vars(own) for _, own in parts]
    for name, value in fitted[0].items():
        if getattr(value, "ndim", 0):
            value = np.concatenate([one[name] for one in fitted])
        setattr(scaler, name, value)
    scaler.copy, scaler.n_features_in_ = True, X.shape[1]


def _scale_the_rest(scaler: Any, scaled: Any) -> None:
    """Scale columns that the scaler takes for constant although they are far from zero, or tiny.

    It does not scale a column whose variance is within the error of its own arithmetic. What that
    leaves of 1e18 in every row is a feature of hundreds, and of 1e150 one in which liblinear never
    ends; a column of 1e-200 would have no weight.

    Parameters
    ----------
    scaler : StandardScaler
        Fitted; its scales become those that were used.
    scaled : ndarray of shape (n_samples, n_features)
        The rows that it was fitted to, as it has scaled them.
    """
    import numpy as np

    rounding = len(scaled) * np.finfo(np.float64).eps
    # As scikit-learn decides it: `_is_constant_feature`.
    constant = scaler.var_ <= rounding * scaler.var_ + (rounding * scaler.mean_) ** 2
    for place in np.flatnonzero(constant).tolist():
        column = scaled[:, place]
        size = float(np.abs(column).max())
        if size == 0 or _NEGLIGIBLE <= size <= 1:
            continue
        if column.min() < column.max():
            scale = size * float(np.std(column / size)) or size
        else:
            scale = abs(float(scaler.mean_[place])) or size
        column /= scale
        scaler.scale_[place] = scale


def within_range(pipeline: Any, X: Any) -> Any:
    """Return rows with extreme values clipped to the range that a model can compute with.

    Trees compare in float32; a clipped value stays on the same side of all their thresholds. A
    linear model would overflow to infinity.

    Parameters
    ----------
    pipeline : Pipeline
        Fitted.
    X : ndarray of shape (n_samples, n_features)
        Features, not scaled; returned itself where nothing is clipped.
    """
    import numpy as np

    scaler, classifier = pipeline  # other clients have other names for the steps
    reach = (1e30 if hasattr(classifier, "estimators_") else 1e150) * scaler.scale_
    low, high = scaler.mean_ - reach, scaler.mean_ + reach
    if (low <= X).all() and (high >= X).all():
        return X
    return np.clip(X, low, high)


def _grow(
    forest: Any,
    X: Any,
    y: Any,
    n_jobs: int,
    grown: queue.SimpleQueue[int],
    stop: threading.Event,
) -> None:
    """Grow a forest on ``n_jobs`` threads; the trees are those of a single fit with one thread.

    Each thread takes the next few trees that no thread has taken and fits a forest of its own with
    them, to which those before them seem to have grown already: it draws for its trees what a
    single fit draws for them. So no thread ever waits for another, as they would between the
    parts of a forest that grows by ``warm_start`` alone.
    """
    import numpy as np
    from sklearn.base import clone

    # Trees are grown from float32.
    total, X = forest.n_estimators, np.asarray(X, dtype=np.float32)
    portions = portions_of(total, n_jobs, trees_at_once(len(X)))
    young, trees, taking = clone(forest), dict[int, list[Any]](), Lock()

    def work(begin: int, end: int) -> None:
        # The first trees are grown by the forest itself, which becomes a fitted one by that.
        part = forest if begin == 0 else clone(young)
        part.set_params(n_estimators=end, warm_start=begin > 0)
        if begin:
            part.estimators_ = [None] * begin
        part.fit(X, y)
        with taking:
            trees[begin] = part.estimators_[begin:]
            grown.put(sum(map(len, trees.values())))

    def take() -> None:
        try:
            while not stop.is_set():
                with taking:
                    portion = next(portions, None)
                if portion is None:
                    return
                work(*portion)
        except BaseException:
            stop.set()  # The others would grow for nothing.
            raise

    threads = [start_in_background(take) for _ in range(min(n_jobs, total))]
    for thread in threads:
        thread.result(lambda: None)
    if not stop.is_set():
        forest.estimators_ = [tree for _, part in sorted(trees.items()) for tree in part]
        forest.set_params(n_estimators=total)


def trees_at_once(rows: int) -> int:
    """Return how many trees are grown from so many rows between two events of progress."""
    return min(max(ROWS_AT_ONCE // rows, 1), TREES_AT_ONCE)


def portions_of(total: int, threads: int, most: int) -> Iterator[tuple[int, int]]:
    """Divide ``total`` trees into portions of at most ``most``, for threads to take in turn.

    For several threads the portions become small towards the end, so that all end at about the
    same time.
    """
    begin = 0
    while begin < total:
        fair = (total - begin) // (2 * threads) if threads > 1 else most
        end = begin + min(max(fair, 1), most, total - begin)
        yield begin, end
        begin = end


def _explain(
    before: Sequence[tuple[str, str]], caught: Sequence[warnings.WarningMessage], pipeline: Any
) -> list[Diagnostic]:
    """Return the warnings of the fit as diagnostics, each message once.

    ``before`` are those of the scaler, where it was fitted before.
    """
    from sklearn.exceptions import ConvergenceWarning

    classifier = pipeline.named_steps["clf"]
    found = {
        text: diagnostic(DiagnosticCode.TRAINING_WARNING, text, category=category)
        for category, text in before
    }
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
