"""``runforge predict``: apply the model of a run to new rows."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click
from runforge_contracts.display import quote
from runforge_contracts.fs.files import write_file

from runforge_cli.answers.prediction_answer import model_for, prediction_document
from runforge_cli.shell.completion import complete_file, complete_run
from runforge_cli.shell.help_page import Command
from runforge_cli.shell.output_paths import check_free
from runforge_cli.shell.settings import Settings, global_options, pass_settings
from runforge_cli.terminal.output import note, warn, write_json, write_lines
from runforge_cli.terminal.text_layout import plural

if TYPE_CHECKING:
    from runforge_engine.modeling.predict import Prediction

#: Maximum number of rows or columns named in a note.
_SHOWN = 10


@click.command(
    "predict",
    cls=Command,
    short_help="Apply the model of a run to new rows.",
    examples=(
        "runforge predict production new.csv -o predictions.csv",
        "runforge predict latest new.csv --proba",
    ),
)
@click.argument("model", metavar="RUN|MODEL", shell_complete=complete_run)
@click.argument("data", type=click.Path(), shell_complete=complete_file)
@click.option(
    "--output",
    "-o",
    metavar="OUT.csv",
    help="Output file; must not exist.",
    shell_complete=complete_file,
)
@click.option(
    "--proba", is_flag=True, help="Write the probability of each class instead of the label."
)
@click.option(
    "--unverified",
    is_flag=True,
    help="Use a model whose digest no run recorded; it is still inspected.",
)
@global_options
@pass_settings
def command(
    settings: Settings, model: str, data: str, output: str | None, proba: bool, unverified: bool
) -> int:
    """Apply the model of a run to the rows of DATA, a CSV (also .csv.gz) or Parquet file.

    DATA needs the columns that the model was trained on, in any order; other columns are ignored. A
    row with a missing value keeps its number and gets no prediction.

    A model file is loaded only after it was inspected, and only if a run of the workspace has
    recorded its digest. Other clients record none: --unverified uses their models after inspection
    alone, with a warning.
    """
    from runforge_engine.modeling.model_process import predict

    target = None if output is None else Path(output)
    if target is not None:
        check_free(target, "Choose another file, or remove it first.")
    recorded = model_for(settings, model, unverified=unverified)
    prediction = predict(recorded, Path(data), probabilities=proba)
    for text in (*prediction.warnings, *_messages(prediction, "warning")):
        warn(text)
    if not settings.quiet:
        for text in _notes(prediction):
            note(text)
    if target is not None:
        write_file(target, prediction.to_csv())
    if settings.json:
        write_json(prediction_document(prediction, output))
    elif target is None:
        sys.stdout.flush()
        sys.stdout.buffer.write(prediction.to_csv(for_terminal=sys.stdout.isatty()))
    else:
        rows, done = len(prediction.values), prediction.predicted
        counted = plural(rows, "row") if rows == done else f"{done:,} of {plural(rows, 'row')}"
        write_lines([f"Predicted {counted} with run {prediction.run_id}: {quote(output, 200)}"])
    return 0


def _messages(prediction: Prediction, severity: str) -> Iterator[str]:
    """Yield the messages of the diagnostics with a severity."""
    return (item.message for item in prediction.diagnostics if item.severity == severity)


def _notes(prediction: Prediction) -> Iterator[str]:
    yield from _messages(prediction, "info")
    ignored, missing = prediction.ignored_columns, prediction.missing_rows
    if ignored:
        shown = _some([quote(name, 30) if name else "(no name)" for name in ignored])
        yield f"The model does not use {plural(len(ignored), 'column')} of the dataset: {shown}."
    if missing:
        lacking = _some([quote(name, 30) for name in prediction.missing_by_column])
        yield (
            f"{len(missing):,} of {plural(len(prediction.values), 'row')} got no prediction,"
            f" because of missing values in {lacking}: {'row' if len(missing) == 1 else 'rows'}"
            f" {_some([str(row) for row in missing])}."
        )


def _some(items: list[str]) -> str:
    left = len(items) - _SHOWN
    return ", ".join(items[:_SHOWN]) + (f" and {left:,} more" if left > 0 else "")
