"""Values that a spreadsheet would take for formulas: told of, or made text on request.

A table is for programs, too, so values stay as they are unless a person asks for the apostrophe
that spreadsheets understand.

Source: OWASP, "CSV Injection".
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import click
from runforge_contracts.display import quote

from runforge_cli.render.output import warn
from runforge_cli.shell.settings import Function

#: What a formula begins with, also in the wide letters of East Asian keyboards.
_BEGINNINGS = tuple("=+-@\t\r\n\uff1d\uff0b\uff0d\uff20")
#: Columns that are named; there may be very many.
_SHOWN = 5

#: What to do, where a command has :func:`quoting_option`.
REMEDY = "`--quote-formulas` puts an apostrophe before them."

Table = tuple[list[str], list[list[str]]]


def quoting_option(function: Function) -> Function:
    """Add the option that makes formulas text."""
    return click.option(
        "--quote-formulas",
        is_flag=True,
        help="In CSV: an apostrophe before what a spreadsheet would compute.",
    )(function)


def guard_formulas(
    header: Sequence[str], rows: Iterable[Sequence[str]], *, quoted: bool, remedy: str
) -> Table:
    """Return a table, with a warning that names the columns that have what looks like a formula.

    Parameters
    ----------
    header, rows
        The cells as text; numbers are never formulas.
    quoted
        Whether to put an apostrophe before such cells, instead of warning.
    remedy
        What to do about it, as a sentence.
    """
    table = [list(header), *map(list, rows)]
    if quoted:
        table = [[f"'{cell}" if is_formula(cell) else cell for cell in row] for row in table]
    else:
        found = [name for name, *cells in zip(*table, strict=True) if _has_formula(name, cells)]
        if found:
            names = ", ".join(quote(name, 40) for name in found[:_SHOWN])
            more = f" and {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
            warn(f"A spreadsheet would take values of {names}{more} for formulas. {remedy}")
    return table[0], table[1:]


def is_formula(cell: str) -> bool:
    """Tell whether a spreadsheet would compute a cell; a number with a sign is no formula."""
    if not cell.startswith(_BEGINNINGS):
        return False
    try:
        float(cell)
    except ValueError:
        return True
    return cell[0].isspace()


def _has_formula(name: str, cells: Iterable[str]) -> bool:
    return is_formula(name) or any(map(is_formula, cells))
