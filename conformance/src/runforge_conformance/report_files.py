"""The files of a report.

``report.json`` follows the schema ``report.v1``, ``junit.xml`` is for continuous integration,
``summary.md`` is for readers, and ``badge.json`` is an endpoint badge of shields.io.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
from runforge_contracts.codec.strict_json import encode_json
from runforge_contracts.fs.files import write_file

from runforge_conformance._generated.report_v1 import ReportV1
from runforge_conformance.junit_report import junit
from runforge_conformance.markdown_report import markdown
from runforge_conformance.suite_report import headline, no_badge


def write_reports(report: ReportV1, folder: Path) -> None:
    """Write all report files into ``folder``; remove a badge that the run does not earn."""
    folder.mkdir(parents=True, exist_ok=True)
    write_file(folder / "report.json", encode_json(msgspec.to_builtins(report)))
    write_file(folder / "junit.xml", junit(report))
    write_file(folder / "summary.md", markdown(report).encode("utf-8"))
    earned = badge(report)
    if earned is None:
        (folder / "badge.json").unlink(missing_ok=True)
    else:
        write_file(folder / "badge.json", encode_json(earned))


def badge(report: ReportV1) -> dict[str, Any] | None:
    """Return the report as an endpoint badge of shields.io, or None if it earns none."""
    if no_badge(report):
        return None
    return {
        "schemaVersion": 1,
        "label": f"RunForge contract v{report.contract}",
        "message": f"{report.verdict}: {headline(report, '/')}",
        "color": "brightgreen" if report.verdict == "conformant" else "red",
    }
