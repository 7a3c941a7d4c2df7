"""The writer of a run's files: the only code that writes the documents of a run.

Every document is validated once, before it is written, and each file is written once. The result
comes last, after the manifest that lists every other file, so a folder with a result is complete.

Source: specification, sections 4.8, 5.2 and 5.4.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
from runforge_contracts.codec.strict_json import encode_json
from runforge_contracts.documents import Document, schema_of
from runforge_contracts.fs.files import writing
from runforge_contracts.schemas import in_schema_order
from runforge_contracts.store import layout
from runforge_contracts.store.run import Run
from runforge_contracts.system.system_files import sync_folder
from runforge_contracts.types import FileDigest, ManifestV1, ResultArtifact, ResultV1
from runforge_contracts.validation import validate

from runforge_engine.provenance.privacy import Shortening
from runforge_engine.provenance.slsa import statement_of
from runforge_engine.runtime.background import Check
from runforge_engine.runtime.folder_lock import Hold
from runforge_engine.store.run_folders import sync_run, write_new

#: Type of each artifact in ``result.json``; every other file is ``other``.
_ARTIFACT_TYPES = {
    layout.MODEL: "model",
    layout.METRICS: "metrics",
    layout.METRICS_V1: "metrics",
    layout.FEATURE_IMPORTANCE: "feature_importance",
    layout.LINEAR_COEFFICIENTS: "linear_coefficients",
    layout.TRAIN_LOG: "log",
    layout.EVENTS: "log",
}
#: The documents that the statement and the index entry are derived from.
_KEPT = (layout.REQUEST, layout.RUN, layout.RESULT)


@dataclass(slots=True)
class RunWriter:
    """The files that a run writes, with their digests and the documents that later ones need."""

    hold: Hold
    #: Removes what a private run does not record.
    shortening: Shortening | None = None
    #: Digest and size of every file written through this object, by path below the folder.
    digests: dict[str, FileDigest] = field(default_factory=dict)
    #: Files that may not be on the disk yet.
    unsynced: list[str] = field(default_factory=list)
    #: Request, run and result as they are in the folder; one that is absent there is None.
    documents: dict[str, Document[Any] | None] = field(default_factory=lambda: dict.fromkeys(_KEPT))

    @property
    def folder(self) -> Path:
        """The run folder, where it is now; raises ``STORE_NOT_WRITABLE`` where it is missing."""
        return self.hold.folder

    def as_folder(self) -> Run:
        """Return the run folder with the documents in hand, which are not read again."""
        return Run(self.folder, self.documents)

    def write_bytes(
        self, file: str, data: bytes, check: Check | None = None, sha256: str | None = None
    ) -> None:
        """Write ``data`` as the new file ``file``.

        Parameters
        ----------
        check
            Called repeatedly; an exception that it raises ends the writing.
        sha256
            Digest of ``data``, where it is known already.
        """
        folder = self.folder
        path = folder / file
        if path.parent != folder:
            # The run's folder was claimed once; where it was deleted, it is not created again.
            with writing(path):
                path.parent.mkdir(exist_ok=True)
        # The rest is brought to the disk together. A disk that is slow to take what can be
        # cancelled holds nobody up.
        durable = check is not None or file in (layout.REQUEST, layout.RESULT)
        write_new(path, data, check, sync=durable)
        if not durable:
            self.unsynced.append(file)
        self.digests[file] = FileDigest(sha256=sha256, bytes=len(data)) if sha256 else _digest(data)

    def write_request(self, request: Document[Any]) -> None:
        """Write ``request.json``."""
        self.write_bytes(layout.REQUEST, request.encode())
        self.keep_request(Document(in_schema_order(request.raw, request.name), request.name))

    def keep_request(self, request: Document[Any]) -> None:
        """Remember the request that is in the folder already."""
        self.documents[layout.REQUEST] = request

    def write_struct(self, file: str, view: msgspec.Struct) -> None:
        """Write the document that a generated struct describes."""
        document = self._document(file, view)
        self.write_bytes(file, encode_json(document.raw))
        if file in _KEPT:
            self.documents[file] = document

    def add_logs(self) -> None:
        """Add the digests of the logs, which the event log wrote and closed."""
        folder = self.folder
        with writing(folder):
            for file in (layout.EVENTS, layout.TRAIN_LOG):
                self.digests[file] = _digest((folder / file).read_bytes())
                self.unsynced.append(file)

    def artifacts(self) -> list[ResultArtifact]:
        """Return the artifacts as ``result.json`` lists them, sorted by path."""
        return [
            ResultArtifact(
                path=file,
                type=_ARTIFACT_TYPES.get(file, "other"),  # type: ignore[arg-type]
                bytes=digest.bytes,
            )
            for file, digest in sorted(self.digests.items())
            if file not in (layout.REQUEST, layout.RUN)
        ]

    def artifact_digests(self) -> dict[str, FileDigest]:
        """Return the digests of everything written so far but the request, sorted by path."""
        return {
            file: digest for file, digest in sorted(self.digests.items()) if file != layout.REQUEST
        }

    def finish(self, run_id: str, result: ResultV1) -> None:
        """Write the provenance statement, the manifest over every file, and the result.

        The result comes last: a run that has one is complete, even if the process is killed at
        this moment. The folder is durable when this returns.
        """
        document = self._document(layout.RESULT, result)
        encoded = encode_json(document.raw)
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
        digests[layout.RESULT] = _digest(encoded)
        self.documents[layout.RESULT] = document
        statement = statement_of(self.as_folder(), msgspec.to_builtins(digests))
        self.write_bytes(layout.STATEMENT, statement)
        digests[layout.STATEMENT] = self.digests[layout.STATEMENT]
        manifest = ManifestV1(
            schema_version="manifest.v1", run_id=run_id, files=dict(sorted(digests.items()))
        )
        self.write_struct(layout.MANIFEST, manifest)
        sync_run(folder, self.unsynced)
        self.write_bytes(layout.RESULT, encoded)
        with writing(folder):
            sync_folder(folder)

    def _document(self, file: str, view: msgspec.Struct) -> Document[Any]:
        """Return the document as it is recorded, validated and in its schema's key order."""
        name = schema_of(type(view))
        raw = msgspec.to_builtins(view)
        if self.shortening is not None and file in (layout.RUN, layout.RESULT):
            raw = self.shortening.document(raw)
        raw = in_schema_order(raw, name)
        validate(raw, name)
        return Document(raw, name)


def _digest(data: bytes) -> FileDigest:
    return FileDigest(sha256=hashlib.sha256(data).hexdigest(), bytes=len(data))
