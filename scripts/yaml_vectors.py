r"""Texts of YAML documents, byte for byte: what a reader refuses, and what it must take as what."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

DOCUMENT = "tfc.config.v1"
HEAD = "run_id: run-2026-02-01-001\nexperiment: exp-001\nmodel: resnet50:v1\ndataset: cifar10:v1\n"


class Probe(NamedTuple):
    """A document of YAML that is written in one way."""

    name: str
    description: str
    requirement: str
    body: str
    #: The codes of a refusal, or nothing for what must be taken.
    codes: tuple[str, ...] = ()
    before: str = ""

    def text(self) -> bytes:
        """Return the bytes of the document."""
        return (self.before + HEAD + self.body).encode("utf-8", "surrogatepass")


def _values(name: str, description: str, *items: str) -> Probe:
    body = "".join(f"  - {item}\n" for item in items)
    return Probe(name, description, "yaml.core-schema", f"values:\n{body}")


def _words(text: str) -> list[str]:
    return text.split()


def _taken() -> Iterator[Probe]:
    yield _values(
        "words-that-are-texts",
        "Only `true` and `false` are truth values.",
        *_words("y Y yes Yes YES n N no No NO on On ON off Off OFF"),
        *_words("tRUE fALSE nULL none None NONE nil undefined NaN nan inf Infinity -inf Nan"),
    )
    yield _values(
        "numbers-that-are-texts",
        "What is a number in other versions of YAML or in other languages is a string.",
        *_words("1_000 0b101 1:30 190:20:30.15 0x 0o8 1e e1 1.2.3 -0x1F +0o7 0X1F 0O7 0.1f"),
        *_words("1__0 - + . 5-5 1,5 12e3x 1e5.5 --5 +-5 0xg 1E ..5 5..")[1:],
    )
    yield _values(
        "numbers",
        "Numbers are read by the core schema.",
        *_words("010 -010 00 0o17 0x1F 0xff +5 -5 .5 5. -.5 +.5 1e3 1E3 1e+3 1.e3 5.0 -0 -0.0"),
        *_words("9007199254740991 12345678901234567890 0.30000000000000004 1e-400 5e-324"),
        "1.7976931348623157e308",
    )
    yield _values(
        "nothing-and-truth",
        "Nothing and the truth values are read by the core schema.",
        *_words("~ null Null NULL true True TRUE false False FALSE"),
        "",
    )
    yield _values(
        "quoted-values",
        "What is in quotes is a string.",
        *('"5"', "'5'", '"null"', "'~'", '"true"', "''", '""', "'1e3'", "'0x1F'", "'.5'"),
        *('"yes"', "'2026-02-01'", "'.nan'", "'<<'", "'!a'", "'*a'", "'&a'", "'# a'"),
    )
    yield _values(
        "dates-that-are-texts",
        "There are no dates.",
        *("2026-02-01", "2026-02-01T12:00:00Z", "2026-02-01 12:00:00", "2026-2-1", "12:30:45"),
    )
    yield _values(
        "plain-texts",
        "A plain text may hold most characters.",
        *("a#b", "a:b", "http://example.org/?a=b&c", "-a", "?a", ":a", "a - b", "a, b", "a[0]"),
        *("a{b}", "it's", 'say "no"', "a  b", "100%", "a*b", "a&b", "a!b", "a|b", "a>b", "~a"),
        *("gr\u00f6\u00dfe \U0001f600", "a\\nb", "5 apples", "+a", ".a", "=", "a   # comment"),
    )
    yield _values(
        "double-quoted-escapes",
        "Escapes in double quotes mean what YAML says.",
        r'"\x41\u00e4\U0001F600"',
        r'"\0\a\b\t\n\v\f\r\e"',
        r'"\ \"\/\\"',
        r'"\N\_\L\P"',
        r'"a\	b"',
        r"'a\nb'",
        r"'it''s'",
    )
    yield Probe(
        "text-of-several-lines",
        "Lines are folded, kept or joined, as the style says.",
        "yaml.core-schema",
        "values:\n"
        "  - one\n    two\n\n    three\n"
        '  - "one\n    two\n\n    three \\\n    four"\n'
        "  - 'one\n    two\n\n    three'\n"
        "  - >\n    one\n    two\n\n      three\n    four\n\n"
        "  - >-\n    one\n    two\n\n"
        "  - >+\n    one\n    two\n\n"
        "  - |\n    one\n      two\n\n    # three\n\n"
        "  - |-\n    one\n\n"
        "  - |+\n    one\n\n"
        "  - |2\n      one\n    two\n"
        "  - last\n",
    )
    yield Probe(
        "flow-collections",
        "Flow collections may be nested, and end with a comma.",
        "yaml.core-schema",
        'values: {a: [1, two, "three", [4,], {b: }], c: {}, d: [], "e": {f, g: 1,}, h: [i: 1]}\n',
    )
    yield Probe(
        "block-collections",
        "Block collections may be nested, with or without indentation.",
        "yaml.core-schema",
        "values:\n- 1\n- - 2\n  - 3\n- a: 4\n  b:\n  - 5\n-\n  c: 6\n- - d: 7\n"
        "other:\n   e:\n     f: 8\n",
    )
    yield Probe(
        "keys",
        "Keys are texts in any style.",
        "yaml.core-schema",
        'values:\n  "5": 1\n  \'true\': 2\n  ? a\n  : 3\n  "": 4\n  "<<": 5\n  yes: 6\n'
        '  2026-02-01: 7\n  a b: 8\n  a:b: 9\n  1_0: 10\n  x : 11\n  "y" : 12\n',
    )
    yield Probe(
        "anchors",
        "An alias stands for the value with the anchor last given before it.",
        "yaml.core-schema",
        "values:\n  a: &x one\n  b: *x\n  c: &x [1, 2]\n  d: *x\n  e: &y {f: &z , g: *z}\n  h: *y\n"
        "  &k i: 1\n  j: *k\n",
    )
    yield Probe(
        "comments",
        "Comments may stand at the end of lines and between them.",
        "yaml.core-schema",
        "# one\nvalues: # two\n  # three\n  - a # four\n# five\n  - 'b' # six\n  - [c, # seven\n"
        "    d]\n",
    )
    yield Probe(
        "markers",
        "A document may have a start and an end.",
        "yaml.core-schema",
        "values: 1\n...\n# the end\n",
        before="# the start\n---\n",
    )
    yield Probe(
        "no-last-line-end", "The last line may lack its end.", "yaml.core-schema", "values: 5"
    )
    yield Probe(
        "line-ends-of-windows",
        "Lines may end as on Windows.",
        "yaml.core-schema",
        'values:\r\n  - |\r\n    a\r\n    b\r\n  - "a\r\n    b"\r\n',
    )
    yield Probe(
        "deep-enough",
        "A document may be 64 levels deep.",
        "yaml.core-schema",
        "values: " + "[" * 63 + "]" * 63 + "\n",
    )
    yield Probe(
        "keys-apart",
        "The same key may stand in several mappings.",
        "yaml.core-schema",
        "values: [{a: 1}, {a: 2}, {A: 3, a: 4}]\n",
    )


def _refused() -> Iterator[Probe]:
    def these(requirement: str, codes: tuple[str, ...], why: str, **texts: str) -> Iterator[Probe]:
        for name, text in texts.items():
            yield Probe(name.replace("_", "-"), why, requirement, f"values: {text}\n", codes)

    yield from these(
        "yaml.tag-refused",
        ("YAML_TAG_REFUSED", "YAML_INVALID"),
        "A tag is refused.",
        tag_str="!!str 5",
        tag_int="!!int '5'",
        tag_map="!!map {a: 1}",
        tag_seq="!!seq [1]",
        tag_binary="!!binary aGVsbG8=",
        tag_timestamp="!!timestamp 2026-02-01",
        tag_set="!!set {a, b}",
        tag_local="!local 5",
        tag_alone="! 5",
        tag_in_full="!<tag:yaml.org,2002:str> 5",
        tag_on_an_item="[1, !!str 2]",
        tag_on_a_key="{!!str a: 1}",
        tag_of_python="!!python/name:os.system ''",
    )
    yield Probe(
        "tag-directive",
        "A directive that declares tags is refused.",
        "yaml.tag-refused",
        "values: 5\n",
        ("YAML_TAG_REFUSED", "YAML_INVALID"),
        before="%TAG ! tag:example.org,2026:\n---\n",
    )
    yield from these(
        "yaml.key-invalid",
        ("YAML_KEY_INVALID", "YAML_INVALID"),
        "A key that is no text is refused.",
        key_integer="{5: 1}",
        key_hexadecimal="{0x1F: 1}",
        key_fraction="{1.5: 1}",
        key_true="{true: 1}",
        key_false_in_capitals="{FALSE: 1}",
        key_null="{null: 1}",
        key_tilde="{~: 1}",
        key_empty="{: 1}",
        key_sequence="{[a]: 1}",
        key_mapping="{{a: 1}: 1}",
        key_alias_of_a_number="{a: &x 5, *x : 1}",
        key_merge="{<<: {a: 1}}",
        key_merge_of_several="{<<: [{a: 1}, {b: 2}]}",
        key_merge_of_nothing="{<<: {}}",
    )
    yield from these(
        "yaml.duplicate-key",
        ("YAML_DUPLICATE_KEY", "YAML_INVALID"),
        "A key that stands twice is refused.",
        same_key="{a: 1, a: 1}",
        same_key_in_quotes="{a: 1, 'a': 2}",
        same_key_by_escape='{a: 1, "\\x61": 2}',
        same_key_by_alias="{&x a: 1, *x : 2}",
        same_key_apart="{a: 1, b: 2, a: 3}",
        same_key_deep="[[{a: {b: 1, b: 2}}]]",
        same_empty_key="{'': 1, \"\": 2}",
    )
    yield Probe(
        "same-key-in-blocks",
        "A key that stands twice is refused.",
        "yaml.duplicate-key",
        "values:\n  a: 1\n  b:\n    a: 1\n  a: 2\n",
        ("YAML_DUPLICATE_KEY", "YAML_INVALID"),
    )
    yield from these(
        "yaml.number-invalid",
        ("YAML_NUMBER_INVALID",),
        "A number that no double holds is refused.",
        infinity=".inf",
        infinity_in_capitals=".INF",
        infinity_with_plus="+.inf",
        infinity_with_minus="-.Inf",
        not_a_number=".nan",
        not_a_number_in_capitals=".NAN",
        beyond_double="1e309",
        beyond_double_in_digits="1" + "0" * 309,
        beyond_double_hexadecimal="0x1" + "0" * 257,
    )
    yield from these(
        "yaml.invalid",
        ("YAML_INVALID",),
        "What is no YAML is refused.",
        alias_of_nothing="*x",
        alias_before_its_anchor="[*x, &x 1]",
        at_sign="@a",
        backtick="`a`",
        sequence_open="[1, 2",
        mapping_open="{a: 1",
        brackets_crossed="[1}",
        bracket_too_many="[1]]",
        quote_open='"a',
        apostrophe_open="'a",
        text_behind_quotes='"a" b',
        mapping_in_a_value="a: b",
        escape_unknown=r'"\q"',
        escape_cut_off=r'"\x4"',
        two_commas="[1,, 2]",
        comma_first="[, 1]",
        two_anchors="&a &b 1",
        anchor_on_an_alias="[&x 1, &y *x]",
        control_character="a\x07b",
        nul_character="a\x00b",
    )
    for name, body in (
        ("tab-as-indentation", "values:\n\ta: 1\n"),
        ("indentation-too-small", "values:\n    a: 1\n  b: 2\n"),
        ("indentation-too-large", "values: 1\n  b: 2\n"),
        ("item-among-members", "values:\n  a: 1\n  - b\n"),
        ("no-colon", "values\nother: 1\n"),
        ("block-header-wrong", "values: |x\n  a\n"),
        ("text-behind-block-header", "values: | a\n  b\n"),
        ("second-document", "values: 1\n---\nvalues: 2\n"),
        ("second-document-empty", "values: 1\n---\n"),
        ("text-behind-the-end", "values: 1\n...\nmore\n"),
        ("bracket-behind-the-document", "values: 1\n]\n"),
    ):
        # An item among members may be read as a key that is a sequence.
        codes = ("YAML_INVALID", "YAML_KEY_INVALID")
        yield Probe(name, "What is no YAML is refused.", "yaml.invalid", body, codes)
    yield Probe(
        "too-deep",
        "A document that is 65 levels deep is refused.",
        "yaml.too-deep",
        "values: " + "[" * 64 + "]" * 64 + "\n",
        ("YAML_TOO_DEEP",),
    )
    yield Probe(
        "too-deep-by-aliases",
        "The levels of an alias are levels of the document.",
        "yaml.too-deep",
        "values: &a " + "[" * 33 + "]" * 33 + "\nother: " + "[" * 33 + "*a" + "]" * 33 + "\n",
        ("YAML_TOO_DEEP",),
    )
    yield from these(
        "yaml.string-invalid",
        ("YAML_STRING_INVALID", "YAML_INVALID"),
        "Half of a surrogate pair is no text.",
        high_surrogate=r'"\ud83d"',
        low_surrogate=r'"\ude00"',
        surrogate_of_eight_digits=r'"\U0000d83d"',
    )


def probes() -> list[Probe]:
    """Return every probe."""
    return [*_taken(), *_refused()]


def yaml_topic() -> dict[str, Any]:
    """Return the cases about the text of a YAML document."""
    cases = []
    for probe in probes():
        expect: dict[str, Any] = {"outcome": "rejected" if probe.codes else "accepted"}
        if probe.codes:
            expect["codes"] = list(probe.codes)
        cases.append(
            {
                "id": f"{DOCUMENT}/lexical/{probe.name}",
                "description": probe.description,
                "requirement": probe.requirement,
                "since": "0.4.0",
                # What a value was read as shows when it is written.
                "op": "read" if probe.codes else "roundtrip",
                "document": DOCUMENT,
                "input": {"file": f"raw/{DOCUMENT}/lexical/{probe.name}.yaml"},
                "expect": expect,
            }
        )
    why = "YAML has two versions and many readers; a value must not depend on which one reads it."
    return {"title": f"The text of {DOCUMENT}, by value", "why": why, "cases": cases}
