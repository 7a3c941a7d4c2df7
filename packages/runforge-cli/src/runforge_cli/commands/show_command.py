"""``runforge show``: show a summary of a run."""

from __future__ import annotations

from typing import Any

import click
from runforge_contracts.store import layout
from runforge_contracts.store.experiment_runs import ExperimentRun
from runforge_contracts.store.lookup import AnyRun
from runforge_contracts.store.run import Run

from runforge_cli.commands.gate_options import (
    as_json,
    gate_options,
    gate_results,
    read_gates,
    report_gates,
)
from runforge_cli.shell.settings import Settings, global_options, pass_settings, run_argument
from runforge_cli.terminal.output import write_json, write_lines

_DOCUMENTS = {
    "request": layout.REQUEST,
    "run": layout.RUN,
    "result": layout.RESULT,
    "metrics": layout.METRICS,
    "metrics_v1": layout.METRICS_V1,
    "feature_importance": layout.FEATURE_IMPORTANCE,
    "linear_coefficients": layout.LINEAR_COEFFICIENTS,
    "interpretability": layout.INTERPRETABILITY_INDEX,
    "manifest": layout.MANIFEST,
}
_OF_EXPERIMENTS = {
    "config": layout.CONFIG,
    "metrics": layout.EXPERIMENT_METRICS,
    "system": layout.SYSTEM,
    "manifest": layout.EXPERIMENT_MANIFEST,
}


@click.command("show", short_help="Show a summary of a run.")
@run_argument
@gate_options
@global_options
@pass_settings
def command(
    settings: Settings,
    run: str,
    fail_under: tuple[str, ...],
    fail_over: tuple[str, ...],
    no_worse_than: str | None,
) -> int:
    """Show a summary of RUN, which defaults to the newest run."""
    folder = settings.find_any(run, quiet=not settings.json)
    results = gate_results(read_gates(settings, fail_under, fail_over, no_worse_than), folder)
    if isinstance(folder, Run):
        from runforge_cli.render.run_summary import summary_lines

        lines = summary_lines(folder, settings)
    else:
        from runforge_cli.render.experiment_summary import experiment_lines

        lines = experiment_lines(folder, settings)
    if settings.json:
        write_json({**_as_json(folder, settings), **as_json(results)})
    else:
        write_lines(lines)
    return report_gates(settings, results)


def _as_json(folder: AnyRun, settings: Settings) -> dict[str, Any]:
    """Return all documents of a run, with the errors of invalid ones of an experiment run."""
    if isinstance(folder, ExperimentRun):
        from runforge_engine.experiment.record.experiment_state import state_of

        from runforge_cli.listing.experiment_rows import TolerantRun

        run = TolerantRun(folder.path)
        documents = {name: run.content(file) for name, file in _OF_EXPERIMENTS.items()}
        return {
            "run_id": run.id,
            "run_dir": settings.target().relative(run.path),
            "kind": "experiment",
            "status": state_of(run),
            **{name: document for name, document in documents.items() if document is not None},
            "problems": [error.to_dict() for error in run.problems.values()],
        }
    documents = {name: folder.content(file) for name, file in _DOCUMENTS.items()}
    client = folder.client_form
    forms = {name: folder.form(file) for name, file in _DOCUMENTS.items()} if client else {}
    of_another = {
        "client": client,
        "forms": {name: form for name, form in forms.items() if form is not None},
    }
    return {
        "run_id": folder.id,
        "run_dir": settings.target().relative(folder.path),
        "status": folder.status,
        **(of_another if client else {}),
        **{name: document for name, document in documents.items() if document is not None},
        "diagnostics": folder.diagnostics,
    }
