"""Experiment files: their contents after merging, and all mistakes in them."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import Any

import pytest
from runforge_contracts.codec.strict_yaml import MAX_YAML_BYTES, encode_yaml
from runforge_contracts.errors import ErrorCode, RunForgeError
from runforge_engine.experiment.run.resolve import Materialised, materialise

BASIC = """
experiment: exp-001
model: resnet50:v1
dataset: cifar10:v1
run: {command: [sh, -c, "true"]}
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Return an empty repository."""
    return tmp_path


def write(root: Path, **files: str) -> None:
    """Write files by their names, in which `__` stands for `/`; all of them are YAML."""
    for name, text in files.items():
        path = root / f"{name.replace('__', '/')}.yaml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")


def read(root: Path, text: str = BASIC, **options: Any) -> Materialised:
    """Return the experiment that is read from this text."""
    write(root, exp=text)
    return materialise(root / "exp.yaml", root, **{"surroundings": {"PATH": os.defpath}, **options})


def refused(root: Path, text: str, **options: Any) -> RunForgeError:
    """Return the error that an experiment with this text is."""
    with pytest.raises(RunForgeError) as caught:
        read(root, text, **options)
    before = {path for path in root.rglob("*") if path.name == "runs"}
    assert before == set()
    return caught.value


def messages(error: RunForgeError) -> str:
    """Return everything that an error tells."""
    return "\n".join((error.message, *(problem.message for problem in error.problems)))


def test_files_are_laid_over_each_other_and_the_experiment_over_them(root: Path) -> None:
    write(
        root,
        configs__base="training: {epochs: 1, batch_size: 8, deep: {a: 1, b: [1, 2]}}\nextra: base",
        configs__more="configs: [configs/base.yaml]\ntraining: {epochs: 2, deep: {b: [3]}}",
    )
    text = f"configs: [configs/base.yaml, configs/more.yaml]\ntraining: {{epochs: 3}}{BASIC}"
    config = read(root, text).config
    assert config["training"] == {"epochs": 3, "batch_size": 8, "deep": {"a": 1, "b": [3]}}
    assert config["extra"] == "base"
    assert "configs" not in config
    digest = hashlib.sha256((root / "configs/base.yaml").read_bytes()).hexdigest()
    assert config["references"]["configs/base.yaml"]["sha256"] == digest
    assert config["experiment_file"]["path"] == "exp.yaml"


def test_values_of_the_command_line_take_precedence_and_are_recorded(root: Path) -> None:
    settings = ["training.epochs=3", "training.new.rate=1e-4", "tags=[a, b]", "name='007'"]
    config = read(root, f"training: {{epochs: 1, keep: yes}}{BASIC}", settings=settings).config
    assert config["training"] == {"epochs": 3, "keep": "yes", "new": {"rate": 1e-4}}
    assert (config["tags"], config["name"]) == (["a", "b"], "007")
    assert config["overrides"]["training.epochs"] == 3


@pytest.mark.parametrize(
    ("setting", "code"),
    [
        ("epochs", ErrorCode.USAGE_INVALID),
        ("=1", ErrorCode.USAGE_INVALID),
        ("a..b=1", ErrorCode.USAGE_INVALID),
        ("run_id=run-2026-02-01-001", ErrorCode.USAGE_INVALID),
        ("configs=[a]", ErrorCode.USAGE_INVALID),
        ("experiment.name=1", ErrorCode.USAGE_INVALID),
        ("x=!!python/object/apply:os.system [id]", ErrorCode.YAML_TAG_REFUSED),
        ("x=.nan", ErrorCode.YAML_NUMBER_INVALID),
        ("training.epochs=many", ErrorCode.DOCUMENT_INVALID),
        (f"{'a.' * 5000}a=1", ErrorCode.USAGE_INVALID),
    ],
)
def test_a_setting_that_makes_no_sense_is_refused(root: Path, setting: str, code: str) -> None:
    assert refused(root, BASIC, settings=[setting]).code == code


def test_declared_variables_are_filled_in_and_recorded(root: Path) -> None:
    text = (
        f"environment: {{WHERE: data, LEVEL: '1'}}\npath: ${{WHERE}}/x-${{OTHER}}-${{LEVEL}}{BASIC}"
    )
    found = read(root, text, surroundings={"PATH": os.defpath, "WHERE": "mnt", "OTHER": "no"})
    assert found.config["path"] == "mnt/x-${OTHER}-1"
    assert found.config["environment"] == found.environment == {"WHERE": "mnt", "LEVEL": "1"}
    assert "`${OTHER}` stays as it is" in " ".join(found.warnings)


def test_a_value_that_was_filled_in_is_not_looked_at_again(root: Path) -> None:
    text = f"environment: {{A: null, B: b}}\nx: ${{A}}{BASIC}"
    found = read(root, text, surroundings={"PATH": os.defpath, "A": "${B}"})
    assert found.config["x"] == "${B}"


@pytest.mark.parametrize(
    ("declared", "word"),
    [
        ("{NEEDED: null}", "`NEEDED` is not set"),
        ("{RUNFORGE_RUN_ID: x}", "`RUNFORGE_RUN_ID` cannot be declared"),
        ("{'A B': x}", "`A B` cannot be declared"),
        ("{'A=B': x}", "`A=B` cannot be declared"),
        ("{A: 3}", "expected"),
        ("[A]", "expected"),
        ('{A: "\\0"}', "not valid UTF-8"),
    ],
)
def test_a_variable_that_cannot_be_is_refused(root: Path, declared: str, word: str) -> None:
    assert word in messages(refused(root, f"environment: {declared}{BASIC}"))


def test_a_dataset_stands_for_the_file_that_its_name_is_listed_with(root: Path) -> None:
    (root / "data").mkdir()
    (root / "data/x.csv").write_bytes(b"a,b\n1,2\n")
    listed = read(root, f"datasets: {{cifar10:v1: data/x.csv}}{BASIC}")
    by_path = read(root, BASIC.replace("cifar10:v1", "data/x.csv"))
    for found in (listed, by_path):
        assert found.config["references"]["dataset"] == {
            "path": "data/x.csv",
            "sha256": hashlib.sha256(b"a,b\n1,2\n").hexdigest(),
            "bytes": 8,
        }
        assert found.dataset == root.resolve() / "data/x.csv"
        assert found.warnings == ()
    assert "only a name" in read(root).warnings[0]
    folder = read(root, BASIC.replace("cifar10:v1", "data"))
    assert folder.config["references"]["dataset"] == {"path": "data"}


def test_a_dataset_that_should_be_there_and_is_not_is_missed(root: Path) -> None:
    (root / "data").mkdir()
    error = refused(root, BASIC.replace("cifar10:v1", "data/pengiuns.csv"))
    assert error.code is ErrorCode.DATASET_NOT_FOUND
    error = refused(root, f"datasets: {{cifar10:v1: x.csv}}{BASIC}")
    assert (error.code, error.location.pointer) == (
        ErrorCode.DATASET_NOT_FOUND,
        "/datasets/cifar10:v1",
    )
    error = refused(root, f"models: {{resnet50:v1: x.pt}}{BASIC}")
    assert error.code is ErrorCode.FILE_NOT_FOUND


@pytest.mark.parametrize(
    "text",
    [
        "configs: [../base.yaml]" + BASIC,
        "configs: [configs/../../base.yaml]" + BASIC,
        "configs: [/etc/passwd]" + BASIC,
        "configs: [out/base.yaml]" + BASIC,
        'configs: ["a\\0b"]' + BASIC,
        "datasets: {cifar10:v1: ../data.csv}" + BASIC,
        "datasets: {cifar10:v1: out/data.csv}" + BASIC,
        BASIC.replace("cifar10:v1", "../data.csv"),
        BASIC.replace("cifar10:v1", "out/data.csv"),
        BASIC.replace("resnet50:v1", "../model.pt"),
        BASIC.replace('{command: [sh, -c, "true"]}', "{script: ../train.py}"),
        BASIC.replace('{command: [sh, -c, "true"]}', "{script: out/train.py}"),
        "copy_models: {artifacts/a: ../a}" + BASIC,
        "copy_models: {artifacts/a: models/../src/a}" + BASIC,
        "copy_models: {artifacts/a: src/a}" + BASIC,
        "copy_models: {artifacts/a: models}" + BASIC,
        "copy_models: {../a: models/a}" + BASIC,
        "copy_models: {artifacts/../config.yaml: models/a}" + BASIC,
        "copy_models: {config.yaml: models/a}" + BASIC,
    ],
)
def test_what_leads_out_is_refused(tmp_path: Path, text: str) -> None:
    root, outside = tmp_path / "repository", tmp_path / "outside"
    root.mkdir()
    outside.mkdir()
    for name in ("base.yaml", "data.csv", "train.py"):
        (tmp_path / name).write_text("")
        (outside / name).write_text("")
    (tmp_path / "model.pt").write_text("")
    (root / "out").symlink_to(outside)
    assert refused(root, text).code is ErrorCode.PATH_OUTSIDE_ROOT


def test_files_that_go_in_a_circle_are_refused(root: Path) -> None:
    write(root, a="configs: [b.yaml]", b="configs: [a.yaml]")
    error = refused(root, f"configs: [a.yaml]{BASIC}")
    assert error.code is ErrorCode.EXPERIMENT_INVALID
    assert "`exp.yaml` → `a.yaml` → `b.yaml` → `a.yaml`" in error.message.replace(
        str(root) + "/", ""
    )
    assert "circle" in messages(refused(root, f"configs: [exp.yaml]{BASIC}"))


def test_many_files_that_build_on_one_another_are_read_once_each(root: Path) -> None:
    for number in range(25):
        write(
            root,
            **{f"c{number}": f"configs: [c{number + 1}.yaml, c{number + 1}.yaml]\nk{number}: 1"},
        )
    write(root, c25="k25: 1")
    config = read(root, f"configs: [c0.yaml]{BASIC}").config
    assert {f"k{number}" for number in range(26)} < config.keys()
    for number in range(25, 40):
        write(root, **{f"c{number}": f"configs: [c{number + 1}.yaml]"})
    assert "build on one another" in messages(refused(root, f"configs: [c0.yaml]{BASIC}"))


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("x: !!python/object/apply:os.system ['touch hacked']", ErrorCode.YAML_TAG_REFUSED),
        ("x: &a [*a]", ErrorCode.YAML_INVALID),
        ("a: 1\na: 2", ErrorCode.YAML_DUPLICATE_KEY),
        ("? [a]\n: 1", ErrorCode.YAML_KEY_INVALID),
        ("x: .inf", ErrorCode.YAML_NUMBER_INVALID),
        ("[" * 100_000, ErrorCode.YAML_TOO_DEEP),
        ("{" * 100_000, ErrorCode.YAML_TOO_DEEP),
        ("x" * 3_000_000, ErrorCode.YAML_TOO_LARGE),
        ("- a\n- b", ErrorCode.DOCUMENT_INVALID),
        ("", ErrorCode.DOCUMENT_INVALID),
        ("x: [", ErrorCode.YAML_INVALID),
    ],
)
@pytest.mark.parametrize("place", ["experiment", "configuration"])
def test_hostile_yaml_is_refused(root: Path, text: str, code: str, place: str) -> None:
    if place == "configuration":
        write(root, hostile=text)
        text = f"configs: [hostile.yaml]{BASIC}"
    assert refused(root, text).code == code
    assert not (root / "hacked").exists()


@pytest.mark.parametrize(
    "run",
    [
        "{shell: rm -rf x}",
        "rm -rf x",
        "{command: rm -rf x}",
        "{command: []}",
        "{script: a.py, module: b}",
        "{script: a.py, args: x}",
        "[a]",
    ],
)
def test_user_code_is_started_in_one_way_and_by_no_shell(root: Path, run: str) -> None:
    (root / "a.py").write_text("")
    error = refused(root, BASIC.replace('{command: [sh, -c, "true"]}', run))
    assert error.code is ErrorCode.DOCUMENT_INVALID
    assert "/run" in str(
        [error.location.pointer, *(item.location.pointer for item in error.problems)]
    )


@pytest.mark.parametrize(
    "run",
    [
        "{script: missing.py}",
        "{script: folder}",
        "{module: missing}",
        "{module: folder.missing}",
        "{module: json.missing}",
        "{command: [missing-program]}",
        "{command: [./missing.sh]}",
        "{command: [./not-executable.sh]}",
        '{command: ["a\\0b"]}',
        '{command: [""]}',
    ],
)
def test_what_cannot_be_started_is_missed_before_there_is_a_run(root: Path, run: str) -> None:
    (root / "folder").mkdir()
    (root / "not-executable.sh").write_text("")
    error = refused(root, BASIC.replace('{command: [sh, -c, "true"]}', run))
    assert error.code is ErrorCode.FILE_NOT_FOUND


@pytest.mark.parametrize(
    "module",
    [
        "package",
        "package.train",
        "json.tool",
        "top",
        "src.bare",
        "src.deep.bare",
        "src.deep.er.bare",
    ],
)
def test_a_module_is_found_and_not_imported(root: Path, module: str) -> None:
    (root / "package").mkdir()
    (root / "src/deep/er").mkdir(parents=True)  # without `__init__.py`
    for name in (
        *("package/__init__.py", "package/__main__.py", "package/train.py", "top.py"),
        *("src/bare.py", "src/deep/bare.py", "src/deep/er/bare.py"),
    ):
        (root / name).write_text("raise SystemExit('imported')")
    text = BASIC.replace('{command: [sh, -c, "true"]}', f"{{module: {module}}}")
    assert read(root, text).run == {"module": module}
    moved = root / "lib"
    moved.mkdir()
    (root / "top.py").rename(moved / "elsewhere.py")
    elsewhere = text.replace(module, "elsewhere")
    assert refused(root, elsewhere).code is ErrorCode.FILE_NOT_FOUND
    assert read(root, f"environment: {{PYTHONPATH: lib}}{elsewhere}").run == {"module": "elsewhere"}


def test_an_experiment_must_say_what_it_runs_on(root: Path) -> None:
    assert "names no model" in messages(
        refused(root, "experiment: a\ndataset: b\nrun: {command: [sh]}")
    )
    error = refused(root, "experiment: a\nmodel: b\ndataset: c")
    assert (error.code, error.location.pointer) == (ErrorCode.EXPERIMENT_INVALID, "/run")
    assert error.location.path == str(root / "exp.yaml")


@pytest.mark.parametrize("name", ["run_id", "status", "parameters", "references", "exit_code"])
def test_what_a_run_writes_is_no_setting(root: Path, name: str) -> None:
    former = f"{name}: run-2026-02-01-001{BASIC}"
    if name == "run_id":
        assert read(root, former).config["rerun_from"] == "run-2026-02-01-001"
    else:
        assert f"`{name}` is what a run itself writes" in messages(refused(root, former))


def test_the_configuration_of_a_run_is_an_experiment_of_its_own(root: Path) -> None:
    (root / "data.csv").write_text("1")
    text = BASIC.replace("cifar10:v1", "data.csv") + "environment: {A: '1'}\nx: ${A}\n"
    config = read(root, text, surroundings={"PATH": os.defpath, "A": "2"}).config
    former = {"run_id": "run-2026-02-01-007", **config, "status": "failed", "exit_code": 3}
    again = read(root, encode_yaml(former).decode())
    made = ("experiment_file", "rerun_from")
    assert {key: value for key, value in again.config.items() if key not in made} == {
        key: value for key, value in config.items() if key not in made
    }
    assert again.config["rerun_from"] == "run-2026-02-01-007"
    assert (again.environment, again.warnings) == ({"A": "2"}, ())
    (root / "data.csv").write_text("2")
    assert "other bytes" in read(root, encode_yaml(former).decode()).warnings[0]
    (root / "data.csv").unlink()
    assert refused(root, encode_yaml(former).decode()).code is ErrorCode.DATASET_NOT_FOUND
    other = read(root, encode_yaml(former).decode(), settings=["dataset=none"])
    assert "references" not in other.config


def test_a_dataset_is_not_mistaken_for_a_file_of_its_field(root: Path) -> None:
    (root / "data.csv").write_text("1")
    (root / "dataset").write_text("seed: 1")
    config = read(root, BASIC.replace("cifar10:v1", "data.csv") + "configs: [dataset]\n").config
    assert (config["seed"], config["references"]["dataset"]["path"]) == (1, "data.csv")


@pytest.mark.parametrize("references", [3, [], "dataset", None])
def test_references_of_another_form_are_no_references(root: Path, references: object) -> None:
    former = {"run_id": "run-2026-02-01-007", "references": references}
    text = encode_yaml(former).decode() + BASIC.replace("cifar10:v1", "none")
    assert "references" not in read(root, text).config


def test_all_mistakes_are_reported_together(root: Path) -> None:
    text = """
experiment: 3
model: m
dataset: ../d
configs: [missing.yaml, ../out.yaml]
environment: {NEEDED: null}
copy_models: {artifacts/x: elsewhere/x}
run: {script: missing.py}
status: failed
"""
    error = refused(root, text, run_id="../../x")
    assert error.code is ErrorCode.EXPERIMENT_INVALID
    told = messages(error)
    for word in (
        *("`../../x` is not the id", "missing.yaml", "`../out.yaml`", "`NEEDED`", "`../d`"),
        *("`elsewhere/x`", "`missing.py`", "`status`", "expected a string"),
    ):
        assert word in told
    assert len(error.problems) == 9


@pytest.mark.parametrize(
    "run_id",
    [
        *("../../x", "x", "", "run-2026-02-30-001", "run-2026-02-01-1", "run-2026-02-01-0001"),
        *("run-2026-02-01-001/..", "RUN-2026-02-01-001", "run-2026-02-01-001\n", "/tmp/x"),
    ],
)
def test_an_id_of_another_form_is_refused(root: Path, run_id: str) -> None:
    assert refused(root, BASIC, run_id=run_id).code is ErrorCode.RUN_ID_INVALID


def test_a_taken_id_is_refused(root: Path) -> None:
    (root / "runs").mkdir()
    (root / "runs/run-2026-02-01-001").symlink_to("nowhere")
    with pytest.raises(RunForgeError) as caught:
        read(root, run_id="run-2026-02-01-001")
    assert caught.value.code is ErrorCode.RUN_ID_TAKEN


def test_a_model_of_our_own_needs_a_label_and_a_file(root: Path) -> None:
    (root / "data.csv").write_text("a,b\n1,2\n")
    own = "experiment: e\nmodel: runforge/random_forest\ndataset: data.csv\n"
    assert refused(root, own).code is ErrorCode.LABEL_NOT_FOUND
    good = f"{own}training: {{label: b, preset: fast, hyperparameters: {{max_depth: 3}}}}\n"
    assert read(root, good).run is None
    assert refused(root, good.replace("data.csv", "d")).code is ErrorCode.DATASET_NOT_FOUND
    for wrong, code in (
        ("random_tree", ErrorCode.MODEL_FAMILY_UNKNOWN),
        ("", ErrorCode.MODEL_FAMILY_UNKNOWN),
    ):
        assert refused(root, good.replace("random_forest", wrong)).code is code
    error = refused(root, good.replace("max_depth", "depth"))
    assert (error.code, error.location.pointer) == (ErrorCode.HYPERPARAMETER_UNKNOWN, "/training")
    error = refused(root, good.replace("{max_depth: 3}", "3"))
    assert error.code is ErrorCode.EXPERIMENT_INVALID


def test_a_configuration_that_nobody_could_read_again_is_refused(root: Path) -> None:
    text = f"a: {'x' * (MAX_YAML_BYTES // 2)}{BASIC}"
    assert refused(root, text).code is ErrorCode.EXPERIMENT_INVALID
