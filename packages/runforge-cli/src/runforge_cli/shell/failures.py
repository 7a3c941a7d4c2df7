"""Map exceptions to exit codes and user-facing errors."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import click
from runforge_contracts.errors import ErrorCode, RunForgeError
from runforge_contracts.fs.files import reading

from runforge_cli.terminal.output import write_error

#: Options that other commands have, and what this one may have instead.
_INSTEAD = {"--param": "--set", "--set": "--param"}
#: System errors that mean that a path given by the user is unusable.
_ARGUMENTS = (errno.ENAMETOOLONG, errno.EACCES)


def report_failure(problem: BaseException, *, json: bool) -> int:
    """Print the error that ended a command and return its exit code.

    Parameters
    ----------
    problem
        The exception that ended the command.
    json
        Whether the error is printed as a JSON document on standard output.
    """
    if isinstance(problem, click.exceptions.Exit):
        return problem.exit_code
    return write_error(as_error(problem), json=json)


def _usage(problem: click.ClickException) -> str:
    """Return the message of a usage error, in the style of the other messages."""
    from runforge_contracts.display import quote

    parameter = getattr(problem, "param", None)
    if isinstance(problem, click.NoSuchOption):
        near = _meant(problem)
        near = f" Did you mean {quote(near)}?" if near else ""
        return f"Unknown option {quote(problem.option_name)}.{near}"
    if isinstance(problem, click.MissingParameter) and parameter is not None:
        return f"{quote(_name(parameter))} is missing."
    if isinstance(problem, click.BadParameter) and parameter is not None:
        reason = problem.message.removesuffix(".").replace("'", "`")
        return f"Invalid value for {quote(_name(parameter))}: {reason}."
    return problem.format_message()


def _meant(problem: click.NoSuchOption) -> str | None:
    """Return the option that is probably meant by an unknown one."""
    instead = _INSTEAD.get(problem.option_name)
    command = None if problem.ctx is None else problem.ctx.command
    if command is not None and any(instead in parameter.opts for parameter in command.params):
        return instead
    return problem.possibilities[0] if problem.possibilities else None


def _name(parameter: click.Parameter) -> str:
    """Return the name of a parameter: the long form of an option, the metavar of an argument."""
    if isinstance(parameter, click.Option):
        return parameter.opts[0]
    return parameter.human_readable_name


def as_error(problem: BaseException) -> RunForgeError:
    """Return the coded error to show for an exception."""
    if isinstance(problem, RunForgeError):
        return problem
    if isinstance(problem, click.ClickException):
        context = getattr(problem, "ctx", None)
        usage = f"`{context.command_path} --help` shows the options." if context else None
        return RunForgeError(ErrorCode.USAGE_INVALID, _usage(problem), hint=usage)
    if isinstance(problem, (click.Abort, KeyboardInterrupt)):
        return RunForgeError(ErrorCode.CANCELLED, "Interrupted.")
    if isinstance(problem, FileNotFoundError) and not _is_anywhere():
        return RunForgeError(
            ErrorCode.FILE_NOT_FOUND,
            "The current folder no longer exists.",
            hint="Change to another folder.",
        )
    if isinstance(problem, OSError) and problem.errno in _ARGUMENTS and problem.filename:
        return _unreadable(problem, Path(os.fsdecode(problem.filename)))
    error = RunForgeError(
        ErrorCode.INTERNAL,
        f"RunForge failed: {type(problem).__name__}: {problem}",
        hint="This is a bug in RunForge; please report it with the traceback.",
    )
    error.__cause__ = problem
    return error


def _unreadable(problem: OSError, path: Path) -> RunForgeError:
    try:
        with reading(path):
            raise problem
    except RunForgeError as error:
        return error


def _is_anywhere() -> bool:
    try:
        Path.cwd()
    except FileNotFoundError:
        return False
    return True
