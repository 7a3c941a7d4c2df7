"""A run of which every file is read, hashed and validated, for checks of the whole folder."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, ClassVar

from runforge_contracts.codec.strict_json import MAX_BYTES, parse_json
from runforge_contracts.codec.strict_yaml import parse_yaml
from runforge_contracts.display import quote
from runforge_contracts.documents import Document, identify, is_yaml
from runforge_contracts.errors import ErrorCode, RunForgeError
from runforge_contracts.fs.files import FileDigest, read_and_digest
from runforge_contracts.fs.folders import as_text, walk_folder
from runforge_contracts.invariants.finding import Finding
from runforge_contracts.schemas import FIELD
from runforge_contracts.store import layout
from runforge_contracts.store.field_documents import CLIENTS
from runforge_contracts.store.layout import StoreLayout
from runforge_contracts.store.reading import describe
from runforge_contracts.store.run import RUN_VERSIONS, BaseRun, Run
from runforge_contracts.validation import validate

#: Files that are kept besides the documents, to be compared with what they must contain.
_KEPT_TOO = frozenset({layout.STATEMENT, layout.EVENTS})


class CheckedFolder(BaseRun):
    """A run whose files were all read; one that cannot be read is a finding, not an exception.

    Each file is opened once: the bytes that are hashed are the bytes that are parsed, validated and
    compared with others. :attr:`findings` has what was found while reading.

    Parameters
    ----------
    path
        The run folder.
    in_store
        Whether it is in the folder of runs of a store, where its name must be the run id.
    """

    #: Most files that are read.
    max_files: ClassVar[int]

    def __init__(self, path: Path, *, in_store: bool) -> None:
        super().__init__(path)
        self.in_store = in_store
        self._read_all()

    def _read_all(self) -> None:
        self.findings: list[Finding] = []
        #: Digests of all regular files, by path below the folder.
        self.files: dict[str, FileDigest] = {}
        #: Valid documents, by path below the folder.
        self.documents: dict[str, Document[Any]] = {}
        #: Names of the schemas that documents declare to follow, whether they do or not.
        self.forms: dict[str, str] = {}
        #: Bytes of every document that could be read, valid or not, and of statement and events.
        self.texts: dict[str, bytes] = {}
        #: Whether there are only readable files, and folders, whose names are valid Unicode.
        self.is_regular = True
        for file, path in self._walk():
            try:
                self.files[file] = self._digest(file, path)
            except RunForgeError as error:
                self._irregular("run.readable", error.message, file)
        for file, names in self.schemas.items():
            if file in self.files:
                self._read(file, names)

    def document(self, file: str) -> Document[Any] | None:
        """Return the document at ``file`` as it was read, or None if there is no valid one."""
        return self.documents.get(file)

    def reload(self) -> None:
        """Read all files again."""
        self._read_all()

    def text(self, file: str) -> bytes:
        """Return the bytes of one of :attr:`files` that is kept.

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

    @property
    def expected_id(self) -> str:
        """The id that the run must have: in a store the folder's name, else the documents' id."""
        if not self.in_store:
            for document in self.documents.values():
                if "run_id" in document.content:
                    return str(document.content["run_id"])
        return self.path.absolute().name

    def _irregular(self, rule: str, message: str, file: str | None = None) -> None:
        self.is_regular = False
        self.findings.append(Finding(rule, message, file))

    def _walk(self) -> Iterator[tuple[str, Path]]:
        """Yield the relative path and path of every regular file; all else is a finding."""

        def unreadable(file: str, error: OSError) -> None:
            reason = (error.strerror or str(error)).lower()
            self._irregular(
                "run.readable",
                f"{quote(as_text(file) or '.')} cannot be read: {reason}.",
                as_text(file) or ".",
            )

        for number, item in enumerate(walk_folder(self.path, unreadable=unreadable), 1):
            file = as_text(item.place)
            if number > self.max_files:
                self.is_regular = False
                message = f"The folder has more than {self.max_files:,} files."
                self.findings.append(Finding("run.files", message, found=number))
                return
            if file != item.place:
                self.is_regular = False
            if item.kind == "file":
                yield file, item.path
            elif item.kind == "link":
                message = f"{quote(file)} is a symbolic link, which could lead anywhere."
                self._irregular("run.no-links", message, file)
            elif item.kind == "other":
                message = f"{quote(file)} is neither a file nor a folder."
                self._irregular("run.no-links", message, file)

    def _digest(self, file: str, path: Path) -> FileDigest:
        """Return the digest of a file, and keep the bytes of those that are parsed."""
        is_kept = file in self.schemas or file in _KEPT_TOO
        digest, text = read_and_digest(path, keep=MAX_BYTES if is_kept else -1)
        if text is not None:
            self.texts[file] = text
        return digest

    def _read(self, file: str, names: Sequence[str]) -> None:
        try:
            text = self.text(file)
            raw = (parse_yaml if is_yaml(Path(file)) else parse_json)(text)
            name, warnings = identify(raw, names)
            self.forms[file] = name
            validate({**raw, "version": 1} if warnings else raw, name)
        except RunForgeError as error:
            if not names[0].startswith(FIELD):  # nothing of the contract
                self.findings.extend(refusals(error, file, names[0]))
            return
        self.documents[file] = Document(raw, name, warnings=warnings)
        if name.startswith(FIELD) and name != names[0]:
            message = f"{file} has the form of {CLIENTS[name]} ({name}), not of {names[0]}."
            self.findings.append(Finding(schema_rule(names[0]), message, file))


class CheckedRun(CheckedFolder, Run):
    """A trained run whose files were all read.

    Parameters
    ----------
    path
        The run folder.
    in_store
        As for :class:`CheckedFolder`; by default, whether the path is that of a store's run.
    """

    #: A run has some twenty files.
    max_files = 10_000

    def __init__(self, path: Path, *, in_store: bool | None = None) -> None:
        if in_store is None:
            parents = path.absolute().parents
            stores = (layout.DEFAULT_STORE, layout.LEGACY_STORE)
            in_store = parents[0].name == "runs" and parents[1].name in stores
        super().__init__(path, in_store=in_store)

    def form(self, file: str) -> str | None:
        """Return the name of the schema that a document declares to follow, even if it does not."""
        return self.forms.get(file)

    @property
    def record_version(self) -> str | None:
        """The schema of ``run.json``; None if there is no valid one."""
        document = self.document(layout.RUN)
        return None if document is None else document.name

    @property
    def has_ended(self) -> bool:
        """Whether there is a result, or the record of a client that wrote no results."""
        if layout.RESULT in self.files:
            return True
        return layout.RUN in self.files and self.record_version != RUN_VERSIONS[0]

    @property
    def is_current(self) -> bool:
        """Whether the present layout applies: unless a record of an older version is there."""
        return self.record_version in (None, RUN_VERSIONS[0])

    def index_entry(self, store: StoreLayout) -> dict[str, Any] | None:
        """Return the run's index entry, made from its documents; None if one is invalid."""
        needed = (layout.REQUEST, layout.RUN, layout.RESULT)
        if any(file in self.files and file not in self.documents for file in needed):
            return None
        return describe(self, store)


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
