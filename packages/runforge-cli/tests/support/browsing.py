"""Stores to browse in, and a browser whose screen is read."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from calls import ROOT
from runforge_cli.browse.browser import Browser
from runforge_cli.browse.notice import Notice
from runforge_cli.browse.pager import Pager
from runforge_cli.browse.run_table import Heading, RunList
from runforge_cli.shell.settings import Settings
from textual.pilot import Pilot
from textual.widgets import Static

VECTORS = ROOT / "docs/test-vectors/runs"
FAMILIES = ("logistic_regression", "random_forest", "linear_svc")
STATUSES = ("succeeded", "succeeded", "failed", "succeeded", "cancelled")
BEGIN = datetime(2026, 1, 1, tzinfo=UTC)


def entry(number: int, **changes: Any) -> dict[str, Any]:
    """Return the index entry of the run with a number; later ones have greater numbers."""
    when = BEGIN + timedelta(seconds=7 * number)
    run_id = f"{when:%Y%m%d-%H%M%S}-{number:08x}"
    status = STATUSES[number % len(STATUSES)]
    measured = {"accuracy": number * 7919 % 10_000 / 10_000, "log_loss": number % 13 / 10}
    return {
        "run_id": run_id,
        "created_at": f"{when:%Y-%m-%dT%H:%M:%SZ}",
        "name": f"sweep {number}" if number % 3 == 0 else run_id,
        "preset_id": "balanced",
        "status": status,
        "summary": {
            "duration_ms": 1000 + number,
            "final_metrics": measured if status == "succeeded" else {},
            "device": "cpu",
        },
        "run_dir": f".runforge/runs/{run_id}",
        "dataset_fingerprint_sha256": f"{number % 4}" * 64,
        "label_column": "species",
        "model_family": FAMILIES[number % len(FAMILIES)],
        **changes,
    }


def write_index(workspace: Path, entries: list[dict[str, Any]]) -> None:
    """Write the index of a store, with a folder for each run, in place of what there was."""
    runs = workspace / ".runforge/runs"
    runs.mkdir(parents=True, exist_ok=True)
    for item in entries:
        (runs / item["run_id"]).mkdir(exist_ok=True)
    text = json.dumps({"schema_version": "index.v1", "runs": entries}, indent=2)
    aside = workspace / ".runforge/index.json.new"
    aside.write_text(text + "\n", "utf-8")
    aside.replace(workspace / ".runforge/index.json")


class Seen:
    """A browser that runs without a terminal, and what can be seen of it."""

    def __init__(self, app: Browser, pilot: Pilot[None]) -> None:
        self.app = app
        self.pilot = pilot

    @property
    def rows(self) -> list[str]:
        """The lines of the list that hold a run."""
        table = self.app.screen.query_one(RunList)
        count = min(table.size.height, len(table.runs))
        return [table.render_line(y).text.rstrip() for y in range(count)]

    @property
    def heading(self) -> str:
        """The names of the columns."""
        return self.app.screen.query_one(Heading).render_line(0).text.rstrip()

    @property
    def page(self) -> str:
        """The lines of a screen with text."""
        found = self.app.screen.query(Pager)
        return found.first().text if found else ""

    def said(self, name: str) -> str:
        """What a line with an id says, if it is shown."""
        widget = self.app.screen.query_one(f"#{name}", Static)
        return str(widget.content) if widget.display else ""

    @property
    def absence(self) -> str:
        """What is said in place of runs."""
        return self.app.screen.query_one(RunList).absence

    @property
    def notice(self) -> str:
        """The message that is shown."""
        widget = self.app.screen.query_one(Notice)
        return str(widget.content) if widget.display else ""

    async def press(self, *keys: str) -> None:
        """Press keys."""
        await self.pilot.press(*keys)

    async def until(self, holds: Callable[[], object]) -> None:
        """Wait until something is so."""
        for _ in range(600):
            if holds():
                await self.pilot.pause()
                return
            await self.pilot.pause(0.05)
        raise AssertionError(f"{self.app.screen}: {self.page or self.rows}")


def browsing(
    workspace: Path,
    steps: Callable[[Seen], Awaitable[None]],
    *,
    size: tuple[int, int] = (80, 24),
    no_color: bool = False,
) -> Browser:
    """Browse in a workspace, take some steps, and return the browser when it has ended."""

    async def run() -> Browser:
        settings = Settings()
        settings.workspace, settings.no_color = str(workspace), no_color
        app = Browser(settings)
        async with app.run_test(size=size) as pilot:
            seen = Seen(app, pilot)
            await seen.until(lambda: app.screen.query(RunList) and seen.said("state"))
            await seen.until(lambda: "reading" not in seen.said("state"))
            await steps(seen)
        return app

    before = dict(os.environ)
    try:
        return asyncio.run(run())
    finally:
        os.environ.clear()
        os.environ.update(before)
