"""The pages of the browser, with the same lines that the commands print."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

from runforge_contracts.store import layout
from runforge_contracts.store.evaluations import evaluations_of
from runforge_contracts.store.experiment_runs import ExperimentRun
from runforge_contracts.store.run import Run as TrainedRun

from runforge_cli.listing.experiment_rows import TolerantRun, tolerant
from runforge_cli.listing.run_list import ListedRun
from runforge_cli.render import text_pages
from runforge_cli.report.report_blocks import (
    Block,
    Commands,
    Facts,
    Paragraph,
    TableBlock,
    Text,
    text_of,
)
from runforge_cli.shell.failures import as_error
from runforge_cli.shell.settings import Settings
from runforge_cli.terminal.output import error_lines
from runforge_cli.terminal.text_layout import GAP, pairs, paragraph, table, within

if TYPE_CHECKING:
    from runforge_contracts.store.lookup import AnyRun
    from runforge_engine.verification.verify_evaluation import EvaluationVerification
    from runforge_engine.verification.verify_run import RunVerification

#: Sections of a report on the origin of a run.
_ORIGIN = (
    *("Data", "Data and model", "Configuration"),
    *("Provenance", "How to reproduce", "How to repeat"),
)
#: Maximum number of log lines.
_LINES = 1000


class Subject:
    """The runs that are shown, with a cache of what was read or computed for them.

    Parameters
    ----------
    runs
        One or more runs.
    settings
        The settings of the command, without colours.
    """

    def __init__(self, runs: Sequence[ListedRun], settings: Settings) -> None:
        self.runs = runs
        self.settings = settings
        self._lock = threading.Lock()

    def lines(self, page: Page, columns: int) -> list[str]:
        """Return the lines of a page, laid out for ``columns``, or those of its error."""
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
        """The first run, which must be a trained run."""
        assert isinstance(self.run, TrainedRun)  # noqa: S101 - the kinds have separate pages
        return self.run

    @property
    def experiment(self) -> ExperimentRun:
        """The first run, which must be an experiment run."""
        assert isinstance(self.run, ExperimentRun)  # noqa: S101 - the kinds have separate pages
        return self.run

    @cached_property
    def verification(self) -> RunVerification:
        """The result of ``runforge verify``."""
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
    def verified_evaluations(self) -> list[EvaluationVerification]:
        """The results of ``runforge verify`` for the evaluations of the run."""
        if isinstance(self.run, ExperimentRun):
            return []
        from runforge_cli.answers.verification_answers import verified_evaluations

        # The id by the list: that of the run would need documents, which may be unreadable.
        run_id = self.runs[0].entry["run_id"]
        found = evaluations_of(run_id, self.settings.stores())
        return verified_evaluations(found, self.settings)

    @cached_property
    def comparison(self) -> dict[str, Any]:
        """The result of ``runforge diff``."""
        from runforge_contracts.comparison import compare_runs

        folders = [tolerant(run.folder(), lambda _: None) for run in self.runs]
        return compare_runs(folders, self.settings.target())


Page = Callable[[Subject], list[str]]


def summary_page(subject: Subject) -> list[str]:
    """Return the output of ``runforge show``."""
    if isinstance(subject.run, ExperimentRun):
        from runforge_cli.render.experiment_summary import experiment_lines

        return list(experiment_lines(subject.run, subject.settings))
    from runforge_cli.render.run_summary import summary_lines

    return list(summary_lines(subject.run, subject.settings))


def metrics_page(subject: Subject) -> list[str]:
    """Return the output of ``runforge metrics``, and the metrics on new rows of each evaluation."""
    from runforge_cli.render.evaluation_view import brief_lines

    lines, folder = text_pages.metrics_page(subject.folder), subject.folder
    for evaluation in reversed(evaluations_of(folder.id, subject.settings.stores())):
        lines += ["", *brief_lines(evaluation, folder, subject.settings)]
    return lines


def weights_page(subject: Subject) -> list[str]:
    """Return the output of ``runforge importance`` or ``runforge coefficients``."""
    if subject.folder.content(layout.FEATURE_IMPORTANCE) is not None:
        return text_pages.importance_page(subject.folder)
    return text_pages.coefficients_page(subject.folder)


def diagnostics_page(subject: Subject) -> list[str]:
    """Return the output of ``runforge diagnostics``."""
    return text_pages.diagnostics_page(subject.folder)


def model_page(subject: Subject) -> list[str]:
    """Return the output of ``runforge inspect-artifact`` for the model of the run."""
    from runforge_engine.model_file.model_inspection import inspect_model

    from runforge_cli.render.model_pages import model_lines
    from runforge_cli.shell.run_reference import model_path

    path = model_path(subject.folder)
    name = subject.settings.shown(path)
    return list(model_lines({**inspect_model(path).to_dict(), "artifact_path": name}))


def verification_page(subject: Subject) -> list[str]:
    """Return the output of ``runforge verify``."""
    from runforge_cli.render.verification_view import verification_lines

    found: list[RunVerification | EvaluationVerification] = [
        subject.verification,
        *subject.verified_evaluations,
    ]
    return list(verification_lines([], found, verbose=False))


def comparison_page(subject: Subject) -> list[str]:
    """Return the output of ``runforge diff`` with colours."""
    from runforge_cli.render.differences import comparison_lines

    return list(comparison_lines(subject.comparison, colored=True))


def history_page(subject: Subject) -> list[str]:
    """Return the metrics of an experiment run, with a curve of the history of each."""
    from runforge_cli.render.experiment_summary import history_lines

    return list(history_lines(TolerantRun(subject.experiment.path)))


def log_page(subject: Subject) -> list[str]:
    """Return the end of the log of an experiment run."""
    from runforge_cli.render.experiment_summary import log_tail

    lines = log_tail(subject.experiment, _LINES)
    return [part for line in lines for part in paragraph(line)] or ["  The log is empty."]


def artifacts_page(subject: Subject) -> list[str]:
    """Return the artifacts of an experiment run."""
    from runforge_cli.render.experiment_summary import artifact_lines

    lines = artifact_lines(TolerantRun(subject.experiment.path))
    return lines or ["  No artifacts."]


def origin_page(subject: Subject) -> list[str]:
    """Return the sections of a report on the origin of the run and how to reproduce it."""
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
        case TableBlock(caption, header, rows, numeric):
            cells = [[_plain(text_of(cell)) for cell in row] for row in rows]
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
