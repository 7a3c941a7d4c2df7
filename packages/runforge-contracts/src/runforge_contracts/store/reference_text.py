"""The text of a reference to a run or a sweep, as it was typed or taken from other output."""

from __future__ import annotations


def without_line_end(reference: str) -> str:
    """Return a reference without the line end of the output that it was taken from.

    In ``$(runforge runs --csv --columns run | tail -n 1)`` a shell removes LF, but CSV (RFC 4180)
    ends its lines with CRLF.
    """
    return reference.rstrip("\r\n")
