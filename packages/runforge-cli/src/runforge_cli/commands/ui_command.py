"""``runforge ui``: show the runs in the browser."""

from __future__ import annotations

import click
from runforge_contracts.errors import ErrorCode, RunForgeError

from runforge_cli.shell.help_page import Command
from runforge_cli.shell.settings import Settings, global_options, pass_settings

#: The packages of the pages.
_PACKAGES = ("runforge_web", "starlette", "uvicorn", "jinja2")


@click.command(
    "ui",
    cls=Command,
    short_help="Show the runs in the browser.",
    examples=(
        "runforge ui",
        "runforge ui --allow-train",
        "runforge ui --no-open --port 8080",
    ),
)
@click.option(
    "--port",
    metavar="N",
    type=click.IntRange(0, 65535),
    default=0,
    show_default="a free one",
    help="Port to listen on.",
)
@click.option("--no-open", is_flag=True, help="Do not open the browser.")
@click.option("--allow-train", is_flag=True, help="Train, rerun and sweep from the pages.")
@global_options
@pass_settings
def command(settings: Settings, port: int, no_open: bool, allow_train: bool) -> int:
    """Show the runs of the workspace in the browser: list, filter, open, compare and verify them.

    The first line is the address, with a token that is valid until the command ends. The pages are
    served to this machine alone, and nothing is written to the store without --allow-train. Ctrl-C
    ends the command, and so does closing its terminal; trainings are then cancelled and recorded.
    """
    settings.stores()  # Report invalid options before a browser is opened.
    try:
        from runforge_web.web_server import serve_pages
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in _PACKAGES:
            raise
        raise RunForgeError(
            ErrorCode.EXTRA_MISSING,
            "The package `runforge-web`, which shows the runs in the browser, or one that it needs"
            " is not installed.",
            hint="In a clone of RunForge, `python -m pip install ./packages/runforge-web` installs"
            " both; `runforge report` and `runforge browse` do not need them.",
        ) from None
    from runforge_engine.runtime.numeric_environment import pin_environment

    # Before numpy is loaded, so that the curves of a model are those of `runforge report`.
    pin_environment()
    return serve_pages(
        settings, port=port, opens=not (no_open or settings.json), trains=allow_train
    )
