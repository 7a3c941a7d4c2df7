"""Runs whose model is the joblib file that RunForge wrote before: every command still knows it."""

from __future__ import annotations

import copy
import io
import pickle
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pytest
from calls import TRAIN, Call
from joblib.numpy_pickle import NumpyPickler
from runforge_contracts.codec.strict_json import parse_json
from sklearn.base import BaseEstimator

FAMILIES = ("logistic_regression", "random_forest", "linear_svc")


def dump_as_before(pipeline: Any, feature_names: Sequence[str]) -> bytes:
    """Return the model as RunForge wrote it before it wrote plain pickle streams."""

    class Pickler(NumpyPickler):  # type: ignore[misc]
        def reducer_override(self, obj: Any) -> Any:
            if not isinstance(obj, BaseEstimator):
                return NotImplemented
            make, arguments, state, *_ = obj.__reduce_ex__(4)
            return make, arguments, {sys.intern(name): value for name, value in state.items()}

    scaler, named = copy.copy(pipeline.named_steps["scaler"]), copy.copy(pipeline)
    scaler.feature_names_in_ = np.array([str(name) for name in feature_names], dtype=object)
    named.steps = [("scaler", scaler), ("clf", pipeline.named_steps["clf"])]
    buffer = io.BytesIO()
    Pickler(buffer, protocol=4).dump(named)
    return buffer.getvalue()


def train(runforge: Call, family: str, monkeypatch: pytest.MonkeyPatch | None) -> dict[str, Any]:
    if monkeypatch is None:
        result = runforge(*TRAIN, "--model", family, "--json")
    else:
        with monkeypatch.context() as before:
            before.setattr("runforge_engine.pipeline.training.dump_model", dump_as_before)
            result = runforge(*TRAIN, "--model", family, "--json")
    assert result.code == 0, result.err
    found: dict[str, Any] = result.json
    return found


def record_of(workspace: Path, run_id: str) -> dict[str, Any]:
    found: dict[str, Any] = parse_json(
        (workspace / ".runforge/runs" / run_id / "run.json").read_bytes()
    )
    return found


@pytest.mark.parametrize("family", FAMILIES)
def test_a_run_with_a_model_as_before_is_one_like_any_other(
    family: str, runforge: Call, workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = train(runforge, family, monkeypatch)["run_id"]
    new = train(runforge, family, None)["run_id"]
    models = [workspace / ".runforge/runs" / run / "artifacts/model.pkl" for run in (old, new)]
    former, plain = (path.read_bytes() for path in models)
    assert former != plain
    with pytest.raises(Exception):  # noqa: B017 - of any kind: it is no pickle
        pickle.loads(former)
    assert pickle.loads(plain).steps[-1][0] == "clf"
    assert joblib.load(models[0]).steps[-1][0] == "clf"
    # The digest is that of the content, whatever form the file has.
    records = [record_of(workspace, run) for run in (old, new)]
    assert records[0]["model_content_sha256"] == records[1]["model_content_sha256"]
    assert records[0]["artifact_digests"] != records[1]["artifact_digests"]

    inspected = [runforge("inspect-artifact", str(path), "--json") for path in models]
    assert [each.code for each in inspected] == [0, 0]
    assert inspected[0].json["content_sha256"] == records[0]["model_content_sha256"]
    same = ("findings", "steps", "content_sha256")
    assert [inspected[0].json.get(key) for key in same] == [
        inspected[1].json.get(key) for key in same
    ]
    assert runforge("verify", "--all").code == 0
    predicted = [runforge("predict", run, "penguins.csv", "-o", f"{run}.csv") for run in (old, new)]
    assert [each.code for each in predicted] == [0, 0], predicted[0].err
    assert Path(f"{old}.csv").read_bytes() == Path(f"{new}.csv").read_bytes()
    assert runforge("keygen").code == 0
    assert runforge("sign", old, "--key", "runforge.key").code == 0
    verified = runforge("verify", old, "--public-key", "runforge.key.pub")
    assert verified.code == 0, verified.out
    assert runforge("export", old, "--to", "csv", "-o", "out").code == 0
    assert runforge("report", old, "-o", "report.html").code == 0


def test_it_is_reproduced_by_its_content(
    runforge: Call, workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = train(runforge, "logistic_regression", monkeypatch)["run_id"]
    result = runforge("reproduce", old, "--json")
    assert result.code == 0
    assert result.json["verdict"] == "identical content"
    assert result.json["content"]["identical"] is True
    assert result.json["predictions"]["differing_rows"] == 0
    identical = {item["path"]: item["identical"] for item in result.json["artifacts"]}
    assert identical.pop("artifacts/model.pkl") is False
    assert set(identical.values()) == {True}
