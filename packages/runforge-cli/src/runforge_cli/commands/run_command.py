"""``runforge run``: execute a request file."""

from __future__ import annotations

from pathlib import Path

import click
from runforge_contracts.errors import ErrorCode, RunForgeError
from runforge_contracts.store.layout import DEFAULT_STORE, StoreLayout, find_workspace

from runforge_cli.commands.training_session import train_and_report
from runforge_cli.process.process_exit import prepare_training
from runforge_cli.shell.completion import complete_file, complete_folder
from runforge_cli.shell.help_page import Command
from runforge_cli.shell.settings import Settings, global_options, pass_settings, private_option


@click.command(
    "run",
    cls=Command,
    short_help="Execute a request file.",
    examples=("runforge run request.json",),
)
@click.argument("request", required=False, metavar="[REQUEST.json]", shell_complete=complete_file)
@click.option(
    "--run-dir",
    metavar="DIR",
    help="Run folder that already contains request.json.",
    shell_complete=complete_folder,
)
@private_option
@global_options
@pass_settings
def command(settings: Settings, request: str | None, run_dir: str | None) -> int:
    """Execute a request file, in a new run folder or in the one that contains it."""
    if (request is None) == (run_dir is None):
        raise RunForgeError(
            ErrorCode.USAGE_INVALID,
            "Give either a request file or --run-dir.",
            hint="`runforge run REQUEST.json` creates a run folder for it.",
        )
    prepare_training()
    from runforge_contracts.documents import Document
    from runforge_contracts.types import RequestV1
    from runforge_engine.pipeline.execute import execute, execute_folder
    from runforge_engine.pipeline.request import prepare

    if run_dir is not None:
        folder = Path(run_dir).absolute()
        if not folder.exists() and (settings.folder / run_dir).is_dir():
            folder = settings.folder / run_dir  # relative to the workspace, as in documents
        store = _store_of(folder, settings)
        return train_and_report(
            settings,
            lambda observer, cancellation: execute_folder(
                folder,
                store,
                private=settings.private,
                observer=observer,
                cancellation=cancellation,
            ),
        )
    prepared = prepare(Document.load(Path(request or ""), RequestV1))
    return train_and_report(
        settings,
        lambda observer, cancellation: execute(
            prepared,
            settings.target(),
            private=settings.private,
            observer=observer,
            cancellation=cancellation,
        ),
    )


def _store_of(folder: Path, settings: Settings) -> StoreLayout:
    """Return the store that a run folder belongs to.

    The store that contains it, regardless of the environment; else the store of the options; else
    that of the nearest workspace above.
    """
    if folder.parent.name == "runs":
        root = folder.parent.parent
        return StoreLayout(root.parent, root.name)
    if settings.workspace is not None:
        return settings.target()
    name = settings.store_name
    return StoreLayout(find_workspace(folder, name), name or DEFAULT_STORE)
