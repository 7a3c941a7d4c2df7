"""Write the model card of a run: Markdown with the metadata that model hubs read.

Everything is taken from the record. The license is absent unless the user gives one, and the card
names what nobody recorded, such as the intended use, instead of inventing it.

Source: Hugging Face Hub documentation, "Model Cards", metadata specification.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from runforge_contracts.codec.strict_yaml import encode_yaml
from runforge_contracts.store.run import Run
from runforge_contracts.store.summary import RunSummary, summary_of

from runforge_cli import __version__
from runforge_cli.export.shared_run import SharedRun, is_one_license, validation_metrics
from runforge_cli.report.markdown_page import markdown_page
from runforge_cli.report.report_blocks import Paragraph, Report, Section
from runforge_cli.report.report_input import Material, file_name
from runforge_cli.report.run_sections import lead, run_sections

_TASK = {"type": "tabular-classification", "name": "Tabular classification"}
#: The sections of a report that a card has, by the headings that model cards use.
_HEADINGS = {
    "Outcome": "Model details",
    "Data": "Training data",
    "Configuration": "Training procedure",
    "Metrics": "Evaluation",
    "Evaluations": "Evaluation on new rows",
    "Feature weights": "Feature weights",
    "Diagnostics": "Diagnostics",
    "Provenance": "Provenance",
    "How to reproduce": "How to reproduce",
}
_UNRECORDED = (
    "A record says how the model was made, not what it is for. Intended use, uses that are out of"
    " scope, limitations and biases are not recorded; add what you know of them here."
)


def model_card(shared: SharedRun) -> bytes:
    """Return the model card of a run as UTF-8 text.

    Raises
    ------
    RunForgeError
        ``ARTIFACT_NOT_FOUND`` if the run has no model; what reading its documents raises.
    """
    run = shared.trained()
    summary = summary_of(run)
    material = Material(run, "", "", None, "", shared.related, with_folders=False)
    sections = {section.title: section for section in run_sections(material)}
    chosen = [
        replace(sections[title], title=heading)
        for title, heading in _HEADINGS.items()
        if title in sections
    ]
    report = Report(
        title=summary.outcome.name or f"Model of the run {run.id}",
        lead=lead(material),
        sections=[*chosen, Section("Uses and limitations", [Paragraph(_UNRECORDED)])],
        footer=f"Written by RunForge {__version__} from the recorded documents.",
    )
    header = encode_yaml(_metadata(shared, run, summary)).decode()
    return f"---\n{header}---\n\n{markdown_page(report)}".encode()


def _metadata(shared: SharedRun, run: Run, summary: RunSummary) -> dict[str, Any]:
    family = [summary.model.family] if summary.model.family else []
    return {
        **_license(shared.license),
        "library_name": "sklearn",
        "pipeline_tag": _TASK["type"],
        "tags": list(dict.fromkeys(["runforge", "sklearn", *family, *summary.outcome.tags])),
        "model-index": [
            {
                "name": summary.outcome.name or run.id,
                "results": list(_results(shared, run, summary)),
            }
        ],
    }


def _license(text: str | None) -> dict[str, str]:
    """Return the license as model hubs name it: an identifier in lower case, or another one."""
    if text is None:
        return {}
    if is_one_license(text):
        return {"license": text.lower()}
    return {"license": "other", "license_name": text}


def _results(shared: SharedRun, run: Run, summary: RunSummary) -> Iterator[dict[str, Any]]:
    """Yield the metrics on the validation rows, and those of each recorded evaluation."""
    validation = validation_metrics(run)
    data = summary.data
    if validation:
        yield _result(data.path, data.fingerprint_sha256, "validation", validation)
    for evaluation in shared.related.evaluations:
        used = evaluation.record["dataset"]
        yield _result(used["path"], used["sha256"], evaluation.id, evaluation.numbers)


def _result(
    path: str | None, sha256: str | None, split: str, metrics: Mapping[str, float]
) -> dict[str, Any]:
    dataset = {"name": file_name(path or "") or "dataset", "type": "tabular", "split": split}
    if sha256 is not None:
        dataset["revision"] = sha256
    return {
        "task": _TASK,
        "dataset": dataset,
        "metrics": [
            {"type": name, "name": name, "value": value} for name, value in metrics.items()
        ],
    }
