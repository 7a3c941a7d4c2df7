"""Strict YAML: a reader for untrusted files, and the contract's only output form.

Only values that JSON can hold are read, by the core schema of YAML 1.2: ``1e-4`` is a number,
``no`` and ``2026-02-01`` are strings. Tags, merge keys, duplicate keys, keys that are not strings,
NaN and a second document are errors, and aliases count with the values that they repeat. The output
means the same in YAML 1.1 and in YAML 1.2: every string that one of them could resolve to another
type is quoted.

Source: YAML 1.2.2, sections 3.2.1 and 10.3; YAML 1.1, section 10.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from runforge_contracts.codec.strict_json import MAX_DEPTH
from runforge_contracts.codec.yaml_events import Reader, events, refusal, resolve, too_deep
from runforge_contracts.display import printable, quote
from runforge_contracts.errors import ErrorCode, RunForgeError
from runforge_contracts.fs.files import open_file, read_all, reading

#: Largest document that is read, in bytes: YAML takes a hundred times as long as JSON, and files
#: written by hand are small.
MAX_YAML_BYTES = 2**20

#: What newer parsers report before they report the levels that they have read.
_PARSER_TOO_DEEP = "exceeded maximum nesting depth"

#: Strings that need no quotes in any version of YAML, at any location.
_PLAIN = re.compile(
    r"(?!(?:y|n|yes|no|on|off|true|false|null)$)[a-z_/][\w./@+(),-]*(?:[ :][\w./@+(),-]+)*",
    re.I | re.A,
)
#: Characters that JSON writes unescaped, and YAML does not allow or reads as a line end.
_ESCAPED = re.compile("[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]")
#: Longest key that is written before its colon; readers search 1024 characters for the colon.
_LONGEST_KEY = 1000


def load_yaml(path: Path) -> Any:
    """Read the YAML document in the regular file at ``path``.

    Raises :class:`~runforge_contracts.errors.RunForgeError` as
    :func:`~runforge_contracts.fs.files.open_file` and :func:`parse_yaml`.
    """
    with open_file(path) as file, reading(path):
        data = read_all(file, MAX_YAML_BYTES + 1)
    return parse_yaml(data, path=str(path))


def parse_yaml(data: bytes, *, path: str | None = None, max_bytes: int = MAX_YAML_BYTES) -> Any:
    """Parse one YAML document into JSON values; a byte order mark is accepted.

    An empty document is null. Aliases are replaced by copies of their values.

    Raises
    ------
    RunForgeError
        ``YAML_TOO_LARGE``, ``YAML_ENCODING_INVALID``, ``YAML_INVALID``, ``YAML_TAG_REFUSED``,
        ``YAML_KEY_INVALID``, ``YAML_DUPLICATE_KEY``, ``YAML_NUMBER_INVALID``,
        ``YAML_STRING_INVALID`` or ``YAML_TOO_DEEP``.
    """
    import yaml  # late: clients that read no YAML need not import it

    try:
        if len(data) > max_bytes:
            raise _too_large(max_bytes)
        return Reader(events(data)).document()
    except UnicodeDecodeError as error:
        message = f"The document is not UTF-8: byte {error.start} is not part of a character"
        refused = refusal(ErrorCode.YAML_ENCODING_INVALID, message, hint="Save it as UTF-8.")
    except yaml.YAMLError as error:
        reason = getattr(error, "problem", None) or getattr(error, "reason", None) or "invalid text"
        message = f"The document is not YAML: {printable(str(reason))}"
        refused = refusal(ErrorCode.YAML_INVALID, message, getattr(error, "problem_mark", None))
        if reason == _PARSER_TOO_DEEP:
            refused = too_deep()
    except RunForgeError as error:
        refused = error
    raise RunForgeError(refused.code, refused.message, hint=refused.hint, path=path)


def plain_scalars(data: bytes) -> Iterator[tuple[int, str, Any]]:
    """Yield line, string and value of every unquoted scalar in a document that can be read."""
    import yaml

    for event in events(data):
        if isinstance(event, yaml.ScalarEvent) and event.implicit[0]:
            mark: Any = event.start_mark
            yield mark.line + 1, event.value, resolve(event)


def encode_yaml(value: Any) -> bytes:
    """Return ``value`` as the bytes of a document: UTF-8, block style, LF, one trailing newline.

    Raises
    ------
    RunForgeError
        ``YAML_NUMBER_INVALID`` for a number beyond the range of a double, ``YAML_STRING_INVALID``
        for a lone surrogate, ``YAML_KEY_INVALID`` for a key that is not a string,
        ``YAML_TOO_DEEP`` and ``YAML_TOO_LARGE`` for what could not be read again.
    """
    try:
        data = "".join(f"{line}\n" for line in _lines(value, 0)).encode("utf-8")
    except UnicodeEncodeError:
        message = "A string contains a lone surrogate"
        raise refusal(ErrorCode.YAML_STRING_INVALID, message) from None
    if len(data) > MAX_YAML_BYTES:
        raise _too_large(MAX_YAML_BYTES)
    return data


def _lines(value: Any, depth: int) -> Iterator[str]:
    if depth + isinstance(value, dict | list | tuple) > MAX_DEPTH:
        raise too_deep()
    if isinstance(value, dict) and value:
        for key, item in value.items():
            if not isinstance(key, str):
                raise refusal(ErrorCode.YAML_KEY_INVALID, f"The key {quote(key)} is not a string")
            name = _scalar(key)
            if len(name) > _LONGEST_KEY:
                yield f"? {name}"
                name = ""
            lines = _lines(item, depth + 1)
            if isinstance(item, dict | list | tuple) and item:
                yield f"{name}:"
                yield from (f"  {line}" for line in lines)
            else:
                yield f"{name}: {next(lines)}"
    elif isinstance(value, list | tuple) and value:
        for item in value:
            for number, line in enumerate(_lines(item, depth + 1)):
                yield f"{'  ' if number else '- '}{line}"
    else:
        yield _scalar(value)


def _scalar(value: Any) -> str:
    """Return a scalar value on one line."""
    if isinstance(value, str):
        if _PLAIN.fullmatch(value):
            return value
        quoted = json.dumps(value, ensure_ascii=False)
        return _ESCAPED.sub(lambda found: f"\\u{ord(found[0]):04x}", quoted)
    try:
        text = json.dumps(value, allow_nan=False)
        if isinstance(value, int):
            float(value)
    except (ValueError, OverflowError):
        message = "A number is not one that a double can hold"
        raise refusal(ErrorCode.YAML_NUMBER_INVALID, message) from None
    if isinstance(value, float) and "e" in text and "." not in text:
        return text.replace("e", ".0e")  # without a point YAML 1.1 reads it as a string
    return text


def _too_large(max_bytes: int) -> RunForgeError:
    message = f"The document has more than the {max_bytes:,} bytes that are read"
    return refusal(ErrorCode.YAML_TOO_LARGE, message)
