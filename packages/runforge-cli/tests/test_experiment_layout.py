"""The full layout of a repository, judged by what the TFC doctor requires."""

from __future__ import annotations

import hashlib
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from calls import Call
from experiments import DAY, config_of, experiment, folder_of
from runforge_contracts.codec.strict_json import encode_json, parse_json
from runforge_contracts.codec.strict_yaml import encode_yaml, parse_yaml

FOLDERS = (
    *("configs", "data", "datasets", "docs", "environments", "experiments", "models", "runs"),
    *("scripts", "spaces", "src", "tools"),
)
FILES = (
    *("README.md", "requirements.txt", "requirements-dev.txt", "requirements-gpu.txt"),
    *(".gitignore", ".gitattributes", ".lfsconfig", "environments/system.yaml"),
)
NAME, VERSION = r"[a-z0-9]+(?:-[a-z0-9]+)*", r"v[0-9]+"


# The doctor, by its rules


def doctor(root: Path) -> tuple[list[str], list[str]]:
    """Return the errors and the warnings on a repository, as the TFC doctor has them."""
    errors = [f"no {name}/" for name in FOLDERS if not (root / name).is_dir()]
    errors += [f"no {name}" for name in FILES if not (root / name).is_file()]
    if errors:
        return errors, []
    for folder in versions(root / "datasets", errors):
        errors += dataset_errors(folder)
    for folder in versions(root / "models", errors):
        errors += model_errors(folder)
    warnings = []
    for run in visible(root / "runs"):
        errors += run_errors(root, run)
        if not (run / "log.txt").is_file():
            warnings.append(f"{run.name} has no log.txt")
    return errors, warnings


def visible(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if not path.name.startswith("."))


def versions(folder: Path, errors: list[str]) -> Iterator[Path]:
    """Yield the versions of datasets or models; other files are errors."""
    for named in visible(folder):
        if not named.is_dir() or not re.fullmatch(NAME, named.name):
            errors.append(f"{named.name} is no name of a folder")
            continue
        for version in visible(named):
            if version.is_dir() and re.fullmatch(VERSION, version.name):
                yield version
            else:
                errors.append(f"{named.name}/{version.name} is no version")


def lacking(path: Path, members: Mapping[str, type]) -> list[str]:
    """Return what a YAML file lacks of members, and those of another type."""
    if not path.is_file():
        return [f"no {path.name}"]
    found = parse_yaml(path.read_bytes())
    return [
        f"{path.name}: {name}"
        for name, kind in members.items()
        if not isinstance(found, dict) or not isinstance(found.get(name), kind)
    ]


def dataset_errors(folder: Path) -> list[str]:
    errors = [f"no {name}" for name in ("train", "val", "test") if not (folder / name).is_dir()]
    words = dict.fromkeys(("name", "version", "created_at", "description"), str)
    errors += lacking(folder / "metadata.yaml", {**words, "source": dict, "hash": dict})
    if errors:
        return errors
    metadata = parse_yaml((folder / "metadata.yaml").read_bytes())
    if (metadata["name"], metadata["version"]) != (folder.parent.name, folder.name):
        errors.append("metadata.yaml is of another version")
    if set(metadata["source"]) != {"type", "uri", "license"}:
        errors.append("the source is not described")
    if metadata["hash"].get("algorithm") != "sha256" or not re.fullmatch(
        "[0-9a-f]{64}", str(metadata["hash"].get("value"))
    ):
        errors.append("there is no digest")
    return errors


def model_errors(folder: Path) -> list[str]:
    errors = [] if list(folder.glob("model.*")) else ["no model"]
    errors += [] if (folder / "card.md").is_file() else ["no card.md"]
    errors += lacking(folder / "metrics.yaml", {"primary_metric": dict})
    words = dict.fromkeys(("name", "version", "created_at", "run_id"), str)
    return errors + lacking(folder / "metadata.yaml", {**words, "dataset": dict, "code": dict})


def run_errors(root: Path, run: Path) -> list[str]:
    if not re.fullmatch(r"run-\d{4}-\d\d-\d\d-\d{3,}", run.name) or not run.is_dir():
        return [f"{run.name} is no run"]
    words = dict.fromkeys(("run_id", "experiment", "model", "dataset"), str)
    errors = lacking(run / "config.yaml", words)
    if errors:
        return errors
    config = parse_yaml((run / "config.yaml").read_bytes())
    if config["run_id"] != run.name:
        errors.append("config.yaml is of another run")
    dataset, _, version = config["dataset"].partition(":")
    if not (root / "datasets" / dataset / version / "metadata.yaml").is_file() or not version:
        errors.append(f"{config['dataset']} is no version of a dataset")
    for name, members in (
        ("metrics.json", {"summary": dict, "history": dict}),
        ("system.json", {"os": str, "python": str, "frameworks": dict, "hardware": dict}),
    ):
        if (run / name).exists():
            document = parse_json((run / name).read_bytes())
            errors += [
                f"{name}: {key}"
                for key, kind in members.items()
                if not isinstance(document.get(key), kind)
            ]
    return errors


# What it says


def tree(root: Path) -> dict[str, bytes]:
    return {
        path.relative_to(root).as_posix(): path.read_bytes()
        for path in sorted(root.rglob("*"))
        if path.is_file() and ".git" not in path.relative_to(root).parts
    }


def git(root: Path, *words: str) -> str:
    call = ["git", "-c", "user.name=a", "-c", "user.email=a@example.org", *words]
    return subprocess.run(call, cwd=root, check=True, capture_output=True, text=True).stdout


def test_the_doctor_is_content_with_the_full_layout_and_its_runs(
    runforge: Call, workspace: Path
) -> None:
    git(workspace, "init", "-q")
    assert runforge("experiment", "init", "--full").code == 0
    assert doctor(workspace) == ([], [])
    # Git keeps no empty folders, so the doctor looks at a clone.
    git(workspace, "add", "--all")
    git(workspace, "commit", "-qm", "a")
    clone = workspace.parent / f"{workspace.name}-clone"
    git(workspace, "clone", "-q", ".", str(clone))
    assert doctor(clone) == ([], [])
    for number in (1, 2):
        done = subprocess.run(
            [sys.executable, "tools/run.py", "--experiment", f"experiments/exp-00{number}.yaml"],
            cwd=clone,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        assert done.stderr.count("warning") == 0, done.stderr
        assert config_of(clone, number)["dataset"] == "penguins:v1"
    assert doctor(clone) == ([], [])
    checked = runforge("experiment", "check", "--workspace", str(clone))
    assert (checked.code, checked.err) == (0, "")
    shutil.rmtree(clone)


def remove(path: str) -> Callable[[Path], object]:
    def change(root: Path) -> None:
        target = root / path
        shutil.rmtree(target) if target.is_dir() else target.unlink()

    return change


def set_in(path: str, **values: Any) -> Callable[[Path], object]:
    def change(root: Path) -> None:
        file = root / path
        yaml = file.suffix == ".yaml"
        document = (parse_yaml if yaml else parse_json)(file.read_bytes()) | values
        file.write_bytes((encode_yaml if yaml else encode_json)(document))

    return change


RUN = f"runs/{DAY}-001"
METADATA = "datasets/penguins/v1/metadata.yaml"


@pytest.mark.parametrize(
    "change",
    [
        *(remove(name) for name in (*FOLDERS, *FILES)),
        *(remove(f"datasets/penguins/v1/{name}") for name in ("train", "val", "test")),
        remove(METADATA),
        set_in(METADATA, version="v2"),
        set_in(METADATA, hash={}),
        remove(f"{RUN}/config.yaml"),
        set_in(f"{RUN}/config.yaml", dataset="none"),
        set_in(f"{RUN}/config.yaml", dataset="penguins:v2"),
        set_in(f"{RUN}/metrics.json", summary=[]),
        remove(f"{RUN}/log.txt"),
        lambda root: (root / "models/a.pkl").write_bytes(b""),
        lambda root: (root / "models/a/v1").mkdir(parents=True),
    ],
)
def test_the_doctor_notices_what_is_missing(
    change: Callable[[Path], object], runforge: Call, workspace: Path
) -> None:
    assert runforge("experiment", "init", "--full").code == 0
    script = 'echo "{\\"metric\\": \\"a\\", \\"value\\": 1}" >> "$RUNFORGE_METRICS"'
    file = experiment(workspace, script, dataset="penguins:v1", configs=["configs/base.yaml"])
    assert runforge("experiment", "run", file).code == 0
    assert doctor(workspace) == ([], [])
    change(workspace)
    errors, warnings = doctor(workspace)
    assert len(errors) + len(warnings) >= 1


def test_a_full_layout_changes_nothing_that_is_there(runforge: Call, workspace: Path) -> None:
    assert runforge("experiment", "init").code == 0
    (workspace / "requirements.txt").write_text("mine\n")
    before = tree(workspace)
    added = runforge("experiment", "init", "--full", "--json").json
    after = tree(workspace)
    assert {name: after[name] for name in before} == before
    assert set(added["written"]) == set(after) - set(before)
    changed = {"README.md", ".gitattributes", "configs/base.yaml", "requirements.txt"}
    assert changed < set(added["kept"])
    assert "datasets/** -text" in added["missing_attributes"]
    again = runforge("experiment", "init", "--full", "--json").json
    assert again["written"] == []
    assert tree(workspace) == after
    # The experiments of the plain layout still find their data.
    plan = ("experiment", "run", "experiments/exp-001.yaml", "--dry-run")
    assert runforge(*plan).code == 0


def test_two_full_layouts_have_the_same_bytes(runforge: Call, workspace: Path) -> None:
    for name in ("a", "b"):
        assert runforge("experiment", "init", "--full", name).code == 0
    assert tree(workspace / "a") == tree(workspace / "b")


def test_the_version_of_the_dataset_is_all_of_the_data_once(
    runforge: Call, workspace: Path
) -> None:
    assert runforge("experiment", "init", "--full").code == 0
    assert runforge("experiment", "init", "plain").code == 0
    folder = workspace / "datasets/penguins/v1"
    header, *rows = (workspace / "plain/data/penguins.csv").read_bytes().splitlines()
    parts = [
        (folder / name / "penguins.csv").read_bytes().splitlines()
        for name in ("train", "val", "test")
    ]
    assert [part[0] for part in parts] == [header] * 3
    assert sorted(row for part in parts for row in part[1:]) == sorted(rows)
    for part in parts:
        assert {row.split(b",")[0] for row in part[1:]} == {b"Adelie", b"Chinstrap", b"Gentoo"}
    # The digest by the words of the specification.
    lines = sorted(
        (path.relative_to(folder).as_posix(), hashlib.sha256(path.read_bytes()).hexdigest())
        for path in folder.rglob("*.csv")
    )
    listing = "".join(f"{digest}  {name}\n" for name, digest in lines)
    metadata = parse_yaml((folder / "metadata.yaml").read_bytes())
    assert metadata["hash"]["value"] == hashlib.sha256(listing.encode()).hexdigest()


def test_large_files_alone_go_to_git_lfs(runforge: Call, workspace: Path) -> None:
    git(workspace, "init", "-q")
    assert runforge("experiment", "init", "--full").code == 0
    names = {
        "models/a/v1/model.pkl": "lfs",
        "runs/run-2026-02-01-001/artifacts/model.pkl": "lfs",
        "models/a/v1/card.md": "unspecified",
        "models/a/v1/metadata.yaml": "unspecified",
        "models/.gitkeep": "unspecified",
        "runs/run-2026-02-01-001/config.yaml": "unspecified",
        "datasets/penguins/v1/train/penguins.csv": "unspecified",
    }
    for name, expected in names.items():
        assert git(workspace, "check-attr", "filter", name).split()[-1] == expected, name
    assert git(workspace, "config", "--file", ".lfsconfig", "--list") == ""


# The second log


def test_log_txt_is_the_log_where_it_is_asked_for(runforge: Call, workspace: Path) -> None:
    file = experiment(workspace, "echo said; exit 3", log_txt=True)
    assert runforge("experiment", "run", file).code == 1
    folder = folder_of(workspace)
    log = (folder / "logs.txt").read_bytes()
    assert log.splitlines()[-1].startswith(b"runforge: failed: ")
    assert (folder / "log.txt").read_bytes() == log
    assert not (folder / "log.txt").samefile(folder / "logs.txt")
    manifest = parse_json((folder / "manifest.json").read_bytes())["files"]
    assert manifest["log.txt"] == manifest["logs.txt"]
    assert runforge("verify", folder.name).code == 0
    # A run that is repeated has it, too, unless the option says otherwise.
    config = str(folder / "config.yaml")
    assert runforge("experiment", "run", config).code == 1
    assert (folder_of(workspace, 2) / "log.txt").is_file()
    assert runforge("experiment", "run", config, "--set", "log_txt=false").code == 1
    assert not (folder_of(workspace, 3) / "log.txt").exists()
    (folder / "log.txt").write_bytes(log + b"more\n")
    assert runforge("verify", folder.name).code == 1


@pytest.mark.parametrize("values", [{}, {"log_txt": False}, {"log_txt": None}])
def test_there_is_one_log_otherwise(
    values: dict[str, Any], runforge: Call, workspace: Path
) -> None:
    assert runforge("experiment", "run", experiment(workspace, "echo a", **values)).code == 0
    assert not (folder_of(workspace) / "log.txt").exists()


@pytest.mark.parametrize(
    "script",
    [
        'echo mine > "$RUNFORGE_RUN_DIR/log.txt"',
        'ln -s "$RUNFORGE_WORKSPACE/elsewhere" "$RUNFORGE_RUN_DIR/log.txt"',
        'mkdir "$RUNFORGE_RUN_DIR/log.txt"',
    ],
)
def test_a_log_txt_of_user_code_is_left(script: str, runforge: Call, workspace: Path) -> None:
    result = runforge("experiment", "run", experiment(workspace, script, log_txt=True))
    assert result.code == 0
    assert "`log.txt`" in result.err
    assert not (workspace / "elsewhere").exists()
    written = folder_of(workspace) / "log.txt"
    assert not written.is_file() or written.read_bytes() == b"mine\n"


def test_a_wrong_log_txt_is_refused(runforge: Call, workspace: Path) -> None:
    file = experiment(workspace, "true", log_txt="yes")
    result = runforge("experiment", "run", file)
    assert result.code == 2
    assert "/log_txt" in result.err
    assert not (workspace / "runs").exists()
