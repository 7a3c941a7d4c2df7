"""A quick verification reads every run that was touched, and trusts no notes but its own."""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from real_data import write_dataset
from runforge_contracts.shared_work import WORTH_SHARING
from runforge_contracts.store.layout import StoreLayout
from runforge_engine.pipeline.execute import execute
from runforge_engine.pipeline.request import new_request
from runforge_engine.provenance.keys import generate_key
from runforge_engine.provenance.signatures import sign_folder
from runforge_engine.verification import quick_verification
from runforge_engine.verification.quick_verification import FileStates, KeptVerifications
from runforge_engine.verification.verify_store import StoreVerification, verify_store

pytestmark = pytest.mark.skipif(
    sys.platform == "win32", reason="the system keeps no time of the last change of an inode"
)


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a workspace with two runs."""
    workspace = tmp_path_factory.mktemp("original")
    write_dataset("penguins", workspace)
    for seed in (1, 2):
        train(StoreLayout(workspace), seed)
    return workspace


def train(store: StoreLayout, seed: int, folder: Path | None = None) -> None:
    path, label, excluded = write_dataset("penguins", store.workspace)
    request = new_request(
        dataset=path,
        label_column=label,
        exclude_columns=excluded,
        store=store,
        created_by="tests@1",
        seed=seed,
    )
    assert execute(request, store, folder=folder).status == "succeeded"


@pytest.fixture
def store(original: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> StoreLayout:
    """Return a store that has been verified, with the notes on that in a cache of its own."""
    # Only the times of this test are as close to each other as that.
    monkeypatch.setattr(quick_verification, "_YOUNG", 0)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    workspace = tmp_path / "workspace"
    shutil.copytree(original, workspace)
    store = StoreLayout(workspace)
    assert read_runs(quickly(store)) == runs(store)
    return store


def quickly(store: StoreLayout, **options: Any) -> StoreVerification:
    return verify_store(store, kept=KeptVerifications(store), **options)


def runs(store: StoreLayout) -> list[str]:
    """Return the runs in the order of the index: ids of one second have no order of their own."""
    return [entry["run_id"] for entry in json.loads(store.index.read_bytes())["runs"]]


def read_runs(found: StoreVerification) -> list[str]:
    return [run.run_id for run in found.runs if run.trusted_since is None]


def notes(tmp_path: Path) -> Path:
    [path] = (tmp_path / "cache/runforge").glob("verified-*.json")
    return path


def test_what_was_not_touched_is_not_read_again(store: StoreLayout) -> None:
    found = quickly(store)
    assert found.holds
    assert found.verdict == "verified"
    assert read_runs(found) == []
    [check] = [check for check in found.checks if check.name == "runs"]
    assert "2 of 2 runs verified; 2 not read, unchanged since 20" in check.message
    run = found.runs[0].to_struct()
    assert [check.check for check in run.checks] == ["files", "dataset", "signature"]
    assert run.checks[0].outcome == "not checked"
    assert str(run.trusted_since) in str(run.checks[0].message)


def test_without_notes_everything_is_read_and_nothing_is_noted(
    store: StoreLayout, tmp_path: Path
) -> None:
    before = notes(tmp_path).read_bytes()
    assert read_runs(verify_store(store)) == runs(store)
    assert notes(tmp_path).read_bytes() == before


def set_back(path: Path, change: Callable[[bytes], bytes]) -> None:
    """Change a file of the same size, and set its times back."""
    before = path.stat()
    content = change(path.read_bytes())
    with path.open("r+b") as file:
        file.write(content)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    after = path.stat()
    assert (after.st_size, after.st_mtime_ns, after.st_ino) == (
        *(before.st_size, before.st_mtime_ns, before.st_ino),
    )


def test_a_file_of_the_same_size_and_time_is_read(store: StoreLayout) -> None:
    first, _ = runs(store)
    path = store.run_folder(first) / "metrics.json"
    set_back(path, lambda content: content.replace(b"0.", b"1.", 1))
    found = quickly(store)
    assert not found.holds
    assert read_runs(found) == [first]
    # What fails is not noted, and so fails again.
    assert not quickly(store).holds


def test_a_run_in_another_folder_is_looked_at_too(store: StoreLayout) -> None:
    elsewhere = store.workspace / "mine"
    train(store, 3, elsewhere)
    third = runs(store)[-1]
    assert read_runs(quickly(store)) == [third]  # Its folder has another name, and is not noted.
    assert read_runs(quickly(store)) == [third]
    (elsewhere / "logs/train.log").unlink()
    found = quickly(store)
    assert [run.run_id for run in found.runs if not run.holds] == [third]


def test_a_run_that_is_added_is_read_and_the_order_is_that_of_the_index(store: StoreLayout) -> None:
    before = runs(store)
    train(store, 3)
    [third] = set(runs(store)) - set(before)
    found = quickly(store)
    assert read_runs(found) == [third]
    assert [run.run_id for run in found.runs] == runs(store)
    (store.run_folder(before[0]) / "run.json").chmod(0o600)
    found = quickly(store)
    assert read_runs(found) == [before[0]]
    assert [run.run_id for run in found.runs] == runs(store)


def replaced_by_a_copy(folder: Path) -> None:
    shutil.copy2(folder / "run.json", folder / "copy")
    (folder / "copy").rename(folder / "run.json")


def link_in_place_of_a_file(folder: Path) -> None:
    (folder / "run.json").rename(folder.parents[1] / "elsewhere.json")
    (folder / "run.json").symlink_to(folder.parents[1] / "elsewhere.json")


@pytest.mark.parametrize(
    ("change", "holds"),
    [
        (lambda folder: (folder / "artifacts/more.bin").write_bytes(b"x"), False),
        (lambda folder: (folder / "logs/train.log").unlink(), False),
        (lambda folder: (folder / "logs/train.log").rename(folder / "logs/log"), False),
        (link_in_place_of_a_file, False),
        (replaced_by_a_copy, True),
        (lambda folder: (folder / "run.json").chmod(0o600), True),
    ],
)
def test_a_folder_that_was_touched_is_read(
    store: StoreLayout, change: Callable[[Path], object], holds: bool
) -> None:
    first, _ = runs(store)
    change(store.run_folder(first))
    found = quickly(store)
    assert found.holds is holds
    assert read_runs(found) == [first]


def test_a_run_whose_entry_changed_is_read(store: StoreLayout) -> None:
    index = store.index.read_text()
    first, _ = runs(store)
    entries = msgspec.json.decode(store.index.read_bytes())["runs"]
    number = next(at for at, entry in enumerate(entries) if entry["run_id"] == first)
    entries[number]["seed"] = 77
    store.index.write_bytes(
        msgspec.json.format(msgspec.json.encode({"schema_version": "index.v1", "runs": entries}))
    )
    found = quickly(store)
    assert not found.holds
    assert read_runs(found) == [first]
    store.index.write_text(index)
    assert quickly(store).holds


def test_dataset_and_signature_are_always_checked(store: StoreLayout, tmp_path: Path) -> None:
    key = generate_key(tmp_path / "key")
    first, second = runs(store)
    sign_folder(store.run_folder(first), key.private_key)
    # Signed since it was noted: read once, and then compared with the digests that were noted.
    assert read_runs(quickly(store)) == [first]
    found = quickly(store, public_key=key.public_key)
    assert read_runs(found) == []
    assert [run.run_id for run in found.runs if not run.holds] == [second]
    signature = store.signature(first)
    signature.write_bytes(signature.read_bytes()[:-30])
    found = quickly(store)
    assert [run.run_id for run in found.runs if not run.holds] == [first]
    signature.unlink()
    dataset = store.workspace / "penguins.csv"
    dataset.write_bytes(dataset.read_bytes() + b"\n")
    found = quickly(store)
    assert read_runs(found) == []
    assert [check.verdict for run in found.runs for check in run.checks if check.findings] == [
        "changed",
        "changed",
    ]


def test_states_are_the_same_in_any_order_and_from_any_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(quick_verification, "_YOUNG", 0)
    # Threads of the tests wait, and hold nothing.
    monkeypatch.setattr("runforge_contracts.shared_work.threading.active_count", lambda: 1)
    folders = [tmp_path / str(number) for number in range(WORTH_SHARING)]
    for number, folder in enumerate(folders):
        (folder / "artifacts").mkdir(parents=True)
        (folder / "artifacts/model.pkl").write_bytes(b"x" * number)
    expected = {folder: FileStates([], 1).of(folder) for folder in folders}
    assert None not in expected.values()
    assert len(set(expected.values())) == len(folders)
    states = FileStates(folders[1:], 2)
    assert {folder: states.of(folder) for folder in reversed(folders)} == expected
    states = FileStates(folders, 2)
    assert [states.of(folder) for folder in folders] == [*expected.values()]


def damaged(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-20])


def of_another_version(path: Path) -> None:
    text = path.read_bytes()
    path.write_bytes(text.replace(b'{"version":"', b'{"version":"9', 1))
    assert path.read_bytes() != text


def of_another_store(path: Path) -> None:
    text = path.read_bytes()
    path.write_bytes(text.replace(b'"store":"', b'"store":"/another', 1))


def with_escapes(path: Path) -> None:
    content = msgspec.json.decode(path.read_bytes())
    for note in content["runs"].values():
        note["verified_at"] = "\x1b[31m2026"
    path.write_bytes(msgspec.json.encode(content))


def with_more(path: Path) -> None:
    content = msgspec.json.decode(path.read_bytes())
    path.write_bytes(msgspec.json.encode({**content, "more": 1}))


def without_digests(path: Path) -> None:
    content = msgspec.json.decode(path.read_bytes())
    for note in content["runs"].values():
        note["state"] = "x"
    path.write_bytes(msgspec.json.encode(content))


def deep(path: Path) -> None:
    path.write_bytes(b"[" * 1_000_000)


def nonsense(path: Path) -> None:
    path.write_bytes(b'{"version":NaN}')


def linked(path: Path) -> None:
    path.rename(path.with_name("elsewhere"))
    path.symlink_to("elsewhere")


def writable_by_all(path: Path) -> None:
    path.chmod(0o666)


def gone(path: Path) -> None:
    path.unlink()


def a_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


@pytest.mark.parametrize(
    "poison",
    [
        *(damaged, of_another_version, of_another_store, with_escapes, with_more, deep),
        *(without_digests, nonsense, linked, writable_by_all, gone, a_folder),
    ],
)
def test_notes_that_are_not_as_they_were_written_are_not_used(
    store: StoreLayout, tmp_path: Path, poison: Callable[[Path], None]
) -> None:
    poison(notes(tmp_path))
    found = quickly(store)
    assert found.holds
    assert read_runs(found) == runs(store)


def test_notes_of_another_state_do_not_count(store: StoreLayout, tmp_path: Path) -> None:
    path = notes(tmp_path)
    content = msgspec.json.decode(path.read_bytes())
    first, second = runs(store)
    content["runs"] = {first: content["runs"][second], second: content["runs"][first]}
    path.write_bytes(msgspec.json.encode(content))
    assert read_runs(quickly(store)) == [first, second]


def test_what_changed_a_moment_ago_is_not_noted(
    store: StoreLayout, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(quick_verification, "_YOUNG", 10**18)
    assert read_runs(quickly(store)) == runs(store)
    monkeypatch.setattr(quick_verification, "_YOUNG", 0)
    assert read_runs(quickly(store)) == runs(store)
    assert read_runs(quickly(store)) == []


def test_a_cache_that_cannot_be_written_does_no_harm(
    store: StoreLayout, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_bytes(b"")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    assert quickly(store).holds
    assert read_runs(quickly(store)) == runs(store)


def test_only_the_cache_is_written(store: StoreLayout, tmp_path: Path) -> None:
    def state() -> dict[str, tuple[int, int]]:
        return {
            str(path): (path.stat().st_mtime_ns, path.stat().st_ctime_ns)
            for path in store.workspace.rglob("*")
        }

    before = state()
    notes(tmp_path).unlink()
    quickly(store)
    quickly(store)
    assert state() == before
    assert notes(tmp_path).stat().st_mode & 0o777 == 0o600
