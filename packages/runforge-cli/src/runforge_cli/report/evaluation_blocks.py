"""The evaluations of a run in its report: the metrics on new rows beside those of validation."""

from __future__ import annotations

from collections.abc import Iterator

from runforge_contracts.display import shorten, time_text
from runforge_contracts.store.evaluations import (
    RecordedEvaluation,
    is_of_training_data,
    validation_of,
)

from runforge_cli.render.evaluation_view import left_out_text, metric_rows
from runforge_cli.report.report_blocks import Block, Name, Paragraph, TableBlock
from runforge_cli.report.report_input import Material
from runforge_cli.terminal.text_layout import plural

#: Maximum number of evaluations, and maximum length of a path.
_MOST, _LONG = 20, 200


def evaluation_blocks(material: Material) -> Iterator[Block]:
    """Yield the evaluations of the run's model, the newest first, each with a table of metrics."""
    evaluations = material.related.evaluations[::-1]
    if not evaluations:
        return
    validation = validation_of(material.folder)
    order = ", the newest first" if len(evaluations) > 1 else ""
    yield Paragraph(f"{plural(len(evaluations), 'evaluation')} of the model on new rows{order}.")
    for evaluation in evaluations[:_MOST]:
        yield TableBlock(
            f"{evaluation.id}, {time_text(evaluation.record['created_at'])}",
            ("Metric", "New rows", "Validation", "Difference"),
            [
                [[Name(name)], *values]
                for name, *values in metric_rows(evaluation.metrics, validation)
            ],
            frozenset({1, 2, 3}),
        )
        yield from _about(material, evaluation)
    if len(evaluations) > _MOST:
        yield Paragraph(f"{plural(len(evaluations) - _MOST, 'older evaluation')} not shown.")


def _about(material: Material, evaluation: RecordedEvaluation) -> Iterator[Block]:
    """Yield the dataset of an evaluation, and which of its rows were left out."""
    record = evaluation.record
    data = record["dataset"]
    rows = f"{record['rows_evaluated']:,} of {plural(data['rows'], 'row')} evaluated"
    left_out = [f"; left out: {left_out_text(item)}" for item in record["left_out"]]
    digest = [Name(data["sha256"])]
    name = [Name(shorten(material.path_text(data["path"]), _LONG))]
    is_same = is_of_training_data(evaluation, material.folder)
    mark = " The model was trained on it." if is_same else ""
    yield Paragraph(["Dataset ", *name, ", SHA-256 ", *digest, f": {rows}", *left_out, ".", mark])
