"""What becomes of an exception that ends a call: an exit code, and a word on what to do."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import click
from runforge_contracts.errors import ErrorCode, RunForgeError
from runforge_contracts.fs.files import reading

from runforge_cli.render.output import write_error

#: What the system says of a path that was named and can be no path here.
_ARGUMENTS = (errno.ENAMETOOLONG, errno.EACCES)


def tell_failure(problem: BaseException, *, json: bool) -> int:
    """Print why a call ended and return its exit code.

    Parameters
    ----------
    problem
        What ended the call.
    json
        Whether the error is printed as a JSON document on standard output.
    """
    if isinstance(problem, click.exceptions.Exit):
        return problem.exit_code
    return write_error(as_error(problem), json=json)


def _usage(problem: click.ClickException) -> str:
    """Return what is wrong with a call, in the words that are used for everything else."""
    from runforge_contracts.display import quote

    parameter = getattr(problem, "param", None)
    if isinstance(problem, click.NoSuchOption):
        near = f" Did you mean {quote(problem.possibilities[0])}?" if problem.possibilities else ""
        return f"There is no option {quote(problem.option_name)}.{near}"
    if isinstance(problem, click.MissingParameter) and parameter is not None:
        return f"{quote(_name(parameter))} is missing."
    if isinstance(problem, click.BadParameter) and parameter is not None:
        told = problem.message.removesuffix(".").replace("'", "`")
        return f"The value of {quote(_name(parameter))} does not fit: {told}."
    return problem.format_message()


def _name(parameter: click.Parameter) -> str:
    """Return how a parameter is given: the long form of an option, the word for an argument."""
    if isinstance(parameter, click.Option):
        return parameter.opts[0]
    return parameter.human_readable_name


def as_error(problem: BaseException) -> RunForgeError:
    """Return an exception as the coded error that a person is told of."""
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
            "The current folder is not there any more.",
            hint="Change to another one.",
        )
    if isinstance(problem, OSError) and problem.errno in _ARGUMENTS and problem.filename:
        return _unreadable(problem, Path(os.fsdecode(problem.filename)))
    fault = RunForgeError(
        ErrorCode.INTERNAL,
        f"RunForge failed: {type(problem).__name__}: {problem}",
        hint="This is a fault of RunForge; please report it with the traceback.",
    )
    fault.__cause__ = problem
    return fault


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
