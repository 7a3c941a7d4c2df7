"""Read the header of a CSV file: the column names, or the problem with the first line."""

from __future__ import annotations

import csv
import itertools
import re
from collections.abc import Iterator, Sequence
from contextlib import suppress

from runforge_contracts.display import quote
from runforge_contracts.errors import ErrorCode, RunForgeError

from runforge_engine.data.cells import BLANKS, is_missing, parse_number
from runforge_engine.data.csv_decoding import BOM
from runforge_engine.data.dataset_source import DatasetSource

#: Number of rows that are searched for boolean columns.
SAMPLE_ROWS = 20
#: Start of a line that marks a merge conflict.
CONFLICT = re.compile(r"(?:<{7}|={7}|>{7}|\|{7})(?: |$)")
#: The words for what separates the columns of a CSV file, and the options that name it.
DELIMITERS = {
    ";": ("semicolons", " --delimiter ';'"),
    "\t": ("tabs", " --delimiter tab"),
    "|": ("bars", " --delimiter '|'"),
    ",": ("commas", ""),
}
_SEPARATOR = re.compile(r"sep=.?", re.IGNORECASE)
#: Hint for a merge conflict.
RESOLVE = "Resolve the conflict first: two versions of the file were merged."
#: Hint for comments.
UNCOMMENT = "Remove the comments, such as with `grep -v '^#' old.csv > new.csv`."


def read_header(data: bytes, source: DatasetSource) -> tuple[tuple[str, ...], int]:
    """Return the column names, and the offset of the first row."""
    lines = CsvLines(data)
    records = (
        record for record in csv.reader(lines, strict=True, delimiter=source.delimiter) if record
    )
    try:
        names = tuple(next(records, ()))
    except csv.Error as error:
        raise RunForgeError(
            ErrorCode.DATASET_MALFORMED,
            f"The header of the dataset cannot be read: {error}.",
            hint="Look for a quote that is not closed.",
            path=str(source.path),
        ) from None
    begin, below = lines.end, list[list[str]]()
    # The reader of the rows reports the problem.
    with suppress(csv.Error):
        below.extend(itertools.islice(records, SAMPLE_ROWS))
    several = (record for record in below if sum(map(bool, record)) > 1)
    first = next(several, below[0] if below else [])
    problem = _header_problem(names, first, source.delimiter)
    if problem is not None:
        code, message, hint = problem
        raise RunForgeError(code, message, hint=hint, path=str(source.path))
    return names, begin


def _header_problem(
    names: Sequence[str], first: Sequence[str], separator: str
) -> tuple[ErrorCode, str, str] | None:
    """Return code, message and hint if the first line does not name the columns.

    Parameters
    ----------
    names
        Fields of the first line.
    first
        Fields of the first later line that has several; empty if there is none.
    separator
        What separates the fields.
    """
    filled = [name for name in names if name.strip(BLANKS)]
    below = [cell for cell in first if cell.strip(BLANKS)]
    shown = f"The first line is {quote(filled[0] if filled else '', 60)}"
    alone = len(filled) == 1 and bool(names[0].strip(BLANKS))
    remove = "Remove the first line; the first line has the names of the columns."
    if filled and CONFLICT.match(filled[0]):
        return ErrorCode.DATASET_MALFORMED, f"{shown}, the mark of a merge conflict.", RESOLVE
    if alone and _SEPARATOR.fullmatch(names[0]):
        shown = f"The first line is {quote(','.join(names))}"
        return ErrorCode.DATASET_MALFORMED, f"{shown}, a note for a spreadsheet program.", remove
    if len(names) == 1 and separator == ",":
        for delimiter, (word, option) in DELIMITERS.items():
            if delimiter in names[0] and (not first or delimiter in ",".join(first)):
                read = f"`runforge prepare FILE --label COLUMN{option}` reads it"
                return (
                    ErrorCode.DATASET_DELIMITER_UNSUPPORTED,
                    f"The dataset separates its columns by {word}, not by commas.",
                    f"{read}, and decimal commas with `--decimal-mark ,`; or save it with commas.",
                )
    if filled and is_comment(names[0]) and (alone or len(names) != len(first or names)):
        return ErrorCode.DATASET_MALFORMED, f"{shown}, which looks like a comment.", UNCOMMENT
    if len(below) < 2:
        return None
    texts = all(parse_number(cell) is None and not is_missing(cell) for cell in below)
    if alone and (len(names) == 1 or texts):
        return ErrorCode.DATASET_MALFORMED, f"{shown}, which looks like a title.", remove
    if not filled and texts:
        return ErrorCode.DATASET_MALFORMED, "The first line holds no names, but commas.", remove
    return None


def is_comment(cell: str) -> bool:
    """Return whether a cell starts a comment."""
    return cell.lstrip(BLANKS).startswith("#")


class CsvLines:
    """Iterate over the lines of a CSV file; ``end`` is the offset after the last one."""

    def __init__(self, data: bytes, begin: int = 0) -> None:
        self._data = data
        self.end = max(begin, len(BOM) if data.startswith(BOM) else 0)

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        begin, data = self.end, self._data
        if begin >= len(data):
            raise StopIteration
        feed = data.find(b"\n", begin)
        end = feed + 1 or len(data)
        back = data.find(b"\r", begin, end)
        if 0 <= back < feed - 1 or (back >= 0 and feed < 0):
            end = back + 1
        self.end = end
        return data[begin:end].decode()
