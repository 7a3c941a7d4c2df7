"""The commands on real runs: what they print, as text and as JSON, and how they exit."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest
from calls import ROOT, TRAIN, Call
from runforge_contracts.validation import validate
from syrupy.assertion import SnapshotAssertion

VECTORS = ROOT / "docs/test-vectors/runs"
WORKSPACES = ("v0.2.2.1", "v0.3.3", "v0.3.6", "legacy-root")


@pytest.fixture
def older(workspace: Path, request: pytest.FixtureRequest) -> Path:
    """Return a copy of a workspace that an older version wrote; it is the current folder."""
    shutil.copytree(VECTORS / request.param, workspace, dirs_exist_ok=True)
    return workspace


def test_training_shows_the_run_and_records_it(runforge: Call, workspace: Path) -> None:
    result = runforge(*TRAIN, "--name", "first", "--tag", "a")
    assert result.code == 0
    assert "accuracy  1.0000 on 69 validation rows" in result.out
    assert "2 of 344 rows were dropped" in result.err
    shown = runforge("show", "latest")
    assert shown.code == 0
    for text in (
        ": succeeded\n  name      first\n",
        "tags      a\n",
        "model     artifacts/model.pkl",
        "penguins.csv",
        "species: Adelie, Chinstrap, Gentoo",
        "logs/events.jsonl",
    ):
        assert text in shown.out
    assert max(len(line) for line in shown.out.splitlines()) <= 80


def test_training_prints_one_json_document(runforge: Call, workspace: Path) -> None:
    result = runforge(*TRAIN, "--json")
    document = result.json
    assert list(document) == ["run_id", "run_dir", "status", "result"]
    assert document["result"] == json.loads(
        (workspace / document["run_dir"] / "result.json").read_text("utf-8")
    )
    assert result.err == ""


def test_events_stream_to_standard_error(runforge: Call) -> None:
    result = runforge(*TRAIN, "--json", "--verbose", "--model", "random_forest")
    events = [json.loads(line)["event"] for line in result.err.splitlines()]
    assert events[:3] == ["run_start", "dataset_loaded", "train_started"]
    assert events[-3:] == ["train_finished", "metrics_computed", "artifacts_written"]
    assert events.count("train_progress") == 10
    assert result.json["status"] == "succeeded"


def test_quiet_training_says_nothing_on_the_way(runforge: Call) -> None:
    assert runforge(*TRAIN, "--quiet").err == ""


def test_the_environment_names_dataset_and_workspace(
    runforge: Call, workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RUNFORGE_DATASET", str(workspace / "penguins.csv"))
    monkeypatch.setenv("RUNFORGE_WORKSPACE", str(workspace / "elsewhere"))
    (workspace / "elsewhere").mkdir()
    assert runforge("train", *TRAIN[2:]).code == 0
    [entry] = runforge("runs", "--json").json["runs"]
    document = json.loads((workspace / "elsewhere" / entry["run_dir"] / "run.json").read_text())
    assert document["dataset"]["path"] == (workspace / "penguins.csv").as_posix()


def test_typed_parameters_are_recorded_with_their_source(runforge: Call) -> None:
    options = ("--param", "C=0.5", "--preset", "hq-train", "--seed", "7")
    document = runforge(*TRAIN, *options, "--json").json
    run = runforge("show", document["run_id"], "--json").json["run"]
    used = {item["name"]: (item["value"], item["source"]) for item in run["hyperparameters"]}
    assert used == {
        "C": (0.5, "cli"),
        "max_iter": (2000, "preset"),
        "solver": ("lbfgs", "model_default"),
        "warm_start": (False, "model_default"),
    }
    assert (run["preset"], run["seed"]) == ("thorough", 7)


def test_a_gpu_is_not_claimed(runforge: Call) -> None:
    document = runforge(*TRAIN, "--device", "gpu", "--json").json
    shown = runforge("show", document["run_id"], "--json").json
    assert shown["run"]["device"]["type"] == "cpu"
    assert shown["run"]["device"]["gpu_reason"]
    assert "GPU_UNAVAILABLE" in {item["code"] for item in shown["diagnostics"]}


def test_a_rerun_names_its_parent_and_changes_what_is_asked(runforge: Call) -> None:
    first = runforge(*TRAIN, "--param", "C=0.5", "--json").json["run_id"]
    again = runforge("rerun", first[:17], "--param", "max_iter=300", "--json").json
    shown = runforge("show", again["run_id"], "--json").json
    assert shown["request"]["rerun_from"] == first
    assert shown["request"]["model"]["hyperparameters"] == {"C": 0.5, "max_iter": 300}
    sources = {item["name"]: item["source"] for item in shown["run"]["hyperparameters"]}
    assert (sources["C"], sources["max_iter"]) == ("request", "cli")
    other = runforge("rerun", first, "--model", "random_forest", "--json").json
    assert other["status"] == "succeeded"


def test_a_rerun_changes_the_columns_of_its_parent(runforge: Call) -> None:
    first = runforge(*TRAIN, "--json").json["run_id"]
    again = runforge(
        "rerun",
        first,
        "--exclude",
        "body_mass_g",
        "--exclude",
        "sex",
        "--include",
        "year",
        "--json",
    ).json
    request = runforge("show", again["run_id"], "--json").json["request"]
    assert request["dataset"]["exclude_columns"] == ["island", "sex", "body_mass_g"]
    refused = runforge("rerun", first, "--include", "body_mass_g")
    assert refused.code == 2
    assert f"The run `{first}` does not exclude `body_mass_g`." in refused.err
    assert "hint: It excludes `island`, `sex`, `year`." in refused.err


def test_a_rerun_has_the_name_the_tags_and_the_notes_that_it_is_given(runforge: Call) -> None:
    own = ("--name", "base", "--tag", "a", "--notes", "the best of the sweep")
    first = runforge(*TRAIN, *own, "--json").json["run_id"]
    done = runforge("rerun", first)
    told = "the name `base`, the tags `a` and the notes `the best of the sweep` of"
    assert f"note: {told} {first} are not taken over; --name, --tag and --notes set" in done.err
    request = runforge("show", "latest", "--json").json["request"]
    assert not {"name", "tags", "notes"} & request.keys()
    named = runforge("rerun", first, "--name", "again", "--tag", "b", "--json").json["run_id"]
    tagged = runforge("rerun", named, "--tag", "c")
    assert f"note: the name `again` of {named} is not taken over" in tagged.err
    request = runforge("show", named, "--json").json["request"]
    assert (request["name"], request["tags"]) == ("again", ["b"])


def test_a_rerun_on_other_data_says_so(runforge: Call, workspace: Path) -> None:
    first = runforge(*TRAIN, "--json").json
    path = workspace / "penguins.csv"
    lines = path.read_text().splitlines(keepends=True)
    (workspace / "newer.csv").write_text("".join(lines[:-1]))
    done = runforge("rerun", first["run_id"], "--data", "newer.csv", "--json")
    before = first["result"]["effective_config"]["dataset"]["fingerprint_sha256"]
    after = done.json["result"]["effective_config"]["dataset"]["fingerprint_sha256"]
    assert done.json["dataset_changed"] == {"before": before, "after": after}
    assert done.json["result"]["effective_config"]["dataset"]["path"] == "newer.csv"
    path.write_text("".join(lines[:-2]))
    told = runforge("rerun", first["run_id"])
    assert f"note: the dataset has changed since {first['run_id']}: SHA-256" in told.err
    assert "dataset_changed" not in runforge("rerun", "latest", "--json").json


def test_a_profile_brings_its_family(runforge: Call) -> None:
    arguments = (*TRAIN, "--profile", "thorough", "--param", "n_estimators=2", "--json")
    model = runforge(*arguments).json["result"]["effective_config"]["model"]
    assert (model["family"], model["hyperparameters"]["max_depth"]) == ("random_forest", 10)
    first = runforge(*TRAIN, "--param", "C=0.5", "--json").json
    again = runforge("rerun", first["run_id"], "--profile", "thorough", "--json").json
    families = [
        document["result"]["effective_config"]["model"]["family"] for document in (first, again)
    ]
    assert families == ["logistic_regression", "random_forest"]


def test_unusual_columns_are_reported_by_every_command(runforge: Call, workspace: Path) -> None:
    labels = ["a", "a ", "b"]
    rows = "".join(
        f"{row},{2**53 + 1 + 2 * row},{row % 4 == 0},{labels[row % 3]},,\n" for row in range(60)
    )
    (workspace / "odd.csv").write_text("x,id,flag,y,,\n" + rows)
    codes = {"EMPTY_COLUMNS_DROPPED", "FEATURE_BOOLEAN", "FEATURE_NOT_EXACT", "LABELS_ALIKE"}
    inspected = runforge("inspect", "odd.csv", "--label", "y")
    assert (inspected.code, "A model can be trained on this dataset." in inspected.out) == (0, True)
    assert runforge("train", "odd.csv", "--label", "y").code == 0
    pages = [inspected, *(runforge(command, "latest") for command in ("show", "diagnostics"))]
    for page in pages:
        assert all(f"[{code}]" in " ".join(page.out.split()) for code in codes), page.out
        assert "`a` and `a `" in " ".join(page.out.split())
    (workspace / "new.csv").write_text("flag,id,x,q,q,,\nTRUE,9007199254740993,1,2,3,,\n")
    predicted = runforge("predict", "latest", "new.csv")
    assert predicted.code == 0
    assert predicted.out.startswith("row,prediction\n1,")
    assert "note: The column `flag` holds booleans" in predicted.err
    assert "warning: The column `id` holds `9007199254740993` in row 1" in predicted.err
    document = runforge("predict", "latest", "new.csv", "--json").json
    assert [item["code"] for item in document["diagnostics"]] == [
        "FEATURE_BOOLEAN",
        "FEATURE_NOT_EXACT",
    ]
    assert document["ignored_columns"] == ["q", "q", "", ""]
    (workspace / "new.csv").write_text("flag,id,x\nTRUE,9007199254740993,1\nfalse,1,1e200\n")
    refused = runforge("predict", "latest", "new.csv", "--json")
    error = refused.json["error"]
    assert (refused.code, error["code"]) == (1, "FEATURE_TOO_LARGE")
    assert (error["column"], error["row"]) == ("x", 2)
    (workspace / "new.csv").write_text("flag,id,x,x\nTRUE,1,1,2\n")
    assert runforge("predict", "latest", "new.csv", "--json").json["error"]["code"] == (
        "COLUMN_DUPLICATE"
    )


def test_a_rerun_in_another_workspace_finds_the_dataset(
    runforge: Call, workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = runforge(*TRAIN, "--json").json
    elsewhere = workspace / "elsewhere"
    (elsewhere / ".runforge/runs").mkdir(parents=True)
    monkeypatch.chdir(elsewhere)
    again = runforge("rerun", str(workspace / first["run_dir"]), "--json").json
    assert again["status"] == "succeeded"
    request = json.loads((elsewhere / again["run_dir"] / "request.json").read_text("utf-8"))
    assert request["dataset"]["path"] == (workspace / "penguins.csv").as_posix()


def test_a_prepared_folder_belongs_to_the_store_that_it_lies_in(
    runforge: Call, workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = runforge(*TRAIN, "--json").json
    folder = workspace / ".ml/runs/20260201-130000-0000abcd"
    folder.mkdir(parents=True)
    shutil.copyfile(workspace / first["run_dir"] / "request.json", folder / "request.json")
    (workspace / "elsewhere").mkdir()
    monkeypatch.setenv("RUNFORGE_WORKSPACE", str(workspace / "elsewhere"))
    assert runforge("run", "--run-dir", str(folder), "--json").json["status"] == "succeeded"
    [entry] = json.loads((workspace / ".ml/outputs/index.json").read_text("utf-8"))["runs"]
    assert entry["run_dir"] == ".ml/runs/20260201-130000-0000abcd"
    assert list((workspace / "elsewhere").iterdir()) == []


def test_a_request_file_and_a_prepared_folder_are_executed(runforge: Call, workspace: Path) -> None:
    request = {
        "version": 1,
        "preset": "fast",
        "dataset": {
            "path": "penguins.csv",
            "label_column": "species",
            "exclude_columns": ["island", "sex", "year"],
        },
        "model": {"family": "linear_svc"},
        "device": {"type": "cpu"},
        "created_at": "2026-02-01T12:00:00Z",
        "created_by": "an-editor@1",
        "future": {"kept": None},
    }
    (workspace / "mine.json").write_text(json.dumps(request))
    first = runforge("run", "mine.json", "--json").json
    kept = json.loads((workspace / first["run_dir"] / "request.json").read_text("utf-8"))
    assert kept == request
    folder = workspace / ".runforge/runs/20260201-130000-0000abcd"
    folder.mkdir()
    (folder / "request.json").write_text(json.dumps(request))
    second = runforge("run", "--run-dir", str(folder), "--json").json
    assert (second["run_id"], second["status"]) == (folder.name, "succeeded")
    assert json.loads((folder / "request.json").read_text()) == request
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    third = runforge("run", "--run-dir", str(folder), "--json")
    assert (third.code, third.json["error"]["code"]) == (2, "RUN_ALREADY_COMPLETE")
    assert before == {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    assert len(runforge("runs", "--json").json["runs"]) == 2


def test_views_of_a_forest_and_of_a_linear_model(runforge: Call) -> None:
    forest = runforge(*TRAIN, "--model", "random_forest", "--json").json["run_id"]
    linear = runforge(*TRAIN, "--json").json["run_id"]
    assert "bill_length_mm" in runforge("importance", forest).out
    assert "one standard deviation" in runforge("coefficients", linear).out
    assert "Chinstrap" in runforge("metrics", linear).out
    assert "artifacts/linear_coefficients.v1.json" in runforge("interpretability", linear).out
    assert "MISSING_VALUES_DROPPED" in runforge("diagnostics", linear).out
    for command, run in (
        ("importance", forest),
        ("coefficients", linear),
        ("metrics", linear),
        ("interpretability", forest),
        ("diagnostics", forest),
    ):
        assert "schema_version" in runforge(command, run, "--json").json
    for command, run in (("importance", linear), ("coefficients", forest)):
        result = runforge(command, run)
        assert (result.code, "error[ARTIFACT_NOT_FOUND]" in result.err) == (3, True)


def test_runs_are_filtered_and_sorted(runforge: Call, workspace: Path) -> None:
    runforge(*TRAIN, "--preset", "fast", "--param", "max_iter=1", "--tag", "weak")
    runforge(*TRAIN, "--model", "random_forest", "--preset", "fast", "--name", "the forest")
    runforge("train", "penguins.csv", "--label", "species")

    def listed(*options: str) -> list[str]:
        return [entry["run_id"] for entry in runforge("runs", "--json", *options).json["runs"]]

    everything = listed()
    assert len(everything) == 3
    assert len(listed("--limit", "1")) == 1
    assert len(listed("--model", "random_forest")) == 1
    assert len(listed("--status", "failed")) == 1
    assert len(listed("--tag", "weak")) == 1
    assert listed("--dataset", "penguins.csv") == everything
    assert listed("--dataset", "ffff") == []
    best = runforge("runs", "--sort", "accuracy", "--json").json["runs"]
    measured = [entry["summary"]["final_metrics"].get("accuracy", -1) for entry in best]
    assert measured == sorted(measured, reverse=True)
    refused = runforge("runs", "--sort", "speed")
    assert (refused.code, "Known metrics: `accuracy`" in refused.err) == (2, True)
    table = runforge("runs").out
    assert "the forest" in table
    assert max(len(line) for line in table.splitlines()) <= 80


def test_a_run_is_named_by_id_prefix_latest_or_path(runforge: Call, workspace: Path) -> None:
    one = runforge(*TRAIN, "--json").json
    two = runforge(*TRAIN, "--seed", "1", "--json").json
    for name in (
        one["run_id"],
        one["run_id"][:18],
        one["run_dir"],
        str(workspace / one["run_dir"]),
    ):
        assert runforge("show", name, "--json").json["run_id"] == one["run_id"]
    assert runforge("show", "--json").json["run_id"] == two["run_id"]
    ambiguous = runforge("show", one["run_id"][:10])
    assert (ambiguous.code, "RUN_AMBIGUOUS" in ambiguous.err) == (2, True)
    absent = runforge("show", "nothing")
    assert (absent.code, "RUN_NOT_FOUND" in absent.err) == (3, True)


def test_an_empty_workspace_says_how_to_begin(runforge: Call) -> None:
    assert runforge("runs").out.startswith("No runs yet in ")
    assert runforge("runs", "--json").json == {"schema_version": "index.v1", "runs": []}
    result = runforge("show")
    assert (result.code, "runforge train DATA" in result.err) == (3, True)


def test_a_corrupt_index_is_reported_and_left_alone(runforge: Call, workspace: Path) -> None:
    run = runforge(*TRAIN, "--json").json["run_id"]
    index = workspace / ".runforge/index.json"
    index.write_text('{"schema_version": "index.v1", "runs": [')
    result = runforge("runs", "--json")
    assert [entry["run_id"] for entry in result.json["runs"]] == [run]
    assert "index of the store cannot be read" in result.err
    assert runforge("show", run).code == 0
    assert runforge("show").code == 0
    assert runforge(*TRAIN, "--seed", "1").code == 2
    assert index.read_text() == '{"schema_version": "index.v1", "runs": ['


@pytest.mark.parametrize("older", WORKSPACES, indirect=True)
def test_runs_of_older_versions_are_shown(
    older: Path, runforge: Call, snapshot: SnapshotAssertion
) -> None:
    before = {path: path.read_bytes() for path in older.rglob("*") if path.is_file()}
    assert runforge("runs").out == snapshot
    for entry in runforge("runs", "--json").json["runs"]:
        assert entry["status"] == "succeeded"
        shown = runforge("show", entry["run_id"])
        assert (shown.code, shown.err) == (0, "")
        assert shown.out == snapshot
        for command in ("metrics", "diagnostics"):
            assert runforge(command, entry["run_id"]).out == snapshot
    assert before == {path: path.read_bytes() for path in older.rglob("*") if path.is_file()}


def test_inspection_shows_what_a_dataset_contains(
    runforge: Call, snapshot: SnapshotAssertion
) -> None:
    refused = runforge("inspect", "penguins.csv", "--label", "species")
    assert refused.code == 1
    assert refused.out == snapshot
    undecided = runforge("inspect", "penguins.csv")
    assert (undecided.code, undecided.out.splitlines()[-1][:27]) == (
        0,
        "Name the label column with ",
    )
    accepted = runforge("inspect", *TRAIN[1:], "--json")
    validate(accepted.json, "dataset_inspection.v1")
    validate(runforge("inspect", "penguins.csv", "--json").json, "dataset_inspection.v1")
    assert (accepted.code, accepted.json["trainable"]) == (0, True)
    assert accepted.json["label"]["classes"][0] == {"class": "Adelie", "rows": 151}


def test_documents_are_validated(runforge: Call, workspace: Path) -> None:
    good = str(ROOT / "docs/test-vectors/request.v1.full.json")
    assert runforge("validate", good).code == 0
    bad = json.loads(Path(good).read_text("utf-8"))
    bad["model"]["family"] = "random-forest"
    del bad["preset"]
    (workspace / "request.json").write_text(json.dumps(bad))
    result = runforge("validate", "request.json", good)
    assert result.code == 2
    assert "/model/family" in result.out
    assert "Did you mean `random_forest`?" in result.out
    assert "lacks the required field `preset`" in result.out
    assert runforge("validate", "absent.json").code == 3
    assert runforge("validate", good, "--schema", "result.v1").code == 2
    assert runforge("validate", good, "--schema", "reqest.v1").code == 2
    report = runforge("validate", "request.json", good, "--json").json["files"]
    assert [item["valid"] for item in report] == [False, True]


def test_documents_of_experiments_are_validated(runforge: Call, workspace: Path) -> None:
    run = ROOT / "docs/test-vectors/experiments/sound/runs/run-2026-02-01-001"
    files = [str(run / name) for name in ("config.yaml", "metrics.json", "system.json")]
    report = runforge("validate", *files, "--json").json["files"]
    assert [item["schema"] for item in report] == [
        *("tfc.config.v1", "tfc.metrics.v1", "tfc.system.v1")
    ]
    (workspace / "exp-001.yaml").write_text("experiment: e\nrun: !!python/name:os.system\n")
    (workspace / "exp-002.yaml").write_text("experiment: e\nrun: {script: a.py, module: a}\n")
    result = runforge("validate", "exp-001.yaml", "exp-002.yaml")
    assert result.code == 2
    assert "error[YAML_TAG_REFUSED]" in result.out
    assert "line 2, column 6" in result.out
    assert "is not a valid tfc.experiment.v1" in result.out


def test_json_lines_are_validated_line_by_line(runforge: Call, workspace: Path) -> None:
    vectors = ROOT / "docs/test-vectors"
    (events,) = vectors.glob("runs/v0.4.0/.runforge/runs/*-3f2d1b26/logs/events.jsonl")
    journal = vectors / "experiments/sound/runs/run-2026-02-01-001/metrics.jsonl"
    aliases = workspace / "aliases.jsonl"
    line = json.dumps(json.loads((vectors / "alias.v1.min.json").read_bytes()))
    aliases.write_text(f"{line}\n{line}\n")
    report = runforge("validate", str(events), str(journal), "aliases.jsonl", "--json")
    assert report.code == 0
    schemas = [item["schema"] for item in report.json["files"]]
    assert schemas == ["events.v1", "tfc.metrics_entry.v1", "alias.v1"]
    (workspace / "events.jsonl").write_text("")
    assert runforge("validate", "events.jsonl").code == 0
    aliases.write_text(f'{line}\n{{"schema_version": "alias.v1"}}\n')
    (error,) = [
        item["error"] for item in runforge("validate", str(aliases), "--json").json["files"]
    ]
    assert (error["code"], error["pointer"]) == ("DOCUMENT_INVALID", "/alias")
    assert error["message"].startswith("Line 2: ")
    for text in (f"{line}\n{line}", f"{line}\r\n"):  # readers leave such a line out
        aliases.write_bytes(text.encode())
        (refused,) = runforge("validate", str(aliases), "--json").json["files"]
        assert refused["error"]["code"] == "JSON_INVALID"
    aliases.write_text(f"{line}\n{line[:-1]}\n")
    result = runforge("validate", str(aliases), "--schema", "alias.v1")
    assert result.code == 2
    assert "error[JSON_INVALID]: Line 2: " in result.out
    assert "line 1" not in result.out


def test_schemas_are_listed_and_printed(runforge: Call) -> None:
    names = runforge("schema", "list", "--json").json["schemas"]
    assert {"request.v1", "tfc.config.v1"} <= set(names)
    printed = runforge("schema", "show", "request.v1").out
    assert printed == (ROOT / "schemas/request.v1.json").read_text("utf-8")
    assert runforge("schema", "show", "x").code == 2


HELP = [
    (),
    *(
        (name,)
        for name in (
            "train",
            "run",
            "rerun",
            "cancel",
            "runs",
            "show",
            "alias",
            "metrics",
            "importance",
            "coefficients",
            "interpretability",
            "diagnostics",
            "diff",
            "report",
            "export",
            "trace",
            "reproduce",
            "index",
            "inspect",
            "validate",
            "schema",
            "predict",
            "evaluate",
            "inspect-artifact",
            "verify",
            "sign",
            "experiment",
            "keygen",
            "editor-python",
        )
    ),
    ("sweep", "show"),
    ("sweep", "list"),
    ("index", "rebuild"),
    ("index", "check"),
    ("experiment", "run"),
    ("experiment", "init"),
    ("experiment", "check"),
]


@pytest.mark.parametrize("command", HELP, ids=lambda command: " ".join(command) or "runforge")
def test_help_fits_a_terminal(
    command: tuple[str, ...], runforge: Call, snapshot: SnapshotAssertion
) -> None:
    result = runforge(*command, "--help")
    assert result.code == 0
    assert max(len(line) for line in result.out.splitlines()) <= 80
    assert result.out == snapshot


def test_global_options_stand_before_or_after_the_command(runforge: Call) -> None:
    assert runforge("--json", "runs").json == runforge("runs", "--json").json


def test_hostile_names_do_not_reach_the_terminal(runforge: Call, workspace: Path) -> None:
    name = "\x1b]0;owned\x07<script>\n"
    labels = ("y", "x\x1b[2J")
    rows = "".join(f"{i % 7},{i % 5},{labels[i % 2]}\n" for i in range(40))
    (workspace / "odd.csv").write_text(f'a,"b\x1b[31m\nc","lab\x1bel"\n{rows}')
    result = runforge("train", "odd.csv", "--label", "lab\x1bel", "--name", name)
    assert result.code == 0
    for command in ("show", "runs", "metrics", "coefficients", "diagnostics"):
        output = runforge(command).out
        assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f]", output)
    assert "\\x1b" in runforge("show").out
    assert runforge("show", "--json").json["request"]["name"] == name
