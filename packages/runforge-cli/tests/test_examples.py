"""The examples of every help page work as they are printed, and its options say what they take."""

from __future__ import annotations

import shlex
import shutil
from pathlib import Path

import click
import pytest
from calls import Call
from help_reference import HelpPage, help_pages
from real_store import start, training
from runforge_cli.shell.help_page import Command
from runforge_engine.modeling.configuration import DEFAULT_FAMILY, DEFAULT_SEED, PROFILES
from runforge_engine.modeling.families import FAMILIES
from tracking_stores import Run, write_files

#: What every workspace of an example has; the options exclude what is no number.
DATA = ("penguins.csv", "--label", "species", "--exclude", "island", "--exclude", "sex")
PREPARED = (
    ("train", *DATA, "--param", "C=0.01", "--name", "careful", "--tag", "first"),
    ("train", *DATA, "--model", "random_forest", "--preset", "fast"),
    ("sweep", *DATA, "--grid", "C=0.1,1", "--jobs", "1"),
    ("sweep", *DATA, "--grid", "C=0.1,1", "--save", "plan.json"),
    ("alias", "production", "best"),
    ("keygen",),
    ("sign", "production", "--key", "runforge.key"),
    ("bundle", "production", "--with-dataset", "-o", "model.rfz"),
    ("experiment", "init"),
    ("prepare", "penguins.csv", "--label", "species", "-o", "ready.csv"),
    ("keygen", "--out", "grace.key"),
    ("train", *DATA, "--seed", "2", "--name", "put away"),
    ("store", "archive", "name:put away", "--to", "old-runs"),
    ("train", *DATA, "--seed", "1", "--workspace", "shared/grace"),
    ("sign", "latest", "--key", "grace.key", "--workspace", "shared/grace"),
)
#: Examples that need what a workspace does not have, and where they are run; here only parsed.
PARSED = {
    "runforge browse": "needs a terminal: test_browse_terminal.py",
    "runforge export --to mlflow -o mlruns": "needs the extra mlflow: test_export_mlflow.py",
    "runforge serve --stdio": "needs a client that speaks JSON-RPC: test_serve.py",
    "runforge ui": "serves until it is stopped: test_ui_process.py",
    "runforge ui --allow-train": "serves until it is stopped: test_ui_process.py",
    "runforge ui --no-open --port 8080": "serves until it is stopped: test_ui_process.py",
    "runforge cancel": "needs a run in progress: test_a_run_in_progress_is_cancelled",
}


PAGES = list(help_pages())
EXAMPLES = [
    (page.path, example)
    for page in PAGES
    for example in (page.command.examples if isinstance(page.command, Command) else ())
]


@pytest.fixture(scope="session")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a workspace with everything that an example names; nobody changes it."""
    folder = tmp_path_factory.mktemp("examples")
    root = Path(__file__).parents[3]
    shutil.copyfile(root / "examples/penguins.csv", folder / "penguins.csv")
    shutil.copyfile(root / "examples/penguins.csv", folder / "new.csv")
    (folder / "titanic.csv").write_text(
        "age,sex,survived\n" + "".join(f"{20 + at},{'fm'[at % 2]},{at % 2}\n" for at in range(30))
    )
    (folder / "shared/grace").mkdir(parents=True)
    shutil.copyfile(root / "examples/penguins.csv", folder / "shared/grace/penguins.csv")
    write_files(folder, [Run("83af8e5234584a6491ce1ea182f3ad2c")])
    for arguments in PREPARED:
        process = start(folder, *arguments)
        assert process.wait() == 0, arguments
    run = min((folder / ".runforge/runs").iterdir())
    shutil.copyfile(run / "request.json", folder / "request.json")
    shutil.copyfile(run / "artifacts/model.pkl", folder / "downloaded.pkl")
    assert start(folder, "experiment", "run", "experiments/exp-001.yaml").wait() == 0
    return folder


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.path)
def test_every_command_has_examples(page: HelpPage) -> None:
    assert isinstance(page.command, Command)
    assert 1 <= len(page.command.examples) <= 3
    for example in page.command.examples:
        assert example.startswith(page.path)
        assert max(map(len, example.splitlines())) <= 78
    section = page.text.rpartition("\nExamples:\n")[2]
    printed = "\n".join(line.removeprefix("  ") for line in section.splitlines())
    assert printed == "\n".join(page.command.examples)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.path)
def test_every_example_is_parsed(page: HelpPage) -> None:
    for path, example in EXAMPLES:
        if path == page.path and not isinstance(page.command, click.Group):
            words = words_of(example)[len(path.split()) :]
            page.command.make_context(None, words, parent=page.context.parent)


@pytest.mark.slow
@pytest.mark.timeout(300)  # an example that serves would go on for ever: it belongs to PARSED
@pytest.mark.parametrize("example", sorted({example for _, example in EXAMPLES} - PARSED.keys()))
def test_every_example_works(
    example: str,
    prepared: Path,
    workspace: Path,
    runforge: Call,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    shutil.copytree(prepared, workspace, dirs_exist_ok=True)
    monkeypatch.delenv("SOURCE_DATE_EPOCH")
    done = runforge(*words_of(example)[1:])
    assert done.code == 0, done.err


def words_of(example: str) -> list[str]:
    """Return an example as a shell splits it."""
    return shlex.split(example.replace("\\\n", ""))


def test_only_examples_are_named_as_parsed() -> None:
    assert PARSED.keys() <= {example for _, example in EXAMPLES}


def test_a_run_in_progress_is_cancelled(workspace: Path, runforge: Call) -> None:
    with training(workspace) as (process, _):
        assert runforge("cancel").code == 0
        assert process.wait() == 5


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.path)
def test_every_option_says_whether_it_is_repeatable(page: HelpPage) -> None:
    records = help_records(page)
    for option in page.command.params:
        if isinstance(option, click.Option):
            text = next(records[name] for name in option.opts if name in records)
            assert ("repeatable]" in text) == option.multiple
            assert text.lower().count("repeatable") == option.multiple


def help_records(page: HelpPage) -> dict[str, str]:
    """Return the text of each option on a help page, on one line."""
    section = page.text.partition("\nOptions:\n")[2].partition("\n\n")[0]
    found: dict[str, str] = {}
    name = ""
    for line in section.splitlines():
        if line.startswith("  -"):
            name = next(word for word in line.replace(",", " ").split() if word.startswith("--"))
            found[name] = ""
        found[name] += f" {line.strip()}"
    return found


@pytest.mark.parametrize("command", ["train", "rerun", "sweep"])
def test_the_help_of_a_training_has_the_tables_of_the_engine(command: str, runforge: Call) -> None:
    text = runforge(command, "--help").out.partition("Models, presets and profiles:")[2]
    models = [" ".join(part.split()) for part in text.split("\n  --model ")[1:]]
    assert [part.split()[0] for part in models] == list(FAMILIES)
    for part, family in zip(models, FAMILIES.values(), strict=True):
        for name, parameter in family.hyperparameters.items():
            assert f"--param {name}=" in part
            assert all(choice in part for choice in parameter.choices)
        for name, values in family.presets.items():
            given = ", ".join(f"{key}={value}" for key, value in values.items()) or "nothing"
            assert f"--preset {name} {given} -" in f"{part} -"
    for name, profile in PROFILES.items():
        holders = [
            list(FAMILIES)[at] for at, part in enumerate(models) if f"--profile {name}" in part
        ]
        assert holders == ([profile.family] if profile.family else list(FAMILIES))


def test_the_defaults_of_a_training_are_those_of_the_engine(runforge: Call) -> None:
    [train] = [page for page in PAGES if page.path == "runforge train"]
    [rerun] = [page for page in PAGES if page.path == "runforge rerun"]
    records = help_records(train)
    assert f"[default: that of the profile, else {DEFAULT_FAMILY}]" in records["--model"]
    assert f"[default: {DEFAULT_SEED};" in records["--seed"]
    request = runforge("train", *DATA, "--json").json["result"]["effective_config"]
    assert f"[default: {request['preset']}]" in records["--preset"]
    assert f"[default: {request['device']['type']}]" in records["--device"]
    for name in ("--model", "--preset", "--seed", "--device"):
        assert "default" not in help_records(rerun)[name]


def test_a_profile_wins_over_a_preset(runforge: Call) -> None:
    for arguments in (("--preset", "thorough"), ("--preset", "thorough", "--profile", "fast")):
        run = runforge("train", *DATA, *arguments, "--json").json["run_id"]
        used = runforge("show", run, "--json").json["run"]["hyperparameters"]
        [value] = [item for item in used if item["name"] == "max_iter"]
        expected = (50, "profile") if "--profile" in arguments else (2000, "preset")
        assert (value["value"], value["source"]) == expected
