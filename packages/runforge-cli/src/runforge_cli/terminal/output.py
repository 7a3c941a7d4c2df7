"""Print results to standard output, and everything else to standard error."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from runforge_contracts.codec.strict_json import encode_json
from runforge_contracts.display import printable
from runforge_contracts.errors import ErrorCode, Problem, RunForgeError


def write_json(document: Any) -> None:
    """Print one JSON document; on a terminal, control characters are escaped."""
    write_json_text([encode_json(document)])


def write_json_text(parts: Iterable[bytes]) -> None:
    """Print the parts of the text of one JSON document, as :func:`write_json`."""
    is_terminal = sys.stdout.isatty()
    sys.stdout.flush()
    for part in parts:
        text = _escaped_json(part.decode("utf-8")).encode("utf-8") if is_terminal else part
        sys.stdout.buffer.write(text)


def _escaped_json(text: str) -> str:
    """Return a JSON document with the characters escaped that could control a terminal."""
    return "".join(
        character
        if character == "\n" or printable(character) == character
        else json.dumps(character)[1:-1]
        for character in text
    )


def write_csv(header: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Print a table as CSV: RFC 4180, UTF-8, values unchanged.

    Values that a spreadsheet would evaluate are also unchanged. On a terminal, control characters
    are replaced.
    """
    if sys.stdout.isatty():
        header, rows = (
            [printable(cell) for cell in header],
            ([*map(printable, row)] for row in rows),
        )
    sys.stdout.flush()
    sys.stdout.buffer.write(csv_text(header, rows))


def csv_text(header: Sequence[str], rows: Iterable[Sequence[str]]) -> bytes:
    """Return a table as CSV: RFC 4180, UTF-8, values unchanged."""
    import csv
    import io

    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(header)
    writer.writerows(rows)
    return text.getvalue().encode("utf-8", "backslashreplace")


def write_lines(lines: Iterable[str]) -> None:
    """Print lines, which must be printable already."""
    for line in lines:
        sys.stdout.write(line.rstrip() + "\n")


#: Receives the warnings instead of standard error.
_reporter: ContextVar[Callable[[str], None] | None] = ContextVar("reporter", default=None)


@contextmanager
def reporting(report: Callable[[str], None]) -> Iterator[None]:
    """Pass warnings to ``report`` instead of printing them, in this thread."""
    token = _reporter.set(report)
    try:
        yield
    finally:
        _reporter.reset(token)


def warn(text: str) -> None:
    """Print a warning to standard error, or pass it on; see :func:`reporting`."""
    report = _reporter.get()
    if report is not None:
        report(text)
        return
    print_errors([f"warning: {printable(text)}"])


def note(text: str) -> None:
    """Print a note on the result to standard error."""
    print_errors([f"note: {printable(text)}"])


def print_errors(lines: list[str]) -> None:
    """Print lines to standard error, wrapped if it is a terminal.

    If its reader has closed the pipe, as `head` does, the work goes on in silence.
    """
    if sys.stderr.isatty():
        from runforge_cli.terminal.text_layout import hanging

        lines = [part for line in lines for part in hanging(line)]
    try:
        sys.stderr.write("\n".join(lines) + "\n")
        sys.stderr.flush()
    except BrokenPipeError:
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, sys.stderr.fileno())
        os.close(null)


def write_error(error: RunForgeError, *, json: bool) -> int:
    """Print an error and return its exit code."""
    if error.code is ErrorCode.INTERNAL and error.__cause__ is not None:
        sys.stderr.write(traceback_text(error.__cause__))
    if json:
        write_json({"error": error.to_dict()})
        sys.stdout.flush()
    else:
        print_errors(error_lines(error))
    return error.exit_code


def traceback_text(problem: BaseException) -> str:
    """Return a traceback for a terminal; the text of an exception may have come from a file."""
    import traceback

    text = "".join(traceback.format_exception(problem))
    return "".join(f"{printable(line)}\n" for line in text.splitlines())


def error_lines(error: RunForgeError) -> list[str]:
    """Return the lines on an error: code, message, location, individual problems, hint."""
    lines = [f"error[{error.code.value}]: {printable(error.message)}"]
    place = printable(error.location.text)
    if place:
        lines.append(f"  at {place}")
    for problem in error.problems:
        where = f" ({problem.location.pointer})" if problem.location.pointer else _row(problem)
        lines.append(f"  - {printable(problem.message + where)}")
        if problem.hint:
            lines.append(f"    {printable(problem.hint)}")
    if error.hint:
        lines.append(f"hint: {printable(error.hint)}")
    return lines


def _row(problem: Problem) -> str:
    text = "" if problem.location.row is None else f" (row {problem.location.row})"
    return "" if text in problem.message else text
