"""A pipeline of scikit-learn on raw columns, as a script has it: what a recipe is compared with.

    python transformer_script.py RAW RECIPE PREDICTIONS

The recipe only says what is wanted for each column. Writes label and probabilities of each row that
has all values.
"""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, OrdinalEncoder, StandardScaler

#: Cells that are missing values for RunForge.
_MISSING = ["", "NA", "N/A", "NaN", "nan", "null", "NULL", "None"]


def predictions(frame: pd.DataFrame, recipe: Mapping[str, Any]) -> tuple[list[str], Any]:
    """Return labels and probabilities for the rows that have all values that are needed."""
    steps, needed = [], []
    for item in recipe["columns"]:
        name, action = item["column"], item["action"]
        if action == "drop":
            continue
        indicator = item.get("missing") == "indicator"
        if action == "keep":
            frame[name] = frame[name].astype(float)
            step: Any = "passthrough"
            if indicator:
                step = SimpleImputer(strategy="constant", fill_value=0, add_indicator=True)
        elif action == "ordinal":
            step = OrdinalEncoder(categories=[item["categories"]])
        elif action == "one_hot":
            # A missing value has a column of its own, the last one.
            categories = [*item["categories"], *([""] if indicator else [])]
            frame[name] = frame[name].fillna("") if indicator else frame[name]
            step = OneHotEncoder(categories=[categories], sparse_output=False)
        elif action == "boolean":
            true = item.get("true", ["true", "True", "TRUE"])
            known = frame[name].isin(true).astype(float)
            frame[name] = known.where(frame[name].notna())
            step = "passthrough"
            if indicator:
                step = SimpleImputer(strategy="constant", fill_value=0, add_indicator=True)
        else:
            raise RuntimeError(f"No step for the action {action}.")
        if not indicator:
            needed.append(name)
        steps.append((name, step, [name]))
    label = recipe["label"]
    complete = frame[frame[needed].notna().all(axis=1)]
    labelled = complete[complete[label].notna()]
    fitted = train_test_split(labelled, test_size=0.2, stratify=labelled[label], random_state=42)[0]
    model = make_pipeline(
        ColumnTransformer(steps, sparse_threshold=0),
        FunctionTransformer(np.ascontiguousarray),
        StandardScaler(),
        LogisticRegression(max_iter=200, random_state=42),
    )
    model.fit(fitted, fitted[label])
    return [*model.predict(complete)], model.predict_proba(complete)


def main() -> None:
    """Fit, predict and write."""
    raw, recipe, out = map(Path, sys.argv[1:])
    frame = pd.read_csv(raw, dtype=str, keep_default_na=False, na_values=_MISSING)
    labels, probabilities = predictions(frame, json.loads(recipe.read_bytes()))
    with out.open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["prediction", "probabilities"])
        for label, numbers in zip(labels, probabilities.tolist(), strict=True):
            rows.writerow([label, *map(repr, numbers)])


if __name__ == "__main__":
    main()
