"""A sweep for programs: the group document with the metrics of its members, and a CSV table."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from runforge_engine.store.sweep_settings import SweepSetting, settings_of
from runforge_engine.store.sweep_table import SweepCell, SweepRow, SweepTable, value_label


def sweep_document(
    sweep: SweepTable, group: dict[str, Any], rows: Sequence[SweepRow]
) -> dict[str, Any]:
    """Return the group document with the metrics of its members, for ``--json``.

    Parameters
    ----------
    sweep
        The sweep.
    group
        The group document as it was read; empty if there is none.
    rows
        The members in the order of the list.
    """
    recorded = {
        item.get("member"): item for item in group.get("runs") or () if isinstance(item, dict)
    }
    runs = []
    for row in rows:
        found = {
            "member": row.number,
            "run_id": row.run_id,
            "run_dir": row.run_dir,
            "state": row.status,
            "values": {
                column.path: cell.value
                for column, cell in zip(sweep.columns, row.cells, strict=True)
                if cell.known
            },
            "metrics": dict(row.metrics),
            "duration_ms": row.duration_ms,
            "error": None
            if row.error is None
            else dict(zip(("code", "message"), row.error, strict=True)),
            "problem": row.problem,
        }
        kept = {name: value for name, value in found.items() if value is not None}
        runs.append({**recorded.get(row.number, {}), **kept})
    best = sweep.best()
    return {
        **group,
        "group_id": sweep.group_id,
        "state": sweep.status,
        "metric": sweep.metric,
        "parameters": [
            {"path": column.path, "name": column.name, "values": [c.value for c in column.cells]}
            for column in sweep.columns
        ],
        "best_members": [row.number for row in best],
        "settings": [_setting_document(sweep, setting) for setting in settings_of(sweep)]
        if sweep.seeds > 1
        else [],
        "runs": runs,
    }


def _setting_document(sweep: SweepTable, setting: SweepSetting) -> dict[str, Any]:
    known: dict[str, Any] = {
        "values": {
            column.path: cell.value
            for column, cell in zip(sweep.setting_columns, setting.cells, strict=True)
            if cell.known
        },
        "members": [row.number for row in setting.rows],
        "runs": len(setting.values),
    }
    if setting.values:
        known |= {"mean": setting.mean, "least": setting.least, "greatest": setting.greatest}
    if setting.half_width is not None:
        half, mean = setting.half_width, setting.mean or 0.0
        known["interval_95"] = [mean - half, mean + half]
    return known


def csv_table(sweep: SweepTable, rows: Sequence[SweepRow]) -> tuple[list[str], list[list[str]]]:
    """Return the members as a table: numbers in full precision, empty where unknown."""
    fields = ["member", "run_id", "status", "duration_ms", "error_code", "run_dir"]
    taken = set(fields)
    header = list(fields)
    for prefix, names in (
        ("parameter.", [column.name for column in sweep.columns]),
        ("metric.", list(sweep.metrics)),
    ):
        for name in names:
            own = f"{prefix}{name}" if name in taken or name.startswith(prefix) else name
            taken.add(own)
            header.append(own)
    cells = [
        [
            str(row.number),
            row.run_id or "",
            row.status,
            "" if row.duration_ms is None else str(row.duration_ms),
            row.error[0] if row.error else "",
            row.run_dir or "",
            *(_exact(cell) for cell in row.cells),
            *(str(row.metrics.get(name, "")) for name in sweep.metrics),
        ]
        for row in rows
    ]
    return header, cells


def _exact(cell: SweepCell) -> str:
    if not cell.known:
        return ""
    return str(cell.value) if cell.number is not None else value_label(cell.value)
