"""The metrics are those of scikit-learn, bit by bit."""

from __future__ import annotations

import numpy as np
import pytest
from runforge_engine.modeling.evaluation import count_pairs, scores_by_class
from sklearn import metrics


@pytest.mark.parametrize("seed", range(60))
def test_every_number_is_that_of_the_function_of_its_name(seed: int) -> None:
    random = np.random.default_rng(seed)
    kinds: tuple[list[int | str], ...] = (
        [0, 1],
        [-5, 3, 2**40],
        ["a", "b c", "é"],
        list(range(int(random.integers(2, 80)))),
        [f"label {number:03d}" for number in range(30)],
    )
    labels = kinds[seed % len(kinds)]
    rows = int(random.integers(1, 400))
    # Some classes do not occur at all, or are never predicted.
    weights = random.dirichlet(np.full(len(labels), 0.4), size=2)
    truth, predicted = (
        np.asarray(labels)[random.choice(len(labels), size=rows, p=part)] for part in weights
    )
    predicted = np.where(random.random(rows) < 0.6, truth, predicted)
    matrix = count_pairs(truth, predicted, labels)
    expected = metrics.confusion_matrix(truth, predicted, labels=labels)
    assert matrix.tolist() == expected.tolist()
    found = scores_by_class(matrix)
    options = {"labels": labels, "zero_division": 0}
    each = metrics.precision_recall_fscore_support(truth, predicted, average=None, **options)
    mean = metrics.precision_recall_fscore_support(truth, predicted, average="macro", **options)
    for mine, theirs, average in zip(found, each[:3], mean[:3], strict=True):
        assert mine.tobytes() == np.asarray(theirs, dtype=np.float64).tobytes()
        assert float(np.nanmean(mine)) == average
    accuracy = metrics.accuracy_score(truth, predicted)
    assert float(np.trace(matrix) / matrix.sum()) == accuracy
