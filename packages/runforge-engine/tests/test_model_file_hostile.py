from __future__ import annotations

import contextlib
import gzip
import io
import pickle
import struct
import warnings
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pytest
from model_files import (
    COMPRESSIONS,
    PROTOCOLS,
    Payload,
    frame,
    joblib_bytes,
    model,
    model_bytes,
    name,
    payload,
    pickled,
    text,
)
from runforge_engine.model_file.model_inspection import ModelInspection, inspect_model_bytes

FAMILY = "logistic_regression"


def codes(inspection: ModelInspection) -> set[str]:
    return {finding.code.value for finding in inspection.findings if finding.severity == "error"}


def detonates(data: bytes, trace: Path) -> bool:
    """Tell whether a reader that runs what it reads makes the folder; clean up after it."""
    with warnings.catch_warnings(), contextlib.suppress(Exception):
        warnings.simplefilter("ignore")
        joblib.load(io.BytesIO(data))
    made = trace.exists()
    if made:
        trace.rmdir()
    return made


@pytest.fixture
def trace(tmp_path: Path) -> Iterator[Path]:
    """Return a path at which something appears if a payload is run."""
    path = tmp_path / "executed"
    yield path
    assert not path.exists()


def inspect(data: bytes, trace: Path, *, live: bool = True) -> ModelInspection:
    """Inspect a file that would run its payload if it were loaded."""
    assert detonates(data, trace) is live
    inspection = inspect_model_bytes(data)
    assert not trace.exists()
    assert not inspection.is_clean
    assert inspection.content_sha256 is None
    return inspection


def with_payload_before_arrays(fitted: Any, evil: Payload) -> None:
    fitted["scaler"].__dict__ = {"evil": evil, **fitted["scaler"].__dict__}


def with_payload_after_arrays(fitted: Any, evil: Payload) -> None:
    fitted.evil = evil


def with_payload_inside_object_array(fitted: Any, evil: Payload) -> None:
    fitted["scaler"].feature_names_in_ = np.array(["a", evil], dtype=object)


def with_payload_as_parameter(fitted: Any, evil: Payload) -> None:
    fitted["clf"].random_state = evil


HIDDEN = [
    with_payload_before_arrays,
    with_payload_after_arrays,
    with_payload_inside_object_array,
    with_payload_as_parameter,
]


@pytest.mark.parametrize("hide", HIDDEN, ids=lambda function: function.__name__)
@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("compress", [0, *((name, 3) for name in COMPRESSIONS)], ids=str)
def test_a_payload_in_a_joblib_file_is_named(
    trace: Path, hide: Callable[[Any, Payload], None], protocol: int, compress: Any
) -> None:
    fitted = model(FAMILY)
    hide(fitted, Payload(trace))
    inspection = inspect(joblib_bytes(fitted, protocol, compress), trace)
    assert codes(inspection) == {"GLOBAL_NOT_ALLOWED"}
    refused = [use for use in inspection.globals if not use.allowed]
    assert [(use.module, use.name) for use in refused] == [("posix", "mkdir")]
    (finding,) = inspection.findings
    assert finding.offset == refused[0].offset
    # What the model is stays readable.
    assert [step.name for step in inspection.steps] == ["scaler", "clf"]


@pytest.mark.parametrize("hide", HIDDEN, ids=lambda function: function.__name__)
@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_payload_in_a_plain_pickle_is_named(
    trace: Path, hide: Callable[[Any, Payload], None], protocol: int
) -> None:
    fitted = model(FAMILY)
    hide(fitted, Payload(trace))
    inspection = inspect(pickle.dumps(fitted, protocol), trace)
    assert codes(inspection) == {"GLOBAL_NOT_ALLOWED"}


def test_a_payload_whose_result_is_dropped_is_named(trace: Path) -> None:
    data = joblib_bytes(model(FAMILY), 2)
    for hostile in (data[:2] + payload(trace) + data[2:], data[:-1] + payload(trace) + b"."):
        assert codes(inspect(hostile, trace)) == {"GLOBAL_NOT_ALLOWED"}


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_second_stream_is_named_with_what_it_would_call(trace: Path, protocol: int) -> None:
    first = pickle.dumps(model(FAMILY), protocol)
    inspection = inspect(first + pickle.dumps(Payload(trace), protocol), trace, live=False)
    assert codes(inspection) == {"TRAILING_DATA", "GLOBAL_NOT_ALLOWED"}
    assert inspection.findings[0].offset == len(first)


def test_bytes_after_the_model_are_named(trace: Path) -> None:
    inspection = inspect(model_bytes(FAMILY) + b"\xff\xff", trace, live=False)
    assert codes(inspection) == {"TRAILING_DATA"}


@pytest.mark.parametrize("compression", COMPRESSIONS)
def test_a_second_compressed_stream_is_named(trace: Path, compression: str) -> None:
    data = joblib_bytes(model(FAMILY), 4, (compression, 3))
    second = joblib_bytes(Payload(trace), 4, (compression, 3))
    inspection = inspect_model_bytes(data + second)
    assert "TRAILING_DATA" in codes(inspection)
    assert inspection.findings[0].offset == len(data)


def test_a_member_appended_to_a_multi_member_file_is_never_unfolded_unseen(trace: Path) -> None:
    # Readers of several members would go on reading the pickle in the second one.
    stream = pickle.dumps(Payload(trace), 2)
    hostile = gzip.compress(stream[:20]) + gzip.compress(stream[20:])
    assert codes(inspect_model_bytes(hostile)) >= {"TRAILING_DATA"}


MODULES = {
    "dotted name": name("os", "path.os.mkdir"),
    "dotted name below an allowed class": name("sklearn.pipeline", "Pipeline.__init__"),
    "dotted name below an allowed module": name("numpy", "dtype.type"),
    "another name of an allowed module": name("sklearn.pipeline", "make_pipeline"),
    "an allowed name of another module": name("evil", "Pipeline"),
    "an allowed name in other letters": name("sklearn.pipeline", "pipeline"),
    "a name that prints like an allowed one": name("sklearn.pipeline", "Pipeline\u200b"),
    "an empty name": name("", ""),
    "a name of surrogates": name("\ud800", "\udfff"),
    "a name with control characters": name("os\n\x1b[2J", "mkdir\x00"),
    "a name that is looked up in Python 2": b"c__builtin__\napply\n",
    "a name of the C implementation": name("_pickle", "loads"),
}


@pytest.mark.parametrize("operations", MODULES.values(), ids=MODULES)
def test_any_other_name_is_named(operations: bytes) -> None:
    inspection = inspect_model_bytes(frame(operations + b"0N"))
    assert codes(inspection) == {"GLOBAL_NOT_ALLOWED"}
    (use,) = inspection.globals
    assert not use.allowed
    (finding,) = (found for found in inspection.findings if found.severity == "error")
    assert finding.message.isprintable()


PIPELINE = name("sklearn.pipeline", "Pipeline")
MADE = PIPELINE + b")\x81"
NDARRAY = name("numpy", "ndarray")
EMPTY = name("numpy._core.multiarray", "_reconstruct") + NDARRAY + b"K\x00\x85C\x01b\x87R"
FLOAT64 = pickled(np.dtype("f8"), 2).removeprefix(b"\x80\x02")
#: Operations, and what each is to be called.
TRICKS: dict[str, tuple[bytes, str]] = {
    "a call of a class that is only made": (PIPELINE + b")R", "CALL_NOT_ALLOWED"),
    "a class made with arguments": (PIPELINE + b"K\x01\x85\x81", "CALL_NOT_ALLOWED"),
    "a class made with keywords": (PIPELINE + b")}\x92", "CALL_NOT_ALLOWED"),
    "an old instance": (b"(isklearn.pipeline\nPipeline\n", "CALL_NOT_ALLOWED"),
    "an old object": (b"(" + PIPELINE + b"o", "CALL_NOT_ALLOWED"),
    "a call of an object": (MADE + b")R", "CALL_NOT_ALLOWED"),
    "a call of a string": (text("os.system") + b")R", "CALL_NOT_ALLOWED"),
    "a call with arguments that are no tuple": (PIPELINE + b"]R", "CALL_NOT_ALLOWED"),
    "an object made of an object": (MADE + b")\x81", "CALL_NOT_ALLOWED"),
    "an array of a huge shape": (
        name("numpy._core.multiarray", "_reconstruct")
        + NDARRAY
        + b"J\xff\xff\xff\x7f\x85C\x01b\x87R",
        "CALL_NOT_ALLOWED",
    ),
    "an array of another class": (
        name("numpy._core.multiarray", "_reconstruct") + PIPELINE + b"K\x00\x85C\x01b\x87R",
        "CALL_NOT_ALLOWED",
    ),
    "an array made directly": (NDARRAY + b"J\xff\xff\xff\x7f\x85\x85R", "CALL_NOT_ALLOWED"),
    "a codec that runs": (
        name("_codecs", "encode") + text("x") + text("zip") + b"\x86R",
        "CALL_NOT_ALLOWED",
    ),
    "a codec without a name": (
        name("_codecs", "encode") + text("x") + b"\x85R",
        "CALL_NOT_ALLOWED",
    ),
    "an object of another base": (
        b"ccopy_reg\n_reconstructor\n" + PIPELINE + PIPELINE + b"N\x87R",
        "CALL_NOT_ALLOWED",
    ),
    "an object of a class that is not made so": (
        b"ccopy_reg\n_reconstructor\n" + NDARRAY + b"c__builtin__\nobject\nN\x87R",
        "CALL_NOT_ALLOWED",
    ),
    "an element type that is shared": (
        name("numpy", "dtype") + text("f8") + b"\x89\x89\x87R",
        "CALL_NOT_ALLOWED",
    ),
    "an element type of a list of types": (
        name("numpy", "dtype") + text("f8,O") + b"\x89\x88\x87R",
        "DTYPE_NOT_ALLOWED",
    ),
    "an element type with dates": (
        name("numpy", "dtype") + text("M8") + b"\x89\x88\x87R",
        "DTYPE_NOT_ALLOWED",
    ),
    "an element type with a false size": (
        FLOAT64[:-1] + b"0(K\x03X\x01\x00\x00\x00<NNNK\x01K\x01K\x00tb",
        "DTYPE_NOT_ALLOWED",
    ),
    "an element type that changes twice": (
        FLOAT64 + b"(K\x03X\x01\x00\x00\x00>NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb",
        "STATE_NOT_ALLOWED",
    ),
    "a scalar of objects": (
        name("numpy._core.multiarray", "scalar")
        + pickled(np.dtype("O"), 2).removeprefix(b"\x80\x02")
        + b"C\x08AAAAAAAA\x86R",
        "DTYPE_NOT_ALLOWED",
    ),
    "objects made of raw bytes": (
        name("numpy._core.numeric", "_frombuffer")
        + b"("
        + b"C\x08AAAAAAAA"
        + pickled(np.dtype("O"), 2).removeprefix(b"\x80\x02")
        + b"K\x01\x85"
        + text("C")
        + b"tR",
        "ARRAY_INVALID",
    ),
    "a state for a class": (PIPELINE + b"}" + text("steps") + b"Nsb", "STATE_NOT_ALLOWED"),
    "a state for a list": (b"]}b", "STATE_NOT_ALLOWED"),
    "a class set anew": (
        MADE + b"}" + text("__class__") + PIPELINE + b"sb",
        "STATE_NOT_ALLOWED",
    ),
    "a method set anew": (MADE + b"}" + text("__reduce__") + b"Nsb", "STATE_NOT_ALLOWED"),
    "a class as an attribute": (
        MADE + b"}" + text("predict") + NDARRAY + b"sb",
        "STATE_NOT_ALLOWED",
    ),
    "a class within an attribute": (
        MADE + b"}" + text("steps") + b"]" + NDARRAY + b"asb",
        "STATE_NOT_ALLOWED",
    ),
    "an attribute that is no name": (MADE + b"}" + text("a b") + b"Nsb", "STATE_NOT_ALLOWED"),
    "an attribute that is no text": (MADE + b"}K\x01Nsb", "STATE_NOT_ALLOWED"),
    "an attribute given twice": (
        MADE + b"}(" + text("a") + b"N" + text("a") + b"Nub",
        "STATE_NOT_ALLOWED",
    ),
    "an array filled twice": (
        pickled(np.arange(1), 2).removeprefix(b"\x80\x02") + b"Nb",
        "STATE_NOT_ALLOWED",
    ),
    "an array that is never filled": (EMPTY, "STATE_NOT_ALLOWED"),
    "a tree made with an array that is filled later": (
        name("sklearn.tree._tree", "Tree") + b"K\x04" + EMPTY + b"K\x01\x87R",
        "CALL_NOT_ALLOWED",
    ),
    "a tree of arrays that are filled later": (
        name("sklearn.tree._tree", "Tree")
        + b"K\x04"
        + pickled(np.arange(1), 2).removeprefix(b"\x80\x02")
        + b"K\x01\x87R}"
        + text("nodes")
        + EMPTY
        + b"sb",
        "STATE_NOT_ALLOWED",
    ),
    "two states": (MADE + b"}b}b", "STATE_NOT_ALLOWED"),
    "a state with slots": (MADE + b"N}\x86b", "STATE_NOT_ALLOWED"),
    "an object that is appended to": (MADE + b"Na", "OPERATION_NOT_ALLOWED"),
    "an object that is extended": (MADE + b"(Ne", "OPERATION_NOT_ALLOWED"),
    "an object that is given an item": (MADE + b"NNs", "OPERATION_NOT_ALLOWED"),
    "an object that is given items": (MADE + b"(NNu", "OPERATION_NOT_ALLOWED"),
    "an object that is added to": (MADE + b"(N\x90", "OPERATION_NOT_ALLOWED"),
    "bytes that are extended": (b"\x96" + bytes(8) + b"(K\x01e", "OPERATION_NOT_ALLOWED"),
    "an object as a key": (b"}" + MADE + b"Ns", "OPERATION_NOT_ALLOWED"),
    "an object in a set": (b"(" + MADE + b"\x91", "OPERATION_NOT_ALLOWED"),
    "an extension of one byte": (b"\x82\x01", "EXTENSION_CODE"),
    "an extension of two bytes": (b"\x83\x01\x02", "EXTENSION_CODE"),
    "an extension of four bytes": (b"\x84\x01\x02\x03\x04", "EXTENSION_CODE"),
    "an extension that is called": (b"\x82\x01)R", "EXTENSION_CODE"),
    "a persistent id": (b"Pevil\n", "PERSISTENT_ID"),
    "a persistent id of any kind": (text("evil") + b"Q", "PERSISTENT_ID"),
    "a buffer from elsewhere": (b"\x97", "EXTERNAL_BUFFER"),
    "a locked buffer": (b"C\x01a\x98", "EXTERNAL_BUFFER"),
    "a memo entry overwritten": (b"K\x01q\x00K\x02q\x00", "MEMO_OVERWRITTEN"),
    "a memo entry far away": (b"K\x01r\xff\xff\xff\xff", "MEMO_LIMIT"),
    "a memo entry below zero": (b"K\x01p-1\n", "MEMO_LIMIT"),
    "a memo entry that is not there": (b"h\x07", "MALFORMED"),
    "an unknown operation": (b"\xff", "MALFORMED"),
    "an unknown protocol": (b"\x80\x06N", "MALFORMED"),
    "an empty stack": (b"", "MALFORMED"),
    "a mark that is not there": (b"t", "MALFORMED"),
    "a key without a value": (b"}(K\x01u", "MALFORMED"),
    "a name that is no text": (b"K\x01K\x02\x93", "MALFORMED"),
    "a string that is not UTF-8": (b"X\x01\x00\x00\x00\xff", "MALFORMED"),
    "an integer that is none": (b"Iabc\n", "MALFORMED"),
    "an integer of a negative length": (b"\x8b\xff\xff\xff\xff", "MALFORMED"),
    "a string without quotes": (b"Sabc\n", "MALFORMED"),
    "an integer of many digits": (b"L" + b"9" * 10_000 + b"L\n", "INTEGER_LIMIT"),
    "an integer of many bytes": (
        b"\x8b" + struct.pack("<i", 5000) + b"\xff" * 5000,
        "INTEGER_LIMIT",
    ),
    "a string longer than the file": (b"\x8d" + struct.pack("<Q", 2**62), "TEXT_LIMIT"),
    "bytes longer than the file": (b"\x8e" + struct.pack("<Q", 2**63), "TRUNCATED"),
    "a buffer longer than the file": (b"\x96" + struct.pack("<Q", 2**40), "TRUNCATED"),
    "many open marks": (b"(" * 100_000, "DEPTH_LIMIT"),
    "many tuples within each other": (b")" + b"\x85" * 100_000, "DEPTH_LIMIT"),
    "many lists within each other": (b"]" * 100_000 + b"a" * 99_999, "DEPTH_LIMIT"),
    "a list in itself": (b"]q\x00h\x00a", "CYCLE"),
    "a dict in itself": (b"}q\x00K\x01h\x00s", "CYCLE"),
    "an object in itself": (MADE + b"q\x00}" + text("steps") + b"h\x00sb", "ATTRIBUTE_INVALID"),
}


@pytest.mark.parametrize(("operations", "code"), TRICKS.values(), ids=TRICKS)
def test_a_trick_is_named(operations: bytes, code: str) -> None:
    inspection = inspect_model_bytes(b"\x80\x04" + operations + b".")
    assert code in {finding.code.value for finding in inspection.findings}
    assert inspection.content_sha256 is None
    assert not inspection.is_clean


def test_shared_lists_do_not_multiply() -> None:
    # Each list holds the former one twice: written out, two to the power of 90 elements.
    body = b"]q\x00"
    for index in range(90):
        body += b"0]q%c(h%ch%ce" % (index + 1, index, index)
    inspection = inspect_model_bytes(b"\x80\x04" + body + b".")
    assert inspection.is_clean
    assert inspection.content_sha256


def test_old_forms_of_joblib_are_named() -> None:
    assert codes(inspect_model_bytes(b"ZF0x10 abc")) == {"LEGACY_FORMAT"}
    assert codes(inspect_model_bytes(b"\x04\x22\x4d\x18abc")) == {"COMPRESSION_UNSUPPORTED"}
    for wrapper in ("NDArrayWrapper", "ZNDArrayWrapper"):
        old = name("joblib.numpy_pickle", wrapper) + b")\x81}b"
        assert codes(inspect_model_bytes(frame(old))) == {"GLOBAL_NOT_ALLOWED"}


def test_a_compressed_file_that_is_broken_is_named() -> None:
    for compression in COMPRESSIONS:
        data = joblib_bytes(model(FAMILY), 4, (compression, 3))
        broken = bytearray(data)
        broken[len(data) // 2] ^= 0x55
        found = codes(inspect_model_bytes(bytes(broken)))
        assert found
        for end in (3, 7, len(data) // 2, len(data) - 1):
            assert codes(inspect_model_bytes(data[:end])) & {"COMPRESSION_INVALID", "MALFORMED"}


@pytest.mark.parametrize("kind", ["joblib", "pickle", "zlib"])
def test_a_model_cut_at_any_byte_is_named(kind: str) -> None:
    data = {
        "joblib": lambda: model_bytes("linear_svc", "text"),
        "pickle": lambda: pickle.dumps(model("linear_svc", "text"), 5),
        "zlib": lambda: joblib_bytes(model("linear_svc", "text"), 4, 3),
    }[kind]()
    for end in range(len(data)):
        inspection = inspect_model_bytes(data[:end])
        assert not inspection.is_clean, end
        assert inspection.content_sha256 is None


def test_an_operation_across_the_end_of_a_frame_is_named() -> None:
    inside = b"\x80\x04\x95" + struct.pack("<Q", 3) + text("abc") + b"."
    assert codes(inspect_model_bytes(inside)) == {"FRAME_INVALID"}
    nested = b"\x80\x04\x95" + struct.pack("<Q", 20) + b"N\x95" + struct.pack("<Q", 3) + b"N" * 20
    assert codes(inspect_model_bytes(nested)) == {"FRAME_INVALID"}
    too_long = b"\x80\x04\x95" + struct.pack("<Q", 2**40) + b"N."
    assert codes(inspect_model_bytes(too_long)) == {"TRUNCATED"}


def test_a_payload_that_only_pickle_sees_in_the_bytes_of_an_array_is_named(trace: Path) -> None:
    # joblib steps over the array's bytes; a plain pickle reader would run them.
    code = payload(trace) + b"N."
    fitted = model(FAMILY)
    fitted["scaler"].mean_ = np.frombuffer(code.ljust(160), dtype=np.uint8)
    data = joblib_bytes(fitted, 2)
    at = data.index(code)
    start = at - 1
    while data[start] == 0xFF:
        start -= 1
    assert data[start] == at - start - 1
    # joblib does not look at the padding: here it is 128 bytes of operations that do nothing.
    hostile = data[:start] + b"\x80" + b"\x02" + b"N0" * 63 + b"2" + data[at:]
    with contextlib.suppress(Exception):
        pickle.loads(hostile)
    assert trace.exists()
    trace.rmdir()
    inspection = inspect_model_bytes(hostile)
    assert "AMBIGUOUS_STREAM" in codes(inspection)


def test_a_zlib_bomb_is_named() -> None:
    bomb = zlib.compress(bytes(10**6), 9)
    assert codes(inspect_model_bytes(bomb)) == {"MALFORMED"}
