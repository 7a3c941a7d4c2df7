"""Runs with a recipe from Python: frames, sweeps, what is left out, and their names."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from runforge_contracts.prepared_names import by_raw_column, escaped_name, raw_name
from runforge_engine import RunForgeError, prepare, sweep, train
from workbooks import workbook

RECIPE: dict[str, Any] = {
    "schema_version": "recipe.v1",
    "label": "y",
    "columns": [
        {"column": "city", "action": "one_hot", "categories": ["Oslo", "Rome"]},
        {"column": "size", "action": "keep", "missing": "indicator"},
    ],
}
FRAME = pd.DataFrame(
    {
        "city": ["Rome", "Oslo"] * 20,
        "size": [1.5, None, 2.5, 3.5] * 10,
        "y": ["a", "b"] * 20,
    }
)


@pytest.fixture
def recipe(tmp_path: Path) -> Path:
    path = tmp_path / "own.recipe.json"
    path.write_text(json.dumps(RECIPE), "utf-8")
    return path


def test_a_frame_is_trained_on_with_a_recipe_and_predicted(recipe: Path, tmp_path: Path) -> None:
    run = train(FRAME, label="y", recipe=recipe, workspace=tmp_path)
    assert run.record is not None
    assert run.record["feature_names"] == ["city=Oslo", "city=Rome", "size", "size:missing"]
    found = run.predict([{"size": 2.0, "city": "Rome"}, {"size": None, "city": "Oslo"}])
    assert found.values == ("a", "b")
    assert run.verify().holds


def test_times_of_a_frame_are_what_its_recipe_reads(tmp_path: Path) -> None:
    times = pd.date_range("2026-03-01 00:00:00.125", periods=40, freq="7h")
    frame = pd.DataFrame(
        {"at": times, "zoned": times.tz_localize("Europe/Rome"), "x": range(40), "y": [*"ab"] * 20}
    )
    frame["day"] = frame["at"].dt.normalize()
    recipe = prepare(frame, label="y").recipe
    formats = {item["column"]: item.get("format") for item in recipe["columns"]}
    assert formats["at"] == "%Y-%m-%d %H:%M:%S"
    assert formats["zoned"] == "%Y-%m-%dT%H:%M:%SZ"
    assert formats["day"] == "%Y-%m-%d"

    run = train(frame, label="y", recipe=recipe, workspace=tmp_path)
    # One midnight alone is written without a time by pandas.
    midnight = frame.assign(at=frame["at"].dt.floor("s")).head(1)
    assert run.evaluate(midnight).metrics["num_classes"] == 2
    row = {**frame.iloc[0].to_dict(), "at": datetime(2026, 3, 1)}
    assert run.predict([row]).values != (None,)
    assert run.rerun(frame.assign(at=frame["day"])).status == "succeeded"
    hours = prepare(frame, recipe=recipe).frame()
    assert hours["at:hour"].tolist() == times.hour.tolist()
    assert hours["zoned:hour"].tolist() == frame["zoned"].dt.tz_convert("UTC").dt.hour.tolist()


@pytest.mark.parametrize("unit", ["s", "ns"])
def test_times_of_arrow_are_read_as_those_of_pandas(unit: str) -> None:
    times = pd.Series(pd.date_range("2026-03-01", periods=40, freq="7h"), name="self")
    plain = pd.DataFrame({"self": times, "zoned": times.dt.tz_localize("Europe/Rome")})
    kinds = [pa.timestamp(unit), pa.timestamp(unit, "Europe/Rome")]
    arrow = plain.astype(dict(zip(plain, map(pd.ArrowDtype, kinds), strict=True)))
    label = {"y": [*"ab"] * 20}
    recipes = [prepare(frame.assign(**label), label="y").recipe for frame in (plain, arrow)]
    assert recipes[0]["columns"] == recipes[1]["columns"]
    made = [prepare(frame.assign(**label), recipe=recipes[0]).frame() for frame in (plain, arrow)]
    assert made[0].equals(made[1])
    assert made[0]["zoned:hour"].tolist() == plain["zoned"].dt.tz_convert("UTC").dt.hour.tolist()


def test_a_column_whose_name_is_no_text_is_refused() -> None:
    frame = pd.DataFrame({0: pd.date_range("2026-03-01", periods=4, freq="7h"), "y": [*"abab"]})
    with pytest.raises(RunForgeError) as refused:
        prepare(frame, label="y")
    assert refused.value.code.value == "USAGE_INVALID"


def test_rows_without_the_label_are_refused_by_the_names_that_they_have(
    recipe: Path, tmp_path: Path
) -> None:
    run = train(FRAME, label="y", recipe=recipe, workspace=tmp_path)
    with pytest.raises(RunForgeError) as refused:
        run.evaluate(FRAME.rename(columns={"y": "Y"}))
    assert refused.value.code.value == "LABEL_NOT_FOUND"
    assert "`city`, `size`" in refused.value.message
    assert "city=" not in refused.value.message
    assert refused.value.hint == "Did you mean `Y`?"


def test_the_runs_of_a_sweep_share_the_prepared_table(recipe: Path, tmp_path: Path) -> None:
    FRAME.to_csv(tmp_path / "raw.csv", index=False)
    found = sweep(
        tmp_path / "raw.csv",
        label="y",
        recipe=recipe,
        grid={"C": [0.1, 1.0]},
        jobs=1,
        workspace=tmp_path,
    )
    records = [run.record for run in found.runs()]
    assert len(records) == 2
    assert len({record["dataset"]["prepared_sha256"] for record in records if record}) == 1
    assert all(run.verify().holds for run in found.runs())


def test_what_lacks_values_is_named_by_its_raw_column(tmp_path: Path) -> None:
    frame = FRAME.rename(columns={"city": "in=city", "y": "y:0"})
    frame.loc[3:6, "in=city"] = None
    frame.loc[39, "y:0"] = None
    columns = [{**RECIPE["columns"][0], "column": "in=city"}, {"column": "size", "action": "keep"}]
    recipe = {**RECIPE, "label": "y:0", "columns": columns}
    run = train(frame, label="y:0", recipe=recipe, workspace=tmp_path)
    told = json.loads((run.path / "diagnostics.json").read_bytes())["diagnostics"][0]
    assert told["code"] == "MISSING_VALUES_DROPPED"
    assert told["details"] == {
        "rows_dropped": 14,
        "rows_total": 40,
        "missing_by_column": {"in=city": 4, "size": 10, "y:0": 1},
    }
    frame["in=city"] = None
    with pytest.raises(RunForgeError, match="the column `in=city` lacks 40") as caught:
        train(frame, label="y:0", recipe=recipe, workspace=tmp_path)
    assert caught.value.location.column == "in=city"
    assert "exclude=['in=city']" in str(caught.value.hint)


def test_a_private_run_omits_the_folder_of_a_recipe(
    recipe: Path, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    workspace = tmp_path_factory.mktemp("workspace")
    FRAME.to_csv(workspace / "raw.csv", index=False)
    run = train(workspace / "raw.csv", label="y", recipe=recipe, workspace=workspace, private=True)
    assert run.record is not None
    assert run.record["dataset"]["recipe"] == "(left out)/own.recipe.json"
    assert "dataset.recipe" in run.record["provenance"]["left_out"]
    for path in run.path.rglob("*"):
        assert path.is_dir() or str(recipe.parent).encode() not in path.read_bytes()
    assert run.verify().holds


def test_a_dictionary_is_a_recipe_and_is_written_once(tmp_path: Path) -> None:
    first = train(FRAME, label="y", recipe=RECIPE, workspace=tmp_path, preset="fast")
    again = first.rerun(recipe=RECIPE, name="again")
    files = list((tmp_path / ".runforge/recipes").iterdir())
    assert len(files) == 1
    for run in (first, again):
        assert run.record is not None
        assert run.record["dataset"]["recipe_sha256"] == files[0].stem
        assert run.verify().holds
    assert again.parent is not None
    assert again.parent.id == first.id
    files[0].unlink()
    third = again.rerun()
    assert third.request is not None
    assert third.request["dataset"]["recipe"] == (
        f".runforge/runs/{again.id}/artifacts/recipe.v1.json"
    )
    assert first.diff(third).conclusions == {third.id: "The same model with the same metrics."}


@pytest.mark.needs(package="python_calamine")
def test_a_sheet_is_trained_on_and_verified(tmp_path: Path) -> None:
    rows = [[city, size if size == size else "", y] for city, size, y in FRAME.to_numpy().tolist()]
    path = tmp_path / "book.xlsx"
    path.write_bytes(workbook({"Notes": [["a title"]], "Data": [["city", "size", "y"], *rows]}))
    recipe = {**RECIPE, "source": {"sheet": "Data"}}
    run = train(path, label="y", recipe=recipe, workspace=tmp_path, preset="fast")
    assert run.verify().holds
    path.write_bytes(workbook({"Data": [["city", "size", "y"], *rows[1:]]}))
    assert not run.verify().holds


@pytest.mark.parametrize(
    ("recipe", "code"),
    [
        ({**RECIPE, "columns": []}, "DOCUMENT_INVALID"),
        ({**RECIPE, "label": {1, 2}}, "DOCUMENT_INVALID"),
        ({**RECIPE, "x": float("nan")}, "JSON_NUMBER_INVALID"),
        (3, "USAGE_INVALID"),
    ],
)
def test_a_dictionary_that_is_no_recipe_is_refused(
    recipe: object, code: str, tmp_path: Path
) -> None:
    with pytest.raises(RunForgeError) as caught:
        train(FRAME, label="y", recipe=recipe, workspace=tmp_path)  # type: ignore[arg-type]
    assert caught.value.code == code
    assert not (tmp_path / ".runforge/recipes").exists()


@given(st.text(), st.text())
def test_a_prepared_name_gives_the_raw_one(name: str, category: str) -> None:
    assert raw_name(escaped_name(name)) == name
    assert raw_name(f"{escaped_name(name)}={category}") == name
    assert raw_name(f"{escaped_name(name)}:missing") == name


def test_prepared_columns_are_grouped_by_raw_column() -> None:
    names = ["a=x", "a=y", "b", "a:missing"]
    assert by_raw_column(names) == {"a": ["a=x", "a=y", "a:missing"], "b": ["b"]}
