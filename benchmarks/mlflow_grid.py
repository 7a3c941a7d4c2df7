"""A grid under MLflow, as its users write it: autolog, and a run around each fit.

python benchmarks/mlflow_grid.py DATA LABEL FOLDER RUNS
"""

import sys
import time
from pathlib import Path

import mlflow
import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

path, label, folder, runs = Path(sys.argv[1]), sys.argv[2], Path(sys.argv[3]), int(sys.argv[4])
folder.mkdir(parents=True, exist_ok=True)
frame = pd.read_csv(path)
X, y = frame.drop(columns=label), frame[label]
X_train, X_val, y_train, y_val = train_test_split(X, y, test_size=0.2, stratify=y, random_state=42)
mlflow.set_tracking_uri(f"sqlite:///{folder.resolve() / 'mlflow.db'}")
mlflow.autolog(silent=True)
begun = 0.0
# The first run makes the store, so it is not counted.
for number, C in enumerate(np.geomspace(0.01, 100, runs + 1)):
    if number == 1:
        begun = time.perf_counter()
    with mlflow.start_run():
        model = make_pipeline(StandardScaler(), LogisticRegression(C=C, max_iter=200))
        model.fit(X_train, y_train)
        mlflow.log_metric("accuracy", model.score(X_val, y_val))
print((time.perf_counter() - begun) / runs)
