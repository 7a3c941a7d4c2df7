"""Runs of experiments are read, and invalid ones are reported."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any

import pytest
from runforge_contracts.codec.strict_yaml import load_yaml
from runforge_contracts.documents import Document, identify
from runforge_contracts.errors import ErrorCode, RunForgeError
from runforge_contracts.invariants.experiment_invariants import (
    MAX_LINES,
    check_experiment_run,
    check_experiments,
)
from runforge_contracts.invariants.run_invariants import check_run
from runforge_contracts.run_ids import ExperimentRunId, parse_experiment_run_id
from runforge_contracts.store.experiment_runs import (
    MAX_LINE_BYTES,
    ExperimentRun,
    experiment_runs,
    is_experiment_folder,
)
from runforge_contracts.store.layout import EXPERIMENT_METRICS
from runforge_contracts.types import ExperimentConfigV1, ExperimentMetricsV1, ExperimentV1
from runforge_contracts.validation import validate

VECTORS = Path(__file__).parents[3] / "docs/test-vectors"
SOUND = VECTORS / "experiments/sound"
LEAST = "run_id: run-2026-02-01-001\nexperiment: e\nmodel: m\ndataset: d\n"


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    """Return the runs of a copy of the repository of the vectors."""
    shutil.copytree(SOUND, tmp_path / "repository")
    return tmp_path / "repository/runs"


@pytest.fixture
def run(runs: Path) -> Path:
    return runs / "run-2026-02-01-001"


def rules(run: Path) -> set[str]:
    return {finding.rule for finding in check_run(run)}


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("run-2026-02-01-001", ("2026-02-01", 1)),
        ("run-2026-02-01-999", ("2026-02-01", 999)),
        ("run-2024-02-29-1000", ("2024-02-29", 1000)),
    ],
)
def test_an_id_has_a_day_and_a_number(text: str, parts: tuple[str, int]) -> None:
    run_id = parse_experiment_run_id(text)
    assert run_id == parts
    assert str(run_id) == text
    validate({"run_id": text, "experiment": "", "model": "", "dataset": ""}, "tfc.config.v1")


@pytest.mark.parametrize(
    "text",
    [
        *("", "run-2026-02-01-01", "run-2026-02-01-0001", "run-2026-02-30-001"),
        *(
            "run-2026-13-01-001",
            "RUN-2026-02-01-001",
            "run-2026-02-01-001\n",
            " run-2026-02-01-001",
        ),
        *("run-2026-02-01-001/", "../run-2026-02-01-001", "run-2026-02-01-1234567890"),
        "run-２026-02-01-001",
    ],
)
def test_what_is_no_id_has_no_parts(text: str) -> None:
    assert parse_experiment_run_id(text) is None


def test_ids_sort_by_time() -> None:
    texts = ["run-2026-02-01-999", "run-2026-02-01-1000", "run-2026-02-02-001"]
    ids = [parse_experiment_run_id(text) for text in reversed(texts)]
    assert [str(run_id) for run_id in sorted(filter(None, ids))] == texts
    assert ExperimentRunId("2026-02-01", 1) < ExperimentRunId("2026-02-01", 2)


def test_a_run_is_read_with_all_its_documents(run: Path) -> None:
    folder = ExperimentRun(run)
    assert folder.id == "run-2026-02-01-001"
    assert folder.status == "succeeded"
    assert folder.config is not None
    assert folder.config["training"]["learning_rate"] == 1e-05
    assert folder.metrics_document == json.loads((run / "metrics.json").read_bytes())
    assert folder.system is not None
    assert folder.manifest is not None
    document = folder.document(EXPERIMENT_METRICS)
    assert document is not None
    assert isinstance(document.view, ExperimentMetricsV1)
    assert [line.entry for line in folder.journal()] == [
        json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()
    ]


def test_files_may_be_missing_and_other_tools_say_less(runs: Path) -> None:
    folder = ExperimentRun(runs / "run-2025-01-10-002")
    assert folder.config is not None
    assert (folder.metrics_document, folder.system, folder.manifest, folder.status) == (None,) * 4
    assert list(folder.journal()) == []
    other = ExperimentRun(runs / "run-2025-01-10-001").config
    assert other is not None
    assert other["started_at"] == "2025-01-10T14:22:00Z"


def test_a_document_that_is_wrong_is_an_error_of_its_own(run: Path) -> None:
    (run / "metrics.json").write_text('{"summary": {"loss": "0.5"}}')
    (run / "system.json").unlink()
    (run / "system.json").symlink_to("/etc/hostname")
    folder = ExperimentRun(run)
    for read, code in (
        (lambda: folder.metrics_document, ErrorCode.DOCUMENT_INVALID),
        (lambda: folder.system, ErrorCode.FILE_UNSAFE),
    ):
        with pytest.raises(RunForgeError) as caught:
            read()
        assert caught.value.code is code
    assert folder.config is not None


def test_a_journal_is_read_line_by_line_whatever_is_in_it(run: Path) -> None:
    metric = b'{"metric": "loss", "value": 1}'
    long = b'{"metric": "' + b"x" * MAX_LINE_BYTES + b'", "value": 1}'
    for last, more in ((b"", 0), (b'{"metric": "lo', 0), (b"\n", 1), (metric, 1), (long, 1)):
        lines = [metric, b"loss=1", b"", long, b"\xff", b'{"value": 1}', metric]
        (run / "metrics.jsonl").write_bytes(b"".join(line + b"\n" for line in lines) + last)
        found = list(ExperimentRun(run).journal())
        assert [line.number for line in found] == list(range(1, 8 + more))
        valid = [1, 7, 8] if last == metric else [1, 7]
        assert [line.number for line in found if line.entry] == valid
        assert all((line.entry is None) is not (line.error is None) for line in found)
    (run / "metrics.jsonl").unlink()
    (run / "metrics.jsonl").mkdir()
    with pytest.raises(RunForgeError) as caught:
        list(ExperimentRun(run).journal())
    assert caught.value.code is ErrorCode.FILE_UNSAFE


def test_runs_are_listed_oldest_first_and_links_are_left_out(runs: Path) -> None:
    (runs / "run-2026-02-02-001").symlink_to(runs / "run-2026-02-01-001")
    (runs / "run-2026-02-03-001").write_text("no folder")
    (runs / "notes").mkdir()
    assert [path.name for path in experiment_runs(runs.parent)] == [
        *("run-2025-01-10-001", "run-2025-01-10-002"),
        *("run-2026-02-01-001", "run-2026-02-01-002", "run-2026-02-01-003", "run-2026-02-01-1000"),
    ]
    assert experiment_runs(runs) == []
    shutil.move(runs, runs.with_name("elsewhere"))
    runs.symlink_to("elsewhere")
    assert experiment_runs(runs.parent) == []


def test_a_run_of_an_experiment_is_distinguished_from_a_trained_one(
    run: Path, tmp_path: Path
) -> None:
    assert is_experiment_folder(run)
    assert is_experiment_folder(shutil.copytree(run, tmp_path / "copy"))
    trained = next((VECTORS / "runs/v0.4.0/.runforge/runs").iterdir())
    assert not is_experiment_folder(trained)
    copy = shutil.copytree(trained, tmp_path / "trained")
    (copy / "config.yaml").write_text("a: 1\n")
    assert not is_experiment_folder(copy)
    assert not is_experiment_folder(tmp_path / "nowhere")


def test_every_configuration_of_a_run_is_an_experiment() -> None:
    for path in [*VECTORS.glob("tfc.config.v1.*.yaml"), *SOUND.glob("runs/*/config.yaml")]:
        assert isinstance(Document.load(path, ExperimentConfigV1).view, ExperimentConfigV1)
        assert isinstance(Document.load(path, ExperimentV1).view, ExperimentV1)


def test_files_tell_what_they_are_by_place_and_form(run: Path, tmp_path: Path) -> None:
    for file, name in (
        ("config.yaml", "tfc.config.v1"),
        ("metrics.json", "tfc.metrics.v1"),
        ("system.json", "tfc.system.v1"),
        ("manifest.json", "tfc.manifest.v1"),
    ):
        assert Document.load(run / file).name == name
    (tmp_path / "exp.yml").write_text("experiment: e\n")
    assert Document.load(tmp_path / "exp.yml").name == "tfc.experiment.v1"
    (tmp_path / "any.yaml").write_text(LEAST)
    assert Document.load(tmp_path / "any.yaml").name == "tfc.config.v1"
    # A trained run has other files of the same names.
    assert identify({"accuracy": 1}, path=tmp_path / "metrics.json")[0] == "metrics.phase2"
    assert identify({"schema_version": "manifest.v1"}, path=run / "a.json")[0] == "manifest.v1"


def test_yaml_is_edited_as_json_is(tmp_path: Path) -> None:
    path = tmp_path / "config.yaml"
    path.write_text(f"future: [1, no]\n{LEAST}")
    document = Document.load(path, ExperimentConfigV1)
    document.edit({"/status": "succeeded"})
    document.save(path)
    assert path.read_text() == f'{LEAST}status: succeeded\nfuture:\n  - 1\n  - "no"\n'
    with pytest.raises(RunForgeError) as caught:
        document.edit({"/status": "done"})
    assert caught.value.code is ErrorCode.DOCUMENT_INVALID
    document.save(tmp_path / "config.json")
    assert json.loads((tmp_path / "config.json").read_bytes()) == load_yaml(path)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (b"", ErrorCode.DOCUMENT_INVALID),
        (b"- a\n", ErrorCode.DOCUMENT_INVALID),
        (b"a: !!python/object:a.B {}\n", ErrorCode.YAML_TAG_REFUSED),
        (b"x" * (10 * 2**20), ErrorCode.YAML_TOO_LARGE),
    ],
)
def test_yaml_that_is_wrong_is_refused_with_its_place(
    text: bytes, code: ErrorCode, tmp_path: Path
) -> None:
    path = tmp_path / "config.yaml"
    path.write_bytes(text)
    with pytest.raises(RunForgeError) as caught:
        Document.load(path, ExperimentConfigV1)
    assert caught.value.code is code
    assert caught.value.location.path == str(path)


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        (b"", "tfc-config.schema"),
        (b"[]", "tfc-config.schema"),
        (b"\xff\xfe", "yaml.encoding-invalid"),
        (b"a: [", "yaml.invalid"),
        (b"[" * 100_000, "yaml.too-deep"),
        (b"a: .nan\n", "yaml.number-invalid"),
        (b"1: a\n", "yaml.key-invalid"),
        (b"a: " + b"x" * (3 * 2**20), "yaml.too-large"),
    ],
)
def test_a_hostile_configuration_is_a_finding(text: bytes, rule: str, run: Path) -> None:
    (run / "config.yaml").write_bytes(text)
    assert rule in rules(run)


def test_links_pipes_and_folders_in_place_of_files_are_findings(run: Path) -> None:
    for name in ("config.yaml", "metrics.jsonl", "logs.txt"):
        (run / name).unlink()
    (run / "config.yaml").symlink_to(run / "system.json")
    os.mkfifo(run / "metrics.jsonl")
    (run / "logs.txt").mkdir()
    (run / "artifacts/loop").symlink_to(".")
    found = check_run(run)
    assert {item.file for item in found if item.rule == "run.no-links"} == {
        *("config.yaml", "metrics.jsonl", "artifacts/loop")
    }
    missing = {item.pointer for item in found if item.rule == "manifest.digests"}
    assert missing == {"/files/config.yaml", "/files/metrics.jsonl", "/files/logs.txt"}


def test_a_journal_full_of_mistakes_is_summarized(run: Path) -> None:
    (run / "metrics.jsonl").write_bytes(b"loss=1\n" * 10_000)
    found = [item for item in check_run(run) if item.file == "metrics.jsonl"]
    mistakes = [item.message for item in found if item.rule == "json.invalid"]
    assert len(mistakes) == MAX_LINES
    assert mistakes[0].startswith("Line 1: ")


def test_what_another_tool_wrote_is_not_held_to_what_only_ours_promise(runs: Path) -> None:
    run = runs / "run-2025-01-10-001"
    with (run / "config.yaml").open("a") as file:
        file.write("status: failed\nfinished_at: 2025-01-10T15:22:00+01:00\n")
    assert rules(run) == set()
    with (run / "config.yaml").open("a") as file:
        file.write("created_by: other@1\n")
    promised = {"experiment.manifest", "experiment.failure", "experiment.utc", "yaml.portable"}
    assert rules(run) == promised


def test_a_leap_second_is_a_time(run: Path) -> None:
    config: dict[str, Any] = load_yaml(run / "config.yaml")
    changes = {"/started_at": "2026-02-01T23:59:60Z", "/finished_at": "2026-02-02T00:00:00Z"}
    document = Document(config, "tfc.config.v1")
    document.edit(changes)
    document.save(run / "config.yaml")
    assert rules(run) == {"manifest.digests"}


def test_all_runs_of_a_repository_are_checked_and_none_is_hidden(runs: Path) -> None:
    assert check_experiments(runs.parent) == []
    (runs / "notes").mkdir()
    (runs / "my-run").mkdir()
    (runs / "my-run/config.yaml").write_text(LEAST)
    (runs / "run-2026-02-04-001").mkdir()
    (runs / "run-2026-02-05-001").symlink_to("run-2026-02-01-001")
    found = {(item.rule, item.file) for item in check_experiments(runs.parent)}
    assert found == {
        ("experiment.id", "runs/my-run/config.yaml"),
        ("experiment.files", "runs/run-2026-02-04-001/config.yaml"),
        ("run.no-links", "runs/run-2026-02-05-001"),
    }


def test_where_there_is_no_run_there_is_nothing_to_check(tmp_path: Path) -> None:
    for check, code in (
        (check_experiments, ErrorCode.STORE_NOT_FOUND),
        (check_experiment_run, ErrorCode.RUN_NOT_FOUND),
    ):
        with pytest.raises(RunForgeError) as caught:
            check(tmp_path / "nowhere")
        assert caught.value.code is code
