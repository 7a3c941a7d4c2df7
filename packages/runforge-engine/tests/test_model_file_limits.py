from __future__ import annotations

import bz2
import gzip
import lzma
import os
import pickle
import subprocess
import sys
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from model_files import PROTOCOLS, joblib_bytes, model, model_bytes, text
from runforge_engine.model_file.limits import InspectionLimits
from runforge_engine.model_file.model_inspection import inspect_model, inspect_model_bytes


def only_code(data: bytes, limits: InspectionLimits) -> str:
    inspection = inspect_model_bytes(data, limits=limits)
    assert not inspection.is_clean
    (code,) = {finding.code.value for finding in inspection.findings if finding.severity == "error"}
    return code


def test_a_file_larger_than_the_limit_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "model.pkl"
    with path.open("wb") as file:
        file.truncate(2**40)
    inspection = inspect_model(path)
    assert [finding.code.value for finding in inspection.findings] == ["FILE_LIMIT"]
    assert inspection.to_dict()["bytes"] == 2**40
    assert "sha256" not in inspection.to_dict()


COMPRESSORS: dict[str, Callable[[bytes], bytes]] = {
    "zlib": zlib.compress,
    "gzip": gzip.compress,
    "bz2": bz2.compress,
    "xz": lzma.compress,
    "lzma": lambda data: lzma.compress(data, format=lzma.FORMAT_ALONE),
}


@pytest.mark.parametrize("compression", COMPRESSORS)
@pytest.mark.parametrize("limit", [100_000, 12_000_000])
def test_a_decompression_bomb_is_named(compression: str, limit: int) -> None:
    bomb = COMPRESSORS[compression](b"\x80\x04\x8e" + (2**40).to_bytes(8, "little") + bytes(2**24))
    assert len(bomb) < 200_000
    assert only_code(bomb, InspectionLimits(decompressed_bytes=limit)) == "DECOMPRESSION_LIMIT"


def test_a_dictionary_bomb_is_named() -> None:
    # The header asks for four gibibytes of working memory before the first byte comes out.
    header = b"\x5d\x00" + (0xFFFFFF).to_bytes(3, "big")
    assert only_code(header + b"\xff" * 8 + bytes(20), InspectionLimits()) == "COMPRESSION_INVALID"


def test_a_model_of_the_size_of_the_limit_is_read() -> None:
    data = joblib_bytes(model("linear_svc"), 4, 3)
    size = len(zlib.decompress(data))
    assert inspect_model_bytes(data, limits=InspectionLimits(decompressed_bytes=size)).is_clean
    limits = InspectionLimits(decompressed_bytes=size - 1)
    assert only_code(data, limits) == "DECOMPRESSION_LIMIT"


def test_many_operations_are_named() -> None:
    data = b"\x80\x04" + b"N0" * 100_000 + b"N."
    assert only_code(data, InspectionLimits(operations=50_000)) == "OPERATION_LIMIT"
    streams = b"N." * 100_000
    inspection = inspect_model_bytes(streams, limits=InspectionLimits(operations=50_000))
    assert "TRAILING_DATA" in {finding.code.value for finding in inspection.findings}


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_many_bytes_of_text_are_named(protocol: int) -> None:
    data = pickle.dumps("x" * 100_000, protocol)
    assert only_code(data, InspectionLimits(text_bytes=50_000)) == "TEXT_LIMIT"


def test_a_full_memo_is_named() -> None:
    assert (
        only_code(b"N" + b"\x94" * 2000 + b".", InspectionLimits(memo_entries=1000)) == "MEMO_LIMIT"
    )


def test_a_tree_of_too_many_nodes_is_named() -> None:
    assert only_code(model_bytes("random_forest"), InspectionLimits(tree_nodes=3)) == "TREE_LIMIT"


@pytest.mark.parametrize("compress", [0, 3])
def test_a_reading_that_takes_too_long_is_named(compress: int) -> None:
    data = joblib_bytes(model("random_forest"), 4, compress)
    assert only_code(data, InspectionLimits(seconds=0)) == "TIME_LIMIT"


def test_findings_beyond_the_limit_are_counted() -> None:
    data = b"\x80\x04" + b"".join(text(f"m{i}") + text("f") + b"\x930" for i in range(50)) + b"N."
    inspection = inspect_model_bytes(data, limits=InspectionLimits(findings=10))
    assert len(inspection.findings) == 10
    assert inspection.findings_dropped == 41
    assert not inspection.is_clean
    assert len(inspection.globals) == 50


def test_long_lists_are_cut() -> None:
    fitted = model("linear_svc")
    fitted["scaler"].feature_names_in_ = np.array([f"f{i}" for i in range(30)], dtype=object)
    document = inspect_model_bytes(
        joblib_bytes(fitted), limits=InspectionLimits(shown_entries=35)
    ).to_dict()
    assert "feature_names" not in document
    assert document["classes"] == [0, 1, 2]
    limits = InspectionLimits(shown_entries=2)
    document = inspect_model_bytes(joblib_bytes(fitted), limits=limits).to_dict()
    assert len(document["arrays"]) == 2
    assert document["array_count"] > 2


def test_a_list_that_is_shown_in_many_places_does_not_multiply() -> None:
    fitted, shared = model("linear_svc"), list(range(1000))
    for index in range(5000):
        setattr(fitted["clf"], f"parameter{index}", shared)
    inspection = inspect_model_bytes(joblib_bytes(fitted))
    shown = inspection.steps[1].hyperparameters
    assert shown["parameter0"] == shared
    assert shown["parameter4999"] == {"text": "list"}


def test_many_names_are_named() -> None:
    data = b"".join(b"cm%d\nf\n0" % index for index in range(20)) + b"N."
    inspection = inspect_model_bytes(data, limits=InspectionLimits(names=10))
    assert inspection.findings[-1].code.value == "NAME_LIMIT"


def test_a_large_column_major_array_is_named() -> None:
    fitted = model("linear_svc")
    fitted["clf"].coef_ = np.zeros((3, 4), order="F")
    assert inspect_model_bytes(joblib_bytes(fitted)).is_clean
    assert only_code(joblib_bytes(fitted), InspectionLimits(column_major_bytes=90)) == "ARRAY_LIMIT"


HUNGRY: dict[str, Callable[[], bytes]] = {
    "marks": lambda: b"(" * 10_000_000,
    "dicts": lambda: b"}" * 10_000_000,
    "different names": lambda: b"".join(b"c%x\nx\n" % index for index in range(1_000_000)),
    "empty lists": lambda: b"\x80\x04]" + b"]a" * 3_000_000,
    "a long line": lambda: b"V" + b"x" * 20_000_000,
    "a long digit line": lambda: b"I" + b"1" * 20_000_000 + b"\n.",
    "a long frame": lambda: b"\x80\x04\x95" + (10_000_000).to_bytes(8, "little") + bytes(10),
    "names": lambda: b"cos\nsystem\n0" * 500_000 + b"N.",
    "streams": lambda: b"N." * 2_000_000,
    "compressed names": lambda: zlib.compress(b"cos\nsystem\n0" * 500_000 + b"N.", 9),
}


@pytest.mark.parametrize("kind", HUNGRY)
def test_memory_and_time_stay_bounded(tmp_path: Path, kind: str) -> None:
    resource = pytest.importorskip("resource")
    path = tmp_path / "model.pkl"
    path.write_bytes(HUNGRY[kind]())
    code = (
        "import resource, sys\n"
        "from pathlib import Path\n"
        "resource.setrlimit(resource.RLIMIT_AS, (1_000_000_000,) * 2)\n"
        "from runforge_engine.model_file.model_inspection import inspect_model\n"
        "print(inspect_model(Path(sys.argv[1])).is_clean)\n"
    )
    assert resource
    done = subprocess.run(
        [sys.executable, "-c", code, str(path)],
        capture_output=True,
        text=True,
        env=os.environ,
        timeout=120,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "False\n", "")
