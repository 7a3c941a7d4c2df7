"""Train a logistic regression on the dataset of an experiment."""

from __future__ import annotations

import argparse
import pickle
from pathlib import Path

from penguins import load
from runforge_engine.experiment import current_run, read_config
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, log_loss
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler


def main() -> None:
    """Train, measure, and keep the model."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--config", required=True)
    config = read_config(parser.parse_args().config)
    training = config["training"]

    dataset = Path(config["references"]["dataset"]["path"])
    X, y, features = load(dataset, training["label"], training["exclude"])
    X_train, X_test, y_train, y_test = train_test_split(
        X, y, test_size=0.2, stratify=y, random_state=config["seed"]
    )
    model = make_pipeline(StandardScaler(), LogisticRegression(C=training["C"]))
    model.fit(X_train, y_train)
    print(f"trained on {len(X_train)} penguins: {', '.join(features)}")

    run = current_run()
    run.log_parameter("features", features)
    run.log_summary("accuracy", accuracy_score(y_test, model.predict(X_test)))
    run.log_summary("log_loss", log_loss(y_test, model.predict_proba(X_test)))
    run.log_artifact(pickle.dumps(model), "model.pkl")


if __name__ == "__main__":
    main()
