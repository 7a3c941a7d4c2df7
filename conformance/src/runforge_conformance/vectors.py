"""The shared vectors: cases, requirements, and the input files of cases.

In an installed package they are beside this module; in the repository, in
``docs/test-vectors``.
"""

from __future__ import annotations

import contextlib
import copy
import hashlib
import json
import shutil
from functools import cache
from pathlib import Path, PurePath
from typing import Any, Final, NamedTuple

import msgspec
from runforge_contracts.codec.pointers import remove_at, set_at
from runforge_contracts.codec.strict_json import encode_json_line, in_form, parse_json
from runforge_contracts.codec.strict_yaml import encode_yaml, parse_yaml
from runforge_contracts.documents import is_yaml
from runforge_contracts.errors import RunForgeError
from runforge_contracts.schemas import CATALOG
from runforge_contracts.store.layout import MANIFEST

from runforge_conformance._generated.cases_v1 import Case, CaseFile, Input
from runforge_conformance._generated.requirements_v1 import Requirement, RequirementFile

_HERE = Path(__file__).parent
#: Contract version that the requirements are frozen for.
CONTRACT: Final = 1
#: Role of the clients that each operation is for.
ROLE_OF = {
    "read": "reader",
    "roundtrip": "editor",
    "edit": "editor",
    "write": "writer",
    "execute": "executor",
    "list": "store",
    "rebuild-index": "store",
    "trace": "store",
}


@cache
def vectors_folder() -> Path:
    """Return the folder of the vectors."""
    packaged = _HERE / "vectors"
    return packaged if packaged.is_dir() else _HERE.parents[2] / "docs/test-vectors"


class Topic(NamedTuple):
    """The cases of one file, and their purpose."""

    #: Path below the vectors, such as ``cases/request.v1/preserve.json``.
    file: str
    title: str
    why: str
    cases: list[Case]


@cache
def topics() -> list[Topic]:
    """Return all cases, by file."""
    found = []
    for path in sorted((vectors_folder() / "cases").rglob("*.json")):
        file = msgspec.json.decode(path.read_bytes(), type=CaseFile)
        place = path.relative_to(vectors_folder()).as_posix()
        found.append(Topic(place, file.title, file.why, file.cases))
    return found


def all_cases() -> list[Case]:
    """Return all cases, in the order of their files."""
    return [case for topic in topics() for case in topic.cases]


@cache
def requirements() -> dict[str, Requirement]:
    """Return the requirements of the contract by id."""
    path = _HERE / f"requirements/v{CONTRACT}.json"
    file = msgspec.json.decode(path.read_bytes(), type=RequirementFile)
    return {requirement.id: requirement for requirement in file.requirements}


def suffix_of(document: str | None) -> str:
    """Return the file suffix for this document."""
    return ".yaml" if document and CATALOG[document].yaml else ".json"


def is_lines(document: str) -> bool:
    """Return whether a document is a line of JSON Lines, whose layout is free."""
    return str(CATALOG[document].file).endswith(".jsonl")


def parse_file(data: bytes, name: str) -> Any:
    """Parse a file as JSON or YAML, depending on its name."""
    return (parse_yaml if is_yaml(PurePath(name)) else parse_json)(data)


def input_bytes(source: Input) -> bytes:
    """Return the bytes of the file that a case gives to a client."""
    if source.text is not msgspec.UNSET:
        return source.text.encode("utf-8")
    if source.json is not msgspec.UNSET:
        return _encoded(source.json)  # JSON is also valid YAML
    assert source.file is not msgspec.UNSET, "an input is a file or a value"  # noqa: S101
    data = (vectors_folder() / source.file).read_bytes()
    if source.set is msgspec.UNSET and source.remove is msgspec.UNSET:
        return data
    document = input_document(source)
    return encode_yaml(document) if is_yaml(PurePath(source.file)) else _encoded(document)


def _encoded(document: Any) -> bytes:
    """Return what ``encode_json`` does; a large document takes a fifth of the time."""
    return in_form(encode_json_line(document))


def input_document(source: Input, document: str | None = None) -> Any:
    """Return the document that a case gives to a client, which the caller may change.

    Raises
    ------
    RunForgeError
        If the input is not JSON or YAML.
    """
    if source.json is not msgspec.UNSET:
        return copy.deepcopy(source.json)
    if source.text is not msgspec.UNSET:
        return parse_file(source.text.encode("utf-8"), f"input{suffix_of(document)}")
    assert source.file is not msgspec.UNSET, "an input is a file or a value"  # noqa: S101
    parsed = json.loads(_parsed_vector(source.file))
    for pointer, value in (source.set or {}).items():
        set_at(parsed, pointer, copy.deepcopy(value))
    for pointer in source.remove or ():
        remove_at(parsed, pointer)
    return parsed


@cache
def _parsed_vector(file: str) -> str:
    """Return the document of a vector as JSON, of which a copy is quickly made."""
    return json.dumps(parse_file((vectors_folder() / file).read_bytes(), file))


def changed(document: Any, values: dict[str, Any], removed: list[str]) -> Any:
    """Return a copy of ``document`` with values set and removed, by JSON Pointer."""
    result = copy.deepcopy(document)
    for pointer, value in values.items():
        set_at(result, pointer, copy.deepcopy(value))
    for pointer in removed:
        remove_at(result, pointer)
    return result


def expected_document(case: Case) -> Any:
    """Return the document that a case must result in: created, or edited from the input."""
    params = case.params or None
    if case.op == "write":
        # Values that could not be computed are left out.
        document = copy.deepcopy(params.fields) if params and params.fields else {}
        removed = (params and params.not_computable) or []
    else:
        assert case.input, "an editor is given a document"  # noqa: S101
        given = input_document(case.input, case.document or None)
        document = changed(given, (params and params.set) or {}, [])
        removed = (params and params.remove) or []
    for pointer in removed:
        with contextlib.suppress(RunForgeError):  # removing an absent value has no effect
            remove_at(document, pointer)
    return document


def make_workspace(case: Case, target: Path) -> None:
    """Create the workspace of a case at ``target``, which does not exist."""
    if case.workspace is msgspec.UNSET:
        target.mkdir()
    else:
        shutil.copytree(vectors_folder() / case.workspace, target)
    for place, file in (case.files or {}).items():
        (target / place).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(vectors_folder() / file, target / place)
    if case.ids:
        _rename_runs(target, case.ids)


def renamed(data: bytes, ids: dict[str, str] | msgspec.UnsetType) -> bytes:
    """Return a file with other run ids."""
    for old, new in (ids or {}).items():
        data = data.replace(old.encode(), new.encode())
    return data


def _rename_runs(workspace: Path, ids: dict[str, str]) -> None:
    """Give the runs of a workspace other ids: in the names of folders, and in every file."""
    digests: dict[str, str] = {}
    places = sorted(workspace.rglob("*"), reverse=True)  # what is in a folder comes before it
    for path in places:
        if path.is_file() and not path.is_symlink():
            old = path.read_bytes()
            new = renamed(old, ids)
            if new != old:
                path.write_bytes(new)
                digests[hashlib.sha256(old).hexdigest()] = hashlib.sha256(new).hexdigest()
        if path.name in ids:
            path.rename(path.with_name(ids[path.name]))
    for path in workspace.rglob(MANIFEST):
        path.write_bytes(renamed(path.read_bytes(), digests))
