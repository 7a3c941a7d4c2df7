"""``runforge serve``: a warm server for editors and programs."""

from __future__ import annotations

import click
from runforge_contracts.errors import ErrorCode, RunForgeError

from runforge_cli.shell.help_page import Command
from runforge_cli.shell.settings import Settings, global_options, pass_settings


@click.command(
    "serve",
    cls=Command,
    short_help="Serve an editor or a program on standard streams.",
    examples=("runforge serve --stdio",),
)
@click.option("--stdio", is_flag=True, help="Talk on standard input and output.")
@global_options
@pass_settings
def command(settings: Settings, stdio: bool) -> int:
    """Serve one client on standard input and output until it ends: JSON-RPC 2.0.

    Messages are framed as in the Language Server Protocol. The client begins with `initialize`;
    then it lists, shows and compares runs, trains, predicts, verifies and watches for new runs.
    Results are the documents that the commands print with --json. Trainings run one after another
    in a warm process, which starts with the first one.

    When the client ends, or closes the stream, what it started is cancelled. With --verbose, a log
    is written to standard error. The messages: docs/reference/serve.md.
    """
    if not stdio:
        raise RunForgeError(
            ErrorCode.USAGE_INVALID,
            "`runforge serve` needs `--stdio`.",
            hint="It is meant for programs: they start `runforge serve --stdio` and send messages.",
        )
    from runforge_cli.serve.standard_streams import serve_on_standard_streams

    return serve_on_standard_streams(settings)
