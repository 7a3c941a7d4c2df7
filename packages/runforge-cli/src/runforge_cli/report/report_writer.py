"""Assemble reports on runs, and choose their format and file name."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Sequence
from pathlib import Path

from runforge_contracts.comparison import compare_runs
from runforge_contracts.display import quote
from runforge_contracts.errors import ErrorCode, RunForgeError
from runforge_contracts.run_ids import is_any_run_id
from runforge_contracts.store.layout import Place, StoreLayout
from runforge_contracts.store.lookup import AnyRun

from runforge_cli import __version__
from runforge_cli.report.compared_runs import RunTable, key_of
from runforge_cli.report.comparison_sections import comparison_sections
from runforge_cli.report.experiment_sections import experiment_lead, experiment_sections
from runforge_cli.report.report_blocks import (
    HANDFUL,
    Commands,
    Paragraph,
    Report,
    Section,
    Text,
    prose,
)
from runforge_cli.report.report_input import AnyMaterial, Material
from runforge_cli.report.run_sections import lead, run_sections
from runforge_cli.shell.output_paths import check_output

#: Maximum number of runs whose details are in a report of several.
MAX_DETAILED = 24
FORMATS = {".html": "html", ".htm": "html", ".md": "markdown", ".markdown": "markdown"}


def make_report(materials: Sequence[AnyMaterial], store: StoreLayout) -> Report:
    """Return the report on one run, or the comparison of several."""
    footer = f"Written by RunForge {__version__} from the recorded documents."
    if len(materials) == 1:
        (material,) = materials
        title = f"Run {material.folder.id}"
        return Report(title, _lead(material), sections_of(material), footer)
    comparison = compare_runs([material.folder for material in materials], store)
    runs = RunTable(comparison, materials, is_detailed=len(materials) <= MAX_DETAILED)
    sections = [*comparison_sections(runs), *_each_run(materials)]
    title, is_broad = "Comparison of runs", len(materials) > HANDFUL
    return Report(title, runs.outcome_text(), sections, footer, is_broad)


def _each_run(materials: Sequence[AnyMaterial]) -> list[Section]:
    """Return a section for each of a handful of runs, or one with all, each folded."""
    if len(materials) > MAX_DETAILED:
        text = "A report of one run has everything about it, and `runforge diff` compares two."
        run = shlex.quote(materials[0].folder.id)
        return [Section("Each run", [Paragraph(prose(text)), Commands([f"runforge report {run}"])])]
    many = len(materials) > HANDFUL
    sections = [
        Section(
            f"Run {material.letter}: {material.folder.id}",
            parts=sections_of(material),
            folded=many,
            key=key_of(material.letter),
        )
        for material in materials
    ]
    return [Section("Each run", parts=sections)] if many else sections


def _lead(material: AnyMaterial) -> Text:
    return lead(material) if isinstance(material, Material) else experiment_lead(material)


def sections_of(material: AnyMaterial) -> list[Section]:
    """Return the sections of a report on one run of either kind."""
    if isinstance(material, Material):
        return run_sections(material)
    return experiment_sections(material)


def writer_for(target: Path) -> Callable[[Report], str]:
    """Return the function that writes the format of the file name extension.

    Raises
    ------
    RunForgeError
        ``USAGE_INVALID`` for an unknown extension.
    """
    format_ = FORMATS.get(target.suffix.lower())
    if format_ is None:
        raise RunForgeError(
            ErrorCode.USAGE_INVALID,
            f"{quote(target.name, 200)} does not have the extension of a report format.",
            hint="Use the extension .html or .md.",
        )
    if format_ == "markdown":
        from runforge_cli.report.markdown_page import markdown_page

        return markdown_page
    from runforge_cli.report.html_page import html_page

    return html_page


def default_name(folders: Sequence[AnyRun]) -> str:
    """Return the default file name of a report."""
    names = [folder.id if is_any_run_id(folder.id) else "run" for folder in folders]
    if len(names) > 2:
        return f"{names[0]}-and-{len(names) - 1}-more.html"
    return f"{'-and-'.join(names)}.html"


def check_target(
    target: Path, folders: Sequence[AnyRun], places: Sequence[Place], *, force: bool
) -> None:
    """Check that a report may be written to ``target``.

    Raises
    ------
    RunForgeError
        ``USAGE_INVALID`` if the path exists, or is inside a store or a run; ``FILE_NOT_FOUND`` if
        the folder is missing.
    """
    check_output(target, [folder.path for folder in folders], places, force=force)
