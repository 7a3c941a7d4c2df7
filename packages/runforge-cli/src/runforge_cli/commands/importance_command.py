"""``runforge importance``: the feature importances of a forest."""

from __future__ import annotations

import click
from runforge_contracts import layout

from runforge_cli.artifacts import heading, require_document
from runforge_cli.output import write_json, write_lines
from runforge_cli.settings import Settings, global_options, pass_settings, run_argument
from runforge_cli.views import importance_lines


@click.command("importance", short_help="Show the feature importances of a forest.")
@run_argument
@global_options
@pass_settings
def command(settings: Settings, run: str) -> int:
    """Show how much each feature of a forest counts: Gini importance, which sums to one."""
    folder = settings.find_run(run)
    importance = require_document(
        folder,
        layout.FEATURE_IMPORTANCE,
        "feature importances",
        "Only random_forest has them; `runforge coefficients` is for linear models.",
    )
    if settings.json:
        write_json(importance)
    else:
        write_lines([*heading(folder, "Feature importances"), "", *importance_lines(importance)])
    return 0
