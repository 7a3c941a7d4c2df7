"""What a run records of its model: a digest that re-encoding keeps and one bit changes."""

from __future__ import annotations

from collections.abc import Callable

import joblib
import pytest
from model_files import joblib_bytes
from real_data import FAMILIES, read
from runforge_contracts.errors import ErrorCode, RunForgeError
from runforge_engine.model_file.model_inspection import inspect_model, inspect_model_bytes
from runforge_engine.pipeline.execute import ExecutionResult
from runforge_engine.pipeline.training import _digests

Train = Callable[..., ExecutionResult]


@pytest.mark.parametrize("family", FAMILIES)
def test_the_recorded_digest_is_that_of_the_model_in_any_encoding(
    family: str, train: Train
) -> None:
    folder = train("iris", model_family=family).run_dir
    record, path = read(folder, "run.json"), folder / "artifacts/model.pkl"
    inspection = inspect_model(path)
    assert inspection.is_clean
    assert inspection.findings == ()
    assert record["model_content_sha256"] == inspection.content_sha256
    again = joblib_bytes(joblib.load(path), protocol=2, compress=3)
    assert inspect_model_bytes(again).content_sha256 == record["model_content_sha256"]
    assert again != path.read_bytes()
    other = read(train("iris", model_family=family, seed=7).run_dir, "run.json")
    assert other["model_content_sha256"] != record["model_content_sha256"]


def test_a_model_that_our_reader_refuses_would_not_be_written() -> None:
    with pytest.raises(RunForgeError, match=r"posix\.system") as caught:
        _digests(b"cposix\nsystem\n.")
    assert caught.value.code is ErrorCode.INTERNAL
