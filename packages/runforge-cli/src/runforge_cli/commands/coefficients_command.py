"""``runforge coefficients``: the coefficients of a linear model."""

from __future__ import annotations

from typing import Any

import click
from runforge_contracts import layout
from runforge_contracts.text import printable, quote

from runforge_cli.artifacts import heading, require_document
from runforge_cli.columns import pairs, paragraph
from runforge_cli.output import write_json, write_lines
from runforge_cli.settings import Settings, global_options, pass_settings, run_argument
from runforge_cli.views import coefficient_lines

_GUIDE = (
    "Features were standardized before the fit: a coefficient is the change of the class's score"
    " when the feature grows by one standard deviation. Compare coefficients with each other, not"
    " with raw values."
)
_SCORES = {
    "logistic_regression": " The score is the log-odds of the class.",
    "linear_svc": " The score is the value of the decision function, not a probability.",
}


@click.command("coefficients", short_help="Show the coefficients of a linear model.")
@run_argument
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
    write_lines([*heading(folder, "Coefficients"), "", *paragraph(_guide(coefficients)), ""])
    write_lines(coefficient_lines(coefficients))
    intercepts = [
        (printable(str(item["class"])), f"{item['intercept']:+.4f}")
        for item in coefficients["intercepts"]
    ]
    write_lines(["", "Intercepts", *pairs(intercepts)])
    return 0


def _guide(coefficients: dict[str, Any]) -> str:
    guide = _GUIDE + _SCORES[coefficients["model_family"]]
    if coefficients["num_classes"] == 2:
        lesser, greater = (quote(label) for label in coefficients["classes"])
        guide += f" A positive coefficient speaks for {greater}, a negative one for {lesser}."
    return guide
