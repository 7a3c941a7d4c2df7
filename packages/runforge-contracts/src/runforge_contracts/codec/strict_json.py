"""Strict JSON: a parser for untrusted files, and the contract's only output form.

The parser is stricter than RFC 8259: a duplicate key, a number beyond the range of a double, a lone
surrogate and a document that is too deep or too large are errors, because clients would read them
differently.

Source: specification, sections 2.1 to 2.7 and 2.10; RFC 8259; RFC 8785.
"""

from __future__ import annotations

import json
import math
import sys
from typing import Any, NoReturn

from runforge_contracts.display import quote
from runforge_contracts.errors import ErrorCode, RunForgeError

#: Largest document that is read, in bytes.
MAX_BYTES = 64 * 2**20
#: Deepest nesting of arrays and objects that is read.
MAX_DEPTH = 64
#: Up to this size, every integer is exactly one double, and no other integer has the same double.
_MAX_EXACT_INTEGER = 2**53 - 1
#: An integer of at most so many characters is in the range of a double.
_SMALL_DIGITS = 300
#: A document of at most so many bytes is read and written without loading a library for it, which
#: takes longer than it saves.
_SHORT = 2**18
#: Makes every digit a 0.
_AS_ZEROS = bytes.maketrans(b"123456789", b"000000000")

_BOM = b"\xef\xbb\xbf"


def parse_json(data: bytes, *, path: str | None = None, max_bytes: int = MAX_BYTES) -> Any:
    """Parse one JSON document; a byte order mark is accepted.

    Raises
    ------
    RunForgeError
        ``JSON_TOO_LARGE``, ``JSON_ENCODING_INVALID``, ``JSON_INVALID``, ``JSON_DUPLICATE_KEY``,
        ``JSON_NUMBER_INVALID``, ``JSON_STRING_INVALID`` or ``JSON_TOO_DEEP``.
    """
    if len(data) > max_bytes:
        raise RunForgeError(
            ErrorCode.JSON_TOO_LARGE,
            f"The document has {len(data):,} bytes, more than the {max_bytes:,} that are read.",
            path=path,
        )
    if "msgspec" in sys.modules or len(data) > _SHORT:
        value = parse_own(data)
        if value is not UNSURE:
            return value
    text = _decode(data, path)
    try:
        value = _DECODER.decode(text)
    except RunForgeError as error:
        raise RunForgeError(error.code, error.message, hint=error.hint, path=path) from None
    except json.JSONDecodeError as error:
        raise RunForgeError(
            ErrorCode.JSON_INVALID,
            # "Unterminated string starting at" goes on with the place.
            f"The document is not JSON: {error.msg.removesuffix(' at')} in line {error.lineno},"
            f" column {error.colno}.",
            hint="The file may be cut off." if error.pos >= len(text.rstrip()) else None,
            path=path,
        ) from None
    except RecursionError:
        raise _too_deep(path) from None
    may_hold_surrogates = "\\u" in text
    # No more levels than brackets; counting those is faster than looking at the values.
    if may_hold_surrogates or text.count("{") + text.count("[") > MAX_DEPTH:
        _check_tree(value, path, may_hold_surrogates=may_hold_surrogates)
    return value


def encode_json(value: Any) -> bytes:
    r"""Return ``value`` as the bytes of a document: UTF-8, two spaces, LF, one trailing newline.

    Floats take their shortest form that reads back to the same double.

    Raises
    ------
    RunForgeError
        ``JSON_NUMBER_INVALID`` for NaN and infinities, ``JSON_STRING_INVALID`` for half of a
        surrogate pair.
    """
    text = _dump(value)
    # Six times as fast as `indent` of the module json, which then does not use its native code; but
    # to load the library for one short document takes longer.
    if "msgspec" in sys.modules or len(text) > _SHORT:
        return in_form(text)
    return _dump(value, indent=2) + b"\n"


def encode_json_line(value: Any) -> bytes:
    """Return ``value`` on one line with its newline, for JSON Lines and for digests."""
    return _dump(value) + b"\n"


def in_form(text: bytes) -> bytes:
    """Return a valid JSON string with the contract's white space and unchanged tokens.

    The form is two spaces per level, LF, and one newline at the end.
    """
    import msgspec  # late: parsing alone does not need it

    return msgspec.json.format(text, indent=2) + b"\n"


def canonical_json(value: Any) -> bytes:
    """Return the canonical JSON of ``value``, for digests that any language can compute.

    Integers that no double holds exactly are rounded to the nearest double, as most readers do.

    Raises
    ------
    RunForgeError
        As :func:`encode_json`.

    Source: RFC 8785.
    """
    import rfc8785  # late: few commands make digests

    try:
        return rfc8785.dumps(value)
    except rfc8785.IntegerDomainError:
        return canonical_json(_as_doubles(value))
    except (rfc8785.CanonicalizationError, UnicodeEncodeError):
        _dump(value)  # raises the error for the number or the string
        raise


def _as_doubles(value: Any) -> Any:
    """Return ``value`` with every integer of more than 53 bits as a double."""
    if isinstance(value, dict):
        return {key: _as_doubles(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_as_doubles(item) for item in value]
    if isinstance(value, int) and abs(value) > _MAX_EXACT_INTEGER:
        return float(value)
    return value


def _dump(value: Any, *, indent: int | None = None) -> bytes:
    try:
        text = json.dumps(value, ensure_ascii=False, allow_nan=False, indent=indent)
        return text.encode("utf-8")
    except UnicodeEncodeError:
        raise RunForgeError(
            ErrorCode.JSON_STRING_INVALID, "A string contains a lone surrogate."
        ) from None
    except ValueError:
        raise RunForgeError(
            ErrorCode.JSON_NUMBER_INVALID, "NaN and infinities cannot be written as JSON."
        ) from None


def parse_own(data: bytes) -> Any:
    """Return the value of a document with the tokens that are written for it, else UNSURE.

    Most documents are of that kind, and with msgspec it takes less than half the time. That library
    accepts more than the contract does. But where what it has read is written with the same tokens
    again, no member was dropped and no number rounded: the document has one meaning.
    """
    import msgspec  # late: commands that read one short document do without it

    try:
        value = msgspec.json.decode(data)
        tokens = msgspec.json.format(data, indent=-1)
        # Python writes small and large numbers in another way, such as 1e-05 for 0.00001.
        is_own = msgspec.json.encode(value) == tokens or _tokens(value) == tokens
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return UNSURE
    # The two other things that it accepts: too many digits, and too many levels, each of which is
    # one space more.
    if not is_own or b"0" * _SMALL_DIGITS in data.translate(_AS_ZEROS):
        return UNSURE
    if data.count(b"{") + data.count(b"[") > MAX_DEPTH:
        levels = msgspec.json.format(data, indent=1)
        return UNSURE if b"\n" + b" " * MAX_DEPTH in levels else value
    return value


def _tokens(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8")


#: What is returned for a document on which the strict parser has to decide.
UNSURE = object()


def _decode(data: bytes, path: str | None) -> str:
    try:
        return data.removeprefix(_BOM).decode("utf-8")
    except UnicodeDecodeError as error:
        utf16 = data[:2] in (b"\xff\xfe", b"\xfe\xff") or b"\x00" in data[:4]
        raise RunForgeError(
            ErrorCode.JSON_ENCODING_INVALID,
            f"The document is not UTF-8: byte {error.start} is not part of a character.",
            hint="It looks like UTF-16; save it as UTF-8." if utf16 else "Save it as UTF-8.",
            path=path,
        ) from None


def _unique_object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) != len(pairs):
        seen: set[str] = set()
        for key, _ in pairs:
            if key in seen:
                raise RunForgeError(
                    ErrorCode.JSON_DUPLICATE_KEY,
                    f"The key {quote(key)} appears twice in one object.",
                    hint="Keep the one that is meant.",
                )
            seen.add(key)
    return result


def _finite_float(text: str) -> float:
    value = float(text)
    if math.isinf(value):
        raise RunForgeError(
            ErrorCode.JSON_NUMBER_INVALID, f"The number {quote(text)} is too large for a double."
        )
    return value


def _bounded_int(text: str) -> int:
    # Integers are kept exactly if they are in the range of a double, because clients in other
    # languages read them as one. The interpreter refuses to read thousands of digits anyway.
    if len(text) <= _SMALL_DIGITS:
        return int(text)
    try:
        value = int(text)
        float(value)
    except (ValueError, OverflowError):
        raise RunForgeError(
            ErrorCode.JSON_NUMBER_INVALID, f"The number {quote(text)} is too large for a double."
        ) from None
    return value


def _refuse_constant(text: str) -> NoReturn:
    raise RunForgeError(
        ErrorCode.JSON_NUMBER_INVALID,
        f"{quote(text)} is not a JSON number.",
        hint="Leave out a value that could not be computed.",
    )


_DECODER = json.JSONDecoder(
    object_pairs_hook=_unique_object,
    parse_float=_finite_float,
    parse_int=_bounded_int,
    parse_constant=_refuse_constant,
)


def _too_deep(path: str | None) -> RunForgeError:
    return RunForgeError(
        ErrorCode.JSON_TOO_DEEP,
        f"The document is nested deeper than {MAX_DEPTH} levels.",
        path=path,
    )


def _check_tree(value: Any, path: str | None, *, may_hold_surrogates: bool) -> None:
    """Reject what the parser accepts: too much depth, and halves of surrogate pairs."""
    level = [value]
    for _ in range(MAX_DEPTH + 1):
        containers = [item for item in level if type(item) in (dict, list)]
        if may_hold_surrogates:
            for item in level:
                if type(item) is str:
                    _check_text(item, path)
                elif type(item) is dict:
                    for key in item:
                        _check_text(key, path)
        if not containers:
            return
        level = [
            child
            for item in containers
            for child in (item.values() if type(item) is dict else item)
        ]
    raise _too_deep(path)


def _check_text(text: str, path: str | None) -> None:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        raise RunForgeError(
            ErrorCode.JSON_STRING_INVALID,
            f"The text {quote(text)} holds half of a surrogate pair.",
            path=path,
        ) from None
