"""Clients that read the text of YAML otherwise, or write what other readers read otherwise."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from typing import Any

import yaml
from runforge_conformance._generated.cases_v1 import Case
from runforge_conformance.vectors import all_cases, input_bytes, suffix_of
from runforge_contracts.codec import strict_yaml
from runforge_contracts.codec.strict_yaml import MAX_YAML_BYTES, parse_yaml
from runforge_contracts.codec.yaml_events import Reader, resolve
from runforge_contracts.errors import ErrorCode, RunForgeError
from wrong_client import Mutant

Parse = Callable[[bytes], Any]


def yaml_mutants() -> Iterator[Mutant]:
    """Yield clients with another parser of YAML."""
    for kind, name, parse in _parsers():
        yield Mutant(
            kind,
            f"yaml/{name}",
            lambda parse=parse: [
                (strict_yaml, "load_yaml", lambda path, parse=parse: parse(path.read_bytes()))
            ],
            lambda parse=parse: _telling(parse),
        )


def _parsers() -> Iterator[tuple[str, str, Parse]]:
    for name, scalar in _SCALARS.items():
        yield "value of YAML read otherwise", name, _with_reader(_scalar_reader(scalar))
    for name, reader in _READERS.items():
        yield "structure of YAML taken", name, _with_reader(reader)
    for name, change in _TEXTS.items():
        yield "text of YAML changed first", name, _with_text(change)
    for name, refuses in _REFUSED.items():
        yield "text of YAML refused", name, _refusing(refuses)


def _with_reader(reader: type[Reader]) -> Parse:
    def parse(data: bytes) -> Any:
        if len(data) > MAX_YAML_BYTES:
            raise RunForgeError(ErrorCode.YAML_TOO_LARGE, "It is too large.")
        try:
            text = data.removeprefix(b"\xef\xbb\xbf").decode("utf-8")
            if re.search("^%TAG", text, re.M) and not getattr(reader, "directives", False):
                raise RunForgeError(ErrorCode.YAML_TAG_REFUSED, "There is a directive.")
            return reader(yaml.parse(text, Loader=yaml.CBaseLoader)).document()
        except (yaml.YAMLError, UnicodeError, StopIteration, RecursionError) as error:
            raise RunForgeError(ErrorCode.YAML_INVALID, f"{error}") from None

    return parse


def _scalar_reader(scalar: Callable[[Any], Any]) -> type[Reader]:
    """Return a reader with other values of scalars; ``...`` keeps the value of the right one."""

    class Other(Reader):
        def value(self, event: Any, depth: int) -> Any:
            if isinstance(event, yaml.ScalarEvent) and event.tag is None:
                found = scalar(event)
                if found is not ...:
                    if event.anchor is not None:
                        self.anchors[event.anchor] = found
                    return found
            return super().value(event, depth)

    return Other


def _plain(pattern: str, value: Callable[[str], Any]) -> Callable[[Any], Any]:
    """Return what reads plain scalars of one form otherwise."""
    compiled = re.compile(pattern)

    def scalar(event: Any) -> Any:
        plain = event.implicit[0]
        return value(event.value) if plain and compiled.fullmatch(event.value) else ...

    return scalar


def _quoted(pattern: str, value: Callable[[str], Any]) -> Callable[[Any], Any]:
    compiled = re.compile(pattern)

    def scalar(event: Any) -> Any:
        quoted = not event.implicit[0]
        return value(event.value) if quoted and compiled.fullmatch(event.value) else ...

    return scalar


def _resolved(event: Any) -> Any:
    return resolve(type(event)(None, None, (True, False), event.value))


def _sexagesimal(text: str) -> float:
    value = 0.0
    for part in text.split(":"):
        value = value * 60 + float(part)
    return value


_SCALARS: dict[str, Callable[[Any], Any]] = {
    "yes and no are truth values": _plain("yes|Yes|YES|no|No|NO", lambda t: t.lower() == "yes"),
    "on and off are truth values": _plain("on|On|ON|off|Off|OFF", lambda t: t.lower() == "on"),
    "y and n are truth values": _plain("y|Y|n|N", lambda text: text.lower() == "y"),
    "truth values in any case": _plain("(?i)true|false", lambda text: text.lower() == "true"),
    "truth values in small letters alone": _plain("True|TRUE|False|FALSE", str),
    "null in any case": _plain("(?i)null", lambda text: None),
    "null in small letters alone": _plain("Null|NULL", str),
    "none is nothing": _plain("none|None|NONE|nil", lambda text: None),
    "undefined is nothing": _plain("undefined", lambda text: None),
    "a tilde is a string": _plain("~", str),
    "null is a string": _plain("null", str),
    "an empty value is a string": _plain("", str),
    "zero in front is octal": _plain("[-+]?0[0-7]+", lambda text: int(text, 8)),
    "zero in front is a string": _plain("[-+]?0[0-9]+", str),
    "octal numbers are texts": _plain("0o[0-7]+", str),
    "hexadecimal numbers are texts": _plain("0x[0-9a-fA-F]+", str),
    "hexadecimal numbers with a sign": _plain("[-+]0x[0-9a-fA-F]+", lambda text: int(text, 16)),
    "capital X": _plain("0X[0-9a-fA-F]+", lambda text: int(text, 16)),
    "capital O": _plain("0O[0-7]+", lambda text: int(text[2:], 8)),
    "octal numbers with a sign": _plain("[-+]0o[0-7]+", lambda text: int(text[3:], 8)),
    "binary numbers": _plain("0b[01]+", lambda text: int(text, 2)),
    "underscores in numbers": _plain("[0-9]+(_+[0-9]+)+", lambda text: int(text.replace("_", ""))),
    "commas in numbers": _plain("[0-9]+,[0-9]+", lambda text: float(text.replace(",", "."))),
    "numbers to the base sixty": _plain(r"[0-9]+(:[0-5]?[0-9])+(\.[0-9]*)?", _sexagesimal),
    "numbers with a plus are texts": _plain(r"\+[0-9.]+", str),
    "numbers that start with a point are texts": _plain(r"[-+]?\.[0-9]+", str),
    "numbers that end with a point are texts": _plain(r"[-+]?[0-9]+\.", str),
    "exponents without a point are texts": _plain("[0-9]+[eE][-+]?[0-9]+", str),
    "exponents without a sign are texts": _plain(r"[0-9.]+[eE][0-9]+", str),
    "exponents in capitals are texts": _plain("[0-9.]+E[-+]?[0-9]+", str),
    "exponents without digits": _plain("[0-9]+[eE]", lambda text: int(text[:-1])),
    "letter for single precision": _plain(r"[0-9.]+f", lambda text: float(text[:-1])),
    "dates": _plain(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", lambda text: f"{text}T00:00:00Z"),
    "times": _plain(
        r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]+Z", lambda text: text.replace("Z", "+00:00")
    ),
    "times with a blank": _plain(
        r"[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9:]+", lambda text: text.replace(" ", "T")
    ),
    "dates without zeros": _plain(r"[0-9]{4}-[0-9]-[0-9]", lambda text: "2026-02-01"),
    "infinity as a string": _plain(r"[-+]?\.(inf|Inf|INF)", str),
    "infinity as the largest number": _plain(
        r"[-+]?\.(inf|Inf|INF)", lambda text: 1.7976931348623157e308
    ),
    "infinity with a plus": _plain(r"\+\.(inf|Inf|INF)", str),
    "not a number as a string": _plain(r"\.(nan|NaN|NAN)", str),
    "not a number as nothing": _plain(r"\.(nan|NaN|NAN)", lambda text: None),
    "words for infinity": _plain(r"[-+]?(inf|Infinity)", lambda text: 1.7976931348623157e308),
    "words for not a number": _plain("nan|NaN|Nan", lambda text: None),
    "numbers beyond a double as texts": _plain("1e309|10{309}|0x10{257}", str),
    "numbers beyond a double cut": _plain(
        "1e309|10{309}|0x10{257}", lambda text: 1.7976931348623157e308
    ),
    "numbers too small for a double as texts": _plain("1e-400", str),
    "large integers as texts": _plain("[0-9]{17,30}", str),
    "negative zero is zero as a string": _plain("-0", str),
    "all values are texts": _plain(".*", str),
    "quoted numbers": _quoted(r"[0-9.]+|1e3|0x1F", float.fromhex),
    "quoted words": _quoted("null|~|true", lambda text: None),
    "quoted empty texts are nothing": _quoted("", lambda text: None),
    "texts are trimmed": lambda event: (
        event.value.strip() if not event.implicit[0] or "\n" in event.value else ...
    ),
    "line ends at the end are lost": lambda event: (
        event.value.rstrip("\n") if event.style in ("|", ">") else ...
    ),
    "one line end at the end": lambda event: (
        event.value.rstrip("\n") + "\n" if event.style in ("|", ">") else ...
    ),
    "folded texts are kept in lines": lambda event: (
        event.value.replace(" ", "\n") if event.style == ">" else ...
    ),
    "lines are folded": lambda event: event.value.replace("\n", " ") if event.style == "|" else ...,
    "blank lines are lost": lambda event: (
        re.sub("\n+", "\n", event.value) if event.style == "|" else ...
    ),
    "double quotes as single ones": lambda event: (
        event.value.replace("A", r"\x41") if event.style == '"' else ...
    ),
    "escapes in single quotes": lambda event: (
        event.value.replace(r"\n", "\n") if event.style == "'" else ...
    ),
    "two apostrophes stay two": lambda event: (
        event.value.replace("'", "''") if event.style == "'" else ...
    ),
    "texts without accents": lambda event: (
        event.value.encode("ascii", "replace").decode() if not event.value.isascii() else ...
    ),
    "words behind a number are lost": _plain("[0-9]+ [a-z]+", lambda text: int(text.split()[0])),
    "equals sign as a value": _plain("=", lambda text: None),
}


class _Tags(Reader):
    """Takes tags without a look."""

    directives = True

    def value(self, event: Any, depth: int) -> Any:
        if getattr(event, "tag", None) is not None and self.takes(event.tag):
            if isinstance(event, yaml.ScalarEvent):
                event.implicit = (event.style is None, True)
            event.tag = None
        return super().value(event, depth)

    def takes(self, tag: str) -> bool:
        return True


class _StandardTags(_Tags):
    directives = False

    def takes(self, tag: str) -> bool:
        return tag.startswith("tag:yaml.org,2002:") and ":python" not in tag


class _LocalTags(_Tags):
    directives = False

    def takes(self, tag: str) -> bool:
        return tag.startswith("!") and tag != "!"


class _NoTag(_Tags):
    directives = False

    def takes(self, tag: str) -> bool:
        return tag == "!"


class _PythonTags(_Tags):
    directives = False

    def takes(self, tag: str) -> bool:
        return ":python" in tag


class _TagsOfScalars(_Tags):
    directives = False

    def value(self, event: Any, depth: int) -> Any:
        if not isinstance(event, yaml.ScalarEvent):
            return Reader.value(self, event, depth)
        return super().value(event, depth)


class _TagsOfCollections(_Tags):
    directives = False

    def value(self, event: Any, depth: int) -> Any:
        if isinstance(event, yaml.ScalarEvent):
            return Reader.value(self, event, depth)
        return super().value(event, depth)


class _Directives(Reader):
    """Takes directives, as long as no tag follows."""

    directives = True


class _Mappings(Reader):
    """Takes other keys than strings, or keys that stand twice."""

    def mapping(self, depth: int) -> Any:
        value: dict[str, Any] = {}
        while not isinstance(item := next(self.events), yaml.MappingEndEvent):
            key = self.key_of(item, depth + 1)
            child = self.value(next(self.events), depth + 1)
            if key in value:
                child = self.twice(value[key], child, item, depth)
            value[key] = child
        return value

    def key_of(self, item: Any, depth: int) -> str:
        return self.key(item, depth)

    def twice(self, first: Any, second: Any, item: Any, depth: int) -> Any:
        raise RunForgeError(ErrorCode.YAML_DUPLICATE_KEY, "A key stands twice.")

    def value(self, event: Any, depth: int) -> Any:
        if isinstance(event, yaml.MappingStartEvent) and event.tag is None:
            self.check("", depth + 1)
            value = self.mapping(depth)
            if event.anchor is not None:
                self.anchors[event.anchor] = value
            return value
        return super().value(event, depth)


class _LastKey(_Mappings):
    def twice(self, first: Any, second: Any, item: Any, depth: int) -> Any:
        return second


class _FirstKey(_Mappings):
    def twice(self, first: Any, second: Any, item: Any, depth: int) -> Any:
        return first


class _SameKeyInQuotes(_Mappings):
    def twice(self, first: Any, second: Any, item: Any, depth: int) -> Any:
        return second if getattr(item, "style", None) else super().twice(first, second, item, depth)


class _SameKeyByAlias(_Mappings):
    def twice(self, first: Any, second: Any, item: Any, depth: int) -> Any:
        if isinstance(item, yaml.AliasEvent):
            return second
        return super().twice(first, second, item, depth)


class _SameKeyBelow(_Mappings):
    def twice(self, first: Any, second: Any, item: Any, depth: int) -> Any:
        return second if depth > 0 else super().twice(first, second, item, depth)


class _SameKeyDeep(_Mappings):
    def twice(self, first: Any, second: Any, item: Any, depth: int) -> Any:
        return second if depth > 2 else super().twice(first, second, item, depth)


class _SameEmptyKey(_Mappings):
    def twice(self, first: Any, second: Any, item: Any, depth: int) -> Any:
        return (
            second
            if getattr(item, "value", None) == ""
            else super().twice(first, second, item, depth)
        )


def _keys_of(kind: str, taken: Callable[[Any], bool]) -> type[Reader]:
    class Keys(_Mappings):
        def key_of(self, item: Any, depth: int) -> str:
            key = self.value(item, depth)
            if isinstance(key, str):
                if key == "<<" and getattr(item, "implicit", (True,))[0] and not taken(key):
                    raise RunForgeError(ErrorCode.YAML_KEY_INVALID, "It merges.")
                return key
            if not taken(key):
                raise RunForgeError(ErrorCode.YAML_KEY_INVALID, "No text.")
            return json.dumps(key)

    Keys.__name__ = kind
    return Keys


class _Merging(_Mappings):
    def mapping(self, depth: int) -> Any:
        value: dict[str, Any] = {}
        while not isinstance(item := next(self.events), yaml.MappingEndEvent):
            if isinstance(item, yaml.ScalarEvent) and item.value == "<<" and item.implicit[0]:
                merged = self.value(next(self.events), depth + 1)
                for part in merged if isinstance(merged, list) else [merged]:
                    value = {**part, **value}
                continue
            key = self.key(item, depth + 1)
            if key in value:
                raise RunForgeError(ErrorCode.YAML_DUPLICATE_KEY, "A key stands twice.")
            value[key] = self.value(next(self.events), depth + 1)
        return value


class _NoAliases(Reader):
    def value(self, event: Any, depth: int) -> Any:
        if isinstance(event, yaml.AliasEvent):
            raise RunForgeError(ErrorCode.YAML_INVALID, "Aliases are not read.")
        return super().value(event, depth)


class _AliasesAsNames(Reader):
    def value(self, event: Any, depth: int) -> Any:
        if isinstance(event, yaml.AliasEvent) and event.anchor in self.anchors:
            return f"*{event.anchor}"
        return super().value(event, depth)


class _UnknownAliases(Reader):
    def value(self, event: Any, depth: int) -> Any:
        if isinstance(event, yaml.AliasEvent) and event.anchor not in self.anchors:
            return None
        return super().value(event, depth)


class _FirstAnchor(Reader):
    def value(self, event: Any, depth: int) -> Any:
        name = getattr(event, "anchor", None)
        before = self.anchors.get(name) if not isinstance(event, yaml.AliasEvent) else None
        value = super().value(event, depth)
        if before is not None:
            self.anchors[name] = before
        return value


class _NoKeyAnchors(Reader):
    def key(self, event: Any, depth: int) -> str:
        name = getattr(event, "anchor", None)
        key = super().key(event, depth)
        if not isinstance(event, yaml.AliasEvent):
            self.anchors.pop(name, None)
        return key


class _FirstDocument(Reader):
    def document(self) -> Any:
        next(self.events)
        if isinstance(event := next(self.events), yaml.StreamEndEvent):
            return None
        value = self.value(next(self.events), 0)
        next(self.events)
        del event
        return value


class _LastDocument(Reader):
    def document(self) -> Any:
        next(self.events)
        value: Any = None
        while not isinstance(next(self.events), yaml.StreamEndEvent):
            found = self.value(next(self.events), 0)
            value = found if isinstance(found, dict) else value
            next(self.events)
        return value


class _Deep(Reader):
    def check(self, text: str, depth: int) -> None:
        super().check(text, 0)


class _OneMore(Reader):
    def check(self, text: str, depth: int) -> None:
        super().check(text, depth - 1)


class _OneLess(Reader):
    def check(self, text: str, depth: int) -> None:
        super().check(text, depth + 1)


class _AliasesAreFlat(Reader):
    def copy(self, value: Any, depth: int) -> Any:
        return super().copy(value, 0)


class _LargeAliasesAsNothing(Reader):
    def copy(self, value: Any, depth: int) -> Any:
        try:
            return super().copy(value, depth)
        except RunForgeError as error:
            if error.code != ErrorCode.YAML_TOO_LARGE:
                raise
            return None


class _Surrogates(Reader):
    def check(self, text: str, depth: int) -> None:
        super().check("", depth)


_READERS: dict[str, type[Reader]] = {
    "tags": _Tags,
    "tags of YAML": _StandardTags,
    "tags of one's own": _LocalTags,
    "the tag without a name": _NoTag,
    "tags of Python": _PythonTags,
    "tags of scalars": _TagsOfScalars,
    "tags of collections": _TagsOfCollections,
    "directives of tags": _Directives,
    "the last of two keys": _LastKey,
    "the first of two keys": _FirstKey,
    "the same key in quotes": _SameKeyInQuotes,
    "the same key by an alias": _SameKeyByAlias,
    "the same key below the first level": _SameKeyBelow,
    "the same key deep below": _SameKeyDeep,
    "the same empty key": _SameEmptyKey,
    "integers as keys": _keys_of("Integers", lambda key: type(key) is int),
    "fractions as keys": _keys_of("Fractions", lambda key: type(key) is float),
    "truth values as keys": _keys_of("Truth", lambda key: type(key) is bool),
    "nothing as a key": _keys_of("Nothing", lambda key: key is None),
    "sequences as keys": _keys_of("Sequences", lambda key: isinstance(key, list)),
    "mappings as keys": _keys_of("Mappings", lambda key: isinstance(key, dict)),
    "anything as a key": _keys_of("Anything", lambda key: True),
    "merge keys as texts": _keys_of("Merge", lambda key: key == "<<"),
    "merge keys": _Merging,
    "no aliases": _NoAliases,
    "aliases as names": _AliasesAsNames,
    "aliases of nothing": _UnknownAliases,
    "the first anchor of a name": _FirstAnchor,
    "no anchors of keys": _NoKeyAnchors,
    "the first document": _FirstDocument,
    "the last document": _LastDocument,
    "any depth": _Deep,
    "one level more": _OneMore,
    "one level less": _OneLess,
    "aliases without their levels": _AliasesAreFlat,
    "aliases of too much as nothing": _LargeAliasesAsNothing,
}


def _with_text(change: Callable[[str], str]) -> Parse:
    def parse(data: bytes) -> Any:
        try:
            return parse_yaml(data)
        except RunForgeError:
            try:
                text = data.decode(
                    *(("latin-1",) if change is _latin else ("utf-8", "surrogatepass"))
                )
                return parse_yaml(change(text).encode("utf-8"))
            except UnicodeError:
                raise RunForgeError(ErrorCode.YAML_ENCODING_INVALID, "No text.") from None

    return parse


def _latin(text: str) -> str:
    return text


_TEXTS: dict[str, Callable[[str], str]] = {
    "tabs are indentation": lambda text: text.replace("\n\t", "\n  "),
    "control characters are left out": lambda text: re.sub("[\x00-\x08\x0b-\x1f]", "", text),
    "the text ends at a NUL": lambda text: text.partition("\0")[0] + "\n",
    "half of a surrogate pair is replaced": lambda text: re.sub(
        r"\\u[dD][89a-fA-F][0-9a-fA-F]{2}|\\U0000[dD][89a-fA-F][0-9a-fA-F]{2}", "?", text
    ),
    "escapes that are unknown stand for themselves": lambda text: text.replace(r"\q", "q"),
    "short escapes are completed": lambda text: text.replace(r"\x4", r"\x04"),
    "quotes are closed at the end of the line": lambda text: re.sub(
        r'(: )(["\'])(a)\n', r"\1\2\3\2\n", text
    ),
    "brackets are closed at the end": lambda text: re.sub(r"\[1, 2\n", "[1, 2]\n", text),
    "braces are closed at the end": lambda text: text.replace("{a: 1\n", "{a: 1}\n"),
    "brackets close each other": lambda text: text.replace("[1}", "[1]"),
    "brackets too many are left out": lambda text: text.replace("[1]]", "[1]"),
    "a bracket behind the document is left out": lambda text: text.removesuffix("]\n"),
    "text behind the end is left out": lambda text: text.partition("\n...\n")[0] + "\n",
    "commas may be missing an item": lambda text: text.replace("1,, 2", "1, 2").replace(
        "[, 1", "[1"
    ),
    "two commas are one": lambda text: text.replace("1,, 2", "1, 2"),
    "a comma may come first": lambda text: text.replace("[, 1", "[1"),
    "an at sign may start a string": lambda text: text.replace(": @a", ": '@a'"),
    "a backtick may start a string": lambda text: text.replace("`", '"'),
    "a mapping may follow a key": lambda text: text.replace("values: a: b", "values: {a: b}"),
    "text behind quotes is left out": lambda text: text.replace('"a" b', '"a"'),
    "the last of two anchors": lambda text: text.replace("&a &b", "&b"),
    "an alias may have an anchor": lambda text: text.replace("&y *x", "*x"),
    "indentation need not be equal": lambda text: text.replace("    a: 1\n  b", "  a: 1\n  b"),
    "indentation may grow": lambda text: text.replace("values: 1\n  b: 2", "values: 1\nb: 2"),
    "items among members": lambda text: text.replace("  a: 1\n  - b\n", "  a: 1\n"),
    "a line without a colon is a key": lambda text: text.replace("values\n", "values:\n"),
    "headers of blocks are not looked at": lambda text: re.sub(r"\| ?[ax]\n", "|\n", text),
    "a string may follow the header of a block": lambda text: text.replace("| a\n", "|\n"),
    "an empty second document": lambda text: re.sub("---\n$", "", text),
    "latin-1": _latin,
}


def _refusing(refuses: Callable[[str, Any], bool]) -> Parse:
    def parse(data: bytes) -> Any:
        value = parse_yaml(data)
        if refuses(data.decode(), value):
            raise RunForgeError(ErrorCode.YAML_INVALID, "It is not liked.")
        return value

    return parse


_REFUSED: dict[str, Callable[[str, Any], bool]] = {
    "byte order mark": lambda text, value: text.startswith("\ufeff"),
    "line ends of Windows": lambda text, value: "\r\n" in text,
    "no line end at the end": lambda text, value: not text.endswith("\n"),
    "comments": lambda text, value: bool(re.search("(^|\\s)#", text)),
    "comments between lines": lambda text, value: bool(re.search("^ *#", text, re.M)),
    "the start of a document": lambda text, value: "---\n" in text,
    "the end of a document": lambda text, value: "\n...\n" in text,
    "directives": lambda text, value: text.startswith("%"),
    "JSON": lambda text, value: text.lstrip().startswith("{"),
    "flow collections": lambda text, value: bool(re.search(r": [\[{]", text)),
    "commas at the end": lambda text, value: bool(re.search(r",[\]}]", text)),
    "pairs in flow sequences": lambda text, value: "[i: 1]" in text,
    "members without a value in flow": lambda text, value: "{b: }" in text,
    "flow over several lines": lambda text, value: bool(re.search(r"\[[^\]\n]*\n", text)),
    "explicit keys": lambda text, value: bool(re.search(r"^ *\? ", text, re.M)),
    "quoted keys": lambda text, value: bool(re.search(r"""^ *["'][^"'\n]*["'] ?:""", text, re.M)),
    "empty keys": lambda text, value: '"": ' in text,
    "sequences without indentation": lambda text, value: bool(re.search(r":\n- ", text)),
    "sequences in sequences": lambda text, value: "- - " in text,
    "blocks": lambda text, value: bool(re.search(r"[|>][-+]?\n", text)),
    "indentation of blocks": lambda text, value: "|2\n" in text,
    "texts over several lines": lambda text, value: "- one\n    two" in text,
    "anchors": lambda text, value: bool(re.search(r"(: |\[)&\w", text)),
    "anchors of keys": lambda text, value: bool(re.search(r"^ *&\w+ \w+:", text, re.M)),
    "anchors given again": lambda text, value: text.count("&x ") > 1,
    "characters beyond ASCII": lambda text, value: not text.isascii(),
    "double quotes": lambda text, value: '"' in text,
    "eight digits in escapes": lambda text, value: r"\U000" in text,
    "tabs in quotes": lambda text, value: "\t" in text,
    "a depth of 64": lambda text, value: "[" * 63 in text,
    "the same key in two mappings": lambda text, value: "{a: 1}, {a: 2}" in text,
    "keys like dates": lambda text, value: "2026-02-01: " in text,
    "keys with blanks": lambda text, value: "a b: " in text,
    "keys with colons": lambda text, value: "a:b: " in text,
}


@cache
def _texts_of_cases() -> list[tuple[Case, bytes, Any]]:
    found = []
    for case in all_cases():
        if case.input and case.document and suffix_of(case.document) == ".yaml":
            data = input_bytes(case.input)
            found.append((case, data, _read(parse_yaml, data)))
    return sorted(found, key=lambda item: not re.search("/(lexical|text|core)", item[0].id))


def _read(parse: Parse, data: bytes) -> Any:
    try:
        return json.dumps(parse(data))
    except RunForgeError as error:
        return type(error)


def _telling(parse: Parse) -> Iterable[Case]:
    for case, data, value in _texts_of_cases():
        if _read(parse, data) != value:
            yield case
