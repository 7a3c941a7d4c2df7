"""Find features that should probably not be learned from: identifiers, and copies of the label.

Both are only reported; nothing is left out. Nearly every column is ruled out by some of its rows,
so that looking costs next to nothing beside reading the dataset.

Source: specification, section 11.3.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from runforge_contracts.diagnostics import Diagnostic, DiagnosticCode, diagnostic

from runforge_engine.data.dataset_source import DatasetSource
from runforge_engine.data.message_parts import SHOWN, exclusion, name_list

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

#: Smallest table in which a column of different integers is an identifier and no accident.
_LEAST_ROWS = 50
#: Rows of the first look, and of the second one.
_SAMPLES = (1_000, 50_000)
#: An identifier that counts may leave out as many numbers as there are rows.
_SPARSE = 2
#: Rows that share a value, on average, where values and not an order tell the classes apart.
_ROWS_PER_VALUE = 10
#: Probability below which a feature does not tell the classes apart by accident.
_BY_ACCIDENT = 1e-6
#: Names of identifiers, such as ``id``, ``customer_id`` and ``PassengerId``.
_WORD = re.compile(r"(?:^|[\W_])(?:id|key|index|idx|row)$", re.IGNORECASE)
_CAMEL = re.compile(r"[a-z]I[dD]$")


def suspicious_features(
    X: NDArray[np.float64],
    positions: NDArray[np.intp],
    names: Sequence[str],
    source: DatasetSource,
    places: NDArray[np.intp] | None = None,
) -> list[Diagnostic]:
    """Return warnings for features that look like identifiers or like copies of the label.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features)
        The features; finite.
    positions : ndarray of shape (n_samples,)
        The class of each sample, from 0.
    names
        Names of the features.
    source
        The dataset, for hints.
    places : ndarray of shape (n_samples,), optional
        Where each sample of the dataset is in ``X`` and ``positions``; in order by default.
    """
    found = []
    ids = [names[index] for index in identifiers(X, names, places)]
    if ids:
        found.append(like_identifiers(ids, len(X), source))
    leaks = [names[index] for index in _copies(X, positions, places)]
    if leaks:
        one = len(leaks) == 1
        found.append(
            diagnostic(
                DiagnosticCode.LABEL_LEAK_SUSPECTED,
                f"{'The column' if one else 'Each of the columns'} {name_list(leaks)} alone tells"
                f" the classes of all {len(X):,} rows apart; {'it' if one else 'they'} may be made"
                " from the label.",
                columns=leaks[:SHOWN],
                count=len(leaks),
                hint="If it is known only once the label is known, leave it out with"
                f" {exclusion(leaks, source)}.",
            )
        )
    return found


def like_identifiers(names: Sequence[str], rows: int, source: DatasetSource) -> Diagnostic:
    """Return the warning for columns that look like identifiers.

    Parameters
    ----------
    names
        Their names.
    rows
        The number of rows.
    source
        The dataset, for the hint.
    """
    one = len(names) == 1
    return diagnostic(
        DiagnosticCode.ID_LIKE_FEATURE,
        f"The column{'' if one else 's'} {name_list(names)} {'has' if one else 'have'}"
        f" a different integer in each of {rows:,} rows, as an identifier would.",
        columns=list(names[:SHOWN]),
        count=len(names),
        hint="What a model learns from an identifier does not hold for new rows; leave it"
        f" out with {exclusion(names, source)}.",
    )


def identifiers(
    X: NDArray[np.float64], names: Sequence[str], places: NDArray[np.intp] | None = None
) -> Iterator[int]:
    """Yield the columns of different integers that count, increase, or are called an identifier.

    The parameters are those of :func:`suspicious_features`.
    """
    import numpy as np

    if len(X) < _LEAST_ROWS:
        return
    # Sorted, so that equal values are beside each other.
    sample = np.sort(X[_sample(len(X), _SAMPLES[0], places)], axis=0)
    candidates = (sample == np.floor(sample)).all(axis=0) & (np.diff(sample, axis=0) > 0).all(
        axis=0
    )
    for index in np.flatnonzero(candidates).tolist():
        column = X[:, index] if places is None else X[places, index]
        increases = bool((np.diff(column) > 0).all())
        values = column if increases else np.sort(column)
        if (values != np.floor(values)).any() or (not increases and (np.diff(values) <= 0).any()):
            continue
        counts = values[-1] - values[0] < _SPARSE * len(values)
        if increases or counts or _is_called_identifier(names[index]):
            yield index


def _is_called_identifier(name: str) -> bool:
    return bool(_WORD.search(name) or _CAMEL.search(name))


def _copies(
    X: NDArray[np.float64], positions: NDArray[np.intp], places: NDArray[np.intp] | None
) -> Iterator[int]:
    """Yield the columns whose value determines the class, in other ways than by accident."""
    import numpy as np

    counts = np.bincount(positions)
    if not len(X) or not _is_evidence(counts, X.shape[1], _orders(len(counts))):
        return
    columns: NDArray[np.intp] = np.arange(X.shape[1])
    for size in (*_SAMPLES, len(X)):
        rows = _sample(len(X), size, places)
        columns = columns[_separable(X[rows][:, columns], positions[rows])]
        if size >= len(X) or not columns.size:
            break
    for index in columns.tolist():
        order = np.argsort(X[:, index], kind="stable")
        values, classes = X[order, index], positions[order]
        changes = np.count_nonzero(np.diff(classes))
        if changes == len(counts) - 1 and (values[1:] > values[:-1])[np.diff(classes) != 0].all():
            yield index
            continue
        different = 1 + np.count_nonzero(np.diff(values))
        if different * _ROWS_PER_VALUE <= len(X) and _is_evidence(
            counts, X.shape[1], different * math.log(len(counts))
        ):
            yield index


def _separable(values: NDArray[np.float64], classes: NDArray[np.intp]) -> NDArray[np.bool_]:
    """Return which columns could determine the class: no value has rows of two classes.

    A column of many different values must also have its classes one beside the other.
    """
    import numpy as np

    order = np.argsort(values, axis=0, kind="stable")
    ordered = np.take_along_axis(values, order, axis=0)
    changes = np.diff(classes[order], axis=0) != 0
    steps = np.diff(ordered, axis=0) > 0
    pure = ~(changes & ~steps).any(axis=0)
    in_order = changes.sum(axis=0) < len(np.unique(classes))
    few = steps.sum(axis=0) < len(values) / 2
    result: NDArray[np.bool_] = pure & (in_order | few)
    return result


def _sample(rows: int, size: int, places: NDArray[np.intp] | None) -> slice | NDArray[np.intp]:
    """Return which rows to look at: about as many as asked for, from the whole table.

    The row that is taken of each few is drawn, always the same: every thousandth row of a table
    whose labels alternate has the same class.
    """
    import numpy as np

    step = rows // size
    if step <= 1:
        return slice(None)
    begins = np.arange(0, rows - step + 1, step)
    # The legacy generator, whose streams numpy guarantees never to change.
    drawn = begins + np.random.RandomState(0).randint(step, size=len(begins))
    return drawn if places is None else places[drawn]


def _orders(classes: int) -> float:
    """Return the logarithm of the number of orders that classes can have along a feature."""
    return math.lgamma(classes + 1)


def _is_evidence(counts: NDArray[np.intp], features: int, ways: float) -> bool:
    """Return whether so clear a separation would be an accident too rare to happen.

    Under a random order of the labels, each way to assign classes has the probability of one
    arrangement of them: the product of the factorials of their sizes, over that of all rows.

    Parameters
    ----------
    counts
        The number of rows of each class.
    features
        The number of features, of which each could have separated the classes.
    ways
        The logarithm of the number of assignments that would count.
    """
    arrangements = math.lgamma(sum(counts.tolist()) + 1) - sum(
        math.lgamma(count + 1) for count in counts.tolist()
    )
    return math.log(features) + ways - arrangements < math.log(_BY_ACCIDENT)
