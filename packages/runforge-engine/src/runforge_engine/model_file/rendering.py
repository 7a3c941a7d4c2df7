"""Render values of a model as shortened JSON."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from runforge_contracts.display import shorten

from runforge_engine.model_file.arrays import elements, scalar_value
from runforge_engine.model_file.limits import InspectionLimits
from runforge_engine.model_file.values import Array, Instance, Mapping, Scalar, Set

_PLAIN = (type(None), str, int, float, Scalar)
#: Maximum size of an array whose elements are shown, in bytes.
_LARGEST = 16 * 1024**2


class Renderer:
    """Convert values to JSON, up to a limit on the total result.

    The limit is on the total because one list can be an attribute of a million objects.
    """

    def __init__(self, limits: InspectionLimits) -> None:
        self._characters = limits.shown_characters
        self._left = limits.shown_entries

    def text(self, text: str) -> str:
        """Return a string cut to the limit and valid in UTF-8."""
        short = shorten(text, self._characters)
        return short.encode("utf-8", "backslashreplace").decode("utf-8")

    def value(self, value: object) -> Any:
        """Return a value as JSON; values without a JSON form are ``{"text": ...}``."""
        self._left -= 1
        if isinstance(value, Scalar):
            value = scalar_value(value)
        if value is None or isinstance(value, bool):
            return value
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, int) and abs(value) < 2**53:
            return value
        if isinstance(value, float) and math.isfinite(value):
            return value
        if isinstance(value, tuple | list) and self._shows(value):
            return [self.value(item) for item in value]
        if isinstance(value, Mapping) and self._shows([item for _, item in value.pairs]):
            return {self.key(key): self.value(item) for key, item in value.pairs}
        return {"text": self._kind(value)}

    def _shows(self, items: Sequence[object]) -> bool:
        return len(items) <= self._left and all(isinstance(item, _PLAIN) for item in items)

    def key(self, key: object) -> str:
        """Return the key of a dict in its JSON form."""
        value = scalar_value(key) if isinstance(key, Scalar) else key
        return self.text(value if isinstance(value, str) else str(value))

    def elements(self, array: Array) -> list[Any] | None:
        """Return the elements of an array, or ``None`` if there are too many."""
        size = array.size * array.dtype.itemsize
        if len(array.shape) != 1 or array.size > self._left or size > _LARGEST or not array.built:
            return None
        return [self.value(value) for value in elements(array)]

    def _kind(self, value: object) -> str:
        """Return a short description of a value that is not shown."""
        if isinstance(value, int | float | complex):
            return str(value)
        if isinstance(value, Instance):
            return self.text(f"{value.cls.module}.{value.cls.name}")
        if isinstance(value, Array):
            return f"array of {value.dtype.name}"
        return {list: "list", tuple: "tuple", Mapping: "dict", Set: "set"}.get(
            type(value), "object"
        )
