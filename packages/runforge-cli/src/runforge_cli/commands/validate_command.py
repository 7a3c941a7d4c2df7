"""``runforge validate``: check documents against their schemas."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click
from runforge_contracts.codec.strict_json import MAX_BYTES, parse_json
from runforge_contracts.display import printable, quote
from runforge_contracts.documents import Document, identify, struct_of
from runforge_contracts.errors import ErrorCode, ExitCode, NotFoundError, RunForgeError
from runforge_contracts.fs.files import read_file
from runforge_contracts.schemas import CATALOG, load_schema, schema_bytes
from runforge_contracts.validation import validate

from runforge_cli.shell.completion import complete_file, complete_schema
from runforge_cli.shell.help_page import Command
from runforge_cli.shell.settings import Settings, global_options, pass_settings
from runforge_cli.terminal.output import error_lines, warn, write_json, write_lines


@click.command(
    "validate",
    cls=Command,
    short_help="Check documents against their schemas.",
    examples=("runforge validate request.json plan.json",),
)
@click.argument("files", nargs=-1, required=True, metavar="FILE...", shell_complete=complete_file)
@click.option(
    "--schema",
    metavar="NAME",
    show_default="that of the document's version",
    help="Name of a schema; `runforge schema list` lists them.",
    shell_complete=complete_schema,
)
@global_options
@pass_settings
def command(settings: Settings, files: tuple[str, ...], schema: str | None) -> int:
    """Check each FILE against its schema; exit with 2 if one is invalid, 3 if one is missing."""
    if schema is not None:
        _check_name(schema)
    report, worst = [], ExitCode.OK
    for file in files:
        try:
            name, warnings = _validate(Path(file), schema)
        except RunForgeError as error:
            worst = max(worst, error.exit_code)
            report.append({"path": file, "valid": False, "error": error.to_dict()})
            if not settings.json:
                missing = isinstance(error, NotFoundError)
                write_lines([f"{printable(file)}: {'missing' if missing else 'invalid'}"])
                write_lines(f"  {line}" for line in error_lines(error))
            continue
        report.append({"path": file, "valid": True, "schema": name})
        if not settings.json:
            for text in warnings:
                warn(text)
            write_lines([f"{printable(file)}: valid {name}"])
    if settings.json:
        write_json({"files": report})
    return worst


def _check_name(schema: str) -> None:
    """Raise ``DOCUMENT_UNKNOWN`` if ``schema`` is not the name of a document's schema."""
    schema_bytes(schema)  # raises it if there is no such schema
    if "type" not in load_schema(schema):
        raise RunForgeError(
            ErrorCode.DOCUMENT_UNKNOWN,
            f"{quote(schema)} has definitions that documents share, and is no document.",
            hint="`runforge schema list` shows the documents.",
        )


def _validate(path: Path, schema: str | None) -> tuple[str, Sequence[str]]:
    """Return the name of the schema that a document follows, and warnings."""
    if schema is not None and schema not in CATALOG:
        # The index of another client that is an array: all other documents are objects.
        validate(
            parse_json(
                read_file(path, max_bytes=MAX_BYTES, too_large=ErrorCode.JSON_TOO_LARGE),
                path=str(path),
            ),
            schema,
            path=str(path),
        )
        return schema, ()
    if path.suffix.lower() == ".jsonl":
        return _validate_lines(path, schema), ()
    types = [] if schema is None else [struct_of(schema)]
    document = Document.load(path, *types)
    return document.name, document.warnings


def _validate_lines(path: Path, schema: str | None) -> str:
    """Return the name of the schema that every line of a file of JSON Lines follows."""
    data = read_file(path, max_bytes=MAX_BYTES, too_large=ErrorCode.JSON_TOO_LARGE)
    name = schema
    *lines, rest = data.split(b"\n")
    if rest or data.find(b"\r\n") >= 0:
        reason = "Its last line has no end" if rest else "Its lines end with CR and LF"
        raise RunForgeError(
            ErrorCode.JSON_INVALID,
            f"{reason}; each ends with LF.",
            path=str(path),
        )
    for number, line in enumerate(lines, 1):
        types = [] if name is None else [struct_of(name)]
        try:
            name = Document.parse(line, *types, path=path).name
        except RunForgeError as error:
            raise RunForgeError(
                error.code,
                f"Line {number}: {error.message.replace(' in line 1, column ', ' in column ')}",
                hint=error.hint,
                path=str(path),
                pointer=error.location.pointer,
                problems=error.problems,
            ) from None
    return name or identify({}, path=path)[0]
