"""The sections of a report that compare several runs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from runforge_contracts.display import shorten
from runforge_contracts.store import layout
from runforge_engine.store.sweep_settings import settings_of

from runforge_cli.render.differences import field_texts, signed
from runforge_cli.report import curve_blocks, history_blocks
from runforge_cli.report.compared_runs import MAX_METRICS, RunTable
from runforge_cli.report.report_blocks import (
    HANDFUL,
    Block,
    Cell,
    Name,
    Paragraph,
    Section,
    TableBlock,
    Text,
    prose,
)
from runforge_cli.report.report_input import AnyMaterial, Material
from runforge_cli.report.result_blocks import MAX_MATRIX, class_texts
from runforge_cli.report.small_multiples import small_matrices
from runforge_cli.report.sweep_plots import picture_blocks
from runforge_cli.report.sweep_sections import spread_blocks
from runforge_cli.report.value_groups import group_blocks
from runforge_cli.terminal.text_layout import number

#: Maximum number of weights shown, largest change first: in columns, and in rows of runs.
TOP, TOP_IN_ROWS = 20, 12
#: Maximum number of columns of a table of metrics.
_MOST = 24
_WEIGHTS = {"linear_coefficients": "Coefficients", "feature_importance": "Importances"}
_NONE = "–"


def comparison_sections(runs: RunTable) -> list[Section]:
    """Return the sections on the differences between runs."""
    shown = [
        Section("Runs", list(runs.blocks())),
        Section("Summary of the differences", list(_conclusions(runs))),
        *(_side_by_side if len(runs.materials) <= HANDFUL else _in_rows)(runs),
    ]
    return [section for section in shown if section.blocks]


def _side_by_side(runs: RunTable) -> Iterator[Section]:
    """Yield the sections on a handful of runs, with their values in columns."""
    comparison, letters = runs.comparison, runs.letters
    yield Section("Metrics compared", list(_metrics(comparison, letters)))
    yield Section("Curves compared", _curves(runs.materials, letters[0]))
    for title, caption, fields in _groups(comparison):
        yield Section(title, list(_fields(fields, caption, letters)))
        if title == "Data compared":
            yield Section("Weights that changed", list(_weights(comparison, letters)))
    yield Section("Artifacts compared", list(_artifacts(comparison, letters)))


def _in_rows(runs: RunTable) -> Iterator[Section]:
    """Yield the sections on many runs, with a row or a small picture for each."""
    comparison, metric = runs.comparison, runs.table.metric
    ranked = [runs.materials[at] for at in runs.order]
    pictures = picture_blocks(runs.table, metric) if metric else []
    yield Section("Parameters and results", pictures)
    if runs.table.seeds:
        spread = spread_blocks(runs.table, settings_of(runs.table))
        yield Section("Spread over the seeds", list(spread))
    yield Section("Metrics compared", list(_more_metrics(runs)))
    yield Section("Confusion matrices", list(_matrices(ranked)))
    yield Section("Curves compared", _curves(ranked, runs.letters[0]))
    with_columns = {field["name"] for field in runs.differing}
    for title, caption, fields in _groups(comparison):
        rest = [field for field in fields if field["name"] not in with_columns]
        yield Section(title, list(group_blocks(runs, rest, f"{caption}: other differences")))
        if title == "Data compared":
            yield Section("Weights that changed", list(_weight_rows(runs)))
    content = comparison.get("model_content")
    digests = [*comparison["artifacts"], *([content] if content else [])]
    yield Section("Artifacts compared", list(group_blocks(runs, digests, "Digests of artifacts")))


def _groups(comparison: Mapping[str, Any]) -> Iterator[tuple[str, str, list[dict[str, Any]]]]:
    """Yield title, caption and fields of the parts of a comparison that have fields."""
    configuration = [*comparison["configuration"], *comparison["hyperparameters"]]
    yield "Configuration compared", "Configuration", configuration
    yield "Data compared", "Data", comparison["data"]
    yield "Environment compared", "Environment", comparison["environment"]


def _conclusions(runs: RunTable) -> Iterator[Block]:
    """Yield the conclusions; one that several runs share stands once."""
    groups: dict[str, list[int]] = {}
    for at, conclusion in enumerate(runs.comparison["conclusions"], 1):
        groups.setdefault(conclusion["text"], []).append(at)
    for text, positions in groups.items():
        each = ", each" if len(positions) > 1 else ""
        yield Paragraph([f"{runs.letters_text(positions)}{each}: ", *prose(text)])


def _curves(materials: Sequence[AnyMaterial], baseline: str) -> list[Block]:
    trained = [material for material in materials if isinstance(material, Material)]
    histories = [
        (material.letter, material.history)
        for material in materials
        if not isinstance(material, Material)
    ]
    return [
        *curve_blocks.compared_blocks(trained, baseline),
        *history_blocks.compared_blocks(histories, baseline),
    ]


def _more_metrics(runs: RunTable) -> Iterator[Block]:
    """Yield the metrics that the table of runs lacks: further ones, and those of single classes."""
    names = runs.metrics[MAX_METRICS:]
    if names:
        yield runs.metric_table("Further metrics", names[:_MOST])
    if len(names) > _MOST:
        yield Paragraph(f"{len(names) - _MOST:,} more metrics are not shown.")
    of_classes = [
        metric
        for metric in runs.comparison["metrics"]
        if "class" in metric and metric["name"] == "f1"
    ]
    if of_classes:
        rows: list[list[Text | Cell]] = [
            [runs.letters[at], *(_value(metric["values"][at]) for metric in of_classes[:_MOST])]
            for at in runs.order
        ]
        header = ("Run", *(shorten(str(metric["class"]), 60) for metric in of_classes[:_MOST]))
        yield TableBlock("F1 score of each class", header, rows, frozenset(range(1, len(header))))
    if len(of_classes) > _MOST:
        yield Paragraph(f"{len(of_classes) - _MOST:,} more classes are not shown.")


def _value(entry: Mapping[str, Any]) -> str:
    return number(entry["value"]) if "value" in entry else _NONE


def _matrices(materials: Sequence[AnyMaterial]) -> Iterator[Block]:
    """Yield the confusion matrices of trained runs, those with the same classes together."""
    groups: dict[tuple[str, ...], list[tuple[str, Sequence[Sequence[int]]]]] = {}
    for material in materials:
        if not isinstance(material, Material):
            continue
        metrics = material.folder.content(layout.METRICS_V1)
        if metrics is not None and len(metrics["confusion_matrix"]) <= MAX_MATRIX:
            classes = tuple(class_texts(material.folder, metrics))
            groups.setdefault(classes, []).append((material.letter, metrics["confusion_matrix"]))
    for classes, found in groups.items():
        if len(found) > 1:
            yield small_matrices(classes, found)


def _weight_rows(runs: RunTable) -> Iterator[Block]:
    """Yield the weights that changed the most, with a row for each run of a family."""
    for group in runs.comparison["weights"]:
        moved = group["moved"]
        if not moved:
            yield _unmoved(group)
            continue
        several = any("class" in item for item in moved)
        names = [
            shorten(f"{item['feature']} ({item['class']})" if several else item["feature"], 60)
            for item in moved[:TOP_IN_ROWS]
        ]
        members = [at for at in runs.order if any("value" in item["values"][at] for item in moved)]
        rows: list[list[Text | Cell]] = [
            [
                runs.letters[at],
                *(
                    signed(item["values"][at]["value"]) if "value" in item["values"][at] else _NONE
                    for item in moved[:TOP_IN_ROWS]
                ),
            ]
            for at in members
        ]
        header = ("Run", *names)
        caption = _weights_caption(group, TOP_IN_ROWS)
        yield TableBlock(caption, header, rows, frozenset(range(1, len(header))))


def _metrics(comparison: Mapping[str, Any], letters: Sequence[str]) -> Iterator[Block]:
    rows: list[list[Text]] = []
    for metric in comparison["metrics"]:
        name: list[str] = [Name(metric["name"])]
        if "class" in metric:
            name += [" of ", Name(str(metric["class"]))]
        if metric["lower_is_better"]:
            name.append(" (lower is better)")
        rows.append([name, *(_metric(entry) for entry in metric["values"])])
    if rows:
        numeric = frozenset(range(1, len(letters) + 1))
        of_training = all(run.get("kind") != "experiment" for run in comparison["runs"])
        caption = "Metrics on the validation rows" if of_training else "Final metrics"
        yield TableBlock(caption, ("Metric", *letters), rows, numeric)


def _metric(entry: dict[str, Any]) -> str:
    if "value" not in entry:
        return _NONE
    text = number(entry["value"])
    if "delta" not in entry:
        return text
    if entry["verdict"] == "equal":
        return f"{text} (equal)"
    return f"{text} ({signed(entry['delta'])}, {entry['verdict']})"


def _fields(
    fields: Sequence[dict[str, Any]], caption: str, letters: Sequence[str]
) -> Iterator[Block]:
    rows = [
        [[Name(field["name"])], *field_texts(field)]
        for field in fields
        if field["agreement"] != "equal"
        or len({entry.get("source") for entry in field["values"]}) > 1
    ]
    equal = [field["name"] for field in fields if field["agreement"] == "equal"]
    if rows:
        yield TableBlock(f"{caption}: differences", ("", *letters), rows)
    if equal:
        parts: list[str] = ["Equal in all runs: "]
        for name in equal:
            parts += [Name(name), ", "]
        yield Paragraph([*parts[:-1], "."])


def _weights(comparison: Mapping[str, Any], letters: Sequence[str]) -> Iterator[Block]:
    for group in comparison["weights"]:
        moved = group["moved"]
        if not moved:
            yield _unmoved(group)
            continue
        several = any("class" in item for item in moved)
        yield TableBlock(
            _weights_caption(group, TOP),
            ("Feature", *(("Class",) if several else ()), *letters),
            [
                [
                    [Name(item["feature"])],
                    *([[Name(str(item.get("class", "")))]] if several else []),
                    *(_weight(entry) for entry in item["values"]),
                ]
                for item in moved[:TOP]
            ],
            frozenset(range(1 + several, 1 + several + len(letters))),
        )


def _weights_caption(group: Mapping[str, Any], top: int) -> str:
    count = len(group["moved"])
    space = " in standardized space" if group["kind"] == "linear_coefficients" else ""
    first = f", the first {top} of {count:,}" if count > top else ""
    return (
        f"{_WEIGHTS[group['kind']]} of {group['model_family']}{space}, largest change first{first}"
    )


def _unmoved(group: Mapping[str, Any]) -> Paragraph:
    kind = _WEIGHTS[group["kind"]]
    return Paragraph([f"{kind} of ", Name(group["model_family"]), ": all are bit-identical."])


def _weight(entry: dict[str, Any]) -> str:
    if "value" not in entry:
        return _NONE
    text = signed(entry["value"])
    return f"{text} ({signed(entry['delta'])})" if entry.get("delta") else text


def _artifacts(comparison: Mapping[str, Any], letters: Sequence[str]) -> Iterator[Block]:
    content = comparison.get("model_content")
    fields = [*comparison["artifacts"], *([content] if content else [])]
    if fields:
        words = {"equal": "equal", "different": "different", "incomplete": "not in all runs"}
        yield TableBlock(
            "Digests of the artifacts",
            ("File", "", *letters),
            [
                [
                    [Name(field["name"])],
                    words[field["agreement"]],
                    *(_digest(text) for text in field_texts(field)),
                ]
                for field in fields
            ],
        )


def _digest(text: str) -> Text:
    return text if text == _NONE else [Name(text)]
