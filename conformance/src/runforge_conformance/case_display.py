"""A case in words: what it asks, what it gives to the client, and what must come of it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, NamedTuple

import msgspec
from runforge_contracts.codec.pointers import get_at
from runforge_contracts.display import printable, shorten
from runforge_contracts.errors import RunForgeError

from runforge_conformance import __version__
from runforge_conformance._generated.cases_v1 import Case, Input
from runforge_conformance._generated.requirements_v1 import Requirement
from runforge_conformance.variation import twin, twin_fault, varied
from runforge_conformance.vectors import input_bytes, input_document, topics

#: Folders of the repository that the pages refer to.
VECTORS = "docs/test-vectors"
SPECIFICATION = "docs/specification"
#: The repository at the release of this suite.
_REPOSITORY = f"https://github.com/runforge/runforge/blob/v{__version__}"
#: Lines and columns of an excerpt.
_LINES, _COLUMNS = 6, 60
_WIDE = re.compile(r"[^\S ]")


class Part(NamedTuple):
    """One aspect of a case: its name, and its lines of printable text."""

    name: str
    lines: list[str]


def specification_page(requirement: Requirement) -> str:
    """Return where a requirement stands in the specification, as a path with an anchor."""
    return f"{SPECIFICATION}/{requirement.page}.md#{requirement.id}"


def specification_url(requirement: Requirement) -> str:
    """Return the address of a requirement in the specification of this release."""
    return f"{_REPOSITORY}/{specification_page(requirement)}"


def json_text(value: Any, limit: int | None = None) -> str:
    """Return a value as printable JSON on one line, cut to ``limit`` characters."""
    text = msgspec.json.encode(value).decode("utf-8", "replace")
    # Cut first: escaping a very large value would be slow.
    return _visible(text if limit is None else shorten(text, limit))


def _visible(text: str) -> str:
    """Return printable text in which no other white space looks like a blank."""
    return _WIDE.sub(lambda found: ascii(found[0])[1:-1], printable(text))


def description(case: Case) -> str:
    """Return what a case asks, as a sentence."""
    return case.description[:1].upper() + case.description[1:]


def given(
    case: Case,
    pointers: Sequence[str] = (),
    *,
    seed: int | None = None,
    of_twin: bool = False,
    whole: bool = False,
) -> Iterator[Part]:
    """Yield what a case gives to the client.

    The input is the one of the run with this ``seed``, or the vector as it is; with ``of_twin`` it
    is the other document under the id of the case. It is shown whole, or as an excerpt: the values
    at ``pointers``, where there are any, else its first lines.
    """
    asked = case if seed is None else (twin(case, seed) if of_twin else varied(case, seed)) or case
    if asked.input:
        yield Part("input", list(_input(case, asked, pointers, of_twin=of_twin, whole=whole)))
    if case.workspace:
        yield Part("folder", [f"{VECTORS}/{case.workspace}"])
    if case.files:
        yield Part("files", [f"{name}: {VECTORS}/{path}" for name, path in case.files.items()])
    params = list(_params(asked, pointers, None if whole else _COLUMNS))
    if params:
        yield Part("params", params)


def _input(
    case: Case, asked: Case, pointers: Sequence[str], *, of_twin: bool, whole: bool
) -> Iterator[str]:
    source = case.input or Input()
    if of_twin:
        faults = twin_fault(case)
        yield "the second document of this case" + (", invalid:" if faults else "")
        pointers = [*faults, *pointers]
        excerpt = list(_values(asked, pointers, missing=faults))
    else:
        changes = [*(source.set or ()), *(source.remove or ())]
        # A document that is no file of its own stands in the file of its case.
        yield f"{VECTORS}/{source.file or _topic(case)}"
        notes = ["changed"] if changes else []
        notes += ["varied by the seed"] if asked.input != case.input else []
        if notes:
            yield f"  {' and '.join(notes)}:"
        excerpt = list(_values(asked, [*changes, *pointers], missing=source.remove or ()))
    yield from excerpt
    if whole or not excerpt:
        yield from _text(asked, whole=whole)


def _topic(case: Case) -> str:
    """Return the file that a case is defined in."""
    return next((topic.file for topic in topics() if case in topic.cases), "cases")


def _values(case: Case, pointers: Iterable[str], missing: Iterable[str]) -> Iterator[str]:
    """Yield the values of the input at these places, and which of the ``missing`` are absent."""
    try:
        assert case.input  # noqa: S101 - the caller has looked
        document = input_document(case.input, case.document or None)
    except RunForgeError:
        return  # broken on purpose
    for member in _members(document, pointers, missing):
        yield f"  {member}"


def _members(document: Any, pointers: Iterable[str], missing: Iterable[str] = ()) -> Iterator[str]:
    absent = set(missing)
    for pointer in dict.fromkeys(pointers):
        try:
            value = get_at(document, pointer)
        except RunForgeError:
            if pointer in absent:
                yield printable(f"{pointer} is absent")
            continue
        if pointer:
            yield printable(f"{pointer} = ") + json_text(value, _COLUMNS)


def _text(case: Case, *, whole: bool) -> Iterator[str]:
    """Yield the lines of the input, or the first of them."""
    assert case.input  # noqa: S101 - the caller has looked
    lines = (
        input_bytes(case.input).decode("utf-8", "backslashreplace").removesuffix("\n").split("\n")
    )
    for line in lines if whole else lines[:_LINES]:
        yield "  " + _visible(line if whole else shorten(line, _COLUMNS))
    if not whole and len(lines) > _LINES:
        yield f"  ... {len(lines) - _LINES} more lines"


def _params(case: Case, pointers: Sequence[str], limit: int | None) -> Iterator[str]:
    params: dict[str, Any] = msgspec.to_builtins(case.params) if case.params else {}
    for name, value in params.items():
        if name == "set":
            for pointer, new in value.items():
                yield printable(f"set {pointer} = ") + json_text(new, limit)
        elif name == "fields" and limit and (members := list(_members(value, pointers))):
            yield from (f"fields {member}" for member in members)
        elif name == "remove":
            yield from (printable(f"remove {pointer}") for pointer in value)
        else:
            yield f"{name} = {json_text(value, limit)}"


def expected(case: Case) -> list[str]:
    """Return what must come of a case, a line each."""
    expect: dict[str, Any] = msgspec.to_builtins(case.expect)
    outcome = expect.pop("outcome")
    lines = ["accepted or rejected" if outcome == "either" else outcome]
    sentences: dict[str, Callable[[Any], str | list[str]]] = {
        "codes": lambda codes: f"error code: {' or '.join(codes)}",
        "places": lambda places: f"error path: {' or '.join(map(json.dumps, places))}",
        "warns": lambda warns: "a warning" if warns else "no warning",
        "view": lambda view: [f"view: {name} = {json_text(item)}" for name, item in view.items()],
        "documents": lambda files: [
            f"{name} holds {json_text(item)}" for name, item in files.items()
        ],
        "absent": lambda files: [f"no file {name}" for name in files],
        "index": lambda path: f"the index of {VECTORS}/{path}",
        "format": lambda wanted: "RunForge's own form (strict)" if wanted else [],
        "key_order": lambda wanted: "keys in the schema's order (strict)" if wanted else [],
        "exact": lambda wanted: "nothing but the given fields" if wanted else [],
    }
    for name, value in expect.items():
        told = sentences.get(name, lambda value, name=name: f"{name}: {json_text(value)}")
        sentence = told(value)
        lines += [sentence] if isinstance(sentence, str) else sentence
    return [printable(line) for line in lines]
