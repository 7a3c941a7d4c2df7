"""The sections of a report on one trained run."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from runforge_contracts.display import format_duration, shorten, time_text
from runforge_contracts.store.summary import RunModel, RunOutcome, RunSummary, summary_of

from runforge_cli.render.differences import value_text
from runforge_cli.render.sweep_membership import membership_of
from runforge_cli.render.tables import source_text
from runforge_cli.report.curve_blocks import curve_blocks
from runforge_cli.report.evaluation_blocks import evaluation_blocks
from runforge_cli.report.origin_blocks import (
    diagnostic_blocks,
    provenance_blocks,
    reproduction_blocks,
)
from runforge_cli.report.report_blocks import (
    Block,
    Facts,
    Name,
    Paragraph,
    Section,
    TableBlock,
    Text,
    prose,
)
from runforge_cli.report.report_input import Material
from runforge_cli.report.result_blocks import metric_blocks, weight_blocks
from runforge_cli.terminal.text_layout import number, plural

#: Maximum length of free text, and maximum lines of the notes.
_LONG, _NOTES = 2_000, 40


def run_sections(material: Material) -> list[Section]:
    """Return the sections of a run, without the empty ones."""
    summary = summary_of(material.folder)
    sections = [
        Section("Outcome", list(_outcome(material, summary.outcome))),
        Section("Data", list(_data(material, summary))),
        Section("Configuration", list(_configuration(summary.model))),
        Section("Metrics", list(metric_blocks(material))),
        Section("Curves", curve_blocks(material)),
        Section("Evaluations", list(evaluation_blocks(material))),
        Section("Feature weights", list(weight_blocks(material))),
        Section("Diagnostics", list(diagnostic_blocks(material))),
        Section("Provenance", list(provenance_blocks(material))),
        Section("How to reproduce", list(reproduction_blocks(material))),
    ]
    return [section for section in sections if section.blocks]


def lead(material: Material) -> Text:
    """Return a one-line summary of a run."""
    folder = material.folder
    summary = summary_of(folder)
    family, chosen = summary.model.family, summary.outcome.primary_metric
    text: list[str] = [*([Name(family), " "] if family else ["The run "]), _STATUS[folder.status]]
    if chosen:
        text += [", with ", Name(chosen.name), f" {number(chosen.value)}"]
        rows = summary.data.validation_rows
        text.append(f" on {plural(rows, 'validation row')}." if rows else ".")
    else:
        text.append(".")
    return text


_STATUS = {
    "succeeded": "succeeded",
    "failed": "failed",
    "cancelled": "was cancelled",
    "incomplete": "is still training, or was interrupted",
}


def _outcome(material: Material, outcome: RunOutcome) -> Iterator[Block]:
    folder = material.folder
    facts: list[tuple[str, Text]] = [("Run", [Name(folder.id)]), ("Status", folder.status)]
    if outcome.name:
        facts.append(("Name", shorten(outcome.name, _LONG)))
    if outcome.finished_at:
        facts.append(("Finished", time_text(outcome.finished_at)))
    if outcome.duration_ms is not None:
        facts.append(("Duration", format_duration(outcome.duration_ms)))
    if outcome.tags:
        facts.append(("Tags", names(outcome.tags)))
    facts += [(title.capitalize(), text) for title, text in material.related.lineage]
    membership = membership_of(folder)
    if membership:
        facts.append(("Sweep", [Name(membership.group_id), membership.detail]))
    if material.with_folders:
        facts.append(("Folder", [Name(material.run_dir)]))
    yield Facts(facts)
    # The notes are the only multi-line string; each line becomes a paragraph.
    lines = shorten(outcome.notes or "", _LONG).splitlines()
    for line in [line for line in lines if line.strip()][:_NOTES]:
        yield Paragraph(line, "note")
    error = outcome.error
    if error:
        code = [" ", Name(error["code"])] if "code" in error else []
        yield Paragraph([*prose(shorten(error["message"], _LONG)), *code], "warning")
        if error.get("hint"):
            yield Paragraph(prose(shorten(error["hint"], _LONG)), "guide")


def _data(material: Material, summary: RunSummary) -> Iterator[Block]:
    data = summary.data
    facts: list[tuple[str, Text]] = []
    if data.path is not None:
        facts.append(("Dataset", [Name(material.path_text(data.path))]))
    if data.fingerprint_sha256 is not None:
        facts.append(("SHA-256", [Name(data.fingerprint_sha256)]))
    if data.recipe is not None:
        facts.append(("Recipe", [Name(material.path_text(data.recipe))]))
    if data.recipe_sha256 is not None:
        facts.append(("SHA-256 of the recipe", [Name(data.recipe_sha256)]))
    if data.rows is not None:
        dropped = data.dropped_rows or 0
        facts.append(("Rows", f"{data.rows:,} used; {dropped:,} dropped for missing values"))
    if data.train_rows is not None:
        counted = f"{data.train_rows:,} training, {data.validation_rows:,} validation"
        facts.append(("Split", f"{counted}; {data.split_method}, seed {summary.model.seed}"))
    if data.label_column:
        facts.append(("Label", [Name(data.label_column)]))
    if data.classes:
        facts.append(("Classes", names(data.classes)))
    if data.feature_names:
        count = len(data.feature_names)
        facts.append(("Features", [f"{count:,}: ", *names(data.feature_names)]))
    elif data.num_features is not None:
        facts.append(("Features", f"{data.num_features:,}"))
    if data.exclude_columns:
        facts.append(("Excluded", names(data.exclude_columns)))
    if facts:
        yield Facts(facts)


def _configuration(model: RunModel) -> Iterator[Block]:
    facts: list[tuple[str, Text]] = []
    if model.family:
        facts.append(("Model family", [Name(model.family)]))
    if model.preset:
        facts.append(("Preset", [Name(model.preset)]))
    if model.profile:
        facts.append(("Profile", [Name(model.profile)]))
    if model.seed is not None:
        facts.append(("Seed", str(model.seed)))
    if model.device:
        facts.append(
            ("Device", model.device + (f": {model.gpu_reason}" if model.gpu_reason else ""))
        )
    if facts:
        yield Facts(facts)
    values = model.hyperparameters.items()
    if any(source is not None for _, (_, source) in values):
        yield TableBlock(
            "Hyperparameters and their sources",
            ("Hyperparameter", "Value", "Source"),
            [
                [[Name(name)], [Name(value_text(value))], source_text(source or "")]
                for name, (value, source) in values
            ],
        )
    elif values:
        yield TableBlock(
            "Hyperparameters",
            ("Hyperparameter", "Value"),
            [[[Name(name)], [Name(value_text(value))]] for name, (value, _) in values],
        )


def names(values: Sequence[Any], most: int = 60) -> list[str]:
    """Return names separated by commas; only the first ones if there are many."""
    parts: list[str] = []
    for value in values[:most]:
        parts += [", ", Name(shorten(str(value), 200))]
    if len(values) > most:
        parts.append(f" and {len(values) - most:,} more")
    return parts[1:]
