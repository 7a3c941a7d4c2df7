"""Clients that are wrong about one rule of one schema, at one place of a document."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from typing import Any, NamedTuple

import runforge_contracts.documents as reading
from jsonschema_rs import Draft202012Validator
from runforge_conformance._generated.cases_v1 import Case
from runforge_conformance.vectors import all_cases, input_bytes, parse_file, suffix_of
from runforge_contracts.errors import ErrorCode, RunForgeError
from schema_places import (
    Place,
    changed,
    documents,
    expanded,
    named_beside,
    places,
    values_at,
    without,
)
from wrong_client import Mutant, Patch

Valid = Callable[[Any], bool]
#: The JSON types of the values of a keyword's type.
_KINDS = ("null", "boolean", "number", "string", "array", "object")
_NUMBER_TEXT = {"type": "string", "pattern": r"^-?[0-9]+(\.[0-9]+)?$"}


class Given(NamedTuple):
    """A document that a case gives, as far as a validator sees it."""

    case: Case
    raw: Any
    accepted: bool


def schema_mutants() -> Iterator[Mutant]:
    """Yield a wrong client for every rule of every document that a client may read."""
    # What a count in a pattern means is asked once, in a document that everybody knows.
    known = ["request.v1", "result.v1", "run.v0.4.0", "tfc.config.v1"]
    patterns: set[str] = set()
    for name in [*known, *(name for name in documents() if name not in known)]:
        for kind, at, valid in _wrong_validators(name, patterns):
            yield Mutant(
                kind,
                f"{name}/{at}",
                lambda name=name, valid=valid: _patches(name, valid()),
                lambda name=name, valid=valid: _telling(name, valid()),
            )


def _patches(name: str, valid: Valid) -> Iterable[Patch]:
    def validate(raw: Any, schema: str, *, path: str | None = None) -> None:
        if not valid(raw):
            message = f"The document is not a valid {schema}."
            raise RunForgeError(ErrorCode.DOCUMENT_INVALID, message, path=path)

    def identify(raw: Any, *_: Any) -> tuple[str, tuple[str, ...]]:
        return name, ("newer",) if _is_newer(raw, name) else ()

    return [(reading, "validate", validate), (reading, "identify", identify)]


def _is_newer(raw: Any, name: str) -> bool:
    version = raw.get("version") if isinstance(raw, dict) else None
    return (
        name == "result.v1" and type(version) in (int, float) and version > 1 and version % 1 == 0
    )


@cache
def given_documents(name: str) -> list[Given]:
    """Return what the cases give to a reader or an editor of a document."""
    found = []
    for case in all_cases():
        if case.op not in ("read", "roundtrip") or case.document != name or not case.input:
            continue
        if case.expect.outcome == "either":
            continue
        try:
            raw = parse_file(input_bytes(case.input), f"input{suffix_of(name)}")
        except RunForgeError:
            continue  # refused before any schema is asked
        if case.op == "roundtrip" and _is_newer(raw, name):
            continue  # shown, and not saved
        raw = {**raw, "version": 1} if _is_newer(raw, name) else raw
        found.append(Given(case, raw, case.expect.outcome == "accepted"))
    return found


def _telling(name: str, valid: Valid) -> Iterator[Case]:
    for given in given_documents(name):
        if valid(given.raw) is not given.accepted:
            yield given.case


def _wrong_validators(
    name: str, patterns: set[str]
) -> Iterator[tuple[str, str, Callable[[], Valid]]]:
    """Yield kind, name and maker of each wrong validator of a document."""
    schema = expanded(name)
    by_location: dict[tuple[str, ...], list[Place]] = {}
    for place in places(schema):
        by_location.setdefault(place.location, []).append(place)
        at = "/".join(map(str, place.path)) or "root"
        wrongs = list(_wrong_keywords(place))
        if isinstance(place.schema, dict) and "pattern" in place.schema:
            pattern = place.schema["pattern"]
            if pattern not in patterns:
                patterns.add(pattern)
                for how, wrong in _wrong_counts(pattern):
                    yield "count of a pattern", f"{at}:{how}", _with_pattern(schema, pattern, wrong)
        for kind, how, wrong in wrongs:
            yield (
                kind,
                f"{at}:{how}",
                lambda path=place.path, wrong=wrong: compiled(changed(schema, path, wrong)),
            )
    for location, found in by_location.items():
        for kind, how, wrong in _looser(found):
            yield kind, f"{_shown(location)}:{how}", _loosened(schema, found, wrong)
        yield from _about_values(schema, location, found)
        yield from _about_names(schema, location, found)


def compiled(schema: Any) -> Valid:
    """Return whether a document follows a schema, as a function."""
    return Draft202012Validator(schema).is_valid


def _shown(location: tuple[str, ...]) -> str:
    return "/" + "/".join(location)


def _loosened(schema: Any, found: list[Place], other: Any) -> Callable[[], Valid]:
    """Return a maker of validators that take another schema at every place of a location."""

    def make() -> Valid:
        loose = schema
        # The innermost first: none of these contains another, but the outer `allOf` may.
        for place in sorted(found, key=lambda place: -len(place.path)):
            inner = place.schema
            for part in place.path[:0]:
                inner = inner[part]
            if inner is False:
                continue
            loose = changed(loose, place.path, {"anyOf": [_at(loose, place.path), other]})
        return compiled(loose)

    return make


def _at(schema: Any, path: tuple[str | int, ...]) -> Any:
    for part in path:
        schema = schema[part]
    return schema


def kinds_of(schema: Any) -> set[str]:
    """Return the types of the values that a subschema accepts; an integer is a number."""
    if not isinstance(schema, dict):
        return set(_KINDS) if schema else set()
    kinds = set(_KINDS)
    if "type" in schema:
        types = [schema["type"]] if isinstance(schema["type"], str) else schema["type"]
        kinds &= {"number" if kind == "integer" else kind for kind in types}
    if "const" in schema:
        kinds &= {_kind(schema["const"])}
    if "enum" in schema:
        kinds &= {_kind(value) for value in schema["enum"]}
    if "anyOf" in schema:
        kinds &= set().union(*map(kinds_of, schema["anyOf"]))
    for part in schema.get("allOf", ()):
        if "if" not in part:
            kinds &= kinds_of(part)
    return kinds


def _kind(value: Any) -> str:
    if isinstance(value, bool):
        return "boolean"
    if value is None:
        return "null"
    names = {int: "number", float: "number", str: "string", list: "array", dict: "object"}
    return names[type(value)]


def _integral(schema: Any) -> bool:
    """Return whether the only numbers that a subschema accepts are integers."""
    if not isinstance(schema, dict):
        return False
    types = schema.get("type", [])
    types = [types] if isinstance(types, str) else types
    if "integer" in types and "number" not in types:
        return True
    return any(_integral(part) for part in [*schema.get("allOf", ()), *schema.get("anyOf", ())])


def _looser(found: list[Place]) -> Iterator[tuple[str, str, Any]]:
    """Yield what a client takes, though it is of another type."""
    allowed = set(_KINDS)
    integral = False
    for place in found:
        if not place.conditional:
            allowed &= kinds_of(place.schema)
            integral = integral or _integral(place.schema)
    if allowed == set(_KINDS) or not allowed:
        return
    expected = " or ".join(sorted(allowed))
    for kind in _KINDS:
        if kind not in allowed:
            yield f"{kind} as {expected}", f"takes-{kind}", {"type": kind}
    if integral:
        yield "fraction as integer", "takes-fraction", {"type": "number"}
    if "string" not in allowed:
        if "number" in allowed:
            yield f"digits as {expected}", "takes-digits", _NUMBER_TEXT
        if "boolean" in allowed:
            yield f"`true` as {expected}", "takes-true", {"enum": ["true", "false"]}
    if "boolean" in allowed and "number" not in allowed:
        yield f"0 or 1 as {expected}", "takes-bit", {"enum": [0, 1]}
    if "array" in allowed and "object" not in allowed:
        yield f"empty object as {expected}", "takes-nothing", {"type": "object", "maxProperties": 0}
    if "object" in allowed and "array" not in allowed:
        yield f"empty array as {expected}", "takes-nothing", {"type": "array", "maxItems": 0}
    if "array" not in allowed and "object" not in allowed:
        one = {"type": "array", "minItems": 1, "maxItems": 1}
        yield f"array of one as {expected}", "takes-array-of-one", one


def _wrong_keywords(place: Place) -> Iterator[tuple[str, str, Any]]:
    """Yield kind, name and result of each wrong reading of a keyword of a subschema."""
    schema = place.schema
    if schema is False:
        yield "member not refused", "false", True
    if not isinstance(schema, dict):
        return

    def other(keyword: str, value: Any) -> Any:
        return {**schema, keyword: value}

    def dropped(keyword: str) -> Any:
        return without(schema, (keyword,))

    for key in schema.get("required", ()):
        rest = [name for name in schema["required"] if name != key]
        yield "required member not asked for", f"required-{key}", other("required", rest)
    if not place.conditional:
        for key in schema.get("properties", {}):
            if key not in schema.get("required", ()):
                more = [*schema.get("required", ()), key]
                yield "optional member asked for", f"optional-{key}", other("required", more)
    for value in schema.get("enum", ()):
        rest = [item for item in schema["enum"] if item != value]
        yield "value of an enumeration refused", f"enum-{value}", other("enum", rest)
    if "enum" in schema:
        loose = {"type": sorted({_kind(value) for value in schema["enum"]})}
        yield "enumeration not looked at", "enum", {**dropped("enum"), **loose}
    if "const" in schema:
        loose = {"type": _kind(schema["const"])}
        yield "constant not looked at", "const", {**dropped("const"), **loose}
    for keyword, step in (("minimum", -1), ("maximum", 1)):
        if keyword in schema:
            bound = schema[keyword]
            yield "bound not looked at", keyword, dropped(keyword)
            yield "bound off by one", f"{keyword}-beyond", other(keyword, bound + step)
            exclusive = {"minimum": "exclusiveMinimum", "maximum": "exclusiveMaximum"}[keyword]
            yield (
                "bound taken as exclusive",
                f"{keyword}-exclusive",
                {**dropped(keyword), exclusive: bound},
            )
            if schema.get("type") == "number":
                rounded = other(keyword, bound + step * 0.5)
                yield "number rounded before its bound", f"{keyword}-rounded", rounded
    for keyword, step in (("minLength", -1), ("maxLength", 1), ("minItems", -1), ("maxItems", 1)):
        if keyword in schema:
            yield "length not looked at", keyword, dropped(keyword)
            yield "length off by one", f"{keyword}-beyond", other(keyword, schema[keyword] + step)
            yield "length off by one", f"{keyword}-within", other(keyword, schema[keyword] - step)
    refused = schema.get("not", {}).get("pattern") if isinstance(schema.get("not"), dict) else None
    if "pattern" in schema:
        yield "pattern not looked at", "pattern", dropped("pattern")
        for how, pattern in _wrong_patterns(schema["pattern"]):
            # Beside a pattern stands that there is no line end, because `$` stands before the last
            # one in some languages.
            base = schema
            if how == "newline" and refused == r"\n":
                base = dropped("not")
            elif how == "newline" and refused is not None:
                base = other("not", {"pattern": refused.removesuffix(r"|\n")})
            yield "pattern read otherwise", f"pattern-{how}", {**base, "pattern": pattern}
    if refused is not None and refused != r"\n":
        yield "`not` not looked at", "not", dropped("not")
        alternatives = refused.split("|")
        if "(?:" in refused:
            alternatives = [r"^[A-Za-z]:", r"(?:^|/)\.{1,2}(?:/|$)", r"\n"]
            assert "|".join(alternatives) == refused, refused
        for number in range(len(alternatives) - 1):
            fewer = "|".join([*alternatives[:number], *alternatives[number + 1 :]])
            yield "`not` not looked at", f"not-{number}", other("not", {"pattern": fewer})
    for keyword in ("items", "propertyNames", "dependentRequired", "uniqueItems", "contains"):
        if keyword in schema and schema[keyword] not in ({}, True):
            yield f"`{keyword}` not looked at", keyword, dropped(keyword)
    for key in schema.get("dependentRequired", {}):
        rest = {name: value for name, value in schema["dependentRequired"].items() if name != key}
        yield (
            "`dependentRequired` not looked at",
            f"dependent-{key}",
            other("dependentRequired", rest),
        )
    more = schema.get("additionalProperties")
    if more is False:
        yield "unknown member taken", "additional", dropped("additionalProperties")
    elif isinstance(more, dict):
        yield "other members not looked at", "additional", dropped("additionalProperties")
    elif "properties" in schema and not place.conditional:
        yield "unknown member refused", "additional", other("additionalProperties", False)
    for keyword in ("anyOf", "oneOf", "allOf"):
        if keyword not in schema:
            continue
        yield f"`{keyword}` not looked at", keyword, dropped(keyword)
        if len(schema[keyword]) > 1:
            for index in range(len(schema[keyword])):
                fewer = without(schema, (keyword, index))
                yield f"branch of `{keyword}` left out", f"{keyword}-{index}", fewer
        if keyword != "allOf":
            for index, branch in enumerate(schema[keyword]):
                if branch.keys() == {"type"}:
                    continue  # its type is all that it is
                loose = changed(schema, (keyword, index), {"type": list(kinds_of(branch))})
                yield "branch by its type alone", f"{keyword}-{index}-type", loose
    if "if" in schema:
        yield (
            "condition taken as always met",
            "if-always",
            without(schema, ("if",))
            and {
                **dropped("if"),
                "if": True,
            },
        )
        yield "condition turned round", "if-not", {**schema, "if": {"not": schema["if"]}}
        yield "condition not looked at", "if", dropped("if")


def _wrong_patterns(pattern: str) -> Iterator[tuple[str, str]]:
    """Yield other readings of a pattern: without an anchor, with a newline, in any case."""
    body = pattern.removesuffix(r"(?!\n)")
    if body.startswith("^"):
        yield "no-start", body[1:] + pattern[len(body) :]
    if body.endswith("$"):
        yield "no-end", body[:-1]
        yield "newline", body[:-1] + r"\n?$"
        if "[^" not in body:
            yield "blanks", r"^\s*(?:" + body.removeprefix("^")[:-1] + r")\s*$"
    letters = re.sub(r"\\u[0-9a-f]{4}|\\x[0-9a-f]{2}|\\.", "", body)
    if re.search("[A-Za-z]", letters) and not re.search("A-Za-z|A-~", letters):
        yield "any-case", f"(?i){pattern}"


def _with_pattern(schema: Any, pattern: str, wrong: str) -> Callable[[], Valid]:
    """Return a maker of validators that read a pattern otherwise wherever it is used."""

    def make() -> Valid:
        loose = schema
        for place in places(schema):
            if isinstance(place.schema, dict) and place.schema.get("pattern") == pattern:
                loose = changed(loose, (*place.path, "pattern"), wrong)
        return compiled(loose)

    return make


def _wrong_counts(pattern: str) -> Iterator[tuple[str, str]]:
    """Yield what a pattern becomes if one of its counts is off by one, or not looked at."""
    for number, (start, end, text) in enumerate(_pieces(pattern)):
        for how, instead in _other_pieces(text):
            if how == "fewer" and pattern[:start].endswith(r"(?!\."):
                continue  # what is refused there anyway
            yield f"pattern-{number}-{how}", pattern[:start] + instead + pattern[end:]


def _pieces(pattern: str) -> Iterator[tuple[int, int, str]]:
    """Yield where the counts of a pattern are: ``{8}``, ``{1,3}``."""
    for found in re.finditer(r"\{(\d+)(,(\d*))?\}", pattern):
        yield found.start(), found.end(), found[0]


def _other_pieces(text: str) -> Iterator[tuple[str, str]]:
    numbers = [int(item) for item in re.findall(r"\d+", text)]
    yield "any-number", "+"
    if numbers[0]:
        yield "fewer", f"{{{numbers[0] - 1},{numbers[-1]}}}"
    if text.endswith(",}"):
        return
    yield "more", f"{{{numbers[0]},{numbers[-1] + 1}}}"


def _about_values(
    schema: Any, location: tuple[str, ...], found: list[Place]
) -> Iterator[tuple[str, str, Callable[[], Valid]]]:
    """Yield clients that are wrong about values in a way that a schema cannot say."""
    plain = [place for place in found if not place.conditional]
    if any(_integral(place.schema) for place in plain):
        yield (
            "integer with a point refused",
            f"{_shown(location)}:refuses-point",
            _refusing(schema, location, lambda value: isinstance(value, float)),
        )
        free = [p.schema for p in found if isinstance(p.schema, dict) and "maximum" in p.schema]
        bound = min((part["maximum"] for part in free), default=2**63)
        for bits in (31, 32, 53, 63):
            if bound >= 2**bits:
                # A bound of its own is smaller than what the client can hold.
                yield (
                    "integer of more bits refused",
                    f"{_shown(location)}:refuses-{bits}-bits",
                    _refusing(
                        schema,
                        location,
                        lambda value, bits=bits: type(value) is int and abs(value) >= 2**bits,
                    ),
                )
                break
    for place in plain:
        if not isinstance(place.schema, dict):
            continue
        words = place.schema.get("enum", [place.schema.get("const")])
        words = [word for word in words if isinstance(word, str)]
        if words and any(word.upper() != word for word in words):
            cased = {"enum": [*map(str.upper, words), *map(str.title, words)]}
            yield (
                "word in another case taken",
                f"{_shown(location)}:any-case",
                _loosened(schema, found, cased),
            )
        if words:
            blank = {"enum": [*(f"{word} " for word in words), *(f" {word}" for word in words)]}
            yield (
                "word with a blank taken",
                f"{_shown(location)}:blanks",
                _loosened(schema, found, blank),
            )
        if "maxLength" in place.schema or "minLength" in place.schema:
            most = place.schema.get("maxLength", 2**31)
            least = place.schema.get("minLength", 0)
            measures: dict[str, Callable[[str], int]] = {
                "bytes": lambda text: len(text.encode("utf-8", "surrogatepass")),
                "utf-16": lambda text: len(text.encode("utf-16-le", "surrogatepass")) // 2,
                "trimmed": lambda text: len(text.strip()),
            }
            for unit, measure in measures.items():
                if unit == "trimmed" and least == 0:
                    continue
                if unit != "trimmed" and "maxLength" not in place.schema:
                    continue

                def wrong(
                    value: Any, measure: Any = measure, least: int = least, most: int = most
                ) -> bool:
                    return isinstance(value, str) and not least <= measure(value) <= most

                yield (
                    f"length in other units ({unit})",
                    f"{_shown(location)}:length-{unit}",
                    _refusing(schema, location, wrong),
                )
        if place.schema.get("items", True) not in ({}, True):
            for how, cut in (("first", slice(0, 1)), ("last", slice(-1, None))):
                yield (
                    "one item alone looked at",
                    f"{_shown(location)}:{how}-item",
                    _of_some_items(schema, place, cut),
                )


def _refusing(
    schema: Any, location: tuple[str, ...], wrong: Callable[[Any], bool]
) -> Callable[[], Valid]:
    """Return a maker of validators that also refuse some values at a location."""

    def make() -> Valid:
        valid = compiled(schema)
        named = named_beside(schema, location)
        return lambda raw: valid(raw) and not any(map(wrong, values_at(raw, location, named)))

    return make


def _of_some_items(schema: Any, place: Place, cut: slice) -> Callable[[], Valid]:
    """Return a maker of validators that look at some items of an array only."""

    def make() -> Valid:
        loose = compiled(changed(schema, (*place.path, "items"), True))
        item = compiled(place.schema["items"])
        named = named_beside(schema, place.location)

        def valid(raw: Any) -> bool:
            arrays = values_at(raw, place.location, named)
            return loose(raw) and all(
                item(value) for array in arrays if isinstance(array, list) for value in array[cut]
            )

        return valid

    return make


def _about_names(
    schema: Any, location: tuple[str, ...], found: list[Place]
) -> Iterator[tuple[str, str, Callable[[], Valid]]]:
    """Yield clients that take a member for another because their names are alike."""
    names = dict.fromkeys(
        key
        for place in found
        if not place.conditional and isinstance(place.schema, dict)
        for key in place.schema.get("properties", ())
    )
    for how, alike in (
        ("case", lambda one, other: one.lower() == other.lower()),
        ("blanks", lambda one, other: one.strip() == other),
    ):
        if names:
            yield (
                f"names matched without regard to {how}",
                f"{_shown(location)}:name-{how}",
                lambda alike=alike: _renaming(schema, location, names, alike),
            )


def _renaming(
    schema: Any, location: tuple[str, ...], names: Iterable[str], alike: Callable[[str, str], bool]
) -> Valid:
    valid = compiled(schema)
    named = named_beside(schema, location)

    def renamed(raw: Any) -> bool:
        copied = json.loads(json.dumps(raw))
        for value in values_at(copied, location, named):
            for key in names if isinstance(value, dict) else ():
                like = [name for name in value if name != key and alike(name, key)]
                if like and key not in value:
                    value[key] = value.pop(like[0])
        return valid(copied)

    return renamed
