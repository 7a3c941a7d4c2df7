"""``runforge schema``: list or print the schemas of the contract."""

from __future__ import annotations

import sys

import click
from runforge_contracts.schemas import load_schema, schema_bytes, schema_names

from runforge_cli.shell.click_group import CommandGroup
from runforge_cli.shell.completion import complete_schema
from runforge_cli.shell.settings import Settings, global_options, pass_settings
from runforge_cli.terminal.output import write_json, write_lines
from runforge_cli.terminal.text_layout import table


@click.group(
    "schema",
    cls=CommandGroup,
    short_help="List or print the schemas of the contract.",
    examples=("runforge schema list", "runforge schema show request.v1"),
)
@global_options
def command() -> None:
    """List or print the JSON Schemas of the contract."""


@command.command(
    "list",
    examples=("runforge schema list",),
)
@global_options
@pass_settings
def list_schemas(settings: Settings) -> int:
    """List the schemas of all documents."""
    names = schema_names()
    if settings.json:
        write_json({"schemas": names})
        return 0
    rows = [[name, load_schema(name)["description"].split(". ")[0]] for name in names]
    write_lines(table(("schema", "description"), rows, flexible=1))
    return 0


@command.command(
    "show",
    examples=("runforge schema show request.v1",),
)
@click.argument("name", shell_complete=complete_schema)
@global_options
def show_schema(name: str) -> int:
    """Print the schema NAME."""
    sys.stdout.flush()
    sys.stdout.buffer.write(schema_bytes(name))
    return 0
