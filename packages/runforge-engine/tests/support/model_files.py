"""Model files for the tests: real ones in every encoding, and hostile ones."""

from __future__ import annotations

import io
import os
import pickle
import struct
from functools import lru_cache
from pathlib import Path
from typing import Any

COMPRESSIONS = ("zlib", "gzip", "bz2", "lzma", "xz")
PROTOCOLS = range(6)
FEATURE_NAMES = ("sepal length (cm)", "sepal width (cm)", "petal length (cm)", "petal width (cm)")


@lru_cache
def model_bytes(family: str, labels: str = "int", n_estimators: int = 5) -> bytes:
    """Return a fitted model as a run writes it."""
    import numpy as np
    from runforge_engine.modeling.fit import dump_model
    from sklearn.datasets import load_iris
    from sklearn.ensemble import RandomForestClassifier
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import Pipeline
    from sklearn.preprocessing import StandardScaler
    from sklearn.svm import LinearSVC

    X, y = load_iris(return_X_y=True)
    if labels == "text":
        y = np.array(["setosa", "versicolor", "virginica"], dtype=object)[y]
    classifier = {
        "logistic_regression": LogisticRegression(max_iter=200),
        "random_forest": RandomForestClassifier(n_estimators, max_depth=4, random_state=42),
        "linear_svc": LinearSVC(random_state=42),
    }[family]
    pipeline = Pipeline([("scaler", StandardScaler()), ("clf", classifier)]).fit(X, y)
    return dump_model(pipeline, FEATURE_NAMES)


def model(family: str, labels: str = "int", n_estimators: int = 5) -> Any:
    """Return a fitted pipeline of the test's own."""
    import joblib

    return joblib.load(io.BytesIO(model_bytes(family, labels, n_estimators)))


def joblib_bytes(value: Any, protocol: int = 4, compress: Any = 0) -> bytes:
    """Return ``value`` as joblib writes it."""
    import joblib

    buffer = io.BytesIO()
    joblib.dump(value, buffer, protocol=protocol, compress=compress)
    return buffer.getvalue()


class Payload:
    """What a hostile model holds: made by a reader that runs it, a folder appears."""

    def __init__(self, trace: Path) -> None:
        self.trace = str(trace)

    def __reduce__(self) -> Any:
        return os.mkdir, (self.trace,)


def payload(trace: Path) -> bytes:
    """Return operations of protocol 0 that make a folder and leave nothing on the stack."""
    return b"cposix\nmkdir\n(V" + str(trace).encode("raw_unicode_escape") + b"\ntR0"


def text(value: str) -> bytes:
    """Return the operation that pushes a text."""
    data = value.encode("utf-8", "surrogatepass")
    return b"X" + struct.pack("<I", len(data)) + data


def name(module: str, attribute: str) -> bytes:
    """Return operations of protocol 4 that push what a name stands for."""
    return text(module) + text(attribute) + b"\x93"


def frame(body: bytes) -> bytes:
    """Return a stream of protocol 4 of one frame."""
    return b"\x80\x04\x95" + struct.pack("<Q", len(body) + 1) + body + b"."


def pickled(value: Any, protocol: int = 4) -> bytes:
    """Return the operations for ``value``, without the end of the stream."""
    return pickle.dumps(value, protocol)[:-1]
