"""Clients that read the text of JSON otherwise: too freely, too strictly, or with other values."""

from __future__ import annotations

import json
import math
import re
import struct
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from functools import cache, partial
from typing import Any

import runforge_contracts.documents as reading
from lenient_json import Lenient, Refused, sins
from runforge_conformance._generated.cases_v1 import Case
from runforge_conformance.vectors import all_cases, input_bytes, suffix_of
from runforge_contracts.codec.strict_json import parse_json
from runforge_contracts.errors import ErrorCode, RunForgeError
from wrong_client import Mutant

Parse = Callable[[bytes], Any]
_MARK = b"\xef\xbb\xbf"


def json_mutants() -> Iterator[Mutant]:
    """Yield clients with another parser of JSON."""
    for kind, name, parse in _parsers():
        yield Mutant(
            kind,
            f"json/{name}",
            lambda parse=parse: [(reading, "parse_json", partial(_as_codec, parse))],
            lambda parse=parse: _telling(parse),
        )


def _as_codec(parse: Parse, data: bytes, *, path: str | None = None, **_: Any) -> Any:
    return parse(data)


def _parsers() -> Iterator[tuple[str, str, Parse]]:
    for sin in sins():
        yield "text of JSON taken", sin, partial(_lenient, sin)
    for name, decode in _DECODERS.items():
        yield "encoding taken", name, partial(_decoded, decode)
    for name, refuses in _REFUSED_TEXTS.items():
        yield "text of JSON refused", name, partial(_refusing, refuses)
    for name, change in _CHANGED.items():
        yield "value read otherwise", name, partial(_changing, change)


def _lenient(sin: str, data: bytes) -> Any:
    try:
        return parse_json(data)
    except RunForgeError as error:
        try:
            text = data.removeprefix(_MARK).decode("utf-8")
            return Lenient(text, sin).document()
        except (Refused, UnicodeDecodeError, RecursionError):
            raise error from None


def _decoded(decode: Callable[[bytes], str], data: bytes) -> Any:
    try:
        return parse_json(data)
    except RunForgeError:
        try:
            return parse_json(decode(data).encode("utf-8", "replace"))
        except UnicodeError:
            raise RunForgeError(ErrorCode.JSON_ENCODING_INVALID, "No text.") from None


def _overlong(data: bytes) -> str:
    """Read two and three bytes where one would do."""

    def short(found: re.Match[bytes]) -> bytes:
        first, *rest = found[0]
        value = first & (0x1F if len(rest) == 1 else 0x0F)
        for byte in rest:
            value = value << 6 | byte & 0x3F
        return chr(value).encode("utf-8", "surrogatepass") if value else b"0"

    pattern = rb"[\xc0\xc1][\x80-\xbf]|\xe0[\x80-\x9f][\x80-\xbf]"
    return re.sub(pattern, short, data).decode("utf-8")


_DECODERS: dict[str, Callable[[bytes], str]] = {
    "latin-1": lambda data: data.decode("latin-1"),
    "windows-1252": lambda data: data.decode("cp1252"),
    "broken UTF-8 replaced": lambda data: data.decode("utf-8", "replace"),
    "broken UTF-8 left out": lambda data: data.decode("utf-8", "ignore"),
    "overlong UTF-8": _overlong,
    "surrogates in UTF-8": lambda data: (
        data.decode("utf-8", "surrogatepass").encode("utf-16", "surrogatepass").decode("utf-16")
    ),
    "UTF-16 with a mark": lambda data: (
        data.decode("utf-16") if data[:2] in (b"\xff\xfe", b"\xfe\xff") else data.decode("utf-8")
    ),
    "UTF-16 without a mark": lambda data: data.decode("utf-16-le"),
    "UTF-16, big end first": lambda data: data.removeprefix(b"\xfe\xff").decode("utf-16-be"),
    "UTF-32": lambda data: data.decode("utf-32"),
    "several byte order marks": lambda data: re.sub(rb"^(?:\xef\xbb\xbf)+", b"", data).decode(),
    "byte order mark after white space": lambda data: data.strip().removeprefix(_MARK).decode(),
    "text up to a NUL": lambda data: data.partition(b"\0")[0].decode(),
    "bare control characters left out": lambda data: re.sub(
        rb"[\x00-\x08\x0b\x0c\x0e-\x1f]", b"", data
    ).decode(),
}


def _refusing(refuses: Callable[[bytes, str, Any], bool], data: bytes) -> Any:
    value = parse_json(data)
    if refuses(data, data.decode(), value):
        raise RunForgeError(ErrorCode.JSON_INVALID, "It is not liked.")
    return value


def _numbers(value: Any) -> Iterator[Any]:
    return (item for item in _scalars(value) if type(item) in (int, float))


def _texts(value: Any) -> Iterator[str]:
    return (item for item in _scalars(value) if type(item) is str)


def _scalars(value: Any) -> Iterator[Any]:
    if isinstance(value, dict):
        for key, item in value.items():
            yield key
            yield from _scalars(item)
    elif isinstance(value, list):
        for item in value:
            yield from _scalars(item)
    else:
        yield value


def _depth(value: Any) -> int:
    if isinstance(value, dict | list):
        children = value.values() if isinstance(value, dict) else value
        return 1 + max(map(_depth, children), default=0)
    return 0


def _keys(value: Any) -> Iterator[list[str]]:
    if isinstance(value, dict):
        yield list(value)
    if isinstance(value, dict | list):
        for item in value.values() if isinstance(value, dict) else value:
            yield from _keys(item)


_REFUSED_TEXTS: dict[str, Callable[[bytes, str, Any], bool]] = {
    "byte order mark": lambda data, text, value: data.startswith(_MARK),
    "white space after a byte order mark": lambda d, text, v: text.startswith("\ufeff "),
    "line ends of Windows": lambda data, text, value: b"\r\n" in data,
    "tabs": lambda data, text, value: b"\t" in data,
    "white space at the start": lambda data, text, value: data[:1] in b" \t\r\n",
    "no line end at the end": lambda data, text, value: not data.endswith(b"\n"),
    "everything on one line": lambda data, text, value: b"\n" not in data.strip(),
    "several lines": lambda data, text, value: b"\n" in data.strip(),
    "characters beyond ASCII": lambda data, text, value: not data.isascii(),
    "characters beyond the basic plane": lambda data, text, value: any(c > "\uffff" for c in text),
    "escaped surrogate pairs": lambda data, text, value: bool(re.search(r"\\u[dD][89aAbB]", text)),
    "escaped slashes": lambda data, text, value: r"\/" in text,
    "escapes in capitals": lambda data, text, value: bool(re.search(r"\\u\w*[A-F]", text)),
    "escaped NUL": lambda data, text, value: r"\u0000" in text,
    "line separators": lambda data, text, value: "\u2028" in text,
    "delete characters": lambda data, text, value: "\x7f" in text,
    "noncharacters": lambda data, text, value: "\uffff" in text,
    "long strings": lambda data, text, value: any(len(item) > 32767 for item in _texts(value)),
    "capital exponents": lambda data, text, value: bool(re.search(r"[0-9]E", text)),
    "exponents": lambda data, text, value: bool(re.search(r"[0-9][eE][-+]?[0-9]", text)),
    "exponents with a plus": lambda data, text, value: bool(re.search(r"[0-9][eE]\+", text)),
    "exponents with zeros": lambda data, text, value: bool(re.search(r"[0-9][eE][-+]?00", text)),
    "negative zero": lambda data, text, value: bool(re.search(r"-0(?![.0-9])", text)),
    "numbers too small for a double": lambda data, text, value: "1e-400" in text,
    "large doubles": lambda d, t, value: any(abs(item) > 3.5e38 for item in _numbers(value)),
    "small doubles": lambda d, t, value: any(0 < abs(item) < 1e-300 for item in _numbers(value)),
    "integers of more than 31 bits": lambda d, t, value: any(
        type(item) is int and abs(item) >= 2**31 for item in _numbers(value)
    ),
    "integers of more than 53 bits": lambda d, t, value: any(
        type(item) is int and abs(item) > 2**53 for item in _numbers(value)
    ),
    "integers of more than 64 bits": lambda d, t, value: any(
        type(item) is int and abs(item) >= 2**64 for item in _numbers(value)
    ),
    "many digits": lambda data, text, value: bool(re.search(r"[0-9.]{22,}", text)),
    "the empty key": lambda data, text, value: any("" in keys for keys in _keys(value)),
    "keys that differ in case": lambda data, text, value: any(
        len({key.lower() for key in keys}) < len(keys) for keys in _keys(value)
    ),
    "keys that differ in form": lambda data, text, value: any(
        len({unicodedata.normalize("NFC", key) for key in keys}) < len(keys)
        for keys in _keys(value)
    ),
    "keys that differ in blanks": lambda data, text, value: any(
        len({key.strip() for key in keys}) < len(keys) for keys in _keys(value)
    ),
    "keys that differ after a NUL": lambda data, text, value: any(
        len({key.partition("\0")[0] for key in keys}) < len(keys) for keys in _keys(value)
    ),
    "one key in two objects": lambda data, text, value: (
        sum(map(len, _keys(value))) > len({key for keys in _keys(value) for key in keys})
    ),
    "keys in another order": lambda data, text, value: (
        next(_keys(value), [""])[:1] == sorted(next(_keys(value), [""]))[-1:]
    ),
    "a depth of 64": lambda data, text, value: _depth(value) > 63,
    "a depth of 32": lambda data, text, value: _depth(value) > 32,
    "brackets counted in strings": lambda data, text, value: (
        text.count("[") + text.count("{") > 64 and '"' + "[{" * 9 in text
    ),
    "brackets counted side by side": lambda d, text, v: "[],[],[]" in text,
    "members named as in JavaScript": lambda data, text, value: "__proto__" in text,
}


def _changing(change: Callable[[Any, str], Any], data: bytes) -> Any:
    return change(parse_json(data), data.decode())


def _each(scalar: Callable[[Any], Any], *, keys: bool = False) -> Callable[[Any, str], Any]:
    def changed(value: Any, text: str = "") -> Any:
        if isinstance(value, dict):
            return {(scalar(key) if keys else key): changed(item) for key, item in value.items()}
        if isinstance(value, list):
            return [changed(item) for item in value]
        return scalar(value)

    return changed


def _of_text(change: Callable[[str], str]) -> Callable[[Any], Any]:
    return lambda value: change(value) if isinstance(value, str) else value


def _of_number(change: Callable[[Any], Any]) -> Callable[[Any], Any]:
    return lambda value: change(value) if type(value) in (int, float) else value


def _single(value: float) -> float:
    try:
        return float(struct.unpack("f", struct.pack("f", value))[0])
    except OverflowError:
        return math.inf


def _wrapped(value: Any, bits: int) -> Any:
    if type(value) is not int:
        return value
    return (value + 2 ** (bits - 1)) % 2**bits - 2 ** (bits - 1)


_CHANGED: dict[str, Callable[[Any, str], Any]] = {
    "single precision": _each(_of_number(_single)),
    "fifteen digits": _each(_of_number(lambda value: float(f"{value:.15g}"))),
    "six decimals": _each(
        _of_number(lambda value: round(value, 6) if isinstance(value, float) else value)
    ),
    "integers of 32 bits": _each(lambda value: _wrapped(value, 32)),
    "integers of 64 bits": _each(lambda value: _wrapped(value, 64)),
    "large integers cut": _each(
        _of_number(lambda value: min(value, 2**63 - 1) if type(value) is int else value)
    ),
    "fractions cut": _each(_of_number(int)),
    "small numbers as zero": _each(_of_number(lambda v: 0.0 if 0 < abs(v) < 1e-307 else v)),
    "composed": _each(_of_text(lambda text: unicodedata.normalize("NFC", text))),
    "decomposed": _each(_of_text(lambda text: unicodedata.normalize("NFD", text))),
    "compatible forms": _each(_of_text(lambda text: unicodedata.normalize("NFKC", text))),
    "trimmed": _each(_of_text(str.strip)),
    "trimmed at the end": _each(_of_text(str.rstrip)),
    "cut at a NUL": _each(_of_text(lambda text: text.partition("\0")[0])),
    "control characters left out": _each(
        _of_text(lambda text: re.sub("[\x00-\x08\x0b\x0c\x0e-\x1f]", "", text))
    ),
    "line ends of Windows as of Unix": _each(_of_text(lambda text: text.replace("\r", ""))),
    "line separators as line ends": _each(_of_text(lambda text: text.replace("\u2028", "\n"))),
    "delete characters left out": _each(_of_text(lambda text: text.replace("\x7f", ""))),
    "byte order marks left out": _each(_of_text(lambda text: text.replace("\ufeff", ""))),
    "noncharacters replaced": _each(
        _of_text(lambda text: re.sub("[\ufffe\uffff\U0010ffff]", "\ufffd", text))
    ),
    "characters beyond the basic plane replaced": _each(
        _of_text(lambda text: re.sub("[\U00010000-\U0010ffff]", "\ufffd", text))
    ),
    "characters beyond Latin-1 replaced": _each(
        _of_text(lambda text: text.encode("latin-1", "replace").decode("latin-1"))
    ),
    "cut to 32767 characters": _each(_of_text(lambda text: text[:32767])),
    "cut to 255 characters": _each(_of_text(lambda text: text[:255])),
    "escapes of letters kept": lambda value, text: (
        _each(_of_text(lambda item: item.replace("\u00e4", r"\u00e4")))(value)
        if r"\u00e4" in text
        else value
    ),
    "escaped slashes kept": lambda value, text: (
        _each(_of_text(lambda item: item.replace("/", r"\/")))(value) if r"\/" in text else value
    ),
    "escaped backslashes read twice": _each(
        _of_text(lambda text: re.sub(r"\\u([0-9a-f]{4})", lambda m: chr(int(m[1], 16)), text))
    ),
}


@cache
def _texts_of_cases() -> list[tuple[Case, bytes, Any]]:
    """Return the texts that readers and editors of JSON are given, each with its value."""
    found = []
    for case in all_cases():
        if case.input and case.document and suffix_of(case.document) == ".json":
            data = input_bytes(case.input)
            found.append((case, data, _read(parse_json, data)))
    # What only the text decides comes first.
    return sorted(found, key=lambda item: "/lexical/" not in item[0].id)


def _read(parse: Parse, data: bytes) -> Any:
    try:
        return json.dumps(parse(data))
    except (RunForgeError, UnicodeError, ValueError, RecursionError) as error:
        return type(error)


def _telling(parse: Parse) -> Iterable[Case]:
    """Yield the cases whose text the client reads otherwise than the reference client."""
    for case, data, value in _texts_of_cases():
        if _read(parse, data) != value:
            yield case
