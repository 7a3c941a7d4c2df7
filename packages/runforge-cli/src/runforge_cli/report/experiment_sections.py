"""The sections of a report on an experiment run."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping
from typing import Any

from runforge_contracts.display import format_duration, printable, shorten, time_text
from runforge_contracts.metrics import primary_metric
from runforge_contracts.store import layout
from runforge_contracts.store.configured_values import configured

from runforge_cli.listing.experiment_rows import trained_run
from runforge_cli.listing.run_list import tags_of
from runforge_cli.render.differences import value_text
from runforge_cli.render.experiment_summary import artifacts_of, log_tail, origin_facts
from runforge_cli.report.history_blocks import history_blocks, history_table
from runforge_cli.report.report_blocks import (
    Block,
    Commands,
    Facts,
    Name,
    Paragraph,
    Section,
    TableBlock,
    Text,
    prose,
)
from runforge_cli.report.report_input import ExperimentMaterial
from runforge_cli.report.run_sections import names
from runforge_cli.terminal.text_layout import number

#: Maximum length of free text, and maximum lines of the notes and of the log.
_LONG, _NOTES, _LINES = 2_000, 40, 30
#: Maximum number of rows of a table.
_MOST = 200
_STATES = {
    "succeeded": "succeeded",
    "failed": "failed",
    "cancelled": "was cancelled",
    "running": "is still running",
    "interrupted": "was interrupted",
    "unknown": "finished with an unknown status",
}


def experiment_sections(material: ExperimentMaterial) -> list[Section]:
    """Return the sections of a run, without the empty ones."""
    summary = material.folder.metrics
    log = log_tail(material.folder, _LINES) if material.state != "succeeded" else []
    sections = [
        Section("Outcome", list(_outcome(material))),
        Section("Problems", list(_problems(material))),
        Section("Data and model", list(_data(material))),
        Section("Configuration", list(_configuration(material))),
        Section("Metrics", list(history_table(material.history, summary, _MOST))),
        Section("Curves", history_blocks(material.history)),
        Section("Artifacts", list(_artifacts(material))),
        Section("End of the log", [Commands(log)] if log else []),
        Section("Imported from", list(_origin(material))),
        Section("Provenance", list(_provenance(material))),
        Section("How to repeat", list(_repetition(material))),
    ]
    return [section for section in sections if section.blocks]


def experiment_lead(material: ExperimentMaterial) -> Text:
    """Return a one-line summary of a run."""
    config = material.folder.config or {}
    text: list[str] = ["Experiment ", Name(shorten(config.get("experiment", ""), 200)), " "]
    text = [*(text if config else ["The run "]), _STATES[material.state]]
    chosen = primary_metric({"metrics": material.folder.metrics})
    if chosen:
        text += [", with ", Name(shorten(chosen[0], 80)), f" {number(chosen[1])}"]
    return [*text, "."]


def _outcome(material: ExperimentMaterial) -> Iterator[Block]:
    folder, config = material.folder, material.folder.config or {}
    facts: list[tuple[str, Text]] = [("Run", [Name(folder.id)]), ("Status", material.state)]
    if "experiment" in config:
        facts.append(("Experiment", [Name(shorten(config["experiment"], _LONG))]))
    for title, name in (("Started", "started_at"), ("Finished", "finished_at")):
        if name in config:
            facts.append((title, time_text(config[name])))
    if "duration_ms" in config:
        facts.append(("Duration", format_duration(config["duration_ms"])))
    for title, name in (("Exit code", "exit_code"), ("Signal", "signal")):
        if name in config:
            facts.append((title, [Name(str(config[name]))]))
    facts += [(title.capitalize(), text) for title, text in material.related.lineage]
    if tags_of(folder):
        facts.append(("Tags", names(tags_of(folder))))
    trained = trained_run(folder)
    if trained is not None:
        facts.append(("Trained run", [Name(trained)]))
    facts.append(("Folder", [Name(material.run_dir)]))
    yield Facts(facts)
    lines = shorten(config.get("notes", ""), _LONG).splitlines()
    for line in [line for line in lines if line.strip()][:_NOTES]:
        yield Paragraph(line, "note")
    failure = config.get("failure") or {}
    if failure:
        code = failure.get("code")
        named = [" ", Name(code)] if isinstance(code, str) else []
        yield Paragraph([*prose(shorten(failure["message"], _LONG)), *named], "warning")
        if isinstance(failure.get("hint"), str):
            yield Paragraph(prose(shorten(failure["hint"], _LONG)), "guide")


def _problems(material: ExperimentMaterial) -> Iterator[Block]:
    for file, error in material.folder.problems.items():
        yield Paragraph([Name(file), ": ", *prose(error.message), " ", Name(error.code)], "warning")


def _data(material: ExperimentMaterial) -> Iterator[Block]:
    config = material.folder.config or {}
    references = config.get("references") or {}
    facts: list[tuple[str, Text]] = []
    for name in ("dataset", "model"):
        if name in config:
            found = references.get(name) or {}
            facts.append((name.capitalize(), [Name(shorten(config[name], _LONG))]))
            if found.get("path", config[name]) != config[name]:
                facts.append((f"Path of the {name}", [Name(found["path"])]))
            if "sha256" in found:
                facts.append((f"SHA-256 of the {name}", [Name(found["sha256"])]))
            if "after" in found:
                facts.append((f"Change of the {name}", "Changed while the run used it."))
    if facts:
        yield Facts(facts)


def _configuration(material: ExperimentMaterial) -> Iterator[Block]:
    config = material.folder.config or {}
    overrides, values = config.get("overrides") or {}, dict(configured(config))
    if values:
        rows: list[list[Text]] = [
            [[Name(shorten(name, 200))], [Name(value_text(value))]]
            + ([["for this run only" if name in overrides else ""]] if overrides else [])
            for name, value in list(values.items())[:_MOST]
        ]
        header = ("Name", "Value", *(("Override",) if overrides else ()))
        yield TableBlock("Configuration of the experiment", header, rows)
    yield from _values("Logged parameters", config.get("parameters") or {})


def _values(caption: str, values: Mapping[str, Any]) -> Iterator[Block]:
    if values:
        yield TableBlock(
            caption,
            ("Name", "Value"),
            [
                [[Name(shorten(name, 200))], [Name(value_text(value))]]
                for name, value in list(values.items())[:_MOST]
            ],
        )
    if len(values) > _MOST:
        yield Paragraph(f"{len(values) - _MOST:,} more are not shown.")


def _artifacts(material: ExperimentMaterial) -> Iterator[Block]:
    files = artifacts_of(material.folder)
    digests = (material.folder.manifest or {}).get("files") or {}
    if files:
        yield TableBlock(
            "Files written by user code",
            ("File", "Bytes", "SHA-256"),
            [
                [
                    [Name(name)],
                    f"{size:,}",
                    [Name(digests[name]["sha256"])] if name in digests else "",
                ]
                for name, size in list(files.items())[:_MOST]
            ],
            frozenset({1}),
        )
    if len(files) > _MOST:
        yield Paragraph(f"{len(files) - _MOST:,} more are not shown.")
    for item in (material.folder.config or {}).get("copied_models") or ():
        yield Paragraph([Name(item["from"]), " was copied to ", Name(item["to"]), "."])


def _origin(material: ExperimentMaterial) -> Iterator[Block]:
    origin = material.folder.imported_from
    if origin is None:
        return
    facts: list[tuple[str, Text]] = [(title, [text]) for title, text in origin_facts(origin)]
    yield Facts(facts)
    yield from _values("Tags there", origin.get("tags", {}))


def _provenance(material: ExperimentMaterial) -> Iterator[Block]:
    config, system = material.folder.config or {}, material.folder.system or {}
    code, file = config.get("code") or {}, config.get("experiment_file") or {}
    hardware = system.get("hardware") or {}
    facts: list[tuple[str, Text]] = []
    if "created_by" in config:
        facts.append(("Client", [Name(config["created_by"])]))
    if "path" in file:
        facts.append(("Experiment file", [Name(file["path"])]))
    if "commit" in code:
        changes = ", with uncommitted changes" if code.get("dirty") else ""
        facts.append(("Commit", [Name(code["commit"]), changes]))
    if "repo" in code:
        facts.append(("Repository", [Name(shorten(code["repo"], _LONG))]))
    for title, name in (("System", "os"), ("Python", "python")):
        if name in system:
            facts.append((title, shorten(system[name], _LONG)))
    if "cpu" in hardware:
        facts.append(("Processor", shorten(hardware["cpu"], _LONG)))
    if hardware.get("gpus"):
        facts.append(("Graphics", names(hardware["gpus"])))
    if "ram_gb" in hardware:
        facts.append(("Memory", f"{hardware['ram_gb']:g} GB"))
    if facts:
        yield Facts(facts)
    yield from _values("Frameworks", system.get("frameworks", {}))


def _repetition(material: ExperimentMaterial) -> Iterator[Block]:
    config = material.folder.config or {}
    code = config.get("code") or {}
    if not config or material.folder.imported_from is not None:
        return
    yield Paragraph(
        prose(
            "Run these commands in the repository. The configuration of the run is itself an"
            " experiment file; `runforge verify` checks whether the run was changed."
        )
    )
    if code.get("dirty"):
        yield Paragraph(
            "The run was made with uncommitted changes, so the commit alone does not restore the"
            " code."
        )
    lines = []
    if "commit" in code:
        lines.append(f"git checkout {_typed(code['commit'])}")
    if material.state in ("succeeded", "failed", "cancelled"):
        lines.append(f"runforge verify {_typed(material.folder.id)}")
    where = _typed(f"{material.run_dir}/{layout.CONFIG}")
    yield Commands([*lines, f"runforge experiment run --experiment {where}"])


def _typed(text: str) -> str:
    """Return a string of a document as a word that is safe to paste into a shell."""
    return shlex.quote(printable(text))
