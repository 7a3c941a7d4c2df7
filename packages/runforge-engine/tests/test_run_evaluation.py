"""``Run.evaluate``: judge a model by new rows in a program or a notebook."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pandas as pd
import pytest
from runforge_contracts.errors import ErrorCode, RunForgeError
from runforge_contracts.store.evaluations import content_digest, list_evaluations
from runforge_contracts.store.layout import StoreLayout
from runforge_engine import Run, train
from runforge_engine.api.run_evaluation import RunEvaluation
from runforge_engine.evaluations.evaluation_writer import write_evaluation

PENGUINS = Path(__file__).parents[3] / "examples/penguins.csv"


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Return a run of two classes, whose metrics include a loss; nobody changes it."""
    workspace = tmp_path_factory.mktemp("workspace")
    table = pd.read_csv(PENGUINS)
    table = table[table["species"] != "Chinstrap"]
    table.to_csv(workspace / "two.csv", index=False)
    return train(
        workspace / "two.csv",
        label="species",
        exclude=["island", "sex", "year"],
        hyperparameters={"C": 0.01},
        workspace=workspace,
    )


def test_a_frame_is_evaluated_and_recorded(run: Run) -> None:
    table = pd.read_csv(PENGUINS)
    made = run.evaluate(table)
    assert isinstance(made, RunEvaluation)
    [found] = [item for item in run.evaluations if item == made]
    assert found.record == made.record
    chinstraps = int((table["species"] == "Chinstrap").sum())
    assert {item["reason"]: item["rows"] for item in made.left_out} == {
        "missing_value": 2,
        "unknown_label": chinstraps,
    }
    assert repr(made) == f"<RunEvaluation {made.id}: accuracy={made.metrics['accuracy']:.4f}>"
    assert repr(RunEvaluation(made.path.with_name("gone"))) == "<RunEvaluation gone>"
    assert made.record["rows_evaluated"] == len(table) - chinstraps - 2
    assert made.confusion_matrix.to_numpy().sum() == made.record["rows_evaluated"]
    assert list(made.confusion_matrix.index) == ["Adelie", "Gentoo"]
    assert set(made.numbers) == {
        *("accuracy", "precision_macro", "recall_macro", "f1_macro", "roc_auc", "log_loss"),
    }
    assert made.validation is not None
    assert run.detailed_metrics == made.validation
    assert made.differences["log_loss"] == (made.numbers["log_loss"] - made.validation["log_loss"])


def test_a_notebook_shows_metrics_beside_those_of_validation(run: Run) -> None:
    table = pd.read_csv(PENGUINS)
    table.loc[0, "species"] = "<b>Adelie</b>"
    data = run.path.parents[2] / "<i>new.csv"  # in the workspace, where its path is short
    table.to_csv(data, index=False)
    html = run.evaluate(data)._repr_html_()
    assert "validation" in html
    assert "with a label that the model does not know" in html
    assert "&lt;i&gt;new.csv" in html
    assert "<i>" not in html
    assert "<b>" not in html


def test_errors_are_those_of_the_command(run: Run, tmp_path: Path) -> None:
    with pytest.raises(RunForgeError) as caught:
        run.evaluate(tmp_path / "none.csv")
    assert caught.value.code is ErrorCode.DATASET_NOT_FOUND
    with pytest.raises(RunForgeError) as caught:
        run.evaluate(pd.read_csv(PENGUINS), label="kind")
    assert caught.value.code is ErrorCode.LABEL_NOT_FOUND
    with pytest.raises(RunForgeError) as caught:
        run.evaluate(17)  # type: ignore[arg-type]
    assert caught.value.code is ErrorCode.USAGE_INVALID


def test_integer_labels_are_compared_by_value(tmp_path: Path) -> None:
    rows = [(position % 2, position, position % 7) for position in range(60)]
    data = pd.DataFrame(rows, columns=["label", "a", "b"])
    run = train(data, label="label", workspace=tmp_path)
    written = data.astype({"label": str})
    written.loc[:2, "label"] = ["01.0", "one", "2"]
    made = run.evaluate(written)
    assert made.metrics["class_labels"] == [0, 1]
    [left_out] = made.left_out
    assert left_out["reason"] == "unknown_label"
    assert left_out["rows"] == 2
    assert [example["value"] for example in left_out["examples"]] == ["one", "2"]


def test_typed_columns_are_judged_cell_by_cell(tmp_path: Path) -> None:
    rows = [(position % 2, float(position), position % 3 == 0) for position in range(60)]
    data = pd.DataFrame(rows, columns=["label", "a", "flag"])
    run = train(data, label="label", workspace=tmp_path)
    data.loc[1, "a"] = float("inf")
    data.loc[2, "a"] = 1e200
    data.loc[3, "a"] = float("nan")
    data.to_parquet(tmp_path / "new.parquet")
    made = run.evaluate(tmp_path / "new.parquet")
    assert {item["reason"]: item["rows"] for item in made.left_out} == {
        "missing_value": 1,
        "out_of_range": 2,
    }
    assert [item["code"] for item in made.record["diagnostics"]] == ["FEATURE_BOOLEAN"]


def test_metrics_that_are_not_defined_are_absent(run: Run) -> None:
    table = pd.read_csv(PENGUINS)
    made = run.evaluate(table[table["species"] == "Gentoo"])
    assert "roc_auc" not in made.metrics
    diagnostics = made.record["diagnostics"]
    assert {item["code"] for item in diagnostics} == {"METRIC_UNDEFINED"}
    assert any("evaluated rows" in item["message"] for item in diagnostics)


def test_nothing_heavy_is_imported_for_the_class() -> None:
    code = "import runforge_engine.api.run_evaluation, sys; print('numpy' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True)
    assert done.stdout == "False\n"


def test_writers_at_the_same_moment_get_ids_of_their_own(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1769947200")
    record = run.evaluate(pd.read_csv(PENGUINS)).record
    body = {
        name: record[name]
        for name in ("run_id", "model", "dataset", "rows_evaluated", "left_out", "metrics")
    }
    store = StoreLayout(tmp_path)
    with ThreadPoolExecutor(8) as pool:
        written = list(pool.map(lambda _: write_evaluation(store, body, "test@1"), range(24)))
    assert len({item.id for item in written}) == 24
    assert {item.id for item in list_evaluations(store)} == {item.id for item in written}
    assert all(content_digest(item.record) == item.record["content_sha256"] for item in written)
    assert [path.name for path in store.evaluations.iterdir() if path.name[0] == "."] == []


def test_a_full_disk_leaves_nothing(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = run.evaluate(pd.read_csv(PENGUINS)).record

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(RunForgeError) as caught:
        write_evaluation(StoreLayout(tmp_path), record, "test@1")
    assert caught.value.code is ErrorCode.STORE_NOT_WRITABLE
    assert list(StoreLayout(tmp_path).evaluations.iterdir()) == []
