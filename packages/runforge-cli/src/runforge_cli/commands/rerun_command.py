"""``runforge rerun``: repeat the request of an earlier run, with or without changes."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click
from runforge_contracts.display import quote
from runforge_contracts.documents import REMOVE
from runforge_contracts.errors import ErrorCode, RunForgeError
from runforge_contracts.store.layout import REQUEST
from runforge_contracts.store.lookup import made
from runforge_contracts.store.run import Run
from runforge_contracts.store.summary import summary_of

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
from runforge_cli.terminal.output import note

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
@click.option(
    *("--data", "--dataset", "dataset"),
    metavar="FILE",
    help="Train on this dataset instead of the one of RUN.",
)
@click.option(
    "--include",
    multiple=True,
    metavar="COLUMN",
    help="Use a column that RUN excluded; repeatable.",
)
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
    include: tuple[str, ...],
    tags: tuple[str, ...],
    dataset: str | None,
    fail_under: tuple[str, ...],
    fail_over: tuple[str, ...],
    no_worse_than: str | None,
    **options: Any,
) -> int:
    """Repeat RUN: execute the same request in a new run, changed by the options.

    --exclude adds to the columns that RUN excluded. Name and tags are not taken over, and neither
    are the hyperparameters with another model family.
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
    excluded = request.get("dataset", {}).get("exclude_columns") or []
    if exclude or include:
        changes["/dataset/exclude_columns"] = _excluded(parent, excluded, exclude, include)
    # They are about the run that had them.
    changes.setdefault("/name", REMOVE)
    changes["/tags"] = list(tags) if tags else REMOVE
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
    if not settings.quiet:
        _tell_what_is_dropped(parent, changes)
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
        notes=lambda run: _changed_dataset(parent, run, settings),
    )


def _excluded(
    parent: Run, excluded: Sequence[str], more: Sequence[str], fewer: Sequence[str]
) -> list[str]:
    """Return the columns to exclude: those of the parent, with some added and some taken away."""
    for name in fewer:
        if name not in excluded:
            listed = ", ".join(quote(column) for column in excluded)
            raise RunForgeError(
                ErrorCode.USAGE_INVALID,
                f"The run {quote(parent.id)} does not exclude {quote(name)}.",
                hint=f"It excludes {listed}." if listed else "It excludes no column.",
                column=name,
            )
    return [
        *(name for name in excluded if name not in fewer),
        *(name for name in more if name not in excluded),
    ]


def _tell_what_is_dropped(parent: Run, changes: Mapping[str, Any]) -> None:
    """Print that the new run has neither the name nor the tags of its parent."""
    request = parent.request or {}
    name, tags = request.get("name"), request.get("tags") or []
    dropped = [
        *([f"the name {quote(name)}"] if name and changes["/name"] is REMOVE else []),
        *(
            [f"the tags {', '.join(map(quote, tags))}"]
            if tags and changes["/tags"] is REMOVE
            else []
        ),
    ]
    if dropped:
        note(
            f"{' and '.join(dropped)} of {parent.id} are not taken over; --name and --tag set them"
        )


def _changed_dataset(parent: Run, run: Run, settings: Settings) -> dict[str, Any]:
    """Print that the dataset has other bytes than before, and return it for ``--json``."""
    before, after = (summary_of(one).data.fingerprint_sha256 for one in (parent, run))
    if before is None or after is None or before == after:
        return {}
    if not settings.quiet and not settings.json:
        note(
            f"the dataset has changed since {parent.id}: SHA-256 {before[:12]} before,"
            f" {after[:12]} now"
        )
    return {"dataset_changed": {"before": before, "after": after}}


def _workspace_of(folder: Run) -> Path | None:
    """Return the workspace of a run in a store; a separate run folder has none."""
    return folder.path.parents[2] if folder.path.parent.name == "runs" else None
