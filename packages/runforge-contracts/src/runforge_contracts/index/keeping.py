"""Whether this process keeps the indexes that it reads.

Apart from what keeps them, :mod:`runforge_contracts.index.kept_index`, which only servers need.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from runforge_contracts.index.kept_index import Keeper

#: What keeps them; None in a process that keeps none.
keeper: Keeper | None = None


def keeps_indexes() -> bool:
    """Return whether this process keeps the indexes that it reads."""
    return keeper is not None
