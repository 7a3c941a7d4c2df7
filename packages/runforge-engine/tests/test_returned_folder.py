"""A run folder that a worker sends is written into the store only if it is the run asked for."""

from __future__ import annotations

import copy
import hashlib
import json
import os
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from real_data import read
from runforge_contracts.codec.strict_json import encode_json
from runforge_contracts.documents import Document
from runforge_contracts.errors import RunForgeError
from runforge_contracts.invariants.run_invariants import check_run
from runforge_contracts.run_ids import run_id_candidates
from runforge_contracts.schemas import in_schema_order
from runforge_contracts.store import layout
from runforge_contracts.store.layout import StoreLayout
from runforge_contracts.store.reading import read_index
from runforge_contracts.store.run import Run
from runforge_contracts.types import RequestV1
from runforge_engine.distributed.returned_folder import (
    FILES,
    FolderReceiver,
    ReturnedFolderError,
    SentRun,
    adopt,
    check_returned,
)
from runforge_engine.pipeline.finish import append_run
from runforge_engine.pipeline.request import prepare
from runforge_engine.pipeline.run_writer import RunWriter
from runforge_engine.provenance.slsa import statement_of
from runforge_engine.runtime.folder_lock import holding
from runforge_engine.store.run_folders import claim_folder, release_unstarted

Change = Callable[[dict[str, Any]], None]
SCHEMAS = {layout.REQUEST: "request.v1", layout.RUN: "run.v0.4.0", layout.RESULT: "result.v1"}


def files_of(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def sent(folder: Path) -> SentRun:
    """Return what the client of the run in ``folder`` knows of it."""
    request: Document[RequestV1] = Document.load(folder / layout.REQUEST, RequestV1)
    provenance = read(folder, layout.RUN)["provenance"]
    return SentRun(
        run_id=folder.name,
        request=(folder / layout.REQUEST).read_bytes(),
        configuration=prepare(request).configuration,
        dataset_sha256=read(folder, layout.RUN)["dataset"]["fingerprint_sha256"],
        recipe_sha256=read(folder, layout.RUN)["dataset"].get("recipe_sha256"),
        environment={
            name: provenance[name] for name in ("python", "packages", "platform", "numerics")
        },
        git=provenance.get("git"),
        client="tests@1",
        private=False,
    )


def reseal(folder: Path, changes: dict[str, Change]) -> None:
    """Change documents of a run and seal it again, as a worker that lies would."""
    for file, change in changes.items():
        raw = read(folder, file)
        change(raw)
        (folder / file).write_bytes(encode_json(in_schema_order(raw, SCHEMAS[file])))
    digests = {
        name: {"sha256": hashlib.sha256(data).hexdigest(), "bytes": len(data)}
        for name, data in files_of(folder).items()
        if name not in (layout.MANIFEST, layout.STATEMENT)
    }
    (folder / layout.STATEMENT).write_bytes(statement_of(Run(folder), digests))
    data = (folder / layout.STATEMENT).read_bytes()
    digests[layout.STATEMENT] = {"sha256": hashlib.sha256(data).hexdigest(), "bytes": len(data)}
    manifest = read(folder, layout.MANIFEST)
    manifest["files"] = dict(sorted(digests.items()))
    (folder / layout.MANIFEST).write_bytes(encode_json(manifest))


@pytest.fixture
def made(train: Any) -> Path:
    """Return the folder of a run as a worker has it."""
    folder: Path = train().run_dir
    return folder


def receive(folder: Path, parent: Path) -> Path:
    files = files_of(folder)
    receiver = FolderReceiver(parent, folder.name)
    receiver.announce({name: len(data) for name, data in files.items()})
    for name, data in files.items():
        half = len(data) // 2
        receiver.add(name, data[:half])
        receiver.add(name, data[half:])
    return receiver.path


def test_a_folder_is_adopted_byte_for_byte_and_listed(made: Path, tmp_path: Path) -> None:
    workspace = tmp_path / "parent"
    workspace.mkdir()
    store = StoreLayout(workspace)
    request: Document[RequestV1] = Document.load(made / layout.REQUEST, RequestV1)
    claimed = claim_folder(store, iter([made.name]))
    run = check_returned(receive(made, tmp_path / "staging"), sent(made))
    with holding(claimed) as hold:
        writer = RunWriter(hold)
        writer.write_request(request)
        adopt(run, writer)
        append_run(store, writer)
    assert files_of(claimed) == files_of(made)
    assert check_run(claimed) == []
    [entry] = read_index(store)
    [original] = read_index(StoreLayout(tmp_path))
    assert entry == original


def test_everything_is_on_the_disk_before_the_result_is(
    made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = StoreLayout(tmp_path / "parent")
    claimed = claim_folder(store, iter([made.name]))
    request: Document[RequestV1] = Document.load(made / layout.REQUEST, RequestV1)
    synced: list[int] = []
    sync = os.fsync

    def record(descriptor: int) -> None:
        synced.append(os.fstat(descriptor).st_ino)
        sync(descriptor)

    monkeypatch.setattr(os, "fsync", record)
    run = check_returned(receive(made, tmp_path / "staging"), sent(made))
    with holding(claimed) as hold:
        writer = RunWriter(hold)
        writer.write_request(request)
        adopt(run, writer)
    inodes = {name: (claimed / name).stat().st_ino for name in files_of(claimed)}
    assert set(inodes.values()) <= set(synced)
    files = [inode for inode in synced if inode in inodes.values()]
    assert files[-1] == inodes[layout.RESULT]
    assert files.count(inodes[layout.RESULT]) == 1
    assert synced[-1] == claimed.stat().st_ino


@pytest.mark.parametrize(
    "name",
    [
        "../index.json",
        "/etc/passwd",
        "artifacts/../../x",
        "artifacts\\model.pkl",
        "artifacts",
        ".git/config",
        "REQUEST.JSON",
        "result.json/",
        "",
        "run.json\0",
    ],
)
def test_a_name_that_is_not_of_a_run_is_refused_before_anything_is_written(
    name: str, tmp_path: Path
) -> None:
    receiver = FolderReceiver(tmp_path / "staging", "20260201-120000-abc12345")
    with pytest.raises(ReturnedFolderError):
        receiver.announce({layout.RESULT: 2, name: 3})
    with pytest.raises(ReturnedFolderError):
        receiver.add(name, b"abc")
    assert [*receiver.path.iterdir()] == []
    assert sorted(path.name for path in tmp_path.iterdir()) == ["staging"]


def test_a_file_is_not_larger_than_announced(tmp_path: Path) -> None:
    receiver = FolderReceiver(tmp_path, "20260201-120000-abc12345")
    receiver.announce({layout.MODEL: 3})
    receiver.add(layout.MODEL, b"abc")
    with pytest.raises(ReturnedFolderError):
        receiver.add(layout.MODEL, b"d")
    with pytest.raises(ReturnedFolderError):
        FolderReceiver(tmp_path, "20260201-120000-abc12346").announce({layout.RUN: 2**40})


def test_every_file_of_a_run_may_come_back(train: Any) -> None:
    for family in ("random_forest", "linear_svc"):
        assert files_of(train(model_family=family).run_dir).keys() <= FILES


def put(*keys: str, value: Any) -> Change:
    def change(raw: dict[str, Any]) -> None:
        for key in keys[:-1]:
            raw = raw[key]
        raw[keys[-1]] = value

    return change


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({layout.REQUEST: put("name", value="another")}, "request that was sent"),
        (
            {
                layout.RESULT: put("effective_config", "seed", value=7),
                layout.RUN: put("seed", value=7),
            },
            "seed",
        ),
        (
            {
                layout.RUN: put("provenance", "packages", "numpy", value="0.1"),
            },
            "packages.numpy",
        ),
        ({layout.RUN: put("provenance", "platform", "host", value="else")}, "platform.host"),
        ({layout.RUN: put("provenance", "client", value="else@1")}, "client"),
        (
            {layout.RUN: put("provenance", "git", value={"commit": "1" * 40, "dirty": False})},
            "state of the code",
        ),
    ],
)
def test_a_run_that_was_not_asked_for_is_refused(
    changes: dict[str, Change], named: str, made: Path, tmp_path: Path
) -> None:
    known = sent(made)
    reseal(made, changes)
    with pytest.raises(ReturnedFolderError, match=named):
        check_returned(receive(made, tmp_path / "staging"), known)


def test_the_id_of_another_run_is_refused(made: Path, tmp_path: Path) -> None:
    known = replace(sent(made), run_id="20260201-120000-abc12345")
    other = made.with_name(known.run_id)
    shutil.copytree(made, other)
    with pytest.raises(ReturnedFolderError, match="20260201-120000-abc12345"):
        check_returned(receive(other, tmp_path / "staging"), known)


@pytest.mark.parametrize("file", sorted(FILES - {layout.FEATURE_IMPORTANCE, layout.RECIPE}))
def test_a_changed_or_missing_file_is_refused(file: str, made: Path, tmp_path: Path) -> None:
    known = sent(made)
    whole = receive(made, tmp_path / "changed")
    data = bytearray((whole / file).read_bytes())
    data[len(data) // 2] ^= 1
    (whole / file).write_bytes(bytes(data))
    with pytest.raises(ReturnedFolderError):
        check_returned(whole, known)
    (made / file).unlink()
    with pytest.raises(ReturnedFolderError):
        check_returned(receive(made, tmp_path / "missing"), known)


def test_a_link_in_the_folder_is_refused(made: Path, tmp_path: Path) -> None:
    folder = receive(made, tmp_path / "staging")
    (folder / layout.MODEL).unlink()
    (folder / layout.MODEL).symlink_to(made / layout.MODEL)
    with pytest.raises(ReturnedFolderError):
        check_returned(folder, sent(made))


def test_a_dataset_other_than_the_one_sent_is_refused(made: Path, tmp_path: Path) -> None:
    known = replace(sent(made), dataset_sha256="0" * 64)
    with pytest.raises(ReturnedFolderError, match="fingerprint"):
        check_returned(receive(made, tmp_path / "staging"), known)


def test_only_a_folder_with_nothing_but_the_request_is_released(made: Path, tmp_path: Path) -> None:
    assert not release_unstarted(made)
    assert check_run(made) == []
    store = StoreLayout(tmp_path)
    raw = read(made, layout.REQUEST)
    folder = claim_folder(store, run_id_candidates("2026-02-01T12:00:00Z", raw, "0" * 64))
    assert not release_unstarted(folder)
    (folder / layout.REQUEST).write_text(json.dumps(copy.deepcopy(raw)))
    assert release_unstarted(folder)
    assert not folder.exists()


def test_a_folder_that_cannot_be_written_is_an_error_of_the_store(
    made: Path, tmp_path: Path
) -> None:
    run = check_returned(receive(made, tmp_path / "staging"), sent(made))
    store = StoreLayout(tmp_path / "parent")
    claimed = claim_folder(store, iter([made.name]))
    request: Document[RequestV1] = Document.load(made / layout.REQUEST, RequestV1)
    with holding(claimed) as hold:
        writer = RunWriter(hold)
        writer.write_request(request)
        shutil.rmtree(claimed)
        with pytest.raises(RunForgeError) as caught:
            adopt(run, writer)
    assert caught.value.code == "STORE_NOT_WRITABLE"
    assert not claimed.exists()
