"""The sections of a report on one trained run."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from runforge_contracts.display import format_duration, shorten, time_text
from runforge_contracts.metrics import primary_metric

from runforge_cli.render.differences import source_text, value_text
from runforge_cli.report.curve_blocks import curve_blocks
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
from runforge_cli.report.result_blocks import metric_blocks, ratios, weight_blocks
from runforge_cli.terminal.text_layout import number, plural

#: Maximum length of free text, and maximum lines of the notes.
_LONG, _NOTES = 2_000, 40


def run_sections(material: Material) -> list[Section]:
    """Return the sections of a run, without the empty ones."""
    sections = [
        Section("Outcome", list(_outcome(material))),
        Section("Data", list(_data(material))),
        Section("Configuration", list(_configuration(material))),
        Section("Metrics", list(metric_blocks(material))),
        Section("Curves", curve_blocks(material)),
        Section("Feature weights", list(weight_blocks(material))),
        Section("Diagnostics", list(diagnostic_blocks(material))),
        Section("Provenance", list(provenance_blocks(material))),
        Section("How to reproduce", list(reproduction_blocks(material))),
    ]
    return [section for section in sections if section.blocks]


def lead(material: Material) -> Text:
    """Return a one-line summary of a run."""
    folder = material.folder
    run, result = folder.record or {}, folder.result or {}
    family = _family(material)
    text: list[str] = [*([Name(family), " "] if family else []), _STATUS[folder.status]]
    chosen = primary_metric(result.get("summary") or ({"metrics": ratios(run)} if run else None))
    if chosen:
        text += [", with ", Name(chosen[0]), f" {number(chosen[1])}"]
        rows = run.get("split", {}).get("validation_rows")
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


def _family(material: Material) -> str:
    run, request = material.folder.record or {}, material.folder.request or {}
    return str(run.get("model_family") or request.get("model", {}).get("family") or "")


def _outcome(material: Material) -> Iterator[Block]:
    folder = material.folder
    run, result, request = folder.record or {}, folder.result or {}, folder.request or {}
    facts: list[tuple[str, Text]] = [("Run", [Name(folder.id)]), ("Status", folder.status)]
    if request.get("name"):
        facts.append(("Name", shorten(request["name"], _LONG)))
    when = run.get("created_at") or result.get("finished_at")
    if when:
        facts.append(("Finished", time_text(when)))
    if "duration_ms" in result:
        facts.append(("Duration", format_duration(result["duration_ms"])))
    if request.get("tags"):
        facts.append(("Tags", names(request["tags"])))
    if request.get("rerun_from"):
        facts.append(("Repeats", [Name(request["rerun_from"])]))
    facts.append(("Folder", [Name(material.run_dir)]))
    yield Facts(facts)
    # The notes are the only multi-line string; each line becomes a paragraph.
    lines = shorten(request.get("notes") or "", _LONG).splitlines()
    for line in [line for line in lines if line.strip()][:_NOTES]:
        yield Paragraph(line, "note")
    error = result.get("error")
    if error:
        code = [" ", Name(error["code"])] if "code" in error else []
        yield Paragraph([*prose(shorten(error["message"], _LONG)), *code], "warning")
        if error.get("hint"):
            yield Paragraph(prose(shorten(error["hint"], _LONG)), "guide")


def _data(material: Material) -> Iterator[Block]:
    folder = material.folder
    run, request = folder.record or {}, folder.request or {}
    config = (folder.result or {}).get("effective_config") or {}
    dataset = {**request.get("dataset", {}), **config.get("dataset", {}), **run.get("dataset", {})}
    facts: list[tuple[str, Text]] = []
    if "path" in dataset:
        facts.append(("Dataset", [Name(dataset["path"])]))
    if "fingerprint_sha256" in dataset:
        facts.append(("SHA-256", [Name(dataset["fingerprint_sha256"])]))
    used = run.get("num_samples", run.get("metrics", {}).get("num_samples"))
    if used is not None:
        dropped = run.get("dropped_rows_missing_values", 0)
        facts.append(("Rows", f"{used:,} used; {dropped:,} dropped for missing values"))
    split = run.get("split")
    if split:
        counted = f"{split['train_rows']:,} training, {split['validation_rows']:,} validation"
        facts.append(("Split", f"{counted}; {split['method']}, seed {run['seed']}"))
    label = run.get("label_column") or dataset.get("label_column")
    if label:
        facts.append(("Label", [Name(label)]))
    if run.get("classes"):
        facts.append(("Classes", names(run["classes"])))
    if run.get("feature_names"):
        count = len(run["feature_names"])
        facts.append(("Features", [f"{count:,}: ", *names(run["feature_names"])]))
    elif "num_features" in run:
        facts.append(("Features", f"{run['num_features']:,}"))
    if dataset.get("exclude_columns"):
        facts.append(("Excluded", names(dataset["exclude_columns"])))
    if facts:
        yield Facts(facts)


def _configuration(material: Material) -> Iterator[Block]:
    folder = material.folder
    run, request = folder.record or {}, folder.request or {}
    config = (folder.result or {}).get("effective_config") or {}
    facts: list[tuple[str, Text]] = []
    if _family(material):
        facts.append(("Model family", [Name(_family(material))]))
    preset = run.get("preset") or config.get("preset") or request.get("preset")
    if preset:
        facts.append(("Preset", [Name(preset)]))
    if "profile_name" in run:
        facts.append(("Profile", [Name(run["profile_name"]), f" {run['profile_version']}"]))
    seed = run.get("seed", config.get("seed"))
    if seed is not None:
        facts.append(("Seed", str(seed)))
    device = run.get("device")
    if device:
        reason = device.get("gpu_reason")
        facts.append(("Device", device["type"] + (f": {reason}" if reason else "")))
    if facts:
        yield Facts(facts)
    if run.get("hyperparameters"):
        yield TableBlock(
            "Hyperparameters and their sources",
            ("Hyperparameter", "Value", "Source"),
            [
                [
                    [Name(item["name"])],
                    [Name(value_text(item["value"]))],
                    source_text(item["source"]),
                ]
                for item in run["hyperparameters"]
            ],
        )
    else:
        used = config.get("model", {}).get("hyperparameters") or {}
        if used:
            yield TableBlock(
                "Hyperparameters",
                ("Hyperparameter", "Value"),
                [[[Name(name)], [Name(value_text(value))]] for name, value in used.items()],
            )


def names(values: Sequence[Any], most: int = 60) -> list[str]:
    """Return names separated by commas; only the first ones if there are many."""
    parts: list[str] = []
    for value in values[:most]:
        parts += [", ", Name(shorten(str(value), 200))]
    if len(values) > most:
        parts.append(f" and {len(values) - most:,} more")
    return parts[1:]
