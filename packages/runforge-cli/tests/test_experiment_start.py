"""What an experiment hands to user code: words of a command, settings, variables, inputs."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from calls import Call
from experiments import DAY, config_of, experiment, folder_of, log_of, metrics_of

TOKEN = "ghp_0123456789abcdefghijABCDEFGHIJ012345"
PARSER = """
import argparse
parser = argparse.ArgumentParser()
parser.add_argument("--lr", type=float)
print("lr", parser.parse_args().lr)
"""


def run(runforge: Call, file: str, *options: str) -> Any:
    """Run an experiment."""
    return runforge("experiment", "run", "--experiment", file, *options)


def plan(runforge: Call, file: str, *options: str) -> Any:
    """Say what would be run."""
    return runforge("experiment", "run", "--experiment", file, "--dry-run", "--json", *options).json


# The words of a command


def words(runforge: Call, workspace: Path, *args: str, number: int = 1, **values: Any) -> list[str]:
    """Return the arguments that user code gets."""
    script = 'for word; do printf "<%s>\\n" "$word"; done'
    command = {"command": ["sh", "exp.yaml.sh"], "args": list(args)}
    file = experiment(workspace, script, run=command, **values)
    result = run(runforge, file)
    assert (result.code, result.err.count("warning")) == (0, 0), result.err
    return log_of(workspace, number).splitlines()


def test_names_in_braces_stand_for_values_of_the_configuration(
    runforge: Call, workspace: Path
) -> None:
    training = {"lr": 1e-4, "name": "größe {seed}", "layers": [1, 2], "deep": {"er-2": None}}
    found = words(
        runforge,
        workspace,
        *("{training.lr}", "--lr={training.lr}", "{training.name}", "{training.layers}"),
        *("{training.deep}", "{training.deep.er-2}", "x {seed} y", "{config}", "{run_id}"),
        "{flag}",
        training=training,
        seed=7,
        flag=True,
    )
    folder = folder_of(workspace)
    assert found == [
        *("<0.0001>", "<--lr=0.0001>", "<größe {seed}>", "<[1, 2]>", '<{"er-2": null}>', "<null>"),
        *("<x 7 y>", f"<{folder}/config.yaml>", f"<{DAY}-001>", "<true>"),
    ]
    # The record has the words as they were written, and the values: so it can be run again.
    again = run(runforge, str(folder / "config.yaml"), "--set", "training.lr=0.5")
    assert again.code == 0
    assert log_of(workspace, 2).splitlines()[0] == "<0.5>"


def test_other_braces_are_left_alone(runforge: Call, workspace: Path) -> None:
    texts = [
        *('{"a": {"b": 1}}', '{"lr":1}', "{}", "{a,b}", "{1..5}", "{{ x }}", "{{.Names}}", "{ x }"),
        *("%{http_code}", "HEAD@{upstream}", "#{x}", "\\frac{x}", "{print $1}", "a{2,3}", "{x:>4}"),
        *("echo {x}; f() {y}", "print(f'{args.x}')"),
    ]
    assert words(runforge, workspace, *texts) == [f"<{text}>" for text in texts]


def test_a_name_in_braces_that_is_meant_as_text_is_doubled(runforge: Call, workspace: Path) -> None:
    found = words(runforge, workspace, "{{seed}}", '{"seed":{seed}}', "{{{seed}}}", seed=1)
    assert found == ["<{seed}>", '<{"seed":1}>', "<{{seed}}>"]


def test_a_value_of_the_surroundings_is_not_looked_at_again(
    runforge: Call, workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TEMPLATE", "{seed} {nothing}")
    found = words(runforge, workspace, "${TEMPLATE}", environment={"TEMPLATE": None}, seed=1)
    assert found == ["<{seed} {nothing}>"]


@pytest.mark.parametrize(
    ("word", "near"),
    [
        ("{trainng.lr}", "`{training.lr}`"),
        ("--x={lr}", "`{training.lr}`"),
        ("{conifg}", "`{config}`"),
        ("{training.lr.x}", "`{training.lr}`"),
        ("{nowhere}", "`{{nowhere}}` stands for the text `{nowhere}`"),
    ],
)
def test_a_name_that_is_unknown_is_a_mistake(
    word: str, near: str, runforge: Call, workspace: Path
) -> None:
    command = {"command": ["echo", word]}
    file = experiment(workspace, "", run=command, training={"lr": 0.1})
    error = plan(runforge, file)["error"]
    assert (error["code"], error["pointer"]) == ("EXPERIMENT_INVALID", "/run/command/1")
    assert near in error["hint"]
    assert not (workspace / "runs").exists()


def test_in_code_of_another_language_an_unknown_name_is_asked_about(
    runforge: Call, workspace: Path
) -> None:
    command = {"command": ["sh", "-c", "echo {lr} {x} {training.lr}"]}
    file = experiment(workspace, "", run=command, training={"lr": 0.1})
    result = run(runforge, file)
    assert result.code == 0
    assert "Did you mean `{training.lr}`?" in result.err
    assert result.err.count("warning") == 1
    assert log_of(workspace) == "{lr} {x} 0.1\n"


# Scripts that take no --config


@pytest.mark.parametrize("start", ["script", "module"])
def test_a_script_may_take_no_config(start: str, runforge: Call, workspace: Path) -> None:
    (workspace / "plain.py").write_text(PARSER)
    named = {"script": "plain.py"} if start == "script" else {"module": "plain"}
    named |= {"args": ["--lr", "{training.lr}"], "config_argument": False}
    file = experiment(workspace, "", run=named, training={"lr": 0.25})
    assert run(runforge, file).code == 0
    assert log_of(workspace) == "lr 0.25\n"
    assert config_of(workspace)["run"]["config_argument"] is False
    again = run(runforge, str(folder_of(workspace) / "config.yaml"))
    assert again.code == 0


def test_a_script_that_refuses_the_config_is_distinguished_from_others(
    runforge: Call, workspace: Path
) -> None:
    (workspace / "plain.py").write_text(PARSER)
    file = experiment(workspace, "", run={"script": "plain.py"})
    result = run(runforge, file)
    assert result.code == 1
    assert "unrecognized arguments: --config" in result.err
    assert "`config_argument: false`" in result.err
    assert "`run.command`" in result.err
    failure = config_of(workspace)["failure"]
    assert "config_argument" in failure["hint"]
    assert "`run.command`" in failure["message"]
    assert "run.command" in runforge("show", "latest").out
    for said in (
        "error: unknown optimizer",
        "error: argument --config: invalid choice: 'x'",
        "unrecognized arguments: --config-dir",
        "unknown optimizer in --config /x",
    ):
        (workspace / "plain.py").write_text(f"raise SystemExit({said!r})")
        assert "config_argument" not in run(runforge, file).err


@pytest.mark.parametrize(
    "said",
    [
        "error: unrecognized arguments: --config /x/config.yaml",
        "error: ambiguous option: --config could match --config-name, --config-dir",
        "Error: No such option: --config",
        "Error: No such option '--config'.",
        "FATAL Flags parsing error: Unknown command line flag 'config'",
        "ERROR: Could not consume arg: --config",
        "ValueError: Some specified arguments are not used by the parser: ['--config', 'x']",
        "getopt.GetoptError: option --config not recognized",
    ],
)
def test_parsers_say_it_in_many_ways(said: str, runforge: Call, workspace: Path) -> None:
    (workspace / "plain.py").write_text(f"import sys; sys.exit({said!r})")
    result = run(runforge, experiment(workspace, "", run={"script": "plain.py"}))
    assert "config_argument: false" in result.err
    command = {"command": [sys.executable, "plain.py"]}
    assert "config_argument" not in run(runforge, experiment(workspace, "", run=command)).err


def test_a_command_has_no_argument_added(runforge: Call, workspace: Path) -> None:
    command = {"command": ["true"], "config_argument": True}
    error = plan(runforge, experiment(workspace, "", run=command))["error"]
    assert (error["code"], error["pointer"]) == ("EXPERIMENT_INVALID", "/run/config_argument")
    assert "`{config}`" in error["hint"]


# Settings


@pytest.mark.parametrize(
    ("setting", "near"),
    [
        ("trainng.epochs=5", "`training.epochs`"),
        ("training.epoch=5", "`training.epochs`"),
        ("epochs=5", "`training.epochs`"),
        ("lr=5", "`training.lr`"),
        ("sead=5", "`seed`"),
        ("run.arg=[x]", "`run.args`"),
        ("unlike.anything=5", "for user code to read"),
    ],
)
def test_a_setting_that_makes_a_new_value_is_asked_about(
    setting: str, near: str, runforge: Call, workspace: Path
) -> None:
    file = experiment(workspace, "true", training={"lr": 0.1})
    reported = plan(runforge, file, "--set", setting)["warnings"]
    assert len([text for text in reported if "--set +" in text and near in text]) == 1
    meant = plan(runforge, file, "--set", f"+{setting}")
    assert not [text for text in meant["warnings"] if "--set" in text]
    assert list(meant["config"]["overrides"]) == [setting.partition("=")[0]]


@pytest.mark.parametrize(
    "setting",
    [
        *("training.lr=1", "training.epochs=1", "seed=3", "notes=x", "environment.OTHER=x"),
        *("training={lr: 2}", "own.deep=1", "own=1", " training.lr =1", "+training.lr=1"),
    ],
)
def test_a_setting_of_a_known_value_is_not(setting: str, runforge: Call, workspace: Path) -> None:
    file = experiment(workspace, "true", training={"lr": 0.1}, own={"deep": 0})
    assert plan(runforge, file, "--set", setting)["warnings"] == []


@pytest.mark.parametrize(
    "settings",
    [
        ("training.lr=1", "training.lr=2"),
        ("training.lr=1", "training.lr=1"),
        ("training.lr=1", "+training.lr=2"),
        ("training.lr=1", "training={lr: 2}"),
        ("training={lr: 2}", "seed=1", "training.epochs=2"),
    ],
)
def test_two_settings_of_one_value_are_refused(
    settings: tuple[str, ...], runforge: Call, workspace: Path
) -> None:
    file = experiment(workspace, "true", training={"lr": 0.1})
    options = [word for setting in settings for word in ("--set", setting)]
    error = plan(runforge, file, *options)["error"]
    assert error["code"] == "USAGE_INVALID"
    assert f"`{settings[0]}`" in error["message"]
    assert f"`{settings[-1]}`" in error["message"]


def test_notes_are_given_once(runforge: Call, workspace: Path) -> None:
    file = experiment(workspace, "true")
    error = plan(runforge, file, "--notes", "a", "--set", "notes=b")["error"]
    assert error["code"] == "USAGE_INVALID"


@pytest.mark.parametrize(
    ("values", "near"),
    [
        ({"enviroment": {"A": "1"}}, "`environment`"),
        ({"config": ["base.yaml"]}, "`configs`"),
        ({"run": {"command": ["true"], "arg": ["x"]}}, "`run.args`"),
    ],
)
def test_a_field_that_is_nearly_ours_is_asked_about(
    values: dict[str, Any], near: str, runforge: Call, workspace: Path
) -> None:
    [reported] = plan(runforge, experiment(workspace, "true", **values))["warnings"]
    assert near in reported


def test_what_may_be_a_mistake_is_reported_before_user_code_starts(workspace: Path) -> None:
    call = [sys.executable, "-P", "-m", "runforge_cli", "experiment", "run"]
    done = subprocess.run(
        [*call, experiment(workspace, "echo started >&2"), "--set", "sead=1"],
        cwd=workspace,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=True,
    )
    assert done.stdout.count("`sead`") == 1
    assert done.stdout.index("`sead`") < done.stdout.index("started")


# The dataset


@pytest.mark.parametrize("name", ["none", "None"])
def test_no_dataset_is_not_worth_a_word(name: str, runforge: Call, workspace: Path) -> None:
    assert plan(runforge, experiment(workspace, "true", dataset=name))["warnings"] == []
    [reported] = plan(runforge, experiment(workspace, "true", dataset="cifar10:v1"))["warnings"]
    assert "`dataset: none`" in reported


@pytest.mark.parametrize(
    ("script", "how"),
    [
        ("echo more >> data.csv", "changed"),
        ("cp data.csv x; sed s/1/2/ x > data.csv; touch -r x data.csv", "changed"),
        ("echo more >> data.csv; exit 3", "changed"),
        ("rm data.csv", "removed"),
    ],
)
def test_a_dataset_that_is_changed_by_its_run_is_noticed(
    script: str, how: str, runforge: Call, workspace: Path
) -> None:
    (workspace / "data.csv").write_text("a\n1\n")
    os.utime(workspace / "data.csv", (1e9, 1e9))
    result = run(runforge, experiment(workspace, script, dataset="data.csv"))
    sentence = f"The dataset `data.csv` was {how} while the run used it"
    assert sentence in result.err
    assert f"runforge: warning: {sentence}" in log_of(workspace)
    recorded = config_of(workspace)["references"]["dataset"]
    assert recorded["bytes"] == 4
    assert ("sha256" in recorded["after"]) is (how == "changed")
    checked = runforge("experiment", "check", "--json")
    [found] = checked.json["runs"][0]["findings"]
    assert (checked.code, found["rule"]) == (1, "experiment.inputs")
    # Also once the file is what it was.
    (workspace / "data.csv").write_text("a\n1\n")
    verified = runforge("verify", f"{DAY}-001", "--json")
    assert verified.code == 1
    [dataset] = [item for item in verified.json["runs"][0]["checks"] if item["check"] == "dataset"]
    assert (dataset["outcome"], dataset["verdict"]) == ("failed", "changed by the run")
    assert "does not change its dataset" in dataset["hint"]
    assert "changed while the run used it" in runforge("show", "latest").out


def test_a_dataset_that_stays_as_it_was_is_not(runforge: Call, workspace: Path) -> None:
    (workspace / "data.csv").write_text("a\n1\n")
    script = "cp data.csv x && cp x data.csv && touch data.csv"
    assert run(runforge, experiment(workspace, script, dataset="data.csv")).err.count("warn") == 0
    assert "after" not in config_of(workspace)["references"]["dataset"]
    assert runforge("experiment", "check").code == 0


# Secrets


def everything(root: Path) -> bytes:
    """Return all that is recorded of all runs."""
    files = (path for path in (root / "runs").rglob("*") if path.is_file())
    return b"".join(path.read_bytes() for path in files if path.name != "seen")


SEEN = 'printf "%s " "$API_TOKEN" "$1" > "$RUNFORGE_ARTIFACTS/seen"'


def test_a_variable_that_looks_like_a_secret_is_used_and_not_recorded(
    runforge: Call, workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("API_TOKEN", "hunter2 or so")
    file = experiment(
        workspace,
        SEEN,
        run={"command": ["sh", "exp.yaml.sh"], "args": ["${API_TOKEN}"]},
        environment={"API_TOKEN": None, "THREADS": "1"},
    )
    result = run(runforge, file)
    assert result.code == 0
    assert "The value of `API_TOKEN` is not recorded: its name is that of a secret." in result.err
    assert "recorded_environment" in result.err
    config = config_of(workspace)
    assert (config["environment"], config["secret_environment"]) == (
        {"THREADS": "1"},
        ["API_TOKEN"],
    )
    assert config["run"]["args"] == ["${API_TOKEN}"]
    seen = (folder_of(workspace) / "artifacts/seen").read_text()
    assert seen == "hunter2 or so hunter2 or so "
    assert b"hunter2" not in everything(workspace)
    assert "hunter2" not in result.out + result.err
    assert runforge("experiment", "check").code == 0
    # Repeated, it must be set anew, and nothing is said any more.
    again = run(runforge, str(folder_of(workspace) / "config.yaml"))
    assert (again.code, again.err.count("warning")) == (0, 0)
    assert b"hunter2" not in everything(workspace)
    monkeypatch.delenv("API_TOKEN")
    missing = run(runforge, str(folder_of(workspace) / "config.yaml"))
    assert missing.code == 2
    assert "`API_TOKEN` is not set" in missing.err


def test_a_value_is_recorded_where_the_experiment_says_so(runforge: Call, workspace: Path) -> None:
    file = experiment(
        workspace, "true", environment={"SORT_KEY": "species"}, recorded_environment=["SORT_KEY"]
    )
    assert run(runforge, file).err.count("warning") == 0
    assert config_of(workspace)["environment"] == {"SORT_KEY": "species"}
    again = run(runforge, str(folder_of(workspace) / "config.yaml"))
    assert again.err.count("warning") == 0
    assert config_of(workspace, 2)["environment"] == {"SORT_KEY": "species"}


def test_a_secret_on_the_command_line_is_not_recorded_either(
    runforge: Call, workspace: Path
) -> None:
    file = experiment(workspace, "true", environment={"A": "1"})
    assert run(runforge, file, "--set", f"environment.A={TOKEN}", "--json").code == 0
    assert run(runforge, file, "--set", f"environment={{A: {TOKEN}}}").code == 0
    assert TOKEN.encode() not in everything(workspace)
    shown = runforge(
        "experiment", "run", "--experiment", file, "--dry-run", "--set", f"environment.A={TOKEN}"
    )
    assert TOKEN not in shown.out + shown.err


def test_a_variable_that_is_set_counts_more_than_its_setting(
    runforge: Call, workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("A", "2")
    file = experiment(workspace, "true", environment={"A": "1"})
    [reported] = plan(runforge, file, "--set", "environment.A='3'")["warnings"]
    assert "`A` is set in the environment, and that counts" in reported
    assert plan(runforge, file, "--set", "environment.A='2'")["warnings"] == []


def test_a_secret_in_another_place_is_reported(runforge: Call, workspace: Path) -> None:
    file = experiment(workspace, "true", training={"tokens": ["x", TOKEN]})
    [reported] = plan(runforge, file)["warnings"]
    assert "`training.tokens` looks like a token of GitHub" in reported
    assert TOKEN not in reported


def test_a_secret_is_filled_in_nowhere_else(
    runforge: Call, workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DB", "hunter2")
    file = experiment(workspace, "true", secret_environment=["DB"], training={"url": "x://${DB}"})
    reported = plan(runforge, file)
    assert reported["config"]["training"]["url"] == "x://${DB}"
    assert reported["warnings"] == [
        "`${DB}` stays as it is but in `run`: the value is not recorded."
    ]


# The code


def test_the_address_of_a_repository_lets_nobody_in(runforge: Call, workspace: Path) -> None:
    git = ["git", "-c", "user.name=a", "-c", "user.email=a@example.org"]
    subprocess.run([*git, "init", "-q"], cwd=workspace, check=True)
    file = experiment(workspace, "true")
    empty = run(runforge, file)
    assert "The commit is not recorded" in empty.err
    assert "code" not in config_of(workspace)
    subprocess.run([*git, "add", "."], cwd=workspace, check=True)
    subprocess.run([*git, "commit", "-qm", "a"], cwd=workspace, check=True)
    subprocess.run([*git, "remote", "add", "origin", "x"], cwd=workspace, check=True)
    for number, (address, recorded, reported) in enumerate(
        [
            ("https://example.org/a.git", "https://example.org/a.git", 0),
            ("https://me@example.org/a.git", "https://example.org/a.git", 0),
            ("git@example.org:a/b.git", "git@example.org:a/b.git", 0),
            ("https://me:pw@example.org/a.git", "https://example.org/a.git", 1),
            (f"https://{TOKEN}@example.org/a", "https://example.org/a", 1),
            ("https://example.org/a.git?private_token=x", "https://example.org/a.git", 1),
            (f"https://example.org/{TOKEN}/a", "https://example.org/REDACTED/a", 1),
            ("me:pw@example.org:a", "example.org:a", 1),
        ],
        2,
    ):
        subprocess.run([*git, "remote", "set-url", "origin", address], cwd=workspace, check=True)
        result = run(runforge, file)
        assert config_of(workspace, number)["code"]["repo"] == recorded
        assert result.err.count("password or a token") == reported, address
        assert TOKEN not in result.err
    (workspace / ".git/HEAD").write_text("ref: refs/heads/nowhere\n")
    assert "The commit is not recorded" in run(runforge, file).err
    (workspace / ".git/HEAD").write_text("nonsense\n")
    assert "The commit is not recorded" in run(runforge, file).err


# Nothing of the workspace runs before user code does


def test_no_file_of_the_repository_stands_for_a_library(workspace: Path) -> None:
    call = [sys.executable, "-P", "-m", "runforge_cli", "experiment", "init"]
    subprocess.run(call, cwd=workspace, check=True, capture_output=True)
    for name in ("json", "csv", "runpy", "click", "numpy", "yaml", "random", "pathlib", "sklearn"):
        for folder in (workspace, workspace / "tools", workspace / "experiments"):
            (folder / f"{name}.py").write_text(f"print('TAKEN {name}'); raise SystemExit(9)")
    (workspace / "experiments/own.yaml").write_text(
        "experiment: own\nmodel: runforge/logistic_regression\ndataset: penguins:v1\n"
        "configs: [configs/base.yaml]\n"
    )
    done = subprocess.run(
        [sys.executable, "tools/run.py", "--experiment", "experiments/own.yaml"],
        cwd=workspace,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, "TAKEN" in done.stdout + done.stderr) == (0, False), done.stderr


# Several processes


def test_two_equal_runs_of_several_processes_have_the_same_metrics(
    runforge: Call, workspace: Path
) -> None:
    worker = """
import sys, time
from runforge_engine.experiment import current_run
rank, pause = int(sys.argv[1]), float(sys.argv[2])
run = current_run()
for step in (1, 3, 2):
    time.sleep(pause)
    run.log_metric("loss", (rank + 1) / step, step)
    run.log_metric("uncounted", rank)
run.log_summary("final", rank)
run.log_parameter("rank", rank)
"""
    (workspace / "worker.py").write_text(worker)
    script = "python worker.py 0 $1 & python worker.py 1 $2 & wait"
    found = []
    for number, pauses in enumerate((("0", "0.1"), ("0.1", "0")), 1):
        command = {"command": ["sh", "-c", script.replace("python", sys.executable), "sh", *pauses]}
        assert run(runforge, experiment(workspace, "", run=command)).code == 0
        found.append((metrics_of(workspace, number), config_of(workspace, number)["parameters"]))
    assert json.dumps(found[0]) == json.dumps(found[1])
    summary = {"loss": 2 / 3, "uncounted": 1, "final": 1}
    assert (found[0][0]["summary"], found[0][1]) == (summary, {"rank": 1})
    shown = runforge("show", "latest").out
    assert "0.6667" in shown
    assert "0.6667" in runforge("runs", "--csv").out.replace("0.6666666666666666", "0.6667")


# What a person gets wrong


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("run: src/train.py", "`run: {script: src/train.py}`"),
        ("run: {script: 'train.py --lr 3'}", "the arguments of `train.py` under `args`"),
        ("run: {command: 'python train.py'}", "an item for each word"),
        ("run: {command: [sleep, 1]}", '`"1"`'),
        ("run: {module: train.py}", "`script: train.py`"),
        ("run: {scirpt: train.py}", "One of `script`, `module` and `command`"),
        ("run: {script: train.py, module: train}", "in one way"),
        ("run: {command: [./train.py]}", "cannot be executed"),
        ("run: {command: ['python train.py && true']}", "`[sh, -c, ...]`"),
        ("environment: [HOME]", "`environment: {OMP_NUM_THREADS"),
        ("environment: {A: 1}", '`"1"`'),
        ("secret_environment: {A: null}", "`secret_environment: [API_TOKEN]`"),
        ("datasets: [a.csv]", "`datasets: {'penguins:v1': data/penguins.csv}`"),
        ("copy_models: [artifacts/x]", "`copy_models: {artifacts/model.pkl:"),
        ("dataset:", "`dataset: none`"),
        ("dataset: pengiuns.csv\ndatasets: {pengiuns.csv: pengiuns.csv}", "`penguins.csv`"),
    ],
)
def test_a_file_that_is_wrong_gets_a_hint(
    text: str, hint: str, runforge: Call, workspace: Path
) -> None:
    (workspace / "train.py").write_text("")
    lines = {"run": "run: {script: train.py}", "dataset": "dataset: none"}
    for name in [name for name in lines if text.startswith(f"{name}:")]:
        del lines[name]
    whole = "\n".join(("experiment: a", "model: b", *lines.values(), text))
    (workspace / "exp.yaml").write_text(whole)
    result = run(runforge, "exp.yaml", "--dry-run")
    assert (result.code in (2, 3), hint in result.err) == (True, True), result.err
    assert "Traceback" not in result.err


def test_an_experiment_is_found_by_what_was_nearly_typed(runforge: Call, workspace: Path) -> None:
    assert "experiment init" in runforge("experiment", "run").err
    assert runforge("experiment", "init").code == 0
    for words, hint in (
        ((), "Experiment files: `experiments/exp-001.yaml`, `experiments/exp-002.yaml`."),
        (("exp-01.yaml",), "Did you mean `experiments/exp-001.yaml`?"),
        (("--experiment", "exp-002"), "Did you mean `experiments/exp-002.yaml`?"),
        (("src/train.py",), "`run: {script: src/train.py}`"),
        (("a.yaml", "--experiment", "b.yaml"), "Experiment files: `experiments/exp-001.yaml`"),
    ):
        result = runforge("experiment", "run", *words)
        assert (result.code in (2, 3), hint in result.err) == (True, True), result.err
    assert runforge("experiment", "run", "experiments/exp-001.yaml", "--dry-run").code == 0
    assert run(runforge, experiment(workspace, "true")).code == 0
    for name in (f"{DAY}-001", f"runs/{DAY}-001", f"runs/{DAY}-001/"):
        result = runforge("experiment", "run", name)
        assert f"`runforge experiment run runs/{DAY}-001/config.yaml` repeats the run" in result.err
    assert "not a regular file" in runforge("experiment", "run", "experiments").err
