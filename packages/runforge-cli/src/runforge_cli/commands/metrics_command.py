"""``runforge metrics``: every metric of a run."""

from __future__ import annotations

import click
from runforge_contracts import layout

from runforge_cli.artifacts import heading, require_document
from runforge_cli.columns import number, pairs, paragraph
from runforge_cli.output import write_json, write_lines
from runforge_cli.settings import Settings, global_options, pass_settings, run_argument
from runforge_cli.views import class_lines, confusion_section, metric_lines


@click.command("metrics", short_help="Show the metrics of a run.")
@run_argument
@global_options
@pass_settings
def command(settings: Settings, run: str) -> int:
    """Show the metrics of RUN on its validation rows, with the confusion matrix."""
    folder = settings.find_run(run)
    detailed = folder.raw(layout.METRICS_V1)
    if detailed is None:
        # Runs before run.v0.3.3 have the three metrics only.
        three = require_document(folder, layout.METRICS, "metrics", "It is from an older version.")
        if settings.json:
            write_json(three)
        else:
            write_lines(
                [*heading(folder, "Metrics"), "", *pairs((k, number(v)) for k, v in three.items())]
            )
        return 0
    if settings.json:
        write_json(detailed)
        return 0
    write_lines([*heading(folder, "Metrics"), "", *metric_lines(detailed)])
    by_class = class_lines(detailed)
    if by_class:
        write_lines(["", "By class", *by_class])
    title, lines = confusion_section(detailed, (folder.run or {}).get("classes"))
    write_lines(["", *paragraph(title), *lines])
    return 0
