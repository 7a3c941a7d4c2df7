"""YAML as text: a strict reader for files from elsewhere, and the one way of writing.

Only what JSON can hold is read, by the rules of YAML 1.2's core schema: ``1e-4`` is a number,
``no`` and ``2026-02-01`` are texts. Tags, merge keys, duplicate keys, keys that are no texts, NaN
and a second document are errors, and aliases count with all that they stand for. What is written
means the same to readers of YAML 1.1 and of YAML 1.2: every text that one of them could take for
something else is quoted.

Source: YAML 1.2.2, sections 3.2.1 and 10.3; YAML 1.1, section 10.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Iterator
from pathlib import Path, PurePath
from typing import Any

from runforge_contracts.errors import ErrorCode, RunForgeError
from runforge_contracts.files import open_file, read_all, reading
from runforge_contracts.jsontext import MAX_DEPTH
from runforge_contracts.text import printable, quote

#: Largest document that is read, in bytes: YAML takes a hundred times as long as JSON, and what
#: is written by hand is small.
MAX_YAML_BYTES = 2**20
#: How much aliases may repeat, in values and characters.
MAX_REPEATED = 2**18
#: How the names of YAML files end.
SUFFIXES = (".yaml", ".yml")

_BOM = b"\xef\xbb\xbf"
#: Plain scalars of the core schema that are no texts.
_CORE = re.compile(
    r"(?P<null>~|null|Null|NULL|)|(?P<true>true|True|TRUE)|(?P<false>false|False|FALSE)"
    r"|(?P<int>[-+]?[0-9]+)|(?P<octal>0o[0-7]+)|(?P<hexadecimal>0x[0-9a-fA-F]+)"
    r"|(?P<float>[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?"
    r"|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))"
)
_READERS: dict[str | None, Callable[[str], Any]] = {
    "null": lambda _: None,
    "true": lambda _: True,
    "false": lambda _: False,
    "int": int,
    "octal": lambda text: int(text[2:], 8),
    "hexadecimal": lambda text: int(text[2:], 16),
    "float": float,  # of infinities and NaN it reads neither the point nor what follows
}
#: Declared prefixes of tags at the start of a line, which the parser compares pair by pair.
_TAG_PREFIX = re.compile("(?:^|[\n\r\x85\u2028\u2029])%TAG")
#: Texts that are one in every version of YAML and in every place without quotes.
_PLAIN = re.compile(
    r"(?!(?:y|n|yes|no|on|off|true|false|null)$)[a-z_/][\w./@+(),-]*(?:[ :][\w./@+(),-]+)*",
    re.I | re.A,
)
#: What JSON writes as it stands, and YAML does not allow or takes for the end of a line.
_ESCAPED = re.compile("[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]")
_SURROGATE = re.compile("[\ud800-\udfff]")
#: Longest key that is written before its colon; readers look for one in 1024 characters.
_LONGEST_KEY = 1000


def is_yaml(path: PurePath) -> bool:
    """Tell whether the name of a file says that it holds YAML."""
    return path.suffix.lower() in SUFFIXES


def load_yaml(path: Path) -> Any:
    """Read the YAML document in the regular file at ``path``.

    Raises :class:`~runforge_contracts.errors.RunForgeError` as
    :func:`~runforge_contracts.files.open_file` and :func:`parse_yaml`.
    """
    with open_file(path) as file, reading(path):
        data = read_all(file, MAX_YAML_BYTES + 1)
    return parse_yaml(data, path=str(path))


def parse_yaml(data: bytes, *, path: str | None = None, max_bytes: int = MAX_YAML_BYTES) -> Any:
    """Parse one YAML document into what JSON can hold; a byte order mark is accepted.

    An empty document is null. What an alias stands for is copied to its place.

    Raises
    ------
    RunForgeError
        ``YAML_TOO_LARGE``, ``YAML_ENCODING_INVALID``, ``YAML_INVALID``, ``YAML_TAG_REFUSED``,
        ``YAML_KEY_INVALID``, ``YAML_DUPLICATE_KEY``, ``YAML_NUMBER_INVALID``,
        ``YAML_STRING_INVALID`` or ``YAML_TOO_DEEP``.
    """
    import yaml  # late: a client that reads no YAML pays nothing for it

    try:
        if len(data) > max_bytes:
            raise _too_large(max_bytes)
        return _Reader(_events(data)).document()
    except UnicodeDecodeError as error:
        message = f"The document is not UTF-8: byte {error.start} is not part of a character"
        refusal = _refusal(ErrorCode.YAML_ENCODING_INVALID, message, hint="Save it as UTF-8.")
    except yaml.YAMLError as error:
        reason = getattr(error, "problem", None) or getattr(error, "reason", None) or "invalid text"
        message = f"The document is not YAML: {printable(str(reason))}"
        refusal = _refusal(ErrorCode.YAML_INVALID, message, getattr(error, "problem_mark", None))
    except RunForgeError as error:
        refusal = error
    raise RunForgeError(refusal.code, refusal.message, hint=refusal.hint, path=path)


def plain_scalars(data: bytes) -> Iterator[tuple[int, str, Any]]:
    """Give line, text and value of every scalar without quotes in a document that can be read."""
    import yaml

    for event in _events(data):
        if isinstance(event, yaml.ScalarEvent) and event.implicit[0]:
            mark: Any = event.start_mark
            yield mark.line + 1, event.value, _resolve(event)


def _events(data: bytes) -> Iterator[Any]:
    import yaml

    text = data.removeprefix(_BOM).decode("utf-8")
    if _TAG_PREFIX.search(text):
        raise _tag_refused("%TAG")
    # Events, not the parser's own tree: that one is built by recursion in C, without a limit.
    return yaml.parse(text, Loader=yaml.CBaseLoader if yaml.__with_libyaml__ else yaml.BaseLoader)


class _Reader:
    """Builds one value from the events of the parser."""

    def __init__(self, events: Iterator[Any]) -> None:
        self.events = events
        #: Values and characters that aliases repeated so far.
        self.repeated = 0
        #: Finished values by the name of their anchor.
        self.anchors: dict[str, Any] = {}

    def document(self) -> Any:
        """Return the value of the only document."""
        import yaml

        next(self.events)  # the stream begins
        if isinstance(next(self.events), yaml.StreamEndEvent):
            return None
        value = self.value(next(self.events), 0)
        next(self.events)  # the document ends
        event = next(self.events)
        if not isinstance(event, yaml.StreamEndEvent):
            message = "There is more than one document"
            raise _refusal(ErrorCode.YAML_INVALID, message, event.start_mark)
        return value

    def value(self, event: Any, depth: int) -> Any:
        """Return the value that begins with ``event``."""
        import yaml

        if isinstance(event, yaml.AliasEvent):
            if event.anchor not in self.anchors:
                message = f"The alias {quote(event.anchor)} stands for nothing that ended before it"
                raise _refusal(ErrorCode.YAML_INVALID, message, event.start_mark)
            return self.copy(self.anchors[event.anchor], depth)
        if event.tag is not None:
            raise _tag_refused(event.tag, event.start_mark)
        self.anchors.pop(event.anchor, None)  # nothing can stand for a value that has not ended
        value: Any
        if isinstance(event, yaml.ScalarEvent):
            self.check(event.value, depth)
            value = _resolve(event) if event.implicit[0] else event.value
        elif isinstance(event, yaml.SequenceStartEvent):
            self.check("", depth + 1)
            value = []
            while not isinstance(item := next(self.events), yaml.SequenceEndEvent):
                value.append(self.value(item, depth + 1))
        else:
            self.check("", depth + 1)
            value = {}
            while not isinstance(item := next(self.events), yaml.MappingEndEvent):
                key = self.key(item, depth + 1)
                if key in value:
                    message = f"The key {quote(key)} appears twice in one mapping"
                    raise _refusal(ErrorCode.YAML_DUPLICATE_KEY, message, item.start_mark)
                value[key] = self.value(next(self.events), depth + 1)
        if event.anchor is not None:
            self.anchors[event.anchor] = value
        return value

    def key(self, event: Any, depth: int) -> str:
        """Return the key that begins with ``event``: a text."""
        key = self.value(event, depth)
        if not isinstance(key, str):
            hint = "Put it into quotes."
            raise _refusal(
                ErrorCode.YAML_KEY_INVALID, "A key is not a text", event.start_mark, hint
            )
        if key == "<<" and getattr(event, "implicit", (True,))[0]:
            message, hint = "Merge keys are not read", "Write the fields out."
            raise _refusal(ErrorCode.YAML_KEY_INVALID, message, event.start_mark, hint)
        return key

    def copy(self, value: Any, depth: int) -> Any:
        """Return a finished value once more."""
        self.repeated += 1 + (len(value) if isinstance(value, str) else 0)
        if self.repeated > MAX_REPEATED:
            message = "What the aliases of the document stand for amounts to too much"
            raise _refusal(ErrorCode.YAML_TOO_LARGE, message, hint="Write it out once.")
        self.check(value if isinstance(value, str) else "", depth + isinstance(value, list | dict))
        if isinstance(value, list):
            return [self.copy(item, depth + 1) for item in value]
        if isinstance(value, dict):
            return {
                self.copy(key, depth + 1): self.copy(item, depth + 1) for key, item in value.items()
            }
        return value

    def check(self, text: str, depth: int) -> None:
        """Refuse arrays and objects that go too deep, and halves of characters."""
        if depth > MAX_DEPTH:
            raise _too_deep()
        if not text.isascii() and _SURROGATE.search(text):  # the parser in C refuses it by itself
            raise _refusal(ErrorCode.YAML_STRING_INVALID, "A text holds half of a surrogate pair")


def _resolve(event: Any) -> Any:
    """Return what a plain scalar is by the core schema."""
    found = _CORE.fullmatch(event.value)
    if found is None:
        return event.value
    try:
        value = _READERS[found.lastgroup](event.value)
        # Integers count as long as a double can tell their size, as in JSON.
        if value is None or math.isfinite(value):
            return value
    except (ValueError, OverflowError):
        pass
    message = f"The number {quote(event.value)} is not one that a double can hold"
    hint = "Put it into quotes if it is meant as a text."
    raise _refusal(ErrorCode.YAML_NUMBER_INVALID, message, event.start_mark, hint)


def encode_yaml(value: Any) -> bytes:
    """Return ``value`` as the bytes of a document: UTF-8, block style, LF, one trailing newline.

    Raises
    ------
    RunForgeError
        ``YAML_NUMBER_INVALID`` for a number whose size no double can tell, ``YAML_STRING_INVALID``
        for half of a surrogate pair, ``YAML_KEY_INVALID`` for a key that is not a text,
        ``YAML_TOO_DEEP`` and ``YAML_TOO_LARGE`` for what could not be read again.
    """
    try:
        data = "".join(f"{line}\n" for line in _lines(value, 0)).encode("utf-8")
    except UnicodeEncodeError:
        message = "A text holds half of a surrogate pair"
        raise _refusal(ErrorCode.YAML_STRING_INVALID, message) from None
    if len(data) > MAX_YAML_BYTES:
        raise _too_large(MAX_YAML_BYTES)
    return data


def _lines(value: Any, depth: int) -> Iterator[str]:
    if depth + isinstance(value, dict | list | tuple) > MAX_DEPTH:
        raise _too_deep()
    if isinstance(value, dict) and value:
        for key, item in value.items():
            if not isinstance(key, str):
                raise _refusal(ErrorCode.YAML_KEY_INVALID, f"The key {quote(key)} is not a text")
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
    """Return a value without parts on one line."""
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
        raise _refusal(ErrorCode.YAML_NUMBER_INVALID, message) from None
    if isinstance(value, float) and "e" in text and "." not in text:
        return text.replace("e", ".0e")  # without a point it is a text to readers of YAML 1.1
    return text


def _refusal(
    code: ErrorCode, message: str, mark: Any = None, hint: str | None = None
) -> RunForgeError:
    place = "" if mark is None else f" in line {mark.line + 1}, column {mark.column + 1}"
    return RunForgeError(code, f"{message}{place}.", hint=hint)


def _tag_refused(tag: str, mark: Any = None) -> RunForgeError:
    message = f"Tags are not read; there is {quote(tag)}"
    return _refusal(ErrorCode.YAML_TAG_REFUSED, message, mark, "Write plain values.")


def _too_large(max_bytes: int) -> RunForgeError:
    message = f"The document has more than the {max_bytes:,} bytes that are read"
    return _refusal(ErrorCode.YAML_TOO_LARGE, message)


def _too_deep() -> RunForgeError:
    return _refusal(
        ErrorCode.YAML_TOO_DEEP, f"The document is nested deeper than {MAX_DEPTH} levels"
    )
