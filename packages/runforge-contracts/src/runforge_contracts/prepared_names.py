"""The names of the columns that a recipe makes, and the raw column that each comes from.

Source: specification, section 24.4.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

_ESCAPED = re.compile(r"[\\=:]")
#: The name of a raw column, which ends at the first `=` or `:` without a backslash before it.
_RAW = re.compile(r"(?:[^\\=:]|\\.)*", re.DOTALL)


def escaped_name(name: str) -> str:
    """Return the name of a raw column as the names of prepared columns have it."""
    return _ESCAPED.sub(lambda found: "\\" + found[0], name)


def raw_name(name: str) -> str:
    """Return the name of the raw column that a prepared column comes from."""
    found = _RAW.match(name)
    assert found is not None  # noqa: S101 - it matches the empty string, too
    return re.sub(r"\\(.)", r"\1", found[0], flags=re.DOTALL)


def by_raw_column(names: Iterable[str]) -> dict[str, list[str]]:
    """Return the prepared columns of each raw column, both in the order of ``names``."""
    groups: dict[str, list[str]] = {}
    for name in names:
        groups.setdefault(raw_name(name), []).append(name)
    return groups
