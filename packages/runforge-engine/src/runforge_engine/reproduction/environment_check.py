"""Compare the recorded environment with the current one, and restore its numeric variables."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from runforge_contracts.comparison.environment_difference import by_relevance, environment_fields

from runforge_engine.reproduction.reproduction_findings import (
    ABSENT,
    UncheckedPart,
    ValueDifference,
)
from runforge_engine.runtime.numeric_environment import NUMERIC_VARIABLES, PINNED_VARIABLES

#: Values that a document may set for numeric variables; other values could request millions of
#: threads, or affect the C library in other ways.
_SAFE = (
    (re.compile(r".*_(NUM|MAXIMUM)_THREADS"), re.compile(r"[1-9][0-9]{0,2}")),
    (re.compile(r"OPENBLAS_CORETYPE"), re.compile(r"[A-Za-z0-9_]{1,40}")),
    (re.compile(r"NPY_(DIS|EN)ABLE_CPU_FEATURES"), re.compile(r"[A-Z0-9_ ,]{0,400}")),
    (re.compile(r"MKL_CBWR"), re.compile(r"[A-Za-z0-9_,]{1,40}")),
    (
        re.compile(r"GLIBC_TUNABLES"),
        re.compile(r"glibc\.cpu\.[a-z0-9_]+=[A-Za-z0-9_,+-]*(:glibc\.cpu\.[a-z0-9_]+=[\w,+-]*)*"),
    ),
)


def child_variables(
    here: Mapping[str, str], recorded: Mapping[str, str], *, pinned: bool
) -> tuple[dict[str, str], list[UncheckedPart]]:
    """Return the environment for a process whose libraries are to load as they did in the run.

    Parameters
    ----------
    here
        The environment of this process.
    recorded
        ``provenance.numerics.environment`` of the run.
    pinned
        Whether the new process will pin its numeric environment itself.

    Returns
    -------
    variables
        ``here``, with its numeric variables replaced by those of the record.
    refused
        Variables of the record that are not set, because their values are not safe.
    """
    variables = {name: value for name, value in here.items() if name not in NUMERIC_VARIABLES}
    refused = []
    for name, value in recorded.items():
        if name not in NUMERIC_VARIABLES or (pinned and name in PINNED_VARIABLES):
            continue
        if _is_safe(name, value):
            variables[name] = value
        else:
            refused.append(
                UncheckedPart(
                    f"numerics.environment.{name}", "Its recorded value is not set again."
                )
            )
    return variables, refused


def _is_safe(name: str, value: str) -> bool:
    return any(names.fullmatch(name) and values.fullmatch(value) for names, values in _SAFE)


def environment_differences(
    recorded: Mapping[str, Any], here: Mapping[str, Any]
) -> list[ValueDifference]:
    """Return every field in which two environments differ, the most relevant first.

    Parameters
    ----------
    recorded, here
        ``provenance`` of two runs.
    """
    left, right = environment_fields(recorded), environment_fields(here)
    pairs = {
        name: _apart(left.get(name, ABSENT), right.get(name, ABSENT))
        for name in by_relevance({**left, **right})
    }
    return [ValueDifference(name, *pair) for name, pair in pairs.items() if pair[0] != pair[1]]


def _apart(recorded: Any, here: Any) -> tuple[Any, Any]:
    """Return two values; for lists, such as processor features, only the items not in both."""
    if not isinstance(recorded, list) and not isinstance(here, list):
        return recorded, here
    one, other = (value if isinstance(value, list) else [] for value in (recorded, here))
    return (
        " ".join(str(item) for item in one if item not in other) or ABSENT,
        " ".join(str(item) for item in other if item not in one) or ABSENT,
    )
