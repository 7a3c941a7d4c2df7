"""Train a linear classifier in epochs and log how it gets on."""

from __future__ import annotations

import argparse
import pickle
from pathlib import Path

import numpy as np
from runforge_engine.experiment import current_run, read_config
from sklearn.linear_model import SGDClassifier
from sklearn.metrics import accuracy_score, log_loss
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler
from src.penguins import load


def main() -> None:
    """Train batch by batch; log loss and accuracy after each epoch."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--config", required=True)
    config = read_config(parser.parse_args().config)
    training, seed = config["training"], config["seed"]

    dataset = Path(config["references"]["dataset"]["path"])
    X, y, _ = load(dataset, training["label"], training["exclude"])
    X_train, X_test, y_train, y_test = train_test_split(
        X, y, test_size=0.2, stratify=y, random_state=seed
    )
    scaler = StandardScaler().fit(X_train)
    X_train, X_test = scaler.transform(X_train), scaler.transform(X_test)

    run = current_run()
    random = np.random.default_rng(seed)
    model = SGDClassifier(
        loss="log_loss",
        learning_rate="constant",
        eta0=training["learning_rate"],
        random_state=seed,
    )
    for epoch in range(1, training["epochs"] + 1):
        order = random.permutation(len(X_train))
        for start in range(0, len(order), training["batch_size"]):
            batch = order[start : start + training["batch_size"]]
            model.partial_fit(X_train[batch], y_train[batch], classes=np.unique(y))
        loss = log_loss(y_train, model.predict_proba(X_train))
        accuracy = accuracy_score(y_test, model.predict(X_test))
        run.log_metrics({"loss": loss, "accuracy": accuracy}, step=epoch)
        print(f"epoch {epoch}: loss {loss:.4f}, accuracy {accuracy:.4f}")

    run.log_artifact(pickle.dumps((scaler, model)), "model.pkl")


if __name__ == "__main__":
    main()
