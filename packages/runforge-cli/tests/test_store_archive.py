"""Archiving real runs: what is there, in the archive and here again, and what is refused before."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
from calls import ROOT, TRAIN, Call
from experiments import experiment, folder_of
from real_store import start
from runforge_contracts import shared_work
from runforge_contracts.store.layout import StoreLayout
from runforge_contracts.store.run import Run
from runforge_contracts.validation import validate
from runforge_engine.archiving.archive_runs import archive_runs
from runforge_engine.archiving.open_archive import opened_archive
from runforge_engine.archiving.packed_store import pack
from runforge_engine.archiving.restore_runs import restore_runs

#: The two forms of an archive.
FORMS = ("old", "old.tar.zst")


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a workspace with three runs, of which the first and the last are signed."""
    folder = tmp_path_factory.mktemp("trained")
    shutil.copyfile(ROOT / "examples/penguins.csv", folder / "penguins.csv")
    assert start(folder, "keygen", "--out", "key").wait() == 0
    for seed in ("1", "2", "3"):
        assert start(folder, *TRAIN, "--seed", seed, "--quiet").wait() == 0
    first, _, last = ids(folder)
    for run in (first, last):
        assert start(folder, "sign", run, "--key", "key").wait() == 0
    return folder


@pytest.fixture
def runs(
    runforge: Call, trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> list[str]:
    """Go to a copy of that workspace, and return its runs in the order of the index."""
    folder = shutil.copytree(trained, tmp_path / "workspace")
    monkeypatch.chdir(folder)
    return ids(folder)


def ids(folder: Path) -> list[str]:
    entries = json.loads((folder / ".runforge/index.json").read_bytes())["runs"]
    return [entry["run_id"] for entry in entries]


def tree(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def report(runforge: Call, *arguments: str) -> dict[str, Any]:
    result = runforge("store", *arguments, "--json")
    assert (result.code, result.err) == (0, ""), result.out
    validate(result.json, "archive_report.v1")
    document: dict[str, Any] = result.json
    return document


def refusal(runforge: Call, *arguments: str) -> dict[str, Any]:
    before = tree(Path().resolve().parent)
    result = runforge("store", *arguments, "--json")
    assert result.code != 0
    assert tree(Path().resolve().parent) == before
    error: dict[str, Any] = result.json["error"]
    return error


def outcomes(document: dict[str, Any]) -> dict[str, str]:
    return {run["run_id"]: run["outcome"] for run in document["runs"]}


def listed(runforge: Call, *arguments: str) -> list[str]:
    return [run["run_id"] for run in runforge("runs", "--json", *arguments).json["runs"]]


@pytest.mark.parametrize("form", FORMS)
class TestThereAndBack:
    def test_every_byte_comes_back(self, runforge: Call, runs: list[str], form: str) -> None:
        before = tree(Path(".runforge"))
        away = report(runforge, "archive", runs[0], runs[1], "--to", f"../{form}")
        assert outcomes(away) == {runs[0]: "archived", runs[1]: "archived"}
        assert ("sha256" in away) == (form != "old")
        assert [path.name for path in Path(".runforge/runs").iterdir()] == [runs[2]]
        assert listed(runforge) == [runs[2]]
        assert runforge("verify", "--all").code == 0
        back = report(runforge, "restore", f"../{form}")
        assert outcomes(back) == {runs[0]: "restored", runs[1]: "restored"}
        after = tree(Path(".runforge"))
        lines = after.pop("removals.jsonl").splitlines()
        assert [json.loads(line)["action"] for line in lines] == ["archived"] * 2 + ["restored"] * 2
        assert after == before
        assert sorted(listed(runforge)) == sorted(runs)
        assert runforge("verify", "--all").code == 0

    def test_a_dry_run_writes_nothing(self, runforge: Call, runs: list[str], form: str) -> None:
        before = tree(Path().resolve().parent)
        planned = report(runforge, "archive", runs[0], "--to", f"../{form}", "--dry-run")
        assert (planned["dry_run"], outcomes(planned)) == (True, {runs[0]: "archived"})
        assert tree(Path().resolve().parent) == before
        report(runforge, "archive", runs[0], "--to", f"../{form}")
        before = tree(Path().resolve().parent)
        planned = report(runforge, "restore", f"../{form}", "--dry-run")
        assert outcomes(planned) == {runs[0]: "restored"}
        assert tree(Path().resolve().parent) == before

    def test_one_run_is_brought_back(self, runforge: Call, runs: list[str], form: str) -> None:
        report(runforge, "archive", *runs[:2], "--to", f"../{form}")
        back = report(runforge, "restore", f"../{form}", runs[1])
        assert outcomes(back) == {runs[1]: "restored"}
        assert outcomes(report(runforge, "restore", f"../{form}", runs[1])) == {runs[1]: "present"}
        assert sorted(listed(runforge)) == sorted(runs[1:])

    def test_a_run_that_was_archived_is_not_archived_again(
        self, runforge: Call, runs: list[str], form: str
    ) -> None:
        report(runforge, "archive", runs[0], "--to", f"../{form}")
        again = report(runforge, "archive", runs[0], "--to", f"../{form}")
        assert outcomes(again) == {runs[0]: "present"}

    def test_a_changed_run_is_not_archived(
        self, runforge: Call, runs: list[str], form: str
    ) -> None:
        Path(f".runforge/runs/{runs[1]}/metrics.json").write_text("{}\n")
        error = refusal(runforge, "archive", *runs, "--to", f"../{form}")
        assert error["code"] == "VERIFICATION_FAILED"
        assert all(runs[1] in problem["message"] for problem in error["problems"])

    @pytest.mark.parametrize("target", [".", ".runforge/{}", "none/{}"])
    def test_a_place_that_cannot_be_an_archive_is_refused(
        self, runforge: Call, runs: list[str], form: str, target: str
    ) -> None:
        error = refusal(runforge, "archive", runs[0], "--to", target.format(form))
        assert error["code"] == "USAGE_INVALID"

    def test_a_run_of_another_store_is_not_restored(
        self, runforge: Call, runs: list[str], form: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        report(runforge, "archive", runs[0], "--to", f"../{form}")
        Path("../other").mkdir()
        monkeypatch.chdir("../other")
        shutil.copyfile(ROOT / "examples/penguins.csv", "penguins.csv")
        assert runforge(*TRAIN, "--quiet").code == 0
        assert refusal(runforge, "restore", f"../{form}")["code"] == "RUN_NOT_FOUND"
        assert refusal(runforge, "restore", f"../{form}", runs[0])["code"] == "USAGE_INVALID"

    def test_other_files_in_its_place_stay(
        self, runforge: Call, runs: list[str], form: str
    ) -> None:
        report(runforge, "archive", runs[0], "--to", f"../{form}")
        folder = Path(f".runforge/runs/{runs[0]}")
        folder.mkdir()
        (folder / "mine.txt").write_text("mine")
        assert refusal(runforge, "restore", f"../{form}")["code"] == "RUN_ID_TAKEN"


def test_an_archive_is_a_store(runforge: Call, runs: list[str]) -> None:
    report(runforge, "archive", *runs[:2], "--to", "../old")
    assert sorted(listed(runforge, "--workspace", "../old")) == sorted(runs[:2])
    shown = runforge("show", runs[0], "--workspace", "../old", "--json")
    assert shown.json["run_id"] == runs[0]
    checked = runforge("verify", "--all", "--without-dataset", "--workspace", "../old")
    assert checked.code == 0, checked.out
    report(runforge, "archive", runs[2], "--to", "../old")
    checked = runforge(*("verify", "--all", "--without-dataset", "--workspace", "../old", "--json"))
    assert checked.code == 0, checked.out
    # All runs of the index are here in their order, so the signed heads are compared.
    [store] = checked.json["stores"]
    [signatures] = [check for check in store["checks"] if check["check"] == "signatures"]
    assert "whose index holds in this one" in signatures["message"]


def test_an_archive_in_one_file_is_verified_and_shown(runforge: Call, runs: list[str]) -> None:
    report(runforge, "archive", *runs, "--to", "../old.tar.zst")
    before = tree(Path().resolve().parent)
    checked = runforge("verify", "../old.tar.zst", "--json")
    assert checked.code == 0, checked.out
    assert sorted(run["run_id"] for run in checked.json["runs"]) == sorted(runs)
    entries = runforge("show", "../old.tar.zst", "--json").json["runs"]
    assert sorted(entry["run_id"] for entry in entries) == sorted(runs)
    shown = runforge("show", "../old.tar.zst", runs[1])
    assert f"runforge store restore ../old.tar.zst {runs[1]}" in shown.out
    assert runforge("show", "../old.tar.zst", runs[1], "--json").json["run_id"] == runs[1]
    assert tree(Path().resolve().parent) == before


def test_a_changed_file_is_noticed_everywhere(runforge: Call, runs: list[str]) -> None:
    report(runforge, "archive", runs[0], "--to", "../old")
    model = Path(f"../old/.runforge/runs/{runs[0]}/artifacts/model.pkl")
    model.write_bytes(model.read_bytes() + b"!")
    error = refusal(runforge, "restore", "../old")
    assert error["code"] == "VERIFICATION_FAILED"
    assert any("model.pkl" in problem["message"] for problem in error["problems"])
    whole = ("verify", "--all", "--without-dataset", "--workspace", "../old")
    assert runforge(*whole).code == 1


def test_a_link_in_an_archive_is_refused(runforge: Call, runs: list[str], tmp_path: Path) -> None:
    report(runforge, "archive", runs[0], "--to", "../old")
    folder = Path("../old/.runforge/runs")
    folder.rename(tmp_path / "elsewhere")
    folder.symlink_to(tmp_path / "elsewhere")
    assert refusal(runforge, "restore", "../old")["code"] == "FILE_UNSAFE"


def test_an_existing_file_is_never_changed(runforge: Call, runs: list[str]) -> None:
    report(runforge, "archive", runs[0], "--to", "../old.tar.zst")
    error = refusal(runforge, "archive", runs[1], "--to", "../old.tar.zst")
    assert error["code"] == "USAGE_INVALID"
    Path("../mine.tar.zst").write_bytes(b"mine")
    error = refusal(runforge, "archive", runs[1], "--to", "../mine.tar.zst")
    assert error["code"] == "DOCUMENT_INVALID"


def test_a_folder_with_other_files_is_refused(runforge: Call, runs: list[str]) -> None:
    Path("../notes").mkdir()
    Path("../notes/mine.txt").write_text("mine")
    assert refusal(runforge, "archive", runs[0], "--to", "../notes")["code"] == "USAGE_INVALID"


def test_runs_are_chosen_by_age_and_status(runforge: Call, runs: list[str]) -> None:
    none = report(runforge, "archive", "--older-than", "2000-01-01", "--to", "../old")
    assert none["runs"] == []
    assert not Path("../old").exists()
    none = report(runforge, "archive", "--status", "failed", "--to", "../old.tar.zst")
    assert none["runs"] == []
    every = report(runforge, "archive", "--older-than", "2999-01-01", "--to", "../old")
    assert list(outcomes(every)) == runs
    assert refusal(runforge, "archive", "--to", "../old")["code"] == "USAGE_INVALID"
    both = ("archive", runs[0], "--status", "failed", "--to", "../old")
    assert refusal(runforge, *both)["code"] == "USAGE_INVALID"


def test_the_record_has_the_path_of_the_archive_from_the_workspace(
    runforge: Call, runs: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Path("notebooks").mkdir()
    monkeypatch.chdir("notebooks")
    assert report(runforge, "archive", runs[0], "--to", "../../old")["archive"] == "../old"
    assert report(runforge, "archive", runs[1], "--to", "inside")["archive"] == "notebooks/inside"
    absolute = tmp_path / "disk"
    away = report(runforge, "archive", runs[2], "--to", str(absolute))
    assert away["archive"] == absolute.as_posix()


def test_the_command_that_restores_a_run_can_be_copied(runforge: Call, runs: list[str]) -> None:
    name = "../my old runs of all the years before this one; ls"
    report(runforge, "archive", runs[0], "--to", name)
    error = runforge("metrics", runs[0], "--json").json["error"]
    for text in (error["hint"], runforge("show", runs[0]).out):
        [command] = re.findall(rf"(store restore .+? {runs[0]})", text)
        assert shlex.split(command) == ["store", "restore", name, runs[0]]


def test_an_archive_goes_into_another_one(
    runforge: Call, runs: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    report(runforge, "archive", *runs, "--to", "../old")
    monkeypatch.chdir("../old")
    report(runforge, "archive", runs[0], "--to", "../older")
    whole = ("verify", "--all", "--without-dataset")
    assert runforge(*whole, "--workspace", "../older").code == 0
    assert runforge(*whole).code == 0
    report(runforge, "restore", "../older")
    assert runforge(*whole).code == 0


def test_a_run_that_the_archive_had_removed_is_there_again(runforge: Call, runs: list[str]) -> None:
    report(runforge, "archive", runs[0], "--to", "../old")
    report(runforge, "restore", "../old")
    place = ("--workspace", "../old")
    why = ("--because", "not needed", "--yes")
    assert runforge("store", "forget", runs[0], *why, *place).code == 0
    report(runforge, "archive", runs[0], "--to", "../old")
    assert listed(runforge, *place) == runs[:1]
    assert runforge("store", "tidy", "--yes", *place).code == 0
    assert runforge("verify", "--all", "--without-dataset", *place).code == 0
    assert outcomes(report(runforge, "restore", "../old")) == {runs[0]: "restored"}


def test_a_run_that_the_archive_removed_with_other_files_is_refused(
    runforge: Call, runs: list[str]
) -> None:
    report(runforge, "archive", runs[0], "--to", "../old")
    report(runforge, "restore", "../old")
    Path(f"../old/.runforge/runs/{runs[0]}/logs/train.log").write_text("other\n")
    why = ("--because", "it was changed", "--yes", "--force")
    assert runforge("store", "forget", runs[0], *why, "--workspace", "../old").code == 0
    for dry in ([], ["--dry-run"]):
        error = refusal(runforge, "archive", runs[0], "--to", "../old", *dry)
        assert error["code"] == "RUN_ID_TAKEN"


@pytest.mark.skipif(sys.platform == "win32", reason="stores are not moved there")
def test_a_moved_store_is_not_archived_into_itself(runforge: Call, runs: list[str]) -> None:
    assert runforge("store", "move", "../disk").code == 0
    for target in (".", "../workspace", "../disk", "../disk/.runforge/old"):
        error = refusal(runforge, "archive", runs[0], "--to", target)
        assert error["code"] == "USAGE_INVALID"
    assert sorted(listed(runforge)) == sorted(runs)


@pytest.mark.parametrize("form", FORMS)
def test_runs_of_experiments_are_archived(runforge: Call, runs: list[str], form: str) -> None:
    name = experiment(Path(), "echo trained\n")
    for _ in range(2):
        assert runforge("experiment", "run", name).code == 0
    before, run = tree(Path("runs")), folder_of(Path()).name
    away = report(runforge, "archive", run, "--to", f"../{form}")
    assert [(item["run_id"], item["kind"]) for item in away["runs"]] == [(run, "experiment")]
    assert not folder_of(Path()).exists()
    assert runforge("experiment", "check").code == 0
    assert runforge("verify", "--all").code == 0
    assert sorted(listed(runforge)) == sorted(runs)
    report(runforge, "restore", f"../{form}")
    assert tree(Path("runs")) == before


def test_without_zstandard_the_error_says_what_to_install(
    runforge: Call, runs: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "backports", None)
    monkeypatch.setitem(sys.modules, "compression", None)
    error = refusal(runforge, "archive", runs[0], "--to", "../old.tar.zst")
    assert error["code"] == "EXTRA_MISSING"
    assert "or name a folder" in error["hint"]


@pytest.mark.parametrize("ended", ["Copying runs", "Packing", "Unpacking"])
def test_an_interrupt_in_the_middle_of_a_file_leaves_nothing(
    runforge: Call, runs: list[str], monkeypatch: pytest.MonkeyPatch, ended: str
) -> None:
    monkeypatch.setattr(shared_work, "_MIB", 1024)
    stages = list[str]()

    def watch(stage: str, results: Iterable[Any], total: int, unit: str = "") -> Iterator[Any]:
        stages.append(f"{stage} {unit}".strip())
        for number, result in enumerate(results):
            if stage == ended and number == total // 2:
                raise KeyboardInterrupt
            yield result

    store, target = StoreLayout(Path.cwd()), Path("../old.tar.zst").resolve()
    chosen = [Run(store.run_folder(run)) for run in runs]
    before = tree(Path().resolve().parent)
    with pytest.raises(KeyboardInterrupt):
        archive_runs(chosen, store, target, created_by="tests@1", watch=watch)
    assert f"{ended} MiB" in stages
    assert tree(Path().resolve().parent) == before
    report(runforge, "archive", *runs, "--to", str(target))
    # On the way back, too, whatever was unpacked goes.
    monkeypatch.setattr(tempfile, "tempdir", str(Path("../temporary").resolve()))
    Path("../temporary").mkdir()
    before = tree(Path().resolve().parent)
    if ended != "Packing":
        with pytest.raises(KeyboardInterrupt), opened_archive(target, watch=watch) as opened:
            restore_runs([opened], (), store, created_by="tests@1", watch=watch)
        # Runs that were copied as a whole are there.
        whole = {
            name: data for name, data in tree(Path().resolve().parent).items() if name in before
        }
        assert whole == before
        assert not [*Path(".runforge").glob(".incoming-*"), *Path("../temporary").iterdir()]
    report(runforge, "restore", str(target))
    assert runforge("verify", "--all").code == 0


@pytest.mark.skipif(sys.platform == "win32", reason="needs SIGINT")
def test_an_interrupt_of_a_reader_removes_what_it_unpacked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "archive/.runforge/runs").mkdir(parents=True)
    (tmp_path / "archive/.runforge/large").write_bytes(os.urandom(2**25))
    pack(tmp_path / "archive", tmp_path / "old.tar.zst")
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setenv("TMPDIR", str(temporary))
    reader = start(tmp_path, "verify", "old.tar.zst")
    while reader.poll() is None and not any(temporary.glob("runforge-*")):
        time.sleep(0.001)
    reader.send_signal(signal.SIGINT)
    reader.wait()
    assert not any(temporary.iterdir())
