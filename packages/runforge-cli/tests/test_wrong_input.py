"""Wrong input: a clear error with its code, exit code and place, and nothing half-written."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import pytest
from calls import TRAIN, Call

GOOD = {
    "version": 1,
    "preset": "fast",
    "dataset": {"path": "d.csv", "label_column": "y"},
    "model": {"family": "linear_svc"},
    "device": {"type": "cpu"},
    "created_at": "2026-02-01T12:00:00Z",
    "created_by": "tests@1",
}

#: Parts that are short, of a path that is too long for any system.
LONG = "folder/" * 9999


def without(key: str) -> dict[str, Any]:
    return {name: value for name, value in GOOD.items() if name != key}


#: Data that gets a run folder: the failure is part of the record.
DATA: dict[str, tuple[bytes, str, str]] = {
    "text in a feature": (b"a,y\nx,0\n1,0\n2,1\n3,1\n", "FEATURE_NOT_NUMERIC", "`x`"),
    "empty file": (b"", "DATASET_EMPTY", "empty"),
    "header only": (b"a,y\n", "ZERO_ROWS", "no rows"),
    "one class": (b"a,y\n1,0\n2,0\n", "TOO_FEW_CLASSES", "`0`"),
    "a class with one row": (b"a,y\n1,0\n2,0\n3,1\n", "CLASS_TOO_SMALL", "`1`"),
    "semicolons": (b"a;y\n1;0\n", "DATASET_DELIMITER_UNSUPPORTED", "semicolons"),
    "latin-1": ("a,y\n1,é\n".encode("latin-1"), "DATASET_ENCODING_INVALID", "UTF-8"),
    "ragged row": (b"a,y\n1,0\n2\n", "DATASET_ROW_RAGGED", "Row 2"),
    "duplicate column": (b"a,a,y\n1,2,0\n", "COLUMN_DUPLICATE", "`a`"),
    "infinity": (b"a,y\ninf,0\n1,0\n2,1\n3,1\n", "FEATURE_NOT_FINITE", "row 1"),
    "too few rows to split": (
        b"a,y\n" + b"".join(b"%d,%d\n" % (i, i // 2) for i in range(10)),
        "SPLIT_IMPOSSIBLE",
        "10 rows",
    ),
}


@pytest.mark.parametrize(("data", "code", "named"), DATA.values(), ids=DATA)
def test_bad_data_fails_the_run_and_is_recorded(
    data: bytes, code: str, named: str, runforge: Call, workspace: Path
) -> None:
    (workspace / "d.csv").write_bytes(data)
    result = runforge("train", "d.csv", "--label", "y")
    assert result.code == 1
    assert f"error[{code}]" in result.err
    assert named in result.err
    assert "Traceback" not in result.err
    [folder] = (workspace / ".runforge/runs").iterdir()
    recorded = json.loads((folder / "result.json").read_text("utf-8"))
    assert (recorded["status"], recorded["error"]["code"]) == ("failed", code)
    diagnostics = json.loads((folder / "diagnostics.json").read_text("utf-8"))["diagnostics"]
    assert code in {item["code"] for item in diagnostics}
    assert {path.name for path in folder.iterdir()} == {
        "request.json",
        "result.json",
        "diagnostics.json",
        "provenance.intoto.json",
        "manifest.json",
        "logs",
    }
    [entry] = runforge("runs", "--json").json["runs"]
    assert (entry["run_id"], entry["status"]) == (folder.name, "failed")
    shown = runforge("show")
    assert (shown.code, code in shown.out) == (0, True)
    as_json = runforge("train", "d.csv", "--label", "y", "--json")
    assert (as_json.code, as_json.json["status"]) == (1, "failed")


#: Calls that are refused before anything is written.
CALLS: dict[str, tuple[tuple[str, ...], int, str, str]] = {
    "no such file": (("train", "no.csv", "--label", "y"), 3, "DATASET_NOT_FOUND", "no.csv"),
    "no data": (("train", "--label", "y"), 2, "USAGE_INVALID", "DATA"),
    "no label": (("train", "penguins.csv"), 2, "USAGE_INVALID", "--label"),
    "unknown hyperparameter": (
        (*TRAIN, "--param", "max_itr=5"),
        2,
        "HYPERPARAMETER_UNKNOWN",
        "Did you mean `max_iter`?",
    ),
    "unknown label": (
        ("train", "penguins.csv", "--label", "Species"),
        2,
        "LABEL_NOT_FOUND",
        "Did you mean `species`?",
    ),
    "unknown column": ((*TRAIN, "--exclude", "zzz"), 2, "COLUMN_NOT_FOUND", "`zzz`"),
    "several columns in one": (
        ("train", "penguins.csv", "--label", "species", "--exclude", "island,sex"),
        2,
        "COLUMN_NOT_FOUND",
        "Repeat --exclude, with each column by itself: --exclude island --exclude sex",
    ),
    "unknown column of a sweep": (
        ("sweep", "penguins.csv", "--label", "species", "--exclude", "zzz", "--grid", "C=1,2"),
        6,
        "PLAN_INVALID",
        "`zzz`",
    ),
    "the label is excluded": ((*TRAIN, "--exclude", "species"), 2, "COLUMN_NOT_FOUND", "label"),
    "negative C": ((*TRAIN, "--param", "C=-1"), 2, "HYPERPARAMETER_INVALID", "from 1e-100"),
    "not a parameter": ((*TRAIN, "--param", "C"), 2, "USAGE_INVALID", "NAME=VALUE"),
    "unknown preset": ((*TRAIN, "--preset", "balance"), 2, "PRESET_UNKNOWN", "`balanced`"),
    "unknown profile": ((*TRAIN, "--profile", "fats"), 2, "PROFILE_UNKNOWN", "`fast`"),
    "unknown model": ((*TRAIN, "--model", "svm"), 2, "MODEL_FAMILY_UNKNOWN", "`linear_svc`"),
    "profile of another family": (
        (*TRAIN, "--profile", "thorough", "--model", "linear_svc"),
        2,
        "PROFILE_FAMILY_MISMATCH",
        "`random_forest`",
    ),
    "a parameter twice": (
        (*TRAIN, "--param", "C=0.1", "--param", "C=0.2"),
        2,
        "USAGE_INVALID",
        "`0.1` and `0.2`",
    ),
    "a label twice": (
        (*TRAIN, "--label", "sex"),
        2,
        "USAGE_INVALID",
        "`--label` may be given only once",
    ),
    "a seed twice": (
        (*TRAIN, "--seed", "1", "--seed", "2"),
        2,
        "USAGE_INVALID",
        "`--seed` may be given only once",
    ),
    "a workspace before the command and after it": (
        ("--workspace", ".", *TRAIN, "--workspace", ".."),
        2,
        "USAGE_INVALID",
        "`--workspace` may be given only once",
    ),
    "a store before two commands": (
        ("--store", ".ml", "experiment", "--store", ".ml", "check"),
        2,
        "USAGE_INVALID",
        "`--store` may be given only once",
    ),
    "a workspace twice": (
        ("--workspace", ".", "--workspace", "..", *TRAIN),
        2,
        "USAGE_INVALID",
        "`--workspace` may be given only once",
    ),
    "an output twice": (
        ("predict", "latest", "penguins.csv", "-o", "a", "--output=b"),
        2,
        "USAGE_INVALID",
        "`--output` may be given only once",
    ),
    "unknown command": (("trian",), 2, "USAGE_INVALID", "`train`"),
    "unknown option": (("train", "--modle", "x"), 2, "USAGE_INVALID", "--model"),
    "a store that is a path": ((*TRAIN, "--store", "../x"), 2, "USAGE_INVALID", "../x"),
    "a workspace that is not there": ((*TRAIN, "--workspace", "no"), 3, "FILE_NOT_FOUND", "no"),
    "seed out of range": ((*TRAIN, "--seed", "-1"), 2, "USAGE_INVALID", "--seed"),
    "run without a request": (("run",), 2, "USAGE_INVALID", "--run-dir"),
    "absent request": (("run", "no.json"), 3, "FILE_NOT_FOUND", "no.json"),
    "folder that is no run": (("run", "--run-dir", "."), 2, "RUN_ID_INVALID", "run id"),
}


def test_all_mistakes_in_hyperparameters_are_reported_together(runforge: Call) -> None:
    result = runforge(*TRAIN, "--param", "C=-1", "--param", "max_itr=1", "--json")
    error = result.json["error"]
    assert (result.code, error["code"]) == (2, "HYPERPARAMETER_UNKNOWN")
    assert [problem["pointer"] for problem in error["problems"]] == [
        "/model/hyperparameters/C",
        "/model/hyperparameters/max_itr",
    ]


@pytest.mark.parametrize(("call", "exit_code", "code", "named"), CALLS.values(), ids=CALLS)
def test_wrong_calls_leave_nothing_behind(
    call: tuple[str, ...], exit_code: int, code: str, named: str, runforge: Call, workspace: Path
) -> None:
    result = runforge(*call)
    assert (result.code, result.out) == (exit_code, "")
    assert f"error[{code}" in result.err
    assert named in result.err
    assert "hint: " in result.err
    assert list(workspace.iterdir()) == [workspace / "penguins.csv"]
    error = runforge(*call, "--json").json["error"]
    assert error["code"].startswith(code)


REQUESTS: dict[str, tuple[bytes, int, str, str]] = {
    "not JSON": (b'{"version": 1,', 2, "JSON_INVALID", "line 1"),
    "not UTF-8": (b'{"a": "\xe9"}', 2, "JSON_ENCODING_INVALID", "UTF-8"),
    "duplicate key": (b'{"version": 1, "version": 1}', 2, "JSON_DUPLICATE_KEY", "`version`"),
    "NaN": (b'{"version": NaN}', 2, "JSON_NUMBER_INVALID", "`NaN`"),
    "version 2": (
        json.dumps({**GOOD, "version": 2}).encode(),
        2,
        "DOCUMENT_VERSION_UNSUPPORTED",
        "/version",
    ),
    "no preset": (json.dumps(without("preset")).encode(), 2, "DOCUMENT_INVALID", "/preset"),
    "no version": (json.dumps(without("version")).encode(), 2, "DOCUMENT_INVALID", "/version"),
    "climbing path": (
        json.dumps({**GOOD, "dataset": {"path": "a/../../d.csv", "label_column": "y"}}).encode(),
        2,
        "PATH_OUTSIDE_ROOT",
        "/dataset/path",
    ),
    "unknown hyperparameter": (
        json.dumps(
            {**GOOD, "model": {"family": "linear_svc", "hyperparameters": {"c": 1}}}
        ).encode(),
        2,
        "HYPERPARAMETER_UNKNOWN",
        "/model/hyperparameters/c",
    ),
    "bool for a number": (
        json.dumps(
            {**GOOD, "model": {"family": "linear_svc", "hyperparameters": {"C": True}}}
        ).encode(),
        2,
        "HYPERPARAMETER_INVALID",
        "/model/hyperparameters/C",
    ),
    "unknown label": (
        json.dumps({**GOOD, "dataset": {"path": "penguins.csv", "label_column": "y"}}).encode(),
        2,
        "LABEL_NOT_FOUND",
        "`y`",
    ),
    "absent dataset": (json.dumps(GOOD).encode(), 3, "DATASET_NOT_FOUND", "d.csv"),
    "a list": (b"[]", 2, "DOCUMENT_INVALID", "not an object"),
}


@pytest.mark.parametrize(("text", "exit_code", "code", "named"), REQUESTS.values(), ids=REQUESTS)
def test_bad_requests_are_refused_before_a_run_exists(
    text: bytes, exit_code: int, code: str, named: str, runforge: Call, workspace: Path
) -> None:
    (workspace / "request.json").write_bytes(text)
    result = runforge("run", "request.json")
    assert result.code == exit_code
    assert f"error[{code}]" in result.err
    assert named in result.err
    assert not (workspace / ".runforge").exists()


def test_a_store_that_cannot_be_written_is_named(runforge: Call, workspace: Path) -> None:
    (workspace / ".runforge").write_text("a file where the store should be")
    result = runforge(*TRAIN)
    assert (result.code, "error[STORE_NOT_WRITABLE]" in result.err) == (1, True)
    assert (workspace / ".runforge").read_text() == "a file where the store should be"


#: The superuser may write anywhere, so the command then becomes another user. What it imports may
#: lie where that one may not read: so all of it is imported before, by a run and by a refusal.
AS_OTHER_USER = """
import contextlib, io, os, sys
from runforge_cli.__main__ import guard, main
from runforge_cli.shell.app import cli
there, *arguments = sys.argv[1:]
call = lambda: cli.main(arguments, standalone_mode=False)
if os.geteuid() == 0:
    with contextlib.redirect_stderr(open(os.devnull, "w")):
        guard(call, json=False)
        os.rename(".runforge", "store")
        open(".runforge", "w").close()
        guard(call, json=False)
    os.setgid(65534)
    os.setuid(65534)
os.chdir(there)
sys.argv = ["runforge", *arguments]
main()
"""


def test_a_read_only_workspace_is_named(workspace: Path) -> None:
    folder = Path(tempfile.mkdtemp(prefix="runforge-read-only-"))
    try:
        shutil.copyfile(workspace / "penguins.csv", folder / "penguins.csv")
        (folder / "penguins.csv").chmod(0o444)
        folder.chmod(0o555)
        done = subprocess.run(
            [sys.executable, "-B", "-c", AS_OTHER_USER, str(folder), *TRAIN],
            capture_output=True,
            text=True,
            cwd=workspace,
            check=False,
        )
        assert done.returncode == 1, done.stderr
        assert "error[STORE_NOT_WRITABLE]" in done.stderr
        assert [path.name for path in folder.iterdir()] == ["penguins.csv"]
    finally:
        folder.chmod(0o755)
        shutil.rmtree(folder)


def test_a_store_that_is_a_link_is_not_written_through(
    runforge: Call, workspace: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    (workspace / ".runforge").symlink_to(elsewhere)
    result = runforge(*TRAIN)
    assert (result.code, "error[FILE_UNSAFE]" in result.err) == (2, True)
    assert list(elsewhere.iterdir()) == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["SIGINT", "SIGTERM"])
@pytest.mark.parametrize("model", ["linear_svc", "random_forest"])
def test_a_signal_ends_a_fit_and_is_recorded(
    number: signal.Signals, model: str, workspace: Path
) -> None:
    import numpy as np

    # More columns than rows, but of rank three, and labels by chance: liblinear goes on for
    # minutes, in native code.
    random = np.random.default_rng(0)
    table = random.normal(size=(300, 3)) @ random.normal(size=(3, 301))
    labels = random.integers(0, 2, size=300)
    with (workspace / "noise.csv").open("w") as file:
        file.write(",".join([*(f"f{i}" for i in range(301)), "y"]) + "\n")
        for row, label in zip(table.tolist(), labels.tolist(), strict=True):
            file.write(",".join(map(str, row)) + f",{label}\n")
    parameter = "max_iter=10000000" if model == "linear_svc" else "n_estimators=100000"
    command = [sys.executable, "-m", "runforge_cli", "train", "noise.csv", "--label", "y"]
    environment = {key: value for key, value in os.environ.items() if key != "SOURCE_DATE_EPOCH"}
    with subprocess.Popen(
        [*command, "--model", model, "--param", parameter, "--param", "C=1e6"][
            : None if model == "linear_svc" else -2
        ],
        stderr=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=environment,
    ) as process:
        assert process.stderr is not None
        for line in process.stderr:
            if line.startswith("Training"):
                break
        time.sleep(0.5)  # to be in native code, which would go on for minutes
        process.send_signal(number)
        _, err = process.communicate(timeout=60)
    assert process.returncode == 5, err
    assert f"error[CANCELLED]: The run was cancelled by {number.name}." in err
    [folder] = (workspace / ".runforge/runs").iterdir()
    result = json.loads((folder / "result.json").read_text("utf-8"))
    assert (result["status"], result["error"]["code"]) == ("cancelled", "CANCELLED")
    events = (folder / "logs/events.jsonl").read_text("utf-8").splitlines()
    assert json.loads(events[-1])["event"] == "run_cancelled"
    assert json.loads(events[-1])["step"] == "training"
    assert (folder / "manifest.json").is_file()


def test_light_commands_load_no_numeric_library(workspace: Path) -> None:
    shutil.rmtree(workspace / ".runforge", ignore_errors=True)
    program = (
        "import sys\n"
        "from runforge_cli.shell.app import cli\n"
        "for call in (['--help'], ['runs'], ['schema', 'list'], ['train', '--help']):\n"
        "    try:\n"
        "        cli.main(call, standalone_mode=False)\n"
        "    except SystemExit:\n"
        "        pass\n"
        "heavy = {'numpy', 'sklearn', 'pandas', 'pyarrow', 'scipy', 'joblib'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True, stdout=subprocess.DEVNULL)


def test_the_editor_entry_point_trains_and_inspects(process: Call, workspace: Path) -> None:
    text = (workspace / "penguins.csv").read_text().replace("species", "label", 1)
    (workspace / "penguins.csv").write_text(text)
    environment = {"RUNFORGE_DATASET": "numbers.csv"}
    import csv

    with (workspace / "penguins.csv").open() as file, (workspace / "numbers.csv").open("w") as out:
        writer = csv.writer(out)
        for row in csv.reader(file):
            writer.writerow([row[0], *row[2:6]])
    trained = process(
        "ml_runner",
        *("train", "--preset", "std-train", "--out", "a/run", "--device", "cuda", "--json"),
        *("--model", "random_forest", "--profile", "thorough", "--name", "from an editor"),
        environment=environment,
    )
    assert trained.code == 0, trained.err
    events = [json.loads(line)["event"] for line in trained.err.splitlines()]
    assert (events[0], events[-1]) == ("run_start", "artifacts_written")
    run = json.loads((workspace / "a/run/run.json").read_text("utf-8"))
    assert run["run_id"] == trained.json["run_id"]
    assert run["device"]["type"] == "cpu"
    assert run["profile_name"] == "thorough"
    [entry] = json.loads((workspace / ".runforge/index.json").read_text("utf-8"))["runs"]
    assert (entry["run_dir"], entry["name"]) == (trained.json["run_dir"], "from an editor")
    assert trained.json["run_dir"] == f".runforge/runs/{run['run_id']}"
    again = process(
        "ml_runner", "train", "--preset", "hq-train", "--out", "a/run", environment=environment
    )
    assert (again.code, again.out) == (2, "")
    assert again.err.startswith("ERROR: ")
    assert again.err.splitlines()[0].endswith("[RUN_ALREADY_COMPLETE]")
    report = process("ml_runner", "inspect", "--dataset", "numbers.csv", "--json")
    assert (report.code, report.json["trainable"]) == (0, True)
    missing = process("ml_runner", "train", "--preset", "std-train", "--out", "b", "--json")
    assert (missing.code, missing.json["error"]["code"]) == (2, "USAGE_INVALID")


def test_an_editor_that_names_a_profile_gets_its_family_and_is_reported(
    process: Call, workspace: Path
) -> None:
    rows = "".join(f"{row},{row % 2}\n" for row in range(20))
    (workspace / "d.csv").write_text("a,label\n" + rows)
    trained = process(
        "ml_runner",
        *("train", "--preset", "std-train", "--out", "run", "--model", "logistic_regression"),
        *("--profile", "thorough", "--param", "n_estimators=2"),
        environment={"RUNFORGE_DATASET": "d.csv"},
    )
    assert trained.code == 0, trained.err
    run = json.loads((workspace / "run/run.json").read_text("utf-8"))
    assert (run["model_family"], run["profile_name"]) == ("random_forest", "thorough")
    [folder] = {path.parent for path in workspace.rglob("diagnostics.json")}
    reported = json.loads((folder / "diagnostics.json").read_text("utf-8"))["diagnostics"]
    assert "FAMILY_FROM_PROFILE" in {item["code"] for item in reported}


def test_a_prepared_folder_gets_a_result_whatever_is_wrong(runforge: Call, workspace: Path) -> None:
    folder = workspace / ".runforge/runs/20260201-130000-0000abcd"
    folder.mkdir(parents=True)
    (folder / "request.json").write_text(json.dumps(GOOD))
    result = runforge("run", "--run-dir", str(folder), "--json")
    assert (result.code, result.json["status"]) == (3, "failed")
    recorded = json.loads((folder / "result.json").read_text("utf-8"))
    assert recorded == result.json["result"]
    assert recorded["error"]["code"] == "DATASET_NOT_FOUND"
    [entry] = runforge("runs", "--json").json["runs"]
    assert (entry["run_id"], entry["status"]) == (folder.name, "failed")


def test_a_prepared_folder_with_an_invalid_request_is_left_alone(
    runforge: Call, workspace: Path
) -> None:
    folder = workspace / ".runforge/runs/20260201-130000-0000abcd"
    folder.mkdir(parents=True)
    (folder / "request.json").write_text(json.dumps(without("preset")))
    assert runforge("run", "--run-dir", str(folder)).code == 2
    assert [path.name for path in folder.iterdir()] == ["request.json"]


def test_a_run_outlives_the_reader_of_its_progress(workspace: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "runforge_cli", *TRAIN, "--json", "--verbose"],
        stderr=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as process:
        assert process.stderr is not None
        process.stderr.close()
        assert process.stdout is not None
        assert json.loads(process.stdout.read())["status"] == "succeeded"


@pytest.mark.parametrize(
    "call",
    [
        ("show", LONG),
        ("runs", "--workspace", LONG),
        ("experiment", "run", "--experiment", LONG),
        ("experiment", "check", LONG),
        *(
            ("experiment", "run", "--experiment", "e.yaml", "--dry-run", "--set", setting)
            for setting in (f"dataset={LONG}", f"model={LONG}", f"run.script={LONG}")
        ),
    ],
    ids=lambda call: " ".join(call).replace(LONG, "LONG"),
)
def test_a_path_that_no_system_has_is_missed(
    call: tuple[str, ...], runforge: Call, workspace: Path
) -> None:
    (workspace / "s.py").touch()
    document = {"experiment": "a", "model": "m", "dataset": "d", "run": {"script": "s.py"}}
    (workspace / "e.yaml").write_text(json.dumps(document))
    result = runforge(*call, "--json")
    assert (result.code, result.json["error"]["code"]) == (3, "FILE_NOT_FOUND")


@pytest.mark.skipif(sys.platform == "win32", reason="there, folders in use stay")
@pytest.mark.parametrize("call", ["runs", "experiment check", "experiment init"])
def test_a_current_folder_that_is_gone_is_reported(call: str, workspace: Path) -> None:
    program = f'mkdir gone; cd gone; rmdir ../gone; exec "$0" -m runforge_cli {call}'
    done = subprocess.run(
        ["sh", "-c", program, sys.executable], capture_output=True, text=True, check=False
    )
    assert done.returncode == 3
    assert done.stderr.startswith("error[FILE_NOT_FOUND]: The current folder no longer exists")


@pytest.mark.skipif(sys.platform == "win32", reason="it takes a shell")
def test_a_command_needs_no_standard_streams(workspace: Path) -> None:
    document = {
        "experiment": "a",
        "model": "m",
        "dataset": "d",
        "run": {"command": ["sh", "-c", "cat; echo out; echo err >&2"]},
    }
    (workspace / "e.yaml").write_text(json.dumps(document))
    program = 'exec "$0" -m runforge_cli experiment run --experiment e.yaml <&- >&- 2>&-'
    subprocess.run(["sh", "-c", program, sys.executable], check=True)
    (run,) = (workspace / "runs").iterdir()
    assert (run / "logs.txt").read_text() == "out\nerr\n"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no such device")
@pytest.mark.parametrize("call", [["schema", "list"], ["schema", "list", "--json"]])
def test_a_full_disk_behind_the_output_is_no_fault_of_ours(
    call: list[str], workspace: Path
) -> None:
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            [sys.executable, "-m", "runforge_cli", *call],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert done.returncode == 1
    assert done.stderr == "error: The output cannot be written: No space left on device.\n"
