"""Small models of the installed scikit-learn, as a ZIP file for the tests; run by hand.

    python -m venv old && old/bin/pip install scikit-learn==1.3.2 numpy==1.26.4 joblib==1.3.2
    old/bin/python make_model_vectors.py ../vectors/models

The file ``scikit-learn-VERSION.zip`` holds a model for each family, number of classes and kind of
label, each written in another way, and ``expected.json``: what each predicts for ``ROWS``. It needs
nothing of RunForge, so that any release can make it.
"""

from __future__ import annotations

import io
import json
import pickle
import sys
import zipfile
from pathlib import Path

import joblib
import numpy as np
import scipy
import sklearn
from sklearn.datasets import load_iris
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC

#: Rows of the data set that are predicted.
ROWS = range(0, 150, 10)
#: How each model of a family is written: joblib's compression or ``None`` for plain pickle, and the
#: protocol.
WRITERS = ((0, 5), (None, 5), (("zlib", 3), 4), (None, 2))


def classifier(family):
    if family == "random_forest":
        return RandomForestClassifier(3, max_depth=3, random_state=0)
    if family == "linear_svc":
        return LinearSVC(random_state=0, dual=False)
    return LogisticRegression(max_iter=200)


def main(folder):
    X, y = load_iris(return_X_y=True)
    files, expected = {}, {}
    for family in ("linear_svc", "logistic_regression", "random_forest"):
        cases = [(count, label) for count in (2, 3) for label in ("int", "text")]
        for (count, label), (compress, protocol) in zip(cases, WRITERS, strict=True):
            used = y < count
            target = y[used]
            if label == "text":
                target = np.array(["setosa", "versicolor", "virginica"], dtype=object)[target]
            steps = [("scaler", StandardScaler()), ("clf", classifier(family))]
            pipeline = Pipeline(steps).fit(X[used], target)
            names = np.array(["a", "b", "c", "d"], dtype=object)
            pipeline["scaler"].feature_names_in_ = names
            buffer = io.BytesIO()
            if compress is None:
                pickle.dump(pipeline, buffer, protocol)
            else:
                joblib.dump(pipeline, buffer, protocol=protocol, compress=compress)
            writer = "pickle" if compress is None else "joblib"
            name = f"{family}-{count}-{label}.{writer}"
            files[name] = buffer.getvalue()
            del pipeline["scaler"].feature_names_in_
            rows = X[list(ROWS)]
            expected[name] = {"labels": pipeline.predict(rows).tolist()}
            if hasattr(pipeline, "predict_proba"):
                expected[name]["probabilities"] = pipeline.predict_proba(rows).tolist()
    versions = {module.__name__: module.__version__ for module in (sklearn, np, scipy, joblib)}
    files["expected.json"] = json.dumps(
        {"versions": versions, "rows": list(ROWS), "models": expected}, indent=1
    ).encode()
    path = Path(folder) / f"scikit-learn-{sklearn.__version__}.zip"
    with zipfile.ZipFile(str(path), "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in sorted(files.items()):
            archive.writestr(zipfile.ZipInfo(name), data, zipfile.ZIP_DEFLATED)


if __name__ == "__main__":
    main(sys.argv[1])
