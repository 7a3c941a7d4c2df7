"""The lineage of a run as text: its ancestors and its descendants, and what changed each time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from runforge_contracts.display import shorten
from runforge_contracts.lineage.run_family import is_in
from runforge_contracts.store.layout import Place

from runforge_cli.terminal.text_layout import paragraph, plural, table

#: What is shown of a run that is named and not there.
ELSEWHERE = "not in this store"
#: Maximum number of ids in one line, and of levels of the tree that are indented.
_IDS, _DEEP = 3, 8
_LONG = 200


def lineage_facts(
    parent: str | None, children: Sequence[str], places: Sequence[Place]
) -> Iterator[tuple[str, str]]:
    """Yield which run a run repeats, and by which ones it was repeated, as far as there are any.

    Parameters
    ----------
    parent, children
        Their ids.
    places
        Where the run that is repeated may be.
    """
    if parent is not None:
        yield "repeats", parent + ("" if is_in(parent, places) else f" ({ELSEWHERE})")
    if children:
        yield "repeated by", ids_text(children)


def ids_text(run_ids: Sequence[str]) -> str:
    """Return the first ids of a list and the number of the others."""
    more = f" and {len(run_ids) - _IDS:,} more" if len(run_ids) > _IDS else ""
    return ", ".join(run_ids[:_IDS]) + more


def lineage_lines(document: dict[str, Any]) -> Iterator[str]:
    """Yield the lines on a ``trace.v1`` of a run."""
    runs = {run["run_id"]: run for run in document["runs"]}
    named = runs[document["run_id"]]
    rows, depths = list[list[str]](), dict[str, int]()
    for run in runs.values():
        parent = run.get("rerun_from")
        if parent is not None and parent not in runs and not rows:
            rows.append([shorten(parent, _LONG), ELSEWHERE, ""])
            depths[parent] = 0
        depths[run["run_id"]] = depths[parent] + 1 if parent in depths else 0
        rows.append(_row(run, depths[run["run_id"]], is_named=run is named))
    before = sum(depth < depths[named["run_id"]] for depth in depths.values())
    after = len(depths) - before - 1 + document.get("left_out", 0)
    yield from paragraph(
        f"Run {named['run_id']}: {plural(before, 'ancestor')}, {plural(after, 'descendant')}"
    )
    yield ""
    yield from table(("run", "status", "changed"), rows, flexible=2)
    if document.get("left_out"):
        yield f"… and {plural(document['left_out'], 'more descendant')}"
    for run in runs.values():
        if "group_id" in run:
            member = f", member {run['sweep_member']}" if "sweep_member" in run else ""
            yield from paragraph(f"{run['run_id']} is of the sweep {run['group_id']}{member}.")


def _row(run: dict[str, Any], depth: int, *, is_named: bool) -> list[str]:
    start = "  " * (min(depth, _DEEP) - 1) + "└ " if depth else ""
    mark = " *" if is_named else ""
    return [f"{start}{run['run_id']}{mark}", run["status"], run.get("changes", "")]
