"""Values that a program passes as Python's own: numpy's numbers and strings in documents."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from typing import Any


def plain(value: Any) -> Any:
    """Return a value with the numbers, strings and arrays of numpy as those of Python.

    Mappings, lists and tuples are copied; everything else stays as it is. Does not import numpy.
    """
    if isinstance(value, Mapping):
        return {plain(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    numpy = sys.modules.get("numpy")
    if numpy is not None and isinstance(value, (numpy.generic, numpy.ndarray)):
        return value.tolist()
    return value


def listed(names: Iterable[str]) -> list[str]:
    """Return names as a list; a string is one name, not its characters."""
    return [names] if isinstance(names, str) else list(names)
