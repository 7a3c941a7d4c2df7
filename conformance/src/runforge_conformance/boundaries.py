"""Derive boundary cases from a schema: documents beyond one of its rules, or just within them.

Each location of a valid document gives one document per rule that breaks it: a required field
missing, each wrong type, a bound exceeded, a pattern not matched, an unknown field in a closed
object, a name in another case. A client must refuse each of them. What is just allowed needs fewer
documents, because one can hold all the smallest numbers at once; a client must accept these.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from random import Random
from typing import TYPE_CHECKING, Any, NamedTuple

from runforge_contracts.codec.pointers import format_pointer, remove_at, set_at
from runforge_contracts.errors import RunForgeError
from runforge_contracts.schemas import load_schema, resolve_reference, validator

if TYPE_CHECKING:
    from jsonschema_rs import Draft202012Validator

#: Every JSON type, and a value of each that stands where another type is expected.
_KINDS = ("null", "boolean", "number", "string", "array", "object")
#: A character that has one code point, two units of UTF-16 and four bytes of UTF-8.
_WIDE = "\N{GRINNING FACE}"


class _Texts(NamedTuple):
    """Texts at the edge of a pattern, which one document is enough to ask about."""

    document: str
    #: Where the pattern is: a schema, and steps in it.
    place: tuple[str, ...]
    follow: tuple[str, ...]
    others: tuple[str, ...]


_TEXTS = (
    _Texts(
        "request.v1",
        ("common.v1", "$defs", "Timestamp"),
        (
            "2026-02-28T23:59:60Z",
            "0000-01-01T00:00:00.0+00:00",
            "9999-12-31T23:59:59.123456789Z",
        ),
        (
            "2026-02-01T12:00:00.1234567890Z",
            "2026-02-01T12:00:00.Z",
            "12026-02-01T12:00:00Z",
            "026-02-01T12:00:00Z",
            "2026-00-01T12:00:00Z",
            "2026-13-01T12:00:00Z",
            "2026-02-00T12:00:00Z",
            "2026-02-32T12:00:00Z",
            "2026-02-01T24:00:00Z",
            "2026-02-01T12:60:00Z",
            "2026-02-01T12:00:61Z",
            "2026-02-01T12:00:00",
            "2026-02-01T12:00:00+01:00",
            "2026-02-01T12:00:00-00:00",
            "2026-02-01T12:00:00+0000",
            "2026-02-01 12:00:00Z",
            "2026-02-01T12:00Z",
            "2026-02-01",
            "20260201T120000Z",
            "2026-2-1T12:00:00Z",
            "2026-02-01T12:00:00,5Z",
            "\u0662\u0660\u0662\u0666-02-01T12:00:00Z",
        ),
    ),
    _Texts(
        "result.v1",
        ("common.v1", "$defs", "RelativePath"),
        (".../a/.../b", "..a/.b/c..", "a b/\u00fc", "a:b/C:", "~/$HOME/*"),
        (
            *("", ".", "..", "./a", "../a", "a/.", "a/..", "a/./b", "a/../b", "/a", "a/", "a//b"),
            *("a\\b", "C:", "C:/a", "c:a", "a\tb", "a\u0000b", "a/\u001fb"),
        ),
    ),
    _Texts(
        "request.v1",
        ("common.v1", "$defs", "WorkspacePath"),
        ("/a/../b", "C:\\a", ".", "a/"),
        ("", "a\tb", "a\u001fb", "\u0000a"),
    ),
    _Texts(
        "run.v0.4.0",
        ("common.v1", "$defs", "RunId"),
        ("00000000-000000-00000000", "99999999-999999-ffffffff"),
        (
            "2026020-120000-abc12345",
            "202602010-120000-abc12345",
            "20260201-12000-abc12345",
            "20260201-1200000-abc12345",
            "20260201-120000-abc1234",
            "20260201-120000-abc123456",
            "20260201-120000-abc1234g",
            "20260201-120000-ABC12345",
            "20260201_120000_abc12345",
            "20260201-120000-",
        ),
    ),
    _Texts(
        "evaluation.v1",
        ("common.v1", "$defs", "EvaluationId"),
        ("eval_00000000_000000_00000000", "eval_99999999_999999_ffffffff"),
        (
            "eval_2026030_080000_5f0e6a1c",
            "eval_202603010_080000_5f0e6a1c",
            "eval_20260301_08000_5f0e6a1c",
            "eval_20260301_0800000_5f0e6a1c",
            "eval_20260301_080000_5f0e6a1",
            "eval_20260301_080000_5f0e6a1c0",
            "eval_20260301_080000_5f0e6a1g",
            "eval_20260301_080000_5F0E6A1C",
            "eval_20260301-080000-5f0e6a1c",
            "20260301_080000_5f0e6a1c",
            "eval_20260301_080000_",
        ),
    ),
    _Texts(
        "result.v1",
        ("common.v1", "$defs", "AnyRunId"),
        ("a", "0._-", f"Z{'9' * 127}"),
        ("", f"a{'a' * 128}", "-a", ".a", "_a", "a/b", "a b", "a\u00fc", "a:b"),
    ),
    _Texts(
        "result.v1",
        ("common.v1", "$defs", "Sha256"),
        ("0" * 64, "f" * 64),
        ("a" * 63, "a" * 65, "g" * 64, "A" * 64, "sha256:" + "a" * 64, "\u0660" * 64),
    ),
    _Texts(
        "result.v1",
        ("provenance.v1", "$defs", "GitState", "properties", "commit"),
        ("0" * 40, "f" * 64),
        ("a" * 39, "a" * 41, "a" * 63, "a" * 65, "a" * 7, "g" * 40, "A" * 40, "HEAD", "a" * 48),
    ),
    _Texts(
        "request.v1",
        ("request.v1", "properties", "created_by"),
        ("a@1", "runforge-vscode@0.3.6", "!@~"),
        ("a@", "@1", "a", "a@1@2", "a b@1", "a@1 2", "\u00fc@1", "a\t@1"),
    ),
    _Texts(
        "run.v0.4.0",
        ("common.v1", "$defs", "Diagnostic", "properties", "code"),
        ("A", "A_1"),
        ("", "a", "1A", "_A", "A-B", "A B", "\u00c4"),
    ),
    _Texts(
        "tfc.config.v1",
        ("tfc.common.v1", "$defs", "ExperimentRunId"),
        ("run-0000-01-01-000", "run-9999-12-31-999999999", "run-2026-02-28-1000"),
        (
            "run-2026-02-01-01",
            "run-2026-02-01-0001",
            "run-2026-02-01-1234567890",
            "run-2026-00-01-001",
            "run-2026-13-01-001",
            "run-2026-02-00-001",
            "run-2026-02-32-001",
            "run-026-02-01-001",
            "run-02026-02-01-001",
            "RUN-2026-02-01-001",
            "2026-02-01-001",
        ),
    ),
    _Texts(
        "tfc.config.v1",
        ("tfc.common.v1", "$defs", "Instant"),
        (
            "2026-02-28T23:59:60+23:59",
            "0000-01-01T00:00:00.0-0000",
            "9999-12-31T23:59:59.123456789+0530",
        ),
        (
            "2026-02-01T12:00:00.1234567890Z",
            "2026-02-01T12:00:00.Z",
            "12026-02-01T12:00:00Z",
            "026-02-01T12:00:00Z",
            "2026-13-01T12:00:00Z",
            "2026-02-32T12:00:00Z",
            "2026-02-01T24:00:00Z",
            "2026-02-01T12:60:00Z",
            "2026-02-01T12:00:61Z",
            "2026-02-01T12:00:00",
            "2026-02-01T12:00:00+24:00",
            "2026-02-01T12:00:00+01:60",
            "2026-02-01T12:00:00+01",
            "2026-02-01 12:00:00Z",
        ),
    ),
)

_Location = tuple[str | int, ...]


class Boundary(NamedTuple):
    """A valid document with a change that breaks one rule of its schema, or breaks none."""

    #: Keyword of the rule, with details, such as ``maximum`` or ``required-path``.
    rule: str
    #: JSON Pointer of the value that the rule applies to.
    pointer: str
    #: New values by JSON Pointer; the empty pointer is the whole document.
    set: dict[str, Any]
    #: JSON Pointers of the values to remove.
    remove: tuple[str, ...] = ()
    #: Whether the rule holds beside alternatives or under a condition: validators then differ about
    #: the location.
    conditional: bool = False

    def document(self, valid: Any) -> Any:
        """Return a copy of a valid document with the change applied."""
        document = copy.deepcopy(valid)
        for pointer, value in self.set.items():
            if not pointer:
                return value
            set_at(document, pointer, value)
        for pointer in self.remove:
            remove_at(document, pointer)
        return document


class _Part(NamedTuple):
    """A subschema that applies to a value."""

    schema: dict[str, Any]
    #: Name of the schema that contains it.
    name: str
    #: Whether it is an alternative, or holds under a condition.
    conditional: bool
    #: Whether it holds under a condition.
    condition: bool = False


def boundaries(name: str, valid: Any, others: Iterable[Any] = ()) -> Iterator[Boundary]:
    """Yield the documents that break one rule of the schema ``name``.

    Parameters
    ----------
    name
        A document of the contract, such as ``request.v1``.
    valid
        A valid document; only values that it contains are varied.
    others
        More valid documents, from which members are taken that must not be in this one.
    """
    accepts = validator(name).is_valid
    locations = _locations(valid, load_schema(name), name)
    for boundary in _beyond(name, valid, list(others), locations):
        if not accepts(boundary.document(valid)):
            yield boundary


def shuffled_boundaries(name: str, valid: Any, random: Random) -> Iterator[Boundary]:
    """Yield changes that most likely break a rule, in random order; the first ones come quickly."""
    locations = list(_locations(valid, load_schema(name), name))
    random.shuffle(locations)
    for location in locations:
        found = list(_beyond(name, valid, [], [location]))
        random.shuffle(found)
        yield from found


def _beyond(
    name: str, valid: Any, others: list[Any], locations: Iterable[tuple[_Location, list[_Part]]]
) -> Iterator[Boundary]:
    asked: set[str] = set()
    for location, parts in locations:
        pointer, value = format_pointer(location), _at(valid, location)
        for part in parts:
            held = "-if" if part.condition else ""
            if (pattern := part.schema.get("pattern")) and pattern not in asked:
                # What a pattern means is the same wherever it is used.
                asked.add(pattern)
                known = _texts(name).get(pattern)
                for number, text in enumerate(known.others if known else (), start=1):
                    yield Boundary(f"text-{number}", pointer, {pointer: text})
            for rule, wrong in _wrong(part.schema, value):
                yield Boundary(rule + held, pointer, {pointer: wrong}, (), part.conditional)
            if isinstance(value, list) and value and "items" in part.schema:
                wrong = [] if isinstance(value[0], dict) else {}
                for rule, index, items in (
                    ("items-first", 0, [wrong, *value]),
                    ("items-last", len(value), [*value, wrong]),
                ):
                    if rule == "items-last" or len(value) == 1:
                        place = _below(pointer, str(index))
                        yield Boundary(rule, place, {pointer: items}, (), part.conditional)
            if isinstance(value, dict):
                for boundary in _of_members(part.schema, value, pointer):
                    rule = boundary.rule + held
                    yield boundary._replace(rule=rule, conditional=part.conditional)
                for key, child in part.schema.get("properties", {}).items():
                    found = [_member(other, location, key) for other in others]
                    if child is False and key not in value and (members := [*filter(None, found)]):
                        place = _below(pointer, key)
                        yield Boundary(
                            "unwanted-if", place, {place: members[0]}, (), conditional=True
                        )
        if isinstance(value, dict):
            yield from _of_names(parts, value, pointer)


def allowances(name: str, valid: Any) -> Iterator[Boundary]:
    """Yield documents that are just within the rules of the schema ``name``.

    Each is changed at every location at which the change is allowed.
    """
    locations = list(_locations(valid, load_schema(name), name))
    kinds: dict[str, Callable[[_Part, Any], Any]] = {
        "lowest": lambda part, value: part.schema.get("minimum", ...),
        "highest": _highest,
        "integral": _integral,
        "shortest": _shortest,
        "blank": lambda part, value: " " * part.schema.get("minLength", 0) or ...,
        "longest": _longest,
        "null": lambda part, value: None if _takes_null(part.schema) else ...,
    }
    longest = max(
        (len(part.schema.get("enum", ())) for _, parts in locations for part in parts), default=0
    )
    for index in range(longest):
        kinds[f"word-{index + 1}"] = lambda part, value, index=index: (  # type: ignore[misc]
            part.schema["enum"][index] if index < len(part.schema.get("enum", ())) else ...
        )
    for index in range(max(len(texts.follow) for texts in _TEXTS)):
        kinds[f"text-{index + 1}"] = lambda part, value, index=index: _text(part, name, index)  # type: ignore[misc]
    for rule, within in kinds.items():
        wanted = {}
        for location, parts in locations:
            value = _at(valid, location)
            for part in parts:
                new = within(part, value)
                if new is not ... and not _same(new, value):
                    wanted[format_pointer(location)] = new
        yield from _together(name, valid, rule, set=wanted)
        if rule == "null":
            # What is within something that was null has a document of its own.
            within_null = {
                pointer: value
                for pointer, value in wanted.items()
                if any(pointer.startswith(f"{other}/") for other in wanted)
            }
            yield from _together(name, valid, "null-2", set=within_null)
    scalars, containers = _optional(valid, locations)
    yield from _together(name, valid, "without-optional", remove=scalars)
    for depth in sorted({pointer.count("/") for pointer in containers}):
        removed = [pointer for pointer in containers if pointer.count("/") == depth]
        yield from _together(name, valid, f"without-parts-{depth}", remove=removed)
    yield from _together(name, valid, "unknown", set=_unknown(valid, locations))
    yield from _other_names(name, valid, locations)


def _together(
    name: str,
    valid: Any,
    rule: str,
    *,
    set: dict[str, Any] | None = None,  # noqa: A002 - as in Boundary
    remove: Iterable[str] = (),
) -> Iterator[Boundary]:
    """Yield one document with as many of the changes as it stays valid with."""
    accepts = validator(name).is_valid
    done = Boundary(rule, "", {}, ())
    for pointer, value in (set or {}).items():
        more = done._replace(set={**done.set, pointer: value})
        if pointer and _applies(more, valid) and accepts(more.document(valid)):
            done = more
    for pointer in remove:
        more = done._replace(remove=(*done.remove, pointer))
        if _applies(more, valid) and accepts(more.document(valid)):
            done = more
    if done.set or done.remove:
        yield done


def _applies(boundary: Boundary, valid: Any) -> bool:
    """Return whether the places of a change are still there after those before it."""
    try:
        boundary.document(valid)
    except RunForgeError:
        return False
    return True


def _locations(
    value: Any, schema: Any, name: str, location: _Location = (), *, conditional: bool = False
) -> Iterator[tuple[_Location, list[_Part]]]:
    """Yield every location in ``value`` with the subschemas that apply there."""
    found: dict[_Location, list[_Part]] = {}
    waiting = [(location, value, _Part(schema, name, conditional))]
    while waiting:
        here, given, whole = waiting.pop()
        for part in _flatten(whole.schema, whole.name, given, whole.conditional):
            part = part._replace(condition=part.condition or whole.condition)
            found.setdefault(here, []).append(part)
            waiting += _children(here, given, part)
    yield from sorted(found.items(), key=lambda item: format_pointer(item[0]))


def _children(
    location: _Location, value: Any, part: _Part
) -> Iterator[tuple[_Location, Any, _Part]]:
    schema = part.schema
    if isinstance(value, dict):
        for key, child in value.items():
            below = schema.get("properties", {}).get(key, schema.get("additionalProperties"))
            if isinstance(below, dict):
                yield (*location, key), child, part._replace(schema=below)
    elif isinstance(value, list) and isinstance(schema.get("items"), dict):
        for index, child in enumerate(value[:1]):
            yield (*location, index), child, part._replace(schema=schema["items"])


def _flatten(schema: Any, name: str, value: Any, conditional: bool) -> Iterator[_Part]:
    """Yield a subschema, those it refers to, and the alternatives and conditions that apply."""
    if not isinstance(schema, dict):
        return
    if "$ref" in schema:
        yield from _flatten(*resolve_reference(schema["$ref"], name), value, conditional)
    for branch in schema.get("anyOf", ()):
        parts = list(_flatten(branch, name, value, True))
        if any(_kind(value) in _types(part.schema) for part in parts):
            yield from parts
    for branch in schema.get("allOf", ()):
        if "if" not in branch:
            yield from _flatten(branch, name, value, conditional)
        else:
            branch = branch.get("then" if _meets(branch["if"], value) else "else")
            for part in _flatten(branch, name, value, True):
                yield part._replace(condition=True)
    yield _Part(schema, name, conditional)


def _meets(condition: Any, value: Any) -> bool:
    return _validator(json.dumps(condition)).is_valid(value)


def _at(value: Any, location: _Location) -> Any:
    for part in location:
        value = value[part]
    return value


def _member(document: Any, location: _Location, key: str) -> Any:
    """Return a member of the value at a location, or None."""
    try:
        return _at(document, (*location, key))
    except (LookupError, TypeError):
        return None


def _same(one: Any, other: Any) -> bool:
    return type(one) is type(other) and one == other


def _types(schema: dict[str, Any]) -> set[str]:
    """Return the JSON types that a subschema allows by itself; an integer is a number."""
    kinds = set(_KINDS)
    if "type" in schema:
        names = [schema["type"]] if isinstance(schema["type"], str) else schema["type"]
        kinds = {"number" if kind == "integer" else kind for kind in names}
    elif "enum" in schema or "const" in schema:
        kinds = {_kind(value) for value in schema.get("enum", [schema.get("const")])}
    return set() if kinds == set(_KINDS) else kinds


def _takes_null(schema: dict[str, Any]) -> bool:
    """Return whether a subschema allows null by itself, or as an alternative."""
    return any("null" in _types(branch) for branch in (schema, *schema.get("anyOf", ())))


def _kind(value: Any) -> str:
    if value is None or isinstance(value, bool):
        return "null" if value is None else "boolean"
    names = {int: "number", float: "number", str: "string", list: "array", dict: "object"}
    return names[type(value)]


def _of_type(kind: str, instead_of: set[str], value: Any) -> Any:
    """Return a value of a JSON type that is taken most easily for one of another type."""
    if kind == "string":
        if "number" in instead_of:
            return json.dumps(value) if _kind(value) == "number" else "7"
        return "true" if "boolean" in instead_of else "text"
    if kind == "number":
        return 1 if "boolean" in instead_of else 7
    if kind == "array":
        return [] if instead_of & {"object"} else [value]
    return {"null": None, "boolean": True, "object": {}}[kind]


def _wrong(schema: dict[str, Any], value: Any) -> Iterator[tuple[str, Any]]:
    """Yield values that break one rule of ``schema`` and, where possible, no other."""
    allowed = _types(schema)
    if allowed:
        for kind in _KINDS:
            if kind not in allowed:
                yield f"type-{kind}", _of_type(kind, allowed, value)
        if "integer" in str(schema.get("type")) and type(value) is int:
            yield "type-fraction", value + 0.5
    if "anyOf" in schema:
        yield "anyOf", 7
        for kind in ("boolean", "string", "array", "object"):
            yield f"anyOf-{kind}", _of_type(kind, {"object"}, value)
    words = [word for word in schema.get("enum", [schema.get("const")]) if isinstance(word, str)]
    if "const" in schema:
        yield "const", f"not {schema['const']}"
        if _kind(schema["const"]) == "number":
            # A number one higher may be a newer version, which is for other cases to ask.
            yield "const-lower", schema["const"] - 1
            yield "const-higher", schema["const"] + 1
    if "enum" in schema:
        yield "enum", "none of these"
    for word in words[:1]:
        yield "enum-case", word.upper()
        yield "enum-blank", f"{word} "
    whole = "integer" in str(schema.get("type", "integer" if type(value) is int else ""))
    if "minimum" in schema:
        yield "minimum", schema["minimum"] - (1 if whole else 0.25)
    if "maximum" in schema:
        yield "maximum", schema["maximum"] + (1 if whole else 0.25)
    if schema.get("minLength"):
        yield "minLength", ""
    if "maxLength" in schema:
        yield "maxLength", "x" * (schema["maxLength"] + 1)
    if "pattern" in schema and isinstance(value, str):
        yield "pattern", "\x00"
        yield "pattern-newline", f"{value}\n"
        for how, beside in (("before", "{}" + value), ("after", value + "{}")):
            beyond = (beside.replace("{}", more) for more in (" ", "/", "\t", "\n"))
            yield from ((f"pattern-{how}", text) for text in beyond if not _fits(text, schema))
        if "pattern" in schema.get("not", {}):
            yield "pattern-drive", f"C:{value}"
            yield "pattern-up", f"../{value}"
        cased = value if value.swapcase() != value else value[:-1] + "a"
        yield "pattern-case", cased.swapcase()
    if isinstance(value, list) and value:
        if "minItems" in schema:
            yield "minItems", value[: schema["minItems"] - 1]
        if "maxItems" in schema:
            yield "maxItems", (value * (schema["maxItems"] + 1))[: schema["maxItems"] + 1]
    if isinstance(value, dict) and value and "minProperties" in schema:
        yield "minProperties", dict(list(value.items())[: schema["minProperties"] - 1])


def _fits(text: str, schema: dict[str, Any]) -> bool:
    return _validator(json.dumps(schema)).is_valid(text)


@cache
def _validator(schema: str) -> Draft202012Validator:
    from jsonschema_rs import Draft202012Validator

    return Draft202012Validator(json.loads(schema))


@cache
def _texts(name: str) -> dict[str, _Texts]:
    """Return the texts that a document is asked about, by pattern."""
    found = {}
    for texts in _TEXTS:
        schema, *steps = texts.place
        if texts.document == name:
            found[_at(load_schema(schema), tuple(steps))["pattern"]] = texts
    return found


def _of_members(schema: dict[str, Any], value: dict[str, Any], pointer: str) -> Iterator[Boundary]:
    """Yield the cases for the rules about which members an object has."""
    for key in schema.get("required", ()):
        if key in value:
            yield Boundary(f"required-{key}", pointer, {}, (_below(pointer, key),))
    if schema.get("additionalProperties") is False:
        yield Boundary("additionalProperties", pointer, {_below(pointer, "unknown"): 1})
    if "propertyNames" in schema and value:
        first = next(iter(value.values()))
        yield Boundary("propertyNames", pointer, {_below(pointer, "../up"): first})
    for key, others in schema.get("dependentRequired", {}).items():
        if key in value:
            lacking = tuple(_below(pointer, other) for other in others if other in value)
            yield Boundary(f"dependentRequired-{key}", pointer, {}, lacking)


def _of_names(parts: list[_Part], value: dict[str, Any], pointer: str) -> Iterator[Boundary]:
    """Yield the cases in which a required member has a name that is only alike."""
    required = [
        key
        for part in parts
        if not part.conditional
        for key in part.schema.get("required", ())
        if key in value
    ]
    optional = [key for part in parts for key in part.schema.get("properties", ()) if key in value]
    for key in (required or optional)[:1]:
        for how, name in (("case", key.upper()), ("blank", f"{key} ")):
            place = _below(pointer, key)
            renamed = {_below(pointer, name): value[key]}
            yield Boundary(f"name-{how}", place, renamed, (place,), conditional=not required)


def _highest(part: _Part, value: Any) -> Any:
    """Return the upper bound, or the largest integer that every language holds."""
    unbound = 2**53 - 1 if type(value) is int and "integer" in str(part.schema.get("type")) else ...
    return part.schema.get("maximum", unbound)


def _integral(part: _Part, value: Any) -> Any:
    """Return an integer with a point, as some programs write it."""
    whole = type(value) is int and abs(value) < 2**53
    return float(value) if whole and "integer" in str(part.schema.get("type")) else ...


def _text(part: _Part, name: str, index: int) -> Any:
    known = _texts(name).get(part.schema.get("pattern", ""))
    return known.follow[index] if known and index < len(known.follow) else ...


def _shortest(part: _Part, value: Any) -> Any:
    if isinstance(value, str) and "minLength" in part.schema:
        return "x" * part.schema["minLength"]
    if isinstance(value, list) and value:
        return (value * part.schema.get("minItems", 0))[: part.schema.get("minItems", 0)]
    return ...


def _longest(part: _Part, value: Any) -> Any:
    if isinstance(value, str) and "maxLength" in part.schema:
        return _WIDE * part.schema["maxLength"]
    if isinstance(value, list) and value and "maxItems" in part.schema:
        return (value * part.schema["maxItems"])[: part.schema["maxItems"]]
    return ...


def _optional(
    valid: Any, locations: list[tuple[_Location, list[_Part]]]
) -> tuple[list[str], list[str]]:
    """Return the members with a schema, which may be optional: scalars, and those with parts."""
    scalars, parts = dict[str, None](), dict[str, None]()
    for location, applying in locations:
        value = _at(valid, location)
        for part in applying if isinstance(value, dict) else ():
            for key in part.schema.get("properties", {}):
                if key in value:
                    kind = parts if isinstance(value[key], dict | list) else scalars
                    kind[_below(format_pointer(location), key)] = None
    return list(scalars), list(parts)


def _unknown(valid: Any, locations: list[tuple[_Location, list[_Part]]]) -> dict[str, Any]:
    """Return a member without a meaning for every object with named members."""
    return {
        _below(format_pointer(location), "x_unknown"): {"of": ["another", "client"]}
        for location, parts in locations
        if isinstance(_at(valid, location), dict)
        and any("properties" in part.schema for part in parts)
    }


def _other_names(
    name: str, valid: Any, locations: list[tuple[_Location, list[_Part]]]
) -> Iterator[Boundary]:
    """Yield documents in which optional members have names that are only alike: they are unknown.

    Their values would not be allowed under the name itself.
    """
    for how, other in (("case", str.upper), ("blank", lambda key: f"{key} ")):
        for location, parts in locations:
            value = _at(valid, location)
            if not isinstance(value, dict):
                continue
            required = {key for part in parts for key in part.schema.get("required", ())}
            pointer = format_pointer(location)
            for part in parts:
                if required & value.keys() or part.conditional:
                    continue
                names = part.schema.get("properties", {})
                for key in sorted(names, key=lambda key: key in value)[:1]:
                    child = names[key]
                    wrong = [[]] if "array" in str(child) else {"not": "this"}
                    yield from (
                        made._replace(rule=f"name-{how}", pointer=_below(pointer, key))
                        for made in _together(
                            name,
                            valid,
                            f"name-{how}",
                            set={_below(pointer, other(key)): wrong},
                            remove=[_below(pointer, key)] if key in value else [],
                        )
                    )


def _below(pointer: str, key: str) -> str:
    return pointer + format_pointer([key])
