"""``runforge inspect``: inspect a dataset before training."""

from __future__ import annotations

from typing import Any

import click
from runforge_contracts.display import printable

from runforge_cli.commands.training_session import require
from runforge_cli.render.tables import diagnostic_lines
from runforge_cli.shell.completion import complete_column, complete_file
from runforge_cli.shell.help_page import Command
from runforge_cli.shell.settings import Settings, global_options, pass_settings
from runforge_cli.terminal.output import write_json, write_lines
from runforge_cli.terminal.text_layout import GAP, pairs, plural, table


@click.command(
    "inspect",
    cls=Command,
    short_help="Inspect a dataset before training.",
    examples=("runforge inspect penguins.csv --label species --exclude island --exclude sex",),
)
@click.argument("data", required=False, envvar="RUNFORGE_DATASET", shell_complete=complete_file)
@click.option("--label", metavar="COLUMN", help="Column to learn.", shell_complete=complete_column)
@click.option(
    "--exclude",
    multiple=True,
    metavar="COLUMN",
    help="Column that is not a feature.",
    shell_complete=complete_column,
)
@global_options
@pass_settings
def command(
    settings: Settings, data: str | None, label: str | None, exclude: tuple[str, ...]
) -> int:
    """Show the columns and missing values of DATA, and whether a model can be trained on it."""
    data = require(data, "DATA", "Name the dataset, or set RUNFORGE_DATASET.")
    from runforge_engine.runtime.numeric_environment import pin_environment

    pin_environment()
    from runforge_engine.data.dataset_inspection import inspect_dataset

    report, code = inspect_dataset(data, label, exclude)
    if settings.json:
        write_json(report)
    else:
        write_lines(_lines(report))
    return code


def _lines(report: dict[str, Any]) -> list[str]:
    lines = [
        f"Dataset {printable(report['path'])}",
        *pairs(
            [
                ("rows", f"{report['num_rows']:,}"),
                ("columns", f"{report['num_columns']:,}"),
                ("features", f"{report['num_features']:,}"),
                ("sha256", report["fingerprint_sha256"]),
            ]
        ),
        "",
        *table(
            ("column", "role", "kind", "missing"),
            [
                [column["name"], column["role"], column["kind"], f"{column['missing']:,}"]
                for column in report["columns"]
            ],
            right=(3,),
            flexible=0,
            indent=2,
        ),
    ]
    classes = report.get("label", {}).get("classes", [])
    if classes:
        lines += ["", f"Classes of {printable(report['label']['column'])}"]
        rows = [[str(item["class"]), f"{item['rows']:,}"] for item in classes[:20]]
        lines += table(("class", "rows"), rows, right=(1,), flexible=0, indent=2)
        if len(classes) > 20:
            more = plural(len(classes) - 20, "more class", "more classes")
            lines.append(f"{GAP}… and {more}")
    diagnostics = diagnostic_lines(report["diagnostics"])
    if diagnostics:
        lines += ["", "Diagnostics", *diagnostics]
    if report["trainable"]:
        verdict = "A model can be trained on this dataset."
    elif "label" in report or any(item["severity"] == "error" for item in report["diagnostics"]):
        verdict = "A model cannot be trained on this dataset yet."
    else:
        verdict = "Name the label column with --label to check whether a model can be trained."
    return [*lines, "", verdict]
