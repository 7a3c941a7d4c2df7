"""The rival: train a classifier as one writes it by hand, with pandas and scikit-learn.

    python benchmarks/bare_script.py DATA LABEL FAMILY FOLDER [all-cores]

What a careful person does without a tool: the digest of the data, a stratified split, a pipeline,
the usual metrics, the model and a file with what came out. Nothing is checked, no environment is
recorded, no thread is fixed.
"""

import hashlib
import json
import sys
from pathlib import Path

import joblib
import pandas as pd
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import (
    accuracy_score,
    confusion_matrix,
    f1_score,
    log_loss,
    precision_score,
    recall_score,
    roc_auc_score,
)
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

path, label, family, folder = Path(sys.argv[1]), sys.argv[2], sys.argv[3], Path(sys.argv[4])
n_jobs = -1 if "all-cores" in sys.argv[5:] else None  # what scikit-learn does by itself

frame = pd.read_csv(path)
with path.open("rb") as file:
    fingerprint = hashlib.file_digest(file, "sha256").hexdigest()

X, y = frame.drop(columns=label), frame[label]
X_train, X_val, y_train, y_val = train_test_split(X, y, test_size=0.2, stratify=y, random_state=42)

classifiers = {
    "logistic_regression": LogisticRegression(max_iter=200, random_state=42),
    "random_forest": RandomForestClassifier(n_estimators=100, random_state=42, n_jobs=n_jobs),
}
model = make_pipeline(StandardScaler(), classifiers[family])
model.fit(X_train, y_train)

predicted = model.predict(X_val)
metrics = {
    "accuracy": accuracy_score(y_val, predicted),
    "precision": precision_score(y_val, predicted, average="macro"),
    "recall": recall_score(y_val, predicted, average="macro"),
    "f1_score": f1_score(y_val, predicted, average="macro"),
    "confusion_matrix": confusion_matrix(y_val, predicted).tolist(),
}
if y.nunique() == 2:
    probabilities = model.predict_proba(X_val)
    metrics["roc_auc"] = roc_auc_score(y_val, probabilities[:, 1])
    metrics["log_loss"] = log_loss(y_val, probabilities)

folder.mkdir(parents=True, exist_ok=True)
joblib.dump(model, folder / "model.pkl")
(folder / "metrics.json").write_text(
    json.dumps({"data_sha256": fingerprint, "rows": len(frame), **metrics}, indent=2)
)
print(f"accuracy {metrics['accuracy']:.4f}")
