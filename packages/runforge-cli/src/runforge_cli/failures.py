"""What becomes of an exception that ends a call: an exit code, and a word on what to do."""

from __future__ import annotations

import click
from runforge_contracts.errors import ErrorCode, RunForgeError

from runforge_cli.output import write_error


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


def as_error(problem: BaseException) -> RunForgeError:
    """Return an exception as the coded error that a person is told of."""
    if isinstance(problem, RunForgeError):
        return problem
    if isinstance(problem, click.ClickException):
        context = getattr(problem, "ctx", None)
        usage = f"`{context.command_path} --help` shows the options." if context else None
        return RunForgeError(ErrorCode.USAGE_INVALID, problem.format_message(), hint=usage)
    if isinstance(problem, (click.Abort, KeyboardInterrupt)):
        return RunForgeError(ErrorCode.CANCELLED, "Interrupted.")
    fault = RunForgeError(
        ErrorCode.INTERNAL,
        f"RunForge failed: {type(problem).__name__}: {problem}",
        hint="This is a fault of RunForge; please report it with the traceback.",
    )
    fault.__cause__ = problem
    return fault
