"""``runforge validate``: check documents against their schemas."""

from __future__ import annotations

from pathlib import Path

import click
from runforge_contracts.display import printable
from runforge_contracts.documents import Document, struct_of
from runforge_contracts.errors import ExitCode, NotFoundError, RunForgeError
from runforge_contracts.schemas import schema_bytes

from runforge_cli.shell.settings import Settings, global_options, pass_settings
from runforge_cli.terminal.output import error_lines, warn, write_json, write_lines


@click.command("validate", short_help="Check documents against their schemas.")
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@click.option("--schema", metavar="NAME", help="Schema name [from the document].")
@global_options
@pass_settings
def command(settings: Settings, files: tuple[str, ...], schema: str | None) -> int:
    """Check each FILE against its schema; exit with 2 if one is invalid, 3 if one is missing."""
    if schema is not None:
        schema_bytes(schema)  # raises an error for an unknown name
    types = [] if schema is None else [struct_of(schema)]
    report, worst = [], ExitCode.OK
    for file in files:
        try:
            document = Document.load(Path(file), *types)
        except RunForgeError as error:
            worst = max(worst, error.exit_code)
            report.append({"path": file, "valid": False, "error": error.to_dict()})
            if not settings.json:
                missing = isinstance(error, NotFoundError)
                write_lines([f"{printable(file)}: {'missing' if missing else 'invalid'}"])
                write_lines(f"  {line}" for line in error_lines(error))
            continue
        report.append({"path": file, "valid": True, "schema": document.name})
        if not settings.json:
            for text in document.warnings:
                warn(text)
            write_lines([f"{printable(file)}: valid {document.name}"])
    if settings.json:
        write_json({"files": report})
    return worst
