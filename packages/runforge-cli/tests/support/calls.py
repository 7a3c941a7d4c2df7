"""Helpers of the command tests: the result of a call, and the usual arguments."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).parents[4]


class Result(NamedTuple):
    """What a call gave."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """Return standard output as the one JSON document that it is."""
        return json.loads(self.out)


Call = Callable[..., Result]

TRAIN = (
    "train",
    "penguins.csv",
    "--label",
    "species",
    "--exclude",
    "island",
    "--exclude",
    "sex",
    "--exclude",
    "year",
)
