"""``runforge rerun``: the request of an earlier run again, with changes on top."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click
from runforge_contracts.reading import RunFolder

from runforge_cli import CLIENT
from runforge_cli.process import prepare_training
from runforge_cli.running import train_and_tell, training_options
from runforge_cli.settings import Settings, complete_run, global_options, pass_settings

#: Where each option stands in a request.
_PLACES = {
    "model": "/model/family",
    "preset": "/preset",
    "profile": "/profile",
    "seed": "/seed",
    "device": "/device/type",
    "name": "/name",
    "notes": "/notes",
}


@click.command("rerun", short_help="Repeat a run, with changes if you like.")
@click.argument("run", shell_complete=complete_run)
@training_options
@global_options
@pass_settings
def command(
    settings: Settings,
    /,
    run: str,
    params: tuple[str, ...],
    exclude: tuple[str, ...],
    tags: tuple[str, ...],
    **options: Any,
) -> int:
    """Repeat RUN: the same request in a new run, with the options as changes on top.

    Another model family starts from its own hyperparameters.
    """
    prepare_training()
    from runforge_engine.configuration import PROFILES, parse_parameters
    from runforge_engine.execution import execute
    from runforge_engine.requests import dataset_path, rerun_request

    parent = settings.find_run(
        run, "Repeat it with `runforge experiment run --experiment runs/{run}/config.yaml`."
    )
    request = parent.request or {}
    model = request.get("model", {})
    profile, kind = options["profile"], model.get("family", "")
    # A profile that is named anew brings its family, as in a training.
    family = options["model"] or (PROFILES[profile].family if profile in PROFILES else None) or kind
    parameters = parse_parameters(params)
    kept = model.get("hyperparameters", {}) if family == kind else {}
    changes: dict[str, Any] = {
        _PLACES[name]: value for name, value in options.items() if value is not None
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
    if path is not None and home is not None and home != store.workspace:
        # A relative path starts at the workspace that the run lies in.
        changes["/dataset/path"] = store.relative(dataset_path(path, home))
    again = rerun_request(parent, changes, created_by=CLIENT)
    return train_and_tell(
        settings,
        lambda observer, cancellation: execute(
            again,
            store,
            cli_parameters=parameters.keys(),
            observer=observer,
            cancellation=cancellation,
        ),
    )


def _workspace_of(folder: RunFolder) -> Path | None:
    """Return the workspace of a run that lies in a store; a folder of its own has none."""
    return folder.path.parents[2] if folder.path.parent.name == "runs" else None
