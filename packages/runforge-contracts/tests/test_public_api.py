"""What users import: the exports, what an import loads, and the program of the README."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import runforge_contracts as rf

VECTORS = Path(__file__).parents[3] / "docs/test-vectors"
#: Reviewed: adding or removing a name changes the public interface.
PUBLIC = {
    *("open_workspace", "Workspace", "Run", "ExperimentRun", "Metric"),
    *("Document", "Request", "Result", "REMOVE", "validate"),
    *("check_run", "check_store", "Finding"),
    *("RunForgeError", "ErrorCode", "UsageError", "NotFoundError", "DocumentError"),
    *("DatasetError", "StoreError", "ResourceError", "RunFailedError", "CancelledError"),
    *("VerificationError", "SignatureError", "InternalError"),
    "__version__",
}


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    """Return a workspace with the runs of every version, of an editor and of an experiment."""
    for name in ("v0.2.2.1", "v0.3.3", "v0.3.6"):
        copied = VECTORS / "runs" / name / ".runforge/runs"
        shutil.copytree(copied, tmp_path / ".runforge/runs", dirs_exist_ok=True)
    shutil.copytree(VECTORS / "runs/legacy-root/.ml", tmp_path / ".ml")
    for folder in (VECTORS / "experiments/sound").rglob("run-*"):
        shutil.copytree(folder, tmp_path / "runs" / folder.name, dirs_exist_ok=True)
    return tmp_path


def test_the_exports_are_the_reviewed_ones() -> None:
    assert set(rf.__all__) == PUBLIC
    assert set(rf._MODULES) == PUBLIC - {"__version__"}
    assert all(getattr(rf, name) is not None for name in PUBLIC)
    assert set(rf.__all__) <= set(dir(rf))
    with pytest.raises(AttributeError, match="no attribute 'Runs'"):
        rf.Runs  # noqa: B018


def test_importing_the_package_loads_no_other_module_of_it() -> None:
    program = (
        "import sys; before = set(sys.modules); import runforge_contracts;"
        "print(*sorted(set(sys.modules) - before))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert set(done.stdout.split()) - {"__future__"} == {"runforge_contracts"}


def test_an_error_is_loaded_without_documents_and_validators() -> None:
    program = (
        "import sys, runforge_contracts as rf; rf.RunForgeError;"
        "assert not {'msgspec', 'jsonschema_rs', 'yaml'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


def test_the_runs_of_a_workspace_are_listed_newest_first(
    workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    below = workspace / "a/b"
    below.mkdir(parents=True)
    monkeypatch.chdir(below)
    found = rf.open_workspace()
    assert found.path == workspace
    runs = found.runs()
    folders = [
        path
        for name in (".runforge/runs", ".ml/runs", "runs")
        for path in (workspace / name).iterdir()
    ]
    assert {run.path for run in runs} == set(folders)
    assert {type(run) for run in runs} == {rf.Run, rf.ExperimentRun}
    times = [run.created_at[:10] for run in runs if run.created_at]
    assert times == sorted(times, reverse=True)
    for run in runs:
        assert found.run(run.path) == run
        assert run.id in repr(run)
        assert run.primary_metric is None or run.primary_metric.name in run.metrics


def test_a_metric_is_printed_as_name_and_value(workspace: Path) -> None:
    shown = [str(run.primary_metric) for run in rf.Workspace(workspace).runs()]
    assert [text for text in shown if text.startswith("accuracy=")]


def test_where_there_are_no_runs_there_is_no_workspace(tmp_path: Path) -> None:
    with pytest.raises(rf.NotFoundError) as caught:
        rf.open_workspace(tmp_path)
    assert caught.value.code is rf.ErrorCode.STORE_NOT_FOUND
    assert rf.Workspace(tmp_path).runs() == []


def test_a_run_whose_folder_was_deleted_is_not_listed(workspace: Path) -> None:
    runs = rf.Workspace(workspace).runs()
    shutil.rmtree(runs[0].path)
    assert rf.Workspace(workspace).runs() == runs[1:]


def test_an_entry_that_leads_out_of_the_workspace_hides_no_other_run(workspace: Path) -> None:
    runs = rf.Workspace(workspace).runs()
    path = workspace / ".ml/outputs/index.json"
    index = json.loads(path.read_bytes())
    climbing = {**index["runs"][0], "run_id": "20260101-000000-00000000", "run_dir": "../elsewhere"}
    path.write_text(json.dumps({**index, "runs": [*index["runs"], climbing]}), "utf-8")
    assert rf.Workspace(workspace).runs() == runs


def test_a_request_is_edited_and_saved_where_it_was_read(tmp_path: Path) -> None:
    path = tmp_path / "request.json"
    shutil.copyfile(VECTORS / "request.v1.unknown-fields.json", path)
    before = json.loads(path.read_bytes())
    request = rf.Request.load(str(path))
    assert type(request) is rf.Request
    assert request.view.model.family == before["model"]["family"]
    request.edit({"/preset": "thorough"})
    request.save()
    assert json.loads(path.read_bytes()) == {**before, "preset": "thorough"}
    request.save(tmp_path / "copy.json")
    assert request.path == tmp_path / "copy.json"
    assert (tmp_path / "copy.json").read_bytes() == path.read_bytes()


def test_another_document_is_no_request(tmp_path: Path) -> None:
    with pytest.raises(rf.DocumentError):
        rf.Request.load(VECTORS / "result.v1.failed.json")
    assert rf.Result.load(VECTORS / "result.v1.failed.json").view.status == "failed"


def test_a_document_that_was_not_read_needs_a_path_to_be_saved() -> None:
    read = rf.Request.load(VECTORS / "request.v1.min.json")
    with pytest.raises(TypeError, match="needs a path"):
        rf.Request.of(read.view).save()


def test_a_run_folder_is_checked_by_its_path() -> None:
    [folder] = (VECTORS / "runs/v0.3.3/.runforge/runs").iterdir()
    assert rf.check_run(str(folder)) == []
    with pytest.raises(rf.NotFoundError):
        rf.check_run(str(folder / "none"))


def test_the_page_lists_what_is_exported() -> None:
    page = (VECTORS.parents[0] / "reference/public-api.md").read_text("utf-8")
    section = page.split("## `runforge_contracts`")[1].split("\n## ")[0]
    first_cells = re.findall(r"^\| ((?:`[^`]+`(?:, )?)+) \|", section, re.MULTILINE)
    listed = [name for cell in first_cells for name in re.findall(r"`(\w+)", cell)]
    assert sorted(listed) == sorted(PUBLIC)
