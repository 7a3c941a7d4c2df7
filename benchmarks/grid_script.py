"""The rival of a sweep: a grid fitted as one writes it by hand, with scikit-learn and joblib.

    python benchmarks/grid_script.py DATA LABEL FAMILY FOLDER RUNS JOBS

The table is read and split once; each setting is a pipeline that is fitted and scored in a process
of joblib's. What comes out is one file with the accuracies: no model is kept, nothing is checked,
no run is recorded.
"""

import json
import sys
from pathlib import Path

import joblib
import numpy as np
import pandas as pd
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

path, label, family, folder = Path(sys.argv[1]), sys.argv[2], sys.argv[3], Path(sys.argv[4])
runs, jobs = int(sys.argv[5]), int(sys.argv[6])


def score(X_train, X_val, y_train, y_val, value):
    if family == "random_forest":
        classifier = RandomForestClassifier(
            n_estimators=100, min_samples_leaf=int(value), random_state=42
        )
    else:
        classifier = LogisticRegression(C=float(value), max_iter=200, random_state=42)
    model = make_pipeline(StandardScaler(), classifier).fit(X_train, y_train)
    return model.score(X_val, y_val)


frame = pd.read_csv(path)
X, y = frame.drop(columns=label), frame[label]
parts = [
    np.ascontiguousarray(part)
    for part in train_test_split(X, y, test_size=0.2, stratify=y, random_state=42)
]
values = range(1, runs + 1) if family == "random_forest" else np.geomspace(0.01, 100, runs)
scores = joblib.Parallel(n_jobs=jobs)(joblib.delayed(score)(*parts, value) for value in values)
folder.mkdir(parents=True, exist_ok=True)
(folder / "scores.json").write_text(json.dumps(scores))
print(f"best accuracy {max(scores):.4f}")
