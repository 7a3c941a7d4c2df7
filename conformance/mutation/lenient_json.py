"""A parser of JSON that takes, on request, what a strict one refuses; one sin at a time."""

from __future__ import annotations

import re
from typing import Any

_WHITE = " \t\r\n"
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?")
_ESCAPES = {'"': '"', "\\": "\\", "/": "/", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}
#: Numbers of other notations: what they look like, and how they are read.
_OTHER_NUMBERS: dict[str, tuple[str, Any]] = {
    "point at the end": (r"-?[0-9]+\.(?![0-9])", float),
    "point at the start": (r"-?\.[0-9]+", float),
    "plus sign": (r"\+[0-9]+", int),
    "two signs": (r"--[0-9]+", lambda text: int(text[2:])),
    "blank after the sign": (r"- +[0-9]+", lambda text: -int(text[1:])),
    "leading zeros": (r"-?0[0-9]+", int),
    "exponent without digits": (r"[0-9]+[eE](?![-+0-9])", lambda text: int(text[:-1])),
    "exponent with a sign alone": (r"[0-9]+[eE][-+](?![0-9])", lambda text: int(text[:-2])),
    "exponent with a point": (r"[0-9]+e[0-9]+\.[0-9]+", lambda text: 10.0 ** float(text[2:])),
    "hexadecimal": (r"0x[0-9a-fA-F]+", lambda text: int(text, 16)),
    "octal": (r"0o[0-7]+", lambda text: int(text, 8)),
    "binary": (r"0b[01]+", lambda text: int(text, 2)),
    "underscores": (r"[0-9]+_[0-9_]+", int),
    "decimal comma": (r"[0-9]+,[0-9]+(?=[},\]])", lambda text: float(text.replace(",", "."))),
    "letter for single precision": (r"[0-9]+f", lambda text: float(text[:-1])),
    "letter for big integers": (r"[0-9]+n", lambda text: int(text[:-1])),
    "digits of other scripts": (r"[^\W\D\x00-\x7f]+", int),
    "infinity": (r"-?Infinity", lambda text: 1e308),
    "NaN": (r"NaN", lambda text: 0.0),
    "infinity cut short": (r"Inf", lambda text: 1e308),
    "small nan": (r"nan", lambda text: 0.0),
}
_WORDS = {"true": True, "false": False, "null": None}
_OTHER_WORDS: dict[str, dict[str, Any]] = {
    "words in capitals": {"TRUE": True, "FALSE": False, "NULL": None},
    "words of Python": {"True": True, "False": False, "None": None},
    "words of YAML": {"yes": True, "no": False},
    "undefined": {"undefined": None},
    "words cut off": {"tru": True, "fals": False, "nul": None},
    "dots": {"...": None},
}
_OTHER_ESCAPES: dict[str, tuple[str, Any]] = {
    "escape x": (r"x([0-9a-f]{2})", lambda found: chr(int(found[1], 16))),
    "escape of an apostrophe": (r"'", lambda found: "'"),
    "escape of zero": (r"0", lambda found: "\0"),
    "escape a": (r"a", lambda found: "\a"),
    "escape v": (r"v", lambda found: "\v"),
    "escape e": (r"e", lambda found: "\x1b"),
    "escape of any letter": (r"[^bfnrtu\"\\/\n]", lambda found: found[0]),
    "escape U": (r"U([0-9A-F]{8})", lambda found: chr(int(found[1], 16))),
    "escape with braces": (r"u\{([0-9a-f]+)\}", lambda found: chr(int(found[1], 16))),
    "escape of three digits": (r"u([0-9a-f]{3})(?![0-9a-f])", lambda f: chr(int(f[1], 16))),
    "escape without digits": (r"u(?![0-9a-f+{])", lambda found: "u"),
    "escape with a sign": (r"u\+([0-9a-f]{3})", lambda found: chr(int(found[1], 16))),
    "escape that is not hexadecimal": (r"u[0-9a-g]{4}", lambda found: "?"),
    "escape of a line end": (r"\n", lambda found: ""),
}
_COMMENTS = {
    "comments to the end of the line": r"//[^\n]*",
    "comments in the line": r"/\*.*?\*/",
    "comments with a hash": r"\#[^\n]*",
}
_OTHER_WHITE = {
    "no-break space": "\u00a0",
    "form feed": "\f",
    "vertical tab": "\v",
    "line separator": "\u2028",
    "ideographic space": "\u3000",
    "byte order mark": "\ufeff",
    "zero width space": "\u200b",
    "NUL": "\0",
}
_OTHER_QUOTES = {
    "apostrophes": "''",
    "backticks": "``",
    "typographic quotes": "\u201c\u201d",
}
_CONTROLS = {
    "line end": "\n",
    "carriage return": "\r",
    "tab": "\t",
    "NUL": "\0",
    "other control character": "\x1f",
}
#: What may stand in the wrong place, or be missing.
_STRUCTURE = (
    "comma after the last item",
    "comma after the last member",
    "comma without items",
    "comma before the first item",
    "two commas",
    "no comma between items",
    "no comma between members",
    "semicolon as comma",
    "no colon",
    "equals sign as colon",
    "member without a value",
    "value without a key",
    "key without quotes",
    "key of digits",
    "word as key",
    "closed by another bracket",
    "array that stays open",
    "document cut off",
    "strings side by side",
    "sum of strings",
    "triple quotes",
    "string without quotes",
    "anything behind the document",
    "bracket behind the document",
    "comma behind the document",
    "document behind the document",
    "NUL behind the document",
    "control-Z behind the document",
    "anything before the document",
    "numbers beyond a double",
    "duplicate keys",
    "duplicate keys, the first wins",
    "duplicate keys in another spelling",
    "duplicate keys below the first level",
    "duplicate keys that stand apart",
    "duplicate unknown keys",
    "lone surrogates",
    "lone surrogates in keys",
    "lone surrogates as replacement characters",
    "surrogates in reverse",
    "any depth",
    "one level more",
    "any depth of arrays",
    "any depth of objects",
)


def sins() -> list[str]:
    """Return the names of all sins."""
    return [
        *(f"number: {name}" for name in _OTHER_NUMBERS),
        *(f"word: {name}" for name in _OTHER_WORDS),
        *(f"string: {name}" for name in [*_OTHER_ESCAPES, *_OTHER_QUOTES]),
        *(f"bare character: {name}" for name in _CONTROLS),
        *(f"white space: {name}" for name in [*_COMMENTS, *_OTHER_WHITE]),
        *_STRUCTURE,
    ]


class Refused(Exception):  # noqa: N818 - as its message says
    """The text is refused by the lenient parser, too."""


class Lenient:
    """Parses one text, with one sin taken."""

    def __init__(self, text: str, sin: str) -> None:
        self.text, self.at, self.sin = text, 0, sin
        kind, _, name = sin.partition(": ")
        self.number = _OTHER_NUMBERS.get(name) if kind == "number" else None
        self.words = _OTHER_WORDS.get(name, {}) if kind == "word" else {}
        self.escape = _OTHER_ESCAPES.get(name) if kind == "string" else None
        self.quotes = _OTHER_QUOTES.get(name, "") if kind == "string" else ""
        self.bare = _CONTROLS.get(name, "") if kind == "bare character" else ""
        self.white, self.comment = _WHITE, None
        if kind == "white space":
            self.white += _OTHER_WHITE.get(name, "")
            self.comment = _COMMENTS.get(name)

    def document(self) -> Any:
        """Return the value of the whole text."""
        if self.sin == "anything before the document":
            self.at = max(self.text.find("{"), 0)
        self.skip()
        value = self.value(0)
        self.skip()
        rest = self.text[self.at :]
        taken = {
            "anything behind the document": bool(rest),
            "bracket behind the document": rest.strip() in ("}", "]"),
            "comma behind the document": rest.strip() == ",",
            "document behind the document": rest.strip() in ("{}", "null"),
            "NUL behind the document": rest.strip() == "\0",
            "control-Z behind the document": rest.strip() == "\x1a",
        }
        if rest and not taken.get(self.sin, False):
            raise Refused
        return value

    def skip(self) -> None:
        while self.at < len(self.text):
            if self.text[self.at] in self.white:
                self.at += 1
                continue
            found = (
                re.compile(self.comment, re.S).match(self.text, self.at) if self.comment else None
            )
            if found is None:
                return
            self.at = found.end()

    def peek(self) -> str:
        self.skip()
        return self.text[self.at : self.at + 1]

    def take(self, token: str) -> bool:
        if self.peek() != token:
            return False
        self.at += 1
        return True

    def match(self, pattern: str | re.Pattern[str]) -> re.Match[str] | None:
        found = re.compile(pattern).match(self.text, self.at)
        if found:
            self.at = found.end()
        return found

    def deep(self, depth: int, kind: str) -> None:
        most = 65 if self.sin == "one level more" else 64
        if self.sin in ("any depth", f"any depth of {kind}"):
            most = 10_000
        if depth > most:
            raise Refused

    def value(self, depth: int) -> Any:
        first = self.peek()
        if first == "{":
            self.deep(depth + 1, "objects")
            return self.object(depth + 1)
        if first == "[":
            self.deep(depth + 1, "arrays")
            return self.array(depth + 1)
        if first == '"' or (self.quotes and first == self.quotes[0]):
            return self.strings()
        if self.number and (found := self.match(self.number[0])):
            return self.number[1](found[0])
        for word, meaning in {**_WORDS, **self.words}.items():
            if self.match(rf"{re.escape(word)}(?!\w)"):
                return meaning
        if found := self.match(_NUMBER):
            return self.read_number(found[0])
        if self.sin == "string without quotes" and (found := self.match(r"[a-z]+")):
            return found[0]
        raise Refused

    def read_number(self, text: str) -> Any:
        integral = re.fullmatch("-?[0-9]+", text)
        value = int(text) if integral and len(text) < 4000 else float(text)
        if abs(value) > 1.7976931348623157e308:
            if self.sin == "numbers beyond a double":
                return 1.7976931348623157e308
            raise Refused
        return value

    def strings(self) -> str:
        if self.sin == "triple quotes" and (found := self.match(r'"""(.*?)"""')):
            return found[1]
        text = self.string()
        while self.sin == "strings side by side" and self.peek() == '"':
            text += self.string()
        while self.sin == "sum of strings" and self.take("+"):
            self.skip()
            text += self.string()
        return text

    def string(self) -> str:
        end = '"' if self.text[self.at] == '"' else self.quotes[1:]
        self.at += 1
        found: list[str] = []
        while True:
            character = self.text[self.at : self.at + 1]
            if character == "":
                raise Refused
            self.at += 1
            if character == end:
                break
            if character == "\\":
                found.append(self.escaped())
            elif character < " " and character != self.bare:
                raise Refused
            else:
                found.append(character)
        return self.whole("".join(found))

    def escaped(self) -> str:
        if self.escape and (found := self.match(self.escape[0])):
            return str(self.escape[1](found))
        if found := self.match(r'["\\/bfnrt]'):
            return _ESCAPES[found[0]]
        if found := self.match(r"u([0-9a-fA-F]{4})"):
            return chr(int(found[1], 16))
        raise Refused

    def whole(self, text: str) -> str:
        """Join the halves of surrogate pairs."""
        joined = (
            text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "surrogatepass")
            if not re.search("[\ud800-\udfff]", text)
            else _paired(text)
        )
        if re.search("[\ud800-\udfff]", joined):
            if self.sin == "surrogates in reverse" and re.fullmatch(
                "[\udc00-\udfff][\ud800-\udbff]", joined
            ):
                return _paired(joined[::-1])
            taken = self.sin.startswith("lone surrogates")
            if not taken or (self.sin.endswith("keys") and joined != "\ud83d"):
                raise Refused
            return re.sub("[\ud800-\udfff]", "\ufffd", joined)
        return joined

    def array(self, depth: int) -> list[Any]:
        self.at += 1
        items: list[Any] = []
        sin = self.sin
        if sin == "comma without items" and self.match(r"\s*,\s*(?=\])"):
            pass
        if sin == "comma before the first item":
            self.take(",")
        if self.take("]"):
            return items
        while True:
            items.append(self.value(depth))
            if self.take("]"):
                return items
            if sin == "closed by another bracket" and self.take("}"):
                return items
            if sin == "array that stays open" and self.peek() in ("}", ""):
                return items
            if not self.comma() and sin != "no comma between items":
                raise Refused
            if sin == "two commas":
                self.take(",")
            if sin == "comma after the last item" and self.take("]"):
                return items

    def comma(self) -> bool:
        return self.take(",") or (self.sin == "semicolon as comma" and self.take(";"))

    def object(self, depth: int) -> dict[str, Any]:
        self.at += 1
        members: list[tuple[str, str, Any]] = []
        sin = self.sin
        if self.take("}"):
            return {}
        while True:
            start = self.at
            key = self.key()
            raw = self.text[start : self.at].strip()
            if not self.colon() and key is not None:
                raise Refused
            if sin == "member without a value" and self.peek() in "},":
                value = None
            elif key is None:
                value = self.value(depth)
            else:
                value = self.value(depth)
            members.append((key or "", raw, value))
            if self.take("}"):
                break
            if sin == "document cut off" and self.peek() == "":
                break
            if not self.comma() and sin != "no comma between members":
                raise Refused
            if sin == "document cut off" and self.peek() == "":
                break
            if sin == "comma after the last member" and self.take("}"):
                break
        return self.unique(members, depth)

    def key(self) -> str | None:
        first = self.peek()
        if first == '"' or (self.quotes and first == self.quotes[0]):
            return self.string()
        if self.sin == "key without quotes" and (found := self.match(r"[a-z_]+")):
            return found[0]
        if self.sin == "key of digits" and (found := self.match(r"[0-9]+")):
            return found[0]
        if self.sin == "word as key" and (found := self.match(r"null|true|false")):
            return found[0]
        if self.sin == "value without a key":
            return None
        raise Refused

    def colon(self) -> bool:
        if self.take(":"):
            return True
        if self.sin == "equals sign as colon":
            return self.take("=")
        return self.sin == "no colon"

    def unique(self, members: list[tuple[str, str, Any]], depth: int) -> dict[str, Any]:
        found: dict[str, Any] = {}
        spelled: dict[str, str] = {}
        last = ""
        for key, raw, value in members:
            if key in found:
                taken = {
                    "duplicate keys": True,
                    "duplicate keys, the first wins": True,
                    "duplicate keys in another spelling": spelled[key] != raw,
                    "duplicate keys below the first level": depth > 1,
                    "duplicate keys that stand apart": last != key,
                    "duplicate unknown keys": key not in ("version", "status", "preset"),
                }
                if not taken.get(self.sin, False):
                    raise Refused
            if key not in found or self.sin != "duplicate keys, the first wins":
                found[key] = value
            spelled.setdefault(key, raw)
            last = key
        return found


def _paired(text: str) -> str:
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "surrogatepass")
