"""What the commands about bundles have in common: the report as text, and paths to type."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import UNSET

from runforge_cli.shell.settings import Settings
from runforge_cli.terminal.text_layout import plural

if TYPE_CHECKING:
    from runforge_contracts.types import BundleReportV1


def report_rows(report: BundleReportV1, settings: Settings) -> Iterator[tuple[str, str]]:
    """Yield what is shown of a bundle that was written or unpacked."""
    yield "run", f"{report.run_id}, {plural(report.files, 'file')}"
    if report.outcome != "bundled":
        yield "folder", settings.shown(report.run_dir)
    key = "" if report.key is UNSET else f" the key {report.key[:16]}…"
    yield (
        "signature",
        {
            "valid": f"valid: made with{key}",
            "not checked": f"not checked: it names{key or ' no key'}; --public-key verifies it",
            "none": "none",
        }[report.signature],
    )
    if report.dataset is not UNSET:
        bundled = report.outcome == "bundled"
        yield "dataset", report.dataset if bundled else settings.shown(report.dataset)
    elif report.outcome == "bundled":
        yield "dataset", "not included"
    if report.evaluations is not UNSET:
        yield "evaluations", f"{report.evaluations:,}, not included"
    yield "bundle", f"{report.bundle}, {report.bytes:,} bytes"


def quoted(path: str | Path) -> str:
    """Return a path as it can be typed."""
    return shlex.quote(str(path))
