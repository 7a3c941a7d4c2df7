"""Experiments: any training script becomes a recorded run, whatever becomes of the script."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from calls import ROOT, Call
from experiments import (
    DAY,
    config_of,
    experiment,
    folder_of,
    is_alive,
    log_of,
    metrics_of,
    run_on_full_disk,
    started,
    until,
)
from runforge_contracts.invariants.experiment_invariants import check_experiment_run

ONE = folder_of(Path())


def rules(root: Path, number: int = 1) -> list[tuple[str, str | None]]:
    """Return which rules a run breaks, and in which files."""
    return [(item.rule, item.file) for item in check_experiment_run(folder_of(root, number))]


def tree(root: Path) -> dict[str, bytes | None]:
    """Return everything below a folder."""
    return {
        str(path.relative_to(root)): path.read_bytes() if path.is_file() else None
        for path in root.rglob("*")
    }


def git(root: Path, *arguments: str) -> str:
    """Call git with a user name and e-mail address."""
    who = ("-c", "user.name=a", "-c", "user.email=a@example.org")
    done = subprocess.run(
        ["git", *who, *arguments], cwd=root, capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


# What a run is


def test_a_run_records_what_was_run_and_how_it_went(runforge: Call, workspace: Path) -> None:
    script = """
        # With two pipes, the order is kept only if each line is read before the next is written.
        wait_for() { while ! grep -qs "$1" "$RUNFORGE_RUN_DIR/logs.txt"; do sleep 0.01; done; }
        echo first; wait_for first; echo second >&2; wait_for second; printf 'a "third" line'
        pwd > "$RUNFORGE_ARTIFACTS/here"
        env | grep '^RUNFORGE' | sort > "$RUNFORGE_ARTIFACTS/variables"
        cp "$1" "$RUNFORGE_ARTIFACTS/config"
        cp "$RUNFORGE_RUN_DIR/system.json" "$RUNFORGE_ARTIFACTS/system"
        echo '{"metric": "loss", "value": 0.5}' >> "$RUNFORGE_METRICS"
        echo '{"metric": "loss", "value": 0.25}' >> "$RUNFORGE_METRICS"
        echo '{"parameter": "lr", "value": 0.1}' >> "$RUNFORGE_METRICS"
        while ! grep -qs 0.25 "$RUNFORGE_RUN_DIR/metrics.json"; do sleep 0.01; done
        echo '{}' > "$RUNFORGE_RUN_DIR/manifest.json"
    """
    file = experiment(
        workspace,
        script,
        run={"command": ["sh", "exp.yaml.sh", "{config}"]},
        dataset="penguins.csv",
        extra={"of": ["mine"]},
    )
    result = runforge("experiment", "run", "--experiment", file, "--notes", "first try")
    assert result.code == 0
    assert 'first\nsecond\na "third" line' in result.out
    assert f"Run {DAY}-001: succeeded" in result.out
    assert "loss  0.2500" in result.out
    folder, config = folder_of(workspace), config_of(workspace)
    assert log_of(workspace) == 'first\nsecond\na "third" line'
    assert (folder / "artifacts/here").read_text() == f"{workspace}\n"
    assert (folder / "artifacts/variables").read_text().splitlines() == [
        f"RUNFORGE_ARTIFACTS={folder}/artifacts",
        f"RUNFORGE_CONFIG={folder}/config.yaml",
        f"RUNFORGE_DATASET={workspace}/penguins.csv",
        f"RUNFORGE_METRICS={folder}/metrics.jsonl",
        f"RUNFORGE_RUN_DIR={folder}",
        f"RUNFORGE_RUN_ID={DAY}-001",
        f"RUNFORGE_WORKSPACE={workspace}",
    ]
    before = (folder / "artifacts/config").read_text()
    assert "status: running" in before
    assert "notes: first try" in before
    assert json.loads((folder / "artifacts/system").read_bytes())["python"]
    assert config["references"]["dataset"]["path"] == "penguins.csv"
    assert config["extra"] == {"of": ["mine"]}
    assert (config["status"], config["exit_code"], config["parameters"]) == (
        "succeeded",
        0,
        {"lr": 0.1},
    )
    assert metrics_of(workspace)["history"]["loss"] == [
        {"step": 1, "value": 0.5},
        {"step": 2, "value": 0.25},
    ]
    assert rules(workspace) == []
    assert (folder / "manifest.json.user").read_text() == "{}\n"
    assert {path.stat().st_mode & 0o777 for path in (folder / "artifacts").iterdir()} == {0o444}


def test_standard_output_is_one_document_where_one_was_asked_for(
    runforge: Call, workspace: Path
) -> None:
    script = """echo shown; echo '{"summary": "a", "value": 1}' >> "$RUNFORGE_METRICS" """
    file = experiment(workspace, script)
    result = runforge("experiment", "run", "--experiment", file, "--json")
    assert result.err == "shown\n"
    document = result.json
    assert (document["run_id"], document["status"]) == (f"{DAY}-001", "succeeded")
    assert document["run_dir"] == str(ONE)
    assert document["metrics"] == {"summary": {"a": 1}, "history": {}}
    assert document["config"] == config_of(workspace)
    quiet = runforge("experiment", "run", "--experiment", file, "--json", "--quiet")
    assert (quiet.err, quiet.json["run_id"]) == ("", f"{DAY}-002")
    assert "shown" not in runforge("experiment", "run", "--experiment", file, "-q").out


@pytest.mark.parametrize("form", ["script", "module"])
def test_python_code_gets_the_path_of_its_configuration(
    form: str, runforge: Call, workspace: Path
) -> None:
    (workspace / "package").mkdir()
    (workspace / "package/train.py").write_text(
        "import sys\nfrom runforge_engine.experiment import current_run, read_config\n"
        "assert sys.argv[1:3] == ['--deep', '--config'] and len(sys.argv) == 4\n"
        "run = current_run()\n"
        "assert run.config == read_config(sys.argv[3])\n"
        "run.log_metric('loss', run.config['training']['rate'])\n"
        "run.log_artifact(b'x', 'models/model.bin')\n"
        "print(__name__)\n"
    )
    name = {"script": "package/train.py", "module": "package.train"}[form]
    file = experiment(workspace, "", run={form: name, "args": ["--deep"]}, training={"rate": 0.5})
    result = runforge("experiment", "run", "--experiment", file, "--set", "training.rate=1e-4")
    assert result.code == 0
    assert result.out.startswith("__main__\n")
    assert metrics_of(workspace)["summary"] == {"loss": 1e-4}
    assert config_of(workspace)["overrides"] == {"training.rate": 1e-4}
    assert (folder_of(workspace) / "artifacts/models/model.bin").read_bytes() == b"x"


def test_the_commit_is_recorded_and_runs_are_no_change(runforge: Call, workspace: Path) -> None:
    file = experiment(workspace, "mkdir -p models; echo x > models/x")
    git(workspace, "init", "-q")
    git(workspace, "remote", "add", "origin", "https://me:secret@example.org/x.git")
    git(workspace, "add", "-A")
    git(workspace, "commit", "-qm", "one")
    (workspace / "deep").mkdir()
    os.chdir(workspace / "deep")
    for number in (1, 2):
        assert runforge("experiment", "run", "--experiment", file, "-q").code == 0
        assert config_of(workspace, number)["code"] == {
            "repo": "https://example.org/x.git",
            "commit": git(workspace, "rev-parse", "HEAD"),
            "dirty": False,
        }
    (workspace / file).write_text((workspace / file).read_text() + "# changed\n")
    assert runforge("experiment", "run", "--experiment", file, "-q").code == 0
    assert config_of(workspace, 3)["code"]["dirty"] is True
    assert len(config_of(workspace, 3)["code"]["diff_sha256"]) == 64


# Ids


def test_twenty_at_once_get_twenty_ids(workspace: Path) -> None:
    file = experiment(workspace, "echo $RUNFORGE_RUN_ID")
    command = [sys.executable, "-m", "runforge_cli", "experiment", "run", "--experiment", file]
    running = [
        subprocess.Popen([*command, "--json"], cwd=workspace, stdout=-1, stderr=-1, text=True)
        for _ in range(20)
    ]
    ended = [(process.communicate()[0], process.returncode) for process in running]
    assert {code for _, code in ended} == {0}
    wanted = [f"{DAY}-{number:03}" for number in range(1, 21)]
    assert sorted(json.loads(out)["run_id"] for out, _ in ended) == wanted
    assert sorted(path.name for path in (workspace / "runs").iterdir()) == wanted
    for number in range(1, 21):
        assert log_of(workspace, number) == f"{DAY}-{number:03}\n"
        assert rules(workspace, number) == []


def test_the_id_of_a_removed_run_is_not_used_again(runforge: Call, workspace: Path) -> None:
    file = experiment(workspace, "true")
    call = ("experiment", "run", "--experiment", file, "-q")
    assert runforge(*call).code == 0
    why = ("--because", "a test", "--yes", "--force")
    assert runforge("store", "forget", f"{DAY}-001", *why).code == 0
    result = runforge(*call, "--run-id", f"{DAY}-001", "--json")
    assert (result.code, result.json["error"]["code"]) == (2, "RUN_ID_TAKEN")
    assert "was forgotten here" in result.json["error"]["message"]
    assert runforge(*call).code == 0
    assert [path.name for path in (workspace / "runs").iterdir()] == [f"{DAY}-002"]
    listed = runforge("runs", "--json").json
    assert [entry["run_id"] for entry in listed["experiments"]] == [f"{DAY}-002"]


def test_an_id_that_was_chosen_is_used_once(runforge: Call, workspace: Path) -> None:
    file = experiment(workspace, "true")
    call = ("experiment", "run", "--experiment", file, "-q")
    assert runforge(*call, "--run-id", "run-2026-02-01-041").code == 0
    assert runforge(*call, "--run-id", "run-2030-01-01-1234").code == 0
    before = tree(workspace)
    for taken in ("run-2026-02-01-041", "run-2030-01-01-1234"):
        result = runforge(*call, "--run-id", taken, "--json")
        assert (result.code, result.json["error"]["code"]) == (2, "RUN_ID_TAKEN")
    for hostile in ("../../x", "x", "run-2026-02-30-001", "/tmp/run-2026-02-01-001"):
        result = runforge(*call, "--run-id", hostile, "--json")
        assert (result.code, result.json["error"]["code"]) == (2, "RUN_ID_INVALID")
    assert tree(workspace) == before
    assert runforge(*call).code == 0
    assert folder_of(workspace, 42).is_dir()


@pytest.mark.parametrize("kind", ["file", "link"])
def test_runs_are_made_in_a_folder_only(kind: str, runforge: Call, workspace: Path) -> None:
    file = experiment(workspace, "true")
    (workspace / "elsewhere").mkdir()
    if kind == "file":
        (workspace / "runs").write_text("mine")
    else:
        (workspace / "runs").symlink_to("elsewhere")
    for more in ((), ("--dry-run",)):
        result = runforge("experiment", "run", "--experiment", file, "--json", *more)
        code = {"file": "STORE_NOT_WRITABLE", "link": "FILE_UNSAFE"}[kind]
        assert result.json["error"]["code"] == code
    assert list((workspace / "elsewhere").iterdir()) == []
    checked = runforge("experiment", "check", "--json")
    assert (checked.code, checked.json["error"]["code"]) == (2, "FILE_UNSAFE")


# Nothing but a look


def test_a_dry_run_writes_nothing(runforge: Call, workspace: Path) -> None:
    file = experiment(workspace, "touch started", dataset="penguins:v1", training={"epochs": 1})
    before = tree(workspace)
    call = ("experiment", "run", "--experiment", file, "--dry-run", "--set", "training.epochs=2")
    shown = runforge(*call)
    assert shown.code == 0
    assert "epochs: 2" in shown.out
    assert "only a name" in shown.err
    document = runforge(*call, "--json").json
    assert document["config"]["training"] == {"epochs": 2}
    assert document["dry_run"] is True
    broken = experiment(workspace, "", name="broken.yaml", configs=["../x", "no.yaml"], seed="x")
    before |= {name: tree(workspace)[name] for name in (broken, f"{broken}.sh")}
    result = runforge("experiment", "run", "--experiment", broken, "--dry-run", "--json")
    assert result.code == 2
    assert len(result.json["error"]["problems"]) == 3
    assert tree(workspace) == before


def test_an_experiment_that_is_not_there_is_missed(runforge: Call, workspace: Path) -> None:
    result = runforge("experiment", "run", "--experiment", "no.yaml", "--json")
    assert (result.code, result.json["error"]["code"]) == (3, "FILE_NOT_FOUND")
    assert runforge("experiment", "run").code == 2
    assert not (workspace / "runs").exists()


# Ends


def test_a_script_that_fails_leaves_its_reason(runforge: Call, workspace: Path) -> None:
    script = """
        echo '{"metric": "loss", "value": 0.5}' >> "$RUNFORGE_METRICS"
        echo partial > "$RUNFORGE_ARTIFACTS/part"
        echo "ValueError: too bad" >&2; exit 3
    """
    result = runforge("experiment", "run", "--experiment", experiment(workspace, script))
    assert result.code == 1
    assert "error[EXPERIMENT_FAILED]: User code ended with the exit code 3" in result.err
    assert f"The run is recorded as failed in {ONE}" in result.err
    config = config_of(workspace)
    assert (config["status"], config["exit_code"]) == ("failed", 3)
    assert "`ValueError: too bad`" in config["failure"]["message"]
    assert log_of(workspace).splitlines()[-1] == f"runforge: failed: {config['failure']['message']}"
    assert metrics_of(workspace)["summary"] == {"loss": 0.5}
    assert (folder_of(workspace) / "artifacts/part").read_text() == "partial\n"
    assert rules(workspace) == []
    assert runforge("experiment", "check").code == 0


def test_a_script_that_a_signal_ends_says_which(runforge: Call, workspace: Path) -> None:
    file = experiment(workspace, "kill -9 $$")
    result = runforge("experiment", "run", "--experiment", file, "--json")
    assert (result.code, result.json["status"]) == (1, "failed")
    config = config_of(workspace)
    assert (config["exit_code"], config["signal"]) == (-9, "SIGKILL")
    assert config["failure"]["message"] == "User code was ended by the signal SIGKILL."
    assert rules(workspace) == []


@pytest.mark.skipif(not hasattr(signal, "SIGRTMIN"), reason="there are no such signals")
def test_a_signal_without_a_name_has_a_number(runforge: Call, workspace: Path) -> None:
    file = experiment(workspace, f"kill -{signal.SIGRTMIN + 3} $$")
    runforge("experiment", "run", "--experiment", file)
    assert config_of(workspace)["signal"] == "SIGRTMIN+3"


def test_a_program_that_the_system_cannot_start_leaves_a_failed_run(
    runforge: Call, workspace: Path
) -> None:
    (workspace / "odd").write_bytes(b"\x7fELF nothing")
    (workspace / "odd").chmod(0o755)
    file = experiment(workspace, "", run={"command": ["./odd"]})
    assert runforge("experiment", "run", "--experiment", file).code == 1
    assert "cannot be started" in config_of(workspace)["failure"]["message"]
    assert rules(workspace) == []


def test_much_output_takes_little_memory(workspace: Path) -> None:
    size = 64 * 2**20
    file = experiment(workspace, f"head -c {size} /dev/zero")
    # A process begins with the memory of the one that starts it, so a small one has to.
    measuring = (
        "import os, subprocess, sys; process = subprocess.Popen(sys.argv[1:], stdout=-3);"
        "_, status, usage = os.wait4(process.pid, 0); print(status, usage.ru_maxrss)"
    )
    command = [sys.executable, "-m", "runforge_cli", "experiment", "run", "--experiment", file]
    done = subprocess.run(
        [sys.executable, "-c", measuring, *command],
        cwd=workspace,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    status, kibibytes = map(int, done.stdout.split())
    assert status == 0
    assert (folder_of(workspace) / "logs.txt").stat().st_size == size
    assert kibibytes < 100 * 1024


def test_a_reader_that_goes_away_ends_the_showing_only(workspace: Path) -> None:
    file = experiment(workspace, "head -c 10000000 /dev/zero; echo the end")
    with started(workspace, "--experiment", file) as process:
        assert process.stdout is not None
        process.stdout.close()
        process.stdout = None
        process.wait()
    assert log_of(workspace).endswith("the end\n")
    assert config_of(workspace)["status"] == "succeeded"


def test_metrics_that_nobody_can_read_are_a_failure(runforge: Call, workspace: Path) -> None:
    file = experiment(
        workspace, """echo '{"summary": {"a": NaN}}' > "$RUNFORGE_RUN_DIR/metrics.json" """
    )
    result = runforge("experiment", "run", "--experiment", file)
    assert result.code == 1
    config = config_of(workspace)
    assert config["status"] == "failed"
    assert "invalid `metrics.json`" in config["failure"]["message"]
    assert rules(workspace) == [("json.number-invalid", "metrics.json")]
    checked = runforge("experiment", "check", "--json")
    assert checked.code == 1
    [run] = checked.json["runs"]
    assert (run["state"], run["conforms"]) == ("failed", False)
    assert [finding["rule"] for finding in run["findings"]] == ["json.number-invalid"]
    assert runforge("experiment", "check", f"{DAY}-001").code == 1


def test_metrics_that_user_code_writes_itself_stay(runforge: Call, workspace: Path) -> None:
    script = """
        echo '{"metric": "logged", "value": 1}' >> "$RUNFORGE_METRICS"
        echo '{"summary": {"own": 2}}' > "$RUNFORGE_RUN_DIR/metrics.json"
    """
    result = runforge("experiment", "run", "--experiment", experiment(workspace, script))
    assert result.code == 0
    assert metrics_of(workspace) == {"summary": {"own": 2}}
    assert "User code wrote metrics.json itself" in result.err
    assert rules(workspace) == []


def test_a_run_that_is_written_to_afterwards_is_flagged(runforge: Call, workspace: Path) -> None:
    first = experiment(workspace, 'echo model > "$RUNFORGE_ARTIFACTS/model"')
    script = f"""
        echo other > new; mv -f new {ONE}/artifacts/model; echo more > {ONE}/artifacts/more
    """
    second = experiment(workspace, script, name="second.yaml")
    assert runforge("experiment", "run", "--experiment", first).code == 0
    assert runforge("experiment", "check").code == 0
    assert runforge("experiment", "run", "--experiment", second).code == 0
    checked = runforge("experiment", "check", "--json")
    assert checked.code == 1
    one, two = checked.json["runs"]
    assert [(item["rule"], item["file"]) for item in one["findings"]] == [
        ("manifest.complete", "artifacts/more"),
        ("manifest.digests", "artifacts/model"),
    ]
    assert two["conforms"] is True
    text = runforge("experiment", "check").out
    assert "2 runs, 1 with findings" in text
    assert "artifacts/model has " in text


def test_what_is_left_running_is_ended_with_the_run(runforge: Call, workspace: Path) -> None:
    script = """
        (trap '' TERM HUP; while true; do echo x >> "$RUNFORGE_ARTIFACTS/late"; sleep 0.01; done) &
        echo $! > pid
        while ! test -e "$RUNFORGE_ARTIFACTS/late"; do sleep 0.01; done
    """
    assert runforge("experiment", "run", "--experiment", experiment(workspace, script)).code == 0
    assert not is_alive(int((workspace / "pid").read_text()))
    assert rules(workspace) == []


def test_a_process_that_leaves_the_group_holds_nothing_up(runforge: Call, workspace: Path) -> None:
    script = "setsid sleep 60 & echo $! > pid; echo done"
    assert runforge("experiment", "run", "--experiment", experiment(workspace, script)).code == 0
    assert log_of(workspace) == "done\n"
    os.kill(int((workspace / "pid").read_text()), signal.SIGKILL)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_is_handed_on_and_the_run_cancelled(
    number: signal.Signals, workspace: Path
) -> None:
    word = number.name[3:]
    script = f"""
        trap 'echo final output; exit 7' {word}
        echo '{{"metric": "loss", "value": 0.5}}' >> "$RUNFORGE_METRICS"
        touch ready; while true; do sleep 0.01; done
    """
    with started(workspace, "--experiment", experiment(workspace, script)) as process:
        until((workspace / "ready").exists, process)
        process.send_signal(number)
        out, err = process.communicate()
    assert process.returncode == 5
    assert "final output" in out
    assert f"error[CANCELLED]: The run was cancelled by {number.name}." in err
    config = config_of(workspace)
    assert (config["status"], config["exit_code"]) == ("cancelled", 7)
    assert log_of(workspace).splitlines()[-1].endswith(f"cancelled by {number.name}.")
    assert metrics_of(workspace)["summary"] == {"loss": 0.5}
    assert rules(workspace) == []


def test_who_does_not_listen_is_killed(workspace: Path) -> None:
    script = """
        trap '' TERM INT; sh -c 'trap "" TERM INT; echo $$ > pid; while true; do sleep 1; done' &
        while ! test -e pid; do sleep 0.01; done; touch ready; while true; do sleep 1; done
    """
    with started(workspace, "--experiment", experiment(workspace, script)) as process:
        until((workspace / "ready").exists, process)
        process.terminate()
        process.communicate()
    assert process.returncode == 5
    config = config_of(workspace)
    assert (config["status"], config["signal"]) == ("cancelled", "SIGKILL")
    assert not is_alive(int((workspace / "pid").read_text()))


def test_a_run_ends_in_time_though_nobody_reads_what_it_says(workspace: Path) -> None:
    file = experiment(workspace, "touch ready; while true; do echo much; done")
    with started(workspace, "--experiment", file) as process:
        until((workspace / "ready").exists, process)
        process.terminate()
        assert process.wait() == 5
    assert config_of(workspace)["status"] == "cancelled"
    assert rules(workspace) == []


def test_a_second_signal_ends_all_at_once(workspace: Path) -> None:
    script = """
        trap 'touch signalled' INT; echo $$ > pid; touch ready; while true; do sleep 0.01; done
    """
    with started(workspace, "--experiment", experiment(workspace, script)) as process:
        until((workspace / "ready").exists, process)
        process.send_signal(signal.SIGINT)
        until((workspace / "signalled").exists, process)
        subprocess.run(["sleep", "0.6"], check=True)  # what comes sooner is the same wish
        process.send_signal(signal.SIGINT)
        process.communicate()
    assert process.returncode == 5
    until(lambda: not is_alive(int((workspace / "pid").read_text())))
    assert config_of(workspace)["status"] in ("running", "cancelled")


def test_a_run_whose_runner_is_killed_is_interrupted(runforge: Call, workspace: Path) -> None:
    script = "echo $$ > pid; touch ready; while true; do sleep 0.01; done"
    with started(workspace, "--experiment", experiment(workspace, script)) as process:
        until((workspace / "ready").exists, process)
        assert [run["state"] for run in runforge("experiment", "check", "--json").json["runs"]] == [
            "running"
        ]
        process.kill()
        process.communicate()
    until(lambda: not is_alive(int((workspace / "pid").read_text())))
    checked = runforge("experiment", "check", "--json")
    assert [(run["state"], run["findings"]) for run in checked.json["runs"]] == [
        ("interrupted", [])
    ]
    verified = runforge("verify", f"{DAY}-001", "--json")
    assert verified.code == 1
    assert verified.json["runs"][0]["checks"][0]["verdict"] == "no result"
    result = runforge("cancel", f"{DAY}-001", "--json")
    assert (result.code, result.json["error"]["code"]) == (2, "RUN_NOT_RUNNING")


def test_a_run_is_cancelled_from_another_terminal(runforge: Call, workspace: Path) -> None:
    file = experiment(workspace, "touch ready; while true; do sleep 0.01; done")
    with started(workspace, "--experiment", file) as process:
        until((workspace / "ready").exists, process)
        result = runforge("cancel", "--json")
        process.communicate()
    assert (result.code, process.returncode) == (0, 5)
    assert (result.json["run_id"], result.json["status"]) == (f"{DAY}-001", "cancelled")
    assert config_of(workspace)["failure"]["code"] == "CANCELLED"
    again = runforge("cancel", f"{DAY}-001", "--json")
    assert again.json["error"]["code"] == "RUN_ALREADY_COMPLETE"
    assert runforge("cancel", "--json").json["error"]["code"] == "RUN_NOT_RUNNING"


@pytest.mark.parametrize("limit", [0, 200, 100_000])
def test_a_full_disk_is_reported(limit: int, workspace: Path) -> None:
    file = experiment(workspace, "head -c 500000 /dev/zero; echo survived > survived")
    assert run_on_full_disk(workspace, file, limit) == (1, "STORE_NOT_WRITABLE")
    assert not (workspace / "survived").exists()
    if limit < 1000:
        assert list((workspace / "runs").iterdir()) == []
    else:
        assert config_of(workspace)["status"] == "running"


# User code of any kind


def test_a_shell_script_logs_through_files_and_variables_alone(
    runforge: Call, workspace: Path
) -> None:
    script = """#!/bin/sh
set -eu
log() { printf '{"metric": "%s", "step": %s, "value": %s}\\n' "$@" >> "$RUNFORGE_METRICS"; }
for epoch in 1 2 3; do
  log loss "$epoch" "0.$((9 - epoch))"
done
echo '{"summary": "accuracy", "value": 0.75}' >> "$RUNFORGE_METRICS"
echo '{"parameter": "shell", "value": "sh"}' >> "$RUNFORGE_METRICS"
mkdir -p "$RUNFORGE_ARTIFACTS/words"
wc -l < "$RUNFORGE_DATASET" > "$RUNFORGE_ARTIFACTS/words/count.txt"
"""
    file = experiment(workspace, script, dataset="penguins.csv")
    assert runforge("experiment", "run", "--experiment", file).code == 0
    assert metrics_of(workspace) == {
        "summary": {"loss": 0.6, "accuracy": 0.75},
        "history": {"loss": [{"step": step, "value": (9 - step) / 10} for step in (1, 2, 3)]},
    }
    assert config_of(workspace)["parameters"] == {"shell": "sh"}
    count = (folder_of(workspace) / "artifacts/words/count.txt").read_text()
    assert int(count) == 345
    assert rules(workspace) == []


@pytest.mark.needs("node")
def test_a_node_script_logs_through_files_and_variables_alone(
    runforge: Call, workspace: Path
) -> None:
    (workspace / "train.mjs").write_text("""
import { appendFileSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
const { RUNFORGE_METRICS, RUNFORGE_ARTIFACTS, RUNFORGE_RUN_ID } = process.env;
const config = readFileSync(process.argv[2], "utf8");
const log = (line) => appendFileSync(RUNFORGE_METRICS, JSON.stringify(line) + "\\n");
for (let step = 1; step <= 3; step++) log({ metric: "loss", step, value: 1 / step });
log({ summary: "größe", value: config.length });
mkdirSync(`${RUNFORGE_ARTIFACTS}/out`, { recursive: true });
writeFileSync(`${RUNFORGE_ARTIFACTS}/out/id.txt`, RUNFORGE_RUN_ID);
""")
    file = experiment(workspace, "", run={"command": ["node", "train.mjs", "{config}"]})
    assert runforge("experiment", "run", "--experiment", file).code == 0
    assert [point["value"] for point in metrics_of(workspace)["history"]["loss"]] == [1, 0.5, 1 / 3]
    assert metrics_of(workspace)["summary"]["größe"] > 50
    assert (folder_of(workspace) / "artifacts/out/id.txt").read_text() == f"{DAY}-001"
    assert rules(workspace) == []


def test_what_no_manifest_can_hold_is_reported(runforge: Call, workspace: Path) -> None:
    script = 'cd "$RUNFORGE_ARTIFACTS"; ln -s /etc/passwd link; mkfifo pipe; touch "a\nb" fine'
    result = runforge("experiment", "run", "--experiment", experiment(workspace, script))
    assert result.code == 0
    for word in ("`artifacts/link` is a link", "`artifacts/pipe` is a link", "`artifacts/a\\nb`"):
        assert word in result.err
    assert set(rules(workspace)) >= {
        ("run.no-links", "artifacts/link"),
        ("run.no-links", "artifacts/pipe"),
    }


@pytest.mark.parametrize(
    ("script", "code"),
    [
        ('rm logs.txt; ln -s "$OLDPWD/mine" logs.txt', 0),
        ('ln -s "$OLDPWD/mine" .metrics.json.tmp', 0),
        ('rmdir artifacts; ln -s "$OLDPWD/kept" artifacts', 0),
        ('ln -s "$OLDPWD/mine" metrics.json', 1),
        ('rm config.yaml; ln -s "$OLDPWD/mine" config.yaml', 0),
        ('ln -s "$OLDPWD/mine" manifest.json', 0),
    ],
)
def test_nothing_is_written_through_links_that_user_code_leaves(
    script: str, code: int, runforge: Call, workspace: Path
) -> None:
    (workspace / "kept").mkdir()
    for name in ("mine", "kept/mine"):
        (workspace / name).write_text("mine")
        (workspace / name).chmod(0o644)
    log = """echo '{"metric": "a", "value": 1}' >> metrics.jsonl; echo garbage >> metrics.jsonl"""
    file = experiment(workspace, f'cd "$RUNFORGE_RUN_DIR"; {script}; {log}')
    assert runforge("experiment", "run", "--experiment", file).code == code
    for name in ("mine", "kept/mine"):
        assert (workspace / name).read_text() == "mine"
        assert (workspace / name).stat().st_mode & 0o777 == 0o644
    assert config_of(workspace)["status"] == ["succeeded", "failed"][code]


@pytest.mark.parametrize("put", ["mkfifo logs.txt", "mkdir logs.txt"])
def test_a_log_that_user_code_takes_away_does_not_keep_the_run_from_its_end(
    put: str, runforge: Call, workspace: Path
) -> None:
    file = experiment(workspace, f'cd "$RUNFORGE_RUN_DIR"; rm logs.txt; {put}; exit 3')
    assert runforge("experiment", "run", "--experiment", file).code == 1
    assert config_of(workspace)["status"] == "failed"


def test_a_manifest_of_user_code_takes_the_place_of_nothing(
    runforge: Call, workspace: Path
) -> None:
    script = 'cd "$RUNFORGE_RUN_DIR"; echo 1 > manifest.json; echo 2 > manifest.json.user'
    assert runforge("experiment", "run", "--experiment", experiment(workspace, script)).code == 0
    kept = [folder_of(workspace) / f"manifest.json.user{more}" for more in ("", ".user")]
    assert [path.read_text() for path in kept] == ["2\n", "1\n"]
    assert rules(workspace) == []


# Again


def test_the_configuration_of_a_run_repeats_it(
    runforge: Call, workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (workspace / "train.py").write_text(
        "import random\nfrom runforge_engine.experiment import current_run\n"
        "run = current_run()\nrandom.seed(run.config['seed'])\n"
        "for _ in range(run.config['training']['epochs']): run.log_metric('x', random.random())\n"
        "run.log_summary('level', float(run.config['level']))\n"
    )
    (workspace / "base.yaml").write_text("seed: 7\ntraining: {epochs: 1, rate: 1e-4}\n")
    file = experiment(
        workspace,
        "",
        run={"script": "train.py"},
        configs=["base.yaml"],
        environment={"LEVEL": None},
        level="${LEVEL}",
    )
    monkeypatch.setenv("LEVEL", "3.5")
    first = runforge("experiment", "run", "--experiment", file, "--set", "training.epochs=5")
    assert first.code == 0
    monkeypatch.delenv("LEVEL")
    (workspace / "base.yaml").write_text("seed: 8\nmore: 1\n")
    again = runforge("experiment", "run", "--experiment", f"{ONE}/config.yaml")
    assert again.code == 0
    assert metrics_of(workspace, 2) == metrics_of(workspace, 1)
    assert config_of(workspace, 2)["rerun_from"] == f"{DAY}-001"
    assert config_of(workspace, 2)["experiment_file"]["path"] == f"{ONE}/config.yaml"
    assert "more" not in config_of(workspace, 2)
    third = runforge("experiment", "run", "--experiment", f"runs/{DAY}-002/config.yaml")
    assert third.code == 0
    assert metrics_of(workspace, 3) == metrics_of(workspace, 1)
    assert config_of(workspace, 3)["rerun_from"] == f"{DAY}-002"


# Models


def test_models_are_copied_and_never_replaced(runforge: Call, workspace: Path) -> None:
    def run(content: str, target: str, source: str = "artifacts/model") -> Any:
        file = experiment(
            workspace,
            f'echo {content} > "$RUNFORGE_ARTIFACTS/model"',
            copy_models={source: target},
        )
        return runforge("experiment", "run", "--experiment", file, "--json")

    copied = run("one", "models/deep/m").json["config"]["copied_models"]
    sha256 = hashlib.sha256(b"one\n").hexdigest()
    assert copied == [{"from": "artifacts/model", "to": "models/deep/m", "sha256": sha256}]
    assert run("one", "models/deep/m").code == 0
    other = run("two", "models/deep/m")
    assert (other.code, other.json["status"]) == (1, "failed")
    assert "is another model already" in other.json["config"]["failure"]["message"]
    assert (workspace / "models/deep/m").read_text() == "one\n"
    assert rules(workspace, 3) == []
    assert run("two", "models/m-{run_id}").code == 0
    assert (workspace / f"models/m-{DAY}-004").read_text() == "two\n"
    missing = run("x", "models/x", "artifacts/missing")
    assert missing.json["config"]["failure"]["code"] == "ARTIFACT_NOT_FOUND"
    assert sorted(path.name for path in (workspace / "models").iterdir()) == [
        "deep",
        f"m-{DAY}-004",
    ]


def test_no_model_is_copied_from_behind_a_link(runforge: Call, workspace: Path) -> None:
    (workspace / "elsewhere").mkdir()
    (workspace / "elsewhere/model").write_text("mine")
    script = 'ln -s "$PWD/elsewhere" "$RUNFORGE_ARTIFACTS/link"'
    file = experiment(workspace, script, copy_models={"artifacts/link/model": "models/m"})
    assert runforge("experiment", "run", "--experiment", file).code == 1
    assert config_of(workspace)["failure"]["code"] == "FILE_UNSAFE"
    assert not (workspace / "models").exists()


def test_a_run_that_failed_copies_no_model(runforge: Call, workspace: Path) -> None:
    file = experiment(
        workspace,
        'echo x > "$RUNFORGE_ARTIFACTS/model"; exit 1',
        copy_models={"artifacts/model": "models/m"},
    )
    assert runforge("experiment", "run", "--experiment", file).code == 1
    assert not (workspace / "models").exists()


def test_a_model_of_our_own_is_trained_by_an_experiment(runforge: Call, workspace: Path) -> None:
    document = {
        "experiment": "forest",
        "model": "runforge/random_forest",
        "dataset": "penguins.csv",
        "training": {
            "label": "species",
            "exclude": ["island", "sex", "year"],
            "preset": "fast",
            "hyperparameters": {"max_depth": 3},
        },
        "seed": 7,
    }
    (workspace / "exp.yaml").write_text(json.dumps(document))
    assert runforge("experiment", "run", "--experiment", "exp.yaml").code == 0
    config = config_of(workspace)
    trained = workspace / ".runforge/runs" / config["parameters"]["trained_run"]
    record = json.loads((trained / "run.json").read_bytes())
    assert metrics_of(workspace)["summary"]["accuracy"] == record["metrics"]["accuracy"]
    assert (record["seed"], config["parameters"]["max_depth"]) == (7, 3)
    kept = folder_of(workspace) / "artifacts/model.pkl"
    assert kept.read_bytes() == (trained / "artifacts/model.pkl").read_bytes()
    assert rules(workspace) == []
    failing = (
        *("experiment", "run", "--experiment", "exp.yaml"),
        "--set",
        "training.label=nothing",
    )
    assert runforge(*failing).code == 1
    assert "error[LABEL_NOT_FOUND]" in config_of(workspace, 2)["failure"]["message"]


# Looking after runs


def test_verify_covers_runs_of_experiments(runforge: Call, workspace: Path) -> None:
    script = 'echo x > "$RUNFORGE_ARTIFACTS/model"'
    file = experiment(workspace, script, dataset="penguins.csv")
    for _ in range(2):
        assert runforge("experiment", "run", "--experiment", file).code == 0
    for reference in (f"{DAY}-001", str(ONE), str(workspace / ONE)):
        result = runforge("verify", reference)
        assert result.code == 0
        assert f"Run {DAY}-001: verified" in result.out
        assert "files      unchanged: 5 files" in result.out
        assert "dataset    same: `penguins.csv`" in result.out
    whole = runforge("verify", "--all")
    assert (whole.code, whole.out) == (0, "Experiments: 2 of 2 runs verified\n")
    (workspace / "penguins.csv").write_text("changed")
    assert runforge("verify", f"{DAY}-001").code == 1
    assert runforge("verify", f"{DAY}-001", "--without-dataset").code == 0
    artifact = folder_of(workspace) / "artifacts/model"
    artifact.chmod(0o644)
    artifact.write_text("y")
    result = runforge("verify", "--all", "--without-dataset")
    assert result.code == 1
    assert "artifacts/model has " in result.out
    assert f"{DAY}-002" not in result.out
    assert "Experiments: 1 of 2 runs verified" in result.out
    document = runforge("verify", f"{DAY}-001", "--json").json
    assert document["runs"][0]["run_id"] == f"{DAY}-001"
    assert [check["verdict"] for check in document["runs"][0]["checks"]] == [
        "changed",
        "valid",
        "changed",
    ]


def test_large_files_that_git_lfs_does_not_take_are_warned_of(
    runforge: Call, workspace: Path
) -> None:
    script = 'truncate -s 11M "$RUNFORGE_ARTIFACTS/big"; truncate -s 9M "$RUNFORGE_ARTIFACTS/small"'
    file = experiment(workspace, script)
    assert runforge("experiment", "run", "--experiment", file).code == 0
    (workspace / "models").mkdir()
    (workspace / "models/big").write_bytes(b"\0" * (10 * 2**20))
    assert runforge("experiment", "check").err == ""
    git(workspace, "init", "-q")
    result = runforge("experiment", "check")
    assert result.code == 0
    assert f"`{ONE}/artifacts/big` has 11,534,336 bytes" in result.err
    assert "`models/big` has 10,485,760 bytes" in result.err
    assert "small" not in result.err
    assert len(runforge("experiment", "check", f"{DAY}-001", "--json").json["warnings"]) == 1
    (workspace / ".gitignore").write_text("models\n")
    assert "models/big" not in runforge("experiment", "check").err
    (workspace / ".gitattributes").write_text("runs/*/artifacts/** filter=lfs\n")
    assert runforge("experiment", "check").err == ""


def test_a_run_that_is_wrong_is_flagged_and_left(runforge: Call, workspace: Path) -> None:
    assert runforge("experiment", "check").out.startswith("No experiment runs")
    for name in ("scratch", "run-2026-2-1-1", "run-2026-02-30-001", f"{DAY}-001", f"{DAY}-002"):
        (workspace / "runs" / name).mkdir(parents=True)
    (workspace / f"runs/{DAY}-003").symlink_to(f"{DAY}-001")
    (workspace / "runs/link").symlink_to(f"{DAY}-001")
    (workspace / f"runs/{DAY}-002/config.yaml").write_text("experiment: a\nmodel: b\n")
    (workspace / "runs/scratch/config.yaml").write_text(f"run_id: {DAY}-009\n")
    before = tree(workspace)
    result = runforge("experiment", "check", "--json")
    assert result.code == 1
    found = {
        run["run_id"]: {item["rule"] for item in run["findings"]} for run in result.json["runs"]
    }
    assert found == {
        "scratch": {"experiment.id", "tfc-config.schema"},
        "run-2026-2-1-1": {"experiment.files", "experiment.id"},
        "run-2026-02-30-001": {"experiment.files", "experiment.id"},
        f"{DAY}-001": {"experiment.files"},
        f"{DAY}-002": {"tfc-config.schema"},
        f"{DAY}-003": {"run.no-links"},
        "link": {"run.no-links"},
    }
    assert tree(workspace) == before
    missing = runforge("experiment", "check", f"{DAY}-009", "--json")
    assert (missing.code, missing.json["error"]["code"]) == (3, "RUN_NOT_FOUND")


def test_what_other_tools_keep_among_the_runs_is_left_alone(
    runforge: Call, workspace: Path
) -> None:
    runs = workspace / "runs"
    for name in ("Nov28_10-00-00_host", "detect/train", "segment/val", "exp1", "a\x1b[31mb"):
        (runs / name).mkdir(parents=True)
    (runs / "Nov28_10-00-00_host/events.out.tfevents.1.host").write_bytes(b"\0" * 20)
    (runs / "detect/train/args.yaml").write_text("task: detect\n")
    (runs / "exp1/config.yaml").write_text("model: !!python/name:os.system\n")
    (runs / "events.out.tfevents").write_bytes(b"\0")
    (runs / "latest").symlink_to("exp1")
    laid_out = runforge("experiment", "init")
    assert laid_out.err.count("`Nov28_10-00-00_host`") == 1
    assert runforge("experiment", "init", "--json").json["warnings"]
    assert runforge("experiment", "run", "--experiment", experiment(workspace, "true")).code == 0
    before = tree(workspace)
    result = runforge("experiment", "check")
    assert result.code == 0
    assert "1 run, no findings" in result.out
    assert "\x1b" not in result.err
    report = runforge("experiment", "check", "--json").json
    assert [run["run_id"] for run in report["runs"]] == [f"{DAY}-001"]
    [warning] = report["warnings"]
    assert warning == (
        "`runs/` holds what is no run of an experiment and is left alone: `Nov28_10-00-00_host`,"
        " `a\\x1b[31mb`, `detect`, `exp1`, `latest` and 1 more."
    )
    assert runforge("verify", "--all").code == 0
    assert tree(workspace) == before


# A new repository


@pytest.mark.parametrize("with_git", [True, False])
def test_a_repository_is_laid_out_once(with_git: bool, runforge: Call, workspace: Path) -> None:
    if with_git:
        git(workspace, "init", "-q")
    (workspace / "README.md").write_text("mine")
    (workspace / ".gitattributes").write_text("*.csv text\n")
    result = runforge("experiment", "init")
    assert result.code == 0
    assert "not changed  README.md" in result.out
    assert "runs/*/artifacts/** filter=lfs diff=lfs merge=lfs -text" in result.out
    assert (workspace / "README.md").read_text() == "mine"
    assert (workspace / ".gitattributes").read_text() == "*.csv text\n"
    before = tree(workspace)
    again = runforge("experiment", "init", ".", "--json")
    assert (again.code, again.json["written"]) == (0, [])
    assert len(again.json["kept"]) == 11
    data = (workspace / "data/penguins.csv").read_bytes()
    assert data == (ROOT / "examples/penguins.csv").read_bytes()
    assert tree(workspace) == before
    for name in ("exp-001", "exp-002"):
        call = ("experiment", "run", "--experiment", f"experiments/{name}.yaml", "--dry-run")
        done = runforge(*call)
        assert (done.code, done.err) == (0, "")
    other = runforge("experiment", "init", "deep/er")
    assert other.code == 0
    assert ("is inside the Git repository" in other.err) is with_git
    assert (workspace / "deep/er/tools/run.py").is_file()


def test_nothing_is_laid_out_where_it_cannot_be_whole(runforge: Call, workspace: Path) -> None:
    (workspace / "new").mkdir()
    (workspace / "new/tools").write_text("mine")
    result = runforge("experiment", "init", "new", "--json")
    assert (result.code, result.json["error"]["code"]) == (1, "STORE_NOT_WRITABLE")
    assert [path.name for path in (workspace / "new").iterdir()] == ["tools"]
    (workspace / "linked").mkdir()
    (workspace / "linked/src").symlink_to("../new")
    result = runforge("experiment", "init", "linked", "--json")
    assert (result.code, result.json["error"]["code"]) == (2, "PATH_OUTSIDE_ROOT")
    assert [path.name for path in (workspace / "linked").iterdir()] == ["src"]


def test_a_python_without_runforge_says_what_is_missing(runforge: Call, workspace: Path) -> None:
    assert runforge("experiment", "init").code == 0
    call = [sys.executable, "-I", "-S", "tools/run.py"]  # without what is installed
    done = subprocess.run(call, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == f"RunForge is not installed for this Python, {sys.executable}\n"


def test_the_first_experiment_runs_as_typed_twice(workspace: Path) -> None:
    root = workspace / "repository"
    root.mkdir()
    git(root, "init", "-q")
    command = [sys.executable, "-m", "runforge_cli", "experiment", "init"]
    subprocess.run(command, cwd=root, check=True, capture_output=True)
    for number in (1, 2):
        done = subprocess.run(
            [sys.executable, "tools/run.py", "--experiment", "experiments/exp-001.yaml"],
            cwd=root,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        assert f"Run {DAY}-{number:03}: succeeded" in done.stdout
        assert rules(root, number) == []
        assert (root / f"models/penguins-{DAY}-{number:03}.pkl").is_file()
    assert metrics_of(root, 1) == metrics_of(root, 2)
    assert metrics_of(root)["summary"]["accuracy"] > 0.9
