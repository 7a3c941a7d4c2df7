"""The released editor extension trains through ``python -m ml_runner``, in folders of its own."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import editor_rules
import pytest
from calls import ROOT, Call, Result
from field_stores import write_dataset
from runforge_cli.__main__ import guard
from runforge_contracts.store.layout import StoreLayout
from runforge_contracts.store.reading import read_index

posix = pytest.mark.skipif(os.name == "nt", reason="signals and links as POSIX has them")
TRAIN = ("train", "--preset", "std-train", "--device", "cpu", "--model", "logistic_regression")
REQUEST = b'{"run_id": "20260201-130000-demo-1a2b", "preset_id": "std-train"}'
DIR = ".ml/runs/20260201-130000-demo-1a2b"
INDEX = ".ml/outputs/index.json"


@pytest.fixture
def data(workspace: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a workspace with a dataset that the environment names."""
    monkeypatch.setenv("RUNFORGE_DATASET", str(write_dataset(workspace / "data.csv", dropped=2)))
    return workspace


@pytest.fixture
def editor(workspace: Path, capfdbinary: pytest.CaptureFixture[bytes]) -> Call:
    """Return a function that calls the entry point of editors in this process."""
    from ml_runner.__main__ import cli
    from ml_runner.editor_output import report_failure_as_text

    def call(*arguments: str) -> Result:
        capfdbinary.readouterr()
        code = guard(
            lambda: cli.main(list(arguments), standalone_mode=False) or 0,
            json="--json" in arguments,
            report=report_failure_as_text,
        )
        out, err = capfdbinary.readouterr()
        return Result(int(code), out.decode(), err.decode())

    return call


def prepared(workspace: Path, place: str = DIR) -> Path:
    """Return a folder as the extension makes it before it starts the engine."""
    folder = workspace / place
    (folder / "artifacts").mkdir(parents=True)
    (folder / "request.json").write_bytes(REQUEST)
    (folder / "logs.txt").write_text("Starting\n", "utf-8")
    return folder


def heard(err: str) -> editor_rules.Progress:
    """Return what the extension makes of standard error."""
    progress = editor_rules.Progress()
    for line in err.splitlines():
        progress.hear(line)
    assert progress.missed() == []
    return progress


def record_of(workspace: Path) -> Path:
    (record,) = (workspace / ".runforge/runs").iterdir()
    return record


def tree(folder: Path) -> dict[str, bytes | None]:
    """Return every file below a folder, with its bytes; links are not followed."""
    return {
        str(path.relative_to(folder)): path.read_bytes() if path.is_file() else None
        for path in sorted(folder.rglob("*"))
        if path.name != "index.lock"
    }


@pytest.mark.parametrize("labels", [("0", "1"), ("no", "yes"), ("0", "1", "2"), ("a", "b", "c")])
@pytest.mark.parametrize("family", editor_rules.FAMILIES)
def test_every_command_of_the_extension_shows_the_run(
    family: str, labels: tuple[str, ...], data: Path, editor: Call
) -> None:
    write_dataset(data / "data.csv", len(labels), labels, dropped=2)
    folder = prepared(data)
    done = editor(*TRAIN[:-1], family, "--out", str(folder), "--name", "Größe", "--seed", "7")
    assert done.code == 0, done.err
    progress = heard(done.err)
    assert list(progress.names()) == [
        "run_start",
        "dataset_loaded",
        "train_started",
        *["train_progress"] * (10 if family == "random_forest" else 1),
        "train_finished",
        "metrics_computed",
        "artifacts_written",
    ]
    assert progress.errors == []
    assert progress.events[0]["out_dir"] == folder.as_posix()
    record = record_of(data)
    for file in ("run.json", "metrics.json", "metrics.v1.json"):
        assert (folder / file).read_bytes() == (record / file).read_bytes()
    assert tree(folder / "artifacts") == tree(record / "artifacts")
    assert {path.name for path in folder.iterdir()} == {
        *("artifacts", "request.json", "logs.txt"),
        *("run.json", "metrics.json", "metrics.v1.json", ".runforge-view"),
    }
    assert (folder / "request.json").read_bytes() == REQUEST
    assert done.out.splitlines()[-5:][0].startswith("  ")
    assert f"Run {record.name}: succeeded" in done.out.splitlines()
    assert len(done.out.splitlines()) < 15

    editor_rules.open_runs(data).sound()
    editor_rules.browse_runs(data).sound()
    editor_rules.view_metrics(data).sound()
    view = (
        editor_rules.view_importance
        if family == "random_forest"
        else editor_rules.view_coefficients
    )
    view(data).sound()
    editor_rules.view_interpretability(data).sound()
    assert editor_rules.run_markdown(data).holes == []
    (opened,) = editor_rules.latest_metadata(data).opened
    assert opened["run_id"] == record.name
    recovery = editor_rules.recover_index(data)
    assert (recovery.already_indexed, recovery.recovered, recovery.skipped) == (1, [], [])


def test_the_entry_of_the_index_has_the_ten_fields_of_the_extension(
    data: Path, editor: Call
) -> None:
    done = editor(*TRAIN, "--out", str(prepared(data)))
    assert done.code == 0, done.err
    index = json.loads((data / INDEX).read_bytes())
    [entry] = index["runs"]
    record = record_of(data)
    run, result = (json.loads((record / file).read_bytes()) for file in ("run.json", "result.json"))
    assert index == {
        "schema_version": "1.0.0",
        "runs": [
            {
                "run_id": record.name,
                "created_at": run["created_at"],
                "name": record.name,
                "preset_id": "std-train",
                "status": "succeeded",
                "summary": {
                    "duration_ms": result["duration_ms"],
                    "final_metrics": result["summary"]["metrics"],
                    "device": "cpu",
                },
                "run_dir": DIR,
                "dataset_fingerprint_sha256": run["dataset"]["fingerprint_sha256"],
                "label_column": "label",
                "model_pkl": f"{DIR}/artifacts/model.pkl",
            }
        ],
    }
    assert len(entry) == 10
    assert [known["run_id"] for known in read_index(StoreLayout(data))] == [record.name]


def test_the_record_of_an_editor_verifies_and_reproduces(
    data: Path, editor: Call, runforge: Call
) -> None:
    folder = prepared(data)
    assert editor(*TRAIN, "--out", str(folder)).code == 0
    (folder / "result.json").write_text('{"run_id": "x", "status": "succeeded", "exit_code": 0}')
    record = record_of(data)
    assert runforge("verify", record.name).code == 0
    assert runforge("reproduce", record.name).code == 0
    assert runforge("index", "check", "--store", ".runforge").code == 0


def test_a_view_in_any_folder_of_the_workspace_is_compared_with_its_record(
    data: Path, editor: Call, runforge: Call
) -> None:
    assert editor(*TRAIN, "--out", "a/run").code == 0
    record = record_of(data)
    assert runforge("show", "./a/run", "--json").json["status"] == "succeeded"
    verified = runforge("verify", "./a/run")
    assert (verified.code, "View a/run" in verified.out) == (0, True), verified.out
    (data / "a/run/metrics.json").write_text("{}", "utf-8")
    assert runforge("verify", "./a/run").code == 1
    assert runforge("verify", record.name).code == 0
    shutil.copytree(record, data / "copy")
    assert "View" not in runforge("verify", "./copy").out


def test_a_gpu_that_is_asked_for_is_not_claimed(data: Path, editor: Call) -> None:
    arguments = ("train", "--preset", "hq-train", "--device", "cuda", "--model", "linear_svc")
    done = editor(*arguments, "--profile", "fast", "--param", "C=0.5", "--out", DIR)
    assert done.code == 0, done.err
    [entry] = json.loads((data / INDEX).read_bytes())["runs"]
    assert (entry["summary"]["device"], entry["preset_id"]) == ("cpu", "hq-train")
    start = heard(done.err).events[0]
    assert (start["preset_id"], start["model_family"]) == ("hq-train", "logistic_regression")
    assert "warning: " in done.out


def test_a_document_is_printed_where_it_is_asked_for(data: Path, editor: Call) -> None:
    done = editor(*TRAIN, "--out", DIR, "--json")
    assert done.code == 0
    assert done.json["status"] == "succeeded"
    assert done.json["run_dir"] == f".runforge/runs/{done.json['run_id']}"
    assert (data / DIR / "run.json").is_file()
    refused = editor(*TRAIN, "--out", DIR, "--json")
    assert (refused.code, refused.json["error"]["code"]) == (2, "RUN_ALREADY_COMPLETE")


@contextlib.contextmanager
def writing(log: Path) -> Iterator[None]:
    """Append to the log as the extension does, as long as the context lasts."""
    ended = threading.Event()

    def work() -> None:
        while not ended.wait(0.005):
            with log.open("a", encoding="utf-8") as file:
                file.write("[stderr] a line\n")

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def test_the_extension_keeps_writing_to_its_folder(data: Path, process: Call) -> None:
    folder = prepared(data)
    with writing(folder / "logs.txt"):
        done = process("ml_runner", *TRAIN, "--out", str(folder))
    assert done.code == 0, done.err
    lines = (folder / "logs.txt").read_text("utf-8").splitlines()
    assert lines[0] == "Starting"
    assert len(lines) > 10
    assert editor_rules.open_runs(data).sound().lines[0] == "✓"


def test_two_trainings_at_once_are_both_listed(data: Path) -> None:
    folders = [prepared(data, f".ml/runs/20260201-130000-demo-000{number}") for number in (1, 2)]
    processes = [
        subprocess.Popen(
            [sys.executable, "-m", "ml_runner", *TRAIN, "--out", str(folder)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        for folder in folders
    ]
    assert [process.wait() for process in processes] == [0, 0]
    entries = json.loads((data / INDEX).read_bytes())["runs"]
    assert sorted(Path(entry["run_dir"]).name for entry in entries) == [
        folder.name for folder in folders
    ]
    for entry in entries:
        view = json.loads((data / entry["run_dir"] / "run.json").read_bytes())
        assert view["run_id"] == entry["run_id"]
    assert editor_rules.open_runs(data).sound()


def test_a_failed_run_leaves_its_record_in_the_store_alone(data: Path, editor: Call) -> None:
    (data / "data.csv").write_text("x,label\n" + "1,a\n" * 10, "utf-8")
    folder = prepared(data)
    before = tree(folder)
    done = editor(*TRAIN, "--out", str(folder))
    assert done.code == 1
    record = record_of(data)
    assert tree(folder) == {**before, ".runforge-view": f"{record.name}\n".encode()}
    assert not (data / INDEX).exists()
    result = json.loads((record / "result.json").read_bytes())
    assert result["status"] == "failed"
    progress = heard(done.err)
    assert next(progress.names()) == "run_start"
    assert progress.errors[0] == f"ERROR: {result['error']['message']} [{result['error']['code']}]"
    assert f"  record: .runforge/runs/{record.name}" in done.out.splitlines()


def test_raw_columns_are_prepared_by_the_recipe_that_the_environment_names(
    workspace: Path, editor: Call, runforge: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copy(ROOT / "examples/penguins.csv", workspace / "raw.csv")
    assert runforge("prepare", "raw.csv", "--label", "species", "-o", "table.csv").code == 0
    monkeypatch.setenv("RUNFORGE_DATASET", "raw.csv")
    monkeypatch.setenv("RUNFORGE_RECIPE", "missing.json")
    folder = prepared(workspace)
    done = editor(*TRAIN, "--out", str(folder))
    assert (done.code, "[FILE_NOT_FOUND]" in done.err) == (3, True), done.err
    assert not (workspace / ".runforge").exists()

    monkeypatch.setenv("RUNFORGE_RECIPE", "table.recipe.json")
    done = editor(*TRAIN, "--out", str(folder))
    assert done.code == 0, done.err
    heard(done.err)
    record = json.loads((record_of(workspace) / "run.json").read_bytes())
    assert record["dataset"]["recipe"] == "table.recipe.json"
    assert record["label_column"] == "species"
    assert "island=Dream" in record["feature_names"]
    assert runforge("verify", f"./{DIR}").code == 0
    editor_rules.view_coefficients(workspace).sound()


@pytest.mark.parametrize(
    ("arguments", "code", "name"),
    [
        (("--preset", "nope", "--out", DIR), 2, "PRESET_UNKNOWN"),
        (("--preset", "std-train"), 2, "USAGE_INVALID"),
        (("--preset", "std-train", "--out", DIR, "--param", "C=x"), 2, "HYPERPARAMETER_INVALID"),
    ],
)
def test_what_is_wrong_is_said_as_text(
    arguments: tuple[str, ...], code: int, name: str, data: Path, editor: Call
) -> None:
    done = editor("train", *arguments)
    assert (done.code, done.out) == (code, "")
    assert re.match(rf"ERROR: [^\n]+ \[{name}\]\n", done.err), done.err
    assert not (data / ".runforge").exists()
    assert not (data / ".ml").exists()


def hostile(workspace: Path) -> dict[str, Path]:
    """Return folders that no run may be put into, by what is wrong with them."""
    runs = workspace / ".ml/runs"
    runs.mkdir(parents=True)
    (workspace / "elsewhere").mkdir()
    places = {
        "the workspace": workspace,
        "the editor's store": workspace / ".ml",
        "its runs": runs,
        "beside its runs": workspace / ".ml/outputs/run",
        "below a run": runs / "a/b",
        "climbing": runs / "../../.runforge/new",
        "a file": runs / "file",
        "a link": runs / "link",
        "a dangling link": runs / "dangling",
        "artifacts that are a link": runs / "linked artifacts",
        "artifacts that are a file": runs / "no artifacts",
        "below a link": workspace / "through/run",
        "below a file": runs / "file/run",
    }
    places["a file"].touch()
    places["a link"].symlink_to(workspace / "elsewhere")
    places["a dangling link"].symlink_to(workspace / "gone")
    places["artifacts that are a link"].mkdir()
    (places["artifacts that are a link"] / "artifacts").symlink_to(workspace / "elsewhere")
    places["artifacts that are a file"].mkdir()
    (places["artifacts that are a file"] / "artifacts").touch()
    (workspace / "through").symlink_to(workspace / "elsewhere")
    for file in ("run.json", "artifacts/model.pkl", "metrics.json", "result.json", ".cancelled"):
        folder = places[f"with {file}"] = runs / f"with {Path(file).name}"
        (folder / "artifacts").mkdir(parents=True)
        (folder / file).symlink_to("nowhere")
    return places


@posix
def test_a_folder_that_would_be_harmed_is_refused_before_anything_is_done(
    data: Path, editor: Call
) -> None:
    places = hostile(data)
    before = tree(data)
    for what, place in places.items():
        done = editor(*TRAIN, "--out", str(place))
        assert (what, done.code, done.out) == (what, 2, "")
        assert done.err.startswith("ERROR: "), what
        assert tree(data) == before, what


@posix
def test_a_link_that_appears_during_the_run_is_not_followed(data: Path, editor: Call) -> None:
    from ml_runner import editor_events

    folder = prepared(data)
    (data / "elsewhere").mkdir()
    write = editor_events._write

    def swap(event: dict[str, Any], **options: Any) -> None:
        if event["event"] == "artifacts_written":
            (folder / "artifacts").rmdir()
            (folder / "artifacts").symlink_to(data / "elsewhere")
        write(event, **options)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(editor_events, "_write", swap)
        done = editor(*TRAIN, "--out", str(folder))
    assert done.code == 2
    assert not any((data / "elsewhere").iterdir())
    assert f"The run is complete in `.runforge/runs/{record_of(data).name}`" in done.err
    assert not (folder / "run.json").exists()
    assert not (data / INDEX).exists()


def test_a_file_that_appears_during_the_run_is_not_replaced(data: Path, editor: Call) -> None:
    from ml_runner import editor_events

    folder = prepared(data)
    write = editor_events._write

    def add(event: dict[str, Any], **options: Any) -> None:
        if event["event"] == "artifacts_written":
            (folder / "metrics.json").write_text("mine", "utf-8")
        write(event, **options)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(editor_events, "_write", add)
        done = editor(*TRAIN, "--out", str(folder))
    assert done.code == 1
    assert (folder / "metrics.json").read_text("utf-8") == "mine"
    assert sorted(path.name for path in folder.rglob("*")) == [
        *(".runforge-view", "artifacts", "logs.txt", "metrics.json", "request.json")
    ]


def test_an_index_that_is_not_understood_is_left_alone_and_marked(data: Path, editor: Call) -> None:
    (data / ".ml/outputs").mkdir(parents=True)
    (data / INDEX).write_bytes(b'{"schema_version": "1.0.0", "runs": [')
    folder = prepared(data)
    done = editor(*TRAIN, "--out", str(folder))
    assert done.code == 0
    assert (data / INDEX).read_bytes() == b'{"schema_version": "1.0.0", "runs": ['
    assert [path.name for path in (data / ".ml/outputs").iterdir()] == ["index.json"]
    (warning, *_) = heard(done.err).errors
    assert warning.startswith("WARNING: ")
    assert warning.endswith("[INDEX_INVALID]")
    marker = json.loads((folder / ".index-orphan").read_bytes())
    assert editor_rules.orphan(marker) == record_of(data).name
    assert (marker["run_dir"], marker["index_path"]) == (DIR, INDEX)
    assert (folder / "run.json").is_file()


def test_the_index_is_that_of_the_nearest_workspace_with_a_store(data: Path, editor: Call) -> None:
    (data / ".ml").mkdir()
    inner = data / "inner"
    done = editor(*TRAIN, "--out", str(inner / DIR))
    assert done.code == 0, done.err
    assert (inner / ".runforge/index.json").is_file()
    assert (inner / INDEX).is_file()
    outside = editor(*TRAIN, "--out", str(inner / "plain/run"))
    assert outside.code == 0, outside.err
    assert (inner / "plain/run/run.json").is_file()
    assert len(read_index(StoreLayout(inner))) == 2
    assert len(json.loads((inner / INDEX).read_bytes())["runs"]) == 1
    assert not (data / ".runforge").exists()


# Cancelling

FOREST = ("--model", "random_forest", "--param", "n_estimators=1000000")


@contextlib.contextmanager
def training(folder: Path) -> Iterator[subprocess.Popen[str]]:
    """Give a process that trains for hours."""
    command = ["train", "--preset", "std-train", *FOREST, "--out", str(folder)]
    process = subprocess.Popen(
        [sys.executable, "-u", "-m", "ml_runner", *command],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


@posix
@pytest.mark.parametrize("point", ["run_start", "dataset_loaded", "train_progress"])
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_the_run_as_the_extension_expects(
    number: int, point: str, data: Path
) -> None:
    folder = prepared(data)
    progress = editor_rules.Progress()
    with training(folder) as process:
        assert process.stderr is not None
        for line in process.stderr:
            progress.hear(line.rstrip())
            if point in progress.names():
                break
        process.send_signal(number)
        out, err = process.communicate()
    for line in err.splitlines():
        progress.hear(line)
    assert process.returncode == 5
    cancelling, cancelled = progress.events[-2:]
    assert (cancelling["event"], cancelled["event"]) == ("cancelling", "run_cancelled")
    assert cancelled["graceful"] is True
    assert progress.missed() == []
    marker = editor_rules.cancelled(json.loads((folder / ".cancelled").read_bytes()))
    assert marker["run_id"] == cancelled["run_id"] == record_of(data).name
    assert marker["step"] == cancelling["step"] == cancelled["step"]
    assert signal.Signals(number).name in marker["reason"]
    assert json.loads((record_of(data) / "result.json").read_bytes())["status"] == "cancelled"
    assert not (folder / "run.json").exists()
    assert not (data / INDEX).exists()
    assert editor_rules.recover_index(data).cancelled_excluded == [DIR]
    assert ": cancelled" in out


def test_a_run_that_is_cancelled_before_it_has_a_record_is_marked(
    data: Path, editor: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    from runforge_contracts.errors import CancelledError, ErrorCode
    from runforge_engine.pipeline import execute

    def refuse(*arguments: Any, **options: Any) -> None:
        options["cancellation"].cancel("The run was cancelled by SIGTERM.")
        raise CancelledError(ErrorCode.CANCELLED, "The run was cancelled by SIGTERM.")

    monkeypatch.setattr(execute, "execute", refuse)
    folder = prepared(data)
    done = editor(*TRAIN, "--out", str(folder))
    assert done.code == 5
    progress = heard(done.err)
    assert list(progress.names()) == ["cancelling", "run_cancelled"]
    marker = editor_rules.cancelled(json.loads((folder / ".cancelled").read_bytes()))
    assert marker["run_id"] == folder.name
    assert not (data / ".runforge").exists()


STARTING = """
import os, signal, sys
from runforge_cli.process import interruption
interruption.end_at_once(json=False)
from ml_runner.early_cancel import mark_early_cancellation
mark_early_cancellation(sys.argv[1])
os.kill(os.getpid(), signal.SIGTERM)
"""


@posix
@pytest.mark.parametrize("place", [DIR, "run", ".ml/runs/link", ".ml/runs/gone", ".ml/runs/done"])
def test_a_run_that_is_cancelled_while_its_process_starts_is_marked(
    place: str, workspace: Path
) -> None:
    folder = prepared(workspace)
    (workspace / "run").mkdir()
    (workspace / ".ml/runs/done").mkdir()
    (workspace / ".ml/runs/done/run.json").touch()
    (workspace / ".ml/runs/link").symlink_to(folder)
    before = tree(workspace)
    done = subprocess.run(
        [sys.executable, "-c", STARTING, place], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (5, "")
    progress = heard(done.stderr)
    assert progress.errors == ["error[CANCELLED]: Interrupted."]
    if place != DIR:
        assert list(progress.names()) == []
        assert tree(workspace) == before
        return
    assert list(progress.names()) == ["cancelling", "run_cancelled"]
    marker = editor_rules.cancelled(json.loads((folder / ".cancelled").read_bytes()))
    assert (marker["run_id"], marker["run_dir"]) == (folder.name, DIR)
    assert "SIGTERM" in marker["reason"]


# Inspections


def test_a_dataset_is_inspected_in_seven_fields(data: Path, editor: Call) -> None:
    done = editor("inspect", "--dataset", "data.csv")
    assert (done.code, done.err) == (0, "")
    editor_rules.inspection(done.out).sound()
    assert list(done.json) == sorted(done.json)
    assert len(done.json) == 7
    assert done.out == json.dumps(done.json, indent=2) + "\n"
    assert done.json["dataset_path"] == str((data / "data.csv").resolve())
    assert (done.json["num_rows"], done.json["num_features_excluding_label"]) == (152, 4)
    missing = editor("inspect", "--dataset", "data.csv", "--label", "species")
    assert missing.code == 1
    assert (missing.json["label_present"], missing.json["num_features_excluding_label"]) == (
        False,
        5,
    )
    assert missing.err.splitlines()[0] == "Error: Label column 'species' not found."
    assert missing.err.splitlines()[1].startswith("Available columns: [")
    gone = editor("inspect", "--dataset", "gone.csv")
    assert (gone.code, gone.out) == (3, "")
    assert gone.err.startswith("ERROR: ")


def test_a_model_is_inspected_by_its_place_below_a_folder(data: Path, editor: Call) -> None:
    assert editor(*TRAIN, "--out", DIR).code == 0
    model = str(data / DIR / "artifacts/model.pkl")
    for base, shown in (
        (str(data), f"{DIR}/artifacts/model.pkl"),
        (str(data / ".ml/runs/.."), DIR.removeprefix(".ml/") + "/artifacts/model.pkl"),
        (str(data / "elsewhere"), "model.pkl"),
    ):
        done = editor("inspect-artifact", "--artifact", model, "--base-path", base)
        assert (done.code, done.json["artifact_path"]) == (0, shown)
        editor_rules.model_inspection(done.out).sound()
    assert editor("inspect-artifact", "--artifact", model).json["artifact_path"] == model


def test_the_metadata_of_a_run_is_its_record(data: Path, editor: Call) -> None:
    none = editor("metadata", "--latest")
    assert (none.code, none.out) == (3, "")
    assert editor(*TRAIN, "--out", DIR).code == 0
    record = record_of(data)
    for arguments in (
        ("--latest",),
        ("--run-id", record.name),
        ("--run-id", Path(DIR).name),
        ("--latest", "--runforge-dir", ".runforge"),
        ("--run-id", Path(DIR).name, "--runforge-dir", ".ml"),
        ("--run-id", Path(DIR).name, "--runforge-dir", ".ml/outputs"),
    ):
        done = editor("metadata", *arguments)
        assert (arguments, done.code, done.err.startswith("note")) == (arguments, 0, False)
        assert done.out.encode() == (record / "run.json").read_bytes()
    refused: list[tuple[tuple[str, ...], int]] = [
        ((), 2),
        (("--latest", "--run-id", record.name), 2),
        (("--run-id", "20260101-000000-00000000"), 3),
        (("--latest", "--runforge-dir", "gone"), 3),
    ]
    for wrong, code in refused:
        done = editor("metadata", *wrong)
        assert (wrong, done.code, done.out) == (wrong, code, "")
        assert done.err.startswith("ERROR: ")
    (data / "data.csv").write_text("x,label\n" + "1,a\n" * 10, "utf-8")
    assert editor(*TRAIN, "--out", ".ml/runs/second").code == 1
    assert editor("metadata", "--latest").out.encode() == (record / "run.json").read_bytes()


# The interpreter


@posix
def test_the_interpreter_ignores_the_engine_that_the_extension_ships(
    data: Path, process: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(data / "a place"))
    shipped = data / "shipped/ml_runner"
    shipped.mkdir(parents=True)
    (shipped / "__init__.py").write_text("raise SystemExit('shipped')", "utf-8")
    (data / "json.py").write_text("raise SystemExit('workspace')", "utf-8")
    made = process("runforge_cli", "editor-python", "--json")
    assert made.code == 0, made.err
    script = made.json["path"]
    assert script == str(data / "a place/runforge/runforge-python")
    assert made.json["settings"] == {"runforge.pythonPath": script}
    environment = {**os.environ, "PYTHONPATH": str(shipped.parent), "PYTHONUNBUFFERED": "1"}

    def start(*command: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command, cwd=data, env=environment, capture_output=True, text=True, check=False
        )

    inspect = ("-u", "-m", "ml_runner", "inspect", "--dataset", "data.csv", "--label", "a 'b\" $c")
    assert start(sys.executable, *inspect).stderr == "shipped\n"
    done = start(script, *inspect)
    assert done.returncode == 1, done.stderr
    assert json.loads(done.stdout)["label_column"] == "a 'b\" $c"
    folder = prepared(data)
    trained = start(script, "-u", "-m", "ml_runner", *TRAIN, "--out", str(folder))
    assert trained.returncode == 0, trained.stderr
    assert (folder / "run.json").is_file()
    version = start(script, "-c", "import sys; print(sys.version_info[:2])")
    assert version.stdout == f"{tuple(sys.version_info[:2])}\n"


def test_the_interpreter_is_written_once_and_replaces_no_other_file(
    workspace: Path, runforge: Call
) -> None:
    first = runforge("editor-python", "--out", "tools", "--json")
    assert (first.code, first.json["written"]) == (0, True)
    script = Path(first.json["path"])
    before = (script.read_bytes(), script.stat().st_mtime_ns)
    assert runforge("editor-python", "--out", "tools", "--json").json["written"] is False
    assert (script.read_bytes(), script.stat().st_mtime_ns) == before
    script.write_bytes(before[0].replace(b"exec ", b"exec /old/"))
    assert runforge("editor-python", "--out", "tools", "--json").json["written"] is True
    assert script.read_bytes() == before[0]
    assert [path.name for path in script.parent.iterdir()] == [script.name]
    shown = runforge("editor-python", "--out", "tools").out
    assert f'  "runforge.pythonPath": {json.dumps(str(script))}\n' in shown
    script.write_text("#!/bin/sh\necho mine\n", "utf-8")
    refused = runforge("editor-python", "--out", "tools", "--json")
    assert (refused.code, refused.json["error"]["code"]) == (2, "FILE_UNSAFE")
    assert script.read_text("utf-8") == "#!/bin/sh\necho mine\n"


@posix
def test_the_interpreter_is_not_written_through_a_link(workspace: Path, runforge: Call) -> None:
    (workspace / "tools").mkdir()
    (workspace / "tools/runforge-python").symlink_to(workspace / "target")
    refused = runforge("editor-python", "--out", "tools", "--json")
    assert (refused.code, refused.json["error"]["code"]) == (2, "FILE_UNSAFE")
    assert not (workspace / "target").exists()


def test_the_script_of_each_system_quotes_the_path_of_the_interpreter() -> None:
    from runforge_cli.shell.interpreter_wrapper import wrapper_folder, wrapper_text

    script = wrapper_text("/a b/it's/$python", windows=False).decode()
    assert script.startswith("#!/bin/sh\n# Written by")
    assert script.endswith("exec '/a b/it'\"'\"'s/$python' \"$@\"\n")
    assert "unset PYTHONPATH\nPYTHONSAFEPATH=1\nexport PYTHONSAFEPATH\n" in script
    windows = wrapper_text(r"C:\100% new\python.exe", windows=True)
    assert windows.count(b"\n") == windows.count(b"\r\n")
    assert b'set "PYTHONPATH="\r\nset "PYTHONSAFEPATH=1"\r\n' in windows
    assert windows.endswith(b'"C:\\100%% new\\python.exe" %*\r\nexit /b %ERRORLEVEL%\r\n')
    assert b"chcp" not in windows
    other = wrapper_text("C:\\Größe\\python.exe", windows=True)
    assert other.index(b"chcp 65001") < other.index("Größe".encode())
    assert wrapper_folder({"LOCALAPPDATA": "/local"}, windows=True) == Path("/local/runforge")
    assert wrapper_folder({"XDG_DATA_HOME": "/data"}, windows=False) == Path("/data/runforge")
    for environment in ({}, {"XDG_DATA_HOME": "relative"}):
        folder = wrapper_folder(environment, windows=False)
        assert folder == Path.home() / ".local/share/runforge"
