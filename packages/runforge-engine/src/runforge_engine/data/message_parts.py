"""Build parts of messages about a dataset: lists of names, and how to exclude columns."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from difflib import get_close_matches

from runforge_contracts.display import printable, quote

from runforge_engine.data.dataset_source import DatasetSource

#: Maximum number of columns or values that a diagnostic names.
SHOWN = 20


def name_list(names: Sequence[object]) -> str:
    """Return the first names of a list, quoted, for a message."""
    shown = ", ".join(quote(name, 30) for name in names[:10])
    return shown + (f" and {len(names) - 10} more" if len(names) > 10 else "")


def exclusion(names: Sequence[str], source: DatasetSource) -> str:
    """Return how to exclude columns: an argument in Python, else options."""
    shown = names[:SHOWN]
    if source.in_python:
        return f"`exclude=[{', '.join(repr(printable(name)) for name in shown)}]`"
    options = " ".join(f"--exclude {_shell_quote(name)}" for name in shown)
    return f"{options} (dataset.exclude_columns in a request)"


def _shell_quote(name: str) -> str:
    """Return a column name quoted for a shell."""
    return shlex.quote(printable(name))


def did_you_mean(name: str, names: Sequence[str]) -> str | None:
    """Return a hint with the column name most similar to ``name``, or None."""
    folded = {item.strip().lower(): item for item in names}
    near = get_close_matches(name.strip().lower(), folded, n=1)
    return f"Did you mean {quote(folded[near[0]])}?" if near else None
