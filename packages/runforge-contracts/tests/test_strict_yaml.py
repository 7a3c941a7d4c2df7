"""The strict reader of YAML and the one way of writing it."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
from pathlib import PurePath
from typing import Any

import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st
from runforge_contracts.codec.strict_json import MAX_DEPTH
from runforge_contracts.codec.strict_yaml import MAX_YAML_BYTES, encode_yaml, parse_yaml
from runforge_contracts.documents import is_yaml
from runforge_contracts.errors import ErrorCode, ExitCode, RunForgeError

TRICKY = (
    "no Yes on y null ~ 1e-4 1e5 0o17 017 1_000 12:30:45 2026-02-01 2026-02-01T12:00:00Z << = 0x1f"
    " .5 .inf -.INF .nan +1 &a *a !a %a @a `a { a, --- ... | a: # penguins:v1 runforge/linear_svc"
    " run-2026-02-01-001 \x00 \x7f \x85 \ufeff \uffff ß 😀"
)
SPACED = ["", "- a", "a: b", "a #b", "a ", " a", "a\nb", "a\r\nb", "\t", "\u2028", "x" * 3000]
texts = st.text() | st.sampled_from([*TRICKY.split(" "), *SPACED])
values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**40), 10**40)
    | st.floats(allow_nan=False, allow_infinity=False)
    | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=20,
)


def text_of(value: Any) -> str:
    """Tell types and signs of zero apart, which equality does not."""
    return json.dumps(value)


@given(values)
@example(1e-05)
@example(1e16)
@example(-0.0)
def test_whatever_is_written_is_read_back_the_same(value: Any) -> None:
    assert text_of(parse_yaml(encode_yaml(value))) == text_of(value)


@given(values)
@example(1e-05)
@example(1e16)
@example("\u2029")
def test_readers_of_yaml_1_1_read_the_same(value: Any) -> None:
    assert text_of(yaml.load(encode_yaml(value), yaml.CSafeLoader)) == text_of(value)
    assert text_of(yaml.load(encode_yaml(value), yaml.SafeLoader)) == text_of(value)


def test_documents_are_written_readably() -> None:
    value = {
        "run_id": "run-2026-02-01-001",
        "dataset": "penguins:v1",
        "started_at": "2026-02-01T12:00:00Z",
        "run": {"command": ["node", "train.js"], "args": []},
        "models": [{"from": "artifacts/model.pkl", "to": "models/penguins.pkl"}],
        "notes": "first try, with\nmore data",
        "learning_rate": 1e-5,
    }
    assert encode_yaml(value).decode() == (
        "run_id: run-2026-02-01-001\n"
        "dataset: penguins:v1\n"
        'started_at: "2026-02-01T12:00:00Z"\n'
        "run:\n"
        "  command:\n"
        "    - node\n"
        "    - train.js\n"
        "  args: []\n"
        "models:\n"
        "  - from: artifacts/model.pkl\n"
        "    to: models/penguins.pkl\n"
        'notes: "first try, with\\nmore data"\n'
        "learning_rate: 1.0e-05\n"
    )


def test_scalars_are_those_of_the_core_schema() -> None:
    text = """
    texts: [no, yes, on, y, 2026-02-01, 2026-02-01T12:00:00Z, 12:30:45]
    more: [1_000, 0b11, =, 0o8, 'null']
    numbers: [1e-4, 0o17, 017, 0x1f, -0, +1.5, .5, 1., 1E3]
    nothing: [~, null, Null, NULL, '']
    empty:
    yes: [true, True, TRUE, false]
    "1": a
    """
    assert parse_yaml(text.encode()) == {
        "texts": ["no", "yes", "on", "y", "2026-02-01", "2026-02-01T12:00:00Z", "12:30:45"],
        "more": ["1_000", "0b11", "=", "0o8", "null"],
        "numbers": [0.0001, 15, 17, 31, 0, 1.5, 0.5, 1.0, 1000.0],
        "nothing": [None, None, None, None, ""],
        "empty": None,
        "yes": [True, True, True, False],
        "1": "a",
    }


def test_aliases_are_copied_to_their_places() -> None:
    value = parse_yaml(b"base: &b {lr: &x 0.1, s: [&k key]}\na: *b\n*k : *x\n")
    assert value == {"base": {"lr": 0.1, "s": ["key"]}, "a": {"lr": 0.1, "s": ["key"]}, "key": 0.1}
    value["a"]["s"].append("more")
    assert value["base"]["s"] == ["key"]


def test_an_empty_document_and_a_byte_order_mark_are_read() -> None:
    assert parse_yaml(b"") is None
    assert parse_yaml(b"# nothing\n") is None
    assert parse_yaml(b"\xef\xbb\xbfa: 1\n") == {"a": 1}
    assert parse_yaml(b"%YAML 1.2\n---\na: 1\n...\n") == {"a": 1}
    assert parse_yaml(b"a: 1\r\nb:\r\n  - x\r\n") == {"a": 1, "b": ["x"]}


LAUGHS = b"a0: &a0 [lol, lol]\n" + b"".join(
    b"a%d: &a%d [%s]\n" % (i, i, b",".join([b"*a%d" % (i - 1)] * 9)) for i in range(1, 30)
)
REFUSED = {
    "no yaml": (b"a: [", ErrorCode.YAML_INVALID),
    "a tab as indentation": (b"a:\n\tb: 1\n", ErrorCode.YAML_INVALID),
    "a NUL": (b"a: \x00\n", ErrorCode.YAML_INVALID),
    "an escape character": (b"a: \x1b[2J\n", ErrorCode.YAML_INVALID),
    "two documents": (b"a: 1\n---\nb: 2\n", ErrorCode.YAML_INVALID),
    "a newer yaml": (b"%YAML 2.0\n---\na: 1\n", ErrorCode.YAML_INVALID),
    "latin 1": (b"a: \xe9\n", ErrorCode.YAML_ENCODING_INVALID),
    "utf-16": ("a: 1".encode("utf-16"), ErrorCode.YAML_ENCODING_INVALID),
    "a surrogate in bytes": (b"a: \xed\xa0\x80\n", ErrorCode.YAML_ENCODING_INVALID),
    "an escaped surrogate": (b'a: "\\ud800"\n', ErrorCode.YAML_INVALID),
    "an object": (b"!!python/object/apply:os.system [id]\n", ErrorCode.YAML_TAG_REFUSED),
    "a name": (b"a: !!python/name:os.system\n", ErrorCode.YAML_TAG_REFUSED),
    "a tag of a key": (b"!!str a: 1\n", ErrorCode.YAML_TAG_REFUSED),
    "a tag of yaml itself": (b"a: !!str 1\n", ErrorCode.YAML_TAG_REFUSED),
    "a tag without a name": (b"a: ! 1\n", ErrorCode.YAML_TAG_REFUSED),
    "prefixes of tags": (b"%TAG ! tag:x,2000:\n" * 50_000, ErrorCode.YAML_TAG_REFUSED),
    "prefixes after a document": (b"a\n...\n%TAG ! x\n---\nb", ErrorCode.YAML_TAG_REFUSED),
    "a merge key": (b"a: &a {b: 1}\nc:\n  <<: *a\n", ErrorCode.YAML_KEY_INVALID),
    "a number as a key": (b"1: a\n", ErrorCode.YAML_KEY_INVALID),
    "nothing as a key": (b"~: a\n", ErrorCode.YAML_KEY_INVALID),
    "a list as a key": (b"? [a]\n: b\n", ErrorCode.YAML_KEY_INVALID),
    "a mapping as a key": (b"{a: 1}: b\n", ErrorCode.YAML_KEY_INVALID),
    "a key twice": (b"a: 1\nb: {c: 1, c: 2}\n", ErrorCode.YAML_DUPLICATE_KEY),
    "a key twice, in quotes": (b"a: 1\n'a': 2\n", ErrorCode.YAML_DUPLICATE_KEY),
    "an alias of itself": (b"&a [*a]\n", ErrorCode.YAML_INVALID),
    "an alias of itself as a key": (b"&a {*a : 1}\n", ErrorCode.YAML_INVALID),
    "an alias of nothing": (b"a: *b\n", ErrorCode.YAML_INVALID),
    "NaN": (b"a: .nan\n", ErrorCode.YAML_NUMBER_INVALID),
    "infinity": (b"a: -.INF\n", ErrorCode.YAML_NUMBER_INVALID),
    "a number too large": (b"a: 1e999\n", ErrorCode.YAML_NUMBER_INVALID),
    "ten thousand digits": (b"a: " + b"9" * 10_000, ErrorCode.YAML_NUMBER_INVALID),
    "ten thousand hexadecimal digits": (b"0x" + b"f" * 10_000, ErrorCode.YAML_NUMBER_INVALID),
    "a billion laughs": (LAUGHS, ErrorCode.YAML_TOO_LARGE),
    "a long text many times": (
        b"- &a " + b"x" * 2**18 + b"\n- *a" * 100_000,
        ErrorCode.YAML_TOO_LARGE,
    ),
    "too large": (b"a: " + b"x" * MAX_YAML_BYTES, ErrorCode.YAML_TOO_LARGE),
    "deep in one line": (b"[" * 100_000, ErrorCode.YAML_TOO_DEEP),
    "deep mappings in one line": (b"{a: " * 100_000, ErrorCode.YAML_TOO_DEEP),
    "deep lists of blocks": (b"- " * 100_000, ErrorCode.YAML_TOO_DEEP),
    "deep keys": (b"? " * 100_000, ErrorCode.YAML_TOO_DEEP),
    "deep blocks": (
        b"".join(b" " * i + b"a:\n" for i in range(MAX_DEPTH + 1)),
        ErrorCode.YAML_TOO_DEEP,
    ),
    "deep by aliases": (
        b"- &a0 x\n" + b"".join(b"- &a%d [*a%d]\n" % (i + 1, i) for i in range(100)),
        ErrorCode.YAML_TOO_DEEP,
    ),
}  # fmt: skip


@pytest.mark.parametrize(("data", "code"), REFUSED.values(), ids=REFUSED)
def test_hostile_documents_are_refused_by_code(data: bytes, code: ErrorCode) -> None:
    with pytest.raises(RunForgeError) as caught:
        parse_yaml(data, path="a.yaml")
    assert caught.value.code is code
    assert caught.value.exit_code is ExitCode.INVALID
    assert caught.value.location.path == "a.yaml"
    assert caught.value.message.isprintable()
    assert len(caught.value.message) < 300


@given(st.text(alphabet="ab01:-?[]{},&*!|>'\"%#<~ \n\t\x85é."))
def test_any_text_is_read_or_refused(text: str) -> None:
    with contextlib.suppress(RunForgeError):
        value = parse_yaml(text.encode())
        assert text_of(parse_yaml(encode_yaml(value))) == text_of(value)


def test_the_parser_without_libyaml_reads_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    text = b"a: &a [1, no]\nb: *a\n'c d': {e: ~}\n"
    expected = parse_yaml(text)
    monkeypatch.setattr(yaml, "__with_libyaml__", False)
    assert parse_yaml(text) == expected
    with pytest.raises(RunForgeError) as caught:
        parse_yaml(b"a: \x00")
    assert caught.value.code is ErrorCode.YAML_INVALID


def test_nesting_is_read_and_written_down_to_the_same_level_as_json() -> None:
    deepest: Any = []
    for _ in range(MAX_DEPTH - 1):
        deepest = [deepest]
    assert parse_yaml(encode_yaml(deepest)) == deepest
    for value in ([deepest], {"a": deepest}):
        with pytest.raises(RunForgeError) as caught:
            encode_yaml(value)
        assert caught.value.code is ErrorCode.YAML_TOO_DEEP
        with pytest.raises(RunForgeError) as caught:
            parse_yaml(json.dumps(value).encode())
        assert caught.value.code is ErrorCode.YAML_TOO_DEEP


def test_a_long_text_is_written_at_once() -> None:
    for text in ("a" * 100_000 + "#", "a b" * 50_000 + "?", "a:" * 50_000, "/" * 100_000 + "\n"):
        assert parse_yaml(encode_yaml([text])) == [text]


@pytest.mark.parametrize(
    ("value", "code"),
    [
        (float("nan"), ErrorCode.YAML_NUMBER_INVALID),
        (float("inf"), ErrorCode.YAML_NUMBER_INVALID),
        (10**400, ErrorCode.YAML_NUMBER_INVALID),
        (10**10_000, ErrorCode.YAML_NUMBER_INVALID),
        ("\ud800", ErrorCode.YAML_STRING_INVALID),
        ({1: 2}, ErrorCode.YAML_KEY_INVALID),
    ],
    ids=["nan", "infinity", "large", "ten thousand digits", "surrogate", "key"],
)
def test_what_yaml_cannot_tell_is_not_written(value: Any, code: ErrorCode) -> None:
    with pytest.raises(RunForgeError) as caught:
        encode_yaml([value])
    assert caught.value.code is code


def test_the_parser_is_imported_only_when_it_is_needed() -> None:
    program = (
        "import sys, runforge_contracts.codec.strict_yaml, runforge_contracts.store.reading\n"
        "assert 'yaml' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


def test_yaml_files_are_known_by_their_names() -> None:
    assert is_yaml(PurePath("a/config.yaml"))
    assert is_yaml(PurePath("A.YML"))
    assert not is_yaml(PurePath("yaml"))
    assert not is_yaml(PurePath("a.yaml.json"))
