"""Models of scikit-learn 1.3 to 1.9 are clean, and predict as they did where they were made.

The files are made once with the real releases: see ``support/make_model_vectors.py``.
"""

from __future__ import annotations

import hashlib
import io
import json
import pickletools
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from runforge_contracts.errors import RunForgeError
from runforge_engine.model_file.allowlist import ALLOWED
from runforge_engine.model_file.loading import load_model
from runforge_engine.model_file.model_inspection import inspect_model_bytes
from runforge_engine.modeling.predict import prepare
from sklearn.datasets import load_iris

VECTORS = sorted((Path(__file__).parent / "vectors/models").glob("scikit-learn-*.zip"))


def models_of(path: Path) -> tuple[dict[str, Any], dict[str, bytes]]:
    with zipfile.ZipFile(path) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    return json.loads(files.pop("expected.json")), files


def test_there_is_a_file_of_every_release() -> None:
    versions = {models_of(path)[0]["versions"]["sklearn"].rpartition(".")[0] for path in VECTORS}
    assert versions == {f"1.{minor}" for minor in range(3, 10)}


@pytest.mark.parametrize("path", VECTORS, ids=lambda path: path.stem)
def test_the_models_of_a_release_are_clean(path: Path) -> None:
    expected, files = models_of(path)
    assert len(files) == 12
    for name, data in files.items():
        inspection = inspect_model_bytes(data)
        assert inspection.findings == (), name
        assert inspection.library_version == expected["versions"]["sklearn"]
        assert [step.name for step in inspection.steps] == ["scaler", "clf"]
        assert len(inspection.trees) == (3 if name.startswith("random_forest") else 0)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.InconsistentVersionWarning")
@pytest.mark.parametrize("path", VECTORS, ids=lambda path: path.stem)
def test_the_models_of_a_release_predict_as_they_did(path: Path, tmp_path: Path) -> None:
    expected, files = models_of(path)
    X = load_iris().data[expected["rows"]]
    for name, data in files.items():
        file = tmp_path / name
        file.write_bytes(data)
        try:
            pipeline = load_model(file, hashlib.sha256(data).hexdigest())
        except RunForgeError as error:  # pragma: no cover - shows which
            raise AssertionError(name) from error
        prepare(pipeline, len(X))
        model = expected["models"][name]
        assert pipeline.predict(X).tolist() == model["labels"]
        if "probabilities" in model and hasattr(pipeline[-1], "estimators_"):
            assert np.allclose(pipeline.predict_proba(X), model["probabilities"], rtol=0, atol=1e-9)


def test_the_names_of_numpy_1_are_needed_by_old_models() -> None:
    asked: set[tuple[str, str]] = set()
    for path in VECTORS:
        for name, data in models_of(path)[1].items():
            if name.endswith(".pickle"):
                texts: list[str] = []
                for operation, argument, _ in pickletools.genops(io.BytesIO(data)):
                    if operation.name == "GLOBAL":
                        asked.add((argument.split()[0], argument.split()[1]))
                    elif operation.name == "STACK_GLOBAL":
                        asked.add((texts[-2], texts[-1]))
                    elif isinstance(argument, str):
                        texts.append(argument)
    old = {pair for pair in ALLOWED if pair[0].startswith("numpy.core.")}
    assert old <= asked
