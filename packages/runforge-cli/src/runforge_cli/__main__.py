"""The one place where a call begins and ends.

Nothing is imported here but what Python itself has loaded, until the path is clean and an interrupt
has somebody to go to.
"""

import errno
import os
import sys

from runforge_cli.shell import interruption
from runforge_cli.shell.isolation import isolate

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import NoReturn

#: What the system says where nothing more can be written to standard output. All that commands
#: write to files has an error of its own.
_OUTPUT_ENDS = (errno.EPIPE, errno.ENOSPC, errno.EDQUOT)


def main() -> "NoReturn":
    """Run the ``runforge`` command with the arguments of the process, and end the process."""
    arguments = sys.argv[1:]
    json = "--json" in arguments
    interruption.end_at_once(json=json)
    isolate()
    import gc

    from runforge_cli.shell.process_exit import take

    take()
    # What is imported stays: to look for garbage among it costs a tenth of a short command. The
    # command group turns the collector on again when the command's module is there.
    gc.disable()

    def call() -> int:
        from runforge_cli.shell.app import cli

        return cli.main(arguments, prog_name="runforge", standalone_mode=False) or 0

    conclude(call, json=json)


def conclude(call: "Callable[[], int]", *, json: bool) -> "NoReturn":
    """End the process with the exit code of ``call``; see :func:`guard`."""
    from runforge_cli.shell.process_exit import leave

    try:
        leave(guard(call, json=json))
    except KeyboardInterrupt:
        interruption.end()


def guard(call: "Callable[[], int]", *, json: bool) -> int:
    """Return the exit code of ``call``; every failure becomes an error that says what to do.

    Parameters
    ----------
    call
        Does the work and returns its exit code. It also does the imports, so that an interrupt
        during them ends like any other.
    json
        Whether an error is printed as a JSON document on standard output.
    """
    for stream in (sys.stdout, sys.stderr):
        # A name that the terminal's encoding lacks is escaped; it does not end the command.
        if stream.encoding.lower() == "utf-8" and not sys._xoptions:
            stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
        else:
            from runforge_cli.shell.encoding import soften

            soften(stream)
    try:
        try:
            code = call()
        except (Exception, KeyboardInterrupt) as problem:
            if isinstance(problem, KeyboardInterrupt) or interruption.raised():
                return interruption.tell(json=json)
            if isinstance(problem, OSError) and problem.errno in _OUTPUT_ENDS:
                raise
            from runforge_cli.shell.failures import tell_failure

            code = tell_failure(problem, json=json)
        sys.stdout.flush()
    except OSError as problem:
        if problem.errno not in _OUTPUT_ENDS:
            raise
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        if isinstance(problem, BrokenPipeError):
            # Whoever read the output has seen enough; nothing is left to say it to.
            os.dup2(nowhere, sys.stderr.fileno())
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
