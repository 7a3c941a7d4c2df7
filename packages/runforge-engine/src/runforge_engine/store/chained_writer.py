"""Append lines to a record of a store, each with the digest of what is before it.

Source: specification, sections 5.11, 23.4 and 25.1.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from runforge_contracts.codec.hash_chain import chain_digests
from runforge_contracts.codec.strict_json import encode_json_line
from runforge_contracts.display import printable
from runforge_contracts.errors import ErrorCode, RunForgeError
from runforge_contracts.fs.files import write_file
from runforge_contracts.store.chained_lines import ChainedLines
from runforge_contracts.validation import validate


def chained(
    record: ChainedLines, lines: Iterable[dict[str, Any]], schema: str, what: str
) -> list[dict[str, Any]]:
    """Return lines with the digest of what is before each of them, if appended to a record.

    Parameters
    ----------
    record
        The lines before them.
    lines
        The lines, without ``previous``.
    schema
        The schema of each line.
    what
        What a line is about, as the beginning of a sentence: ``The alias``.

    Raises
    ------
    RunForgeError
        ``USAGE_INVALID`` if a line is not valid.
    """
    found, last = list[dict[str, Any]](), record.digest
    for line in lines:
        whole = {**line, "previous": last}
        try:
            validate(whole, schema)
        except RunForgeError as error:
            raise RunForgeError(
                ErrorCode.USAGE_INVALID, f"{what} cannot be recorded: {printable(error.message)}"
            ) from None
        found.append(whole)
        last = chain_digests([whole], last)[-1]
    return found


def append_chained(path: Path, record: ChainedLines, lines: Sequence[dict[str, Any]]) -> None:
    """Append lines of :func:`chained` to the file of a record; the caller holds the lock.

    The file is replaced as a whole: no reader finds half of a line, and a torn one is gone.

    Raises
    ------
    RunForgeError
        ``STORE_NOT_WRITABLE``, ``FILE_UNSAFE``.
    """
    if lines:
        write_file(path, record.text + b"".join(map(encode_json_line, lines)))
