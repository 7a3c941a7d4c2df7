"""Split the rows into training and validation: stratified, and determined by the seed.

The split equals that of scikit-learn's ``train_test_split``. It is reimplemented here so that it
does not change with the version of scikit-learn, and to avoid a list of a million numbers.

Source: specification, section 11.7; scikit-learn, ``StratifiedShuffleSplit``.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from runforge_contracts.errors import ErrorCode, RunForgeError

#: Fraction of the rows that is used for validation.
VALIDATION_FRACTION = 0.2


@dataclass(frozen=True, slots=True, eq=False)
class RowSplit:
    """Row numbers of both parts, in the order in which they were drawn."""

    train: Any
    validation: Any

    @property
    def order(self) -> Any:
        """The numbers of all rows: those to train with, then those to validate with."""
        import numpy as np

        return np.concatenate([self.train, self.validation])

    def places(self) -> Any:
        """Return where each row is in that order."""
        import numpy as np

        order = self.order
        places = np.empty_like(order)
        places[order] = np.arange(order.size)
        return places


def split_rows(positions: Any, seed: int) -> RowSplit:
    """Split the rows 80 to 20 so that every class keeps its share in both parts.

    The rows and their order are those of ``train_test_split(X, y, test_size=0.2, stratify=y,
    random_state=seed)`` of scikit-learn.

    Parameters
    ----------
    positions : ndarray of int of shape (n_samples,)
        Each row's class, as an index into the sorted classes; every class has at least one row.
    seed : int
        Seed of the draw.

    Raises
    ------
    RunForgeError
        ``SPLIT_IMPOSSIBLE`` if there are too few rows to stratify; there is no fallback.
    """
    import numpy as np

    counts = np.bincount(positions)
    rows, validation_rows = len(positions), math.ceil(len(positions) * VALIDATION_FRACTION)
    train_rows = rows - validation_rows
    if counts.min() < 2 or min(train_rows, validation_rows) < len(counts):
        raise RunForgeError(
            ErrorCode.SPLIT_IMPOSSIBLE,
            f"{rows} rows cannot be split so that every class is in both parts: there are"
            f" {len(counts)} classes, and the validation part has {validation_rows} rows.",
            hint="Each class needs rows in the validation part, which holds a fifth of all rows.",
        )
    # 16-bit integers are sorted by radix, without comparisons.
    small = positions.astype(np.uint16) if len(counts) <= 2**16 else positions
    by_class = np.split(np.argsort(small, kind="stable"), np.cumsum(counts)[:-1])
    # The legacy generator, whose streams numpy guarantees never to change.
    random = np.random.RandomState(seed)
    to_train = _shares(counts, train_rows, random)
    to_validate = _shares(counts - to_train, validation_rows, random)
    train, validation = [], []
    for index, members in enumerate(by_class):
        drawn = members[random.permutation(len(members))]
        cut = to_train[index]
        train.append(drawn[:cut])
        validation.append(drawn[cut : cut + to_validate[index]])
    return RowSplit(
        random.permutation(np.concatenate(train)), random.permutation(np.concatenate(validation))
    )


def _shares(counts: Any, total: int, random: Any) -> Any:
    """Return how many of ``total`` rows each class gets: its share, rounded to add up to ``total``.

    The rows that remain after rounding down go to the classes with the largest remainders; ties
    are broken by a random draw.
    """
    import numpy as np

    exact = counts / counts.sum() * total
    shares = np.floor(exact)
    left = int(total - shares.sum())
    remainders = exact - shares
    for remainder in np.unique(remainders)[::-1]:
        if left <= 0:
            break
        (equal,) = np.where(remainders == remainder)
        chosen = random.choice(equal, size=min(len(equal), left), replace=False)
        shares[chosen] += 1
        left -= len(chosen)
    return shares.astype(int)
