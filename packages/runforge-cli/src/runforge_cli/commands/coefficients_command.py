"""``runforge coefficients``: the coefficients of a linear model."""

from __future__ import annotations

import click
from runforge_contracts import layout
from runforge_contracts.text import printable

from runforge_cli.artifacts import heading, require_document
from runforge_cli.columns import pairs
from runforge_cli.output import write_json, write_lines
from runforge_cli.settings import Settings, global_options, pass_settings
from runforge_cli.views import coefficient_lines

_GUIDE = (
    "Features were standardized before the fit: a coefficient is the change of the class's score",
    "when the feature grows by one standard deviation. Compare coefficients with each other, not",
    "with raw values. For logistic regression the score is the log-odds.",
)


@click.command("coefficients", short_help="Show the coefficients of a linear model.")
@click.argument("run", default="latest")
@global_options
@pass_settings
def command(settings: Settings, run: str) -> int:
    """Show the coefficients of a linear model in standardized feature space."""
    folder = settings.find_run(run)
    coefficients = require_document(
        folder,
        layout.LINEAR_COEFFICIENTS,
        "linear coefficients",
        "Only linear models have them; `runforge importance` is for forests.",
    )
    if settings.json:
        write_json(coefficients)
        return 0
    write_lines(
        [heading(folder, "Coefficients"), "", *_GUIDE, "", *coefficient_lines(coefficients)]
    )
    intercepts = [
        (printable(str(item["class"])), f"{item['intercept']:+.4f}")
        for item in coefficients["intercepts"]
    ]
    write_lines(["", "Intercepts", *pairs(intercepts)])
    return 0
