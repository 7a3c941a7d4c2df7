"""The strict parser and the one way of writing."""

from __future__ import annotations

import json
import math
import os
import random
import shutil
import struct
import subprocess
import sys
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from hypothesis import given
from hypothesis import strategies as st
from runforge_contracts.codec import strict_json
from runforge_contracts.codec.strict_json import (
    MAX_DEPTH,
    canonical_json,
    encode_json,
    encode_json_line,
    in_form,
    parse_json,
)
from runforge_contracts.documents import Document
from runforge_contracts.errors import ErrorCode, RunForgeError
from runforge_contracts.fs.files import read_file

VECTORS = Path(__file__).parents[3] / "docs/test-vectors"

values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**40), 10**40)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


def same(left: Any, right: Any) -> bool:
    """Tell whether two values are the same, types, float bits and key order included."""
    if type(left) is not type(right):
        return False
    if isinstance(left, dict):
        return list(left) == list(right) and all(same(left[key], right[key]) for key in left)
    if isinstance(left, list):
        return len(left) == len(right) and all(map(same, left, right))
    if isinstance(left, float):
        return struct.pack("d", left) == struct.pack("d", right)
    return bool(left == right)


@given(values)
def test_whatever_is_written_is_read_back_the_same(value: Any) -> None:
    assert same(parse_json(encode_json(value)), value)
    assert same(parse_json(encode_json_line(value)), value)
    assert encode_json_line(value).count(b"\n") == 1


@given(values)
def test_a_string_is_normalized_before_it_is_written(value: Any) -> None:
    assert in_form(encode_json_line(value)) == encode_json(value)
    assert in_form(encode_json(value)) == encode_json(value)


@given(values)
def test_canonical_text_does_not_know_the_order_of_keys(value: Any) -> None:
    def turned(item: Any) -> Any:
        if isinstance(item, dict):
            return {key: turned(item[key]) for key in reversed(item)}
        return [turned(entry) for entry in item] if isinstance(item, list) else item

    assert canonical_json(value) == canonical_json(turned(value))


CANONICAL = json.loads((VECTORS / "canonical/cases.json").read_bytes())["cases"]


@pytest.mark.parametrize("case", CANONICAL, ids=[case["description"] for case in CANONICAL])
def test_canonical_text_is_what_every_language_computes(case: dict[str, str]) -> None:
    value = parse_json(case["json"].encode())
    assert canonical_json(value) == case["canonical"].encode()
    # A reader that knows only doubles computes the same.
    assert canonical_json(json.loads(case["json"], parse_int=float)) == case["canonical"].encode()


@pytest.mark.parametrize(
    ("value", "code"),
    [
        (float("nan"), ErrorCode.JSON_NUMBER_INVALID),
        ({"a": [float("-inf")]}, ErrorCode.JSON_NUMBER_INVALID),
        ("\ud800", ErrorCode.JSON_STRING_INVALID),
        ({"\ud800": 1}, ErrorCode.JSON_STRING_INVALID),
    ],
)
def test_what_is_no_json_has_no_canonical_text(value: Any, code: ErrorCode) -> None:
    with pytest.raises(RunForgeError) as caught:
        canonical_json(value)
    assert caught.value.code is code


#: Bits of doubles and what they are written as; NaN and infinities have no text.
#: Source: RFC 8785, appendix B.
NUMBERS = {
    "0000000000000000": "0",
    "8000000000000000": "0",
    "0000000000000001": "5e-324",
    "8000000000000001": "-5e-324",
    "7fefffffffffffff": "1.7976931348623157e+308",
    "ffefffffffffffff": "-1.7976931348623157e+308",
    "4340000000000000": "9007199254740992",
    "c340000000000000": "-9007199254740992",
    "4430000000000000": "295147905179352830000",
    "44b52d02c7e14af5": "9.999999999999997e+22",
    "44b52d02c7e14af6": "1e+23",
    "44b52d02c7e14af7": "1.0000000000000001e+23",
    "444b1ae4d6e2ef4e": "999999999999999700000",
    "444b1ae4d6e2ef4f": "999999999999999900000",
    "444b1ae4d6e2ef50": "1e+21",
    "3eb0c6f7a0b5ed8c": "9.999999999999997e-7",
    "3eb0c6f7a0b5ed8d": "0.000001",
    "41b3de4355555553": "333333333.3333332",
    "41b3de4355555554": "333333333.33333325",
    "41b3de4355555555": "333333333.3333333",
    "41b3de4355555556": "333333333.3333334",
    "41b3de4355555557": "333333333.33333343",
    "becbf647612f3696": "-0.0000033333333333333333",
    "43143ff3c1cb0959": "1424953923781206.2",
}


@pytest.mark.parametrize("bits", NUMBERS)
def test_canonical_numbers_are_those_of_the_specification(bits: str) -> None:
    (number,) = struct.unpack(">d", bytes.fromhex(bits))
    assert canonical_json(number).decode() == NUMBERS[bits]


def test_canonical_numbers_are_those_of_javascript() -> None:
    node = shutil.which("node", path=f"{Path(sys.executable).parent}{os.pathsep}{os.defpath}")
    if node is None:
        pytest.skip("there is no node")
    dice = random.Random(8785)
    drawn = (struct.unpack(">d", dice.randbytes(8))[0] for _ in range(20_000))
    numbers = [number for number in drawn if math.isfinite(number)]
    numbers += [dice.random() * 10.0**power for power in range(-12, 25) for _ in range(50)]
    numbers += [float(dice.randrange(2**bits)) for bits in range(1, 80)]
    done = subprocess.run(
        [node, "-e", "process.stdout.write(JSON.stringify(JSON.parse(fs.readFileSync(0))))"],
        input=json.dumps(numbers).encode(),
        capture_output=True,
        check=True,
    )
    assert canonical_json(numbers) == done.stdout


@given(st.text(), st.integers(0, 50))
def test_cut_text_is_refused_with_a_code(text: str, at: int) -> None:
    whole = encode_json({"a": [text, 1.5, None, {"b": True}]})
    cut = whole[: min(at, len(whole) - 3)]
    with pytest.raises(RunForgeError) as caught:
        parse_json(cut)
    assert caught.value.code in (ErrorCode.JSON_INVALID, ErrorCode.JSON_ENCODING_INVALID)


@given(st.binary(max_size=200))
def test_arbitrary_bytes_give_a_value_or_a_coded_error(data: bytes) -> None:
    try:
        parse_json(data)
    except RunForgeError as error:
        assert error.code.value.startswith("JSON_")  # noqa: PT017


HOSTILE: dict[str, tuple[bytes, ErrorCode]] = {
    "empty": (b"", ErrorCode.JSON_INVALID),
    "blank": (b" \n", ErrorCode.JSON_INVALID),
    "trailing text": (b"{} x", ErrorCode.JSON_INVALID),
    "trailing comma": (b"[1,]", ErrorCode.JSON_INVALID),
    "single quotes": (b"{'a': 1}", ErrorCode.JSON_INVALID),
    "comment": (b"{} // x", ErrorCode.JSON_INVALID),
    "control character": (b'"a\nb"', ErrorCode.JSON_INVALID),
    "leading zero": (b"[01]", ErrorCode.JSON_INVALID),
    "hexadecimal": (b"[0x1]", ErrorCode.JSON_INVALID),
    "duplicate key": (b'{"a": 1, "a": 1}', ErrorCode.JSON_DUPLICATE_KEY),
    "nested duplicate key": (b'[{"x": {"a": 1, "\\u0061": 2}}]', ErrorCode.JSON_DUPLICATE_KEY),
    "NaN": (b"[NaN]", ErrorCode.JSON_NUMBER_INVALID),
    "infinity": (b"[-Infinity]", ErrorCode.JSON_NUMBER_INVALID),
    "beyond a double": (b"[1e400]", ErrorCode.JSON_NUMBER_INVALID),
    "below a double": (b"[-1e400]", ErrorCode.JSON_NUMBER_INVALID),
    "an integer beyond a double": (b"[" + b"9" * 400 + b"]", ErrorCode.JSON_NUMBER_INVALID),
    "thousands of digits": (b"[" + b"9" * 5000 + b"]", ErrorCode.JSON_NUMBER_INVALID),
    "lone surrogate": (b'["\\ud800"]', ErrorCode.JSON_STRING_INVALID),
    "lone surrogate in a key": (b'{"\\udc00": 1}', ErrorCode.JSON_STRING_INVALID),
    "surrogate by escape and raw": (b'["\\ud83d\xf0\x9f\x98\x80"]', ErrorCode.JSON_STRING_INVALID),
    "utf-16": ('{"a": 1}'.encode("utf-16"), ErrorCode.JSON_ENCODING_INVALID),
    "utf-16 without bom": ('{"a": "é"}'.encode("utf-16-le"), ErrorCode.JSON_ENCODING_INVALID),
    "latin-1": ('{"a": "é"}'.encode("latin-1"), ErrorCode.JSON_ENCODING_INVALID),
    "raw surrogate": (b'["\xed\xa0\x80"]', ErrorCode.JSON_ENCODING_INVALID),
    "too deep": (b"[" * (MAX_DEPTH + 1) + b"]" * (MAX_DEPTH + 1), ErrorCode.JSON_TOO_DEEP),
    "too deep in objects": (
        b'{"a":' * (MAX_DEPTH + 1) + b"1" + b"}" * (MAX_DEPTH + 1),
        ErrorCode.JSON_TOO_DEEP,
    ),
    "a million levels": (b"[" * 1_000_000, ErrorCode.JSON_TOO_DEEP),
}


@pytest.mark.parametrize(("data", "code"), HOSTILE.values(), ids=HOSTILE)
def test_hostile_texts_are_refused_by_code(data: bytes, code: ErrorCode) -> None:
    with pytest.raises(RunForgeError) as caught:
        parse_json(data, path="there.json")
    assert caught.value.code is code
    assert caught.value.location.path == "there.json"
    assert caught.value.message.isprintable()


def strictly(data: bytes) -> Any:
    """Return what the strict parser alone makes of bytes: a value, or the code of an error."""
    with patch.object(strict_json, "parse_own", lambda data: strict_json.UNSURE):
        return outcome(data)


def outcome(data: bytes) -> Any:
    try:
        return parse_json(data)
    except RunForgeError as error:
        return error.code


#: Texts that the two parsers could take differently: numbers, strings, names and depths.
TOKENS = (
    *(b"1.0", b"1", b"-0", b"-0.0", b"1E5", b"1e5", b"1e16", b"1e-07", b"0.1e1", b"5e-324"),
    *(b"1e-7", b"1e-007", b"1e-0", b"1e-00", b"1e+16", b"1e+016", b"1e+0", b"1e+", b"1e-"),
    *(b"1.5e-10", b"-2.5e-05", b"1e-320", b"1e+308", b"1e+309", b'"1e-05"', b'"e+e-0e-"'),
    *(b'{"e-0":1,"e-":1}', b'{"e-":1,"e-0":2}', b'{"e+":1e+16,"e":1e16}', b'["e-05",1e-05]'),
    *(b"9007199254740993", b"18446744073709551616", b"9007199254740993.0", b"1e400", b"NaN"),
    *(b"9" * digits for digits in (299, 300, 308, 309, 400, 5_000)),
    *(
        b'"\\u00e9"',
        b'"\xc3\xa9"',
        b'"\\/"',
        b'"\\ud83d\\ude00"',
        b'"\\ud800"',
        b'"\x7f"',
        b'"\xff"',
    ),
    *(b'{"a":1,"a":1}', b'{"a":1,"a":2}', b'{"a":1,"\\u0061":1}', b'{"":{"b":null,"b":null}}'),
    *(b"[" * levels + b"]" * levels for levels in range(MAX_DEPTH - 3, MAX_DEPTH + 3)),
    *(b'{"":' * levels + b"0" + b"}" * levels for levels in range(MAX_DEPTH - 3, MAX_DEPTH + 3)),
    *(b"true", b"null", b"", b" ", b"[]", b"{}"),
)


@pytest.mark.parametrize(
    "around", [b"%s", b" %s\n", b"[%s]", b'{"x": %s}', b"\xef\xbb\xbf[%s, %s]"]
)
def test_what_is_read_does_not_depend_on_who_reads_it(around: bytes) -> None:
    for token in TOKENS:
        data = around.replace(b"%s", token)
        assert same(outcome(data), strictly(data)), data


@given(values, st.booleans(), st.lists(st.tuples(st.integers(0, 200), st.binary(max_size=3))))
def test_changed_documents_do_not_depend_on_it_either(
    value: Any, lines: bool, changes: list[tuple[int, bytes]]
) -> None:
    data = encode_json(value) if lines else encode_json_line(value)
    for at, put in changes:
        data = data[:at] + put + data[at + len(put) :]
    assert same(outcome(data), strictly(data))


def test_most_documents_are_read_by_the_library() -> None:
    documents = [path.read_bytes() for path in sorted(VECTORS.glob("*.v1.full.json"))]
    documents.append(encode_json([1e-05, 1e16, 2.5e-300, 1e300]))
    assert strict_json.parse_own(documents[-1]) is not strict_json.UNSURE
    read = [strict_json.parse_own(data) for data in documents]
    assert sum(value is not strict_json.UNSURE for value in read) > len(read) / 2 > 10
    assert all(map(same, map(outcome, documents), map(strictly, documents)))


def test_the_deepest_document_is_read() -> None:
    assert parse_json(b"[" * MAX_DEPTH + b"]" * MAX_DEPTH) is not None


def test_a_document_that_is_too_large_is_not_parsed() -> None:
    with pytest.raises(RunForgeError) as caught:
        parse_json(b" " * 11, max_bytes=10)
    assert caught.value.code is ErrorCode.JSON_TOO_LARGE


def test_a_byte_order_mark_is_accepted() -> None:
    assert parse_json(b'\xef\xbb\xbf{"a": 1}') == {"a": 1}


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_what_is_no_number_is_never_written(value: float) -> None:
    for encode in (encode_json, encode_json_line):
        with pytest.raises(RunForgeError) as caught:
            encode({"a": [value]})
        assert caught.value.code is ErrorCode.JSON_NUMBER_INVALID


def test_half_a_surrogate_pair_is_never_written() -> None:
    with pytest.raises(RunForgeError) as caught:
        encode_json(["\ud800"])
    assert caught.value.code is ErrorCode.JSON_STRING_INVALID


def test_the_form_of_what_is_written() -> None:
    text = encode_json({"b": 1.0, "a": ["é", 1e-7, {}], "n": None, "big": 10**20})
    assert (
        text.decode()
        == json.dumps(
            {"b": 1.0, "a": ["é", 1e-7, {}], "n": None, "big": 10**20}, indent=2, ensure_ascii=False
        )
        + "\n"
    )


@pytest.mark.parametrize("kind", ["link", "dangling link", "folder", "pipe", "absent"])
def test_only_regular_files_are_documents(kind: str, tmp_path: Path) -> None:
    (tmp_path / "real.json").write_text("{}")
    path = tmp_path / "request.json"
    expected = ErrorCode.FILE_UNSAFE
    if kind == "link":
        path.symlink_to(tmp_path / "real.json")
    elif kind == "dangling link":
        path.symlink_to(tmp_path / "nowhere")
    elif kind == "folder":
        path.mkdir()
    elif kind == "pipe":
        os.mkfifo(path)
    else:
        expected = ErrorCode.FILE_NOT_FOUND
    with pytest.raises(RunForgeError) as caught:
        Document.load(path)
    assert caught.value.code is expected


def test_a_file_is_not_read_beyond_its_limit(tmp_path: Path) -> None:
    path = tmp_path / "large.json"
    with path.open("wb") as file:
        file.truncate(10**12)
    with pytest.raises(RunForgeError) as caught:
        read_file(path, max_bytes=1000)
    assert caught.value.code is ErrorCode.FILE_UNSAFE
