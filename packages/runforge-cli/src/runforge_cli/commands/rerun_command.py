"""``runforge rerun``: repeat the request of an earlier run, with or without changes."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click
from runforge_contracts.display import printable, quote
from runforge_contracts.errors import ErrorCode, RunForgeError
from runforge_contracts.store.layout import RECIPE
from runforge_contracts.store.run import Run

from runforge_cli.answers.repetition import repetition_of
from runforge_cli.commands.gate_options import gate_options, read_gates
from runforge_cli.commands.training_session import changing_options, train_and_report
from runforge_cli.process.process_exit import prepare_training
from runforge_cli.shell.completion import complete_column, complete_file, complete_run
from runforge_cli.shell.help_page import Command
from runforge_cli.shell.model_help import model_section
from runforge_cli.shell.settings import Settings, global_options, pass_settings, private_option
from runforge_cli.terminal.output import note, warn
from runforge_cli.terminal.text_layout import plural

if TYPE_CHECKING:
    from runforge_engine.pipeline.repeated_run import Repetition

#: How much of notes is shown.
_SHOWN = 60
#: What is said of the features that a dataset lost, and of those that it gained.
_OF_DATASET = (
    "{} of {}, which the dataset does not have any more",
    "{} which the dataset of {} did not have",
)
#: The same where the recipe changed.
_OF_RECIPE = (
    "{} of {}, which the recipe does not make any more",
    "{} which the recipe of {} did not make",
)


@click.command(
    "rerun",
    cls=Command,
    short_help="Repeat a run, with or without changes.",
    sections=(model_section,),
    examples=(
        "runforge rerun latest --param C=0.5 --name softer",
        "runforge rerun best --data new.csv --exclude year",
        "runforge rerun production --preset thorough --no-worse-than production",
    ),
)
@click.argument("run", shell_complete=complete_run)
@click.option(
    *("--data", "--dataset", "dataset"),
    metavar="FILE",
    help="Train on this dataset instead of the one of RUN.",
    shell_complete=complete_file,
)
@click.option(
    "--include",
    multiple=True,
    metavar="COLUMN",
    help="Use a column that RUN excluded.",
    shell_complete=complete_column,
)
@click.option(
    "--recipe",
    metavar="FILE",
    help="Apply this recipe instead of the one of RUN, if it has one.",
    shell_complete=complete_file,
)
@click.option("--no-recipe", is_flag=True, help="Train on the dataset without the recipe of RUN.")
@changing_options
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
    recipe: str | None,
    no_recipe: bool,
    fail_under: tuple[str, ...],
    fail_over: tuple[str, ...],
    no_worse_than: str | None,
    **options: Any,
) -> int:
    """Repeat RUN: execute the same request in a new run, changed by the options.

    What no option changes is as in RUN. --exclude adds to the columns that RUN excluded. Name,
    tags and notes are not taken over, and neither are the hyperparameters with another model
    family.

    Dataset and recipe are the files as they are now; a change in their bytes is reported. If the
    file of the recipe is gone, the copy in RUN is applied.
    """
    if recipe is not None and no_recipe:
        raise RunForgeError(
            ErrorCode.USAGE_INVALID, "Give either `--recipe` or `--no-recipe`, not both."
        )
    gates = read_gates(settings, fail_under, fail_over, no_worse_than)
    prepare_training()
    from runforge_engine.modeling.configuration import parse_parameters
    from runforge_engine.pipeline.execute import execute

    parameters = parse_parameters(params)
    again = repetition_of(
        settings,
        run,
        options,
        parameters=parameters,
        cli_parameters=parameters.keys(),
        exclude=exclude,
        include=include,
        tags=tags,
        dataset=dataset,
        recipe=recipe,
        without_recipe=no_recipe,
    )
    store = settings.target()
    if not settings.quiet:
        _tell_what_is_dropped(again)
        if again.recipe_copy is not None:
            note(
                f"the recipe of {again.parent.id} is not at its path any more; the copy in the run"
                " is applied"
            )
    return train_and_report(
        settings,
        lambda observer, cancellation: execute(
            again.request,
            store,
            # The repetition of a private run is private.
            private=settings.private or again.private or None,
            observer=observer,
            cancellation=cancellation,
        ),
        gates,
        notes=lambda run: _changes(again.parent, run, settings, chosen=recipe is not None),
    )


def _tell_what_is_dropped(again: Repetition) -> None:
    """Print that the new run has neither the name nor the tags nor the notes of its parent."""
    before, now = again.parent.request or {}, again.request.document.content
    name, tags, notes = before.get("name"), before.get("tags") or [], before.get("notes")
    dropped = [
        *([f"the name {quote(name)}"] if name and "name" not in now else []),
        *([f"the tags {', '.join(map(quote, tags))}"] if tags and "tags" not in now else []),
        *([f"the notes {quote(notes, _SHOWN)}"] if notes and "notes" not in now else []),
    ]
    if dropped:
        *others, last = dropped
        listed = f"{', '.join(others)} and {last}" if others else last
        verb = "is" if dropped == [f"the name {quote(name)}"] else "are"
        note(
            f"{listed} of {again.parent.id} {verb} not taken over; --name, --tag and --notes set"
            " them"
        )


def _changes(parent: Run, run: Run, settings: Settings, *, chosen: bool) -> dict[str, Any]:
    """Print which files have other bytes than before, and return it for ``--json``.

    ``chosen``: an option named the recipe.
    """
    from runforge_engine.data.message_parts import name_list
    from runforge_engine.pipeline.repeated_run import changed_features, changed_files

    found = changed_files(parent, run)
    if settings.json:
        return found
    if not settings.quiet:
        for text in _notes(found, parent, settings, chosen=chosen):
            note(text)
    if "recipe_changed" in found:
        texts = None if chosen else _OF_RECIPE
    else:
        texts = _OF_DATASET if found else None
    if texts is not None:
        for names, what in zip(changed_features(parent, run), texts, strict=True):
            if names:
                which = what.format(plural(len(names), "feature"), parent.id)
                warn(f"{which}: {name_list(names)}")
    return found


def _notes(
    found: dict[str, dict[str, str]], parent: Run, settings: Settings, *, chosen: bool
) -> Iterator[str]:
    for name, digests in found.items():
        before, after = (digests[which][:12] for which in ("before", "after"))
        what = name.removesuffix("_changed")
        text = f"the {what} has changed since {parent.id}: SHA-256 {before} before, {after} now"
        if what == "recipe" and not chosen:
            copy = printable(settings.shown(parent.path / RECIPE))
            text += f"; --recipe {shlex.quote(copy)} applies the recorded one"
        yield text
