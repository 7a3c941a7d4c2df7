"""Limits of an inspection, and the check of its time limit."""

from __future__ import annotations

import time
from typing import NamedTuple

from runforge_engine.model_file.scan_findings import FindingCode, ReadingStopped


class InspectionLimits(NamedTuple):
    """Bounds of one inspection; a file that exceeds one is refused, with a finding."""

    #: Bytes of the file on disk.
    file_bytes: int = 2 * 1024**3
    #: Maximum decompressed bytes of a compressed file.
    decompressed_bytes: int = 1024**3
    #: Maximum ratio of decompressed to compressed size, where the result is more than
    #: ``decompressed_least``; forests, which compress best, reach about ten.
    decompressed_times: int = 100
    decompressed_least: int = 64 * 1024**2
    #: Pickle operations, including those of nested streams and of data after the end.
    operations: int = 2_000_000
    #: Different names that the file imports; a model needs a dozen.
    names: int = 1000
    #: Entries of a memo, and the highest index in one.
    memo_entries: int = 1_000_000
    #: Keys of dicts and items of sets that are not strings. Reading many that collide is too slow.
    numeric_keys: int = 1000
    #: Marks that are open at once, and nesting depth of containers.
    depth: int = 100
    #: Bytes of one string, and of all strings and decimal numbers together.
    text_bytes: int = 64 * 1024**2
    #: Bytes of one integer.
    integer_bytes: int = 256
    #: Bytes of an array in column-major order, which is reordered in memory.
    column_major_bytes: int = 128 * 1024**2
    #: Nodes of one decision tree.
    tree_nodes: int = 4_000_000
    #: Wall time in seconds.
    seconds: float = 30.0
    #: Characters of one string in the result.
    shown_characters: int = 200
    #: Values in the result: names, classes and hyperparameters together; arrays; names to import.
    shown_entries: int = 100_000
    #: Findings that are kept; further ones are only counted.
    findings: int = 100


class Watch:
    """Count the resources that an inspection uses, and stop it at a limit."""

    def __init__(self, limits: InspectionLimits) -> None:
        self.limits = limits
        self._deadline = time.monotonic() + limits.seconds
        self._text = 0

    def check_time(self) -> None:
        """Stop if the time limit is reached."""
        if time.monotonic() > self._deadline:
            raise ReadingStopped(
                FindingCode.TIME_LIMIT,
                f"Reading took longer than {self.limits.seconds:g} seconds.",
            )

    def count_text(self, length: int) -> None:
        """Count a string of ``length`` bytes before it is read."""
        self._text += length
        if self._text > self.limits.text_bytes:
            raise ReadingStopped(
                FindingCode.TEXT_LIMIT,
                f"The file holds more than {self.limits.text_bytes:,} bytes of text.",
            )
