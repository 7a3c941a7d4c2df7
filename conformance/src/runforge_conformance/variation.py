"""Vary the input of a case from a seed, so that no client can answer from the published vectors.

A case asks about one thing; the rest of its document is free. The free parts are replaced, alike in
the input, in the parameters and in the expectation: the order of keys, the names of unknown fields,
strings, digests, ids, fractions, and the white space between them. A twin asks about another
document under the id of the case: a broken one where the case is to be accepted, and a valid one
where it is to be refused.

Cases with byte-exact inputs are never changed. What breaks a document, and which cases have a twin,
follow from the id of the case alone, so that a client with one bug fails the same cases for every
seed; all else follows from the seed.
"""

from __future__ import annotations

import json
import random
import re
from collections.abc import Iterable, Iterator
from functools import cache
from string import ascii_lowercase
from typing import Any

import msgspec
from runforge_contracts.codec.pointers import format_pointer, parse_pointer
from runforge_contracts.codec.strict_yaml import encode_yaml
from runforge_contracts.documents import identify
from runforge_contracts.errors import RunForgeError
from runforge_contracts.invariants.checked_folder import schema_rule
from runforge_contracts.schemas import load_schema, resolve_reference
from runforge_contracts.validation import validate

from runforge_conformance._generated.cases_v1 import Case, Expect, Input
from runforge_conformance._generated.protocol_v1 import Params
from runforge_conformance.boundaries import shuffled_boundaries
from runforge_conformance.vectors import (
    ROLE_OF,
    all_cases,
    changed,
    input_bytes,
    input_document,
    renamed,
    requirements,
    suffix_of,
    vectors_folder,
)

#: One in so many cases that are to be refused has a twin. Of those to be accepted, all have one.
TWINS = 8
#: As `TWINS`, of the thousands of cases that are derived from schemas.
DERIVED_TWINS = 16
#: Members of a request that an executor only records; the others decide what is trained.
_RECORDED = ("/name", "/notes", "/tags", "/created_by")

#: A subschema with the name of its schema.
_Part = tuple[dict[str, Any], str]
#: Keywords that say which strings or numbers a member may hold.
_RESTRICTING = ("const", "enum", "pattern", "format", "not", "multipleOf")
#: Strings without a meaning of their own: what a letter is does not matter.
_ORDINARY = re.compile(r"[A-Za-z][A-Za-z0-9 _./@-]*[A-Za-z0-9]")
_FRACTION = re.compile(r"-?[0-9]+[.][0-9]+")
_DIGEST = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_RUN_ID = re.compile(r"([0-9]{8}-[0-9]{6}-)[0-9a-f]{8}")
#: Words that mean something in YAML 1.1 or 1.2, in JavaScript, or to a careless reader of JSON.
_SPECIAL = frozenset(
    {
        *("true", "false", "yes", "no", "on", "off", "null", "none", "nil", "nan", "inf"),
        *("infinity", "undefined", "constructor", "prototype", "tostring", "tojson", "valueof"),
    }
)


def varied(case: Case, seed: int) -> Case:
    """Return the case with other values in the free parts of its input, as the seed says.

    Of cases that are to be refused there are thousands; each is varied in one of several runs.
    """
    refused = case.op == "read" and case.expect.outcome == "rejected"
    if refused and _generator(seed, f"{case.id} varied").randrange(_twins(case)):
        return case
    rng = _generator(seed, case.id)
    if ROLE_OF[case.op] == "store" and case.workspace:
        return _with_other_ids(case, rng)
    return _Variation(case, rng).case()


def _with_other_ids(case: Case, rng: random.Random) -> Case:
    """Return a case of a store with other ids of its runs, in the same order."""
    found: set[str] = set()
    folder = vectors_folder()
    assert case.workspace  # noqa: S101 - the caller has checked it
    root = folder / case.workspace
    for path in (*root.rglob("*"), *(case.files or {})):
        found.update(run_id[0] for run_id in _RUN_ID.finditer(str(path)))
    files = (path for path in root.rglob("*.json") if path.is_file())
    for path in (*files, *(folder / file for file in (case.files or {}).values())):
        text = path.read_bytes().decode("utf-8", "replace")
        found.update(run_id[0] for run_id in _RUN_ID.finditer(text))
    # The ids of one second are in the order of their last part.
    suffixes = sorted({run_id[-8:] for run_id in found})
    new = sorted(rng.sample(range(2**32), len(suffixes)))
    suffix = {old: f"{number:08x}" for old, number in zip(suffixes, new, strict=True)}
    ids = {run_id: run_id[:-8] + suffix[run_id[-8:]] for run_id in sorted(found)}
    view = _renamed(case.expect.view, ids)
    return msgspec.structs.replace(
        case, ids=ids, expect=msgspec.structs.replace(case.expect, view=view)
    )


def _renamed(value: Any, ids: dict[str, str]) -> Any:
    if isinstance(value, dict):
        return {key: _renamed(item, ids) for key, item in value.items()}
    if isinstance(value, list):
        return [_renamed(item, ids) for item in value]
    if isinstance(value, str):
        return renamed(value.encode(), ids).decode()
    return value


def twin(case: Case, seed: int) -> Case | None:
    """Return a case with the same id and the opposite expectation; None if the case has no twin."""
    made = _twin_of(case)
    if made is None:
        return None
    twin_case, fault = made
    return _Variation(twin_case, _generator(seed, f"{case.id} again"), fault).case()


def twin_fault(case: Case) -> tuple[str, ...]:
    """Return the pointers at which the twin of a case is invalid; none if it is valid."""
    made = _twin_of(case)
    return made[1] if made else ()


def twin_first(case: Case, seed: int) -> bool:
    """Return whether the twin is asked before the case."""
    return _generator(seed, f"{case.id} order").random() < 0.5


def _twins(case: Case) -> int:
    """Return which share of the cases that are to be refused has a twin."""
    return DERIVED_TWINS if "/boundaries/" in case.id else TWINS


def _generator(seed: int | str, purpose: str) -> random.Random:
    return random.Random(f"{seed} {purpose}")  # noqa: S311 - repeatable, not secret


def _twin_of(case: Case) -> tuple[Case, tuple[str, ...]] | None:
    """Return the unvaried twin of a case, and the pointers that make it invalid."""
    always = _generator("", case.id)
    if case.op not in ("read", "roundtrip", "edit", "write") or not case.document:
        return None
    if case.expect.outcome == "accepted":
        return _broken(case, always)
    is_asked = case.op != "read" or case.id in _firsts() or not always.randrange(_twins(case))
    if case.expect.outcome == "rejected" and is_asked:
        plain = _plain(case.op, case.document)
        if plain is not None:
            return msgspec.structs.replace(plain, id=case.id, flags=case.flags), ()
    return None


@cache
def _firsts() -> frozenset[str]:
    """Return the first case of each document that a reader must refuse."""
    found: dict[str, str] = {}
    for case in all_cases():
        if case.op == "read" and case.document and case.expect.outcome == "rejected":
            found.setdefault(case.document, case.id)
    return frozenset(found.values())


@cache
def _plain(op: str, document: str) -> Case | None:
    """Return the simplest case of an operation that must succeed."""
    known = requirements()
    found: list[tuple[int, int, Case]] = []
    for case in all_cases():
        is_plain = case.op == op and case.document == document and not _is_raw(case)
        sound = case.expect.outcome == "accepted" and known[case.requirement].level == "core"
        if is_plain and sound and not case.expect.warns:
            size = len(input_bytes(case.input)) if case.input else 0
            found.append((size, len(found), case))
    if found:
        return min(found)[2]
    # No case edits such a document: it is to be saved as it is.
    return _plain("roundtrip", document) if op == "edit" else None


def _broken(case: Case, always: random.Random) -> tuple[Case, tuple[str, ...]] | None:
    """Return a case with a document that its schema forbids, and the pointers of the fault."""
    assert case.document  # noqa: S101 - the caller has checked it
    if case.params and case.params.not_computable:
        return None
    valid: Any = case.params.fields if case.op == "write" and case.params else _parsed(case)
    if not isinstance(valid, dict):
        return None
    for fault in shuffled_boundaries(case.document, valid, always):
        broken = fault.document(valid)
        if not isinstance(broken, dict) or _is_valid(broken, case.document):
            continue
        expect = Expect(outcome="rejected")
        where = (*fault.set, *fault.remove, fault.pointer)
        requirement = schema_rule(case.document) if case.op == "read" else "editor.refuse-input"
        if case.op == "write":
            assert case.params  # noqa: S101 - there were fields
            params = msgspec.structs.replace(case.params, fields=broken)
            changes: dict[str, Any] = {"params": params, "requirement": "writer.refuse-invalid"}
        else:
            changes = {"input": Input(json=broken), "requirement": requirement}
        return msgspec.structs.replace(case, expect=expect, **changes), where
    return None


def _is_valid(raw: Any, document: str) -> bool:
    try:
        name, _ = identify(raw, (document,))
        validate({**raw, "version": 1} if name == "result.v1" else raw, name)
    except RunForgeError:
        return False
    return True


def _is_raw(case: Case) -> bool:
    return bool(case.input and case.input.file and case.input.file.startswith("raw/"))


def _parsed(case: Case) -> Any:
    """Return the input of a case, or None if it is no document."""
    try:
        return input_document(case.input, case.document or None) if case.input else None
    except RunForgeError:
        return None


def _tokens(pointer: str) -> list[str]:
    """Return the parts of a pointer, which may be one that a client must refuse."""
    try:
        return parse_pointer(pointer)
    except RunForgeError:
        return []


class _Variation:
    """Other values for one case.

    Everything is looked at first: a value that also stands where it may not change keeps its form
    everywhere, and what is equal stays equal.
    """

    def __init__(self, case: Case, rng: random.Random, fault: tuple[str, ...] = ()) -> None:
        self._case, self._rng = case, rng
        self._document = case.document or ("request.v1" if case.op == "execute" else "")
        self._params = case.params or Params()
        given = case.input or Input()
        #: Whether the document has a fault that must stay.
        self._fails = case.expect.outcome != "accepted"
        changes = (*(given.set or {}), *(given.remove or ())) if self._fails else ()
        #: Where the document is what the case asks about.
        self._fixed = {*fault, *changes}
        self._kept: set[Any] = set()
        self._free: dict[Any, None] = {}
        self._keys: dict[str, None] = {}
        self._new: dict[Any, Any] = {}
        self._new_keys: dict[str, str] = {}

    def case(self) -> Case:
        """Return the case with all values replaced."""
        case, writes = self._case, self._case.op == "write"
        if not self._document or _is_raw(case) or not (writes or case.input):
            return case
        raw = self._params.fields if writes else _parsed(case)
        if not isinstance(raw, dict):
            return case
        self._root = _root(self._document)
        self._look(raw)
        self._draw()
        made, values = self._made(raw)
        if case.op in ("read", "roundtrip", "edit", "execute") and not self._fails:
            self._add_unknown(made)
        changes: dict[str, Any] = {}
        if writes:
            changes["params"] = msgspec.structs.replace(self._params, fields=made)
        else:
            changes["input"] = Input(text=self._written(made))
            if values:
                changes["params"] = msgspec.structs.replace(self._params, set=values)
        return msgspec.structs.replace(case, expect=self._expected(case.expect), **changes)

    def _look(self, raw: Any) -> None:
        """Find what may change, and what may not."""
        self._survey(raw, self._root, "")
        values, removed = self._params.set or {}, self._params.remove or ()
        for pointer, value in values.items():
            if self._fails:
                self._keep(value)
            else:  # a value is looked at where it will stand
                self._survey(value, self._at(pointer), pointer)
        places = self._case.expect.places or ()
        for pointer in (*values, *removed, *self._fixed, *places):
            self._kept.update(_tokens(pointer))

    def _at(self, pointer: str) -> _Place | None:
        """Return what the schema says of the value at a pointer; None below an unknown field."""
        place: _Place | None = self._root
        for token in _tokens(pointer):
            place = place and place.below(token)
        return place

    def _survey(self, value: Any, place: _Place | None, pointer: str) -> None:
        recorded = self._case.op != "execute" or pointer.startswith(_RECORDED)
        # Where nothing depends on the location, it is not followed.
        follows = bool(self._fixed) or self._case.op == "execute"
        if (pointer and pointer in self._fixed) or self._case.expect.outcome == "either":
            self._keep(value)
        elif isinstance(value, dict):
            for key, item in value.items():
                below = place and place.below(key)
                if below is None and not self._fails and _is_ordinary(key):
                    self._keys.setdefault(key)
                else:
                    self._kept.add(key)
                self._survey(item, below, pointer + format_pointer([key]) if follows else "")
        elif isinstance(value, list):
            below = place and place.items()
            for index, item in enumerate(value):
                self._survey(item, below, f"{pointer}/{index}" if follows else "")
        elif recorded and _may_change(value, place):
            self._free.setdefault(value)
        else:
            self._keep(value)

    def _keep(self, value: Any) -> None:
        """Leave all keys and values in ``value`` as they are."""
        if isinstance(value, dict):
            self._kept.update(value)
        if isinstance(value, dict | list):
            for item in value.values() if isinstance(value, dict) else value:
                self._keep(item)
        elif type(value) in (str, float):
            self._kept.add(value)

    def _draw(self) -> None:
        """Choose a new value for each that may change, so that different ones stay different."""
        known, letters = _names(self._document), list(ascii_lowercase)
        values = [value for value in self._free if value not in self._kept]
        keys = [key for key in self._keys if key not in self._kept and _folded(key) not in known]
        for _ in range(20):
            self._rng.shuffle(letters)
            shuffled = "".join(letters)
            cipher = str.maketrans(
                ascii_lowercase + ascii_lowercase.upper(), shuffled + shuffled.upper()
            )
            new = {value: self._other(value, cipher) for value in values}
            new_keys = {key: key.translate(cipher) for key in keys}
            made = {*new.values(), *new_keys.values()}
            special = any(isinstance(text, str) and _folded(text) in _SPECIAL for text in made)
            clash = len({*new.values()}) < len(new) or self._kept & made
            if not clash and not special and not known & {*map(_folded, new_keys.values())}:
                self._new, self._new_keys = new, new_keys
                return

    def _other(self, value: Any, cipher: dict[int, int]) -> Any:
        if isinstance(value, float):
            # As many digits, between the same two integers: what a bound allows, it still allows.
            whole, _, digits = repr(value).partition(".")
            others = "".join(self._rng.choice("0123456789") for _ in digits[1:])
            return float(f"{whole}.{others}{self._rng.choice('123456789')}")
        if _DIGEST.fullmatch(value):
            return f"{self._rng.getrandbits(4 * len(value)):0{len(value)}x}"
        if found := _RUN_ID.fullmatch(value):
            return f"{found[1]}{self._rng.getrandbits(32):08x}"
        return value.translate(cipher)

    def _made(self, raw: Any) -> tuple[Any, dict[str, Any]]:
        """Return the new document and the new values that are set, as valid as the old ones."""
        made, values = self._rebuilt_all(raw)
        if self._new and self._broke(made, values):
            self._new, self._new_keys = {}, {}
            made, values = self._rebuilt_all(raw)
        return made, values

    def _rebuilt_all(self, raw: Any) -> tuple[Any, dict[str, Any]]:
        values = {
            pointer: self._rebuilt(value, self._at(pointer))
            for pointer, value in (self._params.set or {}).items()
        }
        return self._rebuilt(raw, self._root), values

    def _broke(self, made: Any, values: dict[str, Any]) -> bool:
        """Return whether the new values decide what the case asks."""
        if self._fails:
            changes = values or self._params.remove or self._case.op == "execute"
            return not changes and _is_valid(made, self._document)
        if not _is_valid(made, self._document):
            return True
        return bool(values) and not _is_valid(changed(made, values, []), self._document)

    def _rebuilt(self, value: Any, place: _Place | None) -> Any:
        if isinstance(value, list):
            below = place and place.items()
            return [self._rebuilt(item, below) for item in value]
        if not isinstance(value, dict):
            return self._replaced(value)
        items = []
        for key, item in value.items():
            below = place and place.below(key)
            name = self._new_keys.get(key, key) if below is None else key
            items.append((name, self._rebuilt(item, below)))
        if not self._case.expect.key_order or self._case.op == "write":
            self._rng.shuffle(items)
        return dict(items)

    def _replaced(self, value: Any) -> Any:
        return self._new.get(value, value) if type(value) in (str, float) else value

    def _add_unknown(self, made: Any) -> None:
        """Add a field that nobody knows to an object that may have one."""
        objects: list[tuple[Any, _Place | None]] = [(made, self._root)]
        if self._case.op != "execute":
            objects += [(item, self._root.below(key)) for key, item in made.items()]
        open_ones = [
            item for item, place in objects if isinstance(item, dict) and place and place.is_open
        ]
        name = "".join(self._rng.choice(ascii_lowercase) for _ in range(9))
        value: Any = self._rng.choice([None, True, name[::-1], 7, [name], {name: []}])
        if open_ones:
            self._rng.choice(open_ones).setdefault(name, value)

    def _written(self, made: Any) -> str:
        """Return the document as text, in any form that a reader must read."""
        yaml = suffix_of(self._case.document or None) == ".yaml"
        if yaml and self._rng.random() < 0.5:
            return encode_yaml(made).decode("utf-8")
        indent, escaped = self._rng.choice([None, 1, 2, 4]), self._rng.random() < 0.5
        # In YAML two escaped halves of a character are not that character.
        text = json.dumps(made, ensure_ascii=escaped and not yaml)
        if indent is not None:
            text = msgspec.json.format(text, indent=indent)
        return text + self._rng.choice(["", "\n"])

    def _expected(self, expect: Expect) -> Expect:
        named = {"view": expect.view, "documents": expect.documents}
        return msgspec.structs.replace(
            expect, **{name: self._alike(value) for name, value in named.items() if value}
        )

    def _alike(self, value: Any) -> Any:
        if isinstance(value, dict):
            return {key: self._alike(item) for key, item in value.items()}
        if isinstance(value, list):
            return [self._alike(item) for item in value]
        return self._replaced(value)


class _Place:
    """What a schema says of one location: every subschema there, whether or not it applies."""

    def __init__(self, schemas: Iterable[_Part]) -> None:
        self._parts = [part for schema, name in schemas for part in _flat(schema, name)]
        self._below: dict[str, _Place | None] = {}
        self._items: _Place | None = None
        self.is_restricted = self._has(*_RESTRICTING)
        self.is_listed = self._has("const", "enum")
        #: Whether an object may have fields that its schema does not name.
        self.is_open = self._has("properties") and not any(
            "propertyNames" in part
            or isinstance(part.get("additionalProperties"), dict)
            or part.get("additionalProperties") is False
            for part, _ in self._parts
        )

    def _has(self, *keywords: str) -> bool:
        return any(keyword in part for part, _ in self._parts for keyword in keywords)

    def below(self, key: str) -> _Place | None:
        """Return the location of a member; None for a field that no schema knows."""
        if key not in self._below:
            self._below[key] = self._made(key)
        return self._below[key]

    def _made(self, key: str) -> _Place | None:
        found: list[_Part] = []
        # An object whose members no schema names is a map: its keys are data.
        known = not self._has("properties") or self._has("propertyNames")
        for part, name in self._parts:
            members = part.get("properties", {})
            known = known or key in members
            # A part of a pointer may be an index.
            for below in (members.get(key), part.get("additionalProperties"), part.get("items")):
                if isinstance(below, dict):
                    known = True
                    found.append((below, name))
        return _Place(found) if known else None

    def items(self) -> _Place:
        """Return the location of the items of a list."""
        if self._items is None:
            parts = [(part["items"], name) for part, name in self._parts if "items" in part]
            self._items = _Place(parts)
        return self._items


@cache
def _root(document: str) -> _Place:
    return _Place([(load_schema(document), document)])


def _flat(schema: Any, name: str) -> Iterator[_Part]:
    """Yield a subschema and all that it refers to."""
    if not isinstance(schema, dict):
        return
    if "$ref" in schema:
        yield from _flat(*resolve_reference(schema["$ref"], name))
    for keyword in ("allOf", "anyOf", "oneOf"):
        for branch in schema.get(keyword, ()):
            yield from _flat(branch, name)
    for keyword in ("if", "then", "else"):
        yield from _flat(schema.get(keyword), name)
    yield schema, name


def _may_change(value: Any, place: _Place | None) -> bool:
    if type(value) is float:
        is_plain = not value.is_integer() and _FRACTION.fullmatch(repr(value))
        return bool(is_plain) and not (place and place.is_restricted)
    if type(value) is not str:
        return False
    if _DIGEST.fullmatch(value) or _RUN_ID.fullmatch(value):
        return not (place and place.is_listed)
    return _is_ordinary(value) and not (place and place.is_restricted)


def _is_ordinary(text: str) -> bool:
    return bool(_ORDINARY.fullmatch(text)) and _folded(text) not in _SPECIAL


def _folded(text: str) -> str:
    return text.strip().casefold()


@cache
def _names(document: str) -> frozenset[str]:
    """Return the names of all members that a schema knows, in lower case."""
    names: set[str] = set()

    def collect(schema: Any, name: str, seen: frozenset[str]) -> None:
        if isinstance(schema, list):
            for item in schema:
                collect(item, name, seen)
        elif isinstance(schema, dict):
            names.update(_folded(key) for key in schema.get("properties", ()))
            reference = schema.get("$ref")
            if isinstance(reference, str) and f"{name} {reference}" not in seen:
                target = resolve_reference(reference, name)
                collect(*target, seen | {f"{name} {reference}"})
            for value in schema.values():
                collect(value, name, seen)

    if document:
        collect(load_schema(document), document, frozenset())
    return frozenset(names)
