"""Clients that edit or write otherwise: pointers, values, the form of files, and other files."""

from __future__ import annotations

import copy
import html
import json
import os
import re
import shutil
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from functools import cache, partial
from pathlib import Path
from typing import Any

import runforge_contracts.codec.pointers as pointers
import runforge_contracts.documents as documents
from json_mutants import _single
from runforge_conformance._generated.cases_v1 import Case
from runforge_conformance.vectors import all_cases, suffix_of
from runforge_contracts.codec.strict_yaml import encode_yaml
from runforge_contracts.errors import RunForgeError
from runforge_contracts.fs.files import write_file
from runforge_contracts.schemas import in_schema_order, load_schema
from wrong_client import Mutant, Patch

_parse_pointer, _index, _parent = pointers.parse_pointer, pointers._index, pointers._parent
_set_at, _remove_at = pointers.set_at, pointers.remove_at
_validate = documents.validate
_edit, _save, _encode = (
    documents.Document.edit,
    documents.Document.save,
    documents.Document.encode,
)
_Text = Callable[[str], str]


def editing_mutants() -> Iterator[Mutant]:
    """Yield clients that edit or write otherwise."""
    for name, patch in _pointers():
        yield Mutant("pointer", f"pointer/{name}", lambda patch=patch: [patch], _edits)
    for name, patch in _edits_otherwise():
        yield Mutant("edit", f"edit/{name}", lambda patch=patch: [patch], _edits)
    yield Mutant("edit", "edit/not checked when it is saved", _unchecked_edits, _edits)
    for name, change in _VALUES.items():
        patch = (documents.Document, "encode", partial(_changed, change))
        yield Mutant("value written otherwise", f"value/{name}", _just(patch), _written)
    for name, form in _FORMS.items():
        patch = (documents.Document, "encode", partial(_formed, form))
        strict = name in _STRICT
        yield Mutant("form of a file", f"form/{name}", _just(patch), _written, strict)
    for name, form in _YAML_FORMS.items():
        patch = (documents.Document, "encode", partial(_formed_yaml, form))
        cases = partial(_written, ".yaml")
        yield Mutant("form of a file", f"form/{name}", _just(patch), cases, strict=True)
    for name, leaves in _FILES.items():
        patch = (documents.Document, "save", partial(_saved, leaves))
        yield Mutant("other files", f"file/{name}", _just(patch), _written)
    for name, reads in _READS.items():
        patch = (documents.Document, "load", classmethod(partial(_loaded, reads)))
        yield Mutant("other files", f"file/{name}", _just(patch), _read)


class _Method:
    """A function that becomes a method where it stands in a class."""

    def __init__(self, function: Callable[..., Any]) -> None:
        self.function = function

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        return partial(self.function, instance)


def _just(patch: Patch) -> Callable[[], Iterable[Patch]]:
    owner, name, value = patch
    if isinstance(value, partial):
        value = _Method(value)
    return lambda: [(owner, name, value)]


@cache
def _edits() -> list[Case]:
    return [case for case in all_cases() if case.op == "edit"]


@cache
def _written(suffix: str = "") -> list[Case]:
    """Return the cases of editors and writers; first the telling ones, by topic."""
    found = [
        case
        for case in all_cases()
        if case.op in ("roundtrip", "edit", "write")
        and (not suffix or suffix_of(case.document or None) == suffix)
    ]
    order = ("/preserve/", "/null-absent/", "/values/", "/lists/", "/edit/", "/write")
    return sorted(
        found,
        key=lambda case: next((n for n, topic in enumerate(order) if topic in case.id), 9),
    )


@cache
def _read() -> list[Case]:
    return [
        case
        for case in all_cases()
        if case.op == "read" and "/boundaries/" not in case.id and "/allowed/" not in case.id
    ][:60]


def _pointers() -> Iterator[tuple[str, Patch]]:
    def tokens(name: str, change: Callable[[str], list[str]]) -> tuple[str, Patch]:
        return name, (pointers, "parse_pointer", change)

    def split(pointer: str, unescape: _Text) -> list[str]:
        return [unescape(part) for part in pointer[1:].split("/")]

    def known(text: str) -> str:
        return text.replace("~1", "/").replace("~0", "~")

    yield tokens(
        "tilde before slash",
        lambda p: split(p, lambda text: text.replace("~0", "~").replace("~1", "/")),
    )
    yield tokens("nothing unescaped", lambda p: split(p, str))
    yield tokens("slash alone unescaped", lambda p: split(p, lambda t: t.replace("~1", "/")))
    yield tokens("tilde alone unescaped", lambda p: split(p, lambda t: t.replace("~0", "~")))
    yield tokens(
        "first escape alone", lambda p: split(p, lambda t: known(t[:3]) + t[3:] if "~" in t else t)
    )
    yield tokens("escapes exchanged", lambda p: split(p, lambda t: t.replace("~0", "/")))
    yield tokens("unescaped before it is split", lambda p: known(p)[1:].split("/"))
    yield tokens(
        "percent signs decoded", lambda p: split(p, lambda t: known(t).replace("%20", " "))
    )
    yield tokens("dots split", lambda p: [x for t in split(p, known) for x in t.split(".")])
    yield tokens("trimmed", lambda p: split(p, lambda t: known(t).strip()))
    yield tokens("in small letters", lambda p: split(p, lambda t: known(t).lower()))
    yield tokens("composed", lambda p: split(p, lambda t: unicodedata.normalize("NFC", known(t))))
    yield tokens(
        "empty parts left out", lambda p: [part for part in split(p, known) if part] or [""]
    )
    yield tokens("last empty part left out", lambda p: split(p.rstrip("/") or "/", known))
    yield tokens("slash at the start left out", lambda p: split("/" + p.lstrip("/"), known))
    yield tokens("without a slash", lambda p: split(p if p.startswith("/") else f"/{p}", known))
    yield tokens("hash before it", lambda p: split(p.removeprefix("#"), known))

    def index(name: str, change: Callable[[list[Any], str, str], int]) -> tuple[str, Patch]:
        return name, (pointers, "_index", change)

    yield index("leading zeros", lambda a, part, p: _index(a, part.lstrip("0") or "0", p))
    yield index("plus sign", lambda a, part, p: _index(a, part.removeprefix("+"), p))
    yield index("blanks", lambda a, part, p: _index(a, part.strip(), p))
    yield index(
        "from the end",
        lambda a, part, p: (
            len(a) + int(part) if re.fullmatch("-[1-9]", part) else _index(a, part, p)
        ),
    )
    yield index(
        "digits of other scripts",
        lambda a, part, p: _index(
            a,
            str(int(part)) if part.isdecimal() and part != "00" and not part.isascii() else part,
            p,
        ),
    )
    yield index("fractions", lambda a, part, p: _index(a, re.sub(r"\.0$", "", part), p))
    yield index("hexadecimal", lambda a, part, p: _index(a, part.removeprefix("0x"), p))
    yield index("exponents", lambda a, part, p: _index(a, re.sub("e0$", "", part), p))
    yield index("counted from one", lambda a, part, p: max(_index(a, part, p) - 1, 0))
    yield index(
        "beyond the end is the last",
        lambda a, part, p: (
            len(a) - 1 if part.isdigit() and int(part) >= len(a) else _index(a, part, p)
        ),
    )

    def sets(name: str, change: Callable[[Any, str, Any], None]) -> tuple[str, Patch]:
        return name, (documents, "set_at", change)

    def at_index(handle: Callable[[list[Any], str, Any], bool], d: Any, p: str, v: Any) -> None:
        parent, part = _parent(d, p)
        if not isinstance(parent, list) or not handle(parent, part, v):
            _set_at(d, p, v)

    def inserting(array: list[Any], part: str, value: Any) -> bool:
        if part.isdigit() and int(part) < len(array):
            array.insert(int(part), value)
            return True
        return False

    def prepending(array: list[Any], part: str, value: Any) -> bool:
        if part == "-":
            array.insert(0, value)
        return part == "-"

    def replacing_last(array: list[Any], part: str, value: Any) -> bool:
        if part == "-" and array:
            array[-1] = value
        return part == "-" and bool(array)

    def appending_at_the_end(array: list[Any], part: str, value: Any) -> bool:
        if part == str(len(array)):
            array.append(value)
            return True
        return False

    def filling(array: list[Any], part: str, value: Any) -> bool:
        if part.isdigit() and int(part) > len(array) and part[0] != "0" and len(part) < 4:
            array.extend([value] * (int(part) + 1 - len(array)))
            return True
        return False

    def ignoring(array: list[Any], part: str, value: Any) -> bool:
        return part.isdigit() and int(part) >= len(array)

    yield sets("index inserts", partial(at_index, inserting))
    yield sets("dash prepends", partial(at_index, prepending))
    yield sets("dash replaces the last", partial(at_index, replacing_last))
    yield sets("index of the end appends", partial(at_index, appending_at_the_end))
    yield sets("index beyond the end fills", partial(at_index, filling))
    yield sets("index beyond the end ignored", partial(at_index, ignoring))

    def creating(document: Any, pointer: str, value: Any) -> None:
        here = document
        for part in _parse_pointer(pointer)[:-1]:
            if isinstance(here, dict):
                here = here.setdefault(part, {})
        _set_at(document, pointer, value)

    def quiet(document: Any, pointer: str, value: Any) -> None:
        try:
            _set_at(document, pointer, value)
        except RunForgeError:
            return

    def whole(document: Any, pointer: str, value: Any) -> None:
        if pointer == "" and isinstance(value, dict):
            document.clear()
            document.update(value)
        else:
            _set_at(document, pointer, value)

    def known_only(document: Any, pointer: str, value: Any) -> None:
        parent, part = _parent(document, pointer)
        if isinstance(parent, dict) and part not in parent:
            return
        _set_at(document, pointer, value)

    yield sets("missing parents made", creating)
    yield sets("what is nowhere ignored", quiet)
    yield sets("whole document set", whole)
    yield sets("new members ignored", known_only)

    def removes(name: str, change: Callable[[Any, str], None]) -> tuple[str, Patch]:
        return name, (documents, "remove_at", change)

    def nulling(document: Any, pointer: str) -> None:
        _set_at(document, pointer, None)

    def nulling_items(document: Any, pointer: str) -> None:
        parent, part = _parent(document, pointer)
        if isinstance(parent, list):
            parent[_index(parent, part, pointer)] = None
        else:
            _remove_at(document, pointer)

    def last_item(document: Any, pointer: str) -> None:
        parent, part = _parent(document, pointer)
        if isinstance(parent, list) and part == "-":
            parent.pop()
        else:
            _remove_at(document, pointer)

    def with_empty_parents(document: Any, pointer: str) -> None:
        _remove_at(document, pointer)
        parent = _parse_pointer(pointer)[:-1]
        if parent and not pointers.get_at(document, pointers.format_pointer(parent)):
            _remove_at(document, pointers.format_pointer(parent))

    yield removes("removed is null", nulling)
    yield removes("removed items are null", nulling_items)
    yield removes("dash removes the last", last_item)
    yield removes("empty parents removed", with_empty_parents)
    yield removes("nothing removed", lambda document, pointer: None)


def _edits_otherwise() -> Iterator[tuple[str, Patch]]:
    def edits(name: str, change: Callable[[Any, dict[str, Any]], None]) -> tuple[str, Patch]:
        return name, (documents.Document, "edit", change)

    remove = documents.REMOVE

    def sets(value: Callable[[Any, Any], Any]) -> Callable[[Any, dict[str, Any]], None]:
        def change(self: Any, changes: dict[str, Any]) -> None:
            other = {}
            for pointer, new in changes.items():
                try:
                    old = self.get(pointer)
                except RunForgeError:
                    old = None
                other[pointer] = new if new is remove else value(old, new)
            _edit(self, other)

        return change

    def each_alone(self: Any, changes: dict[str, Any]) -> None:
        before = copy.deepcopy(self.raw)
        for pointer, value in changes.items():
            self.raw = copy.deepcopy(before)
            _edit(self, {pointer: value})

    def what_is_valid(self: Any, changes: dict[str, Any]) -> None:
        for pointer, value in changes.items():
            try:
                _edit(self, {pointer: value})
            except RunForgeError:
                continue

    def one_by_one(self: Any, changes: dict[str, Any]) -> None:
        for pointer, value in changes.items():
            _edit(self, {pointer: value})

    def removes_first(self: Any, changes: dict[str, Any]) -> None:
        _edit(self, dict(sorted(changes.items(), key=lambda item: item[1] is not remove)))

    def merge(old: Any, new: Any) -> Any:
        return {**old, **new} if isinstance(old, dict) and isinstance(new, dict) else new

    def join(old: Any, new: Any) -> Any:
        return [*old, *new] if isinstance(old, list) and isinstance(new, list) else new

    def same_kind(old: Any, new: Any) -> Any:
        return str(new) if isinstance(old, str) and type(new) in (int, float, bool) else new

    def nothing(self: Any, changes: dict[str, Any]) -> None:
        return None

    yield edits("nothing is changed", nothing)
    yield edits("the last change alone", each_alone)
    yield edits("the valid changes alone", what_is_valid)
    yield edits("the first change alone", lambda self, c: _edit(self, dict(list(c.items())[:1])))
    yield edits(
        "nothing is set", lambda self, c: _edit(self, {k: v for k, v in c.items() if v is remove})
    )
    yield edits("objects are merged", sets(merge))
    yield edits("arrays are joined", sets(join))
    yield edits("kept in its type", sets(same_kind))
    yield edits("null is ignored", sets(lambda old, new: old if new is None else new))
    yield edits(
        "null removes",
        lambda self, c: _edit(self, {k: remove if v is None else v for k, v in c.items()}),
    )
    yield edits("empty texts are null", sets(lambda old, new: None if new == "" else new))
    yield edits(
        "texts are trimmed", sets(lambda old, new: new.strip() if type(new) is str else new)
    )
    yield edits(
        "texts like numbers are numbers",
        sets(
            lambda o, new: float(new) if type(new) is str and re.fullmatch(r"[0-9.]+", new) else new
        ),
    )
    yield edits("integers as texts", sets(lambda old, new: str(new) if type(new) is int else new))
    yield edits("removed before it is set", removes_first)
    yield edits("checked after each change", one_by_one)

    def with_stamp(self: Any, changes: dict[str, Any]) -> None:
        _edit(self, changes)
        if "created_by" in self.raw:
            self.raw = {**self.raw, "created_by": "editor@1.0"}

    def with_time(self: Any, changes: dict[str, Any]) -> None:
        _edit(self, changes)
        if "created_at" in self.raw:
            self.raw = {**self.raw, "created_at": "2026-11-28T12:00:00Z"}

    def with_note(self: Any, changes: dict[str, Any]) -> None:
        _edit(self, changes)
        self.raw = {**self.raw, "updated_at": "2026-11-28T12:00:00Z"}

    yield edits("signed by the editor", with_stamp)
    yield edits("dated by the editor", with_time)
    yield edits("noted by the editor", with_note)

    yield "not checked", (documents, "validate", _unchecked)


def _unchecked_edits() -> list[Patch]:
    """Return what leaves out both checks, of what was edited and of what is saved."""

    def edit(self: Any, changes: dict[str, Any]) -> None:
        raw = copy.deepcopy(self.raw)
        for pointer, value in changes.items():
            if value is documents.REMOVE:
                _remove_at(raw, pointer)
            else:
                _set_at(raw, pointer, value)
        self.raw = raw

    def save(self: Any, path: Any) -> None:
        write_file(Path(path), self.encode(as_yaml=Path(path).suffix == ".yaml"))

    return [(documents.Document, "edit", edit), (documents.Document, "save", save)]


def _unchecked(raw: Any, name: str, *, path: str | None = None) -> None:
    """Check nothing."""


def _changed(change: Callable[[Any, str], Any], self: Any, *, as_yaml: bool = False) -> bytes:
    before = self.raw
    self.raw = change(copy.deepcopy(before), self.name)
    try:
        return _encode(self, as_yaml=as_yaml)
    finally:
        self.raw = before


def _walk(
    change: Callable[[Any], Any] = lambda value: value,
    *,
    keep: Callable[[str, Any, int], bool] = lambda key, value, depth: True,
    key: _Text = str,
) -> Callable[[Any, str], Any]:
    """Return what changes every value, innermost first, and leaves members out."""

    def walk(value: Any, depth: int = 0) -> Any:
        if isinstance(value, dict):
            value = {
                key(name): walk(item, depth + 1)
                for name, item in value.items()
                if keep(name, item, depth)
            }
        elif isinstance(value, list):
            value = [walk(item, depth + 1) for item in value]
        return change(value)

    return lambda value, name: walk(value)


def _text(change: _Text) -> Callable[[Any, str], Any]:
    return _walk(lambda value: change(value) if isinstance(value, str) else value)


def _known(name: str) -> set[str]:
    return set(load_schema(name).get("properties", ()))


def _unknown_left_out(*, root: bool, below: bool) -> Callable[[Any, str], Any]:
    """Return what leaves out members that the schema does not name, at the root or below."""

    def change(value: Any, name: str) -> Any:
        from schema_places import expanded, places

        by_location: dict[tuple[str, ...], set[str]] = {}
        closed: set[tuple[str, ...]] = set()
        for place in places(expanded(name)):
            if isinstance(place.schema, dict) and "properties" in place.schema:
                by_location.setdefault(place.location, set()).update(place.schema["properties"])
                if isinstance(place.schema.get("additionalProperties"), dict):
                    closed.add(place.location)

        def walk(value: Any, location: tuple[str, ...]) -> Any:
            if isinstance(value, dict):
                names = by_location.get(location)
                here = root if not location else below
                return {
                    key: walk(item, (*location, key if names and key in names else "{}"))
                    for key, item in value.items()
                    if not here or names is None or key in names or location in closed
                }
            if isinstance(value, list):
                return [walk(item, (*location, "[]")) for item in value]
            return value

        return walk(value, ())

    return change


def _with(pairs: dict[str, Any]) -> Callable[[Any, str], Any]:
    """Return what gives the root members that it does not have, if the schema knows them."""

    def change(value: Any, name: str) -> Any:
        if not isinstance(value, dict):
            return value
        extra = {key: item for key, item in pairs.items() if key in _known(name)}
        return {**extra, **value}

    return change


def _put(pairs: dict[str, Any]) -> Callable[[Any, str], Any]:
    def change(value: Any, name: str) -> Any:
        return {**value, **{key: item for key, item in pairs.items() if key in value}}

    return change


def _sorted(value: Any) -> Any:
    if isinstance(value, list):
        try:
            return sorted(value)
        except TypeError:
            return value
    return value


def _once(value: Any) -> Any:
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        return list(dict.fromkeys(value))
    return value


def _nulls_of_lists(value: Any) -> Any:
    return [item for item in value if item is not None] if isinstance(value, list) else value


_FLOAT = r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]+(\.[0-9]+)?Z"
_VALUES: dict[str, Callable[[Any, str], Any]] = {
    "unknown members left out": _unknown_left_out(root=True, below=True),
    "unknown members left out at the root": _unknown_left_out(root=True, below=False),
    "unknown members left out below the root": _unknown_left_out(root=False, below=True),
    "nulls left out": _walk(keep=lambda key, value, depth: value is not None),
    "nulls left out at the root": _walk(
        keep=lambda key, value, depth: value is not None or depth > 0
    ),
    "nulls left out below the root": _walk(
        keep=lambda key, value, depth: value is not None or depth == 0
    ),
    "nulls left out of arrays": _walk(_nulls_of_lists),
    "nulls as empty texts": _walk(lambda value: "" if value is None else value),
    "empty texts as null": _walk(lambda value: None if value == "" else value),
    "empty texts left out": _walk(keep=lambda key, value, depth: value != ""),
    "empty texts left out of arrays": _walk(
        lambda v: [item for item in v if item != ""] if isinstance(v, list) else v
    ),
    "empty arrays left out": _walk(keep=lambda key, value, depth: value != []),
    "empty objects left out": _walk(keep=lambda key, value, depth: value != {}),
    "empty objects as arrays": _walk(lambda value: [] if value == {} else value),
    "empty arrays as objects": _walk(lambda value: {} if value == [] else value),
    "empty arrays as null": _walk(lambda value: None if value == [] else value),
    "zeros left out": _walk(keep=lambda key, value, depth: isinstance(value, bool) or value != 0),
    "false left out": _walk(keep=lambda key, value, depth: value is not False),
    "defaults filled in": _with({"tags": [], "notes": None, "name": None}),
    "name filled in": _with({"name": ""}),
    "seed filled in": _with({"seed": 42}),
    "tags filled in": _with({"tags": []}),
    "schema filled in": _with({"$schema": "https://runforge.dev/schemas/request.v1.json"}),
    "error filled in": _with({"error": None}),
    "version of the client": _put({"version": 1}),
    "signed by the client": _put({"created_by": "client@1.0"}),
    "dated by the client": _put({"created_at": "2026-11-28T12:00:00Z"}),
    "schema left out": _walk(keep=lambda key, value, depth: key != "$schema"),
    "the name of a prototype left out": _walk(keep=lambda key, value, depth: key != "__proto__"),
    "the empty key left out": _walk(keep=lambda key, value, depth: key != ""),
    "keys in small letters": _walk(key=str.lower),
    "keys trimmed": _walk(key=str.strip),
    "keys composed": _walk(key=lambda text: unicodedata.normalize("NFC", text)),
    "keys unescaped": _walk(key=lambda text: text.replace("~1", "/")),
    "keys of digits as numbers": _walk(key=lambda t: str(int(t)) if t.isdecimal() else t),
    "keys with dots as objects": _walk(key=lambda text: text.partition(".")[0] or text),
    "arrays sorted": _walk(_sorted),
    "arrays turned round": _walk(lambda v: v[::-1] if isinstance(v, list) else v),
    "arrays without what stands twice": _walk(_once),
    "arrays of one as the item": _walk(
        lambda v: v[0] if isinstance(v, list) and len(v) == 1 and isinstance(v[0], int) else v
    ),
    "arrays cut to ten": _walk(lambda v: v[:10] if isinstance(v, list) else v),
    "arrays in arrays made flat": _walk(
        lambda v: (
            [x for item in v for x in item]
            if isinstance(v, list) and v and all(isinstance(item, list) for item in v)
            else v
        )
    ),
    "numbers of single precision": _walk(lambda v: _single(v) if type(v) is float else v),
    "numbers of fifteen digits": _walk(lambda v: float(f"{v:.15g}") if type(v) is float else v),
    "numbers of six decimals": _walk(lambda v: round(v, 6) if type(v) is float else v),
    "numbers of four decimals": _walk(lambda v: round(v, 4) if type(v) is float else v),
    "small numbers as zero": _walk(lambda v: 0.0 if type(v) is float and abs(v) < 1e-6 else v),
    "integers of 32 bits": _walk(lambda v: (v + 2**31) % 2**32 - 2**31 if type(v) is int else v),
    "integers of single precision": _walk(
        lambda v: int(_single(v)) if type(v) is int and abs(v) < 2**100 else v
    ),
    "numbers as texts": _walk(lambda v: str(v) if type(v) in (int, float) else v),
    "fractions as texts": _walk(lambda v: str(v) if type(v) is float else v),
    "truth values as numbers": _walk(lambda v: int(v) if isinstance(v, bool) else v),
    "truth values as texts": _walk(lambda v: str(v).lower() if isinstance(v, bool) else v),
    "numbers 0 and 1 as truth values": _walk(
        lambda v: bool(v) if type(v) is int and v in (0, 1) else v
    ),
    "texts like numbers as numbers": _walk(
        lambda v: float(v) if isinstance(v, str) and re.fullmatch(r"[0-9]+e?[0-9]*", v) else v
    ),
    "texts like truth values": _walk(lambda v: v == "true" if v in ("true", "false") else v),
    "texts like nothing": _walk(lambda v: None if v in ("null", "~", "NaN") else v),
    "texts trimmed": _text(str.strip),
    "texts composed": _text(lambda text: unicodedata.normalize("NFC", text)),
    "texts decomposed": _text(lambda text: unicodedata.normalize("NFD", text)),
    "texts in one line": _text(lambda text: text.replace("\n", " ")),
    "line ends of Windows in texts": _text(lambda text: text.replace("\n", "\r\n")),
    "carriage returns left out": _text(lambda text: text.replace("\r", "")),
    "tabs as blanks": _text(lambda text: text.replace("\t", "    ")),
    "control characters left out": _text(lambda text: re.sub("[\x00-\x08\x0b-\x1f]", "", text)),
    "characters beyond the basic plane left out": _text(
        lambda text: re.sub("[\U00010000-\U0010ffff]", "", text)
    ),
    "characters beyond Latin-1 replaced": _text(
        lambda text: text.encode("latin-1", "replace").decode("latin-1")
    ),
    "entities of HTML": _text(html.escape),
    "entities of HTML read": _text(html.unescape),
    "backslashes doubled": _text(lambda text: text.replace("\\", "\\\\")),
    "backslashes as slashes": _text(lambda text: text.replace("\\", "/")),
    "times with an offset": _text(
        lambda t: re.sub(rf"^({_FLOAT})$", lambda m: m[0][:-1] + "+00:00", t)
    ),
    "times without fractions": _text(lambda t: re.sub(r"(T[0-9:]+)\.[0-9]+Z$", r"\1Z", t)),
    "ids in capitals": _text(
        lambda t: t.upper() if re.fullmatch("[0-9]{8}-[0-9]{6}-[0-9a-f]{8}", t) else t
    ),
    "digests in capitals": _text(lambda t: t.upper() if re.fullmatch("[0-9a-f]{64}", t) else t),
    "paths made short": _text(lambda t: os.path.normpath(t) if "/" in t and " " not in t else t),
    "texts cut to 80 characters": _text(lambda text: text[:80]),
}


def _formed(form: Callable[[Any, bytes, str], bytes], self: Any, *, as_yaml: bool = False) -> bytes:
    data = _encode(self, as_yaml=as_yaml)
    return data if as_yaml else form(self.raw, data, self.name)


def _formed_yaml(form: Callable[[Any, bytes], bytes], self: Any, *, as_yaml: bool = False) -> bytes:
    data = _encode(self, as_yaml=as_yaml)
    return form(self.raw, data) if as_yaml else data


def _dumped(value: Any, name: str, **options: Any) -> bytes:
    text = json.dumps(
        in_schema_order(value, name), **{"indent": 2, "ensure_ascii": False, **options}
    )
    return text.encode() + b"\n"


def _unknown_first(value: Any, name: str) -> Any:
    ordered = in_schema_order(value, name)
    known = _known(name)
    return dict(sorted(ordered.items(), key=lambda item: item[0] in known))


def _nan(value: Any, name: str) -> bytes:
    return json.dumps(value, indent=2, ensure_ascii=False).encode() + b"\n"


#: What only RunForge's own rules forbid.
_STRICT = {
    "no line end at the end",
    "two line ends at the end",
    "line ends of Windows",
    "four blanks",
    "tabs",
    "one line",
    "one line with blanks",
    "blanks at the ends of lines",
    "keys by the alphabet",
    "keys as they were",
    "unknown keys first",
    "blank before colons",
    "empty collections on two lines",
    "numbers of arrays on one line",
    "byte order mark",
}
_FORMS: dict[str, Callable[[Any, bytes, str], bytes]] = {
    "no line end at the end": lambda value, data, name: data.rstrip(b"\n"),
    "two line ends at the end": lambda value, data, name: data + b"\n",
    "line ends of Windows": lambda value, data, name: data.replace(b"\n", b"\r\n"),
    "four blanks": lambda value, data, name: _dumped(value, name, indent=4),
    "tabs": lambda value, data, name: _dumped(value, name, indent="\t"),
    "one line": lambda value, data, name: _dumped(value, name, indent=None, separators=(",", ":")),
    "one line with blanks": lambda value, data, name: _dumped(value, name, indent=None),
    "blanks at the ends of lines": lambda v, data, n: data.replace(b",\n", b", \n"),
    "keys by the alphabet": lambda v, data, n: _dumped_as_is(json.loads(data), sort_keys=True),
    "keys as they were": lambda value, data, name: _dumped_as_is(
        dict(reversed(list(value.items())))
    ),
    "unknown keys first": lambda value, data, name: _dumped_as_is(_unknown_first(value, name)),
    "blank before colons": lambda v, data, n: data.replace(b'": ', b'" : '),
    "empty collections on two lines": lambda v, data, n: data.replace(b": []", b": [\n  ]"),
    "numbers of arrays on one line": lambda v, data, n: re.sub(
        rb"\[\n\s+(\"[a-z]+\"),\n\s+(\"[a-z]+\")\n\s+\]", rb"[\1, \2]", data
    ),
    "byte order mark": lambda value, data, name: b"\xef\xbb\xbf" + data,
    "two byte order marks": lambda value, data, name: b"\xef\xbb\xbf" * 2 + data,
    "UTF-16": lambda value, data, name: data.decode().encode("utf-16"),
    "latin-1": lambda value, data, name: data.decode().encode("latin-1", "replace"),
    "nothing": lambda value, data, name: b"",
    "cut off": lambda value, data, name: data[: len(data) // 2],
    "twice": lambda value, data, name: data + data,
    "as it was and new": lambda value, data, name: data + b"\0",
    "a comma after the last member": lambda v, data, n: re.sub(rb"\n\}\n$", b",\n}\n", data),
    "apostrophes": lambda value, data, name: data.replace(b'"', b"'"),
    "the first key twice": lambda value, data, name: re.sub(
        rb"^\{\n(.*?),\n", rb"{\n\1,\n\1,\n", data, flags=re.S
    ),
    "half of surrogate pairs": lambda value, data, name: re.sub(
        r"[\U00010000-\U0010ffff]", r"\\ud83d", data.decode()
    ).encode(),
    "literals of Python": lambda v, data, n: data.replace(b": true", b": True"),
    "a comment": lambda value, data, name: b"// written by a client\n" + data,
    "wrapped in an object": lambda value, data, name: b'{"document": ' + data + b"}",
    "wrapped in an array": lambda value, data, name: b"[" + data + b"]",
}


def _dumped_as_is(value: Any, **options: Any) -> bytes:
    return json.dumps(value, indent=2, ensure_ascii=False, **options).encode() + b"\n"


def _unquoted(pattern: str) -> Callable[[Any, bytes], bytes]:
    """Return what writes quoted texts of a form without their quotes."""

    def form(value: Any, data: bytes) -> bytes:
        return re.sub(rf'"({pattern})"(?=\n|$)', r"\1", data.decode()).encode()

    return form


_YAML_FORMS: dict[str, Callable[[Any, bytes], bytes]] = {
    "words of YAML 1.1 without quotes": _unquoted("no|yes|on|off|y|n"),
    "nothing without quotes": _unquoted("~|null"),
    "truth values without quotes": _unquoted("true|false"),
    "numbers without quotes": _unquoted(r"[0-9]+|1e-4|0o17|0x1f"),
    "underscores without quotes": _unquoted("1_000"),
    "times to the base sixty without quotes": _unquoted(r"12:30(:[0-9]+)?"),
    "dates without quotes": _unquoted("[0-9]{4}-[0-9]{2}-[0-9]{2}"),
    "times without quotes": _unquoted("[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]+Z"),
    "digests without quotes": _unquoted("[0-9]+"),
    "a tag": lambda value, data: data.replace(b"run_id: ", b"run_id: !!str ", 1),
    "a key without a string": lambda value, data: data + b"5: 1\n",
    "a key twice": lambda value, data: data + data.splitlines()[0] + b"\n",
    "two documents": lambda value, data: data + b"---\n" + data,
    "exponents without a point": lambda value, data: re.sub(rb"\.0e", b"e", data),
    "values as texts": lambda value, data: re.sub(rb": ([0-9]+)\n", rb': "\1"\n', data),
    "nothing left empty": lambda value, data: data.replace(b": null\n", b": ''\n"),
    "members left out": lambda value, data: encode_yaml(dict(list(value.items())[:-1])),
}


def _saved(leaves: Callable[[Path, Callable[[], None]], None], self: Any, path: Any = None) -> None:
    leaves(Path(path), lambda: _save(self, path))


def _beside(name: str) -> Callable[[Path, Callable[[], None]], None]:
    def leaves(path: Path, save: Callable[[], None]) -> None:
        save()
        (path.parent / name.replace("*", path.name)).write_bytes(b"left")

    return leaves


def _after(does: Callable[[Path], None]) -> Callable[[Path, Callable[[], None]], None]:
    def leaves(path: Path, save: Callable[[], None]) -> None:
        save()
        does(path)

    return leaves


def _before(does: Callable[[Path], None]) -> Callable[[Path, Callable[[], None]], None]:
    def leaves(path: Path, save: Callable[[], None]) -> None:
        does(path)
        save()

    return leaves


def _input(path: Path) -> Path:
    return path.with_name(f"input{path.suffix}")


def _kept_old(path: Path, save: Callable[[], None]) -> None:
    if path.exists():
        shutil.copyfile(path, path.with_name(f"{path.name}~"))
    save()


def _link(path: Path) -> None:
    target = path.with_name(f".{path.name}.data")
    path.rename(target)
    path.symlink_to(target.name)


def _hard(path: Path) -> None:
    source = _input(path)
    if source.exists() and source != path:
        data = path.read_bytes()
        source.write_bytes(data)
        path.unlink()
        path.hardlink_to(source)


def _both(path: Path) -> None:
    if _input(path).exists():
        _input(path).write_bytes(path.read_bytes())


def _cache(path: Path) -> None:
    (path.parent / "cache").mkdir(exist_ok=True)
    (path.parent / "cache/x").write_bytes(b"")


def _into_a_folder(path: Path) -> None:
    aside = path.rename(f"{path}.x")
    path.mkdir()
    aside.rename(path / "x")


_FILES: dict[str, Callable[[Path, Callable[[], None]], None]] = {
    "temporary file left": _beside("*.tmp"),
    "hidden temporary file left": _beside(".*.swp"),
    "lock left": _beside("*.lock"),
    "log left": _beside("client.log"),
    "old version left": _kept_old,
    "folder left": _after(lambda path: (path.parent / ".runforge").mkdir(exist_ok=True)),
    "folder with a file left": _after(_cache),
    "a link instead of a file": _after(_link),
    "input written, too": _after(_both),
    "input linked to the output": _after(_hard),
    "input removed": _after(lambda path: _input(path).unlink(missing_ok=True)),
    "nothing written": lambda path, save: None,
    "written elsewhere": _after(lambda path: path.rename(path.with_name(f"new-{path.name}"))),
    "written into a folder": _after(_into_a_folder),
    "written before it is checked": _before(lambda path: path.write_bytes(b"{}\n")),
    "mode for anybody to write": _after(lambda path: path.chmod(0o666)),
    "mode for programs": _after(lambda path: path.chmod(0o755)),
    "mode that nobody can read": _after(lambda path: path.chmod(0o000)),
    "mode of the input changed": _after(
        lambda path: _input(path).chmod(0o755) if _input(path).exists() else None
    ),
}


def _loaded(does: Callable[[Path], None], cls: Any, path: Any, *types: Any) -> Any:
    document = _load(path, *types)
    does(Path(path))
    return document


_load = documents.Document.load

_READS: dict[str, Callable[[Path], None]] = {
    "input written anew on reading": lambda path: path.write_bytes(
        path.read_bytes().replace(b"\n", b"\r\n")
    ),
    "input removed on reading": lambda path: path.unlink(),
    "input renamed on reading": lambda path: path.rename(f"{path}.done") and None,
    "lock left on reading": lambda path: Path(f"{path}.lock").write_bytes(b"") and None,
    "cache left on reading": lambda path: path.with_name("cache.db").write_bytes(b"x") and None,
    "folder left on reading": lambda path: path.with_name("cache").mkdir(exist_ok=True),
    "copy left on reading": lambda path: shutil.copyfile(path, f"{path}.bak") and None,
    "mode of the input changed on reading": lambda path: path.chmod(0o600),
    "link left on reading": lambda path: path.with_name("latest").symlink_to(path.name),
}
