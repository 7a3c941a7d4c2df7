"""The one place where a call begins and ends: exit codes, and what a failure says."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from typing import NoReturn

import click
from runforge_contracts.errors import ErrorCode, ExitCode, RunForgeError

from runforge_cli.output import write_error


def main() -> NoReturn:
    """Run the ``runforge`` command with the arguments of the process, and end the process."""
    arguments = sys.argv[1:]

    def call() -> int:
        from runforge_cli.app import cli

        return cli.main(arguments, prog_name="runforge", standalone_mode=False) or 0

    leave(guard(call, json="--json" in arguments))


def guard(call: Callable[[], int], *, json: bool) -> int:
    """Return the exit code of ``call``; every failure becomes an error that says what to do.

    Parameters
    ----------
    call
        Does the work and returns its exit code.
    json
        Whether an error is printed as a JSON document on standard output.
    """
    for stream in (sys.stdout, sys.stderr):
        # A name that the terminal's encoding lacks is escaped; it does not end the command.
        stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    try:
        code = call()
        sys.stdout.flush()
    except click.exceptions.Exit as leaving:
        return leaving.exit_code
    except click.ClickException as problem:
        return write_error(_usage_error(problem), json=json)
    except (click.Abort, KeyboardInterrupt):
        return write_error(RunForgeError(ErrorCode.CANCELLED, "Interrupted."), json=json)
    except RunForgeError as error:
        return write_error(error, json=json)
    except BrokenPipeError:
        # Whoever read the output has seen enough; nothing is left to say it to.
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.dup2(nowhere, sys.stderr.fileno())
        return ExitCode.OK
    except Exception as problem:  # noqa: BLE001 - the last resort
        fault = RunForgeError(
            ErrorCode.INTERNAL,
            f"RunForge failed: {type(problem).__name__}: {problem}",
            hint="This is a fault of RunForge; please report it with the traceback.",
        )
        fault.__cause__ = problem
        return write_error(fault, json=json)
    return code


def _usage_error(problem: click.ClickException) -> RunForgeError:
    context = getattr(problem, "ctx", None)
    usage = f"`{context.command_path} --help` shows the options." if context else None
    return RunForgeError(ErrorCode.USAGE_INVALID, problem.format_message(), hint=usage)


def leave(code: int) -> NoReturn:
    """End the process, also where a cancelled fit is still in native code and cannot be stopped."""
    training = sys.modules.get("runforge_engine.training")
    if training is not None and training.stragglers_running():
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
    sys.exit(code)


if __name__ == "__main__":
    main()
