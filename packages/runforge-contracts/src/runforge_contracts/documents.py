"""Documents: the raw object of a JSON or YAML file of the contract, and a typed view of it.

A document keeps the raw object, because other clients write fields that this one does not know; the
view is a generated struct. Saving always writes the raw object, validated, with its keys in the
order of the schema. What is read or shown is the content: the raw object in which null is absent.

Source: specification, sections 2.4, 2.7, 4.2 and 4.7.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from functools import cache, cached_property
from importlib import import_module
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Any, ClassVar, Generic, Self, TypeVar, cast

from runforge_contracts._generated.catalog import CATALOG
from runforge_contracts.codec.pointers import get_at, remove_at, set_at
from runforge_contracts.codec.strict_json import MAX_BYTES, encode_json, parse_json
from runforge_contracts.display import quote
from runforge_contracts.errors import ErrorCode, NotFoundError, RunForgeError
from runforge_contracts.fs.files import read_file, write_file
from runforge_contracts.run_ids import parse_experiment_run_id
from runforge_contracts.schemas import BASE_URL, in_schema_order, without_nulls
from runforge_contracts.validation import validate

# Late: what reads a run and no view of it does without the library.
if TYPE_CHECKING:
    import msgspec

T = TypeVar("T", bound="msgspec.Struct")

#: Removes the field in :meth:`Document.edit`; ``None`` would be JSON's null.
REMOVE = object()

_MAX_SAFE_INTEGER = 2**53 - 1
_YAML_SUFFIXES = (".yaml", ".yml")


class Document(Generic[T]):
    """One document of the contract: its raw object, its schema's name and a typed view.

    Every field of the raw object is kept, known or not, at every depth. Items of an array are
    identified only by their index: an edit replaces, appends or removes whole items by JSON
    Pointer, and all other items stay unchanged.

    ``T`` is the generated struct, such as ``RequestV1``.
    """

    #: Names of the schemas that :meth:`load` accepts if no types are given; empty for any.
    schemas: ClassVar[tuple[str, ...]] = ()

    def __init__(
        self,
        raw: dict[str, Any],
        name: str,
        *,
        warnings: Iterable[str] = (),
        path: Path | None = None,
        may_have_nulls: bool = True,
    ) -> None:
        #: The object as it was read. Change it through :meth:`edit`, which validates.
        self.raw = raw
        #: Name of the schema that it was validated against, such as ``request.v1``.
        self.name = name
        #: Warnings to show to the user, such as a version newer than this client supports.
        self.warnings = tuple(warnings)
        #: The file that it was read from or saved to, or None.
        self.path = path
        self._may_have_nulls = may_have_nulls

    @classmethod
    def load(cls, path: str | os.PathLike[str], *types: type[T], below: Path | None = None) -> Self:
        """Read, identify and validate the document at ``path``.

        Parameters
        ----------
        path
            A regular file; its suffix decides whether it is read as JSON or YAML.
        types
            The accepted structs, newest first, such as ``RequestV1``. Without any: every document
            that is identified by its version, its ``$schema`` or its file name.
        below
            As for :func:`~runforge_contracts.fs.files.open_file`; for JSON alone.

        Raises
        ------
        RunForgeError
            As :func:`~runforge_contracts.fs.files.read_file` and :meth:`parse`.
        """
        path = path if isinstance(path, Path) else Path(path)
        return cls.load_named(path, [schema_of(type_) for type_ in types], below=below)

    @classmethod
    def load_named(cls, path: Path, names: Sequence[str], below: Path | None = None) -> Self:
        """Read a document as :meth:`load`, by the names of schemas: no type is loaded for it."""
        if is_yaml(path):
            from runforge_contracts.codec.strict_yaml import load_yaml

            return cls._parsed(load_yaml(path), names, path)
        data = read_file(path, max_bytes=MAX_BYTES, too_large=ErrorCode.JSON_TOO_LARGE, below=below)
        return cls._of_json(data, names, path)

    @classmethod
    def parse(cls, data: bytes, *types: type[T], path: Path | None = None) -> Self:
        """Parse a document from bytes, in the same way as :meth:`load`.

        Raises
        ------
        RunForgeError
            The codes of :func:`~runforge_contracts.codec.strict_json.parse_json` or
            :func:`~runforge_contracts.codec.strict_yaml.parse_yaml`, ``DOCUMENT_UNKNOWN``,
            ``DOCUMENT_VERSION_UNSUPPORTED`` or ``DOCUMENT_INVALID``.
        """
        names = [schema_of(type_) for type_ in types]
        if path is not None and is_yaml(path):
            from runforge_contracts.codec.strict_yaml import parse_yaml

            return cls._parsed(parse_yaml(data, path=str(path)), names, path)
        return cls._of_json(data, names, path)

    @classmethod
    def _of_json(cls, data: bytes, names: Sequence[str], path: Path | None) -> Self:
        raw = parse_json(data, path=None if path is None else str(path))
        # Most documents have no null, and then need not be searched for any.
        return cls._parsed(raw, names, path, may_have_nulls=b"null" in data)

    @classmethod
    def _parsed(
        cls, raw: Any, names: Sequence[str], path: Path | None, *, may_have_nulls: bool = True
    ) -> Self:
        place = None if path is None else str(path)
        name, warnings = identify(raw, names or cls.schemas, path)
        # A newer result is shown, not rejected; the fields that this client needs must be valid.
        validate({**raw, "version": 1} if warnings else raw, name, path=place)
        return cls(raw, name, warnings=warnings, path=path, may_have_nulls=may_have_nulls)

    @classmethod
    def of(cls, view: T) -> Self:
        """Return the document that ``view`` describes, validated; absent fields stay absent."""
        import msgspec

        name = schema_of(type(view))
        raw = in_schema_order(msgspec.to_builtins(view), name)
        validate(raw, name)
        return cls(raw, name)

    @cached_property
    def content(self) -> dict[str, Any]:
        """The raw object without the optional members that are null, which means absent."""
        if not self._may_have_nulls:
            return self.raw
        content: dict[str, Any] = without_nulls(self.raw, self.name)
        return content

    @cached_property
    def view(self) -> T:
        """The typed view of :attr:`content`: frozen, without fields unknown to the schema."""
        import msgspec

        type_ = cast("type[T]", struct_of(self.name))
        raw: Any = {**self.content, "version": 1} if self.warnings else self.content
        try:
            return msgspec.convert(raw, type_)
        except msgspec.ValidationError:
            # JSON has one kind of number: 1.0 is a valid integer to the schema, and 10**30 a valid
            # number. The structs distinguish int from float.
            return msgspec.convert(_normal(raw), type_)

    def get(self, pointer: str) -> Any:
        """Return the value at a JSON Pointer; raise ``POINTER_INVALID`` if there is none."""
        return get_at(self.raw, pointer)

    def edit(self, changes: Mapping[str, Any]) -> None:
        """Apply all changes, or none of them.

        Parameters
        ----------
        changes
            JSON Pointer to new value; :data:`REMOVE` removes the field.

        Raises
        ------
        RunForgeError
            ``POINTER_INVALID``, or ``DOCUMENT_INVALID`` if the result would not be valid; the
            document is then unchanged.
        """
        import copy  # late: most documents are only read

        raw = copy.deepcopy(self.raw)
        for pointer, value in changes.items():
            if value is REMOVE:
                remove_at(raw, pointer)
            else:
                set_at(raw, pointer, copy.deepcopy(value))
        validate(raw, self.name)
        self.raw, self._may_have_nulls = raw, True
        for derived in ("content", "view"):
            self.__dict__.pop(derived, None)

    def encode(self, *, as_yaml: bool = False) -> bytes:
        """Return the encoded document: the schema's key order, two spaces, one newline.

        Raises
        ------
        RunForgeError
            A code of :func:`parse` for a document that could not be read again.
        """
        ordered = in_schema_order(self.raw, self.name)
        if not as_yaml:
            data = encode_json(ordered)
            # Reading finds what the encoder lets through: too many levels, too large an integer.
            parse_json(data)
            return data
        from runforge_contracts.codec.strict_yaml import encode_yaml

        return encode_yaml(ordered)

    def save(self, path: str | os.PathLike[str] | None = None) -> None:
        """Validate and write the document; readers see the old file or the new one.

        Parameters
        ----------
        path
            The file to write; by default the one that the document was read from.
        """
        target = self.path if path is None else Path(path)
        if target is None:
            raise TypeError("the document was not read from a file: save() needs a path")
        if self.warnings:
            raise RunForgeError(
                ErrorCode.DOCUMENT_VERSION_UNSUPPORTED,
                f"A newer version of {self.name} than this client knows cannot be saved by it.",
                path=str(target),
            )
        validate(self.raw, self.name, path=str(target))
        write_file(target, self.encode(as_yaml=is_yaml(target)))
        self.path = target

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.name})"


class DocumentFolder:
    """A folder with documents of the contract, each of which is read on first use.

    The content of a missing document is None. A document that exists but cannot be
    read raises :class:`~runforge_contracts.errors.RunForgeError`.
    """

    #: Names of the schemas that a document may follow, by its path in the folder.
    schemas: ClassVar[Mapping[str, Sequence[str]]]

    def __init__(
        self, path: Path, read_before: Mapping[str, Document[Any] | None] | None = None
    ) -> None:
        self.path = path
        self._documents = dict(read_before or {})

    def document(self, file: str) -> Document[Any] | None:
        """Return the document at ``file``, a key of :attr:`schemas`, or None."""
        if file not in self._documents:
            path, names = self.path / file, self.schemas[file]
            try:
                self._documents[file] = Document.load_named(path, names, below=self.path)
            except NotFoundError:
                self._documents[file] = None
        return self._documents[file]

    def reload(self) -> None:
        """Discard the documents that were read, because a run in progress still changes."""
        self._documents.clear()

    def content(self, file: str) -> dict[str, Any] | None:
        """Return the content of the document at ``file``, or None."""
        document = self.document(file)
        return None if document is None else document.content


@cache
def struct_of(name: str) -> type[msgspec.Struct]:
    """Return the generated struct of the schema ``name``."""
    entry = CATALOG[name]
    module = import_module(f"runforge_contracts._generated.{entry.module}")
    return cast("type[msgspec.Struct]", getattr(module, entry.struct))


@cache
def schema_of(type_: type[msgspec.Struct]) -> str:
    """Return the name of the schema that the struct ``type_`` was generated from."""
    module = type_.__module__.rpartition(".")[2]
    for name, entry in CATALOG.items():
        if entry.module == module and entry.struct == type_.__name__:
            return name
    message = f"{type_.__name__} is not the type of a document"
    raise TypeError(message)


def is_yaml(path: PurePath) -> bool:
    """Return whether the name of a file has a YAML suffix."""
    return path.suffix.lower() in _YAML_SUFFIXES


def identify(
    raw: Any, names: Iterable[str] = (), path: Path | None = None
) -> tuple[str, tuple[str, ...]]:
    """Return the name of the schema that ``raw`` declares, and warnings.

    Parameters
    ----------
    raw
        The parsed document.
    names
        The schemas that are acceptable, newest first; empty for all.
    path
        The path it was read from, whose file name identifies documents without a version.

    Raises
    ------
    RunForgeError
        ``DOCUMENT_UNKNOWN``, or ``DOCUMENT_VERSION_UNSUPPORTED`` for a version of a wanted
        document that cannot be read.
    """
    place = None if path is None else str(path)
    wanted = list(names) or _candidates(raw, path)
    if not isinstance(raw, dict) or not wanted:
        raise RunForgeError(
            ErrorCode.DOCUMENT_INVALID if names else ErrorCode.DOCUMENT_UNKNOWN,
            "The document is not an object."
            if not isinstance(raw, dict)
            else "Nothing in the document tells which document of the contract it is.",
            hint="Name the schema with --schema; `runforge schema list` shows them.",
            path=place,
        )
    for name in wanted:
        if _has_its_members(raw, name):
            return name, ()
    for name in wanted:
        entry = CATALOG[name]
        if entry.present:
            continue
        if entry.version_field is None or raw.get(entry.version_field) == entry.version:
            return name, ()
    newest = CATALOG[wanted[0]]
    if newest.version_field is None:
        return wanted[0], ()  # It was named, and does not have the members that tell it.
    field = newest.version_field
    version = raw.get(field)
    if isinstance(version, float) and version.is_integer():
        version = int(version)  # JSON has one kind of number
    if field not in raw or type(version) is not type(newest.version):
        return wanted[0], ()  # The validator reports what is invalid.
    if wanted[0] == "result.v1" and isinstance(version, int) and version > 1:
        return wanted[0], (f"This is version {version} of result.json; version 1 is known here.",)
    readable = ", ".join(
        quote(CATALOG[name].version) for name in wanted if not CATALOG[name].present
    )
    raise RunForgeError(
        ErrorCode.DOCUMENT_VERSION_UNSUPPORTED,
        f"`/{field}` is {quote(version)}; this client reads {readable}.",
        hint="A newer RunForge may be able to read it.",
        path=place,
        pointer=f"/{field}",
    )


def _has_its_members(raw: dict[str, Any], name: str) -> bool:
    """Return whether a document has the members that tell one of another client."""
    entry = CATALOG[name]
    return (
        bool(entry.present)
        # A null says no more than an absent member.
        and all(raw.get(member) is not None for member in entry.present)
        and raw.keys().isdisjoint(entry.absent)
    )


def _candidates(raw: Any, path: Path | None) -> list[str]:
    """Return the schemas that a document without a declared schema may follow."""
    if not isinstance(raw, dict):
        return []
    url = raw.get("$schema")
    if isinstance(url, str) and url.startswith(BASE_URL):
        name = url.removeprefix(BASE_URL).removesuffix(".json")
        if name in CATALOG:
            return [name]
    by_version = [
        name
        for name, entry in CATALOG.items()
        if entry.version_field == "schema_version"
        and raw.get("schema_version") == entry.version
        and (not entry.present or _has_its_members(raw, name))
    ]
    by_kind = [
        name for name, entry in CATALOG.items() if entry.kind and raw.get("kind") == entry.kind
    ]
    if by_version or by_kind or path is None:
        return by_version or by_kind
    of_experiment = parse_experiment_run_id(path.absolute().parent.name) is not None
    by_file = [
        name
        for name, entry in CATALOG.items()
        if entry.file and entry.file.rpartition("/")[2] == path.name
    ]
    # Files of an experiment run share names with other documents; the folder name decides.
    by_file = [name for name in by_file if name.startswith("tfc.") is of_experiment] or by_file
    # `request.v1.min.json` is identified by its name, too.
    by_name = [name for name in CATALOG if path.name.startswith(f"{name}.")]
    by_form = ["tfc.config.v1" if "run_id" in raw else "tfc.experiment.v1"] if is_yaml(path) else []
    return by_file[::-1] or by_name or by_form


def _normal(value: Any) -> Any:
    """Return ``value`` with its numbers in the types of the structs.

    Integral floats become integers if a double holds them exactly, and integers beyond 64 bits
    become floats.
    """
    if isinstance(value, dict):
        return {key: _normal(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_normal(item) for item in value]
    if isinstance(value, float) and value.is_integer() and abs(value) <= _MAX_SAFE_INTEGER:
        return int(value)
    if type(value) is int and not -(2**63) <= value < 2**63:
        return float(value)
    return value
