"""Predictions are those of the run's own model for the rows of the file, or there are none."""

from __future__ import annotations

import csv
import gzip
import hashlib
import io
import json
import shutil
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pandas as pd
import pytest
from model_files import Payload, joblib_bytes
from real_data import FAMILIES, read, write_dataset
from runforge_contracts.errors import ErrorCode, RunForgeError
from runforge_contracts.store.layout import StoreLayout
from runforge_contracts.store.reading import list_runs
from runforge_contracts.store.run import Run
from runforge_engine.data.dataset import load_dataset
from runforge_engine.data.dataset_source import read_source
from runforge_engine.model_file.model_inspection import inspect_model
from runforge_engine.modeling.predict import Prediction, model_of_file, model_of_run, predict
from runforge_engine.pipeline.execute import execute
from runforge_engine.pipeline.request import new_request

MODEL = "artifacts/model.pkl"


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a workspace with a run of each family; nobody changes it."""
    workspace = tmp_path_factory.mktemp("trained")
    path, label, excluded = write_dataset("penguins", workspace)
    store = StoreLayout(workspace)
    for family in FAMILIES:
        request = new_request(
            dataset=path,
            label_column=label,
            exclude_columns=excluded,
            store=store,
            created_by="tests@1",
            model_family=family,
            hyperparameters={"n_estimators": 20} if family == "random_forest" else {},
        )
        assert execute(request, store).status == "succeeded"
    return workspace


@pytest.fixture
def workspace(trained: Path, tmp_path: Path) -> Path:
    """Return a copy of that workspace."""
    shutil.copytree(trained, tmp_path, dirs_exist_ok=True)
    return tmp_path


def run_of(workspace: Path, family: str) -> Run:
    folders = [Run(path) for path in (workspace / ".runforge/runs").iterdir()]
    return next(folder for folder in folders if (folder.record or {})["model_family"] == family)


def listed(workspace: Path) -> list[tuple[dict[str, Any], StoreLayout]]:
    store = StoreLayout(workspace)
    return [(entry, store) for entry in list_runs(store)]


def predicted(workspace: Path, family: str, data: Path, *, proba: bool = False) -> Prediction:
    model = model_of_run(run_of(workspace, family), listed(workspace))
    return predict(model, read_source(data), probabilities=proba)


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def write(path: Path, rows: Sequence[dict[str, str]], columns: Sequence[str] | None = None) -> Path:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, columns or list(rows[0]), extrasaction="ignore")
        writer.writeheader()
        writer.writerows(rows)
    return path


def expected_of(workspace: Path, family: str, method: str) -> dict[int, Any]:
    """Return what scikit-learn itself makes of the complete rows, by their number."""
    folder = run_of(workspace, family)
    features = read(folder.path, "run.json")["feature_names"]
    pipeline = joblib.load(folder.path / MODEL)
    pipeline[-1].set_params(n_jobs=1) if family == "random_forest" else None
    rows = {
        number: [float(row[name]) for name in features]
        for number, row in enumerate(rows_of(workspace / "penguins.csv"), 1)
        if all(row[name] not in ("", "NA") for name in features)
    }
    frame = pd.DataFrame(list(rows.values()), columns=features)
    return dict(zip(rows, getattr(pipeline, method)(frame).tolist(), strict=True))


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("proba", [False, True], ids=["labels", "probabilities"])
def test_predictions_are_those_of_the_pipeline_under_the_numbers_of_the_rows(
    family: str, proba: bool, trained: Path
) -> None:
    if proba and family == "linear_svc":
        return
    data = trained / "penguins.csv"
    expected = expected_of(trained, family, "predict_proba" if proba else "predict")
    prediction = predicted(trained, family, data, proba=proba)
    assert len(prediction.values) == len(rows_of(data)) == 344
    assert {row: value for row, value in enumerate(prediction.values, 1) if value is not None} == (
        expected
    )
    assert prediction.missing_rows == [4, 272]
    assert prediction.predicted == 342
    assert prediction.ignored_columns == ("species", "island", "sex", "year")
    assert prediction.missing_by_column == dict.fromkeys(
        ("bill_length_mm", "bill_depth_mm", "flipper_length_mm", "body_mass_g"), 2
    )
    assert prediction.warnings == ()
    assert prediction.classes == (("Adelie", "Chinstrap", "Gentoo") if proba else None)


def test_integer_labels_stay_integers(tmp_path: Path) -> None:
    path, label, _ = write_dataset("wine", tmp_path)
    store = StoreLayout(tmp_path)
    request = new_request(dataset=path, label_column=label, store=store, created_by="tests@1")
    execute(request, store)
    prediction = predicted(tmp_path, "logistic_regression", path)
    assert {type(label) for label in prediction.values} == {int}
    assert prediction.to_csv().splitlines()[:2] == [b"row,prediction", b"1,0"]
    shares = predicted(tmp_path, "logistic_regression", path, proba=True)
    assert shares.to_csv().startswith(b"row,0,1,2\n1,")


def test_no_class_shares_its_column_with_the_numbers_of_rows(tmp_path: Path) -> None:
    labels = ["row", "_row", "prediction"]
    rows = [{"a": str(number % 7), "label": labels[number % 3]} for number in range(60)]
    path, store = write(tmp_path / "rows.csv", rows), StoreLayout(tmp_path)
    request = new_request(dataset=path, label_column="label", store=store, created_by="tests@1")
    execute(request, store)
    shares = predicted(tmp_path, "logistic_regression", path, proba=True)
    assert shares.to_csv().startswith(b"__row,_row,prediction,row\n1,")
    labels_of_rows = predicted(tmp_path, "logistic_regression", path)
    assert labels_of_rows.to_csv().startswith(b"row,prediction\n1,")


@pytest.mark.parametrize("kind", ["shuffled", "gzip", "parquet", "bom and quotes", "only features"])
def test_the_form_of_the_table_does_not_matter(kind: str, trained: Path, tmp_path: Path) -> None:
    original = trained / "penguins.csv"
    expected = predicted(trained, "logistic_regression", original, proba=True).to_csv()
    rows = rows_of(original)
    data = tmp_path / "data"
    if kind == "shuffled":
        write(
            data,
            rows,
            [
                "sex",
                "body_mass_g",
                "bill_depth_mm",
                "species",
                "flipper_length_mm",
                "bill_length_mm",
            ],
        )
    elif kind == "gzip":
        data.write_bytes(gzip.compress(original.read_bytes()))
    elif kind == "parquet":
        pd.read_csv(original)[::1].iloc[:, ::-1].to_parquet(data)
    elif kind == "bom and quotes":
        frame = pd.read_csv(original, dtype=str, keep_default_na=False)
        data.write_bytes(b"\xef\xbb\xbf" + frame.to_csv(index=False, quoting=1).encode())
    else:
        write(data, rows, ["body_mass_g", "bill_depth_mm", "flipper_length_mm", "bill_length_mm"])
    assert predicted(trained, "logistic_regression", data, proba=True).to_csv() == expected


def test_the_output_keeps_every_row_and_reads_back_exactly(trained: Path) -> None:
    prediction = predicted(trained, "random_forest", trained / "penguins.csv", proba=True)
    header, *rows = csv.reader(io.StringIO(prediction.to_csv().decode()))
    assert header == ["row", "Adelie", "Chinstrap", "Gentoo"]
    assert [int(row[0]) for row in rows] == list(range(1, 345))
    assert rows[3] == ["4", "", "", ""]
    exact = [[float(cell) for cell in row[1:]] for row in rows if row[1]]
    assert exact == [value for value in prediction.values if value is not None]
    assert prediction.to_list()[3] == {"row": 4}
    assert prediction.to_list()[4] == {"row": 5, "probabilities": prediction.values[4]}


def test_a_label_cannot_act_on_a_terminal_and_keeps_its_bytes_anywhere_else() -> None:
    label = "a\x1b]0;owned\x07\n\u202e"
    for classes, values in ((None, (label, None)), ((label, "b"), ((0.5, 0.5), None))):
        prediction = Prediction("run", classes, values, (), {}, ())
        assert label in prediction.to_csv().decode()
        shown = prediction.to_csv(for_terminal=True).decode()
        assert not set("\x1b\x07\u202e") & set(shown)
        assert "a\\x1b]0;owned\\x07\\n\\u202e" in shown
        assert len(shown.splitlines()) == 3


def test_a_table_without_a_complete_row_gets_no_prediction(trained: Path, tmp_path: Path) -> None:
    columns = ["bill_length_mm", "bill_depth_mm", "flipper_length_mm", "body_mass_g"]
    header = write(tmp_path / "header.csv", [], columns)
    assert predicted(trained, "linear_svc", header).to_csv() == b"row,prediction\n"
    empty = dict.fromkeys(columns, " ") | {"bill_length_mm": "1"}
    missing = write(tmp_path / "missing.csv", [empty, empty])
    prediction = predicted(trained, "linear_svc", missing)
    assert prediction.to_csv() == b"row,prediction\n1,\n2,\n"
    assert prediction.missing_by_column == dict.fromkeys(columns[1:], 2)


def refusal(work: Callable[[], object]) -> RunForgeError:
    with pytest.raises(RunForgeError) as caught:
        work()
    return caught.value


@pytest.mark.parametrize("cell", ["x", "1,5", "0x10", "NAN", "1_0", "inf", "1e999"])
def test_a_cell_that_is_no_finite_number_is_an_error_as_in_training(
    cell: str, trained: Path, tmp_path: Path
) -> None:
    rows = rows_of(trained / "penguins.csv")
    rows[6]["body_mass_g"] = cell
    data = write(tmp_path / "data.csv", rows)
    excluded = ("island", "sex", "year")
    in_training = refusal(lambda: load_dataset(read_source(data), "species", excluded))
    error = refusal(lambda: predicted(trained, "linear_svc", data))
    assert error.code in (ErrorCode.FEATURE_NOT_NUMERIC, ErrorCode.FEATURE_NOT_FINITE)
    assert (error.code, error.message) == (in_training.code, in_training.message)
    assert (error.location.column, error.location.row) == ("body_mass_g", 7)
    assert "--exclude" not in str(error.hint)


def test_missing_columns_are_named(trained: Path, tmp_path: Path) -> None:
    rows = rows_of(trained / "penguins.csv")
    one = write(
        tmp_path / "one.csv",
        rows,
        ["bill_length_mm", "bill_depth_mm", "body_mass_g", "Flipper_Length"],
    )
    error = refusal(lambda: predicted(trained, "linear_svc", one))
    assert (error.code, error.location.column) == (ErrorCode.COLUMN_NOT_FOUND, "flipper_length_mm")
    assert "`flipper_length_mm`" in error.message
    assert error.hint == "Did you mean `Flipper_Length`?"
    several = write(tmp_path / "several.csv", rows, ["bill_length_mm"])
    error = refusal(lambda: predicted(trained, "linear_svc", several))
    assert error.code is ErrorCode.COLUMN_NOT_FOUND
    assert len(error.problems) == 3
    text = tmp_path / "semicolons.csv"
    text.write_text("bill_length_mm;bill_depth_mm\n1;2\n")
    error = refusal(lambda: predicted(trained, "linear_svc", text))
    assert error.code is ErrorCode.DATASET_DELIMITER_UNSUPPORTED


def test_a_model_without_probabilities_says_so(trained: Path) -> None:
    data = trained / "penguins.csv"
    error = refusal(lambda: predicted(trained, "linear_svc", data, proba=True))
    assert error.code is ErrorCode.USAGE_INVALID
    assert "--proba" in str(error.hint)


def forge(workspace: Path, folder: Run, data: bytes, *, records: int = 3) -> None:
    """Put other bytes in the model's place, and make the first of the records agree."""
    (folder.path / MODEL).write_bytes(data)
    digest = {"sha256": hashlib.sha256(data).hexdigest(), "bytes": len(data)}
    run = read(folder.path, "run.json")
    run["artifact_digests"][MODEL] = digest
    manifest = read(folder.path, "manifest.json")
    manifest["files"][MODEL] = digest
    index = json.loads((workspace / ".runforge/index.json").read_bytes())
    for entry in index["runs"]:
        if entry["run_id"] == folder.id:
            entry["model_sha256"] = digest["sha256"]
    documents = [
        (folder.path / "run.json", run),
        (folder.path / "manifest.json", manifest),
        (workspace / ".runforge/index.json", index),
    ]
    for path, document in documents[:records]:
        path.write_text(json.dumps(document))


def both_ways(workspace: Path, family: str) -> list[RunForgeError]:
    """Return how the run's model is refused, by the run's name and by the model's path."""
    data = workspace / "penguins.csv"
    path = run_of(workspace, family).path / MODEL
    return [
        refusal(lambda: predicted(workspace, family, data)),
        refusal(lambda: predict(model_of_file(path, listed(workspace)), read_source(data))),
    ]


@pytest.mark.parametrize("records", [0, 1, 2])
def test_a_model_that_was_changed_is_not_loaded_whatever_else_was(
    records: int, workspace: Path
) -> None:
    folder = run_of(workspace, "linear_svc")
    other = (run_of(workspace, "random_forest").path / MODEL).read_bytes()
    forge(workspace, folder, joblib_bytes(joblib.load(io.BytesIO(other))), records=records)
    codes = {error.code for error in both_ways(workspace, "linear_svc")}
    assert codes <= {ErrorCode.FILE_UNSAFE, ErrorCode.RUN_NOT_FOUND}
    assert ErrorCode.FILE_UNSAFE in codes


def test_a_run_does_not_escape_its_index_entry_by_another_name_or_path(workspace: Path) -> None:
    folder = run_of(workspace, "linear_svc")
    forge(workspace, folder, joblib_bytes(joblib.load(folder.path / MODEL), 2), records=2)
    for file in ("run.json", "manifest.json"):
        document = read(folder.path, file) | {"run_id": "20200101-000000-00000000"}
        (folder.path / file).write_text(json.dumps(document))
    link = workspace / "link"
    link.symlink_to(workspace / ".runforge/runs")
    for path in (folder.path, link / folder.path.name, folder.path / ".." / folder.path.name):
        error = refusal(lambda path=path: model_of_run(Run(path), listed(workspace)))
        assert error.code is ErrorCode.FILE_UNSAFE


@pytest.mark.parametrize("place", ["attribute", "object array"])
def test_a_payload_is_not_run_even_where_all_records_agree(place: str, workspace: Path) -> None:
    folder, trace = run_of(workspace, "linear_svc"), workspace / "executed"
    fitted = joblib.load(folder.path / MODEL)
    if place == "attribute":
        fitted.evil = Payload(trace)
    else:
        fitted["scaler"].feature_names_in_ = np.array([Payload(trace)], dtype=object)
    forge(workspace, folder, joblib_bytes(fitted))
    for error in both_ways(workspace, "linear_svc"):
        assert error.code is ErrorCode.FILE_UNSAFE
        assert "mkdir" in error.message
    assert not trace.exists()


def test_a_model_whose_parts_do_not_fit_is_refused(workspace: Path) -> None:
    for family, break_it in (
        ("linear_svc", lambda fitted: setattr(fitted["clf"], "coef_", np.ones((3, 7)))),
        ("logistic_regression", lambda fitted: delattr(fitted["scaler"], "feature_names_in_")),
        ("random_forest", lambda fitted: fitted["clf"].estimators_.clear()),
    ):
        folder = run_of(workspace, family)
        fitted = joblib.load(folder.path / MODEL)
        break_it(fitted)
        forge(workspace, folder, joblib_bytes(fitted))
        for error in both_ways(workspace, family):
            assert error.code is ErrorCode.FILE_UNSAFE


@pytest.mark.parametrize("name", ["classes", "feature_names"])
def test_a_record_whose_names_were_swapped_is_refused(name: str, workspace: Path) -> None:
    path = run_of(workspace, "logistic_regression").path / "run.json"
    record = json.loads(path.read_bytes())
    record[name] = record[name][::-1]
    path.write_text(json.dumps(record))
    for error in both_ways(workspace, "logistic_regression"):
        assert error.code is ErrorCode.FILE_UNSAFE
        assert name in error.message


def test_a_model_is_found_by_its_bytes_wherever_it_lies(workspace: Path) -> None:
    folder, data = run_of(workspace, "random_forest"), workspace / "penguins.csv"
    expected = predicted(workspace, "random_forest", data).to_csv()
    moved = workspace / "deep/best.bin"
    moved.parent.mkdir()
    (folder.path / MODEL).rename(moved)
    assert predict(model_of_file(moved, listed(workspace)), read_source(data)).to_csv() == expected
    shutil.rmtree(folder.path)
    model = model_of_file(moved, listed(workspace))
    assert model.run_id == folder.id
    assert predict(model, read_source(data)).to_csv() == expected


def test_a_model_that_no_run_made_is_not_loaded(workspace: Path) -> None:
    packed = workspace / "packed.pkl"
    fitted = joblib.load(run_of(workspace, "linear_svc").path / MODEL)
    packed.write_bytes(joblib_bytes(fitted, compress=3))
    for path in (packed, workspace / "penguins.csv"):
        error = refusal(lambda path=path: model_of_file(path, listed(workspace)))
        assert error.code is ErrorCode.RUN_NOT_FOUND
    error = refusal(lambda: model_of_file(workspace / "absent.pkl", listed(workspace)))
    assert error.code is ErrorCode.FILE_NOT_FOUND


def test_a_run_without_a_recorded_digest_or_without_a_model_is_refused(workspace: Path) -> None:
    folder = run_of(workspace, "linear_svc")
    (workspace / ".runforge/index.json").unlink()
    (folder.path / "manifest.json").unlink()
    record = read(folder.path, "run.json") | {"schema_version": "run.v0.3.6"}
    del record["artifact_digests"]
    (folder.path / "run.json").write_text(json.dumps(record))
    error = refusal(lambda: model_of_run(Run(folder.path), listed(workspace)))
    assert error.code is ErrorCode.FILE_UNSAFE
    assert "does not record" in error.message
    assert "--unverified" in (error.hint or "")
    accepted = model_of_run(Run(folder.path), listed(workspace), unverified=True)
    assert accepted.sha256 is None
    (folder.path / "run.json").unlink()
    (folder.path / "result.json").unlink()
    error = refusal(lambda: model_of_run(Run(folder.path), listed(workspace)))
    assert error.code is ErrorCode.ARTIFACT_NOT_FOUND


def test_a_model_of_another_scikit_learn_is_used_with_a_warning(workspace: Path) -> None:
    folder = run_of(workspace, "logistic_regression")
    data = (folder.path / MODEL).read_bytes()
    version = inspect_model(folder.path / MODEL).library_version
    assert version
    older = "0" + version[1:]
    forge(workspace, folder, data.replace(version.encode(), older.encode()))
    prediction = predicted(workspace, "logistic_regression", workspace / "penguins.csv")
    assert prediction.predicted == 342
    (warning,) = prediction.warnings
    assert older in warning
    assert version in warning


def test_predicting_warns_of_nothing_and_leaves_the_folder_as_it_was(workspace: Path) -> None:
    before = {path: path.read_bytes() for path in workspace.rglob("*") if path.is_file()}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for family in FAMILIES:
            predicted(workspace, family, workspace / "penguins.csv")
    assert before == {path: path.read_bytes() for path in workspace.rglob("*") if path.is_file()}
