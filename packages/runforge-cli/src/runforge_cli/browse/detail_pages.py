"""What browsing says of runs, as lines: the same that the commands say."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

from runforge_contracts.store import layout
from runforge_contracts.store.experiment_runs import ExperimentRun
from runforge_contracts.store.run import Run as TrainedRun

from runforge_cli.listing.experiment_rows import TolerantRun, tolerant
from runforge_cli.listing.run_list import Run
from runforge_cli.render import text_pages
from runforge_cli.render.output import error_lines
from runforge_cli.render.text_layout import GAP, pairs, paragraph, table, within
from runforge_cli.report.report_blocks import Block, Commands, Facts, Paragraph, Table, Text
from runforge_cli.shell.failures import as_error
from runforge_cli.shell.settings import Settings

if TYPE_CHECKING:
    from runforge_contracts.store.lookup import AnyRun
    from runforge_engine.verification.verify_run import RunVerification

#: Sections of a report that tell where a run comes from.
_ORIGIN = (
    *("Data", "Data and model", "Configuration"),
    *("Provenance", "How to reproduce", "How to repeat"),
)
#: Lines of a log that are shown.
_LINES = 1000


class Subject:
    """Runs that are looked at; what was read or computed of them once is kept.

    Parameters
    ----------
    runs
        One or more.
    settings
        Those of the command; none of its colours.
    """

    def __init__(self, runs: Sequence[Run], settings: Settings) -> None:
        self.runs = runs
        self.settings = settings
        self._lock = threading.Lock()

    def lines(self, page: Page, columns: int) -> list[str]:
        """Return the lines of a page, laid out for ``columns``; an error is told in its place."""
        with self._lock, within(columns):
            try:
                return page(self)
            except Exception as problem:  # noqa: BLE001 - one bad run must not end the browser
                return [line for text in error_lines(as_error(problem)) for line in paragraph(text)]

    @cached_property
    def run(self) -> AnyRun:
        """The first run."""
        return self.runs[0].folder()

    @property
    def folder(self) -> TrainedRun:
        """The first run, which is a trained one."""
        assert isinstance(self.run, TrainedRun)  # noqa: S101 - each kind has pages of its own
        return self.run

    @property
    def experiment(self) -> ExperimentRun:
        """The first run, which is one of an experiment."""
        assert isinstance(self.run, ExperimentRun)  # noqa: S101 - each kind has its own pages
        return self.run

    @cached_property
    def verification(self) -> RunVerification:
        """What ``runforge verify`` finds."""
        path = self.run.path
        if isinstance(self.run, ExperimentRun):
            from runforge_engine.experiment.record.experiment_verification import (
                verify_experiment_run,
            )

            return verify_experiment_run(path, self.settings.folder)
        from runforge_engine.verification.context import surroundings_of
        from runforge_engine.verification.verify_run import verify_run

        return verify_run(path, surroundings_of(path, self.settings.stores()))

    @cached_property
    def comparison(self) -> dict[str, Any]:
        """What ``runforge diff`` finds."""
        from runforge_contracts.comparison import compare_runs

        folders = [tolerant(run.folder(), lambda _: None) for run in self.runs]
        return compare_runs(folders, self.settings.target())


Page = Callable[[Subject], list[str]]


def summary_page(subject: Subject) -> list[str]:
    """Return what ``runforge show`` says."""
    if isinstance(subject.run, ExperimentRun):
        from runforge_cli.render.experiment_summary import experiment_lines

        return list(experiment_lines(subject.run, subject.settings))
    from runforge_cli.render.run_summary import summary_lines

    return list(summary_lines(subject.run, subject.settings))


def metrics_page(subject: Subject) -> list[str]:
    """Return what ``runforge metrics`` says."""
    return text_pages.metrics_page(subject.folder)


def weights_page(subject: Subject) -> list[str]:
    """Return what ``runforge importance`` or ``runforge coefficients`` says."""
    if subject.folder.raw(layout.FEATURE_IMPORTANCE) is not None:
        return text_pages.importance_page(subject.folder)
    return text_pages.coefficients_page(subject.folder)


def diagnostics_page(subject: Subject) -> list[str]:
    """Return what ``runforge diagnostics`` says."""
    return text_pages.diagnostics_page(subject.folder)


def model_page(subject: Subject) -> list[str]:
    """Return what ``runforge inspect-artifact`` says of the run's model."""
    from runforge_engine.model_file.model_inspection import inspect_model

    from runforge_cli.render.model_pages import model_lines
    from runforge_cli.shell.run_reference import model_path

    path = model_path(subject.folder)
    name = subject.settings.shown(path)
    return list(model_lines({**inspect_model(path).to_dict(), "artifact_path": name}))


def verification_page(subject: Subject) -> list[str]:
    """Return what ``runforge verify`` says."""
    from runforge_cli.render.verification_view import verification_lines

    return list(verification_lines([], [subject.verification], verbose=False))


def comparison_page(subject: Subject) -> list[str]:
    """Return what ``runforge diff`` says, coloured."""
    from runforge_cli.render.differences import comparison_lines

    return list(comparison_lines(subject.comparison, colored=True))


def history_page(subject: Subject) -> list[str]:
    """Return the metrics of an experiment's run, with a picture of what each was on the way."""
    from runforge_cli.render.experiment_summary import history_lines

    return list(history_lines(TolerantRun(subject.experiment.path)))


def log_page(subject: Subject) -> list[str]:
    """Return the end of the log of an experiment's run."""
    from runforge_cli.render.experiment_summary import log_tail

    lines = log_tail(subject.experiment, _LINES)
    return [part for line in lines for part in paragraph(line)] or ["  The log is empty."]


def artifacts_page(subject: Subject) -> list[str]:
    """Return what user code of an experiment left."""
    from runforge_cli.render.experiment_summary import artifact_lines

    lines = artifact_lines(TolerantRun(subject.experiment.path))
    return lines or ["  There are no artifacts."]


def origin_page(subject: Subject) -> list[str]:
    """Return what a report says on where the run comes from and how to have it again."""
    from runforge_cli.report.report_input import Material, gather_experiment
    from runforge_cli.report.report_writer import sections_of

    run_dir = subject.settings.target().relative(subject.run.path)
    material = (
        gather_experiment(subject.run, "", run_dir)
        if isinstance(subject.run, ExperimentRun)
        else Material(subject.run, "", run_dir, None, "")
    )
    lines: list[str] = []
    for section in sections_of(material):
        if section.title in _ORIGIN:
            lines += [*([""] if lines else []), *paragraph(section.title)]
            for block in section.blocks:
                lines += _block_lines(block)
    return lines


def _block_lines(block: Block) -> list[str]:
    match block:
        case Paragraph(text):
            return paragraph(_plain(text), indent=2)
        case Facts(items):
            return pairs((name, _plain(text)) for name, text in items)
        case Table(caption, header, rows, numeric):
            cells = [[_plain(cell) for cell in row] for row in rows]
            title = paragraph(caption, indent=2)
            return [*title, *table(header, cells, right=tuple(numeric), flexible=0, indent=4)]
        case Commands(commands):
            return [
                line for command in commands for line in paragraph(command, indent=2 * len(GAP))
            ]
        case _:
            return []


def _plain(text: Text) -> str:
    return text if isinstance(text, str) else "".join(text)
