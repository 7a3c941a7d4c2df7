"""``prepare`` in Python: a recipe for raw data, and the table that it makes."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest
from runforge_contracts.errors import DatasetError, RunForgeError, UsageError
from runforge_contracts.validation import validate
from runforge_engine import prepare, train

RAW = pd.DataFrame(
    {
        "colour": ["red", "blue", None, "red"] * 10,
        "size": [0.1, 2.5, 1e-7, 4.0] * 10,
        "note": [f"n{row}" for row in range(40)],
        "y": ["a", "b"] * 20,
    }
)


@pytest.fixture(autouse=True)
def _workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_a_recipe_is_proposed_changed_and_trained_with(tmp_path: Path) -> None:
    prepared = prepare(RAW, label="y")
    validate(prepared.recipe, "recipe.v1")
    assert prepared.columns == ["colour=blue", "colour=red", "colour:missing", "size", "y"]
    table = prepared.frame()
    assert table["size"].tolist() == RAW["size"].tolist()
    assert table["colour:missing"].sum() == 10
    assert table["y"].tolist() == RAW["y"].tolist()
    numbered = prepare(RAW.assign(y=[0, 1, None, 1] * 10), label="y").frame()["y"]
    assert numbered[[0, 1, 3]].tolist() == ["0.0", "1.0", "1.0"]
    assert prepare(RAW.assign(y=[3, 1] * 20), label="y").frame()["y"].tolist() == [3, 1] * 20
    assert "free text" in prepared._repr_html_()
    assert list(tmp_path.iterdir()) == []  # nothing is written
    prepared.recipe["columns"][0]["unknown"] = "zeros"
    run = train(RAW, label="y", recipe=prepared.recipe)
    assert run.record is not None
    assert run.record["feature_names"] == prepared.columns[:-1]


def test_a_recipe_is_written_and_applied_to_other_rows(tmp_path: Path) -> None:
    prepared = prepare(RAW, label="y")
    path = prepared.write_recipe("r.json")
    assert json.loads(path.read_bytes()) == prepared.recipe
    with pytest.raises(UsageError, match="exists"):
        prepared.write_recipe(path)
    table = prepared.write_table("t.csv")
    rows = [{"size": 7, "colour": "blue", "extra": 1}]
    applied = prepare(rows, recipe=path)
    assert applied.frame().to_dict("records") == [
        {"colour=blue": 1, "colour=red": 0, "colour:missing": 0, "size": 7}
    ]
    assert applied.unlisted == ["extra"]
    assert prepare(rows, recipe=prepared.recipe).columns == applied.columns
    with pytest.raises(DatasetError, match="`green`") as caught:
        prepare([{"colour": "green", "size": 1}], recipe=path)
    assert "`unknown` is `zeros`" in str(caught.value.hint)
    assert table.read_bytes().startswith(
        b"colour=blue,colour=red,colour:missing,size,y\n0,1,0,0.1,a"
    )


def test_the_form_of_a_file_is_named(tmp_path: Path) -> None:
    raw = tmp_path / "raw.csv"
    raw.write_text("size;colour;y\n" + "1,5;red;a\n2,25;blue;b\n" * 5, "utf-8")
    with pytest.raises(DatasetError) as caught:
        train(raw, label="y")
    assert "prepare(data, label=..., delimiter=';')" in str(caught.value.hint)
    prepared = prepare(raw, label="y", delimiter=";", decimal_mark=",")
    assert prepared.frame()["size"].tolist() == [1.5, 2.25] * 5
    assert prepared.recipe["source"] == {"delimiter": ";", "decimal_mark": ","}


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"label": "y", "recipe": {}},
        {"recipe": {}, "delimiter": ";"},
        {"recipe": 3},
        {"recipe": {"schema_version": "recipe.v1"}},
        {"label": "z"},
        {"label": "y", "delimiter": "no such"},
        {"label": "y", "encoding": "latin-1"},
        {"label": "y", "max_categories": 0},
    ],
)
def test_what_cannot_be_prepared_is_refused(options: dict[str, object]) -> None:
    with pytest.raises(RunForgeError):
        prepare(RAW, **options)  # type: ignore[arg-type]
