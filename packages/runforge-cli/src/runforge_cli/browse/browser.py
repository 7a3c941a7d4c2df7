"""The browser application: its screens, common actions, themes and exit."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
import tempfile
import webbrowser
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import ClassVar

from runforge_contracts.errors import ErrorCode, ExitCode, RunForgeError
from textual.app import App, SuspendNotSupported
from textual.binding import Binding, BindingType
from textual.notifications import SeverityLevel
from textual.theme import BUILTIN_THEMES

from runforge_cli.browse.notice import Notice
from runforge_cli.browse.pager import Pager
from runforge_cli.browse.report_opener import needs_the_terminal, open_beside, write_report
from runforge_cli.browse.run_table import RunList
from runforge_cli.browse.runs_screen import RunsScreen
from runforge_cli.browse.screens import HelpScreen, RunScreen, SubjectScreen
from runforge_cli.browse.worker_thread import begin
from runforge_cli.listing.run_list import ListedRun
from runforge_cli.shell.settings import Settings

#: The colours of the terminal, which suit both light and dark terminals.
_TERMINAL = replace(
    BUILTIN_THEMES["ansi-dark"],
    name="terminal",
    variables={
        **BUILTIN_THEMES["ansi-dark"].variables,
        "block-cursor-background": "ansi_blue",
        "block-cursor-foreground": "ansi_bright_white",
        "input-cursor-background": "ansi_default",
        "input-cursor-foreground": "ansi_default",
        "input-cursor-text-style": "reverse",
        "input-selection-background": "ansi_blue",
        "input-selection-foreground": "ansi_bright_white",
    },
)
_THEMES = ("terminal", "textual-dark", "textual-light")
_FILTER = (
    "Every word must match. `status:`, `model:`, `preset:`, `label:`, `name:`, `id:` and `kind:`"
    " match one field, as in `status:failed`; `dataset:` takes the start of a SHA-256 or the path"
    " of a file. Any other word matches any field. Conditions as in `runforge runs --where` compare"
    " hyperparameters, metrics and fields, as in `C<0.1` or `accuracy>=0.9`."
)
_MOUSE = (
    "Click a run to select it, double-click to open it, and click the name of a column to sort by"
    " it. In most terminals, hold Shift to select text and copy it."
)


class Browser(App[None]):
    """The application.

    Parameters
    ----------
    settings
        The settings of the command.
    """

    ENABLE_COMMAND_PALETTE = False
    ALLOW_SELECT = False
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("question_mark,f1", "help", "Keys", key_display="?"),
        Binding("q", "quit", "Quit"),
        Binding("ctrl+c,ctrl+q", "quit", "Quit", show=False, priority=True),
        Binding(
            "t",
            "look",
            "Colours",
            show=False,
            tooltip="Switch between terminal, dark and light colours",
        ),
        Binding("ctrl+z", "suspend_process", "Suspend", show=False, tooltip="Back to the shell"),
    ]

    def __init__(self, settings: Settings) -> None:
        plain = settings.no_color
        # Textual reads the variable too, and treats an empty value as set.
        os.environ.pop("NO_COLOR", None)
        if plain:
            os.environ["NO_COLOR"] = "1"
        super().__init__(ansi_color=True if plain else None)
        self.plain = plain
        #: The settings of the command, without colours, which the screens handle.
        self.settings = settings
        self.exit_code = ExitCode.OK
        self._reports: Path | None = None
        self.register_theme(_TERMINAL)
        self.theme = _THEMES[0]
        settings.no_color = True

    def get_default_screen(self) -> RunsScreen:
        """Return the first screen."""
        return RunsScreen(self)

    def on_mount(self) -> None:
        """Exit when the process is terminated."""
        loop = asyncio.get_running_loop()
        for name in ("SIGTERM", "SIGHUP"):
            with contextlib.suppress(NotImplementedError, AttributeError, RuntimeError):
                loop.add_signal_handler(getattr(signal, name), self._end)

    def _end(self) -> None:
        self.exit_code = ExitCode.CANCELLED
        self.exit()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Return whether an action is available; without colours there are no themes."""
        return not (action == "look" and self.plain) and super().check_action(action, parameters)

    def action_look(self) -> None:
        """Switch to the next theme."""
        self.theme = _THEMES[(_THEMES.index(self.theme) + 1) % len(_THEMES)]

    def action_help(self) -> None:
        """Show the key bindings."""
        if not isinstance(self.screen, HelpScreen):
            sections = {
                "List": [*self._keys(RunList.BINDINGS), *self._keys(RunsScreen.BINDINGS)],
                "Run": [*self._keys(RunScreen.BINDINGS), *self._keys(SubjectScreen.BINDINGS)],
                "Text": self._keys(Pager.BINDINGS),
                "Everywhere": self._keys(self.BINDINGS),
            }
            self.push_screen(HelpScreen(sections, {"Filter": _FILTER, "Mouse": _MOUSE}))

    def _keys(self, bindings: Iterable[BindingType]) -> list[tuple[str, str]]:
        found = []
        for binding in bindings:
            assert isinstance(binding, Binding)  # noqa: S101 - all bindings here are
            keys = binding.key.split(",")
            names = [self.get_key_display(Binding(key, "", "")) for key in keys]
            found.append((" ".join(names), binding.tooltip or binding.description))
        return found

    def copy_fingerprint(self, run: ListedRun) -> None:
        """Copy the SHA-256 of a run's dataset to the clipboard of the terminal."""
        if run.fingerprint is None:
            self.notify("The run does not record the SHA-256 of its dataset.", severity="warning")
            return
        self.copy_to_clipboard(run.fingerprint)
        self.notify(f"Copied the SHA-256 of the dataset: {run.fingerprint}")

    def open_report(self, runs: Sequence[ListedRun]) -> None:
        """Write a report on runs and open it."""
        if runs:
            self.notify("Writing the report…")
            begin(self, partial(self._open_report, runs), group="report")

    async def _open_report(self, runs: Sequence[ListedRun]) -> None:
        from runforge_cli.report.report_writer import default_name

        try:
            if self._reports is None:
                # Not deleted at exit, because the web browser may still show the report.
                self._reports = Path(tempfile.mkdtemp(prefix="runforge-"))
            target = self._reports / default_name([run.folder() for run in runs])
            await write_report(runs, self.settings, target)
        except (RunForgeError, OSError) as error:
            message = error.message if isinstance(error, RunForgeError) else str(error)
            hint = getattr(error, "hint", None) or ""
            self.notify(f"{message} {hint}".rstrip(), severity="error")
            return
        try:
            if needs_the_terminal():
                with self.suspend():
                    webbrowser.open(target.as_uri())
            else:
                await open_beside(target)
        except (webbrowser.Error, SuspendNotSupported):
            self.notify(f"No web browser was found. The report is\n{target}")
        else:
            self.notify(f"The report is\n{target}")

    def notify(
        self,
        message: str,
        *,
        title: str = "",
        severity: SeverityLevel = "information",
        timeout: float | None = None,
        markup: bool = True,
    ) -> None:
        """Show a message in the line for it, because Textual's own would cover the list."""
        self.screen.query_one(Notice).say(message, severity)


@contextlib.contextmanager
def _errors_on_the_terminal() -> Iterator[None]:
    """Connect standard error to the terminal, because Textual draws on standard error."""
    # The descriptors of the streams that Textual writes to.
    output, errors = 1, 2
    if os.isatty(errors) or not os.isatty(output):
        yield
        return
    sys.stderr.flush()
    kept = os.dup(errors)
    os.dup2(output, errors)
    try:
        yield
    finally:
        sys.stderr.flush()
        os.dup2(kept, errors)
        os.close(kept)


def browse(settings: Settings) -> int:
    """Run the browser until the user quits, and return the exit code.

    Raises
    ------
    RunForgeError
        ``INTERNAL`` if the browser fails; Textual has printed the traceback.
    """
    app = Browser(settings)
    with _errors_on_the_terminal():
        app.run()
    if app.return_code:
        raise RunForgeError(
            ErrorCode.INTERNAL,
            "The browser failed.",
            hint="This is a bug in RunForge; please report it with the traceback above.",
        )
    return app.exit_code
