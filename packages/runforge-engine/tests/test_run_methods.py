"""What a run does in Python, its notebook display, and the errors that a user sees."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
import runforge_contracts
import runforge_engine
from real_data import write_dataset
from runforge_contracts.errors import DatasetError, ErrorCode, NotFoundError, RunForgeError
from runforge_engine import Run, Store, train
from runforge_engine.api.python_errors import hint_in_python

FEATURES = ("sepal length (cm)", "sepal width (cm)", "petal length (cm)", "petal width (cm)")


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    folder = tmp_path_factory.mktemp("iris")
    path, _, _ = write_dataset("iris", folder)
    with path.open("a") as file:
        file.write("5.0,,1.4,0.2,0\n")
    return train(path, label="target", workspace=folder)


def test_rows_may_be_a_frame_dictionaries_or_a_file(run: Run, tmp_path: Path) -> None:
    rows = [
        {"other": "x", **dict(zip(FEATURES[::-1], (0.2, 1.4, 3.5, 5.1), strict=True))},
        dict(zip(FEATURES, (6.3, 3.3, 6.0, 2.5), strict=True)),
        dict(zip(FEATURES, (6.3, None, 6.0, 2.5), strict=True)),
    ]
    frame = pd.DataFrame(rows)
    frame.to_csv(tmp_path / "rows.csv", index=False)
    for given in (rows, frame, tmp_path / "rows.csv"):
        prediction = run.predict(given)
        assert prediction.values == (0, 2, None)
        assert prediction.ignored_columns == ("other",)
    assert not list(run.path.parents[1].glob("datasets"))


def test_a_prediction_shows_its_first_rows(run: Run) -> None:
    rows = [dict(zip(FEATURES, (5.1, 3.5, 1.4, 0.2), strict=True))] * 12
    lines = repr(run.predict(rows)).splitlines()
    assert lines[0] == f"<Prediction of {run.id}: 12 of 12 rows"
    assert (lines[1], lines[-1]) == ("  1  0", "  and 2 more in .values>")
    assert len(lines) == 12
    assert "classes (0, 1, 2)" in repr(run.predict(rows, probabilities=True))


def test_a_hyperparameter_given_as_an_argument_has_a_hint(run: Run, tmp_path: Path) -> None:
    with pytest.raises(TypeError, match="'C'") as caught:
        train("iris.csv", label="target", C=3)  # type: ignore[call-arg]
    assert caught.value.__notes__ == ["Hint: Give `hyperparameters={'C': 3}`."]
    with pytest.raises(TypeError) as caught:
        train("iris.csv", label="target", collar=3)  # type: ignore[call-arg]
    assert not hasattr(caught.value, "__notes__")


@pytest.mark.parametrize(
    ("rows", "code", "named"),
    [
        ([dict.fromkeys(FEATURES[:3], 1.0)], ErrorCode.COLUMN_NOT_FOUND, "petal width (cm)"),
        ([], ErrorCode.DATASET_EMPTY, "no rows"),
        (dict.fromkeys(FEATURES, 1.0), ErrorCode.USAGE_INVALID, "dict"),
        (5, ErrorCode.USAGE_INVALID, "int"),
    ],
)
def test_wrong_rows_are_named(run: Run, rows: object, code: ErrorCode, named: str) -> None:
    with pytest.raises(RunForgeError) as caught:
        run.predict(rows)  # type: ignore[arg-type]
    assert (caught.value.code, named in caught.value.message) == (code, True)
    assert caught.value.location.path is None


def test_a_run_is_verified_and_reported(run: Run, tmp_path: Path) -> None:
    assert run.verify().holds
    target = run.report(tmp_path / "report.html", curves=False)
    assert run.id in target.read_text("utf-8")
    with pytest.raises(RunForgeError) as caught:
        run.report(target, curves=False)
    assert "report.html" in caught.value.message
    assert "--" not in "".join(caught.value.__notes__)
    assert run.report(target, curves=False, replace=True) == target


@pytest.mark.slow
def test_a_run_is_reproduced(run: Run) -> None:
    assert run.reproduce().verdict == "identical bytes"


def test_a_run_is_repeated_compared_and_reported_with_others(run: Run, tmp_path: Path) -> None:
    again = run.rerun(hyperparameters={"C": 0.01}, exclude=FEATURES[0], name="<less>")
    assert again.parent is not None
    assert again.parent.id == run.id
    found = run.diff(again)
    assert "`C` differs" in found.conclusions[again.id]
    assert found.conclusions[again.id] in repr(found)
    frame = found.frame()
    assert list(frame.loc["hyperparameters"].loc["C"]) == [1.0, 0.01]
    assert "&lt;less&gt;" in found._repr_html_()
    store = Store(run.path.parents[2])
    assert store.diff(run.id, again).document == found.document
    assert run.diff(f"name:{again.name}").document == found.document
    with pytest.raises(NotFoundError, match="nowhere"):
        run.diff("nowhere")
    with pytest.raises(RunForgeError, match="given twice"):
        store.diff(run, run.id)
    with pytest.raises(RunForgeError, match="two runs"):
        run.diff()
    target = store.report([run, again.id], tmp_path / "both.md", curves=False)
    text = target.read_text("utf-8")
    assert run.id in text
    assert again.id in text


def test_the_notebook_display_has_all_of_a_run(run: Run) -> None:
    page = run._repr_html_()
    assert "150 used, 1 dropped for missing values" in page
    assert "MISSING_VALUES_DROPPED" in page
    assert "<caption>Confusion matrix" in page
    assert page.count("<figure") == 2
    assert "currentColor" in page


def test_a_failure_shows_its_place(tmp_path: Path) -> None:
    (tmp_path / "d.csv").write_text(
        "a,y\n" + "".join(f"{i},{i % 2}\n" for i in range(20)) + "x,0\n"
    )
    with pytest.raises(DatasetError) as caught:
        train(tmp_path / "d.csv", label="y", workspace=tmp_path)
    assert caught.value.__notes__[-1] == (
        "Hint: Correct or empty the cell of row 21: the other 20 values are numbers."
        " Or leave the column out with `exclude=['a']`."
    )
    assert "column a, row 21" in Store(tmp_path).run()._repr_html_()


def test_a_traceback_is_the_users(tmp_path: Path) -> None:
    program = (
        "from runforge_engine import Store, train\n"
        "open('d.csv', 'w').write('a,y\\n1,0\\n')\n"
        "train('d.csv', label='Y')\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    lines = done.stderr.splitlines()
    assert len(lines) <= 8, done.stderr
    assert lines[-2].startswith("Code: LABEL_NOT_FOUND, at ")
    assert lines[-2].endswith("d.csv, column Y")
    assert lines[-1] == "Hint: Did you mean `y`?"


def test_the_hints_of_a_verification_are_those_of_the_library(tmp_path: Path) -> None:
    rows = "".join(f"{i},{i % 2}\n" for i in range(20))
    (tmp_path / "d.csv").write_text(f"a,y\n{rows}")
    run = train(tmp_path / "d.csv", label="y", workspace=tmp_path)
    (tmp_path / "d.csv").write_text(f"a,y\n{rows}1,0\n")
    hints = {check.name: check.hint for check in run.verify().checks}
    assert hints["dataset"] == "Restore the dataset, or skip this check with `with_dataset=False`."


HINTS = sorted(
    {
        (path.name, node.value)
        for package in (runforge_contracts, runforge_engine)
        for path in Path(str(package.__file__)).parent.rglob("*.py")
        if not {"experiment", "_generated"} & {*path.parts}
        for call in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(call, ast.keyword) and call.arg == "hint"
        for node in ast.walk(call.value)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and "--" in node.value
    }
)


@pytest.mark.parametrize(("file", "hint"), HINTS)
def test_no_hint_names_an_option_of_the_command_line(file: str, hint: str) -> None:
    shown = re.sub(r"`runforge [^`]+`|\$\(git [^)]+\)", "", hint_in_python(hint))
    assert not re.search(r"(?<![\w-])--[a-z]", shown), shown
