"""``runforge show``: a run on one screen."""

from __future__ import annotations

from typing import Any

import click
from runforge_contracts import layout
from runforge_contracts.reading import RunFolder

from runforge_cli.output import write_json, write_lines
from runforge_cli.settings import Settings, global_options, pass_settings, run_argument

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


@click.command("show", short_help="Show what a run did, on one screen.")
@run_argument
@global_options
@pass_settings
def command(settings: Settings, run: str) -> int:
    """Show what RUN did, on one screen; the newest where none is named."""
    folder = settings.find_run(run)
    if settings.json:
        write_json(_as_json(folder, settings))
        return 0
    from runforge_cli.summary import summary_lines

    write_lines(summary_lines(folder, settings))
    return 0


def _as_json(folder: RunFolder, settings: Settings) -> dict[str, Any]:
    documents = {name: folder.raw(file) for name, file in _DOCUMENTS.items()}
    return {
        "run_id": folder.run_id,
        "run_dir": settings.target().relative(folder.path),
        "status": folder.status,
        **{name: document for name, document in documents.items() if document is not None},
        "diagnostics": folder.diagnostics,
    }
