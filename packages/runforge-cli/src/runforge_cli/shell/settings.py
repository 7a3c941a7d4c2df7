"""The options that every command shares, given before or after the name of the command."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import click

# Modules are imported where they are used, so that `--help` stays fast.
if TYPE_CHECKING:
    from pathlib import Path

    from runforge_contracts.store.layout import ExperimentLayout, Place, StoreLayout
    from runforge_contracts.store.lookup import AnyRun, Takes
    from runforge_contracts.store.run import Run

Function = TypeVar("Function", bound=Callable[..., Any])
#: The default hint where an experiment run was named and only trained runs are accepted.
_SHOW = "`runforge show {run}` shows its summary."


class Settings:
    """The global options of one call; environment variables give the defaults."""

    def __init__(self) -> None:
        self.workspace: str | None = os.environ.get("RUNFORGE_WORKSPACE") or None
        self.store: str | None = os.environ.get("RUNFORGE_STORE") or None
        #: Whether a run omits identifying information; None lets the environment decide.
        self.private: bool | None = None
        self.json = False
        self.quiet = False
        self.verbose = False
        self.no_color = bool(os.environ.get("NO_COLOR"))

    @property
    def folder(self) -> Path:
        """The workspace: the option, else the nearest parent with runs, else the current folder."""
        from pathlib import Path

        from runforge_contracts.display import quote
        from runforge_contracts.errors import ErrorCode, RunForgeError
        from runforge_contracts.store.layout import find_workspace

        if self.workspace is None:
            return find_workspace(Path.cwd(), self.store)
        folder = Path(self.workspace).absolute()
        if not folder.is_dir():
            raise RunForgeError(
                ErrorCode.FILE_NOT_FOUND,
                f"The workspace {quote(self.workspace, 200)} is not a folder.",
                hint="Name the folder that contains the file."
                if folder.exists()
                else "Create it first, or omit the option to use the current folder.",
                path=self.workspace,
            )
        return folder

    @property
    def store_name(self) -> str | None:
        """The name of the store that was given: a plain folder name, never a path."""
        from runforge_contracts.display import quote
        from runforge_contracts.errors import ErrorCode, RunForgeError

        name = self.store
        if name is not None and (name in ("", ".", "..") or set(name) & set("/\\\0")):
            raise RunForgeError(
                ErrorCode.USAGE_INVALID,
                f"{quote(name)} is not a valid store name.",
                hint="A store is a folder in the workspace, such as `.runforge` or `.ml`.",
            )
        return name

    def stores(self) -> list[StoreLayout]:
        """Return the stores to read from."""
        from runforge_contracts.store.layout import stores_in

        return stores_in(self.folder, self.store_name)

    def experiments(self) -> list[ExperimentLayout]:
        """Return the location of experiment runs; none if a store was named."""
        from runforge_contracts.store.layout import ExperimentLayout

        place = ExperimentLayout(self.folder)
        return [place] if self.store_name is None and place.has_runs() else []

    def places(self) -> list[Place]:
        """Return all locations to read runs from, the stores first."""
        return [*self.stores(), *self.experiments()]

    def target(self) -> StoreLayout:
        """Return the store to write to."""
        from runforge_contracts.store.layout import DEFAULT_STORE, StoreLayout

        return StoreLayout(self.folder, self.store_name or DEFAULT_STORE)

    def find_any(
        self,
        reference: str,
        takes: Takes | None = None,
        *,
        quiet: bool = False,
        strict: bool = False,
    ) -> AnyRun:
        """Return the run of either kind that ``reference`` names, and report which is ``latest``.

        Parameters
        ----------
        reference
            What :func:`~runforge_contracts.sweeps.scoped_runs.find_scoped_run` takes.
        takes
            The runs that ``latest`` may be.
        quiet
            Whether not to report it, because the output names the run.
        strict
            Whether a name of several runs is refused also if only one of them succeeded.
        """
        from runforge_contracts.store.run_queries import refuse_namesakes
        from runforge_contracts.sweeps.scoped_runs import find_scoped_run

        found = find_scoped_run(reference, self.places(), takes)
        if strict:
            refuse_namesakes(found)
        tells = not quiet or found.tied > 0 or found.alike > 1 or bool(found.namesakes)
        if found.datasets > 1:
            from runforge_cli.terminal.output import warn

            # A choice that may be meaningless is said also with --quiet.
            warn(_mixed(reference, found))
        if tells and not self.quiet and _is_asked_for(reference, found):
            from runforge_contracts.display import printable

            from runforge_cli.terminal.output import note

            place = self.shown(found.path.parent)
            note(f"{printable(reference)} is {found.path.name} in {place}{_others(found)}")
        view = getattr(found, "view", None)
        if view is not None and not self.quiet:
            from runforge_cli.terminal.output import note

            record, place = found.path.name, self.shown(found.path.parent)
            note(f"{self.shown(view)} is a view of the run {record} in {place}")
        return found

    def find_run(self, reference: str, instead: str = _SHOW, takes: Takes | None = None) -> Run:
        """Return the trained run that ``reference`` names.

        Parameters
        ----------
        reference
            A run id, a unique prefix of one, ``latest``, or the path of a run folder.
        instead
            The hint of the error for an experiment run, as a sentence; ``{run}`` is its id.
        takes
            The runs that ``latest`` may be; every trained run by default.

        Raises
        ------
        RunForgeError
            ``USAGE_INVALID`` for an experiment run; the errors of
            :func:`~runforge_contracts.store.lookup.find_any_run`.
        """
        from runforge_contracts.store.lookup import is_trained
        from runforge_contracts.store.run import Run

        found = self.find_any(reference, takes or is_trained)
        if isinstance(found, Run):
            return found
        from runforge_cli.listing.experiment_rows import refusal

        raise refusal(found, instead)

    def located(self, name: str) -> Path:
        """Return the path of a file relative to the current folder, else to the workspace."""
        from pathlib import Path

        from runforge_cli.shell.file_argument import is_file

        path = Path(name)
        if path.name != name and not is_file(path) and is_file(self.folder / path):
            return self.folder / path
        return path

    def shown(self, path: str | Path) -> str:
        """Return a path of a document, which is relative to the workspace, as it can be typed here.

        Relative to the current folder if that is in the workspace, else absolute.
        """
        from pathlib import Path

        here = Path.cwd()
        absolute = Path(os.path.abspath(self.folder / path))  # noqa: PTH100 - keeps links
        if absolute.is_relative_to(here):
            return absolute.relative_to(here).as_posix()
        if here.is_relative_to(self.folder) and absolute.is_relative_to(self.folder):
            return Path(os.path.relpath(absolute, here)).as_posix()
        return absolute.as_posix()

    def note_parent(self) -> None:
        """Say which store is written to if it was found in a folder above the current one."""
        from pathlib import Path

        if self.workspace is None and not self.quiet and self.folder != Path.cwd():
            from runforge_cli.terminal.output import note

            note(f"the store is {self.shown(self.target().root)}, of a folder above this one")

    def repeated(self) -> str:
        """Return the options that a command typed here needs to find the same store.

        Each is preceded by a space. Empty if the command finds the workspace without them.
        """
        import shlex

        from runforge_contracts.errors import RunForgeError

        found = Settings()
        options = ""
        if self.store is not None and self.store != found.store:
            found.store = self.store
            options += f" --store {shlex.quote(self.store)}"
        if self.workspace is not None and self.workspace != found.workspace:
            try:
                reached = found.folder.samefile(self.folder)
            except (OSError, RunForgeError):
                reached = False
            if not reached:
                options += f" --workspace {shlex.quote(self.workspace)}"
        return options

    def colored(self, stream: Any = None) -> bool:
        """Return whether to use colours on ``stream`` (standard output by default)."""
        stream = stream or sys.stdout
        return not self.no_color and stream.isatty() and os.environ.get("TERM") != "dumb"


def _others(run: AnyRun) -> str:
    """Return what to add to the note on a run if others have the same value, name or tag."""
    if run.alike > 1:
        return f", the newest of {run.alike:,}"
    if run.namesakes:
        return f", the one of {len(run.namesakes):,} runs of this name that succeeded"
    if not run.tied:
        return ""
    others = "another run has" if run.tied == 1 else f"{run.tied:,} other runs have"
    decided = "and the next metrics decided"
    if run.equal:
        decided = (
            "and every other metric too: the first of them counts"
            if run.equal == run.tied
            else f"{run.equal:,} of them in every metric: the first of these counts"
        )
    return f"; {others} the same value, {decided}"


def _mixed(reference: str, found: AnyRun) -> str:
    """Return the warning on the best run of several datasets."""
    from runforge_contracts.display import printable

    return (
        f"{printable(reference)} is {found.path.name}, the best of runs on"
        f" {found.datasets:,} datasets; {printable(reference.partition('@')[0])}@FILE is the best"
        " on one of them"
    )


def _is_asked_for(reference: str, found: AnyRun) -> bool:
    """Return whether a run was named by what it is, and not by its id or its path."""
    if reference == "latest":
        return True
    if found.alias is not None:
        return True
    if found.path.name.startswith(reference):
        return False  # By its id, the usual case: no document is read for it.
    from runforge_contracts.errors import RunForgeError
    from runforge_contracts.store.run import Run
    from runforge_contracts.store.run_queries import parse_query

    if parse_query(reference.partition("@")[0]) is not None:
        return True
    try:
        return isinstance(found, Run) and (found.request or {}).get("name") == reference
    except RunForgeError:
        return False  # The command itself reports a request that cannot be read.


def _remember(context: click.Context, parameter: click.Parameter, value: Any) -> None:
    if value:
        setattr(context.ensure_object(Settings), str(parameter.name), value)


def _option(*names: str, **attributes: Any) -> Callable[[Function], Function]:
    return click.option(*names, callback=_remember, expose_value=False, is_eager=True, **attributes)


_GLOBAL = (
    _option(
        "--workspace",
        metavar="DIR",
        help="Folder that contains the store.",
        type=click.Path(),
    ),
    _option(
        "--store", metavar="NAME", show_default=".runforge", help="Name of the store's folder."
    ),
    _option("--json", is_flag=True, help="Print exactly one JSON document."),
    _option("--quiet", "-q", is_flag=True, help="Do not print progress and notes."),
    _option("--verbose", "-v", is_flag=True, help="Verbose output; with --json, stream events."),
    _option("--no-color", is_flag=True, help="No colours."),
)


private_option = _option("--private", is_flag=True, help="Omit what identifies you or the machine.")


def global_options(function: Function) -> Function:
    """Add the global options to a command or group."""
    for option in reversed(_GLOBAL):
        function = option(function)
    return function


pass_settings = click.make_pass_decorator(Settings, ensure=True)
