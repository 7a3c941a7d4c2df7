"""Files of JSON Lines that are only appended to, with a digest of the lines before in each line.

The aliases, the merges and the removed runs of a store are such files. Nothing here writes.

Source: specification, sections 5.11, 23.4 and 25.1.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from runforge_contracts.codec.hash_chain import chain_digests
from runforge_contracts.codec.strict_json import parse_json
from runforge_contracts.errors import ErrorCode, NotFoundError, RunForgeError
from runforge_contracts.fs.files import read_file
from runforge_contracts.store.layout import StoreLayout
from runforge_contracts.store.moved_store import is_stray_link
from runforge_contracts.validation import validate


class ChainedLines(NamedTuple):
    """The lines of a file, in the order in which they were appended."""

    entries: tuple[dict[str, Any], ...] = ()
    #: The bytes of these lines.
    text: bytes = b""
    #: What was written of a last line without an end: its writer did not finish.
    torn: bytes = b""

    @property
    def digest(self) -> str:
        """The digest of the chain over all lines."""
        return chain_digests(self.entries)[-1]


Lines = TypeVar("Lines", bound=ChainedLines)


def read_chained_lines(
    kind: type[Lines], store: StoreLayout, path: Path, schema: str, what: str, *, max_bytes: int
) -> Lines:
    """Return the lines of a file of a store; none if there is no file, or the store is a link.

    A last line that its writer did not finish is left out.

    Parameters
    ----------
    kind
        What to return them as.
    store, path
        The store, and the file.
    schema
        The schema of each line.
    what
        What the file is, as the beginning of a sentence: ``The history of the aliases``.
    max_bytes
        Largest size that is read.

    Raises
    ------
    RunForgeError
        ``DOCUMENT_INVALID`` if a line is not valid or does not follow the line before it;
        ``FILE_UNSAFE`` for a link; ``FILE_UNREADABLE``.
    """
    if is_stray_link(store.root):
        return kind()
    try:
        data = read_file(path, max_bytes=max_bytes)
    except NotFoundError:
        return kind()

    def invalid(number: int, message: str) -> RunForgeError:
        return RunForgeError(
            ErrorCode.DOCUMENT_INVALID,
            f"{what} is not valid, from line {number:,} on: {message}",
            hint="Put the file back from a copy; the runs are not affected.",
            path=str(path),
        )

    *lines, torn = data.split(b"\n")
    entries = list[dict[str, Any]]()
    for number, line in enumerate(lines, 1):
        try:
            entry = parse_json(line)
            validate(entry, schema)
        except RunForgeError as error:
            raise invalid(number, error.message) from None
        entries.append(entry)
    digests = chain_digests(entries)
    for number, entry in enumerate(entries, 1):
        if entry["previous"] != digests[number - 1]:
            message = "It does not follow the lines before it: one was changed, removed or added."
            raise invalid(number, message)
    return kind(tuple(entries), data[: len(data) - len(torn)], torn)
