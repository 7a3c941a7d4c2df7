"""The record of a run: the one writer of its documents.

Everything is validated against its schema before it is written, and each file is written once.
The result comes last, after the manifest that lists every other file, so that a folder with a
result is whole.

Source: run store contract, sections 1 and 4; result.json contract; RunForge guarantees.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
from runforge_contracts.codec.strict_json import encode_json
from runforge_contracts.documents import Document
from runforge_contracts.fs.files import writing
from runforge_contracts.schemas import in_schema_order
from runforge_contracts.store import layout
from runforge_contracts.store.run import Run
from runforge_contracts.validation import validate

from runforge_engine.provenance.privacy import Shortening
from runforge_engine.provenance.slsa import statement_of
from runforge_engine.runtime.background import Check
from runforge_engine.runtime.folder_lock import Hold
from runforge_engine.store.writer import sync_run, write_new

#: Kind of each artifact in ``result.json``; whatever is not named here is ``other``.
_ARTIFACT_TYPES = {
    layout.MODEL: "model",
    layout.METRICS: "metrics",
    layout.METRICS_V1: "metrics",
    layout.FEATURE_IMPORTANCE: "feature_importance",
    layout.LINEAR_COEFFICIENTS: "linear_coefficients",
    layout.TRAIN_LOG: "log",
    layout.EVENTS: "log",
}


@dataclass(slots=True)
class RunRecord:
    """The files that a run writes, with the digests that its documents name."""

    hold: Hold
    #: Digest and size of everything written through this record, by path below the folder.
    digests: dict[str, dict[str, Any]] = field(default_factory=dict)
    #: What is left out of the documents on request.
    shortening: Shortening | None = None

    @property
    def folder(self) -> Path:
        """The run folder, where it is now; raises ``STORE_NOT_WRITABLE`` where it is gone."""
        return self.hold.folder

    def write_bytes(
        self, file: str, data: bytes, check: Check | None = None, sha256: str | None = None
    ) -> None:
        """Write ``data`` as the new file ``file``; what ``check`` raises ends the writing.

        ``sha256`` is the digest of ``data`` where it is known already.
        """
        folder = self.folder
        path = folder / file
        if path.parent != folder:
            # The run's own folder was claimed once; where it is gone, it stays gone.
            with writing(path):
                path.parent.mkdir(exist_ok=True)
        write_new(path, data, check)
        self.digests[file] = {"sha256": sha256, "bytes": len(data)} if sha256 else _digest(data)

    def write_struct(self, file: str, view: msgspec.Struct) -> None:
        """Write the document that a generated struct describes."""
        self.write_bytes(file, Document.of(view).encode())

    def write_raw(self, file: str, raw: dict[str, Any], schema: str) -> None:
        """Write the raw document ``raw`` after checking it against its schema."""
        self.write_bytes(file, self._encode(self._recorded(raw), schema))

    def add_logs(self) -> None:
        """Take the logs, which the journal wrote and closed, into the record."""
        folder = self.folder
        with writing(folder):
            for file in (layout.EVENTS, layout.TRAIN_LOG):
                self.digests[file] = _digest((folder / file).read_bytes())

    def artifacts(self) -> list[dict[str, Any]]:
        """Return what the run produced, as ``result.json`` lists it, sorted by path."""
        return [
            {"path": file, "type": _ARTIFACT_TYPES.get(file, "other"), "bytes": digest["bytes"]}
            for file, digest in sorted(self.digests.items())
            if file not in (layout.REQUEST, layout.RUN)
        ]

    def finish(self, run_id: str, result: dict[str, Any]) -> None:
        """Write the statement of the run's origin, the manifest over every file, and the result.

        The result comes last: a run that has one has all the rest, also where the process is
        killed at this moment. The folder is durable when this returns.
        """
        result = self._recorded(result)
        ending = self._encode(result, "result.v1")
        folder = self.folder
        with writing(folder):
            files = [
                path.relative_to(folder).as_posix()
                for path in folder.rglob("*")
                if path.is_file() and not path.is_symlink()
            ]
            digests = {
                file: self.digests.get(file) or _digest((folder / file).read_bytes())
                for file in files
            }
        digests = dict(sorted({**digests, layout.RESULT: _digest(ending)}.items()))
        self.write_bytes(layout.STATEMENT, statement_of(Run(self.folder), digests, result=result))
        digests[layout.STATEMENT] = self.digests[layout.STATEMENT]
        manifest = {
            "schema_version": "manifest.v1",
            "run_id": run_id,
            "files": dict(sorted(digests.items())),
        }
        self.write_raw(layout.MANIFEST, manifest, "manifest.v1")
        sync_run(self.folder)
        self.write_bytes(layout.RESULT, ending)
        sync_run(self.folder)

    def _recorded(self, raw: dict[str, Any]) -> dict[str, Any]:
        return raw if self.shortening is None else self.shortening.document(raw)

    def _encode(self, raw: dict[str, Any], schema: str) -> bytes:
        validate(raw, schema)
        return encode_json(in_schema_order(raw, schema))


def _digest(data: bytes) -> dict[str, Any]:
    return {"sha256": hashlib.sha256(data).hexdigest(), "bytes": len(data)}
