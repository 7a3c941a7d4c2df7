"""A real browser, and pages of a server in it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from web_client import Server

BROWSERS = ("chromium", "chromium-headless-shell", "chromium-browser", "google-chrome", "chrome")

#: What a name of another site leads to, as after DNS rebinding.
REBOUND = "--host-resolver-rules=MAP evil.example 127.0.0.1"


@contextmanager
def running_browser() -> Iterator[Any]:
    """Give a browser."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        program = next(filter(None, map(shutil.which, BROWSERS)))
        browser = playwright.chromium.launch(
            executable_path=program, args=["--no-sandbox", "--disable-gpu", REBOUND]
        )
        yield browser
        browser.close()


def open_pages(chromium: Any, server: Server, **options: Any) -> Any:
    """Return a page that has the list of runs; whatever a browser complains of fails the test."""
    page = chromium.new_context(**options).new_page()
    page.complaints = []
    page.on("console", lambda message: page.complaints.append(message.text))
    page.on("pageerror", lambda error: page.complaints.append(str(error)))
    page.on("dialog", lambda dialog: (page.complaints.append(dialog.message), dialog.dismiss()))
    page.goto(server.address)
    page.wait_for_url(f"{server.origin}/runs")
    assert page.get_by_role("heading", name="Runs", exact=True).is_visible()
    return page
