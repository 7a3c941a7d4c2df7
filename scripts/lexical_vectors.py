r"""Texts of JSON documents, byte for byte: what a strict reader refuses, and what it must take.

Each probe is a document in which one thing is written otherwise. A probe stands where nothing but
the text of the document decides: in a member without a meaning, or in one that any client shows.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

#: The text of a document with a place for a number, for a string and for a member. The last two
#: are shown by a reader.
TEMPLATES: dict[str, str] = {
    "request.v1": (
        '{"version": 1, "preset": "fast", "dataset": {"path": "data/iris.csv", "label_column":'
        ' "species"}, "model": {"family": "random_forest", "hyperparameters": {"max_depth":'
        ' <NUMBER>}}, "device": {"type": "cpu"}, "created_at": "2026-02-01T12:00:00Z",'
        ' "created_by": "probe@1.0", "name": <STRING><MEMBER>}\n'
    ),
    "result.v1": (
        '{"version": 1, "status": "failed", "duration_ms": 12, "summary": {"metrics": {"r2":'
        ' <NUMBER>}}, "error": {"type": "ValueError", "message": <STRING>}<MEMBER>}\n'
    ),
}


class Probe(NamedTuple):
    """One way to write a document."""

    name: str
    description: str
    requirement: str
    #: What stands in the template's places, if not something plain.
    number: str = "5"
    string: str = '"plain"'
    member: str = ""
    #: What is exchanged in the whole text, and what is put before and behind it.
    exchanged: tuple[tuple[str, str], ...] = ()
    before: bytes = b""
    behind: bytes = b""
    encoding: str = "utf-8"
    #: What is exchanged in the bytes.
    raw: tuple[tuple[bytes, bytes], ...] = ()
    #: The codes of a refusal, or nothing for what must be taken.
    codes: tuple[str, ...] = ()
    #: What the string or the number means, if the probe must be taken.
    means: Any = None

    def text(self, document: str) -> bytes:
        """Return the bytes of a document that is written this way."""
        text = TEMPLATES[document]
        for place, instead in (
            ("<NUMBER>", self.number),
            ("<STRING>", self.string),
            ("<MEMBER>", self.member),
            *self.exchanged,
        ):
            text = text.replace(place, instead)
        data = text.encode(self.encoding)
        for old, new in self.raw:
            assert old in data, self.name
            data = data.replace(old, new, 1)
        return self.before + data + self.behind


_INVALID = ("JSON_INVALID",)
_NUMBER = ("JSON_INVALID", "JSON_NUMBER_INVALID")
_TEXT = ("JSON_INVALID", "JSON_STRING_INVALID")
_ENCODING = ("JSON_ENCODING_INVALID", "JSON_INVALID")


def _numbers() -> Iterator[Probe]:
    refused = {
        "point-without-fraction": "5.",
        "point-without-integer": ".5",
        "plus-sign": "+5",
        "two-signs": "--5",
        "sign-and-blank": "- 5",
        "leading-zeros": "007",
        "negative-leading-zero": "-05",
        "exponent-without-digits": "5e",
        "exponent-with-a-sign-alone": "5e+",
        "exponent-with-a-point": "5e1.5",
        "hexadecimal": "0x10",
        "octal": "0o17",
        "binary": "0b11",
        "underscore": "1_000",
        "decimal-comma": "0,5",
        "letter-behind": "5f",
        "big-suffix": "5n",
        "fullwidth-digit": "\uff15",
        "arabic-digit": "\u0665",
        "minus-infinity": "-Infinity",
        "short-infinity": "Inf",
        "small-nan": "nan",
    }
    for name, text in refused.items():
        yield Probe(
            f"number-{name}",
            f"`{text}` is no number of JSON.",
            "json.invalid",
            number=text,
            codes=_NUMBER,
        )
    for name, text in {
        "beyond-double": "1e309",
        "beyond-double-negative": "-1.8e308",
        "beyond-double-in-digits": "1" + "0" * 309,
    }.items():
        yield Probe(
            f"number-{name}",
            "A number that no double holds is refused.",
            "json.number-invalid",
            number=text,
            codes=("JSON_NUMBER_INVALID",),
        )
    for name, text, value in (
        ("capital-exponent", "5E1", 50),
        ("exponent-with-plus", "5e+1", 50),
        ("exponent-with-zeros", "5e0001", 50),
        ("negative-exponent", "50e-1", 5),
        ("negative-zero", "-0", 0),
        ("negative-zero-with-point", "-0.0", 0),
        ("too-small-for-a-double", "1e-400", 0),
        ("largest-double", "1.7976931348623157e308", 1.7976931348623157e308),
        ("smallest-double", "5e-324", 5e-324),
        ("seventeen-digits", "0.30000000000000004", 0.30000000000000004),
        ("many-digits", "0.1000000000000000055511151231257827", 0.1),
        ("more-than-32-bits", "4294967297", 4294967297),
        ("more-than-single-precision", "16777217", 16777217),
        ("largest-safe-integer", "9007199254740991", 9007199254740991),
        ("more-than-53-bits", "9007199254740994", 9007199254740994),
        ("more-than-64-bits", "36893488147419103232", 36893488147419103232),
    ):
        yield Probe(
            f"number-{name}",
            f"`{text}` is a number.",
            "json.integral",
            number=text,
            means=("number", value),
        )


def _strings() -> Iterator[Probe]:
    for name, text in {
        "escape-x": r'"\x41"',
        "escape-apostrophe": r'"it\'s"',
        "escape-zero": r'"\0"',
        "escape-a": r'"\a"',
        "escape-v": r'"\v"',
        "escape-e": r'"\e"',
        "escape-capital-n": r'"\N"',
        "escape-capital-u": r'"\U0001F600"',
        "escape-braces": r'"\u{41}"',
        "escape-three-digits": r'"\u041"',
        "escape-no-digits": r'"\u"',
        "escape-not-hexadecimal": r'"\u00g0"',
        "escape-with-sign": r'"\u+041"',
        "escape-of-line-end": '"one\\\ntwo"',
        "line-end": '"one\ntwo"',
        "carriage-return": '"one\rtwo"',
        "tab": '"one\ttwo"',
        "nul": '"one\0two"',
        "unit-separator": '"one\x1ftwo"',
        "apostrophes": "'plain'",
        "backticks": "`plain`",
        "triple-quotes": '"""plain"""',
        "typographic-quotes": "\u201cplain\u201d",
        "no-quotes": "plain",
        "two-strings": '"pl" "ain"',
        "sum-of-strings": '"pl" + "ain"',
    }.items():
        yield Probe(
            f"string-{name}", "It is no string of JSON.", "json.invalid", string=text, codes=_TEXT
        )
    for name, text in {
        "high-surrogate": r'"\ud83d"',
        "low-surrogate": r'"\ude00"',
        "surrogates-in-reverse": r'"\ude00\ud83d"',
        "high-surrogate-before-text": r'"\ud83dx\ude00"',
        "two-high-surrogates": r'"\ud83d\ud83d\ude00"',
    }.items():
        yield Probe(
            f"string-{name}",
            "Half of a surrogate pair is no text.",
            "json.string-invalid",
            string=text,
            codes=_TEXT,
        )
    yield Probe(
        "key-high-surrogate",
        "Half of a surrogate pair is no text, in a key neither.",
        "json.string-invalid",
        member=r', "\ud83d": 1',
        codes=_TEXT,
    )
    for name, text, value in (
        ("every-escape", r'"\"\\\/\b\f\n\r\t\u0000\u001F"', '"\\/\b\f\n\r\t\0\x1f'),
        ("surrogate-pair", r'"\uD83D\uDE00\ud83d\ude00"', "\U0001f600\U0001f600"),
        ("escaped-letters", r'"\u0041\u00e4\u4E2D"', "A\u00e4\u4e2d"),
        ("escaped-backslash-before-u", r'"\\u0041"', r"\u0041"),
        ("line-separators", '"one\u2028two\u2029three"', "one\u2028two\u2029three"),
        ("delete-character", '"one\x7f\x80two"', "one\x7f\x80two"),
        ("noncharacters", '"\ufffe\uffff\U0010ffff"', "\ufffe\uffff\U0010ffff"),
        ("byte-order-mark", '"\ufeffplain"', "\ufeffplain"),
        ("not-composed", '"e\u0301 \u212b \ufb01"', "e\u0301 \u212b \ufb01"),
        ("blanks-around", '"  plain\u00a0\u3000 "', "  plain\u00a0\u3000 "),
        ("like-json", r'"[1,2,]// {\"a\":NaN} /*"', '[1,2,]// {"a":NaN} /*'),
        ("apostrophe", '"it\'s"', "it's"),
        ("of-64-kibibytes", '"' + "x" * 65536 + '"', "x" * 65536),
    ):
        yield Probe(
            f"string-{name}",
            "It is a string.",
            "json.invalid",
            string=text,
            means=("string", value),
        )


def _structure() -> Iterator[Probe]:
    for name, description, member in (
        ("comma-in-array", "A comma after the last item is refused.", ', "x": [1, 2,]'),
        ("comma-in-object", "A comma after the last member is refused.", ', "x": {"a": 1,}'),
        ("comma-alone", "A comma without items is refused.", ', "x": [,]'),
        ("comma-first", "A comma before the first item is refused.", ', "x": [, 1]'),
        ("two-commas", "Two commas are refused.", ', "x": [1,, 2]'),
        ("no-comma", "Items without a comma are refused.", ', "x": [1 2]'),
        ("no-comma-in-object", "Members without a comma are refused.", ', "x": {"a": 1 "b": 2}'),
        ("semicolon", "A semicolon is no comma.", ', "x": [1; 2]'),
        ("no-colon", "A member without a colon is refused.", ', "x" 1'),
        ("equals-sign", "An equals sign is no colon.", ', "x" = 1'),
        ("no-value", "A member without a value is refused.", ', "x":'),
        ("no-key", "A value without a key is refused.", ", 1"),
        ("key-without-quotes", "A key without quotes is refused.", ", x: 1"),
        ("key-in-apostrophes", "A key in apostrophes is refused.", ", 'x': 1"),
        ("key-of-digits", "A number is no key.", ", 1: 1"),
        ("key-null", "A word is no key.", ", null: 1"),
        ("brackets-crossed", "A bracket that another closes is refused.", ', "x": [1}'),
        ("array-open", "An array that stays open is refused.", ', "x": [1'),
        ("comment-to-line-end", "A comment is refused.", ', "x": 1 // one\n'),
        ("comment-in-the-line", "A comment is refused.", ', "x": /* one */ 1'),
        ("comment-with-hash", "A comment is refused.", ', "x": 1 # one\n'),
        ("true-in-capitals", "`TRUE` is no word of JSON.", ', "x": TRUE'),
        ("true-of-python", "`True` is no word of JSON.", ', "x": True'),
        ("none-of-python", "`None` is no word of JSON.", ', "x": None'),
        ("null-in-capitals", "`NULL` is no word of JSON.", ', "x": NULL'),
        ("yes", "`yes` is no word of JSON.", ', "x": yes'),
        ("undefined", "`undefined` is no word of JSON.", ', "x": undefined'),
        ("word-cut-off", "`tru` is no word of JSON.", ', "x": tru'),
        ("word-too-long", "`nullx` is no word of JSON.", ', "x": nullx'),
        ("dots", "Dots for what is left out are refused.", ', "x": [1, ...]'),
        ("no-break-space", "A no-break space is no white space of JSON.", ', "x":\u00a01'),
        ("form-feed", "A form feed is no white space of JSON.", ', "x":\f1'),
        ("vertical-tab", "A vertical tab is no white space of JSON.", ', "x":\v1'),
        ("line-separator", "A line separator is no white space of JSON.", ', "x":\u20281'),
        ("ideographic-space", "An ideographic space is no white space.", ', "x":\u30001'),
        ("byte-order-mark-inside", "A byte order mark is no white space.", ', "x":\ufeff1'),
        ("zero-width-space", "A zero width space is no white space.", ', "x":\u200b1'),
        ("nul-between", "A NUL is no white space.", ', "x":\x001'),
    ):
        yield Probe(name, description, "json.invalid", member=member, codes=_NUMBER)
    for name, text in {
        "cut-off-before-the-end": "\n",
        "cut-off-after-a-comma": ",\n",
        "cut-off-after-a-key": ', "x"\n',
        "cut-off-after-a-colon": ', "x":\n',
        "cut-off-in-a-string": ', "x": "y\n',
        "cut-off-in-a-word": ', "x": tr\n',
    }.items():
        description = "A document that is cut off is refused."
        cut = (("}\n", text),)
        yield Probe(name, description, "json.invalid", exchanged=cut, codes=_INVALID)
    yield Probe(
        "white-space-before",
        "White space may stand before the document.",
        "json.invalid",
        before=b" \t\r\n",
        means=("string", "plain"),
    )
    for name, behind in {
        "brace-behind": b"}",
        "comma-behind": b",",
        "document-behind": b"{}\n",
        "word-behind": b"null\n",
        "nul-behind": b"\0",
        "control-z-behind": b"\x1a",
        "comment-behind": b"// end\n",
    }.items():
        description = "What stands behind the document is refused."
        yield Probe(name, description, "json.invalid", behind=behind, codes=_INVALID)
    for name, before in {
        "text-before": b"x = ",
        "guard-before": b")]}',\n",
        "comment-before": b"/* RunForge */\n",
        "no-break-space-before": b"\xc2\xa0",
        "two-byte-order-marks": b"\xef\xbb\xbf\xef\xbb\xbf",
        "blank-before-byte-order-mark": b" \xef\xbb\xbf",
    }.items():
        description = "What stands before the document is refused."
        yield Probe(name, description, "json.invalid", before=before, codes=_INVALID)
    for name, description, member in (
        ("same-key", "A key that stands twice is refused.", ', "x": 1, "x": 1'),
        (
            "same-key-by-escape",
            "A key is the same if an escape spells it.",
            r', "x": 1, "\u0078": 2',
        ),
        ("same-key-by-both-escapes", "A key is the same in any spelling.", r', "\/": 1, "/": 2'),
        (
            "same-key-deep",
            "A key that stands twice is refused.",
            ', "x": [[{"y": {"z": 1, "z": 2}}]]',
        ),
        ("same-empty-key", "The empty key is a key.", ', "": 1, "": 2'),
        ("same-key-apart", "A key that stands twice is refused.", ', "x": 1, "y": 2, "x": 3'),
        (
            "same-key-prototype",
            "A key that stands twice is refused.",
            ', "__proto__": 1, "__proto__": 2',
        ),
    ):
        yield Probe(
            name, description, "json.duplicate-key", member=member, codes=("JSON_DUPLICATE_KEY",)
        )
    yield Probe(
        "same-key-of-a-known-member",
        "A known member that an escape spells again is refused.",
        "json.duplicate-key",
        member=r', "versio\u006e": 1',
        codes=("JSON_DUPLICATE_KEY",),
    )
    for name, description, member in (
        ("keys-that-differ-in-case", "Keys that differ in case differ.", ', "x": 1, "X": 2'),
        (
            "keys-that-differ-in-form",
            "Keys of other code points differ.",
            ', "\u00e4": 1, "a\u0308": 2',
        ),
        ("keys-that-differ-in-blanks", "Keys that differ in a blank differ.", ', "x": 1, "x ": 2'),
        ("keys-alike-in-a-nul", "A NUL ends no key.", r', "x\u0000a": 1, "x\u0000b": 2'),
        ("empty-key", "The empty key is a key.", ', "": {"": []}'),
        ("white-space", "White space may stand between all.", ' \t\r\n, \t\r\n"x" : [ 1 , { } ] '),
        ("no-white-space", "White space may be absent.", ',"x":[1,{"y":null}]'),
        ("deep-enough", "A document may be 64 levels deep.", ', "x": ' + "[" * 63 + "]" * 63),
        (
            "deep-in-objects",
            "A document may be 64 levels deep.",
            ', "x": ' + '{"y":' * 62 + "{}" + "}" * 62,
        ),
        (
            "brackets-in-a-string",
            "Brackets in a string are no levels.",
            ', "x": "' + "[{" * 99 + '"',
        ),
        (
            "many-brackets-side-by-side",
            "Only nested brackets are levels.",
            ', "x": [' + "[]," * 99 + "{}]",
        ),
    ):
        yield Probe(name, description, "json.invalid", member=member, means=("string", "plain"))
    for name, member in (
        ("too-deep", ', "x": ' + "[" * 64 + "]" * 64),
        ("too-deep-in-objects", ', "x": ' + '{"y":' * 63 + "{}" + "}" * 63),
        ("too-deep-in-both", ', "x": ' + '[{"y":' * 32 + "1" + "}]" * 32),
    ):
        description = "A document that is 65 levels deep is refused."
        yield Probe(name, description, "json.too-deep", member=member, codes=("JSON_TOO_DEEP",))


def _encodings() -> Iterator[Probe]:
    mark = b'"plain"'
    for name, instead in {
        "overlong-slash": b'"\xc0\xaf"',
        "overlong-nul": b'"\xc0\x80"',
        "overlong-three-bytes": b'"\xe0\x80\xaf"',
        "surrogates-in-utf-8": b'"\xed\xa0\xbd\xed\xb8\x80"',
        "beyond-unicode": b'"\xf4\x90\x80\x80"',
        "five-bytes": b'"\xf8\x88\x80\x80\x80"',
        "continuation-alone": b'"\x80"',
        "sequence-cut-off": b'"\xe4\xb8"',
        "byte-ff": b'"\xff"',
        "latin-1-letter": b'"caf\xe9"',
    }.items():
        yield Probe(
            f"encoding-{name}",
            "Bytes that are no UTF-8 are refused.",
            "json.encoding-invalid",
            raw=((mark, instead),),
            codes=_ENCODING,
        )
    for name in ("utf-16-le", "utf-16-be", "utf-32-le"):
        mark_of = {"utf-16-le": b"\xff\xfe", "utf-16-be": b"\xfe\xff", "utf-32-le": b"\xff\xfe\0\0"}
        yield Probe(
            f"encoding-{name}",
            "Only UTF-8 is read, whatever a byte order mark says.",
            "json.encoding-invalid",
            encoding=name,
            before=mark_of[name],
            codes=_ENCODING,
        )
    yield Probe(
        "encoding-utf-16-without-mark",
        "Only UTF-8 is read.",
        "json.encoding-invalid",
        encoding="utf-16-le",
        codes=_ENCODING,
    )
    yield Probe(
        "byte-order-mark-and-white-space",
        "White space may follow a byte order mark.",
        "json.bom",
        before=b"\xef\xbb\xbf \r\n\t",
        behind=b" \r\n\t\n",
        means=("string", "plain"),
    )


def probes() -> list[Probe]:
    """Return every probe."""
    return [*_numbers(), *_strings(), *_structure(), *_encodings()]


def lexical_topic(document: str) -> dict[str, Any]:
    """Return the cases of a document about its text."""
    cases = []
    for probe in probes():
        expect: dict[str, Any] = {"outcome": "rejected" if probe.codes else "accepted"}
        if probe.codes:
            expect["codes"] = list(probe.codes)
        else:
            expect["view"] = _view(document, *probe.means)
        cases.append(
            {
                "id": f"{document}/lexical/{probe.name}",
                "description": probe.description,
                "requirement": probe.requirement,
                "since": "0.4.0",
                "op": "read",
                "document": document,
                "input": {"file": f"raw/{document}/lexical/{probe.name}.json"},
                "expect": expect,
            }
        )
    why = "A string that two parsers read differently is two documents."
    return {"title": f"The text of {document}, character by character", "why": why, "cases": cases}


def _view(document: str, kind: str, value: Any) -> dict[str, Any]:
    if document == "request.v1":
        return {"hyperparameters": {"max_depth": value}} if kind == "number" else {"name": value}
    if kind == "number":
        return {"primary_metric": {"name": "r2", "value": value}}
    return {"error": {"message": value}}
