"""``runforge import mlflow`` on stores that were written by hand, sound and hostile ones.

Stores that MLflow itself has written are in ``test_export_mlflow.py``.
"""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from calls import Call
from real_store import start
from runforge_contracts.codec.strict_yaml import load_yaml
from runforge_contracts.fs.files import digest_file
from runforge_contracts.run_ids import ExperimentRunId
from runforge_contracts.validation import validate
from runforge_engine.experiment.record import metric_log
from runforge_engine.importing import import_runs
from tracking_stores import START, Run, put, write_database, write_files

ONE, TWO = "83af8e5234584a6491ce1ea182f3ad2c", "601b6d8866d64eebaf955e9a9200b2ae"
FULL = Run(
    ONE,
    params={"C": "0.5", "depth": "05", "on": "True", "a/b": "x", "big": "1e400"},
    tags={
        "mlflow.user": "ada",
        "mlflow.note.content": "two\nlines",
        "mlflow.source.git.commit": "a1b2c3d4" * 5,
        "mlflow.source.git.repoURL": "https://ada:secret@example.org/penguins.git",
        "mlflow.parentRunId": TWO,
        "team": "blue",
        "tag.first": "true",
    },
    metrics={
        # Of one step the last value in time is the final one, as in MLflow.
        "loss": [(3, 2, 0.25), (1, 1, 1.0), (5, 2, 0.125), (2, 2, 0.75)],
        "val/acc": [(1, 0, 0.5)],
        "odd": [(1, 0, float("nan")), (1, 1, float("inf"))],
    },
    files={"plots/loss.png": b"\x89PNG", "a.txt": b"a"},
    models={"model": {"MLmodel": b"flavors: {}\n"}},
    dataset="pen",
)
HISTORY = '[{"run_id": "e", "artifact_path": "forest", "flavors": {}}]'
WRITERS: dict[str, Callable[[Path, list[Run]], Path]] = {
    "files": write_files,
    "database": write_database,
}


@pytest.fixture(params=WRITERS)
def write(request: pytest.FixtureRequest) -> Callable[[Path, list[Run]], Path]:
    """Return what writes a tracking store of one of both kinds."""
    return WRITERS[request.param]


@pytest.fixture
def ml(workspace: Path) -> Path:
    """Return a folder for a tracking store, in the workspace."""
    folder = workspace / "ml"
    folder.mkdir()
    return folder


def imported(runforge: Call, *arguments: object, code: int = 0) -> Any:
    """Return the report of an import, which is valid."""
    done = runforge("import", "mlflow", *map(str, arguments), "--json")
    assert done.code == code, done.err
    if code:
        return done.json["error"]
    validate(done.json, "import_report.v1")
    return done.json


def outcomes(report: Any) -> list[str]:
    return [item["outcome"] for item in report["items"]]


def left_out(report: Any, number: int = 0) -> dict[str, int]:
    items = report["items"][number].get("left_out", [])
    return {item["message"]: item["count"] for item in items}


def contents(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and not path.is_symlink()
    }


def test_a_run_keeps_everything(
    write: Callable[[Path, list[Run]], Path], runforge: Call, workspace: Path, ml: Path
) -> None:
    source = write(ml, [FULL])
    before = contents(ml)
    planned = imported(runforge, source, "--dry-run")
    assert (planned["dry_run"], outcomes(planned)) == (True, ["added"])
    assert not (workspace / "runs").exists()
    report = imported(runforge, ml)
    [item] = report["items"]
    assert item == {**planned["items"][0], "run_id": item["run_id"], "path": item["path"]}
    assert item["path"] == "runs/run-2026-01-15-001"
    assert report["left_out"] == [{"what": "metrics", "count": 2, "runs": 1}]
    folder = workspace / item["path"]
    config = load_yaml(folder / "config.yaml")
    assert config["parameters"] == {
        "C": 0.5,
        "depth": "05",
        "on": True,
        "a/b": "x",
        "big": "1e400",
    }
    expected = {
        "experiment": "penguins",
        "model": "model",
        "dataset": "pen",
        "notes": "two\nlines",
        "started_at": "2026-01-15T12:00:00.250Z",
        "finished_at": "2026-01-15T12:00:01.750Z",
        "duration_ms": 1500,
        "status": "succeeded",
        "code": {"repo": "https://example.org/penguins.git", "commit": "a1b2c3d4" * 5},
    }
    assert {name: config[name] for name in expected} == expected
    assert sorted(config["tags"]) == ["first", "team=blue"]
    origin = config["imported_from"]
    assert (origin["tool"], origin["run_id"], origin["name"]) == ("mlflow", ONE, "first")
    assert (origin["user"], origin["parent_run_id"]) == ("ada", TWO)
    assert origin["tags"] == FULL.tags
    assert origin["datasets"] == [
        {"name": "pen", "digest": "2981c147", "source": "{}", "context": "training"}
    ]
    assert origin["left_out"] == item["left_out"]
    metrics = json.loads((folder / "metrics.json").read_text("utf-8"))
    assert metrics["summary"] == {"loss": 0.125, "val/acc": 0.5}
    assert [tuple(point.values()) for point in metrics["history"]["loss"]] == [
        (1, 1.0),
        (2, 0.75),
        (2, 0.25),
        (2, 0.125),
    ]
    assert contents(folder / "artifacts") == {
        "plots/loss.png": b"\x89PNG",
        "a.txt": b"a",
        "model/MLmodel": b"flavors: {}\n",
    }
    assert runforge("verify", "--all").code == 0
    assert runforge("experiment", "check").code == 0
    assert contents(ml) == before
    bytes_before = contents(workspace / "runs")
    again = imported(runforge, ml)
    assert (again["outcome"], outcomes(again)) == ("present", ["present"])
    assert again["items"][0]["path"] == item["path"]
    assert contents(workspace / "runs") == bytes_before


def test_an_imported_run_is_shown_like_any_other(runforge: Call, workspace: Path, ml: Path) -> None:
    write_files(ml, [FULL])
    imported(runforge, "ml/mlruns")
    [entry] = runforge("runs", "--json").json["experiments"]
    assert (entry["name"], entry["summary"]["duration_ms"]) == ("penguins", 1500)
    shown = runforge("show", "latest").out
    for text in ("run there  first (83af8e5234584a", "user       ada", "NaN and infinite"):
        assert text in shown
    assert "repeat it" not in shown
    assert runforge("trace", "latest").code == 0
    assert runforge("report", "latest", "-o", "report.html").code == 0
    page = (workspace / "report.html").read_text("utf-8")
    assert all(text in page for text in ("Imported from", "team"))
    assert "How to repeat" not in page
    found = runforge("diagnostics", "latest", "--json").json["diagnostics"]
    assert "NaN and infinite" in found[1]["message"]
    refused = runforge("experiment", "run", "runs/run-2026-01-15-001/config.yaml", "--json")
    assert refused.json["error"]["code"] == "EXPERIMENT_INVALID"


def test_each_run_that_has_ended_is_imported_once_and_in_the_order_of_time(
    write: Callable[[Path, list[Run]], Path], runforge: Call, workspace: Path, ml: Path
) -> None:
    runs = [
        Run("c" * 32, status="FAILED", start=START + 2),
        Run("b" * 32, status="KILLED", start=START + 1),
        Run("a" * 32, status="RUNNING", start=START + 3, end=None),
        Run("d" * 32, stage="deleted", start=START + 4),
        Run("e" * 32, start=None, end=None, tags={"mlflow.log-model.history": HISTORY}),
    ]
    source = write(ml, runs)
    report = imported(runforge, source)
    assert outcomes(report) == ["added", "added", "added", "unfinished", "deleted"]
    assert [item.get("run_id") for item in report["items"]] == [
        "run-2026-02-01-001",  # the day of the import
        "run-2026-01-15-001",
        "run-2026-01-15-002",
        None,
        None,
    ]
    for number, status in (("001", "cancelled"), ("002", "failed")):
        config = load_yaml(workspace / f"runs/run-2026-01-15-{number}/config.yaml")
        assert config["status"] == status
        assert "no reason" in config["failure"]["message"]
    config = load_yaml(workspace / "runs/run-2026-02-01-001/config.yaml")
    assert config["model"] == "forest"  # where MLflow 2 has it
    assert runforge("verify", "--all").code == 0
    assert runforge("import", "mlflow", "ml").out.count("runs/run-") == 0


def test_a_run_that_changed_in_mlflow_is_reported_and_stays(
    runforge: Call, workspace: Path, ml: Path
) -> None:
    own = write_files(ml, [FULL]) / "7" / ONE
    imported(runforge, ml)
    before = contents(workspace / "runs")
    changes = {"record": "tags/team", "values": "metrics/loss", "artifacts": "artifacts/new"}
    for number, place in enumerate(changes.values(), 1):
        put(own / place, b"9 9.5 9\n")
        [item] = imported(runforge, ml)["items"]
        assert item["outcome"] == "changed"
        assert item["differences"] == list(changes)[:number]
    done = runforge("import", "mlflow", "ml")
    assert "the run here stays as it is" in " ".join(done.err.split())
    assert contents(workspace / "runs") == before


def test_only_the_named_experiments_are_imported(runforge: Call, ml: Path) -> None:
    write_files(ml, [Run(ONE)])
    write_files(ml, [Run(TWO)], ("8", "iris"))
    for named in ("iris", "8"):
        report = imported(runforge, ml, "--experiment", named, "--dry-run")
        assert [item["source_id"] for item in report["items"]] == [TWO]
    error = imported(runforge, ml, "--experiment", "Iris", code=2)
    assert (error["code"], "`iris`" in error["hint"]) == ("USAGE_INVALID", True)


def test_runs_that_were_removed_or_exported_here_do_not_come_back(
    runforge: Call, workspace: Path, ml: Path
) -> None:
    write_files(ml, [FULL])
    run_id = imported(runforge, ml)["items"][0]["run_id"]
    assert runforge("store", "forget", run_id, "--because", "wrong", "--yes").code == 0
    assert outcomes(imported(runforge, ml)) == ["removed"]
    write_files(ml, [Run(TWO, tags={"runforge.identity": "../ml"})], ("8", "iris"))
    report = imported(runforge, ml, "--experiment", "iris")
    # The number of the run that was removed is not given to another one.
    assert report["items"][0]["run_id"] == "run-2026-01-15-002"
    digest = digest_file(workspace / "runs/run-2026-01-15-002/config.yaml").sha256
    for letter, sha256, outcome in (("e", "0" * 64, "added"), ("f", digest, "present")):
        tags = {"runforge.identity": f"run-2026-01-15-002 {sha256}"}
        write_files(ml, [Run(letter * 32, tags=tags)], (letter, letter))
        assert outcomes(imported(runforge, ml, "--experiment", letter)) == [outcome]
    assert runforge("verify", "--all").code == 0


def test_artifacts_are_read_below_named_folders_only(
    write: Callable[[Path, list[Run]], Path],
    runforge: Call,
    workspace: Path,
    ml: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    secret = tmp_path_factory.mktemp("home")
    put(secret / "id_rsa", b"secret")
    # On another disk the folder of the store has another path than the store says.
    moved = Run(TWO, artifact_uri="file:///gone/7/artifacts", files={"a.txt": b"a"})
    runs = [
        Run(ONE, start=START - 1, artifact_uri=secret.as_uri()),
        moved,
        Run("a" * 32, start=START + 1, artifact_uri="s3://key:word@bucket/7"),
        Run("b" * 32, start=START + 2, artifact_uri="ml/../../.."),
    ]
    source = write(ml, runs)
    report = imported(runforge, source)
    assert outcomes(report) == ["added"] * 4
    [[message], none, [remote], [outside]] = [list(left_out(report, at)) for at in range(4)]
    assert "outside the folder of the tracking store" in message
    assert "outside the folder of the tracking store" in outside
    assert "not in a local folder" in remote
    assert "word" not in remote
    assert none == []
    assert contents(workspace / report["items"][1]["path"] / "artifacts") == {"a.txt": b"a"}
    assert b"secret" not in contents(workspace / "runs").values()
    shutil.rmtree(workspace / "runs")
    report = imported(runforge, source, "--artifacts", secret)
    copied = contents(workspace / report["items"][0]["path"] / "artifacts")
    assert copied == {"id_rsa": b"secret"}


@pytest.mark.skipif(sys.platform == "win32", reason="makes links and pipes")
def test_links_pipes_and_names_in_a_file_store_are_left_out(
    runforge: Call, workspace: Path, ml: Path
) -> None:
    own = write_files(ml, [FULL]) / "7" / ONE
    put(workspace / "secret", b"secret")
    for place in ("artifacts/link", "params/link", "tags/link", "metrics/link"):
        (own / place).symlink_to(workspace / "secret")
    (own / "artifacts/folder").symlink_to(workspace)
    os.mkfifo(own / "artifacts/pipe")
    put(own / "artifacts/CON.txt", b"")
    put(own / "artifacts/back\\slash", b"")
    put(own / os.fsdecode(b"params/\xff"), b"1")
    put(own / "params/latin", b"\xff")
    put(own / "params/huge", b"x" * 2**17)
    put(own / "params" / ("n" * 200) / ("n" * 200) / ("n" * 200) / ("n" * 200) / ("n" * 200), b"")
    put(
        own / "metrics/broken",
        b"1 0.5 1\nx\n1 2\n" + b"7" * 10**5 + b"\n5 0.25 99999999999999999999\n",
    )
    report = imported(runforge, ml)
    messages = " ".join(left_out(report))
    for text in (
        "Artifacts that are links or no files are left out: `folder`, `link`, `pipe`",
        "Artifacts with names that not every system accepts",
        "Parameters that are links",
        "Tags that are links",
        "Metrics that are links",
        "Parameters that are not UTF-8 are left out: `latin`",
        "Parameters that cannot be read",
        "Parameters with names that are not UTF-8",
        "Parameters with names of more than 1,000 characters",
    ):
        assert text in messages, messages
    assert left_out(report)["Lines that are no metrics are left out: `broken`."] == 3
    folder = workspace / report["items"][0]["path"]
    assert b"secret" not in contents(folder).values()
    metrics = json.loads((folder / "metrics.json").read_text("utf-8"))
    assert metrics["history"]["broken"] == [{"step": 0, "value": 2.0}, {"step": 1, "value": 0.5}]
    assert runforge("verify", "--all").code == 0
    assert outcomes(imported(runforge, ml)) == ["present"]


BOMB = b"a: &a [x, x, x, x, x, x, x, x, x]\n" + b"".join(
    b"%c: &%c [%s]\n" % (letter, letter, b", ".join([b"*%c" % (letter - 1)] * 9))
    for letter in range(ord("b"), ord("k"))
)


@pytest.mark.parametrize(
    "meta",
    [
        BOMB,
        b"[" * 10_000,
        b"!!python/object/apply:os.system [touch ran]",
        b"- 1",
        b"\xff",
        b"x: 1\nx: 2",
    ],
    ids=["aliases", "deep", "tag", "list", "bytes", "twice"],
)
def test_a_run_with_hostile_yaml_is_refused_and_the_others_are_not(
    meta: bytes, runforge: Call, workspace: Path, ml: Path
) -> None:
    root = write_files(ml, [Run(ONE), Run(TWO)])
    put(root / "7" / ONE / "meta.yaml", meta)
    put(root / "9/meta.yaml", meta)
    report = imported(runforge, ml)
    assert sorted(outcomes(report)) == ["added", "refused"]
    [reason] = [item["reason"] for item in report["items"] if "reason" in item]
    assert "meta.yaml cannot be read" in reason
    assert not (workspace / "ran").exists()
    assert "is not imported" in " ".join(runforge("import", "mlflow", "ml").err.split())


def test_values_of_wrong_types_in_a_database_are_left_out(
    runforge: Call, workspace: Path, ml: Path
) -> None:
    path = write_database(ml, [FULL, Run(TWO, start="yesterday", end=-5)])
    with closing(sqlite3.connect(path)) as database, database:
        for table in ("params", "tags"):
            database.execute(f"INSERT INTO {table} VALUES (x'ff00', x'ff', ?)", (ONE,))
            database.execute(
                f"INSERT INTO {table} VALUES ('latin', CAST(x'ff' AS TEXT), ?)", (ONE,)
            )
            database.execute(f"INSERT INTO {table} VALUES ('number', 5, ?)", (ONE,))
            database.execute(f"INSERT INTO {table} VALUES ('none', NULL, ?)", (ONE,))
        database.execute("INSERT INTO metrics VALUES ('text', 'x', 1, ?, 0, 0)", (ONE,))
        database.execute("INSERT INTO metrics VALUES ('step', 1, 1, ?, 'x', 0)", (ONE,))
        database.execute("INSERT INTO metrics VALUES (x'00', 1, 1, ?, 0, 0)", (ONE,))
        database.execute("INSERT INTO runs (run_uuid, status) VALUES ('../../x', 'FINISHED')")
        database.execute("INSERT INTO runs (run_uuid, status) VALUES (x'00', 'FINISHED')")
        database.execute(
            "INSERT INTO runs (run_uuid, status, experiment_id) VALUES (?, 'DONE', 99)", ("f" * 32,)
        )
    report = imported(runforge, ml)
    by_id = {item["source_id"]: item for item in report["items"]}
    assert by_id[ONE]["outcome"] == by_id[TWO]["outcome"] == "added"
    assert outcomes(report).count("refused") == 3
    messages = " ".join(part["message"] for part in by_id[ONE]["left_out"])
    assert "Values of metrics that are no numbers" in messages
    assert "Parameters that are not text" in messages
    assert {part["what"] for part in by_id[TWO]["left_out"]} == {"times"}
    config = load_yaml(workspace / by_id[ONE]["path"] / "config.yaml")
    assert (config["parameters"]["number"], config["parameters"]["none"]) == (5, "")
    assert runforge("verify", "--all").code == 0


VIEW = """
ALTER TABLE params RENAME TO kept;
CREATE VIEW params AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n)
  SELECT i AS key, i AS value, i AS run_uuid FROM n;
"""


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        (VIEW, "`params` is not a plain table"),
        ("DROP TABLE tags", "no table `tags`"),
        ("ALTER TABLE runs DROP COLUMN status", "no such column"),
        ("DROP TABLE tags; CREATE VIRTUAL TABLE tags USING fts5(key, value)", "`tags` is not"),
        ("broken", "tracking database of MLflow"),
    ],
    ids=["view", "missing", "column", "virtual", "broken"],
)
def test_a_database_that_is_not_one_of_mlflow_is_refused(
    script: str, reason: str, runforge: Call, workspace: Path, ml: Path
) -> None:
    path = write_database(ml, [FULL])
    if script == "broken":
        data = bytearray(path.read_bytes())
        data[100:4096] = b"\xff" * (4096 - 100)
        path.write_bytes(data)
    else:
        with closing(sqlite3.connect(path)) as database, database:
            database.executescript(script)
    error = imported(runforge, path, code=2)
    assert (error["code"], reason in error["message"]) == ("DOCUMENT_INVALID", True), error
    assert not list((workspace / "runs").glob("*"))


def test_what_is_no_tracking_store_is_refused(runforge: Call, workspace: Path, ml: Path) -> None:
    assert imported(runforge, "nothing", code=3)["code"] == "STORE_NOT_FOUND"
    assert imported(runforge, ml, code=3)["code"] == "STORE_NOT_FOUND"
    assert imported(runforge, "penguins.csv", code=3)["code"] == "STORE_NOT_FOUND"
    if sys.platform != "win32":
        write_database(ml, [FULL]).rename(workspace / "other.db")
        (workspace / "link.db").symlink_to(workspace / "other.db")
        assert imported(runforge, "link.db", code=2)["code"] == "FILE_UNSAFE"
        (workspace / "runs").symlink_to(ml)
        assert imported(runforge, "other.db", code=2)["code"] == "FILE_UNSAFE"


def test_a_database_in_use_is_read(runforge: Call, ml: Path) -> None:
    path = write_database(ml, [FULL])
    with closing(sqlite3.connect(path, isolation_level=None)) as database:
        database.execute("PRAGMA journal_mode=WAL")
        database.execute("UPDATE runs SET name = 'second'")  # is in the journal only
        report = imported(runforge, path)
        assert report["items"][0]["name"] == "second"
        # Reading has taken no lock that stays.
        database.execute("UPDATE runs SET name = 'third'")


@pytest.mark.skipif(sys.platform == "win32", reason="needs SIGKILL")
def test_a_killed_import_leaves_whole_runs_and_is_completed(
    runforge: Call, workspace: Path, ml: Path
) -> None:
    runs = [
        Run(f"{number:032x}", start=START + number, files={"a": b"a" * 10**5, "b": b"b"})
        for number in range(60)
    ]
    write_files(ml, runs)
    killed = start(workspace, "import", "mlflow", "ml")
    while killed.poll() is None and len(list(workspace.glob("runs/run-*"))) < 3:
        time.sleep(0.001)
    killed.kill()
    killed.wait()
    assert runforge("verify", "--all").code == 0
    report = imported(runforge, ml)
    assert set(outcomes(report)) <= {"added", "present"}
    assert len(list(workspace.glob("runs/run-*"))) == 60
    assert not list(workspace.glob("runs/.incoming-*"))
    assert runforge("verify", "--all").code == 0


def test_two_imports_at_once_add_each_run_once(workspace: Path, ml: Path, runforge: Call) -> None:
    write_database(ml, [Run(f"{number:032x}", start=START + number) for number in range(10)])
    processes: list[subprocess.Popen[bytes]] = [
        start(workspace, "import", "mlflow", "ml") for _ in range(2)
    ]
    assert [process.wait() for process in processes] == [0, 0]
    assert outcomes(imported(runforge, ml)) == ["present"] * 10
    assert len(list(workspace.glob("runs/run-*"))) == 10


def test_a_number_that_another_process_took_meanwhile_is_not_used(
    runforge: Call, workspace: Path, ml: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_files(ml, [FULL])
    for number in ("001", "002"):
        (workspace / f"runs/run-2026-01-15-{number}").mkdir(parents=True)
    first = ExperimentRunId("2026-01-15", 1)
    monkeypatch.setattr(import_runs, "next_run_id", lambda *_: first)
    [item] = imported(runforge, ml)["items"]
    assert item["run_id"] == "run-2026-01-15-003"
    assert not contents(workspace / "runs/run-2026-01-15-001")
    assert runforge("verify", item["run_id"]).code == 0


def test_values_that_only_the_journal_has_room_for_are_counted(
    runforge: Call, workspace: Path, ml: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(metric_log, "MAX_POINTS", 4)
    write_files(ml, [Run(ONE, metrics={"loss": [(at, at, at / 2) for at in range(10)]})])
    report = imported(runforge, ml)
    assert left_out(report) == {
        "Points that are in the journal only, for want of room.": 6,
    }
    folder = workspace / report["items"][0]["path"]
    assert len((folder / "metrics.jsonl").read_bytes().splitlines()) == 10
    metrics = json.loads((folder / "metrics.json").read_text("utf-8"))
    assert (len(metrics["history"]["loss"]), metrics["summary"]) == (4, {"loss": 4.5})
    assert "for want of room: 6." in (folder / "logs.txt").read_text("utf-8")
