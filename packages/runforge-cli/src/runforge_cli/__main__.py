"""The entry point of the ``runforge`` command: start, top-level error handling and exit.

Only modules that Python has already loaded are imported here, until the import path is clean and
interrupts are handled.
"""

import errno
import os
import sys

from runforge_cli.process import interruption
from runforge_cli.process.isolation import isolate

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import NoReturn

#: System errors that mean that standard output cannot be written. Errors on files are converted
#: where they are written.
_OUTPUT_ENDS = (errno.EPIPE, errno.ENOSPC, errno.EDQUOT)


def main() -> "NoReturn":
    """Run the ``runforge`` command with the arguments of the process, then exit."""
    arguments = sys.argv[1:]
    json = "--json" in arguments
    interruption.end_at_once(json=json)
    isolate()
    import gc

    from runforge_cli.process.process_exit import take

    take()
    # Imported modules are never garbage, and collecting during imports takes a tenth of the time of
    # a short command. The command group enables the collector after importing the command.
    gc.disable()

    def call() -> int:
        from runforge_cli.shell.app import cli

        if "_RUNFORGE_COMPLETE" in os.environ:
            from runforge_cli.shell import completion_shells  # noqa: F401 - registers its classes
        return cli.main(arguments, prog_name="runforge", standalone_mode=False) or 0

    conclude(call, json=json)


def conclude(
    call: "Callable[[], int]",
    *,
    json: bool,
    report: "Callable[[BaseException], int] | None" = None,
) -> "NoReturn":
    """Exit with the exit code of ``call``; see :func:`guard`."""
    from runforge_cli.process.process_exit import leave

    try:
        leave(guard(call, json=json, report=report))
    except KeyboardInterrupt:
        interruption.end()


def guard(
    call: "Callable[[], int]",
    *,
    json: bool,
    report: "Callable[[BaseException], int] | None" = None,
) -> int:
    """Return the exit code of ``call``, and report every exception as an error with a hint.

    Parameters
    ----------
    call
        Runs the command and returns its exit code. It also does the imports, so that interrupts
        during them are handled.
    json
        Whether an error is printed as a JSON document on standard output.
    report
        Prints an error as text and returns its exit code, in place of the usual form.
    """
    for stream in (sys.stdout, sys.stderr):
        # Characters that the terminal's encoding lacks are escaped instead of raising an error.
        if stream.encoding.lower() == "utf-8" and not sys._xoptions:
            stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
        else:
            from runforge_cli.process.encoding import soften

            soften(stream)
    try:
        try:
            code = call()
        except (Exception, KeyboardInterrupt) as problem:
            if isinstance(problem, KeyboardInterrupt) or interruption.raised():
                return interruption.report(json=json)
            if isinstance(problem, OSError) and problem.errno in _OUTPUT_ENDS:
                raise
            from runforge_cli.shell.failures import report_failure

            as_text = report is not None and not json
            code = report(problem) if as_text else report_failure(problem, json=json)  # type: ignore[misc]
        sys.stdout.flush()
    except OSError as problem:
        if problem.errno not in _OUTPUT_ENDS:
            raise
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, sys.stdout.fileno())
        if isinstance(problem, BrokenPipeError):
            # The reader of the output has closed the pipe, as `head` does.
            os.dup2(null, sys.stderr.fileno())
            return 0
        try:
            sys.stderr.write(f"error: The output cannot be written: {problem.strerror}.\n")
            sys.stderr.flush()
        except OSError:
            pass
        return 1
    return code


if __name__ == "__main__":
    main()
