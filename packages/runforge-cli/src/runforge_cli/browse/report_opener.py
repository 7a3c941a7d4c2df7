"""Write reports on runs to a temporary folder and open them in the web browser."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import webbrowser
from collections.abc import Sequence
from pathlib import Path

from runforge_contracts.errors import ErrorCode, RunForgeError
from runforge_contracts.system.system_processes import apart
from runforge_engine.runtime.interpreter import own_command, own_environment

from runforge_cli.listing.run_list import ListedRun
from runforge_cli.shell.settings import Settings


async def write_report(runs: Sequence[ListedRun], settings: Settings, target: Path) -> None:
    """Write a report with ``runforge report`` in a separate process, because it loads models.

    Raises
    ------
    RunForgeError
        The error of that process.
    """
    workspace = ("--workspace", str(settings.folder))
    store = ("--store", settings.store) if settings.store else ()
    process = await asyncio.create_subprocess_exec(
        *own_command("runforge_cli", "report", "--json", *workspace, *store),
        *("--force", "--output", str(target), *(str(run.folder().path) for run in runs)),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    try:
        out, _ = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
    if process.returncode != 0:
        raise _error(out)


def _error(out: bytes) -> RunForgeError:
    try:
        error = json.loads(out)["error"]
        return RunForgeError(ErrorCode(error["code"]), error["message"], hint=error.get("hint"))
    except (ValueError, KeyError, TypeError):
        return RunForgeError(ErrorCode.INTERNAL, "The report could not be written.")


def needs_the_terminal() -> bool:
    """Return whether the default web browser runs in the terminal.

    Raises
    ------
    webbrowser.Error
        If there is no web browser.
    """
    browser = webbrowser.get()
    if type(browser) is webbrowser.GenericBrowser:
        return True
    return isinstance(browser, webbrowser.UnixBrowser) and not browser.background


async def open_beside(target: Path) -> None:
    """Open a file in a graphical web browser, whose output must not reach the terminal."""
    process = await asyncio.create_subprocess_exec(
        *own_command("webbrowser", target.as_uri()),
        env=own_environment(os.environ, Path.cwd()),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        **apart(),
    )
    await process.wait()
