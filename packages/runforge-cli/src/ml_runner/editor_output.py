"""What an editor is shown: text on standard output, errors as text on standard error."""

from __future__ import annotations

import sys

import click
from runforge_cli.shell.failures import as_error
from runforge_cli.terminal.output import error_lines, traceback_text
from runforge_contracts.display import printable
from runforge_contracts.errors import ErrorCode, RunForgeError


def say(text: str) -> None:
    """Print a line on standard output at once; the editor shows it while the run continues."""
    sys.stdout.write(printable(text) + "\n")
    sys.stdout.flush()


def report_failure_as_text(problem: BaseException) -> int:
    """Print the error that ended a command, and return its exit code."""
    if isinstance(problem, click.exceptions.Exit):
        return problem.exit_code
    error = as_error(problem)
    if error.code is ErrorCode.INTERNAL and error.__cause__ is not None:
        sys.stderr.write(traceback_text(error.__cause__))
    print_error(error)
    return error.exit_code


def print_error(error: RunForgeError) -> None:
    """Print an error as editors look for it: ``ERROR: ...``, with the code at the end."""
    _print("ERROR", error)


def print_warning(error: RunForgeError) -> None:
    """Print an error that does not end the command."""
    _print("WARNING", error)


def _print(word: str, error: RunForgeError) -> None:
    first = f"{word}: {printable(error.message)} [{error.code.value}]"
    sys.stderr.write("\n".join([first, *error_lines(error)[1:]]) + "\n")
    sys.stderr.flush()
