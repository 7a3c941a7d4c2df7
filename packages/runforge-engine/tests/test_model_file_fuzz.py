from __future__ import annotations

import os

import pytest
from fuzz_models import mutants, run
from hypothesis import given
from hypothesis import strategies as st
from runforge_engine.model_file.model_inspection import inspect_model_bytes


@pytest.mark.skipif(not hasattr(os, "fork"), reason="each file is read in a process of its own")
@pytest.mark.parametrize("count", [100, pytest.param(300, marks=pytest.mark.storm)])
def test_whatever_the_real_reader_asks_for_was_listed_or_refused(count: int) -> None:
    outcomes = run(count, seed=20250)
    assert sum(outcomes.values()) == count
    # Every attribute is checked, so few changes pass; but a reader that refuses all is no reader.
    assert outcomes["clean, real reader succeeded"] > count / 200
    assert outcomes["refused, real reader failed"] > count / 6


def test_a_mutated_model_never_breaks_the_reader() -> None:
    for data in mutants(1000, seed=7):
        inspection = inspect_model_bytes(data)
        assert inspection.is_clean == (inspection.content_sha256 is not None)


@given(st.binary(max_size=200))
def test_no_bytes_break_the_reader(data: bytes) -> None:
    inspect_model_bytes(data).to_dict()


OPERATIONS = st.sampled_from(
    [bytes([code]) for code in b"().012NQR]abdelostu}\x81\x85\x86\x87\x88\x8f\x90\x91\x92\x93\x94b"]
    + [b"K\x01", b"h\x00", b"h\x01", b"q\x00", b"q\x01", b"X\x01\x00\x00\x00a", b"C\x01b", b"]"]
    + [b"csklearn.pipeline\nPipeline\n", b"cnumpy\ndtype\n", b"cnumpy\nndarray\n"]
    + [b"cnumpy._core.multiarray\n_reconstruct\n", b"cnumpy._core.multiarray\nscalar\n"]
    + [b"cjoblib.numpy_pickle\nNumpyArrayWrapper\n", b"csklearn.tree._tree\nTree\n"]
    + [b"c_codecs\nencode\n", b"ccopy_reg\n_reconstructor\n", b"c__builtin__\nobject\n"]
)


@given(st.lists(OPERATIONS, max_size=40))
def test_no_operations_break_the_reader(operations: list[bytes]) -> None:
    inspect_model_bytes(b"".join(operations) + b".").to_dict()
