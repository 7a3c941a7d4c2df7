"""What the screens of the browser ask of it, so that they need not import it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from runforge_cli.listing.run_list import ListedRun
    from runforge_cli.shell.settings import Settings


class BrowserActions(Protocol):
    """The part of :class:`~runforge_cli.browse.browser.Browser` that screens use."""

    settings: Settings

    def copy_fingerprint(self, run: ListedRun) -> None:
        """Copy the SHA-256 of a run's dataset to the clipboard of the terminal."""

    def open_report(self, runs: Sequence[ListedRun]) -> None:
        """Write a report on runs and open it."""
