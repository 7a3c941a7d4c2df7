"""The split of rows into training and validation: stratified, from the seed.

Source: RunForge guarantees, "Determinism"; RunForge contract, "Data".
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from runforge_contracts.errors import ErrorCode, RunForgeError

#: Share of the rows that is held back for validation.
VALIDATION_FRACTION = 0.2


@dataclass(frozen=True, slots=True, eq=False)
class Split:
    """Row numbers of both parts, in the order in which scikit-learn drew them."""

    train: Any
    validation: Any


def split_rows(y: Any, seed: int) -> Split:
    """Divide the rows 80 to 20 so that every class keeps its share in both parts.

    The rows are those that ``train_test_split(X, y, test_size=0.2, stratify=y,
    random_state=seed)`` of scikit-learn gives, in the same order.

    Parameters
    ----------
    y : ndarray of shape (n_samples,)
        Class labels.
    seed : int
        Seed of the draw.

    Raises
    ------
    RunForgeError
        ``SPLIT_IMPOSSIBLE`` where there are too few rows to stratify; there is no other split.
    """
    import numpy as np
    from sklearn.model_selection import train_test_split

    try:
        train, validation = train_test_split(
            np.arange(len(y)), test_size=VALIDATION_FRACTION, stratify=y, random_state=seed
        )
    except ValueError as error:
        raise RunForgeError(
            ErrorCode.SPLIT_IMPOSSIBLE,
            f"{len(y)} rows cannot be split so that every class is in both parts: {error}",
            hint="Each class needs rows in the validation part, which holds a fifth of all rows.",
        ) from error
    return Split(train, validation)
