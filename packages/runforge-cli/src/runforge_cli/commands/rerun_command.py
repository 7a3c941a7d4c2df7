"""``runforge rerun``: repeat the request of an earlier run, with or without changes."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import click
from runforge_contracts.display import quote
from runforge_contracts.errors import ErrorCode, RunForgeError
from runforge_contracts.store.layout import REQUEST
from runforge_contracts.store.lookup import made
from runforge_contracts.store.run import Run

from runforge_cli import CLIENT
from runforge_cli.commands.gate_options import gate_options, read_gates
from runforge_cli.commands.training_session import train_and_report, training_options
from runforge_cli.process.process_exit import prepare_training
from runforge_cli.shell.settings import (
    Settings,
    complete_run,
    global_options,
    pass_settings,
    private_option,
)

#: The JSON pointer of each option in a request.
_POINTERS = {
    "model": "/model/family",
    "preset": "/preset",
    "profile": "/profile",
    "seed": "/seed",
    "device": "/device/type",
    "name": "/name",
    "notes": "/notes",
}


@click.command("rerun", short_help="Repeat a run, with or without changes.")
@click.argument("run", shell_complete=complete_run)
@click.option("--dataset", metavar="FILE", help="Current path of the dataset.")
@training_options
@gate_options
@private_option
@global_options
@pass_settings
def command(
    settings: Settings,
    /,
    run: str,
    params: tuple[str, ...],
    exclude: tuple[str, ...],
    tags: tuple[str, ...],
    dataset: str | None,
    fail_under: tuple[str, ...],
    fail_over: tuple[str, ...],
    no_worse_than: str | None,
    **options: Any,
) -> int:
    """Repeat RUN: execute the same request in a new run, changed by the options.

    With another model family, the hyperparameters of RUN are not used.
    """
    gates = read_gates(settings, fail_under, fail_over, no_worse_than)
    prepare_training()
    from runforge_engine.data.dataset_source import dataset_path
    from runforge_engine.modeling.configuration import PROFILES, parse_parameters
    from runforge_engine.pipeline.execute import execute
    from runforge_engine.pipeline.request import rerun_request
    from runforge_engine.provenance.privacy import is_left_out, is_private

    parent = settings.find_run(
        run,
        "Repeat it with `runforge experiment run --experiment runs/{run}/config.yaml`.",
        made(REQUEST),
    )
    request = parent.request or {}
    model = request.get("model", {})
    profile, kind = options["profile"], model.get("family", "")
    # A profile given as an option sets the family, as in `runforge train`.
    family = options["model"] or (PROFILES[profile].family if profile in PROFILES else None) or kind
    parameters = parse_parameters(params)
    kept = model.get("hyperparameters", {}) if family == kind else {}
    changes: dict[str, Any] = {
        _POINTERS[name]: value for name, value in options.items() if value is not None
    }
    if family != kind:
        changes["/model/family"] = family
    if parameters or kept != model.get("hyperparameters", {}):
        changes["/model/hyperparameters"] = {**kept, **parameters}
    if exclude:
        changes["/dataset/exclude_columns"] = list(exclude)
    if tags:
        changes["/tags"] = list(tags)
    store = settings.target()
    path = request.get("dataset", {}).get("path")
    home = _workspace_of(parent)
    if dataset is not None:
        changes["/dataset/path"] = store.relative(Path(os.path.abspath(dataset)))  # noqa: PTH100
    elif path is not None and is_left_out(path):
        raise RunForgeError(
            ErrorCode.DATASET_NOT_FOUND,
            f"The run {quote(parent.id)} does not record the folder of its dataset.",
            hint="It was omitted from the record on request; name the file with --dataset.",
        )
    elif path is not None and home is not None and home != store.workspace:
        # A relative path starts at the workspace that contains the run.
        changes["/dataset/path"] = store.relative(dataset_path(path, home))
    again = rerun_request(parent, changes, created_by=CLIENT, cli_parameters=parameters.keys())
    return train_and_report(
        settings,
        lambda observer, cancellation: execute(
            again,
            store,
            # The repetition of a private run is private.
            private=settings.private or is_private(parent) or None,
            observer=observer,
            cancellation=cancellation,
        ),
        gates,
    )


def _workspace_of(folder: Run) -> Path | None:
    """Return the workspace of a run in a store; a separate run folder has none."""
    return folder.path.parents[2] if folder.path.parent.name == "runs" else None
