"""The aliases of a store: names that point at runs, and the history of what they pointed at.

The history is a file of JSON Lines to which lines are only appended. Each line has the digest of
all lines before it, so that a changed line is noticed; a signature has the digest of the whole.
Nothing here writes.

Source: specification, section 5.11.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from runforge_contracts.display import quote
from runforge_contracts.errors import ErrorCode, RunForgeError
from runforge_contracts.run_ids import is_run_id, parse_experiment_run_id
from runforge_contracts.store.chained_lines import ChainedLines, read_chained_lines
from runforge_contracts.store.layout import StoreLayout

#: Largest history that is read, in bytes: some hundred thousand lines.
MAX_BYTES = 32 * 2**20
#: The digest of a history without lines.
NO_LINES = "0" * 64
_NAME = re.compile(r"[A-Za-z][0-9A-Za-z._-]{0,63}")
#: Words that mean something else where a run is named.
_KEYWORDS = frozenset({"latest", "best", "name", "tag", "alias", "all", "none"})


class AliasHistory(ChainedLines):
    """The lines of a history, in the order in which they were appended."""

    @property
    def current(self) -> dict[str, dict[str, Any]]:
        """The last line about each alias that points at a run, by name."""
        last = {entry["alias"]: entry for entry in self.entries}
        return {name: last[name] for name in sorted(last) if "run_id" in last[name]}

    def about(self, name: str) -> list[dict[str, Any]]:
        """Return the lines about an alias, oldest first."""
        return [entry for entry in self.entries if entry["alias"] == name]


class FoundAlias(NamedTuple):
    """An alias that points at a run."""

    entry: dict[str, Any]
    store: StoreLayout


def name_problem(name: str) -> str | None:
    """Return why an alias cannot have a name, as the end of a sentence; None if it can."""
    if not _NAME.fullmatch(name):
        return "it is not a letter followed by up to 63 letters, digits, dots, `-` and `_`"
    if name.lower() in _KEYWORDS:
        return "the word means something else where a run is named"
    if is_run_id(name) or parse_experiment_run_id(name) or name.startswith(("run-", "eval_")):
        return "it looks like an id"
    return None


def read_aliases(store: StoreLayout) -> AliasHistory:
    """Return the history of the aliases of a store; empty if there is none.

    A last line that its writer did not finish is left out.

    Raises
    ------
    RunForgeError
        ``DOCUMENT_INVALID`` if a line is not valid or does not follow the line before it;
        ``FILE_UNSAFE`` for a link; ``FILE_UNREADABLE``.
    """
    return read_chained_lines(
        AliasHistory,
        store,
        store.aliases,
        "alias.v1",
        "The history of the aliases",
        max_bytes=MAX_BYTES,
    )


def find_aliases(name: str, stores: Iterable[StoreLayout]) -> list[FoundAlias]:
    """Return the alias of each store that has it.

    Raises
    ------
    RunForgeError
        As :func:`read_aliases`.
    """
    if not _NAME.fullmatch(name):
        return []
    found = [(read_aliases(store).current.get(name), store) for store in stores]
    return [FoundAlias(entry, store) for entry, store in found if entry is not None]


def aliases_by_run(stores: Iterable[StoreLayout]) -> dict[str, list[str]]:
    """Return the aliases of runs, by run id; a history that is not valid counts as empty."""
    found: dict[str, list[str]] = {}
    for store in stores:
        try:
            current = read_aliases(store).current
        except RunForgeError:
            continue
        for name, entry in current.items():
            names = found.setdefault(entry["run_id"], [])
            if name not in names:
                names.append(name)
    return found


def with_aliases(
    entries: Sequence[dict[str, Any]], stores: Iterable[StoreLayout]
) -> list[dict[str, Any]]:
    """Return entries of a list of runs, with the aliases of those that have any."""
    return with_known_aliases(entries, aliases_by_run(stores))


def with_known_aliases(
    entries: Sequence[dict[str, Any]], known: Mapping[str, list[str]]
) -> list[dict[str, Any]]:
    """Return entries as :func:`with_aliases`, given the aliases by run id."""
    return [
        {**entry, "aliases": known[entry["run_id"]]} if entry["run_id"] in known else entry
        for entry in entries
    ]


def ambiguous(name: str, others: Sequence[str]) -> RunForgeError:
    """Return the error on an alias that other runs are named or begin like."""
    return RunForgeError(
        ErrorCode.RUN_AMBIGUOUS,
        f"{quote(name)} is an alias, and also the name or the start of the id of"
        f" {', '.join(map(quote, others[:3]))}{' and others' if len(others) > 3 else ''}.",
        hint=f"`alias:{name}` is the run of the alias; give more of the id for another one.",
    )
