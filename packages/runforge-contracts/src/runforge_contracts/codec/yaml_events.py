"""Build one value from the events of a YAML parser, or report why there is none.

The parser's tree is not used: it is built by recursion in C, without a limit, and would still have
to be searched for tags, merge keys and equal keys.

Source: YAML 1.2.2, sections 3.2.1 and 10.3.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator
from typing import Any

from runforge_contracts.codec.strict_json import MAX_DEPTH
from runforge_contracts.display import quote
from runforge_contracts.errors import ErrorCode, RunForgeError

#: How much aliases may repeat, in values and characters.
MAX_REPEATED = 2**18

_BOM = b"\xef\xbb\xbf"
#: Plain scalars of the core schema that are not strings.
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
    "float": float,  # `float` does not read `.inf`, `.nan`
}
#: Tag prefixes declared at the start of a line, which the parser compares pair by pair.
_TAG_PREFIX = re.compile("(?:^|[\n\r\x85\u2028\u2029])%TAG")
_SURROGATE = re.compile("[\ud800-\udfff]")


def events(data: bytes) -> Iterator[Any]:
    """Yield the events of a UTF-8 string; a byte order mark is skipped.

    Raises
    ------
    RunForgeError
        ``YAML_TAG_REFUSED``, and from the iterator ``yaml.YAMLError``.
    UnicodeDecodeError
        If the bytes are not UTF-8.
    """
    import yaml  # late: clients that read no YAML need not import it

    text = data.removeprefix(_BOM).decode("utf-8")
    if _TAG_PREFIX.search(text):
        raise tag_refused("%TAG")
    return yaml.parse(text, Loader=yaml.CBaseLoader if yaml.__with_libyaml__ else yaml.BaseLoader)


class Reader:
    """Builds one value from the events of the parser."""

    def __init__(self, events: Iterator[Any]) -> None:
        self.events = events
        #: Values and characters that aliases have repeated so far.
        self.repeated = 0
        #: Finished values by the name of their anchor.
        self.anchors: dict[str, Any] = {}

    def document(self) -> Any:
        """Return the value of the only document."""
        import yaml

        next(self.events)  # stream start
        if isinstance(next(self.events), yaml.StreamEndEvent):
            return None
        value = self.value(next(self.events), 0)
        next(self.events)  # document end
        event = next(self.events)
        if not isinstance(event, yaml.StreamEndEvent):
            message = "There is more than one document"
            raise refusal(ErrorCode.YAML_INVALID, message, event.start_mark)
        return value

    def value(self, event: Any, depth: int) -> Any:
        """Return the value that starts with ``event``."""
        import yaml

        if isinstance(event, yaml.AliasEvent):
            if event.anchor not in self.anchors:
                message = f"The alias {quote(event.anchor)} stands for nothing that ended before it"
                raise refusal(ErrorCode.YAML_INVALID, message, event.start_mark)
            return self.copy(self.anchors[event.anchor], depth)
        if event.tag is not None:
            raise tag_refused(event.tag, event.start_mark)
        self.anchors.pop(event.anchor, None)  # an alias cannot refer to an unfinished value
        value: Any
        if isinstance(event, yaml.ScalarEvent):
            self.check(event.value, depth)
            value = resolve(event) if event.implicit[0] else event.value
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
                    raise refusal(ErrorCode.YAML_DUPLICATE_KEY, message, item.start_mark)
                value[key] = self.value(next(self.events), depth + 1)
        if event.anchor is not None:
            self.anchors[event.anchor] = value
        return value

    def key(self, event: Any, depth: int) -> str:
        """Return the key that starts with ``event``: a string."""
        key = self.value(event, depth)
        if not isinstance(key, str):
            hint = "Put it into quotes."
            raise refusal(
                ErrorCode.YAML_KEY_INVALID, "A mapping key is not a string", event.start_mark, hint
            )
        if key == "<<" and getattr(event, "implicit", (True,))[0]:
            message, hint = "Merge keys are not read", "Write the fields out."
            raise refusal(ErrorCode.YAML_KEY_INVALID, message, event.start_mark, hint)
        return key

    def copy(self, value: Any, depth: int) -> Any:
        """Return a copy of a finished value."""
        self.repeated += 1 + (len(value) if isinstance(value, str) else 0)
        if self.repeated > MAX_REPEATED:
            message = "The aliases of the document expand to too much data"
            raise refusal(ErrorCode.YAML_TOO_LARGE, message, hint="Write it out once.")
        self.check(value if isinstance(value, str) else "", depth + isinstance(value, list | dict))
        if isinstance(value, list):
            return [self.copy(item, depth + 1) for item in value]
        if isinstance(value, dict):
            return {
                self.copy(key, depth + 1): self.copy(item, depth + 1) for key, item in value.items()
            }
        return value

    def check(self, text: str, depth: int) -> None:
        """Reject arrays and objects that are nested too deeply, and lone surrogates."""
        if depth > MAX_DEPTH:
            raise too_deep()
        if not text.isascii() and _SURROGATE.search(text):  # the C parser rejects it itself
            raise refusal(ErrorCode.YAML_STRING_INVALID, "A string contains a lone surrogate")


def resolve(event: Any) -> Any:
    """Return the value of a plain scalar in the core schema."""
    found = _CORE.fullmatch(event.value)
    if found is None:
        return event.value
    try:
        value = _READERS[found.lastgroup](event.value)
        # Integers are valid in the range of a double, as in JSON.
        if value is None or math.isfinite(value):
            return value
    except (ValueError, OverflowError):
        pass
    message = f"The number {quote(event.value)} is not one that a double can hold"
    hint = "Put it into quotes if it is meant as a string."
    raise refusal(ErrorCode.YAML_NUMBER_INVALID, message, event.start_mark, hint)


def refusal(
    code: ErrorCode, message: str, mark: Any = None, hint: str | None = None
) -> RunForgeError:
    """Return an error with a message, to which a full stop and the location are added."""
    place = "" if mark is None else f" in line {mark.line + 1}, column {mark.column + 1}"
    return RunForgeError(code, f"{message}{place}.", hint=hint)


def tag_refused(tag: str, mark: Any = None) -> RunForgeError:
    """Return the error for a tag."""
    message = f"Tags are not read; there is {quote(tag)}"
    return refusal(ErrorCode.YAML_TAG_REFUSED, message, mark, "Write plain values.")


def too_deep() -> RunForgeError:
    """Return the error for arrays and objects that are nested too deeply."""
    return refusal(
        ErrorCode.YAML_TOO_DEEP, f"The document is nested deeper than {MAX_DEPTH} levels"
    )
