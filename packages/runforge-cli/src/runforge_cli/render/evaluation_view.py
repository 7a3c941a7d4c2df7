"""An evaluation as text: its metrics beside those of validation, and the rows left out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from runforge_contracts.display import quote, shorten, time_text
from runforge_contracts.metrics import class_metrics, lower_is_better
from runforge_contracts.store.evaluations import (
    LEFT_OUT_TEXTS,
    RecordedEvaluation,
    is_of_training_data,
    metric_numbers,
    validation_of,
)
from runforge_contracts.store.run import Run

from runforge_cli.render.run_summary import section
from runforge_cli.render.tables import confusion_section, diagnostic_lines
from runforge_cli.shell.settings import Settings
from runforge_cli.terminal.text_layout import number, pairs, paragraph, plural, table

#: Maximum length of a path and of a cell.
_LONG, _CELL = 200, 30


def evaluation_lines(
    evaluation: RecordedEvaluation, run: Run | None, settings: Settings
) -> Iterator[str]:
    """Yield the lines on an evaluation.

    Parameters
    ----------
    evaluation
        The evaluation.
    run
        Its run, with whose validation it is compared; None if that is gone.
    settings
        For the paths that are shown.
    """
    record = evaluation.record
    yield from paragraph(f"Evaluation {evaluation.id} of the run {record['run_id']}")
    yield from pairs(_facts(evaluation, run, settings))
    yield from _metrics(evaluation.metrics, validation_of(run))
    yield from section("Diagnostics", diagnostic_lines(record.get("diagnostics") or []))
    run_id, options = record["run_id"], settings.repeated()
    yield from section(
        "Next",
        pairs(
            [
                ("verify it", f"runforge verify {evaluation.id}{options}"),
                ("the run", f"runforge show {run_id}{options}"),
            ]
        ),
    )


def brief_lines(
    evaluation: RecordedEvaluation, run: Run | None, settings: Settings
) -> Iterator[str]:
    """Yield the lines on an evaluation on a page about its run, as :func:`evaluation_lines`."""
    yield from paragraph(f"Evaluation {evaluation.id}")
    yield from pairs(_facts(evaluation, run, settings))
    yield from _metrics(evaluation.metrics, validation_of(run))


def _metrics(metrics: dict[str, Any], validation: dict[str, Any] | None) -> Iterator[str]:
    yield from section("Metrics", metric_table(metrics, validation))
    yield from section("By class", class_table(metrics, validation))
    yield from section(*confusion_section(metrics, None))


def _facts(
    evaluation: RecordedEvaluation, run: Run | None, settings: Settings
) -> Iterator[tuple[str, str]]:
    record = evaluation.record
    data = record["dataset"]
    yield "dataset", f"{shorten(settings.shown(data['path']), _LONG)} ({_digest(data['sha256'])})"
    if is_of_training_data(evaluation, run):
        yield "", "the model was trained on it"
    yield "label", shorten(data["label_column"], _LONG)
    yield "rows", f"{record['rows_evaluated']:,} of {plural(data['rows'], 'row')} evaluated"
    for title, item in zip(_titles(), record["left_out"], strict=False):
        yield title, left_out_text(item)
    yield "made", f"{time_text(record['created_at'])} by {shorten(record['created_by'], _CELL)}"
    yield "folder", settings.shown(evaluation.path.absolute())


def _digest(sha256: str) -> str:
    return f"sha256 {sha256[:12]}…"


def _titles() -> Iterator[str]:
    yield "left out"
    while True:
        yield ""


def left_out_text(item: dict[str, Any]) -> str:
    """Return how many rows are left out for a reason, and the first of them."""
    examples = [_example(example) for example in item["examples"]]
    more = ", …" if item["rows"] > len(examples) else ""
    reason = LEFT_OUT_TEXTS[item["reason"]]
    return f"{plural(item['rows'], 'row')} with {reason}: {', '.join(examples)}{more}"


def _example(example: dict[str, Any]) -> str:
    value = f" {quote(example['value'], _CELL)}" if "value" in example else ""
    return f"row {example['row']:,} ({quote(example['column'], _CELL)}{value})"


def metric_table(metrics: dict[str, Any], validation: dict[str, Any] | None) -> list[str]:
    """Return the metrics that are one number, beside those of validation."""
    rows = [
        [name + (" (lower is better)" if lower_is_better(name) else ""), *values]
        for name, *values in metric_rows(metrics, validation)
    ]
    header = ("", "new rows", "validation", "difference")
    return table(header, rows, right=(1, 2, 3), flexible=0, indent=2)


def metric_rows(
    metrics: dict[str, Any], validation: dict[str, Any] | None
) -> list[tuple[str, str, str, str]]:
    """Return name, value, value in validation and difference of the metrics that are one number."""
    known = metric_numbers(validation or {})
    return [
        (name, number(value), *_beside(value, known.get(name)))
        for name, value in metric_numbers(metrics).items()
    ]


def class_table(metrics: dict[str, Any], validation: dict[str, Any] | None) -> list[str]:
    """Return the metrics by class, with the F1 score beside that of validation."""
    known = {item.label: item.f1 for item in class_metrics(validation)} if validation else {}
    rows: list[Sequence[str]] = []
    for label, precision, recall, f1, count in class_metrics(metrics):
        values = map(number, (precision, recall, f1))
        rows.append([str(label), f"{count:,}", *values, *_beside(f1, known.get(label))])
    if not rows:
        return []
    header = ("class", "rows", "precision", "recall", "f1", "f1 validation", "difference")
    return table(header, rows, right=(1, 2, 3, 4, 5, 6), flexible=0, indent=2)


def _beside(value: float, known: float | None) -> tuple[str, str]:
    if known is None:
        return "", ""
    difference = value - known
    return number(known), "0" if difference == 0 else f"{difference:+.4f}"
