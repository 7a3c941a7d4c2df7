"""Detect values that a spreadsheet would evaluate as formulas, and quote them on request.

Programs read the tables too, so values are not changed unless the user asks for the apostrophe that
makes a spreadsheet treat them as plain values.

Source: OWASP, "CSV Injection".
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import click
from runforge_contracts.display import quote

from runforge_cli.shell.settings import Function
from runforge_cli.terminal.output import warn

#: Characters that start a formula, including the full-width ones of East Asian keyboards.
_BEGINNINGS = tuple("=+-@\t\r\n\uff1d\uff0b\uff0d\uff20")
#: Maximum number of columns named in the warning.
_SHOWN = 5

#: The hint of commands that have :func:`quoting_option`.
REMEDY = "`--quote-formulas` prefixes them with an apostrophe."

Table = tuple[list[str], list[list[str]]]


def quoting_option(function: Function) -> Function:
    """Add the option that quotes formulas."""
    return click.option(
        "--quote-formulas",
        is_flag=True,
        help="Prefix formulas in CSV with an apostrophe.",
    )(function)


def guard_formulas(
    header: Sequence[str], rows: Iterable[Sequence[str]], *, quoted: bool, remedy: str
) -> Table:
    """Return a table, after a warning that names the columns with values like formulas.

    Parameters
    ----------
    header, rows
        The cells as strings; numbers are never formulas.
    quoted
        Whether to prefix such cells with an apostrophe instead of warning.
    remedy
        The hint of the warning, as a sentence.
    """
    table = [list(header), *map(list, rows)]
    if quoted:
        table = [[f"'{cell}" if is_formula(cell) else cell for cell in row] for row in table]
    else:
        found = [name for name, *cells in zip(*table, strict=True) if _has_formula(name, cells)]
        if found:
            names = ", ".join(quote(name, 40) for name in found[:_SHOWN])
            more = f" and {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
            warn(f"A spreadsheet would evaluate values of {names}{more} as formulas. {remedy}")
    return table[0], table[1:]


def is_formula(cell: str) -> bool:
    """Return whether a spreadsheet would evaluate a cell; signed numbers are not formulas."""
    if not cell.startswith(_BEGINNINGS):
        return False
    try:
        float(cell)
    except ValueError:
        return True
    return cell[0].isspace()


def _has_formula(name: str, cells: Iterable[str]) -> bool:
    return is_formula(name) or any(map(is_formula, cells))
