"""``runforge prepare``: make a table of numbers from raw columns, by a recipe."""

from __future__ import annotations

import hashlib
import shlex
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import click
from runforge_contracts.codec.strict_json import encode_json
from runforge_contracts.display import printable, quote
from runforge_contracts.errors import ErrorCode, RunForgeError
from runforge_contracts.fs.files import write_file, write_pieces

from runforge_cli import __version__
from runforge_cli.process.process_exit import load_sparingly
from runforge_cli.render.recipe_table import becomes
from runforge_cli.shell.completion import complete_column, complete_file
from runforge_cli.shell.help_page import Command
from runforge_cli.shell.output_paths import check_output
from runforge_cli.shell.settings import Settings, global_options, pass_settings
from runforge_cli.terminal.output import note, write_json, write_lines
from runforge_cli.terminal.text_layout import GAP, pairs, plural, table

#: Names of delimiters that are hard to type.
_DELIMITERS = {"tab": "\t"}
#: Maximum number of columns that are shown.
_SHOWN = 100


@click.command(
    "prepare",
    cls=Command,
    short_help="Make a table of numbers from raw columns.",
    examples=(
        "runforge prepare titanic.csv --label survived -o table.csv",
        "runforge prepare new.csv --recipe ready.recipe.json -o new-table.csv",
    ),
)
@click.argument("raw", type=click.Path(), shell_complete=complete_file)
@click.option("--label", metavar="COLUMN", help="Column to learn.", shell_complete=complete_column)
@click.option(
    "--recipe",
    metavar="FILE",
    help="Apply this recipe instead of proposing one.",
    shell_complete=complete_file,
)
@click.option(
    "--output",
    "-o",
    metavar="TABLE",
    help="Output file.",
    show_default="RAW.prepared.csv in the current folder",
    shell_complete=complete_file,
)
@click.option(
    "--delimiter",
    type=click.Choice([",", ";", "tab", "|"]),
    metavar="MARK",
    help="Delimiter of the raw file: `,` `;` `|` or `tab`.",
)
@click.option(
    "--decimal-mark",
    type=click.Choice([".", ","]),
    metavar="MARK",
    help="Decimal mark of the raw file: `.` or `,`.",
)
@click.option(
    "--encoding",
    type=click.Choice(
        ["utf-8", "utf-16le", "utf-16be", "iso-8859-1", "iso-8859-15", "windows-1252"]
    ),
    help="Encoding of the raw file.",
)
@click.option("--sheet", metavar="NAME", help="Sheet of an Excel workbook.")
@click.option(
    "--max-categories",
    type=click.IntRange(2, 10_000),
    help="Most categories of a column.",
    show_default="40",
)
@click.option("--force", is_flag=True, help="Replace existing files.")
@global_options
@pass_settings
def command(
    settings: Settings,
    raw: str,
    label: str | None,
    recipe: str | None,
    output: str | None,
    delimiter: str | None,
    decimal_mark: str | None,
    encoding: str | None,
    sheet: str | None,
    max_categories: int | None,
    force: bool,
) -> int:
    """Make a table of numbers from the raw columns of RAW: CSV (also .csv.gz), Parquet or Excel.

    With --label, a recipe is proposed, shown, applied, and written beside TABLE as
    NAME.recipe.json. Edit it, and apply it with --recipe: to the same file, or to new rows.
    Delimiter, decimal mark and encoding of a CSV file, and the sheet of an Excel workbook, are
    never guessed. Rows keep their numbers. Excel needs the extra `runforge-cli[excel]`.
    """
    from runforge_engine.runtime.numeric_environment import pin_environment

    # Threads of the numeric libraries, which nothing here uses, would wait busily.
    pin_environment()
    load_sparingly()
    from runforge_engine.preparation.prepared_table import open_raw, prepare_table
    from runforge_engine.preparation.recipe_proposal import MAX_CATEGORIES, propose_recipe
    from runforge_engine.preparation.recipe_rules import check_recipe, read_recipe

    named = {
        "delimiter": _DELIMITERS.get(delimiter or "", delimiter),
        "decimal_mark": decimal_mark,
        "encoding": encoding,
        "sheet": sheet,
    }
    source = {name: value for name, value in named.items() if value is not None}
    _check_options(label, recipe, proposing=bool(source) or max_categories is not None)
    if sheet is not None and len(source) > 1:
        raise RunForgeError(
            ErrorCode.USAGE_INVALID,
            "--sheet is for an Excel workbook, which has no delimiter, decimal mark or encoding.",
        )
    target = Path(f"{Path(raw).stem}.prepared.csv" if output is None else output)
    recipe_path = target.with_name(f"{target.stem}.recipe.json") if recipe is None else Path(recipe)
    for path in (target, recipe_path) if recipe is None else (target,):
        inputs = (Path(raw), Path(recipe or raw))
        check_output(path, [], settings.places(), force=force, inputs=inputs)
    columns = None
    if recipe is None:
        opened = open_raw(Path(raw), source, digest=settings.json)
        content, columns = propose_recipe(
            opened,
            str(label),
            source,
            max_categories=max_categories or MAX_CATEGORIES,
            created_by=f"runforge-cli@{__version__}",
        )
        check_recipe(content)
    else:
        content = read_recipe(recipe_path)
        opened = open_raw(Path(raw), content.get("source", {}), digest=settings.json)
    made = prepare_table(opened, content, columns)
    if recipe is None:
        write_file(recipe_path, encode_json(content))
    digest = hashlib.sha256()
    # Only the document has digests.
    pieces = _digested(made.pieces(), digest) if settings.json else made.pieces()
    write_pieces(target, pieces)
    document = {
        "raw": {"path": raw, "sha256": opened.sha256},
        "recipe": {
            "path": str(recipe_path),
            "proposed": recipe is None,
        },
        "table": {
            "path": str(target),
            "sha256": digest.hexdigest(),
            "rows": made.num_rows,
            "columns": len(made.names),
        },
        "unlisted_columns": made.unlisted,
    }
    if settings.json:
        write_json(document)
        return 0
    if made.unlisted and not settings.quiet:
        shown = ", ".join(quote(name, 30) for name in made.unlisted[:10])
        note(f"The recipe does not list {plural(len(made.unlisted), 'column')}: {shown}.")
    summary = [("table", f"{target}, {plural(made.num_rows, 'row')} of {len(made.names)} columns")]
    if recipe is None:
        summary.append(("recipe", f"{recipe_path}; edit it, and apply it with --recipe"))
        train = f"runforge train {shlex.quote(raw)} --recipe {shlex.quote(str(recipe_path))}"
        summary.append(("train", train))
    shown_columns = _columns(content) if recipe is None else []
    rows = [(name, printable(text)) for name, text in summary]
    write_lines([*shown_columns, *pairs(rows, indent=0, commands=["train"])])
    return 0


def _digested(pieces: Iterable[memoryview], digest: hashlib._Hash) -> Iterator[memoryview]:
    """Yield the pieces of a file, and compute their digest."""
    for piece in pieces:
        digest.update(piece)
        yield piece


def _check_options(label: str | None, recipe: str | None, *, proposing: bool) -> None:
    if (label is None) == (recipe is None):
        raise RunForgeError(
            ErrorCode.USAGE_INVALID,
            "Give either --label, to propose a recipe, or --recipe, to apply one.",
            hint="A recipe names the label itself.",
        )
    if recipe is not None and proposing:
        raise RunForgeError(
            ErrorCode.USAGE_INVALID,
            "--delimiter, --decimal-mark, --encoding, --sheet and --max-categories are for a"
            " proposal.",
            hint="The recipe names the form of the raw file in `source`.",
        )


def _columns(recipe: Mapping[str, Any]) -> list[str]:
    """Return the lines of a table of the columns of a recipe."""
    columns = recipe["columns"]
    rows = [[item["column"], item["action"], becomes(item)] for item in columns[:_SHOWN]]
    lines = table(("column", "action", "becomes"), rows, flexible=2)
    if len(columns) > _SHOWN:
        lines.append(f"{GAP}… and {plural(len(columns) - _SHOWN, 'more column', 'more columns')}")
    return [*lines, ""]
