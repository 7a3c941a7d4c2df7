"""The sections of a report that compare several runs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from runforge_cli.render.differences import field_texts, signed
from runforge_cli.report import history_blocks
from runforge_cli.report.curve_blocks import overlaid_blocks
from runforge_cli.report.report_blocks import (
    Block,
    Name,
    Paragraph,
    Section,
    TableBlock,
    Text,
    prose,
)
from runforge_cli.report.report_input import AnyMaterial, Material
from runforge_cli.terminal.text_layout import number

#: Maximum number of weights shown, largest change first.
TOP = 20
_NONE = "–"


def comparison_sections(
    comparison: dict[str, Any], materials: Sequence[AnyMaterial]
) -> list[Section]:
    """Return the sections on the differences between runs.

    Parameters
    ----------
    comparison
        The raw ``comparison.v1`` of the runs.
    materials
        The runs, with their letters.
    """
    letters = [material.letter for material in materials]
    trained = [material for material in materials if isinstance(material, Material)]
    histories = [
        (material.letter, material.history)
        for material in materials
        if not isinstance(material, Material)
    ]
    sections = [
        Section("Runs", [_runs(comparison, letters)]),
        Section("Summary of the differences", list(_conclusions(comparison, letters))),
        Section("Metrics compared", list(_metrics(comparison, letters))),
        Section(
            "Curves compared",
            [*overlaid_blocks(trained), *history_blocks.overlaid_blocks(histories)],
        ),
        Section(
            "Configuration compared",
            list(
                _fields(
                    [*comparison["configuration"], *comparison["hyperparameters"]],
                    "Configuration",
                    letters,
                )
            ),
        ),
        Section("Data compared", list(_fields(comparison["data"], "Data", letters))),
        Section("Weights that changed", list(_weights(comparison, letters))),
        Section(
            "Environment compared", list(_fields(comparison["environment"], "Environment", letters))
        ),
        Section("Artifacts compared", list(_artifacts(comparison, letters))),
    ]
    return [section for section in sections if section.blocks]


def _runs(comparison: dict[str, Any], letters: Sequence[str]) -> TableBlock:
    return TableBlock(
        f"Runs; {letters[0]} is the baseline",
        ("", "Run", "Status", "Name"),
        [
            [letter, [Name(run["run_id"])], run["status"], run.get("name", "")]
            for letter, run in zip(letters, comparison["runs"], strict=True)
        ],
    )


def _conclusions(comparison: dict[str, Any], letters: Sequence[str]) -> Iterator[Block]:
    for letter, conclusion in zip(letters[1:], comparison["conclusions"], strict=True):
        yield Paragraph([f"{letter}: ", *prose(conclusion["text"])])


def _metrics(comparison: dict[str, Any], letters: Sequence[str]) -> Iterator[Block]:
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


def _weights(comparison: dict[str, Any], letters: Sequence[str]) -> Iterator[Block]:
    for group in comparison["weights"]:
        what = "Coefficients" if group["kind"] == "linear_coefficients" else "Importances"
        moved = group["moved"]
        if not moved:
            yield Paragraph(
                [f"{what} of ", Name(group["model_family"]), ": all are bit-identical."]
            )
            continue
        first = f", the first {TOP} of {len(moved):,}" if len(moved) > TOP else ""
        space = " in standardized space" if what == "Coefficients" else ""
        several = any("class" in item for item in moved)
        yield TableBlock(
            f"{what} of {group['model_family']}{space}, largest change first{first}",
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


def _weight(entry: dict[str, Any]) -> str:
    if "value" not in entry:
        return _NONE
    text = signed(entry["value"])
    return f"{text} ({signed(entry['delta'])})" if entry.get("delta") else text


def _artifacts(comparison: dict[str, Any], letters: Sequence[str]) -> Iterator[Block]:
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
