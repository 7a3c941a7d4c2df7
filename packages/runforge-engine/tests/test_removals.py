"""The record of removed runs: lines that are appended, and folders that go after them."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import sys
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from msgspec import UNSET
from real_data import write_dataset
from runforge_contracts.errors import (
    ErrorCode,
    NotFoundError,
    RunForgeError,
    StoreError,
    UsageError,
)
from runforge_contracts.fs.folders import Item
from runforge_contracts.shared_work import unwatched
from runforge_contracts.store.layout import StoreLayout
from runforge_contracts.store.removals import (
    find_removals,
    read_removals,
    removed_run,
    removed_runs,
)
from runforge_contracts.store.run import Run
from runforge_engine import Store, train
from runforge_engine.moving import move_store
from runforge_engine.provenance import folder_digest
from runforge_engine.provenance.folder_digest import FolderDigests, digest_folder
from runforge_engine.removing import removal_writer
from runforge_engine.removing.forget_runs import Forgetting, plan_forgetting
from runforge_engine.removing.removal_writer import (
    append_removals,
    finish_removals,
    folder_of,
    forget_folders,
    record_of_folder,
    remove_also,
    remove_folder,
    unfinished_removals,
)
from runforge_engine.store.alias_writer import set_alias
from runforge_engine.store.incoming import copy_folder

if sys.platform != "win32":
    import fcntl

posix = pytest.mark.skipif(sys.platform == "win32", reason="needs locks of folders and links")
RUN = "20260201-120000-abc12345"


def a_run(store: StoreLayout, run_id: str = RUN) -> Path:
    folder = store.run_folder(run_id)
    (folder / "artifacts").mkdir(parents=True)
    (folder / "result.json").write_text("{}")
    (folder / "artifacts" / "model.pkl").write_bytes(b"model")
    return folder


def forgotten(store: StoreLayout, run_id: str = RUN, **more: Any) -> dict[str, Any]:
    folder = record_of_folder(store, run_id, store.run_folder(run_id))
    [line] = append_removals(store, [folder], "forgotten", because="a test", **more)
    return line


def test_a_line_has_the_digest_of_every_file_and_of_the_lines_before(tmp_path: Path) -> None:
    store = StoreLayout(tmp_path)
    a_run(store)
    a_run(store, "20260201-120001-abc12345")
    first, second = forgotten(store), forgotten(store, "20260201-120001-abc12345")
    assert set(first["files"]) == {"result.json", "artifacts/model.pkl"}
    assert first["files"]["artifacts/model.pkl"]["bytes"] == 5
    assert first["previous"] == "0" * 64
    assert second["previous"] not in (first["previous"], read_removals(store).digest)
    assert removed_runs(store) == {
        RUN: "forgotten",
        "20260201-120001-abc12345": "forgotten",
    }


def test_a_second_call_writes_no_second_line(tmp_path: Path) -> None:
    store = StoreLayout(tmp_path)
    a_run(store)
    line, text = forgotten(store), store.removals.read_bytes()
    assert forgotten(store) == line
    assert store.removals.read_bytes() == text


def test_the_folder_goes_after_its_line_and_what_was_left_of_it_too(tmp_path: Path) -> None:
    store = StoreLayout(tmp_path)
    folder = a_run(store)
    line = forgotten(store)
    assert [item["run_id"] for item in unfinished_removals(store)] == [RUN]
    hidden = store.root / f".removed-{RUN}-{'0' * 16}"
    folder.rename(hidden)
    (store.root / ".removed-notes").mkdir()
    a_run(store)
    found = finish_removals(store)
    assert (found.removed, found.kept, found.left) == ((RUN,), (), (hidden,))
    assert not folder.exists()
    assert not hidden.exists()
    assert (store.root / ".removed-notes").is_dir()
    assert not remove_folder(store, line)


def test_a_folder_with_another_file_than_the_line_has_stays(tmp_path: Path) -> None:
    store = StoreLayout(tmp_path)
    folder = a_run(store)
    line = forgotten(store)
    (folder / "notes.txt").write_text("mine")
    with pytest.raises(RunForgeError) as caught:
        remove_folder(store, line)
    assert caught.value.code is ErrorCode.VERIFICATION_FAILED
    assert finish_removals(store).kept[0][0] == folder
    assert (folder / "result.json").exists()


@pytest.mark.parametrize("change", ["changed", "cut in the middle", "not JSON"])
def test_a_record_that_was_changed_is_refused_and_hides_nothing_by_mistake(
    tmp_path: Path, change: str
) -> None:
    store = StoreLayout(tmp_path)
    for number in range(3):
        a_run(store, f"20260201-12000{number}-abc12345")
        forgotten(store, f"20260201-12000{number}-abc12345")
    lines = store.removals.read_bytes().splitlines(keepends=True)
    if change == "changed":
        lines[0] = lines[0].replace(b"a test", b"a jest")
    elif change == "cut in the middle":
        del lines[1]
    else:
        lines[1] = b"{\n"
    store.removals.write_bytes(b"".join(lines))
    with pytest.raises(RunForgeError, match="from line"):
        read_removals(store)
    if change == "not JSON":
        assert removed_runs(store) == {}


def test_a_line_that_was_not_finished_is_left_out_and_removed_by_the_next_writer(
    tmp_path: Path,
) -> None:
    store = StoreLayout(tmp_path)
    a_run(store)
    forgotten(store)
    with store.removals.open("ab") as file:
        file.write(b'{"schema_version":"run_removal.v1","action":"forg')
    a_run(store, "20260201-120001-abc12345")
    assert list(removed_runs(store)) == [RUN]
    forgotten(store, "20260201-120001-abc12345")
    assert len(read_removals(store).entries) == 2
    assert read_removals(store).torn == b""


def test_restored_ends_a_removal(tmp_path: Path) -> None:
    store = StoreLayout(tmp_path)
    a_run(store)
    folder = record_of_folder(store, RUN, store.run_folder(RUN))
    archive = {"name": "old.tar.zst", "sha256": "0" * 64}
    append_removals(store, [folder], "archived", archive=archive)
    assert removed_runs(store) == {RUN: "archived"}
    [(line, _)] = find_removals(RUN[:8], [store])
    assert line["archive"] == archive
    append_removals(store, [folder], "restored", archive=archive)
    assert removed_runs(store) == {}
    assert [entry["action"] for entry in read_removals(store).about(RUN)] == [
        "archived",
        "restored",
    ]
    append_removals(store, [folder], "restored", archive=archive)
    assert len(read_removals(store).entries) == 2


def test_the_run_of_an_experiment_is_on_the_record_of_the_store(tmp_path: Path) -> None:
    store = StoreLayout(tmp_path)
    folder = tmp_path / "runs" / "run-2026-02-01-001"
    folder.mkdir(parents=True)
    (folder / "config.yaml").write_text("experiment: a\n")
    [line] = append_removals(
        store, [record_of_folder(store, folder.name, folder, listed={"name": "a"})], "forgotten"
    )
    assert (line["kind"], line["listed"]) == ("experiment", {"name": "a"})
    assert folder_of(line, store) == folder
    assert remove_folder(store, line)
    assert list(folder.parent.iterdir()) == []


def test_only_folders_among_the_runs_are_removed(tmp_path: Path) -> None:
    store = StoreLayout(tmp_path)
    (tmp_path / "elsewhere").mkdir()
    with pytest.raises(RunForgeError, match="among the runs"):
        record_of_folder(store, RUN, tmp_path / "elsewhere")
    store.runs.mkdir(parents=True)
    (store.runs / RUN).symlink_to(tmp_path / "elsewhere")
    with pytest.raises(RunForgeError) as caught:
        record_of_folder(store, RUN, store.runs / RUN)
    assert caught.value.code is ErrorCode.FILE_UNSAFE


def test_no_line_can_lead_out_of_the_folder_of_runs(tmp_path: Path) -> None:
    store = StoreLayout(tmp_path)
    a_run(store)
    forgotten(store)
    line = json.loads(store.removals.read_text())
    line["run_id"] = "../.."
    store.removals.write_text(json.dumps(line) + "\n")
    with pytest.raises(RunForgeError, match="not valid"):
        finish_removals(store)


def test_a_run_is_forgotten_from_python(tmp_path: Path) -> None:
    path, label, _ = write_dataset("iris", tmp_path)
    first, second = (train(path, label=label, workspace=tmp_path, seed=seed) for seed in (1, 2))
    store = Store(tmp_path)
    assert store.forget(first.id, because="a test") == first.id
    assert [run.id for run in store.runs()] == [second.id]
    with pytest.raises(NotFoundError, match="forgotten"):
        store.run(first.id)
    [line] = read_removals(StoreLayout(tmp_path)).entries
    assert line["created_by"].startswith("runforge-engine@")


def test_a_hidden_folder_goes_only_if_all_of_it_is_on_the_record(tmp_path: Path) -> None:
    store = StoreLayout(tmp_path)
    a_run(store)
    line = forgotten(store)
    hidden = store.root / f".removed-{RUN}-0123456789abcdef"
    folder_of(line, store).rename(hidden)
    (hidden / "notes.txt").write_text("mine")
    assert finish_removals(store).left == ()
    assert (hidden / "notes.txt").read_text() == "mine"
    assert (hidden / "result.json").is_file()
    (hidden / "notes.txt").unlink()
    (hidden / "result.json").unlink()  # The process that was killed had removed it.
    assert finish_removals(store).left == (hidden,)
    assert not hidden.exists()


@posix
def test_a_line_about_a_run_in_progress_removes_nothing(tmp_path: Path) -> None:
    store = StoreLayout(tmp_path)
    folder = a_run(store)
    (folder / "result.json").unlink()
    line = forgotten(store)
    held = os.open(folder, os.O_RDONLY)
    fcntl.flock(held, fcntl.LOCK_EX)
    with pytest.raises(RunForgeError) as error:
        remove_folder(store, line)
    assert error.value.code is ErrorCode.STORE_BUSY
    [(kept, reason)] = finish_removals(store).kept
    assert (kept, "in progress" in reason) == (folder, True)
    assert (folder / "artifacts/model.pkl").is_file()
    os.close(held)
    assert finish_removals(store).removed == (RUN,)


def hostile(line: dict[str, Any]) -> dict[str, bytes]:
    """Return records that nobody of us wrote, made from a valid line, by what is wrong."""
    text = json.dumps(line).encode()
    return {
        "deep": b'{"schema_version":' + b"[" * 200_000 + b"]" * 200_000 + b"}\n",
        "not a number": text.replace(b'"bytes": 5', b'"bytes": NaN') + b"\n",
        "no line": b"\x00\xff\n",
        "another name twice": text[:-1] + b', "run_id": "20260201-120001-abc12345"}\n',
        "an id that leads out": text.replace(RUN.encode(), b"..") + b"\n",
        "an id that leads far out": text.replace(RUN.encode(), b"../../../etc") + b"\n",
        "a file that leads out": text.replace(b"result.json", b"../result.json") + b"\n",
        "the same line twice": text + b"\n" + text + b"\n",
        "an invalid chain": text.replace(b'"' + b"0" * 64, b'"' + b"1" * 64) + b"\n",
        "a link": b"",
        "huge": b" " * (2**16),
    }


@posix
def test_hostile_records_remove_nothing_and_are_refused(tmp_path: Path) -> None:
    store = StoreLayout(tmp_path)
    folder = a_run(store)
    line = forgotten(store)
    outside = tmp_path / "result.json"
    outside.write_text("{}")
    for what, data in hostile(line).items():
        store.removals.unlink()
        if what == "a link":
            (tmp_path / "elsewhere").write_bytes(json.dumps(line).encode() + b"\n")
            store.removals.symlink_to(tmp_path / "elsewhere")
        else:
            store.removals.write_bytes(data)
        if what == "huge":
            with store.removals.open("r+b") as file:
                file.truncate(2**33)  # Nothing of this is on the disk.
        with pytest.raises(RunForgeError) as error:
            finish_removals(store)
        assert error.value.code in (ErrorCode.DOCUMENT_INVALID, ErrorCode.FILE_UNSAFE), what
        with pytest.raises(RunForgeError):
            append_removals(store, [record_of_folder(store, RUN, folder)], "forgotten")
        shown = removed_runs(store)
        assert set(shown) <= {RUN, "..", "../../../etc", "20260201-120001-abc12345"}, what
        assert (folder / "artifacts/model.pkl").is_file(), what
        assert outside.is_file(), what


def test_control_characters_in_a_reason_are_not_printed(tmp_path: Path) -> None:
    store = StoreLayout(tmp_path)
    a_run(store)
    folder = record_of_folder(store, RUN, store.run_folder(RUN))
    append_removals(store, [folder], "forgotten", because="\x1b[2J\x07x\u202e")
    [(line, _)] = find_removals(RUN, [store])
    message = removed_run(line).message
    assert message.isprintable(), message


def test_how_far_a_removal_is_can_be_watched(tmp_path: Path) -> None:
    store = StoreLayout(tmp_path)
    ids = [RUN, "20260201-120001-abc12345"]
    folders = [record_of_folder(store, run_id, a_run(store, run_id)) for run_id in ids]
    seen = list[tuple[str, int]]()

    def watch(stage: str, results: Iterable[Any], total: int, unit: str = "") -> Iterator[Any]:
        for number, result in enumerate(results, 1):
            seen.append((f"{stage} of {total}", number))
            yield result

    forget_folders(store, folders, because="a test", created_by="tests@1", watch=watch)
    assert seen == [("Removing the folders of 2", 1), ("Removing the folders of 2", 2)]
    assert not list(store.runs.iterdir())


def test_a_run_is_verified_once_and_what_needs_it_is_looked_at_again(tmp_path: Path) -> None:
    store = StoreLayout(tmp_path)
    path, label, _ = write_dataset("iris", tmp_path)
    run = train(path, label=label, workspace=tmp_path)
    stages = list[str]()

    def watch(stage: str, results: Iterable[Any], total: int, unit: str = "") -> Iterable[Any]:
        stages.append(stage)
        return results

    def plan(*, force: bool) -> Forgetting:
        runs = [Run(run.path)]
        return plan_forgetting(
            store, runs, because="a test", created_by="tests@1", force=force, watch=watch
        )

    planned = plan(force=False)
    assert [item.objections for item in planned.report().items] == [UNSET]
    set_alias(store, "champion", run.id, created_by="tests@1")
    with pytest.raises(UsageError, match="champion"):
        planned.carry_out()
    assert not store.removals.exists()
    assert plan(force=True).carry_out().items[0].objections == ["alias"]
    assert stages == ["Verifying runs", "Verifying runs", "Removing the folders"]
    assert not run.path.exists()


def swapped(folder: Path, elsewhere: Path) -> None:
    """Put a link to a folder with the same content in the place of a folder."""
    if not folder.is_symlink():
        shutil.copytree(folder, elsewhere)
        folder.rename(folder.with_name(f"{folder.name}.old"))
        folder.symlink_to(elsewhere)


@posix
@pytest.mark.parametrize("place", ["runs", f"runs/{RUN}"])
def test_a_folder_that_becomes_a_link_after_it_was_compared_leads_nowhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    store = StoreLayout(tmp_path / "workspace")
    a_run(store)
    line = forgotten(store)
    compare = removal_writer.digest_folder

    def compare_and_swap(folder: Path, *, careful: bool = False) -> FolderDigests:
        found = compare(folder, careful=careful)
        swapped(store.root / place, tmp_path / "elsewhere")
        return found

    monkeypatch.setattr(removal_writer, "digest_folder", compare_and_swap)
    with pytest.raises(StoreError):
        remove_folder(store, line)
    # Neither what it leads to nor the run is touched, and nothing is left over.
    assert len([path for path in (tmp_path / "elsewhere").rglob("*") if path.is_file()]) == 2
    assert (store.root / place).is_symlink()
    assert (store.root / f"{place}.old").is_dir()
    assert not list(store.root.glob(".removed-*"))


@posix
def test_a_folder_that_becomes_a_link_while_it_is_compared_is_not_followed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = StoreLayout(tmp_path / "workspace")
    folder = a_run(store)
    line = forgotten(store)
    walk = folder_digest.walk_folder

    def walk_and_swap(folder: Path) -> Iterator[Item]:
        for item in list(walk(folder)):
            swapped(folder, tmp_path / "elsewhere")
            yield item

    monkeypatch.setattr(folder_digest, "walk_folder", walk_and_swap)
    with pytest.raises(RunForgeError) as caught:
        remove_folder(store, line)
    assert caught.value.code is ErrorCode.FILE_UNSAFE
    assert folder.is_symlink()


@posix
def test_copies_follow_no_link_that_takes_the_place_of_a_folder(tmp_path: Path) -> None:
    store = StoreLayout(tmp_path / "workspace")
    folder = a_run(store)
    files = digest_folder(folder).files
    swapped(folder, tmp_path / "elsewhere")
    target = tmp_path / "archive/runs"
    target.mkdir(parents=True)
    with pytest.raises(RunForgeError) as caught:
        copy_folder(folder, target / RUN, files, target.parent)
    assert caught.value.code is ErrorCode.FILE_UNSAFE
    # Nor is anything put where a link in the place of the folder of runs leads.
    swapped(target, tmp_path / "outside")
    with pytest.raises(StoreError):
        copy_folder(folder.with_name(f"{RUN}.old"), target / RUN, files, target.parent)
    assert not list((tmp_path / "outside").iterdir())
    assert not list(target.parent.glob(".incoming-*"))


@posix
def test_the_copy_of_a_dataset_is_not_removed_through_a_link(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = StoreLayout(tmp_path / "workspace")
    a_run(store)
    data = b"a,b\n1,2\n"
    digest = hashlib.sha256(data).hexdigest()
    copy = store.root / f"datasets/{digest}.csv"
    copy.parent.mkdir()
    copy.write_bytes(data)
    folder = record_of_folder(store, RUN, store.run_folder(RUN))
    also = {f"datasets/{digest}.csv": {"sha256": digest, "bytes": len(data)}}
    [line] = append_removals(store, [replace(folder, also=also)], "forgotten", because="a test")
    remove_folder(store, line)
    find = removal_writer.left_of

    def find_and_swap(store: StoreLayout, line: dict[str, Any]) -> list[Path]:
        found = find(store, line)
        swapped(copy.parent, tmp_path / "elsewhere")
        return found

    monkeypatch.setattr(removal_writer, "left_of", find_and_swap)
    with pytest.raises(StoreError):
        remove_also(store, line)
    assert (tmp_path / "elsewhere" / copy.name).read_bytes() == data


@posix
def test_a_store_that_was_moved_is_not_removed_through_a_link(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = StoreLayout(tmp_path / "workspace")
    a_run(store)
    shutil.copytree(store.root, tmp_path / "disk")

    def same_and_swap(one: Path, other: Path, name: str) -> bool:
        swapped(store.runs, tmp_path / "elsewhere")
        return True

    monkeypatch.setattr(move_store, "_is_same", same_and_swap)
    with pytest.raises(StoreError):
        move_store._remove_same(store.root, tmp_path / "disk", {}, unwatched)
    assert len([path for path in (tmp_path / "elsewhere").rglob("*") if path.is_file()]) == 2
