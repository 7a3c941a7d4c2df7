"""Curves that show how a classifier ranks and how reliable its probabilities are.

Source: scikit-learn, "Receiver operating characteristic", "Precision-Recall" and "Probability
calibration"; Guo et al. 2017, "On Calibration of Modern Neural Networks", for the confidence of
several classes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from runforge_engine.modeling.revalidate import Replay

#: Most points of a curve: more cannot be seen.
MAX_POINTS = 200
#: Bins of equal width over the probabilities.
BINS = 10


@dataclass(frozen=True, slots=True)
class Curve:
    """A curve of one class against the rest."""

    label: int | str
    x: tuple[float, ...]
    y: tuple[float, ...]
    #: Area under a ROC curve, or average precision.
    area: float
    #: Share of the class among the rows, which is the precision of a guess.
    prevalence: float


@dataclass(frozen=True, slots=True)
class Bin:
    """Rows whose probability lies in one interval."""

    lower: float
    upper: float
    rows: int
    #: Mean probability, and share of the rows for which it came true.
    expected: float
    observed: float


@dataclass(frozen=True, slots=True)
class Calibration:
    """How often what was given a probability came true."""

    #: The class whose probability it is; None for that of whichever class was predicted.
    label: int | str | None
    bins: tuple[Bin, ...]
    #: Mean distance of expected and observed shares, weighted by rows.
    error: float
    #: Mean squared error of the probability.
    brier: float


@dataclass(frozen=True, slots=True)
class Curves:
    """The curves of the validation predictions of a run."""

    roc: tuple[Curve, ...]
    precision_recall: tuple[Curve, ...]
    calibration: Calibration | None
    #: Number of validation rows.
    rows: int
    #: The point of the predicted labels on the ROC curve, if there are two classes.
    operating_point: tuple[float, float] | None


def curves_of(replayed: Replay) -> Curves:
    """Return all curves of some predictions."""
    point = None
    if len(replayed.classes) == 2:
        positive = replayed.truth == 1
        if positive.any() and not positive.all():
            predicted = replayed.predicted == 1
            point = float(predicted[~positive].mean()), float(predicted[positive].mean())
    return Curves(
        roc=roc_curves(replayed),
        precision_recall=precision_recall_curves(replayed),
        calibration=calibration(replayed),
        rows=len(replayed.truth),
        operating_point=point,
    )


def mean_curve(curves: Sequence[Curve]) -> Curve:
    """Return the mean of the ROC curves of several classes, each of the same weight.

    The true positive rates are averaged at the same false positive rates; the area is the mean of
    the areas.

    Source: Fawcett 2006, "An introduction to ROC analysis", 8.2 "Vertical averaging".
    """
    import numpy as np

    grid = np.linspace(0.0, 1.0, MAX_POINTS)
    # Where a curve rises at one rate its upper end counts; every curve starts at zero.
    y = np.mean([np.interp(grid, curve.x, curve.y) for curve in curves], axis=0)
    return Curve(
        label="mean",
        x=(0.0, *map(float, grid)),
        y=(0.0, *map(float, y)),
        area=float(np.mean([curve.area for curve in curves])),
        prevalence=float(np.mean([curve.prevalence for curve in curves])),
    )


def roc_curves(replayed: Replay) -> tuple[Curve, ...]:
    """Return the ROC curve of each class that some rows have and some lack.

    Of two classes only the greater has one; the other's is its mirror image.
    """
    from sklearn.metrics import auc, roc_curve

    curves = []
    for position, positive, scores in _one_against_rest(replayed):
        x, y, _ = roc_curve(positive, scores)
        curves.append(
            Curve(
                label=replayed.classes[position],
                x=_thinned(x),
                y=_thinned(y),
                area=float(auc(x, y)),
                prevalence=float(positive.mean()),
            )
        )
    return tuple(curves)


def precision_recall_curves(replayed: Replay) -> tuple[Curve, ...]:
    """Return precision over recall for the classes of :func:`roc_curves`, by growing recall."""
    from sklearn.metrics import average_precision_score, precision_recall_curve

    curves = []
    for position, positive, scores in _one_against_rest(replayed):
        precision, recall, _ = precision_recall_curve(positive, scores, drop_intermediate=True)
        curves.append(
            Curve(
                label=replayed.classes[position],
                x=_thinned(recall[::-1]),
                y=_thinned(precision[::-1]),
                area=float(average_precision_score(positive, scores)),
                prevalence=float(positive.mean()),
            )
        )
    return tuple(curves)


def calibration(replayed: Replay) -> Calibration | None:
    """Return the calibration of the probabilities, or None where the model gives none.

    Of two classes the probability of the greater one is taken, of more that of the predicted one.
    """
    import numpy as np

    if replayed.kind != "probability":
        return None
    binary = len(replayed.classes) == 2
    if binary:
        probability, came_true = replayed.scores[:, 1], replayed.truth == 1
    else:
        probability = replayed.scores[np.arange(len(replayed.truth)), replayed.predicted]
        came_true = replayed.truth == replayed.predicted
    edges = np.linspace(0.0, 1.0, BINS + 1)
    places = np.clip(np.searchsorted(edges, probability, side="right") - 1, 0, BINS - 1)
    bins = tuple(
        Bin(
            lower=float(edges[index]),
            upper=float(edges[index + 1]),
            rows=int(inside.sum()),
            expected=float(probability[inside].mean()),
            observed=float(came_true[inside].mean()),
        )
        for index in range(BINS)
        if (inside := places == index).any()
    )
    rows = len(probability)
    return Calibration(
        label=replayed.classes[1] if binary else None,
        bins=bins,
        error=sum(item.rows * abs(item.expected - item.observed) for item in bins) / rows,
        brier=float(np.mean((probability - came_true) ** 2)),
    )


def _one_against_rest(replayed: Replay) -> list[tuple[int, Any, Any]]:
    positions = [1] if len(replayed.classes) == 2 else range(len(replayed.classes))
    cases = [(at, replayed.truth == at, replayed.scores[:, at]) for at in positions]
    return [case for case in cases if case[1].any() and not case[1].all()]


def _thinned(values: Any) -> tuple[float, ...]:
    """Return at most ``MAX_POINTS`` of the points, the first and the last among them."""
    import numpy as np

    if len(values) > MAX_POINTS:
        values = values[np.linspace(0, len(values) - 1, MAX_POINTS).round().astype(int)]
    return tuple(values.tolist())
