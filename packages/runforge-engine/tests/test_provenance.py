import json
import os
import re
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest
from runforge_engine.provenance.collect import collect_provenance

CLIENT = "runforge-cli@0.4.0"

COLLECT = """
import json
from pathlib import Path
from runforge_engine.runtime.numeric_environment import pin_environment
pin_environment()
from runforge_engine.provenance.collect import collect_provenance
print(json.dumps(collect_provenance(Path("."), ".runforge", "runforge-cli@0.4.0")))
"""


@pytest.fixture(autouse=True)
def _plain_git(tmp_path_factory, monkeypatch):
    for name in list(os.environ):
        if name.startswith("GIT_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(tmp_path_factory.mktemp("home") / "none"))
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")


def git(folder: Path, *arguments: str) -> None:
    user = ("-c", "user.name=A", "-c", "user.email=a@example.org")
    subprocess.run(["git", *user, *arguments], cwd=folder, check=True, capture_output=True)


@pytest.fixture
def repository(tmp_path):
    git(tmp_path, "init")
    (tmp_path / "train.py").write_text("print(1)\n")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-m", "first")
    return tmp_path


def collect_in_process(folder: Path, **environment: str) -> str:
    result = subprocess.run(
        [sys.executable, "-c", COLLECT],
        cwd=folder,
        env={**os.environ, **environment},
        check=True,
        capture_output=True,
        text=True,
    )
    return result.stdout


def values(document):
    """Yield every scalar of a document."""
    if isinstance(document, dict):
        document = document.values()
    elif not isinstance(document, list):
        yield document
        return
    for child in document:
        yield from values(child)


def test_outside_a_repository_everything_but_git_is_recorded(tmp_path):
    provenance = collect_provenance(tmp_path, ".runforge", CLIENT)
    assert list(provenance) == ["python", "client", "packages", "platform", "numerics"]
    assert provenance["client"] == CLIENT
    assert provenance["python"] == {
        "version": sys.version.split()[0],
        "implementation": "CPython",
        "executable": sys.executable,
    }


def test_a_clean_repository_has_no_digest(repository):
    state = collect_provenance(repository, ".runforge", CLIENT)["git"]
    assert list(state) == ["commit", "dirty"]
    assert re.fullmatch(r"[0-9a-f]{40}", state["commit"])
    assert state["dirty"] is False


def test_uncommitted_changes_are_pinned_down_by_a_digest(repository):
    (repository / "train.py").write_text("print(2)\n")
    state = collect_provenance(repository, ".runforge", CLIENT)["git"]
    assert list(state) == ["commit", "dirty", "diff_sha256"]
    assert re.fullmatch(r"[0-9a-f]{64}", state["diff_sha256"])


def test_what_the_digest_does_not_cover_is_recorded_and_reported(repository):
    with (repository / "huge.bin").open("wb") as file:
        file.truncate(1 << 40)
    gaps: list[str] = []
    state = collect_provenance(repository, ".runforge", CLIENT, gaps.append)["git"]
    assert state["diff_unread_files"] == 1
    assert len(gaps) == 1
    assert "size" in gaps[0]


def test_a_repository_that_git_cannot_read_is_reported_and_omitted(repository):
    (repository / ".git" / "config").write_text("[core\n")
    gaps: list[str] = []
    assert "git" not in collect_provenance(repository, ".runforge", CLIENT, gaps.append)
    assert len(gaps) == 1
    assert "bad config" in gaps[0]
    assert "git" not in collect_provenance(repository, ".runforge", CLIENT)


def test_a_complete_record_reports_no_gap(repository):
    gaps: list[str] = []
    collect_provenance(repository, ".runforge", CLIENT, gaps.append)
    assert gaps == []


def test_packages_are_those_that_can_change_a_bit_sorted_and_with_the_installed_versions(tmp_path):
    packages = collect_provenance(tmp_path, ".runforge", CLIENT)["packages"]
    assert list(packages) == sorted(packages)
    assert {"joblib", "numpy", "pyarrow", "runforge-engine", "scikit-learn"} <= set(packages)
    # The file written from the frame is recorded, and only it determines the model.
    assert "pandas" not in packages
    assert packages == {name: version(name) for name in packages}


def test_the_version_of_what_is_loaded_counts(tmp_path, monkeypatch):
    import threadpoolctl

    monkeypatch.setattr(threadpoolctl, "__version__", "0.0.7")
    packages = collect_provenance(tmp_path, ".runforge", CLIENT)["packages"]
    assert packages["threadpoolctl"] == "0.0.7"


def test_an_interpreter_that_is_not_known_or_not_text_can_be_recorded(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "executable", "")
    assert "executable" not in collect_provenance(tmp_path, ".runforge", CLIENT)["python"]
    monkeypatch.setattr(sys, "executable", os.fsdecode(b"/py\xff/python"))
    provenance = collect_provenance(tmp_path, ".runforge", CLIENT)
    json.dumps(provenance, ensure_ascii=False).encode()
    assert provenance["python"]["executable"] == "/py\\udcff/python"


def test_the_platform_says_what_decides_the_last_bits(tmp_path):
    platform = collect_provenance(tmp_path, ".runforge", CLIENT)["platform"]
    assert {"os", "machine"} <= set(platform) <= {"os", "machine", "libc", "cpu"}
    if sys.platform == "linux":
        assert "cpu" in platform
        assert platform["os"] == "Linux"


def test_nothing_is_null_empty_or_a_path_of_this_machine(repository):
    provenance = collect_provenance(repository, ".runforge", CLIENT)
    del provenance["python"]["executable"]
    for value in values(provenance):
        assert value is not None
        assert value != ""
        assert not str(value).startswith("/")


def test_two_processes_record_the_same_whatever_their_users_preset(repository):
    (repository / "new.py").write_text("new")
    (repository / ".runforge").mkdir()
    first = collect_in_process(repository, PYTHONHASHSEED="1", OMP_NUM_THREADS="1")
    (repository / ".runforge" / "index.json").write_text("{}")
    second = collect_in_process(
        repository,
        PYTHONHASHSEED="2",
        OMP_NUM_THREADS="2",
        OPENBLAS_NUM_THREADS="2",
        TZ="Asia/Tokyo",
    )
    assert first == second
    assert "diff_sha256" in first
