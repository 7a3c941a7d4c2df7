"""The fit: what it gives, that it can be left, and that it gives the same bytes always."""

from __future__ import annotations

import pickle
import threading
import warnings
from typing import Any

import joblib
import numpy as np
import pytest
from real_data import FAMILIES
from runforge_contracts.errors import ErrorCode, RunForgeError
from runforge_engine.data.split import split_rows
from runforge_engine.modeling.configuration import Configuration, resolve
from runforge_engine.modeling.evaluation import evaluate
from runforge_engine.modeling.fit import (
    build_pipeline,
    dump_model,
    fit,
    fit_scaler,
    portions_of,
)
from runforge_engine.modeling.interpretability import interpret
from runforge_engine.runtime.background import in_threads, stragglers_running
from runforge_engine.runtime.cancellation import Cancellation
from sklearn import datasets, metrics
from sklearn.dummy import DummyClassifier
from sklearn.model_selection import train_test_split
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

TABLES = ("iris", "breast_cancer", "wine", "digits")


def configure(family: str, preset: str = "fast", **hyperparameters: Any) -> Configuration:
    return resolve(
        family=family, preset=preset, profile=None, hyperparameters=hyperparameters, seed=42
    )


def load(name: str) -> tuple[Any, Any]:
    X, y = getattr(datasets, f"load_{name}")(return_X_y=True)
    return np.ascontiguousarray(X), y


def train(configuration: Configuration, X: Any, y: Any, **options: Any) -> Any:
    progress: list[tuple[int, int]] = options.pop("seen", [])
    return fit(
        configuration,
        X.copy(),
        y,
        progress=lambda *step: progress.append(step),
        cancellation=options.pop("cancellation", Cancellation()),
        **options,
    )


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("name", TABLES)
def test_a_fit_is_that_of_a_plain_script(name: str, family: str) -> None:
    X, y = load(name)
    configuration = configure(family)
    split = split_rows(y, 42)
    X_train, X_val, y_train, y_val = train_test_split(
        X, y, test_size=0.2, stratify=y, random_state=42
    )
    assert np.array_equal(X[split.train], X_train)
    assert np.array_equal(y[split.validation], y_val)
    assert np.array_equal(np.split(X[split.order], [len(split.train)])[1], X_val)
    assert np.array_equal(X[split.order][split.places()], X)
    fitted = train(configuration, X[split.train], y[split.train])
    with pytest.warns() if fitted.diagnostics else _nothing():
        plain = build_pipeline(configuration).fit(X_train, y_train)
    predicted = plain.predict(X_val)
    assert np.array_equal(fitted.pipeline.predict(X_val), predicted)
    for attribute in ("coef_", "intercept_", "feature_importances_"):
        if hasattr(plain[-1], attribute):
            left, right = (getattr(model[-1], attribute) for model in (fitted.pipeline, plain))
            assert np.array_equal(left, right)
    found = evaluate(fitted.pipeline, X_val, y_val, np.unique(y).tolist()).metrics
    labels = np.unique(y)
    assert found.accuracy == metrics.accuracy_score(y_val, predicted)
    assert found.confusion_matrix == metrics.confusion_matrix(y_val, predicted).tolist()
    for ours, theirs in (
        (found.precision_macro, metrics.precision_score),
        (found.recall_macro, metrics.recall_score),
        (found.f1_macro, metrics.f1_score),
    ):
        assert ours == theirs(y_val, predicted, average="macro", zero_division=0)
    if len(labels) == 2:
        if family == "linear_svc":
            assert found.metrics_profile == "classification.base.v1"
            assert found.roc_auc == metrics.roc_auc_score(y_val, plain.decision_function(X_val))
        else:
            probabilities = plain.predict_proba(X_val)
            assert found.metrics_profile == "classification.proba.v1"
            assert found.roc_auc == metrics.roc_auc_score(y_val, probabilities[:, 1])
            assert found.log_loss == metrics.log_loss(y_val, probabilities)
    else:
        assert found.metrics_profile == "classification.multiclass.v1"


def _nothing() -> Any:
    import contextlib

    return contextlib.nullcontext()


@pytest.mark.parametrize("threads", [1, 2, 3, 8])
@pytest.mark.parametrize("trees", [1, 2, 33])
def test_a_forest_grown_by_many_threads_is_the_forest_of_one_fit(trees: int, threads: int) -> None:
    X, y = load("digits")
    configuration = configure("random_forest", n_estimators=trees)
    seen: list[tuple[int, int]] = []
    grown = train(configuration, X, y, n_jobs=threads, seen=seen).pipeline
    plain = build_pipeline(configuration).fit(X, y)
    names = [f"f{index}" for index in range(X.shape[1])]
    assert dump_model(grown, names) == dump_model(plain, names)
    assert grown[-1].get_params() == plain[-1].get_params()
    assert seen == [(count, trees) for count in [*range(10, trees, 10), trees]]


@pytest.mark.parametrize("cores", [1, 2, 3, 8])
@pytest.mark.parametrize("shape", [(60, 63), (60, 64), (900, 128), (7, 129), (2_000, 333)])
def test_columns_scaled_by_many_threads_are_those_of_one_scaler(
    shape: tuple[int, int], cores: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("runforge_engine.modeling.fit.usable_cores", lambda: cores)
    monkeypatch.setattr("runforge_engine.runtime.background.usable_cores", lambda: cores)
    random = np.random.default_rng(shape[1])
    X = random.normal(size=shape) * 10.0 ** random.integers(-9, 9, size=shape[1])
    X[:, [0, -1]] = 7.0
    plain = StandardScaler()
    expected, scaled = plain.fit_transform(X), X.copy()
    fitted = fit_scaler(scaled).scaler
    assert scaled.tobytes() == expected.tobytes()
    assert pickle.dumps(fitted) == pickle.dumps(plain)


@pytest.mark.parametrize("total", [1, 7, 100, 1003])
@pytest.mark.parametrize("threads", [1, 2, 64])
@pytest.mark.parametrize("most", [1, 10])
def test_every_tree_is_in_one_portion(total: int, threads: int, most: int) -> None:
    portions = list(portions_of(total, threads, most))
    assert [tree for begin, end in portions for tree in range(begin, end)] == [*range(total)]
    assert all(end - begin <= most for begin, end in portions)
    if threads > 1:
        assert portions[-1][1] - portions[-1][0] == 1


def test_a_forest_of_a_large_table_reports_every_tree(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("runforge_engine.modeling.fit.ROWS_AT_ONCE", 100)
    X, y = load("iris")
    seen: list[tuple[int, int]] = []
    train(configure("random_forest", n_estimators=5), X, y, n_jobs=2, seen=seen)
    assert seen == [(count, 5) for count in range(1, 6)]


@pytest.mark.parametrize("family", FAMILIES)
def test_equal_inputs_of_other_origin_give_equal_bytes(family: str) -> None:
    X, y = load("iris")
    labels = np.array(["setosa", "versicolor", "virginica"])[y]
    texts = {"C": float("0.5")} if family != "random_forest" else {"max_depth": int("5")}
    if family == "logistic_regression":
        texts["solver"] = "".join(["lb", "fgs"])  # type: ignore[assignment]
    literal = {"C": 0.5} if family != "random_forest" else {"max_depth": 5}
    names = ["a", "b", "c", "d"]
    one = dump_model(train(configure(family, **literal), X, labels).pipeline, names)
    two = dump_model(
        train(configure(family, **texts), X, labels.copy()).pipeline,
        ["".join([name]) for name in names],
    )
    assert one == two


def test_a_model_file_is_self_contained_and_knows_its_columns(tmp_path: Any) -> None:
    import pandas as pd

    X, y = load("iris")
    pipeline = train(configure("logistic_regression"), X, y).pipeline
    expected = pipeline.predict(X)
    (tmp_path / "model.pkl").write_bytes(dump_model(pipeline, ["a", "b", "c", "d"]))
    loaded = joblib.load(tmp_path / "model.pkl")
    assert [name for name, _ in loaded.steps] == ["scaler", "clf"]
    assert loaded.feature_names_in_.tolist() == ["a", "b", "c", "d"]
    frame = pd.DataFrame(X, columns=["a", "b", "c", "d"])
    assert np.array_equal(loaded.predict(frame), expected)
    with pytest.raises(ValueError, match="feature names"):
        loaded.predict(frame[["b", "a", "c", "d"]])
    data = (tmp_path / "model.pkl").read_bytes()
    assert data[:2] == pickle.PROTO + bytes([5])
    # Programs without joblib read it, too.
    assert np.array_equal(pickle.loads(data).predict(frame), expected)


def test_a_fit_that_does_not_converge_says_so() -> None:
    X, y = load("breast_cancer")
    [found] = train(configure("logistic_regression", max_iter=2), X, y).diagnostics
    assert (found.code, found.severity) == ("CONVERGENCE_NOT_REACHED", "warning")
    assert found.details == {"max_iter": 2, "n_iter": [2]}


def test_an_estimator_that_fails_is_a_failed_training() -> None:
    X, y = load("iris")
    with pytest.raises(RunForgeError) as caught:
        train(configure("logistic_regression", solver="liblinear"), X, y)
    assert caught.value.code is ErrorCode.TRAINING_FAILED
    assert isinstance(caught.value.__cause__, ValueError)


def hard_problem() -> tuple[Any, Any]:
    """Return data of low rank with labels by chance, on which liblinear goes on for minutes."""
    random = np.random.default_rng(0)
    X = random.normal(size=(300, 3)) @ random.normal(size=(3, 301))
    return X, random.integers(0, 2, size=300)


def test_a_cancelled_fit_is_left_at_once_and_the_next_one_waits_its_turn() -> None:
    cancellation = Cancellation()
    X, y = hard_problem()
    threading.Timer(0.3, cancellation.cancel).start()
    # About two seconds of native code that nobody can stop from outside.
    with pytest.raises(RunForgeError) as caught:
        train(configure("linear_svc", max_iter=20_000, C=1e6), X, y, cancellation=cancellation)
    assert caught.value.code is ErrorCode.CANCELLED
    assert stragglers_running()
    X, y = load("iris")
    after = train(configure("linear_svc"), X, y).pipeline
    alone = build_pipeline(configure("linear_svc")).fit(X, y)
    assert np.array_equal(after[-1].coef_, alone[-1].coef_)


def test_waiting_for_another_fit_can_be_cancelled() -> None:
    from runforge_engine.modeling import fit as fit_module

    cancellation = Cancellation()
    cancellation.cancel("enough")
    X, y = load("iris")
    with fit_module._FITTING, pytest.raises(RunForgeError) as caught:
        train(configure("linear_svc"), X, y, cancellation=cancellation)
    assert (caught.value.code, caught.value.message) == (ErrorCode.CANCELLED, "enough")


def test_two_fits_in_two_threads_are_those_of_one_after_the_other() -> None:
    X, y = load("breast_cancer")
    names = [f"f{index}" for index in range(X.shape[1])]
    configurations = [configure("linear_svc", C=value) for value in (0.1, 10.0)]
    one_by_one = [dump_model(train(item, X, y).pipeline, names) for item in configurations]
    together: dict[int, bytes] = {}

    def work(index: int) -> None:
        together[index] = dump_model(train(configurations[index], X, y).pipeline, names)

    threads = [threading.Thread(target=work, args=(index,)) for index in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [together[0], together[1]] == one_by_one


def test_fits_in_two_threads_each_say_what_there_is_to_say() -> None:
    X, y = load("digits")
    filters, shown = list(warnings.filters), warnings.showwarning
    said: list[list[str]] = []

    def work() -> None:
        for steps in range(1, 8):
            fitted = train(configure("logistic_regression", max_iter=steps), X, y)
            said.append([item.code for item in fitted.diagnostics])

    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert said == [["CONVERGENCE_NOT_REACHED"]] * 14
    assert (warnings.filters, warnings.showwarning) == (filters, shown)


@pytest.mark.parametrize("seed", range(40))
def test_metrics_are_those_that_scikit_learn_computes_from_all_rows(seed: int) -> None:
    random = np.random.default_rng(seed)
    count = int(random.integers(2, 9))
    labels = np.arange(count) - 3 if seed % 2 else np.array([f"c{i}" for i in range(count)])
    rows = int(random.integers(3, 3000))
    shares = random.dirichlet(np.full(count, 0.3))
    y = labels[random.choice(count, rows, p=shares)]
    y[:count] = labels[: len(y)]
    X = random.normal(size=(rows, 1))
    guess = DummyClassifier(strategy="stratified", random_state=seed)
    pipeline = Pipeline([("scaler", StandardScaler()), ("clf", guess)]).fit(X, y)
    predicted = pipeline.predict(X)
    found = evaluate(pipeline, X, y, np.unique(y).tolist()).metrics
    labels = np.unique(y)
    for average, ours in (
        ("macro", (found.precision_macro, found.recall_macro, found.f1_macro)),
        (None, (found.per_class_precision, found.per_class_recall, found.per_class_f1)),
    ):
        *expected, support = metrics.precision_recall_fscore_support(
            y, predicted, labels=labels, average=average, zero_division=0
        )
        if average:
            assert list(ours) == expected  # type: ignore[arg-type]
        elif len(labels) > 2:
            assert np.array_equal(ours, expected)  # type: ignore[arg-type]
            assert [sum(row) for row in found.confusion_matrix] == support.tolist()
    assert found.accuracy == metrics.accuracy_score(y, predicted)


def test_metrics_that_cannot_be_computed_are_left_out_and_explained() -> None:
    X, y = load("breast_cancer")
    pipeline = train(configure("logistic_regression"), X, y).pipeline
    only = y == 1
    evaluation = evaluate(pipeline, X[only], y[only], [0, 1])
    codes = [(item.code, item.details["metric"]) for item in evaluation.diagnostics]
    assert ("METRIC_UNDEFINED", "roc_auc") in codes
    assert ("METRIC_UNDEFINED", "recall") in codes
    import msgspec

    assert evaluation.metrics.roc_auc is msgspec.UNSET
    assert evaluation.metrics.confusion_matrix[0] == [0, 0]


def test_ranks_follow_strength_and_ties_follow_the_columns() -> None:
    random = np.random.default_rng(0)
    column = random.normal(size=200)
    X = np.column_stack([np.zeros(200), column, np.zeros(200), -column])
    y = (column > 0).astype(int)
    names = ["zero", "up", "nil", "down"]
    linear = interpret(
        train(configure("logistic_regression"), X, y).pipeline, "logistic_regression", names
    ).linear_coefficients
    assert linear is not None
    [group] = linear.coefficients_by_class
    assert group.class_ == 1
    assert [item.rank for item in group.features] == [1, 2, 3, 4]
    assert [item.name for item in group.features][2:] == ["zero", "nil"]
    forest = interpret(
        train(configure("random_forest"), X, y).pipeline, "random_forest", names
    ).feature_importance
    assert forest is not None
    assert [item.name for item in forest.features_by_importance][2:] == ["zero", "nil"]
    assert [item.name for item in forest.features_by_original_order] == names


@pytest.mark.parametrize("seed", [0, 1, 42, 2**32 - 1])
def test_rows_are_drawn_as_scikit_learn_draws_them(seed: int) -> None:
    random = np.random.default_rng(seed)
    for _ in range(150):
        count = int(random.integers(2, 12))
        sizes = random.integers(2, 60, size=count)
        if random.random() < 0.3:
            sizes[:] = sizes[0]
        y = random.permutation(np.repeat(np.arange(count), sizes))
        try:
            expected = train_test_split(
                np.arange(len(y)), test_size=0.2, stratify=y, random_state=seed
            )
        except ValueError:
            with pytest.raises(RunForgeError):
                split_rows(y, seed)
            continue
        split = split_rows(y, seed)
        assert np.array_equal(split.train, expected[0])
        assert np.array_equal(split.validation, expected[1])


def test_more_classes_than_fit_sixteen_bits_are_split_alike() -> None:
    y = np.random.default_rng(0).permutation(np.repeat(np.arange(70_000), 6))
    expected = train_test_split(np.arange(len(y)), test_size=0.2, stratify=y, random_state=3)
    split = split_rows(y, 3)
    assert np.array_equal(split.train, expected[0])
    assert np.array_equal(split.validation, expected[1])


def test_rows_that_cannot_be_stratified_are_refused() -> None:
    with pytest.raises(RunForgeError) as caught:
        split_rows(np.repeat(np.arange(5), 2), 42)
    assert caught.value.code is ErrorCode.SPLIT_IMPOSSIBLE


def test_a_failure_in_any_thread_is_raised() -> None:
    def work(item: int) -> None:
        if item == failing:
            raise ValueError(item)
        done.append(item)

    for failing in (0, 50, 99):
        done: list[int] = []
        with pytest.raises(ValueError, match=str(failing)):
            in_threads(work, range(100))
        assert failing not in done
