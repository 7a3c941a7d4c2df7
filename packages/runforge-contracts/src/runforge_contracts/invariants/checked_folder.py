"""The files of a run folder and the documents in it, each read once and checked."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from runforge_contracts.codec.strict_json import MAX_BYTES, parse_json
from runforge_contracts.codec.strict_yaml import is_yaml, parse_yaml
from runforge_contracts.display import quote
from runforge_contracts.documents import Document, identify
from runforge_contracts.errors import ErrorCode, RunForgeError
from runforge_contracts.fs.files import FileDigest, read_and_digest
from runforge_contracts.fs.folders import as_text, walk_folder
from runforge_contracts.invariants.finding import Finding
from runforge_contracts.store import layout
from runforge_contracts.store.layout import StoreLayout
from runforge_contracts.store.reading import describe
from runforge_contracts.store.run import RUN_VERSIONS, SCHEMAS_BY_FILE, Run
from runforge_contracts.validation import validate

#: Files that are read besides the documents, to be compared with what they must say.
_READ_TOO = frozenset({layout.STATEMENT, layout.EVENTS})
#: A run has some twenty files; a folder with more than this is no run.
MAX_FILES = 10_000


class Folder:
    """A run folder on disk; a file that cannot be read is a finding, not an exception.

    Each file is opened once: the bytes that are hashed are those that are parsed, validated and
    compared with others.
    """

    def __init__(
        self,
        path: Path,
        *,
        in_store: bool | None = None,
        schemas: Mapping[str, Sequence[str]] = SCHEMAS_BY_FILE,
        max_files: int | None = None,
    ) -> None:
        self.path = path
        here = path.absolute()
        #: Whether it lies among the runs of a store, where its name is the run id.
        self.in_store = in_store
        if in_store is None:
            stores = (layout.DEFAULT_STORE, layout.LEGACY_STORE)
            self.in_store = here.parent.name == "runs" and here.parent.parent.name in stores
        self.findings: list[Finding] = []
        #: Digests of all regular files, by path below the folder.
        self.files: dict[str, FileDigest] = {}
        #: Valid documents, by path below the folder.
        self.documents: dict[str, dict[str, Any]] = {}
        #: Schema that each of them follows.
        self.schemas: dict[str, str] = {}
        #: Text of every document that could be read, valid or not, and of statement and events.
        self.texts: dict[str, bytes] = {}
        #: Whether there are only files that can be read, and folders, under names that are text.
        self.is_regular = True
        self._read_too = {*schemas, *_READ_TOO}
        for place, file_path in self._walk(max_files or MAX_FILES):
            try:
                self.files[place] = self._digest(place, file_path)
            except RunForgeError as error:
                self._irregular("run.readable", error.message, place)
        for file, names in schemas.items():
            if file in self.files:
                self._read(file, names)

    def text(self, file: str) -> bytes:
        """Return the text of one of :attr:`files` that is read.

        Raises
        ------
        RunForgeError
            ``JSON_TOO_LARGE``.
        """
        if file in self.texts:
            return self.texts[file]
        raise RunForgeError(
            ErrorCode.JSON_TOO_LARGE,
            f"{quote(file)} has more than the {MAX_BYTES:,} bytes that are read.",
            path=file,
        )

    def _irregular(self, rule: str, message: str, place: str | None = None) -> None:
        self.is_regular = False
        self.findings.append(Finding(rule, message, place))

    def _walk(self, most: int) -> Iterator[tuple[str, Path]]:
        """Yield the relative path and path of every regular file; all else is a finding."""

        def unreadable(place: str, error: OSError) -> None:
            reason = (error.strerror or str(error)).lower()
            self._irregular(
                "run.readable",
                f"{quote(as_text(place) or '.')} cannot be read: {reason}.",
                as_text(place) or ".",
            )

        for number, item in enumerate(walk_folder(self.path, unreadable=unreadable), 1):
            place = as_text(item.place)
            if number > most:
                self.is_regular = False
                message = f"The folder has more than {most:,} files."
                self.findings.append(Finding("run.files", message, found=number))
                return
            if place != item.place:
                self.is_regular = False
            if item.kind == "file":
                yield place, item.path
            elif item.kind == "link":
                message = f"{quote(place)} is a symbolic link, which could lead anywhere."
                self._irregular("run.no-links", message, place)
            elif item.kind == "other":
                message = f"{quote(place)} is neither a file nor a folder."
                self._irregular("run.no-links", message, place)

    def _digest(self, place: str, path: Path) -> FileDigest:
        """Return the digest of a file, taken from the same bytes that are parsed."""
        is_read = place in self._read_too
        found, text = read_and_digest(path, keep=MAX_BYTES if is_read else -1)
        if text is not None:
            self.texts[place] = text
        return found

    def _read(self, file: str, names: Sequence[str]) -> None:
        try:
            text = self.text(file)
            raw = (parse_yaml if is_yaml(Path(file)) else parse_json)(text)
            name, _ = identify(raw, names)
            validate({**raw, "version": 1} if name == "result.v1" else raw, name)
        except RunForgeError as error:
            self.findings.extend(refusals(error, file, names[0]))
        else:
            self.documents[file], self.schemas[file] = raw, name

    @property
    def run_id(self) -> str:
        """The run's id: the name of its folder in a store, elsewhere what its documents say."""
        if not self.in_store:
            for document in self.documents.values():
                if "run_id" in document:
                    return str(document["run_id"])
        return self.path.absolute().name

    @property
    def run(self) -> dict[str, Any] | None:
        """The record of a completed training."""
        return self.documents.get(layout.RUN)

    @property
    def request(self) -> dict[str, Any] | None:
        """What was asked for."""
        return self.documents.get(layout.REQUEST)

    @property
    def result(self) -> dict[str, Any] | None:
        """How the run ended."""
        return self.documents.get(layout.RESULT)

    @property
    def has_ended(self) -> bool:
        """Whether there is a result, or the record of a client that wrote no results."""
        if layout.RESULT in self.files:
            return True
        return layout.RUN in self.files and self.schemas.get(layout.RUN) != RUN_VERSIONS[0]

    @property
    def is_current(self) -> bool:
        """Whether the run was written in the present layout, with diagnostics and a manifest."""
        return (
            layout.MANIFEST in self.files
            or self.schemas.get(layout.RUN) == "run.v0.4.0"
            or (self.result is not None and "run_id" in self.result)
        )

    def described(self, store: StoreLayout) -> dict[str, Any] | None:
        """Return the run's index entry, made from its documents; None if one is invalid."""
        needed = (layout.REQUEST, layout.RUN, layout.RESULT)
        if any(file in self.files and file not in self.documents for file in needed):
            return None
        return describe(self.as_read, store)

    @property
    def as_read(self) -> Run:
        """The run with the documents as they were read here; those that are not valid are None."""
        documents: dict[str, Document[Any] | None] = dict.fromkeys(SCHEMAS_BY_FILE)
        documents |= {
            file: Document(raw, self.schemas[file]) for file, raw in self.documents.items()
        }
        return Run(self.path, documents)


def refusals(error: RunForgeError, file: str, schema: str) -> Iterator[Finding]:
    """Yield the findings for a document that was refused."""
    if error.code is ErrorCode.DOCUMENT_INVALID and error.problems:
        for problem in error.problems:
            yield Finding(schema_rule(schema), problem.message, file, problem.location.pointer)
        return
    text = error.code.startswith(("JSON_", "YAML_"))
    area, _, what = error.code.lower().replace("_", "-").partition("-")
    rule = f"{area}.{what}" if text else schema_rule(schema)
    yield Finding(rule, error.message, file, error.location.pointer)


def schema_rule(schema: str) -> str:
    """Return the name of the rule that a document follows its schema."""
    document = schema.partition(".v")[0]
    return f"{document.replace('.', '-').replace('_', '-')}.schema"
