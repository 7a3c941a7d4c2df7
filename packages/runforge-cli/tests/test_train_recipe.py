"""``runforge train RAW --recipe``: the run, and everything that starts from the raw bytes again."""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from calls import ROOT, Call

#: Order, case and categories of these rows are others than those of the training.
ROWS = (
    "year,sex,island,body_mass_g,flipper_length_mm,bill_depth_mm,bill_length_mm\n"
    "2026,male,Biscoe,3800,186,17.4,39.5\n"
    "2026,,Dream,3800,186,17.4,39.5\n"
    "2026,male,Dream,3800,,17.4,39.5\n"
)


@pytest.fixture
def recipe(runforge: Call, workspace: Path) -> Path:
    """Return a proposed recipe beside raw table and prepared table."""
    shutil.copy(ROOT / "examples/penguins.csv", workspace / "raw.csv")
    assert runforge("prepare", "raw.csv", "--label", "species", "-o", "table.csv").code == 0
    return workspace / "table.recipe.json"


@pytest.fixture
def run(runforge: Call, workspace: Path, recipe: Path) -> Path:
    """Return the folder of a run with the recipe."""
    return train(runforge, workspace)


def train(runforge: Call, workspace: Path, *options: str, data: str = "raw.csv") -> Path:
    command = ("train", data, "--label", "species", "--preset", "fast", "--json")
    recipe = ("--recipe", "table.recipe.json") if data == "raw.csv" else ()
    return Path(workspace, runforge(*command, *recipe, *options).json["run_dir"])


def read(run: Path, file: str) -> Any:
    return json.loads((run / file).read_text("utf-8"))


def edit(path: Path, **changes: Any) -> None:
    """Change the column ``island`` of a recipe."""
    document = json.loads(path.read_text("utf-8"))
    next(item for item in document["columns"] if item["column"] == "island").update(changes)
    path.write_text(json.dumps(document), "utf-8")


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_the_model_is_the_one_of_the_prepared_table(
    runforge: Call, workspace: Path, recipe: Path, run: Path
) -> None:
    other = train(runforge, workspace, data="table.csv")
    for file in ("artifacts/model.pkl", "metrics.json", "metrics.v1.json"):
        assert (run / file).read_bytes() == (other / file).read_bytes()
    assert (run / "artifacts/recipe.v1.json").read_bytes() == recipe.read_bytes()
    assert read(run, "request.json")["dataset"]["recipe"] == "table.recipe.json"
    assert read(run, "run.json")["dataset"] == {
        "path": "raw.csv",
        "fingerprint_sha256": digest(workspace / "raw.csv"),
        "recipe": "table.recipe.json",
        "recipe_sha256": digest(recipe),
        "prepared_sha256": digest(workspace / "table.csv"),
    }
    used = read(run, "result.json")["effective_config"]["dataset"]
    assert (used["recipe"], used["recipe_sha256"]) == ("table.recipe.json", digest(recipe))
    statement = read(run, "provenance.intoto.json")["predicate"]["buildDefinition"]
    assert statement["resolvedDependencies"][1] == {
        "name": "recipe",
        "uri": "file:table.recipe.json",
        "digest": {"sha256": digest(recipe)},
    }


def test_the_label_of_the_recipe_needs_no_option(
    runforge: Call, workspace: Path, recipe: Path
) -> None:
    found = runforge("train", "raw.csv", "--recipe", recipe.name, "--preset", "fast", "--json")
    assert read(workspace / found.json["run_dir"], "run.json")["label_column"] == "species"


def test_the_label_of_the_recipe_needs_no_option_for_a_sweep(
    runforge: Call, workspace: Path, recipe: Path
) -> None:
    grid = ("sweep", "raw.csv", "--recipe", recipe.name, "--grid", "C=0.1,1")
    assert runforge(*grid, "--save", "plan.json").code == 0
    plan = json.loads((workspace / "plan.json").read_text("utf-8"))
    assert plan["base_request"]["dataset"]["label_column"] == "species"
    assert runforge(*(word for word in grid if word not in ("--recipe", recipe.name))).code == 2


def test_the_request_of_a_run_is_executed_again(runforge: Call, workspace: Path, run: Path) -> None:
    shutil.copy(run / "request.json", workspace / "again.json")
    again = workspace / runforge("run", "again.json", "--json").json["run_dir"]
    repeated = workspace / runforge("rerun", run.name, "--json").json["run_dir"]
    for folder in (again, repeated):
        assert read(folder, "run.json")["dataset"] == read(run, "run.json")["dataset"]


def test_excluded_raw_columns_are_not_prepared(
    runforge: Call, workspace: Path, recipe: Path
) -> None:
    edit(recipe, categories=["Biscoe"])  # The others would be an error.
    run = train(runforge, workspace, "--exclude", "island", "--exclude", "year")
    names = read(run, "run.json")["feature_names"]
    assert not {"year", "island=Biscoe"} & {*names}
    assert "sex=male" in names
    (workspace / "new.csv").write_text(ROWS.replace("island", "atoll"), "utf-8")
    assert runforge("predict", run.name, "new.csv").code == 0
    assert runforge("verify", run.name).code == 0


def test_the_copy_outlives_the_recipe(
    runforge: Call, workspace: Path, recipe: Path, run: Path
) -> None:
    recipe.unlink()
    (workspace / "new.csv").write_text(ROWS, "utf-8")
    assert runforge("verify", run.name).code == 0
    assert "identical bytes" in runforge("reproduce").out
    assert runforge("predict", run.name, "new.csv").code == 0
    assert runforge("trace", str(run / "artifacts/recipe.v1.json")).code == 0


def test_traces_lead_from_raw_table_and_recipe_to_the_run(
    runforge: Call, recipe: Path, run: Path
) -> None:
    for file, matched in (("raw.csv", "dataset_fingerprint_sha256"), (recipe.name, "artifact")):
        (found,) = runforge("trace", file, "--json").json["runs"]
        assert (found["run_id"], found["matched"]) == (run.name, matched)


def test_rows_are_prepared_before_they_are_predicted(
    runforge: Call, workspace: Path, run: Path
) -> None:
    (workspace / "new.csv").write_text(ROWS, "utf-8")
    found = runforge("predict", run.name, "new.csv")
    assert found.out == "row,prediction\n1,Adelie\n2,Adelie\n3,\n"
    assert "row 3" in found.err
    assert "does not use" not in found.err


@pytest.mark.parametrize(
    ("change", "code", "words"),
    [
        (("Biscoe", "Booth"), "VALUE_UNEXPECTED", "`island` holds `Booth` (row 1)"),
        (("island", "isle"), "COLUMN_NOT_FOUND", "`island`"),
        (("39.5", "long"), "VALUE_UNEXPECTED", "`bill_length_mm` holds `long`"),
        (("Biscoe", "Booth"), "VALUE_UNEXPECTED", "train with a recipe that says"),
        (("island", "island=Dream"), "COLUMN_NOT_FOUND", "prepared already"),
    ],
)
def test_rows_that_the_recipe_does_not_provide_for_are_refused(
    runforge: Call, workspace: Path, run: Path, change: tuple[str, str], code: str, words: str
) -> None:
    (workspace / "new.csv").write_text(ROWS.replace(*change), "utf-8")
    found = runforge("predict", run.name, "new.csv")
    assert f"error[{code}]" in found.err
    assert words in found.err
    assert "(row 1) (row 1)" not in found.err


def test_a_column_of_new_rows_may_lack_every_value(
    runforge: Call, workspace: Path, run: Path
) -> None:
    # The words of a column that has none are no words of another type.
    header, row, *_ = ROWS.splitlines()
    (workspace / "new.csv").write_text(f"{header}\n{row.replace('male', '')}\n", "utf-8")
    assert runforge("predict", run.name, "new.csv", "-q").out == "row,prediction\n1,Adelie\n"
    (workspace / "new.csv").write_text(f"{header}\n{row.replace('Biscoe', '')}\n", "utf-8")
    found = runforge("predict", run.name, "new.csv", "--json").json
    assert found["missing_by_column"] == {"island": 1}
    (workspace / "new.csv").write_text(f"{header}\n", "utf-8")
    assert runforge("predict", run.name, "new.csv").out == "row,prediction\n"


def test_an_unknown_category_is_what_the_recipe_says(
    runforge: Call, workspace: Path, recipe: Path
) -> None:
    (workspace / "new.csv").write_text(ROWS.replace("Biscoe", "Booth"), "utf-8")
    for unknown in ("zeros", "column"):
        edit(recipe, unknown=unknown)
        run = train(runforge, workspace)
        assert ("island:unknown" in read(run, "run.json")["feature_names"]) is (unknown == "column")
        assert runforge("predict", run.name, "new.csv").code == 0


def test_an_evaluation_is_of_the_raw_rows(runforge: Call, workspace: Path, run: Path) -> None:
    found = runforge("evaluate", run.name, "raw.csv", "--json")
    assert found.json["evaluation"]["dataset"]["sha256"] == digest(workspace / "raw.csv")
    assert found.json["evaluation"]["rows_evaluated"] == 342
    assert runforge("verify", "--all").code == 0
    raw = (workspace / "raw.csv").read_text("utf-8")
    (workspace / "gaps.csv").write_text(raw.replace(",Torgersen", ",", 1), "utf-8")
    left_out = runforge("evaluate", run.name, "gaps.csv", "--json").json["evaluation"]["left_out"]
    assert left_out[0]["examples"][0] == {"row": 1, "column": "island"}


def test_a_changed_copy_of_the_recipe_is_found_and_not_used(
    runforge: Call, workspace: Path, run: Path
) -> None:
    edit(run / "artifacts/recipe.v1.json", unknown="zeros")
    verified = runforge("verify", run.name, "--json")
    checks = {check["check"]: check["outcome"] for check in verified.json["runs"][0]["checks"]}
    assert checks["files"] == checks["documents"] == checks["recipe"] == "failed"
    (workspace / "new.csv").write_text(ROWS, "utf-8")
    assert "error[FILE_UNSAFE]" in runforge("predict", run.name, "new.csv").err
    assert runforge("reproduce", run.name).code == 1


@pytest.mark.parametrize(
    ("options", "exit_code", "code"),
    [
        (("--recipe", "none.json"), 3, "FILE_NOT_FOUND"),
        (("--recipe", "raw.csv"), 2, "JSON_INVALID"),
        (("--recipe", "table.recipe.json", "--label", "sex"), 2, "LABEL_NOT_FOUND"),
        (("--recipe", "table.recipe.json", "--exclude", "atoll"), 2, "COLUMN_NOT_FOUND"),
    ],
)
def test_what_cannot_be_prepared_leaves_nothing_behind(
    runforge: Call,
    workspace: Path,
    recipe: Path,
    options: tuple[str, ...],
    exit_code: int,
    code: str,
) -> None:
    options = options if "--label" in options else ("--label", "species", *options)
    found = runforge("train", "raw.csv", *options)
    assert (found.code, f"error[{code}]" in found.err) == (exit_code, True)
    assert not (workspace / ".runforge").exists()


def test_a_value_that_the_recipe_does_not_list_fails_the_run(
    runforge: Call, workspace: Path, recipe: Path
) -> None:
    edit(recipe, categories=["Biscoe", "Dream"])
    found = runforge("train", "raw.csv", "--recipe", recipe.name, "--json")
    assert found.code == 1
    run = workspace / found.json["run_dir"]
    assert read(run, "result.json")["error"]["code"] == "VALUE_UNEXPECTED"
    assert (run / "artifacts/recipe.v1.json").read_bytes() == recipe.read_bytes()
    assert runforge("verify", run.name).code == 0


def test_the_record_of_a_run_names_the_mistakes_of_all_columns(
    runforge: Call, workspace: Path, recipe: Path
) -> None:
    edit(recipe, categories=["Biscoe", "Dream"])
    raw = (workspace / "raw.csv").read_text("utf-8").replace("39.1", "long", 1)
    (workspace / "raw.csv").write_text(raw, "utf-8")
    found = runforge("train", "raw.csv", "--recipe", recipe.name, "--json")
    run = workspace / found.json["run_dir"]
    # In the order of the recipe, each with its own place.
    errors = [d for d in read(run, "diagnostics.json")["diagnostics"] if d["severity"] == "error"]
    assert {d["details"]["column"]: d["details"]["row"] for d in errors} == {
        "island": 1,
        "bill_length_mm": 1,
    }
    assert [d["details"]["path"] for d in errors] == ["raw.csv"] * 2
    shown, log = runforge("show", run.name).out, (run / "logs/train.log").read_text("utf-8")
    for text in (" ".join(shown.split()), log, runforge("diagnostics", run.name).out):
        assert "`island` holds `Torgersen` (row 1)" in text
        assert "`bill_length_mm` holds `long` (row 1)" in text
    assert runforge("verify", run.name).code == 0


def test_the_recipe_that_repaired_a_run_is_named(
    runforge: Call, workspace: Path, recipe: Path, run: Path
) -> None:
    failed = runforge("train", "raw.csv", "--label", "species", "--preset", "fast", "--json")
    assert failed.code == 1
    failed_id = Path(failed.json["run_dir"]).name
    compared = runforge("diff", failed_id, run.name, "--json").json
    assert compared["conclusions"][0]["text"] == (
        "The first run failed (`FEATURE_NOT_NUMERIC`). Only this run has a recipe."
    )


def test_importances_are_added_up_for_each_raw_column(
    runforge: Call, workspace: Path, recipe: Path
) -> None:
    run = train(runforge, workspace, "--model", "random_forest")
    shown = runforge("show", run.name).out.split("Most important raw columns")[1]
    assert "island" in shown
    assert "3 columns" in shown
    assert runforge("report", run.name, "-o", "report.md").code == 0
    written = (workspace / "report.md").read_text("utf-8")
    assert "Importances of the raw columns" in written
    assert "table.recipe.json" in written


def repeat(runforge: Call, workspace: Path, *arguments: str) -> Path:
    """Return the folder of a run that repeats another."""
    found = runforge("rerun", *arguments, "--json")
    assert found.code == 0, found.out
    return Path(workspace, found.json["run_dir"])


def concluded(runforge: Call, *runs: str) -> str:
    """Return the sentence on the second of two runs."""
    (conclusion,) = runforge("diff", *runs, "--json").json["conclusions"]
    return str(conclusion["text"])


def test_a_changed_recipe_is_applied_and_reported(
    runforge: Call, workspace: Path, recipe: Path, run: Path
) -> None:
    before = digest(recipe)
    edit(recipe, unknown="column")
    said = runforge("rerun", run.name, "--name", "edited")
    assert said.code == 0, said.err
    copy = f".runforge/runs/{run.name}/artifacts/recipe.v1.json"
    note = f"the recipe has changed since {run.name}: SHA-256 {before[:12]} before, "
    assert f"{note}{digest(recipe)[:12]} now; --recipe {copy} applies the recorded one" in said.err
    made = f"1 feature which the recipe of {run.name} did not make: `island:unknown`"
    assert f"warning: {made}" in said.err
    assert concluded(runforge, run.name, "edited") == (
        "The model differs from that of the baseline because the recipe differs; the metrics are"
        " equal."
    )
    assert "other content of the recipe" in runforge("trace", "edited").out
    again = repeat(runforge, workspace, run.name, "--recipe", copy)
    model = "artifacts/model.pkl"
    assert (again / model).read_bytes() == (run / model).read_bytes()
    assert concluded(runforge, run.name, again.name) == "The same model with the same metrics."
    changed = runforge("rerun", again.name, "--recipe", recipe.name, "--json").json
    assert changed["recipe_changed"] == {"before": before, "after": digest(recipe)}


@pytest.mark.parametrize("private", [(), ("--private",)], ids=["recorded", "left out"])
def test_the_copy_of_a_recipe_that_is_gone_is_applied_and_reported(
    runforge: Call,
    workspace: Path,
    recipe: Path,
    private: tuple[str, ...],
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    elsewhere = tmp_path_factory.mktemp("other") / "elsewhere.recipe.json"
    recipe.rename(elsewhere)
    command = ("train", "raw.csv", "--recipe", str(elsewhere), "--preset", "fast", "--name", "a")
    assert runforge(*command, *private).code == 0
    (run,) = (workspace / ".runforge/runs").iterdir()
    if not private:
        elsewhere.unlink()
    said = runforge("rerun", "a", "--name", "b")
    assert said.code == 0, said.err
    assert f"the recipe of {run.name} is not at its path any more; the copy in the run" in said.err
    (again,) = {*(workspace / ".runforge/runs").iterdir()} - {run}
    model, copy = "artifacts/model.pkl", f"{run.relative_to(workspace)}/artifacts/recipe.v1.json"
    assert (again / model).read_bytes() == (run / model).read_bytes()
    assert read(again, "request.json")["dataset"]["recipe"] == copy
    edit(run / "artifacts/recipe.v1.json", unknown="zeros")
    assert "error[FILE_UNSAFE]" in runforge("rerun", "a").err
    (run / "artifacts/recipe.v1.json").unlink()
    missing = runforge("rerun", "a")
    assert (missing.code, "error[FILE_NOT_FOUND]" in missing.err) == (3, True)


def test_a_failed_run_is_repaired_by_a_recipe(
    runforge: Call, workspace: Path, recipe: Path
) -> None:
    failed = runforge("train", "raw.csv", "--label", "species", "--preset", "fast", "--json")
    run_id = failed.json["run_id"]
    assert failed.code == 1
    assert f"runforge rerun {run_id} --recipe FILE" in runforge("show", run_id).out
    repaired = runforge("rerun", run_id, "--recipe", recipe.name, "--name", "repaired")
    assert (repaired.code, "feature which" in repaired.err) == (0, False), repaired.err
    assert "features which" not in repaired.err
    columns = ("--exclude", "island", "--exclude", "sex")
    without = repeat(runforge, workspace, "repaired", "--no-recipe", *columns)
    assert "recipe" not in read(without, "request.json")["dataset"]
    assert not (without / "artifacts/recipe.v1.json").exists()
    step = runforge("trace", without.name).out
    assert "recipe table.recipe.json → none" in step
    both = runforge("rerun", "latest", "--recipe", recipe.name, "--no-recipe")
    assert (both.code, "error[USAGE_INVALID]" in both.err) == (2, True)


def test_features_are_not_compared_where_a_run_failed_before_it_knew_them(
    runforge: Call, workspace: Path, run: Path
) -> None:
    raw = (workspace / "raw.csv").read_text("utf-8")
    (workspace / "odd.csv").write_text(raw.replace("Biscoe", "Booth", 1), "utf-8")
    failed = runforge("rerun", run.name, "--data", "odd.csv", "--name", "odd")
    assert (failed.code, "does not have any more" in failed.err) == (1, False), failed.err
    assert "the dataset has changed" in failed.err
    repaired = runforge("rerun", "odd", "--data", "raw.csv")
    assert (repaired.code, "did not have" in repaired.err) == (0, False), repaired.err


def test_coefficients_are_ranked_for_each_raw_column(
    runforge: Call, workspace: Path, run: Path
) -> None:
    shown = runforge("show", run.name).out.split("Strongest raw columns")[1]
    assert "3 columns" in shown
    assert runforge("report", run.name, "-o", "report.md").code == 0
    page = (workspace / "report.md").read_text("utf-8")
    ranked = page.split("Raw columns, by the largest coefficient of their features")[1]
    assert ranked.index("bill_length_mm") < ranked.index("island")
