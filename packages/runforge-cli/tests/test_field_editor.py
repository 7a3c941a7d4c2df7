"""The editor extension works on our engine: its fourteen commands find what they look for."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zlib import crc32

import editor_rules as rules
import pytest
from calls import Call
from field_data import table
from field_editor import GRACEFUL, FieldEditor, Training

pytestmark = pytest.mark.filterwarnings("error")


@dataclass
class Trained:
    """A training, and what each of the extension's reading commands showed right after it."""

    training: Training
    result: dict[str, Any]
    request: bytes
    shown: dict[str, rules.Shown | rules.CommandError]

    def page(self, command: str) -> rules.Shown:
        """Return what a command showed, where it did not die."""
        found = self.shown[command]
        assert not isinstance(found, rules.CommandError), found
        return found


def look(workspace: Path) -> dict[str, rules.Shown | rules.CommandError]:
    """Return what each of the extension's reading commands shows."""
    found: dict[str, rules.Shown | rules.CommandError] = {}
    for name, command in rules.READING.items():
        try:
            found[name] = command(workspace)
        except rules.CommandError as error:
            found[name] = error
    return found


def case(family: str, classes: int, text: bool, **options: Any) -> Any:
    """Return a training of a family on a table of so many classes, as a parameter."""
    kind = "text" if text else "integers"
    name = "-".join([family, str(classes), kind, *map(str, options)])
    return pytest.param((name, family, classes, text, options), id=name)


COMMON = [
    case("logistic_regression", 2, False),
    case("logistic_regression", 3, True, missing=3),
    case("random_forest", 2, True, missing=3),
    case("random_forest", 3, False),
    case("linear_svc", 2, False),
    case("linear_svc", 3, True),
]
RARE = [
    case("logistic_regression", 2, True),
    case("logistic_regression", 3, False),
    case("random_forest", 2, False),
    case("random_forest", 3, True),
    case("linear_svc", 2, True),
    case("linear_svc", 3, False, missing=3),
]


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the workspace that the extension works in."""
    return tmp_path_factory.mktemp("editor")


@pytest.fixture(scope="module")
def editor(workspace: Path) -> FieldEditor:
    """Return the extension in the workspace."""
    return FieldEditor(workspace)


Train = Callable[[tuple[str, str, int, bool, dict[str, Any]]], Trained]


@pytest.fixture(scope="module")
def train(editor: FieldEditor, workspace: Path) -> Train:
    """Return a function that trains a case once, and looks at the workspace right after it."""
    done: dict[str, Trained] = {}

    def once(chosen: tuple[str, str, int, bool, dict[str, Any]]) -> Trained:
        name, family, classes, text, options = chosen
        if name not in done:
            dataset = table(workspace / f"{name}.csv", classes=classes, text=text, **options)
            training = editor.start(dataset, model=family, name=f"The {name}")
            request = (training.folder / "request.json").read_bytes()
            result = training.wait()
            done[name] = Trained(training, result, request, look(workspace))
        return done[name]

    return once


def both(function: Any) -> Any:
    """Run a test for the common cases, and for the rare ones where there is time."""
    slow = [pytest.param(*one.values, id=one.id, marks=pytest.mark.slow) for one in RARE]
    return pytest.mark.parametrize("chosen", [*COMMON, *slow])(function)


@both
def test_the_reading_commands_find_what_they_look_for(train: Train, chosen: Any) -> None:
    _, family, classes, text, options = chosen
    trained = train(chosen)
    assert trained.result["status"] == "succeeded", trained.result
    forest = family == "random_forest"
    lacking = "viewLinearCoefficients" if forest else "viewFeatureImportance"
    for command in rules.READING:
        page = trained.page(command)
        if command == lacking:
            assert page.notice
        else:
            page.sound()
    run = trained.page("openLatestMetadata").opened[0]
    assert trained.page("exportRunMarkdown").lines[0] == f"run_id: {run['run_id']}"
    assert f"run_id: {run['run_id']}" in trained.page("openRuns").lines
    labels = ["setosa", "versicolor", "virginica"] if text else ["0", "1", "2"]
    metrics = trained.page("viewMetricsV1")
    assert [line for line in metrics.lines if line.startswith("class: ")] == (
        [f"class: {label}" for label in labels] if classes > 2 else []
    )
    assert ("log_loss" in metrics.text) == (classes == 2 and family != "linear_svc")
    assert ("roc_auc" in metrics.text) == (classes == 2)
    explained = trained.page("viewFeatureImportance" if forest else "viewLinearCoefficients")
    assert all(any(line.startswith(column) for line in explained.lines) for column in "abc")
    if not forest:
        assert all(f"class: {label}" in explained.lines for label in labels[:classes])
    dropped = options.get("missing", 0)
    notes = rules.diagnostics(run).sound().lines
    assert (f"MISSING_VALUES_DROPPED: {dropped}" in notes) == (dropped > 0)


@both
def test_the_engine_is_heard_and_the_folder_stays_the_editors(train: Train, chosen: Any) -> None:
    trained = train(chosen)
    training, folder = trained.training, trained.training.folder
    kinds = list(training.progress.names())
    assert training.progress.missed() == []
    assert list(dict.fromkeys(kinds)) == [
        "run_start",
        "dataset_loaded",
        "train_started",
        "train_progress",
        "train_finished",
        "metrics_computed",
        "artifacts_written",
    ]
    ids = {event["run_id"] for event in training.progress.events}
    run = json.loads((folder / "run.json").read_text("utf-8"))
    assert ids == {run["run_id"]}
    assert 0 < len(training.out) < 20
    assert not any(line.startswith(("{", "[")) for line in training.out)
    assert (folder / "request.json").read_bytes() == trained.request
    assert json.loads((folder / "result.json").read_text("utf-8")) == trained.result
    log = (folder / "logs.txt").read_text("utf-8").splitlines()
    assert [line for line in log if not line.startswith("[stderr] ")] == training.out
    assert {path.name for path in folder.iterdir()} == {
        "request.json",
        "run.json",
        "metrics.json",
        "metrics.v1.json",
        "artifacts",
        "logs.txt",
        "result.json",
        ".runforge-view",
    }


@both
def test_the_entry_has_its_ten_members(train: Train, workspace: Path, chosen: Any) -> None:
    trained = train(chosen)
    folder = trained.training.folder
    [entry] = [one for one in rules.index(workspace) if one["run_dir"] == f".ml/runs/{folder.name}"]
    run = json.loads((folder / "run.json").read_text("utf-8"))
    record = workspace / ".runforge/runs" / run["run_id"]
    assert sorted(entry) == sorted(
        [
            *("run_id", "created_at", "name", "preset_id", "status", "summary", "run_dir"),
            *("dataset_fingerprint_sha256", "label_column", "model_pkl"),
        ]
    )
    assert entry["run_id"] == run["run_id"]
    assert entry["name"] == f"The {chosen[0]}"
    assert entry["preset_id"] == "std-train"
    assert entry["status"] == "succeeded"
    assert entry["summary"]["device"] == "cpu"
    assert type(entry["summary"]["duration_ms"]) is int
    assert entry["summary"]["final_metrics"]["accuracy"] == run["metrics"]["accuracy"]
    assert entry["model_pkl"] == f".ml/runs/{folder.name}/artifacts/model.pkl"
    for path in ("run.json", "metrics.json", "metrics.v1.json", "artifacts/model.pkl"):
        assert (folder / path).read_bytes() == (record / path).read_bytes()


@both
def test_inspections_show_their_members(
    train: Train, editor: FieldEditor, workspace: Path, chosen: Any
) -> None:
    folder = train(chosen).training.folder
    code, out, err = editor.inspect_artifact(folder / "artifacts/model.pkl")
    assert (code, err) == (0, "")
    page = rules.model_inspection(out).sound()
    assert page.opened[0]["artifact_path"] == f".ml/runs/{folder.name}/artifacts/model.pkl"
    assert page.opened[0]["schema_version"] == "0.2.2.2"
    code, out, err = editor.inspect_dataset(workspace / f"{chosen[0]}.csv")
    assert (code, err) == (0, "")
    assert "label_present: True" in rules.inspection(out).sound().lines
    assert len(json.loads(out)) == 7


def test_a_dataset_without_the_label_is_shown_and_said(
    editor: FieldEditor, workspace: Path
) -> None:
    code, out, err = editor.inspect_dataset(table(workspace / "label.csv"), "target")
    assert code == 1
    assert "label_present: False" in rules.inspection(out).sound().lines
    assert err.splitlines()[0] == "Error: Label column 'target' not found."
    assert err.splitlines()[1].startswith("Available columns: ")


def test_training_of_high_quality(editor: FieldEditor, workspace: Path) -> None:
    training = editor.train(table(workspace / "high.csv"), preset="hq-train", seed=7)
    assert training.process.returncode == 0
    assert training.progress.events[0]["preset_id"] == "hq-train"
    assert rules.index(workspace)[-1]["preset_id"] == "hq-train"
    for page in look(workspace).values():
        assert not isinstance(page, rules.CommandError)
        assert page.holes == []


def test_a_profile_decides_the_family(editor: FieldEditor, workspace: Path) -> None:
    training = editor.train(table(workspace / "profile.csv"), profile="thorough")
    assert training.process.returncode == 0
    assert training.progress.events[0]["model_family"] == "random_forest"
    rules.view_importance(workspace).sound()


@pytest.mark.parametrize("moment", ["run_start", "train_started"])
def test_cancelling(editor: FieldEditor, workspace: Path, moment: str) -> None:
    before = rules.index(workspace)
    dataset = table(workspace / "cancelled.csv")
    training = editor.start(
        dataset, model="random_forest", parameters=["n_estimators=1000000"], name="Cancelled"
    )
    assert training.heard(moment)
    training.cancel()
    result = training.wait()
    assert result["error"] == GRACEFUL
    assert training.progress.missed() == []
    assert list(training.progress.names())[-2:] == ["cancelling", "run_cancelled"]
    assert rules.index(workspace) == before
    report = rules.recover_index(workspace)
    assert f".ml/runs/{training.folder.name}" in report.cancelled_excluded
    assert {path.name for path in training.folder.rglob("*")} == {
        "request.json",
        "artifacts",
        "logs.txt",
        "result.json",
        ".cancelled",
        ".runforge-view",
    }
    assert rules.open_runs(workspace).holes == []


WRONG = {
    "one-class": (b"a,b,label\n1,2,x\n3,4,x\n", "class"),
    "no-number": (b"a,b,label\n" + b"1,high,x\n3,low,y\n" * 5, "`b`"),
    "no-label": (b"a,b,target\n1,2,x\n3,4,y\n", "label"),
    "semicolons": (b"a;b;label\n1;2;x\n", ","),
    "encoding": (b"\xff\xfea\x00", "UTF-8"),
    "empty": (b"", "empty"),
}
_SLOW_FROM = 2


@pytest.mark.parametrize(
    ("content", "said"),
    [
        pytest.param(*one, id=name, marks=[pytest.mark.slow] if place >= _SLOW_FROM else [])
        for place, (name, one) in enumerate(WRONG.items())
    ],
)
def test_a_run_that_fails_says_why_in_text(
    editor: FieldEditor, workspace: Path, content: bytes, said: str
) -> None:
    before = rules.index(workspace)
    dataset = workspace / f"wrong-{crc32(content):08x}.csv"
    dataset.write_bytes(content)
    training = editor.train(dataset, name="Wrong")
    result = json.loads((training.folder / "result.json").read_text("utf-8"))
    assert result["status"] == "failed"
    assert training.progress.missed() == []
    assert result["error"].startswith("ERROR: ")
    assert said in result["error"]
    assert "Traceback" not in result["error"]
    assert rules.index(workspace) == before
    skipped = dict(rules.recover_index(workspace).skipped)
    assert skipped[f".ml/runs/{training.folder.name}"] == "MISSING_RUN_JSON"
    assert not (training.folder / "run.json").exists()
    assert rules.browse_runs(workspace).holes == []


def test_a_dataset_that_is_gone_is_said(editor: FieldEditor, workspace: Path) -> None:
    training = editor.train(workspace / "gone.csv")
    result = json.loads((training.folder / "result.json").read_text("utf-8"))
    assert result["error"].startswith("ERROR: ")
    assert "gone.csv" in result["error"]


def copy_of(workspace: Path, place: Path) -> Path:
    """Copy a workspace, without the folders in which no run began or came to its end."""
    shutil.copytree(workspace, place)
    for folder in rules.run_folders(place):
        if not (folder / "run.json").is_file():
            shutil.rmtree(folder)
    return place


def test_the_index_made_anew_lists_every_view(
    train: Train, workspace: Path, tmp_path: Path, process: Call
) -> None:
    for chosen in COMMON[:2]:
        train(chosen.values[0])
    copy = copy_of(workspace, tmp_path / "copy")
    known = {(entry["run_id"], entry["run_dir"]) for entry in rules.index(copy)}
    assert rules.recover_index(copy).recovered == []
    (copy / rules.INDEX).unlink()
    FieldEditor(copy).recover_index()
    assert {(entry["run_id"], entry["run_dir"]) for entry in rules.index(copy)} == known
    rules.browse_runs(copy).sound()
    done = process("runforge_cli", "verify", "--all", cwd=copy)
    assert done.code == 0, done.out + done.err
    # What cannot have come from the run is still found.
    document = json.loads((copy / rules.INDEX).read_text("utf-8"))
    document["runs"][0]["dataset_fingerprint_sha256"] = "0" * 64
    (copy / rules.INDEX).write_text(json.dumps(document), "utf-8")
    for command in (["verify", "--all"], ["index", "check", "--store", ".ml"]):
        done = process("runforge_cli", *command, cwd=copy)
        assert done.code == 1, done.out
        assert "dataset_fingerprint_sha256" in done.out


def test_what_the_export_adds_is_a_note(
    train: Train, workspace: Path, tmp_path: Path, process: Call
) -> None:
    train(COMMON[0].values[0])
    copy = copy_of(workspace, tmp_path / "copy")
    page = FieldEditor(copy).export()
    assert page.read_text("utf-8").startswith("run_id: ")
    done = process("runforge_cli", "verify", str(page.parent), cwd=copy)
    assert done.code == 0, done.out + done.err
