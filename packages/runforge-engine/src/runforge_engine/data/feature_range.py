"""Check the size of feature values: not finite, too large to be scaled, or outliers."""

from __future__ import annotations

import math
import sys
from collections.abc import Sequence
from typing import Any

from runforge_contracts.diagnostics import Diagnostic, DiagnosticCode, diagnostic
from runforge_contracts.display import quote
from runforge_contracts.errors import ErrorCode, Location, Problem, RunForgeError

from runforge_engine.data.cells import EXACT
from runforge_engine.data.dataset_source import DatasetSource
from runforge_engine.data.message_parts import SHOWN, exclusion

#: Largest value of a feature: the scaler squares it.
MAX_FEATURE = math.sqrt(sys.float_info.max)


def check_range(
    X: Any, features: Sequence[str], keep: Any, source: DatasetSource, *, excludable: bool
) -> None:
    """Raise an error for values that are not finite, or whose squares are not."""
    import numpy as np

    infinite, large = [], []
    for index, name in enumerate(features):
        sizes = np.abs(X[:, index])
        bad = np.flatnonzero(~(sizes <= MAX_FEATURE))
        if not bad.size:
            continue
        unending = bad[~np.isfinite(sizes[bad])]
        at = unending[0] if unending.size else bad[0]
        location = Location(column=name, row=int(keep[at]) + 1)
        if unending.size:
            infinite.append(Problem(f"The column {quote(name)} holds an infinite value.", location))
        else:
            value = float(X[at, index])
            large.append(Problem(f"The column {quote(name)} holds {value!r}.", location))
    if infinite:
        first = infinite[0].location
        raise RunForgeError(
            ErrorCode.FEATURE_NOT_FINITE,
            f"The column {quote(first.column)} holds a value that is not finite, in row"
            f" {first.row}.",
            hint="Remove the row, or leave the cell empty if the value is unknown.",
            path=str(source.path),
            column=first.column,
            row=first.row,
            problems=infinite if len(infinite) > 1 else (),
        )
    if large:
        raise _too_large(large, source, excludable=excludable)


def summable(rows: int) -> float:
    """Return the largest value for which the variance of ``rows`` values is always finite."""
    return MAX_FEATURE / (2 * math.sqrt(rows))


def check_spread(X: Any, features: Sequence[str], keep: Any, source: DatasetSource) -> None:
    """Raise an error for columns whose variance is not finite."""
    import numpy as np

    problems = []
    for index, name in enumerate(features):
        column = X[:, index]
        at = int(np.argmax(np.abs(column)))
        if abs(column[at]) <= summable(len(X)):
            continue
        with np.errstate(over="ignore"):
            spread = float(np.square(column - column.mean()).sum())
        if not math.isfinite(spread):
            location = Location(column=name, row=int(keep[at]) + 1)
            value = float(column[at])
            problems.append(Problem(f"The column {quote(name)} holds {value!r}.", location))
    if problems:
        raise _too_large(problems, source, excludable=True)


def outliers(X: Any, features: Sequence[str], keep: Any) -> list[Diagnostic]:
    """Return warnings for values so large that most others become equal once scaled."""
    import numpy as np

    found = []
    for index, name in enumerate(features):
        sizes = np.abs(X[:, index])
        at = int(np.argmax(sizes))
        small = X[sizes < sizes[at] / EXACT, index]
        if 2 * small.size >= len(X) and small.min() < small.max():
            row = int(keep[at]) + 1
            found.append(
                diagnostic(
                    DiagnosticCode.FEATURE_OUTLIER,
                    f"The column {quote(name)} holds {float(X[at, index])!r} in row {row}, beside"
                    f" which {small.size:,} of {len(X):,} values are equal once scaled.",
                    column=name,
                    row=row,
                    hint="Leave the cell empty if the value stands for an unknown one.",
                )
            )
    return found[:SHOWN]


def _too_large(
    problems: list[Problem], source: DatasetSource, *, excludable: bool
) -> RunForgeError:
    names = [str(problem.location.column) for problem in problems]
    first, one = problems[0], len(problems) == 1
    return RunForgeError(
        ErrorCode.FEATURE_TOO_LARGE,
        f"{first.message.removesuffix('.')} in row {first.location.row}, which is too large to be"
        " scaled: its square, or the sum of such squares, is no finite number.",
        hint="Leave the cell empty if the value stands for an unknown one, divide the column, or"
        f" leave it out with {exclusion(names, source)}."
        if excludable
        else "Leave the cell empty if the value stands for an unknown one.",
        path=str(source.path),
        column=first.location.column,
        row=first.location.row,
        problems=() if one else problems[:SHOWN],
    )
