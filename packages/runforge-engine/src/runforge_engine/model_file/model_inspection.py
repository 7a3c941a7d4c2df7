"""Inspect a model file without running it.

Source: specification, section 14.8.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
from pathlib import Path

from runforge_contracts.display import quote
from runforge_contracts.fs.files import open_file, read_all, reading

from runforge_engine.model_file.allowlist import ALLOWED
from runforge_engine.model_file.byte_source import (
    PIECE,
    Blob,
    ByteSource,
    BytesSource,
    Cursor,
    FileSource,
)
from runforge_engine.model_file.compression import detect, unfolded
from runforge_engine.model_file.content import content_sha256 as digest_of_content
from runforge_engine.model_file.description import Description, describe
from runforge_engine.model_file.file_kinds import recognise, recognise_text
from runforge_engine.model_file.inspection_result import ModelInspection, UsedGlobal
from runforge_engine.model_file.limits import InspectionLimits, Watch
from runforge_engine.model_file.pickle_machine import Machine
from runforge_engine.model_file.rendering import Renderer
from runforge_engine.model_file.scan_findings import FindingCode, Findings, ReadingStopped
from runforge_engine.model_file.session import Reading

#: A file up to this size is read whole.
_IN_MEMORY = 8 * PIECE


def inspect_model(path: Path, *, limits: InspectionLimits = InspectionLimits()) -> ModelInspection:  # noqa: B008
    """Return the contents of the model file at ``path``, without importing or running any of it.

    Problems in the contents are findings, not exceptions.

    Raises
    ------
    RunForgeError
        ``FILE_NOT_FOUND``, ``FILE_UNSAFE`` or ``FILE_UNREADABLE``.
    """
    with open_file(path) as file, reading(path):
        before = os.fstat(file.fileno())
        inspection = _Inspection(str(path), before.st_size, limits)
        if inspection.accepts_size():
            if before.st_size <= _IN_MEMORY:
                inspection.read(BytesSource(read_all(file, before.st_size)))
            else:
                inspection.read(FileSource(file, before.st_size))
        after = os.fstat(file.fileno())
        if (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns):
            inspection.findings.add(FindingCode.FILE_CHANGED, "The file changed while it was read.")
    return inspection.result()


def inspect_model_bytes(
    data: bytes,
    name: str = "model.pkl",
    *,
    limits: InspectionLimits = InspectionLimits(),  # noqa: B008
) -> ModelInspection:
    """Return the contents of a model file with these bytes; see :func:`inspect_model`."""
    inspection = _Inspection(name, len(data), limits)
    if inspection.accepts_size():
        inspection.read(BytesSource(data))
    return inspection.result()


def content_sha256(inspected: ModelInspection) -> str | None:
    """Return the digest of the content of a model, or ``None`` if the file has an error."""
    return inspected.content_sha256


class _Inspection:
    """An inspection in progress."""

    def __init__(self, name: str, size: int, limits: InspectionLimits) -> None:
        self.findings = Findings(limits.findings)
        self._name = name
        self._size = size
        self._limits = limits
        self._watch = Watch(limits)
        self._reading = Reading(self._watch, self.findings)
        self._description = Description()
        self._sha256: str | None = None
        self._compression: str | None = None
        self._content: str | None = None

    def accepts_size(self) -> bool:
        if self._size <= self._limits.file_bytes:
            return True
        self.findings.add(
            FindingCode.FILE_LIMIT,
            f"The file has more than the {self._limits.file_bytes:,} bytes that are read.",
        )
        return False

    def read(self, source: ByteSource) -> None:
        try:
            self._sha256 = self._hash(source)
            self._compression = detect(source)
            if self._compression is None:
                return self._read_plain(source)
            with unfolded(source, self._compression, self._watch) as (inner, rest):
                if rest is not None:
                    self._find_rest("Something follows the compressed stream.", rest)
                self._read_plain(inner)
        except ReadingStopped as stop:
            self.findings.add(stop.code, stop.message, stop.offset)

    def _read_plain(self, source: ByteSource) -> None:
        kind = recognise(source)
        if kind is not None:
            what = f"The {self._compression} stream holds" if self._compression else "The file is"
            raise ReadingStopped(FindingCode.NOT_A_PICKLE, f"{what} {kind}.", 0)
        self._reading.size = source.size
        try:
            root = self._read_streams(source)
        except ReadingStopped as stop:
            if not stop.code.endswith("_LIMIT"):
                self._tell_text(source)
            raise
        self._description = describe(root, self._watch, self.findings, self._reading.made)
        if not self.findings.has_errors:
            self._content = digest_of_content(root, self._watch)

    def _tell_text(self, source: ByteSource) -> None:
        """Report that an unreadable file is plain text, if it imports nothing."""
        kind = None if self._reading.globals else recognise_text(source)
        if kind is not None:
            what = f"The {self._compression} stream holds" if self._compression else "The file is"
            raise ReadingStopped(FindingCode.NOT_A_PICKLE, f"{what} {kind}.", 0) from None

    def _read_streams(self, source: ByteSource) -> object:
        """Return the value of the first stream, and check the other ways to read the file."""
        cursor = Cursor(source)
        root = Machine(cursor, self._reading).run()
        if cursor.position < source.size:
            self._find_rest("Something follows the end of the model.", cursor.position)
            self._read_rest(Cursor(source, cursor.position))
        if self._reading.wrapped_arrays:
            self._read_as_plain_pickle(source)
        return root

    def _find_rest(self, message: str, offset: int) -> None:
        self.findings.add(FindingCode.TRAILING_DATA, message, offset)

    def _read_rest(self, cursor: Cursor) -> None:
        """Read the data after the first stream as further streams, for the names in them."""
        with contextlib.suppress(ReadingStopped):
            while cursor.position < cursor.source.size:
                Machine(cursor, self._reading).run()

    def _read_as_plain_pickle(self, source: ByteSource) -> None:
        """Check how a reader without joblib would interpret the bytes of the arrays.

        In a file written by joblib this fails at once, because arrays start with their padding.
        """
        plain = Reading(self._watch, Findings(0), joblib=False, size=source.size)
        with contextlib.suppress(ReadingStopped):
            Machine(Cursor(source), plain).run()
        for pair, found in plain.globals.items():
            if pair not in ALLOWED and pair not in self._reading.globals:
                self._reading.globals[pair] = found
                self._reading.counts[pair] = plain.counts[pair]
                self.findings.add(
                    FindingCode.AMBIGUOUS_STREAM,
                    "Read by pickle instead of joblib, the bytes of an array ask for "
                    f"{quote(f'{found.module}.{found.name}', 120)}.",
                    found.offset,
                )

    def _hash(self, source: ByteSource) -> str:
        hasher = hashlib.sha256()
        for piece in Blob(source, 0, source.size).pieces():
            self._watch.check_time()
            hasher.update(piece)
        return hasher.hexdigest()

    def result(self) -> ModelInspection:
        found = self._description
        return ModelInspection(
            path=self._name,
            bytes=self._size,
            sha256=self._sha256,
            compression=self._compression,
            steps=tuple(found.steps),
            feature_names=None if found.feature_names is None else tuple(found.feature_names),
            n_features=found.n_features,
            classes=None if found.classes is None else tuple(found.classes),
            means=None if found.means is None else tuple(found.means),
            library_version=found.library_version,
            arrays=tuple(found.arrays),
            trees=tuple(found.trees),
            globals=_uses(self._reading, self._limits),
            findings=tuple(self.findings),
            findings_dropped=self.findings.dropped,
            content_sha256=None if self.findings.has_errors else self._content,
            limits=self._limits,
        )


def _uses(reading: Reading, limits: InspectionLimits) -> tuple[UsedGlobal, ...]:
    renderer = Renderer(limits)
    return tuple(
        UsedGlobal(
            module=renderer.text(found.module),
            name=renderer.text(found.name),
            allowed=pair in ALLOWED,
            count=reading.counts[pair],
            offset=found.offset,
        )
        for pair, found in reading.globals.items()
    )
