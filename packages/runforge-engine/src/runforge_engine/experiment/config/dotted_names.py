"""Dotted names of the values of a configuration, such as ``training.epochs``."""

from __future__ import annotations

from collections.abc import Iterable

from runforge_contracts.display import quote


def nearest(name: str, known: Iterable[str], cutoff: float = 0.7) -> str | None:
    """Return the closest known name, or None.

    ``lr`` may be short for ``training.lr``, and ``trainng.lr`` is a typo of it.
    """
    from difflib import get_close_matches

    names = list(known)
    leaves = [other for other in names if other.rpartition(".")[2] == name]
    if leaves:
        return leaves[0]
    near = get_close_matches(name, names, n=1, cutoff=cutoff)
    return near[0] if near else None


def did_you_mean(name: str | None, form: str = "{}") -> str:
    """Return a "did you mean" question for ``name``; empty if there is no name."""
    return "" if name is None else f"Did you mean {quote(form.format(name))}?"
